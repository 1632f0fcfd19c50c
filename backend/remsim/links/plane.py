"""The data plane as the rest of the room sees it: the kernel's, or a simulated one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from remsim.core.errors import RemsimError
from remsim.core.routes import Flow, Loaded, Program, RingSpec
from remsim.core.small_dataclass import dataclass


class PlaneError(RemsimError):
    """The kernel does not take what it is given; what was in force still is."""

    code = "routing_failed"
    http_status = 502


class PlaneRefused(RemsimError):
    """This router cannot carry links as one as things are: another program does it, or the kernel lacks a feature."""

    code = "routing_refused"
    http_status = 409


@dataclass(frozen=True, slots=True)
class LinkRoute:
    """A link as the kernel has to know it. ``gateway4``/``gateway6`` None: found by the plane, or there is none.

    ``hard_cap_bytes``: after so many more it carries nothing. ``limit_kbit``: more than this, each way, is lost.
    """

    index: int
    name: str
    device: str
    gateway4: str | None = None
    gateway6: str | None = None
    dns: tuple[str, ...] = ()
    hard_cap_bytes: int | None = None
    limit_kbit: int | None = None
    is_metered: bool = False
    ipv6: str = "auto"


@dataclass(frozen=True, slots=True)
class PlaneOptions:
    """How the plane leads. ``router_traffic``: the router's own new flows too. ``nat`` ``auto`` masquerades IPv4 where
    no other table does, ``off`` never, ``on`` always."""

    router_traffic: bool = True
    nat: str = "auto"


USUAL = PlaneOptions()


@dataclass(frozen=True, slots=True)
class Capability:
    """A feature of the kernel: the package that brings it, and what goes without it."""

    name: str
    is_there: bool
    is_needed: bool
    package: str
    without: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """What a device has now, from the kernel."""

    is_up: bool
    address4: str | None = None
    address6: str | None = None
    gateway4: str | None = None
    gateway6: str | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """What moving a dead link's flows took."""

    flows: int
    reset: int
    ms: float


def able_of(slots: Sequence[int], spare: Sequence[int], carriers: Collection[int]) -> list[int]:
    """The slots of those that carry a family; a refusal among the spare ones counts where nothing else is left."""
    found = [slot for slot in slots if slot in carriers] or [slot for slot in spare if slot and slot in carriers]
    return found or [slot for slot in spare if slot == 0]


class Plane(Protocol):
    """Carries flows over links. Everything that changes it is called from the control thread only."""

    @property
    def remade(self) -> int:
        """How often it was found gone and was made anew: what was added to sets is lost then."""

    def start(
        self, lan: Sequence[str], *, on_device: Callable[[str], None], options: PlaneOptions = USUAL
    ) -> None:
        """Clear what a run that ended badly has left, look at the kernel; ``PlaneRefused``.

        ``lan``: devices whose traffic is led. ``on_device`` hears, from a thread of the plane, of a device that came,
        went, or changed its address or route.
        """

    def stop(self, moving: Sequence[Flow] = ()) -> None:
        """Leave the machine as it was found. Those of ``moving`` that leave by another device then begin again."""

    def capabilities(self) -> tuple[Capability, ...]:
        """What the kernel can do."""

    def warnings(self) -> list[dict[str, str | None]]:
        """What an admin should see: ``code``, ``message``, ``hint`` (flow offloading, rp_filter…)."""

    def pressing(self) -> list[dict[str, str | None]]:
        """What an admin should see that comes and goes by itself, like warnings; asked every few seconds."""

    def set_links(self, links: Sequence[LinkRoute]) -> None:
        """Rules and tables of these links; those that are no longer named go."""

    def addresses(self, device: str) -> Addresses:
        """What a device has; asked of the kernel."""

    def ensure_route(self, link: LinkRoute) -> bool:
        """Have a link's table lead out by it (again); False when it cannot. Called before a link is said to be up."""

    def able(self, family: int) -> Collection[int]:
        """The indices of links whose tables lead out in a family, 4 or 6; any thread may ask."""

    def prepare(self, program: Program) -> None:
        """Fill the sets of ranges that ``load`` of this program will need. Any thread may call it; takes its time."""

    def load(self, program: Program, default: Sequence[RingSpec], rings: Mapping[str, Sequence[int]]) -> Loaded:
        """Put a program in force in one transaction; ``PlaneError`` leaves what was there.

        ``default`` are the rings of flows that no policy matches (``interactive``, ``bulk``); ``rings`` has the slots
        of every ring by its name: 16 links' indices, or none, which leaves the flow to the next policy. Behind them may
        be those that count for a family which none of the 16 carries.
        """

    def swap(self, rings: Mapping[str, Sequence[int]]) -> None:
        """Change slots of rings in one transaction; those that are as they were cost nothing."""

    def refill(self, chains: Mapping[int, Sequence[str]]) -> None:
        """Change the rules of policies by number in one transaction; none closes a policy."""

    def add(self, set_name: str, elements: Sequence[str], timeout_s: int | None = None) -> None:
        """Add to a set, or refresh what is in it."""

    def counters(self) -> Mapping[str, tuple[int, int]]:
        """Packets and bytes of each named counter: ``p_NUMBER``, ``link_INDEX_rx``, ``link_INDEX_tx``."""

    def flows(self) -> Iterable[Flow]:
        """All flows that links carry; each may be read as it is taken."""

    def ending(self, link: int) -> list[Flow]:
        """A link's flows, with those of TCP that were deleted with its device in the last ten seconds."""

    def cut(self, link: int, flows: Sequence[Flow], *, only: str | None = None) -> Cut:
        """Forget a dead link's flows and have long-lived ones begin again. ``flows``: those last seen on it, for the
        kernel may have deleted them already. ``only``: one protocol."""
