"""Counting switched on by its form, in a simulated router: the relay runs, dies, is started again, and goes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from remsim.remotesim.counts import read_file
from running import RunningService, running_service
from virtual_remsim import wait_until

CLIENT = "config/remote_client/remote1"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningService]:
    monkeypatch.setenv("REMSIM_SIMULATOR_TIME_SCALE", "0.1")
    with running_service(tmp_path, "--simulate=1", "--backfill", "0") as running:
        wait_until(lambda: one(running).get("state") == "remote")
        yield running


def one(service: RunningService) -> dict[str, Any]:
    return next((client for client in service.get("remote-sim")["clients"] if client["name"] == "remote1"), {})


def count(service: RunningService, is_wanted: bool) -> None:
    values = service.get(CLIENT)["values"] | {"relay": is_wanted}
    status, answer = service.request(CLIENT, method="PUT", body=values)
    assert status == 200, answer


def test_counted_by_a_relay_that_is_killed_and_comes_back(service: RunningService, tmp_path: Path) -> None:
    assert "tpdu_rx" not in one(service)
    begun = one(service)["process"]["pid"]
    count(service, True)
    wait_until(lambda: one(service).get("tpdu_rx", 0) > 0 and one(service)["state"] == "remote")
    client = one(service)
    assert client["process"]["pid"] != begun  # the client was started anew, which resets the modem
    assert client["relay"]["server_link"] is not None
    assert not client["bankd_addr"].startswith("127.64.")

    kept = read_file(service.data / "relay" / "remote1.json")
    os.kill(kept["pid"], signal.SIGKILL)
    wait_until(lambda: one(service)["state"] != "remote")
    wait_until(lambda: one(service)["state"] == "remote" and one(service).get("tpdu_rx", 0) > kept["tpdu_rx"])
    assert one(service)["process"]["pid"] == client["process"]["pid"]
    assert one(service)["counted_since"] == client["counted_since"]

    count(service, False)
    wait_until(lambda: one(service)["process"]["pid"] not in (None, client["process"]["pid"]))
    wait_until(lambda: one(service)["state"] == "remote")
    assert one(service)["relay"] == {"enabled": False, "running": None}
    assert "tpdu_rx" not in one(service)


def test_an_openwrt_client_is_refused_a_relay(service: RunningService) -> None:
    values = service.get(CLIENT)["values"] | {"relay": True, "program": "openwrt"}
    values.pop("usb_path", None)
    status, answer = service.request(CLIENT, method="PUT", body=values)
    assert status == 422
    assert "carries no TPDU" in str(answer)
