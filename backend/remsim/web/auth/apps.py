"""Paired apps: a short access token, and a refresh token that is another one after each use."""

from __future__ import annotations

import secrets
from typing import Any

from remsim.core.clock import iso_utc
from remsim.core.small_dataclass import dataclass
from remsim.web.auth.accounts import APP_S, Accounts
from remsim.web.auth.credential import Credential
from remsim.web.auth.identity import Identity, sorted_scopes
from remsim.web.auth.signing import signed, verified

ACCESS_S = 600


@dataclass(frozen=True, slots=True)
class Reused:
    """A refresh token came a second time: somebody has a copy, so the app was revoked."""

    app: Credential


class Apps:
    """Both tokens are JWTs. An access token is of this run of the service and ends by the clock that never jumps; an
    app that shows one of before a restart refreshes it, as it does every ten minutes anyway.
    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._key = accounts.derived_key("app")
        self._run = secrets.token_hex(8)

    def pair(self, holder: Identity, device: str, *, by: str, address: str | None) -> dict[str, Any]:
        """Make a device known; its first tokens."""
        app, _ = self._accounts.add("app", device, holder, lives_s=APP_S, by=by, address=address)
        return self._tokens(app)

    def refresh(self, token: str) -> dict[str, Any] | Reused | None:
        """New tokens for a refresh token that was not used yet; None for a wrong one."""
        found = self._of_refresh(token)
        if found is None:
            return None
        app, generation = found
        if not self._accounts.is_good(app.id):
            return None
        if self._accounts.next_generation(app, generation) is None:
            return Reused(app)
        self._accounts.used(app)
        return self._tokens(app)

    def of_refresh(self, token: str) -> Credential | None:
        """The app a refresh token was given to, whether it is still good or not."""
        found = self._of_refresh(token)
        return None if found is None else found[0]

    def is_ours(self, access: str) -> bool:
        """Whether we have signed it: an app whose access token has ended guesses nothing."""
        return verified(access, self._key) is not None

    def identify(self, access: str) -> Identity | None:
        """Who shows an access token."""
        claims = verified(access, self._key)
        if claims is None or claims.get("typ") != "access" or claims.get("run") != self._run:
            return None
        if claims["end"] <= self._accounts.time.monotonic():
            return None
        app = self._accounts.by_id("app", claims["sub"])
        return None if app is None or self._accounts.used(app) is None else app.identity

    def _of_refresh(self, token: str) -> tuple[Credential, int] | None:
        claims = verified(token, self._key)
        if claims is None or claims.get("typ") != "refresh":
            return None
        app = self._accounts.by_id("app", claims["sub"])
        return None if app is None else (app, claims["gen"])

    def _tokens(self, app: Credential) -> dict[str, Any]:
        time = self._accounts.time
        now = int(time.now())
        access = {"typ": "access", "sub": app.id, "run": self._run, "end": time.monotonic() + ACCESS_S}
        if time.is_set:
            access |= {"iat": now, "exp": now + ACCESS_S}
        return {
            "app": app.id,
            "user": app.user,
            "scopes": sorted_scopes(app.scopes),
            "token_type": "Bearer",
            "access": signed(access, self._key),
            "expires_s": ACCESS_S,
            "refresh": signed({"typ": "refresh", "sub": app.id, "gen": app.generation}, self._key),
            "refresh_expires_at": None if app.expires_at is None else iso_utc(app.expires_at),
        }
