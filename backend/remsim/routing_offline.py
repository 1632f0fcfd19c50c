"""Policies of a file, asked without the service: with the links as they are configured, taken to be up."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.core.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from remsim.config.routing import LinkSettings, Routing
    from remsim.core.routes import LinkView, Loaded, Program, RingSpec
    from remsim.policies.desk import PolicyDesk
    from remsim.policies.facts import Share

LARGEST_FILE = 1024 * 1024
TAKEN_UP = "links are taken to be up, as the service was not asked"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def read_policies(name: str) -> str:
    """The text of a file, or of stdin; too long a one is cut, and then refused for that."""
    try:
        if name == "-":
            content = sys.stdin.buffer.read(LARGEST_FILE + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read: {error.strerror}", field="FILE") from error
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= LARGEST_FILE - 3:  # cut within a letter
            return content.decode("utf-8", "replace")
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        refused = InvalidInput(f"{name}, line {line}: is not UTF-8 text", field="FILE")
        refused.problems = [{"line": line, "column": column, "message": "this is not UTF-8 text", "expected": []}]
        raise refused from error


def write_policies(name: str, text: str) -> None:
    """Replace the text of a file, which keeps its rights."""
    from remsim.core.files import write_atomically

    if name == "-":
        raise InvalidInput("stdin cannot be written to", field="--write", hint="name a file")
    try:
        path = Path(name).resolve(strict=True)  # a link stays one
        write_atomically(path, text.encode(), mode=path.stat().st_mode & 0o777)
    except OSError as error:
        raise InvalidInput(f"{name} cannot be written: {error.strerror}", field="FILE") from error


def desk_of(config: Path | None, state: Path | None) -> PolicyDesk:
    """Policies of this router that nothing has put in force here."""
    from remsim.config.routing_file import load_routing
    from remsim.config.settings import usable_settings
    from remsim.core.clock import SystemClock
    from remsim.core.local_zone import LOCAL
    from remsim.policies.desk import PolicyDesk
    from remsim.policies.facts import Facts
    from remsim.serve import DEFAULT_CONFIG_DIR

    config_dir = config or DEFAULT_CONFIG_DIR
    routing, problems = load_routing(config_dir)
    for problem in problems:
        print(f"remsim: {problem.message}", file=sys.stderr)
    views = tuple(view_of(link) for link in routing.links)
    settings = routing.globals
    facts = Facts(
        links=views,
        now=time.time(),
        zone=LOCAL,
        router_country=settings.router_country or next((one.country for one in views if one.country), None),
        devices=settings.lan,
        are_files_here=False,
    )
    state_dir = state or Path(usable_settings(config_dir)[0].service.state_dir)
    traffic = Configured(routing, views)
    return PolicyDesk(
        state_dir=state_dir,
        data_dir=state_dir,
        clock=SystemClock(),
        emit=lambda event: None,
        routing=routing,
        facts=lambda: facts,
        traffic=lambda: traffic,
        learns=False,
    )


def view_of(link: LinkSettings) -> LinkView:
    """A link as it is configured, at the beginning of its billing cycle."""
    from remsim.core.routes import LinkView
    from remsim.links.money.tariff import tariff_of

    tariff = tariff_of(link, None)
    return LinkView(
        link.index or 0,
        link.name,
        link.title,
        "up" if link.enabled else "off",
        device=link.device or link.interface or None,
        weight=link.weight,
        priority=link.priority,
        tags=link.tags,
        is_metered=link.metered,
        carrier=link.carrier or None,
        country=link.country or None,
        down_bps=None if link.down_kbit is None else link.down_kbit * 1000.0,
        up_bps=None if link.up_kbit is None else link.up_kbit * 1000.0,
        cost_per_gb_minor=None if tariff is None else tariff.next_gb_minor(0),
        overage_per_gb_minor=None if tariff is None else tariff.overage_per_gb_minor,
        currency="" if tariff is None else tariff.currency,
        remaining_bytes=None if tariff is None else tariff.cap_bytes,
    )


class Configured:
    """Links that can be asked about, and that carry nothing (a ``policies.facts.Traffic``)."""

    def __init__(self, routing: Routing, views: Sequence[LinkView]) -> None:
        self._routing, self._views = routing, views

    def load(self, program: Program) -> Loaded:
        """There is nothing to load into."""
        raise Conflict("only the service puts policies in force")

    def refill(self, chains: Mapping[int, Sequence[str]]) -> None:
        """The same."""
        raise Conflict("only the service puts policies in force")

    def add(self, set_name: str, elements: Sequence[str], timeout_s: int | None = None) -> None:
        """The same."""
        raise Conflict("only the service puts policies in force")

    def counters(self) -> Mapping[str, tuple[int, int]]:
        """Nothing was counted."""
        return {}

    def remade(self) -> int:
        """Nothing was ever made."""
        return 0

    def flows_by_policy(self) -> Mapping[int, tuple[int, int, int]]:
        """Nothing flows."""
        return {}

    def shares(self, ring: RingSpec, family: int | None = None) -> Sequence[Share] | None:
        """What a ring would give each link; which families they carry is not known here."""
        from remsim.links.asked import shares_of
        from remsim.policies.facts import Share

        found = shares_of(ring, self._views, self._routing)
        return None if found is None else [Share(link, percent) for link, percent in found.items()]

    def resolver_of(self, address: str) -> str | None:
        """Only netifd knows them."""
        return None

    def text_of(self, program: Program) -> str:
        """The table as nft text."""
        from remsim.links.asked import table_text

        return table_text(program, self._views, self._routing, self._routing.globals.lan)


def epoch_of(text: str, now: float | None = None) -> float:
    """``02:30`` (today), ``sat 02:30`` (the next one) or ``2026-01-31T02:30``, on the clock on the wall."""
    from datetime import datetime, timedelta

    today = datetime.fromtimestamp(time.time() if now is None else now).astimezone()
    day, _, hour = text.strip().lower().rpartition(" ")
    try:
        if day and day[:3] in DAYS:
            ahead = (DAYS.index(day[:3]) - today.weekday()) % 7
            found = datetime.fromisoformat(f"{(today + timedelta(days=ahead)).date()}T{clock_time(hour)}")
        elif not day and "-" not in hour and "t" not in hour:
            found = datetime.fromisoformat(f"{today.date()}T{clock_time(hour)}")
        else:
            found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput(
            f"{text[:40]!r} is no time", field="--at", hint="say 02:30, sat 02:30 or 2026-01-31T02:30"
        ) from None
    return found.timestamp()


def clock_time(text: str) -> str:
    """``2:30`` as ISO 8601 has it; ``ValueError``."""
    hour, _, minute = text.partition(":")
    if not (hour.isdigit() and minute.isdigit()):
        raise ValueError(text)
    return f"{int(hour):02}:{int(minute):02}"


def question_of(arguments: Any) -> dict[str, Any]:
    """The flow that is asked about, as the API takes it."""
    words = {
        "source": "src", "destination": "dst", "source_port": "sport", "port": "dport", "protocol": "protocol",
        "domain": "domain", "application": "application", "interface": "interface", "dscp": "dscp",
        "country": "country", "packet_size": "packet_size", "flow_size": "flow_size",
        "download_rate": "download_rate", "upload_rate": "upload_rate",
    }  # fmt: skip
    asked = {name: getattr(arguments, word) for name, word in words.items()}
    if arguments.at is not None:
        asked["at"] = epoch_of(arguments.at)
    return {name: value for name, value in asked.items() if value not in (None, "")}
