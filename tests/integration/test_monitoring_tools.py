"""What is for the monitoring host, checked by the programs that will read it: promtool and amtool."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_server import AMTOOL, PROMTOOL

MONITORING = Path(__file__).resolve().parents[2] / "monitoring"
PROMETHEUS = MONITORING / "prometheus"
CONFIGS = [PROMETHEUS / "prometheus.yml", *sorted((PROMETHEUS / "variants").glob("*.yml"))]


def run(*command: str | Path | None) -> str:
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def with_secrets(folder: Path) -> Path:
    """A copy of a folder of settings that has the files of secrets it names."""
    for config in folder.rglob("*.yml"):
        for name in re.findall(r"(?:_file|credentials_file): (\S*secrets/[\w.-]+)", config.read_text("utf-8")):
            secret = config.parent / name
            secret.parent.mkdir(exist_ok=True)
            secret.write_text("secret")
    return folder


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_prometheus_takes_every_configuration(config: Path, tmp_path: Path) -> None:
    shutil.copytree(PROMETHEUS, tmp_path / "prometheus")
    with_secrets(tmp_path / "prometheus")
    arguments = ["--agent"] if config.stem == "agent" else []
    out = run(PROMTOOL, "check", "config", *arguments, tmp_path / "prometheus" / config.relative_to(PROMETHEUS))
    assert "SUCCESS" in out
    assert "FAILED" not in out


def test_the_rules_are_without_fault() -> None:
    assert "FAILED" not in run(PROMTOOL, "check", "rules", "--lint-fatal", *(PROMETHEUS / "rules").glob("*.yml"))


@pytest.mark.parametrize("test", sorted((PROMETHEUS / "rules" / "tests").glob("*.yml")), ids=lambda path: path.stem)
def test_the_rules_do_what_their_tests_say(test: Path) -> None:
    run(PROMTOOL, "test", "rules", test)


def test_alertmanager_takes_its_configuration(tmp_path: Path) -> None:
    shutil.copytree(MONITORING / "alertmanager", tmp_path / "alertmanager")
    run(AMTOOL, "check-config", with_secrets(tmp_path / "alertmanager") / "alertmanager.yml")


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("alertname=RemsimRouterDown", "severity=critical", "router_id=a"), "urgent"),
        (("alertname=RemsimSimLost", "severity=critical", "router_id=a", "modem=modem1"), "urgent"),
        (("alertname=RemsimDataCapNear", "severity=warning", "router_id=a"), "mail"),
        (("alertname=RemsimRoaming", "severity=info", "router_id=a"), "mail"),
        (("alertname=OfOthers",), "mail"),
    ],
)
def test_an_alert_goes_to_whom_it_concerns(labels: tuple[str, ...], receiver: str) -> None:
    out = run(AMTOOL, "config", "routes", "test", f"--config.file={MONITORING}/alertmanager/alertmanager.yml", *labels)
    assert out.split()[-1] == receiver


def test_every_route_and_receiver_of_the_example_is_one() -> None:
    """Without amtool, too."""
    config = yaml.safe_load((MONITORING / "alertmanager" / "alertmanager.yml").read_text("utf-8"))
    receivers = {one["name"] for one in config["receivers"]}
    intervals = {one["name"] for one in config["time_intervals"]}
    routes = [config["route"], *config["route"]["routes"]]
    assert {route["receiver"] for route in routes} == receivers
    assert {name for route in routes for name in route.get("active_time_intervals", ())} <= intervals


@pytest.mark.parametrize("folder", ["datasources", "dashboards"])
def test_what_grafana_is_provisioned_with_is_what_it_wants(folder: str) -> None:
    (path,) = (MONITORING / "grafana" / "provisioning" / folder).iterdir()
    config = yaml.safe_load(path.read_text("utf-8"))
    assert config["apiVersion"] == 1
    if folder == "datasources":
        (source,) = config["datasources"]
        assert (source["type"], source["access"]) == ("prometheus", "proxy")
        scraped = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))["global"]["scrape_interval"]
        assert source["jsonData"]["timeInterval"] == scraped
    else:
        (provider,) = config["providers"]
        assert (provider["type"], Path(provider["options"]["path"]).is_absolute()) == ("file", True)
