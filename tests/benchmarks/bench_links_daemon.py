"""What carrying traffic over eight links takes of the router: CPU and memory of the service with 2 000 flows.

    tests/benchmarks/bench_links_daemon.py [--seconds N] [--flows N]

In network namespaces with emulated links (tests/netlab), as root. Bars: a tenth of a core, 12 MB more than with links
off. Twenty policies are in force; the flows are datagrams each second and sixteen downloads.
"""

from __future__ import annotations

import argparse
import resource
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measuring import Table, alone_mb, cpu_s, pss_mb, rest_until, service_pids
from netlab.clients import Clients, Download
from netlab.lab import EIGHT, Lab, why_not
from netlab.policies import many_policies
from netlab.service import RouterService, routing_text, serving

DOWNLOADS = 16
SETTLE_S = 20.0


@contextmanager
def datagrams(lab: Lab, count: int) -> Iterator[None]:
    """So many flows of UDP, each with a datagram and its answer a second."""
    over = threading.Event()
    sockets = []
    with lab.lan.entered():
        for n in range(count):
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            one.bind((lab.clients[n % len(lab.clients)], 0))
            one.connect((lab.servers[n % 14], 5004))
            sockets.append(one)

    def send() -> None:
        while not over.is_set():
            begin = time.monotonic()
            for n, one in enumerate(sockets):
                one.send(bytes(64))
                if n % 50 == 49:
                    rest_until(begin + n / count)
            rest_until(begin + 1)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)
        for one in sockets:
            one.close()


def memory(service: RouterService) -> tuple[float, float]:
    """Of the service, MB: its share, and as if no other program mapped its files."""
    assert service.process is not None
    pids = service_pids(service.process.pid)
    return pss_mb(pids), alone_mb(pids)


def cpu_percent(service: RouterService, seconds: float) -> float:
    """Of one core."""
    assert service.process is not None
    pids = service_pids(service.process.pid)
    before = cpu_s(pids)
    rest_until(time.monotonic() + seconds)
    return 100 * (cpu_s(pids) - before) / seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--flows", type=int, default=2000)
    asked = parser.parse_args()
    reason = why_not()
    if reason is not None:
        print(f"not measured: {reason}")
        return 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    table = Table(f"Eight links, {asked.flows} flows, over {asked.seconds:g} s")
    with Lab(EIGHT) as lab, tempfile.TemporaryDirectory(prefix="remsim-bench-") as directory:
        with serving(lab, Path(directory, "off"), "", wait_s=0) as service:
            rest_until(time.monotonic() + SETTLE_S)
            off, off_cpu = memory(service), cpu_percent(service, asked.seconds)
        with serving(lab, Path(directory, "on"), routing_text(lab)) as service:
            text = many_policies(20, [link.device for link in lab.links])
            status, answer = service.request("policies?confirm_s=0", method="PUT", body={"text": text, "confirm_s": 0})
            assert status == 200, answer
            rest_until(time.monotonic() + SETTLE_S)
            idle, idle_cpu = memory(service), cpu_percent(service, asked.seconds)
            with Clients(lab.lan) as clients, datagrams(lab, asked.flows):
                for n in range(DOWNLOADS):
                    Download(clients, lab.servers[n % 8], client=lab.clients[n % 8])
                rest_until(time.monotonic() + SETTLE_S)
                busy_cpu, busy = cpu_percent(service, asked.seconds), memory(service)
                flows = service.get("links/flows?limit=1")["total"]
                clients.abandon_all()
    table.row("flows that it knows", flows, "", at_least=asked.flows)
    table.row("CPU with links off", off_cpu, "%")
    table.row("CPU, eight links without traffic", idle_cpu, "%")
    table.row("CPU with these flows", busy_cpu, "%", at_most=10)
    table.row("memory with links off (PSS)", off[0], "MB")
    table.row("more with eight links", idle[0] - off[0], "MB")
    table.row("more with these flows", busy[0] - off[0], "MB", at_most=12)
    table.row("the same if no other program were Python", busy[1] - off[1], "MB")
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
