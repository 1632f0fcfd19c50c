"""Metrics of a real service: scraped fast, over restarts, at a listener of their own, and beside a Prometheus."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from running import RunningService, free_port, running_service

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
Counters = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(scope="module")
def metrics_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, metrics_port: int) -> Iterator[RunningService]:
    directory = tmp_path_factory.mktemp("metrics")
    with running_service(directory, "--simulate", "2", "--config", str(configured(directory, metrics_port))) as running:
        running.wait_for("modems", lambda found: sum(one["state"] == "online" for one in found["modems"]) == 2)
        yield running


def configured(directory: Path, port: int) -> Path:
    """A folder of settings with a listener for metrics."""
    config = directory / "config"
    config.mkdir()
    (config / "remsim_console").write_text(
        f"config metrics\n\toption enabled '1'\n\toption listen '127.0.0.1:{port}'\n\toption router_id 'roof \"7\"'\n"
    )
    return config


def scrape(service: RunningService, port: int | None = None, path: str = "/metrics") -> str:
    """What Prometheus would get."""
    headers = {"Authorization": f"Bearer {service.token}", "Accept": OPENMETRICS}
    request = urllib.request.Request(f"http://127.0.0.1:{port or service.port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def counters(text: str) -> Counters:
    """All that may only rise."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if family.type in ("counter", "summary", "histogram") and not sample.name.endswith("_created")
    }


def test_a_scrape_every_100_ms_is_whole_and_counters_only_rise(service: RunningService) -> None:
    last: Counters = {}
    begun = time.monotonic()
    for number in range(20):
        time.sleep(max(begun + number * 0.1 - time.monotonic(), 0))
        now = counters(scrape(service))
        assert last.keys() <= now.keys()
        assert [one for one, value in last.items() if now[one] < value] == []
        last = now
    assert len(last) > 30


def test_the_modems_are_sent_nothing_for_it(service: RunningService) -> None:
    ids = [one["id"] for one in service.get("modems")["modems"]]
    for modem in ids:
        assert service.request(f"modems/{modem}", method="PATCH", body={"period_s": None})[0] == 200
    try:
        service.wait_for("modems", lambda found: all(one["state"] == "paused" for one in found["modems"]))
        before = [one["at_commands_total"] for one in service.get("modems")["modems"]]
        for _ in range(50):
            scrape(service)
        assert [one["at_commands_total"] for one in service.get("modems")["modems"]] == before
        assert min(before) > 0
    finally:
        for modem in ids:
            service.request(f"modems/{modem}", method="PATCH", body={"period_s": 1})
    service.wait_for("modems", lambda found: all(one["state"] == "online" for one in found["modems"]))


def test_the_listener_of_their_own_answers_nothing_else(service: RunningService, metrics_port: int) -> None:
    assert 'router_id="roof \\"7\\""' in scrape(service, metrics_port)
    for path in ("/", "/api/v1/modems", "/api/v1/healthz"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            scrape(service, metrics_port, path)
        assert refused.value.code == 404


def test_over_a_restart_of_the_service_counters_go_on_or_are_reset(
    service: RunningService, metrics_port: int
) -> None:
    def started(text: str) -> float:
        return float(text.split("process_start_time_seconds{")[1].split("\n")[0].split()[-1])

    before_text = scrape(service)
    before = counters(before_text)
    traffic = [one for one in before if one[0].startswith("remsim_data_")]
    assert len(traffic) == 4
    assert service.request("service/restart", method="POST")[0] == 202
    deadline = time.monotonic() + 20
    while True:
        try:
            text = scrape(service, metrics_port)
            if started(text) > started(before_text) and counters(text).keys() >= set(traffic):
                break
        except OSError:
            assert time.monotonic() < deadline, service.log()
        time.sleep(0.1)
    after = counters(text)
    assert [one for one in traffic if after[one] < before[one]] == []
    created = {
        (sample.name.replace("_created", "_total"), tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.endswith("_created")
    }
    for one, value in before.items():
        if one in after and after[one] < value and one[0].startswith("remsim_") and one in created:
            assert created[one] > started(before_text), one


@contextmanager
def prometheus(directory: Path, port: int) -> Iterator[None]:
    """A Prometheus server that does nothing."""
    (directory / "prometheus.yml").write_text("global: {}\n")
    command = ["prometheus", f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={directory / 'tsdb'}"]
    command += [f"--config.file={directory / 'prometheus.yml'}", "--log.level=error"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=2):
                    break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(60)


def test_beside_a_prometheus_on_the_same_port_the_service_starts_and_says_what_to_do(tmp_path: Path) -> None:
    port = free_port()
    config = configured(tmp_path, port)
    with prometheus(tmp_path, port), running_service(tmp_path, "--simulate", "1", "--config", str(config)) as service:
        problems = service.get("state")["problems"]
        found = next(one for one in problems if one["code"] == "metrics_listener")
        assert f"127.0.0.1:{port}" in found["message"]
        assert "a Prometheus server answers there" in found["message"]
        assert "metrics.listen" in found["hint"]
        assert "remsim_problems" in scrape(service)
