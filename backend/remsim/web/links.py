"""``/api/v1/links``: links that carry the LAN's traffic, what flows over them and why, and what can be done to them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g

from remsim.core.errors import InvalidInput
from remsim.core.forms import Choice, Form, Text, Whole
from remsim.links.desk import LinksDesk
from remsim.web.auth import actor, requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import LARGEST_ID, Query, load_body, load_query

bp = Blueprint("links", __name__)

MOST_FLOWS, MOST_DAYS = 2000, 400
ACTIONS = {
    "enable": "carry traffic again; kept over restarts",
    "disable": "carry no more traffic; kept over restarts",
    "test": "probe it now",
    "reset_flows": "have its flows begin again on the links that are up",
    "correct": "put right what it has used, by the operator's count",
}


class FlowsQuery(Query):
    """Which flows: at most how many, of one link, one policy, one host."""

    limit = Whole(1, MOST_FLOWS, load_default=200)
    link = Text(1, 32)
    policy = Text(0, 64)
    host = Text(1, 64)


class UsageQuery(Query):
    """How many days back, today among them."""

    days = Whole(1, MOST_DAYS, load_default=30)


class LinkAction(Form):
    """What is to be done, and for ``correct`` how many bytes the operator counts in this cycle."""

    action = Choice(ACTIONS, required=True)
    used_bytes = Whole(0, LARGEST_ID)


@bp.get("/links")
@requires_scope("read")
@describes("The links: state, quality, rates, shares, cost; whether they carry traffic, and what keeps them from it")
def list_links() -> dict[str, Any]:
    """Those that are configured, also while links are off."""
    return links().view()


@bp.get("/links/rings")
@requires_scope("read")
@describes("What new flows are given to: the slots of each ring, and why")
def list_rings() -> dict[str, Any]:
    """The default rings first, then those of policies."""
    return links().rings()


@bp.get("/links/flows")
@requires_scope("read")
@describes("The flows under way, the fastest first, and their sums by link, policy and host", query=FlowsQuery)
def list_flows() -> dict[str, Any]:
    """An empty ``policy`` asks for those that no policy took."""
    asked = load_query(FlowsQuery())
    return links().flows(
        limit=asked["limit"], link=asked.get("link"), policy=asked.get("policy"), host=asked.get("host")
    )


@bp.get("/links/usage")
@requires_scope("read")
@describes("What links carried, by day and policy, and what several links save against one", query=UsageQuery)
def show_link_usage() -> dict[str, Any]:
    """Days of UTC."""
    return links().usage(load_query(UsageQuery())["days"])


@bp.get("/links/mptcp")
@requires_scope("read")
@describes("MPTCP: whether the kernel has it, endpoints of links, the proxy, and each connection's subflows")
def show_mptcp() -> dict[str, Any]:
    """``connections`` is null where there is no ``ss``."""
    return links().mptcp()


@bp.post("/links/<name>/actions")
@requires_scope("write")
@describes("Do something to a link", body=LinkAction, fails=(502, 507))
def act_on_link(name: str) -> dict[str, Any]:
    """What was done, in words."""
    wanted = load_body(LinkAction())
    action, desk = wanted["action"], services().router.routing
    link = desk.link(name)
    g.audit = {"what": f"{action} link {link.name}"}
    if action in ("enable", "disable"):
        desk.enable(link.name, action == "enable", actor())
    elif action == "correct":
        if "used_bytes" not in wanted:
            raise InvalidInput("used_bytes: is needed", field="used_bytes")
        links().correct(link.name, wanted["used_bytes"])
    else:
        links().act(link.name, action)
    return {"link": link.name, "action": action}


def links() -> LinksDesk:
    """The router's links."""
    return services().router.links
