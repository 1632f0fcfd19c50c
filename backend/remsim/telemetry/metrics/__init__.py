"""Prometheus exposition: which metrics there are, and how samples become text."""

CLASSIC = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
"""The content types of the two formats."""
