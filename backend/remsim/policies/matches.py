"""Tests as nft matches, with the sets they ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from zlib import crc32

from remsim.core.intervals import merge
from remsim.core.routes import SetCode
from remsim.policies.addresses.spans import Spans, Texts, spans_of, union
from remsim.policies.facts import Facts, Wanted
from remsim.policies.language.model import FromFile, Mac, Named, Range, Span, Test
from remsim.policies.language.terms import Literal, TooManyTerms, protocol_numbers
from remsim.policies.language.values import device_of, domain_of, span_text
from remsim.policies.language.words import NEXT_FLOW, PROTOCOLS
from remsim.policies.learning.globs import is_glob
from remsim.policies.learning.patterns import domain_sets
from remsim.policies.learning.taps import NEVER

INLINE = 8
"""So many addresses of hosts stand in the rule; more of them are a set of their own."""
LARGE = 500
"""Of more ranges texts are made only when somebody looks at them."""
TRANSPORT = (PROTOCOLS["tcp"], PROTOCOLS["udp"])
FAST = "flags dynamic,timeout; timeout 2m; size 4096;"
RANGES = "flags interval;"
"""Such a set is loaded before what asks it. The kernel fills it some microseconds after the rules that come with it are
in force, and lets flows pass these meanwhile."""
METER = "flags dynamic,timeout; timeout 30s; size 4096;"
MOST_RULES = 256
TOO_MANY = f"these conditions need more than {MOST_RULES} rules in the kernel; part the policy in two"
Option = tuple[int, str]
"""A family (4, 6, or 0 for both) and a match."""


class Unknown(Exception):
    """A test that cannot be asked now, and why."""


class Matches:
    """Makes matches for the tests of one program, and collects its sets."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._sets: dict[str, SetCode] = {}
        self._taps: list[str] = []
        self._wanted: dict[str, Wanted] = {}
        self._is_transport = False
        self._options: dict[str, Callable[[Test, bool], list[Option]]] = {
            "source": self._addresses,
            "destination": self._addresses,
            "interface": self._interfaces,
            "dscp": self._dscp,
            "packet_size": self._packet_size,
            "domain": self._names_of,
            "application": self._names_of,
            "country": self._countries,
            "download_rate": self._flow,
            "upload_rate": self._flow,
            "flow_size": self._flow,
        }

    @property
    def sets(self) -> tuple[SetCode, ...]:
        """All that the matches ask."""
        return tuple(self._sets.values())

    @property
    def taps(self) -> tuple[str, ...]:
        """Rules of the forward chain that measure flows."""
        return tuple(self._taps)

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """What is to be learned."""
        return tuple(self._wanted.values())

    def rules(self, literals: Sequence[Literal]) -> list[str]:
        """Matches that together take what meets all of these tests; ``Unknown``."""
        found: list[tuple[int, tuple[str, ...]]] = [(0, ())]
        for options in self._all_options(literals):
            joined = []
            for family, parts in found:
                for other, text in options:
                    if 0 in (family, other) or family == other:
                        joined.append((family or other, (*parts, text) if text else parts))
            if len(joined) > MOST_RULES:
                raise TooManyTerms(TOO_MANY)
            found = joined
        return [self._rule(family, parts) for family, parts in found]

    def _rule(self, family: int, parts: tuple[str, ...]) -> str:
        ip = {4: "ip ", 6: "ip6 "}.get(family)
        if ip is not None and not any(part.startswith(ip) for part in parts):
            parts = (f"meta nfproto ipv{family}", *parts)
        return " ".join(parts)

    def _all_options(self, literals: Sequence[Literal]) -> Iterable[list[Option]]:
        yield from self._transport(literals)
        for literal in literals:
            make = self._options.get(literal.test.kind)
            if make is not None:
                yield make(literal.test, literal.is_negated)

    def _transport(self, literals: Sequence[Literal]) -> Iterable[list[Option]]:
        """Protocols and ports, which go together."""
        protocols: set[int] | None = None
        refused: set[int] = set()
        ports: list[tuple[str, str, bool]] = []
        for literal in literals:
            test = literal.test
            if test.kind == "protocol":
                numbers = {number for one in test.values for number in protocol_numbers(str(one))}
                if literal.is_negated:
                    refused |= numbers
                else:
                    protocols = numbers if protocols is None else protocols & numbers
            elif test.kind in ("port", "source_port"):
                where = "th dport" if test.kind == "port" else "th sport"
                ports.append((where, self._ports(test), literal.is_negated))
        is_flow = any(one.test.kind in NEXT_FLOW and not one.is_negated for one in literals)
        if is_flow or any(not is_negated for _, _, is_negated in ports):
            protocols = set(TRANSPORT) if protocols is None else protocols & set(TRANSPORT)
        if protocols is not None:
            protocols -= refused
            yield [(0, f"meta l4proto {_braced(sorted(protocols))}")] if protocols else []
        elif refused:
            yield [(0, f"meta l4proto != {_braced(sorted(refused))}")]
        self._is_transport = protocols is not None and protocols <= set(TRANSPORT)
        for where, ranges, is_negated in ports:
            if is_negated:
                yield self._beside_others([(0, f"{where} != {ranges}")])
            else:
                yield [(0, f"{where} {ranges}")]

    def _beside_others(self, options: list[Option]) -> list[Option]:
        """What is denied of TCP and UDP, and all that is neither."""
        if self._is_transport:
            return options
        of = f"meta l4proto {_braced(TRANSPORT)}"
        return [*((family, f"{of} {text}") for family, text in options), (0, of.replace("proto", "proto !=", 1))]

    def _addresses(self, test: Test, is_negated: bool) -> list[Option]:
        where = "saddr" if test.kind == "source" else "daddr"
        macs = sorted({one.address for one in test.values if isinstance(one, Mac)}) if where == "saddr" else []
        both = [("ether saddr", _braced(macs))] if macs else []
        if any(isinstance(one, Named) and not one.name for one in test.values):
            both.append((f"fib {where} type", "local"))
        spans = {family: self._spans_of(test, family) for family in (4, 6)}
        asked = {family: self._spans(found) for family, found in spans.items() if len(found)}
        if not is_negated:
            found = [(family, f"{_ip(family)} {where} {text}") for family, text in asked.items()]
            return [*found, *((0, f"{key} {value}") for key, value in both)]
        beside = " ".join(f"{key} != {value}" for key, value in both)
        if not asked:
            return [(0, beside)]
        options = []
        for family in (4, 6):
            text = f"{_ip(family)} {where} != {asked[family]}" if family in asked else ""
            options.append((family, f"{text} {beside}".strip()))
        return options

    def _spans_of(self, test: Test, family: int) -> Spans:
        """All addresses of a test, those of files too."""
        plain = ((one.first, one.last) for one in test.values if isinstance(one, Span) and one.family == family)
        parts = [spans_of(family, plain)]
        for one in test.values:
            if isinstance(one, FromFile):
                found = None if self._facts.files is None else self._facts.files.last(one.name)
                if found is None:
                    raise Unknown(f"the file {one.name} could not be read")
                parts.append(found.of(family))
        return union(family, [one for one in parts if len(one)] or parts[:1])

    def _spans(self, spans: Spans) -> str:
        """Addresses in braces, or the set that has them: also of few ranges, see ``RANGES``."""
        if len(spans) == 1 or (len(spans) <= INLINE and all(first == last for first, last in spans)):
            return _braced(span_text(Span(spans.family, first, last)) for first, last in spans)
        name = f"a_{_key(spans.key)}_{spans.family}"
        if name not in self._sets:
            texts: Sequence[str] = Texts(spans)
            if len(spans) <= LARGE:
                texts = tuple(span_text(Span(spans.family, first, last)) for first, last in spans)
            self._ranges(name, f"ipv{spans.family}_addr", texts)
        return f"@{name}"

    def _ports(self, test: Test) -> str:
        text = _ranges(test)
        if not ("{" in text and "-" in text):
            return text
        name = f"inet_service_{_key(text)}"
        if name not in self._sets:
            self._ranges(name, "inet_service", tuple(text.strip("{ }").split(", ")))
        return f"@{name}"

    def _ranges(self, name: str, kind: str, elements: Sequence[str]) -> None:
        self._sets[name] = SetCode(name, f"type {kind}; {RANGES}", elements, is_apart=True)

    def _interfaces(self, test: Test, is_negated: bool) -> list[Option]:
        names = [f'"{device_of(str(one))}"' for one in test.values]
        return [(0, f"iifname {_not(is_negated)}{_braced(names)}")]

    def _dscp(self, test: Test, is_negated: bool) -> list[Option]:
        values = _braced(value for low, high in _merged(test) for value in range(low, high + 1))
        return [(family, f"{_ip(family)} dscp {_not(is_negated)}{values}") for family in (4, 6)]

    def _packet_size(self, test: Test, is_negated: bool) -> list[Option]:
        found = [f"meta length {_not(is_negated)}{one}" for one in parted(test)]
        return [(0, " ".join(found))] if is_negated else [(0, one) for one in found]

    def _names_of(self, test: Test, is_negated: bool) -> list[Option]:
        """Addresses that are learned."""
        patterns, globs, applications = self._learned(test)
        if not (patterns or globs or applications):
            raise Unknown(f"nothing is known of {test.kind} {'/'.join(str(one) for one in test.values)}")
        codes = domain_sets((*patterns, *globs, *(f"application {one}" for one in applications)))
        for code in (*codes, *NEVER):
            self._sets.setdefault(code.name, code)
        wanted = Wanted(codes[0].name, codes[1].name, patterns, applications, globs)
        self._wanted.setdefault(codes[0].name, wanted)
        options = []
        for family, code in zip((4, 6), codes, strict=True):
            where = f"{_ip(family)} daddr"
            if is_negated:
                options += [(family, f"{where} != @{code.name}"), (family, f"{where} @never{family}")]
            else:
                options.append((family, f"{where} @{code.name} {where} != @never{family}"))
        return options

    def _learned(self, test: Test) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Names with all below them, globs, applications."""
        if test.kind == "domain":
            asked = {domain_of(str(one)) for one in test.values}
            plain = {one.removeprefix("*.") for one in asked if not is_glob(one)}
            return tuple(sorted(plain)), tuple(sorted(filter(is_glob, asked))), ()
        known = self._facts.applications
        patterns: set[str] = set()
        names: set[str] = set()
        for one in test.values:
            found = known.get(str(one)) if known is not None else None
            if found is not None:
                patterns.update(found.domains)
                names.add(found.name)
        return tuple(sorted(patterns)), (), tuple(sorted(names))

    def _countries(self, test: Test, is_negated: bool) -> list[Option]:
        codes: list[str] = []
        for one in test.values:
            code = self._facts.router_country if one == "router_country" else str(one)
            if code is None:
                raise Unknown("the country of the router is not known")
            self._country_sets(code)
            codes.append(code)
        if not is_negated:
            return [(family, f"{_ip(family)} daddr @c_{code}{family}") for code in codes for family in (4, 6)]
        options = []
        for family in (4, 6):
            options.append((family, " ".join(f"{_ip(family)} daddr != @c_{code}{family}" for code in codes)))
        return options

    def _country_sets(self, code: str) -> None:
        countries = self._facts.countries
        if countries is None or code not in countries.codes():
            raise Unknown(f"there are no addresses of country {code}: import a list of countries")
        if not (len(code) == 2 and code.isascii() and code.isalpha()):
            raise Unknown("a country has two letters")
        for family in (4, 6):
            name = f"c_{code}{family}"
            if name not in self._sets:
                spans = (Span(family, first, last) for first, last in countries.spans(code, family))
                elements = tuple(span_text(one) for one in spans)
                self._ranges(name, f"ipv{family}_addr", elements)

    def _flow(self, test: Test, is_negated: bool) -> list[Option]:
        """Client, port and server of flows that were fast or large; rules of the forward chain find them."""
        bound = test.values[0]
        if not isinstance(bound, int):
            raise Unknown("there is no bound")
        key = _key("flow", test.kind, bound)
        if f"f_{key}_4" not in self._sets:
            self._tap(test.kind, bound, key)
        options = []
        for family in (4, 6):
            ip = _ip(family)
            name = f"f_{key}_{family}"
            options.append((family, f"{ip} saddr . th dport . {ip} daddr {_not(is_negated)}@{name}"))
        return self._beside_others(options) if is_negated else options

    def _tap(self, kind: str, bound: int, key: str) -> None:
        for family in (4, 6):
            ip, name, meter = _ip(family), f"f_{key}_{family}", f"m_{key}_{family}"
            address = f"ipv{family}_addr"
            self._add(name, f"type {address} . inet_service . {address}; {FAST}")
            down = f"update @{name} {{ {ip} daddr . th sport . {ip} saddr }}"
            up = f"update @{name} {{ {ip} saddr . th dport . {ip} daddr }}"
            of = f"meta nfproto ipv{family} meta l4proto {_braced(TRANSPORT)} ct direction"
            if kind == "flow_size":
                self._taps += [f"{of} reply ct bytes > {bound} {down}", f"{of} original ct bytes > {bound} {up}"]
                continue
            self._add(meter, f"type {address} . inet_service . {address} . inet_service; {METER}")
            rate = f"limit rate over {bound} bytes/second burst {min(max(bound, 65536), 2**31)} bytes"
            each = f"update @{meter} {{ {ip} saddr . th sport . {ip} daddr . th dport {rate} }}"
            way = f"reply {each} {down}" if kind == "download_rate" else f"original {each} {up}"
            self._taps.append(f"{of} {way}")

    def _add(self, name: str, declaration: str) -> None:
        """A set that fills while it is in use."""
        self._sets.setdefault(name, SetCode(name, declaration, is_learned=True))


def _key(*parts: object) -> str:
    """What names a set by what it is for: after another load the same name means the same."""
    return f"{crc32(repr(parts).encode()):08x}"


def _ip(family: int) -> str:
    return "ip" if family == 4 else "ip6"


def _not(is_negated: bool) -> str:
    return "!= " if is_negated else ""


def _braced(values: Iterable[object]) -> str:
    """Values for nft: one as it is, several in braces."""
    texts = [str(one) for one in values]
    return texts[0] if len(texts) == 1 else "{ " + ", ".join(texts) + " }"


def _merged(test: Test) -> list[tuple[int, int]]:
    return merge((one.low, one.high) for one in test.values if isinstance(one, Range))


def _ranges(test: Test) -> str:
    return _braced(str(low) if low == high else f"{low}-{high}" for low, high in _merged(test))


def parted(test: Test) -> list[str]:
    """Values without a set of ranges, see ``RANGES``: single ones together, each range alone."""
    found = _merged(test)
    single = [low for low, high in found if low == high]
    return [*([_braced(single)] if single else []), *(f"{low}-{high}" for low, high in found if low < high)]
