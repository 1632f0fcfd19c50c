"""The Access page and what it gives out, in a real browser: tokens, links, codes, and the log of what was done."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from typing import Any

import pytest
from accessibility import AXE
from playwright.sync_api import Browser, Page, expect
from running import RunningService

DARK = {"color_scheme": "dark"}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def opened(visit: Any) -> Page:
    page: Page = visit.open("/access")
    expect(page.get_by_role("heading", name="API tokens")).to_be_visible()
    return page


def status(service: RunningService, secret: str, path: str = "state") -> int:
    asked = urllib.request.Request(f"{service.base}/api/v1/{path}", headers={"Authorization": f"Bearer {secret}"})
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def make_token(page: Page, name: str, *rights: str) -> None:
    """Fill the form in, with these rights and no others."""
    page.get_by_text("A token for a program or a monitor").click()
    form = page.locator(".remsim-access-fold").first
    form.get_by_label("Name").fill(name)
    form.get_by_role("button", name="None of May").click()
    for right in rights:
        form.get_by_label(right).check()
    form.get_by_role("button", name="Make the token").click()
    expect(page.get_by_text(f"{name} is made.")).to_be_visible()


def line(page: Page, name: str):
    return page.locator("li.remsim-entry", has_text=name).first


def test_a_token_is_made_used_and_revoked(visit, service: RunningService) -> None:
    page = opened(visit)
    make_token(page, "Backup script", "See everything")
    expect(page.get_by_role("heading", name="The token Backup script")).to_be_focused()
    secret = page.get_by_label("Token", exact=True).input_value()
    assert status(service, secret) == 200 and status(service, secret, "tokens") == 403
    page.get_by_role("button", name="Done, hide it").click()
    expect(page.get_by_label("Token", exact=True)).to_have_count(0)
    page.reload()
    mine = line(page, "Backup script")
    expect(mine).to_contain_text("last used")
    assert secret not in page.content()
    mine.get_by_role("button", name="Revoke").click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("shut out at once")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("Backup script is revoked.")).to_be_visible()
    expect(line(page, "Backup script")).to_contain_text("revoked")
    assert status(service, secret) == 401
    expect(page.locator(".remsim-audit-row").first).to_contain_text("revoked token Backup script")


def test_a_mistake_stands_at_its_field_and_nothing_is_lost(visit) -> None:
    page = opened(visit)
    page.get_by_text("A token for a program or a monitor").click()
    form = page.locator(".remsim-access-fold").first
    form.get_by_label("Name").fill("<b>bold</b>")
    form.get_by_role("button", name="Make the token").click()
    expect(form.locator(".remsim-field-error:visible")).to_contain_text("begins with a letter or digit")
    expect(form.get_by_label("Name")).to_have_value("<b>bold</b>")
    expect(form.get_by_label("Name")).to_be_focused()


def test_a_monitor_opens_the_walls_link_at_each_boot_until_it_is_revoked(
    visit, browser: Browser, service: RunningService
) -> None:
    page = opened(visit)
    make_token(page, "Hall", "See the wall only")
    link = page.get_by_label("Link to the wall").input_value()
    complaints: list[str] = []
    for _boot in range(2):
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        screen = context.new_page()
        screen.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        screen.goto(link)
        expect(screen).to_have_url(f"{service.base}/wall")
        expect(screen.locator("main")).to_contain_text(re.compile("modem1.*dBm"))
        screen.wait_for_timeout(500)
        assert complaints == [], "the wall asks for nothing that its token does not open"
        refused = context.request.get(f"{service.base}/api/v1/modems")
        assert refused.status == 403
        if _boot == 0:
            context.close()
    line(page, "Hall").get_by_role("button", name="Revoke").click()
    page.locator("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("Hall is revoked.")).to_be_visible()
    expect(screen.get_by_text("not logged in any more")).to_be_visible(timeout=15_000)
    screen.goto(link)
    expect(screen.get_by_text("not right, or not any more")).to_be_visible()
    context.close()


def test_a_link_with_fewer_rights_lets_a_guest_look_and_he_is_told_what_he_may_not(
    visit, browser: Browser, service: RunningService
) -> None:
    page = opened(visit)
    page.get_by_text("A link for a browser").click()
    form = page.locator(".remsim-access-fold").nth(1)
    form.get_by_role("button", name="None of May").click()
    form.get_by_label("See everything").check()
    form.get_by_role("button", name="Make the link").click()
    link = page.get_by_label("Web address", exact=True).input_value()
    context = browser.new_context()
    guest = context.new_page()
    guest.goto(link)
    guest.goto(f"{service.base}/access")
    expect(guest.get_by_text("This login may not see who may get in.")).to_be_visible()
    expect(guest.get_by_role("heading", name="API tokens")).to_be_hidden()
    page.reload()
    other = page.locator("li.remsim-entry", has_text="browser of local").filter(has_not_text="this browser").first
    other.get_by_role("button", name="Log out").click()
    page.locator("dialog").get_by_role("button", name="Log out").click()
    expect(page.get_by_text("is logged out.")).to_be_visible()
    context.close()


def test_a_code_pairs_an_app_that_can_be_logged_out(visit, service: RunningService) -> None:
    page = opened(visit)
    page.get_by_text("A code for an app").click()
    page.locator(".remsim-access-fold").nth(2).get_by_role("button", name="Make the code").click()
    ticket = page.get_by_label("Code", exact=True).input_value()
    assert page.get_by_label("Address of the router").input_value() == f"{service.base}/"
    body = json.dumps({"ticket": ticket, "device": "Anna's phone"}).encode()
    asked = urllib.request.Request(f"{service.base}/api/v1/auth/pair", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        access = json.load(answer)["access"]
    assert status(service, access) == 200
    page.reload()
    line(page, "Anna's phone").get_by_role("button", name="Log out").click()
    page.locator("dialog").get_by_role("button", name="Log out").click()
    expect(page.get_by_text("Anna's phone is logged out.")).to_be_visible()
    assert status(service, access) == 401


def test_the_log_is_filtered_and_goes_back_in_time(visit, service: RunningService) -> None:
    for number in range(32):
        service.request("modems/modem1", method="PATCH", body={"period_s": 1})
        if number % 8 == 0:
            service.request("modems/nothing", method="PATCH", body={"period_s": 1})
    page = opened(visit)
    rows = page.locator(".remsim-audit-row")
    expect(rows).to_have_count(30)
    page.get_by_role("button", name="Older").click()
    expect(rows.nth(30)).to_be_focused()
    page.get_by_label("Only what failed or was refused").check()
    expect(rows.first).to_contain_text("failed: not_found")
    page.get_by_label("Only entries with this text").fill("nothing at all")
    expect(page.get_by_text("Nothing fits.")).to_be_visible()
    assert "text=nothing+at+all" in (page.get_by_role("link", name="CSV").get_attribute("href") or "")


@pytest.mark.parametrize("visit", [{}, DARK, PHONE], indirect=True, ids=["light", "dark", "phone"])
def test_the_page_is_accessible_and_fits(visit) -> None:
    page = opened(visit)
    for fold in page.locator(".remsim-access-fold > summary").all():
        fold.click()
    expect(page.locator(".remsim-audit-row").first).to_be_visible()
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
