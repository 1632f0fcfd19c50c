"""What the kernel tells about devices, read so that nothing that vanishes or holds garbage can hurt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def usb_devices(sysfs_root: Path) -> Path:
    """Where the kernel shows USB devices and their interfaces."""
    return sysfs_root / "bus" / "usb" / "devices"


def usb_id_of(device: Path) -> str | None:
    """``vvvv:pppp`` of a USB device's folder, or None for anything else."""
    vendor, product = read_word(device / "idVendor"), read_word(device / "idProduct")
    return None if vendor is None or product is None else f"{vendor}:{product}".lower()


def interfaces_of(devices: Path, name: str) -> Iterator[tuple[int, Path]]:
    """Number and folder of each interface of a USB device."""
    for path in devices.glob(f"{name}:*"):
        number = read_word(path / "bInterfaceNumber")
        if number is not None:
            try:
                yield int(number, 16), path
            except ValueError:
                continue


def interface_class(interface: Path) -> str:
    """Class, subclass and protocol as six hexadecimal digits."""
    names = ("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol")
    return "".join(read_word(interface / name) or "" for name in names).lower()


def driver_of(device: Path) -> str | None:
    """The kernel driver bound to a device or an interface."""
    try:
        return (device / "driver").readlink().name
    except OSError:
        return None


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
    except (OSError, ValueError):
        return None


def read_word(path: Path) -> str | None:
    """A short hexadecimal attribute, or None."""
    text = read_text(path)
    return text if text is not None and len(text) <= 8 and text.isascii() and text.isalnum() else None
