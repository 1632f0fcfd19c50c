"""``/api/v1/alert-channels``: how somebody is told, whether it works, and a test."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from marshmallow import fields as ma

from remsim.config.alerting import NAME
from remsim.config.channels import CHANNEL_TYPES, COMMON, FIELDS_OF, NEEDED_OF, ChannelOptions, ChannelSettings
from remsim.core.errors import Conflict, InvalidInput, NotFound
from remsim.core.forms import Choice, Form, Text, object_schema
from remsim.web.alert_rules import name_in
from remsim.web.auth import actor, requires_scope
from remsim.web.config import trusted
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import Query, body_content, load_query

bp = Blueprint("alert_channels", __name__)


class ChannelBody(ChannelOptions):
    """A channel, with the name its section has in ``remsim_console``."""

    name = Text(1, 32, pattern=NAME, told="is not a name of up to 32 letters, digits and _")


class TypeQuery(Query):
    """Whose form is wanted."""

    type: ma.Field[Any] = Choice(CHANNEL_TYPES, required=True)


class NothingBody(Form):
    """Nothing needs to be said."""


@bp.get("/alert-channels")
@requires_scope("read")
@describes("The channels with how they do: what waits, the last success, the last trouble; no secrets")
def list_channels() -> dict[str, Any]:
    """Of a secret only whether it is set."""
    return {"channels": [view_of(one) for one in channels()]}


@bp.get("/alert-channels/form")
@requires_scope("read")
@describes("The form of a type of channel, as JSON Schema", query=TypeQuery)
def show_channel_form() -> dict[str, Any]:
    """Only the fields this type has."""
    kind = load_query(TypeQuery())["type"]
    schema = object_schema(ChannelOptions(only=("type", *COMMON, *FIELDS_OF[kind])))
    properties = schema["properties"]
    properties["type"] = {"const": kind, "title": CHANNEL_TYPES[kind]}
    if kind == "mqtt":
        properties["security"]["oneOf"] = [one for one in properties["security"]["oneOf"] if one["const"] != "starttls"]
    names = ("type", "label", *FIELDS_OF[kind], *(name for name in COMMON if name != "label"))
    ordered = sorted(names, key=lambda name: bool(properties[name].get("x-advanced")))
    return schema | {"required": ["type", *NEEDED_OF[kind]], "properties": {name: properties[name] for name in ordered}}


@bp.post("/alert-channels")
@requires_scope("write")
@describes("Add a channel; it is in use at once", body=ChannelBody, status=201, fails=(507,))
def add_channel() -> tuple[dict[str, Any], int]:
    """409 when there is one of that name."""
    content = body_content()
    name = name_in(content)
    if any(one.name == name for one in channels()):
        raise Conflict(f"there is a channel {name} already", field="name", hint="change it, or choose another name")
    return put_channel(name, content), 201


@bp.get("/alert-channels/<name>")
@requires_scope("read")
@describes("One channel")
def show_channel(name: str) -> dict[str, Any]:
    """As in the list."""
    return view_of(channel_named(name))


@bp.put("/alert-channels/<name>")
@requires_scope("write")
@describes("Change a channel; what is left out has its default, but a secret stays", body=ChannelBody, fails=(507,))
def change_channel(name: str) -> dict[str, Any]:
    """An empty secret is removed. What waits is sent as the channel is now."""
    channel_named(name)
    content = body_content()
    if content.get("name") not in (None, name):
        raise InvalidInput("a channel keeps its name; change its label", field="name")
    return put_channel(name, content)


@bp.delete("/alert-channels/<name>")
@requires_scope("write")
@describes("Remove a channel; what waits in it is not sent", fails=(507,))
def drop_channel(name: str) -> dict[str, Any]:
    """The channel as it was."""
    found = view_of(channel_named(name))
    services().router.config.delete_section("channel", name, actor(), guard=trusted)
    return found


@bp.post("/alert-channels/<name>/test")
@requires_scope("write")
@describes("Send a test by a channel, past its queue: a job that says what came of it", body=NothingBody, status=202)
def test_channel(name: str) -> tuple[dict[str, Any], int]:
    """It fails with what the receiver said."""
    channel = channel_named(name)
    router = services().router
    title = f"test of {channel.label or channel.name}"
    job = router.jobs.start("alert_test", lambda job: router.alerts.test(name), title=title, actor=actor())
    return job.as_dict(), 202


def channels() -> tuple[ChannelSettings, ...]:
    """The channels of the configuration."""
    return services().router.config.settings.channels


def channel_named(name: str) -> ChannelSettings:
    """The channel, or ``NotFound``."""
    for one in channels():
        if one.name == name:
            return one
    raise NotFound(f"there is no channel {name[:40]!r}", field="name")


def view_of(channel: ChannelSettings) -> dict[str, Any]:
    """A channel as JSON, with how it does."""
    return channel.as_dict() | {"state": services().router.alerts.channel_states().get(channel.name)}


def put_channel(name: str, content: dict[str, Any]) -> dict[str, Any]:
    """Write a channel; what it is now."""
    content.pop("name", None)
    services().router.config.put_section("channel", name, content, actor(), guard=trusted)
    return view_of(channel_named(name))
