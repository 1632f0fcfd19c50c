"""GPIO lines of the board: a modem's reset, its power, and which SIM it sees.

Through sysfs where the kernel still has it (numbers as the osmo-remsim client writes them), else through libgpiod's
``gpioset`` and ``gpioget``, of which version 1 and 2 are spoken.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from pathlib import Path

from remsim.core.clock import Clock
from remsim.core.errors import ConfigError, RemsimError
from remsim.core.small_dataclass import dataclass

FORM = re.compile(r"(!?)(?:(gpiochip\d{1,3}):)?(\d{1,4})\Z", re.ASCII)
TOOL_TIMEOUT_S = 5.0


class GpioError(RemsimError):
    """A line cannot be read or set."""

    code = "gpio_error"
    http_status = 502


@dataclass(frozen=True, slots=True)
class Line:
    """``20`` is number 20 in sysfs, ``gpiochip0:20`` line 20 of a chip; ``!`` before it: active low."""

    number: int
    chip: str | None = None
    is_active_low: bool = False

    def __str__(self) -> str:
        chip = f"{self.chip}:" if self.chip else ""
        return f"{'!' if self.is_active_low else ''}{chip}{self.number}"


def parse_line(text: str) -> Line:
    """A line from its setting; ``ConfigError`` when it is none."""
    match = FORM.match(text)
    if match is None:
        raise ConfigError(f"{text[:40]!r} is no GPIO line like 20, !20 or gpiochip0:20")
    return Line(int(match[3]), match[2], match[1] == "!")


class Gpio:
    """The board's lines. Values are logical: 1 is active, whatever the level."""

    def __init__(self, sysfs_root: Path, clock: Clock) -> None:
        self._sysfs = sysfs_root / "class" / "gpio"
        self._clock = clock
        self._held: dict[Line, subprocess.Popen[bytes]] = {}

    def get(self, line: Line) -> int:
        """The line's value; ``GpioError``."""
        if self._uses_sysfs(line):
            return self._logical(line, self._read(self._exported(line) / "value"))
        if line in self._held:
            return self._logical(line, self._held_level(line))
        return self._logical(line, self._tool_get(line))

    def set(self, line: Line, value: int) -> None:
        """Drive the line to a value and keep it there."""
        level = value ^ line.is_active_low
        if self._uses_sysfs(line):
            # The direction sets the level with it, so the line does not swing.
            self._write(self._exported(line) / "direction", "high" if level else "low")
        else:
            self._tool_hold(line, level)

    def pulse(self, line: Line, seconds: float) -> None:
        """Active for a while, then not."""
        self.set(line, 1)
        self._clock.sleep(seconds)
        self.set(line, 0)

    def close(self) -> None:
        """Let lines go that a tool holds."""
        for process in self._held.values():
            end(process)
        self._held.clear()

    def _uses_sysfs(self, line: Line) -> bool:
        return line.chip is None and self._sysfs.is_dir()

    def _logical(self, line: Line, level: str) -> int:
        if level not in ("0", "1"):
            raise GpioError(f"GPIO {line} reads {level[:20]!r}")
        return int(level) ^ line.is_active_low

    def _exported(self, line: Line) -> Path:
        folder = self._sysfs / f"gpio{line.number}"
        if not folder.is_dir():
            self._write(self._sysfs / "export", str(line.number))
        return folder

    def _read(self, path: Path) -> str:
        try:
            return path.read_text().strip()
        except OSError as error:
            raise GpioError(f"{path} cannot be read: {error.strerror}") from error

    def _write(self, path: Path, text: str) -> None:
        try:
            path.write_text(text)
        except OSError as error:
            hint = "is the number right, and does nothing else in the kernel use the line?"
            raise GpioError(f"{path} cannot be written: {error.strerror}", hint=hint) from error

    def _tool(self, name: str) -> str:
        path = shutil.which(name)
        if path is None:
            hint = "install gpiod-tools (Debian: gpiod)"
            raise GpioError(f"there is neither {self._sysfs} nor {name}", hint=hint)
        return path

    def _is_version_2(self, tool: str) -> bool:
        return b"v1." not in run([tool, "--version"])

    def _tool_get(self, line: Line) -> str:
        tool = self._tool("gpioget")
        chip = line.chip or "gpiochip0"
        if self._is_version_2(tool):
            return run([tool, "--numeric", "--as-is", "-c", chip, str(line.number)]).decode("ascii", "replace").strip()
        return run([tool, "--dir-as-is", chip, str(line.number)]).decode("ascii", "replace").strip()

    def _tool_hold(self, line: Line, level: int) -> None:
        """Both versions drive a line only as long as they run: a process keeps it."""
        tool = self._tool("gpioset")
        chip, setting = line.chip or "gpiochip0", f"{line.number}={level}"
        held = self._held.pop(line, None)
        if held is not None:
            end(held)
        way = ["-c", chip] if self._is_version_2(tool) else ["--mode=signal", chip]
        command = [tool, *way, setting]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)  # what fails ends at once
            assert process.stderr is not None
            told = process.stderr.read(400).decode("utf-8", "replace").strip()
            raise GpioError(f"GPIO {line} cannot be set: {told or f'gpioset ended with {process.returncode}'}")
        self._held[line] = process

    def _held_level(self, line: Line) -> str:
        process = self._held[line]
        if process.poll() is not None:
            del self._held[line]
            raise GpioError(f"gpioset, which held GPIO {line}, has ended")
        arguments = process.args
        assert isinstance(arguments, list)
        return str(arguments[-1]).rpartition("=")[2]


def run(command: list[str]) -> bytes:
    """The output of a tool; ``GpioError`` with its own words."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=TOOL_TIMEOUT_S, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GpioError(f"{command[0]} failed: {error}") from error
    if done.returncode:
        raise GpioError(f"{command[0]}: {done.stderr[:400].decode('utf-8', 'replace').strip()}")
    return done.stdout


def end(process: subprocess.Popen[bytes]) -> None:
    """End a holding process."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(TOOL_TIMEOUT_S)
