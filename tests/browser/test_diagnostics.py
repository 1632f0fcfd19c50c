"""Diagnostics and About: what works, what fails and what to do about it, a text without identifiers."""

from __future__ import annotations

import re

import pytest
from accessibility import AXE
from playwright.sync_api import expect
from running import RunningService

LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
FAILED = re.compile("status of 503")  # Chromium's own words; the page says it in its own


def row(page, name: str):
    return page.locator(".remsim-checks li").filter(has=page.locator("b", has_text=re.compile(f"^{name}$")))


def test_a_healthy_service_is_said_to_work_with_its_figures(visit, service: RunningService) -> None:
    page = visit.open("/diagnostics")
    expect(page.locator(".remsim-verdict")).to_have_text("Everything works.")
    expect(row(page, "Live data")).to_contain_text("this page has the stream and shares it")
    expect(row(page, "Request and answer")).to_contain_text(re.compile(r"\d+ ms"))
    expect(row(page, "Service")).to_contain_text(re.compile(r"version .*, up .*\d+\sMB in memory, \d+ threads"))
    expect(row(page, "Live streams")).to_contain_text(f"served at 127.0.0.1:{service.port}")
    expect(page.locator(".remsim-part tbody tr")).to_have_count(3)
    text = page.get_by_label("Text for a report").input_value()
    assert "modem1: quectel" in text
    assert "browser, Live data: live" in text
    assert not re.search(r"\d{10}", text), "a long number could identify somebody"


def test_what_fails_is_said_with_what_to_do(visit, service: RunningService) -> None:
    page = visit.page
    facts = service.get("diagnostics")
    facts["clock"]["is_set"] = False
    facts["storage"][1] |= {"free_bytes": 1000, "total_bytes": 1_000_000}
    facts["problems"] = [{"code": "x", "message": "web.listen is wrong", "hint": "correct the file <b>now</b>"}]
    error = "<img src=x onerror=alert(1)>"
    facts["errors"] = [{"at": "2026-01-01T00:00:00.000Z", "source": "modem1", "message": error}]
    page.route("**/api/v1/diagnostics", lambda route: route.fulfill(json=facts))
    page = visit.open("/diagnostics")
    expect(page.locator(".remsim-verdict")).to_have_text("3 checks fail: see what to do beside each.")
    expect(row(page, "Clock of the router")).to_contain_text("Check the time servers")
    expect(row(page, "Space for settings and events")).to_contain_text("Nothing is kept when it is full.")
    expect(row(page, "Problem")).to_contain_text("correct the file <b>now</b>")
    expect(page.locator(".remsim-errors")).to_contain_text(error)


def test_a_page_that_polls_says_why(visit) -> None:
    page = visit.page
    page.route("**/api/v1/stream*", lambda route: route.abort())
    page = visit.open("/diagnostics")
    visit.complaints.clear()
    expect(row(page, "Live data")).to_contain_text("the stream cannot be reached from this browser")
    expect(row(page, "Live data")).to_contain_text("A firewall, a tunnel or a proxy is in between")
    why = page.locator(".remsim-linkstate a")
    expect(why).to_have_attribute("href", "/diagnostics")
    visit.complaints.clear()


def test_a_service_that_cannot_answer_is_said_and_asked_again(visit) -> None:
    page = visit.page
    problem = {"detail": "The disk is full.", "hint": "Free some space.", "code": "storage"}
    page.route("**/api/v1/diagnostics", lambda route: route.fulfill(status=503, json=problem))
    page = visit.open("/diagnostics")
    expect(row(page, "Service")).to_contain_text("The disk is full.Free some space.")
    page.unroute("**/api/v1/diagnostics")
    page.get_by_role("button", name="Check again").click()
    expect(page.locator(".remsim-verdict")).to_have_text("Everything works.")
    visit.complaints[:] = [told for told in visit.complaints if not FAILED.search(told)]


def test_about_names_versions_abilities_and_licences(visit, service: RunningService) -> None:
    page = visit.open("/about")
    about = service.get("about")
    expect(page.locator(".remsim-aboutfacts")).to_contain_text(about["version"])
    expect(page.locator(".remsim-abilities li")).to_have_count(len(about["capabilities"]))
    licence = page.get_by_role("link", name="MIT").get_attribute("href")
    assert "Chart.js Contributors" in page.request.get(f"{service.base}{licence}").text()


@pytest.mark.parametrize("visit", LOOKS.values(), ids=LOOKS, indirect=True)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(visit) -> None:
    for path, sign in (("/diagnostics", ".remsim-check-ok >> nth=0"), ("/about", ".remsim-abilities li >> nth=0")):
        page = visit.open(path)
        expect(page.locator(sign)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
