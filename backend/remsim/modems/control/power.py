"""Restarting a modem, and its radio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.core.errors import CommandRefused, Conflict, ModemError, NotTaken
from remsim.core.forms import Flag, Form
from remsim.core.jobs import Job
from remsim.modems.control.action import Action
from remsim.modems.control.change import Change, ChangeForm
from remsim.modems.control.target import Target

RESTART_S = 180.0
LOOK_S = 5.0
LOOK_TIMEOUT_S = 2.0
CFUN_TIMEOUT_S = 20.0
SESSION_SETTING, SESSION_VALUE = "AT+CREG?", "+CREG: 2"
"""Every session sets it and every restart forgets it."""


class Reset(Action):
    """A restart by the family's own command; done when the modem has answered anew."""

    name = "reset"
    label = "Restart the modem"
    group = "device"
    help = "Restarts the modem's firmware. Settings stay, unless this modem forgets some."
    cuts = "Its connection is gone for 20 to 120 seconds."

    def missing(self, target: Target) -> str | None:
        """Takes an AT port."""
        return target.without_at

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """Send the command, and wait until the modem was identified anew."""
        begun = target.clock.monotonic()
        if not restart(target, job):
            hint = "try the hard reset, or switch its power off and on"
            raise NotTaken(f"{target.id} did not restart within {RESTART_S:.0f} s", hint=hint)
        return {"took_s": round(target.clock.monotonic() - begun, 1)}


def restart(target: Target, job: Job, within_s: float = RESTART_S) -> bool:
    """Restart a modem by its own command; whether it was identified anew. Its OK may never come."""
    seen, driver = target.modem.identifications, target.driver
    job.report(0.1, "asking it to restart")
    is_witness = not has_forgotten_session(target)
    try:
        target.send_last(driver.reset_command)
    except CommandRefused:
        if driver.reset_instead is None:
            raise
        target.send_last(driver.reset_instead)
    job.report(0.2, "waiting for it to come back", can_abort=True)
    deadline = target.clock.monotonic() + within_s
    while (left_s := deadline - target.clock.monotonic()) > 0:
        if target.wait_identified(seen, min(LOOK_S, left_s), job):
            return True
        if is_witness and has_forgotten_session(target):
            target.renew()
    return target.modem.identifications > seen


def has_forgotten_session(target: Target) -> bool:
    """Whether the modem has restarted behind a port that stayed: it answers, but not with what this session set."""
    try:
        reply = target.send(SESSION_SETTING, timeout_s=LOOK_TIMEOUT_S)
    except (ModemError, Conflict):
        return False
    told = next((line for line in reply.lines if line.startswith("+CREG")), None)
    return told is not None and not told.replace(" ", "").startswith(SESSION_VALUE.replace(" ", ""))


def cycle_radio(target: Target, job: Job) -> None:
    """Radio off and on, so that the modem looks for its cell anew."""
    job.report(None, "restarting the radio")
    target.send(f"AT+CFUN={target.driver.radio_off}", timeout_s=CFUN_TIMEOUT_S)
    target.send("AT+CFUN=1", timeout_s=CFUN_TIMEOUT_S)


def ensure_radio(target: Target) -> None:
    """Switch the radio on where what was interrupted has left it off."""
    if target.ask("AT+CFUN?").get("cfun") != 1:
        target.send("AT+CFUN=1", timeout_s=CFUN_TIMEOUT_S)
        target.hasten("CFUN", "REG?", "COPS")


class RadioForm(ChangeForm):
    """On or off."""

    on = Flag(required=True, metadata={"label": "Radio"})


class Radio(Change):
    """Radio off is flight mode: the modem can still be asked."""

    name = "radio"
    label = "Switch the radio"
    group = "radio"
    cuts = "Without its radio the modem has no connection."
    read_back_s = 10.0

    def missing(self, target: Target) -> str | None:
        """Takes an AT port."""
        return target.without_at

    def form(self, target: Target) -> Form:
        """On or off."""
        return RadioForm()

    def title(self, target: Target, values: Mapping[str, Any]) -> str:
        """On or off, in words."""
        return f"Switch the radio {'on' if values['on'] else 'off'}"

    def expects_service(self, values: Mapping[str, Any]) -> bool:
        """Off is meant to be without."""
        return bool(values["on"])

    def read(self, target: Target) -> dict[str, Any]:
        """+CFUN: 1 is on."""
        return {"on": target.ask("AT+CFUN?").get("cfun") == 1}

    def apply(self, target: Target, values: Mapping[str, Any], job: Job) -> None:
        """Off is the family's value that keeps the SIM readable."""
        job.report(0.3, "switching the radio")
        number = 1 if values["on"] else target.driver.radio_off
        target.send(f"AT+CFUN={number}", timeout_s=CFUN_TIMEOUT_S)
        target.hasten("CFUN", "REG?", "COPS")

    def words(self, name: str, value: Any) -> str:
        """The radio's state."""
        return f"its radio {'on' if value else 'off'}"

    def not_taken(self, target: Target, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> NotTaken:
        """With what the modem says is holding it in low power, where it says that."""
        error = super().not_taken(target, wanted, found)
        command = target.driver.low_power_command
        reasons = (target.offered(command) or {}).get("low_power_reasons") if command and wanted["on"] else None
        if reasons:
            error.hint = f"held in low power by: {', '.join(reasons)}"
        return error
