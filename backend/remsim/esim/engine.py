"""What works on an open card: our own LPA, or lpac. Whoever opens one does not see which."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from remsim.core.clock import Clock
from remsim.core.tlv import TlvError, read_one
from remsim.esim.apdu import Isdr, open_isdr
from remsim.esim.download import Consent, Download, Installed, Metadata, Progress
from remsim.esim.errors import EsimError
from remsim.esim.es9 import Entry, SmdpClient
from remsim.esim.es10.notifications import Notification
from remsim.esim.euicc import Euicc
from remsim.esim.https import Https
from remsim.esim.smds import discover
from remsim.esim.trust import Trust

if TYPE_CHECKING:
    from remsim.config.esim import EsimSettings
    from remsim.esim.activation import Activation
    from remsim.esim.transport import Way

log = logging.getLogger(__name__)

Ask = Callable[[Metadata, bool, bool], Consent | None]
"""Asks somebody: what is offered, whether a confirmation code is wanted, whether the last one was wrong."""


class Engine(Protocol):
    """An open card, and what can be done with it beyond the card itself."""

    @property
    def way(self) -> str:
        """How the card is reached, for people: AT+CGLA."""

    @property
    def euicc(self) -> Euicc:
        """The card; a download may open it anew."""

    def managed_by(self) -> str | None:
        """The eIM that manages the card from afar (SGP.32), None when nobody does."""

    def download(
        self,
        activation: Activation,
        *,
        confirmation_code: str | None,
        consent: Ask,
        progress: Progress,
        is_aborted: Callable[[], bool],
        nickname: str | None,
    ) -> Installed:
        """A profile onto the card, disabled; ``EsimError`` or ``Aborted`` when there is none."""

    def discover(self, server: str | None) -> list[Entry]:
        """What waits for the card, at a discovery server or at the card's own."""

    def tell(self, notification: Notification) -> None:
        """Tell the operator; it was taken when this returns. Removing it from the card is the caller's."""


class OwnEngine:
    """Our own LPA."""

    def __init__(
        self,
        opened_by: Callable[[], tuple[Isdr, Way]],
        *,
        client: Callable[[str], SmdpClient],
        clock: Clock,
        imei: str | None,
    ) -> None:
        self._opened_by = opened_by
        self._client = client
        self._clock = clock
        self._imei = imei
        isdr, way = opened_by()
        self.way: str = way.label
        self.euicc = Euicc(isdr)

    def close(self) -> None:
        """Let the card go; never raises."""
        self.euicc.close()

    def managed_by(self) -> str | None:
        """From the card's eIM configuration data, which only cards for SGP.32 have."""
        try:
            raw = self.euicc.eim_configuration()
            return None if raw is None else first_eim(raw)
        except (EsimError, TlvError) as error:
            log.debug("no eIM: %s", error.message)
            return None

    def download(
        self,
        activation: Activation,
        *,
        confirmation_code: str | None = None,
        consent: Ask,
        progress: Progress = lambda step, fraction: None,
        is_aborted: Callable[[], bool] = lambda: False,
        nickname: str | None = None,
    ) -> Installed:
        """By ``Download``."""
        return Download(
            self.euicc,
            self._client,
            activation,
            imei=self._imei,
            confirmation_code=confirmation_code,
            consent=consent,
            progress=progress,
            is_aborted=is_aborted,
            nickname=nickname,
            reopened=self._reopened,
            sleep=self._clock.sleep,
        ).run()

    def discover(self, server: str | None = None) -> list[Entry]:
        """By ``smds``."""
        return discover(self.euicc, self._client, server, imei=self._imei)

    def tell(self, notification: Notification) -> None:
        """What the card signed, to the server that it is for; one that the card does not have any more was told."""
        raw = self.euicc.retrieve(notification.seq)
        if raw is not None:
            self._client(notification.address).handle_notification(raw)

    def _reopened(self) -> Euicc:
        self.euicc.close()
        isdr, way = self._opened_by()
        self.way, self.euicc = way.label, Euicc(isdr)
        return self.euicc


def first_eim(raw: bytes) -> str | None:
    """Of eIM configuration data (BF55), the first one's name in the network, else its id."""
    configured = read_one(raw).find(0xA0)
    for one in configured.children() if configured is not None else ():
        found = one.find(0x81) or one.find(0x80)
        if found is not None and found.value:
            return found.value.decode("utf-8", "replace")
    return None


@contextlib.contextmanager
def opened(
    ways: Sequence[Way],
    *,
    settings: EsimSettings,
    trust: Trust,
    hosts: Mapping[str, str],
    clock: Clock,
    imei: str | None,
) -> Iterator[Engine]:
    """The engine of the settings, on a card by the first way that goes; the card is let go at the end."""
    aids = [bytes.fromhex(aid) for aid in settings.isdr_aids]

    def opened_by(ways: Sequence[Way]) -> Callable[[], tuple[Isdr, Way]]:
        return lambda: open_isdr(ways, aids=aids, block_size=settings.block_size)

    def client(address: str) -> SmdpClient:
        return SmdpClient(address, trust=trust, hosts=hosts, clock=clock)

    if settings.engine == "lpac":
        from remsim.esim.lpac import LpacEngine, Named, find_program  # few want it

        engine: OwnEngine = LpacEngine(
            opened_by([Named(way) for way in ways]),
            program=find_program(settings.lpac_path),
            block_size=settings.block_size,
            https=lambda address: Https(address, trust=trust, hosts=hosts, clock=clock),
            client=client,
            clock=clock,
            imei=imei,
        )
    else:
        engine = OwnEngine(opened_by(ways), client=client, clock=clock, imei=imei)
    try:
        yield engine
    finally:
        engine.close()
