"""The modem's data connection: netifd makes it, so netifd is asked to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.core.errors import NotTaken
from remsim.core.forms import Flag, Form
from remsim.core.jobs import Job
from remsim.modems.control.change import Change, ChangeForm
from remsim.modems.control.target import Target
from remsim.modems.netifd import Interface

UP_S = 90.0
LOOK_S = 1.0


class ConnectionForm(ChangeForm):
    """Connected or not."""

    up = Flag(required=True, metadata={"label": "Connected"})


class Connection(Change):
    """Connect and disconnect through the router's network interface."""

    name = "connection"
    label = "Connect or disconnect"
    group = "data"
    help = "Dials or hangs up through the router's network interface, as ifup and ifdown do."
    cuts = "Without its connection the modem carries no data."

    def missing(self, target: Target) -> str | None:
        """Only where netifd runs and knows an interface over this modem."""
        if not target.means.netifd.is_here:
            return "There is no netifd here, so the connection is not the router's to make."
        if network_of(target) is None:
            return "No network interface uses this modem. Create one in LuCI (Network, Interfaces)."
        return None

    def form(self, target: Target) -> Form:
        """Up or down."""
        return ConnectionForm()

    def expects_service(self, values: Mapping[str, Any]) -> bool:
        """The modem stays registered either way; the connection itself is read back."""
        return False

    def read(self, target: Target) -> dict[str, Any]:
        """As netifd has it."""
        return {"up": status_of(target).is_up}

    def apply(self, target: Target, values: Mapping[str, Any], job: Job) -> None:
        """Ask netifd and wait for what comes of it."""
        netifd, name = target.means.netifd, status_of(target).name
        job.report(None, f"{'dialling' if values['up'] else 'hanging up'} {name}")
        if values["up"]:
            netifd.up(name)
            wait_up(target, name, job)
        else:
            netifd.down(name)


def network_of(target: Target) -> str | None:
    """The name of the interface in ``network`` that this modem carries, as configured or as netifd tells."""
    if target.settings.network:
        return target.settings.network
    carrying = target.means.netifd.carrying(target.modem.interface)
    return None if carrying is None else carrying.name


def status_of(target: Target) -> Interface:
    """netifd's word about that interface."""
    name = network_of(target)
    if name is None:
        raise NotTaken(f"no network interface uses {target.id}", hint="set modem.network in remsim_console")
    return target.means.netifd.status(name)


def wait_up(target: Target, name: str, job: Job) -> None:
    """Wait until the interface is up; ``NotTaken`` with what netifd says is wrong."""
    deadline = target.clock.monotonic() + UP_S
    while not (found := target.means.netifd.status(name)).is_up:
        if target.clock.monotonic() > deadline:
            told = "; ".join(found.errors) or "no reason is given"
            raise NotTaken(f"{name} did not come up within {UP_S:.0f} s: {told}", hint="check the APN and the SIM")
        target.pause(LOOK_S, job)
