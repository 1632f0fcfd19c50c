"""API tokens, browsers' sessions and the wall's link: made, used, ended."""

from __future__ import annotations

import hashlib
import hmac
import stat
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from remsim.core.clock import FakeClock
from remsim.core.errors import StorageError
from remsim.web.auth import COOKIE, SCOPES, Identity, accounts, credential
from remsim.web.context import Services
from small_disk import make_read_only, small_disk
from web_support import BEARER, START, client_of, small_app, wait_until

DAY = 86400


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def app(tmp_path: Path, clock: FakeClock) -> Flask:
    return small_app(tmp_path, clock=clock)[1]


def restarted(app: Flask, clock: FakeClock) -> Flask:
    parts: Services = app.extensions["remsim"]
    parts.accounts.close()
    parts.router.stop()
    return small_app(parts.router.state_dir, clock=clock)[1]


def made(app: Flask, *scopes: str, name: str = "one", by: dict[str, str] = BEARER, **more: Any) -> dict[str, Any]:
    body = {"name": name, "scopes": list(scopes), **more}
    answer = client_of(app, token=False).post("/api/v1/tokens", json=body, headers=by)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def status(app: Flask, secret: str, path: str = "state", method: str = "GET", **more: Any) -> int:
    client = client_of(app, token=False)
    return client.open(f"/api/v1/{path}", method=method, headers=bearer(secret), **more).status_code


def browser(app: Flask, scopes: list[str] | None = None, by: dict[str, str] = BEARER) -> FlaskClient:
    client = client_of(app, token=False)
    body = {"purpose": "browser"} | ({} if scopes is None else {"scopes": scopes})
    ticket = client.post("/api/v1/tickets", json=body, headers=by).json["ticket"]
    assert client.get(f"/login?ticket={ticket}").status_code == 303
    return client


def test_a_token_is_told_once_and_kept_as_a_hash(app: Flask, tmp_path: Path) -> None:
    token = made(app, "read")
    assert token["secret"].startswith("rsm_") and len(token["secret"]) > 43
    listed = client_of(app).get("/api/v1/tokens").json["tokens"]
    assert [one["id"] for one in listed] == [token["id"]] and "secret" not in listed[0]
    app.extensions["remsim"].accounts.close()
    for path in tmp_path.glob("accounts.db*"):
        assert token["secret"].encode() not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = (tmp_path / "accounts.db").read_bytes()
    assert hashlib.sha256(token["secret"].encode()).hexdigest().encode() in content


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_opens_what_it_says_and_nothing_else(app: Flask, scope: str) -> None:
    secret = made(app, scope)["secret"]
    opens = {
        "read": ("GET", "modems"),
        "write": ("GET", "tokens"),
        "identifiers": ("GET", "modems/modem9/identifiers"),
        "at-console": ("POST", "modems/modem1/at"),
    }
    for needed, (method, path) in opens.items():
        found = status(app, secret, path, method)
        assert (found == 403) == (needed != scope), (needed, found)
    assert (status(app, secret, "state") == 200) == (scope in ("read", "wall"))
    assert status(app, secret, "whoami") == 200


def test_a_read_token_writes_nothing_and_is_told_so(app: Flask) -> None:
    secret = made(app, "read")["secret"]
    client = client_of(app, token=False)
    for method, path in (("PATCH", "modems/modem1"), ("POST", "tokens"), ("DELETE", "modems/modem1")):
        answer = client.open(f"/api/v1/{path}", method=method, headers=bearer(secret), json={"period_s": 2})
        assert (answer.status_code, answer.json["code"]) == (403, "read_only"), path
    ticket = client.post("/api/v1/tickets", json={"purpose": "browser"}, headers=bearer(secret))
    assert (ticket.status_code, ticket.json["code"]) == (403, "read_only")


@pytest.mark.parametrize("scopes", [["at-console"], ["read", "identifiers"], list(SCOPES)])
def test_nobody_issues_a_scope_he_lacks(app: Flask, scopes: list[str]) -> None:
    by = bearer(made(app, "read", "write", name="admin")["secret"])
    client = client_of(app, token=False)
    for path, body in (("tokens", {"name": "x"}), ("tickets", {"purpose": "browser"}), ("tickets", {"purpose": "app"})):
        answer = client.post(f"/api/v1/{path}", json={**body, "scopes": scopes}, headers=by)
        assert (answer.status_code, answer.json["code"], answer.json["field"]) == (422, "scope_not_yours", "scopes")
    assert made(app, "wall", "metrics", by=by)["scopes"] == ["metrics", "wall"], "parts of reading"


def test_a_revoked_token_ends_at_once_with_all_it_has_made(app: Flask, clock: FakeClock) -> None:
    token = made(app, "read", "write", name="admin")
    child = made(app, "read", name="child", by=bearer(token["secret"]))
    page = browser(app, by=bearer(token["secret"]))
    waiting = client_of(app).post("/api/v1/tickets", json={"purpose": "stream"}, headers=bearer(token["secret"]))
    assert page.get("/api/v1/whoami").json["scopes"] == ["read", "write"]
    assert client_of(app).delete(f"/api/v1/tokens/{token['id']}").json["revoked"] is True
    assert status(app, token["secret"]) == status(app, child["secret"]) == 401
    assert page.get("/api/v1/state").status_code == 401
    assert client_of(app, token=False).get(f"/api/v1/stream?ticket={waiting.json['ticket']}").status_code == 401
    assert client_of(app).delete(f"/api/v1/tokens/{token['id']}").status_code == 404
    again = restarted(app, clock)
    assert status(again, token["secret"]) == status(again, child["secret"]) == 401
    listed = client_of(again).get("/api/v1/tokens").json["tokens"]
    assert {one["name"]: one["is_good"] for one in listed} == {"admin": False, "child": False}


def test_what_a_browser_makes_ends_with_the_token_that_let_the_browser_in(app: Flask) -> None:
    token = made(app, "read", "write", name="admin")
    page = browser(app, by=bearer(token["secret"]))
    own = {"Sec-Fetch-Site": "same-origin"}
    child = page.post("/api/v1/tokens", json={"name": "child", "scopes": ["read"]}, headers=own).json
    ticket = page.post("/api/v1/tickets", json={"purpose": "browser"}, headers=own).json["ticket"]
    other = client_of(app, token=False)
    assert other.get(f"/login?ticket={ticket}").status_code == 303
    assert page.post("/logout", headers=own).status_code == 204
    assert status(app, child["secret"]) == other.get("/api/v1/state").status_code == 200
    client_of(app).delete(f"/api/v1/tokens/{token['id']}")
    assert status(app, child["secret"]) == other.get("/api/v1/state").status_code == 401


def test_a_token_ends_when_it_was_said_to(app: Flask, clock: FakeClock) -> None:
    short, long = made(app, "read", expires_days=1)["secret"], made(app, "read", name="b", expires_days=None)["secret"]
    clock.advance(DAY - 1)
    assert status(app, short) == 200
    clock.advance(1)
    assert (status(app, short), status(app, long)) == (401, 200)
    clock.advance(5000 * DAY)
    assert status(app, long) == 200


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("scopes", {"name": "a", "scopes": []}),
        ("scopes", {"name": "a", "scopes": ["root"]}),
        ("scopes", {"name": "a"}),
        ("name", {"name": "<b>", "scopes": ["read"]}),
        ("name", {"name": "a\r\nX: y", "scopes": ["read"]}),
        ("name", {"name": "", "scopes": ["read"]}),
        ("expires_days", {"name": "a", "scopes": ["read"], "expires_days": 0}),
        ("id", {"name": "a", "scopes": ["read"], "id": "mine"}),
    ],
)
def test_a_wrong_wish_names_its_field(app: Flask, field: str, body: dict[str, Any]) -> None:
    answer = client_of(app).post("/api/v1/tokens", json=body)
    assert (answer.status_code, answer.json["field"]) == (422, field)


def test_two_good_tokens_have_not_the_same_name(app: Flask) -> None:
    first = made(app, "read")
    assert client_of(app).post("/api/v1/tokens", json={"name": "one", "scopes": ["read"]}).json["field"] == "name"
    client_of(app).delete(f"/api/v1/tokens/{first['id']}")
    made(app, "read")


def test_proofs_are_compared_in_constant_time(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = made(app, "read")["secret"]
    compared: list[tuple[Any, Any]] = []

    def compare(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    status(app, "x" * 64)
    status(app, secret)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    assert (b"x" * 64, b"t" * 43) in compared and (digest, digest) in compared


def test_the_last_use_is_written_seldom(app: Flask, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = made(app, "read")["secret"]
    writes: list[int] = []
    store = app.extensions["remsim"].accounts
    real = store._write
    monkeypatch.setattr(store, "_write", lambda: (writes.append(1), real())[1])
    for _ in range(700):
        clock.advance(1)
        assert status(app, secret, "whoami") == 200
    assert len(writes) == 1
    clock.advance(30)
    assert status(app, secret, "whoami") == 200
    used = client_of(restarted(app, clock)).get("/api/v1/tokens").json["tokens"][0]["last_used_at"]
    assert used == "2026-01-01T00:12:10.000Z"


def test_sessions_are_listed_and_ended_one_by_one(app: Flask) -> None:
    phone, desk = browser(app, ["read"]), browser(app)
    listed = desk.get("/api/v1/sessions").json["sessions"]
    assert [one["is_current"] for one in listed].count(True) == 1
    other = next(one for one in listed if not one["is_current"])
    assert (other["kind"], other["scopes"], other["user"]) == ("session", ["read"], "local")
    assert phone.get("/api/v1/sessions").status_code == 403
    ours = {"Sec-Fetch-Site": "same-origin"}
    assert desk.delete(f"/api/v1/sessions/{other['id']}", headers=ours).status_code == 200
    assert phone.get("/api/v1/state").status_code == 401
    assert desk.get("/api/v1/state").status_code == 200


def test_a_session_lives_on_while_it_is_used(app: Flask, clock: FakeClock) -> None:
    page = browser(app)
    for _ in range(4):
        clock.advance(20 * DAY)
        answer = page.get("/")
        assert answer.status_code == 200 and "Max-Age=2592000" in answer.headers["Set-Cookie"]
    clock.advance(30 * DAY)
    assert page.get("/").status_code == 401


def test_a_copied_cookie_is_worth_nothing_after_the_logout(app: Flask) -> None:
    page = browser(app)
    cookie = page.get_cookie(COOKIE).value
    assert page.post("/logout", headers={"Origin": "http://localhost"}).status_code == 204
    thief = client_of(app, token=False)
    thief.set_cookie(COOKIE, cookie)
    assert thief.get("/api/v1/state").status_code == 401


def test_another_key_of_the_router_ends_all_sessions_but_no_token(app: Flask, tmp_path: Path, clock: FakeClock) -> None:
    cookie, secret = browser(app).get_cookie(COOKIE).value, made(app, "read")["secret"]
    app.extensions["remsim"].accounts.close()
    store = accounts.Accounts(tmp_path / "accounts.db", clock=clock, key="k" * 64)
    assert store.by_secret("session", cookie) is None
    assert store.by_secret("token", secret) is not None


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {}])
def test_a_form_on_another_site_makes_no_token(app: Flask, kind: str, headers: dict[str, str]) -> None:
    page = browser(app)
    body = "name=x&scopes=read" if "urlencoded" in kind else '{"name":"x","scopes":["read"]}'
    answer = page.post("/api/v1/tokens", data=body, content_type=kind, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "cross_origin")
    assert client_of(app).get("/api/v1/tokens").json["tokens"] == []


def test_the_walls_link_opens_the_wall_and_nothing_else(app: Flask) -> None:
    token = made(app, "wall", expires_days=None, name="TV")
    for _boot in range(2):
        screen = client_of(app, token=False)
        answer = screen.get(f"{token['wall_path']}&layout=hall%26x")
        assert (answer.status_code, answer.headers["Location"]) == (303, "wall?layout=hall%26x")
        assert token["secret"] not in str(answer.headers)
        assert "HttpOnly" in answer.headers["Set-Cookie"]
        for path in ("/wall", "/ui/remsim/big.js", "/api/v1/state", "/api/v1/events"):
            assert screen.get(path).status_code == 200, path
        for path in ("/", "/modems", "/api/v1/modems", "/api/v1/tokens", "/api/v1/export.csv"):
            assert screen.get(path).status_code == 403, path
        ours = {"Origin": "http://localhost"}
        assert screen.post("/api/v1/tickets", json={"purpose": "browser"}, headers=ours).status_code == 403
    assert client_of(app).get("/api/v1/sessions").json["sessions"] == []
    client_of(app).delete(f"/api/v1/tokens/{token['id']}")
    assert screen.get("/api/v1/state").status_code == 401
    refused = client_of(app, token=False).get(token["wall_path"])
    assert refused.status_code == 401 and "Set-Cookie" not in refused.headers


def test_a_wall_sees_no_jobs_whose_results_may_be_private(app: Flask) -> None:
    wall = bearer(made(app, "wall")["secret"])
    reader = bearer(made(app, "read", name="two")["secret"])
    parts: Services = app.extensions["remsim"]

    def told(who: dict[str, str]) -> str:
        client = client_of(app, token=False)
        state = client.get("/api/v1/state", headers=who).text
        answer = client.get("/api/v1/stream", headers=who)
        pieces = iter(answer.response)
        next(pieces)
        job = parts.router.jobs.start("ussd", lambda job: "balance 7.20")
        wait_until(lambda: job.is_over)
        parts.router.tell("a word after it")
        text = ""
        while "a word after it" not in text:
            piece = next(pieces)
            text += piece if isinstance(piece, str) else piece.decode()
        answer.close()
        return state + text

    assert "balance" in told(reader)
    assert "balance" not in told(wall)


@pytest.mark.parametrize("given", ["", "rsm_x", "t" * 43, "%0d%0aSet-Cookie:a=b", "é" * 500])
def test_a_wrong_link_to_the_wall_opens_nothing(app: Flask, given: str) -> None:
    answer = client_of(app, token=False).get(f"/wall?token={given}")
    assert answer.status_code == 401 and "Set-Cookie" not in answer.headers


def test_a_token_without_the_scope_is_no_link_to_the_wall(app: Flask) -> None:
    assert client_of(app, token=False).get(f"/wall?token={made(app, 'read')['secret']}").status_code == 401


def test_the_wall_is_no_more_even_for_a_token_that_may_all(app: Flask) -> None:
    screen = client_of(app, token=False)
    screen.get(made(app, "read", "write", "wall")["wall_path"])
    assert screen.get("/api/v1/whoami").json["scopes"] == ["wall"]


def test_who_is_logged_in_keeps_his_login_at_the_walls_link(app: Flask) -> None:
    page = browser(app)
    assert "Set-Cookie" not in page.get(made(app, "wall")["wall_path"]).headers
    assert page.get("/api/v1/modems").status_code == 200


def test_a_clock_that_is_not_set_neither_opens_nor_closes(app: Flask, clock: FakeClock) -> None:
    over, good = made(app, "read", name="a", expires_days=1)["secret"], made(app, "read", name="b")["secret"]
    clock.advance(2 * DAY)
    assert (status(app, over), status(app, good)) == (401, 200)
    app = restarted(app, clock)
    clock.set_wall(100.0)  # a boot without the time
    app = restarted(app, clock)
    assert (status(app, over), status(app, good)) == (401, 200)
    new = made(app, "read", name="c", expires_days=1)
    assert new["created_at"] is new["expires_at"] is None and not new["never_expires"]
    assert status(app, new["secret"]) == 200
    app = restarted(app, clock)
    assert status(app, new["secret"]) == 200
    clock.advance(3600)
    clock.set_wall(START + 10 * DAY)
    assert (status(app, over), status(app, good), status(app, new["secret"])) == (401, 200, 200)
    clock.advance(22 * 3600)
    assert status(app, new["secret"]) == 200
    clock.advance(2 * 3600)
    assert status(app, new["secret"]) == 401, "its day began with the restart"


def test_without_a_clock_a_life_ends_all_the_same(app: Flask, clock: FakeClock) -> None:
    clock.set_wall(100.0)
    secret = made(app, "read", expires_days=1)["secret"]
    clock.advance(DAY + 1)
    assert status(app, secret) == 401


def test_there_are_not_more_than_memory_allows(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(accounts.MOST, "token", 3)
    monkeypatch.setitem(accounts.MOST, "session", 3)
    tokens = [made(app, "read", name=f"t{number}") for number in range(3)]
    answer = client_of(app).post("/api/v1/tokens", json={"name": "x", "scopes": ["read"]})
    assert (answer.status_code, answer.json["code"]) == (409, "too_many")
    client_of(app).delete(f"/api/v1/tokens/{tokens[1]['id']}")
    made(app, "read", name="x")
    pages = [browser(app) for _ in range(4)]
    assert [page.get("/api/v1/state").status_code for page in pages] == [401, 200, 200, 200], "the oldest gives way"


def test_on_a_disk_that_takes_nothing_a_browser_gets_in_but_no_new_token_is_given(
    tmp_path: Path, clock: FakeClock
) -> None:
    local = Identity("key", "local", frozenset(("read", "write")))
    with small_disk(tmp_path / "disk", 1024) as disk:
        path = disk / "accounts.db"
        store = accounts.Accounts(path, clock=clock, key="k")
        token, _secret = store.add("token", "old", local, lives_s=None, by="test")
        store.close()
        make_read_only(disk, True)
        store = accounts.Accounts(path, clock=clock, key="k")
        session, cookie = store.add("session", "browser", local, lives_s=100.0, by="test")
        assert store.by_secret("session", cookie) is session
        with pytest.raises(StorageError, match=r"accounts\.db"):
            store.add("token", "new", local, lives_s=None, by="test")
        store.revoke(token.id, "token")
        assert not store.is_good(token.id) and store.problem is not None
        make_read_only(disk, False)
        store.close()
        again = accounts.Accounts(path, clock=clock, key="k")
        assert again.problem is None
        assert not again.is_good(token.id) and again.is_good(session.id), "written when the disk took it again"
        again.close()


@pytest.mark.parametrize("column", credential.COLUMNS)
@pytest.mark.parametrize("value", [None, b"\xff", "x" * 5, -1])
def test_a_row_that_somebody_spoilt_lets_nobody_more_in_and_stops_nothing(
    tmp_path: Path, clock: FakeClock, column: str, value: Any
) -> None:
    store = accounts.Accounts(tmp_path / "accounts.db", clock=clock, key="k")
    local = Identity("key", "local", frozenset(("read",)))
    for name in ("spoilt", "whole"):
        _token, secret = store.add("token", name, local, lives_s=60.0, by="test")
    with store._file.connection as db:
        db.execute(f"UPDATE credentials SET {column} = ? WHERE name = 'spoilt'", (value,))
    store._file.close()
    again = accounts.Accounts(tmp_path / "accounts.db", clock=clock, key="k")
    assert again.by_secret("token", secret) is not None
    assert all(one.scopes <= {"read"} for one in again.listed("token"))
    again.close()


def test_a_damaged_file_leaves_the_routers_key_and_what_can_be_read(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "accounts.db").write_bytes(b"this is no database" * 1000)
    app = small_app(tmp_path, clock=clock)[1]
    assert client_of(app).get("/api/v1/state").status_code == 200
    assert status(app, made(app, "read")["secret"]) == 200


def test_a_router_of_another_name_is_no_way_around(app: Flask) -> None:
    """Who the relay says he is counts with the router's key only."""
    secret = made(app, "read")["secret"]
    said = {"X-Remsim-User": "root", "X-Remsim-Scopes": " ".join(SCOPES)}
    found = client_of(app, token=False).get("/api/v1/whoami", headers={**bearer(secret), **said}).json
    assert (found["way"], found["user"], found["scopes"]) == ("token", "one", ["read"])
    page = browser(app, ["read"])
    assert page.get("/api/v1/whoami", headers=said).json["scopes"] == ["read"]


def test_the_relay_is_held_to_what_it_says_of_the_login(app: Flask) -> None:
    client = client_of(app)
    said = {"X-Remsim-User": "anna", "X-Remsim-Scopes": "read nonsense"}
    found = client.get("/api/v1/whoami", headers=said).json
    assert (found["way"], found["user"], found["scopes"]) == ("luci", "anna", ["read"])
    assert client.patch("/api/v1/modems/modem1", json={"period_s": 2}, headers=said).json["code"] == "read_only"
    assert client.get("/api/v1/state", headers={"X-Remsim-Scopes": ""}).status_code == 403


def test_routers_own_key_may_all(app: Flask) -> None:
    found = client_of(app).get("/api/v1/whoami").json
    assert (found["way"], found["user"], found["scopes"]) == ("key", "local", list(SCOPES))
