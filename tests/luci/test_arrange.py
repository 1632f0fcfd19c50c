"""The dashboard is arranged in LuCI as on the service's own page, by who may write."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from luci.host import LuciHost
from luci.visit import Visit
from playwright.sync_api import Page, expect
from running import RunningService

Begin = Callable[..., Visit]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def arranged(page: Page) -> None:
    """A note is added and saved."""
    page.get_by_role("button", name="Arrange").click()
    page.get_by_role("button", name="Add widget …").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Notes")).click()
    page.get_by_role("dialog").get_by_label("Text").fill("antenna\non the mast")
    page.get_by_role("dialog").get_by_role("button", name="Apply").click()
    page.get_by_role("button", name="Save …").click()
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("region", name="Notes")).to_contain_text("on the mast")


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_each_login_has_its_own_arrangement(visit: Begin, service: RunningService, options: dict) -> None:
    one = visit(**options)
    page = one.open("admin/services/remsim/overview")
    expect(page.locator(".remsim-card")).to_have_count(3)
    arranged(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.reload()
    expect(page.get_by_role("region", name="Notes")).to_contain_text("antenna")
    other = visit(user="ops").open("admin/services/remsim/overview")
    expect(other.locator(".remsim-card")).to_have_count(3)
    expect(other.get_by_role("region", name="Notes")).to_have_count(0)
    page.get_by_role("button", name="Arrange").click()
    page.get_by_role("button", name="Layouts …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Delete mine").click()
    dialog.get_by_role("button", name="Delete mine").click()
    expect(dialog.get_by_role("button", name="Delete mine")).to_have_count(0)


def test_who_may_only_look_arranges_nothing(visit: Begin) -> None:
    page = visit(write=False).open("admin/services/remsim/overview")
    expect(page.locator(".remsim-card")).to_have_count(3)
    expect(page.get_by_role("button", name="Arrange")).to_be_hidden()
    expect(page.get_by_role("button", name="Wall …")).to_have_count(0)


def test_a_wall_gets_its_link_where_the_service_can_be_reached(
    visit: Begin, host: LuciHost, service: RunningService
) -> None:
    host.uci["remsim_console"]["web"]["listen"] = f"0.0.0.0:{service.port}"
    one = visit()
    one.host.allowed_hosts.add(f"127.0.0.1:{service.port}")
    page = one.open("admin/services/remsim/overview")
    page.get_by_role("button", name="Wall …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Make a link").click()
    expect(dialog.get_by_label("The wall's link")).to_have_value(
        re.compile(rf"^http://127\.0\.0\.1:{service.port}/wall\?token=")
    )
