"""The scripts a newcomer runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running import RunningService

ROOT = Path(__file__).resolve().parents[2]
NO_NETWORK = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]


@pytest.mark.skipif(not (ROOT / ".venv" / "stamp").exists(), reason="the environment was not made by script/setup")
def test_setup_has_nothing_to_do_the_second_time_and_needs_no_network() -> None:
    if subprocess.run([*NO_NETWORK, "true"], capture_output=True).returncode != 0:
        pytest.skip("this user may not make a network namespace")
    begin = time.monotonic()
    done = subprocess.run([*NO_NETWORK, ROOT / "script" / "setup", "--dev"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - begin < 60


def test_setup_takes_no_python_that_is_too_old(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHON": str(old)}
    script = (ROOT / "script" / "setup").read_text()
    functions = script[script.index("fits()") : script.index("find_python ||")]
    program = f'{functions}\nfind_python && echo "$python"\n'
    done = subprocess.run(["sh", "-eu"], input=program, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() not in ("", str(old))


@pytest.mark.parametrize("script", ["setup"])
def test_an_unknown_option_is_told(script: str) -> None:
    done = subprocess.run([ROOT / "script" / script, "--nonsense"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"usage: script/{script} [--demo | --dev]\n"


def test_setup_without_root_and_sudo_says_what_it_could_not_do(tmp_path: Path) -> None:
    """A machine without a compiler, and nobody who may install one."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "env", "cat", "apt-get"):
        (tools / name).symlink_to(f"/usr/bin/{name}" if Path(f"/usr/bin/{name}").exists() else f"/bin/{name}")
    (tools / "python3").symlink_to(sys.executable)
    (tools / "id").write_text("#!/bin/sh\necho 1000\n")
    (tools / "id").chmod(0o755)
    done = subprocess.run([ROOT / "script" / "setup"], env={"PATH": str(tools)}, capture_output=True, text=True)
    assert done.returncode == 1
    assert "needs gcc libc6-dev: compiles the binding to RRDtool" in done.stderr
    assert "as root, and there is no sudo: apt-get" in done.stderr


def test_ctrl_c_while_the_history_is_written_ends_all_without_a_word(tmp_path: Path) -> None:
    """A terminal sends SIGINT to every process of the group."""
    service = RunningService(tmp_path, "--simulate=3", "--backfill", "90d", own_group=True).start()
    service.wait_for("jobs", lambda answer: (answer["jobs"][0]["progress"] or 0) > 0)
    assert service.process is not None
    os.killpg(service.process.pid, signal.SIGINT)
    assert service.process.wait(60) == 0
    assert "Traceback" not in service.log()
