from __future__ import annotations

from pathlib import Path

import pytest
from remsim.modems.detect import ControlPort, fingerprint, scan
from remsim.modems.ports import ROWS
from usb_tree import UsbTree, plug_rm520n


@pytest.fixture
def tree(tmp_path: Path) -> UsbTree:
    return UsbTree(tmp_path)


def test_quectel_answers_on_interface_two_then_three(tree: UsbTree) -> None:
    plug_rm520n(tree, first_tty=4)
    (found,) = scan(tree.sys, tree.dev)
    assert found.at_ports == (str(tree.dev / "ttyUSB6"), str(tree.dev / "ttyUSB7"))
    assert (found.usb_path, found.row.vendor, found.product, found.interface) == (
        "1-1.2",
        "quectel",
        "RM520N-GL",
        "wwan0",
    )


def test_two_equal_modems_are_told_apart_by_their_place(tree: UsbTree) -> None:
    plug_rm520n(tree, "1-1.2", 4, "wwan1")
    plug_rm520n(tree, "1-1.1", 0, "wwan0")
    assert [(one.usb_path, one.interface, one.at_ports[0][-7:]) for one in scan(tree.sys, tree.dev)] == [
        ("1-1.1", "wwan0", "ttyUSB2"),
        ("1-1.2", "wwan1", "ttyUSB6"),
    ]


@pytest.mark.parametrize(("usb_id", "number"), [("0e8d:7126", 4), ("0e8d:7127", 6)])
def test_fm350_has_seven_ttys_and_one_that_answers(tree: UsbTree, usb_id: str, number: int) -> None:
    tree.plug("2-1", usb_id)
    tree.interface("2-1", 0, net="eth2", triple="e00103")
    for tty in range(2, 9):
        tree.interface("2-1", tty, tty=f"ttyUSB{tty}")
    (found,) = scan(tree.sys, tree.dev)
    assert found.at_ports == (str(tree.dev / f"ttyUSB{number}"),)
    assert found.interface == "eth2"


def test_port_of_cdc_acm_is_found_in_its_tty_folder(tree: UsbTree) -> None:
    tree.plug("1-2", "8087:095a")
    tree.interface("1-2", 0, tty="ttyACM0", triple="020201")
    (found,) = scan(tree.sys, tree.dev)
    assert found.at_ports == (str(tree.dev / "ttyACM0"),)


def test_em9190_is_found_by_the_class_of_its_interface(tree: UsbTree) -> None:
    tree.plug("2-1", "1199:90d3")
    tree.interface("2-1", 2, tty="ttyUSB0", triple="ff0000")
    tree.interface("2-1", 3, tty="ttyUSB1", triple="ffff30")
    tree.interface("2-1", 4, tty="ttyUSB2", triple="ffff40")
    (found,) = scan(tree.sys, tree.dev)
    assert found.at_ports == (str(tree.dev / "ttyUSB2"),)


def test_port_counts_only_when_its_device_node_is_there(tree: UsbTree) -> None:
    tree.plug("1-1", "1199:9091")
    tree.interface("1-1", 3, tty="ttyUSB2", node=False)
    assert scan(tree.sys, tree.dev)[0].at_ports == ()
    (tree.dev / "ttyUSB2").touch()
    assert scan(tree.sys, tree.dev)[0].at_ports == (str(tree.dev / "ttyUSB2"),)


@pytest.mark.parametrize(("driver", "protocol"), [("qmi_wwan", "qmi"), ("cdc_mbim", "mbim")])
def test_control_device_is_named_with_what_it_speaks(tree: UsbTree, driver: str, protocol: str) -> None:
    plug_rm520n(tree)
    assert scan(tree.sys, tree.dev)[0].control_port is None
    tree.interface("1-1.2", 8, wdm="cdc-wdm1", driver=driver)
    assert scan(tree.sys, tree.dev)[0].control_port == ControlPort(protocol, str(tree.dev / "cdc-wdm1"))
    (tree.dev / "cdc-wdm1").unlink()
    assert scan(tree.sys, tree.dev)[0].control_port is None


def test_modem_in_its_boot_loader_is_seen_and_known_as_such(tree: UsbTree) -> None:
    tree.plug("1-1", "1199:9090")
    (found,) = scan(tree.sys, tree.dev)
    assert found.row.is_boot_mode and found.at_ports == ()


def test_other_devices_hubs_and_broken_attributes_are_no_modems(tree: UsbTree) -> None:
    tree.plug("usb1", "1d6b:0002")
    tree.plug("1-1", "0bda:8153")
    tree.plug("1-3", "2c7c:0801" + "0" * 5000)
    (tree.devices / "1-2").mkdir()
    (tree.devices / "1-4").write_text("not a folder")
    tree.plug("1-5", "2c7c:0125")
    (tree.devices / "1-5:1.2").mkdir()
    (tree.devices / "1-5:1.2" / "bInterfaceNumber").write_bytes(b"\xff\xfe\n")
    assert [one.usb_path for one in scan(tree.sys, tree.dev)] == ["1-5"]


def test_tree_without_usb_has_no_modems(tmp_path: Path) -> None:
    assert scan(tmp_path / "none", tmp_path) == []
    assert fingerprint(tmp_path / "none") == ()


def test_fingerprint_changes_when_a_modem_comes_or_goes(tree: UsbTree) -> None:
    empty = fingerprint(tree.sys)
    plug_rm520n(tree)
    assert fingerprint(tree.sys) != empty
    tree.unplug("1-1.2")
    assert fingerprint(tree.sys) == empty


def test_every_usb_id_is_listed_once_and_leads_to_a_port_or_a_boot_loader() -> None:
    assert len({row.usb_id for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.is_boot_mode != bool(row.at_interfaces or row.at_class), row
