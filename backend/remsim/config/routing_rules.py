"""The types of sections of ``/etc/config/remsim_routing``: what each option may be, and what a form says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, validates_schema

from remsim.config.alerting import told
from remsim.config.fields import IPV6, PLACE, Lines, Options, SectionType
from remsim.config.mptcp import MOST_PORTS, MptcpSettings, is_address, is_ports
from remsim.config.routing import LinkSettings, LoadBalancing, PolicySettings, RoutingSettings
from remsim.core.forms import Choice, Flag, Text, Whole
from remsim.core.routes import ALGORITHMS, MOST_LINKS, MOST_POLICIES, PERSISTENCES

NAME = r"[A-Za-z0-9_]{1,32}"
TOLD_NAME = "is not a name of up to 32 letters, digits and _"
DEVICE = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}"
TOLD_DEVICE = "is not a device of up to 15 letters, digits, dots, - and _"
NOWHERE = re.compile(r"lo|(ifb|imq|dummy)[0-9]*")
MOST_LAN, MOST_TAGS, MOST_PROBES, MOST_VALUES = 32, 16, 8, 64
NO_PORTAL = "none"
PROBE = re.compile(rf"(?:(icmp|dns|tcp|http):)?(?:([0-9.]+)|{IPV6})(?::([0-9]{{1,5}}))?\Z")
CONNECTION = re.compile(rf"({DEVICE})(?::weight=([0-9]{{1,4}}))?\Z")

LAST_RESORTS = {
    "keep": "keep all links: packets wait at the modems",
    "unreachable": "refuse: devices are told at once",
}
WEIGHTS = {"fixed": "as written", "measured": "as each link was measured to carry"}
NATS = {"auto": "where the firewall does not", "on": "always", "off": "never"}
PROBE_TYPES = {
    "auto": "whatever is answered",
    "icmp": "ICMP echo",
    "dns": "DNS",
    "tcp": "TCP connections",
    "http": "HTTP",
}
AT_CAP = {
    "leave": "takes no new flows",
    "slow": "goes on slowly",
    "alert": "goes on, and you are told",
    "switch": "takes no new flows until its modem has changed to another eSIM profile",
}
IPV6_WAYS = {
    "auto": "whatever fits",
    "source": "each address goes out where it belongs",
    "nptv6": "the prefix is translated (NPTv6)",
    "masquerade": "the router's address is taken",
    "off": "no IPv6",
}
ROUTES = {
    "prefer": "the best link",
    "balance": "several links",
    "enforce": "this link",
    "connection": "this link",
    "block": "nowhere",
}
FALLBACKS = {"any": "any link", "next_rule": "the next policy decides", "drop": "nowhere"}
CLASSES = {"": "not said", "interactive": "interactive", "bulk": "bulk"}
WRITTEN_ALGORITHMS = {
    **{name: name for name in ALGORITHMS},
    "weighted_round_robin": "weighted",
    "round_robin": "equal",
    "latency_based": "latency",
    "throughput_based": "throughput",
}
"""What ``load_balancing`` may say, and what that is here."""


def check_device(text: str) -> None:
    """A device of the kernel."""
    if not re.fullmatch(DEVICE, text, re.ASCII):
        raise ValidationError(TOLD_DEVICE)


def check_link_device(text: str) -> None:
    """A device that may lead to the Internet."""
    if NOWHERE.fullmatch(text):
        raise ValidationError("leads nowhere: it is the router itself, or a device that only takes packets in")


def check_link_interface(text: str) -> None:
    """An interface that may lead to the Internet."""
    if text == "loopback":
        raise ValidationError("leads nowhere: it is the router itself")


def check_tag(text: str) -> None:
    """A word that policies may name links by."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", text, re.ASCII):
        raise ValidationError("is not a word of up to 32 letters, digits, - and _")


def check_address(text: str) -> None:
    """An address of either family."""
    try:
        ip_address(text)
    except ValueError:
        raise ValidationError("is not an IP address") from None


def check_gateway(text: str) -> None:
    """An address, or none."""
    if text:
        check_address(text)


def check_probe(text: str) -> None:
    """``1.1.1.1``, ``tcp:9.9.9.9:443``, ``dns:[2620:fe::fe]``: whom probes ask."""
    match = PROBE.match(text)
    try:
        if match is None:
            raise ValueError(text)
        method, ipv4, in_brackets, ipv6, port = match.groups()
        ip_address(in_brackets or ipv4 or ipv6)
        if (port is not None and method in (None, "icmp")) or not 1 <= int(port or 1) <= 65535:
            raise ValueError(text)
    except ValueError:
        raise ValidationError("is not an IP address, nor icmp:IP, dns:IP, tcp:IP:PORT or http:IP") from None


def check_portal(text: str) -> None:
    """An address that answers 204; encrypted ones show no portal."""
    parts = urlsplit(text)
    is_url = parts.scheme == "http" and re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", parts.netloc, re.ASCII)
    if text != NO_PORTAL and (not is_url or not re.fullmatch(r"[!-~]+", text)):
        raise ValidationError("is neither an address like http://example.com/generate_204 nor none")


def check_ports(text: str) -> None:
    """``443``, ``8000-8100`` or ``all``."""
    if not is_ports(text):
        raise ValidationError("is not like 443, 8000-8100 or all")


def check_connection(text: str) -> None:
    """``wwan0:weight=10``."""
    match = CONNECTION.match(text)
    if match is None or not 1 <= int(match[2] or 1) <= 1000:
        raise ValidationError("is not like wwan0:weight=10")
    check_link_device(match[1])


def check_word(text: str) -> None:
    """A value of a policy; what it may be the policies know."""
    if not text.isprintable() or not text.strip():
        raise ValidationError("is not one line of text")


def Country(**kwargs: Any) -> Text:
    """ISO 3166-1 alpha-2."""
    return Text(0, 2, pattern="[A-Za-z]{2}", told="is not a country of two letters, like DE", **kwargs)


def Money(help: str, label: str, **more: Any) -> Whole:
    """An amount in minor units."""
    metadata = told(label, help, unit="cent", **more)
    return Whole(0, 1_000_000_000, allow_none=True, metadata=metadata)


class RoutingOptions(Options):
    """Section ``globals`` of type ``routing``."""

    enabled = Flag(metadata=told("Links carry the traffic of the LAN", "Off: the router leads it as without remsim."))
    algorithm = Choice(ALGORITHMS, metadata=told("Flows are shared by", "What no policy takes."))
    persistence = Choice(PERSISTENCES, metadata=told("Who keeps a link"))
    weights = Choice(WEIGHTS, metadata=told("Weights are", "For sharing by weights."))
    last_resort = Choice(LAST_RESORTS, metadata=told("When all links are down"))
    max_latency_ms = Whole(
        1, 60_000, allow_none=True,
        metadata=told("A link is slow from", "It gets no new flows while another is faster. Empty: never.", unit="ms"),
    )  # fmt: skip
    prefer_low_latency = Flag(metadata=told("Interactive flows take the fastest link"))
    interactive_link_free = Flag(
        metadata=told("Keep a link free for interactive flows", "Downloads leave the fastest one alone.")
    )
    router_traffic = Flag(metadata=told("The router's own traffic takes part", "Off: it goes by the main route."))
    use_dnsmasq = Flag(
        metadata=told("dnsmasq tells which addresses names have", "Needs dnsmasq-full; restarted when names change.")
    )
    learn_names = Flag(
        metadata=told("Learn names from packets", "DNS answers, TLS and QUIC tell a server's name; takes some CPU.")
    )
    use_ndpi = Flag(metadata=told("Recognise applications with nDPI", "Needs the package libndpi and some memory."))
    sip_helper = Flag(
        metadata=told(
            "Media of calls follows its call",
            "The kernel reads SIP on UDP port 5060 and rewrites addresses in it; some phones do not get on with that.",
        )
    )
    router_country = Country(metadata=told("The router is in", "Like DE. Empty: where its modems are registered."))
    probe_interval_ms = Whole(
        100, 10_000, metadata=told("Probe a link that is in use every", "Also while something is odd.", unit="ms")
    )
    probe_idle_ms = Whole(200, 600_000, metadata=told("Probe an idle link every", unit="ms"))
    probe_metered_ms = Whole(
        500, 3_600_000, metadata=told("Probe an idle link that is paid by volume every", unit="ms")
    )
    probe_down = Whole(1, 100, metadata=told("Down after", "Unanswered in a row.", unit="probes"))
    probe_up = Whole(
        1, 1000, metadata=told("Up after", "Answered in a row; twice as many after each flap.", unit="probes")
    )
    failback_s = Whole(
        0, 86_400, metadata=told("A link that is back rests for", "Before it gets new flows again.", unit="s")
    )
    portal_url = Lines(
        check_portal, 4,
        metadata=told(
            "Portals are looked for at", "An address a line that answers 204. Empty: two usual ones; none: nowhere.",
            advanced=True,
        ),
    )  # fmt: skip
    lan = Lines(
        check_device, MOST_LAN,
        metadata=told("Devices of the LAN", "One a line, like br-lan. Empty: as the firewall has it.", advanced=True),
    )  # fmt: skip
    nat = Choice(NATS, metadata=told("Masquerade IPv4", advanced=True))


class LinkOptions(Options):
    """Sections of type ``link``."""

    title = Text(0, 64, metadata=told("Name", "What to call it."))
    enabled = Flag(metadata=told("In use"))
    modem = Text(
        0, 64, pattern=PLACE, told="is not like 1-1.2 or pci-0000:01:00.0",
        metadata=told("Modem", "Where it is plugged in: a USB path like 1-1.2, or pci-0000:01:00.0."),
    )  # fmt: skip
    interface = Text(
        0, 15, pattern="[A-Za-z0-9_]+", told="is not an interface of up to 15 letters, digits and _",
        validate=check_link_interface,
        metadata=told("Interface", "Its section in network, like wan."),
    )  # fmt: skip
    device = Text(
        0, 15, pattern=DEVICE, told=TOLD_DEVICE, validate=check_link_device,
        metadata=told("Device", "The kernel's name, like eth1; where there is no interface."),
    )  # fmt: skip
    weight = Whole(1, 1000, metadata=told("Weight", "Its share where links are shared by weights."))
    priority = Whole(1, 1000, metadata=told("Priority", "The lowest number is the first choice."))
    tags = Lines(check_tag, MOST_TAGS, metadata=told("Tags", "One a line; policies may name links by them."))
    down_kbit = Whole(
        1, 100_000_000, allow_none=True,
        metadata=told("It carries downwards", "Empty: learned.", unit="kbit/s"),
    )  # fmt: skip
    up_kbit = Whole(
        1, 100_000_000, allow_none=True,
        metadata=told("It carries upwards", "Empty: learned.", unit="kbit/s"),
    )  # fmt: skip
    metered = Flag(metadata=told("Paid by volume", "It is probed less often while it is idle."))
    flat_minor = Money("Of a cycle. Without any price here the plan of its SIM counts.", "Price of a cycle")
    cost_per_gb_minor = Money("Each below the cap, or each where there is none.", "Price of a GB")
    overage_per_gb_minor = Money("Empty: nothing is sold above it.", "Price of a GB above the cap")
    currency = Text(
        0, 8, pattern=r"[^\s<>&]*", told="has blanks", metadata=told("Currency", "Of the prices, like EUR.")
    )
    cap_mbytes = Whole(
        1, 1_000_000_000, allow_none=True,
        metadata=told("Data cap", "Of a cycle; 1000 MB are 1 GB. Empty: none.", unit="MB"),
    )  # fmt: skip
    cycle_day = Whole(1, 31, metadata=told("Billing day", "Of the month; the last day where the month is shorter."))
    margin_percent = Whole(
        0, 50, metadata=told("Reached early by", "Operators count otherwise than this router.", unit="%")
    )
    at_cap = Choice(AT_CAP, metadata=told("At its cap it"))
    cap_profile = Text(
        0, 64, pattern=r"[^\x00-\x1f\x7f]*", told="is not one line of text",
        metadata=told("Profile at the cap", "On the eUICC of its modem: its id, ICCID or name. For switch."),
    )  # fmt: skip
    slow_kbit = Whole(8, 10_000_000, allow_none=True, metadata=told("Slowed to", unit="kbit/s"))
    cap_hard = Flag(metadata=told("Carries nothing at all above the cap", "Also what flows already."))
    probe = Lines(
        check_probe, MOST_PROBES,
        metadata=told(
            "Probes ask", "An IP address a line, or icmp:IP, dns:IP, tcp:IP:PORT, http:IP. Empty: three resolvers.",
            advanced=True,
        ),
    )  # fmt: skip
    probe_type = Choice(PROBE_TYPES, metadata=told("Probes are", advanced=True))
    portal_check = Flag(
        metadata=told("Look for portals", "A page that wants a login is not the Internet.", advanced=True)
    )
    gateway = Text(
        0, 45, validate=check_gateway, metadata=told("Gateway", "Empty: found by itself.", advanced=True)
    )
    dns = Lines(
        check_address, 4,
        metadata=told("Its resolvers", "One a line. Empty: those that its network gave.", advanced=True),
    )  # fmt: skip
    ipv6 = Choice(IPV6_WAYS, metadata=told("IPv6", advanced=True))
    carrier = Text(0, 64, metadata=told("Operator", "Empty: as the modem says.", advanced=True))
    country = Country(metadata=told("Country", "Of its network, like DE. Empty: as the modem says.", advanced=True))
    index = Whole(
        1, MOST_LINKS, allow_none=True,
        metadata=told("Number", "In marks of packets; given once, and kept.", advanced=True, stays=True),
    )  # fmt: skip

    @validates_schema
    def fits_together(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """What a link is made of is said, and said once."""
        if data.get("interface") and data.get("device"):
            raise ValidationError("is there besides interface: one of them is enough", "device")
        if data.get("at_cap") == "slow" and data.get("slow_kbit") is None:
            raise ValidationError("is needed", "slow_kbit")
        if data.get("at_cap") == "switch" and not data.get("cap_profile", "").strip():
            raise ValidationError("is needed: which profile to change to", "cap_profile")
        if data.get("at_cap") == "switch" and not data.get("modem"):
            raise ValidationError("switch needs a modem, whose eUICC has the profiles", "at_cap")


class PolicyOptions(Options):
    """Sections of type ``policy``."""

    class Meta(Options.Meta):
        include = {"class": Choice(CLASSES, metadata=told("Class"))}

    enabled = Flag(metadata=told("In use"))
    priority = Whole(1, 10_000, metadata=told("Priority"))
    proto = Text(0, 64, metadata=told("Protocol"))
    source = Lines(check_word, MOST_VALUES, metadata=told("From"))
    destination = Lines(check_word, MOST_VALUES, metadata=told("To"))
    src_port = Lines(check_word, MOST_VALUES, metadata=told("From port"))
    dest_port = Lines(check_word, MOST_VALUES, metadata=told("To port"))
    domain = Lines(check_word, MOST_VALUES, metadata=told("Domains"))
    dscp = Text(0, 32, metadata=told("DSCP"))
    time = Text(0, 120, metadata=told("Time"))
    route = Choice(ROUTES, metadata=told("Route"))
    by = Text(0, 32, metadata=told("Chosen by"))
    link = Text(0, 32, pattern=NAME, told=TOLD_NAME, metadata=told("Link"))
    carrier = Text(0, 64, metadata=told("Operator"))
    fallback = Choice(FALLBACKS, metadata=told("When it is down"))


class LoadBalancingOptions(Options):
    """Section ``load_balancing``."""

    algorithm = Choice(WRITTEN_ALGORITHMS, metadata=told("Flows are shared by"))
    health_check_interval = Whole(1, 3600, metadata=told("Probe an idle link every", unit="s"))
    failover_threshold = Whole(1, 100, metadata=told("Down after", unit="probes"))
    connection = Lines(check_connection, MOST_LINKS, metadata=told("Connections", "Like wwan0:weight=10, one a line."))
    max_latency_ms = Whole(1, 60_000, metadata=told("A link is slow from", unit="ms"))
    prefer_low_latency = Flag(metadata=told("Interactive flows take the fastest link"))


class MptcpOptions(Options):
    """Section ``mptcp``: one connection over all links, through a server of the user's."""

    enabled = Flag(metadata=told("Use MPTCP", "The kernel is told of links, so that one connection may use all."))
    server = Text(0, 45, metadata=told("Server", "IP address of your SOCKS5 server that speaks MPTCP; none: no proxy."))
    port = Whole(1, 65535, metadata=told("Port of the server"))
    user = Text(0, 255, metadata=told("User"))
    password = Text(0, 255, metadata=told("Password", secret=True))
    ports = Lines(check_ports, MOST_PORTS, metadata=told("Led through it", "TCP to 443, 8000-8100 or all; one a line."))
    local_port = Whole(1, 65535, metadata=told("Port of the proxy on this router", advanced=True))
    fallback = Flag(metadata=told("Without the server while it does not answer", advanced=True))

    @validates_schema(skip_on_field_errors=True)
    def check_server(self, values: dict[str, Any], **_kwargs: Any) -> None:
        """A name could lead elsewhere with each link."""
        if values.get("server") and not is_address(values["server"]):
            raise ValidationError("is not an IP address", "server")


def link_of(**values: Any) -> LinkSettings:
    """A link of a section's values."""
    return LinkSettings(**{**values, "country": values.get("country", "").upper()})


def policy_of(**values: Any) -> PolicySettings:
    """A policy of a section's values."""
    return PolicySettings(klass=values.pop("class", ""), **values)


def routing_settings(**values: Any) -> RoutingSettings:
    """The globals of a section's values."""
    return RoutingSettings(**{**values, "router_country": values.get("router_country", "").upper()})


def from_load_balancing(shared: LoadBalancing) -> dict[str, Any]:
    """What ``load_balancing`` means for the globals. Who writes connections there wants them used."""
    found: dict[str, Any] = {
        "algorithm": WRITTEN_ALGORITHMS.get(shared.algorithm),
        "probe_idle_ms": None if shared.health_check_interval is None else shared.health_check_interval * 1000,
        "probe_down": shared.failover_threshold,
        "max_latency_ms": shared.max_latency_ms,
        "prefer_low_latency": shared.prefer_low_latency or None,
        "enabled": bool(shared.connection) or None,
    }
    return {name: value for name, value in found.items() if value is not None}


ROUTING = SectionType(
    "routing", RoutingOptions, routing_settings, "globals", "Sharing", live=True, page="links", section="globals"
)
LINK = SectionType(
    "link", LinkOptions, link_of, "links", "Links", many=True, named_by="name", most=MOST_LINKS, page="links", live=True
)
POLICY = SectionType(
    "policy", PolicyOptions, policy_of, "policies", "Policies", many=True, named_by="name", most=MOST_POLICIES,
    page="policies", live=True,
)  # fmt: skip
LOAD_BALANCING = SectionType(
    "load_balancing", LoadBalancingOptions, LoadBalancing, "load_balancing", "Load balancing", page="links", live=True
)
MPTCP = SectionType("mptcp", MptcpOptions, MptcpSettings, "mptcp", "MPTCP", page="links", live=True)
ROUTING_SECTIONS = {row.name: row for row in (ROUTING, LINK, POLICY, LOAD_BALANCING, MPTCP)}
"""All there are."""
