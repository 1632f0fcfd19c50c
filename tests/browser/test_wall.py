"""The wall page: seen from afar, never touched, for a day and longer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from running import RunningService


@pytest.mark.parametrize("visit", [{"viewport": {"width": 1920, "height": 1080}}], indirect=True, ids=["full-hd"])
def test_the_wall_shows_every_modem_without_scrolling(visit) -> None:
    page = visit.open("/wall")
    expect(page.locator(".remsim-wall-tile")).to_have_count(3)
    expect(page.locator(".remsim-wall-value").first).to_have_text(re.compile(r"−\d+\sdBm"))
    expect(page.get_by_text("SIMULATED", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") <= 1080


def test_modems_and_layout_are_chosen_in_the_address(visit) -> None:
    page = visit.open("/wall?modems=modem1,modem3&layout=1")
    expect(page.locator(".remsim-wall-tile h2")).to_have_text(["modem1", "modem3"])
    grid = page.locator(".remsim-wall-grid")
    columns = grid.evaluate("grid => getComputedStyle(grid).gridTemplateColumns")
    assert len(columns.split(" ")) == 1


def test_the_wall_dims_what_is_stale_and_goes_on_after_the_server_restarts(browser: Browser, tmp_path: Path) -> None:
    service = RunningService(tmp_path, "--simulate=1", "--backfill", "0").start()
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    try:
        service.wait_for("modems", lambda answer: [modem["state"] for modem in answer["modems"]] == ["online"])
        page.goto(service.login_url())
        page.goto(service.base + "/wall")
        tile = page.locator(".remsim-wall-tile")
        expect(tile).to_contain_text("Online")
        service.stop()
        expect(tile).to_have_class(re.compile("remsim-wall-stale"), timeout=6_000)
        expect(tile.locator(".remsim-wall-since")).to_contain_text("no value since")
        expect(page.locator(".remsim-wall-link")).to_contain_text("no connection")
        service.start()
        expect(tile).not_to_have_class(re.compile("remsim-wall-stale"), timeout=30_000)
        expect(page.locator(".remsim-wall-link")).to_have_text("")
    finally:
        context.close()
        if service.process is not None and service.process.poll() is None:
            service.stop()
