"""The kernel's part: a ring changed, 200 policies loaded, and what they cost a packet and a new connection.

    tests/benchmarks/bench_links_kernel.py [--repeats N] [swap load million steady veth]

In network namespaces (tests/netlab), as root. ``steady``: two sets of 200 policies are loaded in turns while flows
begin that a policy sends by one link. ``veth``: links as fast as the kernel; 200 policies against none, in turns.
"""

from __future__ import annotations

import argparse
import socket
import sys
from statistics import mean, median
from time import monotonic

from measuring import Table, rest_until
from netlab.clients import Clients, Download
from netlab.lab import Lab, why_not
from netlab.plane import PlaneInRouter
from netlab.policies import ECHO_LINK, many_policies

FEW, POLICIES = 10, 200
SWAPS, LOADS = 300, 20
MILLION = 1_000_000
BULK_S, CONNECTS_S = 3.0, 3.0
PORTS = {"5001": "which no policy names", "443": "which half of their rules name"}


def names(lab: Lab) -> list[str]:
    return [link.device for link in lab.links]


def swap(_repeats: int) -> int:
    """Change a ring with few and with many policies in force."""
    table = Table(f"swap: the bulk ring, {SWAPS} times")
    with Lab([None] * 4) as lab, PlaneInRouter(lab) as plane:
        for count in (FEW, POLICIES):
            plane.tell("load", text=many_policies(count, names(lab)))
            told = plane.tell("swap", times=SWAPS)
            took = sorted(told["swaps"])
            table.row(f"with {count} policies in force, median", median(took), "ms", at_most=2)
            table.row("  95 of 100", took[int(len(took) * 0.95)], "ms")
            table.row("  longest", took[-1], "ms")
            table.row("  of CPU, mean", told["cpu"], "ms")
    return table.status()


def load(_repeats: int) -> int:
    """Load 200 policies, again and again."""
    table = Table(f"load: {POLICIES} policies, {LOADS} times")
    with Lab([None] * 4) as lab, PlaneInRouter(lab) as plane:
        text = many_policies(POLICIES, names(lab))
        first = plane.tell("load", text=text)
        again = plane.tell("load", text=text, times=LOADS)["loads"]
        other = plane.tell("load", text=many_policies(POLICIES, names(lab), shift=1000))
        sets = {**first["sets"], **other["sets"]}
    table.row("parsed and compiled", first["compile"], "ms")
    table.row("the first time, into an empty table", first["loads"][0]["chains"], "ms", at_most=20)
    table.row("all others in their place", other["loads"][0]["chains"], "ms", at_most=20)
    table.row("with other rings only, median", median(one["chains"] for one in again), "ms", at_most=20)
    table.row("the same with what is thought about it", median(one["all"] for one in again), "ms")
    for name, one in (("the first time", first), ("all others in their place", other)):
        table.row(f"{name}: of CPU, with what is thought about it", one["loads"][0]["cpu"], "ms")
    table.row("with other rings only: the same, median", median(one["cpu"] for one in again), "ms")
    for name, took in sets.items():
        table.row(f"apart, before: {name}", took, "ms")
    return table.status()


def million(_repeats: int) -> int:
    """Fill a very large set while rings are changed."""
    table = Table(f"million: a set of {MILLION:,} addresses, a ring changed ten times a second meanwhile")
    with Lab([None] * 4) as lab, PlaneInRouter(lab) as plane:
        told = plane.tell("fill", count=MILLION)
    took = sorted(told["swaps"])
    table.row("to fill it", told["seconds"], "s")
    table.row("  of CPU, with the rings", told["cpu"], "s")
    table.row("a ring meanwhile, median", median(took), "ms")
    table.row("  longest", took[-1], "ms", at_most=50)
    table.row("the policy that asks it, after that", told["chains"], "ms", at_most=20)
    table.row("memory meanwhile, beside what holds the addresses", told["more_mb"], "MB")
    return table.status()


def steady(repeats: int) -> int:
    """New flows all the while as policies are exchanged: none may leave by a link that its policy does not name."""
    seconds = 2.0 * repeats
    table = Table(f"steady: two sets of {POLICIES} policies in turns for {seconds:g} s, flows that begin meanwhile")
    with Lab([None] * 4) as lab, PlaneInRouter(lab) as plane:
        texts = [many_policies(POLICIES, names(lab), shift=shift) for shift in (0, 1000)]
        plane.tell("load", text=texts[0])
        plane.ask("alternate", texts=texts, seconds=seconds)
        right, wrong, lost = begin_flows(lab, seconds)
        loads = plane.answer()["loads"]
    table.row("loads", loads, "", at_least=seconds)
    table.row("flows by the link of their policy", right, "", at_least=100)
    table.row("by another", wrong, "", at_most=0)
    table.row("without an answer", lost, "", at_most=0)
    return table.status()


def begin_flows(lab: Lab, seconds: float) -> tuple[int, int, int]:
    """Datagrams from new ports to the echo server, one after the other: right link, wrong link, no answer."""
    right = wrong = lost = 0
    wanted = lab.links[ECHO_LINK - 1].address
    end = monotonic() + seconds
    with lab.lan.entered():
        while monotonic() < end:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                one.settimeout(1)
                one.sendto(b"who", (lab.server, 5004))
                try:
                    source = one.recv(100).split()[0].decode()
                except TimeoutError:
                    lost += 1
                else:
                    right, wrong = right + (source == wanted), wrong + (source != wanted)
    return right, wrong, lost


def veth(repeats: int) -> int:
    """Bulk rate and new connections a second, with 200 policies and with none."""
    table = Table(f"veth: {POLICIES} policies against none, {repeats} times in turns")
    rates: dict[int, list[float]] = {0: [], POLICIES: []}
    connects: dict[str, dict[int, list[float]]] = {port: {0: [], POLICIES: []} for port in PORTS}
    with Lab([None] * 4) as lab, PlaneInRouter(lab) as plane:
        for repeat in range(repeats):
            for count in (0, POLICIES) if repeat % 2 == 0 else (POLICIES, 0):
                plane.tell("load", text=many_policies(count, names(lab), echo=False))
                rates[count].append(bulk(lab))
                for port in PORTS:
                    told = lab.lan(sys.executable, connects_program(), lab.server, port, str(CONNECTS_S))
                    connects[port][count].append(float(told))
                    lab.router("conntrack", "-F", check=False)
    measured: list[tuple[str, dict[int, list[float]], str]] = [("one download", rates, "Gb/s")]
    measured += [(f"new connections to port {port}, {what}", connects[port], "1/s") for port, what in PORTS.items()]
    for name, got, unit in measured:
        table.row(f"{name}: no policies", mean(got[0]), unit)
        table.row(f"  {POLICIES} policies", mean(got[POLICIES]), unit)
        least = 0.95 if "443" not in name else None  # flows that have to be asked a hundred rules take the time of that
        table.row("  times that without", mean(got[POLICIES]) / mean(got[0]), "", at_least=least)
    return table.status()


def bulk(lab: Lab) -> float:
    """Gbit/s of one download."""
    with Clients(lab.lan) as clients:
        download = Download(clients, lab.server)
        begin = monotonic() + 0.3
        rest_until(begin + BULK_S + 0.1)
        got = download.bytes_between(begin, begin + BULK_S)
        clients.abandon_all()
    return got * 8e-9 / BULK_S


def connects_program() -> str:
    import netlab.connects

    return netlab.connects.__file__


PARTS = {"swap": swap, "load": load, "million": million, "steady": steady, "veth": veth}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART")
    parser.add_argument("--repeats", type=int, default=6)
    asked = parser.parse_args()
    reason = why_not()
    if reason is not None:
        print(f"not measured: {reason}")
        return 0
    return max(PARTS[part](asked.repeats) for part in PARTS if not asked.parts or part in asked.parts)


if __name__ == "__main__":
    sys.exit(main())
