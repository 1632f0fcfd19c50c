"""What the views rely on in LuCI's client runtime: our own host answers as LuCI does (run with ``--luci-src``)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from luci.visit import Visit
from playwright.sync_api import Page, expect


@pytest.fixture
def page(visit: Callable[..., Visit]) -> Page:
    one = visit()
    one.expected = re.compile("ERR_FAILED")  # Chromium's own words about a request that a test stops
    page = one.open()
    expect(page.locator(".remsim-card")).to_have_count(3)
    return page


@pytest.mark.parametrize(
    ("made", "markup"),
    [
        ("E('p', {}, ['<b>a</b>', 1, null, undefined])", "<p>&lt;b&gt;a&lt;/b&gt;1</p>"),
        ("E('p', {}, '<b>a</b>')", "<p><b>a</b></p>"),
        ("E('p', {}, [['a', 'b']])", "<p>a,b</p>"),
        ("E('p', ['a', E('i')])", "<p>a<i></i></p>"),
        ("E('p', { 'hidden': null, 'data-a': 0, 'title': '\"' })", '<p data-a="0" title="&quot;"></p>'),
        ("L.dom.content(E('p', {}, ['a']), 'b').parentNode", "<p>b</p>"),
        ("(node => (L.dom.append(node, 'b'), node))(E('p', {}, ['a']))", "<p>b</p>"),
    ],
)
def test_elements_are_made_of_texts_and_markup(page: Page, made: str, markup: str) -> None:
    assert page.evaluate(f"{made}.outerHTML") == markup


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ("'%s of %d'.format('a', 3.7)", "a of 3"),
        ("'%h'.format('<&>')", "&#60;&#38;&#62;"),
        ("'%05.1f %x %%'.format(3.14159, 255)", "003.1 ff %"),
        ("L.url('admin', 'a/b')", "/cgi-bin/luci/admin/a/b"),
        ("L.resource('remsim/luci.css')", "/luci-static/resources/remsim/luci.css"),
        ("L.url('admin', 'a b')", "/cgi-bin/luci/admin"),
    ],
)
def test_texts_and_addresses(page: Page, text: str, is_: str) -> None:
    assert page.evaluate(text) == is_


def test_the_poll_loop_begins_with_the_first_entry_and_not_while_it_is_paused(page: Page) -> None:
    page.wait_for_function("L.Poll.active()")
    page.evaluate("window.calls = []; window.one = () => { calls.push(1); }; L.Poll.add(one, 1)")
    assert page.evaluate("L.Poll.add(one, 1)") is False
    page.wait_for_function("calls.length > 1")
    assert page.evaluate("[L.Poll.stop(), L.Poll.active(), L.Poll.stop()]") == [True, False, False]
    page.evaluate("calls.length = 0; L.Poll.remove(one); L.Poll.add(one, 1)")
    page.wait_for_timeout(1500)
    assert page.evaluate("[L.Poll.active(), calls.length]") == [False, 0]
    assert page.evaluate("L.Poll.start()") is True
    page.wait_for_function("calls.length > 0")


def test_requests(page: Page) -> None:
    seen: list[str] = []
    page.on("request", lambda request: seen.append(f"{request.method} {request.url.partition('/api/')[2]}"))
    ask = "options => L.Request.request(L.url('admin/services/remsim/api/modems'), { cache: true, ...options })"
    answer = f"({ask})({{ query: {{ a: 'b c', d: null }} }}).then(answer => [answer.ok, answer.status])"
    assert page.evaluate(answer) == [True, 200]
    assert "GET modems?a=b%20c&d" in seen
    lost = f"({ask})({{ timeout: 1 }}).then(() => null, error => error.message)"
    page.route("**/api/modems", lambda route: route.abort())
    assert page.evaluate(lost).startswith("XHR request ")


def test_notes_and_modal_windows(page: Page) -> None:
    page.evaluate("L.require('ui').then(ui => ui.addNotification('<i>a</i>', E('p', {}, ['b']), 'danger'))")
    note = page.locator("#maincontent > .alert-message.danger")
    expect(note.locator("h4 i")).to_have_text("a")
    expect(note.locator("p")).to_have_text("b")
    page.evaluate("L.require('ui').then(ui => ui.showModal('title', [E('p', {}, ['text'])]))")
    expect(page.locator("#modal_overlay h4")).to_have_text("title")
    page.evaluate("L.require('ui').then(ui => ui.hideModal())")
    expect(page.locator("#modal_overlay h4")).to_be_hidden()
