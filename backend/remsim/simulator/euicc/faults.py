"""What the servers of profiles can be made to do wrong, for one order or for all."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from remsim.core.small_dataclass import dataclass

STEPS = (
    "initiateAuthentication",
    "authenticateClient",
    "getBoundProfilePackage",
    "handleNotification",
    "cancelSession",
)
KINDS = {
    "cut": "hangs up instead of answering",
    "half": "hangs up in the middle of the answer",
    "silent": "takes the request and answers nothing",
    "slow": "answers 3 s late, or `number` seconds",
    "http_500": "status 500 and a web page",
    "html": "status 200 and a web page",
    "wrong_json": "JSON without what it should hold",
    "no_json": "JSON that ends in the middle",
    "empty": "status 204 where an answer is due",
    "redirect": "sends to another address",
    "line_breaks": "base64 in lines of 64 characters, which is allowed",
    "wrong_signature": "a signature of the server that does not fit",
    "wrong_challenge": "signs another challenge than the card's",
    "wrong_address": "signs another address than its own",
    "wrong_transaction": "names another transaction",
    "wrong_mac": "an encrypted piece of the package, `number` from 0, with a wrong MAC",
    "wrong_iccid": "a package for another ICCID than the one announced",
    "hides_size": "does not look whether the card has room",
}
SLOW_S, SILENT_S = 3.0, 60.0


@dataclass(slots=True)
class Fault:
    """One of ``KINDS`` at one of ``STEPS``, or at each. ``times``: how often yet, None for ever."""

    kind: str
    step: str | None = None
    number: float | None = None
    times: int | None = None

    def is_due(self, step: str) -> bool:
        """Whether it is to be done at this step; that counts."""
        if self.step not in (None, step) or self.times == 0:
            return False
        if self.times is not None:
            self.times -= 1
        return True


Wrong = dict[str, Fault]
"""What is to be done wrong with one request, by kind."""
NOTHING: Mapping[str, Fault] = {}


class Faults:
    """Those of a whole server, whatever the order; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Do it from now on."""
        with self._lock:
            self._active.append(fault)

    def remove(self, fault: Fault) -> None:
        """Do this one no more."""
        with self._lock:
            self._active = [one for one in self._active if one is not fault]

    def clear(self) -> None:
        """None of them any more."""
        with self._lock:
            self._active.clear()

    def at(self, step: str) -> Wrong:
        """What is to be done wrong at a step now; it counts as done."""
        with self._lock:
            return {fault.kind: fault for fault in self._active if fault.is_due(step)}
