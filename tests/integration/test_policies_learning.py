"""Names learned in a router of network namespaces: by a real dnsmasq, real TLS, QUIC, DNS answers and nDPI."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hellos import client_hello, crypto_frame, initial
from netlab.space import Space, end
from remsim.core.clock import SystemClock
from remsim.core.routes import SetCode
from remsim.policies.facts import Wanted
from remsim.policies.learning.dnsmasq import FILE, GONE, Dnsmasq, DnsmasqFails
from remsim.policies.learning.learner import Learner, Switches
from remsim.policies.learning.ndpi import NoNdpi, library
from remsim.policies.learning.patterns import domain_sets
from remsim.policies.learning.taps import NEVER, post_taps, taps

SERVER, SERVER6, OTHER, PRIVATE = "203.0.113.9", "2001:db8:9::9", "203.0.113.10", "10.9.9.9"
SETS = domain_sets(["video.example"])
NEWS_SETS = domain_sets(["news.video.example"])
NEWS = Wanted(NEWS_SETS[0].name, NEWS_SETS[1].name, ("news.video.example",))
GLOB_SETS = domain_sets(["cdn?.*.example"])
GLOB = Wanted(GLOB_SETS[0].name, GLOB_SETS[1].name, (), (), ("cdn?.*.example",))
VIDEO = Wanted(SETS[0].name, SETS[1].name, ("video.example",), ("video",))


def why_not() -> str | None:
    if os.geteuid() != 0:
        return "needs root"
    tried = subprocess.run(["unshare", "--net", "nft", "list", "tables"], capture_output=True)
    return None if tried.returncode == 0 else "network namespaces or nftables are not allowed here"


pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


class Net:
    """client — router — server, with the router's table."""

    def __init__(self) -> None:
        names = [f"learn{os.getpid()}{one}" for one in "crs"]
        self.spaces = [Space(name) for name in names]
        self.client, self.router, self.server = self.spaces
        self._names = names

    def build(self) -> None:
        """Cables, addresses, the table."""
        names = self._names
        self.router("ip", "link", "add", "lan0", "type", "veth", "peer", "name", "eth0", "netns", names[0])
        self.router("ip", "link", "add", "wan0", "type", "veth", "peer", "name", "eth0", "netns", names[2])
        for space, device, address, address6 in (
            (self.client, "eth0", "192.168.77.5/24", "fd77::5/64"),
            (self.router, "lan0", "192.168.77.1/24", "fd77::1/64"),
            (self.router, "wan0", "203.0.113.1/24", "2001:db8:9::1/64"),
            (self.server, "eth0", f"{SERVER}/24", f"{SERVER6}/64"),
        ):
            space("ip", "addr", "add", address, "dev", device)
            space("ip", "addr", "add", address6, "dev", device, "nodad")
            space("ip", "link", "set", device, "up")
        self.server("ip", "addr", "add", f"{OTHER}/24", "dev", "eth0")
        self.client("ip", "route", "add", "default", "via", "192.168.77.1")
        self.client("ip", "route", "add", "default", "via", "fd77::1")
        self.server("ip", "route", "add", "default", "via", "203.0.113.1")
        self.server("ip", "route", "add", "default", "via", "2001:db8:9::1")
        for name in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/netfilter/nf_conntrack_acct"):
            self.router.sysctl(name, 1)
        sets = "".join(
            f"set {one.name} {{ {one.declaration} "
            + (f"elements = {{ {', '.join(one.elements)} }};" if one.elements else "")
            + " }\n"
            for one in (*SETS, *NEWS_SETS, *GLOB_SETS, *NEVER)
        )
        forward = "\n".join(taps(learn_names=True, use_ndpi=True))
        after = "\n".join(post_taps(learn_names=True))
        self.router.nft(
            f"table inet remsim {{ set lan {{ type ifname; flags timeout; elements = {{ lan0 }}; }}\n{sets}"
            f"chain prerouting {{ type filter hook prerouting priority mangle; policy accept;\n"
            f"udp dport 9 ip daddr @{SETS[0].name} ip daddr != @never4 counter\n}}\n"
            f"chain forward {{ type filter hook forward priority filter; policy accept;\n{forward}\n}}\n"
            f"chain postrouting {{ type filter hook postrouting priority mangle; policy accept;\n{after}\n}}\n}}\n"
        )

    def add(self, name: str, elements: Sequence[str], timeout_s: int | None) -> None:
        """What the plane does."""
        self.router.nft(f"add element inet remsim {name} {{ {', '.join(elements)} }}\n")

    def holds(self, address: str, sets: Sequence[SetCode] = SETS) -> bool:
        """Whether an address is in its set of the kernel."""
        name = sets[":" in address].name
        return address in self.router("nft", "list", "set", "inet", "remsim", name)

    def empty(self) -> None:
        self.router.nft("".join(f"flush set inet remsim {one.name}\n" for one in (*SETS, *NEWS_SETS, *GLOB_SETS)))

    def remove(self) -> None:
        for space in self.spaces:
            space.remove()


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    made = Net()
    try:
        made.build()
        yield made
    finally:
        made.remove()


@pytest.fixture
def learner(net: Net) -> Iterator[Learner]:
    net.empty()
    made = Learner(clock=SystemClock(), add=net.add, of_ndpi={"Zoom": ("video",), "RTP": ("video",)})
    with net.router.entered():
        made.start()
    try:
        yield made
    finally:
        made.stop()


def wait_for(what: Callable[[], object], timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def is_reading(learner: Learner, rung: str = "sni") -> bool:
    found = next(one for one in learner.rungs() if one["rung"] == rung)
    return bool(found["is_on"] and found["is_there"])


def follow(net: Net, learner: Learner, switches: Switches) -> None:
    """Configure it, and wait until the kernel copies packets."""
    learner.configure([VIDEO, GLOB], switches)
    group = f"{27114:>5}"
    wait_for(lambda: group in net.router("cat", "/proc/net/netfilter/nfnetlink_log"))


@contextlib.contextmanager
def tls_server(net: Net, folder: Path) -> Iterator[None]:
    """A server for two connections' handshakes at every address."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=video.example", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with net.server.entered():
        listener = socket.create_server(("::", 443), family=socket.AF_INET6, dualstack_ipv6=True)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                    secure.sendall(b"hello")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def connect(net: Net, address: str, name: str) -> bytes:
    context = ssl._create_unverified_context()
    with net.client.entered():
        plain = socket.create_connection((address, 443), timeout=5)
    with context.wrap_socket(plain, server_hostname=name) as secure:
        return secure.recv(100)


def test_name_of_a_real_tls_connection_gets_its_server_into_the_set(net: Net, learner: Learner, tmp_path: Path) -> None:
    follow(net, learner, Switches(names=True, dnsmasq=False))
    with tls_server(net, tmp_path):
        for address in (SERVER, SERVER6):
            assert connect(net, address, "cdn7.video.example") == b"hello"
            wait_for(lambda: learner.name_of(address) == "cdn7.video.example")  # noqa: B023
            wait_for(lambda: net.holds(address))  # noqa: B023
            wait_for(lambda: net.holds(address, GLOB_SETS))  # noqa: B023
        assert connect(net, OTHER, "other.example") == b"hello"
        wait_for(lambda: learner.name_of(OTHER) == "other.example")
    assert not net.holds(OTHER)
    assert set(learner.addresses_of("video.example")) == {SERVER, SERVER6}


def test_hello_of_two_segments_is_put_together(net: Net, learner: Learner) -> None:
    follow(net, learner, Switches(names=True, dnsmasq=False))
    with net.server.entered():
        listener = socket.create_server((SERVER, 443))
    with net.client.entered():
        connection = socket.create_connection((SERVER, 443), timeout=5)
    with listener, connection:
        connection.sendall(client_hello("long.video.example", extra=1184))
        wait_for(lambda: learner.name_of(SERVER) == "long.video.example")


def test_names_in_quic_packets_are_read(net: Net, learner: Learner) -> None:
    follow(net, learner, Switches(names=True, dnsmasq=False))
    message = client_hello("quic.video.example", extra=1184)[5:]
    with net.client.entered():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        for count, part in enumerate((crypto_frame(900, message[900:]), crypto_frame(0, message[:900]))):
            sender.sendto(initial(part, connection=b"12345678", count=count), (SERVER, 443))
    wait_for(lambda: learner.name_of(SERVER) == "quic.video.example")
    wait_for(lambda: net.holds(SERVER))
    assert not net.holds(SERVER, GLOB_SETS)


class Resolver:
    """The router's dnsmasq, and one beyond it that knows the names."""

    def __init__(self, net: Net, folder: Path) -> None:
        self._net = net
        self.folder = folder / "dnsmasq.d"
        self.folder.mkdir()
        self._common = ["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--user=root", "--pid-file"]
        names = (("video", SERVER), ("video", SERVER6), ("b", OTHER), ("rebound.video", PRIVATE))
        far = ["--listen-address=203.0.113.9", "--local-ttl=300"]
        far += [f"--address=/{name}.example/{address}" for name, address in names]
        self._far = net.server.popen([*self._common, "--conf-file=/dev/null", *far])
        self.starts = 0
        self.fails_with_sets = False
        self.near: subprocess.Popen[bytes] | None = None
        self.restart()

    def restart(self) -> None:
        """What the init script does."""
        if self.near is not None:
            end(self.near)
        self.starts += 1
        if self.fails_with_sets and (self.folder / FILE).exists():
            return
        arguments = ["--server=203.0.113.9", "--listen-address=192.168.77.1", "--bind-interfaces"]
        arguments += ["--conf-file=/dev/null", f"--conf-dir={self.folder}"]
        self.near = self._net.router.popen([*self._common, *arguments])
        # A name that was asked in vain is not asked again for a while.
        names = (f"started{number}.invalid" for number in itertools.count())
        wait_for(lambda: self.ask(next(names)) is not None)

    def ask(self, name: str, kind: int = 1) -> bytes | None:
        """What the router answers a device of the LAN."""
        question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
        with self._net.client.entered():
            asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with asking, contextlib.suppress(OSError):
            asking.settimeout(0.3)
            asking.connect(("192.168.77.1", 53))
            asking.send(struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + question + struct.pack("!HH", kind, 1))
            return asking.recv(1500)
        return None

    def close(self) -> None:
        for child in (self.near, self._far):
            if child is not None:
                end(child)


@pytest.fixture
def resolver(net: Net, tmp_path: Path) -> Iterator[Resolver]:
    made = Resolver(net, tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_dnsmasq_fills_sets_before_it_answers_and_again_when_they_are_emptied(net: Net, resolver: Resolver) -> None:
    net.empty()
    dnsmasq = Dnsmasq(restart=resolver.restart)
    with net.router.entered():
        assert dnsmasq.why_not() is None
        dnsmasq.fill([VIDEO])
        assert resolver.starts == 2
        for kind, address in ((1, SERVER), (28, SERVER6)):
            resolver.ask("www.video.example", kind)
            assert net.holds(address)  # at once: it is in time for the first packet
        resolver.ask("b.example")
        assert not net.holds(OTHER)

        net.empty()
        resolver.ask("www.video.example")
        assert not net.holds(SERVER)  # answered from its cache
        dnsmasq.fill([VIDEO])
        assert resolver.starts == 2  # nothing changed: only its cache was cleared

        def is_filled() -> bool:
            resolver.ask("www.video.example")
            return net.holds(SERVER)

        wait_for(is_filled)
        dnsmasq.leave()
    assert resolver.starts == 3 and not list(resolver.folder.iterdir())


def test_name_below_two_domains_gets_into_the_sets_of_both(net: Net, resolver: Resolver) -> None:
    net.empty()
    with net.router.entered():
        Dnsmasq(restart=resolver.restart).fill([VIDEO, NEWS])
    resolver.ask("www.news.video.example")
    assert net.holds(SERVER) and net.holds(SERVER, NEWS_SETS)
    net.empty()
    resolver.ask("www.video.example")
    assert net.holds(SERVER) and not net.holds(SERVER, NEWS_SETS)


def test_private_address_of_a_name_takes_no_traffic_with_it(net: Net, resolver: Resolver) -> None:
    net.empty()
    with net.router.entered():
        Dnsmasq(restart=resolver.restart).fill([VIDEO])
    for name, address, packets in (("rebound.video.example", PRIVATE, 0), ("www.video.example", SERVER, 1)):
        resolver.ask(name)
        assert net.holds(address)  # dnsmasq does not ask us
        with net.client.entered():
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sender:
            sender.sendto(b"x", (address, 9))
        counted = f"counter packets {packets} "
        wait_for(lambda: counted in net.router("nft", "list", "chain", "inet", "remsim", "prerouting"))  # noqa: B023


def test_dnsmasq_that_does_not_come_up_gets_its_old_configuration_back(
    net: Net, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remsim.policies.learning.dnsmasq.START_S", 0.3)
    resolver.fails_with_sets = True
    with net.router.entered(), pytest.raises(DnsmasqFails, match="did not come up") as told:
        Dnsmasq(restart=resolver.restart).fill([VIDEO])
    assert told.value.code == GONE
    assert resolver.ask("www.video.example") is not None
    assert not list(resolver.folder.iterdir())


def test_answers_to_the_lan_are_read_also_those_from_a_cache(net: Net, learner: Learner, resolver: Resolver) -> None:
    resolver.ask("www.video.example")
    follow(net, learner, Switches(names=True, dnsmasq=False))
    resolver.ask("www.video.example")
    wait_for(lambda: learner.name_of(SERVER) == "www.video.example")
    wait_for(lambda: net.holds(SERVER))


def test_learner_without_dnsmasq_says_why(net: Net, learner: Learner) -> None:
    learner.configure([VIDEO], Switches(dnsmasq=True))
    wait_for(lambda: not is_reading(learner, "dnsmasq"))
    found = next(one for one in learner.rungs() if one["rung"] == "dnsmasq")
    assert found["why"] == "dnsmasq does not fill the sets of names: dnsmasq does not run"
    assert found["package"] == "dnsmasq-full"


def has_ndpi() -> bool:
    try:
        library()
    except NoNdpi:
        return False
    return True


@pytest.mark.skipif(not has_ndpi(), reason="libndpi of a known version is not installed")
def test_ndpi_sees_calls_in_a_process_that_may_die(net: Net, learner: Learner) -> None:
    learner.configure([VIDEO], Switches(ndpi=True, dnsmasq=False))
    wait_for(lambda: "27115" in net.router("cat", "/proc/net/netfilter/nfnetlink_log"))
    with net.client.entered():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        for number in range(8):
            spoken = struct.pack("!BBHII", 0x80, 0, number, number * 160, 0x1234) + bytes(160)
            sender.sendto(spoken, (SERVER, 40002))
    wait_for(lambda: net.holds(SERVER))
    process = learner._ndpi._process  # type: ignore[union-attr]
    assert process is not None
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert "Uid:\t65534\t65534" in status
    process.kill()
    wait_for(lambda: not is_reading(learner, "ndpi"))
    assert "applications are not looked for" in next(one["why"] for one in learner.rungs() if one["rung"] == "ndpi")
