"""Quectel's reports of a scene: QENG, QCSQ, QCAINFO."""

from __future__ import annotations

from remsim.simulator.drive import Scene

RB = {1.4: 6, 3: 15, 5: 25, 10: 50, 15: 75, 20: 100}


def shown(value: float | None) -> str:
    """A value, or the dash that stands for none."""
    return "-" if value is None else f"{value:g}"


def sinr_index(sinr_db: float | None) -> str:
    """QENG's LTE SINR on Qualcomm 5G modules: 2 x - 20."""
    return "-" if sinr_db is None else str(min(max(round((sinr_db + 20) / 2), 0), 25))


def qeng(scene: Scene, mcc: str, mnc: str, *, is_5g_module: bool) -> str:
    """AT+QENG="servingcell"."""
    cell = scene.cell
    if scene.mode == "SA":
        return (
            f'+QENG: "servingcell","NOCONN","NR5G-SA","TDD",{mcc},{mnc},{cell.cell_id:X},{cell.pci},{cell.tac:X},'
            f"{cell.earfcn},{cell.band},{cell.bw_code},{shown(scene.rsrp_dbm)},{shown(scene.rsrq_db)},"
            f"{shown(scene.sinr_db)},1,-"
        )
    if scene.mode == "UMTS":
        return (
            f'+QENG: "servingcell","NOCONN","WCDMA",{mcc},{mnc},{cell.tac:X},{cell.cell_id:X},10737,{cell.pci},1,'
            f"{shown(scene.rscp_dbm)},-,-,-,-,-,-"
        )
    if scene.mode == "GSM":
        return f'+QENG: "servingcell","NOCONN","GSM",{mcc},{mnc},{cell.tac:X},{cell.cell_id:X},12,8,-,{shown(scene.rssi_dbm)}'
    sinr = sinr_index(scene.sinr_db) if is_5g_module else "-"
    lte = (
        f'"LTE","FDD",{mcc},{mnc},{cell.cell_id:X},{cell.pci},{cell.earfcn},{cell.band},{cell.bw_code},{cell.bw_code},'
        f"{cell.tac:X},{shown(scene.rsrp_dbm)},{shown(scene.rsrq_db)},{shown(scene.rssi_dbm)},{sinr}"
    )
    lte += ",-,-,-" if is_5g_module else ",-"
    if scene.mode == "NSA" and is_5g_module:
        # The recordings do not hold the 5G leg's levels; -32768 is how these modules say so.
        nr = f'+QENG: "NR5G-NSA",{mcc},{mnc},{(cell.pci + 300) % 1008},-32768,-32768,-32768,636666,78,12,1'
        return f'+QENG: "servingcell","NOCONN"\r\n+QENG: {lte}\r\n{nr}'
    return f'+QENG: "servingcell","NOCONN",{lte}'


def qcsq(scene: Scene) -> str:
    """AT+QCSQ of an LTE module: SINR as (dB + 20) * 5."""
    if scene.mode == "UMTS":
        return f'+QCSQ: "WCDMA",{scene.rssi_dbm or scene.rscp_dbm or 0},{shown(scene.rscp_dbm)},-'
    if scene.mode == "GSM":
        return f'+QCSQ: "GSM",{scene.rssi_dbm or 0}'
    sinr = "-" if scene.sinr_db is None else str(min(max((scene.sinr_db + 20) * 5, 0), 250))
    return f'+QCSQ: "LTE",{shown(scene.rssi_dbm)},{shown(scene.rsrp_dbm)},{sinr},{shown(scene.rsrq_db)}'


def qcainfo(scene: Scene) -> str:
    """AT+QCAINFO with the primary carrier, and the 5G one in EN-DC."""
    cell = scene.cell
    if scene.mode == "SA":
        return f'+QCAINFO: "PCC",{cell.earfcn},{cell.bw_code},"NR5G BAND {cell.band}",{cell.pci}'
    if scene.mode not in ("LTE", "NSA"):
        return ""
    signal = f"{shown(scene.rsrp_dbm)},{shown(scene.rsrq_db)},{shown(scene.rssi_dbm)},-"
    lines = [f'+QCAINFO: "PCC",{cell.earfcn},{RB[cell.bw_mhz]},"LTE BAND {cell.band}",1,{cell.pci},{signal}']
    if scene.mode == "NSA":
        lines.append(f'+QCAINFO: "SCC",636666,12,"NR5G BAND 78",{(cell.pci + 300) % 1008}')
    return "\r\n".join(lines)
