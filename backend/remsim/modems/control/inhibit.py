"""Keeping ModemManager off one modem, and giving it back: only after asking, undone when this service ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.core.errors import RemsimError
from remsim.core.forms import Flag, Form
from remsim.core.jobs import Job
from remsim.modems.control.action import Action
from remsim.modems.control.target import Target
from remsim.modems.holders import running


class InhibitForm(Form):
    """Off or on."""

    on = Flag(required=True, metadata={"label": "Keep ModemManager off this modem"})


class Inhibit(Action):
    """Two programs on one port read each other's answers. ModemManager is asked to let this one modem go."""

    name = "inhibit"
    label = "Keep ModemManager off"
    group = "device"
    help = "Lasts until you switch it off or this service ends; then ModemManager takes the modem again."
    cuts = "A connection that ModemManager has made over this modem ends."

    def missing(self, target: Target) -> str | None:
        """Only where ModemManager runs."""
        if target.means.inhibitions.is_on(device_of(target)) or running("ModemManager") is not None:
            return None
        return "ModemManager does not run here."

    def form(self, target: Target) -> Form:
        """Off or on."""
        return InhibitForm()

    def current(self, target: Target) -> Mapping[str, Any]:
        """Whether it is kept off now."""
        return {"on": target.means.inhibitions.is_on(device_of(target))}

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """Start or end the inhibition."""
        device, inhibitions = device_of(target), target.means.inhibitions
        if values["on"] and not inhibitions.is_on(device):
            inhibitions.start(device)
        elif not values["on"]:
            inhibitions.stop(device)
        if inhibitions.is_on(device) != values["on"]:
            raise RemsimError("ModemManager's hold on the modem has not changed")
        return {"on": values["on"]}


def device_of(target: Target) -> str:
    """What ModemManager calls the device: the folder of its USB or PCI device in sysfs."""
    modem = target.modem.found.usb_path
    if modem.startswith("pci-"):
        return str((target.means.sysfs_root / "bus" / "pci" / "devices" / modem.removeprefix("pci-")).resolve())
    return str((target.means.sysfs_root / "bus" / "usb" / "devices" / modem).resolve())
