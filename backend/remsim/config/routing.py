"""``/etc/config/remsim_routing``: links, how they share traffic, and policies as sections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from remsim.config.mptcp import MptcpSettings
from remsim.core.routes import MOST_LINKS
from remsim.core.small_dataclass import dataclass

ROUTING_NAME = "remsim_routing"


@dataclass(frozen=True, slots=True)
class RoutingSettings:
    """Section ``globals`` of type ``routing``. ``lan`` devices: empty finds them (firewall zones, else br-lan).

    ``portal_url``: empty takes the usual ones, ``none`` alone looks for no portal. ``nat`` is auto, on or off: whether
    IPv4 is masqueraded here.
    """

    enabled: bool = False
    algorithm: str = "adaptive"
    persistence: str = "none"
    last_resort: str = "keep"
    lan: tuple[str, ...] = ()
    probe_interval_ms: int = 200
    probe_idle_ms: int = 1000
    probe_metered_ms: int = 5000
    probe_down: int = 3
    probe_up: int = 10
    failback_s: int = 0
    max_latency_ms: int | None = None
    prefer_low_latency: bool = False
    weights: str = "fixed"
    router_country: str = ""
    use_dnsmasq: bool = True
    learn_names: bool = False
    use_ndpi: bool = False
    sip_helper: bool = False
    router_traffic: bool = True
    interactive_link_free: bool = False
    portal_url: tuple[str, ...] = ()
    nat: str = "auto"


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """A section of type ``link``. What it is made of is ``modem`` (a place), ``interface`` (netifd) or ``device`` (the
    kernel's name); a modem may have one of the others beside it, where that is not found by itself."""

    name: str
    title: str = ""
    enabled: bool = True
    modem: str = ""
    interface: str = ""
    device: str = ""
    gateway: str = ""
    index: int | None = None
    weight: int = 1
    priority: int = 1
    tags: tuple[str, ...] = ()
    carrier: str = ""
    country: str = ""
    down_kbit: int | None = None
    up_kbit: int | None = None
    metered: bool = False
    probe: tuple[str, ...] = ()
    probe_type: str = "auto"
    portal_check: bool = True
    cap_mbytes: int | None = None
    cap_hard: bool = False
    at_cap: str = "leave"
    cap_profile: str = ""
    slow_kbit: int | None = None
    margin_percent: int = 5
    cycle_day: int = 1
    flat_minor: int | None = None
    cost_per_gb_minor: int | None = None
    overage_per_gb_minor: int | None = None
    currency: str = "EUR"
    ipv6: str = "auto"
    dns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """A section of type ``policy``: a policy for those who keep everything in UCI; read, never written."""

    name: str
    enabled: bool = True
    priority: int = 100
    proto: str = ""
    source: tuple[str, ...] = ()
    destination: tuple[str, ...] = ()
    src_port: tuple[str, ...] = ()
    dest_port: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    dscp: str = ""
    time: str = ""
    route: str = "balance"
    by: str = ""
    link: str = ""
    carrier: str = ""
    fallback: str = "any"
    klass: str = ""


@dataclass(frozen=True, slots=True)
class LoadBalancing:
    """A section of type ``load_balancing``: fewer words for the same, which count where ``globals`` and the links say
    nothing. ``health_check_interval`` (seconds) is the idle period of probes; ``connection`` is like
    ``wwan0:weight=10``."""

    algorithm: str = ""
    health_check_interval: int | None = None
    failover_threshold: int | None = None
    connection: tuple[str, ...] = ()
    max_latency_ms: int | None = None
    prefer_low_latency: bool = False


@dataclass(frozen=True, slots=True)
class Routing:
    """All of the file, with what ``load_balancing`` says put where it counts. Every link has its ``index``."""

    globals: RoutingSettings = field(default_factory=RoutingSettings)
    links: tuple[LinkSettings, ...] = ()
    policies: tuple[PolicySettings, ...] = ()
    load_balancing: LoadBalancing = field(default_factory=LoadBalancing)
    mptcp: MptcpSettings = field(default_factory=MptcpSettings)

    @property
    def by_number(self) -> dict[int, LinkSettings]:
        """The links by the numbers they have in marks, rules and tables."""
        return numbered(self.links)


def numbered(links: Iterable[LinkSettings]) -> dict[int, LinkSettings]:
    """Links by number, 1 to 8: the one that is written, so that marks survive a change of order, else the lowest that
    is free. More links than numbers are left out."""
    links = tuple(links)
    found = {link.index: link for link in links if link.index is not None}
    free = iter([number for number in range(1, MOST_LINKS + 1) if number not in found])
    found |= {number: link for link, number in zip((one for one in links if one.index is None), free, strict=False)}
    return dict(sorted(found.items()))
