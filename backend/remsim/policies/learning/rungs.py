"""What the ways to tell names and applications cost, and what each cannot see, in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.policies.learning.missing import missing

NEXT = "It names the next flow to that address, not the one it looks at."
PACKAGES = {
    "sip": "kmod-nf-nathelper-extra",
    "dnsmasq": "dnsmasq-full",
    "dns": "kmod-nfnetlink-log",
    "sni": "kmod-nfnetlink-log",
    "ndpi": "libndpi",
}
COSTS = {
    "headers": "None: the kernel looks at every first packet anyway.",
    "sip": (
        "Packets to UDP port 5060 are read by the kernel, which rewrites the addresses in them; some phones and "
        "providers do not get on with that."
    ),
    "dnsmasq": "None per packet. dnsmasq is restarted when the names in policies change.",
    "dns": "Each DNS answer to the LAN is copied and read: under 0.1 ms.",
    "sni": "The first packets of connections to port 443 are copied and read: under 0.1 ms a connection.",
    "quic": "The first packets of QUIC connections are decrypted: some 0.4 ms a connection.",
    "ndpi": "A process of 15 to 25 MB looks at the first 12 packets of every flow.",
}
MISSED = {
    "headers": "All that is behind port 443.",
    "sip": "SIP by TLS or TCP or to other ports, WebRTC, and media that goes elsewhere than to the server of its call.",
    "dnsmasq": (
        "Devices that ask another DNS server (DNS over HTTPS, private DNS), answers that devices still remember, "
        "names with a wildcard inside (*video*.example.com), and names that share an address with others."
    ),
    "dns": (
        "Encrypted DNS, answers that devices still remember, and now and then the very first flow, which may be "
        "quicker than the reading. Names that share an address cannot be told apart."
    ),
    "sni": NEXT + " With Encrypted Client Hello the name is that of the provider's front.",
    "quic": NEXT + " With Encrypted Client Hello the name is that of the provider's front.",
    "ndpi": NEXT + " What it does not know, it does not see.",
}
UNCOUNTED = ("headers", "sip", "dnsmasq")
OFF = "switched off"
NOT_ASKED = "no policy asks for a name that it can tell"


def rungs(
    *,
    names: bool,
    ndpi: bool,
    dnsmasq: bool,
    has_patterns: bool,
    problems: Mapping[str, str],
    named: Mapping[str, int],
    fronts: int = 0,
    is_full: bool = False,
    sip: bool = False,
) -> list[dict[str, Any]]:
    """All of them, from what costs least to what costs most.

    ``problems`` are by what failed: ``dnsmasq``, ``packets``, ``quic``, ``ndpi``, ``sets``.
    """
    packets = problems.get("packets") or problems.get("sets")
    lacks = missing()
    states = {
        "headers": (True, None),
        "sip": (sip, lacks.get("sip")),
        "dnsmasq": (dnsmasq and has_patterns, problems.get("dnsmasq")),
        "dns": (names, packets),
        "sni": (names, packets),
        "quic": (names, packets or problems.get("quic")),
        "ndpi": (ndpi, problems.get("ndpi") or problems.get("sets")),
    }
    found = []
    for rung, (is_on, problem) in states.items():
        if is_on:
            why = problem
        else:
            problem = lacks.get(rung)
            why = problem or (NOT_ASKED if rung == "dnsmasq" and dnsmasq else OFF)
        missed = MISSED[rung]
        if rung in ("sni", "quic") and is_on and fronts:
            missed += f" Of the hellos that were read {fronts} had it; in most it is a decoy beside the true name."
        if is_on and is_full and rung in ("dns", "sni", "quic"):
            missed += " A set is full: further addresses of its names are left out."
        found.append(
            {
                "rung": rung,
                "is_on": is_on,
                "is_there": problem is None,
                "package": PACKAGES.get(rung),
                "cost": COSTS[rung],
                "named": named.get(rung, 0) if is_on and rung not in UNCOUNTED else None,
                "missed": missed,
                "why": why,
            }
        )
    return found
