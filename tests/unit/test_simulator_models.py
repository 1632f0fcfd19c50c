"""Every product that can be simulated, read by the router's own driver."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.errors import InvalidInput
from remsim.modems.drivers import Driver, driver_for
from remsim.modems.ports import BY_ID
from remsim.simulator.answers import table
from remsim.simulator.models import MODELS, ROWS, Model
from remsim.simulator.profiles import PROFILES, profiles_of, scene_at
from virtual import Bench

NAMES = sorted(MODELS)
BARE = ("generic",)
"""Without cell reports of their own: 27.007 tells levels and the cell's identity."""


def driver_of(bench: Bench) -> Driver:
    return driver_for(bench.state.model.vendor, bench.state.model.name, bench.platform)


def read(bench: Bench) -> tuple[Driver, dict[str, Any]]:
    driver = driver_of(bench)
    values: dict[str, Any] = {}
    for command in (*driver.setup_commands, *driver.slow_commands, *driver.fast_commands):
        answer = bench.session.execute(command)
        assert answer is not None
        values |= {name: value for name, value in driver.decode(command, answer).items() if value is not None}
    return driver, values


@pytest.mark.parametrize("name", NAMES)
def test_every_command_of_the_driver_is_known(name: str) -> None:
    bench = Bench(name)
    driver = driver_of(bench)
    commands = (*driver.identity_commands, *driver.sim_identity_commands, *driver.slow_commands, *driver.fast_commands)
    refused = [one for one in commands if not (bench.session.execute(one) or "").endswith("\r\nOK\r\n")]
    assert refused == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("position", [0, 3])
def test_what_the_router_reads_is_the_scene(name: str, position: int) -> None:
    for second in range(0, 2400, 240):
        bench = Bench(name, second, position=position)
        state, scene = bench.state, bench.state.scene
        if not state.covered:
            continue
        driver, values = read(bench)
        fields = driver.reading_fields(values)
        assert (fields["state"], fields["registration"], fields["sim_state"]) == ("online", "home", "READY")
        assert fields["operator"] == scene.operator
        if scene.mode == "UMTS":
            continue
        assert (fields["rsrp_dbm"], fields["rsrq_db"]) == (scene.rsrp_dbm, scene.rsrq_db)
        assert fields["cell_id"] == scene.cell.cell_id
        if state.model.vendor in BARE:
            continue
        assert (fields["pci"], fields["band"]) == (scene.cell.pci, scene.cell.channel.band)
        assert fields["mode"] == ("LTE" if scene.mode == "NSA" and state.model.is_lte_only else scene.mode)
        assert fields["temperature_c"] == pytest.approx(state.temperature_c, abs=1)
        if name != "PLS8-E":
            assert fields["sinr_db"] == pytest.approx(min(scene.sinr_db, 30), abs=1)
        if fields["mode"] == "NSA":
            assert (fields["nr_rsrp_dbm"], fields["nr_band"]) == (scene.rsrp_dbm, 78)


@pytest.mark.parametrize("name", [row.name for row in ROWS if row.vendor not in BARE])
def test_neighbours_and_carriers_are_told(name: str) -> None:
    bench = Bench(name, 900)
    driver, values = read(bench)
    scene = bench.state.scene
    if bench.state.model.vendor != "thales":  # whose commands tell of none
        assert len(driver.neighbours(values)) == len(scene.neighbours) > 0
    carriers = driver.carriers(values)
    secondary = [one for one in carriers if one["role"] == "scc" and one["rat"] == "LTE"]
    if bench.state.model.family != "xmm":  # whose driver asks how many there are, not which
        assert len(secondary) == len(scene.carriers)
    assert carriers[0]["role"] == "pcc"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_its_usb_tree_is_one_the_detection_knows(row: Model) -> None:
    assert row.composition in row.compositions
    for usb in row.compositions.values():
        numbers = [interface.number for interface in usb.interfaces]
        assert len(set(numbers)) == len(numbers)
        assert all(len(interface.triple) == 6 for interface in usb.interfaces)
        known = BY_ID.get(usb.usb_id)
        if known is None or not usb.at_interfaces:
            continue
        by_class = [one.number for one in usb.interfaces if one.triple == known.at_class]
        assert set(usb.at_interfaces) <= set(known.at_interfaces or by_class)


def test_models_are_chosen_by_name_or_by_its_beginning_in_any_case() -> None:
    chosen = profiles_of(0, ["rm520n-gl", "EM9190", "FM150"])
    assert [profile.model.name for profile in chosen] == ["RM520N-GL", "EM9190", "FM150-AE"]
    assert profiles_of(8) == PROFILES
    with pytest.raises(InvalidInput) as caught:
        profiles_of(0, ["ZX81"])
    assert "RM520N-GL" in (caught.value.hint or "")


def test_a_label_says_what_a_models_replies_rest_on() -> None:
    assert {row.proven for row in ROWS} == {"capture", "family"}
    assert {row.proven for row in ROWS if row.vendor in ("thales", "generic")} == {"family"}
    assert MODELS["EM9190"].proven == MODELS["EM7411"].proven == "family"  # no reply of theirs was found


def test_every_scene_of_the_drives_is_seen_by_a_modem_without_locks() -> None:
    for profile in PROFILES:
        for second in range(0, 2400, 120):
            assert Bench(profile.model.name).state.radio.tune(scene_at(profile, second)) is not None


ARGUMENTS = st.lists(
    st.sampled_from(["", "0", "1", "2", "4", "99", "-1", "0x1F", "7FFFFFFFFFFFFFFF", '"SC"', '"1234"', "LTE", "AUTO"])
    | st.sampled_from(['"common/4g"', '"common/5g"', '"lte_band"', '"mode_pref"', '"band"', '"usbnet"', "1:3:7", "103"])
    | st.text(max_size=12),
    max_size=6,
).map(",".join)


@given(st.data())
def test_no_arguments_break_a_command_of_any_model(data: st.DataObject) -> None:
    bench = Bench(data.draw(st.sampled_from(NAMES)))
    commands = table(bench.state.model.name).setters
    for _ in range(8):
        command = data.draw(st.sampled_from(sorted(commands))) + data.draw(ARGUMENTS)
        answer = bench.session.execute(command)
        assert answer is None or answer == "" or answer.endswith(("\r\n", "> "))
        bench.session.execute("\x1b")
    bench.reset()
    assert bench.session.execute("AT") == "\r\nOK\r\n"
