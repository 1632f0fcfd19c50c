"""Messages, codes, console and recording over HTTP and from the shell, on virtual modems of three families."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from remsim.modems.sms.pdu import decode_pdu
from remsim.modems.sms.submit import encode_submit, plan_of
from running import RunningService

MODELS = ("RM520N-GL", "FM350-GL", "EM9190")
MODEMS = [f"modem{number}" for number in range(1, len(MODELS) + 1)]
HELLO = "07912143658709F1040B918100551512F20000111010214365000AE8329BFD4697D9EC37"
LONG = "Grüße, 😀 and more. " * 20


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    simulated = f"--simulate={','.join(MODELS)}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REMSIM_SIMULATOR_TIME_SCALE", "0.1")  # a message is sent in seconds, as by real modems
        service = RunningService(tmp_path_factory.mktemp("messages"), simulated, "--backfill", "0").start()
    service.wait_for("modems", lambda all: [one["state"] for one in all["modems"]] == ["online"] * 3, 60)
    yield service
    service.kill()


def post(service: RunningService, path: str, **content: Any) -> tuple[int, Any]:
    status, answer = service.request(path, method="POST", body=content, timeout_s=60)
    return status, answer


def done(service: RunningService, modem: str, action: str, **content: Any) -> Any:
    status, job = post(service, f"modems/{modem}/{action}", **content)
    assert status == 202, job
    found = service.wait_for(f"jobs/{job['id']}", lambda one: one["ended_at"] is not None, 60)
    assert found["state"] == "done", found
    return found["result"]


def inbox(service: RunningService, modem: str) -> Any:
    status, found = service.request(f"modems/{modem}/sms")
    assert status == 200, found
    return found


@pytest.mark.parametrize("modem", MODEMS)
def test_message_comes_in_is_read_and_deleted(service: RunningService, modem: str) -> None:
    before = service.request("events?kind=sms")[1]["events"]
    assert post(service, "simulation/messages", modem=modem, pdu=HELLO)[0] == 202
    service.wait_for("events?kind=sms", lambda found: len(found["events"]) > len(before))
    (message,) = inbox(service, modem)["messages"]
    assert (message["text"], message["is_unread"]) == ("hellohello", True)
    assert post(service, f"modems/{modem}/sms-read", ids=message["id"])[0] == 200
    assert inbox(service, modem)["unread"] == 0
    assert done(service, modem, "sms-delete", ids=message["id"])["deleted"] == 1
    assert inbox(service, modem)["messages"] == []


@pytest.mark.parametrize("modem", MODEMS)
def test_message_is_sent_in_parts(service: RunningService, modem: str) -> None:
    plan = plan_of(LONG)
    assert post(service, "sms/preview", text=LONG) == (200, plan.as_dict())
    assert len(done(service, modem, "sms-send", number="+49 170 1234567", text=LONG)["references"]) == plan.parts


def test_sent_message_that_is_delivered_to_another_modem_is_the_same(service: RunningService) -> None:
    for pdu, _ in encode_submit("+491700000000", plan_of(LONG), reference=9):
        body = decode_pdu(pdu)
        assert body.part is not None
        raw = bytes.fromhex(pdu)[1:]
        address = raw[2 : 4 + (raw[2] + 1) // 2]
        rest = raw[2 + len(address) :]
        delivered = bytes((0, 0x44)) + address + rest[:2] + bytes.fromhex("62112561000000") + rest[2:]
        assert post(service, "simulation/messages", modem="modem1", pdu=delivered.hex())[0] == 202
    (message,) = inbox(service, "modem1")["messages"]
    assert (message["text"], message["number"]) == (LONG, "+491700000000")
    done(service, "modem1", "sms-delete", ids=message["id"])


@pytest.mark.parametrize("modem", MODEMS)
def test_menu_of_the_network_is_walked_through(service: RunningService, modem: str) -> None:
    assert done(service, modem, "ussd", code="*101#")["wants_answer"] is True
    assert done(service, modem, "ussd", code="1")["text"] == "You have 5120 MB left."


@pytest.mark.parametrize("modem", MODEMS)
def test_search_is_aborted_and_the_modem_stays_online(service: RunningService, modem: str) -> None:
    status, job = post(service, f"modems/{modem}/scan")
    assert status == 202
    assert service.request(f"modems/{modem}/sms")[0] == 409
    service.wait_for(f"jobs/{job['id']}", lambda one: one["can_abort"])
    assert post(service, f"jobs/{job['id']}/abort")[0] in (200, 202)
    found = service.wait_for(f"jobs/{job['id']}", lambda one: one["ended_at"] is not None, 30)
    assert found["state"] == "aborted"
    service.wait_for(f"modems/{modem}", lambda one: one["state"] == "online" and one["operation"] is None, 30)
    assert inbox(service, modem)["messages"] == []


def test_console_answers_refuses_and_is_written_down(service: RunningService) -> None:
    status, found = post(service, "modems/modem1/at", command="AT+CSQ")
    assert (status, found["result"]["ok"]) == (200, True)
    status, found = post(service, "modems/modem1/at", command='at + egmr = 1,7,"0"')
    assert (status, found["field"]) == (422, "command")
    told = service.request("events?kind=control&modem=modem1")[1]["events"]
    assert any("AT+CSQ" in event["message"] for event in told)
    assert not any("egmr" in event["message"].lower() for event in told)


def remsim(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "remsim", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ, check=False)


def test_recording_from_the_shell(service: RunningService, tmp_path: Path) -> None:
    where = ("--state", str(service.state), "--listen", f"127.0.0.1:{service.port}")
    for modem, model in zip(MODEMS, MODELS, strict=True):
        file = tmp_path / f"{modem}.jsonl"
        run = remsim("modem", "record", modem, "-o", str(file), *where)
        assert run.returncode == 0, run.stderr
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        assert len(rows) > 25
        assert {row["module"] for row in rows} == {model}
        imei = service.request(f"modems/{modem}")[1]["imei"]
        assert imei.lstrip("•") not in "".join(row["reply"] for row in rows if "SN" in row["command"])
    run = remsim("modem", "record", *where)
    assert run.returncode == 1
    assert "modem1, modem2, modem3" in run.stderr
    port = service.request("modems/modem1")[1]["port"]
    run = remsim("modem", "record", port, "--state", str(tmp_path))
    assert run.returncode == 1
    assert "is in use by" in run.stderr


def test_words_stand_in_no_log_and_no_event(service: RunningService) -> None:
    told = service.log() + json.dumps(service.request("events?limit=500")[1])
    for words in ("hellohello", "Grüße", "491701234567", "*101#"):
        assert words not in told
