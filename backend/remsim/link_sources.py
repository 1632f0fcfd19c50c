"""What links and policies are told of the rest of the router: modems, interfaces, the LAN, and each other."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.config.routing import Routing
from remsim.config.uci import UciFile
from remsim.core.card import is_same_card
from remsim.core.clock import FIRST_TRUSTED, Clock
from remsim.core.errors import Conflict, NotFound, RemsimError
from remsim.core.jobs import Job
from remsim.core.local_zone import LOCAL
from remsim.core.routes import Loaded, Program, RingSpec
from remsim.links.desk import LinksDesk
from remsim.links.facts import Around, ModemFacts
from remsim.modems.manager import ModemManager
from remsim.modems.modem import Modem
from remsim.modems.netifd import Netifd
from remsim.policies.facts import Facts, Share
from remsim.policies.mcc import country_of

if TYPE_CHECKING:
    from remsim.esim.desk import EsimDesk

BRIDGE = "br-lan"
"""What OpenWrt calls the LAN where no zone of a firewall says so."""
LEASES = "/tmp/dhcp.leases"
"""Where dnsmasq of OpenWrt writes whom it gave which address, unless its option ``leasefile`` says otherwise."""
LOOK_S, LARGEST_LEASES, LONGEST_NAME = 5.0, 1_000_000, 63
READ_CARD_S = 120.0


def around(modems: ModemManager, netifd: Netifd, config_dir: Path | None) -> Around:
    """The rest of the router as links see it."""

    def modem_at(place: str) -> ModemFacts | None:
        for modem in modems.present():
            if modem.found.usb_path == place:
                return facts_of(modem, modems.sim_of(modem.identity.get("iccid")))
        return None

    def device_of(interface: str) -> str | None:
        if not netifd.is_here:
            return None
        # Not by its own status: of an interface that is not there, and of a netifd that is away, ubus says the same.
        return next((one.device for one in netifd.interfaces() if one.name == interface), None)

    return Around(modem_at, device_of, lambda: lan_devices(netifd, config_dir))


def facts_of(modem: Modem, sim: str | None) -> ModemFacts:
    """What a modem says of itself, from its last reading."""
    reading = modem.reading
    imsi = modem.identity.get("imsi")
    return ModemFacts(
        place=modem.found.usb_path,
        modem=modem.id,
        name=modem.settings.name or modem.id,
        device=modem.interface,
        sim=sim,
        carrier=reading.operator if reading else None,
        plmn=reading.plmn if reading else None,
        # How long the network's part is only the card knows; five digits tell the country, and most networks.
        home_plmn=imsi[:5] if imsi else None,
        country=country_of(reading.plmn) if reading else None,
        is_roaming=None if reading is None or reading.registration is None else reading.registration == "roaming",
        is_online=None if modem.state in ("starting", "paused") else modem.state == "online",
    )


def facts_of_policies(links: LinksDesk, routing: Routing, clock: Clock) -> Facts:
    """The world as policies see it. The router is where its option says, else where the first link's network is.

    While links carry traffic it asks nobody: it is looked at each second by the thread that shares traffic.
    """
    views = links.link_views()
    countries = [view.country for view in sorted(views, key=lambda view: view.priority) if view.country]
    now = clock.now()
    return Facts(
        links=views,
        now=now if now >= FIRST_TRUSTED else None,
        zone=LOCAL,
        router_country=routing.globals.router_country or (countries[0] if countries else None),
        devices=links.lan(),
    )


class LeaseNames:
    """What devices of the LAN call themselves, from the leases of dnsmasq. Any thread may ask."""

    def __init__(self, config_dir: Path | None, clock: Clock, leases: Path | None = None) -> None:
        self._path = leases or lease_file(config_dir)
        self._clock = clock
        self._look_at = float("-inf")
        self._names: Mapping[str, str] = {}

    def name_of(self, address: str) -> str | None:
        """The name of who has an address now."""
        now = self._clock.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            self._names = self._read()
        return self._names.get(address)

    def _read(self) -> dict[str, str]:
        """Lines are expiry, MAC address, address, name (``*``: none said), and an id of the client."""
        try:
            with self._path.open(encoding="utf-8", errors="replace") as file:
                rows = [line.split() for line in file.read(LARGEST_LEASES).splitlines()]
        except OSError:
            return {}
        named = (row for row in rows if len(row) >= 4 and row[3] != "*" and row[3].isprintable())
        return {row[2]: row[3][:LONGEST_NAME] for row in named}


def lease_file(config_dir: Path | None) -> Path:
    """Where dnsmasq writes its leases."""
    try:
        sections = UciFile.load(config_dir / "dhcp").sections("dnsmasq") if config_dir is not None else []
    except RemsimError:
        sections = []
    return Path(next((path for one in sections if (path := one.get("leasefile"))), LEASES))


class EsimProfiles:
    """What links ask of eUICCs (``links.money.cap_switch.Profiles``): loads what works on them."""

    def __init__(self, esim: EsimDesk) -> None:
        self._esim = esim

    def find(self, modem: str, wanted: str, actor: str) -> tuple[str, str]:
        """A profile as its card was last read; the card is read anew where it is not among those."""
        found = self._profiles(modem, wanted)
        if not found:
            job = self._esim.parts.work.read(modem, actor)
            job.wait(READ_CARD_S)
            if job.state != "done":
                raise Conflict(job.error or "its eUICC is being read", hint=job.hint)
            found = self._profiles(modem, wanted)
        if not found:
            raise NotFound("it is not on the eUICC", field="cap_profile")
        if len(found) > 1:
            raise Conflict("several profiles have that name", field="cap_profile", hint="write its ICCID")
        return found[0]["id"], found[0]["name"]

    def enable(self, modem: str, profile: str, actor: str) -> Job:
        """As by hand: what does not register goes back by itself."""
        return self._esim.parts.work.enable(modem, profile, actor=actor)

    def is_busy(self, modem: str) -> bool:
        """Whether a job works on the card, or a switch that was cut short waits for its modem."""
        from remsim.esim.store import SWITCH

        parts = self._esim.parts
        return parts.room.job_of(modem) is not None or parts.store.get(SWITCH, modem) is not None

    def _profiles(self, modem: str, wanted: str) -> list[dict[str, Any]]:
        card = self._esim.parts.cards.of(modem)
        profiles = [] if card is None or card["state"] != "ready" else card["profiles"]
        return [one for one in profiles if one["id"] == wanted or is_same_card(wanted, one["iccid"])] or [
            one for one in profiles if wanted.casefold() in names_of(one)
        ]


def names_of(profile: Mapping[str, Any]) -> set[str]:
    """What a person may call a profile."""
    return {str(profile[key]).casefold() for key in ("name", "nickname", "profile_name") if profile[key]}


class PolicyTraffic:
    """What policies ask of the links (``policies.facts.Traffic``)."""

    def __init__(self, links: LinksDesk) -> None:
        self._links = links

    def load(self, program: Program) -> Loaded:
        """Put it in force."""
        return self._links.running().control.load(program)

    def refill(self, chains: Mapping[int, Sequence[str]]) -> None:
        """Change the rules of policies."""
        self._links.running().control.refill(chains)

    def add(self, set_name: str, elements: Sequence[str], timeout_s: int | None = None) -> None:
        """Add to a set; not while links are off, where there is none."""
        parts = self._links.parts
        if parts is not None:
            parts.control.add(set_name, elements, timeout_s)

    def counters(self) -> Mapping[str, tuple[int, int]]:
        """Packets and octets by the counter's name."""
        parts = self._links.parts
        return {} if parts is None else parts.control.counters()

    def remade(self) -> int:
        """How often sets have lost what was added to them."""
        parts = self._links.parts
        return 0 if parts is None else parts.control.remade()

    def flows_by_policy(self) -> Mapping[int, tuple[int, int, int]]:
        """Flows, octets received and sent by policy."""
        return self._links.flows_by_policy()

    def shares(self, ring: RingSpec, family: int | None = None) -> Sequence[Share] | None:
        """What a ring gives each link."""
        found = self._links.shares(ring, family)
        return None if found is None else [Share(link, percent) for link, percent in found.items()]

    def resolver_of(self, address: str) -> str | None:
        """The link whose own resolver an address is."""
        parts = self._links.parts
        return None if parts is None else parts.control.sharing.resolver_of(address)

    def text_of(self, program: Program) -> str:
        """The table as nft text."""
        return self._links.table_text(program)


def lan_devices(netifd: Netifd, config_dir: Path | None) -> tuple[str, ...]:
    """The devices whose traffic is led: of the zones that the firewall forwards to one it masquerades, else the bridge.

    None of them: the option ``lan`` has to name it. ``NetifdError`` while netifd cannot say.
    """
    networks = lan_networks(config_dir)
    devices = {one.name: one.device for one in netifd.interfaces()} if networks and netifd.is_here else {}
    found = list(dict.fromkeys(device for network in networks if (device := devices.get(network))))
    if not found and os.path.exists(f"/sys/class/net/{BRIDGE}"):
        found.append(BRIDGE)
    return tuple(found)


def lan_networks(config_dir: Path | None) -> list[str]:
    """Networks in zones of ``/etc/config/firewall`` that may go out through a masquerading zone."""
    if config_dir is None or not (config_dir / "firewall").exists():
        return []
    try:
        file = UciFile.load(config_dir / "firewall")
    except RemsimError:
        return []
    zones = {zone.get("name"): zone for zone in file.sections("zone")}
    outside = {name for name, zone in zones.items() if zone.get("masq") == "1"}
    inside = [one.get("src") for one in file.sections("forwarding") if one.get("dest") in outside]
    return [
        network
        for name, zone in zones.items()
        if name in inside and name not in outside
        for text in zone.get_list("network")
        for network in text.split()
    ]
