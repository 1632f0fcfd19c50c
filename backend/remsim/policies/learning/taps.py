"""Rules of the table that copy first packets to user space, and sets of addresses that no name may lead to."""

from __future__ import annotations

from remsim.core.routes import SetCode

GROUP = 27114
"""Of NFLOG; other programs take small numbers."""
SNAP = 1600
"""Octets of a packet that are copied: all of one that travels the Internet."""

HELLOS_A_SECOND, INITIALS_A_SECOND, NDPI_A_SECOND = 200, 60, 500
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
    ),
    SetCode(
        "never6",
        "type ipv6_addr; flags interval;",
        ("::/96", "::ffff:0:0/96", "fc00::/7", "fe80::/10", "ff00::/8"),
    ),
)
"""What names must not lead to, whoever says so (DNS rebinding): private, link-local, multicast and reserved addresses.
dnsmasq puts addresses into sets by itself, so the rules that use such sets exclude these."""


def taps(*, learn_names: bool, use_ndpi: bool) -> tuple[str, ...]:
    """Rules for the forward chain: first packets of flows out of the LAN, and for nDPI those of the answers.

    ``ct packets`` counts from the first packet of a flow and needs nf_conntrack_acct, which the plane switches on. A
    ClientHello is the third packet or, with post-quantum keys, the third and fourth; acknowledgements are too short.
    """
    log = f"log group {GROUP} snaplen {SNAP} queue-threshold 1"
    rules: list[str] = []
    if learn_names:
        rules += [
            "iifname @lan tcp dport 443 ct original packets 2-8 meta length > 120 "
            f"limit rate {HELLOS_A_SECOND}/second burst {2 * HELLOS_A_SECOND} packets {log}",
            "iifname @lan udp dport 443 ct original packets < 5 meta length > 1000 "
            f"limit rate {INITIALS_A_SECOND}/second burst {2 * INITIALS_A_SECOND} packets {log}",
        ]
    if use_ndpi:
        rules.append(
            "meta l4proto { tcp, udp } ct packets < 12 "
            f"limit rate {NDPI_A_SECOND}/second burst {2 * NDPI_A_SECOND} packets {log} prefix \"ndpi\""
        )
    return tuple(rules)
