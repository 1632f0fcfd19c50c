"""What every action has: a name, words for it, a form made for this very modem, and the work itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from remsim.core.forms import Form
from remsim.core.jobs import Job
from remsim.modems.control.target import Target

GROUPS = {
    "radio": "Network",
    "sim": "SIM",
    "data": "Data connection",
    "sms": "Messages",
    "device": "Device",
    "console": "AT console",
}
"""Where pages put an action, in their order."""


class Action:
    """One verb. ``POST modems/ID/NAME`` runs it, ``GET modems/ID/NAME/form`` describes it, ``remsim modem`` has it too.

    ``cuts`` says what it interrupts and for how long; pages ask before they run such an action. ``is_short`` work is
    answered at once, other work is a job. ``run`` returns what was read back, never that a command said OK.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    group: ClassVar[str]
    help: ClassVar[str] = ""
    scope: ClassVar[str] = "write"
    cuts: ClassVar[str | None] = None
    is_short: ClassVar[bool] = False

    def missing(self, target: Target) -> str | None:
        """Why this modem cannot have it done, in a sentence; None when it can. From memory: nothing is asked."""
        return None

    def form(self, target: Target) -> Form:
        """The schema with this modem's choices. May ask the modem what it offers."""
        return Form()

    def current(self, target: Target) -> Mapping[str, Any]:
        """The values in force, to fill the form with. May ask the modem."""
        return {}

    def title(self, target: Target, values: Mapping[str, Any]) -> str:
        """What is being done, in words."""
        return self.label

    def note(self, result: Any) -> Mapping[str, Any]:
        """What the journal tells of the result, beside that it is done."""
        return {}

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """Do it, and answer what is so now. Raises ``RemsimError`` with what the user can do."""
        raise NotImplementedError
