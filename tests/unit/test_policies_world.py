"""What policies know of the world beside the links."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from policy_support import facts
from remsim.config.routing import RoutingSettings
from remsim.core.clock import FakeClock
from remsim.policies.facts import Wanted
from remsim.policies.learning import learner, missing
from remsim.policies.learning.learner import Switches
from remsim.policies.world import World

VIDEO = (Wanted("d_video4", "d_video6", ("video.example",)),)


class Learner:
    """What the world has learned by."""

    told: list[tuple[tuple[Wanted, ...], Switches]] = []

    def __init__(self, **given: Any) -> None:
        self.told.clear()

    def configure(self, wanted: Sequence[Wanted], switches: Switches) -> None:
        self.told.append((tuple(wanted), switches))

    def start(self) -> None:
        """There is nothing to read."""

    def rungs(self) -> list[dict[str, Any]]:
        return []


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(learner, "Learner", Learner)
    return World(
        tmp_path, clock=FakeClock(), facts=facts, traffic=lambda: None, learns=True, settings=RoutingSettings()
    )


def test_with_links_off_no_packet_is_read_and_dnsmasq_is_given_nothing(world: World) -> None:
    world.learn(VIDEO)
    assert Learner.told[-1] == (VIDEO, Switches(names=world.settings.learn_names, dnsmasq=True))
    world.learn(None)
    assert Learner.told[-1] == ((), Switches(names=False, ndpi=False, dnsmasq=False))
    assert [one["rung"] for one in world.rungs()]  # what there would be is told
    world.learn(VIDEO)
    assert Learner.told[-1][0] == VIDEO


def test_links_that_were_never_on_have_nobody_learn(world: World) -> None:
    Learner.told.clear()
    world.learn(None)
    assert Learner.told == []


@pytest.mark.parametrize("is_there", [True, False])
def test_the_helper_for_calls_is_asked_for_only_where_the_kernel_has_it(
    world: World, is_there: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(missing, "SIP", tmp_path if is_there else tmp_path / "nothing")
    assert world.taps(False).objects == ()
    world.settings = RoutingSettings(sip_helper=True)
    found = world.taps(False)
    assert bool(found.objects) is bool(found.forward) is is_there
    assert all('ct helper set "sip"' in rule for rule in found.forward)
