"""Technology and bands of every family: choices of this very modem, one apply, read back, undone without service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from family_modems import FamilyBench
from marshmallow import ValidationError
from remsim.core.errors import CommandRefused, Conflict
from remsim.modems.control.preferences import RadioSettings
from remsim.modems.control.seen import SeenBands

Bench = Callable[[str], FamilyBench]
QUICK = {"service_s": 6, "confirm_s": 0}


@pytest.fixture
def bench_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(RadioSettings, "read_back_s", 0.5)
    made: list[FamilyBench] = []

    def make(module: str) -> FamilyBench:
        made.append(FamilyBench(tmp_path, monkeypatch, module, actions=(RadioSettings(),)))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


class Rm5xx:
    """QNWPREFCFG as an RM520N keeps it; ``policy`` is what the carrier allows."""

    def __init__(self, bench: FamilyBench) -> None:
        self.bench = bench
        self.kept = {
            "mode_pref": "AUTO",
            "nr5g_disable_mode": "0",
            "gw_band": "1:2:5:8",
            "lte_band": "1:3:7:20",
            "nsa_nr5g_band": "1:78",
            "nr5g_band": "78",
        }
        self.ignores: set[str] = set()
        self.dead: set[str] = set()
        bench.serve(r'AT\+QNWPREFCFG="(\w+)"', lambda match: self.read(match[1]))
        bench.serve(r'AT\+QNWPREFCFG="(\w+)",(.+)', lambda match: self.write(match[1], match[2]))

    def read(self, name: str) -> str:
        if name == "policy_band":
            rows = {"gw_band": "1:2:5:8", "lte_band": "1:3:7:20:28", "nsa_nr5g_band": "1:28:78", "nr5g_band": "28:78"}
            return "\n".join(f'+QNWPREFCFG: "{row}",{bands}' for row, bands in rows.items())
        return f'+QNWPREFCFG: "{name}",{self.kept[name]}' if name in self.kept else "+CME ERROR: 3"

    def write(self, name: str, value: str) -> str:
        if name not in self.ignores:
            self.kept[name] = value
        searching = self.kept["lte_band"] in self.dead
        cell = '+QENG: "servingcell","SEARCH"' if searching else self.cell
        self.bench.set('AT+QENG="servingcell"', cell)
        return ""

    cell = (
        '+QENG: "servingcell","NOCONN","LTE","FDD",262,01,1A2B03,12,1300,3,5,5,1A2B,-97,-11,-68,15,9,-,20'
    )


def choices(form: dict[str, Any], name: str) -> list[Any]:
    field = form["properties"][name]
    options = field.get("oneOf") or field["items"]["oneOf"]
    return [option["const"] for option in options]


def test_an_rm520n_offers_what_the_carrier_and_its_settings_name(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    Rm5xx(bench)
    form = bench.start().desk.form("modem1", "radio-settings")
    assert choices(form, "mode") == ["auto", "umts", "lte", "nr", "umts_lte", "lte_nr"]
    assert choices(form, "lte_bands") == [1, 3, 7, 20, 28]
    assert choices(form, "nr5g_bands") == [28, 78]
    assert form["properties"]["lte_bands"]["default"] == [1, 3, 7, 20]
    assert form["properties"]["mode"]["default"] == "auto"
    assert [option["title"] for option in form["properties"]["nr5g_bands"]["items"]["oneOf"]] == ["n28", "n78"]


def test_only_what_differs_is_sent_bands_before_the_technology(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    Rm5xx(bench)
    job = bench.start().run("radio-settings", mode="lte", lte_bands=[3, 7], nr5g_bands=[78], **QUICK)
    assert (job.state, job.error) == ("done", None)
    assert job.result["lte_bands"] == [3, 7] and job.result["mode"] == "lte" and "every" not in job.result
    assert bench.wrote('lte_band",', 'mode_pref",', 'nr5g_band",', "CFUN=") == [
        'AT+QNWPREFCFG="lte_band",3:7',
        'AT+QNWPREFCFG="mode_pref",LTE',
    ]


def test_an_empty_list_is_all_bands(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    modem = Rm5xx(bench)
    job = bench.start().run("radio-settings", lte_bands=[], **QUICK)
    assert job.state == "done" and modem.kept["lte_band"] == "1:3:7:20:28"
    again = bench.run("radio-settings", lte_bands=[], **QUICK)
    assert again.result["changed"] is False


def test_a_band_the_modem_lacks_is_refused_before_anything_is_sent(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    Rm5xx(bench)
    bench.start()
    for wrong in ({"lte_bands": [99]}, {"lte_bands": "3\rAT+CFUN=0"}, {"mode": 'AUTO"'}, {"lte_bands": [True]}):
        with pytest.raises(ValidationError):
            bench.desk.start("modem1", "radio-settings", wrong, actor="x")
    assert bench.wrote('band",', 'pref",') == [] and "CFUN=0" not in " ".join(bench.modem.commands)


def test_ok_but_not_taken_is_told_with_what_is_kept(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    modem = Rm5xx(bench)
    modem.ignores.add("nr5g_band")
    job = bench.start().run("radio-settings", nr5g_bands=[28], timeout_s=30, **QUICK)
    assert (job.state, job.code) == ("failed", "not_taken")
    assert "still has 5G bands alone (SA) 78" in str(job.error)


def test_a_long_list_of_bands_is_told_by_its_length(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL").start()
    title = RadioSettings().title
    assert title(bench.target, {"mode": "lte", "lte_bands": [1, 3, 5, 7, 8, 20], "confirm_s": 0}) == (
        "Choose technology: LTE only, LTE bands 1, 3, 5, 7, 8, 20"
    )
    assert title(bench.target, {"nr5g_mode": "sa", "lte_bands": list(range(1, 40)), "nr5g_bands": []}) == (
        "Choose kinds of 5G: Alone only (SA), 39 LTE bands, 5G bands alone (SA) all"
    )
    assert title(bench.target, {"confirm_s": 0}) == "Choose technology and bands"


def test_a_refusal_says_why_and_what_was_sent_before_is_undone(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    modem = Rm5xx(bench)
    bench.serve(r'AT\+QNWPREFCFG="mode_pref",.*', lambda match: "+CME ERROR: 3")
    job = bench.start().run("radio-settings", mode="lte", lte_bands=[3], **QUICK)
    assert job.state == "failed" and "operation not allowed" in str(job.error) and "undone" in str(job.error)
    assert modem.kept["lte_band"] == "1:3:7:20"


def test_bands_without_service_are_undone(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    modem = Rm5xx(bench)
    modem.dead.add("20")
    job = bench.start().run("radio-settings", lte_bands=[20], timeout_s=40, **QUICK)
    assert (job.state, job.code) == ("failed", "rolled_back"), job.error
    assert modem.kept["lte_band"] == "1:3:7:20"
    bench.wait(lambda: bench.target.is_online)


def test_a_modem_that_forgets_has_its_bands_again_after_a_restart(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    modem = Rm5xx(bench)
    assert bench.start().run("radio-settings", lte_bands=[3], **QUICK).state == "done"
    assert bench.run("radio-settings", mode="lte", **QUICK).state == "done"
    modem.kept |= {"lte_band": "1:3:7:20", "mode_pref": "AUTO"}
    seen = bench.target.modem.identifications
    bench.target.renew()
    bench.wait(lambda: bench.target.modem.identifications > seen)
    bench.wait(lambda: modem.kept["lte_band"] == "3" and modem.kept["mode_pref"] == "LTE")


def test_a_preset_that_the_firmware_has_no_more_is_told(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    modem = Rm5xx(bench)
    bench.start()
    bench.desk._desired.keep("modem1", "radio-settings", {"lte_bands": [99], "mode": "lte"})
    bench.target.renew()
    bench.wait(lambda: any("could not be applied again" in event.message for event in bench.events))
    assert "no LTE bands 99" in next(event.message for event in bench.events if "applied again" in event.message)
    assert modem.kept["lte_band"] == "1:3:7:20" and modem.kept["mode_pref"] == "AUTO"


def test_a_maker_s_password_that_was_changed_is_told(bench_of: Bench) -> None:
    bench = bench_of("EM7565").start()
    with pytest.raises(CommandRefused) as error:
        bench.desk.form("modem1", "radio-settings")
    assert "password" in str(error.value.hint)


def test_unplugged_in_the_middle_is_told_and_ends(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    Rm5xx(bench)
    bench.start()

    def vanish(match: Any) -> None:
        bench.tree.unplug("1-1")
        (bench.tree.dev / "ttyUSB2").unlink()

    bench.serve(r'AT\+QNWPREFCFG="lte_band",.*', vanish)
    job = bench.run("radio-settings", lte_bands=[3], timeout_s=60, **QUICK)
    assert job.state == "failed" and job.code in ("not_undone", "at_timeout", "modem_gone", "not_ready"), job.code


def test_a_firmware_that_tells_nothing_offers_nothing(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL").start()
    with pytest.raises(Conflict):
        bench.desk.form("modem1", "radio-settings")


# --- Quectel LTE ---


def qcfg(bench: FamilyBench) -> dict[str, list[str]]:
    """QCFG as an EG25-G keeps it."""
    kept = {"band": ["0xbff", "0x1e00b0e18df", "0x0"], "nwscanmode": ["0"]}

    def write(name: str, values: list[str]) -> str:
        if name == "band":
            kept["band"] = [f"0x{text.lstrip('0') or '0'}" for text in values[:3]]
        else:
            kept[name] = values[:1]
        return ""

    bench.serve(r'AT\+QCFG="(\w+)"', lambda match: f'+QCFG: "{match[1]}",{",".join(kept[match[1]])}')
    bench.serve(r'AT\+QCFG="(\w+)",(.+)', lambda match: write(match[1], match[2].split(",")))
    return kept


def test_an_eg25_keeps_its_2g_and_3g_bands(bench_of: Bench) -> None:
    bench = bench_of("EG25")
    kept = qcfg(bench)
    form = bench.start().desk.form("modem1", "radio-settings")
    assert choices(form, "mode") == ["auto", "gsm", "umts", "lte"]
    assert choices(form, "lte_bands") == [1, 2, 3, 4, 5, 7, 8, 12, 13, 18, 19, 20, 25, 26, 28, 38, 39, 40, 41]
    assert bench.run("radio-settings", mode="lte", lte_bands=[3, 20], **QUICK).state == "done"
    assert bench.wrote('band",', 'mode",') == ['AT+QCFG="band",bff,80004,0,1', 'AT+QCFG="nwscanmode",3,1']
    assert bench.run("radio-settings", lte_bands=[], **QUICK).state == "done"
    assert kept["band"] == ["0xbff", "0x1e00b0e18df", "0x0"]


# --- Sierra ---

MC7455_BANDS = (
    "Index, Name,                        GW Band Mask     L Band Mask      TDS Band Mask\n"
    "00, All bands                     0002000007C00000 00000100130818DF 0000000000000000\n"
    "09, LTE ALL                       0000000000000000 00000100130818DF 0000000000000000"
)
EM7565_HEAD = (
    "Index, Name,                        GW Band Mask     L Band Mask 1    L Band Mask 2    TDS Band Mask    "
    "L Band Mask 3    L Band Mask 4\n"
)
NONE = "0000000000000000"
EM7565_ALL = f"00, All bands{' ' * 21}100600000FC00000 00000100BA0E19DF 0000000000000002 {NONE} {NONE} {NONE}"
SELRAT = "!SELRAT: Index, Name\n00, Automatic\n01, WCDMA Only\n06, LTE Only\n11, WCDMA and LTE Only"


class Sierra:
    """SELRAT and BAND behind the password; ``rows`` are the profiles by index, as lines of the table."""

    def __init__(self, bench: FamilyBench, head: str, rows: dict[str, str], rats: str) -> None:
        self.bench, self.head, self.rows, self.rats = bench, head, rows, rats
        self.index, self.rat = "00", "00"
        self.is_open = False
        bench.serve(r'AT!ENTERCND="A710"', lambda match: self.open())
        bench.serve(r"AT!SELRAT=\?", lambda match: self.rats)
        bench.serve(r"AT!SELRAT\?", lambda match: f"!SELRAT: {self.rat}, {self.name(self.rat)}")
        bench.serve(r"AT!SELRAT=(\w\w)", lambda match: self.choose_rat(match[1]))
        bench.serve(r"AT!BAND=\?", lambda match: self.head + "\n".join(self.rows.values()))
        bench.serve(r"AT!BAND\?", lambda match: self.head + self.rows[self.index])
        bench.serve(r"AT!BAND=(\w\w)", lambda match: self.choose(match[1]))
        bench.serve(r'AT!BAND=(\w\w),"(\w+)",(.*)', lambda match: self.define(*match.groups()))

    def open(self) -> str:
        self.is_open = True
        return ""

    def name(self, index: str) -> str:
        return next(line[4:] for line in self.rats.split("\n") if line.startswith(index))

    def choose_rat(self, index: str) -> str:
        self.rat = index
        return "" if self.is_open else "ERROR"

    def choose(self, index: str) -> str:
        if not self.is_open or index not in self.rows:
            return "ERROR"
        self.index = index
        return ""

    def define(self, index: str, name: str, masks: str) -> str:
        self.rows[index] = f"{index}, {name:<30}{masks.replace(',', ' ')}"
        return ""


def test_an_mc7455_defines_a_profile_of_its_own_and_takes_one_that_fits(bench_of: Bench) -> None:
    bench = bench_of("MC7455")
    head, *rows = MC7455_BANDS.split("\n")
    modem = Sierra(bench, head + "\n", {row[:2]: row for row in rows}, SELRAT)
    form = bench.start().desk.form("modem1", "radio-settings")
    assert choices(form, "mode") == ["auto", "umts", "lte", "umts_lte"]
    assert choices(form, "lte_bands") == [1, 2, 3, 4, 5, 7, 8, 12, 13, 20, 25, 26, 29, 41]
    job = bench.run("radio-settings", mode="lte", lte_bands=[3, 20], **QUICK)
    assert job.state == "done", job.error
    assert bench.wrote("BAND=1", "SELRAT=0") == [
        'AT!BAND=10,"remsim",0002000007C00000,0000000000080004,0000000000000000',
        "AT!BAND=10",
        "AT!SELRAT=06",
    ]
    assert bench.run("radio-settings", lte_bands=[], **QUICK).state == "done"
    assert modem.index == "00" and modem.rat == "06"


def test_an_em7565_has_its_masks_in_the_order_of_its_table(bench_of: Bench) -> None:
    bench = bench_of("EM7565")
    Sierra(bench, EM7565_HEAD, {"00": EM7565_ALL}, SELRAT)
    job = bench.start().run("radio-settings", lte_bands=[3, 66], **QUICK)
    assert job.state == "done", job.error
    assert bench.wrote('"remsim"') == [
        f'AT!BAND=10,"remsim",100600000FC00000,0000000000000004,0000000000000002,{NONE},{NONE},{NONE}'
    ]


def test_a_profile_of_somebody_else_is_left_alone(bench_of: Bench) -> None:
    bench = bench_of("EM7565")
    theirs = f"10, Holiday                       {NONE} 0000000000000080 {NONE} {NONE} {NONE} {NONE}"
    modem = Sierra(bench, EM7565_HEAD, {"00": EM7565_ALL, "10": theirs}, SELRAT)
    job = bench.start().run("radio-settings", lte_bands=[3], **QUICK)
    assert job.state == "done" and modem.rows["10"] == theirs and modem.index == "11"


EM9291_ROWS = {
    "00": "00, All bands\n     0 - GW:    100200000EC00000\n     1 - LTE:   0000A7E2BB0F38DF 0000000000000042\n"
    "     3 - NRNSA: 000081A03B0A38D7 0000000000007C62\n     4 - NRSA:  000081A03B0A38D7 0000000000007C62",
    "0C": "0C, NR5G ALL\n     0 - GW:    0000000000000000\n     1 - LTE:   0000000000000000 0000000000000000\n"
    "     3 - NRNSA: 000081A03B0A38D7 0000000000007C62\n     4 - NRSA:  000081A03B0A38D7 0000000000007C62",
}
EM9291_BITS = (
    "\n\nAvailable:\n0 - GW:    \n     1000000000000000 - B19 (850)\n1 - LTE:   \n     1/0000800000000000 - B48"
)
EM9190_RATS = (
    "!SELRAT: Index, Name\n00, Automatic\n01, WCDMA Only\n06, LTE Only\n11, WCDMA and LTE Only\n20, NR 5G Only\n"
    "21, LTE and NR 5G Only\n22, WCDMA and NR 5G Only"
)
KINDS = {"0": "0 - GW:   ", "1": "1 - LTE:  ", "3": "3 - NRNSA:", "4": "4 - NRSA: "}


class SierraNr(Sierra):
    """A kind of bands has a command of its own."""

    def __init__(self, bench: FamilyBench) -> None:
        super().__init__(bench, "Index, Name\n", dict(EM9291_ROWS), EM9190_RATS)
        bench.serve(r"AT!BAND=\?", lambda match: self.head + "\n".join(self.rows.values()) + EM9291_BITS)
        bench.serve(r'AT!BAND=(\w\w),1,"(\w+)",(\d),(.*)', lambda match: self.define_kind(*match.groups()))
        self.kinds: dict[str, str] = {}

    def define_kind(self, index: str, name: str, kind: str, masks: str) -> str:
        self.kinds[kind] = masks.replace(",", " ")
        lines = [f"     {KINDS[one]} {' '.join(text.split()[:2])}" for one, text in sorted(self.kinds.items())]
        self.rows[index] = "\n".join([f"{index}, {name}", *lines])
        return ""


def test_an_em9291_has_a_command_for_each_kind_of_bands(bench_of: Bench) -> None:
    bench = bench_of("EM9291")
    SierraNr(bench)
    form = bench.start().desk.form("modem1", "radio-settings")
    assert choices(form, "mode") == ["auto", "umts", "lte", "nr", "umts_lte", "umts_nr", "lte_nr"]
    assert choices(form, "nr5g_bands")[-5:] == [75, 76, 77, 78, 79]
    job = bench.run("radio-settings", mode="lte_nr", lte_bands=[3, 66], nr5g_bands=[78], **QUICK)
    assert job.state == "done", job.error
    wrote = bench.wrote('"remsim"', "SELRAT=2")
    assert f'AT!BAND=10,1,"remsim",1,0000000000000004,0000000000000002,{NONE},{NONE}' in wrote
    assert f'AT!BAND=10,1,"remsim",4,{NONE},0000000000002000,{NONE},{NONE}' in wrote
    assert wrote[-1] == "AT!SELRAT=21" and len(wrote) == 5


# --- Fibocom ---

GTACT = (
    "+GTACT: (1,2,4,10,14,16,17,20),(2,3,6),(2,3,6),(),(1,2,4,5,8),(101,103,107,108,120,128),(),(),"
    "(501,503,5028,5078)"
)


def test_an_fm350_takes_one_command_with_every_band_that_is_allowed(bench_of: Bench) -> None:
    bench = bench_of("FM350-GL")
    kept = {"act": "20,6,3,1,2,4,5,8,101,103,107,108,120,501,503,5028,5078"}
    bench.serve(r"AT\+GTACT=\?", lambda match: GTACT)
    bench.serve(r"AT\+GTACT\?", lambda match: f"+GTACT: {kept['act']}")
    bench.serve(r"AT\+GTACT=([\d,]+)", lambda match: kept.update(act=match[1]) or "")
    form = bench.start().desk.form("modem1", "radio-settings")
    assert choices(form, "mode") == ["auto", "umts", "lte", "umts_lte", "nr", "umts_nr", "lte_nr"]
    assert choices(form, "nr_bands") == [1, 3, 28, 78] and choices(form, "lte_bands") == [1, 3, 7, 8, 20, 28]
    job = bench.run("radio-settings", mode="lte_nr", lte_bands=[3], nr_bands=[78], **QUICK)
    assert job.state == "done", job.error
    assert kept["act"] == "17,6,3,103,5078"
    assert bench.run("radio-settings", mode="lte", lte_bands=[], **QUICK).state == "done"
    assert kept["act"] == "2,,,101,103,107,108,120,128"
    assert len(bench.wrote("+GTACT=1", "+GTACT=2")) == 2


def test_an_l850_keeps_bands_of_the_other_technology(bench_of: Bench) -> None:
    bench = bench_of("L850-GL")
    kept = {"rat": "4", "umts": ["1", "2", "4", "5", "8"], "lte": ["101", "103", "107", "120"]}

    def write(text: str) -> str:
        rat, _, _, *bands = text.split(",")
        kept["rat"] = rat
        for name, is_lte in (("umts", False), ("lte", True)):
            if chosen := [code for code in bands if (int(code) > 100) is is_lte]:
                kept[name] = chosen
        return ""

    bench.serve(r"AT\+XACT=\?", lambda match: "+XACT: (0-6),(0-2),0,1,2,4,5,8,101,103,107,120,128")
    bench.serve(r"AT\+XACT\?", lambda match: f"+XACT: {kept['rat']},2,,{','.join([*kept['umts'], *kept['lte']])}")
    bench.serve(r"AT\+XACT=([\d,]+)", lambda match: write(match[1]))
    job = bench.start().run("radio-settings", mode="lte", lte_bands=[3, 28], **QUICK)
    assert job.state == "done", job.error
    assert bench.wrote("+XACT=2") == ["AT+XACT=2,,,1,2,4,5,8,103,128"]


# --- Thales ---


def test_an_mv31_switches_bands_on_before_it_switches_others_off(bench_of: Bench) -> None:
    bench = bench_of("MV31-W")
    kept = {"LTE": {1, 3, 7}, "NR5G_SA": {78}}
    every = {"LTE": {1, 3, 7, 20}, "NR5G_SA": {78, 79}}

    def listed(bands: set[int]) -> str:
        return "".join(f"{band}," for band in sorted(bands))

    def read() -> str:
        rows = ((f"{word},Enable Bands :{listed(on)}", f"{word},Disable Bands:{listed(every[word] - on)}")
                for word, on in kept.items())  # fmt: skip
        return "\n".join(line for row in rows for line in row)

    def write(word: str, status: str, bands: str) -> str:
        numbers = set(map(int, bands.split(":")))
        kept[word] = kept[word] | numbers if status == "2" else kept[word] - numbers
        return ""

    bench.serve(r"AT\^BAND_PREF_EXT\?", lambda match: read())
    bench.serve(r"AT\^BAND_PREF_EXT=(\w+),(\d),([\d:]+)", lambda match: write(*match.groups()))
    form = bench.start().desk.form("modem1", "radio-settings")
    assert choices(form, "lte_bands") == [1, 3, 7, 20] and "mode" not in form["properties"]
    job = bench.run("radio-settings", lte_bands=[1, 20], **QUICK)
    assert job.state == "done", job.error
    assert bench.wrote("PREF_EXT=") == ["AT^BAND_PREF_EXT=LTE,2,20", "AT^BAND_PREF_EXT=LTE,1,3:7"]
    assert bench.run("radio-settings", lte_bands=[], **QUICK).state == "done" and kept["LTE"] == every["LTE"]


def test_all_bands_come_back_where_firmware_tells_only_those_that_are_set(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    modem = Rm5xx(bench)
    policy = modem.read
    modem.read = lambda name: "ERROR" if name == "policy_band" else policy(name)  # type: ignore[method-assign]
    bench.start()
    assert bench.run("radio-settings", lte_bands=[3, 7], **QUICK).state == "done"
    form = bench.desk.form("modem1", "radio-settings")["properties"]["lte_bands"]
    assert [one["const"] for one in form["items"]["oneOf"]] == [1, 3, 7, 20]
    job = bench.run("radio-settings", lte_bands=[], **QUICK)
    assert job.result["lte_bands"] == [1, 3, 7, 20] and modem.kept["lte_band"] == "1:3:7:20", job.error


def test_bands_that_were_seen_outlive_the_service_but_not_another_firmware(tmp_path: Path) -> None:
    assert SeenBands(tmp_path).widened("modem1", "A", {"lte_bands": [1, 3]}) == {"lte_bands": [1, 3]}
    assert SeenBands(tmp_path).widened("modem1", "A", {"lte_bands": [3]}) == {"lte_bands": [1, 3]}
    assert SeenBands(tmp_path).widened("modem1", "B", {"lte_bands": [3]}) == {"lte_bands": [3]}
    assert SeenBands(tmp_path).widened("modem2", "A", {"lte_bands": [7]}) == {"lte_bands": [7]}
    (tmp_path / "bands.json").write_text("{broken")
    assert SeenBands(tmp_path).widened("modem1", "A", {"lte_bands": [3]}) == {"lte_bands": [3]}
