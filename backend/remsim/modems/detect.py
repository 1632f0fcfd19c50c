"""Finds modems in sysfs: USB devices of known ids and the ttys and netdevs of their interfaces.

A modem's place is its USB path (``1-1.2``), never a ttyUSB number, which changes with every re-enumeration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from remsim.modems.ports import BY_ID, UsbModem

CONTROL_DRIVERS = {"qmi_wwan": "qmi", "cdc_mbim": "mbim"}


@dataclass(frozen=True, slots=True)
class ControlPort:
    """A modem's QMI or MBIM device: ``protocol`` is ``qmi`` or ``mbim``, ``path`` a device node that exists."""

    protocol: str
    path: str


@dataclass(frozen=True, slots=True)
class Found:
    """A modem on the bus. ``at_ports`` are device nodes that exist, the best first."""

    usb_path: str
    usb_id: str
    row: UsbModem
    product: str | None
    at_ports: tuple[str, ...]
    interface: str | None
    control_port: ControlPort | None = None


def scan(sysfs_root: Path, dev_root: Path) -> list[Found]:
    """All modems plugged in now, by USB path. What vanishes while we look is not there."""
    devices = usb_devices(sysfs_root)
    try:
        names = sorted(entry.name for entry in devices.iterdir() if ":" not in entry.name)
    except OSError:
        return []
    found = (describe(devices, name, dev_root) for name in names)
    return [modem for modem in found if modem is not None]


def fingerprint(sysfs_root: Path) -> tuple[str, ...]:
    """Changes when a USB device or interface comes or goes; cheaper than a scan."""
    try:
        return tuple(sorted(entry.name for entry in usb_devices(sysfs_root).iterdir()))
    except OSError:
        return ()


def look_at(sysfs_root: Path, usb_path: str, dev_root: Path) -> Found | None:
    """The modem at a USB path as it is now, or None."""
    return describe(usb_devices(sysfs_root), usb_path, dev_root)


def usb_devices(sysfs_root: Path) -> Path:
    """Where the kernel shows USB devices and their interfaces."""
    return sysfs_root / "bus" / "usb" / "devices"


def describe(devices: Path, name: str, dev_root: Path) -> Found | None:
    """The modem at a USB path, or None for another device."""
    vendor, product_id = read_word(devices / name / "idVendor"), read_word(devices / name / "idProduct")
    if vendor is None or product_id is None:
        return None
    row = BY_ID.get(f"{vendor}:{product_id}".lower())
    if row is None:
        return None
    interfaces = dict(sorted(interfaces_of(devices, name)))
    numbers = row.at_interfaces
    if row.at_class is not None:
        numbers = tuple(number for number, path in interfaces.items() if interface_class(path) == row.at_class)
    ports = [
        str(node) for number in numbers for tty in ttys(interfaces.get(number)) if (node := dev_root / tty).exists()
    ]
    netdevs = [net for path in interfaces.values() for net in children(path / "net")]
    product = read_text(devices / name / "product")
    control = control_port(interfaces.values(), dev_root)
    return Found(name, row.usb_id, row, product, tuple(ports), next(iter(netdevs), None), control)


def interfaces_of(devices: Path, name: str) -> Iterator[tuple[int, Path]]:
    """Number and folder of each interface of a device."""
    for path in devices.glob(f"{name}:*"):
        number = read_word(path / "bInterfaceNumber")
        if number is not None:
            try:
                yield int(number, 16), path
            except ValueError:
                continue


def control_port(interfaces: Iterable[Path], dev_root: Path) -> ControlPort | None:
    """The QMI or MBIM device of a modem, told by the driver that made it."""
    for path in interfaces:
        protocol = CONTROL_DRIVERS.get(driver_of(path) or "")
        if protocol is None:
            continue
        for name in children(path / "usbmisc"):
            if (dev_root / name).exists():
                return ControlPort(protocol, str(dev_root / name))
    return None


def driver_of(interface: Path) -> str | None:
    """The kernel driver bound to an interface."""
    try:
        return (interface / "driver").readlink().name
    except OSError:
        return None


def interface_class(interface: Path) -> str:
    """Class, subclass and protocol as six hexadecimal digits."""
    names = ("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol")
    return "".join(read_word(interface / name) or "" for name in names).lower()


def ttys(interface: Path | None) -> list[str]:
    """Names of an interface's ttys: ``ttyUSB2`` in it, or ``tty/ttyACM0``."""
    if interface is None:
        return []
    return [name for name in children(interface) if name.startswith("ttyUSB")] + children(interface / "tty")


def children(path: Path) -> list[str]:
    """Sorted names in a folder, none if it is not there."""
    try:
        return sorted(entry.name for entry in path.iterdir())
    except OSError:
        return []


def read_text(path: Path) -> str | None:
    """A sysfs attribute, or None."""
    try:
        return path.read_text("utf-8", "replace").strip() or None
    except OSError:
        return None


def read_word(path: Path) -> str | None:
    """A short hexadecimal attribute, or None."""
    text = read_text(path)
    return text if text is not None and len(text) <= 8 and text.isalnum() else None
