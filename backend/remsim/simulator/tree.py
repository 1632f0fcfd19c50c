"""A device tree as the kernel lays it out in sysfs, so that the real detection finds the virtual modems."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from remsim.simulator.board import Board, sim_line
from remsim.simulator.state import ModemState
from remsim.simulator.usb import WDM_DRIVERS, Composition, Interface

HUB = "devices/platform/simulated-xhci/usb1/1-1"
TARIFFS: tuple[dict[str, int | str], ...] = (
    {"flat_minor": 3990},
    {"cap_mbytes": 2_000_000, "overage_per_gb_minor": 50, "flat_minor": 4990, "cycle_day": 15},
    {"cap_mbytes": 1_000_000, "overage_per_gb_minor": 100, "flat_minor": 2990, "cycle_day": 1, "at_cap": "alert"},
    {"cost_per_gb_minor": 200},
)
"""What the simulated links cost, in cents. Drives are fast: what they carry in a month has to fit."""


class DeviceTree:
    """``ROOT/sys`` and ``ROOT/dev`` of one simulation."""

    def __init__(self, root: Path) -> None:
        self.sys, self.dev = root / "sys", root / "dev"
        for path in (self.sys, self.dev):
            shutil.rmtree(path, ignore_errors=True)
        self._bus = self.sys / "bus" / "usb" / "devices"
        self._net = self.sys / "class" / "net"
        self._hub = self.sys / HUB
        for path in (self._bus, self._net, self._hub, self.dev):
            path.mkdir(parents=True, exist_ok=True)
        for folder, ids in ((self._hub.parent, ("1d6b", "0002")), (self._hub, ("05e3", "0610"))):
            put(folder, idVendor=ids[0], idProduct=ids[1], bDeviceClass="09")
            link(self._bus / folder.name, folder)
        self.board = Board(self.sys, self._hub.name, self._bus, self._hub)
        self._nodes: dict[str, list[str]] = {}
        self._nets: dict[str, list[Path]] = {}

    def plug(self, state: ModemState, usb: Composition, slaves: dict[int, str]) -> None:
        """Show a modem whose ``slaves`` are the terminals by interface; the device comes last, for it is looked for."""
        usb_path, model = path_of(state), state.model
        vendor_id, product_id = usb.usb_id.split(":")
        device = self._hub / usb_path
        device.mkdir()
        put(device, idVendor=vendor_id, idProduct=product_id, manufacturer=model.manufacturer, product=model.name)
        put(device, serial=f"{state.number:08x}", bDeviceClass="00", speed="5000")
        self._nodes[usb_path], self._nets[usb_path] = [], []
        for interface in usb.interfaces:
            folder = device / f"{usb_path}:1.{interface.number}"
            folder.mkdir()
            self._describe(folder, interface)
            if interface.node == "tty":
                name = self._add_node(usb_path, "ttyUSB", slaves[interface.number])
                (folder / name / "tty" / name).mkdir(parents=True)
            elif interface.node == "acm":
                name = self._add_node(usb_path, "ttyACM", slaves[interface.number])
                (folder / "tty" / name).mkdir(parents=True)
            elif interface.node == "net":
                self._add_net(folder, state)
            if interface.driver in WDM_DRIVERS and interface.node == "net":
                # Nobody answers QMI or MBIM here: the node is there to be seen.
                name = self._add_node(usb_path, "cdc-wdm", "/dev/null")
                (folder / "usbmisc" / name).mkdir(parents=True)
            link(self._bus / folder.name, folder)
        link(self._bus / usb_path, device)

    def is_there(self, state: ModemState) -> bool:
        """Whether a modem is on the bus."""
        return path_of(state) in self._nodes

    def unplug(self, state: ModemState) -> None:
        """Take a modem away, device first."""
        usb_path = path_of(state)
        (self._bus / usb_path).unlink(missing_ok=True)
        for entry in self._bus.glob(f"{usb_path}:*"):
            entry.unlink()
        for net in self._nets.pop(usb_path, []):
            net.unlink(missing_ok=True)
        for name in self._nodes.pop(usb_path, []):
            (self.dev / name).unlink(missing_ok=True)
        shutil.rmtree(self._hub / usb_path, ignore_errors=True)

    def counters(self, state: ModemState) -> Counters | None:
        """The counters of a modem's interface since it came up, where it has one."""
        statistics = self._net / interface_of(state) / "statistics"
        return Counters(statistics) if statistics.exists() else None

    def _describe(self, folder: Path, interface: Interface) -> None:
        classes = [interface.triple[at : at + 2] for at in (0, 2, 4)]
        put(folder, bInterfaceNumber=f"{interface.number:02x}", bInterfaceClass=classes[0], bAlternateSetting=" 0")
        put(folder, bInterfaceSubClass=classes[1], bInterfaceProtocol=classes[2])
        driver = self.sys / "bus" / "usb" / "drivers" / interface.driver
        driver.mkdir(parents=True, exist_ok=True)
        link(folder / "driver", driver)

    def _add_net(self, folder: Path, state: ModemState) -> None:
        net = folder / "net" / interface_of(state)
        (net / "statistics").mkdir(parents=True)
        put(net / "statistics", rx_bytes="0", tx_bytes="0")
        put(net, operstate="up", mtu="1500")
        link(self._net / net.name, net)
        self._nets[path_of(state)].append(self._net / net.name)

    def _add_node(self, usb_path: str, kind: str, target: str) -> str:
        """A device node with the lowest number nobody has, as the kernel gives them."""
        taken = {name for names in self._nodes.values() for name in names}
        name = next(name for name in (f"{kind}{number}" for number in range(256)) if name not in taken)
        (self.dev / name).symlink_to(target)
        self._nodes[usb_path].append(name)
        return name


class Counters:
    """An interface's byte counters, written in place: they only grow, so a reader never sees half a number."""

    def __init__(self, statistics: Path) -> None:
        self._fds = [os.open(statistics / name, os.O_WRONLY) for name in ("rx_bytes", "tx_bytes")]

    def write(self, rx_bytes: int, tx_bytes: int) -> None:
        """Set both."""
        for fd, value in zip(self._fds, (rx_bytes, tx_bytes), strict=True):
            os.pwrite(fd, b"%d\n" % value, 0)

    def close(self) -> None:
        """Let the files go."""
        for fd in self._fds:
            with contextlib.suppress(OSError):
                os.close(fd)


def put(folder: Path, **attributes: str) -> None:
    """Write attributes, a file each."""
    for name, text in attributes.items():
        (folder / name).write_text(f"{text}\n")


def link(place: Path, target: Path) -> None:
    """A relative link, as sysfs has them."""
    place.symlink_to(os.path.relpath(target, place.parent))


def path_of(state: ModemState) -> str:
    """The modem's USB path."""
    return f"1-1.{state.number}"


def interface_of(state: ModemState) -> str:
    """Its network interface; a name no real kernel gives, so that nothing is bound to a real one."""
    return f"simwwan{state.number - 1}"


def configuration(ports: list[tuple[ModemState, int]]) -> str:
    """UCI for the simulated router: each virtual link is probed once a second at its own responder."""
    lines = ["config service 'service'", "\toption probe_period_s '1'", ""]
    for state, port in ports:
        lines += [
            "config modem",
            f"\toption usb_path '{path_of(state)}'",
            f"\toption interface '{interface_of(state)}'",
            f"\tlist probe_targets 'dns:127.0.0.1:{port}'",
            f"\toption sim_gpio '{sim_line(state.number)}'",
            "",
        ]
    return "\n".join(lines)


def routing_configuration(ports: list[tuple[ModemState, int]]) -> str:
    """UCI of the simulated router's links: each virtual modem is one, with a tariff of its own."""
    lines = ["config routing 'globals'", "\toption enabled '1'", ""]
    for order, (state, port) in enumerate(ports, start=1):
        tariff = TARIFFS[(order - 1) % len(TARIFFS)]
        lines += [
            f"config link 'wan{order}'",
            f"\toption modem '{path_of(state)}'",
            f"\toption index '{order}'",
            f"\toption priority '{order}'",
            f"\toption weight '{max(1, 11 - 2 * order)}'",
            f"\tlist probe 'dns:127.0.0.1:{port}'",
            "\toption portal_check '0'",
            *(f"\toption {name} '{value}'" for name, value in tariff.items()),
            "",
        ]
    return "\n".join(lines)
