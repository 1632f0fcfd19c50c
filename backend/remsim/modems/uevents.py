"""The kernel's word that a device came or went, so that nobody has to look all the time."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import threading

log = logging.getLogger(__name__)

NETLINK_KOBJECT_UEVENT = 15
KERNEL_GROUP = 1
SUBSYSTEMS = (b"SUBSYSTEM=usb", b"SUBSYSTEM=tty", b"SUBSYSTEM=usbmisc", b"SUBSYSTEM=wwan", b"SUBSYSTEM=net")
SETTLE_S = 0.05
"""Events come in bursts, and a node in /dev is made a moment after its event."""


class Uevents:
    """Waits for a device event, for ``wake`` or for the end of a time; without netlink only for the latter two."""

    def __init__(self, *, listen: bool = True) -> None:
        self._closing = threading.Lock()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._socket = open_netlink() if listen else None
        self._poller = select.poll()
        self._poller.register(self._wake_fd, select.POLLIN)
        if self._socket is not None:
            self._poller.register(self._socket, select.POLLIN)

    @property
    def listens(self) -> bool:
        """Whether the kernel tells us."""
        return self._socket is not None

    def wait(self, timeout_s: float) -> bool:
        """True when a device came or went, or ``wake`` was called; False when the time is over."""
        for fd, _ in self._poller.poll(timeout_s * 1000):
            if fd == self._wake_fd:
                with contextlib.suppress(BlockingIOError):
                    os.eventfd_read(self._wake_fd)
                return True
            if self._drain():
                select.poll().poll(SETTLE_S * 1000)
                self._drain()
                return True
        return False

    def wake(self) -> None:
        """End a ``wait``."""
        with self._closing:
            if self._wake_fd >= 0:
                os.eventfd_write(self._wake_fd, 1)

    def close(self) -> None:
        """Let everything go; nobody waits any more."""
        with self._closing:
            if self._socket is not None:
                self._socket.close()
                self._socket = None
            if self._wake_fd >= 0:
                os.close(self._wake_fd)
                self._wake_fd = -1

    def _drain(self) -> bool:
        """Read what came; whether any of it is about a device of ours."""
        matters = False
        while self._socket is not None:
            try:
                fields = self._socket.recv(8192).split(b"\0")
            except BlockingIOError:
                break
            except OSError:  # more came than the socket holds: something moved
                return True
            matters = matters or any(field in SUBSYSTEMS for field in fields)
        return matters


def open_netlink() -> socket.socket | None:
    """A socket that hears the kernel's device events, or None where that is not possible."""
    try:
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT)
    except OSError as error:
        log.debug("no device events: %s", error)
        return None
    try:
        sock.bind((0, KERNEL_GROUP))
    except OSError as error:
        log.debug("no device events: %s", error)
        sock.close()
        return None
    return sock
