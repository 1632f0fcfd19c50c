"""``remsim modem …``: the service's modems and their actions from the shell.

The service owns the AT ports, so every verb asks its API; the forms come from there too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from remsim.client import ServiceClient
from remsim.core.errors import InvalidInput
from remsim.job_cli import agreed, content_of, follow, quoted
from remsim.modem_print import print_json, show_actions, show_form, show_messages, show_modems, show_reply

OTHERS = ("actions", "form", "sms", "forget", "forget-presets")


def add_verbs(verbs: Any) -> None:
    """Add ``modem`` and what is below it to the command's verbs."""
    modem = verbs.add_parser(
        "modem",
        help="show modems and have something done to them",
        description="Without an action the modem is shown. FIELD=VALUE are the fields of the action's form; a value of "
        "- is read from the terminal, so that no PIN stands in the list of processes.",
        epilog="remsim modem record MODEM|PORT -o FILE writes down what a modem answers, masked, for a report. "
        "Examples: remsim modem; remsim modem modem1; remsim modem modem1 actions; remsim modem modem1 form sim-slot; "
        "remsim modem modem1 sim-slot slot=2",
    )
    modem.add_argument("modem", nargs="?", metavar="MODEM", help="its id, like modem1; all when absent")
    modem.add_argument(
        "action",
        nargs="?",
        metavar="ACTION",
        help="an action's name; or actions (which there are), form ACTION (its fields), sms (its messages), forget (a "
        "modem that is gone), forget-presets (what is applied again after its restart)",
    )
    modem.add_argument("values", nargs="*", metavar="FIELD=VALUE", help="the fields of the action's form")
    modem.add_argument("-o", "--output", type=Path, metavar="FILE", help="record: where the replies are written")
    modem.add_argument("--keep-cells", action="store_true", help="record: keep what tells where the modem is")
    modem.add_argument("--yes", action="store_true", help="ask nothing, and confirm what would be undone otherwise")
    modem.add_argument("--json", action="store_true", help="print JSON only")
    modem.add_argument("--state", type=Path, metavar="DIR", help="where the service keeps its token")
    modem.add_argument("--listen", metavar="HOST:PORT", help="where the service listens")
    modem.add_argument("--config", type=Path, metavar="DIR", help="UCI files (default /etc/config)")
    modem.set_defaults(run=run)


def place(arguments: argparse.Namespace, rest: list[str]) -> bool:
    """Give words that stand behind an option, which argparse leaves over, their places; False when they have none."""
    if arguments.run is not run or any(word.startswith("-") for word in rest):
        return False
    words = [word for word in (arguments.modem, arguments.action, *arguments.values) if word is not None] + rest
    arguments.modem, arguments.action, arguments.values = words[0], next(iter(words[1:]), None), words[2:]
    return True


def run(arguments: argparse.Namespace) -> int:
    """Show or act; 0 is success."""
    if arguments.modem == "record":
        return record(arguments)
    client = ServiceClient.of_router(arguments.state, arguments.listen, arguments.config)
    if arguments.modem is None:
        return show_modems(client.get("modems")["modems"], arguments.json)
    base = f"modems/{quoted(arguments.modem)}"
    if arguments.action is None:
        return print_json(client.get(base))
    if arguments.action in OTHERS:
        return other(client, base, arguments)
    return act(client, base, arguments)


def other(client: ServiceClient, base: str, arguments: argparse.Namespace) -> int:
    """What is asked of a modem besides its actions."""
    word, values = arguments.action, arguments.values
    if word == "form":
        if len(values) != 1:
            raise InvalidInput("name one action: remsim modem MODEM form ACTION", field="ACTION")
        known_action(client, base, values[0])
        return show_form(client.get(f"{base}/{quoted(values[0])}/form"), arguments.json)
    if values:
        raise InvalidInput(f"{word} takes nothing behind it, but {values[0][:40]!r} is", field="FIELD=VALUE")
    if word == "actions":
        return show_actions(client.get(f"{base}/actions")["actions"], arguments.json)
    if word == "sms":
        return show_messages(client.get(f"{base}/sms"), arguments.json)
    return print_json(client.request("DELETE", base if word == "forget" else f"{base}/desired"))


def known_action(client: ServiceClient, base: str, name: str) -> dict[str, Any]:
    """The action of that name; ``InvalidInput`` names those there are."""
    actions: list[dict[str, Any]] = client.get(f"{base}/actions")["actions"]
    for action in actions:
        if action["name"] == name:
            return action
    names = ", ".join(action["name"] for action in actions)
    raise InvalidInput(f"there is no action {name[:40]!r}", field="ACTION", hint=f"there are: {names}")


def record(arguments: argparse.Namespace) -> int:
    """Write a modem's replies down: through the service, or on a port that no service has open."""
    name, output = arguments.action, arguments.output
    try:
        client = ServiceClient.of_router(arguments.state, arguments.listen, arguments.config)
        modem_id = recorded_modem(client.get("modems")["modems"], name)
    except InvalidInput:
        if name is None or not name.startswith("/"):
            raise
        from remsim.modems.record_port import record_port

        rows = record_port(name, keeps_cells=arguments.keep_cells)
        return write_rows(rows, output)
    found = client.post(f"modems/{quoted(modem_id)}/record", {"keep_cells": arguments.keep_cells})["result"]
    if not found["is_whole"]:
        print("the modem is slow: not everything was asked", file=sys.stderr)
    return write_rows(found["rows"], output)


def recorded_modem(modems: list[dict[str, Any]], name: str | None) -> str:
    """The id of the modem that is meant by its id or port, or of the only one."""
    found = [modem["id"] for modem in modems if name is None or name in (modem["id"], modem["port"])]
    if len(found) != 1:
        names = ", ".join(modem["id"] for modem in modems) or "none is there"
        raise InvalidInput(f"name one modem ({names}), or an AT port", field="MODEM")
    return str(found[0])


def write_rows(rows: Iterable[dict[str, str]], output: Path | None) -> int:
    """A line a reply, to a file or to the terminal."""
    try:
        with output.open("w", encoding="utf-8") if output else contextlib.nullcontext(sys.stdout) as file:
            count = 0
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                count += 1
    except OSError as error:
        raise InvalidInput(f"{output} cannot be written: {error.strerror}", field="--output") from error
    if output:
        print(f"{count} replies in {output}; look through it before you send it", file=sys.stderr)
    return 0


def act(client: ServiceClient, base: str, arguments: argparse.Namespace) -> int:
    """Run an action, follow its job to its end."""
    action = known_action(client, base, arguments.action)
    path = f"{base}/{quoted(action['name'])}"
    body = content_of(arguments.values)
    asks = action["cuts"] and not action["missing"] and not arguments.yes and sys.stdin.isatty()
    if asks and not agreed(f"{action['cuts']} Go on?"):
        return 1
    answer = client.post(path, body)
    if "result" not in answer or "state" in answer:
        return follow(client, answer, is_agreed=arguments.yes)
    result = answer["result"]
    return show_reply(result, arguments.json) if action["name"] == "at" else print_json(result)
