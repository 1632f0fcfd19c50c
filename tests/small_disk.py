"""A disk that is soon full, or takes nothing: a small tmpfs of the test's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(directory: Path, size_kb: int) -> Iterator[Path]:
    """A tmpfs of ``size_kb`` at ``directory``; it needs root, as CI is."""
    directory.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(directory)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a tmpfs needs root")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)


def make_read_only(directory: Path, read_only: bool) -> None:
    """Let the disk take nothing, or again everything."""
    option = "remount,ro" if read_only else "remount,rw"
    subprocess.run(["mount", "-o", option, str(directory)], check=True)


def fill(directory: Path) -> Path:
    """Use up what is free; remove the file to free it again."""
    path = directory / "filler"
    with path.open("wb", buffering=0) as file:
        for block in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(b"x" * block)
            except OSError:
                continue
    return path
