"""Who is who and where: moves, swaps, clones, other modems, other programs, and what the report and DELETE say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from modem_bench import Bench, answers, is_online, quick_bench, wait_for
from remsim.core.errors import NotFound
from remsim.modems import manager as manager_module
from remsim.modems import modem, port_use
from remsim.modems.manager import ModemManager
from scripted_modem import ScriptedModem
from web_support import client_of, small_app

IMEI_A, IMEI_B, IMEI_C = "862365030000011", "862365030000022", "862365030000033"
HOLD = "import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); print(1, flush=True); sys.stdin.read()"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(manager_module, "HOLDERS_S", 0.2)
    monkeypatch.setattr(manager_module, "FULL_SCAN_S", 0.3)
    with quick_bench(tmp_path, monkeypatch) as bench:
        yield bench


@contextmanager
def held(path: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another program has the port open."""
    program = subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert program.stdout is not None and program.stdout.readline() == b"1\n"
    try:
        yield program
    finally:
        program.communicate(b"", 10)


def ids(manager: ModemManager) -> dict[str, str]:
    """Ids by the last digits of the IMEI."""
    return {str(view["imei"])[-2:]: str(view["id"]) for view in manager.views() if view["imei"]}


def second_port(bench: Bench, imei: str, tty: int = 0) -> ScriptedModem:
    """Give the modem its second AT port."""
    one = ScriptedModem(answers(imei))
    node = bench.tree.dev / f"ttyUSB{tty + 3}"
    node.unlink(missing_ok=True)
    node.symlink_to(one.path)
    bench.modems[f"second {tty}"] = one
    return one


def test_two_modems_swapped_while_the_router_was_off_keep_their_ids(bench: Bench) -> None:
    bench.plug("1-1", IMEI_A)
    bench.plug("1-2", IMEI_B, tty=4)
    manager = bench.start()
    wait_for(lambda: is_online(manager, "modem1") and is_online(manager, "modem2"))
    before = ids(manager)
    manager.stop()
    for path, tty in (("1-1", 0), ("1-2", 4)):
        bench.unplug(path, tty=tty)
    bench.plug("1-1", IMEI_B)
    bench.plug("1-2", IMEI_A, tty=4)
    manager = bench.start()
    wait_for(lambda: is_online(manager, "modem1") and is_online(manager, "modem2") and len(ids(manager)) == 2)
    assert ids(manager) == before
    assert sorted(view["id"] for view in manager.views()) == ["modem1", "modem2"]


def test_ids_are_never_doubled_while_three_modems_change_places(bench: Bench) -> None:
    places = (("1-1", 0), ("1-2", 4), ("1-3", 8))
    for (path, tty), imei in zip(places, (IMEI_A, IMEI_B, IMEI_C), strict=True):
        bench.plug(path, imei, tty=tty)
    manager = bench.start()
    wait_for(lambda: len(ids(manager)) == 3)
    before = ids(manager)
    manager.stop()
    for path, tty in places:
        bench.unplug(path, tty=tty)
    for (path, tty), imei in zip(places, (IMEI_B, IMEI_C, IMEI_A), strict=True):
        bench.plug(path, imei, tty=tty)
    manager = bench.start()

    def settled() -> bool:
        assert len({view["id"] for view in manager.views()}) == len(manager.views())
        return ids(manager) == before and all(view["state"] == "online" for view in manager.views())

    wait_for(settled)


def test_modem_that_comes_back_under_another_bus_is_itself(bench: Bench) -> None:
    bench.plug("1-1", IMEI_A)
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    bench.unplug("1-1")
    wait_for(lambda: "vanished" in bench.kinds())
    bench.plug("1-3", IMEI_A, tty=4)
    wait_for(lambda: is_online(manager) and len(manager.views()) == 1)
    assert manager.view("modem1")["usb_path"] == "1-3"
    (moved,) = [event for event in bench.events if event.kind == "moved"]
    assert moved.source == "modem1" and moved.message == "modem1: now at USB 1-3"


def test_other_modem_at_the_same_place_gets_an_id_of_its_own(bench: Bench) -> None:
    bench.plug("1-1", IMEI_A)
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    bench.unplug("1-1")
    wait_for(lambda: "vanished" in bench.kinds())
    bench.plug("1-1", IMEI_B)
    wait_for(lambda: is_online(manager, "modem2"))
    assert [view["id"] for view in manager.views()] == ["modem2"]
    manager.forget("modem1")  # it is still known, though it has no card
    with pytest.raises(NotFound):
        manager.forget("modem1")


def test_modem_of_another_maker_is_not_taken_for_the_one_before(bench: Bench) -> None:
    bench.plug("1-1", IMEI_A)
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    bench.unplug("1-1")
    bench.tree.plug("1-1", "1e2d:00b3", "MV31-W")
    wait_for(lambda: [view["vendor"] for view in manager.views()] == ["thales"])
    assert manager.views()[0]["id"] == "modem2"


def test_missing_driver_is_told_with_its_package(bench: Bench) -> None:
    bench.tree.plug("1-1", "1199:9071", "MC7455")
    bench.tree.interface("1-1", 3)
    manager = bench.start()
    wait_for(lambda: manager.views())
    assert "install kmod-usb-serial-qualcomm" in manager.views()[0]["problem"]


def test_two_modems_with_one_imei_are_told_and_kept_apart(bench: Bench) -> None:
    bench.plug("1-1", IMEI_A)
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    bench.plug("1-2", IMEI_A, tty=4)
    wait_for(lambda: is_online(manager, "modem2"))
    assert any("same IMEI as modem1" in notice for notice in manager.view("modem2")["notices"])
    assert bench.kinds().count("same_imei") == 1


def test_imei_of_zeros_is_told(bench: Bench) -> None:
    bench.plug("1-1", "0" * 15)
    bench.plug("1-2", "0" * 15, tty=4)
    manager = bench.start()
    wait_for(lambda: is_online(manager, "modem1") and is_online(manager, "modem2"))
    assert all("lost its IMEI" in view["notices"][0] for view in manager.views())
    assert "same_imei" not in bench.kinds()


def test_change_of_the_product_id_is_told_and_the_modem_stays_itself(bench: Bench) -> None:
    bench.plug("1-1", IMEI_A)
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    bench.unplug("1-1")
    bench.tree.plug("1-1", "05c6:9008")
    wait_for(lambda: "EDL" in str(manager.view("modem1")["problem"]))
    bench.tree.unplug("1-1")
    bench.plug("1-1", IMEI_A)
    wait_for(lambda: is_online(manager))
    changes = [event.data for event in bench.events if event.kind == "composition"]
    assert changes == [{"from": "2c7c:0801", "to": "05c6:9008"}, {"from": "05c6:9008", "to": "2c7c:0801"}]
    assert [view["id"] for view in manager.views()] == ["modem1"]


def test_second_port_is_used_while_another_program_has_the_first(bench: Bench) -> None:
    first = bench.plug("1-1", IMEI_A)
    second = second_port(bench, IMEI_A)
    with held(first.path) as program:
        manager = bench.start()
        wait_for(lambda: is_online(manager))
        view = manager.view("modem1")
        assert view["port"].endswith("ttyUSB3") and first.commands == []
        assert "ttyUSB2 is used by " in view["notices"][0] and f"(pid {program.pid})" in view["notices"][0]
        wait_for(lambda: manager.view("modem1")["port_users"])
        assert manager.view("modem1")["port_users"][0]["pid"] == program.pid
    wait_for(lambda: not manager.view("modem1")["port_users"])
    assert manager.view("modem1")["port"].endswith("ttyUSB3")  # no change in mid-session
    asked = len(second.commands)
    wait_for(lambda: len(second.commands) > asked)
    manager.set_period("modem1", None)
    wait_for(lambda: manager.view("modem1")["state"] == "paused")
    manager.set_period("modem1", 1.0)
    wait_for(lambda: manager.view("modem1")["port"].endswith("ttyUSB2") and is_online(manager))
    assert manager.view("modem1")["notices"] == []


def test_second_port_is_tried_when_the_first_is_silent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_use, "PATIENCE_S", 0.5)
    first = bench.plug("1-1", IMEI_A)
    first.answers, first.default = {}, None
    second_port(bench, IMEI_A)
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    assert manager.view("modem1")["notices"] == [
        f"{bench.tree.dev}/ttyUSB2 does not answer, so {bench.tree.dev}/ttyUSB3 is asked."
    ]


def test_second_port_that_cannot_be_opened_leads_back_to_who_has_the_first(bench: Bench) -> None:
    first = bench.plug("1-1", IMEI_A)
    (bench.tree.dev / "ttyUSB3").touch()
    with held(first.path) as program:
        manager = bench.start()
        wait_for(lambda: manager.views() and manager.views()[0]["state"] == "port_busy")
        assert f"(pid {program.pid})" in manager.views()[0]["problem"]
    wait_for(lambda: is_online(manager))


def test_program_that_comes_to_our_port_later_is_told_once(bench: Bench) -> None:
    one = bench.plug("1-1", IMEI_A)
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    with held(one.path) as program:
        wait_for(lambda: "port_shared" in bench.kinds())
        assert f"(pid {program.pid}) has opened" in manager.view("modem1")["notices"][0]
        read = len(bench.readings)
        wait_for(lambda: len(bench.readings) > read + 3)
    wait_for(lambda: manager.view("modem1")["notices"] == [])
    assert bench.kinds().count("port_shared") == 1


def test_ports_of_three_modems_renamed_at_once(bench: Bench) -> None:
    places = (("1-1", 0, IMEI_A), ("1-2", 4, IMEI_B), ("1-3", 8, IMEI_C))
    for path, tty, imei in places:
        bench.plug(path, imei, tty=tty)
    manager = bench.start()
    wait_for(lambda: len(ids(manager)) == 3 and all(view["state"] == "online" for view in manager.views()))
    before = ids(manager)
    for path, tty, _ in places:
        bench.unplug(path, tty=tty)
    for (path, _, imei), tty in zip(places, (8, 0, 4), strict=True):
        bench.plug(path, imei, tty=tty)
    read = len(bench.readings)
    wait_for(lambda: {one.modem for one in bench.readings[read:] if one.state == "online"} == set(before.values()))
    assert ids(manager) == before
    for path, tty in (("1-1", 10), ("1-2", 2), ("1-3", 6)):
        assert next(view["port"] for view in manager.views() if view["usb_path"] == path).endswith(f"ttyUSB{tty}")


def test_what_never_told_an_imei_vanishes_from_the_list_by_itself(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modem, "REBOOT_S", 0.2)
    monkeypatch.setattr(manager_module, "GHOST_S", 0.5)
    bench.tree.plug("1-1", "1199:9070")
    bench.plug("1-2", IMEI_A, tty=4)
    manager = bench.start()
    wait_for(lambda: len(manager.views()) == 2 and is_online(manager, "modem2"))
    bench.tree.unplug("1-1")
    bench.unplug("1-2", tty=4)
    wait_for(lambda: [view["id"] for view in manager.views()] == ["modem2"])
    wait_for(lambda: manager.view("modem2")["state"] == "gone")
    assert [event.source for event in bench.events if event.kind == "forgotten"] == ["modem1"]


def test_ghosts_of_the_last_run_are_not_in_the_registry_any_more(bench: Bench) -> None:
    bench.tree.plug("1-1", "1199:9070")
    manager = bench.start()
    wait_for(lambda: len(manager.views()) == 1)
    manager.stop()
    bench.tree.unplug("1-1")
    bench.plug("1-2", IMEI_A, tty=4)
    manager = bench.start()
    wait_for(lambda: is_online(manager, "modem2"))
    assert [one["id"] for one in manager.views()] == ["modem2"]


def test_modem_is_read_beside_the_program_that_has_its_connection(bench: Bench) -> None:
    bench.plug("1-1", IMEI_A)
    control = ScriptedModem({})
    bench.modems["control"] = control
    bench.tree.interface("1-1", 8, wdm="cdc-wdm0", driver="qmi_wwan", node=False)
    (bench.tree.dev / "cdc-wdm0").symlink_to(control.path)
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    assert manager.view("modem1")["control_port"].endswith("cdc-wdm0")
    with held(control.path):
        wait_for(lambda: any("connection" in notice for notice in manager.view("modem1")["notices"]))
        assert is_online(manager)


def test_modem_on_pci_is_asked_over_its_wwan_port(bench: Bench) -> None:
    one = ScriptedModem(answers(IMEI_A))
    bench.modems["pci"] = one
    bench.tree.pci("0000:01:00.0", "1eac:1004", ports={"wwan0at0": "AT", "wwan0mbim0": "MBIM"}, net="wwan0")
    (bench.tree.dev / "wwan0at0").unlink()
    (bench.tree.dev / "wwan0at0").symlink_to(one.path)
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    view = manager.view("modem1")
    assert (view["usb_path"], view["usb_id"], view["interface"]) == ("pci-0000:01:00.0", "1eac:1004", "wwan0")
    assert view["port"].endswith("wwan0at0") and view["control_port"].endswith("wwan0mbim0")
    assert next(event for event in bench.events if event.kind == "appeared").message.endswith("PCI 0000:01:00.0")


def test_unknown_product_is_read_by_the_generic_driver_and_asks_to_be_reported(bench: Bench) -> None:
    one = ScriptedModem(answers(IMEI_A))
    bench.modems["unknown"] = one
    bench.tree.plug("1-1", "2c7c:9999", "Fancy")
    bench.tree.interface("1-1", 0, tty="ttyUSB0", driver="option", triple="ffff30")
    bench.tree.interface("1-1", 2, tty="ttyUSB2", driver="option", node=False)
    (bench.tree.dev / "ttyUSB2").symlink_to(one.path)
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    view = manager.view("modem1")
    assert (view["vendor"], view["model"]) == ("generic", "RM520N-GL")
    assert "remsim detect" in view["notices"][0]


def test_api_reports_and_forgets(bench: Bench, tmp_path: Path) -> None:
    bench.plug("1-1", IMEI_A)
    manager = bench.start()
    wait_for(lambda: is_online(manager))
    router, app = small_app(tmp_path / "web")
    router.modems = manager  # type: ignore[assignment]  # the real one
    client = client_of(app)
    report = client.get("/api/v1/detection").get_json()
    assert report["usb"][0]["module"] == "RM520N-GL" and report["modems"] == ["USB 1-1: modem1, online"]
    assert "1-1 2c7c:0801" in report["text"] and IMEI_A not in report["text"]
    refused = client.delete("/api/v1/modems/modem1")
    assert (refused.status_code, refused.get_json()["code"], refused.get_json()["hint"]) == (
        409,
        "conflict",
        "unplug it first",
    )
    assert client.delete("/api/v1/modems/modem9").status_code == 404
    bench.unplug("1-1")
    wait_for(lambda: "vanished" in bench.kinds())
    assert client.delete("/api/v1/modems/modem1").get_json() == {"id": "modem1", "forgotten": True}
    assert manager.views() == [] and bench.kinds()[-1] == "forgotten"
    assert client_of(app, token=False).delete("/api/v1/modems/modem1").status_code == 401
    assert client_of(app, token=False).get("/api/v1/detection").status_code == 401
    router.stop()
