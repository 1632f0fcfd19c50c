"""What is written about profiles, as a file and back. A profile itself cannot leave its eUICC, nor be copied."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError

from remsim.core.clock import iso_utc
from remsim.core.errors import Conflict, InvalidInput, RemsimError
from remsim.core.jobs import Job
from remsim.esim.codes import Codes
from remsim.esim.es10.requests import LONGEST_NICKNAME
from remsim.esim.room import Room

if TYPE_CHECKING:
    from remsim.esim.es10.profiles import Profile

FORMAT, VERSION = "remsim-esim-backup", 1
SAID = "Profiles cannot leave their eUICC: this file has what is written about them, not the profiles."
PROFILE_KEYS = (
    "id", "iccid", "aid", "name", "nickname", "provider", "profile_name", "state", "class", "owner", "policy",
)  # fmt: skip
SECTIONS = ("sim", "esim_rule")
"""Types of sections that belong to profiles: their plans, and the rules that switch between them."""
MOST_CARDS, MOST_PROFILES, MOST_SECTIONS = 64, 64, 256


class Backup:
    """Makes such files, and reads them."""

    def __init__(self, room: Room, codes: Codes) -> None:
        self._room = room
        self._codes = codes

    def make(self, passphrase: str | None) -> dict[str, Any]:
        """The file's content; without a passphrase no codes are in it."""
        pending = self._codes.pending()
        sealed = None
        if passphrase and pending:
            from remsim.esim.sealed import seal

            sealed = seal(json.dumps(pending), passphrase)
        return {
            "format": FORMAT,
            "version": VERSION,
            "made_at": iso_utc(self._room.clock.now()),
            "about": SAID,
            "cards": [
                {
                    "holder": holder_id,
                    "eid": card["eid"],
                    "read_at": None if card["read_at"] is None else iso_utc(card["read_at"]),
                    "profiles": [{key: one[key] for key in PROFILE_KEYS} for one in card["profiles"]],
                }
                for holder_id, card in self._room.cards.all().items()
                if card["eid"] is not None
            ],
            "sections": self._room.config.document(self._types())["sections"],
            "codes": sealed,
            "codes_left_out": 0 if sealed else len(pending),
        }

    def restore(self, backup: Any, passphrase: str | None, actor: str) -> Job:
        """A job that puts back what there is a place for; ``InvalidInput`` when it is no such file."""
        given = checked(backup)
        codes = self._codes_in(given, passphrase)

        def work(job: Job) -> dict[str, Any]:
            skipped: list[str] = []
            job.report(0.1, "putting codes back")
            kept = self._keep_codes(codes, skipped)
            job.report(0.3, "putting plans and rules back")
            sections = self._put_sections(given["sections"], actor, skipped)
            job.report(0.5, "putting nicknames back")
            named = self._name_profiles(given["cards"], job, skipped)
            if given.get("codes") and passphrase is None:
                skipped.append("codes: give the passphrase to have them put back")
            return {"codes": kept, "sections": sections, "nicknames": named, "skipped": skipped}

        title = "restoring what is written about profiles"
        return self._room.jobs.start("esim-restore", work, title=title, actor=actor)

    def _types(self) -> list[str]:
        from remsim.config.sections import SECTIONS as KNOWN

        return [name for name in SECTIONS if name in KNOWN]

    def _codes_in(self, given: Mapping[str, Any], passphrase: str | None) -> list[dict[str, Any]]:
        if not given.get("codes") or passphrase is None:
            return []
        from remsim.esim.sealed import unreadable, unseal

        try:
            found = json.loads(unseal(given["codes"], passphrase))
        except (ValueError, RecursionError) as error:
            raise unreadable() from error
        if not isinstance(found, list):
            raise unreadable()
        return [one for one in found if isinstance(one, dict) and isinstance(one.get("code"), str)]

    def _keep_codes(self, codes: list[dict[str, Any]], skipped: list[str]) -> int:
        kept = 0
        for one in codes:
            try:
                holder = one["holder"] if isinstance(one.get("holder"), str) else None
                self._codes.add(one["code"], label=str(one.get("label") or "")[:64], holder=holder)
                kept += 1
            except RemsimError as error:
                skipped.append(f"a code: {error.message}")
        return kept

    def _put_sections(self, sections: list[dict[str, Any]], actor: str, skipped: list[str]) -> int:
        put = 0
        for one in sections:
            kind, name, values = one.get("type"), one.get("name"), one.get("values")
            if kind not in self._types() or not isinstance(name, str) or not isinstance(values, dict):
                continue
            try:
                self._room.config.put_section(kind, name, values, actor)
                put += 1
            except RemsimError as error:
                skipped.append(f"{kind} {name[:40]}: {error.message}")
            except ValidationError as error:
                wrong = ", ".join(map(str, error.messages_dict))
                skipped.append(f"{kind} {name[:40]}: this version does not take its {wrong}")
        return put

    def _name_profiles(self, cards: list[dict[str, Any]], job: Job, skipped: list[str]) -> int:
        """Each card that is here gets its nicknames, if nobody works on it now."""
        wanted = {str(card.get("eid")): card for card in cards}
        named = 0
        for holder_id, known in self._room.cards.all().items():
            if job.is_stopping:
                raise job.aborted()
            card = wanted.get(str(known["eid"]))
            if card is None:
                continue
            try:
                named += self._name_on(holder_id, card)
            except RemsimError as error:
                skipped.append(f"nicknames of {holder_id}: {error.message}")
            wanted.pop(str(known["eid"]), None)
        skipped.extend(f"nicknames of a card that is not here, {str(eid)[-4:]}" for eid in wanted)
        return named

    def _name_on(self, holder_id: str, card: Mapping[str, Any]) -> int:
        holder = self._room.holder(holder_id)
        if (why := holder.why_not()) is not None:
            raise Conflict(why)
        named = 0
        with holder.reserved("restoring nicknames"), self._room.engine(holder) as engine:
            for profile in engine.euicc.profiles(icons=False):
                nickname = nickname_for(profile, card)
                if nickname is not None and nickname != (profile.nickname or ""):
                    engine.euicc.set_nickname(profile, nickname)
                    named += 1
            self._room.cards.read(holder_id, engine, self._room.clock.now())
        return named


def nickname_for(profile: Profile, card: Mapping[str, Any]) -> str | None:
    """The nickname that a backup has for a profile."""
    for one in card["profiles"]:
        if one.get("iccid") == profile.iccid and profile.iccid is not None:
            nickname = one.get("nickname") or ""
            is_text = isinstance(nickname, str) and (not nickname or nickname.isprintable())
            return nickname if is_text and len(nickname.encode()) <= LONGEST_NICKNAME else None
    return None


def checked(backup: Any) -> dict[str, Any]:
    """A file of ours, its lists bounded; ``InvalidInput`` otherwise."""
    if not isinstance(backup, dict) or backup.get("format") != FORMAT:
        raise InvalidInput("this is no backup of eSIM", field="backup")
    if backup.get("version") != VERSION:
        raise InvalidInput("a newer version wrote this backup", field="backup", hint="update this router first")
    cards: Any = backup.get("cards")
    sections: Any = backup.get("sections")
    is_whole = are_objects(cards, MOST_CARDS) and are_objects(sections, MOST_SECTIONS)
    if not is_whole or not all(are_objects(card.get("profiles"), MOST_PROFILES) for card in cards):
        raise InvalidInput("this backup is damaged", field="backup")
    return dict(backup)


def are_objects(found: Any, most: int) -> bool:
    """Whether it is a list of objects, of no more than can be."""
    return isinstance(found, list) and len(found) <= most and all(isinstance(one, dict) for one in found)
