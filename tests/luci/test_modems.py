"""The Modems page in LuCI: looking, acting through the relay, the way back, rights, themes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from luci.host import LuciHost
from luci.visit import Visit
from playwright.sync_api import Locator, Page, expect
from running import RunningService, free_port

Begin = Callable[..., Visit]
PATH = "admin/services/remsim/modems"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
# Chromium's own words about an answer that is no success; the page says it in its own.
HTTP_ERROR = re.compile("Failed to load resource: the server responded with a status of (403|409|503)")
HIDE = "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); "
HIDE += "document.dispatchEvent(new Event('visibilitychange')); }"
PRIMARY = "btn cbi-button cbi-button-action important"
JOB = ".remsim-jobview"
AUTOMATIC = {"mode": "auto", "confirm_s": 0}
# Where a theme says nothing, as some do of an input's size, the pages' own style sheet may.
LOOK = """node => { const style = getComputedStyle(node); return ['backgroundColor', 'backgroundImage', 'borderRadius',
    'paddingLeft', 'textTransform', 'boxShadow'
].map(name => `${name}: ${style[name]}`).concat(parseFloat(style.borderTopWidth) ? style.borderTop : ''); }"""


def id_of(service: RunningService, model: str) -> str:
    """The modem of a model."""
    return str(next(one["id"] for one in service.get("modems")["modems"] if one["model"] == model))


def free(service: RunningService, model: str) -> str:
    """The modem of a model, online and with nothing under way."""
    modem = id_of(service, model)
    is_free: Callable[[dict[str, Any]], bool] = lambda one: one["state"] == "online" and one["operation"] is None  # noqa: E731
    service.wait_for(f"modems/{modem}", is_free, 60)
    return modem


def open_tab(one: Visit, modem: str, tab: str) -> Page:
    page = one.open(f"{PATH}#modem={modem}&tab={tab}")
    expect(page.locator(".remsim-modem h2")).to_be_visible()
    return page


def panel(page: Page, action: str) -> Locator:
    """The panel of an action, unfolded and with its form."""
    found = page.locator(f"[data-action={action}]")
    found.locator("> summary").click()
    expect(found.locator(".remsim-form")).to_be_visible(timeout=15000)
    return found


def agree(page: Page) -> None:
    """Answer the question what may be cut off."""
    page.locator("dialog .cbi-button-negative, dialog .cbi-button-action").click()


def choose_lte(page: Page) -> None:
    """Ask for LTE alone, which waits for a confirmation."""
    found = panel(page, "radio-settings")
    found.get_by_label("Technology").select_option(label="LTE only")
    found.get_by_role("button", name="Apply").click()
    agree(page)


@pytest.fixture
def automatic(service: RunningService) -> Any:
    """The Fibocom, whose technology is automatic again afterwards."""
    modem = free(service, "FM350-GL")
    yield modem
    for job in service.get("jobs")["jobs"]:
        if job["ended_at"] is None and job["modem"] == modem and job["can_abort"]:
            service.request(f"jobs/{job['id']}/abort", method="POST")
    free(service, "FM350-GL")
    status, _job = service.request(f"modems/{modem}/radio-settings", body=AUTOMATIC, method="POST")
    assert status == 202
    free(service, "FM350-GL")
    service.request(f"modems/{modem}/desired", method="DELETE")


def test_the_page_is_in_the_menu_and_lists_each_modem(visit: Begin, service: RunningService) -> None:
    one = visit()
    page = one.open()
    tab = page.locator("#tabmenu a", has_text="Modems")
    expect(tab).to_have_attribute("href", f"/cgi-bin/luci/{PATH}")
    tab.click()
    for modem in service.get("modems")["modems"]:
        expect(page.locator(".remsim-row", has_text=modem["model"])).to_contain_text("Online on")
    expect(page.locator(".remsim-link")).to_have_text(re.compile("^polling every"))
    expect(page.locator(".cbi-page-actions")).to_have_count(0)
    assert set(one.relayed("state")) == {200}


def test_a_card_of_the_overview_leads_to_its_modem(visit: Begin, service: RunningService) -> None:
    page = visit().open()
    page.locator(".remsim-card", has_text="EM7565").get_by_role("link", name=re.compile("EM7565")).click()
    expect(page).to_have_url(re.compile(f"/{PATH}#modem={id_of(service, 'EM7565')}"))
    expect(page.locator(".remsim-modem h2")).to_contain_text("EM7565")


def test_every_tab_shows_something(visit: Begin, service: RunningService) -> None:
    page = open_tab(visit(), free(service, "RM520N-GL"), "signal")
    expect(page.locator(".remsim-tab")).to_contain_text(re.compile(r"−\d+\sdBm"))
    for tab, text in {
        "SIM": "SIM",
        "Settings": "Choose technology and bands",
        "SMS": "No message is stored.",
        "Console": "AT console",
        "Log": "found at USB",
    }.items():
        page.locator(".remsim-tabs").get_by_role("link", name=tab, exact=True).click()
        expect(page.locator(".remsim-tab")).to_contain_text(text, timeout=10000)


def test_a_change_is_confirmed_through_the_relay_and_told_with_its_author(
    visit: Begin, service: RunningService, automatic: str
) -> None:
    one = visit(user="anna")
    page = open_tab(one, automatic, "settings")
    choose_lte(page)
    expect(page.locator(JOB)).to_contain_text("The router is reached: kept in", timeout=40000)
    expect(page.locator(f"{JOB}.remsim-jobview-done")).to_be_visible(timeout=20000)
    assert one.relayed(f"modems/{automatic}/radio-settings", "POST") == [202]
    assert one.relayed("jobs/", "POST") == [200]
    expect(page.locator("[data-action=radio-settings] .remsim-result")).to_contain_text("read back from the modem")
    told = service.get(f"events?kind=control&modem={automatic}")["events"][0]["data"]
    assert (told["action"], told["actor"], told["result"]) == ("radio-settings", "anna through LuCI", "done")
    form = service.get(f"modems/{automatic}/radio-settings/form")
    assert form["properties"]["mode"]["default"] == "lte"


def test_a_change_is_undone_at_once_when_the_user_wants_it(
    visit: Begin, service: RunningService, automatic: str
) -> None:
    page = open_tab(visit(), automatic, "settings")
    choose_lte(page)
    page.locator(JOB).get_by_role("button", name="Undo now").click(timeout=40000)
    expect(page.locator(JOB)).to_contain_text("aborted", timeout=40000)
    assert service.get(f"modems/{automatic}/radio-settings/form")["properties"]["mode"]["default"] == "auto"


def test_a_hidden_tab_confirms_what_was_asked_for_there_and_then_rests(
    visit: Begin, service: RunningService, automatic: str
) -> None:
    one = visit()
    page = open_tab(one, automatic, "settings")
    choose_lte(page)
    expect(page.locator(JOB)).to_be_visible()
    page.evaluate(HIDE, True)
    ended: Callable[[Any], bool] = lambda answer: answer["jobs"][-1]["state"] == "done"  # noqa: E731
    service.wait_for("jobs", ended, 60)
    expect(page.locator(".remsim-link")).to_have_text("paused", timeout=20000)
    one.rests()


def test_a_job_survives_a_reload_and_is_aborted_after_it(visit: Begin, service: RunningService) -> None:
    modem = free(service, "EM7565")
    one = visit()
    page = open_tab(one, modem, "settings")
    panel(page, "scan").get_by_role("button", name="Search for networks").click()
    agree(page)
    expect(page.locator(JOB)).to_contain_text("searching")
    one.expected = re.compile("409")  # the forms of a modem that is busy
    page.reload()
    expect(page.locator(JOB)).to_contain_text("Search for networks")
    expect(page.locator(".remsim-row", has_text="EM7565")).to_contain_text("Search for networks")
    page.locator(JOB).get_by_role("button", name="Abort").click()
    expect(page.locator(JOB)).to_contain_text("aborted", timeout=20000)
    free(service, "EM7565")


def test_acting_goes_on_with_a_page_that_was_paused(visit: Begin, service: RunningService) -> None:
    modem = free(service, "EM7565")
    page = open_tab(visit(), modem, "settings")
    found = panel(page, "scan")
    page.locator("#indicators [data-indicator=poll-status]").click()
    expect(page.locator(".remsim-link")).to_have_text("paused")
    found.get_by_role("button", name="Search for networks").click()
    agree(page)
    expect(page.locator(".remsim-link")).to_have_text(re.compile("^polling every"))
    expect(page.locator("#indicators [data-indicator=poll-status]")).to_have_text("Refreshing")
    page.locator(JOB).get_by_role("button", name="Abort").click()
    expect(page.locator(JOB)).to_contain_text("aborted", timeout=20000)
    free(service, "EM7565")


def test_a_slow_modem_does_not_hold_the_state_up(visit: Begin, service: RunningService, host: LuciHost) -> None:
    """One request that asks a modem at a time: the other of the page's two slots is for what comes from memory."""
    one = visit()
    page = open_tab(one, free(service, "RM520N-GL"), "settings")
    held: list[Any] = []
    page.route("**/radio-settings/form", lambda route: held.append(route))
    page.route("**/lock*/form", lambda route: held.append(route))
    host.slots.most_used = 0
    for name in ("radio-settings", "operator", "apn"):
        page.locator(f"[data-action={name}] > summary").click()
    page.wait_for_timeout(1500)
    assert len(held) == 1
    one.asks("state", len(one.relayed("state")) + 2)
    assert one.relayed(f"modems/{id_of(service, 'RM520N-GL')}/apn/form") == []
    held[0].continue_()
    expect(page.locator("[data-action=apn] .remsim-form")).to_be_visible(timeout=15000)
    assert host.slots.most_used <= 2


def test_the_console_answers_a_login_that_may_use_it(visit: Begin, service: RunningService) -> None:
    page = open_tab(visit(), free(service, "RM520N-GL"), "console")
    page.get_by_label("Command").fill("ATI")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".remsim-script pre")).to_contain_text("RM520N", timeout=10000)


def test_a_login_without_the_consoles_right_is_told_so(visit: Begin, service: RunningService) -> None:
    one = visit(own=False)
    one.expected = HTTP_ERROR
    modem = free(service, "RM520N-GL")
    page = open_tab(one, modem, "console")
    expect(page.locator(".remsim-tab")).to_contain_text("This login may not use the AT console.")
    expect(page.get_by_role("button", name="Send")).to_have_count(0)
    status = page.evaluate(
        """modem => fetch(L.url('admin/services/remsim/api/modems', modem, 'at'), {
            method: 'POST', body: JSON.stringify({ command: 'ATI' }),
            headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${L.env.token}` }
        }).then(answer => answer.status)""",
        modem,
    )
    assert status == 403


def test_a_reading_login_looks_at_everything_and_is_offered_nothing(visit: Begin, service: RunningService) -> None:
    one = visit(write=False)
    one.expected = HTTP_ERROR
    page = open_tab(one, free(service, "RM520N-GL"), "signal")
    expect(page.locator("#view")).to_contain_text("This login may look but change nothing.")
    for tab in ("Signal & cells", "SIM", "Settings", "SMS", "Console"):
        page.locator(".remsim-tabs").get_by_role("link", name=tab, exact=True).click()
        for summary in page.locator("details.remsim-action:not([open]) > summary").all():
            if summary.is_visible():
                summary.click()
        page.wait_for_timeout(800)
        acting = page.locator(f".remsim-tab :is(.{PRIMARY.replace(' ', '.')}, .cbi-button-negative):visible:enabled")
        for button in acting.all():
            assert button.inner_text() == "Aim the antenna", tab
        enabled = ".remsim-tab .remsim-form :is(input, select, textarea):visible:enabled"
        expect(page.locator(enabled), tab).to_have_count(0)
    expect(page.locator(".remsim-tab")).to_contain_text("needs the right to change settings")
    assert not [answer for answer in one.answers if answer[0] in ("POST", "DELETE", "PATCH") and "/api/" in answer[1]]


@pytest.mark.parametrize("write", [True, False])
def test_a_service_that_is_down_is_said_here_too(
    visit: Begin, host: LuciHost, service: RunningService, write: bool
) -> None:
    host.uci["remsim_console"]["web"]["listen"] = f"127.0.0.1:{free_port()}"
    one = visit(write=write)
    one.expected = HTTP_ERROR
    page = one.open(PATH)
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    expect(page.get_by_role("button", name="Start it")).to_have_count(int(write))
    host.uci["remsim_console"]["web"]["listen"] = f"127.0.0.1:{service.port}"
    expect(page.locator(".remsim-row")).to_have_count(3, timeout=15000)


def test_without_a_modem_it_is_told_what_was_looked_for(visit: Begin) -> None:
    one = visit()
    empty = {"modems": [], "readings": [], "events": [], "jobs": []}
    one.page.route("**/api/state*", lambda route: route.fulfill(json={**route.fetch().json(), **empty}))
    page = one.open(PATH)
    nothing = page.locator(".remsim-nothing")
    expect(nothing).to_contain_text("No modem was found")
    expect(nothing.get_by_role("button", name="Copy")).to_be_visible()
    assert one.relayed("detection") == [200]


def test_a_lost_session_opens_the_login_and_stops_asking(visit: Begin) -> None:
    one = visit()
    one.expected = re.compile("403|Login session is expired")
    page = one.open(PATH)
    expect(page.locator(".remsim-row")).to_have_count(3)
    one.session.alive = False
    expect(page.locator("#modal_overlay")).to_contain_text("Session expired")
    one.rests()


@pytest.mark.parametrize(
    ("theme", "scheme"),
    [("bootstrap", "light"), ("bootstrap", "dark"), ("material", "light"), ("openwrt2020", "light")],
)
def test_buttons_and_inputs_look_as_the_themes_own(
    visit: Begin, host: LuciHost, service: RunningService, luci_source: Path | None, theme: str, scheme: str
) -> None:
    if luci_source is None:
        pytest.skip("the test host has no theme of LuCI's; run with --luci-src")
    host.theme, host.theme_tells_scheme = theme, theme == "bootstrap"
    page = open_tab(visit(color_scheme=scheme), free(service, "RM520N-GL"), "settings")
    found = panel(page, "operator")
    page.evaluate(
        f"""document.getElementById('view').append(E('p', {{ id: 'reference' }}, [
            E('button', {{ 'class': '{PRIMARY}' }}, ['x']), E('input', {{ type: 'text' }})
        ]))"""
    )
    own = page.locator("#reference")
    for ours, theirs in (
        (found.get_by_role("button", name="Apply"), own.locator("button")),
        (found.locator("input[type=text]").first, own.locator("input[type=text]")),
    ):
        assert ours.evaluate(LOOK) == theirs.evaluate(LOOK)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_every_tab_without_scrolling_sideways(
    visit: Begin, service: RunningService, scheme: str
) -> None:
    page = open_tab(visit(color_scheme=scheme, **PHONE), free(service, "RM520N-GL"), "settings")
    panel(page, "radio-settings")
    for tab in ("Settings", "SIM", "SMS", "Console", "Log", "Signal & cells"):
        page.locator(".remsim-tabs").get_by_role("link", name=tab, exact=True).click()
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, tab


def test_the_aiming_view_covers_luci_and_goes_back(visit: Begin, service: RunningService) -> None:
    page = open_tab(visit(**PHONE), free(service, "RM520N-GL"), "signal")
    page.get_by_role("link", name="Aim the antenna").click()
    aim = page.locator(".remsim-aim")
    expect(aim).to_contain_text(re.compile(r"−?\d+"))
    on_top = "node => node.contains(document.elementFromPoint(innerWidth / 2, 10))"
    assert aim.evaluate(on_top), "the theme's head is above it"
    aim.get_by_role("button", name="Close").click()
    expect(aim).to_have_count(0)
