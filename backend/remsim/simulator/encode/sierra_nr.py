"""Sierra's reports of a scene on SDX55 and SDX65 (EM91xx, EM92xx): GSTATUS and NRINFO."""

from __future__ import annotations

from remsim.simulator.drive import NR_LEG, Channel, Scene
from remsim.simulator.encode.sierra import decimal, pair, shown, umts_page


def gstatus(
    scene: Scene | None,
    *,
    registered: bool,
    temperature_c: int,
    uptime_s: int,
    connected: bool,
    power: str = "ONLINE",
) -> str:
    """AT!GSTATUS?: LTE, ENDC or NR5G. The 5G block is dashes where there is none; SA has no PCI here."""
    mode = None if scene is None else scene.mode
    word = {None: "No service", "UMTS": "WCDMA", "LTE": "LTE", "NSA": "ENDC", "SA": "NR5G"}[mode]
    lines = [
        "!GSTATUS: ",
        pair(f"Current Time:  {uptime_s}", f"Temperature: {temperature_c}"),
        "Thermal Mitigation Level: 0",
        pair("Reset Counter: 1", f"Mode:        {power}"),
        pair(f"System mode:   {word}", f"PS state:    {'Attached' if registered else 'Not attached'}"),
    ]
    if scene is None:
        return "\r\n".join((*lines, "EMM state:     Deregistered   \tNo Cell", "RRC state:     RRC Idle"))
    if scene.mode == "UMTS":
        return "\r\n".join((*lines, *umts_page(scene, registered=registered, connected=connected)))
    if scene.mode == "SA":
        return "\r\n".join((*lines, *sa_page(scene, registered=registered, connected=connected)))
    return "\r\n".join((*lines, *lte_page(scene, registered=registered, connected=connected), *leg_page(scene)))


def lte_page(scene: Scene, *, registered: bool, connected: bool) -> list[str]:
    """The LTE cell with its secondary carriers."""
    cell, channel = scene.cell, scene.cell.channel
    lines = [
        pair(f"LTE band:      B{channel.band}", f"LTE bw:      {channel.mhz:g} MHz"),
        pair(f"LTE Rx chan:   {channel.number}", f"LTE Tx chan: {channel.number + 18000}"),
    ]
    for number, one in enumerate(scene.carriers, start=1):
        name = f"LTE SCC{number}"
        lines += [
            pair(f"{name} state:ACTIVE", f"{name} band: B{one.channel.band}"),
            pair(f"{name} bw  : {one.channel.mhz:g} MHz", f"{name} Rx chan: {one.channel.number}"),
            pair(f"{name} UL Configured: FALSE", f"{name} Tx chan: 0"),
        ]
    lines += [
        f"EMM state:     {'Registered     ' if registered else 'Deregistered   '}\t"
        + ("Normal Service" if registered else "Attach Needed"),
        f"RRC state:     {'RRC Connected' if connected else 'RRC Idle'}",
        pair("IMS reg state: NOT REGISTERED", "IMS mode:    Normal"),
        "IMS Srv State: UNKNOWN SMS,UNKNOWN VoIP",
        pair(f"PCC RxM RSSI:  {shown(scene.rssi_dbm)}", f"PCC RxM RSRP:  {shown(scene.rsrp_dbm)}"),
        pair("PCC RxD RSSI:  --", "PCC RxD RSRP:  --"),
    ]
    for number, one in enumerate(scene.carriers, start=1):
        name = f"SCC{number} RxM"
        lines.append(pair(f"{name} RSSI: {shown(one.rssi_dbm)}", f"{name} RSRP: {shown(one.rsrp_dbm)}"))
    return [
        *lines,
        pair("Tx Power:      --", f"TAC:         {cell.tac:04X} ({cell.tac})"),
        pair(f"RSRQ (dB):     {decimal(scene.rsrq_db)}", f"Cell ID:     {cell.cell_id:08X} ({cell.cell_id})"),
        f"SINR (dB):     {decimal(scene.sinr_db)}",
    ]


def dashes(value: float | None) -> str:
    """A value, or the three dashes of the 5G block."""
    return "---" if value is None else f"{value:g}"


def leg_page(scene: Scene) -> list[str]:
    """The 5G leg of EN-DC, or its dashes."""
    if scene.mode != "NSA":
        return [
            pair("NR5G band:       ---", "NR5G bw:         ---"),
            pair("NR5G Rx chan:    ---", "NR5G Tx chan:    ---"),
            pair("NR5G RSRP (dBm): ---", "NR5G RSRQ (dB):  ---"),
            "NR5G SINR (dB):  ---",
        ]
    return nr_lines(NR_LEG, scene)


def nr_lines(channel: Channel, scene: Scene) -> list[str]:
    """Band, width, channel and levels of a 5G cell."""
    return [
        pair(f"NR5G band:       n{channel.band}", "NR5G Carrier ID: 0"),
        pair(f"NR5G dl bw:      {channel.mhz:g} MHz", f"NR5G ul bw:      {channel.mhz:g} MHz"),
        pair("NR5G Tx Power:   ---", f"NR5G Tx chan:    {channel.number}"),
        f"NR5G Rx chan:    {channel.number}",
        pair("NR5G dl MIMO:    4", "NR5G ul MIMO:    1"),
        pair(f"NR5G RSRP (dBm): {dashes(scene.rsrp_dbm)}", f"NR5G RSRQ (dB):  {dashes(scene.rsrq_db)}"),
        f"NR5G SINR (dB):  {dashes(scene.sinr_db)}",
    ]


def sa_page(scene: Scene, *, registered: bool, connected: bool) -> list[str]:
    """A standalone cell."""
    cell = scene.cell
    return [
        pair(
            f"MM5G state:    {'Registered  ' if registered else 'Deregistered'}",
            "Normal Service" if registered else "Attach Needed",
        ),
        f"RRC state:     {'RRC Connected' if connected else 'RRC Idle'}",
        pair("IMS reg state: NOT REGISTERED", "IMS mode:    Normal"),
        pair(f"NR5G TAC:        {cell.tac:06X}", f"NR5G Cell ID:    {cell.cell_id:X} ({cell.cell_id})"),
        *nr_lines(cell.channel, scene),
    ]


def nrinfo(scene: Scene | None, *, cell_id_is_pci: bool) -> str:
    """AT!NRINFO?: the 5G cell alone; EM91's "Cell ID" there is the PCI."""
    if scene is None or scene.mode not in ("NSA", "SA"):
        return "!NRINFO: \r\nNR5G information not available"
    is_sa = scene.mode == "SA"
    pci = scene.cell.pci if is_sa else scene.cell.nr_pci
    lines = ["!NRINFO: ", f"Connectivity Mode: {'SA' if is_sa else 'ENDC'}"]
    if cell_id_is_pci:
        lines.append(f"NR5G Cell ID:    {pci:X} ({pci})")
    elif is_sa:
        lines.append(f"NR5G Cell ID:    {scene.cell.cell_id:X} ({scene.cell.cell_id})")
    return "\r\n".join((*lines, *nr_lines(scene.cell.channel if is_sa else NR_LEG, scene)))
