"""From settings to how a link is probed and judged."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

from remsim.config.routing import LinkSettings, RoutingSettings
from remsim.core.errors import InvalidInput
from remsim.core.routes import LINK_SHIFT
from remsim.links.health import Limits
from remsim.links.probes.choice import PORTS
from remsim.links.probes.page import family_of, parse_page
from remsim.links.probes.plan import ANYBODY4, ANYBODY6, PORTAL_URLS, ProbePlan
from remsim.outbound.reach import is_public
from remsim.outbound.target import Target, parse_target

log = logging.getLogger(__name__)

NO_PORTAL = "none"


def plan_of(
    settings: RoutingSettings,
    link: LinkSettings,
    index: int,
    device: str | None,
    *,
    resolvers: Sequence[str] = (),
    has4: bool = True,
    has6: bool = False,
) -> ProbePlan:
    """How a link is probed. ``resolvers`` are those its network gave it, ``has4`` and ``has6`` what addresses it has.

    Nobody named: public resolvers by three operators. A page is not asked for where only private addresses are probed
    and no page was named, for then the link is not meant to lead to the Internet.
    """
    targets = tuple(target_of(one) for one in link.probe)
    if not targets:
        hosts = (*ANYBODY4, *(ANYBODY6[:1] if has6 else ())) if has4 or not has6 else ANYBODY6
        targets = tuple(Target("auto", host, 0) for host in hosts)
    pages = tuple(readable(one for one in settings.portal_url if one != NO_PORTAL))
    is_inside = not any(is_public(one.host) for one in targets)
    if not link.portal_check or (settings.portal_url and not pages) or (is_inside and not pages):
        pages = ()
    elif not pages:
        pages = PORTAL_URLS
    named = (one.host for one in targets if one.method in ("auto", "dns"))
    idle_ms = settings.probe_metered_ms if link.metered else settings.probe_idle_ms
    return ProbePlan(
        device,
        index << LINK_SHIFT,
        targets,
        link.probe_type or "auto",
        settings.probe_interval_ms / 1000,
        max(idle_ms, settings.probe_interval_ms) / 1000,
        link.metered,
        pages,
        tuple(dict.fromkeys((*resolvers, *link.dns, *named))) if pages else (),
    )


def target_of(text: str) -> Target:
    """``1.1.1.1`` is asked in the link's kind of probe, ``dns:9.9.9.9`` or ``http:9.9.9.9`` in theirs."""
    if family_of(text) is not None:
        return Target("auto", text, 0)
    method, _, rest = text.partition(":")
    if family_of(rest.removeprefix("[").removesuffix("]")) is not None and method in ("tcp", "http"):
        return Target(method, rest.removeprefix("[").removesuffix("]"), PORTS[method])
    if method == "http":
        found = parse_target("tcp:" + rest)
        return Target(method, found.host, found.port)
    return parse_target(text)


def readable(pages: Iterable[str]) -> Iterator[str]:
    """Those that can be asked for; the others are logged."""
    for one in pages:
        try:
            parse_page(one)
            yield one
        except InvalidInput as error:
            log.warning("%s", error)


def limits_of(settings: RoutingSettings, plan: ProbePlan) -> Limits:
    """When a link's state changes."""
    default = Limits()
    latency_ms = default.latency_ms
    if settings.max_latency_ms is not None:
        latency_ms = (float(settings.max_latency_ms), 0.8 * settings.max_latency_ms)
    return Limits(
        down=settings.probe_down,
        down_s=settings.probe_down * plan.period_busy_s,
        up=settings.probe_up,
        period_s=plan.period_busy_s,
        failback_s=float(settings.failback_s),
        latency_ms=latency_ms,
        waits_for_portal=bool(plan.portal_urls),
    )
