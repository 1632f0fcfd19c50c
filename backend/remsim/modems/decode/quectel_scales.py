"""The scales of Quectel's cell reports: what a number means depends on the module's family and chip.

Sources: ModemManager, the RG50xQ/RM5xxQ network application note, and replies that tell one value in two commands.
"""

from __future__ import annotations

import re

from remsim.modems.decode.radio import LTE_BW_CODE, LTE_BW_RB, NR_BW_CODE, coded
from remsim.modems.decode.text import Asked, Values, field, in_range, to_int

DIRECT_DB = ("ec200", "asr", "unisoc", "rm500u", "rg200u", "rg500u", "qdc507")
HALF_STEPS = re.compile(r"\b(rm5[0-9]{2}q|rg5[0-9]{2}q|rm50xq|rg50xq|rm520n|rg520n|rm530n|rm5xxq)", re.IGNORECASE)


def lte_sinr(asked: Asked, text: str | None) -> float | None:
    """SINR of QENG's LTE form: dB directly, or 2 x - 20, depending on the firmware.

    A value that no index can have is dB; otherwise only the families whose scale is documented are decoded,
    the others give None (QCSQ has an unambiguous scale).
    """
    raw = to_int(text, -32768, 32767)
    if raw is None:
        return None
    if raw < 0 or raw > 25 or asked.has(*DIRECT_DB):
        return in_range(raw, -30, 40)
    if HALF_STEPS.search(asked.module):
        return 2.0 * raw - 20
    return None


def nr_bandwidth(asked: Asked, text: str | None) -> float | None:
    """MHz of an NR carrier: an index, but megahertz on Unisoc."""
    return to_int(text) if is_unisoc_5g(asked) else coded(NR_BW_CODE, text)


def is_unisoc_5g(asked: Asked) -> bool:
    """Whether the chip is one of Unisoc's for 5G; its LTE modules (EC200U) print Quectel's codes."""
    is_lte_only = asked.module.lower().startswith(("ec", "eg"))
    return asked.has("rm500u", "rg200u", "rg500u") or (asked.has("unisoc") and not is_lte_only)


def cell_bandwidth(asked: Asked, text: str | None) -> float | None:
    """MHz of an LTE cell from QENG's code; on Unisoc a 3 or a 5 could be either."""
    if not is_unisoc_5g(asked):
        return coded(LTE_BW_CODE, text)
    return coded({10: 10, 15: 15, 20: 20, 0: 1.4, 1: 3, 2: 5, 4: 15}, text)


def carrier_bandwidth(asked: Asked, text: str | None) -> float | None:
    """MHz of an LTE carrier from QCAINFO's resource blocks; on Unisoc a 15 could be either."""
    if not is_unisoc_5g(asked):
        return coded(LTE_BW_RB, text)
    return coded({25: 5, 50: 10, 75: 15, 100: 20, 3: 3, 5: 5, 10: 10, 20: 20}, text)


def nr_levels(f: list[str]) -> Values:
    """RSRP and RSRQ of a 5G carrier or neighbour, when they can be true: some firmware prints RSRQ twice."""
    rsrp, rsrq = to_int(field(f, 0)), to_int(field(f, 1))
    if in_range(rsrp, -156, -44) is None or in_range(rsrq, -43, 20) is None:
        return {}
    return {"rsrp_dbm": rsrp, "rsrq_db": rsrq}


def dbm(text: str | None) -> int | None:
    """A level in dBm; sentinels such as -32768 are unknown."""
    return to_int(text) if in_range(to_int(text), -160, -10) is not None else None


def db(text: str | None) -> int | None:
    """A ratio in dB; sentinels are unknown."""
    return to_int(text) if in_range(to_int(text), -50, 50) is not None else None
