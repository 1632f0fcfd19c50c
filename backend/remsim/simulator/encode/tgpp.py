"""Answers of 27.007 commands for a scene."""

from __future__ import annotations

from remsim.simulator.drive import Scene

ACT = {"UMTS": 2, "LTE": 7, "NSA": 13, "SA": 11}


def index(value: float | None, scale: float, offset: float, top: int, unknown: int = 255) -> int:
    """The index of a value whose lower edge is ``index * scale + offset``."""
    if value is None:
        return unknown
    return min(max(round((value - offset) / scale), 0), top)


def csq(scene: Scene | None, *, blank: str = "") -> str:
    """+CSQ; unknown on 5G SA, as real modems say. MediaTek prints a blank behind the comma."""
    rssi = None if scene is None else scene.rscp_dbm if scene.mode == "UMTS" else scene.rssi_dbm
    return f"+CSQ: {index(rssi, 2, -113, 31, 99)},{blank}99"


def cesq(scene: Scene | None, *, with_nr: bool) -> str:
    """+CESQ with six fields, or nine where the modem knows 5G."""
    umts, lte, nr = [255, 255], [255, 255], [255, 255, 255]
    if scene is not None and scene.mode == "UMTS":
        umts[0] = index(scene.rscp_dbm, 1, -121, 96)
    if scene is not None and scene.mode in ("LTE", "NSA"):
        lte = [index(scene.rsrq_db, 0.5, -20, 34), index(scene.rsrp_dbm, 1, -141, 97)]
    if scene is not None and scene.mode in ("NSA", "SA"):
        nr = [index(scene.rsrq_db, 0.5, -43.5, 126), index(scene.rsrp_dbm, 1, -157, 126)]
        nr.append(index(scene.sinr_db, 0.5, -23.5, 127))
    return "+CESQ: " + ",".join(map(str, [99, 99, *umts, *lte, *(nr if with_nr else ())]))


def registration(name: str, n: int | None, stat: int, scene: Scene, act: int | None = None) -> str:
    """+CREG and its fellows: <n> stands in the read form only, the place only with n = 2 and while registered."""
    text = f"{name}: {stat}" if n is None else f"{name}: {n},{stat}"
    if stat not in (1, 5) or n not in (None, 2):
        return text
    act = ACT[scene.mode] if act is None else act
    text += f',"{scene.cell.tac:X}","{scene.cell.cell_id:X}",{act}'
    return text + (',1,"01"' if name == "+C5GREG" and n is not None else "")


def cops(name: str | None, plmn: str, form: int, act: int, mode: int = 0) -> str:
    """+COPS? in the format chosen with AT+COPS=3; without a name there is no network. Mode 1 is by hand, 2 is none."""
    if name is None:
        return f"+COPS: {mode}"
    return f'+COPS: {mode},{form},"{plmn if form == 2 else name}",{act}'
