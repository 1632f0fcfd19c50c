"""``/api/v1/outputs``: other systems that measured values are sent to, whether they take them, and a trial."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from marshmallow import fields as ma

from remsim.config.alerting import NAME
from remsim.config.outputs import COMMON, FIELDS_OF, OUTPUT_TYPES, SECRETS, OutputOptions, OutputSettings
from remsim.core.errors import Conflict, InvalidInput, NotFound
from remsim.core.forms import Choice, Form, Text, object_schema
from remsim.web.alert_rules import name_in
from remsim.web.auth import actor, requires_scope
from remsim.web.config import trusted
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import Query, body_content, load_query

bp = Blueprint("outputs", __name__)


class OutputBody(OutputOptions):
    """An output, with the name its section has in ``remsim_console``."""

    name = Text(1, 32, pattern=NAME, told="is not a name of up to 32 letters, digits and _")


class OutputTypeQuery(Query):
    """Whose form is wanted."""

    type: ma.Field[Any] = Choice(OUTPUT_TYPES, required=True)


class OutputTrial(Form):
    """Nothing needs to be said."""


@bp.get("/outputs")
@requires_scope("read")
@describes("The outputs with how they do: what waits, the last success, what is in the way; no secrets")
def list_outputs() -> dict[str, Any]:
    """Of a secret only whether it is set."""
    return {"outputs": [view_of(one) for one in outputs()]}


@bp.get("/outputs/form")
@requires_scope("read")
@describes("The form of a type of output, as JSON Schema", query=OutputTypeQuery)
def show_output_form() -> dict[str, Any]:
    """Only the fields this type has."""
    kind = load_query(OutputTypeQuery())["type"]
    usual = {name: value for name, value in OutputSettings("", type=kind).as_dict().items() if name not in SECRETS}
    schema = object_schema(OutputOptions(), usual)
    properties = schema["properties"]
    properties["type"] = {"const": kind, "title": OUTPUT_TYPES[kind]}
    wanted = {*COMMON, *FIELDS_OF[kind]}
    needed = "host" if kind == "homeassistant" else "url"
    shown = {name: one for name, one in properties.items() if name in wanted}
    return schema | {"required": ["type", needed], "properties": shown}


@bp.post("/outputs")
@requires_scope("write")
@describes("Add an output; it is in use at once", body=OutputBody, status=201, fails=(507,))
def add_output() -> tuple[dict[str, Any], int]:
    """409 when there is one of that name."""
    content = body_content()
    name = name_in(content)
    if any(one.name == name for one in outputs()):
        raise Conflict(f"there is an output {name} already", field="name", hint="change it, or choose another name")
    return put_output(name, content), 201


@bp.get("/outputs/<name>")
@requires_scope("read")
@describes("One output")
def show_output(name: str) -> dict[str, Any]:
    """As in the list."""
    return view_of(output_named(name))


@bp.put("/outputs/<name>")
@requires_scope("write")
@describes("Change an output; what is left out has its default, but a secret stays", body=OutputBody, fails=(507,))
def change_output(name: str) -> dict[str, Any]:
    """An empty secret is removed. What waits is sent as the output is now."""
    output_named(name)
    content = body_content()
    if content.get("name") not in (None, name):
        raise InvalidInput("an output keeps its name", field="name", hint="remove it and add another")
    return put_output(name, content)


@bp.delete("/outputs/<name>")
@requires_scope("write")
@describes("Remove an output; what waits in it is not sent", fails=(507,))
def drop_output(name: str) -> dict[str, Any]:
    """The output as it was."""
    found = view_of(output_named(name))
    services().router.config.delete_section("output", name, actor(), guard=trusted)
    return found


@bp.post("/outputs/<name>/test")
@requires_scope("write")
@describes("Send this moment's values by an output, past its queue: a job", body=OutputTrial, status=202)
def try_output(name: str) -> tuple[dict[str, Any], int]:
    """It fails with what the receiver said."""
    output_named(name)
    router = services().router
    title = f"test of {name}"
    job = router.jobs.start("output_test", lambda job: router.outputs.test(name), title=title, actor=actor())
    return job.as_dict(), 202


def outputs() -> tuple[OutputSettings, ...]:
    """The outputs of the configuration."""
    return services().router.config.settings.outputs


def output_named(name: str) -> OutputSettings:
    """The output, or ``NotFound``."""
    for one in outputs():
        if one.name == name:
            return one
    raise NotFound(f"there is no output {name[:40]!r}", field="name")


def view_of(output: OutputSettings) -> dict[str, Any]:
    """An output as JSON, with how it does."""
    return {"name": output.name, **output.as_dict(), "state": services().router.outputs.state_of(output.name)}


def put_output(name: str, content: dict[str, Any]) -> dict[str, Any]:
    """Write an output; what it is now."""
    content.pop("name", None)
    services().router.config.put_section("output", name, content, actor(), guard=trusted)
    return view_of(output_named(name))
