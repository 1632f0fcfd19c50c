"""Recording replies: only reads are asked, nothing that names an owner or a place stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from control_bench import ControlBench
from hypothesis import given
from hypothesis import strategies as st
from modem_bench import ONLINE, replies
from remsim.core.errors import AtTimeout, ModemError
from remsim.modems import record as recording
from remsim.modems import record_port as direct
from remsim.modems.control.denied import why_denied
from remsim.modems.control.recording import Record
from remsim.modems.decode import decode_reply
from remsim.modems.drivers import driver_for
from remsim.modems.record import COMMON, OF_VENDOR, anonymous, is_read, reads_of, record
from remsim.modems.reply import AtReply
from scripted_modem import ScriptedModem
from virtual import Bench

MODULES = [
    *(("quectel", "RM520N-GL"), ("quectel", "EC25"), ("quectel", "BG96"), ("sierra", "EM9191"), ("sierra", "MC7455")),
    *(("fibocom", "FM350-GL"), ("fibocom", "L850-GL"), ("fibocom", "FM150"), ("thales", "PLS8"), ("generic", "X")),
]
IMEI, IMSI, ICCID = "868371050000012", "262010123456789", "89490200001234567890"


@pytest.mark.parametrize(("vendor", "module"), MODULES)
def test_only_reads_are_asked_and_all_that_the_driver_asks(vendor: str, module: str) -> None:
    driver = driver_for(vendor, module, None)
    asked = reads_of(driver)
    assert set(driver.fast_commands) | set(driver.slow_commands) <= set(asked)
    assert all(is_read(command) for command in (*COMMON, *OF_VENDOR.get(vendor, ())))
    assert [command for command in asked if why_denied(command)] == []
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize(
    "command",
    [
        *("AT!RESET", "AT+QPOWD", "AT+CFUN=1", "AT+CFUN=1,1", 'AT+QCFG="usbnet",1', "AT+GTUSBMODE=40", "ATZ", "AT&F"),
        *("AT+COPS=0", 'AT+CPIN="1234"', "AT+CSQ;+CFUN=0", "AT!IMAGE=0", "AT+GTDUALSIM=1", "AT+CLCK=\"SC\",1", ""),
        *("AT+CMGL=4", 'AT+CGDCONT=1,"IP"', "AT+QNWPREFCFG=\"lte_band\",3", "AT+CSQ\r", "AT+CGATT=0", "AT+XMCI=2"),
    ],
)
def test_what_may_change_something_is_no_read(command: str) -> None:
    assert not is_read(command)


@pytest.mark.parametrize("model", ["RM520N-GL", "EM9190", "FM350-GL", "L850-GL", "EC25", "MC7455"])
def test_recording_leaves_a_modem_as_it_was_and_can_be_decoded(model: str) -> None:
    bench = Bench(model)
    driver = driver_for(bench.state.model.vendor, bench.state.model.name, bench.platform)

    def ask(command: str, timeout_s: float) -> AtReply:
        *lines, final = [line for line in (bench.session.execute(command) or "\nERROR").splitlines() if line]
        return AtReply(command, tuple(lines), final)

    rows = list(record(driver, ask, source="test"))
    assert bench.kinds() == []
    assert len(rows) == len(reads_of(driver))
    answered = [row for row in rows if row["reply"].endswith("OK")]
    assert len(answered) >= 12
    for row in answered:
        values = decode_reply(row["vendor"], row["module"], row["platform"], row["command"], row["reply"])
        assert values is not None
    told = json.dumps(rows)
    whole = json.dumps([bench.say(command) for command in reads_of(driver)])
    numbers = [bench.decoded(command) for command in driver.sim_identity_commands]
    for number in (str(values[name]) for values in numbers for name in ("imsi", "iccid") if values.get(name)):
        assert number in whole
        assert number not in told


def quectel(command: str, reply: str, **options: bool) -> str:
    return anonymous(driver_for("quectel", "RM520N-GL", "SDX62"), command, reply, (IMEI,), **options)


def test_numbers_of_devices_cards_and_people_keep_maker_and_network_only() -> None:
    assert quectel("AT+CGSN", f"{IMEI}\nOK") == "868371000000000\nOK"
    assert quectel("AT+CIMI", f"{IMSI}\nOK") == "262010000000000\nOK"
    assert quectel("AT+QCCID", f"+QCCID: {ICCID[:-1]}F\nOK") == "+QCCID: 89490200000000000000\nOK"
    assert quectel("AT+CNUM", '+CNUM: ,"+491701234567",145\nOK') == '+CNUM: ,"+491701000000",145\nOK'
    assert quectel("ATI", "FSN: LF12345678-X\nOK") == "FSN: 0000000000-0\nOK"


QENG = (
    '+QENG: "servingcell","NOCONN","LTE","FDD",262,01,1A2B03,12,1300,3,5,5,1A2B,-97,-11,-68,15,9,-,20\nOK'
)


def test_cells_become_ones_unless_they_are_wanted() -> None:
    command = 'AT+QENG="servingcell"'
    assert quectel(command, QENG, keeps_cells=True) == QENG
    masked = quectel(command, QENG)
    assert masked == QENG.replace("1A2B03", "111111").replace("1A2B,", "1111,")
    assert decode_reply("quectel", "RM520N-GL", "SDX62", command, masked)["rsrp_dbm"] == -97
    assert quectel("AT+CEREG?", '+CEREG: 2,1,"1A2B","01A2B03",7\nOK') == '+CEREG: 2,1,"1111","1111111",7\nOK'


def test_place_is_not_told_by_a_reply_that_nobody_can_read() -> None:
    assert "1A2B03C" not in quectel("AT+NEWCELL?", "cell 1A2B03C at 23456789\n")


@given(st.integers(0x1000, 0xFFFFFFE), st.integers(0x100, 0xFFFD))
def test_no_cell_is_left_in_any_writing(cell: int, tac: int) -> None:
    text = f'+CEREG: 2,1,"{tac:04X}","{cell:08X}",7\n+CEREG: 1,"{tac:04x}","{cell:x}"\nOK'
    masked = quectel("AT+CEREG?", text)
    if set(f"{cell:08X}") - {"1"} and len(set(f"{cell:X}")) > 1:
        assert f"{cell:08X}" not in masked


@given(st.text(max_size=200))
def test_any_reply_can_be_made_anonymous(text: str) -> None:
    assert IMEI not in quectel("AT+CGSN", f"{text}{IMEI}{text}")


def test_modem_that_falls_silent_ends_the_recording() -> None:
    asked: list[str] = []

    def ask(command: str, timeout_s: float) -> AtReply:
        asked.append(command)
        if len(asked) > 3:
            raise AtTimeout(command, timeout_s)
        return AtReply(command, ("x",), "OK")

    assert len(list(record(driver_for("generic", "X"), ask, source="test"))) == 3
    assert len(asked) == 3 + recording.MOST_SILENT


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlBench]:
    bench = ControlBench(tmp_path, monkeypatch, actions=(Record(),))
    yield bench
    bench.close()


def test_recording_through_the_service_asks_reads_only_and_is_written_down(bench: ControlBench) -> None:
    bench.start()
    before = len(bench.modem.commands)
    found = bench.desk.run("modem1", "record", {}, actor="ann")
    asked = bench.modem.commands[before:]
    assert found["is_whole"] is True
    assert {row["command"] for row in found["rows"]} == set(reads_of(bench.target.driver))
    assert [command for command in asked if command not in ("AT+CMEE?",) and not is_read(command)] == []
    assert "868371050000012" not in json.dumps(found) and "1A2B03" not in json.dumps(found)
    assert [event.data["actor"] for event in bench.events if event.kind == "control"] == ["ann"]


def test_recording_straight_from_a_port(tmp_path: Path) -> None:
    modem = ScriptedModem(replies(ONLINE))
    try:
        rows = list(direct.record_port(modem.path, keeps_cells=False, sysfs_root=tmp_path, dev_root=tmp_path))
    finally:
        modem.unplug()
    assert {row["module"] for row in rows} == {"RM520N-GL"}
    assert rows[0]["source"] == "remsim modem record, firmware RM520NGLAAR03A01M4G"
    assert any(row["command"] == 'AT+QENG="servingcell"' and "1111" in row["reply"] for row in rows)
    assert [command for command in modem.commands if command not in ("AT", "AT+CMEE?") and not is_read(command)] == []


def test_port_that_nothing_answers_at_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "HANDSHAKE_S", 0.1)
    modem = ScriptedModem({"AT": None, "AT+CMEE?": None})
    try:
        with pytest.raises(ModemError, match="nothing answers"):
            list(direct.record_port(modem.path, keeps_cells=False, sysfs_root=tmp_path, dev_root=tmp_path))
    finally:
        modem.unplug()
