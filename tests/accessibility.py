"""Whether everybody can use a page: axe-core finds nothing, and nothing is wider than the screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"
"""Evaluated in the page: a script element would be refused by the page's own policy."""


def no_violations(page: Page) -> None:
    """Fails with what is wrong."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert found == [], json.dumps(found, indent=1)[:3000]
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
