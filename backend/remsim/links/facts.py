"""What a link is made of: the modem behind it, and the device it has now."""

from __future__ import annotations

from collections.abc import Callable

from remsim.config.routing import LinkSettings
from remsim.core.small_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ModemFacts:
    """What a link's modem says of itself; None is unknown.

    ``place`` is its USB path or PCI address. ``country`` is ISO 3166-1 alpha-2 of the network it is in, ``plmn`` that
    network's number, ``home_plmn`` the SIM's. ``is_online``: registered for data.
    """

    place: str
    modem: str
    name: str
    device: str | None = None
    sim: str | None = None
    carrier: str | None = None
    plmn: str | None = None
    home_plmn: str | None = None
    country: str | None = None
    is_roaming: bool | None = None
    is_online: bool | None = None


@dataclass(frozen=True, slots=True)
class Around:
    """What links ask of the rest of the router; each may be called from any thread.

    ``modem_at`` gives a modem by its place, ``device_of`` the kernel's name of a netifd interface (asks ubus: slow),
    ``lan`` the devices of the LAN where no option names them. The last two raise RemsimError while netifd is away.
    """

    modem_at: Callable[[str], ModemFacts | None]
    device_of: Callable[[str], str | None]
    lan: Callable[[], tuple[str, ...]]

    def facts(self, link: LinkSettings) -> ModemFacts | None:
        """The modem of a link, when it has one that is there."""
        return self.modem_at(link.modem) if link.modem else None

    def device(self, link: LinkSettings) -> str | None:
        """The kernel's name of what a link is made of, None while it is not there."""
        if link.device:
            return link.device
        if link.interface:
            return self.device_of(link.interface)
        facts = self.facts(link)
        return None if facts is None else facts.device
