"""The simulator must not be what is measured: its start, its CPU with 8 modems polled, and the week it writes."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from measuring import Table, cpu_s, family, service, service_pids
from remsim.simulator.backfill import history
from remsim.simulator.process import SimulatorProcess

MODEMS = 8
WATCHED_S = 30.0
BAR_START_S = 0.7
BAR_CPU_PERCENT = 3.0
BAR_PAST_CPU_S = 12.0
BAR_BACKFILL_S = 20.0
WEEK_S = 7 * 86_400


def measure_start(table: Table) -> None:
    with tempfile.TemporaryDirectory(prefix="remsim-bench-") as name:
        begin = time.monotonic()
        simulator = SimulatorProcess(Path(name), MODEMS)
        simulator.start()
        table.row(f"start of {MODEMS} modems", time.monotonic() - begin, "s", at_most=BAR_START_S)
        simulator.stop()


def measure_cpu(table: Table) -> None:
    with service(f"--simulate={MODEMS}", "--backfill", "0") as running:
        assert running.process is not None
        pid = running.process.pid
        running.wait_for("modems", lambda answer: [one["state"] for one in answer["modems"]] == ["online"] * MODEMS)
        simulator = set(family(pid)) - set(service_pids(pid))
        time.sleep(5)
        begin, used_s = time.monotonic(), cpu_s(simulator)
        time.sleep(WATCHED_S)
        percent = 100 * (cpu_s(simulator) - used_s) / (time.monotonic() - begin)
        table.row(f"CPU with {MODEMS} modems polled each second", percent, "%", at_most=BAR_CPU_PERCENT)


def measure_past(table: Table) -> None:
    ids = {f"1-1.{number}": f"modem{number}" for number in (1, 2, 3)}
    begin = time.process_time()
    messages = sum(1 for _ in history(0.0, WEEK_S, ids))
    table.row("messages of a week of 3 modems", messages, "")
    table.row("CPU to encode and decode them", time.process_time() - begin, "s", at_most=BAR_PAST_CPU_S)
    with service("--simulate=3", "--backfill", "7d") as running:
        running.wait_for("state", lambda state: state["jobs"], 20)
        begin = time.monotonic()
        done = running.wait_for("state", lambda state: state["jobs"][-1]["state"] != "running", 120)
        assert done["jobs"][-1]["state"] == "done", done["jobs"]
        table.row("backfill of 7 d, recorded", time.monotonic() - begin, "s", at_most=BAR_BACKFILL_S)


def main() -> int:
    table = Table("Simulator")
    measure_start(table)
    measure_cpu(table)
    measure_past(table)
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
