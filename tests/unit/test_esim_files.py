"""Files that ``remsim esim`` reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from remsim.core.errors import InvalidInput
from remsim.esim_files import LONGEST_FILE, read_json, write_private


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"\xff", "cannot be read"),
        (b" " * (LONGEST_FILE + 1), "is too large"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_json_is_named(tmp_path: Path, content: bytes | None, told: str) -> None:
    file = tmp_path / "file.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidInput, match=told):
        read_json(file)


def test_what_is_written_is_private_and_takes_no_ones_place(tmp_path: Path) -> None:
    file = tmp_path / "backup.json"
    write_private(file, "{}")
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InvalidInput, match="exists"):
        write_private(file, "{}")
