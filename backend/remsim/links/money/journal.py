"""What is not in the book yet, in a file in memory: a service that is killed loses ten seconds, and flash is spared."""

from __future__ import annotations

import contextlib
import json
import logging
import zlib
from collections.abc import Mapping
from pathlib import Path

from remsim.core.files import write_atomically
from remsim.links.note import RUN_DIR

log = logging.getLogger(__name__)

Key = tuple[str, str, str, str]


class Journal:
    """Of one book; gone with the next start of the machine, as ``run_dir`` is. What cannot be written is not kept."""

    def __init__(self, book: Path, run_dir: Path = RUN_DIR) -> None:
        self._book = str(book.absolute())
        self._path = run_dir / f"links-usage-{zlib.crc32(self._book.encode(errors='surrogateescape')):08x}.json"
        self._is_told = False

    def keep(self, counted: Mapping[Key, list[int]]) -> None:
        """Have just this in it."""
        rows = [[*key, *count] for key, count in counted.items()]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, json.dumps({"book": self._book, "counted": rows}).encode())
            self._is_told = False
        except OSError as error:
            if not self._is_told:
                log.info("what links used in the last minute is lost if the service is killed: %s", error)
            self._is_told = True

    def clear(self) -> None:
        """Have nothing in it."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def read(self) -> dict[Key, list[int]]:
        """What a run that was killed left; nothing where that cannot be read, or is another book's."""
        try:
            told = json.loads(self._path.read_bytes())
            if told["book"] != self._book:
                return {}
            return {
                (str(day), str(link), str(sim), str(policy)): [max(0, int(rx)), max(0, int(tx))]
                for day, link, sim, policy, rx, tx in told["counted"]
            }
        except (OSError, ValueError, KeyError, TypeError):
            return {}
