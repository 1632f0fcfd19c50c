"""Settings of a real service: in force at once, or after it has started itself anew."""

from __future__ import annotations

from pathlib import Path

from running import RunningService, running_service


def started_at(service: RunningService) -> str:
    return str(service.get("state")["started_at"])


def test_a_changed_period_is_in_force_at_once_and_the_rest_after_a_restart_by_the_service_itself(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    with running_service(tmp_path, "--simulate=1", "--backfill", "0", "--config", str(config)) as service:
        service.wait_for("modems", lambda answer: [one["state"] for one in answer["modems"]] == ["online"], 30)
        status, answer = service.request("config/service/service", method="PUT", body={"period_s": "5"})
        assert (status, answer["restart_needed"]) == (200, [])
        assert service.get("modems/modem1")["period_s"] == 1.0, "it has a section of its own"
        place = service.get("modems/modem1")["usb_path"]
        status, answer = service.request("config/modem/own", method="PUT", body={"usb_path": place, "name": "roof", "period_s": "2"})
        assert (status, answer["restart_needed"]) == (200, [f"modem[{place}].name"]), answer
        assert service.get("modems/modem1")["period_s"] == 2.0

        before = started_at(service)
        assert service.request("service/restart", method="POST")[0] == 202

        def is_new(answer: dict[str, object]) -> bool:
            return answer["started_at"] != before

        service.process and service.process.poll()
        for _ in range(100):
            try:
                service.wait_for("state", is_new, 15)
                break
            except OSError:
                continue
        assert service.get("config")["restart_needed"] == []
        service.wait_for("modems", lambda answer: answer["modems"] and answer["modems"][0]["name"] == "roof", 20)
        kinds = [event["kind"] for event in service.get("events?kind=service_start,service_stop")["events"]]
        assert kinds == ["service_start", "service_stop", "service_start"]
