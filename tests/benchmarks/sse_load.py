"""Viewers of a stream, many in one process: counts what each got and how old it was.

``sse_load.py PORT PATH TOKEN CLIENTS SECONDS`` prints one JSON object. A reading's age is now minus its ``at``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import datetime

AGE_KEY = b'"at":"'
AT_LENGTH = len("2026-01-01T00:00:00.000Z")


class Viewer(asyncio.Protocol):
    """One stream."""

    moments: dict[bytes, float] = {}
    """``at`` as seconds, parsed once for all viewers."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._rest = b""
        self.ids: list[int] = []
        self.ages: list[float] = []
        self.lagged = 0
        self.received_bytes = 0
        self.status = b""
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self.received_bytes += len(data)
        data = self._rest + data
        if not self.status:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            self.status = head.split(b"\r\n")[0]
        *messages, self._rest = data.split(b"\n\n")
        for message in messages:
            if b"event: lagged" in message or b"event:lagged" in message:
                self.lagged += 1
            at = message.find(AGE_KEY)
            if at < 0 or b'"modem"' not in message:
                continue
            text = message[at + len(AGE_KEY) : at + len(AGE_KEY) + AT_LENGTH]
            moment = self.moments.get(text)
            if moment is None:
                moment = self.moments[text] = datetime.fromisoformat(text.decode()).timestamp()
            self.ages.append(now - moment)
            key = message.find(b'"id":')
            self.ids.append(int(message[key + 5 : message.index(b",", key)]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True


async def load(port: int, path: str, token: str, clients: int, seconds: float) -> dict[str, object]:
    """Open the streams, let them run, sum up."""
    loop = asyncio.get_running_loop()
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    viewers: list[Viewer] = []
    for _ in range(clients):
        _transport, viewer = await loop.create_connection(lambda: Viewer(request), "127.0.0.1", port)
        viewers.append(viewer)
    deadline = time.monotonic() + 30
    while not all(viewer.status for viewer in viewers) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    print("open", flush=True)
    for viewer in viewers:
        viewer.ages.clear()
        viewer.received_bytes = 0
    await asyncio.sleep(seconds)
    opened = [viewer for viewer in viewers if b" 200 " in viewer.status + b" "]
    # All must have what any of them got between the first id that the last of them saw and the last the first saw.
    first = max((min(viewer.ids) for viewer in opened if viewer.ids), default=0)
    last = min((max(viewer.ids) for viewer in opened if viewer.ids), default=0)
    wanted = {number for viewer in opened for number in viewer.ids if first <= number <= last}
    missing = sum(len(wanted - set(viewer.ids)) for viewer in opened)
    ages = sorted(age for viewer in opened for age in viewer.ages)
    return {
        "open": len(opened),
        "closed": sum(viewer.closed for viewer in viewers),
        "silent": sum(not viewer.ids for viewer in opened),
        "messages": len(wanted),
        "delivered": len(ages),
        "missing": missing,
        "lagged": sum(viewer.lagged for viewer in opened),
        "p50_ms": 1000 * ages[len(ages) // 2] if ages else None,
        "kb_per_s": max(viewer.received_bytes for viewer in viewers) / seconds / 1000,
        "p99_ms": 1000 * ages[int(len(ages) * 0.99)] if ages else None,
        "max_ms": 1000 * ages[-1] if ages else None,
    }


if __name__ == "__main__":
    port, path, token, clients, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(load(int(port), path, token, int(clients), float(seconds)))))
