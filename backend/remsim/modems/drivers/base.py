"""What a vendor's driver decides: which command when, and how its values become a reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from remsim.modems.decode import decode_reply
from remsim.modems.decode.tgpp import REGISTERED, ROAMING

DOMAINS = ("c5greg_stat", "cereg_stat", "cgreg_stat", "creg_stat")
"""Registration domains, the packet domains of newer technologies first."""

CELL_FIELDS = ("band", "earfcn", "arfcn", "bw_dl_mhz", "pci", "tac", "cell_id")
LEVEL_FIELDS = ("rsrp_dbm", "rsrq_db", "sinr_db", "rssi_dbm", "rscp_dbm", "ecio_db")
NR_FIELDS = ("band", "arfcn", "bw_dl_mhz", "pci", "rsrp_dbm", "rsrq_db", "sinr_db")
SIM_STATES = {
    "NOT_INSERTED": "no_sim",
    "EMPTY_EUICC": "no_sim",
    "SIM PIN": "sim_pin",
    "SIM PUK": "sim_puk",
    "BUSY": "sim_error",
    "FAILURE": "sim_error",
    "WRONG": "sim_error",
}


class Driver:
    """One instance a modem. Knows commands, sends none.

    A steady round asks ``fast_commands`` and at most one of ``slow_commands``. ``values`` given to the other methods is the
    merge of the latest values of every command, in the order of ``merge_order``: the poller keeps values by command, so
    what a newer reply no longer says does not linger.
    """

    vendor: ClassVar[str] = "generic"
    setup_commands: tuple[str, ...] = ("ATE1", "AT+CMEE=1", "AT+CREG=2", "AT+CGREG=2", "AT+CEREG=2")
    identity_commands: tuple[str, ...] = ("AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN")
    sim_identity_commands: tuple[str, ...] = ("AT+CIMI", "AT+CCID")
    fast_commands: tuple[str, ...] = ("AT+CSQ", "AT+CESQ")
    slow_commands: tuple[str, ...] = ("AT+CPIN?", "AT+CEREG?", "AT+CREG?", "AT+COPS?", "AT+CFUN?")
    slow_every_s: float = 30.0
    slot_base: int = 1

    def __init__(self, module: str, platform: str | None = None) -> None:
        self.module = module
        self.platform = platform

    def decode(self, command: str, reply: str) -> dict[str, Any]:
        """The values of one reply; raises ``AtFormatError``."""
        return decode_reply(self.vendor, self.module, self.platform, command, reply)

    def handle_urc(self, line: str) -> dict[str, Any]:
        """What an unsolicited line tells, by name of value; nothing when it tells nothing we keep."""
        name = line.split(":", 1)[0].strip().upper()
        if name in ("+CREG", "+CGREG", "+CEREG", "+C5GREG"):
            return {"registration_changed": True}
        if name in ("+CPIN", "+QUSIM", "+QSIMSTAT", "+ESIMS", "+SIM"):
            return {"sim_changed": True}
        return {}

    def reading_fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a ``ModemReading`` that the modem itself tells."""
        fields = {name: values.get(name) for name in (*CELL_FIELDS, *LEVEL_FIELDS)}
        fields |= {name: values.get(name) for name in ("rat", "mode", "operator", "plmn", "temperature_c", "sim_state")}
        nr = values.get("nr") or {}
        if values.get("mode") == "NSA":
            fields |= {f"nr_{name}": nr.get(name) for name in NR_FIELDS}
        if fields["plmn"] is None and values.get("mcc") and values.get("mnc"):
            fields["plmn"] = f"{values['mcc']}{values['mnc']:0>2}"
        fields["sim_slot"] = self.sim_slot(values)
        fields["registration"] = registration(values)
        fields["state"] = state(values, fields["registration"])
        return fields

    def sim_slot(self, values: Mapping[str, Any]) -> int | None:
        """The slot in use counted from 1, as it is printed on boards."""
        slot = values.get("sim_slot")
        return None if slot is None else int(slot) + 1 - self.slot_base

    def carriers(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The carriers in use, the primary first."""
        found = []
        for role, name in (("pcc", "pcc"), ("nr", "nr_pcc")):
            if values.get(name):
                found.append({"role": role, **values[name]})
        found += [{"role": "scc", **carrier} for carrier in values.get("scc", ())]
        if not found and values.get("band") is not None:
            names = ("rat", "band", "bw_dl_mhz", "pci", "earfcn", "arfcn", "rsrp_dbm")
            found = [{"role": "pcc", **{name: values[name] for name in names if values.get(name) is not None}}]
        if values.get("mode") == "NSA" and values.get("nr") and not any(c.get("rat") == "NR" for c in found):
            found.append({"role": "nr", "rat": "NR", **{k: v for k, v in values["nr"].items() if v is not None}})
        return found

    def neighbours(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The neighbour cells of the last report."""
        return list(values.get("neighbours", ()))


def registration(values: Mapping[str, Any]) -> str | None:
    """The best registration over all domains: data modems are often registered in one only."""
    stats = [values[name] for name in DOMAINS if values.get(name) is not None]
    for stat in stats:
        if stat in REGISTERED:
            return "roaming" if stat in ROAMING else "home"
    if values.get("registered"):
        return "home"
    for stat, word in ((3, "denied"), (2, "searching"), (0, "not_registered")):
        if stat in stats:
            return word
    if values.get("registered") is False:
        return "searching"
    return "unknown" if stats else None


def state(values: Mapping[str, Any], registered: str | None) -> str | None:
    """The modem's state in one word of ``core.reading.STATES``; None while nothing tells."""
    sim = SIM_STATES.get(values.get("sim_state") or "")
    if sim:
        return sim
    if values.get("cfun") in (0, 4) or values.get("mode_state") == "LOW POWER MODE":
        return "low_power"
    if values.get("state") == "LIMSRV":
        return "denied" if registered == "denied" else "limited"
    if registered in ("home", "roaming"):
        return "online"
    if registered == "denied":
        return "denied"
    return "searching" if registered else None
