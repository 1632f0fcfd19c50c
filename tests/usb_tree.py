"""A USB tree as the kernel shows it, as folders."""

from __future__ import annotations

import shutil
from pathlib import Path


class UsbTree:
    """A sysfs and a /dev as folders, of the shape the kernel gives them."""

    def __init__(self, root: Path) -> None:
        self.sys, self.dev = root / "sys", root / "dev"
        self.devices = self.sys / "bus" / "usb" / "devices"
        self.devices.mkdir(parents=True)
        self.dev.mkdir()

    def plug(self, usb_path: str, usb_id: str, product: str = "") -> None:
        folder = self.devices / usb_path
        folder.mkdir()
        for name, text in zip(("idVendor", "idProduct"), usb_id.split(":"), strict=True):
            (folder / name).write_text(f"{text}\n")
        if product:
            (folder / "product").write_text(f"{product}\n")

    def interface(
        self,
        usb_path: str,
        number: int,
        *,
        tty: str = "",
        net: str = "",
        wdm: str = "",
        driver: str = "",
        triple: str = "ff0000",
        endpoints: int = 3,
        node: bool = True,
    ) -> None:
        folder = self.devices / f"{usb_path}:1.{number}"
        folder.mkdir()
        (folder / "bInterfaceNumber").write_text(f"{number:02x}\n")
        (folder / "bNumEndpoints").write_text(f"{endpoints:02x}\n")
        for name, text in zip(("Class", "SubClass", "Protocol"), (triple[:2], triple[2:4], triple[4:]), strict=True):
            (folder / f"bInterface{name}").write_text(f"{text}\n")
        if tty:
            (folder / tty if tty.startswith("ttyUSB") else folder / "tty" / tty).mkdir(parents=True)
            if node:
                (self.dev / tty).touch()
        if driver:
            target = self.sys / "bus" / "usb" / "drivers" / driver
            target.mkdir(parents=True, exist_ok=True)
            (folder / "driver").symlink_to(target)
        if wdm:
            (folder / "usbmisc" / wdm).mkdir(parents=True)
            if node:
                (self.dev / wdm).touch()
        if net:
            (folder / "net" / net).mkdir(parents=True)

    def pci(
        self,
        address: str,
        pci_id: str,
        *,
        ports: dict[str, str],
        subsystem: str = "0000:0000",
        between: str = "",
        net: str = "",
    ) -> None:
        """A modem on PCI Express; ``between`` is the bus that Qualcomm's drivers put above the ports."""
        device = self.sys / "devices" / "pci0000:00" / "0000:00:1c.0" / address
        device.mkdir(parents=True)
        for prefix, text in (("", pci_id), ("subsystem_", subsystem)):
            for name, word in zip(("vendor", "device"), text.split(":"), strict=True):
                (device / f"{prefix}{name}").write_text(f"0x{word}\n")
        (device / "class").write_text("0x0d4000\n")
        self._link(self.sys / "bus" / "pci" / "devices" / address, device)
        number = next(iter(ports))[: len("wwan0")]
        wwan = device / between / "wwan" / number
        for name, kind in ports.items():
            (wwan / name).mkdir(parents=True)
            (wwan / name / "type").write_text(f"{kind}\n")
            (self.dev / name).touch()
            self._link(self.sys / "class" / "wwan" / name, wwan / name)
        self._link(self.sys / "class" / "wwan" / number, wwan)
        if net:
            (wwan / "net" / net).mkdir(parents=True)
            self._link(self.sys / "class" / "net" / net, wwan / "net" / net)

    def wwan_of_usb(self, interface: str, name: str) -> None:
        """The port that cdc-wdm registers for a USB modem's interface."""
        device = self.sys / "devices" / "pci0000:00" / "0000:00:14.0"
        port = device / "usb1" / interface.partition(":")[0] / interface / "wwan" / name
        port.mkdir(parents=True)
        for attribute, word in (("vendor", "0x8086"), ("device", "0xa36d"), ("class", "0x0c0330")):
            (device / attribute).write_text(f"{word}\n")
        (port.parents[1] / "bInterfaceNumber").write_text("04\n")
        self._link(self.sys / "class" / "wwan" / name, port)

    def _link(self, place: Path, target: Path) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)

    def unplug(self, usb_path: str) -> None:
        for folder in self.devices.glob(f"{usb_path}*"):
            shutil.rmtree(folder)


def plug_rm520n(tree: UsbTree, usb_path: str = "1-1.2", first_tty: int = 0, net: str = "wwan0") -> None:
    tree.plug(usb_path, "2c7c:0801", "RM520N-GL")
    for number in range(4):
        tree.interface(usb_path, number, tty=f"ttyUSB{first_tty + number}")
    tree.interface(usb_path, 4, net=net, triple="ffffff")
