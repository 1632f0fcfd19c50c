"""Faults for virtual modems, from the service or a test. The service imports this, but not the simulator's rest."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from remsim.core.errors import InvalidInput, RemsimError

CONTROL_NAME = "control.sock"
TIMEOUT_S = 3.0
FAULTS = {
    "unplug": "leave the USB bus at once",
    "plug": "come back onto it",
    "reboot": "vanish for 90 s (or seconds), then the ttys come back before the parser answers",
    "silence": "take commands and answer none",
    "garbage": "say nonsense, asked or not",
    "slow": "answer 2.5 s (or seconds) late",
    "sim_removed": "no SIM in the slot",
    "sim_inserted": "a SIM in the slot again",
    "registration_denied": "the network refuses the SIM",
    "clear": "undo all of them",
}


class SimulatorControl:
    """Talks to a simulation's control socket; each call is one exchange."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def fault(self, usb_path: str, fault: str, *, seconds: float | None = None) -> None:
        """Do a fault to the modem at a USB path; ``InvalidInput`` names what is wrong."""
        asked: dict[str, Any] = {"modem": usb_path, "fault": fault, "seconds": seconds}
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(TIMEOUT_S)
                with short_path(self._directory) as directory:
                    connection.connect(f"{directory}/{CONTROL_NAME}")
                connection.sendall(json.dumps(asked).encode() + b"\n")
                answer = json.loads(connection.makefile("r").readline())
        except (OSError, ValueError) as error:
            raise RemsimError(f"the simulator does not answer: {error}", code="simulator_error") from error
        if not answer.get("ok"):
            raise InvalidInput(str(answer.get("error")), field=answer.get("field"))


@contextlib.contextmanager
def short_path(directory: Path) -> Iterator[str]:
    """A short name of a folder, for the address of a Unix socket holds 107 characters only."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)
