"""Modems on ptys below the manager: found, asked, unplugged, back, off."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from modem_bench import PERIOD_S, QENG, Bench, answers, is_online, quick_bench, wait_for
from remsim.core.clock import SystemClock
from remsim.core.errors import Conflict, NotFound
from remsim.modems import modem, session
from remsim.modems.channel import Channel
from remsim.modems.drivers.base import Driver
from remsim.modems.manager import ModemManager
from scripted_modem import ScriptedModem, framed


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with quick_bench(tmp_path, monkeypatch) as bench:
        yield bench


def test_modem_that_is_plugged_in_is_identified_and_measured(bench: Bench) -> None:
    manager = bench.start()
    assert manager.views() == []
    bench.plug("1-1", "862365030000011")
    wait_for(lambda: len(bench.readings) >= 3)
    view = manager.view("modem1")
    assert (view["vendor"], view["model"], view["usb_path"], view["state"]) == (
        "quectel",
        "RM520N-GL",
        "1-1",
        "online",
    )
    assert view["imei"] == "•" * 11 + "0011"
    assert manager.view("modem1", identifiers=True)["imei"] == "862365030000011"
    assert str(view["sim"]).startswith("sim-")
    reading = bench.readings[-1]
    assert (reading.modem, reading.rsrp_dbm, reading.band, reading.pci) == ("modem1", -97, 3, 12)
    assert reading.rx_bits_per_s is None  # there is no such interface
    assert view["reading"]["rsrp_dbm"] == -97
    assert bench.kinds()[0] == "appeared" and "connect" in bench.kinds()
    assert 0 < view["at_round_exchanges"] <= 6


def test_counter_of_commands_is_what_the_modem_got(bench: Bench) -> None:
    one = bench.plug("1-1", "862365030000011")
    manager = bench.start()
    wait_for(lambda: len(bench.readings) >= 5)
    manager.set_period("modem1", None)
    wait_for(lambda: manager.view("modem1")["state"] == "paused")
    assert manager.view("modem1")["at_commands_total"] == len(one.commands)


def test_off_sends_nothing_and_lets_the_port_go(bench: Bench) -> None:
    one = bench.plug("1-1", "862365030000011")
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    manager.set_period("modem1", None)
    wait_for(lambda: manager.view("modem1")["state"] == "paused")
    sent = len(one.commands)
    one.say(framed("+CEREG: 2") + framed("+QUSIM: 1"))
    time.sleep(5 * PERIOD_S)
    assert len(one.commands) == sent
    other = Channel(one.path, clock=SystemClock(), on_urc=lambda line: None)
    other.open()
    other.dispose()
    manager.set_period("modem1", 1.0)
    wait_for(lambda: is_online(manager))


def test_modem_that_is_off_from_the_start_gets_no_command(bench: Bench) -> None:
    one = bench.plug("1-1", "862365030000011")
    manager = bench.start(period_s=None)
    wait_for(lambda: [view["state"] for view in manager.views()] == ["paused"])
    bench.unplug("1-1")
    wait_for(lambda: manager.views()[0]["state"] == "rebooting")
    again = bench.plug("1-1", "862365030000011")
    wait_for(lambda: manager.views()[0]["state"] == "paused")
    assert one.commands == again.commands == []


def test_off_stops_the_questions_to_a_silent_modem_too(bench: Bench) -> None:
    one = bench.plug("1-1", "862365030000011")
    one.answers, one.default = {}, None
    manager = bench.start()
    wait_for(lambda: len(one.commands) >= 2)
    manager.set_period("modem1", None)
    wait_for(lambda: manager.view("modem1")["state"] == "paused")
    sent = len(one.commands)
    time.sleep(0.8)
    assert len(one.commands) == sent


def test_unplugged_modem_comes_back_under_another_port_name_as_itself(bench: Bench) -> None:
    bench.plug("1-1", "862365030000011")
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    bench.unplug("1-1")
    wait_for(lambda: manager.view("modem1")["state"] == "rebooting")
    view = manager.view("modem1")
    assert view["port"] is None and view["problem"]
    assert "vanished" in bench.kinds()
    bench.plug("1-1", "862365030000011", tty=4)
    wait_for(lambda: is_online(manager))
    assert manager.view("modem1")["port"].endswith("ttyUSB6")
    assert len(manager.views()) == 1
    assert "reboot" in bench.kinds()


def test_restart_too_quick_for_the_bus_to_show_it_is_survived_and_told(bench: Bench) -> None:
    first = bench.plug("1-1", "862365030000011")
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    second = ScriptedModem(answers("862365030000011"))
    bench.link(0, second)
    bench.modems["1-1"] = second
    first.unplug()
    wait_for(lambda: "reboot" in bench.kinds())
    wait_for(lambda: is_online(manager))
    assert second.commands


def test_modem_that_stays_away_is_gone_and_can_be_forgotten(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modem, "REBOOT_S", 0.5)
    bench.plug("1-1", "862365030000011")
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    with pytest.raises(Conflict):
        manager.forget("modem1")
    bench.unplug("1-1")
    wait_for(lambda: manager.view("modem1")["state"] == "gone")
    bench.plug("1-1", "862365030000011")
    wait_for(lambda: is_online(manager))
    assert bench.kinds().count("appeared") == 2
    bench.unplug("1-1")
    wait_for(lambda: manager.view("modem1")["state"] == "gone")
    manager.forget("modem1")
    assert manager.views() == []
    with pytest.raises(NotFound):
        manager.view("modem1")


def test_modem_moved_to_another_socket_keeps_its_id(bench: Bench) -> None:
    bench.plug("1-1", "862365030000011")
    bench.plug("1-2", "862365030000022", tty=4)
    manager = bench.start()
    wait_for(lambda: is_online(manager, "modem1") and is_online(manager, "modem2"))
    names = {view["imei"][-2:]: view["id"] for view in manager.views()}
    bench.unplug("1-1")
    wait_for(lambda: "vanished" in bench.kinds())
    bench.plug("1-3", "862365030000011", tty=8)
    wait_for(lambda: is_online(manager, names["11"]))
    assert {view["imei"][-2:]: view["id"] for view in manager.views()} == names
    assert manager.view(names["11"])["usb_path"] == "1-3"


def test_replies_are_kept_as_they_came_without_identifiers_and_not_whole_when_they_are_long(bench: Bench) -> None:
    one = bench.plug("1-1", "862365030000011")
    long = "".join(f'+QENG: "neighbourcell intra","LTE",{number:05},35,-11,-95\n' for number in range(200))
    one.answers['AT+QENG="neighbourcell"'] = framed(long + "\nOK")
    one.answers["AT+QTEMP"] = framed('+QTEMP: "89490200001234567890","41"\n\nOK')
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    wait_for(lambda: "AT+QTEMP" in manager.view("modem1")["replies"])
    wait_for(lambda: 'AT+QENG="neighbourcell"' in manager.view("modem1")["replies"])
    replies = manager.view("modem1", identifiers=True)["replies"]
    assert replies['AT+QENG="servingcell"'] == f"{QENG}\nOK"
    assert replies["AT+QTEMP"] == f'+QTEMP: "{"•" * 16}7890","41"\nOK'
    assert len(replies['AT+QENG="neighbourcell"']) == 2048
    assert not {"AT+CGSN", "AT+CIMI", "AT+QCCID"}.intersection(replies)
    assert "replies" not in manager.views()[0]


def test_silent_modem_is_told_once_and_again_when_it_answers(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modem, "SILENT_AFTER_S", 0.3)
    one = bench.plug("1-1", "862365030000011")
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    known, one.answers, one.default = one.answers, {}, None
    wait_for(lambda: manager.view("modem1")["state"] == "not_answering")
    assert manager.view("modem1")["effective_period_s"] > PERIOD_S
    assert "did not answer" in manager.view("modem1")["last_error"]
    read = len(bench.readings)
    one.answers = known
    wait_for(lambda: is_online(manager))
    assert len(bench.readings) > read
    assert bench.kinds().count("disconnect") == 1


def test_garbage_costs_neither_the_modem_nor_its_neighbour(bench: Bench) -> None:
    one = bench.plug("1-1", "862365030000011")
    bench.plug("1-2", "862365030000022", tty=4)
    manager = bench.start()
    wait_for(lambda: is_online(manager, "modem1") and is_online(manager, "modem2"))
    known, one.answers = one.answers, {}
    one.default = os.urandom(3000).replace(b"OK", b"") + b"x" * 20_000
    wait_for(lambda: (manager.view(id_of(manager, "1-1"))["effective_period_s"] or 0) > PERIOD_S)
    neighbour = id_of(manager, "1-2")
    count = sum(reading.modem == neighbour for reading in bench.readings)
    wait_for(lambda: sum(reading.modem == neighbour for reading in bench.readings) > count + 3)
    one.answers, one.default = known, framed("ERROR")
    wait_for(lambda: is_online(manager, id_of(manager, "1-1")))


def id_of(manager: ModemManager, usb_path: str) -> str:
    return next(str(view["id"]) for view in manager.views() if view["usb_path"] == usb_path)


def test_program_on_the_port_is_named_until_it_lets_go(bench: Bench) -> None:
    one = bench.plug("1-1", "862365030000011")
    script = "import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); print(1, flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", script, one.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"1\n"
    try:
        manager = bench.start()
        wait_for(lambda: manager.views() and manager.views()[0]["state"] == "port_busy")
        assert f"(pid {holder.pid})" in manager.views()[0]["problem"]
        assert one.commands == []
    finally:
        holder.communicate(b"", 10)
    wait_for(lambda: is_online(manager))
    assert manager.view("modem1")["problem"] is None


def test_other_card_is_read_after_its_urc(bench: Bench) -> None:
    one = bench.plug("1-1", "862365030000011")
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    before = manager.view("modem1")["sim"]
    one.answers["AT+QCCID"] = framed("+QCCID: 89490200009999999999\n\nOK")
    one.say(framed("+QUSIM: 1"))
    wait_for(lambda: manager.view("modem1")["sim"] not in (None, before))
    wait_for(lambda: "sim_state" in bench.kinds())


def test_card_taken_out_without_a_word_is_forgotten(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Driver, "slow_every_s", 0.5)
    one = bench.plug("1-1", "862365030000011")
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    one.answers["AT+CPIN?"] = framed("+CME ERROR: 10")
    wait_for(lambda: manager.view("modem1")["state"] == "no_sim")
    view = manager.view("modem1")
    assert (view["sim"], view["iccid"], view["imsi"], bench.readings[-1].sim) == (None, None, None, None)
    one.answers["AT+CPIN?"] = framed("+CPIN: READY\n\nOK")
    wait_for(lambda: manager.view("modem1")["sim"] is not None)


def test_change_the_modem_tells_by_itself_is_read_before_the_period_is_over(bench: Bench) -> None:
    one = bench.plug("1-1", "862365030000011")
    manager = bench.start(period_s=60.0)
    wait_for(lambda: is_online(manager))
    asked = one.commands.count("AT+CEREG?")
    begun = time.monotonic()
    one.say(framed('+CEREG: 1,"1A2B","01A2B04",7'))
    wait_for(lambda: one.commands.count("AT+CEREG?") > asked)
    assert time.monotonic() - begun < 30


def test_loss_of_registration_is_told_with_the_last_signal(bench: Bench) -> None:
    one = bench.plug("1-1", "862365030000011")
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    one.answers['AT+QENG="servingcell"'] = framed('+QENG: "servingcell","SEARCH"\n\nOK')
    one.answers["AT+CEREG?"] = framed("+CEREG: 2,2\n\nOK")
    one.say(framed("+CEREG: 2"))
    wait_for(lambda: manager.view("modem1")["state"] == "searching")
    (event,) = [event for event in bench.events if event.kind == "disconnect"]
    assert event.data["rsrp_dbm"] == -97 and event.data["pci"] == 12
    assert bench.readings[-1].rsrp_dbm is None


def test_modem_that_was_silent_while_it_was_identified_is_asked_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modem, "IDENTITY_RETRY_S", 0.3)
    one = bench.plug("1-1", "862365030000011")
    known, one.answers["AT+CGSN"] = one.answers["AT+CGSN"], None
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    assert manager.view("modem1")["imei"] is None
    one.answers["AT+CGSN"] = known
    wait_for(lambda: manager.view("modem1")["imei"])
    assert bench.kinds().count("disconnect") == 0


def test_setting_that_is_never_answered_is_no_reason_to_ask_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modem, "IDENTITY_RETRY_S", 0.1)
    one = bench.plug("1-1", "862365030000011")
    one.answers["AT+CREG=2"] = None
    manager = bench.start()
    wait_for(lambda: is_online(manager) and len(bench.readings) > 20)
    assert one.commands.count("AT+CGSN") == 1


def test_modem_that_never_tells_who_it_is_is_not_asked_for_ever(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modem, "IDENTITY_RETRY_S", 0.1)
    one = bench.plug("1-1", "862365030000011")
    one.answers["AT+CGSN"] = None
    bench.start()
    wait_for(lambda: one.commands.count("AT+CGSN") == 1 + modem.IDENTITY_TRIES)
    read = len(bench.readings)
    wait_for(lambda: len(bench.readings) > read + 10)
    assert one.commands.count("AT+CGSN") == 1 + modem.IDENTITY_TRIES


def test_modem_that_cannot_be_started_does_not_keep_the_others_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, failed = modem.Modem.start, []

    def start_unless_first(self: modem.Modem) -> None:
        if self.found.usb_path == "1-1" and len(failed) < 2:
            failed.append(self)
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(modem.Modem, "start", start_unless_first)
    bench.plug("1-1", "862365030000011")
    bench.plug("1-2", "862365030000022", tty=4)
    manager = bench.start()
    wait_for(lambda: sum(view["state"] == "online" for view in manager.views()) == 2)


def test_error_while_an_error_is_told_does_not_end_the_modems_thread(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench.plug("1-1", "862365030000011")
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    failed: list[int] = []

    def fail_once(self: modem.Modem) -> float:
        if not failed:
            failed.append(1)
            raise RuntimeError("nobody thought of this")
        return port_lost(self)

    port_lost = modem.Modem._port_lost
    monkeypatch.setattr(modem.Modem, "_port_lost", fail_once)
    bench.modems.pop("1-1")
    one.unplug()
    wait_for(lambda: failed)
    bench.unplug_tree("1-1")
    wait_for(lambda: "vanished" in bench.kinds())
    bench.plug("1-1", "862365030000011")
    wait_for(lambda: is_online(manager))


def test_stop_does_not_wait_for_a_modem_that_does_not_answer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "HANDSHAKE_TIMEOUT_S", 30.0)
    one = bench.plug("1-1", "862365030000011")
    one.answers, one.default = {}, None
    manager = bench.start()
    wait_for(lambda: one.commands)
    begun = time.monotonic()
    manager.stop()
    assert time.monotonic() - begun < 20
    other = Channel(one.path, clock=SystemClock(), on_urc=lambda line: None)
    other.open()
    other.dispose()
