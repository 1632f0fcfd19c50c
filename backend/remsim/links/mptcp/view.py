"""The object of ``GET /api/v1/links/mptcp``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remsim.config.mptcp import MptcpSettings
from remsim.links.mptcp.endpoints import is_supported, read_sysctls
from remsim.links.mptcp.subflows import Connection, read_connections

if TYPE_CHECKING:
    from remsim.links.mptcp.manager import Mptcp


def mptcp_view(mptcp: Mptcp | None) -> dict[str, Any]:
    """None: links are off, or MPTCP is not used. Asks the kernel for subflows, so not for a hot path."""
    status = None if mptcp is None else mptcp.status()
    settings = MptcpSettings() if status is None else status.settings
    sysctls = read_sysctls()
    problem = None if status is None else status.problem
    connections = read_connections() if settings.enabled else []
    return {
        "enabled": settings.enabled,
        "is_supported": is_supported(sysctls),
        "sysctls": sysctls,
        "problem": None if problem is None else {"message": problem.message, "hint": problem.hint},
        "endpoints": [
            {"link": one.index, "address": one.address, "device": one.device, "is_backup": one.is_backup}
            for one in (status.endpoints if status else ())
        ],
        "proxy": {
            "state": "running" if status is not None and status.is_proxy_running else "off",
            "server": settings.server or None,
            "ports": list(settings.ports) if settings.server else [],
            "is_redirecting": status is not None and status.is_redirecting,
            "counts": {} if status is None else status.counts,
        },
        "connections": None if connections is None else [connection_view(one) for one in connections],
    }


def connection_view(connection: Connection) -> dict[str, Any]:
    """A connection with its subflows."""
    return {
        "token": connection.token,
        "subflows": [
            {
                "local": one.local,
                "device": one.device,
                "remote": one.remote,
                "state": one.state,
                "rtt_ms": one.rtt_ms,
                "sent_bytes": one.sent_bytes,
                "received_bytes": one.received_bytes,
            }
            for one in connection.subflows
        ],
    }
