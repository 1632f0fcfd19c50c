"""What works of remote SIM is loaded when it is needed, and started whenever that was."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from remsim.config.remote_sim import RemoteClientSettings, RemsimServerSettings
from remsim.config.settings import Settings
from remsim.core.clock import SystemClock
from remsim.remotesim import desk as desk_module
from remsim.remotesim.desk import RemoteSim
from remsim.remotesim.keeper import MapForm
from remsim.remotesim.slotmap import SlotMap
from virtual_remsim import free_port, virtual_remsim, wait_until

CLIENT = RemoteClientSettings("truck", 5, program="st2", server_port=1)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A client that runs until it is ended."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "osmo-remsim-client-st2"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    return folder


@pytest.fixture
def desk(tmp_path: Path, programs: Path) -> Iterator[RemoteSim]:
    made = RemoteSim(
        settings=Settings(remote_clients=(CLIENT,)),
        state_dir=tmp_path,
        data_dir=tmp_path,
        clock=SystemClock(),
        emit=lambda event: None,
        programs=programs,
    )
    yield made
    made.stop()


def pids(desk: RemoteSim) -> list[int]:
    return [pid for pid in desk.supervisor.pids().values() if pid is not None]


@pytest.mark.parametrize("looked_before", [False, True])
def test_clients_run_whether_or_not_somebody_looked_before_the_start(desk: RemoteSim, looked_before: bool) -> None:
    if looked_before:
        assert desk.keeper.wanted() == []
        assert pids(desk) == []
    desk.start()
    wait_until(lambda: pids(desk))


def test_a_map_that_was_wanted_before_the_start_comes_into_force(desk: RemoteSim) -> None:
    with virtual_remsim(1) as parts:
        desk.configure(Settings(remsim_servers=(RemsimServerSettings("main", parts.url),)))
        desk.keeper.add(MapForm(SlotMap(1, 2, 5, 0)))
        desk.start()
        wait_until(lambda: parts.slotmaps() == {(1, 2): ((5, 0), "ACTIVE")})


def test_a_server_that_is_set_later_is_looked_at(desk: RemoteSim) -> None:
    desk.configure(Settings())
    desk.start()
    assert desk.view()["server"]["reachable"] is None
    url = f"http://127.0.0.1:{free_port()}"
    desk.configure(Settings(remsim_servers=(RemsimServerSettings("main", url),)))
    wait_until(lambda: desk.view()["server"]["reachable"] is False)


def test_a_mistake_does_not_end_the_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = RemoteSim(
        settings=Settings(), state_dir=tmp_path, data_dir=tmp_path, clock=SystemClock(), emit=lambda event: None
    )
    tried = threading.Event()

    def working() -> None:
        tried.set()
        raise MemoryError

    made.start()
    try:
        monkeypatch.setattr(made, "_make", working)
        monkeypatch.setattr(desk_module, "AGAIN_S", 0.01)
        (tmp_path / "spool" / "1-1").write_text("x")
        made._bell.ring()
        assert tried.wait(60)
        tried.clear()
        assert tried.wait(60), "it is tried again"
    finally:
        made.stop()


def test_events_that_were_cut_short_are_warned_of(tmp_path: Path) -> None:
    desk = RemoteSim(
        settings=Settings(), state_dir=tmp_path, data_dir=tmp_path, clock=SystemClock(), emit=lambda event: None
    )
    assert desk.view()["warnings"] == []
    desk._spool.cut = 3
    (warning,) = desk.view()["warnings"]
    assert warning["code"] == "events_cut" and warning["message"].startswith("3 events") and warning["hint"]
    desk.stop()
