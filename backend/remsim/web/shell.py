"""The HTML around each page: its title, its styles, the way to the others, and all its modules asked for at once."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from itertools import groupby
from pathlib import Path

from remsim.core.small_dataclass import dataclass

IMPORT = re.compile(r"^(?:import|export) [^;]*?'\./([\w-]+\.js)'", re.M)
START = "start.js"


@dataclass(frozen=True, slots=True)
class Page:
    """A page at ``/path``: ``module`` of ``htdocs/remsim`` exports its ``mount``, ``styles`` are beside ``remsim.css``.

    ``scopes``: one of them opens it. ``is_bare``: without the navigation. ``has_charts``: it draws some at once.
    ``group``: neighbours of one group are below its name in the navigation.
    """

    path: str
    title: str
    module: str
    styles: tuple[str, ...] = ()
    group: str = ""
    in_nav: bool = True
    is_bare: bool = False
    scopes: tuple[str, ...] = ("read",)
    has_charts: bool = False


PAGES = (
    Page("", "Dashboard", "dashboard", ("dashboard",), has_charts=True),
    Page("modems", "Modems", "modems", ("modems",), "Modems"),
    Page("sims", "SIMs", "sims", ("modems", "sims"), "Modems"),
    Page("esim", "eSIM", "esim", ("modems", "esim"), "Modems"),
    Page("remote-sim", "Remote SIM", "remote-sim", ("modems", "sims", "events", "remote-sim"), "Modems"),
    Page("links", "Links", "links", ("modems", "links"), "Traffic"),
    Page("policies", "Policies", "policies", ("modems", "links", "policies"), "Traffic"),
    Page("usage", "Usage", "usage", ("modems", "usage"), "Traffic"),
    Page("history", "History", "history", ("modems", "history"), "History", has_charts=True),
    Page("events", "Events", "events", ("modems", "events"), "History"),
    Page("alerts", "Alerts", "alerts", ("modems", "alerts")),
    Page("outputs", "Outputs", "outputs", ("modems", "alerts"), "System"),
    Page("settings", "Settings", "settings", ("modems", "settings"), "System"),
    Page("access", "Access", "access", ("modems", "access"), "System"),
    Page("diagnostics", "Diagnostics", "diagnostics", ("modems", "diagnostics"), "System"),
    Page("about", "About", "about", ("modems", "diagnostics"), "System"),
    Page("start", "First start", "guide", ("modems", "guide"), in_nav=False),
    Page("wall", "Wall", "wall", ("dashboard", "wall"), in_nav=False, is_bare=True, scopes=("read", "wall")),
)
"""In the order of the navigation."""


def html_of(page: Page, static_dir: Path) -> str:
    """The document. Addresses are relative, so that a proxy may serve all of it below any path of one level."""
    modules = modules_of(page.module, static_dir)
    styles = "".join(f'<link rel="stylesheet" href="ui/remsim/{name}.css">\n' for name in ("remsim", *page.styles))
    preloads = "".join(f'<link rel="modulepreload" href="ui/remsim/{name}">\n' for name in modules)
    if page.has_charts:
        preloads += '<link rel="preload" href="ui/vendor/chart.umd.js" as="script">\n'
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>remsim: {escape(page.title)}</title>
<link rel="icon" href="ui/remsim/icon.svg">
{styles}{preloads}<script type="module" src="ui/remsim/{START}"></script>
</head>
<body class="remsim-page" data-module="{page.module}" data-title="{escape(page.title)}">
{"" if page.is_bare else navigation(page)}<main id="{page.module}">
<noscript>This page needs JavaScript.</noscript>
</main>
</body>
</html>
"""


def navigation(current: Page) -> str:
    """Links to the other pages; a group opens without a script, and only one of them at a time."""
    entries = []
    for name, pages in groupby((page for page in PAGES if page.in_nav), lambda page: page.group or page.title):
        group = list(pages)
        links = "".join(
            f'<a href="{page.path or "./"}"{" aria-current=page" if page is current else ""}>{escape(page.title)}</a>'
            for page in group
        )
        here = " aria-current=true" if current in group else ""
        entries.append(
            links
            if not group[0].group
            else f'<details name="remsim-nav"><summary{here}>{escape(name)}</summary><div>{links}</div></details>'
        )
    return f'<nav class="remsim-nav" aria-label="Pages">{"".join(entries)}</nav>\n'


def modules_of(module: str, static_dir: Path) -> tuple[str, ...]:
    """Files of ``htdocs/remsim`` that a page's module needs, itself and the start first."""
    folder = static_dir / "remsim"
    newest = max((path.stat().st_mtime_ns for path in folder.glob("*.js")), default=0)
    return _reached(folder, module, newest)


@lru_cache(maxsize=len(PAGES) + 1)
def _reached(folder: Path, module: str, _newest: int) -> tuple[str, ...]:
    found: list[str] = []
    waiting = [START, f"{module}.js"]
    while waiting:
        name = waiting.pop(0)
        if name in found or not (folder / name).is_file():
            continue
        found.append(name)
        waiting += IMPORT.findall((folder / name).read_text("utf-8"))
    return tuple(found)
