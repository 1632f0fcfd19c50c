"""A link as the table has it: the way out by one device."""

from __future__ import annotations

from remsim.core.routes import LINK_MASK, LINK_SHIFT
from remsim.core.small_dataclass import dataclass
from remsim.links.plane import LinkRoute

REFUSED = 15
"""Where the link's number would be: this packet has no way. The ip rule for it answers "prohibited"."""
BURST_MS = 100
"""How much of a policed rate may come at once."""


@dataclass(frozen=True, slots=True)
class Way:
    """One link. ``carries4``/``carries6``: whether its table leads out by it in that family.

    ``prefix6`` are the addresses that are its own (text of a network), ``lan6`` the LAN's networks that NPTv6 turns
    into it, where it ``is_alone6``: neighbours would ask for the translated addresses, and nobody answers for them.
    ``cap_bytes``: after so many more nothing passes, in both directions together.
    """

    index: int
    device: str
    carries4: bool = True
    carries6: bool = True
    ipv6: str = "auto"
    prefix6: str | None = None
    lan6: tuple[str, ...] = ()
    is_alone6: bool = True
    resolvers: tuple[str, ...] = ()
    cap_bytes: int | None = None
    limit_kbit: int | None = None

    def limits(self) -> tuple[str, ...]:
        """The rules that end or thin its traffic, once for each direction."""
        rules = [] if self.cap_bytes is None else [f'quota name "link_{self.index}_cap" drop']
        if self.limit_kbit is not None:
            rate = max(1, self.limit_kbit * 1000 // 8 // 1024)
            burst = max(32, rate * BURST_MS // 1000)
            rules.append(f"limit rate over {rate} kbytes/second burst {burst} kbytes drop")
        return tuple(rules)

    def leaks(self, *, nat: bool) -> tuple[str, ...]:
        """The rules that end what has another address than this link's and gets none: NAT looks at the first packet of
        a flow, and not at all at what belongs to none, as a reset that comes late. ``nat``: IPv4 is masqueraded here.
        """
        bits = f"ct mark & {LINK_MASK:#06x}"
        rules = [f"{bits} != {self.index << LINK_SHIFT:#06x} {bits} != 0 ct status snat drop"]
        if nat:
            rules.append("ct state invalid meta nfproto ipv4 fib saddr . oif type != local drop")
        if self.prefix6 is not None and self.ipv6 != "off":
            rules.append(f"ct state invalid ip6 saddr != {self.prefix6} ip6 saddr != fe80::/10 drop")
        return tuple(rules)

    def nat6(self) -> tuple[str, ...]:
        """How sources of IPv6 become ones that this link's network takes."""
        if self.prefix6 is None or self.ipv6 == "off":
            return ()
        out = f'oifname "{self.device}"'
        rules: list[str] = []
        if self.ipv6 == "nptv6" and self.is_alone6 and self.lan6 and self.prefix6.endswith("/64"):
            pairs = ", ".join(f"{network} : {self.prefix6}" for network in self.lan6[:1])
            rules.append(f"{out} snat ip6 prefix to ip6 saddr map {{ {pairs} }}")
        foreign = "" if self.ipv6 == "masquerade" else f"ip6 saddr != {self.prefix6} "
        rules.append(f"{out} ip6 saddr != fe80::/10 {foreign}masquerade")
        return tuple(rules)


def way_of(link: LinkRoute) -> Way:
    """A link's way as far as it can be told without asking the kernel."""
    return Way(
        link.index,
        link.device,
        ipv6=link.ipv6,
        carries6=link.ipv6 != "off",
        resolvers=link.dns,
        cap_bytes=link.hard_cap_bytes,
        limit_kbit=link.limit_kbit,
    )
