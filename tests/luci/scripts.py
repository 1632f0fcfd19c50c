"""uhttpd's way with scripts: few slots, who waits is served newest first, a hard limit of time, few variables."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from typing import Any

SLOTS = 3
TIME_LIMIT_S = 60.0
# The headers that become variables of a script.
PASSED = (
    "accept accept-charset accept-encoding accept-language authorization connection cookie host origin referer "
    "user-agent x-http-method-override"
)
PASSED_HEADERS = frozenset(PASSED.split())


class TimeIsUp(Exception):
    """The script would have been killed."""


class ScriptSlots:
    """The slots that all script requests share."""

    def __init__(self, slots: int = SLOTS, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._slots = self._free = slots
        self._time_limit_s = time_limit_s
        self._waiting: list[threading.Event] = []
        self._lock = threading.Lock()
        self.most_used = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a slot; ``TimeIsUp`` when it was held for too long."""
        turn = threading.Event()
        with self._lock:
            if self._free:
                self._free -= 1
                turn.set()
            else:
                self._waiting.append(turn)
            self.most_used = max(self.most_used, self._slots - self._free + len(self._waiting))
        turn.wait()
        begin = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                if self._waiting:
                    self._waiting.pop().set()
                else:
                    self._free += 1
        if time.monotonic() - begin > self._time_limit_s:
            raise TimeIsUp


def script_environment(method: str, query: str, headers: Message) -> dict[str, Any]:
    """The variables of a CGI script, and all headers, which a handler written in ucode gets besides, as LuCI's is."""
    env: dict[str, Any] = {"REQUEST_METHOD": method, "QUERY_STRING": query}
    env["headers"] = {name.lower(): value for name, value in headers.items()}
    for name, value in headers.items():
        if name.lower() in PASSED_HEADERS:
            env["HTTP_" + name.upper().replace("-", "_")] = value
    for name, variable in (("Content-Length", "CONTENT_LENGTH"), ("Content-Type", "CONTENT_TYPE")):
        if name in headers:
            env[variable] = headers[name]
    return env
