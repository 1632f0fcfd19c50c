"""Restarts of modems that drop off USB, that stay, whose OK never comes; the radio."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from family_modems import GSTATUS, FamilyBench
from remsim.modems.control import power
from remsim.modems.control.power import Radio, Reset
from remsim.modems.control.target import Target
from scripted_modem import OK, framed

Bench = Callable[..., FamilyBench]
GUARDS = {"service_s": 5, "confirm_s": 0}


@pytest.fixture
def bench_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(power, "LOOK_S", 0.3)
    monkeypatch.setattr(power, "LOOK_TIMEOUT_S", 0.3)
    made: list[FamilyBench] = []

    def make(module: str) -> FamilyBench:
        made.append(FamilyBench(tmp_path, monkeypatch, module, actions=(Reset(), Radio())))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


def drop_and_return(bench: FamilyBench, *, tty: str = "ttyUSB2", number: int = 2) -> None:
    """The modem leaves USB and comes back, perhaps with another name."""
    bench.tree.unplug("1-1")
    (bench.tree.dev / "ttyUSB2").unlink()
    bench.wait(lambda: bench.manager.view("modem1")["state"] in ("rebooting", "gone"))
    bench.tree.plug("1-1", "2c7c:0801")
    bench.tree.interface("1-1", number, tty=tty, driver="option")
    bench.link(tty)


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("RM520N-GL", "AT+CFUN=1,1"),
        ("EG25", "AT+CFUN=1,1"),
        ("MC7455", "AT!RESET"),
        ("EM9291", "AT!RESET"),
        ("FM350-GL", "AT+CFUN=15"),
        ("L850-GL", "AT+CFUN=15"),
    ],
)
def test_each_family_has_its_own_restart(bench_of: Bench, module: str, command: str) -> None:
    bench = bench_of(module).start()
    kept = {"CREG": 2}
    bench.modem.answers[command] = lambda sent: kept.update(CREG=0) or OK
    bench.modem.answers["AT+CREG?"] = lambda sent: framed(f"+CREG: {kept['CREG']},1\n\nOK")
    bench.modem.answers["AT+CREG=2"] = lambda sent: kept.update(CREG=2) or OK
    job = bench.run("reset")
    assert job.state == "done", job.error
    assert command in bench.modem.commands
    assert not any("QPOWD" in one or "CPWROFF" in one for one in bench.modem.commands)


def test_a_refused_restart_is_tried_the_other_way(bench_of: Bench) -> None:
    bench = bench_of("MC7455").start()
    kept = {"CREG": 2}
    bench.modem.answers["AT+CFUN=1,1"] = lambda command: kept.update(CREG=0) or OK
    bench.modem.answers["AT+CREG?"] = lambda command: framed(f"+CREG: {kept['CREG']},1\n\nOK")
    bench.modem.answers["AT+CREG=2"] = lambda command: kept.update(CREG=2) or OK
    assert bench.run("reset").state == "done"
    assert bench.wrote("RESET", "CFUN=1,1") == ["AT!RESET", "AT+CFUN=1,1"]


def test_it_is_done_when_the_modem_is_back_under_another_name(bench_of: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = bench_of("RM520N-GL").start()
    bench.modem.answers["AT+CFUN=1,1"] = None  # its OK never comes
    monkeypatch.setitem(Target.send_last.__kwdefaults__, "timeout_s", 0.5)
    job = bench.desk.start("modem1", "reset", {}, actor="x")
    bench.wait(lambda: "AT+CFUN=1,1" in bench.modem.commands)
    drop_and_return(bench, tty="ttyUSB7")
    bench.wait(lambda: job.is_over, 30)
    assert job.state == "done", job.error
    assert bench.manager.view("modem1")["port"].endswith("ttyUSB7")


def test_a_modem_that_never_kept_the_setting_is_no_witness(bench_of: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power.restart, "__defaults__", (1.5,))
    bench = bench_of("RM520N-GL")
    bench.set("AT+CREG?", "+CREG: 0,1")
    bench.start().set("AT+CFUN=1,1", "OK")
    assert bench.run("reset").code == "not_taken", "it has not restarted, whatever +CREG? says"


def test_a_restart_behind_a_port_that_stays_sets_the_session_up_again(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    bench.set("AT+CREG?", "+CREG: 2,1")
    bench.start()
    settings = {"CREG": 2}

    def reset(command: str) -> bytes:
        settings["CREG"] = 0
        return OK

    bench.modem.answers["AT+CFUN=1,1"] = reset
    bench.modem.answers["AT+CREG?"] = lambda command: framed(f"+CREG: {settings['CREG']},1\n\nOK")
    bench.modem.answers["AT+CREG=2"] = lambda command: settings.update(CREG=2) or OK
    job = bench.run("reset")
    assert job.state == "done" and settings["CREG"] == 2


def test_a_modem_that_says_it_started_is_set_up_again(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL").start()
    bench.wait(lambda: bench.target.modem.session is not None and bench.target.modem.session.exchanges is not None)
    seen = bench.target.modem.identifications
    bench.modem.say(b"\r\nRDY\r\n")
    bench.wait(lambda: bench.target.modem.identifications > seen)


def test_a_modem_that_does_not_restart_is_told(bench_of: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "RESTART_S", 1.0)
    monkeypatch.setattr(power.restart, "__defaults__", (1.0,))
    bench = bench_of("RM520N-GL")
    bench.set("AT+CREG?", "+CREG: 2,1")
    bench.start().set("AT+CFUN=1,1", "OK")
    job = bench.run("reset")
    assert (job.state, job.code) == ("failed", "not_taken") and "hard reset" in str(job.hint)


def radio(bench: FamilyBench, *, obeys: bool = True) -> dict[str, int]:
    """CFUN as a modem keeps it."""
    kept = {"cfun": 1}
    bench.modem.answers["AT+CFUN?"] = lambda command: framed(f"+CFUN: {kept['cfun']}\n\nOK")
    bench.serve(r"AT\+CFUN=(\d)", lambda match: (kept.update(cfun=int(match[1])) or "") if obeys else "")
    return kept


def test_radio_off_is_flight_mode_and_needs_no_service(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    kept = radio(bench)
    job = bench.start().run("radio", on=False, **GUARDS)
    assert job.state == "done" and job.result == {"changed": True, "on": False} and kept["cfun"] == 4
    assert bench.run("radio", on=True, **GUARDS).result == {"changed": True, "on": True}


def test_a_radio_that_something_holds_down_says_what(bench_of: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Radio, "read_back_s", 0.5)
    bench = bench_of("MC7455")
    kept = radio(bench, obeys=False)
    kept["cfun"] = 0
    bench.set("AT!GSTATUS?", GSTATUS.replace("ONLINE", "LOW POWER MODE"))
    voters = "Temp:0, Volt:0, User:0, W_DISABLE:1, IMSWITCH:0, BIOS:0, LWM2M:0, OMADM:0, FOTA:0"
    bench.serve(r"AT!PCINFO\?", lambda match: f"State: Low Power Mode\nLPM voters - {voters}\nLPM persistence - None")
    job = bench.start("low_power").run("radio", on=True, **GUARDS)
    assert (job.state, job.code) == ("failed", "not_taken")
    assert job.hint == "held in low power by: W_DISABLE"
    bench.wait(lambda: bench.target.values.get("low_power_reasons") == ["W_DISABLE"])
