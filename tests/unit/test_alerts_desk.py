"""Alerts as they are kept and told: once, in order, over restarts, and not at all where somebody wants silence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from remsim.alerts.desk import FOUND_AFTER_S, Alerts
from remsim.alerts.notice import Notice
from remsim.alerts.watch import Sources
from remsim.config.alerting import AlertSettings
from remsim.config.channels import ChannelSettings
from remsim.config.settings import Settings
from remsim.core.bus import Bus, Numbered
from remsim.core.clock import FakeClock
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.outbound.way import Undelivered
from remsim.telemetry.journal import Journal
from remsim.telemetry.sequence import Sequence

POOR = AlertSettings("poor", "Poor", measure="rsrp_dbm", comparison="below", threshold=-110.0, for_s=60.0)
SILENT = "not_answering,gone"
DEAD = AlertSettings(
    "dead", "Dead", source="state", measure="state", comparison="is", threshold=SILENT, severity="critical"
)
HOOK = ChannelSettings("hook", "webhook", url="https://example.org/")
MAIL = ChannelSettings("mail", "smtp", host="example.org", min_severity="critical")


@dataclass
class House:
    """A router's parts around its alerts, which can be stopped and started again."""

    directory: Path
    rules: tuple[AlertSettings, ...] = (POOR,)
    channels: tuple[ChannelSettings, ...] = (HOOK,)
    states: dict[str, str] = field(default_factory=lambda: {"modem1": "online", "modem2": "online"})
    router: dict[str, Any] = field(default_factory=dict)
    usage: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[tuple[str, Notice]] = field(default_factory=list)
    fails: str | None = None
    later: list[Callable[[], None]] | None = None

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.bus = Bus()
        self.journal = Journal(
            self.directory / "journal.db", clock=self.clock, sequence=Sequence(self.directory / "sequence")
        )
        self.updates: list[dict[str, Any]] = []
        self.alerts = self.start()

    def start(self) -> Alerts:
        self.alerts = Alerts(
            self.directory / "alerts.db",
            settings=Settings(alerts=self.rules, channels=self.channels),
            bus=self.bus,
            clock=self.clock,
            journal=self.journal,
            emit=lambda event: self.bus.publish(self.journal.append(event)),
            sources=Sources(lambda: self.states, lambda: self.router, lambda: self.usage),
            send=self.send,
            router_name="router",
            start_lane=(lambda work: work()) if self.later is None else self.later.append,
            gather_s=0.0,
        )
        self.alerts.recall()
        return self.alerts

    def restart(self, off_s: float = 0.0, *, killed: bool = False) -> None:
        """Stop and start anew; ``killed``: without the time to write anything."""
        if killed:
            self.alerts._store.close()
            self.alerts._subscription.close()
        else:
            self.alerts.stop()
        self.clock.advance(off_s)
        self.start()

    def send(self, channel: ChannelSettings, notice: Notice) -> None:
        if self.fails:
            raise Undelivered(self.fails)
        self.sent.append((channel.name, notice))

    def read(self, modem: str = "modem1", **values: Any) -> None:
        self.take(Numbered(1, ModemReading(modem, self.clock.now(), **values)))

    def state(self, modem: str, to: str, kind: str = "state") -> None:
        self.states[modem] = to
        self.take(Event(kind, modem, self.clock.now(), "", data={"to": to}))

    def take(self, *messages: Any) -> None:
        self.alerts.tick()
        self.alerts.take(messages)
        self.alerts.tick()

    def wait(self, seconds: float) -> None:
        """Let time pass as the thread would: awake when something is due."""
        until = self.clock.monotonic() + seconds
        while True:
            self.alerts.tick()
            sleep_s = self.alerts.sleep_s()
            left = until - self.clock.monotonic()
            if sleep_s is None or sleep_s >= left:
                break
            self.clock.advance(max(sleep_s, 0.001))
        self.clock.advance(left)
        self.alerts.tick()

    @property
    def told(self) -> list[tuple[str, list[tuple[str, str]]]]:
        return [(name, [(one["rule"], one["state"]) for one in notice.alerts]) for name, notice in self.sent]

    def shown(self) -> list[tuple[str, str | None, str]]:
        return [(one["rule"], one["modem"], one["state"]) for one in self.alerts.views(0)]


@pytest.fixture
def house(tmp_path: Path) -> Iterable[House]:
    made = House(tmp_path)
    yield made
    made.alerts.stop()
    made.journal.close()


def change(house: House, *rules: AlertSettings, channels: tuple[ChannelSettings, ...] | None = None) -> None:
    house.rules = rules
    house.channels = house.channels if channels is None else channels
    house.alerts.configure(Settings(alerts=house.rules, channels=house.channels))
    house.alerts.tick()


def test_it_is_told_when_it_fires_and_when_it_is_over(house: House) -> None:
    house.read(rsrp_dbm=-115)
    house.wait(59)
    assert house.sent == []
    house.wait(1)
    house.read(rsrp_dbm=-90)
    assert house.told == [("hook", [("poor", "firing")]), ("hook", [("poor", "resolved")])]
    (ended,) = house.alerts.views()
    assert ended["last_notification"]["result"] == "sent"
    kinds = [(event.kind, event.source, event.severity) for event in house.journal.query()[0]]
    assert kinds == [("alert", "modem1", "info"), ("alert", "modem1", "warning")]


def test_what_fires_is_not_told_again_after_a_restart_and_its_end_is(house: House) -> None:
    house.read(rsrp_dbm=-115)
    house.wait(60)
    for killed in (False, True):
        house.restart(30, killed=killed)
        house.read(rsrp_dbm=-115)
        house.wait(300)
        assert len(house.sent) == 1
    assert house.shown() == [("poor", "modem1", "firing")]
    house.restart(30)
    house.read(rsrp_dbm=-90)
    assert house.told[1:] == [("hook", [("poor", "resolved")])]


def test_a_wait_goes_on_over_a_restart(house: House) -> None:
    house.read(rsrp_dbm=-115)
    house.wait(30)
    house.restart(20)
    assert house.shown() == [("poor", "modem1", "pending")]
    house.read(rsrp_dbm=-115)
    house.wait(9)
    assert house.sent == []
    house.wait(1)
    assert house.told == [("hook", [("poor", "firing")])]


def test_a_long_wait_outlives_a_power_cut(house: House) -> None:
    change(house, replace(POOR, for_s=600.0))
    house.read(rsrp_dbm=-115)
    house.wait(200)
    house.restart(100, killed=True)
    house.read(rsrp_dbm=-115)
    house.wait(299)
    assert house.sent == []
    house.wait(1)
    assert len(house.sent) == 1


def test_after_a_restart_with_a_clock_that_is_not_set_nothing_fires_too_early(house: House) -> None:
    house.read(rsrp_dbm=-115)
    house.wait(10)
    house.alerts.stop()
    house.clock.set_wall(1000.0)
    house.start()
    house.read(rsrp_dbm=-115)
    house.wait(59)
    assert house.sent == []
    house.clock.set_wall(1_800_000_000.0)
    house.wait(1)
    assert len(house.sent) == 1


def test_a_rule_that_is_gone_or_another_one_ends_its_alert_and_that_is_told(house: House) -> None:
    for rules in ((), (replace(POOR, threshold=-112.0, for_s=600.0),), (replace(POOR, enabled=False),)):
        change(house, POOR)
        house.read(rsrp_dbm=-115)
        house.wait(60)
        house.sent.clear()
        change(house, *rules)
        assert house.told == [("hook", [("poor", "resolved")])]
        assert house.sent[0][1].alerts[0]["reason"].startswith("the rule was")
        change(house)


def test_a_rule_that_was_removed_while_the_service_was_off_ends_its_alert(house: House) -> None:
    house.read(rsrp_dbm=-115)
    house.wait(60)
    house.rules = ()
    house.restart(10)
    house.alerts.tick()
    assert house.told[1:] == [("hook", [("poor", "resolved")])]
    assert house.shown() == []


def test_other_words_of_a_rule_do_not_end_its_alert(house: House) -> None:
    house.read(rsrp_dbm=-115)
    house.wait(60)
    change(house, replace(POOR, label="Weak", severity="critical"))
    (alert,) = house.alerts.views()
    assert (alert["label"], alert["severity"], alert["state"]) == ("Weak", "critical", "firing")
    assert len(house.sent) == 1


def test_an_unplugged_modem_ends_what_is_about_its_values_and_not_what_is_about_its_state(house: House) -> None:
    change(house, POOR, DEAD)
    house.read(rsrp_dbm=-115, state="online")
    house.wait(60)
    house.state("modem1", "gone")
    assert house.shown() == [("dead", "modem1", "firing")]
    reasons = [one["reason"] for _, notice in house.sent for one in notice.alerts if one["state"] == "resolved"]
    assert reasons == ["the modem is gone"]
    house.take(Event("forgotten", "modem1", house.clock.now(), ""))
    assert house.shown() == []


def test_a_modem_that_is_not_there_after_a_restart_counts_as_unplugged(house: House) -> None:
    change(house, POOR, DEAD)
    house.read(rsrp_dbm=-115)
    house.wait(60)
    del house.states["modem1"]
    house.restart(30)
    house.wait(FOUND_AFTER_S - 1)
    assert ("poor", "modem1", "firing") in house.shown()
    house.wait(1)
    assert house.shown() == [("dead", "modem1", "firing")]


def test_a_modem_that_starts_again_does_not_end_what_is_about_its_state(house: House) -> None:
    change(house, DEAD)
    house.state("modem1", "not_answering", "error")
    house.restart(10)
    house.states["modem1"] = "starting"
    house.state("modem1", "starting")
    assert house.shown() == [("dead", "modem1", "firing")]
    house.state("modem1", "online", "connect")
    assert house.shown() == []
    assert len(house.sent) == 2


def test_events_of_before_a_restart_count(house: House) -> None:
    rule = AlertSettings(
        "storm", source="event", measure="reboot", comparison="count_at_least", threshold=3.0, window_s=600.0
    )
    change(house, rule)

    def reboot() -> None:
        house.take(house.journal.append(Event("reboot", "modem1", house.clock.now(), "")))

    reboot()
    reboot()
    house.restart(60)
    assert house.sent == []
    reboot()
    assert house.told == [("hook", [("storm", "firing")])]
    house.restart(60)
    house.wait(479)
    assert len(house.sent) == 1
    house.wait(2)
    assert house.told[1:] == [("hook", [("storm", "resolved")])]


def test_without_a_clock_old_events_do_not_count_as_new_ones(house: House) -> None:
    storm = AlertSettings(
        "storm", source="event", measure="reboot", comparison="count_at_least", threshold=3.0, window_s=600.0
    )
    change(house, storm)
    for _ in range(5):
        house.take(house.journal.append(Event("reboot", "modem1", house.clock.now(), "")))
        house.wait(300)
    house.wait(5000)
    house.alerts.stop()
    house.clock.set_wall(1000.0)
    house.start()
    house.wait(60)
    assert house.shown() == []
    house.clock.set_wall(house.journal.query()[0][0].at + 7200)
    house.restart()
    assert house.shown() == []


def test_a_silence_made_without_a_clock_is_as_long_as_was_wanted(house: House) -> None:
    house.clock.set_wall(1000.0)
    house.alerts.silence(None, None, house.clock.now() + 500, "", "me")
    house.wait(100)
    house.clock.set_wall(1_800_000_000.0)
    house.wait(1)
    house.restart()
    house.wait(390)
    assert len(house.alerts.silences()) == 1
    house.wait(10)
    assert house.alerts.silences() == []


def test_an_acknowledged_alert_is_not_told_again_and_its_end_is(house: House) -> None:
    change(house, replace(POOR, repeat_s=100.0))
    house.read(rsrp_dbm=-115)
    house.wait(60)
    house.wait(250)
    assert len(house.sent) == 3
    house.alerts.acknowledge(house.alerts.views()[0]["id"], "me")
    house.wait(1000)
    assert len(house.sent) == 3
    house.restart(10)
    house.wait(1000)
    assert house.alerts.views()[0]["acknowledged_by"] == "me"
    house.read(rsrp_dbm=-90)
    assert len(house.sent) == 4


def test_a_silenced_alert_is_told_when_the_silence_is_over(house: House) -> None:
    house.alerts.silence("poor", "modem1", house.clock.now() + 500, "works", "me")
    house.read(rsrp_dbm=-115)
    house.read("modem2", rsrp_dbm=-115)
    house.wait(60)
    assert [one["modem"] for one in house.sent[0][1].alerts] == ["modem2"]
    house.restart(100)
    house.read(rsrp_dbm=-115)
    assert house.alerts.silences()[0]["comment"] == "works"
    house.wait(339)
    assert len(house.sent) == 1
    house.wait(2)
    assert [one["modem"] for one in house.sent[1][1].alerts] == ["modem1"]
    assert house.alerts.silences() == []


def test_a_silenced_alert_that_ends_is_not_told_at_all(house: House) -> None:
    house.alerts.silence(None, None, house.clock.now() + 500, "", "me")
    house.read(rsrp_dbm=-115)
    house.wait(60)
    house.read(rsrp_dbm=-90)
    house.wait(1000)
    assert house.sent == []


def test_a_silence_during_an_alert_keeps_repeats_back_and_not_its_end(house: House) -> None:
    change(house, replace(POOR, repeat_s=100.0))
    house.read(rsrp_dbm=-115)
    house.wait(60)
    house.alerts.silence("poor", None, house.clock.now() + 1000, "", "me")
    house.wait(500)
    assert len(house.sent) == 1
    house.read(rsrp_dbm=-90)
    assert house.told[1:] == [("hook", [("poor", "resolved")])]


def test_a_channel_hears_of_its_severity_only_and_a_rule_may_choose(house: House) -> None:
    change(house, POOR, DEAD, replace(POOR, name="mine", channels=("mail",)), channels=(HOOK, MAIL))
    house.read(rsrp_dbm=-115)
    house.wait(60)
    house.state("modem1", "not_answering", "error")
    assert house.told == [
        ("hook", [("poor", "firing")]), ("hook", [("dead", "firing")]), ("mail", [("dead", "firing")]),
    ]  # fmt: skip


def test_what_fires_at_once_is_one_message(house: House) -> None:
    house.read(rsrp_dbm=-115)
    house.read("modem2", rsrp_dbm=-115)
    house.wait(60)
    ((_, notice),) = house.sent
    assert len(notice.alerts) == 2
    assert notice.title == "[router] 2 alerts"


def test_a_channel_that_fails_gets_everything_later_in_order_and_folded(house: House) -> None:
    house.fails = "no route to host"
    house.read(rsrp_dbm=-115)
    house.wait(60)
    house.read(rsrp_dbm=-90)
    house.read("modem2", rsrp_dbm=-115)
    house.wait(3600)
    state = house.alerts.channel_states()["hook"]
    assert (state["queue"], state["is_failing"]) == (3, True)
    assert state["last_error"]["message"] == "no route to host"
    house.restart(600, killed=True)
    assert house.alerts.channel_states()["hook"]["queue"] == 3
    house.fails = None
    house.wait(1)
    ((_, notice),) = house.sent
    assert [(one["modem"], one["state"]) for one in notice.alerts] == [("modem1", "resolved"), ("modem2", "firing")]
    assert house.alerts.channel_states()["hook"]["queue"] == 0
    house.restart(1)
    house.wait(600)
    assert len(house.sent) == 1


def test_a_failing_channel_is_tried_ever_more_rarely(house: House) -> None:
    tries: list[float] = []

    def refuse(channel: ChannelSettings, notice: Notice) -> None:
        tries.append(house.clock.monotonic())
        raise Undelivered("no")

    house.alerts._outbox._send = refuse
    house.read(rsrp_dbm=-115)
    house.wait(60 + 3600)
    gaps = [round(after - before) for before, after in zip(tries, tries[1:], strict=False)]
    assert gaps[:7] == [5, 10, 20, 40, 80, 160, 300]
    assert set(gaps[7:]) == {300}


def test_a_channel_that_fails_in_the_same_way_is_written_down_once(house: House) -> None:
    house.fails = "no"
    house.read("modem1", rsrp_dbm=-115)
    house.read("modem2", rsrp_dbm=-115)
    house.wait(70)
    house.read("modem1", rsrp_dbm=-90)
    house.wait(3600)
    written = house.alerts._store._db.total_changes
    house.wait(3600)
    assert house.alerts._store._db.total_changes == written
    house.fails = "not yet"
    house.wait(300)
    assert house.alerts._store._db.total_changes > written
    assert {one["last_notification"]["result"] for one in house.alerts.views()} == {"not yet"}


def test_what_cannot_be_sent_for_a_day_is_given_up(house: House) -> None:
    house.fails = "no"
    house.read(rsrp_dbm=-115)
    house.wait(60)
    house.wait(86400 + 300)
    state = house.alerts.channel_states()["hook"]
    assert (state["queue"], state["lost"]) == (0, 1)


def test_many_alerts_are_few_messages(house: House) -> None:
    change(house, replace(POOR, for_s=0.0))
    for number in range(40):
        house.read(f"modem{number}", rsrp_dbm=-115)
        house.wait(0.5)
    assert len(house.sent) == 10
    house.wait(60)
    assert len(house.sent) == 11
    assert sum(len(notice.alerts) for _, notice in house.sent) == 40


def test_one_slow_channel_holds_up_no_other(tmp_path: Path) -> None:
    later: list[Callable[[], None]] = []
    house = House(tmp_path, later=later, channels=(HOOK, replace(HOOK, name="other")))
    house.read(rsrp_dbm=-115)
    house.wait(60)
    assert len(later) == 2  # a thread each
    later[1]()
    assert [name for name, _ in house.sent] == ["other"]
    house.wait(100)
    assert len(later) == 2  # the slow one is not begun a second time
    later[0]()
    house.alerts.stop()


def test_a_channel_that_is_removed_forgets_what_waits(house: House) -> None:
    house.fails = "no"
    house.read(rsrp_dbm=-115)
    house.wait(60)
    change(house, POOR, channels=())
    house.fails = None
    change(house, POOR, channels=(HOOK,))
    house.restart(1)
    house.wait(600)
    assert house.sent == []


def test_values_of_the_router_and_of_usage_are_looked_at(house: House) -> None:
    flash = AlertSettings("flash", source="router", measure="flash_free_percent", threshold=10.0)
    cap = AlertSettings("cap", source="usage", measure="cap_percent", comparison="above", threshold=80.0)
    clock = AlertSettings("clock", source="router", measure="clock_set", comparison="is", threshold="no")
    house.router = {"flash_free_percent": 50.0, "clock_set": "yes"}
    house.usage = {"modem1": {"cap_percent": 79.0}}
    change(house, flash, cap, clock)
    house.wait(30)
    assert house.shown() == []
    house.router = {"flash_free_percent": 9.0, "clock_set": "no"}
    house.usage = {"modem1": {"cap_percent": 81.0}}
    house.wait(61)
    assert sorted(house.shown(), key=str) == [
        ("cap", "modem1", "firing"), ("clock", None, "firing"), ("flash", None, "firing"),
    ]  # fmt: skip


def test_without_rules_nothing_wakes_the_thread(house: House) -> None:
    change(house)
    assert house.alerts.sleep_s() is None
    assert house.alerts._subscription.accepts == ()


def test_rules_that_cannot_be_used_harm_no_other(house: House) -> None:
    change(house, replace(POOR, name="half", threshold=None), AlertSettings("odd", measure="nothing"), POOR)
    house.read(rsrp_dbm=-115)
    house.wait(60)
    assert house.told == [("hook", [("poor", "firing")])]


def test_a_full_disk_keeps_nothing_from_being_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    def full(*args: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(house.alerts._store, "_file", FullDisk(house.alerts._store._file))
    house.read(rsrp_dbm=-115)
    house.wait(60)
    house.read(rsrp_dbm=-90)
    assert len(house.sent) == 2


def test_a_damaged_file_keeps_nothing_from_working(house: House) -> None:
    house.fails = "no"
    house.read(rsrp_dbm=-115)
    house.wait(60)
    house.alerts._store._write(
        ("UPDATE outbox SET alert = substr(alert, 1, 40)", [()]), ("UPDATE alerts SET data = '[1'", [()])
    )
    house.fails = None
    house.restart(10, killed=True)
    house.read(rsrp_dbm=-115)
    house.wait(60)
    assert house.told == [("hook", [("poor", "firing")])]
    house.alerts.stop()
    (house.directory / "alerts.db").write_bytes(b"nonsense" * 1000)
    house.start()
    house.read(rsrp_dbm=-90)
    assert house.shown() == []


class FullDisk:
    """A database whose disk refuses each write."""

    def __init__(self, real: Any) -> None:
        self.real, self.problem, self.in_memory, self.connection = real, "the disk is full", False, real.connection

    def tried(self, work: Callable[[], Any]) -> Any:
        return None

    def leave_memory(self) -> None:
        """It stays as it is."""

    def close(self) -> None:
        self.real.close()


def test_the_thread_wakes_at_the_right_time(tmp_path: Path) -> None:
    """The real thread and the real clock: an alert leaves within a second of its time."""
    import threading
    import time

    from remsim.core.clock import SystemClock

    house = House(tmp_path)
    house.alerts.stop()
    house.clock = SystemClock()  # type: ignore[assignment]
    arrived = threading.Event()
    at: list[float] = []

    def send(channel: ChannelSettings, notice: Notice) -> None:
        at.append(time.monotonic())
        arrived.set()

    alerts = Alerts(
        tmp_path / "other.db",
        settings=Settings(alerts=(replace(POOR, for_s=0.3),), channels=(HOOK,)),
        bus=house.bus,
        clock=house.clock,
        journal=house.journal,
        emit=lambda event: None,
        sources=Sources(dict, dict, dict),
        send=send,
        router_name="router",
    )
    alerts.start()
    begun = time.monotonic()
    house.bus.publish(Numbered(1, ModemReading("modem1", time.time(), rsrp_dbm=-120.0)))
    assert arrived.wait(60)
    alerts.stop()
    assert 0.3 <= at[0] - begun <= 1.3


def test_who_sends_nothing_loads_nothing_for_it() -> None:
    """Memory of a router: TLS, mail and HTTP come with the first message."""
    import subprocess
    import sys

    text = "import sys, remsim.alerts.desk, remsim.alerts.senders; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True, timeout=30).stdout
    assert {"ssl", "smtplib", "http.client", "jinja2"}.isdisjoint(loaded.split())
