"""What policies know of the world beside the links: applications, countries, and names as they are learned."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from remsim.config.routing import RoutingSettings
from remsim.core.clock import Clock, iso_utc
from remsim.policies.addresses.files import AddressFiles
from remsim.policies.engine import Tapped
from remsim.policies.facts import Facts, Traffic, Wanted

if TYPE_CHECKING:
    from remsim.policies.applications.catalogue import Catalogue
    from remsim.policies.countries.index import CountryIndex
    from remsim.policies.learning.learner import Learner

log = logging.getLogger(__name__)

USERS_APPLICATIONS = "applications.json"
SETS = "sets"
"""The folder of files of addresses, beside that of the policies: ``/etc/remsim/sets`` on a router."""


class World:
    """``folder`` has what the user brought. ``learns`` is false in a simulation, whose flows no packet tells of."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock,
        facts: Callable[[], Facts],
        traffic: Callable[[], Traffic | None],
        learns: bool,
        settings: RoutingSettings,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._facts = facts
        self._traffic = traffic
        self._learns = learns
        self._learner: Learner | None = None
        self._wanted: tuple[Wanted, ...] = ()
        self._is_resting = False
        """Whether nothing carries flows whose names could be learned."""
        self.files = AddressFiles(folder.parent / SETS)
        self._applications: Catalogue | None = None
        self._countries: CountryIndex | None = None
        self.settings = settings

    def facts(self) -> Facts:
        """What policies are compiled and asked with; also in the thread that everything waits for."""
        countries = self.countries
        found = countries if countries.is_there else None
        return replace(self._facts(), countries=found, applications=self.applications, files=self.files)

    def all_facts(self) -> Facts:
        """With the ways by which names are learned, for which programs are looked for."""
        return replace(self.facts(), names_learned=self._ways())

    @property
    def applications(self) -> Catalogue:
        """The catalogue; read at the first need."""
        if self._applications is None:
            from remsim.policies.applications.catalogue import Catalogue

            self._applications = Catalogue(self._folder / USERS_APPLICATIONS)
        return self._applications

    @property
    def countries(self) -> CountryIndex:
        """The list that was imported; opened at the first need, which is no need of the thread that shares traffic."""
        if self._countries is None:
            from remsim.policies.countries.index import CountryIndex

            self._countries = CountryIndex(self._folder / "countries")
        return self._countries

    def taps(self, has_names: bool) -> Tapped:
        """Rules that copy packets for learning, as it is set up."""
        from remsim.policies.learning.missing import has_sip_helper
        from remsim.policies.learning.taps import post_taps, sip_taps, taps

        if not self._learns:
            return Tapped()
        objects, sip = sip_taps() if self.settings.sip_helper and has_sip_helper() else ((), ())
        names, ndpi = self.settings.learn_names, self.settings.use_ndpi and has_names
        forward = (*sip, *taps(learn_names=names, use_ndpi=ndpi))
        return Tapped(forward, post_taps(learn_names=names), objects)

    def learn(self, wanted: Sequence[Wanted] | None) -> None:
        """Learn what a program that was just loaded asks for: its sets are there, and may be empty. None: links are
        off, and nobody is to read packets or answers for them; what is known stays known."""
        self._wanted, self._is_resting = tuple(wanted or ()), wanted is None
        if not self._learns or (wanted is None and self._learner is None):
            return
        from remsim.policies.learning.learner import Learner, Switches

        settings = self.settings
        is_new = self._learner is None
        if is_new and not wanted and not settings.learn_names:
            return
        if self._learner is None:
            self._learner = Learner(clock=self._clock, add=self._add, of_ndpi=self.applications.of_ndpi())
        ndpi = settings.use_ndpi and bool(wanted)
        on = Switches(settings.learn_names, ndpi, settings.use_dnsmasq)
        self._learner.configure(self._wanted, Switches(dnsmasq=False) if wanted is None else on)
        if is_new:
            self._learner.start()

    def stop(self) -> None:
        """Learn no more."""
        if self._learner is not None:
            self._learner.stop()
        if self._countries is not None:
            self._countries.close()

    def name_of(self, address: str) -> str | None:
        """The name that an address had last."""
        return None if self._learner is None else self._learner.name_of(address)

    def addresses_of(self, domain: str) -> tuple[str, ...]:
        """Addresses that a name was seen at."""
        return () if self._learner is None else self._learner.addresses_of(domain)

    def rungs(self) -> list[dict[str, Any]]:
        """The ways to tell names, as the API has them."""
        if self._learner is not None and not self._is_resting:
            return self._learner.rungs(sip=self.settings.sip_helper)
        from remsim.policies.learning.rungs import rungs

        settings = self.settings
        return rungs(
            names=settings.learn_names and self._learns,
            ndpi=settings.use_ndpi and self._learns,
            dnsmasq=settings.use_dnsmasq and self._learns,
            has_patterns=any(one.patterns for one in self._wanted),
            problems={},
            named={},
            fronts=0,
            is_full=False,
            sip=settings.sip_helper and self._learns,
        )

    def countries_view(self, used: set[str]) -> dict[str, Any]:
        """The object of ``GET /api/v1/policies/countries``. ``used``: those that policies name."""
        index = self.countries
        about = index.about
        return {
            "is_there": index.is_there,
            "date": about.get("date"),
            "source": about.get("source"),
            "attribution": about.get("attribution"),
            "imported_at": about.get("imported_at"),
            "countries": [
                {"code": code, "name": None, "ranges4": counts[0], "ranges6": counts[1], "is_used": code in used}
                for code, counts in sorted(index.counts().items())
            ],
            "problem": None if index.problem is None else {"code": "damaged", "message": index.problem, "hint": None},
        }

    def import_countries(self, file: BinaryIO, source: str, attribution: str, date: str | None) -> dict[str, Any]:
        """Replace the list; what came in. ``date``: the list's own, if it is known better than the list says."""
        from remsim.policies.countries.importing import import_file

        path, now = self._folder / "countries", self._clock.now()
        found = import_file(file, path, now=now, source=source, attribution=attribution, date=date)
        self._reopen()
        return {"lines": found.lines, "left_out": found.left_out, "at": iso_utc(now)}

    def remove_countries(self) -> None:
        """Forget the list."""
        (self._folder / "countries").unlink(missing_ok=True)
        self._reopen()

    def _reopen(self) -> None:
        from remsim.policies.countries.index import CountryIndex

        # Who still reads the old file does so to the end; it goes with its last user.
        self._countries = CountryIndex(self._folder / "countries")

    def _ways(self) -> tuple[str, ...] | None:
        """Rungs that would name something if a policy asked."""
        if not self._learns:
            return None
        settings = self.settings
        is_on = {
            "dnsmasq": settings.use_dnsmasq,
            "dns": settings.learn_names,
            "sni": settings.learn_names,
            "quic": settings.learn_names,
            "ndpi": settings.use_ndpi,
        }
        return tuple(str(one["rung"]) for one in self.rungs() if one["is_there"] and is_on.get(str(one["rung"])))

    def _add(self, set_name: str, elements: Sequence[str], timeout_s: int | None) -> None:
        traffic = self._traffic()
        if traffic is not None:
            traffic.add(set_name, elements, timeout_s)
