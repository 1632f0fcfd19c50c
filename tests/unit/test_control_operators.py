"""Searching for networks and choosing one, on a modem that refuses, forgets, is deaf or goes away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from control_bench import USB_PATH, ControlBench
from marshmallow import ValidationError
from modem_bench import ONLINE
from remsim.core.errors import Conflict
from remsim.modems import channel
from remsim.modems.control import operators
from remsim.modems.control.operators import Operator, Scan, networks
from scripted_modem import OK, framed

FOUND = (
    '+COPS: (2,"Telekom.de","TDG","26201",7),(1,"vodafone.de","Vodafone","26202",7),(3,"o2 - de","o2","26203",7),'
    '(1,"26202","26202","26202",12),,(0,1,2,3,4),(0,1,2)'
)
SEARCHING = '+QENG: "servingcell","SEARCH"'


class Network:
    """What the scripted modem does with AT+COPS."""

    def __init__(self, bench: ControlBench) -> None:
        self.bench, self.mode, self.plmn, self.act, self.form = bench, 0, "26201", 7, 0
        self.served = {"26201", "26202"}
        self.sent: list[str] = []
        answers = bench.modem.answers
        answers["AT+COPS?"] = lambda command: framed(f"+COPS: {self.told()}\n\nOK")
        for form in (0, 2):
            answers[f"AT+COPS=3,{form}"] = self._formed
        answers["AT+COPS=0"] = answers["AT+COPS=2"] = self._chosen
        for plmn in ("26201", "26202", "26203"):
            for act in ("", ",2", ",7", ",12"):
                answers[f'AT+COPS=1,2,"{plmn}"{act}'] = self._chosen
        bench.set("AT+COPS=?", FOUND)

    def told(self) -> str:
        name = {"26201": "Telekom.de", "26202": "vodafone.de"}.get(self.plmn, "?")
        return f'{self.mode},{self.form},"{self.plmn if self.form == 2 else name}",{self.act}'

    def _formed(self, command: str) -> bytes:
        self.form = int(command[-1])
        return OK

    def _chosen(self, command: str) -> bytes:
        self.sent.append(command)
        parts = command.removeprefix("AT+COPS=").replace('"', "").split(",")
        plmn = parts[2] if len(parts) > 2 else "26201"
        if plmn == "26203":
            return framed("+CME ERROR: 32")
        self.mode, self.plmn = int(parts[0]), plmn
        if len(parts) > 3:
            self.act = int(parts[3])
        is_served = plmn in self.served
        self.bench.set('AT+QENG="servingcell"', ONLINE['AT+QENG="servingcell"'] if is_served else SEARCHING)
        return OK


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlBench]:
    monkeypatch.setattr(operators, "BACK_S", 2.0)
    monkeypatch.setattr(Operator, "read_back_s", 0.5)
    bench = ControlBench(tmp_path, monkeypatch, actions=(Scan(), Operator()))
    yield bench
    bench.close()


def choose(bench: ControlBench, **content: Any) -> Any:
    return bench.run("operator", **{"confirm_s": 0, "service_s": 5, **content})


# --- the search ---


def test_search_lists_networks_the_current_one_first_and_the_forbidden_last(bench: ControlBench) -> None:
    Network(bench)
    job = bench.start().run("scan")
    assert (job.state, job.error) == ("done", None)
    assert [(one["plmn"], one["status"], one["technology"]) for one in job.result["networks"]] == [
        ("26201", "current", "LTE"),
        ("26202", "available", "LTE"),
        ("26202", "available", "NR"),
        ("26203", "forbidden", "LTE"),
    ]
    assert job.result["networks"][0]["name"] == "Telekom.de"
    assert job.result["state"] == "online"
    assert "note" not in job.result


def test_polling_waits_while_a_modem_searches(bench: ControlBench) -> None:
    Network(bench)
    bench.start()
    bench.modem.delays["AT+COPS=?"] = 0.6
    job = bench.desk.start("modem1", "scan", {}, actor="test")
    bench.wait(lambda: "AT+COPS=?" in bench.modem.commands)
    bench.wait(lambda: job.is_over)
    at = bench.modem.commands.index("AT+COPS=?")
    assert bench.target.modem.session is not None
    assert bench.target.modem.session.plan.effective_s == 0.1  # no round was late
    bench.wait(lambda: len(bench.modem.commands) > at + 3)


def test_long_search_tells_how_long_it_takes(bench: ControlBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remsim.modems.control.target.TELL_EVERY_S", 0.1)
    Network(bench)
    bench.start()
    bench.modem.delays["AT+COPS=?"] = 0.8
    job = bench.desk.start("modem1", "scan", {}, actor="test")
    bench.wait(lambda: job.step == "searching for networks, 0 s")
    bench.wait(lambda: job.is_over)
    assert job.state == "done"


def test_search_is_aborted_and_the_modem_is_polled_again(bench: ControlBench) -> None:
    Network(bench)
    bench.start()
    bench.modem.answers["AT+COPS=?"], bench.modem.answers[""] = None, OK
    job = bench.desk.start("modem1", "scan", {}, actor="test")
    bench.wait(lambda: job.can_abort and "AT+COPS=?" in bench.modem.commands)
    job.abort()
    bench.wait(lambda: job.is_over)
    assert job.state == "aborted"
    reading = bench.target.reading
    bench.wait(lambda: bench.target.reading is not reading)
    assert bench.target.is_online


def test_search_that_ignores_the_abort_leaves_a_modem_that_comes_back(
    bench: ControlBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "ABORT_S", 0.3)
    Network(bench)
    bench.start()
    bench.modem.answers["AT+COPS=?"], bench.modem.answers[""] = None, b""
    job = bench.desk.start("modem1", "scan", {}, actor="test")
    bench.wait(lambda: job.can_abort and "AT+COPS=?" in bench.modem.commands)
    job.abort()
    bench.wait(lambda: job.is_over)
    assert (job.state, "given up" in str(job.error)) == ("aborted", True)
    bench.modem.say(framed(f"{FOUND}\n\nOK"))
    reading = bench.target.reading
    bench.wait(lambda: bench.target.reading is not reading)


def test_refused_search_says_what_may_be_in_the_way(bench: ControlBench) -> None:
    Network(bench)
    bench.set("AT+COPS=?", "+CME ERROR: 3")
    job = bench.start().run("scan")
    assert (job.state, job.code) == ("failed", "refused")
    assert "disconnect" in str(job.hint)


def test_modem_without_service_after_the_search_is_told(bench: ControlBench) -> None:
    Network(bench)
    bench.start()

    def lost(command: str) -> bytes:
        bench.set('AT+QENG="servingcell"', SEARCHING)
        return framed(f"{FOUND}\n\nOK")

    bench.modem.answers["AT+COPS=?"] = lost
    job = bench.run("scan")
    assert (job.state, job.result["state"]) == ("done", "searching")
    assert "no service again" in job.result["note"]


def test_unplugging_ends_the_search(bench: ControlBench) -> None:
    Network(bench)
    bench.start()
    bench.modem.answers["AT+COPS=?"] = None
    job = bench.desk.start("modem1", "scan", {}, actor="test")
    bench.wait(lambda: "AT+COPS=?" in bench.modem.commands)
    bench.modem.unplug()
    bench.tree.unplug(USB_PATH)
    bench.wait(lambda: job.is_over)
    assert (job.state, job.code) == ("failed", "modem_gone")
    assert bench.target.modem.operation is None


def test_nothing_else_is_done_during_the_search(bench: ControlBench) -> None:
    Network(bench)
    bench.start()
    bench.modem.answers["AT+COPS=?"], bench.modem.answers[""] = None, OK
    job = bench.desk.start("modem1", "scan", {}, actor="test")
    with pytest.raises(Conflict, match="Search for networks"):
        bench.desk.start("modem1", "operator", {"mode": "automatic"}, actor="test")
    bench.wait(lambda: job.can_abort)
    job.abort()
    bench.wait(lambda: job.is_over)


def test_network_with_digits_for_names_is_named_from_the_data_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators, "name_of_plmn", {"26201": "Telekom"}.get)
    row = {"stat": 1, "status": "available", "long": "26201", "short": None, "plmn": "26201", "act": 7, "rat": "LTE"}
    nameless = {**row, "plmn": "26299", "long": "262 99", "act": None, "status": None}
    odd = {**row, "plmn": "Telekom"}
    found = networks([row, nameless, odd])
    assert [(one["plmn"], one["name"], one["status"]) for one in found] == [
        ("26201", "Telekom", "available"),
        ("26299", None, "unknown"),
    ]


# --- the choice ---


def test_network_is_chosen_read_back_and_wanted_again(bench: ControlBench) -> None:
    network = Network(bench)
    job = choose(bench.start(), mode="manual", plmn="26202")
    assert (job.state, job.error) == ("done", None)
    assert (network.mode, network.plmn, network.form) == (1, "26202", 0)
    assert job.result == {"changed": True, "mode": "manual", "plmn": "26202", "technology": "LTE"}
    assert bench.desk.actions("modem1")[1]["desired"] == {"mode": "manual", "plmn": "26202", "technology": "any"}
    again = choose(bench, mode="manual", plmn="26202")
    assert again.result["changed"] is False
    assert network.sent == ['AT+COPS=1,2,"26202"']
    assert choose(bench, mode="automatic").state == "done"
    assert network.mode == 0


def test_technology_has_the_number_that_the_search_told(bench: ControlBench) -> None:
    network = Network(bench)
    bench.start().run("scan")
    choose(bench, mode="manual", plmn="26202", technology="NR")
    assert network.sent == ['AT+COPS=1,2,"26202",12']


def test_form_suggests_what_the_search_found_and_takes_others(bench: ControlBench) -> None:
    Network(bench)
    bench.start()
    assert bench.desk.form("modem1", "operator")["properties"]["plmn"]["x-suggestions"] == []
    bench.run("scan")
    form = bench.desk.form("modem1", "operator")["properties"]
    assert {"const": "26203", "title": "o2 - de (forbidden)"} in form["plmn"]["x-suggestions"]
    assert form["mode"]["default"] == "automatic"


@pytest.mark.parametrize("plmn", ["2620", "2620123", "26201;", "٢٦٢٠١", '26201"', "Telekom", " 26201"])
def test_what_is_no_network_is_refused(bench: ControlBench, plmn: str) -> None:
    Network(bench)
    bench.start()
    with pytest.raises(ValidationError):
        bench.desk.start("modem1", "operator", {"mode": "manual", "plmn": plmn}, actor="test")


def test_manual_choice_needs_a_network(bench: ControlBench) -> None:
    Network(bench)
    bench.start()
    with pytest.raises(ValidationError) as error:
        choose(bench, mode="manual")
    assert list(error.value.normalized_messages()) == ["plmn"]


def test_forbidden_network_is_named_so(bench: ControlBench) -> None:
    network = Network(bench)
    bench.start().run("scan")
    job = choose(bench, mode="manual", plmn="26203")
    assert (job.state, job.code) == ("failed", "refused")
    assert "forbidden" in str(job.hint)
    assert network.mode == 0
    assert bench.desk.actions("modem1")[1]["desired"] is None


def test_network_without_service_is_left_again(bench: ControlBench) -> None:
    network = Network(bench)
    network.served = {"26201"}
    job = choose(bench.start(), mode="manual", plmn="26202")
    assert (job.state, job.code) == ("failed", "rolled_back")
    assert "no service" in str(job.error)
    assert network.sent == ['AT+COPS=1,2,"26202"', "AT+COPS=0"]


def test_abort_in_the_middle_of_registering_goes_back(bench: ControlBench) -> None:
    network = Network(bench)
    bench.start()

    def registers(command: str) -> bytes:
        network._chosen(command)
        return b""

    bench.modem.answers['AT+COPS=1,2,"26202"'], bench.modem.answers[""] = registers, framed("ERROR")
    job = bench.desk.start("modem1", "operator", {"mode": "manual", "plmn": "26202"}, actor="test")
    bench.wait(lambda: job.can_abort and network.mode == 1)
    job.abort()
    bench.wait(lambda: job.is_over)
    assert job.state == "aborted", job.error
    assert "undone" in str(job.error)
    assert (network.mode, network.plmn) == (0, "26201")


def test_modem_that_said_ok_and_does_nothing_is_found_out(bench: ControlBench) -> None:
    Network(bench)
    bench.modem.answers['AT+COPS=1,2,"26202"'] = OK
    job = choose(bench.start(), mode="manual", plmn="26202")
    assert (job.state, job.code) == ("failed", "not_taken")


def test_what_the_firmware_forgets_by_automatic_choice_is_written_again(
    bench: ControlBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(bench)
    bench.set('AT+QCFG="nwscanmode"', '+QCFG: "nwscanmode",3')
    bench.set('AT+QCFG="nwscanmode",3', "OK")
    bench.start()
    network.mode = 1
    monkeypatch.setattr(bench.target.driver, "forgotten_by_automatic", ('AT+QCFG="nwscanmode"',))
    assert choose(bench, mode="automatic").state == "done"
    sent = bench.modem.commands
    assert sent.index("AT+COPS=0") < sent.index('AT+QCFG="nwscanmode",3')
