"""Every address of the API, asked with every scope: what is open to whom is this table, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from remsim.web.auth import PUBLIC, SCOPES
from remsim.web.openapi import PREFIX, api_routes
from web_support import client_of, small_app

ANY = {"GET whoami"}
WALL = ANY | {
    *("GET state", "GET stream", "GET events", "GET alerts", "GET usage", "GET annotations", "POST tickets"),
    *("GET series", "GET series/batch", "GET stats", "GET timeline", "GET timeline/batch", "GET anomalies"),
    *("GET counts", "GET layouts", "GET layouts/{name}", "GET remote-sim"),
}
"""What a monitor on a wall shows."""
CONSOLE = ANY | {"POST modems/{modem_id}/at", "POST modems/{modem_id}/record"}
TAKES_TWO_SCOPES = {"POST esim/backup"}
"""write, and identifiers: it changes nothing, but has numbers of cards in full."""
IDENTIFIERS = ANY | {"GET modems/{modem_id}/identifiers"}
SEND_BUT_CHANGE_NOTHING = {
    *("POST tickets", "POST sms/preview", "POST alert-rules/preview", "POST esim/parse", "POST esim/rules/preview"),
    *("POST policies/check", "POST policies/compile", "POST policies/explain"),
}
SHOW_WHAT_IS_WORTH_MONEY = {"GET esim/codes/{code_id}"}
LOOK_AT_WHO_GETS_IN = {"GET tokens", "GET sessions", "GET audit", "GET audit.csv"}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return small_app(tmp_path)[1]


def opened(app: Flask, scope: str) -> set[str]:
    """The operations that do not answer 403 to a token with that scope only."""
    made = client_of(app).post("/api/v1/tokens", json={"name": scope, "scopes": [scope]}).json
    client = client_of(app, token=False)
    found = set()
    for path, method, view in api_routes(app):
        if view.required_scopes == (PUBLIC,):
            continue
        address = path.replace("{version_id}", "1").replace("{", "").replace("}", "")
        answer = client.open(address, method=method, headers={"Authorization": f"Bearer {made['secret']}"})
        assert answer.status_code not in (401, 404, 405) or "{" in path or "simulation" in path, (method, path)
        if answer.status_code != 403:
            found.add(f"{method} {path.removeprefix(PREFIX)}")
        answer.close()
    return found


def test_each_scope_opens_what_the_table_says_and_nothing_else(app: Flask) -> None:
    every = {
        f"{method} {path.removeprefix(PREFIX)}"
        for path, method, view in api_routes(app)
        if view.required_scopes != (PUBLIC,)
    }
    reading = {one for one in every if one.startswith("GET ")}
    wanted = {
        "read": (reading - LOOK_AT_WHO_GETS_IN - SHOW_WHAT_IS_WORTH_MONEY - IDENTIFIERS)
        | (SEND_BUT_CHANGE_NOTHING | ANY),
        "write": (every - reading - CONSOLE - SEND_BUT_CHANGE_NOTHING - TAKES_TWO_SCOPES)
        | ({"POST tickets"} | LOOK_AT_WHO_GETS_IN | SHOW_WHAT_IS_WORTH_MONEY | ANY),
        "metrics": ANY,
        "wall": WALL,
        "at-console": CONSOLE,
        "identifiers": IDENTIFIERS,
    }
    assert set(wanted) == set(SCOPES)
    for scope, operations in wanted.items():
        assert opened(app, scope) == operations, scope


def test_pages_and_their_files_need_a_proof_too(app: Flask) -> None:
    client = client_of(app, token=False)
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(PREFIX) or app.view_functions[rule.endpoint].required_scopes == (PUBLIC,):
            continue
        method = next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        assert client.open(re.sub(r"<(?:\w+:)?(\w+)>", r"\1", rule.rule), method=method).status_code == 401, rule.rule
