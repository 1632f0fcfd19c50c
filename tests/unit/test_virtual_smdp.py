"""The virtual SM-DP+ and SM-DS with a virtual card, over real TLS: what goes well, and every refusal and fault."""

from __future__ import annotations

import contextlib
import datetime
import http.client
import json
import re
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from esim_lpa import ES9, Lpa, Refused, b64, call, context_of, octets, post, segments
from hypothesis import given, settings
from hypothesis import strategies as st
from remsim.core import tlv
from remsim.simulator.euicc import bpp, credentials, pki, scene
from remsim.simulator.euicc.card import VirtualEuicc
from remsim.simulator.euicc.chain import checked_card
from remsim.simulator.euicc.faults import KINDS, STEPS, Fault
from remsim.simulator.euicc.orders import MOST_WRONG_CODES, Offer, Order, Orders, Refusal, hash_of
from remsim.simulator.euicc.profiles import CardProfile
from remsim.simulator.euicc.servers import Servers
from remsim.simulator.euicc.smds import Event
from remsim.simulator.euicc.tls import HttpsServer, Reply, certificate_of
from remsim.simulator.euicc.tls import context_of as context_of_server

HOST = scene.SMDP_HOST
CI = pki.make_ci()
EUM = pki.make_eum(CI)
GOOD = "EXAMPLE-MOBILE-5GB"
BROKEN = (http.client.HTTPException, OSError)


@pytest.fixture
def servers() -> Iterator[Servers]:
    made = Servers(CI, scene.orders(scene.codes()))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def card() -> VirtualEuicc:
    carried = CardProfile(scene.CARRIED_ICCID, "Example Mobile", "Abroad")
    return VirtualEuicc(credentials.make(CI, eum=EUM), [carried])


@pytest.fixture
def lpa(card: VirtualEuicc, servers: Servers) -> Lpa:
    return Lpa(card, servers)


def order(servers: Servers, matching_id: str) -> Order:
    return next(one for one in servers.orders.all() if one.matching_id == matching_id)


def result(answer: bytes) -> tuple[int, int] | None:
    """Command and reason of a failed installation, None of one that went well."""
    final = tlv.read_one(answer).find(0xBF27, 0xA2)
    assert final is not None
    failed = final.find(0xA1)
    if failed is None:
        return None
    command, reason = failed.find(0x80), failed.find(0x81)
    assert command is not None and reason is not None
    return tlv.read_integer(command.value), tlv.read_integer(reason.value)


@pytest.mark.parametrize("replaces_keys", [False, True])
def test_a_profile_gets_onto_the_card_whole(card: VirtualEuicc, replaces_keys: bool) -> None:
    made = Servers(CI, scene.orders(scene.codes()), replaces_keys=replaces_keys)
    made.start()
    try:
        answer = Lpa(card, made).install(GOOD)
    finally:
        made.stop()
    assert result(answer) is None
    profile = card.profiles[-1]
    offer = order(made, GOOD).offer
    assert (profile.iccid, profile.imsi, profile.name, profile.provider) == (
        offer.iccid,
        offer.imsi,
        "Travel 5 GB",
        "Example Mobile",
    )
    assert (profile.icon, profile.owner, profile.is_enabled) == (offer.icon, "00101", False)


def test_the_notifications_of_a_profile_make_it_installed_and_free_it_when_it_is_deleted(
    lpa: Lpa, servers: Servers
) -> None:
    lpa.install(GOOD)
    assert order(servers, GOOD).state == "downloaded"
    lpa.tell(HOST)
    assert order(servers, GOOD).state == "installed"
    with pytest.raises(Refused, match=r"^8.2.6/3.8$"):
        lpa.install(GOOD)
    lpa.ask(tlv.encode(0xBF33, tlv.encode(0x5A, bpp.swapped(order(servers, GOOD).offer.iccid, 20))))
    lpa.tell(HOST)
    assert order(servers, GOOD).state == "released"
    assert {told.event for told in servers.smdp.told} == {"install", "delete"}
    assert all(told.is_proven for told in servers.smdp.told)
    assert result(lpa.install(GOOD)) is None


def test_a_confirmation_code_is_asked_for_and_a_wrong_one_may_be_put_right(lpa: Lpa) -> None:
    known = lpa.authenticate(HOST, "EXAMPLE-MOBILE-1234")
    assert tlv.read_one(octets(known["smdpSigned2"])).find(0x01) == (0x01, b"\xff")
    with pytest.raises(Refused, match=r"^8.2.7/2.2$"):
        lpa.fetch(HOST, known)
    with pytest.raises(Refused, match=r"^8.2.7/3.8$"):
        lpa.fetch(HOST, known, "4321")
    assert result(lpa.load(lpa.fetch(HOST, known, "1234"))) is None


def test_too_many_wrong_confirmation_codes_block_the_order(lpa: Lpa) -> None:
    known = lpa.authenticate(HOST, "ASKS-LATER")
    for _ in range(MOST_WRONG_CODES - 1):
        with pytest.raises(Refused, match=r"^8.2.7/3.8$"):
            lpa.fetch(HOST, known, "0000")
    for code in ("0000", "1234"):
        with pytest.raises(Refused, match=r"^8.2.7/6.4$"):
            lpa.fetch(HOST, known, code)
    with pytest.raises(Refused, match=r"^8.2.7/6.4$"):
        lpa.authenticate(HOST, "ASKS-LATER")


@pytest.mark.parametrize(
    ("matching_id", "refusal"),
    [
        ("NO-SUCH-CODE", "8.2.6/3.8"),
        ("example-mobile-5gb", "8.2.6/3.8"),
        ("USED", "8.2.6/3.8"),
        ("BLOCKED", "8.2.7/6.4"),
        ("NOT-RELEASED", "8.2/1.2"),
        ("OTHER-EID", "8.1.1/3.8"),
        ("EXPIRED", "8.8.5/4.10"),
        ("NO-MEMORY", "8.1/4.8"),
        ("NOT-SUITED", "8.2.5/4.3"),
        ("", "8.1.1/3.8"),
    ],
)
def test_an_order_is_refused_before_the_package(lpa: Lpa, matching_id: str, refusal: str) -> None:
    with pytest.raises(Refused, match=f"^{refusal}$"):
        lpa.authenticate(HOST, matching_id)


def test_a_profile_that_cannot_be_bound_again_is_refused_with_the_package(lpa: Lpa) -> None:
    known = lpa.authenticate(HOST, "NO-REBIND")
    with pytest.raises(Refused, match=r"^8.2/3.7$"):
        lpa.fetch(HOST, known)


def test_an_order_tries_only_so_often(lpa: Lpa, servers: Servers) -> None:
    order(servers, "LOCKED").attempts = 10
    with pytest.raises(Refused, match=r"^8.8.5/6.4$"):
        lpa.authenticate(HOST, "LOCKED")


def test_a_package_that_got_lost_may_be_fetched_again_but_by_no_other_card(lpa: Lpa, servers: Servers) -> None:
    lpa.fetch(HOST, lpa.authenticate(HOST, GOOD))
    other = Lpa(VirtualEuicc(credentials.make(CI, pki.make_eid(2), EUM)), servers)
    with pytest.raises(Refused, match=r"^8.2.6/3.8$"):
        other.install(GOOD)
    assert result(lpa.install(GOOD)) is None


def test_a_default_order_waits_for_its_eid(lpa: Lpa, servers: Servers, card: VirtualEuicc) -> None:
    servers.orders.add(Order(scene.offered(500), eid=card.eid))
    assert result(lpa.install("")) is None


@pytest.mark.parametrize(
    ("matching_id", "command_and_reason"),
    [
        ("DUPLICATE", (2, 9)),
        ("WRONG-ICCID", (5, 13)),
        ("WRONG-PACKAGE", (0, 2)),
        ("WRONG-SESSION", (0, 3)),
        ("WRONG-MAC", (5, 8)),
    ],
)
def test_the_card_finds_what_is_wrong_with_a_package_and_the_server_hears_of_it(
    lpa: Lpa, servers: Servers, card: VirtualEuicc, matching_id: str, command_and_reason: tuple[int, int]
) -> None:
    before = len(card.profiles)
    failed = result(lpa.install(matching_id))
    assert failed == command_and_reason
    assert len(card.profiles) == before
    lpa.tell(HOST)
    assert (servers.smdp.told[-1].event, servers.smdp.told[-1].error) == ("install_failed", failed)
    assert order(servers, matching_id).state == "released"


def test_a_card_without_room_for_what_comes_says_so(lpa: Lpa, servers: Servers, card: VirtualEuicc) -> None:
    card.memory.capacity = 60_000
    servers.orders.add(Order(scene.offered(501, size_bytes=70_000), "TOO-BIG", fault=Fault("hides_size")))
    failed = result(lpa.install("TOO-BIG"))
    assert failed is not None and failed[1] == 10


@pytest.mark.parametrize(("kind", "code"), [("wrong_signature", 2), ("wrong_challenge", 6)])
def test_the_card_refuses_a_server_that_is_not_what_it_says(lpa: Lpa, servers: Servers, kind: str, code: int) -> None:
    servers.faults.add(Fault(kind, "initiateAuthentication"))
    with pytest.raises(Refused, match=r"^8.1/4.2$"):
        lpa.authenticate(HOST, GOOD)


def test_the_card_refuses_a_server_whose_second_signature_is_wrong(lpa: Lpa) -> None:
    known = lpa.authenticate(HOST, "WRONG-SIGNATURE")
    with pytest.raises(Refused, match=r"^8.1/4.2$"):
        lpa.fetch(HOST, known)


@pytest.mark.parametrize("reason", [0, 1, 5])
def test_a_cancelled_session_is_over_and_what_becomes_of_the_order_is_by_the_reason(
    lpa: Lpa, servers: Servers, reason: int
) -> None:
    servers.orders.add(Order(scene.offered(502), "ONCE"))
    known = lpa.authenticate(HOST, "ONCE")
    assert "transactionId" not in lpa.cancel(HOST, known["transactionId"], reason)
    with pytest.raises(Refused, match=r"^8.10.1/3.9$"):
        lpa.fetch(HOST, known)
    assert order(servers, "ONCE").state == ("error" if reason == 0 else "released")
    assert order(servers, "ONCE").told == [f"cancelled_{reason}"]


def test_a_result_is_proven_though_the_session_was_cancelled(lpa: Lpa, servers: Servers) -> None:
    known = lpa.authenticate(HOST, "WRONG-MAC")
    lpa.load(lpa.fetch(HOST, known))
    lpa.cancel(HOST, known["transactionId"], 5)
    lpa.tell(HOST)
    assert servers.smdp.told[-1].is_proven


def test_a_profile_that_must_stay_enabled_is_not_taken_beside_others(lpa: Lpa) -> None:
    failed = result(lpa.install("ALONE"))
    assert failed == (2, 15)
    assert result(lpa.install("LOCKED")) is None


def test_a_reusable_order_is_there_again_when_the_user_does_not_want_it(lpa: Lpa, servers: Servers) -> None:
    known = lpa.authenticate(HOST, GOOD)
    lpa.cancel(HOST, known["transactionId"], 0)
    assert result(lpa.install(GOOD)) is None


def test_a_card_of_somebody_elses_root_is_refused(servers: Servers) -> None:
    stranger = VirtualEuicc(credentials.make(pki.make_ci("Somebody's CI")))
    with pytest.raises(Refused, match=r"^8.8.2/3.1$"):
        Lpa(stranger, servers).authenticate(HOST, GOOD)


def test_a_card_that_trusts_the_server_but_is_under_another_root_is_refused(servers: Servers) -> None:
    eum = pki.make_eum(pki.make_ci("Somebody's CI"))
    with pytest.raises(Refused, match=r"^8.8.4/3.7$"):
        Lpa(VirtualEuicc(credentials.make(CI, eum=eum)), servers).authenticate(HOST, GOOD)


ENDED = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
CARD = pki.make_euicc(EUM, credentials.DEFAULT_EID)
FORGED_CI = pki.make_ci()
FORGED_EUM = pki.make_eum(FORGED_CI)


@pytest.mark.parametrize(
    ("euicc", "eum", "refusal"),
    [
        (CARD.der, pki.make_eum(pki.make_ci("Somebody's CI")).der, "8.11.1/3.9"),
        (CARD.der, FORGED_EUM.der, "8.1.2/6.1"),
        (CARD.der, pki.make_server(CI, "dp_tls", "x", "2.999.1").der, "8.1.2/6.1"),
        (CARD.der, pki.make_server(CI, "dp_tls", "x", "2.999.1", until=ENDED).der, "8.1.2/6.3"),
        (CARD.der, b"0", "8.1.2/6.1"),
        (pki.make_euicc(FORGED_EUM, credentials.DEFAULT_EID).der, EUM.der, "8.1.3/6.1"),
        (EUM.der, EUM.der, "8.1.3/6.1"),
        (pki.make_euicc(EUM, "1234").der, EUM.der, "8.1.3/6.1"),
        (b"", EUM.der, "8.1.3/6.1"),
    ],
)
def test_certificates_that_are_wrong_are_told_apart(euicc: bytes, eum: bytes, refusal: str) -> None:
    with pytest.raises(Refusal) as refused:
        checked_card(euicc, eum, [CI.certificate])
    assert f"{refused.value.subject}/{refused.value.reason}" == refusal


def test_a_card_whose_signature_is_wrong_is_refused(lpa: Lpa, card: VirtualEuicc) -> None:
    card.faults.wrong_signature = "authenticate"
    with pytest.raises(Refused, match=r"^8.1/6.1$"):
        lpa.authenticate(HOST, GOOD)


def test_a_card_beyond_its_makers_eids_is_refused(servers: Servers) -> None:
    made = credentials.make(CI, pki.make_eid(3, "89049099"), EUM)
    with pytest.raises(Refused, match=r"^8.1.4/6.1$"):
        Lpa(VirtualEuicc(made), servers).authenticate(HOST, GOOD)


def test_another_address_than_its_own_is_refused(lpa: Lpa, servers: Servers) -> None:
    info, challenge = "vyA1ggMCAgKpAKoA", "AAAAAAAAAAAAAAAAAAAAAA=="
    with pytest.raises(Refused):
        lpa.call("initiateAuthentication", HOST, smdpAddress="x.example.com", euiccChallenge=challenge, euiccInfo1=info)


@pytest.mark.parametrize(
    ("step", "body", "answered"),
    [
        ("initiateAuthentication", b"", 400),
        ("initiateAuthentication", b"[1]", 400),
        ("initiateAuthentication", b"{" * 100_000, 400),
        ("initiateAuthentication", b"{}", "1.2.1/2.2"),
        ("initiateAuthentication", b'{"smdpAddress": 1}', "1.2.1/2.2"),
        ("authenticateClient", b'{"transactionId": "00"}', "8.10.1/3.9"),
        ("authenticateClient", b'{"transactionId": "zz"}', "8.10.1/3.9"),
        ("handleNotification", b'{"pendingNotification": "MAA="}', "1.2.1/2.1"),
        ("handleNotification", b'{"pendingNotification": "/////w=="}', "1.2.1/2.1"),
        ("handleNotification", b'{"pendingNotification": "%"}', "1.2.1/2.1"),
        ("noSuchFunction", b"{}", 404),
    ],
)
def test_requests_that_are_none_get_an_answer(servers: Servers, step: str, body: bytes, answered: str | int) -> None:
    status, _headers, text = post(servers, HOST, ES9 + step, body)
    if isinstance(answered, int):
        assert status == answered
        return
    data = json.loads(text)["header"]["functionExecutionStatus"]["statusCodeData"]
    assert (status, f"{data['subjectCode']}/{data['reasonCode']}") == (200, answered)


def test_answers_are_as_the_standard_has_them(lpa: Lpa, servers: Servers) -> None:
    body = json.dumps({"transactionId": "00"}).encode()
    status, headers, _text = post(servers, HOST, ES9 + "authenticateClient", body)
    assert (status, headers["Content-Type"]) == (200, "application/json;charset=UTF-8")
    assert headers["X-Admin-Protocol"].startswith("gsma/rsp/v2.")
    known = lpa.authenticate(HOST, GOOD)
    assert known["transactionId"] == known["transactionId"].upper() and len(known["transactionId"]) == 32
    assert known["header"] == {"functionExecutionStatus": {"status": "Executed-Success"}}


# Faults of the way


WAYS = {
    "cut": BROKEN,
    "half": BROKEN,
    "http_500": AssertionError,
    "html": ValueError,
    "wrong_json": TypeError,
    "no_json": ValueError,
    "redirect": AssertionError,
}


@pytest.mark.parametrize("step", STEPS[:3])
@pytest.mark.parametrize("kind", WAYS)
def test_the_way_can_go_wrong_at_every_step(lpa: Lpa, servers: Servers, kind: str, step: str) -> None:
    fault = Fault(kind, step)
    servers.faults.add(fault)
    with pytest.raises(WAYS[kind]):
        lpa.install(GOOD)
    servers.faults.remove(fault)
    assert result(lpa.install(GOOD)) is None


@pytest.mark.parametrize("kind", ["cut", "http_500"])
def test_a_session_can_be_cancelled_and_told_of_in_vain(lpa: Lpa, servers: Servers, kind: str) -> None:
    known = lpa.authenticate(HOST, GOOD)
    servers.faults.add(Fault(kind, "cancelSession", times=1))
    with pytest.raises((*BROKEN, AssertionError)):
        lpa.cancel(HOST, known["transactionId"], 1)


def test_nothing_where_an_answer_is_due(lpa: Lpa, servers: Servers) -> None:
    servers.faults.add(Fault("empty", "authenticateClient"))
    assert lpa.authenticate(HOST, GOOD) == {}


def test_a_late_answer_is_an_answer(lpa: Lpa, servers: Servers) -> None:
    servers.faults.add(Fault("slow", "authenticateClient", 0.2))
    began = time.monotonic()
    assert lpa.authenticate(HOST, GOOD)["transactionId"]
    assert time.monotonic() - began >= 0.2


def test_base64_in_lines_is_still_base64(lpa: Lpa, servers: Servers) -> None:
    servers.faults.add(Fault("line_breaks"))
    assert "\r\n" in lpa.authenticate(HOST, GOOD)["profileMetadata"]
    assert result(lpa.install(GOOD)) is None


def test_notifications_are_refused_twice_and_then_taken(lpa: Lpa, servers: Servers) -> None:
    lpa.install("TOLD-LATE")
    for _ in range(2):
        with pytest.raises(AssertionError):
            lpa.tell(HOST)
        assert not servers.smdp.told
    lpa.tell(HOST)
    assert order(servers, "TOLD-LATE").state == "installed"


def test_a_silent_server_ends_at_once_when_it_is_stopped(servers: Servers) -> None:
    servers.faults.add(Fault("silent"))
    connection = ssl.create_default_context(cadata=CI.der)
    began = time.monotonic()
    threading.Timer(0.1, servers.stop).start()
    with pytest.raises(BROKEN):
        post(servers, HOST, ES9 + "authenticateClient", b"{}", connection)
    assert time.monotonic() - began < 5


def test_a_server_that_was_stopped_is_at_the_same_place_again(lpa: Lpa, servers: Servers) -> None:
    place = dict(servers.hosts)
    servers.stop()
    with pytest.raises(OSError):
        lpa.authenticate(HOST, GOOD)
    assert servers.start() == place
    assert result(lpa.install(GOOD)) is None


@pytest.mark.parametrize("host", scene.FAULTY_HOSTS)
def test_a_host_can_be_wrong_at_the_first_step(lpa: Lpa, host: str) -> None:
    with pytest.raises((*BROKEN, AssertionError, TypeError, KeyError, Refused)):
        lpa.authenticate(host, GOOD)


# TLS


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("wronghost.example.com", "Hostname mismatch"),
        ("untrusted.example.com", "unable to get local issuer certificate"),
        ("expired.example.com", "certificate has expired"),
    ],
)
def test_bad_certificates_are_bad_to_openssl(servers: Servers, host: str, words: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=words):
        call(servers, host, ES9 + "authenticateClient", {})


@pytest.mark.parametrize("flaw", ["wrong_host", "untrusted", "expired"])
def test_a_server_can_show_a_bad_certificate_for_a_while(lpa: Lpa, servers: Servers, flaw: str) -> None:
    servers.use_certificate(flaw)
    with pytest.raises(ssl.SSLCertVerificationError):
        lpa.authenticate(HOST, GOOD)
    servers.use_certificate("right")
    assert result(lpa.install(GOOD)) is None


def test_the_good_certificates_are_good_even_strictly(servers: Servers) -> None:
    context = context_of(servers)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for host in (HOST, scene.SMDS_HOST):
        assert post(servers, host, ES9 + "authenticateClient", b"{}", context)[0] == 200


def test_openssl_verifies_every_chain(tmp_path: Path) -> None:
    chain = credentials.make(CI, eum=EUM)
    server = pki.make_smdp(CI, HOST)
    assert server.binding is not None
    leaves = {"tls": server.tls, "auth": server.auth, "pb": server.binding, "eum": EUM, "euicc": chain.euicc, "ci": CI}
    for name, identity in leaves.items():
        (tmp_path / f"{name}.pem").write_bytes(identity.certificate.public_bytes(Encoding.PEM))
    for name in leaves:
        command = ["openssl", "verify", "-x509_strict", "-CAfile", str(tmp_path / "ci.pem")]
        command += ["-untrusted", str(tmp_path / "eum.pem"), str(tmp_path / f"{name}.pem")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        if name == "euicc":
            # The EUM's constraint names the beginning of an EID, which is no constraint of RFC 5280: all else is right.
            assert re.findall(r"error \d+", done.stderr) == ["error 47"], done.stderr
        else:
            assert done.returncode == 0, done.stderr


# Discovery


def discover(lpa: Lpa) -> list[dict[str, str]]:
    return list(lpa.authenticate(scene.SMDS_HOST)["eventEntries"])


def test_the_discovery_server_tells_of_the_good_profile_as_long_as_it_waits(lpa: Lpa) -> None:
    assert discover(lpa) == [{"eventId": GOOD, "rspServerAddress": HOST}]
    lpa.install(discover(lpa)[0]["eventId"])
    assert discover(lpa) == []


def test_the_discovery_server_has_nothing_or_many_events(lpa: Lpa, servers: Servers, card: VirtualEuicc) -> None:
    servers.events += [Event(card.eid, "E-1", "a.example.com"), Event(scene.OTHER_EID, "E-2", "b.example.com")]
    assert [entry["eventId"] for entry in discover(lpa)] == ["E-1", GOOD]
    servers.smds.is_empty = True
    assert discover(lpa) == []
    servers.smds.refuses = True
    with pytest.raises(Refused, match=r"^8.9.5/3.9$"):
        discover(lpa)


# Packages


def test_the_vector_of_a_known_secret() -> None:
    """Seen between osmo-smdpp and lpac, with the secret and the names of facts."""
    keys = bpp.Protection.agreed(bytes(range(32)), b"host", "89049032123451234512345678901235")
    assert keys.chain.hex() == "dd44b41c98e31c9d5e3c1f58b0978e87"
    assert keys.encryption_key.hex() == "ff983bf993a22bd69d310530a705f3a5"
    assert keys.mac_key.hex() == "5ba719138905c2ae5e711bc62a14e656"
    assert keys.encrypted(0x87, bytes.fromhex("BF2400")).hex() == "87187244cd90503c18db6901217c13b45c8121c1dc017919a755"
    assert keys.signed(0x88, bytes.fromhex("BF2503800101")).hex() == "880ebf2503800101dc8b1b30d4ff77f0"
    sealed = keys.encrypted(0x86, b"hello").hex()
    assert sealed == "8618d81ef29c7d311655a93d2db1822139e193e058c54de153d7"


def test_pieces_of_a_package_are_as_long_as_a_card_takes(lpa: Lpa) -> None:
    package = lpa.fetch(HOST, lpa.authenticate(HOST, GOOD))
    pieces = [piece for piece in segments(package) if piece[0] == 0x86]
    assert {len(piece) for piece in pieces[:-1]} == {1020}
    assert b"".join(segments(package)) == package


def test_long_metadata_comes_in_several_pieces(lpa: Lpa, servers: Servers, card: VirtualEuicc) -> None:
    icon = bytes(1024)
    offer = Offer("8900101999000005039", "001019990000503", "N" * 64, "P" * 32, icon=icon)
    servers.orders.add(Order(offer, "BIG-ICON"))
    assert result(lpa.install("BIG-ICON")) is None
    assert card.profiles[-1].icon == icon


def test_codes_to_scan_are_all_different_and_well_formed() -> None:
    codes = scene.codes()
    texts = [code.activation_code for code in codes]
    assert len(set(texts)) == len(texts) and len({code.label for code in codes}) == len(codes)
    numbers = [code.order.offer.iccid for code in codes if code.order is not None]
    assert len(set(numbers)) == len(numbers) and {len(number) for number in numbers} == {19}
    assert texts[0] == f"LPA:1${HOST}${GOOD}" and texts[1].endswith("EXAMPLE-MOBILE-1234$$1")
    assert "DUPLICATE" in {code.matching_id for code in codes}


def test_every_fault_has_words() -> None:
    assert {fault.kind for fault in scene.FAULTY_HOSTS.values()} <= set(KINDS)
    assert {code.order.fault.kind for code in scene.codes() if code.order and code.order.fault} <= set(KINDS)


def test_a_code_is_kept_as_its_hash_only() -> None:
    orders = Orders([Order(scene.offered(1), "A", code_hash=hash_of("1234"))])
    assert "1234" not in repr(orders.all()[0].code_hash)


# Whatever comes


def signed_notification() -> bytes:
    """That a profile was enabled."""
    made = credentials.make(CI, eum=EUM)
    metadata = tlv.encode(
        0xBF2F,
        tlv.encode(0x80, b"\x05"),
        tlv.encode(0x81, b"\x06\x40"),
        tlv.encode(0x0C, HOST.encode()),
        tlv.encode(0x5A, bpp.swapped("8900101999000000012", 20)),
    )
    signature = tlv.encode(0x5F37, made.euicc.sign(metadata))
    return tlv.encode(0x30, metadata, signature, made.euicc.der, EUM.der)


class Recorder:
    """What an LPA sends at each step, as it went over the wire."""

    def __init__(self, servers: Servers, lpa: Lpa) -> None:
        self.servers = servers
        self.sent = {
            "authenticateClient": authentication(Lpa(VirtualEuicc(credentials.make(CI, eum=EUM)), servers)),
            "handleNotification": ({"pendingNotification": b64(signed_notification())}, "pendingNotification"),
        }
        known = lpa.authenticate(HOST, GOOD)
        self.transaction = known["transactionId"]
        self.sent["getBoundProfilePackage"] = (
            {"transactionId": self.transaction, "prepareDownloadResponse": lpa.prepare(known)},
            "prepareDownloadResponse",
        )
        request = tlv.encode(0xBF41, tlv.encode(0x80, bytes.fromhex(self.transaction)) + tlv.encode(0x81, b"\x01"))
        self.sent["cancelSession"] = (
            {"transactionId": self.transaction, "cancelSessionResponse": b64(lpa.ask(request))},
            "cancelSessionResponse",
        )


@pytest.fixture(scope="module")
def recorded() -> Iterator[Recorder]:
    made = Servers(CI, scene.orders(scene.codes()))
    made.start()
    yield Recorder(made, Lpa(VirtualEuicc(credentials.make(CI, eum=EUM)), made))
    made.stop()


def asked_directly(servers: Servers, step: str, message: dict[str, str]) -> str:
    """The outcome: ``success``, or the codes of a refusal. Anything else fails the test."""
    try:
        servers.smdp.answer(step, message)
    except Refusal as refusal:
        return f"{refusal.subject}/{refusal.reason}"
    return "success"


@given(position=st.integers(0, 4000), value=st.integers(0, 255), step=st.sampled_from(STEPS[1:]))
@settings(max_examples=200)
def test_one_wrong_octet_is_refused_and_breaks_nothing(
    recorded: Recorder, position: int, value: int, step: str
) -> None:
    servers = recorded.servers
    message, key = recorded.sent[step]
    data = bytearray(octets(message[key]))
    at = position % len(data)
    changed = data[at] != value
    data[at] = value
    outcome = asked_directly(servers, step, {**message, key: b64(bytes(data))})
    if changed and step != "handleNotification":
        assert outcome != "success"


def authentication(lpa: Lpa) -> tuple[dict[str, str], str]:
    """What an LPA sends to authenticateClient."""
    sent: dict[str, str] = {}
    send = lpa.call

    def caught(step: str, host: str, **message: str) -> dict[str, str]:
        if step == "authenticateClient":
            sent.update(message)
            raise Caught
        return send(step, host, **message)

    lpa.call = caught  # type: ignore[method-assign]
    with contextlib.suppress(Caught):
        lpa.authenticate(HOST, GOOD)
    return sent, "authenticateServerResponse"


class Caught(Exception):
    """Enough was seen."""


@given(data=st.binary(max_size=300), step=st.sampled_from(STEPS))
@settings(max_examples=200)
def test_any_octets_are_refused(recorded: Recorder, data: bytes, step: str) -> None:
    keys = ("euiccChallenge", "euiccInfo1", "authenticateServerResponse", "prepareDownloadResponse")
    text = b64(data)
    message = dict.fromkeys((*keys, "cancelSessionResponse", "pendingNotification"), text)
    message |= {"smdpAddress": HOST, "transactionId": recorded.transaction}
    assert asked_directly(recorded.servers, step, message) != "success"


def test_a_server_that_was_away_is_at_its_place_again_also_after_it_ended_connections() -> None:
    context = context_of_server(certificate_of(pki.make_ci(), "dp_tls", "a.example.com", "2.999.10"))
    server = HttpsServer({"a.example.com": context}, lambda request: Reply(200, b"{}"))
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    try:
        place = server.start()
        connection = http.client.HTTPSConnection(place, context=client, timeout=5)
        connection.request("POST", "/", b"{}", {"Connection": "close"})
        answer = connection.getresponse()
        while answer.read():
            pass
        server.stop()  # it has ended the connection first, so that its place stays taken for a while
        connection.close()
        assert server.start() == place
    finally:
        server.stop()
