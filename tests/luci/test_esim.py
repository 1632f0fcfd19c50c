"""The eSIM page in LuCI: codes are read and drawn by files beside its modules, and checked through the relay."""

from __future__ import annotations

import re
from collections.abc import Callable

from esim_fake import png_of, qr_rows
from luci.visit import Visit
from playwright.sync_api import expect

PATH = "admin/services/remsim/esim"
PICTURE = "input[type=file][aria-label='Choose a picture']"


def test_a_picture_is_read_and_a_kept_code_drawn(visit: Callable[..., Visit]) -> None:
    page = visit().open(f"{PATH}#tab=codes")
    kept = page.locator("[data-code]", has_text="5 GB for travel")
    kept.get_by_role("button", name=re.compile("Show the QR code")).click(timeout=15_000)
    expect(page.locator("dialog svg.remsim-esim-qr")).to_be_visible()
    text = page.locator("dialog textarea").input_value()
    page.locator("dialog").get_by_role("button", name="Close").click()
    picture = {"name": "code.png", "mimeType": "image/png", "buffer": png_of(qr_rows(page, text))}
    page.get_by_role("link", name="Cards", exact=True).click()
    page.locator("[data-holder=modem1]").get_by_role("link", name="Add a profile").click()
    page.locator(PICTURE).set_input_files(picture)
    wish = page.get_by_role("form", name="What the code says")
    expect(wish).to_contain_text("smdpplus.example.com", timeout=15_000)
    expect(wish.get_by_role("button", name="Ask the operator for the profile")).to_be_visible()


def test_who_may_only_look_sees_cards_and_codes_but_nothing_to_press(visit: Callable[..., Visit]) -> None:
    page = visit(write=False).open(PATH)
    expect(page.locator("[data-holder=modem1]")).to_be_visible(timeout=15_000)
    expect(page.locator(".remsim-esimcard").get_by_role("link", name="Add a profile")).to_have_count(0)
    expect(page.locator(".remsim-esimcard").get_by_role("button")).to_have_count(0)
    page.get_by_role("link", name="Codes", exact=True).click()
    expect(page.locator("[data-code]").first).to_be_visible()
    expect(page.locator(".remsim-esim-codes").get_by_role("button")).to_have_count(0)
