"""One pass over the rows of a bulk download, one after another.

All are downloaded before anything is switched, so that the connection they come by stays. A fault of a code ends its
row, one of a card its rows, one of a server its rows after two in succession; what waits then is taken up later.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from remsim.core.errors import Aborted, Conflict, RemsimError
from remsim.core.jobs import Job
from remsim.esim.activation import parse
from remsim.esim.bulk_journal import (
    DONE,
    FAILED,
    INTERRUPTED,
    LOADING,
    ORDERING,
    OVER,
    STOPPED,
    UNKNOWN,
    WAITING,
    Batch,
    Item,
    Journal,
)
from remsim.esim.bulk_rows import digest_of, find_card, problem_of, wanted_of
from remsim.esim.codes import masked_token
from remsim.esim.download import Metadata
from remsim.esim.downloading import Downloading, Wish
from remsim.esim.errors import EsimError
from remsim.esim.es2 import MAY_HAVE_DONE
from remsim.esim.refusals import MEANINGS
from remsim.esim.room import Room

if TYPE_CHECKING:
    from remsim.esim.holder import Holder
    from remsim.esim.ordering import Ordering
    from remsim.esim.work import Work

WAY = {
    "smdp_unreachable", "smdp_private", "smdp_timeout", "smdp_cut", "server_absent", "server_redirect", "tls_untrusted",
    "tls_wrong_host", "tls_expired", "tls_not_yet", "tls_clock", "tls_failed", "lab_ca", "roots_missing",
    "order_certificate",
}  # fmt: skip
"""Faults of the way to a server: its other codes would fail, too."""
CARD = {"no_memory", "euicc_reply", "card_refused", "card_session", "load_cut", "load_unknown", "profile_busy"}
"""Of those with a meaning of their own, faults of a card. So are all of modems and of ways to a card."""
OF_CODE = {"order_refused", "order_unknown", "invalid_input"}
"""Faults of a row that have no meaning among those of servers and cards."""
NOBODY_KNOWS = {"load_cut", "load_unknown", "load_interrupted", "load_failed", "aborted"}
MOST_WAY_FAULTS = 2
BUSY_S = 300.0
"""A modem that does something else is waited for so long."""
LOOK_S, ASK_S = 0.1, 1.0


class Run:
    """One pass over a batch."""

    def __init__(
        self,
        room: Room,
        work: Work,
        journal: Journal,
        orders: Callable[[], Ordering],
        batch: Batch,
        wait: Callable[[Job, float], None],
    ) -> None:
        self._room, self._work, self._journal, self._orders = room, work, journal, orders
        self._batch, self._wait = batch, wait
        self._next_at = room.clock.monotonic()
        self._stopped_cards: dict[str, str] = {}
        self._way_faults: Counter[str] = Counter()

    def run(self, job: Job) -> dict[str, Any]:
        """The job's result; it fails when rows are left that wait."""
        batch = self._batch
        job.report(self._fraction(), "looking at what is left", can_abort=True)
        try:
            self._settle(job)
            for item in self._in_order():
                self._heed(job)
                if item.state == WAITING and self._may(item):
                    self._load(job, item)
            if not any(one.state == WAITING for one in batch.items):
                self._enable_all(job)
        except BaseException as error:
            batch.state = INTERRUPTED if job.is_stopping else STOPPED
            batch.problem = error.message if isinstance(error, RemsimError) else "an unexpected error"
            self._journal.keep_state(batch)
            raise
        counts = batch.counts()
        job.result = {"batch": batch.id, "counts": counts}
        left = counts[WAITING] + counts[LOADING] + counts[ORDERING]
        batch.state = STOPPED if left else OVER
        batch.problem = "; ".join(dict.fromkeys(self._stopped_cards.values())) or None if left else None
        self._journal.keep_state(batch)
        self._tell(counts)
        if left:
            text = f"{left} of {len(batch.items)} profiles were not loaded: {batch.problem or 'see the rows'}"
            raise EsimError(text, code="bulk_stopped", hint="put that right, then have it go on")
        return dict(job.result)

    # --- the order of things ---

    def _in_order(self) -> list[Item]:
        """Card after card, as the rows name them."""
        first: dict[str, int] = {}
        for item in self._batch.items:
            first.setdefault(item.row.card, item.row.number)
        return sorted(self._batch.items, key=lambda one: (first[one.row.card], one.row.number))

    def _may(self, item: Item) -> bool:
        """Not when its card or its server has failed."""
        row = item.row
        server = row.server or row.order
        return row.card not in self._stopped_cards and self._way_faults[server] < MOST_WAY_FAULTS

    def _heed(self, job: Job) -> None:
        if job.is_abort_wanted or job.is_stopping:
            raise job.aborted()

    def _paced(self, job: Job) -> None:
        """No faster than was asked for."""
        clock = self._room.clock
        while (left_s := self._next_at - clock.monotonic()) > 0:
            job.report(self._fraction(), "waiting for the next one's turn", can_abort=True)
            self._wait(job, min(left_s, ASK_S))
            self._heed(job)
        self._next_at = clock.monotonic() + 60.0 / self._batch.per_minute

    def _fraction(self) -> float:
        ended = sum(one.state not in (WAITING, ORDERING, LOADING) for one in self._batch.items)
        return ended / max(len(self._batch.items), 1)

    # --- what was under way when the service ended ---

    def _find_again(self) -> None:
        """A card that is named by its EID may be in another modem by now."""
        holders = {one.id: one for one in self._room.all_holders()}
        for item in self._batch.items:
            if item.state == WAITING and item.row.target == item.row.eid:
                with contextlib.suppress(RemsimError):  # it is away: that is said at its turn
                    find_card(item.row, self._room, holders)

    def _settle(self, job: Job) -> None:
        self._find_again()
        read: set[str] = set()
        for item in self._batch.items:
            if item.state == ORDERING:
                why = "the service ended while a profile was ordered; look at the orders before you order again"
                self._end(item, UNKNOWN, EsimError(why, code="order_unknown"))
            elif item.state == LOADING and item.found_iccid is None:
                item.state = WAITING  # the server had not said which profile it is, so the code is as it was
                self._journal.keep(item)
            elif item.state == LOADING:
                holder = item.row.holder or ""
                if holder not in read:
                    job.report(None, f"reading the card of {holder}", can_abort=True)
                    self._read(job, holder)
                    read.add(holder)
                self._settle_loaded(item)

    def _read(self, job: Job, holder: str) -> None:
        """What a card has now; ``EsimError`` when it cannot be asked, for then nothing can be settled."""
        child = self._begun(job, lambda: self._work.read(holder, self._batch.actor))
        self._follow(job, child)
        if child.state != "done":
            text = f"{holder} has to be read before this goes on: {child.error}"
            raise EsimError(text, code=child.code or "esim_error", hint=child.hint)

    def _settle_loaded(self, item: Item) -> None:
        profile = self._on_card(item)
        if profile is not None:
            self._done(item, profile)
            return
        why = "the service ended while the profile was loaded, and the card does not have it"
        hint = "the code may be used up: ask the operator, or have it tried again"
        self._end(item, UNKNOWN, EsimError(why, code="load_unknown", hint=hint))

    # --- one row ---

    def _load(self, job: Job, item: Item) -> None:
        """One download, to its end."""
        self._paced(job)
        number = f"row {item.row.number} of {len(self._batch.items)}"
        try:
            if item.row.order and not item.row.code:
                self._order(job, item)
            child = self._begun(job, lambda: self._download(item))
            reason = self._follow(job, child, number)
        except Aborted:
            raise
        except RemsimError as error:
            self._failed(item, error)
            return
        self._read_fate(item, child, reason)
        self._heed(job)

    def _order(self, job: Job, item: Item) -> None:
        """Get a code for a row; ``EsimError`` when there is none."""
        item.state, item.started_at = ORDERING, self._room.clock.now()
        self._journal.keep(item)
        try:
            ordered = self._orders().order(wanted_of(item.row), job)
        except RemsimError as error:
            if error.code in MAY_HAVE_DONE:
                hint = "look at the orders before you order again"
                raise EsimError(error.message, code="order_unknown", hint=hint) from error
            raise
        row, activation = item.row, ordered.activation
        row.code, row.server, row.hint = activation.code, activation.smdp_address, masked_token(activation.matching_id)
        item.order_id, item.found_iccid, item.state = ordered.order, ordered.iccid, WAITING
        self._journal.keep(item)

    def _download(self, item: Item) -> Job:
        """A job on the holder, whose first act is to write the code down as used."""
        row, room = item.row, self._room
        activation = parse(row.code)

        def offered(metadata: Metadata) -> None:
            item.found_iccid = metadata.iccid
            self._journal.keep(item)

        def work(job: Job, holder: Holder) -> dict[str, Any]:
            self._look_at_card(job, holder, item)
            if item.tries and self._on_card(item) is not None:
                return {}
            item.state, item.tries = LOADING, item.tries + 1
            item.started_at, item.ended_at, item.problem = room.clock.now(), None, None
            self._journal.keep(item, digest=digest_of(activation, row.card))
            wish = Wish(
                activation,
                actor=self._batch.actor,
                confirmation_code=row.confirmation_code or None,
                nickname=row.nickname,
                is_agreed=True,
                source=f"order {row.order}" if row.order else f"batch {self._batch.id}",
                on_offer=offered,
            )
            return Downloading(room, self._work.codes, self._work.telling).run(job, holder, wish)

        title = f"downloading a profile from {activation.smdp_address}"
        return room.begin("esim-download", row.holder or "", title, work, actor=self._batch.actor)

    def _look_at_card(self, job: Job, holder: Holder, item: Item) -> None:
        """It is the card that is meant; what is on it is known from now on."""
        job.report(None, "opening the card")
        with self._room.engine(holder) as engine:
            card = self._room.cards.read(holder.id, engine, self._room.clock.now())
        if item.row.eid is not None and card["eid"] != item.row.eid:
            text = f"{holder.id} has another card now than when the rows were checked"
            raise EsimError(text, code="eid_differs", hint="put the card back, or make a new bulk download")

    def _begun(self, job: Job, begin: Callable[[], Job]) -> Job:
        """A job on a holder, once that is free."""
        deadline = self._room.clock.monotonic() + BUSY_S
        while True:
            try:
                return begin()
            except Conflict as busy:
                if busy.code != "busy" or self._room.clock.monotonic() >= deadline:
                    raise
                job.report(self._fraction(), f"waiting: {busy.message}", can_abort=True)
            self._wait(job, ASK_S)
            self._heed(job)

    def _follow(self, job: Job, child: Job, told: str | None = None) -> str | None:
        """Wait for a job's end; why it was declined, where it asked what nobody can answer here."""
        reason, said = None, None
        while not child.wait(LOOK_S):
            if told is not None and child.step != said:
                said = child.step
                job.report(self._fraction(), f"{told}: {said}", can_abort=True)
            if child.state == "asking":
                question = child.question or {}
                reason = "confirmation_wrong" if question.get("wrong_code") else "confirmation_needed"
                with contextlib.suppress(Conflict):
                    child.answer({"accept": False})
            if job.is_abort_wanted or job.is_stopping:
                with contextlib.suppress(Conflict):  # not where that would leave a mess
                    child.abort()
        return reason

    def _read_fate(self, item: Item, child: Job, reason: str | None) -> None:
        """What became of a row."""
        profile = self._on_card(item)
        if child.state == "done" and profile is None:  # it is there, and the card could not be read afterwards
            result = child.result or {}
            profile = {"iccid": item.found_iccid, "id": result.get("profile"), "name": result.get("name")}
        if profile is not None:  # whatever was said: 8.2.6/3.8 of a code that did its work, too
            self._done(item, profile)
            return
        if child.is_stopping:
            return  # it is settled when somebody goes on
        code = reason or child.code or "error"
        if reason is not None:
            sentence, hint = MEANINGS[reason]
            self._failed(item, EsimError(sentence, code=reason, hint=hint))
        else:
            self._failed(item, EsimError(child.error or code, code=code, hint=child.hint))

    def _failed(self, item: Item, error: RemsimError) -> None:
        """A row did not become a profile: whose fault that is decides what goes on."""
        row, code = item.row, error.code
        if code in ("storage_error", "stopping"):
            raise error
        is_way, is_card = code in WAY, is_of_card(code)
        if is_way:
            self._way_faults[row.server or row.order] += 1
            if self._way_faults[row.server or row.order] >= MOST_WAY_FAULTS:
                self._stopped_cards.setdefault(f"server {row.server or row.order}", error.message)
        else:
            self._way_faults[row.server or row.order] = 0
        if is_card:
            self._stopped_cards[row.card] = f"{row.holder}: {error.message}"
        may_be_used = item.state == LOADING and item.found_iccid is not None
        is_full = code == "no_memory"  # for this profile; a smaller one may fit
        is_unclear = is_way or code in NOBODY_KNOWS or code in MAY_HAVE_DONE or (is_card and not is_full)
        if code == "order_unknown" or (may_be_used and is_unclear):
            self._end(item, UNKNOWN, error)
        elif is_way or (is_card and not is_full):
            item.state, item.problem = WAITING, problem_of(error)
            self._journal.keep(item)
        else:
            self._end(item, FAILED, error)

    def _end(self, item: Item, state: str, error: RemsimError) -> None:
        item.state, item.problem, item.ended_at = state, problem_of(error), self._room.clock.now()
        self._journal.keep(item)

    def _done(self, item: Item, profile: dict[str, Any]) -> None:
        item.state, item.problem, item.ended_at = DONE, None, self._room.clock.now()
        item.found_iccid, item.profile, item.name = profile["iccid"], profile["id"], profile["name"]
        forget_code(item)
        self._journal.keep(item)

    def _on_card(self, item: Item) -> dict[str, Any] | None:
        """The profile that a row's code brings, as its card was last read."""
        card = self._room.cards.of(item.row.holder or "")
        if card is None or item.found_iccid is None:
            return None
        return next((one for one in card["profiles"] if one["iccid"] == item.found_iccid), None)

    # --- switching, at last ---

    def _enable_all(self, job: Job) -> None:
        """Enable what is wanted, the modem that the connection goes by last."""
        for item in self._last_the_way(job):
            self._heed(job)
            job.report(None, f"switching {item.row.holder} to {item.name}", can_abort=True)
            self._enable(job, item)

    def _last_the_way(self, job: Job) -> list[Item]:
        wanted = [one for one in self._batch.items if one.state == DONE and one.enabled == "wanted" and one.profile]
        interfaces = {one.id: one.interface for one in self._room.all_holders()} if wanted else {}
        ways = self._ways({one.row.server for one in wanted if one.row.server})
        return sorted(wanted, key=lambda one: interfaces.get(one.row.holder or "") in ways)

    def _ways(self, servers: set[str]) -> set[str | None]:
        """The interfaces that servers are reached by now."""
        from remsim.esim.checks import reach

        found: set[str | None] = set()
        for server in servers:
            with contextlib.suppress(RemsimError):
                found.add(reach(server, self._room.hosts, is_lab=self._room.trust().is_lab).interface)
        return found - {None}

    def _enable(self, job: Job, item: Item) -> None:
        row = item.row
        try:
            child = self._begun(
                job, lambda: self._work.enable(row.holder or "", item.profile or "", actor=self._batch.actor)
            )
            self._follow(job, child)
        except Aborted:
            raise
        except RemsimError as error:
            item.enabled, item.problem = "failed", problem_of(error)
        else:
            if child.is_stopping:
                return
            is_done = child.state == "done" or child.code == "profile_enabled"
            item.enabled = "done" if is_done else "failed"
            told = {"code": child.code, "message": child.error, "hint": child.hint, "field": None}
            item.problem = None if is_done else told
        self._journal.keep(item)

    def _tell(self, counts: dict[str, int]) -> None:
        words = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        batch = self._batch
        is_well = counts[DONE] == len(batch.items)
        text = f"the bulk download {batch.name or batch.id}: {words}"
        self._room.tell("esim_download", "remsim", text, "info" if is_well else "warning", {"batch": batch.id})


def is_of_card(code: str) -> bool:
    """Whether a fault is of the card, or of the way to it."""
    return code in CARD or not (code in MEANINGS or code in OF_CODE or code in WAY)


def forget_code(item: Item) -> None:
    """What can be used is kept no longer than it is needed."""
    item.row.code = item.row.confirmation_code = ""
