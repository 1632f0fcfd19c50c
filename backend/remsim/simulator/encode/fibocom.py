"""Fibocom FM350's reports of a scene: GTCCINFO and GTCAINFO, with decimal channels as MediaTek prints them."""

from __future__ import annotations

from remsim.simulator.drive import NR_LEG, Channel, Scene
from remsim.simulator.encode.tgpp import index

NO_AREA = "FFFFFFF,00FFFFFFF"


def band_code(channel: Channel, mode: str) -> str:
    """100 + band for LTE, 50 before the band for NR."""
    return f"50{channel.band}" if mode == "SA" else str(100 + channel.band)


def width(channel: Channel) -> int:
    """Bandwidth as MHz * 5."""
    return round(channel.mhz * 5)


def gtccinfo(scene: Scene | None, mcc: str, mnc: str) -> str:
    """AT+GTCCINFO?: a row a serving cell; EN-DC has two, and the 5G one does not know its TAC and cell."""
    if scene is None:
        return "+GTCCINFO:\r\n"
    cell, channel = scene.cell, scene.cell.channel
    place = f"{int(mcc)},{int(mnc)},{cell.tac:X},{cell.cell_id:09X},{channel.number},{cell.pci}"
    if scene.mode == "UMTS":
        rscp = index(scene.rscp_dbm, 1, -121, 96)
        return f"+GTCCINFO:\r\n1,2,{place},{channel.band},,,{rscp},{rscp},255\r\n"
    if scene.mode == "SA":
        rsrp, rsrq = index(scene.rsrp_dbm, 1, -157, 126), index(scene.rsrq_db, 0.5, -43.5, 126)
        sinr = 255 if scene.sinr_db is None else scene.sinr_db
        rows = f"1,9,{place},{band_code(channel, 'SA')},{width(channel)},{sinr},{rsrp},{rsrp},{rsrq}\r\n"
        return f"+GTCCINFO:\r\n{rows}"
    rsrp, rsrq = index(scene.rsrp_dbm, 1, -141, 97), index(scene.rsrq_db, 0.5, -20, 34)
    sinr = 255 if scene.sinr_db is None else scene.sinr_db * 2
    rows = f"1,4,{place},{band_code(channel, 'LTE')},{width(channel)},{sinr},{rsrp},{rsrp},{rsrq}\r\n"
    if scene.mode == "NSA":
        leg = f"{NR_LEG.number},{cell.nr_pci},{band_code(NR_LEG, 'SA')},{width(NR_LEG)}"
        rsrp, rsrq = index(scene.rsrp_dbm, 1, -157, 126), index(scene.rsrq_db, 0.5, -43.5, 126)
        sinr = 255 if scene.sinr_db is None else scene.sinr_db
        rows += f"1,9,,,{NO_AREA},{leg},{sinr},{rsrp},{rsrp},{rsrq}\r\n"
    return f"+GTCCINFO:\r\n{rows}"


def gtcainfo(scene: Scene | None) -> str:
    """AT+GTCAINFO?: the 5G carrier of EN-DC first, then the primary one; nothing on 3G or without service."""
    if scene is None or scene.mode == "UMTS":
        return "+GTCAINFO:\r\n"
    cell, channel = scene.cell, scene.cell.channel
    rows = ""
    level = 255 if scene.rsrp_dbm is None else scene.rsrp_dbm
    if scene.mode == "NSA":
        code = width(NR_LEG)
        rows += f"PCC:{band_code(NR_LEG, 'SA')},{cell.nr_pci},{NR_LEG.number},{code},{code},3,1,1,4,{level}\r\n"
    code = width(channel)
    rows += f"PCC:{band_code(channel, scene.mode)},{cell.pci},{channel.number},{code},{code},1,1,2,2,{level}\r\n"
    return f"+GTCAINFO:\r\n{rows}"


def cops(name: str | None, plmn: str, form: int, act: int) -> str:
    """+COPS? as MediaTek prints it: 13 on plain LTE too, and another form without a network."""
    if name is None:
        return '+COPS:0,255,"",0'
    return f'+COPS: 0,{form},"{plmn if form == 2 else name}",{13 if act == 7 else act}'
