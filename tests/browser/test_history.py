"""Who looks into last week's outage: find it, see what changed, write it down, take the values along."""

from __future__ import annotations

import csv
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from accessibility import AXE
from playwright.sync_api import Page, expect

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DARK = {"color_scheme": "dark"}
DRAWN = """(id) => Object.values(window.Chart ? Chart.instances : {}).some(one => one.$remsim.spec.id === id &&
    one.$remsim.lines.some(line => line.points.length > 5))"""
LINES = """(id) => Object.values(Chart.instances).find(one => one.$remsim.spec.id === id).$remsim.lines.map(
    ({label, measure, modem, earlier, points}) => ({label, measure, modem, earlier: !!earlier, points}))"""


def opened(visit: Any, address: str = "range=24h&charts=rsrp,latency") -> Page:
    page: Page = visit.open(f"/history#{address}")
    page.wait_for_function(DRAWN, arg=address.rpartition("charts=")[2].split("&")[0].split(",")[0])
    return page


def lines(page: Page, chart: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(LINES, chart)
    return found


def address(page: Page) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in page.evaluate("location.hash.slice(1)").split("&"))


def span_s(page: Page) -> int:
    shown = address(page)
    return int(shown["to"]) - int(shown["from"])


def delete_notes(visit: Any) -> None:
    for note in visit.service.get("annotations")["annotations"]:
        visit.service.request(f"annotations/{note['id']}", method="DELETE")


def press(page: Page, share: float, chart: int = 0) -> None:
    """Press the middle of a chart at a share of its width."""
    canvas = page.locator(".remsim-canvas canvas").nth(chart)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    canvas.click(position={"x": 44 + (box["width"] - 60) * share, "y": box["height"] / 3})


def assert_export_is_what_is_shown(page: Page, *charts: str) -> None:
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Export CSV").click()
    rows = list(csv.DictReader(Path(waiting.value.path()).open()))
    shown = {
        (line["modem"], line["measure"], round(point[0])): point[2]
        for chart in charts
        for line in lines(page, chart)
        for point in line["points"]
        if point[2] is not None
    }
    exported = {
        (row["modem"], column.split(" ")[0], round(datetime.fromisoformat(row["time"]).timestamp())): float(value)
        for row in rows
        for column, value in row.items()
        if column not in ("time", "modem") and value != "" and not re.search(r"\b(min|max)\b", column)
    }
    assert exported.keys() == shown.keys()
    newest = max(when for _, _, when in shown)  # its span may have gone on since the chart was drawn
    differing = {
        key: (exported[key], shown[key]) for key in shown if key[2] < newest and abs(exported[key] - shown[key]) > 0.051
    }
    assert differing == {}


def axe(page: Page) -> list[Any]:
    page.evaluate(AXE.read_text())  # a script element would be refused by the page's own policy
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (one["id"], [node["target"] for node in one["nodes"]][:3], one["nodes"][0]["failureSummary"][:300])
        for one in result["violations"]
    ]


def test_last_weeks_outage_is_found_understood_written_down_and_taken_along(visit) -> None:
    delete_notes(visit)
    page = opened(visit, "range=7d&charts=rsrp,latency,loss")
    assert_export_is_what_is_shown(page, "rsrp", "latency", "loss")
    handle = page.wait_for_function(
        """() => {
            const chart = Object.values(Chart.instances)[0].$remsim;
            const mark = chart.marks.find(one => ['disconnect', 'vanished'].includes(one.event.kind));
            return mark && {x: mark.x, message: mark.event.message, at: mark.t, modem: mark.event.source};
        }"""
    )
    outage = handle.json_value()
    canvas = page.locator(".remsim-canvas canvas").first
    box = canvas.bounding_box()
    assert box
    canvas.click(position={"x": outage["x"], "y": box["height"] - 6})
    detail = page.get_by_role("region", name="Event", exact=True)
    expect(detail).to_contain_text(outage["message"])
    detail.get_by_role("button", name="Show the charts around it").click()
    page.wait_for_function("() => location.hash.includes('from=')")
    assert abs(int(address(page)["from"]) - (outage["at"] - 300)) <= 2
    near = "at => Math.abs(Object.values(Chart.instances)[0].$remsim.from - at) < 400"
    page.wait_for_function(near, arg=outage["at"])
    page.keyboard.press("Escape")

    press(page, 0.5)
    bar = page.get_by_role("toolbar", name="At the time pressed")
    bar.get_by_role("button", name="What changed here?").click()
    expect(detail).to_contain_text(outage["message"])
    expect(detail.locator(".remsim-changes, .remsim-absent").first).not_to_have_text("Looking …")
    detail.get_by_role("button", name="Close").click()

    press(page, 0.5)
    bar.get_by_role("button", name="Add a note").click()
    dialog = page.locator("dialog")
    dialog.get_by_label("Text").fill("Power cut in the <b>street</b>")
    dialog.get_by_role("button", name="Save").click()
    note = page.locator(".remsim-note", has_text="Power cut in the <b>street</b>")
    expect(note).to_be_visible()
    page.wait_for_function("() => Object.values(Chart.instances).every(one => one.$remsim.notes.length === 1)")
    stored = visit.service.get("annotations")["annotations"]
    assert [one["text"] for one in stored] == ["Power cut in the <b>street</b>"]
    assert abs(datetime.fromisoformat(stored[0]["at"]).timestamp() - outage["at"]) < 60

    assert_export_is_what_is_shown(page, "rsrp", "latency", "loss")


def test_a_note_is_changed_and_deleted_and_leaves_the_charts(visit) -> None:
    delete_notes(visit)
    page = opened(visit)
    page.get_by_role("button", name="Add a note").click()
    page.locator("dialog").get_by_label("Text").fill("first words")
    page.keyboard.press("Enter")
    page.locator(".remsim-note", has_text="first words").click()
    expect(page.locator("dialog")).to_contain_text("written by")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.locator("dialog").get_by_label("Text")).to_have_value("first words")
    page.locator("dialog").get_by_label("Text").fill("better words")
    page.locator("dialog").get_by_label("Modem").select_option("modem2")
    page.locator("dialog").get_by_role("button", name="Save").click()
    expect(page.locator(".remsim-note")).to_contain_text(re.compile("better words.*on "))
    page.locator(".remsim-note").click()
    page.locator("dialog").get_by_role("button", name="Delete").click()
    page.locator("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".remsim-note")).to_have_count(0)
    page.wait_for_function("() => Object.values(Chart.instances).every(one => one.$remsim.notes.length === 0)")
    assert visit.service.get("annotations")["annotations"] == []


def test_who_may_only_read_sees_notes_and_cannot_write_them(visit) -> None:
    delete_notes(visit)
    visit.service.request("annotations", method="POST", body={"at": visit.service.get("state")["at"], "text": "seen"})
    page = opened(visit)
    page.evaluate(
        """async () => {
            const { mount } = await import('/ui/remsim/history.js');
            const { createRequest } = await import('/ui/remsim/api.js');
            const node = document.createElement('div');
            document.querySelector('main').replaceChildren(node);
            await mount(node, { request: createRequest('/api/v1'), readonly: true });
        }"""
    )
    expect(page.locator(".remsim-note")).to_contain_text("seen")
    expect(page.get_by_role("button", name="Add a note")).to_have_count(0)
    page.locator(".remsim-note").click()
    expect(page.locator("dialog")).to_contain_text("seen")
    expect(page.get_by_role("button", name="Change", exact=True)).to_have_count(0)
    delete_notes(visit)


def test_a_keyboard_zooms_moves_asks_and_comes_back(visit) -> None:
    page = opened(visit)
    page.locator(".remsim-canvas").first.focus()
    first = "Object.values(Chart.instances)[0].$remsim"
    drawn = f"span => Math.abs({first}.to - {first}.from - span) < 10"  # a key is meant for what is drawn
    page.keyboard.press("+")
    page.wait_for_function(drawn, arg=43200)
    assert span_s(page) == pytest.approx(43200, abs=3)
    before = int(address(page)["from"])
    page.keyboard.press("+")
    page.wait_for_function(drawn, arg=21600)
    zoomed = int(address(page)["from"])
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"at => {first}.from < at - 10", arg=zoomed)
    assert before < int(address(page)["from"])
    assert span_s(page) == pytest.approx(21600, abs=5)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="What changed here?")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".remsim-canvas").first).to_be_focused()
    page.keyboard.press("Home")
    page.wait_for_function("() => location.hash.includes('range=24h')")


def test_an_answer_that_comes_late_does_not_take_back_the_key_pressed_since(visit) -> None:
    page = opened(visit)
    page.evaluate("""() => {
        const quick = window.fetch;
        window.fetch = async (...asked) => {
            const answer = await quick(...asked);
            await new Promise(done => setTimeout(done, 150));
            return answer;
        };
    }""")
    page.locator(".remsim-canvas").first.focus()
    page.keyboard.press("+")
    page.wait_for_timeout(20)
    page.keyboard.press("+")
    spans = page.evaluate("""async () => {
        const chart = Object.values(Chart.instances)[0].$remsim, spans = [];
        for (const end = Date.now() + 700; Date.now() < end;) {
            spans.push(Math.round(chart.to - chart.from));
            await new Promise(requestAnimationFrame);
        }
        return spans;
    }""")
    assert max(spans) <= 21602
    assert span_s(page) == pytest.approx(21600, abs=3)


def test_a_keyboard_writes_a_note_at_the_cursor(visit) -> None:
    delete_notes(visit)
    page = opened(visit, "range=1h&charts=rsrp")
    page.locator(".remsim-canvas").first.focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.type("by keys")
    page.keyboard.press("Enter")
    expect(page.locator(".remsim-note")).to_contain_text("by keys")
    (note,) = visit.service.get("annotations")["annotations"]
    age_s = datetime.fromisoformat(visit.service.get("state")["at"]) - datetime.fromisoformat(note["at"])
    assert 3400 < age_s.total_seconds() < 3700
    delete_notes(visit)


def test_the_last_hour_moves_on_until_somebody_reads_off_it(visit) -> None:
    page = opened(visit, "range=1h&charts=rsrp")
    ends = "(({to}) => to)(Object.values(Chart.instances)[0].$remsim)"
    before = page.evaluate(ends)
    page.wait_for_function(f"before => {ends} > before + 1", arg=before)
    press(page, 0.5)
    still = page.evaluate(ends)
    page.wait_for_timeout(1500)
    assert page.evaluate(ends) == still


def test_the_period_before_is_drawn_dotted_over_this_one(visit) -> None:
    page = opened(visit, "range=6h&modems=modem1&charts=rsrp")
    assert page.evaluate("Object.values(Chart.instances)[0].$remsim.qualityBands") is not None
    page.get_by_label("Compare with").select_option("before")
    page.wait_for_function("() => Object.values(Chart.instances)[0].$remsim.lines.some(line => line.earlier)")
    now, before = lines(page, "rsrp")[:2]
    assert before["label"] == "modem1, the period before"
    period = page.evaluate("(({from, to}) => [from, to])(Object.values(Chart.instances)[0].$remsim)")
    assert all(period[0] - 100 <= point[0] <= period[1] + 100 for point in before["points"])
    assert [point[2] for point in before["points"]] != [point[2] for point in now["points"]]
    assert page.evaluate("Object.values(Chart.instances)[0].$remsim.qualityBands") is None
    assert address(page)["compare"] == "before"


def test_what_is_chosen_is_in_the_address_and_comes_back(visit) -> None:
    page = opened(visit)
    page.get_by_text("Charts and colours").click()
    page.get_by_role("checkbox", name="Temperature").check()
    page.get_by_role("checkbox", name="RSRP").uncheck()
    page.get_by_label("Coloured strip").select_option("band")
    page.get_by_role("button", name="modem3", exact=True).click()
    page.wait_for_function(DRAWN, arg="temperature")
    shown = address(page)
    assert (shown["charts"], shown["modems"], shown["strips"]) == ("latency%2Ctemperature", "modem1%2Cmodem2", "band")
    page.reload()
    page.wait_for_function(DRAWN, arg="temperature")
    expect(page.locator(".remsim-stack h3")).to_have_text([re.compile("Latency"), re.compile("Temperature")])
    expect(page.get_by_role("button", name="modem3", exact=True)).to_have_attribute("aria-pressed", "false")
    assert {line["modem"] for line in lines(page, "temperature")} <= {"modem1", "modem2"}


def test_a_chart_without_a_source_is_one_line_that_says_why(visit) -> None:
    def without_temperature(route: Any) -> None:
        answer = route.fetch()
        content = answer.json()
        content["series"] = [one for one in content["series"] if one["measure"] != "temperature_c"]
        reason = "this modem has not reported Temperature since the service started"
        content["absent"] = [
            {"modem": f"modem{at}", "measure": "temperature_c", "reason": reason} for at in range(1, 4)
        ]
        route.fulfill(response=answer, json=content)

    visit.page.route("**/series/batch?*", without_temperature)
    page = opened(visit, "range=24h&charts=rsrp,temperature")
    expect(page.locator(".remsim-absent-charts li")).to_have_text(
        "Temperature is not shown: this modem has not reported Temperature since the service started"
    )
    expect(page.locator("section[aria-label='Temperature']")).to_be_hidden()


def test_a_period_without_anything_says_so(visit) -> None:
    page = visit.open("/history#from=1500000000&to=1500003600&charts=rsrp,usage,lost")
    expect(page.locator(".remsim-history-said")).to_contain_text("so nothing was recorded")
    expect(page.locator(".remsim-stack .remsim-chart:visible")).to_have_count(0)
    page.get_by_role("button", name="24h", exact=True).click()
    page.wait_for_function(DRAWN, arg="rsrp")
    expect(page.locator(".remsim-history-said")).to_be_empty()


def test_a_router_that_does_not_answer_is_asked_again(visit) -> None:
    page = opened(visit)
    page.route("**/series/batch?*", lambda route: route.fulfill(json={"series": 1, "absent": []}))
    page.get_by_role("button", name="6h", exact=True).click()
    expect(page.locator(".remsim-history-said")).to_contain_text("could not be asked for")
    page.unroute("**/series/batch?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".remsim-history-said")).to_be_empty()
    page.wait_for_function(DRAWN, arg="rsrp")


def test_a_link_to_a_modem_that_is_gone_says_so_and_shows_the_others(visit) -> None:
    page = opened(visit, "range=24h&modem=wan9&charts=rsrp")
    expect(page.locator(".remsim-history-said")).to_contain_text("The modem wan9 is not known here")
    assert len({line["modem"] for line in lines(page, "rsrp")}) == 3


def test_the_table_beside_a_chart_has_its_values(visit) -> None:
    page = opened(visit, "range=24h&modems=modem1&charts=rsrp,usage")
    page.get_by_text("Values as a table").first.click()
    table = page.locator(".remsim-chart-table table").first
    expect(table.locator("caption")).to_contain_text("RSRP (dBm)")
    rows = table.locator("tbody tr")
    assert 20 <= rows.count() <= 50
    expect(rows.nth(3).locator("td").first).to_have_text(re.compile(r"^−\d+( \(−\d+ … −\d+\))?$"))


def test_a_chart_is_saved_as_a_picture_with_solid_ground(visit) -> None:
    page = opened(visit)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="RSRP as PNG").click()
    assert re.fullmatch(r"remsim-rsrp-[\dT-]+\.png", waiting.value.suggested_filename)
    content = Path(waiting.value.path()).read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    corners = page.evaluate(
        """async () => {
            const { pictureOf } = await import('/ui/remsim/chart-picture.js');
            const sheet = pictureOf(Object.values(Chart.instances)[0].$remsim), ctx = sheet.getContext('2d');
            const { data } = ctx.getImageData(0, 0, sheet.width, sheet.height);
            return [[...data.slice(0, 4)], [...data.slice(-4)]];
        }"""
    )
    assert corners == [[255, 255, 255, 255]] * 2


def test_one_request_has_all_series_of_the_page(visit) -> None:
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url.partition("/api/v1/")[2].partition("?")[0]))
    opened(visit, "range=24h&charts=quality,rsrp,rsrq,sinr,rate,latency,loss,temperature")
    assert asked.count("series/batch") == 1
    assert "series" not in asked


@pytest.mark.parametrize("visit", [PHONE], indirect=True, ids=["phone"])
def test_two_fingers_zoom_and_one_finger_leaves_a_time_to_ask_about(visit) -> None:
    page = opened(visit, "range=1h&charts=rsrp,latency")
    canvas = page.locator(".remsim-canvas canvas").first
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    box = canvas.bounding_box()
    assert box
    devtools = page.context.new_cdp_session(page)

    def touch(kind: str, *fingers: float) -> None:
        points = [{"x": x, "y": box["y"] + 70, "id": at} for at, x in enumerate(fingers)]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    middle = box["x"] + 200
    touch("touchStart", middle - 30, middle + 30)
    for step in range(1, 7):
        touch("touchMove", middle - 30 - 10 * step, middle + 30 + 10 * step)
    touch("touchEnd")
    page.wait_for_function("() => location.hash.includes('from=')")
    assert 1100 <= span_s(page) <= 1300
    expect(page.get_by_role("toolbar", name="At the time pressed")).to_be_hidden()
    touch("touchStart", middle)
    touch("touchEnd")
    bar = page.get_by_role("toolbar", name="At the time pressed")
    expect(bar).to_be_visible()
    for button in bar.locator("button").all():
        place = button.bounding_box()
        assert place
        assert place["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("visit", [{}, DARK, PHONE], indirect=True, ids=["light", "dark", "phone"])
def test_axe_finds_nothing(visit) -> None:
    page = opened(visit, "range=24h&charts=quality,rsrp,rate,usage")
    page.get_by_text("Charts and colours").click()
    page.get_by_text("Values as a table").first.click()
    page.get_by_text("What does this mean?").first.click()
    press(page, 0.5)
    expect(page.get_by_role("toolbar", name="At the time pressed")).to_be_visible()
    assert axe(page) == []
    page.get_by_role("button", name="Add a note").first.click()
    assert axe(page) == []


def test_right_to_left_leaves_the_time_axis_as_it_is(visit) -> None:
    page = opened(visit)
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("getComputedStyle(document.querySelector('.remsim-canvas')).direction") == "ltr"
    band = page.locator(".remsim-band-row").first
    name, strip = (band.locator(one).bounding_box() for one in (".remsim-band-name", ".remsim-band"))
    assert name
    assert strip
    assert name["x"] < strip["x"]


def test_json_is_exported_with_the_same_parameters(visit) -> None:
    page = opened(visit, "range=6h&modems=modem2&charts=rsrp")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Export JSON").click()
    content = json.loads(Path(waiting.value.path()).read_text())
    assert {one["modem"] for one in content["series"]} == {"modem2"}
    assert {one["measure"] for one in content["series"]} == {"rsrp_dbm", "nr_rsrp_dbm"}
