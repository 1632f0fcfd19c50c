"""The C library is asked to hold little, where it can be asked."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys

import pytest
from remsim.core.allocator import hold_little, uncollected

PROGRAM = """
import threading
from remsim.core.allocator import hold_little
hold_little()
begun, over = threading.Barrier(9), threading.Event()
def work():
    held = [bytes(1000) for _ in range(1000)]
    begun.wait()
    over.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for one in threads: one.start()
begun.wait()
print(sum("---p" in line for line in open("/proc/self/maps")), end="")
over.set()
"""
"""Prints how many reserves there are: a heap of a thread has one behind it."""


def test_it_does_no_harm_where_the_library_knows_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    hold_little()


def test_threads_have_no_heaps_of_their_own() -> None:
    def reserves(text: str) -> int:
        return int(subprocess.run([sys.executable, "-c", text], capture_output=True, check=True).stdout)

    assert reserves(PROGRAM) < reserves(PROGRAM.replace("hold_little()\n", "", 1))


def test_garbage_is_looked_for_again_after_work_that_failed_or_overlapped() -> None:
    assert gc.isenabled()
    with pytest.raises(ValueError), uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()
        raise ValueError
    assert gc.isenabled()
