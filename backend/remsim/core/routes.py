"""What links and policies say to each other: links tell what they are, policies which of them should carry what.

Neither room knows the other. Marks are those of the packets and of conntrack entries (``ct mark``); the policy's number
is in conntrack entries only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from remsim.core.small_dataclass import dataclass

MOST_LINKS = 8
MOST_POLICIES = 250
"""A policy's number, from 1, has to fit into eight bits of a mark; 255 is kept for what is no policy."""
SLOTS = 16
"""Places of a ring: a link has as many of them as its share of new flows in sixteenths."""

LINK_SHIFT, LINK_MASK = 8, 0x00000F00
CLASS_MASK, INTERACTIVE, BULK = 0x00003000, 0x00001000, 0x00002000
POKE = 0x00004000
"""Packets of our own that must not be tracked."""
POLICY_SHIFT, POLICY_MASK = 24, 0xFF000000

CLASSES = ("interactive", "bulk")
STATES = ("up", "degraded", "portal", "down", "starting", "no_device", "off")
"""Of a link. ``portal``: packets pass, the Internet does not. ``starting``: not probed often enough yet."""
USABLE = ("up", "degraded")

ALGORITHMS = {
    "adaptive": "completion time and load, learned",
    "weighted": "the weights of the links",
    "measured": "what each link was measured to carry",
    "least_connections": "the link with the fewest flows",
    "latency": "the link with the shortest round trip",
    "throughput": "the link with most of its capacity free",
    "overflow": "the first link by priority until it is full, then the next",
    "cheapest": "the cheapest link until it is full, then the next",
    "thrifty": "the cheapest mix of links that is hardly slower than all of them alike",
    "remaining_data": "what is left of the data caps",
    "failover": "the first link by priority that is up",
    "equal": "each link alike",
}
CRITERIA = {
    "lowest_latency": "the shortest round trip",
    "lowest_cost": "the lowest price of the next gigabyte",
    "highest_uptime": "the largest share of probes answered in seven days",
    "lowest_loss": "the smallest share of probes lost",
    "highest_throughput": "most capacity free",
    "most_remaining_data": "most left of the data cap",
}
PERSISTENCES = {
    "none": "each flow anew",
    "source": "a device keeps its link",
    "destination": "a server keeps its link",
    "source_destination": "a device keeps its link towards a server",
}


@dataclass(frozen=True, slots=True)
class LinkView:
    """What is known of a link now; None is unknown.

    ``index`` 1 to 8 is in the marks, ``name`` its section in ``remsim_routing``. ``state`` is one of STATES.
    ``country`` is ISO 3166-1 alpha-2 of the network it is in, ``plmn`` of that network, ``home_plmn`` of its SIM.
    Rates are bits a second: ``down_bps`` and ``up_bps`` what it can carry, ``rx_bps`` and ``tx_bps`` what it does.
    ``busy_flows`` are those that fill it (see links/load). Money is in minor units (cents) of ``currency``:
    ``cost_per_gb_minor`` is the price of the next gigabyte, ``overage_per_gb_minor`` of one above the cap.
    ``remaining_bytes`` of ``cap_bytes`` are None where there is no cap; ``reset_s`` is how long the billing cycle of
    ``cycle_s`` lasts from now.
    ``cap_state`` is ok, warned, slow (policed), soft (no new flows) or hard. ``families`` are 4 and 6, in which it has
    a way out.
    """

    index: int
    name: str
    title: str = ""
    state: str = "starting"
    device: str | None = None
    weight: int = 1
    priority: int = 1
    tags: tuple[str, ...] = ()
    is_metered: bool = False
    carrier: str | None = None
    plmn: str | None = None
    home_plmn: str | None = None
    country: str | None = None
    is_roaming: bool | None = None
    latency_ms: float | None = None
    jitter_ms: float | None = None
    loss_percent: float | None = None
    uptime_percent: float | None = None
    down_bps: float | None = None
    up_bps: float | None = None
    rx_bps: float | None = None
    tx_bps: float | None = None
    flows: int | None = None
    busy_flows: int | None = None
    cost_per_gb_minor: float | None = None
    overage_per_gb_minor: float | None = None
    currency: str = ""
    remaining_bytes: int | None = None
    reset_s: float | None = None
    cap_state: str = "ok"
    cap_bytes: int | None = None
    cycle_s: float | None = None
    families: tuple[int, ...] = (4, 6)

    @property
    def is_usable(self) -> bool:
        """Whether new flows may be given to it."""
        return self.state in USABLE and self.cap_state in ("ok", "warned", "slow")


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to choose links; a ring tries its choices in order until one yields a link.

    ``kind`` and ``value``: ``connection`` a link's name, ``prefer`` one of CRITERIA, ``carrier`` ``local`` or a
    network's name or PLMN, ``tag`` a tag, ``balance`` one of ALGORITHMS (over all links), ``overage`` the cheapest rate
    above the cap, also of links whose cap is used up, ``any`` the default ring, ``next`` no link (the next policy
    decides), ``block`` no link and no way.
    ``is_strict``: also when the link is down.
    """

    kind: str
    value: str = ""
    is_strict: bool = False


@dataclass(frozen=True, slots=True)
class RingSpec:
    """A ring in the kernel: its choices, and whether devices or servers keep their link in it.

    ``klass`` decides how ``balance`` and ``prefer`` weigh: completion time for interactive flows, load for bulk.
    """

    name: str
    choices: tuple[Choice, ...]
    klass: str = "bulk"
    persistence: str = "none"
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class SetCode:
    """A set of the table: ``declaration`` is what stands between its braces, ``elements`` what it holds at first.

    ``is_apart``: it is loaded before the chains that use it, in transactions of its own, as all sets of ranges are.
    ``is_learned``: elements come while it is in use, and stay when the policies are loaded again. Very many elements
    are texts that are made when somebody looks at them.
    """

    name: str
    declaration: str
    elements: Sequence[str] = ()
    is_apart: bool = False
    is_learned: bool = False


@dataclass(frozen=True, slots=True)
class PolicyCode:
    """One policy as the kernel has it: ``rules`` in chain ``policies``, counter ``p_NUMBER``.

    ``rules`` are whole nft rules: what matches ends in ``goto pick_NUMBER``, which becomes marks, the counter and the
    policy's ring. While ``is_open`` is false (outside its hours, a link state that does not hold) there are none.
    ``post`` are rules for postrouting, such as DSCP marks; ``forward`` rules for forward, such as a limit. Both match
    by the policy's number in marks, so they stay while it is closed: flows that it took are still under way.
    ``is_for_router``: asked for the router's own flows too.
    """

    number: int
    name: str
    rules: tuple[str, ...]
    ring: RingSpec
    is_open: bool = True
    post: tuple[str, ...] = ()
    forward: tuple[str, ...] = ()
    is_for_router: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """All policies, ready for the kernel, in the order in which they are asked.

    ``taps`` are rules of the forward chain that copy first packets to user space or measure flows, ``post_taps`` such
    rules of postrouting, ``objects`` further named objects (quotas, ct helpers) as nft text.
    """

    policies: tuple[PolicyCode, ...] = ()
    sets: tuple[SetCode, ...] = ()
    taps: tuple[str, ...] = ()
    post_taps: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """How a program was loaded, in milliseconds: how long the chains took, and the sets that came before them, each
    large one and small ones together."""

    chains_ms: float
    sets_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flow:
    """One conntrack entry that a link carries, seen from who began it.

    ``link`` and ``policy`` are the numbers in its mark (0: none), ``klass`` one of CLASSES or None. Bytes are counted
    since it began where accounting is on (None where not): ``tx_bytes`` from who began it, ``rx_bytes`` to them.
    ``is_established``: packets went both ways.
    """

    protocol: str
    source: str
    source_port: int | None
    destination: str
    destination_port: int | None
    link: int
    policy: int = 0
    klass: str | None = None
    tx_bytes: int | None = None
    rx_bytes: int | None = None
    state: str | None = None
    is_established: bool = False
    is_forwarded: bool = True
    nat_source: str | None = None
    nat_source_port: int | None = None

    @property
    def key(self) -> tuple[str, str, int | None, str, int | None]:
        """What tells it from others."""
        return (self.protocol, self.source, self.source_port, self.destination, self.destination_port)
