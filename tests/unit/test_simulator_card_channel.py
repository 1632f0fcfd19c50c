"""Each family's commands for the applications of its card, with the oddities of each, as the router goes about them."""

from __future__ import annotations

import pytest
from card_port import CardPort
from euicc_bench import profile
from remsim.core.errors import CommandRefused, NoApplication, NoCard, WayFails
from remsim.esim.apdu import LOAD_TIMEOUT_S, open_isdr
from remsim.esim.errors import StatusWord
from remsim.esim.euicc import Euicc
from remsim.simulator.models import MODELS

WAYS = {
    "RM520N-GL": "cgla",
    "RM500U-CNV": "cgla",
    "EM12-G": "cgla",
    "BG96": "cgla",
    "EC25": "csim",
    "EG25-G": "csim",
    "MC7455": "cgla",
    "EM7565": "cgla",
    "EM9190": "csim",
    "EM9291": "cgla",
    "FM350-GL": "cgla",
    "FM160-EAU": "cgla",
    "PLS8-E": "cgla",
    "MODEM-27.007": "cgla",
}
NO_WAY = ("L850-GL", "L860-GL")
AID = "A0000005591010FFFFFFFF8900000100"


def test_every_product_is_either_here_or_has_no_way() -> None:
    families = {(MODELS[name].vendor, MODELS[name].family) for name in (*WAYS, *NO_WAY)}
    assert families == {(model.vendor, model.family) for model in MODELS.values()}


@pytest.mark.parametrize(("model", "kind"), WAYS.items())
def test_the_card_is_reached_by_the_way_that_the_family_has(model: str, kind: str) -> None:
    port = CardPort(model, [profile(1, is_enabled=True), profile(2)])
    isdr, way = open_isdr(port.ways())
    assert way.kind == kind
    with Euicc(isdr) as euicc:
        assert euicc.eid() == port.euicc.eid
        assert [one.state for one in euicc.profiles()] == ["enabled", "disabled"]
        assert euicc.addresses().default_smdp is None
        for _ in range(9):  # with unsolicited lines in between where the family has them
            assert euicc.info2().svn == "2.2.2"
    assert port.euicc.open_channels == []


@pytest.mark.parametrize("model", NO_WAY)
def test_a_modem_without_a_way_says_so(model: str) -> None:
    with pytest.raises(WayFails):
        open_isdr(CardPort(model).ways())


@pytest.mark.parametrize("model", ["RM520N-GL", "EC25", "EM7565", "FM350-GL", "EM9190"])
def test_a_plain_sim_is_no_esim(model: str) -> None:
    with pytest.raises(NoApplication, match="no eSIM"):
        open_isdr(CardPort(model, is_euicc=False).ways())


@pytest.mark.parametrize("model", ["RM520N-GL", "EC25", "EM7565", "FM350-GL"])
def test_an_euicc_without_a_profile_is_reached_too(model: str) -> None:
    port = CardPort(model)
    card = port.state.cards[0]
    assert card is not None
    card.read_anew()
    assert card.is_empty_euicc
    isdr, _ = open_isdr(port.ways())
    assert Euicc(isdr).profiles() == []


def test_without_power_and_while_the_card_is_read_there_is_none() -> None:
    port = CardPort("RM520N-GL")
    port.state.functionality = 0
    assert port.say(f'AT+CCHO="{AID}"') == port.say('AT+CSIM=10,"0070000001"') == "+CME ERROR: 10"
    port.state.functionality, port.state.sim_busy = 1, True
    assert port.say(f'AT+CCHO="{AID}"') == "+CME ERROR: 14"
    with pytest.raises(NoCard, match="busy"):
        open_isdr(port.ways())


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        ("RM520N-GL", "+CCHO: 1"),
        ("FM350-GL", "1"),
        ("EM7565", "+CCHO: 000000000385a001"),
        ("MODEM-27.007", "+CCHO:1"),
        ("EM9190", "+CME ERROR: 50"),
        ("L850-GL", "ERROR"),
    ],
)
def test_a_session_as_each_family_tells_it(model: str, answer: str) -> None:
    assert CardPort(model).say(f'AT+CCHO="{AID}"') == answer


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        ("RM520N-GL", '+CGLA: 4,"6115"'),
        ("FM160-EAU", "+CGLA: 4,6115"),
        ("PLS8-E", '+CGLA: 2,"6115"'),
        ("MODEM-27.007", "+CGLA:4,6115"),
    ],
)
def test_an_answer_as_each_family_frames_it(model: str, answer: str) -> None:
    port = CardPort(model)
    port.say(f'AT+CCHO="{AID}"')
    assert port.say('AT+CGLA=1,22,"80E2910006BF3E035C015A"') == answer


@pytest.mark.parametrize(
    ("model", "command", "answer"),
    [
        ("RM520N-GL", "AT+CCHO=?", "OK"),
        ("RM520N-GL", "AT+CSIM=?", "OK"),
        ("EM7565", "AT+CGLA=?", "ERROR"),
        ("FM350-GL", "AT+CGLA=?", ""),
        ("EM9190", "AT+CCHC=1", "ERROR"),
        ("FM350-GL", 'AT+CSIM=10,"0070000001"', "ERROR"),
        ("RM520N-GL", 'AT+CGLA=1,21,"80E2910006BF3E035C015A"', "+CME ERROR: 50"),
        ("RM520N-GL", 'AT+CGLA=x,22,"80E2910006BF3E035C015A"', "+CME ERROR: 50"),
        ("RM520N-GL", 'AT+CSIM=3,"007"', "+CME ERROR: 50"),
        ("RM520N-GL", 'AT+CCHO="A0"', "+CME ERROR: 13"),
        ("RM520N-GL", "AT+CCHO=", "+CME ERROR: 50"),
        ("RM520N-GL", 'AT+CCHO="zz"', "+CME ERROR: 50"),
    ],
)
def test_forms_and_mistakes(model: str, command: str, answer: str) -> None:
    port = CardPort(model)
    text = port.session.execute(command) or ""
    assert text.strip().removeprefix("\r\n") == answer


@pytest.mark.parametrize(("kind", "is_whole"), [("cgla", False), ("csim", True)])
def test_ec25_breaks_in_the_middle_of_a_package_over_cgla_and_not_over_csim(kind: str, is_whole: bool) -> None:
    port = CardPort("EC25")
    way = next(way for way in port.ways() if way.kind == kind)
    isdr, _ = open_isdr([way])
    with pytest.raises(StatusWord):  # the card is in no session; the modem is looked at here
        isdr.store_data(bytes.fromhex("BF36820500BF2381AE") + bytes(174), is_load=True)
    with pytest.raises(StatusWord if is_whole else CommandRefused):
        isdr.store_data(bytes.fromhex("868203FC") + bytes(1020), is_load=True)


def test_a_slow_card_is_answered_for_later_and_loading_waits_long() -> None:
    port = CardPort("RM520N-GL")
    isdr, _ = open_isdr(port.ways())
    port.euicc.faults.delay_s = 2.5
    port.session.execute('AT+CGLA=1,22,"80E2910006BF3E035C015A"')
    assert port.session.take_delay_s() == 2.5
    assert port.session.take_delay_s() == 0.0
    isdr.store_data(bytes.fromhex("BF3E035C015A"), is_load=True)
    assert port.timeouts[-1] == LOAD_TIMEOUT_S


def test_a_card_that_was_taken_out_is_a_failure_of_the_sim() -> None:
    port = CardPort("RM520N-GL")
    isdr, _ = open_isdr(port.ways())
    port.euicc.faults.is_removed = True
    with pytest.raises(CommandRefused):
        isdr.store_data(bytes.fromhex("BF3E035C015A"))


def test_a_reset_closes_the_channel() -> None:
    port = CardPort("RM520N-GL", [profile(1, is_enabled=True)])
    isdr, _ = open_isdr(port.ways())
    port.reset()
    with pytest.raises(StatusWord, match="no such logical channel"):
        Euicc(isdr).eid()
    again, _ = open_isdr(port.ways())
    assert Euicc(again).profiles()[0].addresses == ("op1.example.com",)
