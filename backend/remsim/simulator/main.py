"""``remsim simulate``: virtual modems in one process and one thread, until told to stop.

It writes a device tree, answers on pseudo terminals, replays drives once a second, answers latency probes after the drive's
round trip, and takes faults on a control socket.
"""

from __future__ import annotations

import contextlib
import ctypes
import heapq
import itertools
import json
import os
import random
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from remsim.core.errors import InvalidInput
from remsim.simulator.encode import tgpp
from remsim.simulator.profiles import PROFILES, ModemState, answer, scene_at
from remsim.simulator.tree import DeviceTree, configuration, path_of
from remsim.simulator.tty import ModemTty

REBOOT_S = 90.0
BOOT_S = 3.0
UNOPENED_POLL_S = 0.1
CONTROL_NAME = "control.sock"
FAULTS = (
    "unplug", "plug", "reboot", "silence", "garbage", "slow", "sim_removed", "sim_inserted", "registration_denied",
    "clear",
)  # fmt: skip


class VirtualModem:
    """One modem: its state, its port, its link."""

    def __init__(self, number: int, simulation: Simulation) -> None:
        profile = PROFILES[number - 1]
        self._simulation = simulation
        self.state = ModemState(number, profile, scene_at(profile, 0))
        self._noise = random.Random(number)
        self.rx_bytes, self.tx_bytes = number * 150_000_000, number * 21_000_000
        self._second = 0
        self.tty: ModemTty | None = None
        self._is_booting = False
        self._slow_s = 0.0
        self.responder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.responder.bind(("127.0.0.1", 0))
        self.responder.setblocking(False)

    @property
    def port(self) -> int:
        return int(self.responder.getsockname()[1])

    def plug(self) -> None:
        """Come onto the bus."""
        if self.tty is not None:
            return
        delay_s = self._noise.uniform(0.008, 0.03)
        self.tty = ModemTty(self._answer, self._simulation.after, delay_s)
        self._simulation.tree.plug(self.state, self.tty.slave_name)
        self._simulation.tree.count(self.state, self.rx_bytes, self.tx_bytes)
        self._simulation.watch_tty(self)

    def unplug(self) -> None:
        """Leave the bus at once."""
        tty, self.tty = self.tty, None
        if tty is None:
            return
        self._simulation.forget_tty(tty)
        self._simulation.tree.unplug(self.state)
        tty.close()

    def tick(self) -> None:
        """One second of the drive."""
        self._second += 1
        state, before = self.state, self.state.scene
        state.scene = scene = scene_at(state.profile, self._second)
        state.uptime_s += 1
        if self._second % 20 == 0:
            state.temperature_c = min(max(state.temperature_c + self._noise.choice((-1, 0, 1)), 30), 62)
        if state.registered and self.tty is not None:
            self.rx_bytes += round((scene.dl_mbps or 0) * 125_000)
            self.tx_bytes += round((scene.ul_mbps or 0) * 125_000)
            self._simulation.tree.count(state, self.rx_bytes, self.tx_bytes)
            if scene.cell != before.cell and not self._is_booting:
                self.tty.urc(tgpp.registration("+CEREG", scene, state.stat, urc=True))

    def probe(self) -> None:
        """Answer a latency probe after the drive's round trip, or not at all."""
        try:
            query, sender = self.responder.recvfrom(512)
        except OSError:
            return
        scene = self.state.scene
        lost = self._noise.random() * 100 < (scene.loss_percent or 0)
        if scene.rtt_ms is None or lost or not self.state.registered or self.tty is None or len(query) < 12:
            return
        reply = query[:2] + b"\x81\x80" + query[4:]
        self._simulation.after(
            max(scene.rtt_ms * self._noise.uniform(0.93, 1.07) / 1000, 0.0), lambda: self._send(reply, sender)
        )

    def _send(self, reply: bytes, receiver: Any) -> None:
        with contextlib.suppress(OSError):
            self.responder.sendto(reply, receiver)

    def fault(self, name: str, seconds: float | None) -> None:
        """Do a fault, or undo all of them with ``clear``."""
        state, tty = self.state, self.tty
        if name == "plug":
            self.plug()
        elif name == "unplug":
            self.unplug()
        elif name == "reboot":
            self.unplug()
            self._is_booting = True
            self._simulation.after(REBOOT_S if seconds is None else seconds, self.plug)
            self._simulation.after((REBOOT_S if seconds is None else seconds) + BOOT_S, self._booted)
        elif name in ("silence", "garbage") and tty is not None:
            tty.mode = name
        elif name == "slow" and tty is not None:
            tty.delay_s = 2.5 if seconds is None else seconds
        elif name in ("sim_removed", "sim_inserted"):
            state.sim_present = name == "sim_inserted"
            if tty is not None:
                tty.urc("+CPIN: READY" if state.sim_present else "+CPIN: NOT READY")
        elif name == "registration_denied":
            state.denied = True
            if tty is not None:
                tty.urc("+CEREG: 3")
        elif name == "clear":
            self._clear()

    def _clear(self) -> None:
        had_sim = self.state.sim_present
        self.state.sim_present, self.state.denied = True, False
        self.plug()
        if self.tty is not None:
            self.tty.mode, self.tty.delay_s = "normal", self._noise.uniform(0.008, 0.03)
            self.tty.urc("+CPIN: READY" if not had_sim else "+CEREG: 1")

    def _booted(self) -> None:
        self._is_booting = False

    def _answer(self, command: str) -> str | None:
        if self._is_booting:
            return None
        return answer(self.state, command)


class Simulation:
    """The loop over all virtual modems."""

    def __init__(self, directory: Path, count: int) -> None:
        self.directory = directory
        self.tree = DeviceTree(directory)
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._stopping = False
        self.modems = [VirtualModem(number, self) for number in range(1, count + 1)]
        self._control = open_control(directory / CONTROL_NAME)
        self._selector.register(self._control, selectors.EVENT_READ, self._command)
        for modem in self.modems:
            self._selector.register(modem.responder, selectors.EVENT_READ, modem.probe)
        ports = {modem.state.number: modem.port for modem in self.modems}
        states = [modem.state for modem in self.modems]
        (directory / "remsim_console").write_text(configuration(states, ports))
        for modem in self.modems:
            modem.plug()

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do something later."""
        heapq.heappush(self._timers, (time.monotonic() + delay_s, next(self._order), action))

    def watch_tty(self, modem: VirtualModem) -> None:
        """Read a modem's port, when somebody has it open."""
        tty = modem.tty
        if tty is None:
            return

        def read() -> None:
            if tty is modem.tty and not tty.readable():
                # Nobody has the slave open: the master hangs up for ever, so look again a little later.
                self.forget_tty(tty)
                self.after(UNOPENED_POLL_S, lambda: self.watch_tty(modem) if modem.tty is tty else None)

        with contextlib.suppress(KeyError):
            self._selector.register(tty.master, selectors.EVENT_READ, read)

    def forget_tty(self, tty: ModemTty) -> None:
        """Stop reading a port."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(tty.master)

    def stop(self, *_: object) -> None:
        """End the loop (also a signal handler)."""
        self._stopping = True

    def run(self) -> None:
        """Go on until stopped or orphaned."""
        parent = os.getppid()
        self.after(1.0, self._tick)
        while not self._stopping and os.getppid() == parent:
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                heapq.heappop(self._timers)[2]()
            wait_s = min(self._timers[0][0] - time.monotonic(), 1.0) if self._timers else 1.0
            for key, _ in self._selector.select(max(wait_s, 0.0)):
                key.data()

    def _tick(self) -> None:
        self.after(1.0, self._tick)
        for modem in self.modems:
            modem.tick()

    def _command(self) -> None:
        """One JSON line in, one out."""
        connection, _ = self._control.accept()
        with connection:
            connection.settimeout(1.0)
            try:
                asked = json.loads(connection.makefile("r").readline(4096))
                answered = self._fault(asked)
            except InvalidInput as error:
                answered = {"ok": False, "error": error.message, "field": error.field}
            except (ValueError, OSError) as error:
                answered = {"ok": False, "error": str(error)[:200]}
            with contextlib.suppress(OSError):
                connection.sendall(json.dumps(answered).encode() + b"\n")

    def _fault(self, asked: Any) -> dict[str, Any]:
        if not isinstance(asked, dict):
            raise InvalidInput("a command is a JSON object", field="body")
        modem = next((one for one in self.modems if path_of(one.state) == asked.get("modem")), None)
        if modem is None:
            raise InvalidInput("there is no such virtual modem", field="modem")
        if asked.get("fault") not in FAULTS:
            raise InvalidInput(f"a fault is one of {', '.join(FAULTS)}", field="fault")
        seconds = asked.get("seconds")
        if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0):
            raise InvalidInput("seconds is a number from 0 on", field="seconds")
        modem.fault(str(asked["fault"]), seconds)
        return {"ok": True}


def open_control(path: Path) -> socket.socket:
    """The control socket, for the own user only."""
    path.unlink(missing_ok=True)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control.bind(str(path))
    path.chmod(0o600)
    control.listen(4)
    control.setblocking(False)
    return control


def die_with_parent() -> None:
    """Let the kernel end us when the service ends without a word (kill -9)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def run(directory: Path, count: int) -> None:
    """Run ``count`` virtual modems in ``directory`` until SIGTERM."""
    die_with_parent()
    directory.mkdir(parents=True, exist_ok=True)
    simulation = Simulation(directory, count)
    signal.signal(signal.SIGTERM, simulation.stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.write(json.dumps({"ready": True, "dir": str(directory), "modems": count}) + "\n")
    sys.stdout.flush()
    simulation.run()
