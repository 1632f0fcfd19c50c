"""Damaged replies by the million through the decoders: no crash, no impossible value, no slow one.

Every fixture reply is mutated (tests/mutations.py) and decoded. Bars: no exception but ``AtFormatError``, no value that
nothing can measure, at most 250 ms for one reply; at least 98 % of the fixtures' values right and at most 0.5 % wrong
when nothing is damaged. Usage: bench_decode.py [COUNT] [SEED]
"""

from __future__ import annotations

import json
import multiprocessing
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mutations import impossible, mutated
from remsim.core.errors import AtFormatError
from remsim.modems.decode import decode_reply
from replies import CAPTURES, TRANSCRIPTS, judge

ROWS = [*TRANSCRIPTS, *CAPTURES]
COUNT = 1_000_000
PROCESSES = 2
SLOWEST_MS = 250.0
RIGHT, WRONG = 0.98, 0.005


@dataclass
class Found:
    """What one process has found; faults by their kind, with one example each."""

    decodes: int = 0
    refused: int = 0
    slowest_ms: float = 0.0
    slowest: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def fault(self, kind: str, command: str, reply: str) -> None:
        """Count a fault and keep its first reply."""
        self.counts[kind] += 1
        self.examples.setdefault(kind, f"{command} {reply!r:.600}")


def one(found: Found, row: dict[str, str], reply: str) -> None:
    """Decode one damaged reply and look at what comes out."""
    begun = time.perf_counter()
    try:
        values = decode_reply(row["vendor"], row["module"], row.get("platform"), row["command"], reply)
    except AtFormatError:
        found.refused += 1
        values = {}
    except Exception as error:
        found.fault(f"{type(error).__name__}: {error!s:.80}", row["command"], reply)
        return
    elapsed_ms = (time.perf_counter() - begun) * 1000
    found.decodes += 1
    if elapsed_ms > found.slowest_ms:
        found.slowest_ms, found.slowest = elapsed_ms, f"{row['command']} {reply!r:.200}"
    for value in impossible("", values):
        found.fault(f"impossible {value.split(':')[0]}", row["command"], f"{value} in {reply}")
    try:
        json.dumps(values, allow_nan=False)
    except ValueError as error:
        found.fault(f"not JSON: {error}", row["command"], reply)


def run(task: tuple[int, int]) -> Found:
    """``count`` damaged replies from one seed on."""
    count, seed = task
    rng = random.Random(seed)
    found = Found()
    for _ in range(count):
        row = rng.choice(ROWS)
        one(found, row, mutated(rng, row["reply"]))
    return found


def shares() -> tuple[float, float]:
    """The shares of right and of wrong values of the fixtures as they are."""
    score = Counter(verdict for row in ROWS for verdict, _ in judge(row))
    return score["right"] / score.total(), score["wrong"] / score.total()


def main() -> int:
    """Print the figures; 1 when a bar is missed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    right, wrong = shares()
    begun = time.perf_counter()
    tasks = [(count // PROCESSES, seed * PROCESSES + number) for number in range(PROCESSES)]
    with multiprocessing.Pool(PROCESSES) as pool:
        results = pool.map(run, tasks)
    seconds = time.perf_counter() - begun
    decodes = sum(found.decodes for found in results)
    refused = sum(found.refused for found in results)
    slowest = max(results, key=lambda found: found.slowest_ms)
    faults: Counter[str] = Counter()
    for found in results:
        faults += found.counts
    print(f"fixtures: {len(ROWS)} replies")
    print(f"values: {right:.2%} right (bar {RIGHT:.0%}), {wrong:.2%} wrong (bar {WRONG:.1%})")
    print(f"damaged: {decodes} decoded, {refused / max(decodes, 1):.1%} refused as unreadable")
    print(f"speed: {decodes / seconds:.0f} decodes/s with {PROCESSES} processes")
    print(f"slowest: {slowest.slowest_ms:.0f} ms (bar {SLOWEST_MS:.0f})")
    for kind, number in faults.most_common():
        example = next(found.examples[kind] for found in results if kind in found.examples)
        print(f"FAULT {number} x {kind}\n  {example}")
    if slowest.slowest_ms > SLOWEST_MS:
        print(f"SLOW {slowest.slowest}")
    return 0 if not faults and right >= RIGHT and wrong <= WRONG and slowest.slowest_ms <= SLOWEST_MS else 1


if __name__ == "__main__":
    sys.exit(main())
