from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from remsim.core.masking import mask, masked
from remsim.modems.registry import Identities, Registry

IMEI_A, IMEI_B = "862365030000011", "015550000000022"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path, Identities(tmp_path))


def again(tmp_path: Path) -> Registry:
    return Registry(tmp_path, Identities(tmp_path))


def test_modem_keeps_its_id_over_restarts_and_at_another_socket(registry: Registry, tmp_path: Path) -> None:
    first = registry.identified(registry.id_at("1-1"), IMEI_A, "1-1")
    second = registry.identified(registry.id_at("1-2"), IMEI_B, "1-2")
    assert (first, second) == ("modem1", "modem2")
    later = again(tmp_path)
    assert later.id_at("1-1") == "modem1"
    assert later.identified(later.id_at("1-4"), IMEI_A, "1-4") == "modem1"
    assert later.id_at("1-4") == "modem1"
    assert "modem3" not in json.loads((tmp_path / "modems.json").read_text())


def test_other_modem_at_a_known_place_is_not_taken_for_the_old_one(registry: Registry) -> None:
    registry.identified(registry.id_at("1-1"), IMEI_A, "1-1")
    assert registry.identified(registry.id_at("1-1"), IMEI_B, "1-1") == "modem2"
    assert registry.identified(registry.id_at("1-3"), IMEI_A, "1-3") == "modem1"


def test_imei_of_zeros_does_not_make_two_modems_one(registry: Registry) -> None:
    first = registry.identified(registry.id_at("1-1"), "0" * 15, "1-1")
    assert registry.identified(registry.id_at("1-2"), "0" * 15, "1-2") != first


@pytest.mark.parametrize("first", ["1-1", "1-2"])
def test_two_equal_modems_keep_their_ids_whatever_order_they_come_up_in(
    registry: Registry, tmp_path: Path, first: str
) -> None:
    places = {"1-1": IMEI_A, "1-2": IMEI_B}
    before = {path: registry.identified(registry.id_at(path), imei, path) for path, imei in places.items()}
    later = again(tmp_path)
    order = [first, *(path for path in places if path != first)]
    assert {path: later.identified(later.id_at(path), places[path], path) for path in order} == before


def test_modems_with_one_imei_keep_the_ids_of_their_places(registry: Registry, tmp_path: Path) -> None:
    assert registry.identified(registry.id_at("1-1"), IMEI_A, "1-1") == "modem1"
    assert registry.identified(registry.id_at("1-2"), IMEI_A, "1-2", {"modem1"}) == "modem2"
    for order in (("1-1", "1-2"), ("1-2", "1-1")):
        later, sure = again(tmp_path), set[str]()
        for path in order:
            sure.add(later.identified(later.id_at(path), IMEI_A, path, sure))
        assert (later.id_at("1-1"), later.id_at("1-2")) == ("modem1", "modem2")


def test_what_never_told_an_imei_and_is_gone_is_no_ghost(registry: Registry) -> None:
    registry.identified(registry.id_at("1-1"), IMEI_A, "1-1")
    registry.id_at("1-2")
    registry.id_at("1-3")
    assert registry.prune(["1-3"]) == ["modem2"]
    assert registry.prune(["1-3"]) == []
    assert not registry.is_ghost("modem1") and registry.is_ghost("modem3")


def test_place_that_another_modem_took_leads_to_a_new_id(registry: Registry) -> None:
    registry.identified(registry.id_at("1-1"), IMEI_A, "1-1")
    registry.left("1-1")
    assert registry.id_at("1-1") == "modem2"
    assert registry.identified("modem2", IMEI_A, "1-1") == "modem1"


def test_only_a_known_id_can_be_forgotten(registry: Registry) -> None:
    registry.id_at("1-1")
    assert registry.forget("modem1") and not registry.forget("modem1")


def test_imei_is_not_in_the_files(registry: Registry, tmp_path: Path) -> None:
    registry.identified(registry.id_at("1-1"), IMEI_A, "1-1")
    assert IMEI_A.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_key_and_registry_are_for_their_owner_only(registry: Registry, tmp_path: Path) -> None:
    registry.id_at("1-1")
    for name in ("identity.key", "modems.json"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"modem1": 5}', b'{"last_number": {"number": "x"}}', b"\xff\x00", b""]
)
def test_damaged_file_is_moved_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "modems.json").write_bytes(content)
    assert again(tmp_path).id_at("1-1") == "modem1"
    assert (tmp_path / "modems.broken").read_bytes() == content
    assert again(tmp_path).id_at("1-1") == "modem1"


def test_state_that_cannot_be_written_still_gives_ids(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    registry = Registry(missing, Identities(missing))
    assert registry.id_at("1-1") == "modem1"
    assert registry.id_at("1-1") == "modem1"


def test_id_that_was_let_go_is_not_given_out_again(registry: Registry, tmp_path: Path) -> None:
    registry.identified(registry.id_at("1-1"), IMEI_A, "1-1")
    registry.forget("modem1")
    assert registry.identified(registry.id_at("1-2"), IMEI_B, "1-2") == "modem2"
    registry.forget("modem2")
    later = again(tmp_path)
    assert later.identified(later.id_at("1-1"), IMEI_A, "1-1") == "modem3"
    assert later.id_at("1-5") == "modem4" and later.prune([]) == ["modem4"]
    assert again(tmp_path).id_at("1-6") == "modem5"


def test_id_lent_until_a_moved_modem_said_who_it_is_is_given_out_again(registry: Registry) -> None:
    registry.identified(registry.id_at("1-1"), IMEI_A, "1-1")
    assert registry.identified(registry.id_at("1-4"), IMEI_A, "1-4") == "modem1"
    assert registry.id_at("1-5") == "modem2"


def test_last_number_is_no_modem_to_this_version_nor_to_an_older_one(registry: Registry, tmp_path: Path) -> None:
    registry.identified(registry.id_at("1-1"), IMEI_A, "1-1")
    registry.identified(registry.id_at("1-2"), IMEI_B, "1-2")
    registry.forget("modem1")
    written = json.loads((tmp_path / "modems.json").read_text())
    assert all(isinstance(entry, dict) for entry in written.values())
    assert written.pop("last_number") == {"number": 1} and list(written) == ["modem2"]
    later = again(tmp_path)
    assert later.prune(["1-2"]) == [] and not later.forget("last_number")


def test_sim_has_the_same_name_on_one_router_and_another_on_the_next(tmp_path: Path) -> None:
    iccid = "8901260000000001234"
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = Identities(tmp_path / "a"), Identities(tmp_path / "b")
    assert first.sim(iccid) == Identities(tmp_path / "a").sim(iccid) != second.sim(iccid)
    assert first.sim(None) is None


@pytest.mark.parametrize(
    ("identifier", "shown"), [(IMEI_A, "•" * 11 + "0011"), ("12345", "•••••"), ("", ""), (None, None)]
)
def test_of_an_identifier_four_digits_show_at_most(identifier: str | None, shown: str | None) -> None:
    assert mask(identifier) == shown


def test_no_identifier_can_be_read_in_a_masked_text() -> None:
    text = masked(f"AT+CGSN answered '+CGSN: {IMEI_A}' and ICCID 8949020000123456789F at -97 dBm, cell 23002370")
    assert IMEI_A not in text and "8949020000" not in text
    assert "-97 dBm, cell 23002370" in text
