from __future__ import annotations

from pathlib import Path

import pytest
from remsim.modems import boot_modes, detect, wwan
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


MBIM_ALONE = ("2cb7:010f",)
"""Compositions without any AT port."""


def test_every_usb_id_is_listed_once_and_leads_to_a_port_or_a_boot_loader() -> None:
    rows = (*ROWS, *boot_modes.ROWS)
    assert len({row.usb_id for row in rows}) == len(rows)
    for row in rows:
        assert row.usb_id == row.usb_id.lower() and len(row.usb_id) == 9
        has_way = bool(row.at_interfaces or row.at_class or row.is_guess) or row.usb_id in MBIM_ALONE
        assert row.is_boot_mode != has_way, row
    assert len({row.usb_id for row in wwan.ROWS}) == len(wwan.ROWS)


def test_every_boot_mode_says_what_to_do() -> None:
    assert {row.boot_mode for row in boot_modes.ROWS} == set(boot_modes.ADVICE)
    for row in boot_modes.ROWS:
        assert boot_modes.sentence(str(row.boot_mode)).startswith("The modem is in ")


@pytest.mark.parametrize(
    ("usb_id", "words"),
    [("05c6:9008", "EDL"), ("0e8d:2000", "preloader"), ("8087:07f5", "flash"), ("1199:9070", "QDL")],
)
def test_boot_and_download_modes_are_told_apart(tree: UsbTree, usb_id: str, words: str) -> None:
    tree.plug("1-1", usb_id)
    tree.interface("1-1", 0, tty="ttyUSB0", driver="qcserial", triple="ffffff")
    (found,) = scan(tree.sys, tree.dev)
    assert words in str(found.row.boot_mode) and found.at_ports == ()


def test_unknown_product_of_a_modem_vendor_is_tried_on_its_likeliest_port_first(tree: UsbTree) -> None:
    tree.plug("1-1", "2c7c:9999", "Fancy 6G")
    tree.interface("1-1", 0, tty="ttyUSB0", driver="option", triple="ffff30")
    tree.interface("1-1", 1, tty="ttyUSB1", driver="option", triple="ff0040")
    tree.interface("1-1", 2, tty="ttyUSB2", driver="option", triple="ff0000", endpoints=2)
    tree.interface("1-1", 3, tty="ttyUSB3", driver="option", triple="ff0000", endpoints=3)
    tree.interface("1-1", 4, wdm="cdc-wdm0", driver="qmi_wwan", triple="ffffff")
    (found,) = scan(tree.sys, tree.dev)
    assert [port[-7:] for port in found.at_ports] == ["ttyUSB3", "ttyUSB2"]
    assert (found.row.vendor, found.row.module) == ("generic", "unknown product of Quectel")
    assert found.control_port == ControlPort("qmi", str(tree.dev / "cdc-wdm0"))


def test_unknown_sierra_is_tried_where_qcserial_has_its_modem_port(tree: UsbTree) -> None:
    tree.plug("1-1", "1199:9fff")
    for number in (0, 2, 3):
        tree.interface("1-1", number, tty=f"ttyUSB{number}", driver="qcserial", triple="ffffff")
    assert scan(tree.sys, tree.dev)[0].at_ports[0].endswith("ttyUSB3")


@pytest.mark.parametrize(
    ("usb_id", "driver", "triple"),
    [
        ("413c:2113", "usbhid", "030101"),  # a keyboard of a vendor that sells modems too
        ("8087:0029", "btusb", "e00101"),
        ("0403:6001", "ftdi_sio", "ffffff"),
        ("2341:0043", "cdc_acm", "020201"),  # an Arduino
        ("1546:01a8", "cdc_acm", "020201"),  # GNSS receivers, which gpsd wants
        ("0e8d:3329", "cdc_acm", "020201"),
    ],
)
def test_other_devices_are_not_tried(tree: UsbTree, usb_id: str, driver: str, triple: str) -> None:
    tree.plug("1-1", usb_id)
    tree.interface("1-1", 0, tty="ttyACM0", driver=driver, triple=triple)
    assert scan(tree.sys, tree.dev) == []


def test_em05_has_no_port_table_so_all_that_may_be_one_are_tried(tree: UsbTree) -> None:
    tree.plug("1-1", "2c7c:030a")
    for number in (2, 3, 4):
        tree.interface("1-1", number, tty=f"ttyUSB{number}", endpoints=2 if number == 2 else 3)
    assert [port[-7:] for port in scan(tree.sys, tree.dev)[0].at_ports] == ["ttyUSB3", "ttyUSB4", "ttyUSB2"]


def test_hub_behind_hub_behind_hub(tree: UsbTree) -> None:
    plug_rm520n(tree, "1-1.4.3.2.1.7")
    plug_rm520n(tree, "1-1.4", 8)
    assert [one.usb_path for one in scan(tree.sys, tree.dev)] == ["1-1.4", "1-1.4.3.2.1.7"]
    assert scan(tree.sys, tree.dev)[0].at_ports[0].endswith("ttyUSB10")


def test_garbage_in_attributes_is_survived(tree: UsbTree) -> None:
    plug_rm520n(tree)
    garbage = b"\x00\xff" * 2000
    for name in ("product", "manufacturer", "serial"):
        (tree.devices / "1-1.2" / name).write_bytes(garbage)
    for name in ("bInterfaceClass", "bNumEndpoints"):
        (tree.devices / "1-1.2:1.2" / name).write_bytes(garbage)
    (tree.devices / "1-1.2:1.3" / "bInterfaceNumber").write_bytes(garbage)
    (tree.devices / "1-1.2:1.0" / "driver").mkdir()
    assert scan(tree.sys, tree.dev)[0].at_ports == (str(tree.dev / "ttyUSB2"),)


def test_entries_that_vanish_while_they_are_read_are_not_there(
    tree: UsbTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_rm520n(tree, "1-1")
    plug_rm520n(tree, "1-2", 8)
    read = detect.read_text

    def reading_unplugs(path: Path) -> str | None:
        if path.parent.name == "1-1":
            tree.unplug("1-1")
        return read(path)

    monkeypatch.setattr(detect, "read_text", reading_unplugs)
    assert [one.usb_path for one in scan(tree.sys, tree.dev)][-1] == "1-2"
    monkeypatch.undo()
    assert [one.usb_path for one in scan(tree.sys, tree.dev)] == ["1-2"]


def test_fm350_on_pci_is_found_with_its_ports_and_its_interface(tree: UsbTree) -> None:
    tree.pci("0000:01:00.0", "14c3:4d75", ports={"wwan0at0": "AT", "wwan0mbim0": "MBIM"}, net="wwan0")
    (found,) = scan(tree.sys, tree.dev)
    assert (found.usb_path, found.usb_id, found.place) == ("pci-0000:01:00.0", "14c3:4d75", "PCI 0000:01:00.0")
    assert found.at_ports == (str(tree.dev / "wwan0at0"),)
    assert found.control_port == ControlPort("mbim", str(tree.dev / "wwan0mbim0"))
    assert (found.row.vendor, found.row.module, found.interface) == ("fibocom", "FM350-GL", "wwan0")
    assert detect.look_at(tree.sys, "pci-0000:01:00.0", tree.dev) == found
    assert detect.look_at(tree.sys, "pci-0000:02:00.0", tree.dev) is None


def test_sierra_and_a_plain_sdx55_share_a_pci_id(tree: UsbTree) -> None:
    tree.pci("0000:01:00.0", "17cb:0306", subsystem="18d7:0200", ports={"wwan0at0": "AT"}, between="mhi0")
    tree.pci("0001:01:00.0", "17cb:0306", ports={"wwan1qmi0": "QMI"}, between="mhi1")
    tree.pci("0002:01:00.0", "abcd:0001", ports={"wwan2at0": "AT"})
    assert [(one.row.vendor, one.row.is_guess) for one in scan(tree.sys, tree.dev)] == [
        ("sierra", False),
        ("generic", False),
        ("generic", True),
    ]


def test_wwan_port_of_a_usb_modem_is_not_a_second_modem(tree: UsbTree) -> None:
    plug_rm520n(tree)
    tree.wwan_of_usb("1-1.2:1.4", "wwan0qmi0")
    assert [one.usb_path for one in scan(tree.sys, tree.dev)] == ["1-1.2"]


def test_fingerprint_changes_with_a_pci_modem(tree: UsbTree) -> None:
    empty = fingerprint(tree.sys)
    tree.pci("0000:01:00.0", "14c3:4d75", ports={"wwan0at0": "AT"})
    assert fingerprint(tree.sys) != empty
