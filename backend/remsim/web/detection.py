"""``/api/v1/detection``: what was looked for and found; and letting go of a modem that is not there any more."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.describe import describes

bp = Blueprint("detection", __name__)


@bp.get("/detection")
@requires_scope("read")
@describes("What was looked for and what is on USB and PCI Express, with a text for a bug report")
def show_detection() -> dict[str, Any]:
    """Looked at anew; without serial numbers, IMEIs and MAC addresses."""
    return services().router.modems.detection()


@bp.delete("/modems/<modem_id>")
@requires_scope("write")
@describes("Forget a modem that is not plugged in; what was recorded of it stays", fails=(507,))
def forget_modem(modem_id: str) -> dict[str, Any]:
    """409 while it is plugged in."""
    services().router.modems.forget(modem_id)
    return {"id": modem_id, "forgotten": True}
