"""What the pages say when there is nothing to show: no modem, no server, and what a keyboard can reach."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from running import RunningService, running_service


def test_without_a_modem_the_page_says_what_was_looked_for(browser: Browser, tmp_path: Path) -> None:
    with running_service(tmp_path) as service:
        context = browser.new_context(viewport={"width": 1000, "height": 700})
        page = context.new_page()
        page.goto(service.login_url())
        expect(page.get_by_role("heading", name="No modem was found.")).to_be_visible()
        expect(page.locator(".remsim-nothing")).to_contain_text("kmod-usb-serial-option")
        expect(page.get_by_text("SIMULATED", exact=True)).to_be_hidden()
        context.close()


def test_the_dashboard_says_since_when_the_server_is_gone_and_goes_on_after_its_restart(
    browser: Browser, tmp_path: Path
) -> None:
    service = RunningService(tmp_path, "--simulate=1", "--backfill", "0").start()
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    try:
        service.wait_for("modems", lambda answer: [modem["state"] for modem in answer["modems"]] == ["online"])
        page.goto(service.login_url())
        link, card = page.locator(".remsim-link"), page.locator(".remsim-card")
        expect(link).to_have_text("live")
        service.stop()
        expect(link).to_contain_text(re.compile(r"no connection for \d+"))
        expect(card).to_have_class(re.compile("remsim-stale"))
        expect(card.locator(".remsim-age")).to_contain_text("ago")
        service.start()
        expect(link).to_have_text("live", timeout=30_000)
        expect(card.locator(".remsim-age")).to_have_text("now", timeout=20_000)
    finally:
        context.close()
        if service.process is not None and service.process.poll() is None:
            service.stop()


def test_the_period_is_chosen_with_the_keyboard_alone(visit) -> None:
    page = visit.open()
    expect(page.get_by_role("button", name="6h", exact=True)).to_be_visible()
    for _ in range(120):  # how many come before it is a matter of pages and modems
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.range") == "6h":
            break
    else:
        pytest.fail("the keyboard does not reach it")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="6h", exact=True)).to_have_attribute("aria-pressed", "true")
    assert "range=6h" in page.url


def test_without_the_server_nothing_is_taken_for_now_even_at_a_long_period(browser: Browser, tmp_path: Path) -> None:
    service = RunningService(tmp_path, "--simulate=1", "--backfill", "0").start()
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, wall = context.new_page(), context.new_page()
    try:
        service.wait_for("modems", lambda answer: [modem["state"] for modem in answer["modems"]] == ["online"])
        page.goto(service.login_url())
        wall.goto(service.base + "/wall")
        service.request("modems/modem1", method="PATCH", body={"period_s": 60})
        tile = wall.locator(".remsim-wall-tile")
        expect(tile).to_contain_text("Online")
        expect(page.locator(".remsim-card")).not_to_have_class(re.compile("remsim-stale"))
        service.stop()
        expect(tile).to_have_class(re.compile("remsim-wall-stale"))
        expect(tile.locator(".remsim-wall-since")).to_contain_text("no value since")
        expect(page.locator(".remsim-card")).to_have_class(re.compile("remsim-stale"))
        expect(page.locator(".remsim-link")).not_to_contain_text("Failed to fetch")
    finally:
        context.close()
        if service.process is not None and service.process.poll() is None:
            service.stop()


def test_a_lost_login_is_told_with_the_way_back(visit) -> None:
    page = visit.open()
    expect(page.locator(".remsim-link")).to_have_text("live")
    page.route("**/api/v1/stream*", lambda route: route.abort())
    page.reload()
    expect(page.locator(".remsim-link")).to_have_text(re.compile("^polling every"))
    page.context.clear_cookies()
    expect(page.locator(".remsim-link")).to_contain_text("not logged in any more (run “remsim link”", timeout=10_000)
    page.reload()
    expect(page.locator("h1")).to_have_text("Not logged in")
    assert page.evaluate("getComputedStyle(document.querySelector('main')).borderRadius") == "8px"
    visit.complaints[:] = [one for one in visit.complaints if not re.search("401|ERR_FAILED", one)]
