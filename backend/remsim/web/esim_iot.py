"""``/api/v1/esim/HOLDER/iot``: cards for SGP.32 and the eIMs that manage them; experimental."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint

from remsim.core.forms import Form, Long
from remsim.web.auth import actor, requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.esim import begun
from remsim.web.fields import load_body

if TYPE_CHECKING:
    from remsim.esim.iot.work import IotWork

bp = Blueprint("esim_iot", __name__)

LONGEST_BLOB = 40_000
"""Hex of what a card takes, and line breaks."""


class EimForm(Form):
    """A file that the operator of an eIM gives."""

    blob = Long(LONGEST_BLOB, required=True, metadata={"label": "eIM configuration data, hex or base64"})


@bp.get("/esim/<holder_id>/iot")
@requires_scope("read")
@describes("What a card told of SGP.32 when it was last asked: version, eIMs; no card is asked", fails=(507,))
def show_iot(holder_id: str) -> dict[str, Any]:
    """What is not supported is named."""
    return work().view(holder_id)


@bp.post("/esim/<holder_id>/iot/read")
@requires_scope("write")
@describes("Ask a card what it tells of SGP.32", status=202, fails=(502, 507))
def read_iot(holder_id: str) -> tuple[dict[str, Any], int]:
    """Also of a card that is not made for it."""
    return begun(work().read(holder_id, actor()))


@bp.post("/esim/<holder_id>/iot/eim")
@requires_scope("write")
@describes("Make a first eIM known to a card (AddInitialEim)", body=EimForm, status=202, fails=(502, 507))
def add_eim(holder_id: str) -> tuple[dict[str, Any], int]:
    """422 for what is no eIM configuration data."""
    return begun(work().add(holder_id, load_body(EimForm())["blob"], actor()))


@bp.post("/esim/<holder_id>/iot/poll")
@requires_scope("write")
@describes("Do what the eIMs of a card have waiting", status=202, fails=(502, 507))
def poll_eim(holder_id: str) -> tuple[dict[str, Any], int]:
    """409 when the card has no eIM."""
    return begun(work().poll(holder_id, actor()))


def work() -> IotWork:
    """What begins the jobs."""
    from remsim.esim.iot.work import IotWork

    parts = services().router.esim.parts
    return IotWork(parts.room, parts.work)
