"""What a link's end does to the LAN: a cut, its return, an idle link, and links that only look as if they were down.

    tests/benchmarks/bench_links_failover.py [--repeats N] [--steady S] [silent device vanished idle saturated lossy]

In network namespaces with emulated links (tests/netlab), as root. ``silent``: the link swallows everything; ``device``:
its device goes down; ``vanished``: it is gone. Eight downloads and twenty new connections a second run meanwhile.
``--steady`` is how long ``saturated`` and ``lossy`` take: 60 s, the promise is for 600.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic

from measuring import Table, rest_until
from netlab.clients import Clients, Download, Transfer
from netlab.lab import FOUR, Lab, Link, why_not
from netlab.service import routing_text, serving

DOWNLOADS, NEW_PER_S = 8, 20.0
BEFORE_S, AFTER_S, RETURN_S = 5.0, 8.0, 15.0
SETTLE_S = 0.3
"""After this long nothing that was on its way arrives any more."""
METERED = 2
GOING = {
    "silent": (Link.cut, Link.heal),
    "device": (Link.down, Link.up),
    "vanished": (Link.unplug, Link.plug),
}


@dataclass(slots=True)
class Seen:
    """Of one cut: seconds after it, None where it did not happen."""

    last_into: float = 0.0
    refused: int = 0
    reset: float | None = 0.0
    again: float | None = 0.0
    moved: int = 0
    lost: int = 0
    disturbed: int = 0
    returned: float | None = None
    disturbed_at_return: int = 0


def cut(lab: Lab, clients: Clients, way: str, seed: int) -> Seen:
    """Downloads and new connections; the link that carries a download ends, and returns."""
    go, come = GOING[way]
    chance = random.Random(seed)
    begin = monotonic() + 0.1
    running = [
        Download(clients, lab.servers[n], client=lab.clients[n % 8], when=begin + chance.random())
        for n in range(DOWNLOADS)
    ]
    new = new_flows(lab, clients, chance, begin + 1, BEFORE_S + AFTER_S + RETURN_S)
    rest_until(begin + BEFORE_S)
    link = lab.links[(running[seed % DOWNLOADS].link or 1) - 1]
    on_it = [one for one in running if one.link == link.index]
    before = {one: len(one.transfers) for one in running if one not in on_it}
    go(link)
    at = monotonic()
    rest_until(at + AFTER_S)
    beginnings = [one["at"] for one in link.lost_beginnings() if one["server"].startswith("198.51.100.")]
    seen = Seen(last_into=max((one - at for one in beginnings), default=0.0), moved=len(on_it))
    seen.refused = sum(one.error is not None and at < one.started < at + AFTER_S for one in new)
    again = [flows_again(one, link, at) for one in on_it]
    seen.lost = sum(one is None for one in again)
    seen.again = max((one for one in again if one is not None), default=None)
    seen.reset = max((told_after(one, at) for one in on_it), default=0.0)
    seen.disturbed = sum(len(one.transfers) != count for one, count in before.items())
    count_now = {one: len(one.transfers) for one in running}
    come(link)
    back = monotonic()
    rest_until(back + RETURN_S)
    used = [one.connected - back for one in new if one.started > back and one.link == link.index and one.connected]
    seen.returned = min(used, default=None)
    seen.disturbed_at_return = sum(len(one.transfers) != count for one, count in count_now.items())
    return seen


def new_flows(lab: Lab, clients: Clients, chance: random.Random, begin: float, seconds: float) -> list[Transfer]:
    """Small downloads of both classes that come by chance."""
    flows, at = [], begin
    while at < begin + seconds:
        server, port = chance.choice(lab.servers[:8]), chance.choice((80, 8080))
        flows.append(clients.fetch(server, port, 2_000, client=chance.choice(lab.clients), when=at))
        at += chance.expovariate(NEW_PER_S)
    return flows


def flows_again(download: Download, link: Link, at: float) -> float | None:
    """How long after the cut something came by another link."""
    for transfer in download.transfers:
        if transfer.link not in (None, link.index):
            came = [n for n in transfer.bins if n * 0.05 >= at]
            if came:
                return min(came) * 0.05 + 0.05 - at
    return None


def told_after(download: Download, at: float) -> float:
    """How long after the cut its client was told that the connection is no more."""
    ends = [one.ended - at for one in download.transfers if one.ended is not None and one.ended > at]
    return min(ends, default=float("inf"))


def run_cut(way: str, repeats: int) -> int:
    """Cut a link some times; the status."""
    table = Table(f"{way}: {repeats} times, {DOWNLOADS} downloads, {NEW_PER_S:g} new connections a second")
    seen: list[Seen] = []
    foreign: list[str] = []
    with Lab(FOUR) as lab:
        for repeat in range(repeats):  # each time a new service: to one that knows better a link cut so often flaps
            with (
                tempfile.TemporaryDirectory(prefix="remsim-bench-") as directory,
                serving(lab, Path(directory), routing_text(lab)),
                Clients(lab.lan) as clients,
            ):
                before = strangers(lab)
                seen.append(cut(lab, clients, way, repeat))
                foreign += strangers_since(before, lab)
                clients.abandon_all()
    table.row("last new connection into it, after the cut, worst", max(one.last_into for one in seen), "s", at_most=0.7)
    table.row("new connections that failed in 8 s, most", max(one.refused for one in seen), "")
    table.row("downloads on it, all cuts", sum(one.moved for one in seen), "", at_least=repeats)
    table.row("their clients are told after, worst", worst(one.reset for one in seen), "s")
    table.row("they flow again after, median of cuts", median(one.again or 99.0 for one in seen), "s")
    table.row("they flow again after, worst", worst(one.again for one in seen), "s", at_most=1.5)
    table.row("they never did", sum(one.lost for one in seen), "", at_most=0)
    table.row("downloads of other links that broke, then", sum(one.disturbed for one in seen), "", at_most=0)
    table.row("and at the return", sum(one.disturbed_at_return for one in seen), "", at_most=0)
    table.row("in use again after its return, worst", worst(one.returned for one in seen), "s", at_most=15)
    table.row("packets on a link whose address they do not have", len(foreign), "", at_most=0)
    for one in dict.fromkeys(foreign):
        table.row(f"  {one}", foreign.count(one), "")
    return table.status()


def strangers(lab: Lab) -> list[int]:
    """Packets so far that had another address than their link's, of each link."""
    return [link.tally()["up"]["foreign"] for link in lab.links]


def strangers_since(before: list[int], lab: Lab) -> list[str]:
    """Those that came since, as far as is known what they were."""
    found: list[str] = []
    for link, then, now in zip(lab.links, before, strangers(lab), strict=True):
        last = link.strangers()[-(now - then) :] if now > then else []
        found += [f"on {link.device}: {one}" for one in [*last, *["more"] * (now - then - len(last))]]
    return found


def worst(values: object) -> float:
    """The largest; never is worse than any."""
    return max(float("inf") if value is None else value for value in values)  # type: ignore[attr-defined]


def run_idle(repeats: int) -> int:
    """An idle metered link is cut: how many of its probes' periods until that is noticed; what probes take a month."""
    table = Table(f"idle: a metered link without traffic is cut, {repeats} times")
    periods = []
    with Lab(FOUR) as lab, tempfile.TemporaryDirectory(prefix="remsim-bench-") as directory:
        text = routing_text(lab, each=lambda index: {"metered": int(index == METERED)})
        with serving(lab, Path(directory), text) as service:
            link = lab.links[METERED - 1]
            for _ in range(repeats):
                rest_until(monotonic() + 12)  # what is odd about a link that has just come back has passed
                period = service.links()[link.device]["probe"]["period_s"]
                link.cut()
                at = monotonic()
                service.wait_states({link.device: "down"}, 10 * period)
                periods.append((monotonic() - at) / period)
                link.heal()
                service.wait_states("up", 60)
            probes = {name: one["probe"] for name, one in service.links().items()}
    table.row(f"periods of {period:g} s until it is down, worst", max(periods), "", at_most=3)
    for name, probe in probes.items():
        kind = f"{name}: {probe['kind']} each {probe['period_s']:g} s"
        table.row(f"probes a month, {kind}", probe["mb_per_month"] or 0, "MB")
    return table.status()


def run_steady(name: str, seconds: float, prepare: Callable[[Lab], None]) -> int:
    """Links under load are watched: none may be said to be down."""
    table = Table(f"{name}: {seconds:g} s")
    false, looks, states = 0, 0, set()
    with (
        Lab(FOUR) as lab,
        tempfile.TemporaryDirectory(prefix="remsim-bench-") as directory,
        serving(lab, Path(directory), routing_text(lab)) as service,
        Clients(lab.lan) as clients,
    ):
        prepare(lab)
        running = [Download(clients, lab.servers[n % 8], client=lab.clients[n % 8]) for n in range(24)]
        begin = monotonic()
        while monotonic() < begin + seconds:
            rest_until(monotonic() + 0.25)
            now = [one["state"] for one in service.links().values()]
            looks += 1
            states.update(now)
            false += sum(state not in ("up", "degraded") for state in now)
        failovers = service.get("links")["failovers"]
        broken = sum(len(one.transfers) - 1 for one in running)
        clients.abandon_all()
    table.row(f"looks at four links, states {' '.join(sorted(states))}", looks, "")
    table.row("links seen as down", false, "", at_most=0)
    table.row("failovers", failovers, "", at_most=0)
    table.row("downloads that broke, of 24", broken, "", at_most=0)
    return table.status()


def unlucky(lab: Lab) -> None:
    """The second link loses 30 % of what is sent, each way."""
    lab.links[1].reshape(loss_percent=30)


def one(name: str, repeats: int, steady: float) -> int:
    """Run a part."""
    if name in GOING:
        return run_cut(name, repeats)
    if name == "idle":
        return run_idle(min(repeats, 3))
    return run_steady(name, steady, unlucky if name == "lossy" else lambda lab: None)


PARTS = (*GOING, "idle", "saturated", "lossy")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART")
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--steady", type=float, default=60.0)
    asked = parser.parse_args()
    reason = why_not()
    if reason is not None:
        print(f"not measured: {reason}")
        return 0
    return max(one(part, asked.repeats, asked.steady) for part in PARTS if not asked.parts or part in asked.parts)


if __name__ == "__main__":
    sys.exit(main())
