"""The log of who changed what: complete, bounded, without secrets."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.clock import FakeClock
from remsim.web.auth import accounts, audit
from remsim.web.auth.recorder import HIDDEN, hide
from small_disk import fill, small_disk
from web_support import BEARER, START, client_of, small_app


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def app(tmp_path: Path, clock: FakeClock) -> Flask:
    return small_app(tmp_path, clock=clock)[1]


def entries(app: Flask, query: str = "") -> list[dict[str, Any]]:
    return list(client_of(app).get(f"/api/v1/audit{query}").json["entries"])


def change(app: Flask, period_s: float = 7, **headers: str) -> int:
    client = client_of(app)
    return client.patch("/api/v1/modems/modem1", json={"period_s": period_s}, headers=headers).status_code


def test_a_change_is_written_down_with_who_where_what_and_result(app: Flask) -> None:
    assert change(app, **{"X-Remsim-User": "anna"}) == 200
    assert entries(app) == [
        {
            "id": 1,
            "at": "2026-01-01T00:00:00.000Z",
            "user": "anna",
            "way": "luci",
            "address": "127.0.0.1",
            "method": "PATCH",
            "path": "/api/v1/modems/modem1",
            "what": {"period_s": 7},
            "status": 200,
            "result": "done",
        }
    ]


def test_what_was_refused_is_written_down_with_why(app: Flask) -> None:
    client = client_of(app, token=False)
    assert client.delete("/api/v1/modems/modem1").status_code == 401
    assert change(app, **{"X-Remsim-User": "anna", "X-Remsim-Scopes": "read"}) == 403
    assert change(app, 100) == 422
    assert client_of(app).delete("/api/v1/modems/modem9").status_code == 404
    found = [(one["status"], one["result"], one["user"], one["what"]) for one in entries(app)]
    assert found == [
        (404, "not_found", "local", {}),
        (422, "invalid_input", "local", {"period_s": 100}),
        (403, "read_only", "anna", {}),
        (401, "unauthorized", "", {}),
    ]


def test_looking_and_asking_for_the_stream_are_no_changes(app: Flask) -> None:
    client = client_of(app)
    client.get("/api/v1/state")
    client.post("/api/v1/tickets", json={"purpose": "stream"})
    client.post("/api/v1/sms/preview", json={"text": "private"})
    assert client.post("/api/v1/config/check", json={"sections": []}).status_code == 200
    page = {"title": "", "widgets": []}
    assert client.post("/api/v1/layouts/check", json={"version": 1, "pages": [page]}).status_code == 200
    assert entries(app) == []
    client.post("/api/v1/tickets", json={"purpose": "browser"})
    assert [one["what"] for one in entries(app)] == [{"purpose": "browser"}]


def test_a_log_in_is_written_down_and_no_secret_with_it(app: Flask, tmp_path: Path) -> None:
    client = client_of(app, token=False)
    secrets = [client.post("/api/v1/tickets", json={"purpose": "browser"}, headers=BEARER).json["ticket"]]
    client.get(f"/login?ticket={secrets[0]}")
    secrets.append(client.post("/api/v1/tickets", json={"purpose": "app"}, headers=BEARER).json["ticket"])
    made = client.post("/api/v1/auth/pair", json={"ticket": secrets[1], "device": "phone"}).json
    token = client.post("/api/v1/tokens", json={"name": "TV", "scopes": ["wall"]}, headers=BEARER).json
    secrets += [made["access"], made["refresh"], token["secret"], client.get_cookie("remsim_session").value]
    told = client_of(app).get("/api/v1/audit").text + client_of(app).get("/api/v1/audit.csv").text
    assert "phone" in told and "TV" in told and "logged in" in told
    app.extensions["remsim"].accounts.close()
    content = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in secrets:
        assert secret not in told and secret.encode() not in content


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("pin", "1234", HIDDEN),
        ("new_pin", "1234", HIDDEN),
        ("password", "x", HIDDEN),
        ("smtp-password", {"a": "b"}, HIDDEN),
        ("api_key", "x", HIDDEN),
        ("text", "Dear", HIDDEN),
        ("number", "+49170", HIDDEN),
        ("ping_host", "192.0.2.1", "192.0.2.1"),
        ("keyboard", "de", "de"),
        ("url", "https://me:secret@host/hook?token=x", "https://…@host/hook"),
        ("command", 'AT+CPIN="1234"', "AT+CPIN=…"),
        ("command", "AT+CSQ", "AT+CSQ"),
        ("note", "IMEI 490154203237518 seen", "IMEI •••••••••••7518 seen"),
        ("note", "a\x1b[2J\r\nb", "a�[2J��b"),
        ("note", "x" * 200, "x" * 80 + "…"),
        ("bands", [1, 3, "n78"], [1, 3, "n78"]),
        ("channel", {"type": "smtp", "password": "x"}, {"type": "smtp", "password": HIDDEN}),
        ("list", [{"token": "x"}], [{"token": HIDDEN}]),
    ],
)
def test_secrets_are_hidden_and_all_else_is_one_short_line(name: str, value: Any, shown: Any) -> None:
    assert hide({name: value}) == {name: shown}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), JSON))
def test_whatever_is_sent_can_be_written_down(content: dict[str, Any]) -> None:
    entry = audit.Entry(0.0, "a", "b", "c", "POST", "/", hide(content), 200, "done")
    assert all("\n" not in str(value) for value in entry.row())


def test_a_large_body_leaves_its_fields_names(app: Flask) -> None:
    body = {"name": "a", "scopes": ["read"], **{f"more{number}": "x" * 70 for number in range(20)}}
    client_of(app).post("/api/v1/tokens", json=body)
    assert entries(app)[0]["what"]["fields"][:3] == ["name", "scopes", "more0"]


@pytest.mark.parametrize("body", [b"[" * 30_000, b'{"a":' * 10_000, b"\xff\xfe", b"{", b"[1]", b"x" * 70_000])
@pytest.mark.parametrize("path", ["modems/modem1", "nowhere"])
def test_a_body_that_is_a_bomb_is_only_refused(app: Flask, body: bytes, path: str) -> None:
    answer = client_of(app).patch(f"/api/v1/{path}", data=body, content_type="application/json")
    assert answer.status_code in (404, 413, 422)
    assert entries(app)[0]["what"] == {}


def test_who_hammers_fills_no_disk(app: Flask, clock: FakeClock) -> None:
    client = client_of(app, token=False)
    for number in range(100):
        client.post(f"/api/v1/x{number}", environ_base={"REMOTE_ADDR": f"10.0.0.{number}"})
    assert len(entries(app)) == audit.MOST_REFUSED
    clock.advance(61)
    change(app)
    assert [one["result"] for one in entries(app)[:2]] == ["done", "70 more refused requests"]


@pytest.mark.parametrize("body", [b"", b"{", b'{"refresh": 1}'])
def test_who_is_not_let_in_pushes_nothing_out_of_the_log(app: Flask, body: bytes) -> None:
    change(app)
    stranger = client_of(app, token=False)
    for path in ("/api/v1/auth/refresh", "/api/v1/auth/pair", "/api/v1/auth/revoke") * 20:
        assert 400 <= stranger.post(path, data=body, content_type="application/json").status_code < 500
    found = entries(app, "?limit=200")
    assert len(found) == audit.MOST_REFUSED + 1
    assert found[-1]["user"] == "local"


def test_a_page_at_a_time_and_filtered(app: Flask, clock: FakeClock) -> None:
    for number in range(5):
        clock.advance(60)
        change(app, number + 1, **{"X-Remsim-User": "anna" if number % 2 else "ben"})
    client_of(app).delete("/api/v1/modems/modem9")
    first = client_of(app).get("/api/v1/audit?limit=4").json
    rest = client_of(app).get(f"/api/v1/audit?limit=4&cursor={first['next']}").json
    assert [one["id"] for one in first["entries"] + rest["entries"]] == [6, 5, 4, 3, 2, 1]
    assert rest["next"] is None and first["kept"] == {"entries": 5000, "days": 90}
    assert [one["what"]["period_s"] for one in entries(app, "?user=anna")] == [4, 2]
    assert [one["id"] for one in entries(app, "?refused=1")] == [6]
    assert [one["id"] for one in entries(app, "?text=modem9")] == [6]
    assert entries(app, "?text=%25") == [] == entries(app, "?text=modem_1")
    assert [one["id"] for one in entries(app, "?range=90s")] == [6, 5, 4]
    assert client_of(app).get("/api/v1/audit?range=1h&from=0").status_code == 422


def test_the_download_is_no_formula(app: Flask) -> None:
    change(app, **{"X-Remsim-User": "-2"})
    answer = client_of(app).get("/api/v1/audit.csv?user=-2")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == list(audit.COLUMNS) and len(rows) == 2
    assert rows[1][2] != "-2" and "-2" in rows[1][2]
    assert "attachment" in answer.headers["Content-Disposition"]


def test_only_who_may_write_reads_it(app: Flask) -> None:
    for path in ("audit", "audit.csv", "tokens", "sessions"):
        answer = client_of(app).get(f"/api/v1/{path}", headers={"X-Remsim-Scopes": "read"})
        assert answer.status_code == 403, path


def test_on_a_full_disk_entries_wait_and_are_written_when_there_is_space(tmp_path: Path, clock: FakeClock) -> None:
    with small_disk(tmp_path / "disk", 512) as disk:
        store = accounts.Accounts(disk / "accounts.db", clock=clock, key="k")
        filler = fill(disk)
        for number in range(2 * audit.MOST_WAITING):
            what = {"note": "x" * 80}
            store.audit.append(audit.Entry(clock.now(), "anna", "luci", "", "POST", f"/{number}", what, 200, "done"))
        assert store.problem is not None and "accounts.db" in store.problem
        filler.unlink()
        assert store.problem is not None, "it is not tried at each look"
        clock.advance(60)
        assert store.problem is None
        kept, _next = store.audit.query(limit=1000)
        assert [one.path for one in kept[: audit.MOST_WAITING]] == [
            f"/{number}" for number in reversed(range(audit.MOST_WAITING, 2 * audit.MOST_WAITING))
        ]
        store.close()


def test_old_entries_go(app: Flask, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MOST", 20)
    monkeypatch.setattr(audit, "PRUNE_EVERY", 10)
    for _ in range(45):
        change(app)
    assert 20 <= len(entries(app, "?limit=200")) < 30
    clock.advance(91 * 86400)
    for _ in range(10):
        change(app)
    assert len(entries(app, "?limit=200")) <= 10
