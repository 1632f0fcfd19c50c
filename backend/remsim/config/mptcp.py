"""Section ``mptcp`` of ``/etc/config/remsim_routing``: one connection over all links, with a server of the user's."""

from __future__ import annotations

from dataclasses import dataclass


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
