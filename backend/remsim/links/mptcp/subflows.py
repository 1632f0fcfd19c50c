"""The subflows of this router's MPTCP connections, as ``ss -tinHO`` shows them."""

from __future__ import annotations

import re
import subprocess

from remsim.core.small_dataclass import dataclass

PROGRAM = "ss"
TIMEOUT_S = 5.0
MOST_SHOWN = 64
TOKEN = re.compile(r"token:([0-9a-f]+)\(id:\d+\)/([0-9a-f]+)\(id:\d+\)")
NUMBER = re.compile(r"\b(bytes_sent|bytes_received|rtt|cwnd):([0-9.]+)")


@dataclass(frozen=True, slots=True)
class Subflow:
    """One TCP connection of an MPTCP one. ``device`` is None for the first, which the main route led."""

    local: str
    device: str | None
    remote: str
    state: str
    rtt_ms: float | None = None
    sent_bytes: int | None = None
    received_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """An MPTCP connection: ``token`` is the kernel's name of it."""

    token: str
    subflows: tuple[Subflow, ...]


def read_connections() -> list[Connection] | None:
    """MPTCP connections with their subflows; None where there is no ``ss``."""
    try:
        command = [PROGRAM, "-tinHO"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_connections(done.stdout) if done.returncode == 0 else None


def parse_connections(text: str) -> list[Connection]:
    """Decode lines of ``ss -tinHO``: those without MPTCP are left out."""
    found: dict[str, list[Subflow]] = {}
    for line in text.splitlines():
        token, words = TOKEN.search(line), line.split(None, 5)
        if token is None or len(words) < 6:
            continue
        host, _, port = words[3].rpartition(":")
        host, _, device = host.replace("[", "").replace("]", "").partition("%")
        numbers = dict(NUMBER.findall(words[5]))
        found.setdefault(token[2], []).append(
            Subflow(
                f"{host}:{port}" if ":" not in host else f"[{host}]:{port}",
                device or None,
                words[4],
                words[0],
                number(numbers.get("rtt")),
                whole(numbers.get("bytes_sent")),
                whole(numbers.get("bytes_received")),
            )
        )
    return [Connection(name, tuple(subflows)) for name, subflows in list(found.items())[:MOST_SHOWN]]


def number(text: str | None) -> float | None:
    """A number that ss prints; None where it prints none."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def whole(text: str | None) -> int | None:
    """A count that ss prints."""
    return int(text) if text is not None and text.isdigit() else None
