"""Where the scripts of the clients put what was told, until it has been taken in.

It is ``spool`` in the state directory. Where the history lies elsewhere, in RAM on a router, it is a link to a folder
there: a bank that comes and goes would wear flash, and what was told before the router started says nothing any more.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from remsim.remotesim.record import LARGEST_RECORD, NotWhole, Record, parse, text_of

log = logging.getLogger(__name__)

NAME = "spool"
DEFAULT_STATE = Path("/etc/remsim")
"""As in the script."""
NUDGE, DROPPED = ".nudge", ".dropped"
MOST_WAITING = 1000
"""The script drops the oldest from here on; more than twice as many are not from it."""
CUT_S = 2.0
"""Whoever writes a record takes less."""


class Spool:
    """The folder, for the one thread that takes records out of it."""

    def __init__(self, state_dir: Path, data_dir: Path) -> None:
        self.path = state_dir / NAME
        self._target = data_dir / NAME
        self.cut = 0

    def open(self) -> int:
        """Make the folder and the pipe for nudges; the pipe, opened for both ends. ``OSError`` when it cannot be."""
        if self.path.is_symlink() and (self._target == self.path or self._target.resolve() != self.path.resolve()):
            self.path.unlink()  # the history lay elsewhere before
        self._target.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._target != self.path and not self.path.is_symlink():
            self._move_in()
        pipe = self.path / NUDGE
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISFIFO(pipe.lstat().st_mode):
                pipe.unlink()
        with contextlib.suppress(FileExistsError):
            os.mkfifo(pipe, 0o600)
        return os.open(pipe, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def names(self) -> list[str]:
        """What waits, the oldest first."""
        try:
            return sorted(name for name in os.listdir(self.path) if not name.startswith("."))
        except OSError:
            return []

    def bounded(self) -> list[str]:
        """What waits, the oldest first; of far too many the oldest go."""
        found = self.names()
        if len(found) > 2 * MOST_WAITING:
            surplus, found = found[:-MOST_WAITING], found[-MOST_WAITING:]
            self.remove(surplus)
            self._count(len(surplus))
        return found

    def read(self, names: list[str], now_s: float) -> dict[str, Record]:
        """The whole ones among these by name; what was cut short is removed and counted, once it is no longer written.

        ``now_s`` is the time of files, seconds since the epoch.
        """
        found: dict[str, Record] = {}
        spoilt: dict[str, str] = {}
        for name in names:
            path = self.path / name
            try:
                details = path.lstat()
                if not stat.S_ISREG(details.st_mode) or details.st_size > LARGEST_RECORD:
                    raise ValueError("it is no record")
                found[name] = parse(path.read_text("utf-8", "replace"))
            except FileNotFoundError:
                continue
            except NotWhole:
                if abs(now_s - details.st_mtime) > CUT_S:
                    spoilt[name] = "it was cut short"
            except (OSError, ValueError) as error:
                spoilt[name] = str(error)
        if spoilt:
            name, why = next(iter(spoilt.items()))
            log.warning("%s/%s: %s (%d removed)", self.path, name, why, len(spoilt))
            self.cut += len(spoilt)
            self.remove(list(spoilt))
        return found

    def remove(self, names: list[str]) -> None:
        """These have been taken in."""
        for name in names:
            with contextlib.suppress(OSError):
                (self.path / name).unlink()

    @property
    def dropped(self) -> int:
        """How many were given up because nobody took them, since the router started."""
        try:
            return sum(int(line) for line in (self.path / DROPPED).read_text().split() if line.isdigit())
        except OSError:
            return 0


    def _count(self, dropped: int) -> None:
        with contextlib.suppress(OSError), (self.path / DROPPED).open("a") as file:
            file.write(f"{dropped}\n")

    def _move_in(self) -> None:
        """Have the folder in the state directory be a link; what is in it comes along."""
        if self.path.is_dir():
            for name in os.listdir(self.path):
                with contextlib.suppress(OSError):
                    if not name.startswith("."):
                        (self._target / name).write_bytes((self.path / name).read_bytes())
                    (self.path / name).unlink()
            self.path.rmdir()
        self.path.symlink_to(self._target.resolve())


def write(cause: str, environ: Mapping[str, str], default_state: Path, pid: Callable[[], int] = os.getpid) -> None:
    """Put an event into the spool, as the script does, and nudge whoever takes it. ``OSError`` when it cannot be."""
    spool = Path(environ.get("REMSIM_STATE") or default_state) / NAME
    text = text_of(cause, environ, pid())
    if not spool.is_dir():
        os.makedirs(os.path.realpath(spool), mode=0o700, exist_ok=True)
    stamp = text.partition("\nuptime=")[2].partition("\n")[0].replace(".", "")
    waiting = sorted(name for name in os.listdir(spool) if not name.startswith("."))
    if len(waiting) >= MOST_WAITING:
        oldest = waiting[: len(waiting) - MOST_WAITING + 1]
        for name in oldest:
            (spool / name).unlink(missing_ok=True)
        with (spool / DROPPED).open("a") as file:
            file.write(f"{len(oldest)}\n")
    fd = os.open(spool / f"{stamp:0>12}-{pid()}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(fd, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    nudge(spool)


def nudge(spool: Path) -> None:
    """Wake whoever takes records, if anybody does. Never waits."""
    with contextlib.suppress(OSError):
        pipe = os.open(spool / NUDGE, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(pipe, b".")
        finally:
            os.close(pipe)
