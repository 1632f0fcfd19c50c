"""People arrange the dashboard: by mouse, by keys, on a phone; they keep it, take it along and give it to a wall."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from accessibility import AXE
from playwright.sync_api import Page, expect

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DARK = {"color_scheme": "dark", "reduced_motion": "reduce"}
NAMES = ("mine", "default", "hall")


@pytest.fixture(autouse=True)
def as_it_came(visit) -> Iterator[None]:
    """No test sees another one's layouts."""
    visit.page.set_default_timeout(15_000)
    yield
    for name in NAMES:
        visit.page.request.delete(f"{visit.service.base}/api/v1/layouts/{name}", headers={"Origin": visit.service.base})


def arrange(page: Page) -> None:
    expect(page.locator(".remsim-card").first).to_be_visible()
    page.get_by_role("button", name="Arrange").click()
    expect(page.get_by_role("button", name="Save …")).to_be_visible()


def add(page: Page, name: str, **inputs: str) -> None:
    page.get_by_role("button", name="Add widget …").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile(f"^{name}")).click()
    dialog = page.get_by_role("dialog", name=re.compile("^Settings"))
    if inputs or dialog.is_visible():
        for label, value in inputs.items():
            box = dialog.get_by_label(label, exact=True)
            if box.evaluate("node => node.tagName") == "SELECT":
                box.select_option(label=value)
            else:
                box.fill(value)
        dialog.get_by_role("button", name="Apply").click()


def save(page: Page, choice: str = "For me", name: str | None = None) -> None:
    page.get_by_role("button", name="Save …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name=re.compile(choice)).check()
    if name is not None:
        dialog.get_by_label("Name", exact=True).fill(name)
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Arrange")).to_be_visible()


def widget(page: Page, title: str):
    return page.locator(".remsim-editcell").filter(
        has=page.locator(".remsim-editname", has_text=re.compile(f"^{title}$"))
    )


def place(page: Page, title: str) -> list[int]:
    names = "['x', 'y', 'w', 'h'].map(name => Number(node.style.getPropertyValue(`--remsim-${name}`)))"
    return widget(page, title).evaluate(f"node => {names}")


def drag(page: Page, title: str, dx: float, dy: float, corner: bool = False) -> None:
    target = widget(page, title).locator(".remsim-corner" if corner else ".remsim-editname")
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 8 + dx / 2, box["y"] + 8 + dy / 2, steps=3)
    page.mouse.move(box["x"] + 8 + dx, box["y"] + 8 + dy, steps=3)
    page.mouse.up()


def test_a_dashboard_is_arranged_by_mouse_and_keys_saved_and_found_again(visit) -> None:
    page = visit.open()
    arrange(page)
    add(page, "Notes", Title="To do", Text="<b>call</b>\nthe carrier")
    add(page, "Chart", **{"What it shows": "Quality", "Period": "6h"})
    column = page.locator(".remsim-editboard").evaluate("node => (node.clientWidth + 12) / 12")

    assert place(page, "RSRP")[0] == 0
    drag(page, "RSRP", 6 * column, 0)
    assert place(page, "RSRP")[:2] == [6, 10]
    drag(page, "RSRP", -2 * column, 36 * 2, corner=True)
    assert place(page, "RSRP") == [6, 10, 4, 11]

    widget(page, "To do").focus()
    page.keyboard.press("Shift+ArrowRight")
    assert place(page, "To do")[2] == 5
    before = place(page, "To do")[1]
    page.keyboard.press("ArrowUp")
    assert place(page, "To do")[1] < before
    expect(page.locator(".remsim-editor > .remsim-said")).to_have_text(
        re.compile(r"^To do: column 1, row \d+, 5 wide, 4 high$")
    )
    expect(widget(page, "To do")).to_be_focused()

    widget(page, "Loss").focus()
    page.keyboard.press("Delete")
    expect(widget(page, "Loss")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(widget(page, "Loss")).to_have_count(1)
    widget(page, "Loss").focus()
    page.keyboard.press("Delete")
    expect(page.locator(".remsim-editor > .remsim-said")).to_have_text("Loss is removed. Undo brings it back.")

    kept = {title: place(page, title) for title in ("RSRP", "To do", "Quality", "Events")}
    save(page)
    expect(page.get_by_role("region", name="To do")).to_contain_text("<b>call</b>")
    page.reload()
    expect(page.get_by_role("region", name="To do")).to_contain_text("the carrier")
    expect(page.get_by_role("region", name="Loss")).to_have_count(0)
    arrange(page)
    assert {title: place(page, title) for title in kept} == kept
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("region", name="RSRP", exact=True).locator("canvas")).to_be_visible()


def test_a_layout_is_taken_along_as_a_file_and_as_text_and_a_wrong_one_is_refused_with_its_place(visit) -> None:
    page = visit.open()
    arrange(page)
    add(page, "Clock")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export").click()
    path = Path(waiting.value.path())
    layout = json.loads(path.read_text())
    assert layout["version"] == 1 and layout["pages"][0]["widgets"][-1]["type"] == "clock"
    page.get_by_role("button", name="Cancel").click()

    arrange(page)
    page.get_by_role("button", name="Import …").click()
    dialog = page.get_by_role("dialog", name="Import a layout")
    told = dialog.get_by_role("alert")
    for text, said in (
        ('{"version": 1,\n "pages": oh}', "line 2, column"),
        (json.dumps(layout | {"version": 9}), "version 9"),
        (json.dumps({"version": 1, "pages": [{"widgets": [layout["pages"][0]["widgets"][0] | {"type": "radar"}]}]}),
         "pages.0.widgets.0.type: 'radar' is no widget"),
    ):  # fmt: skip
        dialog.get_by_label("or its text").fill(text)
        dialog.get_by_role("button", name="Show it").click()
        expect(told).to_contain_text(said)
    visit.complaints.clear()  # the browser's own word for each 422
    dialog.get_by_label("File").set_input_files(
        {"name": "l.json", "mimeType": "application/json", "buffer": path.read_bytes()}
    )
    expect(dialog.get_by_label("or its text")).to_have_value(re.compile("clock"))
    dialog.get_by_role("button", name="Show it").click()
    expect(widget(page, "Clock")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("region", name="Clock")).to_have_count(0)


def test_a_saved_layout_has_pages_and_is_for_everybody_until_it_is_deleted(visit) -> None:
    page = visit.open()
    arrange(page)
    page.get_by_role("button", name="Add page").click()
    page.get_by_label("Title of this page").fill("Radio")
    page.get_by_label("Title of this page").press("Tab")
    expect(page.get_by_text("This page is empty. Add a widget.")).to_be_visible()
    for name in ("Cells", "Connection quality", "SIM cards", "Data used", "Alerts", "Signal, large"):
        add(page, name)
    save(page, "For everybody")
    expect(page.locator(".remsim-cellmap svg").first).to_be_visible()
    expect(page.get_by_role("region", name="SIM cards")).to_contain_text("slot 1")
    expect(page.get_by_role("region", name="Data used")).to_contain_text(re.compile(r"\d\s[MG]B"))
    expect(page.get_by_role("region", name="Connection quality")).to_contain_text(re.compile(r"\d+\s%"))
    expect(page.get_by_role("region", name="Signal, large").locator("article")).to_have_count(3)
    page.get_by_role("button", name="Page 1").click()
    expect(page.locator(".remsim-card")).to_have_count(3)
    page.reload()
    expect(page.get_by_role("button", name="Radio")).to_be_visible()
    arrange(page)
    page.get_by_role("button", name="Layouts …").click()
    dialog = page.get_by_role("dialog", name="Layouts")
    dialog.get_by_role("button", name="Delete default").click()
    dialog.get_by_role("button", name="Delete default").click()
    expect(dialog.get_by_role("button", name="Delete default")).to_have_count(0)


@pytest.mark.parametrize("visit", [PHONE], indirect=True, ids=["phone"])
def test_on_a_phone_widgets_change_their_order_by_a_tap(visit) -> None:
    page = visit.open()
    arrange(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    order = "[...document.querySelectorAll('.remsim-editname')].map(one => one.textContent).slice(0, 3)"
    assert page.evaluate(order) == ["Modem cards", "RSRP", "Throughput"]
    page.get_by_role("button", name="Throughput further up").tap()
    assert page.evaluate(order) == ["Modem cards", "Throughput", "RSRP"]
    for button in page.locator(".remsim-editbar button, .remsim-edithead button:visible").all()[:20]:
        box = button.bounding_box()
        assert box
        assert box["height"] >= 44
    save(page)
    titles = "[...document.querySelectorAll('.remsim-cell-chart h3')].map(one => one.textContent.split(' ')[0])"
    page.wait_for_function(f"() => {titles}[0] === 'Throughput'")


@pytest.mark.parametrize("visit", [{}, DARK, PHONE], indirect=True, ids=["light", "dark", "phone"])
def test_axe_finds_nothing_while_it_is_arranged(visit) -> None:
    page = visit.open()
    arrange(page)
    for name in ("Cells", "Notes", "Clock", "Connection quality", "SIM cards", "Data used", "Alerts", "Signal, large"):
        add(page, name)
    page.evaluate(AXE.read_text())
    assert faults(page) == []
    widget(page, "RSRP").get_by_role("button", name="Settings: RSRP").click()
    assert faults(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    save(page)
    expect(page.locator(".remsim-clock")).to_be_visible()
    page.get_by_role("region", name="Cells").scroll_into_view_if_needed()
    expect(page.locator(".remsim-cellmap svg").first).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name="Wall …").click()
    expect(page.get_by_role("dialog", name="Wall").get_by_label("Its name")).to_be_visible()
    assert faults(page) == []


def faults(page: Page) -> list:
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (one["id"], [node["target"] for node in one["nodes"]][:3], one["nodes"][0]["failureSummary"][:300])
        for one in result["violations"]
    ]


def test_a_layout_that_a_newer_remsim_wrote_is_told_and_the_pages_own_is_shown(visit) -> None:
    folder = visit.service.state / "layouts"
    folder.mkdir(exist_ok=True)
    (folder / "default.json").write_text('{"version": 5}')
    page = visit.open()
    expect(page.get_by_text(re.compile("this layout is of version 5"))).to_be_visible()
    expect(page.locator(".remsim-card")).to_have_count(3)
    visit.complaints.clear()  # the browser's own word for the 409
    (folder / "default.json").unlink()
