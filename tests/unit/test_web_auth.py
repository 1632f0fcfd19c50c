"""Who gets in, and how."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from remsim.core.clock import FakeClock
from remsim.core.errors import StorageError
from remsim.web.auth import COOKIE, PUBLIC, SCOPES
from remsim.web.openapi import api_routes
from remsim.web.token import ensure_token
from web_support import BEARER, START, client_of, small_app


@pytest.fixture
def parts(tmp_path: Path):
    return small_app(tmp_path)


def logged_in(app):
    client = client_of(app, token=False)
    ticket = client.post("/api/v1/tickets", json={"purpose": "browser"}, headers=BEARER).json["ticket"]
    answer = client.get(f"/login?ticket={ticket}")
    assert answer.status_code == 303 and answer.headers["Location"] == "/"
    return client, answer


def test_every_view_declares_a_scope(parts) -> None:
    _router, app = parts
    for rule in app.url_map.iter_rules():
        scopes = getattr(app.view_functions[rule.endpoint], "required_scopes", ())
        assert scopes and set(scopes) <= {*SCOPES, PUBLIC}, rule.rule


def test_only_health_and_login_are_public(parts) -> None:
    _router, app = parts
    public = {
        rule.rule for rule in app.url_map.iter_rules() if app.view_functions[rule.endpoint].required_scopes == (PUBLIC,)
    }
    pairing = {f"/api/v1/auth/{name}" for name in ("pair", "refresh", "revoke")}
    assert public == {"/api/v1/healthz", "/login"} | pairing


def test_every_route_refuses_who_proves_nothing(parts) -> None:
    _router, app = parts
    client = client_of(app, token=False)
    for path, method, view in api_routes(app):
        if view.required_scopes == (PUBLIC,):
            continue
        answer = client.open(path.replace("{", "").replace("}", ""), method=method)
        assert answer.status_code == 401, path
        assert answer.json["code"] == "unauthorized"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert client.get("/nowhere").status_code == 401


@pytest.mark.parametrize(
    "header",
    ["Bearer ", "Bearer " + "x" * 43, "Basic dDp0", "Bearer tttt", "Bearer é", "t" * 43, "Bearer " + "t" * 10_000],
)
def test_a_wrong_token_is_refused(parts, header: str) -> None:
    _router, app = parts
    answer = client_of(app, token=False).get("/api/v1/modems", headers={"Authorization": header})
    assert answer.status_code == 401


def test_a_person_without_a_cookie_is_told_how_to_get_in(parts) -> None:
    _router, app = parts
    answer = client_of(app, token=False).get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert answer.mimetype == "text/html" and "remsim link" in answer.text


def test_a_link_works_once_and_gives_a_cookie_for_the_pages_and_the_api(parts) -> None:
    _router, app = parts
    client, answer = logged_in(app)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert client.get("/").status_code == 200
    assert client.get("/api/v1/modems").status_code == 200


def test_a_spent_link_is_refused_elsewhere_but_harmless_on_reload(parts) -> None:
    _router, app = parts
    other = client_of(app, token=False)
    ticket = other.post("/api/v1/tickets", json={"purpose": "browser"}, headers=BEARER).json["ticket"]
    assert client_of(app, token=False).head(f"/login?ticket={ticket}").status_code == 403  # a look is no use
    assert other.get(f"/login?ticket={ticket}").status_code == 303
    assert other.get(f"/login?ticket={ticket}").status_code == 303
    thief = client_of(app, token=False).get(f"/login?ticket={ticket}")
    assert thief.status_code == 403 and "Set-Cookie" not in thief.headers


def test_a_ticket_ends(tmp_path: Path) -> None:
    clock = FakeClock(START)
    _router, app = small_app(tmp_path, clock=clock)
    client = client_of(app, token=False)
    answer = client.post("/api/v1/tickets", json={"purpose": "browser"}, headers=BEARER).json
    clock.advance(answer["expires_s"] + 1)
    assert client.get(f"/login?ticket={answer['ticket']}").status_code == 403


def test_a_cookie_survives_a_restart_and_ends(tmp_path: Path) -> None:
    clock = FakeClock(START)
    router, app = small_app(tmp_path, clock=clock)
    _client, answer = logged_in(app)
    value = answer.headers["Set-Cookie"].split(";")[0].split("=", 1)[1]
    router.stop()
    app.extensions["remsim"].accounts.close()
    _router, restarted = small_app(tmp_path, clock=clock)
    client = client_of(restarted, token=False)
    client.set_cookie(COOKIE, value)
    assert client.get("/api/v1/modems").status_code == 200
    clock.advance(31 * 86400)
    assert client.get("/api/v1/modems").status_code == 401


@pytest.mark.parametrize("value", ["", "1", "x" * 43, "x" * 5000, "٣.0", "wall.", "wall.abc.", "wall.abc." + "0" * 64])
def test_a_forged_cookie_is_refused(parts, value: str) -> None:
    _router, app = parts
    answer = client_of(app, token=False).get(
        "/api/v1/modems", headers={"Cookie": f"{COOKIE}={value}".encode().decode("latin-1")}
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "null", "Host": ""}, 403),
        ({"Origin": "null", "Host": "a b"}, 403),
        ({"Origin": "http://localhost:8090"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Origin": "http://localhost"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_a_cookie_writes_only_for_our_own_pages(parts, headers: dict[str, str], status: int) -> None:
    router, app = parts
    client, _answer = logged_in(app)
    answer = client.patch("/api/v1/modems/modem1", json={"period_s": 7}, headers=headers)
    assert answer.status_code == status
    assert router.modems.periods["modem1"] == (7.0 if status == 200 else 1.0)


def test_a_stream_ticket_opens_one_stream_and_nothing_else(parts) -> None:
    _router, app = parts
    client = client_of(app, token=False)

    def ticket(**more: str) -> str:
        return client.post("/api/v1/tickets", json={"purpose": "stream", **more}, headers=BEARER).json["ticket"]

    assert client.get(f"/api/v1/modems?ticket={ticket()}").status_code == 401
    assert client.get(f"/login?ticket={ticket()}").status_code == 403
    spent = ticket(origin="http://router.lan")
    origin = {"Origin": "http://router.lan"}
    with client.get(f"/api/v1/stream?ticket={spent}", headers=origin) as answer:
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "http://router.lan"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert client.get(f"/api/v1/stream?ticket={spent}").status_code == 401
    with client.get(f"/api/v1/stream?ticket={ticket()}") as answer:
        assert answer.status_code == 200 and "Access-Control-Allow-Origin" not in answer.headers


def test_many_tickets_for_streams_take_no_log_in_from_others(parts) -> None:
    client = client_of(parts[1])
    link = client.post("/api/v1/tickets", json={"purpose": "browser"}).json["ticket"]
    first = client.post("/api/v1/tickets", json={"purpose": "stream"}).json["ticket"]
    for _ in range(256):
        assert client.post("/api/v1/tickets", json={"purpose": "stream"}).status_code == 200
    other = client_of(parts[1], token=False)
    assert other.get(f"/api/v1/stream?ticket={first}").status_code == 401, "memory is bounded"
    assert other.get(f"/login?ticket={link}").status_code == 303


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://router.lan:81", "https://router.lan"])
def test_a_stream_ticket_is_for_the_page_that_asked_for_it(parts, origin: str) -> None:
    _router, app = parts
    client = client_of(app, token=False)
    for asked in ({"json": {"purpose": "stream", "origin": "http://router.lan"}}, {"json": {"purpose": "stream"}}):
        sent = {**BEARER, "Origin": "http://router.lan"} if "origin" not in asked["json"] else BEARER
        ticket = client.post("/api/v1/tickets", headers=sent, **asked).json["ticket"]
        answer = client.get(f"/api/v1/stream?ticket={ticket}", headers={"Origin": origin})
        assert (answer.status_code, answer.json["code"]) == (403, "cross_origin")
        assert "Access-Control-Allow-Origin" not in answer.headers
        again = client.get(f"/api/v1/stream?ticket={ticket}", headers={"Origin": "http://router.lan"})
        assert again.status_code == 401, "it is spent"


@pytest.mark.parametrize("origin", ["null", "http://a\r\nX: y", "javascript:x", "http://", "http://a b"])
def test_what_is_no_origin_is_none(parts, origin: str) -> None:
    _router, app = parts
    client = client_of(app, token=False)
    body = {"purpose": "stream", "origin": origin}
    assert client.post("/api/v1/tickets", json=body, headers=BEARER).json["field"] == "origin"
    if origin == "null":
        sent = {**BEARER, "Origin": origin}
        ticket = client.post("/api/v1/tickets", json={"purpose": "stream"}, headers=sent).json["ticket"]
        assert client.get(f"/api/v1/stream?ticket={ticket}", headers={"Origin": origin}).status_code == 403


def test_other_origins_read_nothing_without_a_ticket(parts) -> None:
    _router, app = parts
    answer = client_of(app).get("/api/v1/modems", headers={"Origin": "http://router.lan"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_logout_takes_the_cookie_back(parts) -> None:
    _router, app = parts
    client, _answer = logged_in(app)
    assert client.post("/logout", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 204
    assert client.get("/api/v1/modems").status_code == 401


def test_the_token_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    token = ensure_token(tmp_path)
    path = tmp_path / "token"
    assert len(token) >= 40 and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ensure_token(tmp_path) == token


def test_a_token_file_open_to_others_is_closed(tmp_path: Path) -> None:
    token = ensure_token(tmp_path)
    os.chmod(tmp_path / "token", 0o644)
    assert ensure_token(tmp_path) == token
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


def test_an_empty_token_file_does_not_open_the_door(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("")
    assert len(ensure_token(tmp_path)) >= 40


def test_a_state_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=str(tmp_path / "nowhere" / "token")):
        ensure_token(tmp_path / "nowhere")


def test_who_proves_nothing_sends_little_and_at_once(parts) -> None:
    client = client_of(parts[1], token=False)
    long = client.post("/api/v1/auth/refresh", json={"refresh": "x" * 5000})
    assert (long.status_code, long.json["code"]) == (413, "too_large")
    for header in ({"Expect": "100-continue"}, {"Transfer-Encoding": "chunked"}):
        assert client.post("/api/v1/auth/refresh", json={"refresh": "x"}, headers=header).status_code == 413
    assert client.post("/api/v1/auth/refresh", json={"refresh": "x"}).status_code == 401
