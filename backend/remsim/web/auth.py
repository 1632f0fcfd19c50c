"""Who may do what: the API token, the browser's cookie, and tickets that work once.

Nothing is answered without proof but what is declared public (health and the login itself). A view that
declares no scope is refused, so a forgotten decorator opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Request, Response, g, request

from remsim.core.clock import Clock
from remsim.web.errors import Forbidden, Unauthorized

COOKIE = "remsim_session"
COOKIE_DAYS = 30
TICKET_S = {"browser": 600.0, "stream": 30.0}
MOST_TICKETS = 256
PUBLIC = "public"
SCOPES = ("read", "write", "at-console", "identifiers")
UNSAFE = frozenset(("POST", "PUT", "PATCH", "DELETE"))

View = TypeVar("View", bound=Callable[..., Any])


def requires_scope(scope: str) -> Callable[[View], View]:
    """Declare the right a view needs; ``PUBLIC`` is none."""

    def mark(view: View) -> View:
        view.required_scope = scope  # type: ignore[attr-defined]  # read by ``Guard``
        return view

    return mark


class Tickets:
    """One-time tickets in memory: a restart makes them void, which a new one mends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tickets: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def issue(self, purpose: str, ticket: str | None = None) -> tuple[str, float]:
        """A ticket and the seconds it lives."""
        ticket = ticket or secrets.token_urlsafe(24)
        lives_s = TICKET_S[purpose]
        now = self._clock.monotonic()
        with self._lock:
            self._tickets = {key: one for key, one in self._tickets.items() if one[1] > now}
            while len(self._tickets) >= MOST_TICKETS:
                del self._tickets[next(iter(self._tickets))]
            self._tickets[ticket] = (purpose, now + lives_s)
        return ticket, lives_s

    def spend(self, ticket: str, purpose: str) -> bool:
        """Whether the ticket was good for this; it is gone afterwards."""
        with self._lock:
            found = self._tickets.get(ticket)
            if found is None or found[0] != purpose:
                return False
            del self._tickets[ticket]
        return found[1] > self._clock.monotonic()


class Guard:
    """Decides for each request before its view runs."""

    def __init__(self, token: str, tickets: Tickets, clock: Clock) -> None:
        self._token = token
        self._tickets = tickets
        self._clock = clock

    def install(self, app: Flask) -> None:
        """Guard every request of an application."""
        app.before_request(self.check)

    def check(self) -> Response | None:
        """Let the request pass or raise ``Unauthorized`` or ``Forbidden``."""
        g.way = None
        view = _view_of(request)
        scope = getattr(view, "required_scope", None)
        if scope == PUBLIC:
            return None
        way = self.way_of(request)
        if way is None:
            raise Unauthorized(
                "this needs the API token", hint="send Authorization: Bearer TOKEN, or open the link of: remsim link"
            )
        g.way = way
        if way == "cookie" and request.method in UNSAFE and not same_origin(request):
            raise Forbidden("a page of another origin may not do this", code="cross_origin")
        if view is not None and scope not in SCOPES:
            raise Forbidden("this address is closed")
        if way == "ticket" and scope != "read":
            raise Forbidden("a ticket for the stream opens nothing else")
        return None

    def way_of(self, asked: Request) -> str | None:
        """How the request proves itself: ``token``, ``cookie``, ``ticket`` or not at all."""
        authorization = asked.headers.get("Authorization", "")
        if authorization:
            kind, _, given = authorization.partition(" ")
            right = kind.lower() == "bearer" and _same(given.strip(), self._token)
            return "token" if right else None
        cookie = asked.cookies.get(COOKIE)
        if cookie and self.cookie_is_good(cookie):
            return "cookie"
        ticket = asked.args.get("ticket")
        if ticket and asked.endpoint == "stream.stream" and self._tickets.spend(ticket, "stream"):
            return "ticket"
        return None

    def new_cookie(self) -> str:
        """A cookie's value: when it ends, and proof that we wrote it. It needs no memory of ours."""
        return self._signed(int(self._clock.now()) + COOKIE_DAYS * 86400)

    def cookie_is_good(self, value: str) -> bool:
        """Whether we wrote it and it has not ended."""
        ends, _, _proof = value.partition(".")
        if not (ends.isascii() and ends.isdigit() and len(ends) <= 12):
            return False
        return _same(value, self._signed(int(ends))) and int(ends) > self._clock.now()

    def _signed(self, ends: int) -> str:
        proof = hmac.new(self._token.encode(), f"cookie {ends}".encode(), hashlib.sha256).hexdigest()
        return f"{ends}.{proof}"


def same_origin(asked: Request) -> bool:
    """Whether the page that sends an unsafe request is ours. Browsers set both headers; scripts cannot."""
    origin = asked.headers.get("Origin")
    if origin is not None:
        return "://" in origin and origin.partition("://")[2].lower() == asked.host.lower()
    return asked.headers.get("Sec-Fetch-Site") == "same-origin"


def _view_of(asked: Request) -> Callable[..., Any] | None:
    from flask import current_app

    return None if asked.endpoint is None else current_app.view_functions.get(asked.endpoint)


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())
