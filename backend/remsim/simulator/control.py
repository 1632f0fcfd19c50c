"""Faults for virtual modems, from the service or a test."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from remsim.core.errors import InvalidInput, RemsimError


class SimulatorControl:
    """Talks to a simulation's control socket; each call is one exchange."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fault(self, usb_path: str, fault: str, *, seconds: float | None = None) -> None:
        """Do a fault to the modem at a USB path; ``InvalidInput`` names what is wrong."""
        asked: dict[str, Any] = {"modem": usb_path, "fault": fault, "seconds": seconds}
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(3.0)
                connection.connect(str(self._path))
                connection.sendall(json.dumps(asked).encode() + b"\n")
                answer = json.loads(connection.makefile("r").readline())
        except (OSError, ValueError) as error:
            raise RemsimError(f"the simulator does not answer: {error}", code="simulator_error") from error
        if not answer.get("ok"):
            raise InvalidInput(str(answer.get("error")), field=answer.get("field"))
