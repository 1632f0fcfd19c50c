"""The Links page: what carries the traffic, in which order, how it is shared, and what to do where nothing does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from accessibility import no_violations
from esim_fake import FakeEsim
from playwright.sync_api import Page, expect
from room_fake import BACKUP, FIBRE, MOBILE, FakeRoom, ago, cost, link
from running import RunningService

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DARK = {"color_scheme": "dark"}
HOSTILE = "<img src=x onerror=document.title='run'>"
MWAN3 = {"code": "routing_refused", "message": "mwan3 carries traffic here already.", "hint": "Stop it first."}
LACKING = [
    {"name": "numgen", "is_there": False, "is_needed": True, "package": "kmod-nft-numgen", "without": "no rings"}
]


def three() -> list[dict[str, Any]]:
    """One that works, one whose cap is used up, one that is down."""
    return [
        link(1, FIBRE, cost=cost(38e9, 50e9)),
        link(2, MOBILE, modem="modem1", modem_name="modem1", carrier="Example", cost=cost(10e9, 10e9, "soft")),
        link(3, BACKUP, state="down", since=ago(60), reason="3 probes of 3 were lost", flows=0),
    ]


def opened(visit: Any, room: FakeRoom, tab: str = "links") -> Page:
    room.serve(visit.page)
    page: Page = visit.open(f"/links#tab={tab}")
    return page


@pytest.fixture
def as_before(service: RunningService) -> Iterator[RunningService]:
    """The other tests of this service find its modems and links as they were."""
    yield service
    service.request("simulation/faults", method="POST", body={"modem": "modem3", "fault": "clear"})
    service.request("links/dish", method="DELETE")
    service.wait_for("links", lambda answer: [one["state"] for one in answer["links"]] == ["up"] * 3, 40)


def test_a_failover_is_seen_while_it_happens_and_the_link_comes_back(visit: Any, as_before: RunningService) -> None:
    page: Page = visit.open("/links")
    expect(page.get_by_text("3 of 3 links work")).to_be_visible(timeout=20_000)
    row = page.locator("[data-name=wan3]")
    expect(row).to_contain_text("LTE")  # its modem's signal, as everywhere
    as_before.request("simulation/faults", method="POST", body={"modem": "modem3", "fault": "no_service"})
    expect(row).to_contain_text("✕Down", timeout=20_000)
    expect(row).to_contain_text("its modem is not registered for data.")
    expect(page.get_by_text("2 of 3 links work")).to_be_visible()
    ring = page.get_by_role("region", name="Interactive flows")
    expect(ring.locator("svg")).not_to_have_attribute("aria-label", re.compile("wan3"))
    as_before.request("simulation/faults", method="POST", body={"modem": "modem3", "fault": "clear"})
    expect(page.get_by_text("3 of 3 links work")).to_be_visible(timeout=40_000)
    page.get_by_role("link", name="Live view").click()
    expect(page.get_by_role("region", name="By link").get_by_role("button", name="wan1")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Only flows of wan1").click()
    flows = page.get_by_role("region", name="Flows", exact=True)
    expect(flows.get_by_role("button", name="Only wan1")).to_be_visible()
    expect(flows.locator("tbody tr", has_text="wan2")).to_have_count(0)


def test_a_link_is_added_changed_and_removed(visit: Any, as_before: RunningService) -> None:
    page: Page = visit.open("/links")
    page.get_by_role("link", name="Add a link").click()
    page.get_by_role("radio", name="A device").check()
    page.get_by_role("button", name="Add this link").click()
    expect(page.locator(".remsim-field-error:visible")).to_contain_text("Device is needed.")
    page.get_by_label("Device", exact=False).and_(page.get_by_role("textbox")).fill("eth99")
    page.get_by_label("Name", exact=True).fill("Dish")
    page.get_by_role("button", name="Add this link").click()
    row = page.locator("[data-name=dish]")
    expect(row).to_contain_text("its device is down.")
    row.locator("summary").click()
    row.get_by_role("link", name="Change").click()
    page.get_by_label("Weight").fill("5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Dish is saved.")).to_be_visible()
    assert as_before.get("links/dish")["values"]["weight"] == 5
    row.get_by_role("link", name="Change").click()
    page.get_by_role("button", name="Delete this link").click()
    page.get_by_role("button", name="Delete Dish").click()
    expect(row).to_have_count(0)


def test_a_link_at_its_cap_has_another_profile_which_its_form_lets_choose(visit: Any) -> None:
    room = FakeRoom(three())
    changed = {"profile_name": "Travel", "from_name": "Home", "until": "2031-02-01", "problem": None}
    room.view["links"][0]["cap_switch"] = changed | {"state": "away"}
    room.view["links"][1]["cap_switch"] = changed | {"state": "refused", "problem": "the modem is busy"}
    page = opened(visit, room)
    rows = page.locator(".remsim-linkrow")
    expect(rows.nth(0)).to_contain_text("At its cap: changed to the profile Travel until 2031-02-02.")
    expect(rows.nth(1)).to_contain_text("It could not change to the profile Travel: the modem is busy.")
    page.unroute_all()
    FakeEsim().serve(page)
    page = visit.open("/links#tab=form&link=wan1")
    profiles, slowed = page.get_by_role("group", name="Profile at the cap"), page.get_by_label("Slowed to")
    leaves = page.get_by_role("radio", name="takes no new flows", exact=True)
    expect(leaves).to_be_checked()
    expect(profiles).to_be_hidden()
    page.get_by_role("radio", name="goes on slowly").check()
    slowed.fill("no number")
    page.get_by_role("radio", name="takes no new flows until its modem has changed").check()
    expect(slowed).to_be_hidden()
    expect(slowed).to_have_value("")
    expect(profiles.get_by_role("radio")).to_have_count(2)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".remsim-field-error:visible")).to_contain_text("is needed: which profile to change to")
    visit.complaints.clear()
    profiles.get_by_role("radio", name="Profile 2").check()
    page.get_by_role("radio", name="modem2").check()  # whose card was not read
    expect(page.get_by_role("textbox", name="Profile at the cap")).to_have_value("")
    page.get_by_role("radio", name="modem1").check()
    profiles.get_by_role("radio", name="Profile 2").check()
    page.get_by_role("radio", name="An interface").check()
    expect(profiles).to_have_count(0)


def test_each_link_says_in_a_sentence_how_it_is_and_a_failover_is_seen(visit: Any) -> None:
    room = FakeRoom(three())
    page = opened(visit, room)
    expect(page.get_by_text("1 of 3 links work")).to_be_visible()
    rows = page.locator(".remsim-linkrow")
    expect(rows.nth(0)).to_contain_text("Carries new flows, up since 2")
    expect(rows.nth(0)).to_contain_text("will not last")
    expect(rows.nth(1)).to_contain_text("Its data cap is used up: no new flows until 2031-02-01.")
    expect(rows.nth(2)).to_contain_text("No way out since 1")
    expect(rows.nth(2)).to_contain_text("3 probes of 3 were lost.")
    ring = page.get_by_role("region", name="Interactive flows")
    expect(ring.locator("svg")).to_have_attribute("aria-label", "Fibre: 8 of 16, Mobile: 8 of 16")
    ring.locator("summary").click()
    expect(ring.get_by_role("row", name="Fibre")).to_contain_text("31 ms by fibre")
    room.view["links"][0].update(state="down", since=ago(0), reason="the cable was pulled", flows=0)
    room.view["links"][2].update(state="up", since=ago(0), reason=None, flows=3)
    room.view.update(failovers=1, last_failover={"at": ago(0), "message": "Fibre → Backup: the cable was pulled"})
    expect(page.get_by_text("Backup carries all new flows; there is no other now.")).to_be_visible()
    expect(rows.nth(0)).to_contain_text("the cable was pulled")
    expect(page.get_by_text("Fibre → Backup: the cable was pulled")).to_be_visible()


def test_priority_is_changed_by_keys_and_by_dragging(visit: Any) -> None:
    room = FakeRoom(three())
    page = opened(visit, room)
    grip = page.get_by_role("button", name="Fibre, place 1")
    grip.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Fibre, place 3")).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="The order is saved.")).to_be_visible()
    assert room.asked == [("PUT", "links/order", {"names": [MOBILE, BACKUP, FIBRE]})]
    begin, end = (
        page.get_by_role("button", name="Fibre, place 3").bounding_box(),
        page.locator("li.remsim-linkrow").first.bounding_box(),
    )
    assert begin is not None and end is not None
    with page.expect_response("**/links/order"):
        page.mouse.move(begin["x"] + 9, begin["y"] + 9)
        page.mouse.down()
        page.mouse.move(begin["x"] + 9, begin["y"] - 40, steps=5)
        page.mouse.move(begin["x"] + 9, end["y"] + 5, steps=20)
        page.mouse.up()
    expect(page.get_by_role("button", name="Fibre, place 1")).to_be_visible()
    assert room.asked[-1] == ("PUT", "links/order", {"names": [FIBRE, MOBILE, BACKUP]})


def test_where_nothing_is_carried_the_page_says_why_and_what_to_do(visit: Any) -> None:
    room = FakeRoom([])
    page = opened(visit, room)
    for view, told, offered in (
        ({"state": "off"}, "No link is set up.", "Add a link"),
        ({"state": "off", "enabled": False, "links": three()}, "nothing on this router is changed", "Switch links on"),
        ({"state": "refused", "problem": MWAN3}, "mwan3 carries traffic here already.", "Take over the configuration"),
        ({"capabilities": LACKING}, "opkg install kmod-nft-numgen", "Look again"),
        ({"state": "failed", "problem": {"message": "nft refuses."}}, "nft refuses.", "Look again"),
    ):
        room.view.update(view)
        page.reload()
        expect(page.get_by_text(told)).to_be_visible()
        expect(page.locator(".remsim-nothing").locator("a, button").filter(has_text=offered)).to_be_visible()
    no_violations(page)


def test_without_links_no_chart_and_no_table_is_empty(visit: Any) -> None:
    page = opened(visit, FakeRoom([]), "cost")
    expect(page.get_by_role("region", name="Caps and prices")).to_contain_text("No link is set up.")
    page.get_by_role("link", name="Live view").click()
    expect(page.get_by_text("No flow now.")).to_be_visible()
    expect(page.get_by_text("Throughput a link, received")).to_be_hidden()


@pytest.mark.parametrize("visit", [{}, DARK, PHONE], ids=["light", "dark", "phone"], indirect=True)
def test_axe_finds_nothing_and_hostile_names_are_names(visit: Any) -> None:
    links = three()
    links[0].update(title=HOSTILE, carrier=HOSTILE, reason=HOSTILE, tags=[HOSTILE])
    room = FakeRoom(links, warnings=[{"code": "x", "message": HOSTILE, "hint": HOSTILE}])
    flow = {"protocol": "tcp", "source": "192.168.1.2", "source_name": HOSTILE, "source_port": 4711, "link": FIBRE}
    flow |= {"destination": "2001:db8::1", "destination_port": 443, "domain": "a" * 80 + ".example", "policy": HOSTILE}
    room.flows = [{**flow, "rx_bytes": 5, "tx_bytes": 5, "rx_bps": None, "tx_bps": None, "age_s": 7}]
    page = opened(visit, room)
    expect(page.locator(".remsim-linkrow").first).to_contain_text(HOSTILE)
    for more in page.locator(".remsim-linkrow-more summary").all():
        more.click()
    no_violations(page)
    page.goto(visit.service.base + "/links#tab=live")
    expect(page.get_by_role("button", name="Why did the flow")).to_be_visible()
    expect(page.get_by_role("region", name="Sessions a link").locator("canvas")).to_be_visible()
    no_violations(page)
    page.goto(visit.service.base + "/links#tab=cost")
    expect(page.get_by_text("Nothing was counted yet.").first).to_be_visible()
    no_violations(page)
    assert page.locator("main img").count() == 0 and page.title() != "run"


def test_mptcp_is_set_up_and_shows_what_each_connection_uses(visit: Any, as_before: RunningService) -> None:
    page: Page = visit.open("/links#tab=mptcp")
    expect(page.get_by_text("MPTCP is off: each connection has one link.")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("script/mptcp-server")).to_be_visible()
    page.get_by_label("Use MPTCP").check()
    page.get_by_label("Server", exact=True).fill("203.0.113.7")
    page.get_by_label("Password", exact=True).fill("kept to itself")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="The settings of MPTCP are saved.")).to_be_visible()
    expect(page.get_by_text("Links are simulated here, so MPTCP does nothing.")).to_be_visible()
    expect(page.get_by_label("Password", exact=True)).to_have_value("")
    expect(page.get_by_text("Is set; left empty it stays as it is.")).to_be_visible()
    assert as_before.get("links/mptcp/settings")["kept"] == ["password"]
    as_before.request("links/mptcp/settings", method="PUT", body={})

    room = FakeRoom(three())
    room.mptcp["sysctls"] = {"allow_join_initial_addr_port": "1", "syn_retrans_before_tcp_fallback": "2"}
    room.serve(page)
    page.reload()
    page.get_by_text("Settings of the kernel").click()
    names = page.locator(".remsim-mono", has_text="net.mptcp")
    assert names.evaluate_all("all => all.map(one => one.scrollWidth <= one.clientWidth)") == [True, True]
    expect(page.get_by_text("TCP of the LAN to ports 80, 443 goes through 203.0.113.7 over 2 links")).to_be_visible()
    parts = page.get_by_role("region", name="Connections and their parts").locator("tbody tr")
    expect(parts).to_have_count(2)
    expect(parts.nth(1)).to_contain_text("Mobile")
    expect(parts.nth(1)).to_contain_text("58.0")
    expect(page.get_by_role("region", name="The proxy")).to_contain_text("1\N{NARROW NO-BREAK SPACE}280")
    no_violations(page)
    room.mptcp["problem"] = {"message": "the MPTCP proxy has ended (status 1)", "hint": "Is port 1081 taken?"}
    page.reload()
    expect(page.get_by_text("The MPTCP proxy has ended (status 1). Is port 1081 taken?")).to_be_visible()


def test_what_comes_from_mwan3_is_seen_before_and_its_warnings_after(visit: Any) -> None:
    room = FakeRoom([])
    page = opened(visit, room, "import")
    expect(page.get_by_text("No interface of mwan3 was found")).to_be_visible()
    room.mwan3 = {
        "links": [{"name": "wan", "interface": "wan", "priority": 1}, {"name": "wanb", "enabled": False}],
        "policies": "policy https { match: port 443 route: any }",
        "warnings": ["the policies are not in force: wanb is off"],
    }
    page.reload()
    expect(page.get_by_text("Nothing is written yet")).to_be_visible()
    expect(page.get_by_role("row", name="wanb Off")).to_be_visible()
    page.get_by_role("button", name="Take this over").click()
    expect(page.get_by_role("status").filter(has_text="2 links have come.")).to_be_visible()
    expect(page.get_by_text("the policies are not in force: wanb is off")).to_be_visible()
    assert room.asked[-1] == ("POST", "links/import/mwan3", {"dry_run": False})
