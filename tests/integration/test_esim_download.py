"""Profiles from the virtual SM-DP+ onto a virtual card by our own LPA: the whole way, and every way that ends early."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from esim_engine import Person, QuickClock, VirtualWay, World, world
from remsim.config.esim import EsimSettings
from remsim.core.clock import SystemClock
from remsim.core.errors import Aborted, AtTimeout, InvalidInput, ModemGone, RemsimError
from remsim.esim.activation import parse
from remsim.esim.download import LOADING, PREPARING, STEPS, Consent
from remsim.esim.engine import opened
from remsim.esim.errors import EsimError
from remsim.esim.trust import CA_VARIABLE, HOSTS_VARIABLE, Trust
from remsim.simulator.euicc import scene
from remsim.simulator.euicc.bpp import unprotected_profile
from remsim.simulator.euicc.card import VirtualEuicc
from remsim.simulator.euicc.chip import Personality
from remsim.simulator.euicc.faults import STEPS as CALLS
from remsim.simulator.euicc.faults import Fault
from remsim.simulator.euicc.orders import Offer, Order, hash_of
from remsim.simulator.euicc.profiles import CardProfile
from remsim.simulator.euicc.smds import Event

ICCID, OTHER = "8949449999999990007", "8988211000000000012"
OFFER = Offer(ICCID, "001010123456063", "Travel", "Example Mobile", size_bytes=3000)
TOKEN = "AAAAA-BBBBB"
SMDP, SMDS = scene.SMDP_HOST, scene.SMDS_HOST
BEGUN = ["initiateAuthentication success", "authenticateClient success"]
FETCHED = [*BEGUN, "getBoundProfilePackage success"]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """A world with one order, or with those that are named."""
    made: list[World] = []

    def build(*orders: Order, profiles: tuple[CardProfile, ...] = (), **options: Any) -> World:
        made.append(world(tmp_path, orders or [Order(OFFER, TOKEN)], *profiles, **options))
        return made[-1]

    yield build
    for one in made:
        one.servers.stop()


def order(**options: Any) -> Order:
    return Order(options.pop("offer", OFFER), options.pop("matching_id", TOKEN), **options)


def fails(here: World, code: str = TOKEN, *codes: str | None, **options: Any) -> str:
    """The code of the error that a download ends with; no profile is left behind."""
    before = here.iccids()
    with pytest.raises(RemsimError) as caught:
        here.download(code, *codes, **options)
    assert here.iccids() == before
    assert caught.value.hint, caught.value
    return caught.value.code


def told(here: World) -> list[str]:
    """What became of the order, as the server was told."""
    return here.servers.orders.all()[0].told


# --- a profile that comes ---


def test_a_profile_comes_onto_the_card_disabled_and_its_operator_can_be_told(make: Callable[..., World]) -> None:
    here, person = make(), Person()
    installed = here.download(TOKEN, person=person, nickname="For travel é")
    assert (installed.profile.iccid, installed.profile.state) == (ICCID, "disabled")
    assert (installed.profile.nickname, installed.metadata.name) == ("For travel é", "Travel")
    assert person.asked == [("Travel", False, False)]
    assert here.calls() == FETCHED
    kept = here.card.profiles[0]
    assert (kept.nickname, kept.is_enabled) == ("For travel é", False)
    assert kept.package_sha256 == hashlib.sha256(unprotected_profile(OFFER)).hexdigest()
    assert list(dict.fromkeys(step for step, _ in here.steps)) == list(STEPS)
    fractions = [fraction for step, fraction in here.steps if step == LOADING]
    assert fractions == sorted(set(fractions)) and (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert here.card.open_channels == []
    with here.engine() as engine:
        waiting = engine.euicc.notifications()
        assert [one.seq for one in waiting] == installed.notifications
        for one in waiting:
            engine.tell(one)
            engine.euicc.remove_notification(one.seq)
        assert engine.euicc.notifications() == []
        engine.tell(waiting[0])  # it was told already, and is nothing to fail at
    assert {one.event for one in here.servers.smdp.told} == {"install"}
    assert all(one.is_proven for one in here.servers.smdp.told)


@pytest.mark.parametrize("block_size", [30, 120, 255])
@pytest.mark.parametrize("answers_directly", [False, True])
def test_any_size_of_block_will_do(make: Callable[..., World], block_size: int, answers_directly: bool) -> None:
    here = make(card={"answers_directly": answers_directly})
    here.settings = EsimSettings(block_size=block_size)
    assert here.download(TOKEN).profile.iccid == ICCID


def test_a_package_may_bring_keys_of_its_own(make: Callable[..., World]) -> None:
    assert make(replaces_keys=True).download(TOKEN).profile.iccid == ICCID


def test_base64_may_come_in_lines(make: Callable[..., World]) -> None:
    here = make()
    here.servers.faults.add(Fault("line_breaks"))
    assert here.download(TOKEN).profile.iccid == ICCID


def test_without_a_token_the_order_for_this_card_is_taken(make: Callable[..., World]) -> None:
    here = make(order(matching_id=""))
    here.servers.orders.all()[0].eid = here.card.eid
    assert here.download(f"LPA:1${SMDP}$").profile.iccid == ICCID


def test_a_code_that_names_the_servers_number_is_checked(make: Callable[..., World]) -> None:
    assert make().download(f"LPA:1${SMDP}${TOKEN}${scene.SMDP_OID}").profile.iccid == ICCID
    here = make()
    assert fails(here, f"LPA:1${SMDP}${TOKEN}$2.999.11") == "oid_mismatch"
    assert here.calls() == BEGUN[:1]


def test_a_card_with_profiles_gets_one_more_and_keeps_the_enabled_one(make: Callable[..., World]) -> None:
    here = make(profiles=(CardProfile(OTHER, name="Home", is_enabled=True),))
    here.download(TOKEN)
    assert [(one.iccid, one.is_enabled) for one in here.card.profiles] == [(OTHER, True), (ICCID, False)]


# --- confirmation codes ---


def confirmed(**options: Any) -> Order:
    return order(code_hash=hash_of("1234"), **options)


def test_a_confirmation_code_is_asked_for_with_the_consent(make: Callable[..., World]) -> None:
    here, person = make(confirmed()), Person("1234")
    here.download(TOKEN, person=person)
    assert person.asked == [("Travel", True, False)]


def test_a_confirmation_code_that_was_given_is_not_asked_for(make: Callable[..., World]) -> None:
    here, person = make(confirmed()), Person(None)
    here.download(TOKEN, person=person, confirmation_code=" 1234 ")
    assert person.asked == [("Travel", False, False)]


def test_a_confirmation_code_that_nobody_wants_is_not_sent(make: Callable[..., World]) -> None:
    assert make().download(TOKEN, "1234").profile.iccid == ICCID


def test_after_a_wrong_code_it_is_asked_again_in_a_new_session(make: Callable[..., World]) -> None:
    here, person = make(confirmed()), Person("1", "2", "1234")
    here.download(TOKEN, person=person, confirmation_code=None)
    assert person.asked == [("Travel", True, False), ("Travel", True, True), ("Travel", True, True)]
    assert here.calls().count("getBoundProfilePackage 8.2.7/3.8") == 2
    assert here.calls().count("initiateAuthentication success") == 3


def test_a_wrong_code_that_was_given_before_is_asked_for_after_all(make: Callable[..., World]) -> None:
    here, person = make(confirmed()), Person(None, "1234")
    here.download(TOKEN, person=person, confirmation_code="0000")
    assert person.asked == [("Travel", False, False), ("Travel", True, True)]


def test_too_many_wrong_codes_end_it(make: Callable[..., World]) -> None:
    here, person = make(confirmed()), Person(*["0"] * 20)
    assert fails(here, person=person) == "confirmation_blocked"
    assert len(person.asked) < 10


def test_no_code_where_one_is_wanted(make: Callable[..., World]) -> None:
    here = make(confirmed())
    assert fails(here, TOKEN, " ") == "confirmation_needed"
    assert told(here) == ["cancelled_1"]
    assert here.download(TOKEN, "1234").profile.iccid == ICCID


def test_no_code_is_written_to_the_log(make: Callable[..., World], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    here = make(confirmed(matching_id="SECRET-TOKEN-XYZW"))
    here.download("SECRET-TOKEN-XYZW", "98765", "1234")
    assert "SECRET" not in caplog.text and "98765" not in caplog.text and "XYZW" in caplog.text


# --- what people do ---


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        (Consent(False), "declined", 0),
        (Consent(False, reason=1), "declined", 1),
        (None, "consent_timeout", 2),
    ],
)
def test_a_no_is_told_to_card_and_server(
    make: Callable[..., World], said: Consent | None, code: str, reason: int
) -> None:
    here = make()
    assert fails(here, person=Person(says=[said])) == code
    assert here.calls() == [*BEGUN, "cancelSession success"]
    assert told(here) == [f"cancelled_{reason}"]


@pytest.mark.parametrize("step", STEPS[:-1])
def test_it_can_be_aborted_before_the_package_loads(make: Callable[..., World], step: str) -> None:
    here = make()
    here.is_aborted = lambda: any(done == step for done, _ in here.steps)
    with pytest.raises(Aborted):
        here.download(TOKEN)
    is_known = STEPS.index(step) > 2
    assert here.calls()[-1:] == (["cancelSession success"] if is_known else here.calls()[-1:])
    here.is_aborted = lambda: False
    assert here.download(TOKEN).profile.iccid == ICCID, "the code is still good"


def test_it_cannot_be_aborted_while_the_package_loads(make: Callable[..., World]) -> None:
    here = make()
    here.is_aborted = lambda: any(done == LOADING for done, _ in here.steps)
    assert here.download(TOKEN).profile.iccid == ICCID


# --- people who take their time ---


def at(step: str, do: Callable[[], Any], *, times: int = 1) -> Callable[[str, float | None], None]:
    """Progress that does something when a step comes."""
    left = [times]

    def note(now: str, fraction: float | None) -> None:
        if now == step and left[0]:
            left[0] -= 1
            do()

    return note


def test_a_server_that_forgot_the_session_meanwhile_is_asked_again_and_nobody_else(make: Callable[..., World]) -> None:
    here, person = make(confirmed()), Person("1234")
    forget = here.servers.smdp._sessions._sessions.clear
    assert run(here, at(PREPARING, forget), person=person).profile.iccid == ICCID
    assert len(person.asked) == 1
    assert here.calls().count("initiateAuthentication success") == 2


def test_a_server_that_always_forgets_is_asked_twice(make: Callable[..., World]) -> None:
    here = make()
    with pytest.raises(EsimError) as caught:
        run(here, at(PREPARING, here.servers.smdp._sessions._sessions.clear, times=9))
    assert caught.value.code == "session_lost"
    assert here.calls().count("initiateAuthentication success") == 2


def test_a_channel_that_was_lost_meanwhile_is_opened_again(make: Callable[..., World]) -> None:
    here, person = make(), Person()
    assert run(here, at(PREPARING, here.card.reset), person=person).profile.iccid == ICCID
    assert len(person.asked) == 1 and here.way.opened == 2


def test_another_profile_than_the_one_that_was_agreed_to_is_asked_about(make: Callable[..., World]) -> None:
    here, person = make(), Person()

    def change() -> None:
        here.servers.smdp._sessions._sessions.clear()
        one = here.servers.orders.all()[0]
        one.offer = replace(one.offer, policy=frozenset({"cannot_delete"}), owner="00101")

    run(here, at(PREPARING, change), person=person)
    assert len(person.asked) == 2


# --- what servers say ---

CODES = {
    "NO-SUCH-CODE": "code_unknown",
    "USED": "code_unknown",
    "BLOCKED": "confirmation_blocked",
    "NOT-RELEASED": "not_released",
    "OTHER-EID": "other_euicc",
    "EXPIRED": "order_expired",
    "NO-MEMORY": "no_memory",
    "TOO-LARGE": "no_memory",
    "NO-REBIND": "not_bindable",
    "NOT-SUITED": "not_eligible",
    "DUPLICATE": "already_installed",
    "ALONE": "policy_not_allowed",
    "WRONG-SIGNATURE": "server_signature",
    "WRONG-PACKAGE": "load_signature",
    "WRONG-SESSION": "wrong_transaction",
    "WRONG-ICCID": "metadata_mismatch",
    "WRONG-MAC": "load_damaged",
    "CUT-CLIENT": "smdp_cut",
    "CUT-PACKAGE": "smdp_cut",
    "HALF-PACKAGE": "smdp_cut",
    "STATUS-500": "server_fault",
    "WEB-PAGE": "server_reply",
    "WRONG-JSON": "server_reply",
    "NO-JSON": "server_reply",
    "EMPTY": "server_empty",
    "REDIRECT": "server_redirect",
}
HOSTS = {
    "wronghost.example.com": "tls_wrong_host",
    "untrusted.example.com": "tls_untrusted",
    "expired.example.com": "tls_expired",
    "cut.example.com": "smdp_cut",
    "http500.example.com": "server_fault",
    "wrongjson.example.com": "server_reply",
    "empty.example.com": "server_empty",
    "redirect.example.com": "server_redirect",
    "wrongsignature.example.com": "server_signature",
    "wrongchallenge.example.com": "wrong_challenge",
    "down.example.com": "smdp_unreachable",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The simulation's servers and its card, with a profile."""
    carried = CardProfile(scene.CARRIED_ICCID, name="Carried", is_enabled=True)
    made = world(tmp_path_factory.mktemp("demo"), [one.order for one in scene.all_codes() if one.order], carried)
    yield made
    made.servers.stop()


def test_every_code_of_the_simulation_that_goes_wrong_is_here() -> None:
    is_good = {"EXAMPLE-MOBILE-5GB", "EXAMPLE-MOBILE-1234", "ASKS-LATER", "LOCKED", "DENIED", "NO-NETWORK"}
    is_good |= {"SLOW-PACKAGE", "TOLD-LATE"}
    codes = scene.all_codes()
    assert {one.matching_id for one in codes} - is_good == set(CODES)
    assert {one.host for one in codes} - {SMDP} == set(HOSTS)


@pytest.mark.parametrize("token", CODES)
def test_each_code_that_goes_wrong_has_its_own_error_and_message(demo: World, token: str) -> None:
    assert fails(demo, token, "1234") == CODES[token]
    assert demo.card.enabled is not None and demo.card.open_channels == []


@pytest.mark.parametrize("host", HOSTS)
def test_each_server_that_goes_wrong_has_its_own_error(demo: World, host: str) -> None:
    demo.servers.smdp.calls.clear()
    assert fails(demo, f"LPA:1${host}$EXAMPLE-MOBILE-5GB") == HOSTS[host]
    assert "cancelSession" not in " ".join(demo.calls()), "there is no session to be cancelled"


@pytest.mark.parametrize(
    ("kind", "step", "code"),
    [
        ("wrong_address", CALLS[0], "address_mismatch"),
        ("wrong_challenge", CALLS[0], "wrong_challenge"),
        ("wrong_transaction", CALLS[0], "wrong_transaction"),
        ("wrong_transaction", CALLS[1], "wrong_transaction"),
        ("wrong_transaction", CALLS[2], "wrong_transaction"),
        ("wrong_signature", CALLS[0], "server_signature"),
        ("half", CALLS[0], "smdp_cut"),
        ("half", CALLS[1], "smdp_cut"),
        ("no_json", CALLS[2], "server_reply"),
        ("html", CALLS[2], "server_reply"),
        ("empty", CALLS[2], "server_empty"),
    ],
)
def test_a_server_that_does_wrong_at_one_step(make: Callable[..., World], kind: str, step: str, code: str) -> None:
    here = make()
    here.servers.faults.add(Fault(kind, step, times=1))
    assert fails(here) == code
    assert ("cancelSession success" in here.calls()) is (step != CALLS[0])
    assert here.download(TOKEN).profile.iccid == ICCID, "the code is still good"


def test_a_cancel_that_fails_hides_nothing(make: Callable[..., World]) -> None:
    here = make()
    here.servers.faults.add(Fault("http_500", "cancelSession"))
    assert fails(here, "NO-SUCH") == "code_unknown"
    here.card.faults.wrong_signature = "cancel"
    assert fails(here, "NO-SUCH") == "code_unknown"


def test_rules_that_the_card_does_not_allow_end_it_before_anybody_is_asked(make: Callable[..., World]) -> None:
    locked = replace(OFFER, policy=frozenset({"cannot_delete"}), owner="00101")
    here, person = make(order(offer=locked), card=NO_RULES), Person()
    assert fails(here, person=person) == "policy_not_allowed"
    assert person.asked == [] and told(here) == ["cancelled_3"]


NO_RULES = {"personality": Personality(rules=())}


# --- what the card says ---


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (1, "load_damaged"),
        (9, "already_installed"),
        (10, "no_memory"),
        (11, "load_interrupted"),
        (12, "load_profile"),
        (13, "load_mismatch"),
        (14, "load_test_key"),
        (15, "policy_not_allowed"),
        (99, "load_failed"),
        (127, "load_failed"),
    ],
)
def test_each_reason_of_the_card_has_words(make: Callable[..., World], reason: int, code: str) -> None:
    here = make()
    here.card.faults.error_reason = reason
    assert fails(here) == code
    with here.engine() as engine:
        (waiting,) = engine.euicc.notifications()
        engine.tell(waiting)
    assert [one.event for one in here.servers.smdp.told] == ["install_failed"], "the operator learns of it, too"


def test_a_card_that_has_no_room_whatever_the_server_thinks(make: Callable[..., World]) -> None:
    here = make(order(offer=replace(OFFER, size_bytes=scene.HUGE_BYTES // 10)))
    here.servers.faults.add(Fault("hides_size"))
    assert fails(here) == "no_memory"


@pytest.mark.parametrize("piece", range(1, 6))
def test_a_piece_that_is_tampered_with_ends_it_there(make: Callable[..., World], piece: int) -> None:
    here = make()
    here.card.faults.mac_failure = piece
    assert fails(here) == "load_damaged"
    here.card.faults.mac_failure = None
    with here.engine() as engine:
        for one in engine.euicc.notifications():
            engine.tell(one)
    assert here.download(TOKEN).profile.iccid == ICCID


def test_a_card_that_gives_up_in_the_middle_is_asked_what_it_has(make: Callable[..., World]) -> None:
    here = make()

    def breaks(step: str) -> None:
        if step == LOADING and here.card.faults.status_at is None:
            here.card.faults.status_at = (9, 0x6F00)

    with here.engine() as engine, pytest.raises(EsimError) as caught:
        engine.download(
            parse(f"LPA:1${SMDP}${TOKEN}"),
            confirmation_code=None,
            consent=Person(),
            progress=lambda step, fraction: breaks(step) if fraction == 0.0 else None,
            is_aborted=lambda: False,
            nickname=None,
        )
    assert caught.value.code == "load_cut" and "6F00" in caught.value.message
    assert told(here) == ["cancelled_5"]
    assert here.iccids() == []


# --- links that are lost ---


class Cutting:
    """Counts APDUs, and loses the link at one of them: before the card gets it, or behind."""

    def __init__(self, here: World, at: int, error: RemsimError, *, is_behind: bool = False) -> None:
        self.seen = 0
        self._here, self._at, self._error, self._is_behind = here, at, error, is_behind
        here.way.cut = self

    def __call__(self, apdu: bytes) -> None:
        self.seen += 1
        if self.seen == self._at:
            if self._is_behind:
                self._here.card.transmit(apdu)
            raise self._error


def test_a_link_lost_at_any_apdu_costs_neither_code_nor_card(make: Callable[..., World]) -> None:
    here = make(order(offer=replace(OFFER, size_bytes=1500)))
    here.settings = EsimSettings(block_size=255)
    counting = Cutting(here, -1, ModemGone("x"))
    here.download(TOKEN)
    total, codes = counting.seen, set()
    for at in range(1, total + 1):
        for is_behind in (False, True):
            here = fresh(here)
            Cutting(here, at, AtTimeout("AT+CGLA", 10.0), is_behind=is_behind)
            try:
                installed = here.download(TOKEN)
                assert installed.profile.iccid == ICCID, "it was there after all"
            except RemsimError as error:
                codes.add(error.code)
                assert here.iccids() == [], f"a failure at APDU {at}, and yet there is a profile"
                here.way.cut = lambda apdu: None
                assert here.download(TOKEN).profile.iccid == ICCID
            assert here.iccids() == [ICCID]
    assert "load_cut" in codes and "at_timeout" in codes


def fresh(here: World) -> World:
    """The same servers with the code unused, and a card without profiles."""
    here.way.cut = lambda apdu: None
    card = VirtualEuicc(here.card._credentials)
    one = here.servers.orders.all()[0]
    one.state, one.fetched_by, one.attempts = "released", None, 0
    return replace(here, card=card, way=VirtualWay(card), steps=[])


def test_a_profile_that_is_there_after_all_is_no_failure(make: Callable[..., World]) -> None:
    """The answer to the last piece is lost, as with modems that answer too late."""
    here = make()
    here.settings = EsimSettings(block_size=255)
    cutting = Cutting(here, -1, ModemGone("x"))
    seen: list[int] = []

    def note(step: str, fraction: float | None) -> None:
        if step == LOADING and fraction == 1.0:
            seen.append(cutting.seen)

    last = run(here, note) and seen[0]
    here = fresh(here)
    Cutting(here, last, AtTimeout("AT+CGLA", 240.0), is_behind=True)
    installed = run(here, lambda step, fraction: None, nickname="Late")
    assert (installed.profile.iccid, installed.profile.nickname) == (ICCID, "Late")
    assert here.clock.slept == [], "a card that answers at once is not waited for"  # type: ignore[attr-defined]
    assert "cancelSession success" not in here.calls()


def run(
    here: World,
    progress: Callable[[str, float | None], None],
    nickname: str | None = None,
    person: Person | None = None,
) -> Any:
    with here.engine() as engine:
        return engine.download(
            parse(f"LPA:1${SMDP}${TOKEN}"),
            confirmation_code=None,
            consent=person or Person(),
            progress=progress,
            is_aborted=lambda: False,
            nickname=nickname,
        )


def test_a_modem_that_restarts_is_waited_for_before_anything_is_said(make: Callable[..., World]) -> None:
    here = make()
    gone = {"apdus": 0}

    def cut(apdu: bytes) -> None:
        if any(step == LOADING and fraction and fraction > 0.5 for step, fraction in here.steps):
            gone["apdus"] += 1
            if gone["apdus"] < 4:
                raise ModemGone("/dev/ttyUSB2")

    here.way.cut = cut
    assert fails(here) == "load_cut"
    assert here.clock.slept == [2.0, 5.0]  # type: ignore[attr-defined]
    assert here.way.opened == 3 and told(here) == ["cancelled_5"]


def test_a_card_that_is_gone_for_good_is_no_profile_that_failed(make: Callable[..., World]) -> None:
    here = make()

    def cut(apdu: bytes) -> None:
        if any(step == LOADING and fraction and fraction > 0.5 for step, fraction in here.steps):
            here.card.faults.is_removed = True

    here.way.cut = cut
    with pytest.raises(EsimError) as caught:
        here.download(TOKEN)
    assert caught.value.code == "load_unknown" and "read the card anew" in str(caught.value.hint)
    assert len(here.clock.slept) == 5  # type: ignore[attr-defined]


class Killed(BaseException):
    """As by a power cut: nobody clears up."""


@pytest.mark.parametrize(("step", "fraction"), [*((step, 0.0) for step in STEPS), (LOADING, 0.5), (LOADING, 0.9)])
def test_a_download_that_was_killed_leaves_nothing_in_the_way(
    make: Callable[..., World], step: str, fraction: float
) -> None:
    here = make()

    def note(now: str, done: float | None) -> None:
        if now == step and (done or 0.0) >= fraction:
            raise Killed

    with pytest.raises(Killed):
        run(here, note)
    assert "cancelSession" not in " ".join(here.calls())
    here.card.reset()
    assert here.iccids() == []
    assert here.download(TOKEN).profile.iccid == ICCID
    assert here.iccids() == [ICCID]


def test_a_profile_that_came_before_the_end_is_not_downloaded_twice(make: Callable[..., World]) -> None:
    here = make()

    def note(step: str, done: float | None) -> None:
        if done == 1.0:
            raise Killed

    with pytest.raises(Killed):
        run(here, note)
    here.card.reset()
    assert here.iccids() == [ICCID]
    assert fails(here) == "already_installed"
    with here.engine() as engine:
        assert [one.operation for one in engine.euicc.notifications()], "its operator is still to be told"


# --- operators that are told ---


def test_a_notification_stays_until_it_is_taken(make: Callable[..., World]) -> None:
    here = make()
    here.download(TOKEN)
    here.servers.faults.add(Fault("http_500", "handleNotification", times=1))
    with here.engine() as engine:
        first, *_ = engine.euicc.notifications()
        with pytest.raises(EsimError) as caught:
            engine.tell(first)
        assert caught.value.code == "server_fault" and not here.servers.smdp.told
        assert first.seq in [one.seq for one in engine.euicc.notifications()]
        engine.tell(first)
        assert [one.sequence for one in here.servers.smdp.told] == [first.seq]
        assert engine.euicc.remove_notification(first.seq)


def test_an_operator_is_told_of_a_whole_life_in_its_order(make: Callable[..., World]) -> None:
    here = make()
    here.download(TOKEN)
    with here.engine() as engine:
        (profile,) = engine.euicc.profiles()
        engine.euicc.enable(profile, refresh=False)
        engine.euicc.disable(profile, refresh=False)
        engine.euicc.delete(profile)
        waiting = engine.euicc.notifications()
        assert [one.seq for one in waiting] == sorted(one.seq for one in waiting)
        for one in waiting:
            engine.tell(one)
            engine.euicc.remove_notification(one.seq)
    events = [one.event for one in here.servers.smdp.told]
    assert list(dict.fromkeys(events)) == ["install", "enable", "disable", "delete"]
    assert all(one.is_proven for one in here.servers.smdp.told)


def test_an_address_that_is_none_is_an_error_and_no_request(make: Callable[..., World]) -> None:
    here = make()
    with here.engine() as engine, pytest.raises(InvalidInput):
        engine._client("https://evil/")  # type: ignore[attr-defined]


# --- discovery ---


def test_discovery_finds_none_one_and_many(make: Callable[..., World]) -> None:
    here = make()
    with here.engine() as engine:
        assert engine.discover(SMDS) == []
        here.servers.events.append(Event(here.card.eid, "EV-1", SMDP))
        here.servers.events.append(Event(OTHER_EID, "EV-X", SMDP))
        assert engine.discover(SMDS) == [(SMDP, "EV-1")]
        here.servers.events.append(Event(here.card.eid, "EV-2", "other.example.com"))
        here.servers.events.append(Event(here.card.eid, "EV-2", "other.example.com"))
        assert engine.discover(SMDS) == [(SMDP, "EV-1"), ("other.example.com", "EV-2")]


OTHER_EID = scene.OTHER_EID


def test_a_discovery_server_that_refuses_has_nothing(make: Callable[..., World]) -> None:
    here = make()
    here.servers.smds.is_empty = here.servers.smds.refuses = True
    with here.engine() as engine:
        assert engine.discover(SMDS) == []
        here.servers.smds.is_empty = here.servers.smds.refuses = False
        here.servers.smds_faults.add(Fault("http_500", CALLS[1]))
        with pytest.raises(EsimError, match="HTTP 500"):
            engine.discover(SMDS)


def test_an_sm_dp_is_no_discovery_server(make: Callable[..., World]) -> None:
    here = make(order(matching_id=""))
    here.servers.orders.all()[0].eid = here.card.eid
    with here.engine() as engine, pytest.raises(EsimError, match="no discovery server"):
        engine.discover(SMDP)


def test_what_was_discovered_is_downloaded(make: Callable[..., World]) -> None:
    here = make(order(matching_id="EV-1"))
    here.servers.events.append(Event(here.card.eid, "EV-1", SMDP))
    with here.engine() as engine:
        (entry,) = engine.discover(SMDS)
    assert here.download(f"LPA:1${entry.smdp_address}${entry.event_id}").profile.iccid == ICCID


def test_a_discovery_server_sends_on_once(make: Callable[..., World]) -> None:
    here = make(order(matching_id="EV-1"))
    here.servers.events.append(Event(here.card.eid, "EV-1", SMDP))
    assert here.download(f"LPA:1${SMDS}$EV-1").profile.iccid == ICCID
    here.servers.events[:] = [Event(here.card.eid, "EV-1", SMDS)]
    assert fails(here, f"LPA:1${SMDS}$EV-1") == "server_reply"
    here.servers.events.clear()
    assert fails(here, f"LPA:1${SMDS}$EV-1") == "no_event"


# --- a server that we did not write ---

FOREIGN, CREDENTIALS = "REMSIM_TEST_SMDP", "REMSIM_TEST_SMDP_CREDENTIALS"


@pytest.mark.skipif(
    FOREIGN not in os.environ,
    reason=f"no foreign server: set {FOREIGN} to an activation code of it, and what docs/esim.md says besides",
)
def test_a_foreign_server_gives_a_profile() -> None:
    """The same LPA, with a virtual card that the server trusts: see docs/esim.md, "Another SM-DP+ or card"."""
    from remsim.simulator.euicc.credentials import from_directory

    card = VirtualEuicc(from_directory(Path(os.environ[CREDENTIALS])))
    with opened(
        [VirtualWay(card)], settings=EsimSettings(), trust=Trust(), hosts={}, clock=SystemClock(), imei=None
    ) as engine:
        code = os.environ.get(f"{FOREIGN}_CODE")
        installed = engine.download(
            parse(os.environ[FOREIGN]),
            confirmation_code=code,
            consent=Person(code),
            progress=lambda step, fraction: None,
            is_aborted=lambda: False,
            nickname="Foreign",
        )
        assert [one.iccid for one in card.profiles] == [installed.profile.iccid]
        for one in engine.euicc.notifications():
            engine.tell(one)
            engine.euicc.remove_notification(one.seq)
        assert engine.euicc.notifications() == []


def test_the_environment_leads_to_a_foreign_server(
    make: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the test above relies on, with our own servers."""
    here = make()
    monkeypatch.setenv(CA_VARIABLE, str(here.ca_file))
    monkeypatch.setenv(HOSTS_VARIABLE, ",".join(f"{host}={place}" for host, place in here.servers.hosts.items()))
    with opened(
        [here.way], settings=EsimSettings(), trust=Trust(), hosts={}, clock=QuickClock(), imei=None
    ) as engine:
        assert engine.way == "a virtual card" and engine.managed_by() is None
        assert run_with(engine).profile.iccid == ICCID


def run_with(engine: Any) -> Any:
    return engine.download(parse(f"LPA:1${SMDP}${TOKEN}"), consent=Person())
