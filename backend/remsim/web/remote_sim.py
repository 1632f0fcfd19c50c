"""``/api/v1/remote-sim``: clients, servers and slot maps of remote SIMs."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.describe import describes

bp = Blueprint("remote_sim", __name__)


@bp.get("/remote-sim")
@requires_scope("read", "wall")
@describes("Clients, servers, banks and slot maps of remote SIMs")
def show_remote_sim() -> dict[str, Any]:
    """What the page shows, in one answer."""
    return services().router.remote_sim.view()
