"""What a vendor's driver decides: which command when, and how its values become a reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from remsim.modems.decode import decode_reply
from remsim.modems.decode.radio import lte_band_of_earfcn
from remsim.modems.decode.tgpp import REGISTERED, ROAMING
from remsim.modems.drivers.abilities import CellLock, RadioPreferences, SimDetection, SlotSwitch
from remsim.modems.operators import name_of_plmn

CARRIER_FIELDS = (
    *("rat", "band", "bw_dl_mhz", "bw_ul_mhz", "pci", "earfcn", "arfcn"),
    *("rsrp_dbm", "rsrq_db", "sinr_db", "ul_configured"),
)

CARRIER_LEVELS = ("rsrp_dbm", "rsrq_db", "sinr_db")

DOMAINS = ("c5greg_stat", "cereg_stat", "cgreg_stat", "creg_stat")
"""Registration domains, the packet domains of newer technologies first."""

CELL_FIELDS = ("band", "earfcn", "arfcn", "bw_dl_mhz", "pci", "tac", "cell_id")
LEVEL_FIELDS = ("rsrp_dbm", "rsrq_db", "sinr_db", "rssi_dbm", "rscp_dbm", "ecio_db")
NR_FIELDS = ("band", "arfcn", "bw_dl_mhz", "pci", "rsrp_dbm", "rsrq_db", "sinr_db")
OF_ONE_DOMAIN = ("n", "stat", "registered", "roaming", "sms_only", "act", "mode")
"""What a registration or operator query says about itself; merged with other commands' values it would mislead."""

MODE_OF_RAT = {"GSM": "GSM", "UMTS": "UMTS", "LTE": "LTE", "LTE-M": "LTE", "NB-IoT": "LTE", "NR": "SA"}
"""The mode where no command names it: 5G beside LTE is only what a vendor's command measured."""

SIM_STATES = {
    "NOT_INSERTED": "no_sim",
    "EMPTY_EUICC": "no_sim",
    "SIM PIN": "sim_pin",
    "SIM PUK": "sim_puk",
    "BUSY": "sim_error",
    "FAILURE": "sim_error",
    "WRONG": "sim_error",
}


PIN_WANTED = ("SIM PIN", "SIM PUK", "SIM PIN2", "SIM PUK2")
NEIGHBOUR_FIELDS = (
    *("rat", "band", "earfcn", "arfcn", "uarfcn", "pci", "psc", "cell_id", "mcc", "mnc", "tac", "lac"),
    *("rsrp_dbm", "rsrq_db", "rssi_dbm", "sinr_db", "rscp_dbm", "ecio_db", "srxlev", "kind"),
)
BRANCH_FIELDS = tuple(
    f"{leg}{measure}"
    for leg in ("", "nr_")
    for measure in ("rsrp_branches_dbm", "rsrq_branches_db", "sinr_branches_db", "rssi_branches_dbm")
)
"""Levels by antenna branch, in the modem's order; None is a branch that is not used. ``nr_`` is the 5G leg of EN-DC."""
DETAILS = (
    *("pin_tries_left", "puk_tries_left", "voltage_mv", "temperature_state", "temperature_limits_c", "power_state"),
    *("low_power_reasons", "carrier_profile", "carrier_profile_auto", "package_version", "urc_port", "sim_detection"),
    *("current_fw", "current_carrier", "preferred_fw", "mismatch"),
    *BRANCH_FIELDS,
)
"""What the view of one modem tells besides the reading, where the family knows it."""


class Driver:
    """One instance a modem. Knows commands, sends none.

    A steady round asks ``fast_commands`` and at most one of the others: ``slow_commands`` each ``slow_every_s``,
    ``once_commands`` once a session, ``pin_tries_command`` only while the SIM wants its PIN or PUK, and
    ``low_power_command`` only while the radio is off. Of the generic driver +CSQ and +CESQ are the levels, +CPIN? the
    SIM, +CEREG? and +CREG? the domains a 4G modem may be registered in, +COPS? the operator, +CFUN? the radio.

    ``values`` given to the other methods is
    the merge of the newest values of every command, slow ones first: the poller keeps values by command and replaces
    them whole, so what a newer reply no longer says does not linger.
    """

    vendor: ClassVar[str] = "generic"
    setup_commands: tuple[str, ...] = (
        *("ATE1", "AT+CMEE=1", "AT+CREG=2", "AT+CGREG=2", "AT+CEREG=2", "AT+COPS=3,0"),
        "AT+CNMI=2,1",  # messages are kept in the store and told of, as long as the session lasts
    )
    identity_commands: tuple[str, ...] = ("AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN")
    sim_identity_commands: tuple[str, ...] = ("AT+CIMI", "AT+CCID")
    fast_commands: tuple[str, ...] = ("AT+CSQ", "AT+CESQ")
    slow_commands: tuple[str, ...] = ("AT+CPIN?", "AT+CEREG?", "AT+CREG?", "AT+COPS?", "AT+CFUN?")
    slow_every_s: float = 30.0
    once_commands: tuple[str, ...] = ()
    pin_tries_command: str | None = "AT+CPINR"
    low_power_command: str | None = None
    slot_base: int = 1
    reset_command: str = "AT+CFUN=1,1"
    reset_instead: str | None = None
    radio_off: int = 4
    card_ways: tuple[str, ...] = ("cgla", "csim")
    """Ways to the applications of a card by AT, the better one first."""
    card_refresh: tuple[str, ...] = ("AT+CFUN=0", "AT+CFUN=1")
    """What has the modem read its card anew without a restart."""
    euicc_slot: int | None = None
    """The slot, from 1, whose card is built in and an eUICC."""
    slot_switch: SlotSwitch | None = None
    radio_preferences: RadioPreferences | None = None
    cell_lock: CellLock | None = None
    sim_detection: SimDetection | None = None
    forgotten_by_automatic: tuple[str, ...] = ()
    """Reads of the settings that the firmware resets when the network is chosen by itself again (AT+COPS=0)."""

    def __init__(self, module: str, platform: str | None = None) -> None:
        self.module = module
        self.platform = platform

    @property
    def occasional_commands(self) -> tuple[str, ...]:
        """Slow commands that are asked only while ``is_wanted`` says so."""
        return tuple(one for one in (self.pin_tries_command, self.low_power_command) if one is not None)

    def is_wanted(self, command: str, values: Mapping[str, Any]) -> bool:
        """Whether the answer to an occasional command is of interest as things are."""
        if command == self.pin_tries_command:
            return values.get("sim_state") in PIN_WANTED
        return is_low_power(values)

    def decode(self, command: str, reply: str) -> dict[str, Any]:
        """The values of one reply that other commands' values may be merged with; raises ``AtFormatError``."""
        values = decode_reply(self.vendor, self.module, self.platform, command, reply)
        if command.endswith(("REG?", "+COPS?")):
            return {name: value for name, value in values.items() if name not in OF_ONE_DOMAIN}
        return values

    def handle_urc(self, line: str) -> dict[str, Any]:
        """What an unsolicited line tells, by name of value; nothing when it tells nothing we keep."""
        name = line.split(":", 1)[0].strip().upper()
        if name in ("+CREG", "+CGREG", "+CEREG", "+C5GREG"):
            return {"registration_changed": True}
        if name in ("+CPIN", "+QUSIM", "+QSIMSTAT", "+ESIMS", "^SCKS") or name.startswith("+SIM"):
            return {"sim_changed": True}
        if name in ("+CMTI", "+CDSI"):
            return {"message_in": {"is_report": name == "+CDSI"}}
        if name in ("RDY", "^SYSSTART"):
            return {"restarted": True}
        if name == "+CUSD":
            return {"ussd": decode_reply(self.vendor, self.module, self.platform, "", line)}
        return {}

    def reading_fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a ``ModemReading`` that the modem itself tells."""
        fields = {name: values.get(name) for name in (*CELL_FIELDS, *LEVEL_FIELDS)}
        fields |= {name: values.get(name) for name in ("rat", "mode", "operator", "plmn", "temperature_c", "sim_state")}
        if fields["band"] is None and fields["rat"] == "LTE":
            fields["band"] = lte_band_of_earfcn(fields["earfcn"])  # some firmware leaves it out while idle
        if fields["mode"] is None:
            fields["mode"] = MODE_OF_RAT.get(fields["rat"] or "")
        nr = values.get("nr") or {}
        if values.get("mode") == "NSA":
            fields |= {f"nr_{name}": nr.get(name) for name in NR_FIELDS}
        if fields["plmn"] is None and values.get("mcc") and values.get("mnc"):
            fields["plmn"] = f"{values['mcc']}{values['mnc']:0>2}"
        if not (fields["operator"] or "").strip(" 0123456789"):  # some modems name a network by its number only
            fields["operator"] = name_of_plmn(fields["plmn"]) or fields["operator"]
        fields["sim_slot"] = self.sim_slot(values)
        fields["registration"] = registration(values)
        fields["state"] = state(values, fields["registration"])
        return fields

    def sim_slot(self, values: Mapping[str, Any]) -> int | None:
        """The slot in use counted from 1, as it is printed on boards."""
        slot = values.get("sim_slot")
        return None if slot is None else int(slot) + 1 - self.slot_base

    def carriers(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The carriers in use, the primary first.

        Their list is asked for rarely, the serving cell always: levels of the same cell are taken from there, and a
        list of another cell than that is outdated.
        """
        serving = values if values.get("band") is not None else {}
        nr = {"rat": "NR", **values["nr"]} if values.get("mode") == "NSA" and values.get("nr") else {}
        listed: Mapping[str, Any] = {} if is_other_cell(values.get("pcc") or {}, serving) else values
        found: list[dict[str, Any]] = []
        if primary := listed.get("pcc") or serving:
            found.append(carrier("pcc", with_levels(primary, serving)))
        if listed.get("nr_pcc"):
            found.append(carrier("nr", with_levels(listed["nr_pcc"], nr)))
        active = [part for part in listed.get("scc") or () if part.get("active") is not False]
        found += [carrier("scc", with_levels(part, nr) if part.get("rat") == "NR" else part) for part in active]
        if nr and not any(part.get("rat") == "NR" for part in found):
            found.append(carrier("nr", nr))
        return found

    def neighbours(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The neighbour cells of the last report, in the same shape for every family."""
        found = []
        for cell in values.get("neighbours") or ():
            if cell.get("pci") is not None or cell.get("psc") is not None or cell.get("cell_id"):
                known = {name: cell[name] for name in NEIGHBOUR_FIELDS if cell.get(name) is not None}
                if "band" not in known and (band := lte_band_of_earfcn(known.get("earfcn"))) is not None:
                    known["band"] = band
                found.append(known)
        return found

    def details(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What the view of one modem tells besides its reading; only what is known."""
        left_out = () if values.get("mode") == "NSA" else BRANCH_FIELDS[len(BRANCH_FIELDS) // 2 :]
        return {name: values[name] for name in DETAILS if values.get(name) is not None and name not in left_out}


def has_any(levels: Sequence[Any]) -> bool:
    """Whether any of the levels is known."""
    return any(level is not None for level in levels)


def carrier(role: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """One carrier of the list, with what is known of it."""
    return {"role": role, **{name: values[name] for name in CARRIER_FIELDS if values.get(name) is not None}}


def channel(cell: Mapping[str, Any]) -> Any:
    """The number of a cell's downlink channel, of whatever technology."""
    return cell.get("earfcn") if cell.get("earfcn") is not None else cell.get("arfcn")


def is_other_cell(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two reports are certainly of different cells."""
    pairs = ((one.get("pci"), other.get("pci")), (channel(one), channel(other)))
    return any(a is not None and b is not None and a != b for a, b in pairs)


def with_levels(listed: Mapping[str, Any], newer: Mapping[str, Any]) -> Mapping[str, Any]:
    """A carrier with the levels of a newer report, if that is certainly of the same cell."""
    if listed.get("pci") is None or listed.get("pci") != newer.get("pci") or is_other_cell(listed, newer):
        return listed
    return {**listed, **{name: newer[name] for name in CARRIER_LEVELS if newer.get(name) is not None}}


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


def is_low_power(values: Mapping[str, Any]) -> bool:
    """Whether the radio is off."""
    return values.get("cfun") in (0, 4) or values.get("mode_state") == "LOW POWER MODE"


def state(values: Mapping[str, Any], registered: str | None) -> str | None:
    """The modem's state in one word of ``core.reading.STATES``; None while nothing tells."""
    sim = SIM_STATES.get(values.get("sim_state") or "")
    if sim:
        return sim
    if is_low_power(values):
        return "low_power"
    if values.get("state") == "LIMSRV":
        return "denied" if registered == "denied" else "limited"
    if registered in ("home", "roaming"):
        return "online"
    if registered == "denied":
        return "denied"
    return "searching" if registered else None
