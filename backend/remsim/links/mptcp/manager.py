"""MPTCP as a whole: endpoints follow the links, the proxy runs while a server is named, connections are led to it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any

from remsim.config.mptcp import MptcpSettings, check_mptcp
from remsim.core.clock import Clock
from remsim.core.errors import RemsimError
from remsim.core.routes import LinkView
from remsim.core.small_dataclass import dataclass
from remsim.links.kernel.nft import Nft
from remsim.links.mptcp.endpoints import Endpoint, PathManager, is_supported, read_sysctls
from remsim.links.mptcp.redirect import lan_of, no_table, table_of
from remsim.links.plane import Addresses

log = logging.getLogger(__name__)

PROXY = "remsim.links.mptcp.proxy.server"
AGAIN_S, LAN_AGAIN_S = 10.0, 10.0
END_S = 2.0
BACKUP_TAG = "backup"


@dataclass(frozen=True, slots=True)
class MptcpStatus:
    """MPTCP now. ``counts`` are what the proxy says of itself; empty before its first word."""

    settings: MptcpSettings
    endpoints: tuple[Endpoint, ...] = ()
    is_proxy_running: bool = False
    is_redirecting: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    problem: RemsimError | None = None


class Mptcp:
    """``tick`` is called about once a second, one at a time, by a thread that may wait, and does what there is to do;
    others may be called from any thread. ``addresses`` asks the kernel for a device's, ``lan`` names the LAN's devices.
    """

    def __init__(
        self,
        clock: Clock,
        addresses: Callable[[str], Addresses],
        lan: Callable[[], Sequence[str]],
        *,
        paths: PathManager | None = None,
        nft: Callable[[], Nft] = Nft,
    ) -> None:
        self._clock, self._addresses, self._lan = clock, addresses, lan
        self._paths = paths or PathManager()
        self._make_nft = nft
        self._nft: Nft | None = None
        self._wanted = MptcpSettings()
        self._running = MptcpSettings()
        self._endpoints: tuple[Endpoint, ...] = ()
        self._child: subprocess.Popen[bytes] | None = None
        self._is_redirected = False
        self._told_links: tuple[int, ...] | None = None
        self._lines = b""
        self._counts: dict[str, int] = {}
        self._not_before = self._lan_at = float("-inf")
        self._problem: RemsimError | None = None

    def configure(self, settings: MptcpSettings) -> None:
        """Put changed settings in force with the next tick."""
        self._wanted = settings

    def tick(self, views: Sequence[LinkView]) -> None:
        """Have endpoints and proxy as links and settings want them. Raises nothing: ``status`` says what is wrong."""
        wanted, at = self._wanted, self._clock.monotonic()
        is_new = wanted != self._running
        if at < self._not_before and not is_new:
            return
        try:
            if is_new:
                self._end_proxy()
                self._running = wanted
            if not wanted.enabled:
                if is_new:
                    self._let_go()
            elif self._is_able():
                check_mptcp(wanted)
                self._follow(views)
                if wanted.server:
                    self._keep_proxy(at)
            self._problem = None
        except RemsimError as error:
            if self._problem is None or self._problem.message != error.message:
                log.warning("MPTCP: %s", error.message)
            self._problem = error
            self._not_before = at + AGAIN_S

    def stop(self) -> None:
        """Leave the kernel as it was found."""
        self._wanted = self._running = MptcpSettings()
        try:
            self._end_proxy()
            self._let_go()
        except RemsimError as error:
            log.warning("MPTCP: %s", error.message)
        if self._nft is not None:
            self._nft.close()
            self._nft = None

    def status(self) -> MptcpStatus:
        """What is so now."""
        child = self._child
        is_running = child is not None and child.poll() is None
        return MptcpStatus(
            self._running, self._endpoints, is_running, self._is_redirected, dict(self._counts), self._problem
        )

    def _is_able(self) -> bool:
        if is_supported(read_sysctls()):
            return True
        raise RemsimError(
            "this kernel has no MPTCP, or it is switched off",
            hint="It needs CONFIG_MPTCP and net.mptcp.enabled=1 with the kernel's path manager.",
            code="mptcp_missing",
        )

    def _follow(self, views: Sequence[LinkView]) -> None:
        """Have an endpoint for each link in use: one whose link fails goes, and its subflows close at once."""
        is_ipv6 = ":" in self._running.server
        wanted = []
        for view in views:
            if not view.is_usable or view.device is None:
                continue
            found = self._addresses(view.device)
            address = found.address6 if is_ipv6 else found.address4 or found.address6
            if address:
                plain = address.partition("/")[0]
                is_backup = BACKUP_TAG in view.tags or view.cap_state == "slow"
                wanted.append(Endpoint(view.index, plain, view.device, is_backup))
        self._paths.apply(wanted)
        self._endpoints = tuple(wanted)

    def _keep_proxy(self, at: float) -> None:
        child = self._child
        if child is not None and child.poll() is not None:
            self._end_proxy()
            raise RemsimError(
                f"the MPTCP proxy has ended (status {child.returncode})",
                hint=f"Is port {self._running.local_port} taken by another program?",
                code="mptcp_proxy",
            )
        if child is None:
            child = self._begin_proxy()
        self._tell_links(child)
        self._read_counts(child)
        if self._running.ports and not self._is_redirected:
            self._table(table_of(self._running))
            self._is_redirected = True
            self._lan_at = float("-inf")
        if self._is_redirected and at - self._lan_at >= LAN_AGAIN_S:
            self._lan_at = at
            text = lan_of(self._lan())
            if text:
                self._table(text)

    def _begin_proxy(self) -> subprocess.Popen[bytes]:
        settings = self._running
        try:
            child = subprocess.Popen(
                [sys.executable, "-m", PROXY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise RemsimError(f"the MPTCP proxy cannot be started: {error.strerror}", code="mptcp_proxy") from error
        self._child, self._told_links, self._lines = child, None, b""
        assert child.stdout is not None
        os.set_blocking(child.stdout.fileno(), False)
        told = ("server", "port", "user", "password", "local_port", "fallback")
        self._tell(child, {name: getattr(settings, name) for name in told})
        return child

    def _tell_links(self, child: subprocess.Popen[bytes]) -> None:
        links = tuple(one.index for one in self._endpoints if not one.is_backup) or tuple(
            one.index for one in self._endpoints
        )
        if links != self._told_links:
            self._tell(child, {"links": links})
            self._told_links = links

    def _tell(self, child: subprocess.Popen[bytes], line: dict[str, Any]) -> None:
        assert child.stdin is not None
        try:
            child.stdin.write(json.dumps(line).encode() + b"\n")
            child.stdin.flush()
        except OSError as error:
            raise RemsimError("the MPTCP proxy has ended", code="mptcp_proxy") from error

    def _read_counts(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        try:
            self._lines += os.read(child.stdout.fileno(), 65536)
        except (BlockingIOError, OSError):
            return
        *lines, self._lines = self._lines.split(b"\n")
        if lines:
            try:
                self._counts = {str(name): int(value) for name, value in json.loads(lines[-1]).items()}
            except (ValueError, AttributeError, TypeError):
                log.debug("the proxy said %r", lines[-1][:80])

    def _end_proxy(self) -> None:
        """No connection is redirected to a proxy that is not there."""
        child, self._child = self._child, None
        try:
            if self._is_redirected:
                self._table(no_table())
                self._is_redirected = False
        finally:
            if child is not None:
                for stream in (child.stdin, child.stdout):
                    if stream is not None:
                        close_quietly(stream)
                try:
                    child.wait(END_S)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
            self._counts = {}

    def _let_go(self) -> None:
        if self._endpoints or self._paths.has_begun:
            self._paths.stop()
        self._endpoints = ()

    def _table(self, text: str) -> None:
        if self._nft is None:
            self._nft = self._make_nft()
        self._nft.run(text)


def close_quietly(stream: Any) -> None:
    """Close a pipe whose other end may have gone."""
    try:
        stream.close()
    except OSError:
        return

