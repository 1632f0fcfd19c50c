"""Settings of a real service: in force at once, or after it has started itself anew."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from running import running_service


def test_a_period_is_in_force_at_once_and_the_rest_after_the_service_has_started_itself_anew(tmp_path: Path) -> None:
    with running_service(tmp_path, "--simulate=1", "--backfill", "0") as service:
        service.wait_for("modems", lambda answer: [one["state"] for one in answer["modems"]] == ["online"], 30)
        section = service.get("config/modem/-0")
        place = section["values"]["usb_path"]
        changed = section["values"] | {"name": "roof", "period_s": "2"}
        status, answer = service.request("config/modem/-0", method="PUT", body=changed)
        assert (status, answer["restart_needed"]) == (200, [f"modem[{place}].name"])
        assert service.get("modems/modem1")["period_s"] == 2.0
        status, answer = service.request("config/service/service", method="PUT", body={"log_level": "warning"})
        assert (status, len(answer["restart_needed"])) == (200, 2)

        before = service.get("state")["started_at"]
        assert service.request("service/restart", method="POST")[0] == 202
        assert answer_of_another_life(service, before)["modems"][0]["name"] == "roof"
        assert service.get("config")["restart_needed"] == []
        service.wait_for("modems", lambda answer: [one["state"] for one in answer["modems"]] == ["online"], 30)
        events = service.get("events?kind=service_start,service_stop")["events"]
        assert [event["kind"] for event in events] == ["service_start", "service_stop", "service_start"]


def answer_of_another_life(service: Any, before: str) -> dict[str, Any]:
    """The state once it is of a service that began later, with its modem."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            state: dict[str, Any] = service.get("state")
            if state["started_at"] != before and state["modems"]:
                return state
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(service.log())
