"""Where the data plane notes what it has changed of the machine: while it is there, links are or were in force."""

from __future__ import annotations

import os
from pathlib import Path

RUN_DIR = Path("/var/run/remsim")


def note_path(run_dir: Path = RUN_DIR) -> Path:
    """The note of this network namespace; gone after a reboot, as all that it tells of."""
    return run_dir / f"links-{os.stat('/proc/thread-self/ns/net').st_ino}.json"
