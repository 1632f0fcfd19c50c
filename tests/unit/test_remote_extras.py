"""What the room shows of relays, GSMTAP and IonMesh: only what is configured, only while it runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ionmesh_server import ionmesh
from relays import RelayProcess, running_relay
from remsim.config.remote_sim import IonMeshSettings, RemoteClientSettings, RemoteSimSettings
from remsim.config.settings import Settings, usable_settings
from remsim.core.clock import SystemClock
from remsim.remotesim.extras import Extras
from remsim.remotesim.relay_place import has_relay, is_relay_address, relay_address, relay_command, relay_port
from virtual_remsim import free_port, wait_until


class Room:
    """The extras and the clients' views that the desk would make."""

    def __init__(self, directory: Path) -> None:
        self.clients: list[dict[str, Any]] = []
        self.extras = Extras(
            state_dir=directory,
            data_dir=directory,
            clock=SystemClock(),
            emit=lambda event: None,
            clients=lambda: self.clients,
        )

    def view(self, **client: Any) -> dict[str, Any]:
        view: dict[str, Any] = {"clients": [{"name": "uplink", **client}], "warnings": [{"code": "rest"}]}
        self.extras.add_to(view)
        return view


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    made.extras.start()
    yield made
    made.extras.stop()


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[RelayProcess]:
    with running_relay(tmp_path / "relay", free_port()) as made:
        yield made


def test_nothing_is_counted_and_nothing_loaded_where_nothing_is_wanted(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from remsim.core.clock import SystemClock\n"
        "from remsim.config.settings import Settings; from remsim.remotesim.extras import Extras\n"
        "made = Extras(state_dir=Path('.'), data_dir=Path('.'), clock=SystemClock(), emit=print, clients=list)\n"
        "made.configure(Settings()); made.start()\n"
        "print([m for m in sys.modules if m.endswith(('ionmesh', 'ionmesh_api', 'gsmtap', 'counts', 'relay'))])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert found.stdout.strip() == "[]"


def test_a_client_without_a_relay_has_no_counts(room: Room) -> None:
    room.extras.configure(Settings(remote_clients=(RemoteClientSettings("uplink", 5),)))
    view = room.view()
    assert view["clients"] == [{"name": "uplink", "relay": {"enabled": False, "running": None}}]
    assert view["gsmtap"] is None and view["ionmesh"] is None
    assert view["warnings"] == [{"code": "rest"}]


def test_counts_are_shown_while_the_relay_runs(room: Room, relay: RelayProcess) -> None:
    room.extras.configure(Settings(remote_clients=(relay.client,)))
    client = room.view()["clients"][0]
    assert client["relay"]["running"] is True
    assert client["relay"]["server_link"] is False
    assert (client["tpdu_tx"], client["authentications"]["success"]) == (0, 0)
    assert client["counted_since"] is not None
    relay.kill()
    assert room.view()["warnings"][-1]["code"] == "relay_down"
    client = room.view()["clients"][0]
    assert client == {
        "name": "uplink",
        "relay": {"enabled": True, "running": False, "problem": None},
    }
    relay.start()
    assert "tpdu_tx" in room.view()["clients"][0]


def test_a_number_that_another_process_has_now_is_no_relay(room: Room, relay: RelayProcess) -> None:
    room.extras.configure(Settings(remote_clients=(relay.client,)))
    relay.kill()
    text = relay.file.read_text().replace(f'"pid": {relay.process.pid}', '"pid": 1')
    relay.file.write_text(text)
    assert room.view()["clients"][0]["relay"]["running"] is False
    relay.start()


def test_the_bankd_is_the_true_one(room: Room, relay: RelayProcess) -> None:
    room.extras.configure(Settings(remote_clients=(relay.client,)))
    assert room.view(bankd_addr=f"{relay.address}:9989")["clients"][0]["bankd_addr"] is None
    assert room.view(bankd_addr="10.0.0.5:9999")["clients"][0]["bankd_addr"] == "10.0.0.5:9999"


def test_gsmtap_is_heard_as_the_settings_say(room: Room) -> None:
    room.extras.configure(Settings(remote_sim=RemoteSimSettings(gsmtap="192.0.2.1")))
    wait_until(lambda: room.view()["warnings"][-1]["code"] == "gsmtap")
    assert room.view()["gsmtap"]["bound"] is False
    room.extras.configure(Settings(remote_sim=RemoteSimSettings(gsmtap="127.99.0.7")))
    wait_until(lambda: room.view()["gsmtap"]["bound"])
    room.extras.configure(Settings())
    assert room.view()["gsmtap"] is None


def test_heartbeats_say_what_is_known_of_a_client(room: Room) -> None:
    with ionmesh() as orchestrator:
        orchestrator.interval = 1
        client = RemoteClientSettings("uplink", 5)
        room.clients = [{"name": "uplink", "state": "connecting", "tpdu_tx": 7, "process": {"running": True}}]
        mesh = IonMeshSettings(enabled=True, url=orchestrator.url, api_key=orchestrator.key)
        room.extras.configure(Settings(remote_clients=(client,), ionmesh=mesh))
        wait_until(lambda: orchestrator.count("POST", "heartbeat"))
        beat = orchestrator.asked[-1][2]
        assert beat["status"] == "warning"
        assert beat["stats"]["tpdus_sent"] == 7
        assert "tpdus_received" not in beat["stats"]
        room.clients = [{"name": "uplink", "state": "remote", "process": {"running": False}}]
        wait_until(lambda: orchestrator.asked[-1][2].get("status") == "error")
        assert room.view()["ionmesh"]["state"] == "registered"
        room.extras.configure(Settings(remote_clients=(client,), ionmesh=replace(mesh, enabled=False)))
        assert room.view()["ionmesh"] is None


def test_each_client_has_a_relay_of_its_own_and_openwrt_none() -> None:
    ids = [(0, 0), (0, 1), (1, 0), (5, 7), (1023, 1023)]
    addresses = [relay_address(*one) for one in ids]
    assert addresses == ["127.64.0.0", "127.64.0.1", "127.64.4.0", "127.64.20.7", "127.79.255.255"]
    client = RemoteClientSettings("uplink", 5, relay=True, server_host="2001:db8::1")
    assert "[2001:db8::1]:9998" in relay_command(client, Path("/tmp/x/relay"))
    assert relay_port(Path("/var/run/remsim/relay")) == 9988
    assert f"127.64.20.0:{relay_port(Path('/tmp/x/relay'))}" in relay_command(client, Path("/tmp/x/relay"))
    assert has_relay(client)
    assert is_relay_address("127.79.255.255:9989")
    others = ("127.0.0.1:9989", "127.80.0.1:9989", "127.64:1", "10.64.0.5:9989", "None")
    assert not any(map(is_relay_address, others))
    assert not has_relay(replace(client, program="openwrt"))
    assert not has_relay(replace(client, relay=False))


def test_a_relay_for_the_openwrt_client_is_refused_in_the_file(tmp_path: Path) -> None:
    text = "config remote_client 'uplink'\n\toption client_id '5'\n\toption program 'openwrt'\n\toption relay '1'\n"
    (tmp_path / "remsim_console").write_text(text)
    settings, problems = usable_settings(tmp_path)
    assert "carries no TPDU" in problems[0].message
    assert not settings.remote_clients[0].relay


def test_the_verb_becomes_the_relay_of_a_client(tmp_path: Path) -> None:
    text = f"config remote_client 'uplink'\n\toption client_id '77'\n\toption client_slot '{free_port() % 1000}'\n"
    (tmp_path / "remsim_console").write_text(text)
    command = [sys.executable, "-m", "remsim", "remote-sim", "relay", "uplink"]
    places = ["--config", str(tmp_path), "--data", str(tmp_path)]
    refused = subprocess.run([*command, *places], capture_output=True, text=True)
    assert (refused.returncode, "without a relay" in refused.stderr) == (1, True)
    (tmp_path / "remsim_console").write_text(text + "\toption relay '1'\n")
    process = subprocess.Popen([*command, *places])
    try:
        wait_until((tmp_path / "relay" / "uplink.json").exists)
        assert b"remsim.remotesim.relay" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    finally:
        process.terminate()
        assert process.wait(60) == 0
