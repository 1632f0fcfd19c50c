"""What runs clients: own children, or OpenWrt's procd; and what is seen of their processes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from remsim.core.masking import masked
from remsim.core.small_dataclass import dataclass
from remsim.remotesim.programs import Instance

LONGEST_LINE = 400
MOST_LINES = 300
UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\uffff]")


@dataclass(frozen=True, slots=True)
class Seen:
    """One process. ``since`` is seconds since the epoch, ``ended`` how the last one ended, ``restarts`` how often."""

    running: bool
    pid: int | None = None
    since: float | None = None
    restarts: int = 0
    ended: str | None = None


class Runner(Protocol):
    """``step`` and ``close`` are for one thread, all else for any."""

    def follow(self, instances: Sequence[Instance]) -> None:
        """Have exactly these run from now on; those that are as they were go on undisturbed."""

    def restart(self, client: str) -> None:
        """End a client and start it again; its relay goes on."""

    def step(self, wait_s: float) -> None:
        """Do what is due, for ``wait_s`` at most."""

    def seen(self) -> dict[str, Seen]:
        """Each instance that was ever started, by its name."""

    def log(self, instance: Instance) -> list[str]:
        """The last lines that it wrote."""

    def wake(self) -> None:
        """Have ``step`` return at once."""

    def close(self) -> None:
        """End what ends with the service."""


def readable(text: str) -> list[str]:
    """The last lines of a log: without what could change a page's looks, and without identifiers."""
    lines = text.splitlines()[-MOST_LINES:]
    return [masked(UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", one[:LONGEST_LINE])) for one in lines]
