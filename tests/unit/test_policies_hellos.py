"""Names in the first packets of TLS and QUIC connections."""

from __future__ import annotations

import pytest
from hellos import QUIC_1, QUIC_2, client_hello, crypto_frame, initial, protected, tcp, udp, with_extension
from hypothesis import given, settings
from hypothesis import strategies as st
from remsim.policies.learning.client_hello import MOST_FLOWS, Hello, Hellos, parse_hello, parse_records
from remsim.policies.learning.crypto import Aes
from remsim.policies.learning.packets import is_public, octets_of, parse_packet
from remsim.policies.learning.quic import (
    VERSIONS,
    Initials,
    crypto_frames,
    find_initial,
    keys_of,
    open_initial,
)

FLOW = (b"\xc0\xa8\1\5", 40000, b"\xcb\0\x71\1", 443)
HELLO = client_hello("www.youtube.com")
LONG = client_hello("www.youtube.com", extra=1184)
"""As with X25519MLKEM768, whose share of a key has 1184 octets: the name is in the second segment."""


def test_name_is_found_in_a_real_hello() -> None:
    assert parse_records(HELLO) == Hello("www.youtube.com")


def test_hello_without_a_name_is_one_all_the_same() -> None:
    assert parse_records(client_hello(None)) == Hello(None)


def test_encrypted_hello_is_marked_for_its_name_may_be_the_fronts() -> None:
    assert parse_records(with_extension(HELLO, 0xFE0D, bytes(186))) == Hello("www.youtube.com", is_front=True)


def test_hello_may_be_cut_into_many_records() -> None:
    message = HELLO[5:]
    pieces = b"".join(
        b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part
        for part in (message[at : at + 60] for at in range(0, len(message), 60))
    )
    assert parse_records(pieces) == Hello("www.youtube.com")


def test_other_traffic_is_none() -> None:
    data_record, server_hello = b"\x17\x03\x03\0\x20" + bytes(32), b"\x16\x03\x03\0\4\2\0\0\x50"
    for data in (b"GET / HTTP/1.1\r\n", data_record, server_hello, b"SSH-2.0-x\r\n"):
        assert parse_records(data) is None, data


@given(st.integers(1, len(LONG) - 1))
def test_beginning_of_a_hello_asks_for_more(cut: int) -> None:
    found = parse_records(LONG[:cut])
    assert isinstance(found, int) and cut < found <= len(LONG)


@given(st.lists(st.integers(1, len(LONG) - 1), max_size=6), st.randoms(use_true_random=False))
def test_segments_are_put_together_in_any_order_and_twice(cuts: list[int], random) -> None:  # type: ignore[no-untyped-def]
    edges = sorted({0, len(LONG), *cuts})
    first = 0xFFFFFF00  # the sequence number wraps
    segments = [((first + a) & 0xFFFFFFFF, LONG[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
    if len(segments[0][1]) >= 64 and all(len(data) >= 64 for _, data in segments):
        random.shuffle(segments)
    hellos = Hellos()
    found = [hellos.feed(FLOW, sequence, data, 1.0) for sequence, data in segments for _ in range(2)]
    assert Hello("www.youtube.com") in found


def test_a_second_segment_that_comes_first_may_begin_with_any_octet() -> None:
    for octet in range(256):
        changed = LONG[:200] + bytes((octet,)) + LONG[201:]  # in the extension that is only long
        hellos = Hellos()
        assert hellos.feed(FLOW, 201, changed[200:], 1.0) is None
        assert hellos.feed(FLOW, 1, changed[:200], 1.0) == Hello("www.youtube.com"), octet


def test_unfinished_hellos_are_bounded_and_forgotten() -> None:
    hellos = Hellos()
    for port in range(3 * MOST_FLOWS):
        hellos.feed((*FLOW[:1], port, *FLOW[2:]), 1, LONG[:1400], 1.0)
    assert len(hellos) == MOST_FLOWS
    hellos.feed(FLOW, 1, LONG[:1400], 60.0)
    assert len(hellos) == 1


def test_flow_that_sends_no_end_of_its_hello_is_given_up() -> None:
    hellos = Hellos()
    endless = b"\x16\x03\x01\x40\x00\x01\x00\x3f\xf0" + bytes(1000)
    for number in range(40):
        assert hellos.feed(FLOW, 1 + number * len(endless), endless, 1.0) is None
    assert len(hellos) <= 1


@settings(max_examples=300)
@given(st.data())
def test_changed_hello_gives_a_name_or_none(data: st.DataObject) -> None:
    raw = bytearray(LONG)
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    found = parse_records(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    assert found is None or isinstance(found, (int, Hello))
    if isinstance(found, Hello) and found.name is not None:
        assert found.name.isascii() and found.name == found.name.lower() and "/" not in found.name


@given(st.binary(max_size=300))
def test_any_octets_are_survived(raw: bytes) -> None:
    parse_records(raw)
    parse_hello(raw)
    parse_packet(raw)
    crypto_frames(raw)
    find_initial(raw)


def test_name_that_could_be_a_line_of_configuration_is_no_name() -> None:
    for name in (b"a/b.example.com", b"a\nx=/#/1.2.3.4", b"203.000.113.111", b"www..tube.dot..", b"\xff.example.com"):
        assert parse_records(HELLO.replace(b"www.youtube.com", name.ljust(15, b"c"))) == Hello(None), name


# Appendix A of RFC 9001 and of RFC 9369: the connection ID, the client's keys, and its Initial packet.
CONNECTION = bytes.fromhex("8394c8f03e515708")
FRAMES = bytes.fromhex(
    "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c"
    "00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006"
    "001d0017001800100007000504616c706e000500050100000000003300260024001d00209370b2c9caa4"
    "7fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e040305"
    "0306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ff"
    "ff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff"
).ljust(1162, b"\0")
VECTORS = {
    QUIC_1: (
        ("1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"),
        "c300000001088394c8f03e5157080000449e00000002",
        "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11",
        "e221af44860018ab0856972e194cd934",
    ),
    QUIC_2: (
        ("8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"),
        "d36b3343cf088394c8f03e5157080000449e00000002",
        "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485",
        "a18b2faa745b6fe189cf772a9f84cbfc",
    ),
}


@pytest.fixture
def aes():  # type: ignore[no-untyped-def]
    found = Aes()
    yield found
    found.close()


@pytest.mark.parametrize("version", VECTORS)
def test_packet_of_the_standards_appendix_is_read(version: int, aes: Aes) -> None:
    keys, header, begin, tag = VECTORS[version]
    assert tuple(one.hex() for one in keys_of(VERSIONS[version], CONNECTION)) == keys
    packet = protected(bytes.fromhex(header), FRAMES, version, CONNECTION)
    assert packet.hex().startswith(begin) and packet.hex().endswith(tag)  # it is the packet of the appendix
    found = find_initial(packet)
    assert found is not None
    assert open_initial(packet, found, keys_of(found.version, found.connection), aes) == FRAMES
    assert Initials(aes).feed(FLOW, packet, 1.0) == Hello("example.com")


@pytest.mark.parametrize("version", VECTORS)
def test_hello_over_two_shuffled_packets_is_put_together(version: int, aes: Aes) -> None:
    message = LONG[5:]
    pieces = [(at, message[at : at + 97]) for at in range(0, len(message), 97)]
    first = b"\1".join(crypto_frame(at, part) for at, part in reversed(pieces[::2]))
    second = b"\0\0\0".join(crypto_frame(at, part) for at, part in pieces[1::2])
    initials = Initials(aes)
    assert initials.feed(FLOW, initial(first, version=version, connection=CONNECTION), 1.0) is None
    found = initials.feed(FLOW, initial(second, version=version, connection=CONNECTION, count=1), 1.1)
    assert found == Hello("www.youtube.com")
    assert len(initials) == 0


def test_second_packet_may_go_to_an_id_that_the_server_chose(aes: Aes) -> None:
    message = LONG[5:]
    initials = Initials(aes)
    assert initials.feed(FLOW, initial(crypto_frame(0, message[:1000]), connection=CONNECTION), 1.0) is None
    later = initial(crypto_frame(1000, message[1000:]), connection=b"ofserver", keys_of_id=CONNECTION, count=1)
    assert initials.feed(FLOW, later, 1.1) == Hello("www.youtube.com")


def test_keys_are_new_after_a_retry(aes: Aes) -> None:
    message = LONG[5:]
    initials = Initials(aes)
    assert initials.feed(FLOW, initial(crypto_frame(0, message[:1000]), connection=CONNECTION), 1.0) is None
    again = [initial(crypto_frame(at, message[at : at + 1000]), connection=b"retried!") for at in (0, 1000)]
    assert [initials.feed(FLOW, one, 1.2) for one in again] == [None, Hello("www.youtube.com")]


def test_acknowledgements_among_the_frames_are_skipped() -> None:
    plain = bytes.fromhex("02 4001 05 01 00 02 03")
    with_marks = bytes.fromhex("03 00 00 00 00 01 02 03")
    assert crypto_frames(plain + with_marks + crypto_frame(0, b"hello")) == [(0, b"hello")]


@settings(max_examples=200)
@given(st.data())
def test_changed_quic_packets_are_survived(data: st.DataObject) -> None:
    aes = Aes()
    raw = bytearray(initial(crypto_frame(0, HELLO[5:]), connection=CONNECTION))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    initials = Initials(aes)
    found = initials.feed(FLOW, bytes(raw[: data.draw(st.integers(0, len(raw)))]), 1.0)
    aes.close()
    assert found is None  # what is not as the client sent it does not open


@settings(max_examples=200)
@given(st.data())
def test_any_frames_under_right_keys_are_survived(data: st.DataObject) -> None:
    aes = Aes()
    frames = bytearray(b"".join(crypto_frame(at, HELLO[5 + at : 5 + at + 50]) for at in range(0, len(HELLO) - 5, 50)))
    for _ in range(data.draw(st.integers(0, 6))):
        frames[data.draw(st.integers(0, len(frames) - 1))] = data.draw(st.integers(0, 255))
    found = Initials(aes).feed(FLOW, initial(bytes(frames), connection=CONNECTION), 1.0)
    aes.close()
    assert found is None or isinstance(found, Hello)


def test_unfinished_quic_hellos_are_bounded(aes: Aes) -> None:
    initials = Initials(aes)
    part = initial(crypto_frame(0, LONG[5:900]), connection=CONNECTION)
    for port in range(3 * MOST_FLOWS):
        initials.feed((port,), part, 1.0)
    assert len(initials) == MOST_FLOWS


def test_endpoints_of_packets_are_read() -> None:
    for source, destination in (("192.168.1.5", "203.0.113.7"), ("2001:db8::5", "2001:db8:1::7")):
        found = parse_packet(tcp(source, 40000, destination, 443, b"data", 77))
        assert found is not None
        assert (found.source, found.destination) == (octets_of(source), octets_of(destination))
        assert found[2], found[4:] == (40000, 443, 77, b"data")
        found = parse_packet(udp(source, 40001, destination, 53, b"data") + b"padding of Ethernet")
        assert found is not None and found.data == b"data" and found.port == 53


def test_later_fragments_are_no_packets() -> None:
    whole = bytearray(udp("192.168.1.5", 1, "203.0.113.7", 443, bytes(100)))
    whole[6:8] = b"\0\x08"
    assert parse_packet(bytes(whole)) is None


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "172.31.0.1", "192.168.0.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "::", "::1", "fe80::1", "fd00::1", "ff02::1", "::ffff:192.168.0.1", "198.18.0.1", "192.0.0.1"],
)  # fmt: skip
def test_address_that_no_name_may_lead_to(address: str) -> None:
    octets = octets_of(address)
    assert octets is not None and not is_public(octets)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "172.32.0.1", "192.169.0.1", "100.128.0.1", "2a00:1450::1", "64:ff9b::101:101"]
)
def test_address_of_a_server(address: str) -> None:
    octets = octets_of(address)
    assert octets is not None and is_public(octets)
