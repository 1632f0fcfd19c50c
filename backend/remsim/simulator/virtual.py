"""One virtual modem on the bus: its drive, its ports, and what commands make of it."""

from __future__ import annotations

import fcntl
import os
import random
import termios
from collections.abc import Callable
from functools import partial
from typing import Protocol

from remsim.core.errors import InvalidInput
from remsim.simulator import usb
from remsim.simulator.profiles import Profile, scene_at
from remsim.simulator.session import Session
from remsim.simulator.state import Effect, ModemState
from remsim.simulator.traffic import Traffic
from remsim.simulator.tree import DeviceTree
from remsim.simulator.tty import AtPort, Pty
from remsim.simulator.usb import Composition

BOOT_S = 4.0
"""The ttys of a modem that restarts are there this long before its parser answers."""
PLUG_BOOT_S = 1.0
SIM_S = 1.0
ATTACH_S = 2.0
PARSER_URCS: dict[str, tuple[str, ...]] = {"quectel": ("RDY", "+CFUN: 1"), "fibocom": ("+SIM READY",)}
SIM_URCS: dict[str, dict[bool, tuple[str, ...]]] = {
    "quectel": {True: ("+CPIN: READY", "+QUSIM: 1"), False: ("+CPIN: NOT READY",)},
    "fibocom": {True: ("+ESIMS: 1,12",), False: ("+ESIMS: 0,1",)},
    "sierra": {True: ("+CPIN: READY",), False: ("+CPIN: NOT INSERTED",)},
}


class Loop(Protocol):
    """What a modem needs of the loop it runs in."""

    tree: DeviceTree
    time_scale: float
    modems: list[VirtualModem]

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do something later."""

    def watch(self, port: AtPort) -> None:
        """Call ``port.readable`` when something was written to it."""

    def forget(self, port: AtPort) -> None:
        """Watch no more."""


class VirtualModem:
    """A modem on the virtual bus. All methods are for the loop's one thread."""

    def __init__(self, number: int, profile: Profile, loop: Loop) -> None:
        self.state = ModemState(number, profile, scene_at(profile, 0))
        self._noise = random.Random(number)
        self.traffic = Traffic(self.state, self._noise, loop.after)
        self._loop = loop
        self._second = 0
        self._life = 0
        self._ptys: list[Pty] = []
        self._ports: list[AtPort] = []
        self._taken: int | None = None
        self._has_power = True

    @property
    def is_plugged(self) -> bool:
        return self._loop.tree.is_there(self.state)

    @property
    def ports(self) -> list[str]:
        """The terminals it answers on."""
        return [port.pty.slave_name for port in self._ports]

    @property
    def is_ready(self) -> bool:
        """Whether its parser works and it is done with its SIM and its search."""
        return self.is_plugged and not self.state.searching and all(port.mode != "booting" for port in self._ports)

    def plug(self, boot_s: float = PLUG_BOOT_S) -> None:
        """Come onto the bus; the parser answers after ``boot_s``."""
        if self.is_plugged:
            return
        self._life += 1
        if boot_s > 0:
            self.state.boot()
            self.state.searching = self.state.sim_busy = True
        shown = self._shown()
        ptys = {one.number: Pty() for one in shown.interfaces if one.node in ("tty", "acm")}
        self._ptys = list(ptys.values())
        self._ports = [self._port(ptys[number]) for number in shown.at_interfaces]
        if "port_taken" in self.state.faults and self._ports:
            self._taken = take(self._ports[0].pty.slave_name)
        self._loop.tree.plug(self.state, shown, {number: pty.slave_name for number, pty in ptys.items()})
        self.traffic.up(self._loop.tree)
        for port in self._ports:
            self._loop.watch(port)
        if boot_s > 0:
            self._later(boot_s, self._booted)
        else:
            for port in self._ports:
                port.restart(Session(self.state))

    def unplug(self) -> None:
        """Leave the bus at once."""
        if not self.is_plugged:
            return
        self._life += 1
        for port in self._ports:
            self._loop.forget(port)
        self._loop.tree.unplug(self.state)
        self.traffic.down()
        self._release()
        for pty in self._ptys:
            pty.close()
        self._ptys, self._ports = [], []

    def tick(self) -> None:
        """One second of the drive, and what was done to its board."""
        self.traffic.count()
        self._look_at_board()
        state, before = self.state, self.state.scene
        self._second += 1
        state.see(scene_at(state.profile, self._second))
        state.uptime_s += 1
        if state.scene.cell != before.cell or state.scene.mode != before.mode:
            self._report_registration()

    def _look_at_board(self) -> None:
        """Power of its USB port, and which SIM its lines lead to."""
        board, number = self._loop.tree.board, self.state.number
        self.state.leads_to_remote = board.is_remote(number)
        if board.is_powered(number) != self._has_power:
            self._has_power = not self._has_power
            if self._has_power:
                self.plug(self._paced(BOOT_S))
            else:
                self.unplug()

    def deliver(self, pdu: str) -> int:
        """A short message from the network; the slot it is in now. ``InvalidInput`` when the store is full."""
        index = self.state.messages.add(pdu)
        if index is None:
            raise InvalidInput("the modem's store is full", field="sms")
        if self.state.notify:
            self._say((f'+CMTI: "SM",{index}',))
        return index

    def _paced(self, seconds: float) -> float:
        """A real device's seconds in the simulation's."""
        return seconds * self._loop.time_scale

    def _shown(self) -> Composition:
        model = self.state.model
        return usb.boot(model.boot_id) if "boot_mode" in self.state.faults and model.boot_id else self.state.usb

    def _port(self, pty: Pty) -> AtPort:
        port = AtPort(pty, Session(self.state), self._loop.after, self._noise, lambda: self._loop.time_scale)
        port.on_answer = self._answered
        port.aborted = "ABORTED" if self.state.model.vendor == "fibocom" else "ERROR"
        return port

    def _reboot(self, seconds: float) -> None:
        """Vanish, come back with silent ttys, then answer, then find the network."""
        self.unplug()
        self._life += 1
        boot_s = min(BOOT_S, max(seconds / 10, 0.5))
        self._later(seconds, lambda: self.plug(boot_s))

    def _release(self) -> None:
        if self._taken is not None:
            os.close(self._taken)
            self._taken = None

    def _booted(self) -> None:
        self.state.uptime_s = 0
        for port in self._ports:
            if port.mode == "booting":
                port.restart(Session(self.state))
        if self.state.sim_present:
            self._say(PARSER_URCS.get(self.state.model.vendor, ()))
        self._later(self._paced(SIM_S), self._sim_ready)

    def _sim_ready(self) -> None:
        self.state.sim_busy = False
        if self.state.card is not None and self.state.card.status == "READY":
            self._say(SIM_URCS.get(self.state.model.vendor, {}).get(True, ()))
        elif self.state.card is not None:
            self._say((f"+CPIN: {self.state.card.status}",))
        self._later(self._paced(ATTACH_S), self._attached)

    def _attached(self) -> None:
        self.state.searching = False
        self.traffic.restart()
        self._report_registration()

    def _answered(self, port: AtPort, line: str) -> None:
        """The router reads the counters after an answer: let them be up to date then. Then do what it asked for."""
        self.traffic.count()
        if not self.state.effects:
            return
        effects, self.state.effects = self.state.effects, []
        for effect in effects:
            if effect.kind in ("retune", "report", "opened"):
                self._do(effect, port)
            else:
                self._later(self._paced(effect.delay_s), partial(self._do, effect, port))

    def _do(self, effect: Effect, port: AtPort) -> None:
        state = self.state
        if effect.kind == "urc":
            port.urc(*effect.lines)
        elif effect.kind == "reset":
            self._reboot(self._paced(state.model.away_s if effect.away_s is None else effect.away_s))
        elif effect.kind == "off":
            port.urc(*effect.lines)
            self.unplug()
        elif effect.kind == "report":
            self._report_registration()
        elif effect.kind == "retune":
            self._search()
            self._later(self._paced(ATTACH_S), self._attached)
        elif effect.kind == "opened":
            self._search()
            self._sim_ready()
        else:
            if effect.kind == "slot":
                state.slot = effect.slot
                if state.card is not None:
                    state.card.reset()
            elif state.card is not None:
                state.card.read_anew()
            self._search()
            state.sim_busy = True
            state.see(state.air)
            self._later(self._paced(SIM_S), self._sim_ready)

    def _search(self) -> None:
        self.traffic.count()
        self.state.searching = True

    def _later(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do something unless the modem was plugged or unplugged meanwhile."""
        life = self._life

        def act() -> None:
            if life == self._life:
                action()

        self._loop.after(delay_s, act)

    def _set_mode(self, mode: str) -> None:
        for port in self._ports:
            if port.mode != "booting":
                port.mode = mode
                port.garble()

    def _set_sim(self, present: bool) -> None:
        if present == self.state.sim_present:
            return
        self.traffic.count()
        self.state.sim_present = present
        if self.state.card is not None:
            self.state.card.reset()
        self._say(SIM_URCS.get(self.state.model.vendor, {}).get(present, ()))
        self._report_registration()

    def _say(self, lines: tuple[str, ...]) -> None:
        """Unsolicited lines come on the first AT port only."""
        for port in self._ports[:1]:
            port.urc(*lines)

    def _report_registration(self) -> None:
        for port in self._ports[:1]:
            line = port.session.registration_urc()
            if line is not None:
                port.urc(line)


def take(slave_name: str) -> int:
    """Open a port as another program would, for itself alone."""
    fd = os.open(slave_name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.ioctl(fd, termios.TIOCEXCL)
    return fd
