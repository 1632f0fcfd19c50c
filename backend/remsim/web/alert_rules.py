"""``/api/v1/alert-rules``: when something is an alert; the form, and a look at what a rule would have done."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint
from marshmallow import ValidationError

from remsim.alerts.definitions import name_of, unit_of
from remsim.config.alerting import COMPARISONS_OF, NAME, SOURCES, AlertOptions, AlertSettings, alert_of, measures_of
from remsim.core.errors import Conflict, InvalidInput, NotFound
from remsim.core.forms import Text, object_schema
from remsim.core.reading import STATES
from remsim.web.auth import actor, not_audited, requires_scope
from remsim.web.config import trusted
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.errors import invalid_from
from remsim.web.fields import Moment, PeriodQuery, Range, asked_period, body_content

bp = Blueprint("alert_rules", __name__)

DEFAULT_RANGE_S = 7 * 86400.0
LONGEST_RANGE_S = 31 * 86400.0
WORDS_OF = {
    "state": tuple(STATES),
    "registration": ("home", "roaming", "searching", "denied", "not_registered", "unknown"),
    "mode": ("GSM", "UMTS", "LTE", "NSA", "SA"),
    "rat": ("GSM", "UMTS", "LTE", "LTE-M", "NB-IoT", "NR"),
    "clock_set": ("yes", "no"),
}


class RuleBody(AlertOptions):
    """A rule, with the name its section has in ``remsim_console``."""

    name = Text(1, 32, pattern=NAME, told="is not a name of up to 32 letters, digits and _")


class PreviewBody(RuleBody):
    """A rule and the part of the past to look at: ``range`` or ``from`` and ``to``; seven days when nothing is said."""

    range = Range()
    start = Moment(data_key="from")
    end = Moment(data_key="to")


PERIOD = ("range", "from", "to")


@bp.get("/alert-rules")
@requires_scope("read")
@describes("The rules there are, and presets to begin with")
def list_rules() -> dict[str, Any]:
    """With words for what they look at."""
    from remsim.alerts.presets import presets  # late, as below: only who sets up rules needs it

    return {"rules": [one.as_dict() for one in rules()], "presets": presets(), "measures": measures()}


@bp.get("/alert-rules/form")
@requires_scope("read")
@describes("The form of a rule: JSON Schema, with what each source has in x-measures and x-comparisons")
def show_rule_form() -> dict[str, Any]:
    """A page narrows the fields by the source that is chosen."""
    channels = services().router.config.settings.channels
    return object_schema(AlertOptions()) | {
        "x-measures": measures(),
        "x-comparisons": {source: list(known) for source, known in COMPARISONS_OF.items()},
        "x-channels": [{"const": one.name, "title": one.label or one.name} for one in channels],
    }


@bp.post("/alert-rules/preview")
@requires_scope("read")
@describes("When a rule would have fired in the past; changes nothing", body=PreviewBody)
def preview_rule() -> dict[str, Any]:
    """The same evaluation as live, over what is kept."""
    from remsim.alerts.preview import Past, preview

    not_audited()
    content = body_content()
    router = services().router
    asked: dict[str, Any] = PeriodQuery().load({name: content.pop(name) for name in PERIOD if name in content})
    start, end = asked_period(asked, router.clock.now(), DEFAULT_RANGE_S)
    if end - start > LONGEST_RANGE_S:
        raise InvalidInput("a rule is looked at with 31 days at most", field="range")
    content.pop("name", None)
    given = {name: value for name, value in content.items() if value not in (None, "", [])}
    try:
        loaded = AlertOptions().load(given)
    except ValidationError as error:
        raise invalid_from(error) from error
    modems = [str(view["id"]) for view in router.modems.views()]
    return preview(alert_of(**{"name": "preview", **loaded}), Past(router.series, router.journal, modems), start, end)


@bp.post("/alert-rules")
@requires_scope("write")
@describes("Add a rule; it is in force at once", body=RuleBody, status=201, fails=(507,))
def add_rule() -> tuple[dict[str, Any], int]:
    """409 when there is one of that name."""
    content = body_content()
    name = name_in(content)
    if any(one.name == name for one in rules()):
        raise Conflict(f"there is a rule {name} already", field="name", hint="change it, or choose another name")
    return put_rule(name, content), 201


@bp.get("/alert-rules/<name>")
@requires_scope("read")
@describes("One rule")
def show_rule(name: str) -> dict[str, Any]:
    """As it is configured."""
    return rule_named(name).as_dict()


@bp.put("/alert-rules/<name>")
@requires_scope("write")
@describes("Change a rule; what is left out has its default", body=RuleBody, fails=(507,))
def change_rule(name: str) -> dict[str, Any]:
    """When it looks at something else than before, what it had firing ends."""
    rule_named(name)
    content = body_content()
    if content.get("name") not in (None, name):
        raise InvalidInput("a rule keeps its name; change its label", field="name")
    return put_rule(name, content)


@bp.delete("/alert-rules/<name>")
@requires_scope("write")
@describes("Remove a rule; who was told of an alert of it is told that it ended", fails=(507,))
def drop_rule(name: str) -> dict[str, Any]:
    """The rule as it was."""
    found = rule_named(name)
    services().router.config.delete_section("alert", name, actor(), guard=trusted)
    return found.as_dict()


def rules() -> tuple[AlertSettings, ...]:
    """The rules of the configuration."""
    return services().router.config.settings.alerts


def rule_named(name: str) -> AlertSettings:
    """The rule, or ``NotFound``."""
    for one in rules():
        if one.name == name:
            return one
    raise NotFound(f"there is no rule {name[:40]!r}", field="name")


def put_rule(name: str, content: dict[str, Any]) -> dict[str, Any]:
    """Write a rule; what it is now."""
    content.pop("name", None)
    services().router.config.put_section("alert", name, content, actor(), guard=trusted)
    return rule_named(name).as_dict()


def name_in(content: dict[str, Any]) -> str:
    """The name that a new section is to have."""
    name = content.get("name")
    if not isinstance(name, str) or not re.fullmatch(NAME, name, re.ASCII):
        raise InvalidInput("name: is not a name of up to 32 letters, digits and _", field="name")
    return name


def measures() -> dict[str, list[dict[str, Any]]]:
    """What each source has, with words, unit and, where they are known, the values it can have."""
    return {
        source: [
            {
                "const": name,
                "title": name_of(name, source),
                "unit": unit_of(name, source) or None,
                "values": list(WORDS_OF[name]) if name in WORDS_OF else None,
            }
            for name in measures_of(source)
        ]
        for source in SOURCES
    }
