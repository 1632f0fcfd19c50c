"""What clients tell: the order that was meant, what it makes of their state, and a spool that anything may lie in."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.clock import FakeClock
from remsim.core.events import Event
from remsim.remotesim import links, told
from remsim.remotesim.bell import Bell
from remsim.remotesim.links import Link, Links, Socket
from remsim.remotesim.record import NotWhole, Process, Record, in_order, parse
from remsim.remotesim.spool import Spool
from remsim.remotesim.told import Told, boot_of, slot_in
from remsim.remotesim.tracker import ClientState, applied, state_of

CLIENT = Process(1000, 77)
ASSIGNED = {"REMSIM_CLIENT_SLOT": "5:0", "REMSIM_BANKD_ADDR": "10.0.0.5:9999", "REMSIM_BANKD_SLOT": "1:2"}
TAKEN = {**ASSIGNED, "REMSIM_BANKD_ADDR": "0.0.0.0:0"}
FIRST = "event-server-connect"
GIVEN = ["event-config-bankd"]
SERVED = ["request-sim-remote", "request-card-insert", "request-modem-reset", "event-bankd-connect"]
LOST = ["request-card-remove", "request-sim-local", "request-modem-reset"]


def records(causes: list[str], values: dict[str, str] = ASSIGNED, start: int = 2000, **more: Any) -> list[Record]:
    """Events of one burst as the client means them."""
    return [
        Record(cause, values, "boot", start / 100 + at / 1000, CLIENT, Process(start, 500 + at), **more)
        for at, cause in enumerate(causes)
    ]


def after(*told: Record, before: ClientState | None = None) -> ClientState:
    state = before or ClientState()
    for record in told:
        state = applied(state, record)
    return state


# --- order ---


@given(st.permutations(range(12)))
def test_a_burst_comes_out_as_it_was_meant(order: list[int]) -> None:
    burst = records([*GIVEN, *SERVED, *LOST, *GIVEN, *SERVED][:12])
    assert in_order(burst[at] for at in order) == burst


def test_later_ticks_come_later_whatever_their_numbers() -> None:
    late = records(["b"], start=3000)[0]
    early = replace(records(["a"], start=2999)[0], order=Process(2999, 32_000))
    assert in_order([late, early]) == [early, late]


# --- the state ---


def test_a_client_gets_its_card_loses_it_and_has_none() -> None:
    state = after(*records([FIRST, *GIVEN]))
    assert (state.state, state.bank_slot, state.bankd_addr) == ("connecting", "1:2", "10.0.0.5:9999")
    state = after(*records(SERVED, start=2100), before=state)
    assert (state.state, state.reconnects, state.resets) == ("remote", 0, 1)
    state = after(*records(LOST, start=2200, values={**ASSIGNED, "REMSIM_BANKD_STATE": "CONNECTED"}), before=state)
    assert (state.state, state.bank_slot, state.resets) == ("local", "1:2", 2), "BANKD_STATE is not believed"
    state = after(*records(SERVED, start=2300), before=state)
    assert (state.state, state.reconnects) == ("remote", 1)
    state = after(*records([*LOST, *GIVEN], TAKEN, start=2400), before=state)
    assert (state.state, state.bank_slot, state.bankd_addr) == ("unassigned", None, None)


def test_a_remap_within_milliseconds_ends_remote() -> None:
    assert after(*records([*LOST, *GIVEN, *SERVED])).state == "remote"


@given(st.lists(st.integers(0, 7), max_size=12))
def test_what_comes_twice_counts_once(again: list[int]) -> None:
    burst = records([*GIVEN, *SERVED, *LOST])
    once = after(*burst)
    assert after(*(burst[at] for at in again), before=once) == once


def test_a_straggler_changes_no_state_and_counts() -> None:
    burst = records([*GIVEN, *SERVED])
    state = after(*burst[:1], *burst[2:])
    assert applied(state, replace(burst[1], cause="request-sim-local")).state == "remote"
    assert applied(state, replace(burst[1], cause="request-modem-reset")).resets == 2


def test_a_straggler_decides_what_nothing_later_has_decided() -> None:
    """The reset at the end of a burst came in by itself, before the loss that it belongs to."""
    state = after(*records([*GIVEN, *SERVED]))
    lost = records(LOST, start=2500)
    state = after(lost[2], lost[0], lost[1], before=state)
    assert (state.state, state.since_s, state.cause) == ("local", lost[0].uptime_s, "request-modem-reset")


def test_what_a_process_told_before_it_was_followed_by_another_changes_nothing() -> None:
    late = records(["request-card-remove"], start=2500)[0]
    state = after(*records([*GIVEN, *SERVED]))
    follower = [replace(one, client=Process(2600, 90)) for one in records([*GIVEN, *SERVED], start=2700)]
    state = after(*follower, late, before=state)
    assert (state.state, state.client) == ("remote", Process(2600, 90))


def test_a_client_that_is_gone_is_the_one_that_was_known() -> None:
    state = after(*records(GIVEN))
    late = replace(records(SERVED, start=2500)[3], client=Process(0, CLIENT.pid))
    assert applied(state, late).client == CLIENT
    assert applied(state, replace(late, client=Process(0, 99))).client == Process(0, 99)


def test_numbers_of_processes_that_begin_anew_within_a_tick_are_later() -> None:
    pids = (32_766, 32_767, 300, 301)
    burst = [replace(one, order=Process(2000, pids[at])) for at, one in enumerate(records(SERVED))]
    assert in_order(reversed(burst)) == burst
    assert after(*burst).state == "remote" and after(*records(LOST, start=1999), *burst).state == "remote"


def test_a_guess_is_called_one() -> None:
    state = after(replace(records(["event-bankd-connect"])[0], order=None))
    assert state.uncertain and state.state == "remote"
    assert not after(*records(LOST, start=9000), before=state).uncertain


def test_another_process_begins_anew_and_the_count_goes_on() -> None:
    state = after(*records([*GIVEN, *SERVED]))
    other = replace(records(GIVEN, start=9000)[0], client=Process(8000, 78))
    assert (applied(state, other).state, applied(state, other).links) == ("connecting", 1)


@pytest.mark.parametrize(
    ("told", "known"), [("0", False), ("1", True), ("4294967295", None), ("", None), ("-1", None), ("yes", None)]
)
def test_lines_that_are_not_known_are_none(told: str, known: bool | None) -> None:
    assert after(*records(["event-modem-status"], {**ASSIGNED, "REMSIM_SIM_VCC": told})).vcc is known


@given(st.text(max_size=30), st.dictionaries(st.sampled_from(sorted(ASSIGNED)), st.text(max_size=30)))
def test_no_cause_and_no_value_is_fatal(cause: str, values: dict[str, str]) -> None:
    state = after(*records([cause], values))
    assert state_of(state.as_dict()) == state


# --- records ---


def test_a_record_without_its_end_is_not_whole_and_another_thing_is_none() -> None:
    with pytest.raises(NotWhole):
        parse("1\ncause=x\n")
    with pytest.raises(ValueError):
        parse("2\ncause=x\nend\n")


@given(st.text(max_size=300))
def test_any_text_is_a_record_or_is_refused(text: str) -> None:
    for whole in (text, f"1\n{text}\nend\n"):
        try:
            assert all(value.isprintable() for value in parse(whole).values.values())
        except (NotWhole, ValueError):
            pass


# --- the spool ---


def record_text(cause: str, at_s: float, order: str = "", slot: str = "5:0") -> str:
    boot = boot_of(Path("/proc"))
    values = f"REMSIM_CLIENT_SLOT={slot}\nREMSIM_BANKD_ADDR=10.0.0.5:9999\nREMSIM_BANKD_SLOT=1:2\n"
    return f"1\ncause={cause}\nboot={boot}\nuptime={at_s}\nclient=\norder={order}\n{values}end\n"


class Bench:
    """What takes records in, by a clock that is moved by hand."""

    def __init__(self, directory: Path) -> None:
        self.clock = FakeClock()
        self.events: list[Event] = []
        self.directory = directory
        self.spool = Spool(directory / "state", directory / "data")
        (directory / "state").mkdir(exist_ok=True)
        os.close(self.spool.open())
        self.told = self.made()

    def made(self) -> Told:
        return Told(
            self.spool, self.directory / "kept.json", clock=self.clock, emit=self.events.append,
            of_client=lambda slot: ("modem1", "wan1" if slot == (5, 0) else None),
        )  # fmt: skip

    def put(self, name: str, text: str) -> None:
        (self.spool.path / name).write_text(text)

    def settle(self) -> None:
        for _ in range(4):
            self.told.tick({})
            self.clock.advance(0.4)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_burst_is_waited_for_and_told_as_what_came_of_it(bench: Bench) -> None:
    causes = [*GIVEN, *SERVED]
    for at, cause in reversed(list(enumerate(causes))):
        bench.put(f"{at:012}-1", record_text(cause, 100.0, f"10000 {700 + at}"))
        assert bench.told.tick({}) <= 0.3 and not bench.events
    bench.settle()
    assert [event.data["state"] for event in bench.events] == ["connecting", "remote"]
    assert bench.events[-1].message == "wan1 (C5:0): the card in bank slot 1:2 serves it"
    assert bench.events[-1].source == "modem1" and bench.spool.names() == []
    assert bench.told.row_of((5, 0), is_ours=False)["bank_slot"] == "1:2"


def test_what_somebody_else_or_another_run_of_the_kernel_left_says_nothing(bench: Bench) -> None:
    bench.put("000000000001-1", record_text("event-bankd-connect", 1.0).replace("boot=", "boot=x"))
    bench.put("000000000002-1", record_text("event-bankd-connect", 1.0, slot="no"))
    bench.settle()
    assert bench.told.states() == {} and bench.spool.names() == []


@pytest.mark.parametrize("content", ["", "1\ncause=x\n", "2\nend\n", "x" * 100_000, "\n" * 100_000 + "end\n"])
def test_what_is_no_record_is_removed_and_counted(bench: Bench, content: str) -> None:
    bench.put("000000000001-1", content)
    os.utime(bench.spool.path / "000000000001-1", (1, 1))
    bench.put("000000000002-1", record_text("event-bankd-connect", 1.0, "100 5"))
    bench.settle()
    assert (bench.spool.cut, bench.spool.names()) == (1, [])
    assert bench.told.states()[5, 0].state == "remote"


def test_what_is_being_written_is_waited_for(bench: Bench) -> None:
    whole = record_text("event-bankd-connect", 1.0, "100 5")
    bench.put("000000000001-1", whole[:20])
    bench.settle()
    assert bench.spool.cut == 0 and len(bench.spool.names()) == 1
    bench.put("000000000001-1", whole)
    bench.settle()
    assert bench.told.states()[5, 0].state == "remote"


def test_links_and_pipes_in_the_spool_hold_nothing_up(bench: Bench) -> None:
    os.mkfifo(bench.spool.path / "1")
    (bench.spool.path / "2").symlink_to("/dev/zero")
    (bench.spool.path / "3").mkdir()
    bench.settle()
    assert bench.spool.cut >= 2


def test_far_too_many_lose_their_oldest_and_are_counted(bench: Bench) -> None:
    text = record_text("event-modem-status", 1.0)
    for at in range(2_500):
        bench.put(f"{at:012}-1", text)
    bench.settle()
    assert bench.spool.dropped == 1_500 and bench.spool.names() == []


def test_the_spool_lies_with_the_history_and_what_was_there_comes_along(tmp_path: Path) -> None:
    (tmp_path / "state" / "spool").mkdir(parents=True)
    (tmp_path / "state" / "spool" / "000000000001-1").write_text("1\nend\n")
    bench = Bench(tmp_path)
    assert bench.spool.path.is_symlink() and (tmp_path / "data" / "spool" / "000000000001-1").exists()
    assert stat.S_IMODE((tmp_path / "data" / "spool").stat().st_mode) == 0o700
    os.close(bench.spool.open())


def test_the_spool_follows_the_history_to_another_folder(tmp_path: Path) -> None:
    state, before, now = tmp_path / "state", tmp_path / "before", tmp_path / "now"
    state.mkdir()
    os.close(Spool(state, before).open())
    shutil.rmtree(before)
    os.close(Spool(state, now).open())
    assert (state / "spool").resolve() == (now / "spool").resolve()
    os.close(Spool(state, state).open())
    assert not (state / "spool").is_symlink()


@pytest.mark.parametrize("uptime", ["nan", "-1e300", "1e300", "inf", "", "-1"])
def test_an_event_of_no_time_is_none(uptime: str) -> None:
    with pytest.raises(ValueError):
        parse(f"1\ncause=x\nboot=b\nuptime={uptime}\nend\n")


def test_an_event_that_cannot_be_taken_in_does_not_come_again_and_holds_up_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.put("000000000001-1", record_text(FIRST, 1.0))
    bench.put("000000000002-1", record_text("event-bankd-connect", 2.0))
    monkeypatch.setattr(
        told, "applied", lambda state, record: applied(state, record) if record.cause != FIRST else 1 // 0
    )
    bench.settle()
    assert bench.spool.names() == [] and bench.told.states()[5, 0].state == "remote"


def test_a_client_that_runs_on_is_still_served_after_a_restart_of_the_service(bench: Bench) -> None:
    own = next(iter(Path("/proc/self/stat").read_text().rpartition(") ")[2].split()[19:20]))
    text = record_text("event-bankd-connect", 1.0, "100 5").replace("client=", f"client={own} {os.getpid()}")
    bench.put("000000000001-1", text)
    bench.settle()
    assert bench.made().states()[5, 0].state == "remote"
    kept = bench.directory / "kept.json"
    kept.write_text(kept.read_text().replace(f"{own}, {os.getpid()}", f"{own}, 999999"))
    assert bench.made().states() == {}, "that process is gone"
    for damaged in ("", "[]", '{"boot": {}, "5:0": {"x": 1}}', "{"):
        kept.write_text(damaged)
        assert bench.made().states() == {}


# --- what no event tells ---


def test_a_client_that_was_started_again_and_told_nothing_yet_has_not_its_predecessor_s_card(bench: Bench) -> None:
    own = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()[19]
    text = record_text("event-bankd-connect", 1.0, "100 5").replace("client=", f"client={own} {os.getpid()}")
    bench.put("000000000001-1", text)
    bench.settle()
    assert bench.told.row_of((5, 0), is_ours=True, pid=os.getpid())["state"] == "remote"
    row = bench.told.row_of((5, 0), is_ours=True, pid=os.getpid() + 1)
    assert (row["state"], row["state_source"], row["uncertain"]) == ("unknown", "process", True)


def test_a_link_is_up_once_the_same_socket_was_for_three_seconds() -> None:
    seen = Links()

    def look(now_s: float, *sockets: Socket) -> Link:
        return seen.look(list(sockets), {"server": 9998}, now_s)["server"]

    assert look(0, Socket("1", 9998, "02")) == Link(False, dials=True)
    assert look(1, Socket("2", 9998, "01")).up is None
    assert look(3, Socket("3", 9998, "01")).up is None, "it was refused and dialled again"
    assert look(6, Socket("3", 9998, "01")) == Link(True, since_s=3)
    assert look(7, Socket("3", 9999, "01")).up is False


class Sockets:
    """Sockets as a client's process would have them, and a clock since boot that goes with the bench's."""

    def __init__(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bench, self.now_s = bench, 0.0
        self.found: list[Socket] = []
        monkeypatch.setattr(told, "sockets_of", lambda pid, proc: self.found)
        monkeypatch.setattr(told, "uptime_of", lambda proc: self.now_s)

    def look(self, *sockets: Socket, pid: int | None) -> None:
        self.found = list(sockets)
        for _ in range(3):
            self.bench.told.tick({(5, 0): pid})
            self.bench.clock.advance(2)
            self.now_s += 2

    def told(self) -> list[tuple[str, str]]:
        return [(event.data["source"], event.message.partition(": ")[2]) for event in self.bench.events]


@pytest.fixture
def sockets(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Sockets:
    return Sockets(bench, monkeypatch)


def test_a_server_that_is_lost_and_back_is_told_once_each(sockets: Sockets) -> None:
    dialling, first, second = (Socket(str(at), 9998, "01" if at else "02") for at in range(3))
    for socket in (dialling, first, dialling, second, second):
        sockets.look(socket, pid=os.getpid())
    assert sockets.told() == [
        ("socket", "the link to the server is lost"),
        ("socket", "the link to the server is back"),
    ]


def test_a_client_that_tells_nothing_has_a_card_while_the_bank_keeps_it(bench: Bench, sockets: Sockets) -> None:
    sockets.look(Socket("1", 9999, "01"), pid=os.getpid())
    row = bench.told.row_of((5, 0), is_ours=True)
    assert (row["state"], row["state_source"], row["uncertain"]) == ("remote", "process", False)
    assert bench.told.bankd_connected((5, 0)) is True
    sockets.look(Socket("2", 9999, "02"), pid=os.getpid())
    assert "state" not in bench.told.row_of((5, 0), is_ours=True)
    assert bench.told.bankd_connected((5, 0)) is None


@pytest.mark.parametrize("is_watched", [True, False])
def test_the_end_of_a_client_that_nobody_else_watches_is_told(
    bench: Bench, sockets: Sockets, is_watched: bool
) -> None:
    with subprocess.Popen(["sleep", "60"]) as client:
        start = Path(f"/proc/{client.pid}/stat").read_text().rpartition(") ")[2].split()[19]
        text = record_text("event-config-bankd", 1.0, f"{start} 5").replace("client=", f"client={client.pid}")
        bench.put("000000000001-1", text)
        bench.settle()
        sockets.look(pid=client.pid if is_watched else None)
        assert bench.told.row_of((5, 0), is_ours=False)["process"] == {"running": True, "pid": client.pid}
        client.kill()
    sockets.look(pid=None)
    ends = [event for event in bench.events if event.kind == "remsim_client"]
    assert [(event.source, event.data["source"], event.data["pid"]) for event in ends] == (
        [] if is_watched else [("modem1", "process", client.pid)]
    )
    assert bench.told.row_of((5, 0), is_ours=False)["uncertain"] is True


def test_clients_without_number_are_forgotten_but_those_that_run(bench: Bench) -> None:
    own = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()[19]
    text = record_text("event-bankd-connect", 1.0, f"{own} 5").replace("client=", f"client={own} {os.getpid()}")
    bench.put("000000000000-1", text)
    bench.settle()
    for at in range(200):
        bench.put(f"{at + 1:012}-1", record_text("event-bankd-connect", 2.0 + at, slot=f"{at}:1"))
    bench.settle()
    assert len(bench.told.states()) == 64 and {(5, 0), (199, 1)} <= set(bench.told.states())


def test_own_sockets_are_found(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            found = links.sockets_of(os.getpid()) or []
            assert any(one.port == port and one.state == "01" for one in found)
    assert links.sockets_of(2**22 + 1) is None


@pytest.mark.parametrize(
    "text", [None, "", "5", "5:", ":0", "5:0:1", "a:b", "5:-1", "²:0", "123456:0", "1024:0", "0:9999"]
)
def test_what_is_no_slot(text: str | None) -> None:
    assert slot_in(text) is None


def test_a_bell_wakes_whoever_waits_and_whoever_will() -> None:
    bell = Bell()
    bell.ring()
    begin = time.monotonic()
    bell.wait(60)
    assert time.monotonic() - begin < 30
    for _ in itertools.repeat(None, 100_000):
        bell.ring()  # a full pipe is no reason to wait
    bell.wait(5)
    bell.close()
