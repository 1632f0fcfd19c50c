"""Quectel: QENG tells signal, cell and state in one exchange, on 5G modules both legs of EN-DC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.core.small_dataclass import dataclass
from remsim.modems.drivers.abilities import SimDetection, SlotSwitch
from remsim.modems.drivers.base import BRANCH_FIELDS, Driver, has_any
from remsim.modems.drivers.quectel_radio import IotPreferences, LtePreferences, NrCellLock, NrPreferences

SLOTS = SlotSwitch("AT+QUIMSLOT?", "AT+QUIMSLOT={}", 1, {1: "Slot 1", 2: "Slot 2"}, offered="AT+QUIMSLOT=?")
DETECTION = SimDetection(
    "AT+QSIMDET?",
    on=("AT+QSIMDET=1,{level}", "AT+QSIMSTAT=1"),
    off=("AT+QSIMDET=0,{level}",),
    has_level=True,
    needs_restart=True,
)

BRANCHES = ("AT+QRSRP", "AT+QRSRQ", "AT+QSINR")


@dataclass(frozen=True, slots=True)
class Module:
    """A row of the table. ``kind``: ``lte``, ``iot`` (LTE-M and NB-IoT), ``nr``, ``unisoc`` (5G on Unisoc's chip),
    ``asr`` (LTE on other chips, whose settings are not documented). ``breaks_cgla``: AT+CGLA ends with ERROR in the
    middle of a profile, AT+CSIM does not (lpac, issue 186)."""

    kind: str
    slots: int = 1
    has_carriers: bool = True
    breaks_cgla: bool = False


MODULES = {
    "RM500U": Module("unisoc", slots=2),
    "RG500U": Module("unisoc", slots=2),
    "RG200U": Module("unisoc", slots=2),
    "RM": Module("nr", slots=2),
    "RG": Module("nr", slots=2),
    "EC200": Module("asr", slots=2, has_carriers=False),
    "EG915": Module("asr", has_carriers=False),
    "EG916": Module("asr", has_carriers=False),
    "EG912": Module("asr", has_carriers=False),
    "QDC": Module("asr", slots=2, has_carriers=False),
    "EC2": Module("lte", has_carriers=False, breaks_cgla=True),
    "EG2": Module("lte", has_carriers=False, breaks_cgla=True),
    "EG8": Module("lte", has_carriers=False),
    "EG9": Module("lte", has_carriers=False),
    "UC": Module("asr", has_carriers=False),
    "BG": Module("iot", has_carriers=False),
    "EP06": Module("lte", slots=2),
    "EM": Module("lte", slots=2),
}
"""By the beginning of what AT+CGMM says, the longer first. EC25, EG25, EM05, EP06, EM12, EM160R, BG96, RM500Q-GL,
RM502Q-AE, RM520N and their kin; a name that is in no row is an LTE module with two slots."""
ANY = Module("lte", slots=2)


def module_row(name: str) -> Module:
    """The row of a module."""
    return next((row for prefix, row in MODULES.items() if name.startswith(prefix)), ANY)


class QuectelDriver(Driver):
    """EC25 to RM5xx.

    A round asks QENG="servingcell"; LTE modules QCSQ too, whose SINR scale is the same on every firmware. Slow ones:
    +CPIN? (SIM), +CEREG? with +CREG? or +C5GREG? (domains), +COPS? (operator), +CFUN? (radio), QTEMP, QENG
    ="neighbourcell", +CBC (supply), QCAINFO where carriers are aggregated, QUIMSLOT? where there are two slots, QRSRP,
    QRSRQ and QSINR (levels by antenna) on Qualcomm's chips other than BG's; a module without them refuses them. Once:
    QMBNCFG (carrier profile), QURCCFG (port of unsolicited lines). While a PIN is wanted: QPINC.
    """

    vendor = "quectel"
    sim_identity_commands = ("AT+CIMI", "AT+QCCID")
    once_commands = ('AT+QMBNCFG="list"', 'AT+QURCCFG="urcport"')
    pin_tries_command = "AT+QPINC?"
    sim_detection = DETECTION

    def __init__(self, module: str, platform: str | None = None) -> None:
        super().__init__(module, platform)
        row = module_row(module.upper())
        self.fast_commands = ('AT+QENG="servingcell"',)
        slow = ["AT+CPIN?", "AT+CEREG?", "AT+COPS?", "AT+QTEMP", 'AT+QENG="neighbourcell"', "AT+CFUN?", "AT+CBC"]
        if row.kind in ("nr", "unisoc"):
            self.setup_commands += ("AT+C5GREG=2",)
            slow.insert(2, "AT+C5GREG?")
            self.radio_preferences = NrPreferences()
        else:
            self.fast_commands += ("AT+QCSQ",)
            slow.insert(2, "AT+CREG?")
        if row.has_carriers:
            slow.append("AT+QCAINFO")
        if row.breaks_cgla:
            self.card_ways = ("csim", "cgla")
        if row.slots > 1:
            slow.append("AT+QUIMSLOT?")
            self.slot_switch = SLOTS
        if row.kind in ("nr", "lte"):
            slow += BRANCHES
        if row.kind == "nr":
            self.cell_lock = NrCellLock()  # Unisoc's QNWLOCK has other arguments, which are documented nowhere
        elif row.kind == "lte":
            self.radio_preferences = LtePreferences()
        elif row.kind == "iot":
            self.radio_preferences = IotPreferences()
            self.forgotten_by_automatic = ('AT+QCFG="nwscanmode"',)
        self.slow_commands = tuple(slow)

    def decode(self, command: str, reply: str) -> dict[str, Any]:
        """As every driver; of the levels by antenna only their lists, for QENG's word of the cell is newer."""
        values = super().decode(command, reply)
        if command not in BRANCHES:
            return values
        nr = values.pop("nr", None) or {}
        lists = values | {f"nr_{name}": levels for name, levels in nr.items()}
        return {name: told for name, told in lists.items() if name == "ok" or (name in BRANCH_FIELDS and has_any(told))}

    def reading_fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """As every driver; QENG's own word is newer than the last slow registration query."""
        fields = super().reading_fields(values)
        if values.get("state") in ("SEARCH", "LIMSRV") and fields["state"] == "online":
            fields["state"] = "limited" if values["state"] == "LIMSRV" else "searching"
            fields["registration"] = "searching"
        return fields
