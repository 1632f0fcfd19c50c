"""What is asked of netifd, which may be slow: devices of interfaces, those of the LAN, resolvers.

In a thread of its own, so that a link that fails does not wait for it; nor for the disk, which is written here too.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import field

from remsim.config.routing import Routing
from remsim.core.errors import RemsimError
from remsim.core.small_dataclass import dataclass
from remsim.links.facts import Around

log = logging.getLogger(__name__)

EVERY_S, LEAST_S = 10.0, 0.5
"""Between two questions, and however often something changes."""


@dataclass(frozen=True, slots=True)
class Found:
    """Devices and resolvers by netifd's names, and the devices of the LAN."""

    devices: Mapping[str, str | None] = field(default_factory=dict)
    resolvers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lan: tuple[str, ...] = ()


NOTHING_FOUND = Found()


def find(
    routing: Routing,
    around: Around,
    resolvers_of: Callable[[str], tuple[str, ...]],
    before: Found = NOTHING_FOUND,
) -> Found:
    """Ask now. While netifd cannot be asked, what was found ``before`` counts on: the kernel's devices are not gone."""
    names = tuple(dict.fromkeys(link.interface for link in routing.links if link.interface))
    resolvers = {name: resolvers_of(name) for name in names}
    try:
        devices = {name: around.device_of(name) for name in names}
        return Found(devices, resolvers, () if routing.globals.lan else around.lan())
    except RemsimError as error:
        log.debug("links go on as they were: %s", error)
        lan = () if routing.globals.lan else before.lan
        return Found({name: before.devices.get(name) for name in names}, resolvers, lan)


class Finder:
    """Asks each ten seconds, and when it is told to; ``on_found`` hears of what is other than before. ``keep`` is
    called then too, and may write."""

    def __init__(
        self,
        around: Around,
        resolvers_of: Callable[[str], tuple[str, ...]],
        on_found: Callable[[Found], None],
        keep: Callable[[], None] = lambda: None,
    ) -> None:
        self._around, self._resolvers_of, self._on_found, self._keep = around, resolvers_of, on_found, keep
        self._routing = Routing()
        self.last = NOTHING_FOUND
        self._wanted = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def ask(self, routing: Routing) -> Found:
        """Ask for these links now, in the caller's thread, and from now on."""
        self._routing = routing
        self.last = find(routing, self._around, self._resolvers_of, self.last)
        return self.last

    def nudge(self) -> None:
        """Ask soon."""
        self._wanted.set()

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="links-finder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, without waiting for an answer that does not come."""
        self._ended.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(1.0)

    def _run(self) -> None:
        while not self._ended.wait(LEAST_S):
            self._wanted.wait(EVERY_S)
            self._wanted.clear()
            if self._ended.is_set():
                return
            for work in (self._find, self._keep):
                try:
                    work()
                except Exception:  # links go on with what was known
                    log.exception("asking for the devices of links, or keeping what was counted, failed")

    def _find(self) -> None:
        found = find(self._routing, self._around, self._resolvers_of, self.last)
        if found != self.last:
            self.last = found
            self._on_found(found)
