"""Fibocom FM350's reports of a scene: GTCCINFO and GTCAINFO, with decimal channels as MediaTek prints them."""

from __future__ import annotations

from remsim.simulator.drive import Scene
from remsim.simulator.encode.tgpp import index

NR_BAND, NR_CHANNEL = 78, 636666


def band_code(scene: Scene) -> str:
    """100 + band for LTE, 50 before the band for NR."""
    return f"50{scene.cell.band}" if scene.mode == "SA" else str(100 + scene.cell.band)


def gtccinfo(scene: Scene, mcc: str, mnc: str) -> str:
    """AT+GTCCINFO?: a row a serving cell; EN-DC has two, and the 5G one does not know its TAC and cell."""
    cell = scene.cell
    mnc = str(int(mnc))
    if scene.mode == "SA":
        rsrp, rsrq = index(scene.rsrp_dbm, 1, -157, 126), index(scene.rsrq_db, 0.5, -43.5, 126)
        row = f"1,9,{mcc},{mnc},{cell.tac:X},{cell.cell_id:09X},{cell.earfcn},{cell.pci},{band_code(scene)},"
        return f"+GTCCINFO:\r\n{row}{round(cell.bw_mhz * 5)},255,{rsrp},{rsrp},{rsrq}\r\n"
    if scene.mode in ("UMTS", "GSM"):
        return f"+GTCCINFO:\r\n1,2,{mcc},{mnc},{cell.tac:X},{cell.cell_id:09X},10737,{cell.pci},1,,,,,\r\n"
    rsrp, rsrq = index(scene.rsrp_dbm, 1, -141, 97), index(scene.rsrq_db, 0.5, -20, 34)
    sinr = "" if scene.sinr_db is None else str(scene.sinr_db * 2)
    text = (
        f"+GTCCINFO:\r\n1,4,{mcc},{mnc},{cell.tac:X},{cell.cell_id:09X},{cell.earfcn},{cell.pci},{band_code(scene)},"
        f"{round(cell.bw_mhz * 5)},{sinr},{rsrp},{rsrp},{rsrq}\r\n"
    )
    if scene.mode == "NSA":
        text += f"1,9,,,FFFFFFF,00FFFFFFF,{NR_CHANNEL},{(cell.pci + 300) % 1008},50{NR_BAND},500,,255,255,255\r\n"
    return text


def gtcainfo(scene: Scene) -> str:
    """AT+GTCAINFO?: the primary carrier, and the 5G one in EN-DC."""
    cell = scene.cell
    if scene.mode not in ("LTE", "NSA", "SA") or scene.rsrp_dbm is None:
        return "+GTCAINFO:\r\n"
    code = round(cell.bw_mhz * 5)
    text = f"PCC:{band_code(scene)},{cell.pci},{cell.earfcn},{code},{code},1,1,2,2,{scene.rsrp_dbm}\r\n"
    return f"+GTCAINFO:\r\n{text}"
