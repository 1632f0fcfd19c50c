"""Programs called qmicli and mbimcli on PATH that print what a test put there, late, never, or without an end."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = """#!/bin/sh
dir='{folder}'
echo "$*" >> "$dir/calls"
for last; do :; done
action="${{last#--}}"
[ -e "$dir/$action.sh" ] && . "$dir/$action.sh"
if [ -e "$dir/$action" ]; then
    read -r first < "$dir/$action"
    case "$first" in error:*) cat "$dir/$action" >&2; exit 1;; esac
    cat "$dir/$action"
else
    echo "error: Unknown option --$action" >&2
    exit 1
fi
"""


class FakeTools:
    """``say`` sets an action's output, ``do`` shell lines that run before it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, *programs: str) -> None:
        self.root = root / "tools"
        self.bin = root / "bin"
        self.root.mkdir()
        self.bin.mkdir()
        for program in programs:
            script = self.bin / program
            script.write_text(SCRIPT.format(folder=self.root))
            script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{self.bin}:/usr/bin:/bin")

    def say(self, action: str, output: str) -> None:
        (self.root / f"{action}.new").write_text(output)
        (self.root / f"{action}.new").replace(self.root / action)

    def do(self, action: str, *lines: str) -> None:
        (self.root / f"{action}.sh").write_text("\n".join(lines) + "\n")

    def calls(self) -> list[str]:
        """The arguments of every run so far."""
        try:
            return (self.root / "calls").read_text().splitlines()
        except FileNotFoundError:
            return []


def hold(device: Path, name: str, folder: Path) -> subprocess.Popen[bytes]:
    """A process of that name with the device open."""
    program = folder / name
    if not program.exists():
        program.write_bytes(Path("/bin/sleep").read_bytes())
        program.chmod(0o755)
    with device.open("rb") as stream:
        process = subprocess.Popen([str(program), "600"], stdin=stream)
    while Path(f"/proc/{process.pid}/comm").read_text().strip() != name[:15]:
        os.sched_yield()
    return process
