"""Events: filtered the same on the page and in the file that is downloaded."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from remsim.core.clock import FakeClock
from remsim.core.events import Event
from web_support import START, SmallRouter, client_of, small_app

HOSTILE = '=HYPERLINK("http://x"),\n<b>"quoted"</b>'


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[tuple[SmallRouter, FlaskClient]]:
    router, app = small_app(tmp_path, clock=FakeClock(START))
    tell(router, "connect", "modem1", "wan1 came online")
    tell(router, "error", "modem1", "the SIM of wan1 does not answer", "error", reason="CME 13")
    tell(router, "error", "modem2", "100% of the SIMs_ fail", "warning")
    tell(router, "control", "modem2", HOSTILE)
    yield router, client_of(app)
    router.stop()


def tell(router: SmallRouter, kind: str, source: str, message: str, severity: str = "info", **data: str) -> None:
    router.emit(Event(kind, source, router.clock.now(), message, severity, data))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("severity=error", ["the SIM of wan1 does not answer"]),
        ("severity=warning,error", ["100% of the SIMs_ fail", "the SIM of wan1 does not answer"]),
        ("text=SIM", ["100% of the SIMs_ fail", "the SIM of wan1 does not answer"]),
        ("text=sim+of+WAN1", ["the SIM of wan1 does not answer"]),
        ("text=%25", ["100% of the SIMs_ fail"]),
        ("text=s_", ["100% of the SIMs_ fail"]),
        ("text='%22--", []),
        ("kind=error&modem=modem2&severity=error", []),
        ("text=online&severity=info&kind=connect&modem=modem1&range=1h", ["wan1 came online"]),
    ],
)
def test_the_page_and_the_files_have_the_same_events(
    parts: tuple[SmallRouter, FlaskClient], query: str, found: list[str]
) -> None:
    client = parts[1]
    shown = client.get(f"/api/v1/events?{query}").json["events"]
    assert [event["message"] for event in shown] == found
    assert json.loads(client.get(f"/api/v1/events/export.json?{query}").text)["events"] == shown
    lines = list(csv.DictReader(io.StringIO(client.get(f"/api/v1/events/export.csv?{query}").text)))
    assert [line["message"] for line in lines] == found
    assert [int(line["id"]) for line in lines] == [event["id"] for event in shown]


def test_what_waits_to_be_written_is_filtered_too(
    parts: tuple[SmallRouter, FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    router, client = parts
    monkeypatch.setattr(router.journal, "_flush", lambda: None)
    tell(router, "error", "modem1", "the SIM is hot", "warning")
    tell(router, "connect", "modem1", "fine")
    for query in ("text=HOT", "severity=warning&modem=modem1"):
        answer = client.get(f"/api/v1/events?{query}").json["events"]
        assert [event["message"] for event in answer] == ["the SIM is hot"]


def test_a_spreadsheet_takes_no_message_for_a_formula(parts: tuple[SmallRouter, FlaskClient]) -> None:
    answer = parts[1].get("/api/v1/events/export.csv?kind=control")
    assert answer.mimetype == "text/csv"
    assert 'filename="remsim-events-2026-01-01T00-00.csv"' in answer.headers["Content-Disposition"]
    (line,) = csv.DictReader(io.StringIO(answer.text))
    assert line["message"] == f"'{HOSTILE}"


def test_a_long_journal_is_exported_whole(parts: tuple[SmallRouter, FlaskClient]) -> None:
    router, client = parts
    router.journal.append_history(
        Event("cell_change", "modem1", START, f"cell {number}", id=10_000 + number) for number in range(1200)
    )
    lines = client.get("/api/v1/events/export.csv?kind=cell_change").text.splitlines()
    assert len(lines) == 1201
    assert len(json.loads(client.get("/api/v1/events/export.json?kind=cell_change").text)["events"]) == 1200


@pytest.mark.parametrize("path", ["events", "events/export.csv", "events/export.json"])
@pytest.mark.parametrize(
    ("query", "field"),
    [("severity=dire", "severity"), ("kind=party", "kind"), ("text=", "text"), ("text=" + "x" * 101, "text")],
)
def test_a_wrong_filter_is_named(parts: tuple[SmallRouter, FlaskClient], path: str, query: str, field: str) -> None:
    answer = parts[1].get(f"/api/v1/{path}?{query}")
    assert (answer.status_code, answer.json["field"]) == (422, field)


def test_a_list_that_needs_no_data_is_given_none(parts) -> None:
    lean, full = (parts[1].get(f"/api/v1/events?data={data}").json["events"] for data in (0, 1))
    assert [event | {"data": full[at]["data"]} for at, event in enumerate(lean)] == full
    assert all("data" not in event for event in lean)
