"""Who may do what, decided before any view runs.

Nothing is answered without proof but what is declared public (health and the login itself). A view that
declares no scope is refused, so a forgotten decorator opens nothing.
"""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode
from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response, current_app, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from remsim.web.auth.accounts import TOKEN_PREFIX, WALL_PREFIX, Accounts
from remsim.web.auth.apps import Apps
from remsim.web.auth.identity import LOCAL, PUBLIC, SCOPES, Identity
from remsim.web.auth.rpcd import SID, LuciSessions
from remsim.web.auth.throttle import Throttle
from remsim.web.auth.tickets import Ticket, Tickets
from remsim.web.errors import Forbidden, TooManyAttempts, Unauthorized

COOKIE = "remsim_session"
COOKIE_DAYS = 30
UNSAFE = frozenset(("POST", "PUT", "PATCH", "DELETE"))
ALL = frozenset(SCOPES)
LONGEST_PROOF = 2048
LONGEST_UNPROVED = 4096
"""Bytes of a body that nobody has proved to be allowed to send."""
SCRAPED = "metrics.metrics"
"""The view for programs of which some know no Bearer: there a token may be the password of a basic login."""
LACKING = {
    "write": ("read_only", "this login may look but change nothing"),
    "at-console": ("no_console", "this login may not use the AT console"),
    "identifiers": ("no_identifiers", "this login may not see identifiers in full"),
}


class Guard:
    """Decides for each request before its view runs. What is right always passes; only wrong proofs are counted."""

    def __init__(
        self,
        key: str,
        tickets: Tickets,
        accounts: Accounts,
        throttle: Throttle,
        luci: LuciSessions,
        on_locked: Callable[[str, float], None],
    ) -> None:
        self._key = key
        self._tickets = tickets
        self._accounts = accounts
        self._throttle = throttle
        self._luci = luci
        self._on_locked = on_locked
        self.apps = Apps(accounts)

    def install(self, app: Flask) -> None:
        """Guard every request of an application."""
        app.before_request(self.check)

    def check(self) -> Response | None:
        """Let the request pass or raise ``Unauthorized``, ``TooManyAttempts`` or ``Forbidden``."""
        g.identity = None
        view = _view_of(request)
        scopes: tuple[str, ...] = getattr(view, "required_scopes", ())
        if PUBLIC in scopes:
            wait_for_nothing(request)
            return None
        who = self.identify(request)
        if who is None:
            raise Unauthorized(
                "this needs the API token", hint="send Authorization: Bearer TOKEN, or open the link of: remsim link"
            )
        g.identity = who
        if who.way == "cookie" and request.method in UNSAFE and not same_origin(request):
            raise Forbidden("a page of another origin may not do this", code="cross_origin")
        if view is not None and not who.may(*scopes):
            raise lacking(scopes)
        return None

    def identify(self, asked: Request) -> Identity | None:
        """Whom the request proves to come from."""
        authorization = asked.headers.get("Authorization", "")
        if authorization:
            return self._of_authorization(asked, authorization)
        cookie = asked.cookies.get(COOKIE)
        if cookie and (who := self.of_cookie(cookie)) is not None:
            return who
        ticket = asked.args.get("ticket")
        if ticket and asked.endpoint == "stream.stream":
            return self._of_stream_ticket(asked, ticket)
        return None

    def of_cookie(self, cookie: str) -> Identity | None:
        """Whose browser it is."""
        if len(cookie) > LONGEST_PROOF:
            return None
        if cookie.startswith(WALL_PREFIX):
            return self._accounts.of_wall_cookie(cookie)
        session = self._accounts.by_secret("session", cookie)
        return None if session is None else session.identity

    def spend(self, ticket: str, purpose: str) -> Ticket | None:
        """What a ticket opens; a wrong one is counted."""
        found = self._tickets.spend(ticket, purpose)
        if found is None or not self._accounts.is_good(found.holder.credential):
            self.count_wrong()
            return None
        return found

    def count_wrong(self) -> None:
        """A proof was wrong: raises ``TooManyAttempts`` once the address has to wait."""
        address = request.remote_addr
        wait_s = self._throttle.wait_s(address)
        if not wait_s and self._throttle.wrong(address):
            wait_s = self._throttle.wait_s(address)
            self._on_locked(address or "?", wait_s)
        if wait_s:
            raise TooManyAttempts(wait_s)

    def _of_authorization(self, asked: Request, authorization: str) -> Identity | None:
        kind, _, given = authorization.partition(" ")
        given = given.strip()
        who: Identity | None = None
        if kind.lower() == "basic" and asked.endpoint == SCRAPED and len(given) <= LONGEST_PROOF:
            kind, given = "bearer", password_of(given)
        if kind.lower() == "bearer" and len(given) <= LONGEST_PROOF:
            who = self._of_bearer(asked, given)
        if who is None and not self.apps.is_ours(given):
            self.count_wrong()
        return who

    def _of_bearer(self, asked: Request, given: str) -> Identity | None:
        if _same(given, self._key):
            return holder_of_key(asked)
        if given.startswith(TOKEN_PREFIX):
            token = self._accounts.by_secret("token", given)
            return None if token is None else token.identity
        if "." in given:
            return self.apps.identify(given)
        if SID.fullmatch(given):
            # Asking costs a process, so who has to wait is not asked for; behind a proxy all have one address.
            waits = self._throttle.wait_s(asked.remote_addr) and asked.remote_addr not in ("127.0.0.1", "::1")
            return self._luci.known(given) if waits else self._luci.identify(given)
        return None

    def _of_stream_ticket(self, asked: Request, ticket: str) -> Identity | None:
        spent = self.spend(ticket, "stream")
        if spent is None:
            return None
        origin = asked.headers.get("Origin")
        if origin is not None and origin != spent.origin and not same_origin(asked):
            raise Forbidden("this ticket was asked for by a page of another origin", code="cross_origin")
        g.ticket = spent
        return spent.holder


def password_of(login: str) -> str:
    """The password of a basic login (RFC 7617), whoever the user says to be; empty when it is none."""
    try:
        return b64decode(login, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def wait_for_nothing(asked: Request) -> None:
    """Who has proved nothing is not waited for: his body has to be short, for then it is all there already.

    ``remsim.web.patience`` sees to that; what has no length, or wants to be asked for, could hold a thread for long.
    """
    asked.max_content_length = LONGEST_UNPROVED
    if asked.method in UNSAFE and ("Transfer-Encoding" in asked.headers or "Expect" in asked.headers):
        raise RequestEntityTooLarge


def same_origin(asked: Request) -> bool:
    """Whether the page that sends an unsafe request is ours. Browsers set both headers; scripts cannot."""
    origin = asked.headers.get("Origin")
    if origin is not None:
        return "://" in origin and origin.partition("://")[2].lower() == asked.host.lower()
    return asked.headers.get("Sec-Fetch-Site") == "same-origin"


def holder_of_key(asked: Request) -> Identity:
    """This router's shell; or the login LuCI's relay, which has the key, speaks for, with the scopes it tells."""
    user = asked.headers.get("X-Remsim-User", "")
    granted = asked.headers.get("X-Remsim-Scopes")
    scopes = ALL if granted is None else ALL & frozenset(granted.split())
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,32}", user):
        return Identity("luci", user, scopes)
    return Identity("key", LOCAL, scopes)


def lacking(scopes: tuple[str, ...]) -> Forbidden:
    """What to tell who has none of these scopes."""
    if not scopes:
        return Forbidden("this address is closed")
    code, words = LACKING.get(scopes[0], ("missing_scope", f"this needs the scope {' or '.join(scopes)}"))
    return Forbidden(words, code=code, hint=f"ask for the scope {' or '.join(scopes)}")


def _view_of(asked: Request) -> Callable[..., Any] | None:
    return None if asked.endpoint is None else current_app.view_functions.get(asked.endpoint)


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())
