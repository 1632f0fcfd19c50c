"""The card readers of this machine, asked for in a thread apart: pcscd may be stuck, and no page waits for it long."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from remsim.core.errors import RemsimError

if TYPE_CHECKING:
    from remsim.esim.pcsc import ReaderHolder

log = logging.getLogger(__name__)

ANSWER_S = 1.0
"""It answers in milliseconds, or not at all."""


class Readers:
    """Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._found: list[ReaderHolder] = []
        self._is_stuck = False

    def now(self) -> list[ReaderHolder]:
        """Those there are; none while pcscd does not answer, which only the first who asks waits for."""
        with self._lock:
            is_new = self._asking is None or not self._asking.is_alive()
            if is_new:
                self._asking = threading.Thread(target=self._ask, name="esim-readers", daemon=True)
                self._asking.start()
            asking, is_stuck = self._asking, self._is_stuck and not is_new
        if asking is not None and not is_stuck:
            asking.join(ANSWER_S)
        with self._lock:
            was_stuck, self._is_stuck = self._is_stuck, asking is not None and asking.is_alive()
            if self._is_stuck and not was_stuck:
                log.warning("pcscd does not answer: until it does, no card reader is shown")
            return [] if self._is_stuck else self._found

    def _ask(self) -> None:
        from remsim.esim.pcsc import readers

        try:
            self._found = list(readers())
        except RemsimError as error:  # no pcscd: then there are none
            log.debug("no card readers: %s", error.message)
            self._found = []
