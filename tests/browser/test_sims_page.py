"""The SIMs page: which card serves which modem, what it carried, and cards of banks given to modems."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from accessibility import AXE
from playwright.sync_api import Locator, Page, expect
from remote_fake import FakeRemoteSim, client
from running import RunningService

DARK = {"color_scheme": "dark"}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
HOSTILE = "<img src=x onerror=document.title='run'>"


@pytest.fixture
def fake(visit: Any) -> Iterator[FakeRemoteSim]:
    made = FakeRemoteSim()
    made.serve(visit.page)
    yield made
    visit.page.unroute_all(behavior="ignoreErrors")


@pytest.fixture
def no_plans(service: RunningService) -> Iterator[None]:
    """What was planned for a SIM is taken back."""
    yield
    for section in service.get("config?types=sim")["sections"]:
        service.request(f"config/sim/{section['name']}", method="DELETE")


def opened(visit: Any) -> Page:
    page: Page = visit.open("/sims")
    expect(page.locator(".remsim-pair").first).to_be_visible()
    return page


def pair(page: Page, modem: str) -> Locator:
    return page.get_by_role("article", name=modem, exact=True)


def test_each_modem_stands_with_the_cards_that_serve_it_or_could(visit: Any, fake: FakeRemoteSim) -> None:
    page = opened(visit)
    expect(page.get_by_text("2 online by a local SIM, 1 by a remote one")).to_be_visible()
    remote = pair(page, "modem1").get_by_role("region", name=re.compile("^Remote SIM: SIM …"))
    expect(remote).to_contain_text(re.compile("serves this modem, since"))
    expect(remote).to_contain_text("bank 1, slot 2")
    expect(remote).to_contain_text("in this billing cycle")
    expect(pair(page, "modem1").get_by_role("region", name="Local SIM: Local SIM")).to_contain_text("not in use")
    lost = pair(page, "modem2").get_by_role("region", name="Remote SIM: bank 1, slot 3")
    expect(lost).to_contain_text("not in use")
    expect(lost).to_contain_text("bankd answers, but slot 3 holds no card")
    local = pair(page, "modem2").get_by_role("region", name=re.compile("^Local SIM"))
    expect(local).to_contain_text("serves this modem")
    expect(pair(page, "modem3").get_by_role("region")).to_have_count(1)
    fake.view["clients"].append(client("7:0", "unassigned", name="client3", modem="modem3"))
    page.reload()
    none = pair(page, "modem3").get_by_role("region", name="Remote SIM: No card of a bank")
    expect(none).to_be_visible()
    expect(pair(page, "modem3").get_by_role("link", name="set a cap")).to_have_attribute("href", re.compile("usage$"))


def test_a_cap_stands_at_its_card(visit: Any, service: RunningService, no_plans: None, fake: FakeRemoteSim) -> None:
    fake.view |= {"servers": [], "server": {"reachable": None}, "banks": [], "clients": [], "slotmaps": []}
    sim = service.get("modems/modem3")["sim"]
    body = {"name": "<b>Office</b>", "cap_gb": 1000, "price_cycle": 12.5, "currency": "EUR"}
    assert service.request(f"config/sim/{sim.replace('-', '_')}", method="PUT", body=body)[0] == 200
    page = opened(visit)
    card = pair(page, "modem3").get_by_role("region", name="Local SIM: <b>Office</b>")
    expect(card).to_contain_text(re.compile("of (1000\\sGB|1.0\\sTB) in this billing cycle"))
    expect(card).to_contain_text(re.compile("· 12.50\\sEUR"))
    expect(card.get_by_label("Used of the cap")).to_be_visible()
    expect(page.get_by_text("No remote SIM is set up.")).to_be_visible()
    expect(page.get_by_role("region", name="Cards in banks")).to_have_count(0)


def test_a_card_is_dragged_to_a_modem(visit: Any, fake: FakeRemoteSim) -> None:
    page = opened(visit)
    tile = page.locator("[data-slot='1:6'] b")
    tile.scroll_into_view_if_needed()
    tile.drag_to(pair(page, "modem3"))  # it has no client: nothing is asked
    expect(page.locator("dialog")).to_have_count(0)
    tile.drag_to(pair(page, "modem1").locator("h2"))
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("Give bank 1, slot 6 to modem1?")
    dialog.get_by_role("button", name="Give it").click()
    expect(page.get_by_role("status").filter(has_text="bank 1, slot 6 goes to modem1.")).to_be_visible()
    expect(page.locator("[data-slot='1:6']")).to_contain_text("modem1")
    tile.hover()
    page.mouse.down()
    page.mouse.move(300, 300, steps=3)
    expect(page.locator(".remsim-drag-ghost")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".remsim-drag-ghost")).to_have_count(0)
    page.mouse.up()
    assert [(how, path) for how, path, _ in fake.asked] == [("POST", "slotmaps")]


def test_the_page_moves_along_when_a_card_is_dragged_to_its_edge(visit: Any, fake: FakeRemoteSim) -> None:
    page = opened(visit)
    page.set_viewport_size({"width": 1000, "height": 480})
    page.locator("[data-slot='1:7'] b").scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    box = page.locator("[data-slot='1:7'] b").bounding_box()
    assert box and page.evaluate("scrollY") > 300
    page.mouse.move(box["x"] + 4, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(300, 20, steps=4)
    expect(page.get_by_role("heading", name="SIMs")).to_be_in_viewport()
    page.mouse.move(300, 120, steps=2)
    expect(page.locator(".remsim-drop-over")).to_have_attribute("aria-label", "modem1")
    page.mouse.up()
    expect(page.locator("dialog")).to_contain_text("Give bank 1, slot 7 to modem1?")


def test_a_card_is_given_and_taken_by_keyboard_alone(visit: Any, fake: FakeRemoteSim) -> None:
    page = opened(visit)
    page.get_by_role("button", name="Give bank 1, slot 4 to").press("Enter")
    dialog = page.locator("dialog")
    expect(dialog.get_by_label("Give bank 1, slot 4 to").locator("option")).to_have_count(2)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("made elsewhere and is taken over first")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[data-slot='1:4']")).to_contain_text("modem1")
    fake.view["clients"][0] |= {"bank_slot": "1:4"}
    page.reload()
    away = pair(page, "modem1").get_by_role("button", name="Take away: bank 1, slot 4")
    away.focus()
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("modem1 loses its remote card")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[data-slot='1:4']")).to_contain_text("free")
    assert [(how, path) for how, path, _ in fake.asked] == [
        ("POST", "slotmaps/1:4/adopt"),
        ("POST", "slotmaps"),
        ("DELETE", "slotmaps/1:4"),
    ]


def test_many_slots_are_folded_until_somebody_looks(visit: Any, fake: FakeRemoteSim) -> None:
    page = opened(visit)
    expect(page.locator("[data-slot^='1:']")).to_have_count(8)
    expect(page.locator("[data-slot^='2:']")).to_have_count(0)
    page.get_by_text("Bank 2").click()
    expect(page.locator("[data-slot^='2:']")).to_have_count(100)


@pytest.mark.parametrize("visit", [{}, DARK, PHONE], indirect=True, ids=["light", "dark", "phone"])
def test_the_page_is_accessible_and_fits(visit: Any, fake: FakeRemoteSim) -> None:
    fake.view["clients"][1]["health"] = HOSTILE
    fake.view["banks"][0]["name"] = HOSTILE
    page = opened(visit)
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    expect(page.get_by_text("in this billing cycle").first).to_be_visible()
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
