"""Where addresses are, by the file that an import made; it stays on the disk but for what is asked."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from remsim.policies.countries.form import LARGEST_END, LENGTH, MAGIC, RANGE
from remsim.policies.learning.packets import octets_of

log = logging.getLogger(__name__)

AT_ONCE = 4096
"""Ranges that are read at once."""


class CountryIndex:
    """An imported list. ``is_there`` is false without one, and ``problem`` says why when there is one all the same.

    ``about`` has ``date``, ``source``, ``attribution`` and ``imported_at`` of the list, to be shown with it.
    """

    def __init__(self, path: Path) -> None:
        self.problem: str | None = None
        self.about: Mapping[str, Any] = {}
        self._fd = -1
        self._counts: dict[str, tuple[int, int]] = {}
        self._begin = {4: len(MAGIC), 6: len(MAGIC)}
        self._number = {4: 0, 6: 0}
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._read_end()
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.close()
            self._counts = {}
            self.problem = "the list of countries is damaged; import it again"
            log.warning("%s: %s", path, error)

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()

    @property
    def is_there(self) -> bool:
        """Whether there is a list."""
        return self._fd >= 0

    def codes(self) -> Collection[str]:
        """Countries it has addresses of."""
        return self._counts.keys()

    def counts(self) -> Mapping[str, tuple[int, int]]:
        """Ranges of IPv4 and of IPv6 by country."""
        return self._counts

    def spans(self, code: str, family: int) -> Iterator[tuple[int, int]]:
        """First and last address as numbers, in order, neighbours merged."""
        wanted = code.encode("ascii", "replace")
        if code not in self._counts:
            return
        form = RANGE[family]
        for number in range(0, self._number[family], AT_ONCE):
            count = min(AT_ONCE, self._number[family] - number)
            for first, last, country in form.iter_unpack(self._at(family, number, count)):
                if country == wanted:
                    yield (first, last) if family == 4 else (first << 64, last << 64 | 0xFFFFFFFFFFFFFFFF)

    def country_of(self, address: str) -> str | None:
        """Where an address is; None where the list does not tell."""
        octets = octets_of(address)
        if octets is None or not self.is_there:
            return None
        family = 4 if len(octets) == 4 else 6
        wanted = int.from_bytes(octets[:8], "big")
        form = RANGE[family]
        low, high = 0, self._number[family]
        while low < high:
            middle = (low + high) // 2
            first, last, country = form.unpack(self._at(family, middle, 1))
            if wanted < first:
                high = middle
            elif wanted > last:
                low = middle + 1
            else:
                return str(country.decode())
        return None

    def _at(self, family: int, number: int, count: int) -> bytes:
        size = RANGE[family].size
        return os.pread(self._fd, count * size, self._begin[family] + number * size)

    def _read_end(self) -> None:
        size = os.fstat(self._fd).st_size
        if os.pread(self._fd, len(MAGIC), 0) != MAGIC or size < len(MAGIC) + LENGTH.size:
            raise ValueError("it is no list of countries")
        (length,) = LENGTH.unpack(os.pread(self._fd, LENGTH.size, size - LENGTH.size))
        if length > min(LARGEST_END, size):
            raise ValueError("it is cut off")
        about = json.loads(os.pread(self._fd, length, size - LENGTH.size - length))
        number4, number6 = (int(one) for one in about["ranges"])
        self._number = {4: number4, 6: number6}
        self._begin[6] = len(MAGIC) + number4 * RANGE[4].size
        if self._begin[6] + number6 * RANGE[6].size + length + LENGTH.size != size:
            raise ValueError("its length is not right")
        self._counts = {str(code): (int(one[0]), int(one[1])) for code, one in about["countries"].items()}
        self.about = {key: about[key] for key in ("date", "source", "attribution", "imported_at", "left_out")}
