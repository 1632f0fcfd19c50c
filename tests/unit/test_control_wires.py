"""What the board and the router do for a modem: GPIO lines, USB power, netifd, the APN, ModemManager kept off."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from control_bench import USB_PATH, ControlBench
from family_modems import FamilyBench
from modem_bench import ONLINE
from remsim.core.clock import FakeClock
from remsim.core.errors import ConfigError, Conflict
from remsim.modems import usb_power
from remsim.modems.boards import BOARDS, board_model, board_named
from remsim.modems.control import apn, connection, hard_reset, inhibit, sim_source, usb_mode
from remsim.modems.gpio import Gpio, GpioError, Line, parse_line
from remsim.modems.netifd import Netifd, NetifdError
from remsim.modems.sim_owner import sim_owner
from scripted_modem import framed

NETWORK = """# kept
config interface 'lan'
\toption proto 'static'

config interface 'wan1'
\toption proto 'qmi'
\toption device '/dev/cdc-wdm0' # kept too
\toption apn 'old.example'
\toption pdptype 'ipv4'
"""
CONTEXTS = '+CGDCONT: 1,"IP","old.example","0.0.0.0",0,0'


def program(folder: Path, name: str, body: str) -> None:
    """A program on PATH for a test."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


class Ubus:
    """A ``ubus`` that keeps whether wan1 is up in a file, and logs its calls."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root / "ubus"
        self.root.mkdir()
        (self.root / "up").write_text("true")
        (self.root / "errors").write_text("[]")
        program(root / "bin", "ubus", f"""
cd {self.root}
echo "$2 $3" >> calls
status='"up": '"$(cat up)"', "pending": false, "proto": "qmi", "l3_device": "simwwan0", "errors": '"$(cat errors)"
case "$2 $3" in
"network.interface dump") echo '{{"interface": [{{"interface": "wan1", '"$status"'}}]}}' ;;
"network.interface.wan1 status") echo "{{$status}}" ;;
"network.interface.wan1 up") [ -e stuck ] || echo true > up ;;
"network.interface.wan1 down") echo false > up ;;
"network reload") ;;
*) echo "Command failed: Not found" >&2; exit 4 ;;
esac
""")  # fmt: skip
        monkeypatch.setenv("PATH", f"{root / 'bin'}:/usr/bin:/bin")

    @property
    def calls(self) -> list[str]:
        return (self.root / "calls").read_text().splitlines()


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ControlBench]]:
    benches: list[ControlBench] = []

    def build(*actions: Any, **settings: Any) -> ControlBench:
        texts = {**ONLINE, "AT+CGDCONT?": CONTEXTS}
        bench = ControlBench(tmp_path, monkeypatch, actions=actions, texts=texts, **settings)
        benches.append(bench)
        return bench

    yield build
    for bench in benches:
        bench.close()


def gpio_tree(sysfs: Path, *numbers: int) -> Path:
    """``/sys/class/gpio`` with exported lines, all low."""
    folder = sysfs / "class" / "gpio"
    folder.mkdir(parents=True)
    for number in numbers:
        line = folder / f"gpio{number}"
        line.mkdir()
        (line / "direction").write_text("out")
        (line / "value").write_text("0\n")
    return folder


# --- lines ---


@pytest.mark.parametrize(
    ("text", "line"), [("20", Line(20)), ("!7", Line(7, None, True)), ("gpiochip1:3", Line(3, "gpiochip1"))]
)
def test_a_line_is_read_from_its_setting(text: str, line: Line) -> None:
    assert parse_line(text) == line and str(line) == text


@pytest.mark.parametrize("text", ["", "x", "20\n", "gpiochip:1", "../1", "99999", "٣"])
def test_what_is_no_line_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_line(text)


def test_a_line_is_driven_without_swinging(tmp_path: Path) -> None:
    folder = gpio_tree(tmp_path, 20)
    gpio = Gpio(tmp_path, FakeClock())
    gpio.set(Line(20), 1)
    assert (folder / "gpio20" / "direction").read_text() == "high"
    gpio.set(Line(20, None, True), 1)
    assert (folder / "gpio20" / "direction").read_text() == "low"
    assert gpio.get(Line(20)) == 0 and gpio.get(Line(20, None, True)) == 1


def test_a_line_that_the_kernel_does_not_give_is_named(tmp_path: Path) -> None:
    gpio_tree(tmp_path)
    (tmp_path / "class" / "gpio" / "export").mkdir()
    with pytest.raises(GpioError, match="export"):
        Gpio(tmp_path, FakeClock()).set(Line(20), 1)


@pytest.mark.parametrize("version", ["gpioset (libgpiod) v1.6.3", "gpioset (libgpiod) 2.1"])
def test_libgpiods_tools_hold_a_line_in_both_versions(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin", "gpioset", f"""
[ "$1" = --version ] && {{ echo '{version}'; exit; }}
echo "$@" >> {tmp_path}/log
case "$*" in *" 99="*) echo 'cannot request line' >&2; exit 1 ;; esac
exec sleep 60
""")  # fmt: skip
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    gpio = Gpio(tmp_path, FakeClock())
    try:
        gpio.set(Line(3, "gpiochip1"), 1)
        assert gpio.get(Line(3, "gpiochip1")) == 1
        gpio.set(Line(3, "gpiochip1"), 0)
        assert gpio.get(Line(3, "gpiochip1")) == 0
        with pytest.raises(GpioError, match="cannot request line"):
            gpio.set(Line(99, "gpiochip1"), 1)
    finally:
        gpio.close()
    first = (tmp_path / "log").read_text().splitlines()[0]
    assert first == ("-c gpiochip1 3=1" if "2.1" in version else "--mode=signal gpiochip1 3=1")


def test_without_sysfs_and_tools_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GpioError) as error:
        Gpio(tmp_path, FakeClock()).set(Line(20), 1)
    assert "gpiod" in str(error.value.hint)


def test_known_boards_have_lines_of_known_form(tmp_path: Path) -> None:
    for board in BOARDS:
        for text in (*board.sim_gpio.values(), *board.power_gpio.values()):
            parse_line(text)
    (tmp_path / "proc" / "device-tree").mkdir(parents=True)
    (tmp_path / "proc" / "device-tree" / "model").write_text("Zbtlink ZBT-Z8102AX (512M UBI)\0")
    assert board_named(board_model(tmp_path)) is BOARDS[0]
    assert board_named(None) is None


# --- who owns a SIM line ---


@pytest.mark.parametrize(
    ("config", "board", "lines"),
    [
        (None, None, set()),
        ("config service 'service'\n\toption enabled '0'\n", BOARDS[0], set()),
        ("config service 'service'\n\toption enabled '1'\n", None, set()),
        ("config service 'service'\n\toption enabled '1'\n", BOARDS[0], {6, 7}),
        (
            "config service 'service'\n\toption enabled '1'\nconfig modems 'modems'\n\toption dual_modem '1'\n"
            "config modem1 'modem1'\n\toption sim_switch_gpio '20'\n",
            None,
            {20},
        ),
        ("config service 'service\n", None, set()),
    ],
)
def test_the_client_owns_the_lines_that_it_is_set_to(
    tmp_path: Path, config: str | None, board: Any, lines: set[int]
) -> None:
    if config is not None:
        (tmp_path / "remsim").write_text(config)
    assert sim_owner(tmp_path, board).lines == lines


def test_sim_source_switches_the_line_restarts_the_modem_and_reads_back(make: Callable[..., ControlBench]) -> None:
    bench = make(sim_source.SimSource(), sim_gpio="20", reset_gpio="21", gpio=SimulatedGpio)
    gpio = bench.means.gpio
    assert isinstance(gpio, SimulatedGpio)
    bench.start()
    job = bench.run("sim-source", source="remote", confirm_s=0, service_s=10)
    assert job.state == "done", job.error
    assert job.result == {"changed": True, "source": "remote"}
    assert gpio.log == [("20", 1), ("21", "pulse")]


class SimulatedGpio(Gpio):
    """Lines in memory; a pulse on the reset line restarts the scripted modem."""

    def __init__(self, bench: ControlBench) -> None:
        super().__init__(bench.tree.sys, bench.clock)
        self.bench, self.values, self.log = bench, {}, []  # type: ignore[var-annotated]

    def get(self, line: Line) -> int:
        return self.values.get(line, 0)

    def set(self, line: Line, value: int) -> None:
        self.values[line] = value
        self.log.append((str(line), value))

    def pulse(self, line: Line, seconds: float) -> None:
        self.log.append((str(line), "pulse"))
        self.bench.restart()


# --- USB power ---


def test_the_port_of_a_device_is_its_hubs(tmp_path: Path) -> None:
    devices = tmp_path / "bus" / "usb" / "devices"
    for interface, port in (("1-1:1.0", "1-1-port2"), ("1-0:1.0", "usb1-port1")):
        (devices / interface / port).mkdir(parents=True)
        (devices / interface / port / "disable").write_text("0")
    below = usb_power.port_switch(tmp_path, "1-1.2")
    top = usb_power.port_switch(tmp_path, "1-1")
    assert below is not None and below.parent.name == "1-1-port2"
    assert top is not None and top.parent.name == "usb1-port1"
    assert usb_power.port_switch(tmp_path, "1-1.3") is None
    usb_power.cycle(below, "1", "0", lambda seconds: None)
    assert below.read_text() == "0"


def test_hard_reset_offers_what_the_board_has_and_waits_for_the_modem(make: Callable[..., ControlBench]) -> None:
    bench = make(hard_reset.HardReset())
    bench.start()
    assert "no known way" in str(bench.desk.actions("modem1")[0]["missing"])
    with pytest.raises(Conflict):
        bench.desk.form("modem1", "hard-reset")
    leave = bench.tree.devices / USB_PATH / "authorized"
    leave.write_text("1")
    form = bench.desk.form("modem1", "hard-reset")
    assert [one["const"] for one in form["properties"]["how"]["oneOf"]] == ["usb_replug"]
    write = usb_power.write

    def write_and_restart(switch: Path, text: str) -> None:
        write(switch, text)
        if text == "0":
            bench.restart()

    usb_power.write = write_and_restart
    try:
        job = bench.run("hard-reset", how="usb_replug")
    finally:
        usb_power.write = write
    assert job.state == "done", job.error
    assert job.result["how"] == "usb_replug" and leave.read_text() == "1"


# --- netifd and the APN ---


def test_netifds_word_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Ubus(tmp_path, monkeypatch)
    netifd = Netifd()
    found = netifd.carrying("simwwan0")
    assert found is not None and (found.name, found.proto, found.is_up) == ("wan1", "qmi", True)
    assert netifd.carrying("eth7") is None
    with pytest.raises(NetifdError, match="Not found"):
        netifd.status("wan9")
    with pytest.raises(NetifdError):
        netifd.up("wan1; reboot")
    assert Netifd(is_used=False).is_here is False


def test_disconnecting_is_asked_of_netifd_and_read_back(
    make: Callable[..., ControlBench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ubus = Ubus(tmp_path, monkeypatch)
    bench = make(connection.Connection(), netifd=Netifd())
    bench.start()
    assert bench.run("connection", up="0", confirm_s=0).result == {"changed": True, "up": False}
    assert bench.run("connection", up="1", confirm_s=0).result == {"changed": True, "up": True}
    monkeypatch.setattr(connection, "UP_S", 0.5)
    (ubus.root / "up").write_text("false")
    (ubus.root / "stuck").touch()
    (ubus.root / "errors").write_text('[{"code": "CALL_FAILED", "data": ["no APN"]}]')
    job = bench.run("connection", up="1")
    assert job.state == "failed" and "CALL_FAILED no APN" in str(job.error)


def test_a_disconnection_that_nobody_confirms_is_undone(
    make: Callable[..., ControlBench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ubus = Ubus(tmp_path, monkeypatch)
    bench = make(connection.Connection(), netifd=Netifd())
    bench.start()
    job = bench.run("connection", up="0", confirm_s=1)
    assert job.code == "rolled_back" and (ubus.root / "up").read_text().strip() == "true"


def with_context(bench: ControlBench) -> dict[str, str]:
    """Let the scripted modem keep its context."""
    state = {"text": CONTEXTS}

    def take(command: str) -> bytes:
        _, pdp_type, name = command.partition("=")[2].split(",")
        state["text"] = f'+CGDCONT: 1,{pdp_type},{name},"0.0.0.0",0,0'
        return b"\r\nOK\r\n"

    bench.modem.answers["AT+CGDCONT?"] = lambda command: f"\r\n{state['text']}\r\n\r\nOK\r\n".encode()
    for pdp_type in ("IP", "IPV4V6", "IPV6"):
        for name in ("new.example", "old.example"):
            bench.modem.answers[f'AT+CGDCONT=1,"{pdp_type}","{name}"'] = take
    bench.set("AT+CFUN=4", "OK")
    bench.set("AT+CFUN=1", "OK")
    return state


def test_the_apn_is_set_in_the_modem_and_in_the_network_configuration(
    make: Callable[..., ControlBench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ubus = Ubus(tmp_path, monkeypatch)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "network").write_text(NETWORK)
    bench = make(apn.Apn(), netifd=Netifd(), config_dir=tmp_path / "config")
    state = with_context(bench)
    bench.set("AT+CGAUTH?", "+CGAUTH: 1,0")
    bench.set('AT+CGAUTH=1,1,"user","secret"', "OK")
    bench.start()
    form = bench.desk.form("modem1", "apn")
    assert form["properties"]["apn"]["default"] == "old.example" and form["properties"]["pdp_type"]["default"] == "IP"
    assert "default" not in form["properties"]["password"] or form["properties"]["password"]["default"] == ""
    job = bench.run(
        "apn", apn="new.example", pdp_type="IPV4V6", auth="pap", username="user", password="secret", confirm_s=0
    )
    assert job.state == "done", job.error
    assert "password" not in job.result and "secret" not in json.dumps([event.data for event in bench.events])
    text = (tmp_path / "config" / "network").read_text()
    assert "# kept\n" in text and "# kept too" in text
    for line in ("apn 'new.example'", "pdptype 'ipv4v6'", "auth 'pap'", "username 'user'", "password 'secret'"):
        assert f"option {line}" in text
    assert state["text"].startswith('+CGDCONT: 1,"IPV4V6","new.example"')
    assert "network reload" in ubus.calls and "network.interface.wan1 up" in ubus.calls


def test_an_apn_that_does_not_connect_is_undone_in_both_places(
    make: Callable[..., ControlBench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ubus = Ubus(tmp_path, monkeypatch)
    (tmp_path / "config").mkdir()
    network = tmp_path / "config" / "network"
    network.write_text(NETWORK)
    bench = make(apn.Apn(), netifd=Netifd(), config_dir=tmp_path / "config")
    state = with_context(bench)
    bench.start()
    monkeypatch.setattr(connection, "UP_S", 0.3)

    def broken(command: str) -> bytes:
        (ubus.root / "up").write_text("false")
        (ubus.root / "stuck").touch()
        return take(command)

    take = bench.modem.answers['AT+CGDCONT=1,"IP","new.example"']
    assert callable(take)
    bench.modem.answers['AT+CGDCONT=1,"IP","new.example"'] = broken

    def mended(command: str) -> bytes:
        (ubus.root / "stuck").unlink()
        return take(command)

    bench.modem.answers['AT+CGDCONT=1,"IP","old.example"'] = mended
    job = bench.run("apn", apn="new.example", pdp_type="IP")
    assert job.code == "rolled_back" and "did not come up" in str(job.error)
    assert "option apn 'old.example'" in network.read_text()
    assert "old.example" in state["text"]


def test_unsaved_changes_of_the_network_are_not_mixed_up(
    make: Callable[..., ControlBench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Ubus(tmp_path, monkeypatch)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "network").write_text(NETWORK)
    (tmp_path / "staged").mkdir()
    (tmp_path / "staged" / "network").write_text("network.lan.ipaddr='192.0.2.1'\n")
    bench = make(apn.Apn(), netifd=Netifd(), config_dir=tmp_path / "config")
    with_context(bench)
    bench.start()
    job = bench.run("apn", apn="new.example", pdp_type="IP")
    assert job.code == "staged" and (tmp_path / "config" / "network").read_text() == NETWORK


def test_a_password_stands_in_no_error_of_a_modem_that_keeps_its_old_access_point(
    make: Callable[..., ControlBench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Ubus(tmp_path, monkeypatch)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "network").write_text(NETWORK)
    bench = make(apn.Apn(), netifd=Netifd(), config_dir=tmp_path / "config")
    monkeypatch.setattr(apn.Apn, "read_back_s", 0.2)
    with_context(bench)
    bench.set("AT+CGAUTH?", "+CGAUTH: 1,0")
    bench.set('AT+CGAUTH=1,1,"user","hush-hush"', "OK")
    bench.set('AT+CGDCONT=1,"IP","new.example"', "OK")
    bench.start()
    job = bench.run("apn", apn="new.example", pdp_type="IP", auth="pap", username="user", password="hush-hush")
    assert job.state == "failed" and "old.example" in (job.error or "")
    assert "hush-hush" not in json.dumps([job.as_dict(), *(event.as_dict() for event in bench.events)])


def test_without_a_network_interface_the_modem_registers_anew(make: Callable[..., ControlBench]) -> None:
    bench = make(apn.Apn())
    with_context(bench)
    bench.start()
    job = bench.run("apn", apn="new.example", pdp_type="IP", confirm_s=0)
    assert job.state == "done", job.error
    assert [one for one in bench.modem.commands if one.startswith("AT+CFUN=")] == ["AT+CFUN=4", "AT+CFUN=1"]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"apn": 'a"b'}, "apn"),
        ({"apn": "a\rAT+CFUN=0"}, "apn"),
        ({"apn": "x" * 200}, "apn"),
        ({"apn": ""}, "apn"),
        ({"apn": "internet", "pdp_type": "PPP"}, "pdp_type"),
        ({"apn": "internet", "username": 'u",1,"'}, "username"),
        ({"apn": "internet", "password": "p\n"}, "password"),
        ({"apn": "internet", "password": "pässword"}, "password"),
    ],
)
def test_what_would_break_out_of_a_command_is_refused(
    make: Callable[..., ControlBench], content: dict[str, Any], field: str
) -> None:
    from marshmallow import ValidationError

    bench = make(apn.Apn())
    bench.start()
    before = len(bench.modem.commands)
    with pytest.raises(ValidationError) as error:
        bench.desk.start("modem1", "apn", content, actor="x")
    assert list(error.value.normalized_messages()) == [field]
    assert not any("CFUN=0" in command for command in bench.modem.commands[before:])


# --- USB mode, ModemManager ---


def test_the_usb_mode_is_chosen_from_those_that_keep_the_at_port(make: Callable[..., ControlBench]) -> None:
    bench = make(usb_mode.UsbMode())
    modes = {"now": 0}
    bench.modem.answers['AT+QCFG="usbnet"'] = lambda command: (
        f'\r\n+QCFG: "usbnet",{modes["now"]}\r\n\r\nOK\r\n'.encode()
    )

    def choose(command: str) -> bytes:
        modes["now"] = int(command[-1])
        return b"\r\nOK\r\n"

    bench.modem.answers['AT+QCFG="usbnet",2'] = choose
    bench.modem.answers["AT+CFUN=1,1"] = lambda command: bench.restart() or b""
    bench.start()
    job = bench.run("usb-mode", mode="mbim", confirm_s=0)
    assert job.state == "done" and job.result == {"changed": True, "mode": "mbim"}, job.error


@pytest.mark.parametrize(
    ("told", "offered"),
    [("+GTUSBMODE: (17-18,20-21,24,29-33)\n\nOK", ["17", "18", "29", "30", "32", "33"]), ("ERROR", None)],
)
def test_a_fibocom_is_offered_the_usb_modes_that_it_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, offered: list[str] | None
) -> None:
    bench = FamilyBench(tmp_path, monkeypatch, "FM160-EAU", actions=(usb_mode.UsbMode(),))
    try:
        bench.set("AT+GTUSBMODE?", "+GTUSBMODE: 30")
        bench.modem.answers["AT+GTUSBMODE=?"] = framed(told)
        choices = bench.start().desk.form("modem1", "usb-mode")["properties"]["mode"]["oneOf"]
    finally:
        bench.close()
    assert [one["const"] for one in choices] == (offered or [one["const"] for one in choices])
    assert len(choices) >= 6


def test_modemmanager_is_kept_off_until_the_end(
    make: Callable[..., ControlBench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin", "mmcli", f'echo "$@" >> {tmp_path}/log\nexec sleep 60\n')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(inhibit, "running", lambda name: 4711)
    monkeypatch.setattr("remsim.modems.inhibitions.STARTS_S", 0.2)
    bench = make(inhibit.Inhibit())
    bench.start()
    assert bench.run("inhibit", on="1").result == {"on": True}
    device = inhibit.device_of(bench.target)
    assert bench.means.inhibitions.is_on(device)
    assert (tmp_path / "log").read_text() == f"--inhibit-device={device}\n"
    assert bench.run("inhibit", on="0").result == {"on": False}
    assert not bench.means.inhibitions.is_on(device)


def test_a_refusal_of_modemmanager_is_told_in_its_words(
    make: Callable[..., ControlBench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin", "mmcli", "echo 'error: no such device' >&2\nexit 1\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(inhibit, "running", lambda name: 4711)
    bench = make(inhibit.Inhibit())
    bench.start()
    job = bench.run("inhibit", on="1")
    assert job.state == "failed" and "no such device" in str(job.error)
