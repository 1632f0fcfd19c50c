"""The router's network interfaces through ``ubus``: who carries a modem's data, and its switch."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

from remsim.core.errors import RemsimError
from remsim.core.small_dataclass import dataclass

TIMEOUT_S = 15.0
NAME = re.compile(r"[A-Za-z0-9_.-]{1,32}\Z")


class NetifdError(RemsimError):
    """netifd does not do what is asked."""

    code = "netifd_error"
    http_status = 502


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface of ``/etc/config/network`` as netifd sees it. ``device`` is the kernel's name."""

    name: str
    proto: str
    is_up: bool
    is_pending: bool
    device: str | None
    addresses: tuple[str, ...]
    errors: tuple[str, ...]


class Netifd:
    """Calls ``ubus`` without a shell. A simulated router does not use its host's (``is_used``)."""

    def __init__(self, *, is_used: bool = True) -> None:
        self._is_used = is_used

    @property
    def is_here(self) -> bool:
        """Whether there is a netifd to be asked; not so on plain Debian."""
        return self._tool() is not None

    def _tool(self) -> str | None:
        return shutil.which("ubus") if self._is_used else None

    def interfaces(self) -> list[Interface]:
        """All of them; ``NetifdError``."""
        return [interface_of(one) for one in self._call("network.interface", "dump").get("interface", [])]

    def status(self, name: str) -> Interface:
        """One interface's state."""
        return interface_of({"interface": name, **self._call(f"network.interface.{checked(name)}", "status")})

    def carrying(self, device: str | None) -> Interface | None:
        """The interface over a kernel device, the one that has an address before its IPv6 twin."""
        if device is None or not self.is_here:
            return None
        found = [one for one in self.interfaces() if one.device == device]
        return min(found, key=lambda one: (not one.addresses, one.name), default=None)

    def up(self, name: str) -> None:
        """Dial; the answer comes before the connection does."""
        self._call(f"network.interface.{checked(name)}", "up")

    def down(self, name: str) -> None:
        """Hang up."""
        self._call(f"network.interface.{checked(name)}", "down")

    def reload(self) -> None:
        """Read ``/etc/config/network`` again; interfaces that have changed are set up anew."""
        self._call("network", "reload")

    def _call(self, target: str, method: str) -> dict[str, Any]:
        tool = self._tool()
        if tool is None:
            raise NetifdError("there is no ubus here, so no netifd", hint="the connection is made by something else")
        try:
            command = [tool, "call", target, method]
            done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NetifdError(f"ubus call {target} {method} failed: {error}") from error
        if done.returncode:
            told = done.stderr.decode("utf-8", "replace").strip()[:200]
            raise NetifdError(f"ubus call {target} {method}: {told or f'code {done.returncode}'}")
        try:
            answer = json.loads(done.stdout or b"{}")
        except ValueError as error:
            raise NetifdError(f"ubus call {target} {method} answered something unreadable") from error
        return answer if isinstance(answer, dict) else {}


def checked(name: str) -> str:
    """A name that is one word of a ubus path."""
    if not NAME.match(name):
        raise NetifdError(f"{name[:40]!r} is no name of an interface", field="network")
    return name


def interface_of(told: dict[str, Any]) -> Interface:
    """One object of ``network.interface``."""
    addresses = [*told.get("ipv4-address", []), *told.get("ipv6-address", [])]
    errors = [" ".join([str(one.get("code", "")), *map(str, one.get("data") or [])]) for one in told.get("errors", [])]
    return Interface(
        name=str(told.get("interface", "")),
        proto=str(told.get("proto", "none")),
        is_up=told.get("up") is True,
        is_pending=told.get("pending") is True,
        device=told.get("l3_device") or told.get("device"),
        addresses=tuple(str(one.get("address")) for one in addresses),
        errors=tuple(errors),
    )
