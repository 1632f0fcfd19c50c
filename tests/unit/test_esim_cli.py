"""``remsim esim`` against a service that answers as a test tells it to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from remsim.cli import main
from remsim.client import ServiceClient

PROFILE = {
    "id": "sim-1a2b3c4d", "iccid": "8949…0007", "name": "Travel", "provider": "Example\x1b[2J", "state": "enabled",
    "class": "operational", "policy": ["cannot_delete"],
}
OTHER = PROFILE | {"id": "sim-5e6f7081", "iccid": "8949…0015", "name": "Home", "state": "disabled", "policy": []}
HOLDER = {
    "id": "modem1", "name": "Quectel RM520N-GL", "state": "ready", "eid": "8904…1235", "read_at": None, "problem": None,
    "euicc": {"free_bytes": 320_000}, "profiles": [PROFILE, OTHER], "notifications": [{}, {}],
}  # fmt: skip
VIEW = {"holders": [HOLDER], "warnings": []}
RUNNING = {"id": "7", "state": "running", "step": "loading", "ended_at": None, "question": None}
DONE = RUNNING | {"state": "done", "ended_at": "2026-01-01T00:00:00Z", "result": {"enabled": True}}
QUESTION = {
    "kind": "esim-consent", "confirmation_code_required": True, "memory": {"free_bytes": 320_000}, "wrong_code": False,
    "profile": {"profile_name": "5 GB travel", "provider": "Example Mobile", "iccid": "8949…0023"},
}  # fmt: skip
ASKING = RUNNING | {"state": "asking", "question": QUESTION}


class Service:
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.jobs = [DONE]
        self.answers: dict[str, Any] = {"esim": VIEW}

    def get(self, path: str) -> Any:
        return self.request("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self.request("POST", path, body)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        self.asked.append((method, path, body))
        if path == "jobs/7":
            return self.jobs.pop(0) if len(self.jobs) > 1 else self.jobs[0]
        return self.answers.get(path, RUNNING if method != "GET" else {})


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    one = Service()
    monkeypatch.setattr(ServiceClient, "of_router", lambda *_: one)
    monkeypatch.setattr("remsim.job_cli.LOOK_S", 0.0)
    return one


def test_the_list_shows_profiles_and_rules_no_terminal(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["esim", "list"]) == 0
    told = capsys.readouterr().out
    assert "* sim-1a2b3c4d" in told and "320 kB free" in told and "cannot be deleted" in told
    assert "\x1b" not in told and "2 notifications wait" in told


@pytest.mark.parametrize("name", ["sim-5e6f7081", "home", "0015"])
def test_a_profile_is_meant_by_its_id_its_name_or_the_end_of_its_number(service: Service, name: str) -> None:
    assert main(["esim", "enable", "modem1", name, "--minutes", "2", "--yes"]) == 0
    assert ("POST", "esim/modem1/profiles/sim-5e6f7081/enable", {"minutes": 2, "return": True}) in service.asked


@pytest.mark.parametrize("words", [("enable", "modem1", "nothing"), ("enable", "modem9", "home")])
def test_what_is_not_there_is_told_with_what_is(
    service: Service, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["esim", *words, "--yes"]) == 1
    assert "there are: " in capsys.readouterr().err and all(method == "GET" for method, _, _ in service.asked)


@pytest.mark.parametrize(
    "words",
    [
        ("download", "modem1", "LPA:1$a.example$B"),
        ("delete", "modem1", "home"),
        ("disable", "modem1", "travel"),
        ("notifications", "modem1", "--remove", "3"),
        ("memory-reset", "modem1", "--eid", "89049032123451234512345678901235", "--operational"),
    ],
)
def test_nothing_is_cut_or_lost_unless_somebody_agrees(
    service: Service, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["esim", *words]) == 1
    assert "--yes" in capsys.readouterr().err
    assert all(method == "GET" for method, _, _ in service.asked)


def test_a_download_agreed_beforehand_asks_nothing(service: Service) -> None:
    words = ["esim", "download", "modem1", "LPA:1$a.example$B", "--nickname", "Trip", "--yes"]
    assert main(words) == 0
    body = {"code": "LPA:1$a.example$B", "enable": False, "nickname": "Trip", "consent": True}
    assert ("POST", "esim/modem1/downloads", body) in service.asked


def test_a_download_shows_what_was_found_and_goes_on_with_the_answer(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.jobs = [ASKING, RUNNING, DONE]
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("remsim.esim_verbs.agreed", lambda question: True)
    monkeypatch.setattr("remsim.esim_verbs.asked", lambda name: "1234")
    assert main(["esim", "download", "modem1", "LPA:1$a.example$B"]) == 0
    assert ("POST", "jobs/7/answer", {"accept": True, "confirmation_code": "1234"}) in service.asked
    assert "5 GB travel" in capsys.readouterr().err


def test_a_backup_is_readable_by_its_owner_only_and_overwrites_nothing(service: Service, tmp_path: Path) -> None:
    service.answers["esim/backup"] = {"version": 1}
    file = tmp_path / "backup.json"
    assert main(["esim", "backup", "-o", str(file)]) == 0
    assert json.loads(file.read_text()) == {"version": 1} and file.stat().st_mode & 0o777 == 0o600
    assert main(["esim", "backup", "-o", str(file)]) == 1


def test_a_file_of_many_is_csv_or_json(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "rows"
    file.write_text("target,code\nmodem1,LPA:1$a.example$B\n")
    assert main(["esim", "bulk", str(file), "--check"]) == 0
    file.write_text('[{"target": "modem1"}]')
    assert main(["esim", "bulk", str(file)]) == 0
    first, second = (body for method, path, body in service.asked if path == "esim/bulk")
    assert first == {"check": True, "csv": "target,code\nmodem1,LPA:1$a.example$B\n"}
    assert second == {"check": False, "rows": [{"target": "modem1"}]}
    assert main(["esim", "bulk", "--resume", "7a"]) == 0
    assert main(["esim", "bulk", "--show", "7a"]) == 0
    assert main(["esim", "bulk"]) == 0
    assert [one[:2] for one in service.asked if "bulk" in one[1]][2:] == [
        ("POST", "esim/bulk/7a/resume"), ("GET", "esim/bulk/7a"), ("GET", "esim/bulk"),
    ]  # fmt: skip


def test_a_profile_is_ordered_released_and_given_back(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["esim", "orders", "make", "operator", "--profile-type", "data", "--holder", "modem1"]) == 0
    assert main(["esim", "orders", "cancel", "7"]) == 0
    assert [(path, body) for method, path, body in service.asked if method == "POST"] == [
        ("esim/orders", {"connector": "operator", "holder": "modem1", "profile_type": "data"}),
        ("esim/orders/7/cancel", {}),
    ]
    assert main(["esim", "orders", "release"]) == 1
    assert "takes a name" in capsys.readouterr().err
