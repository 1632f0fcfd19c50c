"""What of commands and answers may stand in a log."""

from __future__ import annotations

import pytest
from remsim.modems.masking import shown_command, shown_reply


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ('AT+CPIN="1234"', "AT+CPIN=…"),
        ("AT+CPIN?", "AT+CPIN?"),
        ('ate0+cpin = "1234"', "ate0+cpin =…"),
        ('AT+CSQ;+CPWD="SC","1","2"', "AT+CSQ;+CPWD=…"),
        ('AT+CGAUTH=1,1,"user","word"', "AT+CGAUTH=…"),
        ('AT+QENG="servingcell"', 'AT+QENG="servingcell"'),
        ("AT+CFUN=1,1", "AT+CFUN=1,1"),
        ('AT+CGDCONT=1,"IP","internet"', 'AT+CGDCONT=1,"IP","internet"'),
        ('AT+QNWPREFCFG="mode_pref",LTE', 'AT+QNWPREFCFG="mode_pref",LTE'),
        ("AT!PCINFO?", "AT!PCINFO?"),
    ],
)
def test_parameters_that_are_secrets_are_left_out(command: str, shown: str) -> None:
    assert shown_command(command) == shown


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("AT+CGAUTH?", '+CGAUTH: 1,1,"user","word"\nOK'),
        ("AT+QICSGP=1", '+QICSGP: 1,"internet","user","word",1\nOK'),
        ("AT$QCPDPP?", "$QCPDPP: 1,1,word\nOK"),
        ("AT+CMGL=4", "+CMGL: 1,1,,22\n0791\nOK"),
    ],
)
def test_answers_with_passwords_and_messages_are_left_out(command: str, reply: str) -> None:
    assert shown_reply(command, reply) == "…"


def test_other_answers_stay_readable() -> None:
    assert shown_reply("AT+CPIN?", "+CPIN: SIM PIN\nOK") == "+CPIN: SIM PIN\nOK"
    assert shown_reply("AT+CGSN", "868371050000012\nOK") == "•••••••••••0012\nOK"
