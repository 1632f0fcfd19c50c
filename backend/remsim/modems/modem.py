"""One modem: found, opened, identified, polled; its state in one word, and what happens to it as events."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remsim.config.settings import ModemSettings
from remsim.core.clock import Clock, iso_utc
from remsim.core.errors import AtFormatError, AtTimeout, ModemError, ModemGone, PortBusy
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.modems.changes import PROBLEMS, reading_events, state_event
from remsim.modems.channel import Channel
from remsim.modems.detect import Found
from remsim.modems.drivers import driver_for
from remsim.modems.plan import PollingPlan
from remsim.modems.probe import Prober, parse_target
from remsim.modems.registry import Identities, Registry, mask
from remsim.modems.traffic import Traffic, TrafficMeter

log = logging.getLogger(__name__)

REBOOT_S = 90.0
SILENT_AFTER_S = 8.0
RETRY_S = 2.0
BUSY_RETRY_S = 10.0
QUERY_TIMEOUT_S = 3.0
SLOW_ANSWERS = {"AT+COPS?": 10.0}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every modem of a router shares."""

    clock: Clock
    publish_reading: Callable[[ModemReading], None]
    emit: Callable[[Event], None]
    registry: Registry
    identities: Identities
    prober: Prober
    sysfs_root: Path
    probe_period_s: float | None


class Modem:
    """One modem and the thread that owns its AT port."""

    def __init__(self, found: Found, settings: ModemSettings, around: Surroundings) -> None:
        self.id = around.registry.id_at(found.usb_path)
        self.found = found
        self.settings = settings
        self.present = True
        self._around = around
        self._clock = around.clock
        self._period_s = settings.period_s
        self._state = "starting"
        self._state_since = around.clock.now()
        self._online_since: float | None = None
        self._vanished_at: float | None = None
        self._identity: dict[str, str | None] = {}
        self._values: dict[str, Any] = {}
        self._reading: ModemReading | None = None
        self._last_error: str | None = None
        self._driver = driver_for(found.row.vendor, found.row.module, found.row.platform)
        self._plan = PollingPlan(self._driver, self._period_s)
        self._channel: Channel | None = None
        self._sent_before = 0
        self._exchanges: int | None = None
        self._answered_at = self._clock.monotonic()
        self._sim_changed = False
        self._meter: TrafficMeter | None = None
        self._changed = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"modem-{found.usb_path}", daemon=True)

    # --- from the manager's thread and the web ---

    def start(self) -> None:
        """Begin."""
        self._watch_link()
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; ``join`` waits for it."""
        self._stopping = True
        self._nudge()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread's end."""
        self._thread.join(timeout_s)

    def seen(self, found: Found) -> None:
        """The modem is on the bus, perhaps with other port names than before."""
        came_back = not self.present
        changed = found != self.found
        self.found, self.present = found, True
        if came_back:
            away_s = self._clock.monotonic() - (self._vanished_at or 0)
            kind = "reboot" if away_s < REBOOT_S else "appeared"
            text = f"{self.id}: back after {away_s:.0f} s"
            self._emit(Event(kind, self.id, self._clock.now(), text, "info", {"away_s": round(away_s, 1)}))
            self._set_state("starting")
        if came_back or changed:
            self._watch_link()
            self._nudge()

    def missed(self) -> None:
        """The modem is not on the bus."""
        now = self._clock.monotonic()
        if self.present:
            self.present = False
            self._vanished_at = now
            text = f"{self.id}: vanished from USB {self.found.usb_path}"
            self._emit(Event("vanished", self.id, self._clock.now(), text, "warning", {"from": self._state, "to": None}))
            self._set_state("rebooting")
            self._around.prober.unwatch(self.found.usb_path)
            self._nudge()
        elif self._state == "rebooting" and self._vanished_at is not None and now - self._vanished_at > REBOOT_S:
            self._set_state("gone")

    def set_period(self, period_s: float | None) -> None:
        """The user's polling period; None sends nothing any more."""
        self._period_s = period_s
        self._plan.set_period(period_s)
        self._nudge()

    @property
    def commands_sent(self) -> int:
        """AT commands sent to this modem since the service started."""
        channel = self._channel
        return self._sent_before + (channel.commands_sent if channel else 0)

    def view(self, *, identifiers: bool, details: bool) -> dict[str, Any]:
        """The modem's object of the API."""
        reading, row = self._reading, self.found.row
        shown = (lambda text: text) if identifiers else mask
        view: dict[str, Any] = {
            "id": self.id,
            "name": self.settings.name or self.id,
            "vendor": row.vendor,
            "model": self._identity.get("model") or row.module,
            "firmware": self._identity.get("revision"),
            "platform": row.platform,
            "usb_path": self.found.usb_path,
            "usb_id": self.found.usb_id,
            "port": self.found.at_ports[0] if self.present and self.found.at_ports else None,
            "interface": self._interface,
            "state": self._state,
            "state_since": iso_utc(self._state_since),
            "online_since": None if self._online_since is None else iso_utc(self._online_since),
            "problem": self._problem(),
            **{name: shown(self._identity.get(name)) for name in ("imei", "imsi", "iccid", "eid")},
            "sim": self._around.identities.sim(self._identity.get("iccid")),
            "period_s": self._period_s,
            "effective_period_s": self._plan.effective_s,
            "at_commands_total": self.commands_sent,
            "at_round_exchanges": self._exchanges,
            "reading": None if reading is None else reading.as_dict(),
        }
        if details:
            values = self._values
            view |= {
                "carriers": self._driver.carriers(values),
                "neighbours": self._driver.neighbours(values),
                "sensors_c": values.get("sensors_c"),
                "last_error": self._last_error,
            }
        return view

    # --- the modem's own thread ---

    def _run(self) -> None:
        while not self._stopping:
            wait_s: float | None = RETRY_S
            try:
                if self.present and self.found.at_ports:
                    self._session()
                elif self.found.row.is_boot_mode:
                    wait_s = None
                else:
                    wait_s = None
            except PortBusy as error:
                self._last_error = error.message
                self._set_state("port_busy", error.message)
                wait_s = BUSY_RETRY_S
            except ModemError as error:
                self._last_error = error.message
            except Exception as error:  # one modem's trouble must not end its thread: it is told and tried again
                log.exception("%s: unexpected error", self.id)
                self._last_error = f"unexpected error: {error}"
                wait_s = BUSY_RETRY_S
            finally:
                self._close()
            if not self._stopping:
                self._changed.wait(wait_s)
                self._changed.clear()

    def _session(self) -> None:
        """From opening the port to its end."""
        channel = Channel(self.found.at_ports[0], clock=self._clock, on_urc=self._on_urc)
        self._channel = channel
        if self._period_s is None:
            self._pause(channel)
        channel.open()
        self._answered_at = self._clock.monotonic()
        self._shake_hands(channel)
        for command in self._driver.setup_commands:
            self._ask_quietly(channel, command)
        self._identify(channel)
        self._plan = PollingPlan(self._driver, self._period_s)
        next_at = self._clock.monotonic()
        while self._goes_on(channel):
            if self._period_s is None:
                self._pause(channel)
                next_at = self._clock.monotonic()
                continue
            now = self._clock.monotonic()
            if now < next_at:
                channel.wait_urcs(next_at - now)
                continue
            self._round(channel, now)
            period_s = self._plan.effective_s or RETRY_S
            next_at = max(next_at + period_s, self._clock.monotonic() + period_s * 0.1)

    def _goes_on(self, channel: Channel) -> bool:
        return not self._stopping and self.present and channel.path in self.found.at_ports[:1]

    def _pause(self, channel: Channel) -> None:
        """Send nothing until the user wants polling again or the modem goes."""
        self._set_state("paused")
        while self._period_s is None and not self._stopping and self.present:
            if channel.is_open:
                channel.wait_urcs(30.0)
            else:
                self._changed.wait(30.0)
                self._changed.clear()
        if not self._stopping and self.present:
            self._set_state("starting")

    def _shake_hands(self, channel: Channel) -> None:
        """Wait until the parser works: ttys come back before it does."""
        while self._goes_on(channel):
            try:
                if channel.query("AT", timeout_s=1.0).ok:
                    self._answered_at = self._clock.monotonic()
                    return
            except AtTimeout as error:
                self._silent(error)
            channel.wait_urcs(0.3)
        raise ModemGone(channel.path)

    def _identify(self, channel: Channel) -> None:
        """Who it is; with its IMEI known, its old id."""
        found: dict[str, Any] = {}
        for command in self._driver.identity_commands:
            found |= self._ask_quietly(channel, command)
        model = str(found.get("model") or self.found.row.module)
        if found.get("model") and model != self._driver.module:
            self._driver = driver_for(self.found.row.vendor, model, self.found.row.platform)
        names = ("manufacturer", "model", "revision", "imei", "eid")
        self._identity = {name: found.get(name) for name in names if found.get(name)}
        if self._identity.get("imei"):
            self.id = self._around.registry.identified(self.id, str(self._identity["imei"]), self.found.usb_path)
        self._identify_sim(channel)

    def _identify_sim(self, channel: Channel) -> None:
        self._sim_changed = False
        found: dict[str, Any] = {}
        for command in self._driver.sim_identity_commands:
            found |= self._ask_quietly(channel, command)
        for name in ("imsi", "iccid"):
            self._identity[name] = found.get(name)

    def _ask_quietly(self, channel: Channel, command: str) -> dict[str, Any]:
        """One question whose failure is no news: not every modem knows every command."""
        try:
            return self._driver.decode(command, channel.query(command, timeout_s=QUERY_TIMEOUT_S).text)
        except (AtTimeout, AtFormatError) as error:
            log.debug("%s: %s", self.id, error)
            return {}

    def _round(self, channel: Channel, now: float) -> None:
        """Ask this round's commands and publish what they say."""
        begun = channel.commands_sent
        if self._sim_changed:
            self._identify_sim(channel)
            begun = channel.commands_sent  # a change of SIM is no steady round
        failed = False
        for command in self._plan.commands(now):
            try:
                reply = channel.query(command, timeout_s=SLOW_ANSWERS.get(command, QUERY_TIMEOUT_S))
                self._answered_at = self._clock.monotonic()
                self._plan.learned(command, self._driver.decode(command, reply.text))
            except AtFormatError as error:
                self._plan.learned(command, None)
                self._last_error = error.message
            except AtTimeout as error:
                failed = True
                self._silent(error)
                break
        self._exchanges = channel.commands_sent - begun
        self._plan.finished(self._clock.monotonic() - now, failed=failed)
        if not failed:
            self._publish()

    def _publish(self) -> None:
        values = self._plan.merged()
        fields = self._driver.reading_fields(values)
        before, sim_before = self._reading, (self._reading.sim_state if self._reading else None)
        if fields["sim_state"] == "READY" and (sim_before not in (None, "READY") or not self._identity.get("iccid")):
            self._sim_changed = sim_before != "READY" or self._sim_changed
        state = fields.pop("state", None) or self._state
        if self._meter is None and self._interface:
            self._meter = TrafficMeter(self._around.sysfs_root, self._interface)
        traffic = self._meter.read(self._clock.monotonic()) if self._meter else Traffic()
        quality = self._around.prober.quality(self.found.usb_path)
        has_sim = fields["sim_state"] not in ("NOT_INSERTED", "EMPTY_EUICC")
        reading = ModemReading(
            modem=self.id,
            at=self._clock.now(),
            state=state,
            sim=self._around.identities.sim(self._identity.get("iccid")) if has_sim else None,
            interface=self._interface,
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
        self._values, self._reading = values, reading
        if state != self._state:
            self._set_state(state)
        for event in reading_events(before, reading):
            self._emit(event)
        self._around.publish_reading(reading)

    def _silent(self, error: AtTimeout) -> None:
        """The modem did not answer; told once it has been silent for a while."""
        self._last_error = error.message
        silent_s = self._clock.monotonic() - self._answered_at
        if silent_s > SILENT_AFTER_S and self._state not in ("not_answering", "rebooting", "gone"):
            self._set_state("not_answering", error.message)

    def _on_urc(self, line: str) -> None:
        told = self._driver.handle_urc(line)
        if told.get("registration_changed"):
            self._plan.hasten("REG?")
        if told.get("sim_changed"):
            self._sim_changed = True
            self._plan.hasten("CPIN", "SLOT", "UIMS", "DUALSIM")

    # --- shared ---

    @property
    def _interface(self) -> str | None:
        return self.settings.interface or self.found.interface

    def _watch_link(self) -> None:
        self._meter = None
        targets = tuple(parse_target(text) for text in self.settings.probe_targets)
        if targets and self._around.probe_period_s:
            self._around.prober.watch(self.found.usb_path, self._interface, targets, self._around.probe_period_s)

    def _problem(self) -> str | None:
        problem = PROBLEMS.get(self._state)
        if self._state == "port_busy" and self._last_error:
            return f"{self._last_error}. Stop that program or let it release the port."
        if self.found.row.is_boot_mode:
            return "The modem is in its boot loader. Unplug it and plug it in again; if it stays so, reload its firmware."
        if problem is None and self.present and not self.found.at_ports:
            return "The modem has no AT port. Install the serial driver (kmod-usb-serial-option) or change its USB mode."
        return problem

    def _set_state(self, state: str, why: str = "") -> None:
        before = self._state
        if state == before:
            return
        self._state, self._state_since = state, self._clock.now()
        self._online_since = self._state_since if state == "online" else None
        self._emit(state_event(self.id, self._state_since, before, state, self._reading, why))

    def _emit(self, event: Event) -> None:
        self._around.emit(event)

    def _nudge(self) -> None:
        self._changed.set()
        channel = self._channel
        if channel is not None:
            channel.wake()

    def _close(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            self._sent_before += channel.commands_sent
            channel.dispose()
