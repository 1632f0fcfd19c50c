"""The jobs of SGP.32 on a card: look at its eIMs, add the first one, do what an eIM has waiting."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from remsim.core.clock import iso_utc
from remsim.core.errors import Aborted, Conflict, RemsimError
from remsim.core.jobs import Job
from remsim.core.tlv import TlvError
from remsim.esim.holder import Holder
from remsim.esim.iot.eims import Eim, add_request, check_added, read_eims
from remsim.esim.iot.ipa import Ipa
from remsim.esim.refusals import trouble
from remsim.esim.room import Room

if TYPE_CHECKING:
    from remsim.esim.engine import Engine
    from remsim.esim.work import Work

log = logging.getLogger(__name__)

KIND = "iot"
UNSUPPORTED = (
    "CoAP and DTLS to the eIM",
    "the JSON binding of ESipa",
    "packages that an eIM injects",
    "downloads that go through the eIM",
    "discovery servers named by an eIM",
    "fallback and emergency profiles",
    "an IPA in the card (IPAe)",
    "running an eIM",
)
"""Said by name, so that nobody looks for it."""


class IotWork:
    """Begins jobs; ``Conflict`` when something else is done to the card."""

    def __init__(self, room: Room, work: Work) -> None:
        self._room = room
        self._work = work

    def view(self, holder_id: str) -> dict[str, Any]:
        """What was last read; no card is asked."""
        self._room.holder(holder_id)
        known = self._room.store.get(KIND, holder_id) or {}
        return {
            "holder": holder_id,
            "read_at": known.get("read_at"),
            "is_iot": known.get("is_iot"),
            "version": known.get("version"),
            "ipa_mode": known.get("ipa_mode"),
            "has_certificates": known.get("has_certificates"),
            "eims": known.get("eims") or [],
            "last_poll": known.get("last_poll"),
            "unsupported": list(UNSUPPORTED),
        }

    def read(self, holder_id: str, actor: str | None) -> Job:
        """What the card tells of SGP.32."""

        def work(job: Job, holder: Holder) -> dict[str, Any]:
            job.report(None, "opening the card")
            with self._room.engine(holder) as engine:
                self._read(holder, engine)
            return self.view(holder.id)

        return self._room.begin("esim-iot", holder_id, "reading what the card tells of SGP.32", work, actor=actor)

    def add(self, holder_id: str, blob: str, actor: str | None) -> Job:
        """Make an eIM known to a card that has none."""
        request = add_request(blob)

        def work(job: Job, holder: Holder) -> dict[str, Any]:
            job.report(None, "opening the card")
            with self._room.engine(holder) as engine:
                self._check_iot(engine)
                answer = engine.euicc.call(request, timeout_s=60.0)
                try:
                    check_added(answer)
                except TlvError as error:
                    raise trouble("euicc_reply", why=error.message) from error
                found = self._read(holder, engine)
                self._room.cards.read(holder.id, engine, self._room.clock.now())
            names = ", ".join(one.id for one in found)
            text = f"{holder.id}: the card is managed by {names} from now on (by {actor or 'the service'})"
            self._room.tell("control", holder.id, text, "warning")
            return self.view(holder.id)

        return self._room.begin("esim-iot", holder_id, "adding an eIM to the card", work, actor=actor)

    def poll(self, holder_id: str, actor: str | None) -> Job:
        """Do what each eIM of the card has waiting."""

        def work(job: Job, holder: Holder) -> dict[str, Any]:
            job.report(None, "opening the card")
            with self._room.engine(holder) as engine:
                self._check_iot(engine)
                found = self._read(holder, engine)
                before = (self._room.store.get(KIND, holder_id) or {}).get("profiles")
                is_changed = before not in (None, states_of(engine))
            if not found:
                hint = "add one first"
                raise Conflict("the card has no eIM", code="no_eim", field="holder", hint=hint)
            done: list[dict[str, Any]] = []
            failed = None
            for eim in found:
                ipa = Ipa(self._room, self._work, holder, eim, job, is_changed=is_changed)
                try:
                    ipa.run()
                except Aborted:
                    raise
                except RemsimError as error:  # the next one may be well
                    log.warning("%s: its eIM %s: %s", holder.id, eim.id, error.message)
                    failed = failed or error
                done += ipa.done
            with self._room.engine(holder) as engine:
                at = iso_utc(self._room.clock.now())
                self._read(holder, engine, {"last_poll": {"at": at, "done": done}, "profiles": states_of(engine)})
                self._work.telling.tell(engine, job, holder.id)
                self._room.cards.read(holder.id, engine, self._room.clock.now())
            if failed is not None:
                raise failed
            return self.view(holder.id)

        return self._room.begin("esim-iot", holder_id, "asking the card's eIM", work, actor=actor)

    def _check_iot(self, engine: Engine) -> None:
        if engine.euicc.eim_configuration() is None:
            text = "this card is not made for SGP.32: it knows no eIM"
            raise Conflict(text, code="not_iot", field="holder", hint="its profiles are managed here")

    def _read(self, holder: Holder, engine: Engine, polled: Mapping[str, Any] | None = None) -> list[Eim]:
        """Read it, and keep it for the page; what the last poll left is kept until the next one."""
        euicc = engine.euicc
        raw, info = euicc.eim_configuration(), euicc.info2()
        try:
            found = [] if raw is None else read_eims(raw)
        except TlvError as error:
            raise trouble("euicc_reply", why=error.message) from error
        known = self._room.store.get(KIND, holder.id) or {}
        self._room.store.put(
            KIND,
            holder.id,
            {
                "read_at": iso_utc(self._room.clock.now()),
                "is_iot": raw is not None or info.iot_version is not None,
                "version": info.iot_version,
                "ipa_mode": info.ipa_mode,
                "has_certificates": euicc.certs() is not None,
                "eims": [one.as_dict() for one in found],
                **(polled or {one: known.get(one) for one in ("last_poll", "profiles")}),
            },
        )
        return found


def states_of(engine: Engine) -> str:
    """What an eIM knows of a card's profiles, as a sum: whether somebody else changed them since is all that counts."""
    states = sorted(f"{one.iccid} {one.state}" for one in engine.euicc.profiles(icons=False))
    return sha256("\n".join(states).encode()).hexdigest()[:16]
