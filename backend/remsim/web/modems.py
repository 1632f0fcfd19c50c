"""``/api/v1/modems``: every modem with its last reading, and how often it is asked."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from remsim.config.settings import save_modem_period
from remsim.core.errors import InvalidInput, NotFound, RemsimError, StorageError
from remsim.core.forms import Form
from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import Period, load_body

bp = Blueprint("modems", __name__)

IDENTIFIERS = ("imei", "imsi", "iccid", "eid")


class ModemChange(Form):
    """What may be changed of a modem."""

    period_s = Period(required=True)


@bp.get("/modems")
@requires_scope("read")
@describes("All modems with their last readings")
def list_modems() -> dict[str, Any]:
    """The modems that are or were plugged in, in a stable order."""
    return {"modems": services().router.modems.views()}


@bp.get("/modems/<modem_id>")
@requires_scope("read")
@describes("One modem with its carriers and neighbour cells")
def show_modem(modem_id: str) -> dict[str, Any]:
    """One modem."""
    return services().router.modems.view(modem_id)


@bp.get("/modems/<modem_id>/identifiers")
@requires_scope("identifiers")
@describes("IMEI, IMSI, ICCID and EID in full")
def show_identifiers(modem_id: str) -> dict[str, Any]:
    """Everywhere else they are masked."""
    view = services().router.modems.view(modem_id, identifiers=True)
    return {name: view[name] for name in IDENTIFIERS}


@bp.patch("/modems/<modem_id>")
@requires_scope("write")
@describes("Change how often a modem is asked: 1 to 60 seconds, or null for never", body=ModemChange, fails=(507,))
def change_modem(modem_id: str) -> dict[str, Any]:
    """Apply at once and keep over restarts."""
    router = services().router
    router.modems.view(modem_id)  # an unknown modem is 404, whatever the body
    period_s = load_body(ModemChange())["period_s"]
    router.modems.set_period(modem_id, period_s)
    view = router.modems.view(modem_id)
    if router.config_dir is not None:
        try:
            save_modem_period(router.config_dir, view["usb_path"], period_s)
        except (OSError, RemsimError) as error:
            raise StorageError(
                f"the period is in force, but cannot be kept in {router.config_dir}: {error}", field="period_s"
            ) from error
    return view


def known_modem(name: str) -> str:
    """The id, or ``InvalidInput``: a query that names a modem nobody knows is a mistake in the query."""
    try:
        services().router.modems.view(name)
    except NotFound as error:
        raise InvalidInput(error.message, field="modem", hint="GET /api/v1/modems lists them") from error
    return name
