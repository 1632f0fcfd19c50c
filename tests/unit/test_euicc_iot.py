"""SGP.32 on the virtual eUICC: eIMs, their packages and results; and that no octets whatever break the card."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from euicc_bench import CI, Bench, profile, segments
from hypothesis import given, settings
from hypothesis import strategies as st
from remsim.core import tlv
from remsim.simulator.euicc import pki
from remsim.simulator.euicc.card import ISDR_AID, CardGone
from remsim.simulator.euicc.chip import Personality
from remsim.simulator.euicc.profiles import iccid_octets

NAME, FQDN = b"eim1", b"eim.example.com"
KEY = ec.generate_private_key(pki.CURVE)
SPKI = tlv.read_one(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).value
TOKEN = bytes.fromhex("84020123")
FIRST, SECOND = "8900000000000000001", "8900000000000000002"


def configuration(name: bytes = NAME, token: bytes = b"", more: bytes = b"", key: bytes | None = None) -> bytes:
    """EimConfigurationData without its tag."""
    keys = tlv.encode(0xA5, tlv.encode(0xA0, SPKI) if key is None else key)
    return tlv.encode(0x80, name) + tlv.encode(0x81, FQDN) + tlv.encode(0x83, b"\x05") + token + keys + more


def initial(*eims: bytes) -> bytes:
    return tlv.encode(0xBF57, tlv.encode(0xA0, *(tlv.encode(0x30, one) for one in eims)))


def iot(token: bytes = b"", **options: Any) -> Bench:
    """A card with two profiles and an eIM."""
    kind = Personality(is_iot=True, **options)
    bench = Bench([profile(1, is_enabled=True), profile(2)], personality=kind)
    assert tlv.read_one(bench.ask(initial(configuration(token=token)))).find(0xA0) is not None
    return bench


def package(bench: Bench, *commands: bytes, counter: int = 6, token: bytes = b"\x84\x01\x00", **other: Any) -> tlv.Tlv:
    """An eIM's package, signed; ``BF51`` is the answer."""
    signed = tlv.encode(
        0x30,
        tlv.encode(0x80, other.get("name", NAME)),
        tlv.encode(0x5A, bytes.fromhex(other.get("eid", bench.card.eid))),
        tlv.encode(0x81, tlv.encode_integer(counter)),
        tlv.encode(0x82, b"\xaa\xbb"),
        tlv.encode(other.get("list", 0xA0), *commands),
    )
    signature = pki.sign(other.get("key", KEY), signed + token)
    return tlv.read_one(bench.ask(tlv.encode(0xBF51, signed, tlv.encode(0x5F37, signature))))


def of(tag: int, iccid: str, more: bytes = b"") -> bytes:
    return tlv.encode(tag, tlv.encode(0x5A, iccid_octets(iccid)), more)


def results(answer: tlv.Tlv) -> list[str]:
    """What came of each command."""
    found = answer.find(0xA0, 0x30, 0x30)
    assert found is not None
    return [one.encode().hex().upper() for one in found.children()]


def test_a_consumers_card_has_no_such_functions() -> None:
    bench = Bench()
    for request in ("BF5500", "BF5600", "BF5700", "BF5100", "BF5800"):
        bench.ask(request)
        assert bench.status == 0x6A88
    assert b"\xb4" not in [bytes((one.tag & 0xFF,)) for one in tlv.read_one(bench.ask("BF2200")).children()]


def test_a_card_for_the_iot_says_so() -> None:
    info = tlv.read_one(iot().ask("BF2200"))
    assert info.find(0x90) == tlv.Tlv(0x90, b"\0")
    assert info.find(0xB4, 0xA0, 0x04) == tlv.Tlv(0x04, b"\1\0\0")


def test_certificates_are_told_for_its_ci() -> None:
    bench = iot()
    found = tlv.read_one(bench.ask("BF5600")).find(0xA0)
    assert found is not None
    eum, euicc = (pki.read_certificate(tlv.encode(0x30, one.value)) for one in found.children())
    assert [one.tag for one in found.children()] == [0xA5, 0xA6]
    assert pki.is_issued_by(euicc, eum) and pki.is_issued_by(eum, CI.certificate)
    assert bench.ask(tlv.encode(0xBF56, tlv.encode(0x04, pki.key_id(CI.certificate)))) == bench.ask("BF5600")
    assert bench.hex(f"BF56160414{'00' * 20}") == "BF5603810101"


def test_the_first_eim_needs_no_signature_and_further_ones_do() -> None:
    bench = iot()
    assert bench.ask("BF5500") == tlv.encode(0xBF55, tlv.encode(0xA0, tlv.encode(0x30, configuration())))
    assert bench.ask(initial(configuration(b"eim2"))).hex().upper() == "BF5703810102"


@pytest.mark.parametrize(
    ("eims", "answer"),
    [
        ((configuration(),), "BF5704A0020500"),
        ((configuration(token=TOKEN), configuration(b"eim2")), "BF5708A006840201230500"),
        ((configuration(more=tlv.encode(0x88, bytes(20))),), "BF5703810103"),
        ((configuration(key=b"\xa0\x02\x05\x00"),), "BF570381017F"),
        ((configuration(key=b""),), "BF570381017F"),
        (tuple(configuration(b"%d" % number) for number in range(5)), "BF5703810101"),
    ],
)
def test_first_eims_are_taken_or_refused(eims: tuple[bytes, ...], answer: str) -> None:
    bench = Bench(personality=Personality(is_iot=True))
    assert bench.ask(initial(*eims)).hex().upper() == answer


def test_a_package_is_carried_out_and_its_result_signed_and_kept() -> None:
    bench = iot()
    heard: list[bool] = []
    bench.card.on_refresh = lambda: heard.append(True)
    answer = package(bench, of(0xA3, SECOND), b"\xbf\x2d\x03\x5c\x01\x5a", b"\xa6\x00", of(0xA5, FIRST))
    assert results(answer)[0] == "830100" and results(answer)[3] == "850100" and heard == [True]
    assert results(answer)[1].startswith("BF2D") and results(answer)[2].startswith("A61330118002")
    signed, signature = answer.children()[0].children()
    assert pki.verify(bench.card._credentials.euicc.certificate, signature.value, signed.encode())
    assert [one.tag for one in signed.children()] == [0x80, 0x81, 0x82, 0x83, 0x30]
    kept = bench.ask("BF2B04A0028200")
    assert kept == tlv.encode(0xBF2B, tlv.encode(0xA2, answer.encode()))
    seq = tlv.read_integer(signed.children()[3].value)
    assert answer.encode() not in bench.ask("BF2B00") and b"eim1" not in bench.ask("BF2800")
    assert bench.hex(f"BF30038001{seq:02X}") == "BF3003800100"
    assert bench.hex("BF2B04A0028200") == "BF2B02A200"


def test_a_package_ends_at_the_command_that_fails() -> None:
    bench = iot()
    assert results(package(bench, of(0xA4, SECOND), of(0xA3, SECOND))) == ["840102"]
    assert results(package(bench, of(0xA3, "8900000000000000009"), counter=7)) == ["830101"]
    assert results(package(bench, b"\xa1\x00", counter=8)) == ["020102"]


def test_a_package_is_refused_for_another_card_or_a_second_time() -> None:
    bench = iot()

    def code(answer: tlv.Tlv) -> int:
        found = answer.find(0xA1, 0x30, 0x02)
        assert found is not None
        return tlv.read_integer(found.value)

    assert code(package(bench, of(0xA3, SECOND), eid="0" * 32)) == 3
    assert code(package(bench, of(0xA3, SECOND), counter=5)) == 4
    assert code(package(bench, of(0xA3, SECOND), counter=0x800000)) == 6
    assert results(package(bench, of(0xA3, SECOND))) == ["830100"]
    assert code(package(bench, of(0xA3, FIRST))) == 4


def test_a_package_of_a_stranger_is_answered_without_a_signature() -> None:
    for bench, other in ((iot(), {"name": b"eim9"}), (iot(), {"key": ec.generate_private_key(pki.CURVE)})):
        unsigned = tlv.encode(0xA2, tlv.encode(0x80, other.get("name", NAME)))
        assert package(bench, of(0xA3, SECOND), **other) == tlv.Tlv(0xBF51, unsigned)
    assert package(iot(TOKEN), of(0xA3, SECOND)).find(0xA2) is not None
    assert results(package(iot(TOKEN), of(0xA3, SECOND), token=TOKEN)) == ["830100"]


def test_an_eim_lets_the_device_go_back_once() -> None:
    bench = iot()
    assert bench.hex("BF58038101FF") == "BF5803020101"
    package(bench, of(0xA3, SECOND, b"\x05\x00"))
    assert bench.card.enabled is bench.card.profiles[1]
    assert bench.hex("BF58038101FF") == "BF5803020100"
    assert bench.card.enabled is bench.card.profiles[0]
    assert bench.hex("BF58038101FF") == "BF5803020101"


def test_eims_are_added_listed_changed_and_deleted_by_one_of_them() -> None:
    bench = iot()
    new = tlv.encode(0xA8, configuration(b"eim2"))
    listed = "AB12A01030068004" + b"eim1".hex() + "30068004" + b"eim2".hex()
    assert results(package(bench, new, b"\xab\x00", list=0xA1)) == ["A803020100", listed.upper()]
    changed = tlv.encode(0xAA, tlv.encode(0x80, b"eim2") + tlv.encode(0x81, b"b.example.com"))
    assert results(package(bench, changed, counter=7, list=0xA1)) == ["8A0100"]
    assert b"b.example.com" in bench.ask("BF5500")
    gone = [tlv.encode(0xA9, tlv.encode(0x80, name)) for name in (b"eim2", b"eim9")]
    assert results(package(bench, *gone, counter=8, list=0xA1)) == ["890100", "890101"]
    assert results(package(bench, tlv.encode(0xA9, tlv.encode(0x80, NAME)), counter=9, list=0xA1)) == ["890102"]
    assert bench.hex("BF5500") == "BF5502A000"


def test_a_managed_card_lets_only_its_eim_switch() -> None:
    bench = iot(is_managed=True)
    iccid = iccid_octets(SECOND).hex()
    assert bench.hex(f"BF3111A00C5A0A{iccid}8101FF") == "BF310380017F"
    assert bench.hex(f"BF330C5A0A{iccid}") == "BF330380017F"
    assert results(package(bench, of(0xA3, SECOND))) == ["830100"]


def test_a_reset_can_take_the_eims() -> None:
    bench = iot()
    assert bench.hex("BF340482020410") == "BF3406020101810100"
    assert bench.hex("BF5500") == "BF5502A000"


REQUESTS = st.one_of(
    st.binary(max_size=300),
    st.tuples(st.integers(0x1F, 0x5F), st.binary(max_size=120)).map(lambda one: tlv.encode(0xBF00 | one[0], one[1])),
)
LEAVES = st.sampled_from([0x80, 0x81, 0x82, 0x5A, 0x5C, 0x4F, 0x5F37, 0x5F49, 0x04, 0x02, 0x90])
TREES = st.recursive(
    st.tuples(LEAVES, st.binary(max_size=20)),
    lambda inner: st.tuples(st.sampled_from([0x30, 0xA0, 0xA1, 0xA5, 0xBF2F]), st.lists(inner, max_size=4)),
    max_leaves=8,
)


def encoded(tree: Any) -> bytes:
    tag, value = tree
    return tlv.encode(tag, value if isinstance(value, bytes) else b"".join(map(encoded, value)))


@settings(max_examples=400, deadline=None)
@given(st.lists(REQUESTS, max_size=4), st.booleans())
def test_any_request_has_an_answer(requests: list[bytes], is_prepared: bool) -> None:
    bench = FUZZED
    if is_prepared:
        bench.ready()
    for request in requests:
        if request:
            bench.ask(request)
            assert bench.status >> 8 in (0x90, 0x6A, 0x69)


@settings(max_examples=400, deadline=None)
@given(st.integers(0x20, 0x5A), st.lists(TREES, max_size=5))
def test_any_tree_of_objects_has_an_answer(function: int, trees: list[Any]) -> None:
    FUZZED.ask(tlv.encode(0xBF00 | function, *map(encoded, trees)))
    assert FUZZED.status >> 8 in (0x90, 0x6A, 0x69)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 6), st.lists(st.one_of(st.binary(max_size=60), TREES.map(encoded)), min_size=1, max_size=4))
def test_any_octets_in_a_package_end_it_or_are_taken(whole: int, requests: list[bytes]) -> None:
    FUZZED.ready()
    for segment in segments(FUZZED.package())[:whole]:
        FUZZED.ask(segment)
    for request in filter(None, requests):
        FUZZED.ask(request)
        assert FUZZED.status >> 8 in (0x90, 0x6A, 0x69)
    assert len(FUZZED.card.profiles) <= 2


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=270))
def test_any_command_has_a_status(apdu: bytes) -> None:
    with contextlib.suppress(CardGone):
        assert len(FUZZED.card.transmit(apdu)) >= 2
    FUZZED.card.reset()
    FUZZED.channel = FUZZED.card.open(ISDR_AID)


FUZZED = Bench([profile(1), profile(2, profile_class="test")], personality=Personality(is_iot=True))
