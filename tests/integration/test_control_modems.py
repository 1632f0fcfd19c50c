"""Modems that are read by QMI or MBIM: without an AT port, beside a program that has it, and back on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_tools import FakeTools, hold
from modem_bench import manager_over, wait_for
from remsim.config.settings import ModemSettings
from remsim.core.errors import Conflict
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.modems import beside, control_port, control_session, manager, modem
from remsim.modems.drivers.base import Driver
from remsim.modems.manager import ModemManager
from scripted_modem import OK, ScriptedModem, framed
from usb_tree import UsbTree

FIXTURES = Path(__file__).parents[1] / "fixtures" / "qmi"
OUTPUTS = {row["id"]: row for row in map(json.loads, (FIXTURES / "outputs.jsonl").read_text().splitlines())}
QMI = ("qn-rm530n", "qs-fn980-endc", "qc-rm530n", "qa-ca", "qu-rm510q", "qp-two", "qd-ids", "qd-revision", "qd-online")
QMI = (*QMI, "qi-fn980", "qd-imsi")
MBIM = ("mb-megafon-sim", "mb-megafon-reg", "mb-caps", "mb-signal-v2", "mb-cells", "mb-ps-v3", "mb-slots")


class Bench:
    """A manager over one modem's sysfs, with fake tools on PATH."""

    def __init__(self, root: Path, tools: FakeTools) -> None:
        self.root, self.tools, self.tree = root, tools, UsbTree(root)
        self.readings: list[ModemReading] = []
        self.events: list[Event] = []
        self.manager: ModemManager | None = None
        self.device = self.tree.dev / "cdc-wdm0"

    def plug(self, *, driver: str = "qmi_wwan", ttys: bool = False) -> None:
        self.tree.plug("1-1", "2c7c:0801", "RM520N-GL")
        for number in range(4):
            self.tree.interface("1-1", number, tty=f"ttyUSB{number}" if ttys else "")
        self.tree.interface("1-1", 4, net="wwan7", wdm="cdc-wdm0", driver=driver)

    def say(self, *ids: str) -> None:
        for name in ids:
            self.tools.say(OUTPUTS[name]["action"], OUTPUTS[name]["output"])

    def start(self, period_s: float | None = 0.2) -> ModemManager:
        one = ModemSettings("1-1", period_s=period_s, probe_targets=())
        told, read = self.events.append, self.readings.append
        self.manager = manager_over(self.tree, self.root / "state", (one,), emit=told, publish_reading=read)
        self.manager.start()
        return self.manager

    def view(self) -> dict[str, object]:
        assert self.manager is not None
        views = self.manager.views()
        return self.manager.view(views[0]["id"]) if views else {"state": None, "reading": None}

    @property
    def last(self) -> ModemReading:
        return self.readings[-1]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    for module, name, seconds in (
        *((modem, name, 0.1) for name in ("RETRY_S", "LOOK_AGAIN_S")),
        (beside, "PORTLESS_S", 0.1),
        *((modem, "BUSY_RETRY_S", 0.2), (beside, "BESIDE_S", 0.3), (modem, "BOOT_PATIENCE_S", 0.0)),
        *((manager, "HOLDERS_S", 0.2), (manager, "FULL_SCAN_S", 0.5)),
        *((control_port, "LEAST_TIMEOUT_S", 0.5), (control_port, "HELD_S", 0.2), (control_port, "END_S", 0.2)),
        *((control_session, "LEAST_PERIOD_S", 0.2), (Driver, "slow_every_s", 0.5)),
    ):
        monkeypatch.setattr(module, name, seconds)
    one = Bench(tmp_path, FakeTools(tmp_path, monkeypatch, "qmicli", "mbimcli"))
    yield one
    if one.manager is not None:
        one.manager.stop()


def test_a_modem_without_at_port_is_read_by_qmi(bench: Bench) -> None:
    bench.say(*QMI)
    bench.tools.say("dms-get-model", "[/dev/cdc-wdm0] Device model retrieved:\n\tModel: 'RM530N-GL'\n")
    bench.plug()
    bench.start()
    wait_for(lambda: bench.readings and bench.last.pci is not None and bench.last.sim_slot == 1)
    wait_for(lambda: bench.last.sim_state == "READY")
    reading, view = bench.last, bench.view()
    assert (reading.state, reading.registration, reading.rat, reading.mode) == ("online", "home", "LTE", "NSA")
    assert (reading.operator, reading.plmn, reading.tac, reading.cell_id) == ("voda UK", "23415", 12299, 3697446)
    assert (reading.rsrp_dbm, reading.rsrq_db, reading.sinr_db, reading.rssi_dbm) == (-97, -12, 9.6, -70)
    assert (reading.nr_rsrp_dbm, reading.nr_rsrq_db, reading.nr_sinr_db) == (-74, -11, 16.5)
    assert (reading.pci, reading.earfcn, reading.band) == (177, 2850, 7)
    assert view["port"] == str(bench.device)
    assert any("read by QMI" in notice for notice in view["notices"])
    assert (view["model"], view["firmware"]) == ("RM530N-GL", "RM510QGLAAR11A03M4G")
    assert str(view["imei"]).endswith("0000") and "8670" not in str(view["imei"])
    wait_for(lambda: bench.view()["problem"] is None)  # a busy machine may be late for a round
    assert [cell["pci"] for cell in view["neighbours"]] == [295]
    wait_for(lambda: len(bench.view()["carriers"]) >= 3)
    assert [part["role"] for part in bench.view()["carriers"]] == ["pcc", "scc", "nr"]


def test_a_modem_without_at_port_is_read_by_mbim(bench: Bench) -> None:
    bench.say(*MBIM)
    bench.plug(driver="cdc_mbim")
    bench.start()
    wait_for(lambda: bench.readings and bench.last.pci is not None and bench.last.sim_slot == 2)
    wait_for(lambda: bench.last.sim_state == "READY")
    reading = bench.last
    assert (reading.state, reading.rat, reading.mode, reading.plmn) == ("online", "LTE", "NSA", "25002")
    assert (reading.rsrp_dbm, reading.rsrq_db, reading.sinr_db, reading.nr_rsrp_dbm) == (-95, -11, 12.5, -101)
    assert (reading.band, reading.earfcn) == (66, 66986)
    assert bench.view()["model"] == "EM9191"
    assert not any("device-open" in call for call in bench.tools.calls())


def test_no_identifier_stays_among_the_polled_values(bench: Bench) -> None:
    bench.say(*QMI)
    bench.plug()
    started = bench.start()
    wait_for(lambda: bench.readings and bench.last.sim_slot == 1)
    values = next(iter(started._modems.values())).values
    assert "8949" not in json.dumps(values)
    assert bench.last.sim is not None


def test_what_the_modem_does_not_know_is_asked_once(bench: Bench) -> None:
    bench.say("qn-rm530n", "qs-fn980-endc")
    bench.tools.say("dms-get-ids", "error: couldn't get IDs: QMI protocol error (94): 'NotSupported'")
    bench.plug()
    bench.start()
    wait_for(lambda: len(bench.readings) > 8)
    calls = [call.rsplit("--", 1)[1] for call in bench.tools.calls()]
    assert {name: calls.count(name) for name in ("dms-get-ids", "nas-get-lte-cphy-ca-info", "uim-get-card-status")} == {
        "dms-get-ids": 1,
        "nas-get-lte-cphy-ca-info": 1,
        "uim-get-card-status": 1,
    }


def test_another_cell_takes_the_band_of_the_last_one_away_at_once(bench: Bench) -> None:
    bench.say(*QMI)
    bench.plug()
    bench.start()
    wait_for(lambda: bench.readings and bench.last.pci == 177)
    bench.tools.say("nas-get-cell-location-info", "error: couldn't get cell location info: 'InformationUnavailable'")
    bench.tools.say("nas-get-serving-system", OUTPUTS["qn-rm530n"]["output"].replace("'3697446'", "'3697447'"))
    wait_for(lambda: bench.last.cell_id == 3697447)
    changed = next(reading for reading in bench.readings if reading.cell_id == 3697447)
    assert (changed.pci, changed.earfcn) != (177, 2850)


def test_a_missing_program_is_told_with_its_package(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(bench.tools.root))
    bench.plug()
    bench.start()
    wait_for(lambda: "qmi-utils" in str(bench.view().get("problem")))
    assert "libqmi-utils" in str(bench.view()["problem"])


def test_a_hanging_program_makes_the_modem_silent_and_stops_with_the_service(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modem, "SILENT_AFTER_S", 0.5)
    bench.say(*QMI)
    bench.plug()
    started = bench.start()
    wait_for(lambda: bench.view()["state"] == "online")
    for action in ("nas-get-serving-system", "nas-get-signal-info"):
        bench.tools.do(action, "exec /bin/sleep 60")
    wait_for(lambda: bench.view()["state"] == "not_answering")
    for action in ("nas-get-serving-system", "nas-get-signal-info"):
        bench.tools.do(action, ":")
    wait_for(lambda: bench.view()["state"] == "online")
    bench.tools.do("nas-get-serving-system", "exec /bin/sleep 60")
    time.sleep(0.4)
    begun = time.monotonic()
    started.stop()
    assert time.monotonic() - begun < 30


def test_a_program_with_the_device_for_itself_is_named_until_it_lets_go(bench: Bench, tmp_path: Path) -> None:
    bench.say(*QMI)
    bench.plug()
    other = hold(bench.device, "quectel-CM", tmp_path)
    try:
        bench.start()
        wait_for(lambda: bench.view()["state"] == "port_busy")
        assert "quectel-CM" in str(bench.view()["problem"])
        assert bench.tools.calls() == []
    finally:
        other.kill()
        other.wait()
    wait_for(lambda: bench.view()["state"] == "online")


def test_an_at_command_for_a_modem_that_is_only_read_is_refused(bench: Bench) -> None:
    bench.say(*QMI)
    bench.plug()
    started = bench.start()
    wait_for(lambda: bench.view()["state"] == "online")
    with pytest.raises(Conflict, match="read by QMI"):
        next(iter(started._modems.values())).open_session().channel.query("AT+CFUN=1,1")
    assert bench.view()["state"] == "online"


def test_unplugged_it_is_missed_and_back_it_is_read_again(bench: Bench) -> None:
    bench.say(*QMI)
    bench.plug()
    bench.start()
    wait_for(lambda: bench.view()["state"] == "online")
    bench.tree.unplug("1-1")
    bench.device.unlink()
    wait_for(lambda: bench.view()["state"] == "rebooting")
    assert bench.view()["port"] is None
    bench.plug()
    wait_for(lambda: bench.view()["state"] == "online")
    assert len({reading.modem for reading in bench.readings}) == 1


def test_polling_that_is_off_runs_nothing(bench: Bench) -> None:
    bench.say(*QMI)
    bench.plug()
    started = bench.start()
    wait_for(lambda: bench.view()["state"] == "online")
    started.set_period("modem1", None)
    wait_for(lambda: bench.view()["state"] == "paused")
    runs = len(bench.tools.calls())
    time.sleep(0.6)
    assert len(bench.tools.calls()) == runs
    started.set_period("modem1", 1.0)
    wait_for(lambda: bench.view()["state"] == "online")


def test_a_locked_sim_and_a_radio_that_is_off_are_states(bench: Bench) -> None:
    bench.say(*QMI, "qn-searching", "qu-pin")
    bench.tools.say("nas-get-signal-info", "[/dev/cdc-wdm0] Successfully got signal info\n")
    bench.plug()
    bench.start()
    wait_for(lambda: bench.view()["state"] == "sim_pin")
    bench.say("qu-rm510q", "qd-low")
    wait_for(lambda: bench.view()["state"] == "low_power")


def test_the_tries_for_a_code_are_asked_by_mbim_only_while_it_is_wanted(bench: Bench) -> None:
    bench.say(*MBIM, "mb-puk")
    bench.plug(driver="cdc_mbim")
    bench.start()
    wait_for(lambda: len(bench.readings) > 8)
    assert not any("query-pin-state" in call for call in bench.tools.calls())
    locked = OUTPUTS["mb-megafon-sim"]["output"].replace("'initialized'", "'device-locked'")
    bench.tools.say("query-subscriber-ready-status", locked)
    bench.say("mb-denied")
    wait_for(lambda: bench.view()["state"] == "sim_puk")
    one = next(iter(bench.manager._modems.values()))
    wait_for(lambda: one.session.driver.details(one.values).get("puk_tries_left") == 10)


def at_modem(bench: Bench) -> ScriptedModem:
    """A modem behind the AT port; only the first words matter here."""
    told = {
        "AT+CGSN": "867034040000000",
        "AT+CPIN?": "+CPIN: READY",
        "AT+CEREG?": '+CEREG: 2,1,"1A2B","01A2B03",7',
        'AT+QENG="servingcell"': '+QENG: "servingcell","NOCONN","LTE","FDD",262,01,1A2B03,12,1300,3,5,5,1A2B,-91,-11,'
        "-68,15,9,-,20",
    }
    one = ScriptedModem({command: framed(f"{text}\n\nOK") for command, text in told.items()} | {"AT": OK})
    node = bench.tree.dev / "ttyUSB2"
    node.unlink()
    node.symlink_to(one.path)
    (bench.tree.dev / "ttyUSB3").unlink()
    return one


def test_a_taken_at_port_is_read_beside_and_used_again_when_it_is_free(bench: Bench) -> None:
    bench.say(*QMI)
    bench.plug(ttys=True)
    one = at_modem(bench)
    code = "import sys, time; port = open(sys.argv[1], 'rb', buffering=0); print('open', flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", code, one.path], stdout=subprocess.PIPE)
    assert other.stdout is not None
    other.stdout.readline()
    try:
        bench.start()
        wait_for(lambda: bench.readings and bench.last.rsrp_dbm == -97)
        assert bench.view()["port"] == str(bench.device)
        assert bench.view()["state"] == "online"
        time.sleep(1.0)
        assert one.commands == [], "the port of another program is left alone"
    finally:
        other.kill()
        other.wait()
    wait_for(lambda: bench.last.rsrp_dbm == -91)
    assert str(bench.view()["port"]).endswith("ttyUSB2")
    assert not any("read by" in notice for notice in bench.view()["notices"])
    assert len({reading.modem for reading in bench.readings}) == 1
    one.unplug()


def test_a_taken_at_port_is_told_with_the_way_to_read_beside_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(bench.tools.root))
    bench.plug(ttys=True)
    one = at_modem(bench)
    held = subprocess.Popen(["/bin/sleep", "60"], stdin=os.open(one.path, os.O_RDONLY | os.O_NOCTTY))
    try:
        bench.start()
        wait_for(lambda: bench.view()["state"] == "port_busy")
        assert "qmi-utils" in str(bench.view()["problem"])
    finally:
        held.kill()
        held.wait()
        one.unplug()


def test_an_at_port_that_comes_later_is_preferred(bench: Bench) -> None:
    bench.say(*QMI)
    bench.plug(ttys=True)
    for number in range(4):
        (bench.tree.dev / f"ttyUSB{number}").unlink()
    bench.start()
    wait_for(lambda: bench.readings and bench.last.rsrp_dbm == -97)
    one = ScriptedModem({"AT": OK, 'AT+QENG="servingcell"': framed("+CME ERROR: 3")})
    (bench.tree.dev / "ttyUSB2").symlink_to(one.path)
    wait_for(lambda: one.commands)
    assert str(bench.view()["port"]).endswith("ttyUSB2")
    one.unplug()


def test_nothing_of_it_is_loaded_for_modems_that_answer_at() -> None:
    code = "import remsim.modems.manager, sys; print([m for m in sys.modules if 'control_port' in m or 'qmicli' in m])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.stdout.strip() == "[]", run.stderr
