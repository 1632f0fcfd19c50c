"""Short messages on a modem that is full, slow, silent, or taken away in the middle."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from control_bench import USB_PATH, ControlBench
from marshmallow import ValidationError
from remsim.core.errors import CommandRefused, Conflict
from remsim.modems import channel
from remsim.modems.control import sms
from remsim.modems.control.message_store import read_inbox
from remsim.modems.control.sms import SmsDelete, SmsRead, SmsSend
from remsim.modems.sms.pdu import decode_pdu, joined
from scripted_modem import OK, framed

HELLO = "07912143658709F1040B918100551512F20000111010214365000AE8329BFD4697D9EC37"
REPORT = "0006D60B911326880736F4111011719551401110117195714000"
NUMBER = "+491701234567"
WORDS = "meet me at the old bridge"


class Phone:
    """The scripted modem's stores and what it sends."""

    def __init__(self, bench: ControlBench) -> None:
        self.bench = bench
        self.stores: dict[str, dict[int, tuple[int, str]]] = {"SM": {}, "ME": {}}
        self.chosen, self.total, self.sent = "SM", 3, list[str]()
        self.answer = lambda: framed(f"+CMGS: {len(self.sent)}\n\nOK")
        answers = bench.modem.answers
        answers |= {"AT+CMGF=0": OK, "AT+CNMI=2,1": OK, "AT+CMGL=4": self._list}
        answers["AT+CPMS=?"] = framed('+CPMS: ("SM","ME"),("SM"),("SM")\n\nOK')
        answers["AT+CPMS?"] = self._told
        for name in self.stores:
            answers[f'AT+CPMS="{name}"'] = self._choose
        for index in range(10):
            answers[f"AT+CMGD={index}"] = self._delete
        for octets in range(200):
            answers[f"AT+CMGS={octets}"] = b"\r\n> "
        bench.modem.default = self._payload
        bench.modem.answers["\x1b"] = OK

    def _told(self, command: str) -> bytes:
        one = f'"{self.chosen}",{self._use()}'
        return framed(f"+CPMS: {one},{one},{one}\n\nOK")

    def _use(self) -> str:
        return f"{len(self.stores[self.chosen])},{self.total}"

    def _choose(self, command: str) -> bytes:
        self.chosen = command[-3:-1]
        return framed(f"+CPMS: {','.join([self._use()] * 3)}\n\nOK")

    def _list(self, command: str) -> bytes:
        store = self.stores[self.chosen]
        rows = [f"+CMGL: {index},{state},,26\n{pdu}\n" for index, (state, pdu) in store.items()]
        for index, (state, pdu) in store.items():
            store[index] = (1 if state == 0 else state, pdu)
        return framed("".join(rows) + "\nOK")

    def _delete(self, command: str) -> bytes:
        self.stores[self.chosen].pop(int(command.rpartition("=")[2]), None)
        return OK

    def _payload(self, command: str) -> bytes:
        if not command.endswith("\x1a"):
            return framed("ERROR")
        self.sent.append(command.removesuffix("\x1a"))
        return self.answer()

    def texts(self) -> list[str]:
        return [joined([decode_pdu(pdu).text or ""]) for pdu in self.sent]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlBench]:
    monkeypatch.setattr(sms, "SEND_S", 0.8)
    monkeypatch.setattr(channel, "PROMPT_S", 0.4)
    bench = ControlBench(tmp_path, monkeypatch, actions=(SmsSend(), SmsDelete(), SmsRead()))
    yield bench
    bench.close()


@pytest.fixture
def phone(bench: ControlBench) -> Phone:
    phone = Phone(bench)
    bench.start()
    return phone


def inbox(bench: ControlBench) -> dict[str, Any]:
    return bench.desk.look("modem1", read_inbox)


# --- reading ---


def test_messages_of_all_stores_are_listed_and_the_users_store_stays_chosen(bench: ControlBench, phone: Phone) -> None:
    phone.stores["SM"][2] = (0, HELLO)
    phone.stores["ME"][1] = (1, REPORT)
    found = inbox(bench)
    assert [(one["kind"], one["text"], one["number"]) for one in found["messages"]] == [
        ("report", None, "+31628870634"),
        ("received", "hellohello", "+18005551212"),
    ]
    assert found["messages"][1]["slots"] == [{"store": "SM", "index": 2}]
    assert found["messages"][1]["at"] == "2011-01-01T12:34:56.000Z"
    assert found["stores"] == [{"name": "SM", "used": 1, "total": 3}, {"name": "ME", "used": 1, "total": 3}]
    assert (found["problem"], phone.chosen) == (None, "SM")


def test_message_is_unread_until_somebody_reads_it_here(bench: ControlBench, phone: Phone) -> None:
    phone.stores["SM"] = {1: (0, HELLO), 2: (1, REPORT)}
    assert [inbox(bench)["unread"] for _ in range(3)] == [1, 1, 1]
    assert phone.stores["SM"][1][0] == 1  # the modem has marked it at the first listing
    wanted = next(one["id"] for one in inbox(bench)["messages"] if one["is_unread"])
    bench.desk.run("modem1", "sms-read", {"ids": wanted}, actor="test")
    assert inbox(bench)["unread"] == 0
    phone.stores["SM"][3] = (0, HELLO.replace("0AE8", "0AE9"))
    assert inbox(bench)["unread"] == 1
    bench.desk.run("modem1", "sms-read", {}, actor="test")
    assert inbox(bench)["unread"] == 0


def test_one_store_with_two_names_is_listed_once(bench: ControlBench, phone: Phone) -> None:
    phone.stores["ME"] = phone.stores["SM"]
    phone.stores["SM"][1] = (1, HELLO)
    found = inbox(bench)
    assert (len(found["messages"]), found["storage"]) == (1, {"used": 1, "total": 3})


def test_full_store_is_said(bench: ControlBench, phone: Phone) -> None:
    phone.stores["SM"] = dict.fromkeys((1, 2, 3), (1, HELLO))
    assert "full (3 of 3)" in inbox(bench)["problem"]


def test_store_that_the_sim_refuses_is_told_in_words(bench: ControlBench, phone: Phone) -> None:
    bench.set("AT+CPMS?", "+CMS ERROR: 310")
    with pytest.raises(CommandRefused, match="no SIM is inserted"):
        inbox(bench)


def test_reading_waits_for_nothing_while_something_else_is_done(bench: ControlBench, phone: Phone) -> None:
    modem = bench.target.modem
    modem.begin_operation("Search for networks")
    try:
        with pytest.raises(Conflict, match="Search"):
            inbox(bench)
    finally:
        modem.end_operation()
    assert inbox(bench)["messages"] == []


def test_message_that_comes_in_is_an_event_without_words_or_number(bench: ControlBench, phone: Phone) -> None:
    bench.modem.say(framed('+CMTI: "SM",3'))
    bench.wait(lambda: any(event.kind == "sms" for event in bench.events))
    (event,) = [event for event in bench.events if event.kind == "sms"]
    assert (event.source, event.data) == ("modem1", {"is_report": False})


# --- sending ---


def test_without_a_card_nothing_is_sent_but_what_the_modem_keeps_can_be_read(
    bench: ControlBench, phone: Phone
) -> None:
    bench.set("AT+CPIN?", "+CME ERROR: 10")
    bench.target.hasten("CPIN")
    bench.wait(lambda: bench.target.values.get("sim_state") == "NOT_INSERTED")
    missing = {one["name"]: one["missing"] for one in bench.desk.actions("modem1")}
    assert missing == {"sms-send": "There is no SIM.", "sms-read": None, "sms-delete": None}
    phone.stores["ME"][1] = (1, HELLO)
    assert len(inbox(bench)["messages"]) == 1


def test_message_is_sent_and_its_reference_told(bench: ControlBench, phone: Phone) -> None:
    job = bench.run("sms-send", number="+49 170 123 45 67", text="hi 😀\r\nthere")
    assert (job.state, job.result) == ("done", {"parts": 1, "alphabet": "UCS-2", "references": [1]})
    assert phone.texts() == ["hi 😀\nthere"]
    assert decode_pdu(phone.sent[0]).number == NUMBER


def test_long_text_goes_out_in_parts_with_one_reference(bench: ControlBench, phone: Phone) -> None:
    text = "".join(chr(97 + number % 26) for number in range(1000))
    job = bench.run("sms-send", number="22555", text=text, report=True)
    assert job.result["references"] == [1, 2, 3, 4, 5, 6, 7]
    parts = [decode_pdu(pdu).part for pdu in phone.sent]
    assert [part.number for part in parts if part] == [1, 2, 3, 4, 5, 6, 7]
    assert len({part.reference for part in parts if part}) == 1
    assert "".join(phone.texts()) == text


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"number": NUMBER, "text": ""}, "text"),
        ({"number": NUMBER, "text": "a" * 1531}, "text"),
        ({"number": NUMBER, "text": "😀" * 400}, "text"),
        ({"number": NUMBER, "text": "a\x1ab"}, "text"),
        ({"number": NUMBER, "text": "\x1b"}, "text"),
        ({"number": NUMBER, "text": "\ud83d"}, "text"),
        ({"number": NUMBER, "text": 5}, "text"),
        ({"number": NUMBER}, "text"),
        ({"number": "Telekom", "text": "a"}, "number"),
        ({"number": '+49"170', "text": "a"}, "number"),
        ({"number": "+49170\r", "text": "a"}, "number"),
        ({"number": "1", "text": "a"}, "number"),
        ({"number": NUMBER, "text": "a", "report": "perhaps"}, "report"),
        ({"number": NUMBER, "text": "a", "pdu": "00"}, "pdu"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_its_field(
    bench: ControlBench, phone: Phone, content: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as error:
        bench.run("sms-send", **content)
    assert list(error.value.normalized_messages()) == [field]
    assert phone.sent == []


def test_network_that_refuses_is_told_in_words(bench: ControlBench, phone: Phone) -> None:
    phone.answer = lambda: framed("+CMS ERROR: 331")
    job = bench.run("sms-send", number=NUMBER, text="a")
    assert (job.state, job.code) == ("failed", "refused")
    assert "no network service" in str(job.error)


def test_failure_in_the_middle_says_what_the_receiver_has_got(bench: ControlBench, phone: Phone) -> None:
    phone.answer = lambda: framed("+CMGS: 1\n\nOK") if len(phone.sent) < 2 else framed("+CMS ERROR: 41")
    job = bench.run("sms-send", number=NUMBER, text="a" * 400)
    assert job.state == "failed"
    assert str(job.error).endswith("; the first part was sent")


def test_prompt_that_never_comes_means_not_sent(bench: ControlBench, phone: Phone) -> None:
    for octets in range(200):
        bench.modem.answers[f"AT+CMGS={octets}"] = None
    job = bench.run("sms-send", number=NUMBER, text="a")
    assert job.state == "failed"
    assert "was not sent" in str(job.error)
    assert phone.sent == []
    assert inbox(bench)["messages"] == []


def test_silence_behind_the_text_means_that_nobody_knows(bench: ControlBench, phone: Phone) -> None:
    phone.answer = lambda: b""
    job = bench.run("sms-send", number=NUMBER, text="a")
    assert (job.state, job.code) == ("failed", "outcome_unknown")
    assert "nobody knows" in str(job.error)


def test_ok_without_a_reference_is_no_success(bench: ControlBench, phone: Phone) -> None:
    phone.answer = lambda: OK
    job = bench.run("sms-send", number=NUMBER, text="a")
    assert (job.state, job.code) == ("failed", "not_taken")


def test_abort_between_two_parts_sends_no_more(bench: ControlBench, phone: Phone) -> None:
    def slowly() -> bytes:
        if len(phone.sent) == 2:
            bench.wait(lambda: bench.jobs.recent()[-1].can_abort)
            bench.jobs.recent()[-1].abort()
        return framed("+CMGS: 1\n\nOK")

    phone.answer = slowly
    job = bench.run("sms-send", number=NUMBER, text="a" * 1000)
    assert (job.state, len(phone.sent)) == ("aborted", 2)
    assert "the first 2 parts were sent" in str(job.error)


def test_unplugging_while_sending_ends_the_job(bench: ControlBench, phone: Phone) -> None:
    bench.modem.answers["AT+CMGS=14"] = None
    job = bench.desk.start("modem1", "sms-send", {"number": NUMBER, "text": "a"}, actor="test")
    bench.wait(lambda: any(command.startswith("AT+CMGS=") for command in bench.modem.commands))
    bench.modem.unplug()
    bench.tree.unplug(USB_PATH)
    bench.wait(lambda: job.is_over)
    assert job.state == "failed"


def test_words_and_numbers_stand_in_no_event_job_or_log(
    bench: ControlBench, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    phone.stores["SM"][1] = (0, HELLO)
    job = bench.run("sms-send", number=NUMBER, text=WORDS)
    inbox(bench)
    assert job.state == "done"
    told = str([event.as_dict() for event in bench.events]) + str(job.as_dict()) + caplog.text
    for private in (WORDS, NUMBER, phone.sent[0], HELLO, HELLO[40:], "hellohello"):
        assert private not in told
    assert "•4567" in told


# --- deleting ---


def test_messages_are_deleted_wherever_they_stand_by_now(bench: ControlBench, phone: Phone) -> None:
    phone.stores["SM"] = {1: (1, HELLO), 2: (1, REPORT)}
    phone.stores["ME"] = {1: (1, REPORT.replace("D6", "D7"))}
    wanted = next(one["id"] for one in inbox(bench)["messages"] if one["kind"] == "received")
    phone.stores["SM"] = {1: (1, REPORT), 5: (1, HELLO)}
    job = bench.run("sms-delete", ids=wanted)
    assert (job.state, job.result["deleted"]) == ("done", 1)
    assert phone.stores["SM"] == {1: (1, REPORT)}
    assert len(phone.stores["ME"]) == 1


def test_all_that_were_read_are_deleted_and_the_new_ones_kept(bench: ControlBench, phone: Phone) -> None:
    phone.stores["SM"] = {1: (0, HELLO), 2: (1, REPORT)}
    phone.stores["ME"] = {7: (1, REPORT.replace("D6", "D7"))}
    assert inbox(bench)["unread"] == 1
    job = bench.run("sms-delete", all=True)
    assert job.result["deleted"] == 2
    assert list(phone.stores["SM"]) == [1]


def test_message_that_came_during_the_deletion_is_kept(bench: ControlBench, phone: Phone) -> None:
    phone.stores["SM"] = {1: (1, REPORT)}

    def deleted(command: str) -> bytes:
        phone.stores["SM"] = {1: (0, HELLO)}  # the place is taken again at once
        return OK

    bench.modem.answers["AT+CMGD=1"] = deleted
    job = bench.run("sms-delete", all=True)
    assert (job.state, job.result["deleted"]) == ("done", 1)
    assert phone.stores["SM"][1][1] == HELLO


def test_modem_that_deletes_nothing_is_found_out(bench: ControlBench, phone: Phone) -> None:
    phone.stores["SM"] = {1: (1, REPORT)}
    bench.modem.answers["AT+CMGD=1"] = OK
    job = bench.run("sms-delete", all=True)
    assert (job.state, job.code) == ("failed", "not_taken")


@pytest.mark.parametrize("content", [{"ids": "000000000000"}, {}, {"ids": "000000000000", "all": True}])
def test_deletion_of_nothing_or_of_what_is_not_there_is_refused(
    bench: ControlBench, phone: Phone, content: dict[str, Any]
) -> None:
    phone.stores["SM"] = {1: (1, REPORT)}
    job = bench.run("sms-delete", **content)
    assert (job.state, job.at_field) == ("failed", "ids")
    assert len(phone.stores["SM"]) == 1
