"""What is looked at before a download: the clock, the way to the server, and whether a switch would cut that way."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

from remsim.core.small_dataclass import dataclass
from remsim.esim.https import day, read_address
from remsim.esim.refusals import trouble
from remsim.esim.trust import places
from remsim.outbound.reach import connect
from remsim.outbound.way import Undelivered

BUILT = 1_748_736_000
"""June 2025: this program is younger, so a clock that shows less is wrong."""
LATEST = 2_840_140_800
"""2060: no certificate of today is valid any more."""
REACH_S = 10.0
SIOCGIFADDR = 0x8915
INET6 = Path("/proc/net/if_inet6")


@dataclass(frozen=True, slots=True)
class WayOut:
    """How a server is reached. ``interface`` is the one its packets leave by, None where that cannot be told."""

    interface: str | None


def check_clock(now: float) -> None:
    """``EsimError`` when the clock cannot be right, so that no certificate could be checked."""
    if not BUILT <= now < LATEST:
        raise trouble("tls_clock", why=f"it says {day(now)}")


def reach(address: str, hosts: Mapping[str, str], *, is_lab: bool) -> WayOut:
    """Connect to an operator's server; ``EsimError`` says why it cannot be.

    ``hosts`` are names that mean another place. A server in this router's own network is one of a laboratory.
    """
    host, port = read_address(address)
    place = places(hosts).get(host)
    if place is not None:
        host, port = place.rpartition(":")[0].strip("[]"), int(place.rpartition(":")[2])
    try:
        sock = connect(host, port, allow_private=is_lab or place is not None, timeout_s=REACH_S)
    except Undelivered as error:
        code = "smdp_private" if error.code == "private_address" else "smdp_unreachable"
        raise trouble(code, why=None if code == "smdp_private" else error.message) from error
    with contextlib.closing(sock):
        return WayOut(interface_of(str(sock.getsockname()[0])))


def interface_of(address: str) -> str | None:
    """The network interface that has an address."""
    if ":" in address:
        return interface_of_ipv6(address)
    wanted = socket.inet_aton(address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):  # it has none
                asked = struct.pack("256s", name.encode()[:15])
                if fcntl.ioctl(probe.fileno(), SIOCGIFADDR, asked)[20:24] == wanted:
                    return name
    return None


def interface_of_ipv6(address: str) -> str | None:
    """The same for IPv6, from the kernel's list."""
    wanted = socket.inet_pton(socket.AF_INET6, address.partition("%")[0]).hex()
    with contextlib.suppress(OSError):
        for line in INET6.read_text().splitlines():
            words = line.split()
            if words and words[0] == wanted:
                return words[-1]
    return None
