"""``python -m remsim.simulator.euicc``: a virtual eUICC for a program that speaks lpac's stdio, or in a modem."""

from __future__ import annotations

import contextlib
import getopt
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.core.errors import RemsimError
from remsim.simulator.euicc.options import USAGE, Options, UsageError, read_options

if TYPE_CHECKING:
    from remsim.simulator.euicc.bench import CardBench

WRONG_CALL = 2


def main(argv: list[str]) -> int:
    """Do what the arguments say; the program's exit status, 1 when it does not come to that, 2 for a wrong call."""
    if argv[:1] == ["serve"]:
        return run_servers(argv[1:])
    try:
        options = read_options(argv)
    except (UsageError, getopt.GetoptError) as error:
        print(f"{error}\n\n{USAGE}", file=sys.stderr)
        return WRONG_CALL
    if options.is_help:
        print(USAGE)
        return 0
    try:
        from remsim.simulator.euicc.bench import CardBench

        with contextlib.closing(CardBench(options)) as bench:
            return run_terminal(options, bench) if options.is_terminal else run_program(options, bench)
    except ImportError as error:
        print(f"the virtual eUICC needs the package cryptography: {error}", file=sys.stderr)
    except (RemsimError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
    return 1


def run_servers(words: list[str]) -> int:
    """The servers of profiles without a card."""
    try:
        from remsim.simulator.euicc import serve
    except ImportError as error:
        print(f"the virtual servers need the package cryptography: {error}", file=sys.stderr)
        return 1
    return serve.main(words)


def run_program(options: Options, bench: CardBench) -> int:
    """Serve the card to the program."""
    from remsim.simulator.euicc.stdio import Forwarder, Front, serve

    with tracing(options.trace) as trace:
        forwarder = Forwarder({**bench.hosts, **options.hosts}, options.ca or bench.ca)
        return serve(options.program, Front(bench.card, forwarder, trace))


def run_terminal(options: Options, bench: CardBench) -> int:
    """Put the card into the first slot of a virtual modem, until SIGTERM."""
    from remsim.simulator.main import Simulation
    from remsim.simulator.profiles import profile_of

    with tempfile.TemporaryDirectory(prefix="remsim-euicc-") as directory:
        os.environ.update(bench.QUIET)
        simulation = Simulation(Path(directory), [profile_of(options.model, 0)])
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, simulation.stop)
        try:
            simulation.modems[0].state.put_in(bench.card)
            say(ready=True, ports=simulation.modems[0].ports, eid=bench.card.eid)
            simulation.run()
        finally:
            simulation.remove()
    return 0


@contextlib.contextmanager
def tracing(file: Path | None) -> Iterator[Any]:
    """Writes what it is given to a file, a line of JSON each."""
    if file is None:
        yield lambda told: None
        return
    with file.open("a", encoding="utf-8") as out:

        def write(told: Mapping[str, Any]) -> None:
            out.write(json.dumps(told) + "\n")
            out.flush()

        yield write


def say(**told: object) -> None:
    """One line of JSON."""
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
