"""The Usage page: what a SIM has carried, its cap set and exceeded, the report as a file and on paper."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from accessibility import no_violations
from playwright.sync_api import Locator, Page, expect
from running import RunningService

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
DARK = {"color_scheme": "dark"}


@pytest.fixture(autouse=True)
def no_plans(service: RunningService) -> Iterator[None]:
    """The service is that of all pages: what was planned here is taken back."""
    yield
    for section in service.get("config?types=sim")["sections"]:
        service.request(f"config/sim/{section['name']}", method="DELETE")


def opened(visit, address: str = "") -> Page:
    page: Page = visit.open(f"/usage{address}")
    expect(page.locator(".remsim-usage").first).to_be_visible()
    return page


def card_of(page: Page, modem: str) -> Locator:
    return page.locator(".remsim-usage", has_text=f"in {modem} now")


def test_a_cap_is_set_and_what_is_left_and_where_it_leads_is_shown(visit, service: RunningService) -> None:
    page = opened(visit)
    card = card_of(page, "modem1")
    expect(card).to_contain_text("no cap is set")
    expect(card.get_by_label("Used of the cap")).to_have_count(0)
    card.get_by_role("button", name="Set a cap").click()
    cap = card.get_by_label("Data cap")
    expect(cap).to_be_focused()
    cap.fill("nothing")
    card.get_by_role("button", name="Save").click()
    expect(card.locator(".remsim-field-error:visible")).to_contain_text("Data cap is not a number")
    cap.fill("1000")
    card.get_by_label("Name", exact=True).fill("<b>Office</b>")
    card.get_by_label("Billing day").fill("12")
    card.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="The plan of <b>Office</b> is saved.")).to_be_visible()
    card = page.locator(".remsim-usage", has_text="<b>Office</b>")
    expect(card).to_contain_text(re.compile("of 1000\\sGB|of 1\\.0\\sTB"))
    expect(card).to_contain_text("✓ within the cap")
    expect(card).to_contain_text(re.compile("\\d{4}-\\d\\d-12 to \\d{4}-\\d\\d-11"))
    expect(card).to_contain_text("Projection")
    card.get_by_text("Plan of this SIM").click()
    card.get_by_label("Data cap").fill("0.001")
    card.get_by_role("button", name="Save").click()
    expect(card).to_contain_text("✖ used up")
    values = service.get("config?types=sim")["sections"][0]["values"]
    assert (values["name"], values["billing_day"], values["cap_gb"]) == ("<b>Office</b>", 12, 0.001)


def test_a_projection_over_the_cap_says_so_and_how_it_is_worked_out(visit) -> None:
    def projected(route: Any) -> None:
        report = route.fetch().json()
        report["sims"][0] |= {"cap_bytes": 10_000_000_000, "used_bytes": 8_500_000_000, "used_percent": 85.0}
        report["sims"][0] |= {"projected_bytes": 12_000_000_000, "projection": "used so far + 3 days"}
        route.fulfill(json=report)

    visit.page.route("**/api/v1/usage/report*", projected)
    page = opened(visit)
    card = page.locator(".remsim-usage").first
    expect(card).to_contain_text(re.compile("8.5\\sGB of 10\\sGB \\(85 %\\) ▲ nearly used up"))
    expect(card).to_contain_text(re.compile("12\\sGB by .* ✖ 2.0\\sGB over the cap"))
    card.get_by_text("How is this worked out?").click()
    expect(card.locator(".remsim-usage-how")).to_contain_text("used so far + 3 days")


def test_the_report_is_a_file_a_table_and_paper(visit) -> None:
    page = opened(visit)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    with Path(download.value.path()).open(newline="") as file:
        assert len(list(csv.reader(file))) > 1
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON").click()
    sims = json.loads(Path(download.value.path()).read_text())["sims"]
    expect(page.locator(".remsim-usage")).to_have_count(len(sims))
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    card = page.locator(".remsim-usage").first
    expect(card.get_by_role("group", name="Usage a day").locator("tbody tr").first).to_be_visible()
    expect(page.get_by_role("navigation", name="Pages")).to_be_hidden()
    expect(card.get_by_text("Plan of this SIM")).to_be_hidden()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    expect(page.get_by_text("remsim usage report, made")).to_be_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(card.get_by_role("group", name="Usage a day")).to_be_hidden()


def test_another_cycle_is_chosen_and_stays_in_the_address(visit) -> None:
    page = opened(visit)
    page.get_by_label("Billing cycle", exact=True).select_option(index=1)
    expect(page).to_have_url(re.compile("month=\\d{4}-\\d\\d"))
    page.reload()
    expect(page.get_by_label("Billing cycle", exact=True)).to_have_value(re.compile("\\d{4}-\\d\\d"))
    page.goto(page.url.split("#")[0] + "#month=1999-01")
    page.reload()
    expect(page.get_by_text("Nothing was carried in this month.")).to_be_visible()


@pytest.mark.parametrize("visit", [{}, DARK, PHONE], indirect=True, ids=["light", "dark", "phone"])
def test_axe_finds_nothing_on_the_usage_page(visit) -> None:
    page = opened(visit)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    expect(page.get_by_label("Data cap").first).to_be_visible()
    no_violations(page)
