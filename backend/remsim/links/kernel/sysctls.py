"""Kernel settings that links need, put back as they were on stop, also after a run that died."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path

ROOT = Path("/proc/sys/net")
ACCOUNTING = "netfilter/nf_conntrack_acct"
ALWAYS = {
    ACCOUNTING: "1",
    "ipv4/conf/all/src_valid_mark": "1",
    "ipv4/fwmark_reflect": "1",
    "ipv6/fwmark_reflect": "1",
}
"""``fwmark_reflect``: what the kernel itself answers to a packet of no flow, a reset mostly, has the packet's mark, and
so leaves by the link that this came by. No rule could tell which, where two links have one address."""
STRICT = "1"
LOOSE = "2"
"""Of rp_filter. Strict drops the replies on every link that is not main's default route."""


class Sysctls:
    """Changes settings and remembers what they were, in a file too: while it is there, links are in force."""

    def __init__(self, path: Path, *, root: Path = ROOT) -> None:
        self._path = path
        self._root = root
        self._before: dict[str, str] = {}

    def start(self) -> None:
        """Change what does not depend on devices; what a run that died has noted is what was before."""
        self.recall()
        for name, value in ALWAYS.items():
            self._change(name, value)
        self._note()

    def recall(self) -> bool:
        """Take up what a run has noted that did not end well; False when there is no such note."""
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(self._path.read_text())
            if isinstance(found, dict):
                self._before = {str(name): str(value) for name, value in found.items()}
                return True
        return False

    def devices(self, names: Iterable[str]) -> None:
        """Have no strict rp_filter on these devices. The kernel takes the stricter of ``all`` and the device's."""
        for name in ("all", *names):
            place = f"ipv4/conf/{name}/rp_filter"
            if self._read(place) == STRICT or (name != "all" and self._read("ipv4/conf/all/rp_filter") == STRICT):
                self._change(place, LOOSE)
        self._note()

    def stop(self) -> None:
        """Put everything back."""
        for name, value in self._before.items():
            self._write(name, value)
        self._before = {}
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def is_on(self, name: str) -> bool:
        """Whether a setting is there and not 0."""
        return self._read(name) not in (None, "0")

    def _change(self, name: str, value: str) -> None:
        before = self._read(name)
        if before is None or before == value:
            return
        if self._write(name, value):
            self._before.setdefault(name, before)

    def _read(self, name: str) -> str | None:
        with contextlib.suppress(OSError):
            return (self._root / name).read_text().strip()
        return None

    def _write(self, name: str, value: str) -> bool:
        with contextlib.suppress(OSError):
            (self._root / name).write_text(value)
            return True
        return False

    def _note(self) -> None:
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(self._before))
