"""A real service and an IonMesh named by the environment: registered, alive, its key nowhere to be read."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from ionmesh_server import ionmesh
from running import RunningService, descendants
from virtual_remsim import wait_until

KEY = "k-never-to-be-seen-0123456789"


def ask(service: RunningService, path: str) -> str:
    headers = {"Authorization": f"Bearer {service.token}"}
    with urllib.request.urlopen(urllib.request.Request(f"{service.base}/api/v1/{path}", headers=headers)) as answer:
        return str(answer.read().decode())


def seen(service: RunningService) -> dict[str, Any]:
    return dict(json.loads(ask(service, "ionmesh")))


def test_registered_kept_alive_and_known_again_while_ionmesh_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "remsim_console").write_text("config remote_client 'uplink'\n\toption client_id '5'\n")
    with ionmesh() as orchestrator:
        orchestrator.key = KEY
        orchestrator.interval = 1
        orchestrator.commands = [{"type": "run", "command": "reboot"}]
        for name, value in {"URL": orchestrator.url, "KEY": KEY, "TENANT": "3", "MODE": "KI_PROXY_SWSIM"}.items():
            monkeypatch.setenv(f"REMSIM_IONMESH_{name}", value)
        service = RunningService(tmp_path, "--config", str(tmp_path / "etc")).start()
        try:
            wait_until(lambda: seen(service)["state"] == "refused")  # the mode wants an MCC and MNC
            assert "mcc_mnc" in seen(service)["message"]
            assert orchestrator.asked[0][2]["tenant_id"] == 3
            service.kill()
            monkeypatch.setenv("REMSIM_IONMESH_MODE", "ONE_TO_ONE_SWSIM")
            service.start()
            wait_until(lambda: orchestrator.count("POST", "heartbeat") >= 2)
            assert seen(service)["tenant_id"] == 3
            assert json.loads(ask(service, "remote-sim"))["ionmesh"]["assignment"]["slot_id"] == 42
            events = json.loads(ask(service, "events?kind=ionmesh"))["events"]
            ignored = [one for one in events if "command" in one["data"]]
            assert [one["data"]["command"] for one in ignored] == orchestrator.commands
            pids = [service.process.pid, *descendants(service.process.pid)] if service.process else []
            processes = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids)
            paths = ("config", "config/export?secrets=1", "events", "remote-sim", "ionmesh")
            shown = "".join(ask(service, path) for path in paths)
            files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
            assert KEY.encode() not in processes + files
            assert KEY not in shown + service.log()
            service.kill()
            orchestrator.bad = "html"
            service.start()
            wait_until(lambda: seen(service)["state"] == "unreachable")
            assert seen(service)["cached"]
            assert seen(service)["assignment"]["slot_id"] == 42
        finally:
            service.stop()
