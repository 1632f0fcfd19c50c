"""What a router admin does to a modem on its page, in a real browser against a real service with virtual modems."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from accessibility import AXE
from playwright.sync_api import Locator, Page, expect
from remsim.simulator.control import SimulatorControl
from running import RunningService, running_service

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
DARK = {"color_scheme": "dark"}
TABS = ("signal", "sim", "settings", "sms", "console", "log")
MESSAGE = "07919401000000F0040B919451650000F100006211528191450005C8329BFD06"
"""SMS-DELIVER from +49155600001 (made up, nobody's): "Hello"."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service of its own: what is done to its modems would be seen by the other tests."""
    directory = tmp_path_factory.mktemp("modem-page")
    with running_service(directory, "--simulate=3", "--backfill", "0") as running:
        all_online(running)
        simulator(running).set_time_scale(0.03)
        yield running


def all_online(service: RunningService) -> None:
    service.wait_for("modems", lambda answer: [modem["state"] for modem in answer["modems"]] == ["online"] * 3, 60)


def simulator(service: RunningService) -> SimulatorControl:
    port = service.get("modems")["modems"][0]["port"]
    return SimulatorControl(Path(port).parent.parent)


def fault(service: RunningService, modem: str, name: str) -> None:
    status, answer = service.request("simulation/faults", method="POST", body={"modem": modem, "fault": name})
    assert status == 202, answer


def opened(visit: Any, modem: str, tab: str, **more: str) -> Page:
    rest = "".join(f"&{name}={value}" for name, value in more.items())
    page: Page = visit.open(f"/modems#modem={modem}&tab={tab}{rest}")
    expect(page.locator(".remsim-modem")).to_be_visible()
    return page


def action(page: Page, name: str) -> Locator:
    """The panel of an action, opened."""
    panel = page.locator(f"[data-action='{name}']")
    expect(panel).to_be_visible()
    if panel.evaluate("one => one.tagName === 'DETAILS' && !one.open"):
        panel.locator("summary").first.click()
    expect(panel.locator("form")).to_be_visible(timeout=15_000)
    return panel


def agree(page: Page, text: str) -> None:
    """Read what will be cut, and want it."""
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text(text)
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.locator("button").first.click()


def test_the_list_names_every_modem_and_leads_to_its_tabs_and_back(visit) -> None:
    page = visit.open("/modems")
    expect(page.locator(".remsim-row")).to_have_count(3)
    expect(page.locator(".remsim-row").first).to_contain_text(re.compile("Online on LTE"))
    page.locator(".remsim-row", has_text="EM7565").click()
    expect(page.locator(".remsim-big").first).to_contain_text(re.compile("−\\d+\\sdBm"))
    page.get_by_role("link", name="SIM", exact=True).click()
    expect(page.get_by_text("The SIM is ready")).to_be_visible()
    assert "modem=modem2&tab=sim" in page.url
    page.reload()
    expect(page.get_by_text("The SIM is ready")).to_be_visible()
    page.go_back()
    expect(page.locator(".remsim-big").first).to_be_visible()
    page.go_back()
    expect(page.locator(".remsim-modem")).to_have_count(0)


def test_a_card_of_the_dashboard_leads_to_its_modem(visit) -> None:
    page = visit.open("/")
    page.get_by_role("link", name="EM7565").click()
    expect(page.locator(".remsim-modem")).to_contain_text("EM7565")
    expect(page.locator(".remsim-canvas canvas").first).to_be_visible()


def test_signal_and_cells_stand_side_by_side_with_the_serving_cell_on_top(visit) -> None:
    page = opened(visit, "modem1", "signal")
    expect(page.locator(".remsim-leg").first).to_contain_text(re.compile("excellent|good|fair|poor"))
    expect(page.get_by_role("group", name="Carriers").locator("tbody tr").first).to_contain_text("primary")
    expect(page.get_by_role("group", name="Cells").locator("tbody tr").first).to_contain_text("serving")
    expect(page.get_by_role("group", name="Cells")).to_contain_text("neighbour")


def test_levels_by_antenna_and_the_replies_they_were_read_from_are_shown(visit) -> None:
    page = opened(visit, "modem1", "signal")
    expect(page.locator(".remsim-branches").first).to_contain_text(
        re.compile("RSRP by antenna: −\\d+ · −\\d+ · – · –"), timeout=40_000
    )
    page.get_by_text("Everything else this modem reports").click()
    page.get_by_text("Raw replies").click()
    row = page.locator(".remsim-replies > div", has=page.get_by_text("AT+QRSRP", exact=True))
    expect(row).to_contain_text(re.compile("\\+QRSRP: -\\d+"))
    expect(page.locator(".remsim-replies")).not_to_contain_text("AT+CGSN")


@pytest.mark.parametrize(("name", "word", "look"), [("warm", "warm", "fair"), ("hot", "critical", "poor")])
def test_a_modem_over_its_own_limits_looks_so(visit, service: RunningService, name: str, word: str, look: str) -> None:
    fault(service, "modem2", name)
    page = opened(visit, "modem2", "signal")
    temperature = page.locator(".remsim-facts div", has_text="Temperature").locator("dd").first
    expect(temperature).to_contain_text(word, timeout=40_000)
    expect(temperature).to_have_class(f"remsim-quality-{look}")
    fault(service, "modem2", "clear")
    expect(page.locator(".remsim-facts div", has_text="Voltage")).to_contain_text("3.28")


def test_a_slot_switch_is_followed_to_its_end_and_kept_by_the_page(visit, service: RunningService) -> None:
    page = opened(visit, "modem1", "sim")
    panel = action(page, "sim-slot")
    panel.get_by_label("Slot 2").check()
    panel.get_by_role("button", name="Apply").click()
    agree(page, "Its connection is gone")
    expect(page.locator(".remsim-jobview")).to_be_visible()
    expect(panel.get_by_role("button", name="Apply")).to_be_disabled()
    page.reload()
    expect(page.locator(".remsim-jobview-confirming, .remsim-jobview-running")).to_be_visible()
    expect(page.locator(".remsim-jobview-done")).to_be_visible(timeout=60_000)
    expect(page.locator(".remsim-facts").first).to_contain_text(re.compile("Slot\\s*2"), timeout=20_000)
    service.request("modems/modem1/sim-slot", method="POST", body={"slot": 1, "confirm_s": 0})
    service.wait_for("jobs", lambda answer: all(job["ended_at"] for job in answer["jobs"]), 60)
    all_online(service)


def test_identifiers_are_masked_until_they_are_asked_for(visit) -> None:
    page = opened(visit, "modem1", "sim")
    facts = page.locator(".remsim-facts").first
    expect(facts).to_contain_text("•••")
    page.get_by_role("button", name="Show the numbers in full").click()
    expect(facts).not_to_contain_text("•••")
    page.get_by_role("link", name="Log").click()
    page.get_by_role("link", name="SIM", exact=True).click()
    expect(facts).to_contain_text("•••")


def test_bands_without_service_go_back_and_the_form_says_why(visit, service: RunningService) -> None:
    page = opened(visit, "modem1", "settings")
    panel = action(page, "radio-settings")
    panel.get_by_label("Technology").select_option(label="LTE only")
    bands = panel.get_by_role("group", name="LTE bands")
    bands.get_by_role("button", name="None of LTE bands").click()
    bands.get_by_label("B71").check()
    expect(bands).to_contain_text(re.compile("1 of \\d+"))
    panel.get_by_text("Advanced").click()
    panel.get_by_label("Undo if there is no service after").fill("5")
    panel.get_by_role("button", name="Apply").click()
    agree(page, "Its connection is gone")
    expect(panel.locator(".remsim-problem:visible")).to_contain_text("the change was undone", timeout=60_000)
    expect(page.locator(".remsim-jobview-failed")).to_contain_text("found no service")
    modem = service.wait_for("modems/modem1", lambda one: one["state"] == "online", 60)
    assert modem["state"] == "online"


def test_a_change_that_cuts_the_page_off_is_undone(visit, service: RunningService) -> None:
    page = opened(visit, "modem2", "settings")
    page.route("**/confirm", lambda route: route.abort())
    panel = action(page, "radio-settings")
    panel.get_by_label("LTE only").check()
    panel.get_by_text("Advanced").click()
    panel.get_by_label("Undo unless confirmed within").fill("7")
    panel.get_by_role("button", name="Apply").click()
    agree(page, "within 7 s")
    job = page.locator(".remsim-jobview-confirming")
    expect(job).to_be_visible(timeout=60_000)
    expect(job.locator(".remsim-job-count")).to_contain_text(re.compile("undone in \\d+ s"))
    expect(page.locator(".remsim-jobview-failed")).to_contain_text("nobody confirmed", timeout=60_000)
    expect(panel.locator(".remsim-problem:visible")).to_contain_text("the change was undone")
    all_online(service)
    visit.complaints[:] = [one for one in visit.complaints if "ERR_FAILED" not in one]


def test_a_change_can_be_undone_by_hand_while_it_waits(visit, service: RunningService) -> None:
    page = opened(visit, "modem2", "settings")
    panel = action(page, "radio-settings")
    panel.get_by_label("LTE only").check()
    panel.get_by_role("button", name="Apply").click()
    agree(page, "Its connection is gone")
    page.get_by_role("button", name="Undo now").click(timeout=60_000)
    expect(page.locator(".remsim-jobview-aborted")).to_contain_text("undone", timeout=60_000)
    all_online(service)


def test_a_cell_of_the_table_fills_the_form_that_ties_to_it(visit) -> None:
    page = opened(visit, "modem1", "signal")
    row = page.get_by_role("group", name="Cells").locator("tr", has_text="neighbour").first
    pci = row.locator("td").nth(2).inner_text()
    row.get_by_role("button").click()
    panel = page.locator("[data-action='cell-lock']")
    expect(panel.locator("input:checked").or_(panel.get_by_label("Other LTE cells"))).not_to_have_count(0)
    typed = panel.locator("form").evaluate(
        "one => [...one.querySelectorAll('label:has(input:checked)')].map(label => label.textContent).join() + "
        "[...one.querySelectorAll('input[type=text]')].map(input => input.value).join()"
    )
    assert pci in typed


def test_messages_come_in_are_read_answered_and_deleted(visit, service: RunningService) -> None:
    page = opened(visit, "modem2", "sms")
    expect(page.get_by_text("No message is stored.")).to_be_visible()
    body = {"modem": "modem2", "pdu": MESSAGE}
    assert service.request("simulation/messages", method="POST", body=body)[0] == 202
    thread = page.locator(".remsim-thread")
    expect(thread).to_contain_text("1 new", timeout=20_000)
    thread.get_by_role("button").first.click()
    expect(thread.locator(".remsim-message-text")).to_have_text("Hello")
    expect(thread).not_to_contain_text("1 new")
    thread.get_by_role("button", name="Answer").click()
    expect(page.get_by_label("To")).to_have_value(re.compile("\\+?\\d+"))
    page.get_by_role("textbox", name="Message").fill("Hello to you")
    expect(page.get_by_text("1 message · 148 characters left")).to_be_visible()
    page.get_by_role("textbox", name="Message").fill("Grüße 😀")
    expect(page.get_by_text(re.compile("1 message · 62 characters left"))).to_be_visible()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".remsim-jobview-done")).to_be_visible(timeout=20_000)
    assert len(simulator(service).sent_sms(service.get("modems/modem2")["usb_path"])) == 1
    thread.get_by_role("button", name=re.compile("Delete")).click()
    agree(page, "Hello")
    expect(page.get_by_text("No message is stored.")).to_be_visible(timeout=20_000)


def test_a_search_lists_networks_and_one_of_them_is_chosen(visit, service: RunningService) -> None:
    page = opened(visit, "modem3", "settings")
    panel = action(page, "scan")
    panel.get_by_role("button", name="Search for networks").click()
    agree(page, "Data may stop")
    found = page.get_by_role("group", name="Networks found")
    expect(found.locator("tbody tr").first).to_contain_text("in use", timeout=60_000)
    other = found.locator("tr", has=page.get_by_role("button", name="Use this network")).first
    plmn = other.locator("td").nth(1).inner_text()
    other.get_by_role("button").click()
    form = page.locator("[data-action='operator'] form")
    expect(form.get_by_label("This network only")).to_be_checked(timeout=15_000)
    expect(form.get_by_label("MCC and MNC")).to_have_value(plmn)


def test_the_console_answers_decodes_remembers_and_refuses(visit) -> None:
    page = opened(visit, "modem1", "console")
    line = page.get_by_label("Command")
    line.fill("AT+CSQ")
    line.press("Enter")
    script = page.get_by_role("log")
    expect(script).to_contain_text(re.compile("\\+CSQ: \\d+"))
    expect(script).to_contain_text("rssi dbm")
    line.press("ArrowUp")
    expect(line).to_have_value("AT+CSQ")
    line.press("ArrowDown")
    expect(line).to_have_value("")
    line.fill("AT+QPOWD=1")
    line.press("Enter")
    expect(script.locator(".remsim-problem")).to_contain_text("is not sent")
    visit.complaints[:] = [one for one in visit.complaints if "422" not in one]


def test_a_pin_is_entered_where_it_is_asked_for(visit, service: RunningService) -> None:
    fault(service, "modem3", "sim_pin")
    service.wait_for("modems/modem3", lambda one: one["state"] == "sim_pin", 60)
    page = opened(visit, "modem3", "sim")
    expect(page.get_by_text("PIN tries left: 3")).to_be_visible(timeout=20_000)
    panel = page.locator("[data-action='pin']")
    pin = panel.get_by_label("PIN", exact=False).first
    expect(pin).to_be_visible(timeout=20_000)
    pin.fill("12")
    panel.locator("button[type=submit]").click()
    expect(panel.locator(".remsim-field-error:visible")).to_contain_text("has not 4 to 8 characters")
    expect(pin).to_have_attribute("aria-invalid", "true")
    expect(pin).to_be_focused()
    pin.fill("4321")
    panel.locator("button[type=submit]").click()
    expect(panel.locator(".remsim-problem:visible").first).to_contain_text("PIN", timeout=30_000)
    expect(page.get_by_text("PIN tries left: 2")).to_be_visible(timeout=30_000)
    panel.get_by_label("PIN", exact=False).first.fill("1234")
    panel.locator("button[type=submit]").click()
    expect(page.get_by_text("The SIM is ready")).to_be_visible(timeout=60_000)
    fault(service, "modem3", "clear")
    all_online(service)


@pytest.mark.parametrize("visit", [PHONE], indirect=True, ids=["phone"])
def test_the_antenna_is_aimed_with_one_huge_number_and_a_tone(visit) -> None:
    page = opened(visit, "modem1", "signal")
    page.get_by_role("link", name="Aim the antenna").tap()
    aim = page.get_by_role("dialog", name="Aim the antenna")
    value = aim.locator(".remsim-aim-value")
    expect(value).to_have_text(re.compile("−\\d+"))
    assert value.evaluate("one => parseFloat(getComputedStyle(one).fontSize)") > 90
    box = aim.locator(".remsim-aim-number").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    expect(aim.locator(".remsim-aim-range")).to_contain_text("highest")
    aim.get_by_role("button", name="SINR", exact=True).tap()
    expect(aim.locator(".remsim-aim-unit")).to_have_text(" dB")
    tone = aim.get_by_role("button", name="Tone")
    expect(tone).to_have_attribute("aria-pressed", "false")
    tone.tap()
    expect(tone).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(aim).to_have_count(0)
    expect(page.locator(".remsim-big").first).to_be_visible()


def test_the_aiming_view_is_silent_about_a_modem_that_is_not_heard(visit, service: RunningService) -> None:
    page = opened(visit, "modem2", "aim")
    aim = page.get_by_role("dialog", name="Aim the antenna")
    expect(aim.locator(".remsim-aim-word")).to_contain_text(re.compile("excellent|good|fair|poor"))
    fault(service, "modem2", "silence")
    expect(aim).to_have_class(re.compile("remsim-aim-stale"), timeout=20_000)
    fault(service, "modem2", "clear")
    expect(aim).not_to_have_class(re.compile("remsim-aim-stale"), timeout=60_000)
    page.keyboard.press("Escape")
    expect(aim).to_have_count(0)
    all_online(service)


def test_what_the_service_refuses_is_told_at_its_field(visit) -> None:
    page = opened(visit, "modem1", "settings")
    panel = action(page, "apn")
    apn = panel.get_by_label("APN")
    apn.fill("two words")
    panel.get_by_role("button", name="Apply").click()
    expect(panel.locator(".remsim-field-error:visible")).to_contain_text("letters, digits, dots and hyphens")
    expect(apn).to_be_focused()
    problem = {"detail": "apn: is not one of yours", "field": "apn", "hint": "ask the operator", "status": 422}
    page.route(
        "**/modems/modem1/apn",
        lambda route: route.fulfill(status=422, content_type="application/problem+json", body=json.dumps(problem)),
    )
    apn.fill("internet2")
    panel.get_by_role("button", name="Apply").click()
    agree(page, "The connection is made anew")
    expect(panel.locator(".remsim-field-error:visible")).to_have_text(
        "APN is not one of yours (ask the operator)."
    )
    expect(apn).to_have_attribute("aria-invalid", "true")
    visit.complaints[:] = [one for one in visit.complaints if "422" not in one]


def test_a_running_operation_shows_on_the_dashboard_and_is_aborted(visit, service: RunningService) -> None:
    simulator(service).set_time_scale(1)
    try:
        status, job = service.request("modems/modem3/scan", method="POST", body={})
        assert status == 202, job
        page = visit.open("/")
        card = page.locator(".remsim-card", has_text="FM350")
        expect(card.locator(".remsim-doing")).to_contain_text(re.compile("search", re.IGNORECASE))
        card.get_by_role("link").first.click()
        page.locator(".remsim-modem").get_by_role("link", name="Settings").click()
        page.locator("[data-action='apn'] summary").first.click()
        expect(page.locator("[data-action='apn']")).to_contain_text("The modem is busy")
        page.get_by_role("button", name="Abort").click()
        expect(page.locator(".remsim-jobview-aborted")).to_be_visible(timeout=30_000)
        expect(page.locator("[data-action='apn'] form")).to_be_visible(timeout=30_000)
    finally:
        simulator(service).set_time_scale(0.03)
    all_online(service)


def test_no_modem_leads_to_what_is_on_the_bus_and_a_text_to_copy(visit) -> None:
    def without_modems(route: Any) -> None:
        state = route.fetch().json()
        route.fulfill(json={**state, "modems": [], "readings": []})

    visit.page.route("**/api/v1/state*", without_modems)
    page = visit.open("/modems")
    expect(page.get_by_text("No modem was found.")).to_be_visible()
    report = page.get_by_label("Text for a report")
    expect(report).to_have_value(re.compile("Looked for USB"))
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text(re.compile("copied|Ctrl\\+C"))).to_be_visible()


@pytest.mark.parametrize("visit", [PHONE], indirect=True, ids=["phone"])
def test_why_a_value_is_unknown_is_told_to_a_finger(visit) -> None:
    page = visit.open("/")
    card = page.locator(".remsim-card", has_text="EM7565")
    card.locator("dd", has_text="–").first.get_by_role("button").tap()
    expect(card.locator(".remsim-whybox")).to_contain_text("5G RSRP: no 5G cell is used now")


@pytest.mark.parametrize("visit", [{}, DARK, PHONE], indirect=True, ids=["light", "dark", "phone"])
def test_axe_finds_nothing_on_any_tab(visit) -> None:
    page = visit.open("/modems")
    page.evaluate(AXE.read_text())
    found = []
    for tab in (*TABS, "aim"):
        page.evaluate(f"location.hash = '#modem=modem1&tab={tab}'")
        page.wait_for_timeout(700)
        if tab in ("sim", "settings"):
            page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
            expect(page.locator("form").first).to_be_visible()
            page.wait_for_timeout(1500)
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], tab
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [
            (tab, one["id"], [node["target"] for node in one["nodes"]][:3], one["nodes"][0]["failureSummary"][:300])
            for one in result["violations"]
        ]
    assert found == [], found


@pytest.mark.parametrize("visit", [PHONE], indirect=True, ids=["phone"])
def test_everything_that_is_pressed_on_a_phone_is_large_enough(visit) -> None:
    page = opened(visit, "modem1", "settings", action="radio-settings")
    expect(page.locator("form:visible").first).to_be_visible(timeout=15_000)
    small = page.evaluate(
        """[...document.querySelectorAll('button, select, summary, .remsim-check, .remsim-tabs a, input[type=text]')]
            .filter(one => one.offsetParent && one.getBoundingClientRect().height < 44)
            .map(one => one.outerHTML.slice(0, 90))"""
    )
    assert small == []


def test_the_first_start_leads_a_locked_sim_to_the_internet(visit, service: RunningService) -> None:
    fault(service, "modem2", "sim_pin")
    page = visit.open("/start")
    guide = page.locator("[data-modem='modem2']")
    expect(guide.locator("[aria-current=step]")).to_contain_text("SIM ready", timeout=10000)
    guide.get_by_label("PIN", exact=False).first.fill("1234")
    guide.get_by_role("button", name="Apply").click()
    expect(guide.locator(".remsim-guide-done")).to_have_count(4, timeout=30000)
    expect(guide.get_by_role("status").first).to_contain_text("On the Internet")
    expect(page.locator(".remsim-head")).to_contain_text("3 of 3 ready")
    page.evaluate(AXE.read_text())
    assert page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"] == []
