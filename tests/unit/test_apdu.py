"""What counts as an authentication, and what cards answer to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.remotesim.apdu import Judge, channel_of, split
from remsim.remotesim.counts import BUCKETS_S, MOST_FAILURES, Counts, read_file, shown, write_file
from remsim.simulator.remsim.card import VirtualCard

RAND_AUTN = "10" + "a5" * 16 + "10" + "a5" * 16
USIM = "0088008122" + RAND_AUTN
GSM = "a088000010" + "a5" * 16
DB = "db" + "08" + "00" * 8 + "10" + "00" * 16 + "10" + "00" * 16
DC = "dc0e" + "00" * 14


def judged(*exchanges: tuple[str, str]) -> list[str]:
    judge = Judge()
    return [one for pair in exchanges for one in judge.exchange(*(bytes.fromhex(text) for text in pair))]


@pytest.mark.parametrize(
    ("exchanges", "results"),
    [
        ([(USIM, DB + "9000")], ["success"]),
        ([(USIM, DC + "9000")], ["resync"]),
        ([(USIM, "6135"), ("00c0000035", DB + "9000")], ["success"]),
        ([(USIM, "6110"), ("00c0000010", DC + "9000")], ["resync"]),
        ([(USIM, "6135"), ("00c0000000", "6c35"), ("00c0000035", DB + "9000")], ["success"]),
        ([(USIM, "6135"), ("00c0000010", DB[:32] + "6125"), ("00c0000025", DB[32:] + "9000")], ["success"]),
        ([(USIM, "6135"), ("00a40004023f00", "6120")], ["unknown"]),
        ([(USIM, "6135"), ("01c0000035", "6f00")], ["unknown"]),  # another channel's
        ([(USIM, "6135"), ("00c0000035", "6f00")], ["unknown"]),
        ([(USIM, "6135"), (USIM, DB + "9000")], ["unknown", "success"]),
        ([("0188008122" + RAND_AUTN, "6135"), ("01c0000035", DB + "9000")], ["success"]),
        ([("4188008122" + RAND_AUTN, "6135"), ("41c0000035", DB + "9000")], ["success"]),
        ([("0088008022" + RAND_AUTN, "04" + "00" * 4 + "08" + "00" * 8 + "9000")], ["success"]),
        ([("0088008422" + RAND_AUTN, "db" + "08" + "00" * 8 + "9000")], ["success"]),
        ([("0089008122" + RAND_AUTN, "7336" + DB + "9000")], ["success"]),
        ([("0089008122" + RAND_AUTN, "738136" + DB + "9000")], ["success"]),
        ([(GSM, "9f0c")], ["success"]),
        ([(GSM, "9f0c"), ("a0c000000c", "00" * 12 + "9000")], ["success"]),
        ([(GSM, "00" * 12 + "9000")], ["success"]),
        ([(GSM, "9f05")], ["unknown"]),
        *(([(USIM, word)], [word]) for word in ("9862", "9864", "9804", "6982", "6985", "6a86", "6d00", "6e00")),
        ([(USIM, "6c22"), (USIM, DB + "9000")], ["success"]),
        ([(USIM, "9000")], ["unknown"]),
        ([("80f2000016", "00" * 22 + "9000")], []),
        ([("8088008122" + RAND_AUTN, DB + "9000")], []),  # not a card's own class
        ([("00a40004023f00", "6120"), ("00c0000020", "62" * 32 + "9000")], []),
        ([("00", "9000"), (USIM, "")], []),
        ([(USIM, "6135"), ("", "")], ["unknown"]),
    ],
)
def test_results_of_authentications(exchanges: list[tuple[str, str]], results: list[str]) -> None:
    assert judged(*exchanges) == results


@pytest.mark.parametrize("fetches", [True, False])
@pytest.mark.parametrize(
    ("mode", "result"), [("ok", "success"), ("sync_failure", "resync"), ("auth_failure", "9862")]
)
def test_the_virtual_cards_answers(fetches: bool, mode: str, result: str) -> None:
    card, judge, found = VirtualCard(mode=mode, fetches=fetches), Judge(), []
    command = bytes.fromhex(USIM)
    while command:
        answer = card.transceive(command) or b""
        found += judge.exchange(command, answer)
        command = bytes((0, 0xC0, 0, 0, answer[1])) if answer[0] == 0x61 and len(answer) == 2 else b""
    assert found == [result]


@given(st.lists(st.tuples(st.binary(max_size=60), st.binary(max_size=60)), max_size=12))
def test_any_exchange_is_judged_in_few_words(exchanges: list[tuple[bytes, bytes]]) -> None:
    judge = Judge()
    for command, answer in exchanges:
        for result in judge.exchange(command, answer):
            assert result in ("success", "resync", "unknown") or (len(result) == 4 and int(result, 16) > 0)


@given(st.sampled_from([0x88, 0xA4, 0xB0, 0xC0, 0xF2, 0xD6]), st.binary(min_size=1, max_size=255), st.binary())
def test_what_bankd_joins_is_split_again(instruction: int, data: bytes, answer: bytes) -> None:
    takes = instruction in (0x88, 0xA4, 0xD6)
    command = bytes((0, instruction, 0, 0, len(data))) + (data if takes else b"")
    assert split(command + answer + b"\x90\x00") == (command, answer + b"\x90\x00")


@given(st.binary(max_size=300))
def test_any_octets_are_split_or_are_none(joined: bytes) -> None:
    found = split(joined)
    assert found is None or b"".join(found) == joined


def test_channels() -> None:
    assert [channel_of(class_) for class_ in (0x00, 0x03, 0xA0, 0x40, 0x4F, 0x60)] == [0, 3, 0, 4, 19, 4]


def counted(tmp_path: Path) -> dict[str, Any]:
    counts = Counts()
    counts.tpdu_tx, counts.tpdu_rx = 5, 4
    counts.judged(["success", "resync", "9862", "9862", "unknown"])
    counts.delayed(0.004)
    counts.delayed(7.0)
    write_file(tmp_path / "a" / "c.json", counts.as_dict())
    return read_file(tmp_path / "a" / "c.json")


def test_counts_go_on_from_their_file(tmp_path: Path) -> None:
    kept = counted(tmp_path)
    again = Counts.of(kept)
    again.judged(["success"])
    content = shown(again.as_dict(), None)
    assert content["authentications"] == {"success": 2, "resync": 1, "unknown": 1, "failure": {"9862": 2}}
    assert (content["tpdu_tx"], content["tpdu_rx"]) == (5, 4)
    assert content["apdu_seconds"]["buckets"][-1] == ["+Inf", 2]
    assert [0.005, 1] in content["apdu_seconds"]["buckets"]
    assert content["apdu_seconds"]["sum"] == pytest.approx(7.004)
    assert again.as_dict()["since"] == kept["since"]
    assert (tmp_path / "a" / "c.json").stat().st_mode & 0o777 == 0o600


def test_status_words_do_not_become_many_series() -> None:
    counts = Counts()
    counts.judged([f"{number:04x}" for number in range(0x6900, 0x6A00)])
    assert len(counts.failures) == MOST_FAILURES + 1
    assert counts.failures["other"] == 256 - MOST_FAILURES


@pytest.mark.parametrize("change", ["cut", "list", "negative", "word", "buckets", "huge", "gone"])
def test_a_damaged_file_begins_anew(tmp_path: Path, change: str) -> None:
    content = counted(tmp_path)
    path = tmp_path / "a" / "c.json"
    text = json.dumps(content)
    damaged = {
        "cut": text[:50],
        "list": "[1]",
        "negative": json.dumps(content | {"tpdu_tx": -1}),
        "word": json.dumps(content | {"delay_sum_s": "x"}),
        "buckets": json.dumps(content | {"delays": [0] * len(BUCKETS_S)}),
        "huge": " " * 20_000 + text,
        "gone": "",
    }[change]
    path.write_text(damaged)
    assert read_file(path) == {}
