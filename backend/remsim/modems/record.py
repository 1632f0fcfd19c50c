"""A modem's replies as test data: what it answers to reads, without what tells who and where its owner is.

Only what reads is asked. IMEI, IMSI, ICCID, EID and telephone numbers keep their first six digits (maker, country and
network), serial numbers nothing. Cell identities and area codes become ones unless they are wanted: with them public
databases tell the place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from remsim.core.errors import AtFormatError, AtTimeout
from remsim.modems.decode import decode_reply
from remsim.modems.drivers.base import Driver
from remsim.modems.reply import AtReply

ANSWER_S = 5.0
MOST_SILENT = 3
CELLS = frozenset(("cell_id", "tac", "lac", "rac", "enb_id", "gnb_id"))
LEAST_CELL = 256
KEPT_DIGITS = 6

COMMON = (
    *("ATI", "AT+CPIN?", "AT+CFUN?", "AT+CSQ", "AT+CESQ", "AT+CREG?", "AT+CGREG?", "AT+CEREG?", "AT+C5GREG?"),
    *("AT+COPS?", "AT+CGATT?", "AT+CGACT?", "AT+CEER", "AT+CBC", "AT+CPMS?", "AT+CNMI?", "AT+CSCS?", "AT+CMEE?"),
    *("AT+CPINR", 'AT+CLCK="SC",2', "AT+WS46?"),
)
OF_VENDOR = {
    "quectel": (
        *('AT+QENG="servingcell"', 'AT+QENG="neighbourcell"', "AT+QCSQ", "AT+QCAINFO", "AT+QNWINFO", "AT+QTEMP"),
        *("AT+QRSRP", "AT+QRSRQ", "AT+QSINR", "AT+QSPN", "AT+QUIMSLOT?", "AT+QDSIM?", "AT+QSIMDET?", "AT+QSIMSTAT?"),
        *("AT+QINISTAT", "AT+QPINC?", 'AT+QMBNCFG="list"', 'AT+QURCCFG="urcport"', 'AT+QCFG="usbnet"'),
        *('AT+QCFG="band"', 'AT+QCFG="nwscanmode"', 'AT+QCFG="nwscanseq"', 'AT+QCFG="iotopmode"'),
        *('AT+QNWPREFCFG="mode_pref"', 'AT+QNWPREFCFG="lte_band"', 'AT+QNWPREFCFG="nsa_nr5g_band"'),
        *('AT+QNWPREFCFG="nr5g_band"', 'AT+QNWPREFCFG="nr5g_disable_mode"', 'AT+QNWPREFCFG="roam_pref"'),
        *('AT+QNWLOCK="common/4g"', 'AT+QNWLOCK="common/5g"', "AT+QGDCNT?", "AT+QGDNRCNT?"),
    ),
    "sierra": (
        *("AT!GSTATUS?", "AT!LTEINFO?", "AT!NRINFO?", "AT!LTECA?", "AT!PCTEMP?", "AT!PCVOLT?", "AT!PCINFO?"),
        *("AT!UIMS?", "AT!SELRAT?", "AT!SELRAT=?", "AT!BAND?", "AT!BAND=?", "AT!USBCOMP?", "AT!USBCOMP=?"),
        *("AT!IMPREF?", "AT!PRIID?", "AT!IMAGE?", "AT!CUSTOM?", "AT!SCACT?", "AT!HWID?", "AT!USBSPEED?"),
    ),
    "fibocom": (
        *("AT+GTCCINFO?", "AT+GTCAINFO?", "AT+GTDUALSIM?", "AT+GTACT?", "AT+GTACT=?", "AT+GTUSBMODE?"),
        *("AT+GTUSBMODE=?", "AT+GTSENRDTEMP=1", "AT+MTSM=1,6", "AT+MTSM?", "AT+GTPKGVER?", "AT+GTCELLLOCK?"),
        *("AT+GTCURCAR?", "AT+MSMPD?", "AT+SIMTYPE?", "AT+ETHERMAL?", "AT+ERAT?", "AT+XCESQ?", "AT+XMCI=1"),
        *("AT+XLEC?", "AT+XCCINFO?", "AT+XACT?", "AT+RSRP?", "AT+RSRQ?", "AT+GTSTATIS?", "AT+GTFCCEFFSTATUS?"),
    ),
    "thales": (
        *("AT^SMONI", "AT^SBV", "AT^SCTM?", "AT^SCKS?", "AT^SPIC", "AT^SIND?", "AT^SXRAT?", "AT^SSRVSET?"),
        *('AT^SCFG="Radio/Band/4G"', "AT^DEBUG?", "AT^TEMP?", "AT^CA_INFO?", "AT^SWITCH_SLOT?", "AT^LTE_LOCK?"),
        *("AT^NR5G_LOCK?", "AT^NR5G_MODE?", "AT^BAND_PREF_EXT?"),
    ),
}
"""Reads beside those of the driver: what the decoders know, and what a driver could be taught by."""

_EXECUTED = (
    r"\+C(?:BC|CID|EER|ESQ|GMI|GMM|GMR|GSN|IMI|PINR|SQ)|\+(?:ICCID|QCCID)|\^S(?:BV|MONI|PIC)"
    r"|\+Q(?:CAINFO|CSQ|INISTAT|NWINFO|RSRP|RSRQ|SINR|SPN|TEMP)"
)
_NAMED = r'\+Q(?:CFG|ENG|MBNCFG|NWLOCK|NWPREFCFG|NWCFG|URCCFG)="[\w/]+"|\^SCFG="[\w/]+"'
_MEASURED = r'\+XMCI=1|\+GTSENRDTEMP=1|\+MTSM=1,6|\+CLCK="SC",2'
_READ = re.compile(rf"AT(?:I\d?|[+!^*][A-Z0-9_]+=?\?|{_EXECUTED}|{_NAMED}|{_MEASURED})", re.IGNORECASE)
"""``?`` and ``=?`` read by definition (V.250 §5.4.4); of the forms that execute or set, those named here do too."""
_DIGITS = re.compile(r"\d{10,}[0-9A-Fa-f]*|(?<=\+)\d{6,}")
_SERIAL = re.compile(r"\b((?:FSN|SN|S/N|ESN|MEID|SERIAL(?: NUMBER)?)\s*[:=]\s*\"?)([\w-]+)", re.IGNORECASE)
_PERHAPS_CELL = re.compile(r"(?<![\w.])(?=[0-9A-Fa-f]*\d)[0-9A-Fa-f]{6,9}(?![\w.])")


def reads_of(driver: Driver) -> tuple[str, ...]:
    """What is asked of a modem, each once."""
    own = (*driver.identity_commands, *driver.sim_identity_commands, *driver.fast_commands, *driver.slow_commands)
    every = (*own, *driver.once_commands, *COMMON, *OF_VENDOR.get(driver.vendor, ()))
    return tuple(command for command in dict.fromkeys(every) if is_read(command))


def is_read(command: str) -> bool:
    """Whether a command certainly changes nothing: a form that only reads, of one command."""
    return _READ.fullmatch(command) is not None


def record(
    driver: Driver,
    ask: Callable[[str, float], AtReply],
    *,
    source: str,
    identity: Mapping[str, str | None] | None = None,
    keeps_cells: bool = False,
) -> Iterator[dict[str, str]]:
    """The rows of a fixture file, as they come. Ends when the modem has fallen silent."""
    silent = 0
    known = [value for value in (identity or {}).values() if value and len(value) >= 10 and value[:10].isdigit()]
    for command in reads_of(driver):
        try:
            reply = ask(command, ANSWER_S)
            silent = 0
        except AtTimeout:
            silent += 1
            if silent >= MOST_SILENT:
                return
            continue
        yield {
            "vendor": driver.vendor,
            "module": driver.module,
            "platform": driver.platform or "",
            "command": command,
            "reply": anonymous(driver, command, reply.text, known, keeps_cells=keeps_cells),
            "source": source,
        }


def anonymous(
    driver: Driver, command: str, reply: str, known: Iterable[str] = (), *, keeps_cells: bool = False
) -> str:
    """A reply without what identifies somebody; every value keeps its length."""
    for value in known:
        reply = reply.replace(value, zeroed(value))
    text = _SERIAL.sub(lambda match: match[1] + re.sub(r"\w", "0", match[2]), reply)
    text = _DIGITS.sub(lambda match: zeroed(match[0]), text)
    if keeps_cells:
        return text
    try:
        values = decode_reply(driver.vendor, driver.module, driver.platform, command, reply)
    except AtFormatError:
        return _PERHAPS_CELL.sub(lambda match: "1" * len(match[0]), text)
    for cell in sorted({one for one in cells_of(values) if one >= LEAST_CELL}, reverse=True):
        written = rf"(?<![0-9A-Fa-f.])0*(?:{cell}|{cell:X})(?![0-9A-Fa-f.])"
        text = re.sub(written, lambda match: ones(match[0]), text, flags=re.IGNORECASE)
    return text


def zeroed(number: str) -> str:
    """A number whose owner's digits are gone."""
    return number[:KEPT_DIGITS] + "0" * (len(number) - KEPT_DIGITS)


def ones(number: str) -> str:
    """A cell of the same length that is nobody's; short numbers stand for other things too."""
    return "1" * len(number) if len(number) >= 4 else number


def cells_of(values: Any) -> Iterator[int]:
    """Cell identities and area codes, wherever they stand in decoded values."""
    if isinstance(values, dict):
        for name, value in values.items():
            if name in CELLS and isinstance(value, int):
                yield value
            else:
                yield from cells_of(value)
    elif isinstance(values, list):
        for value in values:
            yield from cells_of(value)
