"""A simulated modem as what holds an eUICC: its card is asked beside its polling, switched, read anew."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from modem_bench import wait_for
from remsim.config.settings import Settings, load_settings
from remsim.core.card import AccessPoint, is_same_card
from remsim.core.clock import SystemClock
from remsim.core.errors import Conflict, NoApplication, RemsimError
from remsim.core.jobs import Job
from remsim.core.reading import ModemReading
from remsim.esim.apdu import open_isdr
from remsim.esim.es10.profiles import Profile
from remsim.esim.euicc import Euicc
from remsim.esim.holder import Holder
from remsim.modems.card.holder import EuiccHolder
from remsim.modems.control.means import Means
from remsim.modems.control.pending import Pending
from remsim.modems.control.seen import SeenBands
from remsim.modems.gpio import Gpio
from remsim.modems.inhibitions import Inhibitions
from remsim.modems.manager import ModemManager
from remsim.modems.netifd import Netifd
from remsim.simulator.process import SimulatorProcess

MODELS = ("RM520N-GL", "FM350-GL")
WITHIN_S = 40.0


@dataclass
class Bench:
    """Two modems; the first one's card is an eUICC with two profiles."""

    simulator: SimulatorProcess
    manager: ModemManager
    means: Means
    readings: list[ModemReading] = field(default_factory=list)

    def holder(self, number: int = 1) -> EuiccHolder:
        place = f"1-1.{number}"
        found = next(view["id"] for view in self.manager.views() if view["usb_path"] == place)
        return EuiccHolder(self.manager.modem(found), self.means)

    def fault(self, fault: str) -> None:
        self.simulator.control.fault("1-1.1", fault)

    def all_online(self) -> None:
        wait_for(lambda: [view["state"] for view in self.manager.views()] == ["online"] * 2, WITHIN_S)

    def profiles(self) -> list[Profile]:
        with self.opened() as euicc:
            return euicc.profiles()

    def opened(self, number: int = 1) -> Euicc:
        isdr, _ = open_isdr(self.holder(number).ways())
        return Euicc(isdr)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    simulator = SimulatorProcess(tmp_path_factory.mktemp("devices"), 2, models=MODELS)
    simulator.start()
    simulator.control.set_time_scale(0.1)
    clock, state = SystemClock(), tmp_path_factory.mktemp("state")
    means = Means(
        clock=clock,
        sysfs_root=simulator.sysfs_root,
        config_dir=None,
        gpio=Gpio(simulator.sysfs_root, clock),
        netifd=Netifd(is_used=False),
        inhibitions=Inhibitions(),
        seen_bands=SeenBands(state),
        pending=Pending(state),
    )
    readings: list[ModemReading] = []
    settings: Settings = load_settings(simulator.config_dir)
    manager = ModemManager(
        settings=settings,
        clock=clock,
        publish_reading=readings.append,
        emit=lambda event: None,
        state_dir=state,
        sysfs_root=simulator.sysfs_root,
        dev_root=simulator.dev_root,
        scan_period_s=0.5,
    )
    manager.start()
    bench = Bench(simulator, manager, means, readings)
    bench.all_online()
    yield bench
    manager.stop()
    simulator.stop()
    means.close()


@pytest.fixture(autouse=True)
def as_before(bench: Bench) -> Iterator[None]:
    bench.all_online()
    yield
    bench.fault("clear")


@pytest.fixture
def job() -> Job:
    return Job("1", "esim-switch", 0.0)


def state_of(profiles: list[Profile]) -> list[str | None]:
    return [one.state for one in profiles]


def test_a_card_is_asked_while_its_modem_is_polled(bench: Bench) -> None:
    holder: Holder = bench.holder()
    assert (holder.kind, holder.name, holder.why_not()) == ("modem", "Quectel RM520N-GL", None)
    assert holder.imei is not None
    before = len(bench.readings)
    with bench.opened() as euicc:
        eid = euicc.eid()
        found = set()
        while len([one for one in bench.readings[before:] if one.modem == holder.id]) < 3:
            found.add((euicc.eid(), len(euicc.profiles()), euicc.info2().svn))
    assert found == {(eid, 2, "2.2.2")}
    assert all(one.state == "online" for one in bench.readings[before:] if one.modem == holder.id)


def test_no_round_is_begun_while_polling_is_held(bench: Bench) -> None:
    modem = bench.manager.modem(bench.holder().id)
    with bench.opened() as euicc, bench.holder().polling_held():
        sent, asked = modem.commands_sent, 0
        session = modem.session
        assert session is not None
        for _ in range(40):
            euicc.eid()
            asked += 2
        assert modem.commands_sent - sent == asked
        assert session is modem.session


def test_the_port_stays_open_while_a_package_would_load_whatever_is_set_meanwhile(bench: Bench) -> None:
    modem = bench.manager.modem(bench.holder().id)
    period_s = modem.period_s
    with bench.opened() as euicc:
        eid = euicc.eid()
        with bench.holder().polling_held():
            bench.manager.set_period(modem.id, None)
            assert {euicc.eid() for _ in range(30)} == {eid}
        wait_for(lambda: modem.state == "paused")
        with pytest.raises(RemsimError):
            euicc.eid()
    bench.manager.set_period(modem.id, period_s)


def test_what_others_ask_the_modem_meanwhile_does_not_mix_with_the_card(bench: Bench) -> None:
    channel = bench.manager.modem(bench.holder().id).open_session().channel
    replies: list[str] = []
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            replies.append(channel.query("AT+CGMM").text)

    thread = threading.Thread(target=ask)
    with bench.opened() as euicc:
        thread.start()
        eids = {euicc.eid() for _ in range(30)}
        is_over.set()
        thread.join()
    assert len(eids) == 1
    assert len(replies) > 10
    assert set(replies) == {"RM520N-GL\nOK"}


def test_one_operation_a_modem(bench: Bench) -> None:
    busy = pytest.raises(Conflict, match="busy: Download")
    with bench.holder().reserved("Download"), busy, bench.holder().reserved("Delete"):
        pass
    with bench.holder().reserved("Delete"):
        pass


def test_a_switch_with_the_refresh_flag_brings_the_other_profile_into_service(bench: Bench, job: Job) -> None:
    first, second = bench.profiles()
    wanted = second if first.state == "enabled" else first
    with bench.opened() as euicc:
        euicc.enable(wanted, refresh=True)
    assert bench.holder().wait_registered(WITHIN_S, job, wanted.iccid)
    service = bench.holder().service()
    assert is_same_card(service.iccid, wanted.iccid)
    assert service.is_registered is True
    assert (service.sim_state, service.mcc, service.sim is not None) == ("READY", "999", True)


@pytest.mark.parametrize("hard", [False, True])
def test_a_modem_that_was_not_told_is_made_to_read_its_card(hard: bool, bench: Bench, job: Job) -> None:
    first, second = bench.profiles()
    wanted = second if first.state == "enabled" else first
    with bench.opened() as euicc:
        euicc.enable(wanted, refresh=False)
    assert not is_same_card(bench.holder().service().iccid, wanted.iccid)
    bench.holder().refresh(job, hard=hard)
    assert bench.holder().wait_registered(WITHIN_S, job, wanted.iccid)
    assert state_of(bench.profiles()).count("enabled") == 1


def test_a_card_that_is_not_the_wanted_one_is_not_waited_for_longer_than_asked(bench: Bench, job: Job) -> None:
    assert not bench.holder().wait_registered(1.5, job, "8900000000000000000")
    assert bench.holder().wait_registered(WITHIN_S, job)


def test_the_access_point_is_put_in_force(bench: Bench, job: Job) -> None:
    bench.holder().set_access_point(AccessPoint("esim.example", "IP", "pap", "me", "secret"), job)
    modem = bench.manager.modem(bench.holder().id)
    assert '"IP","esim.example"' in modem.open_session().channel.query("AT+CGDCONT?").text
    assert bench.holder().wait_registered(WITHIN_S, job)


def test_why_a_card_cannot_be_asked(bench: Bench) -> None:
    modem = bench.manager.modem(bench.holder().id)
    period_s = modem.period_s
    bench.manager.set_period(modem.id, None)
    assert "polling" in (bench.holder().why_not() or "")
    wait_for(lambda: modem.state == "paused")
    with pytest.raises(RemsimError):
        bench.opened()
    bench.manager.set_period(modem.id, period_s)
    bench.all_online()
    with bench.opened() as euicc:
        bench.fault("unplug")
        wait_for(lambda: bench.holder().why_not() is not None)
        assert bench.holder().service().is_registered is None
        with pytest.raises(RemsimError):
            euicc.eid()
    bench.fault("plug")
    wait_for(lambda: bench.holder().why_not() is None, WITHIN_S)


def test_a_plain_card_beside_a_built_in_esim_says_which_slot(bench: Bench) -> None:
    with pytest.raises(NoApplication) as caught:
        bench.opened(2)
    assert caught.value.hint == "its own eSIM is in slot 2, in use is slot 1: choose slot 2 first, even without service"
