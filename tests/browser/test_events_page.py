"""The Events page: what somebody does who looks for what happened, in a real browser against a real service."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from accessibility import no_violations
from playwright.sync_api import Page, expect
from running import RunningService

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
DARK = {"color_scheme": "dark"}
MESSAGE = "07919401000000F0040B919451650000F100006211528191450005C8329BFD06"
"""SMS-DELIVER from +49155600001 (made up, nobody's): "Hello"."""


def opened(visit, address: str = "") -> Page:
    page: Page = visit.open(f"/events{address}")
    expect(page.locator(".remsim-ev").first).to_be_visible()
    return page


def send_message(service: RunningService) -> None:
    body = {"modem": "modem2", "pdu": MESSAGE}
    assert service.request("simulation/messages", method="POST", body=body)[0] == 202


def test_what_is_filtered_is_what_is_downloaded(visit) -> None:
    page = opened(visit)
    page.get_by_label("Kinds of events").select_option("connect")
    expect(page.locator(".remsim-ev-kind", has_not_text="Came online")).to_have_count(0)
    page.get_by_label("Modem").select_option("modem1")
    with page.expect_response(re.compile("text=REGISTERED")):
        page.get_by_label("Search in messages").fill("REGISTERED for")
    rows = page.locator("button.remsim-ev")
    expect(rows.locator(".remsim-ev-source", has_not_text="modem1")).to_have_count(0)
    expect(page.locator(".remsim-ev-count")).to_have_text(re.compile("^\\d+ events$"))
    assert re.search("modem=modem1", page.url)
    assert re.search("text=REGISTERED", page.url)
    shown = rows.count()
    assert shown > 0
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    with Path(download.value.path()).open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == shown
    assert {(line["kind"], line["source"]) for line in lines} == {("connect", "modem1")}
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON").click()
    events = json.loads(Path(download.value.path()).read_text())["events"]
    assert [event["message"] for event in events] == [line["message"] for line in lines]
    page.reload()
    expect(page.get_by_label("Search in messages")).to_have_value("REGISTERED for")
    expect(rows).to_have_count(shown)


def test_nothing_found_says_how_to_see_more(visit) -> None:
    page = opened(visit)
    page.get_by_label("Search in messages").fill("no such thing ever happens")
    expect(page.get_by_text("No event of this period fits the filters.")).to_be_visible()
    page.locator(".remsim-nothing").get_by_role("button", name="Clear filters").click()
    expect(page.locator(".remsim-ev").first).to_be_visible()
    assert "text=" not in page.url


def test_an_event_opens_with_what_it_knows_and_what_changed_around_it(visit) -> None:
    page = opened(visit, "#kind=connect&range=24h")
    row = page.locator("button.remsim-ev").first
    row.press("Enter")
    expect(row).to_have_attribute("aria-expanded", "true")
    detail = page.locator(".remsim-ev-detail").first
    expect(detail.locator(".remsim-ev-facts")).to_contain_text("RSRP")
    expect(detail.locator("li.remsim-ev[aria-current]")).to_have_count(1)
    expect(detail.locator("li.remsim-ev").nth(1)).to_be_visible()
    assert re.search(
        r"history#from=\d+&to=\d+&modem=modem\d",
        detail.get_by_role("link", name="Show the charts").get_attribute("href") or "",
    )
    detail.get_by_text("As JSON").click()
    assert json.loads(detail.get_by_label("This event as JSON").input_value())["kind"] == "connect"
    page.keyboard.press("Escape")
    expect(detail).to_be_hidden()
    expect(row).to_be_focused()


def test_what_happens_while_somebody_reads_waits_until_it_is_wanted(visit, service: RunningService) -> None:
    page = opened(visit, "#kind=sms,connect&range=24h")
    first = page.locator("button.remsim-ev").first
    first.click()
    text = first.inner_text()
    send_message(service)
    fresh = page.get_by_role("button", name="1 new", exact=True)
    expect(fresh).to_be_visible(timeout=20_000)
    assert page.locator("button.remsim-ev").first.inner_text() == text
    fresh.click()
    expect(page.locator("button.remsim-ev").first).to_contain_text("SMS")
    expect(fresh).to_be_hidden()


def test_older_events_come_page_by_page_and_none_twice(visit) -> None:
    page = opened(visit, "#range=30d")
    rows = page.locator("button.remsim-ev")
    expect(rows).to_have_count(100)
    page.get_by_role("button", name="Show older ones").click()
    expect(rows).not_to_have_count(100)
    ids = page.evaluate("[...document.querySelectorAll('button.remsim-ev')].map(one => one.textContent)")
    assert len(ids) > 100
    # The hundredth and first when it was asked for: events that come meanwhile stand before it.
    page.wait_for_function("[...document.querySelectorAll('button.remsim-ev')].indexOf(document.activeElement) >= 100")


@pytest.mark.parametrize("visit", [{}, DARK, PHONE], indirect=True, ids=["light", "dark", "phone"])
def test_axe_finds_nothing_on_the_events_page(visit) -> None:
    page = opened(visit, "#kind=connect,vanished,disconnect&range=24h")
    page.locator("button.remsim-ev").first.click()
    expect(page.locator(".remsim-ev-facts").first).to_be_visible()
    page.get_by_text("As JSON").click()
    no_violations(page)
