"""An IonMesh orchestrator as its documents have it: slots, heartbeats, cards, KI-proxy pools; and its bad days."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from receivers import TLS

PREFIX = "/api/backend/v1"
ICCID, IMSI = "8900000000000000001", "001010000000001"


@dataclass
class Orchestrator:
    """What it knows, what it was asked, and how it answers instead: ``bad`` is a status and its headers, or a word."""

    url: str = ""
    key: str | None = "k-0123456789abcdef"
    interval: float = 60
    slots: int = 50
    clients: dict[str, int] = field(default_factory=dict)
    cards: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    pools: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    commands: list[Any] = field(default_factory=list)
    bad: str | tuple[int, dict[str, str]] | None = None
    endpoint: str = "http://10.0.0.5:9999"
    without: tuple[str, ...] = ()
    date: str | None = None

    def count(self, method: str, part: str) -> int:
        """How often it was asked for something."""
        return sum(one == method and part in path for one, path, _ in self.asked)

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, dict[str, Any]]:
        """Status and object."""
        parts = [unquote(part) for part in path.split("/") if part]
        match method, parts:
            case "POST", ["remsim", "register-client"]:
                return self.register(body)
            case "POST", ["remsim", "heartbeat"]:
                if body["client_id"] not in self.clients:
                    return 404, wrong("Client not found")
                interval = {"next_heartbeat_interval": self.interval, "commands": self.commands}
                return 200, {"status": "ok", **{k: v for k, v in interval.items() if k not in self.without}}
            case "DELETE", ["remsim", "unregister", client_id]:
                if self.clients.pop(client_id, None) is None:
                    return 404, wrong("Client not found")
                return 200, {"status": "ok", "message": "Client unregistered"}
            case "GET", ["remsim", "discover"]:
                return 200, {
                    "service": "ionmesh-orchestrator",
                    "version": "1.0.0",
                    "capabilities": ["slot-assignment", "ki-proxy"],
                    "supported_mapping_modes": ["ONE_TO_ONE_SWSIM", "KI_PROXY_SWSIM"],
                    "heartbeat_interval": 60,
                    "max_swsims_per_slot": 6000,
                }
            case _, ["sim-cards", *place]:
                return self.card(method, place, query, body)
            case _, ["ki-proxy-pools", *place]:
                return self.pool(method, place, body)
        return 404, wrong("Not found")

    def register(self, body: Any) -> tuple[int, dict[str, Any]]:
        if not body.get("client_id"):
            return 400, wrong("client_id is required")
        if body["mapping_mode"] == "KI_PROXY_SWSIM" and not body.get("mcc_mnc"):
            return 400, wrong("mcc_mnc is required for KI_PROXY_SWSIM")
        is_known = body["client_id"] in self.clients
        if not is_known and len(self.clients) >= self.slots:
            return 503, {**wrong("No available slots"), "available_modes": ["KI_PROXY_SWSIM"]}
        slot = self.clients.setdefault(body["client_id"], 42 + len(self.clients))
        given = {
            "status": "ok",
            "bank_id": 1,
            "slot_id": slot,
            "iccid": ICCID,
            "imsi": IMSI,
            "bankd_endpoint": self.endpoint,
            "mapping_mode": body["mapping_mode"],
            "profile_id": "6f1c0000-0000-4000-8000-000000000000",
            "heartbeat_interval": self.interval,
            "ki_proxy_enabled": False,
        }
        note = {"note": "already registered"} if is_known else {}
        return 200, {name: value for name, value in {**given, **note}.items() if name not in self.without}

    def card(self, method: str, place: list[str], query: Any, body: Any) -> tuple[int, dict[str, Any]]:
        if method == "POST":
            if not {"bank_id", "slot_id", "tenant_id"} <= set(body):
                return 400, wrong("bank_id, slot_id and tenant_id are required")
            card = self.cards.setdefault((body["bank_id"], body["slot_id"]), {"metadata_id": len(self.cards) + 1})
            card |= body
            return 200, {"status": "ok", "message": "saved", "card": card}
        if not place:
            wanted = [one for one in self.cards.values() if all(one.get(k) == v[0] for k, v in query.items())]
            return 200, {"status": "ok", "cards": wanted}
        number = (int(place[0]), int(place[1]))
        if number not in self.cards:
            return 404, wrong("Card not found")
        return 200, {"status": "ok", "message": "gone", "card": self.cards.pop(number)}

    def pool(self, method: str, place: list[str], body: Any) -> tuple[int, dict[str, Any]]:
        if method == "POST":
            needed = {"pool_name", "carrier", "bank_id", "slot_range_start", "slot_range_end", "tenant_id"}
            if not needed <= set(body):
                return 400, wrong("a required field is missing")
            pool = {"pool_id": f"p{len(self.pools) + 1}", "current_virtual_sims": 0, "enabled": True, **body}
            self.pools[pool["pool_id"]] = pool
            return 201, {"status": "ok", "message": "made", "pool": pool}
        if not place:
            return 200, {"status": "ok", "pools": list(self.pools.values())}
        pool = self.pools.get(place[0], {})
        if not pool:
            return 404, wrong("Pool not found")
        if method == "DELETE":
            if pool["current_virtual_sims"]:
                return 409, wrong("Pool is in use")
            del self.pools[place[0]]
            return 200, {"status": "ok", "message": "gone"}
        cards = list(self.cards.values())
        return 200, {"status": "ok", "pool": pool, "physical_sims": cards, "utilization": {"usage_percent": 0.0}}


def wrong(message: str) -> dict[str, Any]:
    return {"status": "error", "message": message}


@contextlib.contextmanager
def ionmesh(*, certificate: str | None = None) -> Iterator[Orchestrator]:
    """An orchestrator on the loopback; with a certificate (localhost, expired) by TLS."""
    own = Orchestrator()
    stopping = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def date_time_string(self, timestamp: float | None = None) -> str:
            return own.date or super().date_time_string(timestamp)

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            content = json.loads(body) if body else None
            own.asked.append((self.command, self.path.removeprefix(PREFIX), content))
            if not self.path.startswith(PREFIX):
                self.say(404, wrong("Not found"))
            elif isinstance(own.bad, tuple):
                self.say(own.bad[0], wrong(f"not today, {self.headers.get('X-API-Key')}"), own.bad[1])
            elif own.bad is not None:
                self.misbehave(own.bad)
            elif own.key is not None and self.headers.get("X-API-Key") != own.key:
                self.say(401, wrong("Unauthorized"))
            else:
                path = parts.path.removeprefix(PREFIX)
                self.say(*own.answer(self.command, path, parse_qs(parts.query), content))

        def misbehave(self, how: str) -> None:
            if how == "silent":
                stopping.wait(20)
                return
            if how == "drip":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while not stopping.wait(0.05):
                    self.wfile.write(b"X")
                return
            page = {"html": b"<html>Welcome</html>", "list": b"[1]", "half": b'{"status":"ok","bank', "huge": b" "}[how]
            self.send_response(200)
            self.send_header("Content-Length", str(2_000_000 if how in ("half", "huge") else len(page)))
            self.end_headers()
            self.wfile.write(page * (2_000_000 if how == "huge" else 1))

        def say(self, status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, *args: Any) -> None:
            """Tests read ``asked``."""

        def handle(self) -> None:
            with contextlib.suppress(OSError):
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / f"{certificate}.crt", TLS / f"{certificate}.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    own.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    try:
        yield own
    finally:
        stopping.set()
        server.shutdown()
        server.server_close()


def later(condition: Any, timeout_s: float = 5.0) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
