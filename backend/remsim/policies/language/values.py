"""What single words say: ports, addresses, times, rates. Each function raises ``ValueError`` with a sentence."""

from __future__ import annotations

import re
import socket
import unicodedata

from remsim.core.errors import InvalidInput
from remsim.policies.language.model import Mac, Named, Range, Span, Value, Window
from remsim.policies.language.words import DAY_GROUPS, DAY_WORDS, DAYS, DSCP, DSCP_NAMES, HEURISTICS, PROTOCOLS
from remsim.policies.learning.globs import checked_glob, is_glob
from remsim.policies.learning.patterns import checked_domain

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}")
MOST_NAME, MARKS = 64, " _-.,:'&+()/"
TITLE = f"a name of up to {MOST_NAME} letters and digits, blanks and _ - . , : ' & + ( ) /"
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_AMOUNT = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*(.*)", re.DOTALL)
_DEVICE = re.compile(r"[A-Za-z0-9_.@-]{1,15}")
_QUEUE = re.compile(r"[0-9a-f]{1,4}:[0-9a-f]{1,4}")
BITS = {4: 32, 6: 128}
_POWERS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_POWERS |= {"ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
MOST_FILE_NAME = 255
MOST_OCTETS, MOST_RATE = 10**15, 10**10
"""Sizes, and octets a second: what nftables takes ends at some 18 GB/s."""


def is_title(text: str) -> bool:
    """Whether a policy may be called this; what is no ``is_name`` of it stands in quotes."""
    is_short = 0 < len(text) <= MOST_NAME and text == text.strip()
    return is_short and all(one.isalnum() or one in MARKS or unicodedata.category(one)[0] == "M" for one in text)


def is_name(text: str) -> bool:
    """Whether it is a name that needs no quotes."""
    return _NAME.fullmatch(text) is not None


def port_of(text: str) -> Range:
    """``443`` or ``5060-5090``."""
    return _range(text, 65535, "port", lowest=1)


def octets_range_of(text: str) -> Range:
    """Sizes of packets: ``200`` or ``60-200``."""
    return _range(text, 65535, "packet size", lowest=1)


def _range(text: str, most: int, what: str, lowest: int = 0) -> Range:
    low, dash, high = text.partition("-")
    first, last = _number(low, text, what), _number(high if dash else low, text, what)
    if not lowest <= first <= most or not lowest <= last <= most:
        raise ValueError(f"{what}s are {lowest} to {most}")
    if first > last:
        raise ValueError(f"“{text}” begins after its end; write {last}-{first}")
    return Range(first, last)


def _number(text: str, whole: str, what: str) -> int:
    text = text.strip()
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ValueError(f"“{_short(whole)}” is no {what}")
    return int(text)


def dscp_of(text: str) -> int:
    """``ef``, ``af41``, ``cs5`` or 0 to 63."""
    low = text.lower()
    if low in DSCP:
        return DSCP[low]
    if low.isascii() and low.isdigit() and len(low) <= 2 and int(low) <= 63:
        return int(low)
    raise ValueError(f"“{_short(text)}” is no DSCP: a name such as ef, af41 or cs5, or 0 to 63")


def dscp_text(value: int) -> str:
    """Its name, or the number."""
    return DSCP_NAMES.get(value, str(value))


def protocol_of(text: str) -> str:
    """A protocol's name in lower case, or its number."""
    low = text.lower()
    if low in PROTOCOLS or low in HEURISTICS:
        return low
    if low in ("ipv6-icmp", "icmp6"):
        return "icmpv6"
    if low.isascii() and low.isdigit() and len(low) <= 3 and int(low) <= 255:
        number = int(low)
        return next((name for name, one in PROTOCOLS.items() if one == number and name != "icmp"), str(number))
    raise ValueError(f"“{_short(text)}” is no protocol")


def domain_of(text: str) -> str:
    """A domain in lower case and ASCII; ``*.`` before it is kept as written, though both mean the same. Or a glob."""
    try:
        if is_glob(text):
            return checked_glob(text)
        return ("*." if text.startswith("*.") else "") + checked_domain(text)
    except InvalidInput as error:
        raise ValueError(f"{error.message}; {error.hint}" if error.hint else error.message) from None


def device_of(text: str) -> str:
    """A network device."""
    if _DEVICE.fullmatch(text) is None or text in (".", ".."):
        raise ValueError(f"“{_short(text)}” is no network device: up to 15 letters, digits and ._-@")
    return text


def country_of(text: str) -> str:
    """ISO 3166-1 alpha-2 in upper case."""
    if len(text) == 2 and text.isascii() and text.isalpha():
        if text.upper() == "UK":
            raise ValueError("the United Kingdom is GB")
        return text.upper()
    raise ValueError(f"“{_short(text)}” is no country: write its two letters, as in DE")


def queue_of(text: str) -> str:
    """A class of a queueing discipline, ``1:10``."""
    low = text.lower()
    if _QUEUE.fullmatch(low) is None:
        raise ValueError(f"“{_short(text)}” is no queue: write its class, as in 1:10")
    return low


def address_of(text: str) -> Value:
    """An address, a network, a range ``a-b``, a hardware address, ``@set`` or ``router``."""
    if text == "router":
        return Named()
    if text.startswith("@"):
        if not is_name(text[1:]):
            raise ValueError(f"“{_short(text)}” is no name of a set")
        return Named(text[1:])
    if _MAC.fullmatch(text):
        return Mac(text.lower().replace("-", ":"))
    if "-" in text:
        low, _, high = text.partition("-")
        first, last = ip_of(low), ip_of(high)
        if first[0] != last[0]:
            raise ValueError("a range is of one family: both ends IPv4 or both IPv6")
        if first[1] > last[1]:
            raise ValueError(f"“{_short(text)}” begins after its end")
        return Span(first[0], first[1], last[1])
    host, slash, length = text.partition("/")
    family, number = ip_of(host)
    if not slash:
        return Span(family, number, number)
    if not length.isascii() or not length.isdigit() or len(length) > 3 or int(length) > BITS[family]:
        raise ValueError(f"“{_short(text)}” is no network: the prefix length is 0 to {BITS[family]}")
    size = 1 << (BITS[family] - int(length))
    first_of = number - number % size
    return Span(family, first_of, first_of + size - 1)


def file_of(text: str) -> str:
    """The name of a file of addresses."""
    if not 0 < len(text) <= MOST_FILE_NAME or not text.isprintable():
        raise ValueError(f"“{_short(text)}” is no name of a file")
    return text


def ip_of(text: str) -> tuple[int, int]:
    """Family and number of an address."""
    try:
        if ":" in text:
            return 6, int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big")
        return 4, int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
    except (OSError, ValueError):
        raise ValueError(f"“{_short(text)}” is no address") from None


def ip_text(family: int, number: int) -> str:
    """An address as it is written."""
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    return socket.inet_ntop(kind, number.to_bytes(BITS[family] // 8, "big"))


def span_text(span: Span) -> str:
    """An address, a network where it is one, or a range; nft reads it too."""
    first = ip_text(span.family, span.first)
    size = span.last - span.first + 1
    if size == 1:
        return first
    if size & (size - 1) == 0 and span.first % size == 0:
        return f"{first}/{BITS[span.family] - size.bit_length() + 1}"
    return f"{first}-{ip_text(span.family, span.last)}"


def octets_of(text: str) -> int:
    """A size: ``10MB``, ``512 KiB``, ``2 Gbit``, a number of octets."""
    return _amount(text, "size", "10MB", MOST_OCTETS)


def rate_of(text: str) -> int:
    """A rate in octets a second: ``1MB/s``, ``8 Mbit/s``, ``500kbps``."""
    low = text.strip()
    for end in ("/s", "ps", "/sec", "/second"):
        if low.endswith(end):
            return _amount(low[: -len(end)], "rate", "1MB/s or 8Mbit/s", MOST_RATE)
    raise ValueError(f"“{_short(text)}” is no rate; write it as in 1MB/s or 8Mbit/s")


def _amount(text: str, what: str, example: str, most: int) -> int:
    found = _AMOUNT.fullmatch(text.strip())
    wrong = ValueError(f"“{_short(text)}” is no {what}; write it as in {example}")
    if found is None or not text.isascii():
        raise wrong
    unit = found[2].strip()
    low = unit.lower()
    if low.endswith("bit"):
        power, divisor = low[:-3], 8
    elif low.endswith("bits"):
        power, divisor = low[:-4], 8
    elif unit.endswith("B"):
        power, divisor = low[:-1], 1
    elif unit.endswith("b"):
        if unit[:-1] not in ("", "k", "K", "M", "G"):
            raise ValueError(f"“{_short(text)}” may be bits or octets; write {example}")
        power, divisor = low[:-1], 8
    elif unit in ("", "bytes", "octets"):
        power, divisor = "", 1
    else:
        raise wrong
    if power not in _POWERS:
        raise wrong
    whole, _, part = found[1].partition(".")
    millionths = int(whole) * 10**6 + int(part.ljust(6, "0"))
    octets = millionths * _POWERS[power] // divisor // 10**6
    if not 1 <= octets <= most:
        raise ValueError(f"“{_short(text)}” is too {'small' if octets < 1 else 'large'}")
    return octets


def octets_text(octets: int) -> str:
    """A size in the largest unit that has it exactly."""
    for power, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if octets % power == 0:
            return f"{octets // power}{name}"
    return f"{octets}B"


def rate_text(octets_per_s: int) -> str:
    """A rate in octets a second."""
    return octets_text(octets_per_s) + "/s"


def clock_of(text: str) -> int:
    """Minutes of the day of ``06:00``; 1440 for ``24:00``."""
    found = _CLOCK.fullmatch(text)
    if found is None or not text.isascii():
        raise ValueError(f"“{_short(text)}” is no time of day; write it as in 06:00")
    hours, minutes = int(found[1]), int(found[2])
    if hours > 24 or minutes > 59 or (hours == 24 and minutes):
        raise ValueError(f"“{_short(text)}” is no time of day")
    return hours * 60 + minutes


def hours_of(text: str) -> tuple[int, int]:
    """Begin and end of ``22:00-06:00`` in minutes."""
    begin, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"“{_short(text)}” has no end; write it as in 00:00-06:00")
    first, last = clock_of(begin), clock_of(end)
    if first == 1440:
        first = 0
    if first == last:
        raise ValueError("a time that ends when it begins is empty; all day is 00:00-24:00")
    return first, last


def days_of(text: str) -> tuple[int, ...]:
    """Days of ``mon-fri`` or ``sat/sun``, in order; 0 is Monday."""
    days: set[int] = set()
    for part in text.lower().split("/"):
        if part in DAY_GROUPS:
            days.update(DAY_GROUPS[part])
            continue
        first, dash, last = part.partition("-")
        if first not in DAY_WORDS or (dash and last not in DAY_WORDS):
            raise ValueError(f"“{_short(part)}” is no day; write mon, tue, wed, thu, fri, sat or sun")
        day, end = DAY_WORDS[first], DAY_WORDS[last if dash else first]
        days.add(day)
        while day != end:
            day = (day + 1) % 7
            days.add(day)
    return tuple(sorted(days))


def window_text(window: Window) -> str:
    """``mon-fri 08:00-18:00``."""
    words = [days_text(window.days)] if window.days else []
    if (window.begin, window.end) != (0, 1440) or not words:
        words.append(f"{_clock(window.begin)}-{_clock(window.end)}")
    return " ".join(words)


def days_text(days: tuple[int, ...]) -> str:
    """Days in a row as a range."""
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{DAYS[days[0]]}-{DAYS[days[-1]]}"
    return "/".join(DAYS[day] for day in days)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "…"
