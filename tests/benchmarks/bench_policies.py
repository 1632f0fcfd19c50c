"""What user space takes for policies: reading a thousand of them, the name in a TLS or QUIC greeting.

Bars: 1 000 policies parsed in 100 ms, a ClientHello in 100 µs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter

from measuring import Table
from netlab.policies import many_policies

LINKS = ("sim1", "sim2", "sim3", "sim4")


def each_ms(do: Callable[[], object], times: int, repeats: int = 7) -> float:
    """Median of what one takes, of so many at a time."""
    took = []
    for _ in range(repeats):
        before = perf_counter()
        for _ in range(times):
            do()
        took.append(1000 * (perf_counter() - before) / times)
    return median(took)


def main() -> int:
    from hellos import client_hello, crypto_frame, initial
    from remsim.core.routes import LinkView
    from remsim.policies.applications.catalogue import Catalogue
    from remsim.policies.compile import compile_set
    from remsim.policies.facts import Facts
    from remsim.policies.language.checker import check
    from remsim.policies.language.parser import parse
    from remsim.policies.language.printer import print_set
    from remsim.policies.learning.client_hello import Hello, parse_records
    from remsim.policies.learning.crypto import Aes
    from remsim.policies.learning.quic import Initials

    table = Table("Policies in user space")
    text = many_policies(1000, LINKS)
    parsed = parse(text)
    assert not parsed.problems and len(parsed.set.policies) == 1000
    facts = Facts(tuple(LinkView(n, name) for n, name in enumerate(LINKS, 1)), applications=Catalogue())
    few = parse(many_policies(200, LINKS)).set
    table.row(f"parse 1000 policies, {len(text) / 1000:.0f} kB", each_ms(lambda: parse(text), 1), "ms", at_most=100)
    table.row("check them (parse, warn of shadowed ones)", each_ms(lambda: check(text, facts), 1, 3), "ms")
    table.row("print them", each_ms(lambda: print_set(parsed.set), 1), "ms")
    table.row("compile 200", each_ms(lambda: compile_set(few.policies, few.sets, facts), 1), "ms")
    for name, extra in (("ClientHello", 0), ("ClientHello with a post-quantum key", 1184)):
        record = client_hello("www.youtube.com", extra=extra)
        assert parse_records(record) == Hello("www.youtube.com")
        took = 1000 * each_ms(partial(parse_records, record), 500)
        table.row(f"{name}, {len(record)} bytes", took, "µs", at_most=100)
    aes, message = Aes(), client_hello("www.youtube.com", extra=1184)[5:]
    parts = (crypto_frame(0, message[:900]), crypto_frame(900, message[900:]))
    greeting = [initial(part, connection=b"12345678", count=count) for count, part in enumerate(parts)]

    def read_greeting() -> object:
        initials = Initials(aes)
        return [initials.feed(("flow",), one, 1.0) for one in greeting][-1]

    assert read_greeting() == Hello("www.youtube.com")
    table.row("QUIC's two first packets", 1000 * each_ms(read_greeting, 100), "µs")
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
