"""What this kernel can do, told by the kernel itself: each rule is tried in a transaction that is rolled back."""

from __future__ import annotations

from pathlib import Path

from remsim.links.kernel.conntrack import Conntrack
from remsim.links.kernel.nft import Nft
from remsim.links.plane import Capability

TRIED = "inet remsim_try"
PRE = "type filter hook prerouting priority mangle;"
RULES: tuple[tuple[str, bool, str, str, str], ...] = (
    (
        "marks",
        True,
        "kmod-nft-core",
        "no link can be chosen",
        f"chain c {{ {PRE} ct mark set ct mark & 0xfffff0ff | 0x100; meta mark set 0x100; }}",
    ),
    (
        "rings",
        True,
        "kmod-nft-core",
        "flows cannot be shared",
        f"chain c {{ {PRE} numgen inc mod 16 vmap {{ 0-9 : accept, 10-15 : drop }}; }}",
    ),
    (
        "persistence",
        False,
        "kmod-nft-core",
        "devices do not keep their link",
        f"chain c {{ {PRE} jhash ip saddr mod 16 seed 1 vmap {{ 0-9 : accept, 10-15 : drop }}; }}",
    ),
    (
        "local addresses",
        True,
        "kmod-nft-fib",
        "traffic to the router cannot be told from traffic through it",
        f"chain c {{ {PRE} fib daddr type local accept; }}",
    ),
    (
        "sets of devices with a time",
        True,
        "kmod-nft-core",
        "flows would be led by a service that has died",
        f"set s {{ type ifname; flags timeout; timeout 30s; }}; chain c {{ {PRE} iifname @s accept; }}",
    ),
    (
        "counters and quotas",
        True,
        "kmod-nft-core",
        "traffic is not counted",
        "counter k { }; quota q { over 1000 bytes }; "
        f'chain c {{ {PRE} counter name "k"; quota name "q" drop; }}',
    ),
    (
        "resets",
        False,
        "kmod-nft-core",
        "flows of a dead link wait for minutes instead of beginning again",
        "chain c { type filter hook forward priority filter; meta l4proto tcp reject with tcp reset; }",
    ),
    (
        "segment sizes",
        False,
        "kmod-nft-core",
        "some sites may hang on links with small packets",
        "chain c { type filter hook forward priority filter; tcp flags syn tcp option maxseg size set rt mtu; }",
    ),
    (
        "NAT",
        False,
        "kmod-nft-nat",
        "somebody else has to masquerade",
        "chain c { type nat hook postrouting priority srcnat; meta nfproto ipv4 masquerade; }",
    ),
    (
        "NAT of IPv6 prefixes",
        False,
        "kmod-nft-nat",
        "NPTv6 is not to be had",
        "chain c { type nat hook postrouting priority srcnat; snat ip6 prefix to fd00::/64; }",
    ),
    (
        "copies of first packets",
        False,
        "kmod-nfnetlink-log",
        "names are not learned from TLS and QUIC",
        f"chain c {{ {PRE} tcp dport 443 log group 5 snaplen 600; }}",
    ),
    (
        "calls by SIP",
        False,
        "kmod-nf-nathelper-extra",
        "sip_helper has no effect: media of calls is told by its ports only",
        f'ct helper h {{ type "sip" protocol udp; }}; chain c {{ {PRE} udp dport 5060 ct helper set "h"; }}',
    ),
    (
        "fast flows",
        False,
        "kmod-nft-core",
        "download_rate matches nothing",
        "set m { type ipv4_addr; flags dynamic,timeout; timeout 2m; }; "
        f"chain c {{ {PRE} update @m {{ ip saddr limit rate over 1 mbytes/second }}; }}",
    ),
    (
        "transparent proxies",
        False,
        "kmod-nft-nat",
        "TCP is not led through MPTCP",
        "chain c { type nat hook prerouting priority dstnat; meta l4proto tcp redirect to :5000; }",
    ),
)
MPTCP = Path("/proc/sys/net/mptcp/enabled")
CONFIG_MPTCP = "a kernel with CONFIG_KERNEL_MPTCP"


def probed(nft: Nft, conntrack: Conntrack, *, mptcp: Path = MPTCP) -> tuple[Capability, ...]:
    """Each feature with the answer of the kernel."""
    found = [
        Capability(name, nft.takes(f"table {TRIED} {{\n{rules}\n}}"), is_needed, package, without)
        for name, is_needed, package, without, rules in RULES
    ]
    listed, forgotten = conntrack.is_readable(), conntrack.can_forget()
    return (
        *found,
        Capability("list of flows", listed, False, "conntrack", "links are shared without a look at their flows"),
        Capability("ends of flows", forgotten, False, "kmod-nf-conntrack-netlink", "UDP stays on a dead link"),
        Capability("MPTCP", mptcp.exists(), False, CONFIG_MPTCP, "one connection cannot use several links"),
    )
