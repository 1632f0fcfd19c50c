"""Probes with real sockets on loopback."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.config.routing import LinkSettings, RoutingSettings
from remsim.core.clock import SystemClock
from remsim.core.errors import InvalidInput
from remsim.links.probes.choice import Choice
from remsim.links.probes.counters import parse_counters
from remsim.links.probes.names import AAAA, A, addresses, question
from remsim.links.probes.pace import Counters
from remsim.links.probes.page import parse_page
from remsim.links.probes.plan import PORTAL_URLS, ProbePlan, ProbeResult
from remsim.links.probes.prober import Prober
from remsim.links.probes.wanted import limits_of, plan_of, target_of
from remsim.outbound import target
from remsim.outbound.target import Target


class Heard:
    """What a prober said of its links."""

    def __init__(self) -> None:
        self.results: list[tuple[int, ProbeResult]] = []
        self.portals: list[tuple[int, bool | None]] = []
        self.prober = Prober(
            SystemClock(),
            lambda index, result: self.results.append((index, result)),
            lambda index, is_portal: self.portals.append((index, is_portal)),
        )
        self.prober.start()

    def answers(self, index: int, kind: str | None = None) -> int:
        found = [result for one, result in self.results if one == index and result.is_answered]
        return sum(1 for one in found if kind in (None, one.kind))

    def misses(self, index: int) -> list[ProbeResult]:
        return [result for one, result in self.results if one == index and not result.is_answered]


@pytest.fixture
def heard() -> Iterator[Heard]:
    heard = Heard()
    yield heard
    heard.prober.stop()


class Resolver:
    """Answers DNS: NS of the root, and names it knows. ``drops`` loses all, ``delay_s`` is the round trip."""

    def __init__(self, names: dict[str, str] | None = None) -> None:
        self.names = names or {}
        self.drops = False
        self.delay_s = 0.0
        self.seen = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.text = f"dns:127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                query, sender = self._socket.recvfrom(512)
                self.seen += 1
                if not self.drops:
                    threading.Timer(self.delay_s, self._reply, (query, sender)).start()
            except OSError:  # closed
                return

    def _reply(self, query: bytes, sender: tuple[str, int]) -> None:
        known = [address for name, address in self.names.items() if name.split(".")[0].encode() in query]
        records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", A, 1, 60, 4) + socket.inet_aton(one) for one in known)
        head = query[:2] + b"\x81\x80\0\x01" + struct.pack("!H", len(known)) + b"\0\0\0\0"
        with contextlib.suppress(OSError):  # closed meanwhile
            self._socket.sendto(head + query[12:] + records, sender)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    resolver = Resolver()
    yield resolver
    resolver.close()


class Web:
    """A page that answers with ``status``, or with nothing at all."""

    def __init__(self) -> None:
        self.status: int | None = 204
        self.hosts: list[str | None] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.hosts.append(self.headers["Host"])
                if web.status is None:
                    time.sleep(0.2)
                    return
                self.send_response(web.status)
                self.send_header("Location", "http://portal.example/login")
                self.end_headers()

            do_HEAD = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    yield web
    web.close()


def wait_for(wanted: Callable[[], bool], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def plan(*targets: str, kind: str = "auto", pages: tuple[str, ...] = (), resolvers: tuple[str, ...] = ()) -> ProbePlan:
    return ProbePlan(None, 0, tuple(map(target_of, targets)), kind, 0.05, 0.1, False, pages, resolvers)


def test_answers_are_told_with_their_round_trip_and_loss_is_none(heard: Heard, resolver: Resolver) -> None:
    resolver.delay_s = 0.03
    heard.prober.watch(1, plan(resolver.text))
    wait_for(lambda: heard.answers(1) >= 4)
    quality = heard.prober.quality(1)
    assert quality.latency_ms is not None and 30 <= quality.latency_ms < 200
    assert (quality.loss_percent, quality.kind, quality.target) == (0.0, "dns", "127.0.0.1")
    assert quality.mb_per_month and quality.bytes > 0 and quality.period_s


def test_silence_is_missed_in_a_volley_and_a_late_answer_is_one(heard: Heard, resolver: Resolver) -> None:
    heard.prober.watch(1, plan(resolver.text))
    wait_for(lambda: heard.answers(1) >= 4)
    resolver.drops = True
    wait_for(lambda: len(heard.misses(1)) >= 3 and heard.misses(1)[-1].silent_s >= 0.15)
    assert len(heard.misses(1)) >= 3
    resolver.drops, resolver.delay_s = False, 0.5
    before = heard.answers(1)
    wait_for(lambda: heard.answers(1) > before)
    assert heard.results[-1][1].rtt_ms is None or heard.results[-1][1].rtt_ms >= 490 or heard.answers(1) > before


def test_links_are_told_apart(heard: Heard, resolver: Resolver) -> None:
    silent = Resolver()
    silent.drops = True
    heard.prober.watch(1, plan(resolver.text))
    heard.prober.watch(2, plan(silent.text))
    wait_for(lambda: heard.answers(1) >= 3 and len(heard.misses(2)) >= 2)
    assert heard.misses(1) == [] and heard.answers(2) == 0
    silent.close()


def test_first_kind_that_is_answered_is_kept(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    """ICMP is not answered here, port 53 is closed, 443 refuses: a refusal is an answer."""
    real = target.echo_request
    monkeypatch.setattr("remsim.links.probes.asking.echo_request", lambda one, number: real(one, number) + b"not ours")
    heard.prober.watch(1, plan("127.0.0.1"))
    wait_for(lambda: heard.prober.kinds() == {1: "tcp"})
    assert heard.prober.quality(1).kind == "tcp"
    before = heard.answers(1, "tcp")
    wait_for(lambda: heard.answers(1, "tcp") > before + 2)


def test_icmp_is_the_first_choice(heard: Heard) -> None:
    try:
        target.open_socket(Target("icmp", "127.0.0.1", 0)).close()
    except OSError as error:
        pytest.skip(f"ICMP sockets are not permitted here: {error.strerror}")
    heard.prober.watch(1, plan("127.0.0.1"))
    wait_for(lambda: heard.prober.kinds() == {1: "icmp"} and heard.answers(1, "icmp") >= 3)


def test_ipv6_is_probed_alike(heard: Heard) -> None:
    if not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("there is no IPv6 here")
    heard.prober.watch(1, plan("::1"))
    wait_for(lambda: heard.answers(1) >= 3)


def test_any_http_answer_proves_a_link_whose_kind_is_http(heard: Heard, web: Web) -> None:
    web.status = 503
    heard.prober.watch(1, plan(f"http:127.0.0.1:{web.port}"))
    wait_for(lambda: heard.answers(1, "http") >= 2)


def test_kind_that_is_forbidden_is_not_used(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    real = target.open_socket

    def forbidden(asked: Target) -> socket.socket:
        if asked.method == "icmp":
            raise PermissionError(1, "Operation not permitted")
        return real(asked)

    monkeypatch.setattr("remsim.links.probes.asking.open_socket", forbidden)
    heard.prober.watch(1, plan("127.0.0.1"))
    wait_for(lambda: heard.answers(1, "tcp") >= 2)
    heard.prober.watch(2, plan("127.0.0.1", kind="icmp"))
    wait_for(lambda: heard.prober.quality(2).problem is not None)
    assert "not permitted" in str(heard.prober.quality(2).problem)


def test_device_that_is_not_there_is_told_at_once(heard: Heard, resolver: Resolver) -> None:
    nowhere = ProbePlan("nosuchwwan0", 0x100, (Target("icmp", "192.0.2.1", 0),), "icmp", 0.05, 0.1)
    heard.prober.watch(1, nowhere)
    wait_for(lambda: bool(heard.misses(1)))
    assert heard.misses(1)[0].error == "no_device"


def test_link_that_is_not_watched_any_more_says_nothing_and_leaves_no_socket(heard: Heard, resolver: Resolver) -> None:
    before = len(os.listdir("/proc/self/fd"))
    heard.prober.watch(1, plan(resolver.text))
    wait_for(lambda: heard.answers(1) > 0)
    heard.prober.unwatch(1)
    wait_for(lambda: len(os.listdir("/proc/self/fd")) <= before)
    said = len(heard.results)
    time.sleep(0.15)
    assert len(heard.results) == said


def test_error_nobody_thought_of_does_not_end_the_probing(
    heard: Heard, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remsim.links.probes.prober.ERROR_PAUSE_S", 0.05)
    failed: list[int] = []

    def fail_once(index: int, result: ProbeResult) -> None:
        if not failed:
            failed.append(1)
            raise RuntimeError("nobody thought of this")
        heard.results.append((index, result))

    heard.prober.on_result = fail_once
    heard.prober.watch(1, plan(resolver.text))
    wait_for(lambda: bool(failed) and heard.answers(1) >= 2)


@pytest.mark.parametrize("status", [200, 302, 403, 511])
def test_what_answers_otherwise_than_204_is_a_portal(heard: Heard, resolver: Resolver, web: Web, status: int) -> None:
    web.status = status
    heard.prober.watch(1, plan(resolver.text, pages=(f"http://127.0.0.1:{web.port}/generate_204",)))
    wait_for(lambda: heard.portals == [(1, True)])


def test_portal_that_lets_one_through_is_noticed(
    heard: Heard, resolver: Resolver, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remsim.links.probes.page.PORTAL_S", 0.1)
    web.status = 302
    heard.prober.watch(1, plan(resolver.text, pages=(f"http://127.0.0.1:{web.port}/",)))
    wait_for(lambda: len(heard.portals) >= 2)
    web.status = 204
    wait_for(lambda: heard.portals[-1] == (1, False))


def test_name_of_the_page_is_asked_over_the_link(heard: Heard, web: Web) -> None:
    resolver = Resolver({"page.example": "127.0.0.1"})
    pages = (f"http://page.example:{web.port}/generate_204",)
    heard.prober.watch(1, plan(resolver.text, pages=pages, resolvers=(resolver.text,)))
    wait_for(lambda: heard.portals == [(1, False)])
    assert web.hosts == [f"page.example:{web.port}"]
    resolver.close()


def test_link_over_which_no_page_answers_is_walled(
    heard: Heard, resolver: Resolver, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remsim.links.probes.page.AGAIN_S", 0.05)
    web.status = None
    heard.prober.watch(1, plan(resolver.text, pages=(f"http://127.0.0.1:{web.port}/",)))
    wait_for(lambda: heard.portals == [(1, True)])
    assert len(web.hosts) >= 3


def test_link_that_does_not_answer_probes_is_not_said_to_be_walled(
    heard: Heard, resolver: Resolver, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remsim.links.probes.page.AGAIN_S", 0.02)
    heard.prober.watch(1, plan(resolver.text, pages=(f"http://127.0.0.1:{web.port}/",)))
    wait_for(lambda: heard.portals == [(1, False)])
    heard.prober.restart(1)
    resolver.drops, web.status = True, None
    time.sleep(0.5)
    assert heard.portals == [(1, False)]


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("http://cp.cloudflare.com/generate_204", ("cp.cloudflare.com", 80, "/generate_204")),
        ("http://192.0.2.1:8080", ("192.0.2.1", 8080, "/")),
        ("http://[2001:db8::1]:81/x?y", ("2001:db8::1", 81, "/x?y")),
    ],
)
def test_page_is_a_host_a_port_and_a_path(url: str, wanted: tuple[str, int, str]) -> None:
    assert parse_page(url) == wanted


@pytest.mark.parametrize(
    "url",
    ["", "https://a.example/", "http://", "http://a b/", "http://a.example:0/", "http://u@a/", "http://a/\r\nX: y"],
)
def test_wrong_page_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_page(url)
    assert caught.value.field == "portal_url"


@given(st.binary(max_size=80), st.integers(0, 65535))
def test_any_bytes_are_addresses_or_no_answer(data: bytes, number: int) -> None:
    found = addresses(data, number)
    assert found is None or all(":" in one or one.count(".") == 3 for one in found)


def test_addresses_are_read_behind_aliases() -> None:
    asked = question(7, "www.example.", AAAA)
    alias = b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 60, 4) + b"\x01a\xc0\x10"
    found = b"\xc0\x2a" + struct.pack("!HHIH", AAAA, 1, 60, 16) + socket.inet_pton(socket.AF_INET6, "2001:db8::7")
    reply = b"\0\x07\x81\x80\0\x01\0\x02\0\0\0\0" + asked[12:] + alias + found
    assert addresses(reply, 7) == ["2001:db8::7"]
    assert addresses(reply, 8) is None


def test_counters_are_read_by_the_exact_name() -> None:
    text = (
        "Inter-|   Receive                   |  Transmit\n face |bytes packets errs ...\n"
        "  wwan0: 1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0\n"
        "wwan0_4:7 7 0 0 0 0 0 0 8 8 0 0 0 0 0 0\n"
    )
    assert parse_counters(text, {"wwan0", "wwan1"}) == {"wwan0": Counters(1000, 2000, 10, 20)}


@given(st.text(max_size=200))
def test_any_text_is_counters_or_none(text: str) -> None:
    parse_counters(text, {"eth0"})


def test_target_that_never_answers_is_left_out_while_others_do() -> None:
    choice = Choice(plan("icmp:192.0.2.1", "icmp:192.0.2.2", "icmp:192.0.2.3"))
    asked: list[str] = []
    for at in range(60):
        one = choice.next(float(at), is_odd=False)
        asked.append(one.host)
        if one.host == "192.0.2.2":
            choice.lost(one, float(at))
        else:
            choice.answered(one, float(at))
    assert asked.count("192.0.2.2") == 3
    assert abs(asked.count("192.0.2.1") - asked.count("192.0.2.3")) <= 6


def test_other_kinds_are_asked_while_a_link_is_odd_and_take_over_when_the_old_one_is_filtered() -> None:
    choice = Choice(plan("192.0.2.1", "192.0.2.2"), "icmp")
    assert {choice.next(1.0, is_odd=False).method for _ in range(5)} == {"icmp"}
    assert {choice.next(1.0, is_odd=True).method for _ in range(12)} == {"icmp", "dns", "tcp", "http"}
    for at in range(2, 40):
        choice.answered(Target("dns", "192.0.2.1", 53), float(at))
    assert choice.kind == "dns"


def test_plan_is_made_of_the_settings() -> None:
    settings, link = RoutingSettings(), LinkSettings("a", device="wwan0", metered=True)
    made = plan_of(settings, link, 3, "wwan0", resolvers=("10.0.0.53",))
    assert (made.mark, made.period_idle_s, made.is_metered, made.portal_urls) == (0x300, 5.0, True, PORTAL_URLS)
    assert len(made.targets) >= 3 and made.resolvers[0] == "10.0.0.53"
    only6 = plan_of(settings, link, 3, "wwan0", has4=False, has6=True)
    assert all(":" in one.host for one in only6.targets)
    limits = limits_of(settings, made)
    assert (limits.down, limits.up, limits.waits_for_portal) == (3, 10, True)
    assert limits.down_s == pytest.approx(0.6)


def test_link_that_leads_nowhere_public_is_not_looked_for_portals() -> None:
    inside = LinkSettings("a", device="eth1", probe=("10.0.0.1",))
    assert plan_of(RoutingSettings(), inside, 1, "eth1").portal_urls == ()
    named = RoutingSettings(portal_url=("http://10.0.0.2/204",))
    assert plan_of(named, inside, 1, "eth1").portal_urls == ("http://10.0.0.2/204",)
    assert plan_of(RoutingSettings(portal_url=("none",)), LinkSettings("a"), 1, "eth1").portal_urls == ()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1.1.1.1", Target("auto", "1.1.1.1", 0)),
        ("2620:fe::fe", Target("auto", "2620:fe::fe", 0)),
        ("tcp:1.1.1.1", Target("tcp", "1.1.1.1", 443)),
        ("http:[2620:fe::fe]", Target("http", "2620:fe::fe", 80)),
        ("http:1.1.1.1:8080", Target("http", "1.1.1.1", 8080)),
        ("dns:9.9.9.9", Target("dns", "9.9.9.9", 53)),
    ],
)
def test_probe_of_the_settings_is_a_target(text: str, wanted: Target) -> None:
    assert target_of(text) == wanted
