"""A file that is replaced whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from remsim.core.files import read_table, write_atomically
from small_disk import small_disk


def test_the_new_content_has_the_mode_asked_for_and_nothing_is_left_of_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "file"
    left_over = tmp_path / ".file.new"
    left_over.write_text("half of it")
    left_over.chmod(0o666)
    write_atomically(path, b"all of it")
    assert path.read_bytes() == b"all of it"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_content(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 64) as disk:
        path = disk / "file"
        write_atomically(path, b"old", 0o644)
        with pytest.raises(OSError, match="No space left"):
            write_atomically(path, b"x" * 100_000)
        assert path.read_bytes() == b"old"
        assert list(disk.iterdir()) == [path]


def test_a_table_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_table(tmp_path / "table") == {}
    (tmp_path / "table").write_text('{"modem1": {"a": [1]}}')
    assert read_table(tmp_path / "table") == {"modem1": {"a": [1]}}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"modem1": 5}', b"null", b"\xff"])
def test_a_table_that_is_none_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "table").write_bytes(content)
    with pytest.raises(ValueError):
        read_table(tmp_path / "table")
