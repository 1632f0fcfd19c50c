"""The whole way of eSIM: a service, a virtual modem with a virtual eUICC, virtual operators; and cuts on the way.

Modem and card outlive the service, as real ones do.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator

import pytest
from esim_beside import Beside
from remsim.simulator.process import SimulatorProcess

pytest.importorskip("cryptography")

GOOD = "Example Mobile, 5 GB for travel"
ASKS_CODE = "asks for the confirmation code 1234, which the QR code does not say"
FAR = "a profile whose network is not here"
LOADING = "loading the profile"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    directory = tmp_path_factory.mktemp("esim")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REMSIM_SIMULATOR_TIME_SCALE", "0.05")
        process = SimulatorProcess(directory / "devices", 1, ["RM520N-GL"])
        process.start()
        yield process
        process.stop()


@pytest.fixture
def service(simulator: SimulatorProcess) -> Iterator[Beside]:
    """A service that has read the card; the card stays what tests make of it."""
    directory = simulator.config_dir.parent
    service = Beside(directory, str(directory / "devices"))
    assert simulator.esim is not None
    service.codes = dict(simulator.esim.codes)
    service.start().online()
    service.place = service.get("modems")["modems"][0]["usb_path"]
    assert service.done("/read")["state"] == "done"
    try:
        yield service
        assert "Traceback" not in service.log()
    finally:
        if service.process is not None and service.process.poll() is None:
            service.kill()
        service.control.fault(service.place, "clear")


def test_a_code_becomes_a_profile_that_the_modem_is_online_with(service: Beside) -> None:
    job = service.begin("/downloads", {"code": service.codes[GOOD], "nickname": "Travel", "enable": True})
    asked = service.until(job, lambda one: one["state"] == "asking")
    assert asked["question"]["profile"]["provider"] == "Example Mobile"
    other = service.request("esim/modem1/read", method="POST", body={})
    assert (other[0], other[1]["code"]) == (409, "busy")
    reset = service.request("modems/modem1/reset", method="POST", body={})
    assert (reset[0], reset[1]["code"]) == (409, "busy")
    assert service.request(f"jobs/{job}/answer", method="POST", body={"accept": True})[0] == 200
    ended = service.until(job, lambda one: False, 90)
    assert ended["state"] == "done", ended
    assert (ended["result"]["enabled"], ended["result"]["registered"]) == (True, True)
    assert ended["result"]["notifications_waiting"] == 0
    modem = service.get("modems/modem1")
    assert (modem["state"], modem["sim"]) == ("online", ended["result"]["profile"])
    assert service.states()["Travel 5 GB"] == "enabled"
    assert list(service.states().values()).count("enabled") == 1
    kinds = [one["kind"] for one in service.get("events?kind=esim_download,esim_switch")["events"]]
    assert kinds[:2] == ["esim_switch", "esim_download"]
    text = json.dumps(service.get("jobs")) + json.dumps(service.get("esim")) + service.log()
    assert service.codes[GOOD].split("$")[2] not in text


def test_killed_while_a_package_loads_the_card_is_read_at_the_next_start(service: Beside) -> None:
    service.fault("euicc_slow", 0.5)
    before = service.states()
    job = service.download(ASKS_CODE, confirmation_code="1234")
    service.until(job, lambda one: one["step"] == LOADING and (one["progress"] or 0) > 0)
    assert (service.data / "esim-loading").exists()
    refused = service.request("service/restart", method="POST", body={})
    assert (refused[0], refused[1]["code"]) == (409, "esim_loading")
    service.kill()
    service.fault("clear")
    service.start().online()
    assert service.done("/read")["state"] == "done"
    assert service.states().items() >= before.items()
    failed = service.until(service.download(ASKS_CODE, confirmation_code="1234"), lambda one: False)
    assert failed["state"] == "done" or failed["code"] in ("code_unknown", "not_bindable", "already_installed"), failed


def test_stopped_while_a_package_loads_it_is_let_end(service: Beside) -> None:
    service.fault("euicc_slow", 0.05)
    job = service.download("notifications are refused twice, then taken")
    service.until(job, lambda one: one["step"] == LOADING and (one["progress"] or 0) > 0)
    assert service.stop(20) < 10
    assert "waiting for its end" in service.log()
    service.fault("clear")
    service.start().online()
    assert service.done("/read")["state"] == "done"
    assert len(service.states()) > 2


def test_a_modem_that_is_unplugged_while_a_package_loads_ends_it_and_says_so(service: Beside) -> None:
    service.fault("euicc_slow", 0.5)
    job = service.download("a profile that the network refuses")
    service.until(job, lambda one: one["step"] == LOADING and (one["progress"] or 0) > 0)
    service.fault("unplug")
    service.control.fault(service.place, "clear")
    time.sleep(0.5)
    service.fault("plug")
    ended = service.until(job, lambda one: False, 100)
    assert ended["state"] == "done" or ended["code"] in ("load_cut", "load_unknown"), ended
    service.online()
    assert service.done("/read")["state"] == "done"


def test_killed_in_a_switch_that_nothing_registers_after_the_old_profile_comes_back_by_itself(service: Beside) -> None:
    ended = service.until(service.download(FAR), lambda one: False)
    assert ended["state"] == "done", ended
    enabled = next(name for name, state in service.states().items() if state == "enabled")
    job = service.begin(f"/profiles/{service.id_of('Far')}/enable", {"minutes": 60})
    service.until(job, lambda one: one["step"] == "waiting for the network" and one["can_abort"])
    service.kill()
    with sqlite3.connect(service.state / "esim.db") as db:  # nobody waits an hour for a test
        (data,) = db.execute("SELECT data FROM kept WHERE kind = 'switch'").fetchone()
        kept = json.loads(data)
        assert (kept["before"]["name"], kept["within_s"]) == (kept["before"]["name"], 3600.0)
        db.execute("UPDATE kept SET data = ? WHERE kind = 'switch'", (json.dumps(kept | {"within_s": 3.0}),))
    db.close()
    service.start()
    service.wait_for("events?kind=esim_switch&limit=1", lambda told: "enabled again" in str(told), 60)
    service.wait_for("jobs", lambda told: all(one["ended_at"] for one in told["jobs"]), 30)
    assert service.states()[enabled] == "enabled"
    assert service.states()["Far"] == "disabled"
    service.online()
    with sqlite3.connect(service.state / "esim.db") as db:
        assert db.execute("SELECT count(*) FROM kept WHERE kind = 'switch'").fetchone() == (0,)
    db.close()


def test_an_abort_of_a_switch_goes_back_and_a_deleted_profile_is_told(service: Beside) -> None:
    if "Far" not in service.states():
        service.until(service.download(FAR), lambda one: False)
    enabled = next(name for name, state in service.states().items() if state == "enabled")
    job = service.begin(f"/profiles/{service.id_of('Far')}/enable", {"minutes": 60})
    service.until(job, lambda one: one["step"] == "waiting for the network" and one["can_abort"])
    assert service.request(f"jobs/{job}/abort", method="POST")[0] == 200
    ended = service.until(job, lambda one: False, 90)
    assert ended["code"] == "switch_returned", ended
    assert service.states()[enabled] == "enabled"
    deleted = service.done(f"/profiles/{service.id_of('Far')}", {"name": "Far"}, "DELETE")
    assert (deleted["state"], deleted["result"]["notifications_waiting"]) == ("done", 0), deleted
    assert "Far" not in service.states()


@pytest.mark.parametrize("fault", ["euicc_busy", "euicc_refuses_refresh", "euicc_loses_channels"])
def test_cards_and_modems_that_take_a_switch_in_their_own_ways_get_there(service: Beside, fault: str) -> None:
    service.fault(fault)
    names = [name for name, state in service.states().items() if state == "disabled" and name in ("Home", "Abroad")]
    ended = service.done(f"/profiles/{service.id_of(names[0])}/enable", {})
    assert ended["state"] == "done", ended
    assert service.get("modems/modem1")["sim"] == service.id_of(names[0])


def test_a_modem_unplugged_in_the_middle_of_a_switch_gets_there_or_back(service: Beside) -> None:
    names = [name for name, state in service.states().items() if state == "disabled" and name in ("Home", "Abroad")]
    job = service.begin(f"/profiles/{service.id_of(names[0])}/enable", {})
    service.until(job, lambda one: one["step"] != "opening the card")
    service.fault("unplug")
    time.sleep(1)
    service.fault("plug")
    ended = service.until(job, lambda one: False, 200)
    service.online()
    assert service.done("/read")["state"] == "done"
    states = service.states()
    assert list(states.values()).count("enabled") == 1
    assert (states[names[0]] == "enabled") == (ended["state"] == "done"), (ended, states)
