"""What rings give new flows to: any links, any choices; and what each choice means."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from links_fake import view
from remsim.core.routes import ALGORITHMS, CLASSES, CRITERIA, PERSISTENCES, SLOTS, STATES, Choice, LinkView, RingSpec
from remsim.links.load.keeper import Rings
from remsim.links.load.rings import BLOCKED, Chosen, Ring, Rules, rearranged
from remsim.links.load.scores import Known

NUMBERS = st.one_of(st.none(), st.floats(0, 1e10, allow_nan=False))
LINKS = st.lists(
    st.builds(
        LinkView,
        index=st.integers(1, 8),
        name=st.sampled_from("abcdefgh"),
        state=st.sampled_from(STATES),
        device=st.one_of(st.none(), st.just("wwan0")),
        weight=st.integers(0, 1000),
        priority=st.integers(1, 8),
        tags=st.sampled_from(((), ("fast",))),
        is_metered=st.booleans(),
        carrier=st.sampled_from((None, "Carrier A")),
        plmn=st.sampled_from((None, "26201", "31026")),
        home_plmn=st.sampled_from((None, "26201")),
        country=st.sampled_from((None, "DE", "us")),
        is_roaming=st.sampled_from((None, True, False)),
        latency_ms=NUMBERS,
        loss_percent=st.one_of(st.none(), st.floats(0, 100)),
        uptime_percent=st.one_of(st.none(), st.floats(0, 100)),
        down_bps=NUMBERS,
        rx_bps=NUMBERS,
        flows=st.one_of(st.none(), st.integers(0, 10000)),
        busy_flows=st.one_of(st.none(), st.integers(0, 10000)),
        cost_per_gb_minor=NUMBERS,
        overage_per_gb_minor=NUMBERS,
        currency=st.sampled_from(("", "EUR", "USD")),
        remaining_bytes=st.one_of(st.none(), st.integers(-(10**9), 10**13)),
        cap_bytes=st.one_of(st.none(), st.integers(0, 10**13)),
        reset_s=st.one_of(st.none(), st.floats(0, 3e6)),
        cap_state=st.sampled_from(("ok", "warned", "slow", "soft", "hard")),
    ),
    max_size=8,
    unique_by=lambda link: link.index,
)
CHOICES = st.lists(
    st.one_of(
        st.builds(Choice, st.just("connection"), st.sampled_from("abcdefgh"), st.booleans()),
        st.builds(Choice, st.just("prefer"), st.sampled_from(sorted(CRITERIA))),
        st.builds(Choice, st.just("carrier"), st.sampled_from(("local", "carrier a", "26201"))),
        st.builds(Choice, st.just("tag"), st.just("fast")),
        st.builds(Choice, st.just("balance"), st.sampled_from(sorted(ALGORITHMS))),
        st.builds(Choice, st.sampled_from(("overage", "any", "next", "block"))),
    ),
    max_size=4,
)
RULES = st.builds(
    Rules,
    algorithm=st.sampled_from(sorted(ALGORITHMS)),
    last_resort=st.sampled_from(("keep", "unreachable")),
    prefer_low_latency=st.booleans(),
    interactive_link_free=st.booleans(),
    router_country=st.sampled_from(("", "DE")),
)
KNOWN = st.dictionaries(
    st.integers(1, 8),
    st.builds(Known, is_firm=st.booleans(), rate_bps=NUMBERS, ramp=st.sampled_from((0.5, 1.0))),
)


@given(
    links=LINKS,
    choices=CHOICES,
    rules=RULES,
    known=KNOWN,
    klass=st.sampled_from(CLASSES),
    persistence=st.sampled_from(sorted(PERSISTENCES)),
    policy=st.sampled_from((None, "p")),
)
def test_any_links_and_choices_make_sixteen_slots_or_none(
    links, choices, rules, known, klass, persistence, policy
) -> None:
    ring = Ring(RingSpec("r", tuple(choices), klass, persistence, policy))
    for at in (0.0, 1.0, 100.0):
        chosen = ring.choose(links, known, rules, at)
        assert len(chosen.slots) in (0, SLOTS)
        assert all(one.why and one.link for one in chosen.weights())
        assert sum(one.slots for one in chosen.weights()) == sum(slot != 0 for slot in chosen.slots)
        assert chosen.choice
        check_usable(chosen, links, choices, policy)


def check_usable(chosen: Chosen, links: list[LinkView], choices: list[Choice], policy: str | None) -> None:
    """A link that cannot be used has slots only as somebody's express wish or as a last resort."""
    used = {slot for slot in chosen.slots if slot}
    by_index = {one.index: one for one in links}
    assert used <= set(by_index)
    strict = {choice.value for choice in choices if choice.kind == "connection" and choice.is_strict}
    for index in used:
        link = by_index[index]
        if link.is_usable or link.name in strict:
            continue
        if link.state in ("up", "degraded"):  # at its cap
            assert link.cap_state != "hard" or policy is None
        else:
            assert policy is None and not any(one.is_usable for one in links)


@given(links=LINKS, klass=st.sampled_from(CLASSES), algorithm=st.sampled_from(sorted(ALGORITHMS)))
def test_a_ring_is_empty_only_without_any_link(links, klass, algorithm) -> None:
    chosen = Ring(RingSpec("r", (Choice("any"),), klass)).choose(links, {}, Rules(algorithm), 0.0)
    assert bool(chosen.slots) == any(
        one.is_usable or one.state != "off" and (one.device or (one.state == "degraded" or one.state == "up"))
        and not (one.state in ("up", "degraded") and one.cap_state == "hard" and one.device is None)
        for one in links
    )


def slots(links, *choices: Choice, at: float = 0.0, ring: Ring | None = None, known=None, klass="bulk", **rules):
    ring = ring or Ring(RingSpec("p_1", choices or (Choice("any"),), klass, policy="p" if choices else None))
    return ring.choose(links, known or {}, Rules(**rules), at).slots


def counts(found) -> dict[int, int]:
    return {index: found.count(index) for index in sorted(set(found))}


FOUR = [
    view(1, down_bps=20e6, latency_ms=40.0),
    view(2, down_bps=10e6, latency_ms=60.0),
    view(3, down_bps=5e6, latency_ms=90.0),
    view(4, down_bps=8e6, latency_ms=50.0),
]


@pytest.mark.parametrize(
    ("algorithm", "changes", "expected"),
    [
        ("equal", {}, {1: 4, 2: 4, 3: 4, 4: 4}),
        ("measured", {}, {1: 8, 2: 4, 3: 2, 4: 3}),
        ("weighted", {1: {"weight": 10}, 2: {"weight": 6}, 3: {"weight": 0}, 4: {"weight": 0}}, {1: 10, 2: 6}),
        ("failover", {3: {"priority": 0}}, {3: 16}),
        ("latency", {}, {1: 8, 4: 8}),
        ("throughput", {1: {"rx_bps": 19e6}, 2: {"rx_bps": 9.9e6}}, {1: 1, 3: 5, 4: 9}),
        ("least_connections", {1: {"flows": 40}, 2: {"flows": 40}, 3: {"flows": 2}, 4: {"flows": 0}}, {3: 7, 4: 9}),
        ("overflow", {}, {1: 16}),
        ("overflow", {1: {"rx_bps": 18e6}}, {2: 16}),
        ("overflow", {one: {"rx_bps": 20e6} for one in (1, 2, 3, 4)}, {1: 8, 2: 4, 3: 1, 4: 3}),
        ("cheapest", {1: {"cost_per_gb_minor": 200.0}, 2: {"is_metered": True}}, {3: 6, 4: 10}),
        (
            "remaining_data",
            {index: {"remaining_bytes": left, "reset_s": 864000.0} for index, left in enumerate((0, 3e9, 1e9, 0), 1)},
            {2: 12, 3: 4},
        ),
    ],
)
def test_what_each_algorithm_does(algorithm, changes, expected) -> None:
    links = [replace(one, **changes.get(one.index, {})) for one in FOUR]
    found = counts(slots(links, algorithm=algorithm))
    assert all(abs(found.get(index, 0) - expected.get(index, 0)) <= 1 for index in (1, 2, 3, 4)), found


def test_bulk_flows_fill_idle_links_then_go_where_each_gets_most() -> None:
    links = [replace(FOUR[0], busy_flows=3, rx_bps=19e6), *FOUR[1:]]
    assert slots(links)[:5] == (2, 4, 3, 1, 2)  # then 20/4 of the first, 10/2 of the second


def test_bulk_flows_leave_a_link_to_pages_as_long_as_others_will_do() -> None:
    free = slots(FOUR, pages_bps=0.0)
    assert 4 not in free[:6]  # the smallest on which a page is quick
    full = [replace(one, busy_flows=10, rx_bps=one.down_bps) for one in FOUR[:3]]
    assert slots([*full, FOUR[3]], pages_bps=0.0)[0] == 4
    assert 4 in slots(FOUR, pages_bps=7e6)[:3]  # too many pages for it
    assert slots(FOUR[:2], pages_bps=0.0) == slots(FOUR[:2])  # of two links none can be spared
    unknown = [replace(one, down_bps=None) for one in FOUR]
    assert slots(unknown, pages_bps=0.0) == slots(unknown)


def test_pages_go_to_links_on_which_they_are_quick() -> None:
    links = [replace(FOUR[0], rx_bps=20e6, busy_flows=8, latency_ms=190.0), *FOUR[1:]]
    found = counts(slots(links, klass="interactive"))
    assert 1 not in found and found[4] >= found[2] - 1


def test_a_link_that_was_never_measured_is_tried() -> None:
    links = [FOUR[0], replace(FOUR[1], down_bps=None)]
    assert 2 in slots(links)
    explored = [FOUR[0], replace(FOUR[1], down_bps=1e6)]
    assert slots(explored, known={2: Known(is_firm=False)}).count(2) > slots(explored).count(2)


ONLY6 = replace(FOUR[0], families=(6,))


def test_a_family_that_no_chosen_link_carries_goes_by_the_best_of_those_that_do() -> None:
    links = [ONLY6, replace(FOUR[1], priority=8), *FOUR[2:]]
    chosen = Ring(RingSpec("bulk", (Choice("any"),))).choose(links, {}, Rules("failover"), 0.0)
    assert (set(chosen.slots), set(chosen.spare)) == ({1}, {3})
    assert "IPv4: " in chosen.choice
    degraded = [ONLY6, replace(FOUR[1], state="degraded"), *(replace(one, state="down") for one in FOUR[2:])]
    assert set(Ring(RingSpec("bulk", (Choice("any"),))).choose(degraded, {}, Rules(), 0.0).spare) == {2}
    spent = [ONLY6, replace(FOUR[1], cap_state="soft")]
    assert set(Ring(RingSpec("bulk", (Choice("any"),))).choose(spent, {}, Rules(), 0.0).spare) == {2}


def test_a_family_whose_links_are_all_down_is_refused_while_another_works() -> None:
    links = [ONLY6, *(replace(one, state="down") for one in FOUR[1:])]
    chosen = Ring(RingSpec("bulk", (Choice("any"),))).choose(links, {}, Rules(), 0.0)
    assert (set(chosen.slots), chosen.spare) == ({1}, BLOCKED)


def test_a_family_that_no_link_carries_is_left_to_the_router() -> None:
    links = [ONLY6, replace(FOUR[1], families=(6,))]
    assert Ring(RingSpec("bulk", (Choice("any"),))).choose(links, {}, Rules(), 0.0).spare == ()
    policy = Ring(RingSpec("p_1", (Choice("connection", "link1"),), policy="p"))
    assert policy.choose([ONLY6, FOUR[1]], {}, Rules(), 0.0).spare == ()  # the next policy decides
    alldown = [replace(one, state="down") for one in (ONLY6, FOUR[1])]
    assert Ring(RingSpec("bulk", (Choice("any"),))).choose(alldown, {}, Rules(), 0.0).spare == ()


def test_what_is_written_has_the_slots_of_such_a_family_behind_the_others() -> None:
    rings = Rings()
    rings.choose([ONLY6, FOUR[1]], {}, Rules("failover"), 0.0)
    assert rings.slots()["bulk"] == (1,) * SLOTS + (2,) * SLOTS
    rings.loaded(0.0)
    assert rings.due(0.0) == {}
    rings.choose([ONLY6, replace(FOUR[1], state="down")], {}, Rules("failover"), 1.0)
    assert rings.due(1.0)["bulk"] == (1,) * SLOTS + BLOCKED


def test_degraded_links_wait_for_better_ones_to_fail() -> None:
    links = [replace(FOUR[0], state="degraded"), FOUR[1], replace(FOUR[2], state="down")]
    assert set(slots(links)) == {2}
    assert set(slots([links[0], links[2]])) == {1}


def test_the_best_link_stays_until_another_is_clearly_better_for_ten_seconds() -> None:
    ring = Ring(RingSpec("p_1", (Choice("prefer", "lowest_latency"),), policy="p"))
    assert set(slots(FOUR, ring=ring)) == {1}
    better = [FOUR[0], replace(FOUR[1], latency_ms=32.0), *FOUR[2:]]  # a fifth, but not ten milliseconds
    assert set(slots(better, ring=ring, at=5)) == set(slots(better, ring=ring, at=60)) == {1}
    better[1] = replace(FOUR[1], latency_ms=25.0)
    assert set(slots(better, ring=ring, at=61)) == {1}
    assert set(slots(FOUR, ring=ring, at=66)) == {1}  # it was for a moment
    assert set(slots(better, ring=ring, at=68)) == set(slots(better, ring=ring, at=77)) == {1}
    assert set(slots(better, ring=ring, at=78)) == {2}
    gone = [better[0], replace(better[1], state="down"), *better[2:]]
    assert set(slots(gone, ring=ring, at=79)) == {1}  # who fails is left at once
    assert set(slots(better, ring=ring, at=80)) == {1}


@pytest.mark.parametrize(
    ("criterion", "changes", "best"),
    [
        ("lowest_latency", {}, 1),
        ("lowest_cost", {1: {"cost_per_gb_minor": 5.0}, 2: {"cost_per_gb_minor": 2.0}, 3: {"is_metered": True}}, 4),
        ("highest_uptime", {3: {"uptime_percent": 99.9}, 1: {"uptime_percent": 98.0}}, 3),
        ("lowest_loss", {2: {"loss_percent": 0.0}, 1: {"loss_percent": 5.0}}, 2),
        ("highest_throughput", {1: {"rx_bps": 15e6}}, 2),
        ("most_remaining_data", {one: {"remaining_bytes": one * 10**9} for one in (1, 2, 3, 4)}, 4),
    ],
)
def test_what_each_criterion_prefers(criterion, changes, best) -> None:
    links = [replace(one, **changes.get(one.index, {})) for one in FOUR]
    assert set(slots(links, Choice("prefer", criterion))) == {best}
    links = [replace(one, state="down") if one.index == best else one for one in links]
    assert best not in slots(links, Choice("prefer", criterion))


def test_what_a_policy_falls_back_to() -> None:
    down = [replace(FOUR[0], state="down"), *FOUR[1:]]
    wanted = Choice("connection", "link1")
    assert slots(FOUR, wanted) == (1,) * 16
    assert slots(down, wanted) == ()  # nobody said what then: the next policy decides
    assert slots(down, replace(wanted, is_strict=True)) == (1,) * 16
    assert slots(down, wanted, Choice("block")) == BLOCKED
    assert set(slots(down, wanted, Choice("any"))) == {2, 3, 4}
    assert slots(down, wanted, Choice("next"), Choice("any")) == ()
    assert slots(FOUR, Choice("block")) == BLOCKED
    said = Ring(RingSpec("p_1", (wanted, Choice("any")), policy="p")).choose(down, {}, Rules(), 0.0)
    assert "not to be had: link1" in said.choice


def test_carriers_and_tags() -> None:
    links = [
        replace(FOUR[0], carrier="Carrier A", plmn="26201", home_plmn="26201", country="DE"),
        replace(FOUR[1], carrier="Carrier B", plmn="26202", home_plmn="20404", country="DE", is_roaming=True),
        replace(FOUR[2], carrier="Carrier C", plmn="23201", home_plmn="23201", country="AT", tags=("fast",)),
    ]
    assert set(slots(links, Choice("carrier", "carrier a"))) == {1}
    assert set(slots(links, Choice("carrier", "26202"))) == {2}
    assert set(slots(links, Choice("carrier", "local"))) == {1, 3}
    assert set(slots(links, Choice("carrier", "local"), router_country="DE")) == {1}
    assert set(slots(links, Choice("tag", "fast"))) == {3}
    assert slots(links, Choice("carrier", "nobody")) == ()


def test_the_cheapest_rate_above_the_cap_counts_when_all_caps_are_used_up() -> None:
    links = [
        replace(FOUR[0], cap_state="soft", cost_per_gb_minor=0.0, overage_per_gb_minor=1000.0),
        replace(FOUR[1], cap_state="soft", cost_per_gb_minor=0.0, overage_per_gb_minor=500.0),
        replace(FOUR[2], cap_state="hard", overage_per_gb_minor=1.0),
    ]
    assert slots(links, Choice("balance", "remaining_data"), Choice("overage")) == (2,) * 16
    assert set(slots(links)) == {2}  # the default ring does so by itself


def test_one_quick_link_is_left_to_pages_where_that_is_wanted() -> None:
    found = set(slots(FOUR, interactive_link_free=True))
    assert len(found) == 3 and 1 in found
    assert set(slots(FOUR, klass="interactive", interactive_link_free=True)) >= {1}
    assert set(slots(FOUR[:1], interactive_link_free=True)) == {1}


def test_devices_that_keep_their_link_are_moved_as_little_as_can_be() -> None:
    ring = Ring(RingSpec("bulk", (Choice("any"),), "bulk", "source"))
    first = slots(FOUR, ring=ring, algorithm="measured")
    assert slots([replace(FOUR[0], down_bps=18e6), *FOUR[1:]], ring=ring, algorithm="measured", at=99) == first
    down = [replace(FOUR[0], state="down"), *FOUR[1:]]
    after = slots(down, ring=ring, algorithm="measured", at=100)
    assert 1 not in after
    assert all(old == new for old, new in zip(first, after, strict=True) if old != 1)
    assert slots(FOUR, ring=ring, algorithm="measured", at=101) == after  # not at once again
    assert counts(slots(FOUR, ring=ring, algorithm="measured", at=131)) == counts(first)


@given(
    now=st.lists(st.integers(1, 8), min_size=16, max_size=16),
    wanted=st.lists(st.integers(1, 8), min_size=16, max_size=16),
)
def test_slots_are_rearranged_in_as_few_places_as_possible(now, wanted) -> None:
    target = counts(wanted)
    found = rearranged(now, target)
    assert counts(found) == target
    needed = sum(max(0, now.count(index) - target.get(index, 0)) for index in set(now))
    assert sum(old != new for old, new in zip(now, found, strict=True)) == needed


def test_a_ring_is_written_when_the_next_flows_would_take_another_link() -> None:
    rings = Rings()
    rings.choose(FOUR, {}, Rules(), 0.0)
    rings.loaded(0.0)
    assert rings.due(1.0) == {}
    rings.arrived({(0, "bulk"): 2})
    slots_now = rings.slots()["bulk"]
    assert slots_now[2:] + slots_now[:2] != slots_now
    assert list(rings.due(1.0)) == ["bulk"]  # two were taken, and were over before anybody saw them
    busy = [replace(FOUR[0], busy_flows=1, rx_bps=19e6), replace(FOUR[1], busy_flows=1, rx_bps=9e6), *FOUR[2:]]
    rings.choose(busy, {}, Rules(), 1.0)
    assert rings.due(1.0)["bulk"][:2] == (4, 3)  # those that carry nothing
    rings.written(rings.due(1.0), 1.0)
    assert rings.due(1.0) == {}


def test_rings_of_fixed_weights_are_left_alone_while_flows_come() -> None:
    rings = Rings()
    rings.choose(FOUR, {}, Rules("weighted"), 0.0)
    rings.loaded(0.0)
    rings.arrived({(0, "bulk"): 3, (0, "interactive"): 5, (0, None): 1})
    rings.choose([replace(one, busy_flows=4, rx_bps=1e6) for one in FOUR], {}, Rules("weighted"), 1.0)
    assert rings.due(1.0) == {}
