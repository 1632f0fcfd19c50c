"""Answers of 27.007 commands for a scene."""

from __future__ import annotations

from remsim.simulator.drive import Scene

ACT = {"GSM": 0, "UMTS": 2, "LTE": 7, "NSA": 7, "SA": 11}


def index(value: float | None, scale: float, offset: float, top: int, unknown: int = 255) -> int:
    """The index of a value whose lower edge is ``index * scale + offset``."""
    if value is None:
        return unknown
    return min(max(round((value - offset) / scale), 0), top)


def csq(scene: Scene) -> str:
    """+CSQ; unknown on 5G SA, as real modems say."""
    rssi = None if scene.mode == "SA" else scene.rssi_dbm
    return f"+CSQ: {index(rssi, 2, -113, 31, 99)},99"


def cesq(scene: Scene, *, with_nr: bool = False) -> str:
    """+CESQ with six fields, or nine where the modem knows 5G."""
    lte = scene.mode in ("LTE", "NSA")
    fields = [
        99,
        99,
        index(scene.rscp_dbm if scene.mode == "UMTS" else None, 1, -121, 96),
        255,
        index(scene.rsrq_db if lte else None, 0.5, -20, 34),
        index(scene.rsrp_dbm if lte else None, 1, -141, 97),
    ]
    if with_nr:
        sa = scene.mode == "SA"
        fields += [
            index(scene.rsrq_db if sa else None, 0.5, -43.5, 126),
            index(scene.rsrp_dbm if sa else None, 1, -157, 126),
            index(scene.sinr_db if sa else None, 0.5, -23.5, 127),
        ]
    return "+CESQ: " + ",".join(map(str, fields))


def registration(name: str, scene: Scene, stat: int, *, urc: bool = False) -> str:
    """+CREG and its fellows; the URC has no <n>."""
    place = ""
    if stat in (1, 5, 6):
        place = f',"{scene.cell.tac:X}","{scene.cell.cell_id:X}",{ACT[scene.mode]}'
    return f"{name}: {stat}{place}" if urc else f"{name}: 2,{stat}{place}"


def cops(scene: Scene, operator: str | None) -> str:
    """+COPS? in the format modems have from the factory: the long name."""
    return f'+COPS: 0,0,"{operator}",{ACT[scene.mode]}' if operator else "+COPS: 0"
