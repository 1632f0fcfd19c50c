"""LuCI's sessions, asked of a program that stands in for ubus."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from remsim.core.clock import FakeClock
from remsim.web.app import create_app
from remsim.web.auth.rpcd import KNOWN_S, MOST_KNOWN, NOBODY, LuciSessions, scopes_of
from web_support import START, SmallRouter, client_of

SID = "0123456789abcdef" * 2
APP = "luci-app-remsim"
ALL = {APP: ["read", "write"], f"{APP}-console": ["write"], f"{APP}-identifiers": ["read"]}

FAKE = """#!{python}
import json, sys, time
folder = {folder!r}
open(folder + "/asked", "a").write(json.dumps(sys.argv[1:]) + "\\n")
told = json.load(open(folder + "/sessions.json"))
time.sleep(told.get("slow", 0))
assert sys.argv[1:6] == ["-t", "3", "-S", "call", "session"]
given = json.loads(sys.argv[7])
session = told.get(given["ubus_rpc_session"])
if session is None:
    sys.stderr.write("Command failed: Not found\\n")
    sys.exit(252)
if sys.argv[6] == "access":
    print(json.dumps({{"access-group": session["groups"], "ubus": {{"file": ["exec"]}}}}))
else:
    print(json.dumps({{"values": {{name: session[name] for name in given["keys"] if name in session}}}}))
"""


class Ubus:
    """The program, and what it knows."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.path = folder / "ubus"
        self._folder = folder
        self.path.write_text(FAKE.format(python=sys.executable, folder=str(folder)))
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)
        self.knows({SID: {"groups": ALL, "username": "anna"}})

    def knows(self, sessions: dict[str, Any]) -> None:
        (self._folder / "sessions.json").write_text(json.dumps(sessions))

    @property
    def asked(self) -> int:
        path = self._folder / "asked"
        return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.fixture
def ubus(tmp_path: Path) -> Ubus:
    return Ubus(tmp_path / "bin")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def app(tmp_path: Path, ubus: Ubus, clock: FakeClock) -> Flask:
    router = SmallRouter(tmp_path / "state", clock=clock)
    return create_app(router, static_dir=tmp_path, ubus=ubus.path)  # type: ignore[arg-type]


def whoami(app: Flask, sid: str = SID, address: str = "192.0.2.1") -> Any:
    headers = {"Authorization": f"Bearer {sid}"}
    return client_of(app, token=False).get("/api/v1/whoami", headers=headers, environ_base={"REMOTE_ADDR": address})


def test_a_login_of_luci_has_the_scopes_of_its_groups(app: Flask) -> None:
    found = whoami(app).json
    assert (found["way"], found["user"]) == ("luci", "anna")
    assert found["scopes"] == ["read", "write", "at-console", "identifiers"]


@pytest.mark.parametrize(
    ("groups", "scopes"),
    [
        ({}, set()),
        ({"luci-base": ["read", "write"]}, set()),
        ({APP: ["read"]}, {"read"}),
        ({APP: ["read"], f"{APP}-console": ["write"]}, {"read"}),
        ({APP: ["read"], f"{APP}-identifiers": ["read"]}, {"read", "identifiers"}),
        ({f"{APP}-console": ["write"], f"{APP}-identifiers": ["read"]}, set()),
        ({APP: "read"}, set()),
        ({APP: None}, set()),
        (ALL, {"read", "write", "at-console", "identifiers"}),
    ],
)
def test_groups_give_scopes(groups: dict[str, Any], scopes: set[str]) -> None:
    assert scopes_of(groups) == scopes


def test_what_was_good_is_believed_for_ten_seconds_and_what_was_not_is_asked_again(
    app: Flask, ubus: Ubus, clock: FakeClock
) -> None:
    for _ in range(3):
        assert whoami(app).status_code == 200
    assert ubus.asked == 2, "one look at the rights, one at the name"
    ubus.knows({})
    clock.advance(KNOWN_S)
    assert whoami(app).status_code == 401
    ubus.knows({SID: {"groups": {APP: ["read"]}, "username": "anna"}})
    assert whoami(app).json["scopes"] == ["read"]


@pytest.mark.parametrize("sid", [NOBODY, SID.upper(), SID[:-1], SID + "0", "../" + SID[3:], "-" * 32])
def test_what_is_no_session_is_not_asked_for(app: Flask, ubus: Ubus, sid: str) -> None:
    ubus.knows({sid: {"groups": ALL, "username": "root"}})
    assert whoami(app, sid).status_code == 401
    assert ubus.asked == 0


@pytest.mark.parametrize(
    "session",
    [
        {"groups": ALL},
        {"groups": ALL, "username": "a b"},
        {"groups": ALL, "username": 7},
        {"groups": ["read"], "username": "anna"},
        {"groups": {"luci-base": ["read"]}, "username": "anna"},
    ],
)
def test_a_session_without_a_name_or_a_right_is_none(app: Flask, ubus: Ubus, session: dict[str, Any]) -> None:
    ubus.knows({SID: session})
    assert whoami(app).status_code == 401


def test_who_guesses_is_not_asked_for_any_more(app: Flask, ubus: Ubus) -> None:
    ubus.knows({})
    answers = [whoami(app, f"{number:032x}").status_code for number in range(1, 13)]
    assert answers == [401] * 9 + [429] * 3
    assert ubus.asked == 10


def test_a_broken_or_missing_program_lets_nobody_in(tmp_path: Path, clock: FakeClock) -> None:
    broken = tmp_path / "ubus"
    assert LuciSessions(clock, broken).identify(SID) is None
    for text in ("#!/bin/sh\necho nonsense\n", "#!/bin/sh\necho '[]'\n", "#!/bin/sh\nexit 4\n", "no program"):
        broken.write_text(text)
        broken.chmod(0o755)
        assert LuciSessions(clock, broken).identify(SID) is None


def test_a_slow_ubus_holds_two_requests_at_most(ubus: Ubus, clock: FakeClock) -> None:
    luci = LuciSessions(clock, ubus.path)
    assert luci._asking.acquire(blocking=False) and luci._asking.acquire(blocking=False)
    assert luci.identify(SID) is None and ubus.asked == 0
    luci._asking.release()
    assert luci.identify(SID) is not None


def test_what_is_remembered_of_sessions_is_bounded(
    ubus: Ubus, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    luci = LuciSessions(clock, ubus.path)
    who = luci.identify(SID)
    monkeypatch.setattr(luci, "_asked", lambda _sid: who)
    for number in range(1, 3 * MOST_KNOWN):
        assert luci.identify(f"{number:032x}") is who
    assert len(luci._known) <= MOST_KNOWN
