"""What tests of policies share: links, countries, applications, and traffic that only remembers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st
from remsim.core.errors import RemsimError
from remsim.core.routes import ALGORITHMS, CRITERIA, Choice, LinkView, Loaded, Program, RingSpec
from remsim.policies.facts import Application, Facts, Share
from remsim.policies.language import words
from remsim.policies.language.model import And, Mac, Named, Not, Or, PolicySet, Range, Span, Window
from remsim.policies.language.model import Test as Ask
from remsim.policies.language.parser import parse

LINKS = (
    LinkView(1, "carrier_a", "Carrier A", "up", "wwan0", tags=("metered",), carrier="Carrier A", plmn="26201"),
    LinkView(2, "fiber", "The fiber", "up", "eth1", tags=("cheap",), latency_ms=8.0),
)


class Somewhere:
    """A list of two countries."""

    def codes(self) -> Collection[str]:
        return ("DE", "AT")

    def spans(self, code: str, family: int) -> Iterable[tuple[int, int]]:
        if family == 6:
            return ((0x20010DB8 << 96, (0x20010DB9 << 96) - 1),) if code == "DE" else ()
        return ((0xC0000200, 0xC00002FF),) if code == "DE" else ((0xC6336400, 0xC63364FF),)

    def country_of(self, address: str) -> str | None:
        return {"192.0.2.1": "DE", "198.51.100.1": "AT"}.get(address)


class Known:
    """A catalogue of one application and one class."""

    def names(self) -> Collection[str]:
        return ("tube", "video")

    def get(self, name: str) -> Application | None:
        if name not in self.names():
            return None
        members = ("tube",) if name == "video" else ()
        return Application(name, name.title(), ("tube.example", "*.tubecdn.example"), (("udp", 3478, 3481),), members)


NOON = 1_798_761_600.0 + 12 * 3600  # 2027-01-01, a Friday


def facts(**others: object) -> Facts:
    """A world where all is known."""
    given: dict[str, object] = {
        "links": LINKS,
        "now": NOON,
        "router_country": "DE",
        "countries": Somewhere(),
        "applications": Known(),
        "names_learned": ("dnsmasq",),
        "devices": ("br-lan",),
    }
    return Facts(**{**given, **others})  # type: ignore[arg-type]


def sound(text: str) -> PolicySet:
    """A text that has to be without errors."""
    parsed = parse(text)
    assert not parsed.problems, parsed.problems
    return parsed.set


@dataclass
class FakeTraffic:
    """Remembers what it is given; ``refuses`` is raised by the next load."""

    loaded: list[Program] = field(default_factory=list)
    refilled: list[dict[int, Sequence[str]]] = field(default_factory=list)
    counted: dict[str, tuple[int, int]] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    only_ipv4: set[str] = field(default_factory=set)
    resolvers: dict[str, str] = field(default_factory=dict)
    times_remade: int = 0
    refuses: RemsimError | None = None

    def load(self, program: Program) -> Loaded:
        if self.refuses is not None:
            raise self.refuses
        self.loaded.append(program)
        return Loaded(1.0)

    def refill(self, chains: Mapping[int, Sequence[str]]) -> None:
        self.refilled.append(dict(chains))

    def add(self, set_name: str, elements: Sequence[str], timeout_s: int | None = None) -> None:
        """Nothing learns here."""

    def counters(self) -> Mapping[str, tuple[int, int]]:
        return self.counted

    def remade(self) -> int:
        return self.times_remade

    def flows_by_policy(self) -> Mapping[int, tuple[int, int, int]]:
        return {1: (3, 1000, 200)}

    def shares(self, ring: RingSpec, family: int | None = None) -> Sequence[Share] | None:
        if any(one.kind == "block" for one in ring.choices):
            return []
        wanted = [one.value for one in ring.choices if one.kind == "connection"]
        gone = self.dead if family != 6 else {*self.dead, *self.only_ipv4}
        names = [name for name in wanted or ["carrier_a", "fiber"] if name not in gone]
        return None if not names else [Share(name, 100 / len(names)) for name in names]

    def resolver_of(self, address: str) -> str | None:
        return self.resolvers.get(address)

    def text_of(self, program: Program) -> str:
        return f"{len(program.policies)} policies"


ROADMAP = """\
# Route video streaming via lowest-latency connection
policy video_streaming {
  match: port 443, SNI *.youtube.com
  route: prefer_connection(lowest_latency)
}

# Route bulk downloads via cheapest connection
policy bulk_downloads {
  match: port 80/443, download_rate > 1MB/s
  route: prefer_connection(lowest_cost)
}

# Route local traffic via local carrier
policy local_traffic {
  match: destination_country == router_country
  route: prefer_carrier(local)
}

# Use unlimited data plan during off-peak hours
policy off_peak {
  match: time 00:00-06:00
  route: connection "carrier_a_unlimited"
}

# Route VoIP via most reliable connection
policy voip {
  match: protocol RTP, port 5060-5090
  route: prefer_connection(highest_uptime)
  priority: high
}

# Distribute traffic to stay within data caps
policy cost_optimization {
  match: all
  route: balance_by_remaining_data()
  fallback: cheapest_overage_rate()
}
"""


def _ranges(low: int, high: int) -> st.SearchStrategy[Range]:
    return st.tuples(st.integers(low, high), st.integers(low, high)).map(lambda both: Range(min(both), max(both)))


def _several(values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(values, min_size=1, max_size=4).map(tuple)


SPANS = st.tuples(st.sampled_from([4, 6]), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)).map(
    lambda three: Span(three[0], min(three[1:]), max(three[1:]))
)
WINDOWS = st.builds(
    lambda begin, length, days: Window(begin, (begin + length) % 1440, tuple(sorted(days))),
    st.integers(0, 1439),
    st.integers(1, 1439),
    st.sets(st.integers(0, 6)),
)
IS = st.sampled_from(["==", "!="])
TESTS = st.one_of(
    st.just(Ask("all")),
    st.builds(Ask, st.sampled_from(["port", "source_port"]), _several(_ranges(1, 65535)), IS),
    st.builds(Ask, st.just("source"), _several(st.one_of(SPANS, st.just(Mac("aa:bb:cc:dd:ee:ff")), st.just(Named())))),
    st.builds(Ask, st.just("protocol"), _several(st.sampled_from([*words.PROTOCOLS, "rtp", "quic", "99"]))),
    st.builds(Ask, st.just("dscp"), _several(st.integers(0, 63).map(lambda one: Range(one, one)))),
    st.builds(Ask, st.just("domain"), _several(st.sampled_from(["a.example", "*.b.example", "x-1.example.org"]))),
    st.builds(Ask, st.just("country"), _several(st.sampled_from(["DE", "AT", "router_country"])), IS),
    st.builds(Ask, st.just("time"), _several(WINDOWS)),
    st.builds(Ask, st.just("download_rate"), st.tuples(st.integers(1, 10**10)), st.sampled_from(["<", ">"])),
    st.builds(Ask, st.just("flow_size"), st.tuples(st.integers(1, 10**12)), st.sampled_from([">=", "<="])),
    st.builds(
        Ask, st.just("link"), _several(st.sampled_from(words.LINK_STATES)), IS, st.just("link"),
        st.sampled_from(["a", 'q"\\ é']), st.just("is"),
    ),
)  # fmt: skip


def _flat(kind: type, parts: list[object]) -> object:
    flat: list[object] = []
    for part in parts:
        flat += part.parts if isinstance(part, kind) else (part,)
    return kind(tuple(flat))


CONDITIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        inner.map(lambda part: part.part if isinstance(part, Not) else Not(part)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: _flat(And, parts)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: _flat(Or, parts)),
    ),
    max_leaves=8,
)
CHOICES = st.one_of(
    st.builds(Choice, st.just("connection"), st.sampled_from(["a", 'b "c"']), st.booleans()),
    st.builds(Choice, st.just("prefer"), st.sampled_from(list(CRITERIA))),
    st.builds(Choice, st.just("balance"), st.sampled_from(list(ALGORITHMS))),
    st.builds(Choice, st.just("carrier"), st.sampled_from(["local", "Some Carrier", "26201"])),
    st.builds(Choice, st.sampled_from(["overage", "any", "next", "block"])),
)
