"""``remsim token …``: API tokens from the shell, made by the running service."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from remsim.client import ServiceClient
from remsim.core.errors import InvalidInput
from remsim.modem_print import print_json

NEVER = "never"
UNIT_DAYS = {"d": 1, "w": 7, "mo": 30, "y": 365}


def add_verbs(verbs: Any) -> None:
    """Add ``token`` and what is below it to the command's verbs."""
    token = verbs.add_parser("token", help="make, list and revoke API tokens")
    below = token.add_subparsers(required=True, metavar="VERB")

    create = below.add_parser(
        "create", help="make a token and print its secret, once", epilog='remsim token create "Hall TV" --scope wall'
    )
    create.add_argument("name", metavar="NAME", help="who or what will use it")
    create.add_argument(
        "--scope",
        action="append",
        required=True,
        dest="scopes",
        metavar="SCOPE",
        help="what it may: read, write, metrics, wall, at-console or identifiers; again for more",
    )
    create.add_argument(
        "--expires", type=days_of, default=90, metavar="90d|never", help="when it ends (default 90d); d, w, mo, y"
    )

    below.add_parser("list", help="list tokens, without their secrets")
    revoke = below.add_parser("revoke", help="end a token at once")
    revoke.add_argument("token", metavar="NAME|ID", help="as in the list")
    for one, run in (("create", run_create), ("list", run_list), ("revoke", run_revoke)):
        verb = below.choices[one]
        verb.add_argument("--json", action="store_true", help="print JSON only")
        verb.add_argument("--state", type=Path, metavar="DIR", help="where the service keeps its key")
        verb.add_argument("--listen", metavar="HOST:PORT", help="where the service listens")
        verb.add_argument("--config", type=Path, metavar="DIR", help="UCI files (default /etc/config)")
        verb.set_defaults(run=run)


def days_of(text: str) -> int | None:
    """``90d``, ``2w``, ``6mo``, ``1y``, or ``never`` (None)."""
    match = re.fullmatch(r"(\d{1,5})(d|w|mo|y)", text, re.ASCII)
    if match is None and text != NEVER:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time like 90d, 2w, 6mo, 1y, or never")
    return None if match is None else int(match[1]) * UNIT_DAYS[match[2]]


def run_create(arguments: argparse.Namespace) -> int:
    """Print the secret alone on standard output, so that it can be piped; all else goes to standard error."""
    client = client_of(arguments)
    made = client.post(
        "tokens", {"name": arguments.name, "scopes": arguments.scopes, "expires_days": arguments.expires}
    )
    if arguments.json:
        return print_json(made)
    print(made["secret"], flush=True)
    ends = "never ends" if made["never_expires"] else f"ends {made['expires_at'] or 'when its time is over'}"
    told = [f"{made['name']} may {', '.join(made['scopes'])} and {ends}. This secret is not shown again."]
    if "wall_path" in made:
        address = link(client.address, made["wall_path"])
        told.append(f"\nOpen this on the monitor, each time it starts:\n\n  {address}\n")
    print("\n".join(told), file=sys.stderr)
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    """A line a token."""
    tokens = client_of(arguments).get("tokens")["tokens"]
    if arguments.json:
        return print_json(tokens)
    for one in tokens:
        ends = "never ends" if one["never_expires"] else f"ends {shown(one['expires_at'])}"
        state = ends if one["is_good"] else "revoked" if one["revoked_at"] else "ended"
        print(f"{one['id']}  {one['name']}  [{' '.join(one['scopes'])}]  {state}, used {shown(one['last_used_at'])}")
    if not tokens:
        print("there is no token; remsim token create NAME --scope read makes one", file=sys.stderr)
    return 0


def run_revoke(arguments: argparse.Namespace) -> int:
    """By id, or by the name when it is one token's."""
    client = client_of(arguments)
    good = [one for one in client.get("tokens")["tokens"] if one["is_good"]]
    found = [one for one in good if arguments.token in (one["id"], one["name"])]
    if not found:
        names = ", ".join(one["name"] for one in good) or "none"
        raise InvalidInput(f"there is no token {arguments.token[:40]!r}", field="NAME", hint=f"there are: {names}")
    answer = client.request("DELETE", f"tokens/{found[0]['id']}")
    if arguments.json:
        return print_json(answer)
    print(f"{answer['name']} is revoked")
    return 0


def client_of(arguments: argparse.Namespace) -> ServiceClient:
    """The service of this router."""
    return ServiceClient.of_router(arguments.state, arguments.listen, arguments.config)


def shown(at: str | None) -> str:
    """A time to the minute, in UTC."""
    return "never" if at is None else f"{at[:16].replace('T', ' ')} UTC"


def link(address: str, path: str) -> str:
    """An address on the service; ``0.0.0.0`` is where a service listens, not where a browser goes."""
    host, _, port = address.rpartition(":")
    return f"http://{'ROUTER' if host in ('0.0.0.0', '[::]') else host}:{port}{path}"
