"""What the views share: one object kept with the application."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from flask import current_app

from remsim.core.small_dataclass import dataclass
from remsim.web.auth import Accounts, Guard, Tickets
from remsim.web.broker import Broker
from remsim.web.takeover import KEY

if TYPE_CHECKING:
    from remsim.router import Router
    from remsim.web.streams import Streams


@dataclass(frozen=True, slots=True)
class Services:
    """The router and the web layer's own parts."""

    router: Router
    broker: Broker
    streams: Streams
    tickets: Tickets
    guard: Guard
    accounts: Accounts
    static_dir: Path


def services() -> Services:
    """The parts of the application that serves this request."""
    return cast(Services, current_app.extensions[KEY])
