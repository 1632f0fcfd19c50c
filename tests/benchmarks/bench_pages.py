"""The pages on a phone-sized window: first chart, size of the JavaScript, a month's series, the wall's memory.

Bars: first chart drawn <= 1 s after navigation; History with 4 charts of 30 d drawn <= 1 s; JavaScript gzipped
<= 150 KB for dashboard and wall, <= 200 KB for any other page; `series` for 30 d <= 50 ms; the heap of the wall after
garbage collection at the end <= 1.1 x that after a sixth of the time. `bench_pages.py [WALL_MINUTES]` (default 6; the
issue names 60).
"""

from __future__ import annotations

import gzip
import re
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from remsim.web.shell import PAGES  # noqa: E402
from running import RunningService, running_service  # noqa: E402

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
LOADS = 7
IMPORT = re.compile(r"^(?:import|export) [^;]*?from '\./([^']+)'", re.MULTILINE)
FIRST_CHART_BAR_MS, HISTORY_BAR_MS, SERIES_BAR_MS, HEAP_BAR = 1000, 1000, 50, 1.1
SIZE_BARS_KB = {"dashboard": 150, "wall": 150}
OTHER_SIZE_BAR_KB = 200
# The first frame in which a chart has a line with values.
DRAWN = """() => new Promise(done => {
    const look = () => {
        const charts = window.Chart ? Object.values(Chart.instances) : [];
        if (charts.some(chart => chart.data.datasets.some(set => set.data.length > 10)))
            requestAnimationFrame(() => done(performance.now()));
        else
            requestAnimationFrame(look);
    };
    look();
})"""

HISTORY = "/history#range=30d&charts=rsrp,sinr,rate,latency"
ALL_DRAWN = DRAWN.replace("charts.some(chart =>", "charts.length === 4 && charts.every(chart =>")


def median(values: list[float]) -> float:
    """The middle one."""
    return sorted(values)[len(values) // 2]


def first_chart_ms(browser: Browser, service: RunningService) -> float:
    """Milliseconds from navigation to the first chart, median of several loads with a cold cache."""
    times = []
    for _ in range(LOADS):
        context = browser.new_context(**PHONE)
        page = context.new_page()
        page.goto(service.login_url(), wait_until="commit")
        times.append(float(page.evaluate(DRAWN)))
        context.close()
    return median(times)


def history_ms(browser: Browser, service: RunningService) -> float:
    """Milliseconds from navigation to four charts of a month, median of several loads with a cold cache."""
    times = []
    for _ in range(LOADS):
        context = browser.new_context(**PHONE)
        context.request.get(service.login_url())
        page = context.new_page()
        page.goto(service.base + HISTORY, wait_until="commit")
        times.append(float(page.evaluate(ALL_DRAWN)))
        context.close()
    return median(times)


def javascript_kb() -> dict[str, float]:
    """The scripts of each page, gzipped as the service sends them: its modules and Chart.js."""
    library = ROOT / "htdocs" / "vendor" / "chart.umd.js"
    folder = ROOT / "htdocs" / "remsim"
    pages = {page.module: modules(folder / "start.js") | modules(folder / f"{page.module}.js") for page in PAGES}
    return {
        module: sum(len(gzip.compress(path.read_bytes())) for path in {library, *files}) / 1000
        for module, files in pages.items()
    }


def modules(start: Path) -> set[Path]:
    """A module with all it imports."""
    found: set[Path] = set()
    ahead = [start]
    while ahead:
        path = ahead.pop()
        if path not in found:
            found.add(path)
            ahead += [path.parent / name for name in IMPORT.findall(path.read_text())]
    return found


def series_ms(service: RunningService) -> float:
    """Milliseconds of a month's series over HTTP."""
    times = []
    for _ in range(20):
        begun = time.perf_counter()
        service.get("series?modem=modem1&measure=rsrp_dbm&range=30d&points=2000")
        times.append((time.perf_counter() - begun) * 1000)
    return median(times)


def heap_bytes(page: Page) -> float:
    """The JavaScript heap after garbage collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    used = float(session.send("Runtime.getHeapUsage")["usedSize"])
    session.detach()
    return used


def wall_growth(browser: Browser, service: RunningService, minutes: float) -> tuple[float, float]:
    """Heap after a sixth of the time and at its end."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    page.goto(service.login_url())
    page.goto(service.base + "/wall")
    page.wait_for_selector(".remsim-wall-tile")
    page.wait_for_timeout(minutes * 60_000 / 6)
    early = heap_bytes(page)
    page.wait_for_timeout(minutes * 60_000 * 5 / 6)
    late = heap_bytes(page)
    context.close()
    return early, late


def main() -> int:
    """Print the figures; 1 when a bar is missed."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 6.0
    with (
        tempfile.TemporaryDirectory() as directory,
        running_service(Path(directory), "--simulate=3", "--backfill", "30d") as service,
        sync_playwright() as playwright,
    ):
        service.wait_for("jobs", lambda answer: answer["jobs"][0]["state"] == "done", 120)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        first, history = first_chart_ms(browser, service), history_ms(browser, service)
        sizes, month = javascript_kb(), series_ms(service)
        print(f"first chart after navigation (phone window): {first:.0f} ms (bar {FIRST_CHART_BAR_MS})")
        print(f"History, 4 charts of 30 d drawn (phone window): {history:.0f} ms (bar {HISTORY_BAR_MS})")
        for module, size in sizes.items():
            bar = SIZE_BARS_KB.get(module, OTHER_SIZE_BAR_KB)
            print(f"JavaScript of {module} gzipped: {size:.1f} KB (bar {bar})")
        print(f"series of 30 d over HTTP: {month:.1f} ms (bar {SERIES_BAR_MS})")
        early, late = wall_growth(browser, service, minutes)
        print(f"wall heap at minute {minutes / 6:g}: {early / 1e6:.2f} MB, at minute {minutes:g}: {late / 1e6:.2f} MB, "
              f"ratio {late / early:.2f} (bar {HEAP_BAR})")  # fmt: skip
        browser.close()
    passed = first <= FIRST_CHART_BAR_MS and history <= HISTORY_BAR_MS and month <= SERIES_BAR_MS
    passed &= all(size <= SIZE_BARS_KB.get(module, OTHER_SIZE_BAR_KB) for module, size in sizes.items())
    return 0 if passed and late <= HEAP_BAR * early else 1


if __name__ == "__main__":
    sys.exit(main())
