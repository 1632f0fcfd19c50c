"""Where the files that are not code lie: browser code, store definitions, traces."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from remsim.core.errors import ConfigError


def shared_bases() -> list[Path]:
    """Where to look, the first first."""
    return [
        *([Path(os.environ["REMSIM_SHARE"])] if "REMSIM_SHARE" in os.environ else []),
        Path(__file__).resolve().parents[3],
        Path(sys.prefix) / "share" / "remsim",
        Path("/usr/share/remsim"),
    ]


def shared_dir(name: str) -> Path:
    """The folder ``name`` (``htdocs``, ``rrd``) in a checkout, an installation or on a router.

    ``REMSIM_SHARE`` overrides where to look.
    """
    bases = shared_bases()
    for base in bases:
        if (base / name).is_dir():
            return base / name
    looked = ", ".join(str(base) for base in bases)
    raise ConfigError(f"the folder {name} of remsim was not found in {looked}", hint="set REMSIM_SHARE")
