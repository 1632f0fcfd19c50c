"""What the control loop tells of links, rings and flows: snapshots that any thread may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from remsim.config.routing import LinkSettings
from remsim.core.routes import Flow, LinkView
from remsim.core.small_dataclass import dataclass
from remsim.links.plane import Addresses, Capability
from remsim.links.probes.plan import Quality


@dataclass(frozen=True, slots=True)
class LiveFlow:
    """A flow with what it moves (bits a second, None before it was seen twice) and how long it has been seen."""

    flow: Flow
    rx_bps: float | None
    tx_bps: float | None
    age_s: float


@dataclass(frozen=True, slots=True)
class Weight:
    """A link's part of a ring: how many of its slots, the number it was weighed by (None where the choice needs none;
    of its own scale), and why in words."""

    link: str
    slots: int
    score: float | None
    why: str


@dataclass(frozen=True, slots=True)
class RingNow:
    """A ring as the kernel has it.

    ``slots`` are links' indices, none when the next policy decides, zeros when flows are refused. ``choice`` says in
    words what was chosen and why this choice and no other. ``changed_at`` is when the slots last changed (epoch).
    """

    name: str
    policy: str | None
    klass: str
    persistence: str
    choice: str
    slots: tuple[int, ...]
    weights: tuple[Weight, ...]
    changed_at: float


@dataclass(frozen=True, slots=True)
class LinkNow:
    """A link with what stands behind its view.

    ``since`` is when its state began (epoch), ``failures`` how often it failed since the start, ``capacity_source``
    ``configured`` or ``learned`` (None: unknown), ``targets`` what its probes ask.
    """

    settings: LinkSettings
    view: LinkView
    since: float
    reason: str | None
    failures: int
    capacity_source: str | None
    addresses: Addresses | None
    quality: Quality
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """``state`` is off, running, refused (another program, a missing feature) or failed; then ``problem`` says why
    (``code``, ``message``, ``hint``)."""

    state: str = "off"
    problem: Mapping[str, str | None] | None = None
    warnings: tuple[Mapping[str, str | None], ...] = ()
    capabilities: tuple[Capability, ...] = ()
    failovers: int = 0
    last_failover: Mapping[str, Any] | None = None
    loop: Mapping[str, float] = field(default_factory=dict)
    """Of the control loop: ``period_s``, ``poll_ms`` (reading flows), ``swap_ms``."""
