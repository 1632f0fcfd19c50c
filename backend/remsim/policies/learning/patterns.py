"""Names of domains in policies: what is one, how it is kept, and which sets hold its addresses.

A name means itself and all below it, with or without ``*.`` before it: dnsmasq, which fills the sets in time, knows
nothing finer. What is kept is ASCII in lower case, so that it can stand in a line of dnsmasq's configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from remsim.core.errors import InvalidInput
from remsim.core.routes import SetCode

MOST_OCTETS = 253
MOST_OF_LABEL = 63
SET_TIMEOUT_S = 6 * 3600
"""How long an address stays in a set. dnsmasq may keep an answer for long and not ask again; it puts no address in anew
that is there."""
SET_SIZE = 65_536
"""Addresses in one set; a server that answers with ever new ones fills no more of the kernel's memory.

Just so many: the kernel's hint of what a set will hold has 16 bits. With 65 535 each set had 1 MB set aside and took
5 ms to declare; with this it begins small and grows.
"""

LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?", re.ASCII)
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
LETTERS = ("L", "M", "N")
"""Categories of Unicode that names are made of."""


def checked_domain(text: str) -> str:
    """The name in the form in which it is kept: ``*.Bücher.example.`` is ``xn--bcher-kva.example``.

    Raises ``InvalidInput`` with a sentence that says what is wrong.
    """
    name = text.removesuffix(".").removeprefix("*.")
    if not name or len(name) > MOST_OCTETS:
        raise InvalidInput(f"{shown(text)} is no name of a domain: it has to have 1 to {MOST_OCTETS} characters")
    if "*" in name or "?" in name:
        raise InvalidInput(
            f"{shown(text)} has a wildcard inside",
            hint="here a name is one; it means all that is below it too: example.com",
        )
    labels = [ascii_label(label, text) for label in name.split(".")]
    found = ".".join(labels)
    if len(found) > MOST_OCTETS:
        raise InvalidInput(f"{shown(text)} is longer than {MOST_OCTETS} octets")
    if NUMBER.fullmatch(labels[-1]):
        raise InvalidInput(f"{shown(text)} is no name of a domain", hint="match an address with destination")
    return found


def is_below(name: str, domain: str) -> bool:
    """Whether a name is the domain or below it; both in the form that ``checked_domain`` gives."""
    return name == domain or name.endswith("." + domain)


def above(name: str) -> Iterator[str]:
    """The name and all domains that it is below of, the longest first."""
    yield name
    while (dot := name.find(".")) >= 0:
        name = name[dot + 1 :]
        yield name


def read_name(raw: bytes) -> str | None:
    """A name that was seen in a packet, in the same form; None when it is none (an address, garbage)."""
    if not raw or len(raw) > MOST_OCTETS + 1 or not raw.isascii():
        return None
    name = raw.decode("ascii").lower().removesuffix(".")
    labels = name.split(".")
    if NUMBER.fullmatch(labels[-1]) or not all(len(one) <= MOST_OF_LABEL and LABEL.fullmatch(one) for one in labels):
        return None
    return name


def domain_sets(domains: Iterable[str]) -> tuple[SetCode, SetCode]:
    """The sets of the addresses (IPv4 and IPv6) of some domains, named by them.

    A number would do as a name until policies change places: what was learned for one would count for another.
    """
    import hashlib  # late: it is of a router that has such policies

    digest = hashlib.sha256("\n".join(sorted(set(domains))).encode()).hexdigest()[:10]
    rest = f"flags timeout; timeout {SET_TIMEOUT_S}s; size {SET_SIZE};"
    return (
        SetCode(f"d_{digest}4", f"type ipv4_addr; {rest}", is_learned=True),
        SetCode(f"d_{digest}6", f"type ipv6_addr; {rest}", is_learned=True),
    )


def ascii_label(label: str, text: str) -> str:
    """One label: IDNA's A-label where it is not ASCII.

    Python's own ``idna`` is that of 2003, which makes ß to ss; names are registered by that of 2008.
    """
    if not label.isascii():
        import unicodedata  # late: a megabyte

        label = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", label).lower())
        strange = [c for c in label if c not in "-_" and unicodedata.category(c)[0] not in LETTERS]
        if strange:
            raise InvalidInput(f"{shown(text)} has the character {strange[0]!r}, which no name has")
        if not label.isascii():
            label = "xn--" + label.encode("punycode").decode("ascii")
    label = label.lower()
    if not 0 < len(label) <= MOST_OF_LABEL:
        raise InvalidInput(f"between the dots of {shown(text)} there have to be 1 to {MOST_OF_LABEL} characters")
    if not LABEL.fullmatch(label):
        raise InvalidInput(
            f"{shown(text)} is no name of a domain: letters, digits and hyphens between dots are",
            hint="write it as in youtube.com or *.youtube.com",
        )
    return label


def shown(text: str) -> str:
    """A text as an error names it."""
    return repr(text if len(text) <= 80 else text[:77] + "…")
