"""Who switches the board's SIM lines: the osmo-remsim client where it is set to, else this service.

Decided once, from the configuration of the client's package (``/etc/config/remsim``): two owners would fight.
"""

from __future__ import annotations

import logging
from pathlib import Path

from remsim.config.uci import UciFile
from remsim.core.errors import RemsimError
from remsim.core.small_dataclass import dataclass
from remsim.modems.boards import Board

log = logging.getLogger(__name__)

CLIENT = "osmo-remsim-client"


@dataclass(frozen=True, slots=True)
class SimOwner:
    """The sysfs numbers of the lines that the client drives; none when it is not enabled or drives none."""

    lines: frozenset[int] = frozenset()

    def of(self, line: int) -> str | None:
        """Who else drives a line, as pages say it."""
        return CLIENT if line in self.lines else None


def sim_owner(config_dir: Path | None, board: Board | None) -> SimOwner:
    """The owner by configuration. A file that cannot be read leaves the lines to this service."""
    if config_dir is None or not (config_dir / "remsim").exists():
        return SimOwner()
    try:
        file = UciFile.load(config_dir / "remsim")
    except RemsimError as error:
        log.warning("%s; whether the client switches SIMs is not known, it is taken not to", error.message)
        return SimOwner()
    options = {
        f"{section.name or section.type}.{option}": section.get(option) or ""
        for kind in ("service", "modems", "modem1", "modem2", "modem", "remsim")
        for section in file.sections(kind)
        for option in section.options()
    }
    if options.get("service.enabled") != "1":
        return SimOwner()
    if board is not None:  # the client knows the same boards and needs no setting there
        return SimOwner(frozenset(int(line) for line in board.sim_gpio.values()))
    if options.get("modems.dual_modem") != "1":
        return SimOwner()  # outside the dual mode the client never hears of the lines that are set
    numbers = (options.get(f"{name}.sim_switch_gpio", "") for name in ("modem1", "modem2"))
    return SimOwner(frozenset(int(number) for number in numbers if number.isascii() and number.isdigit()))
