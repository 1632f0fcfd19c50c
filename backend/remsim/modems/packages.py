"""Why a modem has no AT port, and which package of OpenWrt gives it one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from remsim.modems.ports import UsbModem
from remsim.modems.sysfs import driver_of, interface_class

PACKAGES = {
    "cdc_acm": "kmod-usb-acm",
    "option": "kmod-usb-serial-option",
    "qcserial": "kmod-usb-serial-qualcomm",
    "mtk_t7xx": "kmod-mtk-t7xx",
    "iosm": "kmod-iosm",
    "mhi-pci-generic": "kmod-mhi-pci-generic",
}
"""OpenWrt's packages by kernel driver."""
PCI_DRIVERS = {"14c3": "mtk_t7xx", "14c0": "mtk_t7xx", "8086": "iosm"}


def missing(row: UsbModem, at_numbers: Iterable[int], interfaces: dict[int, Path]) -> str:
    """Why a modem that has no AT port has none, and what to do."""
    numbers = [number for number in at_numbers if number in interfaces]
    if not numbers:
        return "it has no AT interface in this USB mode; change its USB mode"
    number = numbers[0]
    interface = interfaces[number]
    driver = driver_of(interface)
    if driver is None:
        return f"its AT interface {number} has no driver; install {usb_package(row, interface_class(interface))}"
    return f"its AT interface {number} has the driver {driver} but no device node; restart the router"


def usb_package(row: UsbModem, kind: str) -> str:
    """The driver's package for an AT interface: what its class says, else what the vendor's modems have."""
    if kind.startswith("02"):
        return PACKAGES["cdc_acm"]
    return PACKAGES["qcserial" if row.vendor == "sierra" and row.at_class is None else "option"]


def pci_package(pci_id: str) -> str:
    """The driver's package for a modem on PCI Express."""
    return PACKAGES[PCI_DRIVERS.get(pci_id[:4], "mhi-pci-generic")]
