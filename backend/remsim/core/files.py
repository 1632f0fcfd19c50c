"""Files that a crash leaves whole."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any


def read_table(path: Path) -> dict[str, dict[str, Any]]:
    """A JSON object of objects, empty where there is no file; ``OSError`` or ``ValueError`` when it cannot be used."""
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise ValueError("it is no table")
    return found


def write_atomically(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace a file so that a crash or a full disk (``OSError``) leaves the old one or the new one."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.unlink(missing_ok=True)  # of a crash; whoever opened it must not see the new content
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            os.fchmod(fd, mode)
            while content:
                content = content[os.write(fd, content) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
