"""What is for the monitoring host: dashboards that Grafana can show, rules and metrics that belong together."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from grafana import DASHBOARDS, SCHEMA, data_panels, expressions, variables
from promql import compared
from remsim.core.reading import STATES
from remsim.telemetry.metrics.families import FAMILIES
from remsim.telemetry.quality import CURVES, INPUTS

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "monitoring" / "prometheus"
RULES = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted((PROMETHEUS / "rules").glob("*.yml"))}
ALERTS = [rule for group in RULES["remsim-alerts"]["groups"] for rule in group["rules"]]
RECORDED = [rule for group in RULES["remsim-recording"]["groups"] for rule in group["rules"]]
PARTS = {"summary": ("_count", "_sum"), "histogram": ("_bucket", "_count", "_sum")}
dashboards = pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)


@dashboards
def test_a_dashboard_is_one_by_the_schema(dashboard: dict[str, Any]) -> None:
    faults = list(jsonschema_rs.Draft202012Validator(SCHEMA).iter_errors(dashboard))
    assert not faults, [(list(fault.instance_path), fault.message) for fault in faults[:5]]


def test_the_schema_refuses_what_grafana_would_not_show() -> None:
    validator = jsonschema_rs.Draft202012Validator(SCHEMA)
    good = DASHBOARDS["router"]
    for change in (
        lambda one: one["panels"][0].update(type="graph"),
        lambda one: one["panels"][0]["gridPos"].update(w=25),
        lambda one: one["panels"][0]["targets"][0].pop("refId"),
        lambda one: one["panels"][0]["targets"][0]["datasource"].update(uid="of one host"),
        lambda one: one["panels"][0]["fieldConfig"]["defaults"].update(unit="dbm"),
        lambda one: one["panels"][0].update(descripton="a typing error"),
        lambda one: one.update(schemaVersion="38"),
        lambda one: one.pop("uid"),
    ):
        bad = json.loads(json.dumps(good))
        change(bad)
        assert not validator.is_valid(bad)


@dashboards
def test_panels_do_not_overlap_and_leave_no_hole_in_a_line(dashboard: dict[str, Any]) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        for cell in itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])):
            assert cell not in taken, f"{panel['title']} lies on {taken.get(cell)}"
            taken[cell] = panel["title"]
    lowest = max(y for _, y in taken)
    assert {(x, y) for x in range(24) for y in range(lowest + 1)} == set(taken)


@dashboards
def test_ids_and_letters_are_there_once(dashboard: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in data_panels(dashboard):
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters), panel["title"]


def test_links_lead_to_dashboards_that_are_there() -> None:
    ids = [dashboard["uid"] for dashboard in DASHBOARDS.values()]
    assert len(set(ids)) == len(ids)
    linked = re.findall(r'"/d/([a-z-]+)\?', json.dumps(list(DASHBOARDS.values())))
    assert linked
    assert set(linked) <= set(ids)


@dashboards
def test_every_variable_is_used_and_every_one_used_is_there(dashboard: dict[str, Any]) -> None:
    asked = json.dumps([dashboard["panels"], dashboard["annotations"], list(variables(dashboard).values())])
    used = set(re.findall(r"\$\{?([a-z]\w*)", asked))
    assert used == {"datasource", *variables(dashboard)}


@dashboards
def test_names_in_a_tables_columns_are_those_that_are_there(dashboard: dict[str, Any]) -> None:
    """A column that is renamed or hidden by a name it has not keeps its ugly one, without a word."""
    for panel in data_panels(dashboard):
        if panel["type"] != "table":
            continue
        letters = [target["refId"] for target in panel["targets"]]
        labels = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", str(panel["targets"])))))
        columns = {"Time", *labels, *([f"Value #{one}" for one in letters] if len(letters) > 1 else ["Value"])}
        options = panel["transformations"][1]["options"]
        shown = {options["renameByName"].get(name, name) for name in columns - set(options["excludeByName"])}
        assert set(options["renameByName"]) | set(options["excludeByName"]) <= columns, panel["title"]
        assert not any(name.startswith("Value #") for name in shown), panel["title"]
        matchers = [one["matcher"] for one in panel["fieldConfig"]["overrides"]]
        named = {one["options"] for one in matchers if one["id"] == "byName"}
        named |= {one["displayName"] for one in panel["options"].get("sortBy", ())}
        assert named <= shown, panel["title"]


@dashboards
def test_thresholds_rise(dashboard: dict[str, Any]) -> None:
    found = re.findall(r'"steps": (\[[^]]*\])', json.dumps(dashboard))
    for steps in map(json.loads, found):
        values = [step["value"] for step in steps[1:]]
        assert steps[0]["value"] is None
        assert values == sorted(set(values))


def test_levels_have_the_limits_that_the_pages_have() -> None:
    for title, (measure, scale) in {"RSRP": ("rsrp_dbm", 1), "RSRQ": ("rsrq_db", 1), "SINR": ("sinr_db", 1)}.items():
        panel = next(one for one in data_panels(DASHBOARDS["router"]) if one["title"] == title)
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        limits = CURVES[INPUTS.index(measure)][1:4]
        assert [step["value"] for step in steps] == [None, *(limit * scale for limit in limits)]


def test_every_state_of_a_modem_has_a_colour() -> None:
    expression = next(expr for where, expr in expressions(DASHBOARDS["router"]) if where.startswith("State ("))
    coded = [state for words in re.findall(r'state=~"([^"]*)"', expression) for state in words.split("|")]
    assert sorted(coded) == sorted(STATES)


def samples_named(expression: str) -> set[str]:
    """Names of metrics in an expression."""
    words = re.findall(r"(?<![\w:\"])((?:remsim|process|router_id\w*:|job:)[\w:]*)", expression)
    return set(words) - {"remsim"}


def test_every_metric_that_is_asked_for_is_defined() -> None:
    names = {f"{family.name}{part}" for family in FAMILIES.values() for part in PARTS.get(family.type, ("",))}
    names |= {rule["record"] for rule in RECORDED}
    asked = [expr for dashboard in DASHBOARDS.values() for _, expr in expressions(dashboard)]
    asked += [definition for dashboard in DASHBOARDS.values() for definition in variables(dashboard).values()]
    asked += [rule["expr"] for rule in (*ALERTS, *RECORDED)]
    labels = {label for family in FAMILIES.values() for label in family.labels}
    for expression in asked:
        assert samples_named(expression) - labels - {"router_id"} <= names, expression


def test_aliases_are_not_asked_for() -> None:
    """They can be switched off."""
    aliases = {family.alias.name for family in FAMILIES.values() if family.alias is not None}
    text = json.dumps(list(DASHBOARDS.values())) + json.dumps(ALERTS) + json.dumps(RECORDED)
    assert not {alias for alias in aliases if re.search(rf"\b{alias}\b", text)}


def test_recording_rules_are_named_level_metric_operation() -> None:
    for rule in RECORDED:
        assert re.fullmatch(r"(job|router_id(_[a-z]+)?):[a-z_]+:[a-z0-9_]+", rule["record"]), rule["record"]


def test_alerts_have_what_people_need() -> None:
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
    for rule in ALERTS:
        assert rule["alert"].startswith("Remsim")
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert set(rule["annotations"]) == {"summary", "description"}


def test_every_rule_is_proven() -> None:
    """Each alert fires in some test and each recorded series is looked at."""
    tests = "".join(path.read_text("utf-8") for path in (PROMETHEUS / "rules" / "tests").glob("*.yml"))
    assert not [rule["alert"] for rule in ALERTS if f'alertname="{rule["alert"]}"' not in tests]
    assert not [rule["record"] for rule in RECORDED if rule["record"] not in tests]


def test_the_manual_has_a_row_for_each_alert() -> None:
    rows = re.findall(r"^\| `(Remsim\w+)` \| (\w+) \|", (ROOT / "docs" / "monitoring.md").read_text("utf-8"), re.M)
    assert rows == [(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS]


def test_alertmanager_speaks_of_alerts_that_are_there() -> None:
    text = (ROOT / "monitoring" / "alertmanager" / "alertmanager.yml").read_text("utf-8")
    named = set(re.findall(r"Remsim\w+", text)) - {"Remsim"}
    assert named
    assert named <= {rule["alert"] for rule in ALERTS}


@pytest.mark.parametrize(
    ("condition", "parts"),
    [
        ("up == 0", ["up"]),
        ("(a{b='x==(y'} < -5) and on (c) rate(d[5m]) > bool 3", ["a { b = 'x==(y' }", "rate ( d [ 5m ] )"]),
        ("a unless on (x) group_left (z) b", ["a", "b"]),
        ("a > 0.8 < 1", ["a"]),
        ("sum by (x) (a == bool 1) / b > 0.5", ["sum by ( x ) ( a == bool 1 ) / b"]),
    ],
)
def test_a_condition_is_taken_apart(condition: str, parts: list[str]) -> None:
    assert compared(condition) == parts


def make_targets(table: str, tmp_path: Path) -> tuple[subprocess.CompletedProcess[str], Path]:
    (tmp_path / "routers.csv").write_text(table, "utf-8")
    wanted = tmp_path / "routers.json"
    command = [sys.executable, str(PROMETHEUS / "make-targets"), str(tmp_path / "routers.csv"), str(wanted)]
    return subprocess.run(command, capture_output=True, text=True, timeout=20), wanted


def test_a_table_of_routers_becomes_a_list_of_targets(tmp_path: Path) -> None:
    table = "\ufeff# ours\naddress,router_id,site,scheme,path\n[fd00::1]:9090, a ,\"Köln, Süd\",https,/x\nb:1,b,,,\n\n"
    done, wanted = make_targets(table, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(wanted.read_text("utf-8")) == [
        {
            "targets": ["[fd00::1]:9090"],
            "labels": {"router_id": "a", "site": "Köln, Süd", "__scheme__": "https", "__metrics_path__": "/x"},
        },
        {"targets": ["b:1"], "labels": {"router_id": "b"}},
    ]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("", "empty"),
        ("router_id\na\n", "no column 'address'"),
        ("address,router_id\na,x\n", "line 2: 'a' is no HOST:PORT"),
        ("address,router_id\na:70000,x\n", "is no HOST:PORT"),
        ("address,router_id\nhttp://a:1,x\n", "is no HOST:PORT"),
        ("address,router_id\na:1,\n", "line 2: no router_id"),
        ("address,router_id\na:1,x\nb:1,x\n", "line 3: router_id x is in line 2 already"),
        ("address,router_id\na:1,x\na:1,y\n", "line 3: address a:1 is in line 2 already"),
        ("address,router_id,site name\na:1,x,y\n", "'site name' cannot be a label"),
        ("address,router_id,__address__\na:1,x,y\n", "cannot be a label"),
        ("address,router_id,job\na:1,x,y\n", "cannot be a label"),
        ("address,router_id,site,site\na:1,x,y,z\n", "twice"),
        ("address,router_id\na:1,x,y\n", "line 2: 3 cells, but 2 columns"),
        ("address,router_id,scheme\na:1,x,ftp\n", "scheme must be"),
    ],
)
def test_a_table_with_a_fault_is_refused_and_the_old_list_stays(tmp_path: Path, table: str, words: str) -> None:
    (tmp_path / "routers.json").write_text("[]")
    done, wanted = make_targets(table, tmp_path)
    assert done.returncode == 1
    assert words in done.stderr
    assert wanted.read_text() == "[]"


def test_the_example_list_is_made_of_the_example_table(tmp_path: Path) -> None:
    done, wanted = make_targets((PROMETHEUS / "routers.csv").read_text("utf-8"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert wanted.read_text("utf-8") == (PROMETHEUS / "targets" / "routers.json").read_text("utf-8")
