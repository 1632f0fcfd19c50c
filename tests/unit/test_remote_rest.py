"""The client of osmo-remsim-server's REST interface: what it sends, and what it makes of any answer."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from remsim.remotesim.rest import MapRefused, Nonsense, Rest, ServerError
from remsim.remotesim.slotmap import SlotMap
from virtual_remsim import free_port, virtual_remsim

A = SlotMap(1, 2, 5, 0)


@contextlib.contextmanager
def answering(*answers: bytes | Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives these answers, one a connection, and the requests it got."""
    got: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answer in answers:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                got.append(request_from(connection))
                with contextlib.suppress(OSError):
                    answer(connection) if callable(answer) else connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", got
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def request_from(connection: socket.socket) -> bytes:
    """One request with its body."""
    got = connection.recv(65536)
    length = int((re.search(rb"Content-Length: (\d+)", got) or [b"", b"0"])[1])
    while len(got.partition(b"\r\n\r\n")[2]) < length:
        got += connection.recv(65536)
    return got


def http(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


def test_maps_are_made_listed_and_removed_over_one_connection() -> None:
    with virtual_remsim(1) as parts:
        rest = Rest(parts.url)
        rest.add(A)
        assert list(rest.maps()) == [A]
        kept = rest._connection
        with pytest.raises(MapRefused):
            rest.add(A)
        rest.remove(A)
        rest.remove(A)
        assert rest.maps() == {} and rest._connection is kept
        (bank,) = rest.banks().values()
        assert (bank.bank_id, bank.slots, bank.software) == (1, 8, "remsim-bankd")
        assert rest.clients() == {} and rest.ends == ("127.0.0.1", "127.0.0.1")
        # A connection that was dropped meanwhile is made anew.
        parts.restart_server()
        assert rest.maps() == {}
        rest.close()


def test_a_new_map_is_sent_as_the_server_takes_it() -> None:
    with answering(http(b"", "201 Created")) as (url, got):
        Rest(url).add(A)
    head, _, body = got[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/backend/v1/slotmaps HTTP/1.1") and b"Content-Type: application/json" in head
    assert json.loads(body) == {"bank": {"bankId": 1, "slotNr": 2}, "client": {"clientId": 5, "slotNr": 0}}
    with answering(http(b"")) as (url, got):
        Rest(url).remove(SlotMap(3, 7, 0, 0))
    assert got[0].startswith(b"DELETE /api/backend/v1/slotmaps/196615 ")


def test_an_address_may_have_a_path() -> None:
    for path in ("/", "/proxy/", "/proxy/api/backend/v1"):
        with answering(http(b'{"slotmaps":[]}')) as (url, got):
            Rest(url + path).maps()
        assert got[0].split()[1].endswith(b"/api/backend/v1/slotmaps") and got[0].count(b"/api/") == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http(b"<html>Log in</html>"), "a web page"),
        (http(b'{"slotmaps":[{"bank"'), "not JSON"),
        (http(b""), "not JSON"),
        (http(b"[" * 100_000), "not JSON"),
        (http(b'{"banks":[]}'), "without a list of slotmaps"),
        (http(b'{"slotmaps":{}}'), "without a list"),
        (http(b'{"slotmaps":[1]}'), "without a list"),
        (http(b'{"slotmaps":[{}]}'), "without its two slots"),
        (http(b'{"slotmaps":[{"bank":{"bankId":1,"slotNr":true},"client":{"clientId":1,"slotNr":0}}]}'), "impossible"),
        (http(b'{"slotmaps":[{"bank":{"bankId":1,"slotNr":-1},"client":{"clientId":1,"slotNr":0}}]}'), "impossible"),
        (http(b'{"slotmaps":[{"bank":{"bankId":1,"slotNr":1e3},"client":{"clientId":1,"slotNr":0}}]}'), "impossible"),
        (http(b"", "302 Found", "Location: http://127.0.0.1:1/\r\n"), "redirect is not followed"),
        (http(b"", "401 Unauthorized"), "status 401"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP"),
        (b"\x16\x03\x01\x00\x00", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000, "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000, "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 3_000_000, "more than 2048 kB"),
        (b"", "127.0.0.1"),
    ],
)
def test_an_answer_that_no_remsim_server_gives_is_named(answer: bytes, words: str) -> None:
    with answering(answer) as (url, _), pytest.raises(ServerError) as caught:
        Rest(url).maps()
    assert words in caught.value.message


@pytest.mark.parametrize("piece", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"H"])
def test_a_slow_answer_is_not_waited_for_however_it_trickles(piece: bytes) -> None:
    over = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(piece)
        while not over.wait(0.05):
            connection.sendall(b" ")

    with answering(trickle) as (url, _):
        began = time.monotonic()
        with pytest.raises(ServerError) as caught:
            Rest(url, timeout_s=0.3).maps()
        over.set()
    assert time.monotonic() - began < 30 and "does not answer in 0.3 s" in caught.value.message


def test_a_change_is_not_sent_twice_when_its_answer_is_lost() -> None:
    with answering(http(b'{"slotmaps":[]}'), b"", b"") as (url, got):
        rest = Rest(url)
        rest.maps()
        with pytest.raises(ServerError):
            rest.add(A)
        time.sleep(0.05)
        assert len(got) <= 2 and sum(one.startswith(b"POST") for one in got) <= 1


def test_nobody_there() -> None:
    with pytest.raises(ServerError) as caught:
        Rest(f"http://127.0.0.1:{free_port()}").maps()
    assert caught.value.code == "server_unreachable" and "cannot be reached" in caught.value.message


WORDS = (
    *("slotmaps", "banks", "clients", "bank", "client", "bankId", "slotNr", "clientId", "numberOfSlots", "state"),
    *("peer", "component_id", "name"),
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(ANY_JSON)
def test_any_json_gives_lists_or_an_error_of_ours(answer: object) -> None:
    rest = Rest("http://127.0.0.1:1")
    rest._ask = lambda method, name, body=None: (200, json.dumps(answer).encode())  # type: ignore[method-assign]
    for look in (rest.maps, rest.banks, rest.clients):
        with contextlib.suppress(Nonsense):
            assert isinstance(look(), dict)
