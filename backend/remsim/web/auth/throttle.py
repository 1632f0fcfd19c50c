"""Wrong log-ins, counted by address: who guesses has to wait, longer each time."""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict

from remsim.core.clock import Clock
from remsim.core.small_dataclass import dataclass

MOST_WRONG = 10
WITHIN_S = 60.0
FIRST_WAIT_S = 60.0
LONGEST_WAIT_S = 3600.0
FORGET_S = 7200.0
"""Without anything wrong for so long, an address begins anew."""
MOST_ADDRESSES = 1024


@dataclass(slots=True)
class Guesser:
    """What is known of an address."""

    since: float
    wrong: int = 0
    waits: int = 0
    until: float = 0.0


class Throttle:
    """Counts what is wrong; what is right never waits. Bounded: the address that was quiet longest is forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._guessers: OrderedDict[str, Guesser] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, address: str | None) -> float:
        """How long the address has to wait; 0 when it need not."""
        guesser = self._guessers.get(place_of(address))
        return 0.0 if guesser is None else max(guesser.until - self._clock.monotonic(), 0.0)

    def wrong(self, address: str | None) -> bool:
        """Something wrong came from the address; True when it has to wait from now on."""
        now, place = self._clock.monotonic(), place_of(address)
        with self._lock:
            guesser = self._guessers.pop(place, None)
            if guesser is None or now - max(guesser.until, guesser.since) > FORGET_S:
                guesser = Guesser(now)
            if now - guesser.since > WITHIN_S:
                guesser.since, guesser.wrong = now, 0
            guesser.wrong += 1
            begins = guesser.wrong >= MOST_WRONG and now >= guesser.until
            if begins:
                guesser.until = now + min(FIRST_WAIT_S * 2**guesser.waits, LONGEST_WAIT_S)
                guesser.waits, guesser.wrong = min(guesser.waits + 1, 16), 0
            self._guessers[place] = guesser
            while len(self._guessers) > MOST_ADDRESSES:
                self._guessers.popitem(last=False)
        return begins


def place_of(address: str | None) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: whoever has it has all of them."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))
    return str(found)
