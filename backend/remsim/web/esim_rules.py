"""``/api/v1/esim/rules``: when profiles are switched by themselves, what the rules come to now, and what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint
from marshmallow import ValidationError

from remsim.config.alerting import NAME
from remsim.config.esim_rules import FIELDS_OF, EsimRuleOptions, EsimRuleSettings, rule_of
from remsim.core.errors import Conflict, InvalidInput, NotFound
from remsim.core.forms import Text, object_schema
from remsim.web.alert_rules import name_in
from remsim.web.auth import actor, not_audited, requires_scope
from remsim.web.config import trusted
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.errors import invalid_from
from remsim.web.fields import body_content

if TYPE_CHECKING:
    from remsim.esim.rules import Rules

bp = Blueprint("esim_rules", __name__)


class RuleBody(EsimRuleOptions):
    """A rule, with the name its section has in ``remsim_console``."""

    name = Text(1, 32, pattern=NAME, told="is not a name of up to 32 letters, digits and _")


@bp.get("/esim/rules")
@requires_scope("read")
@describes("The rules that switch profiles, what each comes to now and why, and what they did", fails=(507,))
def list_esim_rules() -> dict[str, Any]:
    """Nothing is loaded while there are none."""
    if not settings_of_rules():
        return {"rules": [], "now": [], "log": rules().view()["log"] if services().router.esim.is_loaded else []}
    return rules().view()


@bp.get("/esim/rules/form")
@requires_scope("read")
@describes("The form of a rule: JSON Schema, with the fields of each reason in x-fields and profiles in x-profiles")
def show_esim_rule_form() -> dict[str, Any]:
    """Profiles are those of the cards that were read."""
    view = services().router.esim.view()
    holders = [one for one in view["holders"] if one["kind"] == "modem"]
    defaults = {name: value for name, value in EsimRuleSettings("").as_dict().items() if value not in ("", None)}
    return object_schema(EsimRuleOptions(), defaults) | {
        "x-fields": {reason: list(names) for reason, names in FIELDS_OF.items()},
        "x-modems": [{"const": one["id"], "title": one["name"]} for one in holders],
        "x-profiles": {
            one["id"]: [{"const": profile["id"], "title": profile["name"]} for profile in one["profiles"]]
            for one in holders
        },
    }


@bp.post("/esim/rules/preview")
@requires_scope("read")
@describes("What a rule would come to now; changes nothing", body=RuleBody, fails=(507,))
def preview_esim_rule() -> dict[str, Any]:
    """As if it were the only one, and had just been made."""
    not_audited()
    content = body_content()
    content.pop("name", None)
    given = {name: value for name, value in content.items() if value not in (None, "", [])}
    try:
        loaded = EsimRuleOptions().load(given)
    except ValidationError as error:
        raise invalid_from(error) from error
    return rules().preview(rule_of(**{"name": "preview", **loaded}))


@bp.post("/esim/rules")
@requires_scope("write")
@describes("Add a rule; it is in force at once", body=RuleBody, status=201, fails=(507,))
def add_esim_rule() -> tuple[dict[str, Any], int]:
    """409 when there is one of that name."""
    content = body_content()
    name = name_in(content)
    if any(one.name == name for one in settings_of_rules()):
        raise Conflict(f"there is a rule {name} already", field="name", hint="change it, or choose another name")
    return put_rule(name, content), 201


@bp.get("/esim/rules/<name>")
@requires_scope("read")
@describes("One rule")
def show_esim_rule(name: str) -> dict[str, Any]:
    """As it is configured."""
    return rule_named(name).as_dict()


@bp.put("/esim/rules/<name>")
@requires_scope("write")
@describes("Change a rule; what is left out has its default", body=RuleBody, fails=(507,))
def change_esim_rule(name: str) -> dict[str, Any]:
    """What it waited for begins anew."""
    rule_named(name)
    content = body_content()
    if content.get("name") not in (None, name):
        raise InvalidInput("a rule keeps its name; change its label", field="name")
    return put_rule(name, content)


@bp.delete("/esim/rules/<name>")
@requires_scope("write")
@describes("Remove a rule", fails=(507,))
def drop_esim_rule(name: str) -> dict[str, Any]:
    """The rule as it was."""
    found = rule_named(name)
    services().router.config.delete_section("esim_rule", name, actor(), guard=trusted)
    return found.as_dict()


def rules() -> Rules:
    """What evaluates them."""
    return services().router.esim.parts.extras.rules


def settings_of_rules() -> tuple[EsimRuleSettings, ...]:
    """The rules of the configuration."""
    return services().router.config.settings.esim_rules


def rule_named(name: str) -> EsimRuleSettings:
    """The rule, or ``NotFound``."""
    for one in settings_of_rules():
        if one.name == name:
            return one
    raise NotFound(f"there is no rule {name[:40]!r}", field="name")


def put_rule(name: str, content: dict[str, Any]) -> dict[str, Any]:
    """Write a rule; what it is now."""
    content.pop("name", None)
    services().router.config.put_section("esim_rule", name, content, actor(), guard=trusted)
    return rule_named(name).as_dict()
