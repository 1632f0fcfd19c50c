"""``/metrics``: which format, for whom, how large; and a listener that answers nothing else."""

from __future__ import annotations

import gzip
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from remsim.web.auth import SCOPES
from remsim.web.metrics import LISTENER, wants_openmetrics
from web_support import BEARER, TOKEN, SmallRouter, client_of, small_app

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;"
    "version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return made(tmp_path)[1]


def made(tmp_path: Path) -> tuple[SmallRouter, Flask]:
    router, app = small_app(tmp_path)
    router.publish(rsrp_dbm=-80.0, interface="wwan0", rx_bytes=1, tx_bytes=2)
    return router, app


@pytest.mark.parametrize(
    ("accept", "is_open"),
    [
        (PROMETHEUS_2, True),
        (PROMETHEUS_3, True),
        ("application/openmetrics-text", True),
        ('application/openmetrics-text; version="1.0.0"', True),
        ("APPLICATION/OPENMETRICS-TEXT;VERSION=1.0.0;Q=0.1", True),
        ("application/openmetrics-text;version=1.0.0;q=0.4,text/plain;q=0.5", False),
        ("text/plain;q=0.5,application/openmetrics-text;q=0.5", True),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=2", False),
        ("application/openmetrics-text;q=", False),
        ("application/openmetrics-text;q=nan", False),
        ("application/openmetrics-text;version=0.0.1", False),
        ("text/plain;version=0.0.4;q=1,*/*;q=0.1", False),
        ("text/html,*/*", False),
        ("*/*", False),
        ("", False),
        (",;=,;;q", False),
    ],
)
def test_the_format_is_what_the_scraper_prefers(accept: str, is_open: bool) -> None:
    assert wants_openmetrics(accept) == is_open


def test_both_formats_say_what_they_are(app: Flask) -> None:
    client = client_of(app)
    classic = client.get("/metrics")
    assert classic.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'remsim_signal_rsrp_dbm{router_id=' in classic.text
    assert not classic.text.endswith("# EOF\n")
    modern = client.get("/metrics", headers={"Accept": PROMETHEUS_2})
    assert modern.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert modern.text.endswith("# EOF\n")
    assert "Accept" in modern.headers["Vary"]
    assert client.head("/metrics").status_code == 200
    assert client.post("/metrics").status_code == 405


@pytest.mark.parametrize("accept", ["*/*", PROMETHEUS_2])
def test_a_scraper_gets_it_compressed(app: Flask, accept: str) -> None:
    answer = client_of(app).get("/metrics", headers={"Accept": accept, "Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert set(answer.headers.getlist("Vary")) == {"Accept", "Accept-Encoding"}
    assert b"remsim_build_info" in gzip.decompress(answer.data)


def test_every_second_and_each_after_is_as_the_first(app: Flask) -> None:
    client = client_of(app)
    counts = [
        float(client.get("/metrics").text.split("remsim_scrape_duration_seconds_count{")[1].split()[1])
        for _ in range(20)
    ]
    assert counts == list(range(20))


def secret_of(app: Flask, scope: str) -> str:
    made: dict[str, Any] = client_of(app).post("/api/v1/tokens", json={"name": scope, "scopes": [scope]}).json
    return str(made["secret"])


def test_metrics_and_read_open_it_and_nothing_else_does(app: Flask) -> None:
    client = client_of(app, token=False)
    assert client.get("/metrics").status_code == 401
    for scope in SCOPES:
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {secret_of(app, scope)}"})
        assert answer.status_code == (200 if scope in ("metrics", "read") else 403), scope


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def test_a_token_may_be_the_password_of_a_basic_login_here_and_nowhere_else(app: Flask) -> None:
    client, secret = client_of(app, token=False), secret_of(app, "read")
    for user in ("prometheus", "", "a:b"):
        wanted = 200 if ":" not in user else 401
        assert client.get("/metrics", headers=basic(user, secret)).status_code == wanted, user
    assert client.get("/metrics", headers=basic("x", TOKEN)).status_code == 200
    assert client.get("/api/v1/modems", headers=basic("x", secret)).status_code == 401
    no_text = b64encode(b"\xff\xfe").decode()
    for wrong in ("Basic", "Basic !!!", "Basic eDp5", f"Basic {no_text}", f"Basic {'A' * 4000}"):
        assert client.get("/metrics", headers={"Authorization": wrong}).status_code in (401, 429)


def test_who_guesses_has_to_wait_here_too(app: Flask) -> None:
    client = client_of(app, token=False)
    statuses = [client.get("/metrics", headers=basic("x", f"rst_{number}")).status_code for number in range(12)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert client.get("/metrics", headers=BEARER).status_code == 200


def test_the_metrics_own_listener_answers_nothing_else(app: Flask) -> None:
    app.extensions[LISTENER] = ("127.0.0.1", "9090")
    client = client_of(app)
    here = {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "9090"}
    assert client.get("/metrics", environ_overrides=here).status_code == 200
    for path in ("/", "/api/v1/modems", "/api/v1/healthz", "/login", "/metrics/", "/remsim/big.js", "//metrics"):
        answer = client.get(path, environ_overrides=here)
        assert (answer.status_code, answer.json["code"]) == (404, "not_found"), path
    assert client.post("/api/v1/tickets", json={}, environ_overrides=here).status_code == 404
    elsewhere = {"SERVER_NAME": "192.168.1.1", "SERVER_PORT": "9090"}
    assert client.get("/api/v1/modems", environ_overrides=elsewhere).status_code == 200
