"""What works behind the desk of links."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from links_fake import FakePlane, around, view
from remsim.core.clock import FakeClock
from remsim.core.routes import LinkView
from remsim.links.parts import Parts
from remsim.telemetry.usage import Usage


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    clock = FakeClock()
    return Parts(
        state_dir=tmp_path,
        clock=clock,
        emit=lambda event: None,
        around=around,
        usage=Usage(tmp_path / "usage.db", clock=clock),
        plans=lambda: (),
        profiles=lambda: None,  # type: ignore[arg-type,return-value]
        plane=FakePlane(),  # type: ignore[arg-type]
        ticks=(),
        policy_name=lambda number: None,
    )


def test_the_thread_that_shares_traffic_does_not_wait_for_mptcp(parts: Parts) -> None:
    may_end, seen = threading.Event(), []

    class Slow:
        """Waits for programs."""

        def tick(self, views: Sequence[LinkView]) -> None:
            assert may_end.wait(60)
            seen.append([one.name for one in views])

        def stop(self) -> None:
            seen.append(["stop"])

    slow: Any = Slow()
    parts.mptcp = slow
    for _ in range(3):
        parts._tick_mptcp((view(1),))  # hangs where it waits
    may_end.set()
    parts.stop()
    assert seen[0] == [view(1).name] and seen[-1] == ["stop"]
