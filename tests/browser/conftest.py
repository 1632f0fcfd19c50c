"""A browser and a real service for it: Debian's Chromium, virtual modems, a day of history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from pictures import leave
from playwright.sync_api import Browser, BrowserContext, Page
from running import RunningService, running_service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    directory = tmp_path_factory.mktemp("browser")
    with running_service(directory, "--simulate=3", "--backfill", "1d") as running:
        running.wait_for("modems", lambda answer: [modem["state"] for modem in answer["modems"]] == ["online"] * 3)
        running.wait_for("jobs", lambda answer: answer["jobs"][0]["state"] == "done", 150)
        yield running


@dataclass
class Visit:
    """A logged-in page and everything it complained about."""

    page: Page
    service: RunningService
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def open(self, path: str = "/") -> Page:
        self.page.goto(self.service.base + path)
        return self.page


@pytest.fixture
def visit(browser: Browser, service: RunningService, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A fresh browser context; a test that leaves complaints on the console fails."""
    options = getattr(request, "param", {})
    context: BrowserContext = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **options})
    page = context.new_page()
    visit = Visit(page, service)
    page.on("console", lambda said: visit.complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("request", lambda asked: visit.hosts.add(asked.url.split("/")[2]) if "://" in asked.url else None)
    assert context.request.get(service.login_url(), max_redirects=0).status == 303  # without drawing the dashboard
    yield visit
    leave(page, request.node)
    context.close()
    assert visit.complaints == []
    assert visit.hosts <= {f"127.0.0.1:{service.port}"}
