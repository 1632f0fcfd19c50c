"""``remsim modem …``: the service's modems and their actions from the shell.

The service owns the AT ports, so every verb asks its API; the forms come from there too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from remsim.client import ServiceClient
from remsim.core.errors import InvalidInput, RemsimError

LOOK_S = 0.5


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
    modem.add_argument("action", nargs="?", metavar="ACTION", help="actions, form, forget, or an action's name")
    modem.add_argument("values", nargs="*", metavar="FIELD=VALUE", help="the fields of the action's form")
    modem.add_argument("-o", "--output", type=Path, metavar="FILE", help="record: where the replies are written")
    modem.add_argument("--keep-cells", action="store_true", help="record: keep what tells where the modem is")
    modem.add_argument("--yes", action="store_true", help="ask nothing, and confirm what would be undone otherwise")
    modem.add_argument("--json", action="store_true", help="print JSON only")
    modem.add_argument("--state", type=Path, metavar="DIR", help="where the service keeps its token")
    modem.add_argument("--listen", metavar="HOST:PORT", help="where the service listens")
    modem.add_argument("--config", type=Path, metavar="DIR", help="UCI files (default /etc/config)")
    modem.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show or act; 0 is success."""
    if arguments.modem == "record":
        return record(arguments)
    client = ServiceClient.of_router(arguments.state, arguments.listen, arguments.config)
    if arguments.modem is None:
        return show_all(client, arguments.json)
    base = f"modems/{quoted(arguments.modem)}"
    if arguments.action is None:
        return print_json(client.get(base))
    if arguments.action == "actions":
        return show_actions(client.get(f"{base}/actions")["actions"], arguments.json)
    if arguments.action == "form":
        if len(arguments.values) != 1:
            raise InvalidInput("name one action: remsim modem MODEM form ACTION", field="ACTION")
        return show_form(client.get(f"{base}/{quoted(arguments.values[0])}/form"), arguments.json)
    if arguments.action == "forget":
        return print_json(client.request("DELETE", base))
    return act(client, base, arguments)


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


def quoted(name: str) -> str:
    """A name as a part of an address."""
    from urllib.parse import quote

    return quote(name, safe="")


def show_all(client: ServiceClient, as_json: bool) -> int:
    """A line a modem."""
    modems = client.get("modems")["modems"]
    if as_json:
        return print_json(modems)
    for modem in modems:
        name = f"{modem['vendor']} {modem['model']}"
        operation = f"; {modem['operation']}" if modem.get("operation") else ""
        print(f"{modem['id']:8}  {modem['usb_path']:14}  {name:28}  {modem['state']}{operation}")
        if modem["problem"]:
            print(f"          {modem['problem']}")
    if not modems:
        print("no modem; `remsim detect` tells what is on USB", file=sys.stderr)
    return 0


def show_actions(actions: list[dict[str, Any]], as_json: bool) -> int:
    """A line an action."""
    if as_json:
        return print_json(actions)
    for action in actions:
        missing = f" (not here: {action['missing']})" if action["missing"] else ""
        print(f"{action['name']:16}  {action['label']}{missing}")
    return 0


def show_form(form: dict[str, Any], as_json: bool) -> int:
    """A line a field, with its choices and the value in force."""
    if as_json:
        return print_json(form)
    print(form["title"])
    for text in (form.get("description"), form.get("x-cuts")):
        if text:
            print(f"  {text}")
    for name, field in form["properties"].items():
        is_required = " (required)" if name in form["required"] else ""
        print(f"  {name}={shown_type(field)}{is_required}  {field.get('title', '')}")
        if field.get("description"):
            print(f"      {field['description']}")
    return 0


def shown_type(field: dict[str, Any]) -> str:
    """What a field takes, in short."""
    choices = field.get("oneOf") or field.get("items", {}).get("oneOf")
    now = f" [now {json.dumps(field['default'])}]" if "default" in field else ""
    if choices is not None:
        return "|".join(str(one["const"]) for one in choices) + now
    bounds = f" {field['minimum']} to {field['maximum']}" if "minimum" in field else ""
    return f"<{field.get('type', 'text')}{bounds}>{now}"


def act(client: ServiceClient, base: str, arguments: argparse.Namespace) -> int:
    """Run an action, follow its job to its end."""
    path = f"{base}/{quoted(arguments.action)}"
    body = content_of(arguments.values)
    if not arguments.yes and sys.stdin.isatty():
        cuts = client.get(f"{path}/form").get("x-cuts")
        if cuts and not agreed(f"{cuts} Go on?"):
            return 1
    answer = client.post(path, body)
    if "result" in answer and "state" not in answer:
        return print_json(answer["result"])
    return follow(client, answer, is_agreed=arguments.yes)


def content_of(pairs: list[str]) -> dict[str, Any]:
    """FIELD=VALUE pairs as a body: texts, which the form's own types read; ``-`` is asked for."""
    content: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidInput(f"{pair[:40]!r} is not FIELD=VALUE", field="FIELD=VALUE")
        if name in content:
            raise InvalidInput(f"{name} is given twice", field=name)
        content[name] = asked(name) if value == "-" else value
    return content


def asked(name: str) -> str:
    """A value typed unseen, or the next line of a pipe."""
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass(f"{name}: ")
    return sys.stdin.readline().rstrip("\n")


def agreed(question: str, stream: TextIO = sys.stderr) -> bool:
    """Whether somebody at the terminal says yes."""
    print(f"{question} [y/N] ", end="", file=stream, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def follow(client: ServiceClient, job: dict[str, Any], *, is_agreed: bool) -> int:
    """Print a job's steps; confirm when asked to or told so beforehand; Ctrl-C asks it to end."""
    told = None
    path = f"jobs/{job['id']}"
    try:
        while job["ended_at"] is None:
            if job["step"] and job["step"] != told:
                told = job["step"]
                print(f"{told} …", file=sys.stderr)
            if job["state"] == "confirming":
                confirm(client, job, is_agreed)
            time.sleep(LOOK_S)
            job = client.get(path)
    except KeyboardInterrupt:
        client.post(f"{path}/abort", {})
        print("asked the job to end", file=sys.stderr)
        return 130
    if job["state"] == "done":
        return print_json(job["result"])
    raise RemsimError(str(job["error"]), field=job["field"], hint=job["hint"])


def confirm(client: ServiceClient, job: dict[str, Any], is_agreed: bool) -> None:
    """Keep the change. Only a person knows whether the way that they came by still works."""
    if not is_agreed and not sys.stdin.isatty():
        print(f"undone at {job['confirm_by']} unless confirmed; --yes does that", file=sys.stderr)
        while client.get(f"jobs/{job['id']}")["state"] == "confirming":
            time.sleep(LOOK_S)
        return
    if is_agreed or agreed(f"The change is undone at {job['confirm_by']} unless you keep it. Keep it?"):
        client.post(f"jobs/{job['id']}/confirm", {})
    else:
        client.post(f"jobs/{job['id']}/abort", {})


def print_json(content: Any) -> int:
    """Indented, as people and programs read it; a list of plain values stays on its line."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    print(re.sub(r"\[[^][{}]*\]", lambda found: re.sub(r"\s*\n\s*", " ", found[0]), text))
    return 0
