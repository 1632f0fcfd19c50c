"""Virtual modems on their terminals: what commands and faults do to them, at a fiftieth of a real one's time."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator

import pytest
from remsim.core.clock import SystemClock
from remsim.core.errors import AtTimeout, InvalidInput, ModemError
from remsim.modems.channel import Channel
from remsim.modems.detect import Found, scan
from remsim.simulator.process import SimulatorProcess

MODELS = ("RM520N-GL", "EM7565", "FM350-GL", "EM9190", "FM160-EAU", "L850-GL", "MV31-W", "FM160-MBIM")
QUECTEL, SIERRA, MEDIATEK, SDX, QUALCOMM, XMM, THALES, MBIM_ONLY = (f"1-1.{number}" for number in range(1, 9))
PDU = "07919999000000F0040B919999000000F000006210101010100004D4F29C0E"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(tmp_path_factory.mktemp("simulation"), models=MODELS)
    process.start()
    process.control.set_time_scale(0.02)
    yield process
    process.stop()


@pytest.fixture(autouse=True)
def in_order(simulator: SimulatorProcess) -> Iterator[None]:
    yield
    for number in range(1, 9):
        simulator.control.fault(f"1-1.{number}", "clear")
    wait_for(lambda: all(row["is_ready"] for row in simulator.control.modems()))


def found(simulator: SimulatorProcess, usb_path: str) -> Found | None:
    return next((one for one in scan(simulator.sysfs_root, simulator.dev_root) if one.usb_path == usb_path), None)


@contextlib.contextmanager
def opened(simulator: SimulatorProcess, usb_path: str, port: int = 0) -> Iterator[tuple[Channel, list[str]]]:
    urcs: list[str] = []
    one = found(simulator, usb_path)
    assert one is not None and one.at_ports
    channel = Channel(one.at_ports[port], clock=SystemClock(), on_urc=urcs.append)
    channel.open()
    try:
        yield channel, urcs
    finally:
        channel.dispose()


def quietly(simulator: SimulatorProcess, usb_path: str, command: str) -> tuple[str, ...] | None:
    with contextlib.suppress(ModemError, AssertionError), opened(simulator, usb_path) as (channel, _):
        reply = channel.query(command, timeout_s=1.0)
        return reply.lines if reply.ok else None
    return None


def wait_for(wanted: Callable[[], object], timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not wanted():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def heard(channel: Channel, urcs: list[str], line: str) -> bool:
    channel.wait_urcs(0.05)
    return any(line in one for one in urcs)


def test_models_are_listed_with_what_their_replies_rest_on(simulator: SimulatorProcess) -> None:
    rows = simulator.control.modems()
    assert [row["model"] for row in rows] == list(MODELS)
    assert {row["model"]: row["proven"] for row in rows}["MV31-W"] == "family"
    assert all(row["is_plugged"] for row in rows)


def test_every_tree_is_detected_with_its_ports(simulator: SimulatorProcess) -> None:
    ports = {path: len(one.at_ports) if (one := found(simulator, path)) else None for path in (QUECTEL, SIERRA, SDX)}
    assert ports == {QUECTEL: 2, SIERRA: 1, SDX: 1}
    one = found(simulator, XMM)
    assert one is not None and all("ttyACM" in port for port in one.at_ports)
    assert [path.name for path in simulator.sysfs_root.glob("devices/**/usbmisc/*")]


def test_the_second_at_port_answers_too(simulator: SimulatorProcess) -> None:
    with opened(simulator, QUECTEL, 1) as (channel, _):
        assert channel.query("AT+CGMM").lines == ("RM520N-GL",)


def test_a_slot_switch_takes_the_other_card_and_tells(simulator: SimulatorProcess) -> None:
    with opened(simulator, QUECTEL) as (channel, urcs):
        before = channel.query("AT+CCID").lines
        assert channel.query("AT+QUIMSLOT=2").ok
        wait_for(lambda: heard(channel, urcs, "+QUSIM: 1"))
        assert channel.query("AT+QUIMSLOT?").lines == ("+QUIMSLOT: 2",)
        assert channel.query("AT+CCID").lines != before
        wait_for(lambda: channel.query("AT+CEREG?").lines[0].endswith(",1"))
        channel.query("AT+QUIMSLOT=1")
        wait_for(lambda: channel.query("AT+QUIMSLOT?").lines == ("+QUIMSLOT: 1",))


def test_an_fm350_leaves_the_bus_for_a_slot_switch_and_keeps_the_slot(simulator: SimulatorProcess) -> None:
    for slot, state in (("1", "+CPIN: EMPTY_EUICC"), ("0", "+CPIN: READY")):
        with opened(simulator, MEDIATEK) as (channel, _), contextlib.suppress(ModemError):  # the OK never comes
            channel.query(f"AT+GTDUALSIM={slot}", timeout_s=20)
        wait_for(lambda: found(simulator, MEDIATEK) is None)
        wait_for(lambda state=state: quietly(simulator, MEDIATEK, "AT+CPIN?") == (state,))


@pytest.mark.parametrize(
    ("path", "command"),
    [
        (QUECTEL, "AT+CFUN=1,1"),
        (SIERRA, "AT!RESET"),
        (MEDIATEK, "AT+CFUN=15"),
        (QUALCOMM, "AT+CFUN=15"),
        (XMM, "AT+CFUN=15"),
        (THALES, "AT+CFUN=1,1"),
    ],
)
def test_a_reset_of_each_family_leaves_the_bus_and_comes_back(
    simulator: SimulatorProcess, path: str, command: str
) -> None:
    with opened(simulator, path) as (channel, _), contextlib.suppress(ModemError):
        channel.query(command, timeout_s=20)
    wait_for(lambda: found(simulator, path) is None)
    wait_for(lambda: quietly(simulator, path, "AT+CEREG?") is not None)
    wait_for(lambda: quietly(simulator, path, "AT+CPIN?") == ("+CPIN: READY",))


def test_a_modem_that_was_powered_off_stays_away_until_it_is_plugged(simulator: SimulatorProcess) -> None:
    with opened(simulator, QUECTEL) as (channel, urcs):
        assert channel.query("AT+QPOWD=1").ok
        with contextlib.suppress(ModemError):
            wait_for(lambda: heard(channel, urcs, "POWERED DOWN"))
    wait_for(lambda: found(simulator, QUECTEL) is None)
    time.sleep(1.0)
    assert found(simulator, QUECTEL) is None
    simulator.control.fault(QUECTEL, "plug")
    wait_for(lambda: quietly(simulator, QUECTEL, "AT") is not None)


def test_a_composition_without_the_at_port_loses_it_and_keeps_the_device(simulator: SimulatorProcess) -> None:
    with opened(simulator, SIERRA) as (channel, _):
        for command in ('AT!ENTERCND="A710"', "AT!USBCOMP=1,3,1009", "AT!RESET"):
            assert channel.query(command).ok
    wait_for(lambda: found(simulator, SIERRA) is None)
    wait_for(lambda: found(simulator, SIERRA))
    one = found(simulator, SIERRA)
    assert one is not None and one.control_port is not None and one.control_port.protocol == "mbim"
    wait_for(lambda: quietly(simulator, SIERRA, "AT") is not None)
    with opened(simulator, SIERRA) as (channel, _):
        for command in ('AT!ENTERCND="A710"', "AT!USBCOMP=1,3,10D", "AT!RESET"):
            assert channel.query(command).ok
    wait_for(lambda: found(simulator, SIERRA) is None)


def test_the_scan_of_networks_takes_its_time_and_any_character_ends_it(simulator: SimulatorProcess) -> None:
    with opened(simulator, QUECTEL) as (channel, _):
        begin = time.monotonic()
        assert '"99901"' in channel.query("AT+COPS=?", timeout_s=10).lines[0]
        assert time.monotonic() - begin > 0.3
    simulator.control.set_time_scale(1.0)
    try:
        one = found(simulator, SIERRA)
        assert one is not None
        fd = os.open(one.at_ports[0], os.O_RDWR | os.O_NOCTTY)
        try:
            os.write(fd, b"ATE0\rAT+COPS=?\r")
            time.sleep(0.3)
            os.write(fd, b"\r")
            wait_for(lambda: b"\r\nERROR\r\n" in os.read(fd, 4096))
            os.write(fd, b"AT+CGMM\r")
            time.sleep(0.2)
            assert b"EM7565" in os.read(fd, 4096)
        finally:
            os.close(fd)
    finally:
        simulator.control.set_time_scale(0.02)


def test_a_message_arrives_and_is_told_to_who_wants_it(simulator: SimulatorProcess) -> None:
    with opened(simulator, SDX) as (channel, urcs):
        channel.query("AT+CNMI=2,1")
        index = simulator.control.deliver_sms(SDX, PDU)
        wait_for(lambda: heard(channel, urcs, f'+CMTI: "SM",{index}'))
        assert channel.query(f"AT+CMGR={index}").lines[1] == PDU
        assert channel.query("AT+CMGD=0,4").ok
        for _ in range(40):
            simulator.control.deliver_sms(SDX, PDU)
        with pytest.raises(InvalidInput, match="full"):
            simulator.control.deliver_sms(SDX, PDU)
        channel.query("AT+CMGD=0,4")
    with pytest.raises(InvalidInput, match="PDU"):
        simulator.control.deliver_sms(SDX, "not hex")
    assert simulator.control.sent_sms(SDX) == []


def test_a_late_modem_answers_the_command_before(simulator: SimulatorProcess) -> None:
    with opened(simulator, QUECTEL) as (channel, _):
        channel.query("AT")
        simulator.control.fault(QUECTEL, "late")
        with pytest.raises(AtTimeout):
            channel.query("AT+CGMI", timeout_s=0.3)
        simulator.control.fault(QUECTEL, "clear")
        wait_for(lambda: channel.query("AT+CGMM").lines == ("RM520N-GL",))


def test_an_ok_that_never_comes_ends_with_the_fault(simulator: SimulatorProcess) -> None:
    with opened(simulator, QUECTEL) as (channel, _):
        simulator.control.fault(QUECTEL, "no_ok")
        with pytest.raises(AtTimeout):
            channel.query("AT+CGMM", timeout_s=0.3)
        simulator.control.fault(QUECTEL, "clear")
        wait_for(lambda: channel.query("AT+CGMM").lines == ("RM520N-GL",))


def test_renumbered_modems_have_each_others_terminals(simulator: SimulatorProcess) -> None:
    before = {path: found(simulator, path) for path in (QUECTEL, SIERRA)}
    simulator.control.fault(QUECTEL, "renumber")
    wait_for(lambda: found(simulator, QUECTEL) is None and found(simulator, SIERRA) is None)
    wait_for(lambda: found(simulator, QUECTEL) and found(simulator, SIERRA))
    after = {path: found(simulator, path) for path in (QUECTEL, SIERRA)}
    assert all(after[path].at_ports != before[path].at_ports for path in before)
    wait_for(lambda: quietly(simulator, QUECTEL, "AT+CGMM") == ("RM520N-GL",))
    wait_for(lambda: quietly(simulator, SIERRA, "AT+CGMM") == ("EM7565",))


def test_a_modem_in_its_boot_loader_has_another_id_and_no_at_port(simulator: SimulatorProcess) -> None:
    simulator.control.fault(SIERRA, "boot_mode")
    wait_for(lambda: (one := found(simulator, SIERRA)) and one.usb_id == "1199:9090")
    one = found(simulator, SIERRA)
    assert one is not None and one.at_ports == () and one.interface is None
    simulator.control.fault(SIERRA, "clear")
    wait_for(lambda: quietly(simulator, SIERRA, "AT+CGMM") == ("EM7565",))


def test_a_taken_port_is_held_by_another_process_and_the_second_is_free(simulator: SimulatorProcess) -> None:
    simulator.control.fault(QUECTEL, "port_taken")
    wait_for(lambda: found(simulator, QUECTEL) is None)
    wait_for(lambda: found(simulator, QUECTEL))
    with pytest.raises(ModemError), opened(simulator, QUECTEL):
        pass
    with opened(simulator, QUECTEL, 1) as (channel, _):
        wait_for(lambda: asked(channel))
    simulator.control.fault(QUECTEL, "clear")
    wait_for(lambda: quietly(simulator, QUECTEL, "AT") is not None)


def asked(channel: Channel) -> bool:
    with contextlib.suppress(AtTimeout):
        return channel.query("AT", timeout_s=0.5).ok
    return False


def test_faults_of_the_card_ask_for_what_they_say(simulator: SimulatorProcess) -> None:
    with opened(simulator, QUECTEL) as (channel, urcs):
        channel.query("AT+CMEE=1")
        simulator.control.fault(QUECTEL, "sim_pin")
        assert channel.query("AT+CPIN?").lines == ("+CPIN: SIM PIN",)
        assert heard(channel, urcs, "+CPIN: SIM PIN")
        assert channel.query('AT+CPIN="1234"').ok
        simulator.control.fault(QUECTEL, "sim_puk")
        wait_for(lambda: channel.query("AT+CPIN?").lines == ("+CPIN: SIM PUK",))
        assert channel.query('AT+CPIN="12345678","1234"').ok
        simulator.control.fault(QUECTEL, "clear")
        simulator.control.fault(QUECTEL, "sim_busy")
        assert channel.query("AT+CPIN?").final == "+CME ERROR: 14"
        simulator.control.fault(QUECTEL, "clear")
        simulator.control.fault(QUECTEL, "sim_slot2_empty")
        channel.query("AT+QUIMSLOT=2")
        wait_for(lambda: channel.query("AT+CPIN?").final == "+CME ERROR: 10")
        channel.query("AT+QUIMSLOT=1")
        wait_for(lambda: channel.query("AT+CPIN?").lines == ("+CPIN: READY",))


def test_clear_unlocks_cards_that_are_out_of_their_slot_too(simulator: SimulatorProcess) -> None:
    with opened(simulator, QUECTEL) as (channel, _):
        first = channel.query("AT+CCID").lines
        channel.query("AT+QUIMSLOT=2")
        wait_for(lambda: channel.query("AT+CCID").lines not in (first, ()))
        simulator.control.fault(QUECTEL, "sim_pin")
        simulator.control.fault(QUECTEL, "sim_slot2_empty")
        simulator.control.fault(QUECTEL, "clear")
        wait_for(lambda: channel.query("AT+CPIN?").lines == ("+CPIN: READY",))
        channel.query("AT+QUIMSLOT=1")
        wait_for(lambda: channel.query("AT+CPIN?").lines == ("+CPIN: READY",))


def test_clear_puts_the_card_of_the_other_slot_back_too(simulator: SimulatorProcess) -> None:
    with opened(simulator, QUECTEL) as (channel, _):
        first = channel.query("AT+CCID").lines
        simulator.control.fault(QUECTEL, "sim_removed")
        channel.query("AT+QUIMSLOT=2")
        wait_for(lambda: channel.query("AT+CCID").lines not in (first, ()))
        simulator.control.fault(QUECTEL, "clear")
        channel.query("AT+QUIMSLOT=1")
        wait_for(lambda: channel.query("AT+CCID").lines == first)


def test_no_service_and_low_power_are_told_and_end_with_clear(simulator: SimulatorProcess) -> None:
    with opened(simulator, SIERRA) as (channel, _):
        simulator.control.fault(SIERRA, "no_service")
        wait_for(lambda: channel.query("AT+CEREG?").lines == ("+CEREG: 0,2",))
        simulator.control.fault(SIERRA, "clear")
        simulator.control.fault(SIERRA, "low_power")
        assert any("LOW POWER MODE" in line for line in channel.query("AT!GSTATUS?").lines)
        simulator.control.fault(SIERRA, "clear")
        assert channel.query("AT+CEREG?").lines == ("+CEREG: 0,1",)


@pytest.mark.parametrize("factor", [0, -1, 11, "x", True])
def test_a_wrong_pace_is_refused(simulator: SimulatorProcess, factor: object) -> None:
    with pytest.raises(InvalidInput):
        simulator.control.set_time_scale(factor)  # type: ignore[arg-type]
