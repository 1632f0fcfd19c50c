"""Reports of a scene by Intel's XMM chips (L850, L860): XMCI, XCESQ, XLEC, XCCINFO, RSRP and RSRQ."""

from __future__ import annotations

from remsim.simulator.drive import Scene
from remsim.simulator.encode.tgpp import cesq, index

BW = {5: 2, 10: 3, 15: 4, 20: 5}
NO_CHANNEL, NO_TIME = "0xFFFFFFFF", "0x7FFFFFFF"


def levels(rsrp_dbm: float | None, rsrq_db: float | None) -> str:
    """Indexes of 36.133."""
    return f"{index(rsrp_dbm, 1, -141, 97)},{index(rsrq_db, 0.5, -20, 34)}"


def half_db(sinr_db: float | None) -> int:
    """RSSNR in half dB."""
    return 255 if sinr_db is None else round(sinr_db * 2)


def xmci(scene: Scene | None, mcc: str, mnc: str) -> str:
    """AT+XMCI: the serving cell (4) and its neighbours (5); of 3G no capture was found, so it is empty there."""
    if scene is None or scene.mode == "UMTS":
        return ""
    cell = scene.cell
    rows = [
        f'+XMCI: 4,{mcc},{mnc},"0x{cell.tac:04X}","0x{cell.cell_id:08X}","0x{cell.pci:04X}",'
        f'"0x{cell.channel.number:08X}","0x{cell.channel.number + 18000:08X}","{NO_CHANNEL}",'
        f'{levels(scene.rsrp_dbm, scene.rsrq_db)},{half_db(scene.sinr_db)},"0x00000000","0x00000000"'
    ]
    for one in scene.neighbours:
        if one.rat == "LTE":
            rows.append(
                f'+XMCI: 5,000,000,"0xFFFE","{NO_CHANNEL}","0x{one.pci:04X}","0x{one.number:08X}","{NO_CHANNEL}",'
                f'"{NO_CHANNEL}",{levels(one.rsrp_dbm, one.rsrq_db)},255,"{NO_TIME}","0x00000000"'
            )
    return "\r\n".join(rows)


def xcesq(scene: Scene | None) -> str:
    """AT+XCESQ?: +CESQ's six indexes and RSSNR."""
    numbers = cesq(scene, with_nr=False).removeprefix("+CESQ: ")
    is_lte = scene is not None and scene.mode != "UMTS"
    return f"+XCESQ: 0,{numbers},{half_db(scene.sinr_db) if scene is not None and is_lte else 255}"


def xlec(scene: Scene | None) -> str:
    """AT+XLEC?: how many carriers, a width for each, the band of the first."""
    if scene is None or scene.mode == "UMTS":
        return "+XLEC: 0,0"
    channels = [scene.cell.channel, *(one.channel for one in scene.carriers)]
    widths = ",".join(str(BW[int(channel.mhz)]) for channel in channels)
    return f"+XLEC: 0,{len(channels)},{widths},BAND_LTE_{channels[0].band}"


def xccinfo(scene: Scene | None, mcc: str, mnc: str) -> str:
    """AT+XCCINFO?: the serving cell with its band."""
    if scene is None or scene.mode == "UMTS":
        return ""
    cell = scene.cell
    return (
        f'+XCCINFO: 0,{mcc},{mnc},"{cell.cell_id:08X}",3,{100 + cell.channel.band},"FFFF",1,"FF","{cell.tac:04X}"'
        ",0,0,0,0,0,0,0,0"
    )


def cell_list(name: str, scene: Scene | None) -> str:
    """AT+RSRP? and AT+RSRQ?: PCI, EARFCN and value of the serving cell, its carriers, its neighbours."""
    if scene is None or scene.mode == "UMTS" or scene.rsrp_dbm is None:
        return f"{name}: "
    cells: list[tuple[int, int, int | None, int | None]]
    cells = [(scene.cell.pci, scene.cell.channel.number, scene.rsrp_dbm, scene.rsrq_db)]
    cells += [(one.pci, one.channel.number, one.rsrp_dbm, one.rsrq_db) for one in scene.carriers]
    cells += [(one.pci, one.number, one.rsrp_dbm, one.rsrq_db) for one in scene.neighbours if one.rat == "LTE"]
    rows = ((pci, number, rsrp if name == "+RSRP" else rsrq) for pci, number, rsrp, rsrq in cells)
    return f"{name}: " + ",".join(f"{pci},{number},{value:.2f}" for pci, number, value in rows if value is not None)
