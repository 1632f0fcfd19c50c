"""Clients that send half of something, nothing at all, or never go: they hold no thread, and others are answered."""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from remsim.web.server import allow_files
from stream_support import Server, serving
from web_support import TOKEN

CROWD = 40
PAIR = b"POST /api/v1/auth/pair HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
HEALTH = b"GET /api/v1/healthz HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "data", "--threads", "4", "--max-streams", "2") as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all crowds that go again."""
    with serving(tmp_path_factory.mktemp("shared"), "--threads", "4", "--max-streams", "2") as running:
        yield running


@contextlib.contextmanager
def crowd(server: Server, said: bytes, count: int = CROWD) -> Iterator[list[socket.socket]]:
    """Connections that say the same and then wait."""
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            found.append(stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 10)))
            found[-1].sendall(said)
        yield found


def answers(connection: socket.socket, count: int = 1) -> list[bytes]:
    """Bodies of the next answers."""
    file, found = connection.makefile("rb"), []
    for _ in range(count):
        assert file.readline().startswith(b"HTTP/1.1 ")
        length = 0
        while (line := file.readline().strip()) != b"":
            name, _, value = line.partition(b": ")
            if name.lower() == b"content-length":
                length = int(value)
        found.append(file.read(length))
    return found


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /api/v1/hea",
        HEALTH + b"X-Half: ",
        HEALTH + b"Connection: close\r\n\r\n",
        HEALTH + b"Content-Length: 60000\r\n\r\nhalf a body",
        b"POST /api/v1/tickets HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{",
        b"POST /api/v1/tickets HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{",
        PAIR + b"Content-Length: 20\r\n\r\n{",
        PAIR + b"Content-Length: 00000000020\r\n\r\n{",
        PAIR + b"Content-Length: 5000\r\n\r\n{",
        PAIR + b"Content-Length: 20\r\nExpect: 100-continue\r\n\r\n",
        PAIR + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n{",
        PAIR + f"Authorization: Bearer {TOKEN}\r\nContent-Length: 20\r\n\r\n{{".encode(),
        b"no such thing as http\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
    ],
    ids=[
        *("nothing", "half a line", "half a head", "closing", "unread body", "no token", "chunked", "half a pairing"),
        *("zeros", "long pairing", "expecting", "chunked pairing", "half a body with a token", "garbage", "long"),
    ],
)
def test_a_crowd_that_waits_holds_up_nobody(shared: Server, said: bytes) -> None:
    with crowd(shared, said):
        for _ in range(5):
            begin = time.monotonic()
            assert shared.get("healthz", timeout_s=10) == {"status": "ok"}
            assert time.monotonic() - begin < 4.5  # a thread that waits for one of them would be held for 5 s
    assert shared.errors() == ""


@pytest.mark.parametrize("said", [b"", HEALTH + b"Connection: close\r\n\r\n", HEALTH + b"\r\n"])
def test_more_connections_than_there_is_room_for_push_out_the_idle_ones(shared: Server, said: bytes) -> None:
    with crowd(shared, said, 600):
        assert shared.get("healthz", timeout_s=4) == {"status": "ok"}
    assert shared.errors() == ""


def test_half_a_head_is_refused_after_a_while(server: Server) -> None:
    with crowd(server, HEALTH, 1) as [half], half.makefile("rb") as file:
        assert b" 408 " in file.readline()
        problem = json.loads(file.read().partition(b"\r\n\r\n")[2])
    assert problem["code"] == "request_timeout" and problem["status"] == 408


def test_a_head_in_pieces_and_requests_in_one_piece_are_answered(server: Server) -> None:
    with crowd(server, b"", 1) as [client]:
        for byte in HEALTH + b"\r\n":
            client.sendall(bytes([byte]))
            time.sleep(0.002)
        assert json.loads(answers(client)[0]) == {"status": "ok"}
        client.sendall((HEALTH + b"\r\n") * 3 + HEALTH[:20])
        assert [json.loads(one) for one in answers(client, 3)] == [{"status": "ok"}] * 3
        client.sendall(HEALTH[20:] + b"\r\n")
        assert json.loads(answers(client)[0]) == {"status": "ok"}


def test_a_body_that_comes_late_is_taken(server: Server) -> None:
    body = b'{"purpose": "stream"}'
    head = (
        f"POST /api/v1/tickets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with crowd(server, head.encode(), 1) as [client]:
        time.sleep(0.5)
        client.sendall(body)
        assert json.loads(answers(client)[0])["purpose"] == "stream"


def test_sigterm_does_not_wait_for_them(server: Server) -> None:
    half = PAIR + b"Content-Length: 20\r\n\r\n{"
    with (
        crowd(server, HEALTH),
        crowd(server, half),
        crowd(server, HEALTH + b"Connection: close\r\n\r\n"),
        crowd(server, HEALTH + b"\r\n"),
    ):
        server.get("healthz", timeout_s=10)
        assert server.terminate() < 8  # the bar of 2 s is the benchmark's
    assert server.errors() == ""


def test_more_files_are_allowed_when_more_streams_are() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
        assert allow_files(200) == 300
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (300, hard)
        assert allow_files(400) == 400
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (400, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
