"""Every error has one shape, names its field, and shows nobody a traceback."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from flask import Flask
from remsim.core.errors import RemsimError
from remsim.web.auth import requires_scope
from remsim.web.openapi import api_routes
from web_support import client_of, small_app

SHAPE = {"type", "title", "status", "detail", "code", "field", "hint"}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return small_app(tmp_path)[1]


def check(answer, *statuses: int) -> dict:
    assert answer.status_code in statuses, (answer.status_code, answer.text[:500])
    assert answer.mimetype == "application/problem+json"
    problem = answer.get_json()
    assert set(problem) == SHAPE
    assert problem["status"] == answer.status_code
    assert problem["detail"] and problem["code"] and problem["title"]
    assert len(answer.text) < 2000 and "Traceback" not in answer.text
    return problem


SERIES = "series?modem=modem1&measure=rsrp_dbm"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (f"{SERIES}&points=-1", "points"),
        (f"{SERIES}&points=0", "points"),
        (f"{SERIES}&points=2001", "points"),
        (f"{SERIES}&points=1e3", "points"),
        (f"{SERIES}&points=NaN", "points"),
        (f"{SERIES}&points=" + "9" * 5000, "points"),
        (f"{SERIES}&points=٣", "points"),
        (f"{SERIES}&from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
        (f"{SERIES}&from=100&to=100", "from"),
        (f"{SERIES}&from=yesterday", "from"),
        (f"{SERIES}&from=-5", "from"),
        (f"{SERIES}&from=nan", "from"),
        (f"{SERIES}&from=inf", "from"),
        (f"{SERIES}&from=0001-01-01T00:00:00Z", "from"),
        (f"{SERIES}&to=999999999999", "to"),
        (f"{SERIES}&to=1e400", "to"),
        (f"{SERIES}&from=1&to=1700000000", "from"),
        (f"{SERIES}&range=soon", "range"),
        (f"{SERIES}&range=-1", "range"),
        (f"{SERIES}&range=0", "range"),
        (f"{SERIES}&range=999999999", "range"),
        (f"{SERIES}&range=1h&from=5", "range"),
        (f"{SERIES}&range=1h&range=6h", "range"),
        ("series?measure=rsrp_dbm", "modem"),
        ("series?modem=modem1", "measure"),
        ("series?modem=modem1&measure=charm", "measure"),
        ("series?modem=modem1&measure=" + "m" * 10_000, "measure"),
        ("series?modem=modem9&measure=rsrp_dbm", "modem"),
        ("series?modem=" + "m" * 10_000 + "&measure=rsrp_dbm", "modem"),
        ("series?modem=..%2F..%2Fetc&measure=rsrp_dbm", "modem"),
        ("stats?modem=modem1&measure=charm", "measure"),
        ("timeline?modem=modem1&track=moods", "track"),
        ("timeline?modem=modem9", "modem"),
        ("events?limit=many", "limit"),
        ("events?limit=0", "limit"),
        ("events?limit=501", "limit"),
        ("events?cursor=x", "cursor"),
        ("events?cursor=99999999999999999999", "cursor"),
        ("events?kind=party", "kind"),
        ("events?from=200&to=100", "from"),
        ("usage?from=2026-02-30", "from"),
        ("usage?from=2026-02-02&to=2026-02-01", "from"),
        ("usage?to=" + "1" * 10_000, "to"),
        ("export.csv?measure=charm", "measure"),
        ("export.csv?modem=modem9", "modem"),
        ("export.json?range=soon", "range"),
        ("export.json?from=0", "from"),
        ("export.csv?from=0&to=1700000000", "from"),
        ("state?since=x", "since"),
        ("state?since=-1", "since"),
        ("stream?modem=modem9", "modem"),
        ("stream?last_event_id=abc", "last_event_id"),
    ],
)
def test_a_wrong_parameter_is_named(app: Flask, query: str, field: str) -> None:
    problem = check(client_of(app).get(f"/api/v1/{query}"), 422)
    assert problem["field"] == field


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PATCH", "modems/modem1", {}, "period_s"),
        ("PATCH", "modems/modem1", {"period_s": 0}, "period_s"),
        ("PATCH", "modems/modem1", {"period_s": 61}, "period_s"),
        ("PATCH", "modems/modem1", {"period_s": True}, "period_s"),
        ("PATCH", "modems/modem1", {"period_s": "fast"}, "period_s"),
        ("PATCH", "modems/modem1", {"period_s": [1]}, "period_s"),
        ("PATCH", "modems/modem1", {"period_s": 10**400}, "period_s"),
        ("PATCH", "modems/modem1", {"period_s": float("nan")}, "period_s"),
        ("PATCH", "modems/modem1", {"period_s": 1, "colour": "red"}, "colour"),
        ("PATCH", "modems/modem1", {"period_s": 1, "c" * 10_000: 1}, None),
        ("PATCH", "modems/modem1", {"period_s": 1, "\ud800": 1}, "?"),
        ("PATCH", "modems/modem1", {"period_s": "\ud800"}, "period_s"),
        ("PATCH", "modems/modem1", [], "body"),
        ("POST", "tickets", {}, "purpose"),
        ("POST", "tickets", {"purpose": "party"}, "purpose"),
        ("POST", "tickets", {"purpose": 7}, "purpose"),
        ("POST", "simulation/faults", {"modem": "modem1"}, "fault"),
        ("POST", "simulation/faults", {"modem": "modem1", "fault": "unheard"}, "fault"),
        ("POST", "simulation/faults", {"modem": "modem1", "fault": "f" * 10_000}, "fault"),
        ("POST", "simulation/faults", {"modem": "modem1", "fault": "reboot", "seconds": -1}, "seconds"),
    ],
)
def test_a_wrong_body_is_named(app: Flask, method: str, path: str, body: object, field: str | None) -> None:
    text = json.dumps(body)
    answer = client_of(app).open(f"/api/v1/{path}", method=method, data=text, content_type="application/json")
    problem = check(answer, 422)
    assert problem["field"] == field if field else problem["field"].startswith("cc")


@pytest.mark.parametrize("text", ["", "null", "{", "nonsense", '{"period_s": 1', "\x00", "[" * 20_000])
def test_a_body_that_is_no_json_is_said(app: Flask, text: str) -> None:
    answer = client_of(app).patch("/api/v1/modems/modem1", data=text, content_type="application/json")
    assert check(answer, 422)["field"] == "body"


def test_a_header_that_is_no_id_is_named(app: Flask) -> None:
    answer = client_of(app).get("/api/v1/stream", headers={"Last-Event-ID": "x" * 5000})
    assert check(answer, 422)["field"] == "Last-Event-ID"


@pytest.mark.parametrize("path", ["modems/modem9", "modems/" + "m" * 10_000, "jobs/77", "nothing", "modems/%00"])
def test_what_does_not_exist_is_404(app: Flask, path: str) -> None:
    check(client_of(app).get(f"/api/v1/{path}"), 404)


def test_a_method_an_address_does_not_take_is_405_and_says_which_it_takes(app: Flask) -> None:
    client = client_of(app)
    takes: dict[str, set[str]] = {}
    for path, method, _view in api_routes(app):
        takes.setdefault(re.sub(r"\{\w+\}", "1", path), set()).add(method)
    routes = app.url_map.bind("localhost")
    for path, methods in takes.items():
        others = [method for method in ("PUT", "PATCH", "DELETE", "POST") if method not in methods]
        other = next((method for method in others if not routes.test(path, method)), None)  # as another route's name
        if other is not None:
            answer = client.open(path, method=other)
            check(answer, 405)
            assert answer.headers["Allow"]


def test_every_route_that_changes_something_wants_more_than_reading(app: Flask) -> None:
    # Looks at a body that belongs into no address; decides itself; or has its proof in the body.
    own = (
        *("sms/preview", "alert-rules/preview", "esim/rules/preview", "esim/parse"),
        *("policies/check", "policies/compile", "policies/explain"),
        *("tickets", "auth/pair", "auth/refresh", "auth/revoke"),
    )
    reads = {f"/api/v1/{name}" for name in own}
    for path, method, view in api_routes(app):
        if method != "GET" and path not in reads:
            assert {"write", "at-console"} >= set(view.required_scopes), (method, path)


def test_a_large_body_is_413_and_an_unknown_type_415(app: Flask) -> None:
    client = client_of(app)
    large = client.patch("/api/v1/modems/modem1", data=b"x" * 100_000, content_type="application/json")
    assert check(large, 413)["field"] == "body"
    unknown = client.patch("/api/v1/modems/modem1", data=b"<a/>", content_type="text/xml")
    assert check(unknown, 415)["field"] == "body"


def test_every_route_has_the_one_shape_for_an_unknown_input(app: Flask) -> None:
    client = client_of(app)
    for path, method, view in api_routes(app):
        if view.description.query is None and view.description.body is None and "{" not in path:
            continue
        fields = {} if view.description.query is None else view.description.query().fields
        wrong = dict.fromkeys(("modem", *(field.data_key or name for name, field in fields.items())), "\x01" * 3)
        answer = client.open(path.replace("{", "").replace("}", ""), method=method, query_string=wrong, json={"a": 1})
        off = (409,) if "/ionmesh/" in path else ()  # nobody is asked while it is off
        check(answer, 404, 422, *off)


def test_an_unforeseen_error_is_500_without_its_details(tmp_path: Path) -> None:
    router, app = small_app(tmp_path)

    def broken() -> None:
        raise ValueError("the secret is 42")

    router.modems.views = broken  # type: ignore[method-assign,assignment]
    answer = client_of(app).get("/api/v1/modems")
    check(answer, 500)
    assert "42" not in answer.text


def test_a_view_that_declares_no_scope_is_closed(tmp_path: Path) -> None:
    _router, app = small_app(tmp_path)
    app.add_url_rule("/forgotten", "forgotten", lambda: "open")
    check(client_of(app).get("/forgotten"), 403)


def test_an_error_of_the_domain_keeps_its_code_and_hint(tmp_path: Path) -> None:
    _router, app = small_app(tmp_path)

    @app.get("/busy")
    @requires_scope("read")
    def busy() -> None:
        raise RemsimError("it is busy", code="sim_busy", hint="wait", field="sim")

    problem = check(client_of(app).get("/busy"), 500)
    assert (problem["code"], problem["hint"], problem["field"]) == ("sim_busy", "wait", "sim")


@pytest.mark.parametrize("path", ["/ui//etc/passwd", "/api/v1//modems", "//evil.example/%2e%2e", "/modems//"])
def test_two_slashes_are_no_address_and_lead_nowhere(app: Flask, path: str) -> None:
    answer = client_of(app).get(path, headers={"Host": "evil.example"})
    check(answer, 404)
    assert "Location" not in answer.headers


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_what_comes_in_chunks_is_not_cut_where_it_is_too_long(app: Flask, kind: str) -> None:
    content = b'{"text": "a"}' if kind.endswith("json") else b"text=a"
    for padding, status in ((0, 200), (70_000, 413)):
        body = io.BytesIO(content + (b" " if kind.endswith("json") else b"a") * padding)
        environ = {"wsgi.input": body, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        answer = client_of(app).post("/api/v1/sms/preview", content_type=kind, environ_overrides=environ)
        assert answer.status_code == status, answer.text
