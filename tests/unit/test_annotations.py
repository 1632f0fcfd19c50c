"""Notes on the time axis: kept as written, whoever wrote whatever."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from remsim.core.clock import FakeClock
from remsim.core.errors import Conflict, StorageError
from remsim.telemetry import annotations as module
from remsim.telemetry.annotations import Annotations
from small_disk import make_read_only, small_disk
from web_support import START, client_of, small_app

API = "/api/v1/annotations"


@pytest.fixture
def client(tmp_path: Path):
    router, app = small_app(tmp_path)
    yield client_of(app)
    router.stop()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory):
    """A client of a router that keeps nothing of these tests."""
    router, app = small_app(tmp_path_factory.mktemp("quiet"))
    yield client_of(app)
    router.stop()


def note(client, **values):
    answer = client.post(API, json={"at": START, "text": "antenna moved"} | values)
    assert answer.status_code == 201, answer.json
    return answer.json


def test_a_note_is_written_changed_and_deleted(client) -> None:
    made = note(client, modem="modem1", to=START + 60)
    assert made["at"] == "2026-01-01T00:00:00.000Z" and made["to"] == "2026-01-01T00:01:00.000Z"
    assert made["author"] == "local" and made["modem"] == "modem1"
    path = f"{API}/{made['id']}"
    changed = client.patch(path, json={"text": "moved back", "to": None}).json
    assert changed == made | {"text": "moved back", "to": None}
    assert client.get(API).json["annotations"] == [changed]
    assert client.delete(path).json == changed
    assert client.get(API).json["annotations"] == []
    for method in (client.delete, lambda where: client.patch(where, json={"text": "x"})):
        answer = method(path)
        assert (answer.status_code, answer.json["field"]) == (404, "id")


def test_a_period_has_the_notes_that_touch_it_and_a_modem_those_of_all(client) -> None:
    note(client, text="long", at=START - 500, to=START + 500)
    note(client, text="before", at=START - 500, to=START - 400)
    note(client, text="one", at=START + 10, modem="modem1")
    note(client, text="two", at=START + 20, modem="modem2")
    note(client, text="after", at=START + 200)

    def texts(query: str) -> list[str]:
        return [one["text"] for one in client.get(f"{API}?{query}").json["annotations"]]

    period = f"from={START}&to={START + 100}"
    assert texts(period) == ["long", "one", "two"]
    assert texts(f"{period}&modem=modem1") == ["long", "one"]
    assert texts(f"{period}&modem=modem3") == ["long"], "a modem that is gone is no mistake"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "   "}, "text"),
        ({"text": "x" * 501}, "text"),
        ({"text": "two\nlines"}, "text"),
        ({"text": "turned \u202e round"}, "text"),
        ({"text": ["a"]}, "text"),
        ({"at": "yesterday"}, "at"),
        ({"to": START - 1}, "to"),
        ({"modem": "modem9"}, "modem"),
        ({"author": "root"}, "author"),
    ],
)
def test_what_cannot_be_a_note_is_refused_by_its_field(quiet, values, field) -> None:
    answer = quiet.post(API, json={"at": START, "text": "x"} | values)
    assert (answer.status_code, answer.json["field"]) == (422, field)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "'; DROP TABLE annotations; --", "👩‍🔧 می‌خواهم", "=1+1"])
def test_hostile_and_foreign_texts_come_back_as_they_were(client, text: str) -> None:
    assert note(client, text=text)["text"] == text


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 17, "1.0", "%31e3"])
def test_an_id_that_is_none_is_not_found(quiet, number: str) -> None:
    assert quiet.delete(f"{API}/{number}").status_code == 404


def test_their_number_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    notes = Annotations(tmp_path / "annotations.db", clock=FakeClock())
    for _ in range(2):
        last = notes.add(at=1.0, until=None, text="x", modem=None, author="local")
    with pytest.raises(Conflict):
        notes.add(at=1.0, until=None, text="x", modem=None, author="local")
    notes.delete(last.id)
    assert notes.add(at=1.0, until=None, text="x", modem=None, author="local").id > last.id, "an id is not given twice"
    notes.close()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(min_size=1, max_size=500).filter(str.isprintable), at=st.floats(0, 4e9))
def test_any_printable_text_survives_a_restart(tmp_path: Path, text: str, at: float) -> None:
    notes = Annotations(tmp_path / "annotations.db", clock=FakeClock())
    made = notes.add(at=at, until=None, text=text, modem=None, author="local")
    notes.close()
    again = Annotations(tmp_path / "annotations.db", clock=FakeClock())
    assert again.get(made.id) == made
    again.delete(made.id)
    again.close()


def test_a_note_that_cannot_be_kept_is_not_taken(tmp_path: Path) -> None:
    clock = FakeClock()
    with small_disk(tmp_path / "disk", 512) as disk:
        notes = Annotations(disk / "annotations.db", clock=clock)
        kept = notes.add(at=1.0, until=None, text="x", modem=None, author="local")
        notes.close()
        make_read_only(disk, True)
        notes = Annotations(disk / "annotations.db", clock=clock)
        with pytest.raises(StorageError):
            notes.add(at=2.0, until=None, text="y", modem=None, author="local")
        assert notes.problem and notes.query() == [kept]
        make_read_only(disk, False)
        clock.advance(60)
        notes.add(at=2.0, until=None, text="y", modem=None, author="local")
        assert notes.problem is None and [one.text for one in notes.query()] == ["x", "y"]
        notes.close()


def test_notes_as_a_file_are_no_formulas(client) -> None:
    note(client, text='=cmd|" /C calc"!A0', modem="modem1", to=START + 5)
    lines = client.get(API + "/export.csv").text.splitlines()
    assert lines[0] == "from,to,modem,text,author,id"
    assert "modem1,\"'=cmd|\"\" /C calc\"\"!A0\",local," in lines[1]
    assert client.get(f"{API}/export.csv?from={START + 6}&to={START + 7}").text.count("\n") == 1
