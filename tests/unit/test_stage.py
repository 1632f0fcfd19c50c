"""How far a modem is: each state has a stage, and an address makes the difference between registered and connected."""

from __future__ import annotations

import pytest
from remsim.core.reading import STATES
from remsim.modems.stage import STAGES, has_address, is_connected, stage_of


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_stage_that_is_explained(state: str) -> None:
    for identified in (False, True):
        assert stage_of(state, is_identified=identified, is_connected=None) in STAGES


def test_a_modem_goes_from_found_to_connected() -> None:
    way = [
        stage_of("starting", is_identified=False, is_connected=None),
        stage_of("starting", is_identified=True, is_connected=None),
        stage_of("searching", is_identified=True, is_connected=None),
        stage_of("online", is_identified=True, is_connected=False),
        stage_of("online", is_identified=True, is_connected=True),
    ]
    assert way == ["found", "identified", "sim_ready", "registered", "connected"]


def test_an_unknown_address_is_not_a_connection() -> None:
    assert stage_of("online", is_identified=True, is_connected=None) == "registered"


def test_the_kernel_knows_addresses() -> None:
    assert has_address("lo") is True
    assert has_address("nosuch0") is False
    assert is_connected("lo", {}) is True


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, None),
        ({"addresses": {"1": {"ipv4": None, "ipv6": None}}}, False),
        ({"addresses": {"1": {"ipv4": None, "ipv6": None}, "2": {"ipv4": "192.0.2.1", "ipv6": None}}}, True),
    ],
)
def test_without_the_kernels_interface_the_modems_word_counts(values: dict[str, object], expected: bool | None) -> None:
    assert is_connected("nosuch0", values) is expected
    assert is_connected(None, values) is expected
