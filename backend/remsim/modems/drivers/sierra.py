"""Sierra Wireless: GSTATUS is one table of everything but PCI and neighbours, which LTEINFO has.

Modules, all by the same commands: MC/EM7455, EM7430 (9x30), EM7565, EM7511, EM7411, MC7411 (9x50), EM9190, EM9191
(SDX55), EM9291 (SDX65). What differs is the table below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.modems.drivers.abilities import SlotSwitch
from remsim.modems.drivers.base import Driver, has_any
from remsim.modems.drivers.sierra_radio import PASSWORD, SierraPreferences

NR_MODULES = ("EM91", "EM92")
SLOTS = SlotSwitch(
    "AT!UIMS?",
    "AT!UIMS={}",
    0,
    {1: "Slot 1", 2: "Slot 2"},
    offered="AT!UIMS=?",
    password=PASSWORD,
    refresh=("AT+CFUN=0", "AT+CFUN=1"),
)
PLATFORMS = {
    "MC7411": "MDM9x50",
    "EM7411": "MDM9x50",
    "EM7511": "MDM9x50",
    "EM7565": "MDM9x50",
    "EM75": "MDM9x50",
    "MC74": "MDM9x30",
    "EM74": "MDM9x30",
    "EM919": "SDX55",
    "EM929": "SDX65",
}
"""By the beginning of what AT+CGMM says, for a USB id may cover several chips."""

BRANCHES = ("rxm", "rxd", "rxm1", "rxd1", "rx0", "rx1", "rx2", "rx3")
"""Antenna branches of GSTATUS, in its order: main and diversity, of two or of four; SDX counts them."""


class SierraDriver(Driver):
    """MC/EM74xx, EM75xx and EM91xx; polling needs no unlocking.

    A round asks GSTATUS (levels, cell, carriers, temperature). Slow ones: +CPIN? (SIM), +CEREG?, +CREG?, on 5G +C5GREG?
    (domains), +COPS? (operator), LTEINFO (PCI, neighbours), UIMS? (slot), PCVOLT? (supply), PCTEMP? (whether it finds
    itself too warm). Once: IMPREF? (firmware and carrier), PCTEMPLIMITS? (warn and critical levels). While a PIN is
    wanted CPINC?, while the radio is off PCINFO?.
    """

    vendor = "sierra"
    sim_identity_commands = ("AT+CIMI", "AT+ICCID")
    fast_commands = ("AT!GSTATUS?",)
    slow_commands: tuple[str, ...] = (
        *("AT+CPIN?", "AT+CEREG?", "AT+CREG?", "AT+COPS?", "AT!LTEINFO?", "AT!UIMS?", "AT!PCVOLT?"),
        "AT!PCTEMP?",
    )
    once_commands = ("AT!IMPREF?", "AT!PCTEMPLIMITS?")
    pin_tries_command = "AT+CPINC?"
    low_power_command = "AT!PCINFO?"
    reset_command = "AT!RESET"
    reset_instead = "AT+CFUN=1,1"
    slot_switch = SLOTS

    def __init__(self, module: str, platform: str | None = None) -> None:
        known = next((chip for prefix, chip in PLATFORMS.items() if module.upper().startswith(prefix)), platform)
        super().__init__(module, known)
        self.radio_preferences = SierraPreferences(known)
        if module.upper().startswith(NR_MODULES):
            self.euicc_slot = 2
            self.setup_commands += ("AT+C5GREG=2",)
            self.slow_commands = ("AT+CPIN?", "AT+CEREG?", "AT+C5GREG?", *self.slow_commands[2:])

    def decode(self, command: str, reply: str) -> dict[str, Any]:
        """As every driver; of LTEINFO only what GSTATUS lacks, with the cell it belongs to; branches as lists."""
        values = super().decode(command, reply)
        if command == "AT!GSTATUS?":
            return values | by_branch(values) | by_branch(values.get("nr") or {}, "nr_")
        if command == "AT!LTEINFO?" and "cell_id" in values:
            kept = ("mcc", "mnc", "neighbours", "neighbour_count")
            asked = {"cell_id": values["cell_id"], "pci": values["pci"]}
            return {name: values[name] for name in kept if name in values} | {"lteinfo": asked}
        return values

    def reading_fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """As every driver; GSTATUS's EMM state is newer than the last slow registration query."""
        fields = super().reading_fields(values)
        lteinfo = values.get("lteinfo") or {}
        if fields["pci"] is None and fields["cell_id"] is not None and lteinfo.get("cell_id") == fields["cell_id"]:
            fields["pci"] = lteinfo["pci"]
        if values.get("registered") is False and fields["state"] == "online":
            fields["state"] = fields["registration"] = "searching"
        return fields


def by_branch(cell: Mapping[str, Any], leg: str = "") -> dict[str, Any]:
    """A cell's levels by antenna branch, where any is known."""
    found = {}
    for kind in ("rsrp", "rssi"):
        names = [f"{kind}_{branch}_dbm" for branch in BRANCHES]
        levels = [cell[name] for name in names if name in cell]
        if has_any(levels):
            found[f"{leg}{kind}_branches_dbm"] = levels
    return found
