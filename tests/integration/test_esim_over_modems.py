"""A whole download over each family's way to the card, from the virtual SM-DP+; how many commands that takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from card_port import CardPort
from esim_engine import World, world
from remsim.config.esim import EsimSettings
from remsim.esim.activation import parse
from remsim.esim.download import Consent
from remsim.esim.engine import opened
from remsim.esim.errors import EsimError
from remsim.esim.euicc import Euicc
from remsim.esim.trust import Trust
from remsim.simulator.euicc import scene
from remsim.simulator.euicc.orders import Offer, Order

ICCID = "8949449999999990007"
SIZE = 6000
MODELS = ("RM520N-GL", "EC25", "EM7565", "EM9190", "FM350-GL", "FM160-EAU", "PLS8-E", "MODEM-27.007")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    one = world(tmp_path, [Order(Offer(ICCID, "001010123456063", "Travel", "Example", size_bytes=SIZE), "AAAAA-BBBBB")])
    yield one
    one.servers.stop()


def download(served: World, port: CardPort, ways: Sequence[Any] | None = None, *, block_size: int = 120) -> Any:
    """The order's profile onto the card behind a modem's port."""
    card = port.state.cards[0]
    assert card is not None
    card.made_euicc = served.card
    port.commands.clear()
    with opened(
        ways or port.ways(),
        settings=replace(EsimSettings(), block_size=block_size),
        trust=Trust((served.ca_file,), None),
        hosts=served.servers.hosts,
        clock=served.clock,
        imei=None,
    ) as engine:
        return engine.download(
            parse(f"LPA:1${scene.SMDP_HOST}$AAAAA-BBBBB"),
            confirmation_code=None,
            consent=lambda metadata, needs_code, wrong_code: Consent(True),
            progress=lambda step, fraction: None,
            is_aborted=lambda: False,
            nickname=None,
        )


@pytest.mark.parametrize("model", MODELS)
def test_a_profile_comes_onto_the_card_of_every_family(model: str, served: World) -> None:
    installed = download(served, CardPort(model))
    assert installed.profile.iccid == ICCID
    assert served.iccids() == [ICCID]
    assert served.card.open_channels == []


@pytest.mark.parametrize("block_size", [6, 30, 255])
def test_the_size_of_blocks_changes_nothing_else(block_size: int, served: World) -> None:
    assert download(served, CardPort("EM7565"), block_size=block_size).profile.iccid == ICCID


def test_ec25_over_cgla_fails_in_words_and_says_the_truth_of_the_card(served: World) -> None:
    port = CardPort("EC25")
    by_cgla = [way for way in port.ways() if way.kind == "cgla"]
    with pytest.raises(EsimError, match="AT\\+CGLA") as caught:
        download(served, port, by_cgla)
    assert caught.value.code == "load_cut"
    assert served.iccids() == []


def test_a_package_takes_no_command_more_than_it_has_to(served: World, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[tuple[int, list[bytes]]] = []
    real: Callable[..., Any] = Euicc.load

    def load(self: Euicc, pieces: list[bytes], **options: Any) -> Any:
        before = self._isdr.apdus_sent
        result = real(self, pieces, **options)
        loaded.append((self._isdr.apdus_sent - before, pieces))
        return result

    monkeypatch.setattr(Euicc, "load", load)
    download(served, CardPort("RM520N-GL"))
    sent, pieces = loaded[0]
    blocks = sum(-(-len(piece) // 120) for piece in pieces)
    assert sent <= blocks + 2  # and the result, which is fetched
