"""The kernel's table of connections: who finds no room in it gets no connection, and no probe is answered either."""

from __future__ import annotations

from pathlib import Path

FULL_PERCENT, EASED_PERCENT = 90, 80
"""From which share on an admin is told, and below which no longer."""
ENTRY_OCTETS = 320


def crowding(root: Path = Path("/"), *, is_told: bool = False) -> dict[str, str | None] | None:
    """What an admin should know of it, None while there is room or it cannot be told."""
    try:
        folder = root / "proc/sys/net/netfilter"
        count, most = (int((folder / f"nf_conntrack_{name}").read_text()) for name in ("count", "max"))
    except (OSError, ValueError):
        return None
    if not most or 100 * count < (EASED_PERCENT if is_told else FULL_PERCENT) * most:
        return None
    state = "is full: new connections fail" if count >= most else f"is {100 * count // most} % full"
    return {
        "code": "conntrack_full",
        "message": f"The router's table of connections {state}, with {count} of {most}.",
        "hint": "See under Live who opens so many, or have room for more: "
        f"net.netfilter.nf_conntrack_max={2 * most} in /etc/sysctl.conf "
        f"takes up to {max(1, most * ENTRY_OCTETS >> 20)} MB more.",
    }
