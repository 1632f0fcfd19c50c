"""Sierra's pages whose form is known from manuals and programs, but of which no reply was found."""

from __future__ import annotations

from typing import Any

import pytest
from remsim.modems.decode import decode_reply


def decoded(module: str, command: str, reply: str, platform: str = "") -> dict[str, Any]:
    """The values of a reply of a Sierra module."""
    return decode_reply("sierra", module, platform, command, reply)


@pytest.mark.parametrize("ends", ["\r\n", " "])
def test_temperature_and_voltage_come_with_the_state_the_modem_draws_from_them(ends: str) -> None:
    reply = ends.join(("Temp state: High Warning", "Temperature: 98.50 C", "OK"))
    assert decoded("MC7455", "AT!PCTEMP?", reply) == {"temperature_c": 98.5, "temperature_state": "High Warning"}
    reply = ends.join(("Volt state: Normal", "Power supply voltage: 3634 mV (ADC: 72)", "OK"))
    assert decoded("MC7455", "AT!PCVOLT?", reply) == {"voltage_mv": 3634, "voltage_state": "Normal"}


@pytest.mark.parametrize("ends", ["\r\n", " "])
def test_the_limits_of_temperature_are_named(ends: str) -> None:
    reply = ends.join(("HI CRIT: 108", "HI WARN: 95", "HI NORM: 85", "LO NORM: -15", "LO CRIT: -25", "OK"))
    assert decoded("MC7455", "AT!PCTEMPLIMITS?", reply)["temperature_limits_c"] == {
        "high_critical": 108,
        "high_warning": 95,
        "high_normal": 85,
        "low_normal": -15,
        "low_critical": -25,
    }


def test_who_asks_for_low_power_is_listed() -> None:
    reply = (
        "State: Low Power Mode LPM voters - Temp:0, Volt:0, User:1, W_DISABLE: 1, IMSWITCH:0 LPM persistence - None OK"
    )
    assert decoded("EM7565", "AT!PCINFO?", reply)["low_power_reasons"] == ["User", "W_DISABLE"]


@pytest.mark.parametrize(
    ("text", "pci"),
    [
        ("1F7 (503)", 503),
        ("503", 503),
        ("7", 7),
        ("103", None),
        ("3EF (1008)", None),
        ("---", None),
        ("19B0 (6576)", None),
    ],
)
def test_an_em91_says_the_physical_cell_where_an_em92_says_the_cell(text: str, pci: int | None) -> None:
    reply = f"!NRINFO:\nConnectivity Mode: ENDC\nNR5G Cell ID: {text}\nNR5G band: n78\nNR5G RSRP (dBm): -90\nOK"
    nr = decoded("EM9191", "AT!NRINFO?", reply, "SDX55")["nr"]
    assert (nr.get("pci"), nr.get("cell_id")) == (pci, None)
    if text == "19B0 (6576)":
        assert decoded("EM9291", "AT!NRINFO?", reply, "SDX65")["nr"]["cell_id"] == 6576


def test_secondary_carriers_of_an_em91_are_read_by_header() -> None:
    reply = (
        "!LTEINFO:\nServing: EARFCN MCC MNC TAC CID Bd D U SNR PCI RSRQ RSRP RSSI RXLV\n"
        " 1300 310 260 11544 03089F02 3 5 5 1 236 -14.9 -103.3 -66.6 20\n"
        "CA SCell : EARFCN SCID Bd ST D U MDL MUL PCI RSRP RSSI SINR\n 550 1 1 1 3 0 1 0 3 -85.8 -53.3 5\n"
        "WCDMA: UARFCN ThreshL ThreshH Prio PSC RSCP ECN0 RXLV\nOK"
    )
    values = decoded("EM9191", "AT!LTEINFO?", reply, "SDX55")
    wanted = {"band": 1, "pci": 3, "earfcn": 550, "bw_dl_mhz": 10, "rsrp_dbm": -85.8, "rssi_dbm": -53.3, "sinr_db": 5}
    assert [{name: carrier[name] for name in wanted} for carrier in values["scc"]] == [wanted]


def test_masks_on_lines_of_their_own_are_read_for_each_profile() -> None:
    reply = (
        "Index, Name\n00, All bands,\n0 - GW:    0002000007C00000\n1 - LTE:   0000000000000005 0000000000000002\n"
        "3 - NRNSA: 0000000000000001 0000000000002000\n4 - NRSA:  0000000000000004 0000000000002000\n"
        "0C, NR5G ALL,\n0 - GW:    0000000000000000\n1 - LTE:   0000000000000000 0000000000000000\nOK"
    )
    assert decoded("EM9291", "AT!BAND=?", reply)["band_profiles"] == {
        "00": {
            "umts_bands": [1, 2, 3, 4, 5, 8],
            "lte_bands": [1, 3, 66],
            "nsa_nr5g_bands": [1, 78],
            "nr5g_bands": [3, 78],
        },
        "0C": {"umts_bands": [], "lte_bands": []},
    }


def test_a_mask_that_is_no_profile_is_told_with_its_bands() -> None:
    reply = "Unknown band mask. Use AT!BAND to set band.\n0 - GW: 0000000000000000\n1 - LTE: 0000000000000004\nOK"
    values = decoded("EM9291", "AT!BAND?", reply)
    assert (values["band_profile"], values["lte_bands"], values["umts_bands"]) == (None, [3], [])


def test_masks_without_a_header_are_not_guessed() -> None:
    reply = "00, All bands 0002000007C00000 00000100130818DF\nOK"
    assert decoded("MC7455", "AT!BAND?", reply) == {"band_profile": "00", "band_profile_name": "All bands"}


@pytest.mark.parametrize(
    ("name", "rats"),
    [("LTE and NR 5G Only", ["LTE", "NR"]), ("WCDMA and LTE Only", ["UMTS", "LTE"]), ("UMTS 3G Only", ["UMTS"])],
)
def test_a_selection_names_its_technologies(name: str, rats: list[str]) -> None:
    values = decoded("EM9191", "AT!SELRAT?", f"!SELRAT: 21, {name}\r\n\r\nOK\r\n")
    assert (values["rats"], values["rat_auto"]) == (rats, False)


def test_combinations_of_bands_of_a_9x50() -> None:
    reply = (
        "!LTECA:\nHardware:\n12A_30A_66A:12A,30A,66A  13A_66B:13A,66A\n19A_42C:19A              1A_3A_19A:1A,3A,19A\nOK"
    )
    assert decoded("EM7565", "AT!LTECA?", reply)["ca_combinations"] == [
        "12A_30A_66A",
        "13A_66B",
        "19A_42C",
        "1A_3A_19A",
    ]
