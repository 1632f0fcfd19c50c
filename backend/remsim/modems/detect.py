"""Finds modems: USB devices of known ids and what their interfaces are, and modems on PCI Express.

A modem's place is its USB path (``1-1.2``) or PCI address (``pci-0000:01:00.0``), never a ttyUSB number, which changes
with every re-enumeration.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from remsim.core.small_dataclass import dataclass
from remsim.modems import boot_modes, wwan
from remsim.modems.packages import missing
from remsim.modems.ports import BY_ID, NO_MODEMS, PLAIN_AT, SDX_AT, VENDORS, UsbModem
from remsim.modems.sysfs import (
    children,
    driver_of,
    interface_class,
    interfaces_of,
    read_text,
    read_word,
    ttys,
    usb_devices,
    usb_id_of,
)

CONTROL_DRIVERS = {"qmi_wwan": "qmi", "cdc_mbim": "mbim"}
SERIAL_DRIVERS = ("option", "qcserial", "cdc_acm")
LIKELY_AT = (SDX_AT, PLAIN_AT, "020201", "020200", "ffffff")
"""Classes of interfaces that may speak AT, the likelier first; diagnosis (ff/ff/30) and NMEA (ff/00/40) do not."""


@dataclass(frozen=True, slots=True)
class ControlPort:
    """A modem's QMI or MBIM device: ``protocol`` is ``qmi`` or ``mbim``, ``path`` a device node that exists."""

    protocol: str
    path: str


@dataclass(frozen=True, slots=True)
class Found:
    """A modem on the bus. ``at_ports`` are device nodes that exist, the best first.

    ``missing`` says why there are none, where it is known.
    ``usb_path`` is its place, ``usb_id`` its vendor and product; of a modem on PCI Express both are those of PCI.
    """

    usb_path: str
    usb_id: str
    row: UsbModem
    product: str | None
    at_ports: tuple[str, ...]
    interface: str | None
    control_port: ControlPort | None = None
    missing: str | None = None

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return place_in_words(self.usb_path)


def place_in_words(usb_path: str) -> str:
    """``USB 1-1.2`` or ``PCI 0000:01:00.0``."""
    return f"PCI {usb_path[4:]}" if usb_path.startswith(wwan.PREFIX) else f"USB {usb_path}"


def is_another(before: Found, now: Found) -> bool:
    """Whether what is at a place now is certainly not the modem that was there.

    A modem changes its product id with its USB mode, and its vendor's too while it is in a boot mode.
    """
    if before.row.is_boot_mode or now.row.is_boot_mode:
        return False
    return before.row.vendor != now.row.vendor and before.usb_id[:4] != now.usb_id[:4]


def scan(sysfs_root: Path, dev_root: Path) -> list[Found]:
    """All modems plugged in now, by place. What vanishes while we look is not there."""
    devices = usb_devices(sysfs_root)
    names = [name for name in children(devices) if ":" not in name]
    names += wwan.places(sysfs_root)
    found = (look_at(sysfs_root, name, dev_root) for name in names)
    return [modem for modem in found if modem is not None]


def fingerprint(sysfs_root: Path) -> tuple[str, ...]:
    """Changes when a USB device, an interface or a PCI modem's port comes or goes; cheaper than a scan."""
    return (*children(usb_devices(sysfs_root)), *children(wwan.folder(sysfs_root)))


def look_at(sysfs_root: Path, usb_path: str, dev_root: Path) -> Found | None:
    """The modem at a place as it is now, or None."""
    if usb_path.startswith(wwan.PREFIX):
        return on_pci(sysfs_root, usb_path, dev_root)
    return describe(usb_devices(sysfs_root), usb_path, dev_root)


def on_pci(sysfs_root: Path, place: str, dev_root: Path) -> Found | None:
    """The modem at a PCI address, or None."""
    device = wwan.device_at(sysfs_root, place)
    if device is None:
        return None
    ports = {kind: [str(dev_root / name) for name in names] for kind, names in wwan.ports_of(device).items()}
    nodes = {kind: [path for path in paths if Path(path).exists()] for kind, paths in ports.items()}
    control = next((ControlPort(kind, nodes[kind][0]) for kind in ("qmi", "mbim") if nodes.get(kind)), None)
    net = next(iter(wwan.interfaces(sysfs_root, device)), None)
    return Found(place, device.pci_id, wwan.row_of(device), None, tuple(nodes.get("at", ())), net, control)


def describe(devices: Path, name: str, dev_root: Path) -> Found | None:
    """The modem at a USB path, or None for another device."""
    usb_id = usb_id_of(devices / name)
    if usb_id is None:
        return None
    row = BY_ID.get(usb_id) or boot_modes.BY_ID.get(usb_id)
    if row is None and (usb_id[:4] not in VENDORS or usb_id in NO_MODEMS):
        return None
    interfaces = dict(sorted(interfaces_of(devices, name)))
    if row is None:
        if not likely_at(interfaces):
            return None
        row = guess(usb_id)
    numbers = list(at_numbers(row, interfaces))
    nodes = [dev_root / tty for number in numbers for tty in ttys(interfaces.get(number))]
    ports = tuple(str(node) for node in nodes if node.exists())
    netdevs = [net for path in interfaces.values() for net in children(path / "net")]
    return Found(
        name,
        usb_id,
        row,
        read_text(devices / name / "product"),
        ports,
        next(iter(netdevs), None),
        control_port(interfaces.values(), dev_root),
        None if ports or row.is_boot_mode else missing(row, numbers, interfaces),
    )


def guess(usb_id: str) -> UsbModem:
    """What we call an unknown product of a vendor of modems."""
    return UsbModem(usb_id, "generic", f"unknown product of {VENDORS[usb_id[:4]].capitalize()}", (), is_guess=True)


def at_numbers(row: UsbModem, interfaces: dict[int, Path]) -> Iterable[int]:
    """The interfaces to speak AT on, the best first."""
    if row.is_guess:
        return likely_at(interfaces)
    if row.at_class is None:
        return row.at_interfaces
    right = [number for number, path in interfaces.items() if interface_class(path) == row.at_class]
    return sorted(right, key=lambda number: lacks_interrupts(interfaces[number])) or likely_at(interfaces)


def likely_at(interfaces: dict[int, Path]) -> list[int]:
    """Interfaces of a device we do not know that may speak AT: serial ones, the likeliest first."""
    likely: list[tuple[int, bool, int]] = []
    for number, path in interfaces.items():
        kind, driver = interface_class(path), driver_of(path)
        if kind in LIKELY_AT and driver in SERIAL_DRIVERS and ttys(path):
            is_modem = driver == "qcserial" and number == 3  # Sierra's layout, in which all classes are alike
            likely.append((-1 if is_modem else LIKELY_AT.index(kind), lacks_interrupts(path), number))
    return [number for *_, number in sorted(likely)]


def lacks_interrupts(interface: Path) -> bool:
    """False, which sorts first, for three endpoints: a port that tells of its lines' state is a modem's."""
    return read_word(interface / "bNumEndpoints") not in ("03", "3")


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
