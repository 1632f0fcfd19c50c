"""A download as a job: what is looked at before, the consent that is asked for, and what follows when it is loaded."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from remsim.core.errors import Aborted, RemsimError
from remsim.core.jobs import Job
from remsim.core.masking import mask
from remsim.core.small_dataclass import dataclass
from remsim.esim.activation import Activation
from remsim.esim.cards import icon_of, name_of, owner_of, shown
from remsim.esim.checks import check_clock, reach
from remsim.esim.codes import Codes
from remsim.esim.download import LOADING, Consent, Installed, Metadata
from remsim.esim.plans import keep_access_point
from remsim.esim.room import Room
from remsim.esim.telling import Telling

if TYPE_CHECKING:
    from remsim.esim.engine import Engine
    from remsim.esim.holder import Holder

log = logging.getLogger(__name__)

CONSENT_S = 600.0
USUAL_BYTES = 60_000
"""What a profile takes of a card, as a rule: below, it may not fit."""
LONGEST_CONFIRMATION = 64
LEAST_PROGRESS = 0.01
BY_CHOICE = ("declined", "consent_timeout")
"""Ends after which the activation code is as good as before."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants downloaded. ``is_agreed``: whatever it is called."""

    activation: Activation
    actor: str
    confirmation_code: str | None = field(default=None, repr=False)
    nickname: str = ""
    is_agreed: bool = False
    lab_ca: str | None = None
    may_be_local: bool = True
    """Whether ``lab_ca`` lets the server be in the router's own network."""
    apn: str | None = None
    source: str = "code"
    """Where the code came from, as the inventory tells it."""
    on_offer: Callable[[Metadata], None] | None = None
    """Called when the server says which profile it is, before the code is used up."""
    on_installed: Callable[[Engine, Installed], None] | None = None
    """Called before the operator is told, after which the card has forgotten the result."""


class Downloading:
    """Downloads one profile to one card."""

    def __init__(self, room: Room, codes: Codes, telling: Telling) -> None:
        self._room = room
        self._codes = codes
        self._telling = telling

    def run(self, job: Job, holder: Holder, wish: Wish) -> dict[str, Any]:
        """The job's result; an error when there is no new profile on the card."""
        room, address = self._room, wish.activation.smdp_address
        is_open = False
        try:
            notes = self._look_before(job, holder, wish)
            if wish.lab_ca is not None:
                log.warning("%s: for %s a root certificate given by %s is trusted", holder.id, address, wish.actor)
            job.report(None, "opening the card")
            with room.engine(holder, lab_ca=wish.lab_ca, may_be_local=wish.may_be_local) as engine:
                is_open = True
                installed = self._load(engine, job, holder, wish)
                if wish.on_installed is not None:
                    wish.on_installed(engine, installed)
                profile_id, name = room.cards.id_of(installed.profile), name_of(installed.profile)
                self._codes.used(wish.activation, holder.id)
                room.came(installed.profile.iccid, wish.activation, wish.source)
                text = f"{holder.id}: {name} was downloaded from {address}"
                room.tell("esim_download", holder.id, text, data={"sim": profile_id, "actor": wish.actor})
                left = self._telling.finish(engine, job, holder.id)
        except Aborted:
            raise
        except RemsimError as error:
            if job.is_abort_wanted:
                raise job.aborted() from error
            is_chosen = error.code in BY_CHOICE
            if not is_chosen:
                self._codes.failed(wish.activation, error)
            text = f"{holder.id}: no profile came from {address}: {error.message}"
            severity = "info" if is_chosen else "error"
            room.tell("esim_download", holder.id, text, severity, {"code": error.code, "actor": wish.actor})
            if is_open:
                self._look_after(job, holder)
            raise
        if wish.apn:
            try:
                keep_access_point(profile_id, wish.apn, name, room.config, wish.actor)
            except RemsimError as error:
                notes.append(f"the access point was not written down: {error.message}")
        return {
            "profile": profile_id,
            "name": name,
            "iccid": mask(installed.profile.iccid),
            "enabled": False,
            "notifications_waiting": left,
            "notes": notes,
        }

    def _look_before(self, job: Job, holder: Holder, wish: Wish) -> list[str]:
        """What must be so, and what somebody should know, in sentences."""
        room = self._room
        job.report(None, "checking the way to the server", can_abort=True)
        check_clock(room.clock.now())
        trust = room.trust(wish.lab_ca, may_be_local=wish.may_be_local)
        way = reach(wish.activation.smdp_address, room.hosts, is_lab=trust.is_lab)
        if way.interface is not None and way.interface == holder.interface:
            return [
                f"the server is reached through {holder.id} itself ({way.interface}): a download does not cut it, "
                "but switching to the new profile does until it is registered"
            ]
        return []

    def _load(self, engine: Engine, job: Job, holder: Holder, wish: Wish) -> Any:
        """From the first word to the server to a profile on the card."""
        room = self._room
        asked = Asking(room, job, wish, free_bytes=engine.euicc.info2().free_bytes)

        with contextlib.ExitStack() as held:
            is_loading = False

            def progress(step: str, fraction: float | None) -> None:
                nonlocal is_loading
                if step == LOADING and not is_loading:
                    is_loading = True
                    room.cards.begin_change(holder.id)
                    held.enter_context(room.loading(holder))
                    job.report(fraction, step, can_abort=False)
                elif step != job.step or fraction is None or fraction - (job.progress or 0.0) >= LEAST_PROGRESS:
                    job.report(fraction, step)  # not each of hundreds of blocks: all who watch are told

            return engine.download(
                wish.activation,
                confirmation_code=wish.confirmation_code,
                consent=asked.consent,
                progress=progress,
                is_aborted=lambda: job.is_abort_wanted,
                nickname=wish.nickname or None,
            )

    def _look_after(self, job: Job, holder: Holder) -> None:
        """Read the card anew after a failure: what it has is not what is guessed. Failed loads have to be told, too."""
        with contextlib.suppress(RemsimError), self._room.engine(holder) as engine:
            self._telling.tell(engine, job, holder.id)
            self._room.cards.read(holder.id, engine, self._room.clock.now())


class Asking:
    """Asks somebody whether the profile is wanted, and for its confirmation code."""

    def __init__(self, room: Room, job: Job, wish: Wish, *, free_bytes: int | None) -> None:
        self._room = room
        self._job = job
        self._wish = wish
        self._free_bytes = free_bytes

    def consent(self, metadata: Metadata, needs_code: bool, wrong_code: bool) -> Consent | None:
        """What somebody answers; None when nobody does in time."""
        wish = self._wish
        if wish.on_offer is not None:
            wish.on_offer(metadata)
        if wish.is_agreed and not wrong_code and (wish.confirmation_code or not needs_code):
            return Consent(accept=True, confirmation_code=wish.confirmation_code)
        needs_answer = needs_code and (wrong_code or not wish.confirmation_code)
        question = {
            "kind": "esim-consent",
            "profile": metadata_view(metadata),
            "confirmation_code_required": needs_answer,
            "memory": {"free_bytes": self._free_bytes, "is_short": self._is_short()},
            "wrong_code": wrong_code,
        }
        deadline = self._room.clock.now() + CONSENT_S
        while True:
            self._job.report(None, "waiting for your consent")
            now = self._room.clock.now()
            answer = self._job.ask(question, now, max(deadline - now, 0.0))
            if answer is None:
                if self._job.is_abort_wanted:
                    return Consent(accept=False)
                return None
            found = read_answer(answer, needs_code=needs_answer)
            if found is not None:
                code = found.confirmation_code or wish.confirmation_code
                return Consent(accept=found.accept, confirmation_code=code)
            question = question | {"unreadable": True}

    def _is_short(self) -> bool:
        return self._free_bytes is not None and self._free_bytes < USUAL_BYTES


def read_answer(answer: Mapping[str, Any], *, needs_code: bool) -> Consent | None:
    """What somebody said; None when it makes no sense, so that it is asked again."""
    accept, code = answer.get("accept"), answer.get("confirmation_code")
    if accept in (False, "0", "false"):
        return Consent(accept=False)
    if accept not in (True, "1", "true"):
        return None
    if isinstance(code, str) and 1 <= len(code.strip()) <= LONGEST_CONFIRMATION:
        return Consent(accept=True, confirmation_code=code.strip())
    return None if needs_code else Consent(accept=True)


def metadata_view(metadata: Metadata) -> dict[str, Any]:
    """What a person sees of a profile before it is agreed to."""
    return {
        "name": shown(metadata.name) or shown(metadata.provider) or "a profile without a name",
        "provider": shown(metadata.provider),
        "profile_name": shown(metadata.name),
        "class": metadata.profile_class,
        "iccid": mask(metadata.iccid),
        "icon": icon_of(metadata.icon, metadata.icon_type),
        "owner": owner_of(metadata.owner),
        "policy": sorted(metadata.policy),
    }

