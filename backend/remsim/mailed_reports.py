"""A SIM's usage report by e-mail, once a billing cycle, when it is over.

What was sent last is kept, so a restart sends nothing twice; what could not be sent is tried again until the next cycle
is over. A report that is switched on begins with the cycle that runs then.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from remsim.config.channels import ChannelSettings
from remsim.config.settings import Settings
from remsim.config.sims import SimSettings
from remsim.core.clock import FIRST_TRUSTED, Clock
from remsim.core.errors import RemsimError
from remsim.core.events import Event
from remsim.core.files import read_table, write_atomically
from remsim.telemetry.usage import Usage
from remsim.telemetry.usage_report import DAY, Cycle, cycle_of, day_at, sim_report
from remsim.telemetry.usage_text import csv_of_reports, report_text

log = logging.getLogger(__name__)

LOOK_S = 600.0
"""How often somebody should look whether one is due."""


class SendLetter(Protocol):
    """Sends a mail with files by a channel, or raises ``RemsimError`` with the reason."""

    def __call__(
        self, channel: ChannelSettings, subject: str, text: str, at: float, files: Mapping[str, str], /
    ) -> None: ...


class MailedReports:
    """Looks what is due and sends it in a thread of its own."""

    def __init__(
        self,
        path: Path,
        *,
        usage: Usage,
        settings: Callable[[], Settings],
        clock: Clock,
        emit: Callable[[Event], None],
        send: SendLetter,
        router_name: str,
    ) -> None:
        self._path = path
        self._usage = usage
        self._settings = settings
        self._clock = clock
        self._emit = emit
        self._send = send
        self._router_name = router_name
        self._thread: threading.Thread | None = None
        self._told: set[tuple[str, str]] = set()

    def look(self) -> None:
        """Begin to send what is due. Quick, so any thread may call it."""
        if self._clock.now() < FIRST_TRUSTED or (self._thread is not None and self._thread.is_alive()):
            return
        if not any(plan.report_channel for plan in self._settings().sims):
            return
        due = self.due()
        if due:
            self._thread = threading.Thread(target=self.send_all, args=(due,), name="reports", daemon=True)
            self._thread.start()

    def due(self) -> list[tuple[SimSettings, Cycle]]:
        """The cycles that are over and whose report was not sent."""
        sent, found = self._sent(), []
        today = day_at(self._clock.now())
        for plan in self._settings().sims:
            if plan.report_channel is None:
                continue
            over = cycle_of(cycle_of(today, plan.billing_day).first - DAY, plan.billing_day)
            last = sent.get(plan.sim, {}).get("month")
            if last is None:
                self._keep(plan.sim, over.month)
            elif over.month > str(last):
                found.append((plan, over))
        return found

    def send_all(self, due: list[tuple[SimSettings, Cycle]]) -> None:
        """Send reports; what fails is told once and stays due."""
        for plan, cycle in due:
            try:
                self._send_one(plan, cycle)
                self._keep(plan.sim, cycle.month)
            except (RemsimError, OSError) as error:
                text = f"the usage report of {plan.name or plan.sim} could not be sent: {error}; it is tried again"
                if (plan.sim, cycle.month) not in self._told:
                    self._told.add((plan.sim, cycle.month))
                    self._emit(Event("error", "remsim", self._clock.now(), text, "warning"))
            except Exception:  # a mistake in one report must not keep the others back
                log.exception("the usage report of %s could not be made", plan.sim)

    def _send_one(self, plan: SimSettings, cycle: Cycle) -> None:
        """The report of a cycle, with its rows as a file."""
        now = self._clock.now()
        report = sim_report(self._usage, plan.sim, plan, cycle, now)
        subject = f"[{self._router_name}] Data used by {plan.name or plan.sim}, {report['from']} to {report['to']}"
        rows = "".join(csv_of_reports(self._usage, [report]))
        files = {f"remsim-usage-{plan.sim}-{cycle.month}.csv": rows}
        self._send(self._channel(plan), subject, report_text(report, self._router_name), now, files)

    def _channel(self, plan: SimSettings) -> ChannelSettings:
        channel = next((one for one in self._settings().channels if one.name == plan.report_channel), None)
        if channel is None or channel.type != "smtp" or not channel.enabled:
            raise RemsimError(f"{plan.report_channel} is no e-mail channel that is in use")
        return channel

    def _sent(self) -> dict[str, dict[str, Any]]:
        try:
            return read_table(self._path)
        except (OSError, ValueError) as error:
            log.warning("%s cannot be used: %s; reports begin with this cycle", self._path, error)
            return {}

    def _keep(self, sim: str, month: str) -> None:
        table = self._sent() | {sim: {"month": month}}
        try:
            write_atomically(self._path, json.dumps(table).encode())
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error.strerror)
