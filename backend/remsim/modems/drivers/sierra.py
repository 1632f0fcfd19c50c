"""Sierra Wireless: GSTATUS is one table of everything but neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.modems.drivers.base import Driver


class SierraDriver(Driver):
    """MC/EM74xx, EM75xx and EM91xx; only reads that need no unlocking."""

    vendor = "sierra"
    sim_identity_commands = ("AT+CIMI", "AT+ICCID")
    fast_commands = ("AT!GSTATUS?",)
    slow_commands = ("AT+CPIN?", "AT+CEREG?", "AT+CREG?", "AT+COPS?", "AT!LTEINFO?", "AT!UIMS?")

    def reading_fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """As every driver; GSTATUS's EMM state is newer than the last slow registration query."""
        fields = super().reading_fields(values)
        if values.get("registered") is False and fields["state"] == "online":
            fields["state"] = fields["registration"] = "searching"
        return fields
