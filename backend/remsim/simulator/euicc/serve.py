"""The servers of profiles as a program of their own, for tests with other LPAs and other cards.

It makes a test PKI in a directory, or takes the one that is there, says where it listens in one JSON line, and takes
orders from stdin, one a line: ``fault NAME [STEP]`` (of ``control.ESIM_FAULTS``), ``orders``, ``calls``.
"""

from __future__ import annotations

import getopt
import json
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from remsim.core.errors import InvalidInput
from remsim.simulator.control import ESIM_FAULTS
from remsim.simulator.euicc import credentials, pki
from remsim.simulator.euicc.room import EsimRoom
from remsim.simulator.euicc.scene import ES2_HOST, SMDP_HOST, SMDS_HOST

OPTIONS = ("dir=", "host=", "smds=", "es2=", "listen=", "port=", "es2-port=", "root=", "eid=", "replace-keys")
USAGE = (
    "serve --dir DIR [--host NAME] [--smds NAME] [--es2 NAME] [--listen IP] [--port N] [--es2-port N]"
    " [--root CI.pem] [--eid EID] [--replace-keys]"
)


def main(words: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; 2 for options that are wrong."""
    try:
        pairs, rest = getopt.gnu_getopt(list(words), "", OPTIONS)
        options = dict(pairs)
        if rest or "--dir" not in options:
            raise getopt.GetoptError("--dir is missing" if not rest else f"{rest[0]} is too much")
        directory = Path(options["--dir"]).resolve()
        room = made(directory, options)
    except (getopt.GetoptError, ValueError, OSError) as error:
        sys.stderr.write(f"{error}\nusage: {USAGE}\n")
        return 2
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        say(**described(room, directory))
        threading.Thread(target=take_orders, args=(room,), daemon=True).start()
        ended.wait()
    finally:
        room.close()
    return 0


def made(directory: Path, options: dict[str, str]) -> EsimRoom:
    """The servers, and what others need to come to them as files."""
    directory.mkdir(parents=True, exist_ok=True)
    ci = identity(directory, "ci", pki.make_ci)
    (directory / "ci.der").write_bytes(ci.der)
    eum = identity(directory, "eum", lambda: pki.make_eum(ci))
    (directory / "eum.der").write_bytes(eum.der)
    if not (directory / "eid").exists() or "--eid" in options:
        (directory / "eid").write_text(options.get("--eid", credentials.DEFAULT_EID) + "\n")
    root = options.get("--root")
    room = EsimRoom(
        directory,
        ci,
        smdp_host=options.get("--host", SMDP_HOST),
        smds_host=options.get("--smds", SMDS_HOST),
        es2_host=options.get("--es2", ES2_HOST),
        listen=options.get("--listen", "127.0.0.1"),
        port=int(options.get("--port", 0)),
        es2_port=int(options.get("--es2-port", 0)),
        roots=() if root is None else (pki.read_certificate(Path(root).read_bytes()),),
        replaces_keys="--replace-keys" in options,
    )
    identity(directory, "operator", room.servers.operator)
    return room


def identity(directory: Path, name: str, make: Callable[[], pki.Identity]) -> pki.Identity:
    """A certificate and its key in the directory, made where they are not there."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}_key.pem"
    if certificate.exists() and key.exists():
        return pki.load_identity(certificate, key)
    new = make()
    new.save(certificate, key)
    return new


def described(room: EsimRoom, directory: Path) -> dict[str, Any]:
    """What somebody needs to talk to it."""
    servers = room.servers
    hosts = servers.hosts
    return {
        "ready": True,
        "smdp": servers.smdp.address,
        "address": hosts[servers.smdp.address],
        "ca": str(directory / "ci.pem"),
        "credentials": str(directory),
        "operator": [str(directory / "operator.pem"), str(directory / "operator_key.pem")],
        "hosts": hosts,
        "codes": [{"label": label, "code": code} for label, code in room.codes],
        "environment": {
            "REMSIM_ESIM_CA": str(directory / "ci.pem"),
            "REMSIM_ESIM_HOSTS": ",".join(f"{host}={place}" for host, place in hosts.items()),
        },
    }


def take_orders(room: EsimRoom) -> None:
    """From stdin, as long as there is one."""
    for line in sys.stdin:
        words = line.split()
        try:
            say(**do(room, words))
        except (InvalidInput, IndexError, ValueError) as error:
            say(error=str(error))


def do(room: EsimRoom, words: list[str]) -> dict[str, Any]:
    """One order."""
    match words:
        case ["fault", name, *step] if name in ESIM_FAULTS and len(step) < 2:
            room.fault(name, step[0] if step else None)
            return {"ok": True}
        case ["orders"]:
            orders = room.servers.orders.all()
            return {
                "orders": [
                    {"iccid": one.offer.iccid, "matching_id": one.matching_id, "state": one.state, "told": one.told}
                    for one in orders
                ]
            }
        case ["calls"]:
            return {"calls": [list(one) for one in room.servers.smdp.calls]}
    raise ValueError(f"orders are: fault NAME [STEP], orders, calls; faults are {', '.join(ESIM_FAULTS)}")


def say(**what: Any) -> None:
    """One JSON line."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
