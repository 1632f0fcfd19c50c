"""A lane for each type of output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from remsim.config.outputs import OutputSettings
from remsim.core.clock import Clock
from remsim.core.events import Event
from remsim.outputs.lane import Lane, Send
from remsim.outputs.queue import Queue, Sample
from remsim.outputs.remote_write import is_final

NEWEST_ONLY = 1
"""Bytes: a queue keeps its last row whatever its size."""


def lane_of(
    output: OutputSettings,
    directory: Path,
    *,
    snapshot: Callable[[], tuple[Sample, ...]],
    clock: Clock,
    emit: Callable[[Event], None],
) -> Lane:
    """A lane that can be started."""
    most_bytes = NEWEST_ONLY if output.type == "homeassistant" else output.queue_mb * 1_000_000
    queue = Queue(directory, most_bytes=most_bytes)
    return Lane(output, queue, sender_of(output), is_final, snapshot=snapshot, clock=clock, emit=emit)


def sender_of(output: OutputSettings) -> Send:
    """What sends rows for a type; loaded with the first output of that type."""
    if output.type == "influx":
        from remsim.outputs import influx

        return influx.send
    if output.type == "homeassistant":
        from remsim.outputs.homeassistant import Announcer

        return Announcer().send
    from remsim.outputs import remote_write

    return remote_write.send
