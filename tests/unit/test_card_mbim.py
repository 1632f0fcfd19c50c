"""A card over MBIM: what mbimcli says, with a card behind a program of that name."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from euicc_bench import CI, profile
from remsim.core.clock import SystemClock
from remsim.core.errors import AtFormatError, AtTimeout, NoApplication, WayFails
from remsim.esim.apdu import open_isdr
from remsim.esim.euicc import Euicc
from remsim.modems import control_port
from remsim.modems.card.mbim import MbimWay
from remsim.modems.control_port import ControlChannel
from remsim.modems.detect import ControlPort
from remsim.simulator.euicc.card import SwError, VirtualEuicc
from remsim.simulator.euicc.credentials import make

PROGRAM = """#!{python} -SE
import json, socket, sys
one = socket.socket(socket.AF_UNIX)
one.connect({path!r})
one.sendall(json.dumps(sys.argv[1:]).encode() + b"\\n")
told = json.loads(one.makefile().readline())
(sys.stderr if told.startswith("error") else sys.stdout).write(told)
sys.exit(told.startswith("error"))
"""
OPENED = "Succesfully retrieved open channel info:\n\t  status: {status}\n\t channel: {channel}\n\tresponse: \n"
ANSWERED = "Succesfully retrieved UICC APDU response:\n\t  status: {status}\n\tresponse: {response}\n"
CLOSED = "Succesfully retrieved close channel info:\n\tstatus: 0\n"


class Tool:
    """What mbimcli 1.28 prints (its strings) for a modem whose card is an eUICC."""

    def __init__(self, root: Path, card: VirtualEuicc) -> None:
        self.card = card
        self.calls: list[list[str]] = []
        self.says: dict[str, str] = {}
        self.only_class = ""
        path = root / "tool.socket"
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        program = root / "mbimcli"
        program.write_text(PROGRAM.format(python=sys.executable, path=str(path)))
        program.chmod(0o755)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self._server.accept()
            except OSError:
                return
            with one, one.makefile("rw") as stream:
                self.calls.append(json.loads(stream.readline()))
                stream.write(json.dumps(self._said(self.calls[-1][-1])) + "\n")

    def _said(self, argument: str) -> str:
        action, _, value = argument.removeprefix("--").partition("=")
        if action in self.says:
            return self.says[action]
        fields = dict(one.split("=") for one in value.split(","))
        if action == "ms-set-uicc-open-channel":
            try:
                return OPENED.format(status=0x0090, channel=self.card.open(bytes.fromhex(fields["application-id"])))
            except SwError as error:
                return OPENED.format(status=int.from_bytes(error.status.to_bytes(2), "little"), channel=0)
        if action == "ms-set-uicc-close-channel":
            self.card.close(int(fields["channel"]))
            return CLOSED
        command = bytes.fromhex(fields["command"])
        if self.only_class and fields["classbyte-type"] != self.only_class:
            answer = b"\x6e\x00"
        else:
            has_le = command[1] == 0xE2 and len(command) == 6 + command[4]
            answer = self.card.transmit(command[:-1] if has_le else command)
        status = int.from_bytes(answer[-2:], "little")
        return ANSWERED.format(status=status, response=answer[:-2].hex(":").upper())


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tool]:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(control_port, "LEAST_TIMEOUT_S", 2.0)
    one = Tool(tmp_path, VirtualEuicc(make(CI), [profile(1, is_enabled=True)]))
    yield one
    one.close()


@pytest.fixture
def way(tool: Tool, tmp_path: Path) -> Iterator[MbimWay]:
    device = tmp_path / "cdc-wdm0"
    device.touch()
    channel = ControlChannel(ControlPort("mbim", str(device)), clock=SystemClock(), on_urc=lambda line: None)
    channel.open()
    yield MbimWay(lambda: (channel, lambda: None))
    channel.dispose()


@pytest.mark.parametrize("only_class", ["", "extended"])
def test_a_card_is_read_by_mbim(only_class: str, tool: Tool, way: MbimWay) -> None:
    tool.only_class = only_class
    isdr, found = open_isdr([way])
    assert (found.kind, found.label) == ("mbim", "MBIM")
    with Euicc(isdr) as euicc:
        assert euicc.eid() == tool.card.eid
        assert euicc.profiles()[0].state == "enabled"
    assert tool.card.open_channels == []
    opened = tool.calls[0]
    assert opened[-1].endswith("application-id=A0000005591010FFFFFFFF8900000100,selectp2arg=12,channel-group=1")
    assert not any("proxy" in word for call in tool.calls for word in call)
    asked = [call[-1] for call in tool.calls if "uicc-apdu" in call[-1]]
    assert all(f"classbyte-type={only_class or 'inter-industry'}" in one for one in asked[1:])
    assert asked[0].endswith("command=81E2910006BF3E035C015A00")


def test_a_card_without_the_application(tool: Tool, way: MbimWay) -> None:
    with pytest.raises(NoApplication):
        way.open(b"\xa0" * 16)
    tool.says["ms-set-uicc-open-channel"] = "error: operation failed: SelectFailed\n"
    with pytest.raises(NoApplication) as caught:
        way.open(b"\xa0" * 16)
    assert "restart" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "said",
    [
        "error: operation failed: OperationNotAllowed\n",
        "error: Unknown option --ms-set-uicc-open-channel\n",
        "error: operation failed: NoDeviceSupport\n",
        "Succesfully retrieved open channel info:\n",
        "Succesfully retrieved open channel info:\n\t status: x\n\t channel: 1\n",
        OPENED.format(status=0x0090, channel=0),
        OPENED.format(status=0x816A, channel=0),
    ],
)
def test_a_modem_that_cannot_says_so(said: str, tool: Tool, way: MbimWay) -> None:
    tool.says["ms-set-uicc-open-channel"] = said
    with pytest.raises(WayFails):
        way.open(b"\xa0" * 16)


def test_an_answer_that_does_not_come_or_cannot_be_read(tool: Tool, way: MbimWay) -> None:
    channel = way.open(bytes.fromhex("A0000005591010FFFFFFFF8900000100"))
    tool.says["ms-set-uicc-apdu"] = "error: operation failed: Transaction timed out\n"
    with pytest.raises(AtTimeout):
        channel.transmit(bytes.fromhex("81E2910003BF2E00"), timeout_s=1)
    tool.says["ms-set-uicc-apdu"] = "Succesfully retrieved UICC APDU response:\n\tresponse: zz\n"
    with pytest.raises(AtFormatError):
        channel.transmit(bytes.fromhex("81E2910003BF2E00"), timeout_s=1)


def test_nothing_of_a_card_is_in_the_log(tool: Tool, way: MbimWay, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    isdr, _ = open_isdr([way])
    Euicc(isdr).eid()
    assert tool.card.eid[8:20] not in caplog.text
    assert "BF3E" not in caplog.text
