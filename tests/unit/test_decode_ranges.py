"""What a decoder says can be true: other numbers in real replies, and for other modules, give nothing impossible."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from remsim.core.errors import AtFormatError
from remsim.modems.decode import RECORDS, decode_reply

FIXTURES = Path(__file__).parents[1] / "fixtures" / "at"
ROWS = [
    json.loads(line)
    for name in ("transcripts.jsonl", "captures.jsonl")
    for line in (FIXTURES / name).read_text().splitlines()
]
MODULES = {
    "quectel": ("RM520N-GL", "RM500U-CNV", "EC25", "EM12-G", "BG96", "EC200A"),
    "sierra": ("EM7565", "MC7455", "EM9191"),
    "fibocom": ("FM350-GL", "FM150-AE", "L860-GL"),
    "thales": ("PLS8-E", "MV31-W"),
}

RANGES: dict[str, tuple[float, float]] = {
    "rsrp_dbm": (-160, -20),
    "rsrp_branches_dbm": (-160, -20),
    "rsrq_db": (-45, 25),
    "rsrq_branches_db": (-45, 25),
    "sinr_db": (-30, 60),
    "sinr_branches_db": (-30, 60),
    "rssi_dbm": (-140, 0),
    "rscp_dbm": (-140, -10),
    "ecio_db": (-50, 5),
    "tx_power_dbm": (-100, 50),
    "temperature_c": (-60, 150),
    "sensors_c": (-60, 150),
    "pmic_c": (-60, 150),
    "xo_c": (-60, 150),
    "pa_c": (-60, 150),
    "voltage_mv": (100, 60_000),
    "pci": (0, 1007),
    "psc": (0, 511),
    "band": (1, 1023),
    "earfcn": (0, 262_143),
    "arfcn": (0, 3_279_165),
    "uarfcn": (0, 16_383),
    "tac": (0, 0xFFFFFF),
    "lac": (0, 0xFFFF),
    "cell_id": (0, 2**36 - 1),
    "bsic": (0, 63),
    "bw_dl_mhz": (1.4, 2000),
    "bw_ul_mhz": (1.4, 2000),
    "scs_khz": (15, 240),
    "csq": (0, 31),
    "ber": (0, 7),
    "cqi": (0, 15),
    "pin_tries_left": (0, 10),
    "puk_tries_left": (0, 10),
    "sim_slot": (0, 8),
    "reject_cause": (1, 255),
    **dict.fromkeys(("bands", "lte_bands", "nr5g_bands", "nsa_nr5g_bands", "umts_bands"), (1, 1023)),
}

NUMBERS = st.one_of(
    st.sampled_from(["0", "-0", "1", "-1", "99", "255", "503", "504", "1007", "1008", "-32768", "32767", "65535"]),
    st.sampled_from(["2147483647", "-273", "150", "151", "-44", "-140", "5", "12", "FFFFFFF", "0xFFFFFFFF", "-", ""]),
    st.integers(-(2**40), 2**40).map(str),
    st.integers(-300, 300).map(str),
    st.floats(-500, 500).map(lambda number: f"{number:.1f}"),
)
TOKEN = re.compile(r"-?\b[0-9A-F]*\d[0-9A-F.]*\b")


def leaves(values: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Each single value with the name of what holds it."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield from leaves(value, key if key in RANGES or isinstance(value, (dict, list)) else name)
    elif isinstance(values, list):
        for value in values:
            yield from leaves(value, name)
    else:
        yield name, values


def check(vendor: str, module: str, platform: str | None, command: str, reply: str) -> None:
    """Whatever is decoded is in its range."""
    try:
        values = decode_reply(vendor, module, platform, command, reply)
    except AtFormatError:
        return
    for name, value in leaves(values):
        if name in RANGES and value is not None and not isinstance(value, (str, bool)):
            low, high = RANGES[name]
            assert low <= value <= high, (name, value, module, command, reply)
    for name in ("mcc", "mnc"):
        if values.get(name) is not None:
            assert re.fullmatch(r"\d{1,3}", values[name]), (name, values[name], reply)


@given(st.sampled_from(ROWS), st.data())
@settings(max_examples=800, deadline=None)
def test_other_numbers_in_a_reply_give_nothing_impossible(row: dict[str, Any], data: st.DataObject) -> None:
    tokens = list(TOKEN.finditer(row["reply"]))
    reply = row["reply"]
    if tokens:
        places = st.lists(st.sampled_from(tokens), min_size=1, max_size=4, unique_by=lambda token: token.start())
        for token in sorted(data.draw(places), key=lambda token: -token.start()):
            reply = reply[: token.start()] + data.draw(NUMBERS) + reply[token.end() :]
    module = data.draw(st.sampled_from((row["module"], *MODULES.get(row["vendor"], ("",)))))
    check(row["vendor"], module, row.get("platform"), row["command"], reply)


@given(
    st.sampled_from(sorted(MODULES)), st.sampled_from(sorted(RECORDS)), st.lists(NUMBERS, max_size=22), st.data()
)
@settings(max_examples=500, deadline=None)
@example("quectel", "+QNWINFO", ["1"], None)
def test_numbers_alone_behind_a_known_name_give_nothing_impossible(
    vendor: str, name: str, numbers: list[str], data: st.DataObject | None
) -> None:
    module = data.draw(st.sampled_from(MODULES[vendor])) if data else ""
    for command in (f"AT{name}?", f"AT{name}", f"AT{name}=1"):
        check(vendor, module, None, command, f"{name}: {','.join(numbers)}\r\nOK")
