"""What links have used in their billing cycles: looked up now and then, counted between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from remsim.config.routing import LinkSettings
from remsim.config.sims import SimSettings
from remsim.core.clock import FIRST_TRUSTED, Clock
from remsim.core.small_dataclass import dataclass
from remsim.links.money.book import CORRECTION, Book
from remsim.links.money.tariff import Tariff, tariff_of
from remsim.telemetry.usage import Usage
from remsim.telemetry.usage_report import Cycle, cycle_of, day_at

LOOK_S = 60.0


@dataclass(frozen=True, slots=True)
class Account:
    """A link in its billing cycle. ``base_bytes`` is what counted when it was looked up (``looked_at``, monotonic): the
    link had carried ``then`` since the start; ``carried`` is what it has by now, and grows."""

    settings: LinkSettings
    sim: str
    tariff: Tariff
    cycle: Cycle
    base_bytes: int
    looked_at: float
    then: tuple[int, int]
    carried: list[int]

    @property
    def used_bytes(self) -> int:
        """What counts in this cycle so far."""
        (rx, tx), (rx_then, tx_then) = self.carried, self.then
        return max(0, self.base_bytes + self.tariff.counted(rx - rx_then, tx - tx_then))


class Accounts:
    """The accounts of links by number; any thread may ask. Only ``at_hand`` and ``add`` never wait for a disk.

    ``sim_of`` gives the SIM that serves a link, ``plan_of`` the plan of a SIM.
    """

    def __init__(
        self,
        book: Book,
        clock: Clock,
        usage: Usage,
        *,
        sim_of: Callable[[LinkSettings], str | None],
        plan_of: Callable[[str], SimSettings | None],
    ) -> None:
        self._book, self._clock, self._usage = book, clock, usage
        self.sim_of, self._plan_of = sim_of, plan_of
        self._looking = threading.Lock()
        """Of one look at a time: who has it may wait for the disk, and takes the other for moments only."""
        self._lock = threading.Lock()
        self._links: Mapping[int, LinkSettings] = {}
        self._accounts: dict[int, Account] = {}
        self._carried: dict[int, list[int]] = {}

    def configure(self, links: Mapping[int, LinkSettings]) -> None:
        """Take the links, and look them up, so that a cap that was reached holds from the beginning."""
        with self._lock:
            known = self._links
            same = {index for index, link in links.items() if index in known and known[index].name == link.name}
            self._accounts = {index: account for index, account in self._accounts.items() if index in same}
            self._carried = {index: self._carried[index] if index in same else [0, 0] for index in links}
            self._links = dict(links)
        self.look_up()

    def links(self) -> Sequence[LinkSettings]:
        """All of them."""
        return tuple(self._links.values())

    def link(self, index: int) -> LinkSettings | None:
        """One of them."""
        return self._links.get(index)

    def add(self, index: int, rx_bytes: int, tx_bytes: int) -> None:
        """A link has carried more."""
        with self._lock:
            carried = self._carried.get(index)
            if carried is not None:
                carried[0] += rx_bytes
                carried[1] += tx_bytes

    def at_hand(self, index: int) -> tuple[Account | None, bool]:
        """What is known of a link in this moment, and whether that holds no more: then it is to be looked up soon.

        Of other settings or another cycle it is what was known before, of another SIM nothing.
        """
        link, account = self._links.get(index), self._accounts.get(index)
        if link is None or self._clock.now() < FIRST_TRUSTED:
            return None, False
        if account is None or account.sim != (self.sim_of(link) or ""):
            return None, self.tariff(link) is not None
        is_today = account.cycle.first <= day_at(self._clock.now()) <= account.cycle.last
        is_old = account.settings != link or not is_today
        return account, is_old

    def of(self, index: int) -> Account | None:
        """A link's account, looked up where it is due: each minute, too."""
        with self._looking:
            account, is_old = self.at_hand(index)
            is_due = account is not None and self._clock.monotonic() - account.looked_at >= LOOK_S
            return self._look_up(index) if is_old or is_due else account

    def look_up(self) -> None:
        """All that are due."""
        for index in tuple(self._links):
            self.of(index)

    def put_right(self, index: int, used_bytes: int) -> None:
        """What a link has used in this cycle is otherwise than it was counted."""
        with self._looking:
            account = self.at_hand(index)[0]
            if account is None:
                return
            self._book.add(account.settings.name, account.sim, CORRECTION, used_bytes - account.used_bytes, 0)
            self._set(index, account.settings, account.sim, account.tariff, account.cycle, used_bytes)

    def tariff(self, link: LinkSettings) -> Tariff | None:
        """What a link costs; None where nothing is known."""
        sim = self.sim_of(link)
        return self.tariff_of(link, sim) if sim else tariff_of(link, None)

    def tariff_of(self, link: LinkSettings, sim: str) -> Tariff | None:
        """What a link would cost with a SIM."""
        return tariff_of(link, self._plan_of(sim))

    def used(self, link: LinkSettings, sim: str, tariff: Tariff, first: date, last: date) -> int:
        """What counts in these days. A SIM's plan counts what it carried, in whatever link it was."""
        days = first.isoformat(), last.isoformat()
        if sim:
            corrections = self._book.query(*days, (), sim=sim, policy=CORRECTION)
            rows = [*self._usage.query(*days, group=(), sim=sim), *corrections]
        else:
            rows = self._book.query(*days, (), link=link.name)
        return sum(tariff.counted(row["rx_bytes"], row["tx_bytes"]) for row in rows)

    def _look_up(self, index: int) -> Account | None:
        """Under ``_looking``. What comes meanwhile may count twice until the next look, and never not at all."""
        link = self._links.get(index)
        sim = "" if link is None else self.sim_of(link) or ""
        tariff = None if link is None else self.tariff_of(link, sim) if sim else tariff_of(link, None)
        if link is None or tariff is None:
            with self._lock:
                self._accounts.pop(index, None)
            return None
        then = tuple(self._carried.get(index, (0, 0)))
        cycle = cycle_of(day_at(self._clock.now()), tariff.cycle_day)
        base = self.used(link, sim, tariff, cycle.first, cycle.last)
        return self._set(index, link, sim, tariff, cycle, base, then)

    def _set(
        self,
        index: int,
        link: LinkSettings,
        sim: str,
        tariff: Tariff,
        cycle: Cycle,
        base: int,
        then: tuple[int, ...] | None = None,
    ) -> Account | None:
        with self._lock:
            carried = self._carried.get(index)
            known = self._links.get(index)
            if carried is None or known is None or known.name != link.name:
                return None  # it has gone meanwhile
            rx_then, tx_then = carried if then is None else then
            found = Account(link, sim, tariff, cycle, base, self._clock.monotonic(), (rx_then, tx_then), carried)
            self._accounts[index] = found
            return found
