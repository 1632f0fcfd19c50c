"""Downloads with consent, deletes, names, and operators that are told: what the desk does with a card."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from esim_support import AWAY, AWAY_ID, EID, HOME, HOME_ID, Bench, Card, Holder, Profile, bench, sim_of
from remsim.config.esim import EsimSettings
from remsim.config.settings import Settings, load_settings
from remsim.core.clock import FakeClock
from remsim.core.errors import AtTimeout, Conflict, InvalidInput, ModemGone, NoApplication, NotFound, RemsimError
from remsim.core.jobs import Job
from remsim.esim import downloading
from remsim.esim.checks import WayOut
from remsim.esim.errors import EsimError
from remsim.esim.room import MARK
from remsim.esim.store import CODE, TRY
from remsim.esim.trust import ROOTS
from web_support import wait_until

LETTER = "LPA:1$smdp.example.com$MATCHING-0001"
NEW = "8931440000000000003"
NEW_ID = str(sim_of(NEW))
UNREACHED = EsimError("smdp.example.com cannot be reached", code="smdp_unreachable", hint="check the connection")


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(downloading, "reach", lambda address, hosts, is_lab: WayOut("eth0"))
    made = bench(tmp_path)
    made.card.waiting = [Profile(NEW, "New one", provider="Other")]
    return made


def begin(one: Bench, **given: Any) -> Job:
    return one.work.download("modem1", {"code": LETTER} | given, "a test")


def asked(job: Job) -> dict[str, Any]:
    wait_until(lambda: job.state == "asking" or job.is_over)
    assert job.question is not None, job.as_dict()
    return job.question


def answer(job: Job, said: dict[str, Any]) -> None:
    """Answer, once it asks."""

    def is_taken() -> bool:
        try:
            job.answer(said)
        except Conflict:
            return False
        return True

    wait_until(is_taken)


def test_a_profile_is_shown_before_it_is_loaded_and_consent_is_asked(one: Bench) -> None:
    job = begin(one, nickname="Holidays")
    question = asked(job)
    assert question["kind"] == "esim-consent"
    assert question["profile"]["name"] == "New one"
    assert question["profile"]["iccid"] == "•" * 15 + "0003"
    assert (question["memory"], question["wrong_code"]) == ({"free_bytes": 300_000, "is_short": False}, False)
    assert NEW not in str(job.as_dict())
    job.answer({"accept": True})
    one.done(job)
    assert job.result == {
        "profile": NEW_ID, "name": "Holidays", "iccid": "•" * 15 + "0003", "enabled": False,
        "notifications_waiting": 0, "notes": [],
    }  # fmt: skip
    assert one.holder.held == 1  # polling, while it loaded
    assert one.card.queue == []
    assert [profile["name"] for profile in (one.room.cards.of("modem1") or {})["profiles"]][-1] == "Holidays"
    assert one.told("esim_download") == ["modem1: Holidays was downloaded from smdp.example.com"]


def test_consent_given_beforehand_asks_nothing(one: Bench) -> None:
    assert one.done(begin(one, consent=True)).state == "done"


@pytest.mark.parametrize("said", [False, "false"])
def test_a_profile_that_is_not_wanted_is_not_loaded(one: Bench, said: object) -> None:
    one.codes.add(LETTER)
    job = begin(one)
    asked(job)
    job.answer({"accept": said})
    assert one.done(job).code == "declined"
    assert len(one.card.held) == 2
    assert one.codes.views()[0]["state"] == "unused"
    assert one.events[-1].severity == "info"


def test_an_answer_that_makes_no_sense_is_asked_for_again(one: Bench) -> None:
    job = begin(one)
    for said in ({}, {"accept": "perhaps"}, {"accept": 7}, {"accept": True}):
        answer(job, said)
    assert one.done(job).state == "done"


def test_nobody_who_answers_ends_it(one: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "CONSENT_S", 0.01)
    assert one.done(begin(one)).code == "consent_timeout"


def test_an_abort_while_it_asks_ends_it_and_leaves_the_code_as_it_was(one: Bench) -> None:
    one.codes.add(LETTER)
    job = begin(one)
    asked(job)
    job.abort()
    assert one.done(job).state == "aborted"
    assert one.codes.views()[0]["state"] == "unused"
    assert one.told("esim_download") == []


def test_a_wrong_confirmation_code_is_asked_for_again(one: Bench) -> None:
    one.card.moods.next["confirmation"] = []
    job = begin(one, confirmation_code="9999", consent=True)
    question = asked(job)
    assert (question["wrong_code"], question["confirmation_code_required"]) == (True, True)
    answer(job, {"accept": True})  # without a code: asked again
    answer(job, {"accept": True, "confirmation_code": " 1234 "})
    assert one.done(job).state == "done"


def test_no_code_is_in_jobs_events_or_logs(one: Bench, caplog: pytest.LogCaptureFixture) -> None:
    one.card.moods.next["download"] = [EsimError("refused", code="smdp_8.2.6_3.8")]
    job = one.done(begin(one, confirmation_code="4711-secret", lab_ca=ROOTS.read_text()))
    assert job.code == "smdp_8.2.6_3.8"
    text = f"{job.as_dict()} {one.events} {caplog.text}"
    assert "MATCHING-0001" not in text and "4711" not in text
    assert "a root certificate given by a test is trusted" in caplog.text


def test_a_modem_that_was_there_is_away_and_one_that_never_was_is_none(one: Bench) -> None:
    one.read()
    one.room.holders = list
    with pytest.raises(Conflict, match="modem1 is not there") as away:
        begin(one)
    assert away.value.code == "card_away"
    with pytest.raises(NotFound):
        one.work.read("modem2", None)


def test_names_and_pictures_of_others_are_one_line_and_no_larger_than_a_card_has_them(
    one: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bad, picture = "Good\n\x1b[2J\u202eliboM \u2066", b"\x89PNG" + b"x" * 1_000_000
    spoilt = Profile(NEW, bad * 20_000, provider=bad, icon=picture, icon_type="png")
    one.card.waiting = [spoilt]
    one.card.moods.next["tell"] = [EsimError("not now", code="smdp_unreachable")]
    job = begin(one, enable=True)
    shown = asked(job)["profile"]
    assert (shown["provider"], shown["name"][:18], shown["icon"]) == ("Good [2J liboM", "Good [2J liboM Goo", None)
    assert len(shown["name"]) <= 64 and shown["profile_name"] == shown["name"]
    answer(job, {"accept": True})
    assert one.done(job).code == "switch_returned"
    for text in (*caplog.messages, *(event.message for event in one.events), str(job.error)):
        assert text.isprintable() and len(text) < 1000
    (seen,) = [one for one in one.room.cards.of("modem1")["profiles"] if one["id"] == NEW_ID]
    assert (seen["provider"], seen["icon"], seen["name"]) == ("Good [2J liboM", None, shown["name"])


@pytest.mark.parametrize("text", ["x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "\ud800", "é"])
def test_an_authority_that_is_none_is_refused_before_anything_is_asked(one: Bench, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        begin(one, lab_ca=text)
    assert (refused.value.field, refused.value.code) == ("lab_ca", "lab_ca")
    assert not one.room.jobs.recent()


def test_a_failure_reads_the_card_anew_and_marks_a_kept_code(one: Bench) -> None:
    kept = one.codes.add(LETTER, label="from a letter")
    one.card.moods.next["load"] = [EsimError("the card says no", code="load_failed")]
    job = one.done(one.work.download("modem1", {"code_id": kept["id"], "consent": True}, "a test"))
    assert job.code == "load_failed"
    view = one.codes.views()[0]
    assert (view["state"], view["problem"]) == ("failed", "the card says no")
    assert "is_changing" not in (one.room.cards.of("modem1") or {})
    assert one.told("esim_download") == ["modem1: no profile came from smdp.example.com: the card says no"]


def test_a_code_that_was_used_is_forgotten_but_for_its_end(one: Bench) -> None:
    kept = one.codes.add(LETTER)
    one.done(one.work.download("modem1", {"code_id": kept["id"], "consent": True}, "a test"))
    view = one.codes.views()[0]
    assert (view["state"], view["matching_id"], view["holder"]) == ("used", "•" * 9 + "0001", "modem1")
    with pytest.raises(Conflict, match="used up"):
        one.codes.whole(kept["id"])
    assert "MATCHING" not in str(one.store.all(CODE))


def test_a_download_can_switch_to_what_it_got_and_keeps_its_access_point(one: Bench) -> None:
    one.holder.networks.add(NEW)
    job = one.done(begin(one, consent=True, enable=True, apn="new.example"))
    assert job.state == "done", job.error
    assert (job.result["enabled"], job.result["registered"]) == (True, True)
    assert one.holder.apns[-1].apn == "new.example"
    plan = load_settings(one.room.data_dir).sims[0]
    assert (plan.sim, plan.apn, plan.name) == (NEW_ID, "new.example", "New one")


def test_a_download_whose_switch_goes_back_says_that_the_profile_is_there(one: Bench) -> None:
    job = one.done(begin(one, consent=True, enable=True))
    assert (job.state, job.code, job.result["profile"]) == ("failed", "switch_returned", NEW_ID)
    assert (job.error or "").startswith("the profile was downloaded and stays on the card; New one: no network")


def test_while_a_package_loads_a_restart_is_refused_and_the_init_script_sees_it(one: Bench) -> None:
    seen: list[object] = []

    def heed(name: str) -> None:
        if name == "load":
            seen.append((one.room.data_dir / MARK).read_text())
            with pytest.raises(Conflict, match="modem1"):
                one.room.check_not_loading()
            one.room.let_load_end(0.01)

    one.card.moods.heed = heed  # type: ignore[method-assign]
    one.done(begin(one, consent=True))
    assert seen
    one.room.check_not_loading()
    assert not (one.room.data_dir / MARK).exists()


def test_the_way_through_the_modem_itself_is_told(one: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "reach", lambda address, hosts, is_lab: WayOut("wwan0"))
    job = one.done(begin(one, consent=True))
    assert "through modem1 itself (wwan0)" in job.result["notes"][0]


def test_a_clock_of_1970_downloads_nothing(tmp_path: Path) -> None:
    one = bench(tmp_path, clock=FakeClock(1000.0))
    assert one.done(begin(one)).code == "tls_clock"


def test_a_code_that_is_none_begins_no_job(one: Bench) -> None:
    with pytest.raises(InvalidInput):
        one.work.download("modem1", {"code": "hello"}, "a test")
    with pytest.raises(InvalidInput):
        one.work.download("modem1", {"code": CODE, "nickname": "é" * 33}, "a test")
    assert one.room.jobs.recent() == []


def test_two_jobs_on_one_card_are_refused_even_by_two_holders(one: Bench) -> None:
    one.read()
    job = begin(one)
    asked(job)
    with pytest.raises(Conflict, match="downloading a profile from smdp.example.com"):
        one.work.read("modem1", "a test")
    other = type(one.holder)(one.card, one.clock)
    other.id = "reader1"
    one.room.cards._known["reader1"] = dict(one.room.cards.of("modem1") or {})
    one.room.holders = lambda: [one.holder, other]
    with pytest.raises(Conflict, match="modem1 is busy"):
        one.work.read("reader1", "a test")
    job.abort()
    one.done(job)
    assert one.done(one.work.read("reader1", "a test")).state == "done"


def test_a_modem_that_is_waited_for_keeps_no_other_from_beginning(one: Bench) -> None:
    other = Holder(Card(Profile(NEW, "New one")), one.clock)
    other.id = "modem2"
    waits, goes_on = threading.Event(), threading.Event()

    @contextlib.contextmanager
    def reserved(title: str) -> Iterator[None]:
        waits.set()
        assert goes_on.wait(60)
        yield

    one.holder.reserved = reserved  # type: ignore[method-assign]
    one.room.holders = lambda: [one.holder, other]
    first: list[Job] = []
    thread = threading.Thread(target=lambda: first.append(one.work.read("modem1", "me")))
    thread.start()
    assert waits.wait(60)
    assert one.done(one.work.read("modem2", "me")).state == "done"
    goes_on.set()
    thread.join(10)
    assert one.done(first[0]).state == "done"


def test_discovery_keeps_what_waits_once_and_shows_no_code(one: Bench) -> None:
    for _ in range(2):
        job = one.done(one.work.discover("modem1", "a test"))
        entry = job.result["entries"][0]
        assert "EVENT" not in str(job.as_dict())
        assert one.codes.whole(entry["code_id"])["code"].startswith("LPA:1$smdp.example.com$EVENT-0001-ABCD")
    assert len(one.codes.views()) == 1


def test_a_delete_needs_the_name_tells_the_operator_and_refuses_what_is_enabled(one: Bench) -> None:
    one.read()
    with pytest.raises(InvalidInput, match="type the profile's name, Away"):
        one.work.delete("modem1", AWAY_ID, "away?", "a test")
    with pytest.raises(Conflict, match="Home is enabled"):
        one.work.delete("modem1", HOME_ID, "Home", "a test")
    job = one.done(one.work.delete("modem1", AWAY_ID, "Away", "a test"))
    assert (job.state, job.result["notifications_waiting"]) == ("done", 0)
    assert [what for what in one.card.asked if what.startswith(("delete", "tell", "remove"))] == [
        "delete", "tell 1", "remove 1",
    ]  # fmt: skip
    assert one.told("esim_delete") == ["modem1: Away was deleted by a test"]


def test_what_its_operator_protects_is_not_deleted(tmp_path: Path) -> None:
    one = bench(tmp_path, Card(Profile(AWAY, "Away", policy=frozenset({"cannot_delete"}))))
    one.read()
    assert one.done(one.work.delete("modem1", AWAY_ID, "Away", None)).code == "profile_policy"
    assert "delete" not in one.card.asked


def test_an_operator_that_cannot_be_told_is_told_later_with_growing_pauses(one: Bench) -> None:
    one.read()
    one.card.moods.next["tell"] = [UNREACHED] * 3
    job = one.done(one.work.delete("modem1", AWAY_ID, "Away", "a test"))
    assert (job.state, job.result["notifications_waiting"]) == ("done", 1)
    one.clock.advance(61)
    pauses = []
    for _ in range(3):
        view = one.telling.views(one.room.cards.of("modem1") or {})[0]
        pauses.append((view["tries"], view["problem"] and view["problem"]["code"]))
        before = len(one.room.jobs.recent())
        one.look()
        wait_until(lambda before=before: len(one.room.jobs.recent()) > before)  # type: ignore[misc]
        one.done(one.room.jobs.recent()[-1])
        one.look()  # it is not due yet
        assert len(one.room.jobs.recent()) == before + 1
        one.clock.advance(1000)
    assert pauses == [(1, "smdp_unreachable"), (2, "smdp_unreachable"), (3, "smdp_unreachable")]
    assert one.card.queue == []
    assert one.told("esim_notification") == [
        "smdp.example.com of the deletion of a profile could not be told, it is tried again: "
        "smdp.example.com cannot be reached",
        "smdp.example.com of the deletion of a profile was told at last",
    ]
    assert one.store.all(TRY) == {}


def test_notifications_of_one_operator_keep_their_order_and_others_go_on(one: Bench) -> None:
    one.read()
    one.card.tell("enable", HOME)
    one.card.address = "other.example"
    one.card.tell("enable", AWAY)
    one.card.address = "smdp.example.com"
    one.card.tell("disable", HOME)
    one.card.moods.next["tell smdp.example.com"] = [UNREACHED]
    job = one.done(one.work.tell("modem1", "a test"))
    assert (job.state, job.code, job.hint) == ("failed", "smdp_unreachable", "check the connection")
    assert [what for what in one.card.asked if what.startswith("tell")] == ["tell 1", "tell 2"]
    assert [note.seq for note in one.card.queue] == [1, 3]
    assert one.done(one.work.tell("modem1", "a test")).result == {"notifications_waiting": 0}


def test_what_was_not_told_before_a_restart_is_told_after_it(one: Bench, tmp_path: Path) -> None:
    one.read()
    one.card.moods.next["tell"] = [UNREACHED]
    one.done(one.work.delete("modem1", AWAY_ID, "Away", "a test"))
    one.store.close()
    after = bench(tmp_path, one.card, clock=FakeClock(one.clock.now() + 3600))
    after.look()
    assert after.room.jobs.recent() == []  # modems need a moment
    after.clock.advance(61)
    after.look()
    after.done(after.room.jobs.recent()[-1])
    assert one.card.queue == []


@pytest.mark.parametrize("was_read", [True, False])
def test_a_change_that_was_cut_short_has_the_card_read_at_the_next_start(
    one: Bench, tmp_path: Path, was_read: bool
) -> None:
    if was_read:
        one.read()
    one.room.cards.begin_change("modem1")
    one.store.close()
    one.card.tell("install", AWAY)
    after = bench(tmp_path, one.card)
    after.clock.advance(61)
    after.look()
    after.done(after.room.jobs.recent()[-1])
    assert after.card.queue == []
    after.look()
    assert len(after.room.jobs.recent()) == 1


def test_a_card_that_cannot_be_opened_is_not_tried_all_the_time(one: Bench) -> None:
    one.read()
    one.room.cards.begin_change("modem1")
    one.card.moods.next["open"] = [ModemGone("/dev/ttyUSB2")]
    one.clock.advance(61)
    one.look()
    one.done(one.room.jobs.recent()[-1])
    one.clock.advance(31)
    one.look()
    assert [job.state for job in one.room.jobs.recent()] == ["done", "failed"]
    one.clock.advance(31)
    one.look()
    assert one.done(one.room.jobs.recent()[-1]).state == "done"


def test_manual_telling_waits_for_somebody_to_ask(tmp_path: Path) -> None:
    one = bench(tmp_path, settings=Settings(esim=EsimSettings(notifications="manual")))
    one.read()
    job = one.done(one.work.delete("modem1", AWAY_ID, "Away", "a test"))
    assert job.result["notifications_waiting"] == 1
    one.clock.advance(100)
    one.look()
    assert len(one.room.jobs.recent()) == 2
    assert one.done(one.work.tell("modem1", "a test")).result == {"notifications_waiting": 0}


def test_a_notification_that_is_given_up_is_told_in_the_journal(one: Bench) -> None:
    one.card.tell("delete", AWAY)
    assert one.done(one.work.forget("modem1", 1, "a test")).state == "done"
    assert one.card.queue == []
    assert one.told("esim_notification") == [
        "smdp.example.com will not be told of the deletion of a profile: the notification was removed"
    ]
    assert one.done(one.work.forget("modem1", 1, "a test")).code == "invalid_input"


def test_a_nickname_is_set_on_the_card_and_bounded_in_octets(one: Bench) -> None:
    one.read()
    assert one.done(one.work.nickname("modem1", AWAY_ID, "Ferien é", "a test")).state == "done"
    assert one.room.cards.profile("modem1", AWAY_ID)["name"] == "Ferien é"
    with pytest.raises(InvalidInput, match="64 octets"):
        one.work.nickname("modem1", AWAY_ID, "é" * 33, "a test")


def test_a_reset_is_guarded_by_the_whole_eid(one: Bench) -> None:
    what = frozenset({"operational"})
    for typed in ("", EID[:-1], EID[:-1] + "6"):
        assert one.done(one.work.reset("modem1", typed, what, "a test")).code == "eid_differs"
    one.read()
    with pytest.raises(InvalidInput):
        one.work.reset("modem1", EID[:-1] + "6", what, "a test")
    with pytest.raises(InvalidInput):
        one.work.reset("modem1", EID, frozenset(), "a test")
    assert "reset" not in one.card.asked
    job = one.done(one.work.reset("modem1", EID, what, "a test"))
    assert job.result["cleared"] == ["operational"]


def test_disabling_refreshes_the_modem_and_is_in_the_journal(one: Bench) -> None:
    one.read()
    assert one.done(one.work.disable("modem1", AWAY_ID, "a test")).code == "profile_disabled"
    assert one.done(one.work.disable("modem1", HOME_ID, "a test")).state == "done"
    assert one.holder.refreshed == ["soft"]
    assert one.told("esim_switch") == ["modem1: Home was disabled by a test"]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (NoApplication("the card has no ISD-R", hint="it is no eSIM"), "no_euicc"),
        (AtTimeout("AT+CCHO", 10), "unreachable"),
    ],
)
def test_a_card_that_is_none_or_does_not_answer_is_shown_so(one: Bench, error: RemsimError, state: str) -> None:
    one.read()
    one.card.moods.next["open"] = [error]
    assert one.done(one.work.read("modem1", "a test")).state == "failed"
    card = one.room.cards.of("modem1") or {}
    assert (card["state"], card["problem"]["message"]) == (state, error.message)
    assert len(card["profiles"]) == (0 if state == "no_euicc" else 2)


def test_a_modem_that_is_away_is_refused_at_once(one: Bench) -> None:
    one.holder.away = "modem1 is unplugged"
    with pytest.raises(Conflict, match="unplugged"):
        one.work.read("modem1", "a test")


LOST = AtTimeout("AT+CGLA", 10)


def test_a_profile_that_came_is_no_failure_when_the_card_is_lost_afterwards(one: Bench) -> None:
    one.card.moods.next["profiles"] = [LOST]
    job = one.done(begin(one, consent=True))
    assert (job.state, job.result and job.result["profile"]) == ("done", NEW_ID), job.as_dict()
    assert one.told("esim_download") == ["modem1: New one was downloaded from smdp.example.com"]
    one.clock.sleep(120)
    one.look()
    wait_until(lambda: NEW_ID in [row["id"] for row in (one.room.cards.of("modem1") or {})["profiles"]])


@pytest.mark.parametrize(
    ("kind", "asked", "errors"),
    [
        ("esim_delete", "profiles", [None, LOST]),
        ("esim_switch", "open", [None, None, LOST]),
        ("esim_switch off", "open", [None, LOST]),
        ("esim_delete all", "profiles", [LOST]),
    ],
)
def test_what_was_done_is_told_though_the_card_is_lost_afterwards(
    one: Bench, kind: str, asked: str, errors: list[RemsimError | None]
) -> None:
    one.read()
    one.card.moods.next[asked] = list(errors)
    job = {
        "esim_delete": lambda: one.work.delete("modem1", AWAY_ID, "Away", "a test"),
        "esim_switch": lambda: one.work.enable("modem1", AWAY_ID, actor="a test"),
        "esim_switch off": lambda: one.work.disable("modem1", HOME_ID, "a test"),
        "esim_delete all": lambda: one.work.reset("modem1", EID, frozenset({"operational"}), "a test"),
    }[kind]()
    assert one.done(job).state == "done", job.as_dict()
    assert not one.card.moods.next[asked], "the card was not lost"
    assert job.result is not None and job.result.get("notifications_waiting", "none") in (None, "none")
    assert len(one.told(kind.partition(" ")[0])) == 1
