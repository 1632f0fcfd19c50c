"""Whatever passes as an e-mail address becomes a header with exactly that address, and no other header."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from remsim.alerts.senders.smtp import message_of
from remsim.config.channels import MAIL, ChannelSettings, check_mail

NAMES = st.one_of(
    st.text(max_size=30),
    st.text('"\\()[]:.,;=?_ aéB\xa0', max_size=20),
    st.sampled_from(['=?utf-8?q?=0D=0ABcc:_x?= ', '"', '"a', "(", "undisclosed: ", "a\\"]),
)
LOCALS = st.one_of(st.text("ab.é\"'=?_-", min_size=1, max_size=12), st.text(min_size=1, max_size=12))


def parts_of(text: str) -> tuple[list[str], list[str]]:
    """The names of the headers of a message to an address, and whom it goes to."""
    channel = ChannelSettings("mail", type="smtp", host="h", sender=text, recipients=(text, "other@example.org"))
    message = message_of(channel, "subject", "text", 1e9)
    head = message.as_bytes().partition(b"\n\n")[0].decode("ascii", "replace")
    return re.findall(r"^([^\s:]+):", head, re.M), [one.addr_spec for one in message["To"].addresses]


@given(NAMES, LOCALS, st.booleans())
def test_what_passes_is_one_address(name: str, local: str, is_bare: bool) -> None:
    text = f"{local}@example.org" if is_bare else f"{name}<{local}@example.org>"
    try:
        check_mail(text)
    except ValidationError:
        return
    headers, addresses = parts_of(text)
    assert addresses == [f"{local}@example.org", "other@example.org"]
    assert len(headers) == len(set(headers)) and not {"Bcc", "Cc"} & set(headers)


@pytest.mark.parametrize(
    "text",
    [
        "me@example.org", "<me@example.org>", "Me <me@example.org>", '"Me (at home)" <me@example.org>',
        "J. Doe <j.d@a.b>", "Müller <m+alerts@a-b.example>", "router-1_x@a.example", "o'neil@a.example",
    ],
)  # fmt: skip
def test_usual_addresses_pass(text: str) -> None:
    check_mail(text)
    match = MAIL.fullmatch(text)
    assert match is not None and parts_of(text)[1][0] == match[1]


@pytest.mark.parametrize(
    "text",
    [
        "=?utf-8?q?=0D=0ABcc:_x?= <a@b.c>", "(<a@b.c>", '"a <a@b.c>', "a: <a@b.c>", "..a@b.c", "a.@b.c", "a..b@b.c",
        "a\\ <a@b.c>", "a@b.c, d@e.f", "a@b.c\nBcc: d@e.f", "a\x0b@b.c", "a@b.c>", "<a@b.c", "a @b.c", "a@b@c",
    ],
)  # fmt: skip
def test_what_a_mail_program_could_take_for_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        check_mail(text)
