"""Scripted modems of the families with the settings that control changes, in the form the real ones print them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from control_bench import ControlBench
from modem_bench import ONLINE
from scripted_modem import OK, framed
from usb_tree import UsbTree

GSTATUS = (
    "!GSTATUS:\nCurrent Time:  101\t\tTemperature: 32\nReset Counter: 1\t\tMode:        ONLINE\n"
    "System mode:   LTE        \tPS state:    Attached\nLTE band:      B3     \t\tLTE bw:      20 MHz\n"
    "LTE Rx chan:   1300\t\tLTE Tx chan: 19300\nEMM state:     Registered     \tNormal Service\n"
    "RRC state:     RRC Connected\nIMS reg state: No Srv\n\nPCC RxM RSSI: -61\t\tRSRP (dBm):  -92\n"
    "Tx Power:      0\t\tTAC:         1A2B (6699)\nRSRQ (dB):     -9.8\t\tCell ID:     01A2B03 (1714947)\n"
    "SINR (dB):      9.2"
)
COMMON = {
    "AT+CGSN": "868371050000012",
    "AT+CIMI": "262010000000001",
    "AT+CCID": "+CCID: 89490200001234567890",
    "AT+ICCID": "+ICCID: 89490200001234567890",
    "AT+CPIN?": "+CPIN: READY",
    "AT+CEREG?": '+CEREG: 2,1,"1A2B","01A2B03",7',
    "AT+CREG?": '+CREG: 2,1,"1A2B","01A2B03",7',
    "AT+COPS?": '+COPS: 0,0,"Telekom.de",7',
    "AT+CFUN?": "+CFUN: 1",
}
SIERRA = {**COMMON, "AT+CGMI": "Sierra Wireless, Incorporated", "AT!GSTATUS?": GSTATUS, "AT!UIMS?": "!UIMS: 0"}
FIBOCOM = {
    **COMMON,
    "AT+CGMI?": '+CGMI: "Fibocom Wireless Inc."',
    "AT+CGSN?": '+CGSN: "868371050000012"',
    "AT+CIMI?": '+CIMI: "262010000000001"',
}
TEXTS: dict[str, dict[str, str]] = {
    "RM520N-GL": ONLINE,
    "EG25": {
        **COMMON,
        "AT+CGMI": "Quectel",
        "AT+CGMM": "EG25",
        "AT+CGMR": "EG25GGBR07A08M2G",
        "AT+QCCID": "+QCCID: 89490200001234567890",
        'AT+QENG="servingcell"': '+QENG: "servingcell","NOCONN","LTE","FDD",262,01,1A2B03,12,1300,3,5,5,1A2B,-97,-11,'
        "-68,15,-",
        "AT+QCSQ": '+QCSQ: "LTE",68,-97,150,-11',
    },
    "MC7455": {**SIERRA, "AT+CGMM": "MC7455", "AT+CGMR": "SWI9X30C_02.33.03.00 r8209 CARMD-EV-FRMWR2 2019/08/28"},
    "EM7565": {**SIERRA, "AT+CGMM": "EM7565", "AT+CGMR": "SWI9X50C_01.14.02.00 2e210b jenkins 2020/08/19"},
    "EM9291": {**SIERRA, "AT+CGMM": "EM9291", "AT+CGMR": "SWIX65C_02.13.08.00 00d0ec jenkins 2023/02/08"},
    "FM350-GL": {
        **FIBOCOM,
        "AT+CGMM?": '+CGMM: "FM350-GL"',
        "AT+CGMR?": '+CGMR: "81600.0000.00.29.21.24"',
        "AT+CESQ": "+CESQ: 99,99,255,255,20,50,255,255,255",
        "AT+GTCCINFO?": "+GTCCINFO:\n1,4,262,1,1A2B,01A2B03,1650,187,103,100,8,44,44,19\n"
        "2,4,,,FFFF,00FFFFFFF,1650,188,,42,42,15\n2,4,,,FFFF,00FFFFFFF,1850,41,,26,26,9\n",
        "AT+GTDUALSIM?": '+GTDUALSIM : 0, "SUB1", "L"',
        "AT+GTDUALSIM=?": "+GTDUALSIM: (0-1)",
    },
    "FM160-EAU": {
        **FIBOCOM,
        "AT+CGMM?": '+CGMM: "FM160-EAU"',
        "AT+CGMR?": '+CGMR: "89614.1000.00.04.01.02"',
        "AT+GTCCINFO?": "+GTCCINFO:\nLTE service cell:\n1,4,262,01,1A2B,1A2B03,0514,00C,103,100,8,44,44,19\n",
        "AT+GTDUALSIM?": '+GTDUALSIM: 0,"SUB1","LTE"',
    },
    "MV31-W": {
        **COMMON,
        "AT+CGMI": "Cinterion",
        "AT+CGMM": "MV31-W",
        "AT+CGMR": "T99W175.F0.1.0.0.9.DF.015",
        "AT^DEBUG?": "RAT:LTE\nmcc:222,mnc:10\nlte_cell_id:12176170\nlte_tac:22097\nlte_tx_pwr:18.2dBm\n"
        "lte_ant_rsrp:rx_diversity:3 (-79.5dBm,-75.9dBm,NA,NA)\npcell: lte_band:1 lte_band_width:15.0MHz\n"
        "channel:525 pci:263\nlte_rsrp:-75.7dBm,rsrq:-10.2dB\nlte_rssi:-46.6dBm,lte_snr:4.8dB",
        "AT^SWITCH_SLOT?": "SIM1 ENABLE",
    },
    "L850-GL": {
        **COMMON,
        "AT+CGMI": "Fibocom",
        "AT+CGMM": '"L850 LTE Module","L850"',
        "AT+CGMR": "18500.5001.00.05.27.16",
        "AT+XCESQ?": "+XCESQ: 0,99,99,255,255,19,46,32",
        "AT+XMCI=1": '+XMCI: 4,262,01,"0x1A2B","0x01A2B03","0x0071","0x0000052D","0x00004B7D","0xFFFFFFFF",59,19,14,'
        '"0x00000000","0x00000000"',
    },
}
USB = {
    "RM520N-GL": ("2c7c:0801", 2),
    "EG25": ("2c7c:0125", 2),
    "MC7455": ("1199:9071", 3),
    "EM7565": ("1199:9091", 3),
    "EM9291": ("1199:90e3", 4),
    "FM350-GL": ("0e8d:7127", 6),
    "FM160-EAU": ("2cb7:0104", 1),
    "MV31-W": ("1e2d:00b3", 2),
    "L850-GL": ("2cb7:0007", 2),
}


class FamilyBench(ControlBench):
    """A bench with one module of ``USB``; ``serve`` answers commands by their beginning."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, module: str, **options: Any) -> None:
        usb_id, number = USB[module]
        triple = "ffff40" if usb_id.startswith("1199:90e") else "ff0000"

        def plug(tree: UsbTree) -> None:
            tree.plug("1-1", usb_id)
            tree.interface("1-1", number, tty="ttyUSB2", triple=triple, driver="option")

        self.sent: list[str] = []
        self._rules: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str | bytes | None]]] = []
        super().__init__(root, monkeypatch, texts=TEXTS[module], plug=plug, **options)
        self.modem.answers |= dict.fromkeys(("AT+C5GREG=2", "AT+COPS=3,0", "AT+MTSM=2,10"), OK)
        self.modem.default = self._answer

    def serve(self, pattern: str, answer: Callable[[re.Match[str]], str | bytes | None]) -> None:
        """Answer commands of a form: text before OK, an error alone, bytes as they are, None for silence."""
        self._rules.insert(0, (re.compile(pattern), answer))

    def wrote(self, *words: str) -> list[str]:
        """The commands sent that contain one of the words, in their order; questions for what there is do not count."""
        sent = (command for command in self.modem.commands if not command.endswith("=?"))
        return [command for command in sent if any(word in command for word in words)]

    def _answer(self, command: str) -> bytes | None:
        for pattern, answer in self._rules:
            if (match := pattern.fullmatch(command)) is not None:
                told = answer(match)
                if told is None or isinstance(told, bytes):
                    return told
                is_final = told.startswith(("ERROR", "+CME", "+CMS"))
                return framed(told if is_final else f"{told}\n\nOK") if told else OK
        return framed("ERROR")
