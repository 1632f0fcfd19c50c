"""Server, bankd, clients and the service are killed in turn: the modems' remote cards come back, by nobody's hand."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import RunningService, descendants, free_port
from virtual_remsim import wait_until

PACE = "0.02"
SOON_S = 30.0
CLIENTS = ("remote1", "remote2")
MAPS = {"1:2": "5:0", "1:3": "5:1"}


class Part:
    """A virtual program that can be killed and started again where it was."""

    def __init__(self, *command: str) -> None:
        self._command = [sys.executable, "-m", "remsim.simulator.remsim", *command, "--pace", PACE]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert json.loads(self._process.stdout.readline())["ready"]

    def kill(self) -> None:
        """As the kernel kills: it says good-bye to nobody."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


class Place:
    """A server, a bank, and a router with two clients."""

    def __init__(self, directory: Path) -> None:
        self._ports = [free_port() for _ in range(3)]
        server, rest, bank = map(str, self._ports)
        self.server = Part("server", "--port", server, "--rest-port", rest, "--bank-port", bank)
        self.bankd = Part("bankd", "-b", "1", "-n", "8", "-p", server, "-P", bank)
        config = directory / "etc"
        config.mkdir()
        (config / "remsim_console").write_text(self._settings())
        self.service = RunningService(directory, "--config", str(config))

    def _settings(self) -> str:
        server, rest, _ = self._ports
        lines = ["config remote_sim", "\toption reconcile_s '1'"]
        lines += ["config remsim_server 'room'", f"\toption url 'http://127.0.0.1:{rest}'"]
        for slot, name in enumerate(CLIENTS):
            lines += [f"config remote_client '{name}'", "\toption client_id '5'", f"\toption client_slot '{slot}'"]
            lines += [f"\toption server_port '{server}'", f"\toption usb_path '1-2.{slot + 1}'"]
        return "\n".join(lines) + "\n"

    def client(self, name: str) -> dict[str, Any]:
        view = self.service.get("remote-sim")
        return next((one for one in view["clients"] if one["name"] == name), {})

    def pid(self, name: str) -> int | None:
        return self.client(name)["process"]["pid"]

    def states(self) -> list[str]:
        return [self.client(name)["state"] for name in CLIENTS]

    def is_none_remote(self) -> bool:
        """Whether both have lost their cards, whether they dial or were told by the server that they have none."""
        return "remote" not in self.states()

    def is_all_remote(self) -> bool:
        """Whether both clients run and are served. That a link stands is seen after some seconds."""
        clients = [self.client(name) for name in CLIENTS]
        return all(one["state"] == "remote" and one["bankd_link"]["up"] is not False for one in clients)

    def all_come_back(self) -> None:
        try:
            wait_until(self.is_all_remote, SOON_S)
        except AssertionError:
            view = self.service.get("remote-sim")
            raise AssertionError(json.dumps(view, indent=1) + self.service.log()) from None
        maps = [one for one in self.maps() if one["desired"]]
        found = {f"{one['bank_id']}:{one['bank_slot']}": f"{one['client_id']}:{one['client_slot']}" for one in maps}
        assert found == MAPS

    def maps(self) -> list[dict[str, Any]]:
        return list(self.service.get("remote-sim")["slotmaps"])

    def kill_service(self) -> None:
        """Only its first process is killed: what that has started ends by itself, or cards would have two clients."""
        process = self.service.process
        assert process is not None
        left = descendants(process.pid)
        process.kill()
        process.wait(60)
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), SOON_S)

    def events(self, kind: str) -> list[dict[str, Any]]:
        return list(self.service.get(f"events?kind={kind}")["events"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("killed")
    programs = directory / "bin"
    programs.mkdir()
    program = programs / "osmo-remsim-client-st2"
    call = f"exec {sys.executable} -m remsim.simulator.remsim client --program {program.name} --pace {PACE}"
    package = Path(__file__).parents[2] / "backend"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={package} {call} "$@"\n')
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        there = Place(directory)
        try:
            there.server.start()
            there.bankd.start()
            there.service.start()
            for bank, client in MAPS.items():
                sides = [*map(int, bank.split(":")), *map(int, client.split(":"))]
                body = dict(zip(("bank_id", "bank_slot", "client_id", "client_slot"), sides, strict=True))
                status, answer = there.service.request("remote-sim/slotmaps", method="POST", body=body)
                assert status == 201, answer
            yield there
        finally:
            with contextlib.suppress(ProcessLookupError):
                there.service.stop()
            there.bankd.kill()
            there.server.kill()


@pytest.fixture(autouse=True)
def in_order(place: Place) -> None:
    place.all_come_back()


def test_a_client_is_started_again_and_the_other_does_not_notice(place: Place) -> None:
    killed, other = place.pid("remote1"), place.pid("remote2")
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: place.pid("remote1") not in (None, killed), SOON_S)
    place.all_come_back()
    assert place.pid("remote2") == other
    assert place.client("remote1")["process"]["restarts"] >= 1
    assert place.client("remote2")["process"]["restarts"] == 0
    told = [one["message"] for one in place.events("remsim_client")]
    assert any("remote1 was ended by signal 9" in text for text in told), told


def test_a_bank_that_is_killed_takes_its_cards_and_brings_them_back(place: Place) -> None:
    pids = [place.pid(name) for name in CLIENTS]
    place.bankd.kill()
    wait_until(place.is_none_remote, SOON_S)
    assert [place.pid(name) for name in CLIENTS] == pids
    place.bankd.start()
    place.all_come_back()
    assert [place.pid(name) for name in CLIENTS] == pids


def test_a_server_that_is_killed_gets_its_maps_back(place: Place) -> None:
    pids = [place.pid(name) for name in CLIENTS]
    place.server.kill()
    wait_until(lambda: place.service.get("remote-sim")["server"]["reachable"] is False, SOON_S)
    wait_until(lambda: place.client("remote1")["server_link"]["up"] is False, SOON_S)
    assert place.states() == ["remote", "remote"], "the bank serves on"
    place.server.start()
    wait_until(lambda: place.service.get("remote-sim")["server"]["reachable"] is True, SOON_S)
    wait_until(lambda: [one["state"] for one in place.maps()] == ["ACTIVE", "ACTIVE"], SOON_S)
    place.all_come_back()
    assert [place.pid(name) for name in CLIENTS] == pids


def test_what_dies_again_at_once_is_put_back_on_request(place: Place) -> None:
    place.server.kill()
    place.bankd.kill()
    wait_until(place.is_none_remote, SOON_S)
    place.server.start()
    place.bankd.start()
    wait_until(lambda: any(one["held"] for one in place.maps()), SOON_S)  # each time resets the modem
    status, answer = place.service.request("remote-sim/restore", method="POST", body={})
    assert (status, answer["restored"]) == (200, 2), answer
    place.all_come_back()


def test_the_service_is_killed_its_clients_end_with_it_and_all_is_as_it_was(place: Place) -> None:
    pids = [place.pid(name) for name in CLIENTS]
    place.kill_service()
    place.service.start()
    place.all_come_back()
    assert not set(pids) & {place.pid(name) for name in CLIENTS}


def test_the_service_is_killed_while_the_server_is_away(place: Place) -> None:
    place.server.kill()
    place.kill_service()
    place.service.start()
    wait_until(lambda: place.service.get("remote-sim")["server"]["reachable"] is False, SOON_S)
    place.server.start()
    place.all_come_back()
