"""Quectel's reports of a scene: QENG, QCSQ, QCAINFO; on Unisoc's chip widths are MHz and SINR is dB."""

from __future__ import annotations

from remsim.simulator.drive import NR_LEG, Scene

RB = {5: 25, 10: 50, 15: 75, 20: 100}
LTE_BW = {5: 2, 10: 3, 15: 4, 20: 5}
NR_BW = {10: 1, 20: 3, 100: 12}
NO_LEVEL = -32768
OTHER_BRANCH_DB = 3
"""How much weaker the second antenna is; made up, for the recordings hold one level."""
UNUSED = {"QRSRP": -140, "QRSRQ": NO_LEVEL, "QSINR": NO_LEVEL}
UNUSED_SA = UNUSED | {"QRSRP": -44}
"""What stands for an antenna that is not used."""


def shown(value: float | None) -> str:
    """A value, or the dash that stands for none."""
    return "-" if value is None else f"{value:g}"


def sinr_index(sinr_db: float | None) -> str:
    """QENG's LTE SINR on Qualcomm modules: 2 x - 20 for x of 0 to 25."""
    return "-" if sinr_db is None else str(min(max(round((sinr_db + 20) / 2), 0), 25))


def qeng(
    scene: Scene, mcc: str, mnc: str, *, state: str, is_5g_module: bool, technology: str = "LTE"
) -> str:
    """AT+QENG="servingcell"; ``state`` is NOCONN, CONNECT or LIMSRV. An LTE module sees a 5G scene's anchor."""
    cell, channel = scene.cell, scene.cell.channel
    head = f'+QENG: "servingcell","{state}"'
    if scene.mode == "SA":
        return (
            f'{head},"NR5G-SA","FDD",{mcc},{mnc},{cell.cell_id:X},{cell.pci},{cell.tac:X},{channel.number},'
            f"{channel.band},{NR_BW[int(channel.mhz)]},{shown(scene.rsrp_dbm)},{shown(scene.rsrq_db)},"
            f"{shown(scene.sinr_db)},0,-"
        )
    if scene.mode == "UMTS":
        return (
            f'{head},"WCDMA",{mcc},{mnc},{cell.tac:X},{cell.cell_id:X},{channel.number},{cell.pci},1,'
            f"{shown(scene.rscp_dbm)},-,-,-,-,-,-"
        )
    width = LTE_BW[int(channel.mhz)]
    lte = (
        f'"{technology}","FDD",{mcc},{mnc},{cell.cell_id:X},{cell.pci},{channel.number},{channel.band},{width},{width},'
        f"{cell.tac:X},{shown(scene.rsrp_dbm)},{shown(scene.rsrq_db)},{shown(scene.rssi_dbm)},{sinr_index(scene.sinr_db)}"
    )
    lte += f",{shown(scene.cqi)},-,-" if is_5g_module else ",-"
    if scene.mode == "NSA" and is_5g_module:
        # SINR before RSRQ, other than in the LTE line.
        levels = ",".join(str(NO_LEVEL if x is None else x) for x in (scene.rsrp_dbm, scene.sinr_db, scene.rsrq_db))
        return (
            f'{head}\r\n+QENG: {lte}\r\n+QENG: "NR5G-NSA",{mcc},{mnc},{cell.nr_pci},{levels},'
            f"{NR_LEG.number},{NR_LEG.band},{NR_BW[int(NR_LEG.mhz)]},1"
        )
    return f"{head},{lte}"


def qeng_unisoc(scene: Scene, mcc: str, mnc: str, *, state: str) -> str:
    """The same from Unisoc: SA ends with SINR, power, srxlev and SCS. Of its LTE and 3G lines no capture was found."""
    if scene.mode != "SA":
        return qeng(scene, mcc, mnc, state=state, is_5g_module=scene.mode == "NSA")
    cell, channel = scene.cell, scene.cell.channel
    return (
        f'+QENG: "servingcell","{state}","NR5G-SA","FDD",{mcc},{mnc},{cell.cell_id:X},{cell.pci},{cell.tac:X},'
        f"{channel.number},{channel.band},{channel.mhz:g},{shown(scene.rsrp_dbm)},{shown(scene.rsrq_db)},"
        f"{shown(scene.sinr_db)},18,34,0"
    )


def neighbours(scene: Scene, form: str) -> str:
    """AT+QENG="neighbourcell": intra- and interfrequency LTE cells; ``form`` is lte, 5g or unisoc."""
    rows = []
    for cell in scene.neighbours:
        rsrp, rsrq, rssi = shown(cell.rsrp_dbm), shown(cell.rsrq_db), shown(cell.rssi_dbm)
        if cell.rat == "NR":
            if form == "unisoc":
                rows.append(f'+QENG: "neighbourcell","NR",{cell.number},{cell.pci},{rsrp},{rsrq},-,-,32')
            continue  # Qualcomm's 5G firmware names LTE neighbours only
        intra = cell.number == scene.cell.channel.number
        kind = "intra" if intra else "inter"
        head = f'+QENG: "neighbourcell {kind}","LTE",{cell.number},{cell.pci},{rsrq},{rsrp},{rssi}'
        tail = {("5g", True): "0,37,7,16,6,44", ("5g", False): "0,37,0,30,7,-,-,-,-"}.get(
            (form, intra), "0,8,4,10,2,62" if intra else "0,8,2,6,6"
        )
        rows.append(f"{head},{tail}")
    return "\r\n".join(rows)


def qcsq(scene: Scene, technology: str = "LTE") -> str:
    """AT+QCSQ of an LTE module: SINR as (dB + 20) * 5."""
    if scene.mode == "UMTS":
        return f'+QCSQ: "WCDMA",-,{shown(scene.rscp_dbm)},-'
    sinr = "-" if scene.sinr_db is None else str(min(max((scene.sinr_db + 20) * 5, 0), 250))
    return f'+QCSQ: "{technology}",{shown(scene.rssi_dbm)},{shown(scene.rsrp_dbm)},{sinr},{shown(scene.rsrq_db)}'


def branches(scene: Scene, name: str, *, is_5g_module: bool) -> str:
    """AT+QRSRP, AT+QRSRQ, AT+QSINR: two of four antennas; 5G modules name the technology, a line each in EN-DC.

    Of 3G no capture was found.
    """
    level = {"QRSRP": scene.rsrp_dbm, "QRSRQ": scene.rsrq_db, "QSINR": scene.sinr_db}[name]
    unused = (UNUSED_SA if scene.mode == "SA" else UNUSED)[name]
    used = [unused, unused] if level is None else [level, level - (1 if name == "QRSRQ" else OTHER_BRANCH_DB)]
    line = f"+{name}: {','.join(str(value) for value in (*used, unused, unused))}"
    if not is_5g_module:
        return line
    words = {"LTE": ("LTE",), "NSA": ("LTE", "NR5G"), "SA": ("NR5G",)}.get(scene.mode, ())
    return "\r\n".join(f"{line},{word}" for word in words)


def qcainfo(scene: Scene, *, is_5g_module: bool) -> str:
    """AT+QCAINFO with the primary carrier, and the 5G one in EN-DC; nothing on 3G."""
    cell, channel = scene.cell, scene.cell.channel
    if scene.mode == "SA":
        return f'+QCAINFO: "PCC",{channel.number},{NR_BW[int(channel.mhz)]},"NR5G BAND {channel.band}",{cell.pci}'
    if scene.mode == "UMTS":
        return ""
    signal = f"{shown(scene.rsrp_dbm)},{shown(scene.rsrq_db)},{shown(scene.rssi_dbm)},{sinr_index(scene.sinr_db)}"
    text = f'+QCAINFO: "PCC",{channel.number},{RB[int(channel.mhz)]},"LTE BAND {channel.band}",1,{cell.pci},{signal}'
    for one in scene.carriers:
        levels = f"{shown(one.rsrp_dbm)},{shown(one.rsrq_db)},{shown(one.rssi_dbm)},{sinr_index(one.sinr_db)}"
        tail = ",0,-,-" if is_5g_module else ""
        text += (
            f'\r\n+QCAINFO: "SCC",{one.channel.number},{RB[int(one.channel.mhz)]},"LTE BAND {one.channel.band}",1,'
            f"{one.pci},{levels}{tail}"
        )
    if scene.mode == "NSA" and is_5g_module:
        text += f'\r\n+QCAINFO: "SCC",{NR_LEG.number},{NR_BW[int(NR_LEG.mhz)]},"NR5G BAND {NR_LEG.band}",{cell.nr_pci}'
    return text


def qcainfo_unisoc(scene: Scene) -> str:
    """The same from Unisoc; of LTE no capture was found."""
    if scene.mode != "SA":
        return qcainfo(scene, is_5g_module=scene.mode == "NSA")
    cell, channel = scene.cell, scene.cell.channel
    levels = f"{shown(scene.rsrp_dbm)},{shown(scene.rsrq_db)},{shown(scene.rssi_dbm)},{shown(scene.sinr_db)}"
    return f'+QCAINFO: "PCC",{channel.number},{channel.mhz:g},"NR N{channel.band}",1,{cell.pci},{levels}'


def qnwinfo(scene: Scene, plmn: str, *, is_5g_module: bool, is_unisoc: bool = False) -> str:
    """AT+QNWINFO: technology, network, band, channel; a line a technology in EN-DC."""
    channel = scene.cell.channel
    if scene.mode == "SA" and is_unisoc:
        return f'+QNWINFO: "NR5G-SA",{plmn},"NR N{channel.band}",{channel.number}'
    if scene.mode == "SA":
        return f'+QNWINFO: "NR5G-SA","{plmn}","NR5G BAND {channel.band}",{channel.number}'
    if scene.mode == "UMTS":
        return f'+QNWINFO: "WCDMA","{plmn}","WCDMA 2100",{channel.number}'
    text = f'+QNWINFO: "FDD LTE","{plmn}","LTE BAND {channel.band}",{channel.number}'
    if scene.mode == "NSA" and is_5g_module:
        text += f'\r\n+QNWINFO: "NR5G-NSA","{plmn}","NR5G BAND {NR_LEG.band}",{NR_LEG.number}'
    return text


def qtemp(temperature_c: int, *, is_5g_module: bool) -> str:
    """AT+QTEMP: named sensors on 5G modules (-273: not there), three numbers on older ones."""
    if not is_5g_module:
        return f"+QTEMP: {temperature_c},{temperature_c - 2},{temperature_c - 3}"
    sensors = {"modem-lte-sub6-pa1": temperature_c, "modem-ambient-usr": temperature_c - 3, "modem-mmw0": -273}
    return "\r\n".join(f'+QTEMP:"{name}","{value}"' for name, value in sensors.items())
