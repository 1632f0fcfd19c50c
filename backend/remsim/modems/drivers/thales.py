"""Thales (Cinterion, Gemalto). Unproven: no capture of a whole session; the commands are those of public documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.modems.drivers.abilities import SlotSwitch
from remsim.modems.drivers.base import Driver
from remsim.modems.drivers.thales_radio import MvCellLock, MvPreferences

MV_MODULES = ("MV3", "T99W", "DW593")
MV_SLOTS = SlotSwitch("AT^SWITCH_SLOT?", "AT^SWITCH_SLOT={}", 0, {1: "Slot 1", 2: "Slot 2 (built-in eSIM)"})


class ThalesDriver(Driver):
    """PLS8, PLS62, PLS63, PLS83 and their kin, and MV31, which is another maker's module with another command set.

    A round asks +CSQ and +CESQ with SMONI (serving cell), on MV31 DEBUG? (cell, carriers, both legs of EN-DC) alone.
    Slow ones: +CPIN? (SIM), +CEREG?, +CREG? or +C5GREG? (domains), +COPS? (operator), +CFUN? (radio), SBV (supply) and
    SCTM? (temperature's state), on MV31 TEMP? and SWITCH_SLOT?. While a PIN is wanted: SPIC.
    """

    vendor = "thales"
    sim_identity_commands = ("AT+CIMI", "AT+CCID")
    slot_base = 1
    pin_tries_command = "AT^SPIC"

    def __init__(self, module: str, platform: str | None = None) -> None:
        super().__init__(module, platform)
        slow = ("AT+CPIN?", "AT+CEREG?", "AT+CREG?", "AT+COPS?", "AT+CFUN?")
        if module.upper().startswith(MV_MODULES):
            self.setup_commands += ("AT+C5GREG=2",)
            self.fast_commands = ("AT^DEBUG?",)
            self.slow_commands = (*slow, "AT+C5GREG?", "AT^TEMP?", "AT^SWITCH_SLOT?")
            self.pin_tries_command = "AT+CPINR"
            self.slot_switch = MV_SLOTS
            self.radio_preferences = MvPreferences()
            self.cell_lock = MvCellLock()
        else:
            self.fast_commands = ("AT^SMONI", "AT+CESQ")
            self.slow_commands = (*slow, "AT^SBV", "AT^SCTM?")

    def reading_fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """As every driver; SMONI's own word is newer than the last slow registration query."""
        fields = super().reading_fields(values)
        if values.get("state") == "SEARCH" and fields["state"] == "online":
            fields["state"] = fields["registration"] = "searching"
        return fields
