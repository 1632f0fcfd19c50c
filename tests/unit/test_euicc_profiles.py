"""ES10a and ES10c on the virtual eUICC, against the bytes of real cards; notifications of what was done."""

from __future__ import annotations

import pytest
from euicc_bench import CI, Bench, described, profile, reason
from remsim.core import tlv
from remsim.simulator.euicc import pki
from remsim.simulator.euicc.card_faults import CardFaults
from remsim.simulator.euicc.chip import Personality, Rule
from remsim.simulator.euicc.profiles import CardProfile, iccid_octets

ALPHA, BETA = "8929901012345678905", "8944000000000000000"
LIST = (
    "BF2D76A074E33B5A0A989209012143658709F54F10A0000005591010FFFFFFFF89000010009F7001019109416C706861204E65749209416C70"
    "6861204F6E65950102E3355A0A984400000000000000F04F10A0000005591010FFFFFFFF89000011009F70010091044265746192084265746120"
    "54776F950102"
)


def iccid(digits: str) -> str:
    return f"5A0A{iccid_octets(digits).hex().upper()}"


def switch(tag: str, digits: str, refresh: str = "00") -> str:
    return f"{tag}11A00C{iccid(digits)}8101{refresh}"


def two(**options: object) -> Bench:
    alpha = CardProfile(ALPHA, "Alpha Net", "Alpha One", is_enabled=True)
    return Bench([alpha, CardProfile(BETA, "Beta", "Beta Two")], **options)


def events(bench: Bench) -> list[tuple[int, str, str]]:
    return [(one.seq, one.event, one.address) for one in bench.card.memory.notifications]


def test_the_list_is_byte_for_byte_as_the_standard_wants() -> None:
    assert two().hex("BF2D00") == LIST


def test_a_list_holds_what_was_asked_for_and_searched() -> None:
    bench = two()
    assert bench.hex("BF2D035C015A") == f"BF2D1EA01CE30C{iccid(ALPHA)}E30C{iccid(BETA)}"
    found = bench.hex(f"BF2D12A00C{iccid(BETA)}5C029F70")
    assert found == "BF2D08A006E3049F700100"
    aid = bench.card.profiles[0].aid.hex().upper()
    assert bench.hex(f"BF2D17A0124F10{aid}5C0192") == "BF2D0FA00DE30B9209416C706861204F6E65"
    assert bench.hex("BF2D05A003950100") == "BF2D02A000"
    assert bench.hex("BF2D05A003960100") == "BF2D03810101"


def test_everything_a_card_knows_of_a_profile_is_listed_when_asked_for() -> None:
    one = profile(1, icon=b"\x89PNG", owner="26202", gid1=b"\1", policy=frozenset({"cannot_disable"}))
    one.nickname = "Nick é"
    bench = Bench([one])
    found = tlv.read_one(bench.ask("BF2D105C0E5A4F9F70909192939495B6B7B899")).find(0xA0, 0xE3)
    assert found is not None
    tags = [child.tag for child in found.children()]
    assert tags == [0x5A, 0x4F, 0x9F70, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0xB6, 0xB7, 0x99]
    assert found.find(0xB7) == tlv.Tlv(0xB7, bytes.fromhex("800362F220810101"))
    assert found.find(0x99) == tlv.Tlv(0x99, bytes.fromhex("0640"))
    assert found.find(0xB6, 0x30, 0x80) == tlv.Tlv(0x80, bytes.fromhex("04F0"))
    default = tlv.read_one(bench.ask("BF2D00")).find(0xA0, 0xE3)
    assert default is not None and default.find(0x99) is None


def test_addresses_are_told_set_and_cleared() -> None:
    bench = Bench()
    assert bench.hex("BF3C00") == "BF3C128110736D64732E6578616D706C652E636F6D"
    assert bench.hex("BF3F098007612E622E632E64") == "BF3F03800100"
    assert bench.hex("BF3C00") == "BF3C1B8007612E622E632E648110736D64732E6578616D706C652E636F6D"
    assert bench.hex("BF3F028000") == "BF3F03800100"
    assert bench.hex("BF3C00") == "BF3C128110736D64732E6578616D706C652E636F6D"
    assert bench.hex("BF3F0480" + "02FFFE") == "BF3F0380017F"


def test_the_card_tells_what_it_is() -> None:
    bench = Bench(personality=Personality(forbidden_policy=frozenset({"cannot_disable"}), platform="label"))
    key = pki.key_id(CI.certificate).hex().upper()
    assert bench.hex("BF2000") == f"BF20358203020202A9160414{key}AA160414{key}"
    info = tlv.read_one(bench.ask("BF2200"))
    tags = [child.tag for child in info.children()]
    assert tags == [0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0xA9, 0xAA, 0x8B, 0x99, 0x04, 0x0C, 0xAC]
    assert info.find(0x99) == tlv.Tlv(0x99, bytes.fromhex("0640"))
    assert info.find(0x88) == tlv.Tlv(0x88, bytes.fromhex("0490"))


def test_free_memory_shrinks_with_what_is_loaded_and_grows_with_what_is_deleted() -> None:
    def free() -> int:
        resources = tlv.read_one(bench.ask("BF2200")).find(0x84)
        assert resources is not None
        found = resources.find(0x82)
        assert found is not None
        return tlv.read_integer(found.value)

    bench = two()
    before = free()
    bench.install(package=b"\1" * 12_345)
    assert free() == before - 12_345
    bench.ask(f"BF330C{iccid('8949449999999990007')}")
    assert free() == before


def test_rules_are_told() -> None:
    bench = Bench(personality=Personality(rules=(Rule(frozenset({"cannot_delete"}), ("26202",), False),)))
    assert bench.hex("BF4300") == "BF4314A012301080020520A1073005800362F220820100"


def test_enabling_disables_the_other_and_both_operators_hear_of_it() -> None:
    bench = Bench([profile(1, is_enabled=True), profile(2)])
    assert bench.hex(switch("BF31", "8900000000000000002")) == "BF3103800100"
    assert [one.is_enabled for one in bench.card.profiles] == [False, True]
    assert events(bench) == [(1, "disable", "op1.example.com"), (2, "enable", "op2.example.com")]
    assert bench.hex(switch("BF31", "8900000000000000002")) == "BF3103800102"
    assert bench.hex(switch("BF32", "8900000000000000001")) == "BF3203800102"
    assert bench.hex(switch("BF32", "8900000000000000002")) == "BF3203800100"
    assert bench.card.enabled is None


def test_only_those_are_told_that_asked_for_it() -> None:
    told = [(frozenset({"enable"}), "a.example.com"), (frozenset({"enable", "delete"}), "b.example.com")]
    bench = Bench([profile(1, notify=told)])
    bench.ask(switch("BF31", "8900000000000000001"))
    bench.ask(switch("BF32", "8900000000000000001"))
    bench.ask(f"BF330C{iccid('8900000000000000001')}")
    assert events(bench) == [
        (1, "enable", "a.example.com"),
        (2, "enable", "b.example.com"),
        (3, "delete", "b.example.com"),
    ]


def test_a_profile_is_switched_by_its_aid_too() -> None:
    bench = two()
    aid = bench.card.profiles[1].aid.hex()
    assert bench.hex(f"BF3117A0124F10{aid}810100") == "BF3103800100"
    assert bench.hex(f"BF33124F10{aid}") == "BF3303800102"
    assert bench.hex(f"BF33124F10{bench.card.profiles[0].aid.hex()}") == "BF3303800100"


@pytest.mark.parametrize("tag", ["BF31", "BF32"])
def test_a_profile_that_is_not_there_is_not_found(tag: str) -> None:
    bench = two()
    assert bench.hex(switch(tag, "8900000000000000009")) == f"{tag}03800101"
    assert bench.hex(f"BF330C{iccid('8900000000000000009')}") == "BF3303800101"
    assert bench.hex(f"BF290F{iccid('8900000000000000009')}900141") == "BF2903800101"


def test_an_iccid_without_its_padding_is_not_found() -> None:
    bench = Bench([CardProfile("897001234567890123")])
    assert bench.hex("BF3110A00B5A09980710325476981032810100") == "BF3103800101"
    assert bench.hex("BF3111A00C5A0A980710325476981032FF810100") == "BF3103800100"


def test_policy_forbids() -> None:
    first = profile(1, is_enabled=True, policy=frozenset({"cannot_disable"}))
    bench = Bench([first, profile(2, policy=frozenset({"cannot_delete"}))])
    assert bench.hex(switch("BF31", "8900000000000000002")) == "BF3103800103"
    assert bench.hex(switch("BF32", "8900000000000000001")) == "BF3203800103"
    assert bench.hex(f"BF330C{iccid('8900000000000000002')}") == "BF3303800103"
    assert bench.hex(f"BF330C{iccid('8900000000000000001')}") == "BF3303800102"
    assert events(bench) == []


def test_a_profile_may_want_to_be_deleted_when_it_is_disabled() -> None:
    bench = Bench([profile(1, is_enabled=True, policy=frozenset({"delete_on_disable"})), profile(2)])
    bench.ask(switch("BF31", "8900000000000000002"))
    assert [one.iccid for one in bench.card.profiles] == ["8900000000000000002"]
    assert [event for _, event, _ in events(bench)] == ["disable", "enable", "delete"]


def test_from_a_test_profile_there_is_only_the_way_back() -> None:
    bench = Bench([profile(1, is_enabled=True), profile(2), profile(3, profile_class="test")])
    assert bench.hex(switch("BF31", "8900000000000000003")) == "BF3103800100"
    assert bench.hex(switch("BF31", "8900000000000000002")) == "BF3103800104"
    assert bench.hex(switch("BF31", "8900000000000000001")) == "BF3103800100"
    assert bench.hex(switch("BF31", "8900000000000000002")) == "BF3103800100"


def test_a_busy_card_says_so_as_often_as_it_is_busy() -> None:
    bench = two(faults=CardFaults(cat_busy=2))
    answers = [bench.hex(switch("BF31", BETA)) for _ in range(3)]
    assert answers == ["BF3103800105", "BF3103800105", "BF3103800100"]


def test_a_refresh_reaches_the_modem_once_the_answer_was_given() -> None:
    bench = two()
    heard = []
    bench.card.on_refresh = lambda: heard.append(bench.card.enabled)
    card = bench.card
    assert card.transmit(bytes.fromhex("81E2910014" + switch("BF31", BETA, "FF"))) == bytes.fromhex("6106")
    assert heard == []
    assert card.transmit(bytes.fromhex("81C0000006")) == bytes.fromhex("BF31038001009000")
    assert [one.iccid for one in heard if one] == [BETA]
    bench.ask(switch("BF31", ALPHA, "00"))
    assert len(heard) == 1


def test_faults_of_a_refresh() -> None:
    bench = two(faults=CardFaults(refuses_refresh=True))
    assert bench.hex(switch("BF31", BETA, "FF")) == "BF310380017F"
    assert bench.hex(switch("BF31", BETA, "00")) == "BF3103800100"
    bench = two(faults=CardFaults(is_proactive=True, loses_channels=True, ignores_refresh=True))
    bench.card.on_refresh = lambda: pytest.fail("the modem was told")
    assert bench.hex(switch("BF31", BETA, "FF")) == "BF3103800100"
    assert bench.status == 0x910B and bench.card.open_channels == []


def test_nicknames_are_utf_8_of_64_octets_and_can_be_cleared() -> None:
    bench = two()
    assert bench.hex(f"BF2915{iccid(BETA)}90074E69636B20C3A9") == "BF2903800100"
    assert bench.card.profiles[1].nickname == "Nick é"
    assert bench.hex(f"BF294F{iccid(BETA)}9041{'41' * 65}") == "BF290380017F"
    assert bench.hex(f"BF294E{iccid(BETA)}9040{'41' * 64}") == "BF2903800100"
    assert bench.hex(f"BF2910{iccid(BETA)}9002FFFE") == "BF290380017F"
    assert bench.hex(f"BF290E{iccid(BETA)}9000") == "BF2903800100"
    assert bench.card.profiles[1].nickname == ""


def test_a_reset_takes_what_it_is_told_to_whatever_the_policy() -> None:
    locked = profile(1, is_enabled=True, policy=frozenset({"cannot_delete", "cannot_disable"}))
    kinds = [profile(2, profile_class="test"), profile(3, profile_class="test", is_preloaded=True)]
    bench = Bench([locked, *kinds, profile(4, profile_class="provisioning")])
    heard: list[bool] = []
    bench.card.on_refresh = lambda: heard.append(True)
    bench.ask("BF3F098007612E622E632E64")
    assert bench.hex("BF340482020640") == "BF3403800100"
    assert [one.iccid[-1] for one in bench.card.profiles] == ["1", "3", "4"] and not heard
    assert bench.hex("BF3404820205E0") == "BF3403800100"
    assert [one.iccid[-1] for one in bench.card.profiles] == ["3", "4"] and heard == [True]
    assert bench.card.memory.default_smdp == ""
    assert bench.hex("BF3404820205E0") == "BF3403800101"
    assert [event for _, event, _ in events(bench)] == ["delete", "delete"]


def test_notifications_are_listed_fetched_and_removed_by_number_and_kind() -> None:
    bench = Bench([profile(1)])
    assert bench.hex("BF2800") == "BF2802A000"
    assert bench.hex("BF2B00") == "BF2B03810101"
    bench.ask(switch("BF31", "8900000000000000001"))
    bench.ask(switch("BF32", "8900000000000000001"))
    first = f"BF2F24800101810206400C0F6F70312E6578616D706C652E636F6D{iccid('8900000000000000001')}"
    assert bench.hex("BF280481020640") == f"BF2829A027{first}"
    assert bench.hex("BF280481020540") == f"BF2829A027{first}"
    assert bench.hex("BF280481020780") == "BF2802A000"
    fetched = tlv.read_one(bench.ask("BF2B05A003800101")).find(0xA0, 0x30)
    assert fetched is not None
    metadata, signature, euicc, eum = fetched.children()
    assert metadata.encode().hex().upper() == first
    card = pki.read_certificate(euicc.encode())
    assert pki.verify(card, signature.value, metadata.encode())
    assert pki.is_issued_by(card, pki.read_certificate(eum.encode()))
    assert bench.hex("BF2B06A00481020410") == "BF2B03810101"
    assert bench.ask("BF2B06A00481020520") == bench.ask("BF2B05A003800102")
    assert bench.hex("BF3003800101") == "BF3003800100"
    assert bench.hex("BF3003800101") == "BF3003800101"
    assert [seq for seq, _, _ in events(bench)] == [2]


def test_a_rule_decides_whose_policy_may_be_installed() -> None:
    policy = bytes.fromhex("99020520")
    allowed = Bench().install(described(policy=policy))
    assert reason(allowed) is None
    nobody = Bench(personality=Personality(rules=()))
    assert reason(nobody.install(described(policy=policy))) == (2, 15)
    forbidden = Bench(personality=Personality(forbidden_policy=frozenset({"cannot_delete"})))
    assert reason(forbidden.install(described(policy=policy))) == (2, 15)
    late = two()
    assert reason(late.install(described(policy=bytes.fromhex("99020640")))) == (2, 15)


def test_the_crl_cannot_be_loaded() -> None:
    assert Bench().hex("BF3500") == "BF350381017F"
