"""Every page of the menu: it opens without error, asks for little, speaks the user's language, beside a busy LuCI."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest
from luci.host import LuciHost
from luci.rights import MENU_FILE
from luci.visit import Visit
from playwright.sync_api import Page, expect
from running import RunningService

Begin = Callable[..., Visit]
NODES = [path for path, node in json.loads(MENU_FILE.read_text()).items() if node["action"]["type"] == "view"]
OURS = "/luci-static/resources/"
MOST_BYTES = 600_000
MOST_WARM_BYTES = 50_000
LATENCY_MS = 150
TRIES = 4


def shown(page: Page) -> None:
    """The page says something of its own, and its first requests are answered."""
    expect(page.locator("#view :is(.remsim, .cbi-map, form) >> visible=true").first).to_be_visible(timeout=15000)
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("write", [True, False], ids=["write", "read"])
@pytest.mark.parametrize("path", NODES, ids=lambda path: path.rpartition("/")[2])
def test_every_page_of_the_menu_opens_without_an_error(visit: Begin, path: str, write: bool) -> None:
    one = visit(write=write)
    if path.endswith("/access") and not write:
        one.expected = re.compile("status of 403")  # Chromium's own words: the page says who may look
    page = one.open(path)
    shown(page)
    expect(page.locator("#view")).not_to_contain_text(re.compile("undefined|NaN|Invalid Date|\\[object"))


class Traffic:
    """What a page asks for: when, and how many bytes come for it."""

    def __init__(self, page: Page) -> None:
        self.asked: dict[str, dict[str, Any]] = {}
        self.cdp = page.context.new_cdp_session(page)
        self.cdp.send("Network.enable")
        self.cdp.on("Network.requestWillBeSent", self._begins)
        self.cdp.on("Network.loadingFinished", self._ends)

    def _begins(self, told: dict[str, Any]) -> None:
        self.asked[told["requestId"]] = {"url": told["request"]["url"], "at": told["timestamp"], "bytes": 0}

    def _ends(self, told: dict[str, Any]) -> None:
        if told["requestId"] in self.asked:
            self.asked[told["requestId"]] |= {"bytes": told["encodedDataLength"], "end": told["timestamp"]}

    @property
    def ours(self) -> list[dict[str, Any]]:
        named = [one for one in self.asked.values() if re.search(r"resources/(view/)?remsim/|/remsim/api/", one["url"])]
        return sorted(named, key=lambda one: one["at"])

    def rounds(self) -> list[list[str]]:
        """Requests that were made while none before them was answered, as far as one depends on the other."""
        waves: list[list[dict[str, Any]]] = []
        for one in self.ours:
            if not waves or one["at"] > waves[-1][0]["at"] + LATENCY_MS / 1000 * 0.7:
                waves.append([])
            waves[-1].append(one)
        return [[one["url"].partition("/resources/")[2] or one["url"] for one in wave] for wave in waves]


@pytest.mark.parametrize("path", NODES, ids=lambda path: path.rpartition("/")[2])
def test_a_page_is_small_and_smaller_the_second_time(visit: Begin, path: str) -> None:
    one = visit()
    page = one.page
    traffic = Traffic(page)
    one.open(path)
    shown(page)
    cold = sum(one["bytes"] for one in traffic.ours)
    assert cold <= MOST_BYTES
    traffic.asked.clear()
    page.reload()
    shown(page)
    warm = sum(one["bytes"] for one in traffic.ours)
    assert 0 < warm <= MOST_WARM_BYTES


def waves_of(one: Visit, path: str) -> list[list[str]]:
    """What one page asks for over a slow link, by the answers it waits for."""
    traffic = Traffic(one.page)
    link = {"offline": False, "latency": LATENCY_MS, "downloadThroughput": -1, "uploadThroughput": -1}
    traffic.cdp.send("Network.emulateNetworkConditions", link)
    shown(one.open(f"admin/services/remsim/{path}"))
    return traffic.rounds()


@pytest.mark.parametrize("path", ["overview", "modems", "diagnostics"])
def test_a_page_needs_four_round_trips_after_luci_has_begun(visit: Begin, path: str) -> None:
    """The view; the classes; modules, styles, Chart.js and state; then what the state shows is needed.

    A browser that gets no processor stretches a wave until it looks like two, but not each time; an import that only
    another module tells of does.
    """
    for _ in range(TRIES):
        rounds = waves_of(visit(), path)
        modules = [wave for wave in rounds if any("remsim/app/" in url for url in wave)]
        if len(modules) == 1:
            break
    first = next(at for at, wave in enumerate(rounds) if any("view/remsim/" in url for url in wave))
    assert len(modules) == 1, "a module was asked for only when another one had come: run script/manifest"
    assert any("/api/state" in url for url in modules[0]), "the state comes along with the modules"
    assert rounds.index(modules[0]) - first == 2


@contextmanager
def taken(host: LuciHost, number: int = 3) -> Iterator[None]:
    """Slots that other pages of LuCI hold."""
    with ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(host.slots.one())
        yield


def test_a_page_waits_for_a_slot_and_then_goes_on(visit: Begin, host: LuciHost) -> None:
    one = visit()
    page = one.open("admin/services/remsim/modems")
    shown(page)
    with taken(host):
        page.wait_for_timeout(2500)  # longer than the page's two seconds
        expect(page.locator(".remsim-link")).to_contain_text("polling")
    expect(page.locator(".remsim-row")).to_have_count(3)
    one.asks("state", len(one.relayed("state")) + 1)


def test_a_page_is_usable_when_two_slots_are_taken_by_others_for_good(visit: Begin, host: LuciHost) -> None:
    with taken(host, 2):
        page = visit().open("admin/services/remsim/diagnostics")
        shown(page)
        expect(page.locator(".remsim-check-ok").first).to_be_visible(timeout=15000)


def po() -> Any:
    loader = SourceFileLoader("script_po", str(Path(__file__).parents[2] / "script" / "po"))
    spec = spec_from_loader("script_po", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_a_page_speaks_the_language_of_luci(visit: Begin, host: LuciHost) -> None:
    """What LuCI makes of a catalogue: texts by the hash of what they translate; values stay in their places."""
    key_of = po().key_of
    german = {"Everything works.": "Alles geht.", "%s of %s online": "%s von %s online", "why?": "warum?"}
    host.translations = {f"{key_of(text):08x}": told for text, told in german.items()}
    page = visit().open("admin/services/remsim/diagnostics")
    expect(page.locator(".remsim-verdict")).to_have_text("Alles geht.", timeout=15000)
    expect(page.locator(".remsim-linkstate a")).to_have_text("warum?")
    page.goto(f"{host.base}/cgi-bin/luci/admin/services/remsim/modems")
    expect(page.locator(".remsim-head")).to_contain_text("3 von 3 online")


@pytest.mark.parametrize("may", [True, False], ids=["who may", "who may not"])
def test_luci_s_status_overview_has_a_row_for_each_modem(
    visit: Begin, luci_source: Path | None, service: RunningService, may: bool
) -> None:
    if luci_source is None:
        pytest.skip("the test host has no status overview of LuCI's; run with --luci-src")
    one = visit(write=False)
    if not may:
        one.session.rights["access-group"].pop("luci-app-remsim")
    one.expected = re.compile("Access denied|RPC")
    page = one.open("admin/status/overview")
    expect(page.locator("#view h3", has_text="Storage")).to_be_visible(timeout=15000)
    rows = page.locator("a[href*='services/remsim/modems#modem=']")
    expect(rows).to_have_count(3 if may else 0)
    assert one.relayed("modems") == ([200] if may else [])


def test_several_tabs_of_luci_share_one_stream(visit: Begin, host: LuciHost, service: RunningService) -> None:
    host.uci["remsim_console"]["web"]["listen"] = f"0.0.0.0:{service.port}"
    host.allowed_hosts.add(f"127.0.0.1:{service.port}")
    one = visit()
    one.context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined });")  # plain HTTP
    page, other = one.open("admin/services/remsim/modems"), one.context.new_page()
    expect(page.locator(".remsim-link")).to_have_text("live", timeout=10000)
    other.goto(f"{host.base}/cgi-bin/luci/admin/services/remsim/about")
    expect(other.locator(".remsim-link")).to_have_text("live", timeout=10000)
    assert service.get("state")["stream"]["open"] == 1
    assert one.relayed("tickets", "POST") == [200]
