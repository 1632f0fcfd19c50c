"""The Policies page: written, put right, asked about, put in force for a trial, kept or undone; moved by keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from accessibility import no_violations
from playwright.sync_api import Page, expect
from room_fake import FIBRE, FakeRoom, link
from running import RunningService

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DARK = {"color_scheme": "dark"}
TEXT = """\
# calls first
policy voip {
  match: protocol RTP, port 5060-5090
  route: prefer_connection(highest_uptime)
  priority: high
}

policy video {
  match: port 443, SNI *.example.com
  route: connection "fibre"
}

policy rest {
  match: all
  route: balance(adaptive)
}
"""


def opened(visit: Any, room: FakeRoom, tab: str = "list") -> Page:
    room.serve(visit.page)
    page: Page = visit.open(f"/policies#tab={tab}")
    return page


@pytest.fixture
def as_before(service: RunningService) -> Iterator[RunningService]:
    """The other tests of this service find no policy."""
    yield service
    service.request("policies", method="PUT", body={"text": ""})


def test_policies_are_written_put_right_asked_about_tried_and_taken_back(visit: Any, as_before: RunningService) -> None:
    page: Page = visit.open("/policies")
    page.get_by_role("link", name="Write one").click()
    field = page.get_by_role("textbox", name="Text of the policies")
    field.fill('policy video {\n  match: port 443, SNI *.example.com\n  route: connexion "wan2"\n}\n')
    wrong = page.get_by_role("button", name="Line 3, column 10")
    expect(wrong).to_contain_text("prefer_connection")
    apply = page.get_by_role("button", name="Put in force")
    expect(apply).to_be_disabled()
    field.fill(field.input_value().replace("connexion", "connection"))
    expect(apply).to_be_enabled()

    question = page.get_by_role("region", name="Which link?")
    question.get_by_label("To", exact=True).fill("https://www.example.com/watch")
    question.get_by_role("button", name="Which link?").click()
    expect(question.get_by_role("status")).to_contain_text("→ wan2 by the policy video")
    expect(question.get_by_role("list", name="The policies it passed")).to_contain_text("its name is www.example.com")
    expect(question).to_contain_text("it holds from the next flow on")
    question.get_by_label("From").fill("nobody")
    question.get_by_role("button", name="Which link?").click()
    expect(question.get_by_role("alert")).to_contain_text("is no address")
    expect(question.get_by_role("status")).to_be_empty()
    visit.complaints.clear()  # the browser's own word for the 422

    apply.click()
    banner = page.get_by_role("region", name="Change to be confirmed")
    expect(banner).to_contain_text("unless they are kept")
    page.reload()
    banner.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("status").filter(has_text="The new policies are kept.")).to_be_visible()
    assert as_before.get("policies")["pending"] is None
    expect(field).to_have_value(re.compile("connection"))
    field.fill("policy none { match: all route: block }")
    apply.click()
    banner.get_by_role("button", name="Undo now").click()
    expect(page.get_by_role("status").filter(has_text="The policies are as they were.")).to_be_visible()
    expect(field).to_have_value(re.compile("connection"))

    page.get_by_role("link", name="Policies", exact=True).last.click()
    row = page.locator(".remsim-policyrow")
    expect(row).to_contain_text("port 443, SNI *.example.com")
    expect(row).to_contain_text("asked now")
    page.get_by_role("link", name="Versions").click()
    rest = page.locator("[data-version]", has_text="in use")
    expect(rest).to_have_count(1)
    older = page.locator("[data-version]").nth(1)
    older.get_by_role("button", name="What it changes").click()
    expect(older.locator(".remsim-diff")).to_contain_text("+ policy none { match: all route: block }")
    older.get_by_role("button", name="Roll back to this").click()
    page.locator("dialog").get_by_role("button", name="Roll back").click()
    expect(page.get_by_role("status").filter(has_text="Rolled back to version")).to_be_visible()
    assert as_before.get("policies")["policies"][0]["name"] == "none"


def test_a_policy_is_moved_by_keys_and_its_text_with_it(visit: Any) -> None:
    room = FakeRoom([link(1, FIBRE)], TEXT)
    page = opened(visit, room)
    page.get_by_role("button", name="video, place 2").press("ArrowDown")
    expect(page.get_by_role("button", name="video, place 3")).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="The order is in force.")).to_be_visible()
    method, path, body = room.asked[-1]
    assert (method, path, body["confirm_s"]) == ("PUT", "policies", 90)
    assert body["text"].index("policy rest") < body["text"].index("policy video")
    assert body["text"].startswith("# calls first\npolicy voip {")
    page.get_by_role("button", name="voip, place 1").press("End")
    expect(page.get_by_role("alert").filter(has_text="voip stays where it is")).to_be_visible()


def test_words_are_offered_and_an_error_is_named_at_its_place(visit: Any) -> None:
    page = opened(visit, FakeRoom([link(1, FIBRE)], TEXT), "text")
    field = page.get_by_role("textbox", name="Text of the policies")
    expect(page.locator(".remsim-code-declaration").first).to_have_text("policy")
    field.focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("\npolicy kids {\nmatch: link fib")
    option = page.get_by_role("option", name="fibre")
    expect(option).to_be_visible()
    no_violations(page)
    page.keyboard.press("Tab")
    page.keyboard.type(" is up\nrout: any\n}\n")
    assert field.input_value().endswith("\n\npolicy kids {\n  match: link fibre is up\n  rout: any\n}\n")
    wrong = page.get_by_role("button", name="begins no statement")
    expect(wrong).to_be_visible()
    expect(page.get_by_role("button", name="Put in force")).to_be_disabled()
    page.keyboard.press("Control+Home")
    wrong.click()
    expect(field).to_be_focused()
    assert field.evaluate("one => one.value.slice(one.selectionStart, one.selectionStart + 4)") == "rout"
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.type("e")
    expect(page.get_by_role("button", name="Put in force")).to_be_enabled()


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_on_a_phone_an_answer_comes_into_sight(visit: Any) -> None:
    page = opened(visit, FakeRoom([link(1, FIBRE)], TEXT))
    question = page.get_by_role("region", name="Which link?")
    question.get_by_label("To", exact=True).fill("www.example.com")
    question.get_by_role("button", name="Which link?").tap()
    expect(question.get_by_role("status").locator(".remsim-explained-link")).to_be_in_viewport()


@pytest.mark.parametrize("visit", [{}, DARK, PHONE], ids=["light", "dark", "phone"], indirect=True)
def test_axe_finds_nothing(visit: Any) -> None:
    room = FakeRoom([link(1, FIBRE)], TEXT)
    room.matching = [
        {"rung": "dnsmasq", "is_on": True, "is_there": True, "package": None, "cost": "nothing", "named": 3},
        {"rung": "ndpi", "is_on": False, "is_there": False, "package": "libndpi", "cost": "6 MB", "named": None},
    ]
    page = opened(visit, room)
    expect(page.locator(".remsim-policyrow")).to_have_count(3)
    no_violations(page)
    for tab, shown in (("text", "Put in force"), ("versions", "There is none yet."), ("names", "libndpi")):
        page.goto(f"{visit.service.base}/policies#tab={tab}")
        expect(page.get_by_text(shown)).to_be_visible()
        no_violations(page)


def test_a_list_of_countries_is_shown_with_what_its_licence_asks_for(
    visit: Any, service: RunningService, tmp_path: Path
) -> None:
    listed = tmp_path / "countries.csv"
    listed.write_text("192.0.2.0,192.0.2.255,DE\n198.51.100.0/24,FR\n")
    page: Page = visit.open("/policies#tab=names")
    panel = page.get_by_role("region", name="Countries")
    expect(panel).to_contain_text("remsim brings none along")
    bring = panel.get_by_role("button", name="Import")
    bring.click()
    expect(panel.get_by_role("alert")).to_have_text("Choose the file of the list first.")
    panel.get_by_label("A list of addresses by country").set_input_files(listed)
    panel.get_by_label("Where it is from").fill("a vendor’s list")
    panel.get_by_label("Attribution").fill("Addresses by A Vendor, CC BY 4.0")
    panel.get_by_label("Date").fill("2026-11-01")
    bring.click()
    expect(panel.get_by_role("status")).to_have_text("✓ 2 countries were read.")
    for told in ("2 countries", "a vendor’s list", "2026-11-01", "Addresses by A Vendor, CC BY 4.0"):
        expect(panel).to_contain_text(told)
    panel.get_by_role("button", name="Delete the list").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(panel).to_contain_text("remsim brings none along")
