"""What charts, their marks and the list of events do for who asks why it switched at 03:12."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def wait_for_charts(page: Page, count: int = 1) -> None:
    page.wait_for_function(
        "count => window.Chart && Object.values(Chart.instances).filter(chart => chart.data.datasets.some(set => "
        "set.data.length > 10)).length >= count",
        arg=count,
    )


def first_canvas(page: Page) -> Any:
    canvas = page.locator(".remsim-canvas canvas").first
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    box = canvas.bounding_box()
    assert box
    return box


def rare_mark(page: Page) -> dict[str, Any]:
    """A mark of the first chart that tells of trouble, with its pixel and its time."""
    handle = page.wait_for_function(
        """() => {
            const chart = Object.values(Chart.instances)[0].$remsim;
            const mark = chart.marks.find(one => ['disconnect', 'vanished', 'reboot'].includes(one.event.kind));
            return mark && {x: mark.x, message: mark.event.message, at: mark.t};
        }"""
    )
    found: dict[str, Any] = handle.json_value()
    return found


def tops(page: Page) -> list[int]:
    return page.evaluate(
        "[...document.querySelectorAll('canvas')].map(one => Math.round(one.getBoundingClientRect().top))"
    )


def test_nothing_moves_under_the_pointer(visit) -> None:
    page = visit.open()
    wait_for_charts(page)
    box, before = first_canvas(page), tops(page)
    page.mouse.move(box["x"] + 300, box["y"] + 60)
    expect(page.locator(".remsim-cursor-time").first).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    assert tops(page) == before


def test_the_timelines_share_the_cursor(visit) -> None:
    page = visit.open("/history#range=1h&charts=rsrp")
    wait_for_charts(page)
    expect(page.locator(".remsim-band").first).to_be_attached()
    box = first_canvas(page)
    page.mouse.move(box["x"] + 300, box["y"] + 60)
    expect(page.locator(".remsim-band-cursor").first).to_have_attribute("d", re.compile(r"^M\d"))
    page.locator(".remsim-band").first.hover()
    expect(page.locator(".remsim-cursor-time").first).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))


def test_why_it_switched_is_two_clicks_away(visit) -> None:
    page = visit.open()
    wait_for_charts(page)
    page.get_by_role("button", name="24h", exact=True).click()
    box, mark = first_canvas(page), rare_mark(page)
    page.mouse.move(box["x"] + mark["x"], box["y"] + box["height"] - 6)
    expect(page.locator(".remsim-cursor-time").first).to_contain_text(mark["message"])
    page.mouse.click(box["x"] + mark["x"], box["y"] + box["height"] - 6)
    detail = page.get_by_role("region", name="Event", exact=True)
    expect(detail).to_contain_text(mark["message"])
    expect(detail).to_be_in_viewport()
    expect(detail.locator("[aria-current]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(detail).to_be_hidden()


def test_the_events_listed_are_those_of_the_period_shown(visit) -> None:
    page = visit.open("/history#range=24h&charts=rsrp")
    wait_for_charts(page)
    page.get_by_role("button", name="24h", exact=True).click()
    at = rare_mark(page)["at"]
    page.evaluate(f"location.hash = '#from={int(at) - 300}&to={int(at) + 300}'")
    page.wait_for_function(
        """at => {
            const times = [...document.querySelectorAll('.remsim-events time')];
            return times.length > 0 && times.every(one => Math.abs(Date.parse(one.dateTime) / 1000 - at) <= 301);
        }""",
        arg=at,
    )


def test_a_row_with_the_focus_keeps_it_while_events_come(visit) -> None:
    page = visit.open()
    wait_for_charts(page)
    row = page.locator(".remsim-events .remsim-event").nth(2)
    row.focus()
    text = row.inner_text()
    page.wait_for_timeout(2500)
    assert page.evaluate("document.activeElement.innerText") == text


def test_a_link_shows_the_same_modem_alone(visit) -> None:
    page = visit.open()
    wait_for_charts(page)
    page.get_by_label("Modems in the charts").select_option("modem2")
    page.wait_for_function("() => location.hash.includes('modem=modem2')")
    page.reload()
    wait_for_charts(page)
    expect(page.get_by_label("Modems in the charts")).to_have_value("modem2")
    labels = page.evaluate("Object.values(Chart.instances)[0].data.datasets.map(one => one.label).filter(Boolean)")
    assert labels == ["modem2"]


def test_the_line_of_a_modem_asked_rarely_is_no_row_of_gaps(visit) -> None:
    page = visit.open()
    moves = page.evaluate(
        """async () => {
            const { sparkline } = await import('/ui/remsim/modem-card.js');
            const rows = Array.from({length: 20}, (_, at) => ({t: at * 60, reading: {rsrp_dbm: -90 - at % 3}}));
            const path = period => sparkline(rows, 'rsrp_dbm', 1200, period).querySelector('path').getAttribute('d');
            return [path(60), path(1)].map(text => text.split('M').length - 1);
        }"""
    )
    assert moves == [1, 20]


@pytest.mark.parametrize("visit", [PHONE], indirect=True, ids=["phone"])
def test_two_fingers_zoom_and_a_lifted_finger_leaves_the_values(visit) -> None:
    page = visit.open()
    wait_for_charts(page)
    box = first_canvas(page)
    devtools = page.context.new_cdp_session(page)

    def touch(kind: str, *fingers: float) -> None:
        points = [{"x": x, "y": box["y"] + 70, "id": at} for at, x in enumerate(fingers)]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    middle = box["x"] + 180
    touch("touchStart", middle)
    touch("touchEnd")
    expect(page.locator(".remsim-cursor-time").first).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    touch("touchStart", middle - 30, middle + 30)
    for step in range(1, 7):
        touch("touchMove", middle - 30 - 10 * step, middle + 30 + 10 * step)
    touch("touchEnd")
    page.wait_for_function("() => location.hash.includes('from=')")
    shown = dict(pair.split("=") for pair in page.evaluate("location.hash.slice(1)").split("&"))
    assert 600 < int(shown["to"]) - int(shown["from"]) < 2400
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
