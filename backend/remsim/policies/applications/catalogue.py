"""Applications and classes of them, from ``applications.json`` and a file of the user's in the same form."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from remsim.core.errors import InvalidInput
from remsim.policies.facts import Application
from remsim.policies.learning.patterns import checked_domain

SHIPPED = Path(__file__).with_name("applications.json")
LARGEST = 256 * 1024
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
PORTS = re.compile(r"(tcp|udp) ([0-9]{1,5})(?:-([0-9]{1,5}))?", re.ASCII)


class Catalogue:
    """``date`` is that of the shipped facts, ``problems`` says what of the user's file was left out."""

    def __init__(self, user_file: Path | None = None) -> None:
        shipped = json.loads(SHIPPED.read_text())
        self.date: str = shipped["date"]
        self.problems: list[str] = []
        self._known: dict[str, Application] = {}
        self._ndpi: dict[str, tuple[str, ...]] = {}
        for name, given in shipped["applications"].items():
            self._take(name, given)
        if user_file is not None and user_file.exists():
            self._take_users(user_file)

    def names(self) -> Collection[str]:
        """All of them."""
        return self._known.keys()

    def get(self, name: str) -> Application | None:
        """One of them; a class has what its members have."""
        found = self._known.get(name)
        if found is None or not found.members:
            return found
        parts = [found, *(self._known[one] for one in found.members if one in self._known)]
        return Application(
            name,
            found.title,
            tuple(dict.fromkeys(domain for part in parts for domain in part.domains)),
            tuple(dict.fromkeys(port for part in parts for port in part.ports)),
            found.members,
        )

    def of_ndpi(self) -> dict[str, tuple[str, ...]]:
        """nDPI's names, and the applications and classes each stands for."""
        found: dict[str, tuple[str, ...]] = {}
        for name, seen in self._ndpi.items():
            classes = [one.name for one in self._known.values() if name in one.members]
            for protocol in seen:
                found[protocol] = tuple(dict.fromkeys((*found.get(protocol, ()), name, *classes)))
        return found

    def _take_users(self, file: Path) -> None:
        try:
            with file.open("rb") as opened:
                raw = opened.read(LARGEST + 1)
            if len(raw) > LARGEST:
                raise ValueError(f"it has more than {LARGEST // 1024} KB")
            given = json.loads(raw)
            applications = given["applications"] if isinstance(given, dict) else None
            if not isinstance(applications, dict):
                raise ValueError('it has to be {"applications": {…}}')
        except (OSError, ValueError, KeyError, RecursionError) as error:
            self.problems.append(f"{file} cannot be used: {error}")
            return
        for name, one in applications.items():
            try:
                self._take(name, one)
            except (InvalidInput, ValueError) as error:
                self.problems.append(f"{file}: {str(name)[:40]}: {error}")

    def _take(self, name: str, given: Any) -> None:
        if not NAME.fullmatch(name):
            raise ValueError("a name has small letters, digits and underscores")
        if not isinstance(given, Mapping):
            raise ValueError('it has to be {"title": …, "domains": […], "ports": […]}')
        title = given.get("title", name)
        if not isinstance(title, str) or not title.isprintable():
            raise ValueError("title has to be text")
        self._known[name] = Application(
            name,
            title[:80],
            tuple(checked_domain(one) for one in _texts(given, "domains")),
            tuple(_ports(one) for one in _texts(given, "ports")),
            tuple(_texts(given, "members")),
        )
        self._ndpi[name] = tuple(_texts(given, "ndpi"))


def _texts(given: Mapping[str, Any], key: str) -> list[str]:
    found = given.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError(f"{key} has to be a list of texts")
    return found


def _ports(text: str) -> tuple[str, int, int]:
    found = PORTS.fullmatch(text)
    first = int(found[2]) if found else 0
    last = int(found[3] or first) if found else 0
    if found is None or not 0 < first <= last < 65536:
        raise ValueError(f"{text[:40]!r} are no ports: write as in udp 8801-8810")
    return found[1], first, last
