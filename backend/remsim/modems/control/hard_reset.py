"""Restarting a modem that does not listen: its reset line, its power, its USB port."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from remsim.core.errors import NotTaken
from remsim.core.forms import Choice, Form
from remsim.core.jobs import Job
from remsim.modems import usb_power
from remsim.modems.control.action import Action
from remsim.modems.control.target import Target
from remsim.modems.gpio import parse_line

RESET_PULSE_S = 0.5
POWER_OFF_S = 5.0
RESTART_S = 180.0

WAYS = {
    "reset_line": "Pulse its reset line (GPIO)",
    "power_line": "Switch its power off and on (GPIO)",
    "usb_power": "Switch its USB port's power off and on",
    "usb_replug": "Take it off the USB bus and back (no power cut)",
}


class HardReset(Action):
    """The ways this board has; done when the modem has answered anew."""

    name = "hard-reset"
    label = "Restart the modem by force"
    group = "device"
    help = "For a modem that does not answer any more. Try the ordinary restart first."
    cuts = "Its connection is gone for 20 to 120 seconds."

    def missing(self, target: Target) -> str | None:
        """Boards differ in what they can switch."""
        if ways_of(target):
            return None
        return "This board has no known way: no GPIO line is set for it, and its USB port cannot be switched."

    def form(self, target: Target) -> Form:
        """The ways there are, the mildest first."""
        choices = {way: WAYS[way] for way in WAYS if way in ways_of(target)}
        how = Choice(choices, load_default=next(iter(choices)), metadata={"label": "How"})
        form: Form = Form.from_dict({"how": how}, name="HardResetForm")()  # type: ignore[assignment]
        return form

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """Do it, and wait until the modem was identified anew."""
        seen, begun = target.modem.identifications, target.clock.monotonic()
        job.report(0.1, WAYS[values["how"]])
        ways_of(target)[values["how"]](job)
        job.report(0.3, "waiting for it to come back", can_abort=True)
        if not target.wait_identified(seen, RESTART_S, job):
            hint = "switch its power off and on by hand"
            raise NotTaken(f"{target.id} did not come back within {RESTART_S:.0f} s", hint=hint)
        return {"how": values["how"], "took_s": round(target.clock.monotonic() - begun, 1)}


def ways_of(target: Target) -> dict[str, Callable[[Job], None]]:
    """The ways of this modem's board and port, each as what does it."""
    means, settings, usb_path = target.means, target.settings, target.modem.found.usb_path
    ways: dict[str, Callable[[Job], None]] = {}
    if settings.reset_gpio:
        reset = parse_line(settings.reset_gpio)
        ways["reset_line"] = lambda job: means.gpio.pulse(reset, RESET_PULSE_S)
    number = settings.board_modem or 0
    power = settings.power_gpio or (means.board.power_gpio.get(number) if means.board else None)
    if power:
        ways["power_line"] = lambda job: cut_power(target, power, job)
    switch = usb_power.port_switch(means.sysfs_root, usb_path)
    if switch is not None:
        ways["usb_power"] = lambda job: usb_power.cycle(switch, "1", "0", job.sleep)
    leave = usb_power.authorization(means.sysfs_root, usb_path)
    if leave is not None:
        ways["usb_replug"] = lambda job: usb_power.cycle(leave, "0", "1", job.sleep)
    return ways


def cut_power(target: Target, power: str, job: Job) -> None:
    """Power off for a while; whatever happens in between, it ends on."""
    gpio, line = target.means.gpio, parse_line(power)
    gpio.set(line, 0)
    try:
        job.sleep(POWER_OFF_S)
    finally:
        gpio.set(line, 1)
