"""``/api/v1/esim``: eUICCs in modems and readers, the profiles on them, and the jobs that change them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint
from marshmallow import ValidationError, validates_schema

from remsim.config.esim import HOST
from remsim.config.sims import APN, TOLD_APN
from remsim.core.errors import InvalidInput, NotFound
from remsim.core.forms import Flag, Form, Long, Text, Whole
from remsim.web.auth import actor, identity, not_audited, requires_scope
from remsim.web.config import TRUSTED
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import load_body

if TYPE_CHECKING:
    from remsim.core.jobs import Job
    from remsim.esim.work import Work

bp = Blueprint("esim", __name__)

LONGEST_CODE = 10_000
"""Longer than any, so that the reader of codes says itself what is wrong with one."""
LONGEST_NICKNAME = 64
LONGEST_PEM = 32_000
LONGEST_NUMBER = 10


def Code(**kwargs: Any) -> Long:
    """An activation code, or a link that has one."""
    return Long(LONGEST_CODE, metadata={"label": "Activation code", "secret": True}, **kwargs)


def Nickname(**kwargs: Any) -> Text:
    """What the card itself calls a profile; the card holds 64 octets."""
    return Text(0, LONGEST_NICKNAME, metadata={"label": "Nickname"}, **kwargs)


def Apn() -> Text:
    """The access point of a profile."""
    return Text(0, 100, pattern=APN, told=TOLD_APN, allow_none=True, metadata={"label": "APN"})


def Sure() -> Flag:
    """That it is meant."""
    return Flag(load_default=False, metadata={"label": "I am sure"})


class CodeForm(Form):
    """A code to be looked at."""

    code = Code(required=True)


class DownloadForm(Form):
    """A code, or the id of a kept one. ``consent``: the profile is agreed to whatever it is called."""

    code = Code(allow_none=True)
    code_id = Text(1, 64, allow_none=True, metadata={"label": "Kept code"})
    confirmation_code = Text(0, 64, allow_none=True, metadata={"label": "Confirmation code", "secret": True})
    nickname = Nickname(load_default="")
    enable = Flag(load_default=False, metadata={"label": "Enable it at once"})
    consent = Flag(load_default=False, metadata={"label": "Do not ask"})
    lab_ca = Long(LONGEST_PEM, allow_none=True, metadata={"label": "Root certificate of a laboratory, PEM"})
    apn = Apn()

    @validates_schema
    def fits_together(self, data: dict[str, Any], **kwargs: Any) -> None:
        """One of the two."""
        if bool(data.get("code")) == bool(data.get("code_id")):
            raise ValidationError("is needed, or the id of a kept one", "code")


class EnableForm(Form):
    """``return``: to the profile from before, where the network does not take this one in ``minutes``."""

    minutes = Whole(1, 60, allow_none=True, metadata={"label": "Wait for the network", "unit": "min"})
    back = Flag(load_default=True, data_key="return", metadata={"label": "Go back if it does not register"})
    apn = Apn()


class SureForm(Form):
    """What cuts, or cannot be undone."""

    sure = Sure()


class DeleteForm(Form):
    """The profile's name as the list has it, typed."""

    name = Text(0, 128, load_default="", metadata={"label": "Name of the profile"})


class NicknameForm(Form):
    """An empty one takes it away."""

    nickname = Nickname(required=True)


class AddressForm(Form):
    """An empty one takes it away."""

    address = Text(
        0, 253, pattern=HOST, told="is not a host's name", required=True, metadata={"label": "Default SM-DP+"}
    )


class ResetForm(Form):
    """What to clear, and the whole EID of the card, typed."""

    eid = Text(0, 40, required=True, metadata={"label": "EID"})
    operational = Flag(load_default=False, metadata={"label": "Profiles of operators"})
    test = Flag(load_default=False, metadata={"label": "Test profiles loaded later"})
    smdp = Flag(load_default=False, metadata={"label": "Default SM-DP+ address"})


@bp.get("/esim")
@requires_scope("read")
@describes("eUICCs as they were last read, their profiles, kept codes; no card is asked", fails=(507,))
def show_esim() -> dict[str, Any]:
    """Numbers of cards and codes are masked."""
    return services().router.esim.view()


@bp.post("/esim/parse")
@requires_scope("read")
@describes("What an activation code or a link says; 422 names the part that is wrong", body=CodeForm)
def parse_code() -> dict[str, Any]:
    """Nothing is asked, and nothing kept."""
    from remsim.esim.codes import code_view

    not_audited()
    return code_view(load_body(CodeForm())["code"])


@bp.post("/esim/<holder_id>/read")
@requires_scope("write")
@describes("Read a card: EID, memory, profiles, notifications", status=202, fails=(502, 507))
def read_card(holder_id: str) -> tuple[dict[str, Any], int]:
    """A card without an ISD-R is no eUICC."""
    return begun(work().read(holder_id, actor()))


@bp.post("/esim/<holder_id>/downloads")
@requires_scope("write")
@describes("Download a profile; the job asks for consent", body=DownloadForm, status=202, fails=(502, 507))
def download(holder_id: str) -> tuple[dict[str, Any], int]:
    """422 when the code is none, 409 while something else is done to the modem."""
    given = load_body(DownloadForm())
    is_trusted = identity().way in TRUSTED  # others may not reach through the router what they cannot reach themselves
    return begun(work().download(holder_id, given, actor(), may_be_local=is_trusted))


@bp.post("/esim/<holder_id>/discover")
@requires_scope("write")
@describes("Ask the discovery server what waits for this card, and keep that as codes", status=202, fails=(502, 507))
def discover(holder_id: str) -> tuple[dict[str, Any], int]:
    """Nothing that waits is no error."""
    return begun(work().discover(holder_id, actor()))


@bp.post("/esim/<holder_id>/profiles/<profile_id>/enable")
@requires_scope("write")
@describes("Switch to a profile, and back if it does not register", body=EnableForm, status=202, fails=(502, 507))
def enable_profile(holder_id: str, profile_id: str) -> tuple[dict[str, Any], int]:
    """The modem is without connection meanwhile."""
    given = load_body(EnableForm())
    return begun(
        work().enable(
            holder_id,
            profile_id,
            minutes=given.get("minutes"),
            is_returning=given["back"],
            apn=given.get("apn") or None,
            actor=actor(),
        )
    )


@bp.post("/esim/<holder_id>/profiles/<profile_id>/disable")
@requires_scope("write")
@describes("Disable a profile; the modem is without service then", body=SureForm, status=202, fails=(502, 507))
def disable_profile(holder_id: str, profile_id: str) -> tuple[dict[str, Any], int]:
    """422 unless it is said to be meant."""
    must_be_sure("the card has no enabled profile then, so the modem has no service, and some cannot reach their card")
    return begun(work().disable(holder_id, profile_id, actor()))


@bp.delete("/esim/<holder_id>/profiles/<profile_id>")
@requires_scope("write")
@describes("Delete a disabled profile for good", body=DeleteForm, status=202, fails=(502, 507))
def delete_profile(holder_id: str, profile_id: str) -> tuple[dict[str, Any], int]:
    """422 when the name is not the profile's."""
    return begun(work().delete(holder_id, profile_id, load_body(DeleteForm())["name"], actor()))


@bp.put("/esim/<holder_id>/profiles/<profile_id>")
@requires_scope("write")
@describes("Give a profile a nickname, on the card itself", body=NicknameForm, status=202, fails=(502, 507))
def rename_profile(holder_id: str, profile_id: str) -> tuple[dict[str, Any], int]:
    """At most 64 octets of UTF-8."""
    return begun(work().nickname(holder_id, profile_id, load_body(NicknameForm())["nickname"].strip(), actor()))


@bp.post("/esim/<holder_id>/notifications")
@requires_scope("write")
@describes("Tell operators what they have not been told yet", status=202, fails=(502, 507))
def send_notifications(holder_id: str) -> tuple[dict[str, Any], int]:
    """Also those that wait for their next try."""
    return begun(work().tell(holder_id, actor()))


@bp.delete("/esim/<holder_id>/notifications/<notification_id>")
@requires_scope("write")
@describes("Give a notification up: the operator does not learn of it", body=SureForm, status=202, fails=(502, 507))
def remove_notification(holder_id: str, notification_id: str) -> tuple[dict[str, Any], int]:
    """By its number; 422 unless it is said to be meant."""
    if not (notification_id.isascii() and notification_id.isdecimal() and len(notification_id) <= LONGEST_NUMBER):
        raise NotFound("the number of a notification is meant", field="notification")
    must_be_sure("the operator does not learn of it, and may not give the profile out again")
    return begun(work().forget(holder_id, int(notification_id), actor()))


@bp.put("/esim/<holder_id>/default-smdp")
@requires_scope("write")
@describes("Set the card's default SM-DP+ address", body=AddressForm, status=202, fails=(502, 507))
def set_default_smdp(holder_id: str) -> tuple[dict[str, Any], int]:
    """Of downloads without a code."""
    return begun(work().default_smdp(holder_id, load_body(AddressForm())["address"], actor()))


@bp.post("/esim/<holder_id>/memory-reset")
@requires_scope("write")
@describes("Delete all profiles of a kind from a card, for good", body=ResetForm, status=202, fails=(502, 507))
def reset_memory(holder_id: str) -> tuple[dict[str, Any], int]:
    """422 when the EID is not the card's."""
    given = load_body(ResetForm())
    what = frozenset(name for name in ("operational", "test", "smdp") if given[name])
    return begun(work().reset(holder_id, given["eid"].replace(" ", ""), what, actor()))


def must_be_sure(consequence: str) -> None:
    """422 with the consequence unless the body says so."""
    if not load_body(SureForm())["sure"]:
        raise InvalidInput(f"{consequence}; say that you are sure", field="sure", code="not_sure")


def begun(job: Job) -> tuple[dict[str, Any], int]:
    """The answer of what became a job."""
    return job.as_dict(), 202


def work() -> Work:
    """What begins the jobs."""
    return services().router.esim.parts.work
