"""The vendored library is the released one, with its licence."""

from __future__ import annotations

import hashlib
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "htdocs" / "vendor"


def test_every_vendored_script_has_the_checksum_written_down() -> None:
    written = dict(reversed(line.split()) for line in (VENDOR / "SHA256SUMS").read_text().splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.js")}
    assert found == written
    assert "MIT" in (VENDOR / "LICENSE.chartjs.md").read_text()
