"""What is kept of everything that lets somebody in: API tokens, browsers' sessions, paired apps."""

from __future__ import annotations

from typing import Any

from remsim.core.clock import iso_utc
from remsim.core.small_dataclass import dataclass
from remsim.web.auth.identity import SCOPES, Identity, sorted_scopes
from remsim.web.auth.lifetime import TrueTime

WAYS = {"token": "token", "session": "cookie", "app": "app"}
COLUMNS = (
    *("id", "kind", "name", "user", "scopes", "digest", "generation", "created_at", "created_by", "address"),
    *("lives_s", "expires_at", "last_used_at", "revoked_at", "parent"),
)
TEXTS = ("id", "kind", "name", "user", "scopes", "digest", "created_by", "address")
NUMBERS = ("created_at", "lives_s", "expires_at", "last_used_at", "revoked_at")
SCHEMA = f"CREATE TABLE IF NOT EXISTS credentials ({', '.join(COLUMNS)}, PRIMARY KEY (id));"


@dataclass(slots=True)
class Credential:
    """One of them. Times are seconds since the epoch, None when the clock was not set or it did not happen.

    ``digest`` is the hash of its secret, "" for an app, which has a ``generation`` of its refresh token instead.
    ``lives_s`` None: it does not end by itself. ``parent`` is the token or app that made it and takes it along.
    """

    id: str
    kind: str
    name: str
    user: str
    scopes: frozenset[str]
    digest: str
    generation: int
    created_at: float | None
    created_by: str
    address: str
    lives_s: float | None
    expires_at: float | None
    last_used_at: float | None = None
    revoked_at: float | None = None
    parent: str | None = None
    ends_monotonic: float | None = None
    """When a life that began without a set clock ends; of this run only."""

    @classmethod
    def of_row(cls, row: tuple[Any, ...]) -> Credential | None:
        """From its row in the file; None for one that was not written by us: it lets nobody in."""
        values = dict(zip(COLUMNS, row, strict=True))
        is_whole = all(isinstance(values[name], str) for name in TEXTS) and isinstance(values["generation"], int)
        is_whole &= all(values[name] is None or isinstance(values[name], int | float) for name in NUMBERS)
        if not is_whole or values["kind"] not in WAYS or not isinstance(values["parent"], str | None):
            return None
        values["scopes"] = frozenset(SCOPES) & frozenset(values["scopes"].split())
        return cls(**values)

    def row(self) -> tuple[Any, ...]:
        """Its row."""
        values = {name: getattr(self, name) for name in COLUMNS}
        values["scopes"] = " ".join(sorted_scopes(self.scopes))
        return tuple(values.values())

    @property
    def identity(self) -> Identity:
        """Who shows it."""
        return Identity(WAYS[self.kind], self.user, self.scopes, self.id)

    @property
    def is_undated(self) -> bool:
        """Whether it ends, and nobody knows when: the clock was not set when it began."""
        return self.lives_s is not None and self.expires_at is None

    def begin(self, time: TrueTime) -> None:
        """Let its life begin now."""
        if time.is_set:
            self.created_at = time.now()
        self.renew(time)

    def renew(self, time: TrueTime) -> None:
        """Let its whole life lie before it."""
        if self.lives_s is None:
            return
        if time.is_set:
            self.expires_at, self.ends_monotonic = time.now() + self.lives_s, None
        else:
            self.expires_at, self.ends_monotonic = None, time.monotonic() + self.lives_s

    def date(self, time: TrueTime) -> None:
        """The clock is set at last: write down when it ends."""
        left = self.lives_s if self.ends_monotonic is None else self.ends_monotonic - time.monotonic()
        assert left is not None
        self.expires_at, self.ends_monotonic = time.now() + left, None

    def is_over(self, time: TrueTime) -> bool:
        """Whether it was revoked or has ended."""
        if self.revoked_at is not None:
            return True
        if self.lives_s is None:
            return False
        if self.expires_at is not None:
            return time.now() >= self.expires_at
        return self.ends_monotonic is not None and time.monotonic() >= self.ends_monotonic

    def as_dict(self) -> dict[str, Any]:
        """As the API shows it."""
        times = ("created_at", "expires_at", "last_used_at", "revoked_at")
        shown = {name: None if (at := getattr(self, name)) is None else iso_utc(at) for name in times}
        return {
            "id": self.id,
            "name": self.name,
            "user": self.user,
            "scopes": sorted_scopes(self.scopes),
            "created_by": self.created_by,
            "address": self.address,
            "never_expires": self.lives_s is None,
            **shown,
        }
