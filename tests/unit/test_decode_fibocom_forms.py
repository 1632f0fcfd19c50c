"""Fibocom's answers whose form is known from manuals and programs, and how the platforms' numbers differ."""

from __future__ import annotations

from typing import Any

import pytest
from remsim.modems.decode import decode_reply


def decoded(module: str, command: str, reply: str) -> dict[str, Any]:
    """The values of a reply of a Fibocom module."""
    return decode_reply("fibocom", module, "", command, reply)


def test_the_same_number_means_another_technology_on_another_platform() -> None:
    assert decoded("FM350-GL", "AT+GTACT?", "+GTACT: 1,2,,0\r\nOK")["rats"] == ["UMTS"]
    assert decoded("L850-GL", "AT+XACT?", "+XACT: 5,2,1,900,1,101\r\nOK")["rats"] == ["GSM", "LTE"]


def test_code_0_alone_is_all_bands() -> None:
    values = decoded("FM350-GL", "AT+GTACT?", "+GTACT: 20,6,3,0\r\nOK")
    assert (values["bands_auto"], values["lte_bands"], values["nr_bands"]) == (True, [], [])


def test_old_firmware_lists_what_is_possible_in_three_groups_and_a_list() -> None:
    reply = "+GTACT: (1,2,4,10),(2,3),(),0,1,3,5,8,101,103,105,107,108,120,128,132,138,140,141\r\nOK"
    values = decoded("NL668", "AT+GTACT=?", reply)
    assert (values["rat_modes"], values["rat_preferences"]) == ([1, 2, 4, 10], [2, 3])
    assert (values["umts_bands"], values["lte_bands"][:3], values["nr_bands"]) == ([1, 3, 5, 8], [1, 3, 5], [])


@pytest.mark.parametrize(
    ("module", "mode", "wanted"),
    [
        ("FM160-CN", 24, {"usb_mode": "rndis", "usb_pid": "010B", "usb_has_at": False}),
        ("FM160-CN", 30, {"usb_mode": "mbim", "usb_pid": "0111", "usb_has_at": True}),
        ("FM350-GL", 40, {"usb_mode": "rndis", "usb_pid": "7126", "usb_has_at": True}),
        ("L850-GL", 0, {"usb_mode": "ncm", "usb_pid": "095A", "usb_has_at": True}),
        ("FM160-CN", 40, {}),
        ("FM160-CN", 31, {}),
    ],
)
def test_a_usb_mode_tells_whether_an_at_port_is_left(module: str, mode: int, wanted: dict[str, Any]) -> None:
    assert decoded(module, "AT+GTUSBMODE?", f"+GTUSBMODE: {mode}\r\nOK") == {"usbmode": mode, **wanted}


def test_a_lock_to_a_channel_names_no_cell_and_a_bare_switch_no_place() -> None:
    values = decoded("FM160-CN", "AT+GTCELLLOCK?", "+GTCELLLOCK: 1,1,1,627264,,1,5078")
    assert values["locked_cells"] == [{"rat": "NR", "arfcn": 627264, "pci": None, "scs_khz": 30, "band": 78}]
    assert decoded("FM160-CN", "AT+GTCELLLOCK?", "+GTCELLLOCK: 1") == {"locked": True}
    assert decoded("FM160-CN", "AT+GTCELLLOCK?", "+GTCELLLOCK: 2") == {}
    assert decoded("FM160-CN", "AT+GTCELLLOCK=?", "+GTCELLLOCK: (0,1,2),(0-2),(0,1)") == {"cell_lock_modes": [0, 1, 2]}


def test_the_first_cell_of_a_list_is_the_serving_one() -> None:
    # github.com/4IceG/luci-app-3ginfo-lite issue 39
    rsrp = decoded("L860-GL", "AT+RSRP?", "+RSRP: 502,1820,-82.00,502,6200,-89.00,502,300,-98.00\nOK")
    rsrq = decoded("L860-GL", "AT+RSRQ?", "+RSRQ: 502,1820,-9.-50,502,6200,-10.00,502,300,-9.00\nOK")
    assert rsrp == {"pci": 502, "earfcn": 1820, "rsrp_dbm": -82}
    assert rsrq == {"pci": 502, "earfcn": 1820, "rsrq_db": -9.5}


def test_the_area_code_in_a_search_is_no_technology() -> None:
    # ModemManager fork of BELABOX, 43e09a76: FM350 names the area code before the technology
    reply = '+COPS: (2,"","EE","23430","609C",7),(1,"","EE","23430","1234",13),,(0,1,2,3,4),(0,1,2)\nOK'
    operators = decoded("FM350-GL", "AT+COPS=?", reply)["operators"]
    assert [(one["plmn"], one["act"], one["rat"]) for one in operators] == [("23430", 7, "LTE"), ("23430", 13, "LTE")]


def test_the_secondary_carriers_have_their_bands_levels_and_widths() -> None:
    reply = (
        "+XLEC: 0,3,5,3,5,BAND_LTE_3,20,1,0,0\n+RSRP: 502,1820,-85.00,502,300,-103.00,502,6200,-90.00\n"
        '+XMCI: 4,247,05,"0x00D5","0x0020EB17","0x01F6","0x0000071C","0x00004D6C","0xFFFFFFFF",54,26,50,"0x17","0x0"\n'
        "OK"
    )
    carriers = decoded("L860-GL", "AT+XLEC?;+RSRP?;+XMCI=1", reply)["scc"]
    seen = [(one["band"], one["bw_dl_mhz"], one["earfcn"], one["rsrp_dbm"]) for one in carriers]
    assert seen == [(20, 10, 6200, -90.0), (1, 20, 300, -103.0)]


def test_without_levels_the_secondary_carriers_are_told_by_band_and_width() -> None:
    values = decoded("L860-GL", "AT+XLEC?", "+XLEC: 0,2,3,5,BAND_LTE_18,41,0,0\nOK")
    assert values["scc"] == [{"rat": "LTE", "band": 41, "bw_dl_mhz": 20}]


@pytest.mark.parametrize(
    ("state", "word"), [(0, "NOT_INSERTED"), (1, "SIM PIN"), (4, "SIM PUK"), (7, "READY"), (5, None), (77, None)]
)
def test_intels_numbers_of_the_card(state: int, word: str | None) -> None:
    assert decoded("L850-GL", "AT+XSIMSTATE?", f"+XSIMSTATE: 1,{state},1,1\r\nOK").get("sim_state") == word


def test_intels_bands_in_roman_numerals() -> None:
    values = decoded("L850-GL", "AT+XREG?", "+XREG: 0,8,BAND_UMTS_VIII,0\r\nOK")
    assert (values["rat"], values["band"]) == ("UMTS", 8)


def test_name_servers_join_the_context_they_belong_to() -> None:
    reply = '+CGPADDR: 1,"10.0.0.2"\r\n+XDNS: 1,"192.0.2.1","192.0.2.2"\r\n+XDNS: 0,"0.0.0.0","0.0.0.0"\r\nOK'
    values = decoded("L850-GL", "AT+CGPADDR=1;+XDNS?", reply)
    assert values["pdn"] == {"1": {"apn": None, "address": None, "dns": ["192.0.2.1", "192.0.2.2"]}}


def test_the_slots_of_an_fm350_tell_which_has_a_card() -> None:
    reply = (
        '+ESLOTSINFO: 2, "+CME ERROR: 10", "1", "0", "", "", "", "+CPIN: EMPTY_EUICC", "1", "1", '
        '"3B9F97C00A3FC7828031E073FE211F65D002341512810F50", "89000000000000000000000000000000", ""\r\nOK'
    )
    assert decoded("FM350-GL", "AT+ESLOTSINFO?", reply) == {"sim_slot_states": ["NOT_INSERTED", "EMPTY_EUICC"]}


@pytest.mark.parametrize(
    ("command", "reply", "wanted"),
    [
        ("AT+GTAUTODHCP?", "+GTAUTODHCP: 1", {"auto_dhcp": True}),
        ("AT+GTAUTOCONNECT?", "+GTAUTOCONNECT: 0", {"auto_connect": False}),
        ("AT+GTFCCLOCKSTATE?", "+GTFCCLOCKSTATE: 1", {"fcc_unlocked": True}),
        ("AT+GTFCCLOCKMODE?", "+GTFCCLOCKMODE: 2", {"fcc_lock_mode": 2}),
        ("AT+GTFWFEATVER?", '+GTFWFEATVER: "V1.2"', {"firmware_feature_version": "V1.2"}),
        ("AT+GTUSAGEREC?", "+GTUSAGEREC: 12 MB", {"usage_record": "12 MB"}),
        ("AT+ETHERMAL?", "+ETHERMAL: 47", {"temperature_c": 47}),
        ("AT+XUICC?", "+XUICC: 1", {"sim_type": "USIM"}),
    ],
)
def test_switches_and_single_values(command: str, reply: str, wanted: dict[str, Any]) -> None:
    assert decoded("", command, f"{reply}\r\n\r\nOK\r\n") == wanted


@pytest.mark.parametrize("switch", ["+GTAUTODHCP: 7", "+GTAUTODHCP: ", "+GTAUTODHCP: on"])
def test_a_switch_in_no_known_position_tells_nothing(switch: str) -> None:
    assert decoded("", "AT+GTAUTODHCP?", f"{switch}\r\nOK") == {}


def test_the_cpu_of_gtladc_is_the_temperature_and_its_numbers_stay_raw() -> None:
    values = decoded("FM160-CN", "AT+GTLADC", "+GTLADC:\r\ncpu0 47123\r\nvbat 3800\r\n\r\nOK\r\n")
    assert values == {"adc": {"cpu0": 47123, "vbat": 3800}, "temperature_c": 47.123}
