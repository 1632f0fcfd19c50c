"""The event script of remote SIM clients beside an empty Python, and a thousand events taken in: none lost, in order.

A Python entry point would cost a client's burst of eight events eight starts of an interpreter. 1000 events are fired
in bursts as clients do, several at once; then with the service down, where the oldest have to go and be counted.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measuring import Table, service
from remsim.remotesim.event_script import event_script
from remsim.remotesim.record import CLIENT_COMM
from running import RunningService

RUNS = 300
BURST = (
    "event-config-bankd", "request-sim-remote", "request-card-insert", "request-modem-reset", "event-bankd-connect",
)  # fmt: skip
CLIENTS = 10
ROUNDS = 1000 // CLIENTS // len(BURST)
LAST = ("request-card-remove", "request-sim-local", *("event-modem-status",) * 3)
CALLER = """#!/bin/sh
export REMSIM_CLIENT_SLOT=$1:0 REMSIM_BANKD_SLOT=1:$1 REMSIM_BANKD_ADDR=10.0.0.5:9999
rounds=$2
while [ $rounds -gt 0 ]; do
	if [ $rounds -eq 1 ]; then set -- $LAST; else set -- $BURST; fi
	for cause; do sh -c "$SCRIPT $cause" & done
	wait
	rounds=$((rounds - 1))
done
sleep "${STAY:-0}"
"""


def environment(state: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"], "REMSIM_STATE": str(state), "SCRIPT": str(event_script()),
        "BURST": " ".join(BURST), "LAST": " ".join(LAST), "REMSIM_CLIENT_SLOT": "5:0",
        "REMSIM_BANKD_ADDR": "10.0.0.5:9999", "REMSIM_BANKD_SLOT": "1:2", "REMSIM_SERVER_ADDR": "10.0.0.1:9998",
    }  # fmt: skip


def run_s(command: list[str], env: dict[str, str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, env=env, check=True)
    return time.perf_counter() - begin


def medians(state: Path) -> tuple[float, float]:
    """The script and an empty Python, in turns; the spool is emptied as a service would."""
    env = environment(state)
    script, python = [], []
    for _ in range(RUNS):
        script.append(run_s([str(event_script()), "event-bankd-connect"], env))
        python.append(run_s(["/usr/bin/python3", "-I", "-S", "-c", "pass"], env))
        for path in (state / "spool").glob("[0-9]*"):
            path.unlink()
    return statistics.median(script), statistics.median(python)


def fire(state: Path, stay_s: int) -> list[subprocess.Popen[bytes]]:
    """A thousand events of all clients at once, which live on for a while, as clients do."""
    caller = state.parent / f"{CLIENT_COMM}ient-bench"
    caller.write_text(CALLER)
    caller.chmod(0o755)
    env = environment(state) | {"STAY": str(stay_s)}
    return [subprocess.Popen([caller, str(at + 1), str(ROUNDS)], env=env) for at in range(CLIENTS)]


def shown(running: RunningService) -> list[dict[str, Any]]:
    """The clients that have told their last."""
    return [one for one in running.get("remote-sim")["clients"] if one["state"] == "local"]


def waiting(running: RunningService) -> int:
    """Events that nobody has taken in."""
    found: int = running.get("remote-sim")["spool"]["waiting"]
    return found


def taken_in(running: RunningService, table: Table) -> None:
    """A thousand events with the service there."""
    begin = time.perf_counter()
    clients = fire(running.state, 10)
    while sum(one["modem_resets"] for one in shown(running)) < CLIENTS * (ROUNDS - 1) or waiting(running):
        if time.perf_counter() - begin > 30:
            break
        time.sleep(0.02)
    table.row("1000 events fired and taken in", time.perf_counter() - begin, "s", at_most=3)
    found, spool = shown(running), running.get("remote-sim")["spool"]
    right = [one for one in found if (one["reconnects"], one["modem_resets"]) == (ROUNDS - 2, ROUNDS - 1)]
    table.row("clients whose state or counts are wrong", CLIENTS - len(right), "", at_most=0)
    table.row("events lost", spool["dropped"] + spool["cut"], "", at_most=0)
    for client in clients:
        client.kill()
        client.wait()


def kept(state: Path, table: Table) -> None:
    """Three thousand with nobody there."""
    for _ in range(3):
        for client in fire(state, 0):
            client.wait()
    left = len(list((state / "spool").glob("[0-9]*")))
    dropped = sum(map(int, (state / "spool" / ".dropped").read_text().split()))
    table.row("service down, 3000 events: wait", left, "", at_most=1000)
    table.row("  neither waiting nor counted as dropped", abs(3000 - left - dropped), "", at_most=0)


def main() -> int:
    table = Table("Events of remote SIM clients")
    with tempfile.TemporaryDirectory() as directory:
        script_s, python_s = medians(Path(directory) / "state")
    table.row("the script, median", script_s * 1000, "ms")
    table.row("an empty Python, median", python_s * 1000, "ms")
    table.row("ratio", script_s / python_s, "x", at_most=0.5)
    with service() as running:
        taken_in(running, table)
        running.stop()
        kept(running.state, table)
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
