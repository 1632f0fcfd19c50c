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
    from remsim.remotesim.rspro import decode_line

    # Bytes that are not UTF-8 become replacement characters: a line is answered, not fatal.
    lines = open(sys.stdin.fileno(), encoding="utf-8", errors="replace", newline="\n", closefd=False)
    for line in lines:
        if line.strip():
            sys.stdout.write(decode_line(line) + "\n")
            sys.stdout.flush()
    return 0


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
