"""What the kernel tells of flows that it has deleted."""

from __future__ import annotations

import socket
import struct

from hypothesis import given
from hypothesis import strategies as st
from remsim.links.kernel.deaths import parse
from remsim.links.kernel.netlink import attribute, nested


def told(
    *,
    mark: int = 0x05001200,
    status: int = 0b1110,
    state: int | None = 3,
    protocol: int = 6,
    source: str = "192.168.1.5",
) -> bytes:
    family, first = (socket.AF_INET6, 3) if ":" in source else (socket.AF_INET, 1)
    server = "2001:db8::1" if ":" in source else "198.51.100.1"
    addresses = nested(
        1,
        attribute(first, socket.inet_pton(family, source)),
        attribute(first + 1, socket.inet_pton(family, server)),
    )
    ports = nested(
        2, attribute(1, bytes([protocol])), attribute(2, struct.pack(">H", 40000)), attribute(3, struct.pack(">H", 443))
    )
    numbers = attribute(3, struct.pack(">I", status)), attribute(8, struct.pack(">I", mark))
    parts = [nested(1, addresses, ports), *numbers]
    if state is not None:
        parts.append(nested(4, nested(1, attribute(1, bytes([state])))))
    return b"\x02\0\0\0" + b"".join(parts)


def test_a_flow_that_was_under_way_is_known_by_its_link() -> None:
    flow = parse(told())
    assert flow is not None
    assert (flow.link, flow.source, flow.source_port, flow.destination, flow.destination_port) == (
        *(2, "192.168.1.5", 40000),
        *("198.51.100.1", 443),
    )
    assert flow.state == "ESTABLISHED"
    assert flow.is_established
    six = parse(told(source="fd00::5"))
    assert six is not None
    assert (six.source, six.destination) == ("fd00::5", "2001:db8::1")


def test_the_routers_own_is_told_apart() -> None:
    flow = parse(told(), own={"192.168.1.5"})
    assert flow is not None
    assert not flow.is_forwarded


def test_what_ended_by_itself_was_not_answered_or_has_no_link_is_left_out() -> None:
    for odd in (told(state=7), told(status=0), told(mark=0x10), told(protocol=17)):
        assert parse(odd) is None


def test_a_kernel_that_does_not_tell_the_state_is_believed() -> None:
    flow = parse(told(state=None))
    assert flow is not None
    assert flow.state is None


@given(st.binary(max_size=200), st.integers(0, 120), st.integers(0, 255))
def test_garbage_is_no_flow_and_no_fault(data: bytes, at: int, value: int) -> None:
    parse(data)
    whole = bytearray(told())
    whole[at % len(whole)] = value
    parse(bytes(whole))
    parse(bytes(whole[:at]))
