"""Sierra's reports of a scene in the 9x50 layout: GSTATUS and LTEINFO."""

from __future__ import annotations

from remsim.simulator.drive import Scene


def shown(value: float | None) -> str:
    """A value, or the dashes that stand for none."""
    return "--" if value is None else f"{value}"


def decimal(value: float | None) -> str:
    """A ratio with one decimal."""
    return "--" if value is None else f"{value:.1f}"


def pair(left: str, right: str) -> str:
    """Two columns of the table."""
    return f"{left:<22}\t{right}\r\n"


def gstatus(scene: Scene, *, temperature_c: int, registered: bool, uptime_s: int) -> str:
    """AT!GSTATUS? of an EM75xx; it is an LTE module, so a 5G scene is its LTE anchor."""
    cell = scene.cell
    system = {"UMTS": "WCDMA", "GSM": "GSM"}.get(scene.mode, "LTE") if registered else "No service"
    text = "!GSTATUS: \r\n"
    text += pair(f"Current Time:  {uptime_s}", f"Temperature: {temperature_c}")
    text += pair("Reset Counter: 1", "Mode:        ONLINE")
    text += pair(f"System mode:   {system}", f"PS state:    {'Attached' if registered else 'Not attached'}")
    if system == "LTE":
        text += pair(f"LTE band:      B{cell.band}", f"LTE bw:      {cell.bw_mhz:g} MHz")
        text += pair(f"LTE Rx chan:   {cell.earfcn}", f"LTE Tx chan: {cell.earfcn + 18000}")
        text += "".join(f"LTE SSC{number} state:NOT ASSIGNED\r\n" for number in (1, 2, 3, 4))
    elif system == "WCDMA":
        text += "WCDMA band:    WCDMA 2100\r\nWCDMA channel: 10737\r\n"
    if system in ("LTE", "No service"):
        state = "Registered     \tNormal Service" if registered else "Deregistered   \tNo Cell"
        text += f"EMM state:     {state}\r\nRRC state:     RRC Idle\r\nIMS reg state: No Srv\r\n\r\n"
    if system == "LTE":
        rssi, rsrp = shown(scene.rssi_dbm), shown(scene.rsrp_dbm)
        second = shown(None if scene.rsrp_dbm is None else scene.rsrp_dbm - 2)
        text += pair(f"PCC RxM RSSI:  {rssi}", f"PCC RxM RSRP:  {rsrp}")
        text += pair(f"PCC RxD RSSI:  {rssi}", f"PCC RxD RSRP:  {second}")
        text += pair("Tx Power:      --", f"TAC:         {cell.tac:04X} ({cell.tac})")
        text += pair(f"RSRQ (dB):     {decimal(scene.rsrq_db)}", f"Cell ID:     {cell.cell_id:08X} ({cell.cell_id})")
        text += f"SINR (dB):     {decimal(scene.sinr_db)}\r\n"
    return text


def lteinfo(scene: Scene, mcc: str, mnc: str) -> str:
    """AT!LTEINFO?: the serving cell alone."""
    cell = scene.cell
    if scene.mode not in ("LTE", "NSA"):
        return "!LTEINFO:\r\n"
    snr = "--" if scene.sinr_db is None else str(scene.sinr_db)
    return (
        "!LTEINFO:\r\n"
        "Serving:   EARFCN MCC MNC   TAC      CID Bd D U SNR PCI  RSRQ   RSRP   RSSI RXLV\r\n"
        f"           {cell.earfcn:6d} {mcc} {mnc:>3} {cell.tac:5d} {cell.cell_id:08X} {cell.band:2d} {cell.bw_code} "
        f"{cell.bw_code} {snr:>3} {cell.pci:3d} {decimal(scene.rsrq_db)} {decimal(scene.rsrp_dbm)} "
        f"{decimal(scene.rssi_dbm)} --\r\n"
        "\r\nIntraFreq:                                          PCI  RSRQ   RSRP   RSSI RXLV\r\n"
        "\r\nInterFreq: EARFCN ThresholdLow ThresholdHi Priority PCI  RSRQ   RSRP   RSSI RXLV\r\n"
    )
