"""What is looked at before a download: the clock, the way to the server, and whether a switch would cut that way."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from remsim.core.errors import RemsimError
from remsim.esim.errors import EsimError
from remsim.outbound.reach import connect

BUILT = 1_748_736_000
"""June 2025: this program is younger, so a clock that shows less is wrong."""
LATEST = 2_840_140_800
"""2060: no certificate of today is valid any more."""
HTTPS = 443
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
        raise EsimError(
            "this router's clock is wrong, so the operator's server cannot be checked",
            code="clock",
            hint="set the clock, or let NTP do so, then try again",
        )


def reach(address: str, hosts: Mapping[str, str], *, is_lab: bool) -> WayOut:
    """Connect to an operator's server; ``EsimError`` says why it cannot be.

    ``hosts`` are names that mean another place. A server in this router's own network is one of a laboratory.
    """
    host, _, port = address.partition(":")
    target = hosts.get(host.lower())
    try:
        if target is not None:
            name, _, number = target.rpartition(":")
            sock = connect(name.strip("[]"), int(number), allow_private=True, timeout_s=REACH_S)
        else:
            sock = connect(host, int(port or HTTPS), allow_private=is_lab, timeout_s=REACH_S)
    except RemsimError as error:
        raise EsimError(
            f"the operator's server cannot be reached: {error.message}",
            code="smdp_unreachable",
            hint=error.hint or "check the router's connection to the internet; a download needs one",
        ) from error
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
