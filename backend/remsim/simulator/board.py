"""The virtual board: the hub's power switches and the lines that choose each modem's SIM, as files in sysfs."""

from __future__ import annotations

from pathlib import Path

MOST_MODEMS = 8
FIRST_SIM_LINE = 20


class Board:
    """Below ``class/gpio`` and the hub's ports. What was written there is looked at once a second."""

    def __init__(self, sysfs_root: Path, hub: str, bus: Path, hub_device: Path) -> None:
        self._gpio = sysfs_root / "class" / "gpio"
        ports = hub_device / f"{hub}:1.0"
        self._switches = {number: ports / f"{hub}-port{number}" / "disable" for number in range(1, MOST_MODEMS + 1)}
        for switch in self._switches.values():
            switch.parent.mkdir(parents=True)
            switch.write_text("0\n")
        for name, text in (("bInterfaceNumber", "00"), ("bInterfaceClass", "09"), ("bInterfaceSubClass", "00")):
            (ports / name).write_text(f"{text}\n")
        (bus / ports.name).symlink_to(ports)
        for number in range(1, MOST_MODEMS + 1):
            line = self._gpio / f"gpio{sim_line(number)}"
            line.mkdir(parents=True)
            (line / "direction").write_text("out\n")
            (line / "value").write_text("0\n")

    def is_powered(self, number: int) -> bool:
        """Whether the port of a modem has power."""
        return self._switches[number].read_text().strip() != "1"

    def is_remote(self, number: int) -> bool:
        """Whether a modem's SIM lines lead to the remote SIM; the line's value follows what was written."""
        line = self._gpio / f"gpio{sim_line(number)}"
        level = {"high": "1", "low": "0"}.get((line / "direction").read_text().strip())
        if level is not None and (line / "value").read_text().strip() != level:
            (line / "value").write_text(f"{level}\n")
        return (line / "value").read_text().strip() == "1"


def sim_line(number: int) -> int:
    """The GPIO line that chooses a modem's SIM."""
    return FIRST_SIM_LINE + number
