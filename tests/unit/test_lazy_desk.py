"""A room that loads what works when it is needed first."""

from __future__ import annotations

from remsim.core.lazy import LazyDesk


class Works:
    def __init__(self) -> None:
        self.did: list[str] = []

    def start(self) -> None:
        self.did.append("start")

    def stop(self) -> None:
        self.did.append("stop")


class Desk(LazyDesk[Works]):
    is_needed = False

    def _make(self) -> Works:
        return Works()

    def _is_needed(self) -> bool:
        return self.is_needed


def test_nothing_is_made_before_somebody_asks() -> None:
    desk = Desk()
    desk.start()
    assert not desk.is_loaded
    assert desk.parts.did == ["start"] and desk.is_loaded and desk.parts is desk.parts
    desk.stop()
    assert desk.parts.did == ["start", "stop"]


def test_what_has_to_work_is_made_at_the_start() -> None:
    desk = Desk()
    desk.is_needed = True
    desk.start()
    assert desk.is_loaded and desk.parts.did == ["start"]


def test_what_was_made_before_the_start_begins_with_it() -> None:
    desk = Desk()
    assert desk.parts.did == []
    desk.start()
    assert desk.parts.did == ["start"]


def test_what_is_made_after_the_end_does_not_begin() -> None:
    desk = Desk()
    desk.start()
    desk.stop()
    assert desk.parts.did == []
