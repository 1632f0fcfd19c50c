"""Prometheus exposition: which metrics there are, and how samples become text."""
