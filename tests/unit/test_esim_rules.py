"""Profiles switched by themselves: when, how often at most, and why, over restarts and real drives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from esim_support import AWAY, AWAY_ID, HOME, HOME_ID, Bench, Card, Profile, bench
from marshmallow import ValidationError
from remsim.config.esim_rules import EsimRuleOptions, EsimRuleSettings, rule_of
from remsim.config.settings import Settings, usable_settings
from remsim.config.sims import SimSettings
from remsim.core.bus import Bus, Numbered
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.esim.records import Records
from remsim.esim.rules import Rules
from remsim.simulator.drive import DRIVES, load
from remsim.telemetry.usage import Usage

THIRD = "8944000000000000003"
THIRD_ID = f"sim-{THIRD[-8:]}"
GB = 1_000_000_000
LOST = EsimRuleSettings("lost", modem="modem1", profile=AWAY_ID, when="no_service", for_s=300.0, cooldown_s=3600.0)


class Scene:
    """A modem with a card, its rules, and time that is told."""

    def __init__(self, directory: Path, *rules: EsimRuleSettings, sims: tuple[SimSettings, ...] = ()) -> None:
        directory.mkdir(exist_ok=True)
        card = Card(Profile(HOME, "Home", "enabled"), Profile(AWAY, "Away"), Profile(THIRD, "Third"))
        self.directory = directory
        self.said: dict[str, ModemReading] = {}
        self.one: Bench = bench(directory, card, settings=Settings(esim_rules=rules, sims=sims))
        self.one.holder.networks.add(THIRD)
        self.one.read()
        self.usage = Usage(directory / "usage.db", clock=self.one.clock)
        self.rules = self.started()
        self.number = 0

    def started(self) -> Rules:
        """The service as it starts; what is published before is not heard."""
        room = self.one.room
        self.bus = Bus()
        emit = room.emit

        def tell(event: Event) -> None:
            emit(event)
            self.bus.publish(event)

        room.emit = tell
        self.records = Records(self.directory / "records.db", clock=self.one.clock)
        self.rules = Rules(
            room, lambda: self.one.work, self.records, self.usage, self.bus, lambda: self.said, room.settings
        )
        return self.rules

    def restart(self) -> None:
        self.rules.stop()
        self.records.close()
        self.started()

    def publish(self, **values: Any) -> None:
        self.number += 1
        reading = ModemReading("modem1", self.one.clock.now(), **values)
        self.bus.publish(Numbered(self.number, reading))

    def run(self, seconds: float, step_s: float = 30.0, **values: Any) -> None:
        """Time in which the modem says the same, looked at as the service does."""
        for _ in range(round(seconds / step_s)):
            self.one.clock.advance(step_s)
            self.publish(**values)
            self.look()

    def look(self) -> None:
        self.rules.look()
        if self.rules.beginning is not None:
            self.rules.beginning.join(10)
        if (job := self.one.room.job_of("modem1")) is not None:
            assert job.wait(60)
        self.rules.look()

    @property
    def enabled(self) -> str | None:
        return self.one.card.enabled.name if self.one.card.enabled else None

    def verdict(self, rule: str = "lost") -> dict[str, Any]:
        return next(one for one in self.rules.view()["now"] if one["rule"] == rule)

    def log(self) -> list[tuple[str | None, str]]:
        return [(one["rule"], one["decision"]) for one in self.rules.view()["log"]]


def test_no_service_for_its_time_switches_and_says_why(tmp_path: Path) -> None:
    scene = Scene(tmp_path, LOST)
    scene.run(240, state="searching")
    assert (scene.enabled, scene.verdict()["decision"]) == ("Home", "waits")
    assert scene.verdict()["why"] == "there is no service; 90 s more, then to Away"
    scene.run(120, state="searching")
    assert scene.enabled == "Away"
    entry = scene.rules.view()["log"][0]
    assert (entry["decision"], entry["from"], entry["to"]) == ("switched", HOME_ID, AWAY_ID)
    assert entry["why"] == "there is no service: to Away"
    assert scene.one.told("esim_rule") == ["modem1: the rule lost switches: there is no service: to Away"]
    assert [one.data["actor"] for one in scene.one.events if one.kind == "esim_switch"] == ["the rule lost"]


def test_service_that_comes_back_in_between_begins_the_wait_anew(tmp_path: Path) -> None:
    scene = Scene(tmp_path, LOST)
    for _ in range(4):
        scene.run(270, state="searching")
        scene.run(30, state="online")
    assert scene.enabled == "Home"


@pytest.mark.parametrize("state", ["gone", "rebooting", "low_power", "no_sim", "not_answering", "paused", "sim_pin"])
def test_a_modem_that_cannot_tell_is_not_without_service(tmp_path: Path, state: str) -> None:
    scene = Scene(tmp_path, LOST)
    scene.run(60, state="searching")
    scene.bus.publish(Event("state", "modem1", scene.one.clock.now(), "it changed", data={"to": state}))
    for _ in range(40):
        scene.one.clock.advance(30)
        scene.look()
    assert scene.enabled == "Home"
    assert scene.verdict()["decision"] == "unknown"


def test_after_a_switch_of_whoever_it_rests(tmp_path: Path) -> None:
    scene = Scene(tmp_path, LOST)
    scene.one.done(scene.one.work.enable("modem1", THIRD_ID, actor="somebody"))
    scene.run(3300, state="searching")
    assert scene.enabled == "Third"
    assert "rests for" in scene.verdict()["why"]
    assert scene.log()[-1] == (None, "by_hand")
    scene.run(600, state="searching")
    assert scene.enabled == "Away"


def test_at_most_so_often_a_day_also_over_restarts(tmp_path: Path) -> None:
    there = replace(LOST, cooldown_s=60.0, most_per_day=2, only_from=HOME_ID)
    back = replace(there, name="back", profile=HOME_ID, only_from=AWAY_ID)
    scene = Scene(tmp_path, there, back)
    seen = set()
    for _ in range(12):
        scene.run(600, state="searching")
        seen.add(scene.enabled)
        scene.restart()
    done = [entry for entry in scene.rules.view()["log"] if entry["decision"] == "switched"]
    assert len(done) == 4 and seen == {"Home", "Away"}
    scene.run(600, state="searching")
    assert scene.verdict("lost")["decision"] == "blocked"
    assert scene.verdict("lost")["why"].endswith("it has switched 2 times in 24 hours, which is its limit")
    scene.one.clock.advance(86400)
    scene.run(900, state="searching")
    assert len([1 for entry in scene.rules.view()["log"] if entry["decision"] == "switched"]) > 4


@pytest.mark.parametrize("wall", [1000.0, 1_700_000_000.0])
def test_a_clock_that_is_wrong_neither_frees_nor_blocks_for_ever(tmp_path: Path, wall: float) -> None:
    scene = Scene(tmp_path, replace(LOST, cooldown_s=3600.0))
    scene.run(600, state="searching")
    scene.one.done(scene.one.work.enable("modem1", HOME_ID, actor="somebody"))
    scene.look()
    scene.one.clock.set_wall(wall)  # as after a boot without a clock
    scene.restart()
    scene.run(3000, state="searching")
    assert scene.enabled == "Home"
    scene.run(900, state="searching")
    assert scene.enabled == "Away"


def test_a_switch_that_goes_back_counts_and_rests(tmp_path: Path) -> None:
    scene = Scene(tmp_path, replace(LOST, cooldown_s=600.0, most_per_day=3))
    scene.one.holder.networks.discard(AWAY)
    scene.run(2 * 3600, state="searching")
    assert scene.enabled == "Home"
    assert [entry["decision"] for entry in scene.rules.view()["log"]] == ["blocked", "failed", "failed", "failed"]
    assert "no network took it" in scene.rules.view()["log"][1]["error"]
    begun = [entry.at for entry in scene.rules._log._entries if entry.decision == "failed"]
    assert all(later - before > 900 for before, later in zip(begun, begun[1:], strict=False))  # 5 min, then its rest


def test_nothing_is_switched_while_something_is_done_to_the_modem(tmp_path: Path) -> None:
    scene = Scene(tmp_path, LOST)
    scene.one.holder.busy = "scanning for networks"
    scene.run(600, state="searching")
    assert scene.enabled == "Home"
    assert scene.log() == [("lost", "blocked")]
    assert "scanning" in scene.rules.view()["log"][0]["why"]
    scene.one.holder.busy = None
    scene.run(300, state="searching")
    assert scene.enabled == "Away"
    assert scene.log()[0] == ("lost", "switched")


def test_what_only_tells_switches_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path, replace(LOST, only_tell=True))
    scene.run(3600, state="searching")
    assert scene.enabled == "Home"
    assert scene.log() == [("lost", "would_switch")]
    assert scene.one.told("esim_rule") == ["modem1: the rule lost: there is no service; it would switch to Away"]


def test_nothing_is_begun_that_cannot_be_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(tmp_path, LOST)
    monkeypatch.setattr(scene.records, "write", lambda *statements: False)
    scene.run(900, state="searching")
    assert scene.enabled == "Home"
    assert scene.rules.view()["log"][0]["why"] == "what it decides cannot be written down"


def test_a_profile_that_is_not_on_the_card_blocks_its_rule_only(tmp_path: Path) -> None:
    missing = replace(LOST, name="missing", profile="sim-ffffffff", priority=1)
    scene = Scene(tmp_path, missing, LOST)
    scene.run(600, state="searching")
    assert scene.enabled == "Away"
    assert (("missing", "blocked") in scene.log()) is True


def test_a_profile_that_must_not_be_disabled_is_not_left(tmp_path: Path) -> None:
    scene = Scene(tmp_path, LOST)
    scene.one.card.put(HOME, policy=frozenset({"cannot_disable"}))
    scene.one.read()
    scene.run(600, state="searching")
    assert "does not let it be disabled" in scene.verdict()["why"]
    assert scene.enabled == "Home"


# --- the reasons ---


def test_a_bad_signal_switches_and_within_the_hysteresis_it_stays_bad(tmp_path: Path) -> None:
    weak = replace(LOST, name="weak", when="signal", measure="rsrp_dbm", threshold=-110.0, hysteresis=5.0, for_s=120.0)
    scene = Scene(tmp_path, weak)
    scene.run(60, state="online", rsrp_dbm=-111.0)
    assert scene.verdict("weak")["since"] is not None
    scene.run(30, state="online", rsrp_dbm=-106.0)
    assert scene.verdict("weak")["is_so"] is True
    scene.run(60, state="online", rsrp_dbm=-106.0)
    assert scene.enabled == "Away"
    assert scene.rules.view()["log"][0]["why"] == "RSRP is -106 dBm: to Away"


def test_loss_is_bad_when_it_is_high(tmp_path: Path) -> None:
    lossy = replace(LOST, name="lossy", when="signal", measure="loss_percent", threshold=50.0, for_s=60.0)
    scene = Scene(tmp_path, lossy)
    scene.run(300, state="online", loss_percent=10.0)
    assert scene.enabled == "Home"
    scene.run(120, state="online", loss_percent=90.0)
    assert scene.enabled == "Away"


def plans(**home: Any) -> tuple[SimSettings, ...]:
    return SimSettings(HOME_ID.replace("-", "_"), **home), SimSettings(AWAY_ID.replace("-", "_"), cap_gb=10.0)


def used(scene: Scene, sim: str, rx: int) -> None:
    """The SIM uses so many bytes."""
    for at in (0, rx):
        scene.usage.record(
            ModemReading("modem1", scene.one.clock.now(), sim=sim, interface="wwan0", rx_bytes=at, tx_bytes=0)
        )


def test_a_cap_that_is_reached_switches_and_data_that_is_left_switches_back(tmp_path: Path) -> None:
    full = replace(LOST, name="full", when="usage", threshold=90.0, for_s=0.0)
    fresh = replace(LOST, name="fresh", when="unused", profile=HOME_ID, threshold=10.0, for_s=0.0, priority=60)
    scene = Scene(tmp_path, full, fresh, sims=plans(cap_gb=5.0))
    scene.run(120, state="online")
    assert (scene.enabled, scene.verdict("fresh")["decision"]) == ("Home", "holds")
    used(scene, HOME_ID, int(4.5 * GB))
    scene.run(120, state="online")
    assert scene.enabled == "Away"
    assert scene.rules.view()["log"][0]["why"] == "90 % of the cap are used: to Away"
    scene.run(2 * 3600, step_s=300.0, state="online")
    assert scene.enabled == "Away"
    assert scene.verdict("fresh")["value"] == 90.0
    scene.one.clock.advance(31 * 86400)  # the next cycle
    scene.run(300, state="online")
    assert scene.enabled == "Home"


def test_what_it_costs_switches(tmp_path: Path) -> None:
    dear = replace(LOST, name="dear", when="cost", threshold=20.0, for_s=0.0)
    scene = Scene(tmp_path, dear, sims=plans(price_gb=4.0, currency="EUR"))
    used(scene, HOME_ID, 4 * GB)
    scene.run(120, state="online")
    assert scene.enabled == "Home"
    assert (scene.verdict("dear")["value"], scene.verdict("dear")["unit"]) == (16.0, "EUR")
    used(scene, HOME_ID, GB)
    scene.run(120, state="online")
    assert scene.enabled == "Away"
    assert scene.rules.view()["log"][0]["why"] == "it has cost 20 EUR: to Away"


def test_a_country_switches_and_another_one_back(tmp_path: Path) -> None:
    abroad = replace(
        LOST, name="abroad", when="country", countries=("262",), abroad=True, for_s=60.0, cooldown_s=60.0
    )
    home = replace(abroad, name="home", abroad=False, profile=HOME_ID)
    scene = Scene(tmp_path, abroad, home)
    scene.run(300, state="online", plmn="26202")
    assert scene.verdict("home")["decision"] == "holds"
    scene.run(180, state="searching")  # no network, no country: nothing is known
    assert scene.enabled == "Home"
    scene.run(300, state="online", plmn="20801")
    assert scene.enabled == "Away"
    scene.run(300, state="online", plmn="26201")
    assert scene.enabled == "Home"


def test_hours_hold_a_profile_and_lower_rules_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day = replace(LOST, name="day", when="time", profile=THIRD_ID, from_time="08:00", to_time="18:00", priority=10,
                  cooldown_s=60.0)  # fmt: skip
    night = replace(day, name="night", profile=HOME_ID, from_time="18:00", to_time="08:00")
    scene = Scene(tmp_path, day, night, replace(LOST, cooldown_s=60.0))
    assert scene.one.clock.now() == 1_767_225_600.0  # midnight, UTC
    monkeypatch.setenv("TZ", "UTC")
    scene.run(7 * 3600, step_s=600.0, state="online")
    assert scene.enabled == "Home"
    scene.run(2 * 3600, step_s=600.0, state="online")
    assert scene.enabled == "Third"
    scene.run(3600, state="searching")
    assert (scene.enabled, scene.verdict("lost")["decision"]) == ("Third", "waits")
    assert scene.verdict("lost")["why"] == "there is no service, but day comes first"
    scene.run(9 * 3600, step_s=600.0, state="online")
    assert scene.enabled == "Home"


def test_a_rule_with_hours_sleeps_outside_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    scene = Scene(tmp_path, replace(LOST, from_time="02:00", to_time="03:00"))
    scene.run(3600, state="searching")
    assert (scene.enabled, scene.verdict()["why"]) == ("Home", "it is not within its hours")
    scene.run(3600 + 600, state="searching")
    assert scene.enabled == "Away"


def test_a_clock_that_is_not_set_has_no_hours(tmp_path: Path) -> None:
    scene = Scene(tmp_path, replace(LOST, name="day", when="time", days=("mon", "tue", "wed", "thu", "fri", "sat")))
    scene.one.clock.set_wall(1000.0)
    scene.run(3600, state="online")
    assert scene.enabled == "Home"


def test_priority_decides_between_two_that_are_so(tmp_path: Path) -> None:
    third = replace(LOST, name="third", profile=THIRD_ID, priority=1)
    scene = Scene(tmp_path, LOST, third)
    scene.run(600, state="searching")
    assert scene.enabled == "Third"


# --- real drives ---


@pytest.mark.parametrize("drive", sorted(path.stem for path in DRIVES.glob("*.csv")))
def test_on_a_real_drive_it_switches_when_the_signal_was_bad_so_long_and_never_else(tmp_path: Path, drive: str) -> None:
    levels = [one.rsrp_dbm for one in load(drive)]
    known = sorted(one for one in levels if one is not None)
    limit = known[len(known) // 4]
    weak = replace(
        LOST, name="weak", when="signal", measure="rsrp_dbm", threshold=limit, hysteresis=4.0, for_s=20.0,
        only_tell=True,
    )  # fmt: skip
    scene = Scene(tmp_path, weak)
    begun = scene.one.clock.now()
    for second, level in enumerate(levels):
        scene.one.clock.advance(1.0)
        scene.publish(state="online", rsrp_dbm=level)
        if second % 30 == 29:
            scene.look()
            assert (scene.verdict("weak")["decision"] == "would_switch") is so_long(levels[: second + 1], limit), second
    assert scene.one.clock.now() - begun == len(levels)


def so_long(levels: list[float | None], limit: float) -> bool:
    """Whether the level is bad since 20 s, by the book."""
    since: int | None = None
    last: float | None = None
    for second, level in enumerate(levels):
        last = level
        if level is None:
            continue
        is_bad = level < limit + (4.0 if since is not None else 0.0)
        since = (second if since is None else since) if is_bad else None
    return since is not None and last is not None and len(levels) - 1 - since >= 20


# --- the form, the preview, what is kept ---


def test_a_preview_says_what_a_rule_would_come_to_now(tmp_path: Path) -> None:
    scene = Scene(tmp_path, LOST)
    scene.run(60, state="searching", plmn=None)
    found = scene.rules.preview(replace(LOST, name="preview", for_s=0.0))["now"][0]
    assert (found["decision"], found["why"]) == ("switches", "there is no service: to Away")
    found = scene.rules.preview(replace(LOST, name="preview", for_s=600.0))["now"][0]
    assert (found["decision"], found["why"]) == ("waits", "there is no service; 10 min more, then to Away")
    assert scene.enabled == "Home" and scene.log() == []


def test_a_preview_knows_what_the_modem_said_last_also_without_rules(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    weak = replace(LOST, name="preview", when="signal", threshold=-100.0, for_s=0.0)
    assert scene.rules.preview(weak)["now"][0]["decision"] == "unknown"
    scene.said["modem1"] = ModemReading("modem1", scene.one.clock.now(), state="online", rsrp_dbm=-111.0)
    assert scene.rules.preview(weak)["now"][0]["why"] == "RSRP is -111 dBm: to Away"
    scene.one.clock.advance(120)
    assert scene.rules.preview(weak)["now"][0]["decision"] == "unknown"


def test_a_changed_rule_begins_anew_and_another_goes_on(tmp_path: Path) -> None:
    weak = replace(LOST, name="weak", when="signal", measure="rsrp_dbm", threshold=-110.0)
    scene = Scene(tmp_path, LOST, weak)
    scene.run(150, state="searching", rsrp_dbm=-120.0)
    before = scene.verdict("weak")["since"]
    settings = replace(scene.one.room.settings, esim_rules=(replace(LOST, for_s=400.0), weak))
    scene.rules.configure(settings)
    scene.run(30, state="searching", rsrp_dbm=-120.0)
    assert scene.verdict("weak")["since"] == before
    assert scene.verdict("lost")["since"] != before


def test_without_rules_nothing_is_listened_to(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert scene.rules._subscription is None
    scene.rules.configure(replace(scene.one.room.settings, esim_rules=(LOST,)))
    assert scene.rules._subscription is not None
    scene.rules.configure(replace(scene.one.room.settings, esim_rules=(replace(LOST, enabled=False),)))
    assert scene.rules._subscription is None
    assert scene.rules.view()["now"][0]["decision"] == "off"


def test_a_rule_that_somebody_wrote_wrongly_into_the_file_is_not_heeded(tmp_path: Path) -> None:
    text = f"config esim_rule 'weak'\n option modem 'modem1'\n option profile '{AWAY_ID}'\n option when 'signal'\n"
    (tmp_path / "remsim_console").write_text(text)
    settings, problems = usable_settings(tmp_path)
    assert [problem.field for problem in problems] == ["threshold"]
    scene = Scene(tmp_path / "run", *settings.esim_rules)
    scene.run(900, state="online", rsrp_dbm=-80.0)
    assert scene.enabled == "Home"
    assert (scene.verdict("weak")["decision"], scene.verdict("weak")["why"]) == (
        "off", "it cannot be heeded: threshold is needed",
    )  # fmt: skip


def test_a_switch_in_the_middle_of_which_the_service_ended_is_settled_by_the_card(tmp_path: Path) -> None:
    scene = Scene(tmp_path, LOST)
    data = {"label": "lost", "from": HOME_ID, "to": AWAY_ID, "decision": "switching", "why": "x", "job": None}
    scene.records.write(("INSERT INTO decisions VALUES (1, 1767225600.0, 'lost', 'modem1', ?)", (json.dumps(data),)))
    scene.restart()
    scene.look()
    assert scene.log() == [("lost", "failed")]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"when": "signal"}, "threshold"),
        ({"when": "usage", "threshold": -1}, "threshold"),
        ({"when": "country"}, "countries"),
        ({"when": "country", "countries": ["12"]}, "countries"),
        ({"when": "time"}, "from_time"),
        ({"when": "no_service", "from_time": "08:00"}, "to_time"),
        ({"when": "no_service", "only_from": AWAY_ID}, "only_from"),
        ({"when": "no_service", "cooldown_s": 5}, "cooldown_s"),
        ({"when": "weather"}, "when"),
        ({"profile": "Home"}, "profile"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(values: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as error:
        EsimRuleOptions().load({"modem": "modem1", "profile": AWAY_ID, **values})
    assert field in error.value.messages_dict
    assert rule_of(name="x", from_time="", days=[]).from_time is None
