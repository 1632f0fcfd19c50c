"""The detection report over trees of files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from remsim.modems.report import cleaned, detection_report
from usb_tree import UsbTree, plug_rm520n

IMEI, SERIAL, MAC = "862365030000011", "12345678", "02:1e:10:1f:00:01"


@pytest.fixture
def tree(tmp_path: Path) -> UsbTree:
    return UsbTree(tmp_path)


def report_of(tree: UsbTree, **more: Any) -> dict[str, Any]:
    return detection_report(tree.sys, tree.dev, proc=tree.sys.parent / "proc", **more)


def device(report: dict[str, Any], usb_path: str) -> dict[str, Any]:
    return next(one for one in report["usb"] if one["usb_path"] == usb_path)


def test_every_device_is_listed_with_its_interfaces_drivers_and_nodes(tree: UsbTree) -> None:
    tree.plug("usb1", "1d6b:0002", "xHCI Host Controller")
    (tree.devices / "usb1" / "bDeviceClass").write_text("09\n")
    tree.plug("1-2", "0bda:8153", "USB 10/100/1000 LAN")
    tree.interface("1-2", 0, driver="r8152", triple="ffff00")
    plug_rm520n(tree)
    tree.interface("1-1.2", 5, driver="qmi_wwan", triple="ffffff", wdm="cdc-wdm0")
    report = report_of(tree)
    assert [(one["usb_path"], one["kind"]) for one in report["usb"]] == [
        ("1-1.2", "modem"),
        ("1-2", "other"),
        ("usb1", "hub"),
    ]
    modem = device(report, "1-1.2")
    assert (modem["usb_id"], modem["module"], modem["note"]) == ("2c7c:0801", "RM520N-GL", None)
    assert modem["interfaces"][5] == {"number": 5, "class": "ffffff", "driver": "qmi_wwan", "nodes": ["cdc-wdm0"]}
    text = report["text"]
    for words in ("quectel (", "1-1.2 2c7c:0801 RM520N-GL [modem: RM520N-GL]", "if  5  ffffff  qmi_wwan     cdc-wdm0"):
        assert words in text
    json.dumps(report)


@pytest.mark.parametrize(
    ("usb_id", "number", "triple", "package"),
    [
        ("2c7c:0801", 2, "ff0000", "kmod-usb-serial-option"),
        ("1199:9071", 3, "ff0000", "kmod-usb-serial-qualcomm"),
        ("1199:90d3", 4, "ffff40", "kmod-usb-serial-option"),
        ("8087:095a", 0, "020201", "kmod-usb-acm"),
    ],
)
def test_missing_driver_is_named_with_its_package(
    tree: UsbTree, usb_id: str, number: int, triple: str, package: str
) -> None:
    tree.plug("1-1", usb_id)
    tree.interface("1-1", number, triple=triple)
    assert device(report_of(tree), "1-1")["note"] == f"its AT interface {number} has no driver; install {package}"


def test_driver_that_does_not_know_the_product_can_be_told(tree: UsbTree) -> None:
    tree.plug("1-1", "1199:90c3")
    tree.interface("1-1", 3)
    (tree.sys / "bus" / "usb-serial" / "drivers" / "option1").mkdir(parents=True)
    assert any("echo 1199 90c3 > " in hint for hint in report_of(tree)["hints"])


def test_mode_without_an_at_interface_is_told_apart_from_a_missing_driver(tree: UsbTree) -> None:
    tree.plug("1-1", "1199:9071")
    tree.interface("1-1", 8, driver="qmi_wwan", triple="ffffff")
    assert "USB mode" in device(report_of(tree), "1-1")["note"]


def test_unknown_product_asks_to_be_reported(tree: UsbTree) -> None:
    tree.plug("1-1", "2c7c:9999")
    tree.interface("1-1", 2, tty="ttyUSB0", driver="option")
    tree.plug("1-2", "2c7c:9998")
    tree.interface("1-2", 2)
    report = report_of(tree)
    assert device(report, "1-1")["note"] == "looks like a modem we do not know: 2c7c:9999; please report it"
    assert device(report, "1-2")["kind"] == "candidate"


def test_boot_mode_says_what_to_do(tree: UsbTree) -> None:
    tree.plug("1-1", "05c6:9008", "QUSB__BULK")
    report = report_of(tree)
    assert device(report, "1-1")["kind"] == "boot_mode" and "EDL" in report["text"]


def test_nothing_found_is_told_with_what_to_check(tree: UsbTree, tmp_path: Path) -> None:
    tree.plug("usb1", "1d6b:0002")
    assert report_of(tree)["hints"] == [
        "No modem is on the USB bus or on PCI Express: check its power, its cable and its slot."
    ]
    nothing = detection_report(tmp_path / "none", tmp_path, proc=tmp_path / "none")
    assert "no USB bus" in nothing["hints"][0] and "USB: nothing found" in nothing["text"]


def test_pci_modem_with_and_without_its_driver(tree: UsbTree) -> None:
    tree.pci("0000:01:00.0", "14c3:4d75", ports={"wwan0at0": "AT"})
    bare = tree.sys / "bus" / "pci" / "devices" / "0000:02:00.0"
    bare.mkdir()
    for name, word in (("vendor", "0x17cb"), ("device", "0x0308"), ("class", "0x0d4000")):
        (bare / name).write_text(f"{word}\n")
    first, second = report_of(tree)["pci"]
    assert (first["module"], first["note"]) == ("FM350-GL", None)
    assert second["note"] == "has no driver; install kmod-mhi-pci-generic"


def test_who_has_a_port_open_is_in_it(tree: UsbTree) -> None:
    plug_rm520n(tree)
    process = tree.sys.parent / "proc" / "412"
    (process / "fd").mkdir(parents=True)
    (process / "comm").write_text("ModemManager\n")
    (process / "fd" / "7").symlink_to(tree.dev / "ttyUSB2")
    report = report_of(tree)
    assert report["modem_manager"] is True
    assert report["port_users"][0]["process"] == "ModemManager" and "pid 412" in report["text"]


def test_nothing_that_identifies_gets_into_the_report(tree: UsbTree) -> None:
    plug_rm520n(tree, net="enx021e101f0001")
    folder = tree.devices / "1-1.2"
    (folder / "product").write_text(f"Fibocom FM160 Modem_SN:{SERIAL} {IMEI}\n")
    (folder / "manufacturer").write_text(f"IMEI: {IMEI} {MAC}\n")
    (folder / "serial").write_text(f"{SERIAL}\n")
    report = report_of(tree, errors=[f"modem1: the modem answered AT+CGSN with {IMEI}"])
    dump = json.dumps(report)
    for secret in (IMEI, SERIAL, MAC, "021e101f0001"):
        assert secret not in dump
    assert "Fibocom FM160 Modem_SN:…" in report["text"]


@pytest.mark.parametrize("name", ["enx021e101f0001", "wwx021e101f0001", "02:1e:10:1f:00:01", "02-1E-10-1F-00-01"])
def test_mac_addresses_are_hidden_in_every_form(name: str) -> None:
    assert "10" not in cleaned(name)


def test_garbage_strings_stay_short_and_on_their_line(tree: UsbTree) -> None:
    plug_rm520n(tree)
    (tree.devices / "1-1.2" / "product").write_bytes(b"evil\nline\x1b[31m\xff" + b"x" * 5000)
    product = device(report_of(tree), "1-1.2")["product"]
    assert len(product) <= 80 and re.search(r"[\n\x1b]", product) is None
    assert cleaned(None) is None
