"""Which devices are modems and which of their interfaces speak AT.

Data, not code: a new modem is a row. Sources: Linux drivers (option, qcserial, qmi_wwan, cdc_mbim), ModemManager's port
type rules; boot and download modes are in ``boot_modes``, modems on PCI Express in ``wwan``.
"""

from __future__ import annotations

from remsim.core.small_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class UsbModem:
    """One VID:PID. ``module`` is a guess until AT+CGMM answers, for one id covers several modules.

    AT ports are the interfaces numbered ``at_interfaces``, the preferred one first, or, where numbers differ between
    compositions, those of the class ``at_class`` (class, subclass and protocol as six hexadecimal digits). Of an
    ``is_guess`` row that is not known: its likely ports are tried in turn. ``boot_mode`` says in words which boot or
    download mode this is, for a device that is no modem at the moment.
    """

    usb_id: str
    vendor: str
    module: str
    at_interfaces: tuple[int, ...]
    platform: str | None = None
    at_class: str | None = None
    boot_mode: str | None = None
    is_guess: bool = False

    @property
    def is_boot_mode(self) -> bool:
        return self.boot_mode is not None

    @property
    def is_unknown(self) -> bool:
        """Whether it is in no table, and only its vendor and its interfaces make it a modem."""
        return self.is_guess and self.vendor == "generic"


SDX_AT = "ffff40"
PLAIN_AT = "ff0000"

QUECTEL = (
    UsbModem("2c7c:0121", "quectel", "EC21", (2, 3), "MDM9x07"),
    UsbModem("2c7c:0125", "quectel", "EC25", (2, 3), "MDM9x07"),
    UsbModem("2c7c:0191", "quectel", "EG91", (2, 3), "MDM9x07"),
    UsbModem("2c7c:0195", "quectel", "EG95", (2, 3), "MDM9x07"),
    UsbModem("2c7c:0203", "quectel", "BG95", (), at_class=PLAIN_AT),
    UsbModem("2c7c:0296", "quectel", "BG96", (2, 3)),
    UsbModem("2c7c:0306", "quectel", "EP06", (2, 3), "MDM9x40"),
    UsbModem("2c7c:0512", "quectel", "EM12", (2, 3), "MDM9x50"),
    UsbModem("2c7c:0620", "quectel", "EM160R-GL", (), "SDX24", at_class=PLAIN_AT),
    UsbModem("2c7c:0700", "quectel", "BG95", (), at_class=PLAIN_AT),
    UsbModem("2c7c:0800", "quectel", "RM500Q-GL", (2, 3), "SDX55"),
    UsbModem("2c7c:0801", "quectel", "RM520N-GL", (2, 3), "SDX62"),
    UsbModem("2c7c:0900", "quectel", "RM500U", (2, 3), "unisoc"),
    UsbModem("2c7c:0901", "quectel", "EC200U", (), "unisoc", at_class=PLAIN_AT),
    UsbModem("2c7c:0122", "quectel", "RG650V", (), at_class=PLAIN_AT),
    UsbModem("2c7c:0316", "quectel", "RG255C", (), at_class=SDX_AT),
    UsbModem("2c7c:6001", "quectel", "EG912Y", (), at_class=PLAIN_AT),
    UsbModem("2c7c:6002", "quectel", "EC200S", (), at_class=PLAIN_AT),
    UsbModem("2c7c:6005", "quectel", "EC200A", (), at_class=PLAIN_AT),
    UsbModem("2c7c:6007", "quectel", "EG916Q", (), at_class=PLAIN_AT),
    UsbModem("2c7c:6026", "quectel", "EC200T", (), at_class=PLAIN_AT),
    UsbModem("2c7c:7001", "quectel", "RM500K", (), "mediatek", at_class=PLAIN_AT),
    UsbModem("2c7c:0127", "quectel", "EM05-CE", (), "MDM9x07", at_class=PLAIN_AT),
    UsbModem("2c7c:030a", "quectel", "EM05-G", (), "MDM9x07", at_class=PLAIN_AT),
    UsbModem("2c7c:030c", "quectel", "EM05-G", (), "MDM9x07", at_class=PLAIN_AT),
    UsbModem("2c7c:030e", "quectel", "EM05-G", (), "MDM9x07", at_class=PLAIN_AT),
    UsbModem("2c7c:0310", "quectel", "EM05-CN", (), "MDM9x07", at_class=PLAIN_AT),
    UsbModem("2c7c:0311", "quectel", "EM05-G", (), "MDM9x07", at_class=PLAIN_AT),
    UsbModem("2c7c:0312", "quectel", "EM05-CN", (), "MDM9x07", at_class=PLAIN_AT),
    UsbModem("2c7c:0313", "quectel", "EM05-G", (), "MDM9x07", at_class=PLAIN_AT),
    UsbModem("2c7c:0314", "quectel", "EM05-G", (), "MDM9x07", at_class=PLAIN_AT),
    UsbModem("2c7c:030b", "quectel", "EM060K", (), "SDX12", at_class=SDX_AT),
    UsbModem("2c7c:0128", "quectel", "EM060K", (5,), "SDX12"),
    UsbModem("2c7c:0129", "quectel", "EM060K", (), "SDX12", at_class=SDX_AT),
    UsbModem("2c7c:012a", "quectel", "EM060K", (), "SDX12", at_class=SDX_AT),
    UsbModem("2c7c:012b", "quectel", "EM060K", (), "SDX12", at_class=SDX_AT),
    UsbModem("2c7c:012c", "quectel", "EM060K", (), "SDX12", at_class=SDX_AT),
    UsbModem("2c7c:0123", "quectel", "EM061K", (), "SDX12", at_class=SDX_AT),
    UsbModem("2c7c:0124", "quectel", "EM061K", (), "SDX12", at_class=SDX_AT),
    UsbModem("2c7c:6008", "quectel", "EM061K", (), "SDX12", at_class=SDX_AT),
    UsbModem("2c7c:6009", "quectel", "EM061K", (), "SDX12", at_class=SDX_AT),
    UsbModem("05c6:9090", "quectel", "UC15", (2, 3)),
    UsbModem("05c6:9003", "quectel", "UC20", (2, 3)),
    UsbModem("05c6:9215", "quectel", "EC20", (2, 3), "MDM9x15"),
)

SIERRA = (
    UsbModem("1199:68a2", "sierra", "MC7710", (3,), "MDM9x00"),
    UsbModem("1199:68c0", "sierra", "MC7304", (3,), "MDM9x15"),
    UsbModem("1199:901c", "sierra", "EM7700", (3,), "MDM9x00"),
    UsbModem("1199:901f", "sierra", "EM7355", (3,), "MDM9x15"),
    UsbModem("1199:9041", "sierra", "MC7305", (3,), "MDM9x15"),
    UsbModem("1199:9051", "sierra", "AirCard 340U", (3,), "MDM9x15"),
    UsbModem("1199:9053", "sierra", "MC7305", (3,), "MDM9x15"),
    UsbModem("1199:9055", "sierra", "AirCard 341U", (3,), "MDM9x15"),
    UsbModem("1199:9057", "sierra", "AirCard 341U", (3,), "MDM9x15"),
    UsbModem("1199:9061", "sierra", "MC7304", (3,), "MDM9x15"),
    UsbModem("1199:9063", "sierra", "EM7305", (3,), "MDM9x15"),
    UsbModem("1199:9071", "sierra", "MC7455", (3,), "MDM9x30"),
    UsbModem("1199:9079", "sierra", "EM7455", (3,), "MDM9x30"),
    UsbModem("1199:907b", "sierra", "EM7430", (3,), "MDM9x30"),
    UsbModem("413c:81a8", "sierra", "DW5808", (3,), "MDM9x15"),
    UsbModem("413c:81a9", "sierra", "DW5808e", (3,), "MDM9x15"),
    UsbModem("413c:81b1", "sierra", "DW5809e", (3,), "MDM9x15"),
    UsbModem("413c:81b6", "sierra", "EM7455", (3,), "MDM9x30"),
    UsbModem("1199:9091", "sierra", "EM7565", (3,), "MDM9x50"),
    UsbModem("1199:90b1", "sierra", "EM7565", (3,), "MDM9x50"),
    UsbModem("1199:90c3", "sierra", "EM7565", (3,), "MDM9x50"),
    UsbModem("1199:90d3", "sierra", "EM9190", (), "SDX55", at_class=SDX_AT),
    UsbModem("1199:90e3", "sierra", "EM9291", (), "SDX65", at_class=SDX_AT),
)

FIBOCOM = (
    UsbModem("0e8d:7126", "fibocom", "FM350-GL", (4,), "mediatek"),
    UsbModem("0e8d:7127", "fibocom", "FM350-GL", (6,), "mediatek"),
    UsbModem("2cb7:0104", "fibocom", "FM150", (1, 2), "SDX55"),
    UsbModem("2cb7:0105", "fibocom", "FM150", (1, 2), "SDX55"),
    UsbModem("2cb7:010b", "fibocom", "FG150", (), "SDX55", at_class=PLAIN_AT),
    UsbModem("2cb7:0106", "fibocom", "MA510-GL", (1, 2)),
    UsbModem("2cb7:010a", "fibocom", "MA510-GL", (0, 1)),
    UsbModem("2cb7:010f", "fibocom", "FM160", (), "SDX62"),
    UsbModem("2cb7:0111", "fibocom", "FM160", (2, 4), "SDX62"),
    UsbModem("2cb7:0112", "fibocom", "FG132", (), at_class=SDX_AT),
    UsbModem("2cb7:0115", "fibocom", "FM135", (3,)),
    UsbModem("2cb7:01a0", "fibocom", "NL668-AM", (2, 3), "MDM9x07"),
    UsbModem("2cb7:01a2", "fibocom", "FM101-GL", (2,), "SDX12"),
    UsbModem("2cb7:01a3", "fibocom", "FM101-GL", (), "SDX12", at_class=SDX_AT),
    UsbModem("2cb7:01a4", "fibocom", "FM101-GL", (3,), "SDX12"),
    UsbModem("2cb7:0001", "fibocom", "L716-EU", (), at_class="ffffff"),
    UsbModem("2cb7:0a04", "fibocom", "FM650-CN", (), "unisoc", at_class=PLAIN_AT),
    UsbModem("2cb7:0a05", "fibocom", "FM650-CN", (), "unisoc", at_class=PLAIN_AT),
    UsbModem("2cb7:0a06", "fibocom", "FM650-CN", (), "unisoc", at_class=PLAIN_AT),
    UsbModem("2cb7:0a07", "fibocom", "FM650-CN", (), "unisoc", at_class=PLAIN_AT),
    UsbModem("1508:1001", "fibocom", "NL668", (1, 2, 3), "MDM9x07"),
    UsbModem("1782:4d10", "fibocom", "L610", (0, 5, 6), "unisoc"),
    UsbModem("1782:4d11", "fibocom", "L610", (2, 7, 8), "unisoc"),
    UsbModem("413c:8213", "fibocom", "FM101-GL", (), "SDX12", at_class=SDX_AT),
    UsbModem("413c:8215", "fibocom", "FM101-GL", (), "SDX12", at_class=SDX_AT),
    UsbModem("2cb7:0007", "fibocom", "L850-GL", (2, 6), "XMM7360"),
    UsbModem("413c:81d9", "fibocom", "L850-GL", (2, 6), "XMM7360"),
    UsbModem("8087:095a", "fibocom", "L850-GL", (0, 4), "XMM7360"),
)

THALES = (
    UsbModem("1e2d:0053", "thales", "PHS8", (), is_guess=True),
    UsbModem("1e2d:0055", "thales", "AHS6", (), is_guess=True),
    UsbModem("1e2d:0060", "thales", "PLS6", (), is_guess=True),
    UsbModem("1e2d:0061", "thales", "PLS8", (2, 0)),
    UsbModem("1e2d:005b", "thales", "PLS62", (0, 2)),
    UsbModem("1e2d:005d", "thales", "PLS62", (0, 2)),
    UsbModem("1e2d:0069", "thales", "PLS63", (0, 2)),
    UsbModem("1e2d:006f", "thales", "PLS83", (0, 2)),
    UsbModem("1e2d:00b0", "thales", "CLS8", (), at_class=PLAIN_AT),
    UsbModem("1e2d:00b3", "thales", "MV31-W", (2,), "SDX55"),
    UsbModem("1e2d:00b7", "thales", "MV31-W", (), "SDX55", at_class=SDX_AT),
    UsbModem("1e2d:00b8", "thales", "MV31-W", (), "SDX55", at_class=SDX_AT),
    UsbModem("1e2d:00b9", "thales", "MV31-W", (), "SDX55", at_class=SDX_AT),
    UsbModem("1e2d:00f1", "thales", "MV32-WA", (2,), "SDX62"),
    UsbModem("1e2d:00f2", "thales", "MV32-WB", (2,)),
    UsbModem("1e2d:00f3", "thales", "MV32-WA", (), "SDX62", at_class=SDX_AT),
    UsbModem("1e2d:00f4", "thales", "MV32-WB", (), at_class=SDX_AT),
)

FOXCONN = (
    UsbModem("413c:81d7", "foxconn", "DW5821e", (2, 3), "SDX20"),
    UsbModem("413c:81e0", "foxconn", "DW5821e", (2, 3), "SDX20"),
    UsbModem("0489:e0b4", "foxconn", "T77W968", (2, 3), "SDX20"),
    UsbModem("0489:e0b5", "foxconn", "T77W968", (2, 3), "SDX20"),
)

ROWS = (*QUECTEL, *SIERRA, *FIBOCOM, *THALES, *FOXCONN)
BY_ID = {row.usb_id: row for row in ROWS}

VENDORS = {
    "2c7c": "quectel",
    "1eac": "quectel",
    "1199": "sierra",
    "2cb7": "fibocom",
    "1508": "fibocom",
    "1e2d": "thales",
    "0681": "thales",
    "0489": "foxconn",
    "413c": "dell",
    "0e8d": "mediatek",
    "05c6": "qualcomm",
    "1782": "unisoc",
    "8087": "intel",
    "1bc7": "telit",
    "1e0e": "simcom",
    "12d1": "huawei",
    "19d2": "zte",
    "2dee": "meig",
    "305a": "gosuncn",
    "33f8": "rolling",
}
"""Vendor ids under which modems are sold: an unknown product of theirs with a serial port is tried as a modem.

u-blox is not among them, for most of what it sells is GNSS receivers, which belong to others.
"""
NO_MODEMS = frozenset(("0e8d:3329", "1199:0fff"))
"""Products of these vendors that look like modems: a GNSS receiver, a CD-ROM with drivers."""
