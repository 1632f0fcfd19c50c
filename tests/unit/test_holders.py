from __future__ import annotations

import fcntl
import json
import os
import pty
import shutil
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from remsim.core.clock import SystemClock
from remsim.core.errors import PortBusy
from remsim.modems import device
from remsim.modems.channel import Channel
from remsim.modems.holders import BY_NAME, Holder, holders, running
from scripted_modem import OK, ScriptedModem, framed

FEED = Path(__file__).resolve().parents[2] / "openwrt-feed" / "remsim" / "files"


class Proc:
    """A /proc of files."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(self, pid: int, name: str, *files: str) -> None:
        folder = self.root / str(pid) / "fd"
        folder.mkdir(parents=True)
        (folder.parent / "comm").write_text(f"{name}\n")
        for number, path in enumerate(files):
            (folder / str(number)).symlink_to(path)


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path / "proc")


@pytest.fixture
def modem() -> Iterator[ScriptedModem]:
    one = ScriptedModem({"AT": OK, "AT+CMEE?": framed("+CMEE: 1\n\nOK")})
    yield one
    one.unplug()


def test_every_process_that_has_a_port_open_is_named(proc: Proc, tmp_path: Path) -> None:
    port, wdm = tmp_path / "ttyUSB2", tmp_path / "cdc-wdm0"
    proc.add(412, "ModemManager", "/dev/null", str(port))
    proc.add(77, "qmi-proxy", str(wdm), str(wdm))
    proc.add(90, "sh", "/dev/null", "socket:[4711]")
    (proc.root / "self").mkdir()
    (proc.root / "500" / "fd").mkdir(parents=True)  # a process that is ending
    assert holders([str(port), str(wdm)], proc.root) == [
        Holder(str(wdm), "qmi-proxy", 77),
        Holder(str(port), "ModemManager", 412),
    ]
    assert running("ModemManager", proc.root) == 412
    assert running("tom_modem", proc.root) is None
    assert holders([str(port)], tmp_path / "nowhere") == [] == holders([], proc.root)


def test_node_that_leads_nowhere_is_nobodys(proc: Proc, tmp_path: Path) -> None:
    for name in ("cdc-wdm0", "cdc-wdm1"):
        (tmp_path / name).symlink_to("/dev/null")
    proc.add(90, "sh", "/dev/null")
    assert holders([str(tmp_path / "cdc-wdm0"), str(tmp_path / "cdc-wdm1")], proc.root) == []


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("ModemManager", "ModemManager (pid 9)", "mmcli --inhibit-device"),
        ("tom_modem", "QModem: tom_modem (pid 9)", "QModem's settings"),
        ("ubus-at-daemon", "QModem: ubus-at-daemon (pid 9)", "QModem"),
        ("osmo-remsim-cli", "osmo-remsim-client (pid 9)", "/etc/config/remsim"),
        ("quectel-CM", "quectel-CM (pid 9)", "let it be"),
        ("evil", "evil (pid 9)", "stop that program"),
    ],
)
def test_known_programs_come_with_what_to_do(name: str, text: str, hint: str) -> None:
    holder = Holder("/dev/ttyUSB2", name, 9)
    assert str(holder) == text and hint in holder.hint
    assert holder.hint[0].islower() and not holder.hint.endswith(".")


def test_names_are_cut_as_the_kernel_cuts_them() -> None:
    assert all(len(name) <= 15 for name in BY_NAME)


def test_busy_port_says_who_has_it_and_what_to_do(modem: ScriptedModem) -> None:
    script = "import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); print(1, flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", script, modem.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None and other.stdout.readline() == b"1\n"
    channel = Channel(modem.path, clock=SystemClock(), on_urc=lambda line: None)
    try:
        with pytest.raises(PortBusy) as caught:
            channel.open()
    finally:
        other.communicate(b"", 10)
        channel.dispose()
    assert f"(pid {other.pid})" in caught.value.message
    assert caught.value.hint == "stop that program or let it use another port"


def test_wwan_port_that_is_no_tty_is_opened_and_locked(
    modem: ScriptedModem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_a_tty(fd: int, *_: object) -> None:
        raise termios.error(25, "Inappropriate ioctl for device")

    master, slave = pty.openpty()
    node = tmp_path / "wwan0at0"
    node.symlink_to(os.ttyname(slave))
    monkeypatch.setattr(device.tty, "setraw", not_a_tty)
    channel = Channel(str(node), clock=SystemClock(), on_urc=lambda line: None)
    channel.open()
    try:
        with pytest.raises(BlockingIOError):
            fcntl.flock(slave, fcntl.LOCK_EX | fcntl.LOCK_NB)
        second = Channel(str(node), clock=SystemClock(), on_urc=lambda line: None)
        with pytest.raises(PortBusy):
            second.open()
        second.dispose()
    finally:
        channel.dispose()
        os.close(master)
        os.close(slave)


def test_wwan_port_answers_as_a_tty_does(modem: ScriptedModem, tmp_path: Path) -> None:
    node = tmp_path / "wwan0at0"
    node.symlink_to(modem.path)
    channel = Channel(str(node), clock=SystemClock(), on_urc=lambda line: None)
    channel.open()
    try:
        assert channel.query("AT").ok
    finally:
        channel.dispose()


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv")
def test_with_the_packaged_rights_it_is_still_seen_who_has_a_port(tmp_path: Path) -> None:
    rights = json.loads((FEED / "capabilities.json").read_text())["bounding"]
    bounding = ",".join(["-all", *(f"+{right.removeprefix('CAP_').lower()}" for right in rights)])
    port = tmp_path / "port"
    port.touch()
    look = f"from remsim.modems.holders import holders; print([one.name for one in holders([{str(port)!r}])])"
    with port.open() as held, subprocess.Popen(["sleep", "60"], stdin=held) as holder:
        command = ["setpriv", f"--bounding-set={bounding}", "--inh-caps=-all", sys.executable, "-c", look]
        seen = subprocess.run(command, capture_output=True, text=True, timeout=30)
        holder.kill()
    assert "sleep" in seen.stdout, seen.stderr
