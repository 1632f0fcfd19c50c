"""What a virtual client tells its script, and when: as the real one does, its silences and oddities included."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from virtual_remsim import Client, Parts, virtual_client, virtual_remsim, wait_until

SCRIPT = """#!/bin/sh
env -0 > "{folder}/.$$"
mv "{folder}/.$$" "{folder}/$$"
"""
UP = ["request-sim-remote", "request-card-insert", "request-modem-reset", "event-bankd-connect"]
DOWN = ["request-card-remove", "request-sim-local", "request-modem-reset"]
UNKNOWN = "4294967295"


class Told:
    """The events a script was told, in no order: many run at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "told"
        self.folder.mkdir()
        self.script = folder / "event.sh"
        self.script.write_text(SCRIPT.format(folder=self.folder))
        self.script.chmod(0o755)

    def events(self) -> list[dict[str, str]]:
        lines = (path.read_text().split("\0")[:-1] for path in self.folder.glob("[0-9]*"))
        return [dict(line.split("=", 1) for line in one) for one in lines]

    def causes(self) -> list[str]:
        return [event["REMSIM_CAUSE"] for event in self.events()]

    def wait_for(self, count: int) -> list[dict[str, str]]:
        """So many events, of which all are forgotten then."""
        wait_until(lambda: len(self.causes()) >= count)
        events = self.events()
        for path in self.folder.iterdir():
            path.unlink()
        assert len(events) == count
        return events


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def causes(events: list[dict[str, str]]) -> list[str]:
    return [event["REMSIM_CAUSE"] for event in events]


def of(events: list[dict[str, str]], *names: str) -> set[tuple[str, ...]]:
    return {tuple(event[f"REMSIM_{name}"] for name in names) for event in events}


def connected(parts: Parts, client: Client) -> None:
    assert client.line().startswith("SET_ATR: 3b 9f")


def test_the_way_to_a_card_and_back(told: Told) -> None:
    with (
        virtual_remsim(1) as parts,
        virtual_client(parts.server.port, (5, 0), "-e", str(told.script), env={"REMSIM_STATE": "/x"}) as client,
    ):
        address = f"127.0.0.1:{parts.server.port}"
        [first] = told.wait_for(1)
        assert first["REMSIM_CAUSE"] == "event-server-connect"
        assert of([first], "SERVER_STATE", "SERVER_ADDR", "BANKD_STATE", "BANKD_ADDR", "BANKD_SLOT") == {
            ("CONNECTED", address, "INIT", "(null):0", "0:0")
        }
        assert of([first], "CLIENT_SLOT", "SIM_VCC", "SIM_RST", "SIM_CLK") == {("5:0", UNKNOWN, UNKNOWN, UNKNOWN)}
        assert "REMSIM_STATE" not in first and first["PATH"]

        parts.post((1, 2), (5, 0))
        connected(parts, client)
        events = told.wait_for(5)
        bank = f"127.0.0.1:{parts.bank_port}"
        assert sorted(causes(events)) == sorted(["event-config-bankd", *UP])
        assert of(events, "BANKD_STATE", "BANKD_ADDR", "BANKD_SLOT") == {
            ("REESTABLISH_DELAY", bank, "1:2"),
            ("CONNECTED", bank, "1:2"),
        }

        parts.do(parts.banks[1].stop)
        events = told.wait_for(3)
        assert sorted(causes(events)) == sorted(DOWN)
        assert of(events, "BANKD_STATE", "BANKD_ADDR") == {("CONNECTED", bank)}  # it still says so

        parts.do(parts.banks[1].start)
        connected(parts, client)
        assert sorted(causes(told.wait_for(4))) == sorted(UP)

        parts.ask("DELETE", "slotmaps/65538")
        events = told.wait_for(4)
        assert sorted(causes(events)) == sorted([*DOWN, "event-config-bankd"])
        assert of(events, "BANKD_ADDR", "BANKD_SLOT") == {("0.0.0.0:0", "1:2")}
    assert told.causes() == []  # its end is not told


def test_a_lost_server_is_not_told_and_a_map_made_again_resets_the_modem(told: Told) -> None:
    with (
        virtual_remsim(1) as parts,
        virtual_client(parts.server.port, (5, 0), "-e", str(told.script)) as client,
    ):
        parts.post((1, 2), (5, 0))
        connected(parts, client)
        told.wait_for(6)
        parts.restart_server()
        parts.wait_for_banks()
        wait_until(lambda: parts.do(lambda: len(parts.server.clients)) == 1)
        assert client.apdu("a0a40000027f20") == "9f0d" and told.causes() == []
        parts.post((1, 2), (5, 0))
        connected(parts, client)
        assert sorted(causes(told.wait_for(8))) == sorted([*DOWN, "event-config-bankd", *UP])


def test_a_refused_client_hears_of_its_bank_once_and_tries_for_ever(told: Told) -> None:
    with virtual_remsim(1) as parts, virtual_client(parts.server.port, (5, 0), "-e", str(told.script)):
        parts.do(lambda: setattr(parts.banks[1].cards[2], "mode", "absent"))
        parts.post((1, 2), (5, 0))
        assert sorted(causes(told.wait_for(2))) == ["event-config-bankd", "event-server-connect"]
        wait_until(lambda: parts.slotmaps()[(1, 2)][1] == "ACTIVE")
        parts.do(lambda: setattr(parts.banks[1].cards[2], "mode", "ok"))
        assert sorted(causes(told.wait_for(4))) == sorted(UP)


def test_a_modem_is_told_of_only_when_it_repeats_itself(told: Told) -> None:
    with (
        virtual_remsim(1) as parts,
        virtual_client(
            parts.server.port, (5, 0), "-e", str(told.script), "-H", "1-1.2", program="osmo-remsim-client-st2"
        ),
    ):
        parts.post((1, 2), (5, 0))
        events = told.wait_for(7)
        [status] = [event for event in events if event["REMSIM_CAUSE"] == "event-modem-status"]
        assert of([status], "SIM_VCC", "SIM_RST", "SIM_CLK", "USB_PATH") == {("1", "0", "1", "1-1.2")}


def test_it_is_known_by_its_name(told: Told) -> None:
    with virtual_remsim() as parts, virtual_client(parts.server.port, (5, 0), "-e", str(told.script)) as client:
        told.wait_for(1)
        process = Path(f"/proc/{client.process.pid}")
        assert (process / "comm").read_text().startswith("osmo-remsim-cl")
        assert b"osmo-remsim-client-shell" in (process / "cmdline").read_bytes()


def two_lines(client: Client) -> None:
    os.write(client.process.stdin.fileno(), b"RESET\nRESET\n")  # type: ignore[union-attr]


@pytest.mark.parametrize("kill", [two_lines, lambda client: client.process.send_signal(12)])
def test_two_lines_at_once_and_a_signal_kill_it(kill: Callable[[Client], None], told: Told) -> None:
    with virtual_remsim() as parts, virtual_client(parts.server.port, (5, 0), "-e", str(told.script)) as client:
        told.wait_for(1)
        kill(client)
        assert client.process.wait(60) < 0
