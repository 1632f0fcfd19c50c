"""What an LPA looks at itself: answers to somebody else end here. And what certificates say, against another reader."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from esim_https import Authority
from hypothesis import given
from hypothesis import strategies as st
from remsim.core import tlv
from remsim.core.tlv import TlvError
from remsim.esim import refusals, trust
from remsim.esim.certificate import oid_of, plain, read_certificate
from remsim.esim.errors import EsimError
from remsim.esim.es9 import Offered, Started
from remsim.esim.es10.profiles import Owner, Profile
from remsim.esim.offer import (
    check_card,
    check_package,
    check_started,
    code_hash,
    is_allowed,
    needs_code,
    read_metadata,
)
from remsim.simulator.euicc import pki

TRANSACTION = bytes.fromhex("53E0CCC8296143E7823B4C8ECD76EC89")
CHALLENGE = bytes(range(16))
ADDRESS = "testsmdpplus1.example.com"
SERVER = pki.make_smdp(pki.make_ci(), ADDRESS, "2.999.10")


def session(
    challenge: bytes = CHALLENGE, address: str = ADDRESS, transaction: bytes = TRANSACTION, raw: bytes | None = None
) -> Started:
    parts = ((0x80, transaction), (0x81, challenge), (0x83, address.encode()), (0x84, bytes(16)))
    signed = tlv.encode(0x30, *(tlv.encode(tag, value) for tag, value in parts))
    return Started(TRANSACTION.hex(), TRANSACTION, signed if raw is None else raw, b"", b"", SERVER.auth.der)


def started(found: Started, address: str = ADDRESS, oid: str | None = None) -> str:
    try:
        check_started(found, challenge=CHALLENGE, address=address, oid=oid)
    except EsimError as error:
        return error.code
    return "right"


def test_a_server_that_signs_what_it_was_asked_is_the_right_one() -> None:
    assert started(session()) == "right"
    assert session().signed[:4].hex() == "30518010"  # as seen of a real server
    assert started(session(), oid="2.999.10") == "right"


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (session(challenge=bytes(16)), "wrong_challenge"),
        (session(challenge=b""), "wrong_challenge"),
        (session(transaction=bytes(16)), "wrong_transaction"),
        (session(address="other.example.com"), "address_mismatch"),
        (session(address=""), "address_mismatch"),
        (session(raw=b""), "server_reply"),
        (session(raw=b"\x31\0"), "server_reply"),
        (session(raw=b"\x30\x02\x80\x05"), "server_reply"),
        (session(raw=session().signed + b"\0"), "server_reply"),
    ],
)
def test_an_answer_to_somebody_else_is_not_taken(found: Started, code: str) -> None:
    assert started(found) == code


def test_names_are_compared_without_case_and_with_or_without_a_port() -> None:
    assert started(session(address=ADDRESS.upper())) == "right"
    assert started(session(), address="TestSmdpPlus1.example.com") == "right"
    assert started(session(), address=f"{ADDRESS}:8443") == "right"
    assert started(session(address=f"{ADDRESS}:8443"), address=f"{ADDRESS}:8443") == "right"
    assert started(session(address=f"{ADDRESS}:8443"), address=ADDRESS) == "address_mismatch"


def test_a_code_that_names_its_server_is_for_no_other() -> None:
    assert started(session(), oid="2.999.11") == "oid_mismatch"
    assert started(session()._replace(certificate=b"\x30\0"), oid="2.999.10") == "server_reply"


@pytest.mark.parametrize(
    ("signed", "expected"),
    [
        ("3015 8010{} 010100", False),  # as seen of a real server
        ("3015 8010{} 0101FF", True),
        ("3015 8010{} 010101", True),
        ("3018 8010{} 0101FF 5F4900", True),
    ],
)
def test_a_server_says_whether_it_wants_a_code(signed: str, expected: bool) -> None:
    offered = Offered(b"", bytes.fromhex(signed.format(TRANSACTION.hex())), b"", b"")
    assert needs_code(offered, session()) is expected


def test_an_offer_of_another_session_is_none() -> None:
    offered = Offered(b"", bytes.fromhex("3015 8010" + "00" * 16 + "010100"), b"", b"")
    with pytest.raises(EsimError, match="mixes this session up"):
        needs_code(offered, session())


def test_a_code_is_hashed_for_its_session() -> None:
    assert code_hash("1234", TRANSACTION).hex() == "641ea91b6bb3f2a71146a0b25177e58d0a93abc0dfce8f787abca7bd3f03e5dd"


METADATA = "BF251F 5A0A989444999999990900F7 910A4F736D6F636F6D53504E 9202C3A9 950102"


def test_what_is_offered_is_read_as_a_card_would_list_it() -> None:
    found = read_metadata(bytes.fromhex(METADATA))
    assert (found.iccid, found.provider, found.name) == ("8949449999999990007", "OsmocomSPN", "é")
    assert found.profile_class == "operational"


@pytest.mark.parametrize("raw", ["", "BF2500", "BF2402 5A00", "BF2502 5A00", "BF2503 950109", "BF25"])
def test_an_offer_that_makes_no_sense_is_none(raw: str) -> None:
    with pytest.raises(EsimError, match="profileMetadata makes no sense"):
        read_metadata(bytes.fromhex(raw))


def package(metadata: str, transaction: bytes = TRANSACTION) -> bytes:
    """A package whose metadata comes in two pieces, each with a MAC that nobody but the card can check."""
    raw = bytes.fromhex(metadata)
    pieces = [tlv.encode(0x88, part + b"MACMACMA") for part in (raw[:20], raw[20:])]
    channel = tlv.encode(0xBF23, tlv.encode(0x82, b"\1"), tlv.encode(0x80, transaction))
    keys, profile = tlv.encode(0xA0, tlv.encode(0x87, bytes(24))), tlv.encode(0xA3, tlv.encode(0x86, bytes(24)))
    return tlv.encode(0xBF36, channel, keys, tlv.encode(0xA1, *pieces), profile)


def test_a_package_is_for_the_session_and_the_profile_that_was_shown() -> None:
    shown = read_metadata(bytes.fromhex(METADATA))
    check_package(package(METADATA), session(), shown)
    with pytest.raises(EsimError, match="another profile"):
        check_package(package(METADATA.replace("0900F7", "0900F8")), session(), shown)
    with pytest.raises(EsimError, match="another profile"):
        check_package(package(METADATA.replace("950102", "950100")), session(), shown)
    check_package(package(METADATA.replace("C3A9", "C3A8")), session(), shown)  # a name that is spelt in another way
    with pytest.raises(EsimError, match="mixes this session up"):
        check_package(package(METADATA, bytes(16)), session(), shown)
    for junk in (b"", b"\xbf\x36\0", b"\xbf\x37\0", package(METADATA)[:-1]):
        with pytest.raises(EsimError):
            check_package(junk, session(), shown)
    check_package(package("BF2400"), session(), shown)  # what cannot be read here is the card's to refuse


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("BF3802 A000", None),
        ("BF3807 A105 8000 020101", "server_certificate"),
        ("BF3807 A105 8000 810107", "no_common_root"),
        ("BF3807 A105 8000 810106", "wrong_challenge"),
        ("BF3808 A106 8000 0202007F", "card_refused"),
        ("BF3802 A100", "card_refused"),
        ("BF2102 A000", "server_reply"),
        ("", "server_reply"),
    ],
)
def test_a_cards_no_has_its_reason(answer: str, code: str | None) -> None:
    try:
        check_card(bytes.fromhex(answer), 0xBF38, refusals.AUTHENTICATE)
    except EsimError as error:
        assert error.code == code
    else:
        assert code is None


# --- who may make rules ---


def row(bits: str, *operators: str) -> bytes:
    """A row of a table: rules, and operators as hex of MCC and MNC, of group 1 behind a slash."""
    entries = []
    for one in operators:
        plmn, _, group = one.partition("/")
        named = tlv.encode(0x80, bytes.fromhex(plmn)), tlv.encode(0x81, bytes.fromhex(group))
        entries.append(tlv.encode(0x30, *named))
    consent = bytes.fromhex("82020780")
    return tlv.encode(0x30, tlv.encode(0x80, bytes.fromhex(bits)), tlv.encode(0xA1, *entries), consent)


PPR1, PPR2, BOTH = "0640", "0520", "0560"
ANYBODY, BERLIN, SEATTLE = "EEEEEE", "62F220", "130062"


@pytest.mark.parametrize(
    ("rows", "rule", "owner", "expected"),
    [
        ([row(PPR2, ANYBODY)], "cannot_delete", Owner("262-02"), True),
        ([row(PPR2, ANYBODY)], "cannot_delete", Owner("310-260"), True),
        ([row(PPR2, ANYBODY)], "cannot_disable", Owner("262-02"), False),
        ([row(PPR2, BERLIN)], "cannot_delete", Owner("262-02"), True),
        ([row(PPR2, BERLIN)], "cannot_delete", Owner("262-03"), False),
        ([row(PPR2, SEATTLE)], "cannot_delete", Owner("310-260"), True),
        ([row(PPR2, SEATTLE)], "cannot_delete", Owner("310-26"), False),
        ([row(PPR2, "62E2EE")], "cannot_delete", Owner("262-17"), True),
        ([row(PPR2, "62E2EE")], "cannot_delete", Owner("263-17"), False),
        ([row(BOTH, SEATTLE, BERLIN)], "cannot_disable", Owner("262-02"), True),
        ([row(PPR1, BERLIN), row(PPR2, SEATTLE)], "cannot_delete", Owner("262-02"), False),
        ([row(PPR2, BERLIN + "/FE")], "cannot_delete", Owner("262-02", gid1="fe"), True),
        ([row(PPR2, BERLIN + "/FE")], "cannot_delete", Owner("262-02", gid1="fd"), False),
        ([row(PPR2, BERLIN + "/FE")], "cannot_delete", Owner("262-02"), False),
        ([row(PPR2, BERLIN)], "cannot_delete", Owner("262-02", gid1="fd"), True),
        ([row(PPR2, BERLIN)], "cannot_delete", Owner(None), False),
        ([row(PPR2, BERLIN)], "cannot_delete", None, False),
        ([], "cannot_delete", Owner("262-02"), False),
        ([], None, Owner("262-02"), True),
    ],
)
def test_a_cards_table_says_who_may_make_rules(
    rows: list[bytes], rule: str | None, owner: Owner | None, expected: bool
) -> None:
    profile = Profile(owner=owner, policy=frozenset({rule} if rule else ()))
    assert is_allowed(tlv.encode(0xBF43, tlv.encode(0xA0, *rows)), profile) is expected


def test_a_table_that_cannot_be_read_forbids_nothing() -> None:
    profile = Profile(owner=Owner("262-02"), policy=frozenset({"cannot_delete"}))
    for raw in (b"", b"\x30", bytes.fromhex("BF4305A003300180")):
        assert is_allowed(raw, profile)


# --- certificates ---


def roots() -> list[x509.Certificate]:
    blocks = trust.ROOTS.read_text().split("-----END CERTIFICATE-----\n")[:-1]
    return [x509.load_pem_x509_certificate(f"{one}-----END CERTIFICATE-----\n".encode()) for one in blocks]


def test_the_roots_are_what_is_said_of_them() -> None:
    facts = json.loads(trust.ROOTS.with_suffix(".json").read_text())
    assert len(facts) == len(roots()) >= 7
    for said, root in zip(facts, roots(), strict=True):
        own = read_certificate(root.public_bytes(Encoding.DER))
        named = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        assert said["key_id"] == named.hex() == own.key_id.hex()
        assert said["sha256"] == sha256(root.public_bytes(Encoding.DER)).hexdigest()
        assert said["subject"] == own.subject == own.issuer and said["origin"]
        key = root.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey) and root.signature_hash_algorithm is not None
        key.verify(root.signature, root.tbs_certificate_bytes, ec.ECDSA(root.signature_hash_algorithm))


def test_gsmas_own_roots_are_among_them() -> None:
    known = {one["key_id"]: one["not_after"][:4] for one in json.loads(trust.ROOTS.with_suffix(".json").read_text())}
    assert known["81370f5125d0b1d408d4c3b232e6d25e795bebfb"] == "2052"
    assert known["4c27967ad20c14b391e9601e41e604ad57c0222f"] == "2059"


def test_certificates_are_read_as_others_read_them() -> None:
    for one in (*roots(), SERVER.tls.certificate, SERVER.auth.certificate, Authority("Über uns").certificate):
        own = read_certificate(one.public_bytes(Encoding.DER))
        text = subprocess.run(
            ["openssl", "x509", "-noout", "-dates", "-inform", "DER"],
            input=one.public_bytes(Encoding.DER),
            capture_output=True,
            check=True,
            timeout=20,
        ).stdout.decode()
        ends = [datetime.strptime(line.partition("=")[2], "%b %d %H:%M:%S %Y GMT") for line in text.splitlines()]
        assert [own.not_before, own.not_after] == [int(end.replace(tzinfo=UTC).timestamp()) for end in ends]
        assert own.issuer in one.issuer.rfc4514_string()
    assert read_certificate(SERVER.tls.der).hosts == (ADDRESS,)
    assert read_certificate(SERVER.auth.der).oids == ("2.999.10",)


@pytest.mark.parametrize(
    ("octets", "expected"),
    [("88370A", "2.999.10"), ("2B06010401", "1.3.6.1.4.1"), ("00", "0.0"), ("", None), ("88", None)],
)
def test_object_identifiers(octets: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(ValueError):
            oid_of(bytes.fromhex(octets))
    else:
        assert oid_of(bytes.fromhex(octets)) == expected


@given(st.binary(max_size=300))
def test_names_in_certificates_are_one_short_line(octets: bytes) -> None:
    assert plain(octets).isprintable() and len(plain(octets)) <= 120


@given(st.data())
def test_a_damaged_certificate_is_read_or_none(data: st.DataObject) -> None:
    der = bytearray(SERVER.auth.der)
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_certificate(bytes(der[: data.draw(st.integers(0, len(der)))] if data.draw(st.booleans()) else der))
    except TlvError as error:
        assert error.message
