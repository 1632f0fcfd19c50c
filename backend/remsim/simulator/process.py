"""The simulation as a process of its own, started and ended by the service or a test."""

from __future__ import annotations

import contextlib
import json
import pickle
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from remsim.core.errors import RemsimError
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.options import EsimSimulation
from remsim.simulator.control import ESIM_NAME, SimulatorControl
from remsim.simulator.remsim.scene import CARDS

START_TIMEOUT_S = 10.0


class SimulatorProcess:
    """``remsim simulate`` below a directory."""

    def __init__(self, directory: Path, count: int = 0, models: Sequence[str] = ()) -> None:
        self._directory = directory
        self._count = count
        self._models = list(models)
        self._process: subprocess.Popen[bytes] | None = None
        self.sysfs_root = directory / "sys"
        self.dev_root = directory / "dev"
        self.config_dir = directory
        self.programs = directory / "bin"
        self.esim: EsimSimulation | None = None
        """Once started, where it has eSIM."""
        self.slotmaps = tuple((card.bank, card.client) for card in CARDS)
        self.control = SimulatorControl(directory)

    def start(self) -> None:
        """Start it and wait until its devices are there."""
        command = [
            sys.executable,
            "-m",
            "remsim",
            "simulate",
            "--dir",
            str(self._directory),
            "--modems",
            ",".join(self._models) or str(self._count),
        ]
        # A group of its own: Ctrl-C is for the service, which ends its simulator when it has let the ports go.
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, process_group=0)
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START_TIMEOUT_S)
        if not ready or b'"ready": true' not in self._process.stdout.readline():
            self.stop()
            raise RemsimError("the simulator did not start", code="simulator_error", hint="see its message above")
        self.esim = self.read_esim()

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(2.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def read_esim(self) -> EsimSimulation | None:
        """What a simulation that runs has of eSIM, None when it has none."""
        path = self._directory / ESIM_NAME
        if not path.exists():
            return None
        told = json.loads(path.read_text())
        codes = tuple((str(label), str(code)) for label, code in told["codes"])
        return EsimSimulation(Path(told["ca_file"]), told["hosts"], codes)

    def history(
        self, start: float, end: float, modem_ids: Mapping[str, str], sims: Mapping[str, str | None] | None = None
    ) -> Iterator[ModemReading | Event]:
        """The simulated past, computed in another process: the service's memory and its one interpreter stay free."""
        names = [f"{usb_path}={name},{(sims or {}).get(usb_path) or ''}" for usb_path, name in modem_ids.items()]
        arguments = [str(start), str(end), ",".join(self._models), *names]
        command = [sys.executable, "-m", "remsim.simulator.backfill", *arguments]
        # Ctrl-C is not for it either: it ends with its reader.
        with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, process_group=0) as process:
            assert process.stdout is not None
            try:
                while True:
                    yield from pickle.load(process.stdout)  # our own child's, not anybody's
            except (EOFError, pickle.UnpicklingError) as error:
                if process.wait() != 0:
                    text = "the simulated past ended too early"
                    raise RemsimError(text, code="simulator_error", hint="see its message above") from error
            finally:
                with contextlib.suppress(OSError):
                    process.kill()
