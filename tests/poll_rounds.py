"""What a poll asks of each family and why, computed from the drivers and the polling plan: docs/compatibility.md."""

from __future__ import annotations

from collections.abc import Iterable

from remsim.modems.control_session import LEAST_PERIOD_S, ControlPlan
from remsim.modems.decode.text import command_prefixes
from remsim.modems.drivers.base import Driver
from remsim.modems.drivers.mbim import MbimDriver
from remsim.modems.drivers.qmi import QmiDriver
from remsim.modems.plan import PollingPlan

PERIOD_S = 1.0
MINUTES = 10

WHY = {
    "+QENG": 'serving cell with its levels, both legs of EN-DC, state; `"neighbourcell"`: neighbours',
    "+QCSQ": "SINR on a scale that is the same on every firmware of an LTE module",
    "+QCAINFO": "carriers",
    "+QRSRP": "RSRP of every antenna",
    "+QRSRQ": "RSRQ of every antenna",
    "+QSINR": "SINR of every antenna",
    "+QTEMP": "temperatures",
    "+QUIMSLOT": "SIM slot",
    "+QMBNCFG": "carrier profile",
    "+QURCCFG": "which port unsolicited lines go to",
    "+QPINC": "tries left, while the SIM wants a code",
    "!GSTATUS": "levels of every antenna, cell, carriers, 5G leg, temperature, mode, in one table",
    "!LTEINFO": "PCI and neighbours, which GSTATUS lacks",
    "!UIMS": "SIM slot",
    "!PCVOLT": "supply voltage",
    "!PCTEMP": "whether it finds itself too warm",
    "!PCTEMPLIMITS": "at which temperature it warns and switches off",
    "!PCINFO": "why the radio is off, while it is",
    "!IMPREF": "firmware and carrier that are loaded and wanted",
    "+CPINC": "tries left, while the SIM wants a code",
    "+GTCCINFO": "serving cells and neighbours with their levels",
    "+GTCAINFO": "carriers",
    "+GTSENRDTEMP": "temperature",
    "+GTDUALSIM": "SIM slot",
    "+GTPKGVER": "firmware package",
    "+MTSM": "temperature",
    "+XCESQ": "levels with SINR",
    "+XMCI": "serving cell and neighbours",
    "+XLEC": "carriers",
    "^SMONI": "serving cell with its levels",
    "^SBV": "supply voltage",
    "^SCTM": "temperature, or its state",
    "^SPIC": "tries left, while the SIM wants a code",
    "^DEBUG": "cell, carriers and both legs of EN-DC",
    "^TEMP": "temperatures",
    "^SWITCH_SLOT": "SIM slot",
    "+CSQ": "RSSI",
    "+CESQ": "levels by 3GPP; on FM350 the SINR of 5G, which its cell report prints on an unsettled scale",
    "+CPIN": "SIM state",
    "+CPINR": "tries left, while the SIM wants a code",
    "+CEREG": "registration on LTE",
    "+CREG": "registration for circuits: the only one on 2G, and the one that denies first",
    "+CGREG": "registration for packets on 2G and 3G",
    "+C5GREG": "registration on 5G alone",
    "+COPS": "operator and technology",
    "+CFUN": "whether the radio is on",
    "+CBC": "supply voltage",
}
"""By the name of the command."""


def polled(driver: Driver) -> list[str]:
    """Every command a poll may ask."""
    return [*driver.fast_commands, *driver.slow_commands, *driver.once_commands, *driver.occasional_commands]


def steady_rounds(plan: PollingPlan, period_s: float) -> list[list[str]]:
    """The commands of each round of ten minutes, once everything was asked and as long as nothing is wrong."""
    a_minute = round(60 / period_s)
    rounds = []
    for number in range(a_minute * (MINUTES + 2)):
        commands = plan.commands(number * period_s)
        rounds.append(commands)
        for command in commands:
            plan.learned(command, {})
    return rounds[2 * a_minute :]


def steady_round_trips(driver: Driver) -> list[int]:
    """Exchanges of each second of ten minutes."""
    return [len(commands) for commands in steady_rounds(PollingPlan(driver, PERIOD_S), PERIOD_S)]


def a_minute(driver: Driver) -> float:
    """Round trips a minute at one reading a second."""
    return sum(steady_round_trips(driver)) / MINUTES


def names(commands: Iterable[str]) -> str:
    """Commands as the table shows them."""
    return " ".join(f"`{command.removeprefix('AT')}`" for command in commands) or "–"


def table(drivers: Iterable[tuple[str, Driver]]) -> list[list[str]]:
    """One row for the modules that are asked the same."""
    groups: dict[tuple[tuple[str, ...], ...], tuple[list[str], Driver]] = {}
    for name, driver in drivers:
        asked = (driver.fast_commands, driver.slow_commands, driver.once_commands, driver.occasional_commands)
        groups.setdefault(asked, ([], driver))[0].append(name)
    rows = [["modules", "each round", "in turn, each every 30 s", "once", "only while wanted", "round trips a minute"]]
    for parts, (modules, driver) in groups.items():
        assert driver.slow_every_s == 30.0
        rows.append([", ".join(modules), *(names(part) for part in parts), f"{a_minute(driver):g}"])
    return rows


def other_ways() -> list[list[str]]:
    """What is asked of a modem without a free AT port, each question being a process of qmicli or mbimcli."""
    rows = [["read by", "each round, every 10 s", "in turn, one a round", "questions a minute"]]
    drivers: tuple[QmiDriver | MbimDriver, ...] = (QmiDriver("", None), MbimDriver("", None))
    for name, driver in zip(("qmicli", "mbimcli"), drivers, strict=True):
        asked = steady_rounds(ControlPlan(driver, PERIOD_S, set()), LEAST_PERIOD_S)
        unwanted = driver.occasional_commands
        in_turn = [command for command in driver.slow_commands if command not in unwanted]
        count = sum(map(len, asked)) / MINUTES
        rows.append([name, names(driver.fast_commands), names(in_turn), f"{count:g}"])
    return rows


def reasons() -> list[list[str]]:
    """Why each command is asked."""
    return [["command", "what for"], *([f"`AT{name}`", why] for name, why in WHY.items())]


def asked_names(driver: Driver) -> set[str]:
    """The names of everything a poll may ask."""
    return {name for command in polled(driver) for name in command_prefixes(command)}
