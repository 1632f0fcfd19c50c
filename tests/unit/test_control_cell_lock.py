"""Tying a modem to cells: chosen or typed, read back, freed without service, tied again after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from family_modems import FamilyBench
from marshmallow import ValidationError
from modem_bench import ONLINE
from remsim.core.errors import Conflict, InvalidInput
from remsim.modems.control import power
from remsim.modems.control.cell_lock import LockCells

Bench = Callable[[str], FamilyBench]
GUARDS = {"service_s": 6, "confirm_s": 0}
SERVING = 'AT+QENG="servingcell"'
NEIGHBOURS = (
    '+QENG: "neighbourcell intra","LTE",1300,12,-11,-97,-68,0,37,7,16,6,44\n'
    '+QENG: "neighbourcell intra","LTE",1300,246,-14,-105,-76,0,31,7,16,6,44\n'
    '+QENG: "neighbourcell inter","LTE",6300,350,-13,-101,-72,0,22,4,8,4'
)


@pytest.fixture
def bench_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(LockCells, "read_back_s", 0.5)
    monkeypatch.setattr(power, "LOOK_S", 0.3)
    made: list[FamilyBench] = []

    def make(module: str) -> FamilyBench:
        made.append(FamilyBench(tmp_path, monkeypatch, module, actions=(LockCells(),)))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


class Locked:
    """QNWLOCK as an RM520N keeps it."""

    def __init__(self, bench: FamilyBench) -> None:
        self.bench = bench
        self.kept = {"common/4g": "0", "common/5g": "0"}
        self.dead: set[str] = set()
        bench.set('AT+QENG="neighbourcell"', NEIGHBOURS)
        bench.serve(r'AT\+QNWLOCK="(common/[45]g)"', lambda match: f'+QNWLOCK: "{match[1]}",{self.kept[match[1]]}')
        bench.serve(r'AT\+QNWLOCK="(common/[45]g)",([\d,]+)', lambda match: self.write(match[1], match[2]))

    def write(self, name: str, value: str) -> str:
        self.kept[name] = value
        is_dead = value in self.dead
        self.bench.set(SERVING, '+QENG: "servingcell","SEARCH"' if is_dead else ONLINE[SERVING])
        return ""


def choices(form: dict[str, Any], name: str) -> dict[str, str]:
    field = form["properties"][name]
    return {one["const"]: one["title"] for one in field.get("oneOf") or field["items"]["oneOf"]}


def with_neighbours(bench: FamilyBench) -> FamilyBench:
    bench.start()
    bench.wait(lambda: bench.target.values.get("neighbours"))
    return bench


def test_the_cells_that_are_heard_are_offered_with_their_level(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    Locked(bench)
    form = with_neighbours(bench).desk.form("modem1", "cell-lock")
    offered = choices(form, "lte_cells")
    assert list(offered) == ["1300:12", "1300:246", "6300:350"]
    assert offered["1300:12"] == "PCI 12, channel 1300, band 3, -97 dBm, serving"
    assert offered["6300:350"] == "PCI 350, channel 6300, band 20, -101 dBm"
    assert form["properties"]["lte_cells"].get("default") == []


def test_chosen_and_typed_cells_are_tied_together_and_freed(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    modem = Locked(bench)
    job = with_neighbours(bench).run("cell-lock", lte_cells=["1300:12"], more_lte_cells="100:7 6300:350", **GUARDS)
    assert job.state == "done", job.error
    assert modem.kept["common/4g"] == "3,100,7,1300,12,6300,350"
    assert list(choices(bench.desk.form("modem1", "cell-lock"), "lte_cells")) == [
        "1300:12", "1300:246", "6300:350", "100:7",
    ]  # fmt: skip
    assert bench.run("cell-lock", off=True, **GUARDS).state == "done"
    assert modem.kept == {"common/4g": "0", "common/5g": "0"}
    assert bench.wrote('common/5g",') == []


def test_a_5g_cell_is_named_by_channel_pci_spacing_and_band(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    modem = Locked(bench)
    sa = (
        '+QENG: "servingcell","NOCONN","NR5G-SA","FDD",310,260,939204254,516,60AA00,127490,71,1,-104,-13,11,0,-'
    )
    bench.set(SERVING, sa)
    bench.set("AT+C5GREG?", '+C5GREG: 2,1,"60AA00","939204254",11,1,"01"')
    modem.write = lambda name, value: modem.kept.update({name: value}) or ""  # type: ignore[method-assign]
    form = bench.start().desk.form("modem1", "cell-lock")
    assert choices(form, "nr_cell") == {
        "": "None",
        "127490:516:15:71": "PCI 516, channel 127490, band 71, -104 dBm, serving",
    }
    job = bench.run("cell-lock", nr_cell="127490:516:15:71", **GUARDS)
    assert job.state == "done", job.error
    assert modem.kept["common/5g"] == "516,127490,15,71", "PCI first"


@pytest.mark.parametrize(
    "wrong",
    [
        {"more_lte_cells": "1300"},
        {"more_lte_cells": "1300:12,13"},
        {"more_lte_cells": "1300:12\rAT+CFUN=0"},
        {"more_lte_cells": '1300:"12"'},
        {"more_lte_cells": "1300:12 " * 11},
        {"lte_cells": ["9:9"]},
        {"other_nr_cell": "627264:198"},
        {"nr_cell": "627264:198:30:78"},
    ],
)
def test_what_is_no_cell_is_refused(bench_of: Bench, wrong: dict[str, Any]) -> None:
    bench = bench_of("RM520N-GL")
    Locked(bench)
    bench.start()
    with pytest.raises(ValidationError):
        bench.desk.start("modem1", "cell-lock", wrong, actor="x")
    assert bench.wrote('g",') == []


@pytest.mark.parametrize("wrong", ["300000:1", "1300:504"])
def test_numbers_that_no_cell_has_name_the_field(bench_of: Bench, wrong: str) -> None:
    bench = bench_of("RM520N-GL")
    Locked(bench)
    bench.start()
    with pytest.raises(InvalidInput) as error:
        bench.desk.start("modem1", "cell-lock", {"more_lte_cells": wrong}, actor="x")
    assert error.value.field == "more_lte_cells"


def test_a_cell_without_service_frees_the_modem_again(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    modem = Locked(bench)
    modem.dead.add("1,6300,350")
    job = with_neighbours(bench).run("cell-lock", lte_cells=["6300:350"], timeout_s=40, **GUARDS)
    assert (job.state, job.code) == ("failed", "rolled_back"), job.error
    assert modem.kept["common/4g"] == "0"


def test_a_restart_that_forgets_the_lock_gets_it_again(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    modem = Locked(bench)
    assert with_neighbours(bench).run("cell-lock", lte_cells=["1300:12"], **GUARDS).state == "done"
    modem.kept["common/4g"] = "0"
    bench.target.renew()
    bench.wait(lambda: modem.kept["common/4g"] == "1,1300,12")


def test_an_fm160_holds_one_cell_from_its_restart_on(bench_of: Bench) -> None:
    bench = bench_of("FM160-EAU")
    kept: dict[str, Any] = {"lock": "0", "creg": 2}
    bench.serve(r"AT\+GTCELLLOCK\?", lambda match: f"+GTCELLLOCK: {kept['lock']}")
    bench.serve(r"AT\+GTCELLLOCK=([\d,]+)", lambda match: kept.update(lock=match[1]) or "")
    bench.serve(r"AT\+CFUN=15", lambda match: kept.update(creg=0) or "")
    bench.modem.answers.pop("AT+CREG?")
    bench.modem.answers.pop("AT+CREG=2")
    bench.serve(r"AT\+CREG\?", lambda match: f"+CREG: {kept['creg']},1")
    bench.serve(r"AT\+CREG=2", lambda match: kept.update(creg=2) or "")
    bench.start()
    both = bench.run("cell-lock", more_lte_cells="1300:12", other_nr_cell="627264:198:30:78", **GUARDS)
    assert (both.state, both.at_field) == ("failed", "nr_cell")
    job = bench.run("cell-lock", other_nr_cell="627264:198:30:78", **GUARDS)
    assert job.state == "done", job.error
    assert kept["lock"] == "1,1,0,627264,198,1,5078" and "AT+CFUN=15" in bench.modem.commands
    assert bench.run("cell-lock", more_lte_cells="1300:12", **GUARDS).state == "done"
    assert kept["lock"] == "1,0,0,1300,12"
    assert bench.run("cell-lock", off=True, **GUARDS).state == "done" and kept["lock"] == "0"


def test_an_fm350_moves_when_its_radio_was_off_for_a_moment(bench_of: Bench) -> None:
    bench = bench_of("FM350-GL")
    kept = {"lock": "0"}
    bench.serve(r"AT\+EMMCHLCK\?", lambda match: f"+EMMCHLCK: {kept['lock']}")
    bench.serve(r"AT\+EMMCHLCK=(1,[\d,]+)", lambda match: kept.update(lock=f"{match[1]},0") or "")
    bench.serve(r"AT\+CFUN=(\d)", lambda match: "")
    form = bench.start().desk.form("modem1", "cell-lock")
    assert list(choices(form, "lte_cells")) == ["1650:187", "1650:188", "1850:41"]
    assert "nr_cell" not in form["properties"]
    job = bench.run("cell-lock", lte_cells=["1850:41"], **GUARDS)
    assert job.state == "done", job.error
    assert bench.wrote("EMMCHLCK=", "CFUN=") == ["AT+EMMCHLCK=1,7,0,1850,41", "AT+CFUN=4", "AT+CFUN=1"]


def test_nothing_named_is_no_wish(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    Locked(bench)
    job = bench.start().run("cell-lock", **GUARDS)
    assert (job.state, job.at_field) == ("failed", "off")


def test_a_modem_that_cannot_says_so(bench_of: Bench) -> None:
    bench = bench_of("EM7565").start()
    with pytest.raises(Conflict) as error:
        bench.desk.form("modem1", "cell-lock")
    assert error.value.code == "not_offered"


def test_a_firmware_without_the_command_says_so(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL").start()
    with pytest.raises(Conflict) as error:
        bench.desk.form("modem1", "cell-lock")
    assert "no command" in error.value.message


def test_an_mv31_names_pci_before_channel_and_restarts(bench_of: Bench) -> None:
    bench = bench_of("MV31-W")
    kept: dict[str, Any] = {"lte": "^LTE_LOCK: Have not set cell lock before", "creg": 2}
    free = kept["lte"]
    bench.serve(r"AT\^LTE_LOCK\?", lambda match: kept["lte"])
    bench.serve(r"AT\^NR5G_LOCK\?", lambda match: "^NR5G_LOCK:Have not set cell lock before")
    bench.serve(r"AT\^LTE_LOCK=(\d+),(\d+)", lambda match: kept.update(lte=f"^LTE_LOCK:({match[1]},{match[2]}),") or "")
    bench.serve(r"AT\^LTE_LOCK", lambda match: kept.update(lte=free) or "")
    bench.serve(r"AT\+CFUN=1,1", lambda match: kept.update(creg=0) or "")
    bench.modem.answers.pop("AT+CREG?")
    bench.modem.answers.pop("AT+CREG=2")
    bench.serve(r"AT\+CREG\?", lambda match: f"+CREG: {kept['creg']},1")
    bench.serve(r"AT\+CREG=2", lambda match: kept.update(creg=2) or "")
    job = bench.start().run("cell-lock", lte_cells=["525:263"], **GUARDS)
    assert job.state == "done", job.error
    assert kept["lte"] == "^LTE_LOCK:(263,525)," and "AT+CFUN=1,1" in bench.modem.commands
    assert bench.run("cell-lock", off=True, **GUARDS).state == "done" and kept["lte"] == free
