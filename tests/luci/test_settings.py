"""LuCI's form of the settings: the same options and bounds as the service's, saved by LuCI itself."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from accessibility import AXE
from luci.host import LuciHost
from luci.relay import APP
from luci.ubus import staged
from luci.visit import Visit
from playwright.sync_api import Page, expect
from remsim.config.fields import Options
from remsim.config.settings import SECTIONS
from remsim.remotesim.client_file import DEAD
from remsim.web.config import form_of

OPTIONS = APP / "htdocs/luci-static/resources/remsim/options.js"
VIEW = APP / "htdocs/luci-static/resources/view/remsim/settings.js"
Begin = Callable[..., Visit]
EDITED = [row for row in SECTIONS.values() if row.page in (None, "remote-sim")]
HOSTILE = "<b>&lt;img src=x&gt;</b>"
"""Markup, and what becomes markup when the tags are taken out of it."""

PROGRAM = Path(__file__).parent / "read_options.js"


def table(checks: list[tuple[str, ...]] | None = None) -> dict[str, Any]:
    """The app's table of options, as its browser has it; ``checks`` are values to judge."""
    program = ["node", str(PROGRAM), str(OPTIONS), json.dumps(checks or [])]
    answer: dict[str, Any] = json.loads(subprocess.run(program, check=True, capture_output=True, timeout=20).stdout)
    return answer


def test_every_setting_has_its_option_with_the_same_bounds_words_and_default() -> None:
    found = table()
    sections = found["sections"] | found["remote"]
    names = [f"{kind}.{one['name']}" for kind, rows in sections.items() for one in rows]
    assert sorted(names) == sorted(f"{row.name}.{option}" for row in EDITED for option in row.schema().fields)
    for row in EDITED:
        form = form_of(row)["schema"]
        for option in sections[row.name]:
            wanted = form["properties"][option["name"]]
            where = f"{row.name}.{option['name']}"
            assert (option["title"], option.get("help")) == (wanted["title"], wanted.get("description")), where
            assert option.get("unit") == wanted.get("x-unit"), where
            assert bool(option.get("advanced")) == bool(wanted.get("x-advanced")), where
            assert bool(option.get("needed")) == (option["name"] in form["required"]), where
            assert option.get("most") == wanted.get("maxItems"), where
            assert option.get("longest") == (wanted.get("maxLength") if wanted.get("type") == "string" else None), where
            assert option.get("pattern", "").replace("\\/", "/") == wanted.get("pattern", ""), where
            if "pattern" in wanted:
                assert option["told"] == wanted["x-told"], where
            assert bool(option.get("secret")) == (wanted.get("format") == "password"), where
            whole = wanted.get("type") == "integer"
            bounds = f"and(uinteger,range({wanted['minimum']},{wanted['maximum']}))" if whole else None
            assert option.get("datatype") == bounds, where
            choices = {one["const"]: one["title"] for one in wanted.get("oneOf", ())}
            assert option.get("values", {}) == choices, where
            kind = {"boolean": "Flag", "array": "DynamicList"}.get(wanted.get("type"), "ListValue" if choices else None)
            assert option.get("kind") == kind, where
            default = wanted.get("default")
            shown = (
                {True: "1", False: "0", None: None}.get(default, str(default))
                if not isinstance(default, list)
                else default
            )
            assert option.get("placeholder") == shown, where


VALUES = {
    "service.probe_targets": (
        "icmp:1.1.1.1", "icmp:01.1.1.1", "icmp:256.1.1.1", "icmp:1.1.1", "icmp:1.1.1.1:7", "tcp:1.2.3.4",
        "tcp:1.2.3.4:0", "tcp:1.2.3.4:65536", "tcp:[2001:db8::1]:443", "tcp:[1:2]:443", "dns:9.9.9.9", "dns:9.9.9.9:53",
        "icmp:2001:db8::1", "icmp:1.1.1.1 ", "http:1.1.1.1", "icmp:", "icmp:::1", "icmp:1.1.1.1.", "icmp:1.1.1.1\n",
    ),
    "web.listen": ("0.0.0.0:8090", "[::]:8090", "router.lan:80", "x", "1.2.3.4:70000", "a b:80", "$(id):80"),
    "service.period_s": ("1", "0", "off", "60", "60.5", "0.5", "61", "2.5", "1e1", "-1", "05"),
    "service.data_dir": ("/tmp/a b", "tmp", "/a\nb", "/"),
    "quality.rsrp_dbm": ("-100 -90 -80", "-80 -90 -100", "-100 -90", "1 2 3 4", "a b c", "-1.5 0 1"),
    "modem.usb_path": ("1-1.2", "pci-0000:01:00.0", "1", "../1-1", "1-1;id"),
    "modem.reset_gpio": ("20", "!20", "gpiochip0:20", "../20", "20\n", "٢٠"),
    "remote_client.atr": ("3B00", "3B0", "3b009f", "3B", "3x00", "00" * 55, "00" * 56),
    "remote_client.server_host": (
        "10.0.0.5", "fd00::5", "a", "-a", "a-", "a_b", "a b", "remsim.example.com", "a;id", "a\n",
    ),
    "remote_client.log_categories": ("DMAIN,3:DRSPRO,3", "DMAIN", "dmain", "A B", "$(id)"),
    "remote_client.modem": ("1-1.2", "pci-0000:01:00.0", "1"),
    "remsim_server.url": (
        "http://10.0.0.5:9997", "https://a/b", "HTTP://a", "http://[fd00::5]:9997", "ftp://a", "http://", "http://a:0",
        "http://a:65536", "http://a:65535/", "http://u:p@a", "http://a?b", "http://a#b", "http://a b", "a:9997", "http://ä",
        "http://:80",
    ),
    "remote_sim.gsmtap": ("192.168.1.1", "0.0.0.0", "224.0.0.1", "239.1.1.1", "240.0.0.1", "1.2.3", "x", "127.0.0.1"),
    "ionmesh.mcc_mnc": ("310410", "31041", "3104", "3104100", "31041x"),
    "esim.lpac_path": (
        "/usr/lib/lpac", "/usr/lib/lpac/lpac", "/opt/lpac", "/tmp/lpac", "/usr/bin/reboot", "/usr/../tmp/lpac", "lpac",
        "/usr/lib/lpac ", "/usr/lib/.hidden/lpac",
    ),
    "esim.isdr_aids": (
        "A0000005591010FFFFFFFF8900000100", "A0", "a06573746b", "A0000005591010FFFFFFFF890000010", "x" * 32,
    ),
    "esim.smds": ("lpa.ds.gsma.com", "smds.example.com:8443", "https://x", "a b", "-a"),
    "modem.interface": ("wwan0", "../wwan0", "a" * 16, "wwan0;id"),
}  # fmt: skip


def test_the_browser_takes_and_refuses_what_the_service_does() -> None:
    checks = [(*name.split("."), text) for name, texts in VALUES.items() for text in texts]
    for (kind, name, text), taken in zip(checks, table(checks)["judged"], strict=True):
        assert taken == accepts(SECTIONS[kind].schema(), name, text), (kind, name, text)


def accepts(schema: Options, name: str, text: str) -> bool:
    """Whether the service takes a value."""
    try:
        schema.fields[name].deserialize(text, name, {})
    except Exception as error:
        assert type(error).__name__ == "ValidationError"
        return False
    return True


def test_there_is_no_switch_for_tls_and_what_has_no_effect_cannot_be_changed() -> None:
    found = table()
    edited = {f"{kind}.{one['name']}" for kind, rows in found["client"].items() for one in rows}
    dead = {f"{section}.{option}" for section, option, why in found["dead"]}
    assert edited == {
        "service.enabled", "client.client_id", "client.client_slot", "server.host", "server.port", "server.atr",
        "server.atr_ignore_rspro", "modems.dual_modem", "modem1.device", "modem1.sim_switch_gpio", "modem1.reset_gpio",
        "modem2.sim_switch_gpio", "ionmesh.enabled", "ionmesh.host", "ionmesh.port", "ionmesh.tenant_id",
        "ionmesh.mapping_mode", "ionmesh.mcc_mnc", "advanced.event_script", "monitoring.signal_monitoring",
        "monitoring.signal_interval", "logging.debug", "logging.log_categories",
    }  # fmt: skip
    assert dead == set(DEAD)
    assert not edited & dead
    assert {"security.use_tls", "heartbeat.interval", "routing.force_iot_routing", "modems.device"} <= dead
    interval = next(one for one in found["client"]["monitoring"] if one["name"] == "signal_interval")
    assert interval["datatype"] == "and(uinteger,range(10,600))"


def test_nothing_of_the_old_app_s_holes_is_in_the_new_one() -> None:
    """It built shell lines and HTML from what the configuration said, and changed state by links without a token."""
    texts = [OPTIONS.read_text(), VIEW.read_text()]
    for text in texts:
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|outerHTML|\beval\(|new Function", text)
        assert not re.search(r"fs\.exec|/bin/|os\.execute|\bsh -c", text), "nothing here runs a program"
    markup = re.findall(r"\bE\('[\w ]+', \{[^{}]*\}, (?!\[)[^)]", VIEW.read_text())
    assert markup == [], "children are arrays, so that texts are texts"
    assert "href" not in VIEW.read_text()


@pytest.fixture
def settings(host: LuciHost) -> LuciHost:
    """A configuration with a modem whose name is markup, and the client's file with old options."""
    host.uci["remsim_console"] |= {
        "cfg01": {".type": "modem", "usb_path": "1-1.1", "name": HOSTILE},
        "history": {".type": "history", "events_days": "30"},
    }
    host.uci["remsim_console"] |= {
        "wan1": {".type": "remote_client", "client_id": "5", "program": "openwrt", "server_host": "10.0.0.5"},
        "main": {".type": "remsim_server", "url": "http://10.0.0.5:9997"},
    }
    host.uci["remsim"] = {
        "service": {".type": "service", "enabled": "1"},
        "monitoring": {".type": "monitoring", "signal_interval": "120", "stats_interval": "3600"},
        "logging": {".type": "logging", "log_categories": "DMAIN:DPCU"},
        "security": {".type": "security", "use_tls": "1", "ca_cert": HOSTILE},
    }
    return host


@pytest.fixture
def page(visit: Begin, settings: LuciHost, luci_source: Path | None) -> Page:
    if luci_source is None:
        pytest.skip("needs LuCI's own form classes: --luci-src DIR")
    one = visit()
    one.expected = re.compile("contains an invalid input value")  # LuCI's own words, on the console too
    page = one.open("admin/services/remsim/settings")
    expect(page.locator("#cbi-remsim_console")).to_be_visible()
    return page


def test_the_page_opens_without_the_service_and_without_the_client_s_file(visit: Begin, host: LuciHost) -> None:
    host.uci["remsim_console"] = {"web": {".type": "web", "listen": "127.0.0.1:1"}}
    one = visit()
    one.expected = re.compile("Failed to load resource")
    page = one.open("admin/services/remsim/settings")
    expect(page.locator("#cbi-remsim_console")).to_contain_text("Ask each modem every")
    expect(page.locator("#cbi-remsim")).to_have_count(0)


def tab(page: Page, name: str) -> None:
    page.locator(f".cbi-tabmenu li[data-tab='{name}'] a").first.click()


def test_values_are_shown_as_texts(page: Page) -> None:
    tab(page, "modem")
    expect(page.locator("#cbi-remsim_console-modem")).to_contain_text(HOSTILE)
    expect(page.locator("#remsim-without-effect")).to_contain_text("security.use_tls")
    expect(page.locator("#remsim-without-effect")).to_contain_text(HOSTILE)
    page.locator("#cbi-remsim_console-modem .cbi-button-edit").first.click()
    modal = page.locator("#modal_overlay .modal")
    expect(modal.locator("h4")).to_have_text("Modem 1-1.1")
    expect(modal.locator("[id='widget.cbid.remsim_console.cfg01.name']")).to_have_value(HOSTILE)
    expect(modal).to_contain_text("1-1.1")
    modal.get_by_role("button", name="Dismiss").click()
    assert page.locator("img[src='x']").count() == 0
    expect(page.locator("[id*='use_tls']")).to_have_count(0)


def test_clients_of_remote_sims_are_edited_by_name(page: Page, settings: LuciHost) -> None:
    tab(page, "remote_client")
    section = page.locator("#cbi-remsim_console-remote_client")
    expect(section).to_contain_text("cannot carry a card to the modem")
    expect(section).to_contain_text("wan1")
    section.locator(".cbi-button-edit").first.click()
    modal = page.locator("#modal_overlay .modal")
    expect(modal.locator("h4")).to_have_text("Remote SIM clients: wan1")
    modal.locator(".cbi-tabmenu li[data-tab='advanced'] a").click()
    gpio = modal.locator("[id='widget.cbid.remsim_console.wan1.reset_gpio']")
    expect(gpio).to_be_visible()
    expect(modal.locator("[id='widget.cbid.remsim_console.wan1.usb_path']")).to_be_hidden()
    gpio.fill("5000")
    gpio.blur()
    expect(gpio).to_have_class(re.compile("cbi-input-invalid"))
    gpio.fill("22")
    modal.get_by_role("button", name="Save", exact=True).click()
    expect(modal).to_be_hidden()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_function("!document.querySelector('.spinning')")
    for _ in range(50):
        if staged(settings, "remsim_console", "wan1", "reset_gpio"):
            break
        page.wait_for_timeout(100)
    assert staged(settings, "remsim_console", "wan1", "reset_gpio") == "22"


def test_the_way_to_the_server_of_the_client_s_file_is_tried(
    visit: Begin, settings: LuciHost, luci_source: Path | None
) -> None:
    if luci_source is None:
        pytest.skip("needs LuCI's own form classes: --luci-src DIR")
    one = visit()
    one.expected = re.compile("Failed to load resource")
    page = one.open("admin/services/remsim/settings")
    tried = page.locator("#remsim-connection-test")
    tried.get_by_role("button", name="Test the connection").click()
    expect(tried.locator("li").first).to_contain_text("no server is named in /etc/config/remsim")


def test_a_wrong_value_is_marked_and_not_saved(page: Page, settings: LuciHost) -> None:
    tab(page, "history")
    field = page.locator("[id='widget.cbid.remsim_console.history.events_days']")
    field.fill("99999")
    field.blur()
    expect(field).to_have_class(re.compile("cbi-input-invalid"))
    page.get_by_role("button", name="Save", exact=True).click()
    assert settings.uci["remsim_console"]["history"]["events_days"] == "30"


def test_save_stages_what_was_changed_in_both_files(page: Page, settings: LuciHost) -> None:
    tab(page, "history")
    page.locator("[id='widget.cbid.remsim_console.history.events_days']").fill("60")
    page.locator("[id='widget.cbid.remsim.monitoring.signal_interval']").fill("300")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_function("!document.querySelector('.spinning')")
    for _ in range(50):
        if staged(settings, "remsim", "monitoring", "signal_interval"):
            break
        page.wait_for_timeout(100)
    assert staged(settings, "remsim_console", "history", "events_days") == "60"
    assert staged(settings, "remsim", "monitoring", "signal_interval") == "300"
    assert staged(settings, "remsim_console", "cfg01", "name") is None


def test_a_reading_login_may_change_nothing(visit: Begin, settings: LuciHost, luci_source: Path | None) -> None:
    if luci_source is None:
        pytest.skip("needs LuCI's own form classes: --luci-src DIR")
    page = visit(write=False).open("admin/services/remsim/settings")
    tab(page, "history")
    expect(page.locator("[id='widget.cbid.remsim_console.history.events_days']")).to_be_disabled()


@pytest.mark.parametrize(
    ("theme", "options"),
    [("light", {}), ("dark", {"color_scheme": "dark"}), ("phone", {"viewport": {"width": 390, "height": 800}})],
)
def test_how_it_looks(
    visit: Begin, settings: LuciHost, luci_source: Path | None, theme: str, options: dict[str, Any]
) -> None:
    if luci_source is None:
        pytest.skip("needs LuCI's own form classes: --luci-src DIR")
    page = visit(**options).open("admin/services/remsim/settings")
    tab(page, "service")
    expect(page.locator("[id='widget.cbid.remsim_console.service.period_s']")).to_be_visible()
    expect(page.locator("#cbi-remsim_console-service").first).to_contain_text("1 to 60 seconds, or off")
    page.evaluate(AXE.read_text())
    result = page.evaluate("axe.run(document.querySelector('#view'), {resultTypes: ['violations']})")
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in result["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
