"""Our pages in LuCI's own client runtime beside LuCI's status overview, cold and warm, on the same throttled link.

Bars: time <= 1.5 x that of the status overview; our bytes, files uncompressed as uhttpd sends them, <= 600 KB a page
and <= 50 KB when the page is loaded again (tests/luci/test_pages.py counts the round trips). `bench_luci.py
CHECKOUT_OF_LUCI`; without one there is nothing to compare with, and it says so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from luci.host import LuciHost  # noqa: E402
from running import RunningService, free_port  # noqa: E402

LINK = {"offline": False, "latency": 40, "downloadThroughput": 20e6 / 8, "uploadThroughput": 20e6 / 8}
"""A router's web server as a phone in the next room has it."""
LOADS = 5
INSTALLED_S = 30 * 86400
"""How old the files are: a browser asks less often for what has not changed for long, and LuCI's are old too."""
TIME_BAR, BYTES_BAR, WARM_BYTES_BAR = 1.5, 600_000, 50_000
OURS = re.compile(r"resources/(view/)?remsim/|/remsim/api/")
STATUS = """() => { const all = [...document.querySelectorAll('#view .cbi-section')];
    return all.length >= 5 && all.some(one => one.style.display === ''); }"""
CHARTS = """() => document.querySelectorAll('.remsim-card').length === 3 &&
    Object.values(window.Chart?.instances ?? {}).some(chart => chart.data.datasets.length)"""
PAGES = {
    "overview": CHARTS,
    "modems": "() => document.querySelectorAll('.remsim-row').length === 3",
    "history": "() => Object.values(window.Chart?.instances ?? {}).some(chart => chart.data.datasets.length)",
    "events": "() => document.querySelectorAll('.remsim-event').length > 3",
    "diagnostics": "() => document.querySelectorAll('.remsim-check-ok').length > 3",
}


def load(browser: Browser, host: LuciHost, path: str, drawn: str, warm: bool) -> tuple[float, int]:
    """Seconds until something is drawn, and our bytes on the wire, once."""
    session = host.login()
    session.rights["ubus"]["*"] = ["*"]
    session.rights["uci"]["*"] = ["read"]
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    cookie = {"name": "sysauth_http", "value": session.id, "domain": "127.0.0.1", "path": "/cgi-bin/luci/"}
    context.add_cookies([cookie])
    page = context.new_page()
    url = f"{host.base}/cgi-bin/luci/{path}"
    if warm:
        page.goto(url)
        page.wait_for_function(drawn, timeout=60_000)
        page.wait_for_load_state("networkidle")
    traffic = counted(page)
    begin = time.monotonic()
    page.goto(url, wait_until="commit")
    page.wait_for_function(drawn, timeout=60_000)
    seconds = time.monotonic() - begin
    page.wait_for_load_state("networkidle")
    context.close()
    return seconds, traffic()


def counted(page: Page) -> Callable[[], int]:
    """Throttle the page; what is answered tells our bytes so far."""
    urls: dict[str, str] = {}
    bytes_of: dict[str, int] = {}
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", LINK)
    session.on("Network.requestWillBeSent", lambda told: urls.update({told["requestId"]: told["request"]["url"]}))
    session.on("Network.loadingFinished", lambda told: bytes_of.update({told["requestId"]: told["encodedDataLength"]}))
    return lambda: int(sum(count for key, count in bytes_of.items() if OURS.search(urls.get(key, ""))))


def measure(browser: Browser, host: LuciHost, path: str, drawn: str, warm: bool) -> tuple[float, int]:
    """The middle of several loads."""
    rows = sorted(load(browser, host, path, drawn, warm) for _ in range(LOADS))
    return rows[LOADS // 2]


def installed(folder: Path) -> Path:
    """The app's files as a package lays them out, of a month ago."""
    htdocs = folder / "htdocs"
    shutil.copytree(ROOT / "luci-app-remsim" / "htdocs", htdocs, symlinks=True)
    command = ["sh", ROOT / "luci-app-remsim" / "lay-out.sh", ROOT / "htdocs", htdocs / "luci-static" / "resources"]
    subprocess.run(command, check=True)
    for path in htdocs.rglob("*"):
        os.utime(path, (time.time() - INSTALLED_S,) * 2)
    return htdocs


def main(source: Path) -> int:
    failed: list[str] = []

    def bar(name: str, value: float, limit: float, shown: str) -> None:
        if value > limit:
            failed.append(name)
        print(f"{name}: {shown}{'' if value <= limit else '  OUTSIDE ITS LIMIT'}")

    with tempfile.TemporaryDirectory() as directory, LuciHost(source) as host, sync_playwright() as playwright:
        host.folders[0] = installed(Path(directory))
        port = free_port()
        service = RunningService(Path(directory), "--simulate=3", "--backfill", "1d", port=port).start()
        service.wait_for("jobs", lambda told: told["jobs"] and told["jobs"][0]["state"] == "done", 60)
        section: dict[str, Any] = {".type": "service", "state_dir": str(service.state)}
        web = {".type": "web", "listen": f"127.0.0.1:{port}"}
        host.uci["remsim_console"] = {"service": section, "web": web}
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            for warm in (False, True):
                word = "again" if warm else "first time"
                theirs, _bytes = measure(browser, host, "admin/status/overview", STATUS, warm)
                print(f"LuCI's status overview, {word}: {theirs * 1000:.0f} ms")
                for name, drawn in PAGES.items():
                    seconds, size = measure(browser, host, f"admin/services/remsim/{name}", drawn, warm)
                    ratio = seconds / theirs
                    bar(f"{name}, {word}, time", ratio, TIME_BAR, f"{seconds * 1000:.0f} ms, {ratio:.2f} x")
                    limit = WARM_BYTES_BAR if warm else BYTES_BAR
                    bar(f"{name}, {word}, ours", size, limit, f"{size / 1000:.0f} KB")
        finally:
            browser.close()
            service.stop()
    print("outside their limits: " + ", ".join(failed) if failed else "all within their limits")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print("bench_luci.py needs a checkout of LuCI to compare with: bench_luci.py FOLDER")
        sys.exit(0)
    sys.exit(main(Path(sys.argv[1])))
