"""Pictures of the pages tests leave, below build/screenshots: of what failed, of all where REMSIM_PICTURES is set.

One takes up to a second of a processor, which for hundreds of tests is minutes.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

FAILED = pytest.StashKey[bool]()
FOLDER = Path(__file__).parents[1] / "build" / "screenshots"
LATE_MS = 100


def leave(page: Page, test: pytest.Item, before: str = "") -> None:
    """A test is done with a page: what it complains about late is heard, and a picture kept where one is wanted."""
    page.wait_for_timeout(LATE_MS)
    if not (test.stash.get(FAILED, False) or os.environ.get("REMSIM_PICTURES")):
        return
    name = re.sub(r"[^\w\[\]-]+", "_", test.name)[:80]
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=FOLDER / f"{before}{name}.png", full_page=True)
