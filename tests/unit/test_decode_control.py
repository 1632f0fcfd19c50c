"""Outputs of qmicli and mbimcli with the values they mean, and what both sources say of one modem."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from remsim.core.errors import AtFormatError
from remsim.modems.decode import decode_reply, mbimcli, qmicli
from remsim.modems.decode.outline import outline

FIXTURES = Path(__file__).parents[1] / "fixtures" / "qmi"
ROWS = [json.loads(line) for line in (FIXTURES / "outputs.jsonl").read_text().splitlines()]
PAIRS = [json.loads(line) for line in (FIXTURES / "pairs.jsonl").read_text().splitlines()]
IDS = [row["id"] for row in ROWS]
DECODE = {"qmicli": qmicli.decode_qmicli, "mbimcli": mbimcli.decode_mbimcli}
ACTIONS = [("qmicli", name) for name in qmicli.DECODERS] + [("mbimcli", name) for name in mbimcli.DECODERS]


def decoded(row: dict[str, Any], output: str | None = None) -> dict[str, Any]:
    return DECODE[row["tool"]](row["action"], row["output"] if output is None else output)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_an_output_says_what_was_read_from_it_by_hand_and_nothing_else(row: dict[str, Any]) -> None:
    assert known(decoded(row)) == known(row["expected"])


def known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


@pytest.mark.parametrize("tool_action", ACTIONS, ids=[name for _, name in ACTIONS])
def test_every_decoder_has_an_output_to_prove_it(tool_action: tuple[str, str]) -> None:
    without = ("dms-get-manufacturer", "dms-get-model")  # of the same form as dms-get-revision
    assert tool_action[1] in without or any((row["tool"], row["action"]) == tool_action for row in ROWS)


def test_the_outputs_are_masked() -> None:
    for row in ROWS:
        for number in re.findall(r"(?<![0-9A-F:])\d{14,}", row["output"]):
            assert number.endswith("000000") or number in ("18446744073709551615",), (row["id"], number)


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["id"] for pair in PAIRS])
def test_both_sources_say_the_same_of_a_modem(pair: dict[str, Any]) -> None:
    by_at: dict[str, Any] = {}
    for one in pair["at"]:
        by_at |= decode_reply(one["vendor"], pair["module"], pair["platform"], one["command"], one["reply"])
    by_tool: dict[str, Any] = {}
    for one in pair["control"]:
        by_tool |= decoded(one)
    for path in pair["same"]:
        assert at(by_tool, path) == at(by_at, path), path
    for path, most in pair["near"].items():
        assert abs(at(by_tool, path) - at(by_at, path)) <= most, path
    for path in pair["differs"]:
        assert at(by_tool, path) != at(by_at, path), f"{path}: it differs no more, so it belongs to the same"


def at(values: dict[str, Any], path: str) -> Any:
    for name in path.split("."):
        values = values[name]
    assert values is not None
    return values


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_line_ends_and_trailing_lines_change_no_value(row: dict[str, Any]) -> None:
    values = decoded(row)
    assert decoded(row, row["output"].replace("\n", "\r\n")) == values
    assert decoded(row, f"{row['output']}\nOK\n") == values


@pytest.mark.parametrize("output", ["", "OK", "error: operation failed", "hello\nworld", "'" * 900, "[" * 900])
def test_what_is_no_output_of_the_tool_is_refused(output: str) -> None:
    for tool, action in ACTIONS:
        with pytest.raises(AtFormatError):
            DECODE[tool](action, output)


def test_an_unknown_action_and_an_endless_output_are_refused() -> None:
    for tool, decode in DECODE.items():
        with pytest.raises(AtFormatError):
            decode("nas-get-nothing", "[/dev/cdc-wdm0] Successfully got nothing\n")
        with pytest.raises(AtFormatError):
            decode(ACTIONS[0][1] if tool == "qmicli" else "query-pin-state", "[/dev/cdc-wdm0] PIN info:\n" * 5000)


@given(st.sampled_from(ACTIONS), st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_values_or_a_format_error(tool_action: tuple[str, str], text: str) -> None:
    tool, action = tool_action
    for output in (text, f"[/dev/cdc-wdm0] Successfully got it:\n{text}", f"System type: {text}"):
        try:
            json.dumps(DECODE[tool](action, output), allow_nan=False)
        except AtFormatError:
            pass


@given(st.sampled_from(ROWS), st.data())
@settings(max_examples=400, deadline=None)
def test_a_damaged_output_gives_values_or_a_format_error(row: dict[str, Any], data: st.DataObject) -> None:
    output = row["output"]
    start = data.draw(st.integers(0, len(output)))
    end = data.draw(st.integers(start, min(len(output), start + 60)))
    damaged = output[:start] + data.draw(st.text(max_size=8)) + output[end:]
    try:
        json.dumps(decoded(row, damaged), allow_nan=False)
    except AtFormatError:
        pass


@pytest.mark.parametrize("row", ROWS, ids=IDS)
@pytest.mark.parametrize("sentinel", ["-32768", "4294967295", "18446744073709551615", "9" * 40, "n/a", "(null)", ""])
def test_sentinels_are_unknown_and_never_a_value(row: dict[str, Any], sentinel: str) -> None:
    damaged = re.sub(r"'[+-]?\d+(?:\.\d+)?", f"'{sentinel}", row["output"])
    damaged = re.sub(r": [+-]?\d+", f": {sentinel}", damaged)
    for value in numbers(decoded(row, damaged)):
        assert abs(value) < 200, value


def numbers(value: Any) -> list[float]:
    if isinstance(value, bool):
        return []
    if isinstance(value, int | float):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [number for item in inner for number in numbers(item)]


def test_no_indentation_makes_the_tree_slow_or_deep() -> None:
    text = "\n".join("\t" * depth + f"Level: '{depth}'" for depth in range(900)) + "\n'" * 900
    assert outline(text).inner[0].value == "0"


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("\tDescription: 'O'Two'", "Description", "O'Two"),
        ("\tActive Channel:    '1451'", "Active Channel", "1451"),
        ("Band Information:", "Band Information", ""),
        ("No Secondary Cells", "No Secondary Cells", ""),
        ("[/dev/cdc-wdm0] RSRP/SNR info: 'lte'", "RSRP/SNR info", "lte"),
        ("\tPrimary GW:   slot '1', application '2'", "Primary GW", "slot '1', application '2'"),
    ],
)
def test_a_line_is_a_name_and_a_value(line: str, name: str, value: str) -> None:
    entry = outline(line).inner[0]
    assert (entry.name, entry.value) == (name, value)
