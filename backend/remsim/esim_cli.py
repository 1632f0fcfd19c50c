"""``remsim esim …``: eSIM profiles from the shell. What asks a card asks the running service, which owns the modems."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from remsim import esim_direct, esim_verbs
from remsim.verb_cli import verb

LINES = {
    "parse-code": "read activation codes from stdin, a line each, and write JSON lines",
    "decode": 'decode JSON lines {"function","response":HEX} of an eUICC from stdin',
    "encode": 'write the APDUs of JSON lines {"function","args","mss","channel"} from stdin',
    "segments": "read Bound Profile Packages in base64 from stdin, a line each, and write their segments",
}


def add_verbs(verbs: Any) -> None:
    """Add ``esim`` and what is below it to the command's verbs."""
    esim = verbs.add_parser("esim", help="eSIM profiles: list, download, switch, delete")
    below = esim.add_subparsers(required=True, metavar="VERB")
    for name, text in LINES.items():
        below.add_parser(name, help=text).set_defaults(run=run_lines, lines=name)
    add_looking(below)
    add_profile_verbs(below)
    add_card_verbs(below)
    add_router_verbs(below)
    esim_direct.add_direct(below)
    told = "a virtual eUICC and SM-DP+ for tests; --help tells more"
    simulator = below.add_parser("simulator", help=told, add_help=False, prefix_chars="\0")  # its options are its own
    simulator.add_argument("words", nargs=argparse.REMAINDER)
    simulator.set_defaults(run=run_simulator)


HOLDER = ("holder", "the modem or card reader, like modem1")
PROFILE = ("profile", "its id, name, or the end of its ICCID")


def add_looking(below: Any) -> None:
    """What only reads."""
    show = verb(below, "list", esim_verbs.run_list, "the eUICCs and their profiles, as last read")
    show.add_argument("holder", nargs="?", metavar="HOLDER", help="one modem or reader only")
    verb(below, "read", esim_verbs.run_read, "read an eUICC anew", HOLDER)
    verb(below, "discover", esim_verbs.run_discover, "ask for profiles that wait for this card", HOLDER)
    iot = verb(below, "iot", esim_verbs.run_iot, "what the card tells of SGP.32: its eIMs, its version", HOLDER)
    iot.add_argument("word", nargs="?", choices=("read", "add", "poll"), help="ask the card; add an eIM; ask its eIM")
    iot.add_argument("file", nargs="?", type=Path, metavar="FILE", help="eIM configuration data, for add")
    verb(below, "inventory", esim_verbs.run_get, "every profile seen on this router").set_defaults(
        path="esim/inventory"
    )


def add_profile_verbs(below: Any) -> None:
    """What is done to profiles."""
    download = verb(
        below,
        "download",
        esim_verbs.run_download,
        "download a profile",
        HOLDER,
        ("code", "the activation code, or - to type it"),
    )
    download.add_argument("--confirmation-code", metavar="CODE", help="if the operator gave one; - to type it")
    download.add_argument("--nickname", help="what to call it")
    download.add_argument("--enable", action="store_true", help="switch to it at once")
    download.add_argument(
        "--lab-ca", type=Path, metavar="FILE", help="trust this certificate too, for this download only"
    )
    enable = verb(below, "enable", esim_verbs.run_enable, "switch to a profile", HOLDER, PROFILE)
    enable.add_argument("--minutes", type=int, default=5, help="back to the one before without service (default 5)")
    enable.add_argument("--stay", action="store_true", help="do not go back")
    disable = verb(below, "disable", esim_verbs.run_disable, "disable a profile", HOLDER, PROFILE)
    disable.set_defaults(sure_text="Without an enabled profile this modem has no service. Go on?")
    verb(below, "delete", esim_verbs.run_delete, "delete a profile for good", HOLDER, PROFILE)
    verb(
        below,
        "rename",
        esim_verbs.run_rename,
        "give a profile a nickname",
        HOLDER,
        PROFILE,
        ("nickname", "empty takes it away"),
    )


def add_card_verbs(below: Any) -> None:
    """What is done to a card besides."""
    send = verb(
        below,
        "notifications",
        esim_verbs.run_notifications,
        "tell operators what was installed, deleted, switched",
        HOLDER,
    )
    send.add_argument("--remove", type=int, metavar="SEQ", help="give up telling this one")
    address = verb(below, "default-smdp", esim_verbs.run_default, "set the address asked when there is no code", HOLDER)
    address.add_argument("address", metavar="ADDRESS", help="empty takes it away")
    reset = verb(below, "memory-reset", esim_verbs.run_reset, "delete all profiles of a card for good", HOLDER)
    reset.add_argument("--eid", required=True, help="the card's whole EID, to be sure which card it is")
    for what, told in esim_verbs.RESETS.items():
        reset.add_argument(f"--{what}", action="store_true", help=told)


def add_router_verbs(below: Any) -> None:
    """What concerns all cards."""
    codes = verb(below, "codes", esim_verbs.run_codes, "codes kept for later; add, show (with its secret), remove")
    codes.add_argument("word", nargs="?", choices=("add", "show", "remove"))
    codes.add_argument("value", nargs="?", metavar="CODE|ID", help="- to type the code")
    codes.add_argument("--label", default="", help="what it is for")
    backup = verb(
        below, "backup", esim_verbs.run_backup, "names, access points, rules and codes; a profile cannot leave its card"
    )
    backup.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    backup.add_argument(
        "--passphrase", metavar="-", help="encrypts the codes; without it they are left out. - to type it"
    )
    restore = verb(
        below, "restore", esim_verbs.run_restore, "put a backup's names, access points, rules and codes back"
    )
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.add_argument("--passphrase", metavar="-", help="of its codes; - to type it")
    bulk = verb(below, "bulk", esim_verbs.run_bulk, "load many profiles from a CSV or JSON file")
    columns = "target,code[,confirmation_code,nickname,enable]; without it those there were are listed"
    bulk.add_argument("file", type=Path, nargs="?", metavar="FILE", help=columns)
    bulk.add_argument("--check", action="store_true", help="only look whether it would go")
    bulk.add_argument("--per-minute", type=float, metavar="N", help="no faster than that")
    bulk.add_argument("--show", metavar="ID", help="what became of each row")
    bulk.add_argument("--resume", metavar="ID", help="go on with what waits")
    orders = verb(below, "orders", esim_verbs.run_orders, "profiles ordered at a server (ES2+); order, release, cancel")
    orders.add_argument("word", nargs="?", choices=("make", "release", "cancel"))
    orders.add_argument("name", nargs="?", metavar="CONNECTOR|ID", help="the server's section, or an order")
    orders.add_argument("--holder", help="for the card of this modem; for any card without")
    orders.add_argument("--profile-type", metavar="TYPE", help="what the operator calls it")
    orders.add_argument("--iccid", help="this very profile")
    verb(below, "rules", esim_verbs.run_get, "when profiles are switched by themselves").set_defaults(path="esim/rules")


def run_lines(arguments: argparse.Namespace) -> int:
    """No line stops it. An empty one is a code that is not there, but no question."""
    from remsim import esim_lines
    from remsim.core.lines import answer_lines

    return answer_lines(esim_lines.VERBS[arguments.lines], also_empty=arguments.lines == "parse-code")


def run_simulator(arguments: argparse.Namespace) -> int:
    """The virtual side; absent on a router."""
    from remsim.simulator.euicc.__main__ import main

    return int(main(arguments.words))
