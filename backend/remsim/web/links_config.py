"""Links as they are configured: sections of ``/etc/config/remsim_routing`` by forms, their order, the way back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from flask import Blueprint, Response
from marshmallow import fields as ma

from remsim.config.document import views_of
from remsim.config.fields import Options, json_values
from remsim.config.mptcp import MptcpSettings
from remsim.config.routing import LinkSettings, Routing, RoutingSettings
from remsim.config.routing_file import RoutingDesk, of_lan
from remsim.config.routing_rules import LINK, MPTCP, NAME, ROUTING, TOLD_NAME, LinkOptions, MptcpOptions, RoutingOptions
from remsim.config.uci import UciFile
from remsim.core.errors import Conflict, InvalidInput, NotFound
from remsim.core.forms import Choice, Form, Text, object_schema
from remsim.web.auth import actor, identity, requires_scope
from remsim.web.config import TRUSTED, ChangeQuery, changed, if_match, large_body, tagged
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.errors import Forbidden
from remsim.web.fields import Query, load_body, load_query

bp = Blueprint("links_config", __name__)

RESERVED = (
    *("rings", "flows", "usage", "form", "order", "globals", "import", "config", "versions"),
    *("mptcp", "month", "saving"),
)
"""Words that addresses below ``links`` have for something else."""
FORMS = {"link": "a link", "globals": "all links together", "mptcp": "MPTCP"}


class FormQuery(Query):
    """Whose form is wanted."""

    section: ma.Field[Any] = Choice(FORMS, load_default="link")


class LinkBody(LinkOptions):
    """A link, with the name its section has in ``remsim_routing``."""

    name = Text(1, 32, pattern=NAME, told=TOLD_NAME, required=True)


class NameList(ma.Raw):
    """Names in their order."""

    json = {"type": "array", "items": {"type": "string"}}


class OrderBody(Form):
    """All links, or some of them, the first choice first."""

    names = NameList(required=True)


@bp.get("/links/form")
@requires_scope("read")
@describes("The form of a link, or of what all links share, as JSON Schema with the defaults", query=FormQuery)
def show_link_form() -> dict[str, Any]:
    """In the order of the pages."""
    if load_query(FormQuery())["section"] == "mptcp":
        return object_schema(MptcpOptions(), defaults(MptcpOptions(), MptcpSettings))
    if load_query(FormQuery())["section"] == "globals":
        return object_schema(RoutingOptions(), defaults(RoutingOptions(), RoutingSettings))
    return object_schema(LinkOptions(), defaults(LinkOptions(), LinkSettings))


@bp.get("/links/config")
@requires_scope("read")
@describes("All that remsim_routing says, what of it cannot be used and why", fails=(507,))
def show_link_config() -> Response:
    """With its state as ``etag``."""
    return tagged(desk().overview())


@bp.post("/links")
@requires_scope("write")
@describes("Add a link; it carries traffic at once where links are on", body=LinkBody, status=201, fails=(507,))
def add_link() -> tuple[Response, int]:
    """409 when there is one of that name."""
    content = large_body()
    name = content.pop("name", None)
    if not isinstance(name, str) or not re.fullmatch(NAME, name, re.ASCII):
        raise InvalidInput(f"name: {TOLD_NAME}", field="name")
    if name.lower() in RESERVED:
        raise InvalidInput(f"name: {name} means something else here", field="name", hint="choose another name")
    if any(one.name == name for one in desk().settings.links):
        raise Conflict(f"there is a link {name} already", field="name", hint="change it, or choose another name")
    not_of_lan(content)
    return changed(desk().put_section(LINK.name, name, content, actor(), etag=if_match())), 201


@bp.get("/links/globals")
@requires_scope("read")
@describes("What is written of all links together", fails=(507,))
def show_globals() -> Response:
    """What is not written has its default."""
    return shown(desk().section(ROUTING.name, ROUTING.name) | {"name": "globals"})


@bp.put("/links/globals")
@requires_scope("write")
@describes(
    "Give what all links share its values; what is left out has its default",
    query=ChangeQuery,
    body=RoutingOptions,
    fails=(507,),
)
def put_globals() -> Response:
    """In force at once."""
    return changed(desk().put_section(ROUTING.name, ROUTING.name, large_body(), actor(), etag=if_match()))


@bp.patch("/links/globals")
@requires_scope("write")
@describes(
    "Change some of what all links share; what is left out stays", query=ChangeQuery, body=RoutingOptions, fails=(507,)
)
def patch_globals() -> Response:
    """Such as ``enabled`` alone."""
    values = desk().section(ROUTING.name, ROUTING.name)["values"] | large_body()
    return changed(desk().put_section(ROUTING.name, ROUTING.name, values, actor(), etag=if_match()))


@bp.get("/links/mptcp/settings")
@requires_scope("read")
@describes("What is written of MPTCP, without its password", fails=(507,))
def show_mptcp_settings() -> Response:
    """What is not written has its default."""
    return shown(desk().section(MPTCP.name, MPTCP.name))


@bp.put("/links/mptcp/settings")
@requires_scope("write")
@describes(
    "Give MPTCP its settings; what is left out has its default, but the password stays",
    query=ChangeQuery,
    body=MptcpOptions,
    fails=(507,),
)
def put_mptcp_settings() -> Response:
    """In force at once; connections that run through the proxy end."""
    made = desk().put_section(
        MPTCP.name, MPTCP.name, large_body(), actor(), etag=if_match(), guard=keeps_its_password
    )
    return changed(made)


@bp.put("/links/order")
@requires_scope("write")
@describes("Put links in order: their priorities become 1, 2, …", query=ChangeQuery, body=OrderBody, fails=(507,))
def order_links() -> Response:
    """In one change; who is not named comes after the others."""
    names = load_body(OrderBody())["names"]
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not names or not all(isinstance(one, str) for one in names):
        raise InvalidInput("names: is not a list of names", field="names")
    return changed(desk().order(names, actor(), etag=if_match()))


@bp.get("/links/versions")
@requires_scope("read")
@describes("The last ten versions of remsim_routing: when, through whom, what changed", fails=(507,))
def list_link_versions() -> dict[str, Any]:
    """Newest first."""
    return {"versions": desk().versions()}


@bp.get("/links/versions/<int:version_id>")
@requires_scope("read")
@describes("One version, and what a rollback to it would change", fails=(507,))
def show_link_version(version_id: int) -> dict[str, Any]:
    """Without its text."""
    return desk().version(version_id)


@bp.post("/links/versions/<int:version_id>/rollback")
@requires_scope("write")
@describes("Make remsim_routing what it was; that is a new version itself", query=ChangeQuery, fails=(507,))
def roll_links_back(version_id: int) -> Response:
    """Also when the present file cannot be read."""
    return changed(desk().rollback(version_id, actor(), etag=if_match()))


@bp.get("/links/<name>")
@requires_scope("read")
@describes("One link as it is written", fails=(507,))
def show_link(name: str) -> Response:
    """``wrong`` names what of it cannot be used, and why."""
    link = desk().link(name) if is_only_named(name) else None
    if link is None:
        return shown(desk().section(LINK.name, name))
    # Only load_balancing names it; the first change writes a section of its own.
    made = UciFile("remsim_routing")
    section = made.add(LINK.name, link.name)
    section.set("interface" if link.interface else "device", link.interface or link.device)
    section.set("weight", str(link.weight))
    return shown({"etag": desk().section(ROUTING.name, ROUTING.name)["etag"], **views_of(made, LINK)[0]})


@bp.put("/links/<name>")
@requires_scope("write")
@describes(
    "Change a link; what is left out has its default, its number stays", query=ChangeQuery, body=LinkBody, fails=(507,)
)
def change_link(name: str) -> Response:
    """Its flows stay where they are."""
    known(name)
    content = large_body()
    if content.pop("name", name) not in (None, name):
        raise InvalidInput("name: a link keeps its name, which policies know; change its title", field="name")
    not_of_lan(content)
    return changed(desk().put_section(LINK.name, name, content, actor(), etag=if_match()))


@bp.delete("/links/<name>")
@requires_scope("write")
@describes("Remove a link; its flows begin again on others", query=ChangeQuery, fails=(507,))
def drop_link(name: str) -> Response:
    """What else is in the file stays."""
    if is_only_named(name):
        hint = "take it out of the section load_balancing in /etc/config/remsim_routing"
        raise Conflict(f"the link {name} is one of load_balancing", field="name", hint=hint)
    return changed(desk().delete_section(LINK.name, name, actor(), etag=if_match()))


def desk() -> RoutingDesk:
    """The desk of ``remsim_routing``."""
    return services().router.routing


def not_of_lan(content: Mapping[str, Any]) -> None:
    """``InvalidInput`` where a link would be a device whose traffic links carry, as the router has them now."""
    device = content.get("device")
    if device and device in services().router.links.lan():
        raise InvalidInput(f"device: {of_lan(device)}", field="device", hint="name the device that leads out")


def known(name: str) -> None:
    """``NotFound`` unless there is a link of that name, be it one that cannot be used as it is written."""
    if not any(one.name == name for one in desk().settings.links):
        desk().section(LINK.name, name)


def is_only_named(name: str) -> bool:
    """Whether a link is one that only ``load_balancing`` names."""
    if not any(one.name == name for one in desk().settings.links):
        return False
    try:
        desk().section(LINK.name, name)
    except NotFound:
        return True
    return False


def keeps_its_password(before: Routing, after: Routing) -> None:
    """Who may write may not have the password of one server shown to another."""
    old, new = before.mptcp, after.mptcp
    is_same = (old.server, old.port) == (new.server, new.port)
    if is_same or not old.password or old.password != new.password or identity().way in TRUSTED:
        return
    told = "mptcp would show its password to another server: give the password anew"
    raise Forbidden(told, code="untrusted", hint="or change it in LuCI, or with the router's own key")


def shown(view: dict[str, Any]) -> Response:
    """A section without its type."""
    return tagged({name: value for name, value in view.items() if name != "type"})


def defaults(schema: Options, kind: type[LinkSettings | RoutingSettings | MptcpSettings]) -> dict[str, Any]:
    """The defaults of a section's options, as JSON."""
    usual = {one.name: one.default for one in fields(kind) if one.default not in (None, MISSING)}
    return json_values(schema, {name: usual[name] for name in schema.fields if name in usual})
