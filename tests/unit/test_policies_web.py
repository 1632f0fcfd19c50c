"""``/api/v1/policies`` over HTTP: what is put in force, what is refused and how."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from web_support import SmallRouter, client_of, small_app

ONE = "policy all {\n  match: all\n  route: any\n}\n"
BAD = "policy all {\n  match: all\n  route: nowhere\n  colour: red\n}\n"
API = "/api/v1/policies"


@pytest.fixture
def parts(tmp_path: Path) -> tuple[SmallRouter, FlaskClient]:
    router, app = small_app(tmp_path)
    return router, client_of(app)


def test_a_router_without_policies_says_so(parts: tuple[SmallRouter, FlaskClient]) -> None:
    answer = parts[1].get(API)
    assert answer.json["text"] == "" and answer.json["policies"] == [] and answer.json["state"] == "off"


def test_a_text_is_put_in_force_by_json_and_by_form(parts: tuple[SmallRouter, FlaskClient]) -> None:
    _router, client = parts
    made = client.put(API, json={"text": ONE})
    assert made.status_code == 200 and [one["name"] for one in made.json["policies"]] == ["all"]
    assert made.headers["ETag"] == f'"{made.json["etag"]}"'
    again = client.put(API, data={"text": ONE.replace("all {", "other {")})
    assert [one["name"] for one in again.json["policies"]] == ["other"]
    assert client.get(API).json["version"] == 2


def test_errors_are_told_with_their_places_and_nothing_changes(parts: tuple[SmallRouter, FlaskClient]) -> None:
    _router, client = parts
    client.put(API, json={"text": ONE})
    answer = client.put(API, json={"text": BAD})
    assert answer.status_code == 422 and answer.json["field"] == "text" and answer.json["code"]
    assert [(one["line"], bool(one["expected"])) for one in answer.json["errors"]] == [(3, True), (4, True)]
    assert client.get(API).json["text"] == ONE
    looked = client.post(f"{API}/check", json={"text": BAD})
    assert looked.status_code == 200 and not looked.json["ok"] and len(looked.json["errors"]) == 2
    refused = client.post(f"{API}/compile", json={"text": BAD})
    assert refused.status_code == 422 and len(refused.json["errors"]) == 2


def test_who_changes_what_another_has_changed_is_told(parts: tuple[SmallRouter, FlaskClient]) -> None:
    _router, client = parts
    etag = client.put(API, json={"text": ONE}).headers["ETag"]
    assert client.put(API, json={"text": ONE * 1 + "# more\n"}, headers={"If-Match": etag}).status_code == 200
    late = client.put(API, json={"text": ONE}, headers={"If-Match": etag})
    assert late.status_code == 412 and late.json["code"] == "changed_meanwhile"
    assert client.put(f"{API}?etag={etag.strip(chr(34))}", json={"text": ONE}).status_code == 412


def test_a_dry_run_changes_nothing(parts: tuple[SmallRouter, FlaskClient]) -> None:
    _router, client = parts
    answer = client.put(API, json={"text": ONE, "dry_run": True})
    assert answer.status_code == 200 and answer.json["ok"] and client.get(API).json["text"] == ""


def test_objects_are_made_into_a_text_and_marked_as_remote(parts: tuple[SmallRouter, FlaskClient]) -> None:
    _router, client = parts
    client.put(API, json={"text": ONE})
    pushed = [
        {"name": "voip", "match": "protocol RTP, port 5060-5090", "route": "any", "priority": "high"},
        {"name": "rest", "match": "source { 192.168.1.20, 192.168.1.21 }", "route": "any", "priority": 200},
    ]
    answer = client.put(API, json={"policies": pushed, "source": "remote"})
    assert answer.json["source"] == "remote" and [one["name"] for one in answer.json["policies"]] == ["voip", "rest"]
    over = client.post(f"{API}/override", json={"is_overridden": True})
    assert over.json["text"] == ONE and over.json["is_overridden"]
    assert client.post(f"{API}/override", json={"is_overridden": False}).json["source"] == "remote"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ONE, "policies": []}, "text"),
        ({"policies": "x"}, "policies"),
        ({"policies": [1]}, "policies.0"),
        ({"policies": [{"match": "all"}]}, "policies.0"),
        ({"policies": [{"name": "a }"}]}, "policies.0.name"),
        ({"policies": [{"name": "a", "Match!": "all"}]}, "policies.0"),
        ({"policies": [{"name": "a", "match": "all\n}"}]}, "policies.0.match"),
        ({"policies": [{"name": "a", "match": "all } policy b {"}]}, "policies.0.match"),
        ({"policies": [{"name": "a", "match": ["all"]}]}, "policies.0.match"),
        ({"policies": [{"name": "a"}] * 1001}, "policies"),
        ({"text": ONE, "source": "elsewhere"}, "source"),
        ({"text": ONE, "confirm_s": -1}, "confirm_s"),
        ({"text": ONE, "typo": 1}, "typo"),
    ],
)
def test_what_cannot_be_put_in_force_is_told_with_its_field(
    parts: tuple[SmallRouter, FlaskClient], body: dict[str, object], field: str
) -> None:
    answer = parts[1].put(API, json=body)
    assert (answer.status_code, answer.json["field"]) == (422, field), answer.json


def test_a_megabyte_is_read_and_more_is_refused_in_words(parts: tuple[SmallRouter, FlaskClient]) -> None:
    _router, client = parts
    most = ONE + "#" * (1024 * 1024 - len(ONE))
    assert client.post(f"{API}/check", json={"text": most}).json["ok"]
    assert client.post(f"{API}/check", data={"text": most}).json["ok"]
    more = client.post(f"{API}/check", json={"text": most + "#"})
    assert more.status_code == 422 and more.json["field"] == "text" and "1 MB" in more.json["detail"]
    huge = client.post(f"{API}/check", json={"text": most * 5})
    assert huge.status_code == 413 and huge.json["code"] == "too_large"


def test_a_change_is_confirmed_or_taken_back(parts: tuple[SmallRouter, FlaskClient]) -> None:
    _router, client = parts
    client.put(API, json={"text": ONE})
    assert client.post(f"{API}/confirm").status_code == 409
    made = client.put(API, json={"text": ONE + "# second\n", "confirm_s": 90})
    assert made.json["pending"]["confirm_by"]
    assert client.post(f"{API}/confirm", json={}).json["pending"] is None
    back = client.post(f"{API}/rollback", json={"version": 1})
    assert back.json["text"] == ONE
    versions = client.get(f"{API}/versions").json["versions"]
    assert [one["n"] for one in versions] == [3, 2, 1] and versions[0]["is_current"]
    assert client.get(f"{API}/versions/2").json["text"] == ONE + "# second\n"
    assert client.get(f"{API}/versions/9").status_code == 404
    assert client.post(f"{API}/rollback", json={"version": 9}).status_code == 404


def test_nothing_before_the_first_is_a_conflict(parts: tuple[SmallRouter, FlaskClient]) -> None:
    assert parts[1].post(f"{API}/rollback").status_code == 409


def test_a_flow_is_explained(parts: tuple[SmallRouter, FlaskClient]) -> None:
    _router, client = parts
    text = 'policy night { match: time 00:00-06:00, port 443\n route: connection "lte"\n}\n' + ONE
    asked = {"text": text, "source": "192.168.1.5", "port": "443", "protocol": "tcp", "at": "2026-01-31T23:30:00+00:00"}
    found = client.post(f"{API}/explain", json=asked).json
    assert found["policy"] in ("night", "all") and found["line"] in (1, 4)
    assert {one["policy"] for one in found["steps"]} <= {"night", "all"}
    for wrong in ({"port": 99999}, {"at": "soon"}, {"source": "nowhere"}, {"dscp": "loud"}, {"destination": "1.2.3"}):
        answer = client.post(f"{API}/explain", json=wrong)
        assert answer.status_code == 422 and answer.json["field"] == next(iter(wrong)), answer.json


def test_presets_and_words_are_told(parts: tuple[SmallRouter, FlaskClient]) -> None:
    _router, client = parts
    presets = client.get(f"{API}/presets").json["presets"]
    assert {"name", "title", "help", "text"} <= set(presets[0])
    for one in presets:
        assert client.post(f"{API}/check", json={"text": one["text"]}).json["ok"], one["name"]
    words = client.get(f"{API}/vocabulary").json
    assert {"match", "route", "fields", "criteria", "algorithms", "links"} <= set(words)


def test_a_list_of_countries_comes_as_json_as_itself_and_packed(parts: tuple[SmallRouter, FlaskClient]) -> None:
    _router, client = parts
    path, rows = f"{API}/countries", b"192.0.2.0,192.0.2.255,DE\n198.51.100.0,198.51.100.255,FR\n"
    assert client.get(path).json["is_there"] is False
    made = client.post(path, json={"csv": rows.decode(), "source": "a vendor"})
    assert made.status_code == 200 and {one["code"] for one in made.json["countries"]} == {"DE", "FR"}
    assert (made.json["source"], made.json["attribution"], made.json["date"]) == ("a vendor", "", None)
    raw = client.post(f"{path}?source=file", data=rows[:25], content_type="text/csv")
    assert [one["code"] for one in raw.json["countries"]] == ["DE"] and raw.json["source"] == "file"
    told = {"source": "a vendor", "attribution": "Addresses by a vendor, CC BY 4.0", "date": "2026-11-01"}
    for given in (
        {"json": {"csv": rows.decode(), **told}}, {"data": rows, "content_type": "text/csv", "query_string": told}
    ):  # fmt: skip
        assert client.post(path, **given).status_code == 200
        shown = client.get(path).json
        assert {name: shown[name] for name in told} == told
    bad = client.post(path, json={"csv": rows.decode(), "date": "11/2026"})
    assert (bad.status_code, bad.json["field"]) == (422, "date")
    packed = client.post(path, data=gzip.compress(rows), content_type="application/gzip")
    assert len(packed.json["countries"]) == 2
    for wrong in (b"", b"no list at all\n"):
        answer = client.post(path, data=wrong, content_type="text/csv")
        assert answer.status_code == 422, answer.json
    assert len(client.get(path).json["countries"]) == 2, "what was there stays"
    assert client.delete(path).json["is_there"] is False
    assert client.post(path, data=b"<a/>", content_type="text/xml").status_code == 415


def test_the_api_describes_what_it_takes(parts: tuple[SmallRouter, FlaskClient]) -> None:
    paths = parts[1].get("/api/v1/openapi.json").json["paths"]
    body = json.dumps(paths["/api/v1/policies"]["put"]["requestBody"])
    assert '"confirm_s"' in body and '"policies"' in body


@pytest.mark.parametrize("text", [8409, None, True, ["policy"], {"policy": "all"}, "policy \ud83d {}"])
def test_what_is_no_text_is_refused_at_its_field(parts: tuple[SmallRouter, FlaskClient], text: object) -> None:
    for way, path in ((parts[1].put, API), (parts[1].post, f"{API}/check")):
        answer = way(path, data=json.dumps({"text": text}), content_type="application/json")
        assert (answer.status_code, answer.json["field"]) == (422, "text")


def test_policies_as_objects_beside_what_is_no_text_are_refused(parts: tuple[SmallRouter, FlaskClient]) -> None:
    body = json.dumps({"confirm_s": -1, "text": 8409, "policies": [{"\uda8b": "x"}]})
    answer = parts[1].put(API, data=body, content_type="application/json")
    assert answer.status_code == 422
