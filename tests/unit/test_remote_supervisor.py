"""Clients kept running: as own children, and as instances of procd."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from remsim.config.remote_sim import RemoteClientSettings
from remsim.config.settings import Settings
from remsim.core.clock import SystemClock
from remsim.core.errors import Conflict, NotFound
from remsim.core.events import Event
from remsim.remotesim import children as children_module
from remsim.remotesim import supervisor as supervisor_module
from remsim.remotesim.children import Children
from remsim.remotesim.procd import Procd, ProcdError, arguments_of
from remsim.remotesim.processes import Seen, readable
from remsim.remotesim.programs import PROGRAMS, Instance
from remsim.remotesim.supervisor import Supervisor
from virtual_remsim import wait_until

PROGRAM = """#!/bin/sh
echo "$0 $*" >&2
[ ! -e "{folder}/end" ] || exit "$(cat "{folder}/end")"
exec sleep 60
"""


def client(name: str, client_id: int, **more: object) -> RemoteClientSettings:
    return RemoteClientSettings(name, client_id, program="shell", **more)  # type: ignore[arg-type]


TWO = Settings(remote_clients=(client("wan1", 5), client("wan2", 6)))


class Clients:
    """A supervisor of programs that do nothing, and what it journalled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[Event] = []
        for name in PROGRAMS.values():
            program = folder / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(PROGRAM.format(folder=folder))
            program.chmod(0o755)
        self.supervisor = Supervisor(
            settings=TWO,
            state_dir=folder,
            data_dir=folder,
            config_dir=None,
            programs=folder / "bin",
            clock=SystemClock(),
            emit=self.events.append,
        )

    def pid(self, name: str = "wan1") -> int | None:
        found: int | None = self.supervisor.processes()[name]["pid"]
        return found

    def running(self) -> list[str]:
        return [name for name, one in self.supervisor.processes().items() if one["running"]]

    def said(self) -> list[str]:
        return [event.message for event in self.events]


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[Clients]:
    made = Clients(tmp_path)
    made.supervisor.start()
    wait_until(lambda: made.running() == ["wan1", "wan2"])
    yield made
    made.supervisor.stop()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children_module, "FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(supervisor_module, "LOOK_S", 0.1)
    monkeypatch.setattr(supervisor_module, "QUIET_S", 0.3)


def test_each_client_runs_and_one_is_stopped_and_started_without_the_other(clients: Clients) -> None:
    other = clients.pid("wan2")
    clients.supervisor.stop_client("wan1")
    wait_until(lambda: clients.running() == ["wan2"])
    shown = clients.supervisor.processes()["wan1"]
    assert (shown["can"], shown["stopped"], shown["problem"]) == (["start"], True, "somebody has stopped it")
    with pytest.raises(Conflict, match="stopped already"):
        clients.supervisor.stop_client("wan1")
    clients.supervisor.configure(TWO)  # a stopped one stays so
    assert clients.running() == ["wan2"]
    clients.supervisor.start_client("wan1")
    wait_until(lambda: clients.running() == ["wan1", "wan2"])
    with pytest.raises(Conflict, match="runs already"):
        clients.supervisor.start_client("wan1")
    assert clients.pid("wan2") == other
    told = ["client wan1 runs", "client wan2 runs", "client wan1 was ended", "client wan1 runs"]
    wait_until(lambda: clients.said() == told)
    with pytest.raises(NotFound):
        clients.supervisor.stop_client("wan9")


def test_a_killed_client_is_back_by_itself_and_told_once(soon: None, clients: Clients) -> None:
    first = clients.pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: clients.pid() not in (None, first))
    assert clients.supervisor.processes()["wan1"]["restarts"] == 1
    wait_until(lambda: "client wan1 runs again" in clients.said())
    assert clients.said()[2:] == ["client wan1 was ended by signal 9; it is started again", "client wan1 runs again"]
    assert {event.kind for event in clients.events} == {"remsim_client"}


def test_one_that_ends_at_once_is_tried_ever_more_seldom_and_journalled_once(soon: None, clients: Clients) -> None:
    (clients.folder / "end").write_text("1")
    clients.supervisor.restart_client("wan1")
    wait_until(lambda: clients.supervisor.processes()["wan1"]["restarts"] >= 4)
    assert "it ended with status 1, and is started again" in str(clients.supervisor.processes()["wan1"]["problem"])
    assert clients.said().count("client wan1 ended with status 1; it is started again") == 1
    (clients.folder / "end").unlink()
    wait_until(lambda: "client wan1 runs again" in clients.said())


def test_a_restart_is_of_that_client_only(clients: Clients) -> None:
    first, other = clients.pid(), clients.pid("wan2")
    clients.supervisor.restart_client("wan1")
    wait_until(lambda: clients.pid() not in (None, first))
    assert clients.pid("wan2") == other
    assert clients.supervisor.processes()["wan1"]["restarts"] == 0


def test_changed_settings_touch_the_clients_they_change(clients: Clients) -> None:
    first, other = clients.pid(), clients.pid("wan2")
    clients.supervisor.configure(replace(TWO, remote_clients=(TWO.remote_clients[0], client("wan2", 7))))
    wait_until(lambda: clients.pid("wan2") not in (None, other))
    assert clients.pid() == first
    clients.supervisor.configure(replace(TWO, remote_clients=TWO.remote_clients[:1]))
    wait_until(lambda: "client wan2 was ended" in clients.said()[-1:])
    assert clients.pid() == first
    off = replace(TWO, remote_clients=(replace(TWO.remote_clients[0], enabled=False),))
    clients.supervisor.configure(off)
    wait_until(lambda: clients.running() == [])
    assert clients.supervisor.processes()["wan1"]["problem"] == "it is switched off in its settings"
    with pytest.raises(Conflict, match="switched off"):
        clients.supervisor.start_client("wan1")


def test_why_a_client_cannot_be_started_names_the_field(clients: Clients) -> None:
    clients.supervisor.configure(replace(TWO, remote_clients=(TWO.remote_clients[0], client("wan2", 5))))
    wait_until(lambda: clients.running() == ["wan1"])
    assert "C5:0, too" in clients.supervisor.processes()["wan2"]["problem"]
    with pytest.raises(Conflict, match="C5:0, too") as caught:
        clients.supervisor.start_client("wan2")
    assert caught.value.field == "client_slot"


def test_its_last_lines_are_of_one_client_with_the_time_and_bounded(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until(lambda: (clients.folder / "clients/wan2.log").exists())
    (line,) = clients.supervisor.log("wan2")
    assert "-c 6 -n 0" in line
    assert line[:2] == "20"
    with pytest.raises(NotFound):
        clients.supervisor.log("wan9")
    monkeypatch.setattr(children_module, "LARGEST_LOG", 200)
    for _ in range(5):
        before = clients.pid("wan2")
        clients.supervisor.restart_client("wan2")
        wait_until(lambda before=before: clients.pid("wan2") not in (None, before))  # type: ignore[misc]
    wait_until(lambda: (clients.folder / "clients/wan2.log.1").exists())
    assert all(path.stat().st_size < 1000 for path in (clients.folder / "clients").glob("wan2.log*"))


def test_none_is_left_when_the_service_ends(clients: Clients) -> None:
    pids = [clients.pid("wan1"), clients.pid("wan2")]
    clients.supervisor.stop()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_child_has_nothing_of_our_environment_and_dies_with_us(tmp_path: Path) -> None:
    program = f"""
import os, sys, time
from pathlib import Path
from remsim.core.clock import SystemClock
from remsim.remotesim.children import Children
from remsim.remotesim.programs import Instance
os.environ["REMSIM_IONMESH_KEY"] = "topsecret"
made = Children(Path({str(tmp_path)!r}), SystemClock())
made.follow([Instance("a", "a", ("/bin/sh", "-c", "env; exec sleep 60"))])
while True:
    made.step(0.05)
    print(made.seen()["a"].pid, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        pid = next(line for line in service.stdout if line != "None\n").strip()
        wait_until(lambda: (tmp_path / "a.log").exists() and "PATH=" in (tmp_path / "a.log").read_text())
        service.kill()
    wait_until(lambda: not Path(f"/proc/{pid}/exe").exists())
    assert "topsecret" not in (tmp_path / "a.log").read_text()


def run_children(folder: Path, *instances: Instance) -> tuple[Children, Callable[[], None]]:
    """Children and what ends them, in a thread of their own."""
    made, ending = Children(folder, SystemClock()), threading.Event()
    made.follow(instances)

    def run() -> None:
        while not ending.is_set():
            made.step(0.1)
        made.close()

    thread = threading.Thread(target=run)
    thread.start()

    def end() -> None:
        ending.set()
        made.wake()
        thread.join()

    return made, end


def test_one_that_floods_its_log_fills_no_disk_and_is_slowed_down(tmp_path: Path) -> None:
    flood = Instance("a", "a", ("/bin/sh", "-c", "while :; do echo 89012345678901234567 a line of a loop; done"))
    made, end = run_children(tmp_path, flood)
    try:
        wait_until(lambda: (tmp_path / "a.log").exists())
        begun, before = time.monotonic(), time.process_time()
        time.sleep(1.2)
        assert time.process_time() - before < 0.5 * (time.monotonic() - begun)
        assert sum(path.stat().st_size for path in tmp_path.glob("a.log*")) <= 3 * children_module.LARGEST_LOG
        lines = made.log(flood)
        assert len(lines) <= 300
        assert "12345678901234567" not in "".join(lines)
    finally:
        end()


def test_a_child_that_does_not_want_to_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children_module, "KILL_S", 0.2)
    stubborn = Instance("a", "a", ("/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"))
    made, end = run_children(tmp_path, stubborn)
    wait_until(lambda: (tmp_path / "a.log").exists())
    pid = made.seen()["a"].pid
    end()
    assert not Path(f"/proc/{pid}").exists()


def test_its_input_stays_open_and_a_client_waits_for_its_relay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children_module, "BEHIND_RELAY_S", 0.3)
    relay = Instance("a-relay", "a", ("/bin/sleep", "60"))
    own = Instance("a", "a", ("/bin/sh", "-c", "cat; echo input was closed"))
    made, end = run_children(tmp_path, relay, own)
    try:
        wait_until(lambda: len([one for one in made.seen().values() if one.running]) == 2)
        seen = made.seen()
        assert 0.2 < (seen["a"].since or 0) - (seen["a-relay"].since or 0) < 2
        time.sleep(0.2)
        assert made.seen()["a"].running
    finally:
        end()


def test_a_log_is_shown_without_what_changes_a_page() -> None:
    assert readable("a\x1b[31mb\n" + "x" * 1000) == ["a\N{REPLACEMENT CHARACTER}[31mb", "x" * 400]


# procd

UBUS = """#!/bin/sh
[ "$*" = 'call service list {{"name": "remsim-clients"}}' ] || exit 2
cat "{folder}/instances"
"""
INIT = """#!/bin/sh
echo "$*" >>"{folder}/asked"
[ ! -e "{folder}/broken" ] || {{ echo "no such file" >&2; exit 1; }}
"""
LOGREAD = """#!/bin/sh
echo "$*" >>"{folder}/asked"
echo "Mon Jan  1 00:00:00 2026 daemon.err osmo-remsim-client-st2-5.0[7]: DRSPRO INFO up"
"""
OWN = Instance("wan1", "wan1", ("/usr/bin/osmo-remsim-client-st2", "-c", "5", "-n", "0"))


class Router:
    """procd's answers, and what its tools were asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in (("ubus", UBUS), ("init", INIT), ("logread", LOGREAD)):
            (folder / name).write_text(text.format(folder=folder))
            (folder / name).chmod(0o755)
        self.runs([])
        self.procd = Procd(SystemClock(), init=folder / "init", tools=folder)

    def runs(self, instances: Sequence[Instance], **more: object) -> None:
        state = {"running": True, "pid": os.getpid(), **more}
        found = {one.name: state | {"command": arguments_of(one)} for one in instances}
        (self.folder / "instances").write_text(json.dumps({"remsim-clients": {"instances": found}}))

    def asked(self) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "asked").read_text().splitlines()
        return []


@pytest.fixture
def router(tmp_path: Path) -> Router:
    return Router(tmp_path)


def test_procd_is_told_what_is_new_and_left_alone_otherwise(router: Router) -> None:
    router.procd.follow([OWN])
    router.runs([OWN])
    router.procd.step(0)
    assert router.asked() == [], "it runs what it should"
    router.procd.follow([])
    router.procd.step(0)
    router.procd.step(0)
    assert router.asked() == ["reload"]
    router.procd.restart("wan1")
    assert router.asked() == ["reload", "restart wan1"]


def test_procd_s_processes_are_seen_with_how_they_ended(router: Router) -> None:
    router.runs([OWN])
    router.procd.step(0)
    seen = router.procd.seen()["wan1"]
    assert (seen.running, seen.pid, seen.restarts) == (True, os.getpid(), 0)
    assert seen.since is not None and seen.since <= time.time()
    router.runs([OWN], running=False, exit_code=1)
    router.procd.step(0)
    assert router.procd.seen()["wan1"] == Seen(False, ended="ended with status 1")
    router.runs([OWN])
    router.procd.step(0)
    assert (router.procd.seen()["wan1"].restarts, router.procd.seen()["wan1"].running) == (1, True)


def test_a_client_s_lines_in_the_system_s_log(router: Router) -> None:
    (line,) = router.procd.log(OWN)
    assert line.endswith(" daemon.err osmo-remsim-client-st2-5.0[7]: DRSPRO INFO up")
    assert router.asked() == [r"-e  osmo\-remsim\-client\-st2\-5\.0\["]


@pytest.mark.parametrize("answer", ["", "{", "[]", '{"remsim-clients": []}', '{"remsim-clients": {"instances": 7}}'])
def test_nonsense_of_procd_changes_nothing(router: Router, answer: str) -> None:
    router.runs([OWN])
    router.procd.step(0)
    (router.folder / "instances").write_text(answer)
    router.procd.step(0)
    assert router.procd.seen()["wan1"].running


def test_an_init_script_that_fails_is_told_and_not_called_all_the_time(router: Router) -> None:
    (router.folder / "broken").touch()
    with pytest.raises(ProcdError, match="init restart failed: no such file"):
        router.procd.restart("wan1")
    router.procd.follow([OWN])
    for _ in range(3):
        router.procd.step(0)
    assert router.asked() == ["restart wan1", "reload"]
