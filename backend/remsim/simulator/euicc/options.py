"""What a virtual eUICC on its own is told on the command line."""

from __future__ import annotations

import getopt
import os
import re
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from remsim.core.small_dataclass import dataclass
from remsim.simulator.euicc.card_faults import SIGNATURES

CA_VARIABLE, HOSTS_VARIABLE = "REMSIM_ESIM_CA", "REMSIM_ESIM_HOSTS"
PLACE = re.compile(r"[^=\s]+=[^=\s]+:[0-9]{1,5}")
LONG = [
    "help", "at", "model=", "credentials=", "eid=", "state=", "profiles", "iot", "servers", "ca=", "host=", "direct",
    "channels=", "isdr=", "fault=", "trace=",
]  # fmt: skip
FLAGS = ("refuses_refresh", "ignores_refresh", "loses_channels", "is_proactive", "in_package")
NUMBERS = ("cat_busy", "mac_failure", "error_reason", "removed_at")
SECONDS = ("delay_s", "load_delay_s")
USAGE = f"""usage: python -m remsim.simulator.euicc [OPTIONS] --stdio PROGRAM [ARGUMENTS]
       python -m remsim.simulator.euicc [OPTIONS] --at [--model NAME]
       python -m remsim.simulator.euicc serve --dir DIR [OPTIONS]

--stdio starts PROGRAM as a child with LPAC_APDU=stdio and LPAC_HTTP=stdio, answers its APDUs from a virtual eUICC and
sends its requests on. What it prints for people is printed; its exit status is ours.
--at puts the card into a virtual modem and says in a line of JSON which terminals it answers on.
serve runs the servers of profiles without a card; a wrong option of it shows the right ones.

  --credentials DIR   ci.pem or ci.der, eum.der, and euicc.der with euicc_key.pem or else eum_key.pem; a directory
                      that is not there is made and filled, with ci_key.pem to issue servers' certificates with
  --eid EID           whose certificate is made with eum_key.pem; else the file DIR/eid, or one of the maker's range
  --state FILE        keep profiles and notifications there, so that the next call finds them
  --profiles          a new card has two profiles, one of them enabled
  --iot               the functions of SGP.32 besides
  --servers           virtual SM-DP+ and SM-DS besides, under the same CI; their codes are printed
  --ca FILE           authorities for the program's requests ({CA_VARIABLE}); else the CI of --servers or of DIR,
                      else the system's
  --host NAME=IP:PORT where a name is instead; may be repeated ({HOSTS_VARIABLE}: several with commas)
  --direct            answers with 9000 and up to 256 octets at once, instead of 61xx
  --channels N        logical channels beside the basic one, 1 to 19; 3 when not said
  --isdr AID          another name of the ISD-R, in hex
  --trace FILE        write each APDU and each request there, a line of JSON each
  --fault NAME=VALUE  {" ".join(FLAGS)} (no value), {" ".join(NUMBERS)} (a number),
                      {" ".join(SECONDS)} (seconds), status_at=BLOCK:STATUS, wrong_signature={"|".join(SIGNATURES)}
"""


class UsageError(Exception):
    """A wrong call."""


@dataclass(slots=True)
class Options:
    """See ``USAGE``."""

    program: list[str] = field(default_factory=list)
    is_help: bool = False
    is_terminal: bool = False
    model: str = "EG25-G"
    credentials: Path | None = None
    eid: str | None = None
    state: Path | None = None
    has_profiles: bool = False
    is_iot: bool = False
    has_servers: bool = False
    ca: Path | None = None
    hosts: dict[str, str] = field(default_factory=dict)
    is_direct: bool = False
    channels: int = 3
    isdr: bytes | None = None
    trace: Path | None = None
    faults: dict[str, Any] = field(default_factory=dict)


def read_options(argv: Sequence[str]) -> Options:
    """From the arguments and the environment; ``UsageError`` and ``GetoptError``."""
    own = list(argv)
    made = Options()
    if "--stdio" in own:
        at = own.index("--stdio")
        own, made.program = own[:at], own[at + 1 :]
        if not made.program:
            raise UsageError("--stdio needs a program")
    pairs, rest = getopt.getopt(own, "h", LONG)
    if rest:
        raise UsageError(f"{rest[0]!r} is no option")
    made.ca = Path(os.environ[CA_VARIABLE]) if os.environ.get(CA_VARIABLE) else None
    for one in filter(None, map(str.strip, os.environ.get(HOSTS_VARIABLE, "").split(","))):
        add_host(made, one)
    for name, value in pairs:
        take(made, name, value)
    if not (made.is_help or made.is_terminal or made.program):
        raise UsageError("say --stdio PROGRAM or --at")
    return made


def take(made: Options, name: str, value: str) -> None:
    """One option."""
    match name:
        case "-h" | "--help":
            made.is_help = True
        case "--at":
            made.is_terminal = True
        case "--model" | "--eid":
            setattr(made, name[2:], value)
        case "--credentials" | "--state" | "--ca" | "--trace":
            setattr(made, name[2:], Path(value))
        case "--profiles" | "--servers":
            setattr(made, f"has_{name[2:]}", True)
        case "--iot" | "--direct":
            setattr(made, f"is_{name[2:]}", True)
        case "--host":
            add_host(made, value)
        case "--channels":
            made.channels = number(name, value, 1, 19)
        case "--isdr":
            made.isdr = octets(name, value)
        case "--fault":
            add_fault(made, value)


def add_host(made: Options, value: str) -> None:
    """NAME=IP:PORT."""
    if not PLACE.fullmatch(value):
        raise UsageError(f"{value!r:.80} is not NAME=IP:PORT")
    host, _, place = value.partition("=")
    made.hosts[host.lower()] = place


def add_fault(made: Options, value: str) -> None:
    """NAME or NAME=VALUE."""
    name, _, wanted = value.partition("=")
    if name in FLAGS and not wanted:
        made.faults[name] = True
    elif name in NUMBERS:
        made.faults[name] = number(name, wanted, 1, 10_000)
    elif name in SECONDS:
        made.faults[name] = float(number(name, wanted, 0, 600))
    elif name == "wrong_signature" and wanted in SIGNATURES:
        made.faults[name] = wanted
    elif name == "status_at" and (found := re.fullmatch(r"(\d{1,5}):([0-9A-Fa-f]{4})", wanted)):
        made.faults[name] = (int(found[1]), int(found[2], 16))
    else:
        raise UsageError(f"{value!r:.80} is no fault")


def number(name: str, value: str, least: int, most: int) -> int:
    """A decimal number of a range."""
    if not re.fullmatch(r"\d{1,6}", value) or not least <= int(value) <= most:
        raise UsageError(f"{name} is a number from {least} to {most}")
    return int(value)


def octets(name: str, value: str) -> bytes:
    """One to sixteen octets in hex."""
    try:
        found = bytes.fromhex(value)
    except ValueError:
        found = b""
    if not 1 <= len(found) <= 16:
        raise UsageError(f"{name} is 1 to 16 octets in hex")
    return found
