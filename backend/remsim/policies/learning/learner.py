"""What fills the sets of names: one thread that reads first packets, has dnsmasq and nDPI work, and tells what it does.

Only dnsmasq is in time for the flow that asked. What a hello or nDPI tells holds from the next flow to that address on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from remsim.core.clock import Clock
from remsim.core.errors import RemsimError
from remsim.core.small_dataclass import dataclass
from remsim.policies.facts import Wanted
from remsim.policies.learning.client_hello import Hello, Hellos
from remsim.policies.learning.crypto import Aes, NoCrypto
from remsim.policies.learning.dns_answer import parse_answer
from remsim.policies.learning.dnsmasq import ABSENT, Dnsmasq
from remsim.policies.learning.names import Additions, Names
from remsim.policies.learning.ndpi_process import NdpiProcess
from remsim.policies.learning.nflog import Nflog, NoLog
from remsim.policies.learning.packets import TCP, Packet, parse_packet
from remsim.policies.learning.patterns import SET_TIMEOUT_S
from remsim.policies.learning.quic import Initials
from remsim.policies.learning.rungs import rungs

log = logging.getLogger(__name__)

AGAIN_S = 60.0
"""What could not be done is tried again after this time."""
STOP_S = 15.0
PAUSE_S = 5.0
"""After a fault, so that packets that make one again and again cost little."""

Add = Callable[[str, Sequence[str], int | None], None]


@dataclass(frozen=True, slots=True)
class Switches:
    """Which rungs are on. ``names``: answers of DNS and hellos are read; ``dnsmasq`` fills sets where names ask for
    it; ``ndpi`` looks for applications."""

    names: bool = False
    ndpi: bool = False
    dnsmasq: bool = True


class Learner:
    """``add`` puts addresses into a set of the table for so many seconds; it is called from the thread here.

    ``of_ndpi`` are the applications that each of nDPI's names stands for.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        add: Add,
        of_ndpi: Mapping[str, Sequence[str]] | None = None,
        dnsmasq: Dnsmasq | None = None,
    ) -> None:
        self._clock = clock
        self._add = add
        self._of_ndpi = of_ndpi or {}
        self._dnsmasq = dnsmasq or Dnsmasq()
        self._names = Names()
        self._hellos = Hellos()
        self._ndpi: NdpiProcess | None = None
        self._log: Nflog | None = None
        self._aes: Aes | None = None
        self._initials: Initials | None = None
        self._lock = threading.Lock()
        self._wanted: tuple[Wanted, ...] = ()
        self._switches = Switches(dnsmasq=False)
        self._is_new = self._is_stopping = False
        self._due: float | None = None
        self._wake = -1
        self._thread: threading.Thread | None = None
        self._problems: dict[str, str] = {}
        self._named = dict.fromkeys(("dnsmasq", "dns", "sni", "quic", "ndpi"), 0)
        self._fronts = 0

    def configure(self, wanted: Sequence[Wanted], switches: Switches) -> None:
        """Take what policies ask for; their sets are there already, and may be empty."""
        with self._lock:
            self._wanted, self._switches = tuple(wanted), switches
            self._is_new = True
        self._ring()

    def start(self) -> None:
        """Begin; what is configured before counts."""
        if self._thread is None:
            self._is_stopping = False
            self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._thread = threading.Thread(target=self._run, name="names", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End, and take away what dnsmasq was given."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._is_stopping = True
        self._ring()
        thread.join(STOP_S)
        with self._lock:
            os.close(self._wake)
            self._wake = -1

    def name_of(self, address: str) -> str | None:
        """The name that an address had last."""
        return self._names.name_of(address, self._clock.monotonic())

    def addresses_of(self, domain: str) -> tuple[str, ...]:
        """Addresses that a domain, or what is below it, was seen at."""
        return self._names.addresses_of(domain, self._clock.monotonic())

    def rungs(self, *, sip: bool = False) -> list[dict[str, Any]]:
        """What tells names apart here: ``rung``, ``is_on``, ``is_there``, ``package``, ``cost``, ``named`` (how often),
        ``missed`` (what it cannot see) and ``why`` (not there). ``sip``: the kernel's helper for SIP is switched on."""
        with self._lock:
            return rungs(
                names=self._switches.names,
                ndpi=self._switches.ndpi,
                dnsmasq=self._switches.dnsmasq,
                has_patterns=any(one.patterns for one in self._wanted),
                problems=dict(self._problems),
                named=dict(self._named),
                fronts=self._fronts,
                is_full=self._names.is_full,
                sip=sip,
            )

    def _ring(self) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        try:
            while not self._is_stopping:
                try:
                    self._turn()
                except Exception:  # what strangers send must not end it
                    log.exception("learning names failed; it begins again")
                    self._close_log()
                    self._is_new = True
                    self._woken()
                    select.select([self._wake], [], [], 0 if self._is_stopping else PAUSE_S)
        finally:
            self._close()

    def _turn(self) -> None:
        """Follow what is configured, then what comes."""
        now = self._clock.monotonic()
        with self._lock:
            is_new, self._is_new = self._is_new or (self._due is not None and now >= self._due), False
            wanted, switches = self._wanted, self._switches
        if is_new:
            self._follow(wanted, switches, now)
        self._wait()

    def _follow(self, wanted: Sequence[Wanted], switches: Switches, now: float) -> None:
        """Make things as they are configured."""
        self._due = None
        self._put(self._names.want(wanted, now))
        self._follow_dnsmasq(wanted, switches, now)
        self._follow_packets(switches, now)
        if not switches.ndpi and self._ndpi is not None:
            self._ndpi.stop()
            self._ndpi = None
        elif switches.ndpi and self._ndpi is None:
            self._ndpi = NdpiProcess()

    def _follow_dnsmasq(self, wanted: Sequence[Wanted], switches: Switches, now: float) -> None:
        try:
            if switches.dnsmasq and any(one.patterns for one in wanted):
                self._dnsmasq.fill(wanted)
            else:
                self._dnsmasq.leave()
            self._solved("dnsmasq")
        except RemsimError as error:
            # One that does not come up again is not restarted each minute.
            self._failed("dnsmasq", error.message, now + AGAIN_S if error.code == ABSENT else None)

    def _follow_packets(self, switches: Switches, now: float) -> None:
        if not switches.names:
            self._close_log()
            return
        if self._initials is None:
            try:
                self._aes = Aes()
                self._initials = Initials(self._aes)
                self._solved("quic")
            except NoCrypto as error:
                self._failed("quic", f"QUIC cannot be read: {error}")
        if self._log is None:
            try:
                self._log = Nflog()
                self._solved("packets")
            except NoLog as error:
                self._failed("packets", error.message, now + AGAIN_S)

    def _wait(self) -> None:
        """Until something comes, or is due, and take it."""
        now = self._clock.monotonic()
        poller = select.poll()
        poller.register(self._wake, select.POLLIN)
        due = [] if self._due is None else [self._due]
        if self._ndpi is not None:
            self._ndpi.start(now)
            if self._ndpi.fileno() >= 0:
                poller.register(self._ndpi.fileno(), select.POLLIN)
            elif self._ndpi.due is not None:
                due.append(self._ndpi.due)
        if self._log is not None:
            poller.register(self._log, select.POLLIN)
        found = poller.poll(max(0.0, min(due) - now) * 1000 + 1 if due else None)
        now = self._clock.monotonic()
        for fd, _ in found:
            if fd == self._wake:
                self._woken()
            elif self._log is not None and fd == self._log.fileno():
                self._read_packets(self._log, now)
            elif self._ndpi is not None:
                self._read_ndpi(self._ndpi, now)

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)

    def _read_packets(self, source: Nflog, now: float) -> None:
        additions: Additions = {}
        try:
            for raw in source.read():
                packet = parse_packet(raw)
                if packet is not None:
                    _merge(additions, self._take(packet, now))
        except OSError as error:
            self._close_log()
            self._failed("packets", f"packets are not copied any more: {error.strerror}", now + AGAIN_S)
        self._put(additions)

    def _take(self, packet: Packet, now: float) -> Additions:
        hello: Hello | None = None
        if packet.protocol == TCP:
            how = "sni"
            hello = self._hellos.feed(packet.flow, packet.sequence, packet.data, now)
        elif packet.source_port == 53:
            return self._take_answer(packet.data, now)
        elif self._initials is not None:
            how = "quic"
            hello = self._initials.feed(packet.flow, packet.data, now)
        if hello is None or hello.name is None:
            return {}
        self._named[how] += 1
        self._fronts += hello.is_front
        return self._names.learn(packet.destination, hello.name, how, now, is_front=hello.is_front)

    def _take_answer(self, data: bytes, now: float) -> Additions:
        answer = parse_answer(data)
        additions: Additions = {}
        if answer is not None:
            self._named["dns"] += 1
            for address in answer.addresses:
                _merge(additions, self._names.learn(address, answer.name, "dns", now))
        return additions

    def _read_ndpi(self, source: NdpiProcess, now: float) -> None:
        additions: Additions = {}
        for address, name in source.read(now):
            applications = self._of_ndpi.get(name, ())
            if applications:
                self._named["ndpi"] += 1
                _merge(additions, self._names.learn_applications(address, applications, now))
        if source.problem is None:
            self._solved("ndpi")
        else:
            self._failed("ndpi", source.problem)
        self._put(additions)

    def _put(self, additions: Additions) -> None:
        for name, addresses in additions.items():
            try:
                self._add(name, addresses, SET_TIMEOUT_S)
                self._solved("sets")
            except RemsimError as error:
                self._failed("sets", f"learned addresses do not get into sets: {error.message}")

    def _failed(self, what: str, why: str, again_at: float | None = None) -> None:
        """Say it once, and try again then."""
        with self._lock:
            if self._problems.get(what) != why:
                log.warning("%s", why)
            self._problems[what] = why
        if again_at is not None:
            self._due = again_at

    def _solved(self, what: str) -> None:
        with self._lock:
            self._problems.pop(what, None)

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    def _close(self) -> None:
        self._close_log()
        if self._ndpi is not None:
            self._ndpi.stop()
            self._ndpi = None
        if self._aes is not None:
            self._aes.close()
            self._aes = self._initials = None
        with contextlib.suppress(OSError):
            self._dnsmasq.leave()


def _merge(into: Additions, more: Additions) -> None:
    for key, addresses in more.items():
        into.setdefault(key, []).extend(addresses)
