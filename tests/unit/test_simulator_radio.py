"""What virtual modems see of a drive when bands, technologies and cells are chosen, in each family's words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.simulator.drive import LTE_CHANNELS, Scene
from remsim.simulator.models import MODELS, ROWS
from remsim.simulator.radio import mask_of, numbers_in
from remsim.simulator.state import default_radio
from scenes import scenes
from virtual import Bench

SIERRA_PASSWORD = 'AT!ENTERCND="A710"'
LTE_ONLY = {
    "RM520N-GL": 'AT+QNWPREFCFG="mode_pref",LTE',
    "EC25": 'AT+QCFG="nwscanmode",3,1',
    "EM9190": "AT!SELRAT=06",
    "FM350-GL": "AT+GTACT=2,,,0",
    "FM150-AE": "AT+GTACT=2,3,2,0",
    "L850-GL": "AT+XACT=2,,,0",
}
UMTS_ONLY = {
    "RM520N-GL": 'AT+QNWPREFCFG="mode_pref",WCDMA',
    "EC25": 'AT+QCFG="nwscanmode",2,1',
    "EM9190": "AT!SELRAT=01",
    "FM350-GL": "AT+GTACT=1,,,0",
    "L850-GL": "AT+XACT=1,,,0",
}


def lte_bands(model: str, *bands: int) -> list[str]:
    """The commands that leave an LTE modem these bands only."""
    listed = ":".join(map(str, bands))
    codes = ",".join(str(100 + band) for band in bands)
    low, high = mask_of(frozenset(bands)) & (1 << 64) - 1, mask_of(frozenset(bands)) >> 64
    return {
        "RM520N-GL": [f'AT+QNWPREFCFG="lte_band",{listed}'],
        "EC25": [f'AT+QCFG="band",0,{low:x},0,1'],
        "MC7455": [f'AT!BAND=10,"mine",0,{low:016X},0', "AT!BAND=10"],
        "EM9190": [f'AT!BAND=0F,1,"mine",1,{low:016X},{high:016X}', "AT!BAND=0F"],
        "FM350-GL": [f"AT+GTACT=20,6,3,{codes}"],
        "FM150-AE": [f"AT+GTACT=20,6,3,{codes}"],
        "L850-GL": [f"AT+XACT=4,2,1,{codes}"],
    }[model]


def bench_of(model: str) -> Bench:
    bench = Bench(model, 900)  # band 8 of an LTE anchor with a 5G leg
    if bench.state.model.vendor == "sierra":
        bench.say(SIERRA_PASSWORD)
    assert (bench.state.air.mode, bench.state.scene.cell.channel.band) == ("NSA", 8)
    return bench


@pytest.mark.parametrize("model", ["RM520N-GL", "EC25", "MC7455", "EM9190", "FM350-GL", "FM150-AE", "L850-GL"])
def test_a_band_lock_moves_to_another_carrier_of_the_site_or_ends_without_service(model: str) -> None:
    bench = bench_of(model)
    for command in lte_bands(model, 3):
        assert bench.say(command) == "OK", command
    assert bench.kinds() == ["retune"]
    assert bench.state.scene.cell.channel.band == 3
    assert bench.state.scene.rsrp_dbm < bench.state.air.rsrp_dbm
    assert bench.state.registered
    for command in lte_bands(model, 20):  # the site has none of it
        assert bench.say(command) == "OK", command
    assert bench.state.camped is None and not bench.state.registered
    assert bench.say("AT+CEREG?") == "+CEREG: 0,2"
    for command in lte_bands(model, 8):
        bench.say(command)
    assert bench.state.registered


@pytest.mark.parametrize("model", LTE_ONLY)
def test_lte_only_takes_the_5g_leg_away(model: str) -> None:
    bench = bench_of(model)
    assert bench.say(LTE_ONLY[model]) == "OK"
    assert bench.state.scene.mode == "LTE" and bench.state.registered


@pytest.mark.parametrize("model", UMTS_ONLY)
def test_a_technology_that_is_not_there_ends_without_service(model: str) -> None:
    bench = bench_of(model)
    assert bench.say(UMTS_ONLY[model]) == "OK"
    assert not bench.state.registered and bench.state.camped is None


@pytest.mark.parametrize("model", UMTS_ONLY)
def test_a_firmware_that_forgets_has_all_technologies_again_after_a_reset(model: str) -> None:
    bench = bench_of(model)
    bench.say(UMTS_ONLY[model])
    forgets = model == "FM350-GL"
    bench.reset()
    assert (bench.state.radio == default_radio(bench.state.model)) == forgets
    bench.state.faults.add("forgets_bands")
    bench.reset()
    assert bench.state.radio == default_radio(bench.state.model)
    assert bench.state.registered


@pytest.mark.parametrize("model", UMTS_ONLY)
def test_a_refusal_leaves_all_as_it_was(model: str) -> None:
    bench = bench_of(model)
    bench.state.faults.add("refuses_mode")
    for command in (UMTS_ONLY[model], *lte_bands(model, 3)):
        assert bench.say(command) == "+CME ERROR: 3"
    assert bench.state.radio == default_radio(bench.state.model)


@pytest.mark.parametrize("model", ["RM520N-GL", "EC25", "MC7455", "EM9190", "FM350-GL", "FM150-AE", "L850-GL"])
def test_a_band_the_module_lacks_is_refused(model: str) -> None:
    bench = bench_of(model)
    assert "ERROR" in bench.say(lte_bands(model, 3, 60)[0])
    assert bench.state.radio == default_radio(bench.state.model)


def test_sierra_wants_its_password_on_the_same_port() -> None:
    bench = Bench("EM7565")
    assert bench.say("AT!SELRAT=06") == "ERROR"
    assert bench.say('AT!ENTERCND="1234"') == "ERROR"
    assert "GW Band Mask" not in bench.say("AT!BAND=?")
    bench.say(SIERRA_PASSWORD)
    assert bench.say("AT!SELRAT=06") == "OK"
    assert "GW Band Mask" in bench.say("AT!BAND=?")


def test_quectels_cell_lock_ends_at_a_reset_unless_it_is_saved() -> None:
    bench = bench_of("RM520N-GL")
    cell = bench.state.scene.cell
    lock = f'AT+QNWLOCK="common/4g",1,{cell.channel.number},{cell.pci}'
    assert bench.say(lock) == "OK" and bench.state.registered
    assert bench.say('AT+QNWLOCK="common/4g"') == f'+QNWLOCK: "common/4g",1,{cell.channel.number},{cell.pci}'
    bench.say(f'AT+QNWLOCK="common/4g",1,{cell.channel.number},{(cell.pci + 1) % 504}')
    assert not bench.state.registered
    bench.reset()
    assert bench.say('AT+QNWLOCK="common/4g"') == '+QNWLOCK: "common/4g",0' and bench.state.registered
    bench.say(lock)
    bench.say('AT+QNWLOCK="save_ctrl",1,1')
    bench.reset()
    assert bench.state.radio.locks
    assert bench.say('AT+QNWLOCK="common/4g",0') == "OK" and not bench.state.radio.locks


def test_fibocoms_cell_lock_begins_at_the_next_reset_and_stays() -> None:
    bench = bench_of("FM150-AE")
    channel = bench.state.scene.cell.channel.number
    assert bench.say(f"AT+GTCELLLOCK=1,0,0,{channel},1") == "OK"
    assert bench.say("AT+GTCELLLOCK?") == f"+GTCELLLOCK: 1,0,0,{channel},1" and bench.state.registered
    bench.reset()
    assert not bench.state.registered
    bench.reset()
    assert not bench.state.registered
    bench.say("AT+GTCELLLOCK=0")
    bench.reset()
    assert bench.state.registered


def test_mediateks_cell_lock_begins_when_the_radio_was_off_and_ends_at_a_reset() -> None:
    bench = bench_of("FM350-GL")
    channel = bench.state.scene.cell.channel.number
    assert bench.say(f"AT+EMMCHLCK=1,7,0,{channel},1") == "OK"
    assert bench.state.registered
    for command in ("AT+CFUN=4", "AT+CFUN=1"):
        bench.say(command)
    assert not bench.state.registered
    bench.reset()
    assert bench.say("AT+EMMCHLCK?") == "+EMMCHLCK: 0" and bench.state.registered


def test_nb_iot_is_chosen_but_not_there() -> None:
    bench = Bench("BG96")
    assert bench.say('AT+QCFG="iotopmode",1,1') == "OK"
    assert not bench.state.registered
    assert bench.say('AT+QCFG="iotopmode",0,1') == "OK"
    assert bench.state.registered
    bench.say('AT+QCFG="nwscanmode",3,1')
    bench.say("AT+COPS=0")
    assert bench.say('AT+QCFG="nwscanmode"') == '+QCFG: "nwscanmode",0'


@given(scenes("LTE", "NSA"), st.sets(st.sampled_from([channel.band for channel in LTE_CHANNELS])))
def test_what_is_camped_on_is_always_allowed(scene: Scene, bands: set[int]) -> None:
    radio = default_radio(MODELS["RM520N-GL"])
    radio = replace(radio, bands=replace(radio.bands, lte=frozenset(bands)))
    seen = radio.tune(replace(scene, carriers=()))
    if seen is not None:
        assert seen.cell.channel.band in bands
        assert {carrier.channel.band for carrier in radio.carriers(seen, 2)} <= bands
    else:
        assert scene.cell.channel.band not in bands


@given(st.sets(st.integers(1, 128)))
def test_masks_hold_bands(bands: set[int]) -> None:
    assert numbers_in(mask_of(frozenset(bands))) == bands


def test_all_models_have_the_bands_of_the_drives() -> None:
    needed = {channel.band for channel in LTE_CHANNELS}
    lacking = {row.name: needed - row.bands.lte for row in ROWS if needed - row.bands.lte}
    assert set(lacking) <= {"BG96"}  # whose makers left band 7 out
