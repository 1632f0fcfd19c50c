"""Work in a thread of its own."""

from __future__ import annotations

import threading

from remsim.core.aside import Aside


def test_one_piece_of_work_at_a_time_and_none_once_it_is_stopped() -> None:
    aside, may_end, done = Aside("test"), threading.Event(), []

    def work() -> None:
        assert may_end.wait(60)
        done.append(threading.current_thread().name)

    assert aside.begin(work)
    assert not aside.begin(work)
    may_end.set()
    aside.stop(60)
    assert done == ["test"]
    assert not aside.begin(work)


def test_work_that_fails_hinders_no_other() -> None:
    aside, done = Aside("test"), threading.Event()

    def fail() -> None:
        raise ValueError

    assert aside.begin(fail)
    while not aside.begin(done.set):
        pass
    assert done.wait(60)
