"""What a condition says of a flow, and why.

Answers have three values: what was not told of a flow is unknown, not false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from remsim.policies import gates
from remsim.policies.facts import Facts, FlowFacts
from remsim.policies.language.model import (
    And,
    Condition,
    FromFile,
    Mac,
    Named,
    Not,
    Policy,
    Range,
    Span,
    Test,
    Value,
    tests_in,
)
from remsim.policies.language.printer import test_text
from remsim.policies.language.terms import Literal, protocol_numbers, spelled
from remsim.policies.language.values import dscp_text, ip_of
from remsim.policies.language.words import GATES, PROTOCOLS
from remsim.policies.learning.globs import takes

Answer = tuple[bool | None, str]
TRANSPORT = {PROTOCOLS["tcp"], PROTOCOLS["udp"]}
MOST_SHOWN = 6
FAST = "how fast flows like it were"


def taker(
    policies: Iterable[Policy], sets: Mapping[str, tuple[Value, ...]], facts: Facts, flow: FlowFacts
) -> Policy | None:
    """The policy that takes a flow, the cheap way: no reasons, links are taken to be there."""
    for policy in policies:
        plain = spelled(policy.match, sets, facts.applications)
        if flow.is_router and not asks_router(plain):
            continue
        if policy.choices[0].kind != "next" and judge(plain, facts, flow)[0] == "matches":
            return policy
    return None


def asks_router(plain: Condition, *, is_denied: bool = False) -> bool:
    """Whether a condition speaks of the router's own traffic: only then is its policy asked about that."""
    if isinstance(plain, Not):
        return asks_router(plain.part, is_denied=not is_denied)
    if isinstance(plain, Test):
        return plain.kind == "source" and Named() in plain.values and (plain.operator == "!=") is is_denied
    return any(asks_router(part, is_denied=is_denied) for part in plain.parts)


def judge(plain: Condition, facts: Facts, flow: FlowFacts) -> tuple[str, str]:
    """The answer of a policy's condition (one that is ``spelled`` out) and why."""
    asker = _Asker(facts, flow)
    found, why = asker.ask(plain)
    if found is True:
        return "matches", why
    if found is None:
        return "unknown", why
    if any(gates.is_gate(Literal(one)) for one in tests_in(plain)):
        opened, _ = _Asker(facts, flow, is_open=True).ask(plain)
        if opened is not False:
            return "closed", why
    return "no", why


class _Asker:
    """Asks tests about one flow. ``is_open``: the daemon's conditions are taken to hold."""

    def __init__(self, facts: Facts, flow: FlowFacts, *, is_open: bool = False) -> None:
        self._facts = facts
        self._flow = flow
        self._is_open = is_open
        self._asks: dict[str, Callable[[Test], Answer]] = {
            "source": self._source,
            "destination": self._destination,
            "interface": self._interface,
            "port": self._of_ports(lambda test: _in_range(test, flow.port, "the port")),
            "source_port": self._of_ports(lambda test: _in_range(test, flow.source_port, "the source port")),
            "packet_size": lambda test: _in_range(test, flow.packet_size, "the size of its first packet"),
            "dscp": self._dscp,
            "protocol": self._protocol,
            "domain": self._domain,
            "application": self._application,
            "country": self._country,
            "download_rate": self._of_ports(lambda test: _over(test, flow.download_rate, FAST)),
            "upload_rate": self._of_ports(lambda test: _over(test, flow.upload_rate, FAST)),
            "flow_size": self._of_ports(lambda test: _over(test, flow.flow_size, "how large flows like it were")),
        }

    def ask(self, condition: Condition, *, is_denied: bool = False) -> Answer:
        """Whether it holds, and what decided that. ``is_denied``: it stands behind a ``not``."""
        if isinstance(condition, Test):
            return self._test(condition, is_denied)
        if isinstance(condition, Not):
            found, why = self.ask(condition.part, is_denied=not is_denied)
            return (None if found is None else not found), why
        answers = [self.ask(part, is_denied=is_denied) for part in condition.parts]
        decides = not isinstance(condition, And)
        deciding = [why for found, why in answers if found is decides]
        if deciding:
            return decides, deciding[0]
        unknown = [why for found, why in answers if found is None]
        if unknown:
            return None, "; ".join(dict.fromkeys(unknown))
        return not decides, "; ".join(dict.fromkeys(why for _, why in answers if why))

    def _test(self, test: Test, is_denied: bool) -> Answer:
        if test.kind == "all":
            return True, "it takes every flow"
        if test.kind in GATES:
            found, why = (None, "") if self._is_open else self._gate(test)
            # What the daemon does not know opens nothing, be it denied or not.
            return (is_denied is not self._is_open if found is None else found), why
        missing = self._missing(test)
        if missing is not None:
            return is_denied, f"{_text(test)}: {missing}"  # the kernel has no rule of it, denied or not
        found, why = self._asks[test.kind](test)
        is_turned = test.operator == "!=" and found is not None
        return (not found if is_turned else found), why

    def _missing(self, test: Test) -> str | None:
        """What there would have to be for the kernel to ask this at all."""
        facts = self._facts
        if test.kind == "country" and facts.are_files_here:
            codes = {facts.router_country if one == "router_country" else str(one) for one in test.values}
            if None in codes:
                return "the country of the router is not known"
            lacking = codes - set(() if facts.countries is None else facts.countries.codes())
            return f"there are no addresses of country {'/'.join(sorted(map(str, lacking)))}" if lacking else None
        if test.kind == "application" and facts.applications is not None:
            return None if any(map(facts.applications.get, map(str, test.values))) else "nothing is known of it"
        return None

    def _gate(self, test: Test) -> Answer:
        facts = self._facts
        plain = replace(test, operator="==") if test.operator == "!=" else test
        found = gates.holds(Literal(plain, test.operator == "!="), facts)
        text = _text(test)
        if test.kind == "time":
            if facts.now is None:
                return found, f"{text}: the clock is not set yet"
            return found, f"{text}: it is {datetime.fromtimestamp(facts.now, facts.zone):%a %H:%M}"
        if test.kind == "router_country":
            return found, f"{text}: the router is in {facts.router_country or 'a country that is not known'}"
        link = gates.link_of(test.subject, facts.links)
        if link is None:
            return found, f"{text}: there is no such link"
        figures = {"latency": link.latency_ms, "loss": link.loss_percent, "remaining": link.remaining_bytes}
        now = link.state if test.asked == "is" else figures[test.asked]
        return found, f"{text}: it is {'not known' if now is None else now}"

    def _of_ports(self, ask: Callable[[Test], Answer]) -> Callable[[Test], Answer]:
        """What is only asked of flows that have ports."""
        protocol = self._flow.protocol
        if protocol is None or _numbers(protocol) & TRANSPORT:
            return ask
        return lambda test: (test.operator in ("<", "<="), f"{_text(test)}: {protocol} has no ports")

    def _source(self, test: Test) -> Answer:
        flow = self._flow
        if flow.is_router:
            return Named() in test.values, "it is the router's own"
        address = _within(test, flow.source, self._facts)
        macs = [one.address for one in test.values if isinstance(one, Mac)]
        if address is True or not macs:
            return address, _told(test, flow.source, "who sends it")
        if flow.source_mac is None:
            return None, f"{_text(test)}: the hardware address of who sends it is not known"
        is_unknown = address is None and len(macs) < len(test.values)
        found = True if flow.source_mac.lower() in macs else None if is_unknown else False
        return found, _told(test, flow.source_mac, "who sends it")

    def _interface(self, test: Test) -> Answer:
        if self._flow.is_router:
            return False, "it is the router's own"
        return _one_of(test, self._flow.interface, "the interface")

    def _destination(self, test: Test) -> Answer:
        where = self._flow.destination
        return _within(test, where, self._facts), _told(test, where, "its destination")

    def _dscp(self, test: Test) -> Answer:
        value = self._flow.dscp
        found, _ = _in_range(test, value, "")
        return found, _told(test, None if value is None else dscp_text(value), "its DSCP")

    def _protocol(self, test: Test) -> Answer:
        name = self._flow.protocol
        wanted = {number for one in test.values for number in protocol_numbers(str(one))}
        if name is None:
            transport = TRANSPORT if self._flow.port is not None else set()
            is_known = bool(transport) and (transport <= wanted or not transport & wanted)
            return (transport <= wanted if is_known else None), _told(test, None, "its protocol")
        return bool(_numbers(name) & wanted), _told(test, name, "its protocol")

    def _domain(self, test: Test) -> Answer:
        name = self._flow.domain
        if name is None:
            return None, _told(test, None, "its name")
        found = any(takes(str(one), name) for one in test.values)
        return found, _told(test, name, "its name")

    def _application(self, test: Test) -> Answer:
        flow, known = self._flow, self._facts.applications
        applications = [known.get(str(one)) for one in test.values] if known is not None else []
        if flow.application is not None:
            members = {name for one in applications if one is not None for name in one.members}
            return flow.application in (*test.values, *members), _told(test, flow.application, "its application")
        if flow.domain is None:
            return None, _told(test, None, "its name or application")
        below = [name for one in applications if one is not None for name in one.domains]
        found = any(takes(name, flow.domain) for name in below)
        return found, _told(test, flow.domain, "its name")

    def _country(self, test: Test) -> Answer:
        facts, flow = self._facts, self._flow
        codes = [facts.router_country if one == "router_country" else str(one) for one in test.values]
        if None in codes:
            return None, f"{_text(test)}: the router's country is not known"
        country = flow.country
        if country is None and flow.destination is not None and facts.countries is not None:
            country = facts.countries.country_of(flow.destination)
            if country is None:
                return False, f"{_text(test)}: the list of countries does not have its destination"
        return (None if country is None else country in codes), _told(test, country, "its country")


def _numbers(protocol: str) -> set[int]:
    """Of a protocol by its name or number; of one that the language has no word for none."""
    return set(protocol_numbers(protocol)) if protocol in PROTOCOLS or protocol.isdigit() else set()


def _text(test: Test) -> str:
    """As it is written, but for the many values that a set may have."""
    more = len(test.values) - MOST_SHOWN
    if more <= 1:
        return test_text(test)
    return f"{test_text(replace(test, values=test.values[:MOST_SHOWN]))} and {more} more"


def _told(test: Test, value: object, what: str) -> str:
    return f"{_text(test)}: {what} is {'not known' if value is None else value}"


def _one_of(test: Test, value: str | None, what: str) -> Answer:
    return (None if value is None else value in test.values), _told(test, value, what)


def _in_range(test: Test, value: int | None, what: str) -> Answer:
    if value is None:
        return None, _told(test, None, what)
    found = any(one.low <= value <= one.high for one in test.values if isinstance(one, Range))
    return found, _told(test, value, what)


def _over(test: Test, value: float | None, what: str) -> Answer:
    bound = test.values[0]
    if value is None or not isinstance(bound, int):
        return None, _told(test, None, what)
    found = value > bound if test.operator in (">", ">=") else value <= bound
    return found, _told(test, value, what)


def _within(test: Test, address: str | None, facts: Facts) -> bool | None:
    if address is None:
        return None
    family, number = ip_of(address)
    if any(one.family == family and one.first <= number <= one.last for one in test.values if isinstance(one, Span)):
        return True
    names = [one.name for one in test.values if isinstance(one, FromFile)]
    files = [None if facts.files is None else facts.files.last(name) for name in names]
    if any(one is not None and one.of(family).has(number) for one in files):
        return True
    return None if None in files else False
