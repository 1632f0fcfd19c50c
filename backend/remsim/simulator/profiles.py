"""The virtual modems: who they are, how they sit on USB, which drive they replay, and the state they are in."""

from __future__ import annotations

from dataclasses import dataclass

from remsim.simulator import drive
from remsim.simulator.drive import Scene

MCC, MNC = "999", "01"
"""A network code for private use (ITU-T E.212): the recordings do not name their networks."""


@dataclass(frozen=True, slots=True)
class Interface:
    """One USB interface: number, class/subclass/protocol in hex, the driver bound to it, and what it makes."""

    number: int
    triple: str
    driver: str
    node: str | None = None  # tty, net


@dataclass(frozen=True, slots=True)
class Model:
    """One product. ``at_interfaces`` answer AT; the other ttys stay silent, as on the real thing."""

    vendor: str
    name: str
    firmware: str
    manufacturer: str
    usb_id: str
    at_interfaces: tuple[int, ...]
    interfaces: tuple[Interface, ...]
    tac: str
    is_lte_only: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """A virtual modem: a product on a drive that it enters at a second of its own."""

    model: Model
    drive: str
    drive_offset_s: int


QUECTEL_USB = (
    Interface(0, "ffff30", "option", "tty"),
    Interface(1, "ff0040", "option", "tty"),
    Interface(2, "ff0000", "option", "tty"),
    Interface(3, "ff0000", "option", "tty"),
    Interface(4, "ffffff", "qmi_wwan", "net"),
)
SIERRA_USB = (
    Interface(0, "ffffff", "qcserial", "tty"),
    Interface(2, "ff0000", "qcserial", "tty"),
    Interface(3, "ff0000", "qcserial", "tty"),
    Interface(8, "ffffff", "qmi_wwan", "net"),
)
FM350_USB = (
    Interface(0, "e00103", "rndis_host", "net"),
    Interface(1, "0a0000", "rndis_host"),
    *(Interface(number, "ff0000", "option", "tty") for number in (2, 3, 4)),
    Interface(5, "ff4201", "usbfs"),
    *(Interface(number, "ff0000", "option", "tty") for number in (6, 7, 8, 9)),
)

RM520N = Model(
    "quectel", "RM520N-GL", "RM520NGLAAR03A01M4G", "Quectel", "2c7c:0801", (2, 3), QUECTEL_USB, "86837105"
)  # fmt: skip
EM7565 = Model(
    "sierra", "EM7565", "SWI9X50C_01.14.02.00", "Sierra Wireless, Incorporated", "1199:9091", (3,), SIERRA_USB,
    "35390209", is_lte_only=True,
)  # fmt: skip
FM350 = Model(
    "fibocom", "FM350-GL", "81600.0000.00.29.22.40", "Fibocom Wireless Inc.", "0e8d:7127", (6,), FM350_USB, "35417440"
)  # fmt: skip
EC25 = Model(
    "quectel", "EC25", "EC25EFAR06A03M4G", "Quectel", "2c7c:0125", (2, 3), QUECTEL_USB, "86995506", is_lte_only=True
)  # fmt: skip

PROFILES = (
    Profile(RM520N, "ucc-car-05", 60),
    Profile(EM7565, "ucc-car-01", 300),
    Profile(FM350, "ucc-static-13", 30),
    Profile(EC25, "ucc-car-08", 120),
    Profile(RM520N, "rural-rtt-01", 0),
    Profile(EM7565, "ucc-car-08", 900),
    Profile(FM350, "ucc-car-01", 1400),
    Profile(EC25, "ucc-car-10", 200),
)
"""In the order in which they are plugged in; the first three show three vendors, city and standstill."""

CONNECTED_MBPS = 0.05


@dataclass(slots=True)
class ModemState:
    """What the virtual modem knows of itself; the drive and faults change it."""

    number: int
    profile: Profile
    scene: Scene
    sim_present: bool = True
    denied: bool = False
    searching: bool = False
    uptime_s: int = 0

    @property
    def model(self) -> Model:
        return self.profile.model

    @property
    def imei(self) -> str:
        """The serial number is masked with zeros but for the modem's number, so no device has it."""
        return f"{self.model.tac}00000{self.number:02d}"

    @property
    def imsi(self) -> str:
        return f"{MCC}{MNC}00000000{self.number:02d}"

    @property
    def iccid(self) -> str:
        return f"89{MCC}{MNC}00000000000{self.number:02d}"

    @property
    def temperature_c(self) -> int:
        """Each device stands a little warmer or cooler."""
        return self.scene.temperature_c + self.number % 3

    @property
    def registered(self) -> bool:
        return self.sim_present and not self.denied and not self.searching

    @property
    def stat(self) -> int:
        """The registration state of 27.007."""
        if self.registered:
            return 1
        if not self.sim_present:
            return 0
        return 2 if self.searching else 3

    @property
    def camped(self) -> Scene | None:
        """The cell it is on, perhaps for emergency calls only; None while it looks for one."""
        return None if self.searching else self.scene

    @property
    def connected(self) -> bool:
        """Whether data flows right now."""
        return self.registered and (self.scene.dl_mbps or 0) > CONNECTED_MBPS


def scene_at(profile: Profile, second: int) -> Scene:
    """The scene of a drive at a second, around and around."""
    scenes = drive.load(profile.drive)
    return scenes[(second + profile.drive_offset_s) % len(scenes)]
