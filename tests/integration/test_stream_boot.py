"""A service that is told to end while it begins, and one that cannot begin."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running import free_port


@pytest.mark.parametrize("wait_s", [0.3, 0.6, 0.9, 1.2])
def test_sigterm_during_the_start_ends_it_without_a_traceback(tmp_path: Path, wait_s: float) -> None:
    command = [sys.executable, "-m", "remsim", "serve", "--data", str(tmp_path), "--listen", f"127.0.0.1:{free_port()}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep(wait_s)
    process.terminate()
    output, _ = process.communicate(timeout=15)
    assert process.returncode in (0, 1, -signal.SIGTERM), output
    assert "Traceback" not in output


def test_a_state_directory_without_permission_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    command = [sys.executable, "-m", "remsim", "serve", "--data", str(tmp_path / "data")]
    if os.geteuid() == 0:  # root without the right to write everywhere
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1 and str(tmp_path / "data") in ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr


def test_a_state_directory_that_is_a_file_is_one_line_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    command = [sys.executable, "-m", "remsim", "serve", "--data", str(tmp_path / "file"), "--listen", "127.0.0.1:1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1 and str(tmp_path / "file") in ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr
