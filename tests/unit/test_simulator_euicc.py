"""Virtual eUICCs in virtual modems: who the card is after a switch, what the network makes of it, faults on demand."""

from __future__ import annotations

from pathlib import Path

import pytest
from remsim.core.errors import InvalidInput
from remsim.simulator.control import EUICC_FAULTS
from remsim.simulator.euicc.card_faults import ON_DEMAND, CardFaults
from remsim.simulator.euicc.cards import Cards
from remsim.simulator.euicc.profiles import CardProfile, iccid_octets
from remsim.simulator.faults import FaultyModem
from virtual import Bench

CARDS = Cards()
HOME = "89999010000000000001"


def bench(model: str = "RM520N-GL", slot: int = 0) -> Bench:
    made = Bench(model)
    made.state.insert_euiccs(CARDS)
    made.state.slot = slot
    return made


def ask(modem: Bench, request: str) -> str:
    """A request of up to 255 octets in one block, by hand, over the modem's commands."""
    session = modem.say('AT+CCHO="A0000005591010FFFFFFFF8900000100"').rpartition(":")[2].strip()
    try:
        apdu = f"80E29100{len(request) // 2:02X}{request}"
        found = ""
        while True:
            answer = modem.say(f'AT+CGLA={session},{len(apdu)},"{apdu}"').rpartition(",")[2].strip('"')
            found += answer[:-4]
            if answer[-4:-2] != "61":
                return found if answer.endswith("9000") else answer
            apdu = f"80C00000{answer[-2:]}"
    finally:
        modem.say(f"AT+CCHC={session}")


def enable(modem: Bench, iccid: str, refresh: str = "FF") -> str:
    return ask(modem, f"BF3111A00C5A0A{iccid_octets(iccid).hex().upper()}8101{refresh}")


def read_anew(modem: Bench) -> None:
    """What the loop does for the effect of a refresh."""
    card = modem.state.card
    assert card is not None
    card.read_anew()
    modem.state.see(modem.state.air)


def other(modem: Bench) -> CardProfile:
    card = modem.state.card
    assert card is not None and card.euicc is not None
    return card.euicc.profiles[1]


def test_the_first_modems_card_is_an_euicc_that_is_who_it_always_was() -> None:
    plain, modem = Bench("RM520N-GL"), bench()
    assert modem.state.card is not None and modem.state.card.made_euicc is None
    assert HOME in modem.say("AT+QCCID") and modem.say("AT+CIMI") == plain.say("AT+CIMI")
    found = ask(modem, "BF2D00")
    assert iccid_octets(HOME).hex().upper() in found and found.count("9F700101") == 1 and found.count("E3") >= 2
    modem.reset()
    assert HOME in modem.say("AT+QCCID") and modem.state.registered
    assert modem.state.scene.operator == plain.state.scene.operator


def test_after_a_switch_the_modem_has_the_new_card_once_it_was_told() -> None:
    modem = bench()
    modem.say("AT+CIMI")
    ask(modem, "BF2000")
    profile = other(modem)
    assert enable(modem, profile.iccid) == "BF3103800100"
    assert modem.kinds() == ["sim"]
    assert HOME in modem.say("AT+QCCID")
    read_anew(modem)
    assert profile.iccid in modem.say("AT+QCCID") and modem.say("AT+CIMI") == profile.imsi
    assert modem.state.registered and modem.state.scene.operator == "Example Mobile"


def test_without_a_refresh_the_modem_keeps_the_old_card_until_it_looks_again() -> None:
    modem = bench()
    ask(modem, "BF2000")
    profile = other(modem)
    enable(modem, profile.iccid, "00")
    assert modem.kinds() == []
    assert HOME in modem.say("AT+QCCID")
    modem.say("AT+CFUN=0")
    modem.say("AT+CFUN=1")
    assert "sim" in modem.kinds()
    read_anew(modem)
    assert profile.iccid in modem.say("AT+QCCID")


@pytest.mark.parametrize(("imsi", "stat"), [("999030000000001", 3), ("999040000000001", 2), ("999020000000001", 1)])
def test_the_network_takes_a_card_as_its_number_says(imsi: str, stat: int) -> None:
    modem = bench()
    ask(modem, "BF2000")
    profile = other(modem)
    profile.imsi = imsi
    enable(modem, profile.iccid)
    read_anew(modem)
    assert (modem.state.stat, modem.state.registered) == (stat, stat == 1)
    assert modem.say("AT+CEREG?").endswith(f",{stat}") or stat == 1
    enable(modem, HOME)
    read_anew(modem)
    assert modem.state.registered


def test_a_card_without_an_enabled_profile_is_an_empty_euicc_that_can_be_asked() -> None:
    modem = bench("FM350-GL")
    ask(modem, "BF2000")
    ask(modem, f"BF3211A00C5A0A{iccid_octets(HOME).hex().upper()}8101FF")
    read_anew(modem)
    assert modem.say("AT+CPIN?") == "+CPIN: EMPTY_EUICC"
    assert modem.say("AT+CIMI") == "+CME ERROR: 10" and not modem.state.registered
    assert enable(modem, HOME) == "BF3103800100"
    read_anew(modem)
    assert modem.say("AT+CPIN?") == "+CPIN: READY" and modem.state.registered


def test_the_soldered_euicc_is_another_one_and_empty() -> None:
    first, second = bench("FM350-GL"), bench("FM350-GL", slot=1)
    assert second.say("AT+CPIN?") == "+CPIN: EMPTY_EUICC"
    assert ask(second, "BF2D00") == "BF2D02A000"
    assert ask(first, "BF3E035C015A") != ask(second, "BF3E035C015A")
    assert (ask(first, "BF5500"), ask(second, "BF5500")) == ("6A88", "BF5502A000")
    second.reset()
    assert second.say("AT+CPIN?") == "+CPIN: EMPTY_EUICC"


def test_other_modems_have_plain_cards() -> None:
    modem = Bench("RM520N-GL")
    modem.state.number = 2
    modem.state.insert_euiccs(CARDS)
    assert all(card is None or card.euicc is None for card in modem.state.cards)
    assert "ERROR" in modem.say('AT+CCHO="A0000005591010FFFFFFFF8900000100"')


def test_a_reset_closes_channels_and_forgets_a_session() -> None:
    modem = bench()
    modem.say('AT+CCHO="A0000005591010FFFFFFFF8900000100"')
    card = modem.state.card
    assert card is not None and card.euicc is not None and card.euicc.open_channels == [1]
    modem.reset()
    assert card.euicc.open_channels == []


def test_a_card_taken_out_in_a_package_is_not_in_the_slot_until_it_is_back() -> None:
    modem = bench()
    ask(modem, "BF2000")
    card = modem.state.card
    assert card is not None and card.euicc is not None
    card.euicc.remove()
    assert modem.say("AT+CPIN?") == "+CME ERROR: 10" and not modem.state.registered
    card.euicc.insert()
    assert modem.say("AT+CPIN?") == "+CPIN: READY" and modem.state.registered


def test_each_fault_on_demand_is_one_the_card_has() -> None:
    assert set(ON_DEMAND) == set(EUICC_FAULTS)
    for wanted in ON_DEMAND.values():
        faults = CardFaults()
        faults.set(**wanted)
        assert faults != CardFaults()
        faults.clear()
        assert faults == CardFaults()
    with pytest.raises(AttributeError):
        CardFaults().set(no_such=1)
    told = (Path(__file__).parents[2] / "docs" / "esim.md").read_text()
    assert [fault for fault in EUICC_FAULTS if f"`{fault}`" not in told] == []


def test_faults_reach_the_euicc_in_the_slot_only() -> None:
    modem = FaultyModem.__new__(FaultyModem)
    modem.state = bench().state
    modem.fault("euicc_slow", 5.0)
    card = modem.state.card
    assert card is not None and card.euicc is not None and card.euicc.faults.load_delay_s == 5.0
    plain = FaultyModem.__new__(FaultyModem)
    plain.state = Bench("EM7565").state
    with pytest.raises(InvalidInput, match="no eUICC"):
        plain.fault("euicc_busy", None)
