"""What alert rules cost: 500 of them, all of them for each of eight modems that report once a second.

Bars: at most 2 % of a core, whether nothing happens or every rule is on the edge; an alert leaves within a second of
its time; a week of eight modems is looked at in at most a second before a rule is added.
"""

from __future__ import annotations

import math
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from measuring import Table
from remsim.alerts.desk import Alerts
from remsim.alerts.preview import Past, preview
from remsim.alerts.watch import Sources
from remsim.config.alerting import AlertSettings
from remsim.config.channels import ChannelSettings
from remsim.config.settings import Settings
from remsim.core.bus import Bus, Numbered
from remsim.core.clock import FakeClock, SystemClock
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.telemetry.journal import Journal
from remsim.telemetry.rules.evaluation import Evaluation
from remsim.telemetry.rules.rule import Rule
from remsim.telemetry.sequence import Sequence
from remsim.telemetry.series import SeriesStore

RULES, MODEMS, SECONDS = 500, 8, 60
MEASURES = ("rsrp_dbm", "rsrq_db", "sinr_db", "temperature_c", "latency_ms", "loss_percent", "jitter_ms", "rssi_dbm")
CORE_BAR, LATE_BAR_S, PREVIEW_BAR_S = 2.0, 1.0, 1.0
NOW = 1_767_225_600.0


def rounds(value: Callable[[int, int], float]) -> list[list[ModemReading]]:
    """A reading of each modem for each second; ``value(second, modem)`` is that of each measure."""
    return [
        [
            ModemReading(f"modem{modem}", NOW + second, **{name: value(second, modem) for name in MEASURES})  # type: ignore[arg-type]
            for modem in range(MODEMS)
        ]
        for second in range(SECONDS)
    ]


def percent(rules: list[Rule], seconds: list[list[ModemReading]]) -> tuple[float, int]:
    """Percent of a core for the evaluation alone, and how many transitions there were."""
    evaluation = Evaluation(rules)
    moved = 0
    begun = time.process_time()
    for second, readings in enumerate(seconds):
        moved += len(evaluation.advance(float(second)))
        for reading in readings:
            moved += len(evaluation.feed(reading.modem, "measure", reading.__getattribute__, float(second)))
    return 100 * (time.process_time() - begun) / len(seconds), moved


def limits(least: float, step: float, subject: Callable[[int], str | None] = lambda number: None) -> list[Rule]:
    """500 rules with limits in a row."""
    return [
        Rule(
            f"rule{number}", "measure", MEASURES[number % len(MEASURES)], "below", threshold=least + step * number,
            hysteresis=0.001, for_s=5.0, subject=subject(number),
        )
        for number in range(RULES)
    ]  # fmt: skip


def whole_percent() -> float:
    """Percent of a core of the whole thread with 500 rules: queue, lock, evaluation, while values wander."""
    rules = tuple(
        AlertSettings(f"rule{number}", measure=MEASURES[number % len(MEASURES)], threshold=-200.0 - number, for_s=60.0)
        for number in range(RULES)
    )
    with tempfile.TemporaryDirectory() as name:
        clock = FakeClock(NOW)
        journal = Journal(Path(name) / "journal.db", clock=clock, sequence=Sequence(Path(name) / "sequence"))
        alerts = Alerts(
            Path(name) / "alerts.db",
            settings=Settings(alerts=rules),
            bus=Bus(),
            clock=clock,
            journal=journal,
            emit=lambda event: None,
            sources=Sources(dict, dict, dict),
            send=lambda channel, notice: None,
            router_name="router",
        )
        chance = random.Random(1)
        seconds = rounds(lambda second, modem: -100 + 20 * chance.random())
        begun = time.process_time()
        for readings in seconds:
            clock.advance(1.0)
            for reading in readings:
                alerts.tick()
                alerts.take([Numbered(1, reading)])
                alerts.sleep_s()
        used = 100 * (time.process_time() - begun) / len(seconds)
        alerts.stop()
        journal.close()
        return used


def late_s(times: int = 10) -> float:
    """The longest time from when a rule's time is over to when its message leaves, by the real clock."""
    worst = 0.0
    with tempfile.TemporaryDirectory() as name:
        clock, bus = SystemClock(), Bus()
        journal = Journal(Path(name) / "journal.db", clock=clock, sequence=Sequence(Path(name) / "sequence"))
        left = threading.Event()
        rule = AlertSettings("rule", measure="rsrp_dbm", threshold=-110.0, for_s=0.5)
        alerts = Alerts(
            Path(name) / "alerts.db",
            settings=Settings(alerts=(rule,), channels=(ChannelSettings("one", url="https://example.org/"),)),
            bus=bus,
            clock=clock,
            journal=journal,
            emit=lambda event: None,
            sources=Sources(dict, dict, dict),
            send=lambda channel, notice: left.set(),
            router_name="router",
        )
        alerts.start()
        for number in range(times):
            left.clear()
            begun = time.monotonic()
            bus.publish(Numbered(number, ModemReading(f"modem{number}", clock.now(), rsrp_dbm=-120.0)))
            assert left.wait(5)
            worst = max(worst, time.monotonic() - begun - 0.5)
        alerts.stop()
        journal.close()
    return worst


def preview_s() -> tuple[float, float]:
    """Seconds to look at a week of eight modems: a measure, and a state with 20 changes a day."""
    with tempfile.TemporaryDirectory() as name:
        clock = FakeClock(NOW)
        journal = Journal(Path(name) / "journal.db", clock=clock, sequence=Sequence(Path(name) / "sequence"))
        series = SeriesStore(Path(name) / "data", clock=clock, emit=lambda event: None)
        modems = [f"modem{number}" for number in range(MODEMS)]
        series.record_history(
            ModemReading(modem, NOW - 7 * 86400 + minute * 60.0, rsrp_dbm=-100 + 15 * math.sin(minute / 50))
            for minute in range(7 * 1440)
            for modem in modems
        )
        changes = [
            Event("state", modem, NOW - 7 * 86400 + hour * 1800.0 + number, "", data={"from": "online", "to": to})
            for hour in range(7 * 48)
            for number, modem in enumerate(modems)
            for to in ("searching" if hour % 2 else "online",)
        ]
        journal.append_history(event.with_id(number) for number, event in enumerate(changes, 1))
        past = Past(series, journal, modems)
        took = []
        for rule in (
            AlertSettings("low", measure="rsrp_dbm", threshold=-110.0, hysteresis=3.0, for_s=60.0),
            AlertSettings("out", source="state", measure="state", comparison="is", threshold="searching"),
        ):
            begun = time.perf_counter()
            found = preview(rule, past, NOW - 7 * 86400, NOW)
            took.append(time.perf_counter() - begun)
            assert found["fired"] > 100
        journal.close()
        return took[0], took[1]


def main() -> int:
    """Print the figures; 1 when a bar is missed."""
    chance = random.Random(1)
    wandering = rounds(lambda second, modem: chance.random())
    table = Table(f"{RULES} rules, {MODEMS} modems at a reading a second")
    one_each, _ = percent(limits(-1e3, -1.0, lambda number: f"modem{number % MODEMS}"), wandering)
    table.row("a modem each: 500 evaluations a second, nothing happens", one_each, "%", at_most=CORE_BAR)
    quiet, _ = percent(limits(-1e3, -1.0), wandering)
    table.row("all modems: 4000 evaluations a second, nothing happens", quiet, "%", at_most=CORE_BAR)
    edge, moved = percent(limits(0.2, 0.001), wandering)
    table.row("all modems, every rule on the edge", edge, "%", at_most=CORE_BAR)
    table.row("  of which transitions a second", moved / SECONDS, "")
    table.row("the whole thread, all modems, nothing happens", whole_percent(), "%", at_most=CORE_BAR)
    table.row("an alert leaves after its time, at most", late_s(), "s", at_most=LATE_BAR_S)
    measure_s, state_s = preview_s()
    table.row("a look at a week of 8 modems: a measure", measure_s, "s", at_most=PREVIEW_BAR_S)
    table.row("a look at a week of 8 modems: a state", state_s, "s", at_most=PREVIEW_BAR_S)
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
