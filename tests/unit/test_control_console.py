"""The AT console: what it sends, what it refuses in whatever spelling, and what it writes down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from control_bench import ControlBench
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from remsim.core.errors import AtTimeout, Conflict
from remsim.modems.control.console import At
from remsim.modems.control.denied import why_denied
from remsim.modems.control.verbs import ACTIONS
from remsim.modems.drivers import driver_for
from remsim.modems.drivers.base import Driver
from scripted_modem import framed

DENIED = """
AT+EGMR=1,7,"000000000000000" | AT+EGMR = 1,10,"000000000000000" | AT+GTSN=1,7,"000000000000000" | AT+SIMEI=0
AT*IMEI=0
AT^PHYNUM=IMEI,0 | AT!NVENCRYPTIMEI=00,00 | AT+CGSN=0 | ATI;+EGMR=1,7,"0" | ATE0+EGMR=1,7,"0" | AT#SETIMEI="0"
AT+QDOWNLOAD=1 | AT+QFOTADL="http://x" | AT+QFUMOCFG=1 | AT+QFASTBOOT | AT!BOOTHOLD | AT!BOOTHOLD? | AT+GTFOTA=1
AT!IMAGE=0
AT+CPWROFF | AT+QPOWD | AT+QPOWD=1 | AT^SMSO | AT!POWERDOWN | AT+CPOF
AT!NVRESTORE=0 | AT!RMARESET=1 | AT^NVWR=1,2,3 | AT^NVWREX=1 | AT+QNVFW="/nv",01 | AT+QNVW=4548,0,"00" | AT+QPRTPARA=3
AT!USBCOMP=1,1,100D | AT+GTUSBMODE=28 | AT+QCFG="usbnet",2 | AT+QCFG="usbcfg",0x2C7C,0x0801,1,0,0 | AT!UDPID=9071
AT^SETPORT="A1" | AT+QCFG="data_interface",1,0 | AT+CMUX=0 | AT+IPR=9600
AT+CMGS=12 | AT+CMGS="+490000000000" | AT+CMGW | AT+CMGW=5 | AT+QISEND=0 | AT+QFUPL="a",5 | AT+CMGC=9
AT+COPS=? | AT+COPS=0 | AT+COPS=1,2,"26201" | AT+COPS = ? | AT+CUSD=1,"*100#",15 | AT+QLINUXCMD="reboot"
ATD*99# | ATD112; | ATDT5 | ATDL | ATA | ATO | ATO0 | ATE0D1 | ATI;D1 | AT&FD5 | AT+CGDATA="PPP",1 | ATZ;ATD1
ATS0=1D*99# | ATH0D5 | ATM1L3DT5 | AT\\Q0D*99# | AT&D2D5 | AT%C1D5 | AT+FCLASS=0;D5 | AT+CGDCONT=1,"IP","a";D*99#
ATV0 | ATQ1 | ATE0Q1 | ATV | ATI;V0 | ATQ1&W | AT+EPOF | AT@NVM:FIX_CAT_UICC.IMEI=1 | AT^GODLOAD | AT^BOOT | AT+SFSN="x"
AT+SYSCMD=ls | AT+XFDL
A/ | AT;A/ | +++ | AT+++ | CSQ | +CSQ | hello
""".replace("\n", " | ").split(" | ")
ALLOWED = """
AT | ATI | ATI3 | ATZ | AT&F | ATE0 | ATE1 | ATH | ATV1 | ATQ | ATQ0 | AT&D2 | AT&C1&D2 | AT\\Q3
ATS0=0 | AT+CSQ | at+csq | AT+CSQ;+CREG? | AT+CGSN | AT+CGSN?
AT+EGMR=0,7 | AT+GTSN=0,7 | AT+GTUSBMODE? | AT+GTUSBMODE=? | AT!USBCOMP? | AT!USBCOMP=? | AT+QCFG="usbnet"
AT+QCFG="usbcfg"
AT+COPS? | AT+COPS=3,0 | AT+COPS=3,2;+COPS? | AT+QENG="servingcell" | AT+QNWPREFCFG="nr5g_band",1:78 | AT!GSTATUS?
AT+CGDCONT=1,"IP","internet"
AT+CGDCONT=1,"IP","a;d1" | AT+CPIN? | AT+CMGL=4 | AT+CMGS=? | AT+CMGD=1 | AT+CUSD=2 | AT+CUSD? | AT!ENTERCND="A710"
AT!IMPREF? | AT!IMAGE? | AT+CIMI | AT+GTACT=20,6,3 | AT+CPBR=1 | AT^SCFG? | AT+CFUN=1,1 | AT+CLAC | AT+ODIS? | AT+CFUN?
AT+QCFG="nwscanmode",3 | AT+CGACT=1,1 | AT!BAND? | AT!SELRAT=06 | AT+CPMS="SM" | AT+CEREG=2 | AT+QURCCFG="urcport"
AT+XACT? | AT+CNUM | AT+CGPADDR=1 | AT+CCLK? | AT+QGPS? | AT+CAVIMS? | AT^SSRVSET?
""".replace("\n", " | ").split(" | ")


@pytest.mark.parametrize("command", [one for one in DENIED if one])
def test_what_destroys_hangs_or_dials_is_refused(command: str) -> None:
    assert why_denied(command) is not None


@pytest.mark.parametrize("command", [one for one in ALLOWED if one])
def test_reads_and_ordinary_settings_are_sent(command: str) -> None:
    assert why_denied(command) is None


@given(st.sampled_from([one for one in DENIED if one.startswith("AT") and "A/" not in one]), st.data())
def test_spelling_does_not_get_round_it(command: str, data: st.DataObject) -> None:
    spelt = "".join(
        (letter.lower() if data.draw(st.booleans()) else letter) + " " * data.draw(st.integers(0, 1))
        for letter in command
    )
    assert why_denied(spelt) is not None
    assert why_denied(f"AT+CSQ;{spelt.replace(' ', '')[2:]}") is not None


def test_no_command_of_ours_but_resets_is_refused() -> None:
    """The polls and reads of every family may be repeated by hand."""
    modules = {
        "quectel": ("RM520N-GL", "EC25"),
        "sierra": ("EM9191", "MC7455"),
        "fibocom": ("FM350-GL", "L850-GL"),
        "thales": ("MV31-W", "PLS8"),
        "generic": ("X",),
    }
    for vendor, module in ((vendor, module) for vendor, names in modules.items() for module in names):
        driver: Driver = driver_for(vendor, module, None)
        for command in (*driver.identity_commands, *driver.sim_identity_commands, *driver.fast_commands,
                        *driver.slow_commands, *driver.once_commands):  # fmt: skip
            assert why_denied(command) is None, command


def test_what_is_named_instead_is_there() -> None:
    for command in DENIED:
        rule = why_denied(command) if command else None
        if rule is not None and rule.instead:
            assert rule.instead in ACTIONS


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlBench]:
    bench = ControlBench(tmp_path, monkeypatch, actions=(At(),))
    bench.start()
    yield bench
    bench.close()


def send(bench: ControlBench, command: Any, **content: Any) -> Any:
    return bench.desk.run("modem1", "at", {"command": command, **content}, actor="ann")


def test_answer_comes_raw_and_with_what_it_means(bench: ControlBench) -> None:
    bench.set("AT+CSQ", "+CSQ: 20,99")
    assert send(bench, "at+csq ") == {
        "command": "at+csq",
        "reply": "ERROR",
        "ok": False,
        "values": {"ok": False},
    }  # the scripted modem knows capitals only: an error is an answer
    found = send(bench, "AT+CSQ")
    assert (found["reply"], found["ok"], found["values"]["rssi_dbm"]) == ("+CSQ: 20,99\nOK", True, -73)


def test_answer_that_nobody_can_read_is_shown_all_the_same(bench: ControlBench) -> None:
    bench.set("AT+XYZ?", "something")
    found = send(bench, "AT+XYZ?")
    assert found["reply"] == "something\nOK"


@pytest.mark.parametrize(
    "command",
    ["AT+CSQ\rATD1", "AT+CSQ\n", "AT+CSQ\x1a", "AT+CÖPS?", "\u0391\u03a4+CSQ", "", "A", "AT" + "x" * 600, None],
)
def test_what_is_not_one_line_is_refused(bench: ControlBench, command: Any) -> None:
    with pytest.raises(ValidationError):
        send(bench, command)


def test_refusal_tells_the_reason_and_the_way(bench: ControlBench) -> None:
    with pytest.raises(ValidationError, match="takes minutes.*use scan instead"):
        send(bench, "AT+COPS=?")
    assert "AT+COPS=?" not in bench.modem.commands


def test_command_is_written_down_with_who_and_what_came_of_it(bench: ControlBench) -> None:
    bench.set("AT+CFUN=4", "+CME ERROR: 3")
    send(bench, "AT+CFUN=4")
    told = [event for event in bench.events if event.kind == "control"][-1]
    assert "AT+CFUN=4" in told.message
    assert (told.data["actor"], told.data["code"]) == ("ann", "+CME ERROR: 3")


@pytest.mark.parametrize(
    "command",
    [
        *('AT+CPIN="4711"', 'at + cpin = "4711"', 'AT+CSQ;+CPIN="4711"', 'AT+CLCK="SC",1,"4711"'),
        *('AT+CSIM=26,"4711"', 'AT!ENTERCND="4711"', 'ATE0+CPIN="4711"', 'AT&C1+CLCK="SC",1,"4711"', "AT+C P I N=4711"),
        *('AT$QCPDPP=1,1,"4711","u"', 'AT+XGAUTH=1,1,"u","4711"', 'AT^SGAUTH=1,1,"4711","u"', 'AT!UNLOCK="4711"'),
        *('AT^AUTHDATA=1,1,"","4711"', 'AT+QFTPCFG="account","u","4711"', 'AT%PASSWORD="4711"', 'AT+CPIN2="4711"'),
    ],
)
def test_secrets_are_not_written_down(bench: ControlBench, command: str) -> None:
    send(bench, command)
    assert "4711" not in str([event.as_dict() for event in bench.events])


def test_silence_costs_the_time_that_was_given(bench: ControlBench) -> None:
    bench.modem.answers["AT+XYZ"] = None
    with pytest.raises(AtTimeout):
        send(bench, "AT+XYZ", timeout_s=1)
    bench.set("AT+CSQ", "+CSQ: 20,99")
    assert send(bench, "AT+CSQ")["ok"]


@pytest.mark.parametrize("timeout_s", [0, 61, "soon", True])
def test_time_to_wait_has_bounds(bench: ControlBench, timeout_s: Any) -> None:
    with pytest.raises(ValidationError):
        send(bench, "AT", timeout_s=timeout_s)


def test_prompt_that_nobody_foresaw_is_left_again(bench: ControlBench) -> None:
    bench.modem.answers |= {"AT+PROMPT": b"\r\n> ", "\x1b": framed("OK")}
    with pytest.raises(AtTimeout):
        send(bench, "AT+PROMPT", timeout_s=1)
    bench.set("AT+CSQ", "+CSQ: 20,99")
    assert send(bench, "AT+CSQ")["ok"]


def test_console_waits_for_the_end_of_another_operation(bench: ControlBench) -> None:
    modem = bench.target.modem
    modem.begin_operation("Search for networks")
    try:
        with pytest.raises(Conflict, match="busy"):
            send(bench, "AT")
    finally:
        modem.end_operation()


def test_console_has_a_scope_of_its_own() -> None:
    assert ACTIONS["at"].scope == "at-console"


def test_numbers_of_cards_and_devices_stand_in_no_event(bench: ControlBench) -> None:
    bench.set("AT+CGSN", framed("868371050000012").decode())
    send(bench, "AT+CGSN")
    assert "868371050000012" not in str([event.as_dict() for event in bench.events])
