"""The event script itself, as clients call it, and the service that takes in what it writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from remsim.remotesim.event_script import event_script
from remsim.remotesim.record import CLIENT_COMM, parse
from running import running_service

SCRIPT = event_script()
BURST = ["request-sim-remote", "request-card-insert", "request-modem-reset", "event-bankd-connect"]
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "REMSIM_CLIENT_SLOT": "5:0",
    "REMSIM_BANKD_ADDR": "10.0.0.5:9999",
    "REMSIM_BANKD_SLOT": "1:2",
}
HOSTILE = [
    *("$(touch pwned)", "`touch pwned`", "a\nend\ncause=x", "'\"; touch pwned", "\x1b[2J\r"),
    *("*", "-n", "%s%n\\c", "x" * 9000),
]
CALLER = """#!/bin/sh
# What a client does: a shell an event, none waited for.
for cause; do sh -c "$SCRIPT $cause" & done
wait
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def fire(state: Path, *causes: str, **more: str) -> None:
    """Call the script from a process that is called as a client is."""
    caller = state.parent / f"{CLIENT_COMM}ient-test"
    caller.write_text(CALLER)
    caller.chmod(0o755)
    environment = ENVIRONMENT | {"REMSIM_STATE": str(state), "SCRIPT": str(SCRIPT)} | more
    subprocess.run([caller, *causes], env=environment, check=True, timeout=20)


def texts(state: Path) -> list[str]:
    return [path.read_text() for path in sorted((state / "spool").iterdir()) if path.name[0] != "."]


def test_a_burst_carries_the_order_in_which_it_was_meant(state: Path) -> None:
    fire(state, *BURST * 5)
    found = [parse(text) for text in texts(state)]
    assert len(found) == 20 and all(record.order and record.client for record in found)
    meant = sorted(found, key=lambda record: (record.order.start, record.order.pid))  # type: ignore[union-attr]
    assert [record.cause for record in meant] == BURST * 5
    assert len({record.client for record in found}) == 1
    assert (state / "spool").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_of_the_environment_is_run_or_breaks_a_record(state: Path, hostile: str) -> None:
    state.mkdir()
    fire(state, "event-bankd-connect", REMSIM_BANKD_SLOT=hostile, REMSIM_CLIENT_NAME=hostile)
    (text,) = texts(state)
    record = parse(text)
    assert record.cause == "event-bankd-connect" and record.values["REMSIM_CLIENT_SLOT"] == "5:0"
    told = record.values["REMSIM_BANKD_SLOT"]
    assert told.isprintable() and told[:2] == hostile.replace("\n", " ").replace("\x1b", "\ufffd")[:2]
    assert not list(state.parent.rglob("pwned"))


def test_a_cause_may_be_anything_and_the_verb_writes_the_same_record(state: Path) -> None:
    for command in ([str(SCRIPT)], [sys.executable, "-m", "remsim", "remote-sim", "event"]):
        environment = ENVIRONMENT | {"REMSIM_STATE": str(state), "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([*command, "no-such $cause"], env=environment, check=True, timeout=20)
    first, second = (parse(text) for text in texts(state))
    assert (first.cause, first.values) == (second.cause, second.values) and first.cause == "no-such $cause"
    assert first.boot == second.boot and first.order is None


@pytest.mark.parametrize("place", ["/proc/nowhere", "/dev/null", ""])
def test_a_spool_that_cannot_be_written_is_no_trouble_for_the_client(place: str, tmp_path: Path) -> None:
    environment = ENVIRONMENT | {"REMSIM_STATE": place or str(tmp_path / "gone" / "very")}
    done = subprocess.run([SCRIPT, "x"], env=environment, capture_output=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_link_to_a_folder_that_is_gone_is_followed(state: Path, tmp_path: Path) -> None:
    state.mkdir()
    (state / "spool").symlink_to(tmp_path / "ram" / "spool")
    fire(state, "x")
    assert len(list((tmp_path / "ram" / "spool").iterdir())) == 1


def test_nobody_takes_them_and_the_oldest_go(state: Path) -> None:
    (state / "spool").mkdir(parents=True)
    for at in range(1000):
        (state / "spool" / f"{at:012}-1").write_text("1\nend\n")
    fire(state, "x")
    names = sorted(path.name for path in (state / "spool").iterdir() if path.name[0] != ".")
    assert len(names) == 901 and names[0] == "000000000100-1"
    assert (state / "spool" / ".dropped").read_text() == "100\n"
    assert not (state / "spool" / ".dropping").exists()


def test_the_service_takes_in_what_was_told_and_goes_on_after_kill_9(tmp_path: Path) -> None:
    def client(answer: Any) -> dict[str, Any] | None:
        return next((one for one in answer["clients"] if one["client_slot"] == "5:0"), None)

    with running_service(tmp_path, "--config", str(tmp_path)) as service:
        fire(service.state, "event-config-bankd", *BURST)
        # The caller has ended, as a client that died, and is none of ours: what it told stands, uncertain.
        service.wait_for("remote-sim", lambda answer: (client(answer) or {}).get("uncertain") is True)
        shown = client(service.get("remote-sim"))
        assert shown and (shown["state"], shown["bank_slot"], shown["configured"]) == ("remote", "1:2", False)
        assert shown["process"]["running"] is False and shown["health"] == "the client does not run"
        told = [event["data"]["state"] for event in service.get("events?kind=remote_sim")["events"]]
        assert sorted(told) == ["connecting", "remote"]
        service.kill()
        fire(service.state, "event-config-bankd", *BURST, *["request-card-remove", "request-sim-local"])
        service.start()
        service.wait_for("remote-sim", lambda answer: answer["spool"]["waiting"] == 0)
        kinds = [event["data"]["state"] for event in service.get("events?kind=remote_sim")["events"]]
        assert kinds.count("local") == 1, "nothing was lost"
