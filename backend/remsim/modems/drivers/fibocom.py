"""Fibocom: GTCCINFO for cells, CESQ where GTCCINFO's NR SINR is not to be trusted (MediaTek)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.modems.drivers.abilities import SimDetection, SlotSwitch
from remsim.modems.drivers.base import Driver
from remsim.modems.drivers.fibocom_radio import GtactPreferences, GtCellLock, MediatekCellLock, XactPreferences

SLOT_LABELS = {1: "Slot 1 (card)", 2: "Slot 2 (card or built-in eSIM)"}
SLOTS = SlotSwitch(
    "AT+GTDUALSIM?",
    "AT+GTDUALSIM={}",
    0,
    SLOT_LABELS,
    offered="AT+GTDUALSIM=?",
    restarts=True,
    help="The modem leaves USB for up to 90 seconds and may reset its band settings; presets are applied again.",
)
DETECTION = SimDetection("AT+MSMPD?", ("AT+MSMPD=1",), ("AT+MSMPD=0",))
XMM_MODULES = ("L8",)
MEDIATEK_MODULES = ("FM350",)
PLAIN_MODULES = ("MA510", "L610", "L716", "NL668", "FM101", "FG132")
"""Modules whose choices of bands and slots are in no source we have."""


def kind_of(module: str, platform: str | None) -> str:
    """``xmm`` (L850, L860), ``mediatek`` (FM350), ``plain``, or ``qualcomm`` (FM150, FM160 and their kin)."""
    name, chip = module.upper(), (platform or "").upper()
    if name.startswith(XMM_MODULES) or chip.startswith("XMM"):
        return "xmm"
    if name.startswith(MEDIATEK_MODULES) or chip == "MEDIATEK":
        return "mediatek"
    return "plain" if name.startswith(PLAIN_MODULES) else "qualcomm"


class FibocomDriver(Driver):
    """FM350 (MediaTek), FM150/FM160 (Qualcomm), L850/L860 (XMM): the platform is data.

    A round asks GTCCINFO? (serving and neighbour cells), on MediaTek CESQ too, for the 5G SINR; on XMM XCESQ? and
    XMCI=1. Slow ones: +CPIN? (SIM), +CEREG?, +CGREG?, on MediaTek +CREG? (domains), +COPS? (operator), +CFUN?
    (radio), the temperature, carriers (GTCAINFO? or XLEC?), GTDUALSIM? (slot), +CBC on XMM (supply). Once: GTPKGVER?
    (firmware package). While a PIN is wanted: +CPINR.
    """

    vendor = "fibocom"
    identity_commands = ("AT+CGMI?", "AT+CGMM?", "AT+CGMR?", "AT+CGSN?")
    sim_identity_commands = ("AT+CIMI?", "AT+ICCID")
    once_commands = ("AT+GTPKGVER?",)
    slot_base = 0
    reset_command = "AT+CFUN=15"
    reset_instead = "AT+CFUN=1,1"

    def __init__(self, module: str, platform: str | None = None) -> None:
        super().__init__(module, platform)
        slow = ("AT+CPIN?", "AT+CEREG?", "AT+CGREG?", "AT+COPS?", "AT+CFUN?")
        kind = kind_of(module, platform)
        if kind == "xmm":
            self.identity_commands = ("AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN")
            self.sim_identity_commands = ("AT+CIMI", "AT+CCID")
            self.fast_commands = ("AT+XCESQ?", "AT+XMCI=1")
            self.setup_commands += ("AT+MTSM=2,10",)  # measure the temperature every 10 s
            self.slow_commands = (*slow, "AT+XLEC?", "AT+MTSM?", "AT+CBC")
            self.radio_preferences = XactPreferences()
        elif kind == "mediatek":
            self.fast_commands = ("AT+CESQ", "AT+GTCCINFO?")
            self.slow_commands = (*slow, "AT+GTSENRDTEMP=1", "AT+GTCAINFO?", "AT+GTDUALSIM?", "AT+CREG?")
            self.cell_lock = MediatekCellLock()
            self.euicc_slot = 2
        else:
            self.fast_commands = ("AT+GTCCINFO?",)
            self.slow_commands = (*slow, "AT+CESQ", "AT+MTSM=1,6", "AT+GTCAINFO?", "AT+GTDUALSIM?")
            self.cell_lock = GtCellLock() if kind == "qualcomm" else None
        if kind in ("mediatek", "qualcomm"):
            self.slot_switch, self.radio_preferences, self.sim_detection = SLOTS, GtactPreferences(), DETECTION

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
