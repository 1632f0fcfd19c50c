"""What a router admin does on the dashboard, in a real browser against a real service."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from accessibility import no_violations
from playwright.sync_api import Page, expect

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
DARK = {"color_scheme": "dark"}


def card(page: Page, modem: str):
    return page.locator(".remsim-card", has_text=modem)


def chart(page: Page, title: str):
    return page.get_by_role("region", name=title, exact=True)


def drawn_lines(page: Page) -> list[list[str]]:
    """The labels of the lines that have values, chart by chart, as Chart.js has them."""
    return page.evaluate(
        """() => Object.values(Chart.instances).map(chart => chart.data.datasets
            .filter(set => set.label && set.data.some(point => point.y !== null)).map(set => set.label))"""
    )


def wait_for_charts(page: Page, count: int = 1) -> None:
    """Charts that are near the window ask for their series; the others when somebody comes near them."""
    page.wait_for_function(
        "count => window.Chart && Object.values(Chart.instances).filter(chart => chart.data.datasets.some(set => "
        "set.data.length > 10)).length >= count",
        arg=count,
    )


def see_all_charts(page: Page) -> None:
    wait_for_charts(page)
    for frame in page.locator(".remsim-canvas").all():
        frame.scroll_into_view_if_needed()
    wait_for_charts(page, 8)


def test_three_modems_are_shown_live_and_their_values_move(visit) -> None:
    page = visit.open()
    expect(page.get_by_text("3 of 3 online")).to_be_visible()
    expect(page.get_by_text("SIMULATED", exact=True)).to_be_visible()
    expect(page.locator(".remsim-link")).to_have_text("live")
    for model in ("RM520N-GL", "EM7565", "FM350-GL"):
        expect(card(page, model)).to_contain_text(re.compile(r"−\d+\sdBm"))
        expect(card(page, model)).to_contain_text(re.compile("excellent|good|fair|poor"))
    sent = card(page, "EM7565").locator(".remsim-commands")
    before = sent.inner_text()
    expect(sent).not_to_have_text(before)


def test_charts_show_a_week_and_a_picked_period_and_the_address_keeps_it(visit) -> None:
    page = visit.open()
    wait_for_charts(page)
    page.get_by_role("button", name="24h", exact=True).click()
    expect(chart(page, "RSRP").locator(".remsim-stats")).to_contain_text(re.compile("min averages"))
    assert "range=24h" in page.url
    page.reload()
    wait_for_charts(page)
    expect(page.get_by_role("button", name="24h", exact=True)).to_have_attribute("aria-pressed", "true")
    assert len(drawn_lines(page)[0]) >= 3
    canvas = chart(page, "RSRP").locator("canvas").bounding_box()
    assert canvas
    page.mouse.move(canvas["x"] + 150, canvas["y"] + 60)
    page.mouse.down()
    page.mouse.move(canvas["x"] + 300, canvas["y"] + 60, steps=5)
    page.mouse.up()
    page.wait_for_function("() => location.hash.includes('from=')")
    expect(page.get_by_role("button", name="Whole range")).to_be_visible()


def test_a_load_asks_once_for_all_series_that_are_near_and_later_for_the_others(visit) -> None:
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url) if "/api/v1/series" in request.url else None)
    page = visit.open()
    wait_for_charts(page, 2)
    charts = [url for url in asked if "range=1h" in url]
    assert len(charts) == 1 and "series/batch" in charts[0] and "temperature_c" not in charts[0]
    assert not [url for url in asked if "series/batch" not in url]
    chart(page, "Temperature").scroll_into_view_if_needed()
    expect(chart(page, "Temperature").locator(".remsim-stats")).to_contain_text("modem1")


def test_one_cursor_goes_through_all_charts(visit) -> None:
    page = visit.open()
    wait_for_charts(page)
    chart(page, "RSRP").locator("canvas").hover(position={"x": 200, "y": 50})
    for title in ("RSRP", "Latency and jitter", "Throughput"):
        expect(chart(page, title).locator(".remsim-cursor-time")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))


def test_one_modem_alone_or_all_on_one_axis(visit) -> None:
    page = visit.open()
    wait_for_charts(page)
    page.get_by_label("Modems in the charts").select_option("modem2")
    page.wait_for_function(
        "() => Object.values(Chart.instances)[0].data.datasets.every(set => !set.label || set.label === 'modem2')"
    )
    assert drawn_lines(page)[0] == ["modem2"]


def test_an_event_opens_with_what_happened_around_it(visit) -> None:
    page = visit.open()
    wait_for_charts(page)  # what is drawn above moves the list away under a press
    page.locator(".remsim-event").first.click()
    detail = page.get_by_role("region", name="Event", exact=True)
    expect(detail).to_be_visible()
    expect(detail).to_contain_text("What changed here?")
    expect(detail.locator(".remsim-event").first).to_be_visible()
    detail.get_by_role("button", name="Show the charts around it").click()
    page.wait_for_function("() => location.hash.includes('from=')")


def test_export_gives_a_csv_with_units_and_utc_times(visit) -> None:
    page = visit.open()
    wait_for_charts(page)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Export CSV").click()
    rows = list(csv.reader(Path(waiting.value.path()).open()))
    assert rows[0][:3] == ["time", "modem", "rsrp_dbm [dBm]"] or "rsrp_dbm [dBm]" in rows[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", rows[1][0])
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Export JSON").click()
    assert json.loads(Path(waiting.value.path()).read_text())["series"]


def test_an_unplugged_modem_says_so_with_what_to_do_and_comes_back(visit) -> None:
    page = visit.open()
    one = card(page, "modem2")
    expect(one).to_contain_text("Online")
    one.get_by_label("Try a fault").select_option("unplug")
    expect(one).to_contain_text("Restarting", timeout=10_000)
    expect(one.locator(".remsim-problem").first).to_be_visible()
    expect(page.get_by_text("2 of 3 online")).to_be_visible()
    one.get_by_label("Try a fault").select_option("clear")
    expect(one).to_contain_text("Online", timeout=20_000)


def test_polling_off_is_one_choice_and_is_shown(visit) -> None:
    page = visit.open()
    one = card(page, "modem3")
    one.get_by_label("Polling period").select_option("off")
    expect(one).to_contain_text("Polling off", timeout=10_000)
    one.get_by_label("Polling period").select_option("1")
    expect(one).to_contain_text("Online", timeout=20_000)


@pytest.mark.parametrize("visit", [PHONE], indirect=True, ids=["phone"])
def test_a_phone_needs_no_sideways_scrolling_and_has_large_buttons(visit) -> None:
    page = visit.open()
    wait_for_charts(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for button in page.locator(".remsim-ranges button:visible").all():
        box = button.bounding_box()
        assert box
        assert box["height"] >= 44


@pytest.mark.parametrize("visit", [{}, DARK, PHONE], indirect=True, ids=["light", "dark", "phone"])
def test_axe_finds_nothing(visit) -> None:
    page = visit.open()
    see_all_charts(page)
    no_violations(page)


def test_without_a_login_the_page_says_how_to_get_in(browser, service) -> None:
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(service.base + "/")
    assert answer
    assert answer.status == 401
    expect(page.locator("body")).to_contain_text("remsim link")
    context.close()


def test_cards_keep_their_height_whatever_happens_to_a_modem(visit) -> None:
    page = visit.open()
    one = card(page, "modem3")
    expect(one).to_contain_text("Online")
    heights = "[...document.querySelectorAll('.remsim-card')].map(one => one.offsetHeight)"
    before = page.evaluate(heights)
    one.get_by_label("Try a fault").select_option("registration_denied")
    expect(one).to_contain_text("Refused by the network", timeout=10_000)
    expect(one.locator(".remsim-problem").first).to_be_visible()
    assert page.evaluate(heights) == before
    one.get_by_label("Try a fault").select_option("clear")
    expect(one).to_contain_text("Online", timeout=20_000)


def test_a_chart_says_what_its_values_mean_and_what_is_good(visit) -> None:
    page = visit.open()
    wait_for_charts(page)
    asks = chart(page, "RSRP").get_by_role("button", name="What does this mean?")
    asks.click()
    meaning = "From −80 dBm on it is excellent, −90 good, −100 fair"
    expect(page.get_by_role("dialog", name="RSRP")).to_contain_text(meaning)
    page.keyboard.press("Escape")
    expect(asks).to_be_focused()


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_a_phones_navigation_shows_the_page_it_is_on_and_goes_to_others_by_keyboard(visit) -> None:
    page = visit.open("/diagnostics")
    group = page.locator(".remsim-nav summary[aria-current]")
    expect(group).to_be_in_viewport(ratio=1)
    expect(group).to_have_text("System")
    group.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Diagnostics")).to_have_attribute("aria-current", "page")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Diagnostics")).to_be_hidden()
    expect(group).to_be_focused()
    page.get_by_text("Traffic", exact=True).click()
    page.get_by_role("link", name="Policies").click()
    expect(page.get_by_role("heading", name="Policies", exact=True, level=1)).to_be_visible()
