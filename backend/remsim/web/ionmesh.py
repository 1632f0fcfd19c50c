"""``/api/v1/ionmesh``: the orchestrator this router registers with, its SIM cards and its KI-proxy pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint

from remsim.config.remote_sim import LARGEST_ID
from remsim.core.errors import InvalidInput
from remsim.core.forms import Choice, Form, Text, Whole
from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import Name, Query, body_content, load_body, load_query

if TYPE_CHECKING:
    from remsim.remotesim.ionmesh import IonMesh

bp = Blueprint("ionmesh", __name__)

CARD_TYPES = {"REGULAR": "SIM card", "KI_PROXY_MASTER": "Master of a KI proxy", "VIRTUAL": "Virtual SIM"}
MCC_MNC = "[0-9]{5,6}"
POOL_ID = 64


class ClientForm(Form):
    """One client of this router; all where none is named."""

    client = Text(1, 64, metadata={"label": "Client"})


class CardQuery(Query):
    """What the cards have."""

    carrier = Name()
    ki_pool_name = Name()
    card_type = Name()


class CardForm(Form):
    """A card in a bank's slot. Its keys are nobody's business here."""

    bank_id = Whole(0, LARGEST_ID, required=True, metadata={"label": "Bank"})
    slot_id = Whole(0, LARGEST_ID, required=True, metadata={"label": "Slot"})
    physical_iccid = Text(1, 22, pattern="[0-9A-Fa-f]{10,22}", told="is not an ICCID", metadata={"label": "ICCID"})
    physical_imsi = Text(1, 15, pattern="[0-9]{6,15}", told="is not an IMSI", metadata={"label": "IMSI"})
    carrier = Text(1, 64, metadata={"label": "Operator"})
    mcc_mnc = Text(1, 6, pattern=MCC_MNC, told="is not 5 or 6 digits", metadata={"label": "MCC and MNC"})
    card_type = Choice(CARD_TYPES, metadata={"label": "Kind"})
    ki_pool_name = Text(1, 64, metadata={"label": "Pool"})
    ki_pool_priority = Whole(0, 1_000_000, metadata={"label": "Priority in the pool"})


class PoolForm(Form):
    """A KI-proxy pool."""

    pool_name = Text(1, 64, required=True, metadata={"label": "Name"})
    carrier = Text(1, 64, required=True, metadata={"label": "Operator"})
    bank_id = Whole(0, LARGEST_ID, required=True, metadata={"label": "Bank"})
    slot_range_start = Whole(0, LARGEST_ID, required=True, metadata={"label": "First slot"})
    slot_range_end = Whole(0, LARGEST_ID, required=True, metadata={"label": "Last slot"})
    mcc_mnc = Text(1, 6, pattern=MCC_MNC, told="is not 5 or 6 digits", metadata={"label": "MCC and MNC"})
    max_virtual_sims = Whole(1, 1_000_000, metadata={"label": "Virtual SIMs at most"})


@bp.get("/ionmesh")
@requires_scope("read")
@describes("How this router's clients do at IonMesh; identifiers are masked")
def show_ionmesh() -> dict[str, Any]:
    """``{"state": "off"}`` where it is not used."""
    return services().router.remote_sim.view().get("ionmesh") or {"state": "off"}


@bp.post("/ionmesh/register")
@requires_scope("write")
@describes("Register a client, or all, now: also what was unregistered", body=ClientForm, fails=(502,))
def register_client() -> dict[str, Any]:
    """Registered clients get the slot they have."""
    ionmesh().register(ClientForm().load(body_content()).get("client"))
    return show_ionmesh()


@bp.post("/ionmesh/unregister")
@requires_scope("write")
@describes("Give a client's slot back, or those of all, until they are registered", body=ClientForm, fails=(502,))
def unregister_client() -> dict[str, Any]:
    """The modem loses the card once the orchestrator takes the slot map away."""
    ionmesh().unregister(ClientForm().load(body_content()).get("client"))
    return show_ionmesh()


@bp.get("/ionmesh/discover")
@requires_scope("read")
@describes("What the orchestrator says of itself", fails=(409, 502))
def discover() -> dict[str, Any]:
    """Version, what it can, which mapping modes it knows."""
    return ionmesh().discover()


@bp.get("/ionmesh/sim-cards")
@requires_scope("read")
@describes("The orchestrator's SIM cards, masked; the last known while it is away", query=CardQuery, fails=(409, 502))
def list_cards() -> dict[str, Any]:
    """``cached`` and ``problem`` say when they are old and why."""
    return ionmesh().sim_cards(load_query(CardQuery()))


@bp.post("/ionmesh/sim-cards")
@requires_scope("write")
@describes("Tell the orchestrator of a SIM card, or change what it knows of one", body=CardForm, fails=(502,))
def put_card() -> dict[str, Any]:
    """For the tenant of the settings."""
    from remsim.remotesim.ionmesh_shown import masked_card

    return {"card": masked_card(ionmesh().api.put_sim_card(load_body(CardForm())))}


@bp.delete("/ionmesh/sim-cards/<bank_id>/<slot_id>")
@requires_scope("write")
@describes("Have the orchestrator forget a SIM card", fails=(502,))
def drop_card(bank_id: str, slot_id: str) -> dict[str, Any]:
    """By its place."""
    ionmesh().api.drop_sim_card(number(bank_id, "bank_id"), number(slot_id, "slot_id"))
    return {}


@bp.get("/ionmesh/pools")
@requires_scope("read")
@describes("The orchestrator's KI-proxy pools; the last ones known while it is away", fails=(409, 502))
def list_pools() -> dict[str, Any]:
    """``cached`` and ``problem`` say when they are old and why."""
    return ionmesh().pools()


@bp.post("/ionmesh/pools")
@requires_scope("write")
@describes("Make a KI-proxy pool at the orchestrator", body=PoolForm, status=201, fails=(502,))
def add_pool() -> tuple[dict[str, Any], int]:
    """For the tenant of the settings."""
    given = load_body(PoolForm())
    if given["slot_range_start"] > given["slot_range_end"]:
        raise InvalidInput("the last slot is before the first", field="slot_range_end")
    return {"pool": ionmesh().api.add_pool(given)}, 201


@bp.get("/ionmesh/pools/<pool_id>")
@requires_scope("read")
@describes("One KI-proxy pool with its cards and how far it is used", fails=(409, 502))
def show_pool(pool_id: str) -> dict[str, Any]:
    """Identifiers are masked."""
    from remsim.remotesim.ionmesh_shown import masked_card

    found = ionmesh().api.pool(short(pool_id))
    return found | {"physical_sims": [masked_card(card) for card in found["physical_sims"]]}


@bp.delete("/ionmesh/pools/<pool_id>")
@requires_scope("write")
@describes("Remove a KI-proxy pool at the orchestrator", fails=(502,))
def drop_pool(pool_id: str) -> dict[str, Any]:
    """Refused there while it is in use."""
    ionmesh().api.drop_pool(short(pool_id))
    return {}


def ionmesh() -> IonMesh:
    """IonMesh, or 409 while it is off."""
    return services().router.remote_sim.extras.ionmesh


def number(text: str, field: str) -> int:
    """An id in an address."""
    if text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= LARGEST_ID:
        return int(text)
    raise InvalidInput(f"{field} is not a number from 0 to {LARGEST_ID}", field=field)


def short(pool_id: str) -> str:
    """A pool's id in an address."""
    if len(pool_id) > POOL_ID or not pool_id.isprintable() or pool_id in (".", ".."):
        raise InvalidInput("pool_id is not the id of a pool", field="pool_id")
    return pool_id
