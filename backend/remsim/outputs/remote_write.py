"""Prometheus remote-write 1.0: samples as protobuf, compressed by Snappy, posted.

Source: "Prometheus Remote-Write 1.0 specification" (prometheus.io), prompb/types.proto. What is refused for good was
tried with Prometheus 2.42: 400 for the same time with another value, and 500 with "too old sample" or "out of bounds",
which would stop a sender for ever that tries each 5xx again.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from remsim.config.outputs import OutputSettings
from remsim.outbound.http import post
from remsim.outbound.way import Refused
from remsim.outputs.queue import Labels, Row
from remsim.outputs.snappy import compress, varint

HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
TOO_LATE = ("too old", "out of bounds", "out of order", "duplicate sample")


def send(output: OutputSettings, rows: Sequence[Row]) -> None:
    """Post rows in one request; ``Refused`` and ``Undelivered`` as ``outbound.http.post``."""
    headers = HEADERS | output.authorization()
    if output.tenant:
        headers["X-Scope-OrgID"] = output.tenant
    post(output, output.url or "", compress(encoded(rows, output.extra_labels())), headers)


def is_final(error: Refused) -> bool:
    """Whether the same request will never be taken."""
    if error.status >= 500:
        return any(words in error.answer.lower() for words in TOO_LATE)
    return error.status not in (401, 403, 404, 408, 429) and error.status >= 400


def encoded(rows: Sequence[Row], extra: dict[str, str]) -> bytes:
    """``WriteRequest``: each series once, its samples in the order of time."""
    series: dict[tuple[str, Labels], list[bytes]] = {}
    for row in rows:
        stamp = b"\x10" + varint(row.at_ms)
        for name, labels, value in row.samples:
            sample = b"\x09" + struct.pack("<d", value) + stamp
            series.setdefault((name, labels), []).append(field(2, sample))
    made = []
    for (name, own), samples in series.items():
        pairs = sorted((extra | dict(own) | {"__name__": name}).items())
        made.append(field(1, b"".join(label(*pair) for pair in pairs) + b"".join(samples)))
    return b"".join(made)


def label(name: str, value: str) -> bytes:
    """``Label``."""
    return field(1, field(1, name.encode()) + field(2, value.encode("utf-8", "replace")))


def field(number: int, body: bytes) -> bytes:
    """A field of protobuf that has a length."""
    return bytes((number << 3 | 2,)) + varint(len(body)) + body
