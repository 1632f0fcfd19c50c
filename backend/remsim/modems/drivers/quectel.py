"""Quectel: QENG tells signal, cell and state in one exchange, on 5G modules both legs of EN-DC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.modems.drivers.base import Driver

NR_MODULES = ("RM", "RG")
SINGLE_CARRIER = ("EC2", "EG2", "EG8", "EG9", "BG", "EC200", "QDC")
ONE_SLOT = ("BG", "EC2", "EG2", "EG8", "EG9")


class QuectelDriver(Driver):
    """EC25 to RM5xx. LTE modules add QCSQ, whose SINR scale is the same on every firmware."""

    vendor = "quectel"
    setup_commands = (*Driver.setup_commands, 'AT+QURCCFG="urcport","usbat"')
    sim_identity_commands = ("AT+CIMI", "AT+QCCID")

    def __init__(self, module: str, platform: str | None = None) -> None:
        super().__init__(module, platform)
        name = module.upper()
        self.fast_commands = ('AT+QENG="servingcell"',)
        slow = ["AT+CPIN?", "AT+CEREG?", "AT+COPS?", "AT+QTEMP", 'AT+QENG="neighbourcell"', "AT+CFUN?"]
        if name.startswith(NR_MODULES):
            self.setup_commands += ("AT+C5GREG=2",)
            slow.insert(2, "AT+C5GREG?")
        else:
            self.fast_commands += ("AT+QCSQ",)
            slow.insert(2, "AT+CREG?")
        if not name.startswith(SINGLE_CARRIER):
            slow.append("AT+QCAINFO")
        if not name.startswith(ONE_SLOT):
            slow.append("AT+QUIMSLOT?")
        self.slow_commands = tuple(slow)

    def reading_fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """As every driver; QENG's own word is newer than the last slow registration query."""
        fields = super().reading_fields(values)
        if values.get("state") in ("SEARCH", "LIMSRV") and fields["state"] == "online":
            fields["state"] = "limited" if values["state"] == "LIMSRV" else "searching"
            fields["registration"] = "searching"
        return fields
