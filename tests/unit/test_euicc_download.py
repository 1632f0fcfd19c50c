"""The card's side of a download: each check, each error code, packages piece by piece, and known vectors."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from euicc_bench import ADDRESS, CI, NEW_ICCID, OID, SMDP, Bench, code_of, described, profile, reason, segments
from remsim.core import tlv
from remsim.core.errors import InvalidInput
from remsim.simulator.euicc import pki
from remsim.simulator.euicc.bpp import Protection
from remsim.simulator.euicc.card import ISDR_AID, CardGone
from remsim.simulator.euicc.card_faults import CardFaults
from remsim.simulator.euicc.credentials import from_directory
from remsim.simulator.euicc.profiles import iccid_octets
from remsim.simulator.euicc.scp03t import Keys, Opener, Scp03tError, derive_keys

SECRET = bytes(range(32))
EID = "89049032123451234512345678901235"
MCV, ENC = "dd44b41c98e31c9d5e3c1f58b0978e87", "ff983bf993a22bd69d310530a705f3a5"
MAC = "5ba719138905c2ae5e711bc62a14e656"
PIECES = (
    (0x87, "BF2400", "87187244CD90503C18DB6901217C13B45C8121C1DC017919A755"),
    (0x88, "BF2503800101", "880EBF2503800101DC8B1B30D4FF77F0"),
    (0x86, b"hello".hex(), "8618D81EF29C7D311655A93D2DB1822139E193E058C54DE153D7"),
)
IMSI_USIM = bytes.fromhex("B30DA30B8309082926012143658709")


def header(iccid: str = NEW_ICCID) -> bytes:
    return tlv.encode(0xA0, tlv.encode(0x83, iccid_octets(iccid)))


# --- Vectors of the facts ---


def test_session_keys_follow_from_the_secret_as_in_the_vector() -> None:
    keys = derive_keys(SECRET, b"host", bytes.fromhex(EID))
    assert (keys.chaining.hex(), keys.encryption.hex(), keys.mac.hex()) == (MCV, ENC, MAC)


def test_protected_pieces_are_those_of_the_vector_both_ways() -> None:
    sender = Protection.agreed(SECRET, b"host", EID)
    opener = Opener(derive_keys(SECRET, b"host", bytes.fromhex(EID)))
    for tag, plain, protected in PIECES:
        data = bytes.fromhex(plain)
        made = sender.signed(tag, data) if tag == 0x88 else sender.encrypted(tag, data)
        assert made.hex().upper() == protected
        piece = bytes.fromhex(protected)
        assert (opener.check(piece) if tag == 0x88 else opener.decipher(piece)) == data


@pytest.mark.parametrize("change", [0, 1, 2, 9, 20, -1])
def test_a_piece_of_which_anything_was_changed_is_refused(change: int) -> None:
    piece = bytearray.fromhex(PIECES[0][2])
    piece[change] ^= 1
    with pytest.raises(Scp03tError):
        Opener(Keys(bytes.fromhex(MCV), bytes.fromhex(ENC), bytes.fromhex(MAC))).decipher(bytes(piece))


def test_pieces_out_of_order_are_refused() -> None:
    with pytest.raises(Scp03tError) as refused:
        Opener(derive_keys(SECRET, b"host", bytes.fromhex(EID))).check(bytes.fromhex(PIECES[1][2]))
    assert refused.value.is_security


@pytest.mark.parametrize("piece", ["", "86", "8603010203", "8610" + "00" * 16, "8619" + "00" * 24])
def test_what_is_no_piece_is_a_wrong_structure_or_a_wrong_mac(piece: str) -> None:
    with pytest.raises(Scp03tError):
        Opener(derive_keys(SECRET, b"host", bytes.fromhex(EID))).decipher(bytes.fromhex(piece))


# --- AuthenticateServer ---


def test_the_answer_to_a_server_is_signed_and_repeats_what_it_must() -> None:
    bench = Bench()
    bench.start()
    found = bench.authenticate().find(0xA0)
    assert found is not None
    signed, signature, euicc, eum = found.children()
    card = pki.read_certificate(euicc.encode())
    assert pki.verify(card, signature.value, signed.encode())
    assert pki.is_issued_by(card, pki.read_certificate(eum.encode()))
    assert [one.tag for one in signed.children()] == [0x80, 0x83, 0x84, 0xBF22, 0xA0]
    assert signed.find(0x80) == tlv.Tlv(0x80, bench.transaction)
    assert signed.find(0x83) == tlv.Tlv(0x83, ADDRESS.encode())
    assert signed.find(0xA0) == tlv.Tlv(0xA0, bytes.fromhex("8004434F4445A108800435290611A100"))
    assert signed.find(0xBF22) is not None and signed.children()[3].encode() == bench.ask("BF2200")


def other_ci() -> pki.Identity:
    return pki.make_ci("another CI")


def wrong_servers() -> list[tuple[int, dict[str, Any]]]:
    stranger = pki.make_smdp(other_ci(), ADDRESS)
    on_p384 = pki.make_ci("Test CI", ec.SECP384R1())
    assert SMDP.binding is not None
    return [
        (1, {"identity": stranger.auth}),
        (1, {"identity": SMDP.binding}),
        (1, {"identity": SMDP.tls}),
        (1, {"identity": CI}),
        (1, {"der": b"\x30\x03\x02\x01\x01"}),
        (2, {"signature": bytes(64)}),
        (2, {"signature": b"short"}),
        (3, {"identity": pki.make_server(on_p384, "dp_auth", ADDRESS, OID)}),
        (6, {"challenge": bytes(16)}),
        (7, {"root": bytes(20)}),
        (127, {"transaction": bytes(17)}),
    ]


@pytest.mark.parametrize(("code", "other"), wrong_servers())
def test_a_server_that_is_not_right_is_refused_with_its_code(code: int, other: dict[str, Any]) -> None:
    bench = Bench()
    bench.start()
    answer = bench.authenticate(**other)
    assert code_of(answer) == code
    assert answer.find(0xA1, 0x80) == tlv.Tlv(0x80, other.get("transaction", bench.transaction))
    assert code_of(bench.prepare()) == 4


def test_a_server_without_an_oid_is_refused() -> None:
    bench = Bench()
    bench.start()
    eum = pki.make_eum(CI)
    nameless = pki.Identity(pki._certificate([], (key := eum.key), CI, "dp_auth", [pki._signer()]), key)
    assert code_of(bench.authenticate(identity=nameless)) == 5


def test_a_challenge_serves_once_and_must_be_there() -> None:
    bench = Bench()
    assert code_of(bench.authenticate()) == 4
    bench.start()
    assert bench.authenticate().find(0xA0) is not None
    assert code_of(bench.authenticate()) == 4


def test_a_recorded_answer_of_the_server_does_not_work_again() -> None:
    bench = Bench()
    bench.start()
    recorded = bench.challenge
    bench.start()
    bench.challenge = recorded
    assert code_of(bench.authenticate()) == 6


@pytest.mark.parametrize("request_", ["BF3800", "BF38023000", "BF380A30005F37003000A0000400"])
def test_a_request_without_its_parts_is_wrong_data(request_: str) -> None:
    bench = Bench()
    bench.ask(request_)
    assert bench.status == 0x6A80


# --- PrepareDownload ---


def test_the_answer_to_a_preparation_is_signed_with_the_servers_signature() -> None:
    bench = Bench()
    bench.start()
    bench.authenticate()
    code = hashlib.sha256(b"code").digest()
    found = bench.prepare(code=code).find(0xA0)
    assert found is not None
    signed, _ = found.children()
    assert [one.tag for one in signed.children()] == [0x80, 0x5F49, 0x04]
    assert signed.find(0x04) == tlv.Tlv(0x04, code)
    assert len(bench.one_time_point) == 65 and bench.one_time_point[0] == 4


def test_a_preparation_that_is_not_right_is_refused_with_its_code() -> None:
    bench = Bench()
    assert code_of(bench.prepare()) == 4
    bench.start()
    assert code_of(bench.prepare()) == 4
    bench.authenticate()
    assert code_of(bench.prepare(identity=SMDP.auth)) == 1
    assert code_of(bench.prepare(identity=pki.make_server(CI, "dp_pb", ADDRESS, "2.999.11"))) == 1
    assert code_of(bench.prepare(identity=pki.make_smdp(other_ci(), ADDRESS).binding)) == 1
    assert code_of(bench.prepare(signature=bytes(64))) == 2
    assert code_of(bench.prepare(transaction=bytes(16))) == 5
    assert bench.prepare().find(0xA0) is not None


def test_nothing_is_prepared_for_an_smds() -> None:
    bench = Bench()
    bench.start()
    assert bench.authenticate(identity=pki.make_smds(CI, ADDRESS).auth).find(0xA0) is not None
    assert code_of(bench.prepare()) == 4


def test_a_one_time_key_that_a_package_is_bound_to_is_used_again_until_that_is_installed() -> None:
    bench = Bench()
    bench.ready()
    first = bench.one_time_point
    bench.transaction = os.urandom(16)
    bench.start()
    bench.authenticate()
    bench.prepare(bound=first)
    assert bench.one_time_point == first
    bench.prepare()
    assert bench.one_time_point != first
    bench.prepare(bound=first)
    assert bench.one_time_point != first


# --- Packages ---


@pytest.mark.parametrize("block_size", [30, 120, 255])
@pytest.mark.parametrize("replaces_keys", [False, True])
def test_a_package_is_installed_and_its_octets_recovered(block_size: int, replaces_keys: bool) -> None:
    bench = Bench([profile(1, is_enabled=True)], block_size=block_size)
    bench.ready()
    package = header() + IMSI_USIM + os.urandom(5000)
    result = tlv.read_one(bench.load(bench.package(package=package, replaces_keys=replaces_keys)))
    assert reason(result) is None
    data, signature = result.children()
    assert pki.verify(bench.card._credentials.euicc.certificate, signature.value, data.encode())
    assert [one.tag for one in data.children()] == [0x80, 0xBF2F, 0x06, 0xA2]
    assert data.find(0x06) == tlv.Tlv(0x06, bytes.fromhex("88370A"))
    aid = "A0000005591010FFFFFFFF8900001100"
    assert data.children()[3].encode().hex().upper() == f"A21FA01D4F10{aid}04093007A0053003800100"
    made = bench.card.profiles[1]
    assert made.package_sha256 == hashlib.sha256(package).hexdigest() and made.size == len(package)
    assert (made.iccid, made.provider, made.name, made.imsi) == (NEW_ICCID, "OsmocomSPN", "TS48", "262101234567890")
    assert not made.is_enabled and bench.card.enabled is bench.card.profiles[0]


def test_a_result_is_queued_for_the_server_and_an_install_for_those_who_asked() -> None:
    bench = Bench()
    result = bench.install()
    first, second = bench.card.memory.notifications
    assert (first.seq, first.event, first.address) == (1, "install", ADDRESS) and first.raw == result.encode()
    assert (second.seq, second.event) == (2, "install") and second.raw[0] == 0x30
    assert bench.ask("BF2B05A003800101") == tlv.encode(0xBF2B, tlv.encode(0xA0, result.encode()))


def test_a_second_download_follows_the_first() -> None:
    bench = Bench()
    assert reason(bench.install()) is None
    assert reason(bench.install(described("8900000000000000005"))) is None
    assert [one.aid.hex()[-8:] for one in bench.card.profiles] == ["00001000", "00001100"]


def test_an_iccid_that_is_there_is_refused() -> None:
    bench = Bench()
    bench.install()
    assert reason(bench.install()) == (2, 9)
    assert len(bench.card.profiles) == 1


def test_a_profile_that_does_not_fit_is_refused_and_takes_no_room() -> None:
    bench = Bench()
    bench.card.memory.capacity = 2000
    assert reason(bench.install(package=b"\1" * 2001)) == (5, 10)
    assert bench.card.memory.free == 2000 and bench.card.profiles == []
    assert reason(bench.install(package=b"\1" * 2000)) is None


def test_a_package_for_another_iccid_than_announced_is_refused() -> None:
    assert reason(Bench().install(package=header("8900000000000000009"))) == (5, 13)


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        (described(kind=b"\x07"), 6),
        (tlv.encode(0xBF25, b"\x91\x01A"), 1),
        (tlv.encode(0xBF25, tlv.encode(0x5A, iccid_octets(NEW_ICCID)), tlv.encode(0x91, b"A" * 33)), 1),
        (tlv.encode(0xBF25, tlv.encode(0x5A, iccid_octets(NEW_ICCID)), tlv.encode(0x91, b"\xff")), 1),
        (tlv.encode(0xBF25, tlv.encode(0x5A, iccid_octets(NEW_ICCID)), tlv.encode(0x94, b"icon")), 1),
        (tlv.encode(0xBF24), 7),
        (b"\xbf\x25\x05", 7),
    ],
)
def test_metadata_that_is_not_right_is_refused(metadata: bytes, why: int) -> None:
    assert reason(Bench().install(metadata)) == (2, why)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"signature": bytes(64)}, 2),
        ({"transaction": bytes(16)}, 3),
        ({"operation": b"\x02"}, 5),
        ({"crt": bytes.fromhex("A60A80018981011084026869")}, 4),
        ({"crt": bytes.fromhex("A6068001888101 10")}, 4),
        ({"point": b"\4" + bytes(64)}, 1),
    ],
)
def test_a_secure_channel_that_is_not_right_is_refused(other: dict[str, Any], why: int) -> None:
    bench = Bench()
    bench.ready()
    assert reason(tlv.read_one(bench.load(bench.package(**other)))) == (0, why)
    assert bench.load(bench.package()) == b"" and bench.status == 0x6985


def test_a_package_needs_a_prepared_session() -> None:
    bench = Bench()
    bench.ready()
    package = bench.package()
    bench.card.reset()
    bench.channel = bench.card.open(ISDR_AID)
    for prepare in (lambda: None, bench.start, bench.authenticate):
        prepare()
        assert bench.load(package) == b"" and bench.status == 0x6985


@pytest.mark.parametrize("number", range(1, 7))
def test_a_wrong_mac_in_any_piece_ends_the_installation_there(number: int) -> None:
    bench = Bench(faults=CardFaults(mac_failure=number))
    result = bench.install()
    command = {1: 1, 2: 2}.get(number, 5)
    if number < 6:
        assert reason(result) == (command, 8)
        assert bench.card.profiles == []
    else:
        assert reason(result) is None


def test_a_changed_octet_in_a_piece_ends_the_installation_at_that_segment() -> None:
    bench = Bench()
    bench.ready()
    parts = segments(bench.package())
    parts[6] = parts[6][:-1] + bytes((parts[6][-1] ^ 1,))
    answers = [bench.ask(part) for part in parts[:7]]
    assert answers[:6] == [b""] * 6
    assert reason(tlv.read_one(answers[6])) == (5, 8)


def test_segments_cut_elsewhere_are_a_wrong_structure() -> None:
    for at, joined in ((2, 2), (4, 2)):
        bench = Bench()
        bench.ready()
        parts = segments(bench.package())
        parts[at : at + joined] = [b"".join(parts[at : at + joined])]
        found = [bench.ask(part) for part in parts[: at + 1]]
        result = reason(tlv.read_one(found[-1]))
        assert result is not None and result[1] == 7


def test_every_reason_can_be_had_on_demand() -> None:
    for why in (9, 10, 12, 14, 15):
        bench = Bench(faults=CardFaults(error_reason=why))
        assert reason(bench.install()) == (2, why)
        assert reason(bench.install()) is None


def test_power_lost_in_the_middle_leaves_no_profile_and_tells_of_the_interruption(tmp_path: Path) -> None:
    file = tmp_path / "card.json"
    bench = Bench(state_file=file)
    bench.ready()
    for segment in segments(bench.package())[:5]:
        bench.ask(segment)
    bench.card.reset()
    (told,) = bench.card.memory.notifications
    assert reason(tlv.read_one(told.raw)) == (5, 11)
    assert bench.card.profiles == [] and bench.card.memory.free == bench.card.memory.capacity
    bench.channel = bench.card.open(ISDR_AID)
    assert reason(bench.install()) is None


@pytest.mark.parametrize(("segments_before", "command"), [(1, 0), (2, 1), (3, 2), (7, 5)])
def test_a_simulator_that_is_killed_in_a_package_comes_back_as_a_card_does(
    tmp_path: Path, segments_before: int, command: int
) -> None:
    file = tmp_path / "card.json"
    bench = Bench(state_file=file)
    bench.ready()
    for segment in segments(bench.package())[:segments_before]:
        bench.ask(segment)
    again = Bench(state_file=file)
    (told,) = again.card.memory.notifications
    result = tlv.read_one(told.raw)
    assert reason(result) == (command, 11) and told.address == ADDRESS
    assert result.find(0xBF27, 0x80) == tlv.Tlv(0x80, bench.transaction)
    assert len(Bench(state_file=file).card.memory.notifications) == 1


def test_a_package_whose_session_was_cancelled_is_not_said_to_be_interrupted(tmp_path: Path) -> None:
    bench = Bench(state_file=tmp_path / "card.json")
    bench.ready()
    for segment in segments(bench.package())[:5]:
        bench.ask(segment)
    assert cancelled(bench, 5).find(0xA0) is not None
    bench.card.reset()
    assert bench.card.memory.notifications == []


def test_a_card_taken_out_between_any_two_segments_is_whole_afterwards() -> None:
    for number in range(12):
        bench = Bench(block_size=255)
        bench.ready()
        before = bench.card.blocks
        bench.card.faults.removed_at = number + 1
        with pytest.raises(CardGone):
            bench.load(bench.package())
        assert bench.card.blocks == before + number + 1
        bench.card.insert()
        bench.channel = bench.card.open(ISDR_AID)
        assert bench.card.profiles == []
        assert reason(bench.install()) is None


def test_a_status_in_the_middle_gives_no_result_and_the_session_can_be_cancelled() -> None:
    bench = Bench()
    bench.ready()
    bench.card.faults.status_at = (9, 0x6F00)
    assert bench.load(bench.package()) == b"" and bench.status == 0x6F00
    found = cancelled(bench, 5)
    assert found.find(0xA0) is not None
    assert bench.card.memory.notifications == []


# --- CancelSession ---


def cancelled(bench: Bench, why: int) -> tlv.Tlv:
    request = tlv.encode(0xBF41, tlv.encode(0x80, bench.transaction), tlv.encode(0x81, bytes((why,))))
    return tlv.read_one(bench.ask(request))


def test_a_session_is_cancelled_with_a_signed_reason() -> None:
    bench = Bench()
    bench.start()
    bench.authenticate()
    found = cancelled(bench, 0).find(0xA0)
    assert found is not None
    signed, signature = found.children()
    tid = bench.transaction.hex().upper()
    assert signed.encode().hex().upper() == f"301A8010{tid}810388370A820100"
    assert pki.verify(bench.card._credentials.euicc.certificate, signature.value, signed.encode())
    assert cancelled(bench, 0) == tlv.Tlv(0xBF41, bytes.fromhex("810105"))
    assert code_of(bench.prepare()) == 4


def test_a_session_of_another_transaction_or_reason_is_not_cancelled() -> None:
    bench = Bench()
    bench.start()
    bench.authenticate()
    assert cancelled(bench, 9) == tlv.Tlv(0xBF41, bytes.fromhex("81017F"))
    right, bench.transaction = bench.transaction, bytes(16)
    assert cancelled(bench, 0) == tlv.Tlv(0xBF41, bytes.fromhex("810105"))
    bench.transaction = right
    assert cancelled(bench, 127).find(0xA0) is not None


@pytest.mark.parametrize("kind", ["authenticate", "prepare", "result", "cancel"])
def test_the_card_signs_wrongly_on_demand(kind: str) -> None:
    bench = Bench(faults=CardFaults(wrong_signature=kind))
    card = bench.card._credentials.euicc.certificate
    bench.start()
    answer = bench.authenticate().find(0xA0)
    assert answer is not None
    signed, signature = answer.children()[:2]
    assert pki.verify(card, signature.value, signed.encode()) == (kind != "authenticate")
    if kind == "result":
        bench.prepare()
        data, signature = tlv.read_one(bench.load(bench.package())).children()
        assert not pki.verify(card, signature.value, data.encode())


# --- Credentials ---


def saved(directory: Path, ci: pki.Identity, eum: pki.Identity) -> None:
    (directory / "ci.der").write_bytes(ci.der)
    (directory / "eum.der").write_bytes(eum.der)


def test_credentials_come_from_a_directory_with_the_cards_own_key(tmp_path: Path) -> None:
    eum = pki.make_eum(CI)
    euicc = pki.make_euicc(eum, EID)
    saved(tmp_path, CI, eum)
    euicc.save(tmp_path / "euicc.pem", tmp_path / "euicc_key.pem")
    found = from_directory(tmp_path)
    assert (found.eid, found.euicc.der) == (EID, euicc.der)
    assert (tmp_path / "euicc_key.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(InvalidInput, match="is for the EID"):
        from_directory(tmp_path, "8" * 32)


def test_credentials_come_from_a_directory_with_the_makers_key(tmp_path: Path) -> None:
    eum = pki.make_eum(CI, ("89044050",))
    saved(tmp_path, CI, eum)
    eum.save(tmp_path / "eum.pem", tmp_path / "eum_key.pem")
    assert from_directory(tmp_path).eid.startswith("89044050")
    (tmp_path / "eid").write_text(f"{EID}\n")
    assert from_directory(tmp_path).eid == EID
    assert from_directory(tmp_path, "1" * 32).eid == "1" * 32


def test_what_is_missing_or_wrong_in_a_directory_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no ci\.der"):
        from_directory(tmp_path)
    saved(tmp_path, other_ci(), pki.make_eum(CI))
    with pytest.raises(InvalidInput, match="not issued by the CI"):
        from_directory(tmp_path)
    saved(tmp_path, CI, pki.make_eum(CI))
    with pytest.raises(InvalidInput, match="eum_key"):
        from_directory(tmp_path)
    pki.make_eum(CI).save(tmp_path / "other.pem", tmp_path / "eum_key.pem")
    with pytest.raises(InvalidInput, match="not the key of the EUM"):
        from_directory(tmp_path)


def test_eids_have_their_check_digits() -> None:
    assert all(int(pki.make_eid(number)) % 97 == 1 and len(pki.make_eid(number)) == 32 for number in range(200))
