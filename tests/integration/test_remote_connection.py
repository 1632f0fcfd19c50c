"""The way to a remsim-server, tried step by step, down to a virtual one; clients by the API and on the command line."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from remsim.config.remote_sim import RemoteClientSettings, RemsimServerSettings
from remsim.core.clock import SystemClock
from remsim.remotesim import connection_test
from remsim.remotesim.connection_test import Check, try_client, try_server
from remsim.remotesim.programs import Refusal
from virtual_remsim import Parts, free_port, virtual_client, virtual_remsim, wait_until
from web_support import client_of, small_app

API = "/api/v1/remote-sim"


@pytest.fixture
def parts() -> Iterator[Parts]:
    with virtual_remsim(1) as made:
        yield made


def at(port: int, host: str = "127.0.0.1") -> RemoteClientSettings:
    return RemoteClientSettings("wan1", 5, server_host=host, server_port=port)


def steps(checks: list[Check]) -> dict[str, bool | None]:
    return {one.name: one.ok for one in checks}


def test_every_step_to_a_server_that_is_there(parts: Parts) -> None:
    servers = [RemsimServerSettings("main", parts.url)]
    checks = try_client(at(parts.server.port), servers, None)
    ok = {"settings": True, "resolve": True, "port": True, "rspro": True, "rest": True}
    assert steps(checks) == ok | {"client": None}
    assert checks[-1].message == "the server has no client C5:0 now; no bank slot is mapped to it"
    assert parts.do(lambda: len(parts.server.clients)) == 0, "nothing is claimed"
    parts.post((1, 2), (5, 0))
    with virtual_client(parts.server.port, (5, 0)):
        wait_until(lambda: parts.do(lambda: len(parts.server.clients)) == 1)
        checks = try_client(at(parts.server.port), servers, None)
        assert checks[-1] == Check("client", True, "the server knows client C5:0; bank slot B1:2 is mapped to it")
        assert parts.do(lambda: len(parts.server.clients)) == 1, "a client that runs goes on"


def test_a_server_s_two_ports(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_test, "RSPRO_PORT", parts.server.port)
    ok = {"resolve": True, "rest_port": True, "rest": True, "port": True, "rspro": True}
    assert steps(try_server(RemsimServerSettings("main", parts.url))) == ok
    parts.do(lambda: setattr(parts.rest, "fault", "html"))
    assert steps(try_server(RemsimServerSettings("main", parts.url))) == ok | {"rest": False}


def test_nobody_listens() -> None:
    checks = try_client(at(free_port()), [], None)
    assert steps(checks) == {"settings": True, "resolve": True, "port": False, "rest": None}
    assert "does not take TCP: connection refused" in checks[2].message
    assert checks[2].hint is not None and "firewall" in checks[2].hint


def test_a_name_that_is_not_known_ends_the_test_and_says_what_the_client_does() -> None:
    checks = try_client(at(9998, "no.such.host.invalid"), [], None)
    assert steps(checks) == {"settings": True, "resolve": False}
    assert "no.such.host.invalid cannot be resolved" in checks[1].message
    assert checks[1].hint is not None and "use its address" in checks[1].hint


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def answer(*given: object, **more: object) -> list[object]:
        answered.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    monkeypatch.setattr(connection_test, "RESOLVE_S", 0.05)
    found: list[Check] = []
    assert connection_test.resolve("slow.example", found) is None
    assert found[0].message == "slow.example cannot be resolved: no answer within 0.05 s"
    answered.set()


def test_the_rest_port_is_not_the_one_of_clients(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_test, "ANSWER_S", 0.5)
    checks = try_client(at(parts.rest.port), [], None)
    assert steps(checks)["rspro"] is False
    assert "clients use port 9998" in str(next(one.hint for one in checks if one.name == "rspro"))


def test_why_the_client_is_not_started_comes_first(parts: Parts) -> None:
    refusal = Refusal("program", "osmo-remsim-client-st2 is not installed", "install it")
    first = try_client(at(parts.server.port), [], refusal)[0]
    assert first == Check("settings", False, "program: osmo-remsim-client-st2 is not installed", "install it")


CONFIG = """
config remsim_server 'main'
	option url '{url}'

config remote_client 'wan1'
	option client_id '5'
	option program 'shell'
	option server_port '{port}'
"""


@pytest.fixture
def client(tmp_path: Path, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    """The API of a router with one client, whose program is on the path."""
    program = tmp_path / "bin" / "osmo-remsim-client-shell"
    program.parent.mkdir()
    options = f"--program {program.name} --pace 0.02"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m remsim.simulator.remsim client {options} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    (tmp_path / "remsim_console").write_text(CONFIG.format(url=parts.url, port=parts.server.port))
    router, app = small_app(tmp_path, clock=SystemClock())
    settings = router.config.reread()
    router.config._settings = settings
    router.remote_sim.configure(settings)
    router.remote_sim.start()
    yield client_of(app)
    router.remote_sim.stop()


def shown(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get(API).json["clients"][0]  # type: ignore[index]
    return found


def test_a_client_runs_is_stopped_started_and_tried_by_the_api(client: FlaskClient, parts: Parts) -> None:
    wait_until(lambda: shown(client)["process"]["running"])
    wait_until(lambda: parts.do(lambda: len(parts.server.clients)) == 1)
    lines = client.get(f"{API}/clients/wan1/log").json["lines"]  # type: ignore[index]
    assert any("DRSPRO" in line for line in lines)
    tried = client.post(f"{API}/test", json={"client": "wan1"}).json
    assert tried["ok"] is True  # type: ignore[index]
    assert client.post(f"{API}/test", json={"server": "main"}).json["checks"][0]["name"] == "resolve"  # type: ignore[index]
    assert client.post(f"{API}/clients/wan1/start").status_code == 409
    assert client.post(f"{API}/clients/wan1/stop").status_code == 200
    wait_until(lambda: parts.do(lambda: len(parts.server.clients)) == 0)
    wait_until(lambda: shown(client)["health"] == "the client does not run: somebody has stopped it")
    assert shown(client)["process"]["can"] == ["start"]
    assert client.post(f"{API}/clients/wan1/stop").json["code"] == "already_stopped"  # type: ignore[index]
    assert client.post(f"{API}/clients/wan1/start").status_code == 200
    wait_until(lambda: parts.do(lambda: len(parts.server.clients)) == 1)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("clients/nobody/start", {}, 404),
        ("clients/nobody/restart", {}, 404),
        ("test", {}, 422),
        ("test", {"client": "wan1", "server": "main"}, 422),
        ("test", {"client": "nobody"}, 404),
        ("test", {"server": "nobody"}, 404),
        ("test", {"file": True}, 409),
    ],
)
def test_what_cannot_be_is_refused(client: FlaskClient, path: str, body: dict[str, Any], status: int) -> None:
    assert client.post(f"{API}/{path}", json=body).status_code == status
    assert client.get(f"{API}/clients/nobody/log").status_code == 404


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "remsim", "remote-sim", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_the_test_on_the_command_line(tmp_path: Path, parts: Parts) -> None:
    folders = ["--config", str(tmp_path), "--state", str(tmp_path), "--data", str(tmp_path)]
    assert "no client or server is set up" in run("test", *folders).stderr
    (tmp_path / "remsim_console").write_text(CONFIG.format(url=parts.url, port=parts.server.port))
    done = run("test", "wan1", *folders)
    assert "  ok     a remsim-server answers there\n" in done.stdout
    assert done.stdout.startswith("client wan1\n  FAILED program: osmo-remsim-client-shell is not installed")
    assert done.returncode == 1
    assert "there is no such client or server" in run("test", "wan9", *folders).stderr
    theirs = "config client 'client'\n\toption client_id '5'\nconfig server 'server'\n\toption host '127.0.0.1'\n"
    (tmp_path / "remsim").write_text(f"{theirs}\toption port '{parts.server.port}'\n")
    (tmp_path / "remsim_console").write_text("")
    done = run("test", *folders)
    assert (done.returncode, "a remsim-server answers there" in done.stdout) == (0, True), done


def test_what_procd_is_to_run_is_printed_and_what_cannot_run_is_told(tmp_path: Path, parts: Parts) -> None:
    folders = ["--config", str(tmp_path), "--state", str(tmp_path), "--data", str(tmp_path)]
    (tmp_path / "remsim_console").write_text(CONFIG.format(url=parts.url, port=parts.server.port))
    done = run("commands", *folders)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "client wan1 is not started: program: osmo-remsim-client-shell is not installed\n"
