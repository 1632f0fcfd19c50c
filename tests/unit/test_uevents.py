from __future__ import annotations

import socket
import threading
import time

import pytest
from remsim.modems import uevents
from remsim.modems.uevents import Uevents


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    """The other end of what stands for netlink."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setblocking(False)
    monkeypatch.setattr(uevents, "open_netlink", lambda: ours)
    return theirs


def test_device_event_ends_the_wait_at_once(kernel: socket.socket) -> None:
    events = Uevents()
    kernel.send(b"add@/devices/usb1/1-1\0ACTION=add\0SUBSYSTEM=usb\0SEQNUM=1")
    kernel.send(b"add@/devices/usb1/1-1/ttyUSB0\0ACTION=add\0SUBSYSTEM=tty\0SEQNUM=2")
    begun = time.monotonic()
    assert events.wait(60.0) and time.monotonic() - begun < 30.0
    assert not events.wait(0.01)  # a burst is one event
    events.close()


def test_events_of_other_devices_and_garbage_wake_nobody(kernel: socket.socket) -> None:
    events = Uevents()
    for message in (b"change@/devices/power\0SUBSYSTEM=power_supply", b"", b"\xff" * 4000, b"SUBSYSTEM=usbfoo"):
        kernel.send(message)
    assert not events.wait(0.1)
    events.close()


def test_wake_ends_the_wait_and_closing_twice_is_fine() -> None:
    events = Uevents(listen=False)
    assert not events.listens
    threading.Timer(0.05, events.wake).start()
    assert events.wait(60)
    assert not events.wait(0.01)
    events.close()
    events.close()
    events.wake()


def test_without_netlink_only_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(uevents.socket, "socket", refuse)
    events = Uevents()
    assert not events.listens and not events.wait(0.01)
    events.close()


def test_kernel_lets_us_listen_or_says_no() -> None:
    events = Uevents()
    events.wait(0.01)
    events.close()
