"""A remote SIM service for pages: the API's contract from a small state, for what no simulation comes to."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Page, Route

SINCE = "2026-01-01T00:00:00Z"


def client(slot: str, state: str, **more: Any) -> dict[str, Any]:
    """A client as ``GET remote-sim`` tells it."""
    link = {"up": True, "source": "socket", "since": SINCE}
    process = {"running": True, "pid": 10, "program": "st2", "since": SINCE, "restarts": 0}
    known: dict[str, Any] = {"name": None, "client_slot": slot, "state": state, "state_source": "event", "since": SINCE}
    known |= {"bank_slot": None, "bankd_addr": None, "uncertain": False, "modem": None, "configured": True}
    known |= {"vcc": None, "rst": None, "clk": None, "server_link": link, "bankd_link": link, "process": process}
    return known | {"reconnects": 0, "health": "", "hint": None} | more


def slot_map(bank: str, at: str, **more: Any) -> dict[str, Any]:
    """A slot map as ``GET remote-sim`` tells it."""
    (bank_id, bank_slot), (client_id, client_slot) = ([int(one) for one in text.split(":")] for text in (bank, at))
    known: dict[str, Any] = {"server": "server1", "bank_id": bank_id, "bank_slot": bank_slot}
    known |= {"client_id": client_id, "client_slot": client_slot, "state": "ACTIVE", "desired": True, "foreign": False}
    known |= {"removing": False, "waits": None, "stale": False}
    return known | {"conflict": None, "held": None, "note": ""} | more


class FakeRemoteSim:
    """The state, and the requests that changed something, in ``asked``."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.refusal: dict[str, Any] | None = None
        self.client_file: dict[str, Any] = {"present": False}
        server = {"name": "server1", "url": "http://10.0.0.5:9997", "reachable": True, "problem": None, "since": SINCE}
        bank = {"server": "server1", "connected": True, "name": "bankhost", "software": "bankd", "version": "1.2"}
        remote = client("5:0", "remote", name="client1", modem="modem1", bank_slot="1:2", health="The card answers.")
        lost = client("6:0", "local", name="client2", modem="modem2", bank_slot="1:3")
        lost |= {"health": "bankd answers, but slot 3 holds no card", "hint": "Put a card in.", "uncertain": True}
        other = client("9:0", "unknown", configured=False, process=None)
        maps = [slot_map("1:2", "5:0", note="office"), slot_map("1:3", "6:0")]
        maps += [slot_map("1:4", "9:0", desired=False, foreign=True)]
        self.view: dict[str, Any] = {
            "server": server,
            "servers": [server],
            "banks": [bank | {"bank_id": 1, "slots": 8}, bank | {"bank_id": 2, "slots": 100}],
            "clients": [remote, lost, other],
            "slotmaps": maps,
            "spool": {"dropped": 0, "waiting": 0},
            "ionmesh": None,
            "warnings": [],
        }

    def serve(self, page: Page) -> None:
        """Answer in the service's place."""
        page.route(lambda url: "/api/v1/remote-sim" in url, self._answer)
        card = {"bank_id": 1, "slot_id": 42, "carrier": "Example", "card_type": "REGULAR"}
        mesh = {"cards": [card], "pools": []}
        page.route(lambda url: "/api/v1/ionmesh" in url, lambda route: route.fulfill(json=mesh))

    def map_at(self, slot: str) -> dict[str, Any] | None:
        found = [one for one in self.view["slotmaps"] if f"{one['bank_id']}:{one['bank_slot']}" == slot]
        return found[0] if found else None

    def _answer(self, route: Route) -> None:
        request = route.request
        path = request.url.split("/api/v1/")[1].split("?")[0]
        if request.method == "GET" and path == "remote-sim":
            return route.fulfill(json=self.view)
        if path.endswith("client-file"):
            return route.fulfill(json=self.client_file)
        if request.method == "GET":
            return route.fulfill(json={"lines": ["DMAIN NOTICE <b>hello</b>", "DRSPRO INFO connected"]})
        body = json.loads(request.post_data) if request.post_data else None
        self.asked.append((request.method, path.removeprefix("remote-sim/"), body))
        if self.refusal:
            return route.fulfill(status=self.refusal["status"], json=self.refusal)
        return route.fulfill(json=self._change(request.method, path, body) or {})

    def _change(self, method: str, path: str, body: Any) -> dict[str, Any] | None:
        maps, named = self.view["slotmaps"], re.search(r"slotmaps/(\d+:\d+)(?:/(\w+))?$", path)
        found = self.map_at(named[1]) if named else None
        if path == "remote-sim/client-file/import":
            return {"name": "client9", "service_ended": True}
        if path.endswith("/import"):
            lines = [line.split(",") for line in body["csv"].splitlines()[1:] if line]
            wrong = [{"line": at + 2, "message": "is no map"} for at, cells in enumerate(lines) if len(cells) < 4]
            if not body["check"]:
                maps += [slot_map(":".join(cells[:2]), ":".join(cells[2:4])) for cells in lines]
            return {"added": len(lines) - len(wrong), "changed": 0, "same": 0, "wrong": wrong}
        if path.endswith("/test"):
            steps = [("resolve", True, "", None), ("rest", False, "no answer in 3 s", "Is it running?")]
            return {"checks": [dict(zip(("name", "ok", "message", "hint"), one, strict=True)) for one in steps]}
        if method == "POST" and path.endswith("slotmaps"):
            made = slot_map(f"{body['bank_id']}:{body['bank_slot']}", f"{body['client_id']}:{body['client_slot']}")
            if body.get("replace"):
                sides = ("bank_id", "bank_slot"), ("client_id", "client_slot")
                self.view["slotmaps"] = [
                    one for one in maps if not any(all(one[key] == made[key] for key in side) for side in sides)
                ]
            self.view["slotmaps"].append(made | {"state": None, "note": body.get("note", "")})
        elif found and method == "DELETE":
            maps.remove(found)
        elif found and method == "PUT":
            found.update(body)
        elif found and named and named[2] == "adopt":
            found.update(foreign=False, desired=True)
        elif found and named and named[2] == "restore":
            found.update(held=None, state="NEW")
        return None
