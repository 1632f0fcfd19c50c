"""MPTCP over emulated links: one connection of a client uses all of them, and outlives a link that fails."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from netlab.lab import FOUR, LAN, Lab, why_not
from remsim.config.mptcp import MptcpSettings
from remsim.core.clock import SystemClock
from remsim.core.routes import LinkView
from remsim.links.mptcp.endpoints import is_supported, read_sysctls
from remsim.links.mptcp.manager import Mptcp
from remsim.links.mptcp.view import mptcp_view
from remsim.links.plane import Addresses

REASON = why_not() or (None if is_supported(read_sysctls()) else "this kernel has no MPTCP")
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))

SERVER, TARGET = "198.51.100.1", "198.51.100.2"
SETTINGS = MptcpSettings(enabled=True, server=SERVER, user="remsim", password="a word of mine", ports=("80",))
SOCKS = Path(__file__).parent.parent / "socks_server.py"


class Rig:
    """A lab with a server of ours, and MPTCP's manager in the router."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        for link in lab.links:
            index, device = str(link.index), link.device
            table = str(200 + link.index)
            lab.router("ip", "route", "add", "default", "via", link.gateway, "dev", device, "table", table)
            lab.router("ip", "rule", "add", "pref", str(900 + link.index), "oif", device, "lookup", table)
            mark = f"{link.index << 8:#x}/0xf00"
            lab.router("ip", "rule", "add", "pref", str(1000 + link.index), "fwmark", mark, "lookup", table)
            assert index
        lab.internet("ip", "mptcp", "limits", "set", "subflow", "8", "add_addr_accepted", "8")
        self.server = lab.internet.popen([sys.executable, str(SOCKS), SERVER, "1080", SETTINGS.user, SETTINGS.password])
        by_device = {link.device: Addresses(True, link.address) for link in lab.links}
        self.mptcp = Mptcp(SystemClock(), lambda device: by_device[device], lambda: (LAN,))
        self.usable = {link.index for link in lab.links}

    def tick(self) -> None:
        views = [
            LinkView(link.index, link.device, state="up" if link.index in self.usable else "down", device=link.device)
            for link in self.lab.links
        ]
        with self.lab.router.entered():
            self.mptcp.tick(views)

    def view(self) -> dict[str, Any]:
        with self.lab.router.entered():
            return mptcp_view(self.mptcp)

    def connect(self, port: int = 80) -> socket.socket:
        with self.lab.lan.entered():
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.settimeout(10)
        sock.connect((TARGET, port))
        return sock

    def fetch(self, path: str) -> bytes:
        with self.connect() as sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            data = b""
            while part := sock.recv(65536):
                data += part
        return data.partition(b"\r\n\r\n")[2]


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Lab(FOUR) as lab:
        rig = Rig(lab)
        rig.mptcp.configure(SETTINGS)
        rig.tick()
        wait_for(lambda: reaches(lab))
        yield rig
        with lab.router.entered():
            rig.mptcp.stop()


def reaches(lab: Lab) -> bool:
    """Whether the proxy and the server listen."""
    for space, address in ((lab.router, ("127.0.0.1", 1081)), (lab.internet, (SERVER, 1080))):
        with space.entered(), contextlib.suppress(OSError):
            socket.create_connection(address, 1).close()
            continue
        return False
    return True


def wait_for(wanted: Callable[[], bool], timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def receive_for(sock: socket.socket, seconds: float) -> int:
    received, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        received += len(sock.recv(262144))
    return received


def carried(rig: Rig) -> list[int]:
    """Octets that came in by each link."""
    text = rig.lab.router("cat", "/proc/net/dev")
    rows = {line.split(":")[0].strip(): line.split(":")[1].split() for line in text.splitlines() if ":" in line}
    return [int(rows[link.device][0]) for link in rig.lab.links]


def test_server_sees_the_proxy_and_the_target_the_server(rig: Rig) -> None:
    seen = rig.fetch("/whoami").decode()
    assert seen.startswith(("198.51.100.", "203.0.113."))  # one of the Internet's own, and no link's
    assert rig.view()["proxy"]["is_redirecting"] is True


def test_one_connection_uses_all_links_and_outlives_one_that_fails(rig: Rig) -> None:
    with rig.connect() as sock:
        sock.sendall(b"GET /bytes/endless HTTP/1.1\r\nHost: x\r\n\r\n")
        receive_for(sock, 1.0)
        for _attempt in range(8):  # the emulated links share the processor with whatever else goes on
            before = carried(rig)
            mbit_s = receive_for(sock, 3.0) * 8 / 3e6
            shares = [after - one for one, after in zip(before, carried(rig), strict=True)]
            if mbit_s > 22:
                break
        assert all(share > 200_000 for share in shares), shares
        assert mbit_s > 22, mbit_s  # more than the fastest link has
        connections = rig.view()["connections"]  # spare ones have subflows too
        connection = max(connections, key=lambda one: sum(sub["received_bytes"] or 0 for sub in one["subflows"]))
        assert len({one["local"].rpartition(":")[0] for one in connection["subflows"]}) == 4
        rig.lab.links[0].cut()
        rig.usable.discard(1)
        rig.tick()
        try:
            receive_for(sock, 1.0)
            assert receive_for(sock, 1.5) > 300_000
        finally:
            rig.lab.links[0].heal()
            rig.usable.add(1)
            rig.tick()


def test_connections_to_the_server_stand_by_for_the_next_ones(rig: Rig) -> None:
    rig.fetch("/whoami")
    wait_for(lambda: len(rig.view()["connections"]) >= 4)  # greeted, and nobody's yet


def test_a_client_that_breaks_off_leaves_nothing_behind(rig: Rig) -> None:
    def received() -> set[str]:
        """Connections that carry a download, by their tokens."""
        return {
            one["token"]
            for one in rig.view()["connections"]
            if sum(sub["received_bytes"] or 0 for sub in one["subflows"]) > 500_000
        }

    wait_for(lambda: not received())
    with rig.connect() as sock:
        sock.sendall(b"GET /bytes/endless HTTP/1.1\r\nHost: x\r\n\r\n")
        receive_for(sock, 1.0)
        wait_for(lambda: bool(received()))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_for(lambda: not received(), 15.0)  # one that is closed only is there for a minute


def test_what_is_sent_arrives_whole_and_ends(rig: Rig) -> None:
    assert len(rig.fetch("/bytes/3000000")) == 3_000_000


def test_other_ports_and_the_router_itself_are_left_alone(rig: Rig) -> None:
    with rig.connect(8080) as sock:
        sock.sendall(b"GET /whoami HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while part := sock.recv(4096):
            answer += part
        assert answer.rpartition(b"\n")[2].decode() in [link.address for link in rig.lab.links]
    with rig.lab.lan.entered(), pytest.raises(OSError):
        sock = socket.create_connection(("192.168.77.1", 1081), 2)
        sock.settimeout(2)
        if not sock.recv(1):
            raise OSError("it was closed")


def test_while_the_server_is_away_connections_are_made_without_it(rig: Rig) -> None:
    rig.server.terminate()
    rig.server.wait()
    assert rig.fetch("/whoami").decode() in [link.address for link in rig.lab.links]


def test_all_is_taken_away_at_the_end(rig: Rig) -> None:
    rig.mptcp.configure(MptcpSettings())
    rig.tick()
    assert "remsim_mptcp" not in rig.lab.router("nft", "list", "tables")
    assert rig.lab.router("ip", "mptcp", "endpoint", "show").strip() == ""
    assert "subflows 2" in rig.lab.router("ip", "mptcp", "limits", "show")
