"""A link that reaches its data cap by what it carried: its modem goes to another profile, and later back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from remsim.core.clock import SystemClock
from remsim.options import RouterOptions, Simulation
from remsim.router import Router
from remsim.simulator.links import SimulatedPlane
from remsim.simulator.process import SimulatorProcess

pytest.importorskip("cryptography")

MONTH_S = 31 * 86400.0
LINK = "wan1"


class Calendar(SystemClock):
    """The machine's clock, whose wall may be set on."""

    later_s = 0.0

    def now(self) -> float:
        return super().now() + self.later_s


class Scene:
    """A router with one modem, whose eUICC has several profiles."""

    def __init__(self, directory: Path) -> None:
        self.clock = Calendar()
        self.directory = directory
        self.simulator = SimulatorProcess(directory / "devices", 1, ["RM520N-GL"])
        self.simulator.start()
        self.router = self.start()
        assert self.router.esim.parts.work.read("modem1", "a test").wait(30)

    def start(self) -> Router:
        simulator = self.simulator
        plane = SimulatedPlane(simulator.sysfs_root)
        roots = simulator.sysfs_root, simulator.dev_root, simulator.config_dir
        simulation = Simulation(1, *roots, simulator.control, lambda *ignored: iter(()), plane, esim=simulator.esim)
        options = RouterOptions(self.directory / "data", self.directory / "state", None, simulation)
        self.router = Router(options, "token", clock=self.clock)
        self.router.start()
        self.wait(lambda: [one["state"] for one in self.router.modems.views()] == ["online"])
        return self.router

    def stop(self) -> None:
        self.router.stop()
        self.simulator.stop()

    def restart(self) -> None:
        self.router.stop()
        self.start()

    def wait(self, is_so: Callable[[], Any], within_s: float = 60.0) -> None:
        deadline = time.monotonic() + within_s
        while not is_so():
            if hasattr(self, "router"):
                self.router.links.look()
            assert time.monotonic() < deadline, (self.told(), self.link)
            time.sleep(0.05)

    @property
    def link(self) -> dict[str, Any]:
        found: dict[str, Any] = self.router.links.view()["links"][0]
        return found

    @property
    def profiles(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.router.esim.view()["holders"][0]["profiles"]
        return found

    @property
    def state(self) -> str | None:
        changed = self.link["cap_switch"]
        return None if changed is None else str(changed["state"])

    @property
    def in_use(self) -> str:
        return next(str(one["id"]) for one in self.profiles if one["state"] == "enabled")

    def told(self) -> list[tuple[str, str]]:
        """What events said of the cap, oldest first."""
        events, _more = self.router.journal.query(kinds=["link_cap"])
        return [(str(one.data["state"]), one.message) for one in reversed(events)]

    def switches(self) -> list[tuple[str, str, str]]:
        events, _more = self.router.journal.query(kinds=["esim_switch"])
        return [(one.data["actor"], one.data["from"], one.data["to"]) for one in reversed(events)]

    def configure(self, **values: Any) -> None:
        written = self.router.routing.section("link", LINK)["values"]
        self.router.routing.put_section("link", LINK, written | values, "a test")


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("REMSIM_SIMULATOR_TIME_SCALE", "0.05")
    made = Scene(tmp_path)
    yield made
    made.stop()


def test_a_link_at_its_cap_goes_to_the_other_profile_and_back_in_the_next_cycle(scene: Scene) -> None:
    home, other = scene.in_use, next(one for one in scene.profiles if one["state"] == "disabled")
    scene.configure(cap_mbytes=1, at_cap="switch", cap_profile=other["name"])
    scene.wait(lambda: scene.state == "away")
    assert scene.in_use == scene.link["sim"] == other["id"]
    assert scene.told()[-2:] == [
        ("soft", "wan1 has used its data cap and takes no new flows"),
        ("away", f"wan1 is at its data cap, and has changed to the profile {other['name']}"),
    ]
    assert scene.switches() == [("the data cap of wan1", home, other["id"])]

    scene.wait(lambda: scene.link["cost"]["state"] == "soft")  # it has reached its cap, too
    for _ in range(3):
        scene.router.links.look()
    assert (scene.state, scene.in_use) == ("away", other["id"])

    scene.restart()
    scene.configure(cap_mbytes=1_000_000)
    scene.wait(lambda: scene.link["cost"]["state"] == "ok")
    scene.router.links.look()
    assert (scene.state, scene.in_use) == ("away", other["id"]), "only the next cycle leads back"

    scene.clock.later_s += MONTH_S
    scene.wait(lambda: scene.link["cap_switch"] is None)
    assert scene.in_use == scene.link["sim"] == home
    assert scene.told()[-1] == ("home", "wan1 begins a billing cycle, and is back with the profile Home")
    assert len(scene.switches()) == 2
