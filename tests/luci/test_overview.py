"""The Overview page in LuCI: live, paused, read-only, without its service, light and dark."""

from __future__ import annotations

import re
from collections.abc import Callable

from luci.visit import Visit
from playwright.sync_api import Page, expect
from running import RunningService

Begin = Callable[..., Visit]
CARD = ".remsim-cards > *"


def commands_total(page: Page) -> int:
    """The sum of the counters of AT commands on the cards: it rises as long as the page gets news."""
    texts = page.locator(CARD).all_inner_texts()
    found = [re.search(r"([\d., \u202f\u00a0]+)\s*AT", text) for text in texts]
    return sum(int(re.sub(r"\D", "", one[1])) for one in found if one)


def wait_until_live(page: Page) -> None:
    expect(page.locator(CARD)).to_have_count(3)
    before = commands_total(page)
    page.wait_for_function(
        "before => document.querySelector('.remsim-cards').innerText !== before", arg=str(before), timeout=15000
    )
    expect(page.locator(".remsim-charts canvas").first).to_be_visible()


def test_the_page_is_found_in_the_menu_and_shows_each_modem(visit: Begin, service: RunningService) -> None:
    page = visit().open("admin/services/remsim")
    expect(page.locator(CARD)).to_have_count(3)
    for modem in service.get("modems")["modems"]:
        expect(page.locator(".remsim-cards")).to_contain_text(modem["model"])
    expect(page.locator("#tabmenu a", has_text="Overview")).to_have_attribute(
        "href", "/cgi-bin/luci/admin/services/remsim/overview"
    )
    expect(page.locator(".cbi-page-actions")).to_have_count(0)
