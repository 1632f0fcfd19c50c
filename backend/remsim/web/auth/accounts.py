"""What lets somebody in, in memory and in ``accounts.db``: made, found by its secret, revoked."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import threading
from pathlib import Path

from remsim.core.clock import Clock
from remsim.core.errors import FREE_SPACE, Conflict, NotFound, StorageError
from remsim.telemetry.database import RETRY_S, Database
from remsim.web.auth.audit import SCHEMA as AUDIT_SCHEMA
from remsim.web.auth.audit import Audit
from remsim.web.auth.credential import COLUMNS, SCHEMA, Credential
from remsim.web.auth.identity import Identity
from remsim.web.auth.lifetime import TrueTime

DAY_S = 86400.0
SESSION_S = 30 * DAY_S
APP_S = 90 * DAY_S
"""Without being used for so long, an app has to be paired again."""

TOKEN_PREFIX = "rsm_"
WALL_PREFIX = "wall."
MOST = {"token": 200, "session": 100, "app": 50}
KEPT_S = 30 * DAY_S
"""How long a revoked token is still shown."""

WRITE_USE_S = 600.0
"""The last use of each is written this often: flash wears."""
WRITE = f"INSERT OR REPLACE INTO credentials VALUES ({', '.join('?' * len(COLUMNS))})"


class Accounts:
    """The credentials of one router.

    ``key`` is the router's own: what is signed or kept for browsers and apps hangs on it and ends with it. The truth
    is in memory; what cannot be written now is written when the disk takes it again, but no new token is given out
    meanwhile.
    """

    def __init__(self, path: Path, *, clock: Clock, key: str) -> None:
        self._key = key.encode()
        self._lock = threading.RLock()
        self._changed: set[str] = set()
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            path.chmod(0o600)
        self._file = Database(
            path,
            clock=clock,
            what="accounts",
            schema=SCHEMA + AUDIT_SCHEMA,
            tables={"credentials": "created_at", "audit": "id"},
            shown=1000,
        )
        rows = self._file.tried(lambda: self._file.connection.execute("SELECT * FROM credentials").fetchall())
        found = [one for row in rows or () if (one := Credential.of_row(row)) is not None]
        self.audit = Audit(self._file, self._lock, clock)
        times = [at for one in found for at in (one.created_at, one.last_used_at, one.revoked_at) if at is not None]
        self.time = TrueTime(clock, max([*times, self.audit.latest_at()], default=0.0))
        self._by_id = {one.id: one for one in found}
        self._by_digest = {one.digest: one for one in found if one.digest}
        for one in found:
            if one.is_undated:
                one.renew(self.time)  # nobody knows how much of it has gone
        self._use_written_at = self.time.monotonic()
        self._retry_at = self.time.monotonic() + RETRY_S
        self._used: set[str] = set()

    @property
    def problem(self) -> str | None:
        """What keeps it from being stored, in a sentence. Asked for now and then, it tries again."""
        if self._file.problem is not None and self.time.monotonic() >= self._retry_at:
            with self._lock:
                self._retry_at = self.time.monotonic() + RETRY_S
                self._write()
                self.audit.flush()
        return self._file.problem

    def derived_key(self, what: str) -> bytes:
        """A key of its own for a purpose."""
        return hmac.new(self._key, what.encode(), hashlib.sha256).digest()

    # Making

    def add(
        self, kind: str, name: str, holder: Identity, *, lives_s: float | None, by: str, address: str | None = None
    ) -> tuple[Credential, str]:
        """A new one and its secret, which is kept nowhere ("" for an app). ``StorageError`` when it cannot be stored.

        What a token or an app makes ends with it.
        """
        secret = "" if kind == "app" else secrets.token_urlsafe(32)
        if kind == "token":
            secret = TOKEN_PREFIX + secret
        maker = self._by_id.get(holder.credential or "")
        if maker is not None and maker.kind == "session":  # what a browser makes outlives it, but not its own maker
            maker = self._by_id.get(maker.parent or "")
        with self._lock:
            self._prune()
            self._make_room(kind)
            made = Credential(
                id=secrets.token_hex(6),
                kind=kind,
                name=name,
                user=name if kind == "token" else holder.user,
                scopes=holder.scopes,
                digest=self._digest(kind, secret) if secret else "",
                generation=1,
                created_at=None,
                created_by=by,
                address=address or "",
                lives_s=lives_s,
                expires_at=None,
                parent=None if maker is None else maker.id,
            )
            made.begin(self.time)
            self._by_id[made.id] = made
            self._changed.add(made.id)
            if not self._write() and kind != "session":  # whoever is to free the disk has to get in
                del self._by_id[made.id]
                self._changed.discard(made.id)
                raise StorageError(self.problem or "accounts cannot be written", hint=FREE_SPACE)
            if made.digest:
                self._by_digest[made.digest] = made
        return made, secret

    # Finding

    def by_secret(self, kind: str, secret: str) -> Credential | None:
        """The one with that secret, if it is good; it counts as used."""
        digest = self._digest(kind, secret)
        found = self._by_digest.get(digest)
        if found is None or found.kind != kind or not hmac.compare_digest(found.digest, digest):
            return None
        return self.used(found)

    def by_id(self, kind: str, credential_id: str) -> Credential | None:
        """The one of that id, good or not."""
        found = self._by_id.get(credential_id)
        return found if found is not None and found.kind == kind else None

    def by_any_id(self, credential_id: str | None) -> Credential | None:
        """The one of that id, whatever it is."""
        return self._by_id.get(credential_id or "")

    def used(self, credential: Credential) -> Credential | None:
        """The same, noted as used; None when it is not good."""
        if not self.is_good(credential.id):
            return None
        time = self.time
        if time.is_set:
            now = time.now()
            credential.last_used_at = now
            if credential.is_undated:
                self._date()
            if credential.kind == "session":
                credential.renew(time)
        self._used.add(credential.id)
        if time.monotonic() - self._use_written_at >= WRITE_USE_S:
            self.write_uses()
        return credential

    def is_good(self, credential_id: str | None) -> bool:
        """Whether it still lets somebody in; so does what has no id: the router's key and LuCI's logins."""
        while credential_id is not None:
            found = self._by_id.get(credential_id)
            if found is None or found.is_over(self.time):
                return False
            credential_id = found.parent
        return True

    def listed(self, *kinds: str) -> list[Credential]:
        """Those of some kinds, the newest first: sessions and apps that are good, and all tokens."""
        with self._lock:
            found = [one for one in self._by_id.values() if one.kind in kinds]
        found = [one for one in found if one.kind == "token" or self.is_good(one.id)]
        return sorted(found, key=lambda one: one.created_at or self.time.now(), reverse=True)

    def wall_cookie(self, token: Credential) -> str:
        """A cookie that opens the wall for as long as the token is good; it needs no memory of ours."""
        proof = hmac.new(self.derived_key("wall"), f"{token.id} {token.digest}".encode(), hashlib.sha256).hexdigest()
        return f"{WALL_PREFIX}{token.id}.{proof}"

    def of_wall_cookie(self, cookie: str) -> Identity | None:
        """Who shows a wall's cookie."""
        token = self.by_id("token", cookie.removeprefix(WALL_PREFIX).partition(".")[0])
        if token is None or "wall" not in token.scopes:
            return None
        if not hmac.compare_digest(cookie.encode("utf-8", "replace"), self.wall_cookie(token).encode()):
            return None
        return None if self.used(token) is None else Identity("cookie", token.user, frozenset(("wall",)), token.id)

    # Changing

    def revoke(self, credential_id: str, *kinds: str) -> Credential:
        """End one and what it has made; at once, even when that cannot be written. ``NotFound`` without it."""
        with self._lock:
            found = self._by_id.get(credential_id)
            if found is None or found.kind not in kinds or found.revoked_at is not None:
                raise NotFound(f"there is no {' or '.join(kinds)} {credential_id[:40]!r}", field="id")
            found.revoked_at = self.time.now()
            self._changed.add(found.id)
            self._write()
        return found

    def next_generation(self, app: Credential, generation: int) -> int | None:
        """The generation after the one that an app shows; None, and the app is revoked, when it was used before."""
        with self._lock:
            if not self.is_good(app.id):
                return None
            if generation < app.generation:
                self.revoke(app.id, "app")
                return None
            app.generation = generation + 1  # one ahead of ours was given out while the disk took nothing
            app.renew(self.time)
            self._changed.add(app.id)
            self._write()
            return app.generation

    def write_uses(self) -> None:
        """Write when each was used last."""
        with self._lock:
            self._use_written_at = self.time.monotonic()
            self._date()
            self._changed |= self._used
            self._used.clear()
            self._write()

    def close(self) -> None:
        """Write what is only in memory, and close the file."""
        with self._lock:
            self._file.leave_memory(at_once=True)
            self.write_uses()
            self._file.close()

    # The file

    def _write(self) -> bool:
        """Write what has changed, later when the disk takes nothing now; whether all is written."""
        self._file.leave_memory()
        rows = [one.row() for key in self._changed if (one := self._by_id.get(key)) is not None]
        gone = [(key,) for key in self._changed if key not in self._by_id]

        def work() -> bool:
            with self._file.connection as db:
                db.executemany(WRITE, rows)
                db.executemany("DELETE FROM credentials WHERE id = ?", gone)
            return True

        if self._file.in_memory or not self._file.tried(work):
            return False
        self._changed.clear()
        self._file.well()
        return True

    def _date(self) -> None:
        """The clock is set: what began without it gets its end."""
        if not self.time.is_set:
            return
        with self._lock:
            for one in self._by_id.values():
                if one.is_undated:
                    one.date(self.time)
                    self._changed.add(one.id)

    def _prune(self) -> None:
        """Let go of what has ended; revoked tokens stay to be seen for a while."""
        now = self.time.now()
        for one in list(self._by_id.values()):
            ended = one.revoked_at or one.expires_at or now
            if not self.is_good(one.id) and (one.kind != "token" or now - ended > KEPT_S):
                self._forget(one)

    def _make_room(self, kind: str) -> None:
        """Sessions give way to new ones, revoked tokens too; of what is good somebody has to revoke one."""
        mine = [one for one in self._by_id.values() if one.kind == kind]
        if len(mine) < MOST[kind]:
            return
        over = [one for one in mine if kind == "session" or not self.is_good(one.id)]
        if not over:
            raise Conflict(f"there are {MOST[kind]} of them already", code="too_many", hint="revoke one first")
        self._forget(min(over, key=lambda one: one.last_used_at or one.created_at or 0.0))

    def _forget(self, credential: Credential) -> None:
        del self._by_id[credential.id]
        self._by_digest.pop(credential.digest, None)
        self._changed.add(credential.id)

    def _digest(self, kind: str, secret: str) -> str:
        """Secrets are random and long: a plain hash is enough. A session's hangs on the router's key besides."""
        content = secret.encode("utf-8", "replace")
        if kind == "session":
            return hmac.new(self._key, content, hashlib.sha256).hexdigest()
        return hashlib.sha256(content).hexdigest()
