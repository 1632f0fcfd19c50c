"""What works on eUICCs, put together. Loaded when somebody asks for it: see ``desk``."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.config.desk import ConfigDesk
from remsim.config.settings import Settings
from remsim.core.bus import Bus
from remsim.core.card import is_same_card
from remsim.core.clock import Clock, iso_utc
from remsim.core.errors import RemsimError
from remsim.core.events import Event
from remsim.core.jobs import Jobs
from remsim.core.masking import mask
from remsim.core.reading import ModemReading
from remsim.esim.cards import Card, Cards
from remsim.esim.codes import Codes
from remsim.esim.desk import EMPTY, settings_view
from remsim.esim.extras import Extras
from remsim.esim.plans import ending, plan_view, usage_view
from remsim.esim.room import Room
from remsim.esim.store import SWITCH, Store
from remsim.esim.telling import Telling

if TYPE_CHECKING:
    from remsim.esim.backup import Backup
    from remsim.esim.holder import Holder
    from remsim.esim.work import Work
    from remsim.options import EsimSimulation
    from remsim.telemetry.usage import Usage

log = logging.getLogger(__name__)


class Parts:
    """The store, what was read, and who begins jobs."""

    def __init__(
        self,
        *,
        settings: Settings,
        path: Path,
        data_dir: Path,
        clock: Clock,
        emit: Callable[[Event], None],
        jobs: Jobs,
        bus: Bus,
        usage: Usage,
        readings: Callable[[], Mapping[str, ModemReading]],
        holders: Callable[[], list[Holder]],
        sim_of: Callable[[str | None], str | None],
        config: ConfigDesk,
        simulated: EsimSimulation | None,
    ) -> None:
        self.store = Store(path, clock=clock)
        self.cards = Cards(self.store, sim_of)
        self.codes = Codes(self.store, clock)
        self.room = Room(
            settings,
            clock,
            emit,
            jobs,
            self.store,
            self.cards,
            config,
            data_dir,
            sim_of,
            holders,
            dict(simulated.hosts) if simulated else {},
            (simulated.ca_file,) if simulated else (),
        )
        self.telling = Telling(self.room)
        self._work: Work | None = None
        self._usage = usage
        self._simulated = simulated
        self._backup: Backup | None = None
        self.extras = Extras(
            self.room,
            work=lambda: self.work,
            codes=self.codes,
            usage=usage,
            bus=bus,
            readings=readings,
            state_dir=path.parent,
        )
        self.cards.on_read = self.extras.seen
        self.room.came = self.extras.came
        if simulated is not None:
            self._keep_simulated(simulated)

    def start(self) -> None:
        """Take up what was left."""
        self.room.forget_load()
        if self.store.all(SWITCH):
            self.work.resume()

    def look(self) -> None:
        """Begin what is due."""
        self.telling.look()
        self.extras.look()

    def configure(self, settings: Settings) -> None:
        """Put changed settings in force."""
        self.room.settings = settings
        self.extras.configure(settings)

    def stop(self) -> None:
        """Close the file; jobs have ended."""
        self.extras.stop()
        self.store.close()

    @property
    def work(self) -> Work:
        """What begins jobs; loaded with the first."""
        if self._work is None:
            from remsim.esim.work import Work

            self._work = Work(self.room, self.codes, self.telling)
        return self._work

    @property
    def backup(self) -> Backup:
        """What makes and reads files about profiles."""
        if self._backup is None:
            from remsim.esim.backup import Backup

            self._backup = Backup(self.room, self.codes)
        return self._backup

    def view(self) -> dict[str, Any]:
        """The object of ``GET /api/v1/esim``."""
        return {
            "holders": [self._holder_view(one) for one in self.room.all_holders()],
            "codes": self.codes.views(),
            "settings": settings_view(self.room.settings),
            "warnings": self._warnings(),
        }

    def counts(self) -> dict[str, Any]:
        """What metrics count; see ``desk``."""
        known = self.cards.all()
        holders = [one for one in self.room.holders() if one.id in known] if known else []
        return {
            "holders": [
                {
                    "id": one.id,
                    "read_at": card["read_at"],
                    "free_bytes": (card["euicc"] or {}).get("free_bytes"),
                    "states": Counter(profile["state"] for profile in card["profiles"]),
                    "notifications": len(card["notifications"]),
                }
                for one in holders
                if (card := now_in(one, known[one.id]))["read_at"] is not None
            ]
        }

    def _holder_view(self, holder: Holder) -> dict[str, Any]:
        card: Card = self.cards.of(holder.id) or {**EMPTY, "state": "unread", "problem": None}
        job = self.room.job_of(holder.id)
        if job is None:
            card = now_in(holder, card)
        state = "reading" if job is not None and job.kind == "esim-read" else card["state"]
        return {
            "id": holder.id,
            "name": holder.name,
            "kind": holder.kind,
            "state": state,
            "problem": card["problem"],
            "job": None if job is None else job.id,
            "way": card["way"],
            "eid": mask(card["eid"]),
            "read_at": None if card["read_at"] is None else iso_utc(card["read_at"]),
            "managed_by": card["managed_by"],
            "euicc": card["euicc"],
            "profiles": [self._profile_view(one) for one in card["profiles"]],
            "notifications": self.telling.views(card),
        }

    def _profile_view(self, profile: dict[str, Any]) -> dict[str, Any]:
        shown = {name: value for name, value in profile.items() if name != "aid"}
        settings = self.room.settings
        return {
            **shown,
            "iccid": mask(profile["iccid"]),
            "plan": plan_view(profile["id"], settings),
            "usage": usage_view(profile["id"], settings, self._usage, self.room.clock),
        }

    def _warnings(self) -> list[dict[str, Any]]:
        """What is wrong, and what to do."""
        found = []
        if self.store.problem is not None:
            text = "a switch that a power cut interrupts is not undone, and codes are not kept"
            found.append({"code": "esim_storage", "message": f"{self.store.problem}: {text}", "hint": "check the disk"})
        ca_file = self.room.settings.esim.ca_file
        if ca_file and not Path(ca_file).is_file():
            text = f"{ca_file}, the file of other root certificates, is not there: no server can be asked"
            found.append({"code": "ca_file", "message": text, "hint": "put it there, or empty that setting"})
        for holder_id, data in self.store.all(SWITCH).items():
            if self.room.job_of(holder_id) is None:
                before = (data.get("before") or {}).get("name") or "the profile from before"
                text = f"{holder_id}: a switch was cut short, and going back to {before} waits for the next start"
                found.append({"code": "switch_cut", "message": text, "hint": f"or enable {before} by hand"})
        for holder_id, card in self.cards.all().items():
            for text in ending(card, self.room.settings, self.room.clock.now()):
                hint = "renew it, or switch to another profile; its last day is in the plan"
                found.append({"code": "plan_ends", "message": f"{holder_id}: {text}", "hint": hint})
        return [*found, *self.extras.warnings()]

    def _keep_simulated(self, simulated: EsimSimulation) -> None:
        """What there is to scan in a simulation."""
        for label, code in reversed(simulated.codes):  # the newest come first
            with contextlib.suppress(RemsimError):  # it is kept already
                self.codes.add(code, label=label)


def now_in(holder: Holder, card: Card) -> Card:
    """What is known of a card, unless the modem says that another one is in it, or another profile is enabled."""
    told = holder.service().iccid
    same = [one for one in card["profiles"] if is_same_card(told, one["iccid"])]
    enabled = [one for one in card["profiles"] if one["state"] == "enabled"]
    if told is None or not enabled or enabled[0] in same:
        return card
    if not same:
        problem = {"code": "card_changed", "message": "another card is in the modem now", "hint": "read it"}
        return {**EMPTY, "state": "unread", "problem": problem}
    text = "another profile is enabled than when the card was read"
    return {**card, "problem": {"code": "card_differs", "message": text, "hint": "read the card anew"}}
