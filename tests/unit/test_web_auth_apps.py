"""Apps: pairing, tokens that are refreshed, copies that betray themselves; and forged ones."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.clock import FakeClock
from remsim.web.auth import Identity, accounts
from remsim.web.auth.apps import ACCESS_S, Apps
from remsim.web.auth.signing import HEADER, LONGEST, signed, verified
from remsim.web.context import Services
from web_support import BEARER, START, TOKEN, client_of, small_app

KEY = hmac.new(TOKEN.encode(), b"app", hashlib.sha256).digest()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def app(tmp_path: Path, clock: FakeClock) -> Flask:
    return small_app(tmp_path, clock=clock)[1]


def post(app: Flask, path: str, body: Any, **headers: str) -> Any:
    return client_of(app, token=False).post(f"/api/v1/{path}", json=body, headers=headers)


def ticket_of(app: Flask, **more: Any) -> str:
    return str(post(app, "tickets", {"purpose": "app", **more}, **BEARER).json["ticket"])


def paired(app: Flask, **more: Any) -> dict[str, Any]:
    answer = post(app, "auth/pair", {"ticket": ticket_of(app, **more), "device": "Anna's phone"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def status(app: Flask, access: str, path: str = "state") -> int:
    headers = {"Authorization": f"Bearer {access}"}
    return int(client_of(app, token=False).get(f"/api/v1/{path}", headers=headers).status_code)


def forged(claims: Any, *, key: bytes = KEY, header: Any = None, signature: str | None = None) -> str:
    def part(content: Any) -> str:
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    text = f"{HEADER if header is None else part(header)}.{part(claims)}"
    made = base64.urlsafe_b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
    return f"{text}.{made if signature is None else signature}"


def test_an_app_is_paired_with_the_scopes_of_its_ticket(app: Flask) -> None:
    made = paired(app, scopes=["read"])
    assert made["scopes"] == ["read"] and made["expires_s"] == ACCESS_S and made["token_type"] == "Bearer"
    proof = {"Authorization": f"Bearer {made['access']}"}
    found = client_of(app, token=False).get("/api/v1/whoami", headers=proof).json
    assert (found["way"], found["user"], found["scopes"]) == ("app", "local", ["read"])
    assert status(app, made["access"], "tokens") == 403
    listed = client_of(app).get("/api/v1/sessions").json["sessions"]
    assert [(one["kind"], one["name"], one["id"]) for one in listed] == [("app", "Anna's phone", made["app"])]


def test_an_access_token_is_a_jwt_that_ends_after_ten_minutes(app: Flask, clock: FakeClock) -> None:
    made = paired(app)
    header, claims, _signature = (
        json.loads(base64.urlsafe_b64decode(part + "==")) if number < 2 else part
        for number, part in enumerate(made["access"].split("."))
    )
    assert header == {"alg": "HS256", "typ": "JWT"}
    assert claims["exp"] - claims["iat"] == ACCESS_S
    clock.advance(ACCESS_S - 1)
    assert status(app, made["access"]) == 200
    clock.advance(1)
    assert status(app, made["access"]) == 401
    renewed = post(app, "auth/refresh", {"refresh": made["refresh"]}).json
    assert status(app, renewed["access"]) == 200


def test_a_clock_that_is_set_back_or_forth_does_not_matter_to_an_access_token(app: Flask, clock: FakeClock) -> None:
    clock.set_wall(10.0)
    made = paired(app)
    assert "exp" not in json.loads(base64.urlsafe_b64decode(made["access"].split(".")[1] + "=="))
    assert made["refresh_expires_at"] is None
    clock.set_wall(START)
    assert status(app, made["access"]) == 200
    clock.set_wall(10.0)
    clock.advance(ACCESS_S)
    assert status(app, made["access"]) == 401
    clock.set_wall(START)
    assert post(app, "auth/refresh", {"refresh": made["refresh"]}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"header": {"alg": "none", "typ": "JWT"}, "signature": ""},
        {"header": {"alg": "none", "typ": "JWT"}},
        {"header": {"alg": "HS512", "typ": "JWT"}},
        {"header": {"typ": "JWT", "alg": "HS256"}},
        {"key": b"another key"},
        {"key": TOKEN.encode()},
        {"key": b""},
        {"signature": ""},
        {"signature": "A" * 43},
        {"signature": "é"},
    ],
)
def test_a_forged_access_token_opens_nothing(app: Flask, change: dict[str, Any]) -> None:
    made = paired(app)
    claims = json.loads(base64.urlsafe_b64decode(made["access"].split(".")[1] + "=="))
    assert status(app, forged(claims)) == 200, "what is forged below would be right"
    assert status(app, forged(claims, **change).encode().decode("latin-1")) == 401


@pytest.mark.parametrize("change", [{"end": 1e12}, {"sub": "x"}, {"run": "x"}, {"typ": "refresh", "gen": 1}])
def test_what_is_not_in_a_token_as_it_was_given_is_found_out(app: Flask, change: dict[str, Any]) -> None:
    made = paired(app)
    header, claims, signature = made["access"].split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "==")) | change
    text = base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
    assert status(app, f"{header}.{text}.{signature}") == 401


def test_the_two_kinds_of_token_are_not_taken_for_each_other(app: Flask) -> None:
    made = paired(app)
    assert status(app, made["refresh"]) == 401
    assert post(app, "auth/refresh", {"refresh": made["access"]}).status_code == 401
    assert post(app, "auth/revoke", {"refresh": made["access"]}).status_code == 401


def test_a_refresh_token_works_once_and_a_copy_ends_the_app(app: Flask, clock: FakeClock) -> None:
    first = paired(app)
    second = post(app, "auth/refresh", {"refresh": first["refresh"]}).json
    other = paired(app)
    stolen = post(app, "auth/refresh", {"refresh": first["refresh"]})
    assert (stolen.status_code, stolen.json["code"]) == (401, "token_reused")
    assert post(app, "auth/refresh", {"refresh": second["refresh"]}).status_code == 401
    assert status(app, first["access"]) == status(app, second["access"]) == 401
    assert status(app, other["access"]) == 200, "another device is not concerned"
    events, _next = app.extensions["remsim"].router.journal.query(kinds=["access"])
    assert [event.data for event in events] == [{"app": first["app"]}] and "Anna" in events[0].message
    entry = client_of(app).get("/api/v1/audit?refused=1").json["entries"][-1]
    assert (entry["path"], entry["result"], entry["what"]) == ("/api/v1/auth/refresh", "token_reused", {})


def test_two_refreshes_at_once_give_one_pair_of_tokens(tmp_path: Path) -> None:
    store = accounts.Accounts(tmp_path / "accounts.db", clock=FakeClock(START), key="k")
    apps = Apps(store)
    holder = Identity("ticket", "anna", frozenset(("read",)))
    for _ in range(5):
        first = apps.pair(holder, "phone", by="test", address=None)
        start, found = threading.Barrier(4), []

        def refresh(token: str = first["refresh"], start: Any = start, found: Any = found) -> None:
            start.wait()
            found.append(apps.refresh(token))

        threads = [threading.Thread(target=refresh) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([one for one in found if isinstance(one, dict)]) == 1
        assert not store.is_good(first["app"]), "a second use is a copy's, at whatever moment"
    store.close()


def test_an_app_survives_a_restart_by_its_refresh_token(app: Flask, clock: FakeClock) -> None:
    made = paired(app)
    made = post(app, "auth/refresh", {"refresh": made["refresh"]}).json
    parts: Services = app.extensions["remsim"]
    parts.accounts.close()
    parts.router.stop()
    again = small_app(parts.router.state_dir, clock=clock)[1]
    assert status(again, made["access"]) == 401
    assert status(again, post(again, "auth/refresh", {"refresh": made["refresh"]}).json["access"]) == 200
    assert post(again, "auth/refresh", {"refresh": made["refresh"]}).json["code"] == "token_reused"


def test_an_app_that_is_not_used_for_90_days_has_to_be_paired_again(app: Flask, clock: FakeClock) -> None:
    made = paired(app)
    clock.advance(89 * 86400)
    made = post(app, "auth/refresh", {"refresh": made["refresh"]}).json
    clock.advance(89 * 86400)
    made = post(app, "auth/refresh", {"refresh": made["refresh"]}).json
    clock.advance(90 * 86400)
    assert post(app, "auth/refresh", {"refresh": made["refresh"]}).status_code == 401


def test_an_app_logs_itself_out_and_is_logged_out(app: Flask) -> None:
    for out in (
        lambda made: post(app, "auth/revoke", {"refresh": made["refresh"]}).status_code == 204,
        lambda made: client_of(app).delete(f"/api/v1/sessions/{made['app']}").status_code == 200,
    ):
        made = paired(app)
        assert out(made)
        assert status(app, made["access"]) == 401
        assert post(app, "auth/refresh", {"refresh": made["refresh"]}).status_code == 401
    assert client_of(app).get("/api/v1/sessions").json["sessions"] == []


def test_a_ticket_pairs_once_in_time_and_for_apps_only(app: Flask, clock: FakeClock) -> None:
    ticket = ticket_of(app)
    assert client_of(app, token=False).get(f"/login?ticket={ticket}").status_code == 403
    assert post(app, "auth/pair", {"ticket": ticket, "device": "a"}).status_code == 200
    replayed = post(app, "auth/pair", {"ticket": ticket, "device": "a"})
    assert (replayed.status_code, replayed.json["field"]) == (401, "ticket")
    late = ticket_of(app)
    clock.advance(600)
    assert post(app, "auth/pair", {"ticket": late, "device": "a"}).status_code == 401
    browser = post(app, "tickets", {"purpose": "browser"}, **BEARER).json["ticket"]
    assert post(app, "auth/pair", {"ticket": browser, "device": "a"}).status_code == 401


@pytest.mark.parametrize("device", ["", "a" * 61, "a\r\nSet-Cookie: b=c", "\x1b[2J", 7, None, ["a"]])
def test_a_devices_name_is_one_line_of_text(app: Flask, device: Any) -> None:
    answer = post(app, "auth/pair", {"ticket": ticket_of(app), "device": device})
    assert (answer.status_code, answer.json["field"]) == (422, "device")


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_no_token(text: str) -> None:
    assert verified(text, KEY) is None
    assert verified(f"{HEADER}.{text}", KEY) is None


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4))
def test_what_we_sign_we_read_and_nobody_else(claims: dict[str, Any]) -> None:
    token = signed(claims, KEY)
    assert len(token) > LONGEST or verified(token, KEY) == claims
    assert verified(token, KEY + b"x") is None


@pytest.mark.parametrize("content", [b"[]", b"1", b"\xff", b"{", b'"x"'])
def test_what_is_signed_but_no_claims_is_none(content: bytes) -> None:
    assert verified(forged(content), KEY) is None
