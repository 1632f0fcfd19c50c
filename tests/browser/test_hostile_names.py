"""Names and texts that come from outside are shown as they are: nothing in them runs, and no page breaks of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from remsim.web.shell import PAGES
from running import RunningService

HOSTILE = "<img src=x onerror=document.title='run'>"
WORSE = f"""{HOSTILE}'">`</script><script>document.title='run'</script>"""
FROM_OUTSIDE = frozenset(
    (
        *("name", "operator", "text", "message", "label", "title", "summary", "comment", "author", "number", "note"),
        *("model", "firmware", "problem", "hint", "detail", "user", "actor", "what", "address", "interface", "reason"),
        *("holder", "product", "manufacturer", "by", "created_by", "acknowledged_by", "apn", "words"),
    )
)
"""Fields of answers that an operator, a sender of messages, a device or a user has a say in."""
WIDGETS = ("notes", "events", "alerts", "cards", "sim", "timelines")
DELIVER = "000404812143000862115210000000"
"""A message's PDU as it begins: from 1234, in UCS-2, with its time."""


def hostile(value: Any, key: str = "") -> Any:
    """An answer with something hostile in all that comes from outside. What describes a form is our own."""
    if isinstance(value, dict):
        is_form = "properties" in value or "schema" in value
        return value if is_form else {name: hostile(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [hostile(one, key) for one in value]
    return f"{value}{WORSE}" if isinstance(value, str) and key in FROM_OUTSIDE else value


@pytest.fixture
def poisoned(service: RunningService) -> Iterator[None]:
    """What can be hostile for real: a message, a note, a rule, a SIM's name, a layout."""
    text = HOSTILE.encode("utf-16-be")
    rule = {"source": "measure", "measure": "rsrp_dbm", "comparison": "below", "threshold": -20}
    widgets = [
        {"id": f"w{at}", "type": kind, "x": 0, "y": at * 4, "w": 4, "h": 4, "settings": {"title": HOSTILE}}
        for at, kind in enumerate(WIDGETS)
    ]
    widgets[0]["settings"] |= {"text": WORSE}  # type: ignore[operator]
    layout = {"version": 1, "title": HOSTILE, "pages": [{"title": HOSTILE, "widgets": widgets}]}
    bodies: dict[str, tuple[str, dict[str, Any]]] = {
        "simulation/messages": ("POST", {"modem": "modem1", "pdu": f"{DELIVER}{len(text):02X}{text.hex().upper()}"}),
        "annotations": ("POST", {"at": "2026-01-01T00:00:00Z", "text": WORSE}),
        "alert-rules": ("POST", {"name": "__proto__", "label": HOSTILE, **rule}),
        "config/sim/sim_1a2b3c4d": ("PUT", {"name": HOSTILE}),
        "layouts/hostile": ("PUT", layout),
        "tokens": ("POST", {"name": "constructor", "scopes": ["read"]}),
    }
    made = {path: service.request(path, method=method, body=body) for path, (method, body) in bodies.items()}
    assert {path: answer for path, answer in made.items() if answer[0] >= 300} == {}
    yield
    stored = [one["id"] for one in service.get("modems/modem1/sms")["messages"]]
    assert service.request("modems/modem1/sms-delete", method="POST", body={"ids": ",".join(stored)})[0] == 202
    gone = [f"annotations/{made['annotations'][1]['id']}", f"tokens/{made['tokens'][1]['id']}"]
    for path in (*gone, "alert-rules/__proto__", "config/sim/sim_1a2b3c4d", "layouts/hostile"):
        assert service.request(path, method="DELETE")[0] == 200, path


def look(page: Page, text: str | None = None) -> None:
    """Wait until a page shows something, and see that nothing of it was taken for HTML."""
    expect(page.locator("main > *").first).to_be_attached()
    if text is not None:
        expect(page.get_by_text(text).first).to_be_attached()
    page.wait_for_load_state("load")
    page.wait_for_timeout(300)
    assert page.title() != "run"
    assert page.locator("img[src=x], main script, [onerror]").count() == 0


def test_nothing_that_comes_from_outside_is_taken_for_html(visit, poisoned: None) -> None:
    for path in ("/", "/modems", "/history#range=constructor&modems=__proto__", "/usage", "/settings", "/access"):
        visit.open(path)
        look(visit.page)
    for path in ("/events", "/alerts", "/wall?layout=hostile"):
        visit.open(path)
        look(visit.page, HOSTILE)
    visit.open("/modems#modem=modem1&tab=sms")
    visit.page.locator(".remsim-thread button").first.click()
    look(visit.page, HOSTILE)


def test_no_page_breaks_when_all_names_are_hostile(visit) -> None:
    page = visit.page

    def spoil(route: Route) -> None:
        answer = route.fetch()
        if answer.ok and "json" in answer.headers.get("content-type", ""):
            told = answer.json()
            if told == {"outputs": []}:
                told["outputs"].append({"name": "one", "type": "influx", "enabled": False})
            if told.get("policies") == []:
                told["policies"].append({"name": "one", "match": "all", "route": "any", "from": "text", "line": 1})
            route.fulfill(response=answer, body=json.dumps(hostile(told)))
        else:
            route.fulfill(response=answer)

    page.route(lambda url: "/api/v1/" in url and "/stream" not in url, spoil)
    for one in PAGES:
        visit.open(f"/{one.path}")
        look(page, HOSTILE)
    page.unroute_all(behavior="ignoreErrors")
