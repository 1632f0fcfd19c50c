"""Sierra Wireless's supply, temperature and reasons for low power: PCTEMP, PCVOLT, their limits, PCINFO, PCOFFEN.

The forms of PCTEMP and PCVOLT are those that a program for the MC7455 reads, the limits' those of the WP75 manual
(rev. 6): no reply of either has been found whole.
"""

from __future__ import annotations

import re

from remsim.modems.decode.text import Asked, Decoder, Record, Values, in_range, to_int, unreadable, whole

LIMIT = re.compile(r"\b(HI|LO)\s+(CRIT|WARN|NORM)\s*:\s*(-?\d{1,6})(?!\d)", re.IGNORECASE)
LIMIT_NAMES = {
    ("HI", "CRIT"): "high_critical", ("HI", "WARN"): "high_warning", ("HI", "NORM"): "high_normal",
    ("LO", "NORM"): "low_normal", ("LO", "WARN"): "low_warning", ("LO", "CRIT"): "low_critical",
}  # fmt: skip
VOTERS = re.compile(r"LPM (?:force flags|voters)\s*-\s*(\w+:\s?\d+(?:,\s?\w+:\s?\d+)*)")


def state_of(what: str, body: str) -> str | None:
    """``Temp state: Normal`` -> Normal; the word before may be missing."""
    match = re.search(rf"(?:{what} )?state\s*:\s*(\S+(?: (?:critical|warning|normal)\b)?)", body, re.IGNORECASE)
    return match[1] if match else None


def decode_pctemp(asked: Asked, record: Record) -> Values:
    """!PCTEMP: temperature in degrees Celsius and the state the modem draws from it."""
    match = re.search(r"Temperature\s*:\s*(-?\d{1,4}(?:\.\d{1,4})?)", record.body)
    if match is None:
        raise unreadable(asked, record.body)
    values: Values = {"temperature_c": whole(in_range(float(match[1]), -60, 150))}
    if state := state_of("Temp", record.body):
        values["temperature_state"] = state
    return values


def decode_pcvolt(asked: Asked, record: Record) -> Values:
    """!PCVOLT: the supply in millivolts."""
    match = re.search(r"voltage\s*:\s*(\d{1,6})\s*mV", record.body, re.IGNORECASE)
    if match is None:
        raise unreadable(asked, record.body)
    values: Values = {"voltage_mv": int(match[1])}
    if state := state_of("Volt", record.body):
        values["voltage_state"] = state
    return values


def limits(name: str) -> Decoder:
    """A decoder for the thresholds of the states, by name of the threshold."""

    def decode(asked: Asked, record: Record) -> Values:
        found = {
            LIMIT_NAMES[high.upper(), level.upper()]: int(text) for high, level, text in LIMIT.findall(record.body)
        }
        if not found:
            raise unreadable(asked, record.body)
        return {name: found}

    return decode


def decode_pcinfo(asked: Asked, record: Record) -> Values:
    """!PCINFO: power state, who votes for low power, and who of them does: ``low_power_reasons``."""
    match = re.search(r"State\s*:\s*([^\s][^\n]*)", record.body)
    if match is None:
        raise unreadable(asked, record.body)
    values: Values = {"power_state": re.sub(r"\b\d+ \((.+)\)", r"\1", match[1].partition("LPM")[0].strip())}
    if voters := VOTERS.search(record.body):
        counts = {name: int(count) for name, count in re.findall(r"\b(\w{1,32})\s*:\s*(\d{1,9})(?!\d)", voters[1])}
        values["lpm_voters"] = counts
        values["low_power_reasons"] = [name for name, count in counts.items() if count]
    if persistence := re.search(r"LPM persistence\s*-\s*([^\n]+)", record.body):
        values["lpm_persistence"] = persistence[1].strip()
    return values


def decode_pcoffen(asked: Asked, record: Record) -> Values:
    """!PCOFFEN: what the W_DISABLE pin does (0 low power, 1 off, 2 nothing)."""
    number = to_int(record.body.strip())
    return {"w_disable_action": number} if number in (0, 1, 2) else {}


RECORDS: dict[str, Decoder] = {
    "!PCTEMP": decode_pctemp,
    "!PCVOLT": decode_pcvolt,
    "!PCTEMPLIMITS": limits("temperature_limits_c"),
    "!PCVOLTLIMITS": limits("voltage_limits_mv"),
    "!PCINFO": decode_pcinfo,
    "!PCOFFEN": decode_pcoffen,
}
