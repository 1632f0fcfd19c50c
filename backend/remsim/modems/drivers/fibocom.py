"""Fibocom: GTCCINFO for cells, CESQ where GTCCINFO's NR SINR is not to be trusted (MediaTek)."""

from __future__ import annotations

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
        slow = ("AT+CPIN?", "AT+CEREG?", "AT+CGREG?", "AT+COPS?")
        if "L8" in text or "XMM" in text:
            self.identity_commands = ("AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN")
            self.sim_identity_commands = ("AT+CIMI", "AT+CCID")
            self.fast_commands = ("AT+XCESQ?", "AT+XMCI=1")
            self.slow_commands = (*slow, "AT+XLEC?", "AT+MTSM=1")
        elif "FM350" in text or "MEDIATEK" in text:
            self.fast_commands = ("AT+CESQ", "AT+GTCCINFO?")
            self.slow_commands = (*slow, "AT+GTSENRDTEMP=1", "AT+GTCAINFO?", "AT+GTDUALSIM?", "AT+CREG?")
        else:
            self.fast_commands = ("AT+GTCCINFO?",)
            self.slow_commands = (*slow, "AT+CESQ", "AT+MTSM=1,6", "AT+GTCAINFO?", "AT+GTDUALSIM?")
