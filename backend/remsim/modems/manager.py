"""All modems of the router: hot-plug, start and stop, and the objects the API shows."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from remsim.config.settings import Settings
from remsim.core.clock import Clock
from remsim.core.errors import InvalidInput, NotFound
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.modems.detect import Found, fingerprint, scan
from remsim.modems.modem import Modem, Surroundings
from remsim.modems.probe import Prober
from remsim.modems.registry import Identities, Registry
from remsim.modems.view import details, modem_view

log = logging.getLogger(__name__)

FULL_SCAN_S = 10.0
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
        sysfs_root: Path = Path("/sys"),
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
        self._seen: tuple[str, ...] | None = None
        self._scanned_at = 0.0
        self._identifying = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="modems", daemon=True)

    def start(self) -> None:
        """Begin looking for modems."""
        self._prober.start()
        self._thread.start()

    def stop(self, timeout_s: float = 1.5) -> None:
        """End all threads and let the ports go."""
        self._stopping.set()
        modems = list(self._modems.values())
        for modem in modems:
            modem.stop()
        self._prober.stop()
        deadline = self._around.clock.monotonic() + timeout_s
        for modem in modems:
            modem.join(max(0.05, deadline - self._around.clock.monotonic()))
        if self._thread.is_alive():
            self._thread.join(0.5)

    def views(self, *, identifiers: bool = False) -> list[dict[str, Any]]:
        """The objects of all modems, by number."""
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

    def forget(self, modem_id: str) -> None:
        """Let go of a modem that is not there any more."""
        modem = self.modem(modem_id)
        if modem.present:
            raise InvalidInput(f"{modem_id} is plugged in", field="modem", hint="unplug it first")
        modem.stop()
        self._modems.pop(modem.found.usb_path, None)
        self._registry.forget(modem_id)

    def modem(self, modem_id: str) -> Modem:
        """The modem of an id, or ``NotFound``."""
        for modem in list(self._modems.values()):
            if modem.id == modem_id:
                return modem
        raise NotFound(f"there is no modem {modem_id[:40]!r}", field="modem")

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._look()
            except Exception:  # looking again is all that can be done
                log.exception("the search for modems failed")
            self._stopping.wait(self._scan_period_s)

    def _look(self) -> None:
        """Compare the bus with what we know; a full scan only when something moved, or now and then."""
        around, now = self._around, self._around.clock.monotonic()
        modems = list(self._modems.values())
        for modem in modems:
            if not modem.present:
                modem.missed()
        seen = fingerprint(around.sysfs_root)
        waiting = any(modem.present and not modem.found.at_ports for modem in modems)
        if seen == self._seen and not waiting and now - self._scanned_at < FULL_SCAN_S:
            return
        self._seen, self._scanned_at = seen, now
        found = {modem.usb_path: modem for modem in scan(around.sysfs_root, around.dev_root)}
        for modem in modems:
            one = found.pop(modem.found.usb_path, None)
            if one is None:
                modem.missed()
            else:
                modem.seen(one)
        for one in found.values():
            try:
                self._add(one)
            except Exception:  # the others come first; this one is tried again
                log.exception("the modem at USB %s could not be started", one.usb_path)
                self._modems.pop(one.usb_path, None)
                self._seen = None

    def _add(self, found: Found) -> None:
        settings = self._settings.modem_at(found.usb_path)
        if not settings.enabled:
            return
        modem = Modem(found, settings, self._registry.id_at(found.usb_path), self._around)
        self._modems[found.usb_path] = modem
        modem.start()

    def _identify(self, modem: Modem, imei: str) -> str:
        """The id of a modem whose IMEI is known now. One that was moved here leaves its old place."""
        with self._identifying:
            others = [other for other in list(self._modems.values()) if other is not modem]
            if any(other.present and other.identity.get("imei") == imei for other in others):
                log.warning("%s has the IMEI of another modem that is plugged in", modem.id)
                return modem.id
            modem_id = self._registry.identified(modem.id, imei, modem.found.usb_path)
            for other in others:
                if other.id == modem_id and not other.present:
                    other.stop()
                    self._modems.pop(other.found.usb_path, None)
            return modem_id
