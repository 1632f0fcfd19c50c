"""``/api/v1/simulation``: faults for virtual modems; it exists only while the router is simulated."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from remsim.core.errors import NotFound
from remsim.core.forms import Form, StrictNumber
from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import Name, load_body

bp = Blueprint("simulation", __name__)


class FaultRequest(Form):
    """Which fault of which modem, and for how long (until ``clear`` when not said)."""

    modem = Name(required=True)
    fault = Name(required=True)
    seconds = StrictNumber(0.1, 3600, allow_none=True)


@bp.post("/simulation/faults")
@requires_scope("write")
@describes("Do a fault to a virtual modem: unplug, plug, reboot, silence, garbage, …", body=FaultRequest, status=202)
def do_fault() -> tuple[dict[str, Any], int]:
    """The simulator knows which faults there are."""
    router = services().router
    if router.simulator is None:
        raise NotFound("this router is not simulated", hint="start it with --simulate")
    asked = load_body(FaultRequest())
    modem = router.modems.view(asked["modem"])
    router.simulator.fault(modem["usb_path"], asked["fault"], seconds=asked.get("seconds"))
    return {"modem": modem["id"], "fault": asked["fault"], "seconds": asked.get("seconds")}, 202
