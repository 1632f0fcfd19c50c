"""Fibocom's reports of a scene, GTCCINFO and GTCAINFO: decimal channels on MediaTek, hexadecimal ones on Qualcomm."""

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
        return f"+GTCCINFO:\r\n{rows}{neighbour_rows(scene)}"
    rsrp, rsrq = index(scene.rsrp_dbm, 1, -141, 97), index(scene.rsrq_db, 0.5, -20, 34)
    sinr = 255 if scene.sinr_db is None else scene.sinr_db * 2
    rows = f"1,4,{place},{band_code(channel, 'LTE')},{width(channel)},{sinr},{rsrp},{rsrp},{rsrq}\r\n"
    if scene.mode == "NSA":
        leg = f"{NR_LEG.number},{cell.nr_pci},{band_code(NR_LEG, 'SA')},{width(NR_LEG)}"
        rsrp, rsrq = index(scene.rsrp_dbm, 1, -157, 126), index(scene.rsrq_db, 0.5, -43.5, 126)
        sinr = 255 if scene.sinr_db is None else scene.sinr_db
        rows += f"1,9,,,{NO_AREA},{leg},{sinr},{rsrp},{rsrp},{rsrq}\r\n"
    return f"+GTCCINFO:\r\n{rows}{neighbour_rows(scene)}"


def levels_of(rat: str, rsrp_dbm: int | None, rsrq_db: int | None) -> tuple[int, int]:
    """RSRP and RSRQ as indexes of 36.133 or 38.133."""
    if rat == "NR":
        return index(rsrp_dbm, 1, -157, 126), index(rsrq_db, 0.5, -43.5, 126)
    return index(rsrp_dbm, 1, -141, 97), index(rsrq_db, 0.5, -20, 34)


def neighbour_rows(scene: Scene) -> str:
    """MediaTek's neighbours: neither band nor SINR."""
    rows = ""
    for cell in scene.neighbours:
        rsrp, rsrq = levels_of(cell.rat, cell.rsrp_dbm, cell.rsrq_db)
        code = 9 if cell.rat == "NR" else 4
        rows += f"2,{code},,,FFFF,00FFFFFFF,{cell.number},{cell.pci},,{rsrp},{rsrp},{rsrq}\r\n"
    return rows


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
    for number, one in enumerate(scene.carriers, start=1):
        code = width(one.channel)
        place = f"{100 + one.channel.band},{one.pci},{one.channel.number}"
        rows += f"SCC {number}:2,0,{place},{code},255,2,255,2,255,{level}\r\n"
    return f"+GTCAINFO:\r\n{rows}"


def gtccinfo_hex(scene: Scene | None, mcc: str, mnc: str) -> str:
    """AT+GTCCINFO? of FM150 and FM160: rows below labels, channel and PCI in hex, the NR SINR as an index."""
    if scene is None:
        return "+GTCCINFO:"
    cell, channel = scene.cell, scene.cell.channel
    place = f"{int(mcc)},{mnc},{cell.tac:X},{cell.cell_id:X},{channel.number:X},{cell.pci:X}"
    if scene.mode == "UMTS":
        rscp = index(scene.rscp_dbm, 1, -121, 96)
        return f"+GTCCINFO:\r\nUMTS service cell:\r\n1,2,{place},{channel.band},,,{rscp},{rscp},255"
    rat = "NR" if scene.mode == "SA" else "LTE"
    rsrp, rsrq = levels_of(rat, scene.rsrp_dbm, scene.rsrq_db)
    code, sinr = (9, nr_sinr(scene)) if rat == "NR" else (4, 255 if scene.sinr_db is None else scene.sinr_db * 2)
    row = f"1,{code},{place},{band_code(channel, scene.mode)},{width(channel)},{sinr},{rsrp},{rsrp},{rsrq}"
    lines = ["+GTCCINFO:", f"{rat} service cell:", row]
    if scene.mode == "NSA":
        rsrp, rsrq = levels_of("NR", scene.rsrp_dbm, scene.rsrq_db)
        leg = f"{NR_LEG.number:X},{cell.nr_pci:X},{band_code(NR_LEG, 'SA')},{width(NR_LEG)}"
        lines += ["NR service cell:", f"1,9,{int(mcc)},{mnc},,,{leg},{nr_sinr(scene)},{rsrp},{rsrp},{rsrq}"]
    if scene.neighbours:
        lines.append(f"{rat} neighbor cell:")
    for one in scene.neighbours:
        rsrp, rsrq = levels_of(one.rat, one.rsrp_dbm, one.rsrq_db)
        lines.append(f"2,{code},,,,,{one.number:X},{one.pci:X},,{rsrp},{rsrp},{rsrq}")
    return "\r\n".join(lines) + "\r\n"


def nr_sinr(scene: Scene) -> int:
    """SINR of 5G as the index of 38.133."""
    return index(scene.sinr_db, 0.5, -23.5, 127)


def gtcainfo_hex(scene: Scene | None) -> str:
    """AT+GTCAINFO? of FM150 and FM160: PCI and channel of LTE in hex, the last field of a primary its RSRP index."""
    if scene is None or scene.mode == "UMTS":
        return "+GTCAINFO: "
    cell, channel = scene.cell, scene.cell.channel
    lte, nr = index(scene.rsrp_dbm, 1, -141, 97), index(scene.rsrp_dbm, 1, -157, 126)
    if scene.mode == "SA":
        row = f"{band_code(channel, 'SA')},{cell.pci},{channel.number},{width(channel)},2,,1,3,{nr}"
        return f"+GTCAINFO:\r\nNR PCC: {row}\r\n"
    lines = [f"LTE PCC: {100 + channel.band},{cell.pci:X},{channel.number:X},{width(channel)},2,1,1,2,{lte}"]
    if scene.mode == "NSA":
        lines.append(f"NR PCC: 50{NR_LEG.band},{cell.nr_pci},{NR_LEG.number},{width(NR_LEG)},2,,1,3,{nr}")
    for number, one in enumerate(scene.carriers, start=1):
        level = index(one.rsrp_dbm, 1, -141, 97)
        place = f"{100 + one.channel.band},{one.pci:X},{one.channel.number:X},{width(one.channel)}"
        lines.append(f"LTE SCC{number}: 2,0,{place},0,2,1,3,6,{level}")
    return "\r\n".join(("+GTCAINFO:", *lines)) + "\r\n"


def cops(name: str | None, plmn: str, form: int, act: int, mode: int = 0) -> str:
    """+COPS? as MediaTek prints it: 13 on plain LTE too, and another form without a network."""
    if name is None:
        return f'+COPS:{mode},255,"",0'
    return f'+COPS: {mode},{form},"{plmn if form == 2 else name}",{13 if act == 7 else act}'
