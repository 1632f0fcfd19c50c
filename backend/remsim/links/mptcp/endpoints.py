"""The addresses that the kernel may begin subflows from: one a link that is in use.

From each the kernel's path manager begins a subflow to where an MPTCP connection leads. Ids 1 to 8 are those of links;
others are left alone. A subflow of an endpoint is bound to its device, and so led by the link's own table.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from remsim.core.errors import RemsimError
from remsim.core.routes import MOST_LINKS
from remsim.core.small_dataclass import dataclass

PROGRAM = "ip"
TIMEOUT_S = 5.0
SYSCTLS = Path("/proc/sys/net/mptcp")
SHOWN = (
    *("enabled", "path_manager", "pm_type", "scheduler", "stale_loss_cnt", "blackhole_timeout", "checksum_enabled"),
    *("add_addr_timeout", "allow_join_initial_addr_port", "syn_retrans_before_tcp_fallback"),
)
MOST_SUBFLOWS = 8
Run = Callable[[Sequence[str]], str]


class MptcpError(RemsimError):
    """The kernel's path manager does not take what it is given."""

    code = "mptcp_failed"
    http_status = 502


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A link's address. ``is_backup``: used only while no other works."""

    index: int
    address: str
    device: str
    is_backup: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Of the kernel: subflows beside the first that a connection may have, and addresses it may be told by its peer."""

    subflows: int
    add_addr_accepted: int


def run_ip(arguments: Sequence[str]) -> str:
    """What ``ip`` prints; ``MptcpError``."""
    try:
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except OSError as error:
        hint = "Install the package ip-full."
        raise MptcpError(f"the program ip cannot be run: {error.strerror}", hint=hint) from error
    except subprocess.TimeoutExpired as error:
        raise MptcpError(f"ip {' '.join(arguments)} takes longer than {TIMEOUT_S:g} s") from error
    if done.returncode:
        said = " ".join(done.stderr.split())[:200] or f"status {done.returncode}"
        raise MptcpError(f"ip {' '.join(arguments)}: {said}", hint="MPTCP needs a kernel with it and ip-full.")
    return done.stdout


def read_sysctls(root: Path = SYSCTLS) -> dict[str, str]:
    """The settings of the kernel's MPTCP; empty where it has none."""
    found = {}
    for name in SHOWN:
        try:
            found[name] = (root / name).read_text().strip()
        except OSError:
            continue
    return found


def is_supported(sysctls: Mapping[str, str]) -> bool:
    """Whether this kernel has MPTCP, switched on, with the path manager that takes endpoints."""
    manager = sysctls.get("path_manager", "kernel" if sysctls.get("pm_type", "0") == "0" else "")
    return sysctls.get("enabled") == "1" and manager == "kernel"


def parse_endpoints(text: str) -> list[Endpoint]:
    """Decode ``ip -j mptcp endpoint show``; ``MptcpError`` where it is something else."""
    try:
        rows = json.loads(text) if text.strip() else []
        return [
            Endpoint(int(row["id"]), str(row["address"]), str(row.get("dev", "")), bool(row.get("backup", False)))
            for row in rows
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MptcpError("ip mptcp endpoint prints something unreadable") from error


def parse_limits(text: str) -> Limits:
    """Decode ``ip mptcp limits show``: ``add_addr_accepted 0 subflows 2``."""
    words = text.split()
    found = dict(zip(words[::2], words[1::2], strict=False))
    try:
        return Limits(int(found["subflows"]), int(found["add_addr_accepted"]))
    except (ValueError, KeyError) as error:
        raise MptcpError("ip mptcp limits prints something unreadable") from error


class PathManager:
    """Keeps endpoints as they are wanted. For one thread."""

    def __init__(self, run: Run = run_ip) -> None:
        self._run = run
        self._limits_before: Limits | None = None
        self._kept: dict[int, Endpoint] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the kernel's limits or endpoints are ours now."""
        return self._kept is not None or self._limits_before is not None

    def start(self) -> None:
        """Raise the limits and look at what is there, such as a run that ended badly has left."""
        limits = self.limits()
        wanted = Limits(MOST_SUBFLOWS, MOST_SUBFLOWS)
        if limits != wanted:
            self._limits_before = limits
            self._set_limits(wanted)
        self._kept = {one.index: one for one in self.endpoints() if one.index <= MOST_LINKS}

    def apply(self, wanted: Sequence[Endpoint]) -> bool:
        """Have these endpoints and no others of links; False when they were so already."""
        if self._kept is None:
            self.start()
        kept: dict[int, Endpoint] = self._kept or {}
        target = {one.index: one for one in wanted}
        if kept == target:
            return False
        self._kept = None  # to be read again if anything fails
        for index, one in kept.items():
            if target.get(index) != one:
                self._run(["mptcp", "endpoint", "delete", "id", str(index)])
        for index, one in target.items():
            if kept.get(index) != one:
                flags = ["subflow", "backup"] if one.is_backup else ["subflow"]
                place = ["dev", one.device, "id", str(index)]
                self._run(["mptcp", "endpoint", "add", one.address, *place, *flags])
        self._kept = target
        return True

    def stop(self) -> None:
        """Take all endpoints of links away and set the limits back."""
        self.apply(())
        if self._limits_before is not None:
            self._set_limits(self._limits_before)
            self._limits_before = None
        self._kept = None

    def endpoints(self) -> list[Endpoint]:
        """Those of the kernel, also of others."""
        return parse_endpoints(self._run(["-j", "mptcp", "endpoint", "show"]))

    def limits(self) -> Limits:
        """Those of the kernel."""
        return parse_limits(self._run(["mptcp", "limits", "show"]))

    def _set_limits(self, limits: Limits) -> None:
        numbers = ["subflows", str(limits.subflows), "add_addr_accepted", str(limits.add_addr_accepted)]
        self._run(["mptcp", "limits", "set", *numbers])
