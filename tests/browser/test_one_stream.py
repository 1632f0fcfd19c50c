"""Several pages of one browser share one stream: the server sees one, and nothing is lost when its holder goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from running import RunningService

WITHOUT_LOCKS = "Object.defineProperty(navigator, 'locks', { value: undefined });"  # as over plain HTTP
WITHOUT_CHANNEL = "delete window.BroadcastChannel;"
LISTEN = """(() => {
    const Real = window.EventSource;
    window.sources = [];
    window.EventSource = class extends Real { constructor(url) { super(url); window.sources.push(this); } };
})();"""
OPEN_SOURCES = "window.sources.filter(one => one.readyState === 1).length"


@pytest.fixture(params=["locks", "storage"])
def context(request: pytest.FixtureRequest, browser: Browser, service: RunningService) -> Iterator[BrowserContext]:
    context = browser.new_context()
    context.add_init_script(LISTEN)
    if request.param == "storage":
        context.add_init_script(WITHOUT_LOCKS)
    page = context.new_page()
    page.goto(service.login_url())
    page.close()
    yield context
    context.close()


@pytest.fixture
def open_page(context: BrowserContext, service: RunningService) -> Callable[[str], Page]:
    def open_page(path: str) -> Page:
        page = context.new_page()
        page.goto(f"{service.base}/{path}")
        expect(page.locator(".remsim-link")).to_have_text("live", timeout=10000)
        return page

    return open_page


def streams(service: RunningService, number: int) -> None:
    service.wait_for("state", lambda answer: answer["stream"]["open"] == number)


def until_it_leads(page: Page) -> None:
    """The page's policy lets no script be evaluated, so it is asked again and again."""
    for _ in range(200):
        if page.evaluate(OPEN_SOURCES) == 1:
            return
        page.wait_for_timeout(50)
    raise AssertionError("nobody took over")


def values_move(page: Page) -> None:
    """A card's count of commands goes on."""
    counted = page.locator(".remsim-commands").first
    before = counted.inner_text()
    expect(counted).not_to_have_text(before, timeout=10000)


def test_pages_share_one_stream_and_all_of_them_move(
    open_page: Callable[[str], Page], service: RunningService
) -> None:
    first, second, third = open_page(""), open_page(""), open_page("modems")
    streams(service, 1)
    assert sum(page.evaluate(OPEN_SOURCES) for page in (first, second, third)) == 1
    for page in (first, second):
        values_move(page)


def test_another_page_takes_over_without_loss_when_the_holder_is_closed(
    open_page: Callable[[str], Page], service: RunningService
) -> None:
    first, second = open_page(""), open_page("")
    holder, other = (first, second) if first.evaluate(OPEN_SOURCES) else (second, first)
    assert other.evaluate(OPEN_SOURCES) == 0
    modes = "document.querySelector('.remsim-link').className"
    other.evaluate(f"window.modes = new Set(); setInterval(() => window.modes.add({modes}), 20)")
    holder.close(run_before_unload=False)
    until_it_leads(other)
    streams(service, 1)
    values_move(other)
    assert other.evaluate("[...window.modes]") == ["remsim-link remsim-link-live"]
    asked = other.evaluate("window.sources.at(-1).url")
    assert int(asked.partition("last_event_id=")[2]) > 0


def test_a_page_alone_has_its_own_stream_where_the_browser_keeps_pages_apart(
    browser: Browser, service: RunningService
) -> None:
    context = browser.new_context()
    context.add_init_script(LISTEN + WITHOUT_CHANNEL)
    page = context.new_page()
    page.goto(service.login_url())
    expect(page.locator(".remsim-link")).to_have_text("live", timeout=10000)
    assert page.evaluate(OPEN_SOURCES) == 1
    context.close()
