"""Names and APNs of networks by MCC and MNC, from the system's package mobile-broadband-provider-info.

The package is optional: without it nothing is known. Its file is read from end to end at each question, which takes
some 10 ms on a computer and costs no memory in between; the last answers are kept.
"""

from __future__ import annotations

import functools
import logging
from dataclasses import field
from pathlib import Path

from remsim.core.small_dataclass import dataclass

PROVIDERS = Path("/usr/share/mobile-broadband-provider-info/serviceproviders.xml")
KEPT_ANSWERS = 16
INTERNET = "internet"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Apn:
    """One access point of a provider; ``provider`` may be a brand on another's network. The file knows no PDP type."""

    provider: str
    name: str | None
    apn: str
    username: str | None
    password: str | None
    authentication: str | None


@dataclass(slots=True)
class Provider:
    """What was read of one provider."""

    name: str | None = None
    is_primary: bool = False
    networks: set[tuple[str, str]] = field(default_factory=set)
    apns: list[dict[str, str]] = field(default_factory=list)


def name_of(mcc: str, mnc: str, path: Path = PROVIDERS) -> str | None:
    """The name of a network; None where the file is missing or names several of which none is the network's own.

    ``mnc`` is the text of two or three digits that the modem tells: 26201 and 262001 are two networks.
    """
    found = providers(mcc, mnc, path)
    primary = [provider for provider in found if provider.is_primary]
    if len(primary) == 1:
        return primary[0].name
    # Who owns networks has numbers of its own; who rents one has that one's.
    most = max((len(provider.networks) for provider in found), default=0)
    names = {provider.name for provider in found if len(provider.networks) == most}
    return names.pop() if len(names) == 1 else None


def name_of_plmn(plmn: str | None, path: Path = PROVIDERS) -> str | None:
    """As ``name_of``, of five or six digits in one."""
    if plmn is None or len(plmn) not in (5, 6) or not plmn.isdigit():
        return None
    return name_of(plmn[:3], plmn[3:], path)


def apns_of(mcc: str, mnc: str, path: Path = PROVIDERS) -> list[Apn]:
    """The access points to the Internet that a network's providers have, its own before those of brands on it."""
    owner = name_of(mcc, mnc, path)
    found = sorted(providers(mcc, mnc, path), key=lambda provider: (provider.name != owner, not provider.is_primary))
    return [
        Apn(
            provider=provider.name or "",
            name=apn.get("name"),
            apn=apn["value"],
            username=apn.get("username"),
            password=apn.get("password"),
            authentication=apn.get("authentication"),
        )
        for provider in found
        for apn in provider.apns
        if apn["value"] and apn.get("usage", INTERNET) == INTERNET
    ]


@functools.lru_cache(maxsize=KEPT_ANSWERS)
def providers(mcc: str, mnc: str, path: Path) -> tuple[Provider, ...]:
    """The providers of a network in the file's order; none when the file cannot be read."""
    from xml.parsers import expat  # late: most routers' modems name their operators themselves

    reader = Reader((mcc, mnc))
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except OSError as error:
        log.debug("%s: %s", path, error.strerror)
        return ()
    except expat.ExpatError as error:
        log.info("%s cannot be used: %s", path, error)
        return ()
    return tuple(reader.found)


class Reader:
    """Keeps the providers of one network while the file passes by."""

    def __init__(self, wanted: tuple[str, str]) -> None:
        self.found: list[Provider] = []
        self._wanted = wanted
        self._provider = Provider()
        self._path: list[str] = []
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._path.append(tag)
        self._text.clear()
        if tag == "provider":
            self._provider = Provider(is_primary=attributes.get("primary") == "true")
        elif tag == "network-id":
            self._provider.networks.add((attributes.get("mcc", ""), attributes.get("mnc", "")))
        elif tag == "apn":
            self._provider.apns.append({"value": attributes.get("value", "")})
        elif self._path[-2:-1] == ["apn"] and tag in ("usage", "authentication"):
            self._provider.apns[-1][tag] = attributes.get("type") or attributes.get("method") or ""

    def end(self, tag: str) -> None:
        """An element ends."""
        self._path.pop()
        text = "".join(self._text).strip()
        self._text.clear()
        parent = self._path[-1] if self._path else ""
        if tag == "name" and parent == "provider":
            self._provider.name = self._provider.name or text or None
        elif parent == "apn" and tag in ("name", "username", "password") and text:
            self._provider.apns[-1].setdefault(tag, text)
        elif tag == "provider" and self._wanted in self._provider.networks:
            self.found.append(self._provider)

    def text(self, data: str) -> None:
        """Some text of the element that began last."""
        self._text.append(data)
