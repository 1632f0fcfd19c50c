"""The LPA on a virtual card, with virtual servers: what a download's tests share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from remsim.config.esim import EsimSettings
from remsim.core.clock import Clock, SystemClock
from remsim.core.errors import ModemGone, NoApplication
from remsim.esim.activation import parse
from remsim.esim.download import Consent
from remsim.esim.engine import Engine, opened
from remsim.esim.trust import Trust
from remsim.simulator.euicc import pki
from remsim.simulator.euicc.card import CardGone, SwError, VirtualEuicc
from remsim.simulator.euicc.credentials import make
from remsim.simulator.euicc.orders import Order, Orders
from remsim.simulator.euicc.profiles import CardProfile
from remsim.simulator.euicc.scene import SMDP_HOST
from remsim.simulator.euicc.servers import Servers

CI = pki.make_ci("Test CI of the LPA")


class VirtualWay:
    """A virtual card, without a modem between. ``cut`` is called before each APDU: it may raise."""

    kind, label = "virtual", "a virtual card"

    def __init__(self, card: VirtualEuicc, cut: Callable[[bytes], None] = lambda apdu: None) -> None:
        self.card = card
        self.cut = cut
        self.opened = 0

    def open(self, aid: bytes) -> VirtualChannel:
        self.opened += 1
        try:
            return VirtualChannel(self, self.card.open(aid))
        except SwError as error:
            raise NoApplication("the card has no such application") from error
        except CardGone as error:
            raise ModemGone("a virtual card") from error


class VirtualChannel:
    """One of its channels."""

    def __init__(self, way: VirtualWay, number: int) -> None:
        self.number: int | None = number
        self._way = way

    def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
        self._way.cut(apdu)
        try:
            return self._way.card.transmit(apdu)
        except CardGone as error:
            raise ModemGone("a virtual card") from error

    def close(self) -> None:
        with contextlib.suppress(SwError, CardGone):
            self._way.card.close(self.number or 0)


class Person:
    """Who is asked: agrees, with the codes in their turn."""

    def __init__(self, *codes: str | None, says: Sequence[Consent | None] = ()) -> None:
        self.codes = list(codes)
        self.says = list(says)
        self.asked: list[tuple[str | None, bool, bool]] = []

    def __call__(self, metadata: Any, needs_code: bool, wrong_code: bool) -> Consent | None:
        self.asked.append((metadata.name, needs_code, wrong_code))
        if self.says:
            return self.says.pop(0)
        return Consent(True, self.codes.pop(0) if self.codes else None)


@dataclass
class World:
    """A card, its servers, and who is at the LPA."""

    card: VirtualEuicc
    servers: Servers
    ca_file: Path
    way: VirtualWay
    steps: list[tuple[str, float | None]] = field(default_factory=list)
    is_aborted: Callable[[], bool] = lambda: False
    clock: Clock = field(default_factory=SystemClock)
    settings: EsimSettings = field(default_factory=EsimSettings)

    @contextlib.contextmanager
    def engine(self, *, lab_ca: str | None = None, trust: Trust | None = None) -> Iterator[Engine]:
        """The card, open."""
        with opened(
            [self.way],
            settings=self.settings,
            trust=trust or Trust((self.ca_file,), lab_ca),
            hosts=self.servers.hosts,
            clock=self.clock,
            imei="490154203237518",
        ) as engine:
            yield engine

    def download(self, code: str, *codes: str | None, person: Person | None = None, **options: Any) -> Any:
        """A download by its matching id, or whole code."""
        self.steps.clear()
        with self.engine() as engine:
            return engine.download(
                parse(code if "$" in code else f"LPA:1${SMDP_HOST}${code}"),
                confirmation_code=options.pop("confirmation_code", None),
                consent=person or Person(*codes),
                progress=lambda step, fraction: self.steps.append((step, fraction)),
                is_aborted=self.is_aborted,
                nickname=options.pop("nickname", None),
            )

    def calls(self) -> list[str]:
        """What the SM-DP+ was asked, in order."""
        return [f"{one.step} {one.outcome}" for one in self.servers.smdp.calls]

    def iccids(self) -> list[str]:
        """What the card has."""
        return [one.iccid for one in self.card.profiles]


class QuickClock(SystemClock):
    """Waits are remembered, not waited for."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def world(tmp_path: Path, orders: Iterable[Order], *profiles: CardProfile, **options: Any) -> World:
    """Servers that have these orders, and a card that has these profiles."""
    card = VirtualEuicc(make(CI), profiles, **options.pop("card", {}))
    servers = Servers(CI, Orders(orders), **options)
    servers.start()
    ca_file = tmp_path / "ci.pem"
    ca_file.write_bytes(CI.certificate.public_bytes(Encoding.PEM))
    return World(card, servers, ca_file, VirtualWay(card), clock=QuickClock())
