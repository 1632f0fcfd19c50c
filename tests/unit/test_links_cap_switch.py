"""A link at its data cap changes its eSIM profile: when, how often, and what when it does not work."""

from __future__ import annotations

import json
import time
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from esim_support import AWAY, AWAY_ID, HOME, HOME_ID, Bench, Card, Profile, bench, sim_of
from remsim.config.routing import LinkSettings
from remsim.core.events import Event
from remsim.esim.desk import EsimDesk
from remsim.esim.errors import EsimError
from remsim.esim.store import SWITCH
from remsim.link_sources import EsimProfiles
from remsim.links.facts import ModemFacts
from remsim.links.money.cap_change import AWAY as THERE
from remsim.links.money.cap_change import GOING, LEFT, REFUSED, RETURNING, SETTLE_S, Change, Seen, next_step
from remsim.links.money.cap_switch import PUT_OFF_S, REST_S, CapSwitch
from remsim.telemetry.usage_report import Cycle, cycle_of, day_at

DAY_S = 86400.0
THIRD = "8944000000000000003"
LINK = LinkSettings("wan1", title="Mobile", modem="1-1", at_cap="switch", cap_profile="Away", cap_mbytes=1000)


def change(state: str, **more: Any) -> Change:
    return Change("home", 100.0, state, to="away", name="Away", **more)


@pytest.mark.parametrize(
    ("before", "sim", "used_up", "new_cycle", "steady_s", "step"),
    [
        (None, "home", False, False, 99, ""),
        (None, "home", True, False, 0, "go"),
        (change(GOING), "away", False, False, 0, "arrived"),
        (change(GOING), "home", True, False, 99, "failed"),
        (change(GOING), "other", False, False, 0, "failed"),
        (change(REFUSED), "home", True, False, 99, "go"),
        (change(REFUSED, not_before=2000.0), "home", True, False, 99, ""),
        (change(REFUSED), "home", False, False, 99, "forget"),
        (change(REFUSED), "home", True, True, 99, "forget"),
        (change(REFUSED), "away", False, False, 0, ""),
        (change(REFUSED), "away", False, False, 99, "arrived"),
        (change(REFUSED), "other", False, False, 99, "forget"),
        (change(THERE), "away", False, False, 99, ""),
        (change(THERE), "away", True, False, 99, ""),
        (change(THERE), "away", True, True, 99, "back"),
        (change(THERE, not_before=2000.0), "away", False, True, 99, ""),
        (change(THERE), "home", True, False, 0, ""),
        (change(THERE), "home", True, False, 99, "left"),
        (change(THERE), "home", False, True, 99, "forget"),
        (change(THERE), "other", False, False, 99, "left"),
        (change(RETURNING), "home", False, True, 0, "home"),
        (change(RETURNING), "away", False, True, 99, "failed"),
        (change(LEFT), "home", True, False, 99, ""),
        (change(LEFT), "away", True, False, 99, ""),
        (change(LEFT), "home", False, True, 99, "forget"),
        (change(LEFT), "other", True, False, 99, "go"),
        (change(LEFT), "other", False, False, 99, ""),
    ],
)
def test_what_is_done_next(
    before: Change | None, sim: str, used_up: bool, new_cycle: bool, steady_s: float, step: str
) -> None:
    assert next_step(before, Seen(sim, used_up, new_cycle, 1000.0, steady_s)) == step


class FakeCaps:
    """Who has used how much is said by the test; cycles are months."""

    def __init__(self, one: Bench) -> None:
        self._one = one
        self.used_up: set[str] = set()

    def is_used_up(self, index: int, sim: str) -> bool | None:
        return sim in self.used_up

    def cycle(self, index: int, sim: str) -> Cycle | None:
        return cycle_of(day_at(self._one.clock.now()), 1)


class Scene:
    """A link over a modem whose eUICC has two profiles."""

    def __init__(self, directory: Path, *profiles: Profile) -> None:
        card = Card(Profile(HOME, "Home", "enabled"), Profile(AWAY, "Away"), *profiles)
        self.directory = directory
        self.one = bench(directory, card)
        self.caps = FakeCaps(self.one)
        self.is_there = True
        self.links = {1: LINK}
        self.start()

    def start(self) -> None:
        one = self.one
        parts = SimpleNamespace(cards=one.room.cards, work=one.work, room=one.room, store=one.store)
        desk = cast(EsimDesk, SimpleNamespace(parts=parts))
        path = self.directory / "link-caps.json"
        self.switch = CapSwitch(
            path, one.clock, one.events.append, self.caps, lambda link: self.facts(), EsimProfiles(desk)
        )
        self.switch.configure(self.links)

    def facts(self) -> ModemFacts | None:
        enabled = self.one.card.enabled
        sim = None if enabled is None else sim_of(enabled.iccid)
        return ModemFacts("1-1", "modem1", "Modem", sim=sim) if self.is_there else None

    def look(self) -> None:
        """Once, with all that it begins."""
        self.switch.look()
        end = time.monotonic() + 60
        while self.switch.aside.is_busy:
            assert time.monotonic() < end
            time.sleep(0.002)
        if (job := self.one.room.job_of("modem1")) is not None:
            assert job.wait(60)
        self.switch.look()

    def run(self, seconds: float, step_s: float = 60.0) -> None:
        for _ in range(max(1, round(seconds / step_s))):
            self.one.clock.advance(step_s)
            self.look()

    def next_month(self) -> None:
        now = day_at(self.one.clock.now())
        days = (cycle_of(now, 1).last + timedelta(days=1) - now).days
        self.one.clock.advance(days * DAY_S)

    @property
    def enabled(self) -> str | None:
        return self.one.card.enabled.name if self.one.card.enabled else None

    @property
    def state(self) -> str | None:
        view = self.switch.view("wan1")
        return None if view is None else str(view["state"])

    @property
    def told(self) -> list[str]:
        return self.one.told("link_cap")


def test_it_goes_once_and_back_in_the_next_cycle(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.look()
    assert (scene.enabled, scene.state, scene.told) == ("Home", None, [])
    scene.caps.used_up = {HOME_ID}
    scene.look()
    assert (scene.enabled, scene.state) == ("Away", "away")
    assert scene.switch.view("wan1") == {
        "state": "away",
        "profile": AWAY_ID,
        "profile_name": "Away",
        "from": HOME_ID,
        "from_name": "Home",
        "until": cycle_end(scene).isoformat(),
        "problem": None,
    }
    assert scene.told == ["Mobile is at its data cap, and has changed to the profile Away"]
    scene.caps.used_up = set()  # raised, or a count that was put right
    scene.run(3600)
    assert scene.enabled == "Away", "only the next cycle leads back"
    scene.next_month()
    scene.look()
    assert (scene.enabled, scene.state) == ("Home", None)
    assert scene.told[1:] == ["Mobile begins a billing cycle, and is back with the profile Home"]
    actors = {event.data["actor"] for event in scene.one.events if event.kind == "esim_switch"}
    assert actors == {"the data cap of Mobile"}


def cycle_end(scene: Scene) -> date:
    return cycle_of(day_at(scene.one.clock.now()), 1).last


def test_both_at_their_caps_it_only_leaves(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.caps.used_up = {HOME_ID, AWAY_ID}
    scene.run(2 * 3600)
    assert (scene.enabled, scene.state) == ("Home", "refused")
    why = "Mobile is at its data cap, and cannot change to the profile Away: its data cap is used up, too"
    assert scene.told == [why]


def test_the_other_that_reaches_its_cap_stays(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.caps.used_up = {HOME_ID}
    scene.look()
    scene.caps.used_up = {HOME_ID, AWAY_ID}
    scene.run(3 * 3600)
    assert (scene.enabled, scene.state, len(scene.told)) == ("Away", "away", 1)


def test_it_is_known_after_a_restart(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.caps.used_up = {HOME_ID}
    scene.look()
    scene.start()
    scene.run(3600)
    assert (scene.enabled, scene.state) == ("Away", "away")
    scene.next_month()
    scene.caps.used_up = set()
    scene.start()
    scene.look()
    assert (scene.enabled, scene.state) == ("Home", None)


@pytest.mark.parametrize(("is_done", "state"), [(True, "away"), (False, "refused")])
def test_a_service_that_is_killed_on_the_way_finds_out_and_does_not_begin_anew(
    tmp_path: Path, is_done: bool, state: str
) -> None:
    scene = Scene(tmp_path)
    kept = {"home": HOME_ID, "since": scene.one.clock.now(), "state": "going", "to": AWAY_ID, "name": "Away"}
    (tmp_path / "link-caps.json").write_text(json.dumps({"wan1": kept}))
    scene.one.read()
    if is_done:
        scene.one.done(scene.one.work.enable("modem1", AWAY_ID, actor="what was before"))
    scene.caps.used_up = {HOME_ID}
    scene.start()
    scene.look()
    assert (scene.enabled, scene.state) == ("Away" if is_done else "Home", state)
    scene.run(3600)
    assert scene.enabled == ("Away" if is_done else "Home")


def test_a_switch_that_was_cut_short_is_first_taken_up(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.one.store.put(SWITCH, "modem1", {"of": "a switch that waits for its modem"})
    scene.caps.used_up = {HOME_ID}
    scene.run(3600)
    assert (scene.enabled, scene.state) == ("Home", None)
    scene.one.store.drop(SWITCH, "modem1")
    scene.look()
    assert scene.enabled == "Away"


def test_a_profile_that_no_network_takes_is_tried_again_after_hours(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.one.holder.networks.discard(AWAY)
    scene.caps.used_up = {HOME_ID}
    scene.look()
    assert (scene.enabled, scene.state) == ("Home", "refused")
    assert len(scene.told) == 1 and "no network took it" in scene.told[0]
    tried = len(scene.one.told("esim_switch"))
    scene.run(REST_S - 600)
    assert len(scene.one.told("esim_switch")) == tried
    scene.one.holder.networks.add(AWAY)
    scene.run(1200)
    assert (scene.enabled, scene.state) == ("Away", "away")


def test_a_busy_modem_is_tried_again_soon_and_told_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.one.read()
    scene.caps.used_up = {HOME_ID}
    scene.one.holder.away = "modem1 has the card of a remote SIM: switch it to the SIM in its tray first"
    scene.run(3 * PUT_OFF_S)
    assert (scene.enabled, scene.state, len(scene.told)) == ("Home", "refused", 1)
    assert scene.told[0].endswith("profile Away: " + scene.one.holder.away)
    scene.one.holder.away = None
    scene.run(PUT_OFF_S)
    assert (scene.enabled, scene.state) == ("Away", "away")


def test_going_back_that_fails_is_tried_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.caps.used_up = {HOME_ID}
    scene.look()
    scene.next_month()
    scene.caps.used_up = set()
    scene.one.holder.networks.discard(HOME)
    scene.look()
    assert (scene.enabled, scene.state) == ("Away", "away")
    assert "cannot go back to its profile" in scene.told[-1]
    assert scene.switch.view("wan1")["problem"]  # type: ignore[index]
    scene.one.holder.networks.add(HOME)
    scene.run(REST_S)
    assert (scene.enabled, scene.state) == ("Home", None)


def test_who_switches_by_hand_is_left_alone_until_the_next_cycle(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.caps.used_up = {HOME_ID}
    scene.look()
    scene.one.done(scene.one.work.enable("modem1", HOME_ID, actor="ann"))
    scene.run(3 * SETTLE_S)
    assert (scene.enabled, scene.state) == ("Home", "left")
    assert scene.told[-1] == "Mobile was given another profile, and is left alone until its next cycle"
    scene.run(DAY_S, 3600)
    scene.start()
    scene.run(DAY_S, 3600)
    assert (scene.enabled, len(scene.told)) == ("Home", 2)
    scene.next_month()
    scene.caps.used_up = set()
    scene.look()
    assert scene.state is None
    scene.caps.used_up = {HOME_ID}
    scene.look()
    assert scene.enabled == "Away"


def test_a_profile_that_is_missing_is_looked_for_on_the_card_and_told_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.links = {1: LinkSettings("wan1", modem="1-1", at_cap="switch", cap_profile=THIRD)}
    scene.start()
    scene.caps.used_up = {HOME_ID}
    scene.run(2 * PUT_OFF_S)
    assert (scene.enabled, scene.state) == ("Home", "refused")
    masked = "•" * 15 + THIRD[-4:]
    assert scene.told == [f"wan1 is at its data cap, and cannot change to the profile {masked}: it is not on the eUICC"]
    scene.one.card.held.append(Profile(THIRD, "Third"))
    scene.one.holder.networks.add(THIRD)
    scene.run(PUT_OFF_S)
    assert scene.enabled == "Third"


def test_other_settings_are_tried_at_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.switch.configure({1: LinkSettings("wan1", modem="1-1", at_cap="switch", cap_profile="Hom")})
    scene.caps.used_up = {HOME_ID}
    scene.look()
    assert scene.state == "refused"
    scene.switch.configure({1: LINK})
    scene.look()
    assert scene.enabled == "Away"


def test_a_link_that_is_no_longer_to_change_stays_where_it_is(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.caps.used_up = {HOME_ID}
    scene.look()
    scene.switch.configure({1: LinkSettings("wan1", modem="1-1")})
    scene.next_month()
    scene.look()
    assert (scene.enabled, scene.state) == ("Away", None)
    assert json.loads((tmp_path / "link-caps.json").read_text()) == {}


def test_a_modem_that_is_away_and_a_clock_that_is_not_set_are_waited_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.caps.used_up = {HOME_ID}
    scene.is_there = False
    scene.run(3600)
    scene.is_there = True
    now = scene.one.clock.now()
    scene.one.clock.set_wall(1000.0)
    scene.run(3600)
    assert (scene.enabled, scene.state, scene.told) == ("Home", None, [])
    scene.one.clock.set_wall(now)
    scene.look()
    assert scene.enabled == "Away"


def test_a_clock_that_was_wrong_does_not_keep_it_away_for_ever(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    now = scene.one.clock.now()
    scene.caps.used_up = {HOME_ID}
    scene.one.clock.set_wall(now + 4000 * DAY_S)
    scene.look()
    scene.one.clock.set_wall(now)
    scene.caps.used_up = set()
    scene.run(3600)
    assert scene.enabled == "Away"
    scene.next_month()
    scene.look()
    assert scene.enabled == "Home"


def test_without_a_disk_nothing_is_begun(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    (tmp_path / ".link-caps.json.new").mkdir()
    scene.caps.used_up = {HOME_ID}
    scene.run(3600)
    assert (scene.enabled, scene.state) == ("Home", "refused")
    assert "cannot be written down" in scene.told[0] and len(scene.told) == 1


@pytest.mark.parametrize("text", ["{", "[]", '{"wan1": 5}', '{"wan1": {"home": 5, "since": 1}}', '{"wan1": {"x": 1}}'])
def test_a_damaged_file_costs_only_the_way_back(tmp_path: Path, text: str) -> None:
    (tmp_path / "link-caps.json").write_text(text)
    scene = Scene(tmp_path)
    scene.caps.used_up = {HOME_ID}
    scene.look()
    assert scene.enabled == "Away"


def test_one_that_fails_in_an_unforeseen_way_is_told(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.one.card.moods.next["enable"] = [EsimError("the card says no"), EsimError("the card says no")]
    scene.caps.used_up = {HOME_ID}
    scene.look()
    assert (scene.enabled, scene.state) == ("Home", "refused") and "the card says no" in scene.told[0]


@pytest.mark.parametrize("wanted", [AWAY_ID, AWAY, AWAY + "F", "Away", "away", " Away "])
def test_a_profile_is_found_by_id_number_or_name(tmp_path: Path, wanted: str) -> None:
    scene = Scene(tmp_path)
    scene.switch.configure({1: LinkSettings("wan1", modem="1-1", at_cap="switch", cap_profile=wanted)})
    scene.caps.used_up = {HOME_ID}
    scene.look()
    assert scene.enabled == "Away"


def test_a_name_that_two_have_is_not_guessed(tmp_path: Path) -> None:
    scene = Scene(tmp_path, Profile(THIRD, "Away"))
    scene.caps.used_up = {HOME_ID}
    scene.look()
    assert (scene.enabled, scene.told[0].rpartition(": ")[2]) == ("Home", "several profiles have that name")


def test_events_say_whose_cap_and_which_profiles(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.caps.used_up = {HOME_ID}
    scene.look()
    found: list[Event] = [one for one in scene.one.events if one.kind == "link_cap"]
    assert [(one.source, one.severity, one.data) for one in found] == [
        ("wan1", "info", {"link": "wan1", "state": "away", "from": HOME_ID, "to": AWAY_ID})
    ]
