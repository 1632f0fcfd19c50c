"""What actions use of the router besides the modem itself."""

from __future__ import annotations

from pathlib import Path

from remsim.core.clock import Clock
from remsim.core.errors import Conflict
from remsim.core.small_dataclass import dataclass
from remsim.modems.boards import Board
from remsim.modems.control.pending import Pending
from remsim.modems.control.seen import SeenBands
from remsim.modems.gpio import Gpio
from remsim.modems.inhibitions import Inhibitions
from remsim.modems.netifd import Netifd
from remsim.modems.sim_owner import SimOwner

STAGED = Path("/tmp/.uci")


@dataclass(frozen=True, slots=True)
class Means:
    """``config_dir`` holds ``network``; None where there is no such configuration. ``staged_dir`` holds what LuCI or
    ``uci`` has set and not committed."""

    clock: Clock
    sysfs_root: Path
    config_dir: Path | None
    gpio: Gpio
    netifd: Netifd
    inhibitions: Inhibitions
    seen_bands: SeenBands
    pending: Pending
    board: Board | None = None
    sim_owner: SimOwner = SimOwner()
    staged_dir: Path = STAGED

    def close(self) -> None:
        """Give back what is held for as long as the service runs."""
        self.inhibitions.stop()
        self.gpio.close()

    def network_file(self) -> Path | None:
        """``/etc/config/network``, where there is one."""
        path = None if self.config_dir is None else self.config_dir / "network"
        return path if path is not None and path.exists() else None

    def check_nothing_staged(self) -> None:
        """``Conflict`` while somebody has changes of ``network`` under way, which writing beside them would mix up."""
        try:
            is_staged = (self.staged_dir / "network").stat().st_size > 0
        except OSError:
            is_staged = False
        if is_staged:
            hint = "apply or revert them first (LuCI: Unsaved changes)"
            raise Conflict("there are unsaved changes of the network configuration", code="staged", hint=hint)
