"""LuCI's sessions, asked of rpcd over ubus: for who sends one without going through LuCI's relay."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

from remsim.core.clock import Clock
from remsim.web.auth.identity import Identity

UBUS = Path("/bin/ubus")
SID = re.compile(r"[0-9a-f]{32}", re.ASCII)
NOBODY = "0" * 32
"""The session of who is not logged in: it exists."""

KNOWN_S = 10.0
MOST_KNOWN = 32
TIMEOUT_S = 3
MOST_ASKED = 2
GROUP = "luci-app-remsim"
OWN_RIGHTS = (("at-console", f"{GROUP}-console", "write"), ("identifiers", f"{GROUP}-identifiers", "read"))


class LuciSessions:
    """Whom a session id belongs to. What was good is believed for 10 s, what was not is asked again."""

    def __init__(self, clock: Clock, ubus: Path = UBUS) -> None:
        self._clock = clock
        self._ubus = ubus
        self.is_there = ubus.exists()
        self._known: dict[str, tuple[Identity, float]] = {}
        self._asking = threading.BoundedSemaphore(MOST_ASKED)

    def known(self, sid: str) -> Identity | None:
        """Who it is if that was found out just now."""
        found = self._known.get(sid)
        return found[0] if found is not None and found[1] > self._clock.monotonic() else None

    def identify(self, sid: str) -> Identity | None:
        """Who it is, asked of rpcd; None for a session that is none, has no right here, or when too many are asked."""
        if not self.is_there or sid == NOBODY or not SID.fullmatch(sid):
            return None
        if (found := self.known(sid)) is not None:
            return found
        if not self._asking.acquire(blocking=False):
            return None
        try:
            found = self._asked(sid)
        finally:
            self._asking.release()
        if found is not None:
            now = self._clock.monotonic()
            fresh = [(key, one) for key, one in self._known.items() if one[1] > now]
            self._known = dict([*fresh[-MOST_KNOWN + 1 :], (sid, (found, now + KNOWN_S))])
        return found

    def _asked(self, sid: str) -> Identity | None:
        granted = self._call("access", {"ubus_rpc_session": sid}).get("access-group")
        scopes = scopes_of(granted) if isinstance(granted, dict) else frozenset()
        if not scopes:
            return None
        values = self._call("get", {"ubus_rpc_session": sid, "keys": ["username"]}).get("values")
        user = values.get("username") if isinstance(values, dict) else None
        if not isinstance(user, str) or not re.fullmatch(r"[A-Za-z0-9_.-]{1,32}", user, re.ASCII):
            return None
        return Identity("luci", user, scopes)

    def _call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """What rpcd answers; nothing when it refuses, is slow or is not there."""
        import subprocess

        command = [str(self._ubus), "-t", str(TIMEOUT_S), "-S", "call", "session", method, json.dumps(arguments)]
        try:
            done = subprocess.run(
                command, capture_output=True, timeout=TIMEOUT_S + 1, check=True, stdin=subprocess.DEVNULL
            )
            found = json.loads(done.stdout)
        except (OSError, subprocess.SubprocessError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def scopes_of(granted: dict[str, Any]) -> frozenset[str]:
    """The scopes that rpcd's access groups give. A right of its own is none to who may not do what it goes with."""

    def may(group: str, level: str) -> bool:
        levels = granted.get(group)
        return isinstance(levels, list) and level in levels

    found = {level for level in ("read", "write") if may(GROUP, level)}
    found |= {scope for scope, group, level in OWN_RIGHTS if level in found and may(group, level)}
    return frozenset(found)
