"""Where the relay of a client listens and how it is started; for whoever runs client and relay."""

from __future__ import annotations

import sys
from binascii import crc32
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from remsim.config.remote_sim import RemoteClientSettings

USUAL_PORT = 9988
"""In place of the remsim-server's 9998; the one after it is for the bankd's 9999. Both may be on this router too."""
USUAL_PLACE = "/var/run/remsim/relay"
FIRST_OTHER, OTHERS = 10240, 8000
"""Ports of services beside the router's own, each with a data directory of its own, as simulations and tests are."""
RELAYS = "relay"
"""Where relays count, in the data directory."""
WITHOUT_DATA_PATH = ("openwrt",)
"""Programs that carry no TPDU: there is nothing to count."""


def has_relay(client: RemoteClientSettings) -> bool:
    """Whether a client is to go through a relay."""
    return client.relay and client.program not in WITHOUT_DATA_PATH


def relay_address(client_id: int, client_slot: int) -> str:
    """An address of the loopback that only this client's relay has: both ids fill twenty bits of 127.64.0.0/12."""
    number = client_id << 10 | client_slot
    return f"127.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def relay_port(counters_dir: Path) -> int:
    """The port in place of the server's, for relays that count in a directory."""
    place = str(counters_dir.absolute())
    return USUAL_PORT if place == USUAL_PLACE else FIRST_OTHER + 2 * (crc32(place.encode()) % OTHERS)


def is_relay_address(address: str) -> bool:
    """Whether an address of a bankd, like ``127.64.20.0:9989``, is that of a relay."""
    parts = address.partition(":")[0].split(".")
    return len(parts) == 4 and parts[0] == "127" and parts[1] in [str(one) for one in range(64, 80)]


def counters_path(counters_dir: Path, name: str) -> Path:
    """The file a client's relay counts in."""
    return counters_dir / f"{name}.json"


def relay_command(client: RemoteClientSettings, counters_dir: Path) -> list[str]:
    """The command line of a client's relay; there is no secret in it."""
    host = f"[{client.server_host}]" if ":" in client.server_host else client.server_host
    return [
        sys.executable,
        *("-m", "remsim.remotesim.relay"),
        *("--listen", f"{relay_address(client.client_id, client.client_slot)}:{relay_port(counters_dir)}"),
        *("--server", f"{host}:{client.server_port}"),
        *("--counters", str(counters_path(counters_dir.absolute(), client.name))),
    ]
