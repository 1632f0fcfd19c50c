"""The shell scripts that run on a router, under stubs of OpenWrt's functions."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from pathlib import Path

import pytest

FILES = Path(__file__).resolve().parents[2] / "openwrt-feed" / "remsim" / "files"

PROCD = r"""
say() { printf '%s' "$1"; shift; for one; do printf '\t%s' "$one"; done; printf '\n'; }
procd_open_instance() { say open "$@"; }
procd_set_param() { say param "$@"; }
procd_close_instance() { say close "$@"; }
procd_add_jail() { say jail "$@"; }
procd_add_reload_trigger() { say trigger "$@"; }
start() { say start; }
"""


def run_init(script: str, *calls: str) -> list[list[str]]:
    """The calls an init script makes, each as a list of words."""
    program = f"{PROCD}\n{script}\n" + "\n".join(calls)
    done = subprocess.run(["dash", "-eu"], input=program, text=True, capture_output=True, check=True)
    assert done.stderr == ""
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.fixture
def init(tmp_path: Path) -> str:
    """The init script with its files below a folder of the test."""
    text = (FILES / "remsim-console.init").read_text()
    return text.replace("/var/run/", f"{tmp_path}/").replace("/sbin/ujail", f"{tmp_path}/ujail")


def params(calls: list[list[str]]) -> dict[str, list[str]]:
    return {call[1]: call[2:] for call in calls if call[0] == "param"}


def test_the_service_is_started_watched_and_logged(init: str, tmp_path: Path) -> None:
    calls = run_init(init, "start_service")
    assert [call[0] for call in calls if call[0] != "param"] == ["open", "close"]
    assert params(calls) == {
        "command": ["/usr/bin/remsim", "serve", "--config", "/etc/config"],
        "respawn": ["3600", "5", "0"],
        "stdout": ["1"],
        "stderr": ["1"],
        "term_timeout": ["15"],
        "pidfile": [f"{tmp_path}/remsim-console.pid"],
        "file": ["/etc/config/remsim_console"],
        "user": ["root"],
    }


def test_where_procd_has_jails_the_service_keeps_two_rights_only(init: str, tmp_path: Path) -> None:
    (tmp_path / "ujail").touch(0o755)
    calls = run_init(init, "start_service")
    # procd hands the rights to ujail, and starts ujail for an instance with a jail only; options would hide files.
    assert [call for call in calls if call[0] == "jail"] == [["jail", "remsim-console"]]
    told = params(calls)
    assert told["capabilities"] == ["/etc/capabilities/remsim-console.json"]
    assert told["no_new_privs"] == ["1"]
    sets = json.loads((FILES / "capabilities.json").read_text())
    assert set(sets) == {"bounding", "effective", "permitted", "inheritable", "ambient"}
    assert all(rights == ["CAP_NET_RAW", "CAP_SYS_PTRACE"] for rights in sets.values())


def test_a_changed_configuration_reloads_the_service(init: str) -> None:
    assert run_init(init, "service_triggers") == [["trigger", "remsim_console"]]


def test_backup_stops_the_service_waits_for_its_end_and_starts_it(init: str, tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as service:
        (tmp_path / "remsim-console.pid").write_text(str(service.pid))
        reaper = threading.Thread(target=service.wait)
        reaper.start()
        stop = f"stop() {{ say stop; (sleep 0.5; kill {service.pid}) & }}"
        start = f"start() {{ kill -0 {service.pid} 2>/dev/null && say too-early; say start; }}"
        try:
            calls = run_init(init, stop, start, "backup")
        finally:
            service.kill()
            reaper.join()
    assert calls == [["stop"], ["start"]]


def test_backup_of_a_stopped_service_leaves_it_stopped(init: str) -> None:
    assert run_init(init, "stop() { say stop; }", "backup") == []


def test_the_init_script_offers_backup_as_a_command(init: str) -> None:
    assert re.search(r'^EXTRA_COMMANDS="backup"$', init, re.MULTILINE)
    assert re.search(r"^USE_PROCD=1$", init, re.MULTILINE)
    assert re.search(r"^START=\d\d$", init, re.MULTILINE)


UCI = """#!/usr/bin/env python3
import json, os, sys
path = os.environ["UCI_STATE"]
state = json.load(open(path))
verb, *rest = [word for word in sys.argv[1:] if word != "-q"]
if verb == "get":
    print(state.get(rest[0], ""))
    sys.exit(0 if rest[0] in state else 1)
if verb == "set":
    name, value = rest[0].split("=", 1)
    state[name] = value
elif verb == "commit":
    state["commits"] = state.get("commits", 0) + 1
else:
    sys.exit("unknown verb " + verb)
json.dump(state, open(path, "w"))
"""


def run_defaults(tmp_path: Path, state: dict[str, object]) -> dict[str, object]:
    """What ``uci`` holds after the script ran."""
    tools = tmp_path / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "uci").write_text(UCI)
    (tools / "uci").chmod(0o755)
    kept = tmp_path / "state.json"
    kept.write_text(json.dumps(state))
    script = (FILES / "remsim-console.defaults").read_text().replace("/etc/remsim", f"{tmp_path}/etc-remsim")
    environment = {"PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin", "UCI_STATE": str(kept)}
    subprocess.run(["dash", "-eu"], input=script, text=True, env=environment, check=True)
    after: dict[str, object] = json.loads(kept.read_text())
    after.pop("commits")
    return after


def test_uci_defaults_make_the_sections_and_a_private_folder(tmp_path: Path) -> None:
    after = run_defaults(tmp_path, {})
    assert after == {f"remsim_console.{name}": name for name in ("service", "history", "web", "quality")}
    assert (tmp_path / "etc-remsim").stat().st_mode & 0o777 == 0o700


def test_uci_defaults_twice_change_nothing_and_keep_what_the_user_set(tmp_path: Path) -> None:
    mine: dict[str, object] = {"remsim_console.web": "web", "remsim_console.web.listen": "0.0.0.0:8090"}
    once = run_defaults(tmp_path, mine)
    assert once["remsim_console.web.listen"] == "0.0.0.0:8090"
    assert run_defaults(tmp_path, once) == once


@pytest.mark.parametrize(
    ("chosen", "own", "period"),
    [
        ("30", None, "30"),
        ("60", None, None),
        ("600", None, None),
        ("5; reboot", None, None),
        ("$(reboot)", None, None),
        ("30", "2", "2"),
    ],
)
def test_uci_defaults_take_over_what_was_chosen_for_the_client_and_leave_its_file_alone(
    tmp_path: Path, chosen: str, own: str | None, period: str | None
) -> None:
    before: dict[str, object] = {"remsim.monitoring.signal_interval": chosen}
    if own is not None:
        before |= {"remsim_console.service": "service", "remsim_console.service.period_s": own}
    after = run_defaults(tmp_path, before)
    assert after.get("remsim_console.service.period_s") == period
    assert {name: value for name, value in after.items() if name.startswith("remsim.")} == {
        "remsim.monitoring.signal_interval": chosen
    }


def test_uci_defaults_take_it_over_once_only(tmp_path: Path) -> None:
    once = run_defaults(tmp_path, {"remsim.monitoring.signal_interval": "30"})
    del once["remsim_console.service.period_s"]
    assert run_defaults(tmp_path, once) == once


def test_an_upgrade_backs_up_before_it_lists_what_to_keep() -> None:
    script = (FILES / "upgrade.sh").read_text().replace("/etc/init.d/remsim-console", "say")
    hooks = ("say hooks $sysupgrade_init_conffiles", "remsim_console_backup")
    calls = run_init(f"sysupgrade_init_conffiles=others\n{script}", *hooks)
    assert calls == [["hooks", "remsim_console_backup", "others"], ["backup"]]


def test_the_state_survives_an_upgrade() -> None:
    assert (FILES / "keep").read_text() == "/etc/remsim/\n"
