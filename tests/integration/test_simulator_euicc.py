"""A virtual eUICC behind real terminals: a switch over AT commands, and programs served over lpac's stdio."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from remsim.core.clock import SystemClock
from remsim.core.errors import InvalidInput
from remsim.modems.channel import Channel
from remsim.modems.detect import scan
from remsim.simulator.euicc import credentials, pki
from remsim.simulator.euicc.__main__ import main
from remsim.simulator.euicc.options import UsageError, read_options
from remsim.simulator.euicc.scene import CARRIED_ICCID, SMDP_HOST
from remsim.simulator.process import SimulatorProcess

AID = "A0000005591010FFFFFFFF8900000100"
CLIENT = """
import json, sys
def ask(kind, **payload):
    print(json.dumps({"type": kind, "payload": payload}), flush=True)
    return json.loads(sys.stdin.readline())["payload"]
def apdu(func, param=None):
    return ask("apdu", func=func, param=param)
"""


@pytest.fixture
def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatorProcess]:
    monkeypatch.setenv("REMSIM_SIMULATOR_TIME_SCALE", "0.05")
    process = SimulatorProcess(tmp_path, 2)
    process.start()
    yield process
    process.stop()


@contextlib.contextmanager
def opened(simulator: SimulatorProcess, usb_path: str) -> Iterator[Channel]:
    """The modem's first AT port."""
    modems = scan(simulator.sysfs_root, simulator.dev_root)
    port = next(one.at_ports[0] for one in modems if one.usb_path == usb_path)
    channel = Channel(port, clock=SystemClock(), on_urc=lambda line: None)
    channel.open()
    try:
        yield channel
    finally:
        channel.dispose()


def wait_for(wanted: Callable[[], object], timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not wanted():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def ask(channel: Channel, request: str) -> str:
    """A request in one block over +CCHO and +CGLA."""
    session = channel.query(f'AT+CCHO="{AID}"').lines[0].rpartition(" ")[2]
    apdu, answered = f"80E29100{len(request) // 2:02X}{request}", ""
    while True:
        answer = channel.query(f'AT+CGLA={session},{len(apdu)},"{apdu}"').lines[0].split('"')[1]
        answered += answer[:-4]
        if answer[-4:-2] != "61":
            channel.query(f"AT+CCHC={session}")
            return answered
        apdu = f"80C00000{answer[-2:]}"


def switch(iccid: str) -> str:
    octets = "".join(iccid.ljust(20, "F")[at + 1] + iccid.ljust(20, "F")[at] for at in range(0, 20, 2))
    return f"BF3111A00C5A0A{octets}8101FF"


def test_a_switch_makes_the_modem_read_its_card_and_register_anew(simulator: SimulatorProcess) -> None:
    with opened(simulator, "1-1.1") as channel:
        before = channel.query("AT+QCCID").lines
        assert ask(channel, switch(CARRIED_ICCID)) == "BF3103800100"
        wait_for(lambda: channel.query("AT+QCCID").lines == (f"+QCCID: {CARRIED_ICCID}",))
        wait_for(lambda: channel.query("AT+CEREG?").lines[0].endswith(",1"))
        wait_for(lambda: "Example Mobile" in channel.query("AT+COPS?").lines[0])
        assert ask(channel, switch(before[0].split()[-1])) == "BF3103800100"
        wait_for(lambda: channel.query("AT+QCCID").lines == before)


def test_faults_of_the_card_are_set_and_cleared_over_the_control_socket(simulator: SimulatorProcess) -> None:
    simulator.control.fault("1-1.1", "euicc_busy")
    with opened(simulator, "1-1.1") as channel:
        assert ask(channel, switch(CARRIED_ICCID)) == "BF3103800105"
        simulator.control.fault("1-1.1", "clear")
        assert ask(channel, switch(CARRIED_ICCID)) == "BF3103800100"
    with pytest.raises(InvalidInput, match="no eUICC"):
        simulator.control.fault("1-1.2", "euicc_busy")


def program(folder: Path, body: str) -> list[str]:
    """A program that speaks as lpac does."""
    file = folder / "client.py"
    file.write_text(CLIENT + body)
    return ["--stdio", sys.executable, str(file)]


def test_a_program_is_served_and_what_it_says_is_passed_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    body = f"""
assert apdu("connect") == {{"ecode": 0}}
channel = apdu("logic_channel_open", "{AID.lower()}")["ecode"]
assert apdu("logic_channel_open", "a000000087")["ecode"] == -1
assert apdu("transmit", "8%de2910006bf3e035c015a" % channel) == {{"ecode": 0, "data": "6115"}}
eid = apdu("transmit", "8%dc0000015" % channel)["data"]
apdu("logic_channel_close", "%02x" % channel)
print("plain words", flush=True)
print(json.dumps({{"type": "lpa", "payload": {{"code": 0, "data": eid}}}}), flush=True)
sys.exit(7)
"""
    trace = tmp_path / "trace"
    assert main(["--eid", "89049032000000000000000000000163", "--trace", str(trace), *program(tmp_path, body)]) == 7
    said = capfd.readouterr().out.splitlines()
    assert said[0] == "plain words"
    assert json.loads(said[1])["payload"]["data"] == "bf3e125a10890490320000000000000000000001639000"
    traced = [json.loads(line) for line in trace.read_text().splitlines()]
    assert [one.get("answer") for one in traced][:2] == [None, "6115"] and "6A82" in traced[0]["error"]


def test_requests_go_where_a_name_leads_and_certificates_are_checked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    body = f"""
def post(host):
    headers = ["Content-Type: application/json", "X-Admin-Protocol: gsma/rsp/v2.2.2"]
    url = "https://%s/gsma/rsp2/es9plus/initiateAuthentication" % host
    return ask("http", url=url, tx=b"{{}}".hex(), headers=headers)
good = post("{SMDP_HOST}")
assert good["rcode"] == 200 and b"header" in bytes.fromhex(good["rx"]), good
for host in ("wronghost.example.com", "untrusted.example.com", "expired.example.com", "down.example.com"):
    assert post(host) == {{"rcode": 502, "rx": ""}}, host
assert ask("http", url="http://plain.example.com/", tx="", headers=[])["rcode"] == 502
"""
    assert main(["--servers", *program(tmp_path, body)]) == 0
    told = json.loads(capfd.readouterr().out.splitlines()[0])
    assert told["codes"][0][1].startswith("LPA:1$") and SMDP_HOST in told["hosts"]


def test_a_card_is_kept_from_call_to_call_with_credentials_made_for_it(tmp_path: Path) -> None:
    own = ["--credentials", str(tmp_path / "pki"), "--state", str(tmp_path / "card.json"), "--profiles"]
    body = f"""
channel = apdu("logic_channel_open", "{AID}")["ecode"]
apdu("transmit", "81e2910014" + "{switch(CARRIED_ICCID)}")
result = apdu("transmit", "81c0000006")["data"]
sys.exit({{"bf31038001009000": 0, "bf31038001029000": 2}}[result])
"""
    assert [main([*own, *program(tmp_path, body)]) for _ in range(2)] == [0, 2]
    found_there = credentials.from_directory(tmp_path / "pki")
    assert pki.load_identity(tmp_path / "pki" / "ci.pem", tmp_path / "pki" / "ci_key.pem").der
    assert found_there.eid == credentials.DEFAULT_EID


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--stdio"],
        ["stray", "--at"],
        ["--no-such", "--at"],
        ["--at", "--host", "nonsense"],
        ["--at", "--channels", "0"],
        ["--at", "--isdr", "xx"],
        ["--at", "--fault", "no_such"],
        ["--at", "--fault", "status_at=1"],
        ["--at", "--fault", "cat_busy=x"],
    ],
)
def test_a_wrong_call_says_how_to_call_it(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    assert "usage:" in capsys.readouterr().err


def test_options_are_taken_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMSIM_ESIM_CA", "/ca.pem")
    monkeypatch.setenv("REMSIM_ESIM_HOSTS", "a.example.com=127.0.0.1:1, B.example.com=127.0.0.1:2")
    asked = ["--at", "--host", "b.example.com=127.0.0.1:3", "--fault", "status_at=9:6F00", "--fault", "delay_s=2"]
    made = read_options([*asked, "--fault", "refuses_refresh"])
    assert made.ca == Path("/ca.pem")
    assert made.hosts == {"a.example.com": "127.0.0.1:1", "b.example.com": "127.0.0.1:3"}
    assert made.faults == {"status_at": (9, 0x6F00), "delay_s": 2.0, "refuses_refresh": True}
    monkeypatch.setenv("REMSIM_ESIM_HOSTS", "nonsense")
    with pytest.raises(UsageError):
        read_options(["--at"])


def test_what_cannot_be_used_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["--credentials", str(tmp_path / "empty"), "--stdio", "true"]) == 1
    assert "there is no ci.der" in capsys.readouterr().err
    assert main(["--stdio", "/no/such/program"]) == 1
    assert "/no/such/program" in capsys.readouterr().err
    broken = tmp_path / "card.json"
    broken.write_text("{}")
    assert main(["--state", str(broken), "--stdio", "true"]) == 1
    assert "card.json" in capsys.readouterr().err


def test_a_card_in_a_modem_of_its_own_answers_on_terminals() -> None:
    command = [sys.executable, "-m", "remsim.simulator.euicc", "--profiles", "--at", "--model", "RM520N-GL"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ}, text=True) as process:
        assert process.stdout is not None
        told: dict[str, Any] = json.loads(process.stdout.readline())
        try:
            channel = Channel(told["ports"][0], clock=SystemClock(), on_urc=lambda line: None)
            channel.open()
            assert told["eid"] in ask(channel, "BF3E035C015A")
            assert ask(channel, switch(CARRIED_ICCID)) == "BF3103800100"
            channel.dispose()
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
