"""``remsim esim parse-code``, ``decode``, ``encode`` and ``segments``: JSON lines in, JSON lines out."""

from __future__ import annotations

from collections.abc import Callable

VERBS: dict[str, Callable[[str], str]] = {}
"""What answers a line, by the verb."""
