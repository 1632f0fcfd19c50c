"""Ports for servers under test: nobody else's, also a moment later."""

from __future__ import annotations

import itertools
import os
import random
import re
import socket

FIRST, EACH, PROCESSES = 20_000, 3_000, 4
"""Below those that connections take by themselves (32768 on), which may come between the look and the server. Each
process of a run has a part of its own; the next run begins elsewhere in it."""


def _own() -> itertools.cycle[int]:
    worker = re.search(r"\d+", os.environ.get("PYTEST_XDIST_WORKER", ""))
    begin = FIRST + EACH * (int(worker[0]) % PROCESSES if worker else 0)
    ports = list(range(begin, begin + EACH))
    start = random.SystemRandom().randrange(EACH)
    return itertools.cycle(ports[start:] + ports[:start])


_ports = _own()


def free_port() -> int:
    """A loopback port nobody listens on; not offered again before all others were."""
    for port in itertools.islice(_ports, EACH):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")
