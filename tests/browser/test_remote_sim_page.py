"""The Remote SIM page: clients and servers in words, slot maps made and taken away, settings from nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from accessibility import AXE
from playwright.sync_api import Locator, Page, Route, expect
from remote_fake import FakeRemoteSim, slot_map
from running import RunningService

DARK = {"color_scheme": "dark"}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
BANK = re.compile(r"^Bank\b(?!.*slot)")
HOSTILE = "<img src=x onerror=document.title='run'>"


@pytest.fixture
def fake(visit: Any) -> Iterator[FakeRemoteSim]:
    made = FakeRemoteSim()
    made.serve(visit.page)
    yield made
    visit.page.unroute_all(behavior="ignoreErrors")


def opened(visit: Any, tab: str = "now") -> Page:
    page: Page = visit.open(f"/remote-sim#tab={tab}")
    expect(page.get_by_role("navigation", name="Remote SIM").locator("[aria-current=page]")).to_be_visible()
    return page


def client_card(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name, exact=True)


def row_of(page: Page, card: str) -> Locator:
    return page.locator(".remsim-maptable tbody tr", has_text=re.compile(rf"^{card}(?!\d)"))


def sure(page: Page, button: str) -> None:
    """Say yes to what is asked."""
    page.locator("dialog").get_by_role("button", name=button).click()


def test_clients_say_in_words_what_they_have_and_why_not(visit: Any, fake: FakeRemoteSim) -> None:
    fake.view["warnings"] = [{"code": "exposed", "message": "The server has no login.", "hint": "Use a VPN."}]
    fake.view["clients"][0] |= {"tpdu_rx": 20, "tpdu_tx": 20, "relay": {"enabled": True, "running": True}}
    fake.view["clients"][0]["authentications"] = {"success": 3, "failure": {"9862": 2}, "resync": 1, "unknown": 0}
    page = opened(visit)
    expect(page.get_by_text("1 of 2 use their remote card")).to_be_visible()
    expect(page.get_by_text("The server has no login.")).to_be_visible()
    card = client_card(page, "modem1")
    expect(card).to_contain_text(re.compile("Uses its remote card: bank 1, slot 2, since"))
    lost = client_card(page, "modem2")
    expect(lost).to_contain_text("bankd answers, but slot 3 holds no card")
    expect(lost).to_contain_text("Not certain")
    expect(page.get_by_role("region", name="Clients of others")).to_contain_text("client 9:0")
    card.get_by_text("Run, log, count").click()
    expect(card).to_contain_text("Authentications: 3 good · 1 resynchronised")
    expect(card).to_contain_text("Failed: 9862 (2)")
    card.get_by_text("Log", exact=True).click()
    expect(card.get_by_label("Log")).to_contain_text("<b>hello</b>")
    lost.get_by_text("Run, log, count").click()
    expect(lost).to_contain_text("Not counted.")
    page.get_by_role("article", name="Server server1").get_by_role("button", name="Test the connection").click()
    expect(page.get_by_text("✓ Name of the server")).to_be_visible()
    expect(page.get_by_text("✖ REST interface: no answer in 3 s")).to_be_visible()
    expect(page.get_by_text("Is it running?")).to_be_visible()


def test_what_stops_a_card_is_asked_first_and_says_what_it_costs(visit: Any, fake: FakeRemoteSim) -> None:
    page = opened(visit)
    card = client_card(page, "modem1")
    card.get_by_text("Run, log, count").click()
    card.get_by_role("button", name="Restart").click()
    expect(page.locator("dialog")).to_contain_text("loses the remote card")
    expect(page.locator("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    sure(page, "Restart")
    expect(page.get_by_role("status").filter(has_text="client1 is restarted.")).to_be_visible()
    card.get_by_role("button", name="Count from now on").click()
    expect(page.locator("dialog")).to_contain_text("If that program ends, the card is gone")
    sure(page, "Cancel")
    fake.refusal = {"status": 409, "detail": "procd does not answer", "hint": "look at the system log"}
    card.get_by_role("button", name="Stop", exact=True).click()
    sure(page, "Stop")
    expect(card.get_by_role("alert")).to_contain_text("procd does not answer – look at the system log")
    visit.complaints[:] = [text for text in visit.complaints if "409" not in text]
    assert fake.asked == [("POST", "clients/client1/restart", None), ("POST", "clients/client1/stop", None)]


def test_a_slot_map_is_made_changed_and_deleted_by_its_form(visit: Any, fake: FakeRemoteSim) -> None:
    page = opened(visit, "maps")
    page.get_by_role("button", name="New slot map").click()
    form = page.get_by_role("region", name="Slot map", exact=True)
    form.get_by_label(BANK).fill("1")
    form.get_by_label("Slot of the bank").fill("9")
    expect(form).to_contain_text("Bank 1 has the slots 0 to 7 only.")
    form.get_by_label("Slot of the bank").fill("1024")
    form.get_by_role("button", name="Make it").click()
    expect(form.locator(".remsim-field-error:visible")).to_contain_text("is not a whole number from 0 to 1023")
    form.get_by_label("Slot of the bank").fill("7")
    form.get_by_label("another client").check()
    form.get_by_role("button", name="Make it").click()
    expect(form.locator(".remsim-field-error:visible")).to_contain_text("is needed")
    form.get_by_label("Client id").fill("12")
    form.get_by_label("Note").fill("spare")
    form.get_by_role("button", name="Make it").click()
    expect(row_of(page, "bank 1, slot 7")).to_contain_text("client 12:0")
    expect(row_of(page, "bank 1, slot 7")).to_contain_text("kept by this router · spare")
    row_of(page, "bank 1, slot 7").get_by_role("button", name="Change").click()
    form.get_by_label("modem2 (6:0)").check()
    form.get_by_role("button", name="Save").click()
    expect(row_of(page, "bank 1, slot 7")).to_contain_text("modem2 (6:0)")
    row_of(page, "bank 1, slot 2").get_by_role("button", name="Delete").click()
    expect(page.locator("dialog")).to_contain_text("modem1 loses its remote card")
    sure(page, "Take it away")
    expect(row_of(page, "bank 1, slot 2")).to_have_count(0)
    assert [(how, path) for how, path, _ in fake.asked] == [
        ("POST", "slotmaps"),
        ("PUT", "slotmaps/1:7"),
        ("DELETE", "slotmaps/1:2"),
    ]


def test_a_refused_map_says_why_and_keeps_what_was_typed(visit: Any, fake: FakeRemoteSim) -> None:
    page = opened(visit, "maps")
    page.get_by_role("button", name="New slot map").click()
    form = page.get_by_role("region", name="Slot map", exact=True)
    form.get_by_label(BANK).fill("1")
    form.get_by_label("Slot of the bank").fill("2")
    expect(form).to_contain_text("This slot has a map already.")
    fake.refusal = {"status": 409, "detail": "bank 1, slot 2 is mapped to client 5:0", "field": "bank_slot"}
    form.get_by_role("button", name="Make it").click()
    expect(page.locator("dialog")).to_contain_text("bank 1, slot 2 is for client 5:0 now.")
    sure(page, "Replace")
    expect(form).to_contain_text("bank 1, slot 2 is mapped to client 5:0")
    assert fake.asked[0][2]["replace"] is True
    expect(form.get_by_label("Slot of the bank")).to_have_value("2")
    visit.complaints[:] = [text for text in visit.complaints if "409" not in text]


def test_conflicts_held_and_foreign_maps_are_named_and_settled(visit: Any, fake: FakeRemoteSim) -> None:
    held = {"state": None, "held": "modem2 is online: restoring it resets the modem"}
    fake.view["slotmaps"] += [slot_map("2:0", "7:0", **held), slot_map("2:1", "8:0", **held)]
    fake.view["slotmaps"] += [slot_map("2:2", "9:0", state=None, conflict="client 9:0 has bank 1, slot 4 already")]
    page = opened(visit, "maps")
    expect(page.get_by_role("link", name="Slot maps (3)")).to_be_visible()
    expect(row_of(page, "bank 2, slot 2")).to_contain_text("✖ client 9:0 has bank 1, slot 4 already")
    expect(row_of(page, "bank 1, slot 4")).to_contain_text("made elsewhere")
    row_of(page, "bank 1, slot 4").get_by_role("button", name="Adopt").click()
    expect(row_of(page, "bank 1, slot 4")).to_contain_text("kept by this router")
    row_of(page, "bank 2, slot 0").get_by_role("button", name="Restore now").click()
    expect(page.locator("dialog")).to_contain_text("client 7:0 is reset once")
    sure(page, "Restore now")
    expect(row_of(page, "bank 2, slot 0")).to_contain_text("the bank was not told yet")
    expect(row_of(page, "bank 2, slot 1")).to_contain_text("held: modem2 is online")


def test_of_many_maps_those_with_a_text_are_shown(visit: Any, fake: FakeRemoteSim) -> None:
    fake.view["slotmaps"] += [slot_map(f"2:{at}", f"{100 + at}:0", note=f"car {at}") for at in range(90)]
    page = opened(visit, "maps")
    rows = page.locator(".remsim-maptable tbody tr")
    expect(rows).to_have_count(93)
    page.get_by_label("Only maps with this text").fill("car 77")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("client 177:0")
    page.get_by_label("Only maps with this text").fill("nothing of it")
    expect(page.get_by_text("Nothing fits.")).to_be_visible()


def test_a_card_is_dragged_to_a_client_or_given_by_its_menu(visit: Any, fake: FakeRemoteSim) -> None:
    page = opened(visit, "maps")
    tile = page.locator("[data-slot='1:6']")
    tile.locator("b").drag_to(page.locator("[data-drop='6:0']"))
    expect(page.locator("dialog")).to_contain_text("Give bank 1, slot 6 to modem2?")
    expect(page.locator("dialog")).to_contain_text("It has bank 1, slot 3 now, which becomes free.")
    sure(page, "Give it")
    expect(tile).to_contain_text("modem2")
    expect(page.locator("[data-slot='1:3']")).to_contain_text("free")
    tile.get_by_role("button", name="Give bank 1, slot 6 to").click()
    page.locator("dialog").get_by_label("Give bank 1, slot 6 to").select_option("modem1 (5:0)")
    sure(page, "Go on")
    expect(page.locator("dialog")).to_contain_text("It has bank 1, slot 2 now")
    sure(page, "Cancel")
    assert fake.asked == [
        (
            "POST",
            "slotmaps",
            {"server": "server1", "bank_id": 1, "bank_slot": 6, "client_id": 6, "client_slot": 0, "replace": True},
        )
    ]


def test_maps_come_from_a_file_after_a_look_at_it(visit: Any, fake: FakeRemoteSim, tmp_path: Path) -> None:
    page = opened(visit, "maps")
    page.get_by_text("Slot maps as a file").click()
    expect(page.get_by_role("link", name="Export as CSV")).to_have_attribute(
        "href", re.compile(r"/api/v1/remote-sim/slotmaps\.csv$")
    )
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    bad.write_text("bank_id,bank_slot,client_id,client_slot,note\n1,7,12,0,\nnonsense\n")
    good.write_text("bank_id,bank_slot,client_id,client_slot,note\n1,7,12,0,\n")
    page.get_by_label("A CSV file of slot maps").set_input_files(bad)
    expect(page.get_by_text("line 3: is no map")).to_be_visible()
    expect(page.get_by_role("button", name="Import", exact=True)).to_have_count(0)
    page.get_by_label("A CSV file of slot maps").set_input_files(good)
    expect(page.get_by_text("This file would add 1, change 0 and leave 0 as they are.")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(row_of(page, "bank 1, slot 7")).to_be_visible()


@pytest.fixture
def simulated(service: RunningService) -> Iterator[RunningService]:
    """The simulation's own server, bank and maps; what was done to them is undone."""

    def is_well(view: dict[str, Any]) -> bool:
        ours = [one["state"] for one in view["slotmaps"] if one["desired"]]
        return view["server"]["reachable"] is True and ours == ["ACTIVE"] * 2

    assert service.request("config/remote_sim/remote_sim", method="PUT", body={"reconcile_s": 1})[0] == 200
    service.wait_for("remote-sim", is_well, 30)
    yield service
    fault(service, "remote_clear")
    service.request("remote-sim/restore", method="POST")
    for one in service.get("remote-sim")["slotmaps"]:
        if one["desired"] and one["bank_slot"] > 5:
            service.request(f"remote-sim/slotmaps/{one['bank_id']}:{one['bank_slot']}", method="DELETE")
    service.wait_for("remote-sim", is_well, 30)
    service.request("config/remote_sim/remote_sim", method="PUT", body={})


def fault(service: RunningService, name: str, **more: Any) -> None:
    """Have the simulator do something to the remote SIMs."""
    assert service.request("simulation/faults", method="POST", body={"fault": name, **more})[0] == 202


def test_a_map_reaches_the_simulated_server_and_goes_again(visit: Any, simulated: RunningService) -> None:
    page = opened(visit, "maps")
    expect(row_of(page, "bank 1, slot 2")).to_contain_text("told to the bank")
    page.get_by_role("button", name="New slot map").click()
    form = page.get_by_role("region", name="Slot map", exact=True)
    form.get_by_label(BANK).fill("1")
    form.get_by_label("Slot of the bank").fill("6")
    form.get_by_label("another client").check()
    form.get_by_label("Client id").fill("12")
    form.get_by_role("button", name="Make it").click()
    made = row_of(page, "bank 1, slot 6")
    expect(made).to_contain_text(re.compile("client 12:0told to the bank"), timeout=15000)
    made.get_by_role("button", name="Delete").click()
    sure(page, "Take it away")
    expect(made).to_have_count(0, timeout=15000)
    page.get_by_role("link", name="Now", exact=True).click()
    last = page.get_by_role("region", name="Last events").locator("li").first
    expect(last).to_contain_text(re.compile("Slot map changed.*1:6 for client 12:0 removed"))


def test_a_server_that_is_lost_and_back_is_seen_without_a_reload(visit: Any, simulated: RunningService) -> None:
    page = opened(visit)
    server = page.get_by_role("article", name="Server simulated")
    expect(server).to_contain_text("Answers")
    expect(server).to_contain_text("Bank 1● connected")
    page.get_by_label("Fault").select_option("Have the server answer nonsense")
    page.get_by_role("button", name="Do it").click()
    expect(server).to_contain_text("Does not answer", timeout=20000)
    page.get_by_role("link", name="Slot maps").click()
    expect(row_of(page, "bank 1, slot 2")).to_contain_text("when last seen: told to the bank")
    page.get_by_role("link", name="Now", exact=True).click()
    fault(simulated, "remote_clear")
    expect(server).to_contain_text("Answers", timeout=40000)


def test_a_client_is_stopped_and_started_without_the_other(visit: Any, simulated: RunningService) -> None:
    page = opened(visit)
    card, other = client_card(page, "modem2"), client_card(page, "modem1")
    expect(card).to_contain_text("Uses its remote card: bank 1, slot 3", timeout=30000)
    card.get_by_text("Run, log, count").click()
    card.get_by_text("Log", exact=True).click()
    expect(card.get_by_label("Log")).not_to_be_empty()
    card.get_by_role("button", name="Test the connection").click()
    expect(card.locator(".remsim-remote-checks")).to_contain_text("✓ REST interface")
    card.get_by_role("button", name="Stop", exact=True).click()
    sure(page, "Stop")
    expect(card).to_contain_text("does not run", timeout=15000)
    expect(other).to_contain_text("Uses its remote card")
    card.get_by_role("button", name="Start", exact=True).click()
    expect(card).to_contain_text("Uses its remote card: bank 1, slot 3", timeout=30000)
    expect(other.locator(".remsim-state")).to_contain_text("Uses its remote card: bank 1, slot 2")


def test_a_bank_that_is_lost_and_back_is_told_at_its_modem(visit: Any, simulated: RunningService) -> None:
    page = opened(visit)
    card = client_card(page, "modem1")
    expect(card).to_contain_text("Uses its remote card: bank 1, slot 2", timeout=30000)
    page.get_by_label("Fault").select_option("Lose the bank")
    page.get_by_role("button", name="Do it").click()
    expect(card).to_contain_text("Has lost the bank, tries again", timeout=20000)
    expect(page.get_by_text("0 of 2 use their remote card")).to_be_visible()
    page.goto(f"{simulated.base}/")
    chip = page.locator(".remsim-card", has_text="modem1").locator(".remsim-remote")
    expect(chip).to_have_text("✕ remote SIM")
    fault(simulated, "bankd_back")
    expect(chip).to_have_text("remote SIM", timeout=40000)


def test_held_maps_are_restored_when_somebody_says_so(visit: Any, simulated: RunningService) -> None:
    held = {"restore": "hold", "reconcile_s": 1}
    assert simulated.request("config/remote_sim/remote_sim", method="PUT", body=held)[0] == 200
    page = opened(visit, "maps")
    expect(row_of(page, "bank 1, slot 2")).to_contain_text("told to the bank")
    fault(simulated, "server_restart")
    for card in ("bank 1, slot 2", "bank 1, slot 3"):
        expect(row_of(page, card)).to_contain_text("held: ", timeout=30000)
    page.get_by_role("button", name="Restore all that are held").click()
    expect(page.locator("dialog")).to_contain_text("Each of their modems is reset once")
    sure(page, "Restore now")
    for card in ("bank 1, slot 2", "bank 1, slot 3"):
        expect(row_of(page, card)).to_contain_text("told to the bank", timeout=30000)


@pytest.fixture
def nothing_set_up(visit: Any, service: RunningService) -> Iterator[FakeRemoteSim]:
    """A router without remote SIM; what is set up meanwhile is taken back."""
    fake = FakeRemoteSim()
    fake.view |= {"server": {"reachable": None}, "servers": [], "banks": [], "clients": [], "slotmaps": []}
    fake.serve(visit.page)
    yield fake
    visit.page.unroute_all(behavior="ignoreErrors")
    for section in service.get("config?types=remsim_server,remote_client")["sections"]:
        if section["name"].startswith("test_"):
            service.request(f"config/{section['type']}/{section['name']}", method="DELETE")


def test_with_nothing_set_up_the_page_leads_from_step_to_step(
    visit: Any, nothing_set_up: FakeRemoteSim, service: RunningService
) -> None:
    page = opened(visit)
    expect(page.get_by_role("heading", name="Remote SIM is not set up")).to_be_visible()
    page.get_by_role("link", name="Add a server").click()
    form = page.locator("[data-new=remsim_server]")
    expect(form.get_by_label("Address")).to_be_focused()
    form.get_by_label("Address").fill("ftp://10.0.0.5")
    form.get_by_label("Name").fill("test_s")
    form.get_by_role("button", name="Add", exact=True).click()
    expect(form.locator(".remsim-field-error:visible")).to_contain_text("is not like http://HOST:PORT")
    form.get_by_label("Address").fill("http://127.0.0.1:1")
    form.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="test_s is saved.")).to_be_visible()
    assert service.get("config/remsim_server/test_s")["values"] == {"url": "http://127.0.0.1:1"}
    page.get_by_role("button", name="Add a client").click()
    form = page.locator("[data-new=remote_client]")
    form.get_by_label("Name").fill("test_c")
    form.get_by_label("Run it").uncheck()
    form.get_by_label(re.compile(r"^modem3 \(")).check()
    form.get_by_label("Client id").fill("77")
    form.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="test_c is saved.")).to_be_visible()
    section = page.locator("details[data-name=test_c]")
    expect(section).to_contain_text("modem3 · client 77:0")
    section.locator("summary").first.click()
    section.get_by_role("button", name="Remove").click()
    sure(page, "Remove")
    expect(page.locator("details[data-name=test_c]")).to_have_count(0)
    visit.complaints[:] = [text for text in visit.complaints if "422" not in text]


def test_what_is_being_written_stays_when_another_section_is_saved(
    visit: Any, nothing_set_up: FakeRemoteSim, service: RunningService
) -> None:
    for name in ("test_a", "test_b"):
        service.request(f"config/remsim_server/{name}", method="PUT", body={"url": f"http://127.0.0.1:1/{name}"})
    page = opened(visit, "settings")
    other, saved = (page.locator(f"details[data-name=test_{name}]") for name in "ab")
    other.locator("summary").first.click()
    other.get_by_label("Address").fill("http://127.0.0.1:3")
    held: list[Route] = []
    page.route("**/api/v1/config?types=*", lambda route: held.append(route))
    saved.locator("summary").first.click()
    saved.get_by_label("Address").fill("http://127.0.0.1:2")
    saved.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="test_b is saved.")).to_be_visible()
    page.get_by_role("button", name="Add a client").click()
    fresh = page.locator("[data-new=remote_client]")
    fresh.get_by_label("Client id").fill("77")
    page.unroute("**/api/v1/config?types=*")
    held[0].continue_()
    expect(saved.locator("summary")).to_contain_text("http://127.0.0.1:2")
    expect(fresh.get_by_label("Client id")).to_have_value("77")
    expect(fresh.get_by_label("Client id")).to_be_focused()
    expect(other.get_by_label("Address")).to_have_value("http://127.0.0.1:3")
    other.get_by_role("button", name="Save").click()
    expect(other.locator("summary")).to_contain_text("http://127.0.0.1:3")
    expect(fresh.get_by_label("Client id")).to_have_value("77")
    fresh.get_by_role("button", name="Do not add").click()
    expect(fresh).to_have_count(0)


def test_the_settings_of_the_clients_own_package_are_taken_over(visit: Any, fake: FakeRemoteSim) -> None:
    fault = {"option": "server.host", "message": "does not resolve", "hint": "use an address", "fatal": False}
    dead = [{"option": "security.use_tls", "value": "1", "why": "there is no TLS"}]
    known = {"client_slot": "3:0", "client": {}, "ionmesh": None, "here": None}
    fake.client_file = {"present": True, "runs": True, "faults": [fault], "dead": dead} | known
    page = opened(visit, "settings")
    panel = page.get_by_role("region", name="The client package’s own settings")
    expect(panel).to_contain_text("The package’s own service runs client 3:0.")
    expect(panel).to_contain_text("server.hostdoes not resolve")
    panel.get_by_text("Options without effect").click()
    expect(panel).to_contain_text("there is no TLS")
    panel.get_by_role("button", name="Take it over").click()
    expect(page.locator("dialog")).to_contain_text("its modem is reset once")
    sure(page, "Take it over")
    expect(page.get_by_role("status").filter(has_text="client9 is a client of this router now.")).to_be_visible()
    assert fake.asked == [("POST", "client-file/import", {})]


def test_names_that_come_from_outside_are_only_text(visit: Any, fake: FakeRemoteSim) -> None:
    outside = ("health", "hint", "name", "note", "problem", "software", "held")
    for one in (*fake.view["clients"], *fake.view["banks"], *fake.view["slotmaps"], *fake.view["servers"]):
        one |= {name: HOSTILE for name in outside if name in one}
    fake.view["warnings"] = [{"code": "x", "message": HOSTILE, "hint": HOSTILE}]
    fake.view["ionmesh"] = {"state": HOSTILE, "message": HOSTILE, "unsupported": [HOSTILE]}
    fake.view["ionmesh"]["clients"] = [{"name": HOSTILE, "state": HOSTILE, "message": HOSTILE}]
    for tab in ("now", "maps", "settings"):
        page = opened(visit, tab)
        page.reload()
        expect(page.get_by_text(HOSTILE).first).to_be_visible()
        assert page.locator("img[src=x], main script").count() == 0
        assert page.title() != "run"


@pytest.mark.parametrize("visit", [{}, DARK, PHONE], indirect=True, ids=["light", "dark", "phone"])
def test_the_page_is_accessible_and_fits(visit: Any, fake: FakeRemoteSim) -> None:
    given = {"name": "client1", "state": "registered", "assignment": {"bank_id": 1, "slot_id": 2}}
    fake.view["ionmesh"] = {"state": "registered", "message": "", "unsupported": ["webhooks"], "clients": [given]}
    fake.view["slotmaps"][1] |= {"held": "the modem is online", "state": None}
    for tab in ("now", "maps", "settings"):
        page = opened(visit, tab)
        page.reload()
        expect(page.locator(".remsim-panel:visible").first).to_be_visible()
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        if tab == "maps":
            page.get_by_role("button", name="New slot map").click()
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
        assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found["violations"]] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab
