"""The Overview page in LuCI: live, paused, read-only, without its service, light and dark."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from luci.host import LuciHost
from luci.visit import Visit
from playwright.sync_api import Page, expect
from running import RunningService, free_port

Begin = Callable[..., Visit]
CARD = ".remsim-card"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
# Chromium's own words about an answer that is no success; the page says it in its own.
HTTP_ERROR = re.compile("the server responded with a status of (403|503)|preloaded using link preload but not used")
HIDE = "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); "
HIDE += "document.dispatchEvent(new Event('visibilitychange')); }"


def listen(host: LuciHost, address: str) -> None:
    """Set what the router's configuration says of the service."""
    host.uci["remsim_console"]["web"]["listen"] = address


def expect_moving_values(page: Page) -> None:
    expect(page.locator(CARD)).to_have_count(3)
    sent = page.locator(CARD).first.locator(".remsim-commands")
    expect(sent).to_contain_text(re.compile(r"\d"))
    before = sent.inner_text()
    expect(sent).not_to_have_text(before, timeout=15000)


def expect_charts(page: Page) -> None:
    """The charts are drawn and nothing more is asked for them."""
    drawn = "() => Object.values(window.Chart?.instances ?? {}).filter(chart => chart.data.datasets.length).length >= 1"
    page.wait_for_function(drawn, timeout=20000)
    quiet = "() => performance.now() - Math.max(...performance.getEntriesByType('resource').filter(one => "
    quiet += "/api.(series|timeline|events)/.test(one.name)).map(one => one.responseEnd)) > 700"
    page.wait_for_function(quiet, timeout=20000)


def test_the_page_is_found_in_the_menu_and_shows_each_modem(visit: Begin, service: RunningService) -> None:
    page = visit().open("admin/services/remsim")
    expect(page.locator(CARD)).to_have_count(3)
    for modem in service.get("modems")["modems"]:
        expect(page.locator(CARD, has_text=modem["model"])).to_contain_text(re.compile(r"−\d+\sdBm"))
    tab = page.locator("#tabmenu a", has_text="Overview")
    expect(tab).to_have_attribute("href", "/cgi-bin/luci/admin/services/remsim/overview")
    expect(page.locator("#topmenu")).to_contain_text("Remote SIM")
    expect(page.locator(".cbi-page-actions")).to_have_count(0)
    expect_charts(page)


def test_values_move_by_polling_through_the_relay_alone(visit: Begin, host: LuciHost) -> None:
    one = visit()
    page = one.open()
    expect(page.locator(".remsim-link")).to_have_text(re.compile("^polling every"))
    expect_moving_values(page)
    assert set(one.relayed("state")) == {200}
    assert one.relayed("tickets", "POST") == []


@pytest.mark.parametrize("write", [True, False])
def test_the_stream_is_used_where_the_browser_reaches_the_service(
    visit: Begin, host: LuciHost, service: RunningService, write: bool
) -> None:
    listen(host, f"0.0.0.0:{service.port}")
    host.allowed_hosts.add(f"127.0.0.1:{service.port}")
    one = visit(write=write)
    page = one.open()
    expect(page.locator(".remsim-link")).to_have_text("live")
    expect_moving_values(page)
    assert service.get("state")["stream"]["open"] == 1
    assert one.relayed("tickets", "POST") == [200]


def test_a_stream_that_a_hidden_tab_closed_is_opened_again_at_once(
    visit: Begin, host: LuciHost, service: RunningService
) -> None:
    listen(host, f"0.0.0.0:{service.port}")
    host.allowed_hosts.add(f"127.0.0.1:{service.port}")
    page = visit().open()
    link = page.locator(".remsim-link")
    expect(link).to_have_text("live")
    page.evaluate(HIDE, True)
    expect(link).to_have_text("paused")
    service.wait_for("state", lambda answer: answer["stream"]["open"] == 0)
    page.evaluate(HIDE, False)
    expect(link).to_have_text("live", timeout=10_000)


def test_nothing_goes_on_once_something_else_is_in_the_pages_place(visit: Begin) -> None:
    one = visit()
    page = one.open()
    expect_charts(page)
    page.evaluate("L.dom.content(document.getElementById('view'), [])")
    page.wait_for_function("Object.keys(Chart.instances).length === 0", timeout=10000)
    one.rests()


def test_an_unreachable_stream_falls_back_to_polling(visit: Begin, host: LuciHost) -> None:
    listen(host, f"127.0.0.1:{host.uci['remsim_console']['web']['listen'].split(':')[1]}")
    one = visit()
    one.expected = re.compile("ERR_CONNECTION_REFUSED")
    # The page reads the address as a router's owner set it; the relay goes where the service is.
    one.page.route("**/ubus/**", lambda route: answer_with(route, host, f"0.0.0.0:{free_port()}"), times=50)
    page = one.open()
    expect(page.locator(".remsim-link")).to_have_text(re.compile("^polling every"), timeout=15000)
    assert one.relayed("tickets", "POST") == [200]
    expect_moving_values(page)


def answer_with(route, host: LuciHost, address: str) -> None:
    """Let the host answer and put another address of the service in."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace(host.uci["remsim_console"]["web"]["listen"], address))


def test_a_service_that_is_down_is_said_and_started_from_the_page(
    visit: Begin, host: LuciHost, service: RunningService
) -> None:
    listen(host, f"127.0.0.1:{free_port()}")
    one = visit()
    one.expected = HTTP_ERROR
    page = one.open()
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    expect(page.get_by_role("alert")).to_contain_text("tries again")
    started: list[str] = []

    def start(line: str) -> dict[str, object]:
        started.append(line)
        listen(host, f"127.0.0.1:{service.port}")
        return {"code": 0}

    host.execute = start
    page.get_by_role("button", name="Start it").click()
    expect(page.locator(CARD)).to_have_count(3, timeout=15000)
    assert started == ["/etc/init.d/remsim-console start"]
    expect(page.get_by_role("alert").filter(has_text="does not answer")).to_have_count(0)


def test_a_router_that_is_away_is_said_in_plain_words(visit: Begin) -> None:
    one = visit()
    one.expected = re.compile("ERR_FAILED")
    page = one.open()
    expect_charts(page)
    page.route("**/remsim/api/**", lambda route: route.abort())
    expect(page.locator(".remsim-link")).to_contain_text("(The router does not answer.)")
    page.unroute("**/remsim/api/**")
    expect(page.locator(".remsim-link")).to_have_text(re.compile("^polling every"), timeout=15000)


def test_a_start_that_fails_says_why(visit: Begin, host: LuciHost) -> None:
    listen(host, f"127.0.0.1:{free_port()}")
    host.execute = lambda line: {"code": 1, "stderr": "no space left"}
    one = visit()
    one.expected = HTTP_ERROR
    page = one.open()
    page.get_by_role("button", name="Start it").click()
    expect(page.locator(".alert-message.danger")).to_contain_text("no space left")


def test_a_page_without_service_shows_it_as_soon_as_it_answers(
    visit: Begin, host: LuciHost, service: RunningService
) -> None:
    listen(host, f"127.0.0.1:{free_port()}")
    one = visit(write=False)
    one.expected = HTTP_ERROR
    page = one.open()
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    expect(page.get_by_role("button", name="Start it")).to_have_count(0)
    listen(host, f"127.0.0.1:{service.port}")
    expect(page.locator(CARD)).to_have_count(3, timeout=15000)


def test_a_reading_login_sees_all_and_changes_nothing(visit: Begin, service: RunningService) -> None:
    one = visit(write=False)
    one.expected = HTTP_ERROR
    page = one.open()
    expect_moving_values(page)
    expect(page.get_by_label("Polling period")).to_have_count(0)
    expect(page.locator(CARD).first.locator("select:visible, button:not(.remsim-why):visible")).to_have_count(0)
    before = service.get("modems/modem1")["period_s"]
    for method, path in (("PATCH", "modems/modem1"), ("POST", "simulation/faults"), ("DELETE", "modems/modem1")):
        status = page.evaluate(
            """([method, path]) => fetch(L.url('admin/services/remsim/api', path), {
                method, body: JSON.stringify({ period_s: 7, modem: 'modem1', fault: 'unplug' }),
                headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${L.env.token}` }
            }).then(answer => answer.status)""",
            [method, path],
        )
        assert status == 403, (method, path)
    assert service.get("modems/modem1")["period_s"] == before
    assert [modem["state"] for modem in service.get("modems")["modems"]] == ["online"] * 3


def test_a_writing_login_sets_the_polling_period(visit: Begin, service: RunningService) -> None:
    page = visit().open()
    period = page.locator(CARD, has_text="EM7565").get_by_label("Polling period")
    period.select_option("2")
    modem = next(one["id"] for one in service.get("modems")["modems"] if one["model"] == "EM7565")
    service.wait_for(f"modems/{modem}", lambda answer: answer["period_s"] == 2)
    period.select_option("1")
    service.wait_for(f"modems/{modem}", lambda answer: answer["period_s"] == 1)


def test_pausing_luci_pauses_the_page(visit: Begin) -> None:
    one = visit()
    page = one.open()
    expect(page.locator(".remsim-link")).to_have_text(re.compile("^polling every"))
    expect_charts(page)
    page.locator("#indicators [data-indicator=poll-status]").click()
    expect(page.locator(".remsim-link")).to_have_text("paused")
    one.rests()
    page.locator("#indicators [data-indicator=poll-status]").click()
    expect(page.locator(".remsim-link")).to_have_text(re.compile("^polling every"))
    expect_moving_values(page)


def test_a_hidden_tab_does_not_keep_the_login_alive(visit: Begin) -> None:
    one = visit()
    page = one.open()
    expect_charts(page)
    page.evaluate(HIDE, True)
    one.rests()
    page.evaluate(HIDE, False)
    expect_moving_values(page)


def test_a_tab_opened_behind_others_asks_no_more_than_the_first_time(visit: Begin) -> None:
    one = visit()
    one.page.add_init_script(f"({HIDE})(true)")
    page = one.open()
    link = page.locator(".remsim-link")
    page.wait_for_function("L.Poll.active()")  # which LuCI tells the page
    expect(link).to_have_text("paused")
    page.evaluate(HIDE, False)
    expect(link).to_have_text(re.compile("^polling every"))


def test_a_lost_session_opens_the_login_and_stops_asking(visit: Begin) -> None:
    one = visit()
    one.expected = re.compile("403|Login session is expired")
    page = one.open()
    expect_charts(page)
    one.session.alive = False
    expect(page.locator("#modal_overlay")).to_contain_text("Session expired")
    one.rests()


def test_the_page_leaves_a_script_slot_to_the_rest_of_luci(visit: Begin, host: LuciHost) -> None:
    page = visit().open()
    expect_charts(page)
    host.slots.most_used = 0
    page.get_by_role("button", name="6h", exact=True).click()
    page.wait_for_timeout(1500)
    assert 1 <= host.slots.most_used <= 2


def test_an_export_is_downloaded_through_luci(visit: Begin) -> None:
    page = visit().open()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Export CSV").click()
    assert waiting.value.suggested_filename.endswith(".csv")
    assert "rsrp_dbm" in waiting.value.path().read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_themes_scheme(visit: Begin, scheme: str) -> None:
    page = visit(color_scheme=scheme).open()
    expect_charts(page)
    expect(page.locator(".remsim")).to_have_attribute("data-remsim-scheme", scheme)
    for place in (".remsim-head", f"{CARD} > header"):
        look = page.locator(place).first.evaluate(
            "node => [getComputedStyle(node).backgroundImage, getComputedStyle(node).backgroundColor]"
        )
        assert look == ["none", "rgba(0, 0, 0, 0)"], f"the theme's head shows through {place}"


def test_the_range_bar_stays_in_sight_below_the_themes_head(visit: Begin) -> None:
    page = visit().open()
    expect_charts(page)
    page.mouse.move(640, 700)
    page.mouse.wheel(0, 900)
    page.wait_for_function("document.querySelector('.remsim-cards').getBoundingClientRect().bottom < 0")
    on_top = "button => { const box = button.getBoundingClientRect(); "
    on_top += "return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === button; }"
    assert page.get_by_role("button", name="6h", exact=True).evaluate(on_top)
    bar = page.locator(".remsim-toolbar").evaluate("bar => getComputedStyle(bar).backgroundColor")
    assert not bar.startswith("rgba"), "charts show through"


def test_what_a_theme_says_of_plain_elements_ends_at_the_dashboard(visit: Begin) -> None:
    page = visit().open()
    expect(page.locator(CARD)).to_have_count(3)
    selects = page.locator(f"{CARD} footer select")
    expect(selects).to_have_count(6)
    boxes = [box for box in (select.bounding_box() for select in selects.all()[:2]) if box]
    assert boxes[0]["y"] == boxes[1]["y"], "the foot's margin of theme bootstrap"


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_the_page_is_as_dark_as_a_theme_that_does_not_say(visit: Begin, host: LuciHost, ground: str) -> None:
    host.theme_tells_scheme = False
    one = visit(color_scheme="dark")
    dark = "document.addEventListener('DOMContentLoaded', () => { document.body.style.background = '#111'; })"
    if ground == "dark":
        one.page.add_init_script(dark)
    page = one.open()
    expect(page.locator(CARD)).to_have_count(3)
    expect(page.locator(".remsim")).to_have_attribute("data-remsim-scheme", ground)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_one_column_without_scrolling_sideways(visit: Begin, scheme: str) -> None:
    page = visit(color_scheme=scheme, **PHONE).open()
    expect_charts(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = [card.bounding_box() for card in page.locator(CARD).all()]
    assert len({round(box["x"]) for box in boxes if box}) == 1
