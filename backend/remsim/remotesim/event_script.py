"""Where the event script lies: beside the package on a router, among the feed's files in a checkout."""

from __future__ import annotations

from pathlib import Path

from remsim.core.errors import ConfigError
from remsim.core.paths import shared_bases

NAME = "remote-sim-event.sh"
PLACES = ("", "openwrt-feed/remsim/files")


def event_script() -> Path:
    """The script, absolute; ``ConfigError`` when this installation has none."""
    for base in shared_bases():
        for place in PLACES:
            path = base / place / NAME
            if path.is_file():
                return path
    raise ConfigError(f"{NAME} of remsim was not found", hint="set REMSIM_SHARE")
