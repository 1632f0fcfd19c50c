"""The jobs on eUICCs: read, download, switch, name, delete, tell. One a card at a time."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from remsim.core.errors import Aborted, Conflict, InvalidInput, NotFound, RemsimError
from remsim.core.jobs import Job
from remsim.esim.cards import Card, name_of
from remsim.esim.codes import Codes
from remsim.esim.errors import EsimError
from remsim.esim.es10.requests import LONGEST_NICKNAME
from remsim.esim.plans import access_point_of
from remsim.esim.room import Room, check_octets
from remsim.esim.store import SWITCH
from remsim.esim.switching import Switching
from remsim.esim.telling import Telling

if TYPE_CHECKING:
    from remsim.core.card import AccessPoint
    from remsim.esim.engine import Engine
    from remsim.esim.es10.profiles import Profile
    from remsim.esim.holder import Holder

log = logging.getLogger(__name__)

RESUME_S = 120.0
"""After the start a modem is there within that time, or the switch waits for the next start."""
LOOK_S = 1.0


class Work:
    """Begins jobs; each method answers with the job, or ``Conflict`` with what goes on."""

    def __init__(self, room: Room, codes: Codes, telling: Telling) -> None:
        self.room = room
        self.codes = codes
        self.telling = telling
        self.switching = Switching(room)

    def resume(self) -> None:
        """Take up switches that were cut short, each in a job of its own once its modem is there."""
        for holder_id in self.room.store.all(SWITCH):
            title = "taking up a switch that was cut short"
            self.room.jobs.start("esim-switch", self._resumer(holder_id), source=holder_id, title=title)

    def read(self, holder_id: str, actor: str | None) -> Job:
        """Read all of a card."""

        def work(job: Job, holder: Holder) -> dict[str, Any]:
            job.report(None, "opening the card")
            with self._noted(holder), self.room.engine(holder) as engine:
                job.report(None, "reading the card")
                card = self._read(holder, engine)
            return {"profiles": len(card["profiles"]), "notifications_waiting": len(card["notifications"])}

        return self.room.begin("esim-read", holder_id, "reading the eUICC", work, actor=actor)

    def download(
        self, holder_id: str, given: Mapping[str, Any], actor: str | None, *, may_be_local: bool = True
    ) -> Job:
        """Download a profile, and switch to it where that is wanted; ``may_be_local`` as ``Wish`` has it."""
        from remsim.esim.activation import parse
        from remsim.esim.downloading import Downloading, Wish
        from remsim.esim.trust import check_pem

        code_id = given.get("code_id")
        activation = self.codes.activation(code_id) if code_id else parse(given["code"])
        check_octets(given.get("nickname", ""), LONGEST_NICKNAME, "nickname")
        if given.get("lab_ca"):
            check_pem(given["lab_ca"])
        wish = Wish(
            activation,
            confirmation_code=given.get("confirmation_code") or None,
            nickname=given.get("nickname", "").strip(),
            is_agreed=given.get("consent", False),
            lab_ca=given.get("lab_ca") or None,
            may_be_local=may_be_local,
            apn=given.get("apn") or None,
            actor=actor or "the service",
        )
        downloading = Downloading(self.room, self.codes, self.telling)

        def work(job: Job, holder: Holder) -> dict[str, Any]:
            with self._noted(holder):
                result = downloading.run(job, holder, wish)
            if given.get("enable"):
                job.result = result  # whatever comes of the switch, the profile is there
                result = result | self._switch_to_new(job, holder, str(result["profile"]), wish.apn)
            return result

        title = f"downloading a profile from {activation.smdp_address}"
        return self.room.begin("esim-download", holder_id, title, work, actor=actor)

    def discover(self, holder_id: str, actor: str | None) -> Job:
        """Ask what waits for a card."""
        from remsim.esim.checks import check_clock
        from remsim.esim.codes import code_of, masked_token

        def work(job: Job, holder: Holder) -> dict[str, Any]:
            check_clock(self.room.clock.now())
            job.report(None, "opening the card")
            with self.room.engine(holder) as engine:
                job.report(None, "asking the discovery server")
                found = engine.discover(self.room.settings.esim.smds or None)
            entries = []
            for one in found:
                code_id = self.codes.found(code_of(one.smdp_address, one.event_id), "found by discovery", holder.id)
                event_id = masked_token(one.event_id)
                entries.append({"smdp_address": one.smdp_address, "event_id": event_id, "code_id": code_id})
            return {"entries": entries}

        return self.room.begin("esim-discover", holder_id, "asking what waits for this card", work, actor=actor)

    def enable(
        self,
        holder_id: str,
        profile_id: str,
        *,
        minutes: int | None = None,
        is_returning: bool = True,
        apn: str | None = None,
        actor: str | None,
    ) -> Job:
        """Switch to a profile."""
        name = self.room.cards.profile(holder_id, profile_id)["name"]

        def work(job: Job, holder: Holder) -> dict[str, Any]:
            with self._noted(holder):
                return self._switch(job, holder, profile_id, minutes, is_returning=is_returning, apn=apn)

        return self.room.begin("esim-switch", holder_id, f"switching to {name}", work, actor=actor)

    def disable(self, holder_id: str, profile_id: str, actor: str | None) -> Job:
        """Disable the enabled profile; whoever asks is sure."""
        name = self.room.cards.profile(holder_id, profile_id)["name"]

        def work(job: Job, holder: Holder) -> dict[str, Any]:
            job.report(None, "opening the card")
            with self._noted(holder):
                with self.room.engine(holder) as engine:
                    profile = self._found(engine, profile_id)
                    if profile.state != "enabled":
                        raise Conflict(f"{name_of(profile)} is not enabled", code="profile_disabled", field="profile")
                    self.room.cards.begin_change(holder.id)
                    job.report(None, "disabling the profile")
                    engine.euicc.disable(profile)
                if holder.kind == "modem":
                    with contextlib.suppress(RemsimError):  # it notices, later
                        holder.refresh(job, hard=False)
                self._tell_and_read(job, holder)
            text = f"{holder.id}: {name_of(profile)} was disabled by {actor or 'the service'}"
            self.room.tell("esim_switch", holder.id, text, "warning", {"from": profile_id, "to": None})
            return {"profile": profile_id, "name": name_of(profile), "enabled": False}

        return self.room.begin("esim-switch", holder_id, f"disabling {name}", work, actor=actor)

    def delete(self, holder_id: str, profile_id: str, typed: str, actor: str | None) -> Job:
        """Delete a disabled profile; its operator is told."""
        known = self.room.cards.profile(holder_id, profile_id)
        if typed.strip() != known["name"].strip():
            text = f"type the profile's name, {known['name']}, to delete it for good"
            raise InvalidInput(text, field="name", code="name_differs")
        if known["state"] == "enabled":
            hint = "switch to another profile first"
            raise Conflict(f"{known['name']} is enabled", code="profile_enabled", field="profile", hint=hint)

        def work(job: Job, holder: Holder) -> dict[str, Any]:
            job.report(None, "opening the card")
            with self._noted(holder), self.room.engine(holder) as engine:
                profile = self._found(engine, profile_id)
                if "cannot_delete" in profile.policy:
                    text = f"{name_of(profile)} may not be deleted: its operator does not allow it"
                    raise Conflict(text, code="profile_policy", field="profile")
                self.room.cards.begin_change(holder.id)
                job.report(None, "deleting the profile")
                engine.euicc.delete(profile)
                left = self.telling.finish(engine, job, holder.id)
            text = f"{holder.id}: {name_of(profile)} was deleted by {actor or 'the service'}"
            waits = "" if left == 0 else " (its operator has not been told yet)"
            self.room.tell("esim_delete", holder.id, text + waits, "warning", {"sim": profile_id})
            return {"profile": profile_id, "name": name_of(profile), "notifications_waiting": left}

        return self.room.begin("esim-delete", holder_id, f"deleting {known['name']}", work, actor=actor)

    def nickname(self, holder_id: str, profile_id: str, nickname: str, actor: str | None) -> Job:
        """Set or take away what a card calls a profile."""
        check_octets(nickname, LONGEST_NICKNAME, "nickname")
        name = self.room.cards.profile(holder_id, profile_id)["name"]

        def work(job: Job, holder: Holder) -> dict[str, Any]:
            job.report(None, "opening the card")
            with self._noted(holder), self.room.engine(holder) as engine:
                engine.euicc.set_nickname(self._found(engine, profile_id), nickname)
                self._read(holder, engine)
            return {"profile": profile_id, "nickname": nickname or None}

        return self.room.begin("esim-nickname", holder_id, f"naming {name}", work, actor=actor)

    def tell(self, holder_id: str, actor: str | None) -> Job:
        """Tell operators what waits, now."""
        return self.telling.begin(holder_id, actor=actor)

    def forget(self, holder_id: str, seq: int, actor: str | None) -> Job:
        """Remove a notification that was not sent; whoever asks is sure."""

        def work(job: Job, holder: Holder) -> dict[str, Any]:
            job.report(None, "opening the card")
            with self._noted(holder), self.room.engine(holder) as engine:
                self.telling.give_up(engine, holder.id, seq)
                self._read(holder, engine)
            return {"seq": seq, "removed": True}

        return self.room.begin("esim-notifications", holder_id, f"removing notification {seq}", work, actor=actor)

    def default_smdp(self, holder_id: str, address: str, actor: str | None) -> Job:
        """Set or take away the card's default server."""

        def work(job: Job, holder: Holder) -> dict[str, Any]:
            job.report(None, "opening the card")
            with self._noted(holder), self.room.engine(holder) as engine:
                engine.euicc.set_default_address(address)
                self._read(holder, engine)
            return {"default_smdp": address or None}

        return self.room.begin("esim-default-smdp", holder_id, "setting the default SM-DP+", work, actor=actor)

    def reset(self, holder_id: str, typed_eid: str, what: frozenset[str], actor: str | None) -> Job:
        """Clear a card of what is named; the EID is typed and compared with the card's own, read now."""
        if not what:
            raise InvalidInput("say what to clear: operational, test or smdp", field="operational")
        known = self.room.cards.of(holder_id)
        if known is not None and known["eid"] is not None and known["eid"] != typed_eid:
            raise wrong_eid()

        def work(job: Job, holder: Holder) -> dict[str, Any]:
            job.report(None, "opening the card")
            with self._noted(holder), self.room.engine(holder) as engine:
                if engine.euicc.eid() != typed_eid:
                    raise wrong_eid()
                self.room.cards.begin_change(holder.id)
                job.report(None, "clearing the card")
                is_done = engine.euicc.reset_memory(**{one: one in what for one in ("operational", "test", "smdp")})
                left = self.telling.finish(engine, job, holder.id)
            if holder.kind == "modem":
                with contextlib.suppress(RemsimError):  # it notices, later
                    holder.refresh(job, hard=False)
            text = f"{holder.id}: its eUICC was cleared of {', '.join(sorted(what))} by {actor or 'the service'}"
            self.room.tell("esim_delete", holder.id, text, "warning")
            return {"cleared": sorted(what) if is_done else [], "notifications_waiting": left}

        return self.room.begin("esim-reset", holder_id, "clearing the eUICC", work, actor=actor)

    def _switch_to_new(self, job: Job, holder: Holder, profile_id: str, apn: str | None) -> dict[str, Any]:
        """Switch to what was just downloaded."""
        try:
            return self._switch(job, holder, profile_id, None, is_returning=True, apn=apn)
        except Aborted:
            raise
        except RemsimError as error:
            text = f"the profile was downloaded and stays on the card; {error.message}"
            raise EsimError(text, code=error.code, hint=error.hint) from error

    def _switch(
        self,
        job: Job,
        holder: Holder,
        profile_id: str,
        minutes: int | None,
        *,
        is_returning: bool,
        apn: str | None,
    ) -> dict[str, Any]:
        """Switch, then tell operators; also after a switch that failed, which enabled and disabled, too."""
        wanted: AccessPoint | None = access_point_of(profile_id, self.room.settings)
        if apn:
            from remsim.core.card import AccessPoint

            wanted = wanted if wanted is not None and wanted.apn == apn else AccessPoint(apn)
        try:
            result = self.switching.switch(
                job,
                holder,
                profile_id,
                within_s=60.0 * (minutes or self.room.settings.esim.register_minutes),
                is_returning=is_returning,
                access_point=wanted,
            )
        except RemsimError:
            if not job.is_stopping:
                self._tell_and_read(job, holder)
            raise
        return result | {"notifications_waiting": self._tell_and_read(job, holder)}

    def _tell_and_read(self, job: Job, holder: Holder) -> int | None:
        """Open the card to tell operators what was done, and read it anew; see ``Telling.finish``."""
        try:
            with self.room.engine(holder) as engine:
                return self.telling.finish(engine, job, holder.id)
        except RemsimError as error:
            log.warning("%s: the change is done, but its card cannot be opened: %s", holder.id, error.message)
            return None

    def _found(self, engine: Engine, profile_id: str) -> Profile:
        """A profile as it is on the card now."""
        for name, one in self.room.cards.profiles_now(engine.euicc):
            if name == profile_id:
                return one
        raise NotFound("the card has no such profile any more", field="profile", hint="read the card anew")

    def _read(self, holder: Holder, engine: Engine) -> Card:
        return self.room.cards.read(holder.id, engine, self.room.clock.now())

    @contextlib.contextmanager
    def _noted(self, holder: Holder) -> Iterator[None]:
        """A card that turns out to be no eUICC, or out of reach, is shown as such."""
        try:
            yield
        except EsimError:
            raise
        except (Conflict, InvalidInput, NotFound):
            raise
        except RemsimError as error:
            if error.code not in ("aborted", "stopping"):
                self.room.cards.failed(holder.id, error)
            raise

    def _resumer(self, holder_id: str) -> Callable[[Job], Any]:
        def work(job: Job) -> Any:
            job.report(None, "waiting for the modem")
            with contextlib.ExitStack() as held:
                holder = self._free(job, holder_id, held)
                self.room.note_job(holder_id, job)
                try:
                    return self.switching.resume(job, holder)
                finally:
                    if not job.is_stopping:
                        self._tell_and_read(job, holder)

        return work

    def _free(self, job: Job, holder_id: str, held: contextlib.ExitStack) -> Holder:
        """The holder, once it is there and reserved for us; ``Conflict`` when that takes too long."""
        deadline = self.room.clock.monotonic() + RESUME_S
        while True:
            try:
                holder = self.room.holder(holder_id)
                if (why := holder.why_not()) is not None:
                    raise Conflict(why, code="card_away")
                held.enter_context(holder.reserved(job.title or job.kind))
                return holder
            except (Conflict, NotFound):
                if job.is_stopping:
                    raise job.aborted() from None
                if self.room.clock.monotonic() >= deadline:
                    raise
            job.sleep(LOOK_S)


def wrong_eid() -> InvalidInput:
    """What guards a reset."""
    hint = "it is printed on the card or the modem; `remsim esim read` shows its end"
    return InvalidInput("this is not the EID of this card", field="eid", code="eid_differs", hint=hint)

