"""A virtual modem's AT port without its terminal: what a way to a card asks, and the card behind it."""

from __future__ import annotations

from collections.abc import Iterable

from euicc_bench import CI
from remsim.core.errors import AtTimeout
from remsim.modems.card.cgla import CglaWay
from remsim.modems.card.csim import CsimWay
from remsim.modems.drivers import driver_for
from remsim.modems.reply import AtReply, ReplyCollector
from remsim.simulator.euicc.card import VirtualEuicc
from remsim.simulator.euicc.credentials import make
from remsim.simulator.euicc.profiles import CardProfile
from virtual import Bench


class CardPort(Bench):
    """``query`` as ``modems.channel.Channel`` has it; ``commands`` are those that came."""

    def __init__(self, model: str, profiles: Iterable[CardProfile] = (), *, is_euicc: bool = True) -> None:
        super().__init__(model)
        self.commands: list[str] = []
        self.timeouts: list[float] = []
        card = self.state.cards[0]
        assert card is not None
        if is_euicc:
            card.made_euicc = VirtualEuicc(make(CI), profiles)

    @property
    def euicc(self) -> VirtualEuicc:
        """The card in the first slot."""
        card = self.state.cards[0]
        assert card is not None
        assert card.euicc is not None
        return card.euicc

    def query(self, command: str, *, timeout_s: float = 3.0) -> AtReply:
        """The answer; ``AtTimeout`` when there is none."""
        self.commands.append(command)
        self.timeouts.append(timeout_s)
        collector = ReplyCollector(command)
        for line in (self.session.execute(command) or "").split("\r\n"):
            if line.strip():
                collector.take(line.strip())
        self.session.take_delay_s()
        if collector.final is None:
            raise AtTimeout(command, timeout_s)
        return AtReply(command, tuple(collector.lines), collector.final)

    def ways(self) -> list[CglaWay | CsimWay]:
        """As the modem's holder has them."""
        made = {
            "cgla": lambda: CglaWay(lambda: self, lambda seconds: None),  # type: ignore[arg-type,return-value]
            "csim": lambda: CsimWay(lambda: self),  # type: ignore[arg-type,return-value]
        }
        return [made[kind]() for kind in driver_for(self.state.model.vendor, self.state.model.name).card_ways]
