"""One line of gunicorn's releases everywhere, since the worker builds on its internals."""

from __future__ import annotations

import logging
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from remsim.web.server import TESTED_GUNICORN, warn_of_untested

ROOT = Path(__file__).resolve().parents[2]


def test_setup_and_the_feed_have_the_tested_gunicorn_and_no_other() -> None:
    lowest, end = re.findall(r"^    gunicorn>=([\d.]+),<([\d.]+)$", (ROOT / "setup.cfg").read_text(), re.MULTILINE)[0]
    feed = (ROOT / "openwrt-feed" / "python3-gunicorn" / "Makefile").read_text()
    packaged = re.findall(r"^PKG_VERSION:=(.*)$", feed, re.MULTILINE)[0]
    major, minor = TESTED_GUNICORN.split(".")
    assert end == f"{major}.{int(minor) + 1}"
    for one in (lowest, packaged, version("gunicorn")):
        assert one.startswith(f"{TESTED_GUNICORN}.")


def test_the_service_says_when_it_has_another(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        warn_of_untested(f"{TESTED_GUNICORN}.9")
        assert caplog.messages == []
        warn_of_untested("270.1")
    assert caplog.messages == [f"gunicorn 270.1 is not the tested {TESTED_GUNICORN}; streams may fail"]
