"""The thread that shares traffic: the only one that touches the data plane."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from remsim.config.routing import Routing
from remsim.core.clock import Clock
from remsim.core.errors import InvalidInput, NotFound, RemsimError
from remsim.core.events import Event
from remsim.core.routes import Flow, LinkView, Loaded, Program
from remsim.links.facts import Around
from remsim.links.finding import Finder, Found
from remsim.links.kernel.dns import resolvers_of
from remsim.links.ledger import Ledger, NoLedger
from remsim.links.now import LinkNow, LiveFlow, RingNow, Status
from remsim.links.plane import Plane, PlaneError, PlaneRefused
from remsim.links.probes.plan import ProbeResult
from remsim.links.probes.prober import Prober
from remsim.links.sharing import Sharing
from remsim.links.uptime import Uptime

log = logging.getLogger(__name__)

Tick = Callable[[Sequence[LinkView]], None]
T = TypeVar("T")

ACTIONS = ("test", "reset_flows")
RETRY_S = 30.0
PAUSE_S = 1.0
MOST_WAITING = 20_000
"""Elements that wait to be added to sets; what is more is lost (they are learned again)."""


class Control:
    """Reads flows, weighs links, swaps rings, moves flows off a link that fails.

    Every method may be called from any thread. Those that change the plane wait for the control thread to have done it
    and raise what it met (``PlaneError``, ``PlaneRefused``); called by the control thread itself (in a tick) they are
    done at once. Those that read give the last snapshot and never wait.
    """

    def __init__(
        self,
        plane: Plane,
        prober: Prober,
        around: Around,
        clock: Clock,
        emit: Callable[[Event], None],
        *,
        uptime: Uptime | None = None,
        ledger: Ledger | None = None,
        simulated: bool = False,
    ) -> None:
        """``simulated``: links have no device here, and are probed through loopback."""
        self._plane, self._prober, self._clock, self._uptime = plane, prober, clock, uptime
        self._ledger = ledger or NoLedger()
        self.sharing = Sharing(
            plane, prober, around, clock, emit, uptime=uptime, ledger=self._ledger, simulated=simulated
        )
        self.sharing.on_device = self._on_device
        resolvers = (lambda name: ()) if simulated else resolvers_of
        self._finder = Finder(around, resolvers, self._on_found, self._keep)
        self._ledger.on_due = self._finder.nudge
        prober.on_result, prober.on_portal = self._on_result, self._on_portal
        self._routing = Routing()
        self._status = Status()
        self._retry_at: float | None = None
        self._work: deque[Callable[[], object]] = deque()
        self._adding: dict[tuple[str, int | None], list[str]] = {}
        self._waiting = 0
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def start(self, routing: Routing) -> None:
        """Begin with these links; returns at once, ``status()`` says what became of it."""
        self._routing = routing
        self._retry_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="links", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and leave the machine as it was found."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(30.0)
        self._finder.stop()
        self._prober.stop()
        if self._uptime is not None:
            self._uptime.save()

    def configure(self, routing: Routing) -> None:
        """Put changed settings in force: links that stay as they were keep their state and flows."""
        found = self._finder.ask(routing)  # may take long: links fail over meanwhile
        self._do(lambda: self._configure(routing, found))

    def load(self, program: Program) -> Loaded:
        """Put policies in force. Where links cannot be shared now (``PlaneRefused``), they will be when they can."""
        if self._is_running:
            self._plane.prepare(program)
        return self._do(lambda: self._load(program))

    def refill(self, chains: Mapping[int, Sequence[str]]) -> None:
        """Open and close policies."""
        self._do(lambda: self._plane.refill(chains) if self._is_running else None)

    def add(self, set_name: str, elements: Sequence[str], timeout_s: int | None = None) -> None:
        """Add elements to a set; does not wait, a failure is logged."""
        with self._wake:
            if self._waiting + len(elements) > MOST_WAITING:
                return
            self._waiting += len(elements)
            self._adding.setdefault((set_name, timeout_s), []).extend(elements)
            self._wake.notify()

    def act(self, name: str, action: str) -> None:
        """``test`` (probe now) or ``reset_flows`` of a link."""
        if action not in ACTIONS:
            raise InvalidInput(f"{action[:40]!r} is none of {', '.join(ACTIONS)}", field="action")
        index = next((index for index, link in self.sharing.links.items() if link.settings.name == name), None)
        if index is None:
            raise NotFound(f"there is no link {name[:40]}", field="link")
        self._do(lambda: self.sharing.act(index, action))

    def subscribe(self, tick: Tick) -> None:
        """Have this called about once a second by the control thread, and at once after a link came back."""
        self.sharing.ticks.append(tick)

    def views(self) -> tuple[LinkView, ...]:
        """The links now."""
        return self.sharing.views

    def links(self) -> tuple[LinkNow, ...]:
        """The links with all that is known of them."""
        offset, links = self._wall_offset(), self.sharing.links
        return tuple(links[view.index].now(view, offset) for view in self.sharing.views if view.index in links)

    def rings(self) -> tuple[RingNow, ...]:
        """The rings with their reasons: ``interactive``, ``bulk``, then those of policies."""
        return self.sharing.rings.now(self._wall_offset())

    def flows(self) -> list[LiveFlow]:
        """The flows as of the last look at them."""
        return self.sharing.meter.live()

    def known_flows(self) -> list[Flow]:
        """The same without their rates."""
        return self.sharing.meter.known()

    def counters(self) -> Mapping[str, tuple[int, int]]:
        """Packets and bytes of each named counter, not older than a second or so."""
        return self.sharing.counting.counters

    def remade(self) -> int:
        """How often the plane was made anew, because somebody else had removed it."""
        return self._plane.remade

    def status(self) -> Status:
        """Whether it runs, and what an admin should know."""
        status, sharing = self._status, self.sharing
        if status.state != "running":
            return status
        failovers, last = sharing.failover.count, sharing.failover.last
        warnings = (*status.warnings, *sharing.pressing)
        return replace(status, warnings=warnings, failovers=failovers, last_failover=last, loop=sharing.loop())

    def _wall_offset(self) -> float:
        return self._clock.now() - self._clock.monotonic()

    # -- the control thread -----------------------------------------------------------------------------------------

    @property
    def _is_running(self) -> bool:
        return self._status.state == "running"

    def _run(self) -> None:
        wait_s = 0.0
        while True:
            with self._wake:
                if not self._work and not self._adding and not self._stopping:
                    self._wake.wait(wait_s)
                work, self._work = self._work, deque()
                stopping = self._stopping
            for one in work:
                self._guarded(one)
            if stopping:
                break
            wait_s = self._turn()
        try:
            self.sharing.stop()
        except RemsimError as error:
            log.warning("links could not be taken down: %s", error.message)

    def _guarded(self, work: Callable[[], object]) -> None:
        """Traffic of the whole LAN hangs on this thread: nothing may end it."""
        try:
            work()
        except RemsimError as error:
            log.warning("a change of links was not followed: %s", error.message)
        except Exception:
            log.exception("a change of links was not followed")

    def _turn(self) -> float:
        """One round; how long there is nothing to do."""
        if self._retry_at is not None and self._clock.monotonic() >= self._retry_at:
            try:
                self._configure(self._routing)
            except Exception:  # it is told in the status
                log.info("links are tried again in %d s", RETRY_S)
        if not self._is_running:
            return 1.0 if self._retry_at is None else min(5.0, max(0.05, self._retry_at - self._clock.monotonic()))
        try:
            self._add()
            return self.sharing.turn()
        except RemsimError as error:
            log.warning("links were not looked at: %s", error.message)
            return PAUSE_S
        except Exception:  # traffic of the whole LAN hangs on this loop
            log.exception("sharing traffic failed; it goes on")
            return PAUSE_S

    def _configure(self, routing: Routing, found: Found | None = None) -> None:
        was_running, self._routing = self._is_running, routing
        try:
            if found is None:
                found = self._finder.last if was_running else self._finder.ask(routing)
            self.sharing.configure(routing, found)
        except Exception as error:
            self._failed(error if isinstance(error, RemsimError) else PlaneError(f"links cannot be set up: {error!r}"))
            raise
        self._retry_at = None
        self._status = Status("running", None, self._warnings(), self._capabilities())
        if not was_running:
            self._prober.start()
            self._finder.start()

    def _failed(self, error: RemsimError) -> None:
        """Say why links are not as they should be; it is tried again."""
        state = "refused" if isinstance(error, PlaneRefused) else "failed"
        problem = {"code": error.code, "message": error.message, "hint": error.hint}
        if self._status.problem != problem:
            log.warning("links do not share traffic as they should: %s", error.message)
        if self._is_running:
            self._status = replace(self._status, problem=problem)
        else:
            self._status = Status(state, problem, capabilities=self._capabilities())
        self._retry_at = self._clock.monotonic() + RETRY_S

    def _load(self, program: Program) -> Loaded:
        if not self._is_running:
            self.sharing.remember(program)
            problem: Mapping[str, Any] = self._status.problem or {"message": "links do not share traffic yet"}
            raise PlaneRefused(problem["message"] or "", hint=problem.get("hint"))
        return self.sharing.load(program)

    def _capabilities(self) -> tuple[Any, ...]:
        try:
            return self._plane.capabilities()
        except RemsimError:
            return ()

    def _warnings(self) -> tuple[Mapping[str, str | None], ...]:
        try:
            return tuple(self._plane.warnings())
        except RemsimError as error:
            return ({"code": error.code, "message": error.message, "hint": error.hint},)

    def _add(self) -> None:
        with self._wake:
            adding, self._adding, self._waiting = self._adding, {}, 0
        for (set_name, timeout_s), elements in adding.items():
            try:
                self._plane.add(set_name, elements, timeout_s)
            except PlaneError as error:
                log.warning("%d elements could not be added to %s: %s", len(elements), set_name, error.message)

    # -- other threads ----------------------------------------------------------------------------------------------

    def _post(self, work: Callable[[], object]) -> None:
        with self._wake:
            self._work.append(work)
            self._wake.notify()

    def _do(self, work: Callable[[], T]) -> T:
        """Have the control thread do something, and wait for it."""
        if self._thread is None or threading.current_thread() is self._thread:
            return work()
        done = threading.Event()
        results: list[T] = []
        errors: list[Exception] = []

        def run() -> None:
            try:
                results.append(work())
            except Exception as error:  # whoever waits is told
                errors.append(error)
            finally:
                done.set()

        self._post(run)
        while not done.wait(1.0):
            if not self._thread.is_alive():
                raise PlaneRefused("links have been stopped")
        if errors:
            raise errors[0]
        return results[0]

    def _on_result(self, index: int, result: ProbeResult) -> None:
        """In the prober's thread."""
        link = self.sharing.links.get(index)
        if link is None:
            return
        if self._uptime is not None:
            self._uptime.note(link.settings.name, result.is_answered)
        change = link.probed(result)
        if change is not None:
            self._post(lambda: self.sharing.changed(link, change))

    def _on_portal(self, index: int, is_portal: bool | None) -> None:
        """In the prober's thread."""
        link = self.sharing.links.get(index)
        change = link.change(lambda health: health.portal(is_portal, self._clock.monotonic())) if link else None
        if link is not None and change is not None:
            self._post(lambda: self.sharing.changed(link, change))

    def _on_device(self, name: str) -> None:
        """In a thread of the plane."""
        self._finder.nudge()
        self._post(lambda: self.sharing.device(name) if self._is_running else None)

    def _keep(self) -> None:
        """In the finder's thread."""
        if self._uptime is not None:
            self._uptime.keep()
        self._ledger.keep()

    def _on_found(self, found: Found) -> None:
        """In the finder's thread."""
        self._post(lambda: self.sharing.found(found) if self._is_running else None)
