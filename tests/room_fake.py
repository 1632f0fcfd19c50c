"""Answers of ``/api/v1/links`` and ``policies`` for a browser: what a simulated router does not get into."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Page, Route
from remsim.policies.language.parser import parse

SLOTS = 16
FIBRE, MOBILE, BACKUP = "fibre", "mobile", "backup"


def ago(seconds: float) -> str:
    """A moment as the API writes it."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def link(index: int, name: str, **more: Any) -> dict[str, Any]:
    """A link that works."""
    share = {"interactive": 50.0, "bulk": 43.8}
    probe = {"kind": "icmp", "period_s": 1.0, "targets": ["192.0.2.1"], "mb_per_month": 43.2, "problem": None}
    unknown = dict.fromkeys(("modem", "modem_name", "sim", "carrier", "plmn", "country", "reason", "address6"))
    return {
        **unknown,
        "index": index,
        "name": name,
        "title": name.title(),
        "kind": "device",
        "enabled": True,
        "device": f"eth{index}",
        "interface": "wan",
        "is_roaming": None,
        "tags": [],
        "priority": index,
        "weight": 1,
        "state": "up",
        "since": ago(7200),
        "latency_ms": 31.0,
        "jitter_ms": 2.0,
        "loss_percent": 0.0,
        "uptime_percent": 99.9,
        "down_bps": 2e7,
        "up_bps": 1e7,
        "capacity_source": "learned",
        "rx_bps": 4.1e6,
        "tx_bps": 3e5,
        "flows": 12,
        "share_percent": share,
        "probe": probe,
        "cost": None,
        "failures": 0,
        "address4": "192.0.2.10",
        "gateway4": "192.0.2.254",
        **more,
    }


def cost(used: float, cap: float | None, state: str = "ok") -> dict[str, Any]:
    """What a link with a tariff costs."""
    forecast = used * 1.5
    return {
        "used_bytes": used,
        "cap_bytes": cap,
        "forecast_bytes": forecast,
        "cycle_end": "2031-01-31",
        "spent_minor": 1000,
        "forecast_minor": 1500,
        "currency": "EUR",
        "at_cap": "leave",
        "state": state,
        "next_gb_minor": 150,
        "percent": None if cap is None else 100 * used / cap,
    }


def mptcp() -> dict[str, Any]:
    """MPTCP over the first two links, with one connection."""

    def part(index: int, device: str | None, rtt_ms: float) -> dict[str, Any]:
        ends = {"local": f"10.64.{index}.2:4011{index}", "device": device, "remote": "203.0.113.7:1080"}
        return {**ends, "state": "ESTAB", "rtt_ms": rtt_ms, "sent_bytes": 4e4, "received_bytes": 2.4e6}

    ends = [
        {"link": index, "address": f"10.64.{index}.2", "device": f"eth{index}", "is_backup": False} for index in (1, 2)
    ]
    counts = {"sessions": 1, "direct": 4, "served": 1280, "refused": 0, "failed": 2, "to_client_bytes": 4.1e9}
    proxy = {"server": "203.0.113.7", "ports": ["80", "443"], "is_redirecting": True, "counts": counts}
    return {
        "enabled": True,
        "is_supported": True,
        "sysctls": {"enabled": "1"},
        "problem": None,
        "endpoints": ends,
        "proxy": {"state": "running", **proxy},
        "connections": [{"token": "bb66a264", "subflows": [part(1, None, 31.2), part(2, "eth2", 58.0)]}],
    }


class FakeRoom:
    """``view`` and ``text`` are what is there, ``asked`` what was wanted of it."""

    def __init__(self, links: list[dict[str, Any]], text: str = "", **view: Any) -> None:
        self.view: dict[str, Any] = {
            "state": "running",
            "enabled": True,
            "problem": None,
            "is_simulated": False,
            "algorithm": "adaptive",
            "persistence": "none",
            "last_resort": "keep",
            "warnings": [],
            "capabilities": [],
            "links": links,
            "failovers": 0,
            "last_failover": None,
            **view,
        }
        self.text = text
        self.asked: list[tuple[str, str, Any]] = []
        self.matching: list[dict[str, Any]] = []
        self.flows: list[dict[str, Any]] = []
        self.mptcp = mptcp()
        self.mwan3: dict[str, Any] = {}

    def serve(self, page: Page) -> None:
        """Answer instead of the service."""
        page.route(re.compile(r"/api/v1/(links|policies)(/|\?|$)"), self._answer)

    def _answer(self, route: Route) -> None:
        request = route.request
        path, body = (
            request.url.split("/api/v1/")[1].split("?")[0],
            request.post_data_json if request.post_data else None,
        )
        if request.method != "GET":
            self.asked.append((request.method, path, body))
        route.fulfill(
            status=200, content_type="application/json", body=json.dumps(self._of(path, request.method, body))
        )

    def _of(self, path: str, method: str, body: Any) -> Any:
        if path == "links/order":
            for place, name in enumerate(body["names"], 1):
                next(one for one in self.view["links"] if one["name"] == name)["priority"] = place
        fixed = {
            "links": self.view,
            "links/rings": {"rings": self._rings()},
            "links/flows": self._flows(),
            "links/usage": {"days": [], "saving": None},
            "links/mptcp": self.mptcp,
            "links/import/mwan3": self.mwan3,
            "links/mptcp/settings": {"values": {"enabled": True}},
            "links/form": {"properties": {}},
            "policies": self._policies(),
            "policies/check": self._check(body),
            "policies/vocabulary": {"links": [{"name": one["name"]} for one in self.view["links"]]},
            "policies/countries": {"countries": []},
            "policies/versions": {"versions": []},
        }
        return fixed.get(path, {})

    def _rings(self) -> list[dict[str, Any]]:
        names = [one["name"] for one in self.view["links"] if one["state"] in ("up", "degraded")]
        slots = [names[place * len(names) // SLOTS] for place in range(SLOTS)] if names else []
        weights = [
            {"link": name, "slots": slots.count(name), "percent": 50, "score": 0.5, "why": f"31 ms by {name}"}
            for name in names
        ]
        ring = {"policy": None, "persistence": "none", "choice": "adaptive", "slots": slots, "weights": weights}
        return [{**ring, "name": name, "klass": name, "changed_at": ago(1)} for name in ("interactive", "bulk")]

    def _flows(self) -> dict[str, Any]:
        by_link = [{"link": one["name"], "flows": 1, "rx_bps": 1e6, "tx_bps": 1e5} for one in self.view["links"]]
        sums = {"by_link": by_link, "by_policy": [], "by_host": []}
        return {"total": len(self.flows), "shown": len(self.flows), "flows": self.flows, **sums}

    def _check(self, body: Any) -> dict[str, Any]:
        parsed = parse((body or {}).get("text") or self.text)
        errors = [one.as_dict() for one in parsed.problems]
        names = [{"name": one.name} for one in sorted(parsed.set.policies, key=lambda one: one.priority)]
        return {"ok": not errors, "errors": errors, "warnings": [], "policies": names}

    def _policies(self) -> dict[str, Any]:
        parsed = sorted(parse(self.text).set.policies, key=lambda one: one.priority)
        rows = [
            {
                "number": number,
                "name": one.name,
                "line": one.at.line,
                "priority": one.priority,
                "from": "text",
                "match": "all",
                "route": "any",
                "is_open": True,
                "hits": 7,
                "hits_percent": 3.5,
                "flows": 1,
            }
            for number, one in enumerate(parsed, 1)
        ]
        return {
            "text": self.text,
            "version": 1,
            "etag": "e1",
            "source": "local",
            "is_overridden": False,
            "has_remote": False,
            "pending": None,
            "policies": rows,
            "warnings": [],
            "state": "in_force",
            "problem": None,
            "matching": self.matching,
        }
