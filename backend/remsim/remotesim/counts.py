"""Counts of TPDUs, authentications and their delay, and the small file that takes them from the relay to the service.

The file is what is shown, and a relay that starts goes on from it: counts never go back unless the file is gone, as
after a restart of a router that has it in RAM. ``counted_since`` tells. No octet of an exchange gets in here.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING, Any

from remsim.core.clock import FIRST_TRUSTED
from remsim.remotesim.apdu import RESYNC, SUCCESS, UNKNOWN

if TYPE_CHECKING:  # a relay must stay small
    from pathlib import Path

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Delays of an APDU up to which is counted; an authentication takes about 0.1 s."""
MOST_FAILURES = 16
OTHER = "other"
LARGEST_FILE = 16 * 1024


class Counts:
    """What has been counted. Not for several threads at once."""

    def __init__(self) -> None:
        self.tpdu_tx = self.tpdu_rx = self.undecodable = 0
        self.results = {SUCCESS: 0, RESYNC: 0, UNKNOWN: 0}
        self.failures: dict[str, int] = {}
        self.delays = [0] * (len(BUCKETS_S) + 1)
        self.delay_sum_s = 0.0
        self.since: float | None = None
        self._began = time.monotonic()

    def judged(self, results: list[str]) -> None:
        """Count results of authentications."""
        for result in results:
            if result in self.results:
                self.results[result] += 1
                continue
            is_new = result not in self.failures and len(self.failures) >= MOST_FAILURES
            label = OTHER if is_new else result
            self.failures[label] = self.failures.get(label, 0) + 1

    def delayed(self, seconds: float) -> None:
        """Count how long the card took, with the way to it."""
        place = next((i for i, most in enumerate(BUCKETS_S) if seconds <= most), len(BUCKETS_S))
        self.delays[place] += 1
        self.delay_sum_s += seconds

    def as_dict(self) -> dict[str, Any]:
        """As the file has it."""
        now = time.time()
        if self.since is None and now >= FIRST_TRUSTED:
            self.since = now - (time.monotonic() - self._began)
        return {
            "tpdu_tx": self.tpdu_tx,
            "tpdu_rx": self.tpdu_rx,
            "undecodable": self.undecodable,
            "results": dict(self.results),
            "failures": dict(self.failures),
            "delays": list(self.delays),
            "delay_sum_s": round(self.delay_sum_s, 6),
            "since": self.since,
        }

    @classmethod
    def of(cls, content: dict[str, Any]) -> Counts:
        """Counts to go on from; ``ValueError`` or ``TypeError`` when it is not what ``as_dict`` writes."""
        counts = cls()
        for name in ("tpdu_tx", "tpdu_rx", "undecodable"):
            setattr(counts, name, whole(content.get(name)))
        counts.results |= {name: whole(content["results"].get(name)) for name in counts.results}
        counts.failures = {str(word): whole(count) for word, count in content["failures"].items()}
        counts.delays = [whole(count) for count in content["delays"]]
        counts.delay_sum_s = float(content["delay_sum_s"])
        counts.since = None if content["since"] is None else float(content["since"])
        if len(counts.delays) != len(BUCKETS_S) + 1:
            raise ValueError("it is of another version")
        return counts


def whole(value: Any) -> int:
    """A count."""
    if type(value) is not int or value < 0:
        raise ValueError("it is no count")
    return value


def read_file(path: Path | str) -> dict[str, Any]:
    """What a file has; empty when there is none or it is damaged."""
    try:
        with open(path, "rb") as file:
            content = json.loads(file.read(LARGEST_FILE))
        Counts.of(content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
    return dict(content)


def write_file(path: Path | str, content: dict[str, Any]) -> None:
    """Replace a file as a whole; ``OSError``. Not forced to a disk: it is written each second, to RAM on a router."""
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.new")
    try:
        os.makedirs(folder or ".", exist_ok=True)
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(fd, "wb") as file:
            file.write(json.dumps(content).encode())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def shown(content: dict[str, Any], since: str | None) -> dict[str, Any]:
    """Counts as the API has them; the delays as a histogram's cumulative buckets."""
    buckets, total = [], 0
    for most, count in zip((*BUCKETS_S, "+Inf"), content["delays"], strict=True):
        total += count
        buckets.append([most, total])
    return {
        "tpdu_tx": content["tpdu_tx"],
        "tpdu_rx": content["tpdu_rx"],
        "authentications": {**content["results"], "failure": content["failures"]},
        "apdu_seconds": {"buckets": buckets, "sum": content["delay_sum_s"], "count": total},
        "counted_since": since,
    }
