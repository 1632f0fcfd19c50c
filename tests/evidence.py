"""What the fixtures prove for which module: the columns of docs/compatibility.md, cell by cell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import poll_rounds
from remsim.modems import ports, wwan
from remsim.modems.decode import decode_reply
from remsim.modems.decode.text import command_prefixes
from remsim.modems.drivers import driver_for
from remsim.modems.drivers.base import Driver
from remsim.modems.drivers.fibocom import kind_of
from remsim.modems.drivers.quectel import module_row
from remsim.modems.drivers.thales import MV_MODULES
from remsim.modems.drivers.usb_modes import usb_modes_of
from remsim.simulator.models import Model, model_named
from remsim.simulator.usb import WDM_DRIVERS

FIXTURES = Path(__file__).parent / "fixtures"
Values = Mapping[str, Any]


def lines_of(*names: str) -> list[dict[str, Any]]:
    """The rows of fixture files."""
    return [json.loads(line) for name in names for line in (FIXTURES / name).read_text("utf-8").splitlines()]


OUTPUTS, PAIRS = lines_of("qmi/outputs.jsonl"), lines_of("qmi/pairs.jsonl")
REPLIES = lines_of("at/transcripts.jsonl", "at/captures.jsonl") + [
    {
        **asked,
        "module": pair["module"],
        "expected": decode_reply(asked["vendor"], pair["module"], pair["platform"], asked["command"], asked["reply"]),
    }
    for pair in PAIRS
    for asked in pair["at"]
]


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the tables. ``stem`` begins what it calls itself; ``row`` is its row in ``modems/ports.py``."""

    vendor: str
    name: str
    stem: str
    row: str

    @property
    def platform(self) -> str | None:
        """The chip of its row."""
        return next((row.platform for row in ports.ROWS if row.module == self.row), None)

    @property
    def driver(self) -> Driver:
        """Its driver, once AT+CGMM has answered."""
        return driver_for(self.vendor, self.stem, self.platform)

    @property
    def model(self) -> Model | None:
        """The virtual modem of this very module."""
        found = model_named(self.stem)
        return found if found is not None and found.vendor == self.vendor else None

    @property
    def kin(self) -> Model:
        """The virtual modem of this module or of the one whose row it shares."""
        found = self.model or model_named(self.row)
        assert found is not None, self.name
        return found


MODULES = (
    Module("quectel", "EC25", "EC25", "EC25"),
    Module("quectel", "EG25-G", "EG25", "EC25"),
    Module("quectel", "EP06", "EP06", "EP06"),
    Module("quectel", "EM12", "EM12", "EM12"),
    Module("quectel", "BG96", "BG96", "BG96"),
    Module("quectel", "RM500Q-GL", "RM500Q-GL", "RM500Q-GL"),
    Module("quectel", "RM502Q-AE", "RM502Q-AE", "RM500Q-GL"),
    Module("quectel", "RM520N-GL", "RM520N", "RM520N-GL"),
    Module("quectel", "RM500U", "RM500U", "RM500U"),
    Module("sierra", "MC7455", "MC7455", "MC7455"),
    Module("sierra", "EM7455", "EM7455", "EM7455"),
    Module("sierra", "EM7565", "EM7565", "EM7565"),
    Module("sierra", "EM7511", "EM7511", "EM7565"),
    Module("sierra", "EM7411", "EM7411", "EM7565"),
    Module("sierra", "MC7411", "MC7411", "EM7565"),
    Module("sierra", "EM9190", "EM9190", "EM9190"),
    Module("sierra", "EM9191", "EM9191", "EM9190"),
    Module("sierra", "EM9291", "EM9291", "EM9291"),
    Module("fibocom", "FM350-GL", "FM350", "FM350-GL"),
    Module("fibocom", "FM150", "FM150", "FM150"),
    Module("fibocom", "FM160", "FM160", "FM160"),
    Module("fibocom", "L850-GL", "L850", "L850-GL"),
    Module("fibocom", "L860-GL", "L860", "L850-GL"),
    Module("thales", "PLS8", "PLS8", "PLS8"),
    Module("thales", "MV31-W", "MV31", "MV31-W"),
    Module("generic", "any other", "MODEM", "generic"),
)

_QUECTEL_NAME = re.compile(r"\b(?:RM|RG|EC|EG|EP|EM|BG|UC|QDC)\d\w*")
OTHER_CHIPS = ("hisilicon", "asr", "unisoc")
NOT_3GPP = ("+CPINC", "+CCID")
"""Begin like 3GPP's commands and are none."""


def platform_of(vendor: str, name: str, chip: str | None) -> str | None:
    """The chip platform as the drivers tell them apart; None when the name says too little."""
    if vendor == "quectel":
        found = _QUECTEL_NAME.search(name.upper())
        kind = module_row(found[0]).kind if found else None
        return chip if chip in OTHER_CHIPS else kind
    if vendor == "fibocom":
        return kind_of(name, chip) if name or chip else None
    if vendor == "sierra":
        told = driver_for(vendor, name, chip).platform
        return "SDX" if told and told.startswith("SDX") else told
    if vendor == "thales":
        return "MV" if name.upper().startswith(MV_MODULES) else "classic"
    return vendor


def is_of(module: Module, name: str) -> bool:
    """Whether a fixture's module is certainly this one: "EM7455/MC7455" and "L850 class" are not."""
    first = name.split(" ")[0].upper()
    return first.startswith(module.stem) and "/" not in first and "class" not in name


def is_capture(row: Values) -> bool:
    """Whether a device printed it (tests/fixtures/at/README.md)."""
    return row.get("kind") is None or "capture" in row["kind"]


def is_standard(command: str) -> bool:
    """Whether it is a command of 3GPP, which every modem has."""
    name = command_prefixes(command)[0]
    return name.startswith("+C") and name not in NOT_3GPP


def has(*names: str) -> Callable[[Values], bool]:
    """Whether one of these values is told, be it zero or false."""
    return lambda expected: any(expected.get(name) not in (None, [], {}) for name in names)


@dataclass(frozen=True, slots=True)
class Topic:
    """A column. ``names`` are the commands that can tell it; ``asks`` gives those of an ability instead."""

    title: str
    is_told: Callable[[Values], bool]
    names: frozenset[str] = frozenset()
    asks: Callable[[Driver], Sequence[str]] | None = None
    is_nr: bool = False

    def commands(self, driver: Driver) -> list[str]:
        """What the driver asks that can tell it."""
        if self.asks is not None:
            return list(self.asks(driver))
        polled = (*driver.identity_commands, *poll_rounds.polled(driver))
        return [command for command in polled if self.names.intersection(command_prefixes(command))]


def topic(title: str, is_told: Callable[[Values], bool], names: str, *, is_nr: bool = False) -> Topic:
    """A column of polled values."""
    return Topic(title, is_told, frozenset(names.split()), is_nr=is_nr)


def asks_of(attribute: str) -> Callable[[Driver], Sequence[str]]:
    """The reads of one of a driver's abilities."""

    def asks(driver: Driver) -> Sequence[str]:
        ability: Any = usb_modes_of(driver) if attribute == "usb_modes" else getattr(driver, attribute)
        if ability is None:
            return ()
        return (ability.ask,) if hasattr(ability, "ask") else tuple(ability.asks)

    return asks


CELLS = "+QENG +QCSQ !GSTATUS !LTEINFO +GTCCINFO +XCESQ +XMCI +CESQ +CSQ ^SMONI ^DEBUG"
BRANCHES = ("rsrp_branches_dbm", "rsrq_branches_db", "sinr_branches_db", "rsrp_rxm_dbm", "rssi_rxm_dbm", "rssi_rx0_dbm")
READINGS = (
    topic("signal", has("rsrp_dbm", "rscp_dbm", "rssi_dbm"), CELLS),
    topic("antennas", has(*BRANCHES), "+QRSRP +QRSRQ +QSINR !GSTATUS"),
    topic("cell", has("cell_id", "pci", "psc"), f"{CELLS} +CEREG +CREG"),
    topic("neighbours", has("neighbours"), "+QENG !LTEINFO +GTCCINFO +XMCI"),
    topic("carriers", has("scc"), "+QCAINFO !GSTATUS +GTCAINFO +XLEC ^DEBUG"),
    topic("EN-DC", lambda values: values.get("mode") == "NSA", CELLS, is_nr=True),
    topic("SA", lambda values: values.get("mode") == "SA", CELLS, is_nr=True),
    topic("temperature", has("temperature_c"), "+QTEMP !GSTATUS +GTSENRDTEMP +MTSM ^SCTM ^TEMP"),
    topic("limits", has("temperature_limits_c"), "!PCTEMPLIMITS"),
    topic("supply", has("voltage_mv"), "+CBC !PCVOLT ^SBV"),
)
BANDS = ("umts_bands", "lte_bands", "nbiot_bands", "nr_bands", "nsa_nr5g_bands", "nr5g_bands", "bands", "band_profiles")
CONTROLS = (
    topic("identity", has("model", "revision", "imei"), "+CGMM +CGMR +CGSN"),
    topic("SIM state", has("sim_state"), "+CPIN"),
    topic("PIN tries", has("pin_tries_left", "puk_tries_left", "tries_left"), "+QPINC +CPINR +CPINC ^SPIC"),
    Topic("slot", has("sim_slot"), asks=asks_of("slot_switch")),
    Topic("detection", has("sim_detection"), asks=asks_of("sim_detection")),
    Topic("mode", has("mode_pref", "scan_mode", "rat_mode", "selrat", "nr5g_mode"), asks=asks_of("radio_preferences")),
    Topic("bands", has(*BANDS), asks=asks_of("radio_preferences")),
    Topic("cell lock", has("locked", "locked_cells"), asks=asks_of("cell_lock")),
    Topic("USB mode", has("usbnet", "usbmode", "interface_bitmask"), asks=asks_of("usb_modes")),
)


def proof(module: Module, column: Topic) -> str:
    """One cell: the best that any reply proves."""
    driver = module.driver
    commands = column.commands(driver)
    if column.is_nr and "NR" not in module.kin.modes:
        return "–"
    names = {name for command in commands for name in command_prefixes(command)}
    rows = [
        row
        for row in REPLIES
        if is_capture(row) and names.intersection(command_prefixes(row["command"])) and column.is_told(row["expected"])
    ]
    if not names or (module.vendor == "generic" and not any(is_standard(command) for command in commands)):
        return "–"
    kin = [row for row in rows if row["vendor"] == module.vendor]
    own_platform = platform_of(module.vendor, module.stem, module.platform)
    if any(is_of(module, row["module"]) for row in kin):
        return "capture"
    if any(platform_of(row["vendor"], row["module"], row.get("platform")) == own_platform for row in kin):
        return "3GPP" if module.vendor == "generic" else "family"
    if kin:
        return "vendor"
    return "3GPP" if rows and all(is_standard(command) for command in commands) else "document"


def pci_ids(module: Module) -> list[str]:
    """Its ids on PCI Express."""
    rows = [row for row in (*wwan.ROWS, *wwan.BY_SUBSYSTEM.values()) if row.vendor == module.vendor]
    own = [row.usb_id for row in rows if row.module == module.name]
    return own or [row.usb_id for row in rows if row.module == module.row]


def by_wdm(module: Module) -> str:
    """What is proven of reading it over QMI or MBIM; a dash where no composition has either."""
    usb = (one for composition in module.kin.compositions.values() for one in composition.interfaces)
    if not any(one.driver in WDM_DRIVERS for one in usb) and not pci_ids(module):
        return "–"
    if any(is_of(module, row["module"]) for row in PAIRS):
        return "pair"
    tools = {row["tool"] for row in OUTPUTS if is_capture(row) and row["module"] and is_of(module, row["module"])}
    names = {"qmicli": "QMI", "mbimcli": "MBIM"}
    return f"capture ({', '.join(sorted(names[tool] for tool in tools))})" if tools else "untested"
