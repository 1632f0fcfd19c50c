"""Fibocom: GTCCINFO for cells, CESQ where GTCCINFO's NR SINR is not to be trusted (MediaTek)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.modems.drivers.base import Driver


class FibocomDriver(Driver):
    """FM350 (MediaTek), FM150/FM160 (Qualcomm), L850/L860 (XMM): the platform is data."""

    vendor = "fibocom"
    identity_commands = ("AT+CGMI?", "AT+CGMM?", "AT+CGMR?", "AT+CGSN?")
    sim_identity_commands = ("AT+CIMI?", "AT+ICCID")
    slot_base = 0

    def __init__(self, module: str, platform: str | None = None) -> None:
        super().__init__(module, platform)
        text = f"{module} {platform or ''}".upper()
        slow = ("AT+CPIN?", "AT+CEREG?", "AT+CGREG?", "AT+COPS?", "AT+CFUN?")
        if "L8" in text or "XMM" in text:
            self.identity_commands = ("AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN")
            self.sim_identity_commands = ("AT+CIMI", "AT+CCID")
            self.fast_commands = ("AT+XCESQ?", "AT+XMCI=1")
            self.setup_commands += ("AT+MTSM=2,10",)  # measure the temperature every 10 s
            self.slow_commands = (*slow, "AT+XLEC?", "AT+MTSM?")
        elif "FM350" in text or "MEDIATEK" in text:
            self.fast_commands = ("AT+CESQ", "AT+GTCCINFO?")
            self.slow_commands = (*slow, "AT+GTSENRDTEMP=1", "AT+GTCAINFO?", "AT+GTDUALSIM?", "AT+CREG?")
        else:
            self.fast_commands = ("AT+GTCCINFO?",)
            self.slow_commands = (*slow, "AT+CESQ", "AT+MTSM=1,6", "AT+GTCAINFO?", "AT+GTDUALSIM?")

    def decode(self, command: str, reply: str) -> dict[str, Any]:
        """As every driver; a cell report without a serving cell says that the modem camps on none."""
        values = super().decode(command, reply)
        if command == "AT+GTCCINFO?" and "rat" not in values and "ok" not in values:
            values |= {"rat": None, "mode": None, "camped": False}
        return values

    def reading_fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """As every driver; a cell report without a serving cell is newer than the last slow registration query."""
        fields = super().reading_fields(values)
        if values.get("camped") is False and fields["state"] == "online":
            fields["state"] = fields["registration"] = "searching"
        return fields
