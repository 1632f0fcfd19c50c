"""What happened between two readings of a modem, in the words of the journal."""

from __future__ import annotations

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
    "failed": "The modem has not answered for ten minutes. Restart it, or switch its power off and on.",
    "boot": "The modem is in a boot or download mode. Unplug it and plug it in again; else reload its firmware.",
    "port_busy": "Another program holds the modem's AT port. Stop that program or let it release the port.",
    "rebooting": "The modem has vanished from USB. It is probably restarting, which takes up to 90 seconds.",
    "gone": "The modem is not on USB any more. Check its cable and power.",
}
"""What to do, by state; the other states need nothing."""


TROUBLE = ("not_answering", "failed", "port_busy")
CALM = ("online", "starting", "paused", "searching")
SIGNAL = ("rsrp_dbm", "rsrq_db", "sinr_db", "cell_id", "pci", "band", "mode", "latency_ms", "loss_percent")
CONNECTED_AS = ("registration", "sim", "sim_slot", "cell")
"""What coming online tells besides the signal: timelines begin with it."""
SIM_WORDS = {"sim_state": "SIM", "sim_slot": "SIM slot", "sim": "SIM card"}


class Changes:
    """What was last known of one modem, and the events of what differs from it.

    A value that is unknown for a while is no change; when it is known again it is compared with what it was before.
    """

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}
        self._signal: dict[str, Any] = {}

    def of_reading(self, now: ModemReading) -> list[Event]:
        """Events of technology, cell, registration and SIM."""
        self._signal |= signal(now)
        found = []
        if (change := self._change("mode", now.mode)) is not None:
            old, new = (MODE_WORDS.get(mode, mode) for mode in change)
            found.append(self._event("technology_change", now, f"{now.modem}: {old} → {new}", change))
        kind = "pci" if now.cell_id is None else "cell"
        if (change := self._change(kind, cell(now))) is not None:
            found.append(self._event("cell_change", now, f"{now.modem}: cell {change[0]} → {change[1]}", change))
        if (change := self._change("registration", now.registration)) is not None:
            text = f"{now.modem}: registration {in_words(change[0])} → {in_words(change[1])}"
            found.append(self._event("registration", now, text, change))
        for name, word in SIM_WORDS.items():
            if (change := self._change(name, getattr(now, name))) is not None:
                data = {"from": change[0], "to": change[1], "what": name}
                old, new = change if name == "sim" else map(in_words, change)
                text = f"{now.modem}: {word} {old} → {new}"
                found.append(Event("sim_state", now.modem, now.at, text, "info", data))
        return found

    def of_state(self, modem: str, at: float, before: str, now: str, why: str) -> Event:
        """The event of a change of state, with the last signal that was known: the answer to "why"."""
        if now == "online":
            kind = "connect"
        elif before == "online":
            kind = "disconnect"
        elif now in TROUBLE:
            kind = "error"
        else:
            kind = "recovered" if before in TROUBLE else "state"
        severity = "info" if now in CALM and kind != "disconnect" or now == "paused" else "warning"
        text = f"{modem}: {STATES.get(now, now)}" + (f" ({why})" if why else "")
        told = {name: self._known[name] for name in CONNECTED_AS if name in self._known} if kind == "connect" else {}
        return Event(kind, modem, at, text, severity, {"from": before, "to": now, **self._signal, **told})

    def _change(self, name: str, value: Any) -> tuple[Any, Any] | None:
        """Old and new value when a known value became another one."""
        if value is None:
            return None
        before, self._known[name] = self._known.get(name), value
        return None if before is None or before == value else (before, value)

    def _event(self, kind: str, now: ModemReading, text: str, change: tuple[Any, Any]) -> Event:
        data = {"from": change[0], "to": change[1], **signal(now)}
        return Event(kind, now.modem, now.at, text, "info", data)


def in_words(value: Any) -> str:
    """A value as it stands in a sentence: ``NOT_INSERTED`` is "not inserted"; "SIM PIN" is said so."""
    return {"READY": "ready", "NOT_INSERTED": "not inserted"}.get(value, str(value).replace("_", " "))


def signal(reading: ModemReading) -> dict[str, Any]:
    """What is known of the signal at that moment."""
    return {name: value for name in SIGNAL if (value := getattr(reading, name)) is not None}


def cell(reading: ModemReading) -> str | None:
    """A cell in words: eNB and sector for LTE, else the identity; its PCI when that is all there is."""
    if reading.cell_id is None:
        return f"PCI {reading.pci}" if reading.pci is not None else None
    if reading.rat == "LTE":
        return f"{reading.cell_id >> 8}/{reading.cell_id & 255}"
    return str(reading.cell_id)
