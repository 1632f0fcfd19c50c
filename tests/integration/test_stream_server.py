"""Streams through the real server: gunicorn, its worker, and the one thread that feeds all sockets."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import descendants
from stream_support import Server, Stream, serving
from web_support import TOKEN


@pytest.fixture(params=["one sender", "thread a stream"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "data", *(["--thread-per-stream"] if request.param != "one sender" else [])) as running:
        yield running


def test_every_reading_reaches_every_viewer_in_order(server: Server) -> None:
    streams = [server.stream() for _ in range(10)]
    server.wait_open(10)
    server.do("publish 500")
    for stream in streams:
        assert stream.status == "HTTP/1.1 200 OK" and stream.headers["content-type"].startswith("text/event-stream")
        taken = stream.take(500)
        assert [one["data"]["cell_id"] for one in taken] == list(range(1, 501))
        assert [int(one["id"]) for one in taken] == [one["data"]["id"] for one in taken]


def test_a_viewer_that_comes_back_misses_nothing(server: Server) -> None:
    stream = server.stream()
    server.do("publish 10")
    last = stream.take(5)[-1]["id"]
    stream.close()
    server.do("publish 20")
    again = server.stream(Last_Event_ID=last)
    assert [one["data"]["cell_id"] for one in again.take(25)] == list(range(6, 31))
    by_query = server.stream(f"?last_event_id={last}")
    assert [one["data"]["cell_id"] for one in by_query.take(25)] == list(range(6, 31))


def test_a_viewer_may_ask_for_one_modem(server: Server) -> None:
    stream = server.stream("?modem=modem2")
    server.wait_open(1)
    server.do("publish 10")
    assert [one["data"]["cell_id"] for one in stream.take(5)] == [1, 3, 5, 7, 9]


def test_a_revoked_token_loses_its_stream_and_no_other(server: Server) -> None:
    token = server.send("POST", "tokens", {"name": "TV", "scopes": ["wall"]})
    revoked, stays = Stream(server.port, token=token["secret"]), server.stream()
    server.wait_open(2)
    server.do("publish 1")
    assert len(revoked.take(1)) == len(stays.take(1)) == 1
    server.send("DELETE", f"tokens/{token['id']}")
    server.do("publish 1")
    assert len(stays.take(1)) == 1
    server.wait_open(1)
    assert b"cell_id" not in revoked.file.read1(), "neither the stream goes on nor the next message comes"


def test_a_slow_viewer_is_told_what_it_lost_and_holds_up_nobody(server: Server) -> None:
    slow = Stream(server.port, buffer=4096)
    quick = server.stream()
    server.wait_open(2)
    received = []
    for _ in range(20):  # about 20 MB: more than the kernel keeps for a socket, more than the ring holds
        server.do("big 128")
        received += [int(one["id"]) for one in quick.take(128)]
    assert received == sorted(set(received)) and len(received) == 20 * 128
    got, lost = 0, 0
    for message in slow.messages():
        if message["event"] == "lagged":
            lost += message["data"]["lost"]
        else:
            got += 1
        if got + lost >= 20 * 128:
            break
    assert lost > 0 and got + lost == 20 * 128


def test_streams_above_the_cap_get_503_and_the_api_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--max-streams", "5", "--threads", "6", "--thread-per-stream") as server:
        streams = [server.stream() for _ in range(5)]
        refused = server.stream()
        assert refused.status.startswith("HTTP/1.1 503") and int(refused.headers["retry-after"]) > 0
        assert server.get("healthz") == {"status": "ok"}
        streams[0].close()
        for _ in range(50):
            server.do("publish 1")  # a thread notices that its viewer is gone when it writes
            if server.get("state")["stream"]["open"] == 4:
                break
        server.wait_open(4)
        assert server.stream().status.startswith("HTTP/1.1 200")


def test_a_viewer_that_leaves_is_noticed_at_once(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        streams = [server.stream() for _ in range(3)]
        server.wait_open(3)
        streams[0].close()
        streams[1].socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        streams[1].close()  # with a reset
        server.wait_open(1)
        server.do("publish 1")
        assert len(streams[2].take(1)) == 1


def test_what_a_viewer_sends_on_its_stream_is_ignored(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        stream = server.stream()
        stream.socket.sendall(b"GET / HTTP/1.1\r\n\r\n" * 1000)
        server.do("publish 3")
        assert len(stream.take(3)) == 3
        server.wait_open(1)


def test_the_api_answers_while_streams_are_fed(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--max-streams", "30", "--threads", "31") as server:
        streams = [server.stream() for _ in range(30)]
        server.wait_open(30)
        server.tell("publish 3000")
        for _ in range(10):
            assert server.get("healthz", timeout_s=2) == {"status": "ok"}
        for stream in streams:
            stream.close()


def test_sigterm_closes_streams_stops_the_router_and_leaves_no_process(server: Server, tmp_path: Path) -> None:
    streams = [server.stream() for _ in range(5)]
    idle = urllib.request.urlopen(f"http://127.0.0.1:{server.port}/api/v1/healthz", timeout=5)
    server.do("publish 1")
    family = descendants(server.process.pid)
    assert server.terminate() < 8  # a hang would be gunicorn's 10 s; the bar of 2 s is the benchmark's
    assert server.process.returncode == 0
    for stream in streams:
        assert len(list(stream.messages())) == 1  # and then the end of the stream
    idle.close()
    assert (tmp_path / "data" / "stopped").exists()
    assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]
    assert server.errors() == ""


def test_sigint_ends_it_as_well(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        stream = server.stream()
        family = [server.process.pid, *descendants(server.process.pid)]
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGINT):  # a terminal tells all; somebody is impatient
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        assert server.process.wait(60) == 0
        assert list(stream.messages()) == []
        assert (tmp_path / "data" / "stopped").exists()


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        stream = server.stream()
        server.tell("crash")
        assert list(stream.messages()) == []
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError):
                if server.get("healthz", timeout_s=2):
                    break
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("listen", "words"),
    [
        ("127.0.0.1:{port}", "in use"),
        ("203.0.113.7:8090", "cannot listen on 203.0.113.7:8090"),
        ("nonsense", "HOST:PORT"),
        ("127.0.0.1:99999", "HOST:PORT"),
        ("no.such.host.invalid:80", "no.such.host.invalid"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_clear_line(tmp_path: Path, listen: str, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = listen.format(port=taken.getsockname()[1])
        command = [sys.executable, "-m", "remsim", "serve", "--data", str(tmp_path), "--listen", listen]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 1
    assert words in ended.stderr and ended.stderr.count("\n") == 1, ended.stderr


def raw(port: int, request: bytes) -> tuple[str, dict[str, Any]]:
    """Status line and problem of a request that no HTTP library would send."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head, answer
    return head.split(b"\r\n")[0].decode(), json.loads(body)


def test_what_is_no_http_gets_the_same_shape_of_error(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        status, problem = raw(server.port, b"\x16\x03\x01 garbage\r\n\r\n")
        assert "400" in status and set(problem) >= {"code", "detail", "field", "hint"}
        status, problem = raw(server.port, b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert "414" in status and problem["code"] == "uri_too_long"
        status, problem = raw(server.port, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 10_000 + b"\r\n\r\n")
        assert "431" in status and problem["status"] == 431
        assert server.errors() == ""


@pytest.mark.parametrize(
    "chunks", [b"zz\r\n\r\n", b"-1\r\n\r\n", b"2\r\n{}no end\r\n", b"2;" + b"x" * 20_000 + b"\r\n"]
)
def test_a_body_in_chunks_that_are_none_is_refused(tmp_path: Path, chunks: bytes) -> None:
    head = f"PATCH /api/v1/modems/modem1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    with serving(tmp_path / "data") as server:
        request = head.encode() + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
        status, problem = raw(server.port, request)
        assert "400" in status and problem["field"] == "body"
        assert server.errors() == ""


def test_ten_thousand_characters_reach_the_view_that_names_the_field(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server, pytest.raises(urllib.error.HTTPError) as refused:
        server.get("series?measure=rsrp_dbm&modem=" + "m" * 10_000)
    assert refused.value.code == 422 and json.load(refused.value)["field"] == "modem"
