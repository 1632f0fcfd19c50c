"""``/api/v1/modems/ID/sms``: the short messages a modem keeps. What is done with them are actions (sms-send …)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from remsim.core.forms import Form
from remsim.modems.control.message_store import read_inbox
from remsim.modems.control.sms import MessageText
from remsim.web.auth import not_audited, requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import load_body

bp = Blueprint("messages", __name__)


class PreviewForm(Form):
    """A text that is being written."""

    text = MessageText(required=True)


@bp.get("/modems/<modem_id>/sms")
@requires_scope("read")
@describes("The messages of all stores of a modem, the newest first, parts joined; asks the modem", fails=(502,))
def list_messages(modem_id: str) -> dict[str, Any]:
    """The modem calls a message read once it was listed; here it is unread until ``sms-read``."""
    return services().router.control.look(modem_id, read_inbox)


@bp.post("/sms/preview")
@requires_scope("read")
@describes("How many messages a text takes, and in which alphabet; nothing is sent", body=PreviewForm)
def preview() -> dict[str, Any]:
    """A text in an address would stand in logs, so this is no GET."""
    from remsim.modems.sms.submit import plan_of  # late: most routers never send a message

    not_audited()
    return plan_of(load_body(PreviewForm())["text"]).as_dict()
