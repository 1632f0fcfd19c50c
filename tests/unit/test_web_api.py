"""What the endpoints answer."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from flask import Flask
from remsim.config.settings import load_settings
from remsim.core.clock import FakeClock
from remsim.core.reading import FIELDS
from remsim.options import EsimSimulation, Simulation
from remsim.web.openapi import PREFIX, api_routes
from remsim.web.series import MOST_EXPORTS
from web_support import START, SmallRouter, client_of, small_app, wait_until


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def parts(tmp_path: Path, clock: FakeClock) -> tuple[SmallRouter, Flask]:
    return small_app(tmp_path, clock=clock)


def test_health_says_nothing_but_that_it_is_there(parts) -> None:
    answer = client_of(parts[1], token=False).get("/api/v1/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_an_address_can_still_be_made_of_its_parts(parts) -> None:
    addresses = parts[1].url_map.bind("router")
    endpoint, values = addresses.match("/api/v1/modems/modem 1", "GET")
    assert addresses.build(endpoint, values) == "/api/v1/modems/modem%201"
    assert addresses.build(endpoint, {**values, "since": 3}) == "/api/v1/modems/modem%201?since=3"


def test_modems_come_with_their_flat_reading(parts) -> None:
    router, app = parts
    router.publish(rsrp_dbm=-95.5, band=3)
    first, second = client_of(app).get("/api/v1/modems").json["modems"]
    assert set(first["reading"]) == set(FIELDS)
    assert (first["reading"]["rsrp_dbm"], first["reading"]["nr_band"]) == (-95.5, None)
    assert first["reading"]["at"] == "2026-01-01T00:00:00.000Z"
    assert second["reading"] is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"json": {"period_s": 5}}, 5.0),
        ({"json": {"period_s": None}}, None),
        ({"data": {"period_s": "2.5"}}, 2.5),
        ({"data": {"period_s": "off"}}, None),
    ],
)
def test_a_period_is_taken_from_json_and_from_a_form_and_kept(parts, sent: dict, kept: float | None) -> None:
    router, app = parts
    answer = client_of(app).patch("/api/v1/modems/modem1", **sent)
    assert answer.status_code == 200 and answer.json["period_s"] == kept
    assert router.modems.periods == {"modem1": kept, "modem2": 1.0}
    assert load_settings(router.config_dir).modem_at("1-1.1").period_s == kept


def test_a_period_that_cannot_be_kept_is_in_force_and_said(parts, tmp_path: Path) -> None:
    router, app = parts
    router.config_dir = tmp_path / "nowhere"
    answer = client_of(app).patch("/api/v1/modems/modem1", json={"period_s": 5})
    assert answer.status_code == 507 and answer.json["field"] == "period_s"
    assert "in force" in answer.json["detail"] and router.modems.periods["modem1"] == 5.0


def test_state_without_since_has_the_last_reading_of_each_modem_and_the_last_events(parts) -> None:
    router, app = parts
    router.tell("first")
    router.publish("modem1", rsrp_dbm=-90)
    router.publish("modem1", rsrp_dbm=-91)
    newest = router.publish("modem2", rsrp_dbm=-92)
    state = client_of(app).get("/api/v1/state").json
    assert state["id"] == newest and state["simulated"] is True and state["lagged"] is False
    assert [(one["modem"], one["rsrp_dbm"]) for one in state["readings"]] == [("modem1", -91), ("modem2", -92)]
    assert [event["message"] for event in state["events"]] == ["first"]
    assert state["stream"] == {"max": 24, "open": 0}


def test_state_since_has_exactly_what_came_after(parts) -> None:
    router, app = parts
    client = client_of(app)
    router.publish(rsrp_dbm=-90)
    before = client.get("/api/v1/state").json["id"]
    assert client.get(f"/api/v1/state?since={before}").json["readings"] == []
    wanted = [router.publish(rsrp_dbm=value) for value in (-91, -92)]
    router.tell("something new")
    state = client.get(f"/api/v1/state?since={before}").json
    assert [one["id"] for one in state["readings"]] == wanted
    assert [event["message"] for event in state["events"]] == ["something new"]
    assert state["id"] == state["events"][0]["id"] and state["lagged"] is False


def test_state_since_long_ago_or_from_the_future_says_that_something_is_missing(parts) -> None:
    router, app = parts
    for _ in range(3):
        router.publish()
    client = client_of(app)
    assert client.get("/api/v1/state?since=99999").json["lagged"] is True
    for _ in range(1100):
        router.publish()
    state = client.get("/api/v1/state?since=1").json
    assert state["lagged"] is True and 0 < len(state["readings"]) <= 1024


def test_series_of_the_last_hour(parts, clock: FakeClock) -> None:
    router, app = parts
    for value in range(60):
        router.publish(rsrp_dbm=-100 + value)
        clock.advance(1)
    series = client_of(app).get("/api/v1/series?modem=modem1&measure=rsrp_dbm&range=1h&points=2000").json
    assert (series["measure"], series["unit"]) == ("rsrp_dbm", "dBm")
    assert all(len(point) == 4 for point in series["points"]) and 0 < len(series["points"]) <= 2000
    values = [point[2] for point in series["points"] if point[2] is not None]
    assert min(values) >= -100 and max(values) <= -41


@pytest.mark.parametrize(
    "period",
    [
        "from=1767225600&to=1767225660",
        "from=2026-01-01T00:00:00Z&to=2026-01-01T01:01:00%2B01:00",
        "from=2026-01-01T00:00:00&to=2026-01-01T00:01",
        "from=1767225600.0&to=2026-01-01T00:01:00.000Z",
    ],
)
def test_a_period_may_be_given_in_seconds_or_iso_8601(parts, clock: FakeClock, period: str) -> None:
    router, app = parts
    for value in range(60):
        router.publish(rsrp_dbm=-100 + value)
        clock.advance(1)
    stats = client_of(app).get(f"/api/v1/stats?modem=modem1&measure=rsrp_dbm&{period}").json
    assert stats["count"] > 0 and stats["unit"] == "dBm"
    assert -100 <= stats["min"] <= stats["median"] <= stats["p95"] <= stats["max"] <= -41


def test_an_empty_series_says_why(parts) -> None:
    router, app = parts
    router.publish(rsrp_dbm=-90)
    series = client_of(app).get("/api/v1/series?modem=modem1&measure=latency_ms&range=1h").json
    assert series["reason"] and not [point for point in series["points"] if point[2] is not None]


def test_a_modem_that_was_never_measured_has_an_empty_series_that_says_so(parts) -> None:
    client = client_of(parts[1])
    series = client.get("/api/v1/series?modem=modem2&measure=rsrp_dbm&range=1h").json
    assert series["points"] == [] and series["reason"]
    assert client.get("/api/v1/stats?modem=modem2&measure=rsrp_dbm").json["count"] == 0
    assert client.get("/api/v1/export.csv?modem=modem2&measure=rsrp_dbm").text == "time,modem,rsrp_dbm [dBm]\r\n"


def test_events_page_backwards_without_repeating_any(parts) -> None:
    router, app = parts
    for number in range(25):
        router.tell(f"event {number}")
    client, seen, cursor = client_of(app), [], ""
    while True:
        page = client.get(f"/api/v1/events?limit=10{cursor}").json
        seen += [event["message"] for event in page["events"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == [f"event {number}" for number in reversed(range(25))]


def test_events_are_filtered(parts, clock: FakeClock) -> None:
    router, app = parts
    router.tell("one", "modem1", "connect")
    clock.advance(100)
    router.tell("two", "modem2", "cell_change")
    client = client_of(app)

    def messages(query: str) -> list[str]:
        return [event["message"] for event in client.get(f"/api/v1/events?{query}").json["events"]]

    assert messages("modem=modem1") == ["one"]
    assert messages("kind=cell_change,reboot") == ["two"]
    assert messages(f"from={START + 50}") == ["two"]
    assert messages(f"to={START + 50}") == ["one"]
    assert messages("range=60") == ["two"]


def test_timeline_and_usage_answer(parts, clock: FakeClock) -> None:
    router, app = parts
    client = client_of(app)
    clock.advance(60)
    timeline = client.get("/api/v1/timeline?modem=modem1&track=technology&range=1h").json
    assert timeline["modem"] == "modem1" and timeline["segments"][-1]["to"] == "2026-01-01T00:01:00.000Z"
    usage = client.get("/api/v1/usage?from=2026-01-01&to=2026-01-02").json
    assert (usage["from"], usage["to"], usage["usage"]) == ("2026-01-01", "2026-01-02", [])
    assert client.get("/api/v1/usage?to=0001-01-03").json["from"] == "0001-01-01"


def test_csv_is_a_download_with_units_and_iso_times(parts, clock: FakeClock) -> None:
    router, app = parts
    for _ in range(10):
        router.publish(rsrp_dbm=-90)
        clock.advance(1)
    answer = client_of(app).get("/api/v1/export.csv?measure=rsrp_dbm,sinr_db&range=1h")
    assert answer.mimetype == "text/csv" and "attachment" in answer.headers["Content-Disposition"]
    header, *rows = list(csv.reader(io.StringIO(answer.text)))
    assert header == ["time", "modem", "rsrp_dbm [dBm]", "sinr_db [dB]"]
    assert rows and all(row[0].endswith("Z") and row[1] == "modem1" and row[3] == "" for row in rows)


def test_few_exports_run_at_once_and_an_ended_one_makes_room(parts) -> None:
    router, app = parts
    router.publish(rsrp_dbm=-90)
    client = client_of(app)
    for _ in range(2 * MOST_EXPORTS):
        assert client.head("/api/v1/export.csv").status_code == 200
        client.get("/api/v1/export.csv?range=1h").close()
    running = [client.get("/api/v1/export.json?range=1h") for _ in range(MOST_EXPORTS)]
    refused = client.get("/api/v1/export.csv?range=1h")
    assert refused.status_code == 503 and refused.json["code"] == "too_many_exports"
    assert int(refused.headers["Retry-After"]) > 0
    for answer in running:
        assert answer.json["series"]
        answer.close()
    assert client.get("/api/v1/export.csv?range=1h").status_code == 200


def test_json_export_is_json(parts) -> None:
    router, app = parts
    router.publish(rsrp_dbm=-90)
    content = json.loads(client_of(app).get("/api/v1/export.json?modem=modem1&measure=rsrp_dbm&range=1h").text)
    assert content["series"][0]["measure"] == "rsrp_dbm"


def test_a_job_is_found_by_its_id_with_its_end(parts) -> None:
    router, app = parts
    job = router.jobs.start("test", lambda job: job.report(0.5, "half") or {"done": 1})
    client = client_of(app)
    wait_until(lambda: client.get(f"/api/v1/jobs/{job.id}").json["state"] == "done")
    assert client.get(f"/api/v1/jobs/{job.id}").json["result"] == {"done": 1}
    assert [one["id"] for one in client.get("/api/v1/jobs").json["jobs"]] == [job.id]


def test_faults_go_to_the_simulator_and_only_in_simulation(parts) -> None:
    router, app = parts
    client = client_of(app)
    answer = client.post("/api/v1/simulation/faults", json={"modem": "modem2", "fault": "reboot", "seconds": 5})
    assert answer.status_code == 202
    assert router.simulator is not None and router.simulator.done == [("1-1.2", "reboot", 5.0)]
    answer = client.post("/api/v1/simulation/faults", json={"fault": "server_restart"})
    assert (answer.status_code, answer.json["modem"]) == (202, None), "a fault of the remote SIMs needs no modem"
    assert router.simulator.done[-1] == (None, "server_restart", None)
    sent = {"fault": "smdp_cut", "step": "authenticateClient"}
    assert client.post("/api/v1/simulation/faults", json=sent).status_code == 202
    assert router.simulator.done[-1] == (None, "smdp_cut authenticateClient", None)
    sent = {"data": '{"modem": "modem2", "fault": "\\ud800"}', "content_type": "application/json"}
    half = client.post("/api/v1/simulation/faults", **sent)
    assert (half.status_code, half.json["field"]) == (422, "fault"), "half a character, which no answer can repeat"
    router.simulator = None
    answer = client.post("/api/v1/simulation/faults", json={"modem": "modem2", "fault": "reboot"})
    assert answer.status_code == 404


def test_a_message_goes_to_the_virtual_modem_and_the_list_tells_what_is_proven(parts) -> None:
    router, app = parts
    client = client_of(app)
    answer = client.post("/api/v1/simulation/messages", json={"modem": "modem2", "pdu": "00A4"})
    assert (answer.status_code, answer.json["index"]) == (202, 7)
    assert router.simulator is not None and router.simulator.done[-1] == ("1-1.2", "00A4", None)
    assert client.post("/api/v1/simulation/messages", json={"modem": "modem2", "pdu": "00\rA4"}).status_code == 422
    assert client.get("/api/v1/simulation/modems").json["modems"][0]["proven"] == "capture"
    router.simulator = None
    assert client.get("/api/v1/simulation/modems").status_code == 404


def test_codes_to_scan_are_those_of_the_simulation(parts, tmp_path: Path) -> None:
    router, app = parts
    client = client_of(app)
    assert client.get("/api/v1/simulation/codes").json == {"codes": []}
    esim = EsimSimulation(tmp_path / "ca.pem", {}, (("a good one", "LPA:1$smdp.example.com$GOOD"),))
    router.simulation = Simulation(1, tmp_path, tmp_path, tmp_path, None, None, None, esim=esim)
    codes = client.get("/api/v1/simulation/codes").json["codes"]
    assert codes == [{"label": "a good one", "code": "LPA:1$smdp.example.com$GOOD"}]
    router.simulator = None
    assert client.get("/api/v1/simulation/codes").status_code == 404


def test_openapi_has_every_route_with_its_input(parts) -> None:
    app = parts[1]
    document = client_of(app).get("/api/v1/openapi.json").json
    routes = {(path, method.lower()) for path, method, _view in api_routes(app)}
    assert {(path, method) for path, methods in document["paths"].items() for method in methods} == routes
    assert len(routes) >= 17
    names = {one["name"]: one for one in document["paths"][f"{PREFIX}series"]["get"]["parameters"]}
    assert set(names) == {"range", "from", "to", "modem", "measure", "points"}
    assert names["points"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 2000, "default": 600}
    body = document["paths"][PREFIX + "modems/{modem_id}"]["patch"]["requestBody"]["content"]
    assert set(body) == {"application/json", "application/x-www-form-urlencoded"}
    json.dumps(document)


def test_openapi_names_the_errors_of_each_operation_and_what_is_sent(parts) -> None:
    paths = client_of(parts[1]).get("/api/v1/openapi.json").json["paths"]

    def answers(method: str, path: str) -> set[str]:
        return set(paths[PREFIX + path][method]["responses"])

    every = [one for methods in paths.values() for one in methods.values()]
    assert len({one["operationId"] for one in every}) == len(every)
    assert not any({"500", "default"} & set(one["responses"]) for one in every)
    assert answers("get", "healthz") == {"200", "400"}
    assert answers("get", "modems") == {"200", "400", "401", "403", "429"}
    assert {"502", "404", "409"} <= answers("get", "modems/{modem_id}/sms")
    assert "503" in answers("get", "export.csv") & answers("get", "stream")
    assert {"412", "507"} <= answers("put", "config") and "204" in answers("post", "auth/revoke")
    assert "content" not in paths[f"{PREFIX}auth/revoke"]["post"]["responses"]["204"]
    for method, path in (("put", "config/{kind}/{name}"), ("post", "modems/{modem_id}/apn"), ("post", "alert-rules")):
        assert "schema" in paths[PREFIX + path][method]["requestBody"]["content"]["application/json"], path


def test_what_is_no_method_of_an_address_is_told_with_those_that_are(parts) -> None:
    client = client_of(parts[1])
    for path, method, _view in api_routes(parts[1]):
        address = path.replace("{version_id}", "1").replace("{", "").replace("}", "")
        answer = client.open(address, method="TRACE")
        assert answer.status_code == 405 and method in answer.headers["Allow"], path
        assert answer.mimetype == "application/problem+json" and answer.json["code"] == "method_not_allowed"


def test_the_documentation_names_every_endpoint_and_parameter(parts) -> None:
    app = parts[1]
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    for path, method, view in api_routes(app):
        short = re.sub(r"\{\w+_id\}", "ID", path.removeprefix(PREFIX))
        short = short.replace("{name}", "NAME").replace("{kind}", "TYPE")
        if short.endswith("/form"):
            short = "modems/ID/ACTION/form"  # told once for all
        assert f"`{method} {short}" in text, (method, short)
        for schema in (view.description.query, view.description.body):
            for name, field in (schema().fields if schema else {}).items():
                assert f"`{field.data_key or name}`" in text, (short, name)


def test_every_answer_carries_the_headers_of_a_careful_server(parts) -> None:
    client = client_of(parts[1])
    for path in ("/", "/api/v1/modems", "/api/v1/nothing", "/ui/remsim/big.js"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
    assert client.get("/api/v1/modems").headers["Cache-Control"] == "no-store"


def test_files_are_compressed_and_checked_by_etag(parts) -> None:
    client = client_of(parts[1])
    plain = client.get("/ui/remsim/big.js")
    assert "Content-Encoding" not in plain.headers and plain.mimetype == "text/javascript"
    packed = client.get("/ui/remsim/big.js", headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip" and len(packed.data) < len(plain.data) / 10
    assert packed.headers["Cache-Control"] == "no-cache" and "Accept-Encoding" in packed.headers["Vary"]
    again = client.get("/ui/remsim/big.js", headers={"If-None-Match": packed.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_changed_file_is_sent_anew(parts, tmp_path: Path) -> None:
    client = client_of(parts[1])
    old = client.get("/ui/remsim/big.js", headers={"Accept-Encoding": "gzip"})
    (tmp_path / "htdocs" / "remsim" / "big.js").write_text("// other\n" * 700)
    new = client.get("/ui/remsim/big.js", headers={"Accept-Encoding": "gzip", "If-None-Match": old.headers["ETag"]})
    assert new.status_code == 200 and new.data != old.data


@pytest.mark.parametrize(
    "path",
    [
        "/ui/../token",
        "/ui/%2e%2e/token",
        "/ui//etc/passwd",
        "/ui/remsim",
        "/ui/",
        "/ui/remsim/big.js%00",
        "/ui/x.js",
        "/ui/" + "x" * 5000 + ".js",
    ],
)
def test_nothing_outside_the_pages_is_served(parts, tmp_path: Path, path: str) -> None:
    (tmp_path / "token").write_text("secret")
    answer = client_of(parts[1]).get(path)
    assert answer.status_code in (404, 308) and "secret" not in answer.text
