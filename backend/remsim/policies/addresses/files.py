"""Files of addresses in the one folder that policies may name files of."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
from collections.abc import Collection
from pathlib import Path

from remsim.core.small_dataclass import dataclass
from remsim.policies.addresses.reading import Addresses, AddressFileError, read_addresses

LOOK_S = 5.0
SETTLED_S = 2.0
"""A file that was written just now may not be whole yet."""
MOST_NAMES = 200
"""Files that are offered."""
UNUSED_S = 600.0
"""So long is kept what was read for a text that is not in force: whoever writes one has it checked again and again."""
Signature = tuple[int, int, int]


class NoFile(AddressFileError):
    """There is no such file here."""


@dataclass(slots=True)
class _Read:
    """What a file had when it was read last; ``addresses`` None: it could never be read. ``problem``: why not now.
    ``is_news``: it was read again, and nobody was told of it yet."""

    signature: Signature | None
    addresses: Addresses | None
    problem: AddressFileError | None
    used_at: float
    is_news: bool


class AddressFiles:
    """Files below ``folder``, each read once and again when it has changed. Any thread may ask."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(os.path.abspath(folder))
        self._reading = threading.Lock()
        self._known: dict[Path, _Read] = {}
        self._look_at = 0.0

    def names(self) -> list[str]:
        """Files that there are, as policies may name them."""
        try:
            found = sorted(one.name for one in self.folder.iterdir() if one.is_file() and not one.name.startswith("."))
            return found[:MOST_NAMES]
        except OSError:
            return []

    def read_again(self, names: Collection[str]) -> None:
        """Read files that have changed; what is wrong with them is kept as news."""
        for name in names:
            with contextlib.suppress(AddressFileError):
                self.read(name)

    def read(self, name: str) -> Addresses:
        """What a file has now; ``AddressFileError`` (``NoFile``) with a sentence that names it."""
        with self._reading:
            path = self._path(name)
            signature = _signature(path)
            known = self._known.get(path)
            if known is None or known.signature != signature:
                known = self._read(path, signature, known)
            known.used_at = time.monotonic()
            if known.problem is not None:
                raise known.problem
            assert known.addresses is not None
            return known.addresses

    def last(self, name: str) -> Addresses | None:
        """What a file had when it could be read last; waits for nobody."""
        known = self._known.get(self._place(name))
        return None if known is None else known.addresses

    def changed(self, names: Collection[str]) -> list[str]:
        """Which of these files, which are in force, differ from what was read; looks every few seconds."""
        now = time.monotonic()
        if now < self._look_at:
            return []
        self._look_at = now + LOOK_S
        places = {self._place(name) for name in names}
        for path, known in list(self._known.items()):
            if path not in places and now - known.used_at > UNUSED_S:
                self._known.pop(path, None)
        return [name for name in names if self._has_changed(name)]

    def news(self, names: Collection[str]) -> list[str]:
        """What is to be told of these files: those that were read again since it was asked last, whoever did so."""
        told = []
        for path in dict.fromkeys(self._place(name) for name in names):
            known = self._known.get(path)
            if known is not None and known.is_news:
                known.is_news = False
                if known.problem is not None:
                    told.append(f"{known.problem.message}; what it had before stays in force")
                elif known.addresses is not None:
                    told.append(f"{path} has {len(known.addresses)} ranges of addresses now")
        return told

    def _has_changed(self, name: str) -> bool:
        path = self._place(name)
        known, signature = self._known.get(path), _signature(path)
        if known is None or signature == known.signature:
            return False
        return signature is None or not 0 <= time.time() - signature[0] / 1e9 < SETTLED_S

    def _path(self, name: str) -> Path:
        """Where a file lies; only names tell, nothing is looked at."""
        path = self._place(name)
        if self.folder not in path.parents or "\0" in name:
            raise AddressFileError(f"{name}: only files below {self.folder} are read")
        return path

    def _place(self, name: str) -> Path:
        return Path(os.path.normpath(self.folder / name))

    def _read(self, path: Path, signature: Signature | None, before: _Read | None) -> _Read:
        addresses = None if before is None else before.addresses
        problem: AddressFileError | None = None
        try:
            addresses = _addresses(path)
        except AddressFileError as error:
            where = f"{path}, line {error.line}" if error.line else str(path)
            problem = type(error)(f"{where}: {error.message}", error.line)
        found = self._known[path] = _Read(signature, addresses, problem, time.monotonic(), before is not None)
        return found


def _addresses(path: Path) -> Addresses:
    try:
        # What is no file, a pipe for instance, must not be waited for.
        with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise AddressFileError("it is no file")
            return read_addresses(file)
    except FileNotFoundError as error:
        raise NoFile("there is no such file") from error
    except IsADirectoryError as error:
        raise AddressFileError("it is no file") from error
    except OSError as error:
        raise AddressFileError(f"it cannot be read: {error.strerror}") from error


def _signature(path: Path) -> Signature | None:
    """What differs when a file was written or replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ctime_ns, found.st_size, found.st_ino
