"""How far a modem is on its way to a connection: the state machine as an admin reads it.

absent → found → identified → sim_ready → registered → connected, and beside them what holds a modem up. ``state`` says
more exactly what is so (a SIM that wants its PIN, a network that refuses it); the stage says how far it got.
"""

from __future__ import annotations

import fcntl
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SIOCGIFADDR = 0x8915
LINK_LOCAL = "fe80"

STAGES = {
    "absent": "not on the bus",
    "found": "on the bus, not yet asked who it is",
    "identified": "it said who it is",
    "sim_ready": "its SIM can be used",
    "registered": "a network has taken it",
    "connected": "it has an address",
    "boot": "in a boot or download mode",
    "low_power": "its radio is off",
    "rebooting": "away for a moment",
    "unresponsive": "it does not answer",
    "failed": "it has not answered for long",
}
"""Every stage and what it means."""

OF_STATE = {
    "gone": "absent",
    "boot": "boot",
    "rebooting": "rebooting",
    "not_answering": "unresponsive",
    "failed": "failed",
    "low_power": "low_power",
    "port_busy": "found",
    "no_sim": "identified",
    "sim_pin": "identified",
    "sim_puk": "identified",
    "sim_error": "identified",
    "searching": "sim_ready",
    "denied": "sim_ready",
    "limited": "sim_ready",
    "online": "registered",
}
"""The stage a state stands for; where it is not here, what is known of the modem decides."""


def stage_of(state: str, *, is_identified: bool, is_connected: bool | None) -> str:
    """The stage of a modem that is in a state."""
    stage = OF_STATE.get(state) or ("identified" if is_identified else "found")
    return "connected" if stage == "registered" and is_connected else stage


def is_connected(interface: str | None, values: Mapping[str, Any]) -> bool | None:
    """Whether its link has an address: by the kernel where it has the interface, else by the modem's own word."""
    if interface and Path("/sys/class/net", interface).exists():
        return has_address(interface)
    addresses = values.get("addresses")
    if not isinstance(addresses, Mapping):
        return None
    return any(one.get("ipv4") or one.get("ipv6") for one in addresses.values())


def has_address(interface: str) -> bool:
    """Whether the kernel has an IPv4 address, or an IPv6 one beyond the link, on an interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            fcntl.ioctl(sock, SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
            return True
        except OSError:
            pass
    try:
        lines = Path("/proc/net/if_inet6").read_text().splitlines()
    except OSError:
        return False
    rows = [line.split() for line in lines]
    return any(row[-1] == interface and not row[0].startswith(LINK_LOCAL) for row in rows if row)
