"""USB compositions that may be chosen: only those that keep an AT port, for without one there is no way back.

Sources: Quectel's QCFG and Fibocom's dial-up notes, Sierra's USBCOMP as decoded; Unisoc modules know no QMI.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.core.small_dataclass import dataclass
from remsim.modems.decode.fibocom_settings import USB_MODES as FIBOCOM_MODES
from remsim.modems.drivers.base import Driver

LABELS = {"qmi": "QMI", "mbim": "MBIM", "ecm": "ECM", "rndis": "RNDIS", "ncm": "NCM"}
QUECTEL_NUMBERS = {"qmi": 0, "ecm": 1, "mbim": 2, "rndis": 3}
UNISOC_NUMBERS = {"ecm": 1, "mbim": 2, "rndis": 3, "ncm": 5}
SIERRA_MASKS = {"qmi": "10D", "mbim": "100D"}
"""Diagnosis 1, NMEA 4 and AT 8 with RMNET0 100 or MBIM 1000."""
SIERRA_TYPES = {"MDM9x30": 1, "MDM9x50": 3}
"""Generic on 9x30, Legacy-Generic on 9x50; no capture tells the type of SDX55, which is left alone."""


@dataclass(frozen=True, slots=True)
class UsbModes:
    """``ask`` reads the mode, ``offered`` which there are; ``names`` maps a mode's number (or mask) to our name,
    ``commands`` choose by name.

    A choice takes effect at the restart that has to follow it.
    """

    ask: str
    key: str
    names: Mapping[int, str]
    labels: Mapping[str, str]
    commands: Mapping[str, str]
    password: str | None = None
    offered: str | None = None

    def choices(self, told: Mapping[str, Any] | None) -> dict[str, str]:
        """The labels of the modes that this very modem has, by what it tells of that; all where it tells nothing."""
        numbers = (told or {}).get("usbmodes")
        if not numbers:
            return dict(self.labels)
        has = {name for number, name in self.names.items() if number in numbers}
        return {name: label for name, label in self.labels.items() if name in has}

    def mode(self, values: Mapping[str, Any]) -> str | None:
        """The name of the mode in force, or its number as text where we have no name for it."""
        number = values.get(self.key)
        return None if number is None else self.names.get(int(number), str(number))


def usb_modes_of(driver: Driver) -> UsbModes | None:
    """What a modem may be set to; None where nothing is proven to keep its AT port."""
    return {"quectel": quectel, "fibocom": fibocom, "sierra": sierra}.get(driver.vendor, lambda one: None)(driver)


def quectel(driver: Driver) -> UsbModes | None:
    """QCFG="usbnet": VID and PID stay the same."""
    if driver.module.upper().startswith("BG"):
        return None
    numbers = UNISOC_NUMBERS if driver.platform == "unisoc" else QUECTEL_NUMBERS
    return UsbModes(
        'AT+QCFG="usbnet"',
        "usbnet",
        {number: name for name, number in numbers.items()},
        {name: LABELS[name] for name in numbers},
        {name: f'AT+QCFG="usbnet",{number}' for name, number in numbers.items()},
    )


def fibocom(driver: Driver) -> UsbModes | None:
    """GTUSBMODE: each mode has a product id of its own."""
    text = f"{driver.module} {driver.platform or ''}".upper()
    family = "xmm" if "L8" in text or "XMM" in text else "mediatek" if "FM350" in text or "MEDIATEK" in text else None
    table = FIBOCOM_MODES[family or "qualcomm"]
    kept = {number: (pid, kind) for number, (pid, kind, has_at) in table.items() if has_at and kind in LABELS}
    return UsbModes(
        "AT+GTUSBMODE?",
        "usbmode",
        {number: str(number) for number in kept},
        {str(number): f"{number}: {LABELS[kind]} (product id {pid.lower()})" for number, (pid, kind) in kept.items()},
        {str(number): f"AT+GTUSBMODE={number}" for number in kept},
        offered="AT+GTUSBMODE=?",
    )


def sierra(driver: Driver) -> UsbModes | None:
    """USBCOMP: an index, a type by platform, and a mask of interfaces."""
    config_type = SIERRA_TYPES.get(driver.platform or "")
    if config_type is None:
        return None
    return UsbModes(
        "AT!USBCOMP?",
        "interface_bitmask",
        {int(mask, 16): name for name, mask in SIERRA_MASKS.items()},
        {name: LABELS[name] for name in SIERRA_MASKS},
        {name: f"AT!USBCOMP=1,{config_type},{mask}" for name, mask in SIERRA_MASKS.items()},
        password='AT!ENTERCND="A710"',
    )
