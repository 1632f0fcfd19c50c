"""Opening the device node of an AT port: a tty, or a wwan port, which has few of a tty's ways."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import termios
import tty
from typing import Protocol

import serial


class Device(Protocol):
    """What a channel needs of an open port."""

    def fileno(self) -> int: ...

    def close(self) -> None: ...


class WwanPort:
    """A port like ``/dev/wwan0at0``: no modem lines, no flush, no exclusive open by the kernel, so a lock of ours."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise
        with contextlib.suppress(OSError, termios.error):
            tty.setraw(self._fd)

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        os.close(self._fd)


def open_device(path: str) -> Device:
    """Open a port for us alone. Raises ``OSError`` (``SerialException`` is one)."""
    if os.path.basename(path).startswith("wwan"):
        return WwanPort(path)
    try:
        return serial.Serial(path, 115200, timeout=0, exclusive=True, rtscts=False)
    except termios.error as error:
        raise OSError(errno.ENOTTY, f"not a terminal: {error}") from error
