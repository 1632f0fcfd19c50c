"""Sierra Wireless: 9x30, 9x50 and SDX modules. Settings want AT!ENTERCND on the same port first."""

from __future__ import annotations

import re
from typing import Any

from remsim.simulator.answers.base import Body, Setter, Settings, Table, constant, of_state, refusing
from remsim.simulator.answers.common import registration
from remsim.simulator.answers.sierra_bands import band, band_choices, choose_band
from remsim.simulator.answers.sim import SIERRA_SIM
from remsim.simulator.drive import MCC, MNC
from remsim.simulator.encode import sierra, sierra_nr
from remsim.simulator.models import Model
from remsim.simulator.state import Effect, ModemState

PASSWORD = "A710"
RATS: dict[str, tuple[str, tuple[str, ...]]] = {
    "00": ("Automatic", ()),
    "01": ("WCDMA Only", ("UMTS",)),
    "06": ("LTE Only", ("LTE",)),
    "11": ("WCDMA and LTE Only", ("UMTS", "LTE")),
    "20": ("NR 5G Only", ("NR",)),
    "21": ("LTE and NR 5G Only", ("LTE", "NR")),
    "22": ("WCDMA and NR 5G Only", ("UMTS", "NR")),
}
INTERFACES = ((0x1, "diag"), (0x4, "nmea"), (0x8, "modem"), (0x100, "rmnet0"), (0x1000, "mbim"))
TYPES = {"9x30": "1 (Generic)", "9x50": "3 (Legacy-Generic)", "sdx": "1 (Generic)"}
LIMITS = (("HI CRIT", 108), ("HI WARN", 95), ("HI NORM", 85), ("LO NORM", -15), ("LO CRIT", -25))
"""In degrees Celsius, as an example of the WP75 manual (rev. 6) has them: of these modules' own no reply was found."""
VOTERS = ("Temp", "Volt", "User", "W_DISABLE", "IMSWITCH", "BIOS", "LWM2M", "OMADM", "FOTA")


def locked(setter: Setter) -> Setter:
    """A command that wants the password first."""

    def write(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
        return setter(state, settings, arguments) if settings.get("!ENTERCND") else None

    return write


def unlock(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT!ENTERCND="A710"."""
    if arguments != [PASSWORD]:
        return None
    settings["!ENTERCND"] = 1
    return ""


def reset(state: ModemState, settings: Settings) -> Body:
    """AT!RESET."""
    state.effects.append(Effect("reset", state.model.drop_s))
    return ""


def status(state: ModemState) -> str:
    """GSTATUS in the layout of the chip."""
    common: dict[str, Any] = {
        "registered": state.registered,
        "temperature_c": state.temperature_c,
        "uptime_s": state.uptime_s,
    }
    online = "LOW POWER MODE" if state.low_power else "ONLINE"
    if state.model.family == "sdx":
        return sierra_nr.gstatus(state.camped, connected=state.connected, power=online, **common)
    is_9x30 = state.model.family == "9x30"
    return sierra.gstatus(state.camped, connected=state.connected, power=online, is_9x30=is_9x30, **common)


def lteinfo(state: ModemState) -> str | None:
    """ERROR where there is no LTE."""
    return sierra.lteinfo(state.scene, MCC, MNC) if state.camped and state.scene.mode in ("LTE", "NSA") else None


def nrinfo(state: ModemState) -> str:
    """The 5G cell, standalone or not."""
    return sierra_nr.nrinfo(state.camped, cell_id_is_pci=state.model.name.startswith("EM91"))


def choose_slot(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT!UIMS=0 or 1: the other card without a reset."""
    if arguments not in [[str(slot)] for slot in range(state.model.slots)]:
        return None
    if int(arguments[0]) != state.slot:
        state.effects.append(Effect("slot", 1.0, slot=int(arguments[0])))
    return ""


def selrat(state: ModemState) -> str:
    """The technologies in force."""
    code = state.settings.get("selrat", "00")
    return f"!SELRAT: {code}, {RATS[code][0]}"


def rats_of(state: ModemState) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What this product can choose from."""
    return {code: row for code, row in RATS.items() if frozenset(row[1]) <= state.model.modes}


def choose_rat(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT!SELRAT=06."""
    row = rats_of(state).get(arguments[0].zfill(2))
    if row is None or len(arguments) != 1:
        return None
    state.settings["selrat"] = arguments[0].zfill(2)
    state.prefer(modes=frozenset(row[1]) or state.model.modes)
    return ""


def usbcomp(state: ModemState) -> str:
    """AT!USBCOMP?: the mask of interfaces from the next reset on."""
    mask = int(state.next_composition or state.composition, 16)
    names = ",".join(name for bit, name in INTERFACES if mask & bit)
    kind = TYPES[state.model.family]
    return f"Config Index: 1\r\nConfig Type:  {kind}\r\nInterface bitmask: {mask:08X} ({names})"


def choose_usbcomp(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT!USBCOMP=1,type,mask; without the modem's bit the AT port is gone after the reset."""
    if len(arguments) != 3 or arguments[0] != "1" or arguments[1] != TYPES[state.model.family][0]:
        return None
    if re.fullmatch(r"(0[xX])?[0-9A-Fa-f]{1,8}", arguments[2]) is None:
        return None
    mask = f"{int(arguments[2], 16):X}"
    if mask not in state.model.compositions:
        return None
    state.next_composition = mask
    return ""


def pcinfo(state: ModemState) -> str:
    """AT!PCINFO?: what holds the modem in low power."""
    votes = dict.fromkeys(VOTERS, 0)
    votes["User"] = int(state.functionality != 1)
    votes["W_DISABLE"] = int("low_power" in state.faults)
    votes["Temp"] = int("hot" in state.faults)
    text = ", ".join(f"{name}:{vote}" for name, vote in votes.items())
    power = "Low Power Mode" if state.low_power else "Online"
    return f"State: {power}\r\nLPM voters - {text}\r\nLPM persistence - None"


def pctemp(state: ModemState) -> str:
    """AT!PCTEMP?."""
    limits = dict(LIMITS)
    warm = "High Warning" if state.temperature_c >= limits["HI WARN"] else "Normal"
    word = "High Critical" if state.temperature_c >= limits["HI CRIT"] else warm
    return f"Temp state: {word}\r\nTemperature: {state.temperature_c}.00"


def impref(state: ModemState) -> str:
    """AT!IMPREF?."""
    wanted, carrier = state.model.firmware.rsplit("_", 1)[1], "GENERIC_001.012_000"
    rows = (("fw version:   ", wanted), ("carrier name: ", "GENERIC"), ("config name:  ", carrier))
    lines = [f" {when} {name} {value}" for when in ("preferred", "current") for name, value in rows]
    return "\r\n".join(("!IMPREF:", *lines))


SIERRA = (
    Table(
        {
            "AT!RESET": reset,
            "AT!GSTATUS?": of_state(status),
            "AT!LTEINFO?": of_state(lteinfo),
            "AT!PCTEMP?": of_state(pctemp),
            "AT!PCTEMPLIMITS?": constant("\r\n".join(f"{name}: {degrees}" for name, degrees in LIMITS)),
            "AT!PCVOLT?": constant("Volt state: Normal\r\nPower supply voltage: 3283 mV (2167 cnt)"),
            "AT!PCINFO?": of_state(pcinfo),
            "AT!IMPREF?": of_state(impref),
            "AT!SELRAT?": of_state(selrat),
            "AT!SELRAT=?": of_state(
                lambda s: "!SELRAT: Index, Name\r\n"
                + "\r\n".join(f"{code}, {name}" for code, (name, _) in rats_of(s).items())
            ),
            "AT!BAND?": band,
            "AT!BAND=?": band_choices,
            "AT!USBCOMP?": of_state(usbcomp),
        },
        {
            "AT!ENTERCND=": unlock,
            "AT!SELRAT=": locked(refusing(choose_rat)),
            "AT!BAND=": locked(refusing(choose_band)),
            "AT!USBCOMP=": locked(choose_usbcomp),
        },
    )
    | SIERRA_SIM
)
SLOTS = Table(
    {"AT!UIMS?": of_state(lambda s: f"!UIMS: {s.slot}"), "AT!UIMS=?": constant("!UIMS: (0-1),3")},
    {"AT!UIMS=": choose_slot},
)
ONE_SLOT = Table({"AT!UIMS?": constant("!UIMS: 0")})
NR = Table({"AT+C5GREG?": registration("+C5GREG"), "AT!NRINFO?": of_state(nrinfo)})


def sierra_table(model: Model) -> Table:
    """By the module's chip."""
    found = SIERRA | (SLOTS if model.slots > 1 else ONE_SLOT)
    return found | NR if model.family == "sdx" else found
