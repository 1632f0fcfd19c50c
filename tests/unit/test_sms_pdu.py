"""PDUs of 23.040 against published vectors, each other and hostile bytes.

The vectors named MM are those of ModemManager's src/tests/test-sms-part-3gpp.c (GPL-2.0-or-later); numbers in them are
its own examples.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.errors import AtFormatError, InvalidInput
from remsim.modems.reply import AtReply
from remsim.modems.sms.alphabet import CODES, alphabet_of, codes_of, is_flash, pack, text_of, unpack
from remsim.modems.sms.inbox import GAP, Slot, messages_of, parse_listing, parse_stores
from remsim.modems.sms.pdu import Message, Part, decode_pdu, joined, outcome
from remsim.modems.sms.submit import MOST_PARTS, encode_submit, normalised_number, plan_of

LONG = (
    "07912160130320F5440B916171056429F5000021405291650569A00500034C0201A9E8F41C949E83C2207B599E07B1DFEE33885E9ED341E4F2"
    "3C7D7697C920FA1B54C697E5E3F4BC0C6AD7D9F434081E96D341E3303C2C4EB3D3F4BC0B94A483E6E8779D4D06CDD1EF3BA80E0785E7A0B7BB"
    "0C6A97E7F3F0B9CC02B9DF7450780EA2DFDF2C50780EA2A3CBA0BA9B5C96B3F369F71954768FDFE4B4FB0C9297E1F2F2BCECA6CF41",
    "07912160130320F6440B916171056429F5000021405291651569320500034C0202E9E8301D44479741F0B09C3E0785E56590BCCC0ED3CB6410"
    "FD0D7ABBCBA0B0FB4D4797E52E10",
)
LONG_TEXTS = (
    "This is a very long test designed to exercise multi part capability. It should show up as one message, not as "
    "two, as the underlying encoding represents ",
    "that the parts are related to one another. ",
)
HELLO = "07912143658709F1040B918100551512F20000111010214365000AE8329BFD4697D9EC37"
DELIVERED = [
    # PDU, service centre, number, text, time (MM test_pdu1, 2, 3, nzpid, mms, natl, dcsf1, udhi)
    (
        "07912104442961F4040B916171957291F80000112082110505"
        "0A6AC8B2BC7C9A83C220F6DB7D2ECB41EDF27C1E3E97411BDE06754FD3D1A0F9BB5D0695F1F4B29B5C2683C6E8B03C3CA697E5F34D6AE303D1"
        "D1F2F7DD0D4ABB59A0797D8C0685E7A00028EC26832A960B28EC2683BE6050780EBA97D96C17",
        "+12404492164",
        "+16175927198",
        "Here's a longer message [{with some extended characters}] thrown in, such as £ and ΩΠΨ and §¿ as well.",
        "2011-02-28T11:50:50-05:00",
    ),
    (
        "07919730071111F10414D04937BD2C7797E9D3E614000811309291024061080442043504410442",
        "+79037011111",
        "InternetSMS",
        "тест",
        "2011-03-29T19:20:04+04:00",
    ),
    (HELLO, "+12345678901", "+18005551212", "hellohello", "2011-01-01T12:34:56+00:00"),
    (HELLO.replace("F20000", "F2FF00"), "+12345678901", "+18005551212", "hellohello", "2011-01-01T12:34:56+00:00"),
    (HELLO.replace("F1040B", "F1000B"), "+12345678901", "+18005551212", "hellohello", "2011-01-01T12:34:56+00:00"),
    (HELLO.replace("0B91", "0B81"), "+12345678901", "18005551212", "hellohello", "2011-01-01T12:34:56+00:00"),
    (
        "07913306091093F0040485810000F111604231805180A0"
        "49B7F90D9A1AA5A01668F8769BD3E4B29B9E2EB359A03FC85D06A9C3ED707A0EA2CBC3EE79BB4CA7CBCBA05643617DA7C76990FD4D979741EE"
        "77DD5E0ED741ED371D442E83E0E1F9BC0CD281E677D9B84C06C1DF7539E85C9097E520FB9B2E2F83C6EF369C5E064D8D52D0BC2E07DDEF77"
        "D7DC2C7799E5A0771D040FCB41F402BB0047BFDD6550B80ECAD966",
        "+33609001390",
        "1800",
        "Info SFR - Confidentiel, à ne jamais transmettre -\nVoici votre nouveau mot de passe : sw2ced pour gérer "
        "votre compte SFR sur www.sfr.fr ou par téléphone au 963",
        "2011-06-24T13:08:15+02:00",
    ),
    (
        "07911356131313F64004850120390011609232239180A006080400100201D7327BFD6EB340E2321BF46E83EA7790F59D1E97DBE1341B442F83"
        "C465763D3DA797E56537C81D0ECB41AB59CC1693C16031D96C064241E5656838AF03A96230982A269BCD462917C8FA4E8FCBED709A0D7ABBE9"
        "F6B0FB5C7683D27350984D4FABC9A0B33C4C4FCF5D20EBFB2D079DCB62793DBD06D9C36E50FB2D4E97D9A0B49B5E96BBCB",
        "+31653131316",
        "1002",
        "Welkom, bel om uw Voicemail te beluisteren naar +31612001233 (PrePay: *100*1233#). Voicemail ontvangen is "
        "altijd gratis. Voor gebruik van mobiel interne",
        "2011-06-29T23:32:19+02:00",
    ),
]


@pytest.mark.parametrize(("pdu", "centre", "number", "text", "at"), DELIVERED)
def test_received_message_is_read(pdu: str, centre: str, number: str, text: str, at: str) -> None:
    message = decode_pdu(pdu.replace(" ", ""))
    assert (message.kind, message.service_centre, message.number) == ("received", centre, number)
    assert joined([message.text or ""]) == text
    assert message.sent_at == datetime.fromisoformat(at)
    assert message.sent_at.utcoffset() == datetime.fromisoformat(at).utcoffset()


@pytest.mark.parametrize("scheme", ["F20004", "F200F4"])
def test_data_is_no_text(scheme: str) -> None:
    message = decode_pdu(HELLO.replace("F20000", scheme) + "DE")  # MM test_pdu3_8bit, test_pdu_dcsf_8bit
    assert message.text is None
    assert message.data == bytes.fromhex("E8329BFD4697D9EC37DE")


def test_parts_tell_their_place() -> None:
    messages = [decode_pdu(pdu) for pdu in LONG]
    assert [message.part for message in messages] == [Part(0x4C, 2, 1), Part(0x4C, 2, 2)]
    assert tuple(message.text for message in messages) == LONG_TEXTS


def test_message_written_here_is_read() -> None:
    pdu = "002100098136397339F7000822" + "4F60597D" * 8 + "4F60"  # MM test_pdu_stored_by_us
    message = decode_pdu(pdu)
    assert (message.kind, message.number, message.text) == ("sent", "639337937", "你好" * 8 + "你")


def test_report_tells_what_became_of_a_message() -> None:
    message = decode_pdu("07914356060013F1065A098136397339F7219011700463802190117004638030")  # MM test_pdu_not_stored
    assert (message.kind, message.reference, message.number) == ("report", 0x5A, "639337937")
    assert (message.outcome, message.text) == ("waiting", None)
    assert message.reported_at == datetime(2012, 9, 11, 5, 40, 36, tzinfo=UTC)
    assert decode_pdu("0006D60B911326880736F4111011719551401110117195714000").outcome == "delivered"
    assert [outcome(status) for status in (0, 1, 2, 0x1F, 0x20, 0x40, 0x46, 0x60, 0xFF)] == [
        *("delivered", "forwarded", "replaced", "forwarded", "waiting", "failed", "failed", "failed", "failed")
    ]


@pytest.mark.parametrize(
    "pdu",
    [
        "",
        "0",
        "zz",
        "00",
        "07912143658709F1",
        "000ABF00",  # MM test_pdu_no_address
        "001C011C",
        "004100010100014B00002E",
        "00F101010C0000000000",
        HELLO.replace("0AE8", "0BE8"),  # MM test_pdu_insufficient_data
        "٠٠" * 20,
        "00" * 401,
    ],
)
def test_what_is_no_message_is_a_format_error_without_its_words(pdu: str) -> None:
    with pytest.raises(AtFormatError) as error:
        decode_pdu(pdu)
    assert len(pdu) < 8 or pdu not in error.value.message


def test_time_that_is_none_costs_only_the_time() -> None:
    message = decode_pdu("07914151551512F2040B916105551511F100080000000000000004D83DDE00")
    assert (message.sent_at, joined([message.text or ""])) == (None, "😀")


def test_minus_and_half_hours_of_a_time_zone() -> None:
    def at(zone: str) -> timedelta | None:
        message = decode_pdu(f"0004048111000000111010000000{zone}00")
        return message.sent_at.utcoffset() if message.sent_at else None

    assert at("22") == timedelta(hours=5, minutes=30)
    assert at("4A") == timedelta(hours=-6)
    assert at("00") == timedelta(0)


def test_letter_cut_in_two_between_parts_is_put_together_again() -> None:
    assert joined(["a\ud83d", "\ude00b"]) == "a😀b"
    assert joined(["half \ud83d"]) == "half \ufffd"


def test_control_characters_are_no_text() -> None:
    assert joined(["a\x00b\x1bc\r\nd\re\x85f\x7f"]) == "abc\nd\nef"


# --- alphabets ---


def test_alphabet_by_the_coding_scheme() -> None:
    of = {
        "gsm7": (0x00, 0x0C, 0x10, 0x84, 0xC0, 0xD8, 0xF0),
        "ucs2": (0x08, 0x18, 0x48, 0xE0),
        "data": (0x04, 0xF4, 0xF5),
        "packed": (0x20, 0x60),
    }
    for alphabet, schemes in of.items():
        assert {alphabet_of(scheme) for scheme in schemes} == {alphabet}
    assert [scheme for scheme in (0x00, 0x10, 0x11, 0x18, 0x50, 0xC0, 0xF0, 0xF1, 0xF4) if is_flash(scheme)] == [
        *(0x10, 0x18, 0x50, 0xF0, 0xF4)
    ]


@given(st.binary(max_size=160), st.integers(0, 6))
def test_packed_codes_come_back(raw: bytes, fill_bits: int) -> None:
    codes = [byte & 0x7F for byte in raw]
    assert unpack(pack(codes, fill_bits), len(codes), fill_bits) == codes


@given(st.text(alphabet=sorted(CODES), max_size=200))
def test_every_letter_of_the_alphabet_comes_back(text: str) -> None:
    codes = codes_of(text)
    assert codes is not None
    assert text_of(code for letter in codes for code in letter) == text


def test_what_the_extension_lacks_is_the_main_letter() -> None:
    assert text_of([27, 0x65, 27, 0x41, 27, 27, 0x42, 27]) == "€A B"


# --- what is sent ---

KING = "Да здравствует король, детка!"
SENT = [
    # MM test_create_pdu_gsm_no_validity, and the texts of the others without their validity
    ("+15556661234", "This is really cool ΔΔΔΔΔ",
     "0001000B915155661632F400001954747A0E4ACF41F27298CDCE83C6EF371B0481402010"),
    ("+15555551234", "Hi there...Tue 17th Jan 2012 05:30.18 pm (GMT+1) ΔΔΔΔΔ",
     "0001000B915155551532F4000036C834888E2ECBCB2E978B5A2F8362373A1AA40CBB4132584C0682D57433982B8603C1DB20D4B1495DC55220"
     "0804028100"),
    ("+15555551234", KING, "0001000B915155551532F400083A" + KING.encode("utf-16-be").hex().upper()),
    ("9037029920", "hellohello", "0001000A810973209902" + "00000AE8329BFD4697D9EC37"),
    ("22555", "A", "0001000581" + "2255F5" + "00000141"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "text", "pdu"), SENT)
def test_short_text_is_one_pdu(number: str, text: str, pdu: str) -> None:
    assert encode_submit(number, plan_of(text)) == [(pdu, len(pdu) // 2 - 1)]


TEXTS = st.one_of(
    st.text(alphabet=sorted(CODES), min_size=1, max_size=700),
    st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=330),
    st.text(alphabet="a€😀ё", min_size=1, max_size=330),
)


@given(TEXTS, st.sampled_from(["+491700000000", "22555", "0170000000"]), st.integers(0, 255), st.booleans())
def test_text_that_is_sent_can_be_read_again(text: str, number: str, reference: int, wants_report: bool) -> None:
    plan = plan_of(text)
    pdus = encode_submit(number, plan, reference=reference, wants_report=wants_report)
    messages = [decode_pdu(pdu) for pdu, _ in pdus]
    assert "".join(message.text or "" for message in messages) == text
    assert {message.number for message in messages} == {number}
    for at, (pdu, octets) in enumerate(pdus, 1):
        assert len(pdu) == 2 * octets + 2
        assert octets <= 164 and int(pdu[2:4], 16) & 0x20 == (0x20 if wants_report else 0)
        assert messages[at - 1].part == (Part(reference, len(pdus), at) if len(pdus) > 1 else None)
        (messages[at - 1].text or "").encode("utf-16-be")  # no letter is cut in two
    assert plan.parts == len(pdus) <= MOST_PARTS


@pytest.mark.parametrize(
    ("text", "alphabet", "parts", "left"),
    [
        ("a" * 160, "GSM 7 bit", 1, 0),
        ("a" * 161, "GSM 7 bit", 2, 145),
        ("€" * 80, "GSM 7 bit", 1, 0),
        ("a" * 152 + "€" + "a" * 8, "GSM 7 bit", 2, 143),  # the € does not fit behind the 152
        ("ё" * 70, "UCS-2", 1, 0),
        ("ё" * 71, "UCS-2", 2, 63),
        ("😀" * 35, "UCS-2", 1, 0),
        ("ё" * 66 + "😀" * 3, "UCS-2", 2, 61),
        ("a" * 1530, "GSM 7 bit", 10, 0),
        ("hello", "GSM 7 bit", 1, 155),
    ],
)
def test_plan_tells_alphabet_parts_and_room(text: str, alphabet: str, parts: int, left: int) -> None:
    assert plan_of(text).as_dict() == {"alphabet": alphabet, "parts": parts, "letters_left": left}


@pytest.mark.parametrize("text", ["", "a" * 1531, "ё" * 671, "😀" * 331, "\ud83d"])
def test_text_that_cannot_be_sent_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as error:
        plan_of(text)
    assert error.value.field == "text"


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("+49 170/123-45 67", "+491701234567"),
        ("(0170) 1234567", "01701234567"),
        ("22555", "22555"),
        ("10", "10"),
        ("+123456789012345", "+123456789012345"),
    ],
)
def test_number_is_taken_as_people_write_it(written: str, dialled: str) -> None:
    assert normalised_number(written) == dialled


@pytest.mark.parametrize(
    "number", ["", "1", "+0123456", "++49170", "49+170", "Telekom", "*100#", "1" * 16, "+1234567890123456", "٠١٢٣"]
)
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(InvalidInput):
        normalised_number(number)


# --- hostile bytes ---


@given(st.one_of(st.binary(max_size=200).map(bytes.hex), st.text(max_size=60)))
def test_any_text_is_a_message_or_a_format_error(pdu: str) -> None:
    try:
        message = decode_pdu(pdu)
    except AtFormatError:
        return
    assert isinstance(message, Message)
    shown(pdu)


@given(st.sampled_from([*LONG, HELLO, *(one[0].replace(" ", "") for one in DELIVERED)]), st.data())
def test_any_change_of_a_real_one_is_a_message_or_a_format_error(pdu: str, data: st.DataObject) -> None:
    raw = bytearray.fromhex(pdu)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    shown(raw[: data.draw(st.integers(0, len(raw)))].hex())


def shown(pdu: str) -> None:
    """In an inbox it can be shown, and written as JSON in UTF-8."""
    (one,) = messages_of([Slot("SM", 1, 0, pdu)])
    str(one).encode()
    assert one["text"] is None or one["text"].encode() is not None


# --- the inbox ---


def slots(*pdus: str, state: int = 1) -> list[Slot]:
    return [Slot("SM", index, state, pdu) for index, pdu in enumerate(pdus, 1)]


def test_parts_are_one_message_in_whatever_order_they_came() -> None:
    (one,) = messages_of(slots(*reversed(LONG)))
    assert one["text"] == "".join(LONG_TEXTS)
    assert (one["parts"], one["missing_parts"], one["note"]) == (2, [], None)
    assert one["slots"] == [{"store": "SM", "index": 1}, {"store": "SM", "index": 2}]


def test_missing_part_leaves_a_mark() -> None:
    (one,) = messages_of(slots(LONG[1]))
    assert one["text"] == GAP + LONG_TEXTS[1]
    assert (one["missing_parts"], one["note"]) == ([1], "1 of 2 parts are missing.")


def test_same_reference_used_again_is_another_message() -> None:
    assert len(messages_of(slots(*LONG, *LONG))) == 2


def test_newest_is_first_and_what_cannot_be_read_can_still_be_deleted() -> None:
    found = messages_of(slots(HELLO, "0011", LONG[0]))
    assert [one["kind"] for one in found] == ["received", "received", "unreadable"]
    assert found[0]["at"] > found[1]["at"]
    assert found[2]["note"] and found[2]["slots"] == [{"store": "SM", "index": 2}]


def test_id_is_of_the_content_and_not_of_place_or_state() -> None:
    ids = {messages_of([Slot(store, index, state, HELLO)])[0]["id"] for store, index, state in
           (("SM", 1, 0), ("SM", 2, 1), ("ME", 9, 1))}  # fmt: skip
    assert len(ids) == 1
    assert messages_of(slots(*LONG))[0]["id"] == messages_of(slots(*reversed(LONG)))[0]["id"]


def test_unread_is_what_the_modem_or_we_call_so() -> None:
    (slot,) = slots(HELLO)
    assert messages_of([slot])[0]["is_unread"] is False
    assert messages_of([slot], unread={slot.key})[0]["is_unread"] is True
    assert messages_of(slots(HELLO, state=0))[0]["is_unread"] is True


def test_drafts_sent_ones_and_reports_are_told_apart() -> None:
    pdu = encode_submit("+491700000000", plan_of("later"))[0][0]
    assert messages_of(slots(pdu, state=2))[0]["kind"] == "draft"
    sent = messages_of(slots(pdu, state=3))[0]
    assert (sent["kind"], sent["is_sent"], sent["text"]) == ("sent", True, "later")
    report = messages_of(slots("0006D60B911326880736F4111011719551401110117195714000"))[0]
    assert (report["kind"], report["note"], report["reference"]) == ("report", "Delivered.", 0xD6)


def test_listing_is_cut_into_slots() -> None:
    lines = ("+CMGL: 1,1,,26", HELLO, '+CMGL: 12 , 0 ,"",26', HELLO.lower(), "+CMGL: 3,0,,9 " + HELLO)
    found = parse_listing("ME", AtReply("AT+CMGL=4", lines, "OK"))
    assert [(slot.store, slot.index, slot.state) for slot in found] == [("ME", 1, 1), ("ME", 12, 0), ("ME", 3, 0)]
    assert {slot.key for slot in found} == {found[0].key}


@pytest.mark.parametrize(
    "lines", [(), ("+CMGL: 1,1,,26",), ('+CMGL: 1,"REC READ","+49",,"x"', "hello"), ("+CMGL: 1,1,,26", "hello")]
)
def test_listing_of_another_form_has_no_slots(lines: tuple[str, ...]) -> None:
    assert parse_listing("SM", AtReply("AT+CMGL=4", lines, "OK")) == []


def test_stores_are_read_in_their_order() -> None:
    reply = AtReply("AT+CPMS?", ('+CPMS: "SM",3,40,"ME" , 0,255,"MT",40,40',), "OK")
    assert [(one.name, one.used, one.total, one.is_full) for one in parse_stores(reply)] == [
        *(("SM", 3, 40, False), ("ME", 0, 255, False), ("MT", 40, 40, True))
    ]
    with pytest.raises(AtFormatError):
        parse_stores(AtReply("AT+CPMS?", (), "OK"))
