"""Identifiers (IMEI, IMSI, ICCID, EID) made unreadable, for views, logs and error texts."""

from __future__ import annotations

import re

_LONG_NUMBER = re.compile(r"\d{10,}[0-9A-Fa-f]*")


def mask(identifier: str | None) -> str | None:
    """An identifier of which only the last four digits show."""
    return None if identifier is None else _hidden(identifier)


def masked(text: str) -> str:
    """A text in which no long number can be read."""
    return _LONG_NUMBER.sub(lambda match: _hidden(match[0]), text)


def _hidden(number: str) -> str:
    return "•" * (len(number) - 4) + number[-4:] if len(number) > 8 else "•" * len(number)
