"""Scenes as each vendor's replies: the inverse of ``modems.decode``."""
