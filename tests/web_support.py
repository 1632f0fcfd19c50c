"""A small router for tests of the web layer: real storage, bus and sequence; modems that only have views."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from remsim.alerts.desk import Alerts
from remsim.alerts.notice import Notice
from remsim.alerts.watch import Sources
from remsim.config.desk import ConfigDesk
from remsim.config.routing_file import RoutingDesk, load_routing
from remsim.config.settings import Settings, WebSettings
from remsim.core.bus import Bus, Numbered
from remsim.core.clock import Clock, FakeClock, iso_utc
from remsim.core.errors import Conflict, InvalidInput, NotFound
from remsim.core.events import Event
from remsim.core.jobs import Jobs
from remsim.core.reading import ModemReading
from remsim.esim.desk import EsimDesk
from remsim.link_sources import EsimProfiles
from remsim.links.desk import LinksDesk
from remsim.links.facts import Around
from remsim.metric_sources.desk import Metrics
from remsim.metric_sources.gathering import Owners
from remsim.options import Simulation
from remsim.outputs.desk import Outputs
from remsim.policies.desk import PolicyDesk
from remsim.policies.facts import Facts
from remsim.remotesim.desk import RemoteSim
from remsim.telemetry.annotations import Annotations
from remsim.telemetry.journal import Journal
from remsim.telemetry.sequence import Sequence
from remsim.telemetry.series import SeriesStore
from remsim.telemetry.usage import Usage
from remsim.web.app import create_app

TOKEN = "t" * 43
BEARER = {"Authorization": f"Bearer {TOKEN}"}
START = 1_767_225_600.0
NOTHING_AROUND = Around(lambda place: None, lambda interface: None, tuple)


class Modems:
    """Two modems without ports."""

    def __init__(self) -> None:
        self.periods: dict[str, float | None] = {"modem1": 1.0, "modem2": 1.0}
        self.readings: dict[str, ModemReading] = {}

    def views(self, *, identifiers: bool = False) -> list[dict[str, Any]]:
        return [self.view(name) for name in self.periods]

    def view(self, modem_id: str, *, identifiers: bool = False) -> dict[str, Any]:
        if modem_id not in self.periods:
            raise NotFound(f"there is no modem {modem_id[:40]!r}", field="modem")
        reading = self.readings.get(modem_id)
        return {
            "id": modem_id,
            "name": modem_id,
            "vendor": "quectel",
            "model": "RM520N-GL",
            "firmware": None,
            "usb_path": f"1-1.{modem_id[-1]}",
            "interface": None,
            "state": "online",
            "state_since": iso_utc(START),
            "sim": None,
            "period_s": self.periods[modem_id],
            "effective_period_s": self.periods[modem_id],
            "at_commands_total": 0,
            "reading": None if reading is None else reading.as_dict(),
        }

    def set_period(self, modem_id: str, period_s: float | None) -> None:
        self.periods[modem_id] = period_s

    def forget(self, modem_id: str) -> None:
        self.view(modem_id)
        raise Conflict(f"{modem_id} is plugged in", field="modem")

    def detection(self) -> dict[str, Any]:
        return {"devices": [], "text": ""}


class Faults:
    """A simulator's control that remembers."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str, float | None]] = []

    def fault(self, usb_path: str, fault: str, *, seconds: float | None = None, step: str | None = None) -> None:
        if fault == "unheard":
            raise InvalidInput("there is no such fault", field="fault")
        self.done.append((usb_path, fault if step is None else f"{fault} {step}", seconds))

    def modems(self) -> list[dict[str, Any]]:
        return [{"usb_path": "1-1.1", "model": "RM520N-GL", "proven": "capture"}]

    def deliver_sms(self, usb_path: str, pdu: str) -> int:
        self.done.append((usb_path, pdu, None))
        return 7


class Desk:
    """A control desk for modems that cannot do anything."""

    def __init__(self, modems: Modems) -> None:
        self._modems = modems

    def actions(self, modem_id: str) -> list[dict[str, Any]]:
        self._modems.view(modem_id)
        return []

    def forget_desired(self, modem_id: str) -> None:
        self._modems.view(modem_id)

    def look(self, modem_id: str, read: Any) -> Any:
        self._refuse(modem_id)

    def form(self, modem_id: str, name: str) -> Any:
        self._refuse(modem_id)

    def run(self, modem_id: str, name: str, content: Any, *, actor: str) -> Any:
        self._refuse(modem_id)

    def start(self, modem_id: str, name: str, content: Any, *, actor: str, key: str | None = None) -> Any:
        self._refuse(modem_id)

    def _refuse(self, modem_id: str) -> None:
        self._modems.view(modem_id)
        raise Conflict("this modem cannot", code="not_offered")


class SmallRouter:
    """What the web layer uses of a router."""

    version = "test"
    simulated = True
    simulation: Simulation | None = None

    def __init__(self, directory: Path, *, clock: Clock | None = None, web: WebSettings | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.clock: Clock = clock or FakeClock(START)
        self.token = TOKEN
        self.settings = Settings(web=web or WebSettings())
        self.state_dir = self.data_dir = self.config_dir = directory
        self.started_at = self.clock.now()
        self.bus = Bus()
        self.jobs = Jobs(self.bus, self.clock)
        self.sequence = Sequence(directory / "sequence")
        self.journal = Journal(directory / "journal.db", clock=self.clock, sequence=self.sequence)
        self.series = SeriesStore(directory / "series", clock=self.clock, emit=self.emit)
        self.usage = Usage(directory / "usage.db", clock=self.clock)
        self.annotations = Annotations(directory / "annotations.db", clock=self.clock)
        self.modems = Modems()
        self.control = Desk(self.modems)
        self.config = ConfigDesk(directory, directory, clock=self.clock, running=self.settings)
        self.sent: list[tuple[str, Notice]] = []
        self.alerts = Alerts(
            directory / "alerts.db",
            settings=self.settings,
            bus=self.bus,
            clock=self.clock,
            journal=self.journal,
            emit=self.emit,
            sources=Sources(states=dict, router=dict, usage=dict),
            send=lambda channel, notice: self.sent.append((channel.name, notice)),
            router_name="router",
        )
        self.config.subscribe(self.alerts.configure)
        self.remote_sim = RemoteSim(
            settings=self.settings, state_dir=directory, data_dir=directory, clock=self.clock, emit=self.emit
        )
        self.esim = EsimDesk(
            settings=self.settings,
            state_dir=directory,
            data_dir=directory,
            clock=self.clock,
            emit=self.emit,
            jobs=self.jobs,
            bus=self.bus,
            usage=self.usage,
            modems=lambda: [(name, name) for name in self.modems.periods],
            readings=lambda: self.modems.readings,
            holders=list,
            sim_of=lambda iccid: iccid,
            config=self.config,
        )
        self.config.subscribe(self.esim.configure)
        routing = load_routing(directory)[0]
        self.routing = RoutingDesk(directory, directory, clock=self.clock, running=routing)
        self.links = LinksDesk(
            routing=routing,
            state_dir=directory,
            clock=self.clock,
            emit=self.emit,
            around=lambda: NOTHING_AROUND,
            usage=self.usage,
            plans=lambda: self.config.settings.sims,
            profiles=lambda: EsimProfiles(self.esim),
        )
        self.routing.subscribe(self.links.configure)
        self.policies = PolicyDesk(
            state_dir=directory,
            data_dir=directory,
            clock=self.clock,
            emit=self.emit,
            routing=routing,
            facts=lambda: Facts(links=self.links.link_views(), now=self.clock.now()),
            traffic=lambda: None,
        )
        self.routing.subscribe(self.policies.configure)
        self.outputs = Outputs(
            directory / "outputs", settings=self.settings, snapshot=tuple, clock=self.clock, emit=self.emit
        )
        self.config.subscribe(self.outputs.configure)
        owners = Owners(
            version=self.version,
            clock=self.clock,
            started_at=lambda: self.started_at,
            modems=lambda: self.modems.views(),
            remote_sim=lambda: self.remote_sim.view(),
            alerts=self.alerts.counts,
            outputs=self.outputs,
            usage=self.usage,
            stores=lambda: {"series": self.series.problem},
            write_errors=lambda: self.series.write_errors,
            problems=lambda: len(self.problems()),
            storages={"data": directory},
        )
        self.metrics = Metrics(lambda: owners, settings=self.settings, bus=self.bus)
        self.config.subscribe(self.metrics.configure)
        self.simulator: Faults | None = Faults()
        self.stopped = False

    def publish(self, modem: str = "modem1", **values: Any) -> int:
        """Publish and record a reading; its id."""
        reading = ModemReading(modem, self.clock.now(), **values)
        self.modems.readings[modem] = reading
        self.series.record(reading)
        number = self.sequence.next()
        self.bus.publish(Numbered(number, reading))
        return number

    def emit(self, event: Event) -> None:
        self.bus.publish(self.journal.append(event))

    def tell(self, message: str = "something", source: str = "modem1", kind: str = "connect") -> None:
        self.emit(Event(kind, source, self.clock.now(), message))

    def problems(self) -> list[dict[str, str | None]]:
        return []

    def check_restart(self) -> None:
        """It would start again."""

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        self.stopped = True
        self.alerts.stop()
        self.remote_sim.stop()
        self.esim.stop()
        self.links.stop()
        self.policies.stop()
        self.usage.close()
        self.annotations.close()
        self.series.close()
        self.journal.close()


def small_app(directory: Path, **options: Any) -> tuple[SmallRouter, Flask]:
    """A small router, its application, and some pages to serve."""
    router = SmallRouter(directory, **options)
    static = directory / "htdocs"
    (static / "remsim").mkdir(parents=True, exist_ok=True)
    (static / "remsim" / "big.js").write_text("// a line\n" * 500)
    return router, create_app(router, static_dir=static)  # type: ignore[arg-type]  # what of a router it needs


def client_of(app: Flask, *, token: bool = True) -> FlaskClient:
    """A client that sends the token."""
    client = app.test_client()
    if token:
        client.environ_base["HTTP_AUTHORIZATION"] = BEARER["Authorization"]
    return client


def wait_until(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Wait for something other threads do."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        threading.Event().wait(0.005)
