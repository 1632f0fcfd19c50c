"""What happened between two readings of a modem, in the words of the journal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remsim.core.events import Event
from remsim.core.reading import STATES, ModemReading

MODE_WORDS = {"LTE": "LTE", "NSA": "LTE + 5G", "SA": "5G SA", "UMTS": "3G", "GSM": "2G"}

PROBLEMS = {
    "denied": "The network refuses this SIM. Check that it is active and that its APN and roaming allow this network.",
    "limited": "Only emergency calls are possible on this cell. Check the SIM and the allowed networks.",
    "no_sim": "No SIM is inserted. Insert one or choose another slot.",
    "sim_pin": "The SIM wants its PIN. Enter it, or switch the PIN off in a phone.",
    "sim_puk": "The SIM is blocked and wants its PUK. Enter it in a phone; too many wrong tries destroy the SIM.",
    "sim_error": "The SIM is busy or faulty. Take it out, clean it and insert it again.",
    "low_power": "The radio is off. Switch it on with AT+CFUN=1 or look for an overheated or undervolted modem.",
    "not_answering": "The modem does not answer. It may be restarting; it is asked again soon.",
    "port_busy": "Another program holds the modem's AT port. Stop that program or let it release the port.",
    "rebooting": "The modem has vanished from USB. It is probably restarting, which takes up to 90 seconds.",
    "gone": "The modem is not on USB any more. Check its cable and power.",
}
"""What to do, by state; the other states need nothing."""


def reading_events(before: ModemReading | None, now: ModemReading) -> Iterator[Event]:
    """Events of cell, technology, registration and SIM between two readings."""
    if before is None:
        return
    signal = signal_data(now)
    if before.mode and now.mode and before.mode != now.mode:
        text = f"{now.modem}: {MODE_WORDS.get(before.mode, before.mode)} → {MODE_WORDS.get(now.mode, now.mode)}"
        yield event("technology_change", now, text, before.mode, now.mode, signal)
    old_cell, new_cell = cell(before), cell(now)
    if old_cell and new_cell and old_cell != new_cell:
        yield event("cell_change", now, f"{now.modem}: cell {old_cell} → {new_cell}", old_cell, new_cell, signal)
    if before.registration and now.registration and before.registration != now.registration:
        text = f"{now.modem}: registration {before.registration} → {now.registration}"
        yield event("registration", now, text, before.registration, now.registration, signal)
    for name in ("sim_state", "sim_slot", "sim"):
        old, new = getattr(before, name), getattr(now, name)
        if old is not None and new is not None and old != new:
            yield event("sim_state", now, f"{now.modem}: {name.replace('_', ' ')} {old} → {new}", old, new, {"what": name})


def state_event(modem: str, at: float, before: str | None, now: str, last: ModemReading | None, why: str) -> Event:
    """The event of a change of state."""
    kind = "connect" if now == "online" else "disconnect" if before == "online" else "state"
    severity = "info" if now in ("online", "starting", "paused", "searching") else "warning"
    if kind == "disconnect":
        severity = "warning"
    text = f"{modem}: {STATES.get(now, now)}" + (f" ({why})" if why else "")
    data: dict[str, Any] = {"from": before, "to": now}
    if last is not None:
        data |= signal_data(last)
    return Event(kind, modem, at, text, severity, data)


def event(
    kind: str, now: ModemReading, text: str, old: object, new: object, data: dict[str, Any], severity: str = "info"
) -> Event:
    """An event of a change seen in a reading."""
    return Event(kind, now.modem, now.at, text, severity, {"from": old, "to": new, **data})


def signal_data(reading: ModemReading) -> dict[str, Any]:
    """The signal at that moment: the answer to "why"."""
    names = ("rsrp_dbm", "rsrq_db", "sinr_db", "cell_id", "pci", "band", "mode", "latency_ms", "loss_percent")
    return {name: value for name in names if (value := getattr(reading, name)) is not None}


def cell(reading: ModemReading) -> str | None:
    """A cell in words: eNB or gNB and sector for LTE, else the identity; with its PCI."""
    if reading.cell_id is None:
        return f"PCI {reading.pci}" if reading.pci is not None and reading.pci >= 0 else None
    if reading.rat == "LTE":
        return f"{reading.cell_id >> 8}/{reading.cell_id & 255}"
    return str(reading.cell_id)
