"""The simulator as a process of its own: real terminals, a real device tree, real probes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from remsim.config.settings import load_settings
from remsim.core.clock import SystemClock
from remsim.core.errors import AtTimeout, InvalidInput, ModemError, ModemGone, RemsimError
from remsim.modems.channel import Channel
from remsim.modems.detect import Found, scan
from remsim.modems.holders import holders
from remsim.modems.traffic import TrafficMeter
from remsim.outbound.target import parse_target
from remsim.simulator.control import FAULTS
from remsim.simulator.process import SimulatorProcess

VENDORS = ["quectel", "sierra", "fibocom", "quectel", "quectel", "sierra", "fibocom", "quectel"]


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    # A long name: the address of a Unix socket would not hold it.
    directory = tmp_path_factory.mktemp("simulation") / ("d" * 100)
    directory.mkdir()
    process = SimulatorProcess(directory, 8)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def modem(simulator: SimulatorProcess) -> Iterator[str]:
    """The USB path of a modem that is in order before and after the test."""
    yield "1-1.1"
    simulator.control.fault("1-1.1", "clear")
    wait_for(lambda: answers(simulator, "1-1.1"))


def found(simulator: SimulatorProcess, usb_path: str) -> Found | None:
    return next((one for one in scan(simulator.sysfs_root, simulator.dev_root) if one.usb_path == usb_path), None)


@contextlib.contextmanager
def opened(simulator: SimulatorProcess, usb_path: str) -> Iterator[tuple[Channel, list[str]]]:
    """The modem's AT port and the unsolicited lines that come on it."""
    urcs: list[str] = []
    one = found(simulator, usb_path)
    assert one is not None and one.at_ports
    channel = Channel(one.at_ports[0], clock=SystemClock(), on_urc=urcs.append)
    channel.open()
    try:
        yield channel, urcs
    finally:
        channel.dispose()


def answers(simulator: SimulatorProcess, usb_path: str) -> bool:
    with contextlib.suppress(ModemError, AssertionError), opened(simulator, usb_path) as (channel, _):
        return channel.query("AT", timeout_s=1.0).ok
    return False


def wait_for(wanted: Callable[[], object], timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not wanted():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_the_detection_finds_all_modems_with_ports_and_interfaces(simulator: SimulatorProcess) -> None:
    modems = scan(simulator.sysfs_root, simulator.dev_root)
    assert [one.row.vendor for one in modems] == VENDORS
    assert all(one.at_ports and one.interface and one.product for one in modems)
    ports = [port for one in modems for port in one.at_ports]
    assert len(set(ports)) == len(ports)
    assert len(list(simulator.dev_root.iterdir())) > len(ports)  # the silent ttys are there too


def test_the_tree_is_linked_as_the_kernel_does(simulator: SimulatorProcess) -> None:
    devices = simulator.sysfs_root / "bus" / "usb" / "devices"
    assert (devices / "1-1.1").is_symlink()
    interface = devices / "1-1.1:1.2"
    assert interface.resolve().parent == (devices / "1-1.1").resolve()
    assert os.readlink(interface / "driver").endswith("/drivers/option")
    assert (interface / "ttyUSB2" / "tty" / "ttyUSB2").is_dir()
    net = simulator.sysfs_root / "class" / "net" / "simwwan0"
    assert net.is_symlink() and (net / "statistics" / "rx_bytes").read_text().strip().isdigit()


def test_nobody_holds_the_ports_and_both_at_ports_answer(simulator: SimulatorProcess) -> None:
    one = found(simulator, "1-1.1")
    assert one is not None and len(one.at_ports) == 2
    for port in one.at_ports:
        assert holders([port]) == []
        channel = Channel(port, clock=SystemClock(), on_urc=lambda line: None)
        channel.open()
        assert channel.query("AT+CGMM").lines == ("RM520N-GL",)
        channel.dispose()


def test_no_answer_is_quicker_than_a_modem(simulator: SimulatorProcess) -> None:
    with opened(simulator, "1-1.2") as (channel, _):
        channel.query("AT")
        for command in ("AT+CSQ", "AT!GSTATUS?"):
            begin = time.monotonic()
            assert channel.query(command).ok
            assert time.monotonic() - begin >= 0.004


def test_the_configuration_is_read_by_the_service_and_its_probes_are_answered(simulator: SimulatorProcess) -> None:
    settings = load_settings(simulator.config_dir)
    assert [one.usb_path for one in settings.modems] == [f"1-1.{number}" for number in range(1, 9)]
    target = parse_target(settings.modems[0].probe_targets[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(2.0)
        for attempt in range(5):  # the drive may lose one
            begin = time.monotonic()
            probe.sendto(bytes((0, attempt)) + bytes(15), (target.host, target.port))
            with contextlib.suppress(TimeoutError):
                reply = probe.recv(512)
                assert reply[:2] == bytes((0, attempt))
                assert time.monotonic() - begin >= 0.02
                return
    raise AssertionError("five probes in a row were lost")


def test_counters_move_with_the_drive(simulator: SimulatorProcess) -> None:
    meter = TrafficMeter(simulator.sysfs_root, "simwwan2")
    first = meter.read(0.0)
    assert first.rx_bytes and first.tx_bytes
    wait_for(lambda: (meter.read(1.0).rx_bytes or 0) > first.rx_bytes + 1_000_000)


def test_unplug_ends_the_port_and_plug_brings_the_modem_back(simulator: SimulatorProcess, modem: str) -> None:
    with opened(simulator, modem) as (channel, _):
        assert channel.query("AT").ok
        simulator.control.fault(modem, "unplug")
        with pytest.raises(ModemGone):
            channel.query("AT", timeout_s=2.0)
    assert found(simulator, modem) is None
    assert not (simulator.sysfs_root / "class" / "net" / "simwwan0").exists()
    simulator.control.fault(modem, "plug")
    back = found(simulator, modem)
    assert back is not None and back.interface == "simwwan0"
    wait_for(lambda: answers(simulator, modem))


def test_after_a_reboot_the_tty_is_back_before_the_parser_and_settings_are_lost(
    simulator: SimulatorProcess, modem: str
) -> None:
    with opened(simulator, modem) as (channel, _):
        channel.query("AT+CMEE=2")
    simulator.control.fault(modem, "reboot", seconds=0.5)
    assert found(simulator, modem) is None
    wait_for(lambda: found(simulator, modem))
    with opened(simulator, modem) as (channel, urcs):
        with pytest.raises(AtTimeout):
            channel.query("AT", timeout_s=0.2)
        wait_for(lambda: channel.wait_urcs(0.05) and "RDY" in urcs)
        assert channel.query("AT+CMEE?").lines == ("+CMEE: 0",)


def test_a_reset_command_reboots(simulator: SimulatorProcess, modem: str) -> None:
    with opened(simulator, modem) as (channel, _):
        assert channel.query("AT+CFUN=1,1").ok
    wait_for(lambda: found(simulator, modem) is None)


def test_a_silent_modem_answers_nothing(simulator: SimulatorProcess, modem: str) -> None:
    with opened(simulator, modem) as (channel, _):
        assert channel.query("AT").ok
        simulator.control.fault(modem, "silence")
        with pytest.raises(AtTimeout):
            channel.query("AT", timeout_s=0.5)
        simulator.control.fault(modem, "clear")
        assert channel.query("AT").ok


def test_a_garbling_modem_is_understood_again_when_it_stops(simulator: SimulatorProcess, modem: str) -> None:
    with opened(simulator, modem) as (channel, _):
        simulator.control.fault(modem, "garbage")
        with pytest.raises(AtTimeout):
            channel.query("AT+CGMM", timeout_s=0.7)
        simulator.control.fault(modem, "clear")
        wait_for(lambda: quietly(channel, "AT+CGMM") == ("RM520N-GL",))


def quietly(channel: Channel, command: str) -> tuple[str, ...]:
    with contextlib.suppress(AtTimeout):
        return channel.query(command, timeout_s=2.0).lines
    return ()


def test_a_slow_modem_answers_late(simulator: SimulatorProcess, modem: str) -> None:
    with opened(simulator, modem) as (channel, _):
        channel.query("AT")
        simulator.control.fault(modem, "slow", seconds=0.5)
        begin = time.monotonic()
        assert channel.query("AT").ok
        assert time.monotonic() - begin >= 0.5


def test_a_removed_sim_and_a_refusal_are_told_at_once_and_on_asking(simulator: SimulatorProcess, modem: str) -> None:
    with opened(simulator, modem) as (channel, urcs):
        for command in ("AT+CMEE=1", "AT+CEREG=2", "AT+C5GREG=2"):
            channel.query(command)
        simulator.control.fault(modem, "sim_removed")
        assert channel.query("AT+CPIN?").final == "+CME ERROR: 10"
        simulator.control.fault(modem, "sim_inserted")
        assert channel.query("AT+CPIN?").lines == ("+CPIN: READY",)
        simulator.control.fault(modem, "registration_denied")
        assert channel.query("AT+CEREG?").lines == ("+CEREG: 2,3",)
        channel.wait_urcs(0.05)
    assert "+CPIN: NOT READY" in urcs and "+CPIN: READY" in urcs and "+CEREG: 3" in urcs


@pytest.mark.parametrize(
    ("modem_path", "fault", "seconds", "field"),
    [
        ("9-9", "unplug", None, "modem"),
        ("1-1.1", "explode", None, "fault"),
        ("1-1.1", "reboot", -1, "seconds"),
        ("1-1.1", "slow", True, "seconds"),
        ("m" * 10_000, "unplug", None, "body"),
    ],
)
def test_a_wrong_fault_names_its_field(
    simulator: SimulatorProcess, modem_path: str, fault: str, seconds: float | None, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        simulator.control.fault(modem_path, fault, seconds=seconds)
    assert caught.value.field == field
    assert found(simulator, "1-1.1") is not None


def test_every_fault_is_known_to_the_simulator(simulator: SimulatorProcess) -> None:
    timed = ("reboot", "slow", "renumber", "boot_mode", "port_taken")
    for fault in FAULTS:
        simulator.control.fault("1-1.2", fault, seconds=0.5 if fault in timed else None)
    wait_for(lambda: answers(simulator, "1-1.2") and answers(simulator, "1-1.3"))


def test_a_fault_a_modem_cannot_have_is_refused(simulator: SimulatorProcess) -> None:
    with pytest.raises(InvalidInput, match="one slot"):
        simulator.control.fault("1-1.4", "sim_slot2_empty")


def test_it_removes_what_it_made_and_says_when_it_is_gone(tmp_path: Path) -> None:
    process = SimulatorProcess(tmp_path, 1)
    process.start()
    assert (tmp_path / "control.sock").is_socket()
    process.stop()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RemsimError):
        process.control.fault("1-1.1", "clear")


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    code = f"""
import time
from pathlib import Path
from remsim.simulator.process import SimulatorProcess
process = SimulatorProcess(Path({str(tmp_path)!r}), 1)
process.start()
print(process._process.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False


def test_the_ready_line_is_json(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "remsim", "simulate", "--dir", str(tmp_path), "--modems", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"ready": True, "dir": str(tmp_path), "modems": 2}
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        process.stdout.close()


def test_the_past_comes_from_a_process_of_its_own(simulator: SimulatorProcess) -> None:
    messages = list(simulator.history(0.0, 600.0, {"1-1.2": "modem7"}, {"1-1.2": "sim-0badcafe"}))
    readings = [message for message in messages if hasattr(message, "modem")]
    assert len(readings) == 10
    assert {(reading.modem, reading.sim) for reading in readings} == {("modem7", "sim-0badcafe")}


def test_a_past_that_ends_too_early_is_an_error(simulator: SimulatorProcess) -> None:
    with pytest.raises(RemsimError, match="past"):
        list(simulator.history(0.0, 600.0, {"nowhere": "modem7"}))
