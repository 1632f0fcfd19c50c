"""All modems of the router: hot-plug, start and stop, and the objects the API shows."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from remsim.config.settings import Settings
from remsim.core.clock import Clock
from remsim.core.errors import Conflict, InvalidInput, NotFound
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.modems.detect import Found, fingerprint, is_another, scan
from remsim.modems.holders import holders
from remsim.modems.modem import Modem, Surroundings
from remsim.modems.probe import Prober
from remsim.modems.registry import Identities, Registry, is_empty
from remsim.modems.uevents import Uevents
from remsim.modems.view import details, modem_view

log = logging.getLogger(__name__)

SYSFS = Path("/sys")
FULL_SCAN_S = 10.0
HOLDERS_S = 10.0
"""How often others' use of our modems' ports is looked for."""
GHOST_S = 86400.0
"""A modem that never told its IMEI and has been away so long is forgotten."""
UNHEARD_S = 1.0
"""How often the bus is looked at where the kernel does not tell of devices."""
NODES_S = 0.3
"""Device nodes come a moment after the device on systems that make them themselves."""
PERIODS_S = (1.0, 60.0)


class ModemManager:
    """Finds modems, keeps a ``Modem`` for each, forgets none by itself."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        publish_reading: Callable[[ModemReading], None],
        emit: Callable[[Event], None],
        state_dir: Path,
        sysfs_root: Path = SYSFS,
        dev_root: Path = Path("/dev"),
        scan_period_s: float = 2.0,
    ) -> None:
        identities = Identities(state_dir)
        self._settings = settings
        self._identities = identities
        self._registry = Registry(state_dir, identities)
        self._prober = Prober(clock)
        self._around = Surroundings(
            clock,
            publish_reading,
            emit,
            self._identify,
            lambda modem: self.on_identified(modem),
            identities,
            self._prober,
            sysfs_root,
            dev_root,
            settings.service.probe_period_s,
        )
        self.on_identified: Callable[[Modem], None] = lambda modem: None
        self._scan_period_s = scan_period_s
        self._modems: dict[str, Modem] = {}
        self._sure: dict[Modem, tuple[str, str]] = {}  # the ids of those who said their IMEI, and that
        self._seen: tuple[str, ...] | None = None
        self._scanned_at = 0.0
        self._holders_at = -HOLDERS_S
        self._identifying = threading.RLock()
        self._stopping = threading.Event()
        self._uevents = Uevents(listen=sysfs_root == SYSFS)
        self._thread = threading.Thread(target=self._run, name="modems", daemon=True)

    def start(self) -> None:
        """Begin looking for modems."""
        self._prober.start()
        self._thread.start()

    def stop(self, timeout_s: float = 1.5) -> None:
        """End all threads and let the ports go."""
        self._stopping.set()
        self._uevents.wake()
        modems = list(self._modems.values())
        for modem in modems:
            modem.stop()
        self._prober.stop()
        deadline = self._around.clock.monotonic() + timeout_s
        for modem in modems:
            modem.join(max(0.05, deadline - self._around.clock.monotonic()))
        if self._thread.is_alive():
            self._thread.join(0.5)
        if not self._thread.is_alive():
            self._uevents.close()

    def states(self) -> dict[str, str]:
        """The state of each modem, by id."""
        return {modem.id: modem.state for modem in list(self._modems.values())}

    def at_place(self, place: str) -> tuple[str, str] | None:
        """The id and the state of the modem at a place; None when there is none."""
        modems = list(self._modems.values())
        return next(((modem.id, modem.state) for modem in modems if modem.found.usb_path == place), None)

    def present(self) -> list[Modem]:
        """The modems that are there, by number."""
        found = [modem for modem in list(self._modems.values()) if modem.present]
        return sorted(found, key=lambda modem: (len(modem.id), modem.id))

    def sim_of(self, iccid: str | None) -> str | None:
        """The name in history of the card, or profile, with a number."""
        return self._identities.sim(iccid)

    def views(self, *, identifiers: bool = False) -> list[dict[str, Any]]:
        """The objects of all modems, by number."""
        with self._identifying:  # two modems that change their ids are never seen with one id
            modems = sorted(self._modems.values(), key=lambda modem: (len(modem.id), modem.id))
            return [modem_view(modem, self._prober, self._identities, identifiers=identifiers) for modem in modems]

    def view(self, modem_id: str, *, identifiers: bool = False) -> dict[str, Any]:
        """One modem's object with carriers and neighbours."""
        modem = self.modem(modem_id)
        return modem_view(modem, self._prober, self._identities, identifiers=identifiers) | details(modem)

    def set_period(self, modem_id: str, period_s: float | None) -> None:
        """Poll a modem every ``period_s`` seconds (1 to 60), or not at all (None)."""
        if period_s is not None and not PERIODS_S[0] <= period_s <= PERIODS_S[1]:
            raise InvalidInput("the period is 1 to 60 seconds, or off", field="period_s")
        self.modem(modem_id).set_period(period_s)

    def follow(self, settings: Settings) -> None:
        """Take changed settings: the periods are in force at once, all else for modems that are plugged in from now."""
        self._settings = settings
        for modem in list(self._modems.values()):
            period_s = settings.modem_at(modem.found.usb_path).period_s
            if period_s != modem.period_s:
                modem.set_period(period_s)

    def forget(self, modem_id: str) -> None:
        """Let go of a modem that is not there any more: its card and its id; what was recorded stays."""
        with self._identifying:
            modem = next((one for one in list(self._modems.values()) if one.id == modem_id), None)
            if modem is not None and modem.present:
                raise Conflict(f"{modem_id} is plugged in", field="modem", hint="unplug it first")
            known = self._registry.forget(modem_id)
            if modem is not None:
                self._drop(modem)
            elif not known:
                raise no_such_modem(modem_id)
        self._tell("forgotten", modem_id, f"{modem_id}: forgotten")

    def detection(self) -> dict[str, Any]:
        """What was looked for and what was found, for a report."""
        from remsim.modems.report import detection_report  # rarely asked for, so not in memory till then

        modems = list(self._modems.values())
        errors = [f"{modem.id}: {error}" for modem in modems if (error := modem.trouble or modem.last_error)]
        states = {modem.found.usb_path: f"{modem.id}, {modem.state}" for modem in modems if modem.present}
        return detection_report(self._around.sysfs_root, self._around.dev_root, states=states, errors=errors)

    def modem(self, modem_id: str) -> Modem:
        """The modem of an id, or ``NotFound``."""
        for modem in list(self._modems.values()):
            if modem.id == modem_id:
                return modem
        raise no_such_modem(modem_id)

    def _run(self) -> None:
        moved = False
        while not self._stopping.is_set():
            try:
                self._look()
            except Exception:  # looking again is all that can be done
                log.exception("the search for modems failed")
            period_s = self._scan_period_s if self._uevents.listens else min(self._scan_period_s, UNHEARD_S)
            if moved and any(modem.present and not modem.found.at_ports for modem in list(self._modems.values())):
                period_s = min(period_s, NODES_S)
            moved = self._uevents.wait(period_s)

    def _look(self) -> None:
        """Compare the bus with what we know; a full scan only when something moved, or now and then."""
        around, now = self._around, self._around.clock.monotonic()
        modems = list(self._modems.values())
        for modem in modems:
            if not modem.present:
                modem.missed()
        seen = fingerprint(around.sysfs_root)
        waiting = any(modem.present and not modem.found.at_ports and modem.session is None for modem in modems)
        if seen == self._seen and not waiting and now - self._scanned_at < FULL_SCAN_S:
            return
        is_first, self._seen, self._scanned_at = self._seen is None, seen, now
        found = {modem.usb_path: modem for modem in scan(around.sysfs_root, around.dev_root)}
        if is_first:
            self._registry.prune(found)
        for modem in modems:
            self._compare(modem, found)
        for one in found.values():
            try:
                self._add(one)
            except Exception:  # the others come first; this one is tried again
                log.exception("the modem at %s could not be started", one.place)
                self._modems.pop(one.usb_path, None)
                self._seen = ()
        self._see_others(now)

    def _compare(self, modem: Modem, found: dict[str, Found]) -> None:
        """Tell a modem whether it is there; what is left in ``found`` is new."""
        one = found.get(modem.found.usb_path)
        if one is not None and not is_another(modem.found, one):
            modem.seen(found.pop(modem.found.usb_path))
            return
        modem.missed()
        if one is not None:
            with self._identifying:
                self._drop(modem)
                self._registry.left(one.usb_path)
        elif modem.gone_for_s > GHOST_S and self._registry.is_ghost(modem.id):
            self.forget(modem.id)

    def _see_others(self, now: float) -> None:
        """Who else has our modems' ports open; one walk through /proc for all of them."""
        if now - self._holders_at < HOLDERS_S:
            return
        self._holders_at = now
        ports = {modem: ports_of(modem.found) for modem in list(self._modems.values()) if modem.present}
        others = holders(path for paths in ports.values() for path in paths)
        for modem, paths in ports.items():
            modem.used_by(holder for holder in others if holder.path in paths)

    def _add(self, found: Found) -> None:
        settings = self._settings.modem_at(found.usb_path)
        if not settings.enabled:
            return
        modem = Modem(found, settings, self._registry.id_at(found.usb_path), self._around)
        self._modems[found.usb_path] = modem
        modem.start()

    def _drop(self, modem: Modem) -> None:
        modem.stop()
        self._sure.pop(modem, None)
        if self._modems.get(modem.found.usb_path) is modem:
            del self._modems[modem.found.usb_path]

    def _identify(self, modem: Modem, imei: str) -> str:
        """The id of a modem whose IMEI is known now. One that was moved here leaves its old place."""
        with self._identifying:
            others = [other for other in list(self._modems.values()) if other is not modem]
            sure = {other: self._sure[other] for other in others if other.present and other in self._sure}
            twin = next((name for name, known in sure.values() if known == imei), None)
            self._note_imei(modem, imei, twin)
            before, place = modem.id, modem.found.usb_path
            modem_id = self._registry.identified(before, imei, place, {name for name, _ in sure.values()})
            self._sure[modem] = modem_id, imei
            if modem_id == before:
                return before
            moved = False
            modem.take_id(modem_id)
            for other in [other for other in others if other not in sure and other.id == modem_id]:
                moved = True
                if other.present:  # it got this id by its place, before it could say who it is
                    other.id = before
                    self._registry.lend(before, other.found.usb_path)
                else:
                    self._drop(other)
            kind, text = ("moved", "now at") if moved else ("appeared", "found at")
            self._tell(kind, modem_id, f"{modem_id}: {text} {modem.found.place}", {"usb_path": place})
            return modem_id

    def _note_imei(self, modem: Modem, imei: str, twin: str | None) -> None:
        """Say it when an IMEI cannot be what it should be, once."""
        notices = modem.notices
        if is_empty(imei):
            notices["imei"] = "The modem has lost its IMEI (only zeros): networks may refuse it."
        elif twin is not None:
            text = f"It has the same IMEI as {twin}: one of them was cloned, and networks will refuse one or both."
            if notices.get("imei") != text:
                told = f"{modem.id}: has the same IMEI as {twin}"
                self._tell("same_imei", modem.id, told, {"other": twin}, "warning")
            notices["imei"] = text
        else:
            notices.pop("imei", None)

    def _tell(
        self, kind: str, modem_id: str, text: str, data: dict[str, Any] | None = None, severity: str = "info"
    ) -> None:
        self._around.emit(Event(kind, modem_id, self._around.clock.now(), text, severity, data or {}))


def ports_of(found: Found) -> set[str]:
    """All device nodes of a modem that others may use."""
    return {*found.at_ports, *([found.control_port.path] if found.control_port else [])}


def no_such_modem(modem_id: str) -> NotFound:
    """The error for an id nobody has."""
    return NotFound(f"there is no modem {modem_id[:40]!r}", field="modem")
