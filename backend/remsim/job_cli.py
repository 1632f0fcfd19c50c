"""What verbs share that have the service do something: fields from the shell, a job followed to its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from remsim.client import ServiceClient
from remsim.core.errors import InvalidInput, RemsimError
from remsim.modem_print import print_json

LOOK_S = 0.5

Answer = Callable[[dict[str, Any]], dict[str, Any]]
"""A job's question as the body of its answer."""


def quoted(name: str) -> str:
    """A name as a part of an address."""
    from urllib.parse import quote

    return quote(name, safe="")


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


def follow(
    client: ServiceClient, job: dict[str, Any], *, is_agreed: bool, answer: Answer | None = None, shows: bool = True
) -> int:
    """Print a job's steps; confirm when asked to or told so beforehand; Ctrl-C asks it to end.

    ``answer`` answers what a job of this kind asks, ``shows``: its result is printed.
    """
    told = None
    path = f"jobs/{job['id']}"
    try:
        while job["ended_at"] is None:
            if job["step"] and job["step"] != told:
                told = job["step"]
                print(f"{told} …", file=sys.stderr)
            if job["state"] == "confirming":
                confirm(client, job, is_agreed)
            if job["state"] == "asking" and answer is not None:
                client.post(f"{path}/answer", answer(job["question"]))
            time.sleep(LOOK_S)
            job = client.get(path)
    except KeyboardInterrupt:
        try:
            client.post(f"{path}/abort", {})
            print("asked the job to end", file=sys.stderr)
        except RemsimError as error:
            print(f"{error.message}; it goes on as job {job['id']}", file=sys.stderr)
        return 130
    if job["state"] == "done":
        return print_json(job["result"]) if shows else 0
    raise RemsimError(str(job["error"]), field=job["field"], hint=job["hint"])


def confirm(client: ServiceClient, job: dict[str, Any], is_agreed: bool) -> None:
    """Keep the change. Only a person knows whether the way that they came by still works."""
    if not is_agreed and not sys.stdin.isatty():
        print(f"undone at {job['confirm_by']} unless confirmed; --yes does that", file=sys.stderr)
        while client.get(f"jobs/{job['id']}")["state"] == "confirming":
            time.sleep(LOOK_S)
        return
    is_kept = is_agreed or agreed(f"The change is undone at {job['confirm_by']} unless you keep it. Keep it?")
    try:
        client.post(f"jobs/{job['id']}/{'confirm' if is_kept else 'abort'}", {})
    except RemsimError as error:  # the answer came too late, and the job tells what has become of it
        print(error.message, file=sys.stderr)
