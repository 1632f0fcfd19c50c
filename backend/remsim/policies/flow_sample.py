"""A sample of the flows of today and yesterday, for the question what other policies would have taken."""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from remsim.core.files import write_atomically
from remsim.core.routes import Flow
from remsim.policies.facts import FlowFacts

log = logging.getLogger(__name__)

MOST_A_DAY = 1000
"""Flows kept of a day: a fair sample of all that were seen in it. A share is right to 3 % with that many."""
WRITE_S = 900.0
MOST_SEEN = 4096
Kept = dict[str, Any]


class FlowSample:
    """``path`` is written now and then, and read at the first need. Days are those of the router's zone."""

    def __init__(self, path: Path, *, seed: int | None = None) -> None:
        self._path = path
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._days: dict[str, list[Kept]] | None = None
        self._counts: dict[str, int] = {}
        self._seen: dict[int, None] = {}
        self._written = 0.0
        self._is_changed = False

    def saw(self, flows: Iterable[Flow], name_of: Callable[[str], str | None], now: float, zone: tzinfo) -> None:
        """Take flows that are under way; one that was taken already counts once."""
        day, yesterday = _days(now, zone)
        with self._lock:
            days = self._load()
            kept = days.setdefault(day, [])
            for gone in [one for one in days if one not in (day, yesterday)]:
                del days[gone]
                self._counts.pop(gone, None)
            for flow in flows:
                key = hash(flow.key)  # thousands of keys would take more than it costs to miss a flow
                if key in self._seen:
                    continue
                self._seen[key] = None
                if len(self._seen) > MOST_SEEN:
                    del self._seen[next(iter(self._seen))]
                self._counts[day] = count = self._counts.get(day, len(kept)) + 1
                place = len(kept) if count <= MOST_A_DAY else self._random.randrange(count)
                if place < MOST_A_DAY:
                    kept[place:] = [_kept(flow, name_of(flow.destination), now), *kept[place + 1 :]]
                    self._is_changed = True
            if self._is_changed and not 0 <= now - self._written < WRITE_S:
                self._write(now)

    def flows(self, now: float, zone: tzinfo) -> tuple[str | None, list[FlowFacts]]:
        """Yesterday's, or today's where none of yesterday were kept; the day, and None where there is no flow."""
        with self._lock:
            days = self._load()
            today, yesterday = _days(now, zone)
            day = next((one for one in (yesterday, today) if days.get(one)), None)
            return day, [] if day is None else [_facts(one) for one in days[day]]

    def close(self, now: float) -> None:
        """Write what is not written."""
        with self._lock:
            if self._is_changed:
                self._write(now)

    def _load(self) -> dict[str, list[Kept]]:
        if self._days is None:
            self._days = {}
            try:
                found = json.loads(self._path.read_text("utf-8"))
                for day, flows in found["days"].items():
                    self._days[str(day)] = [one for one in flows if _is_whole(one)][:MOST_A_DAY]
                    self._counts[str(day)] = max(len(self._days[str(day)]), int(found["counts"].get(day, 0)))
            except FileNotFoundError:
                pass
            except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                log.warning("the sample of flows cannot be read and begins anew: %s", error)
                self._days = {}
        return self._days

    def _write(self, now: float) -> None:
        self._written, self._is_changed = now, False
        content = _document(self._days or {}, self._counts)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, content)
        except OSError as error:
            log.warning("the sample of flows cannot be written: %s", error.strerror)


def _document(days: Mapping[str, list[Kept]], counts: Mapping[str, int]) -> bytes:
    """The file, made a flow at a time: all at once its parts take a megabyte, which Python would keep."""
    encoded = json.JSONEncoder(separators=(",", ":")).encode
    text = bytearray(b'{"days":{')
    for n, (day, flows) in enumerate(days.items()):
        text += f"{',' if n else ''}{encoded(day)}:[".encode()
        for at, flow in enumerate(flows):
            text += f"{',' if at else ''}{encoded(flow)}".encode()
        text += b"]"
    text += f'}},"counts":{encoded(counts)}}}'.encode()
    return bytes(text)


def _days(now: float, zone: tzinfo) -> tuple[str, str]:
    """Today and yesterday."""
    today = datetime.fromtimestamp(now, zone).date()
    return today.isoformat(), (today - timedelta(days=1)).isoformat()


def _kept(flow: Flow, name: str | None, now: float) -> Kept:
    octets = (flow.rx_bytes or 0) + (flow.tx_bytes or 0) if flow.rx_bytes is not None else None
    return {
        "protocol": flow.protocol,
        "source": flow.source,
        "source_port": flow.source_port,
        "destination": flow.destination,
        "port": flow.destination_port,
        "domain": name,
        "is_router": not flow.is_forwarded,
        "octets": octets,
        "at": round(now),
    }


def _is_whole(kept: object) -> bool:
    if not isinstance(kept, Mapping) or not isinstance(kept.get("protocol"), str):
        return False
    texts = all(kept.get(key) is None or isinstance(kept[key], str) for key in ("source", "destination", "domain"))
    numbers = ("source_port", "port", "octets", "at")
    return texts and all(kept.get(key) is None or isinstance(kept[key], int | float) for key in numbers)


def _facts(kept: Kept) -> FlowFacts:
    return FlowFacts(
        source=kept.get("source"),
        source_port=kept.get("source_port"),
        destination=kept.get("destination"),
        port=kept.get("port"),
        protocol=kept.get("protocol"),
        domain=kept.get("domain"),
        flow_size=kept.get("octets"),
        is_router=bool(kept.get("is_router")),
        at=kept.get("at"),
    )
