"""Replies with bits, fields, lines and ends lost or doubled (tests/mutations.py): a value or a format error.

The benchmark ``bench_decode.py`` does the same a million times.
"""

from __future__ import annotations

import json
import random
import re

import pytest
from mutations import impossible, mutated
from remsim.core.errors import AtFormatError
from remsim.modems.decode import decode_reply
from remsim.modems.decode.plausible import plausible_values
from replies import CAPTURES, TRANSCRIPTS


@pytest.mark.parametrize("seed", range(4))
def test_damaged_replies_give_possible_values_or_a_format_error(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(600):
        row = rng.choice((*TRANSCRIPTS, *CAPTURES))
        reply = mutated(rng, row["reply"])
        try:
            values = decode_reply(row["vendor"], row["module"], row.get("platform"), row["command"], reply)
        except AtFormatError:
            continue
        json.dumps(values, allow_nan=False)
        assert list(impossible("", values)) == [], (row["command"], reply)


def test_a_number_of_thousands_of_digits_is_unknown_wherever_it_stands() -> None:
    rng = random.Random(5)
    for row in (*TRANSCRIPTS, *CAPTURES):
        runs = list(re.finditer(r"[0-9A-Fa-f]+", row["reply"]))
        for run in rng.sample(runs, min(3, len(runs))):
            reply = row["reply"][: run.end()] + rng.choice("19F") * 5000 + row["reply"][run.end() :]
            try:
                json.dumps(decode_reply(row["vendor"], row["module"], row.get("platform"), row["command"], reply))
            except AtFormatError:
                continue


def test_what_no_cell_can_have_is_unknown_and_what_it_can_have_stays() -> None:
    values = {
        "rsrp_dbm": -999, "pci": 1008, "earfcn": 4294967295, "temperature_c": 38.5, "mcc": "2x2", "mnc": "01",
        "lte_bands": [1, 0, 3, 5000], "nr": {"pci": 1007, "sinr_db": 127}, "rsrp_branches_dbm": [-80, -5],
        "sensors_c": {"3": 41.0, "17": 2000.0}, "counter_bytes": [10**18], "registered": True,
    }  # fmt: skip
    assert plausible_values(values) == {
        "rsrp_dbm": None, "pci": None, "earfcn": None, "temperature_c": 38.5, "mcc": None, "mnc": "01",
        "lte_bands": [1, 3], "nr": {"pci": 1007, "sinr_db": None}, "rsrp_branches_dbm": [-80, None],
        "sensors_c": {"3": 41.0, "17": None}, "counter_bytes": [10**18], "registered": True,
    }  # fmt: skip
