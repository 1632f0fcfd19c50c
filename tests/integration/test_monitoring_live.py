"""A real Prometheus asks a simulated router: every query of the dashboards and every rule has something to work on."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana import DASHBOARDS, expressions, filled, series_of_variable, variables
from prometheus_server import PrometheusServer, running_prometheus
from promql import compared
from running import RunningService, free_port, running_service

RULES = Path(__file__).resolve().parents[2] / "monitoring" / "prometheus" / "rules"
RULE = {
    rule.get("alert") or rule["record"]: rule["expr"]
    for path in sorted(RULES.glob("*.yml"))
    for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
    for rule in group["rules"]
}
NOT_SIMULATED = {
    "remsim_scrape_errors_total": "a mistake in the service",
    "remsim_ionmesh_registered": "no IonMesh is set up",
}
"""What a simulated router has no source of, and why. What is named here and has samples after all fails a test."""


def configure(service: RunningService, section: str, values: dict[str, Any]) -> None:
    status, answer = service.request(f"config/{section}", method="PUT", body=values)
    assert status in (200, 201), answer


def fault(service: RunningService, name: str, modem: str | None = None) -> None:
    status, answer = service.request("simulation/faults", method="POST", body={"modem": modem, "fault": name})
    assert status < 300, answer


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """Three modems with two remote SIMs, one of them counted, and two days of the past; each card has a plan."""
    with running_service(tmp_path_factory.mktemp("router"), "--simulate=3", "--backfill", "172800") as service:
        found = service.wait_for("modems", lambda answer: sum(bool(one["sim"]) for one in answer["modems"]) == 3, 60)
        for modem in found["modems"]:
            plan = {"cap_gb": 50, "price_cycle": 10, "currency": "EUR"}
            configure(service, f"sim/{modem['sim'].replace('-', '_')}", plan)
        remote = next(one for one in service.get("config")["sections"] if one["type"] == "remote_client")
        configure(service, f"remote_client/{remote['name']}", remote["values"] | {"relay": True})
        service.wait_for("remote-sim", lambda view: [one["state"] for one in view["clients"]] == ["remote"] * 2, 60)
        modem = found["modems"][0]["id"]  # the first one has an eUICC
        assert service.request(f"esim/{modem}/read", method="POST", body={})[0] == 202
        service.wait_for("esim", lambda view: any(one["read_at"] for one in view["holders"]), 60)
        # Usage is looked at once a minute: it must be there when Prometheus asks first.
        service.wait_for("usage/report", lambda report: all(one["projected_bytes"] for one in report["sims"]), 60)
        yield service


@pytest.fixture(scope="module")
def prometheus(router: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """It scrapes every second, has our rules, which do not wait, and a second router that is not there."""
    folder = tmp_path_factory.mktemp("prometheus")
    for path in RULES.glob("*.yml"):
        at_once = re.sub(r"^ +for: .*\n", "", path.read_text("utf-8"), flags=re.MULTILINE)
        (folder / path.name).write_text(at_once, "utf-8")
    scrape = {
        "job_name": "remsim",
        "authorization": {"credentials_file": str(router.state / "token")},
        "static_configs": [
            {"targets": [f"127.0.0.1:{router.port}"], "labels": {"router_id": "simulated", "site": "here"}},
            {"targets": [f"127.0.0.1:{free_port()}"], "labels": {"router_id": "not there", "site": "nowhere"}},
        ],
        "metric_relabel_configs": [{"regex": "exported_router_id", "action": "labeldrop"}],
    }
    every = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config = {"global": every, "rule_files": ["remsim-*.yml"], "scrape_configs": [scrape]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    with running_prometheus(folder / "prometheus.yml", "--web.enable-remote-write-receiver") as server:
        output = {"type": "remote_write", "url": f"{server.base}/api/v1/write", "interval_s": 10, "allow_private": True}
        configure(router, "output/central", output)
        server.wait_for('count_over_time(remsim_uptime_seconds{router_id="simulated"}[1m]) > 4', 60)
        yield server


def without_data(prometheus: PrometheusServer, asked: dict[Any, str], timeout_s: float = 30.0) -> list[Any]:
    """Which of the expressions give nothing, even after some more scrapes; what is not simulated is not asked for."""
    deadline = time.monotonic() + timeout_s
    left = {where: one for where, one in asked.items() if not any(name in one for name in NOT_SIMULATED)}
    while left := {where: one for where, one in left.items() if not prometheus.query(one)}:
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    return sorted(left)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_query_of_a_dashboard_has_data(name: str, prometheus: PrometheusServer) -> None:
    dashboard = DASHBOARDS[name]
    chosen = dict.fromkeys(variables(dashboard), ".*") | ({"router_id": "simulated"} if name == "router" else {})
    asked = {where: filled(expression, **chosen) for where, expression in expressions(dashboard)}
    assert len(asked) == len(expressions(dashboard)) > 10
    assert without_data(prometheus, asked) == []


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_variable_finds_something(name: str, prometheus: PrometheusServer) -> None:
    asked = {one: series_of_variable(definition) for one, definition in variables(DASHBOARDS[name]).items()}
    asked = {one: filled(series, router_id="simulated") for one, series in asked.items()}
    assert without_data(prometheus, asked) == []


@pytest.mark.parametrize("name", DASHBOARDS)
def test_notes_on_the_time_line_can_be_asked_for(name: str, prometheus: PrometheusServer) -> None:
    notes = {note["name"]: filled(note["expr"], router_id=".*") for note in DASHBOARDS[name]["annotations"]["list"]}
    parts = {(where, part): part for where, note in notes.items() for part in compared(note)}
    assert without_data(prometheus, parts) == []


def test_every_rule_has_something_to_decide_on(prometheus: PrometheusServer) -> None:
    """A condition that is false gives nothing; what it compares must be there all the same."""
    parts = {
        f"{name}: {part}": any_word(part)
        for name, condition in RULE.items()
        for part in compared(condition.replace("absent(up", "count(up"))
    }
    assert len(parts) > len(RULE)
    assert without_data(prometheus, parts) == []


def any_word(part: str) -> str:
    """A state that is not has no sample: what must be there is the metric, in whatever state."""
    return re.sub(r"{ (state|registration) =~? \"[^\"]*\" }", "", part)


def test_no_rule_fails(prometheus: PrometheusServer) -> None:
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == set(RULE)
    assert not [(rule["name"], rule["lastError"]) for rule in rules if rule["health"] != "ok"]


def test_the_router_that_is_not_there_is_told_by_its_name(prometheus: PrometheusServer) -> None:
    prometheus.wait_for('ALERTS{alertname="RemsimRouterDown", alertstate="firing"}')
    (alert,) = [one for one in prometheus.get("alerts")["alerts"] if one["labels"]["alertname"] == "RemsimRouterDown"]
    assert alert["labels"] | {"instance": ""} == {
        "alertname": "RemsimRouterDown",
        "instance": "",
        "job": "remsim",
        "router_id": "not there",
        "severity": "critical",
        "site": "nowhere",
    }
    assert alert["annotations"]["summary"] == "not there does not answer"


@pytest.fixture
def undone(router: RunningService) -> Iterator[None]:
    """Afterwards nothing is wrong any more."""
    yield
    fault(router, "remote_clear")
    for modem in router.get("modems")["modems"]:
        fault(router, "clear", modem["id"])


def test_a_card_that_is_taken_out_becomes_an_alert(
    router: RunningService, prometheus: PrometheusServer, undone: None
) -> None:
    modem = router.get("modems")["modems"][2]["id"]
    fault(router, "sim_removed", modem)
    expression = f'ALERTS{{alertname="RemsimSimLost", alertstate="firing", router_id="simulated", modem="{modem}"}}'
    (alert,) = prometheus.wait_for(expression)
    assert alert["metric"]["site"] == "here"


def test_a_bank_that_is_lost_becomes_alerts_and_they_end_when_it_is_back(
    router: RunningService, prometheus: PrometheusServer, undone: None
) -> None:
    firing = 'ALERTS{alertname="RemsimBankDisconnected", alertstate="firing", router_id="simulated"}'
    assert not prometheus.query(firing)
    fault(router, "bankd_lost")
    prometheus.wait_for(firing)
    lost = prometheus.wait_for('ALERTS{alertname="RemsimBankdLost", alertstate="firing", router_id="simulated"}')
    assert {alert["metric"]["client"] for alert in lost} <= {"remote1", "remote2"}
    fault(router, "bankd_back")
    prometheus.wait_for(f"absent({firing})")


def test_what_is_called_not_simulated_is_not(prometheus: PrometheusServer) -> None:
    assert not [name for name in NOT_SIMULATED if prometheus.query(f'{{__name__=~"{name}.*"}}')]
