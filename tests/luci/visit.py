"""Someone logged in to LuCI with a browser, and everything the page complained about."""

from __future__ import annotations

import re
from typing import Any

from luci.host import LuciHost
from playwright.sync_api import Browser, ConsoleMessage, Page, Response


class Visit:
    """A fresh browser context: LuCI keeps menu and features for the tab."""

    def __init__(self, browser: Browser, host: LuciHost, login: dict[str, Any], options: dict[str, Any]) -> None:
        self.host = host
        self.session = host.login(**login)
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        self.context.add_cookies(
            [{"name": "sysauth_http", "value": self.session.id, "domain": "127.0.0.1", "path": "/cgi-bin/luci/"}]
        )
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        self.answers: list[tuple[str, str, int]] = []
        self.expected = re.compile("(?!)")
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self._complain(str(error)))
        self.page.on("response", self._answered)

    def open(self, path: str = "admin/services/remsim") -> Page:
        self.page.goto(f"{self.host.base}/cgi-bin/luci/{path}")
        return self.page

    def relayed(self, path: str = "", method: str = "GET") -> list[int]:
        """The statuses of the answers that came through the relay."""
        start = "/admin/services/remsim/api/" + path
        return [status for how, url, status in self.answers if how == method and start in url]

    def asks(self, path: str, count: int) -> None:
        """Wait until it has asked for something as often."""
        for _ in range(300):
            if len(self.relayed(path)) >= count:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"the page asked {len(self.relayed(path))} times for {path}")

    def rests(self) -> None:
        """See that the page, which asks every two seconds, does so no more; what is under way may end before."""
        for _ in range(3):
            asked = len(self.relayed())
            self.page.wait_for_timeout(2500)
            if len(self.relayed()) == asked:
                return
        raise AssertionError("the page goes on asking")

    def _answered(self, answer: Response) -> None:
        self.hosts.add(answer.url.split("/")[2])
        self.answers.append((answer.request.method, answer.url, answer.status))

    def _said(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self._complain(f"{said.text} ({said.location.get('url', '')})")

    def _complain(self, text: str) -> None:
        if not self.expected.search(text):
            self.complaints.append(text)
