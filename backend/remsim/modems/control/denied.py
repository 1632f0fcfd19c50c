"""What the AT console does not send, and why: what destroys a modem, its identity or its only port.

A filter for slips and for what people paste from the net, not a wall: who has the console's scope is trusted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from remsim.core.small_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Denied:
    """A kind of command: ``pattern`` is searched in a line without blanks and quotes, in upper case."""

    pattern: re.Pattern[str]
    why: str
    instead: str | None = None


def denied(names: str, why: str, instead: str | None = None) -> Denied:
    """Commands by the end of their names, whatever mark stands before; a name ends where its letters do."""
    return Denied(re.compile(rf"[+!^*$#%&@_](?:{names})(?![A-Z0-9_])"), why, instead)


def written(names: str, why: str, instead: str | None = None) -> Denied:
    """Commands that may be read, but not set: ``=`` that no ``?`` follows."""
    return Denied(re.compile(rf"[+!^*$#%&@_](?:{names})=(?!\?)"), why, instead)


IMEI = "it would change the modem's identity (IMEI), which is a crime in many countries"
FIRMWARE = "it puts the modem into a firmware mode from which it may not come back"
OFF = "it switches the modem off, and nothing here switches it on again"
MEMORY = "it writes to the modem's calibration and factory memory"
PORT = "it may take away the port that this console uses"
HANGS = "it waits for data that this console does not send"
LONG = "it takes minutes and would keep the modem from being watched"
RUNS = "it runs programs inside the modem"
DATA = "it makes this port a data connection"
MUTE = "it would have the modem answer in a way that is not understood here"

DENIED = (
    Denied(re.compile(r"[+!^*$#%&@_][A-Z:._]*IMEI[A-Z]*=(?!\?)"), IMEI),
    Denied(re.compile(r"[+*^]EGMR=(?!0\b|\?)"), IMEI),
    Denied(re.compile(r"\+GTSN=(?!0\b|\?)"), IMEI),
    written("CGSN|GSN|PHYNUM|SNWR|QSNW|EMGR|NVENCRYPTIMEI|SIMEI|CIMEI|SFSN", IMEI),
    denied(
        r"QDOWNLOAD|QFUMO\w*|QFOTA\w*|QABFOTA\w*|QFASTBOOT|QSECBOOT|QUPGRADE\w*|GTFOTA\w*|GTFW\w*|GTFLASH\w*|FWDL\w*"
        r"|BOOTHOLD|BOOTANDHOLD|BOOTHOLDUSB|BLOADER|FDL|DLOAD|QCDLOAD|SFDM|SFWUP\w*|CFWUPD|SYSFWUP|ENTERFDL|FACTORYBOOT|GODLOAD|BOOT|XFDL",
        FIRMWARE,
    ),
    written("IMAGE|IMPREF|FWSWITCH|SNFOTA|SFOTA", FIRMWARE),
    denied("CPWROFF|QPOWD|POWERDOWN|SMSO|SHUTDOWN|CPOF|SHDN|POFF|MSO|PWROFF|QPOWROFF|EPOF", OFF),
    denied("RMARESET|NVRESTORE|NVBACKUP|NVWR|NVWREX|NVWRITE|NVRAM|NVPORT|OPENMEP|OPENLOCK|OPENCND|NVDEL", MEMORY),
    written(r"QNV\w*|NVM?W?|QPRTPARA|QNVFW|QNVW|QNVMW|EFSW|RFCAL\w*|SCFG-FACTORY|FACTORY|QFACTORY", MEMORY),
    written("USBCOMP|UDUSBCOMP|UDPID|USBPID|GTUSBMODE|QUSBCFG|SETMODE|ZCDRUN|USBMODE", PORT, "usb-mode"),
    written("SETPORT|SSRVSET", PORT),
    Denied(re.compile(r"\+QCFG=(?:USBNET|USBCFG|USBID|DATA_INTERFACE|PCIE/MODE|USB/MODE),"), PORT, "usb-mode"),
    written("IPR|IFC|ICF|QPORT|QUARTCFG", PORT),
    denied("CMUX", PORT),
    Denied(re.compile(r"\+CM(?:GS|GW|GC)(?:=(?!\?)|$|;)"), HANGS, "sms-send"),
    written(r"CNMA|QFUPL|QFWRITE|QISEND\w*|QSSLSEND\w*|QHTTPURL|QHTTPPOST|QSMTPBODY|QMTPUB\w*|CIPSEND|SSEND\w*", HANGS),
    Denied(re.compile(r"\+COPS=\?"), LONG, "scan"),
    Denied(re.compile(r"\+COPS=[0-24]"), LONG, "operator"),
    Denied(re.compile(r"\+CUSD=1,"), "the network's answer comes later", "ussd"),
    denied(r"QLINUXCMD|SYSTEM|SYSCMD|QSHELL|SHELL|EXEC|QADBKEY", RUNS),
    denied("CGDATA|PPPD?|XDATACHANNEL", DATA),
)
"""Sources: the vendors' command manuals; facts on modems that were lost by such commands in users' reports."""


_STEP = re.compile(r"S\d*[=?]?\d*|[&\\][A-Z]\d*|%[A-Z](?![A-Z])\d*|[A-Z]\d*")
"""A basic command (V.250 §5.3): they stand behind each other, up to one with a longer name."""
_BASIC = (Denied(re.compile("[DAO]"), DATA), Denied(re.compile("V0?$|Q[1-9]"), MUTE))


def why_denied(command: str) -> Denied | None:
    """Why a line is not sent; None when it may be."""
    bare = re.sub(r'[\s"]', "", command).upper()
    if "+++" in bare:
        return Denied(re.compile(""), "it is the escape from a data connection, not a command")
    if not bare.startswith("AT"):
        return Denied(re.compile(""), "a command begins with AT")
    if any("A/" in part for part in bare.split(";")):
        return Denied(re.compile(""), "A/ repeats a command that cannot be looked at")
    if (rule := next((rule for rule in DENIED if rule.pattern.search(bare)), None)) is not None:
        return rule
    unquoted = re.sub(r'\s|"[^"]*"', "", command).upper()
    steps = [step for part in unquoted.split(";") for step in basic_commands(part.removeprefix("AT"))]
    return next((rule for rule in _BASIC for step in steps if rule.pattern.match(step)), None)


def basic_commands(part: str) -> Iterator[str]:
    """The basic commands at the beginning of a part of a line."""
    at = 0
    while (step := _STEP.match(part, at)) is not None and step[0]:
        yield step[0]
        at = step.end()
