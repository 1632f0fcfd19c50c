"""Events of links, which nobody waits for."""

from __future__ import annotations

import threading

from remsim.core.events import Event
from remsim.links.news import News


def event(number: int) -> Event:
    return Event("link_state", "remsim", 0.0, str(number))


def test_who_has_an_event_told_does_not_wait_for_it_and_all_are_told_in_order() -> None:
    may_go_on, told = threading.Event(), []

    def slow(one: Event) -> None:
        assert may_go_on.wait(60)
        told.append(one.message)

    news = News(slow)
    news.tell(event(0))
    news.start()
    news.tell(event(1))  # hangs where it waits
    news.tell(event(2))
    assert told == []
    may_go_on.set()
    news.stop()
    assert told == ["0", "1", "2"]


def test_an_event_that_cannot_be_told_keeps_no_other_back() -> None:
    told = []

    def fails(one: Event) -> None:
        told.append(one.message)
        raise OSError("the disk is full")

    news = News(fails)
    news.start()
    news.tell(event(1))
    news.tell(event(2))
    news.stop()
    assert told == ["1", "2"]
