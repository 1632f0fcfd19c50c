"""Settings on the service's own page: looked at before they are made, taken back, brought in and out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from accessibility import AXE
from playwright.sync_api import Locator, Page, expect
from running import RunningService

PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
DARK = {"color_scheme": "dark"}
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def as_before(service: RunningService) -> Iterator[None]:
    """The other tests of this service find its settings as they were."""
    document = service.get("config/export")
    yield
    document.pop("exported_at")
    assert service.request("config/import", method="POST", body=document)[0] == 200


def opened(visit) -> Page:
    page: Page = visit.open("/settings")
    expect(page.get_by_label("Keep events for")).to_be_visible()
    return page


def review(page: Page) -> Locator:
    page.get_by_role("button", name="Review changes").click()
    shown = page.get_by_role("region", name="What will change")
    expect(shown).to_be_visible()
    return shown


def test_a_change_is_looked_at_saved_named_while_it_waits_and_taken_back(visit, service: RunningService) -> None:
    page = opened(visit)
    page.get_by_label("Keep events for").fill("30")
    page.get_by_label("Ask each modem every").fill("2")
    expect(page.get_by_text("2 sections changed")).to_be_visible()
    shown = review(page)
    expect(shown.get_by_role("row", name="History: Keep events for not set 30")).to_be_visible()
    expect(shown).to_contain_text("after a restart of the service only: History: Keep events for")
    assert service.get("config/history/history")["values"] == {}
    shown.get_by_role("button", name="Save only").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    expect(page.get_by_role("region", name="Restart")).to_contain_text("History: Keep events for")
    assert service.get("config/history/history")["values"] == {"events_days": 30}
    assert service.get("state")["period_s"] == 2.0

    page.get_by_text("Earlier versions").click()
    newest = page.locator(".remsim-versions li").first
    expect(newest).to_contain_text("in use")
    expect(newest).to_contain_text("history.events_days: 30")
    before = page.locator(".remsim-versions li").nth(1)
    before.get_by_role("button", name="What a rollback changes").click()
    expect(before.get_by_role("row", name="History: Keep events for 30 not set")).to_be_visible()
    before.get_by_role("button", name="Roll back to this").click()
    page.locator("dialog").get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("Rolled back.")).to_be_visible()
    expect(page.get_by_label("Keep events for")).to_have_value("400")
    expect(page.get_by_role("region", name="Restart")).to_be_hidden()


def test_what_is_refused_is_told_at_its_field(visit, service: RunningService) -> None:
    page = opened(visit)
    page.get_by_label("Keep events for").fill("99999")
    page.get_by_role("button", name="Review changes").click()
    expect(page.get_by_text("Keep events for is not a whole number from 1 to 3650.")).to_be_visible()
    expect(page.get_by_label("Keep events for")).to_be_focused()
    page.get_by_role("button", name="Discard changes").click()
    expect(page.get_by_label("Keep events for")).to_have_value("400")

    page.locator("[data-section='web'] summary").click()
    page.get_by_label("Threads").fill("8")
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator("[data-section='web']")).to_contain_text("must be below threads (8)")
    visit.complaints.clear()  # Chromium's own words about the refusal


def test_an_address_that_may_cut_this_browser_off_is_said_so(visit) -> None:
    page = opened(visit)
    page.get_by_label("Listen on").fill("0.0.0.0:8090")
    shown = review(page)
    expect(shown).to_contain_text("This page may be cut off")
    expect(shown).to_contain_text("/etc/init.d/remsim-console restart")
    shown.get_by_role("button", name="Back").click()
    expect(page.get_by_label("Listen on")).to_have_value("0.0.0.0:8090")
    page.get_by_role("button", name="Discard changes").click()


def test_who_is_second_is_told(visit, service: RunningService) -> None:
    page = opened(visit)
    page.get_by_label("Keep events for").fill("30")
    shown = review(page)
    service.request("config/history/history", method="PUT", body={"events_mb": 32})
    shown.get_by_role("button", name="Save only").click()
    expect(shown.get_by_role("alert")).to_contain_text("Somebody else has changed the settings")
    assert service.get("config/history/history")["values"] == {"events_mb": 32}
    visit.complaints.clear()


def test_a_modem_is_given_settings_and_they_are_removed_again(visit, service: RunningService) -> None:
    page = opened(visit)
    panel = page.locator("[data-section='modem']")
    panel.get_by_role("button", name="Add settings for a modem").click()
    new = panel.locator("details.remsim-action").last
    new.get_by_label("Place").fill("2-1.4")
    new.get_by_label("Name after a restart").fill(HOSTILE)
    shown = review(page)
    expect(shown).to_contain_text(HOSTILE)
    shown.get_by_role("button", name="Save only").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    fold = panel.locator("details.remsim-action", has_text="2-1.4")
    expect(fold.locator("summary").first).to_contain_text(HOSTILE)
    assert page.locator("img").count() == 0
    assert service.get("config?types=modem")["sections"][-1]["values"] == {"usb_path": "2-1.4", "name": HOSTILE}
    fold.locator("summary").first.click()
    fold.get_by_role("button", name="Remove these settings").click()
    expect(fold).to_contain_text("will be removed")
    review(page).get_by_role("button", name="Save").first.click()
    expect(fold).to_have_count(0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not json", "This file is not JSON"),
        ('{"sections": [], "version": 99}', "version: is not 1"),
        ('{"sections": [{"type": "web", "values": {"threads": 1}}]}', "is not a whole number from 4 to 2048"),
        (json.dumps({"sections": [{"type": HOSTILE}]}), "is of no known type"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(visit, service: RunningService, text: str, told: str) -> None:
    page = opened(visit)
    before = service.get("config")["etag"]
    upload(page, text)
    expect(page.get_by_role("region", name="Export and import")).to_contain_text(told)
    assert service.get("config")["etag"] == before
    visit.complaints.clear()


def upload(page: Page, text: str) -> None:
    file = {"name": "settings.json", "mimeType": "application/json", "buffer": text.encode()}
    page.get_by_label("A file with settings").set_input_files(file)


def test_an_export_goes_into_another_router(visit, service: RunningService) -> None:
    page = opened(visit)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    document = json.loads(Path(download.value.path()).read_text())
    assert download.value.suggested_filename == "remsim-config.json"
    history = next(one for one in document["sections"] if one["type"] == "history")
    history["values"]["events_mb"] = 64
    upload(page, json.dumps(document))
    shown = page.get_by_role("region", name="What will change")
    expect(shown.get_by_role("row", name="History: Their file may grow to not set 64")).to_be_visible()
    shown.get_by_role("button", name="Save only").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    assert service.get("config/history/history")["values"] == {"events_mb": 64}


def test_all_of_it_by_keyboard(visit, service: RunningService) -> None:
    page = opened(visit)
    page.get_by_label("Keep events for").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("31")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What will change")).to_be_focused()
    page.get_by_role("button", name="Save only").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    assert service.get("config/history/history")["values"] == {"events_days": 31}


@pytest.mark.parametrize("visit", [{}, DARK, PHONE], indirect=True, ids=["light", "dark", "phone"])
def test_axe_finds_nothing(visit) -> None:
    page = opened(visit)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    expect(page.locator(".remsim-versions li").first).to_be_visible()
    page.evaluate(AXE.read_text())
    found = violations(page)
    page.get_by_label("Keep events for").fill("30")
    review(page)
    found += violations(page)
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    if page.viewport_size["width"] < 400:
        small = page.evaluate(
            """[...document.querySelectorAll('button, select, summary, .remsim-check, input[type=text]')]
                .filter(one => one.offsetParent && one.getBoundingClientRect().height < 44).map(one => one.outerHTML)"""
        )
        assert small == []
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="Discard changes").click()


def violations(page: Page) -> list[tuple[str, str]]:
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [(one["id"], one["nodes"][0]["failureSummary"][:300]) for one in result["violations"]]
