"""What explain says of a packet is what the kernel does with it: random policies, random packets, one answer."""

from __future__ import annotations

import json
import random
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from policy_support import facts, sound
from remsim.core.routes import Program, RingSpec
from remsim.links.kernel import by_port
from remsim.links.kernel.table import text_of
from remsim.links.plane import LinkRoute
from remsim.policies.compile import Compiled, compile_set
from remsim.policies.facts import FlowFacts
from remsim.policies.judging import taker
from remsim.policies.language.checker import check_set

SETS, POLICIES, PACKETS = 20, 6, 16
TESTS = (
    *("port 443", "port 80/443", "port 5060-5090", "not port 443", "source_port 1000-40000", "protocol tcp"),
    *("protocol udp", "protocol icmp", "protocol tcp/udp", "protocol RTP", "not protocol RTP", "protocol QUIC"),
    *("dscp ef", "not dscp ef/af41"),
    *("source 192.168.1.0/27", "not source 192.168.1.20", "source { 192.168.1.20, fd00::20 }", "source fd00::/8"),
    *("source aa:bb:cc:dd:ee:01", "not source { aa:bb:cc:dd:ee:01, fd00::20 }", "source @many", "not source @many"),
    *("destination 192.0.2.0/24", "destination 2001:db8::/32", "not destination 198.51.100.1-203.0.113.200"),
    *("country DE", "country DE/AT", "country != router_country", "domain a.example", "not domain a.example"),
    *("application video", "not application tube", 'interface "br-lan"', "not interface eth9", "packet_size < 60"),
    *("packet_size 60-200", "packet_size 20-40/60/149-170/438", "not packet_size 30/38/100-170", "dscp 9/10/46"),
    *("port 53/5000-5100/10000", "not port 80/3000-4000", "not source { 10.0.0.0/8, 192.168.1.0/27 }"),
    *("time 11:00-13:00", "not time 11:00-13:00", "link fiber is up", "all"),
)
MANY = "set many { " + ", ".join(f"10.{number}.0.0/16" for number in range(12)) + ", 192.168.1.40, fd00::20 }\n"
NAMED = {4: "203.0.113.9", 6: "2001:4860::9"}


@dataclass(frozen=True)
class Packet:
    """A first packet of a flow."""

    protocol: str
    source: str
    destination: str
    mac: str
    source_port: int
    port: int
    dscp: int
    size: int

    @property
    def family(self) -> int:
        return 6 if ":" in self.source else 4

    def facts(self) -> FlowFacts:
        """What explain is told of it."""
        has_ports = self.protocol in ("tcp", "udp")
        country = {"192.0.2.1": "DE", "2001:db8::1": "DE", "198.51.100.1": "AT"}.get(self.destination, "US")
        return FlowFacts(
            source=self.source,
            source_mac=self.mac,
            source_port=self.source_port if has_ports else 0,
            destination=self.destination,
            port=self.port if has_ports else 0,
            protocol=self.protocol,
            domain="www.a.example" if self.destination in NAMED.values() else "other.example",
            country=country,
            dscp=self.dscp,
            interface="br-lan",
            packet_size=len(self.ip()),
            is_router=False,
        )

    def ip(self) -> bytes:
        """From its IP header on, with right checksums: conntrack looks at them."""
        kind = socket.AF_INET6 if self.family == 6 else socket.AF_INET
        source, destination = socket.inet_pton(kind, self.source), socket.inet_pton(kind, self.destination)
        number, payload = self._payload()
        pseudo = source + destination + struct.pack(">II", len(payload), number)
        at = {6: 16, 17: 6}.get(number, 2)
        checksum = _checksum(payload if number == 1 else pseudo + payload)
        payload = payload[:at] + struct.pack(">H", checksum) + payload[at + 2 :]
        if self.family == 6:
            head = struct.pack(">IHBB", 6 << 28 | self.dscp << 22, len(payload), number, 64)
            return head + source + destination + payload
        head = struct.pack(">BBHHHBBH", 0x45, self.dscp << 2, 20 + len(payload), 0, 0x4000, 64, number, 0)
        head += source + destination
        return head[:10] + struct.pack(">H", _checksum(head)) + head[12:] + payload

    def _payload(self) -> tuple[int, bytes]:
        fill = b"x" * self.size
        if self.protocol == "udp":
            return 17, struct.pack(">HHHH", self.source_port, self.port, 8 + len(fill), 0) + fill
        if self.protocol == "tcp":
            return 6, struct.pack(">HHIIBBHHH", self.source_port, self.port, 1, 0, 0x50, 2, 65535, 0, 0) + fill
        kind = 8 if self.family == 4 else 128
        return (1 if self.family == 4 else 58), struct.pack(">BBHHH", kind, 0, 0, self.source_port, 1) + fill

    def frame(self) -> str:
        """As it comes in by the LAN, in hex."""
        kind = "0800" if self.family == 4 else "86dd"
        return "020000000001" + self.mac.replace(":", "") + kind + self.ip().hex()


def _checksum(octets: bytes) -> int:
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _packet(chance: random.Random, number: int) -> Packet:
    source, destinations = chance.choice(
        [
            ("192.168.1.20", ("192.0.2.1", "198.51.100.1", NAMED[4])),
            ("192.168.1.40", ("192.0.2.1", "198.51.100.1", NAMED[4])),
            ("fd00::20", ("2001:db8::1", NAMED[6])),
        ]
    )
    return Packet(
        chance.choice(("tcp", "tcp", "udp", "udp", "icmp" if source[0] == "1" else "icmpv6")),
        source,
        chance.choice(destinations),
        chance.choice(("aa:bb:cc:dd:ee:01", "aa:bb:cc:dd:ee:02")),
        20000 + number,  # each its own flow
        chance.choice((53, 80, 443, 3478, 5060, 5062, 10000, 33000)),
        chance.choice((0, 46, 34, 10)),
        chance.choice((0, 10, 120, 400)),
    )


def _condition(chance: random.Random, depth: int = 0) -> str:
    if depth == 2 or chance.random() < 0.4:
        return chance.choice(TESTS)
    joined = chance.choice((" and ", " or ")).join(_condition(chance, depth + 1) for _ in range(2))
    return f"not ({joined})" if chance.random() < 0.2 else f"({joined})"


def _learned(compiled: Compiled) -> Program:
    """With the addresses of the name in the sets that learning would have put them into."""
    wanted = [one for one in compiled.wanted if "a.example" in one.patterns]
    families = {name: family for one in wanted for name, family in ((one.set4, 4), (one.set6, 6))}
    sets = compiled.program.sets
    filled = (replace(one, elements=(NAMED[families[one.name]],)) if one.name in families else one for one in sets)
    return replace(compiled.program, sets=tuple(filled))


@pytest.mark.parametrize("is_by_port", [False, True])
def test_the_kernel_takes_each_packet_as_explain_says(is_by_port: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where rules are asked by their ports, as those of large sets are."""
    monkeypatch.setattr(by_port, "is_worth_it", lambda naming, without: is_by_port and naming > 0)
    chance = random.Random(8)
    known = facts()
    asked, expected, texts = [], [], []
    number = 0
    while len(asked) < SETS:
        text = MANY + "\n".join(
            f"policy p{at} {{ match: {_condition(chance)}\n route: any }}" for at in range(POLICIES)
        )
        found = sound(text)
        if not check_set(found, known).ok:
            continue
        program = _learned(compile_set(found.policies, found.sets, known))
        rings = dict.fromkeys(("interactive", "bulk", *(one.ring.name for one in program.policies)), (1,) * 16)
        default = [RingSpec(name, (), name) for name in ("interactive", "bulk")]
        table = text_of(program, default, rings, (LinkRoute(1, "carrier_a", "wwan0"),), ("br-lan",))
        packets = []
        for _ in range(PACKETS):
            number += 1
            packets.append(_packet(chance, number))
        asked.append({"table": table, "frames": [packet.frame() for packet in packets]})
        texts.append((text, packets))
        numbers = {one.name: f"p_{one.number}" for one in program.policies}
        taken = [taker(found.policies, found.sets, known, packet.facts()) for packet in packets]
        expected.append([None if one is None else numbers[one.name] for one in taken])
    sender = Path(__file__).parents[1] / "packet_sender.py"
    command = ["unshare", "-rn", sys.executable, str(sender)]
    done = subprocess.run(command, input=json.dumps(asked), text=True, capture_output=True, timeout=100, check=False)
    if done.returncode and ("unshare" in done.stderr or "Operation not permitted" in done.stderr):
        pytest.skip(f"no network namespaces are allowed here: {done.stderr.strip()[:200]}")
    assert done.returncode == 0, done.stderr
    for told, wanted, (text, packets) in zip(json.loads(done.stdout), expected, texts, strict=True):
        for one, other, packet in zip(told, wanted, packets, strict=True):
            assert one == other, (text, packet)
    assert sum("goto by_port" in one["table"] for one in asked) > (SETS // 2 if is_by_port else -1)
    assert sum(one is not None for wanted in expected for one in wanted) > SETS * PACKETS // 4
