"""The resolvers that a network gave with its address, as netifd notes them."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

NOTES = (Path("/tmp/resolv.conf.d/resolv.conf.auto"), Path("/tmp/resolv.conf.auto"))


def resolvers_of(interface: str, paths: tuple[Path, ...] = NOTES) -> tuple[str, ...]:
    """The resolvers of a netifd interface; empty where there is no netifd or it has none."""
    for path in paths:
        with contextlib.suppress(OSError, ValueError):
            return parse_notes(path.read_text()).get(interface, ())
    return ()


def parse_notes(text: str) -> dict[str, tuple[str, ...]]:
    """Resolvers by interface, of lines ``# Interface NAME`` and ``nameserver ADDRESS``.

    IPv6's part of an interface (``wwan_6``, ``wwan6``) belongs to the interface it was made for where netifd says so
    in its name only: both names are kept.
    """
    found: dict[str, tuple[str, ...]] = {}
    name = ""
    for line in text.splitlines():
        words = line.split()
        if words[:2] == ["#", "Interface"] and len(words) == 3:
            name = words[2]
        elif words[:1] == ["nameserver"] and len(words) >= 2 and _is_address(words[1]):
            found[name] = (*found.get(name, ()), words[1])
    for part in [part for part in found if part.endswith("_6")]:
        whole = part.removesuffix("_6")
        found[whole] = (*found.get(whole, ()), *found[part])
    return found


def _is_address(text: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.inet_pton(family, text)
            return True
    return False
