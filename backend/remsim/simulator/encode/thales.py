"""Reports of a scene by Thales modules: SMONI (PLS8 and its kin), DEBUG (MV31)."""

from __future__ import annotations

from remsim.simulator.drive import NR_LEG, Carrier, Channel, Scene


def shown(value: float | None) -> str:
    """A value, or the dashes that stand for none."""
    return "--" if value is None else f"{value:g}"


def smoni(scene: Scene | None, mcc: str, mnc: str, *, state: str) -> str:
    """AT^SMONI: the serving cell; ``state`` is NOCONN, CONN or LIMSRV. An LTE module sees a 5G scene's anchor."""
    if scene is None or scene.mode == "SA":
        return "^SMONI: 4G,SEARCH"
    cell, channel = scene.cell, scene.cell.channel
    if scene.mode == "UMTS":
        place = f"{mcc},{mnc},{cell.tac:04X},{cell.cell_id:07X}"
        return f"^SMONI: 3G,{channel.number},{cell.pci},--,{shown(scene.rscp_dbm)},{place},--,--,{state}"
    width = f"{channel.mhz:g}"
    return (
        f"^SMONI: 4G,{channel.number},{channel.band},{width},{width},FDD,{mcc},{mnc},{cell.tac:04X},{cell.cell_id:07X},"
        f"{cell.pci},33,{shown(scene.rsrp_dbm)},{shown(scene.rsrq_db)},{state}"
    )


def level(name: str, value: float | None, unit: str) -> str:
    """``name:value`` with its unit, NA for none."""
    return f"{name}:NA" if value is None else f"{name}:{value:.1f}{unit}"


def debug(scene: Scene | None, mcc: str, mnc: str) -> str:
    """AT^DEBUG? of MV31: a line a value. Of 3G no capture was found: the names are LTE's fellows."""
    if scene is None:
        return "RAT:No Service"
    cell = scene.cell
    if scene.mode == "UMTS":
        return f"RAT:WCDMA\r\nmcc:{mcc},mnc:{mnc}\r\nchannel:{cell.channel.number}"
    if scene.mode == "SA":
        lines = ["RAT:NR5G_SA", f"mcc:{mcc},mnc:{mnc}", f"nr_cell_id:{cell.cell_id}", f"nr_tac:{cell.tac}"]
        return "\r\n".join((*lines, *nr_lines(cell.channel, cell.pci, scene)))
    lines = [
        "RAT:LTE+NR" if scene.mode == "NSA" else "RAT:LTE",
        f"mcc:{mcc},mnc:{mnc}",
        f"lte_cell_id:{cell.cell_id}",
        f"lte_tac:{cell.tac}",
        "lte_tx_pwr:NA",
    ]
    levels = (scene.rsrp_dbm, scene.rsrq_db, scene.rssi_dbm, scene.sinr_db)
    lines += lte_lines("pcell", Carrier(cell.channel, cell.pci, *levels))
    for one in scene.carriers:
        lines += lte_lines("scell", one)
    if scene.mode == "NSA":
        lines += nr_lines(NR_LEG, cell.nr_pci, scene)
    return "\r\n".join(lines)


def lte_lines(role: str, one: Carrier) -> list[str]:
    """An LTE carrier."""
    return [
        f"{role}: lte_band:{one.channel.band} lte_band_width:{one.channel.mhz:.1f}MHz",
        f"channel:{one.channel.number} pci:{one.pci}",
        f"{level('lte_rsrp', one.rsrp_dbm, 'dBm')},{level('rsrq', one.rsrq_db, 'dB')}",
        f"{level('lte_rssi', one.rssi_dbm, 'dBm')},{level('lte_snr', one.sinr_db, 'dB')}",
    ]


def nr_lines(channel: Channel, pci: int, scene: Scene) -> list[str]:
    """A 5G carrier, whose RSRP and RSRQ are whole."""
    return [
        f"nr_band:n{channel.band}",
        f"nr_band_width:{channel.mhz:.1f}MHz",
        f"nr_channel:{channel.number}",
        f"nr_pci:{pci}",
        "nr_rsrp:NA" if scene.rsrp_dbm is None else f"nr_rsrp:{scene.rsrp_dbm}dBm",
        "nr_rsrq:NA" if scene.rsrq_db is None else f"nr_rsrq:{scene.rsrq_db}dB",
        level("nr_snr", scene.sinr_db, "dB"),
    ]
