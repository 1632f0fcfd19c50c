"""``/api/v1/modems/ID/…``: what can be done to a modem, the form of each action, and the jobs they become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, request

from remsim.core.errors import InvalidInput
from remsim.modems.control.action import Action
from remsim.modems.control.verbs import ACTIONS
from remsim.web.auth import actor, requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import body_content

bp = Blueprint("control", __name__)

LONGEST_KEY = 64


@bp.get("/modems/<modem_id>/actions")
@requires_scope("read")
@describes("What can be done to a modem: name, words, what it interrupts, and why this modem lacks it")
def list_actions(modem_id: str) -> dict[str, Any]:
    """In the order of the pages."""
    return {"actions": services().router.control.actions(modem_id)}


@bp.delete("/modems/<modem_id>/desired")
@requires_scope("write")
@describes(
    "Forget what is applied again after the modem's restart: its bands, mode, cell lock and other presets",
    fails=(507,),
)
def forget_desired(modem_id: str) -> dict[str, Any]:
    """The modem keeps what is in force."""
    services().router.control.forget_desired(modem_id)
    return {"modem": modem_id, "desired": {}}


def idempotency_key() -> str | None:
    """The request's key: asked again with it, an action is not run again."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (key.isprintable() and 1 <= len(key) <= LONGEST_KEY):
        raise InvalidInput(f"the key has 1 to {LONGEST_KEY} characters", field="Idempotency-Key")
    return key


def runner(action: Action) -> Callable[..., Any]:
    """The view that runs an action."""

    def run(modem_id: str) -> Any:
        control, content = services().router.control, body_content()
        if action.is_short:
            return {"result": control.run(modem_id, action.name, content, actor=actor())}
        job = control.start(modem_id, action.name, content, actor=actor(), key=idempotency_key())
        return job.as_dict(), 202

    run.__name__ = f"run_{action.name.replace('-', '_')}"
    status = 200 if action.is_short else 202
    told = describes(f"{action.label}; its form tells the fields", status=status, fails=(502,), body_schema=action_body)
    return told(requires_scope(action.scope)(run))


def form_of(action: Action) -> Callable[..., Any]:
    """The view that describes an action's form."""

    def form(modem_id: str) -> dict[str, Any]:
        return services().router.control.form(modem_id, action.name)

    form.__name__ = f"form_{action.name.replace('-', '_')}"
    told = describes(f"{action.label}: the form, as JSON Schema for this very modem", fails=(502,))
    return told(requires_scope("read")(form))


def action_body() -> dict[str, Any]:
    """What all actions take: which fields there are depends on the modem."""
    return {"type": "object", "description": "the fields of the action's form"}


for one in ACTIONS.values():
    bp.add_url_rule(f"/modems/<modem_id>/{one.name}", view_func=runner(one), methods=["POST"])
    bp.add_url_rule(f"/modems/<modem_id>/{one.name}/form", view_func=form_of(one), methods=["GET"])
