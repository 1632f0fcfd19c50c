from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.clock import SystemClock
from remsim.core.errors import InvalidInput
from remsim.modems import probe
from remsim.modems.probe import LinkQuality, Prober
from remsim.outbound import target
from remsim.outbound.target import Target, parse_target


@pytest.fixture
def prober() -> Iterator[Prober]:
    prober = Prober(SystemClock())
    prober.start()
    yield prober
    prober.stop()


class Responder:
    """Answers DNS queries after a delay; ``drops`` says which it loses."""

    def __init__(self, delay_s: float = 0.0, drops: Callable[[int], bool] = lambda number: False) -> None:
        self.seen = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.target = parse_target(f"dns:127.0.0.1:{self._socket.getsockname()[1]}")
        self._delay_s, self._drops = delay_s, drops
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                self._answer_one()
            except OSError:  # closed
                return

    def _answer_one(self) -> None:
        query, sender = self._socket.recvfrom(512)
        self.seen += 1
        if not self._drops(self.seen):
            time.sleep(self._delay_s)
            self._socket.sendto(b"\x00\x00late or foreign", sender)
            self._socket.sendto(query[:2] + b"\x81\x80" + query[4:], sender)

    def close(self) -> None:
        self._socket.close()


def wait_for(wanted: Callable[[], bool], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("icmp:1.1.1.1", Target("icmp", "1.1.1.1", 0)),
        ("tcp:9.9.9.9:443", Target("tcp", "9.9.9.9", 443)),
        ("dns:8.8.8.8", Target("dns", "8.8.8.8", 53)),
        ("dns:127.0.0.1:5353", Target("dns", "127.0.0.1", 5353)),
        ("tcp:[2620:fe::fe]:853", Target("tcp", "2620:fe::fe", 853)),
        ("icmp:2620:fe::fe", Target("icmp", "2620:fe::fe", 0)),
    ],
)
def test_target_is_a_method_a_host_and_a_port(text: str, wanted: Target) -> None:
    assert parse_target(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "icmp", "icmp:example.com", "tcp:1.1.1.1", "tcp:1.1.1.1:0", "dns:1.1.1.1:70000", "http:1.1.1.1:80"]
)
def test_wrong_target_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_target(text)
    assert caught.value.field == "probe_targets"


@given(st.text(max_size=40))
def test_any_text_is_a_target_or_refused(text: str) -> None:
    try:
        assert parse_target(text).method in ("icmp", "tcp", "dns")
    except InvalidInput:
        pass


def test_nothing_is_known_before_the_first_answer(prober: Prober) -> None:
    assert prober.quality("1-1") == LinkQuality(None, None, None)


def test_round_trip_is_measured_and_foreign_answers_are_not_taken_for_it(prober: Prober) -> None:
    responder = Responder(delay_s=0.05)
    prober.watch("1-1", None, (responder.target,), 0.1)
    wait_for(lambda: prober.quality("1-1").jitter_ms is not None)
    quality = prober.quality("1-1")
    assert quality.latency_ms is not None and quality.latency_ms >= 50
    assert quality.loss_percent == 0
    responder.close()


def test_lost_probes_are_loss_and_no_latency(prober: Prober) -> None:
    responder = Responder(drops=lambda number: number > 2)
    prober.watch("1-1", None, (responder.target,), 0.05)
    wait_for(lambda: (prober.quality("1-1").loss_percent or 0) > 0)
    assert prober.quality("1-1").latency_ms is None
    responder.close()


def test_link_that_is_not_watched_any_more_is_unknown_and_leaves_no_socket(prober: Prober) -> None:
    responder = Responder(drops=lambda number: True)
    before = len(os.listdir("/proc/self/fd"))
    prober.watch("1-1", None, (responder.target,), 1.0)
    wait_for(lambda: responder.seen > 0)
    prober.watch("1-1", None, (responder.target,), 1.0)
    wait_for(lambda: responder.seen > 1)
    prober.unwatch("1-1")
    assert prober.quality("1-1") == LinkQuality()
    wait_for(lambda: len(os.listdir("/proc/self/fd")) <= before)
    responder.close()


def test_tcp_handshake_is_a_round_trip_and_so_is_a_refusal(prober: Prober) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        prober.watch("open", None, (parse_target(f"tcp:127.0.0.1:{port}"),), 0.1)
        wait_for(lambda: prober.quality("open").latency_ms is not None)
    prober.watch("closed", None, (parse_target(f"tcp:127.0.0.1:{port}"),), 0.1)
    wait_for(lambda: prober.quality("closed").latency_ms is not None)


def test_icmp_echo_is_answered_by_loopback(prober: Prober) -> None:
    try:
        target.open_socket(parse_target("icmp:127.0.0.1")).close()
    except OSError as error:
        pytest.skip(f"ICMP sockets are not permitted here: {error.strerror}")
    prober.watch("1-1", None, (parse_target("icmp:127.0.0.1"),), 0.1)
    wait_for(lambda: prober.quality("1-1").latency_ms is not None)


def test_where_icmp_is_forbidden_tcp_is_asked_instead(prober: Prober, monkeypatch: pytest.MonkeyPatch) -> None:
    real = probe.open_socket

    def forbidden(asked: Target) -> socket.socket:
        if asked.method == "icmp":
            raise PermissionError(errno.EPERM, "Operation not permitted")
        return real(asked)

    monkeypatch.setattr(probe, "open_socket", forbidden)
    prober.watch("1-1", None, (parse_target("icmp:127.0.0.1"),), 0.1)
    wait_for(lambda: prober.quality("1-1").latency_ms is not None)


def test_error_nobody_thought_of_does_not_end_the_measuring(prober: Prober, monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[int] = []

    def fail_once(asked: Target, data: bytes, sequence: int) -> bool:
        if not failed:
            failed.append(1)
            raise RuntimeError("nobody thought of this")
        return target.is_answer(asked, data, sequence)

    monkeypatch.setattr(probe, "ERROR_PAUSE_S", 0.05)
    monkeypatch.setattr(probe, "is_answer", fail_once)
    responder = Responder()
    prober.watch("1-1", None, (responder.target,), 0.05)
    wait_for(lambda: bool(failed))
    wait_for(lambda: prober.quality("1-1").latency_ms is not None)
    responder.close()


@pytest.mark.parametrize("interface", [None, "nosuchwwan0"])
def test_probe_that_cannot_be_bound_is_not_sent_over_another_way(prober: Prober, interface: str | None) -> None:
    prober.watch("1-1", interface, (parse_target("icmp:192.0.2.1"),), 0.05)
    wait_for(lambda: prober.problem("1-1") is not None)
    assert prober.quality("1-1") == LinkQuality()
    assert "not measured" in str(prober.problem("1-1"))


def test_probe_is_bound_to_the_interface_of_the_link(prober: Prober) -> None:
    responder = Responder()
    prober.watch("1-1", "lo", (responder.target,), 0.1)
    wait_for(lambda: prober.quality("1-1").latency_ms is not None)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    target.bind_to(sock, "lo", responder.target)
    assert sock.getsockopt(socket.SOL_SOCKET, target.SO_BINDTODEVICE, 16).rstrip(b"\0") == b"lo"
    sock.close()
    responder.close()


def test_checksum_of_an_echo_request_is_right() -> None:
    assert target.checksum(target.echo_request(parse_target("icmp:127.0.0.1"), 77)) == 0
