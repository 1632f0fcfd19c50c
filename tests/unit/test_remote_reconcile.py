"""Slot maps are brought to what is wanted, against a model of the server that has the real one's traps."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from remsim.remotesim.reconcile import (
    ADD,
    CALM_S,
    CURE,
    PAUSE_S,
    REMOVE,
    STUCK_S,
    Kept,
    Progress,
    Step,
    plan,
)
from remsim.remotesim.slotmap import ACTIVE, NEW, UNACKNOWLEDGED, Bank, Seen, SlotMap

A = SlotMap(1, 2, 5, 0)
B = SlotMap(1, 3, 6, 0)
OTHER_CLIENT = SlotMap(1, 2, 7, 0)
OTHER_BANK = SlotMap(2, 0, 5, 0)


def seen_with(maps: dict[SlotMap, str] | None = None, *banks: int, slots: int = 8) -> Seen:
    return Seen(maps or {}, {bank: Bank(bank, slots) for bank in banks or (1, 2)})


def steps_of(kept: list[Kept], seen: Seen, progress: Progress | None = None, now: float = 100.0) -> list[Step]:
    progress = progress or Progress()
    progress.observe(seen, now)
    return list(plan(kept, seen, progress, now).steps)


def words_of(kept: list[Kept], seen: Seen, progress: Progress | None = None, now: float = 100.0) -> tuple[str, str]:
    progress = progress or Progress()
    progress.observe(seen, now)
    (verdict,) = plan(kept, seen, progress, now).verdicts.values()
    return verdict.kind, verdict.text


def test_a_wanted_map_is_made_and_an_unwanted_one_removed() -> None:
    assert steps_of([Kept(A)], seen_with()) == [Step(ADD, A)]
    assert steps_of([Kept(A)], seen_with({A: ACTIVE})) == []
    assert steps_of([Kept(A, is_wanted=False)], seen_with({A: ACTIVE})) == [Step(REMOVE, A)]


def test_one_change_a_bank_and_several_banks_at_once() -> None:
    elsewhere = SlotMap(2, 0, 8, 0)
    assert steps_of([Kept(A), Kept(B), Kept(elsewhere)], seen_with()) == [Step(ADD, A), Step(ADD, elsewhere)]


def test_a_map_that_is_under_way_keeps_its_bank_from_another_change() -> None:
    for state in (NEW, UNACKNOWLEDGED):
        assert steps_of([Kept(A), Kept(B)], seen_with({A: state})) == []


def test_a_map_of_others_is_never_removed_and_named_where_it_is_in_the_way() -> None:
    for other, what in ((OTHER_CLIENT, "bank slot 1:2"), (OTHER_BANK, "client 5:0")):
        assert steps_of([Kept(A)], seen_with({other: ACTIVE})) == []
        kind, text = words_of([Kept(A)], seen_with({other: ACTIVE}))
        assert kind == "conflict" and f"somebody else has mapped {what}" in text


def test_a_remap_removes_first_and_waits_before_it_adds() -> None:
    kept = [Kept(A, is_wanted=False), Kept(OTHER_CLIENT)]
    progress = Progress()
    assert steps_of(kept, seen_with({A: ACTIVE}), progress) == [Step(REMOVE, A)]
    progress.note(Step(REMOVE, A), 100.0)
    assert steps_of(kept, seen_with(), progress, 100.0 + PAUSE_S / 2) == []
    assert steps_of(kept, seen_with(), progress, 100.0 + PAUSE_S) == [Step(ADD, OTHER_CLIENT)]


def test_a_map_is_not_removed_before_the_bankd_has_answered() -> None:
    kept = [Kept(A, is_wanted=False)]
    assert steps_of(kept, seen_with({A: UNACKNOWLEDGED}), now=1000.0) == []
    assert "once bank 1 has answered" in words_of(kept, seen_with({A: UNACKNOWLEDGED}))[1]


def test_a_map_that_stays_new_is_removed_and_made_again() -> None:
    progress = Progress()
    assert steps_of([Kept(A)], seen_with({A: NEW}), progress, 100.0) == []
    assert steps_of([Kept(A)], seen_with({A: NEW}), progress, 100.0 + STUCK_S) == [Step(CURE, A)]
    progress.note(Step(CURE, A), 102.0)
    assert steps_of([Kept(A, was_there=True)], seen_with(), progress, 102.0 + PAUSE_S) == [Step(ADD, A)]
    unwanted = [Kept(A, is_wanted=False)]
    assert steps_of(unwanted, seen_with({A: NEW}), Progress(pending={A: (NEW, 0.0)})) == [Step(REMOVE, A)]


def test_a_bank_that_is_at_work_is_not_cured() -> None:
    progress = Progress()
    steps_of([Kept(A), Kept(B)], seen_with({A: NEW, B: NEW}), progress, 100.0)
    assert steps_of([Kept(A), Kept(B)], seen_with({A: NEW, B: ACTIVE}), progress, 101.9) == []
    assert steps_of([Kept(A), Kept(B)], seen_with({A: NEW, B: ACTIVE}), progress, 102.1) == []
    assert steps_of([Kept(A), Kept(B)], seen_with({A: NEW, B: ACTIVE}), progress, 104.0) == [Step(CURE, A)]


def test_without_its_bank_a_map_waits_and_nothing_is_sent() -> None:
    assert steps_of([Kept(A)], seen_with({}, 2)) == []
    assert words_of([Kept(A)], seen_with({}, 2)) == ("waits", "bank 1 is not connected to the server")
    assert steps_of([Kept(A)], seen_with({A: NEW}, 2), Progress(pending={A: (NEW, 0.0)})) == []


def test_a_slot_that_the_bank_has_not_is_named_whatever_the_server_says() -> None:
    for maps in ({}, {A: ACTIVE}):
        assert steps_of([Kept(A)], seen_with(maps, 1, slots=2)) == []
        kind, text = words_of([Kept(A)], seen_with(maps, 1, slots=2))
        assert kind == "conflict" and "2 slots, 0 to 1" in text


def test_a_held_map_is_not_put_back_until_it_is_released() -> None:
    kept, seen, progress = [Kept(A, was_there=True)], seen_with(), Progress()
    held = plan(kept, seen, progress, 0.0, lambda one: "its modem is online")
    assert held.steps == () and held.verdicts[A].kind == "held" and not held.is_busy
    assert plan([Kept(A)], seen, progress, 0.0, lambda one: "its modem is online").steps == (Step(ADD, A),)
    progress.release(A)
    assert plan(kept, seen, progress, 0.0, lambda one: "online").steps == (Step(ADD, A, is_restore=True),)


def test_restores_of_one_map_become_rare_and_then_a_conflict() -> None:
    kept, seen, progress = [Kept(A, was_there=True)], seen_with(), Progress()
    now, restored = 0.0, []
    while now < 1500.0:
        for step in steps_of(kept, seen, progress, now):
            restored.append(now)
            progress.note(step, now)
        now += 5.0
    assert restored == [0.0, 60.0, 360.0, 1260.0]
    kind, text = words_of(kept, seen, progress, now)
    assert kind == "conflict" and "vanished 4 times" in text
    progress.observe(seen, now + CALM_S)
    assert steps_of(kept, seen, progress, now + CALM_S) == [Step(ADD, A, is_restore=True)]


def test_a_refusal_without_reason_is_tried_again_ever_less_often() -> None:
    progress, tried, now = Progress(), [], 0.0
    while now < 100.0:
        for step in steps_of([Kept(A)], seen_with(), progress, now):
            tried.append(now)
            progress.refuse(step.map, now)
        now += 1.0
    assert tried == [0.0, 5.0, 15.0, 35.0, 75.0]
    assert words_of([Kept(A)], seen_with(), progress, now)[0] == "conflict"


# Against a model of the server, whatever happens to it.

WAKE_S, ANSWER_S = 0.05, 0.2


@dataclass
class Model:
    """The server and its banks: what POST and DELETE do, and when banks are told."""

    now: float = 0.0
    maps: dict[SlotMap, str] = field(default_factory=dict)
    banks: set[int] = field(default_factory=set)
    slots: int = 4
    new: dict[int, list[SlotMap]] = field(default_factory=dict)
    deletes: dict[int, int] = field(default_factory=dict)
    wakes: list[float] = field(default_factory=list)
    answers: list[tuple[float, SlotMap]] = field(default_factory=list)

    def post(self, one: SlotMap) -> bool:
        if any(other.bank == one.bank or other.client == one.client for other in self.maps):
            return False
        self.maps[one] = NEW
        if one.bank_id in self.banks:
            self.new.setdefault(one.bank_id, []).append(one)
        self.wake()
        return True

    def delete(self, one: SlotMap) -> None:
        state = self.maps.pop(one, None)
        if state == ACTIVE and one.bank_id in self.banks:
            self.deletes[one.bank_id] = self.deletes.get(one.bank_id, 0) + 1
        if one in self.new.get(one.bank_id, []):
            self.new[one.bank_id].remove(one)
        self.wakes.append(self.now + WAKE_S)

    def wake(self) -> None:
        for bank in self.banks:
            if not self.new.get(bank) or not self.deletes.get(bank):
                self.push(bank)

    def push(self, bank: int) -> None:
        for one in self.new.pop(bank, []):
            self.maps[one] = UNACKNOWLEDGED
            self.answers.append((self.now + ANSWER_S, one))
        self.deletes[bank] = 0

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        for at in sorted(at for at in self.wakes if at <= end):
            self.now = at
            self.wake()
        self.wakes = [at for at in self.wakes if at > end]
        for _, one in [answer for answer in self.answers if answer[0] <= end]:
            if self.maps.get(one) == UNACKNOWLEDGED:
                self.maps[one] = ACTIVE
        self.answers = [answer for answer in self.answers if answer[0] > end]
        self.now = end

    def bank_lost(self, bank: int) -> None:
        self.banks.discard(bank)
        self.new.pop(bank, None)
        self.deletes.pop(bank, None)
        for one in self.maps:
            if one.bank_id == bank:
                self.maps[one] = NEW

    def bank_back(self, bank: int) -> None:
        self.banks.add(bank)
        self.new[bank] = [one for one in self.maps if one.bank_id == bank]
        self.push(bank)

    def restart(self) -> None:
        for part in (self.maps, self.banks, self.new, self.deletes, self.wakes, self.answers):
            part.clear()

    def seen(self) -> Seen:
        return Seen(dict(self.maps), {bank: Bank(bank, self.slots) for bank in self.banks})


IDS = st.integers(0, 4)
MAPS = st.builds(SlotMap, st.integers(1, 2), IDS, st.integers(0, 3), st.integers(0, 1))


@st.composite
def kept_maps(draw: st.DrawFn) -> list[Kept]:
    """As the store lets them be: of those that are wanted no two share a slot."""
    found: list[Kept] = []
    for one in draw(st.lists(MAPS, unique=True, max_size=8)):
        clash = any(other.map.bank == one.bank or other.map.client == one.client for other in found if other.is_wanted)
        found.append(Kept(one, is_wanted=not clash and draw(st.booleans()), was_there=draw(st.booleans())))
    return found


HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(["restart", "lost", "back", "post", "delete", "change", "nothing"]),
        MAPS,
        st.integers(1, 2),
        st.sampled_from([0.01, 0.05, 0.3, 3.0, 70.0]),
    ),
    max_size=12,
)


def change_mind(kept: list[Kept], one: SlotMap) -> None:
    """What was wanted of a bank's slot is not any more, and what was not is, where the store would let it."""
    for at, old in enumerate(kept):
        if old.map.bank_slot == one.bank_slot:
            others = [other.map for other in kept if other.is_wanted and other is not old]
            clash = any(other.bank == old.map.bank or other.client == old.map.client for other in others)
            kept[at] = Kept(old.map, is_wanted=not old.is_wanted and not clash)


def drive(model: Model, kept: list[Kept], progress: Progress, seconds: float) -> None:
    """Follow plans for a time, checking each; tells the model what is done."""
    ours = {one.map for one in kept}
    end, wait = model.now + seconds, 0.02
    while model.now < end:
        seen = model.seen()
        progress.observe(seen, model.now)
        found = plan(kept, seen, progress, model.now)
        banks = [step.map.bank_id for step in found.steps]
        assert len(banks) == len(set(banks)), "two changes of one bank"
        for step in found.steps:
            assert step.map in ours, "a map of others"
            assert step.map.bank_id in seen.banks or step.action == REMOVE
            if step.action == ADD:
                assert step.map not in seen.maps and step.map.bank_slot < model.slots
                if not model.post(step.map):
                    raise AssertionError("what is refused should not be asked for")
            else:
                assert seen.maps[step.map] != UNACKNOWLEDGED, "the bankd would keep it"
                model.delete(step.map)
            progress.note(step, model.now)
        for gone in found.gone:
            kept[:] = [one for one in kept if one.map != gone or one.is_wanted]
        wait = 0.02 if found.steps else min(wait * 2, 5.0)
        model.advance(wait if found.is_busy or found.steps else 5.0)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kept_maps(), st.lists(MAPS, max_size=4), HAPPENINGS)
def test_whatever_happens_ours_come_to_be_and_those_of_others_stay(
    kept: list[Kept], foreign: list[SlotMap], happenings: list[tuple[str, SlotMap, int, float]]
) -> None:
    model, progress = Model(), Progress()
    model.bank_back(1)
    model.bank_back(2)
    for one in foreign:
        model.post(one)
    for what, one, bank, seconds in happenings:
        match what:
            case "restart":
                model.restart()
            case "lost":
                model.bank_lost(bank)
            case "back" if bank not in model.banks:
                model.bank_back(bank)
            case "post":
                model.post(one)
            case "delete":
                model.delete(one)
            case "change" if kept:
                # Somebody else removes a map of ours at the same moment, which is when the next one can stick.
                change_mind(kept, one)
                model.delete(kept[-1].map)
        drive(model, kept, progress, seconds)
    others = {one for one in model.maps if one not in {known.map for known in kept}}  # what was let go is not ours
    for bank in {1, 2} - model.banks:
        model.bank_back(bank)
    drive(model, kept, progress, 2000.0)
    assert others <= model.maps.keys(), "a map of others is gone"
    banks, clients = {one.bank for one in others}, {one.client for one in others}
    stuck_banks = {one.bank_id for one in others if model.maps[one] == NEW}
    for one in kept:
        possible = one.map.bank_slot < model.slots and one.map.bank not in banks and one.map.client not in clients
        if one.is_wanted and possible and one.map.bank_id not in stuck_banks:
            assert model.maps.get(one.map) == ACTIVE, one
        if not one.is_wanted:
            assert one.map.bank_id in stuck_banks, "nothing unwanted is left"
