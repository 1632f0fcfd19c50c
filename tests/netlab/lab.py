"""The lab: LAN – router – emulated links – Internet, each in a namespace, gone when it is left.

    with Lab(FOUR) as lab:
        lab.router("nft", "-f", "rules.nft")        # a program in the router
        with lab.lan.entered():                     # sockets of a client
            socket.create_connection((lab.server, 80))
        lab.links[0].cut()                          # sim1 swallows everything from now on

The router has what a router has before links are shared: addresses, a default route by each link (metric 100 + index,
as netifd sets them), masquerading in a table ``inet fw4``, which lets no packet out that it could not masquerade.
Clients are 192.168.77.10 and following.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path
from typing import Any

from netlab.shapes import EIGHT, FOUR, Shape
from netlab.space import Space, end, sweep, why_not

__all__ = ["EIGHT", "FOUR", "LAN", "SERVERS", "Lab", "Link", "Shape", "why_not"]

HERE = Path(__file__).parent
LAN = "br-lan"
ROUTER, ROUTER6 = "192.168.77.1", "fd77::1"
FIRST_CLIENT = 10
SERVERS = (
    *(f"198.51.100.{n}" for n in range(1, 17)),
    *(f"203.0.113.{n}" for n in range(1, 17)),
    *("1.1.1.1", "8.8.8.8", "9.9.9.9"),
)
SERVERS6 = ("2001:db8:ffff::1", "2606:4700:4700::1111", "2001:4860:4860::8888", "2620:fe::fe")
NAMES = {"cp.cloudflare.com": "198.51.100.15", "connectivitycheck.gstatic.com": "203.0.113.15"}
FIREWALL = """table inet fw4 {
  chain srcnat {
    type nat hook postrouting priority srcnat
    oifname "sim*" masquerade
  }
  chain leakage {
    type filter hook forward priority filter
    oifname "sim*" ct state invalid drop
  }
}
"""
WALLS = """table inet lab {
  set walled { type ifname; }
  chain portal {
    type nat hook prerouting priority dstnat
    iifname @walled tcp dport 80 redirect to :8081
  }
  chain wall {
    type filter hook input priority filter
    iifname @walled tcp dport != 8081 reject with tcp reset
    iifname @walled udp dport != 53 drop
  }
}
"""
_numbers = count(1)


class Link:
    """One emulated link; ``address`` is the router's on it, which servers see."""

    def __init__(self, lab: Lab, index: int, shape: Shape | None) -> None:
        self._lab, self.index = lab, index
        self.shape, self.is_emulated = shape or Shape(), shape is not None
        self.device = f"sim{index}"
        self.far_device = f"net{index}"
        self.address, self.gateway = f"10.64.{index}.2", f"10.64.{index}.1"
        self.address6, self.gateway6 = f"2001:db8:{index}::2", f"2001:db8:{index}::1"
        self.mark = index << 8

    def cut(self) -> None:
        """Swallow every packet both ways, as a dead cell does; the device stays up."""
        self._tell("cut", is_cut=True)

    def heal(self) -> None:
        """Carry packets again."""
        self._tell("cut", is_cut=False)

    def down(self) -> None:
        """Take the router's device down, as a modem does that lost its session."""
        self._lab.router("ip", "link", "set", self.device, "down")

    def up(self) -> None:
        """Bring it up again as netifd does, with its address and default route."""
        self._configure()

    def unplug(self) -> None:
        """Have the router's device vanish."""
        self._tell("unplug")

    def plug(self) -> None:
        """Have it come back and be configured."""
        self._tell("plug")
        self._configure()

    def portal(self, is_on: bool) -> None:
        """Answer HTTP with a page of the operator's and nothing else but DNS and ICMP."""
        self._lab.internet.nft(f"{'add' if is_on else 'delete'} element inet lab walled {{ \"{self.far_device}\" }}")

    def reshape(self, **changes: float) -> None:
        """Change rate, round trip, queue or loss (fields of ``Shape``)."""
        self.shape = replace(self.shape, **changes)  # type: ignore[arg-type]
        self._tell("shape", **asdict(self.shape))

    def tally(self) -> dict[str, dict[str, int]]:
        """Of both ways, ``up`` and ``down``: packets and bytes that arrived; lost ones: cut, unlucky, overflown, and
        foreign, those with another link's source address."""
        return self._tell("look")  # type: ignore[no-any-return]

    def lost_beginnings(self) -> list[dict[str, Any]]:
        """Connections that began into the cut, each once: ``at`` (monotonic), ``server``, ``port``."""
        return self._tell("begun")  # type: ignore[no-any-return]

    def strangers(self) -> list[str]:
        """The last foreign packets that it was given, 16 at most: ``TCP flags 0x4 10.64.1.2:443 > …``."""
        return [described(bytes.fromhex(one)) for one in self._tell("strangers")]

    def make(self) -> None:
        """Make the devices of both ends."""
        router, internet = self._lab.router, self._lab.internet
        ends = {"router": router.name, "internet": internet.name, "near": self.device, "far": self.far_device}
        if self.is_emulated:
            self._tell("make", address=self.address, address6=self.address6, **ends, **asdict(self.shape))
        else:
            line = f"link add {self.device} type veth peer name {self.far_device} netns {internet.name}"
            router("ip", *line.split())
        commands = (
            f"link set {self.far_device} up txqueuelen 2000",
            f"addr add {self.gateway}/24 dev {self.far_device}",
            f"addr add {self.gateway6}/64 dev {self.far_device} nodad",
        )
        _ip(internet, commands)
        self._configure()

    def _configure(self) -> None:
        device, metric = self.device, str(100 + self.index)
        commands = (
            f"link set {device} up txqueuelen 2000",
            f"addr replace {self.address}/24 dev {device}",
            f"addr replace {self.address6}/64 dev {device} nodad",
            f"route replace default via {self.gateway} dev {device} metric {metric}",
            f"route replace default via {self.gateway6} dev {device} metric {metric}",
        )
        _ip(self._lab.router, commands)

    def _tell(self, what: str, **more: object) -> Any:
        return self._lab.tell(self.index, {"do": what, "link": self.device, **more})


class Lab:
    """Everything; ``links[0]`` is sim1. ``server`` is one of ``servers``, which all lead to the same programs."""

    router: Space
    lan: Space
    internet: Space

    def __init__(
        self,
        shapes: Sequence[Shape | None] = FOUR,
        *,
        clients: int = 8,
        names: dict[str, str] | None = None,
        processes: int = 1,
    ) -> None:
        """A shape None is a plain veth, which nothing can be told: as fast as the kernel is. ``names`` are answered by
        DNS, with all below them; ``processes`` share the links among them."""
        self._shapes, self._client_count, self._processes = shapes, clients, processes
        self.names = {**NAMES, **(names or {})}
        self.links: list[Link] = []
        self.servers, self.servers6 = SERVERS, SERVERS6
        self.server = SERVERS[0]
        self.clients = [f"192.168.77.{FIRST_CLIENT + n}" for n in range(clients)]
        self.clients6 = [f"fd77::{FIRST_CLIENT + n}" for n in range(clients)]
        self._emulators: list[subprocess.Popen[bytes]] = []
        self._spaces: list[Space] = []

    def __enter__(self) -> Lab:
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take everything away; once more does no harm."""
        for child in self._emulators:
            end(child)
        for space in reversed(self._spaces):
            space.remove()
        self._emulators, self._spaces = [], []

    def tell(self, index: int, order: dict[str, object]) -> Any:
        """Have the emulator of a link do something; its answer."""
        if not self.links[index - 1].is_emulated:
            raise ValueError(f"sim{index} is a plain veth")
        emulator = self._emulators[index % len(self._emulators)]
        assert emulator.stdin is not None and emulator.stdout is not None
        emulator.stdin.write(json.dumps(order).encode() + b"\n")
        emulator.stdin.flush()
        answer = emulator.stdout.readline()
        if not answer:
            raise RuntimeError("the link emulator ended")
        return json.loads(answer)

    def emulator_pids(self) -> list[int]:
        """The processes that carry packets, for those who count their CPU."""
        return [child.pid for child in self._emulators]

    def _build(self) -> None:
        sweep()
        name = f"rs{os.getpid()}x{next(_numbers)}"
        for part in ("lan", "router", "internet"):
            space = Space(f"{name}{part[:3]}")
            self._spaces.append(space)
            setattr(self, part, space)
        self._make_lan()
        self._make_internet()
        for _ in range(self._processes):
            command = [sys.executable, str(HERE / "emulator.py")]
            self._emulators.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        for index, shape in enumerate(self._shapes, start=1):
            link = Link(self, index, shape)
            self.links.append(link)
            link.make()
        self._serve()

    def _make_lan(self) -> None:
        self.lan("ip", "link", "add", "eth0", "type", "veth", "peer", "name", LAN, "netns", self.router.name)
        addresses = (f"addr add {ROUTER}/24 dev {LAN}", f"addr add {ROUTER6}/64 dev {LAN} nodad")
        _ip(self.router, (f"link set {LAN} up", *addresses))
        own = [f"addr add {address}/24 dev eth0" for address in self.clients]
        own += [f"addr add {address}/64 dev eth0 nodad" for address in self.clients6]
        ways = (f"route add default via {ROUTER}", f"route add default via {ROUTER6}")
        _ip(self.lan, ("link set eth0 up", *own, *ways))
        self.router.sysctl("net/ipv4/ip_forward", 1)
        self.router.sysctl("net/ipv6/conf/all/forwarding", 1)
        self.router.nft(FIREWALL)

    def _make_internet(self) -> None:
        own = [f"addr add {address}/32 dev lo" for address in SERVERS]
        own += [f"addr add {address}/128 dev lo nodad" for address in SERVERS6]
        _ip(self.internet, own)
        # The speed of one download must not depend on the one before.
        self.internet.sysctl("net/ipv4/tcp_no_metrics_save", 1)
        self.internet.nft(WALLS)

    def _serve(self) -> None:
        given = json.dumps({"addresses": SERVERS, "names": self.names})
        command = [sys.executable, str(HERE / "servers.py"), given]
        child = self.internet.popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdout is not None
        if child.stdout.readline() != b"ready\n":
            raise RuntimeError("the lab's servers did not start")


def described(packet: bytes) -> str:
    """A packet in a line; of IPv6 without extension headers."""
    is_six = packet[0] >> 4 == 6
    family, first, size, kind, body = (
        (socket.AF_INET6, 8, 16, packet[6], packet[40:]) if is_six else (socket.AF_INET, 12, 4, packet[9], packet[20:])
    )
    ends = (socket.inet_ntop(family, packet[at : at + size]) for at in (first, first + size))
    source, destination = (f"[{one}]" if is_six else one for one in ends)
    ports = [int.from_bytes(body[at : at + 2]) for at in (0, 2)]
    kinds = {17: "UDP", 1: "ICMP", 58: "ICMPv6"} | ({6: f"TCP flags {body[13]:#x}"} if len(body) > 13 else {})
    return f"{kinds.get(kind, f'protocol {kind}')} {source}:{ports[0]} > {destination}:{ports[1]}"


def _ip(space: Space, commands: Iterable[str]) -> None:
    """``ip`` with each of these, in one process."""
    space("ip", "-batch", "-", stdin="\n".join(commands) + "\n")
