"""Assembles one router from its configuration, starts its parts and stops them."""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Any

from remsim import __version__
from remsim.alerts.desk import Alerts
from remsim.alerts.router_values import router_values
from remsim.alerts.senders import send, send_letter
from remsim.alerts.watch import Sources
from remsim.config.desk import ConfigDesk
from remsim.config.settings import Settings, WrongValue
from remsim.core.bus import Bus, Numbered
from remsim.core.clock import Clock, Moment, SystemClock
from remsim.core.events import Event
from remsim.core.jobs import Job, Jobs
from remsim.core.reading import ModemReading
from remsim.esim.desk import EsimDesk
from remsim.mailed_reports import LOOK_S, MailedReports
from remsim.metric_sources.desk import Metrics
from remsim.modems.boards import board_model, board_named
from remsim.modems.control.desk import ControlDesk
from remsim.modems.control.means import Means
from remsim.modems.control.pending import Pending
from remsim.modems.control.seen import SeenBands
from remsim.modems.gpio import Gpio
from remsim.modems.inhibitions import Inhibitions
from remsim.modems.manager import ModemManager
from remsim.modems.netifd import Netifd
from remsim.modems.sim_owner import sim_owner
from remsim.options import RouterOptions, config_dir_of, effective_settings, make_dirs, overlay
from remsim.outputs.desk import Outputs
from remsim.remotesim.desk import RemoteSim
from remsim.telemetry.annotations import Annotations
from remsim.telemetry.journal import Journal
from remsim.telemetry.recorder import Recorder
from remsim.telemetry.sequence import Sequence
from remsim.telemetry.series import SeriesStore
from remsim.telemetry.usage import Usage
from remsim.telemetry.usage_report import cap_percents
from remsim.traffic import Paths, Traffic

if TYPE_CHECKING:
    from remsim.esim.holder import Holder
    from remsim.metric_sources.gathering import Owners

log = logging.getLogger(__name__)

UNFINISHED = "backfill.unfinished"
"""In the data directory from the beginning of a simulated past to its end."""
ESIM_LOOK_S = 30.0
ROUTING_LOOK_S, LINKS_LOOK_S, TRAFFIC_LOOK_S = 5.0, 10.0, 1.0
UNDO_S, TELL_S = 1.0, 0.3
"""What stopping leaves to changes that nobody has confirmed, to be undone; then to jobs whose ports are gone."""
BACKFILL_EVENT_IDS = 40_000
"""Ids kept for the events of a backfilled week, so that they come before the live ones."""


class Router:
    """One router: its modems, their history, and what happened.

    Made before, started after the web server's fork; ``stop`` writes out what is in memory.
    """

    version = __version__

    def __init__(self, options: RouterOptions, token: str, *, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.settings, self._config_problems = effective_settings(options)
        for problem in self._config_problems:
            log.error("%s", problem.message)
        self.token = token
        self.simulation = options.simulation
        self.simulated = options.simulation is not None
        self.simulator = options.simulation.control if options.simulation else None
        self.config_dir = options.simulation.config_dir if options.simulation else options.config_dir
        self.state_dir = Path(self.settings.service.state_dir)
        self.data_dir = Path(self.settings.service.data_dir)
        self._started = Moment(self.clock)
        self._backfill_s = options.backfill_s if self.simulated else 0.0
        self._stopping = threading.Event()
        self.web_problems: list[dict[str, str | None]] = []
        make_dirs(self.data_dir, self.state_dir)

        history = self.settings.history
        self.bus = Bus()
        self.jobs = Jobs(self.bus, self.clock)
        self.sequence = Sequence(self.state_dir / "sequence")
        self.journal = Journal(
            self.state_dir / "journal.db",
            clock=self.clock,
            sequence=self.sequence,
            days=history.events_days,
            max_mb=history.events_mb,
        )
        backup_dir = self.state_dir / "backup" if self.state_dir != self.data_dir else None
        self._unfinished = self.data_dir / UNFINISHED
        self._clear_unfinished(backup_dir)
        self.series = SeriesStore(self.data_dir, clock=self.clock, emit=self.emit, backup_dir=backup_dir)
        self.usage = Usage(self.state_dir / "usage.db", clock=self.clock)
        self.annotations = Annotations(self.state_dir / "annotations.db", clock=self.clock)
        self.recorder = Recorder(
            self.bus,
            self.series,
            self.usage,
            clock=self.clock,
            emit=self.emit,
            backup_s=history.backup_minutes * 60,
            others=[
                ("reports", LOOK_S, self._look_at_reports),
                ("esim", ESIM_LOOK_S, lambda: self.esim.look()),
                ("routing", ROUTING_LOOK_S, lambda: self.routing.look()),
                ("links", LINKS_LOOK_S, lambda: self.links.look()),
                ("traffic", TRAFFIC_LOOK_S, lambda: self.traffic.look()),
            ],
        )
        simulation = self.simulation
        self.modems = ModemManager(
            settings=self.settings,
            clock=self.clock,
            publish_reading=self.publish_reading,
            emit=self.emit,
            state_dir=self.state_dir,
            sysfs_root=simulation.sysfs_root if simulation else Path("/sys"),
            dev_root=simulation.dev_root if simulation else Path("/dev"),
        )
        self.config = ConfigDesk(
            config_dir_of(options),
            self.state_dir,
            clock=self.clock,
            running=self.settings,
            overlay=lambda settings: overlay(options, settings),
        )
        self.config.subscribe(self._follow)
        self.alerts = Alerts(
            self.state_dir / "alerts.db",
            settings=self.settings,
            bus=self.bus,
            clock=self.clock,
            journal=self.journal,
            emit=self.emit,
            sources=Sources(
                states=self.modems.states,
                router=lambda: router_values(self.state_dir, self.data_dir, self.clock),
                usage=self._used_of_caps,
            ),
            send=send,
            router_name=gethostname(),
        )
        self.config.subscribe(self.alerts.configure)
        self.remote_sim = RemoteSim(
            settings=self.settings,
            state_dir=self.state_dir,
            data_dir=self.data_dir,
            clock=self.clock,
            emit=self.emit,
            modem_at=self.modems.at_place,
            config_dir=self.config_dir,
            programs=simulation.programs if simulation else None,
        )
        self.config.subscribe(self.remote_sim.configure)
        self.outputs = Outputs(
            self.data_dir / "outputs",
            settings=self.settings,
            snapshot=lambda: self.metrics.snapshot(),
            clock=self.clock,
            emit=self.emit,
        )
        self.config.subscribe(self.outputs.configure)
        self.metrics = Metrics(self._owners, settings=self.settings, bus=self.bus)
        self.config.subscribe(self.metrics.configure)
        self.reports = MailedReports(
            self.state_dir / "reports.json",
            usage=self.usage,
            settings=lambda: self.config.settings,
            clock=self.clock,
            emit=self.emit,
            send=send_letter,
            router_name=gethostname(),
        )
        self._means = self._make_means(simulation.sysfs_root if simulation else Path("/sys"))
        self.control = ControlDesk(self.modems, self.jobs, self._means, emit=self.emit, state_dir=self.state_dir)
        self.esim = EsimDesk(
            settings=self.settings,
            state_dir=self.state_dir,
            data_dir=self.data_dir,
            clock=self.clock,
            emit=self.emit,
            jobs=self.jobs,
            bus=self.bus,
            usage=self.usage,
            modems=lambda: [(one.id, one.title) for one in self.modems.present()],
            readings=lambda: {one.id: one.reading for one in self.modems.present() if one.reading is not None},
            holders=self._euicc_holders,
            sim_of=self.modems.sim_of,
            config=self.config,
            simulated=simulation.esim if simulation else None,
        )
        self.config.subscribe(self.esim.configure)
        paths = Paths(config_dir_of(options), self.state_dir, self.data_dir)
        plane = simulation.plane if simulation else None
        self.traffic = Traffic(paths, self, netifd=self._means.netifd, clock=self.clock, emit=self.emit, plane=plane)
        self._config_problems += self.traffic.problems
        self.routing, self.links, self.policies = self.traffic.config, self.traffic.links, self.traffic.policies

    @property
    def started_at(self) -> float:
        """When the service started, seconds since the epoch."""
        return self._started.wall

    def publish_reading(self, reading: ModemReading) -> None:
        """Number a reading and hand it to everybody who listens."""
        serves = self.remote_sim.serves(reading.modem)
        if serves is not None:
            reading = replace(reading, bankd_link_percent=100.0 if serves else 0.0)
        self.bus.publish(Numbered(self.sequence.next(), reading))

    def emit(self, event: Event) -> None:
        """Write an event to the journal, which numbers it, then tell everybody."""
        self.bus.publish(self.journal.append(event))

    def start(self) -> None:
        """Start polling and recording. Threads begin here, so call it after any fork."""
        words = "started in simulation" if self.simulated else "started"
        self.emit(Event("service_start", "remsim", self.clock.now(), f"remsim {self.version} {words}"))
        for problem in self._config_problems:
            self.emit(Event("error", "remsim", self.clock.now(), problem.message, "error"))
        backfill = self._backfill_s > 0 and not self.series.has_history()
        if backfill:
            self.series.hold_live()
            with contextlib.suppress(OSError):
                self._unfinished.touch()
        self.config.keep_what_is_there()
        self.recorder.start()
        self.alerts.start()
        self.modems.start()
        self.remote_sim.start()
        self.outputs.start()
        self.esim.start()
        self.traffic.start()
        if backfill:
            ids = iter(self.sequence.reserve(BACKFILL_EVENT_IDS))
            self.jobs.start("backfill", lambda job: self._backfill(job, ids))

    def stop(self) -> None:
        """Stop polling, write out what is in memory, close the files."""
        self._stopping.set()
        self.traffic.stop()
        self.esim.let_load_end()
        self.jobs.stop(UNDO_S)
        self.alerts.stop()
        self.outputs.stop()
        self.remote_sim.stop()
        self.modems.stop()
        self.jobs.stop(TELL_S)
        self.esim.stop()
        self._means.close()
        self.recorder.stop()
        self.emit(Event("service_stop", "remsim", self.clock.now(), "remsim stopped"))
        self.usage.close()
        self.annotations.close()
        self.series.close()
        self.journal.close()

    def problems(self) -> list[dict[str, str | None]]:
        """What an admin should see and mend, most urgent first."""
        found: list[dict[str, str | None]] = []
        for problem in self._config_problems:
            instead = "its default is in force" if isinstance(problem, WrongValue) else "running on defaults"
            found.append(
                {
                    "code": problem.code,
                    "message": f"{problem.message}; {instead}",
                    "hint": "correct the file and restart remsim",
                }
            )
        for name, text in self._stores().items():
            if text:
                found.append({"code": f"{name}_storage", "message": text, "hint": "free space or check the disk"})
        return [*found, *self.web_problems]

    def _owners(self) -> Owners:
        """Whom metrics are asked of."""
        from remsim.metric_sources.gathering import Owners

        return Owners(
            version=self.version,
            clock=self.clock,
            started_at=lambda: self.started_at,
            modems=self.modems.views,
            remote_sim=self.remote_sim.view,
            esim=self.esim.counts,
            links=self.links.view,
            policies=self.policies.counts,
            alerts=self.alerts.counts,
            outputs=self.outputs,
            usage=self.usage,
            stores=self._stores,
            write_errors=lambda: self.series.write_errors,
            problems=lambda: len(self.problems()),
            storages={"data": self.data_dir, "state": self.state_dir},
        )

    def _stores(self) -> dict[str, str | None]:
        """What keeps each store from being written, in a sentence."""
        return {
            "series": self.series.problem,
            "journal": self.journal.problem,
            "usage": self.usage.problem,
            "annotations": self.annotations.problem,
            "alerts": self.alerts.problem,
        }

    def check_restart(self) -> None:
        """Whether the settings would let the service start again; ``StorageError`` or ``ConfigError`` says why not."""
        self.esim.check_restart()
        settings = self.config.reread()
        make_dirs(Path(settings.service.data_dir), Path(settings.service.state_dir))

    def _follow(self, settings: Settings) -> None:
        """Put in force what can be without a restart."""
        service = replace(self.settings.service, period_s=settings.service.period_s)
        self.settings = replace(self.settings, service=service, quality=settings.quality)
        self.modems.follow(settings)

    def _look_at_reports(self) -> None:
        self.reports.look()

    def _used_of_caps(self) -> dict[str, dict[str, float]]:
        """What the SIM in each modem has used of its cap, as rules see it."""
        percents = cap_percents(self.usage, self.config.settings.sims, self.clock.now())
        sims = {str(view["id"]): view["sim"] for view in self.modems.views()} if percents else {}
        return {modem: {"cap_percent": percents[sim]} for modem, sim in sims.items() if sim in percents}

    def _euicc_holders(self) -> list[Holder]:
        """What may hold an eUICC: each modem that is there. Loads what asks cards."""
        from remsim.modems.card.holder import EuiccHolder

        return [EuiccHolder(modem, self._means) for modem in self.modems.present()]

    def _make_means(self, sysfs_root: Path) -> Means:
        """What actions may use of this machine; a simulated router has nothing of its host's."""
        board = None if self.simulated else board_named(board_model())
        return Means(
            clock=self.clock,
            sysfs_root=sysfs_root,
            config_dir=self.config_dir,
            gpio=Gpio(sysfs_root, self.clock),
            netifd=Netifd(is_used=not self.simulated),
            inhibitions=Inhibitions(),
            seen_bands=SeenBands(self.state_dir),
            pending=Pending(self.state_dir),
            board=board,
            sim_owner=sim_owner(self.config_dir, board),
        )

    def _clear_unfinished(self, backup_dir: Path | None) -> None:
        """Take away a simulated past that was interrupted; nothing else is in its files. It is written anew."""
        if not self._unfinished.exists():
            return
        with contextlib.suppress(OSError):
            if self._backfill_s > 0:
                for directory in (self.data_dir, backup_dir):
                    for file in directory.glob("*/*.rrd*") if directory else ():
                        file.unlink(missing_ok=True)
            self._unfinished.unlink()

    def _backfill(self, job: Job, ids: Iterable[int]) -> dict[str, int]:
        """Write a simulated past through the same recorders, while live readings wait in memory."""
        simulation = self.simulation
        assert simulation is not None
        try:
            job.report(0.0, "waiting for the modems")
            views = self._wait_for_modems(simulation.count)
            modem_ids = {str(view["usb_path"]): str(view["id"]) for view in views}
            sims = {str(view["usb_path"]): view["sim"] for view in views}
            end = self.clock.now() - 60
            start = end - self._backfill_s
            counts = {"readings": 0, "events": 0}
            past = simulation.history(start, end, modem_ids, sims)
            self.series.record_history(self._history(job, past, start, end, iter(ids), counts))
            if not self._stopping.is_set():
                with contextlib.suppress(OSError):
                    self._unfinished.unlink()
            return counts
        finally:
            self.series.release_live()

    def _history(
        self,
        job: Job,
        past: Iterable[ModemReading | Event],
        start: float,
        end: float,
        ids: Iterable[int],
        counts: dict[str, int],
    ) -> Iterable[ModemReading]:
        """The simulated past's readings; its events go to the journal on the way."""
        events: list[Event] = []
        numbers = iter(ids)
        told = start
        for message in past:
            if self._stopping.is_set():
                return
            if isinstance(message, Event):
                events.extend(message.with_id(number) for number in itertools.islice(numbers, 1))
                continue
            counts["readings"] += 1
            self.usage.record_past(message, 60.0)
            yield message
            if message.at - told > (end - start) / 50:
                told = message.at
                job.report((message.at - start) / (end - start), "writing a simulated history")
        self.usage.keep_past()
        counts["events"] = self.journal.append_history(events)

    def _wait_for_modems(self, count: int, timeout_s: float = 15.0) -> list[dict[str, Any]]:
        """The virtual modems, once all have been found and know their SIMs (or will not)."""
        deadline = self.clock.monotonic() + timeout_s
        while True:
            views = self.modems.views()
            known = sum(view["sim"] is not None for view in views)
            if known >= count or self._stopping.is_set() or self.clock.monotonic() > deadline:
                return views
            self._stopping.wait(0.2)
