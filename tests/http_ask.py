"""One HTTP request to a local port, with nothing added."""

from __future__ import annotations

import contextlib
import http.client
import json
from typing import Any


def ask(port: int, method: str, path: str, body: Any = None, kind: str = "application/json") -> tuple[int, bytes]:
    """Status and body; ``body`` is sent as JSON, a string as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        octets = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        connection.request(method, path, octets, {} if octets is None else {"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.read()
