"""What is asked of a link's probes, and what they answer."""

from __future__ import annotations

from remsim.core.small_dataclass import dataclass
from remsim.outbound.target import Target

KINDS = ("icmp", "dns", "tcp", "http")
"""In the order in which they are tried where none was chosen."""
PORTAL_URLS = ("http://cp.cloudflare.com/generate_204", "http://connectivitycheck.gstatic.com/generate_204")
"""Pages that answer 204 with nothing in it, by two operators; what answers otherwise stands between."""
ANYBODY4 = ("1.1.1.1", "8.8.8.8", "9.9.9.9")
ANYBODY6 = ("2606:4700:4700::1111", "2001:4860:4860::8888", "2620:fe::fe")
"""Resolvers that answer everybody, by three operators in networks of their own: a dead one must not end a link."""


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """How a link is probed.

    ``device`` None: by no device, which only loopback is asked by (virtual modems). ``mark`` is the link's, with
    which its packets are led by its own table. ``targets`` are asked in turn; a method of ``auto`` is asked in the kind
    that was chosen. ``kind`` is one of KINDS, or ``auto``: the first that is answered. Periods are seconds:
    ``period_busy_s`` while something is odd or traffic runs, ``period_idle_s`` else; a metered link whose traffic is
    answered is asked more rarely still. ``portal_urls`` none: not looked at. ``resolvers`` are asked for their names.
    """

    device: str | None
    mark: int
    targets: tuple[Target, ...]
    kind: str = "auto"
    period_busy_s: float = 0.2
    period_idle_s: float = 1.0
    is_metered: bool = False
    portal_urls: tuple[str, ...] = ()
    resolvers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One sign of a link, or one that did not come.

    ``kind`` is one of KINDS, or ``traffic``: bytes came in by themselves. ``rtt_ms`` is of answers only. A miss may be
    followed by a late answer, which counts as one. ``error``: ``no_device`` or ``net_down`` when the kernel took no
    packet, which needs no further miss. ``silent_s`` is since when nothing came although it was asked for, and
    ``needed`` how many misses in a row mean something on a link that loses as many as this one.
    """

    at_monotonic: float
    is_answered: bool
    rtt_ms: float | None
    kind: str
    error: str | None = None
    silent_s: float = 0.0
    needed: int = 1


@dataclass(frozen=True, slots=True)
class Quality:
    """Of the last twenty probes. ``latency_ms`` is the mean of the last three answers, ``jitter_ms`` the mean
    difference between neighbours. ``kind`` and ``target`` were asked last; ``period_s`` is the present one.

    ``mb_per_month`` is what the probes take at this rate, both ways, 10^6 bytes; ``bytes`` what they took so far.
    ``problem``: why it is not measured.
    """

    latency_ms: float | None = None
    jitter_ms: float | None = None
    loss_percent: float | None = None
    kind: str | None = None
    target: str | None = None
    period_s: float | None = None
    mb_per_month: float | None = None
    bytes: int = 0
    problem: str | None = None


UNKNOWN = Quality()
