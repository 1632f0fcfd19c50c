"""A million damaged answers of cards, packages and codes: every one is answered, in bounded memory.

``python tests/benchmarks/bench_esim_fuzz.py [COUNT]``
"""

from __future__ import annotations

import random
import resource
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "backend"), str(Path(__file__).resolve().parents[1])]

from remsim.core.errors import RemsimError  # noqa: E402
from remsim.core.tlv import Tlv, encode, read_all  # noqa: E402
from remsim.esim import bpp  # noqa: E402
from remsim.esim.activation import parse  # noqa: E402
from remsim.esim_values import DECODERS, decoder_of  # noqa: E402
from unit.test_esim_codec import INFO2, PROFILES, SUCCESS, package  # noqa: E402

COUNT = 1_000_000
MOST_KB = 8 * 1024
SLOWEST_S = 1.0
"""What one damaged answer may take, be it on a machine that is busy."""
CODE = "LPA:1$rsp.example.com$ABC-123$1.3.6.1.4.1.31746$1"


def damaged(random_of: random.Random, sample: bytes) -> bytes:
    """Octets changed, cut off, doubled or put in; lengths most of all, as they lead a reader astray."""
    data = bytearray(sample)
    for _ in range(random_of.randrange(1, 6)):
        at = random_of.randrange(len(data)) if data else 0
        what = random_of.randrange(5)
        if what == 0 and data:
            data[at] = random_of.choice((0x00, 0x7F, 0x80, 0x81, 0x82, 0x83, 0x84, 0xFF, random_of.randrange(256)))
        elif what == 1:
            del data[at:]
        elif what == 2:
            data[at:at] = data[: random_of.randrange(64)]
        elif what == 3 and data:
            del data[at]
        else:
            data[at:at] = random_of.randbytes(random_of.randrange(1, 9))
    return bytes(data)


def deep(tlv: Tlv, depth: int = 0) -> None:
    """Walk all of it, as nobody does who knows what to look for."""
    if tlv.is_constructed and depth < 64:
        for child in tlv.children():
            deep(child, depth + 1)


def main(count: int) -> int:
    """Run; 1 when something other than an error of ours came, or memory or time went out of bounds."""
    random_of = random.Random(20261126)
    packaged = package(True, [1020, 1020, 300])
    samples = [bytes.fromhex(one) for one in (PROFILES, INFO2, SUCCESS)]
    samples.append(encode(0xBF2B, encode(0xA0, *samples[2:])))
    decoders = [decoder_of(name) for name in DECODERS]
    before, slowest, refused = peak_kb(), 0.0, 0
    begun = time.monotonic()
    for number in range(count):
        at = time.monotonic()
        try:
            if number % 16 == 0:
                bpp.segments(damaged(random_of, packaged))
            elif number % 16 == 1:
                parse(damaged(random_of, CODE.encode()).decode("utf-8", "replace"))
            elif number % 16 == 2:
                for tlv in read_all(damaged(random_of, random_of.choice(samples))):
                    deep(tlv)
            else:
                random_of.choice(decoders)(damaged(random_of, random_of.choice(samples)))
        except RemsimError:
            refused += 1
        slowest = max(slowest, time.monotonic() - at)
    took, grown = time.monotonic() - begun, peak_kb() - before
    print(f"{count} damaged objects in {took:.0f} s ({took / count * 1e6:.0f} us each), {refused} refused")
    print(f"the slowest took {slowest * 1e3:.1f} ms; memory grew by {grown} KB (limit {MOST_KB})")
    return 0 if grown <= MOST_KB and slowest <= SLOWEST_S and 0 < refused < count else 1


def peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT))
