"""The Outputs page: one is added, tried, seen failing with the reason, changed and taken away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from accessibility import no_violations
from playwright.sync_api import Page, expect
from receivers import web_server
from running import RunningService

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
DARK = {"color_scheme": "dark"}


@pytest.fixture(autouse=True)
def no_outputs(service: RunningService) -> Iterator[None]:
    """The service is that of all pages."""
    yield
    for output in service.get("outputs")["outputs"]:
        service.request(f"outputs/{output['name']}", method="DELETE")


def opened(visit) -> Page:
    page: Page = visit.open("/outputs")
    expect(page.get_by_role("heading", name="Add an output")).to_be_visible()
    return page


def test_an_output_that_fails_says_why_and_what_waits_is_named(visit, service: RunningService) -> None:
    page = opened(visit)
    expect(page.get_by_text("Nothing is sent anywhere yet.")).to_be_visible()
    page.get_by_role("link", name="Add: InfluxDB").click()
    expect(page.get_by_role("heading", name="New output: InfluxDB")).to_be_focused()
    page.get_by_role("button", name="Add this output").click()
    expect(page.locator(".remsim-field-error:visible")).to_contain_text("Address")
    page.get_by_label("Address").fill("https://influx.invalid/api/v2/write?bucket=b")
    page.get_by_label("Access token", exact=True).fill("geheim")
    page.get_by_role("button", name="Add this output").click()
    row = page.locator("[data-output=influx]")
    expect(row).to_contain_text("InfluxDB")
    row.get_by_role("button", name="Test influx").click()
    expect(row.get_by_role("status")).to_contain_text("the name influx.invalid could not be resolved")
    row.get_by_role("link", name="influx").click()
    expect(page.get_by_text("Is set; left empty it stays as it is.").first).to_be_visible()
    expect(page.get_by_label("Access token", exact=True)).to_have_value("")
    page.get_by_label("Send every").fill("60")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="influx is saved.")).to_be_visible()
    assert service.get("outputs/influx")["interval_s"] == 60 and service.get("outputs/influx")["token"] == {"set": True}
    row.get_by_role("link", name="influx").click()
    page.get_by_role("button", name="Delete this output").click()
    page.get_by_role("button", name="Delete influx").click()
    expect(page.get_by_text("Nothing is sent anywhere yet.")).to_be_visible()


def test_an_output_that_works_says_how_many_values_were_taken(visit, service: RunningService) -> None:
    with web_server() as server:
        body = {"name": "tsdb", "type": "influx", "url": f"http://127.0.0.1:{server.port}/write", "allow_private": True}
        service.request("outputs", method="POST", body=body)
        page = opened(visit)
        row = page.locator("[data-output=tsdb]")
        expect(row).to_contain_text("last taken")
        row.get_by_role("button", name="Test tsdb").click()
        expect(row.get_by_role("status")).to_contain_text("values were taken")
        assert any("rsrp_dbm=" in request.body.decode() for request in server.got)


@pytest.mark.parametrize("visit", [{}, DARK, PHONE], ids=["light", "dark", "phone"], indirect=True)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(visit, service: RunningService) -> None:
    body = {"name": "long", "type": "influx", "url": f"https://{'a' * 60}.invalid/{'b' * 200}"}
    service.request("outputs", method="POST", body=body)
    page = opened(visit)
    for place in ("/outputs", "/outputs#output=long"):
        page.goto(service.base + place)
        expect(page.locator(".remsim-entry" if place == "/outputs" else ".remsim-editor").first).to_be_visible()
        no_violations(page)
