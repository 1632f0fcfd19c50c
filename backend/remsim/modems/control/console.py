"""The AT console: one line, the modem's answer as it came, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from remsim.core.errors import AtFormatError
from remsim.core.forms import Form, StrictNumber, Text
from remsim.core.jobs import Job
from remsim.modems.control.action import Action
from remsim.modems.control.target import Target
from remsim.modems.decode import decode_reply
from remsim.modems.masking import shown_command

LONGEST = 512
MOST_S = 60.0
DEFAULT_S = 10.0


class Command(Text):
    """One line of printable ASCII that may be sent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(2, LONGEST, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        from remsim.modems.control.denied import why_denied  # late: a long table, rarely needed

        line: str = super()._deserialize(value, attr, data, **kwargs).strip()
        if not line.isascii() or len(line) < 2:
            raise ValidationError("is not one line of ASCII")
        if (rule := why_denied(line)) is not None:
            instead = f"; use {rule.instead} instead" if rule.instead else ""
            raise ValidationError(f"is not sent: {rule.why}{instead}")
        return line


class AtForm(Form):
    """The line, and how long to wait."""

    command = Command(
        required=True,
        metadata={"label": "Command", "help": "Like AT+CSQ. What destroys a modem is not sent", "private": True},
    )
    timeout_s = StrictNumber(
        1.0,
        MOST_S,
        load_default=DEFAULT_S,
        metadata={"label": "Wait for the answer", "unit": "s", "advanced": True},
    )


class At(Action):
    """Whoever may use it is written down with the command, without its secrets."""

    name = "at"
    label = "Send an AT command"
    group = "console"
    help = "The modem takes it as it is: what you change here is not undone, and not applied again after a restart."
    scope = "at-console"
    is_short = True

    def missing(self, target: Target) -> str | None:
        """Takes an AT port."""
        return target.without_at

    def form(self, target: Target) -> Form:
        """The line, and how long to wait."""
        return AtForm()

    def title(self, target: Target, values: Mapping[str, Any]) -> str:
        """The command, without PINs, numbers and words."""
        return f"AT console: {shown_command(values['command'])}"

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """An error of the modem is an answer too."""
        command = values["command"]
        with target.modem.polling_held():
            reply = target.modem.open_session().channel.query(command, timeout_s=values["timeout_s"])
        driver = target.driver
        try:
            found = decode_reply(driver.vendor, driver.module, driver.platform, command, reply.text)
        except AtFormatError:
            found = {}
        return {"command": command, "reply": reply.text, "ok": reply.ok, "values": found}

    def note(self, result: Any) -> Mapping[str, Any]:
        """The result code."""
        return {"code": result["reply"].rpartition("\n")[2]}
