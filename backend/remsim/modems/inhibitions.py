"""Keeping ModemManager off modems: ``mmcli --inhibit-device`` does so while it runs, so no longer than this service."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import threading

from remsim.core.errors import NotTaken

STARTS_S = 2.0
ENDS_S = 5.0


class Inhibitions:
    """One process a modem that is kept from ModemManager."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def is_on(self, device: str) -> bool:
        """Whether ModemManager is kept off a device now."""
        with self._lock:
            process = self._running.get(device)
            return process is not None and process.poll() is None

    def start(self, device: str) -> None:
        """Keep ModemManager off; ``NotTaken`` with mmcli's own words."""
        tool = shutil.which("mmcli")
        if tool is None:
            raise NotTaken("mmcli is not installed", hint="install ModemManager's tools, or stop ModemManager")
        command = [tool, f"--inhibit-device={device}"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STARTS_S)  # what is refused ends at once
            assert process.stderr is not None
            told = process.stderr.read(400).decode("utf-8", "replace").strip()
            raise NotTaken(f"ModemManager does not let {device} go: {told or process.returncode}")
        with self._lock:
            self._running[device] = process

    def stop(self, device: str | None = None) -> None:
        """Give a device back, or all of them."""
        with self._lock:
            devices = [device] if device is not None else list(self._running)
            ended = [process for name in devices if (process := self._running.pop(name, None)) is not None]
        for process in ended:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(ENDS_S)
