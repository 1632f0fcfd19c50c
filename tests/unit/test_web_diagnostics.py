"""``GET diagnostics`` and ``GET about``: facts about the running service, without identifiers."""

from __future__ import annotations

from pathlib import Path

from remsim.core.events import Event
from web_support import client_of, small_app


def test_about_names_the_parts_of_the_api_that_are_there(tmp_path: Path) -> None:
    _router, app = small_app(tmp_path)
    answer = client_of(app).get("/api/v1/about").get_json()
    assert answer["version"] == "test"
    assert answer["api_version"] == 1
    assert {"modems", "series", "stream", "diagnostics"} <= set(answer["capabilities"])
    assert {one["name"] for one in answer["licences"]} == {"remsim", "Chart.js"}


def test_the_service_tells_its_process_storage_and_files(tmp_path: Path) -> None:
    _router, app = small_app(tmp_path)
    (tmp_path / "modem1").mkdir()
    (tmp_path / "modem1" / "minute.rrd").write_bytes(b"x" * 500)
    answer = client_of(app).get("/api/v1/diagnostics").get_json()
    assert answer["service"]["memory_bytes"] > 5_000_000
    assert answer["service"]["threads"] >= 1
    assert answer["clock"] == {"is_set": True}
    assert [one["name"] for one in answer["storage"]] == ["data", "state"]
    assert all(one["free_bytes"] > 0 and one["is_writable"] for one in answer["storage"])
    assert {"journal", "usage"} <= {one["name"] for one in answer["databases"]}
    assert all(one["bytes"] > 0 for one in answer["databases"])
    assert answer["series"] == {"files": 1, "bytes": 500}
    assert [one["id"] for one in answer["modems"]] == ["modem1", "modem2"]


def test_last_errors_are_told_masked_and_notes_are_not(tmp_path: Path) -> None:
    router, app = small_app(tmp_path)
    router.tell("connected")
    router.emit(Event("error", "modem1", router.clock.now(), "IMSI 262011234567890 was refused", "error"))
    answer = client_of(app).get("/api/v1/diagnostics").get_json()
    assert [event["message"] for event in answer["errors"]] == ["IMSI •••••••••••7890 was refused"]
    assert "262011234567890" not in answer["text"]
    assert "modem1: IMSI •••••••••••7890 was refused" in answer["text"]


def test_the_text_for_a_report_says_nothing_about_the_network(tmp_path: Path) -> None:
    _router, app = small_app(tmp_path)
    server = {"SERVER_NAME": "192.168.77.1", "SERVER_PORT": "8090"}
    answer = client_of(app).get("/api/v1/diagnostics", environ_overrides=server).get_json()
    text = answer["text"]
    assert answer["web"]["listen"] == "192.168.77.1:8090"
    assert "192.168.77" not in text
    assert "an address:8090" in text
    assert str(tmp_path) not in text


def test_a_clock_that_was_never_set_is_told(tmp_path: Path) -> None:
    router, app = small_app(tmp_path)
    router.clock.set_wall(1000.0)  # type: ignore[attr-defined]  # a fake clock
    answer = client_of(app).get("/api/v1/diagnostics").get_json()
    assert answer["clock"] == {"is_set": False}
    assert "clock not set" in answer["text"]


def test_a_directory_that_is_gone_is_told_and_breaks_nothing(tmp_path: Path) -> None:
    router, app = small_app(tmp_path)
    router.data_dir = tmp_path / "gone"
    answer = client_of(app).get("/api/v1/diagnostics").get_json()
    assert answer["storage"][0]["free_bytes"] is None
    assert not answer["storage"][0]["is_writable"]
    assert answer["series"] == {"files": 0, "bytes": 0}
    assert "cannot be written" in answer["text"]


def test_a_file_of_accounts_that_cannot_be_written_is_told_too(tmp_path: Path) -> None:
    _router, app = small_app(tmp_path)
    app.extensions["remsim"].accounts._file.problem = "accounts cannot be written: disk full"
    answer = client_of(app).get("/api/v1/diagnostics").get_json()
    assert [one["code"] for one in answer["problems"]] == ["accounts_storage"]
    assert "problem: accounts cannot be written: disk full" in answer["text"]


def test_nothing_is_told_without_a_token(tmp_path: Path) -> None:
    _router, app = small_app(tmp_path)
    for path in ("diagnostics", "about"):
        assert client_of(app, token=False).get(f"/api/v1/{path}").status_code == 401
