"""Keeps the C library from holding on to memory that was freed, and Python from looking for garbage at a bad time."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
from collections.abc import Iterator

log = logging.getLogger(__name__)

TRIM_THRESHOLD, ARENA_MAX = -1, -8
"""Options of glibc's mallopt(3)."""
KEPT_BYTES = 64 * 1024


def hold_little() -> None:
    """Have no further heap for each thread, and give back what is free at the end of ours.

    Of glibc; musl, which routers have, does neither. What reads two thousand flows twice a second frees as much as it
    takes, but from as many heaps as there are threads.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for option, value in ((ARENA_MAX, 1), (TRIM_THRESHOLD, KEPT_BYTES)):
        if not mallopt(option, value):
            log.debug("mallopt takes no option %d", option)


def give_back() -> None:
    """Give back what is free between what is used: after work that took much and is seldom done. Of glibc too."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No look for cycles among all objects meanwhile: for short work that makes very many, none of them garbage.

    Several may overlap: the first that ends has them looked for again.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
