"""Why a client has no card, in one sentence; and whether others can reach a server."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from remsim.config.remote_sim import RemoteClientSettings
from remsim.core.clock import FakeClock
from remsim.remotesim.clients import client_rows, foreign_rows
from remsim.remotesim.exposure import warnings_of
from remsim.remotesim.health import ServerSeen, health_of
from remsim.remotesim.slotmap import ACTIVE, NEW, UNACKNOWLEDGED, Bank, Seen, SlotMap
from remsim.remotesim.spool import Spool
from remsim.remotesim.told import Told

MAP = SlotMap(1, 3, 5, 0)
BANK = {1: Bank(1, 8)}
LISTED = {(5, 0): "router"}


def client(state: str = "unknown", **more: Any) -> dict[str, Any]:
    return {"client_slot": "5:0", "state": state, "bank_slot": None, "bankd_addr": None, **more}


def server(
    maps: dict[SlotMap, str] | None = None, banks: Any = None, clients: Any = None, up: bool = True
) -> ServerSeen:
    shown = Seen(maps or {}, BANK if banks is None else banks, LISTED if clients is None else clients)
    return ServerSeen("main", up, shown)


UP, DOWN = {"up": True}, {"up": False}


@pytest.mark.parametrize(
    ("given", "servers", "words"),
    [
        (client(process={"running": False}), [server()], "the client does not run"),
        (client("remote", bank_slot="1:3"), [server({MAP: ACTIVE})], "the card in bank slot 1:3 serves it"),
        (client("remote", bank_slot="1:3"), [server()], "the server has no slot map of it any more"),
        (client("remote", bank_slot="1:3"), [server(up=False)], "the card in bank slot 1:3 serves it"),
        (client("remote", bankd_link=DOWN), [server({MAP: ACTIVE})], "the link to the bank is down"),
        (client("remote", uncertain=True), [server({MAP: ACTIVE})], "when it last told something"),
        (client("remote", server_link=DOWN), [server({MAP: ACTIVE})], "the server is not reached"),
        (client("local", server_link=DOWN), [server({MAP: ACTIVE})], "does not reach the remsim-server"),
        (client("local"), [], "the link to the bank is lost"),
        (client("unassigned"), [server(up=False)], "REST interface does not answer"),
        (client(), [server(clients={})], "the server does not know this client"),
        (client(), [server()], "no card is given to it"),
        (client(), [server({MAP: NEW}, banks={})], "bank 1 is not connected to the server"),
        (client(), [server({SlotMap(1, 20, 5, 0): ACTIVE})], "bank 1 has 8 slots, 0 to 7"),
        (client(), [server({MAP: NEW})], "bank 1 has not been told of it yet"),
        (client(), [server({MAP: UNACKNOWLEDGED})], "bank 1 does not answer the server"),
        (client("connecting"), [server({MAP: ACTIVE})], "bankd answers, but slot 3 holds no card"),
        (client("local", bankd_link=DOWN), [server({MAP: ACTIVE})], "bankd answers, but slot 3 holds no card"),
        (
            client("connecting", bankd_link={"up": False, "dials": True}, bankd_addr="10.0.0.5:9999"),
            [server({MAP: ACTIVE})],
            "10.0.0.5:9999 does not answer the client",
        ),
        (client(), [server({MAP: ACTIVE})], "only the client can tell if the card works"),
        (client(server_link=UP), [server({MAP: ACTIVE}, clients={})], "only the client can tell"),
        (client(), [server(up=False, clients={}), server({MAP: ACTIVE})], "only the client can tell"),
    ],
)
def test_why_there_is_no_card(given: dict[str, Any], servers: list[ServerSeen], words: str) -> None:
    assert words in health_of(given, servers).text


def test_a_client_has_a_moment_to_dial() -> None:
    seen = [server({MAP: ACTIVE})]
    assert health_of(client("connecting"), seen, state_age_s=3.0).text == "the client dials the bank"
    assert "holds no card" in health_of(client("connecting"), seen, state_age_s=30.0).text


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Nobody has told anything."""
    return Told(
        Spool(tmp_path, tmp_path),
        tmp_path / "kept.json",
        clock=FakeClock(),
        emit=lambda event: None,
        of_client=lambda slot: ("remsim", None),
    )


def test_clients_of_others_are_shown_with_what_the_server_knows(told: Told) -> None:
    seen = server({MAP: ACTIVE}, clients={(5, 0): "truck", (6, 0): None, (7, 0): "ours"})
    mapped, free = foreign_rows([RemoteClientSettings("ours", 7)], [seen, seen], told)
    assert [mapped[key] for key in ("client_slot", "state", "bank_slot", "host")] == ["5:0", "unknown", "1:3", "truck"]
    assert mapped["uncertain"] and mapped["configured"] is False
    assert (free["client_slot"], free["state"], free["uncertain"]) == ("6:0", "unassigned", False)


def test_ours_are_shown_by_their_settings_and_a_map_is_no_proof(told: Told) -> None:
    ours = [RemoteClientSettings("truck", 5, modem="1-1.2"), RemoteClientSettings("spare", 6)]
    seen = server({MAP: ACTIVE}, clients={(5, 0): "router", (6, 0): "router"})
    mapped, free = client_rows(ours, [seen], {"1-1.2": ("modem1", "online")}.get, told, {})
    shown = [mapped[key] for key in ("name", "modem", "state", "bank_slot")]
    assert shown == ["truck", "modem1", "unknown", "1:3"]
    assert mapped["uncertain"] and "only the client can tell" in mapped["health"]
    assert (free["state"], free["uncertain"], free["modem"]) == ("unassigned", False, None)
    (lost,) = client_rows(ours[1:], [server(up=False)], lambda place: None, told, {})
    assert (lost["state"], lost["uncertain"]) == ("unknown", True)


def test_a_client_that_was_just_killed_has_no_card(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    row = {"state": "remote", "state_source": "event", "since": "x", "process": {"running": True, "pid": gone.pid}}
    monkeypatch.setattr(told, "row_of", lambda slot, **more: dict(row))
    processes = {"truck": {"running": False, "pid": None, "problem": "was ended by signal 9"}}
    (shown,) = client_rows([RemoteClientSettings("truck", 5)], [], lambda place: None, told, processes)
    assert (shown["state"], shown["state_source"], shown["since"]) == ("unknown", "process", None)


class Machine:
    """A fake /sys and /proc."""

    def __init__(self, root: Path) -> None:
        self.sys, self.proc = root / "sys", root / "proc"
        self.interface("lo", type="772", flags="0x9")
        (self.proc / "net").mkdir(parents=True)

    def interface(self, name: str, **files: str) -> None:
        directory = self.sys / "class/net" / name
        directory.mkdir(parents=True)
        for file, text in {"type": "1", "flags": "0x1003", "uevent": f"INTERFACE={name}", **files}.items():
            (directory / file).write_text(text + "\n")

    def listening(self, *addresses: str) -> None:
        lines = [f"   {n}: {one}:270D 00000000:0000 0A 0:0" for n, one in enumerate(addresses)]
        (self.proc / "net/tcp").write_text("\n".join(["  sl  local_address rem_address   st", *lines]) + "\n")

    def address6(self, address: str, interface: str) -> None:
        (self.proc / "net/if_inet6").write_text(f"{address} 02 40 00 80 {interface:>8}\n")

    def codes(self, ours: str, theirs: str) -> list[str]:
        found = warnings_of("main", ours, theirs, sys_root=self.sys, proc_root=self.proc)
        self.messages = [one.message for one in found]
        return [one.code for one in found]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_server_here_that_listens_everywhere_is_warned_of_with_where_it_could_be_reached(machine: Machine) -> None:
    machine.listening("00000000")
    assert machine.codes("127.0.0.1", "127.0.0.1") == []  # only the loopback is up
    machine.interface("br-lan")
    machine.interface("lan1", master="x")
    machine.interface("wan")
    machine.interface("wg0", type="65534", uevent="DEVTYPE=wireguard\nINTERFACE=wg0")
    machine.interface("tun0", type="65534", tun_flags="0x1001")
    machine.interface("wwan0", type="65534")
    machine.interface("down0", flags="0x1002")
    assert machine.codes("127.0.0.1", "127.0.0.1") == ["rest_here"]
    assert "(br-lan, wan, wwan0)" in machine.messages[0]
    assert machine.codes("192.168.1.1", "192.168.1.1") == ["rest_here"]
    machine.listening("0100007F")
    assert machine.codes("127.0.0.1", "127.0.0.1") == []
    (machine.proc / "net/tcp").unlink()
    assert machine.codes("127.0.0.1", "127.0.0.1") == ["rest_here"]  # it cannot be seen: rather said than not


def test_a_server_elsewhere_is_warned_of_unless_a_tunnel_leads_there(machine: Machine) -> None:
    assert machine.codes("10.9.9.9", "10.0.0.5") == ["rest_lan"]
    assert machine.codes("10.9.9.9", "8.8.8.8") == ["rest_public"]
    assert machine.codes("::ffff:10.9.9.9", "::ffff:10.0.0.5") == ["rest_lan"]
    machine.interface("wg0", type="65534", uevent="DEVTYPE=wireguard")
    machine.address6("fd000000000000000000000000000001", "wg0")
    assert machine.codes("fd00::1", "fd00::2") == []
    machine.interface("br-lan")
    machine.address6("fd000000000000000000000000000001", "br-lan")
    assert machine.codes("fd00::1%br-lan", "fd00::2") == ["rest_lan"]
    assert "through br-lan" in machine.messages[0]


def test_the_real_machine_can_be_looked_at() -> None:
    assert warnings_of("main", "127.0.0.1", "127.0.0.1") is not None
    assert [one.code for one in warnings_of("main", "127.0.0.1", "8.8.8.8")] == []  # by the loopback: ours is on lo
