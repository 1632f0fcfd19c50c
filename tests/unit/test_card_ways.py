"""A card's applications over a modem's AT port: real ptys, replies as modems gave them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.clock import SystemClock
from remsim.core.errors import (
    AtFormatError,
    AtTimeout,
    ModemGone,
    NoApplication,
    NoCard,
    RemsimError,
    WayFails,
)
from remsim.esim.apdu import open_isdr
from remsim.modems.card import cgla, csim
from remsim.modems.card.cgla import CglaWay
from remsim.modems.card.csim import CsimWay
from remsim.modems.card.replies import channel_of, octets, session_id
from remsim.modems.channel import Channel
from remsim.modems.reply import AtReply
from scripted_modem import OK, ScriptedModem, framed

CAPTURES = Path(__file__).parents[1] / "fixtures" / "at" / "card_channels.jsonl"
ROWS = [json.loads(line) for line in CAPTURES.read_text().splitlines()]
AID = bytes.fromhex("A0000005591010FFFFFFFF8900000100")
CCHO = 'AT+CCHO="A0000005591010FFFFFFFF8900000100"'
GET_EID = bytes.fromhex("81E2910006BF3E035C015A")
SELECT = 'AT+CSIM=42,"01A4040010A0000005591010FFFFFFFF8900000100"'
OPEN, CLOSE = 'AT+CSIM=10,"0070000001"', 'AT+CSIM=10,"0070800100"'


@pytest.fixture
def modem(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedModem]:
    for module, name, seconds in ((cgla, "PROBE_S", 0.2), (csim, "OPEN_S", 0.3)):
        monkeypatch.setattr(module, name, seconds)
    modem = ScriptedModem({f"AT+CCHC={number}": framed("ERROR") for number in (1, 2, 3)})
    yield modem
    modem.unplug()


@pytest.fixture
def channel(modem: ScriptedModem) -> Iterator[Channel]:
    channel = Channel(modem.path, clock=SystemClock(), on_urc=lambda line: None)
    channel.open()
    yield channel
    channel.dispose()


def by_cgla(channel: Channel, pauses: list[float] | None = None) -> CglaWay:
    return CglaWay(lambda: channel, (pauses if pauses is not None else []).append)


def by_csim(channel: Channel) -> CsimWay:
    return CsimWay(lambda: channel)


@pytest.mark.parametrize("row", [row for row in ROWS if "session" in row["expected"]], ids=lambda row: row["id"])
def test_a_session_is_given_back_as_it_came(row: dict[str, Any], modem: ScriptedModem, channel: Channel) -> None:
    wanted = row["expected"]
    modem.answers[CCHO] = row["reply"].encode()
    sent = f'AT+CGLA={wanted["session"]},22,"81E2910006BF3E035C015A"'
    modem.answers[sent] = framed('+CGLA: 4,"6115"\n\nOK')
    modem.answers[f"AT+CCHC={wanted['session']}"] = OK
    opened = by_cgla(channel).open(AID)
    assert opened.number == wanted["channel"]
    assert opened.transmit(GET_EID, timeout_s=2) == b"\x61\x15"
    opened.close()
    assert modem.commands[-3:] == [CCHO, sent, f"AT+CCHC={wanted['session']}"]


@pytest.mark.parametrize("row", [row for row in ROWS if "error" in row["expected"]], ids=lambda row: row["id"])
def test_what_modems_refuse_is_told_for_what_it_is(row: dict[str, Any], modem: ScriptedModem, channel: Channel) -> None:
    modem.answers |= {"AT+CCHO=?": OK, row["command"]: row["reply"].encode()}
    with pytest.raises(RemsimError) as caught:
        if "CCHO" in row["command"]:
            by_cgla(channel).open(AID)
        else:
            modem.answers |= {CCHO: framed("+CCHO: 1\n\nOK"), OPEN: framed('+CSIM: 6,"019000"\n\nOK')}
            modem.answers[SELECT] = framed('+CSIM: 4,"9000"\n\nOK')
            way = by_csim(channel) if "CSIM" in row["command"] else by_cgla(channel)
            way.open(AID).transmit(bytes.fromhex(row["command"].split('"')[1]), timeout_s=2)
    assert type(caught.value).__name__ == row["expected"]["error"]


def test_what_was_left_open_is_closed_first_and_once(modem: ScriptedModem, channel: Channel) -> None:
    modem.answers |= {CCHO: framed("+CCHO: 2\n\nOK"), "AT+CCHC=1": OK}
    way = by_cgla(channel)
    way.open(AID)
    way.open(AID)
    assert modem.commands[-5:] == ["AT+CCHC=1", "AT+CCHC=2", "AT+CCHC=3", CCHO, CCHO]


def test_after_a_refresh_the_card_is_waited_for(modem: ScriptedModem, channel: Channel) -> None:
    left = ["+CME ERROR: 14", "+CME ERROR: 13", "ERROR"]
    modem.answers[CCHO] = lambda command: framed(left.pop(0) if left else "+CCHO: 1\n\nOK")
    pauses: list[float] = []
    assert by_cgla(channel, pauses).open(AID).number == 1
    assert pauses == [cgla.PAUSE_S] * 3


def test_it_is_not_waited_for_the_card_again_at_each_name(modem: ScriptedModem, channel: Channel) -> None:
    modem.default = framed("+CME ERROR: 13")
    pauses: list[float] = []
    way = by_cgla(channel, pauses)
    for aid in (AID, AID[:-1] + b"\2", AID[:-1] + b"\3"):
        with pytest.raises(NoApplication):
            way.open(aid)
    assert pauses == [cgla.PAUSE_S] * cgla.TRIES


@pytest.mark.parametrize(
    ("answer", "probe", "kind", "words"),
    [
        ("+CME ERROR: 10", "OK", NoCard, "no card"),
        ("+CME ERROR: 14", "OK", NoCard, "busy"),
        ("+CME ERROR: 4", "OK", WayFails, "AT\\+CCHO"),
        ("+CME ERROR: 11", "OK", WayFails, "PIN"),
        ("ERROR", "ERROR", WayFails, "AT\\+CCHO"),
        ("ERROR", None, WayFails, "AT\\+CCHO"),
        ("ERROR", "OK", NoApplication, "no such application"),
        ("+CME ERROR: 100", "OK", NoApplication, "no such application"),
        ("OK", "OK", AtFormatError, "unreadable"),
    ],
)
def test_a_channel_that_is_not_opened_says_why(
    answer: str, probe: str | None, kind: type[RemsimError], words: str, modem: ScriptedModem, channel: Channel
) -> None:
    modem.answers |= {CCHO: framed(answer), "AT+CCHO=?": None if probe is None else framed(probe)}
    with pytest.raises(kind, match=words):
        by_cgla(channel).open(AID)


@pytest.mark.parametrize("number", [1, 3])
def test_csim_opens_the_channel_itself_and_names_it(number: int, modem: ScriptedModem, channel: Channel) -> None:
    select = SELECT.replace('"01', f'"0{number}')
    close = CLOSE.replace("0070800100", f"0070800{number}00")
    modem.answers |= {
        OPEN: framed(f'+CSIM: 6,"0{number}9000"\n\nOK'),
        select: framed('+CSIM: 4,"6121"\n\nOK'),
        'AT+CSIM=22,"81E2910006BF3E035C015A"': framed('+CSIM: 4,"6115"\n\nOK'),
        close: framed('+CSIM: 4,"9000"\n\nOK'),
    }
    opened = by_csim(channel).open(AID)
    assert opened.number == number
    assert opened.transmit(GET_EID, timeout_s=2) == b"\x61\x15"
    opened.close()
    assert modem.commands[-1] == close


def test_csim_closes_others_channels_only_when_none_is_left(modem: ScriptedModem, channel: Channel) -> None:
    answers = ["6A81", "019000"]
    modem.answers[OPEN] = lambda command: framed(f'+CSIM: 4,"{answers.pop(0)}"\n\nOK')
    modem.answers[SELECT] = framed('+CSIM: 4,"9000"\n\nOK')
    modem.default = framed('+CSIM: 4,"9000"\n\nOK')
    assert by_csim(channel).open(AID).number == 1
    assert [one for one in modem.commands if one.startswith('AT+CSIM=10,"007080')] == [
        f'AT+CSIM=10,"0070800{number}00"' for number in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("opened", "selected", "kind", "is_closed"),
    [
        ("ERROR", None, WayFails, False),
        (None, None, WayFails, False),
        ("+CME ERROR: 10", None, NoCard, False),
        ('+CSIM: 4,"6881"', None, WayFails, False),
        ('+CSIM: 4,"6E00"', None, WayFails, False),
        ('+CSIM: 4,"9000"', None, WayFails, False),
        ('+CSIM: 6,"019000"', '+CSIM: 4,"6A82"', NoApplication, True),
        ('+CSIM: 6,"019000"', '+CSIM: 4,"6999"', NoApplication, True),
        ('+CSIM: 6,"019000"', '+CSIM: 4,"6F00"', WayFails, True),
        ('+CSIM: 6,"019000"', "ERROR", WayFails, True),
        ('+CSIM: 6,"019000"', None, WayFails, True),
    ],
)
def test_csim_that_does_not_work_leaves_no_channel_open(
    opened: str | None,
    selected: str | None,
    kind: type[RemsimError],
    is_closed: bool,
    modem: ScriptedModem,
    channel: Channel,
) -> None:
    def full(text: str | None) -> bytes | None:
        return None if text is None else framed(text if "ERROR" in text else f"{text}\n\nOK")

    modem.answers |= {OPEN: full(opened), SELECT: full(selected), CLOSE: framed('+CSIM: 4,"9000"\n\nOK')}
    with pytest.raises(kind):
        by_csim(channel).open(AID)
    assert (modem.commands[-1] == CLOSE) is is_closed


def test_a_modem_that_vanishes_is_gone_on_every_way(modem: ScriptedModem, channel: Channel) -> None:
    modem.unplug()
    for way in (by_cgla(channel), by_csim(channel)):
        with pytest.raises(ModemGone):
            way.open(AID)


def test_a_card_that_takes_its_time_is_waited_for(modem: ScriptedModem, channel: Channel) -> None:
    modem.answers |= {CCHO: framed("+CCHO: 1\n\nOK"), 'AT+CGLA=1,10,"81F2000000"': framed('+CGLA: 4,"9000"\n\nOK')}
    modem.delays['AT+CGLA=1,10,"81F2000000"'] = 0.4
    opened = by_cgla(channel).open(AID)
    with pytest.raises(AtTimeout):
        opened.transmit(bytes.fromhex("81F2000000"), timeout_s=0.1)
    assert opened.transmit(bytes.fromhex("81F2000000"), timeout_s=5) == b"\x90\x00"


def test_the_longest_command_goes_through(modem: ScriptedModem, channel: Channel) -> None:
    apdu = bytes.fromhex("81E29100FF") + bytes(255)
    sent = f'AT+CGLA=00000000038aa32f,520,"{apdu.hex().upper()}"'
    modem.answers[CCHO] = framed("+CCHO: 00000000038aa32f\n\nOK")
    modem.answers[sent] = framed(f'+CGLA: 516,"{"AB" * 256}6100"\n\nOK')
    assert by_cgla(channel).open(AID).transmit(apdu, timeout_s=5) == b"\xab" * 256 + b"\x61\x00"


def test_where_cgla_cannot_be_gone_csim_is_tried(modem: ScriptedModem, channel: Channel) -> None:
    modem.answers |= {
        OPEN: framed('+CSIM: 6,"019000"\n\nOK'),
        SELECT: framed('+CSIM: 4,"9000"\n\nOK'),
        CCHO: framed("+CME ERROR: 4"),
    }
    _, way = open_isdr([by_cgla(channel), by_csim(channel)])
    assert way.kind == "csim"


def reply(*lines: str, command: str = "AT+CGLA=1") -> AtReply:
    return AtReply(command, lines, "OK")


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (['+CGLA: 4,"6115"'], "6115"),
        (["+CGLA: 4,6115"], "6115"),
        (['+CGLA:4,"611A"'], "611A"),
        (['+CGLA: 2,"6115"'], "6115"),
        (['+CGLA: 999, "9000"'], "9000"),
        (['+CGLA : 4 , "9000"'], "9000"),
        (['+CSIM: 4,"9000"'], "9000"),
        (['4,"9000"'], "9000"),
        (['+CGLA: 8,"BF3E', '9000"'], "BF3E9000"),
        (["+CGLA: 8,BF3E", "9000"], "BF3E9000"),
        (['+CGLA: 8,"BF 3E 90 00"'], "BF3E9000"),
        (['+CGLA: 0,""'], ""),
    ],
)
def test_the_octets_are_believed_and_not_what_stands_around_them(lines: list[str], found: str) -> None:
    assert octets(reply(*lines)).hex().upper() == found


@pytest.mark.parametrize("lines", [[], ["+CGLA: "], ['+CGLA: 3,"611"'], ["9000"], ['+CGLA: 4,"61XX"']])
def test_what_cannot_be_read_is_an_error_that_shows_nothing_of_the_card(lines: list[str]) -> None:
    with pytest.raises(AtFormatError) as caught:
        octets(reply(*lines, command='AT+CGLA=1,22,"81E2910006BF3E035C015A"'))
    assert "81E2" not in caught.value.message


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["+CCHO: 1"], "1"),
        (["+CCHO:2"], "2"),
        (['+CCHO: "3"'], "3"),
        (["+CCHO: 000000000385a7cf"], "000000000385a7cf"),
        (["1"], "1"),
        (['+CCHO: 1,"6F1A"'], "1"),
    ],
)
def test_a_session_in_all_its_forms(lines: list[str], found: str) -> None:
    assert session_id(reply(*lines, command=CCHO)) == found


@pytest.mark.parametrize(("session", "channel"), [("1", 1), ("3", 3), ("4", None), ("0", None), ("01", None)])
def test_only_a_small_number_is_taken_for_a_channel(session: str, channel: int | None) -> None:
    assert channel_of(session) == channel


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=40), max_size=4))
def test_any_lines_are_octets_or_an_error(lines: list[str]) -> None:
    for read in (octets, session_id):
        try:
            read(reply(*lines))
        except AtFormatError:
            pass
