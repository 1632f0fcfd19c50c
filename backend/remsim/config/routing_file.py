"""Reads ``/etc/config/remsim_routing`` whole, and the desk that changes it while the service runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.config.file_desk import FileDesk, Outcome
from remsim.config.mptcp import MptcpSettings
from remsim.config.reading import OnError, WrongValue, read_many, read_one, refuse
from remsim.config.routing import ROUTING_NAME, LinkSettings, LoadBalancing, Routing, numbered
from remsim.config.uci import UciFile, UciSection
from remsim.core.errors import InvalidInput, NotFound, RemsimError
from remsim.core.routes import MOST_LINKS

if TYPE_CHECKING:
    from remsim.config.document import Known

PLACES = ("modem", "interface", "device")
"""Options that say what a link is made of."""


def load_routing(config_dir: Path | None) -> tuple[Routing, list[RemsimError]]:
    """What can be used of the file, and what is wrong with the rest. A file that cannot be read costs all."""
    if config_dir is None:
        return Routing(), []
    problems: list[RemsimError] = []
    try:
        file = UciFile.load(config_dir / ROUTING_NAME)
    except RemsimError as error:
        return Routing(), [error]
    return routing_of(file, problems.append), problems


def routing_of(file: UciFile, on_error: OnError = refuse, before: Sequence[LinkSettings] = ()) -> Routing:
    """Links, policies and how traffic is shared; ``on_error`` hears of each value that cannot be used.

    ``before`` are the links that were in force: one that has no number written keeps that which it had.
    """
    if not file.sections():
        return Routing()
    from remsim.config import routing_rules as rules  # late: a router without links needs no forms of them

    shared = LoadBalancing(**read_one(file, rules.LOAD_BALANCING, on_error))
    written = read_one(file, rules.ROUTING, on_error)
    lan = written.get("lan", ())
    links = made_of_something(file, read_many(file, rules.LINK, {}, on_error), lan, on_error)
    links = with_connections(file, links, shared, on_error)
    return Routing(
        globals=rules.routing_settings(**(rules.from_load_balancing(shared) | written)),
        links=with_indices(file, links, on_error, {one.name: one.index for one in before}),
        policies=read_many(file, rules.POLICY, {}, on_error),
        load_balancing=shared,
        mptcp=MptcpSettings(**read_one(file, rules.MPTCP, on_error)),
    )


def made_of_something(
    file: UciFile, links: Sequence[LinkSettings], lan: Sequence[str], on_error: OnError
) -> list[LinkSettings]:
    """The links that are made of something that no other is made of, nor the LAN."""
    found: list[LinkSettings] = []
    taken: dict[tuple[str, str], str] = {}
    for link in links:
        places = [(option, value) for option in PLACES if (value := getattr(link, option))]
        if any(one.name == link.name for one in found):
            tell(file, link.name, "name", "there are two links of this name", on_error)
        elif not places:
            tell(file, link.name, "modem", "the link needs a modem, an interface or a device", on_error)
        elif (place := next((one for one in places if one in taken), None)) is not None:
            told = f"{place[1]} is what the link {taken[place]} is made of already"
            tell(file, link.name, place[0], told, on_error)
        elif link.device in lan:
            tell(file, link.name, "device", of_lan(link.device), on_error)
        else:
            taken |= dict.fromkeys(places, link.title or link.name)
            found.append(link)
    return found


def of_lan(device: str) -> str:
    """Why a device is no link."""
    return f"{device} is a device of the LAN, whose traffic the links carry"


def with_connections(
    file: UciFile, links: list[LinkSettings], shared: LoadBalancing, on_error: OnError
) -> list[LinkSettings]:
    """The links, with what ``load_balancing`` says of them and those that only it names."""
    from remsim.config.routing_rules import CONNECTION

    found = list(links)
    for text in shared.connection:
        match = CONNECTION.match(text)
        assert match is not None  # as it was checked
        device, weight = match[1], int(match[2] or 1)
        at = next((at for at, link in enumerate(found) if device in (link.name, link.interface, link.device)), None)
        if at is not None:
            section = file.section(found[at].name)
            if section is None or section.get("weight") is None:
                found[at] = replace(found[at], weight=weight)
        elif len(found) >= MOST_LINKS:
            tell(file, "load_balancing", "connection", f"{device}: there are {MOST_LINKS} links already", on_error)
        elif device.replace("_", "").isalnum():
            found.append(LinkSettings(device, interface=device, weight=weight))
        else:
            found.append(LinkSettings(name_of(device), device=device, weight=weight))
    return found


def name_of(device: str) -> str:
    """A device as the name of a section: ``eth0.2`` is ``eth0_2``."""
    return "".join(letter if letter.isalnum() else "_" for letter in device)


def with_indices(
    file: UciFile, links: Sequence[LinkSettings], on_error: OnError, before: Mapping[str, int | None]
) -> tuple[LinkSettings, ...]:
    """The links with their numbers: that which is written, else the one it had, else the lowest that is free."""
    owners: dict[int, str] = {}
    for link in links:
        if link.index is None:
            continue
        if link.index in owners:
            told = f"{link.index} is the number of the link {owners[link.index]} already"
            tell(file, link.name, "index", told, on_error)
        else:
            owners[link.index] = link.name
    for link in links:
        had = before.get(link.name)
        if link.name not in owners.values() and had is not None and had not in owners:
            owners[had] = link.name
    owned = {name: number for number, name in owners.items()}
    settled = [replace(link, index=owned.get(link.name)) for link in links]
    numbers = {link.name: number for number, link in numbered(settled).items()}
    return tuple(replace(link, index=numbers[link.name]) for link in links)


def tell(file: UciFile, name: str, option: str, why: str, on_error: OnError) -> None:
    """Say what is wrong with an option, where it stands."""
    sections = [file.section(name), *file.sections(name)]
    section: UciSection | None = next((one for one in sections if one is not None), None)
    line = 0 if section is None else section.line_of(option)
    on_error(WrongValue(file.name, line, f"{file.name}.{name}.{option}: {why}", option))


class RoutingDesk(FileDesk[Routing]):
    """The configuration of links and of how traffic is shared."""

    name = ROUTING_NAME
    versions_folder = "routing-versions"
    format_name = "remsim-routing"

    @property
    def sections(self) -> Known:
        """All types there are."""
        from remsim.config.routing_rules import ROUTING_SECTIONS

        return ROUTING_SECTIONS

    def read(self, file: UciFile, on_error: OnError) -> Routing:
        """The links of a file."""
        return routing_of(file, on_error, self.settings.links)

    def settle(self, file: UciFile) -> None:
        """Write down each link's number: marks of packets have it, and must not move when links are reordered."""
        for link in self.read(file, lambda problem: None).links:
            section = file.section(link.name)
            if section is not None and section.type == "link" and section.get("index") is None:
                section.set("index", str(link.index))

    def link(self, name: str) -> LinkSettings:
        """A link, or ``NotFound``."""
        for one in self.settings.links:
            if one.name == name:
                return one
        raise NotFound(f"there is no link {name[:40]!r}", field="name")

    def order(self, names: Sequence[str], actor: str, *, etag: str | None = None) -> Outcome:
        """Give links the priorities 1, 2, …; those that are not named come after them, in the order they have."""
        for name in names:
            self.link(name)
        if len(set(names)) < len(names):
            raise InvalidInput("names: a link is there twice", field="names")
        rest = sorted((one for one in self.settings.links if one.name not in names), key=lambda one: one.priority)
        wanted = [*names, *(one.name for one in rest)]

        def edit(file: UciFile) -> None:
            for priority, name in enumerate(wanted, start=1):
                self._section(file, name).set("priority", str(priority))

        return self.change(edit, actor, etag=etag)

    def take_over(
        self, links: Sequence[Mapping[str, Any]], common: Mapping[str, Any], actor: str, *, etag: str | None = None
    ) -> Outcome:
        """Add links (their values, with ``name``) and change some values that all share, in one write."""
        return self.change(lambda file: self._take_over(file, links, common), actor, etag=etag)

    def _take_over(self, file: UciFile, links: Sequence[Mapping[str, Any]], common: Mapping[str, Any]) -> None:
        from remsim.config.document import put_section, views_of

        for link in links:
            values = {name: value for name, value in link.items() if name != "name"}
            put_section(file, self.sections["link"], link["name"], values)
        row = self.sections["routing"]
        put_section(file, row, row.name, views_of(file, row)[0]["values"] | dict(common))

    def enable(self, name: str, is_enabled: bool, actor: str) -> Outcome:
        """Have a link carry traffic, or not."""
        self.link(name)
        return self.change(lambda file: self._section(file, name).set("enabled", "01"[is_enabled]), actor)

    def _section(self, file: UciFile, name: str) -> UciSection:
        """The section of a link; made for one that only ``load_balancing`` names."""
        section = file.section(name)
        if section is None or section.type != "link":
            link = self.link(name)
            section = file.add("link", name)
            for option in (*PLACES, "weight"):
                if value := getattr(link, option):
                    section.set(option, str(value))
        return section
