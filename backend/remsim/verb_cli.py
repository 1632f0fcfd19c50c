"""A verb that asks the running service."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[[argparse.Namespace], int]


def verb(below: Any, name: str, run: Run, text: str, *words: tuple[str, str]) -> argparse.ArgumentParser:
    """A verb with words in their order, each with its help, and where the service is."""
    made: argparse.ArgumentParser = below.add_parser(name, help=text)
    for word, told in words:
        made.add_argument(word, metavar=word.upper(), help=told)
    made.add_argument("--state", type=Path, metavar="DIR", help="where the service keeps its token")
    made.add_argument("--listen", metavar="HOST:PORT", help="where the service listens")
    made.add_argument("--config", type=Path, metavar="DIR", help="UCI files (default /etc/config)")
    made.add_argument("--json", action="store_true", help="print JSON only")
    made.add_argument("--yes", action="store_true", help="ask nothing")
    made.set_defaults(run=run)
    return made
