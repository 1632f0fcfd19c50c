"""A real ``remsim serve`` on a free loopback port, for tests that go the whole way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from free_ports import free_port


class RunningService:
    """The service as a child process; ``data`` and ``state`` outlive its restarts."""

    program: tuple[str, ...] = ("-m", "remsim", "serve")
    prefix: tuple[str, ...] = ()
    """What the command begins with, such as ``ip netns exec NAME``; it has to become the service."""

    def __init__(self, directory: Path, *arguments: str, port: int | None = None, own_group: bool = False) -> None:
        self.data, self.state = directory / "data", directory / "state"
        self.port = port or free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.log_path = directory / "serve.log"
        self._arguments = arguments
        self._group = 0 if own_group else None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, timeout_s: float = 60.0) -> RunningService:
        """Start it and wait until it answers."""
        command = [*self.prefix, sys.executable, *self.program, "--listen", f"127.0.0.1:{self.port}"]
        command += ["--data", str(self.data), "--state", str(self.state), *self._arguments]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, process_group=self._group
            )
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                with urllib.request.urlopen(f"{self.base}/api/v1/healthz", timeout=5):
                    return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.kill()  # nobody stops what was not started
                    raise AssertionError(f"the service did not start:\n{self.log()}") from None
                time.sleep(0.05)

    def log(self) -> str:
        """What the service printed so far."""
        return self.log_path.read_text(errors="replace")[-8000:]

    @property
    def token(self) -> str:
        return (self.state / "token").read_text().strip()

    def stop(self, timeout_s: float = 30.0) -> float:
        """End it as an init system would; the seconds it took."""
        assert self.process is not None
        begin = time.monotonic()
        self.process.terminate()
        self.process.wait(timeout_s)
        return time.monotonic() - begin

    def kill(self) -> None:
        """kill -9 for every process of the service, the simulator too."""
        assert self.process is not None
        for pid in [*descendants(self.process.pid), self.process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(60)

    def request(
        self, path: str, *, method: str = "GET", body: object = None, token: str | None = "", timeout_s: float = 30
    ) -> tuple[int, Any]:
        """Status and decoded JSON (or text) of ``/api/v1/PATH``; ``token=None`` sends none."""
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/api/v1/{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:
                status, content, kind = answer.status, answer.read(), answer.headers.get_content_type()
        except urllib.error.HTTPError as error:
            status, content, kind = error.code, error.read(), error.headers.get_content_type()
        return status, json.loads(content) if "json" in kind else content.decode()

    def login_url(self) -> str:
        """A one-time link that lets a browser in."""
        status, answer = self.request("tickets", method="POST", body={"purpose": "browser"})
        assert status in (200, 201), answer
        return f"{self.base}/login?ticket={answer['ticket']}"

    def get(self, path: str) -> Any:
        """The JSON of ``/api/v1/PATH``, which must answer 200."""
        status, content = self.request(path)
        assert status == 200, (status, content)
        return content

    def wait_for(self, path: str, wanted: Any, timeout_s: float = 60.0) -> Any:
        """Ask again until ``wanted(answer)`` is true; the answer."""
        deadline = time.monotonic() + timeout_s
        while True:
            answer = self.get(path)
            if wanted(answer):
                return answer
            assert time.monotonic() < deadline, f"{path} still answers {str(answer)[:2000]}\n{self.log()}"
            time.sleep(0.1)

    def stream(
        self, query: str = "", *, last_event_id: int | None = None, timeout_s: float = 10
    ) -> Iterator[dict[str, Any]]:
        """Messages of the stream as ``{"id", "event", "data"}``."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = str(last_event_id)
        request = urllib.request.Request(f"{self.base}/api/v1/stream{query}", headers=headers)
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            message: dict[str, Any] = {}
            for raw in answer:
                line = raw.decode().rstrip("\r\n")
                if not line:
                    if "data" in message:
                        message["data"] = json.loads(message["data"])
                        yield message
                    message = {}
                elif not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    message[name] = value


def descendants(pid: int) -> list[int]:
    """All children of a process, their children too."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


@contextmanager
def running_service(directory: Path, *arguments: str) -> Iterator[RunningService]:
    """A service that is stopped at the end, whatever happens."""
    service = RunningService(directory, *arguments).start()
    try:
        yield service
    finally:
        if service.process is not None and service.process.poll() is None:
            service.stop()
