"""The real qmicli and mbimcli between us and a modem made of tables: what they print is what our decoders expect."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator

import pytest
from control_devices import DMS, NAS, UIM, MbimFunction, QmiProxy, tlv
from remsim.core.clock import SystemClock
from remsim.modems.control_port import UNSUPPORTED, ControlChannel
from remsim.modems.decode.mbimcli import decode_mbimcli
from remsim.modems.decode.qmicli import decode_qmicli
from remsim.modems.detect import ControlPort

needs_qmicli = pytest.mark.skipif(shutil.which("qmicli") is None, reason="libqmi-utils is not installed")
needs_mbimcli = pytest.mark.skipif(shutil.which("mbimcli") is None, reason="libmbim-utils is not installed")
NONE = -32768


class OverNull(ControlChannel):
    """/dev/null stands for the device, so the program has to be told that it speaks QMI."""

    def _way(self) -> list[str]:
        return [*super()._way(), "--device-open-qmi"]


@pytest.fixture
def proxy() -> Iterator[QmiProxy]:
    try:
        one = QmiProxy({})
    except OSError:
        pytest.skip("a qmi-proxy runs on this machine")
    yield one
    one.close()


@pytest.fixture
def qmi(proxy: QmiProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlChannel]:
    monkeypatch.setattr("remsim.modems.control_port.holders", lambda paths: [])  # half the machine holds /dev/null
    channel = OverNull(ControlPort("qmi", "/dev/null"), clock=SystemClock(), on_urc=lambda line: None)
    channel.open()
    yield channel
    channel.dispose()


CASES = {
    "5G leg idle": (
        "nas-get-signal-info",
        (NAS, 0x4F),
        tlv(0x14, "bbhh", -60, -11, -91, -34) + tlv(0x17, "hh", NONE, NONE) + tlv(0x18, "h", NONE),
        {"rat": "LTE", "mode": "LTE", "rssi_dbm": -60, "rsrq_db": -11, "rsrp_dbm": -91, "sinr_db": -3.4},
    ),
    "EN-DC": (
        "nas-get-signal-info",
        (NAS, 0x4F),
        tlv(0x14, "bbhh", -60, -11, -91, 40) + tlv(0x17, "hh", -101, 165) + tlv(0x18, "h", -12),
        {"mode": "NSA", "sinr_db": 4, "nr": {"rsrp_dbm": -101, "sinr_db": 16.5, "rsrq_db": -12}},
    ),
    "5G alone": (
        "nas-get-signal-info",
        (NAS, 0x4F),
        tlv(0x17, "hh", -104, 110) + tlv(0x18, "h", -13),
        {"rat": "NR", "mode": "SA", "rsrp_dbm": -104, "sinr_db": 11, "rsrq_db": -13},
    ),
    "RSRQ of 5G without its RSRP": (
        "nas-get-signal-info",
        (NAS, 0x4F),
        tlv(0x14, "bbhh", -60, -11, -91, 40) + tlv(0x18, "h", -14),
        {"mode": "LTE", "rsrq_db": -11},
    ),
    "three-digit MNC": (
        "nas-get-serving-system",
        (NAS, 0x24),
        tlv(1, "BBBBBB", 1, 1, 1, 2, 1, 8) + tlv(0x10, "B", 0) + tlv(0x12, "HHB4s", 310, 4, 4, b"Test"),
        {"creg_stat": 5, "roaming": True, "rat": "LTE", "ps_attached": True, "mcc": "310"},
    ),
    "searching": (
        "nas-get-serving-system",
        (NAS, 0x24),
        tlv(1, "BBBBB", 2, 2, 2, 0, 0),
        {"creg_stat": 2, "registered": False, "ps_attached": False},
    ),
    "channels beyond 16 bits": (
        "nas-get-rf-band-info",
        (NAS, 0x31),
        tlv(1, "BBHH", 1, 8, 122, 1424) + tlv(0x11, "BBHI", 1, 8, 122, 1424) + tlv(0x12, "BBI", 1, 8, 5),
        {"band": 3, "earfcn": 1424, "bw_dl_mhz": 20},
    ),
    "carriers": (
        "nas-get-lte-cphy-ca-info",
        (NAS, 0xAC),
        tlv(0x13, "HHIH", 280, 1424, 4, 122)
        + tlv(0x15, "BHHIHIBHHIHIB", 2, 62, 200, 3, 120, 2, 1, 63, 3050, 5, 126, 1, 2),
        {
            "pcc": {"rat": "LTE", "band": 3, "earfcn": 1424, "bw_dl_mhz": 15, "pci": 280},
            "scc": [
                {"rat": "LTE", "band": 1, "earfcn": 200, "bw_dl_mhz": 10, "pci": 62, "active": True},
                {"rat": "LTE", "band": 7, "earfcn": 3050, "bw_dl_mhz": 20, "pci": 63, "active": False},
            ],
        },
    ),
    "serving cell and 5G cell": (
        "nas-get-cell-location-info",
        (NAS, 0x43),
        tlv(0x13, "B3sHIHHBBBBB", 0, b"\x62\xf2\x10", 6699, 27447299, 65535, 12, 0, 0, 0, 0, 0)
        + tlv(0x2E, "I", 636000)
        + tlv(0x2F, "3s3sQHhhh", b"\x62\xf2\x10", b"\xff" * 3, (1 << 36) - 1, 472, -105, -900, 140),
        {
            "tac": 6699,
            "cell_id": 27447299,
            "earfcn": None,
            "pci": 12,
            "nr": {"arfcn": 636000, "pci": 472, "rsrp_dbm": -90, "rsrq_db": -10.5, "sinr_db": 14},
        },
    ),
    "PIN wanted": (
        "uim-get-card-status",
        (UIM, 0x2F),
        tlv(
            0x10,
            "HHHH BBBBBBB BBBBBBB7s BBBBBBB",
            *(0, 0xFFFF, 0xFFFF, 0xFFFF),
            *(1, 1, 0, 0, 0, 0, 1),
            *(2, 2, 0, 11, 0, 0, 7, bytes.fromhex("A0000000871002")),
            *(0, 1, 2, 10, 1, 3, 10),
        ),
        {"sim_state": "SIM PIN", "pin_tries_left": 2, "puk_tries_left": 10, "pin_enabled": True},
    ),
    "slots": (
        "uim-get-slot-status",
        (UIM, 0x47),
        tlv(0x10, "B IIBB IIBB10s", 2, 1, 0, 0, 0, 2, 1, 1, 10, bytes.fromhex("98940200000000000000")),
        {"sim_slot": 2, "iccid": "89492000000000000000"},
    ),
    "radio off": (
        "dms-get-operating-mode",
        (DMS, 0x2D),
        tlv(1, "B", 3) + tlv(0x10, "H", 4) + tlv(0x11, "B", 1),
        {"mode_state": "LOW POWER MODE", "low_power_reasons": ["pri-version-incompatible", "hardware switch"]},
    ),
    "IMEI": ("dms-get-ids", (DMS, 0x25), tlv(0x11, "15s", b"350000000000000"), {"imei": "350000000000000"}),
}


@needs_qmicli
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_qmicli_prints_is_what_the_modem_said(
    proxy: QmiProxy,
    qmi: ControlChannel,
    case: tuple[str, tuple[int, int], bytes, dict[str, object]],
) -> None:
    action, message, fields, expected = case
    proxy.answers[message] = fields
    values = decode_qmicli(action, qmi.query(action, timeout_s=10).text)
    assert {name: values.get(name) for name in expected} == expected


@needs_qmicli
def test_what_the_modem_does_not_know_is_told_apart(qmi: ControlChannel) -> None:
    for action in ("nas-get-system-info", "nas-get-nothing"):
        assert qmi.query(action, timeout_s=10).final == UNSUPPORTED


BASIC_CONNECT = bytes.fromhex("a289cc33bcbb8b4fb6b0133ec2aae6df")
SIGNAL = {(BASIC_CONNECT, 11): struct.pack("<IIIII", 17, 99, 5, 2, 0xFFFFFFFF)}


@needs_mbimcli
def test_a_session_that_is_open_is_read_without_being_opened_or_closed() -> None:
    with_session = MbimFunction(SIGNAL, is_opened=True)
    channel = ControlChannel(ControlPort("mbim", with_session.path), clock=SystemClock(), on_urc=lambda line: None)
    try:
        channel.open()
        for _ in range(2):
            reply = channel.query("query-signal-state", timeout_s=10)
            assert decode_mbimcli("query-signal-state", reply.text)["rssi_dbm"] == -79
        assert with_session.heard == [MbimFunction.COMMAND] * 2
        assert with_session.is_opened
        assert channel.query("ms-query-base-stations-info", timeout_s=10).final == UNSUPPORTED
    finally:
        channel.dispose()
        with_session.close()


@needs_mbimcli
def test_a_session_is_opened_where_there_is_none_and_stays_open() -> None:
    fresh = MbimFunction(SIGNAL, is_opened=False)
    channel = ControlChannel(ControlPort("mbim", fresh.path), clock=SystemClock(), on_urc=lambda line: None)
    try:
        channel.open()
        for _ in range(2):
            assert channel.query("query-signal-state", timeout_s=10).ok
        assert fresh.heard.count(MbimFunction.OPEN) == 1
        assert MbimFunction.CLOSE not in fresh.heard
        assert fresh.is_opened
    finally:
        channel.dispose()
        fresh.close()
