"""One modem: found, opened, identified, polled; its state in one word, and what happens to it as events."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from remsim.config.settings import ModemSettings
from remsim.core.clock import Clock, Moment
from remsim.core.errors import AtTimeout, Conflict, ModemError, ModemGone, PortBusy
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.core.small_dataclass import dataclass
from remsim.modems.beside import Beside
from remsim.modems.changes import Changes
from remsim.modems.detect import ControlPort, Found, is_another, look_at
from remsim.modems.drivers import driver_for
from remsim.modems.drivers.base import Driver
from remsim.modems.holders import Holder
from remsim.modems.operations import Operations
from remsim.modems.port_use import PortUse
from remsim.modems.probe import Prober
from remsim.modems.registry import Identities
from remsim.modems.session import Session, SessionOver
from remsim.modems.stage import is_connected, stage_of
from remsim.modems.traffic import Traffic, TrafficMeter
from remsim.outbound.target import parse_target

log = logging.getLogger(__name__)

REBOOT_S = 100.0
"""How long a modem may be away and is still called restarting: 90 seconds were seen, and ports come a little later."""
SILENT_AFTER_S = 8.0
BOOT_PATIENCE_S = 60.0
LOOK_AGAIN_S = 0.2
RETRY_S = 2.0
URGENT_SHARE = 0.1
URGENT_S = 1.0
"""A modem that told a change by itself is asked after this share of the period, not sooner than a second."""
BUSY_RETRY_S = 10.0
MOST_RETRY_S = 60.0
FAILED_AFTER_S = 600.0
"""Silent for so long, a modem has failed: it is told once more, and asked seldom."""
HELD_LOOK_S = 0.5
IDENTITY_RETRY_S = 30.0
IDENTITY_TRIES = 5
"""A modem that did not answer all of who it is, is asked again so often."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every modem of a router shares."""

    clock: Clock
    publish_reading: Callable[[ModemReading], None]
    emit: Callable[[Event], None]
    identify: Callable[[Modem, str], str]
    identified: Callable[[Modem], None]
    identities: Identities
    prober: Prober
    sysfs_root: Path
    dev_root: Path
    probe_period_s: float | None


class Modem(Operations):
    """One modem and the thread that owns its AT port."""

    def __init__(self, found: Found, settings: ModemSettings, modem_id: str, around: Surroundings) -> None:
        super().__init__(around.clock)
        self.id = modem_id
        self.found = found
        self.settings = settings
        self.present = True
        self.state = "starting"
        self.stage = "found"
        self.reason: str | None = None
        self._state_since = self._stage_since = Moment(around.clock)
        self._next_try_at: float | None = None
        self._unexpected = 0
        self.identity: dict[str, str | None] = {}
        self.values: dict[str, Any] = {}
        self.reading: ModemReading | None = None
        self.last_error: str | None = None
        self.trouble: str | None = None
        self.period_s = settings.period_s
        self.session: Session | None = None
        self.ports = PortUse()
        self.notices: dict[str, str] = {}
        self.identifications = 0
        self._identified: Session | None = None
        self._around = around
        self._changes = Changes()
        self._away_since: float | None = None
        self._patient_until = 0.0
        self._identified_at = 0.0
        self._beside = Beside()
        self._identity_tries = 0
        self._sent_before = 0
        self._counting = threading.Lock()
        self._presence = threading.RLock()
        self._meter: TrafficMeter | None = None
        self._nudged = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"modem-{found.usb_path}", daemon=True)

    # --- from the manager's thread and the web ---

    def start(self) -> None:
        """Begin."""
        name = f"{self.found.row.vendor.capitalize()} {self.found.row.module}"
        text = f"{self.id}: {name} found at {self.found.place}"
        self._tell("appeared", text, {"usb_path": self.found.usb_path, "usb_id": self.found.usb_id})
        self._watch_link()
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end, in the middle of a command if need be; ``join`` waits for it."""
        self._stopping = True
        self._around.prober.unwatch(self.found.usb_path)
        session = self.session
        if session is not None:
            session.channel.abort()
        self._nudge()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread's end."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def seen(self, found: Found) -> None:
        """The modem is on the bus, perhaps with other port names than before."""
        with self._presence:
            was_present, changed, before = self.present, found != self.found, self.found
            self.found, self.present = found, True
            if not was_present:
                self._came_back(f"{self.id}: back on USB")
        if found.usb_id != before.usb_id:
            words = f" ({found.row.boot_mode})" if found.row.boot_mode else ""
            text = f"{self.id}: its USB id changed from {before.usb_id} to {found.usb_id}{words}"
            self._tell("composition", text, {"from": before.usb_id, "to": found.usb_id})
        if changed or not was_present:
            self._watch_link()
            self._nudge()

    def missed(self) -> None:
        """The modem is not on the bus."""
        with self._presence:
            if not self.present:
                if self.state == "rebooting" and not self._may_be_rebooting():
                    self._set_state("gone")
                return
            if self._is_on_bus():
                return  # it came back while the others were looked at
            self.present = False
            self._away_since = self._away_since or self._clock.monotonic()
            text = f"{self.id}: vanished from {self.found.place}"
            self._tell("vanished", text, {"from": self.state, "to": None}, "warning")
            self._set_state("rebooting")
        self._around.prober.unwatch(self.found.usb_path)
        self._nudge()

    @property
    def gone_for_s(self) -> float:
        """How long it has been away; 0 while it is there."""
        away_since = self._away_since
        return 0.0 if self.present or away_since is None else self._clock.monotonic() - away_since

    def used_by(self, others: Iterable[Holder]) -> None:
        """Who else has its ports open, as the manager sees it now and then."""
        session = self.session
        open_port = session.channel.path if session is not None and session.channel.is_open else None
        if session is not None and session.manner is not None:  # we share it with its owner, through the same proxy
            others = [holder for holder in others if holder.path != open_port]
        for holder in self.ports.seen(others, open_port):
            text = f"{self.id}: {holder} has opened {holder.path} beside us, answers may be lost; {holder.hint}"
            self._tell("port_shared", text, {"port": holder.path, "process": holder.name}, "warning")

    def set_period(self, period_s: float | None) -> None:
        """The user's polling period; None sends nothing any more."""
        self.period_s = period_s
        session = self.session
        if session is not None:
            session.plan.set_period(period_s)
        self._nudge()

    # --- what operations and views ask ---

    @property
    def driver(self) -> Driver:
        """The session's driver; before there is one, that of what USB tells."""
        session, row = self.session, self.found.row
        return session.driver if session is not None else driver_for(row.vendor, row.module, row.platform)

    @property
    def is_ready(self) -> bool:
        """Whether it has said who it is on a port that is open now."""
        session = self.session
        return session is not None and session is self._identified and session.channel.is_open

    def open_session(self) -> Session:
        """The session whose port is open; ``Conflict`` says why there is none."""
        session = self.session
        if self.period_s is None:
            text = f"polling of {self.id} is off, so its port is closed"
            raise Conflict(text, code="paused", hint="choose a polling period first")
        if session is None or not session.channel.is_open:
            raise Conflict(f"{self.id} cannot be asked now: {self.state}", code="not_ready", hint=self.trouble)
        return session

    @property
    def title(self) -> str:
        """The name it was given, else maker and product."""
        row = self.found.row
        return self.settings.name or f"{row.vendor.capitalize()} {self.identity.get('model') or row.module}"

    @property
    def interface(self) -> str | None:
        """Its network interface, as configured or as found."""
        return self.settings.interface or self.found.interface

    @property
    def state_since(self) -> float:
        """Since when it is in its state, seconds since the epoch."""
        return self._state_since.wall

    @property
    def stage_since(self) -> float:
        """Since when it is at its stage, seconds since the epoch."""
        return self._stage_since.wall

    @property
    def next_try_at(self) -> float | None:
        """When it is tried again, seconds since the epoch; None while it is not waiting for that."""
        session = self.session
        retry_at = self._next_try_at if session is None or session.retry_at is None else session.retry_at
        if retry_at is None:
            return None
        return self._clock.now() + max(0.0, retry_at - self._clock.monotonic())

    @property
    def commands_sent(self) -> int:
        """AT commands sent to this modem since the service started."""
        with self._counting:
            return self._sent_before + (self.session.channel.commands_sent if self.session else 0)

    # --- the modem's own thread ---

    def _run(self) -> None:
        while not self._stopping:
            self._nudged.clear()
            try:
                wait_s = self._advance()
            except Exception as error:  # one modem's trouble must not end its thread: it is told and tried again
                log.exception("%s: unexpected error", self.id)
                self.last_error = f"unexpected error: {error}"
                self._unexpected += 1
                wait_s = min(BUSY_RETRY_S * 2 ** min(self._unexpected - 1, 6), MOST_RETRY_S)
                self._set_state("failed", self.last_error)
            if not self._stopping:
                self._next_try_at = None if wait_s is None else self._clock.monotonic() + wait_s
                self._nudged.wait(wait_s)
                self._next_try_at = None
        self._end_session()

    def _advance(self) -> float | None:
        """A step with what may come of it; how long to wait then."""
        try:
            return self._step()
        except SessionOver:
            return 0.0
        except ModemGone as error:
            if self._stopping:
                return 0.0
            self.last_error = error.message
            return self._port_lost()
        except ModemError as error:
            self.last_error = error.message
            if isinstance(error, PortBusy) and self._beside.takes_over(self.found, error, self._clock.monotonic()):
                return 0.0
            self.trouble = f"{error.message}; {error.hint}." if error.hint else None
            self._set_state("port_busy" if isinstance(error, PortBusy) else "not_answering", error.message)
            return BUSY_RETRY_S

    def _step(self) -> float | None:
        """What there is to do now; how long to wait then, None until something changes."""
        if self.state == "gone" or (self.period_s is None and not self.present):
            return None  # the manager sees it come back
        # Names may have changed since the last scan, and the old one may be another modem's by now.
        found = self._look()
        if found is None:
            self.missed()
            return RETRY_S
        self.seen(found)
        if self.period_s is None:
            self._set_state("paused")
            return None
        if found.row.boot_mode is not None:
            self._set_state("boot", found.row.boot_mode)
            return None
        if not found.at_ports and not self._beside.is_portless_for_good(found, self._clock.monotonic()):
            if self.state == "rebooting" and not self._may_be_rebooting():
                self._set_state("not_answering", "it has no AT port")
            return RETRY_S
        self._talk(found)
        return 0.0

    def _talk(self, found: Found) -> None:
        """One session, from opening the port to its end."""
        session = self._session(found)
        self._end_session(session)
        try:
            self._open(session)
            self.trouble = None
            if self.state in ("paused", "port_busy"):
                self._set_state("starting")
            session.answered_at = self._clock.monotonic()
            session.shake_hands()
            self.ports.answers()
            if self._away_since is not None:
                self._came_back(f"{self.id}: answers again")
            session.plan.set_period(self.period_s)
            session.identify()
            self._identified_at = self._clock.monotonic()
            self.identity = session.identity
            if self.identity.get("imei"):
                self.take_id(self._around.identify(self, str(self.identity["imei"])))
            session.plan.set_period(self.period_s)
            self.identifications += 1
            self._identified = session
            self._notify()
            if session.manner is None:
                self._around.identified(self)
            self._poll(session)
        finally:
            session.channel.dispose()

    def _session(self, found: Found) -> Session:
        """A session over the best AT port; over the QMI or MBIM device where there is none, or none to be had."""
        now = self._clock.monotonic()
        if self._beside.is_way(found, now) and found.control_port is not None:
            return self._control_session(found, found.control_port)
        path = self.ports.choose(found.at_ports, now)
        at = found.at_ports.index(path)

        def goes_on() -> bool:
            if self._is_kept():
                return True
            is_same = self.found.at_ports[at : at + 1] == (path,) and self.found.row == found.row
            return self._is_wanted() and is_same and not self.ports.gives_up(self._clock.monotonic())

        return Session(
            path,
            found.row,
            clock=self._clock,
            goes_on=goes_on,
            on_timeout=self._silent,
            on_heard=self._heard,
        )

    def _control_session(self, found: Found, control: ControlPort) -> Session:
        from remsim.modems.control_session import ControlSession  # few modems need it

        def goes_on() -> bool:
            if self._is_kept():
                return True
            is_same = self.found.control_port == control and self.found.row == found.row
            if not is_same or not self._is_wanted():
                return False
            return not self._beside.has_free_at_port(self.found, self.ports.others, self._clock.monotonic())

        return ControlSession(control, found.row, clock=self._clock, goes_on=goes_on, on_timeout=self._silent)

    def _is_kept(self) -> bool:
        """Whether an operation would be cut off by the end of the session."""
        return self.is_held and self.present and not self._stopping

    def _is_wanted(self) -> bool:
        return not self._stopping and self.period_s is not None and self.present

    def _open(self, session: Session) -> None:
        try:
            session.channel.open()
        except ModemGone:
            if session.manner is None:
                self.ports.failed()
            raise

    def take_id(self, modem_id: str) -> None:
        """Be known by this id from now on."""
        if modem_id != self.id:
            self.id, self.reading, self._changes = modem_id, None, Changes()

    def _poll(self, session: Session) -> None:
        """Rounds on a schedule of deadlines, until the session is over or stale."""
        begun_at = next_at = self._clock.monotonic()
        planned_s = 0.0
        while not session.is_stale:
            now, period_s = self._clock.monotonic(), session.plan.effective_s or RETRY_S
            if session.is_urgent:
                next_at = min(next_at, begun_at + max(period_s * URGENT_SHARE, URGENT_S))
            elif period_s < planned_s:
                next_at = min(next_at, begun_at + period_s)  # the user wants it shorter
            if now < next_at:
                session.wait(next_at - now)
                continue
            if not self._rounds.acquire(blocking=False):
                session.wait(HELD_LOOK_S)
                continue
            begun_at = now
            try:
                values = session.round(now)
            finally:
                self._rounds.release()
            if values is not None:
                self._publish(session, values)
            if values is not None and self._should_ask_again(session):
                return
            planned_s = session.plan.effective_s or RETRY_S
            next_at = max(next_at + planned_s, self._clock.monotonic() + planned_s * URGENT_SHARE)

    def _should_ask_again(self, session: Session) -> bool:
        """Whether a new session should ask who the modem is: it answers now, but some of those answers never came."""
        waited_s = self._clock.monotonic() - self._identified_at
        if session.is_identified or self._identity_tries >= IDENTITY_TRIES or waited_s < IDENTITY_RETRY_S:
            return False
        self._identity_tries += 1
        return True

    def _publish(self, session: Session, values: dict[str, Any]) -> None:
        fields = session.driver.reading_fields(values)
        state = fields.pop("state", None) or ("starting" if self.state != "online" else "online")
        if (
            self.reading is not None
            and self.reading.sim_state not in (None, "READY")
            and fields["sim_state"] == "READY"
        ):
            session.sim_changed()
        session.check_sim(fields["sim_state"])
        self.identity = session.identity
        traffic = self._read_traffic()
        quality = self._around.prober.quality(self.found.usb_path)
        reading = ModemReading(
            modem=self.id,
            at=self._clock.now(),
            state=state,
            sim=self._around.identities.sim(self.identity.get("iccid")),
            interface=self.interface,
            rx_bytes=traffic.rx_bytes,
            tx_bytes=traffic.tx_bytes,
            rx_bits_per_s=traffic.rx_bits_per_s,
            tx_bits_per_s=traffic.tx_bits_per_s,
            latency_ms=quality.latency_ms,
            jitter_ms=quality.jitter_ms,
            loss_percent=quality.loss_percent,
            at_commands_total=self.commands_sent,
            **fields,
        )
        self._unexpected = 0
        with self._presence:
            if not self.present:
                return  # it vanished meanwhile, which has been told
            self.values, self.reading, self.last_error = values, reading, None
            events = self._changes.of_reading(reading)
            self._set_state(state)
        for event in events:
            self._around.emit(event)
        self._around.publish_reading(reading)
        self._notify()

    def _read_traffic(self) -> Traffic:
        meter = self._meter  # another thread drops it when the interface changes
        if meter is None and self.interface:
            meter = self._meter = TrafficMeter(self._around.sysfs_root, self.interface)
        return meter.read(self._clock.monotonic()) if meter else Traffic()

    def _silent(self, error: AtTimeout) -> None:
        """The modem did not answer; told once it has been silent for a while, later while it may be starting."""
        self.last_error = error.message
        now = self._clock.monotonic()
        session = self.session
        if session is None or now < self._patient_until or self._may_be_rebooting():
            return
        silent_s = now - (session.answered_at or now)
        if silent_s > FAILED_AFTER_S:
            self._set_state("failed", error.message)
        elif silent_s > SILENT_AFTER_S:
            self._set_state("not_answering", error.message)

    # --- shared ---

    def _may_be_rebooting(self) -> bool:
        return self._away_since is not None and self._clock.monotonic() - self._away_since < REBOOT_S

    def _port_lost(self) -> float:
        """The port has hung up: the modem was unplugged, or the bus does not show it yet, or it restarts quickly.

        Returns how long to wait before looking again.
        """
        if not self._is_on_bus():
            self.missed()
        elif self.state not in ("starting", "rebooting"):
            self._away_since = self._away_since or self._clock.monotonic()
            self._set_state("rebooting", "its port has hung up")
            return LOOK_AGAIN_S
        return RETRY_S

    def _is_on_bus(self) -> bool:
        return self._look() is not None

    def _look(self) -> Found | None:
        """The modem as the bus shows it now; None also when another one sits at its place."""
        found = look_at(self._around.sysfs_root, self.found.usb_path, self._around.dev_root)
        return None if found is None or is_another(self.found, found) else found

    def _came_back(self, text: str) -> None:
        now = self._clock.monotonic()
        away_s = now - (self._away_since or now)
        self._away_since, self._patient_until, self._identity_tries = None, now + BOOT_PATIENCE_S, 0
        kind = "reboot" if away_s < REBOOT_S else "appeared"
        self._tell(kind, f"{text} after {away_s:.0f} s", {"away_s": round(away_s, 1)})
        if self.period_s is not None:
            self._set_state("starting")

    def _watch_link(self) -> None:
        self._meter = None
        targets = tuple(parse_target(text) for text in self.settings.probe_targets)
        if targets and self._around.probe_period_s:
            self._around.prober.watch(self.found.usb_path, self.interface, targets, self._around.probe_period_s)

    def _set_state(self, state: str, why: str = "") -> None:
        before = self.state
        if state == before:
            self._restage()
            return
        self.reason = why or None
        self.state, self._state_since = state, Moment(self._clock)
        self._restage()
        self._around.emit(self._changes.of_state(self.id, self._clock.now(), before, state, why))
        self._notify()

    def _restage(self) -> None:
        """How far it is now, with the time when that changed."""
        connected = is_connected(self.interface, self.values) if self.state == "online" else None
        stage = stage_of(self.state, is_identified=bool(self.identity), is_connected=connected)
        if stage != self.stage:
            self.stage, self._stage_since = stage, Moment(self._clock)

    def _heard(self, told: dict[str, Any]) -> None:
        """Keep the network's answers for who waits for them, and tell of messages. Called by who reads the port."""
        if "ussd" in told:
            self._keep_heard(told)
        if "message_in" in told:
            self._tell("sms", f"{self.id}: a short message came in", dict(told["message_in"]))
        self._notify()

    def _tell(self, kind: str, text: str, data: dict[str, Any], severity: str = "info") -> None:
        self._around.emit(Event(kind, self.id, self._clock.now(), text, severity, data))

    def _nudge(self) -> None:
        self._nudged.set()
        session = self.session
        if session is not None:
            session.channel.wake()

    def _end_session(self, following: Session | None = None) -> None:
        """Keep the old session's count of commands when the next one begins."""
        with self._counting:
            if self.session is not None:
                self._sent_before += self.session.channel.commands_sent
            self.session = following
