"""What policies are checked, compiled and explained with: the links, the time, and what is known of the world."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Protocol

from remsim.core.routes import LinkView, Loaded, Program, RingSpec
from remsim.core.small_dataclass import dataclass

if TYPE_CHECKING:
    from remsim.policies.addresses.reading import Addresses


@dataclass(frozen=True, slots=True)
class Application:
    """What an application or a class of them is known by.

    ``domains`` are patterns (``*.example.com`` or a name), ``ports`` protocol, first and last port (``udp``, 3478,
    3481), ``members`` applications of a class, whose facts are its own too.
    """

    name: str
    title: str = ""
    domains: tuple[str, ...] = ()
    ports: tuple[tuple[str, int, int], ...] = ()
    members: tuple[str, ...] = ()


class Applications(Protocol):
    """Applications and classes that there is data for (policies/applications)."""

    def names(self) -> Collection[str]:
        """All of them, in lower case with underscores."""

    def get(self, name: str) -> Application | None:
        """One of them with all that its members have."""


class Countries(Protocol):
    """Addresses by country, from a list that the user imported (policies/countries)."""

    def codes(self) -> Collection[str]:
        """Countries it has addresses of: ISO 3166-1 alpha-2, upper case."""

    def spans(self, code: str, family: int) -> Iterable[tuple[int, int]]:
        """First and last address as numbers, in order, neighbours merged; none where it is not there."""

    def country_of(self, address: str) -> str | None:
        """Where an address is; None where the list does not tell."""


class AddressFiles(Protocol):
    """Files of addresses that policies name (policies/addresses)."""

    def read(self, name: str) -> Addresses:
        """What a file has now; ``AddressFileError``. Takes seconds where it is large and has changed."""

    def last(self, name: str) -> Addresses | None:
        """What a file had when it could be read last, at once."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The world as policies see it.

    ``now`` is seconds since the epoch, None as long as the clock was not set. ``zone`` is the router's.
    ``router_country`` is where the router is. ``devices``: LAN devices, for warnings; empty where unknown.
    ``files`` None: they are not looked at; ``are_files_here`` false: those that are not there may be on the router.
    ``names_learned``: how names come to addresses here (``dnsmasq``, ``sni``, ``quic``, ``ndpi``), None where unknown.
    """

    links: tuple[LinkView, ...] = ()
    now: float | None = None
    zone: tzinfo = UTC
    router_country: str | None = None
    devices: tuple[str, ...] = ()
    countries: Countries | None = None
    applications: Applications | None = None
    names_learned: tuple[str, ...] | None = None
    files: AddressFiles | None = None
    are_files_here: bool = True
    are_links_known: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """A pair of sets that somebody has to fill with addresses as they are learned.

    Addresses of names that are ``patterns`` or below them, of those that one of ``globs`` takes, and of flows in which
    one of ``applications`` was seen.
    """

    set4: str
    set6: str
    patterns: tuple[str, ...]
    applications: tuple[str, ...] = ()
    globs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowFacts:
    """What is asked about a flow; None is not given, and a condition on it is unknown.

    ``at`` in seconds since the epoch. ``is_router``: the router's own. Rates in octets a second, sizes in octets.
    """

    source: str | None = None
    source_mac: str | None = None
    source_port: int | None = None
    destination: str | None = None
    port: int | None = None
    protocol: str | None = None
    domain: str | None = None
    application: str | None = None
    country: str | None = None
    dscp: int | None = None
    interface: str | None = None
    packet_size: int | None = None
    flow_size: int | None = None
    download_rate: float | None = None
    upload_rate: float | None = None
    is_router: bool | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What a ring gives a link of new flows."""

    link: str
    percent: float


class Traffic(Protocol):
    """What the engine asks of the links (router.py joins them); all may raise ``RemsimError``."""

    def load(self, program: Program) -> Loaded:
        """Put it in force; what was in force stays when it raises."""

    def refill(self, chains: Mapping[int, Sequence[str]]) -> None:
        """Change the rules of policies by number; none closes it."""

    def add(self, set_name: str, elements: Sequence[str], timeout_s: int | None = None) -> None:
        """Add to a set, or refresh what is in it; does not wait."""

    def counters(self) -> Mapping[str, tuple[int, int]]:
        """Packets and octets by the counter's name."""

    def remade(self) -> int:
        """How often sets have lost what was added to them, because somebody else removed them."""

    def flows_by_policy(self) -> Mapping[int, tuple[int, int, int]]:
        """Flows, octets received and sent of the flows under way, by the policy's number."""

    def shares(self, ring: RingSpec, family: int | None = None) -> Sequence[Share] | None:
        """What a ring gives each link now; empty where it refuses, None where the next policy decides. ``family``: 4 or
        6, as not every link carries both."""

    def resolver_of(self, address: str) -> str | None:
        """The link whose own resolver an address is: it is asked by that link, whatever policies say."""

    def text_of(self, program: Program) -> str:
        """The table as nft text."""
