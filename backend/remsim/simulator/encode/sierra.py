"""Sierra's reports of a scene on 9x30 and 9x50: GSTATUS and LTEINFO."""

from __future__ import annotations

from remsim.simulator.drive import Neighbour, Scene

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


def gstatus(
    scene: Scene | None,
    *,
    registered: bool,
    temperature_c: int,
    uptime_s: int,
    connected: bool,
    power: str = "ONLINE",
    is_9x30: bool = False,
) -> str:
    """AT!GSTATUS? of an EM75xx. It is an LTE module, so a 5G scene is its LTE anchor; no scene is no service.

    The recordings hold one level, which is the main branch's; the diversity branch is unknown.
    """
    mode = None if scene is None else "WCDMA" if scene.mode == "UMTS" else "LTE"
    lines = [
        "!GSTATUS: ",
        pair(f"Current Time:  {uptime_s}", f"Temperature: {temperature_c}"),
        pair("Reset Counter: 1", f"Mode:        {power}"),
        pair(f"System mode:   {mode or 'No service'}", f"PS state:    {'Attached' if registered else 'Not attached'}"),
    ]
    if scene is not None and mode == "LTE":
        page = lte_page_9x30 if is_9x30 else lte_page
        lines += page(scene, registered=registered, connected=connected)
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
        *carrier_lines(scene),
        f"EMM state:     {'Registered     ' if registered else 'Deregistered   '}\t"
        + ("Normal Service" if registered else "Attach Needed"),
        f"RRC state:     {'RRC Connected' if connected else 'RRC Idle'}",
        "IMS reg state: No Srv",
        "",
        pair(f"PCC RxM RSSI:  {shown(scene.rssi_dbm)}", f"PCC RxM RSRP:  {shown(scene.rsrp_dbm)}"),
        pair("PCC RxD RSSI:  --", "PCC RxD RSRP:  --"),
        *(
            pair(f"SCC{number} RxM RSSI: {shown(one.rssi_dbm)}", f"SCC{number} RxM RSRP: {shown(one.rsrp_dbm)}")
            for number, one in enumerate(scene.carriers, start=1)
        ),
        pair("Tx Power:      --", f"TAC:         {cell.tac:04X} ({cell.tac})"),
        pair(f"RSRQ (dB):     {decimal(scene.rsrq_db)}", f"Cell ID:     {cell.cell_id:08X} ({cell.cell_id})"),
        f"SINR (dB):     {decimal(scene.sinr_db)}",
    ]


def carrier_lines(scene: Scene) -> list[str]:
    """The four places for secondary carriers; the label of a 9x50 says SSC. Of an active one no capture was found."""
    lines = []
    for number in (1, 2, 3, 4):
        if number > len(scene.carriers):
            lines.append(f"LTE SSC{number} state:NOT ASSIGNED")
            continue
        channel = scene.carriers[number - 1].channel
        lines.append(pair(f"LTE SSC{number} state:ACTIVE", f"LTE SSC{number} band: B{channel.band}"))
        lines.append(pair(f"LTE SSC{number} bw  : {channel.mhz:g} MHz", f"LTE SSC{number} Rx chan: {channel.number}"))
    return lines


def lte_page_9x30(scene: Scene, *, registered: bool, connected: bool) -> list[str]:
    """The lines from the band on, of MC74xx and EM74xx: one secondary carrier, one label for all branches' RSRP."""
    cell, channel, second = scene.cell, scene.cell.channel, next(iter(scene.carriers), None)
    lines = [
        pair(f"LTE band:      B{channel.band}", f"LTE bw:      {channel.mhz:g} MHz"),
        pair(f"LTE Rx chan:   {channel.number}", f"LTE Tx chan: {channel.number + 18000}"),
    ]
    if second is None:
        lines.append("LTE CA state:  NOT ASSIGNED")
    else:
        lines.append(pair("LTE CA state:  ACTIVE", f"LTE Scell band:B{second.channel.band}"))
        lines.append(pair(f"LTE Scell bw:{second.channel.mhz:g} MHz", f"LTE Scell chan:{second.channel.number}"))
    lines += [
        f"EMM state:     {'Registered     ' if registered else 'Deregistered   '}\t"
        + ("Normal Service" if registered else "Attach Needed"),
        f"RRC state:     {'RRC Connected' if connected else 'RRC Idle'}",
        "IMS reg state: No Srv",
        "",
        pair(f"PCC RxM RSSI:  {shown(scene.rssi_dbm)}", f"RSRP (dBm):  {shown(scene.rsrp_dbm)}"),
        pair("PCC RxD RSSI:  --", "RSRP (dBm):  --"),
    ]
    if second is not None:
        lines.append(pair(f"SCC RxM RSSI:  {shown(second.rssi_dbm)}", f"RSRP (dBm):  {shown(second.rsrp_dbm)}"))
        lines.append(pair("SCC RxD RSSI:  --", "RSRP (dBm):  --"))
    return [
        *lines,
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
    """AT!LTEINFO?: the serving cell, which the first row of IntraFreq repeats, and its neighbours."""
    cell, channel = scene.cell, scene.cell.channel
    width = LTE_BW[int(channel.mhz)]
    levels = f"{decimal(scene.rsrq_db):>5} {decimal(scene.rsrp_dbm):>6} {decimal(scene.rssi_dbm):>6} --"
    own = [one for one in scene.neighbours if one.number == channel.number]
    others = [one for one in scene.neighbours if one.number != channel.number]
    return "\r\n".join(
        (
            "!LTEINFO:",
            "Serving:   EARFCN MCC MNC   TAC      CID Bd D U SNR PCI  RSRQ   RSRP   RSSI RXLV",
            f"           {channel.number:6d} {mcc:>3} {mnc:>3} {cell.tac:5d} {cell.cell_id:08X} {channel.band:2d} "
            f"{width} {width} {shown(scene.sinr_db):>3} {cell.pci:3d} {levels}",
            "",
            "IntraFreq:                                          PCI  RSRQ   RSRP   RSSI RXLV",
            f"                                                    {cell.pci:3d} {levels}",
            *(f"                                                    {one.pci:3d} {levels_of(one)} --" for one in own),
            "",
            "InterFreq: EARFCN ThresholdLow ThresholdHi Priority PCI  RSRQ   RSRP   RSSI RXLV",
            *(
                f"           {one.number:6d}            0           0        0 {one.pci:3d} {levels_of(one)}   0"
                for one in others
            ),
        )
    )


def levels_of(cell: Neighbour) -> str:
    """RSRQ, RSRP, RSSI in their columns."""
    return f"{decimal(cell.rsrq_db):>5} {decimal(cell.rsrp_dbm):>6} {decimal(cell.rssi_dbm):>6}"
