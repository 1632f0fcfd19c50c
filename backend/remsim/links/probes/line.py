"""One link under probes: its pace, whom it asks, what waits for an answer."""

from __future__ import annotations

import logging
import os
import selectors
import socket
from collections.abc import Callable
from dataclasses import replace

from remsim.core.clock import Clock
from remsim.core.small_dataclass import dataclass
from remsim.links.probes.asking import BYTES, Asking, NotSent
from remsim.links.probes.choice import Choice
from remsim.links.probes.pace import Counters, Pace
from remsim.links.probes.page import PAGE_BYTES, PERIOD_METERED_S, PERIOD_S, Page
from remsim.links.probes.plan import ProbePlan, ProbeResult, Quality
from remsim.links.probes.window import Window
from remsim.outbound.target import Target

log = logging.getLogger(__name__)

LATE_S = 3.0
"""So long a late answer is waited for."""
SECOND_SYN_S = 0.9
"""TCP asks again after a second: the answer is one, its time is not. Taken for a round trip, those that come when a
link is back would have the next cut be noticed a second later."""
MOST_WAITING, MOST_TRIED = 256, 16
PROBLEM_AGAIN_S = 5.0
MONTH_S = 30 * 86400
MEASURED_S = 600.0
SOUND_LOSS_PERCENT = 10.0


@dataclass(slots=True)
class Waiting:
    """A probe that was sent."""

    target: Target
    sent_at: float
    is_overdue: bool = False
    is_volley: bool = False


class Line:
    """Everything about one link's probes; used by the prober's thread alone, but for ``quality``."""

    def __init__(
        self,
        plan: ProbePlan,
        clock: Clock,
        selector: selectors.BaseSelector,
        report: Callable[[ProbeResult], None],
        report_portal: Callable[[bool], None],
        kind: str | None = None,
    ) -> None:
        now = clock.monotonic()
        self.plan = plan
        self._clock = clock
        self._report = report
        self.pace = Pace(plan, now)
        self.choice = Choice(plan, kind)
        self.asking = Asking(plan.device, plan.mark, selector, self._on_socket)
        self.page = Page(plan, selector, self._on_socket, report_portal, self._is_sound)
        self._window = Window()
        self._waiting: dict[int, Waiting] = {}
        self._sequence = int.from_bytes(os.urandom(2), "big")
        self._began_at = now
        self._bytes = 0
        self._checks = 0
        self._not_before = now
        self._told_traffic_at = now
        self._problem: str | None = None
        self._last: Target | None = None

    def turn(self, at: float) -> None:
        """Miss what is overdue, send what is due."""
        self._look_for_misses(at)
        if at >= self._due(at):
            self._send(at)
        self.page.turn(at)

    def deadline(self, at: float) -> float:
        """When this wants its turn."""
        rto_s = self.pace.rto_s
        overdue = next((one.sent_at + rto_s for one in self._waiting.values() if not one.is_overdue), at + LATE_S)
        return min(self._due(at), overdue, self.page.deadline())

    def sample(self, at: float, seen: Counters) -> None:
        """Take the device's counters."""
        if self.pace.sample(at, seen) and at - self._told_traffic_at >= self.pace.busy_s:
            self._told_traffic_at = at
            self._report(ProbeResult(at, True, None, "traffic"))

    def restart(self, at: float) -> None:
        """Bind anew and ask at once."""
        self.close()
        self.pace = Pace(self.plan, at)
        self._not_before = at

    def close(self) -> None:
        """Close what is open."""
        self.asking.close()
        self.page.close()
        self._waiting.clear()

    def quality(self, at: float) -> Quality:
        """What the last probes say, and what they take."""
        last = self._last
        bytes_ = self._bytes + self.page.checks * PAGE_BYTES
        elapsed_s = at - self._began_at
        month = bytes_ / elapsed_s * MONTH_S if elapsed_s >= MEASURED_S else month_bytes(self.plan, self.choice.kind)
        return replace(
            self._window.quality(),
            kind=self.choice.kind or (last.method if last else None),
            target=last.host if last else None,
            period_s=self.pace.period_s(at),
            mb_per_month=round(month / 1e6, 1),
            bytes=bytes_,
            problem=self._problem,
        )

    def _due(self, at: float) -> float:
        return max(self.pace.next_at(at), self._not_before)

    def _send(self, at: float) -> None:
        is_volley = self.pace.run > 0
        tried: set[str] = set()
        for _ in range(MOST_TRIED):
            target = self.choice.next(at, is_odd=is_volley)
            sequence = self._sequence = (self._sequence + 1) % 65536
            try:
                is_answered = self.asking.send(target, sequence)
            except NotSent as trouble:
                if trouble.cause == "forbidden" and self.choice.forbidden(target.method):
                    log.info("%s; another kind of probe is used", trouble)
                    continue
                if trouble.cause == "no_way" and target.host not in tried:
                    tried.add(target.host)
                    self.choice.unreachable(target, at)
                    continue
                self._not_sent(trouble, at)
                return
            self._is_sent(target, sequence, at, is_volley)
            if is_answered:
                self._answered(sequence, self._clock.monotonic())
            return
        self._not_sent(NotSent("forbidden", "no kind of probe is permitted"), at)

    def _is_sent(self, target: Target, sequence: int, at: float, is_volley: bool) -> None:
        self._problem = None
        self._last = target
        self._waiting[sequence] = Waiting(target, at, is_volley=is_volley)
        if len(self._waiting) > MOST_WAITING:
            self._give_up(next(iter(self._waiting)))
        self.pace.own(1, 0)
        self.pace.sent(at)
        self._bytes += cost(target)[0]

    def _not_sent(self, trouble: NotSent, at: float) -> None:
        if trouble.cause in ("ours", "forbidden"):
            problem = f"probes cannot be sent: {trouble}"
            if problem != self._problem:
                self._problem = problem
                log.warning("%s: %s", self.plan.device or "a link without a device", problem)
            self._not_before = at + PROBLEM_AGAIN_S
            return
        error = trouble.cause if trouble.cause in ("no_device", "net_down") else "no_way"
        if error == "no_device":
            self.asking.close()
        self.pace.sent(at)
        self.pace.missed(at)
        self._window.add(None)
        self._report(ProbeResult(at, False, None, "none", error, self.pace.silent_s(at), self.pace.needed))

    def _look_for_misses(self, at: float) -> None:
        rto_s = self.pace.rto_s
        for sequence, one in list(self._waiting.items()):
            age_s = at - one.sent_at
            if age_s < rto_s:
                break
            if not one.is_overdue:
                one.is_overdue = True
                self.pace.missed(at)
                self.choice.lost(one.target, at)
                silent_s, needed = self.pace.silent_s(at), self.pace.needed
                self._report(ProbeResult(at, False, None, one.target.method, None, silent_s, needed))
            if age_s >= LATE_S:
                self._give_up(sequence)

    def _give_up(self, sequence: int) -> None:
        one = self._waiting.pop(sequence)
        self.asking.forget(sequence)
        if not one.is_volley:
            self._window.add(None)

    def _on_socket(self, sock: socket.socket) -> None:
        at = self._clock.monotonic()
        if self.page.on_socket(sock, at):
            return
        for sequence in self.asking.receive(sock):
            self._answered(sequence, at)

    def _answered(self, sequence: int, at: float) -> None:
        one = self._waiting.pop(sequence, None)
        if one is None:
            return
        was_away = self.pace.is_away
        rtt_s = at - one.sent_at
        after = (other.sent_at for other in self._waiting.values() if other.sent_at > one.sent_at)
        self.pace.own(1 if one.target.method == "tcp" else 0, 1)
        is_again = one.target.method in ("tcp", "http") and rtt_s > SECOND_SYN_S
        is_usual = self.choice.kind in (None, one.target.method) or one.target in self.plan.targets
        is_clear = is_usual and not is_again
        self.pace.answered(at, rtt_s, next(after, None), is_late=one.is_overdue, is_clear=is_clear)
        self.choice.answered(one.target, at)
        self._bytes += cost(one.target)[1]
        if not one.is_volley:
            self._window.add(None if is_again else rtt_s * 1000)
        if was_away:
            self.page.soon(at)
        self._report(ProbeResult(at, True, rtt_s * 1000 if is_clear else None, one.target.method))

    def _is_sound(self) -> bool:
        at = self._clock.monotonic()
        loss = self._window.quality().loss_percent
        is_answering = self.pace.run == 0 and not self.pace.is_away and loss is not None and loss < SOUND_LOSS_PERCENT
        return is_answering and not self.pace.is_fed(at)


def cost(target: Target) -> tuple[int, int]:
    """Bytes that a probe takes out and in."""
    return BYTES[target.method, 6 if ":" in target.host else 4]


def month_bytes(plan: ProbePlan, kind: str | None) -> float:
    """What probes of a link take in thirty days while it is idle."""
    target = plan.targets[0] if plan.targets else Target("icmp", "", 0)
    method = target.method if target.method != "auto" else kind or ("icmp" if plan.kind == "auto" else plan.kind)
    probes = MONTH_S / plan.period_idle_s * sum(cost(Target(method, target.host, 0)))
    pages = MONTH_S / (PERIOD_METERED_S if plan.is_metered else PERIOD_S) * PAGE_BYTES if plan.portal_urls else 0.0
    return probes + pages
