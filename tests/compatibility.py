"""The tables of docs/compatibility.md, computed from the fixtures, the drivers and the simulator.

``python tests/compatibility.py`` prints them, with ``--write`` it puts them into the document. A test compares the
document with this cell by cell, so nothing in its tables is a claim of ours.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import poll_rounds
from evidence import CONTROLS, MODULES, READINGS, Module, by_wdm, pci_ids, proof
from remsim.modems import boot_modes, ports, wwan
from remsim.modems.drivers import driver_for
from remsim.modems.drivers.base import Driver
from remsim.modems.drivers.usb_modes import usb_modes_of
from remsim.modems.ports import UsbModem

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "compatibility.md"
Rows = list[list[str]]


def resets(driver: Driver) -> str:
    """How it is restarted; no reply can prove that but its leaving the bus."""
    return f"`{driver.reset_command}`"


def readings() -> Rows:
    """Values that are polled."""
    head = ["module", *(column.title for column in READINGS), "by QMI, MBIM"]
    return [head, *([one.name, *(proof(one, column) for column in READINGS), by_wdm(one)] for one in MODULES)]


def controls() -> Rows:
    """Identity, SIM, and what can be set."""
    head = ["module", *(column.title for column in CONTROLS), "reset", "virtual modem"]
    rows = []
    for one in MODULES:
        proven = one.model.proven if one.model else "–"
        rows.append([one.name, *(proof(one, column) for column in CONTROLS), resets(one.driver), proven])
    return [head, *rows]


def usb_ids(module: Module) -> list[UsbModem]:
    """Its rows of USB ids: those that name it, and those of its compositions."""
    own = {composition.usb_id for composition in module.kin.compositions.values()}
    return [row for row in ports.ROWS if row.module == module.row or row.usb_id in own]


def at_port(row: UsbModem) -> str:
    """Which interface speaks AT."""
    if row.at_interfaces:
        return " or ".join(str(number) for number in row.at_interfaces)
    return f"class {'/'.join(re.findall('..', row.at_class))}" if row.at_class else "none"


def found() -> Rows:
    """Ids by which each module is found."""
    rows = [["module", "USB ids: AT interface", "boot mode", "PCI Express"]]
    for one in MODULES:
        if one.vendor == "generic":
            continue
        usb = ", ".join(f"`{row.usb_id}`: {at_port(row)}" for row in usb_ids(one))
        boots = ", ".join(f"`{row.usb_id}`" for row in boot_modes.ROWS if row.module in (one.name, one.row))
        pci = ", ".join(f"`{pci_id}`" for pci_id in pci_ids(one))
        rows.append([one.name, usb, boots or "–", pci or "–"])
    return rows


ABILITIES = {
    "slot_switch": "slot",
    "sim_detection": "SIM detection",
    "radio_preferences": "mode and bands",
    "cell_lock": "cell lock",
}


def manner(driver: Driver) -> tuple[object, ...]:
    """What two drivers have in common when they treat their modules alike."""
    abilities = (type(getattr(driver, name)) for name in ABILITIES)
    return (
        driver.vendor,
        driver.identity_commands,
        *poll_rounds.polled(driver),
        *abilities,
        usb_modes_of(driver) is None,
    )


def own_way(driver: Driver) -> str:
    """A driver's way with a module that no listed one is like."""
    can = [label for name, label in ABILITIES.items() if getattr(driver, name) is not None]
    can += ["USB mode"] if usb_modes_of(driver) is not None else []
    return f"read by {poll_rounds.names(driver.fast_commands)}; can be set: {', '.join(can) or 'nothing'}"


def further() -> Rows:
    """Modules with a row and no more, by the module that they are treated as."""
    shown = {row.usb_id for one in MODULES if one.vendor != "generic" for row in usb_ids(one)}
    shown |= {pci_id for one in MODULES for pci_id in pci_ids(one)}
    treated: dict[tuple[str, str], list[str]] = {}
    for row in (*ports.ROWS, *wwan.ROWS):
        if row.usb_id in shown:
            continue
        driver = driver_for(row.vendor, row.module, row.platform)
        like = next((one.name for one in MODULES if manner(one.driver) == manner(driver)), None)
        modules = treated.setdefault((row.vendor, f"as {like}" if like else own_way(driver)), [])
        if row.module not in modules:
            modules.append(row.module)
    return [["vendor", "treated", "modules"], *([*key, ", ".join(found)] for key, found in sorted(treated.items()))]


def summary() -> Rows:
    """How many cells of the two tables above have each word."""
    words = ("pair", "capture", "family", "vendor", "3GPP", "document", "untested", "–")
    rows = [["table", *words]]
    for name, table, columns in (("readings", readings(), slice(1, None)), ("controls", controls(), slice(1, -2))):
        cells = [cell.split(" ")[0] for row in table[1:] for cell in row[columns]]
        rows.append([name, *(str(cells.count(word)) for word in words)])
    return rows


def rounds() -> Rows:
    """What is polled of each family."""
    return poll_rounds.table([(one.name, one.driver) for one in MODULES])


TABLES: dict[str, Callable[[], Rows]] = {
    "readings": readings,
    "controls": controls,
    "summary": summary,
    "found": found,
    "further": further,
    "rounds": rounds,
    "reasons": poll_rounds.reasons,
    "other ways": poll_rounds.other_ways,
}


def markdown(rows: Rows) -> str:
    """A table's text."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def written(text: str, name: str) -> Rows:
    """A table of the document."""
    block = re.search(rf"<!-- {name} -->\n\n(.*?)\n\n<!-- end -->", text, re.DOTALL)
    assert block is not None, f"{DOCUMENT.name} has no table {name}"
    lines = block[1].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for at, line in enumerate(lines) if at != 1]


def main() -> int:
    """Print the tables, or write them into the document."""
    if sys.argv[1:] != ["--write"]:
        print("\n\n".join(f"<!-- {name} -->\n\n{markdown(table())}" for name, table in TABLES.items()))
        return 0
    text = DOCUMENT.read_text("utf-8")
    for name, table in TABLES.items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        assert begin and end, f"{DOCUMENT.name} has no place for the table {name}"
        text = f"{before}{begin}\n{markdown(table())}\n\n{end}{after}"
    DOCUMENT.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
