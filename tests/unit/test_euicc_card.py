"""The virtual eUICC's APDUs: channels, blocks, answers in pieces, and the bytes seen on real ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from euicc_bench import Bench, profile
from remsim.core import tlv
from remsim.simulator.euicc.card import ISDR_AID, CardGone, SwError, VirtualEuicc, at_channel
from remsim.simulator.euicc.card_faults import CardFaults
from remsim.simulator.euicc.profiles import iccid_digits, iccid_octets, plmn_digits, plmn_octets, taken

EID = "89049032000000000000000000000163"


def say(card: VirtualEuicc, text: str) -> str:
    return card.transmit(bytes.fromhex(text)).hex().upper()


def bare() -> VirtualEuicc:
    return Bench().card


def test_a_channel_is_opened_and_the_isdr_selected_by_hand_as_over_csim() -> None:
    card = bare()
    assert say(card, "0070000001") == "029000"
    assert say(card, f"02A4040010{ISDR_AID.hex()}")[:2] == "61"
    assert say(card, "02C0000000").endswith("E0058203020202" + "9000")
    assert say(card, "82E2910006BF3E035C015A") == "6115"
    assert say(card, "82C0000015") == f"BF3E125A10{EID}9000"
    assert say(card, "0070800200") == "9000"
    assert say(card, "82E2910006BF3E035C015A") == "6881"


def test_channels_run_out_and_come_back() -> None:
    card = bare()
    assert [say(card, "0070000001") for _ in range(3)] == ["029000", "039000", "6A81"]
    with pytest.raises(SwError) as refused:
        card.open(ISDR_AID)
    assert refused.value.status == 0x6A81
    card.close(2)
    assert card.open(ISDR_AID) == 2
    assert card.open_channels == [1, 2, 3]
    card.reset()
    assert card.open_channels == []


def test_channels_above_three_are_in_the_class_octet_of_their_own_form() -> None:
    card = Bench(last_channel=19).card
    for number in range(2, 20):
        assert card.open(ISDR_AID) == number
    assert card.transmit(at_channel(bytes.fromhex("80E2910006BF3E035C015A"), 4)) == bytes.fromhex("6115")
    assert say(card, "C0C0000015").endswith("9000")
    assert say(card, "CFE2910006BF3E035C015A") == "6115"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("0070", "6700"),
        ("01A4040005A000000087", "6A82"),
        ("01A4000C023F00", "6A82"),
        ("01A40400FFA0", "6700"),
        ("81E2910006BF3E035C01", "6700"),
        ("81E2010003BF2E00", "6A86"),
        ("81E2910103BF2E00", "6A86"),
        ("81E2910003BF6E00", "6A88"),
        ("81E2910003BF2E05", "6A80"),
        ("81E2910002BF31", "6A80"),
        ("81E2910003BF3100", "6A80"),
        ("81E2910003A10100", "6985"),
        ("81E2910003BF3600", "6985"),
        ("81C0000000", "6985"),
        ("01E2910003BF2E00", "6E00"),
        ("81CA9F7F00", "6D00"),
        ("20E2910003BF2E00", "6E00"),
        ("83E2910003BF2E00", "6881"),
        ("80E2910003BF2E00", "6D00"),
        ("0070800000", "6A86"),
        ("80AA000003A90100", "9000"),
    ],
)
def test_what_is_wrong_has_its_status(command: str, status: str) -> None:
    assert say(bare(), command) == status


def test_a_wrong_length_of_get_response_is_told_and_asked_again() -> None:
    card = bare()
    assert say(card, "81E2910006BF3E035C015A") == "6115"
    assert say(card, "81C0000020") == "6C15"
    assert say(card, "81C0000010")[-4:] == "6105"
    assert say(card, "81C0000005")[-4:] == "9000"
    assert say(card, "81C0000005") == "6985"


@pytest.mark.parametrize("block_size", [6, 7, 120, 255])
@pytest.mark.parametrize("directly", [False, True])
def test_requests_and_answers_of_any_size_go_through_in_both_styles(block_size: int, directly: bool) -> None:
    icon = bytes(range(256)) * 4
    bench = Bench([profile(1, icon=icon)], block_size=block_size, answers_directly=directly)
    assert icon in bench.ask("BF2D00")
    assert bench.hex("BF3E035C015A") == f"BF3E125A10{EID}"


@pytest.mark.parametrize("directly", [False, True])
def test_answers_around_256_octets_are_whole_in_both_styles(directly: bool) -> None:
    lengths = []
    for size in range(170, 190):
        bench = Bench([profile(1, icon=b"\x5a" * size)], answers_directly=directly)
        answer = bench.ask("BF2D00")
        assert tlv.read_one(answer).tag == 0xBF2D
        lengths.append(len(answer))
    assert {255, 256, 257} <= set(lengths)


def test_direct_answers_come_with_9000_up_to_256_octets() -> None:
    card = Bench([profile(1, icon=b"\0" * 400)], answers_directly=True).card
    assert say(card, "81E2910006BF3E035C015A") == f"BF3E125A10{EID}9000"
    assert say(card, "81E2910003BF2D00") == "6100"


def test_a_block_out_of_order_throws_the_request_away() -> None:
    card = bare()
    assert say(card, "81E2110003BF3E03") == "9000"
    assert say(card, "81E29102035C015A") == "6A86"
    assert say(card, "81E29101035C015A") == "6A86"
    assert say(card, "81E2110003BF3E03") == "9000"
    assert say(card, "81E29101035C015A") == "6115"


def test_faults_of_the_way_happen_once_where_they_were_asked_for() -> None:
    bench = Bench(faults=CardFaults(status_at=(2, 0x6F00)))
    bench.ask("BF2E00")
    assert bench.status == 0x9000
    bench.ask("BF2E00")
    assert bench.status == 0x6F00
    bench.ask("BF2E00")
    assert bench.status == 0x9000


def test_a_card_that_is_taken_out_answers_no_more_until_it_is_back() -> None:
    bench = Bench([profile(1)], faults=CardFaults(removed_at=2))
    bench.ask("BF2E00")
    with pytest.raises(CardGone):
        bench.ask("BF2E00")
    with pytest.raises(CardGone):
        bench.card.open(ISDR_AID)
    bench.card.insert()
    assert bench.card.open(ISDR_AID) == 1
    assert bench.hex("BF3E035C015A") == f"BF3E125A10{EID}"


def test_answers_are_late_as_asked() -> None:
    bench = Bench(faults=CardFaults(delay_s=2.0, load_delay_s=30.0))
    bench.ask("BF2E00")
    assert bench.card.delay_s == 2.0
    bench.ready()
    bench.ask(bench.package()[:300])
    assert bench.card.delay_s in (2.0, 32.0)


def test_a_card_keeps_its_state_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "card.json"
    first = Bench([profile(1, is_enabled=True, icon=b"\x89PNG", owner="26202", gid1=b"\1")], state_file=file)
    first.ask("BF3F0D800B612E6578616D706C652E78")
    first.ask(f"BF3211A00C5A0A{iccid_octets('8900000000000000001').hex()}8101FF")
    again = Bench(state_file=file)
    assert again.card.memory == first.card.memory
    assert again.hex("BF2D00") == first.hex("BF2D00")
    assert again.hex("BF2B00") == first.hex("BF2B00")
    assert file.stat().st_mode & 0o777 == 0o600


def test_numbers_of_cards_and_networks_are_coded_as_on_cards() -> None:
    assert iccid_octets("8949449999999990007").hex().upper() == "989444999999990900F7"
    assert iccid_octets("897001234567890123").hex().upper() == "980710325476981032FF"
    for digits in ("8949449999999990007", "897001234567890123", "9" * 20):
        assert iccid_digits(iccid_octets(digits)) == digits
    assert plmn_octets("26202").hex().upper() == "62F220" and plmn_digits(bytes.fromhex("62F220")) == "26202"
    assert plmn_digits(plmn_octets("310410")) == "310410"


def test_whom_a_package_is_for_is_read_where_it_says_so() -> None:
    usim = bytes.fromhex("B30DA30B8309082926012143658709")
    for header in ("A00C830A989444999999990900F7", "A00C830A8949449999999990007F"):
        named = taken(bytes.fromhex(header) + usim)
        assert named.imsi == "262101234567890"
        assert named.is_for("8949449999999990007") and not named.is_for("8949449999999990008")
    assert taken(b"\x01" * 50) == taken(b"") and taken(b"").is_for("89")
