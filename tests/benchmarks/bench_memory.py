"""Memory and CPU of the service: 8 modems at a reading a second, one viewer, probes on, for some minutes.

``bench_memory.py [MINUTES]``; the simulator is not counted, gunicorn's arbiter is. Links are off, as what they take is
measured by the benchmarks of links. Beside it, in the same run, a bare
gunicorn with a Flask that says hello, and what each import costs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from measuring import Table, alone_mb, cpu_s, family, pss_mb, rest_until, service, service_pids
from remsim.simulator.main import LINKS_VARIABLE
from running import RunningService, free_port

MODEMS = 8
BAR_MB = 56.0
GOAL_MB = 48.0
BAR_CPU_PERCENT = 5.0
BARE = """
from flask import Flask
app = Flask(__name__)
app.add_url_rule("/", view_func=lambda: "hello")
"""


def watch(running: RunningService, counted: list[int]) -> None:
    """One viewer on the stream."""
    for message in running.stream(timeout_s=60):
        counted[0] += message["event"] == "reading"


def measure_service(minutes: float, table: Table) -> None:
    os.environ[LINKS_VARIABLE] = "0"
    with service(f"--simulate={MODEMS}", "--backfill", "0") as running:
        running.wait_for("modems", lambda answer: len(answer["modems"]) == MODEMS, 30)
        assert running.process is not None
        counted = [0]
        threading.Thread(target=watch, args=(running, counted), daemon=True).start()
        begin = time.monotonic()
        rest_until(begin + min(60, minutes * 30))
        pids = service_pids(running.process.pid)
        started, readings, cpu_before = time.monotonic(), counted[0], cpu_s(pids)
        worst = 0.0
        while (now := time.monotonic()) < begin + minutes * 60:
            rest_until(min(now + 30, begin + minutes * 60))
            used = pss_mb(pids)
            worst = max(worst, used)
            print(f"  minute {(time.monotonic() - begin) / 60:4.1f}: {used:6.2f} MB", flush=True)
        elapsed = time.monotonic() - started
        for pid in pids:
            name = "arbiter" if pid == running.process.pid else "worker"
            table.row(f"of these the {name}", pss_mb([pid]), "MB")
        table.row(f"service with {MODEMS} modems, the most of all minutes", worst, "MB", at_most=BAR_MB)
        table.row("the same against the goal", worst - GOAL_MB, "MB")
        table.row("the same with no other Python on the machine", alone_mb(pids), "MB")
        table.row("CPU of one core", 100 * (cpu_s(pids) - cpu_before) / elapsed, "%", at_most=BAR_CPU_PERCENT)
        rate = (counted[0] - readings) / elapsed
        table.row("readings the viewer got a second", rate, "/s")
        if rate < 0.9 * MODEMS:
            table.missed.append(f"the viewer got {rate:.2f} readings a second from {MODEMS} modems")
        table.row("SIGTERM to the end, stream open", running.stop(), "s", at_most=2.0)


def measure_bare(table: Table) -> None:
    """gunicorn with one threaded worker and preload, serving one view."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "bare.py").write_text(BARE)
        command = [sys.executable, "-m", "gunicorn", "--preload", "-k", "gthread", "--threads", "4", "-w", "1"]
        command += ["-b", f"127.0.0.1:{free_port()}", "--chdir", directory, "--log-level", "warning", "bare:app"]
        process = subprocess.Popen(command)
        try:
            time.sleep(4)
            table.row("bare gunicorn + Flask with preload", pss_mb(family(process.pid)), "MB")
            table.row("the same with no other Python on the machine", alone_mb(family(process.pid)), "MB")
        finally:
            process.terminate()
            process.wait(10)


def main() -> int:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    table = Table(f"Memory and CPU, {MODEMS} modems, one viewer, {minutes:g} minutes")
    measure_service(minutes, table)
    measure_bare(table)
    print("\nWhat each import costs")
    subprocess.run([sys.executable, str(Path(__file__).with_name("import_costs.py"))], check=True)
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
