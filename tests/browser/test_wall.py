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
        expect(tile).to_have_class(re.compile("remsim-wall-stale"))
        expect(tile.locator(".remsim-wall-since")).to_contain_text("no value since")
        expect(page.locator(".remsim-wall-link")).to_contain_text("no connection")
        service.start()
        expect(tile).not_to_have_class(re.compile("remsim-wall-stale"), timeout=30_000)
        expect(page.locator(".remsim-wall-link")).to_have_text("")
    finally:
        context.close()
        if service.process is not None and service.process.poll() is None:
            service.stop()


HALL = {
    "version": 1,
    "pages": [
        {
            "title": "Now",
            "widgets": [
                {"id": "s", "type": "signal", "x": 0, "y": 0, "w": 12, "h": 10, "settings": {}},
                {"id": "c", "type": "chart", "x": 0, "y": 10, "w": 6, "h": 9, "settings": {"measure": "rsrp"}},
                {"id": "e", "type": "events", "x": 6, "y": 10, "w": 6, "h": 9, "settings": {}},
            ],
        },
        {
            "title": "Later",
            "widgets": [{"id": "n", "type": "notes", "x": 0, "y": 0, "w": 4, "h": 4, "settings": {"text": "later"}}],
        },
    ],
    "wall": {"rotate_s": 1, "dim_from": "00:00", "dim_to": "23:59"},
}


def test_a_monitor_gets_its_link_and_turns_the_pages_of_its_layout(visit, browser: Browser) -> None:
    page, base = visit.page, visit.service.base
    assert page.request.put(f"{base}/api/v1/layouts/hall", data=HALL, headers={"Origin": base}).ok
    visit.open()
    page.get_by_role("button", name="Wall …").click()
    dialog = page.get_by_role("dialog", name="Wall")
    dialog.get_by_label("What the wall shows").select_option("hall")
    dialog.get_by_role("button", name="Make a link").click()
    link = dialog.get_by_label("The wall's link").input_value()
    assert link.startswith(f"{base}/wall?token=") and link.endswith("&layout=hall")

    context = browser.new_context(viewport={"width": 1280, "height": 720})
    wall = context.new_page()
    try:
        wall.goto(link)
        assert "token" not in wall.url and "layout=hall" in wall.url
        expect(wall.locator(".remsim-wall-tile")).to_have_count(3)
        expect(wall.locator(".remsim-wall-value").first).to_have_text(re.compile(r"−\d+\sdBm"))
        expect(wall.get_by_text("later", exact=True)).to_be_visible(timeout=10_000)
        expect(wall.locator(".remsim-wall-tile").first).to_be_hidden()
        wall.get_by_role("button", name="Stop here").click()
        expect(wall.locator(".remsim-wall-dimmed")).to_have_count(1)
        where = wall.locator(".remsim-wall-where")
        expect(where).to_have_text(re.compile("of 2$"))
        if where.inner_text() == "Now · 1 of 2":  # it has turned once more before the button was pressed
            wall.keyboard.press("ArrowLeft")
            expect(where).to_have_text("Later · 2 of 2")
        wall.keyboard.press("ArrowLeft")
        expect(where).to_have_text("Now · 1 of 2")
        wall.wait_for_function(
            "() => Object.values(Chart.instances)[0]?.data.datasets.some(set => set.data.length > 10)"
        )
        size = wall.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        assert size == [1280, 720]
        assert wall.request.get(f"{base}/api/v1/modems").status == 403  # a wall sees the wall
        assert wall.request.put(f"{base}/api/v1/layouts/hall", data=HALL, headers={"Origin": base}).status == 403
    finally:
        context.close()
        page.request.delete(f"{base}/api/v1/layouts/hall", headers={"Origin": base})


def test_a_wall_without_its_layout_says_so(visit) -> None:
    page = visit.open("/wall?layout=nowhere")
    expect(page.get_by_text("there is no layout 'nowhere'")).to_be_visible()
    visit.complaints.clear()  # the browser's own word for the 404
