"""``/api/v1/policies``: the texts of routing policies: looked at, checked, explained, put in force, taken back."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, g, request
from marshmallow import ValidationError
from marshmallow import fields as ma

from remsim.core.errors import Conflict, InvalidInput, NotFound
from remsim.core.forms import Choice, Flag, Form, Long, Text, Whole
from remsim.policies.desk import PolicyDesk
from remsim.web.auth import actor, not_audited, requires_scope
from remsim.web.config import ChangeQuery, if_match, tagged
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import LARGEST_ID, Moment, body_content, load_body

bp = Blueprint("policies", __name__)

LARGEST_TEXT = 1024 * 1024
LARGEST_BODY = 4 * LARGEST_TEXT
"""A text as JSON or a form has it is longer than it is."""
MOST_IN_LIST = 1000
LONGEST_CONFIRM_S = 3600
_BRACES = re.compile(r"\{[^{}#]*\}")
"""Several values, as in ``source { 192.168.1.20, @kids }``."""
SOURCES = {"local": "written here", "remote": "pushed by an orchestrator; a local text may override it"}


class PolicyList(ma.Raw):
    """Policies as objects: ``name``, and texts by the words of the language (``match``, ``route``, ``priority`` …)."""

    json = {
        "type": "array",
        "maxItems": MOST_IN_LIST,
        "items": {"type": "object", "required": ["name"], "additionalProperties": {"type": ["string", "number"]}},
    }


class TextBody(Form):
    """A text of policies."""

    text = Long(LARGEST_TEXT, required=True)


class CompileBody(Form):
    """A text, or that which is in force."""

    text = Long(LARGEST_TEXT)


class PolicyBody(Form):
    """What is to be in force: a ``text``, or ``policies`` as objects.

    ``confirm_s``: unless it is confirmed in so many seconds, what was in force before comes back; 0: it stays.
    """

    text = Long(LARGEST_TEXT)
    policies = PolicyList()
    source = Choice(SOURCES, load_default="local")
    dry_run = Flag(load_default=False)
    confirm_s = Whole(0, LONGEST_CONFIRM_S, load_default=0)


class FlowBody(Form):
    """A flow that is asked about: what is not said is not known. ``text``: by these policies instead."""

    text = Long(LARGEST_TEXT)
    source = Text(0, 64)
    source_mac = Text(0, 17)
    source_port = Whole(0, 65535)
    destination = Text(0, 64)
    port = Whole(0, 65535)
    protocol = Text(0, 16)
    domain = Text(0, 253)
    application = Text(0, 64)
    country = Text(0, 2)
    dscp = Text(0, 8)
    interface = Text(0, 15)
    packet_size = Whole(0, 65535)
    flow_size = Whole(0, LARGEST_ID)
    download_rate = Whole(0, LARGEST_ID)
    upload_rate = Whole(0, LARGEST_ID)
    is_router = Flag()
    at = Moment()


class RollbackBody(Form):
    """Which version; the one before when it is left out."""

    version = Whole(1, LARGEST_ID, allow_none=True)


class OverrideBody(Form):
    """Whether the local text is in force instead of the pushed one."""

    is_overridden = Flag(required=True)


class NothingBody(Form):
    """Nothing needs to be said."""


@bp.get("/policies")
@requires_scope("read")
@describes("The policies in force: text, version, hits, what is open when, warnings", fails=(507,))
def show_policies() -> Response:
    """With the state of the text as ``etag``."""
    view = policies().view()
    return tagged({"etag": "", **view})


@bp.put("/policies")
@requires_scope("write")
@describes("Put policies in force, all at once; 412 when they were changed since If-Match", query=ChangeQuery,
           body=PolicyBody, fails=(502, 507))  # fmt: skip
def replace_policies() -> Response:
    """422 with ``errors`` (line, column, what was expected) when the text has some; then nothing changes."""
    wanted = load_large(PolicyBody())
    text = text_in(wanted)
    if wanted["dry_run"]:
        not_audited()
        return tagged({"etag": policies().view().get("etag", ""), **policies().dry_run(text)})
    g.audit = {"what": f"policies ({wanted['source']}, {len(text.encode())} bytes)"}
    made = policies().apply(
        text, source=wanted["source"], actor=actor(), etag=if_match(), confirm_s=wanted["confirm_s"]
    )
    return tagged({"etag": "", **made})


@bp.post("/policies/check")
@requires_scope("read")
@describes("Check a text: errors and warnings with line and column; changes nothing", body=TextBody, fails=(507,))
def check_policies() -> dict[str, Any]:
    """200 also when there are errors."""
    not_audited()
    return policies().check(load_large(TextBody())["text"])


@bp.post("/policies/compile")
@requires_scope("read")
@describes("The nftables text that a text of policies makes; changes nothing", body=CompileBody, fails=(507,))
def compile_policies() -> dict[str, Any]:
    """That of what is in force without a text."""
    not_audited()
    return policies().compile(load_large(CompileBody()).get("text"))


@bp.post("/policies/explain")
@requires_scope("read")
@describes("Which policy takes a flow, which link it goes by, and why", body=FlowBody, fails=(507,))
def explain_flow() -> dict[str, Any]:
    """Fields that are empty were not given."""
    not_audited()
    asked = load_large(FlowBody())
    return policies().explain({name: value for name, value in asked.items() if value != "" or name == "text"})


@bp.post("/policies/confirm")
@requires_scope("write")
@describes("Keep a change that goes again otherwise", body=NothingBody, fails=(507,))
def confirm_policies() -> dict[str, Any]:
    """409 when none waits for it."""
    NothingBody().load(body_content())
    return policies().confirm(actor())


@bp.post("/policies/rollback")
@requires_scope("write")
@describes("Put an earlier version in force again; that is a new version itself", body=RollbackBody, fails=(502, 507))
def roll_policies_back() -> dict[str, Any]:
    """While a change waits to be confirmed: that change goes."""
    version = RollbackBody().load(body_content()).get("version")
    try:
        return policies().rollback(version, actor())
    except NotFound as error:
        if version is not None:
            raise
        raise Conflict("there is no version before this one", field="version") from error


@bp.post("/policies/override")
@requires_scope("write")
@describes("Let the local text be in force instead of the pushed one, or end that", body=OverrideBody, fails=(502, 507))
def override_policies() -> dict[str, Any]:
    """What is pushed meanwhile is kept, and waits."""
    return policies().override(load_large(OverrideBody())["is_overridden"], actor())


@bp.get("/policies/versions")
@requires_scope("read")
@describes("What was in force before, newest first", fails=(507,))
def list_policy_versions() -> dict[str, Any]:
    """Without the texts."""
    return {"versions": policies().versions()}


@bp.get("/policies/versions/<int:version_id>")
@requires_scope("read")
@describes("One version with its text", fails=(507,))
def show_policy_version(version_id: int) -> dict[str, Any]:
    """404 when it is not kept any more."""
    return policies().version(version_id)


@bp.get("/policies/presets")
@requires_scope("read")
@describes("Policies to copy: name, title, what for, text")
def list_presets() -> dict[str, Any]:
    """Plain texts of the language."""
    return {"presets": policies().presets()}


@bp.get("/policies/vocabulary")
@requires_scope("read")
@describes("The words that a text may use here, with this router's links, carriers, tags, countries, applications",
           fails=(507,))  # fmt: skip
def show_vocabulary() -> dict[str, Any]:
    """For completion."""
    return policies().vocabulary()


def policies() -> PolicyDesk:
    """The router's policies."""
    return services().router.policies


def load_large(schema: Form) -> dict[str, Any]:
    """A validated body as large as a text of policies may be."""
    request.max_content_length = request.max_form_memory_size = LARGEST_BODY
    try:
        return load_body(schema)
    except ValidationError as error:
        text = (request.form or request.get_json()).get("text")
        if "text" in error.messages_dict and isinstance(text, str) and len(text) > LARGEST_TEXT:
            hint = "split what belongs to countries or applications off: there are words for them"
            raise InvalidInput("text: the policies are larger than 1 MB", field="text", hint=hint) from error
        raise


def text_in(wanted: dict[str, Any]) -> str:
    """The text that a body has, or that its objects make."""
    if ("text" in wanted) == ("policies" in wanted):
        raise InvalidInput("either text or policies is needed", field="text")
    if "text" in wanted:
        return str(wanted["text"])
    given = wanted["policies"]
    if not isinstance(given, list) or len(given) > MOST_IN_LIST:
        raise InvalidInput(f"policies: is not a list of up to {MOST_IN_LIST} policies", field="policies")
    return "\n".join(policy_text(one, f"policies.{at}") for at, one in enumerate(given))


def policy_text(given: Any, where: str) -> str:
    """A policy of the language from an object of texts."""
    from remsim.policies.language.values import TITLE, is_title  # late: whoever pushes no policies needs no language

    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise InvalidInput(f"{where}: is not an object with a name", field=where)
    lines = []
    for word, value in given.items():
        if word == "name" or value is None:
            continue
        if not re.fullmatch(r"[a-z_]{1,32}", word, re.ASCII):
            raise InvalidInput(f"{where}: {word[:40]!r} is no word of a policy", field=where)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise InvalidInput(f"{where}.{word}: is neither a text nor a number", field=f"{where}.{word}")
        if isinstance(value, str) and (not value.isprintable() or re.search("[{}#]", _BRACES.sub("", value))):
            raise InvalidInput(f"{where}.{word}: is not one line of a policy", field=f"{where}.{word}")
        lines.append(f"  {word}: {value}\n")
    if not is_title(given["name"]):
        raise InvalidInput(f"{where}.name: is not {TITLE}", field=f"{where}.name")
    return f'policy "{given["name"]}" {{\n{"".join(lines)}}}\n'
