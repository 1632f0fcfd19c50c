"""A virtual modem with which things go wrong."""

from __future__ import annotations

from collections.abc import Callable

from remsim.core.errors import InvalidInput
from remsim.simulator.card import PIN, PIN_TRIES
from remsim.simulator.control import EUICC_FAULTS
from remsim.simulator.profiles import Profile
from remsim.simulator.virtual import Loop, VirtualModem

REBOOT_S = 90.0
RENUMBER_S = 3.0
SLOW_S = 2.5
MODES = ("silence", "garbage", "late", "no_ok")
FLAGS = ("low_power", "warm", "hot", "forgets_bands", "refuses_mode", "no_service", "sim_busy")


class FaultyModem(VirtualModem):
    """Does the faults of ``control.FAULTS`` and ``control.EUICC_FAULTS``, each until ``clear``."""

    def __init__(self, number: int, profile: Profile, loop: Loop) -> None:
        super().__init__(number, profile, loop)
        self._cards = list(self.state.cards)

    def fault(self, name: str, seconds: float | None) -> None:
        """Do a fault, or undo all of them with ``clear``."""
        if name in MODES:
            self._set_mode(name)
        elif name in FLAGS:
            self._flag(name)
        elif name in EUICC_FAULTS:
            self._euicc_fault(name, seconds)
        else:
            actions: dict[str, Callable[[], None]] = {
                "plug": self.plug,
                "unplug": self.unplug,
                "clear": self._clear,
                "sim_removed": lambda: self._set_sim(False),
                "sim_inserted": lambda: self._set_sim(True),
                "sim_pin": lambda: self._lock_sim(PIN_TRIES),
                "sim_puk": lambda: self._lock_sim(0),
                "sim_slot2_empty": self._empty_second_slot,
                "registration_denied": self._deny,
                "reboot": lambda: self._reboot(REBOOT_S if seconds is None else seconds),
                "slow": lambda: self._slow(SLOW_S if seconds is None else seconds),
                "renumber": lambda: self._renumber(self._paced(RENUMBER_S) if seconds is None else seconds),
                "boot_mode": lambda: self._boot_mode(self._paced(RENUMBER_S) if seconds is None else seconds),
                "port_taken": lambda: self._take_port(self._paced(RENUMBER_S) if seconds is None else seconds),
            }
            actions[name]()

    def _clear(self) -> None:
        state = self.state
        before = self._shown(), state.stat, state.temperature_c
        state.faults.clear()
        state.denied = False
        for card in (*self._cards, state.remote_card):
            if card is not None:
                card.pin, card.pin_tries, card.is_locked = PIN, PIN_TRIES, False
            if card is not None and card.made_euicc is not None:
                card.made_euicc.faults.clear()
                card.read_anew()
        state.cards = list(self._cards)
        self._set_mode("normal")
        self._slow(0.0)
        self._release()
        state.see(state.air)
        if not state.sim_present:
            self._set_sim(True)
        elif before[1] != state.stat:
            self._report_registration()
        state.out.clear()
        if before[0] != self._shown():
            self.unplug()
        self.plug()

    def _flag(self, name: str) -> None:
        self.traffic.count()
        self.state.faults.add(name)
        self.state.see(self.state.air)
        self._report_registration()

    def _deny(self) -> None:
        self.traffic.count()
        self.state.denied = True
        self._report_registration()

    def _slow(self, seconds: float) -> None:
        for port in self._ports:
            port.slow_s = seconds

    def _renumber(self, seconds: float) -> None:
        """Vanish together with the next modem, which is back first and has this one's numbers then."""
        others = [one for one in self._loop.modems if one is not self and one.is_plugged]
        other = next((one for one in others if one.state.number > self.state.number), next(iter(others), None))
        if other is not None:
            other._reboot(seconds)
        self._reboot(seconds + 0.2)

    def _boot_mode(self, seconds: float) -> None:
        if self.state.model.boot_id is None:
            raise InvalidInput(f"{self.state.model.name} has no boot mode", field="fault")
        self.state.faults.add("boot_mode")
        self._reboot(seconds)

    def _take_port(self, seconds: float) -> None:
        """Leave, and come back with the first AT port held by somebody else: by this process."""
        self.state.faults.add("port_taken")
        self._reboot(seconds)

    def _lock_sim(self, tries: int) -> None:
        """Ask for the PIN, or the PUK when no tries are left."""
        card = self.state.card
        if card is None:
            raise InvalidInput("there is no card in the slot", field="fault")
        self.traffic.count()
        card.is_locked, card.is_open, card.pin_tries = True, False, tries
        self._say((f"+CPIN: {card.status}",))
        self._report_registration()

    def _euicc_fault(self, name: str, seconds: float | None) -> None:
        card = self.state.card
        euicc = None if card is None else card.euicc
        if euicc is None:
            raise InvalidInput("the card in the slot is no eUICC", field="fault")
        from remsim.simulator.euicc.card_faults import ON_DEMAND

        euicc.faults.set(**ON_DEMAND[name])
        if name == "euicc_slow" and seconds is not None:
            euicc.faults.load_delay_s = seconds

    def _empty_second_slot(self) -> None:
        if len(self.state.cards) < 2:
            raise InvalidInput(f"{self.state.model.name} has one slot", field="fault")
        self.state.cards[1] = None
        self._report_registration()
