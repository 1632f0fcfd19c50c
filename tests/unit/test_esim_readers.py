"""Card readers are asked for without waiting for a pcscd that is stuck."""

from __future__ import annotations

import threading
import time

import pytest
from remsim.core.errors import RemsimError
from remsim.esim import pcsc
from remsim.esim import readers as module
from remsim.esim.pcsc import ReaderHolder
from remsim.esim.readers import Readers
from web_support import wait_until


def test_a_pcscd_that_is_stuck_keeps_nobody_waiting_and_is_asked_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers, asked = threading.Event(), []

    def stuck() -> list[ReaderHolder]:
        asked.append(1)
        answers.wait(60)
        return [ReaderHolder("A reader")]

    monkeypatch.setattr(pcsc, "readers", stuck)
    monkeypatch.setattr(module, "ANSWER_S", 0.05)
    readers = Readers()
    assert readers.now() == []
    monkeypatch.setattr(module, "ANSWER_S", 60.0)
    began = time.monotonic()
    assert readers.now() == [] and time.monotonic() - began < 30
    assert len(asked) == 1 and caplog.text.count("pcscd does not answer") == 1
    answers.set()
    wait_until(lambda: [one.name for one in readers.now()] == ["A reader"])


def test_without_pcscd_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> list[ReaderHolder]:
        raise RemsimError("pcscd does not run")

    monkeypatch.setattr(pcsc, "readers", failing)
    assert Readers().now() == []
