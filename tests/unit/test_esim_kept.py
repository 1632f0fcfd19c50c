"""What eSIM keeps: the store, codes, files about profiles; and what is looked at before a download."""

from __future__ import annotations

import json
import socket
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from esim_support import AWAY, AWAY_ID, EID, HOME, Bench, Card, Profile, bench
from hypothesis import given, settings
from hypothesis import strategies as st
from remsim.config.settings import Settings, load_settings
from remsim.core.clock import FakeClock
from remsim.core.errors import Conflict, InvalidInput, NotFound, RemsimError
from remsim.esim import sealed
from remsim.esim.backup import Backup
from remsim.esim.checks import check_clock, interface_of, reach
from remsim.esim.codes import masked_token
from remsim.esim.errors import EsimError
from remsim.esim.records import Records
from remsim.esim.store import CODE, Store

CODE_TEXT = "LPA:1$smdp.example.com$MATCHING-0001"
PASSPHRASE = "a long passphrase"
OURS = {"format": "remsim-esim-backup", "version": 1}


@pytest.fixture
def one(tmp_path: Path) -> Bench:
    made = bench(tmp_path)
    made.read()
    return made


def backup_of(one: Bench) -> Backup:
    return Backup(one.room, one.codes)


def restored(one: Bench, made: Any, passphrase: str | None = None) -> dict[str, Any]:
    job = one.done(backup_of(one).restore(made, passphrase, "a test"))
    assert job.state == "done", job.error
    return dict(job.result)


def test_the_store_is_for_its_owner_only_and_outlives_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path / "esim.db", clock=FakeClock())
    assert store.put(CODE, "a", {"code": "secret"})
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in tmp_path.iterdir())
    store.close()
    store.close()
    again = Store(tmp_path / "esim.db", clock=FakeClock())
    assert again.all(CODE) == {"a": {"code": "secret"}}
    assert again.drop(CODE, "a")
    assert again.get(CODE, "a") is None


def test_a_file_made_anew_instead_of_a_damaged_one_is_private_too(tmp_path: Path) -> None:
    (tmp_path / "esim.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 4000)
    store = Store(tmp_path / "esim.db", clock=FakeClock())
    assert store.put(CODE, "a", {"code": "secret"})
    assert store.all(CODE) == {"a": {"code": "secret"}}
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert len(modes) >= 2 and set(modes.values()) == {0o600}, modes


def test_records_made_anew_are_private_too(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 4000)
    records = Records(tmp_path / "records.db", clock=FakeClock())
    assert records.write(("INSERT INTO orders VALUES (?, ?, ?)", ("a", 1.0, "{}")))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert len(modes) >= 2 and set(modes.values()) == {0o600}, modes
    records.close()
    assert records.rows("SELECT id FROM orders") == []


def test_a_damaged_row_costs_that_row(tmp_path: Path) -> None:
    store = Store(tmp_path / "esim.db", clock=FakeClock())
    store.put(CODE, "a", {"code": "secret"})
    store.close()
    with sqlite3.connect(tmp_path / "esim.db") as db:
        db.execute("INSERT INTO kept VALUES ('code', 'b', '{nonsense')")
        db.execute("INSERT INTO kept VALUES ('code', 'c', '[1]')")
    assert list(Store(tmp_path / "esim.db", clock=FakeClock()).all(CODE)) == ["a"]


def test_a_disk_that_takes_nothing_is_told_and_what_is_in_memory_goes_on(tmp_path: Path) -> None:
    (tmp_path / "esim.db").mkdir()
    store = Store(tmp_path / "esim.db", clock=FakeClock())
    assert store.put(CODE, "a", {"code": "x"}) is False
    assert store.problem is not None
    assert store.all(CODE) == {"a": {"code": "x"}}


def test_a_code_is_kept_once_masked_in_the_list_and_whole_on_request(one: Bench) -> None:
    kept = one.codes.add(f" {CODE_TEXT}\n", label="letter")
    assert kept["matching_id"] == "•" * 9 + "0001"
    assert one.codes.whole(kept["id"])["code"] == CODE_TEXT
    with pytest.raises(Conflict, match="kept already"):
        one.codes.add(CODE_TEXT)
    with pytest.raises(InvalidInput):
        one.codes.add("LPA:2$x$y")
    one.codes.drop(kept["id"])
    with pytest.raises(NotFound):
        one.codes.whole(kept["id"])


def test_a_matching_id_shows_its_end_only_when_it_is_long() -> None:
    shown = {"": "", "AB": "••", "ABCDEFGH": "••••", "ABCDE-FGHI": "••••••FGHI"}
    assert {token: masked_token(token) for token in shown} == shown


@settings(max_examples=15, deadline=None)
@given(text=st.text(max_size=400), passphrase=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_what_is_sealed_comes_back_with_its_passphrase_only(text: str, passphrase: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    made = json.loads(json.dumps(sealed.seal(text, passphrase)))
    assert sealed.unseal(made, passphrase) == text
    with pytest.raises(InvalidInput):
        sealed.unseal(made, passphrase + "x")


def test_sealed_text_is_hidden_differs_each_time_and_cannot_be_changed() -> None:
    first, second = sealed.seal("A" * 200, PASSPHRASE), sealed.seal("A" * 200, PASSPHRASE)
    assert first["data"] != second["data"] and first["salt"] != second["salt"]
    assert "QUFB" not in first["data"]
    for name, value in {"data": second["data"], "salt": second["salt"], "tag": second["tag"], "n": 1 << 13}.items():
        with pytest.raises(InvalidInput, match="wrong"):
            sealed.unseal(first | {name: value}, PASSPHRASE)


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"n": "x"}, {"n": 1 << 30}, {"n": 12345}, {"n": float("inf")}, {"r": 1 << 20}, {"kind": "rot13"},
        {"data": "%"}, {"tag": None},
    ],
)  # fmt: skip
def test_what_is_not_sealed_by_us_costs_no_memory_and_is_refused(wrong: dict[str, Any]) -> None:
    made = sealed.seal("x", PASSPHRASE) | wrong if wrong else {}
    with pytest.raises(InvalidInput):
        sealed.unseal(made, PASSPHRASE)


def test_a_backup_has_what_is_written_about_profiles_and_says_what_it_has_not(one: Bench) -> None:
    one.codes.add(CODE_TEXT, label="letter")
    one.room.config.put_section("sim", AWAY_ID.replace("-", "_"), {"apn": "a.example", "apn_password": "geheim"}, "me")
    made = backup_of(one).make(None)
    text = json.dumps(made)
    assert [profile["iccid"] for profile in made["cards"][0]["profiles"]] == [HOME, AWAY]
    assert (made["codes"], made["codes_left_out"]) == (None, 1)
    assert "cannot leave" in made["about"]
    assert "MATCHING" not in text and "geheim" not in text
    with_codes = backup_of(one).make(PASSPHRASE)
    assert with_codes["codes_left_out"] == 0
    assert "MATCHING" not in json.dumps(with_codes)


def test_a_backup_comes_back_on_another_router(one: Bench, tmp_path: Path) -> None:
    one.codes.add(CODE_TEXT, label="letter")
    one.done(one.work.nickname("modem1", AWAY_ID, "Holidays", "me"))
    one.room.config.put_section("sim", AWAY_ID.replace("-", "_"), {"apn": "a.example"}, "me")
    made = json.loads(json.dumps(backup_of(one).make(PASSPHRASE)))
    (tmp_path / "other").mkdir()
    other = bench(tmp_path / "other", Card(Profile(HOME, "Home", "enabled"), Profile(AWAY, "Away")))
    other.read()
    assert restored(other, made, PASSPHRASE) == {"codes": 1, "sections": 1, "nicknames": 1, "skipped": []}
    assert other.room.cards.profile("modem1", AWAY_ID)["name"] == "Holidays"
    assert load_settings(tmp_path / "other").sims[0].apn == "a.example"
    again = restored(other, made, None)
    assert (again["codes"], again["nicknames"]) == (0, 0)
    assert again["skipped"] == ["codes: give the passphrase to have them put back"]


def test_what_there_is_no_place_for_is_told(one: Bench) -> None:
    made = backup_of(one).make(None)
    made["cards"][0]["eid"] = EID[:-4] + "9999"
    made["sections"] = [
        {"type": "sim", "name": "sim_1", "values": {"cap_gb": -1}},
        {"type": "web", "name": "web", "values": {"listen": "0.0.0.0:80"}},
        {"type": "sim", "name": "../x", "values": {}},
        {"type": "sim", "name": 7, "values": {}},
    ]
    result = restored(one, made)
    assert (result["sections"], result["nicknames"]) == (0, 0)
    assert len(result["skipped"]) == 3
    assert load_settings(one.room.data_dir).web == Settings().web


@pytest.mark.parametrize(
    "given",
    [
        None, [], {}, {"format": "x"}, OURS | {"version": 2}, OURS, OURS | {"cards": [1], "sections": []},
        OURS | {"cards": [{"profiles": [{}] * 65}], "sections": []}, OURS | {"cards": [], "sections": ["sim"]},
        OURS | {"cards": [], "sections": [{}] * 1000},
    ],
)  # fmt: skip
def test_what_is_no_backup_is_refused(one: Bench, given: Any) -> None:
    with pytest.raises(InvalidInput):
        backup_of(one).restore(given, None, "me")


@pytest.mark.parametrize("inside", ["5", '{"code": "x"}', "[" * 100_000, '"x'])
def test_codes_that_are_no_list_are_refused(one: Bench, inside: str) -> None:
    made = backup_of(one).make(None) | {"codes": sealed.seal(inside, PASSPHRASE)}
    with pytest.raises(InvalidInput, match="cannot be read"):
        backup_of(one).restore(made, PASSPHRASE, "me")


def test_a_nickname_that_is_no_text_costs_that_nickname(one: Bench) -> None:
    made = backup_of(one).make(None)
    made["cards"][0]["profiles"][0]["nickname"] = "\ud800"
    made["cards"][0]["profiles"][1]["nickname"] = "Holidays"
    assert restored(one, made)["nicknames"] == 1


def test_a_wrong_passphrase_restores_nothing(one: Bench) -> None:
    one.codes.add(CODE_TEXT)
    made = backup_of(one).make(PASSPHRASE)
    with pytest.raises(InvalidInput, match="passphrase"):
        backup_of(one).restore(made, "another one", "me")
    with pytest.raises(InvalidInput):
        backup_of(one).restore(made | {"codes": "nonsense"}, PASSPHRASE, "me")


@pytest.mark.parametrize("now", [0.0, 1_600_000_000.0, 4e9])
def test_a_clock_before_this_program_or_far_after_it_is_wrong(now: float) -> None:
    check_clock(1_767_225_600.0)
    with pytest.raises(EsimError) as caught:
        check_clock(now)
    assert "NTP" in (caught.value.hint or "")


def test_a_server_is_reached_where_its_name_is_sent_and_the_interface_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
        assert reach("SMDP.example.com", {"smdp.example.com": place}, is_lab=False).interface == "lo"


def test_a_server_that_cannot_be_reached_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(EsimError) as caught:
        reach("smdp.example.com", {"smdp.example.com": place}, is_lab=False)
    assert caught.value.code == "smdp_unreachable"
    with pytest.raises(RemsimError) as refused:
        reach("127.0.0.1", {}, is_lab=False)
    assert refused.value.code == "smdp_private"


def test_interfaces_are_found_by_their_address() -> None:
    assert interface_of("127.0.0.1") == "lo"
    assert interface_of("192.0.2.77") is None
    assert interface_of("2001:db8::77") is None
