"""Who guesses has to wait; who knows does not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.clock import FakeClock
from remsim.web.auth.throttle import MOST_ADDRESSES, MOST_WRONG, Throttle, place_of
from web_support import BEARER, START, client_of, small_app

WRONG = {"Authorization": "Bearer rsm_wrong"}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def app(tmp_path: Path, clock: FakeClock) -> Flask:
    return small_app(tmp_path, clock=clock)[1]


def ask(app: Flask, address: str, headers: dict[str, str] = WRONG, path: str = "/api/v1/state", **more: object):
    client = client_of(app, token=False)
    return client.open(path, headers=headers, environ_base={"REMOTE_ADDR": address}, **more)


def test_ten_wrong_proofs_make_an_address_wait_longer_each_time(app: Flask, clock: FakeClock) -> None:
    waits = []
    for _ in range(4):
        answers = [ask(app, "192.0.2.1") for _ in range(MOST_WRONG + 1)]
        assert [one.status_code for one in answers] == [401] * (MOST_WRONG - 1) + [429, 429]
        assert answers[-1].json["code"] == "too_many_attempts"
        waits.append(int(answers[-1].headers["Retry-After"]))
        clock.advance(waits[-1])
    assert waits == [60, 120, 240, 480]
    events, _next = app.extensions["remsim"].router.journal.query(kinds=["access"])
    assert len(events) == 4 and events[0].data == {"address": "192.0.2.1"}


def test_what_is_right_is_never_kept_waiting(app: Flask) -> None:
    secret = client_of(app).post("/api/v1/tokens", json={"name": "a", "scopes": ["read", "write"]}).json["secret"]
    for _ in range(3 * MOST_WRONG):
        ask(app, "127.0.0.1")
    assert ask(app, "127.0.0.1").status_code == 429
    assert ask(app, "127.0.0.1", BEARER).status_code == 200
    assert ask(app, "127.0.0.1", {"Authorization": f"Bearer {secret}"}).status_code == 200
    assert ask(app, "127.0.0.1", {}, "/api/v1/healthz").status_code == 200
    ticket = ask(app, "127.0.0.1", BEARER, "/api/v1/tickets", method="POST", json={"purpose": "browser"}).json["ticket"]
    assert ask(app, "127.0.0.1", {}, f"/login?ticket={ticket}").status_code == 303


def test_other_addresses_are_not_concerned_but_a_whole_ipv6_network_is(app: Flask) -> None:
    for number in range(MOST_WRONG):
        ask(app, f"2001:db8::{number}")
    assert ask(app, "2001:db8::ffff:1").status_code == 429
    assert ask(app, "2001:db8:0:1::1").status_code == 401
    assert ask(app, "192.0.2.1").status_code == 401


@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        ("/login?ticket=x", "GET", None),
        ("/wall?token=rsm_x", "GET", None),
        ("/api/v1/stream?ticket=x", "GET", None),
        ("/api/v1/auth/pair", "POST", {"ticket": "x", "device": "d"}),
        ("/api/v1/auth/refresh", "POST", {"refresh": "x"}),
        ("/api/v1/auth/revoke", "POST", {"refresh": "x"}),
    ],
)
def test_every_way_in_is_counted(app: Flask, path: str, method: str, body: object) -> None:
    answers = [ask(app, "192.0.2.1", {}, path, method=method, json=body) for _ in range(MOST_WRONG)]
    assert {one.status_code for one in answers[:-1]} <= {401, 403}
    assert answers[-1].status_code == 429 and answers[-1].headers["Retry-After"] == "60"


def test_an_old_cookie_and_an_old_access_token_are_no_guesses(app: Flask, clock: FakeClock) -> None:
    ticket = ask(app, "192.0.2.1", BEARER, "/api/v1/tickets", method="POST", json={"purpose": "app"}).json["ticket"]
    made = ask(app, "192.0.2.1", {}, "/api/v1/auth/pair", method="POST", json={"ticket": ticket, "device": "d"}).json
    clock.advance(700)
    old = [{"Cookie": "remsim_session=old"}, {"Authorization": f"Bearer {made['access']}"}]
    for _ in range(2 * MOST_WRONG):
        assert {ask(app, "192.0.2.1", headers).status_code for headers in old} == {401}


def test_a_person_who_has_to_wait_sees_a_page_that_says_so(app: Flask) -> None:
    for _ in range(MOST_WRONG):
        answer = ask(app, "192.0.2.1", {"Accept": "text/html"}, "/wall?token=x")
    assert answer.status_code == 429 and "wait 60 s" in answer.text and answer.mimetype == "text/html"
    assert answer.headers["Retry-After"] == "60"


@pytest.mark.parametrize("length", [3000, 8000])
def test_an_oversized_proof_is_refused_unread(app: Flask, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    store = app.extensions["remsim"].accounts
    monkeypatch.setattr(store, "by_secret", lambda *_: pytest.fail("it was looked for"))
    for headers in ({"Authorization": "Bearer rsm_" + "x" * length}, {"Cookie": "remsim_session=" + "x" * length}):
        assert ask(app, "192.0.2.1", headers).status_code == 401


@pytest.mark.parametrize("given", ["Bearer a\r\nX-Remsim-User: root", "Bearer \x00", "Bearer", "bearer  "])
def test_odd_proofs_are_only_wrong(app: Flask, given: str) -> None:
    with_it = {"HTTP_AUTHORIZATION": given, "REMOTE_ADDR": "192.0.2.1"}
    answer = client_of(app, token=False).get("/api/v1/state", environ_overrides=with_it)
    assert answer.status_code == 401 and "root" not in answer.text


def test_what_is_remembered_of_addresses_is_bounded(clock: FakeClock) -> None:
    throttle = Throttle(clock)
    for number in range(MOST_ADDRESSES * 3):
        throttle.wrong(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(throttle._guessers) == MOST_ADDRESSES
    assert sum(sys.getsizeof(one) for one in throttle._guessers.values()) < 100_000


def test_an_address_that_was_good_for_two_hours_begins_anew(clock: FakeClock) -> None:
    throttle = Throttle(clock)
    for expected in (60.0, 120.0):
        for _ in range(MOST_WRONG):
            throttle.wrong("192.0.2.1")
        assert throttle.wait_s("192.0.2.1") == expected
        clock.advance(expected)
    clock.advance(7300)
    for _ in range(MOST_WRONG):
        throttle.wrong("192.0.2.1")
    assert throttle.wait_s("192.0.2.1") == 60.0


@given(st.none() | st.text(max_size=60) | st.ip_addresses().map(str))
def test_any_address_has_a_place(address: str | None) -> None:
    assert isinstance(place_of(address), str)


def test_addresses_that_are_the_same_are_told_apart_from_others() -> None:
    assert place_of("::ffff:192.0.2.1") == place_of("192.0.2.1") == "192.0.2.1"
    assert place_of("fe80::1%eth0") == place_of("fe80::2") == "fe80::/64"
