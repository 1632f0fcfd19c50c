"""Replies of Intel's XMM chips from the simulator, read by the router's own decoder."""

from __future__ import annotations

from hypothesis import given
from remsim.modems.decode import decode_reply
from remsim.simulator.drive import Scene
from remsim.simulator.encode import xmm
from scenes import scenes


def decoded(command: str, body: str) -> dict:
    return decode_reply("fibocom", "L850-GL", "XMM7360", command, f"{command}\r\n{body}\r\n\r\nOK\r\n")


@given(scenes("LTE", "NSA"))
def test_cell_and_neighbours_survive_xmci(scene: Scene) -> None:
    values = decoded("AT+XMCI=1", xmm.xmci(scene, "999", "01"))
    cell = scene.cell
    assert (values["tac"], values["cell_id"], values["pci"]) == (cell.tac, cell.cell_id, cell.pci)
    assert (values["earfcn"], values["sinr_db"]) == (cell.channel.number, scene.sinr_db)
    assert values["rsrp_dbm"] == scene.rsrp_dbm
    assert values["rsrq_db"] == scene.rsrq_db
    told = [(one["earfcn"], one["pci"], one["rsrp_dbm"]) for one in values.get("neighbours", [])]
    assert told == [(one.number, one.pci, one.rsrp_dbm) for one in scene.neighbours]


@given(scenes("LTE", "NSA"))
def test_levels_survive_xcesq(scene: Scene) -> None:
    values = decoded("AT+XCESQ?", xmm.xcesq(scene))
    assert (values.get("rsrp_dbm"), values.get("rsrq_db")) == (scene.rsrp_dbm, scene.rsrq_db)
    if scene.rsrp_dbm is not None:
        assert values.get("sinr_db") == scene.sinr_db


@given(scenes("LTE", "NSA"))
def test_xlec_tells_how_many_carriers_and_their_widths(scene: Scene) -> None:
    values = decoded("AT+XLEC?", xmm.xlec(scene))
    channels = [scene.cell.channel, *(one.channel for one in scene.carriers)]
    assert (values["carrier_count"], values["band"]) == (len(channels), channels[0].band)
    assert values["bw_mhz"] == [channel.mhz for channel in channels]


@given(scenes("UMTS"))
def test_3g_has_an_rscp_and_no_lte_cell(scene: Scene) -> None:
    assert decoded("AT+XCESQ?", xmm.xcesq(scene)).get("rscp_dbm") == scene.rscp_dbm
    assert "cell_id" not in decoded("AT+XMCI=1", xmm.xmci(scene, "999", "01"))
