"""What links cost: tariffs, caps, forecasts, savings."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.config.routing import LinkSettings
from remsim.config.sims import SimSettings
from remsim.core.clock import FakeClock
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.links.ledger import Money
from remsim.links.money.book import Book, Counts
from remsim.links.money.journal import Journal
from remsim.links.money.ledger import MoneyLedger
from remsim.links.money.saving import saving_of
from remsim.links.money.tariff import Tariff, cap_state, tariff_of
from remsim.telemetry.usage import Usage

GB = 10**9
NOW = 1_790_000_000.0  # 21 September 2026
DAY_S = 86400


class Books:
    """A ledger of two links on disk: a cable with 10 GB, and a modem whose SIM has a plan."""

    def __init__(self, directory: Path) -> None:
        self.clock = FakeClock(NOW)
        self.events: list[Event] = []
        self.directory = directory
        self.cable = LinkSettings("cable", device="eth1", cap_mbytes=10_000, overage_per_gb_minor=500, flat_minor=1000)
        self.modem = LinkSettings("wan1", modem="1-1", priority=2)
        self.plan = SimSettings("sim_1", cap_gb=50.0, price_cycle=20.0, price_gb=5.0, currency="EUR")
        self.sim: str | None = "sim-1"
        self.open()

    def open(self) -> None:
        path = self.directory / "links.db"
        self.book = Book(path, clock=self.clock, journal=Journal(path, self.directory / "run"))
        self.usage = Usage(self.directory / "usage.db", clock=self.clock)
        self.ledger = MoneyLedger(
            self.book,
            self.clock,
            self.events.append,
            self.usage,
            sim_of=lambda link: self.sim if link.modem else None,
            plan_of=lambda sim: self.plan,
            policy_name=lambda number: {1: "video"}.get(number),
        )
        self.ledger.configure({1: self.cable, 2: self.modem})

    def known(self, index: int) -> Money:
        """What a link costs once what was due has been looked up."""
        self.ledger.keep()
        return self.ledger.money(index)

    def close(self) -> None:
        self.ledger.close()
        self.usage.close()


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = Books(tmp_path)
    yield made
    made.close()


def test_a_service_that_is_killed_finds_again_what_was_not_written_yet(books: Books) -> None:
    books.ledger.seen(1, 700, 300, {})
    books.clock.advance(10)
    books.ledger.keep()
    books.open()  # without closing the one before
    assert books.book.query("2000-01-01", "2100-01-01", ("link",)) == [
        {"link": "cable", "rx_bytes": 700, "tx_bytes": 300}
    ]
    books.clock.advance(60)
    books.ledger.keep()
    books.open()
    (row,) = books.book.query("2000-01-01", "2100-01-01", ("link",))
    assert row["rx_bytes"] == 700
    books.ledger.seen(1, 5, 0, {})
    books.clock.advance(10)
    books.ledger.keep()
    books.ledger.correct(1, 9_000)  # what it writes is noted no longer
    books.open()
    assert books.ledger.costs(1)["used_bytes"] == 9_000


def test_a_clock_that_is_set_loses_no_byte_and_a_cycle_that_had_not_begun_ends_at_once(books: Books) -> None:
    books.ledger.seen(1, 4 * GB, 0, {})
    books.ledger.keep()
    before = books.known(1)
    right = books.clock.now()
    books.clock.set_wall(right + 40 * DAY_S)  # in the next cycle
    books.ledger.seen(1, GB, 0, {})
    assert books.known(1).remaining_bytes == 10 * GB - GB
    books.clock.set_wall(right)
    assert books.known(1).remaining_bytes == before.remaining_bytes
    for days in (-1, 1, 0):
        books.clock.set_wall(right + days * DAY_S)
        books.ledger.seen(1, GB, 0, {})
    books.ledger.keep()
    assert books.ledger.costs(1)["used_bytes"] == 7 * GB
    rows = books.book.query("2000-01-01", "2100-01-01", ())
    assert rows[0]["rx_bytes"] == 8 * GB


@pytest.mark.parametrize("content", [b"", b"\xff{", b"[]", b'{"book": 1}', b'{"counted": [[1]]}', None])
def test_a_journal_that_is_no_journal_is_nothing(tmp_path: Path, content: bytes | None) -> None:
    journal = Journal(tmp_path / "links.db", tmp_path / "run")
    journal.keep({("2026-09-21", "cable", "", ""): [1, 2]})
    (file,) = (tmp_path / "run").iterdir()
    if content is None:
        file.write_text(file.read_text().replace("links.db", "other.db"))
    else:
        file.write_bytes(content)
    assert journal.read() == {}
    journal.clear()
    journal.clear()
    (tmp_path / "none").write_text("no directory")
    Journal(tmp_path / "links.db", tmp_path / "none").keep({})


def test_who_counts_does_not_wait_for_the_disk_and_nothing_is_lost_or_counted_twice(books: Books) -> None:
    is_writing, may_end = threading.Event(), threading.Event()
    write = books.book._write

    def slow(counted: Counts) -> bool:
        is_writing.set()
        assert may_end.wait(60)
        return write(counted)

    books.book._write = slow  # type: ignore[method-assign]
    books.ledger.seen(1, 1000, 0, {})
    books.clock.advance(61)
    writer = threading.Thread(target=books.ledger.keep)
    writer.start()
    assert is_writing.wait(60)
    books.ledger.seen(1, 10, 0, {})  # hangs where it waits
    may_end.set()
    writer.join(5)
    assert [row["rx_bytes"] for row in books.book.query("2000", "9999", ("link",))] == [1010]
    books.book._write = lambda counted: None  # type: ignore[method-assign,assignment,return-value]
    books.book.flush()
    assert [row["rx_bytes"] for row in books.book.query("2000", "9999", ("link",))] == [1010]


def test_who_asks_what_a_link_costs_does_not_wait_while_it_is_looked_up(books: Books) -> None:
    is_asking, may_end = threading.Event(), threading.Event()
    query = books.usage.query

    def slow(*args: Any, **more: Any) -> list[dict[str, Any]]:
        is_asking.set()
        assert may_end.wait(60)
        return query(*args, **more)

    books.usage.query = slow  # type: ignore[method-assign]
    due: list[int] = []
    books.ledger.on_due = lambda: due.append(1)
    books.sim = "sim-2"
    assert books.ledger.money(2).remaining_bytes is None and due == [1]
    finder = threading.Thread(target=books.ledger.keep)
    finder.start()
    assert is_asking.wait(60)
    books.ledger.seen(2, GB, 0, {})
    books.ledger.seen(1, GB, 0, {})
    assert books.ledger.money(2).remaining_bytes is None  # hangs where it waits
    assert books.ledger.money(1).remaining_bytes == 9 * GB
    may_end.set()
    finder.join(60)
    assert books.ledger.money(2).remaining_bytes == 49 * GB and len(due) == 2


def test_a_cap_holds_while_other_settings_are_looked_up(books: Books) -> None:
    books.ledger.seen(1, 10 * GB, 0, {})
    assert books.ledger.money(1).cap_state == "soft"
    query, states = books.book.query, []

    def watched(*args: Any, **more: Any) -> list[dict[str, Any]]:
        states.append(books.ledger.money(1).cap_state)
        return query(*args, **more)

    books.book.query = watched  # type: ignore[method-assign]
    books.ledger.configure({1: replace(books.cable, margin_percent=9)})
    assert states == ["soft"] and books.ledger.money(1).cap_state == "soft"


def test_a_tariff_with_a_cap_costs_more_above_it() -> None:
    tariff = Tariff(flat_minor=2000, cap_bytes=50 * GB, overage_per_gb_minor=500)
    assert tariff.cost_minor(50 * GB) == 2000
    assert tariff.cost_minor(52 * GB) == 3000
    assert (tariff.next_gb_minor(49 * GB), tariff.next_gb_minor(50 * GB)) == (0, 500)


def test_nothing_is_sold_above_a_cap_without_a_price() -> None:
    tariff = Tariff(cap_bytes=GB)
    assert tariff.next_gb_minor(2 * GB) is None
    assert tariff.cost_minor(2 * GB) == 0


@given(st.integers(0, 10**13), st.integers(0, 10**12), st.integers(1, 10**12))
def test_more_never_costs_less(used: int, more: int, cap: int) -> None:
    tariff = Tariff(flat_minor=10, cap_bytes=cap, per_gb_minor=1, overage_per_gb_minor=7)
    assert tariff.cost_minor(used + more) >= tariff.cost_minor(used) >= 10


def test_a_link_has_the_plan_of_its_sim_unless_it_has_its_own() -> None:
    plan = SimSettings("sim_1", cap_gb=2.0, price_cycle=9.99, price_gb=5.0, currency="EUR", billing_day=15, counts="rx")
    tariff = tariff_of(LinkSettings("wan1"), plan)
    assert tariff == Tariff(999, 2 * GB, 0, 500, 15, "EUR", "rx")
    own = tariff_of(LinkSettings("wan1", cost_per_gb_minor=200, currency="CHF"), plan)
    assert own == Tariff(0, None, 200, None, 1, "CHF")
    assert tariff_of(LinkSettings("wan1"), SimSettings("sim_1")) is None
    assert tariff_of(LinkSettings("wan1"), None) is None


@pytest.mark.parametrize(
    ("at_cap", "hard", "percent", "state"),
    [
        ("leave", False, 79.9, "ok"),
        ("leave", False, 80, "warned"),
        ("leave", False, 95, "soft"),
        ("slow", False, 95, "slow"),
        ("alert", False, 120, "warned"),
        ("switch", False, 94, "warned"),
        ("switch", False, 95, "soft"),
        ("leave", True, 99, "soft"),
        ("leave", True, 100, "hard"),
    ],
)
def test_what_happens_at_the_cap(at_cap: str, hard: bool, percent: float, state: str) -> None:
    link = LinkSettings("wan1", at_cap=at_cap, cap_hard=hard)
    assert cap_state(link, Tariff(cap_bytes=1000), round(percent * 10)) == state


def test_what_a_link_carried_counts_against_its_cap(books: Books) -> None:
    assert books.ledger.money(1).remaining_bytes == 10 * GB
    books.ledger.seen(1, 3 * GB, GB, {})
    money = books.ledger.money(1)
    assert (money.remaining_bytes, money.cost_per_gb_minor, money.overage_per_gb_minor) == (6 * GB, 0, 500)
    books.ledger.seen(1, 7 * GB, 0, {})
    money = books.ledger.money(1)
    assert (money.remaining_bytes, money.cost_per_gb_minor, money.cap_state) == (0, 500, "soft")
    assert [(event.kind, event.data["state"]) for event in books.events] == [("link_cap", "soft")]
    costs = books.ledger.costs(1)
    assert costs is not None
    assert (costs["used_bytes"], costs["percent"], costs["spent_minor"]) == (11 * GB, 110, 1500)


def test_a_link_that_goes_on_at_its_cap_is_told_of_when_it_is_there(books: Books) -> None:
    books.cable = replace(books.cable, at_cap="alert")
    books.ledger.configure({1: books.cable, 2: books.modem})
    for gigabytes in (0, 8, 1, 1, 1):
        books.ledger.seen(1, gigabytes * GB, 0, {})
        books.ledger.money(1)
    assert [event.data["state"] for event in books.events] == ["warned", "reached"]
    assert books.events[-1].severity == "warning" and "goes on" in books.events[-1].message


def test_what_was_counted_survives_a_restart_and_a_new_cycle_begins_at_nothing(books: Books) -> None:
    books.ledger.seen(1, 3 * GB, GB, {})
    books.close()
    books.open()
    assert books.ledger.money(1).remaining_bytes == 6 * GB
    books.clock.advance(10 * DAY_S)  # the first of October
    assert books.known(1).remaining_bytes == 10 * GB


def test_a_cap_that_was_reached_holds_after_a_crash(books: Books) -> None:
    assert books.ledger.money(1).cap_state == "ok"
    books.ledger.seen(1, 10 * GB, 0, {})
    assert books.ledger.money(1).cap_state == "soft"
    books.ledger.keep()
    books.open()  # nobody has closed what was open before
    assert books.ledger.money(1).cap_state == "soft"


def test_a_clock_that_was_not_set_costs_nothing_and_loses_nothing(books: Books) -> None:
    books.close()
    books.clock = FakeClock(100.0)
    books.open()
    books.ledger.seen(1, GB, 0, {})
    assert books.ledger.money(1).cap_state == "ok"
    assert books.ledger.costs(1) is None
    books.clock.set_wall(NOW)
    books.book.flush()
    assert books.known(1).remaining_bytes == 9 * GB


def test_a_sims_use_is_what_the_page_usage_says(books: Books) -> None:
    assert books.ledger.money(2).remaining_bytes == 50 * GB
    books.ledger.seen(2, 2 * GB, 0, {})
    assert books.ledger.money(2).remaining_bytes == 48 * GB
    books.clock.advance(61)  # looked up anew: usage is kept by whoever reads modems, not here
    assert books.known(2).remaining_bytes == 50 * GB


def test_another_sim_has_an_account_of_its_own(books: Books) -> None:
    books.ledger.seen(2, 2 * GB, 0, {})
    books.ledger.money(2)
    books.sim = "sim-2"
    assert books.ledger.money(2).remaining_bytes is None  # what the other one has used says nothing of it
    assert books.known(2).remaining_bytes == 50 * GB


def test_of_another_sim_it_is_known_whether_it_would_be_at_the_cap(books: Books) -> None:
    for sim, octets in (("sim-1", 960_000_000), ("sim-2", 500_000_000)):
        for total in (0, octets):
            books.usage.record(ModemReading("modem1", NOW, sim=sim, interface=sim, rx_bytes=total, tx_bytes=0))
    books.modem = replace(books.modem, cap_mbytes=1000)
    books.ledger.configure({1: books.cable, 2: books.modem})
    assert [books.ledger.is_used_up(2, sim) for sim in ("sim-1", "sim-2", "sim-3")] == [True, False, False]
    books.sim = "sim-2"
    assert [books.ledger.is_used_up(2, sim) for sim in ("sim-1", "sim-2", "sim-3")] == [True, False, False]
    assert books.ledger.is_used_up(7, "sim-1") is None
    cycle = books.ledger.cycle(2, "sim-1")
    assert cycle is not None and cycle.first.isoformat() == "2026-09-01"
    books.clock.advance(10 * DAY_S)
    assert books.ledger.is_used_up(2, "sim-1") is False
    books.clock.set_wall(100.0)
    assert books.ledger.is_used_up(2, "sim-1") is None


def test_the_cycle_is_that_of_the_sims_plan_where_the_link_has_no_tariff(books: Books) -> None:
    books.plan = replace(books.plan, billing_day=15)
    cycle = books.ledger.cycle(2, "sim-1")
    assert cycle is not None and cycle.first.isoformat() == "2026-09-15"
    books.plan = replace(books.plan, cap_gb=None)
    assert books.ledger.cycle(2, "sim-1") is None and books.ledger.is_used_up(2, "sim-3") is False


def test_bytes_of_policies_are_kept_by_name_and_never_more_than_the_links(books: Books) -> None:
    books.ledger.seen(1, 900, 100, {0: 300, 1: 600, 7: 50})
    rows = books.book.query("2026-09-01", "2026-09-30", ("link", "policy"))
    assert [(row["policy"], row["rx_bytes"], row["tx_bytes"]) for row in rows] == [("", 360, 40), ("video", 540, 60)]


def test_a_count_is_put_right(books: Books) -> None:
    books.ledger.seen(1, 3 * GB, 0, {})
    books.ledger.money(1)
    books.ledger.correct(1, 5 * GB)
    assert books.ledger.money(1).remaining_bytes == 5 * GB
    books.clock.advance(61)
    assert books.known(1).remaining_bytes == 5 * GB
    books.ledger.correct(1, GB)
    assert books.ledger.money(1).remaining_bytes == 9 * GB


def test_the_forecast_is_of_full_days(books: Books) -> None:
    assert (books.ledger.costs(1) or {})["forecast_bytes"] is None
    for _ in range(3):
        books.ledger.seen(1, GB, 0, {})
        books.clock.advance(DAY_S)
    costs = books.ledger.costs(1)
    assert costs is not None
    days_left = 7 - (books.clock.now() % DAY_S) / DAY_S  # the 24th of September, until the end of the 30th
    assert costs["forecast_bytes"] == pytest.approx(3 * GB + days_left * GB, rel=0.01)
    assert costs["forecast_minor"] >= costs["spent_minor"]


def test_the_saving_is_against_the_first_link_alone() -> None:
    first, second = LinkSettings("lte", priority=1), LinkSettings("flat", priority=2)
    links = [(first, Tariff(per_gb_minor=200, currency="EUR")), (second, Tariff(flat_minor=1000, currency="EUR"))]
    saving = saving_of(links, {"lte": 2 * GB, "flat": 20 * GB})
    assert (saving["alone_minor"], saving["paid_minor"], saving["saving_minor"]) == (4400, 1400, 3000)
    assert "lte alone" in saving["formula"]


def test_a_saving_that_is_not_known_says_why() -> None:
    first, second = LinkSettings("lte"), LinkSettings("flat")
    euro, franc = Tariff(flat_minor=1, currency="EUR"), Tariff(flat_minor=1, currency="CHF")
    assert saving_of([(first, euro), (second, None)], {})["reason"] == "the price of flat is not known"
    assert saving_of([(first, euro), (second, franc)], {})["reason"] == "the links are paid in different currencies"
    assert saving_of([(first, euro)], {})["reason"] == "there is one link only"
    capped = [(first, Tariff(cap_bytes=GB, currency="EUR")), (second, euro)]
    assert "could not carry it" in saving_of(capped, {"flat": 2 * GB})["reason"]


def test_links_that_are_off_save_nothing_and_say_why() -> None:
    assert saving_of((), {})["reason"] == "there is no link"
