"""Boards whose GPIO lines are known, as the osmo-remsim client has them; a setting of a modem overrides its board's.

Sources: the client's table for ZBT-Z8102AX; its defaults 20/21 and 22/23 are no board's and are not taken over.
"""

from __future__ import annotations

from pathlib import Path

from remsim.core.small_dataclass import dataclass
from remsim.modems.sysfs import read_text

MODEL_FILES = ("proc/device-tree/model", "tmp/sysinfo/model", "sys/class/dmi/id/product_name")


@dataclass(frozen=True, slots=True)
class Board:
    """A board by a part of its model's name; lines by the number that is printed at the modem's slot."""

    model: str
    sim_gpio: dict[int, str]
    power_gpio: dict[int, str]


BOARDS = (Board("ZBT-Z8102AX", sim_gpio={1: "6", 2: "7"}, power_gpio={1: "4", 2: "5"}),)


def board_model(root: Path = Path("/")) -> str | None:
    """What this machine calls itself."""
    for name in MODEL_FILES:
        if (text := read_text(root / name)) is not None:
            return text.strip("\0")
    return None


def board_named(model: str | None) -> Board | None:
    """The known board of a model's name."""
    return next((board for board in BOARDS if model is not None and board.model in model), None)
