from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from remsim.core.clock import SystemClock
from remsim.core.errors import Aborted, AtFormatError, AtTimeout, InvalidInput, ModemGone, PortBusy
from remsim.modems.channel import Channel, NoPrompt, Occupied
from remsim.modems.decode import decode_reply
from remsim.modems.decode.text import FINAL
from scripted_modem import OK, ScriptedModem, framed
from web_support import wait_until

TRANSCRIPTS = Path(__file__).parents[1] / "fixtures" / "at" / "transcripts.jsonl"
CSQ = framed("+CSQ: 20,99\n\nOK")
CEREG = framed('+CEREG: 2,1,"1A2B","01C2D3E4",7\n\nOK')


@pytest.fixture(params=[True, False], ids=["echo", "no echo"])
def modem(request: pytest.FixtureRequest) -> Iterator[ScriptedModem]:
    modem = ScriptedModem({"AT": OK, "AT+CSQ": CSQ, "AT+CEREG?": CEREG}, echo=request.param)
    yield modem
    modem.unplug()


@pytest.fixture
def urcs() -> list[str]:
    return []


@pytest.fixture
def channel(modem: ScriptedModem, urcs: list[str]) -> Iterator[Channel]:
    channel = Channel(modem.path, clock=SystemClock(), on_urc=urcs.append)
    channel.open()
    yield channel
    channel.dispose()


def in_step(channel: Channel) -> Channel:
    """After the first exchange the channel knows whether the modem echoes."""
    assert channel.query("AT").ok
    return channel


def test_reply_is_the_lines_of_the_command_without_its_echo(channel: Channel) -> None:
    reply = channel.query("AT+CSQ")
    assert (reply.lines, reply.final, reply.ok, reply.text) == (("+CSQ: 20,99",), "OK", True, "+CSQ: 20,99\nOK")


def test_commands_end_in_a_carriage_return_alone(channel: Channel, modem: ScriptedModem) -> None:
    channel.query("AT+CSQ")
    assert b"AT+CSQ\r" in modem.received
    assert b"\n" not in modem.received


def test_every_command_sent_is_counted(channel: Channel, modem: ScriptedModem) -> None:
    for _ in range(3):
        channel.query("AT+CSQ")
    assert channel.commands_sent == len(modem.commands) == 4  # the first one got into step


@pytest.mark.parametrize("final", ["ERROR", "+CME ERROR: 10", "+CME ERROR: SIM busy", "+CMS ERROR: 305",
                                   "COMMAND NOT SUPPORT", "NO CARRIER", "ABORTED"])  # fmt: skip
def test_every_result_code_ends_the_reply(channel: Channel, modem: ScriptedModem, final: str) -> None:
    modem.answers["AT+QCSQ"] = framed(final)
    begun = time.monotonic()
    reply = channel.query("AT+QCSQ", timeout_s=60)
    assert (reply.final, reply.lines, reply.ok) == (final, (), False)
    assert time.monotonic() - begun < 30


def test_urcs_in_the_middle_of_a_reply_go_their_own_way(
    channel: Channel, modem: ScriptedModem, urcs: list[str]
) -> None:
    modem.answers["AT+CSQ"] = (
        framed('+CEREG: 1,"1A2B","01C2D3E4",7') + framed("+CSQ: 20,99") + framed("+ESIMS: 1,29") + framed("RING") + OK
    )
    assert channel.query("AT+CSQ").lines == ("+CSQ: 20,99",)
    assert urcs == ['+CEREG: 1,"1A2B","01C2D3E4",7', "+ESIMS: 1,29", "RING"]


def test_registration_urc_is_not_the_answer_to_the_question_for_it(
    channel: Channel, modem: ScriptedModem, urcs: list[str]
) -> None:
    modem.answers["AT+CEREG?"] = framed('+CEREG: 5,"1A2B","01C2D3E4",7') + framed("+CEREG: 5") + CEREG
    assert channel.query("AT+CEREG?").lines == ('+CEREG: 2,1,"1A2B","01C2D3E4",7',)
    assert urcs == ['+CEREG: 5,"1A2B","01C2D3E4",7', "+CEREG: 5"]


def test_set_form_has_no_lines_of_its_own(channel: Channel, modem: ScriptedModem, urcs: list[str]) -> None:
    modem.answers["AT+CEREG=2"] = framed("+CEREG: 1") + OK
    assert channel.query("AT+CEREG=2").lines == ()
    assert urcs == ["+CEREG: 1"]


def test_unsolicited_lines_are_passed_on_while_waiting(channel: Channel, modem: ScriptedModem, urcs: list[str]) -> None:
    in_step(channel)
    modem.say(framed("+QUSIM: 1"))
    channel.wait_urcs(0.2)
    assert urcs == ["+QUSIM: 1"]


def test_line_cut_in_two_by_the_line_is_put_together(channel: Channel, modem: ScriptedModem, urcs: list[str]) -> None:
    in_step(channel)
    modem.say(b"\r\n+QUSI")
    channel.wait_urcs(0.05)
    modem.say(b"M: 1\r\n")
    channel.wait_urcs(0.1)
    assert urcs == ["+QUSIM: 1"]


def test_listener_that_fails_does_not_harm_the_exchange(modem: ScriptedModem) -> None:
    def fail(line: str) -> None:
        raise ValueError(line)

    channel = Channel(modem.path, clock=SystemClock(), on_urc=fail)
    channel.open()
    try:
        modem.answers["AT+CSQ"] = framed("+ESIMS: 1,29") + CSQ
        assert channel.query("AT+CSQ").lines == ("+CSQ: 20,99",)
    finally:
        channel.dispose()


def test_late_answer_is_not_taken_for_the_next_command(channel: Channel, modem: ScriptedModem) -> None:
    in_step(channel)
    modem.delays["AT+CSQ"] = 0.4
    with pytest.raises(AtTimeout):
        channel.query("AT+CSQ", timeout_s=0.1)
    assert channel.query("AT+CEREG?").lines == ('+CEREG: 2,1,"1A2B","01C2D3E4",7',)


@pytest.mark.parametrize("late", [framed("ERROR"), framed("+CME ERROR: 14"), OK, framed("+COPS: 0\n\nOK")])
def test_late_end_of_any_kind_is_not_taken_for_the_next_commands(
    channel: Channel, modem: ScriptedModem, late: bytes
) -> None:
    in_step(channel)
    modem.answers["AT+COPS?"], modem.delays["AT+COPS?"] = late, 0.4
    with pytest.raises(AtTimeout):
        channel.query("AT+COPS?", timeout_s=0.1)
    for _ in range(3):
        assert channel.query("AT+CSQ").text == "+CSQ: 20,99\nOK"
        assert channel.query("AT").text == "OK"


def test_answer_to_a_resync_given_up_is_not_taken_for_the_next_commands(channel: Channel, modem: ScriptedModem) -> None:
    in_step(channel)
    modem.delays["AT+CSQ"] = 0.9
    for _ in range(3):
        with pytest.raises(AtTimeout):
            channel.query("AT+CSQ", timeout_s=0.2)
    modem.delays.clear()
    assert channel.query("AT+CEREG?", timeout_s=5).lines == ('+CEREG: 2,1,"1A2B","01C2D3E4",7',)
    assert channel.query("AT").text == "OK"


def test_modem_without_the_resync_command_gets_into_step_all_the_same(channel: Channel, modem: ScriptedModem) -> None:
    modem.answers["AT+CMEE?"] = framed("COMMAND NOT SUPPORT")
    assert channel.query("AT+CSQ").lines == ("+CSQ: 20,99",)
    modem.delays["AT+CEREG?"] = 0.3
    with pytest.raises(AtTimeout):
        channel.query("AT+CEREG?", timeout_s=0.1)
    modem.delays.clear()
    assert channel.query("AT+CSQ").lines == ("+CSQ: 20,99",)


def test_what_was_queued_before_the_port_was_opened_is_not_an_answer(modem: ScriptedModem) -> None:
    channel = Channel(modem.path, clock=SystemClock(), on_urc=lambda line: None)
    modem.say(framed("+CSQ: 1,99\n\nOK") * 3)
    channel.open()
    try:
        modem.say(framed("+CSQ: 2,99\n\nOK") * 3)
        assert channel.query("AT+CSQ").lines == ("+CSQ: 20,99",)
    finally:
        channel.dispose()


def test_modem_that_is_never_quiet_is_understood(channel: Channel, modem: ScriptedModem, urcs: list[str]) -> None:
    talking = threading.Event()

    def chatter() -> None:
        while not talking.wait(0.02):
            modem.say(framed("+ESIMS: 1,29"))

    talker = threading.Thread(target=chatter)
    talker.start()
    try:
        assert channel.query("AT+CSQ", timeout_s=5).lines == ("+CSQ: 20,99",)
        assert channel.query("AT+CEREG?", timeout_s=5).ok
    finally:
        talking.set()
        talker.join()
    assert "+ESIMS: 1,29" in urcs


def test_modem_that_begins_to_echo_after_a_reset_is_understood(channel: Channel, modem: ScriptedModem) -> None:
    in_step(channel)
    modem.echo = not modem.echo
    try:
        reply = channel.query("AT+CSQ", timeout_s=0.5)
    except AtTimeout:  # the echo that was expected never came: one command is lost, not the channel
        reply = channel.query("AT+CSQ")
    assert reply.lines == ("+CSQ: 20,99",)


def test_echo_cut_up_by_an_urc_is_recognised(urcs: list[str]) -> None:
    modem = ScriptedModem({"AT": OK}, echo=True)
    channel = Channel(modem.path, clock=SystemClock(), on_urc=urcs.append)
    try:
        channel.open()
        in_step(channel)
        modem.echo = False
        modem.answers["AT+CFUN=1"] = b"AT+C\r\n+CEREG: 2\r\nFUN=1\r" + OK
        assert channel.query("AT+CFUN=1").ok
        assert urcs == ["+CEREG: 2"]
    finally:
        channel.dispose()
        modem.unplug()


def test_answer_with_a_lost_newline_arrives_whole(channel: Channel, modem: ScriptedModem) -> None:
    line = '+QCAINFO: "PCC",1300,100,"LTE BAND 3",1,271,-97,-11,-68,11+QCAINFO: "SCC",3050,75,"LTE BAND 7",1,312'
    modem.answers["AT+QCAINFO"] = framed(line + "\n\nOK")
    assert channel.query("AT+QCAINFO").lines == (line,)


def test_prompt_without_newline_gets_the_payload_and_control_z(channel: Channel, modem: ScriptedModem) -> None:
    modem.answers['AT+CMGS="123"'] = b"\r\n> "
    modem.answers["hello\x1a"] = framed("+CMGS: 4\n\nOK")
    assert channel.query('AT+CMGS="123"', payload="hello").lines == ("+CMGS: 4",)
    assert "hello\x1a" in modem.commands


def test_prompt_left_open_is_escaped_before_the_next_command(channel: Channel, modem: ScriptedModem) -> None:
    in_step(channel)
    modem.answers['AT+CMGS="123"'] = b"\r\n> "
    modem.answers["\x1b"] = OK
    with pytest.raises(AtTimeout):
        channel.query('AT+CMGS="123"', timeout_s=0.1)
    assert channel.query("AT+CSQ").lines == ("+CSQ: 20,99",)
    assert "\x1b" in modem.commands


def test_prompt_on_a_line_of_its_own_is_a_prompt_too(channel: Channel, modem: ScriptedModem) -> None:
    modem.answers["AT+CMGS=14"] = b"\r\n>\r\n"
    modem.answers["0011\x1a"] = framed("+CMGS: 4\n\nOK")
    assert channel.query("AT+CMGS=14", payload="0011").lines == ("+CMGS: 4",)


def test_error_in_place_of_the_prompt_or_behind_the_payload_ends_the_command(
    channel: Channel, modem: ScriptedModem
) -> None:
    modem.answers["AT+CMGS=14"] = framed("+CMS ERROR: 331")
    assert channel.query("AT+CMGS=14", payload="0011").final == "+CMS ERROR: 331"
    assert "0011\x1a" not in modem.commands
    modem.answers["AT+CMGS=14"] = b"\r\n> "
    modem.answers["0011\x1a"] = framed("+CMS ERROR: 500")
    assert channel.query("AT+CMGS=14", payload="0011").final == "+CMS ERROR: 500"


def test_prompt_that_never_comes_is_told_apart_and_nothing_is_sent(channel: Channel, modem: ScriptedModem) -> None:
    in_step(channel)
    modem.answers["AT+CMGS=14"] = None
    with pytest.raises(NoPrompt):
        channel.query("AT+CMGS=14", timeout_s=0.2, payload="0011")
    assert channel.query("AT+CSQ").lines == ("+CSQ: 20,99",)
    assert "0011\x1a" not in modem.commands


def test_answer_that_never_comes_behind_a_payload_is_no_missing_prompt(channel: Channel, modem: ScriptedModem) -> None:
    in_step(channel)
    modem.answers["AT+CMGS=14"], modem.answers["0011\x1a"] = b"\r\n> ", None
    with pytest.raises(AtTimeout) as caught:
        channel.query("AT+CMGS=14", timeout_s=0.3, payload="0011")
    assert not isinstance(caught.value, NoPrompt)
    assert channel.query("AT+CSQ").lines == ("+CSQ: 20,99",)


def test_prompt_that_comes_late_takes_no_command_for_a_text(channel: Channel, modem: ScriptedModem) -> None:
    in_step(channel)
    modem.answers["AT+CMGS=14"], modem.delays["AT+CMGS=14"] = b"\r\n> ", 0.3
    modem.answers["\x1b"] = OK
    with pytest.raises(NoPrompt):
        channel.query("AT+CMGS=14", timeout_s=0.1, payload="0011")
    for _ in range(3):
        with contextlib.suppress(AtTimeout):
            assert channel.query("AT+CSQ", timeout_s=1).lines == ("+CSQ: 20,99",)
            break
    assert channel.query("AT").ok


class Cancel:
    """Cancelled a moment after it was first asked."""

    def __init__(self, after_s: float = 0.0) -> None:
        self.after_s = after_s
        self.begun: float | None = None

    def __call__(self) -> bool:
        self.begun = self.begun or time.monotonic()
        return time.monotonic() - self.begun >= self.after_s


@pytest.mark.parametrize("said", [framed("ABORTED"), OK, framed("ERROR"), framed("+COPS: ,,(0,1),(2)\n\nOK")])
def test_cancelled_command_is_ended_by_a_character(channel: Channel, modem: ScriptedModem, said: bytes) -> None:
    in_step(channel)
    modem.answers["AT+COPS=?"] = None
    modem.answers[""] = said  # what the modem takes the bare carriage return for
    with pytest.raises(Aborted, match="aborted"):
        channel.query("AT+COPS=?", timeout_s=300, is_cancelled=Cancel())
    assert channel.query("AT+CSQ").lines == ("+CSQ: 20,99",)
    assert channel.query("AT").text == "OK"


def test_modem_that_overlooks_the_first_character_is_told_again(
    channel: Channel, modem: ScriptedModem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remsim.modems.channel.ABORT_AGAIN_S", 0.2)
    in_step(channel)
    modem.answers["AT+COPS=?"] = None
    said = iter([b"", framed("ABORTED")])
    modem.answers[""] = lambda command: next(said, b"")
    with pytest.raises(Aborted, match="was aborted"):
        channel.query("AT+COPS=?", timeout_s=300, is_cancelled=Cancel())
    assert channel.query("AT+CSQ").lines == ("+CSQ: 20,99",)


def test_modem_that_ignores_the_abort_and_answers_later_does_not_mislead_the_next_command(
    channel: Channel, modem: ScriptedModem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remsim.modems.channel.ABORT_S", 0.3)
    in_step(channel)
    modem.answers["AT+COPS=?"] = None
    modem.answers[""] = b""
    with pytest.raises(Aborted, match="given up"):
        channel.query("AT+COPS=?", timeout_s=300, is_cancelled=Cancel())
    modem.say(framed('+COPS: (2,"A","A","99901",7),,(0,1),(2)\n\nOK'))
    assert channel.query("AT+CSQ").text == "+CSQ: 20,99\nOK"
    assert channel.query("AT+CEREG?").lines == ('+CEREG: 2,1,"1A2B","01C2D3E4",7',)


def test_modem_that_is_deaf_until_its_search_ends_is_understood_afterwards(
    channel: Channel, modem: ScriptedModem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remsim.modems.channel.ABORT_S", 0.2)
    in_step(channel)
    modem.answers["AT+COPS=?"] = framed('+COPS: (2,"A","A","99901",7),,(0,1),(2)\n\nOK')
    modem.answers[""] = b""
    modem.delays["AT+COPS=?"] = 1.2
    with pytest.raises(Aborted, match="given up"):
        channel.query("AT+COPS=?", timeout_s=300, is_cancelled=Cancel(0.1))
    with pytest.raises(AtTimeout):
        channel.query("AT+CSQ", timeout_s=0.3)
    assert channel.query("AT+CSQ", timeout_s=5).text == "+CSQ: 20,99\nOK"
    assert channel.query("AT").text == "OK"


def test_command_that_nobody_cancels_is_answered(channel: Channel, modem: ScriptedModem) -> None:
    modem.delays["AT+CSQ"] = 0.5
    assert channel.query("AT+CSQ", is_cancelled=lambda: False).lines == ("+CSQ: 20,99",)


def test_unplugging_ends_a_command_that_is_being_cancelled(channel: Channel, modem: ScriptedModem) -> None:
    in_step(channel)
    modem.answers["AT+COPS=?"], modem.answers[""] = None, b""
    threading.Timer(0.3, modem.unplug).start()
    begun = time.monotonic()
    with pytest.raises(ModemGone):
        channel.query("AT+COPS=?", timeout_s=300, is_cancelled=Cancel(0.1))
    assert time.monotonic() - begun < 60


def test_long_command_to_a_modem_out_of_step_does_not_wait_that_long_for_the_first_sign(
    channel: Channel, modem: ScriptedModem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remsim.modems.channel.RESYNC_S", 0.3)
    modem.answers["AT+CMEE?"] = None
    begun = time.monotonic()
    with pytest.raises(AtTimeout):
        channel.query("AT+COPS=?", timeout_s=300)
    assert time.monotonic() - begun < 60


MENU = '+CUSD: 1,"1 Data left\n2 Valid until\n0 Back",15'


def test_text_of_the_network_with_line_ends_arrives_whole(
    channel: Channel, modem: ScriptedModem, urcs: list[str]
) -> None:
    in_step(channel)
    modem.say(framed(MENU)[:20])
    channel.wait_urcs(0.05)
    modem.say(framed(MENU)[20:])
    channel.wait_urcs(0.1)
    assert urcs == [MENU]


def test_text_of_the_network_in_the_middle_of_an_answer_does_not_mix_with_it(
    channel: Channel, modem: ScriptedModem, urcs: list[str]
) -> None:
    in_step(channel)
    modem.answers["AT+CSQ"] = framed(MENU) + CSQ
    assert channel.query("AT+CSQ").lines == ("+CSQ: 20,99",)
    assert urcs == [MENU]


def test_text_of_the_network_that_never_ends_costs_no_answer(
    channel: Channel, modem: ScriptedModem, urcs: list[str]
) -> None:
    in_step(channel)
    modem.answers["AT+CSQ"] = framed('+CUSD: 1,"1 Data left\n2 Valid') + CSQ
    assert channel.query("AT+CSQ").lines == ("+CSQ: 20,99",)
    assert urcs == ['+CUSD: 1,"1 Data left\n2 Valid']


@pytest.mark.parametrize("line", ['+CUSD: 0,"Balance 1",15', '+CUSD: 0,"Balance 1"', "+CUSD: 4", '+CUSD: 0,"",15'])
def test_text_of_one_line_waits_for_nothing(
    channel: Channel, modem: ScriptedModem, urcs: list[str], line: str
) -> None:
    in_step(channel)
    modem.say(framed(line))
    channel.wait_urcs(0.1)
    assert urcs == [line]


def test_a_megabyte_without_a_newline_neither_grows_nor_blocks(channel: Channel, modem: ScriptedModem) -> None:
    in_step(channel)
    modem.answers["AT+CEREG?"] = b"x" * (1 << 20) + b"the tail of it\r\n"
    with pytest.raises(AtTimeout):
        channel.query("AT+CEREG?", timeout_s=1.0)
    assert channel.discarded_bytes > 100_000
    assert len(channel._lines._rest) <= 8192
    modem.answers["AT+CEREG?"] = CEREG
    assert channel.query("AT+CEREG?", timeout_s=10).lines == ('+CEREG: 2,1,"1A2B","01C2D3E4",7',)


def test_port_that_floods_does_not_take_the_processor(channel: Channel, modem: ScriptedModem) -> None:
    in_step(channel)
    flooding = threading.Event()

    def flood() -> None:
        while not flooding.is_set():
            modem.say(b"x" * 65_536)

    talker = threading.Thread(target=flood)
    talker.start()
    try:
        begun_s, used_s = time.monotonic(), time.thread_time()
        assert channel.wait_urcs(0.5)
        assert time.thread_time() - used_s < 0.5 * (time.monotonic() - begun_s)
    finally:
        flooding.set()
        while talker.is_alive():
            channel.wait_urcs(0.1)


def test_binary_garbage_is_a_timeout_and_the_next_answer_is_right(channel: Channel, modem: ScriptedModem) -> None:
    in_step(channel)
    noise = bytes(range(256)) * 8
    modem.answers["AT+CEREG?"] = noise.replace(b"\nOK", b"")
    with pytest.raises(AtTimeout):
        channel.query("AT+CEREG?", timeout_s=0.2)
    assert channel.query("AT+CSQ").lines == ("+CSQ: 20,99",)


def test_unplugged_modem_is_gone_at_once(channel: Channel, modem: ScriptedModem) -> None:
    in_step(channel)
    modem.answers["AT+CSQ"] = None
    threading.Timer(0.1, modem.unplug).start()
    begun = time.monotonic()
    with pytest.raises(ModemGone):
        channel.query("AT+CSQ", timeout_s=100)
    assert time.monotonic() - begun < 50
    assert not channel.is_open
    with pytest.raises(ModemGone):
        channel.wait_urcs(5)


def test_port_that_is_not_there_is_gone(tmp_path: Path) -> None:
    channel = Channel(str(tmp_path / "ttyUSB9"), clock=SystemClock(), on_urc=lambda line: None)
    with pytest.raises(ModemGone):
        channel.open()
    channel.dispose()


def test_second_owner_in_the_same_process_is_refused(channel: Channel, modem: ScriptedModem) -> None:
    second = Channel(modem.path, clock=SystemClock(), on_urc=lambda line: None)
    with pytest.raises(PortBusy):
        second.open()
    channel.close()
    second.open()
    second.dispose()


def test_program_that_holds_the_port_is_named(modem: ScriptedModem) -> None:
    script = "import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); print(1, flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", script, modem.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    channel = Channel(modem.path, clock=SystemClock(), on_urc=lambda line: None)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"1\n"
        with pytest.raises(PortBusy) as caught:
            channel.open()
        assert f"(pid {holder.pid})" in caught.value.message
    finally:
        channel.dispose()
        holder.communicate(b"", 10)


def test_dead_port_that_takes_nothing_neither_blocks_writing_nor_closing() -> None:
    master, slave = os.openpty()
    channel = Channel(os.ttyname(slave), clock=SystemClock(), on_urc=lambda line: None)
    try:
        channel.open()
        os.set_blocking(slave, False)  # the port is exclusive now; only root could open it again to fill it
        try:
            while True:
                os.write(slave, b"x" * 4096)
        except BlockingIOError:
            pass
        begun = time.monotonic()
        with pytest.raises(AtTimeout):
            channel.query("AT", timeout_s=0.3)
        channel.close()
        assert time.monotonic() - begun < 60
    finally:
        channel.dispose()
        os.close(master)
        os.close(slave)


def test_waiting_ends_at_once_when_woken_and_a_command_when_aborted(channel: Channel, modem: ScriptedModem) -> None:
    in_step(channel)
    channel.wake()
    assert channel.wait_urcs(30) is False
    channel.wake()  # a wake-up during a command waits for the next wait
    assert channel.query("AT").ok
    assert channel.wait_urcs(30) is False
    modem.answers["AT+CSQ"] = None
    threading.Timer(0.05, channel.abort).start()
    with pytest.raises(ModemGone):
        channel.query("AT+CSQ", timeout_s=30)


def test_commands_of_two_threads_take_turns(channel: Channel, modem: ScriptedModem) -> None:
    in_step(channel)
    modem.delays["AT+CSQ"] = 0.02
    begun, answered, polls = threading.Event(), threading.Event(), []

    def poll() -> None:
        while not answered.is_set() and len(polls) < 200:
            assert channel.query("AT+CSQ").lines == ("+CSQ: 20,99",)
            polls.append("AT+CSQ")
            begun.set()

    poller = threading.Thread(target=poll)
    poller.start()
    assert begun.wait(30)
    assert channel.query("AT+CEREG?").lines == ('+CEREG: 2,1,"1A2B","01C2D3E4",7',)
    answered.set()
    poller.join(30)
    assert len(polls) < 200


def test_nobody_waits_long_for_the_end_of_a_long_command(
    channel: Channel, modem: ScriptedModem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remsim.modems.channel.TURN_S", 0.1)
    in_step(channel)
    modem.answers["AT+COPS=?"], modem.answers[""] = None, OK
    stop = threading.Event()

    def search() -> None:
        with contextlib.suppress(Aborted):
            channel.query("AT+COPS=?", timeout_s=300, is_cancelled=stop.is_set)

    searcher = threading.Thread(target=search)
    searcher.start()
    wait_until(lambda: "AT+COPS=?" in modem.commands)
    begun = time.monotonic()
    for _ in range(2):
        with pytest.raises(Occupied, match=r"busy with AT\+COPS=\?"):
            channel.query("AT+CSQ")
    assert time.monotonic() - begun < 60
    stop.set()
    searcher.join(10)
    assert channel.query("AT+CSQ").lines == ("+CSQ: 20,99",)


@pytest.mark.parametrize("command", ["", "A", "AT\rATD112", "AT+CMGS=\x1a", "AT+CÖPS?", "AT" + "x" * 2000])
def test_command_that_is_not_one_line_is_refused(channel: Channel, modem: ScriptedModem, command: str) -> None:
    with pytest.raises(InvalidInput):
        channel.query(command)
    assert modem.commands == []


PIECES = (b"\r\nOK\r\n", b"ERROR\r", b"\r\n> ", b"AT+CSQ\r", b"+CSQ: 1,99\r\n", b"+CME ERROR: 10\n")


@pytest.mark.parametrize("echo", [True, False])
def test_any_bytes_end_in_a_reply_or_an_error_within_the_deadline(echo: bool) -> None:
    modem = ScriptedModem({"AT": OK, "AT+CSQ": CSQ}, echo=echo)
    channel = Channel(modem.path, clock=SystemClock(), on_urc=lambda line: None)
    channel.open()

    @settings(max_examples=40, deadline=None)
    @given(noise=st.lists(st.one_of(st.binary(max_size=300), st.sampled_from(PIECES)), max_size=6))
    def check(noise: list[bytes]) -> None:
        modem.answers["AT+COPS?"] = b"".join(noise)
        begun = time.monotonic()
        try:
            assert FINAL.match(channel.query("AT+COPS?", timeout_s=0.05).final)
        except AtTimeout:
            pass
        assert time.monotonic() - begun < 30
        if echo:
            assert channel.query("AT+CSQ", timeout_s=5).text == "+CSQ: 20,99\nOK"

    try:
        check()
    finally:
        channel.dispose()
        modem.unplug()


def captured_replies() -> list[dict[str, str]]:
    lines = [json.loads(line) for line in TRANSCRIPTS.read_text().splitlines()]
    return [line for line in lines if line["command"].startswith("AT") and ends_once(line["reply"])]


def ends_once(reply: str) -> bool:
    """Not the log of a whole session."""
    words = [line.strip() for line in reply.strip().splitlines()]
    return words[-1] in ("OK", "ERROR") and sum(word in ("OK", "ERROR") for word in words) == 1


def test_captured_replies_decode_the_same_behind_the_channel() -> None:
    replies = captured_replies()
    assert len(replies) > 40
    modem = ScriptedModem()
    channel = Channel(modem.path, clock=SystemClock(), on_urc=lambda line: None)
    try:
        channel.open()
        for line in replies:
            modem.answers[line["command"]] = framed(line["reply"].strip())
            who = (line["vendor"], line["module"], line.get("platform"), line["command"])
            try:
                wanted = decode_reply(*who, line["reply"])
            except AtFormatError:
                continue
            wanted.pop("urcs", None)
            assert decode_reply(*who, channel.query(line["command"]).text) == wanted, line
    finally:
        channel.dispose()
        modem.unplug()
