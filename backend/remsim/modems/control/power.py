"""Restarting a modem, and its radio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.core.errors import NotTaken
from remsim.core.forms import Flag, Form
from remsim.core.jobs import Job
from remsim.modems.control.action import Action
from remsim.modems.control.change import Change, ChangeForm
from remsim.modems.control.target import Target

RESTART_S = 180.0


class Reset(Action):
    """A restart by the family's own command; done when the modem has answered anew."""

    name = "reset"
    label = "Restart the modem"
    group = "device"
    help = "Restarts the modem's firmware. Settings stay, unless this modem forgets some."
    cuts = "Its connection is gone for 20 to 120 seconds."

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """Send the command, and wait until the modem was identified anew."""
        seen, begun = target.modem.identifications, target.clock.monotonic()
        job.report(0.1, "asking it to restart")
        target.send_last(target.driver.reset_command)
        job.report(0.2, "waiting for it to come back", can_abort=True)
        if not target.wait_identified(seen, RESTART_S, job):
            hint = "try the hard reset, or switch its power off and on"
            raise NotTaken(f"{target.id} did not restart within {RESTART_S:.0f} s", hint=hint)
        return {"took_s": round(target.clock.monotonic() - begun, 1)}


class RadioForm(ChangeForm):
    """On or off."""

    on = Flag(required=True, metadata={"label": "Radio"})


class Radio(Change):
    """Radio off is flight mode: the modem can still be asked."""

    name = "radio"
    label = "Switch the radio"
    group = "radio"
    cuts = "Without its radio the modem has no connection."

    def form(self, target: Target) -> Form:
        """On or off."""
        return RadioForm()

    def expects_service(self, values: Mapping[str, Any]) -> bool:
        """Off is meant to be without."""
        return bool(values["on"])

    def read(self, target: Target) -> dict[str, Any]:
        """+CFUN: 1 is on."""
        return {"on": target.ask("AT+CFUN?").get("cfun") == 1}

    def apply(self, target: Target, values: Mapping[str, Any], job: Job) -> None:
        """CFUN=4 keeps the SIM readable."""
        job.report(0.3, "switching the radio")
        target.send(f"AT+CFUN={1 if values['on'] else 4}", timeout_s=20)
        target.hasten("CFUN", "REG?", "COPS")
