"""The remote SIMs of a simulated router: two cards for its clients, and what can go wrong with them."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_ask import ask
from remsim.config.settings import Settings, load_settings
from remsim.core.errors import InvalidInput
from remsim.simulator.control import REMOTE_FAULTS
from remsim.simulator.main import REMOTE_VARIABLE
from remsim.simulator.process import SimulatorProcess
from virtual_remsim import wait_until

PACE = 0.02


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(tmp_path_factory.mktemp("simulation"), 3)
    process.start()
    process.control.set_time_scale(PACE)
    yield process
    process.stop()


@pytest.fixture
def settings(simulator: SimulatorProcess) -> Iterator[Settings]:
    """Of a router whose remote SIMs are in order before and after the test."""
    yield load_settings(simulator.config_dir)
    simulator.control.fault(None, "remote_clear")


def listed(settings: Settings, what: str) -> list[str]:
    """The server's list: states of maps, names of the others."""
    port = int(settings.remsim_servers[0].url.rpartition(":")[2])
    status, body = ask(port, "GET", f"/api/backend/v1/{what}")
    assert status == 200
    return [one["state"] if what == "slotmaps" else one["peer"] for one in json.loads(body)[what]]


def make_maps(settings: Settings, simulator: SimulatorProcess) -> None:
    port = int(settings.remsim_servers[0].url.rpartition(":")[2])
    for bank, client in simulator.slotmaps:
        sides = {"bank": {"bankId": bank[0], "slotNr": bank[1]}, "client": {"clientId": client[0], "slotNr": client[1]}}
        ask(port, "POST", "/api/backend/v1/slotmaps", sides)


@contextlib.contextmanager
def client_of(settings: Settings, simulator: SimulatorProcess) -> Iterator[subprocess.Popen[str]]:
    """The first client as a service starts it; its log."""
    client = settings.remote_clients[0]
    command = [simulator.programs / f"osmo-remsim-client-{client.program}", "-i", client.server_host]
    command += ["-p", str(client.server_port), "-c", str(client.client_id), "-n", str(client.client_slot)]
    command += ["-d", "DMAIN,3:DRSPRO,3"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def until_log_says(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"the client ended without a word of {text}")


def test_the_settings_have_a_server_and_a_client_for_two_modems(settings: Settings) -> None:
    assert [server.name for server in settings.remsim_servers] == ["simulated"]
    assert [(one.client_id, one.client_slot, one.modem) for one in settings.remote_clients] == [
        (5, 0, "1-1.1"),
        (5, 1, "1-1.2"),
    ]


def test_a_client_gets_its_card_and_loses_it_with_the_bank(simulator: SimulatorProcess, settings: Settings) -> None:
    wait_until(lambda: listed(settings, "banks") == ["B1"])
    make_maps(settings, simulator)
    with client_of(settings, simulator) as process:
        until_log_says(process, "event-bankd-connect")
        wait_until(lambda: listed(settings, "clients") == ["C5:0"])
        simulator.control.fault(None, "bankd_lost", seconds=0.2)
        until_log_says(process, "request-card-remove")
        until_log_says(process, "event-bankd-connect")
        simulator.control.fault("1-1.1", "card_removed")
        until_log_says(process, "request-card-remove")
        until_log_says(process, "result=<invalid>")
        simulator.control.fault("1-1.1", "card_inserted")
        until_log_says(process, "event-bankd-connect")


def test_a_server_that_restarts_forgets_its_maps(simulator: SimulatorProcess, settings: Settings) -> None:
    wait_until(lambda: listed(settings, "banks") == ["B1"])
    make_maps(settings, simulator)
    assert len(listed(settings, "slotmaps")) >= 2
    simulator.control.fault(None, "server_restart")
    assert listed(settings, "slotmaps") == []
    wait_until(lambda: listed(settings, "banks") == ["B1"])
    simulator.control.fault(None, "server_lost", seconds=0.2)
    with pytest.raises(OSError):
        listed(settings, "slotmaps")
    wait_until(lambda: answers(settings))


def answers(settings: Settings) -> bool:
    with contextlib.suppress(OSError):
        return listed(settings, "slotmaps") == []
    return False


def test_the_documentation_names_every_fault() -> None:
    text = (Path(__file__).parents[2] / "docs" / "remote-sim.md").read_text()
    assert [fault for fault in REMOTE_FAULTS if f"`{fault}`" not in text] == []


@pytest.mark.parametrize("fault", REMOTE_FAULTS)
def test_every_fault_can_be_done_and_undone(simulator: SimulatorProcess, settings: Settings, fault: str) -> None:
    simulator.control.fault(None, fault)
    simulator.control.fault("1-1.2", fault)
    simulator.control.fault(None, "remote_clear")
    wait_until(lambda: listed(settings, "banks") == ["B1"])


@pytest.mark.parametrize(
    ("modem", "fault", "seconds", "field"),
    [
        (None, "unplug", None, "modem"),
        (None, "nonsense", None, "fault"),
        ("1-1.9", "card_removed", None, "modem"),
        ("1-1.3", "card_removed", None, "modem"),
        (None, "bankd_lost", -1, "seconds"),
    ],
)
def test_what_is_no_fault_says_why(
    simulator: SimulatorProcess, modem: str | None, fault: str, seconds: float | None, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        simulator.control.fault(modem, fault, seconds=seconds)
    assert caught.value.field == field


def test_modems_alone_can_be_simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REMOTE_VARIABLE, "0")
    process = SimulatorProcess(tmp_path, 1)
    process.start()
    try:
        assert load_settings(process.config_dir).remote_clients == ()
        with pytest.raises(InvalidInput, match="no remote SIMs"):
            process.control.fault(None, "bankd_lost")
    finally:
        process.stop()
