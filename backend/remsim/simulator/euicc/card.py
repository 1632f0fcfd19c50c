"""A virtual eUICC as a modem or a reader sees it: logical channels, SELECT, STORE DATA and GET RESPONSE (ISO 7816-4).

``transmit`` takes and gives whole APDUs; ``open`` and ``close`` are what AT+CCHO and AT+CCHC do. For one thread at a
time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from remsim.core.errors import RemsimError
from remsim.simulator.euicc.card_faults import CardFaults
from remsim.simulator.euicc.credentials import Credentials
from remsim.simulator.euicc.profiles import CardProfile

ISDR_AID = bytes.fromhex("A0000005591010FFFFFFFF8900000100")
ECASD_AID = bytes.fromhex("A0000005591010FFFFFFFF8900000200")


class SwError(RemsimError):
    """The card refused to open a channel; ``status`` is its answer as a number, 0x6A82."""

    code = "status_word"

    def __init__(self, status: int) -> None:
        super().__init__(f"the card answered {status:04X}")
        self.status = status


class CardGone(RemsimError):
    """The card is out of its slot: there is no answer."""

    code = "card_gone"


class VirtualEuicc:
    """``answers_directly``: data comes with 9000 where it fits instead of 61xx and GET RESPONSE.

    ``on_refresh`` is called when the card wants its modem to read it anew; the modem then calls ``reset``.
    """

    def __init__(
        self,
        credentials: Credentials,
        profiles: Iterable[CardProfile] = (),
        *,
        state_file: Path | None = None,
        faults: CardFaults | None = None,
        isdr_aid: bytes = ISDR_AID,
        answers_directly: bool = False,
        last_channel: int = 3,
    ) -> None:
        raise NotImplementedError

    faults: CardFaults
    on_refresh: Callable[[], None] | None
    delay_s: float
    """How much later than at once the last answer is to be given."""

    @property
    def eid(self) -> str:
        """32 digits."""
        raise NotImplementedError

    @property
    def profiles(self) -> list[CardProfile]:
        """Those on the card; at most one is enabled."""
        raise NotImplementedError

    @property
    def enabled(self) -> CardProfile | None:
        """The profile that is the SIM now."""
        raise NotImplementedError

    def transmit(self, apdu: bytes) -> bytes:
        """The answer, its two status octets last; the channel is in the class octet. ``CardGone``."""
        raise NotImplementedError

    def open(self, aid: bytes) -> int:
        """Select an application on a channel of its own, from 1 on. ``SwError`` (6A82 no such, 6A81 no channel)."""
        raise NotImplementedError

    def close(self, channel: int) -> None:
        """Let a channel go, also one that is not open."""
        raise NotImplementedError

    def reset(self) -> None:
        """Off and on again: channels are closed, a package that was loading is lost and said to be interrupted."""
        raise NotImplementedError
