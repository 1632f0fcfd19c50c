"""Downloads from servers and onto cards that answer nonsense now and then: each ends in words, and none with a lie.

``python tests/benchmarks/bench_esim_hostile.py [DOWNLOADS]``
"""

from __future__ import annotations

import base64
import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from unittest import mock

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "backend"), str(Path(__file__).resolve().parents[1])]

from esim_engine import CI, Person, VirtualChannel, VirtualWay, World, world  # noqa: E402
from remsim.core.errors import RemsimError  # noqa: E402
from remsim.esim.https import Https, Reply  # noqa: E402
from remsim.simulator.euicc.card import VirtualEuicc  # noqa: E402
from remsim.simulator.euicc.cards import demonstration  # noqa: E402
from remsim.simulator.euicc.credentials import make  # noqa: E402
from remsim.simulator.euicc.orders import Offer, Order  # noqa: E402

DOWNLOADS = 400
SLOWEST_S = 10.0
MOST_APDUS = 5000
CREDENTIALS = make(CI)
INSTALLED, LIE = "installed", "a lie:"
HOME = ("89999010000000000001", "999010000000001")
WORDS = (b"\x6f\x00", b"\x6a\x88", b"\x61\x00", b"\x6c\x05", b"\x61\x10", b"\x91\x10", b"\x62\x83")
VALUES: tuple[Any, ...] = (None, 1, [], {}, "x", True, "", "AA==", {"status": "Failed", "statusCodeData": [1]})


def damaged(dice: random.Random, data: bytes) -> bytes:
    """Octets changed, cut off, doubled or others."""
    made, kind = bytearray(data), dice.randrange(6)
    at = dice.randrange(len(made)) if made else 0
    if kind == 0 and made:
        made[at] ^= 1 << dice.randrange(8)
    elif kind == 1:
        del made[at:]
    elif kind == 2 and made:
        made[at] = dice.choice((0x00, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFF))
    elif kind == 3:
        made = made * 2
    elif kind == 4:
        made = bytearray(dice.randbytes(dice.randrange(200)))
    else:
        made[at:at] = made[: dice.randrange(40)]
    return bytes(made)


class HostileChannel(VirtualChannel):
    """Answers wrongly at a rate."""

    def __init__(self, way: HostileWay, number: int) -> None:
        super().__init__(way, number)
        self._hostile = way

    def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
        way = self._hostile
        way.apdus += 1
        if way.apdus > MOST_APDUS:
            raise AssertionError("it does not end")
        answer = super().transmit(apdu, timeout_s=timeout_s)
        if way.dice.random() >= way.rate:
            return answer
        if way.dice.random() < 0.3:
            return answer[:-2] + way.dice.choice(WORDS)
        return damaged(way.dice, answer[:-2]) + (answer[-2:] if way.dice.random() < 0.7 else b"")


class HostileWay(VirtualWay):
    """Opens a card whose answers are wrong at a rate."""

    def __init__(self, card: VirtualEuicc, dice: random.Random, rate: float) -> None:
        super().__init__(card)
        self.dice, self.rate, self.apdus = dice, rate, 0

    def open(self, aid: bytes) -> VirtualChannel:
        return HostileChannel(self, super().open(aid).number or 0)


def distorted(dice: random.Random, reply: Reply) -> Reply:
    """An answer with another status, another body, or a part that is none."""
    kind = dice.randrange(6)
    if kind == 0:
        return Reply(dice.choice((200, 204, 301, 404, 503)), reply.content_type, damaged(dice, reply.body))
    if kind == 1:
        return Reply(200, "text/html", b"<html>" + b"[" * dice.randrange(50_000))
    if not reply.body:
        return reply
    answer = json.loads(reply.body)
    key = dice.choice(sorted(answer))
    if kind == 2:
        del answer[key]
    elif kind == 3 or not isinstance(answer[key], str) or key == "transactionId":
        answer[key] = dice.choice(VALUES)
    else:
        answer[key] = base64.b64encode(damaged(dice, base64.b64decode(answer[key]))).decode()
    return Reply(reply.status, reply.content_type, json.dumps(answer).encode())


def one(place: World, dice: random.Random, number: int) -> str:
    """One download, by a card or a server that is not to be trusted. How it ended."""
    is_server, rate = dice.random() < 0.5, dice.choice((0.003, 0.02, 0.1))
    offer = Offer(f"8999000000{number:09}", f"999020{number:09}", "Trip", "Operator")
    place.servers.orders.add(Order(offer, f"RUN-{number}"))
    place.card = VirtualEuicc(CREDENTIALS, demonstration(*HOME))
    place.way = HostileWay(place.card, dice, 0.0 if is_server else rate)
    post = Https.post

    def posted(*given: Any, **options: Any) -> Reply:
        reply = post(*given, **options)
        return distorted(dice, reply) if is_server and dice.random() < 3 * rate else reply

    with mock.patch.object(Https, "post", posted):
        try:
            place.download(f"RUN-{number}", person=Person())
        except RemsimError as error:
            is_lie = offer.iccid in place.iccids() and error.code != "load_unknown"
            return f"{LIE} {error.code}" if is_lie else error.code
    return INSTALLED if offer.iccid in place.iccids() else f"{LIE} {INSTALLED}"


def main(downloads: int) -> int:
    """Run; 1 when something other than an error of ours came, one took long, or what was said was not so."""
    logging.disable(logging.CRITICAL)
    dice, ends, slowest = random.Random(20261126), Counter[str](), 0.0
    with tempfile.TemporaryDirectory() as directory:
        place = world(Path(directory), [])
        for number in range(downloads):
            at = time.monotonic()
            ends[one(place, dice, number)] += 1
            slowest = max(slowest, time.monotonic() - at)
        place.servers.stop()
    lies = sum(count for end, count in ends.items() if end.startswith(LIE))
    print(f"{downloads} downloads, {ends[INSTALLED]} installed, {lies} lies, the slowest took {slowest:.1f} s")
    print(", ".join(f"{end} {count}" for end, count in ends.most_common()))
    return 0 if not lies and ends[INSTALLED] and slowest <= SLOWEST_S else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else DOWNLOADS))
