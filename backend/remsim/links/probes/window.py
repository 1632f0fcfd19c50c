"""What the last probes of a link say."""

from __future__ import annotations

from collections import deque

from remsim.links.probes.plan import Quality

WINDOW = 20
RECENT = 3


class Window:
    """Round trips in milliseconds, None for a lost probe."""

    def __init__(self) -> None:
        self._results: deque[float | None] = deque(maxlen=WINDOW)

    def add(self, rtt_ms: float | None) -> None:
        """A probe was answered, or is given up."""
        self._results.append(rtt_ms)

    def quality(self) -> Quality:
        """Latency, jitter and loss; unknown before the first probe."""
        results = self._results
        if not results:
            return Quality()
        answered = [one for one in results if one is not None]
        recent = answered[-RECENT:]
        differences = [abs(b - a) for a, b in zip(answered, answered[1:], strict=False)]
        return Quality(
            round(sum(recent) / len(recent), 1) if any(one is not None for one in list(results)[-RECENT:]) else None,
            round(sum(differences) / len(differences), 1) if differences else None,
            round(100 * (len(results) - len(answered)) / len(results), 1),
        )
