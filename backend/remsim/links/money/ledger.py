"""Keeps the books of links, and tells the control loop and the pages what they come to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from remsim.config.routing import LinkSettings
from remsim.config.sims import SimSettings
from remsim.core.clock import FIRST_TRUSTED, Clock
from remsim.core.events import Event
from remsim.links.ledger import UNKNOWN, Money
from remsim.links.money.book import CORRECTION, Book
from remsim.links.money.tariff import Tariff, cap_state, is_at_cap, tariff_of
from remsim.telemetry.usage import Usage
from remsim.telemetry.usage_report import DAY, MEAN_DAYS, Cycle, cycle_of, day_at, midnight

FLUSH_S, LOOK_S = 60.0, 60.0
SAID = {
    "warned": "has used most of its data cap",
    "reached": "has used its data cap and goes on",
    "slow": "has used its data cap and is slowed down",
    "soft": "has used its data cap and takes no new flows",
    "hard": "has used its data cap and carries nothing more",
}


@dataclass(slots=True)
class Account:
    """A link in its billing cycle. ``base`` was counted when it was last looked up, ``since`` what came after it;
    ``word`` is the one of SAID that was told last, or ok."""

    settings: LinkSettings
    sim: str
    tariff: Tariff
    cycle: Cycle
    base_bytes: int
    looked_at: float
    since: list[int] = field(default_factory=lambda: [0, 0])
    word: str | None = None

    @property
    def used_bytes(self) -> int:
        """What counts in this cycle so far."""
        return max(0, self.base_bytes + self.tariff.counted(*self.since))


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
        self._sim_of, self._plan_of, self._policy_name = sim_of, plan_of, policy_name
        self._lock = threading.Lock()
        self._links: dict[int, LinkSettings] = {}
        self._accounts: dict[int, Account] = {}
        self._flushed_at = clock.monotonic()

    def configure(self, links: Mapping[int, LinkSettings]) -> None:
        """The links by their indices."""
        with self._lock:
            self._links = dict(links)
            self._accounts = {
                index: account for index, account in self._accounts.items() if links.get(index) == account.settings
            }

    def seen(self, index: int, rx_bytes: int, tx_bytes: int, policies: Mapping[int, int]) -> None:
        """Put what a link has carried to its account, and to those of the policies that took part of it."""
        with self._lock:
            link = self._links.get(index)
            if link is None:
                return
            sim = self._sim_of(link) or ""
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
            account = self._accounts.get(index)
            if account is not None:
                account.since[0] += rx_bytes
                account.since[1] += tx_bytes

    def keep(self) -> None:
        """Write what was counted, once a minute."""
        if self._clock.monotonic() - self._flushed_at >= FLUSH_S:
            self._flushed_at = self._clock.monotonic()
            self._book.flush()

    def money(self, index: int) -> Money:
        """What a link costs now, and how it stands with its cap."""
        with self._lock:
            account = self._account(index)
            if account is None:
                return UNKNOWN
            used, tariff = account.used_bytes, account.tariff
            state = cap_state(account.settings, tariff, used)
            word = "reached" if state == "warned" and is_at_cap(account.settings, tariff, used) else state
            before, account.word = account.word, word
            money = Money(
                cost_per_gb_minor=tariff.next_gb_minor(used),
                overage_per_gb_minor=tariff.overage_per_gb_minor,
                currency=tariff.currency,
                remaining_bytes=None if tariff.cap_bytes is None else max(0, tariff.cap_bytes - used),
                reset_s=midnight(account.cycle.last + DAY) - self._clock.now(),
                cap_state=state,
                cap_bytes=tariff.cap_bytes,
                cycle_s=account.cycle.days * 86400.0,
            )
        if before not in (None, word) and word in SAID:
            self._flushed_at = float("-inf")  # it is written soon: a cap that is reached holds, however this run ends
            self._tell(account, word)
        return money

    def costs(self, index: int) -> dict[str, Any] | None:
        """The ``cost`` of a link in the API; None where nothing is known."""
        with self._lock:
            account = self._account(index)
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
        with self._lock:
            account = self._account(index)
            if account is not None:
                self._book.add(account.settings.name, account.sim, CORRECTION, used_bytes - account.used_bytes, 0)
                account.base_bytes, account.since = used_bytes, [0, 0]
        self._book.flush()

    def is_used_up(self, index: int, sim: str) -> bool | None:
        """Whether a SIM is, or would be, at the cap in a link; None while nobody knows what day it is."""
        with self._lock:
            link, now = self._links.get(index), self._clock.now()
            if link is None or now < FIRST_TRUSTED:
                return None
            account = self._account(index)
            if account is not None and account.sim == sim:
                return is_at_cap(link, account.tariff, account.used_bytes)
            tariff = tariff_of(link, self._plan_of(sim))
            if tariff is None:
                return False
            cycle = cycle_of(day_at(now), tariff.cycle_day)
            return is_at_cap(link, tariff, self._used(link, sim, tariff, cycle.first, cycle.last))

    def cycle(self, index: int, sim: str) -> Cycle | None:
        """The billing cycle that a SIM is in now; None where it has no cap."""
        link = self._links.get(index)
        tariff = None if link is None else tariff_of(link, self._plan_of(sim))
        if tariff is None or tariff.cap_bytes is None:
            return None
        return cycle_of(day_at(self._clock.now()), tariff.cycle_day)

    def tariffs(self) -> Sequence[tuple[LinkSettings, Tariff | None]]:
        """Each link with what it costs, in the order of priority."""
        with self._lock:
            found = [(link, self._tariff(link)) for link in self._links.values()]
        return sorted(found, key=lambda one: (one[0].priority, one[0].name))

    def close(self) -> None:
        """Write what was counted."""
        self._book.close()

    def _tariff(self, link: LinkSettings) -> Tariff | None:
        sim = self._sim_of(link)
        return tariff_of(link, self._plan_of(sim) if sim else None)

    def _account(self, index: int) -> Account | None:
        """A link's account, looked up anew each minute, in a new cycle and for another SIM. Under the lock."""
        link, now = self._links.get(index), self._clock.now()
        if link is None or now < FIRST_TRUSTED:
            return None
        account, sim = self._accounts.get(index), self._sim_of(link) or ""
        is_new = account is None or self._clock.monotonic() - account.looked_at >= LOOK_S
        if account is not None and not is_new and account.sim == sim and day_at(now) <= account.cycle.last:
            return account
        tariff = self._tariff(link)
        if tariff is None:
            self._accounts.pop(index, None)
            return None
        cycle = cycle_of(day_at(now), tariff.cycle_day)
        used = self._used(link, sim, tariff, cycle.first, cycle.last)
        found = Account(link, sim, tariff, cycle, used, self._clock.monotonic())
        found.word = account.word if account else None
        self._accounts[index] = found
        return found

    def _used(self, link: LinkSettings, sim: str, tariff: Tariff, first: date, last: date) -> int:
        """What counts in these days. A SIM's plan counts what it carried, in whatever link it was."""
        days = first.isoformat(), last.isoformat()
        if sim:
            corrections = self._book.query(*days, (), sim=sim, policy=CORRECTION)
            rows = [*self._usage.query(*days, group=(), sim=sim), *corrections]
        else:
            rows = self._book.query(*days, (), link=link.name)
        return sum(tariff.counted(row["rx_bytes"], row["tx_bytes"]) for row in rows)

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
        mean = self._used(link, sim, account.tariff, first, today - DAY) / days
        return round(account.used_bytes + mean * left)

    def _tell(self, account: Account, state: str) -> None:
        link, data = account.settings, {"link": account.settings.name, "state": state, "used_bytes": account.used_bytes}
        severity = "info" if state == "warned" else "warning"
        name = link.title or link.name
        self._emit(Event("link_cap", link.name, self._clock.now(), f"{name} {SAID[state]}", severity, data))
