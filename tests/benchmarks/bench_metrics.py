"""What a scrape costs with eight modems, beside prometheus_client's ``generate_latest`` of the same samples.

Bars: asking the owners and rendering takes at most as long as ``generate_latest`` of samples that are its own objects
already; the same as an answer of Flask at most as long as one with prometheus_client, whose collector has to ask too;
at most 40 KB without second names; at most 1 % of a core for a scrape every 15 s; and not one AT command.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from measuring import Table, cpu_s, rest_until, service_pids
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from remsim.options import RouterOptions, Simulation
from remsim.router import Router
from remsim.simulator.links import SimulatedPlane
from remsim.simulator.process import SimulatorProcess
from remsim.telemetry.metrics.draft import Draft
from remsim.telemetry.metrics.text import render
from remsim.web.app import create_app
from running import running_service

MODEMS, ROUNDS, SCRAPES, QUIET_S = 8, 200, 200, 20.0
SHARE_BAR, SIZE_BAR_KB, CORE_BAR = 1.0, 40.0, 1.0
PERIOD_S = 15.0


class Collector:
    """Our samples for prometheus_client."""

    def __init__(self, collect: Callable[[], list[Metric]]) -> None:
        self.collect = collect


def metrics_of(draft: Draft) -> list[Metric]:
    """The samples of a draft as prometheus_client's own objects."""
    metrics = []
    for family, rows in draft.families():
        metric = Metric(family.base, family.help, "gauge" if family.type == "info" else family.type)
        for (name, labels), value in rows.items():
            metric.add_sample(name, {"router_id": "router", **dict(labels)}, value)
        metrics.append(metric)
    return metrics


def registry_of(collect: Callable[[], list[Metric]]) -> CollectorRegistry:
    """A registry of one collector."""
    registry = CollectorRegistry()
    registry.register(Collector(collect))  # type: ignore[arg-type]
    return registry


def median_ms(work: Callable[[], object]) -> float:
    """Of CPU time, so that what else runs counts little."""
    taken = []
    for _ in range(ROUNDS):
        begun = time.thread_time()
        work()
        taken.append(time.thread_time() - begun)
    return 1000 * statistics.median(taken)


def handlers(table: Table, directory: Path) -> None:
    """One router in this process: our handler, and prometheus_client on what it has gathered."""
    devices = SimulatorProcess(directory / "devices", MODEMS, [])
    devices.start()
    try:
        simulation = Simulation(
            count=MODEMS,
            sysfs_root=devices.sysfs_root,
            dev_root=devices.dev_root,
            config_dir=devices.config_dir,
            control=devices.control,
            history=devices.history,
            plane=SimulatedPlane(devices.sysfs_root),
        )
        router = Router(RouterOptions(directory / "data", directory / "state", None, simulation), "t" * 43)
        app = create_app(router, static_dir=directory)
        router.start()
        try:
            wait_for_readings(router)
            compare(table, router, app)
        finally:
            router.stop()
    finally:
        devices.stop()


def wait_for_readings(router: Router) -> None:
    """Until every modem has been read."""
    deadline = time.monotonic() + 30
    while not all(view["reading"] and view["state"] == "online" for view in router.modems.views()):
        assert time.monotonic() < deadline, [view["state"] for view in router.modems.views()]
        time.sleep(0.2)
    time.sleep(3)


def compare(table: Table, router: Router, app: Flask) -> None:
    """Milliseconds and bytes of both."""
    draft = router.metrics.draft()
    made = metrics_of(draft)
    registry = registry_of(lambda: made)
    asking = registry_of(lambda: metrics_of(router.metrics.draft()))
    client = app.test_client()
    headers = {"Authorization": "Bearer " + "t" * 43}
    count = sum(len(rows) for _, rows in draft.families())
    theirs = median_ms(lambda: generate_latest(registry))
    theirs_open = median_ms(lambda: generate_openmetrics(registry))
    handler = median_ms(router.metrics.text)
    whole = median_ms(lambda: client.get("/metrics", headers=headers))
    router.metrics.text = lambda **_: generate_latest(asking)  # type: ignore[method-assign]
    theirs_whole = median_ms(lambda: client.get("/metrics", headers=headers))
    table.row("samples", count, "")
    table.row("generate_latest of prometheus_client", theirs, "ms")
    table.row("its OpenMetrics", theirs_open, "ms")
    table.row("ours: ask the owners and render", handler, "ms")
    table.row("ours by generate_latest", handler / theirs, "", at_most=SHARE_BAR)
    table.row("an answer of Flask with a collector that asks the owners", theirs_whole, "ms")
    table.row("our answer of Flask", whole, "ms")
    table.row("ours by theirs", whole / theirs_whole, "", at_most=SHARE_BAR)
    for is_open, name in ((False, "classic text"), (True, "OpenMetrics")):
        size = len(render(router.metrics.draft(), router.metrics.router_id, openmetrics=is_open, aliases=False))
        table.row(f"{name} without second names", size / 1000, "KB", at_most=SIZE_BAR_KB)


def served(table: Table, directory: Path) -> None:
    """A real service: CPU of a scrape, and the AT commands of a time with scrapes beside one without."""
    with running_service(directory, "--simulate", str(MODEMS)) as service:
        service.wait_for("modems", lambda found: sum(one["state"] == "online" for one in found["modems"]) == MODEMS, 30)
        time.sleep(3)
        assert service.process is not None
        pids = [pid for pid in service_pids(service.process.pid) if b"serve" in cmdline(pid)]

        def used(scrapes: int) -> float:
            before, begun = cpu_s(pids), time.monotonic()
            for number in range(scrapes):
                rest_until(begun + number * QUIET_S / scrapes)
                scrape(service)
            rest_until(begun + QUIET_S)
            return cpu_s(pids) - before

        used(0)
        quiet_s, busy_s = used(0), used(SCRAPES)
        a_scrape_s = max(busy_s - quiet_s, 0) / SCRAPES
        table.row(f"CPU of {QUIET_S:.0f} s without scrapes, with {SCRAPES}", quiet_s, "s")
        table.row("", busy_s, "s")
        table.row("CPU of a scrape over HTTP, gzip", 1000 * a_scrape_s, "ms")
        table.row("a scrape every 15 s, of a core", 100 * a_scrape_s / PERIOD_S, "%", at_most=CORE_BAR)
        for number in range(MODEMS):
            status, _ = service.request(f"modems/modem{number + 1}", method="PATCH", body={"period_s": None})
            assert status == 200, status
        time.sleep(2)
        commands = commands_of(service)
        for _ in range(SCRAPES):
            scrape(service)
        table.row(f"AT commands of {SCRAPES} scrapes, polling off", commands_of(service) - commands, "", at_most=0)


def cmdline(pid: int) -> bytes:
    """What a process was started with; nothing when it is over."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def commands_of(service: object) -> int:
    """AT commands sent to all modems so far."""
    return sum(one["at_commands_total"] for one in service.get("modems")["modems"])  # type: ignore[attr-defined]


def scrape(service: object) -> bytes:
    """As Prometheus does it."""
    headers = {
        "Authorization": f"Bearer {service.token}",  # type: ignore[attr-defined]
        "Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "Accept-Encoding": "gzip",
    }
    request = urllib.request.Request(f"{service.base}/metrics", headers=headers)  # type: ignore[attr-defined]
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bytes(answer.read())


def main() -> int:
    table = Table(f"A scrape of {MODEMS} modems")
    with tempfile.TemporaryDirectory(prefix="remsim-bench-") as name:
        (Path(name) / "devices").mkdir()
        handlers(table, Path(name))
    with tempfile.TemporaryDirectory(prefix="remsim-bench-") as name:
        served(table, Path(name))
    return table.status()


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)
