"""Alerts as an admin has them: a rule with its preview, what fires and ends, silences, channels with a test."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from accessibility import AXE
from playwright.sync_api import Locator, Page, expect
from running import RunningService, running_service

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
DARK = {"color_scheme": "dark"}
NO_SIM = {
    "name": "no_sim", "label": "SIM <b>lost</b>", "source": "state", "measure": "state", "comparison": "is",
    "threshold": "no_sim", "severity": "critical",
}  # fmt: skip


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service of its own: what its modems go through would be seen by the other tests."""
    with running_service(tmp_path_factory.mktemp("alerts"), "--simulate=3", "--backfill", "3h") as running:
        running.wait_for("modems", lambda answer: [modem["state"] for modem in answer["modems"]] == ["online"] * 3)
        running.wait_for("jobs", lambda answer: all(job["state"] == "done" for job in answer["jobs"]), 60)
        yield running


@pytest.fixture(autouse=True)
def bare(service: RunningService) -> Iterator[None]:
    """Each test begins and ends without rules, channels, silences and faults."""
    yield
    for rule in service.get("alert-rules")["rules"]:
        service.request(f"alert-rules/{rule['name']}", method="DELETE")
    for channel in service.get("alert-channels")["channels"]:
        service.request(f"alert-channels/{channel['name']}", method="DELETE")
    for silence in service.get("silences")["silences"]:
        service.request(f"silences/{silence['id']}", method="DELETE")
    fault(service, "clear")


def fault(service: RunningService, name: str) -> None:
    status, answer = service.request("simulation/faults", method="POST", body={"modem": "modem2", "fault": name})
    assert status == 202, answer


def rule(service: RunningService, **values: Any) -> None:
    status, answer = service.request("alert-rules", method="POST", body=NO_SIM | values)
    assert status == 201, answer


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Alerts").get_by_role("link", name=re.compile(f"^{name}")).click()


def firing(page: Page) -> Locator:
    return page.locator(".remsim-alert-firing")


def test_a_preset_is_looked_at_with_the_past_changed_and_added(visit, service: RunningService) -> None:
    page = visit.open("/alerts")
    page.get_by_role("link", name="Choose from the presets").click()
    page.get_by_role("link", name="Look at it: Poor signal").click()
    expect(page.get_by_role("heading", name="New rule")).to_be_focused()
    expect(page.locator(".remsim-rule-sentence")).to_have_text("RSRP below −110\u202fdBm for 5\u202fmin, any modem")
    preview = page.get_by_label("Preview")
    expect(preview).to_contain_text(re.compile("It would (not )?have fired"))
    page.get_by_label("Limit").fill("-60")
    page.get_by_label("For *", exact=False).first.fill("0")
    expect(page.locator(".remsim-rule-sentence")).to_have_text("RSRP below −60\u202fdBm, any modem")
    expect(preview.locator(".remsim-strip-line rect").first).to_be_attached()
    expect(preview).to_contain_text(re.compile("It would have fired (once|\\d+ times)"))
    page.get_by_label("Limit").fill("low")
    expect(preview).to_contain_text("The preview waits for the rule: Limit is not a number")
    page.get_by_role("button", name="Add this rule").click()
    expect(page.locator(".remsim-field-error:visible")).to_have_text("Limit is not a number.")
    expect(page.get_by_label("Limit")).to_be_focused()
    page.get_by_label("Limit").fill("−140")
    page.get_by_role("button", name="Add this rule").click()
    expect(page.get_by_role("status").filter(has_text="Poor signal is saved.")).to_be_visible()
    expect(page.locator(".remsim-entry", has_text="Poor signal").first).to_contain_text("RSRP below −140\u202fdBm")
    assert [(one["name"], one["threshold"]) for one in service.get("alert-rules")["rules"]] == [("signal_poor", -140.0)]
    expect(page.get_by_text("No channel is set up")).to_be_visible()


def test_another_source_asks_for_what_it_has(visit, service: RunningService) -> None:
    page = visit.open("/alerts#tab=rules&rule=%2B")
    page.get_by_label("Name").fill("Restarts at night")
    page.get_by_label("Looks at").select_option(label="Events, counted")
    expect(page.get_by_label("Looks at")).to_be_focused()
    expect(page.get_by_label("Hysteresis")).to_have_count(0)
    page.get_by_label("Which").select_option(label="Restarted")
    page.get_by_label("How often").fill("2")
    expect(page.locator(".remsim-rule-sentence")).to_contain_text("at least 2 times within 10\u202fmin")
    page.get_by_label("Looks at").select_option(label="A state of a modem")
    page.get_by_label("No SIM", exact=True).check()
    page.get_by_label("SIM error").check()
    page.get_by_role("button", name="Add this rule").click()
    expect(page.locator(".remsim-entry", has_text="Restarts at night")).to_contain_text("State is No SIM or SIM error")
    made = service.get("alert-rules/restarts_at_night")
    assert (made["source"], made["threshold"]) == ("state", "no_sim,sim_error")


def test_an_alert_fires_is_acknowledged_silenced_and_ends(visit, service: RunningService) -> None:
    rule(service)
    page = visit.open("/alerts")
    expect(page.get_by_text("Nothing fires.")).to_be_visible()
    fault(service, "sim_removed")
    alert = firing(page)
    expect(alert).to_contain_text("SIM <b>lost</b>", timeout=20_000)
    expect(alert).to_contain_text("✖ Critical")
    expect(alert).to_contain_text("EM7565")
    badge = page.locator(".remsim-firing")
    expect(badge).to_contain_text("1 firing · worst: Critical")
    alert.get_by_role("button", name="Acknowledge").press("Enter")
    expect(alert).to_contain_text("Acknowledged by")
    expect(alert).to_be_focused()
    expect(alert.get_by_role("button", name="Acknowledge")).to_be_hidden()
    alert.get_by_text("Silence", exact=True).click()
    alert.get_by_label("Why").fill("<i>new card</i> on Monday")
    alert.get_by_role("button", name="8 hours").click()
    expect(alert).to_contain_text("Silenced: no message is sent.")
    tab(page, "Silences")
    entry = page.locator(".remsim-entry", has_text="SIM <b>lost</b>")
    expect(entry).to_contain_text("<i>new card</i> on Monday")
    expect(entry).to_contain_text(re.compile("8\\sh left|7\\sh 59\\smin left"))
    entry.get_by_role("button", name="End now").click()
    expect(page.get_by_text("Nothing is silenced.")).to_be_visible()
    page.goto(service.base + "/events")
    page.locator(".remsim-firing").click()
    expect(firing(page)).to_have_count(1)
    fault(service, "sim_inserted")
    expect(firing(page)).to_have_count(0, timeout=30_000)
    expect(page.locator(".remsim-alert-resolved").first).to_contain_text("SIM <b>lost</b>")
    expect(page.locator(".remsim-firing")).to_be_hidden()


def test_a_rule_is_switched_off_and_deleted_by_its_name(visit, service: RunningService) -> None:
    rule(service)
    page = visit.open("/alerts#tab=rules")
    switch = page.get_by_role("switch", name="SIM <b>lost</b> is in use")
    switch.press("Space")
    expect(page.get_by_role("status").filter(has_text="is off.")).to_be_visible()
    expect(switch).to_be_focused()
    assert service.get("alert-rules/no_sim")["enabled"] is False
    page.get_by_role("link", name="SIM <b>lost</b>").click()
    page.get_by_label("Name").fill("Another name")
    tab(page, "Channels")
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("Leave without saving?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.get_by_label("Name")).to_have_value("Another name")
    page.get_by_role("button", name="Delete this rule").click()
    expect(dialog).to_contain_text("Delete the rule SIM <b>lost</b>?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Delete SIM").click()
    expect(page.get_by_text("There is no rule yet.")).to_be_visible()
    assert service.get("alert-rules")["rules"] == []


class Receiver(BaseHTTPRequestHandler):
    """Takes every message, or refuses it."""

    got: list[dict[str, Any]]
    status = 200

    def do_POST(self) -> None:
        self.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(type(self).status)
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Nothing on the test's output."""


@pytest.fixture
def receiver() -> Iterator[HTTPServer]:
    Receiver.got, Receiver.status = [], 200
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_channel_is_added_tested_and_says_why_it_fails(
    visit, service: RunningService, receiver: HTTPServer
) -> None:
    page = visit.open("/alerts#tab=channels")
    expect(page.get_by_text("There is no channel yet")).to_be_visible()
    page.get_by_role("link", name="Add: Webhook").click()
    page.get_by_label("Name").fill("Office")
    page.get_by_label("Address").fill("ftp://somewhere")
    page.get_by_role("button", name="Add this channel").click()
    expect(page.locator(".remsim-field-error:visible")).to_contain_text("https://HOST/PATH")
    page.get_by_label("Address").fill(f"http://127.0.0.1:{receiver.server_port}/hook")
    page.get_by_role("textbox", name="Secret").fill("correct horse")
    page.get_by_label("May reach the local network").check()
    with page.expect_response("**/api/v1/alert-channels*") as answered:
        page.get_by_role("button", name="Add this channel").click()
    if not answered.value.ok:  # a browser's own log-in may not reach the local network
        status, answer = service.request(
            "alert-channels",
            method="POST",
            body={
                "name": "office", "type": "webhook", "label": "Office", "secret": "correct horse",
                "url": f"http://127.0.0.1:{receiver.server_port}/hook", "allow_private": True,
            },
        )  # fmt: skip
        assert status == 201, answer
        page.goto(service.base + "/alerts")
        page.goto(service.base + "/alerts#tab=channels")
    entry = page.locator(".remsim-entry[data-channel='office']")
    expect(entry).to_contain_text("nothing was sent yet")
    entry.get_by_role("button", name="Test Office").click()
    expect(entry).to_contain_text("✓ The test was sent.", timeout=20_000)
    assert len(Receiver.got) == 1
    assert "alerts" in Receiver.got[0]
    Receiver.status = 500
    entry.get_by_role("button", name="Test Office").click()
    expect(entry.locator(".remsim-problem").first).to_contain_text("✖", timeout=30_000)
    entry.get_by_role("link", name="Office").click()
    expect(page.get_by_role("textbox", name="Secret")).to_have_value("")
    expect(page.get_by_text("Is set; left empty it stays as it is.")).to_be_visible()
    visit.complaints[:] = [one for one in visit.complaints if not re.search("422|403", one)]


RECORDER = """
window.told = [];
window.Notification = class {
    static permission = 'default';
    static async requestPermission() {
        localStorage.setItem('granted', '1');
        return this.permission = 'granted';
    }
    constructor(title, { body }) { window.told.push(body); }
};
if (localStorage.getItem('granted'))
    window.Notification.permission = 'granted';
"""


def test_the_browser_tells_by_what_it_has(visit, service: RunningService) -> None:
    rule(service)
    visit.page.add_init_script(RECORDER)
    page = visit.open("/alerts")
    page.get_by_text("Tell me in this browser").click()
    page.get_by_label("Notification of the browser").check()
    page.get_by_label("Count in the title of the tab").check()
    page.goto(service.base + "/events")
    fault(service, "sim_removed")
    expect(page).to_have_title(re.compile("^\\(1\\) remsim"), timeout=20_000)
    page.wait_for_function("window.told.length === 1")
    assert "SIM <b>lost</b>" in page.evaluate("window.told[0]")
    fault(service, "sim_inserted")
    expect(page).to_have_title(re.compile("^remsim"), timeout=30_000)


@pytest.mark.parametrize("visit", [{}, DARK, PHONE], indirect=True, ids=["light", "dark", "phone"])
def test_axe_finds_nothing_on_any_tab_of_the_alerts_page(visit, service: RunningService) -> None:
    rule(service)
    body = {"name": "log", "type": "syslog"}
    assert service.request("alert-channels", method="POST", body=body)[0] == 201
    assert service.request("silences", method="POST", body={"rule": "no_sim", "range": "1h"})[0] == 201
    fault(service, "sim_removed")
    page = visit.open("/alerts")
    expect(firing(page)).to_have_count(1, timeout=20_000)
    page.evaluate(AXE.read_text())
    found = []
    tabs = ("now", "rules", "rules&rule=no_sim", "rules&preset=signal_poor", "channels", "channels&channel=log")
    for address in (*tabs, "channels&type=smtp", "silences"):
        page.evaluate(f"location.hash = '#tab={address}'")
        page.wait_for_timeout(600)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], address
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [(address, one["id"], [node["target"] for node in one["nodes"]][:3]) for one in result["violations"]]
        small = page.evaluate(
            """[...document.querySelectorAll('.remsim button, .remsim select, .remsim summary, .remsim-check')]
                .filter(one => one.offsetParent && one.getBoundingClientRect().height < 44)
                .map(one => one.outerHTML.slice(0, 90))"""
        )
        assert page.viewport_size["width"] > 640 or small == [], (address, small)
    assert found == [], found
