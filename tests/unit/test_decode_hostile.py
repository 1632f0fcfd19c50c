"""No text stops a decoder: it gives values or says AtFormatError; ``decode_line`` answers every line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from remsim.core.errors import AtFormatError
from remsim.modems.decode import RECORDS, decode_line, decode_reply
from remsim.modems.decode.text import split_fields

FIXTURES = Path(__file__).parents[1] / "fixtures" / "at"
ROWS = [
    json.loads(line)
    for name in ("transcripts.jsonl", "captures.jsonl")
    for line in (FIXTURES / name).read_text().splitlines()
]
COMMANDS = sorted({row["command"] for row in ROWS} | {f"AT{name}?" for name in RECORDS} | {"", "ATI", "AT+X"})
MODULES = ("", "RM520N-GL", "EC25", "EM7565", "FM350-GL", "FM150", "L850-GL", "RM500U unisoc")

fields = st.one_of(
    st.sampled_from(
        [
            *("", "-", "--", "0", "1", "2", "4", "9", "-32768", "255", "FFFF", "0x7FFFFFFF", "1e999", "NaN", '"'),
            *('"LTE"', '"NR5G-SA"', '"NR5G-NSA"', '"GSM"', '"WCDMA"', '"servingcell"', '"neighbourcell"'),
            *('"PCC"', '"SCC"', '"NOCONN"'),
        ],
    ),
    st.integers(-(10**30), 10**30).map(str),
    st.text(max_size=6),
)


def decoded(module: str, command: str, reply: str) -> dict[str, Any] | None:
    """The values, or None for AtFormatError; everything else fails the test."""
    try:
        values = decode_reply("quectel", module, None, command, reply)
    except AtFormatError:
        return None
    json.dumps(values, allow_nan=False)
    return values


@given(st.sampled_from(MODULES), st.sampled_from(COMMANDS), st.text(max_size=400))
@example("", "AT+CGPADDR=1", "+CGPADDR: 1,1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.999")
@example("", "AT!USBCOMP?", "!USBCOMP: nothing")
@settings(max_examples=300, deadline=None)
def test_any_text_gives_values_or_a_format_error(module: str, command: str, reply: str) -> None:
    decoded(module, command, reply)


@given(st.sampled_from(MODULES), st.sampled_from(sorted(RECORDS)), st.lists(st.lists(fields, max_size=24), max_size=4))
@settings(max_examples=600, deadline=None)
def test_any_fields_behind_a_known_prefix_give_values_or_a_format_error(
    module: str, name: str, rows: list[list[str]]
) -> None:
    reply = "\r\n".join(f"{name}: {','.join(row)}" for row in rows)
    for command in (f"AT{name}?", f"AT{name}=?", f"AT{name}"):
        decoded(module, command, reply)


@given(st.sampled_from(ROWS), st.data())
@settings(max_examples=400, deadline=None)
def test_a_damaged_reply_gives_values_or_a_format_error(row: dict[str, Any], data: st.DataObject) -> None:
    reply = row["reply"]
    at = data.draw(st.integers(0, len(reply)))
    end = data.draw(st.integers(at, len(reply)))
    decoded(row["module"], row["command"], reply[:at] + data.draw(st.text(max_size=8)) + reply[end:])


@given(st.text())
@settings(max_examples=300, deadline=None)
def test_fields_are_cut_without_losing_their_number(body: str) -> None:
    assert len(split_fields(body)) >= 1


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape"))))
@settings(max_examples=300, deadline=None)
def test_any_line_is_answered_with_one_json_object(line: str) -> None:
    answer = decode_line(line)
    assert "\n" not in answer
    assert isinstance(json.loads(answer)["ok"], bool)


BAD_LINES = {
    "not json": "AT+CSQ",
    "empty": "",
    "null": "null",
    "number": "17",
    "list": "[1,2]",
    "infinity": '{"command":"AT+CSQ","reply":Infinity}',
    "no command": '{"reply":"+CSQ: 1,1"}',
    "no reply": '{"command":"AT+CSQ"}',
    "reply is a number": '{"command":"AT+CSQ","reply":7}',
    "command is null": '{"command":null,"reply":"+CSQ: 1,1"}',
    "deep": "[" * 100_000,
    "deep object": '{"a":' * 5_000 + "1" + "}" * 5_000,
    "nothing in it": '{"command":"AT+CSQ","reply":""}',
    "another command's text": '{"command":"AT+CSQ","reply":"hello"}',
    "a huge number": '{"command":"AT+CSQ","reply":"+CSQ: 1"}'.replace("7", "9" * 5_000) + "9" * 5_000,
}


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_is_told_what_is_wrong(line: str) -> None:
    answer = json.loads(decode_line(line))
    assert answer["ok"] is False
    assert answer["error"]
    assert "Traceback" not in answer["error"]


@pytest.mark.parametrize("name", ["vendor", "module", "platform"])
@pytest.mark.parametrize("value", [None, 7, [], {}, True])
def test_a_line_without_a_usable_vendor_module_or_platform_is_decoded_all_the_same(name: str, value: object) -> None:
    line = {"vendor": "quectel", "module": "EC25", "platform": "", "command": "AT+CSQ", "reply": "+CSQ: 18,99\r\nOK"}
    assert json.loads(decode_line(json.dumps(line | {name: value})))["values"]["csq"] == 18


def test_a_megabyte_without_a_newline_is_refused_quickly() -> None:
    for text in ("A" * 1_000_000, "+CSQ: " * 170_000, '"' * 1_000_000, "+QENG: " + "," * 1_000_000):
        assert json.loads(decode_line(json.dumps({"command": "AT+CSQ", "reply": text})))["ok"] is False


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_no_pattern_of_a_decoder_needs_more_than_linear_time(name: str) -> None:
    # A pattern that backtracks would take minutes on these; the run's time limit is the assertion.
    for filler in ("a:", " ", "1,", "PCC:1,", "A 1 - ", "LTE  ", "\t: ", '","', "(1-", "-1.-"):
        decoded("", f"AT{name}?", f"{name}: {filler * (60_000 // len(filler))}")


def test_the_command_line_answers_each_line_and_survives_bytes_that_are_no_text() -> None:
    lines = [
        b'{"vendor":"quectel","module":"EC25","command":"AT+CSQ","reply":"+CSQ: 18,99"}',
        b"\xff\xfe\x00garbage",
        b'{"command":"AT+CSQ","reply":"\\ud800"}',
        b'{"vendor":"sierra","module":"EM7565","command":"AT!UIMS?","reply":"!UIMS: 1"}',
    ]
    run = subprocess.run(
        [sys.executable, "-m", "remsim", "at", "decode"],
        input=b"\n".join(lines) + b"\n",
        capture_output=True,
        timeout=60,
    )
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert run.returncode == 0, run.stderr
    assert [answer["ok"] for answer in answers] == [True, False, False, True]
    assert answers[3]["values"]["sim_slot"] == 2
