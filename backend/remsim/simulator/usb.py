"""USB compositions of the virtual modems: what each interface is, and which drivers a kernel binds to them.

Sources: Linux's option, qcserial, qmi_wwan and cdc_mbim drivers, ModemManager's port type rules.
"""

from __future__ import annotations

from remsim.core.small_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Interface:
    """One USB interface: number, class/subclass/protocol in hex, the driver bound to it, and what it makes.

    ``node`` is tty (ttyUSB), acm (ttyACM), net (a network interface, beside a cdc-wdm for QMI and MBIM), or None.
    """

    number: int
    triple: str
    driver: str
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Composition:
    """What a modem shows on USB: its id, its interfaces, and which of them answer AT."""

    usb_id: str
    interfaces: tuple[Interface, ...]
    at_interfaces: tuple[int, ...]


WDM_DRIVERS = ("qmi_wwan", "cdc_mbim")
"""Drivers whose interface has a control device cdc-wdm."""


def serial(*numbers: int, triple: str = "ff0000", driver: str = "option") -> tuple[Interface, ...]:
    """Interfaces that are ttys."""
    return tuple(Interface(number, triple, driver, "tty") for number in numbers)


def acm(*numbers: int) -> tuple[Interface, ...]:
    """Pairs of control and data interfaces of CDC ACM; the control one has the tty."""
    pairs = ((Interface(n, "020201", "cdc_acm", "acm"), Interface(n + 1, "0a0000", "cdc_acm")) for n in numbers)
    return tuple(interface for pair in pairs for interface in pair)


def mbim(number: int) -> tuple[Interface, ...]:
    """The two interfaces of MBIM."""
    return Interface(number, "020e00", "cdc_mbim", "net"), Interface(number + 1, "0a0002", "cdc_mbim")


def rndis() -> tuple[Interface, ...]:
    """The two interfaces of RNDIS."""
    return Interface(0, "e00103", "rndis_host", "net"), Interface(1, "0a0000", "rndis_host")


def ethernet(number: int) -> tuple[Interface, ...]:
    """The two interfaces of ECM."""
    return Interface(number, "020600", "cdc_ether", "net"), Interface(number + 1, "0a0000", "cdc_ether")


def qmi(number: int) -> Interface:
    """The interface of QMI."""
    return Interface(number, "ffffff", "qmi_wwan", "net")


QUECTEL_SERIAL = (Interface(0, "ffff30", "option", "tty"), Interface(1, "ff0040", "option", "tty"), *serial(2, 3))
QUECTEL_NETS = {
    0: (qmi(4),),
    1: ethernet(4),
    2: mbim(4),
    3: (Interface(4, "e00103", "rndis_host", "net"), Interface(5, "0a0000", "rndis_host")),
    5: (Interface(4, "020d00", "cdc_ncm", "net"), Interface(5, "0a0001", "cdc_ncm")),
}
"""By the number of AT+QCFG="usbnet"."""


def quectel(usb_id: str, usbnet: int = 0) -> Composition:
    """Quectel keeps its id whatever the network interface is."""
    return Composition(usb_id, (*QUECTEL_SERIAL, *QUECTEL_NETS[usbnet]), (2, 3))


def sierra_qc(usb_id: str, mask: int = 0x10D) -> Composition:
    """9x30 and 9x50 by the bits of AT!USBCOMP: diag, nmea, modem, rmnet0, mbim."""
    found: list[Interface] = []
    if mask & 0x1:
        found += serial(0, triple="ffffff", driver="qcserial")
    if mask & 0x4:
        found += serial(2, driver="qcserial")
    if mask & 0x8:
        found += serial(3, driver="qcserial")
    if mask & 0x100:
        found.append(qmi(8))
    if mask & 0x1000:
        found += mbim(12)
    return Composition(usb_id, tuple(found), (3,) if mask & 0x8 else ())


def sierra_sdx(usb_id: str, mask: int = 0x1009) -> Composition:
    """SDX55 and SDX65: option binds by class, and the numbers differ between compositions."""
    found: list[Interface] = []
    if mask & 0x1000:
        found += mbim(0)
    if mask & 0x100:
        found.append(qmi(8))
    if mask & 0x4:
        found += serial(2)
    if mask & 0x8:
        found += serial(3, triple="ffff40")
    if mask & 0x1:
        found += serial(4, triple="ffff30")
    return Composition(usb_id, tuple(found), (3,) if mask & 0x8 else ())


FM350_41 = Composition(
    "0e8d:7127", (*rndis(), *serial(2, 3, 4), Interface(5, "ff4201", "usbfs"), *serial(6, 7, 8, 9)), (6,)
)
FM350_40 = Composition("0e8d:7126", (*rndis(), *serial(2), Interface(3, "ff4201", "usbfs"), *serial(4, 5, 6, 7)), (4,))
FIBOCOM_SERIAL = (*serial(0, triple="ffff30"), *serial(1, 2), Interface(3, "ff4201", "usbfs"))
FIBOCOM_QUALCOMM = {
    "32": Composition("2cb7:0104", (*FIBOCOM_SERIAL, qmi(4)), (1, 2)),
    "33": Composition("2cb7:0105", (*FIBOCOM_SERIAL, *ethernet(4)), (1, 2)),
    "30": Composition("2cb7:0111", (*mbim(0), *serial(2, 4), *serial(3, triple="ffff30")), (2, 4)),
    "28": Composition("2cb7:010f", mbim(0), ()),
}
"""By the number of AT+GTUSBMODE; 28 is MBIM without an AT port."""
L850_MBIM = Composition("2cb7:0007", (*mbim(0), *acm(2, 4, 6)), (2, 6))
L850_NCM = Composition(
    "8087:095a",
    (*acm(0, 2, 4), Interface(6, "020d00", "cdc_ncm", "net"), Interface(7, "0a0001", "cdc_ncm")),
    (0, 4),
)

PLS8 = Composition("1e2d:0061", (*acm(0, 2, 4, 6), *ethernet(8)), (2, 0))
MV31_MBIM = Composition("1e2d:00b3", (*mbim(0), *serial(2), *serial(4, triple="ffff30")), (2,))


def boot(usb_id: str) -> Composition:
    """What a modem shows while its firmware is away: one port that is not for AT."""
    return Composition(usb_id, serial(0, triple="ffffff", driver="qcserial"), ())

GENERIC = Composition("1e0e:ffff", (*acm(0), *ethernet(2)), (0,))
"""An id of a maker of modems that no product of its is known to have."""
