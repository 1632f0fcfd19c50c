"""Codes of the network: answers that come late, in other alphabets, as menus, or never."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from control_bench import USB_PATH, ControlBench
from marshmallow import ValidationError
from remsim.core.errors import Conflict
from remsim.modems.control import ussd
from remsim.modems.control.ussd import Ussd, UssdEnd, written
from scripted_modem import OK, framed

MENU = '+CUSD: 1,"1 Data left\n2 Valid until\n0 Back",15'


class Net:
    """The network behind the scripted modem: OK at once, its word a little later."""

    def __init__(self, bench: ControlBench) -> None:
        self.bench, self.words, self.sent = bench, dict[str, str](), list[str]()
        self.delay_s = 0.05
        bench.modem.answers |= {"AT+CUSD=2": self._ended, "AT+CSCS?": framed('+CSCS: "GSM"\n\nOK')}
        bench.modem.default = self._asked

    def _asked(self, command: str) -> bytes:
        if not command.startswith("AT+CUSD=1,"):
            return framed("ERROR")
        text = command.split('"')[1]
        self.sent.append(text)
        if (word := self.words.get(text)) is not None:
            threading.Timer(self.delay_s, self.bench.modem.say, [framed(word)]).start()
        return OK

    def _ended(self, command: str) -> bytes:
        self.sent.append("end")
        return OK


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlBench]:
    monkeypatch.setattr(ussd, "ANSWER_S", 1.0)
    bench = ControlBench(tmp_path, monkeypatch, actions=(Ussd(), UssdEnd()))
    yield bench
    bench.close()


@pytest.fixture
def net(bench: ControlBench) -> Net:
    net = Net(bench)
    bench.start()
    return net


def ask(bench: ControlBench, code: str) -> Any:
    return bench.run("ussd", code=code)


def test_answer_that_comes_later_is_the_result(bench: ControlBench, net: Net) -> None:
    net.words["*100#"] = '+CUSD: 0,"Your balance is 12.34 EUR.",15'
    job = ask(bench, "*100#")
    assert (job.state, job.error) == ("done", None)
    assert job.result == {"status": "done", "text": "Your balance is 12.34 EUR.", "wants_answer": False}


def test_answer_before_the_ok_is_taken_too(bench: ControlBench, net: Net) -> None:
    bench.modem.answers['AT+CUSD=1,"*100#",15'] = framed('+CUSD: 0,"Early",15') + OK
    assert ask(bench, "*100#").result["text"] == "Early"


def test_answer_of_an_earlier_code_is_not_taken(bench: ControlBench, net: Net) -> None:
    bench.modem.say(framed('+CUSD: 0,"Stale",15'))
    bench.wait(lambda: bench.target.modem.heard)
    net.words["*100#"] = '+CUSD: 0,"Fresh",15'
    assert ask(bench, "*100#").result["text"] == "Fresh"


def test_menu_wants_an_answer_and_gets_it_in_the_same_dialogue(bench: ControlBench, net: Net) -> None:
    net.words |= {"*101#": MENU, "1": '+CUSD: 2,"You have 5120 MB left.",15'}
    job = ask(bench, "*101#")
    assert job.result == {
        "status": "reply_wanted",
        "text": "1 Data left\n2 Valid until\n0 Back",
        "wants_answer": True,
    }
    assert bench.desk.form("modem1", "ussd")["properties"]["code"]["title"] == "Answer"
    assert ask(bench, "1").result["text"] == "You have 5120 MB left."
    assert bench.desk.form("modem1", "ussd")["properties"]["code"]["title"] == "Code"
    assert net.sent == ["*101#", "1"]


def test_menu_takes_words_and_can_be_left(bench: ControlBench, net: Net) -> None:
    net.words |= {"*101#": MENU, "my name": MENU}
    ask(bench, "*101#")
    assert ask(bench, "my name").result["wants_answer"] is True
    assert bench.desk.run("modem1", "ussd-end", {}, actor="test") == {}
    assert net.sent[-1] == "end"
    with pytest.raises(Conflict, match="No menu"):
        bench.desk.run("modem1", "ussd-end", {}, actor="test")


@pytest.mark.parametrize("code", ["", "hello", '*100#"', "*100#\r", "*1 00#", "٣", "*" * 183, "AT+CFUN=0", 5])
def test_what_is_no_code_is_refused(bench: ControlBench, net: Net, code: Any) -> None:
    with pytest.raises(ValidationError):
        ask(bench, code)
    assert net.sent == []


def test_answer_that_would_end_the_quotes_is_not_sent(bench: ControlBench, net: Net) -> None:
    net.words["*101#"] = MENU
    ask(bench, "*101#")
    for answer in ('1",15;+CFUN=0', "für"):
        job = ask(bench, answer)
        assert (job.state, job.at_field) == ("failed", "code")
    assert net.sent == ["*101#"]


def test_modem_with_ucs2_gets_and_gives_it(bench: ControlBench, net: Net) -> None:
    bench.set("AT+CSCS?", '+CSCS: "UCS2"')
    code = "*101#".encode("utf-16-be").hex().upper()
    net.words[code] = f'+CUSD: 1,"{"Auswahl: ü €".encode("utf-16-be").hex().upper()}",72'
    job = ask(bench, "*101#")
    assert job.result["text"] == "Auswahl: ü €"
    answer = 'ü"'.encode("utf-16-be").hex().upper()
    net.words[answer] = "+CUSD: 2"
    job = ask(bench, 'ü"')
    assert (net.sent, job.state, job.code) == ([code, answer], "failed", "ussd_failed")


def test_modem_without_a_character_set_gets_plain_letters() -> None:
    assert written("*100#", "GSM") == written("*100#", "IRA") == "*100#"
    assert written("*1#", "HEX") == "2A3123"


@pytest.mark.parametrize(("word", "told"), [("+CUSD: 4", "does not support"), ("+CUSD: 5", "in time"),
                                            ("+CUSD: 2", "ended the dialogue")])  # fmt: skip
def test_network_that_says_no_is_told_in_words(bench: ControlBench, net: Net, word: str, told: str) -> None:
    net.words["*100#"] = word
    job = ask(bench, "*100#")
    assert (job.state, job.code) == ("failed", "ussd_failed")
    assert told in str(job.error)
    assert "2G" in str(job.hint)


def test_silence_of_the_network_ends_the_dialogue(bench: ControlBench, net: Net) -> None:
    job = ask(bench, "*100#")
    assert (job.state, job.code) == ("failed", "ussd_failed")
    assert net.sent == ["*100#", "end"]


def test_abort_ends_the_dialogue(bench: ControlBench, net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ussd, "ANSWER_S", 30.0)
    job = bench.desk.start("modem1", "ussd", {"code": "*100#"}, actor="test")
    bench.wait(lambda: job.can_abort)
    job.abort()
    bench.wait(lambda: job.is_over)
    assert job.state == "aborted"
    assert net.sent == ["*100#", "end"]


def test_refused_code_says_why_and_what_to_do(bench: ControlBench, net: Net) -> None:
    bench.set('AT+CUSD=1,"*100#",15', "+CME ERROR: 4")
    job = ask(bench, "*100#")
    assert (job.state, job.code) == ("failed", "refused")
    assert "not supported" in str(job.error)
    assert "*100#" not in str(job.error)


def test_unplugging_ends_the_wait_for_the_answer(
    bench: ControlBench, net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ussd, "ANSWER_S", 3.0)
    job = bench.desk.start("modem1", "ussd", {"code": "*100#"}, actor="test")
    bench.wait(lambda: job.can_abort)
    bench.modem.unplug()
    bench.tree.unplug(USB_PATH)
    bench.wait(lambda: job.is_over)
    assert job.state == "failed"


def test_codes_and_answers_stand_in_no_event(bench: ControlBench, net: Net) -> None:
    net.words["*104*12345678#"] = '+CUSD: 0,"Voucher 5 EUR taken.",15'
    assert ask(bench, "*104*12345678#").state == "done"
    told = str([event.as_dict() for event in bench.events])
    assert "12345678" not in told
    assert "Voucher" not in told
