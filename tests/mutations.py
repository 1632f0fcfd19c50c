"""Damage to replies, as lines, logs and programs in between do it, and what no modem can measure."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

SENTINELS = (
    *("", "-", "--", "---", "0", "-0", "99", "255", "-32768", "-1", "65535", "FFFF", "FFFFFFFF", "0x7FFFFFFF"),
    *("4294967295", "NaN", "inf", "1e308", "00", "-140", "32767", '"', '""', "(0-4)", "٣", "\N{DEGREE SIGN}"),
)
SEPARATORS = ",;:|. \t\r\n\x00"
URCS = (
    "+CGEV: ME PDN ACT 1",
    "RING",
    '+QIND: "csq",20,99',
    "+ESIMS: 0,1",
    "+CREG: 1",
    "OK",
    "+CME ERROR: 14",
    "NO CARRIER",
)

Random = random.Random


def flip_bit(rng: Random, text: str) -> str:
    """One bit of one character."""
    at = rng.randrange(len(text))
    return text[:at] + chr(ord(text[at]) ^ 1 << rng.randrange(8)) + text[at + 1 :]


def truncate(rng: Random, text: str) -> str:
    """Beginning or end lost."""
    at = rng.randrange(len(text))
    return text[at:] if rng.random() < 0.3 else text[:at]


def join_lines(rng: Random, text: str) -> str:
    """Line ends lost, or turned into blanks."""
    return re.sub(r"[\r\n]+", lambda match: rng.choice(("", " ", match[0])), text)


def change_field(rng: Random, text: str) -> str:
    """A field twice, gone, huge, or a sentinel."""
    fields = list(re.finditer(r"[^,:\s\"]+", text))
    if not fields:
        return text
    field = rng.choice(fields)
    huge = str(rng.choice((1, -1)) * rng.randrange(10 ** rng.randrange(1, 40)))
    if rng.random() < 0.02:  # past the length Python's int() takes
        huge = rng.choice("19F") * 5000
    new = rng.choice((f"{field[0]},{field[0]}", "", huge, huge, rng.choice(SENTINELS), rng.choice(SENTINELS)))
    return text[: field.start()] + new + text[field.end() :]


def remove_field(rng: Random, text: str) -> str:
    """A field with its comma gone, so that those behind it shift."""
    fields = list(re.finditer(r",[^,\n]*", text))
    if not fields:
        return text
    field = rng.choice(fields)
    return text[: field.start()] + text[field.end() :]


def swap_separator(rng: Random, text: str) -> str:
    """One separator turned into another."""
    at = [match.start() for match in re.finditer(r"[,;:|. \t\r\n]", text)]
    if not at:
        return text
    where = rng.choice(at)
    return text[:where] + rng.choice(SEPARATORS) + text[where + 1 :]


def change_lines(rng: Random, text: str) -> str:
    """A line twice, gone, elsewhere, or an unsolicited one between two."""
    lines = text.split("\n")
    at, to = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(4)
    if kind == 0:
        lines.insert(to, lines[at])
    elif kind == 1:
        del lines[at]
    elif kind == 2:
        lines[at], lines[to] = lines[to], lines[at]
    else:
        lines.insert(at, rng.choice(URCS))
    return "\n".join(lines)


MUTATIONS: tuple[Callable[[Random, str], str], ...] = (
    flip_bit, truncate, join_lines, change_field, change_field, remove_field, swap_separator, change_lines,
)  # fmt: skip


def mutated(rng: Random, reply: str) -> str:
    """The reply with one to four damages."""
    for _ in range(rng.choice((1, 1, 2, 3, 4))):
        if not reply:
            break
        reply = rng.choice(MUTATIONS)(rng, reply)
    return reply


POSSIBLE: tuple[tuple[str, float, float], ...] = (
    (r"rsrp(_.+)?_dbm", -160, -20),
    (r"rssi(_.+)?_dbm", -150, 0),
    (r"rscp(_.+)?_dbm", -150, 0),
    (r"rsrq(_.+)?_db", -60, 30),
    (r"(sinr|snr)(_.+)?_db", -60, 60),
    (r"ecio(_.+)?_db", -60, 10),
    (r"tx_power(_.+)?_dbm", -128, 60),
    (r"(.+_)?temperature(_.+)?_c|sensors_c", -90, 200),
    (r"(.+_)?voltage(_.+)?_mv", 0, 100_000),
    (r"pci", 0, 1007),
    (r"psc", 0, 511),
    (r"(ul_|dl_)?earfcn", 0, 262_143),
    (r"(ul_|dl_)?uarfcn", 0, 16_383),
    (r"(ul_|dl_)?arfcn", 0, 3_279_165),
    (r"(.+_)?bands?", 1, 1024),
    (r"bw_((dl|ul)_)?mhz", 0, 2000),
    (r"tac", 0, (1 << 24) - 1),
    (r"lac", 0, (1 << 16) - 1),
    (r"cell_id", 0, (1 << 36) - 1),
    (r"csq", 0, 31),
    (r".+_tries_left", 0, 10),
)
"""What physics and the standards allow, wider than what the decoders believe."""


def impossible(name: str, value: Any) -> Iterator[str]:
    """The values that nothing can measure, with their names."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from impossible(name if key.isdecimal() else key, part)
    elif isinstance(value, list):
        for part in value:
            yield from impossible(name, part)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        for pattern, low, high in POSSIBLE:
            if re.fullmatch(pattern, name) and not low <= value <= high:
                yield f"{name}: {value}"
