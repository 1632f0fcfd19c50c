"""The thread that learns names, with packets that the test hands it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from hellos import client_hello, crypto_frame, initial, tcp, udp, with_extension
from remsim.core.clock import SystemClock
from remsim.core.errors import RemsimError
from remsim.policies.facts import Wanted
from remsim.policies.learning import learner as module
from remsim.policies.learning.dnsmasq import DnsmasqFails
from remsim.policies.learning.learner import Learner, Switches
from remsim.policies.learning.nflog import NoLog

VIDEO = Wanted("d_video4", "d_video6", ("video.example",))
SERVER = "203.0.113.9"
ON = Switches(names=True, dnsmasq=False)


class Log:
    """NFLOG as the learner sees it."""

    made: list[Log] = []
    refuses: str | None = None

    def __init__(self) -> None:
        if Log.refuses is not None:
            raise NoLog(Log.refuses)
        self.there, self._here = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.is_open = True
        Log.made.append(self)

    def fileno(self) -> int:
        return self._here.fileno()

    def read(self) -> list[bytes]:
        return [self._here.recv(8192)]

    def close(self) -> None:
        self.is_open = False
        self._here.close()
        self.there.close()


class Resolver:
    """dnsmasq as the learner sees it."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fails: DnsmasqFails | None = None

    def fill(self, wanted: Sequence[Wanted]) -> None:
        self.calls.append("fill")
        if self.fails is not None:
            raise self.fails

    def leave(self) -> None:
        self.calls.append("leave")


class Kept:
    """What the learner put into sets."""

    def __init__(self) -> None:
        self.added: list[tuple[str, list[str], int | None]] = []
        self.fails = False

    def add(self, name: str, elements: Sequence[str], timeout_s: int | None) -> None:
        if self.fails:
            raise RemsimError("the table is gone")
        self.added.append((name, list(elements), timeout_s))


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def resolver() -> Resolver:
    return Resolver()


@pytest.fixture
def learner(kept: Kept, resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Learner]:
    monkeypatch.setattr(module, "Nflog", Log)
    monkeypatch.setattr(Log, "made", [])
    monkeypatch.setattr(Log, "refuses", None)
    made = Learner(clock=SystemClock(), add=kept.add, dnsmasq=resolver)  # type: ignore[arg-type]
    made.start()
    try:
        yield made
    finally:
        made.stop()
        assert all(not log.is_open for log in Log.made)


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.002)


def rung(learner: Learner, name: str) -> dict[str, object]:
    return next(one for one in learner.rungs() if one["rung"] == name)


def hear(packet: bytes) -> None:
    wait_for(lambda: Log.made)
    Log.made[-1].there.send(packet)


def test_names_in_packets_get_addresses_into_sets(learner: Learner, kept: Kept) -> None:
    learner.configure([VIDEO], ON)
    hear(b"\x45garbage")
    hear(tcp("192.168.1.5", 40000, SERVER, 443, client_hello("a.video.example")))
    wait_for(lambda: kept.added)
    hear(udp("fd00::5", 40000, "2001:db8::9", 443, initial(crypto_frame(0, client_hello("b.video.example")[5:]))))
    wait_for(lambda: len(kept.added) == 2)
    assert kept.added == [("d_video4", [SERVER], 21600), ("d_video6", ["2001:db8::9"], 21600)]
    assert (learner.name_of(SERVER), learner.addresses_of("b.video.example")) == ("a.video.example", ("2001:db8::9",))
    assert (rung(learner, "sni")["named"], rung(learner, "quic")["named"]) == (1, 1)


def test_what_was_learned_goes_into_sets_that_are_new_or_were_emptied(learner: Learner, kept: Kept) -> None:
    learner.configure([], ON)
    hear(tcp("192.168.1.5", 40000, SERVER, 443, client_hello("a.video.example")))
    wait_for(lambda: learner.name_of(SERVER))
    assert not kept.added
    for times in (1, 2):
        learner.configure([VIDEO], ON)
        wait_for(lambda times=times: kept.added == [("d_video4", [SERVER], 21600)] * times)


def test_hello_with_the_extension_of_encrypted_ones_is_counted(learner: Learner) -> None:
    learner.configure([], ON)
    hear(tcp("192.168.1.5", 40000, SERVER, 443, with_extension(client_hello("front.example"), 0xFE0D, bytes(99))))
    wait_for(lambda: "read 1 had it" in str(rung(learner, "sni")["missed"]))


def test_set_that_takes_nothing_is_said_and_the_next_is_tried(learner: Learner, kept: Kept) -> None:
    kept.fails = True
    learner.configure([VIDEO], ON)
    hear(tcp("192.168.1.5", 40000, SERVER, 443, client_hello("a.video.example")))
    wait_for(lambda: "the table is gone" in str(rung(learner, "sni")["why"]))
    kept.fails = False
    hear(tcp("192.168.1.5", 40001, "203.0.113.10", 443, client_hello("a.video.example")))
    wait_for(lambda: rung(learner, "sni")["is_there"])
    assert kept.added == [("d_video4", ["203.0.113.10"], 21600)]


def test_a_fault_of_one_packet_does_not_end_learning(
    learner: Learner, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.01)
    learner.configure([VIDEO], ON)
    parse = module.parse_packet
    monkeypatch.setattr(module, "parse_packet", lambda raw: 1 / 0)
    hear(b"anything")
    wait_for(lambda: len(Log.made) == 2)
    monkeypatch.setattr(module, "parse_packet", parse)
    hear(tcp("192.168.1.5", 40000, SERVER, 443, client_hello("a.video.example")))
    wait_for(lambda: kept.added)


def test_kernel_that_copies_nothing_is_asked_again(learner: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.05)
    Log.refuses = "another program reads group 27114 of NFLOG"
    learner.configure([VIDEO], ON)
    wait_for(lambda: rung(learner, "sni")["why"] == Log.refuses)
    Log.refuses = None
    wait_for(lambda: rung(learner, "sni")["is_there"])


def test_rung_that_is_switched_off_lets_go(learner: Learner, resolver: Resolver) -> None:
    learner.configure([VIDEO], Switches(names=True))
    wait_for(lambda: Log.made and resolver.calls == ["fill"])
    learner.configure([VIDEO], Switches(dnsmasq=False))
    wait_for(lambda: resolver.calls == ["fill", "leave"])
    wait_for(lambda: not Log.made[0].is_open)


def test_dnsmasq_that_does_not_come_up_is_not_restarted_again_and_again(
    learner: Learner, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.02)
    resolver.fails = DnsmasqFails("dnsmasq did not come up", code="dnsmasq_gone")
    learner.configure([VIDEO], Switches())
    wait_for(lambda: rung(learner, "dnsmasq")["why"] == "dnsmasq did not come up")
    time.sleep(0.1)
    assert resolver.calls == ["fill"]
    resolver.fails = DnsmasqFails("dnsmasq does not run", code="dnsmasq_absent")
    learner.configure([VIDEO], Switches())
    wait_for(lambda: len(resolver.calls) > 3)


def test_nothing_is_left_after_its_end(kept: Kept, resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Nflog", Log)
    before = threading.active_count()
    for _ in range(3):
        made = Learner(clock=SystemClock(), add=kept.add, dnsmasq=resolver)  # type: ignore[arg-type]
        made.configure([VIDEO], Switches(names=True))
        made.start()
        made.stop()
        made.stop()
    assert threading.active_count() == before
    assert resolver.calls[-1] == "leave"
