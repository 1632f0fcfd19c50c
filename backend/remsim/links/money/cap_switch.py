"""A link at its data cap changes to another eSIM profile of its modem, and back when its billing cycle begins anew.

Once a cycle: who goes back by hand, or finds the other profile's cap used up as well, is not switched to and fro. What
was begun is written down before, so that a service that is killed neither begins it again nor forgets the way back.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

from remsim.config.routing import LinkSettings
from remsim.core.aside import Aside
from remsim.core.clock import FIRST_TRUSTED, Clock
from remsim.core.errors import Conflict, RemsimError
from remsim.core.events import Event
from remsim.core.files import read_table, write_atomically
from remsim.core.jobs import Job
from remsim.core.masking import masked
from remsim.links.facts import ModemFacts
from remsim.links.money.cap_change import AWAY, GOING, LEFT, REFUSED, RETURNING, Change, Seen, change_of, next_step
from remsim.telemetry.usage_report import Cycle, day_at

log = logging.getLogger(__name__)

PUT_OFF_S = 600.0
"""After a change that could not be begun: the modem is busy or away, the profile is not there."""
REST_S = 6 * 3600.0
"""After one that was begun and failed: each costs the modem's connection for minutes."""


class Profiles(Protocol):
    """The profiles of modems' eUICCs, as links need them. ``modem`` is an id, a profile's id that of its SIM."""

    def find(self, modem: str, wanted: str, actor: str) -> tuple[str, str]:
        """The id and the name of a profile, by id, ICCID or name; reads a card that nobody has read yet. May wait."""

    def enable(self, modem: str, profile: str, actor: str) -> Job:
        """Change to a profile, and back by itself when no network takes it."""

    def is_busy(self, modem: str) -> bool:
        """Whether something is done to its card, or was cut short and is to be taken up."""


class Caps(Protocol):
    """What SIMs have used of their caps in a link."""

    def is_used_up(self, index: int, sim: str) -> bool | None:
        """Whether a SIM is at the cap there; None while nobody knows what day it is."""

    def cycle(self, index: int, sim: str) -> Cycle | None:
        """The billing cycle of a SIM with a cap; None of one without."""


class CapSwitch:
    """Looks at links now and then. Any thread may call; a change is begun in a thread of its own.

    ``facts`` gives the modem of a link, when it is there.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        emit: Callable[[Event], None],
        caps: Caps,
        facts: Callable[[LinkSettings], ModemFacts | None],
        profiles: Profiles,
    ) -> None:
        self._path, self._clock, self._emit = path, clock, emit
        self._caps, self._facts, self._profiles = caps, facts, profiles
        self._lock = threading.Lock()
        self._links: dict[int, LinkSettings] = {}
        self._jobs: dict[str, Job] = {}
        self._steady: dict[str, tuple[str, float]] = {}
        self.aside = Aside("links-caps")
        self._is_kept = True
        self._changes = self._load()

    def configure(self, links: Mapping[int, LinkSettings]) -> None:
        """The links by number. One that is no longer to change stays with the profile it has; what could not be done
        is tried again with other settings."""
        with self._lock:
            before = {link.name: link for link in self._links.values()}
            self._links = {index: link for index, link in links.items() if link.at_cap == "switch"}
            now = {link.name: link for link in self._links.values()}
            gone = [
                name
                for name, change in self._changes.items()
                if name not in now or (change.state == REFUSED and before.get(name, now[name]) != now[name])
            ]
            for name in gone:
                del self._changes[name]
            if gone:
                self._save()

    def look(self) -> None:
        """Do what is due. Waits for no modem."""
        if self._clock.now() < FIRST_TRUSTED:
            return
        for index, link in list(self._links.items()):
            if link.enabled:
                self._look_at(index, link)

    def view(self, name: str) -> dict[str, Any] | None:
        """The ``cap_switch`` of a link in the API, ``until`` a last day; None while there is nothing to tell."""
        change = self._changes.get(name)
        index = next((index for index, link in self._links.items() if link.name == name), None)
        if change is None or index is None:
            return None
        cycle = self._caps.cycle(index, change.home)
        return {
            "state": change.state,
            "profile": change.to or None,
            "profile_name": change.name or None,
            "from": change.home,
            "from_name": change.home_name or None,
            "until": None if cycle is None else cycle.last.isoformat(),
            "problem": change.why or None,
        }

    # -- one link ---------------------------------------------------------------------------------------------------

    def _look_at(self, index: int, link: LinkSettings) -> None:
        facts, change = self._facts(link), self._changes.get(link.name)
        if self.aside.is_busy:
            return
        job = self._jobs.get(link.name)
        if job is not None:
            if job.is_over:
                del self._jobs[link.name]
                self._ended(link, job)
            return
        if facts is None or facts.sim is None:
            self._steady.pop(link.name, None)
            return
        is_used_up = self._caps.is_used_up(index, facts.sim)
        if is_used_up is None or (change is None and not is_used_up) or self._profiles.is_busy(facts.modem):
            return
        if change is not None and change.since > self._clock.now():  # of a clock that was wrong
            change = self._keep(link, replace(change, since=self._clock.now(), not_before=0.0))
        seen = Seen(
            facts.sim,
            is_used_up,
            change is not None and self._is_new_cycle(index, change),
            self._clock.now(),
            self._steady_s(link, facts.sim),
        )
        self._do(next_step(change, seen), index, link, facts, change)

    def _do(self, step: str, index: int, link: LinkSettings, facts: ModemFacts, change: Change | None) -> None:
        if step == "go":
            self.aside.begin(lambda: self._go(index, link, facts, change))
        elif change is None:
            return
        elif step == "back":
            self.aside.begin(lambda: self._return(link, facts, change))
        elif step == "arrived":
            self._arrived(link, change)
        elif step == "home":
            self._home(link, change)
        elif step == "failed":
            self._failed(link, change, "the service ended meanwhile", REST_S)
        elif step == "left":
            self._keep(link, replace(change, state=LEFT, why=""))
            self._tell(link, change, LEFT, "was given another profile, and is left alone until its next cycle")
        elif step == "forget":
            self._forget(link)

    def _ended(self, link: LinkSettings, job: Job) -> None:
        """A job is over."""
        change = self._changes.get(link.name)
        if change is None or job.is_stopping:
            return  # what was begun is on the disk
        if job.state == "done":
            (self._arrived if change.state == GOING else self._home)(link, change)
        else:
            self._failed(link, change, job.error or "the change failed", REST_S)

    def _arrived(self, link: LinkSettings, change: Change) -> None:
        self._keep(link, replace(change, state=AWAY, why="", not_before=0.0))
        self._tell(link, change, AWAY, f"is at its data cap, and has changed to the profile {change.name}", "info")

    def _home(self, link: LinkSettings, change: Change) -> None:
        self._forget(link)
        name = change.home_name or "from before"
        self._tell(link, change, "home", f"begins a billing cycle, and is back with the profile {name}", "info")

    def _failed(self, link: LinkSettings, change: Change, why: str, wait_s: float) -> None:
        """Say why once, and wait."""
        state = AWAY if change.state in (AWAY, RETURNING) else REFUSED
        before, why = change.why, masked(why)
        change = self._keep(link, replace(change, state=state, why=why, not_before=self._clock.now() + wait_s))
        if why == before:
            return
        if state == AWAY:
            self._tell(link, change, "refused", f"begins a billing cycle, but cannot go back to its profile: {why}")
        else:
            name = change.name or masked(link.cap_profile)
            self._tell(link, change, "refused", f"is at its data cap, and cannot change to the profile {name}: {why}")

    # -- changes, in a thread of their own --------------------------------------------------------------------------

    def _go(self, index: int, link: LinkSettings, facts: ModemFacts, before: Change | None) -> None:
        home, now = str(facts.sim), self._clock.now()
        is_again = before is not None and before.home == home
        change = before if before is not None and is_again else Change(home, now, REFUSED)
        try:
            to, name = self._profiles.find(facts.modem, link.cap_profile.strip(), actor_of(link))
            change = replace(change, to=to, name=name)
            if to == home:
                raise Conflict("it is the one in use")
            if self._caps.is_used_up(index, to):
                raise Conflict("its data cap is used up, too")
            change = replace(change, home_name=self._name(facts.modem, home, link))
            self._start(link, facts, replace(change, state=GOING), to)
        except RemsimError as error:
            self._failed(link, change, error.message, PUT_OFF_S)

    def _return(self, link: LinkSettings, facts: ModemFacts, change: Change) -> None:
        try:
            self._start(link, facts, replace(change, state=RETURNING), change.home)
        except RemsimError as error:
            self._failed(link, change, error.message, PUT_OFF_S)

    def _start(self, link: LinkSettings, facts: ModemFacts, change: Change, profile: str) -> None:
        """Write down what is begun, then begin it."""
        self._keep(link, change)
        if not self._is_kept:
            raise Conflict("what is begun cannot be written down", hint="free space or check the disk")
        self._jobs[link.name] = self._profiles.enable(facts.modem, profile, actor_of(link))

    def _name(self, modem: str, profile: str, link: LinkSettings) -> str:
        """What a profile is called; nothing of a card that is no eUICC's, which the change itself will tell."""
        try:
            return self._profiles.find(modem, profile, actor_of(link))[1]
        except RemsimError:
            return ""

    # -- what is known ----------------------------------------------------------------------------------------------

    def _is_new_cycle(self, index: int, change: Change) -> bool:
        cycle = self._caps.cycle(index, change.home)
        return cycle is None or cycle.first > day_at(change.since)

    def _steady_s(self, link: LinkSettings, sim: str) -> float:
        """How long a modem has said this."""
        now = self._clock.monotonic()
        known, since = self._steady.get(link.name, ("", now))
        if known != sim:
            self._steady[link.name] = sim, now
            return 0.0
        return now - since

    def _tell(self, link: LinkSettings, change: Change, state: str, text: str, severity: str = "warning") -> None:
        data = {"link": link.name, "state": state, "from": change.home, "to": change.to or None}
        words = f"{link.title or link.name} {text}"
        self._emit(Event("link_cap", link.name, self._clock.now(), words, severity, data))

    def _keep(self, link: LinkSettings, change: Change) -> Change:
        """Know it, on the disk too."""
        with self._lock:
            before = self._changes.get(link.name)
            self._changes[link.name] = change
            if before is None or before.state != change.state:
                self._steady.pop(link.name, None)
            if before != change or not self._is_kept:
                self._save()
        return change

    def _forget(self, link: LinkSettings) -> None:
        with self._lock:
            self._changes.pop(link.name, None)
            self._save()

    def _save(self) -> None:
        table = {name: asdict(change) for name, change in self._changes.items()}
        try:
            write_atomically(self._path, json.dumps(table, separators=(",", ":")).encode())
            self._is_kept = True
        except OSError as error:
            self._is_kept = False
            log.warning("what became of links at their caps is not kept: %s", error)

    def _load(self) -> dict[str, Change]:
        try:
            return {name: change_of(one) for name, one in read_table(self._path).items()}
        except (OSError, ValueError, TypeError) as error:
            log.warning("%s cannot be read, so no link goes back to another profile: %s", self._path, error)
            return {}


def actor_of(link: LinkSettings) -> str:
    """Who has it done, as jobs and events say it."""
    return f"the data cap of {link.title or link.name}"
