"""What links are made of, asked of netifd: also while it is away, slow, or told often that something changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from links_fake import FakePlane, FakeProber, addresses
from remsim.config.routing import LinkSettings, Routing, RoutingSettings
from remsim.core.clock import SystemClock
from remsim.link_sources import around
from remsim.links.control import Control
from remsim.links.facts import Around
from remsim.links.finding import NOTHING_FOUND, Finder, Found, find
from remsim.modems.netifd import Interface, Netifd, NetifdError

WANTED = Routing(
    RoutingSettings(enabled=True),
    (LinkSettings("one", index=1, interface="wan"), LinkSettings("two", index=2, interface="wwan")),
)
FIREWALL = """\
config zone
	option name 'lan'
	list network 'lan'
config zone
	option name 'wan'
	option masq '1'
config forwarding
	option src 'lan'
	option dest 'wan'
"""


class Told(Netifd):
    """A netifd that says what a test has it say, waits for ``may_answer``, or is away."""

    is_here = True

    def __init__(self, **devices: str | None) -> None:
        super().__init__()
        self.devices, self.is_away, self.asked = devices, False, 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def interfaces(self) -> list[Interface]:
        self.asked += 1
        assert self.may_answer.wait(30)
        if self.is_away:
            raise NetifdError("Command failed: Not found")
        return [Interface(name, "dhcp", True, False, device, (), ()) for name, device in self.devices.items()]

    def around(self, directory: Path | None = None) -> Around:
        return around(None, self, directory)  # type: ignore[arg-type]


def until(is_true: Callable[[], object], timeout_s: float = 30.0) -> None:
    end = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.005)


def test_what_netifd_said_counts_on_while_it_is_away(tmp_path: Path) -> None:
    (tmp_path / "firewall").write_text(FIREWALL)
    netifd = Told(wan="eth1", wwan="wwan0", lan="br-home")
    found = find(WANTED, netifd.around(tmp_path), lambda name: ())
    assert found == Found({"wan": "eth1", "wwan": "wwan0"}, {"wan": (), "wwan": ()}, ("br-home",))
    netifd.is_away = True
    assert find(WANTED, netifd.around(tmp_path), lambda name: (), found) == found
    assert find(WANTED, netifd.around(tmp_path), lambda name: ()).devices == {"wan": None, "wwan": None}
    netifd.is_away, netifd.devices = False, {"wan": None, "lan": "br-home"}
    assert find(WANTED, netifd.around(tmp_path), lambda name: (), found).devices == {"wan": None, "wwan": None}


def test_netifd_that_is_away_is_asked_once_and_not_for_each_link() -> None:
    netifd = Told()
    netifd.is_away = True
    find(WANTED, netifd.around(), lambda name: (), NOTHING_FOUND)
    assert netifd.asked == 1


def test_a_router_without_netifd_has_no_interfaces_and_no_error() -> None:
    netifd = Told()
    netifd.is_here = False  # type: ignore[misc]
    assert netifd.around().device_of("wan") is None and netifd.asked == 0


def test_many_changes_at_once_are_one_question() -> None:
    netifd, heard = Told(wan="eth1", wwan="wwan0"), []
    finder = Finder(netifd.around(), lambda name: (), heard.append)
    finder.ask(WANTED)
    finder.start()
    try:
        before = netifd.asked
        finder.nudge()
        until(lambda: netifd.asked > before)
        netifd.devices["wan"] = "eth2"
        for _ in range(200):
            finder.nudge()
            time.sleep(0.001)
        until(lambda: heard and heard[-1].devices["wan"] == "eth2")
        assert netifd.asked - before <= 3 * len(WANTED.links)
    finally:
        finder.stop()


def test_links_fail_over_while_settings_wait_for_netifd() -> None:
    netifd = Told(wan="sim1", wwan="sim2")
    plane = FakePlane(devices={f"sim{index}": addresses(index) for index in (1, 2)})
    control = Control(plane, FakeProber(), netifd.around(), SystemClock(), lambda event: None)
    control.start(WANTED)
    until(lambda: control.status().state == "running")
    netifd.may_answer.clear()
    changing = threading.Thread(target=control.configure, args=(WANTED,))
    try:
        asked = netifd.asked
        changing.start()
        until(lambda: netifd.asked > asked)
        del plane.devices["sim1"]
        plane.on_device("sim1")
        until(lambda: control.sharing.links[1].health.state == "down")
        assert changing.is_alive()
    finally:
        netifd.may_answer.set()
        changing.join(30)
        control.stop()
