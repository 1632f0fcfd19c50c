"""Goodput and completion times over several links, against each connection by chance, which is what mwan3 does.

    tests/benchmarks/bench_links.py [--repeats N] [--seconds N] [--learn] [many few endless pareto web eight mptcp]

In network namespaces with emulated links (tests/netlab), as root: 20/10/5/8 Mbit/s, and eight of 42 Mbit/s together. A
repeat measures both, one after the other in turns, as one draw of chance says little; the bars are for the means.
``--learn``: the service is not told what the links can carry.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from subprocess import DEVNULL
from time import monotonic

from measuring import Table, rest_until
from netlab.clients import Clients, Download, Pool, Transfer
from netlab.equal import random_links
from netlab.lab import EIGHT, FOUR, Lab, Shape, why_not
from netlab.service import quiet, routing_text, section, serving

SOCKS = Path(__file__).parents[1] / "socks_server.py"

WARM_S = 4.0
FILES_WARM_S = 10.0
"""The service leaves a link to pages until it has seen for some seconds that none come."""
WEB_PER_S, WEB_MEDIAN, WEB_SIGMA = 8.0, 40_000, 1.0
WEB_PATIENCE_S = 30.0
FILE_BYTES = 5_000_000
PARETO_SHAPE, PARETO_LEAST, PARETO_MOST = 1.2, 500_000, 50_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """Something to measure with a seed, for some seconds; its figures by name."""

    name: str
    shapes: Sequence[Shape]
    measure: Callable[[Lab, Clients, int, float], dict[str, float]]
    judge: Callable[[Table, dict[str, float], dict[str, float], float], None]


def downloads(count: int) -> Callable[[Lab, Clients, int, float], dict[str, float]]:
    """So many endless downloads, begun within a second."""

    def measure(lab: Lab, clients: Clients, seed: int, seconds: float) -> dict[str, float]:
        chance = random.Random(seed)
        begin = monotonic() + 0.1
        running = [
            Download(clients, lab.servers[n % 8], when=begin + chance.random(), client=lab.clients[n % 8])
            for n in range(count)
        ]
        return {"goodput": goodput(running, begin + WARM_S, seconds)}

    return measure


def files(lab: Lab, clients: Clients, _seed: int, seconds: float) -> dict[str, float]:
    """Four at a time of one size, each followed by the next; twice as long, as one takes 8 s on the slowest link."""
    pool = Pool(clients, list(lab.servers[:8]), lambda: FILE_BYTES, 4)
    return {"goodput": goodput([pool], monotonic() + FILES_WARM_S, 2 * seconds)}


def pareto(lab: Lab, clients: Clients, seed: int, seconds: float) -> dict[str, float]:
    """Eight at a time, of sizes that differ much."""
    chance = random.Random(seed)

    def size() -> int:
        return min(int(PARETO_LEAST * chance.paretovariate(PARETO_SHAPE)), PARETO_MOST)

    pool = Pool(clients, list(lab.servers[:8]), size, 8)
    return {"goodput": goodput([pool], monotonic() + WARM_S, seconds)}


def web(lab: Lab, clients: Clients, seed: int, seconds: float) -> dict[str, float]:
    """Short flows that come by chance beside four downloads."""
    chance = random.Random(seed)
    begin = monotonic() + 0.1
    running = [Download(clients, lab.servers[n], when=begin + chance.random(), client=lab.clients[n]) for n in range(4)]
    start = begin + WARM_S
    flows: list[Transfer] = []
    at = start + chance.expovariate(WEB_PER_S)
    while at < start + seconds:
        size = max(int(chance.lognormvariate(math.log(WEB_MEDIAN), WEB_SIGMA)), 200)
        flows.append(clients.fetch(chance.choice(lab.servers[8:14]), 80, size, client=lab.clients[5], when=at))
        at += chance.expovariate(WEB_PER_S)
    beside = goodput(running, start, seconds)
    deadline = monotonic() + WEB_PATIENCE_S
    while monotonic() < deadline and any(flow.ended is None for flow in flows):
        rest_until(monotonic() + 0.1)
    times = sorted(flow.ended - flow.started if flow.is_complete and flow.ended else WEB_PATIENCE_S for flow in flows)
    return {"web": mean(times), "web p95": times[int(len(times) * 0.95)], "goodput": beside}


def goodput(of: Sequence[Download | Pool], start: float, seconds: float) -> float:
    """Mbit/s of payload in a stretch of time, after having waited for its end."""
    rest_until(start + seconds + 0.1)
    return sum(one.bytes_between(start, start + seconds) for one in of) * 8e-6 / seconds


def at_least(ratio: float, mbit_s: float = 0.0, of_sum: float = 0.0) -> Callable[..., None]:
    """Goodput is to be so many times equal's, and so much, and so large a part of what the links have together."""

    def judge(table: Table, ours: dict[str, float], equal: dict[str, float], total: float) -> None:
        table.row("  times equal's", ours["goodput"] / equal["goodput"], "", at_least=ratio)
        if mbit_s:
            table.row("  is", ours["goodput"], "Mb/s", at_least=mbit_s)
        if of_sum:
            table.row("  of the links' sum", 100 * ours["goodput"] / total, "%", at_least=of_sum)

    return judge


def judge_endless(table: Table, ours: dict[str, float], equal: dict[str, float], _total: float) -> None:
    """Chance hits a link with 1 - 0.75^4 = 68 % of draws, so all the links' sum is but 1.46 times its mean."""
    table.row("  times equal's (all that links carry were 1.46)", ours["goodput"] / equal["goodput"], "")
    table.row("  is", ours["goodput"], "Mb/s", at_least=33)


def judge_web(table: Table, ours: dict[str, float], equal: dict[str, float], _total: float) -> None:
    table.row("  mean completion, times equal's", ours["web"] / equal["web"], "", at_most=0.55)
    table.row("  downloads beside, times equal's", ours["goodput"] / equal["goodput"], "", at_least=1.0)


CASES = (
    Case("many", FOUR, downloads(32), at_least(0.95, of_sum=90)),
    Case("few", FOUR, files, at_least(1.7, mbit_s=33)),
    Case("endless", FOUR, downloads(4), judge_endless),
    Case("pareto", FOUR, pareto, at_least(1.4)),
    Case("web", FOUR, web, judge_web),
    Case("eight", EIGHT, downloads(32), at_least(0.95)),
)


@contextmanager
def ours(lab: Lab, learn: bool) -> Iterator[None]:
    """The service, with its defaults."""
    rates = {"down_kbit": None, "up_kbit": None} if learn else {}
    with tempfile.TemporaryDirectory(prefix="remsim-bench-") as directory:
        text = routing_text(lab, each=lambda index: {**rates, "portal_check": 0})
        with serving(lab, Path(directory), text):
            yield


def run(case: Case, repeats: int, seconds: float, learn: bool) -> int:
    """Measure a case both ways in turns; the status."""
    table = Table(f"{case.name}: {repeats} repeats of {seconds:g} s")
    got: dict[str, list[dict[str, float]]] = {"equal": [], "ours": []}
    foreign = late = 0
    with Lab(case.shapes) as lab:
        for repeat in range(repeats):
            for arm in ("equal", "ours") if repeat % 2 == 0 else ("ours", "equal"):
                with random_links(lab) if arm == "equal" else ours(lab, learn), Clients(lab.lan) as clients:
                    before = lost(lab)
                    got[arm].append(case.measure(lab, clients, repeat, seconds))
                    foreign += lost(lab)[0] - before[0] if arm == "ours" else 0
                    late += lost(lab)[1] - before[1]
                    clients.abandon_all()
                quiet(lab)
        total = sum(link.shape.down_kbit for link in lab.links) / 1000
    means = {arm: {name: mean(one[name] for one in some) for name in some[0]} for arm, some in got.items()}
    for arm in got:
        for name, value in means[arm].items():
            spread = " ".join(f"{one[name]:.1f}" for one in got[arm])
            table.row(f"{arm} {name} ({spread})", value, "s" if name.startswith("web") else "Mb/s")
    case.judge(table, means["ours"], means["equal"], total)
    table.row("  packets on a link whose address they do not have", foreign, "", at_most=0)
    table.row("  times the emulator was 10 ms late, which harms", late, "")
    return table.status()


def mptcp(repeats: int, seconds: float) -> int:
    """One connection over all links through the router's proxy, against 32 plain ones of the same minutes."""
    table = Table(f"mptcp: {repeats} repeats of {seconds:g} s")
    server, user, password = "198.51.100.16", "remsim", "of the lab"
    got: dict[str, list[float]] = {"32 plain downloads": [], "one over MPTCP": []}
    with Lab(FOUR) as lab, tempfile.TemporaryDirectory(prefix="remsim-bench-") as directory:
        lab.internet("ip", "mptcp", "limits", "set", "subflow", "8", "add_addr_accepted", "8")
        lab.internet.popen([sys.executable, str(SOCKS), server, "1080", user, password], stdout=DEVNULL)
        options = {"enabled": 1, "server": server, "user": user, "password": password, "ports": ["80"]}
        text = routing_text(lab) + "\n".join(section("mptcp", "mptcp", options)) + "\n"
        with serving(lab, Path(directory), text) as service:
            service.wait_for("links/mptcp", lambda told: told["proxy"]["is_redirecting"])
            for repeat in range(repeats):
                for name, count, port in (("32 plain downloads", 32, 5001), ("one over MPTCP", 1, 80)):
                    with Clients(lab.lan) as clients:
                        begin = monotonic() + 0.1
                        running = [
                            Download(clients, lab.servers[n % 8], port, when=begin, client=lab.clients[repeat % 8])
                            for n in range(count)
                        ]
                        got[name].append(goodput(running, begin + WARM_S, seconds))
                        clients.abandon_all()
                    rest_until(monotonic() + 1)
    means = {name: mean(values) for name, values in got.items()}
    for name, values in got.items():
        table.row(f"{name} ({' '.join(f'{value:.1f}' for value in values)})", means[name], "Mb/s")
    share = 100 * means["one over MPTCP"] / means["32 plain downloads"]
    table.row("  of what the links carry", share, "%", at_least=95)
    return table.status()


def lost(lab: Lab) -> tuple[int, int]:
    """Packets with a foreign source so far, and how often the emulator was late."""
    tallies = [link.tally() for link in lab.links]
    return sum(one["up"]["foreign"] for one in tallies), sum(way["late"] for one in tallies for way in one.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[[], *(case.name for case in CASES), "mptcp"], metavar="CASE")
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--learn", action="store_true", help="do not tell the service the links' rates")
    asked = parser.parse_args()
    reason = why_not()
    if reason is not None:
        print(f"not measured: {reason}")
        return 0
    statuses = [
        run(case, asked.repeats, asked.seconds, asked.learn)
        for case in CASES
        if not asked.cases or case.name in asked.cases
    ]
    if not asked.cases or "mptcp" in asked.cases:
        statuses.append(mptcp(asked.repeats, asked.seconds))
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main())
