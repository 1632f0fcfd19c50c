"""Modems on PCI Express, which the kernel shows as ``wwan`` devices with ports ``wwan0at0``, ``wwan0mbim0`` …

USB modems may have such ports too (cdc-wdm registers them); they are not listed here, for USB knows them by their path.
Ids are from Linux' mhi/pci_generic, t7xx and iosm drivers.
"""

from __future__ import annotations

from pathlib import Path

from remsim.core.small_dataclass import dataclass
from remsim.modems.ports import UsbModem
from remsim.modems.sysfs import children, read_text, read_word

PREFIX = "pci-"
KINDS = ("at", "qmi", "mbim")

ROWS = (
    UsbModem("14c3:4d75", "fibocom", "FM350-GL", (), "mediatek"),
    UsbModem("14c0:4d75", "fibocom", "FM350-GL", (), "mediatek"),
    UsbModem("8086:7360", "fibocom", "L850-GL", (), "XMM7360"),
    UsbModem("8086:7560", "fibocom", "L860-GL", (), "XMM7560"),
    UsbModem("1eac:1001", "quectel", "EM120R-GL", (), "SDX24"),
    UsbModem("1eac:1002", "quectel", "EM160R-GL", (), "SDX24"),
    UsbModem("1eac:100d", "quectel", "EM160R-GL", (), "SDX24"),
    UsbModem("1eac:2001", "quectel", "EM120R-GL", (), "SDX24"),
    UsbModem("1eac:1004", "quectel", "RM520N-GL", (), "SDX62"),
    UsbModem("1eac:1007", "quectel", "RM520N-GL", (), "SDX62"),
    UsbModem("1269:00b3", "thales", "MV31-W", (), "SDX55"),
    UsbModem("1269:00b4", "thales", "MV31-W", (), "SDX55"),
    UsbModem("1269:00ba", "thales", "MV32-WA", (), "SDX62"),
    UsbModem("1269:00bb", "thales", "MV32-WB", ()),
    UsbModem("105b:e0ab", "foxconn", "T99W175", (), "SDX55"),
    UsbModem("105b:e0d9", "foxconn", "T99W373", (), "SDX62"),
    UsbModem("17cb:0304", "generic", "SDX24 modem", (), "SDX24"),
    UsbModem("17cb:0306", "generic", "SDX55 modem", (), "SDX55"),
    UsbModem("17cb:0308", "generic", "SDX65 modem", (), "SDX65"),
    UsbModem("17cb:0309", "generic", "SDX75 modem", (), "SDX75"),
)
BY_ID = {row.usb_id: row for row in ROWS}
BY_SUBSYSTEM = {("17cb:0306", "18d7:0200"): UsbModem("17cb:0306", "sierra", "EM9190", (), "SDX55")}


@dataclass(frozen=True, slots=True)
class PciModem:
    """A PCI device with wwan ports, by name."""

    place: str
    pci_id: str
    path: Path
    ports: tuple[tuple[str, Path], ...]


def folder(sysfs_root: Path) -> Path:
    """Where the kernel shows wwan devices and their ports."""
    return sysfs_root / "class" / "wwan"


def devices(sysfs_root: Path) -> dict[str, PciModem]:
    """The modems on PCI Express by place."""
    found: dict[str, tuple[Path, list[tuple[str, Path]]]] = {}
    for name in children(folder(sysfs_root)):
        entry = folder(sysfs_root) / name
        try:
            path = entry.resolve(strict=True)
        except (OSError, RuntimeError):
            continue
        device = pci_parent(path)
        if device is not None:
            found.setdefault(f"{PREFIX}{device.name}", (device, []))[1].append((name, path))
    return {
        place: PciModem(place, pci_id_of(device) or "", device, tuple(ports))
        for place, (device, ports) in sorted(found.items())
    }


def places(sysfs_root: Path) -> list[str]:
    """The places of the modems on PCI Express."""
    return list(devices(sysfs_root)) if children(folder(sysfs_root)) else []


def device_at(sysfs_root: Path, place: str) -> PciModem | None:
    """The modem at a place like ``pci-0000:01:00.0``, or None."""
    return devices(sysfs_root).get(place)


def pci_parent(path: Path) -> Path | None:
    """The PCI device above a port, or None when a USB interface lies between."""
    for parent in path.parents:
        if (parent / "bInterfaceNumber").exists() or (parent / "idVendor").exists():
            return None
        if pci_id_of(parent) is not None and (parent / "class").exists():
            return parent
    return None


def pci_id_of(device: Path, *, subsystem: bool = False) -> str | None:
    """``vvvv:dddd`` of a PCI device or its subsystem."""
    prefix = "subsystem_" if subsystem else ""
    vendor, product = read_word(device / f"{prefix}vendor"), read_word(device / f"{prefix}device")
    if vendor is None or product is None or not vendor.startswith("0x") or not product.startswith("0x"):
        return None
    return f"{vendor[2:]}:{product[2:]}".lower()


def row_of(device: PciModem) -> UsbModem:
    """What the modem is; the generic driver's for an id we do not know."""
    subsystem = pci_id_of(device.path, subsystem=True) or ""
    known = BY_SUBSYSTEM.get((device.pci_id, subsystem)) or BY_ID.get(device.pci_id)
    return known or UsbModem(device.pci_id, "generic", "unknown PCI modem", (), is_guess=True)


def ports_of(device: PciModem) -> dict[str, list[str]]:
    """Port names by what they speak: ``at``, ``qmi``, ``mbim``."""
    found: dict[str, list[str]] = {}
    for name, path in device.ports:
        told = (read_text(path / "type") or "").lower()
        kind = told or next((kind for kind in KINDS if kind in name.removeprefix("wwan")), "")
        if kind in KINDS:
            found.setdefault(kind, []).append(name)
    return found


def interfaces(sysfs_root: Path, device: PciModem) -> list[str]:
    """Its network interfaces."""
    net = sysfs_root / "class" / "net"
    inside = []
    for name in children(net):
        try:
            is_inside = (net / name).resolve(strict=True).is_relative_to(device.path)
        except (OSError, RuntimeError):
            continue
        if is_inside:
            inside.append(name)
    return inside
