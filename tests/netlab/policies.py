"""Rule sets as large as one likes, of what policies are made of."""

from __future__ import annotations

from collections.abc import Sequence

ECHO_LINK = 2
"""By which the last policy sends UDP to port 5004."""


def many_policies(count: int, links: Sequence[str], *, shift: int = 0, echo: bool = True) -> str:
    """So many policies that take no flow of the measurements, then one for UDP port 5004 by the second link.

    ``shift`` makes another set of the same size.
    """
    texts = [_policy(n, links, n + shift) for n in range(count - echo)]
    if echo:
        texts.append(_text("echo", "protocol udp, port 5004", f'connection "{links[ECHO_LINK - 1]}"'))
    return "\n".join(texts)


def _policy(n: int, links: Sequence[str], seed: int) -> str:
    matches = (
        f"protocol tcp, port {20_000 + seed}",
        f"source 192.168.78.{seed % 250}, port 443",
        f"destination 192.0.2.{seed % 250}/32, port 443/8443",
        f"SNI *.shop{seed}.example, port 443",
        f"protocol udp, port {30_000 + seed}-{30_003 + seed}",
        f"dscp af{1 + seed % 4}{1 + seed % 3}, source 192.168.79.0/24",
        f"(source 192.168.80.{seed % 250} or destination 198.18.{seed % 250}.0/24), port {10_000 + seed}",
        f"time 00:00-06:00, source 192.168.81.{seed % 250}",
    )
    routes = (
        f'connection "{links[seed % len(links)]}"',
        "prefer_connection(lowest_latency)",
        "balance(adaptive)",
        "prefer_connection(lowest_cost)",
    )
    return _text(f"policy_{n}", matches[n % len(matches)], routes[n % len(routes)])


def _text(name: str, match: str, route: str) -> str:
    return f"policy {name} {{\n  match: {match}\n  route: {route}\n}}\n"
