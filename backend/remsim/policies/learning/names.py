"""What was learned: which name an address had last, and which sets it therefore belongs to. Bounded, and forgetful."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from remsim.policies.facts import Wanted
from remsim.policies.learning.globs import Globs, checked_glob
from remsim.policies.learning.packets import is_public, octets_of, text_of
from remsim.policies.learning.patterns import SET_TIMEOUT_S, above, checked_domain, is_below

MOST_ADDRESSES = 4096
MOST_OF_SET = 4096
"""Addresses put into one set from packets: who sends hellos with a name to ever new addresses fills no more of it."""
REFRESH_S = 1800.0
"""An address that is seen again is put into its sets again only after this time."""

Additions = dict[str, list[str]]
"""Addresses by the set they go to."""


class Known(NamedTuple):
    """The name of an address. ``how``: ``dns``, ``sni`` or ``quic``; ``is_front``: it may be that of a front."""

    name: str
    how: str
    is_front: bool
    until: float


class Names:
    """Addresses and their names, and what the sets of policies have got. Times are of the monotonic clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, Known] = OrderedDict()
        self._by_domain: Mapping[str, tuple[Wanted, ...]] = {}
        self._by_glob: Globs[Wanted] = Globs()
        self._by_application: Mapping[str, tuple[Wanted, ...]] = {}
        self._added: dict[str, OrderedDict[bytes, float]] = {}
        self.is_full = False

    def want(self, wanted: Sequence[Wanted], now: float) -> Additions:
        """Take what policies ask for; what of it is known already. Sets are taken to be empty."""
        by_domain: dict[str, tuple[Wanted, ...]] = {}
        by_application: dict[str, tuple[Wanted, ...]] = {}
        for one in wanted:
            for pattern in one.patterns:
                domain = checked_domain(pattern)
                by_domain[domain] = (*by_domain.get(domain, ()), one)
            for application in one.applications:
                by_application[application] = (*by_application.get(application, ()), one)
        by_glob = Globs((checked_glob(glob), one) for one in wanted for glob in one.globs)
        with self._lock:
            self._by_domain, self._by_glob, self._by_application = by_domain, by_glob, by_application
            self._added = {}
            self.is_full = False
            additions: Additions = {}
            for address, known in self._known.items():
                if known.until > now:
                    self._add(address, self._sets_of(known.name), now, additions)
            return additions

    def learn(self, address: bytes, name: str, how: str, now: float, *, is_front: bool = False) -> Additions:
        """Take that an address has a name; what is to be put into sets because of it.

        Private and reserved addresses are no servers of that name, whoever says so.
        """
        additions: Additions = {}
        if not is_public(address):
            return additions
        with self._lock:
            before = self._known.get(address)
            # What may be a front's name does not hide the one that the client asked DNS for.
            if not (is_front and before is not None and not before.is_front and before.until > now):
                self._known[address] = Known(name, how, is_front, now + SET_TIMEOUT_S)
                self._known.move_to_end(address)
                if len(self._known) > MOST_ADDRESSES:
                    self._known.popitem(last=False)
            self._add(address, self._sets_of(name), now, additions)
        return additions

    def learn_applications(self, address: bytes, applications: Iterable[str], now: float) -> Additions:
        """Take that applications were seen at an address."""
        additions: Additions = {}
        if is_public(address):
            with self._lock:
                for application in applications:
                    self._add(address, self._by_application.get(application, ()), now, additions)
        return additions

    def name_of(self, address: str, now: float) -> str | None:
        """The last name of an address."""
        octets = octets_of(address)
        with self._lock:
            known = None if octets is None else self._known.get(octets)
        return known.name if known is not None and known.until > now else None

    def addresses_of(self, domain: str, now: float) -> tuple[str, ...]:
        """Addresses of a domain and of all below it."""
        with self._lock:
            found = [one for one, known in self._known.items() if known.until > now and is_below(known.name, domain)]
        return tuple(text_of(one) for one in found)

    def __len__(self) -> int:
        return len(self._known)

    def _sets_of(self, name: str) -> list[Wanted]:
        by_domain = self._by_domain
        found = [one for domain in above(name) for one in by_domain.get(domain, ())] if by_domain else []
        return [*found, *self._by_glob(name)]

    def _add(self, address: bytes, wanted: Iterable[Wanted], now: float, additions: Additions) -> None:
        for one in wanted:
            name = one.set4 if len(address) == 4 else one.set6
            added = self._added.setdefault(name, OrderedDict())
            if added.get(address, -REFRESH_S) > now - REFRESH_S:
                continue
            while added and next(iter(added.values())) < now - SET_TIMEOUT_S:
                added.popitem(last=False)
            if address not in added and len(added) >= MOST_OF_SET:
                self.is_full = True
                continue
            added[address] = now
            added.move_to_end(address)
            additions.setdefault(name, []).append(text_of(address))
