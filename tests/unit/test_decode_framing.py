"""What terminals, logs and web pages put around a reply changes no value."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from remsim.modems.decode import decode_reply
from remsim.modems.decode.framing import unwrapped
from replies import CAPTURES, TRANSCRIPTS, decoded


def lines(reply: str) -> str:
    return reply.replace("\r", "")


def as_python_prints(reply: str) -> str:
    return "".join(repr(line.encode()) for line in reply.splitlines(keepends=True))


def before_each_line(margin: str) -> Callable[[str], str]:
    return lambda reply: re.sub(r"(?m)^(?=.)", margin, lines(reply))


FRAMES: dict[str, Callable[[str], str]] = {
    "a time": before_each_line("[12:03:04.123] "),
    "a date": before_each_line("2024-05-06 12:03:04: "),
    "the mark of a quotation": before_each_line("> "),
    "an arrow": before_each_line("<-- "),
    "a time and an arrow": before_each_line("12:03:04 << "),
    "a mark of order": lambda reply: f"\ufeff{reply}",
    "blanks of a web page": lambda reply: reply.replace(" ", "\xa0"),
    "colours": lambda reply: f"\x1b[0;32m{reply}\x1b[0m",
    "line ends written out": lambda reply: lines(reply).replace("\n", "\\r\\n"),
    "bytes as Python prints them": lambda reply: repr(f"{reply}\r\n".encode()) if reply.isascii() else reply,
    "lines as Python prints them": lambda reply: as_python_prints(f"{reply}\r\n") if reply.isascii() else reply,
    "a log of ModemManager": lambda reply: (
        "[1700000000.1] [modem0/ttyUSB2/at] --> 'AT+CPIN?<CR>'\n"
        "[1700000000.2] [modem0/ttyUSB2/at] <-- '<CR><LF>"
        + lines(reply).replace("\n", "<CR><LF>")
        + "<CR><LF>OK<CR><LF>'"
    ),
    "mmcli": lambda reply: f"response: '{lines(reply).strip()}'\n",
    "curly quotes": lambda reply: re.sub(r'"([^"]*)("?)', r"“\1”", reply),
}


@pytest.mark.parametrize("frame", FRAMES)
def test_the_frame_around_a_reply_changes_no_value(frame: str) -> None:
    for row in (*TRANSCRIPTS, *CAPTURES):
        if row["reply"].startswith("response:"):
            continue  # has its frame
        framed = row | {"reply": FRAMES[frame](row["reply"])}
        values, others = decoded(row).get("values"), decoded(framed).get("values")
        if values and "ok" not in values and others:
            others.pop("ok", None)
        assert others == values, row["id"]


@pytest.mark.parametrize(
    "reply",
    [
        "<Config Type> - 0:reserved\n1:Generic",
        "> +CSQ: 20,99\n+CREG: 0,1",
        '+CUSD: 0,"“5 EUR”",15',
        "12:30 is the time",
    ],
)
def test_what_only_looks_like_a_frame_stays(reply: str) -> None:
    assert unwrapped(reply) == reply


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("ATI", "Manufacturer: Fibocom Wireless Inc.\nModel: FM350-GL\nRevision: 81600.0000\nSVN: 08\n\nIMEI: ####"),
        ("AT+CGMI;+CGMM;+CGMR;+CGSN", "Fibocom Wireless Inc.\n\nFM350-GL\n\n81600.0000\n\n ####"),
    ],
)
def test_an_identity_is_read_as_mmcli_prints_it(command: str, reply: str) -> None:
    # github.com/4IceG/luci-app-modemdata issue 26; the poster hid the IMEI
    values = decode_reply("fibocom", "FM350-GL", None, command, f"response: '{reply}'")
    identity = ("Fibocom Wireless Inc.", "FM350-GL", "81600.0000", None)
    assert tuple(values.get(name) for name in ("manufacturer", "model", "revision", "imei")) == identity


def test_an_unsolicited_line_of_a_log_is_read_too() -> None:
    assert decode_reply("fibocom", "FM350-GL", None, "", "12:00:01 <-- +CREG: 1")["registered"] is True


@pytest.mark.parametrize("filler", [" ", "> ", "12:00:00 ", "response: '", "<CR>", "<-- '", "\x1b[", "\\n", "\n", "“"])
def test_no_frame_needs_more_than_linear_time(filler: str) -> None:
    # A pattern that backtracks would take minutes on these; the run's time limit is the assertion.
    for head in ("", "response: '", "<CR> <-- '", "12:00:00 "):
        unwrapped(head + filler * (100_000 // len(filler)))
