"""Section ``mptcp`` of ``/etc/config/remsim_routing``: one connection over all links, with a server of the user's."""

from __future__ import annotations

import re
import socket

from remsim.core.errors import InvalidInput
from remsim.core.small_dataclass import dataclass

PORTS = re.compile(r"all|([0-9]{1,5})(?:-([0-9]{1,5}))?", re.ASCII)
MOST_PORTS = 64
LONGEST = 255
"""Octets of a user or password in SOCKS5."""


@dataclass(frozen=True, slots=True)
class MptcpSettings:
    """``enabled``: addresses of links are made known to the kernel's path manager, for programs that speak MPTCP.

    With a ``server`` (an IP address) TCP of the LAN to ``ports`` (``443``, ``8000-8100``, ``all``; none: nothing) is
    led through it, by SOCKS5 with ``user`` and ``password``. ``local_port`` is the proxy's on this router.
    ``fallback``: while the server does not answer, connections are made without it; else they fail.
    """

    enabled: bool = False
    server: str = ""
    port: int = 1080
    user: str = ""
    password: str = ""
    ports: tuple[str, ...] = ("80", "443")
    local_port: int = 1081
    fallback: bool = True


def check_mptcp(settings: MptcpSettings) -> None:
    """``InvalidInput`` names the option that cannot be."""
    if settings.server and not is_address(settings.server):
        hint = "A name could lead elsewhere with each link; give the address."
        raise InvalidInput(f"{settings.server[:80]!r} is no IP address", field="server", hint=hint)
    for name in ("port", "local_port"):
        if not 1 <= getattr(settings, name) <= 65535:
            raise InvalidInput("a port is from 1 to 65535", field=name)
    if len(settings.ports) > MOST_PORTS or not all(map(is_ports, settings.ports)):
        raise InvalidInput("ports are like 443, 8000-8100 or all", field="ports")
    for name in ("user", "password"):
        if len(getattr(settings, name).encode("utf-8", "replace")) > LONGEST:
            raise InvalidInput(f"SOCKS5 takes {LONGEST} octets at most", field=name)


def is_ports(text: str) -> bool:
    """Whether it is ``443``, ``8000-8100`` or ``all``."""
    match = PORTS.fullmatch(text)
    if match is None or text == "all":
        return match is not None
    first, last = int(match[1]), int(match[2] or match[1])
    return 1 <= first <= last <= 65535


def is_address(text: str) -> bool:
    """Whether it is an address of IPv4 or IPv6."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
            return True
        except (OSError, ValueError):
            continue
    return False
