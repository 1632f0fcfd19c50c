"""What is said to an eUICC and what it answers: every octet of the researched examples, and much that is none."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core import tlv
from remsim.core.errors import InvalidInput, RemsimError
from remsim.core.tlv import TlvError, encode
from remsim.esim import bpp
from remsim.esim.es10 import codes, replies, requests
from remsim.esim.es10.notifications import read_install_result
from remsim.esim.ids import encode_iccid, encode_imei, is_eid, read_iccid, read_plmn
from remsim.esim_lines import VERBS
from remsim.esim_values import DECODERS

SPECIFIED = Path(__file__).resolve().parents[1] / "fixtures" / "esim" / "sgp22.jsonl"
ICCID18 = "980710325476981032FF"
BETA = {"iccid": "89440000000000000000"}
PROFILES = (
    "BF2D76A074E33B5A0A989209012143658709F54F10A0000005591010FFFFFFFF89000010009F7001019109416C706861204E65749209"
    "416C706861204F6E65950102E3355A0A984400000000000000004F10A0000005591010FFFFFFFF89000011009F700100910442657461"
    "9208426574612054776F950102"
)
INFO2 = (
    "BF227B8103020301820302020283030102"
    "03840D81010082040004E200830227108504067F36C086030F00008703020300880202"
    "90A9160414" + "AA" * 20 + "AA160414" + "BB" * 20 + "8B0101990206400403010000" + "0C0B53494D2D30302D30303031"
)
SUCCESS = (
    "BF3781AFBF27698010" + "11" * 16 + "BF2F2E800101810207800C19" + b"testsmdpplus1.example.com".hex()
    + "5A0A989444999999990900F7" + "060388370A" + "A21FA01D4F10A0000005591010FFFFFFFF8900001100"
    + "04093007A0053003800100" + "5F3740" + "22" * 64
)  # fmt: skip


def run(verb: str, line: str) -> Any:
    return json.loads(VERBS[verb](line))


def apdus(function: str, args: dict[str, Any] | None = None, **more: Any) -> list[str]:
    return list(run("encode", json.dumps({"function": function, "args": args or {}, **more}))["apdus"])


def decoded(function: str, response: str) -> Any:
    return run("decode", json.dumps({"function": function, "response": response}))


@pytest.mark.parametrize(
    ("function", "args", "wanted"),
    [
        ("GetEuiccData", {}, "81E2910006BF3E035C015A"),
        ("EuiccConfiguredAddresses", {}, "81E2910003BF3C00"),
        ("GetEuiccChallenge", {}, "81E2910003BF2E00"),
        ("GetEuiccInfo1", {}, "81E2910003BF2000"),
        ("GetEuiccInfo2", {}, "81E2910003BF2200"),
        ("ProfileInfoListAll", {}, "81E2910003BF2D00"),
        ("SetNickname", BETA | {"nickname": "Nick é"}, "81E2910018BF29155A0A9844000000000000000090074E69636B20C3A9"),
        ("SetNickname", BETA | {"nickname": ""}, "81E2910011BF290E5A0A984400000000000000009000"),
        ("EnableProfile", BETA | {"refresh": False}, "81E2910014BF3111A00C5A0A98440000000000000000810100"),
        (
            "EnableProfile",
            {"aid": "A0000005591010FFFFFFFF8900001100", "refresh": False},
            "81E291001ABF3117A0124F10A0000005591010FFFFFFFF8900001100810100",
        ),
        ("DisableProfile", BETA | {"refresh": True}, "81E2910014BF3211A00C5A0A984400000000000000008101FF"),
        ("DeleteProfile", BETA, "81E291000FBF330C5A0A98440000000000000000"),
        ("DeleteProfile", {"iccid": "897001234567890123"}, f"81E291000FBF330C5A0A{ICCID18}"),
        ("ListNotificationAll", {}, "81E2910003BF2800"),
        ("ListNotificationInstall", {}, "81E2910007BF280481020780"),
        ("ListNotificationDelete", {}, "81E2910007BF280481020410"),
        ("RetrieveNotificationsListAll", {}, "81E2910003BF2B00"),
        ("RetrieveNotificationsListEnable", {}, "81E2910009BF2B06A00481020640"),
        ("RetrieveNotificationsListBySequence", {"seq": 1}, "81E2910008BF2B05A003800101"),
        ("RetrieveNotificationsListBySequence", {"seq": 128}, "81E2910009BF2B06A00480020080"),
        ("NotificationSent", {"seq": 1}, "81E2910006BF3003800101"),
        ("NotificationSent", {"seq": 1 << 30}, "81E2910009BF3006800440000000"),
        ("SetDefaultDPAddress", {"address": "a.bc"}, "81E2910009BF3F068004612E6263"),
        ("SetDefaultDPAddress", {"address": ""}, "81E2910005BF3F028000"),
        ("EuiccMemoryReset", {"operational": True, "test": True, "smdp": True}, "81E2910007BF3404820205E0"),
        ("EuiccMemoryReset", {"test": True}, "81E2910007BF340482020640"),
    ],
)
def test_requests_are_the_octets_that_cards_were_seen_to_take(function: str, args: dict[str, Any], wanted: str) -> None:
    assert apdus(function, args) == [wanted]


@pytest.mark.parametrize(("channel", "octet"), [(0, "80"), (1, "81"), (3, "83"), (4, "C0"), (5, "C1"), (19, "CF")])
def test_the_class_octet_has_the_channel(channel: int, octet: str) -> None:
    assert apdus("GetEuiccData", channel=channel) == [f"{octet}E2910006BF3E035C015A"]


def test_a_long_request_is_cut_into_blocks_with_numbers() -> None:
    found = apdus("SetNickname", BETA | {"nickname": "x" * 64}, mss=30)
    assert [one[:10] for one in found] == ["81E211001E", "81E211011E", "81E2910215"]
    assert len("".join(one[10:] for one in found)) // 2 == 81


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("nonsense", "line"),
        ("[]", "line"),
        ('{"function": 1}', "function"),
        ('{"function": "Nothing"}', "function"),
        ('{"function": "EnableProfile", "args": {}}', "iccid"),
        ('{"function": "EnableProfile", "args": {"iccid": "12"}}', "iccid"),
        ('{"function": "EnableProfile", "args": {"aid": "zz"}}', "aid"),
        ('{"function": "EnableProfile", "args": {"iccid": "89440000000000000000", "refresh": 1}}', "refresh"),
        ('{"function": "NotificationSent", "args": {"seq": -1}}', "seq"),
        ('{"function": "NotificationSent", "args": {"seq": true}}', "seq"),
        ('{"function": "GetEuiccData", "channel": 20}', "channel"),
        ('{"function": "GetEuiccData", "mss": 5}', "mss"),
        ('{"function": "GetEuiccData", "args": []}', "args"),
    ],
)
def test_what_cannot_be_encoded_is_named(line: str, field: str) -> None:
    assert run("encode", line)["field"] == field


def test_profiles_as_a_card_lists_them() -> None:
    found = decoded("ProfileInfoList", PROFILES + "9000")["values"]["profileInfoList"]
    assert [one["iccid"] for one in found] == ["8929901012345678905", "89440000000000000000"]
    assert [one["profileState"] for one in found] == ["enabled", "disabled"]
    assert found[0]["isdpAid"] == "a0000005591010ffffffff8900001000"
    assert (found[1]["serviceProviderName"], found[1]["profileName"]) == ("Beta", "Beta Two")
    assert found[0]["profileNickname"] is None and found[0]["profileClass"] == "operational"


def test_members_come_in_any_order_and_unknown_ones_are_passed_over() -> None:
    icon = bytes(range(200))
    members = [
        encode(0x94, icon), encode(0x93, b"\1"), encode(0x9F70, b"\1"), encode(0x9F7B, b"xx"), encode(0xBF76, b""),
        encode(0x90, "Büro".encode()), encode(0x99, bytes.fromhex("0560")), encode(0x5A, bytes.fromhex(ICCID18)),
        encode(0xB7, encode(0x80, bytes.fromhex("62F220")), encode(0x81, b"\xff")), encode(0x95, b"\0"),
        encode(0xB6, encode(0x30, encode(0x80, b"\x04\xf0"), encode(0x81, b" smdp.example.com "))),
    ]  # fmt: skip
    answer = encode(0xBF2D, encode(0xA0, encode(0xE3, *members), encode(0xE3)))
    full, empty = decoded("ProfileInfoList", answer.hex())["values"]["profileInfoList"]
    assert full["iccid"] == "897001234567890123" and full["profileNickname"] == "Büro"
    assert full["icon"] == b64encode(icon).decode() and full["iconType"] == "png" and full["profileClass"] == "test"
    assert full["profileOwner"] == {"plmn": "262-02", "gid1": "ff", "gid2": None}
    assert full["profilePolicyRules"] == ["cannot_delete", "cannot_disable"]
    assert full["notificationAddresses"] == ["smdp.example.com"]
    assert empty["iccid"] is None and empty["profileState"] is None and empty["profileClass"] == "operational"


def test_a_list_may_be_empty_or_an_error() -> None:
    assert decoded("ProfileInfoList", "BF2D02A000")["values"] == {"profileInfoList": []}
    assert decoded("ProfileInfoListAll", "BF2D00")["values"] == {"profileInfoList": []}
    assert decoded("ProfileInfoList", "BF2D03810101") == {
        "ok": False, "code": 1, "name": "incorrectInputValues", "error": codes.LIST[1][1],
    }  # fmt: skip


def test_the_sample_of_what_a_card_tells_of_itself() -> None:
    found = decoded("GetEuiccInfo2", INFO2)["values"]
    assert (found["profileVersion"], found["svn"], found["euiccFirmwareVer"]) == ("2.3.1", "2.2.2", "1.2.3")
    assert found["extCardResource"] == {
        "installedApplication": 0, "freeNonVolatileMemory": 320000, "freeVolatileMemory": 10000,
    }  # fmt: skip
    assert found["uiccCapability"] == [
        "usimSupport", "isimSupport", "csimSupport", "akaMilenage", "akaCave", "akaTuak128", "akaTuak256",
        "gbaAuthenUsim", "gbaAuthenISim", "eapClient", "javacard", "multipleUsimSupport", "multipleIsimSupport",
    ]  # fmt: skip
    assert found["rspCapability"] == ["additionalProfile", "testProfileSupport"]
    assert found["forbiddenProfilePolicyRules"] == ["ppr1"] and found["euiccCategory"] == "basicEuicc"
    assert found["euiccCiPKIdListForVerification"] == ["aa" * 20] and found["euiccCiPKIdListForSigning"] == ["bb" * 20]
    assert (found["ppVersion"], found["sasAcreditationNumber"]) == ("1.0.0", "SIM-00-0001")


def test_other_answers_of_the_researched_examples() -> None:
    assert decoded("GetEuiccData", "BF3E125A10890490321234512345123456789012359000")["values"] == {
        "eidValue": "89049032123451234512345678901235"
    }
    addresses = decoded("EuiccConfiguredAddresses", "BF3C1A811874657374726F6F74736D64732E6578616D706C652E636F6D9000")
    assert addresses["values"] == {"defaultDpAddress": None, "rootDsAddress": "testrootsmds.example.com"}
    info1 = decoded("GetEuiccInfo1", "BF20358203020202A9160414" + "AA" * 20 + "AA160414" + "BB" * 20)["values"]
    assert info1["svn"] == "2.2.2" and info1["euiccCiPKIdListForSigning"] == ["bb" * 20]
    challenge = decoded("GetEuiccChallenge", "BF2E128010" + "0F" * 16)["values"]
    assert challenge == {"euiccChallenge": "0f" * 16}
    assert decoded("SetNickname", "BF29038001009000") == {"ok": True, "values": {}}
    address = b"testsmdpplus1.example.com".hex()
    listed = decoded("ListNotification", f"BF2833A031BF2F2E800101810207800C19{address}5A0A989444999999990900F7")
    assert listed["values"] == {
        "notificationMetadataList": [
            {
                "seqNumber": 1, "profileManagementOperation": "install", "iccid": "8949449999999990007",
                "notificationAddress": "testsmdpplus1.example.com",
            }
        ]
    }  # fmt: skip
    cancelled = "BF4161A05F301A8010" + "11" * 16 + "810388370A8201005F3740" + "22" * 64
    assert decoded("CancelSession", cancelled)["ok"]


@pytest.mark.parametrize("unused", ["07", "04", "00"])
def test_cards_differ_in_the_unused_bits_of_an_operation(unused: str) -> None:
    found = decoded("ListNotification", f"BF280FA00DBF2F0A8001058102{unused}400C0161")
    assert found["values"]["notificationMetadataList"][0]["profileManagementOperation"] == "enable"


@pytest.mark.parametrize("function", sorted(DECODERS))
def test_every_code_of_every_function_has_its_name(function: str) -> None:
    made = {
        "EnableProfile": (requests.ENABLE, codes.ENABLE), "DisableProfile": (requests.DISABLE, codes.DISABLE),
        "DeleteProfile": (requests.DELETE, codes.DELETE), "SetNickname": (requests.NICKNAME, codes.NICKNAME),
        "EuiccMemoryReset": (requests.MEMORY_RESET, codes.RESET),
        "NotificationSent": (requests.NOTIFICATION_SENT, codes.SENT),
        "SetDefaultDPAddress": (requests.SET_DEFAULT_ADDRESS, codes.PLAIN),
    }  # fmt: skip
    if function not in made:
        return
    tag, table = made[function]
    for code, (name, _) in table.items():
        found = decoded(function, encode(tag, encode(0x80, tlv.encode_integer(code))).hex())
        assert (found["ok"], found["code"], found["name"]) == (False, code, name)
    assert "code 99" in decoded(function, encode(tag, encode(0x80, b"\x63")).hex())["error"]


@pytest.mark.parametrize("tag", [0x02, 0x81])
def test_the_error_of_a_session_comes_under_two_tags(tag: int) -> None:
    arm = encode(0xA1, encode(0x80, b"\x11" * 16), encode(tag, b"\x07"))
    assert decoded("AuthenticateServer", encode(0xBF38, arm).hex())["name"] == "ciPKUnknown"
    assert decoded("PrepareDownload", encode(0xBF21, arm).hex())["code"] == 7


def test_pending_notifications_of_both_kinds_keep_their_octets() -> None:
    other = encode(0x30, bytes.fromhex("BF2F0D800103810205200C0461" + "2E6263"), encode(0x5F37, b"\0" * 64))
    answer = encode(0xBF2B, encode(0xA0, other, bytes.fromhex(SUCCESS)))
    second, first = decoded("RetrieveNotificationsList", answer.hex())["values"]["notificationList"]
    assert (first["seqNumber"], first["profileManagementOperation"]) == (1, "install")
    assert first["pendingNotification"] == b64encode(bytes.fromhex(SUCCESS)).decode()
    assert (second["seqNumber"], second["profileManagementOperation"]) == (3, "disable")
    none = decoded("RetrieveNotificationsList", "BF2B03810101")
    assert (none["ok"], none["code"], none["name"]) == (False, 1, "noResultAvailable")
    assert replies.pending(bytes.fromhex("BF2B03810101")) == []
    assert decoded("RetrieveNotificationsList", "BF2B02A000")["values"] == {"notificationList": []}


def test_lists_keep_the_card_s_order_and_pass_over_what_is_not_known() -> None:
    items = [f"BF2F0A80010{number}810204100C0161" for number in (7, 2, 5)]
    answer = encode(0xBF28, encode(0xA0, *(bytes.fromhex(one) for one in (*items, "BF2E00"))))
    found = decoded("ListNotificationDelete", answer.hex())["values"]["notificationMetadataList"]
    assert [one["seqNumber"] for one in found] == [7, 2, 5] and found[0]["iccid"] is None
    strange = encode(0xBF2B, encode(0xA0, encode(0xBF7F, b""), bytes.fromhex(SUCCESS)))
    assert len(decoded("RetrieveNotificationsListAll", strange.hex())["values"]["notificationList"]) == 1


def test_a_number_of_a_later_version_hides_no_profile() -> None:
    strange = encode(0xE3, bytes.fromhex("9F700107" + "950109" + "930105" + "5A0A98440000000000000000"))
    found = decoded("ProfileInfoListAll", encode(0xBF2D, encode(0xA0, strange)).hex())["values"]["profileInfoList"][0]
    assert found["iccid"] == BETA["iccid"]
    assert {found[name] for name in ("profileState", "profileClass", "iconType")} == {"unknown"}


@pytest.mark.parametrize("arm", ["8101{}", "8001{}", "0201{}", "A1038001{}", "A1030201{}"])
def test_the_error_of_a_list_is_found_wherever_a_card_puts_it(arm: str) -> None:
    for function, tag, code, name in (
        ("ProfileInfoListAll", 0xBF2D, "01", "incorrectInputValues"),
        ("ProfileInfoList", 0xBF2D, "0B", "profileChangeOngoing"),
        ("ListNotificationAll", 0xBF28, "7F", "undefinedError"),
        ("RetrieveNotificationsListBySequence", 0xBF2B, "01", "noResultAvailable"),
    ):
        found = decoded(function, encode(tag, bytes.fromhex(arm.format(code))).hex() + "9000")
        assert (found["ok"], found["code"], found["name"]) == (False, int(code, 16), name)


def test_who_may_make_rules() -> None:
    rule = bytes.fromhex("80020660" + "A1" + "12" + "300780036" + "2F2208100" + "3007800313F0018100" + "82020780")
    found = decoded("GetRAT", encode(0xBF43, encode(0xA0, encode(0x30, rule))).hex())
    assert found["values"]["rulesAuthorisationTable"] == [
        {
            "pprIds": ["ppr1", "ppr2"],
            "allowedOperators": [
                {"plmn": "262-02", "gid1": None, "gid2": None},
                {"plmn": "310-10", "gid1": None, "gid2": None},
            ],
            "pprFlags": ["consentRequired"],
        }
    ]
    assert decoded("GetRAT", "BF43009000")["values"] == {"rulesAuthorisationTable": []}


def test_requests_of_a_session_are_made_of_what_a_server_sent() -> None:
    server = {
        "serverSigned1": "3003800111", "serverSignature1": "5F370122", "euiccCiPKIdToBeUsed": "040133",
        "serverCertificate": "3000", "ctxParams1": "A000",
    }  # fmt: skip
    assert apdus("AuthenticateServer", server) == ["81E2910013BF381030038001115F37012204013330" + "00A000"]
    offer = {"smdpSigned2": "3000", "smdpSignature2": "5F370122", "smdpCertificate": "3000"}
    assert apdus("PrepareDownload", offer) == ["81E291000BBF210830005F3701223000"]
    assert apdus("PrepareDownload", offer | {"hashCc": "AB"}) == ["81E291000EBF210B30005F370122040" + "1AB3000"]
    assert apdus("CancelSession", {"transactionId": "11" * 16, "reason": 1}) == [
        "81E2910018BF41158010" + "11" * 16 + "810101"
    ]
    assert [apdus(one)[0] for one in ("GetRAT", "GetCerts", "GetEimConfigurationData")] == [
        "81E2910003BF4300", "81E2910003BF5600", "81E2910003BF5500",
    ]  # fmt: skip
    assert run("encode", '{"function": "AuthenticateServer", "args": {}}')["field"] == "serverSigned1"


def test_what_is_null_is_not_there() -> None:
    args = {"iccid": None, "aid": "A0000005591010FFFFFFFF8900001100", "refresh": None}
    line = json.dumps({"function": "EnableProfile", "args": args, "mss": None, "channel": None})
    assert run("encode", line)["apdus"] == ["81E291001ABF3117A0124F10A0000005591010FFFFFFFF89000011008101FF"]


def test_how_a_load_ended() -> None:
    good = read_install_result(tlv.read_one(bytes.fromhex(SUCCESS)))
    assert good.ok and good.iccid == "8949449999999990007" and good.aid is not None
    head = bytes.fromhex(SUCCESS)
    failed = encode(
        0xBF37,
        encode(
            0xBF27, encode(0x80, b"\x11" * 16), encode(0xBF2F, encode(0x80, b"\2"), encode(0x81, b"\7\x80")),
            encode(0xA2, encode(0xA1, encode(0x80, b"\5"), encode(0x81, b"\x0a"))),
        ),
        head[-67:],
    )  # fmt: skip
    bad = read_install_result(tlv.read_one(failed))
    assert not bad.ok and bad.detail == "loadProfileElements/insufficientMemoryForProfile"
    assert decoded("LoadBoundProfilePackage", failed.hex())["code"] == 10


@pytest.mark.parametrize(
    "response",
    [
        "",
        "zz",
        "9000",
        "6A88",
        "BF2D",
        "BF2D05A0",
        "BF2D80A00000",
        "BF3E00",
        "BF2D03E30100",
        "BF2D02A0009F",
        "00",
        "BF3E125A10",
    ],
)
@pytest.mark.parametrize("function", ["ProfileInfoList", "GetEuiccData", "EnableProfile"])
def test_what_is_no_answer_is_told_and_no_crash(function: str, response: str) -> None:
    found = decoded(function, response)
    assert found["ok"] is False and found["error"]


@given(st.sampled_from(sorted(DECODERS)), st.binary(max_size=80))
def test_no_octets_break_a_decoder(function: str, data: bytes) -> None:
    assert isinstance(decoded(function, data.hex())["ok"], bool)


@given(st.sampled_from([PROFILES, INFO2, SUCCESS]), st.data())
def test_an_answer_that_was_damaged_breaks_no_decoder(sample: str, data: st.DataObject) -> None:
    octets = bytearray.fromhex(sample)
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    for function in ("ProfileInfoList", "GetEuiccInfo2", "LoadBoundProfilePackage", "RetrieveNotificationsList"):
        assert isinstance(decoded(function, octets.hex())["ok"], bool)


@given(st.text("0123456789", min_size=18, max_size=20))
def test_a_card_number_is_read_as_it_was_written(digits: str) -> None:
    octets = encode_iccid(digits)
    assert len(octets) == 10 and read_iccid(octets) == digits


def test_numbers_of_the_researched_examples() -> None:
    assert encode_iccid("8949449999999990007").hex().upper() == "989444999999990900F7"
    assert encode_iccid("897001234567890123").hex().upper() == ICCID18
    assert encode_imei("490154203237518").hex().upper() == "941045022373158F"
    assert is_eid("89049032123451234512345678901235") and not is_eid("89049032123451234512345678901236")
    assert read_plmn(bytes.fromhex("62F220")) == "262-02" and read_plmn(bytes.fromhex("130014")) == "310-410"
    assert read_plmn(b"\xff\xff\xff") is None and read_iccid(b"") is None
    for wrong in ("8944", "x" * 19, "8" * 21):
        with pytest.raises(InvalidInput):
            encode_iccid(wrong)


def matches(found: Any, wanted: Any) -> bool:
    """All that is wanted is there; more may be."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(matches(found.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(matches, found, wanted))
    return bool(found == wanted)


def test_a_compiler_of_the_specification_writes_and_reads_the_same() -> None:
    """Values by chance, in DER by asn1tools 0.169 from the ASN.1 module of SGP.22 that pySim carries."""
    for line in SPECIFIED.read_text().splitlines():
        known = json.loads(line)
        name = known["function"]
        if "request" in known:
            assert apdus(name, known["args"], mss=255)[0][10:].lower() == known["request"], line
            continue
        found = decoded(name, known["response"])
        assert found["ok"] is ("values" in known) and matches(found, known | {"response": None, "function": None}), line


def package(with_keys: bool, profile: list[int]) -> bytes:
    """A package whose pieces have these sizes, tag and length included."""

    def piece(tag: int, size: int) -> bytes:
        head = 2 if size < 130 else 3 if size < 259 else 4
        made = encode(tag, bytes(size - head))
        assert len(made) == size
        return made

    channel = encode(0xBF23, bytes(178))
    keys = encode(0xA2, piece(0x87, 74)) if with_keys else b""
    profile_part = encode(0xA3, *(piece(0x86, size) for size in profile))
    return encode(0xBF36, channel, encode(0xA0, piece(0x87, 26)), encode(0xA1, piece(0x88, 43)), keys, profile_part)


def test_a_package_is_cut_as_recorded_ones_are() -> None:
    made = package(False, [1020, 1020, 476])
    found = bpp.segments(made)
    assert [len(one) for one in found][1:] == [28, 2, 43, 4, 1020, 1020, 476]
    assert b"".join(found) == made
    made = package(True, [1020] * 7 + [364])
    sizes = [len(one) for one in bpp.segments(made)]
    assert sizes[1:5] == [28, 2, 43, 76] and sizes[5] == 4 and sizes[6:] == [1020] * 7 + [364]
    told = run("segments", b64encode(made).decode())["segments"]
    assert [one["length"] for one in told] == sizes
    assert told[0]["sha256"] == hashlib.sha256(made[: sizes[0]]).hexdigest()


def test_lengths_inside_a_package_stay_as_they_came() -> None:
    made = package(False, [200])
    long_form = made[made.index(b"\xa3") :]
    widened = b"\xa3\x83" + (len(long_form) - 3).to_bytes(3) + long_form[3:]
    inside = made[5 : len(made) - len(long_form)] + widened
    odd = b"\xbf\x36\x84" + len(inside[:]).to_bytes(4) + inside
    found = bpp.segments(odd)
    assert b"".join(found) == odd and len(found[4]) == 5


@pytest.mark.parametrize(
    "made",
    [
        b"", b"\xbf\x36\x00", encode(0xBF36, encode(0xBF23)), encode(0xBF37, encode(0xBF23)),
        encode(0xBF36, encode(0xA0, encode(0x87, b"x"))), package(True, [100])[:-1], package(True, [100]) + b"\0",
        encode(0xBF36, encode(0xBF23), encode(0xA0, encode(0x88, b"")), encode(0xA1), encode(0xA3)),
        encode(0xBF36, encode(0xBF23), encode(0xA1), encode(0xA0), encode(0xA3)),
    ],
)  # fmt: skip
def test_what_is_no_package_is_refused(made: bytes) -> None:
    with pytest.raises(TlvError):
        bpp.segments(made)
    assert run("segments", b64encode(made).decode() or "=")["ok"] is False


@given(st.binary(max_size=200))
def test_no_octets_break_the_cutting(data: bytes) -> None:
    for candidate in (data, encode(0xBF36, data), encode(0xBF36, encode(0xBF23), data)):
        try:
            assert b"".join(bpp.segments(candidate)) == candidate
        except RemsimError:
            continue


def test_an_answer_that_is_refused_says_so_with_its_number() -> None:
    with pytest.raises(replies.Refused) as refused:
        replies.result(bytes.fromhex("BF3103800102"), requests.ENABLE, codes.ENABLE)
    assert refused.value.detail == "profileNotInDisabledState (2)" and refused.value.number == 2
