"""A control device asked with programs that answer, lie, hang, flood and fail."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_tools import FakeTools, hold
from remsim.core.clock import SystemClock
from remsim.core.errors import AtFormatError, AtTimeout, Conflict, ModemError, ModemGone, PortBusy
from remsim.modems import control_port
from remsim.modems.control_port import UNSUPPORTED, ControlChannel
from remsim.modems.detect import ControlPort

SIGNAL = "nas-get-signal-info"
LTE = "[/dev/cdc-wdm0] Successfully got signal info\nLTE:\n\tRSSI: '-58 dBm'\n\tRSRP: '-86 dBm'\n"
PIN = "[/dev/cdc-wdm0] PIN info:\n\t         PIN state: 'unlocked'\n"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTools:
    monkeypatch.setattr(control_port, "LEAST_TIMEOUT_S", 0.5)
    monkeypatch.setattr(control_port, "HELD_S", 0.3)
    monkeypatch.setattr(control_port, "END_S", 0.3)
    return FakeTools(tmp_path, monkeypatch, "qmicli", "mbimcli")


@pytest.fixture
def device(tmp_path: Path) -> Path:
    path = tmp_path / "cdc-wdm0"
    path.touch()
    return path


@pytest.fixture
def qmi(tools: FakeTools, device: Path) -> Iterator[ControlChannel]:
    yield from opened("qmi", device)


@pytest.fixture
def mbim(tools: FakeTools, device: Path) -> Iterator[ControlChannel]:
    yield from opened("mbim", device)


def opened(protocol: str, device: Path) -> Iterator[ControlChannel]:
    channel = ControlChannel(ControlPort(protocol, str(device)), clock=SystemClock(), on_urc=lambda line: None)
    channel.open()
    yield channel
    channel.dispose()


def left_running(tools: FakeTools) -> list[str]:
    """Runs of the fake tools that have not ended."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(argument.startswith(bytes(tools.bin)) for argument in arguments):
            found.append(process.name)
    return found


def test_an_action_is_run_through_the_proxy_in_the_language_of_machines(
    tools: FakeTools, qmi: ControlChannel, device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    tools.say(SIGNAL, LTE)
    tools.do(SIGNAL, 'echo "$LC_ALL" > "$dir/language"')
    reply = qmi.query(SIGNAL)
    assert reply.ok
    assert "RSRP: '-86 dBm'" in reply.text
    assert tools.calls() == [f"-d {device} --device-open-proxy --{SIGNAL}"]
    assert (tools.root / "language").read_text() == "C\n"
    assert qmi.commands_sent == 1


def test_a_missing_program_is_told_with_the_package_that_has_it(
    tools: FakeTools, device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tools.root))
    for protocol, package in (("qmi", "qmi-utils"), ("mbim", "mbim-utils")):
        channel = ControlChannel(ControlPort(protocol, str(device)), clock=SystemClock(), on_urc=lambda line: None)
        with pytest.raises(ModemError) as error:
            channel.open()
        assert package in str(error.value.hint)
        assert error.value.code == "tool_missing"
        assert not channel.is_open
        channel.dispose()


def test_an_at_command_is_refused_in_a_sentence(qmi: ControlChannel, tools: FakeTools) -> None:
    for command in ("AT+CFUN=1,1", "nas-get-signal-info --nas-reset", "-v", "", "dms-set-operating-mode=reset"):
        with pytest.raises(Conflict, match="read by QMI"):
            qmi.query(command)
    assert tools.calls() == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("error: operation failed: Transaction timed out", AtTimeout),
        ("error: couldn't create client for the 'nas' service: CID allocation failed: timeout", AtTimeout),
        ("error: couldn't create QmiDevice: Couldn't query file info: … No such file or directory", ModemGone),
        ("error: couldn't open the QmiDevice: Couldn't spawn the qmi-proxy", ModemError),
    ],
)
def test_an_error_of_the_program_is_understood(
    tools: FakeTools, qmi: ControlChannel, text: str, error: type[ModemError]
) -> None:
    tools.say(SIGNAL, text)
    with pytest.raises(error):
        qmi.query(SIGNAL)


@pytest.mark.parametrize(
    ("text", "final"),
    [
        ("error: couldn't get signal info: QMI protocol error (94): 'NotSupported'", UNSUPPORTED),
        ("error: couldn't get signal info: QMI protocol error (71): 'InvalidQmiCommand'", UNSUPPORTED),
        ("error: operation failed: NoDeviceSupport", UNSUPPORTED),
        ("error: Unknown option --nas-get-signal-info", UNSUPPORTED),
        ("error: couldn't get signal info: QMI protocol error (74): 'InformationUnavailable'", "ERROR"),
        ("error: operation failed: SimNotInserted", "ERROR"),
    ],
)
def test_a_refusal_of_the_modem_is_an_answer(tools: FakeTools, qmi: ControlChannel, text: str, final: str) -> None:
    tools.say(SIGNAL, text)
    assert qmi.query(SIGNAL).final == final


def test_warnings_of_the_library_are_no_values(tools: FakeTools, qmi: ControlChannel) -> None:
    tools.say(SIGNAL, f"[25 Nov 2026, 15:47:51] -Warning ** [/dev/cdc-wdm0] requested auto mode\n{LTE}")
    assert qmi.query(SIGNAL).lines[0] == "[/dev/cdc-wdm0] Successfully got signal info"


def test_a_program_that_hangs_is_ended_in_time(tools: FakeTools, qmi: ControlChannel) -> None:
    tools.do(SIGNAL, "trap '' TERM", "while :; do /bin/sleep 0.05; done")
    begun = time.monotonic()
    with pytest.raises(AtTimeout):
        qmi.query(SIGNAL, timeout_s=0.1)
    assert time.monotonic() - begun < 30
    assert left_running(tools) == []


def test_a_program_that_floods_is_ended(tools: FakeTools, qmi: ControlChannel) -> None:
    tools.do(SIGNAL, "while :; do echo '[/dev/cdc-wdm0] more and more and more and more'; done")
    with pytest.raises(AtFormatError):
        qmi.query(SIGNAL)
    assert left_running(tools) == []


def test_a_proxy_that_keeps_the_stream_open_holds_nothing_up(tools: FakeTools, qmi: ControlChannel) -> None:
    tools.say(SIGNAL, LTE)
    tools.do(SIGNAL, "/bin/sleep 20 &")
    begun = time.monotonic()
    assert "-86 dBm" in qmi.query(SIGNAL, timeout_s=30).text
    assert time.monotonic() - begun < 15


def test_closing_ends_a_run_at_once(tools: FakeTools, qmi: ControlChannel) -> None:
    tools.do(SIGNAL, "exec /bin/sleep 30")
    ended: list[float] = []

    def ask() -> None:
        with pytest.raises(ModemGone):
            qmi.query(SIGNAL, timeout_s=20)
        ended.append(time.monotonic())

    asking = threading.Thread(target=ask)
    asking.start()
    while not tools.calls():
        time.sleep(0.01)
    begun = time.monotonic()
    qmi.abort()
    asking.join(30)
    assert ended and ended[0] - begun < 10
    assert left_running(tools) == []


def test_waiting_ends_when_woken(qmi: ControlChannel) -> None:
    assert qmi.wait_urcs(0.01) is True
    qmi.wake()
    assert qmi.wait_urcs(5) is False
    assert qmi.wait_urcs(0.01) is True


def test_a_device_that_is_gone_is_said(tools: FakeTools, qmi: ControlChannel, device: Path) -> None:
    device.unlink()
    tools.say(SIGNAL, "error: couldn't get signal info: QMI protocol error (3): 'Internal'")
    with pytest.raises(ModemGone):
        qmi.query(SIGNAL)
    with pytest.raises(ModemGone):
        qmi.open()


def test_a_program_that_has_the_device_for_itself_is_named_and_not_disturbed(
    tools: FakeTools, qmi: ControlChannel, device: Path, tmp_path: Path
) -> None:
    tools.say(SIGNAL, LTE)
    other = hold(device, "quectel-CM", tmp_path)
    try:
        with pytest.raises(PortBusy, match="quectel-CM"):
            qmi.query(SIGNAL)
        assert tools.calls() == []
    finally:
        other.kill()
        other.wait()
    assert qmi.query(SIGNAL).ok


def test_a_short_question_of_another_program_is_waited_for(
    tools: FakeTools, qmi: ControlChannel, device: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_port, "HELD_S", 5.0)
    tools.say(SIGNAL, LTE)
    other = hold(device, "uqmi", tmp_path)
    threading.Timer(0.3, other.kill).start()
    reaper = threading.Thread(target=other.wait)
    reaper.start()
    assert qmi.query(SIGNAL).ok
    reaper.join()


def test_mbim_uses_the_session_that_is_open_and_leaves_it_open(tools: FakeTools, mbim: ControlChannel) -> None:
    tools.say("query-pin-state", PIN)
    assert mbim.query("query-pin-state").ok
    assert mbim.query("query-pin-state").ok
    ways = [call.split(" ", 2)[2] for call in tools.calls()]
    assert ways == [f"--no-open={number} --no-close --query-pin-state" for number in (1, 2)]


def test_mbim_opens_a_session_only_where_there_is_none(tools: FakeTools, mbim: ControlChannel) -> None:
    refusal = "error: operation failed: MBIM protocol error: NotOpened"
    tools.do("query-pin-state", f'case "$*" in *no-open*) echo "{refusal}" >&2; exit 1;; esac')
    tools.say("query-pin-state", PIN)
    assert mbim.query("query-pin-state").ok
    assert tools.calls()[1].endswith("--no-close --query-pin-state")
    assert not any(way in tools.calls()[1] for way in ("--no-open", "--device-open"))


def test_mbim_goes_through_a_proxy_that_runs_already(
    tools: FakeTools, mbim: ControlChannel, device: Path, tmp_path: Path
) -> None:
    tools.say("query-pin-state", PIN)
    proxy = hold(device, "mbim-proxy", tmp_path)
    try:
        assert mbim.query("query-pin-state").ok
        assert tools.calls()[0].endswith("--device-open-proxy --query-pin-state")
    finally:
        proxy.kill()
        proxy.wait()


@pytest.mark.skipif(shutil.which("qmicli") is None, reason="libqmi-utils is not installed")
def test_the_real_program_says_of_a_missing_device_what_we_expect(tmp_path: Path) -> None:
    device = tmp_path / "cdc-wdm9"
    device.touch()
    channel = ControlChannel(ControlPort("qmi", str(device)), clock=SystemClock(), on_urc=lambda line: None)
    channel.open()
    with pytest.raises(ModemError):
        channel.query(SIGNAL)
    device.unlink()
    with pytest.raises(ModemGone):
        channel.query(SIGNAL)
    channel.dispose()
