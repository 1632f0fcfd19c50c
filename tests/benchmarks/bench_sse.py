"""The live stream under load: 128 viewers of 8 simulated modems, the same while somebody leafs through History, then
500, and other ways beside it in the same run.

``bench_sse.py [SECONDS]`` for each measurement. The viewers live in a process of their own; the simulator is not
counted.
The other ways get the same readings from the same small server: our sender thread, a thread for each stream, and
flask-sse on Redis (redis-server counted).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from measuring import Table, cpu_s, family, pss_mb, service, service_pids
from running import free_port
from web_support import TOKEN

HERE = Path(__file__).parent
CLIENTS = 128
MODEMS = 8
STREAM = "/api/v1/stream"
BROWSED_EVERY_S = 4.0
"""How often the one who leafs through History looks at another period."""


def run_load(port: int, path: str, token: str, clients: int, seconds: float, pids: list[int]) -> dict[str, Any]:
    """The viewers' figures with the servers' memory and CPU while they looked."""
    command = [sys.executable, str(HERE / "sse_load.py"), str(port), path, token, str(clients), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        begin, used = time.monotonic(), cpu_s(pids)
        time.sleep(seconds * 0.8)
        memory = pss_mb(pids)
        cpu = 100 * (cpu_s(pids) - used) / (time.monotonic() - begin)
        result: dict[str, Any] = json.loads(process.stdout.readline())
    return result | {"mb": memory, "cpu": cpu}


def told(table: Table, name: str, found: dict[str, Any], clients: int) -> None:
    """Rows that every measurement has; what is lost without a word is a miss."""
    table.row(f"{name}: streams open", found["open"], "")
    table.row(f"{name}: readings delivered", found["delivered"], "")
    table.row(f"{name}: readings missing, untold", 0 if found["lagged"] else found["missing"], "", at_most=0)
    table.row(f"{name}: median from `at` to the viewer", found["p50_ms"] or 1e9, "ms")
    if found["open"] < clients or found["silent"] or found["closed"]:
        table.missed.append(
            f"{name}: {found['open']} of {clients} open, {found['silent']} silent, {found['closed']} cut"
        )


@contextmanager
def browsing(running: Any) -> Iterator[list[float]]:
    """Somebody who looks at one period of History after the other, as its page asks; the seconds of each look."""
    stop, took = threading.Event(), []
    ids = ",".join(one["id"] for one in running.get("modems")["modems"][:3])
    measures = "rsrp_dbm,sinr_db,rx_bits_per_s,latency_ms"
    looks = [
        f"{path}&range={period}"
        for period in ("1h", "24h", "30d")
        for path in (
            f"series/batch?modem={ids}&measure={measures}&points=600&stats=1&anomalies=1",
            f"timeline/batch?modem={ids}&track=state,technology,band,cell&points=600",
            "events?limit=200",
        )
    ]

    def browse() -> None:
        at = 0
        while not stop.wait(BROWSED_EVERY_S):
            begin = time.monotonic()
            for path in looks[at : at + 3]:
                running.get(path)
            took.append(time.monotonic() - begin)
            at = (at + 3) % len(looks)

    thread = threading.Thread(target=browse)
    thread.start()
    try:
        yield took
    finally:
        stop.set()
        thread.join()


def measure_browsed(table: Table, seconds: float) -> None:
    """The whole service with its viewers, while History is leafed through."""
    options = {"max_streams": CLIENTS + 8, "threads": CLIENTS + 16}
    with service(f"--simulate={MODEMS}", "--backfill", "0", **options) as running:
        running.wait_for(
            "modems", lambda answer: sum(one["state"] == "online" for one in answer["modems"]) == MODEMS, 30
        )
        assert running.process is not None
        with browsing(running) as took:
            pids = service_pids(running.process.pid)
            found = run_load(running.port, STREAM, running.token, CLIENTS, seconds, pids)
        name = f"{CLIENTS} viewers, History browsed"
        told(table, name, found, CLIENTS)
        table.row(f"{name}: p99", found["p99_ms"] or 1e9, "ms", at_most=100)
        table.row(f"{name}: memory", found["mb"], "MB", at_most=64)
        table.row(f"{name}: CPU of one core", found["cpu"], "%", at_most=15)
        table.row(f"{name}: the slowest look, three requests", 1000 * max(took), "ms")


def measure_service(table: Table, clients: int, seconds: float, *, bars: bool) -> None:
    """The whole service."""
    with service(f"--simulate={MODEMS}", "--backfill", "0", max_streams=clients + 8, threads=clients + 16) as running:
        running.wait_for(
            "modems", lambda answer: sum(one["state"] == "online" for one in answer["modems"]) == MODEMS, 30
        )
        assert running.process is not None
        pids = service_pids(running.process.pid)
        found = run_load(running.port, STREAM, running.token, clients, seconds, pids)
        name = f"service, {clients} viewers"
        told(table, name, found, clients)
        table.row(f"{name}: p99", found["p99_ms"] or 1e9, "ms", at_most=100 if bars else None)
        table.row(f"{name}: what one of them gets", found["kb_per_s"], "KB/s", at_most=100)
        table.row(f"{name}: memory", found["mb"], "MB", at_most=64 if bars else None)
        table.row(f"{name}: CPU of one core", found["cpu"], "%", at_most=15 if bars else None)
        if bars:
            measure_end(table, running, clients)


def measure_end(table: Table, running: Any, clients: int) -> None:
    """SIGTERM while all streams are open; the cap with none to spare."""
    command = [
        sys.executable,
        str(HERE / "sse_load.py"),
        str(running.port),
        STREAM,
        running.token,
        str(clients + 8),
        "30",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        begin = time.monotonic()
        running.request("healthz", token=None)
        table.row("healthz with every stream taken", 1000 * (time.monotonic() - begin), "ms", at_most=1000)
        status, _problem = running.request("stream")
        table.row("one stream more is answered with", status, "", at_most=503)
        table.row("SIGTERM to the end, every stream open", running.stop(20), "s", at_most=2.0)
        process.kill()


@contextmanager
def small_server(*arguments: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """tests/small_server.py: the web layer alone."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="remsim-bench-") as directory:
        command = [sys.executable, str(HERE.parent / "small_server.py"), f"{directory}/data", f"127.0.0.1:{port}"]
        limits = ["--max-streams", str(CLIENTS + 8), "--threads", str(CLIENTS + 16)]
        process = subprocess.Popen(
            [*command, *limits, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with ended(process):
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            yield port, process


@contextmanager
def flask_sse_server() -> Iterator[tuple[int, list[subprocess.Popen[str]]]]:
    """flask-sse as its documentation shows it, on Debian's redis-server."""
    port, redis_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="remsim-bench-") as directory:
        redis = subprocess.Popen(
            ["redis-server", "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", directory],
            stdout=subprocess.DEVNULL,
            text=True,
        )
        with ended(redis):
            time.sleep(0.5)
            command = [sys.executable, str(HERE / "flask_sse_server.py"), str(port), str(redis_port), str(CLIENTS + 16)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            with ended(process):
                assert process.stdout is not None and process.stdout.readline() == "ready\n"
                yield port, [process, redis]


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """A process that is gone afterwards."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def publishing(process: subprocess.Popen[str]) -> Iterator[None]:
    """Eight readings a second, one by one."""
    stop = threading.Event()

    def publish() -> None:
        assert process.stdin is not None and process.stdout is not None
        while not stop.wait(1 / MODEMS):
            process.stdin.write("publish 1\n")
            process.stdin.flush()
            process.stdout.readline()

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def measure_ways(table: Table, seconds: float) -> None:
    """Three ways to feed 128 viewers, the web layer alone."""
    found: dict[str, dict[str, Any]] = {}
    for name, arguments in (("one sender thread", ()), ("a thread a stream", ("--thread-per-stream",))):
        with small_server(*arguments) as (port, process), publishing(process):
            found[name] = run_load(port, STREAM, TOKEN, CLIENTS, seconds, family(process.pid))
            told(table, name, found[name], CLIENTS)
    if shutil.which("redis-server"):
        with flask_sse_server() as (port, processes), publishing(processes[0]):
            pids = [pid for process in processes for pid in family(process.pid)]
            found["flask-sse + Redis"] = run_load(port, "/stream", TOKEN, CLIENTS, seconds, pids)
    ours = found["one sender thread"]
    for name, one in found.items():
        for key, unit in (("p99_ms", "ms"), ("mb", "MB"), ("cpu", "%")):
            table.row(f"{name}: {key}", one[key], unit)
            if one is not ours:
                table.row(f"{name}: {key}, times ours", one[key] / max(ours[key], 0.01), "x")


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    table = Table(f"Live stream, {MODEMS} modems at a reading a second, {seconds:g} s each")
    measure_service(table, CLIENTS, seconds, bars=True)
    measure_browsed(table, seconds)
    measure_ways(table, seconds)
    measure_service(table, 500, seconds, bars=False)
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
