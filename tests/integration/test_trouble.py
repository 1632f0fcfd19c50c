"""A service whose disk, configuration or address is bad: said in a sentence, and the rest goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from running import RunningService, free_port
from small_disk import fill, make_read_only, small_disk


def online(answer) -> bool:
    return bool(answer["modems"]) and all(modem["state"] == "online" for modem in answer["modems"])


def kinds_of(answer) -> list[str]:
    return [event["kind"] for event in answer["events"]]


def problems(service: RunningService) -> str:
    return " ".join(problem["message"] for problem in service.get("state")["problems"])


def test_a_full_disk_is_said_live_goes_on_and_what_waited_is_stored(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", 3000) as disk:
        filler = fill(disk)
        service = RunningService(tmp_path, "--simulate=1", "--backfill", "0").start()
        try:
            service.wait_for("modems", online)
            service.wait_for("state", lambda state: any("series" in p["code"] for p in state["problems"]))
            assert str(disk) in problems(service)
            assert service.get("series?modem=modem1&measure=rsrp_dbm&range=60")["points"]
            filler.unlink()
            service.wait_for("state", lambda state: not state["problems"])
            told = service.wait_for("events?limit=100", lambda answer: "recovered" in kinds_of(answer))
            assert kinds_of(told).index("recovered") < kinds_of(told).index("error")
        finally:
            service.stop()


def test_a_full_state_disk_keeps_the_service_up_and_loses_no_event(tmp_path: Path) -> None:
    with small_disk(tmp_path / "state", 1500) as disk:
        service = RunningService(tmp_path, "--simulate=1", "--backfill", "0").start()
        try:
            service.wait_for("modems", online)
            before = {event["id"] for event in service.get("events?limit=500")["events"]}
            filler = fill(disk)
            service.request("simulation/faults", method="POST", body={"modem": "modem1", "fault": "unplug"})
            service.wait_for("modems", lambda answer: answer["modems"][0]["state"] == "rebooting")
            service.wait_for("state", lambda state: any(p["code"].startswith("journal") for p in state["problems"]))
            filler.unlink()
            service.request("simulation/faults", method="POST", body={"modem": "modem1", "fault": "clear"})
            service.wait_for("modems", online)
            after = service.get("events?limit=500")["events"]
            assert before <= {event["id"] for event in after}
            assert "vanished" in {event["kind"] for event in after}, "what waited in memory was written"
        finally:
            service.stop()


def test_a_read_only_data_directory_is_said_and_live_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", 3000) as disk:
        make_read_only(disk, True)
        service = RunningService(tmp_path, "--simulate=1", "--backfill", "0").start()
        try:
            service.wait_for("modems", online)
            service.wait_for("state", lambda state: state["problems"])
            assert str(disk) in problems(service)
        finally:
            service.stop()


def test_a_broken_configuration_is_said_with_its_line_and_the_router_stays_reachable(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "remsim_console").write_text("config web\n\toption max_streams 'twelve\n")
    service = RunningService(tmp_path, "--simulate=1", "--backfill", "0", "--config", str(config)).start()
    try:
        told = problems(service)
        assert "remsim_console, line 2" in told
        assert "max_streams" in told
    finally:
        service.stop()


def run_serve(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A start that must fail at once."""
    command = [sys.executable, "-m", "remsim", "serve", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_a_state_directory_that_cannot_be_made_ends_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    ended = run_serve("--data", str(tmp_path / "data"), "--state", str(tmp_path / "file" / "state"))
    assert ended.returncode == 1
    assert "--state" in ended.stderr or "state directory" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_address_in_use_or_none_at_all_ends_with_a_sentence(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run_serve("--listen", f"127.0.0.1:{port}", "--data", str(tmp_path))
    assert ended.returncode == 1
    assert str(port) in ended.stderr
    assert "Traceback" not in ended.stderr
    for address in ("nowhere", "127.0.0.1:99999", "127.0.0.1:", f"256.1.1.1:{free_port()}"):
        ended = run_serve("--listen", address, "--data", str(tmp_path))
        assert ended.returncode in (1, 2), address
        assert "Traceback" not in ended.stderr, ended.stderr


def test_only_data_given_means_both_are_there(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "remsim", "serve", "--listen", f"127.0.0.1:{port}", "--data", str(tmp_path / "d")]
    process = subprocess.Popen(
        [*command, "--simulate=1", "--backfill", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout
        said = ""
        while "/login?ticket=" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        assert (tmp_path / "d" / "token").exists()
        assert (tmp_path / "d" / "journal.db").exists()
    finally:
        process.terminate()
        process.communicate(timeout=10)
