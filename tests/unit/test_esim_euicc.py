"""ES10 as methods: the bytes that go to a card, what is made of its answers, and a whole card."""

from __future__ import annotations

from pathlib import Path

import pytest
from euicc_bench import CI, NEW_ICCID, Bench, profile, segments
from remsim.core import tlv
from remsim.core.errors import InvalidInput, RemsimError
from remsim.esim.apdu import Isdr
from remsim.esim.errors import EsimError, StatusWord
from remsim.esim.es10.profiles import Profile
from remsim.esim.euicc import SLOW_S, Euicc
from remsim.esim.refusals import MEANINGS
from remsim.simulator.euicc.card import ISDR_AID, VirtualEuicc
from remsim.simulator.euicc.card_faults import CardFaults
from remsim.simulator.euicc.credentials import make
from remsim.simulator.euicc.profiles import CardProfile

BETA = Profile(
    iccid="89440000000000000000",
    iccid_raw=bytes.fromhex("98440000000000000000"),
    aid=bytes.fromhex("A0000005591010FFFFFFFF8900001100"),
)


class Recorded:
    """A card that answers with what was recorded; ``sent`` are the requests."""

    number = 1

    def __init__(self, *answers: str) -> None:
        self.answers = [bytes.fromhex(answer.replace(" ", "")) for answer in answers]
        self.sent: list[str] = []
        self.timeouts: list[float] = []

    def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
        self.sent.append(apdu.hex().upper())
        self.timeouts.append(timeout_s)
        return self.answers.pop(0)

    def close(self) -> None:
        self.sent.append("closed")


class Direct:
    """A virtual card's channel."""

    def __init__(self, card: VirtualEuicc) -> None:
        self.number: int | None = card.open(ISDR_AID)
        self._card = card

    def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
        return self._card.transmit(apdu)

    def close(self) -> None:
        self._card.close(self.number or 0)


def over(*answers: str) -> tuple[Euicc, Recorded]:
    channel = Recorded(*answers)
    return Euicc(Isdr(channel)), channel


def card(*profiles: CardProfile, **faults: object) -> tuple[VirtualEuicc, Euicc]:
    made = VirtualEuicc(make(CI), profiles, faults=CardFaults(**faults))  # type: ignore[arg-type]
    return made, Euicc(Isdr(Direct(made)))


def test_the_eid() -> None:
    euicc, channel = over("6115", "BF3E12 5A10 89049032123451234512345678901235 9000")
    assert euicc.eid() == "89049032123451234512345678901235"
    assert channel.sent == ["81E2910006BF3E035C015A", "81C0000015"]


def test_addresses_without_a_default_one() -> None:
    euicc, channel = over("BF3C1A 8118 74657374726F6F74736D64732E6578616D706C652E636F6D 9000")
    found = euicc.addresses()
    assert (found.default_smdp, found.root_smds) == (None, "testrootsmds.example.com")
    assert channel.sent == ["81E2910003BF3C00"]


@pytest.mark.parametrize(
    ("do", "answer", "sent"),
    [
        (
            lambda one: one.set_nickname(BETA, "Nick é"),
            "BF2903800100",
            "BF29155A0A98440000000000000000 9007 4E69636B20C3A9",
        ),
        (lambda one: one.enable(BETA, refresh=False), "BF3103800100", "BF3111A00C5A0A98440000000000000000810100"),
        (lambda one: one.disable(BETA), "BF3203800100", "BF3211A00C5A0A984400000000000000008101FF"),
        (lambda one: one.delete(BETA), "BF3303800100", "BF330C5A0A98440000000000000000"),
        (lambda one: one.set_default_address(""), "BF3F03800100", "BF3F028000"),
        (lambda one: one.remove_notification(1), "BF3003800100", "BF3003800101"),
        (lambda one: one.reset_memory(operational=True, test=True, smdp=True), "BF3403800100", "BF3404820205E0"),
    ],
)
def test_changes_send_the_bytes_that_cards_were_seen_to_take(do: object, answer: str, sent: str) -> None:
    euicc, channel = over(f"{answer}9000")
    assert do(euicc) in (None, True)  # type: ignore[operator]
    assert channel.sent[0][10:] == sent.replace(" ", "")
    assert channel.timeouts == [SLOW_S]


def test_a_profile_that_the_card_does_not_know_by_its_number_is_named_by_its_application() -> None:
    euicc, channel = over("BF3103800101 9000", "BF3103800100 9000")
    euicc.enable(BETA, refresh=False)
    by_aid = "81E291001ABF3117A0124F10A0000005591010FFFFFFFF8900001100810100"
    assert channel.sent == ["81E2910014BF3111A00C5A0A98440000000000000000810100", by_aid]


def test_a_profile_that_is_not_there_is_not_found() -> None:
    euicc, _ = over("BF3103800101 9000", "BF3103800101 9000")
    with pytest.raises(EsimError, match="iccidOrAidNotFound") as caught:
        euicc.enable(BETA)
    assert caught.value.code == "profile_not_found"
    with pytest.raises(EsimError) as caught:
        over()[0].delete(Profile())
    assert caught.value.code == "profile_not_found"


@pytest.mark.parametrize(
    ("function", "tag", "number", "code"),
    [
        ("enable", "BF31", 2, "profile_not_disabled"),
        ("enable", "BF31", 3, "profile_policy"),
        ("enable", "BF31", 4, "profile_reenabling"),
        ("enable", "BF31", 5, "profile_busy"),
        ("enable", "BF31", 127, "profile_refused"),
        ("enable", "BF31", 99, "profile_refused"),
        ("disable", "BF32", 2, "profile_not_enabled"),
        ("disable", "BF32", 3, "profile_policy"),
        ("disable", "BF32", 5, "profile_busy"),
        ("delete", "BF33", 2, "profile_not_disabled"),
        ("delete", "BF33", 3, "profile_policy"),
        ("delete", "BF33", 127, "profile_refused"),
    ],
)
def test_each_refusal_has_its_code_its_sentence_and_the_cards_own_word(
    function: str, tag: str, number: int, code: str
) -> None:
    euicc, _ = over(f"{tag}038001{number:02X}9000")
    with pytest.raises(EsimError) as caught:
        getattr(euicc, function)(BETA)
    assert caught.value.code == code
    assert caught.value.message.startswith(MEANINGS[code][0])
    assert f"({number})" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("answer", ["", "BF31", "BF3100", "BF3203800100", "BF3103800100FF", "BF3180", "3003800100"])
def test_an_answer_that_makes_no_sense_is_an_error_of_ours(answer: str) -> None:
    euicc, _ = over(f"{answer}9000")
    with pytest.raises(EsimError) as caught:
        euicc.enable(BETA)
    assert caught.value.code == "euicc_reply"


def test_what_was_not_there_is_no_error_where_it_is_only_to_be_gone() -> None:
    assert over("BF3003800101 9000")[0].remove_notification(7) is False
    assert over("BF3403800101 9000")[0].reset_memory(operational=True) is False
    assert over("BF2B03810101 9000")[0].retrieve(7) is None
    with pytest.raises(EsimError):
        over("BF300380017F 9000")[0].remove_notification(7)


def test_a_card_that_does_not_know_all_tags_is_asked_without_them() -> None:
    profiles = "BF2D10A00EE30C5A0A989209012143658709F5"
    euicc, channel = over("BF2D03810101 9000", f"{profiles}9000")
    assert [one.iccid for one in euicc.profiles()] == ["8929901012345678905"]
    assert channel.sent[1] == "81E2910003BF2D00"
    with pytest.raises(EsimError):
        over("BF2D0381017F 9000")[0].profiles()


def test_what_only_some_cards_know_is_none_elsewhere() -> None:
    euicc, _ = over("6A88", "BF5600 9000", "6D00")
    assert euicc.certs() is None
    assert euicc.certs() == bytes.fromhex("BF5600")
    assert euicc.eim_configuration() is None


def test_a_nickname_that_is_too_long_is_not_sent() -> None:
    euicc, channel = over()
    with pytest.raises(InvalidInput, match="64"):
        euicc.set_nickname(BETA, "é" * 33)
    assert channel.sent == []


def test_the_channel_is_let_go_at_the_end() -> None:
    euicc, channel = over("6A80")
    with pytest.raises(StatusWord), euicc:
        euicc.eid()
    assert channel.sent[-1] == "closed"


def test_a_whole_card_is_listed_switched_named_and_emptied() -> None:
    made, euicc = card(profile(1, is_enabled=True), profile(2))
    assert euicc.eid() == made.eid
    assert euicc.info2().free_bytes
    assert euicc.info1()[:2] == b"\xbf\x20"
    first, second = euicc.profiles()
    assert (first.state, second.state, first.policy) == ("enabled", "disabled", frozenset())
    euicc.enable(second, refresh=False)
    euicc.set_nickname(first, "Ferien é")
    assert [(one.state, one.nickname) for one in euicc.profiles(icons=False)] == [
        ("disabled", "Ferien é"),
        ("enabled", None),
    ]
    with pytest.raises(EsimError) as refused:
        euicc.delete(second)
    assert refused.value.code == "profile_not_disabled"
    euicc.delete(first)
    waiting = euicc.notifications()
    assert [one.operation for one in waiting] == ["disable", "enable", "delete"]
    assert euicc.notifications("delete") == [waiting[2]]
    raw = euicc.retrieve(waiting[0].seq)
    assert raw is not None
    assert raw[0] == 0x30
    assert euicc.retrieve_all() == [euicc.retrieve(one.seq) for one in waiting]
    assert euicc.retrieve(999) is None
    for one in waiting:
        assert euicc.remove_notification(one.seq)
    assert euicc.notifications() == []
    assert euicc.remove_notification(waiting[0].seq) is False
    euicc.set_default_address("smdp.example.com")
    assert euicc.addresses().default_smdp == "smdp.example.com"
    assert len(euicc.challenge()) == 16
    assert euicc.rat()[:2] == b"\xbf\x43"
    assert euicc.reset_memory(operational=True)
    assert euicc.profiles() == []


def test_an_18_digit_number_is_sent_back_as_it_came() -> None:
    _, euicc = card(profile(1), CardProfile("897001234567890123", "P", "N"))
    one = euicc.profiles()[1]
    assert one.iccid == "897001234567890123"
    euicc.enable(one, refresh=False)
    assert euicc.profiles()[1].state == "enabled"


@pytest.mark.parametrize("faults", [{"cat_busy": 1}, {"refuses_refresh": True}])
def test_moods_of_a_card_are_told_apart(faults: dict[str, object]) -> None:
    _, euicc = card(profile(1, is_enabled=True), profile(2), **faults)
    with pytest.raises(EsimError) as refused:
        euicc.enable(euicc.profiles()[1], refresh=True)
    assert refused.value.code == ("profile_busy" if "cat_busy" in faults else "profile_refused")
    euicc.enable(euicc.profiles()[1], refresh=False)


def prepared(**faults: object) -> tuple[Euicc, list[bytes]]:
    """A card in a session, and the segments of its package; the session's messages go their own way."""
    bench = Bench()
    bench.ready()
    pieces = segments(bench.package())
    bench.card.faults.set(**faults)

    class Same(Direct):
        def __init__(self) -> None:
            self.number = bench.channel
            self._card = bench.card

    return Euicc(Isdr(Same())), pieces


def test_a_package_is_loaded_and_told_of_by_octets() -> None:
    euicc, pieces = prepared()
    told: list[int] = []
    result = euicc.load(pieces, on_progress=told.append)
    assert (result.ok, result.iccid) == (True, NEW_ICCID)
    assert told == sorted(told)
    assert told[-1] == sum(map(len, pieces))
    assert {one.operation for one in euicc.notifications()} == {"install"}


def test_a_load_ends_where_the_card_ends_it() -> None:
    euicc, pieces = prepared(mac_failure=4)
    told: list[int] = []
    result = euicc.load(pieces, on_progress=told.append)
    assert (result.ok, result.reason) == (False, 8)
    assert told[-1] < sum(map(len, pieces))


def test_a_load_that_the_card_breaks_off_says_with_which_word() -> None:
    euicc, pieces = prepared(status_at=(3, 0x6F00))
    with pytest.raises(StatusWord, match="6F00"):
        euicc.load(pieces)


def test_a_load_without_a_result_is_no_success() -> None:
    euicc, _ = over("9000", "9000")
    with pytest.raises(EsimError) as caught:
        euicc.load([b"\xa3\x82\x01\x00", b"\x86\x01\x00"])
    assert caught.value.code == "load_failed"


def test_whatever_goes_wrong_is_of_our_tree() -> None:
    for answer in ("", "90", "BF3E12 5A10 89 9000", "BF2D80 9000", "6181"):
        euicc, _ = over(answer, "9000")
        with pytest.raises(RemsimError):
            euicc.eid()
    assert tlv.read_one(bytes.fromhex("BF5600")).value == b""


def test_nothing_of_a_card_is_loaded_with_the_service() -> None:
    source = (Path(__file__).parents[2] / "backend/remsim/esim/desk.py").read_text()
    top = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
    assert not any("euicc" in line or "apdu" in line or "pcsc" in line for line in top)
