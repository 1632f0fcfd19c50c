"""What rings would do, for questions about policies: nothing is changed by asking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from remsim.config.routing import Routing
from remsim.core.routes import LinkView, Program, RingSpec
from remsim.links.kernel.table import text_of
from remsim.links.load.keeper import default_specs
from remsim.links.load.rings import Ring, Rules
from remsim.links.plane import LinkRoute

NO_DEVICE = "none"
"""Stands for the device of a link that has none now, in a table that is only shown."""


def default_rings(routing: Routing) -> tuple[RingSpec, ...]:
    """The rings of flows that no policy takes."""
    return default_specs(routing.globals.persistence)


def rules_of(routing: Routing) -> Rules:
    """What the settings say of all rings."""
    settings = routing.globals
    return Rules(
        settings.algorithm,
        settings.last_resort,
        settings.prefer_low_latency,
        settings.interactive_link_free,
        settings.router_country,
    )


def shares_of(ring: RingSpec, links: Sequence[LinkView], routing: Routing) -> Mapping[str, float] | None:
    """As ``percents``, of links that carry nothing yet."""
    return percents(Ring(ring).choose(links, {}, rules_of(routing), 0.0).slots, links)


def percents(slots: Sequence[int], links: Sequence[LinkView]) -> Mapping[str, float] | None:
    """Percent of new flows each link is given, by its name: none where they are refused, None where the next policy
    decides."""
    if not slots:
        return None
    return {one.name: 100 * slots.count(one.index) / len(slots) for one in links if one.index in slots}


def table_text(program: Program, links: Sequence[LinkView], routing: Routing, lan: Sequence[str]) -> str:
    """The table that a program makes with the links as they are now."""
    default, rules = default_rings(routing), rules_of(routing)
    specs = (*default, *(policy.ring for policy in program.policies))
    rings = {spec.name: Ring(spec).choose(links, {}, rules, 0.0).slots for spec in specs}
    routes = [LinkRoute(one.index, one.name, one.device or NO_DEVICE, is_metered=one.is_metered) for one in links]
    return text_of(program, default, rings, routes, lan)
