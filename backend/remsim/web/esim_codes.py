"""``/api/v1/esim/codes``, ``…/backup``, ``…/restore``: codes kept for later, and what is written about profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, json, request
from marshmallow import fields as ma

from remsim.core.clock import iso_utc
from remsim.core.forms import Form, Text
from remsim.web.auth import actor, identity, requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.errors import Forbidden
from remsim.web.esim import Code, begun
from remsim.web.fields import Name, load_body

if TYPE_CHECKING:
    from remsim.esim.codes import Codes

bp = Blueprint("esim_codes", __name__)

LARGEST_BACKUP = 512 * 1024
"""Of many cards, with all codes that are kept."""


class KeepForm(Form):
    """A code for later; ``holder`` is the modem or reader it is meant for."""

    code = Code(required=True)
    label = Text(0, 64, load_default="", metadata={"label": "Label"})
    holder = Name(allow_none=True, load_default=None, metadata={"label": "For"})


def Passphrase() -> Text:
    """What codes are encrypted with."""
    return Text(8, 128, allow_none=True, metadata={"label": "Passphrase", "secret": True})


class BackupForm(Form):
    """Without a passphrase no codes are in the file."""

    passphrase = Passphrase()


class Backup(ma.Raw):
    """A file of ours, checked by who reads it."""

    json = {"type": "object"}


class RestoreForm(Form):
    """A file that was made here, and the passphrase of its codes."""

    backup = Backup(required=True)
    passphrase = Passphrase()


@bp.get("/esim/codes")
@requires_scope("read")
@describes("Codes that are kept for later; of each only what identifies it", fails=(507,))
def list_codes() -> dict[str, Any]:
    """Newest first."""
    return {"codes": codes().views()}


@bp.post("/esim/codes")
@requires_scope("write")
@describes("Keep an activation code for later", body=KeepForm, status=201, fails=(507,))
def keep_code() -> tuple[dict[str, Any], int]:
    """409 when it is kept already."""
    given = load_body(KeepForm())
    return codes().add(given["code"], label=given["label"].strip(), holder=given["holder"]), 201


@bp.get("/esim/codes/<code_id>")
@requires_scope("write")
@describes("A kept code, whole, to be handed on or shown as a QR code", fails=(507,))
def show_code(code_id: str) -> dict[str, Any]:
    """409 for a used one: nothing is left to show."""
    g.audit = {"what": f"code {code_id[:40]} shown"}
    return codes().whole(code_id)


@bp.delete("/esim/codes/<code_id>")
@requires_scope("write")
@describes("Keep a code no longer", fails=(507,))
def drop_code(code_id: str) -> dict[str, Any]:
    """It is not used by this."""
    codes().drop(code_id)
    return {"id": code_id, "removed": True}


@bp.post("/esim/backup")
@requires_scope("write")
@describes("What is written about profiles, as a file; codes in it are encrypted", body=BackupForm, fails=(507,))
def make_backup() -> Response:
    """A profile itself cannot leave its card; numbers of cards are in full, so that it can be put back."""
    if not identity().may("identifiers"):
        text = "a backup has numbers of cards in full: it is for those only who may see identifiers so"
        raise Forbidden(text, code="no_identifiers")
    made = services().router.esim.parts.backup.make(load_body(BackupForm()).get("passphrase"))
    name = f"remsim-esim-{iso_utc(services().router.clock.now())[:10]}.json"
    return Response(
        json.dumps(made, indent=1),
        mimetype="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@bp.post("/esim/restore")
@requires_scope("write")
@describes("Put nicknames, plans, rules and codes of a backup back", body=RestoreForm, status=202, fails=(507,))
def restore_backup() -> tuple[dict[str, Any], int]:
    """The job's result says what was put back, and why the rest was not."""
    request.max_content_length = LARGEST_BACKUP
    given = load_body(RestoreForm())
    return begun(services().router.esim.parts.backup.restore(given["backup"], given.get("passphrase"), actor()))


def codes() -> Codes:
    """The kept ones."""
    return services().router.esim.parts.codes
