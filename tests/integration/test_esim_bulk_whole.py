"""A bulk download on a service that is killed in the middle: taken up, and no code used twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from esim_beside import Beside
from remsim.simulator.process import SimulatorProcess

pytest.importorskip("cryptography")

GOOD = "Example Mobile, 5 GB for travel"
ASKS_CODE = "asks for the confirmation code 1234, which the QR code does not say"
FAR = "a profile whose network is not here"
LOADING = "loading the profile"
USED = "a code that was used before"
LATE = "notifications are refused twice, then taken"


@pytest.fixture
def service(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beside]:
    monkeypatch.setenv("REMSIM_SIMULATOR_TIME_SCALE", "0.05")
    simulator = SimulatorProcess(tmp_path / "devices", 1, ["RM520N-GL"])
    simulator.start()
    service = Beside(tmp_path, str(tmp_path / "devices"))
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
        simulator.stop()


def bulk(service: Beside, path: str, body: dict[str, Any]) -> str:
    status, job = service.request(f"esim/bulk{path}", method="POST", body=body)
    assert status == 202, job
    return str(job["id"])


def test_killed_in_the_middle_it_is_taken_up_and_no_code_is_used_twice(service: Beside) -> None:
    texts = [(GOOD, "", "Travel", "yes"), (USED, "", "", ""), (ASKS_CODE, "1234", "Second", "")]
    texts.append((LATE, "", "Third", ""))
    lines = [f"modem1,{service.codes[what]},{code},{name},{enable}" for what, code, name, enable in texts]
    text = "\n".join(["target,code,confirmation_code,nickname,enable", *lines])
    status, checked = service.request("esim/bulk", method="POST", body={"csv": text, "check": True})
    assert (status, checked["problems"]) == (200, 0), checked

    job = bulk(service, "", {"csv": text, "per_minute": 60, "name": "Fleet"})
    batch = service.get("esim/bulk")["batches"][0]["id"]

    def rows() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = service.get(f"esim/bulk/{batch}")["rows"]
        return found

    def is_loading_third(one: dict[str, Any]) -> bool:
        if rows()[1]["state"] == "failed":
            service.fault("euicc_slow", 0.5)
        return str(one["step"]).endswith(LOADING) and str(one["step"]).startswith("row 3 ")

    service.until(job, is_loading_third, 90)
    service.kill()
    service.fault("clear")
    service.start().online()
    assert [one["state"] for one in rows()] == ["done", "failed", "loading", "waiting"]
    assert service.get("esim/bulk")["batches"][0]["state"] == "interrupted"
    assert [one["code"] for one in service.get("esim")["warnings"]] == ["bulk_interrupted"]

    ended = service.until(bulk(service, f"/{batch}/resume", {}), lambda one: False, 120)
    assert ended["state"] == "done", ended
    found = rows()
    assert [one["state"] for one in found if one["row"] != 3] == ["done", "failed", "done"]
    assert found[2]["state"] in ("done", "unknown")
    assert [one["tries"] for one in found] == [1, 1, 1, 1]
    assert found[1]["problem"]["code"] == "code_unknown"
    assert found[0]["enabled"] == "done", found[0]
    assert service.states()["Travel 5 GB"] == "enabled"
    has_second = any(one["nickname"] == "Second" for one in service.holder["profiles"])
    assert has_second is (found[2]["state"] == "done")
    secrets = [service.codes[what].split("$")[2] for what, *_ in texts]
    shown = json.dumps(service.get("jobs")) + json.dumps(found) + service.log()
    assert not [one for one in secrets if one in shown]
    again = service.request("esim/bulk", method="POST", body={"csv": text, "check": True})[1]["rows"]
    codes = [(one["problem"] or {}).get("code") for one in again]
    assert codes == ["code_used", None, "code_used", "code_used"]


def test_a_rule_says_what_it_comes_to_on_a_running_service(service: Beside) -> None:
    ended = service.until(service.download(FAR), lambda one: False, 60)
    assert ended["state"] == "done", ended
    enabled = next(name for name, state in service.states().items() if state == "enabled")
    rule = {"name": "lost", "modem": "modem1", "profile": service.id_of(enabled), "for_s": 5, "cooldown_s": 60}
    assert service.request("esim/rules", method="POST", body=rule)[0] == 201
    found = service.wait_for("esim/rules", lambda told: told["now"][0]["is_so"] is not None)["now"][0]
    assert (found["decision"], found["why"]) == ("not_so", "there is service")
    preview = {**rule, "name": "", "profile": service.id_of("Far"), "when": "signal", "threshold": 0}
    answer = service.request("esim/rules/preview", method="POST", body=preview)[1]["now"][0]
    assert answer["decision"] == "waits" and answer["value"] is not None, answer
