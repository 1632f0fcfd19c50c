"""A device tree as the kernel lays it out in sysfs, so that the real detection finds the virtual modems."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from remsim.simulator.profiles import ModemState


class DeviceTree:
    """``ROOT/sys`` and ``ROOT/dev`` of one simulation."""

    def __init__(self, root: Path) -> None:
        self.sys, self.dev = root / "sys", root / "dev"
        self._devices = self.sys / "bus" / "usb" / "devices"
        self._net = self.sys / "class" / "net"
        for path in (self._devices, self._net, self.dev):
            path.mkdir(parents=True, exist_ok=True)

    def plug(self, state: ModemState, slave: str) -> None:
        """Show a modem: the device folder comes last, as its idVendor is what is looked for."""
        usb_path, profile = path_of(state), state.profile
        vendor_id, product_id = profile.usb_id.split(":")
        for interface, triple in profile.interfaces:
            folder = self._devices / f"{usb_path}:1.{interface}"
            folder.mkdir(exist_ok=True)
            (folder / "bInterfaceNumber").write_text(f"{interface:02x}\n")
            for name, code in zip(("Class", "SubClass", "Protocol"), (triple[:2], triple[2:4], triple[4:]), strict=True):
                (folder / f"bInterface{name}").write_text(f"{code}\n")
        tty = tty_of(state)
        (self._devices / f"{usb_path}:1.{profile.at_interface}" / tty).mkdir(exist_ok=True)
        link = self.dev / tty
        link.unlink(missing_ok=True)
        link.symlink_to(slave)
        net = self._devices / f"{usb_path}:1.{profile.interfaces[-1][0]}" / "net" / interface_of(state)
        net.mkdir(parents=True, exist_ok=True)
        (self._net / interface_of(state) / "statistics").mkdir(parents=True, exist_ok=True)
        self.count(state, 0, 0)
        device = self._devices / usb_path
        device.mkdir(exist_ok=True)
        (device / "product").write_text(f"{profile.model}\n")
        (device / "manufacturer").write_text(f"{profile.manufacturer}\n")
        (device / "idProduct").write_text(f"{product_id}\n")
        (device / "idVendor").write_text(f"{vendor_id}\n")

    def unplug(self, state: ModemState) -> None:
        """Take a modem away, device first."""
        usb_path = path_of(state)
        shutil.rmtree(self._devices / usb_path, ignore_errors=True)
        for folder in self._devices.glob(f"{usb_path}:*"):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(self._net / interface_of(state), ignore_errors=True)
        (self.dev / tty_of(state)).unlink(missing_ok=True)

    def count(self, state: ModemState, rx_bytes: int, tx_bytes: int) -> None:
        """Set the interface's counters; each write is whole, for sysfs never shows half a number."""
        statistics = self._net / interface_of(state) / "statistics"
        for name, value in (("rx_bytes", rx_bytes), ("tx_bytes", tx_bytes)):
            temporary = statistics / f".{name}"
            with contextlib.suppress(OSError):
                temporary.write_text(f"{value}\n")
                temporary.replace(statistics / name)


def path_of(state: ModemState) -> str:
    """The modem's USB path."""
    return f"1-1.{state.number}"


def tty_of(state: ModemState) -> str:
    """The name of its AT port."""
    return f"ttyUSB{state.number * 4 - 2}"


def interface_of(state: ModemState) -> str:
    """Its network interface; a name no real kernel gives, so that nothing is bound to a real one."""
    return f"simwwan{state.number - 1}"


def configuration(states: list[ModemState], ports: dict[int, int]) -> str:
    """UCI for the simulated router: probes go to the virtual links' responders once a second."""
    lines = ["config service 'service'", "\toption probe_period_s '1'", ""]
    for state in states:
        lines += [
            "config modem",
            f"\toption usb_path '{path_of(state)}'",
            f"\toption interface '{interface_of(state)}'",
            f"\tlist probe_targets 'dns:127.0.0.1:{ports[state.number]}'",
            "",
        ]
    return "\n".join(lines)
