"""Addresses that lie in files beside the policies: read, kept small, and looked at again when the files change."""
