"""``remsim simulate``: virtual modems in one process and one thread, until told to stop.

It writes a device tree, answers on pseudo terminals, replays drives once a second, answers latency probes after the
drive's round trip, and takes faults on a control socket. Only the servers of profiles have threads of their own.
"""

from __future__ import annotations

import contextlib
import ctypes
import heapq
import itertools
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.core.errors import InvalidInput
from remsim.simulator.control import CONTROL_NAME, ESIM_FAULTS, EUICC_FAULTS, FAULTS, REMOTE_FAULTS, short_path
from remsim.simulator.faults import FaultyModem
from remsim.simulator.messages import tpdu_octets
from remsim.simulator.profiles import Profile, profiles_of
from remsim.simulator.remsim.loop import Loop
from remsim.simulator.remsim.room import RemoteRoom
from remsim.simulator.tree import DeviceTree, configuration, path_of, routing_configuration
from remsim.simulator.tty import AtPort

if TYPE_CHECKING:
    from remsim.simulator.euicc.room import EsimRoom

UNOPENED_POLL_S = 0.1
LONGEST_FAULT_S = 3600
LONGEST_ASKED = 4096
TIME_SCALE_VARIABLE = "REMSIM_SIMULATOR_TIME_SCALE"
CONFIG_NAME = "remsim_console"
REMOTE_VARIABLE = "REMSIM_SIMULATOR_REMOTE"
"""``0``: without osmo-remsim, where only modems are measured."""
ESIM_VARIABLE = "REMSIM_SIMULATOR_ESIM"
"""``0``: without eSIM."""
LINKS_VARIABLE = "REMSIM_SIMULATOR_LINKS"
"""``0``: modems that are not links."""
ROUTING_NAME = "remsim_routing"


class Simulation:
    """The loop over all virtual modems."""

    def __init__(self, directory: Path, profiles: Sequence[Profile]) -> None:
        self.directory = directory
        self.time_scale = time_scale(os.environ.get(TIME_SCALE_VARIABLE, "1"))
        self.tree = DeviceTree(directory)
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._unopened: set[AtPort] = set()
        self._stopping = False
        self.modems = [FaultyModem(number, profile, self) for number, profile in enumerate(profiles, start=1)]
        self._control = open_control(directory)
        self._selector.register(self._control, selectors.EVENT_READ, self._accept)
        for modem in self.modems:
            self._selector.register(modem.traffic.responder, selectors.EVENT_READ, modem.traffic.probe)
        ports = [(modem.state, modem.traffic.probe_port) for modem in self.modems]
        self.remote = None if os.environ.get(REMOTE_VARIABLE) == "0" else self._make_remote()
        self.esim = None if os.environ.get(ESIM_VARIABLE) == "0" else esim_room(directory)
        if self.esim is not None:
            for modem in self.modems:
                modem.state.insert_euiccs(self.esim.cards)
        places = [path_of(modem.state) for modem in self.modems]
        remote_config = "" if self.remote is None else self.remote.configuration(places)
        esim_config = "" if self.esim is None else self.esim.configuration()
        (directory / CONFIG_NAME).write_text("\n".join((configuration(ports), remote_config, esim_config)))
        if os.environ.get(LINKS_VARIABLE) != "0":
            (directory / ROUTING_NAME).write_text(routing_configuration(ports))
        for modem in self.modems:
            modem.plug(boot_s=0)

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do something later."""
        heapq.heappush(self._timers, (time.monotonic() + delay_s, next(self._order), action))

    def watch(self, port: AtPort) -> None:
        """Read a port from when somebody opens it: the master of a terminal nobody has open hangs up for ever."""
        self._unopened.add(port)

    def forget(self, port: AtPort) -> None:
        """Stop reading a port."""
        self._unopened.discard(port)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(port.pty.master)

    def stop(self, *_: object) -> None:
        """End the loop (also a signal handler)."""
        self._stopping = True

    def run(self) -> None:
        """Go on until stopped or orphaned."""
        parent = os.getppid()
        self._tick(time.monotonic() + 1.0)
        self._look_for_openers()
        while not self._stopping and os.getppid() == parent:
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                heapq.heappop(self._timers)[2]()
            wait_s = self._timers[0][0] - time.monotonic()
            for key, _ in self._selector.select(max(wait_s, 0.0)):
                key.data()

    def remove(self) -> None:
        """Take away what was made."""
        self._control.close()
        if self.remote is not None:
            self.remote.close()
        if self.esim is not None:
            self.esim.close()
        for path in (self.tree.sys, self.tree.dev, self.directory / "bin"):
            shutil.rmtree(path, ignore_errors=True)
        for name in (CONTROL_NAME, CONFIG_NAME, ROUTING_NAME):
            (self.directory / name).unlink(missing_ok=True)

    def _make_remote(self) -> RemoteRoom:
        """Its sockets are watched through one descriptor, its timers are ours."""
        loop = Loop(self.after, self.time_scale)
        self._selector.register(loop, selectors.EVENT_READ, loop.step)
        return RemoteRoom(loop, self.directory)

    def _tick(self, due: float) -> None:
        """Each second of the drives, without drift."""
        now = time.monotonic()
        if now >= due:
            for modem in self.modems:
                modem.tick()
            due = max(due + 1.0, now)
        self.after(due - now, lambda: self._tick(due))

    def _look_for_openers(self) -> None:
        for port in [port for port in self._unopened if port.pty.is_open]:
            self._unopened.discard(port)
            self._selector.register(port.pty.master, selectors.EVENT_READ, lambda port=port: self._read(port))
        self.after(UNOPENED_POLL_S, self._look_for_openers)

    def _read(self, port: AtPort) -> None:
        if not port.pty.closed and not port.readable():
            self.forget(port)
            self._unopened.add(port)

    def _accept(self) -> None:
        """One JSON line in, one out."""
        connection, _ = self._control.accept()
        with connection:
            connection.settimeout(1.0)
            try:
                answered = self._do(json.loads(connection.makefile("r").readline(LONGEST_ASKED)))
            except InvalidInput as error:
                answered = {"ok": False, "error": error.message, "field": error.field}
            except (ValueError, OSError) as error:
                answered = {"ok": False, "error": str(error)[:200], "field": "body"}
            with contextlib.suppress(OSError):
                connection.sendall(json.dumps(answered).encode() + b"\n")

    def _do(self, asked: Any) -> dict[str, Any]:
        if not isinstance(asked, dict):
            raise InvalidInput("a command is a JSON object", field="body")
        if "time_scale" in asked:
            self.time_scale = time_scale(asked["time_scale"])
            if self.remote is not None:
                self.remote.set_pace(self.time_scale)
            return {"ok": True}
        if "list" in asked:
            return {"ok": True, "modems": [described(modem) for modem in self.modems]}
        modem = next((one for one in self.modems if path_of(one.state) == asked.get("modem")), None)
        if "fault" in asked:
            check_fault(asked["fault"], of_modem=asked.get("modem") is not None)
            if asked["fault"] in REMOTE_FAULTS and (modem is not None or asked.get("modem") is None):
                return self._remote_fault(modem, asked)
            if asked["fault"] in ESIM_FAULTS:
                return self._esim_fault(asked)
        if modem is None:
            raise InvalidInput("there is no such virtual modem", field="modem")
        if "sms" in asked:
            pdu = asked["sms"]
            if not isinstance(pdu, str) or tpdu_octets(pdu) is None:
                raise InvalidInput("a message is a PDU in hex, service centre first", field="sms")
            return {"ok": True, "index": modem.deliver(pdu)}
        if "sent" in asked:
            return {"ok": True, "sent": modem.state.messages.sent}
        check_fault(asked.get("fault"), of_modem=True)
        modem.fault(asked["fault"], seconds_of(asked))
        return {"ok": True}

    def _remote_fault(self, modem: FaultyModem | None, asked: dict[str, Any]) -> dict[str, Any]:
        if self.remote is None:
            raise InvalidInput("there are no remote SIMs", field="fault")
        self.remote.fault(asked["fault"], None if modem is None else self.modems.index(modem), seconds_of(asked))
        return {"ok": True}

    def _esim_fault(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.esim is None:
            raise InvalidInput("there is no eSIM", field="fault")
        seconds = seconds_of(asked)
        undo = self.esim.fault(asked["fault"], asked.get("step"))
        if seconds is not None:
            self.after(seconds, undo)
        return {"ok": True}


def check_fault(fault: object, *, of_modem: bool) -> None:
    """``InvalidInput`` for what is no fault, with those that are usual here."""
    if fault not in (*FAULTS, *EUICC_FAULTS, *REMOTE_FAULTS, *ESIM_FAULTS):
        usual = (*FAULTS, *EUICC_FAULTS) if of_modem else (*REMOTE_FAULTS, *ESIM_FAULTS)
        raise InvalidInput(f"a fault is one of {', '.join(usual)}", field="fault")


def esim_room(directory: Path) -> EsimRoom | None:
    """The servers of profiles; none where what they are made with is not installed."""
    try:
        from remsim.simulator.euicc.room import EsimRoom
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "cryptography":
            raise
        sys.stderr.write("the simulation has no eSIM: cryptography is not installed (pip install 'remsim[demo]')\n")
        return None
    return EsimRoom(directory)


def seconds_of(asked: dict[str, Any]) -> float | None:
    """How long a fault is to be."""
    seconds = asked.get("seconds")
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if seconds is not None and not (is_number and 0 <= seconds <= LONGEST_FAULT_S):
        raise InvalidInput(f"seconds is a number from 0 to {LONGEST_FAULT_S}", field="seconds")
    return seconds


def described(modem: FaultyModem) -> dict[str, Any]:
    """One modem for the list."""
    model = modem.state.model
    return {
        "usb_path": path_of(modem.state),
        "vendor": model.vendor,
        "model": model.name,
        "proven": model.proven,
        "is_plugged": modem.is_plugged,
        "is_ready": modem.is_ready,
    }


def time_scale(asked: object) -> float:
    """A factor above 0, up to 10."""
    try:
        factor = float(str(asked))
    except ValueError:
        factor = 0.0
    if not 0 < factor <= 10:
        raise InvalidInput("time_scale is a number above 0, up to 10", field="time_scale")
    return factor


def open_control(directory: Path) -> socket.socket:
    """The control socket, for the own user only."""
    (directory / CONTROL_NAME).unlink(missing_ok=True)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with short_path(directory) as short:
        control.bind(f"{short}/{CONTROL_NAME}")
    (directory / CONTROL_NAME).chmod(0o600)
    control.listen(4)
    control.setblocking(False)
    return control


def die_with_parent() -> None:
    """Let the kernel end us when the service ends without a word (kill -9)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def run(directory: Path, count: int, models: Sequence[str] = ()) -> None:
    """Run the named models, and the usual ones up to ``count``, in ``directory`` until SIGTERM."""
    die_with_parent()
    profiles = profiles_of(count, models)
    directory.mkdir(parents=True, exist_ok=True)
    simulation = Simulation(directory, profiles)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, simulation.stop)
    try:
        sys.stdout.write(json.dumps({"ready": True, "dir": str(directory), "modems": len(profiles)}) + "\n")
        sys.stdout.flush()
        simulation.run()
    finally:
        simulation.remove()
