"""A virtual modem's link: its byte counters, and the answers to latency probes."""

from __future__ import annotations

import contextlib
import random
import socket
import time
from collections.abc import Callable
from typing import Any

from remsim.simulator.state import ModemState
from remsim.simulator.tree import Counters, DeviceTree

RTT_SPREAD = 0.07
ATTACHING_BYTES = (3248, 2876)
"""What attaching itself costs; the counters of an interface start anew with it."""


class Traffic:
    """What flows over one modem's interface while the drive says so."""

    def __init__(self, state: ModemState, noise: random.Random, after: Callable[[float, Callable[[], None]], None]):
        self.responder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.responder.bind(("127.0.0.1", 0))
        self.responder.setblocking(False)
        self._state = state
        self._noise = noise
        self._after = after
        self._counters: Counters | None = None
        self._bytes = [0.0, 0.0]
        self._counted_at = 0.0

    @property
    def probe_port(self) -> int:
        """The UDP port of the link's responder."""
        return int(self.responder.getsockname()[1])

    def up(self, tree: DeviceTree) -> None:
        """The interface is there."""
        self._counters = tree.counters(self._state)
        self._bytes = [float(sent + self._state.number) for sent in ATTACHING_BYTES]
        self.restart()
        self._write()

    def down(self) -> None:
        """The interface is gone."""
        if self._counters is not None:
            self._counters.close()
            self._counters = None

    def restart(self) -> None:
        """Nothing flowed until now."""
        self._counted_at = time.monotonic()

    def count(self) -> None:
        """Add what the drive moved since the last time."""
        now = time.monotonic()
        elapsed_s, self._counted_at = now - self._counted_at, now
        state = self._state
        if self._counters is None or not state.registered or not state.active:
            return
        self._bytes[0] += (state.scene.dl_mbps or 0) * 125_000 * elapsed_s
        self._bytes[1] += (state.scene.ul_mbps or 0) * 125_000 * elapsed_s
        self._write()

    def probe(self) -> None:
        """Answer a latency probe after the drive's round trip, or not at all."""
        try:
            query, sender = self.responder.recvfrom(512)
        except OSError:
            return
        state, scene = self._state, self._state.scene
        lost = self._noise.random() * 100 < (scene.loss_percent or 0)
        is_up = self._counters is not None and state.registered and bool(state.active)
        if scene.rtt_ms is None or lost or not is_up or len(query) < 12:
            return
        reply = query[:2] + b"\x81\x80" + query[4:]
        spread = self._noise.uniform(1 - RTT_SPREAD, 1 + RTT_SPREAD)
        self._after(scene.rtt_ms * spread / 1000, lambda: self._send(reply, sender))

    def _write(self) -> None:
        if self._counters is not None:
            self._counters.write(int(self._bytes[0]), int(self._bytes[1]))

    def _send(self, reply: bytes, receiver: Any) -> None:
        with contextlib.suppress(OSError):
            self.responder.sendto(reply, receiver)
