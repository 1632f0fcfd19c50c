"""``remsim remote-sim …``: remote SIMs from the shell."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any


def add_verbs(verbs: Any) -> None:
    """Add ``remote-sim`` and what is below it to the command's verbs."""
    remote_sim = verbs.add_parser("remote-sim", help="work with osmo-remsim: its frames, its clients")
    below = remote_sim.add_subparsers(required=True, metavar="VERB")

    decode = below.add_parser("decode", help="decode RSPRO frames, a line of hex each, from stdin to JSON lines")
    decode.set_defaults(run=run_decode)

    event = below.add_parser("event", help="what an event script of a client tells: write it down for the service")
    event.add_argument("cause", metavar="CAUSE", nargs="?", default="", help="as the client says it")
    event.set_defaults(run=run_event)

    script = below.add_parser("event-script", help="print the path of the event script, for a client's -e")
    script.set_defaults(run=run_event_script)

    relay = below.add_parser("relay", help="run the relay that counts a client's TPDUs; the service starts it itself")
    relay.add_argument("name", metavar="NAME", help="the client's section in remsim_console")
    relay.add_argument("--config", type=Path, metavar="DIR", help="UCI files (default /etc/config)")
    relay.add_argument("--data", type=Path, metavar="DIR", help="where the service keeps its data")
    relay.set_defaults(run=run_relay)

    commands = below.add_parser("commands", help="print which clients are to run and how; the init script reads it")
    commands.add_argument("name", metavar="NAME", nargs="?", help="that client only, also when it was stopped")
    add_folders(commands)
    commands.set_defaults(run=run_commands)

    test = below.add_parser("test", help="try the way to the servers of remote SIMs, step by step")
    test.add_argument("name", metavar="NAME", nargs="?", help="a client or a server (default: all)")
    add_folders(test)
    test.set_defaults(run=run_test)

    take_over = below.add_parser("import", help="make the client of /etc/config/remsim one of this router's")
    take_over.add_argument("--name", help="its name here")
    take_over.add_argument("--modem", metavar="PLACE", help="the place of its modem, like 1-1.2")
    take_over.add_argument("--keep-service", action="store_true", help="leave the service of the client's package on")
    add_folders(take_over)
    take_over.add_argument("--listen", metavar="HOST:PORT", help="where the service listens")
    take_over.set_defaults(run=run_import)


def add_folders(verb: argparse.ArgumentParser) -> None:
    """Where settings, state and data are."""
    verb.add_argument("--config", type=Path, metavar="DIR", help="UCI files (default /etc/config)")
    verb.add_argument("--state", type=Path, metavar="DIR", help="where the service keeps its state")
    verb.add_argument("--data", type=Path, metavar="DIR", help="where the service keeps its data")


def run_event(arguments: argparse.Namespace) -> int:
    """Write the event into the spool. The client must not suffer from what goes wrong here, so the status is 0."""
    from remsim.remotesim.spool import DEFAULT_STATE, write

    environ = dict(os.environ)
    try:
        write(arguments.cause or environ.get("REMSIM_CAUSE", ""), environ, DEFAULT_STATE)
    except (OSError, ValueError) as error:
        print(f"remsim: the event is lost: {error}", file=sys.stderr)
    return 0


def run_event_script(arguments: argparse.Namespace) -> int:
    """Print the path; it has no blanks in it on a router, as a client needs."""
    from remsim.remotesim.event_script import event_script

    print(event_script())
    return 0


def run_decode(arguments: argparse.Namespace) -> int:
    """Decode every line of stdin; no line stops it."""
    from remsim.core.lines import answer_lines
    from remsim.remotesim.rspro import decode_line

    return answer_lines(decode_line)


def run_relay(arguments: argparse.Namespace) -> int:
    """Become the relay of a client. It is another program, because this one is too large to stay."""
    from remsim.config.settings import load_settings
    from remsim.core.errors import Conflict, NotFound
    from remsim.remotesim.relay_place import RELAYS, has_relay, relay_command
    from remsim.serve import DEFAULT_CONFIG_DIR

    settings = load_settings(arguments.config or DEFAULT_CONFIG_DIR)
    client = next((one for one in settings.remote_clients if one.name == arguments.name), None)
    if client is None:
        raise NotFound(f"there is no remote_client {arguments.name[:40]!r}", field="NAME")
    if not has_relay(client):
        raise Conflict(f"{client.name} goes without a relay", hint="set its option relay; the openwrt client has none")
    data_dir = arguments.data or Path(settings.service.data_dir)
    command = relay_command(client, data_dir / RELAYS)
    os.execv(command[0], command)


def run_commands(arguments: argparse.Namespace) -> int:
    """What procd is to run, on standard output; what cannot run and why, on standard error."""
    from remsim.remotesim.procd import lines_of
    from remsim.remotesim.supervisor import start_again, wanted_instances

    settings, ground = ground_of(arguments)
    if arguments.name in [one.name for one in settings.remote_clients]:
        start_again(ground.data_dir, arguments.name)
    wanted, refused = wanted_instances(settings, ground)
    chosen = [one for one in wanted if arguments.name in (None, one.client)]
    for line in lines_of(chosen):
        print(line)
    for name, refusal in refused.items():
        if arguments.name in (None, name):
            print(f"client {name} is not started: {refusal.field}: {refusal.message}", file=sys.stderr)
    return 0


def run_test(arguments: argparse.Namespace) -> int:
    """A line a step; 1 when one failed."""
    from remsim.core.errors import NotFound
    from remsim.remotesim.client_file import client_of_file
    from remsim.remotesim.connection_test import try_client, try_server
    from remsim.remotesim.supervisor import wanted_instances

    settings, ground = ground_of(arguments)
    refused = wanted_instances(settings, ground)[1]
    wanted = arguments.name
    clients = [one for one in settings.remote_clients if wanted in (None, one.name)]
    servers = [one for one in settings.remsim_servers if wanted in (None, one.name)]
    if wanted is None and not clients:
        theirs = client_of_file(arguments.config or Path("/etc/config"))
        clients = [] if theirs is None else [theirs]
    if not clients and not servers:
        raise NotFound("there is no such client or server" if wanted else "no client or server is set up", field="NAME")
    failed = False
    tried = [(f"client {one.name}", try_client(one, settings.remsim_servers, refused.get(one.name))) for one in clients]
    for who, checks in [*tried, *((f"server {one.name}", try_server(one)) for one in servers)]:
        print(who)
        for check in checks:
            mark = {True: "ok", False: "FAILED", None: "-"}[check.ok]
            hint = f" ({check.hint})" if check.hint else ""
            print(f"  {mark:7}{check.message}{hint}")
            failed = failed or check.ok is False
    return int(failed)


def run_import(arguments: argparse.Namespace) -> int:
    """By the running service, which puts it in force at once."""
    from remsim.client import ServiceClient

    client = ServiceClient.of_router(arguments.state, arguments.listen, arguments.config)
    given = {"name": arguments.name, "modem": arguments.modem}
    body = {key: value for key, value in given.items() if value} | {"end_service": not arguments.keep_service}
    made = client.post("remote-sim/client-file/import", body)
    ended = "; the service of its package was ended" if made["service_ended"] else ""
    print(f"it is client {made['name']} now{ended}")
    return 0


def ground_of(arguments: argparse.Namespace) -> Any:
    """The settings, and what starts depend on."""
    from remsim.config.settings import usable_settings
    from remsim.remotesim import supervisor
    from remsim.serve import DEFAULT_CONFIG_DIR

    config_dir = arguments.config or DEFAULT_CONFIG_DIR
    settings, problems = usable_settings(config_dir)
    for problem in problems:
        print(f"remsim: {problem.message}", file=sys.stderr)
    return settings, supervisor.ground_of(
        settings,
        state_dir=arguments.state or Path(settings.service.state_dir),
        data_dir=arguments.data or Path(settings.service.data_dir),
        config_dir=config_dir,
        programs=None,
    )
