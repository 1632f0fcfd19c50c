"""Short messages, USSD, networks, contexts and compositions of virtual modems."""

from __future__ import annotations

import pytest
from remsim.simulator.models import ROWS
from remsim.simulator.session import Session
from virtual import Bench

PDU = "07919999000000F0040B919999000000F000006210101010100004D4F29C0E"
"""A message of four characters to a made-up number; the service centre's address is seven octets behind its length."""
TPDU_OCTETS = len(PDU) // 2 - 8
SUBMIT = "0001000B919999000000F0000004D4F29C0E"


def inbox(model: str = "RM520N-GL", count: int = 1) -> Bench:
    bench = Bench(model)
    for _ in range(count):
        bench.state.messages.add(PDU)
    return bench


def test_a_message_is_new_once_and_stands_with_its_length() -> None:
    bench = inbox()
    assert bench.say("AT+CMGL=4") == f"+CMGL: 1,0,,{TPDU_OCTETS}\r\n{PDU}"
    assert bench.say("AT+CMGL=0") == "OK"
    assert bench.say("AT+CMGR=1") == f"+CMGR: 1,,{TPDU_OCTETS}\r\n{PDU}"
    assert bench.say("AT+CPMS?") == '+CPMS: "SM",1,40,"SM",1,40,"SM",1,40'


def test_messages_are_deleted_one_by_one_or_by_state() -> None:
    bench = inbox(count=3)
    assert bench.say("AT+CMGR=2").startswith("+CMGR: 0")
    assert bench.say("AT+CMGD=1,1") == "OK"  # all that were read
    assert sorted(bench.state.messages.stored) == [1, 3]
    assert bench.say("AT+CMGD=3") == "OK"
    assert bench.say("AT+CMGD=3") == bench.say("AT+CMGR=9") == "+CMS ERROR: 321"
    assert bench.say("AT+CMGD=0,4") == "OK" and not bench.state.messages.stored


def test_a_full_store_takes_no_more() -> None:
    bench = inbox(count=40)
    assert bench.state.messages.is_full and bench.state.messages.add(PDU) is None
    assert bench.say(f"AT+CMGW={TPDU_OCTETS}") == ">"
    assert bench.say(f"{PDU}\x1a") == "+CMS ERROR: 322"


def test_a_message_is_sent_behind_a_prompt_without_a_line_end() -> None:
    bench = Bench("EM7565")
    octets = len(SUBMIT) // 2 - 1
    assert bench.session.execute(f"AT+CMGS={octets}") == "\r\n> "
    assert bench.session.feed(SUBMIT.encode()) == []
    (text,) = bench.session.feed(b"\x1a")
    assert bench.say(text) == "+CMGS: 1"
    assert bench.state.messages.sent == [SUBMIT]
    assert bench.say("AT") == "OK"


def test_escape_sends_nothing_and_a_wrong_length_is_refused() -> None:
    bench = Bench("EC25")
    bench.session.execute("AT+CMGS=20")
    assert bench.say(f"{SUBMIT}\x1b") == "OK"
    bench.session.execute("AT+CMGS=20")
    assert bench.say(f"{SUBMIT}\x1a") == "+CMS ERROR: 304"
    assert bench.state.messages.sent == []
    bench.state.denied = True
    bench.session.execute(f"AT+CMGS={len(SUBMIT) // 2 - 1}")
    assert bench.say(f"{SUBMIT}\x1a") == "+CMS ERROR: 331"


@pytest.mark.parametrize("command", ["AT+CMGL=4", "AT+CMGR=1", "AT+CMGS=20", "AT+CPMS=\"SM\""])
def test_without_a_card_or_its_pin_there_is_no_store(command: str) -> None:
    bench = inbox()
    bench.state.sim_present = False
    assert bench.say(command) == "+CMS ERROR: 310"
    bench.state.sim_present = True
    assert bench.state.card is not None
    bench.state.card.is_locked = True
    assert bench.say(command) == "+CMS ERROR: 311"


@pytest.mark.parametrize("model", ["RM520N-GL", "FM350-GL"])
def test_ussd_answers_later_and_a_menu_wants_a_choice(model: str) -> None:
    bench = Bench(model)
    bench.say('AT+CSCS="GSM"')

    def asked(code: str) -> str:
        assert bench.say(f'AT+CUSD=1,"{code}",15') == "OK"
        (effect,), bench.state.effects = bench.state.effects, []
        return effect.lines[0]

    assert asked("*100#") == '+CUSD: 0,"Your balance is 12.34 EUR.",15'
    assert asked("*101#").startswith('+CUSD: 1,"1 Data')
    assert asked("1").startswith("+CUSD: 0")
    assert asked("*999#") == "+CUSD: 4"
    asked("*101#")
    assert asked("9") == "+CUSD: 2"


def test_ussd_is_in_ucs2_where_the_modem_begins_with_it() -> None:
    bench = Bench("FM350-GL")
    assert bench.say("AT+CSCS?") == '+CSCS: "UCS2"'
    code = "*100#".encode("utf-16-be").hex().upper()
    bench.say(f'AT+CUSD=1,"{code}",15')
    text = bench.state.effects[0].lines[0].split('"')[1]
    assert bytes.fromhex(text).decode("utf-16-be") == "Your balance is 12.34 EUR."


@pytest.mark.parametrize("model", ["RM520N-GL", "EM7565", "FM350-GL", "L850-GL", "PLS8-E"])
def test_networks_are_chosen_by_hand_and_a_forbidden_one_is_refused(model: str) -> None:
    bench = Bench(model)
    found = bench.decoded("AT+COPS=?")["operators"]
    assert [(one["plmn"], one["status"]) for one in found] == [
        ("99901", "current"),
        ("99902", "available"),
        ("99903", "forbidden"),
    ]
    assert bench.say('AT+COPS=1,2,"99903"') == "+CME ERROR: 32"
    assert bench.say('AT+COPS=1,2,"00101"') == "+CME ERROR: 30"
    assert bench.say('AT+COPS=1,2,"99902",7') == "OK"
    assert bench.decoded("AT+COPS?")["operator"] == "Network B"
    assert bench.say("AT+COPS=2") == "OK"
    assert not bench.state.registered and bench.say("AT+CREG?").endswith(",0")
    assert bench.say("AT+COPS=0") == "OK"
    assert bench.decoded("AT+COPS?")["operator"] == bench.state.scene.operator


@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_contexts_are_defined_named_and_deleted(name: str) -> None:
    bench = Bench(name)
    assert bench.say('AT+CGDCONT=1,"IP","fleet.example"') == "OK"
    assert bench.say('AT+CGDCONT=2,"IPV6","second"') == "OK"
    assert bench.decoded("AT+CGDCONT?")["apns"]["1"] == {"type": "IP", "apn": "fleet.example"}
    assert bench.say("AT+CGDCONT=2") == "OK"
    assert list(bench.decoded("AT+CGDCONT?")["apns"]) == ["1"]
    assert "ERROR" in bench.say(f'AT+CGDCONT=1,"IP","{"a" * 101}"')
    assert "ERROR" in bench.say('AT+CGDCONT=1,"X25","apn"')
    bench.reset()
    assert bench.decoded("AT+CGDCONT?")["apns"]["1"]["apn"] == "fleet.example"
    assert bench.say('AT+CGAUTH=1,2,"user","secret"') == "OK"
    assert "secret" not in bench.say("AT+CGAUTH?")


def test_an_inactive_context_has_no_address() -> None:
    bench = Bench("RM520N-GL")
    assert bench.decoded("AT+CGPADDR=1")["ipv4"] == "192.0.2.1"
    assert "192.0.2.53" in bench.say("AT+CGCONTRDP=1")
    assert bench.say("AT+CGACT=0,1") == "OK"
    assert bench.decoded("AT+CGPADDR=1")["ipv4"] is None
    assert bench.say("AT+CGCONTRDP=1") == "OK"
    assert not bench.state.connected
    bench.say("AT+CGDCONT=1,\"IPV6\",\"six\"")
    bench.say("AT+CGACT=1,1")
    assert bench.decoded("AT+CGPADDR=1")["ipv6"]


@pytest.mark.parametrize(
    ("model", "command", "usb_id", "net"),
    [
        ("RM520N-GL", 'AT+QCFG="usbnet",2', "2c7c:0801", "cdc_mbim"),
        ("FM350-GL", "AT+GTUSBMODE=40", "0e8d:7126", "rndis_host"),
        ("FM160-EAU", "AT+GTUSBMODE=28", "2cb7:010f", "cdc_mbim"),
        ("L850-GL", "AT+GTUSBMODE=7", "2cb7:0007", "cdc_mbim"),
        ("EM7565", "AT!USBCOMP=1,3,100D", "1199:9091", "cdc_mbim"),
        ("MC7455", "AT!USBCOMP=1,1,0000100D", "1199:9071", "cdc_mbim"),
    ],
)
def test_a_composition_changes_at_the_next_reset(model: str, command: str, usb_id: str, net: str) -> None:
    bench = Bench(model)
    bench.say('AT!ENTERCND="A710"')
    before = bench.state.usb
    assert bench.say(command) == "OK"
    assert bench.state.usb is before
    bench.reset()
    assert bench.state.usb.usb_id == usb_id
    assert net in {interface.driver for interface in bench.state.usb.interfaces}


def test_a_composition_without_an_at_port_is_possible_and_a_wrong_type_is_not() -> None:
    bench = Bench("EM7565")
    bench.say('AT!ENTERCND="A710"')
    assert bench.say("AT!USBCOMP=1,1,10D") == "ERROR"  # that type is MBIM USBIF on 9x50
    assert bench.say("AT!USBCOMP=1,3,105") == "OK"
    bench.reset()
    assert bench.state.usb.at_interfaces == ()


def test_settings_of_card_detection_are_kept() -> None:
    for model, ask, choose, told in (
        ("EC25", "AT+QSIMDET?", "AT+QSIMDET=1,0", "+QSIMDET: 1,0"),
        ("RM520N-GL", "AT+QSIMSTAT?", "AT+QSIMSTAT=0", "+QSIMSTAT: 0,1"),
        ("FM350-GL", "AT+MSMPD?", "AT+MSMPD=0", "+MSMPD: 0"),
    ):
        bench = Bench(model)
        assert bench.say(choose) == "OK"
        bench.reset()
        assert bench.say(ask) == told


def test_a_unit_of_low_power_says_who_holds_it_there() -> None:
    bench = Bench("EM7565")
    bench.state.faults.add("low_power")
    assert "W_DISABLE:1" in bench.say("AT!PCINFO?")
    assert bench.decoded("AT!GSTATUS?")["mode_state"] == "LOW POWER MODE"


@pytest.mark.parametrize("name", ["EM7455", "EM7565", "EM9190"])
@pytest.mark.parametrize(("fault", "word"), [(None, "Normal"), ("warm", "High Warning"), ("hot", "High Critical")])
def test_temperature_and_its_state_fit_the_limits(name: str, fault: str | None, word: str) -> None:
    bench = Bench(name)
    bench.state.faults = {fault} if fault else set()
    limits = bench.decoded("AT!PCTEMPLIMITS?")["temperature_limits_c"]
    told = bench.decoded("AT!PCTEMP?")
    assert told["temperature_c"] == bench.decoded("AT!GSTATUS?")["temperature_c"]
    assert told["temperature_state"] == word
    assert (told["temperature_c"] >= limits["high_warning"]) == (fault is not None)
    assert (told["temperature_c"] >= limits["high_critical"]) == (fault == "hot")
    assert bench.decoded("AT!PCVOLT?")["voltage_mv"] == 3283


def test_an_apn_may_hold_a_semicolon_and_commas_in_quotes() -> None:
    bench = Bench("RM520N-GL")
    assert bench.say('AT+CGDCONT=1,"IP","a;b,c";+CFUN?') == "+CFUN: 1"
    assert bench.state.contexts[1] == ("IP", "a;b,c")


def test_a_second_port_has_its_own_password_and_the_same_modem() -> None:
    bench = Bench("EM7565")
    other = Session(bench.state)
    bench.say('AT!ENTERCND="A710"')
    assert "ERROR" in (other.execute("AT!SELRAT=06") or "")
    bench.say("AT!SELRAT=06")
    assert "06" in (other.execute("AT!SELRAT?") or "")
