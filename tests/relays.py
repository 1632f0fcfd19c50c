"""A relay as a process, between virtual parts."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from remsim.config.remote_sim import RemoteClientSettings
from remsim.remotesim.counts import read_file
from remsim.remotesim.relay_place import (
    counters_path,
    relay_address,
    relay_command,
    relay_port,
)
from virtual_remsim import wait_until

_numbers = itertools.count(os.getpid() % 1000 << 8)
"""A client a relay, and so an address a relay, whatever else runs on this machine."""


class RelayProcess:
    """One client's relay."""

    def __init__(self, directory: Path, server_port: int) -> None:
        number = next(_numbers)
        self.slot = (number >> 10 & 1023, number & 1023)
        self.client = RemoteClientSettings("uplink", *self.slot, server_port=server_port, relay=True)
        self.address = relay_address(*self.slot)
        self.ports = relay_port(directory), relay_port(directory) + 1
        self.file = counters_path(directory, "uplink")
        self.command = relay_command(self.client, directory)
        self.log = directory / "relay.log"
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Begin, or begin again; until it listens."""
        before = self.file.stat().st_mtime_ns if self.file.exists() else 0
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stderr=log)
        wait_until(lambda: self.file.exists() and self.file.stat().st_mtime_ns > before)
        return self.process

    def counts(self) -> dict[str, Any]:
        """What its file has."""
        return read_file(self.file)

    def kill(self) -> None:
        """As a crash does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def running_relay(directory: Path, server_port: int) -> Iterator[RelayProcess]:
    """A relay for as long as a block."""
    relay = RelayProcess(directory, server_port)
    try:
        yield relay
    finally:
        relay.process.terminate()
        relay.process.wait(60)
