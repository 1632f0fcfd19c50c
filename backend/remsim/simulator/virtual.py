"""One virtual modem: its drive, its ports, its link, and what can go wrong with it."""

from __future__ import annotations

import contextlib
import random
import socket
import time
from collections.abc import Callable
from typing import Any, Protocol

from remsim.simulator.profiles import PROFILES, ModemState, scene_at
from remsim.simulator.session import Session
from remsim.simulator.tree import Counters, DeviceTree
from remsim.simulator.tty import AtPort, Pty

REBOOT_S = 90.0
BOOT_S = 4.0
"""The ttys of a modem that restarts are there this long before its parser answers."""
PLUG_BOOT_S = 1.0
ATTACH_S = 2.0
SLOW_S = 2.5
RTT_SPREAD = 0.07
READY_URCS: dict[str, tuple[str, ...]] = {
    "quectel": ("RDY", "+CFUN: 1", "+CPIN: READY", "+QUSIM: 1"),
    "fibocom": ("+SIM READY", "+ESIMS: 1,12"),
}
SIM_URCS: dict[str, dict[bool, tuple[str, ...]]] = {
    "quectel": {True: ("+CPIN: READY", "+QUSIM: 1"), False: ("+CPIN: NOT READY",)},
    "fibocom": {True: ("+ESIMS: 1,12",), False: ("+ESIMS: 0,1",)},
    "sierra": {True: ("+CPIN: READY",), False: ("+CPIN: NOT INSERTED",)},
}


class Loop(Protocol):
    """What a modem needs of the loop it runs in."""

    tree: DeviceTree

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do something later."""

    def watch(self, port: AtPort) -> None:
        """Call ``port.readable`` when something was written to it."""

    def forget(self, port: AtPort) -> None:
        """Watch no more."""


class VirtualModem:
    """A modem on the virtual bus. All methods are for the loop's one thread."""

    def __init__(self, number: int, loop: Loop) -> None:
        profile = PROFILES[number - 1]
        self.state = ModemState(number, profile, scene_at(profile, 0))
        self.responder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.responder.bind(("127.0.0.1", 0))
        self.responder.setblocking(False)
        self._loop = loop
        self._noise = random.Random(number)
        self._second = 0
        self._life = 0
        self._ptys: list[Pty] = []
        self._ports: list[AtPort] = []
        self._counters: Counters | None = None
        self._rx_bytes = self._tx_bytes = 0.0
        self._counted_at = 0.0

    @property
    def probe_port(self) -> int:
        """The UDP port of the link's responder."""
        return int(self.responder.getsockname()[1])

    @property
    def is_plugged(self) -> bool:
        return bool(self._ptys)

    def plug(self, boot_s: float = PLUG_BOOT_S) -> None:
        """Come onto the bus; the parser answers after ``boot_s``."""
        if self.is_plugged:
            return
        self._life += 1
        ptys = {interface.number: Pty() for interface in self.state.model.interfaces if interface.node == "tty"}
        self._ptys = list(ptys.values())
        self._ports = [
            AtPort(ptys[number], Session(self.state), self._loop.after, self._noise)
            for number in self.state.model.at_interfaces
        ]
        self._loop.tree.plug(self.state, {number: pty.slave_name for number, pty in ptys.items()})
        self._counters = self._loop.tree.counters(self.state)
        # What attaching itself costs; the counters of an interface start anew with it.
        self._rx_bytes, self._tx_bytes = 3248.0 + self.state.number, 2876.0 + self.state.number
        self._counted_at = time.monotonic()
        self._counters.write(int(self._rx_bytes), int(self._tx_bytes))
        for port in self._ports:
            port.on_answer = self._answered
            self._loop.watch(port)
        if boot_s > 0:
            self.state.searching = True
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
        if self._counters is not None:
            self._counters.close()
            self._counters = None
        for pty in self._ptys:
            pty.close()
        self._ptys, self._ports = [], []

    def tick(self) -> None:
        """One second of the drive."""
        self._count()
        state, before = self.state, self.state.scene
        self._second += 1
        state.scene = scene_at(state.profile, self._second)
        state.uptime_s += 1
        if state.scene.cell != before.cell or state.scene.mode != before.mode:
            self._report_registration()

    def probe(self) -> None:
        """Answer a latency probe after the drive's round trip, or not at all."""
        try:
            query, sender = self.responder.recvfrom(512)
        except OSError:
            return
        scene = self.state.scene
        lost = self._noise.random() * 100 < (scene.loss_percent or 0)
        if scene.rtt_ms is None or lost or not self.state.registered or not self.is_plugged or len(query) < 12:
            return
        reply = query[:2] + b"\x81\x80" + query[4:]
        spread = self._noise.uniform(1 - RTT_SPREAD, 1 + RTT_SPREAD)
        self._loop.after(scene.rtt_ms * spread / 1000, lambda: self._send(reply, sender))

    def fault(self, name: str, seconds: float | None) -> None:
        """Do a fault, or undo all of them with ``clear``."""
        state = self.state
        if name == "plug":
            self.plug()
        elif name == "unplug":
            self.unplug()
        elif name == "reboot":
            self._reboot(REBOOT_S if seconds is None else seconds)
        elif name in ("silence", "garbage"):
            self._set_mode(name)
        elif name == "slow":
            for port in self._ports:
                port.slow_s = SLOW_S if seconds is None else seconds
        elif name in ("sim_removed", "sim_inserted"):
            self._set_sim(name == "sim_inserted")
        elif name == "registration_denied":
            self._count()
            state.denied = True
            self._report_registration()
        elif name == "clear":
            self._clear()

    def _clear(self) -> None:
        denied, self.state.denied = self.state.denied, False
        self._set_mode("normal")
        for port in self._ports:
            port.slow_s = 0.0
        if not self.state.sim_present:
            self._set_sim(True)
        elif denied:
            self._report_registration()
        self.plug()

    def _reboot(self, seconds: float) -> None:
        """Vanish, come back with silent ttys, then answer, then find the network."""
        self.unplug()
        self._life += 1
        boot_s = min(BOOT_S, max(seconds / 10, 0.5))
        self._later(seconds, lambda: self.plug(boot_s))

    def _booted(self) -> None:
        self.state.uptime_s = 0
        for port in self._ports:
            if port.mode == "booting":
                port.restart(Session(self.state))
        self._say(READY_URCS.get(self.state.model.vendor, ()) if self.state.sim_present else ())
        self._later(ATTACH_S, self._attached)

    def _attached(self) -> None:
        self.state.searching = False
        self._counted_at = time.monotonic()
        self._report_registration()

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
        self._count()
        self.state.sim_present = present
        self._say(SIM_URCS[self.state.model.vendor][present])
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

    def _answered(self, line: str) -> None:
        """The router reads the counters after an answer: let them be up to date then."""
        self._count()
        if self._ports and self._ports[0].session.is_reset(line):
            self._reboot(REBOOT_S)

    def _count(self) -> None:
        """Add what the drive moved since the last time."""
        now = time.monotonic()
        elapsed_s, self._counted_at = now - self._counted_at, now
        if self._counters is None or not self.state.registered:
            return
        scene = self.state.scene
        self._rx_bytes += (scene.dl_mbps or 0) * 125_000 * elapsed_s
        self._tx_bytes += (scene.ul_mbps or 0) * 125_000 * elapsed_s
        self._counters.write(int(self._rx_bytes), int(self._tx_bytes))

    def _send(self, reply: bytes, receiver: Any) -> None:
        with contextlib.suppress(OSError):
            self.responder.sendto(reply, receiver)
