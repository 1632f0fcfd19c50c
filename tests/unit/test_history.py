"""The past in compact answers: what is drawn from them is what ``series`` and ``timeline`` say."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.events import Event
from remsim.telemetry import timeline
from remsim.telemetry.batch import DIGITS, compact, grid_of, shortest
from remsim.telemetry.counts import usual_bucket_s
from remsim.telemetry.points import consolidate, gathered, step_for
from remsim.telemetry.series import Series
from remsim.telemetry.timeline import Segment, condensed
from web_support import START, SmallRouter, client_of, small_app

API = "/api/v1/"


@pytest.fixture
def parts(tmp_path: Path):
    router, app = small_app(tmp_path)
    yield router, client_of(app)
    router.stop()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory):
    """A client of a router without a past, for questions that are wrong."""
    router, app = small_app(tmp_path_factory.mktemp("quiet"))
    yield client_of(app)
    router.stop()


def fill(router: SmallRouter, seconds: int, step_s: float = 1.0, modem: str = "modem1", **values: float | None) -> None:
    for _ in range(int(seconds / step_s)):
        router.clock.advance(step_s)  # type: ignore[attr-defined]
        router.publish(modem, **({"rsrp_dbm": -90.0 - router.clock.now() % 7, "rx_bits_per_s": 1234567.8} | values))


def expanded(one: dict, to: float) -> list[list]:
    """The points that the browser's helper makes of a compact series."""
    skipped = set(one.get("skipped", ()))
    points = []
    for at, mean in enumerate(one["avg"]):
        end = one["start"] + at * one["step_s"]
        if at not in skipped:
            low, high = (one[name][at] if one[name] else mean for name in ("min", "max"))
            points.append([to if end > to > end - one["step_s"] else end, low, mean, high])
    return points


@given(
    st.lists(
        st.tuples(st.floats(1.7e9, 1.7e9 + 4000), st.one_of(st.just(math.nan), st.floats(-140, -40))), max_size=120
    ),
    st.integers(1, 700),
)
def test_a_grid_says_what_the_points_say(samples: list[tuple[float, float]], points: int) -> None:
    start, end = 1.7e9, 1.7e9 + 4000
    samples.sort()
    times, values = ([one[at] for one in samples] for at in (0, 1))
    step_s = step_for(1.0, end - start, points)
    merged = consolidate(gathered(times, values, step_s), end, step_s, points)
    series = Series("modem1", "rsrp_dbm", "dBm", step_s, "live", merged, None)
    grid = grid_of(series)
    if grid is None:
        assert all(point[2] is None for point in merged)
        return
    assert len(grid.mean) <= points + 1
    one = compact(series, grid, band=True)
    known = [point for point in expanded(one, end) if point[2] is not None]
    assert [round(point[0], 3) for point in known] == [round(point[0], 3) for point in merged if point[2] is not None]
    for shown, point in zip(known, (point for point in merged if point[2] is not None), strict=True):
        assert all(abs(a - b) <= 0.0501 for a, b in zip(shown[1:], point[1:], strict=True))
    gaps = {math.ceil(point[0] / step_s) for point in merged if point[2] is None}
    assert gaps <= {math.ceil(point[0] / step_s) for point in expanded(one, end) if point[2] is None}


@given(st.floats(-1e6, 1e6), st.sampled_from(["dBm", "bit/s"]))
def test_values_are_written_short_and_near(value: float, unit: str) -> None:
    digits = DIGITS.get(unit, 1)
    short = shortest(value, digits)
    assert abs(short - value) <= 0.5000001 * 10**-digits
    assert isinstance(short, int) or (digits and round(short, digits) == short)


def test_a_batch_has_what_single_requests_have(parts) -> None:
    router, client = parts
    fill(router, 120)
    fill(router, 120, step_s=10, modem="modem2")
    batch = client.get(API + "series/batch?modem=modem1,modem2&measure=rsrp_dbm,rx_bits_per_s&range=1h&points=100").json
    assert [(one["modem"], one["measure"]) for one in batch["series"]] == [
        (modem, measure) for modem in ("modem1", "modem2") for measure in ("rsrp_dbm", "rx_bits_per_s")
    ]
    for one in batch["series"]:
        single = client.get(API + f"series?modem={one['modem']}&measure={one['measure']}&range=1h&points=100").json
        assert one["step_s"] == single["step_s"] and one["source"] == single["source"]
        shown = expanded(one, batch["to"])
        assert [point[0] for point in shown] == [point[0] for point in single["points"]]
        assert [point[2] for point in shown] == pytest.approx([point[2] for point in single["points"]], abs=0.51)
    rates = batch["series"][1]
    assert rates["min"] is None and rates["max"] is None, "a band of no width is not sent"
    assert set(rates["avg"]) == {1234568}


def test_a_slow_modem_has_a_grid_of_its_own(parts) -> None:
    router, client = parts
    fill(router, 3700, step_s=30)
    one = client.get(API + "series/batch?modem=modem1&measure=rsrp_dbm&range=1h").json["series"][0]
    assert one["step_s"] == 30 and None not in one["avg"] and "skipped" not in one


def test_an_outage_is_a_gap_and_a_late_reading_is_none(parts) -> None:
    router, client = parts
    fill(router, 60)
    router.clock.advance(3)
    fill(router, 60)
    router.clock.advance(120)
    fill(router, 60)
    one = client.get(API + "series/batch?modem=modem1&measure=rsrp_dbm&range=300s&points=400").json["series"][0]
    empty = {at for at, value in enumerate(one["avg"]) if value is None}
    assert one["step_s"] == 1 and len(one["skipped"]) == 3
    assert len(empty - set(one["skipped"])) == 120


def test_without_a_band_there_are_means_only(parts) -> None:
    router, client = parts
    fill(router, 600)
    with_band, without = (
        client.get(API + f"series/batch?modem=modem1&measure=rsrp_dbm&range=1h&points=60&band={band}").json["series"][0]
        for band in (1, 0)
    )
    assert with_band["min"] != with_band["avg"]
    assert without == with_band | {"min": None, "max": None}


def test_what_has_no_value_is_left_out_with_its_reason(parts) -> None:
    router, client = parts
    fill(router, 30)
    answer = client.get(API + "series/batch?measure=rsrp_dbm,temperature_c&range=1h").json
    assert [(one["modem"], one["measure"]) for one in answer["series"]] == [("modem1", "rsrp_dbm")]
    reasons = {(one["modem"], one["measure"]): one["reason"] for one in answer["absent"]}
    assert "has not reported Temperature" in reasons["modem1", "temperature_c"]
    assert reasons["modem2", "rsrp_dbm"] == "nothing has been recorded yet"


def test_a_shift_gives_the_period_before(parts) -> None:
    router, client = parts
    fill(router, 600, rsrp_dbm=-80)
    fill(router, 600, rsrp_dbm=-100)
    answer = client.get(API + "series/batch?modem=modem1&measure=rsrp_dbm&range=600s&shift=600").json
    assert answer["to"] == router.clock.now() - 600 and answer["shift_s"] == 600
    assert set(answer["series"][0]["avg"]) == {-80}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("measure=rsrp_dbm&points=2001", "points"),
        ("measure=" + ",".join(f"m{n}" for n in range(33)), "measure"),
        ("measure=mood", "measure"),
        ("modem=modem9&measure=rsrp_dbm", "modem"),
        ("measure=rsrp_dbm&shift=-1", "shift"),
        ("measure=rsrp_dbm&from=10&to=20&shift=11", "shift"),
        ("measure=rsrp_dbm&from=20&to=10", "from"),
        ("measure=rsrp_dbm&from=0&to=40000000", "from"),
        ("", "measure"),
    ],
)
def test_a_wrong_question_is_told_by_its_field(quiet, query: str, field: str) -> None:
    answer = quiet.get(API + "series/batch?" + query)
    assert (answer.status_code, answer.json["field"]) == (422, field)


def test_an_answer_is_bounded(parts) -> None:
    router, client = parts
    router.modems.periods = {f"modem{n}": 1.0 for n in range(1, 9)}
    nine = "rsrp_dbm,rsrq_db,sinr_db,rssi_dbm,latency_ms,jitter_ms,loss_percent,rx_bits_per_s,tx_bits_per_s"
    assert client.get(API + f"series/batch?measure={nine}").json["field"] == "measure"
    assert client.get(API + "series/batch?measure=rsrp_dbm,sinr_db,rsrq_db&points=2000").json["field"] == "points"
    assert client.get(API + "series/batch?measure=rsrp_dbm,sinr_db,rsrq_db,latency_ms").status_code == 200


# --- timelines ---


def told(router: SmallRouter, kind: str, at: float, **data: object) -> None:
    router.journal.append(Event(kind, "modem1", START + at, kind, "info", data))


def changes(client, track: str, start: float, end: float) -> list[tuple[float, object]]:
    answer = client.get(API + f"timeline/batch?modem=modem1&track={track}&from={START + start}&to={START + end}").json
    (one,) = answer["timelines"]
    assert (one["modem"], one["track"]) == ("modem1", track)
    return [(at - START, value) for at, value in one["changes"]]


def test_cell_and_band_follow_what_events_tell(parts) -> None:
    router, client = parts
    told(router, "connect", 10, **{"from": "searching"}, to="online", mode="LTE", band=3, cell="12/1", sim_slot=1)
    told(router, "cell_change", 20, **{"from": "12/1"}, to="13/2", mode="LTE", band=20)
    told(router, "cell_change", 25, **{"from": "13/2"}, to="13/3", mode="LTE")
    told(router, "technology_change", 30, **{"from": "LTE"}, to="SA", mode="SA", band=78)
    told(router, "sim_state", 35, **{"from": 1}, to=2, what="sim_slot")
    told(router, "disconnect", 40, **{"from": "online"}, to="searching", mode="SA", band=78)
    assert changes(client, "cell", 0, 50) == [(0, None), (10, "12/1"), (20, "13/2"), (25, "13/3"), (40, None)]
    assert changes(client, "band", 0, 50) == [(0, None), (10, "B3"), (20, "B20"), (30, "n78"), (40, None)]
    assert changes(client, "band", 26, 28) == [(26, "B20")]
    assert changes(client, "sim_slot", 12, 50) == [(12, 1), (35, 2)]
    assert changes(client, "sim_slot", 34, 36) == [(34, 1), (35, 2)]


def test_a_state_that_recovers_from_trouble_is_followed(parts) -> None:
    router, client = parts
    told(router, "error", 10, **{"from": "starting"}, to="not_answering")
    told(router, "error", 15)
    told(router, "recovered", 20, **{"from": "not_answering"}, to="starting")
    assert changes(client, "state", 0, 30) == [(0, None), (10, "not_answering"), (20, "starting")]


def test_before_a_modem_was_found_its_state_is_unknown(parts) -> None:
    router, client = parts
    told(router, "connect", 20, **{"from": "starting"}, to="online")
    assert changes(client, "state", 0, 30) == [(0, None), (20, "online")]


def test_of_too_many_events_the_oldest_are_unknown_not_guessed(parts) -> None:
    router, client = parts
    told(router, "connect", 0, to="online", band=3, cell="1/1")
    router.journal.append_history(
        Event("cell_change", "modem1", START + 10 + n, "", "info", {"to": f"1/{n}"}, 100 + n) for n in range(2600)
    )
    found = changes(client, "cell", 5, 3000)
    assert found[0] == (5, None) and found[-1][1] == "1/2599" and len(found) == 2000


def test_what_was_not_read_is_unknown(parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "MOST_READ", 50)
    router, client = parts
    told(router, "connect", 0, to="online", band=3, cell="1/1")
    for n in range(60):
        told(router, "cell_change", 10 + n, to=f"1/{n}", band=3)
    assert changes(client, "cell", 5, 100)[:2] == [(5, None), (20, "1/10")]


def test_an_outline_has_what_the_events_have(parts) -> None:
    router, _ = parts
    told(router, "connect", 1, to="online", band=3, note={"a": [1]})
    told(router, "cell_change", 3, to='quoted "cell"')
    told(router, "cell_change", 2, **{"from": None}, to="ünder")
    told(router, "reboot", 2)
    found, is_whole = router.journal.outline(("connect", "cell_change"), "modem1", ("from", "to"), START, START + 9, 9)
    assert is_whole and [(one.at - START, one.kind, one.data) for one in found] == [
        (1, "connect", {"to": "online"}),
        (2, "cell_change", {"to": "ünder"}),
        (3, "cell_change", {"to": 'quoted "cell"'}),
    ]
    assert router.journal.outline(("connect",), "modem2", ("to",), 0, START * 2, 9) == ([], True)
    assert len(router.journal.outline(("cell_change",), "modem1", ("to",), 0, START * 2, 1)[0]) == 1


def test_timelines_answer_for_several_modems_and_tracks(parts) -> None:
    router, client = parts
    answer = client.get(API + "timeline/batch?track=state,cell&range=1h").json
    assert [(one["modem"], one["track"]) for one in answer["timelines"]] == [
        ("modem1", "state"), ("modem1", "cell"), ("modem2", "state"), ("modem2", "cell"),
    ]  # fmt: skip
    assert client.get(API + "timeline/batch?track=mood&range=1h").json["field"] == "track"


@given(st.lists(st.tuples(st.floats(0.01, 50), st.sampled_from("abc")), min_size=1, max_size=80), st.floats(0.1, 30))
def test_what_is_too_short_to_be_seen_is_put_together(parts: list[tuple[float, str]], shortest_s: float) -> None:
    at = 0.0
    segments = []
    for length, value in parts:
        segments.append(Segment(at, at + length, value))
        at += length
    found = condensed(segments, shortest_s)
    assert found[0].start == 0 and found[-1].end == at
    for one, other in zip(found, found[1:], strict=False):
        assert one.end == other.start and one.value != other.value
    assert len(found) <= 2 * at / shortest_s + 1
    for one in segments:
        if one.end - one.start >= shortest_s:
            assert any(had.start <= one.start and one.end <= had.end and had.value == one.value for had in found)


def test_a_long_time_of_many_cells_is_a_small_answer(parts) -> None:
    router, client = parts
    router.journal.append_history(
        Event("cell_change", "modem1", START + 10 * n, "", "info", {"to": f"1/{n % 3}"}, 100 + n) for n in range(1500)
    )
    router.clock.advance(15000)
    query = f"timeline/batch?modem=modem1&track=cell&from={START}&to={START + 15000}"
    assert len(client.get(API + query).json["timelines"][0]["changes"]) == 1500
    assert len(client.get(API + query + "&points=100").json["timelines"][0]["changes"]) <= 100


# --- anomalies and counts ---


def test_anomalies_of_a_page_come_with_their_method(parts) -> None:
    router, client = parts
    for level in (-80, -110, -80):
        fill(router, 1200 if level == -80 else 60, rsrp_dbm=level)
    answer = client.get(API + "anomalies?measure=rsrp_dbm,sinr_db&range=1h").json
    assert answer["threshold"] == 4 and "MAD" in answer["method"]
    (one,) = answer["anomalies"]
    assert (one["modem"], one["measure"], one["median"]) == ("modem1", "rsrp_dbm", -80)
    (span,) = one["spans"]
    assert abs(span["from"] - (START + 1200)) <= 10 and abs(span["to"] - (START + 1260)) <= 10
    assert span["value"] == -110 and span["score"] < -4
    batch = client.get(API + "series/batch?measure=rsrp_dbm&range=1h&anomalies=1&stats=1").json
    assert batch["anomalies"]["threshold"] == 4
    assert batch["series"][0]["anomalies"]["spans"] == one["spans"]
    stats = client.get(API + "stats?modem=modem1&measure=rsrp_dbm&range=1h").json
    assert batch["series"][0]["stats"]["p95"] == stats["p95"] and batch["series"][0]["stats"]["count"] == stats["count"]


def bars(client, query: str) -> dict[tuple[str, str], list[int]]:
    answer = client.get(API + "counts?" + query).json
    return {(one["modem"], one["kind"]): one["values"] for one in answer["counts"]}


def test_events_are_counted_by_kind_modem_and_hour(parts) -> None:
    router, client = parts
    for at in (10, 20, 3700):
        told(router, "cell_change", at, to="1")
    router.journal.append(Event("cell_change", "modem2", START + 30, "", "info", {}))
    router.clock.advance(7200)
    period = f"from={START}&to={START + 7200}&bucket=3600"
    assert bars(client, f"modem=modem1,modem2&kind=cell_change,reboot&{period}") == {
        ("modem1", "cell_change"): [2, 1, 0],
        ("modem1", "reboot"): [0, 0, 0],
        ("modem2", "cell_change"): [1, 0, 0],
        ("modem2", "reboot"): [0, 0, 0],
    }
    answer = client.get(API + f"counts?kind=cell_change,failover&from={START + 15}&to={START + 60}").json
    assert answer["bucket_s"] == 60 and answer["start"] <= START + 15
    assert {one["kind"] for one in answer["counts"]} == {"cell_change", "failover"}


def test_yes_and_no_of_the_network_are_read_from_the_registration(parts) -> None:
    router, client = parts
    steps = ["searching", "denied", "searching", "home", "roaming", "searching", "home"]
    for at, (before, now) in enumerate(zip(steps, steps[1:], strict=False)):
        told(router, "registration", at * 10, **{"from": before}, to=now)
    kinds = "authentication_success,authentication_failure"
    found = bars(client, f"modem=modem1&kind={kinds}&from={START}&to={START + 59}")
    assert {kind: sum(values) for (_, kind), values in found.items()} == {
        "authentication_success": 2, "authentication_failure": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("kind=mood", "kind"),
        ("kind=reboot&bucket=1&range=7d", "bucket"),
        ("kind=reboot&bucket=0", "bucket"),
        ("", "kind"),
    ],
)
def test_a_wrong_count_is_told_by_its_field(quiet, query: str, field: str) -> None:
    answer = quiet.get(API + "counts?" + query)
    assert (answer.status_code, answer.json["field"]) == (422, field)


@given(st.floats(1.6e9, 1.9e9), st.floats(1, 3e7))
def test_a_usual_count_has_few_bars(start: float, period_s: float) -> None:
    assert usual_bucket_s(period_s) >= 1 and period_s / usual_bucket_s(period_s) <= 60


# --- exports ---


def test_an_export_has_the_points_that_are_shown(parts) -> None:
    router, client = parts
    fill(router, 1200, sinr_db=10.0)
    query = "modem=modem1&measure=rsrp_dbm,quality_percent&range=20m&points=40"
    shown = client.get(API + "series/batch?" + query).json["series"]
    lines = list(csv.reader(client.get(API + f"export.csv?{query}&band=1").text.splitlines()))
    assert lines[0][2:] == [
        "rsrp_dbm [dBm]", "rsrp_dbm min [dBm]", "rsrp_dbm max [dBm]",
        "quality_percent [%]", "quality_percent min [%]", "quality_percent max [%]",
    ]  # fmt: skip
    columns = list(zip(*lines[1:], strict=True))
    for at, values in ((2, shown[0]["avg"]), (3, shown[0]["min"]), (4, shown[0]["max"]), (5, shown[1]["avg"])):
        assert [float(cell) for cell in columns[at]] == pytest.approx(values, abs=0.051)
    plain = client.get(API + f"export.csv?{query}").text.splitlines()
    assert plain[0] == "time,modem,rsrp_dbm [dBm],quality_percent [%]" and len(plain) == len(lines)
    (series, _) = client.get(API + f"export.json?{query}&band=0").json["series"]
    assert [mean for _, mean in series["points"]] == pytest.approx(shown[0]["avg"], abs=0.051)


def test_an_export_of_all_has_the_quality_too(parts) -> None:
    router, client = parts
    fill(router, 60)
    assert "quality_percent [%]" in client.get(API + "export.csv?range=1h").text.splitlines()[0]
