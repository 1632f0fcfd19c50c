"""How a receiver may be reached, and what is raised when it cannot."""

from __future__ import annotations

from typing import Protocol

from remsim.core.errors import RemsimError


class Undelivered(RemsimError):
    """Something could not be sent; the text says by whom it was refused, never a secret."""

    code = "not_delivered"
    http_status = 502


class Refused(Undelivered):
    """The receiver answered, and not with success: ``status`` of HTTP and the first words of its body."""

    def __init__(self, message: str, status: int, answer: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.answer = answer
        self.retry_after_s = retry_after_s


class Way(Protocol):
    """What of a receiver's settings counts on the way to it."""

    @property
    def allow_private(self) -> bool: ...

    @property
    def verify_tls(self) -> bool: ...


class Broker(Way, Protocol):
    """And of an MQTT broker's. ``encryption`` is tls or none."""

    @property
    def host(self) -> str | None: ...

    @property
    def port(self) -> int | None: ...

    @property
    def encryption(self) -> str: ...

    @property
    def user(self) -> str | None: ...

    @property
    def password(self) -> str | None: ...


def one_line(text: str) -> str:
    """Text as it can stand in a header or a log."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
