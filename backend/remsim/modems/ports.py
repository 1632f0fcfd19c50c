"""Which USB devices are modems and which of their interfaces speak AT.

Data, not code: a new modem is a row. Sources: Linux drivers (option, qcserial, qmi_wwan), ModemManager's port type
rules; confidence and details in the documentation of each vendor's driver.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UsbModem:
    """One VID:PID. ``module`` is a guess until AT+CGMM answers, for one id covers several modules.

    AT ports are the interfaces numbered ``at_interfaces``, the preferred one first, or, where numbers differ between
    compositions, those of the class ``at_class`` (class, subclass and protocol as six hexadecimal digits).
    """

    usb_id: str
    vendor: str
    module: str
    at_interfaces: tuple[int, ...]
    platform: str | None = None
    at_class: str | None = None
    is_boot_mode: bool = False


SDX_AT = "ffff40"

ROWS = (
    UsbModem("2c7c:0125", "quectel", "EC25", (2, 3), "MDM9x07"),
    UsbModem("2c7c:0296", "quectel", "BG96", (2, 3)),
    UsbModem("2c7c:0306", "quectel", "EP06", (2, 3), "MDM9x40"),
    UsbModem("2c7c:0512", "quectel", "EM12", (2, 3), "MDM9x50"),
    UsbModem("2c7c:0800", "quectel", "RM500Q-GL", (2, 3), "SDX55"),
    UsbModem("2c7c:0801", "quectel", "RM520N-GL", (2, 3), "SDX62"),
    UsbModem("2c7c:0900", "quectel", "RM500U", (2, 3), "unisoc"),
    UsbModem("1199:9071", "sierra", "MC7455", (3,), "MDM9x30"),
    UsbModem("1199:9079", "sierra", "EM7455", (3,), "MDM9x30"),
    UsbModem("1199:907b", "sierra", "EM7430", (3,), "MDM9x30"),
    UsbModem("413c:81b6", "sierra", "EM7455", (3,), "MDM9x30"),
    UsbModem("1199:9091", "sierra", "EM7565", (3,), "MDM9x50"),
    UsbModem("1199:90b1", "sierra", "EM7565", (3,), "MDM9x50"),
    UsbModem("1199:90c3", "sierra", "EM7565", (3,), "MDM9x50"),
    UsbModem("1199:90d3", "sierra", "EM9190", (), "SDX55", at_class=SDX_AT),
    UsbModem("1199:90e3", "sierra", "EM9291", (), "SDX65", at_class=SDX_AT),
    UsbModem("1199:9070", "sierra", "MC7455", (), "MDM9x30", is_boot_mode=True),
    UsbModem("1199:9078", "sierra", "EM7455", (), "MDM9x30", is_boot_mode=True),
    UsbModem("413c:81b5", "sierra", "EM7455", (), "MDM9x30", is_boot_mode=True),
    UsbModem("1199:9090", "sierra", "EM7565", (), "MDM9x50", is_boot_mode=True),
    UsbModem("1199:90b0", "sierra", "EM7565", (), "MDM9x50", is_boot_mode=True),
    UsbModem("1199:90d2", "sierra", "EM9190", (), "SDX55", is_boot_mode=True),
    UsbModem("0e8d:7126", "fibocom", "FM350-GL", (4,), "mediatek"),
    UsbModem("0e8d:7127", "fibocom", "FM350-GL", (6,), "mediatek"),
    UsbModem("2cb7:0104", "fibocom", "FM150", (1, 2), "SDX55"),
    UsbModem("2cb7:0105", "fibocom", "FM150", (1, 2), "SDX55"),
    UsbModem("2cb7:0007", "fibocom", "L850-GL", (2, 6), "XMM7360"),
    UsbModem("8087:095a", "fibocom", "L850-GL", (0, 4), "XMM7360"),
)

BY_ID = {row.usb_id: row for row in ROWS}
