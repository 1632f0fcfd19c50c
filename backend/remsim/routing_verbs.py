"""What the verbs of ``remsim links`` and ``remsim policy`` do."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from remsim import routing_print as show
from remsim.client import ServiceClient
from remsim.core.errors import InvalidInput, NotFound
from remsim.job_cli import quoted
from remsim.modem_print import print_json
from remsim.routing_offline import TAKEN_UP, desk_of, question_of, read_policies, write_policies


def service(arguments: argparse.Namespace) -> ServiceClient:
    return ServiceClient.of_router(arguments.state, arguments.listen, arguments.config)


def run_list(arguments: argparse.Namespace) -> int:
    """Whether links carry traffic, then the links."""
    view = service(arguments).get("links")
    return print_json(view) if arguments.json else show.show_links(view)


def run_show_link(arguments: argparse.Namespace) -> int:
    """One link."""
    view = service(arguments).get("links")
    link = named(view["links"], arguments.name, "link", "NAME")
    return print_json(link) if arguments.json else show.show_link(link)


def run_flows(arguments: argparse.Namespace) -> int:
    """Those that are asked for; a link or a policy that is not there has none, which looks like a quiet one."""
    asked = {"limit": arguments.limit, "link": arguments.link, "policy": arguments.policy, "host": arguments.host}
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    client = service(arguments)
    view = client.get(f"links/flows?{query}")
    if arguments.link is not None and not view["total"]:
        named(client.get("links")["links"], arguments.link, "link", "--link")
    if arguments.policy and not view["total"]:
        named(client.get("policies")["policies"], arguments.policy, "policy", "--policy")
    return print_json(view) if arguments.json else show.show_flows(view)


def run_rings(arguments: argparse.Namespace) -> int:
    """Each ring with its weights."""
    view = service(arguments).get("links/rings")
    return print_json(view) if arguments.json else show.show_rings(view["rings"])


def run_usage(arguments: argparse.Namespace) -> int:
    """The sums by link; all of it as JSON."""
    view = service(arguments).get(f"links/usage?{urlencode({'days': arguments.days})}")
    return print_json(view) if arguments.json else show.show_usage(view)


def run_action(arguments: argparse.Namespace) -> int:
    """Have it done; silence is success."""
    answer = service(arguments).post(f"links/{quoted(arguments.name)}/actions", {"action": arguments.action})
    return print_json(answer) if arguments.json else 0


def run_import(arguments: argparse.Namespace) -> int:
    """What comes of mwan3's configuration."""
    if arguments.file is not None:
        from remsim.links.mwan3.importing import import_mwan3

        if arguments.write:
            hint = "put it at /etc/config/mwan3"
            raise InvalidInput("only the router's own file is taken over", field="--write", hint=hint)
        found = import_mwan3(read_policies(str(arguments.file))).as_dict() | {"is_applied": False}
    else:
        found = service(arguments).post("links/import/mwan3", {"dry_run": not arguments.write})
    return print_json(found) if arguments.json else show.show_import(found)


def run_check(arguments: argparse.Namespace) -> int:
    """0 also with warnings."""
    found = checked(arguments)
    told = {name: found[name] for name in ("ok", "errors", "warnings")}
    if arguments.json:
        print_json(told)
    else:
        show.show_problems(arguments.file, told)
    return 0 if found["ok"] else 1


def run_compile(arguments: argparse.Namespace) -> int:
    """The table, or what is wrong with the file."""
    try:
        text = read_policies(arguments.file)
        found = desk_of(arguments.config, arguments.state).compile(text)
    except InvalidInput as error:
        return refused(arguments, error)
    if arguments.json:
        return print_json(found)
    print(found["nft"], end="" if found["nft"].endswith("\n") else "\n")
    return 0


def run_format(arguments: argparse.Namespace) -> int:
    """The file in one form; one with errors stays as it is."""
    from remsim.policies.language.parser import parse
    from remsim.policies.language.printer import print_set

    try:
        text = read_policies(arguments.file)
        parsed = parse(text)
        if parsed.problems:
            wrong = InvalidInput("the file has errors", field="FILE")
            wrong.problems = [one.as_dict() for one in parsed.problems]
            raise wrong
    except InvalidInput as error:
        return refused(arguments, error)
    formatted = print_set(parsed.set)
    if arguments.write:
        write_policies(arguments.file, formatted)
    else:
        print(formatted, end="")
    return 0


def run_explain(arguments: argparse.Namespace) -> int:
    """By a file without the service, else by what is in force."""
    asked = question_of(arguments)
    if arguments.file is None:
        found = service(arguments).post("policies/explain", asked)
    else:
        try:
            text = read_policies(arguments.file)
            found = desk_of(arguments.config, arguments.state).explain({**asked, "text": text})
        except InvalidInput as error:
            if not error.problems:
                raise
            return refused(arguments, error)
        found = {**found, "notes": [*found["notes"], TAKEN_UP]}
    return print_json(found) if arguments.json else show.show_explanation(found)


def run_apply(arguments: argparse.Namespace) -> int:
    """Check first, so that all errors are told and not only the first."""
    client = service(arguments)
    try:
        text = read_policies(arguments.file)
    except InvalidInput as error:
        return refused(arguments, error)
    found = client.post("policies/check", {"text": text})
    if not found["ok"]:
        told = {name: found[name] for name in ("ok", "errors", "warnings")}
        if arguments.json:
            print_json(told)
        else:
            show.show_problems(arguments.file, told)
        return 1
    body = {"text": text, "source": arguments.source, "dry_run": arguments.dry_run}
    answer = client.request("PUT", "policies", body | {"confirm_s": arguments.confirm_within})
    if arguments.json:
        return print_json(answer)
    if arguments.dry_run:
        return show.show_dry_run(arguments.file, answer)
    show.show_problems(arguments.file, found)
    show.show_applied(answer)
    return show.show_waiting(answer) if answer["source"] != arguments.source else 0


def run_confirm(arguments: argparse.Namespace) -> int:
    """Keep it."""
    answer = service(arguments).post("policies/confirm", {})
    return print_json(answer) if arguments.json else show.show_applied(answer)


def run_show(arguments: argparse.Namespace) -> int:
    """What is in force."""
    view = service(arguments).get("policies")
    if arguments.json:
        return print_json(view)
    if arguments.text:
        print(view["text"], end="" if view["text"].endswith("\n") or not view["text"] else "\n")
        return 0
    return show.show_policies(view)


def run_versions(arguments: argparse.Namespace) -> int:
    """Newest first."""
    view = service(arguments).get("policies/versions")
    return print_json(view) if arguments.json else show.show_versions(view["versions"])


def run_rollback(arguments: argparse.Namespace) -> int:
    """Put it in force."""
    body = {} if arguments.version is None else {"version": arguments.version}
    answer = service(arguments).post("policies/rollback", body)
    return print_json(answer) if arguments.json else show.show_applied(answer)


def run_override(arguments: argparse.Namespace) -> int:
    """Which of the two texts is in force."""
    answer = service(arguments).post("policies/override", {"is_overridden": not arguments.end})
    return print_json(answer) if arguments.json else show.show_applied(answer)


def run_presets(arguments: argparse.Namespace) -> int:
    """They come with the program, so that no service is asked."""
    from remsim.policies.presets import presets

    found = presets()
    if arguments.name is not None:
        one = next((one for one in found if one["name"] == arguments.name), None)
        if one is None:
            raise NotFound(f"there is no preset {arguments.name[:40]!r}", field="NAME")
        if arguments.json:
            return print_json(one)
        print(one["text"], end="" if one["text"].endswith("\n") else "\n")
        return 0
    return print_json(found) if arguments.json else show.show_presets(found)


def run_countries(arguments: argparse.Namespace) -> int:
    """The list there is, after it was imported or removed."""
    client = service(arguments)
    if (arguments.file is not None) != (arguments.word == "import"):
        raise InvalidInput("import takes a file, and nothing else does", field="FILE")
    if arguments.word == "import":
        told = {"source": arguments.source or arguments.file.name}
        told |= {name: getattr(arguments, name) for name in ("attribution", "date") if getattr(arguments, name)}
        found = client.upload(f"policies/countries?{urlencode(told)}", arguments.file)
    elif arguments.word == "remove":
        found = client.request("DELETE", "policies/countries")
    else:
        found = client.get("policies/countries")
    return print_json(found) if arguments.json else show.show_countries(found)


def named(views: Sequence[Mapping[str, Any]], name: str, what: str, field: str) -> Mapping[str, Any]:
    """That of this name; ``NotFound`` says which there are."""
    for one in views:
        if one["name"] == name:
            return one
    there = ", ".join(one["name"] for one in views) or "none"
    raise NotFound(f"there is no {what} {name[:40]!r}; there are: {there}", field=field)


def checked(arguments: argparse.Namespace) -> dict[str, Any]:
    """What is wrong with a file."""
    try:
        text = read_policies(arguments.file)
    except InvalidInput as error:
        if not error.problems:
            raise
        return {"ok": False, "errors": list(error.problems), "warnings": []}
    return desk_of(arguments.config, arguments.state).check(text)


def refused(arguments: argparse.Namespace, error: InvalidInput) -> int:
    """Tell all that is wrong with a file; raises again what is about something else."""
    if not error.problems:
        raise error
    told = {"ok": False, "errors": list(error.problems), "warnings": []}
    if arguments.json:
        print_json(told)
    else:
        show.show_problems(arguments.file, told)
    return 1
