"""Requests to an eUICC as blocks of STORE DATA, and what a card may answer to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.errors import AtTimeout, InvalidInput, ModemGone, NoApplication, NoCard, WayFails
from remsim.esim.apdu import (
    ISDR_AIDS,
    LOAD_TIMEOUT_S,
    MEANINGS,
    MOST_BLOCKS,
    TIMEOUT_S,
    Isdr,
    blocks,
    class_octet,
    open_isdr,
    refused,
)
from remsim.esim.errors import EsimError, StatusWord

EID = "BF3E125A1089049032123451234512345678901235"


class Scripted:
    """A channel whose card answers from a list, one a command; what was sent is kept."""

    def __init__(self, *answers: str, number: int | None = 1, error: Exception | None = None) -> None:
        self.number, self.error = number, error
        self.answers = [bytes.fromhex(answer) for answer in answers]
        self.sent: list[str] = []
        self.timeouts: list[float] = []
        self.closed = 0

    @property
    def is_closed(self) -> bool:
        return self.closed > 0

    def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
        self.sent.append(apdu.hex().upper())
        self.timeouts.append(timeout_s)
        if self.error is not None:
            raise self.error
        return self.answers.pop(0)

    def close(self) -> None:
        self.closed += 1


class Card:
    """A card that puts blocks together and answers with what a request brings, in pieces of at most 256 octets."""

    def __init__(self, answer: Callable[[bytes], bytes], *, directly: bool = False, number: int | None = 1) -> None:
        self.number = number
        self.requests: list[bytes] = []
        self.commands: list[bytes] = []
        self._answer = answer
        self._directly = directly
        self._request, self._rest = b"", b""

    def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
        self.commands.append(apdu)
        if apdu[1] == 0xC0:
            wanted = apdu[4] or 256
            piece, self._rest = self._rest[:wanted], self._rest[wanted:]
            return piece + self._status()
        assert apdu[0] & 0xFC == 0x80
        assert apdu[3] == len(self._request) // max(self._size(apdu), 1)
        assert apdu[4] == len(apdu) - 5
        self._request += apdu[5:]
        if apdu[2] == 0x11:
            return b"\x90\x00"
        self.requests.append(self._request)
        self._rest, self._request = self._answer(self._request), b""
        if self._directly and len(self._rest) <= 256:
            data, self._rest = self._rest, b""
            return data + b"\x90\x00"
        return self._status()

    def _size(self, apdu: bytes) -> int:
        self._block = apdu[4] if not self._request else self._block
        return self._block

    def _status(self) -> bytes:
        left = len(self._rest)
        return bytes((0x61, left if left < 256 else 0)) if left else b"\x90\x00"

    def close(self) -> None:
        """Nothing to do."""


@pytest.mark.parametrize(
    ("request_hex", "sent"),
    [
        ("BF3E035C015A", ["81E2910006BF3E035C015A"]),
        ("BF3C00", ["81E2910003BF3C00"]),
        ("BF2E00", ["81E2910003BF2E00"]),
        ("BF2B05A003800101", ["81E2910008BF2B05A003800101"]),
        ("BF3003800101", ["81E2910006BF3003800101"]),
        ("BF3111A00C5A0A98440000000000000000810100", ["81E2910014BF3111A00C5A0A98440000000000000000810100"]),
        ("BF330C5A0A98440000000000000000", ["81E291000FBF330C5A0A98440000000000000000"]),
        ("A181AF", ["81E2910003A181AF"]),
    ],
)
def test_a_short_request_is_one_block(request_hex: str, sent: list[str]) -> None:
    assert [one.hex().upper() for one in blocks(bytes.fromhex(request_hex), channel=1)] == sent


def test_a_long_request_is_numbered_and_only_its_last_block_is_marked() -> None:
    found = list(blocks(bytes(793), channel=1))
    heads = [one[:5].hex().upper() for one in found]
    assert heads == ["81E2110078", "81E2110178", "81E2110278", "81E2110378", "81E2110478", "81E2110578", "81E2910649"]


@pytest.mark.parametrize("size", [6, 120, 255])
@pytest.mark.parametrize("times", [1, 2, 7])
def test_an_exact_multiple_has_no_empty_block_at_its_end(size: int, times: int) -> None:
    found = list(blocks(bytes(size * times), block_size=size))
    assert len(found) == times
    assert [one[2] for one in found] == [0x11] * (times - 1) + [0x91]
    assert all(one[4] == size for one in found)


@given(st.integers(0, 1500), st.sampled_from([6, 7, 30, 119, 120, 121, 254, 255]), st.integers(0, 19))
def test_blocks_are_the_request_again(length: int, size: int, channel: int) -> None:
    content = bytes(index * 7 & 0xFF for index in range(length))
    found = list(blocks(content, block_size=size, channel=channel))
    assert b"".join(one[5:] for one in found) == content
    assert [one[3] for one in found] == list(range(len(found)))
    assert len(found) == max(1, -(-length // size))
    assert {one[2] for one in found[:-1]} <= {0x11}
    assert found[-1][2] == 0x91
    assert all(one[4] == len(one) - 5 <= size for one in found)


@given(st.binary(min_size=1, max_size=1536), st.binary(max_size=3000), st.sampled_from([6, 120, 255]), st.booleans())
def test_whatever_is_asked_and_answered_comes_through_whole(
    request: bytes, answer: bytes, size: int, directly: bool
) -> None:
    card = Card(lambda asked: answer, directly=directly)
    assert Isdr(card, block_size=size).store_data(request) == answer
    assert card.requests == [request]
    fetches = 0 if directly and len(answer) <= 256 else -(-len(answer) // 256)
    assert len(card.commands) == -(-len(request) // size) + fetches


@pytest.mark.parametrize("size", [0, 5, 256])
def test_a_block_size_that_no_card_takes_is_refused(size: int) -> None:
    with pytest.raises(InvalidInput, match="6 to 255"):
        list(blocks(b"\xbf\x3c\x00", block_size=size))


def test_more_blocks_than_can_be_numbered_are_refused_before_anything_is_sent() -> None:
    assert len(list(blocks(bytes(6 * MOST_BLOCKS), block_size=6))) == 256
    card = Scripted()
    with pytest.raises(InvalidInput, match="larger blocks|256 blocks"):
        Isdr(card, block_size=6).store_data(bytes(6 * MOST_BLOCKS + 1))
    assert card.sent == []


@pytest.mark.parametrize(
    ("octet", "channel", "found"),
    [
        (0x80, None, 0x80),
        (0x80, 0, 0x80),
        (0x80, 1, 0x81),
        (0x81, 3, 0x83),
        (0x80, 4, 0xC0),
        (0x80, 19, 0xCF),
        (0x00, 2, 0x02),
        (0x00, 5, 0x41),
    ],
)
def test_the_channel_stands_in_the_class_octet(octet: int, channel: int | None, found: int) -> None:
    assert class_octet(octet, channel) == found


def test_there_is_no_channel_20() -> None:
    with pytest.raises(InvalidInput):
        class_octet(0x80, 20)


def test_an_answer_is_fetched_with_the_length_that_the_card_names() -> None:
    card = Scripted("6115", EID + "9000")
    assert Isdr(card).store_data(bytes.fromhex("BF3E035C015A")).hex().upper() == EID
    assert card.sent == ["81E2910006BF3E035C015A", "81C0000015"]


def test_a_modem_that_sets_the_channel_gets_the_bare_class() -> None:
    card = Scripted("6115", EID + "9000", number=None)
    Isdr(card).store_data(bytes.fromhex("BF3E035C015A"))
    assert card.sent == ["80E2910006BF3E035C015A", "80C0000015"]


def test_6100_is_256_octets_or_more() -> None:
    pieces = ["AA" * 256 + "6100"] * 5 + ["BB" * 193 + "9000"]
    card = Scripted("6100", *pieces[:4], "AA" * 256 + "61C1", pieces[5])
    assert len(Isdr(card).store_data(b"\xbf\x38\x00")) == 1473
    assert card.sent[1:] == ["81C0000000"] * 5 + ["81C00000C1"]


def test_data_that_comes_with_61xx_is_the_beginning_of_the_answer() -> None:
    assert Isdr(Scripted("AABB6102", "CCDD9000")).store_data(b"\xbf\x20\x00") == bytes.fromhex("AABBCCDD")


def test_6cxx_is_asked_again_with_the_length_that_the_card_wants() -> None:
    card = Scripted("6C03", "0102039000")
    assert Isdr(card).store_data(bytes.fromhex("BF2000")) == b"\1\2\3"
    assert card.sent == ["81E2910003BF2000", "81E2910003BF200003"]
    card = Scripted("6110", "6C04", "010203049000")
    assert Isdr(card).store_data(bytes.fromhex("BF2000")) == b"\1\2\3\4"
    assert card.sent[1:] == ["81C0000010", "81C0000004"]


def test_a_card_that_always_wants_another_length_is_not_asked_for_ever() -> None:
    with pytest.raises(StatusWord):
        Isdr(Scripted("6C03", "6C04")).store_data(b"\xbf\x20\x00")


@pytest.mark.parametrize("answer", ["9000", "910F"])
def test_no_answer_is_an_answer(answer: str) -> None:
    assert Isdr(Scripted(answer)).store_data(b"\xbf\x20\x00") == b""


@pytest.mark.parametrize("status", [*MEANINGS, 0x6999, 0x69FF, 0x1234, 0x0000, 0x6283])
def test_what_a_card_refuses_is_a_sentence_with_its_number(status: int) -> None:
    with pytest.raises(StatusWord) as caught:
        Isdr(Scripted(f"{status:04X}")).store_data(b"\xbf\x20\x00")
    assert (caught.value.status, caught.value.detail) == (status, f"{status:04X}")
    assert caught.value.message.startswith("the card refuses the command: ")
    assert f"({status:04X})" in caught.value.message


def test_nothing_more_is_sent_of_a_request_whose_block_was_refused() -> None:
    card = Scripted("9000", "6A80")
    with pytest.raises(StatusWord, match="6A80"):
        Isdr(card, block_size=6).store_data(bytes(18))
    assert len(card.sent) == 2


@pytest.mark.parametrize("answers", [["61FF", "6110"], ["61FF", "61FF"]])
def test_an_answer_that_does_not_go_on_is_given_up(answers: list[str]) -> None:
    with pytest.raises(EsimError, match="does not give the rest"):
        Isdr(Scripted(*answers)).store_data(b"\xbf\x20\x00")


@pytest.mark.parametrize("piece", [256, 1])
def test_an_answer_without_end_is_given_up_before_it_takes_hours(piece: int) -> None:
    class Endless(Scripted):
        def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
            return bytes(piece) + bytes((0x61, piece & 0xFF))

    isdr = Isdr(Endless())
    with pytest.raises(EsimError, match="does not end"):
        isdr.store_data(b"\xbf\x2d\x00")
    assert isdr.apdus_sent < 9000


@pytest.mark.parametrize("answer", ["", "90"])
def test_an_answer_without_a_status_is_an_error(answer: str) -> None:
    with pytest.raises(EsimError, match="status word"):
        Isdr(Scripted(answer)).store_data(b"\xbf\x20\x00")


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=8))
def test_whatever_a_card_answers_is_octets_or_an_error_of_ours(answers: list[bytes]) -> None:
    card = Scripted(*(answer.hex() for answer in [*answers, *[b"\x6f\x00"] * 1200]))
    try:
        assert isinstance(Isdr(card, block_size=6).store_data(bytes(40)), bytes)
    except EsimError:
        pass


def test_loading_waits_for_minutes_and_tells_of_each_block() -> None:
    card, told = Scripted("9000", "9000", "9000"), []
    Isdr(card).store_data(bytes(300), is_load=True, on_block=told.append)
    assert told == [120, 240, 300]
    assert set(card.timeouts) == {LOAD_TIMEOUT_S}
    card = Scripted("9000")
    Isdr(card).store_data(b"\xbf\x20\x00")
    assert card.timeouts == [TIMEOUT_S]


class Way:
    """A way whose card has some applications, or which fails."""

    def __init__(
        self,
        kind: str,
        *aids: bytes,
        error: Exception | None = None,
        lost: Exception | None = None,
        eid: str = EID + "9000",
        is_certain: bool = True,
    ) -> None:
        self._is_certain = is_certain
        self.kind = self.label = kind
        self.opened: list[Scripted] = []
        self.tried: list[bytes] = []
        self._aids = aids
        self._error, self._lost = error, lost
        self._eid = eid

    def open(self, aid: bytes) -> Scripted:
        self.tried.append(aid)
        if self._error is not None:
            raise self._error
        if aid not in self._aids:
            absent = NoApplication("no")
            absent.is_certain = self._is_certain
            raise absent
        self.opened.append(Scripted(self._eid, error=self._lost))
        return self.opened[-1]


def test_the_first_way_and_the_first_name_that_work_are_taken() -> None:
    fails, works, spare = Way("a", error=WayFails("no")), Way("b", ISDR_AIDS[1]), Way("c", ISDR_AIDS[0])
    isdr, way = open_isdr([fails, works, spare])
    assert (way, len(fails.tried), works.tried, spare.tried) == (works, 1, list(ISDR_AIDS[:2]), [])
    isdr.close()
    assert works.opened[0].is_closed


def test_a_name_from_the_settings_comes_first_and_no_name_twice() -> None:
    way = Way("a")
    with pytest.raises(NoApplication, match="no eSIM"):
        open_isdr([way], aids=(ISDR_AIDS[2], b"\xa0" * 6))
    assert way.tried == [ISDR_AIDS[2], b"\xa0" * 6, ISDR_AIDS[0], ISDR_AIDS[1], *ISDR_AIDS[3:]]


@pytest.mark.parametrize("error", [WayFails("no"), AtTimeout("AT+CSIM", 10), ModemGone("/dev/cdc-wdm1")])
def test_a_card_without_the_application_is_no_esim_whatever_other_ways_say(error: Exception) -> None:
    spare = Way("b", error=error)
    with pytest.raises(NoApplication) as caught:
        open_isdr([Way("a"), spare])
    assert "ISD-R" in (caught.value.hint or "")
    assert spare.tried == []  # the card itself has said so
    with pytest.raises(NoApplication):
        open_isdr([Way("a", is_certain=False), spare])
    assert spare.tried == [ISDR_AIDS[0]]


def test_a_modem_that_finds_no_application_may_have_another_way_to_it() -> None:
    _, way = open_isdr([Way("cgla", is_certain=False), Way("csim", ISDR_AIDS[0])])
    assert way.kind == "csim"


def test_where_no_way_can_be_gone_the_first_reason_is_told() -> None:
    for other in (AtTimeout("AT+CSIM", 10), ModemGone("/dev/cdc-wdm1")):
        with pytest.raises(WayFails, match="first"):
            open_isdr([Way("a", error=WayFails("first")), Way("b", error=other)])
        with pytest.raises(type(other)):
            open_isdr([Way("a", error=other), Way("b", error=WayFails("second"))])
    with pytest.raises(WayFails, match="no way"):
        open_isdr([])


@pytest.mark.parametrize("eid", ["6E00", "", "6D00"])
def test_a_way_that_opens_the_card_but_does_not_carry_requests_is_left_for_the_next(eid: str) -> None:
    broken, works = Way("csim", ISDR_AIDS[0], eid=eid), Way("cgla", ISDR_AIDS[0])
    _, way = open_isdr([broken, works])
    assert way is works
    assert broken.opened[0].is_closed
    assert works.opened[0].sent == []  # there is no other way to choose: nothing is asked in vain


def test_a_channel_is_let_go_once_and_also_when_the_modem_is_gone() -> None:
    channel = Scripted()
    isdr = Isdr(channel)
    isdr.close()
    isdr.close()
    assert channel.closed == 1
    lost = Way("qmi", ISDR_AIDS[0], lost=ModemGone("/dev/cdc-wdm1"))
    open_isdr([lost, Way("cgla", ISDR_AIDS[0])])
    assert lost.opened[0].closed == 1


def test_a_card_that_is_not_there_ends_the_search() -> None:
    spare = Way("b", ISDR_AIDS[0])
    with pytest.raises(NoCard):
        open_isdr([Way("a", error=NoCard("no card")), spare])
    assert spare.tried == []


def test_every_meaning_reads_as_a_sentence() -> None:
    for status in MEANINGS:
        assert refused(status).message.count(": ") == 1
