"""Sierra Wireless: GSTATUS is one table of everything but PCI and neighbours, which LTEINFO has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.modems.drivers.base import Driver

NR_MODULES = ("EM91", "EM92")


class SierraDriver(Driver):
    """MC/EM74xx, EM75xx and EM91xx; only reads that need no unlocking."""

    vendor = "sierra"
    sim_identity_commands = ("AT+CIMI", "AT+ICCID")
    fast_commands = ("AT!GSTATUS?",)
    slow_commands: tuple[str, ...] = ("AT+CPIN?", "AT+CEREG?", "AT+CREG?", "AT+COPS?", "AT!LTEINFO?", "AT!UIMS?")

    def __init__(self, module: str, platform: str | None = None) -> None:
        super().__init__(module, platform)
        if module.upper().startswith(NR_MODULES):
            self.setup_commands += ("AT+C5GREG=2",)
            self.slow_commands = ("AT+CPIN?", "AT+CEREG?", "AT+C5GREG?", *self.slow_commands[2:])

    def decode(self, command: str, reply: str) -> dict[str, Any]:
        """As every driver; of LTEINFO only what GSTATUS lacks, with the cell it belongs to."""
        values = super().decode(command, reply)
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
