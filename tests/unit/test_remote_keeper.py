"""Slot maps are kept at a virtual osmo-remsim-server that has the real one's traps, and lost by it again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from remsim.config.remote_sim import RemoteSimSettings, RemsimServerSettings
from remsim.config.settings import Settings
from remsim.core.clock import SystemClock
from remsim.core.errors import Conflict, InvalidInput, NotFound, StorageError
from remsim.core.events import Event
from remsim.remotesim.keeper import Keeper, MapForm
from remsim.remotesim.rest import Rest
from remsim.remotesim.slotmap import ACTIVE, SlotMap
from virtual_remsim import Parts, virtual_remsim

A = SlotMap(1, 2, 5, 0)


@pytest.fixture
def parts() -> Iterator[Parts]:
    with virtual_remsim(1, 2) as made:
        yield made


class Driven:
    """A keeper that is ticked by whoever waits for something."""

    def __init__(self, directory: Path, url: str, *, restore: str = "now", reconcile_s: int = 1) -> None:
        self.path = directory / "remote_sim.db"
        self.events: list[Event] = []
        self.online: dict[tuple[int, int], bool] = {}
        self.settings = Settings(
            remote_sim=RemoteSimSettings(restore, reconcile_s), remsim_servers=(RemsimServerSettings("main", url),)
        )
        self.keeper = self.made()

    def made(self) -> Keeper:
        return Keeper(
            self.path,
            settings=self.settings,
            clock=SystemClock(),
            emit=self.events.append,
            in_use=self.online.get,
            environ={},
        )

    def again(self) -> None:
        """The service restarts."""
        self.keeper.close()
        self.keeper = self.made()

    def until(self, is_so: Callable[[], object], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < end, (self.keeper.view(), self.told())
            time.sleep(min(self.keeper.tick(), 0.02))

    def add(self, *ids: int, **options: Any) -> dict[str, Any]:
        return self.keeper.add(MapForm(SlotMap(*ids), **options))

    def row(self, bank_id: int, bank_slot: int) -> dict[str, Any]:
        rows = [row for row in self.keeper.map_rows() if (row["bank_id"], row["bank_slot"]) == (bank_id, bank_slot)]
        assert len(rows) == 1, rows
        return rows[0]

    def is_active(self, bank_id: int, bank_slot: int) -> bool:
        return bool(self.row(bank_id, bank_slot)["state"] == ACTIVE)

    def told(self) -> list[tuple[str, str]]:
        return [(event.data["action"], event.message) for event in self.events]

    def looked(self) -> None:
        """Once more, whenever it would be due."""
        for server in self.keeper._servers.values():
            server.poke()
        self.keeper.tick()


@pytest.fixture
def driven(tmp_path: Path, parts: Parts) -> Iterator[Driven]:
    made = Driven(tmp_path, parts.url)
    yield made
    made.keeper.close()


def test_a_map_that_is_wanted_comes_into_force_and_is_told(driven: Driven, parts: Parts) -> None:
    made = driven.add(1, 2, 5, 0, note="truck")
    assert made["desired"] and made["state"] is None and not made["foreign"] and made["note"] == "truck"
    driven.until(lambda: driven.is_active(1, 2))
    assert parts.slotmaps() == {(1, 2): ((5, 0), "ACTIVE")}
    view = driven.keeper.view()
    assert view["server"]["reachable"] is True and view["server"]["name"] == "main"
    shown = [(bank["bank_id"], bank["slots"], bank["connected"]) for bank in view["banks"]]
    assert shown == [(1, 8, True), (2, 8, True)]
    driven.until(lambda: driven.told())
    assert driven.told() == [("placed", "slot map 1:2 for client 5:0 in force at remsim-server main")]
    assert driven.events[0].data == {
        "server": "main", "action": "placed", "bank_slot": "1:2", "client_slot": "5:0",
    }  # fmt: skip


def test_what_is_wanted_while_the_server_is_looked_at_is_not_left_for_the_next_look(
    tmp_path: Path, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    driven = Driven(tmp_path, parts.url, reconcile_s=60)
    driven.keeper.tick()
    look = Rest.maps

    def looked(rest: Rest) -> dict[SlotMap, str]:
        monkeypatch.undo()
        found = look(rest)
        driven.add(1, 2, 5, 0)
        return found

    monkeypatch.setattr(Rest, "maps", looked)
    driven.looked()
    driven.until(lambda: driven.is_active(1, 2))
    driven.keeper.close()


def test_a_map_is_removed_and_its_slots_are_free(driven: Driven, parts: Parts) -> None:
    driven.add(1, 2, 5, 0)
    driven.until(lambda: driven.is_active(1, 2))
    assert driven.keeper.remove((1, 2), None)["removing"] is True
    driven.until(lambda: not driven.keeper.map_rows())
    assert parts.slotmaps() == {}
    driven.until(lambda: driven.told()[-1][0] == "removed")
    with pytest.raises(NotFound):
        driven.keeper.remove((1, 2), None)


def test_a_remap_does_not_stick(driven: Driven, parts: Parts) -> None:
    driven.add(1, 2, 5, 0)
    driven.until(lambda: driven.is_active(1, 2))
    for client in (6, 7, 8):
        assert driven.keeper.change((1, 2), (client, 0), None, None)["client_id"] == client
        wanted = {(1, 2): ((client, 0), "ACTIVE")}
        driven.until(lambda wanted=wanted: parts.slotmaps() == wanted)
    assert not [action for action, _ in driven.told() if action == "stuck"]


def test_a_map_that_somebody_elses_haste_left_new_is_cured(driven: Driven, parts: Parts) -> None:
    parts.post((1, 7), (20, 0))
    driven.until(lambda: parts.slotmaps().get((1, 7)) == ((20, 0), "ACTIVE"))
    driven.add(1, 2, 5, 0)
    # Another master deletes a map of this bank: what follows at once sticks.
    parts.ask("DELETE", f"slotmaps/{65536 + 7}")
    driven.keeper.tick()
    driven.until(lambda: driven.is_active(1, 2))


def test_after_a_restart_of_the_server_maps_are_put_back_once_and_told_once(driven: Driven, parts: Parts) -> None:
    for slot in range(4):
        driven.add(1, slot, 5, slot)
        driven.add(2, slot, 6, slot)
    driven.until(lambda: len(parts.slotmaps()) == 8 and all(driven.is_active(1, slot) for slot in range(4)))
    driven.until(lambda: driven.told())
    driven.events.clear()
    parts.restart_server()
    driven.until(lambda: driven.keeper.view()["server"]["restarted_at"] is not None)
    driven.until(lambda: len(parts.slotmaps()) == 8 and {state for _, state in parts.slotmaps().values()} == {"ACTIVE"})
    driven.until(lambda: len(driven.told()) == 2)
    (first, words), (second, done) = driven.told()
    assert first == "restarted" and "has restarted and forgotten 8 slot maps" in words and "resets its modem" in words
    assert second == "restored" and done.startswith("8 slot maps put back")
    assert driven.events[0].kind == "remsim_server" and driven.events[0].severity == "warning"


def test_our_own_restart_puts_nothing_back_that_is_there(driven: Driven, parts: Parts) -> None:
    driven.add(1, 2, 5, 0)
    driven.until(lambda: driven.is_active(1, 2) and driven.told())
    driven.events.clear()
    driven.again()
    driven.until(lambda: driven.keeper.view()["server"]["reachable"])
    driven.looked()
    assert driven.is_active(1, 2) and driven.told() == []
    assert driven.keeper._store().of("main")[0].was_there


def test_held_maps_wait_for_their_modem_to_be_offline_or_for_a_word(tmp_path: Path, parts: Parts) -> None:
    driven = Driven(tmp_path, parts.url, restore="hold")
    for slot in range(3):
        driven.add(1, slot, 5, slot)
    driven.until(lambda: all(driven.is_active(1, slot) for slot in range(3)))
    driven.online |= {(5, 0): True, (5, 1): False}
    parts.restart_server()
    parts.wait_for_banks()
    driven.until(lambda: driven.keeper.view()["server"]["restarted_at"] and driven.is_active(1, 1))
    assert set(parts.slotmaps()) == {(1, 1)}
    assert "its modem is online" in driven.row(1, 0)["held"] and "not known" in driven.row(1, 2)["held"]
    assert "2 held" in next(words for action, words in driven.told() if action == "restarted")
    assert driven.keeper.restore((1, 2)) == 1
    driven.until(lambda: driven.is_active(1, 2))
    with pytest.raises(Conflict):
        driven.keeper.restore((1, 2))
    driven.online[5, 0] = False
    driven.until(lambda: driven.is_active(1, 0))
    driven.keeper.close()


def test_a_server_that_was_restarted_while_we_were_down_gets_its_maps(driven: Driven, parts: Parts) -> None:
    driven.add(1, 2, 5, 0)
    driven.until(lambda: driven.is_active(1, 2))
    driven.keeper.close()
    parts.restart_server()
    parts.wait_for_banks()
    driven.events.clear()
    driven.keeper = driven.made()
    driven.until(lambda: driven.is_active(1, 2) and len(driven.told()) == 2)
    assert [action for action, _ in driven.told()] == ["missing", "restored"]


def test_maps_of_others_are_shown_and_left_alone(driven: Driven, parts: Parts) -> None:
    parts.post((1, 3), (9, 0))
    driven.add(1, 2, 5, 0)
    driven.until(lambda: driven.is_active(1, 2))
    row = driven.row(1, 3)
    assert row["foreign"] and not row["desired"] and row["client_id"] == 9
    for refused in (lambda: driven.keeper.remove((1, 3), None), lambda: driven.add(1, 3, 5, 1, replace=True)):
        with pytest.raises(Conflict) as caught:
            refused()
        assert caught.value.code == "foreign_map" and "adopt" in str(caught.value.hint)
    assert driven.keeper.adopt((1, 3), None)["desired"]
    driven.looked()
    assert parts.slotmaps()[1, 3] == ((9, 0), "ACTIVE")
    driven.keeper.remove((1, 3), None)
    driven.until(lambda: (1, 3) not in parts.slotmaps())


def test_two_masters_are_named_and_do_not_fight(driven: Driven, parts: Parts) -> None:
    driven.add(1, 2, 5, 0)
    driven.until(lambda: driven.is_active(1, 2))
    parts.ask("DELETE", f"slotmaps/{65536 + 2}")
    time.sleep(0.1)
    assert parts.post((1, 2), (8, 0)) == 201
    driven.until(lambda: any(action == "conflict" for action, _ in driven.told()))
    driven.looked()
    rows = [row for row in driven.keeper.map_rows() if row["bank_slot"] == 2]
    ours, theirs = sorted(rows, key=lambda row: row["foreign"])
    assert "somebody else has mapped bank slot 1:2" in ours["conflict"] and theirs["client_id"] == 8
    assert parts.slotmaps()[1, 2][0] == (8, 0)
    assert [action for action, _ in driven.told()].count("conflict") == 1
    # What is there becomes what is wanted.
    driven.keeper.adopt((1, 2), None)
    driven.looked()
    assert driven.row(1, 2)["client_id"] == 8 and driven.row(1, 2)["conflict"] is None


def test_somebody_who_removes_our_map_gets_it_back_once_a_minute(driven: Driven, parts: Parts) -> None:
    driven.add(1, 2, 5, 0)
    driven.until(lambda: driven.is_active(1, 2))
    parts.ask("DELETE", f"slotmaps/{65536 + 2}")
    driven.until(lambda: [action for action, _ in driven.told()[-2:]] == ["missing", "restored"])
    assert "does not have any more slot map 1:2 for client 5:0" in driven.told()[-2][1]
    assert driven.keeper.view()["server"]["restarted_at"] is None
    parts.ask("DELETE", f"slotmaps/{65536 + 2}")
    driven.until(lambda: driven.row(1, 2)["held"])
    assert parts.slotmaps() == {} and "resets the modem" in driven.row(1, 2)["held"]
    driven.keeper.restore((1, 2))
    driven.until(lambda: driven.is_active(1, 2))


def test_a_bank_that_goes_and_comes_back(driven: Driven, parts: Parts) -> None:
    driven.add(1, 2, 5, 0)
    driven.until(lambda: driven.is_active(1, 2))
    parts.do(parts.banks[1].stop)
    driven.until(lambda: driven.row(1, 2)["waits"] == "bank 1 is not connected to the server")
    assert [bank["connected"] for bank in driven.keeper.view()["banks"]] == [False, True]
    assert driven.add(1, 4, 5, 1)["state"] is None
    parts.do(parts.banks[1].start)
    driven.until(lambda: driven.is_active(1, 2) and driven.is_active(1, 4))
    assert "missing" not in dict(driven.told())


def test_what_is_removed_while_the_server_is_away_is_removed_when_it_is_back(driven: Driven, parts: Parts) -> None:
    driven.add(1, 2, 5, 0)
    driven.until(lambda: driven.is_active(1, 2))
    parts.do(parts.rest.stop)
    driven.until(lambda: driven.keeper.view()["server"]["reachable"] is False)
    view = driven.keeper.view()
    assert view["server"]["problem"] and view["server"]["seen_at"] and view["slotmaps"][0]["state"] == ACTIVE
    assert view["slotmaps"][0]["stale"] and view["banks"][0]["connected"] is None
    driven.keeper.remove((1, 2), None)
    assert driven.row(1, 2)["removing"]
    driven.again()
    parts.do(parts.rest.start)
    driven.until(lambda: driven.keeper.view()["server"]["reachable"] and not driven.keeper.map_rows())
    assert parts.slotmaps() == {}


@pytest.mark.parametrize(("fault", "words"), [("html", "a web page"), ("half", "not JSON"), ("closed", "127.0.0.1")])
def test_a_server_that_answers_nonsense_is_named_and_nothing_is_done(
    driven: Driven, parts: Parts, fault: str, words: str
) -> None:
    driven.add(1, 2, 5, 0)
    driven.until(lambda: driven.is_active(1, 2))
    parts.rest.fault = fault
    driven.looked()
    view = driven.keeper.view()["server"]
    assert view["reachable"] is False and words in view["problem"]
    parts.rest.fault = None
    driven.looked()
    assert driven.keeper.view()["server"]["reachable"] is True and driven.is_active(1, 2)
    assert driven.keeper.view()["server"]["problem"] is None


def test_slots_that_cannot_be_are_refused_before_anything_is_sent(driven: Driven, parts: Parts) -> None:
    driven.add(1, 2, 5, 0)
    driven.until(lambda: driven.is_active(1, 2))
    with pytest.raises(InvalidInput) as caught:
        driven.add(1, 8, 5, 1)
    assert "8 slots, 0 to 7" in caught.value.message
    for ids, field in (((1, 2, 6, 0), "bank_slot"), ((1, 3, 5, 0), "client_slot"), ((1, 2, 5, 0), "bank_slot")):
        with pytest.raises(Conflict) as refused:
            driven.add(*ids)
        assert refused.value.field == field
    assert driven.add(1, 3, 5, 0, replace=True)["bank_slot"] == 3
    driven.until(lambda: parts.slotmaps() == {(1, 3): ((5, 0), "ACTIVE")})


def test_a_map_waits_for_a_bank_that_was_never_seen(driven: Driven, parts: Parts) -> None:
    driven.add(3, 100, 5, 0)
    driven.until(lambda: driven.row(3, 100)["waits"])
    parts.add_bank(3, slots=4)
    driven.until(lambda: driven.row(3, 100)["conflict"])
    assert "0 to 3" in driven.row(3, 100)["conflict"] and parts.slotmaps() == {}


def test_without_a_server_nothing_is_kept_and_no_file_is_made(tmp_path: Path) -> None:
    keeper = Keeper(
        tmp_path / "remote_sim.db", settings=Settings(), clock=SystemClock(), emit=lambda event: None, environ={}
    )
    assert not keeper.is_used and keeper.view()["server"]["reachable"] is None
    with pytest.raises(Conflict) as caught:
        keeper.add(MapForm(A))
    assert caught.value.code == "no_server" and not (tmp_path / "remote_sim.db").exists()
    keeper.tick()
    keeper.close()


def test_the_environment_gives_a_server_and_settings_change_while_it_runs(tmp_path: Path, parts: Parts) -> None:
    environ = {"REMSIM_SERVER_URL": parts.url}
    keeper = Keeper(
        tmp_path / "remote_sim.db", settings=Settings(), clock=SystemClock(), emit=lambda event: None, environ=environ
    )
    assert keeper.is_used and keeper.view()["server"]["url"] == parts.url
    keeper.add(MapForm(A))
    keeper.tick()
    environ.clear()
    keeper.configure(Settings())
    keeper.tick()
    (row,) = keeper.map_rows()
    assert row["desired"] and "no server" in row["conflict"] and not keeper.is_used
    keeper.remove((1, 2), None)
    assert keeper.map_rows() == []
    keeper.close()


def test_two_servers_have_maps_of_their_own(tmp_path: Path, parts: Parts) -> None:
    with virtual_remsim(1) as others:
        driven = Driven(tmp_path, parts.url)
        servers = (*driven.settings.remsim_servers, RemsimServerSettings("backup", others.url))
        driven.keeper.configure(Settings(remsim_servers=servers))
        with pytest.raises(InvalidInput):
            driven.add(1, 2, 5, 0)
        driven.add(1, 2, 5, 0, server="main")
        driven.add(1, 2, 5, 0, server="backup")
        driven.until(lambda: len(parts.slotmaps()) == len(others.slotmaps()) == 1)
        with pytest.raises(InvalidInput):
            driven.keeper.remove((1, 2), None)
        driven.keeper.remove((1, 2), "backup")
        driven.until(lambda: not others.slotmaps())
        assert len(parts.slotmaps()) == 1
        driven.keeper.close()


def test_maps_that_cannot_be_written_are_refused(driven: Driven, tmp_path: Path) -> None:
    driven.keeper._store()._file.in_memory = True
    driven.keeper._store()._file._retry_at = float("inf")
    with pytest.raises(StorageError):
        driven.add(1, 2, 5, 0)
    assert driven.keeper.map_rows() == []
