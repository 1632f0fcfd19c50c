"""All outputs of a router: a thread each while it is in use, made anew when its settings change."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.config.outputs import OutputSettings
from remsim.config.settings import Settings
from remsim.core.clock import Clock
from remsim.core.errors import NotFound
from remsim.core.events import Event

if TYPE_CHECKING:
    from remsim.outputs.lane import Lane
    from remsim.outputs.queue import Sample

END_WITHIN_S = 3.0
"""All that end together; a receiver that does not answer keeps its output for longer."""

Snapshot = Callable[[], "tuple[Sample, ...]"]


class Outputs:
    """What is sent to other systems. ``snapshot`` gives all values of this moment; from any thread."""

    def __init__(
        self,
        directory: Path,
        *,
        settings: Settings,
        snapshot: Snapshot,
        clock: Clock,
        emit: Callable[[Event], None],
    ) -> None:
        self._directory = directory
        self._wanted = settings.outputs
        self._snapshot = snapshot
        self._clock = clock
        self._emit = emit
        self._lock = threading.Lock()
        self._lanes: dict[str, Lane] = {}
        self._is_running = False

    def start(self) -> None:
        """Begin to send."""
        with self._lock:
            self._is_running = True
            self._follow()

    def stop(self) -> None:
        """End; what waits is kept."""
        with self._lock:
            self._is_running = False
            self._follow()

    def configure(self, settings: Settings) -> None:
        """Put changed settings in force."""
        with self._lock:
            self._wanted = settings.outputs
            self._follow()

    def state_of(self, name: str) -> dict[str, Any] | None:
        """How an output does; None when it is off."""
        lane = self._lanes.get(name)  # without the lock, which is held while outputs end
        return None if lane is None else lane.state()

    def test(self, name: str) -> dict[str, Any]:
        """Send what is measured now, past the queue; ``Undelivered`` with what the receiver said."""
        from remsim.outputs.made import sender_of
        from remsim.outputs.queue import Row

        output = next((one for one in self._wanted if one.name == name), None)
        if output is None:
            raise NotFound(f"there is no output {name[:40]!r}", field="name")
        row = Row(round(self._clock.now() * 1000), self._snapshot())
        sender_of(output)(output, [row])
        return {"samples": len(row.samples)}

    def _follow(self) -> None:
        wanted = {one.name: one for one in self._wanted if one.enabled} if self._is_running else {}
        ending = [self._lanes.pop(name) for name, lane in list(self._lanes.items()) if wanted.get(name) != lane.output]
        for lane in ending:
            lane.stop()
        until = time.monotonic() + END_WITHIN_S
        for lane in ending:
            lane.join(max(0.0, until - time.monotonic()))
        if self._is_running:
            self._forget()
        for name, output in wanted.items():
            if name not in self._lanes:
                self._lanes[name] = self._made(output)
                self._lanes[name].start()

    def _forget(self) -> None:
        """Take away what waits for outputs that are no more."""
        names = {one.name for one in self._wanted}
        for path in self._directory.iterdir() if self._directory.is_dir() else ():
            if path.name not in names:
                shutil.rmtree(path, ignore_errors=True)

    def _made(self, output: OutputSettings) -> Lane:
        """A lane; its modules are loaded with the first one, because most routers have none."""
        from remsim.outputs.made import lane_of

        return lane_of(
            output, self._directory / output.name, snapshot=self._snapshot, clock=self._clock, emit=self._emit
        )
