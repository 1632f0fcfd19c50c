"""``/api/v1/config``: settings by forms, the whole configuration in and out, what a change does, and the way back."""

from __future__ import annotations

import json
import os
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from flask import Blueprint, Response, g, request
from marshmallow import fields as ma

from remsim.config import channels, esim_orders, outputs
from remsim.config.desk import LARGEST_FILE, ConfigDesk, Outcome
from remsim.config.differences import NEEDS_INIT
from remsim.config.document import known_types
from remsim.config.fields import SectionType, json_values
from remsim.config.remote_sim import shows_key
from remsim.config.sections import SECTIONS
from remsim.config.settings import Settings
from remsim.core.clock import iso_utc
from remsim.core.errors import Conflict
from remsim.core.forms import Flag, Form, Text, Whole, object_schema
from remsim.remotesim.ionmesh_environment import in_force
from remsim.web.auth import actor, identity, not_audited, requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.errors import Forbidden
from remsim.web.fields import Names, Query, body_content, load_query
from remsim.web.restart import restarter

bp = Blueprint("config", __name__)

GUARDED: tuple[tuple[str, str, Any], ...] = (
    ("channel", "channels", channels),
    ("output", "outputs", outputs),
    ("esim_orders", "esim_orders", esim_orders),
)
"""Types of sections with their place in the settings, and who knows what only the trusted may say of them."""

TRUSTED = ("luci", "key")
"""Ways of those who may reach the router's own network anyway."""
LONGEST_WHAT = 300


class JsonList(ma.Raw):
    """A list of JSON objects, checked by who reads it."""

    json = {"type": "array", "items": {"type": "object"}}


class NameList(ma.Raw):
    """A list of names, checked by who reads it."""

    json = {"type": "array", "items": {"type": "string"}}


class DocumentBody(Form):
    """A document of settings, for its description; the configuration itself reads it."""

    format = Text(0, 40)
    version = Whole(1, 1)
    exported_at = Text(0, 40)
    types = NameList()
    sections = JsonList(required=True)


class TypesQuery(Query):
    """Which types of sections; all when absent."""

    types = Names()


class ExportQuery(TypesQuery):
    """And whether passwords are among them."""

    secrets = Flag(load_default=False)


class ChangeQuery(Query):
    """The ``etag`` of what was changed, where a header ``If-Match`` cannot be sent."""

    etag = Text(1, 64)


def desk() -> ConfigDesk:
    """The router's configuration."""
    return services().router.config


def section_body() -> dict[str, Any]:
    """The values of any type of section."""
    return {"anyOf": [{"title": row.label, **object_schema(row.schema())} for row in SECTIONS.values()]}


@bp.get("/config")
@requires_scope("read")
@describes("The settings without passwords, what is in force, what waits for a restart", query=TypesQuery, fails=(507,))
def show_config() -> Response:
    """With its state as ``etag``."""
    return tagged(desk().overview(load_query(TypesQuery()).get("types")))


@bp.put("/config")
@requires_scope("write")
@describes(
    "Replace all sections of a document's types: what it leaves out has its default",
    query=ChangeQuery,
    body=DocumentBody,
    fails=(507,),
)
def replace_config() -> Response:
    """412 when it was changed since ``If-Match``."""
    return changed(desk().apply(large_body(), actor(), etag=if_match(), guard=trusted))


@bp.get("/config/form")
@requires_scope("read")
@describes("The form of each type of section, as JSON Schema with the defaults", query=TypesQuery)
def show_forms() -> dict[str, Any]:
    """In the order of the pages."""
    return {"types": [form_of(SECTIONS[name]) for name in known_types(SECTIONS, load_query(TypesQuery()).get("types"))]}


@bp.post("/config/check")
@requires_scope("write")
@describes("What replacing the settings by a document would change; changes nothing", body=DocumentBody, fails=(507,))
def check_config() -> dict[str, Any]:
    """A dry run."""
    not_audited()
    return desk().check(large_body(), guard=trusted).as_dict()


@bp.get("/config/export")
@requires_scope("read")
@describes(
    "The whole configuration as a document; passwords only for who may see identifiers",
    query=ExportQuery,
    fails=(507,),
)
def export_config() -> Response:
    """As a file."""
    asked = load_query(ExportQuery())
    if asked["secrets"] and not identity().may("identifiers"):
        raise Forbidden("passwords are exported for those only who may see identifiers in full", code="no_identifiers")
    made = desk().document(asked.get("types"), secrets=asked["secrets"])
    made = {"format": made.pop("format"), "version": made.pop("version")} | {
        "exported_at": iso_utc(services().router.clock.now()),
        **made,
    }
    answer = Response(json.dumps(made, ensure_ascii=False, indent="\t"), mimetype="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="remsim-config.json"'
    return answer


@bp.post("/config/import")
@requires_scope("write")
@describes(
    "The same as PUT config, for an exported file; passwords it lacks stay as they are",
    query=ChangeQuery,
    body=DocumentBody,
    fails=(507,),
)
def import_config() -> Response:
    """One address for people who look for it."""
    return changed(desk().apply(large_body(), actor(), etag=if_match(), guard=trusted))


@bp.get("/config/versions")
@requires_scope("read")
@describes("The last ten versions of the settings: when, through whom, what changed", fails=(507,))
def list_versions() -> dict[str, Any]:
    """Newest first."""
    return {"versions": desk().versions()}


@bp.get("/config/versions/<int:version_id>")
@requires_scope("read")
@describes("One version, and what a rollback to it would change", fails=(507,))
def show_version(version_id: int) -> dict[str, Any]:
    """Without its text, which may hold passwords."""
    return desk().version(version_id)


@bp.post("/config/versions/<int:version_id>/rollback")
@requires_scope("write")
@describes(
    "Make the settings what they were in a version; that is a new version itself",
    query=ChangeQuery,
    fails=(507,),
)
def roll_back(version_id: int) -> Response:
    """Also when the present file cannot be read."""
    return changed(desk().rollback(version_id, actor(), etag=if_match(), guard=trusted))


@bp.get("/config/<kind>/<name>")
@requires_scope("read")
@describes("One section; -N is the N-th of its type without a name, from 0", fails=(507,))
def show_section(kind: str, name: str) -> Response:
    """Passwords are named in ``kept``, not told."""
    return tagged(desk().section(kind, name))


@bp.put("/config/<kind>/<name>")
@requires_scope("write")
@describes(
    "Give a section its values, make it if need be; what is left out has its default, passwords stay",
    query=ChangeQuery,
    body_schema=section_body,
    fails=(507,),
)
def put_section(kind: str, name: str) -> Response:
    """The fields of its form."""
    return changed(desk().put_section(kind, name, large_body(), actor(), etag=if_match(), guard=trusted))


@bp.delete("/config/<kind>/<name>")
@requires_scope("write")
@describes("Drop a section; one that is always there has its defaults again", query=ChangeQuery, fails=(507,))
def drop_section(kind: str, name: str) -> Response:
    """What else is in the file stays."""
    return changed(desk().delete_section(kind, name, actor(), etag=if_match(), guard=trusted))


@bp.post("/service/restart")
@requires_scope("write")
@describes(
    "Start the service anew with its present settings; it answers again within seconds",
    status=202,
    fails=(507,),
)
def restart_service() -> tuple[dict[str, Any], int]:
    """``needs_init``: settings for which only the init script's restart will do."""
    restart = restarter()
    if restart is None:
        raise Conflict("this process cannot start itself anew", hint="restart it as it was started")
    parts = services()
    parts.router.check_restart()
    waiting = desk().overview([])["needs_init"]
    g.audit = {"what": "restart of the service"}
    restart()
    return {"restarting": True, "needs_init": waiting}, 202


def form_of(row: SectionType) -> dict[str, Any]:
    """One type of section with its form."""
    schema = row.schema()
    current = json_values(schema, defaults_of(row))
    made = object_schema(schema, current)
    for name, property_ in made["properties"].items():
        if not (row.live or schema.fields[name].metadata.get("live")):
            property_["x-restart"] = "init" if f"{row.name}.{name}" in NEEDS_INIT else "service"
    told = {"type": row.name, "label": row.label, "help": row.help, "many": row.many, "most": row.most}
    return told | {"is_named": row.named_by is not None, "page": row.page, "schema": made}


def defaults_of(row: SectionType) -> dict[str, Any]:
    """The defaults of a type's options; none for what is found out, or taken from the service."""
    if not row.many:
        kind = getattr(Settings(), row.place)
        return {name: getattr(kind, name) for name in row.schema().fields}
    if not is_dataclass(row.kind):
        return {}
    known = {one.name: one.default for one in fields(row.kind) if one.name not in (row.inherits or {})}
    return {name: known[name] for name in row.schema().fields if known.get(name) not in (None, MISSING)}


def tagged(content: dict[str, Any]) -> Response:
    """An answer that carries the state it tells of."""
    answer = Response(json.dumps(content, ensure_ascii=False), mimetype="application/json")
    answer.set_etag(content["etag"])
    return answer


def changed(outcome: Outcome) -> Response:
    """What a change did; the audit log has it in words."""
    what = "; ".join(str(one) for one in outcome.changes) or "nothing"
    g.audit = {"what": what if len(what) <= LONGEST_WHAT else f"{what[:LONGEST_WHAT]} …"}
    return tagged(outcome.as_dict())


def if_match() -> str | None:
    """The state that a change is of, if it says so."""
    header = request.headers.get("If-Match")
    if header is not None and header.strip() != "*":
        return header.strip().removeprefix("W/").strip('"')[:64]
    return load_query(ChangeQuery()).get("etag")


def large_body() -> dict[str, Any]:
    """A body as large as a configuration may be."""
    request.max_content_length = LARGEST_FILE
    return body_content()


def trusted(before: Settings, after: Settings) -> None:
    """Who may not have the router reach its network, show its secrets, write anywhere, cannot by settings either."""
    if identity().way in TRUSTED:
        return
    hint = "change it in LuCI, with the router's own key, or in /etc/config/remsim_console"
    for folder in ("data_dir", "state_dir"):  # one that is served to everybody would show the router's key
        if getattr(before.service, folder) != getattr(after.service, folder):
            told = f"{folder}: where the service writes is not for tokens and browsers to say"
            raise Forbidden(told, code="untrusted", hint=hint)
    if after.esim.ca_file not in ("", before.esim.ca_file):
        raise Forbidden("esim.ca_file: with it servers may be in the local network", code="untrusted", hint=hint)
    if shows_key(*(in_force(one.ionmesh, os.environ) for one in (before, after))):
        told = "ionmesh would show its API key to another server: give the key anew"
        raise Forbidden(told, code="untrusted", hint=hint)
    for what, place, room in GUARDED:
        old = {one.name: one for one in getattr(before, place)}
        new = {one.name: one for one in getattr(after, place)}
        for name in old.keys() | new.keys():
            if (why := room.untrusted(old.get(name), new.get(name))) is not None:
                raise Forbidden(f"{what} {name} {why}", code="untrusted", hint=hint)
