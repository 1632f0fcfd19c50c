"""A server or a card that answers with anything: a download ends with a profile or an error, and never otherwise."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from esim_engine import VirtualWay, World, world
from remsim.config.esim import EsimSettings
from remsim.core.errors import RemsimError
from remsim.esim.https import Https, Reply
from remsim.simulator.euicc.card import VirtualEuicc
from remsim.simulator.euicc.orders import Offer, Order

ICCID = "8949449999999990007"
ROUNDS = 60
JUNK: tuple[Any, ...] = (None, 7, "", [], {}, "AAAA", "é" * 5, True, -1, "A" * 70_000)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    made = world(tmp_path, [Order(Offer(ICCID, "001010123456063", "Travel", "Example", size_bytes=600), "TOKEN")])
    made.settings = EsimSettings(block_size=255)
    yield made
    made.servers.stop()


def fresh(here: World) -> None:
    """Another card, and the code unused."""
    order = here.servers.orders.all()[0]
    order.state, order.fetched_by, order.attempts = "released", None, 0
    here.card = VirtualEuicc(here.card._credentials)
    here.way = VirtualWay(here.card)


def spoilt(chance: random.Random, octets: bytes) -> bytes:
    """Octets of which some are other ones, gone, or new."""
    found = bytearray(octets)
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(len(found) + 1)
        match chance.randrange(3):
            case 0:
                found[at : at + 1] = bytes((chance.randrange(256),))
            case 1:
                del found[at : at + chance.randrange(1, 20)]
            case 2:
                found[at:at] = chance.randbytes(chance.randrange(1, 20))
    return bytes(found)


def spoilt_reply(chance: random.Random, reply: Reply) -> Reply:
    """An answer whose octets, or one of whose values, are not what they should be."""
    if chance.random() < 0.3 or not reply.body:
        return reply._replace(body=spoilt(chance, reply.body))
    message = json.loads(reply.body)
    key = chance.choice(sorted(message))
    if key not in ("header", "transactionId") and chance.random() < 0.7:
        message[key] = base64.b64encode(spoilt(chance, base64.b64decode(message[key]))).decode()
    else:
        message[key] = chance.choice(JUNK)
    return reply._replace(body=json.dumps(message).encode())


def ends(here: World) -> bool:
    """Whether a download brings a profile; an error is an end, too."""
    try:
        here.download("TOKEN")
    except RemsimError as error:
        assert error.message and error.code
        return False
    assert here.iccids() == [ICCID]
    return True


def test_a_server_may_answer_anything(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ask: Callable[..., Reply] = Https.post
    outcomes = set()
    for seed in range(ROUNDS):
        fresh(here)
        chance, left = random.Random(seed), [seed % 3]

        def post(*given: Any, chance: random.Random = chance, left: list[int] = left, **limits: Any) -> Reply:
            left[0] -= 1
            reply = ask(*given, **limits)
            return spoilt_reply(chance, reply) if left[0] == -1 else reply

        monkeypatch.setattr(Https, "post", post)
        outcomes.add(ends(here))
    assert False in outcomes


def test_a_card_may_answer_anything(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = set()
    for seed in range(ROUNDS):
        fresh(here)
        chance, left = random.Random(seed), [seed]
        transmit = here.card.transmit

        def answer(
            apdu: bytes,
            chance: random.Random = chance,
            left: list[int] = left,
            transmit: Callable[[bytes], bytes] = transmit,
        ) -> bytes:
            left[0] -= 1
            right = transmit(apdu)
            if left[0] != -1:
                return right
            status = bytes((chance.choice((0x61, 0x6C, 0x90, 0x91, 0x6A, 0x6F)), chance.randrange(256)))
            return chance.choice((spoilt(chance, right), spoilt(chance, right[:-2]) + right[-2:], right[:-2] + status))

        monkeypatch.setattr(here.card, "transmit", answer)
        outcomes.add(ends(here))
    assert outcomes == {True, False}
