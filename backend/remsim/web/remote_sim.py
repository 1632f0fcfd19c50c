"""``/api/v1/remote-sim``: clients, servers and slot maps of remote SIMs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response
from marshmallow import fields as ma

from remsim.config.remote_sim import LARGEST_ID
from remsim.core.clock import iso_utc
from remsim.core.errors import InvalidInput
from remsim.core.forms import Flag, Form, Text, Whole
from remsim.remotesim.slotmap import LONGEST_NOTE, SlotMap, place_of
from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import Name, Query, load_body, load_query

if TYPE_CHECKING:
    from remsim.remotesim.keeper import Keeper

bp = Blueprint("remote_sim", __name__)

LONGEST_CSV = 60_000


def Note(**kwargs: Any) -> Text:
    """What somebody writes beside a map."""
    return Text(0, LONGEST_NOTE, metadata={"label": "Note"}, **kwargs)


class SlotMapForm(Form):
    """A slot map; ``replace``: instead of those that have one of its slots."""

    bank_id = Whole(0, LARGEST_ID, required=True, metadata={"label": "Bank"})
    bank_slot = Whole(0, LARGEST_ID, required=True, metadata={"label": "Slot of the bank"})
    client_id = Whole(0, LARGEST_ID, required=True, metadata={"label": "Client"})
    client_slot = Whole(0, LARGEST_ID, load_default=0, metadata={"label": "Slot of the client"})
    server = Name(allow_none=True, load_default=None, metadata={"label": "Server"})
    note = Note(load_default="")
    replace = Flag(load_default=False, metadata={"label": "Instead of what its slots have"})


class SlotMapChange(Form):
    """The client that a bank slot is for, and the note; what is not named stays."""

    client_id = Whole(0, LARGEST_ID, required=True, metadata={"label": "Client"})
    client_slot = Whole(0, LARGEST_ID, load_default=0, metadata={"label": "Slot of the client"})
    note = Note()


class CsvText(ma.Field[str]):
    """Lines of CSV."""

    json = {"type": "string", "maxLength": LONGEST_CSV}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or len(value) > LONGEST_CSV or "\0" in value:
            raise InvalidInput(f"csv is not text of up to {LONGEST_CSV} characters", field="csv")
        return value


class ImportForm(Form):
    """A file of slot maps; with ``check`` it is only looked at."""

    csv = CsvText(required=True, metadata={"label": "CSV"})
    check = Flag(load_default=False, metadata={"label": "Only look"})


class ServerQuery(Query):
    """A server by its name; needed where several have the slot."""

    server = Name()


@bp.get("/remote-sim")
@requires_scope("read", "wall")
@describes("Clients, servers, banks and slot maps of remote SIMs")
def show_remote_sim() -> dict[str, Any]:
    """What the page shows, in one answer."""
    return services().router.remote_sim.view()


@bp.post("/remote-sim/slotmaps")
@requires_scope("write")
@describes("Give a bank's slot to a client, and keep it so", body=SlotMapForm, status=201, fails=(507,))
def add_slot_map() -> tuple[dict[str, Any], int]:
    """It is wanted at once and in force when the bank has answered."""
    from remsim.remotesim.keeper import MapForm

    given = load_body(SlotMapForm())
    wanted = SlotMap(given["bank_id"], given["bank_slot"], given["client_id"], given["client_slot"])
    return keeper().add(MapForm(wanted, given["note"].strip(), given["server"], given["replace"])), 201


@bp.put("/remote-sim/slotmaps/<map_id>")
@requires_scope("write")
@describes("Give a bank's slot of ours to another client", query=ServerQuery, body=SlotMapChange, fails=(507,))
def change_slot_map(map_id: str) -> dict[str, Any]:
    """The old map is removed first; both modems lose their card for a moment."""
    place = place_of(map_id, "bank_slot")
    given = load_body(SlotMapChange())
    note = given["note"].strip() if "note" in given else None
    return keeper().change(place, (given["client_id"], given["client_slot"]), note, asked_server())


@bp.delete("/remote-sim/slotmaps/<map_id>")
@requires_scope("write")
@describes("Remove a slot map of ours", query=ServerQuery, fails=(507,))
def remove_slot_map(map_id: str) -> dict[str, Any]:
    """Those of others are 409 until they are adopted."""
    return keeper().remove(place_of(map_id, "bank_slot"), asked_server())


@bp.post("/remote-sim/slotmaps/<map_id>/adopt")
@requires_scope("write")
@describes("Want a slot map that somebody else has made", query=ServerQuery, fails=(507,))
def adopt_slot_map(map_id: str) -> dict[str, Any]:
    """Nothing changes at the server."""
    return keeper().adopt(place_of(map_id, "bank_slot"), asked_server())


@bp.post("/remote-sim/slotmaps/<map_id>/restore")
@requires_scope("write")
@describes("Put a held slot map in force now; resets its modem", query=ServerQuery)
def restore_slot_map(map_id: str) -> dict[str, Any]:
    """As soon as its bank is connected."""
    return {"restored": keeper().restore(place_of(map_id, "bank_slot"), asked_server())}


@bp.post("/remote-sim/restore")
@requires_scope("write")
@describes("Put all held slot maps in force now; resets their modems", query=ServerQuery)
def restore_slot_maps() -> dict[str, Any]:
    """How many there are."""
    return {"restored": keeper().restore(server=asked_server())}


@bp.get("/remote-sim/slotmaps.csv")
@requires_scope("read")
@describes("The slot maps that are wanted, as CSV", answer="text/csv")
def export_slot_maps() -> Response:
    """What ``import`` takes."""
    from remsim.remotesim.map_csv import csv_of

    name = f"remsim-slotmaps-{iso_utc(services().router.clock.now())[:10]}.csv"
    return Response(
        "".join(csv_of(keeper().wanted())),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@bp.post("/remote-sim/slotmaps/import")
@requires_scope("write")
@describes("Want the slot maps of a file, all or none; others stay", body=ImportForm, fails=(507,))
def import_slot_maps() -> dict[str, Any]:
    """With ``check`` what it would change and which lines are wrong."""
    from remsim.remotesim.map_csv import read_csv

    given = load_body(ImportForm())
    found = read_csv(given["csv"], keeper().wanted(), keeper().server_named)
    if not given["check"]:
        if found.wrong:
            line, message = found.wrong[0]
            raise InvalidInput(f"line {line}: {message}; nothing was taken", field="csv", code="wrong_lines")
        keeper().take(found.taken)
    return found.as_dict()


def asked_server() -> str | None:
    """The server that the address names."""
    name: str | None = load_query(ServerQuery()).get("server")
    return name


def keeper() -> Keeper:
    """Who keeps the slot maps."""
    return services().router.remote_sim.keeper
