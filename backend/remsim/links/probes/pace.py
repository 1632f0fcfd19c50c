"""When a link is asked next, and what silence means. Pure: times come in, nothing waits.

A sign of life is an answer to a probe, or more packets that came in than probes were answered. While signs come there
are three paces: the idle period; the busy one (0.2 s) while traffic runs, so that round trips are those under load;
and on a metered link four idle periods as long as traffic is answered. Once a probe is overdue a volley follows, each
an eighth of the busy period after the other. The volley is what tells a cut from loss: where 30 % are lost, fourteen in
a row are once in ten million times, and yet they take no longer than three at the busy pace.

What makes a link odd: a probe is overdue; packets went out and none came in for a busy period; packets came in all the
time and then no more. It is asked at once then, whatever its idle period. Where such questions are answered and still
nothing comes in by itself, as with a call that only sends, a metered link is asked ever more rarely.
"""

from __future__ import annotations

import math
from collections import deque

from remsim.core.small_dataclass import dataclass
from remsim.links.probes.plan import ProbePlan

VOLLEY = 8
"""Parts of the busy period between probes once one is overdue, and while nothing comes that should."""
WATCHED_S, RECOVERING_S = 1.0, 4.0
"""How long a link is asked at the busy pace after an overdue probe, and after it was away."""
GIVEN_UP_S = 30.0
"""After so long a silence it is asked at its idle period."""
HOT_S = 1.0
SOME_PACKETS = 3
"""Packets in a busy period that are more than what a neighbour or a modem says by itself."""
TRUSTED_S = 30.0
"""So long a few packets are a sign of life without any answer: errors that come back look like answers."""
MUCH_BYTES_S = 20_000
FLOOD_BYTES_S = 50_000
FLOOD_NEEDED = 100
QUEUEING, LEAST_QUEUE_S = 1.5, 0.05
FIRST_RTO_S, LEAST_RTO_S, MOST_RTO_S = 1.0, 0.1, 2.0
CHANCE = 1e-7
"""How improbable it has to be that all probes of a run were lost by chance."""
MOST_NEEDED = 160
MEMORY, PEAK_MEMORY, FLOOR_MEMORY = 0.97, 0.98, 1.00005
AWAY = 3
MOST_BACK_S = 0.1
"""An answer says that the link carried half a round trip ago; of long ones only so much is believed."""
WAKING_S = 2.0
"""What an idle link is given at most to wake its radio, beyond the silence that counts while traffic runs."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What a device has carried."""

    rx_bytes: int
    tx_bytes: int
    rx_packets: int
    tx_packets: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Counters at a time, with the packets of probes among them."""

    at: float
    seen: Counters
    own_tx: int
    own_rx: int


class Pace:
    """One link's signs of life."""

    def __init__(self, plan: ProbePlan, now: float) -> None:
        self.busy_s = plan.period_busy_s
        self.idle_s = max(plan.period_idle_s, plan.period_busy_s)
        self.is_metered = plan.is_metered
        self.run = 0
        """Probes overdue since the last sign of life."""
        self.last_life = self.last_answer = now
        self.last_sent = -math.inf
        self._unanswered: float | None = None
        self._own_tx = self._own_rx = 0
        self._srtt_s: float | None = None
        self._rttvar_s = self._peak_s = 0.0
        self._floor_s = math.inf
        self._lost = self._kept = 0.0
        self._samples: deque[Sample] = deque()
        self._hot_rx = self._hot_tx = -math.inf
        self._asked_at: float | None = None
        self._patience_s = self.busy_s
        self._watched_until = -math.inf
        self._is_away = True
        self._is_flooded = False
        self._usual_tx_rate = 0.0

    def own(self, tx_packets: int, rx_packets: int) -> None:
        """Packets that are probes', and no traffic."""
        self._own_tx += tx_packets
        self._own_rx += rx_packets

    def sent(self, at: float) -> None:
        """A probe was sent."""
        self.last_sent = at
        if self._unanswered is None:
            self._unanswered = at

    def answered(
        self, at: float, rtt_s: float, waiting_since: float | None, *, is_late: bool = False, is_clear: bool = True
    ) -> None:
        """An answer came, ``is_late`` when its probe had been said to be missed. ``waiting_since``: when the oldest
        probe that was sent after the answered one, and is not answered, was sent. ``is_clear``: its time is that of a
        round trip as usual, and not of a second attempt or of another kind of probe."""
        if is_clear:
            self._round_trip(rtt_s)
        lost = (0 if self._is_away else self.run) - (1 if is_late else 0)
        self._lost = max(0.0, self._lost * MEMORY + lost)
        self._kept = self._kept * MEMORY + 1
        if self.is_metered and self._is_asking(at) and at - self._hot_rx > self.busy_s:
            self._patience_s = min(self._patience_s * 2, max(self.busy_s, self.idle_s / 2))
        self.last_answer = at
        self._asked_at = None
        self._alive(at - min(rtt_s / 2, MOST_BACK_S), waiting_since, at)

    def missed(self, at: float) -> None:
        """A probe is overdue."""
        self.run += 1
        if self.run >= max(AWAY, self.needed) and self.silent_s(at) >= AWAY * self.busy_s:
            self._is_away = True

    def sample(self, at: float, seen: Counters) -> bool:
        """Take the device's counters; True when packets that came in are a sign of life."""
        samples = self._samples
        last = samples[-1] if samples else None
        if last and (seen.rx_packets < last.seen.rx_packets or seen.tx_packets < last.seen.tx_packets):
            samples.clear()  # the device is another one
            last = None
        samples.append(Sample(at, seen, self._own_tx, self._own_rx))
        while len(samples) > 2 and at - samples[1].at >= self.busy_s:
            samples.popleft()
        if last is None:
            return False
        first = samples[0]
        span_s = max(at - first.at, 0.001)
        self._look_at_flood(at, (seen.tx_bytes - first.seen.tx_bytes) / span_s)
        if seen.tx_packets - last.seen.tx_packets > self._own_tx - last.own_tx:
            self._hot_tx = at
            if self._asked_at is None:
                self._asked_at = at
        if seen.rx_packets - last.seen.rx_packets <= self._own_rx - last.own_rx:
            return False
        self._asked_at = None
        packets = seen.rx_packets - first.seen.rx_packets - (self._own_rx - first.own_rx)
        if packets < SOME_PACKETS * max(1.0, span_s / self.busy_s):
            return False
        is_much = (seen.rx_bytes - first.seen.rx_bytes) / span_s >= MUCH_BYTES_S
        if self._is_away or not (is_much or at - self.last_answer < TRUSTED_S):
            return False
        self._hot_rx = at
        self._patience_s = self.busy_s
        self._alive(last.at, None, at)  # they came after it: not a moment too late
        return True

    @property
    def rto_s(self) -> float:
        """After which time a probe is overdue."""
        if self._srtt_s is None:
            return FIRST_RTO_S
        return min(max(self._srtt_s + 4 * self._rttvar_s, self._peak_s * 1.1, LEAST_RTO_S), MOST_RTO_S)

    @property
    def needed(self) -> int:
        """How many misses in a row are no chance on a link that loses as many as this one."""
        total = self._lost + self._kept
        share = self._lost / total if total else 0.0
        wanted = math.ceil(math.log(CHANCE) / math.log(share)) if share else 1
        return min(max(wanted, FLOOD_NEEDED if self._is_flooded else 1), MOST_NEEDED)

    def silent_s(self, at: float) -> float:
        """Since when nothing came although something was asked."""
        asked = self._unanswered
        if asked is None:
            return 0.0
        if asked - self.last_life < AWAY * self.busy_s:
            return at - self.last_life
        if self._asked_at is not None:
            return at - max(self.last_life, min(asked, self._asked_at))
        return max(0.0, at - asked - min(WAKING_S, 0.4 * self.idle_s))

    def is_odd(self, at: float) -> bool:
        """Whether something is not as it should be."""
        return self.run > 0 or self._is_asking(at)

    def is_hot(self, at: float) -> bool:
        """Whether traffic runs."""
        return at - max(self._hot_rx, self._hot_tx) < HOT_S

    def is_fed(self, at: float) -> bool:
        """Whether more comes in than answers."""
        return at - self._hot_rx < HOT_S

    @property
    def is_away(self) -> bool:
        """Whether it does not answer, or never did."""
        return self._is_away

    def period_s(self, at: float) -> float:
        """The time between two probes now."""
        if self.run > 0:
            if not self._is_away:
                return self.busy_s / VOLLEY
            return self.busy_s if self.silent_s(at) < GIVEN_UP_S else self.idle_s
        if self._is_asking(at):
            return self.busy_s / VOLLEY if self._patience_s <= self.busy_s else self.busy_s
        if self._is_away or at < self._watched_until:
            return self.busy_s
        if self.is_metered:
            return self.idle_s * 4 if at - self._hot_rx < 2 * self.busy_s else self.idle_s
        return self.busy_s if self.is_hot(at) else self.idle_s

    def next_at(self, at: float) -> float:
        """When the next probe is due."""
        due = self.last_sent + self.period_s(at)
        begins = None if self.run else self._silence_begins(at)
        return due if begins is None else min(due, max(begins, self.last_sent + self.busy_s))

    def _silence_begins(self, at: float) -> float | None:
        """When the link becomes odd if nothing comes until then."""
        if self._asked_at is not None:
            return max(self._asked_at, self.last_life) + self._patience_s
        if at - self._hot_rx < HOT_S:
            return max(self.last_life, self._hot_rx) + self._patience_s
        return None

    def _is_asking(self, at: float) -> bool:
        begins = self._silence_begins(at)
        return begins is not None and at >= begins

    def _alive(self, when: float, waiting_since: float | None, at: float) -> None:
        if self._is_away:
            self._watched_until = at + RECOVERING_S
        elif self.run:
            self._watched_until = max(self._watched_until, at + WATCHED_S)
        self._is_away = False
        self.run = 0
        self.last_life = max(self.last_life, when)
        self._unanswered = waiting_since

    def _round_trip(self, rtt_s: float) -> None:
        if self._srtt_s is None:
            self._srtt_s, self._rttvar_s = rtt_s, rtt_s / 2
        else:
            self._rttvar_s += (abs(rtt_s - self._srtt_s) - self._rttvar_s) / 4
            self._srtt_s += (rtt_s - self._srtt_s) / 8
        self._peak_s = max(rtt_s, self._peak_s * PEAK_MEMORY)
        self._floor_s = min(rtt_s, self._floor_s * FLOOR_MEMORY)

    def _look_at_flood(self, at: float, tx_rate: float) -> None:
        """Whether packets that go out all the time explain that probes are lost: they fill the link's queue.

        They are more than before, or as many while round trips were long already. TCP falls silent with the link,
        which is seen after two periods, and a call is no more than it was.
        """
        silent_s = at - self.last_life
        if silent_s < self.busy_s:
            self._usual_tx_rate = max(tx_rate, self._usual_tx_rate * 0.99)
            self._is_flooded = False
        elif silent_s >= 2 * self.busy_s and not self._is_flooded:
            is_queueing = self._srtt_s is not None and self._srtt_s > QUEUEING * self._floor_s + LEAST_QUEUE_S
            usual = self._usual_tx_rate * (0.5 if is_queueing else 2.0)
            self._is_flooded = tx_rate > max(FLOOD_BYTES_S, usual)
