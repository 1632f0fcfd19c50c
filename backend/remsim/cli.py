"""The command ``remsim``: each verb imports only what it needs."""

from __future__ import annotations

import argparse
import logging
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from remsim import __version__, esim_cli, modem_cli, remote_sim_cli, routing_cli, token_cli
from remsim.core.errors import InvalidInput, RemsimError
from remsim.core.lines import answer_lines

DEFAULT_SIMULATED = 3
MOST_SIMULATED = 8
DEFAULT_BACKFILL = "7d"
UNIT_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; 0 is success, 1 a failure told in one line, 2 a wrong call."""
    top = parser()
    arguments, rest = top.parse_known_args(argv)
    if rest and not modem_cli.place(arguments, rest):
        top.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return int(arguments.run(arguments))
    except RemsimError as error:
        hint = f" ({error.hint})" if error.hint else ""
        print(f"remsim: {error.message}{hint}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        # The router's package leaves the simulator out, and its recordings with their own licences.
        if error.name != "remsim.simulator":
            raise
        print("remsim: this installation has no simulator (it comes with the project's checkout)", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def parser() -> argparse.ArgumentParser:
    """The verbs and their options."""
    top = argparse.ArgumentParser(prog="remsim", description="The console of a cellular router with remote SIMs.")
    verbs = top.add_subparsers(required=True, metavar="VERB")

    serve = verbs.add_parser("serve", help="run the service: modems, history, API and pages")
    serve.add_argument("--listen", metavar="HOST:PORT", help="where to listen (configured: web.listen)")
    serve.add_argument("--data", type=Path, metavar="DIR", help="series; alone, it holds the state too")
    serve.add_argument("--state", type=Path, metavar="DIR", help="token, journal, usage, backup of the series")
    serve.add_argument("--config", type=Path, metavar="DIR", help="UCI files (default /etc/config)")
    serve.add_argument(
        "--simulate",
        type=simulated_modems,
        nargs="?",
        const=DEFAULT_SIMULATED,
        default=0,
        metavar="N|MODELS",
        help=f"virtual modems instead of real ones: how many (default {DEFAULT_SIMULATED}, up to {MOST_SIMULATED}), "
        "or which, as in RM520N-GL,EM9190,FM150",
    )
    serve.add_argument(
        "--backfill",
        type=duration_s,
        default=DEFAULT_BACKFILL,
        metavar="7d|0",
        help="simulated history to write first, in simulation only",
    )
    serve.set_defaults(run=run_serve)

    simulate = verbs.add_parser("simulate", help="run virtual modems on pseudo terminals")
    simulate.add_argument("--dir", type=Path, required=True, help="where the device tree is made")
    simulate.add_argument("--modems", type=simulated_modems, default=DEFAULT_SIMULATED, metavar="N")
    simulate.set_defaults(run=run_simulate)

    at = verbs.add_parser("at", help="work on replies of modems")
    at_verbs = at.add_subparsers(required=True, metavar="VERB")
    decode = at_verbs.add_parser(
        "decode", help='decode JSON lines {"vendor","module","platform","command","reply"} from stdin'
    )
    decode.set_defaults(run=run_at_decode)

    modem_cli.add_verbs(verbs)
    remote_sim_cli.add_verbs(verbs)
    esim_cli.add_verbs(verbs)
    routing_cli.add_verbs(verbs)
    token_cli.add_verbs(verbs)

    link = verbs.add_parser("link", help="print a one-time link that lets a browser in")
    link.add_argument("--state", type=Path, metavar="DIR", help="where the service keeps its token")
    link.add_argument("--listen", metavar="HOST:PORT", help="where the service listens")
    link.add_argument("--config", type=Path, metavar="DIR", help="UCI files (default /etc/config)")
    link.set_defaults(run=run_link)

    detect = verbs.add_parser("detect", help="print what is on USB and PCI Express, for a bug report")
    detect.set_defaults(run=run_detect)

    version = verbs.add_parser("version", help="print the version")
    version.set_defaults(run=run_version)
    return top


def simulated_modems(text: str) -> int | list[str]:
    """A number of virtual modems, or a comma list of their models."""
    if text.isascii() and text.isdigit():
        if 1 <= int(text) <= MOST_SIMULATED:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_SIMULATED}")
    names = [name.strip() for name in text.split(",") if name.strip()]
    are_names = all(re.fullmatch(r"[A-Za-z][A-Za-z0-9.-]{0,30}", name) for name in names)
    if not are_names or not 1 <= len(names) <= MOST_SIMULATED:
        raise argparse.ArgumentTypeError(f"{text!r} is no number or list of models from 1 to {MOST_SIMULATED}")
    return names


def duration_s(text: str) -> float:
    """``7d``, ``12h``, ``30m``, ``90s`` or seconds."""
    match = re.fullmatch(r"(\d{1,6})([smhd]?)", text, re.ASCII)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration like 7d, 12h or 0")
    return float(int(match[1]) * UNIT_S[match[2]])


def run_serve(arguments: argparse.Namespace) -> int:
    """Run the service until it is told to stop."""
    from remsim.serve import serve

    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    return serve(
        listen=arguments.listen,
        data_dir=arguments.data,
        state_dir=arguments.state,
        config_dir=arguments.config,
        simulate=arguments.simulate,
        backfill_s=arguments.backfill,
    )


def run_simulate(arguments: argparse.Namespace) -> int:
    """Run the virtual modems until stopped."""
    from remsim.simulator.main import run

    chosen = arguments.modems
    run(arguments.dir, 0 if isinstance(chosen, list) else chosen, chosen if isinstance(chosen, list) else ())
    return 0


def run_at_decode(arguments: argparse.Namespace) -> int:
    """Decode every line of stdin; no line stops it."""
    from remsim.modems.decode import decode_line

    return answer_lines(decode_line)


def run_link(arguments: argparse.Namespace) -> int:
    """Ask the running service for a ticket and print the link that spends it."""
    from remsim.client import ServiceClient
    from remsim.serve import login_link

    client = ServiceClient.of_router(arguments.state, arguments.listen, arguments.config)
    answer = client.post("tickets", {"purpose": "browser"})
    ticket = answer.get("ticket") if isinstance(answer, dict) else None
    if not isinstance(ticket, str):
        raise InvalidInput(f"what answers at http://{client.address} is not remsim", field="--listen")
    print(login_link(client.address, ticket))
    return 0


def run_detect(arguments: argparse.Namespace) -> int:
    """Print what was looked for and what was found; needs no service."""
    from remsim.modems.report import detection_report

    sys.stdout.write(detection_report(Path("/sys"), Path("/dev"))["text"])
    return 0


def run_version(arguments: argparse.Namespace) -> int:
    """Print the version."""
    print(f"remsim {__version__}")
    return 0
