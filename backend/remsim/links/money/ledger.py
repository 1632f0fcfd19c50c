"""Keeps the books of links, and tells the control loop and the pages what they come to.

The control loop never waits for a disk: it is told what was looked up last, and what came since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from remsim.config.routing import LinkSettings
from remsim.config.sims import SimSettings
from remsim.core.clock import FIRST_TRUSTED, Clock
from remsim.core.events import Event
from remsim.links.ledger import UNKNOWN, Money
from remsim.links.money.accounts import Account, Accounts
from remsim.links.money.book import Book
from remsim.links.money.tariff import Tariff, cap_state, is_at_cap
from remsim.telemetry.usage import Usage
from remsim.telemetry.usage_report import DAY, MEAN_DAYS, Cycle, cycle_of, day_at, midnight

FLUSH_S = 60.0
SAID = {
    "warned": "has used most of its data cap",
    "reached": "has used its data cap and goes on",
    "slow": "has used its data cap and is slowed down",
    "soft": "has used its data cap and takes no new flows",
    "hard": "has used its data cap and carries nothing more",
}


class MoneyLedger:
    """A ``links.ledger.Ledger``.

    ``sim_of`` gives the SIM that serves a link, ``plan_of`` the plan of a SIM, ``policy_name`` the policy that has a
    number. What a SIM has used is what the page Usage says (``usage``); what has none is counted here.
    """

    def __init__(
        self,
        book: Book,
        clock: Clock,
        emit: Callable[[Event], None],
        usage: Usage,
        *,
        sim_of: Callable[[LinkSettings], str | None],
        plan_of: Callable[[str], SimSettings | None],
        policy_name: Callable[[int], str | None],
    ) -> None:
        self._book, self._clock, self._emit, self._usage = book, clock, emit, usage
        self._policy_name = policy_name
        self._accounts = Accounts(book, clock, usage, sim_of=sim_of, plan_of=plan_of)
        self._words: dict[str, str] = {}
        """What was told last of each link, of SAID, or ok. The control thread's."""
        self._flushed_at = clock.monotonic()
        self.on_due: Callable[[], None] = lambda: None

    def configure(self, links: Mapping[int, LinkSettings]) -> None:
        """The links by their numbers. Waits for the disk."""
        self._accounts.configure(links)
        names = {link.name for link in links.values()}
        self._words = {name: word for name, word in self._words.items() if name in names}

    def seen(self, index: int, rx_bytes: int, tx_bytes: int, policies: Mapping[int, int]) -> None:
        """Put what a link has carried to its account, and to those of the policies that took part of it."""
        link = self._accounts.link(index)
        if link is None:
            return
        sim = self._accounts.sim_of(link) or ""
        total = rx_bytes + tx_bytes
        left_rx, left_tx = rx_bytes, tx_bytes
        for number, count in policies.items():
            name = self._policy_name(number) if number else None
            if name is None or not total:
                continue
            rx = min(left_rx, round(count * rx_bytes / total))
            tx = min(left_tx, count - rx)
            self._book.add(link.name, sim, name, rx, tx)
            left_rx, left_tx = left_rx - rx, left_tx - tx
        self._book.add(link.name, sim, "", left_rx, left_tx)
        self._accounts.add(index, rx_bytes, tx_bytes)

    def keep(self) -> None:
        """Look up what is due, and write what was counted once a minute; it is noted each time."""
        self._accounts.look_up()
        if self._clock.monotonic() - self._flushed_at >= FLUSH_S:
            self._flushed_at = self._clock.monotonic()
            self._book.flush()
        else:
            self._book.note()

    def money(self, index: int) -> Money:
        """What a link costs now, and how it stands with its cap, as far as it is at hand."""
        account, is_old = self._accounts.at_hand(index)
        if is_old:
            self.on_due()
        if account is None:
            return UNKNOWN
        link, used, tariff = account.settings, account.used_bytes, account.tariff
        state = cap_state(link, tariff, used)
        word = "reached" if state == "warned" and is_at_cap(link, tariff, used) else state
        before, self._words[link.name] = self._words.get(link.name), word
        if before not in (None, word) and word in SAID:
            self._flushed_at = float("-inf")  # it is written soon: a cap that is reached holds, however this run ends
            self._tell(link, used, word)
        return Money(
            cost_per_gb_minor=tariff.next_gb_minor(used),
            overage_per_gb_minor=tariff.overage_per_gb_minor,
            currency=tariff.currency,
            remaining_bytes=None if tariff.cap_bytes is None else max(0, tariff.cap_bytes - used),
            reset_s=midnight(account.cycle.last + DAY) - self._clock.now(),
            cap_state=state,
            cap_bytes=tariff.cap_bytes,
            cycle_s=account.cycle.days * 86400.0,
        )

    def costs(self, index: int) -> dict[str, Any] | None:
        """The ``cost`` of a link in the API; None where nothing is known."""
        account = self._accounts.of(index)
        if account is None:
            return None
        used, tariff, cycle = account.used_bytes, account.tariff, account.cycle
        forecast = self._forecast(account)
        cap = tariff.cap_bytes
        return {
            "used_bytes": used,
            "cap_bytes": cap,
            "remaining_bytes": None if cap is None else max(0, cap - used),
            "percent": None if not cap else round(100 * used / cap, 1),
            "forecast_bytes": forecast,
            "cycle_start": cycle.first.isoformat(),
            "cycle_end": cycle.last.isoformat(),
            "spent_minor": round(tariff.cost_minor(used), 1),
            "forecast_minor": None if forecast is None else round(tariff.cost_minor(forecast), 1),
            "next_gb_minor": tariff.next_gb_minor(used),
            "currency": tariff.currency,
            "at_cap": account.settings.at_cap,
            "is_hard": account.settings.cap_hard,
            "state": cap_state(account.settings, tariff, used),
        }

    def correct(self, index: int, used_bytes: int) -> None:
        """Put right what a link has used in this cycle: the operator's count is the one that is paid."""
        self._accounts.of(index)
        self._accounts.put_right(index, used_bytes)
        self._book.flush()

    def is_used_up(self, index: int, sim: str) -> bool | None:
        """Whether a SIM is, or would be, at the cap in a link; None while nobody knows what day it is."""
        link, now = self._accounts.link(index), self._clock.now()
        if link is None or now < FIRST_TRUSTED:
            return None
        account = self._accounts.of(index)
        if account is not None and account.sim == sim:
            return is_at_cap(link, account.tariff, account.used_bytes)
        tariff = self._accounts.tariff_of(link, sim)
        if tariff is None:
            return False
        cycle = cycle_of(day_at(now), tariff.cycle_day)
        return is_at_cap(link, tariff, self._accounts.used(link, sim, tariff, cycle.first, cycle.last))

    def cycle(self, index: int, sim: str) -> Cycle | None:
        """The billing cycle that a SIM is in now; None where it has no cap."""
        link = self._accounts.link(index)
        tariff = None if link is None else self._accounts.tariff_of(link, sim)
        if tariff is None or tariff.cap_bytes is None:
            return None
        return cycle_of(day_at(self._clock.now()), tariff.cycle_day)

    def tariffs(self) -> Sequence[tuple[LinkSettings, Tariff | None]]:
        """Each link with what it costs, in the order of priority."""
        found = [(link, self._accounts.tariff(link)) for link in self._accounts.links()]
        return sorted(found, key=lambda one: (one[0].priority, one[0].name))

    def close(self) -> None:
        """Write what was counted."""
        self._book.close()

    def _forecast(self, account: Account) -> int | None:
        """Used so far, and the mean of the last full days for each day left; None before the first full day."""
        now, sim, link = self._clock.now(), account.sim, account.settings
        today = day_at(now)
        seen = self._usage.first_day(sim) if sim else self._book.first_day(link=link.name)
        if seen is None:
            return None
        first = max(today - MEAN_DAYS * DAY, date.fromisoformat(seen) + DAY)
        days, left = (today - first).days, account.cycle.days_left(now)
        if days < 1 or left is None:
            return None
        mean = self._accounts.used(link, sim, account.tariff, first, today - DAY) / days
        return round(account.used_bytes + mean * left)

    def _tell(self, link: LinkSettings, used_bytes: int, state: str) -> None:
        data = {"link": link.name, "state": state, "used_bytes": used_bytes}
        severity = "info" if state == "warned" else "warning"
        message = f"{link.title or link.name} {SAID[state]}"
        self._emit(Event("link_cap", link.name, self._clock.now(), message, severity, data))
