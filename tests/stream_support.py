"""The real server over a small router, and raw streams from it."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from running import free_port
from web_support import TOKEN

TESTS = Path(__file__).parent


class Server:
    """tests/small_server.py as a process."""

    def __init__(self, directory: Path, *arguments: str, port: int | None = None) -> None:
        self.port, self.directory = port or free_port(), directory
        command = [sys.executable, str(TESTS / "small_server.py"), str(directory), f"127.0.0.1:{self.port}"]
        self.log = (directory.parent / f"{directory.name}.log").open("w+")
        self.process = subprocess.Popen(
            [*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n", self.errors()

    def errors(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def tell(self, command: str) -> None:
        """Give a command without waiting for its end."""
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def do(self, command: str) -> None:
        """Give a command and wait for its end."""
        self.tell(command)
        assert self.process.stdout is not None and self.process.stdout.readline() == "done\n"

    def stream(self, query: str = "", **headers: str) -> Stream:
        return Stream(self.port, query, headers)

    def get(self, path: str, timeout_s: float = 5) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/{path}", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            return json.load(answer)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """A request that changes something."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        content = json.dumps(body or {}).encode()
        address = f"http://127.0.0.1:{self.port}/api/v1/{path}"
        asked = urllib.request.Request(address, content, headers, method=method)
        with urllib.request.urlopen(asked, timeout=5) as answer:
            return json.load(answer)

    def wait_open(self, count: int) -> None:
        deadline = time.monotonic() + 40
        while self.get("state")["stream"]["open"] != count:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def terminate(self) -> float:
        begin = time.monotonic()
        self.process.terminate()
        self.process.wait(15)
        return time.monotonic() - begin


class Stream:
    """One raw stream, so that a test can also be slow or vanish."""

    def __init__(
        self, port: int, query: str = "", headers: dict[str, str] | None = None, buffer: int = 0, token: str = TOKEN
    ) -> None:
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))
        lines = [f"GET /api/v1/stream{query} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in (headers or {}).items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.file = self.socket.makefile("rb")
        self.status = self.file.readline().decode().strip()
        self.headers = {}
        while (line := self.file.readline().decode().strip()) != "":
            name, _, value = line.partition(": ")
            self.headers[name.lower()] = value

    def messages(self) -> Iterator[dict[str, Any]]:
        message: dict[str, Any] = {}
        for raw in self.file:
            line = raw.decode().rstrip("\n")
            if not line:
                if "data" in message:
                    yield message
                message = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                message[name] = json.loads(value) if name == "data" else value

    def take(self, count: int) -> list[dict[str, Any]]:
        messages = self.messages()
        return [next(messages) for _ in range(count)]

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@contextlib.contextmanager
def serving(directory: Path, *arguments: str) -> Iterator[Server]:
    server = Server(directory, *arguments)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.terminate()
