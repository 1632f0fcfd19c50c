"""The words of the language, and what each of them means to who completes or explains it."""

from __future__ import annotations

STATEMENTS = {
    "match": "which flows",
    "route": "by which links, in order",
    "fallback": "what follows when the route has no link left",
    "priority": "which policy is asked first: a number, the lowest first, or a word",
    "class": "interactive or bulk",
    "limit": "at most this rate",
    "dscp": "the mark its packets get",
    "queue": "the class of the queueing discipline its packets get",
    "persistence": "who keeps a link",
    "enabled": "no: the policy is kept, but not asked",
}

TESTS = {
    "all": "every flow",
    "source": "who sends: addresses, networks, ranges, hardware addresses, @sets, router",
    "destination": "where to: addresses, networks, ranges, @sets",
    "interface": "the LAN device a flow comes in by",
    "port": "destination port of TCP and UDP",
    "source_port": "source port of TCP and UDP",
    "protocol": "tcp, udp, icmp, RTP (a heuristic) or a number",
    "dscp": "the mark that packets carry",
    "domain": "the server's name; *.example.com and example.com both take all below; * and ? may stand elsewhere too",
    "application": "an application or a class of them",
    "country": "where the destination is",
    "router_country": "where the router is",
    "time": "hours and days, by the router's clock",
    "download_rate": "how fast a flow was; holds from the next flow on",
    "upload_rate": "how fast a flow was; holds from the next flow on",
    "flow_size": "how much a flow carried; holds from the next flow on",
    "packet_size": "octets of the first packet",
    "link": "how a link is",
}
"""Kinds of tests."""

SYNONYMS = {
    "any": "all",
    "src": "source",
    "dst": "destination",
    "destination_port": "port",
    "dport": "port",
    "sport": "source_port",
    "sni": "domain",
    "host": "domain",
    "app": "application",
    "destination_country": "country",
    "day": "time",
    "days": "time",
}
TEST_WORDS = {**{kind: kind for kind in TESTS}, **SYNONYMS}
"""Every word that begins a test, in lower case, with its kind."""
OFFERED: tuple[str, ...] = (
    *("all", "source", "destination", "interface", "port", "source_port", "protocol", "dscp", "SNI", "domain"),
    *("application", "destination_country", "router_country", "time", "day", "download_rate", "upload_rate"),
    *("flow_size", "packet_size", "link", "not"),
)
"""The words that an error offers where a condition is missing."""

PRIORITIES = {"highest": 1, "high": 10, "normal": 100, "low": 500, "lowest": 1000}
MOST_PRIORITY = 10000
CLASS_WORDS = ("interactive", "bulk")

ROUTES = {
    "connection": "this link",
    "prefer_connection": "the best link by a criterion",
    "prefer_carrier": "links of a carrier, or of those that are at home here",
    "prefer_tag": "links with a tag",
    "balance": "all links, by an algorithm",
    "balance_by_remaining_data": "all links, by what is left of their data caps",
    "cheapest_overage_rate": "the link that is cheapest once caps are used up",
    "any": "as flows that no policy takes",
    "next": "the next policy decides",
    "block": "nowhere",
}
CALLS = {"prefer_connection": "prefer", "prefer_carrier": "carrier", "prefer_tag": "tag", "balance": "balance"}

LINK_WORDS = {
    "is": "its state",
    "latency": "its round trip",
    "loss": "share of its probes lost",
    "remaining": "what is left of its data cap",
}
LINK_STATES = ("up", "degraded", "portal", "down", "usable", "unusable", "roaming", "capped")
"""``usable``: takes new flows. ``down``: also without a device, switched off or not yet probed."""

PROTOCOLS = {
    "tcp": 6,
    "udp": 17,
    "icmp": 1,
    "icmpv6": 58,
    "igmp": 2,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "sctp": 132,
    "udplite": 136,
    "ipip": 4,
    "6in4": 41,
}
"""Numbers of the IANA registry. ``icmp`` takes both that of IPv4 and that of IPv6."""
HEURISTICS = ("rtp", "quic")
RTP_PORTS = ((3478, 3481), (10000, 32767))
RTP_DSCP = (46, 34, 40)
"""What is taken for RTP: UDP to the usual ports of media, or marked EF, AF41 or CS5. A port beside it says better."""

DSCP = {"be": 0, "df": 0, "le": 1, "va": 44, "ef": 46}
DSCP |= {f"cs{number}": 8 * number for number in range(8)}
DSCP |= {f"af{one}{two}": 8 * one + 2 * two for one in range(1, 5) for two in range(1, 4)}
DSCP_NAMES = {**{value: name for name, value in DSCP.items()}, 0: "cs0"}

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_WORDS = {name: number for number, name in enumerate(DAYS)}
for _number, _name in enumerate(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")):
    DAY_WORDS[_name] = _number
DAY_GROUPS = {"weekdays": (0, 1, 2, 3, 4), "weekend": (5, 6), "daily": tuple(range(7))}

COMPARED = ("download_rate", "upload_rate", "flow_size", "packet_size")
NEXT_FLOW = ("download_rate", "upload_rate", "flow_size")
"""What a flow shows only while it runs."""
GATES = ("time", "link", "router_country")
"""What the daemon knows, not the packet."""


def closest(word: str, words: tuple[str, ...] | list[str]) -> str | None:
    """The word that was probably meant."""
    from difflib import get_close_matches

    if len(word) > 40:
        return None
    found = get_close_matches(word.lower(), [one.lower() for one in words], 1, 0.6)
    return next((one for one in words if one.lower() == found[0]), None) if found else None
