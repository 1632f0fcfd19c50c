"""What MPTCP's parts say and read: SOCKS5, endpoints, subflows, the table, and how data is moved."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.config.mptcp import MptcpSettings, check_mptcp
from remsim.core.clock import FakeClock
from remsim.core.errors import InvalidInput
from remsim.core.routes import LinkView
from remsim.links.mptcp.endpoints import (
    Endpoint,
    Limits,
    MptcpError,
    PathManager,
    is_supported,
    parse_endpoints,
    parse_limits,
)
from remsim.links.mptcp.manager import Mptcp
from remsim.links.mptcp.proxy.pump import Pump
from remsim.links.mptcp.proxy.socks import SocksRefused, Talk, connect, greet
from remsim.links.mptcp.redirect import lan_of, no_table, table_of
from remsim.links.mptcp.subflows import parse_connections
from remsim.links.mptcp.view import mptcp_view
from remsim.links.plane import Addresses

SS = (
    "ESTAB 0 0 10.64.1.2:47480 198.51.100.1:1080 cubic rtt:48.5/2.6 cwnd:11 bytes_sent:1000 bytes_received:5000 "
    "tcp-ulp-mptcp flags:Mmec token:0000(id:0)/bb66a264(id:0) seq:d80af45e4a3a470b\n"
    "ESTAB 0 0 10.64.4.2%sim4:51225 198.51.100.1:1080 cubic rtt:90/1 bytes_received:700 "
    "tcp-ulp-mptcp flags:jb token:78a24e53(id:0)/bb66a264(id:4) seq:0\n"
    "ESTAB 0 0 [2001:db8::2]%sim2:51225 [2001:db8::1]:1080 cubic rtt:90/1 "
    "tcp-ulp-mptcp flags:jb token:78a24e53(id:0)/cc66a264(id:4) seq:0\n"
    "ESTAB 0 0 192.168.1.1:22 192.168.1.5:5000 cubic rtt:1/1\n"
)


class Kernel:
    """``ip mptcp`` as the kernel behaves."""

    def __init__(self) -> None:
        self.endpoints: dict[str, dict[str, object]] = {}
        self.limits = (2, 0)
        self.said: list[str] = []

    def __call__(self, arguments: Sequence[str]) -> str:
        words = [word for word in arguments if word != "-j"]
        self.said.append(" ".join(words))
        if words[1:3] == ["endpoint", "show"]:
            return json.dumps([{"id": int(key), **one} for key, one in self.endpoints.items()])
        if words[1:3] == ["limits", "show"]:
            return f"add_addr_accepted {self.limits[1]} subflows {self.limits[0]} \n"
        if words[1:3] == ["limits", "set"]:
            self.limits = (int(words[4]), int(words[6]))
        elif words[2] == "add":
            if words[7] in self.endpoints:
                raise MptcpError("RTNETLINK answers: File exists")
            self.endpoints[words[7]] = {"address": words[3], "dev": words[5]}
        elif words[2] == "delete" and self.endpoints.pop(words[4], None) is None:
            raise MptcpError("RTNETLINK answers: Invalid argument")
        return ""


def converse(steps: Talk, answers: bytes) -> bytes:
    """What is said to a server that answers so; ``EOFError`` when it waits for more."""
    said, (step, needs) = b"", next(steps)
    while True:
        said += step
        if len(answers) < needs:
            raise EOFError
        answer, answers = answers[:needs], answers[needs:]
        try:
            step, needs = steps.send(answer)
        except StopIteration:
            return said


def test_socks_with_a_password() -> None:
    assert converse(greet("me", "secret"), b"\x05\x02\x01\x00") == b"\x05\x02\x00\x02" + b"\x01\x02me\x06secret"


def test_socks_without_a_password() -> None:
    assert converse(greet("", ""), b"\x05\x00") == b"\x05\x01\x00"


@pytest.mark.parametrize("kind", [b"\x01" + bytes(4), b"\x04" + bytes(16), b"\x03\x03abc"])
def test_socks_order_is_answered_with_any_kind_of_address(kind: bytes) -> None:
    said = converse(connect("192.0.2.7", 443), b"\x05\x00\x00" + kind + bytes(2))
    assert said == b"\x05\x01\x00\x01\xc0\x00\x02\x07\x01\xbb"


@pytest.mark.parametrize(
    ("steps", "answers", "is_targets_fault"),
    [
        (greet("me", "x"), b"\x05\xff", False),
        (greet("me", "x"), b"HT", False),
        (greet("me", "x"), b"\x05\x02\x01\x01", False),
        (greet("", ""), b"\x05\x02", False),
        (connect("2001:db8::1", 80), b"\x05\x05\x00\x01", True),
        (connect("2001:db8::1", 80), b"\x05\x01\x00\x01", False),
        (connect("2001:db8::1", 80), b"\x05\x00\x00\x09", False),
    ],
)
def test_server_that_does_not_serve_is_told_apart_from_a_target_that_does_not(
    steps: Talk, answers: bytes, is_targets_fault: bool
) -> None:
    with pytest.raises(SocksRefused) as caught:
        converse(steps, answers)
    assert caught.value.is_targets_fault is is_targets_fault


@given(st.binary(max_size=64))
def test_any_answer_is_an_end_or_a_refusal(answers: bytes) -> None:
    for steps in (greet("me", "x"), connect("192.0.2.7", 443)):
        try:
            converse(steps, answers)
        except (SocksRefused, EOFError):
            pass


def test_subflows_are_put_together_by_their_connection() -> None:
    connections = parse_connections(SS)
    assert [len(one.subflows) for one in connections] == [2, 1]
    first, second = connections[0].subflows
    assert (first.local, first.device, first.rtt_ms, first.received_bytes) == ("10.64.1.2:47480", None, 48.5, 5000)
    assert (second.local, second.device, second.sent_bytes) == ("10.64.4.2:51225", "sim4", None)
    (six,) = connections[1].subflows
    assert (six.local, six.device) == ("[2001:db8::2]:51225", "sim2")


@given(st.text(max_size=300))
def test_any_text_is_connections_or_none(text: str) -> None:
    parse_connections(text)


@given(st.text(max_size=100))
def test_any_text_is_endpoints_or_told_to_be_unreadable(text: str) -> None:
    for parse in (parse_endpoints, parse_limits):
        try:
            parse(text)
        except MptcpError:
            pass


def test_limits_are_read() -> None:
    assert parse_limits("add_addr_accepted 0 subflows 2 \n") == Limits(2, 0)


@pytest.mark.parametrize(
    ("sysctls", "wanted"),
    [
        ({"enabled": "1", "path_manager": "kernel"}, True),
        ({"enabled": "1", "pm_type": "0"}, True),
        ({"enabled": "1", "path_manager": "userspace"}, False),
        ({"enabled": "1", "pm_type": "1"}, False),
        ({"enabled": "0", "path_manager": "kernel"}, False),
        ({}, False),
    ],
)
def test_kernel_can_where_its_settings_say_so(sysctls: dict[str, str], wanted: bool) -> None:
    assert is_supported(sysctls) is wanted


def test_endpoints_follow_and_all_is_left_as_it_was() -> None:
    kernel = Kernel()
    kernel.endpoints = {"3": {"address": "10.0.0.9", "dev": "old0"}, "77": {"address": "10.9.9.9", "dev": "eth5"}}
    paths = PathManager(kernel)
    one, two = Endpoint(1, "10.64.1.2", "sim1"), Endpoint(2, "10.64.2.2", "sim2", is_backup=True)
    assert paths.apply((one, two))
    assert set(kernel.endpoints) == {"1", "2", "77"} and kernel.limits == (8, 8)
    assert kernel.said[-1].endswith("id 2 subflow backup")
    said = len(kernel.said)
    assert not paths.apply((one, two)) and len(kernel.said) == said
    paths.apply((Endpoint(1, "10.64.1.77", "sim1"),))
    assert {key: one["address"] for key, one in kernel.endpoints.items()} == {"1": "10.64.1.77", "77": "10.9.9.9"}
    paths.stop()
    assert set(kernel.endpoints) == {"77"} and kernel.limits == (2, 0)


def test_after_an_error_what_is_there_is_read_again() -> None:
    kernel = Kernel()
    paths = PathManager(kernel)
    paths.apply((Endpoint(1, "10.64.1.2", "sim1"),))
    kernel.endpoints.clear()  # somebody else has flushed them
    with pytest.raises(MptcpError):
        paths.apply(())
    assert paths.apply((Endpoint(1, "10.64.1.2", "sim1"),))
    assert set(kernel.endpoints) == {"1"}


def test_links_that_are_not_in_use_have_no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remsim.links.mptcp.manager.read_sysctls", lambda: {"enabled": "1", "path_manager": "kernel"})
    kernel = Kernel()
    addresses = {"a0": Addresses(True, "10.0.1.2"), "b0": Addresses(True, None, "2001:db8::2"), "c0": Addresses(True)}
    mptcp = Mptcp(FakeClock(), lambda device: addresses[device], lambda: (), paths=PathManager(kernel))
    mptcp.configure(MptcpSettings(enabled=True))
    views = [LinkView(1, "a", state="up", device="a0"), LinkView(2, "b", state="degraded", device="b0")]
    mptcp.tick([*views, LinkView(3, "c", state="up", device="c0"), LinkView(4, "d", state="down", device="a0")])
    assert set(kernel.endpoints) == {"1", "2"}
    mptcp.tick([LinkView(1, "a", state="down", device="a0"), views[1]])
    assert set(kernel.endpoints) == {"2"}
    mptcp.stop()
    assert kernel.endpoints == {} and kernel.limits == (2, 0)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (MptcpSettings(server="vpn.example.com"), "server"),
        (MptcpSettings(server="1.1.1.1 return; flush ruleset"), "server"),
        (MptcpSettings(server="1.1.1.1\0"), "server"),
        (MptcpSettings(ports=("443 } accept; {",)), "ports"),
        (MptcpSettings(ports=("0",)), "ports"),
        (MptcpSettings(ports=("9-8",)), "ports"),
        (MptcpSettings(ports=("٤٤٣",)), "ports"),
        (MptcpSettings(port=0), "port"),
        (MptcpSettings(local_port=70000), "local_port"),
        (MptcpSettings(user="x" * 256), "user"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_their_option(settings: MptcpSettings, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_mptcp(settings)
    assert caught.value.field == field
    check_mptcp(MptcpSettings(enabled=True, server="2001:db8::1", ports=("80", "8000-8100", "all")))


def test_kernel_without_mptcp_is_said_and_nothing_else_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remsim.links.mptcp.manager.read_sysctls", dict)
    mptcp = Mptcp(FakeClock(), lambda device: Addresses(True), lambda: (), paths=PathManager(Kernel()))
    mptcp.configure(MptcpSettings(enabled=True))
    mptcp.tick([])
    view = mptcp_view(mptcp)
    assert view["proxy"]["state"] == "off" and view["endpoints"] == []
    assert "no MPTCP" in view["problem"]["message"]


@pytest.mark.parametrize("server", ["203.0.113.7", "2001:db8::7"])
@pytest.mark.parametrize("ports", [("80", "443"), ("8000-8100",), ("all",)])
def test_table_is_taken_by_nft(server: str, ports: tuple[str, ...]) -> None:
    text = table_of(MptcpSettings(enabled=True, server=server, ports=ports))
    text += lan_of(("br-lan", "br-guest"))
    checked = subprocess.run(["nft", "-c", "-f", "-"], input=text, capture_output=True, text=True, check=False)
    if checked.returncode and "not permitted" in checked.stderr:
        pytest.skip("nft may not be used here")
    assert checked.returncode == 0, checked.stderr
    assert ("tcp dport" in text) is (ports != ("all",)) and "delete table" in no_table()


@pytest.mark.parametrize("is_spliced", [True, False])
def test_pump_moves_all_and_passes_the_end_on(is_spliced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_spliced:
        monkeypatch.delattr(os, "splice")
    (sender, source), (sink, receiver) = pair(), pair()
    pump, sent, received = Pump(source, sink), os.urandom(3_000_000), b""
    left, is_shut = sent, False
    while not pump.is_done or len(received) < len(sent):
        if left:
            left = left[trying(sender, left) :]
        elif not is_shut:
            sender.shutdown(socket.SHUT_WR)
            is_shut = True
        pump.fill()
        received += taken(receiver)
    assert received == sent and pump.moved == len(sent)
    assert receiver.recv(1) == b""
    for sock in (sender, source, sink, receiver):
        sock.close()


def pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        other, _ = server.accept()
    for sock in (one, other):
        sock.setblocking(False)
    return one, other


def trying(sock: socket.socket, data: bytes) -> int:
    try:
        return sock.send(data[:200_000])
    except BlockingIOError:
        return 0


def taken(sock: socket.socket) -> bytes:
    try:
        return sock.recv(100_000)
    except BlockingIOError:
        return b""
