"""The shell scripts that run on a router, under stubs of OpenWrt's functions."""

from __future__ import annotations

import json
import os
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


def test_where_procd_has_jails_the_service_keeps_few_rights_only(init: str, tmp_path: Path) -> None:
    (tmp_path / "ujail").touch(0o755)
    calls = run_init(init, "start_service")
    # procd hands the rights to ujail, and starts ujail for an instance with a jail only; options would hide files.
    assert [call for call in calls if call[0] == "jail"] == [["jail", "remsim-console"]]
    told = params(calls)
    assert told["capabilities"] == ["/etc/capabilities/remsim-console.json"]
    assert told["no_new_privs"] == ["1"]
    sets = json.loads((FILES / "capabilities.json").read_text())
    assert set(sets) == {"bounding", "effective", "permitted", "inheritable", "ambient"}
    few = {"CAP_KILL", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SYS_PTRACE"}
    assert all(set(rights) == few for rights in sets.values())


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


def test_a_stop_waits_for_a_profile_that_loads_and_for_nothing_else(init: str, tmp_path: Path) -> None:
    (tmp_path / "remsim").mkdir()
    mark = tmp_path / "remsim" / "esim-loading"
    stubs = "uci() { return 1; }\nlogger() { say told; }\nsleep() { say wait; rm -f " + str(mark) + "; }"
    assert run_init(init, stubs, "stop_service") == []
    mark.write_text(f"{os.getpid()}\n")
    assert run_init(init, stubs, "stop_service") == [["told"], ["wait"]]
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    mark.write_text(f"{ended.pid}\n")  # of a service that was killed in the middle
    assert run_init(init, stubs, "stop_service") == []
    mark.write_text(f"{os.getpid()}\n")
    endless = init.replace("LOADS_S=300", "LOADS_S=3")
    stubs = "uci() { return 1; }\nlogger() { say told; }\nsleep() { say wait; }"
    assert run_init(endless, stubs, "stop_service") == [["told"], ["wait"], ["wait"], ["wait"]]


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


COMMANDS = """instance wan1-relay
env PYTHONPATH=/usr/share/remsim/python
arg /usr/bin/python3
arg -m
arg remsim.remotesim.relay
end
instance wan1
program /usr/bin/osmo-remsim-client-st2
link {folder}/remsim-clients/osmo-remsim-client-st2-5.0
env WITH='quotes" and $(reboot)
arg {folder}/remsim-clients/osmo-remsim-client-st2-5.0
arg -e
arg REMSIM_STATE=/etc/remsim REMSIM_CLIENT_NAME=wan1 /usr/share/remsim/remote-sim-event.sh
arg $(reboot) `reboot` ; reboot
end
"""


@pytest.fixture
def clients(tmp_path: Path) -> str:
    """The clients' init script with a command that answers what the test says, and keeps what it was asked."""
    text = (FILES / "remsim-clients.init").read_text()
    program = tmp_path / "remsim"
    (tmp_path / "commands").write_text(COMMANDS.format(folder=tmp_path))
    program.write_text(
        f'#!/bin/sh\necho "$*" >"{tmp_path}/asked"\ncat "{tmp_path}/commands"\n'
        f'[ ! -e "{tmp_path}/refused" ] || cat "{tmp_path}/refused" >&2\n'
    )
    program.chmod(0o755)
    stubs = 'procd_append_param() { say append "$@"; }\nprocd_kill() { say kill "$@"; }\n'
    stubs += 'logger() { say logger "$@" "$(cat)"; }\n'
    return stubs + text.replace("/var/run/", f"{tmp_path}/").replace("/usr/bin/remsim", str(program))


def test_each_client_and_relay_is_an_instance_and_no_setting_is_read_by_a_shell(clients: str, tmp_path: Path) -> None:
    calls = run_init(clients, "start_service")
    assert [call[1] for call in calls if call[0] == "open"] == ["wan1-relay", "wan1"]
    assert [call for call in calls if call[0] == "close"] == [["close"]] * 2
    own = [["param", "respawn", "3600", "5", "0"], ["param", "stdout", "1"], ["param", "stderr", "1"]]
    assert [call for call in calls if call[0] == "param"] == [*own, ["param", "user", "root"]] * 2
    link = f"{tmp_path}/remsim-clients/osmo-remsim-client-st2-5.0"
    script = "REMSIM_STATE=/etc/remsim REMSIM_CLIENT_NAME=wan1 /usr/share/remsim/remote-sim-event.sh"
    appended = [call[1:] for call in calls if call[0] == "append"]
    assert appended[4:] == [
        ["env", "WITH='quotes\" and $(reboot)"],
        ["command", link],
        ["command", "-e"],
        ["command", script],
        ["command", "$(reboot) `reboot` ; reboot"],
    ]
    assert Path(link).readlink() == Path("/usr/bin/osmo-remsim-client-st2")
    assert (tmp_path / "asked").read_text() == "remote-sim commands --config /etc/config\n"


def test_one_client_is_started_and_stopped_without_the_others(clients: str, tmp_path: Path) -> None:
    run_init(clients, "start_service wan1")
    assert (tmp_path / "asked").read_text() == "remote-sim commands --config /etc/config wan1\n"
    assert run_init(clients, "stop_service wan1") == [["kill", "remsim-clients", "wan1-relay"]]
    assert run_init(clients, "stop_service") == []


def test_why_a_client_is_not_started_is_in_the_log(clients: str, tmp_path: Path) -> None:
    (tmp_path / "commands").write_text("")
    (tmp_path / "refused").write_text("client wan1 is not started: program: it is not installed\n")
    told = "client wan1 is not started: program: it is not installed"
    assert run_init(clients, "start_service") == [["logger", "-t", "remsim-clients", "-p", "daemon.warn", told]]


def test_clients_follow_both_files_and_start_after_the_console(clients: str) -> None:
    assert run_init(clients, "service_triggers") == [["trigger", "remsim_console", "remsim"]]
    assert re.search(r"^START=96$", clients, re.MULTILINE)
    assert re.search(r"^USE_PROCD=1$", clients, re.MULTILINE)


SUPPLIED = {
    "etc/remsim/event-script.sh": "remote-sim-event.sh",
    "etc/remsim/ionmesh-event-script.sh": "remote-sim-event.sh",
    "etc/remsim/setup-routing.sh": "setup-routing.sh",
    "usr/bin/remsim-test-connection.sh": "test-connection.sh",
}


def supply(root: Path) -> None:
    """Run the script below a folder."""
    (root / "etc/remsim").mkdir(parents=True, exist_ok=True)
    text = (FILES / "remsim-scripts.defaults").read_text()
    for folder in ("/usr/lib/opkg", "/lib/apk", "/etc/remsim", "/usr/bin/"):
        text = text.replace(folder, f"{root}{folder}")
    subprocess.run(["dash", "-eu"], input=text, text=True, check=True)


def test_missing_scripts_are_supplied_as_links_and_twice_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        supply(tmp_path)
        for place, ours in SUPPLIED.items():
            assert (tmp_path / place).readlink() == Path("/usr/share/remsim") / ours
            assert (FILES / ours).is_file()


def test_scripts_that_are_there_or_that_a_package_has_are_left_alone(tmp_path: Path) -> None:
    lists = tmp_path / "usr/lib/opkg/info"
    lists.mkdir(parents=True)
    (lists / "osmo-remsim-client.list").write_text(f"{tmp_path}/usr/bin/remsim-test-connection.sh\n")
    (tmp_path / "etc/remsim").mkdir(parents=True)
    (tmp_path / "etc/remsim/event-script.sh").write_text("mine")
    (tmp_path / "etc/remsim/setup-routing.sh").symlink_to("/nowhere")
    supply(tmp_path)
    assert (tmp_path / "etc/remsim/event-script.sh").read_text() == "mine"
    assert (tmp_path / "etc/remsim/setup-routing.sh").readlink() == Path("/nowhere")
    assert not (tmp_path / "usr/bin/remsim-test-connection.sh").is_symlink()
    assert (tmp_path / "etc/remsim/ionmesh-event-script.sh").is_symlink()


ROUTED = {
    "remsim.routing.force_iot_routing": "1", "remsim.routing.iot_interface": "lo", "remsim.server.host": "10.0.0.5",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "gateway", "said"),
    [
        ({}, "default via 192.0.2.1 dev lo", "route replace 10.0.0.5/32 via 192.0.2.1 dev lo"),
        ({}, "", "route replace 10.0.0.5/32 dev lo"),
        ({"remsim.routing.force_iot_routing": "0"}, "", "routing.force_iot_routing is not 1"),
        ({"remsim.routing.iot_interface": "no$(reboot)"}, "", "there is no network device no$(reboot)"),
        ({"remsim.server.host": "remsim.example.com"}, "", "a route needs an IPv4 address"),
        ({"remsim.server.host": ""}, "", "a route needs an IPv4 address"),
    ],
)
def test_the_server_is_routed_through_the_other_modem(
    tmp_path: Path, changed: dict[str, str], gateway: str, said: str
) -> None:
    state = tmp_path / "state.json"
    state.write_text(json.dumps(ROUTED | changed))
    (tmp_path / "uci").write_text(UCI)
    (tmp_path / "ip").write_text(f'#!/bin/sh\n[ "$3" = show ] && echo "{gateway}" || echo "$*" >>"{tmp_path}/routes"\n')
    for tool in ("uci", "ip"):
        (tmp_path / tool).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/local/bin:/usr/bin:/bin", "UCI_STATE": str(state)}
    done = subprocess.run(["dash", FILES / "setup-routing.sh"], capture_output=True, text=True, env=environment)
    if done.returncode == 0:
        assert (tmp_path / "routes").read_text() == f"-4 {said}\n"
    else:
        assert said in done.stderr
        assert not (tmp_path / "routes").exists()
