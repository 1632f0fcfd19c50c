"""``/api/v1/simulation``: virtual modems, their faults and messages; it exists only while the router is simulated."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from remsim.core.errors import NotFound
from remsim.core.forms import Form, StrictNumber, Text
from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import Name, load_body

bp = Blueprint("simulation", __name__)


class FaultRequest(Form):
    """Which fault of which modem, and for how long (until ``clear`` when not said).

    Faults of the remote SIMs (``server_restart``, ``bankd_lost``, …) and of the servers of eSIM profiles (``smdp_cut``,
    ``smdp_expired``, …) need no modem; the latter may be at one function only (``step``: ``authenticateClient``, …).
    """

    modem = Name(allow_none=True)
    fault = Name(required=True)
    seconds = StrictNumber(0.1, 3600, allow_none=True)
    step = Name(allow_none=True)


class MessageRequest(Form):
    """A short message for a modem: its PDU in hex, service centre first."""

    modem = Name(required=True)
    pdu = Text(4, 400, pattern="([0-9A-Fa-f]{2})+", told="must be a PDU in hex", required=True)


def control() -> Any:
    """The simulator of this router; ``NotFound`` when it is a real one."""
    simulator = services().router.simulator
    if simulator is None:
        raise NotFound("this router is not simulated", hint="start it with --simulate")
    return simulator


@bp.get("/simulation/modems")
@requires_scope("read")
@describes("The virtual modems, and whether their replies rest on captures of the module or of its family")
def list_modems() -> dict[str, Any]:
    """In the order of their USB paths."""
    return {"modems": control().modems()}


@bp.post("/simulation/faults")
@requires_scope("write")
@describes("Do a fault to a virtual modem: unplug, plug, reboot, silence, garbage, …", body=FaultRequest, status=202)
def do_fault() -> tuple[dict[str, Any], int]:
    """The simulator knows which faults there are."""
    simulator = control()
    asked = load_body(FaultRequest())
    modem = services().router.modems.view(asked["modem"]) if asked.get("modem") is not None else None
    at_step = {} if asked.get("step") is None else {"step": asked["step"]}
    simulator.fault(modem and modem["usb_path"], asked["fault"], seconds=asked.get("seconds"), **at_step)
    return {"modem": modem and modem["id"], "fault": asked["fault"], "seconds": asked.get("seconds")}, 202


@bp.get("/simulation/codes")
@requires_scope("read")
@describes("Activation codes of the simulation's servers of eSIM profiles, and what comes of each")
def list_codes() -> dict[str, Any]:
    """The good ones first; none where the simulation has no eSIM."""
    control()
    simulation = services().router.simulation
    esim = None if simulation is None else simulation.esim
    return {"codes": [{"label": label, "code": code} for label, code in (esim.codes if esim is not None else ())]}


@bp.post("/simulation/messages")
@requires_scope("write")
@describes("Send a short message to a virtual modem", body=MessageRequest, status=202)
def send_message() -> tuple[dict[str, Any], int]:
    """Into the modem's store, which may be full."""
    simulator = control()
    asked = load_body(MessageRequest())
    modem = services().router.modems.view(asked["modem"])
    return {"modem": modem["id"], "index": simulator.deliver_sms(modem["usb_path"], asked["pdu"])}, 202
