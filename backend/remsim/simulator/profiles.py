"""The virtual modems: who they are, where they sit on USB, which drive they replay, what they answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from remsim.simulator import drive
from remsim.simulator.drive import Scene
from remsim.simulator.encode import fibocom, quectel, sierra, tgpp


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of virtual modem."""

    vendor: str
    model: str
    firmware: str
    manufacturer: str
    usb_id: str
    at_interface: int
    interfaces: tuple[tuple[int, str], ...]
    drive: str
    drive_offset_s: int
    mcc: str = "272"
    mnc: str = "01"
    operator: str = "Operator A"
    is_lte_only: bool = False


QUECTEL_USB = ((0, "ffff30"), (1, "ff0040"), (2, "ff0000"), (3, "ff0000"), (4, "ffffff"))
SIERRA_USB = ((0, "ffffff"), (2, "ff0000"), (3, "ff0000"), (8, "ffffff"))
FM350_USB = ((0, "e00103"), (1, "0a00ff"), (2, "ff0000"), (3, "ff0000"), (4, "ff0000"), (5, "ff4201"), (6, "ff0000"))

RM520N = ("quectel", "RM520N-GL", "RM520NGLAAR03A01M4G", "Quectel", "2c7c:0801", 2, QUECTEL_USB)
EM7565 = ("sierra", "EM7565", "SWI9X50C_01.14.02.00", "Sierra Wireless, Incorporated", "1199:9091", 3, SIERRA_USB)
FM350 = ("fibocom", "FM350-GL", "81600.0000.00.29.22.40", "Fibocom Wireless Inc.", "0e8d:7127", 6, FM350_USB)
EC25 = ("quectel", "EC25", "EC25EFAR06A03M4G", "Quectel", "2c7c:0125", 2, QUECTEL_USB)

PROFILES = (
    Profile(*RM520N, drive="ucc-car-05", drive_offset_s=60),
    Profile(*EM7565, drive="ucc-car-01", drive_offset_s=300, is_lte_only=True),
    Profile(*FM350, drive="ucc-static-13", drive_offset_s=30),
    Profile(*EC25, drive="ucc-car-08", drive_offset_s=120, is_lte_only=True),
    Profile(*RM520N, drive="rural-rtt-01", drive_offset_s=0),
    Profile(*EM7565, drive="ucc-car-05", drive_offset_s=900, is_lte_only=True),
    Profile(*FM350, drive="ucc-car-08", drive_offset_s=700),
    Profile(*EC25, drive="ucc-car-10", drive_offset_s=200, is_lte_only=True),
)


@dataclass(slots=True)
class ModemState:
    """What the virtual modem knows of itself; the simulator and faults change it."""

    number: int
    profile: Profile
    scene: Scene
    sim_present: bool = True
    denied: bool = False
    uptime_s: int = 0
    temperature_c: int = 38
    answers: dict[str, Callable[[], str]] = field(default_factory=dict)

    @property
    def imei(self) -> str:
        return f"8699550{self.number}0000000"

    @property
    def imsi(self) -> str:
        return f"{self.profile.mcc}{self.profile.mnc}00000000{self.number:02d}"

    @property
    def iccid(self) -> str:
        return f"8935301000000000{self.number:03d}"

    @property
    def registered(self) -> bool:
        return self.sim_present and not self.denied

    @property
    def stat(self) -> int:
        """The registration state of 27.007."""
        if self.registered:
            return 1
        return 3 if self.denied and self.sim_present else 2


def scene_at(profile: Profile, second: int) -> Scene:
    """The scene of a drive at a second, around and around; an LTE module sees a 5G scene's anchor."""
    scenes = drive.load(profile.drive)
    return scenes[(second + profile.drive_offset_s) % len(scenes)]


def answer(state: ModemState, command: str) -> str | None:
    """The answer's body without its result code; None for ERROR. ``+CME ERROR`` bodies are final themselves."""
    if command in ("AT", "ATE0", "ATE1") or command.startswith(
        ("AT+CMEE=", "AT+CREG=", "AT+CGREG=", "AT+CEREG=", "AT+C5GREG=", "AT+COPS=3", "AT+CNMI=", "AT+CGEREP=", "AT+CTZR=")
    ):
        return ""
    common = common_answer(state, command)
    if common is not None:
        return common
    return {"quectel": quectel_answer, "sierra": sierra_answer, "fibocom": fibocom_answer}[state.profile.vendor](
        state, command
    )


def common_answer(state: ModemState, command: str) -> str | None:
    """27.007 and identity."""
    profile, scene = state.profile, state.scene
    bare = command.rstrip("?")
    if bare in ("AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN"):
        text = {"CGMI": profile.manufacturer, "CGMM": profile.model, "CGMR": profile.firmware, "CGSN": state.imei}
        name = bare.removeprefix("AT+")
        return f'+{name}: "{text[name]}"' if command.endswith("?") else text[name]
    if bare in ("AT+CIMI", "AT+ICCID", "AT+CCID", "AT+QCCID"):
        if not state.sim_present:
            return "+CME ERROR: 10"
        if bare == "AT+CIMI":
            return f'+CIMI: "{state.imsi}"' if command.endswith("?") else state.imsi
        return f"{bare.removeprefix('AT')}: {state.iccid}"
    if command == "ATI":
        return f"Manufacturer: {profile.manufacturer}\r\nModel: {profile.model}\r\nRevision: {profile.firmware}"
    if command == "AT+CMEE?":
        return "+CMEE: 1"
    if command == "AT+CFUN?":
        return "+CFUN: 1"
    if command == "AT+CPIN?":
        return "+CPIN: READY" if state.sim_present else "+CME ERROR: 10"
    if command in ("AT+CREG?", "AT+CGREG?", "AT+CEREG?", "AT+C5GREG?"):
        return registration_answer(state, command[2:-1])
    if command == "AT+COPS?":
        return tgpp.cops(scene, profile.operator if state.registered else None)
    if command == "AT+CSQ":
        return tgpp.csq(scene) if state.registered else "+CSQ: 99,99"
    if command == "AT+CESQ":
        if not state.registered:
            return "+CESQ: 99,99,255,255,255,255"
        return tgpp.cesq(scene, with_nr=profile.vendor == "fibocom")
    return None


def registration_answer(state: ModemState, name: str) -> str:
    """Data modems are not registered for circuits on LTE, and for 5GS on SA only."""
    if state.registered and (name == "+C5GREG") != (state.scene.mode == "SA") and name in ("+C5GREG", "+CEREG"):
        return f"{name}: 2,0"
    return tgpp.registration(name, state.scene, state.stat)


def quectel_answer(state: ModemState, command: str) -> str | None:
    """RM520N and EC25."""
    profile, scene = state.profile, state.scene
    is_5g = not profile.is_lte_only
    if command == 'AT+QENG="servingcell"':
        if not state.registered:
            return '+QENG: "servingcell","SEARCH"'
        return quectel.qeng(scene, profile.mcc, profile.mnc, is_5g_module=is_5g)
    if command == 'AT+QENG="neighbourcell"':
        return ""
    if command == "AT+QCSQ" and not is_5g:
        return quectel.qcsq(scene) if state.registered else '+QCSQ: "NOSERVICE"'
    if command == "AT+QCAINFO":
        return quectel.qcainfo(scene) if state.registered else ""
    if command == "AT+QTEMP":
        t = state.temperature_c
        if is_5g:
            return f'+QTEMP:"modem-lte-sub6-pa1","{t}"\r\n+QTEMP:"modem-ambient-usr","{t - 3}"\r\n+QTEMP:"mmw0","-273"'
        return f"+QTEMP: {t},{t - 2},{t - 3}"
    if command == "AT+QUIMSLOT?" and is_5g:
        return "+QUIMSLOT: 1"
    if command == "AT+QSIMSTAT?":
        return f"+QSIMSTAT: 1,{int(state.sim_present)}"
    if command.startswith(("AT+QURCCFG=", "AT+QSIMSTAT=")):
        return ""
    return None


def sierra_answer(state: ModemState, command: str) -> str | None:
    """EM7565."""
    if command == "AT!GSTATUS?":
        return sierra.gstatus(
            state.scene, temperature_c=state.temperature_c, registered=state.registered, uptime_s=state.uptime_s
        )
    if command == "AT!LTEINFO?":
        return sierra.lteinfo(state.scene, state.profile.mcc, state.profile.mnc) if state.registered else "!LTEINFO:\r\n"
    return {
        "AT!UIMS?": "!UIMS: 0",
        "AT!PCTEMP?": f"Temp state: Normal\r\nTemperature: {state.temperature_c}.00",
        "AT!PCVOLT?": "Volt state: Normal\r\nPower supply voltage: 3283 mV (2167 cnt)",
        "AT!PCINFO?": "State: Online\r\nLPM voters - Temp:0, Volt:0, User:0, W_DISABLE:0, IMSWITCH:0, BIOS:0, LWM2M:0, "
        "OMADM:0, FOTA:0\r\nLPM persistence - None",
    }.get(command)


def fibocom_answer(state: ModemState, command: str) -> str | None:
    """FM350-GL."""
    profile, scene = state.profile, state.scene
    if command == "AT+GTCCINFO?":
        return fibocom.gtccinfo(scene, profile.mcc, profile.mnc) if state.registered else "+GTCCINFO:\r\n"
    if command == "AT+GTCAINFO?":
        return fibocom.gtcainfo(scene) if state.registered else "+GTCAINFO:\r\n"
    if command == "AT+GTSENRDTEMP=1":
        return f"+GTSENRDTEMP: 1,{state.temperature_c * 1000 + 628}"
    return {
        "AT+GTDUALSIM?": f'+GTDUALSIM : 0, "SUB1", "{"LTE" if state.registered else "NO SERVICE"}"',
        "AT+GTUSBMODE?": "+GTUSBMODE: 41",
    }.get(command)
