"""What devices have carried, all in one read."""

from __future__ import annotations

from collections.abc import Container

from remsim.links.probes.pace import Counters

PROC_NET_DEV = "/proc/thread-self/net/dev"


def read_counters(devices: Container[str], path: str = PROC_NET_DEV) -> dict[str, Counters]:
    """Counters of the devices that are there; ``OSError``."""
    with open(path, encoding="ascii", errors="replace") as file:
        return parse_counters(file.read(), devices)


def parse_counters(text: str, devices: Container[str]) -> dict[str, Counters]:
    """Decode /proc/net/dev: after the colon eight numbers of what came in, then eight of what went out."""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.rpartition(":")
        name = name.strip()
        if name not in devices:
            continue
        numbers = rest.split()
        if len(numbers) >= 10 and all(one.isdigit() for one in numbers[:10]):
            found[name] = Counters(int(numbers[0]), int(numbers[8]), int(numbers[1]), int(numbers[9]))
    return found
