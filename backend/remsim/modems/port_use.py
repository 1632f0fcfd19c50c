"""Which AT port of a modem is used, and who else uses its ports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from remsim.modems.holders import Holder, holders

PATIENCE_S = 12.0
"""How long a port may be silent before another one is tried."""


class PortUse:
    """One modem's ports: the choice among them, its reason, and their other users.

    The choice is made when a session begins and stands until its end, so nothing flaps when a program comes and goes.
    """

    def __init__(self) -> None:
        self.port: str | None = None
        self.reason: str | None = None
        self.others: tuple[Holder, ...] = ()
        self._silent_until: float | None = None
        self._silent: set[str] = set()
        self._told: set[tuple[str, int]] = set()

    def choose(self, ports: Sequence[str], now: float) -> str:
        """The best port that nobody has open and that was not found silent; the first when there is none."""
        taken: dict[str, Holder] = {}
        if len(ports) > 1:
            for holder in holders(ports):
                taken.setdefault(holder.path, holder)
        free = [port for port in ports if port not in taken]
        answering = [port for port in free if port not in self._silent]
        if not answering and not taken:
            self._silent.clear()
            answering = free
        self.port = next(iter(answering or ports))
        self._silent_until = now + PATIENCE_S if len(free) > 1 else None
        self.reason = None
        first = ports[0]
        if self.port != first:
            why = f"is used by {taken[first]}" if first in taken else "does not answer"
            self.reason = f"{first} {why}, so {self.port} is asked"
        return self.port

    def answers(self) -> None:
        """The port in use answers, so it stays in use."""
        self._silent.discard(self.port or "")
        self._silent_until = None

    def failed(self) -> None:
        """The port cannot be opened."""
        self._silent.add(self.port or "")

    def gives_up(self, now: float) -> bool:
        """Whether the port has been silent so long that the next one is to be tried."""
        if self._silent_until is None or now < self._silent_until or self.port is None:
            return False
        self._silent.add(self.port)
        return True

    def seen(self, others: Iterable[Holder], open_port: str | None) -> list[Holder]:
        """Take note of who has the modem's ports open now; those who came to the port that we have open are news."""
        self.others = tuple(others)
        sharing = [holder for holder in self.others if holder.path == open_port]
        news = [holder for holder in sharing if (holder.name, holder.pid) not in self._told]
        self._told = {(holder.name, holder.pid) for holder in sharing}
        return news

    def notices(self, control_path: str | None) -> list[str]:
        """What a user should know, in sentences."""
        told = [f"{self.reason}."] if self.reason else []
        for holder in self.others:
            if holder.path == self.port:
                told.append(f"{holder} has opened {holder.path} too, so answers may be lost: {holder.hint}.")
            elif holder.path == control_path:
                told.append(f"{holder} has the modem's connection: {holder.path} is read beside it, never taken.")
        return told
