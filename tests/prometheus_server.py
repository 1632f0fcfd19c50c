"""A real Prometheus on a free loopback port, for tests that ask it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from running import free_port

PATH = f"{os.environ['PATH']}:/usr/sbin:/usr/local/bin"
PROMETHEUS, PROMTOOL, AMTOOL = (shutil.which(name, path=PATH) for name in ("prometheus", "promtool", "amtool"))


class PrometheusServer:
    """Asks a running Prometheus by its HTTP API."""

    def __init__(self, port: int, log: Path) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.log = log

    def get(self, path: str, **parameters: str) -> Any:
        """The ``data`` of an answer; ``AssertionError`` with Prometheus' own words when it refuses."""
        body = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self.base}/api/v1/{path}?{body}", timeout=20) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {parameters}: {error.read().decode()}") from None

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What an expression gives now: a list of ``{"metric", "value"}``; a scalar or text as one without labels."""
        data = self.get("query", query=expression)
        if data["resultType"] in ("scalar", "string"):
            return [{"metric": {}, "value": data["result"]}]
        return list(data["result"])

    def value(self, expression: str) -> float | None:
        """The one number of an expression, None when there is none."""
        found = self.query(expression)
        assert len(found) < 2, f"{expression} gives {found}"
        return float(found[0]["value"][1]) if found else None

    def wait_for(self, expression: str, timeout_s: float = 30.0) -> list[dict[str, Any]]:
        """Ask until there is something."""
        deadline = time.monotonic() + timeout_s
        while not (found := self.query(expression)):
            assert time.monotonic() < deadline, f"{expression} gives nothing\n{self.log.read_text()[-3000:]}"
            time.sleep(0.2)
        return found


@contextmanager
def running_prometheus(config: Path, *arguments: str) -> Iterator[PrometheusServer]:
    """Prometheus with a file of settings; what it stores lies beside that."""
    port, log = free_port(), config.with_suffix(".log")
    command = [str(PROMETHEUS), f"--config.file={config}", f"--storage.tsdb.path={config.parent / 'tsdb'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    server = PrometheusServer(port, log)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"{server.base}/-/ready", timeout=2):
                    break
            except OSError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait(60)
