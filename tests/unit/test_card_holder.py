"""A scripted modem as what holds an eUICC: which ways there are, why there are none, what reading anew sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from control_bench import USB_PATH, ControlBench
from fake_tools import FakeTools
from modem_bench import wait_for
from remsim.core.card import is_same_card
from remsim.core.errors import NoApplication, NotTaken
from remsim.core.jobs import Job
from remsim.modems.card import cgla, holder
from remsim.modems.card.holder import EuiccHolder
from remsim.modems.control import power, slot
from remsim.modems.drivers import driver_for
from remsim.modems.gpio import Gpio, Line
from scripted_modem import OK, framed
from usb_tree import UsbTree


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ControlBench]]:
    for module, name, seconds in (
        *((holder, name, 3.0) for name in ("RENEWED_S", "BACK_S")),
        *((slot, name, 0.2) for name in ("LOOK_S", "LOOK_TIMEOUT_S")),
        *((power, "RESTART_S", 0.6), (power, "LOOK_S", 0.2), (cgla, "PAUSE_S", 0.0), (holder, "CARD_S", 1.0)),
    ):
        monkeypatch.setattr(module, name, seconds)
    made: list[ControlBench] = []

    def build(**options: Any) -> ControlBench:
        made.append(ControlBench(tmp_path, monkeypatch, **options).start())
        return made[-1]

    yield build
    for bench in made:
        bench.close()


def holder_of(bench: ControlBench) -> EuiccHolder:
    return EuiccHolder(bench.manager.modem("modem1"), bench.means)


def job() -> Job:
    return Job("1", "esim-switch", 0.0)


class Lines(Gpio):
    """A board whose SIM lines lead to the remote card."""

    value = 1

    def __init__(self, bench: ControlBench) -> None:
        super().__init__(bench.tree.sys, bench.clock)

    def get(self, line: Line) -> int:
        return self.value


def test_a_modem_with_the_card_of_a_remote_sim_says_so(make: Callable[..., ControlBench]) -> None:
    bench = make(sim_gpio="20", gpio=Lines)
    assert "remote SIM" in (holder_of(bench).why_not() or "")
    Lines.value = 0
    assert holder_of(bench).why_not() is None
    Lines.value = 1


def test_a_familys_ways_come_in_its_order(make: Callable[..., ControlBench]) -> None:
    assert [way.kind for way in holder_of(make()).ways()] == ["cgla", "csim"]


def test_the_way_that_was_set_comes_before_the_familys(make: Callable[..., ControlBench]) -> None:
    bench = make(card_way="csim")
    assert [(way.kind, way.label) for way in holder_of(bench).ways()] == [("csim", "AT+CSIM"), ("cgla", "AT+CGLA")]


def test_a_control_device_is_the_last_way_where_its_program_is(
    make: Callable[..., ControlBench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plug(tree: UsbTree) -> None:
        tree.plug(USB_PATH, "2c7c:0801", "RM520N-GL")
        for number in range(4):
            tree.interface(USB_PATH, number, tty=f"ttyUSB{number}")
        tree.interface(USB_PATH, 4, net="simwwan0", wdm="cdc-wdm0", driver="cdc_mbim")

    bench = make(plug=plug)
    one = holder_of(bench)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert [way.kind for way in one.ways()] == ["cgla", "csim"]
    FakeTools(tmp_path, monkeypatch, "mbimcli")
    assert [way.kind for way in one.ways()] == ["cgla", "csim", "mbim"]


def test_reading_the_card_anew_is_the_familys_command_and_a_new_session(make: Callable[..., ControlBench]) -> None:
    bench = make()
    bench.modem.answers |= {"AT+CFUN=0": OK, "AT+CFUN=1": OK}
    seen = bench.target.modem.identifications
    holder_of(bench).refresh(job(), hard=False)
    assert [one for one in bench.modem.commands if "CFUN=" in one] == ["AT+CFUN=0", "AT+CFUN=1"]
    assert bench.target.modem.identifications > seen


def test_a_modem_that_refuses_that_is_left_as_it_is(make: Callable[..., ControlBench]) -> None:
    bench = make()
    holder_of(bench).refresh(job(), hard=False)  # ERROR to both; who asked looks for the card itself
    assert holder_of(bench).why_not() is None


def test_a_restart_that_does_not_happen_is_told(make: Callable[..., ControlBench]) -> None:
    bench = make()
    bench.modem.answers["AT+CFUN=1,1"] = framed("ERROR")
    with pytest.raises(NotTaken, match="did not restart") as caught:
        holder_of(bench).refresh(job(), hard=True)
    assert "CFUN=1,1" in caught.value.message


def test_a_card_without_the_application_in_a_modem_of_two_slots_says_which_was_asked(
    make: Callable[..., ControlBench],
) -> None:
    bench = make()
    bench.modem.answers |= {"AT+QUIMSLOT?": framed("+QUIMSLOT: 1\n\nOK"), "AT+CCHO=?": OK}
    bench.target.hasten("SLOT")
    wait_for(lambda: bench.target.reading is not None and bench.target.reading.sim_slot == 1)
    with pytest.raises(NoApplication) as caught:
        holder_of(bench).ways()[0].open(b"\xa0" * 16)
    assert "slot 1 was asked" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("vendor", "model", "ways", "own"),
    [
        ("quectel", "EC25", ("csim", "cgla"), None),
        ("quectel", "EG25-G", ("csim", "cgla"), None),
        ("quectel", "EC200A", ("cgla", "csim"), None),
        ("quectel", "RM520N-GL", ("cgla", "csim"), None),
        ("sierra", "EM9191", ("cgla", "csim"), 2),
        ("sierra", "EM7565", ("cgla", "csim"), None),
        ("fibocom", "FM350-GL", ("cgla", "csim"), 2),
        ("fibocom", "FM160-EAU", ("cgla", "csim"), None),
    ],
)
def test_what_families_are_known_for(vendor: str, model: str, ways: tuple[str, ...], own: int | None) -> None:
    driver = driver_for(vendor, model)
    assert (driver.card_ways, driver.euicc_slot) == (ways, own)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("89490200001234567890", "89490200001234567890", True),
        ("8949020000123456789F", "8949020000123456789", True),
        ("8949020000123456789", "89490200001234567897", True),
        ("894902000012345678", "89490200001234567890", True),
        ("89490200001234567890", "89490200001234567891", False),
        ("8949", "89490200001234567890", False),
        (None, "8949", False),
        ("", "", False),
    ],
)
def test_numbers_of_one_card(one: str | None, other: str | None, is_same: bool) -> None:
    assert is_same_card(one, other) is is_same
    assert is_same_card(other, one) is is_same
