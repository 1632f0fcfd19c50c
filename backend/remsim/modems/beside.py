"""When a modem is read by its QMI or MBIM device: it has no AT port, or other programs have all of them."""

from __future__ import annotations

from collections.abc import Iterable

from remsim.core.errors import PortBusy
from remsim.modems.detect import Found
from remsim.modems.holders import Holder

PORTLESS_S = 10.0
"""A modem without AT port gets so long to show one before its QMI or MBIM device is used: drivers bind one by one."""
BESIDE_S = 60.0
"""How often it is looked whether an AT port has become free while the modem is read without one."""


class Beside:
    """The choice between a modem's AT ports and its control device. ``now`` is monotonic."""

    def __init__(self) -> None:
        self._portless_since: float | None = None
        self._until: float | None = None

    def is_way(self, found: Found, now: float) -> bool:
        """Whether the next session goes over the control device; asked once for each."""
        if found.control_port is not None and (not found.at_ports or now < (self._until or now)):
            return True
        self._portless_since = self._until = None
        return False

    def is_portless_for_good(self, found: Found, now: float) -> bool:
        """Whether a modem that shows no AT port is to be read by its control device."""
        if self._portless_since is None:
            self._portless_since = now
        return found.control_port is not None and now - self._portless_since >= PORTLESS_S

    def takes_over(self, found: Found, error: PortBusy, now: float) -> bool:
        """Whether the modem can be read without the AT port that another program has; a hint says what that takes."""
        control = found.control_port
        if control is None or error.port == control.path:
            return False
        from remsim.modems.control_port import TOOLS, is_installed  # few modems need it

        if not is_installed(control.protocol):
            error.hint = f"{error.hint}; or {TOOLS[control.protocol].hint} to read it by {control.protocol.upper()}"
            return False
        self._until = now + BESIDE_S
        return True

    def has_free_at_port(self, found: Found, others: Iterable[Holder], now: float) -> bool:
        """Whether an AT port has come, or has become free, while the modem is read without one."""
        if self._until is not None and now < self._until:
            return False
        taken = {holder.path for holder in others}
        if any(port not in taken for port in found.at_ports):
            self._until = None
            return True
        if found.at_ports:
            self._until = now + BESIDE_S
        return False
