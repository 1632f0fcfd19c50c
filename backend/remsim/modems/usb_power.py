"""Power of a USB port, where its hub can switch it, and taking a device off the bus and back without that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from remsim.core.errors import RemsimError
from remsim.modems.sysfs import usb_devices

OFF_S = 3.0


class UsbPowerError(RemsimError):
    """The port cannot be switched."""

    code = "usb_power"
    http_status = 502


def port_switch(sysfs_root: Path, usb_path: str) -> Path | None:
    """The kernel's switch of the port a device hangs on (Linux 6.0 and newer), or None.

    ``1-1.2`` is port 2 of hub ``1-1``; ``1-1`` is port 1 of the root hub ``usb1``.
    """
    parent, dot, port = usb_path.rpartition(".")
    if not dot:
        bus, _, port = usb_path.partition("-")
        hub, interface = f"usb{bus}", f"{bus}-0:1.0"
    else:
        hub, interface = parent, f"{parent}:1.0"
    switch = usb_devices(sysfs_root) / interface / f"{hub}-port{port}" / "disable"
    return switch if switch.exists() else None


def authorization(sysfs_root: Path, usb_path: str) -> Path | None:
    """The kernel's leave for a device to be used, or None."""
    path = usb_devices(sysfs_root) / usb_path / "authorized"
    return path if path.exists() else None


def cycle(switch: Path, off: str, on: str, sleep: Callable[[float], None]) -> None:
    """Write ``off``, wait, write ``on``; whatever happens in between, it ends on."""
    write(switch, off)
    try:
        sleep(OFF_S)
    finally:
        write(switch, on)


def write(switch: Path, text: str) -> None:
    """Write to a switch; ``UsbPowerError``."""
    try:
        switch.write_text(text)
    except OSError as error:
        raise UsbPowerError(f"{switch} cannot be written: {error.strerror}") from error
