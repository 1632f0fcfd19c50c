"""The links between router and Internet: a process that carries packets between two TUN devices a link.

Commands come as JSON lines on standard input, each is answered by a line. A packet is given its time of arrival when it
comes: after those that wait, at the link's rate, plus half its round trip; what would wait too long is dropped.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import select
import socket
import struct
import sys
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic

sys.path.insert(0, str(Path(__file__).parents[1]))

from netlab.space import set_namespace

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
LARGEST = 65_536
AT_ONCE = 64
"""Packets taken from one device before the others have their turn."""
EARLY_S = 0.0002
"""What is due so soon goes along now: one waking less, no difference to a link of milliseconds."""

LATE_S = 0.01
MOST_STRANGERS = 16
LINK_LOCAL = bytes.fromhex("fe80")


@dataclass
class Tally:
    """Of one way of a link, since it began: packets and bytes that arrived, packets lost by reason.

    ``late``: how many times a packet was handed over more than 10 ms late, as this process was not let run.
    """

    packets: int = 0
    bytes: int = 0
    cut: int = 0
    unlucky: int = 0
    overflown: int = 0
    foreign: int = 0
    late: int = 0


@dataclass
class Own:
    """The addresses that a link's network gave: one of IPv4, a /64 of IPv6."""

    four: bytes
    prefix6: bytes

    def has_sent(self, packet: bytes) -> bool:
        """Whether a packet has one of them as its source. Neighbours talk without."""
        if packet[0] >> 4 == 4:
            return packet[12:16] == self.four
        source = packet[8:24]
        return source[:8] == self.prefix6 or source[:2] == LINK_LOCAL or source == bytes(16)


@dataclass
class Way:
    """One direction of a link."""

    byte_s: float
    delay_s: float
    queue_s: float
    loss: float
    is_cut: bool = False
    own: Own | None = None
    free_at: float = 0.0
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)
    tally: Tally = field(default_factory=Tally)
    begun: dict[bytes, float] = field(default_factory=dict)
    """When connections began that met the cut, by ports and server: their first SYN only."""

    strangers: deque[bytes] = field(default_factory=lambda: deque(maxlen=MOST_STRANGERS))
    """How the last foreign packets began, for who wonders where they come from."""

    def take(self, packet: bytes, now: float) -> None:
        """Have a packet wait for its time, or lose it."""
        if self.is_cut:
            self.tally.cut += 1
            if is_syn(packet):
                self.begun.setdefault(packet[16:24], now)
        elif self.own is not None and not self.own.has_sent(packet):
            self.tally.foreign += 1
            self.strangers.append(packet[:60])
        elif self.loss and random.random() < self.loss:
            self.tally.unlucky += 1
        else:
            begin = self.free_at if self.free_at > now else now
            if begin - now > self.queue_s:
                self.tally.overflown += 1
                return
            self.free_at = begin + len(packet) * self.byte_s
            self.waiting.append((self.free_at + self.delay_s, packet))

    def cut(self, is_cut: bool) -> None:
        """Lose all packets from now on, also those on their way."""
        self.is_cut = is_cut
        if is_cut:
            self.tally.cut += len(self.waiting)
            self.waiting.clear()
            self.free_at = 0.0
            self.begun.clear()


def is_syn(packet: bytes) -> bool:
    """Whether it begins a TCP connection, over IPv4 without options."""
    return packet[0] == 0x45 and packet[9] == 6 and packet[33] & 0x12 == 0x02


class Link:
    """Two TUN devices and what lies between."""

    def __init__(self, order: dict[str, object]) -> None:
        self.router, self.internet = str(order["router"]), str(order["internet"])
        self.near, self.far = str(order["near"]), str(order["far"])
        self.up = Way(0, 0, 0, 0, own=own_of(order))
        self.down = Way(0, 0, 0, 0)
        self.shape(order)
        self.near_fd: int | None = open_tun(self.router, self.near)
        self.far_fd = open_tun(self.internet, self.far)

    def shape(self, order: dict[str, object]) -> None:
        """Follow a ``Shape`` from now on."""
        for way, kbit in ((self.up, order["up_kbit"]), (self.down, order["down_kbit"])):
            way.byte_s = 8 / (1000 * float(kbit))  # type: ignore[arg-type]
            way.delay_s = float(order["rtt_ms"]) / 2000  # type: ignore[arg-type]
            way.queue_s = float(order["queue_ms"]) / 1000  # type: ignore[arg-type]
            way.loss = float(order["loss_percent"]) / 100  # type: ignore[arg-type]

    def unplug(self) -> None:
        """Take the router's device away."""
        if self.near_fd is not None:
            os.close(self.near_fd)
            self.near_fd = None

    def plug(self) -> None:
        """Give it back."""
        if self.near_fd is None:
            self.near_fd = open_tun(self.router, self.near)


def own_of(order: dict[str, object]) -> Own:
    """The addresses of the link that an order is about."""
    four, six = str(order["address"]), str(order["address6"])
    return Own(socket.inet_pton(socket.AF_INET, four), socket.inet_pton(socket.AF_INET6, six)[:8])


def open_tun(space: str, device: str) -> int:
    """A TUN device in a namespace; it is gone when the descriptor is closed."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    inside = os.open(f"/run/netns/{space}", os.O_RDONLY)
    try:
        set_namespace(inside)
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TUN | IFF_NO_PI))
    finally:
        set_namespace(before)
        os.close(inside)
        os.close(before)
    return fd


class Emulator:
    """All links of one lab."""

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}
        self.ends: dict[int, Way] = {}
        self.routes: list[tuple[Way, Link, bool]] = []

    def obey(self, order: dict[str, object]) -> object:
        """Do what a command says; its answer."""
        name, what = str(order["link"]), order["do"]
        if what == "make":
            self.links[name] = Link(order)
        link = self.links[name]
        if what == "shape":
            link.shape(order)
        elif what == "cut":
            link.up.cut(bool(order["is_cut"]))
            link.down.cut(bool(order["is_cut"]))
        elif what == "unplug":
            link.unplug()
        elif what == "plug":
            link.plug()
        self.ends = {one.far_fd: one.down for one in self.links.values()}
        self.ends |= {one.near_fd: one.up for one in self.links.values() if one.near_fd is not None}
        self.routes = [(one.up, one, False) for one in self.links.values()]
        self.routes += [(one.down, one, True) for one in self.links.values()]
        if what == "begun":
            return [
                {"at": at, "server": ".".join(map(str, key[:4])), "port": int.from_bytes(key[6:8])}
                for key, at in link.up.begun.items()
            ]
        if what == "strangers":
            return [packet.hex() for packet in link.up.strangers]
        return {"up": asdict(link.up.tally), "down": asdict(link.down.tally)}

    def run(self) -> None:
        """Carry packets until standard input ends."""
        commands = sys.stdin.fileno()
        os.set_blocking(commands, False)
        pending = b""
        pause: float | None = None
        while True:
            ready, _, _ = select.select([commands, *self.ends], [], [], pause)
            now = monotonic()
            for fd in ready:
                if fd == commands:
                    part = os.read(commands, LARGEST)
                    if not part:
                        return
                    *lines, pending = (pending + part).split(b"\n")
                    for line in lines:
                        print(json.dumps(self.obey(json.loads(line))), flush=True)
                elif fd in self.ends:
                    self._collect(fd, self.ends[fd], now)
            pause = self._deliver(monotonic())

    @staticmethod
    def _collect(fd: int, way: Way, now: float) -> None:
        read, take = os.read, way.take
        try:
            for _ in range(AT_ONCE):
                take(read(fd, LARGEST), now)
        except OSError:  # no more of them, or the device is down
            return

    def _deliver(self, now: float) -> float | None:
        """Hand over what has arrived; seconds until the next packet does."""
        soonest: float | None = None
        until = now + EARLY_S
        write = os.write
        for way, link, is_down in self.routes:
            waiting = way.waiting
            if not waiting:
                continue
            fd = link.near_fd if is_down else link.far_fd
            tally = way.tally
            if now - waiting[0][0] > LATE_S:
                tally.late += 1
            while waiting and waiting[0][0] <= until:
                packet = waiting.popleft()[1]
                if fd is None:
                    tally.cut += 1
                    continue
                try:
                    write(fd, packet)
                except OSError:  # the device is down
                    tally.cut += 1
                else:
                    tally.packets += 1
                    tally.bytes += len(packet)
            if waiting and (soonest is None or waiting[0][0] < soonest):
                soonest = waiting[0][0]
        return None if soonest is None else max(soonest - monotonic(), 0.0)


if __name__ == "__main__":
    with contextlib.suppress(OSError):  # a link that is late is another link
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    Emulator().run()
