"""The modem's USB composition: how the router talks data with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.core.errors import NotTaken
from remsim.core.forms import Choice, Form
from remsim.core.jobs import Job
from remsim.modems.control.change import Change, ChangeForm
from remsim.modems.control.target import Target
from remsim.modems.drivers.usb_modes import UsbModes, usb_modes_of

RESTART_S = 180.0


class UsbMode(Change):
    """Only modes that keep the AT port are offered: without it nothing here could bring the modem back."""

    name = "usb-mode"
    label = "Choose the USB mode"
    group = "device"
    help = "The router's network interface has to fit it: its protocol and driver change too. Kept in the modem."
    cuts = "The modem restarts, and its connection has to be set up anew for the new mode."

    def missing(self, target: Target) -> str | None:
        """Where no mode is proven to keep the AT port, none is offered."""
        if usb_modes_of(target.driver) is None:
            return "No USB mode of this modem is proven to keep its AT port, so none is offered."
        return None

    def form(self, target: Target) -> Form:
        """The modes of this very modem."""
        modes = modes_of(target)
        told = target.offered(modes.offered) if modes.offered else None
        mode = Choice(modes.choices(told), required=True, metadata={"label": "Mode"})
        form: Form = ChangeForm.from_dict({"mode": mode}, name="UsbModeForm")()  # type: ignore[assignment]
        return form

    def expects_service(self, values: Mapping[str, Any]) -> bool:
        """The link is another one afterwards; whether the admin still comes through is for them to confirm."""
        return False

    def read(self, target: Target) -> dict[str, Any]:
        """The mode in force."""
        modes = modes_of(target)
        return {"mode": modes.mode(target.ask(modes.ask))}

    def apply(self, target: Target, values: Mapping[str, Any], job: Job) -> None:
        """Choose, restart, and wait for the AT port of the new composition."""
        modes, seen = modes_of(target), target.modem.identifications
        if values["mode"] not in modes.commands:
            raise NotTaken(f"{values['mode']} is a mode that this service does not set")
        job.report(0.2, "choosing the mode")
        if modes.password is not None:
            target.send(modes.password)
        target.send(modes.commands[values["mode"]])
        job.report(0.3, "restarting the modem")
        target.send_last(target.driver.reset_command)
        if not target.wait_identified(seen, RESTART_S, job):
            raise NotTaken(f"{target.id} did not come back within {RESTART_S:.0f} s", hint="unplug it and plug it in")


def modes_of(target: Target) -> UsbModes:
    """The modes of a modem that has some."""
    modes = usb_modes_of(target.driver)
    assert modes is not None
    return modes
