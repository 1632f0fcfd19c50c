"""``remsim esim direct …``: the LPA on a card that no service has: on an AT port, in a reader, or a virtual one.

For cards on a bench, for a router whose service does not run, and for tests against foreign servers and cards.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.core.errors import InvalidInput, RemsimError
from remsim.job_cli import agreed, asked
from remsim.modem_print import print_json, printable

if TYPE_CHECKING:
    from remsim.esim.download import Consent, Metadata
    from remsim.esim.engine import Engine
    from remsim.esim.es10.notifications import Notification
    from remsim.esim.es10.profiles import Profile
    from remsim.esim.transport import Way

WAYS = ("cgla", "csim")


def add_direct(below: Any) -> None:
    """Add ``direct`` to the verbs of ``remsim esim``."""
    direct = below.add_parser("direct", help="work on a card that no service has, on an AT port or in a card reader")
    card = direct.add_mutually_exclusive_group(required=True)
    card.add_argument("--port", metavar="TTY", help="a modem's AT port; the service must not have it open")
    card.add_argument("--reader", metavar="NAME", nargs="?", const="", help="a card reader (PC/SC); the first one")
    card.add_argument("--virtual", type=Path, metavar="DIR", help="a virtual card with the credentials in there")
    direct.add_argument("--card-state", type=Path, metavar="FILE", help="where a virtual card keeps its profiles")
    direct.add_argument("--way", choices=WAYS, help="by which commands of an AT port (default: the first that goes)")
    direct.add_argument("--block-size", type=int, default=120, metavar="N", help="octets a command, 6 to 255")
    direct.add_argument("--aid", metavar="HEX", help="another name of the card's ISD-R")
    direct.add_argument("--imei", help="tell servers this serial number")
    direct.add_argument("--ca", type=Path, metavar="FILE", help="trust these authorities, too: for laboratories")
    direct.add_argument("--host", action="append", default=[], metavar="NAME=IP:PORT", help="where a name is instead")
    verbs = direct.add_subparsers(required=True, metavar="VERB")
    for name, (run, text, words) in VERBS.items():
        made = verbs.add_parser(name, help=text)
        for word in words:
            made.add_argument(word, metavar=word.upper())
        made.set_defaults(run=run_direct, work=run)
        if name == "download":
            made.add_argument("--confirmation-code", metavar="CODE", help="- to type it")
            made.add_argument("--nickname")
            made.add_argument("--yes", action="store_true", help="agree to the profile beforehand")
        if name in ("enable", "disable"):
            made.add_argument("--no-refresh", action="store_true", help="do not have the modem read the card anew")
        if name in ("discover",):
            made.add_argument("--server", metavar="ADDRESS", help="another discovery server than the card's")


def run_direct(arguments: argparse.Namespace) -> int:
    """Open the card, do one thing, let it go."""
    from remsim.config.esim import EsimSettings
    from remsim.core.clock import SystemClock
    from remsim.esim.engine import opened
    from remsim.esim.trust import Trust, read_places

    if not 6 <= arguments.block_size <= 255:
        raise InvalidInput("a block has 6 to 255 octets", field="--block-size")
    aids = (arguments.aid,) if arguments.aid else ()
    settings = EsimSettings(block_size=arguments.block_size, isdr_aids=aids)
    with (
        ways_of(arguments) as ways,
        opened(
            ways,
            settings=settings,
            trust=Trust((arguments.ca,) if arguments.ca else ()),
            hosts=read_places(arguments.host, "--host"),
            clock=SystemClock(),
            imei=arguments.imei,
        ) as engine,
    ):
        return int(arguments.work(engine, arguments))


@contextlib.contextmanager
def ways_of(arguments: argparse.Namespace) -> Iterator[list[Way]]:
    """The ways to the card that was named."""
    if arguments.port is not None:
        with port_ways(arguments.port, arguments.way) as ways:
            yield ways
    elif arguments.reader is not None:
        from remsim.esim.pcsc import PcscWay, reader_names

        names = reader_names()
        found = arguments.reader or next(iter(names), None)
        if found not in names:
            text = f"there is no card reader {found!r}" if found else "there is no card reader"
            raise InvalidInput(text, field="--reader", hint=", ".join(names) or "is pcscd running?")
        yield [PcscWay(found)]
    else:
        try:
            from remsim.simulator.euicc.way import virtual_way
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "cryptography":
                raise
            text = "a virtual card needs the package cryptography"
            raise RemsimError(text, hint="pip install 'remsim[demo]'") from error

        yield [virtual_way(arguments.virtual, arguments.card_state)]


@contextlib.contextmanager
def port_ways(port: str, only: str | None) -> Iterator[list[Way]]:
    """The ways over an AT port."""
    from remsim.core.clock import SystemClock
    from remsim.modems.card.cgla import CglaWay
    from remsim.modems.card.csim import CsimWay
    from remsim.modems.channel import Channel
    from remsim.modems.record_port import shake_hands

    clock = SystemClock()
    channel = Channel(port, clock=clock, on_urc=lambda line: None)
    channel.open()
    try:
        shake_hands(channel, port)
        ways: list[Way] = [CglaWay(lambda: channel, clock.sleep), CsimWay(lambda: channel)]
        yield [way for way in ways if only in (None, way.kind)]
    finally:
        channel.dispose()


def run_info(engine: Engine, arguments: argparse.Namespace) -> int:
    """What the card tells of itself."""
    euicc = engine.euicc
    found = {"eid": euicc.eid(), "way": engine.way, **asdict(euicc.addresses()), **asdict(euicc.info2())}
    return print_json(found | {"managed_by": engine.managed_by()})


def run_list(engine: Engine, arguments: argparse.Namespace) -> int:
    """The profiles."""
    return print_json([profile_row(one) for one in engine.euicc.profiles(icons=False)])


def run_download(engine: Engine, arguments: argparse.Namespace) -> int:
    """Show what was found, ask, load; then tell the operator."""
    from remsim.esim.activation import parse
    from remsim.esim.download import Consent

    def consent(metadata: Metadata, needs_code: bool, wrong_code: bool) -> Consent | None:
        name = printable(metadata.name or "a profile without a name")
        print(f"Found: {name} of {printable(metadata.provider or 'an unnamed operator')}", file=sys.stderr)
        if arguments.yes:
            return Consent(not (needs_code and (wrong_code or not typed)), typed)
        accepted = agreed("Download it?")
        return Consent(accepted, asked("confirmation code") if accepted and needs_code else None)

    told: set[str] = set()

    def progress(step: str, fraction: float | None) -> None:
        text = step if fraction is None else f"{step}: {int(fraction * 10) * 10} %"
        if text not in told:
            told.add(text)
            print(text, file=sys.stderr)

    code = arguments.code if arguments.code != "-" else asked("activation code")
    typed = arguments.confirmation_code
    typed = asked("confirmation code") if typed == "-" else typed
    installed = engine.download(
        parse(code),
        confirmation_code=typed,
        consent=consent,
        progress=progress,
        is_aborted=lambda: False,
        nickname=arguments.nickname,
    )
    tell_all(engine)
    return print_json(profile_row(installed.profile))


def run_discover(engine: Engine, arguments: argparse.Namespace) -> int:
    """What waits for this card."""
    return print_json([one._asdict() for one in engine.discover(arguments.server)])


def run_enable(engine: Engine, arguments: argparse.Namespace) -> int:
    """Switch; the modem reads its card anew by itself, or at its next restart."""
    engine.euicc.enable(profile_of(engine, arguments.profile), refresh=not arguments.no_refresh)
    return 0


def run_disable(engine: Engine, arguments: argparse.Namespace) -> int:
    """Without another one enabled there is no service."""
    engine.euicc.disable(profile_of(engine, arguments.profile), refresh=not arguments.no_refresh)
    return 0


def run_delete(engine: Engine, arguments: argparse.Namespace) -> int:
    """For good; the operator is told at once."""
    engine.euicc.delete(profile_of(engine, arguments.profile))
    tell_all(engine)
    return 0


def run_rename(engine: Engine, arguments: argparse.Namespace) -> int:
    """An empty name takes the nickname away."""
    engine.euicc.set_nickname(profile_of(engine, arguments.profile), arguments.nickname)
    return 0


def run_notifications(engine: Engine, arguments: argparse.Namespace) -> int:
    """What operators have not been told."""
    return print_json([notification_row(one) for one in engine.euicc.notifications()])


def run_tell(engine: Engine, arguments: argparse.Namespace) -> int:
    """Tell operators all that waits."""
    return tell_all(engine)


def tell_all(engine: Engine) -> int:
    """Each address in its order; what one does not take keeps the later ones of that address back."""
    stopped: set[str] = set()
    for one in engine.euicc.notifications():
        if one.address in stopped:
            continue
        try:
            engine.tell(one)
            engine.euicc.remove_notification(one.seq)
        except RemsimError as error:
            stopped.add(one.address)
            print(f"{one.address} was not told of {one.operation} {one.seq}: {error.message}", file=sys.stderr)
    return 1 if stopped else 0


def profile_of(engine: Engine, name: str) -> Profile:
    """The one profile that is meant by its ICCID, AID or name."""
    wanted = name.casefold()
    profiles = engine.euicc.profiles(icons=False)
    found = [
        one
        for one in profiles
        if wanted in ((one.iccid or "").casefold(), (one.aid or b"").hex(), *map(folded, (one.nickname, one.name)))
    ]
    if len(found) != 1:
        names = ", ".join(filter(None, (one.iccid for one in profiles))) or "none"
        raise InvalidInput(f"there is no one profile {name[:40]!r}", field="PROFILE", hint=f"there are: {names}")
    return found[0]


def folded(text: str | None) -> str | None:
    return None if text is None else text.casefold()


def profile_row(profile: Profile) -> dict[str, Any]:
    """For JSON. Who holds the card may see its numbers."""
    row = asdict(profile)
    del row["iccid_raw"], row["icon"], row["icon_type"]
    return row | {"aid": None if profile.aid is None else profile.aid.hex(), "policy": sorted(profile.policy)}


def notification_row(one: Notification) -> dict[str, Any]:
    """For JSON."""
    return {"seq": one.seq, "operation": one.operation, "address": one.address, "iccid": one.iccid}


Work = Callable[["Engine", argparse.Namespace], int]
VERBS: dict[str, tuple[Work, str, tuple[str, ...]]] = {
    "info": (run_info, "what the card tells of itself", ()),
    "list": (run_list, "its profiles", ()),
    "download": (run_download, "download a profile", ("code",)),
    "discover": (run_discover, "what waits for this card", ()),
    "enable": (run_enable, "switch to a profile", ("profile",)),
    "disable": (run_disable, "disable a profile", ("profile",)),
    "delete": (run_delete, "delete a profile for good", ("profile",)),
    "rename": (run_rename, "give a profile a nickname", ("profile", "nickname")),
    "notifications": (run_notifications, "what operators have not been told", ()),
    "tell": (run_tell, "tell operators all that waits", ()),
}
