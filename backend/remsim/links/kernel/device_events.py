"""The kernel's word that a device came, went, or changed its address or its default route."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import threading
from collections.abc import Callable

from remsim.links.kernel.netlink import BUFFER, NETLINK_ROUTE, SO_RCVBUFFORCE, messages
from remsim.links.kernel.rtnetlink import (
    ADDRESS,
    DELADDR,
    DELLINK,
    DELROUTE,
    DELRULE,
    LINK,
    NEWADDR,
    NEWLINK,
    NEWROUTE,
    OURS,
    default_of,
    device_of,
    rule_of,
)

log = logging.getLogger(__name__)

GROUPS = 0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400 | 1 << 18
"""RTMGRP_LINK, addresses, routes and rules of IPv4 and of IPv6."""
ROOM = 1 << 20
EVERYTHING = ""
"""Instead of a device's name: events were lost, or a rule of ours was deleted."""


class DeviceEvents:
    """A thread that listens; ``on_device`` is called in it with a device's name (``EVERYTHING``: look at all)."""

    def __init__(self, on_device: Callable[[str], None]) -> None:
        self._on_device = on_device
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_ROUTE)
        for option in (SO_RCVBUFFORCE, socket.SO_RCVBUF):
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, option, ROOM)
                break
        self._socket.bind((0, GROUPS))
        self._socket.setblocking(False)
        self._end = os.eventfd(0, os.EFD_CLOEXEC)
        self._names: dict[int, str] = {}
        self._thread = threading.Thread(target=self._listen, name="link-devices", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        os.eventfd_write(self._end, 1)
        self._thread.join()
        self._socket.close()
        os.close(self._end)

    def _listen(self) -> None:
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        poller.register(self._end, select.POLLIN)
        while True:
            if any(fd == self._end for fd, _ in poller.poll()):
                return
            for name in self._changed():
                try:
                    self._on_device(name)
                except Exception:
                    log.exception("links: what follows a change of %s failed", name or "devices")

    def _changed(self) -> list[str]:
        """The devices of all that came in a burst."""
        found: dict[str, None] = {}
        while True:
            try:
                data = self._socket.recv(BUFFER)
            except BlockingIOError:
                return list(found)
            except OSError:
                return [EVERYTHING]
            for kind, _, body in messages(data):
                name = self._name(kind, body)
                if name is not None:
                    found[name] = None

    def _name(self, kind: int, body: bytes) -> str | None:
        """The device that a message is about; None when it does not matter to links."""
        if kind in (NEWLINK, DELLINK) and len(body) >= LINK.size:
            device = device_of(body)
            self._names[device.index] = device.name
            return device.name
        if kind in (NEWADDR, DELADDR) and len(body) >= ADDRESS.size:
            return self._named(ADDRESS.unpack_from(body)[4])
        if kind in (NEWROUTE, DELROUTE):
            route = default_of(body)
            if route is not None and route.device is not None and (route.protocol != OURS or kind == DELROUTE):
                return self._named(route.device)
        if kind == DELRULE and rule_of(body) is not None:
            return EVERYTHING
        return None

    def _named(self, index: int) -> str | None:
        with contextlib.suppress(OSError):
            self._names[index] = socket.if_indextoname(index)
        return self._names.get(index)
