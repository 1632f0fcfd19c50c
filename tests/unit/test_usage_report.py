"""Billing cycles: every day is in one, nothing is invented for what was not seen."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.config.sims import SimSettings
from remsim.core.clock import FakeClock
from remsim.core.reading import ModemReading
from remsim.telemetry.usage import Usage
from remsim.telemetry.usage_report import cap_percents, cycle_in, cycle_of, midnight, sim_report
from remsim.telemetry.usage_text import amount, report_text
from web_support import START, client_of, small_app

DAY_S = 86400
SIM = "sim-1a2b3c4d"
PLAN = SimSettings("sim_1a2b3c4d", "Work", 15, 10.0)
days = st.dates(date(2020, 1, 1), date(2040, 12, 31))
API = "/api/v1/usage"


def use(usage: Usage, day: str, rx: int, tx: int = 0, sim: str | None = SIM, modem: str = "modem1") -> None:
    """So many bytes on a day."""
    at = midnight(date.fromisoformat(day)) + 3600
    for counter in (0, 1):
        values = {"rx_bytes": counter * rx, "tx_bytes": counter * tx}
        usage.record(ModemReading(modem, at, sim=sim, interface="wwan0", **values))
    usage.flush()


@pytest.fixture
def usage(tmp_path: Path):
    usage = Usage(tmp_path / "usage.db", clock=FakeClock(START), boot_id="b")
    yield usage
    usage.close()


@given(days, st.integers(1, 31))
def test_every_day_is_in_exactly_one_cycle(day: date, billing_day: int) -> None:
    cycle = cycle_of(day, billing_day)
    assert cycle.first <= day <= cycle.last
    assert 28 <= cycle.days <= 31 or billing_day > 28
    assert cycle_of(cycle.last + timedelta(1), billing_day).first == cycle.last + timedelta(1)
    assert cycle_of(cycle.first - timedelta(1), billing_day).last == cycle.first - timedelta(1)
    assert cycle_in(cycle.first.year, cycle.first.month, billing_day) == cycle


@pytest.mark.parametrize(
    ("year", "month", "billing_day", "first", "last"),
    [
        (2026, 1, 1, "2026-01-01", "2026-01-31"),
        (2026, 1, 31, "2026-01-31", "2026-02-27"),
        (2026, 2, 31, "2026-02-28", "2026-03-30"),
        (2024, 2, 30, "2024-02-29", "2024-03-29"),
        (2026, 12, 15, "2026-12-15", "2027-01-14"),
    ],
)
def test_short_months_have_their_billing_day_on_their_last(year, month, billing_day, first, last) -> None:
    cycle = cycle_in(year, month, billing_day)
    assert (cycle.first.isoformat(), cycle.last.isoformat()) == (first, last)


def test_a_report_has_what_was_used_of_the_cap_and_what_it_will_be(usage: Usage) -> None:
    for day in range(15, 25):
        use(usage, f"2026-01-{day}", 200_000_000, 50_000_000)
    now = midnight(date(2026, 1, 25))
    report = sim_report(usage, SIM, PLAN, cycle_of(date(2026, 1, 25), 15), now)
    assert (report["month"], report["from"], report["to"]) == ("2026-01", "2026-01-15", "2026-02-14")
    assert report["days"] == 31
    assert (report["rx_bytes"], report["tx_bytes"], report["used_bytes"]) == (2 * 10**9, 5 * 10**8, 25 * 10**8)
    assert (report["cap_bytes"], report["used_percent"], report["days_left"]) == (10**10, 25.0, 21)
    assert report["projected_bytes"] == 25 * 10**8 + 21 * 250_000_000
    assert report["projection"] == "used so far + mean of the last 7 full days × 21.0 days left"
    assert report["today"] == {"rx_bytes": 0, "tx_bytes": 0}
    assert len(report["per_day"]) == 10 and report["per_place"][0]["rx_bytes"] == 2 * 10**9
    assert cap_percents(usage, [PLAN, SimSettings("sim_00000000")], now) == {SIM: 25.0}


def test_a_plan_that_counts_what_is_received_counts_that(usage: Usage) -> None:
    use(usage, "2026-01-20", 10**9, 7 * 10**9)
    plan = SimSettings("sim_1a2b3c4d", cap_gb=4.0, counts="rx")
    report = sim_report(usage, SIM, plan, cycle_in(2026, 1, 1), midnight(date(2026, 1, 21)))
    assert (report["used_bytes"], report["used_percent"]) == (10**9, 25.0)


def test_before_the_first_full_day_nothing_is_projected(usage: Usage) -> None:
    use(usage, "2026-01-20", 10**9)
    for day in (20, 21):
        report = sim_report(usage, SIM, PLAN, cycle_in(2026, 1, 15), midnight(date(2026, 1, day)) + 80000)
        assert report["used_bytes"] == 10**9 and report["projected_bytes"] is None and report["projection"] is None
    report = sim_report(usage, SIM, PLAN, cycle_in(2026, 1, 15), midnight(date(2026, 1, 22)))
    assert report["projected_bytes"] == 10**9, "the day after was a full one without traffic"


def test_what_was_not_seen_is_unknown_and_what_is_over_has_no_projection(usage: Usage) -> None:
    use(usage, "2026-03-20", 10**9)
    now = midnight(date(2026, 5, 1))
    before, over, quiet, coming = (
        sim_report(usage, SIM, PLAN, cycle_in(2026, month, 15), now) for month in (1, 3, 4, 6)
    )
    assert before["used_bytes"] is None and before["used_percent"] is None
    assert over["used_bytes"] == 10**9 and over["projected_bytes"] is over["today"] is over["days_left"] is None
    assert quiet["used_bytes"] == 0 and quiet["per_day"] == []
    assert coming["used_bytes"] is None and coming["days_left"] is None


@given(
    st.dictionaries(st.integers(0, 30), st.tuples(st.integers(0, 10**10), st.integers(0, 10**10)), max_size=8),
    st.integers(1, 31), st.floats(0, 31 * DAY_S),
)  # fmt: skip
def test_a_projection_is_never_below_what_is_used(
    used: dict[int, tuple[int, int]], billing_day: int, at: float
) -> None:
    now = midnight(date(2026, 3, 1)) + at
    plan = SimSettings("sim_1a2b3c4d", billing_day=billing_day, cap_gb=5.0)
    cycle = cycle_of(date(2026, 3, 1) + timedelta(int(at // DAY_S)), billing_day)
    report = sim_report(Memory(used), SIM, plan, cycle, now)  # type: ignore[arg-type]  # what of it is used
    if report["projected_bytes"] is not None:
        assert report["projected_bytes"] >= report["used_bytes"] >= 0
    assert sum(day["rx_bytes"] for day in report["per_day"]) == (report["rx_bytes"] or 0)


class Memory:
    """Usage of March 2026 by day, as ``Usage`` answers."""

    def __init__(self, used: dict[int, tuple[int, int]]) -> None:
        self.rows = {(date(2026, 3, 1) + timedelta(day)).isoformat(): bytes_ for day, bytes_ in used.items()}

    def query(self, first: str, last: str, sim: str) -> list[dict[str, object]]:
        found = [(day, rx, tx) for day, (rx, tx) in sorted(self.rows.items()) if first <= day <= last]
        return [
            {"day": day, "sim": sim, "modem": "m", "interface": "i", "rx_bytes": rx, "tx_bytes": tx}
            for day, rx, tx in found
        ]

    def first_day(self, sim: str) -> str | None:
        return min(self.rows, default=None)


# --- text, CSV, API ---


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "unknown"), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_990, "1.0 MB"),
     (5 * 10**9, "5.0 GB"), (10**16, "10000.0 TB")],
)  # fmt: skip
def test_amounts_are_decimal(count: int | None, text: str) -> None:
    assert amount(count) == text


def test_a_report_can_be_mailed(usage: Usage) -> None:
    use(usage, "2026-01-20", 2 * 10**9, 10**9)
    text = report_text(sim_report(usage, SIM, PLAN, cycle_in(2026, 1, 15), midnight(date(2026, 2, 15))), "router1")
    assert text.startswith("Data used by Work\n2026-01-15 to 2026-02-14 (days of UTC), router1\n")
    assert "Counted    3.0 GB\n" in text and "Cap        10.0 GB, 30.0 % used\n" in text
    assert "modem1 wwan0" in text and "2026-01-20" in text and "Projected" not in text


@pytest.fixture
def parts(tmp_path: Path):
    router, app = small_app(tmp_path)
    yield router, client_of(app)
    router.stop()


def test_the_running_cycle_is_reported_for_all_sims(parts) -> None:
    router, client = parts
    router.clock.set_wall(midnight(date(2026, 2, 10)))
    router.config.put_section("sim", "sim_1a2b3c4d", {"name": "Work", "billing_day": 15, "cap_gb": 1}, "test")
    use(router.usage, "2026-01-10", 10**9)
    use(router.usage, "2026-01-20", 10**8)
    use(router.usage, "2026-02-05", 10**8, sim="sim-ffffffff", modem="modem2")
    answer = client.get(API + "/report").json
    assert answer["month"] is None and answer["months"] == ["2026-02", "2026-01", "2025-12"]
    assert [(one["sim"], one["month"], one["used_bytes"]) for one in answer["sims"]] == [
        (SIM, "2026-01", 10**8), ("sim-ffffffff", "2026-02", 10**8),
    ]  # fmt: skip
    assert answer["sims"][0]["used_percent"] == 10.0
    december = client.get(API + "/report?month=2025-12").json
    assert [(one["sim"], one["used_bytes"], one["from"]) for one in december["sims"]] == [(SIM, 10**9, "2025-12-15")]
    one = client.get(API + "/report?sim=sim-ffffffff&month=2025-11").json["sims"][0]
    assert one["used_bytes"] is None and one["per_day"] == []
    text = client.get(API + "/report.csv?month=2025-12").text
    assert list(csv.DictReader(io.StringIO(text))) == [
        {"sim": SIM, "name": "Work", "cycle_from": "2025-12-15", "cycle_to": "2026-01-14", "day": "2026-01-10",
         "modem": "modem1", "interface": "wwan0", "rx_bytes": str(10**9), "tx_bytes": "0"},
    ]  # fmt: skip


def test_sims_are_listed_with_their_modems(parts) -> None:
    router, client = parts
    router.publish("modem2", sim="sim-ffffffff")
    use(router.usage, "2026-01-10", 5)
    use(router.usage, "2026-01-12", 5, modem="modem9")
    sims = {one["sim"]: one for one in client.get(API + "/sims").json["sims"]}
    assert sims[SIM]["last_modem"] == "modem9" and sims[SIM]["modem"] is None and not sims[SIM]["has_plan"]
    assert (sims[SIM]["first_day"], sims[SIM]["last_day"]) == ("2026-01-10", "2026-01-12")
    assert sims["sim-ffffffff"]["modem"] == "modem2" and sims["sim-ffffffff"]["last_day"] is None


def test_usage_of_a_sim_nobody_knows_has_no_section(parts) -> None:
    router, client = parts
    use(router.usage, "2026-01-01", 5, sim=None)
    for path in ("/report", "/sims"):
        (row,) = client.get(API + path).json["sims"]
        assert (row["sim"], row["section"]) == ("unknown SIM", None)


@pytest.mark.parametrize(("query", "field"), [("month=2026-13", "month"), ("month=now", "month"), ("sim=sim-0", "sim")])
def test_a_wrong_question_is_told_by_its_field(parts, query: str, field: str) -> None:
    answer = parts[1].get(API + "/report?" + query)
    assert (answer.status_code, answer.json["field"]) == (422, field)


def test_a_hostile_name_is_no_formula_in_a_spreadsheet(parts) -> None:
    router, client = parts
    router.config.put_section("sim", "sim_1a2b3c4d", {"name": "=HYPERLINK(1)"}, "test")
    use(router.usage, "2026-01-01", 5)
    assert ",'=HYPERLINK(1)," in client.get(API + "/report.csv").text


def test_a_plan_costs_its_price_and_what_is_above_the_cap() -> None:
    assert SimSettings("s").cost_of(10**9) is None, "no price, no cost"
    assert SimSettings("s", price_cycle=9.9).cost_of(None) == 9.9
    assert SimSettings("s", price_gb=2.0).cost_of(1_500_000_000) == 3.0
    assert SimSettings("s", price_gb=2.0).cost_of(None) is None
    capped = SimSettings("s", cap_gb=1.0, price_cycle=10.0, price_gb=2.0)
    assert (capped.cost_of(900_000_000), capped.cost_of(1_500_000_000)) == (10.0, 11.0)
