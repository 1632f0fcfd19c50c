"""What the verbs of ``remsim esim`` do, by asking the service."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from remsim.client import ServiceClient
from remsim.core.errors import InvalidInput
from remsim.esim_files import read_blob, read_json, read_text, word, write_private
from remsim.esim_print import question_text, show_codes, show_holders
from remsim.job_cli import agreed, asked, follow, quoted
from remsim.modem_print import print_json

RESETS = {
    "operational": "profiles of operators",
    "test": "test profiles that were loaded later",
    "smdp": "the default SM-DP+ address",
}


def service(arguments: argparse.Namespace) -> ServiceClient:
    return ServiceClient.of_router(arguments.state, arguments.listen, arguments.config)


def run_list(arguments: argparse.Namespace) -> int:
    """All, or one holder."""
    view = service(arguments).get("esim")
    holders = [one for one in view["holders"] if arguments.holder in (None, one["id"])]
    if arguments.holder and not holders:
        raise no_holder(view, arguments.holder)
    return print_json(holders) if arguments.json else show_holders(holders, view.get("warnings") or [])


def run_get(arguments: argparse.Namespace) -> int:
    """What the service has, as it is."""
    return print_json(service(arguments).get(arguments.path))


def run_read(arguments: argparse.Namespace) -> int:
    """Read, then show."""
    client = service(arguments)
    status = start(client, arguments, "read", {}, quietly=not arguments.json)
    return status if status or arguments.json else run_list(arguments)


def run_discover(arguments: argparse.Namespace) -> int:
    """The codes that wait are in the result."""
    return start(service(arguments), arguments, "discover", {})


def run_iot(arguments: argparse.Namespace) -> int:
    """What the card told of SGP.32; read it, add an eIM from a file, do what one has waiting."""
    client, path = service(arguments), f"{base(arguments)}/iot"
    if arguments.word is None:
        return print_json(client.get(path))
    if (arguments.file is None) == (arguments.word == "add"):
        raise InvalidInput("add takes a file, and nothing else does", field="FILE")
    if arguments.word == "add":
        sure(arguments, "A card that has an eIM may let nobody else manage its profiles. Go on?")
        return done(client, client.post(f"{path}/eim", {"blob": read_blob(arguments.file)}), arguments)
    return done(client, client.post(f"{path}/{arguments.word}", {}), arguments)


def run_download(arguments: argparse.Namespace) -> int:
    """Show what was found, ask, load."""
    body: dict[str, Any] = {"code": word(arguments.code, "activation code"), "enable": arguments.enable}
    if arguments.confirmation_code is not None:
        body["confirmation_code"] = word(arguments.confirmation_code, "confirmation code")
    if arguments.nickname is not None:
        body["nickname"] = arguments.nickname
    if arguments.lab_ca is not None:
        body["lab_ca"] = read_text(arguments.lab_ca)
    if not arguments.yes and not sys.stdin.isatty():
        raise InvalidInput("nobody is there to agree to the profile", field="--yes", hint="--yes agrees beforehand")
    return start(service(arguments), arguments, "downloads", body | {"consent": arguments.yes}, answer=consent)


def consent(question: dict[str, Any]) -> dict[str, Any]:
    """Ask the person at the terminal whether the profile is wanted."""
    print(question_text(question), file=sys.stderr)
    answer: dict[str, Any] = {"accept": agreed("Download it?")}
    if answer["accept"] and question.get("confirmation_code_required"):
        answer["confirmation_code"] = asked("confirmation code")
    return answer


def run_enable(arguments: argparse.Namespace) -> int:
    """Switch, with the way back."""
    client = service(arguments)
    path = profile_path(client, arguments)
    sure(arguments, "The modem loses its connection for up to some minutes. Go on?")
    body = {"minutes": arguments.minutes, "return": not arguments.stay}
    return done(client, client.post(f"{path}/enable", body), arguments)


def run_disable(arguments: argparse.Namespace) -> int:
    """The modem is without service then."""
    client = service(arguments)
    path = profile_path(client, arguments)
    sure(arguments, arguments.sure_text)
    return done(client, client.post(f"{path}/disable", {"sure": True}), arguments)


def run_delete(arguments: argparse.Namespace) -> int:
    """For good: the operator's code is spent."""
    client = service(arguments)
    profile = profile_of(client, arguments)
    sure(arguments, f"{profile['name']} is deleted for good; its code cannot be used again. Go on?")
    answer = client.request("DELETE", f"{base(arguments)}/profiles/{quoted(profile['id'])}", {"name": profile["name"]})
    return done(client, answer, arguments)


def run_rename(arguments: argparse.Namespace) -> int:
    """A nickname has up to 64 octets."""
    client = service(arguments)
    answer = client.request("PUT", profile_path(client, arguments), {"nickname": arguments.nickname})
    return done(client, answer, arguments)


def run_notifications(arguments: argparse.Namespace) -> int:
    """Send all, or give one up."""
    client = service(arguments)
    path = f"{base(arguments)}/notifications"
    if arguments.remove is None:
        return done(client, client.post(path, {}), arguments)
    sure(arguments, "The operator will not learn of it, and may not give the profile out again. Go on?")
    return done(client, client.request("DELETE", f"{path}/{arguments.remove}", {"sure": True}), arguments)


def run_default(arguments: argparse.Namespace) -> int:
    """An empty address takes it away."""
    client = service(arguments)
    return done(
        client, client.request("PUT", f"{base(arguments)}/default-smdp", {"address": arguments.address}), arguments
    )


def run_reset(arguments: argparse.Namespace) -> int:
    """The EID is the guard; the service compares it with the card's."""
    what = {name: getattr(arguments, name) for name in RESETS}
    if not any(what.values()):
        raise InvalidInput("say what to delete: --" + ", --".join(RESETS), field="memory-reset")
    sure(arguments, "What is deleted cannot be had back; a new code of the operator is needed. Go on?")
    return start(service(arguments), arguments, "memory-reset", what | {"eid": arguments.eid})


def run_codes(arguments: argparse.Namespace) -> int:
    """Kept codes; shown whole only when asked for."""
    client = service(arguments)
    if arguments.word is None:
        codes = client.get("esim/codes")["codes"]
        return print_json(codes) if arguments.json else show_codes(codes)
    if arguments.value is None:
        raise InvalidInput(f"codes {arguments.word} takes a code or an id", field="CODE|ID")
    if arguments.word == "add":
        body = {"code": word(arguments.value, "activation code"), "label": arguments.label}
        return print_json(client.post("esim/codes", body))
    method = "GET" if arguments.word == "show" else "DELETE"
    return print_json(client.request(method, f"esim/codes/{quoted(arguments.value)}"))


def run_backup(arguments: argparse.Namespace) -> int:
    """Readable by its owner only: codes are worth money."""
    body = {} if arguments.passphrase is None else {"passphrase": word(arguments.passphrase, "passphrase")}
    found = service(arguments).post("esim/backup", body)
    write_private(arguments.output, json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    print(f"written to {arguments.output}; the profiles themselves cannot leave their cards", file=sys.stderr)
    return 0


def run_restore(arguments: argparse.Namespace) -> int:
    """What was done of it is printed."""
    body: dict[str, Any] = {"backup": read_json(arguments.file)}
    if arguments.passphrase is not None:
        body["passphrase"] = word(arguments.passphrase, "passphrase")
    client = service(arguments)
    return done(client, client.post("esim/restore", body), arguments)


def run_bulk(arguments: argparse.Namespace) -> int:
    """Checked first; a file that begins like JSON is JSON. Without one, what there was."""
    client = service(arguments)
    if arguments.resume is not None:
        return done(client, client.post(f"esim/bulk/{quoted(arguments.resume)}/resume", {}), arguments)
    if arguments.file is None:
        return print_json(client.get(f"esim/bulk/{quoted(arguments.show)}" if arguments.show else "esim/bulk"))
    text = read_text(arguments.file)
    body: dict[str, Any] = {"check": arguments.check}
    body |= {"rows": read_json(arguments.file)} if text.lstrip()[:1] in ("[", "{") else {"csv": text}
    if arguments.per_minute is not None:
        body["per_minute"] = arguments.per_minute
    return done(client, client.post("esim/bulk", body), arguments)


def run_orders(arguments: argparse.Namespace) -> int:
    """List them; order one; let it be downloaded; give it back."""
    client = service(arguments)
    if arguments.word is None:
        return print_json(client.get("esim/orders"))
    if arguments.name is None:
        raise InvalidInput(f"orders {arguments.word} takes a name", field="CONNECTOR|ID")
    if arguments.word != "make":
        return done(client, client.post(f"esim/orders/{quoted(arguments.name)}/{arguments.word}", {}), arguments)
    wanted = {name: getattr(arguments, name) for name in ("holder", "profile_type", "iccid")}
    body = {"connector": arguments.name} | {name: value for name, value in wanted.items() if value is not None}
    return done(client, client.post("esim/orders", body), arguments)


def base(arguments: argparse.Namespace) -> str:
    """The address of a holder."""
    return f"esim/{quoted(arguments.holder)}"


def start(
    client: ServiceClient,
    arguments: argparse.Namespace,
    name: str,
    body: dict[str, Any],
    *,
    quietly: bool = False,
    answer: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> int:
    """Start a holder's job and follow it; ``quietly`` without its result."""
    return done(client, client.post(f"{base(arguments)}/{name}", body), arguments, quietly=quietly, answer=answer)


def done(
    client: ServiceClient,
    answer_of: dict[str, Any],
    arguments: argparse.Namespace,
    *,
    quietly: bool = False,
    answer: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> int:
    """Follow a job, or print what was answered at once."""
    if "ended_at" not in answer_of:
        return 0 if quietly else print_json(answer_of)
    return follow(client, answer_of, is_agreed=arguments.yes, answer=answer, shows=not quietly)


def profile_of(client: ServiceClient, arguments: argparse.Namespace) -> dict[str, Any]:
    """The one profile that is meant; ``InvalidInput`` names those there are."""
    view = client.get("esim")
    holder = next((one for one in view["holders"] if one["id"] == arguments.holder), None)
    if holder is None:
        raise no_holder(view, arguments.holder)
    wanted, profiles = arguments.profile.casefold(), holder["profiles"]
    exact = [one for one in profiles if wanted in (one["id"], (one["name"] or "").casefold())]
    found = exact or [one for one in profiles if len(wanted) >= 4 and (one["iccid"] or "").endswith(wanted)]
    if len(found) != 1:
        names = ", ".join(f"{one['id']} ({one['name']})" for one in profiles) or "none"
        text = (
            "several profiles are called so"
            if found
            else f"{arguments.holder} has no profile {arguments.profile[:40]!r}"
        )
        raise InvalidInput(text, field="PROFILE", hint=f"there are: {names}; `remsim esim read` reads the card anew")
    return dict(found[0])


def profile_path(client: ServiceClient, arguments: argparse.Namespace) -> str:
    """The address of the profile that is meant."""
    return f"{base(arguments)}/profiles/{quoted(profile_of(client, arguments)['id'])}"


def no_holder(view: dict[str, Any], name: str) -> InvalidInput:
    names = ", ".join(one["id"] for one in view["holders"]) or "none"
    return InvalidInput(
        f"no modem or reader {name[:40]!r} can have an eSIM", field="HOLDER", hint=f"there are: {names}"
    )


def sure(arguments: argparse.Namespace, question: str) -> None:
    """Go on only when somebody says so, or said ``--yes``."""
    if arguments.yes:
        return
    if not sys.stdin.isatty():
        raise InvalidInput("nobody is there to agree", field="--yes", hint=f"{question} --yes agrees beforehand")
    if not agreed(question):
        raise InvalidInput("nothing was done", field="--yes")
