"""What carries traffic over links: the plane, the probes, the thread that decides. Loaded when links are wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.config.routing import LinkSettings, Routing
from remsim.config.sims import SimSettings
from remsim.core.aside import Aside
from remsim.core.clock import Clock
from remsim.core.errors import Conflict, NotFound
from remsim.core.events import Event
from remsim.core.routes import LinkView
from remsim.links.control import Control
from remsim.links.facts import Around
from remsim.links.link_view import link_view, ring_view, shares_of, status_view
from remsim.links.money.book import Book
from remsim.links.money.journal import Journal
from remsim.links.money.ledger import MoneyLedger
from remsim.links.money.saving import saving_of
from remsim.links.money.tariff import Tariff
from remsim.links.news import News
from remsim.links.plane import Addresses, Plane
from remsim.links.probes.prober import Prober
from remsim.links.uptime import Uptime
from remsim.telemetry.usage import Usage
from remsim.telemetry.usage_report import DAY, cycle_of, day_at, plan_of

if TYPE_CHECKING:
    from remsim.links.money.cap_switch import CapSwitch, Profiles
    from remsim.links.mptcp.manager import Mptcp

UPTIME = "link-uptime.json"
BOOK = "links.db"
CAP_SWITCH = "link-caps.json"
STOP_S = 15.0


class Parts:
    """Everything of links that works."""

    def __init__(
        self,
        *,
        state_dir: Path,
        clock: Clock,
        emit: Callable[[Event], None],
        around: Callable[[], Around],
        usage: Usage,
        plans: Callable[[], tuple[SimSettings, ...]],
        profiles: Callable[[], Profiles],
        plane: Plane | None,
        ticks: Sequence[Callable[[Sequence[LinkView]], None]],
        policy_name: Callable[[int], str | None],
        **_names: Any,
    ) -> None:
        self._clock, self._emit, self._profiles = clock, emit, profiles
        self._around = around()
        self._news = News(emit)
        self._book = Book(state_dir / BOOK, clock=clock, journal=Journal(state_dir / BOOK))
        self._ledger = MoneyLedger(
            self._book,
            clock,
            self._news.tell,
            usage,
            sim_of=self._sim_of,
            plan_of=lambda sim: plan_of(sim, plans()),
            policy_name=policy_name,
        )
        self.control = Control(
            plane if plane is not None else kernel_plane(clock),
            Prober(clock),
            self._around,
            clock,
            self._news.tell,
            uptime=Uptime(clock, state_dir / UPTIME),
            ledger=self._ledger,
            simulated=plane is not None,
        )
        for tick in ticks:
            self.control.subscribe(tick)
        self._is_simulated = plane is not None
        self._cap_switch_path = state_dir / CAP_SWITCH
        self.cap_switch: CapSwitch | None = None
        self.mptcp: Mptcp | None = None
        self._mptcp_aside = Aside("mptcp")
        self.control.subscribe(self._tick_mptcp)

    def start(self, routing: Routing) -> None:
        """Begin; what comes of it is in the view."""
        self._news.start()
        self._ledger.configure(routing.by_number)
        self._configure_cap_switch(routing)
        self._configure_mptcp(routing)
        self.control.start(routing)

    def configure(self, routing: Routing) -> None:
        """Put changed settings in force."""
        self._ledger.configure(routing.by_number)
        self._configure_cap_switch(routing)
        self._configure_mptcp(routing)
        self.control.configure(routing)

    def stop(self) -> None:
        """Leave the machine as it was found."""
        self.control.stop()
        self._mptcp_aside.stop(STOP_S)
        if self.mptcp is not None:
            self.mptcp.stop()
        self._ledger.close()
        self._news.stop()

    def view(self) -> dict[str, Any]:
        """What ``GET /api/v1/links`` has beyond the settings."""
        rings = self.control.rings()
        links = []
        for one in self.control.links():
            facts, cost = self._around.facts(one.settings), self._ledger.costs(one.view.index)
            changed = self.cap_switch.view(one.settings.name) if self.cap_switch is not None else None
            links.append(link_view(one, facts, shares_of(rings, one.view), cost, changed))
        return {**status_view(self.control.status()), "links": links}

    def look(self) -> None:
        """Now and then: what takes its time."""
        if self.cap_switch is not None:
            self.cap_switch.look()

    def rings(self) -> list[dict[str, Any]]:
        """The rings with their reasons."""
        names = {view.index: view.name for view in self.control.views()}
        return [ring_view(ring, names) for ring in self.control.rings()]

    def usage(self, days: int) -> dict[str, Any]:
        """Bytes a day, link and policy, and what several links save this month."""
        now = self._clock.now()
        today = day_at(now)
        rows = self._book.query((today - (days - 1) * DAY).isoformat(), today.isoformat(), ("day", "link", "policy"))
        month = self._book.query(cycle_of(today, 1).first.isoformat(), today.isoformat(), ("link",))
        tariffs = self._ledger.tariffs()
        by_name = {link.name: tariff for link, tariff in tariffs}
        carried = {row["link"]: counted(by_name.get(row["link"]), row["rx_bytes"], row["tx_bytes"]) for row in month}
        return {
            "days": [row | {"policy": row["policy"] or None} for row in rows],
            "saving": saving_of(tariffs, {name: count for name, count in carried.items() if name in by_name}),
        }

    def correct(self, name: str, used_bytes: int) -> None:
        """Put right what a link has used in its billing cycle."""
        index = next((view.index for view in self.control.views() if view.name == name), None)
        if index is None:
            raise NotFound(f"there is no link {name}", field="link")
        if self._ledger.costs(index) is None:
            raise Conflict(f"{name} has no tariff, so nothing is counted against a cap", field="link")
        self._ledger.correct(index, used_bytes)

    def _configure_cap_switch(self, routing: Routing) -> None:
        """It is loaded when a link wants it, or one did before."""
        is_wanted = any(link.at_cap == "switch" for link in routing.links)
        if self.cap_switch is None and (is_wanted or self._cap_switch_path.exists()):
            from remsim.links.money.cap_switch import CapSwitch

            self.cap_switch = CapSwitch(
                self._cap_switch_path, self._clock, self._emit, self._ledger, self._around.facts, self._profiles()
            )
        if self.cap_switch is not None:
            self.cap_switch.configure(routing.by_number)

    def _configure_mptcp(self, routing: Routing) -> None:
        """It is loaded when it is wanted, and never in a simulation: it is the kernel's."""
        if self.mptcp is None and routing.mptcp.enabled and not self._is_simulated:
            from remsim.links.mptcp.manager import Mptcp

            self.mptcp = Mptcp(self._clock, self._addresses, lambda: self.control.sharing.lan)
        if self.mptcp is not None:
            self.mptcp.configure(routing.mptcp)

    def _addresses(self, device: str) -> Addresses:
        """As the control thread has read them last; asked by that thread."""
        found = (link.addresses for link in self.control.sharing.links.values() if link.device == device)
        return next(found, None) or Addresses(False)

    def _tick_mptcp(self, views: Sequence[LinkView]) -> None:
        """In the control thread, which does not wait for the programs that are run for it."""
        mptcp = self.mptcp
        if mptcp is not None:
            self._mptcp_aside.begin(lambda: mptcp.tick(views))

    def _sim_of(self, link: LinkSettings) -> str | None:
        facts = self._around.facts(link)
        return None if facts is None else facts.sim


def counted(tariff: Tariff | None, rx_bytes: int, tx_bytes: int) -> int:
    """The bytes that count where a tariff says so, else both ways."""
    return rx_bytes + tx_bytes if tariff is None else tariff.counted(rx_bytes, tx_bytes)


def kernel_plane(clock: Clock) -> Plane:
    """The kernel's plane."""
    from remsim.links.kernel.plane import KernelPlane

    return KernelPlane(clock)
