"""Which SIM a modem sees on an osmo-remsim board: the remote one or the one in its tray (GPIO: 1 is remote)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.core.errors import NotTaken
from remsim.core.forms import Choice, Form
from remsim.core.jobs import Job
from remsim.modems.control.change import Change, ChangeForm
from remsim.modems.control.hard_reset import RESET_PULSE_S
from remsim.modems.control.target import Target
from remsim.modems.gpio import Line, parse_line

RESTART_S = 180.0
VALUES = {"remote": 1, "local": 0}
LABELS = {"remote": "Remote SIM", "local": "SIM in the tray"}


class SimSourceForm(ChangeForm):
    """Remote or local."""

    source = Choice(LABELS, required=True, metadata={"label": "SIM"})


class SimSource(Change):
    """One owner switches the line: the osmo-remsim client where it is set to, else this service."""

    name = "sim-source"
    label = "Switch between remote and local SIM"
    group = "sim"
    help = "Switches the SIM lines of the board and restarts the modem, so that it reads the other card."
    cuts = "The modem restarts: its connection is gone for 20 to 120 seconds."

    read_back_s = 3.0

    def missing(self, target: Target) -> str | None:
        """Needs the line, and that nobody else drives it."""
        line = line_of(target)
        if line is None:
            return "No GPIO line for this modem's SIM is known (modem.sim_gpio, or modem.board_modem on a known board)."
        if (owner := target.means.sim_owner.of(line.number)) is not None:
            return f"{owner} switches this SIM (GPIO {line}); this service only looks on."
        return None

    def form(self, target: Target) -> Form:
        """Remote or local."""
        return SimSourceForm()

    def read(self, target: Target) -> dict[str, Any]:
        """The line's level."""
        line = line_of(target)
        assert line is not None
        is_remote = target.means.gpio.get(line) == 1
        return {"source": "remote" if is_remote else "local"}

    def apply(self, target: Target, values: Mapping[str, Any], job: Job) -> None:
        """Switch, then restart the modem by its reset line, or by its own command where there is none."""
        line = line_of(target)
        assert line is not None
        seen = target.modem.identifications
        job.report(0.2, "switching the SIM lines")
        target.means.gpio.set(line, VALUES[values["source"]])
        job.report(0.3, "restarting the modem")
        if target.settings.reset_gpio:
            target.means.gpio.pulse(parse_line(target.settings.reset_gpio), RESET_PULSE_S)
        else:
            target.send_last(target.driver.reset_command)
        if not target.wait_identified(seen, RESTART_S, job):
            raise NotTaken(f"{target.id} did not come back within {RESTART_S:.0f} s", hint="try the hard reset")


def line_of(target: Target) -> Line | None:
    """The SIM line of this modem: its setting, else its board's."""
    board, number = target.means.board, target.settings.board_modem or 0
    text = target.settings.sim_gpio or (board.sim_gpio.get(number) if board else None)
    return None if text is None else parse_line(text)
