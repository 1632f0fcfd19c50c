"""``/api/v1/esim/orders``: profiles ordered at an SM-DP+ (ES2+). Tried with the simulator's server only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint
from marshmallow import ValidationError, validates_schema

from remsim.core.errors import Conflict
from remsim.core.forms import Flag, Form, Text
from remsim.web.auth import actor, requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.esim import begun
from remsim.web.fields import Name, load_body

if TYPE_CHECKING:
    from remsim.esim.ordering import Ordering

bp = Blueprint("esim_orders", __name__)

EID = r"[0-9]{32}"
ICCID = r"[0-9]{18,20}[Ff]?"


class OrderForm(Form):
    """What to order, of a type or of a number, for a card or for any. ``release``: it can be downloaded at once."""

    connector = Text(1, 32, required=True, metadata={"label": "Server"})
    holder = Name(allow_none=True, metadata={"label": "For the card of"})
    eid = Text(0, 32, pattern=EID, told="is not 32 digits", allow_none=True, metadata={"label": "For the EID"})
    profile_type = Text(0, 64, allow_none=True, metadata={"label": "Type of profile"})
    iccid = Text(0, 21, pattern=ICCID, told="is not 18 to 20 digits", allow_none=True, metadata={"label": "ICCID"})
    confirmation_code = Text(0, 64, allow_none=True, metadata={"label": "Confirmation code", "secret": True})
    release = Flag(load_default=True, metadata={"label": "Release it at once"})

    @validates_schema
    def fits_together(self, data: dict[str, Any], **kwargs: Any) -> None:
        """One way to name the card."""
        if data.get("holder") and data.get("eid"):
            raise ValidationError("the card is named twice", "eid")


class CancelForm(Form):
    """``reusable``: the profile can be ordered again."""

    reusable = Flag(load_default=True, metadata={"label": "It can be ordered again"})


@bp.get("/esim/orders")
@requires_scope("read")
@describes("Servers to order profiles at, and the orders there were", fails=(507,))
def list_orders() -> dict[str, Any]:
    """Servers are set up as sections of type ``esim_orders``."""
    return orders().view()


@bp.post("/esim/orders")
@requires_scope("write")
@describes("Order a profile; its code is kept among the codes", body=OrderForm, status=202, fails=(502, 507))
def order_profile() -> tuple[dict[str, Any], int]:
    """409 when the EID of the card is wanted and not known yet."""
    from remsim.esim.ordering import Wanted

    given = load_body(OrderForm())
    eid = given.get("eid") or None
    if given.get("holder"):
        card = services().router.esim.parts.cards.of(given["holder"])
        eid = None if card is None else card["eid"]
        if eid is None:
            raise Conflict("the EID of this card is not known", field="holder", hint="read the card first")
    wanted = Wanted(
        given["connector"],
        eid=eid,
        iccid=(given.get("iccid") or "").rstrip("Ff") or None,
        profile_type=given.get("profile_type") or None,
        confirmation_code=given.get("confirmation_code") or None,
        is_released=given["release"],
    )
    return begun(orders().begin(wanted, actor()))


@bp.post("/esim/orders/<order_id>/release")
@requires_scope("write")
@describes("Let a confirmed order be downloaded", status=202, fails=(502, 507))
def release_order(order_id: str) -> tuple[dict[str, Any], int]:
    """409 for any other."""
    return begun(orders().release(order_id, actor()))


@bp.post("/esim/orders/<order_id>/cancel")
@requires_scope("write")
@describes("Give an order back; its code is forgotten", body=CancelForm, status=202, fails=(502, 507))
def cancel_order(order_id: str) -> tuple[dict[str, Any], int]:
    """409 for one that was cancelled already."""
    return begun(orders().cancel(order_id, is_reusable=load_body(CancelForm())["reusable"], actor=actor()))


def orders() -> Ordering:
    """What does them."""
    return services().router.esim.parts.extras.orders
