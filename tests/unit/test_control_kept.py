"""What stays in a modem is written only when asked for, with a tick, and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from family_modems import FamilyBench
from remsim.core.errors import Conflict
from remsim.modems.control.kept import SimDetection, UrcPort

Bench = Callable[[str], FamilyBench]


@pytest.fixture
def bench_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made: list[FamilyBench] = []

    def make(module: str) -> FamilyBench:
        made.append(FamilyBench(tmp_path, monkeypatch, module, actions=(SimDetection(), UrcPort())))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


def detection(bench: FamilyBench) -> dict[str, str]:
    kept = {"det": "0,1", "stat": "0"}
    bench.serve(r"AT\+QSIMDET\?", lambda match: f"+QSIMDET: {kept['det']}")
    bench.serve(r"AT\+QSIMDET=(\d,\d)", lambda match: kept.update(det=match[1]) or "")
    bench.serve(r"AT\+QSIMSTAT=(\d)", lambda match: kept.update(stat=match[1]) or "")
    return kept


def test_nothing_is_written_without_the_tick(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    kept = detection(bench)
    form = bench.start().desk.form("modem1", "sim-detection")["properties"]
    assert form["on"]["default"] is False and form["level"]["default"] == "high"
    assert "restart" in form["really"]["description"]
    job = bench.run("sim-detection", on=True, level="low")
    assert (job.state, job.at_field) == ("failed", "really") and kept == {"det": "0,1", "stat": "0"}


def test_a_quectel_watches_its_tray_with_the_level_of_its_board(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    kept = detection(bench)
    job = bench.start().run("sim-detection", on=True, really=True)
    assert job.result == {"changed": True, "on": True, "level": "high", "needs_restart": True}
    assert kept == {"det": "1,1", "stat": "1"}
    assert bench.run("sim-detection", on=True).result["changed"] is False


def test_a_fibocom_has_one_switch(bench_of: Bench) -> None:
    bench = bench_of("FM350-GL")
    kept = {"det": "1"}
    bench.serve(r"AT\+MSMPD\?", lambda match: f"+MSMPD: {kept['det']}")
    bench.serve(r"AT\+MSMPD=(\d)", lambda match: kept.update(det=match[1]) or "")
    assert "level" not in bench.start().desk.form("modem1", "sim-detection")["properties"]
    assert bench.run("sim-detection", on=False, really=True).result == {
        "changed": True, "on": False, "needs_restart": False,
    }  # fmt: skip


def test_a_sierra_is_asked_now_and_then(bench_of: Bench) -> None:
    bench = bench_of("EM7565").start()
    missing = {one["name"]: one["missing"] for one in bench.desk.actions("modem1")}
    assert "every 30 seconds" in missing["sim-detection"]
    with pytest.raises(Conflict):
        bench.desk.start("modem1", "sim-detection", {"on": True}, actor="x")


def test_the_port_of_reports_is_never_written_unasked(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    kept = {"port": "uart1"}
    bench.serve(r'AT\+QURCCFG="urcport"', lambda match: f'+QURCCFG: "urcport","{kept["port"]}"')
    bench.serve(r'AT\+QURCCFG="urcport","(\w+)"', lambda match: kept.update(port=match[1]) or "")
    bench.start()
    bench.wait(lambda: bench.target.values.get("urc_port") == "uart1")
    assert kept["port"] == "uart1"
    assert bench.run("urc-port").at_field == "really" and kept["port"] == "uart1"
    job = bench.run("urc-port", really=True)
    assert job.result == {"changed": True, "port": "usbat", "undo": 'AT+QURCCFG="urcport","uart1"'}
    bench.wait(lambda: bench.target.values.get("urc_port") == "usbat")
    with pytest.raises(Conflict) as error:
        bench.desk.start("modem1", "urc-port", {"really": True}, actor="x")
    assert "already" in error.value.message


def test_what_does_not_change_is_asked_once_a_session(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    bench.serve(r'AT\+QURCCFG="urcport"', lambda match: '+QURCCFG: "urcport","usbat"')
    bench.serve(
        r'AT\+QMBNCFG="list"',
        lambda match: '+QMBNCFG: "List",0,1,1,"ROW_Commercial",0x0A010809,202211031\n'
        '+QMBNCFG: "List",1,0,0,"Commercial-TMO",0x0A01050F,202210121',
    )
    bench.start()
    bench.wait(lambda: bench.target.values.get("carrier_profile") == "ROW_Commercial")
    seen = len(bench.modem.commands)
    bench.wait(lambda: len(bench.modem.commands) > seen + 20)
    assert bench.target.values["carrier_profile"] == "ROW_Commercial"
    assert len(bench.wrote("QMBNCFG")) == len(bench.wrote("QURCCFG")) == 1
