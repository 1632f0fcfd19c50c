"""Quectel: QENG tells signal, cell and state in one exchange."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.modems.drivers.base import Driver

LTE_ONLY = ("EC2", "EG2", "EP06", "EG06", "EM12", "EG12", "EM06", "BG9", "EC200", "EG9")


class QuectelDriver(Driver):
    """EC25 to RM5xx. LTE modules add QCSQ, whose SINR scale is the same on every firmware."""

    vendor = "quectel"
    setup_commands = (*Driver.setup_commands, 'AT+QURCCFG="urcport","usbat"')
    sim_identity_commands = ("AT+CIMI", "AT+QCCID")

    def __init__(self, module: str, platform: str | None = None) -> None:
        super().__init__(module, platform)
        self.is_lte_only = module.upper().startswith(LTE_ONLY)
        self.fast_commands = ('AT+QENG="servingcell"',)
        self.slow_commands = ("AT+CPIN?", "AT+CEREG?", "AT+COPS?", "AT+QTEMP", "AT+QCAINFO", 'AT+QENG="neighbourcell"')
        if self.is_lte_only:
            self.fast_commands += ("AT+QCSQ",)
            self.slow_commands += ("AT+CREG?",)
        else:
            self.setup_commands += ("AT+C5GREG=2",)
            self.slow_commands += ("AT+C5GREG?", "AT+QUIMSLOT?")

    def reading_fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """As every driver; QENG's own word is newer than the last slow registration query."""
        fields = super().reading_fields(values)
        if values.get("state") in ("SEARCH", "LIMSRV") and fields["state"] == "online":
            fields["state"] = "limited" if values["state"] == "LIMSRV" else "searching"
            fields["registration"] = "searching"
        return fields
