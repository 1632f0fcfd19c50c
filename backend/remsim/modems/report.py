"""What was looked for and what was found: for a user whose modem does not show up, to paste into a bug report.

Serial numbers, IMEIs and MAC addresses are not in it.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from remsim import __version__
from remsim.core.masking import masked
from remsim.modems import boot_modes, ports, wwan
from remsim.modems.detect import SERIAL_DRIVERS, Found, describe, on_pci, place_in_words
from remsim.modems.holders import MODEM_MANAGER, holders, running
from remsim.modems.packages import pci_package
from remsim.modems.report_text import report_text
from remsim.modems.sysfs import (
    children,
    driver_of,
    interface_class,
    interfaces_of,
    read_text,
    ttys,
    usb_devices,
    usb_id_of,
)

SERIAL_NUMBER = re.compile(r"(SN|S/N|Serial|IMEI)([\s:=_#]*)[0-9A-Za-z]{4,}", re.IGNORECASE)
HEX = "[0-9A-Fa-f]"
MAC = re.compile(rf"(?<!{HEX})(?:{HEX}{{2}}[:-]){{5}}{HEX}{{2}}(?!{HEX})|(?<=[ew][nwl]x){HEX}{{12}}")
LONGEST = 80

CELLULAR = "0x0d40"
"""The PCI class of cellular modems."""


def detection_report(
    sysfs_root: Path,
    dev_root: Path,
    *,
    states: Mapping[str, str] | None = None,
    errors: Sequence[str] = (),
    proc: Path = Path("/proc"),
) -> dict[str, Any]:
    """The object of ``GET /api/v1/detection``; ``text`` is the same to paste.

    ``states`` are words about modems by place, ``errors`` recent ones.
    """
    devices = usb_devices(sysfs_root)
    usb = [one for name in children(devices) if ":" not in name and (one := usb_device(devices, name, dev_root))]
    pci = pci_devices(sysfs_root, dev_root)
    paths = [path for one in (*usb, *pci) for path in one["ports"]]
    used = holders(paths, proc)
    report: dict[str, Any] = {
        "version": __version__,
        "kernel": platform.release(),
        "machine": platform.machine(),
        "looked_for": looked_for(),
        "usb": usb,
        "pci": pci,
        "wwan": children(wwan.folder(sysfs_root)),
        "port_users": [holder.as_dict() for holder in used],
        "modem_manager": running(MODEM_MANAGER.title, proc) is not None,
        "modems": [f"{place_in_words(place)}: {words}" for place, words in sorted((states or {}).items())],
        "errors": [cleaned(error) for error in errors],
        "hints": hints(sysfs_root, usb, pci),
    }
    report["text"] = report_text(report)
    return report


def looked_for() -> list[dict[str, Any]]:
    """The vendors whose modems are known, with their modules and how many ids."""
    found: dict[str, tuple[set[str], int]] = {}
    for row in (*ports.ROWS, *wwan.ROWS):
        modules, count = found.get(row.vendor, (set(), 0))
        found[row.vendor] = (modules | {row.module}, count + 1)
    return [
        {"vendor": vendor, "ids": count, "modules": sorted(modules)} for vendor, (modules, count) in found.items()
    ]


def usb_device(devices: Path, name: str, dev_root: Path) -> dict[str, Any] | None:
    """A device on the USB bus, with what we make of it."""
    usb_id = usb_id_of(devices / name)
    if usb_id is None:
        return None
    interfaces = dict(sorted(interfaces_of(devices, name)))
    found = describe(devices, name, dev_root)
    shown = [usb_interface(number, path) for number, path in interfaces.items()]
    device = devices / name
    is_hub = read_text(device / "bDeviceClass") == "09" or any(one["class"].startswith("09") for one in shown)
    kind, note = ("hub", None) if is_hub else judgement(usb_id, found, shown)
    return {
        "usb_path": name,
        "usb_id": usb_id,
        "manufacturer": cleaned(read_text(device / "manufacturer")),
        "product": cleaned(read_text(device / "product")),
        "speed_mbit_s": cleaned(read_text(device / "speed")),
        "kind": kind,
        "module": found.row.module if found else None,
        "note": note,
        "interfaces": shown,
        "ports": ports_of(found),
    }


def usb_interface(number: int, path: Path) -> dict[str, Any]:
    """An interface of a device: class, driver and the nodes it has."""
    return {
        "number": number,
        "class": interface_class(path)[:6],
        "driver": driver_of(path),
        "nodes": [cleaned(name) for name in (*ttys(path), *children(path / "usbmisc"), *children(path / "net"))],
    }


def judgement(usb_id: str, found: Found | None, shown: list[dict[str, Any]]) -> tuple[str, str | None]:
    """Which kind of device it is and what is to be said of it."""
    if found is not None and found.row.boot_mode is not None:
        return "boot_mode", boot_modes.sentence(found.row.boot_mode)
    if found is not None and found.row.is_unknown:
        return "unknown_modem", f"looks like a modem we do not know: {usb_id}; please report it"
    if found is not None:
        return "modem", found.missing
    if usb_id[:4] in ports.VENDORS and any(looks_serial(one) for one in shown):
        return "candidate", f"may be a modem we do not know: {usb_id}, with serial interfaces; please report it"
    return "other", None


def looks_serial(interface: dict[str, Any]) -> bool:
    """Whether an interface is a serial one, or may be and has no driver."""
    driver = interface["driver"]
    return driver in SERIAL_DRIVERS or (driver is None and str(interface["class"]).startswith("ff"))


def pci_devices(sysfs_root: Path, dev_root: Path) -> list[dict[str, Any]]:
    """PCI devices that are modems or may be."""
    shown = []
    known = wwan.devices(sysfs_root)
    folder = sysfs_root / "bus" / "pci" / "devices"
    for address in children(folder):
        pci_id = wwan.pci_id_of(folder / address)
        place = f"{wwan.PREFIX}{address}"
        kind = read_text(folder / address / "class") or ""
        row = wwan.BY_ID.get(pci_id or "")
        if pci_id is None or (place not in known and row is None and not kind.startswith(CELLULAR)):
            continue
        found = on_pci(sysfs_root, place, dev_root)
        driver = driver_of(folder / address)
        note = None
        if found is None:
            note = f"its driver {driver} shows no ports" if driver else f"has no driver; install {pci_package(pci_id)}"
        elif not found.at_ports:
            note = "has no AT port; it can be read by QMI or MBIM only"
        shown.append(
            {
                "place": place,
                "pci_id": pci_id,
                "kind": "modem" if found or row else "candidate",
                "module": found.row.module if found else row.module if row else None,
                "driver": driver,
                "note": note,
                "ports": ports_of(found),
            }
        )
    return shown


def hints(sysfs_root: Path, usb: list[dict[str, Any]], pci: list[dict[str, Any]]) -> list[str]:
    """What to do, in sentences."""
    told = [f"{place_in_words(one['usb_path'])}: {one['note']}." for one in usb if one["note"]]
    told += [f"{place_in_words(one['place'])}: {one['note']}." for one in pci if one["note"]]
    for one in usb:
        if one["kind"] in ("candidate", "modem") and not one["ports"] and has_driver(sysfs_root, "option1"):
            vendor, product = one["usb_id"].split(":")
            told.append(
                "The driver option is there but does not take this product; as root: "
                f"echo {vendor} {product} > /sys/bus/usb-serial/drivers/option1/new_id"
            )
    if not usb:
        told.append("There is no USB bus, or it cannot be read: check that the kernel has USB host support.")
    elif not any(one["kind"] in ("modem", "boot_mode", "unknown_modem", "candidate") for one in (*usb, *pci)):
        told.append("No modem is on the USB bus or on PCI Express: check its power, its cable and its slot.")
    return [sentence.replace("..", ".") for sentence in told]


def has_driver(sysfs_root: Path, name: str) -> bool:
    """Whether a USB serial driver is loaded."""
    return (sysfs_root / "bus" / "usb-serial" / "drivers" / name).is_dir()


def ports_of(found: Found | None) -> list[str]:
    """The device nodes of a modem."""
    if found is None:
        return []
    return [*found.at_ports, *([found.control_port.path] if found.control_port else [])]


def cleaned(text: str | None) -> Any:
    """A text of a device without what identifies it, and without what is no text."""
    if text is None:
        return None
    plain = "".join(sign if sign.isprintable() else "?" for sign in text)[:LONGEST]
    return masked(MAC.sub("…", SERIAL_NUMBER.sub(r"\1\2…", plain)))
