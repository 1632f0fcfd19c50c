"""``remsim modem`` against a service that answers as a test tells it to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from remsim.cli import main
from remsim.client import ServiceClient
from remsim.core.errors import RemsimError

ACTIONS = [
    {"name": "scan", "label": "Search", "missing": None, "cuts": None},
    {"name": "sim-slot", "label": "Choose the SIM slot", "missing": None, "cuts": "It cuts."},
    {"name": "at", "label": "Send an AT command", "missing": None, "cuts": None},
]
JOB = {"id": "7", "state": "running", "step": None, "ended_at": None, "result": None, "error": None}
DONE = {**JOB, "state": "done", "ended_at": "2026-01-01T00:00:00Z", "result": {"slot": 2}}
MESSAGE = {
    "id": "0123456789ab", "at": None, "number": "+49\x1b[2J", "is_unread": True,
    "text": "one\n\x1b]0;title\x07\u202etwo",
}
INBOX = {"messages": [MESSAGE], "storage": {"used": 1, "total": 40}, "problem": None}


class Service:
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.answers: dict[str, Any] = {"modems/modem1/actions": {"actions": ACTIONS}, "modems/modem1/sms": INBOX}
        self.jobs = [DONE]

    def get(self, path: str) -> Any:
        return self.request("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self.request("POST", path, body)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        self.asked.append((method, path, body))
        answer = self.answers.get(path, {})
        if path == "jobs/7":
            answer = self.jobs.pop(0) if len(self.jobs) > 1 else self.jobs[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    one = Service()
    monkeypatch.setattr(ServiceClient, "of_router", lambda *_: one)
    monkeypatch.setattr("remsim.job_cli.LOOK_S", 0.0)
    return one


@pytest.mark.parametrize("words", [("nothing",), ("form", "nothing"), ("slot=2",)])
def test_an_action_that_is_not_there_names_those_that_are(
    service: Service, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert main(["modem", "modem1", *words]) == 1
    told = capsys.readouterr().err
    assert "there is no action" in told and "scan, sim-slot, at" in told
    assert [method for method, _, _ in service.asked] == ["GET"]


@pytest.mark.parametrize(
    "words",
    [
        ("modem1", "sim-slot", "slot=2", "--yes"),
        ("modem1", "sim-slot", "--yes", "slot=2"),
        ("modem1", "--yes", "sim-slot", "slot=2"),
        ("--yes", "modem1", "sim-slot", "slot=2"),
    ],
)
def test_options_may_stand_anywhere(
    service: Service, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    service.answers["modems/modem1/sim-slot"] = JOB
    assert main(["modem", *words]) == 0
    assert ("POST", "modems/modem1/sim-slot", {"slot": "2"}) in service.asked
    assert json.loads(capsys.readouterr().out) == {"slot": 2}


@pytest.mark.parametrize("words", [("modem1", "scan", "--nothing"), ("modem1", "--yes", "scan", "-x")])
def test_options_that_are_none_are_a_wrong_call(service: Service, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["modem", *words])
    assert ended.value.code == 2 and not service.asked


@pytest.mark.parametrize("words", [("forget", "now"), ("actions", "x"), ("sms", "x=1")])
def test_what_stands_behind_a_whole_command_is_refused(
    service: Service, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert main(["modem", "modem1", *words]) == 1
    assert "takes nothing behind it" in capsys.readouterr().err and not service.asked


def test_messages_are_listed_and_rule_no_terminal(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["modem", "modem1", "sms"]) == 0
    out = capsys.readouterr().out
    assert "0123456789ab" in out and "    one\n" in out and "(new)" in out
    assert not any(letter in out for letter in "\x1b\x07\u202e")
    assert main(["modem", "modem1", "sms", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == INBOX


def test_forgetting_presets_is_not_forgetting_the_modem(service: Service) -> None:
    main(["modem", "modem1", "forget-presets"])
    main(["modem", "modem1", "forget"])
    deleted = [path for method, path, _ in service.asked if method == "DELETE"]
    assert deleted == ["modems/modem1/desired", "modems/modem1"]


def test_an_answer_of_the_console_comes_as_the_modem_gave_it(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.answers["modems/modem1/at"] = {"result": {"reply": "+CSQ: 20,99\nOK", "ok": True}}
    assert main(["modem", "modem1", "at", "command=AT+CSQ"]) == 0
    assert capsys.readouterr().out == "+CSQ: 20,99\nOK\n"
    service.answers["modems/modem1/at"] = {"result": {"reply": "ERROR", "ok": False}}
    assert main(["modem", "modem1", "at", "command=AT+CSQ"]) == 1


@pytest.mark.parametrize(
    ("refusal", "told"),
    [(None, "asked the job to end"), (RemsimError("this job cannot be aborted now"), "it goes on as job 7")],
)
def test_ctrl_c_asks_the_job_to_end(
    service: Service, capsys: pytest.CaptureFixture[str], refusal: RemsimError | None, told: str
) -> None:
    service.answers |= {"modems/modem1/scan": JOB, "jobs/7/abort": refusal or {}}
    service.jobs = [KeyboardInterrupt()]  # type: ignore[list-item]  # raised by whoever asks
    assert main(["modem", "modem1", "scan"]) == 130
    assert told in capsys.readouterr().err
    assert ("POST", "jobs/7/abort", {}) in service.asked


def test_an_answer_that_comes_too_late_leaves_the_word_to_the_job(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    asking = {**JOB, "state": "confirming", "confirm_by": "soon"}
    gone = {**JOB, "state": "failed", "ended_at": "now", "error": "nobody confirmed", "field": None, "hint": "again"}
    service.answers |= {
        "modems/modem1/sim-slot": asking,
        "jobs/7/confirm": RemsimError("this job does not wait for a confirmation"),
    }
    service.jobs = [gone]
    assert main(["modem", "modem1", "sim-slot", "slot=2", "--yes"]) == 1
    told = capsys.readouterr().err
    assert "does not wait" in told and "nobody confirmed (again)" in told
