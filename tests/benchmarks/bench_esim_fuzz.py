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
from remsim.core.tlv import Tlv, encode, read_all, read_one  # noqa: E402
from remsim.esim import bpp  # noqa: E402
from remsim.esim.activation import parse  # noqa: E402
from remsim.esim.es10 import replies  # noqa: E402
from remsim.esim_values import DECODERS, decoder_of  # noqa: E402
from unit.test_esim_codec import INFO2, PROFILES, SUCCESS, package  # noqa: E402

COUNT = 1_000_000
MOST_KB = 8 * 1024
SLOWEST_S = 0.25
"""Of the processor, for one damaged answer."""
DEEPEST = 16
TAGS = (0x02, 0x04, 0x0C, 0x30, 0x4F, 0x5A, 0x80, 0x81, 0x82, 0x90, 0x94, 0x95, 0xA0, 0xA1, 0xA2, 0xB6, 0xE3, 0x5F37,
        0x9F70, 0xBF27, 0xBF2D, 0xBF2F, 0xBF37)  # fmt: skip
OWNER = encode(0xB7, encode(0x80, b"\x62\xf2\x20"))
ICON = encode(0xE3, encode(0x93, b"\1"), encode(0x94, bytes(900)), encode(0x99, b"\4\x60"), OWNER)
ERROR = encode(0xA1, encode(0x80, bytes(16)), encode(0x02, b"\7"))
SAMPLES = (
    ("ProfileInfoList", bytes.fromhex(PROFILES)),
    ("ProfileInfoList", encode(0xBF2D, encode(0xA0, *[ICON] * 4))),
    ("GetEuiccInfo2", bytes.fromhex(INFO2)),
    ("LoadBoundProfilePackage", bytes.fromhex(SUCCESS)),
    ("RetrieveNotificationsList", encode(0xBF2B, encode(0xA0, *[bytes.fromhex(SUCCESS)] * 3))),
    ("ListNotification", encode(0xBF28, encode(0xA0, *[bytes.fromhex("BF2F0A800101810206400C0161")] * 5))),
    ("AuthenticateServer", encode(0xBF38, ERROR)),
    ("PrepareDownload", encode(0xBF21, ERROR)),
    ("EnableProfile", encode(0xBF31, encode(0x80, b"\0"))),
    ("GetEuiccData", bytes.fromhex("BF3E125A1089049032123451234512345678901235")),
    ("GetRAT", encode(0xBF43, encode(0xA0, encode(0x30, encode(0x80, b"\5\x60"), encode(0xA1, encode(0x30)))))),
)
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


def grown(random_of: random.Random, tlv: Tlv, depth: int = 0) -> bytes:
    """An object with some of its members left out, doubled, moved or changed, its lengths right: what gets deep."""
    if random_of.random() < 0.04:
        tlv = Tlv(random_of.choice(TAGS), tlv.value)
    if not tlv.is_constructed or depth == DEEPEST:
        is_hit = random_of.random() < 0.1
        return encode(tlv.tag, damaged(random_of, tlv.value or b"\0") if is_hit else tlv.value)
    members = [grown(random_of, one, depth + 1) for one in tlv.children()]
    if members and random_of.random() < 0.2:
        at = random_of.randrange(len(members))
        members[at : at + 1] = random_of.choice(([], members[at : at + 1] * 2, [encode(random_of.choice(TAGS))]))
    if random_of.random() < 0.1:
        random_of.shuffle(members)
    return encode(tlv.tag, *members)


def deep(tlv: Tlv, depth: int = 0) -> None:
    """Walk all of it, as nobody does who knows what to look for."""
    if tlv.is_constructed and depth < 64:
        for child in tlv.children():
            deep(child, depth + 1)


def answered(random_of: random.Random) -> None:
    """One answer of a card, damaged in one of two ways, read by what reads such answers; now and then by another."""
    name, sample = random_of.choice(SAMPLES)
    is_blunt = random_of.random() < 0.3
    octets = damaged(random_of, sample) if is_blunt else grown(random_of, read_one(sample))
    if random_of.random() < 0.05:
        name = random_of.choice(sorted(DECODERS))
    decoder_of(name)(replies.whole(octets))


def main(count: int) -> int:
    """Run; 1 when something other than an error of ours came, or memory or time went out of bounds."""
    random_of = random.Random(20261126)
    packaged = package(True, [1020, 1020, 300])
    before, slowest, refused = peak_kb(), 0.0, 0
    begun = time.monotonic()
    for number in range(count):
        at = time.process_time()
        try:
            if number % 16 == 0:
                bpp.segments(damaged(random_of, packaged))
            elif number % 16 == 1:
                parse(damaged(random_of, CODE.encode()).decode("utf-8", "replace"))
            elif number % 16 == 2:
                for tlv in read_all(damaged(random_of, random_of.choice(SAMPLES)[1])):
                    deep(tlv)
            else:
                answered(random_of)
        except RemsimError:
            refused += 1
        slowest = max(slowest, time.process_time() - at)
    took, grew = time.monotonic() - begun, peak_kb() - before
    print(f"{count} damaged objects in {took:.0f} s ({took / count * 1e6:.0f} us each), {refused} refused")
    print(f"the slowest took {slowest * 1e3:.1f} ms; memory grew by {grew} KB (limit {MOST_KB})")
    return 0 if grew <= MOST_KB and slowest <= SLOWEST_S and 0 < refused < count else 1


def peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT))
