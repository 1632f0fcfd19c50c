"""A modem as what holds an eUICC: how its card is reached, read anew, and what the network makes of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

from remsim.core.card import AccessPoint, Service, is_same_card
from remsim.core.errors import CommandRefused, Conflict, ModemError, NoApplication, NoCard, NotTaken, RemsimError
from remsim.core.jobs import Job
from remsim.modems.card.cgla import CglaWay
from remsim.modems.card.csim import CsimWay
from remsim.modems.channel import Channel
from remsim.modems.control.apn import begin_connection, of_modem, of_network
from remsim.modems.control.hard_reset import WAYS, ways_of
from remsim.modems.control.means import Means
from remsim.modems.control.power import restart
from remsim.modems.control.sim_source import line_of
from remsim.modems.control.slot import has_card
from remsim.modems.control.target import Target
from remsim.modems.modem import Modem

if TYPE_CHECKING:
    from remsim.modems.card.control import ControlWay

REFRESH_TIMEOUT_S = 20.0
CARD_S = 20.0
RENEWED_S = 60.0
BACK_S = 180.0
LOOK_S = 0.5
REREAD_S = 5.0
"""How often the card's number is asked for while another one than the wanted is in the modem."""
NOT_ASKED = ("gone", "rebooting", "boot", "paused", "starting", "port_busy", "not_answering", "failed")
"""States in which the last reading says nothing of now."""


class OpenChannel(Protocol):
    """What ``esim/transport`` calls a logical channel."""

    number: int | None

    def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
        """One command, one answer."""

    def close(self) -> None:
        """Let it go."""


class CardWay:
    """One of this modem's ways; says where its eSIM is when the card in use is none, or there is none."""

    def __init__(self, way: CglaWay | CsimWay | ControlWay, hint: Callable[[], str | None]) -> None:
        self.kind = way.kind
        self.label = way.label
        self._way = way
        self._hint = hint

    def open(self, aid: bytes) -> OpenChannel:
        """Select an application; see the ways themselves."""
        try:
            return self._way.open(aid)
        except NoApplication as error:
            error.hint = error.hint or self._hint()
            raise
        except NoCard as error:
            error.hint = self._hint() or error.hint
            raise


class EuiccHolder:
    """Satisfies ``esim.holder.Holder``. It keeps nothing of its own, so that there may be several of one modem."""

    kind = "modem"

    def __init__(self, modem: Modem, means: Means) -> None:
        self._modem = modem
        self._target = Target(modem, means)

    @property
    def id(self) -> str:
        """As everywhere: ``modem1``."""
        return self._modem.id

    @property
    def name(self) -> str:
        """The one it was given, else maker and product."""
        return self._modem.title

    @property
    def interface(self) -> str | None:
        """Its network interface, which a switch cuts."""
        return self._modem.interface

    @property
    def imei(self) -> str | None:
        """Its serial number."""
        return self._modem.identity.get("imei")

    def why_not(self) -> str | None:
        """Why its card cannot be asked now, in a sentence; None when it can."""
        modem = self._modem
        if not modem.present or modem.state == "gone":
            return f"{modem.id} is not there: it was unplugged or is restarting"
        if modem.period_s is None:
            return f"polling of {modem.id} is off, so its port is closed: choose a polling period first"
        if modem.state == "rebooting":
            return f"{modem.id} is restarting: try again in a minute"
        if not modem.is_ready:
            told = f": {modem.trouble}" if modem.trouble else ""
            return f"{modem.id} cannot be asked now ({modem.state}){told}"
        if self._is_remote():
            return f"{modem.id} has the card of a remote SIM: switch it to the SIM in its tray first"
        return None

    def ways(self) -> list[CardWay]:
        """The ways to its card, the best first: the one that was set, those by AT as its family likes them, then its
        QMI or MBIM device."""
        ways: list[CglaWay | CsimWay | ControlWay] = []
        if self._target.without_at is None:
            ways += [self._by_cgla() if kind == "cgla" else self._by_csim() for kind in self._target.driver.card_ways]
        port = self._modem.found.control_port
        if port is not None:
            from remsim.modems.card.control import control_ways  # few modems are reached so

            ways += control_ways(self._modem, port, self._target.clock)
        ways.sort(key=lambda way: way.kind != self._modem.settings.card_way)
        return [CardWay(way, self._where) for way in ways]

    @contextlib.contextmanager
    def reserved(self, title: str) -> Iterator[None]:
        """One operation a modem; ``Conflict`` names what goes on."""
        self._modem.begin_operation(title)
        try:
            yield
        finally:
            self._modem.end_operation()

    def polling_held(self) -> contextlib.AbstractContextManager[None]:
        """No round of polling is begun meanwhile."""
        return self._modem.polling_held()

    def service(self) -> Service:
        """What polling said last; nothing while it says nothing."""
        reading = self._modem.reading
        if reading is None or not self._modem.is_ready or self._modem.state in NOT_ASKED:
            return Service()
        registration = reading.registration
        return Service(
            sim_state=reading.sim_state,
            iccid=self._modem.identity.get("iccid"),
            sim=reading.sim,
            is_registered=None if registration in (None, "unknown") else registration in ("home", "roaming"),
            operator=reading.operator,
            mcc=reading.plmn[:3] if reading.plmn else None,
            rsrp_dbm=reading.rsrp_dbm,
        )

    def refresh(self, job: Job, *, hard: bool) -> None:
        """Have the modem read its card anew: by its family's command, or by a restart. Returns when it answers."""
        if hard:
            self._restart(job)
            return
        if self._target.without_at is not None:
            from remsim.modems.card.control import cycle_card

            seen = self._modem.identifications
            job.report(None, "switching the card off and on")
            cycle_card(self._modem, self._target.clock)
            self._target.renew()
            self._await(seen, RENEWED_S, job)
            return
        seen = self._modem.identifications
        job.report(None, "having the modem read the card")
        for command in self._target.driver.card_refresh:
            with contextlib.suppress(CommandRefused):  # whether it has another card now is seen by who asks for it
                self._target.send_last(command, timeout_s=REFRESH_TIMEOUT_S)
        if not self._modem.is_ready:  # some leave the bus for it
            self._await(seen, BACK_S, job)
        has_card(self._target, job, CARD_S)
        if self._modem.identifications == seen:
            self._target.renew()
            self._await(seen, RENEWED_S, job)

    def access_point(self) -> AccessPoint | None:
        """The access point in force: the router's network's, else the modem's; None where neither tells."""
        try:
            found = of_network(self._target) or of_modem(self._target)
        except RemsimError:
            return None
        given = {name: found[name] for name in ("pdp_type", "auth", "username", "password") if found[name]}
        return AccessPoint(found["apn"], **given)

    def set_access_point(self, wanted: AccessPoint, job: Job) -> None:
        """Put an access point in force; whether the network takes it is not waited for."""
        begin_connection(self._target, asdict(wanted), job)

    def wait_registered(self, within_s: float, job: Job, iccid: str | None = None) -> bool:
        """Whether a network takes it within the time, with that card; ``Aborted`` when the job is."""
        clock, before = self._target.clock, self._modem.reading
        deadline, asked_at = clock.monotonic() + within_s, -REREAD_S
        while not self._is_registered(iccid) or self._modem.reading is before:
            now = clock.monotonic()
            if now >= deadline:
                return False
            if now - asked_at >= REREAD_S:
                asked_at = now
                self._look_again(is_other=iccid is not None and not self._has(iccid))
            self._target.pause(LOOK_S, job)
        return True

    def _is_registered(self, iccid: str | None) -> bool:
        return self._target.is_online and (iccid is None or self._has(iccid))

    def _has(self, iccid: str) -> bool:
        return is_same_card(self._modem.identity.get("iccid"), iccid)

    def _look_again(self, *, is_other: bool) -> None:
        """Have polling ask for the registration next, and for the card where it is not the wanted one yet."""
        session = self._modem.session
        if session is not None:
            if is_other:
                session.sim_changed()
            session.hasten("CPIN", "REG?", "COPS")

    def _by_cgla(self) -> CglaWay:
        return CglaWay(self._channel, self._target.clock.sleep)

    def _by_csim(self) -> CsimWay:
        return CsimWay(self._channel)

    def _channel(self) -> Channel:
        return self._target.session().channel

    def _restart(self, job: Job) -> None:
        """By its own command, by force where that brings nothing and the board has a way."""
        trouble: RemsimError | None = None
        if self._target.without_at is None:
            try:
                if restart(self._target, job):
                    return
            except (ModemError, Conflict) as error:
                trouble = error
        by_force = ways_of(self._target)
        how = next((way for way in WAYS if way in by_force), None)
        if how is not None:
            seen = self._modem.identifications
            job.report(None, WAYS[how])
            by_force[how](job)
            if self._target.wait_identified(seen, BACK_S, job):
                return
        text = f"{self.id} did not restart" + (f": {trouble.message}" if trouble is not None else "")
        raise NotTaken(text, hint="switch its power off and on by hand") from trouble

    def _await(self, seen: int, within_s: float, job: Job) -> None:
        """Wait until the modem was identified anew."""
        if not self._target.wait_identified(seen, within_s, job):
            raise NotTaken(f"{self.id} did not come back within {within_s:.0f} s", hint="restart the modem")

    def _is_remote(self) -> bool:
        """Whether the board's lines lead to a remote SIM."""
        line = line_of(self._target)
        if line is None:
            return False
        try:
            return self._target.means.gpio.get(line) == 1
        except RemsimError:
            return False  # what cannot be read does not forbid anything

    def _where(self) -> str | None:
        """Where its eSIM is, when the card in use is none."""
        driver, reading = self._target.driver, self._modem.reading
        slot = None if reading is None else reading.sim_slot
        if slot is not None and driver.euicc_slot not in (None, slot):
            own = driver.euicc_slot
            told = f"its own eSIM is in slot {own}, in use is slot {slot}"
            return f"{told}: choose slot {own} first, even without service"
        if slot is not None and driver.slot_switch is not None:
            return f"slot {slot} was asked; if the eSIM is in the other slot, choose that one first"
        return None
