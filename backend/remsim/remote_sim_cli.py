"""``remsim remote-sim …``: remote SIMs from the shell."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add_verbs(verbs: Any) -> None:
    """Add ``remote-sim`` and what is below it to the command's verbs."""
    remote_sim = verbs.add_parser("remote-sim", help="work with osmo-remsim: its frames, its clients")
    below = remote_sim.add_subparsers(required=True, metavar="VERB")

    decode = below.add_parser("decode", help="decode RSPRO frames, a line of hex each, from stdin to JSON lines")
    decode.set_defaults(run=run_decode)


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
