"""Many downloads at once: rows are checked all together, no code is used twice, a crash loses none."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from esim_support import EID, HOME, Bench, Card, Holder, Profile, bench
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.errors import Conflict, InvalidInput, ModemGone, NotFound, StorageError
from remsim.core.jobs import Job
from remsim.esim import downloading
from remsim.esim.bulk import Bulk
from remsim.esim.bulk_rows import Row, read_csv, read_rows
from remsim.esim.checks import WayOut
from remsim.esim.errors import EsimError
from remsim.esim.records import Records
from remsim.esim.refusals import SmdpRefused, trouble

FREE = 60 * 1024
OTHER_EID = "89049032000000000000000000000163"
CODES = [f"LPA:1$smdp.example.com$MATCHING-000{number}" for number in range(9)]
NEW = [Profile(f"893144000000000000{number}", f"New {number}") for number in range(9)]


class Scene:
    """A router whose cards get what codes bring."""

    def __init__(self, directory: Path, one: Bench) -> None:
        self.one, self.directory = one, directory
        self.bulk = self.anew()

    def anew(self) -> Bulk:
        """As after a restart of the service."""
        records = Records(self.directory / "records.db", clock=self.one.clock)
        room = self.one.room
        self.bulk = Bulk(room, self.one.work, records, lambda: None, self.wait)  # type: ignore[arg-type,return-value]
        return self.bulk

    def wait(self, job: Job, seconds: float) -> None:
        self.one.clock.sleep(seconds)

    def begin(self, rows: list[dict[str, Any]], **more: Any) -> Job:
        given = {"name": "", "per_minute": 60.0, "min_free": FREE, "actor": "a test"} | more
        return self.one.done(self.bulk.begin(read_rows(rows), **given))

    def resume(self) -> Job:
        return self.one.done(self.bulk.resume(self.batch()["id"], "a test"))

    def batch(self) -> dict[str, Any]:
        return self.bulk.views()[0]

    def rows(self) -> list[dict[str, Any]]:
        return list(self.bulk.view(self.batch()["id"])["rows"])

    def states(self) -> list[str]:
        return [one["state"] for one in self.rows()]


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(downloading, "reach", lambda address, hosts, is_lab: WayOut("eth0"))
    monkeypatch.setattr("remsim.esim.checks.reach", lambda address, hosts, is_lab: WayOut("eth0"))
    made = bench(tmp_path)
    made.card.waiting = list(NEW)
    made.holder.networks |= {profile.iccid for profile in NEW}
    made.read()
    return made


@pytest.fixture
def scene(one: Bench, tmp_path: Path) -> Scene:
    return Scene(tmp_path, one)


def row(number: int, **more: Any) -> dict[str, Any]:
    return {"target": "modem1", "code": CODES[number], **more}


# --- reading and checking ---


def test_csv_of_any_spreadsheet_is_read() -> None:
    text = f"\ufeffEID;Activation code;Nickname;Enable\r\n{EID};{CODES[0]};Büro;yes\r\n\r\nmodem1;{CODES[1]};;\r\n"
    first, second = read_csv(text)
    assert (first.target, first.code, first.nickname, first.enable) == (EID, CODES[0], "Büro", True)
    assert (second.number, second.target, second.enable) == (2, "modem1", False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no rows"),
        ("target,code\n", "no rows"),
        ("a,b\n1,2\n", "no column target"),
        ("target,code,colour\nmodem1,x,red\n", "no column 'colour'"),
        (f"target,code\nmodem1,{CODES[0]},more\n", "row 1 has more cells"),
        ("target,enable\nmodem1,perhaps\n", "row 1: enable is neither"),
        ('target,code\n"modem1,x\n', "no CSV"),
        ("target,code\n" + "modem1,x\n" * 501, "500 at most"),
        ("target,code\nmodem1," + "x" * 513 + "\n", "code is not a line of text"),
    ],
)
def test_what_is_no_list_of_rows_says_why(text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        read_csv(text)


@given(st.text(max_size=300))
def test_no_text_is_more_than_refused(text: str) -> None:
    try:
        assert all(isinstance(found, Row) for found in read_csv(f"target,code\n{text}"))
    except InvalidInput:
        pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
)


@given(JSON)
def test_no_json_is_more_than_refused(value: Any) -> None:
    try:
        read_rows(value)
    except InvalidInput:
        pass


@pytest.mark.parametrize(
    ("given_row", "code"),
    [
        ({"target": "", "code": CODES[0]}, "target_missing"),
        ({"target": "modem9", "code": CODES[0]}, "holder_unknown"),
        ({"target": EID[:-1] + "6", "code": CODES[0]}, "eid_wrong"),
        ({"target": EID[:-1], "code": CODES[0]}, "eid_wrong"),
        ({"target": OTHER_EID, "code": CODES[0]}, "eid_unknown"),
        ({"target": "modem1"}, "code_missing"),
        ({"target": "modem1", "code": CODES[0], "order": "example"}, "code_and_order"),
        ({"target": "modem1", "code": "LPA:1$smdp.example.com$A B"}, "invalid_input"),
        ({"target": "modem1", "code": f"{CODES[0]}$$1"}, "confirmation_needed"),
        ({"target": "modem1", "code": CODES[0], "nickname": "ü" * 33}, "invalid_input"),
        ({"target": "modem1", "code": CODES[0], "confirmation_code": "1" * 65}, "invalid_input"),
        ({"target": "modem1", "code": CODES[0], "iccid": "12"}, "invalid_input"),
    ],
)
def test_a_dry_run_says_what_is_wrong_with_a_row(scene: Scene, given_row: dict[str, Any], code: str) -> None:
    found = scene.bulk.check(read_rows([given_row, row(1)]), FREE)
    assert (found["problems"], found["ready"]) == (1, 1)
    assert found["rows"][0]["problem"]["code"] == code
    asked = list(scene.one.card.asked)
    with pytest.raises(InvalidInput, match="^row 1: ") as error:
        scene.begin([given_row, row(1)])
    assert error.value.code == code
    assert scene.bulk.views() == [] and scene.one.card.asked == asked


def test_a_dry_run_finds_what_is_there_twice(scene: Scene) -> None:
    rows = [row(0, enable=True), row(0), {"target": EID, "code": CODES[1], "enable": "yes"}, row(2)]
    found = scene.bulk.check(read_rows(rows), FREE)["rows"]
    assert [one["problem"] and one["problem"]["code"] for one in found] == [None, "code_twice", "enable_twice", None]
    assert found[3]["warnings"] == ["row 1 is for this card, too"]
    assert EID not in json.dumps(found) and "MATCHING" not in json.dumps(found)


def test_more_profiles_than_a_card_has_room_for_are_refused_before(scene: Scene) -> None:
    rows = read_rows([row(number) for number in range(6)])
    found = scene.bulk.check(rows, FREE)["rows"]  # 300 000 octets are free
    assert [one["problem"] and one["problem"]["code"] for one in found] == [None] * 4 + ["no_memory"] * 2
    assert scene.bulk.check(rows, 0)["problems"] == 0


# --- one after another ---


def test_rows_become_profiles_and_what_is_to_be_enabled_is_so_at_last(scene: Scene) -> None:
    job = scene.begin([row(0, nickname="First", enable=True), row(1), row(2)], name="Fleet")
    assert job.state == "done", job.error
    assert job.result["counts"]["done"] == 3
    rows = scene.rows()
    assert [one["name"] for one in rows] == ["First", "New 1", "New 2"]
    assert [one["enabled"] for one in rows] == ["done", None, None]
    asked = scene.one.card.asked
    assert asked[: asked.index("enable New 0 True")].count("tell 1") == 3  # all were loaded and told of before
    assert (scene.batch()["state"], scene.batch()["name"], scene.batch()["job"]) == ("done", "Fleet", None)
    assert scene.one.told("esim_download")[-1] == "the bulk download Fleet: 3 done"


def test_no_faster_than_was_asked_for(scene: Scene) -> None:
    before = scene.one.clock.monotonic()
    scene.begin([row(number) for number in range(3)], per_minute=2.0)
    assert scene.one.clock.monotonic() - before >= 60.0
    assert scene.states() == ["done"] * 3


def test_codes_are_forgotten_when_they_are_used_and_masked_before(scene: Scene, tmp_path: Path) -> None:
    scene.begin([row(0, confirmation_code="4711-geheim")])
    text = json.dumps(scene.bulk.view(scene.batch()["id"], identifiers=True))
    assert "MATCHING" not in text and "4711" not in text
    assert NEW[0].iccid in text and NEW[0].iccid not in json.dumps(scene.rows())
    assert (tmp_path / "records.db").stat().st_mode & 0o077 == 0
    data = scene.bulk._journal._records.rows("SELECT data FROM bulk_rows")
    assert "MATCHING" not in str(data) and "4711" not in str(data)


def test_a_fault_of_a_code_ends_its_row_and_the_others_go_on(scene: Scene) -> None:
    scene.one.card.moods.next["download"] = [SmdpRefused("8.2.6", "3.8"), None, SmdpRefused("8.8.5", "4.10")]
    job = scene.begin([row(0), row(1), row(2), row(3)])
    assert job.state == "done"
    assert scene.states() == ["failed", "done", "failed", "done"]
    assert [one["problem"] and one["problem"]["code"] for one in scene.rows()] == [
        "code_unknown", None, "order_expired", None,
    ]  # fmt: skip


def test_a_fault_of_the_card_stops_its_rows_and_another_card_goes_on(scene: Scene) -> None:
    other = second_card(scene)
    scene.one.card.moods.next["download"] = [ModemGone("1-1.1")]
    rows = [row(0), row(1), {"target": "modem2", "code": CODES[2]}]
    job = scene.begin(rows)
    assert (job.state, job.code) == ("failed", "bulk_stopped")
    assert scene.states() == ["waiting", "waiting", "done"]
    assert "modem1" in (job.error or "") and len(other.held) == 2
    assert scene.batch()["state"] == "stopped"
    assert scene.resume().state == "done"
    assert scene.states() == ["done"] * 3


def test_an_answer_that_is_lost_after_the_offer_leaves_it_unknown(scene: Scene) -> None:
    scene.one.card.moods.next["download"] = [trouble("server_reply"), None]
    scene.one.card.moods.next["load"] = [trouble("server_reply")]
    scene.begin([row(0), row(1)])
    assert scene.states() == ["failed", "unknown"]


def test_a_card_that_is_lost_when_the_profile_is_there_has_it_all_the_same(scene: Scene) -> None:
    scene.one.card.moods.next["profiles"] = [None, *[ModemGone("1-1.1")] * 9]
    scene.begin([row(0)])
    found = scene.rows()[0]
    assert (found["state"], found["name"], found["tries"]) == ("done", "New 0", 1)
    assert found["profile"] == f"sim-{NEW[0].iccid[-8:]}"


def test_a_card_without_memory_stops_its_rows(scene: Scene) -> None:
    scene.one.card.moods.next["load"] = [trouble("no_memory")]
    scene.begin([row(0), row(1)])
    assert scene.states() == ["failed", "waiting"]
    scene.resume()  # a smaller one may fit
    assert scene.states() == ["failed", "done"]


def test_a_server_that_is_away_twice_is_asked_no_more(scene: Scene) -> None:
    scene.one.card.moods.next["download"] = [trouble("smdp_unreachable")] * 9
    elsewhere = {"target": "modem1", "code": "LPA:1$other.example.com$X-1"}
    scene.begin([row(0), row(1), row(2), elsewhere])
    assert scene.states() == ["waiting"] * 4
    tried = [one["problem"] is not None for one in scene.rows()]
    assert tried == [True, True, False, True]


def test_a_wrong_confirmation_code_ends_the_row(scene: Scene) -> None:
    scene.one.card.moods.next["confirmation"] = []
    scene.begin([row(0, confirmation_code="9999"), row(1), row(2, confirmation_code="1234")])
    assert [one["problem"] and one["problem"]["code"] for one in scene.rows()] == [
        "confirmation_wrong", "confirmation_needed", None,
    ]  # fmt: skip


def test_another_card_than_was_checked_gets_nothing(scene: Scene) -> None:
    scene.bulk.check(read_rows([row(0)]), FREE)
    scene.one.card.eid_text = OTHER_EID
    scene.begin([row(0)])
    assert scene.rows()[0]["problem"]["code"] == "eid_differs"
    assert scene.states() == ["waiting"] and len(scene.one.card.waiting) == len(NEW)


def test_a_card_that_moved_to_another_modem_is_found_there(scene: Scene) -> None:
    second_card(scene)
    scene.one.card.moods.next["download"] = [ModemGone("1-1.1")]
    scene.begin([{"target": EID, "code": CODES[0]}])
    assert scene.states() == ["waiting"]
    first, second = scene.one.room.holders()
    first.card, second.card = second.card, first.card  # type: ignore[attr-defined]
    for name in ("modem1", "modem2"):
        assert scene.one.done(scene.one.work.read(name, "a test")).state == "done"
    scene.resume()
    assert (scene.states(), scene.rows()[0]["holder"]) == (["done"], "modem2")


def test_a_busy_modem_is_waited_for(scene: Scene) -> None:
    scene.one.holder.busy = "scanning"
    waited: list[float] = []

    def wait(job: Job, seconds: float) -> None:
        waited.append(seconds)
        scene.one.clock.sleep(seconds)
        if len(waited) == 3:
            scene.one.holder.busy = None

    scene.bulk._wait = wait
    scene.begin([row(0)])
    assert scene.states() == ["done"] and len(waited) == 3


def test_a_switch_that_goes_back_is_told_at_its_row(scene: Scene) -> None:
    scene.one.holder.networks.discard(NEW[0].iccid)
    job = scene.begin([row(0, enable=True)])
    assert job.state == "done"
    found = scene.rows()[0]
    assert (found["state"], found["enabled"], found["problem"]["code"]) == ("done", "failed", "switch_returned")


def test_nothing_is_switched_while_rows_wait(scene: Scene) -> None:
    scene.one.card.moods.next["download"] = [None, ModemGone("1-1.1")]
    scene.begin([row(0, enable=True), row(1)])
    assert scene.states() == ["done", "waiting"]
    assert scene.rows()[0]["enabled"] == "wanted"
    scene.resume()
    assert scene.rows()[0]["enabled"] == "done"


def test_one_bulk_at_a_time(scene: Scene) -> None:
    gate = hold(scene, "download")
    job = scene.bulk.begin(read_rows([row(0)]), name="", per_minute=60, min_free=0, actor="a test")
    with pytest.raises(Conflict, match="under way"):
        scene.bulk.begin(read_rows([row(1)]), name="", per_minute=60, min_free=0, actor="a test")
    with pytest.raises(Conflict):
        scene.bulk.drop(scene.batch()["id"])
    assert (scene.batch()["state"], scene.batch()["job"]) == ("running", job.id)
    gate()
    scene.one.done(job)


def test_an_abort_ends_it_before_the_next_row(scene: Scene) -> None:
    job: list[Job] = []

    def heed(name: str) -> None:
        if name == "download":
            job[0].abort()

    gate = hold(scene, "open")
    job.append(scene.bulk.begin(read_rows([row(0), row(1)]), name="", per_minute=60, min_free=0, actor="a test"))
    scene.one.card.moods.heed = heed  # type: ignore[method-assign]
    gate()
    scene.one.done(job[0])
    assert job[0].state == "aborted"
    assert scene.batch()["state"] == "stopped" and scene.states()[1] == "waiting"


# --- crashes ---


def crashed(scene: Scene, at: str, rows: list[dict[str, Any]]) -> None:
    """The service is killed at a point of the first row: nothing of it is written any more."""
    journal = scene.bulk._journal
    write = journal._records.write

    def heed(name: str) -> None:
        if name == at:
            journal._records.write = lambda *statements: False  # type: ignore[method-assign]
            raise EsimError("killed", code="stopping")

    scene.one.card.moods.heed = heed  # type: ignore[method-assign]
    scene.begin(rows)
    scene.one.card.moods.heed = lambda name: None  # type: ignore[method-assign]
    journal._records.write = write  # type: ignore[method-assign]
    journal._records.close()
    scene.anew()


def test_a_code_that_was_not_offered_yet_is_used_after_a_crash(scene: Scene) -> None:
    crashed(scene, "download", [row(0), row(1)])
    assert scene.batch()["state"] == "interrupted"
    assert scene.states() == ["loading", "waiting"]
    assert scene.resume().state == "done"
    assert scene.states() == ["done", "done"]


def test_a_profile_that_is_there_after_a_crash_is_done_and_its_code_not_used_again(scene: Scene) -> None:
    crashed(scene, "load", [row(0, enable=True), row(1)])
    got = scene.one.card.waiting.pop(0)
    scene.one.card.held.append(got)  # the card had it all the same
    assert scene.resume().state == "done"
    found = scene.rows()
    assert scene.states() == ["done", "done"]
    assert (found[0]["tries"], found[0]["enabled"]) == (1, "done")


def test_a_profile_that_is_not_there_after_a_crash_is_unknown_and_its_code_not_used_again(scene: Scene) -> None:
    crashed(scene, "load", [row(0), row(1)])
    assert scene.resume().state == "done"
    assert scene.states() == ["unknown", "done"]
    assert scene.rows()[0]["problem"]["code"] == "load_unknown"
    batch = scene.batch()["id"]
    with pytest.raises(InvalidInput, match="was used in the bulk download"):
        scene.begin([row(0)])
    scene.one.card.held.append(NEW[0])
    scene.bulk.decide(batch, 1, "again")
    assert scene.batch()["state"] == "stopped"
    scene.resume()  # it is there by now, so the code is left alone
    assert scene.states() == ["done", "done"]
    assert scene.rows()[0]["tries"] == 1


def test_a_refused_code_whose_profile_is_there_counts_as_done(scene: Scene) -> None:
    crashed(scene, "load", [row(0)])
    scene.resume()
    scene.bulk.decide(scene.batch()["id"], 1, "again")

    def heed(name: str) -> None:
        if name == "download":
            scene.one.card.held.append(NEW[0])
            raise SmdpRefused("8.2.6", "3.8")

    scene.one.card.moods.heed = heed  # type: ignore[method-assign]
    scene.resume()
    assert scene.states() == ["done"]


def test_no_code_is_used_that_cannot_be_written_down_before(scene: Scene) -> None:
    journal = scene.bulk._journal
    journal.keep = refuse  # type: ignore[method-assign]
    job = scene.begin([row(0), row(1)])
    assert job.code == StorageError.code
    assert len(scene.one.card.waiting) == len(NEW)
    assert not any(name.startswith("tell") for name in scene.one.card.asked)


def test_a_card_that_cannot_be_read_settles_nothing(scene: Scene) -> None:
    crashed(scene, "load", [row(0)])
    scene.one.card.moods = type(scene.one.card.moods)()
    scene.one.card.moods.next["open"] = [ModemGone("1-1.1")]
    job = scene.resume()
    assert "has to be read" in (job.error or "")
    assert scene.states() == ["loading"]


def test_a_code_of_a_dropped_batch_stays_used_and_one_that_failed_is_free(scene: Scene) -> None:
    scene.one.card.moods.next["download"] = [SmdpRefused("8.2", "1.2"), None]
    scene.begin([row(0), row(1)])
    scene.bulk.drop(scene.batch()["id"])
    assert scene.bulk.views() == []
    found = scene.bulk.check(read_rows([row(0), row(1)]), 0)["rows"]
    assert [one["problem"] and one["problem"]["code"] for one in found] == [None, "code_used"]


def test_only_what_is_open_can_be_decided(scene: Scene) -> None:
    scene.begin([row(0)])
    batch = scene.batch()["id"]
    with pytest.raises(Conflict, match="nothing to decide"):
        scene.bulk.decide(batch, 1, "again")
    with pytest.raises(NotFound):
        scene.bulk.decide(batch, 7, "again")
    with pytest.raises(NotFound):
        scene.bulk.decide("none", 1, "again")


def refuse(*args: Any, **kwargs: Any) -> None:
    raise StorageError("the disk is full")


def hold(scene: Scene, at: str) -> Callable[[], None]:
    """Have the card wait at a point until the answer is called."""
    gate = threading.Event()
    moods = scene.one.card.moods
    heed = type(moods).heed

    def wait(name: str) -> None:
        if name == at:
            assert gate.wait(60)
        heed(moods, name)

    moods.heed = wait  # type: ignore[method-assign]
    return gate.set


def second_card(scene: Scene) -> Card:
    """In a modem of its own."""
    card = Card(Profile(HOME[:-1] + "9", "Other", "enabled"))
    card.eid_text = OTHER_EID
    card.waiting = [NEW[8]]
    holder = Holder(card, scene.one.clock)
    holder.id = holder.name = "modem2"
    first = scene.one.holder
    scene.one.room.holders = lambda: [first, holder]
    assert scene.one.done(scene.one.work.read("modem2", "a test")).state == "done"
    return card

