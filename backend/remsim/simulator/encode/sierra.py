"""Sierra's reports of a scene in the 9x50 layout: GSTATUS and LTEINFO."""

from __future__ import annotations

from remsim.simulator.drive import Scene

LTE_BW = {5: 2, 10: 3, 15: 4, 20: 5}


def shown(value: float | None) -> str:
    """A value, or the dashes that stand for none."""
    return "--" if value is None else f"{value}"


def decimal(value: float | None) -> str:
    """A ratio with one decimal."""
    return "--" if value is None else f"{value:.1f}"


def pair(left: str, right: str) -> str:
    """Two columns of the table."""
    return f"{left:<22}\t{right}"


def gstatus(scene: Scene | None, *, registered: bool, temperature_c: int, uptime_s: int, connected: bool) -> str:
    """AT!GSTATUS? of an EM75xx. It is an LTE module, so a 5G scene is its LTE anchor; no scene is no service.

    The recordings hold one level, which is the main branch's; the diversity branch is unknown.
    """
    mode = None if scene is None else "WCDMA" if scene.mode == "UMTS" else "LTE"
    lines = [
        "!GSTATUS: ",
        pair(f"Current Time:  {uptime_s}", f"Temperature: {temperature_c}"),
        pair("Reset Counter: 1", "Mode:        ONLINE"),
        pair(f"System mode:   {mode or 'No service'}", f"PS state:    {'Attached' if registered else 'Not attached'}"),
    ]
    if scene is not None and mode == "LTE":
        lines += lte_page(scene, registered=registered, connected=connected)
    elif scene is not None:
        lines += umts_page(scene, registered=registered, connected=connected)
    else:
        lines += ["EMM state:     Deregistered   \tNo Cell", "RRC state:     RRC Idle", "IMS reg state: No Srv"]
    return "\r\n".join(lines)


def lte_page(scene: Scene, *, registered: bool, connected: bool) -> list[str]:
    """The lines from the band on."""
    cell, channel = scene.cell, scene.cell.channel
    return [
        pair(f"LTE band:      B{channel.band}", f"LTE bw:      {channel.mhz:g} MHz"),
        pair(f"LTE Rx chan:   {channel.number}", f"LTE Tx chan: {channel.number + 18000}"),
        *(f"LTE SSC{number} state:NOT ASSIGNED" for number in (1, 2, 3, 4)),
        f"EMM state:     {'Registered     ' if registered else 'Deregistered   '}\t"
        + ("Normal Service" if registered else "Attach Needed"),
        f"RRC state:     {'RRC Connected' if connected else 'RRC Idle'}",
        "IMS reg state: No Srv",
        "",
        pair(f"PCC RxM RSSI:  {shown(scene.rssi_dbm)}", f"PCC RxM RSRP:  {shown(scene.rsrp_dbm)}"),
        pair("PCC RxD RSSI:  --", "PCC RxD RSRP:  --"),
        pair("Tx Power:      --", f"TAC:         {cell.tac:04X} ({cell.tac})"),
        pair(f"RSRQ (dB):     {decimal(scene.rsrq_db)}", f"Cell ID:     {cell.cell_id:08X} ({cell.cell_id})"),
        f"SINR (dB):     {decimal(scene.sinr_db)}",
    ]


def umts_page(scene: Scene, *, registered: bool, connected: bool) -> list[str]:
    """The same for 3G. No capture of this page was found: its labels are those that the decoder knows."""
    cell = scene.cell
    service = "REGISTERED  \tNORMAL SERVICE" if registered else "DEREGISTERED\tLIMITED SERVICE"
    return [
        "WCDMA band:    WCDMA 2100",
        f"WCDMA channel: {cell.channel.number}",
        f"GMM (PS) state:{service}",
        f"MM (CS) state: {'IDLE        ' if not connected else 'CONNECTED   '}\tNORMAL SERVICE",
        "",
        f"RRC state:     {'CELL_DCH' if connected else 'DISCONNECTED'}",
        pair("RxM RSSI:      --", f"RSCP (dBm):    {shown(scene.rscp_dbm)}"),
        pair("Tx Power:      --", f"LAC:         {cell.tac:04X} ({cell.tac})"),
        f"Cell ID:       {cell.cell_id:08X} ({cell.cell_id})",
    ]


def lteinfo(scene: Scene, mcc: str, mnc: str) -> str:
    """AT!LTEINFO?: the serving cell, which the first row of IntraFreq repeats; the recordings have no others."""
    cell, channel = scene.cell, scene.cell.channel
    width = LTE_BW[int(channel.mhz)]
    levels = f"{decimal(scene.rsrq_db):>5} {decimal(scene.rsrp_dbm):>6} {decimal(scene.rssi_dbm):>6} --"
    return "\r\n".join(
        (
            "!LTEINFO:",
            "Serving:   EARFCN MCC MNC   TAC      CID Bd D U SNR PCI  RSRQ   RSRP   RSSI RXLV",
            f"           {channel.number:6d} {mcc:>3} {mnc:>3} {cell.tac:5d} {cell.cell_id:08X} {channel.band:2d} "
            f"{width} {width} {shown(scene.sinr_db):>3} {cell.pci:3d} {levels}",
            "",
            "IntraFreq:                                          PCI  RSRQ   RSRP   RSSI RXLV",
            f"                                                    {cell.pci:3d} {levels}",
            "",
            "InterFreq: EARFCN ThresholdLow ThresholdHi Priority PCI  RSRQ   RSRP   RSSI RXLV",
        )
    )
