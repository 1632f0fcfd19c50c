"""``remsim esim …``: eSIM profiles from the shell."""

from __future__ import annotations

import argparse
from typing import Any


def add_verbs(verbs: Any) -> None:
    """Add ``esim`` and what is below it to the command's verbs."""
    esim = verbs.add_parser("esim", help="eSIM profiles: list, download, switch, delete")
    below = esim.add_subparsers(required=True, metavar="VERB")
    for name, text in LINES.items():
        below.add_parser(name, help=text).set_defaults(run=run_lines, lines=name)


LINES = {
    "parse-code": "read activation codes from stdin, a line each, and write JSON lines",
    "decode": 'decode JSON lines {"function","response":HEX} of an eUICC from stdin',
    "encode": 'write the APDUs of JSON lines {"function","args","mss","channel"} from stdin',
    "segments": "read Bound Profile Packages in base64 from stdin, a line each, and write their segments",
}


def run_lines(arguments: argparse.Namespace) -> int:
    """No line stops it."""
    from remsim import esim_lines
    from remsim.core.lines import answer_lines

    return answer_lines(esim_lines.VERBS[arguments.lines])
