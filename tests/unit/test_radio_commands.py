"""What a family's commands say is what its answers tell: any choice of bands comes back as it was chosen."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from remsim.modems.decode import decode_reply
from remsim.modems.drivers import driver_for
from remsim.modems.drivers.abilities import Answers, Cell, RadioPreferences
from remsim.modems.drivers.fibocom_radio import GtactPreferences, XactPreferences
from remsim.modems.drivers.masks import mask_of, words
from remsim.modems.drivers.quectel_radio import LTE_BANDS, LtePreferences, NrCellLock, NrPreferences
from remsim.modems.drivers.sierra_radio import SierraPreferences

LTE = (*range(1, 6), 7, 8, 12, 13, 14, 17, 18, 19, 20, 25, 26, 28, 29, 30, 32, 34, *range(38, 44), 46, 48, 66, 71)
NR = (1, 2, 3, 5, 7, 8, 20, 25, 28, 30, 38, 40, 41, 48, 66, 71, 77, 78, 79)
SAFE = re.compile(r'AT[+!^][A-Z]+(=[A-Za-z0-9",:/_]*)?')


def some(bands: Iterable[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(sorted(bands)), min_size=1, unique=True).map(sorted)


def answers_of(vendor: str, module: str, platform: str, told: dict[str, str]) -> Answers:
    return {command: decode_reply(vendor, module, platform, command, f"{text}\nOK") for command, text in told.items()}


def lines(commands: list[str]) -> list[str]:
    for command in commands:
        assert SAFE.fullmatch(command) and len(command) <= 1024, command
    return commands


def listed(numbers: Iterable[int], form: str) -> str:
    return ",".join(form.format(number) for number in numbers)


@given(some(LTE), some(NR), st.sampled_from(["auto", "lte", "nr", "lte_nr"]))
def test_fibocom_s_codes(lte: list[int], nr: list[int], mode: str) -> None:
    preferences = GtactPreferences()
    bands = f"(),(1,8),({listed(LTE, '1{:02}')}),(),(),({listed(NR, '50{}')})"
    choices = f"+GTACT: (1,2,4,10,14,16,17,20),(2,3,6),(2,3,6),{bands}"
    held = {"AT+GTACT=?": choices, "AT+GTACT?": "+GTACT: 20,6,3,1,101,501"}
    before = answers_of("fibocom", "FM350-GL", "mediatek", held)
    [command] = lines(preferences.commands({"mode": mode, "lte_bands": lte, "nr_bands": nr}, before))
    told = {"AT+GTACT=?": choices, "AT+GTACT?": f"+GTACT: {command.removeprefix('AT+GTACT=')}"}
    state = preferences.state(answers_of("fibocom", "FM350-GL", "mediatek", told))
    assert state["mode"] == mode
    assert state.get("lte_bands", lte) == lte and state.get("nr_bands", nr) == nr
    assert ("lte_bands" in state) == (mode != "nr") and ("nr_bands" in state) == (mode != "lte")


@given(some(LTE))
def test_intel_s_codes(lte: list[int]) -> None:
    preferences = XactPreferences()
    offered = f"+XACT: (0-6),(0-2),0,1,8,{listed(LTE, '1{:02}')}"
    before = answers_of("fibocom", "L850-GL", "XMM7360", {"AT+XACT=?": offered, "AT+XACT?": "+XACT: 4,2,1,1,8,101"})
    [command] = lines(preferences.commands({"mode": "lte", "lte_bands": lte}, before))
    told = {"AT+XACT=?": offered, "AT+XACT?": f"+XACT: {command.removeprefix('AT+XACT=')}"}
    state = preferences.state(answers_of("fibocom", "L850-GL", "XMM7360", told))
    assert state == {"mode": "lte", "umts_bands": [1, 8], "lte_bands": lte}


@given(some(LTE), some(NR))
def test_quectel_s_lists(lte: list[int], nr: list[int]) -> None:
    preferences = NrPreferences()
    kept = {"lte_band": "1", "nsa_nr5g_band": "78", "nr5g_band": "78", "mode_pref": "AUTO"}

    def told() -> Answers:
        rows = {f'AT+QNWPREFCFG="{name}"': f'+QNWPREFCFG: "{name}",{text}' for name, text in kept.items()}
        return answers_of("quectel", "RM520N-GL", "SDX62", rows)

    for command in lines(preferences.commands({"mode": "lte_nr", "lte_bands": lte, "nr5g_bands": nr}, told())):
        name, text = command.removeprefix("AT+QNWPREFCFG=").split(",", 1)
        kept[name.strip('"')] = text
    state = preferences.state(told())
    assert (state["mode"], state["lte_bands"], state["nr5g_bands"]) == ("lte_nr", lte, nr)
    assert state["nsa_nr5g_bands"] == [78]


@given(some(LTE_BANDS["EM12G"]))
def test_quectel_s_masks(lte: list[int]) -> None:
    preferences = LtePreferences()

    def told(band: str) -> Answers:
        rows = {"AT+CGMR": "EM12GPAR01A21M4G", 'AT+QCFG="band"': f'+QCFG: "band",{band}'}
        return answers_of("quectel", "EM12-G", "MDM9x50", rows)

    [command] = lines(preferences.commands({"lte_bands": lte}, told("0x5af0,0x2000001e0bb1f39df,0x0")))
    gw, mask, tds, effect = command.removeprefix('AT+QCFG="band",').split(",")
    assert (gw, tds, effect) == ("5af0", "0", "1")
    assert preferences.state(told(f"0x{gw},0x{mask},0x{tds}"))["lte_bands"] == lte


@given(some(set(LTE) - {29, 46}), st.sampled_from(["MDM9x30", "MDM9x50"]))
def test_sierra_s_columns(lte: list[int], platform: str) -> None:
    preferences = SierraPreferences(platform)
    heads = {"MDM9x30": ("GW", "L", "TDS"), "MDM9x50": ("GW", "L", "L", "TDS", "L", "L")}[platform]
    numbers = iter([" 1", " 2", " 3", " 4"] if platform == "MDM9x50" else [""])
    head = "  ".join(f"{kind} Band Mask{next(numbers) if kind == 'L' else ''}" for kind in heads)
    every = [1, *(mask for mask in lte if platform == "MDM9x50" or mask <= 64)]
    wanted = [band for band in lte if platform == "MDM9x50" or band <= 64] or [1]

    def row(index: str, masks: list[str]) -> str:
        return f"{index}, {'a name':<30}{' '.join(masks)}"

    gw, none = f"{0x0002000007C00000:016X}", f"{0:016X}"
    lte_words = words(mask_of({*LTE, *every}), 4)
    full = [gw, *lte_words[:1], none] if platform == "MDM9x30" else [gw, *lte_words[:2], none, *lte_words[2:]]

    def told(current: str) -> Answers:
        rows = {"AT!BAND=?": f"Index, Name, {head}\n{row('00', full)}", "AT!BAND?": f"Index, Name, {head}\n{current}"}
        return answers_of("sierra", "MC7455", platform, rows)

    commands = lines(preferences.commands({"lte_bands": wanted}, told(row("00", full))))
    if commands == ["AT!BAND=00"]:
        return
    definition, choice = commands
    assert choice == "AT!BAND=10"
    masks = definition.split('"remsim",')[1].split(",")
    state = preferences.state(told(row("10", masks)))
    assert state["lte_bands"] == wanted and state["umts_bands"] == [1, 2, 3, 4, 5, 8]


@given(st.lists(st.tuples(st.integers(0, 262_143), st.integers(0, 503)), max_size=10, unique=True))
def test_quectel_s_cells(pairs: list[tuple[int, int]]) -> None:
    lock = NrCellLock()
    cells = [Cell("LTE", channel, pci) for channel, pci in pairs]
    held = {"LTE": [Cell("LTE", 1, 503)], "NR": []}
    commands = lines(lock.commands({"LTE": cells, "NR": []}, held))
    if not commands:
        assert cells == held["LTE"]
        return
    told = commands[0].removeprefix('AT+QNWLOCK="common/4g",')
    answers = answers_of("quectel", "RM520N-GL", "SDX62", {'AT+QNWLOCK="common/4g"': f'+QNWLOCK: "common/4g",{told}'})
    assert lock.state(answers)["LTE"] == cells


@given(st.text(max_size=12))
def test_any_text_is_a_cell_or_refused(text: str) -> None:
    for rat in ("LTE", "NR"):
        try:
            cell = Cell.parse(rat, text)
        except ValueError:
            continue
        assert Cell.parse(rat, str(cell)) == cell


def test_preferences_are_a_session_s_own() -> None:
    first, second = driver_for("fibocom", "FM350-GL", "mediatek"), driver_for("fibocom", "FM350-GL", "mediatek")
    assert isinstance(first.radio_preferences, RadioPreferences)
    assert first.radio_preferences is not second.radio_preferences
