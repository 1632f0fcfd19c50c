"""Rules of the table that copy first packets to user space, and sets of addresses that no name may lead to."""

from __future__ import annotations

from remsim.core.routes import SetCode

GROUP, NDPI_GROUP = 27114, 27115
"""Of NFLOG; other programs take small numbers. nDPI reads its own, in a process of its own."""
SNAP = 4096
"""Octets of a packet that are copied; receive offload makes one of several that belong together."""

HELLOS_A_SECOND, INITIALS_A_SECOND, ANSWERS_A_SECOND, NDPI_A_SECOND = 200, 60, 200, 500
"""Packets of each kind that are looked at. A router that has more new flows than that has better things to do."""

NEVER = (
    SetCode(
        "never4",
        "type ipv4_addr; flags interval;",
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "224.0.0.0/3",
        ),
        is_apart=True,
    ),
    SetCode(
        "never6",
        "type ipv6_addr; flags interval;",
        ("::/96", "::ffff:0:0/96", "fc00::/7", "fe80::/10", "ff00::/8"),
        is_apart=True,
    ),
)
"""What names must not lead to, whoever says so (DNS rebinding): private, link-local, multicast and reserved addresses.
dnsmasq puts addresses into sets by itself, so the rules that use such sets exclude these."""


def taps(*, learn_names: bool, use_ndpi: bool) -> tuple[str, ...]:
    """Rules for the forward chain: first packets of flows out of the LAN, and for nDPI those of the answers.

    ``ct packets`` counts from the first packet of a flow and needs nf_conntrack_acct, which the plane switches on. A
    ClientHello is the third packet or, with post-quantum keys, the third and fourth; acknowledgements are too short.
    """
    rules: list[str] = []
    if learn_names:
        rules += [
            f"iifname @lan tcp dport 443 ct original packets 2-8 meta length > 120 {_log(HELLOS_A_SECOND)}",
            f"iifname @lan udp dport 443 ct original packets < 5 meta length > 1000 {_log(INITIALS_A_SECOND)}",
        ]
    if use_ndpi:
        rules.append(f"meta l4proto {{ tcp, udp }} ct packets < 12 {_log(NDPI_A_SECOND, NDPI_GROUP)}")
    return tuple(rules)


def sip_taps() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The kernel's helper for SIP as an object of the table, and the rule of the forward chain that gives it to calls.

    A flow that the helper has read of begins with the mark of its call: by the same link, as of the same policy. Its
    packets are ``related``, not ``new``, so that no policy is asked about it.
    """
    return (
        ('ct helper sip { type "sip" protocol udp; }',),
        ('iifname @lan udp dport 5060 ct state new ct helper set "sip"',),
    )


def post_taps(*, learn_names: bool) -> tuple[str, ...]:
    """Rules for postrouting: answers of DNS to the LAN, the router's own and those that it forwards."""
    return (f"oifname @lan udp sport 53 {_log(ANSWERS_A_SECOND)}",) if learn_names else ()


def _log(a_second: int, group: int = GROUP) -> str:
    """The end of a rule that copies so many packets a second."""
    limit = f"limit rate {a_second}/second burst {2 * a_second} packets"
    return f"{limit} log group {group} snaplen {SNAP} queue-threshold 1"
