"""Every decoder against real replies with the values they mean (tests/fixtures/at/README.md)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from replies import CAPTURES, TRANSCRIPTS, decoded, judge


def test_at_least_98_percent_of_the_values_are_right_and_at_most_half_a_percent_wrong() -> None:
    rows = [row for row in TRANSCRIPTS if row["vendor"] in ("quectel", "sierra", "fibocom")]
    verdicts = [verdict for row in rows for verdict in judge(row)]
    score = Counter(verdict for verdict, _ in verdicts)
    told = "\n".join(what for verdict, what in verdicts if verdict != "right")
    assert score.total() > 900
    assert score["right"] >= 0.98 * score.total(), told
    assert score["wrong"] <= 0.005 * score.total(), told


@pytest.mark.parametrize("row", CAPTURES, ids=[row["id"] for row in CAPTURES])
def test_every_value_of_a_capture_is_right(row: dict[str, Any]) -> None:
    assert [what for verdict, what in judge(row) if verdict != "right"] == []


@pytest.mark.parametrize("row", CAPTURES, ids=[row["id"] for row in CAPTURES])
def test_no_list_of_a_capture_has_more_entries_than_the_modem_named(row: dict[str, Any]) -> None:
    values = decoded(row)["values"]
    for name, wanted in row["expected"].items():
        if isinstance(wanted, list):
            assert len(values[name]) == len(wanted), name


@pytest.mark.parametrize("row", TRANSCRIPTS, ids=[row["id"] for row in TRANSCRIPTS])
def test_every_line_is_decoded(row: dict[str, Any]) -> None:
    assert decoded(row)["ok"] is True


@pytest.mark.parametrize("row", TRANSCRIPTS, ids=[row["id"] for row in TRANSCRIPTS])
def test_the_kind_of_line_end_does_not_matter(row: dict[str, Any]) -> None:
    other_ends = row["reply"].replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\r\n")
    assert decoded(row | {"reply": other_ends})["values"] == decoded(row)["values"]


def test_the_transcripts_are_masked() -> None:
    for row in (*TRANSCRIPTS, *CAPTURES):
        for name in ("imei", "imsi", "iccid"):
            assert row["expected"].get(name, "0000").endswith("0000"), row["id"]


@pytest.mark.parametrize("row", [*TRANSCRIPTS, *CAPTURES], ids=[row["id"] for row in [*TRANSCRIPTS, *CAPTURES]])
def test_lines_joined_by_blanks_mean_the_same(row: dict[str, Any]) -> None:
    assert decoded(row | {"reply": " ".join(row["reply"].split())})["values"] == decoded(row)["values"]


URCS = ("+CGEV: ME PDN ACT 1", "RING", '+QIND: "csq",20,99', "+ESIMS: 0,1")


@pytest.mark.parametrize("row", [*TRANSCRIPTS, *CAPTURES], ids=[row["id"] for row in [*TRANSCRIPTS, *CAPTURES]])
def test_unsolicited_lines_in_the_middle_change_no_value(row: dict[str, Any]) -> None:
    lines = row["reply"].replace("\r", "").split("\n")
    noisy = "\n".join(line for at, own in enumerate(lines) for line in (own, URCS[at % len(URCS)]))
    values, others = decoded(row)["values"], decoded(row | {"reply": noisy})["values"]
    assert {**others, "urcs": None} == {**values, "urcs": None}


@pytest.mark.parametrize("row", [*TRANSCRIPTS, *CAPTURES], ids=[row["id"] for row in [*TRANSCRIPTS, *CAPTURES]])
def test_an_echo_changes_no_value(row: dict[str, Any]) -> None:
    assert decoded(row | {"reply": f"{row['command']}\r\r\n{row['reply']}"})["values"] == decoded(row)["values"]


PREFIX = re.compile(r"(?:^|(?<=[\r\n ]))[+!*^][A-Z0-9]+(?= ?:)")
# Two names of a model that nothing but quotes holds apart.
NEEDS_QUOTES = ("fi-gmm", "fi-fm350-fmm")
SPELLINGS: dict[str, Callable[[str], str]] = {
    "prefixes in small letters": lambda reply: PREFIX.sub(lambda found: found[0].lower(), reply),
    "no blank behind the colon": lambda reply: re.sub(r"(?m)^([+!][A-Z0-9]+): ", r"\1:", reply),
    "a blank before the colon": lambda reply: re.sub(r"(?m)^([+!][A-Z0-9]+): ?", r"\1 : ", reply),
    "blanks behind the commas": lambda reply: re.sub(r",(?! )", ", ", reply),
    "fields without quotes": lambda reply: reply.replace('"', ""),
    "carriage returns alone": lambda reply: reply.replace("\r", "").replace("\n", "\r"),
    "zero bytes before line ends": lambda reply: reply.replace("\n", "\x00\r\n"),
    "tabs before lines": lambda reply: reply.replace("\r", "").replace("\n", "\n\t"),
    "the OK of the command before": lambda reply: f"OK\r\n{reply}",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_spelling_of_a_reply_changes_no_value(spelling: str) -> None:
    for row in (*TRANSCRIPTS, *CAPTURES):
        if spelling == "fields without quotes" and row["id"] in NEEDS_QUOTES:
            continue
        values, others = decoded(row)["values"], decoded(row | {"reply": SPELLINGS[spelling](row["reply"])})["values"]
        assert {**others, "urcs": None} == {**values, "urcs": None}, row["id"]


@pytest.mark.parametrize("late", ["+CSQ: 5,99", "\r\n+CSQ: 5,99\r\n\r\nOK\r\n"])
def test_the_late_answer_to_another_command_is_no_value_of_this_one(late: str) -> None:
    for row in (*TRANSCRIPTS, *CAPTURES):
        if "CSQ" not in row["command"].upper():
            others = decoded(row | {"reply": f"{late}\r\n{row['reply']}"})["values"]
            assert {**others, "urcs": None} == {**decoded(row)["values"], "urcs": None}, row["id"]


@pytest.mark.parametrize(("pci", "rsrp"), [("1200", "-5"), ("-1", "-32768"), ("", "-"), ("4294967295", "255")])
def test_what_no_cell_can_have_is_left_out(pci: str, rsrp: str) -> None:
    reply = f'+QENG: "servingcell","NOCONN","LTE","FDD",262,01,1A2D001,{pci},1300,3,5,5,1A2B,{rsrp},-9,-60,13,0,-,30'
    values = decoded(
        {"vendor": "quectel", "module": "RM520N-GL", "command": 'AT+QENG="servingcell"', "reply": reply},
    )["values"]
    assert (values["pci"], values["rsrp_dbm"], values["rsrq_db"]) == (None, None, -9)


def test_the_operators_of_a_search_end_at_the_empty_fields() -> None:
    reply = '+COPS: (2,"Telekom.de","TDG","26201",7), , (0,1,2,3,4), (0,1,2)'
    values = decoded({"vendor": "quectel", "command": "AT+COPS=?", "reply": reply})["values"]
    assert [operator["plmn"] for operator in values["operators"]] == ["26201"]


def test_the_prompt_of_routeros_changes_no_value() -> None:
    for row in (*TRANSCRIPTS, *CAPTURES):
        others = decoded(row | {"reply": f"  output: {row['reply'].lstrip()}"})["values"]
        assert others == decoded(row)["values"], row["id"]


def test_the_second_address_of_a_context_adds_its_name_servers() -> None:
    reply = (
        '+CGCONTRDP: 1,5,"internet","10.20.30.40.255.255.255.0","10.20.30.1","192.0.2.1","192.0.2.2"\r\n'
        '+CGCONTRDP: 1,5,"internet","32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.2","","32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1"'
    )
    values = decoded({"vendor": "quectel", "command": "AT+CGCONTRDP=1", "reply": reply})["values"]
    assert values["pdn"] == {
        "1": {"apn": "internet", "address": "10.20.30.40", "dns": ["192.0.2.1", "192.0.2.2", "2001:db8::1"]},
    }
