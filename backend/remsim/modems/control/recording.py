"""A modem's replies as a fixture file that somebody can send us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.core.errors import ModemError
from remsim.core.forms import Flag, Form
from remsim.core.jobs import Job
from remsim.modems.control.action import Action
from remsim.modems.control.target import Target
from remsim.modems.reply import AtReply

MOST_S = 40.0


class RecordForm(Form):
    """What may stay in it."""

    keep_cells = Flag(
        load_default=False,
        metadata={
            "label": "Keep cell identities and area codes",
            "help": "They tell where the modem is. Without them they are replaced by ones",
        },
    )


class Record(Action):
    """Only reads. Its result is short enough to be answered at once."""

    name = "record"
    label = "Record its replies"
    group = "console"
    help = "For a report about this modem: its answers to reads, without IMEI, IMSI, ICCID, EID and phone numbers."
    scope = "at-console"
    is_short = True

    def missing(self, target: Target) -> str | None:
        """Takes an AT port."""
        return target.without_at

    def form(self, target: Target) -> Form:
        """What may stay in it."""
        return RecordForm()

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """The rows of the file; what takes too long is left out, which ``is_whole`` tells."""
        from remsim.modems.record import record  # late: tables that hardly anybody needs

        channel, identity = target.modem.open_session().channel, target.modem.identity
        deadline = target.clock.monotonic() + MOST_S

        def ask(command: str, timeout_s: float) -> AtReply:
            return channel.query(command, timeout_s=timeout_s)

        source = f"remsim modem record, firmware {identity.get('revision') or 'unknown'}"
        rows: list[dict[str, str]] = []
        is_whole = True
        with target.modem.polling_held():
            for row in record(target.driver, ask, source=source, identity=identity, keeps_cells=values["keep_cells"]):
                rows.append(row)
                if target.clock.monotonic() > deadline:
                    is_whole = False
                    break
        if not rows:
            raise ModemError(f"{target.id} answers nothing", hint="try again when it answers")
        return {"rows": rows, "is_whole": is_whole}
