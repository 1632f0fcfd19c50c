"""Tying a modem to cells, for an antenna that points at one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.core.errors import Conflict, InvalidInput, NotTaken
from remsim.core.forms import Choice, Flag, Form, Several, Text
from remsim.core.jobs import Job
from remsim.modems.control.change import Change, ChangeForm
from remsim.modems.control.power import cycle_radio, restart
from remsim.modems.control.target import Target
from remsim.modems.drivers.abilities import Cell, CellLock

WRITE_S = 20.0
FREE = ""
HIGHEST = {"LTE": (262_143, 503), "NR": (3_279_165, 1007)}
"""Channel and PCI (3GPP 36.101, 36.211, 38.104, 38.211)."""
SPACINGS = (15, 30, 60, 120, 240)
LTE_PATTERN, NR_PATTERN = r"\d{1,6}:\d{1,3}", r"\d{1,7}:\d{1,4}:\d{2,3}:\d{1,3}"


class LockCells(Change):
    """Cells are ``EARFCN:PCI`` on LTE and ``ARFCN:PCI:SCS:BAND`` on 5G; none of them frees the modem."""

    name = "cell-lock"
    label = "Tie to cells"
    group = "radio"
    help = "The modem camps on these cells only. Without service there it is freed by itself."
    cuts = "Its connection is gone for 5 to 120 seconds."
    remembers = True

    def missing(self, target: Target) -> str | None:
        """Takes a family whose command is known, and an AT port."""
        if target.driver.cell_lock is None:
            return "This modem has no known command to tie it to a cell."
        return target.without_at

    def form(self, target: Target) -> Form:
        """The cells that are heard now, those it is tied to, and room to type others."""
        lock = lock_of(target)
        held, heard = read_lock(target, lock), heard_cells(target)
        off = Flag(load_default=False, metadata={"label": "Free it from all cells"})
        fields: dict[str, Any] = {"off": off}
        choices = labelled(heard, held, "LTE")
        most = f"At most {lock.most_lte}. " if lock.most_lte > 1 else "One. "
        fields["lte_cells"] = Several(choices, metadata={"label": "LTE cells", "help": most + lock.help})
        fields["more_lte_cells"] = typed("Other LTE cells", "EARFCN:PCI, parted by blanks", LTE_PATTERN, lock.most_lte)
        if lock.has_nr:
            nr = {FREE: "None", **labelled(heard, held, "NR")}
            fields["nr_cell"] = Choice(nr, metadata={"label": "5G cell", "help": lock.help})
            fields["other_nr_cell"] = typed("Another 5G cell", "ARFCN:PCI:SCS in kHz:band", NR_PATTERN, 1)
        form: Form = ChangeForm.from_dict(fields, name="CellLockForm")()  # type: ignore[assignment]
        return form

    def preset(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The cells wanted, typed and chosen ones together; a technology without any is freed."""
        if values.get("off"):
            return {"lte_cells": [], "nr_cell": FREE}
        names = [*values.get("lte_cells", ()), *str(values.get("more_lte_cells") or "").split()]
        other = values.get("other_nr_cell") or values.get("nr_cell") or FREE
        return {
            "lte_cells": sorted(dict.fromkeys(str(checked("LTE", name)) for name in names)),
            "nr_cell": str(checked("NR", other)) if other else FREE,
        }

    def title(self, target: Target, values: Mapping[str, Any]) -> str:
        """The cells."""
        wanted = self.preset(values)
        names = [*wanted["lte_cells"], *([wanted["nr_cell"]] if wanted["nr_cell"] else [])]
        return f"Tie to {', '.join(names)}" if names else "Free it from its cells"

    def words(self, name: str, value: Any) -> str:
        """Cells, or none."""
        shown = ", ".join(value) if isinstance(value, list) else value
        return f"{'LTE cells' if name == 'lte_cells' else '5G cell'}: {shown or 'none'}"

    def read(self, target: Target) -> dict[str, Any]:
        """The cells it is tied to."""
        held = read_lock(target, lock_of(target))
        found: dict[str, Any] = {"lte_cells": sorted(map(str, held["LTE"]))}
        return found | {"nr_cell": str(held["NR"][0]) if held["NR"] else FREE}

    def is_taken(self, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
        """A 5G cell that the modem tells without spacing and band is known by channel and PCI."""
        for name, value in wanted.items():
            have = found.get(name)
            is_shorter = name == "nr_cell" and have and value and str(value).startswith(f"{have}:")
            if have != value and not is_shorter:
                return False
        return True

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """Check what only the family knows, then as every change."""
        lock, wanted = lock_of(target), self.preset(values)
        if not values.get("off") and not wanted["lte_cells"] and not wanted["nr_cell"]:
            raise InvalidInput("name a cell, or free the modem from all", field="off")
        if len(wanted["lte_cells"]) > lock.most_lte:
            raise InvalidInput(f"this modem takes at most {lock.most_lte} LTE cells", field="lte_cells")
        if lock.one_only and wanted["lte_cells"] and wanted["nr_cell"]:
            raise InvalidInput("this modem takes one cell, of LTE or of 5G", field="nr_cell")
        return super().run(target, values, job)

    def apply(self, target: Target, values: Mapping[str, Any], job: Job) -> None:
        """Tie or free it, and do what makes that take effect."""
        lock = lock_of(target)
        held = read_lock(target, lock)
        wanted = {
            "LTE": [checked("LTE", name) for name in values["lte_cells"]],
            "NR": [checked("NR", values["nr_cell"])] if values["nr_cell"] else [],
        }
        if wanted == held:
            return
        job.report(0.3, "telling the modem")
        for command in lock.commands(wanted, held):
            target.send(command, timeout_s=WRITE_S)
        if lock.restart == "radio":
            cycle_radio(target, job)
        elif lock.restart == "modem" and not restart(target, job):
            raise NotTaken(f"{target.id} did not restart", hint="restart it: the lock holds from then on")
        target.hasten("REG?", "COPS")


def lock_of(target: Target) -> CellLock:
    """The ability of a modem that has it."""
    lock = target.driver.cell_lock
    assert lock is not None
    return lock


def read_lock(target: Target, lock: CellLock) -> dict[str, list[Cell]]:
    """The cells it is tied to; ``Conflict`` when this firmware does not know the command."""
    answers = {command: target.offered(command) for command in lock.asks}
    if all(answer is None for answer in answers.values()):
        raise Conflict(f"{target.id}: this firmware has no command to tie it to a cell", code="not_offered")
    return lock.state(answers)


def checked(rat: str, text: str) -> Cell:
    """The cell a text names; ``InvalidInput`` for numbers that no cell has."""
    field = "more_lte_cells" if rat == "LTE" else "other_nr_cell"
    channel, pci = HIGHEST[rat]
    try:
        cell = Cell.parse(rat, text)
    except ValueError:
        raise InvalidInput(f"{text[:40]!r} is no cell", field=field) from None
    if not 0 <= cell.channel <= channel or not 0 <= cell.pci <= pci:
        raise InvalidInput(f"{text!r}: channels go to {channel}, PCIs to {pci}", field=field)
    if rat == "NR" and (cell.scs_khz not in SPACINGS or not 1 <= (cell.band or 0) <= 512):
        raise InvalidInput(f"{text!r}: spacings are {', '.join(map(str, SPACINGS))} kHz", field=field)
    return cell


def typed(label: str, help: str, pattern: str, most: int) -> Text:
    """A line for cells that are not heard now."""
    whole = rf"{pattern}(?: {{1,3}}{pattern}){{0,{max(most - 1, 0)}}}"
    longest = max(most, 1) * 24
    metadata = {"label": label, "help": help, "advanced": True}
    return Text(0, longest, pattern=whole, load_default="", told=f"is not {help}", metadata=metadata)


def heard_cells(target: Target) -> dict[str, dict[str, str]]:
    """Cells of the last reports by technology, each with what is known of it in words; the serving ones first."""
    found: dict[str, dict[str, str]] = {"LTE": {}, "NR": {}}
    values, driver = target.values, target.driver
    serving = [values, *([{"rat": "NR", **values["nr"]}] if values.get("nr") else [])]
    for cell, role in [*((one, "serving") for one in serving), *((one, "") for one in driver.neighbours(values))]:
        rat = "NR" if cell.get("rat") == "NR" else "LTE"
        channel = cell.get("arfcn" if rat == "NR" else "earfcn")
        if channel is None or cell.get("pci") is None:
            continue
        spacing, band = cell.get("scs_khz"), cell.get("band")
        if rat == "NR" and not role and channel == values.get("arfcn"):
            spacing, band = values.get("scs_khz"), values.get("band")  # the same channel as the serving cell
        if rat == "NR" and None in (spacing, band):
            continue
        name = str(Cell(rat, channel, cell["pci"], spacing, band))
        parts = [f"PCI {cell['pci']}", f"channel {channel}"]
        parts += [f"band {band}"] if band else []
        parts += [f"{cell['rsrp_dbm']:g} dBm"] if cell.get("rsrp_dbm") is not None else []
        found[rat].setdefault(name, ", ".join([*parts, *([role] if role else [])]))
    return found


def labelled(heard: Mapping[str, Mapping[str, str]], held: Mapping[str, list[Cell]], rat: str) -> dict[str, str]:
    """Choices: what is heard, and what it is tied to even when that is not heard."""
    rest = {str(cell): f"PCI {cell.pci}, channel {cell.channel}, not heard now" for cell in held[rat]}
    return {**heard[rat], **{name: label for name, label in rest.items() if name not in heard[rat]}}
