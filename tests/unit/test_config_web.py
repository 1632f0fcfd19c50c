"""The endpoints of the settings: what they answer, who may, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from remsim.web.restart import RESTART
from web_support import SmallRouter, client_of, small_app

FILE = """config channel 'mail'
	option type 'smtp'
	option host 'mail.example.org'
	option sender 'router@example.org'
	list recipients 'me@example.org'
	option user 'router'
	option password 'hunter2'
"""


@pytest.fixture
def router(tmp_path: Path) -> Iterator[SmallRouter]:
    (tmp_path / "remsim_console").write_text(FILE)
    made, app = small_app(tmp_path)
    made.app = app  # type: ignore[attr-defined]
    yield made
    made.stop()


@pytest.fixture
def client(router: SmallRouter) -> FlaskClient:
    return client_of(router.app)  # type: ignore[attr-defined]


def told(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    content: dict[str, Any] = answer.get_json()
    return content


def test_every_section_can_be_put_by_the_form_that_describes_it(client: FlaskClient) -> None:
    forms = told(client.get("/api/v1/config/form"), 200)["types"]
    assert [one["type"] for one in forms][:5] == ["service", "history", "web", "quality", "modem"]
    for form in forms:
        if form["many"]:
            continue
        properties = form["schema"]["properties"].items()  # UCI keeps none that is empty
        values = {name: one["default"] for name, one in properties if one.get("default", "") not in ("", [])}
        answer = told(client.put(f"/api/v1/config/{form['type']}/{form['type']}", json=values), 200)
        assert answer["restart_needed"] == []
        assert told(client.get(f"/api/v1/config/{form['type']}/{form['type']}"), 200)["values"] == values


def test_a_form_says_what_is_not_in_force_at_once(client: FlaskClient) -> None:
    forms = {one["type"]: one["schema"]["properties"] for one in told(client.get("/api/v1/config/form"), 200)["types"]}
    assert "x-restart" not in forms["service"]["period_s"]
    assert forms["service"]["log_level"]["x-restart"] == "service"
    assert forms["web"]["listen"]["x-restart"] == "init"


def test_who_was_second_is_told(client: FlaskClient) -> None:
    first = client.get("/api/v1/config?types=history")
    tag = first.headers["ETag"]
    assert tag == f'"{told(first, 200)["etag"]}"'
    told(client.put("/api/v1/config/history/history", json={"events_days": 9}, headers={"If-Match": tag}), 200)
    again = client.put("/api/v1/config/history/history", json={"events_days": 8}, headers={"If-Match": tag})
    assert told(again, 412)["code"] == "changed_meanwhile"
    stale = client.delete(f"/api/v1/config/history/history?etag={tag[1:-1]}")
    assert told(stale, 412)["code"] == "changed_meanwhile"
    told(client.delete("/api/v1/config/history/history", headers={"If-Match": "*"}), 200)


def test_a_refusal_names_the_field(client: FlaskClient) -> None:
    answer = told(client.put("/api/v1/config/web/web", json={"listen": "x"}), 422)
    assert (answer["field"], answer["detail"]) == ("listen", "listen: is not HOST:PORT")
    told(client.get("/api/v1/config/web/other"), 404)
    told(client.get("/api/v1/config/other/other"), 404)
    told(client.get("/api/v1/config?types=other"), 404)


def test_a_check_changes_nothing_and_warns(client: FlaskClient, tmp_path: Path) -> None:
    document = {"types": ["web"], "sections": [{"type": "web", "values": {"listen": "0.0.0.0:8090"}}]}
    answer = told(client.post("/api/v1/config/check", json=document), 200)
    assert answer["changes"] == [{"path": "web.listen", "before": None, "after": "0.0.0.0:8090"}]
    assert answer["needs_init"] == ["web.listen"]
    assert "cut off" in answer["warnings"][0]["text"]
    assert (tmp_path / "remsim_console").read_text() == FILE
    assert told(client.put("/api/v1/config", json=document), 200)["changes"] == answer["changes"]


def test_an_export_has_passwords_only_when_asked_for_and_an_import_without_keeps_them(
    client: FlaskClient, tmp_path: Path
) -> None:
    answer = client.get("/api/v1/config/export")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "hunter2" not in answer.text
    assert "hunter2" in client.get("/api/v1/config/export?secrets=1").text
    told(client.post("/api/v1/config/import", json=json.loads(answer.text)), 200)
    assert (tmp_path / "remsim_console").read_text() == FILE


def test_versions_are_listed_shown_and_gone_back_to(client: FlaskClient) -> None:
    told(client.put("/api/v1/config/history/history", json={"events_days": 9}), 200)
    newest, oldest = told(client.get("/api/v1/config/versions"), 200)["versions"]
    assert newest["what"] == ["history: added", "history.events_days: 9"] or "history.events_days: 9" in newest["what"]
    assert newest["actor"].startswith("local")
    shown = told(client.get(f"/api/v1/config/versions/{oldest['n']}"), 200)
    assert shown["changes"] == [{"path": "history.events_days", "before": "9", "after": None}]
    told(client.post(f"/api/v1/config/versions/{oldest['n']}/rollback"), 200)
    assert told(client.get("/api/v1/config/history/history"), 200)["values"] == {}
    told(client.post("/api/v1/config/versions/99/rollback"), 404)
    told(client.get("/api/v1/config/versions/x"), 404)


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{", b'{"sections": 1}', b"[" * 3000, b'{"sections": [{"type": "web", "values": {"threads": 1e400}}]}'],
)
def test_nonsense_is_refused(client: FlaskClient, body: bytes) -> None:
    for path in ("config/check", "config/import"):
        answer = client.post(f"/api/v1/{path}", data=body, content_type="application/json")
        assert answer.status_code == 422, answer.text
    assert client.put("/api/v1/config/web/web", data=body, content_type="application/json").status_code == 422


def test_what_is_larger_than_a_configuration_may_be_is_refused(client: FlaskClient) -> None:
    rules = [{"type": "alert", "name": f"r{at}", "values": {}} for at in range(10_000)]
    told(client.post("/api/v1/config/import", json={"sections": rules}), 422)
    large = {"sections": [{"type": "web", "values": {"listen": "x" * 600_000}}]}
    told(client.post("/api/v1/config/import", json=large), 413)


def test_a_restart_is_asked_for_and_said_to_be_under_way(router: SmallRouter, client: FlaskClient) -> None:
    assert told(client.post("/api/v1/service/restart"), 409)["code"] == "conflict"
    asked: list[bool] = []
    router.app.extensions[RESTART] = lambda: asked.append(True)  # type: ignore[attr-defined]
    told(client.put("/api/v1/config/web/web", json={"threads": 40}), 200)
    assert told(client.post("/api/v1/service/restart"), 202) == {"restarting": True, "needs_init": ["web.threads"]}
    assert asked == [True]


def with_token(client: FlaskClient, *scopes: str) -> dict[str, str]:
    """The header of a new token."""
    made = client.post("/api/v1/tokens", json={"name": "-".join(scopes), "scopes": list(scopes)})
    assert made.status_code in (200, 201), made.text
    return {"Authorization": f"Bearer {made.get_json()['secret']}"}


def test_who_may_not_see_identifiers_gets_no_passwords_and_who_only_reads_changes_nothing(client: FlaskClient) -> None:
    writer, reader = with_token(client, "read", "write"), with_token(client, "read")
    assert told(client.get("/api/v1/config/export?secrets=1", headers=writer), 403)["code"] == "no_identifiers"
    assert "hunter2" not in client.get("/api/v1/config/export", headers=reader).text
    for method, path in (
        *(("put", "config"), ("put", "config/web/web"), ("delete", "config/web/web"), ("post", "config/check")),
        *(("post", "config/import"), ("post", "config/versions/1/rollback"), ("post", "service/restart")),
    ):
        told(getattr(client, method)(f"/api/v1/{path}", headers=reader, json={}), 403)


def test_a_token_reaches_the_local_network_by_no_way_of_changing_settings(client: FlaskClient, tmp_path: Path) -> None:
    writer = with_token(client, "read", "write")
    values = told(client.get("/api/v1/config/channel/mail"), 200)["values"]
    inside = {**values, "allow_private": True}
    document = {"types": ["channel"], "sections": [{"type": "channel", "name": "mail", "values": inside}]}
    for method, path, body in (
        ("put", "config/channel/mail", inside),
        ("put", "config", document),
        ("post", "config/import", document),
        ("post", "config/check", document),
        ("put", "config/channel/mail", {**values, "host": "mail.example.net"}),  # it would be told the password
    ):
        assert told(getattr(client, method)(f"/api/v1/{path}", headers=writer, json=body), 403)["code"] == "untrusted"
    assert (tmp_path / "remsim_console").read_text() == FILE
    told(client.put("/api/v1/config/channel/mail", json=inside), 200)
    told(client.put("/api/v1/config/channel/mail", json=values), 200)
    newer = told(client.get("/api/v1/config/versions"), 200)["versions"][1]["n"]
    back = client.post(f"/api/v1/config/versions/{newer}/rollback", headers=writer)
    assert told(back, 403)["code"] == "untrusted"


@pytest.mark.parametrize("option", ["data_dir", "state_dir"])
def test_a_token_does_not_say_where_root_writes(client: FlaskClient, option: str) -> None:
    writer = with_token(client, "read", "write")
    for path in ("config/service/service", "config/check"):
        values = {option: "/www/remsim"}
        body = values if path.endswith("service") else {"sections": [{"type": "service", "values": values}]}
        method = client.post if path.endswith("check") else client.put
        assert told(method(f"/api/v1/{path}", headers=writer, json=body), 403)["code"] == "untrusted"
    told(client.put("/api/v1/config/service/service", headers=writer, json={"period_s": "5"}), 200)
    told(client.put("/api/v1/config/service/service", json={option: "/tmp/remsim"}), 200)


def test_what_was_changed_is_in_the_audit_log_without_secrets(client: FlaskClient) -> None:
    values = told(client.get("/api/v1/config/channel/mail"), 200)["values"]
    told(client.put("/api/v1/config/channel/mail", json={**values, "password": "s3cret", "label": "Mail"}), 200)
    entry = client.get("/api/v1/audit").text
    assert "channel[mail].label: Mail" in entry
    assert "s3cret" not in entry and "hunter2" not in entry
