"""Switching between profiles: how cards and modems take it, and the way back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from esim_support import AWAY, AWAY_ID, HOME, HOME_ID, Bench, Card, Profile, bench
from remsim.config.settings import Settings
from remsim.config.sims import SimSettings
from remsim.core.card import AccessPoint
from remsim.core.errors import AtTimeout, Conflict, ModemGone, NotFound
from remsim.core.jobs import Job
from remsim.esim.errors import EsimError
from remsim.esim.store import SWITCH
from web_support import wait_until

BUSY = EsimError("the card is busy", code="profile_busy")
UNDEFINED = EsimError("the card says no more", code="profile_refused")


@pytest.fixture
def one(tmp_path: Path) -> Bench:
    made = bench(tmp_path)
    made.room.settings = Settings()
    made.read()
    return made


def switch(one: Bench, **options: object) -> Job:
    return one.done(one.work.enable("modem1", AWAY_ID, actor="a test", **options))  # type: ignore[arg-type]


def test_a_switch_ends_registered_with_the_new_profile_and_operators_told(one: Bench) -> None:
    job = switch(one)
    assert job.state == "done", job.error
    assert job.result == {
        "profile": AWAY_ID, "name": "Away", "iccid": "•" * 15 + "0002", "enabled": True, "registered": True,
        "notifications_waiting": 0,
    }  # fmt: skip
    assert one.card.enabled is not None and one.card.enabled.iccid == AWAY
    assert one.card.queue == []
    assert one.holder.refreshed == []  # it acted on the card's own refresh
    assert one.store.all(SWITCH) == {}
    assert one.told("esim_switch") == ["modem1: switched to Away, which a network has taken"]
    states = {profile["name"]: profile["state"] for profile in one.room.cards.of("modem1")["profiles"]}  # type: ignore[index]
    assert states == {"Home": "disabled", "Away": "enabled"}


def test_a_profile_that_no_network_takes_is_switched_back_and_says_so(one: Bench) -> None:
    one.holder.networks = {HOME}
    job = switch(one, minutes=3)
    assert (job.state, job.code) == ("failed", "switch_returned")
    assert job.error == "Away: no network took it within 3 min; Home is enabled again"
    assert one.card.enabled is not None and one.card.enabled.iccid == HOME
    assert one.store.all(SWITCH) == {}
    assert one.told("esim_switch") == [f"modem1: {job.error}"]


def test_a_profile_that_wants_its_pin_says_so(one: Bench) -> None:
    one.holder.networks = {HOME}
    one.holder.sim_state = "SIM PIN"
    assert (switch(one).error or "").startswith("Away: it wants its PIN; Home is enabled again")


def test_who_wants_no_way_back_stays_with_the_profile(one: Bench) -> None:
    one.holder.networks = {HOME}
    job = switch(one, is_returning=False)
    assert (job.state, job.code) == ("failed", "not_registered")
    assert one.card.enabled is not None and one.card.enabled.iccid == AWAY


def test_an_abort_while_it_waits_for_the_network_goes_back(one: Bench) -> None:
    one.holder.on_wait = lambda job: job.abort() if job.can_abort else None
    job = switch(one)
    assert job.code == "switch_returned"
    assert "the switch was aborted; Home is enabled again" in (job.error or "")


def test_the_access_point_of_the_plan_is_put_in_force_and_the_old_one_comes_back(one: Bench) -> None:
    one.room.settings = Settings(sims=(SimSettings(AWAY_ID.replace("-", "_"), apn="away.example", apn_password="x"),))
    one.holder.networks = {HOME}
    assert switch(one).code == "switch_returned"
    assert one.holder.apns == [
        AccessPoint("away.example", password="x"), AccessPoint("first.example"),
    ]  # fmt: skip


def test_a_switch_without_a_plan_leaves_the_access_point_alone(one: Bench) -> None:
    assert switch(one).state == "done"
    assert one.holder.apns == []


def test_an_access_point_given_with_the_switch_comes_first(one: Bench) -> None:
    assert switch(one, apn="other.example").state == "done"
    assert one.holder.apns == [AccessPoint("other.example")]


def test_an_access_point_that_cannot_be_set_undoes_the_switch(one: Bench) -> None:
    one.holder.moods.next["apn"] = [Conflict("there are unsaved changes of the network configuration")]
    job = switch(one, apn="other.example")
    assert job.code == "switch_returned"
    assert "unsaved changes" in (job.error or "")
    assert one.card.enabled is not None and one.card.enabled.iccid == HOME


def test_a_card_that_refuses_the_refresh_flag_gets_none_and_the_modem_is_told(one: Bench) -> None:
    one.card.moods.next["enable"] = [UNDEFINED]
    one.holder.acts_on_refresh = False
    assert switch(one).state == "done"
    assert [what for what in one.card.asked if what.startswith("enable")] == ["enable Away True", "enable Away False"]
    assert one.holder.refreshed == ["soft"]


def test_a_modem_that_does_not_act_on_the_refresh_is_told_then_restarted(one: Bench) -> None:
    one.holder.acts_on_refresh = False
    one.holder.moods.next["soft"] = [ModemGone("/dev/ttyUSB2")]
    assert switch(one).state == "done"
    assert one.holder.refreshed == ["soft", "hard"]


def test_a_busy_card_is_asked_three_times_more_then_the_modem_restarts(one: Bench) -> None:
    one.card.moods.next["enable"] = [BUSY] * 4
    assert switch(one).state == "done"
    assert one.holder.refreshed == ["hard"]
    one.card.moods.next["enable"] = [BUSY] * 5
    before = one.clock.monotonic()
    job = one.done(one.work.enable("modem1", HOME_ID, actor="a test"))
    assert (job.state, job.code) == ("failed", "profile_busy")
    assert one.clock.monotonic() - before >= 10
    assert one.card.enabled is not None and one.card.enabled.iccid == AWAY
    assert one.store.all(SWITCH) == {}


@pytest.mark.parametrize("lost", [AtTimeout("AT+CGLA", 10), ModemGone("/dev/ttyUSB2")])
def test_a_port_lost_after_the_command_was_sent_says_nothing_so_the_card_is_read_again(
    one: Bench, lost: Exception
) -> None:
    one.card.moods.next["enabled"] = [lost]
    assert switch(one).state == "done"
    assert [what for what in one.card.asked if what.startswith("enable")] == ["enable Away True"]
    one.card.moods.next["enable"] = [lost]  # this time the card did not get it
    assert one.done(one.work.enable("modem1", HOME_ID, actor="a test")).state == "done"
    assert one.card.enabled is not None and one.card.enabled.iccid == HOME


def test_a_modem_that_leaves_the_bus_for_a_while_is_waited_for(one: Bench) -> None:
    def refresh(job: Job, *, hard: bool) -> None:
        one.holder.away = "modem1 is not there"
        raise ModemGone("/dev/ttyUSB2")

    looks = iter([None] * 5)

    def why_not() -> str | None:
        if next(looks, "back") == "back":
            one.holder.away = None
        return one.holder.away

    job_away = one.holder.why_not
    one.holder.refresh = refresh  # type: ignore[method-assign]
    one.card.moods.next["enabled"] = [ModemGone("/dev/ttyUSB2")]
    one.holder.why_not = lambda: job_away() if one.holder.busy is None else why_not()  # type: ignore[method-assign]
    assert switch(one).state == "done"


def test_a_profile_that_must_stay_is_not_switched_away_from(tmp_path: Path) -> None:
    policy = frozenset({"cannot_disable"})
    one = bench(tmp_path, Card(Profile(HOME, "Home", "enabled", policy=policy), Profile(AWAY, "Away")))
    one.read()
    job = switch(one)
    assert (job.code, job.error) == (
        "profile_policy", "Home must stay enabled: its operator does not let it be disabled",
    )  # fmt: skip
    assert not [what for what in one.card.asked if what.startswith("enable")]


def test_the_first_profile_of_a_card_stays_enabled_whatever_networks_say(tmp_path: Path) -> None:
    one = bench(tmp_path, Card(Profile(AWAY, "Away")))
    one.holder.networks = set()
    one.read()
    job = switch(one)
    assert (job.code, one.card.enabled and one.card.enabled.iccid) == ("not_registered", AWAY)
    assert "no other profile was" in (job.error or "")


def test_what_was_enabled_is_on_the_disk_before_the_card_is_asked(one: Bench) -> None:
    found = []
    enable = one.card.moods.heed

    def heed(name: str) -> None:
        if name == "enable":
            found.append(one.store.all(SWITCH))
        enable(name)

    one.card.moods.heed = heed  # type: ignore[method-assign]
    switch(one)
    kept = found[0]["modem1"]
    assert (kept["before"]["iccid"], kept["after"]["iccid"], kept["is_returning"]) == (HOME, AWAY, True)
    assert json.dumps(kept)


def cut(one: Bench) -> None:
    """A service that is killed while it waits for the network."""

    def die(job: Job) -> None:
        job.stop()

    one.holder.on_wait = die
    job = switch(one)
    assert (job.state, job.code) == ("aborted", "stopping")
    assert one.store.all(SWITCH)
    one.store.close()


def test_a_switch_cut_by_a_restart_is_taken_up_and_ends_well(one: Bench, tmp_path: Path) -> None:
    cut(one)
    after = bench(tmp_path, one.card)
    after.work.resume()
    job = after.done(after.room.jobs.recent()[-1])
    assert (job.state, job.kind) == ("done", "esim-switch"), job.error
    assert job.result["registered"] is True
    assert after.store.all(SWITCH) == {}


def test_a_switch_cut_by_a_restart_goes_back_when_the_profile_does_not_register(one: Bench, tmp_path: Path) -> None:
    cut(one)
    after = bench(tmp_path, one.card)
    after.holder.networks = {HOME}
    after.work.resume()
    job = after.done(after.room.jobs.recent()[-1])
    assert job.code == "switch_returned"
    assert after.card.enabled is not None and after.card.enabled.iccid == HOME
    assert after.store.all(SWITCH) == {}


def test_what_a_cut_left_undone_of_a_switch_is_done_when_it_is_taken_up(one: Bench, tmp_path: Path) -> None:
    one.room.settings = Settings(sims=(SimSettings(AWAY_ID.replace("-", "_"), apn="away.example"),))
    cut(one)
    after = bench(tmp_path, one.card)
    after.holder.sees, after.holder.acts_on_refresh = HOME, False  # the cut came before the modem had read it
    after.work.resume()
    job = after.done(after.room.jobs.recent()[-1])
    assert job.state == "done", job.error
    assert after.holder.refreshed == ["soft"]
    assert after.holder.apns == [AccessPoint("away.example")]


def test_a_modem_that_is_busy_at_the_start_is_waited_for(one: Bench, tmp_path: Path) -> None:
    cut(one)
    after = bench(tmp_path, one.card)
    after.holder.busy = "reading messages"
    after.work.resume()
    job = after.room.jobs.recent()[-1]
    wait_until(lambda: job.step == "waiting for the modem")
    after.holder.busy = None
    assert after.done(job).state == "done"


def test_a_cut_before_the_card_did_anything_is_forgotten(one: Bench, tmp_path: Path) -> None:
    cut(one)
    one.card.put(AWAY, state="disabled")
    one.card.put(HOME, state="enabled")
    after = bench(tmp_path, one.card)
    after.work.resume()
    job = after.done(after.room.jobs.recent()[-1])
    assert (job.state, job.result["enabled"]) == ("done", False)
    assert after.store.all(SWITCH) == {}


def test_a_switch_of_a_card_that_was_taken_out_is_forgotten(one: Bench, tmp_path: Path) -> None:
    cut(one)
    one.card.eid_text = "89049032123451234512345678901332"
    after = bench(tmp_path, one.card)
    after.work.resume()
    job = after.done(after.room.jobs.recent()[-1])
    assert "another card" in (job.error or "")
    assert after.store.all(SWITCH) == {}


def test_going_back_that_failed_is_tried_again_at_the_next_start(one: Bench, tmp_path: Path) -> None:
    one.holder.networks = {HOME}
    one.card.moods.next["enable"] = [None, *[EsimError("the card is broken", code="profile_refused")]]
    one.card.moods.next["enable without"] = [EsimError("the card is broken", code="profile_refused")]
    job = switch(one)
    assert job.code == "return_failed"
    assert one.store.all(SWITCH)["modem1"]["is_going_back"] is True
    one.store.close()
    after = bench(tmp_path, one.card)
    after.holder.networks = {HOME}
    after.work.resume()
    job = after.done(after.room.jobs.recent()[-1])
    assert job.code == "switch_returned"
    assert after.card.enabled is not None and after.card.enabled.iccid == HOME
    assert after.store.all(SWITCH) == {}


def test_what_is_not_on_the_card_or_is_enabled_is_refused(one: Bench) -> None:
    with pytest.raises(NotFound):
        one.work.enable("modem1", "sim-none", actor=None)
    with pytest.raises(NotFound):
        one.work.enable("modem9", HOME_ID, actor=None)
    job = one.done(one.work.enable("modem1", HOME_ID, actor=None))
    assert job.code == "profile_enabled"


def test_a_second_job_on_the_same_modem_is_refused_with_what_goes_on(one: Bench) -> None:
    one.holder.busy = "sending a message"
    with pytest.raises(Conflict, match="sending a message"):
        one.work.enable("modem1", AWAY_ID, actor=None)


def test_a_reader_only_enables(tmp_path: Path) -> None:
    one = bench(tmp_path)
    one.holder.kind = "reader"
    one.read()
    job = switch(one)
    assert (job.state, job.result["registered"]) == ("done", None)
    assert one.told("esim_switch") == ["modem1: Away was enabled"]
    assert one.holder.refreshed == []
