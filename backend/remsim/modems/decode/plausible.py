"""What a value can be: one table for all vendors, the last thing a reply's values pass.

A damaged line gives numbers that no cell and no modem has. They are unknown, wherever they came from.
Ranges: 3GPP 36.101, 36.133, 36.211, 38.101, 38.133, 38.211, 23.003; power and heat by common sense.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

RANGES: tuple[tuple[str, float, float], ...] = (
    (r"rsrp(_.+)?_dbm", -160, -20),
    (r"rssi(_.+)?_dbm", -140, 0),
    (r"rscp(_.+)?_dbm", -140, -10),
    (r"rsrq(_.+)?_db", -45, 25),
    (r"sinr(_.+)?_db", -30, 60),
    (r"ecio(_.+)?_db", -50, 5),
    (r"tx_power_dbm", -100, 50),
    (r"temperature(_.+)?_c|sensors_c", -60, 150),
    (r"voltage_mv", 100, 60_000),
    (r"pci|nr_pcis", 0, 1007),
    (r"psc", 0, 511),
    (r"earfcn|ul_earfcn|locked_earfcns", 0, 262_143),
    (r"uarfcn|ul_uarfcn", 0, 16_383),
    (r"arfcn|ul_arfcn", 0, 3_279_165),
    (r"(.+_)?bands?", 1, 1023),
    (r"bw_((dl|ul)_)?mhz", 1.4, 2000),
    (r"tac", 0, 0xFFFFFF),
    (r"lac", 0, 0xFFFF),
    (r"rac", 0, 0xFF),
    (r"cell_id", 0, (1 << 36) - 1),
    (r"csq", 0, 31),
    (r"cqi", 0, 15),
    (r"bsic", 0, 63),
    (r"sim_slot", 0, 8),
)
TEXTS: tuple[tuple[str, str], ...] = ((r"mcc", r"[0-9]{1,3}"), (r"mnc", r"[0-9]{1,3}"), (r"plmn", r"[0-9]{5,6}"))


@lru_cache(maxsize=1024)
def range_of(name: str) -> tuple[float, float] | None:
    """The range of a value by its name; None for what has no range."""
    return next(((low, high) for pattern, low, high in RANGES if re.fullmatch(pattern, name)), None)


@lru_cache(maxsize=1024)
def form_of(name: str) -> str | None:
    """The form of a text by its name."""
    return next((form for pattern, form in TEXTS if re.fullmatch(pattern, name)), None)


def plausible(name: str, value: Any) -> Any:
    """The value with what cannot be true replaced by None, or left out of a list of bands."""
    if isinstance(value, dict):
        is_table = name.startswith("sensors_")  # its keys are the sensors' own names
        return {key: plausible(name if is_table or key.isdecimal() else key, part) for key, part in value.items()}
    if isinstance(value, list):
        parts = [plausible(name, part) for part in value]
        return [part for part in parts if part is not None] if name.endswith("bands") else parts
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        form = form_of(name)
        return value if form is None or re.fullmatch(form, value) else None
    bounds = range_of(name)
    return value if bounds is None or bounds[0] <= value <= bounds[1] else None


def plausible_values(values: dict[str, Any]) -> dict[str, Any]:
    """A reply's values without what cannot be true."""
    return {name: plausible(name, value) for name, value in values.items()}
