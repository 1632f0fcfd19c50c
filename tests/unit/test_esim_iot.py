"""SGP.32: what a card tells, a first eIM, and packages of an eIM that are carried out and answered."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from esim_support import Card, Holder, bench
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.clock import SystemClock
from remsim.core.errors import InvalidInput, ModemGone, RemsimError
from remsim.core.jobs import Job
from remsim.core.tlv import encode, encode_integer, read_one
from remsim.esim.iot import messages
from remsim.esim.iot.eims import add_request, read_eims
from remsim.esim.iot.work import IotWork
from remsim.esim.room import Room
from remsim.esim.work import Work
from remsim.simulator.euicc import credentials, pki, scene
from remsim.simulator.euicc.card import VirtualEuicc
from remsim.simulator.euicc.cards import demonstration
from remsim.simulator.euicc.chip import Personality
from remsim.simulator.euicc.profiles import iccid_octets
from remsim.simulator.euicc.servers import Servers
from remsim.simulator.euicc.way import VirtualWay
from toy_eim import HOST, ToyEim

HOME = ("89999010000000000001", "999010000000001")


class CardHolder(Holder):
    """A modem with a virtual card that keeps its word."""

    def __init__(self, euicc: VirtualEuicc) -> None:
        super().__init__(Card(), SystemClock())
        self.euicc = euicc
        self.waited = 0

    def ways(self) -> list[Any]:
        return [VirtualWay(self.euicc)]

    def refresh(self, job: Job, *, hard: bool) -> None:
        self.refreshed.append("soft")
        self.euicc.reset()

    def wait_registered(self, within_s: float, job: Job, iccid: str | None = None) -> bool:
        self.waited += 1
        return True


class Place:
    """A router with a card for SGP.32, its eIM, and an operator's servers."""

    def __init__(self, directory: Path, *, is_iot: bool = True) -> None:
        self.ci = pki.make_ci()
        self.eim = ToyEim()
        self.servers = Servers(self.ci, scene.orders(scene.codes()))
        kind = Personality(is_iot=is_iot)
        self.card = VirtualEuicc(credentials.make(self.ci), demonstration(*HOME), personality=kind)
        self.holder = CardHolder(self.card)
        made = bench(directory, clock=SystemClock())
        room = made.room
        ca = directory / "ci.pem"
        ca.write_bytes(self.ci.certificate.public_bytes(Encoding.PEM))
        hosts = self.servers.start() | {HOST: self.eim.place}
        self.room = Room(
            room.settings, room.clock, room.emit, room.jobs, room.store, room.cards, room.config, room.data_dir,
            room.sim_of, lambda: [self.holder], hosts, (ca,),
        )  # fmt: skip
        self.work = Work(self.room, made.codes, made.telling)
        self.work.telling.room = self.room  # type: ignore[attr-defined]
        self.iot = IotWork(self.room, self.work)

    def done(self, job: Job) -> dict[str, Any]:
        assert job.wait(60)
        assert job.state == "done", (job.code, job.error)
        return dict(job.result)

    def add(self, tls: str | None = "certificate") -> dict[str, Any]:
        return self.done(self.iot.add("modem1", self.eim.configuration(tls).hex(), "a test"))

    def poll(self) -> list[dict[str, Any]]:
        return list(self.done(self.iot.poll("modem1", "a test"))["last_poll"]["done"])

    def enabled(self) -> str | None:
        return None if self.card.enabled is None else self.card.enabled.iccid

    def stop(self) -> None:
        self.eim.stop()
        self.servers.stop()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.stop()


def enable(iccid: str, *, rolls_back: bool = False) -> bytes:
    return encode(0xA3, encode(0x5A, iccid_octets(iccid)), encode(0x05) if rolls_back else b"")


def test_a_card_tells_whether_it_is_for_iot_and_who_manages_it(place: Place) -> None:
    assert place.iot.view("modem1")["read_at"] is None
    found = place.done(place.iot.read("modem1", None))
    assert found["is_iot"] and found["eims"] == [] and found["has_certificates"] and found["unsupported"]
    (eim,) = place.add()["eims"]
    assert (eim["id"], eim["fqdn"], eim["tls"], eim["id_type"]) == (HOST, HOST, "certificate", "fqdn")
    with place.room.engine(place.holder) as engine:
        assert engine.managed_by() == HOST


def test_an_eim_is_told_when_somebody_else_changed_the_profiles(place: Place) -> None:
    place.add()
    assert place.poll() == [] == place.poll() and place.eim.told_of_changes == [False, False]
    with place.room.engine(place.holder) as engine:
        engine.euicc.disable(next(one for one in engine.euicc.profiles() if one.state == "enabled"))
    assert place.poll() == [] == place.poll() and place.eim.told_of_changes == [False, False, True, False]


def test_a_second_eim_is_for_the_first_one_to_add(place: Place) -> None:
    place.add()
    job = place.iot.add("modem1", place.eim.configuration().hex(), None)
    assert job.wait(60) and (job.state, job.code) == ("failed", "eim_refused") and job.hint


def test_a_consumers_card_knows_no_eim(tmp_path: Path) -> None:
    place = Place(tmp_path, is_iot=False)
    try:
        assert place.done(place.iot.read("modem1", None))["is_iot"] is False
        job = place.iot.poll("modem1", None)
        assert job.wait(60) and job.code == "not_iot"
    finally:
        place.stop()


@pytest.mark.parametrize("tls", ["certificate", "key", "authority", "untagged"])
def test_nothing_waits(place: Place, tls: str) -> None:
    place.add(tls)
    assert place.poll() == [] and place.eim.asked == [bytes.fromhex(place.card.eid)]


@pytest.mark.parametrize("tls", ["other", None])
def test_an_eim_that_shows_another_key_is_not_talked_to(place: Place, tls: str | None) -> None:
    place.add(tls)
    job = place.iot.poll("modem1", None)
    assert job.wait(60) and job.code in ("tls_untrusted", "tls_failed") and not place.eim.asked


def test_a_package_switches_and_its_signed_result_is_brought_back(place: Place) -> None:
    place.add()
    other = next(one.iccid for one in place.card.profiles if one.iccid != place.enabled())
    place.eim.waiting = [place.eim.package(place.card.eid, enable(other))]
    (done,) = place.poll()
    assert done == {"eim": HOST, "kind": "package", "ok": True, "text": "done, with a switch of profiles"}
    assert place.enabled() == other and place.holder.waited == 1
    assert read_one(place.eim.brought[0]).find(0xBF51, 0xA0) is not None
    with place.room.engine(place.holder) as engine:
        assert all(one.operation in ("enable", "disable") for one in engine.euicc.notifications())


def test_a_switch_whose_result_cannot_be_brought_is_undone_where_the_eim_allows_it(place: Place) -> None:
    place.add()
    before = place.enabled()
    other = next(one.iccid for one in place.card.profiles if one.iccid != before)
    place.eim.waiting = [place.eim.package(place.card.eid, enable(other, rolls_back=True))]
    place.holder.wait_registered = lambda *_: setattr(place.eim, "status", 503) or True  # type: ignore[method-assign]
    job = place.iot.poll("modem1", None)
    assert job.wait(60) and place.enabled() == before, job.error


def test_a_modem_that_does_not_come_back_is_a_reason_to_undo_a_switch(place: Place) -> None:
    place.add()
    before = place.enabled()
    other = next(one.iccid for one in place.card.profiles if one.iccid != before)
    place.eim.waiting = [place.eim.package(place.card.eid, enable(other, rolls_back=True))]
    place.holder.moods.next["soft"] = [ModemGone("it left the bus")]
    place.holder.refresh = Holder.refresh.__get__(place.holder)  # type: ignore[method-assign]
    (done,) = place.poll()
    assert not done["ok"] and "went back" in done["text"] and place.enabled() == before


def test_a_switch_that_takes_the_modem_with_it_is_found_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.add()
    monkeypatch.setattr("remsim.esim.iot.ipa.AGAIN_S", 0.01)
    other = next(one.iccid for one in place.card.profiles if one.iccid != place.enabled())
    place.eim.waiting = [place.eim.package(place.card.eid, enable(other))]
    transmit, away = place.card.transmit, [3]

    def lost(apdu: bytes) -> bytes:
        answer = transmit(apdu)
        is_end_of_package = apdu[1:3] == b"\xe2\x91" and apdu[3] > 0
        if is_end_of_package or 0 < away[0] < 3:
            away[0] -= 1
            raise ModemGone("a test")
        return answer

    place.card.transmit = lost  # type: ignore[method-assign]
    (done,) = place.poll()
    assert done["ok"] and "switch" in done["text"] and place.enabled() == other and away == [0]
    assert read_one(place.eim.brought[0]).find(0xBF51, 0xA0) is not None


def test_a_result_that_could_not_be_brought_is_brought_the_next_time(place: Place) -> None:
    place.add()
    place.eim.waiting = [place.eim.package(place.card.eid, encode(0xBF2D))]
    place.eim.lose_results = 1
    job = place.iot.poll("modem1", None)
    assert job.wait(60) and job.code == "server_fault"
    assert [one["kind"] for one in place.poll()] == ["result"] and len(place.eim.brought) == 1
    assert place.poll() == []  # it was acknowledged, so the card has forgotten it


def test_an_error_in_the_place_of_an_acknowledgement_is_told(place: Place) -> None:
    place.add()
    place.eim.waiting = [place.eim.package(place.card.eid, encode(0xBF2D))]
    place.eim.acknowledgement = encode(0xBF50, encode(0x02, b"\x03"))
    job = place.iot.poll("modem1", None)
    assert job.wait(60) and job.code == "eim_error" and "EID is not valid" in (job.error or "")
    place.eim.acknowledgement = encode(0xBF50, encode(0x30))
    assert [one["ok"] for one in place.poll()] == [True]


def test_a_disabled_profile_is_not_waited_for(place: Place) -> None:
    place.add()
    enabled = place.enabled()
    assert enabled is not None
    place.eim.waiting = [place.eim.package(place.card.eid, encode(0xA4, encode(0x5A, iccid_octets(enabled))))]
    (done,) = place.poll()
    assert done["ok"] and place.enabled() is None and place.holder.waited == 0 and place.holder.refreshed


def test_a_package_of_somebody_else_is_the_cards_to_refuse(place: Place) -> None:
    place.add()
    stranger = ToyEim()
    package = stranger.package(place.card.eid, enable(HOME[0]))
    stranger.stop()
    place.eim.waiting = [package]
    (done,) = place.poll()
    assert done["ok"] and read_one(place.eim.brought[0]).find(0xBF51, 0xA2) is not None  # the refusal went back


def test_an_eim_is_told_what_it_asks_for(place: Place) -> None:
    place.add()
    tags = bytes.fromhex("BF20BF2283A5A6")
    place.eim.waiting = [encode(0xBF52, encode(0x5C, tags), encode(0x83, b"\x07\x07"))]
    (done,) = place.poll()
    told = read_one(place.eim.brought[0]).find(0xBF52, 0xA0)
    assert done["ok"] and told is not None
    assert {one.tag for one in told.children()} == {0xBF20, 0xBF22, 0x83, 0xA5, 0xA6, 0x87}
    assert told.find(0x87).value == b"\x07\x07"  # type: ignore[union-attr]


def test_what_is_told_is_in_the_order_of_the_specification(place: Place) -> None:
    place.add()
    place.eim.waiting = [encode(0xBF52, encode(0x5C, b""), encode(0x83, b"\x07"))]
    (done,) = place.poll()
    told = read_one(place.eim.brought[0]).find(0xBF52, 0xA0)
    assert done["ok"] and told is not None
    tags = [one.tag for one in told.children()]
    assert tags == [one for one in messages.DATA_TAGS if one in tags] and {0xA2, 0xA8, 0xA9, 0x87} <= set(tags)
    device = told.find(0xA9, 0x82)
    assert device is not None and device.value.hex().upper() == "941045022373158F"


def test_an_eim_chooses_notifications(place: Place) -> None:
    place.add()
    other = next(one.iccid for one in place.card.profiles if one.iccid != place.enabled())
    with place.room.engine(place.holder) as engine:
        engine.euicc.enable(next(one for one in engine.euicc.profiles() if one.iccid == other))
        waiting = engine.euicc.notifications()
    tags = encode(0x5C, b"\xa0")
    place.eim.waiting = [
        encode(0xBF52, tags, encode(0xA1, encode(0x81, b"\x06\x40"))),
        encode(0xBF52, tags, encode(0xA1, encode(0x80, encode_integer(waiting[0].seq)))),
        encode(0xBF52, tags),
    ]
    assert [one["ok"] for one in place.poll()] == [True] * 3
    lists = [read_one(one).find(0xBF52, 0xA0, 0xA0) for one in place.eim.brought]
    enabled = sum(one.operation == "enable" for one in waiting)
    assert [len(one.children()) for one in lists if one] == [enabled, 1, len(waiting)]


def test_an_eim_orders_a_download(place: Place) -> None:
    place.add()
    code = scene.codes()[0].activation_code
    place.eim.waiting = [encode(0xBF54, encode(0xA0, encode(0x80, code.encode())), encode(0x82, b"\x09"))]
    (done,) = place.poll()
    result = read_one(place.eim.brought[0]).find(0xBF54)
    assert done["ok"] and result is not None and result.find(0xBF37) is not None and result.find(0x82) is not None
    assert len(place.card.profiles) == 3


@pytest.mark.parametrize(
    "order",
    [
        encode(0xA0, encode(0x80, b"LPA:1$smdpplus.example.com$NO-SUCH-CODE")),
        encode(0xA0, encode(0xA2, b"")),
        encode(0xA0, encode(0x81, b"")),
    ],
)
def test_a_download_that_does_not_go_is_answered_too(place: Place, order: bytes) -> None:
    place.add()
    place.eim.waiting = [encode(0xBF54, order)]
    (done,) = place.poll()
    result = read_one(place.eim.brought[0]).find(0xBF54, 0x30)
    assert not done["ok"] and result is not None and len(place.card.profiles) == 2


@pytest.mark.parametrize("inside", [b"", encode(0x30), bytes(40_000)])
def test_a_package_that_no_card_takes_is_answered_too(place: Place, inside: bytes) -> None:
    place.add()
    place.eim.waiting = [encode(0xBF51, inside)]
    (done,) = place.poll()
    assert not done["ok"] and done["text"]
    assert [one.hex() for one in place.eim.brought] == ["bf5005a003020101"]


def test_an_eims_error_and_nonsense_are_told(place: Place) -> None:
    place.add()
    place.eim.waiting = [encode(0x02, b"\x02")]
    job = place.iot.poll("modem1", None)
    assert job.wait(60) and job.code == "eim_error" and "does not know this card" in (job.error or "")
    place.eim.waiting = [b"\xff"]
    job = place.iot.poll("modem1", None)
    assert job.wait(60) and job.code == "server_reply"


def test_a_file_is_taken_in_every_usual_form() -> None:
    eim = ToyEim()
    one = eim.configuration()
    eim.stop()
    wanted = encode(0xBF57, encode(0xA0, one))
    for data in (one, encode(0xA0, one), wanted):
        assert add_request(data.hex()) == wanted == add_request(b64encode(data).decode())
    assert read_eims(encode(0xBF55, encode(0xA0, one)))[0].tls is not None


@pytest.mark.parametrize("blob", ["", "zz", "30", "BF5700", "BF5702A000", "3000", "00" * 9000])
def test_a_file_that_is_none_is_refused(blob: str) -> None:
    with pytest.raises(InvalidInput) as error:
        add_request(blob)
    assert error.value.field == "blob"


def test_octets_are_those_of_the_specification() -> None:
    assert messages.roll_back().hex().upper() == "BF58038001FF"
    assert messages.results_request().hex().upper() == "BF2B04A0028200"
    assert messages.read_rolled_back(bytes.fromhex("BF5803020100")) == (True, None)
    assert messages.read_rolled_back(bytes.fromhex("BF5803020101"))[0] is False
    again = bytes.fromhex("BF510430023000")
    assert messages.read_rolled_back(encode(0xBF58, bytes.fromhex("020100"), again)) == (True, again)
    one = encode(0x30, encode(0x80, b"eim1"), encode(0x87, b"\x03\xc8"), encode(0x84, b"\x05"))
    (eim,) = read_eims(encode(0xBF55, encode(0xA0, one)))
    assert eim.protocols == ("HTTPS by retrieval", "CoAPs by retrieval", "proprietary")
    assert eim.as_dict()["has_token"] and "token" not in eim.as_dict()


@given(st.binary(max_size=120))
def test_no_octets_of_an_eim_break_the_readers(data: bytes) -> None:
    for read in (
        messages.read_package, messages.read_acknowledged, messages.read_results, messages.eim_of, read_eims,
        lambda one: messages.read_data_request(read_one(one)), lambda one: messages.read_download(read_one(one)),
    ):  # fmt: skip
        for candidate in (data, encode(0xBF4F, data), encode(0xBF55, encode(0xA0, encode(0x30, data)))):
            try:
                read(candidate)
            except RemsimError:
                continue
