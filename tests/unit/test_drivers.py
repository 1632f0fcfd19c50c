"""What every driver promises, and what each family makes of real replies."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from remsim.core.errors import AtFormatError
from remsim.core.reading import FIELDS, STATES, ModemReading
from remsim.modems.decode import RECORDS
from remsim.modems.decode.text import command_prefixes
from remsim.modems.drivers import DRIVERS, driver_for
from remsim.modems.drivers.base import Driver
from remsim.modems.plan import PollingPlan
from remsim.modems.ports import ROWS

FIXTURES = Path(__file__).parents[1] / "fixtures" / "at"
REPLIES = [
    json.loads(line)
    for name in ("transcripts.jsonl", "captures.jsonl")
    for line in (FIXTURES / name).read_text().splitlines()
]
MODULES = sorted({(row.vendor, row.module, row.platform or "") for row in ROWS} | {("generic", "unknown", "")})
CHANGING = re.compile(r"=(?!\?)")
READS_WITH_A_VALUE = (
    'AT+QENG="servingcell"',
    'AT+QENG="neighbourcell"',
    "AT+GTSENRDTEMP=1",
    "AT+XMCI=1",
    "AT+MTSM=1,6",
    'AT+QMBNCFG="list"',
    'AT+QURCCFG="urcport"',
)


@pytest.fixture(params=MODULES, ids=[module for _, module, _ in MODULES])
def driver(request: pytest.FixtureRequest) -> Driver:
    return driver_for(*request.param)


def fields_of(driver: Driver, *replies: tuple[str, str]) -> dict[str, Any]:
    """The reading's fields after these (command, reply) pairs, as the poller merges them."""
    plan = PollingPlan(driver, 1.0)
    for command, reply in replies:
        assert command in (*driver.fast_commands, *driver.slow_commands), command
        plan.learned(command, driver.decode(command, reply))
    return driver.reading_fields(plan.merged())


# --- the contract ---


def test_every_family_has_a_driver_and_an_unknown_vendor_the_generic_one() -> None:
    assert set(DRIVERS) == {"quectel", "sierra", "fibocom", "thales", "generic"}
    assert driver_for(None, "").vendor == driver_for("nobody", "X1").vendor == "generic"


def test_a_steady_round_is_at_most_three_exchanges(driver: Driver) -> None:
    assert 1 <= len(driver.fast_commands) <= 2
    plan = PollingPlan(driver, 1.0)
    plan.commands(0.0)
    rounds = [plan.commands(float(second)) for second in range(1, 120)]
    assert max(len(commands) for commands in rounds) <= 3
    assert {command for commands in rounds for command in commands} >= set(driver.slow_commands)


def test_polling_changes_nothing_in_the_modem(driver: Driver) -> None:
    polled = (*driver.fast_commands, *driver.slow_commands, *driver.once_commands, *driver.occasional_commands)
    for command in (*polled, *driver.identity_commands):
        assert command in READS_WITH_A_VALUE or not CHANGING.search(command), command


def test_every_polled_answer_has_a_decoder(driver: Driver) -> None:
    polled = (*driver.fast_commands, *driver.slow_commands, *driver.once_commands, *driver.occasional_commands)
    commands = (*polled, *driver.identity_commands, *driver.sim_identity_commands)
    assert len(set(commands)) == len(commands)
    for command in commands:
        assert command_prefixes(command)[0] in RECORDS, command


def test_the_sim_and_the_registration_are_polled(driver: Driver) -> None:
    asked = " ".join((*driver.slow_commands, *driver.fast_commands))
    assert "+CPIN?" in asked
    assert "REG?" in asked
    assert any("CIMI" in command for command in driver.sim_identity_commands)


def test_no_values_make_a_reading_of_unknowns(driver: Driver) -> None:
    fields = driver.reading_fields({})
    assert set(fields) <= set(FIELDS)
    assert set(fields.values()) == {None}
    assert driver.carriers({}) == driver.neighbours({}) == []


@pytest.mark.parametrize("row", REPLIES, ids=[row["id"] for row in REPLIES])
def test_any_real_reply_makes_a_reading(row: dict[str, Any]) -> None:
    driver = driver_for(row["vendor"], row["module"], row.get("platform"))
    try:
        values = driver.decode(row["command"], row["reply"])
    except AtFormatError:
        return
    fields = driver.reading_fields(values)
    reading = ModemReading(modem="modem1", at=0.0, **fields)
    assert reading.state is None or reading.state in STATES
    assert reading.mode in (None, "GSM", "UMTS", "LTE", "NSA", "SA")
    for name in ("rsrp_dbm", "nr_rsrp_dbm", "rssi_dbm"):
        assert fields.get(name) is None or -160 <= fields[name] < 0
    json.dumps([driver.carriers(values), driver.neighbours(values)])


URCS = {
    "+CREG: 1": "registration_changed",
    '+CEREG: 5,"1206","19E4A03",7': "registration_changed",
    "+C5GREG: 2": "registration_changed",
    "+QUSIM: 1": "sim_changed",
    "+ESIMS: 0,1": "sim_changed",
    "+CPIN: NOT READY": "sim_changed",
    "+SIM READY": "sim_changed",
    "+SIM: REMOVED": "sim_changed",
    "RDY": "restarted",
    "^SYSSTART": "restarted",
}


@pytest.mark.parametrize(("line", "told"), URCS.items(), ids=URCS)
def test_an_unsolicited_line_tells_what_to_ask_again(driver: Driver, line: str, told: str) -> None:
    assert driver.handle_urc(line) == {told: True}


@pytest.mark.parametrize("line", ["", "RING", "+CMTX: 1,2", ":", "\x00", "+CREGX: 1"])
def test_other_unsolicited_lines_tell_nothing(driver: Driver, line: str) -> None:
    assert driver.handle_urc(line) == {}


def test_messages_that_came_in_and_answers_of_the_network_are_told(driver: Driver) -> None:
    assert driver.handle_urc('+CMTI: "SM",3') == {"message_in": {"is_report": False}}
    assert driver.handle_urc('+CDSI: "SR",1') == {"message_in": {"is_report": True}}
    menu = {"ussd_status": "reply_wanted", "ussd_text": "1 Data\n2 Voice", "ussd_dcs": 15}
    assert driver.handle_urc('+CUSD: 1,"1 Data\n2 Voice",15') == {"ussd": menu}
    assert driver.handle_urc("+CUSD: what") == {"ussd": {}}


# --- state and registration ---

SIM_AND_NETWORK = {
    "online": ("+CPIN: READY", "+CEREG: 2,1"),
    "no_sim": ("+CME ERROR: 10", "+CEREG: 2,0"),
    "sim_pin": ("+CPIN: SIM PIN", "+CEREG: 2,0"),
    "sim_puk": ("+CME ERROR: 12", "+CEREG: 2,0"),
    "sim_error": ("+CME ERROR: 14", "+CEREG: 2,2"),
    "denied": ("+CPIN: READY", "+CEREG: 2,3"),
    "searching": ("+CPIN: READY", "+CEREG: 2,2"),
}


@pytest.mark.parametrize(("state", "said"), SIM_AND_NETWORK.items(), ids=SIM_AND_NETWORK)
def test_the_state_in_one_word(driver: Driver, state: str, said: tuple[str, str]) -> None:
    fields = fields_of(driver, ("AT+CPIN?", said[0]), ("AT+CEREG?", said[1]))
    assert fields["state"] == state


@pytest.mark.parametrize(
    ("stat", "word"), [("1", "home"), ("5", "roaming"), ("6", "home"), ("7", "roaming"), ("4", "unknown")]
)
def test_registered_for_messages_only_is_registered(driver: Driver, stat: str, word: str) -> None:
    assert fields_of(driver, ("AT+CEREG?", f'+CEREG: 2,{stat},"CF71","08096708",7'))["registration"] == word


def test_the_best_domain_counts() -> None:
    driver = driver_for("quectel", "EP06")
    fields = fields_of(driver, ("AT+CEREG?", '+CEREG: 2,1,"1206","19E4A03",7'), ("AT+CREG?", "+CREG: 2,3"))
    assert (fields["state"], fields["registration"]) == ("online", "home")


# --- what a module can be made to do ---

ABILITIES = {
    # slots, technologies and bands, cell lock, SIM detection, restart
    ("quectel", "EC25", "MDM9x07"): (1, "LtePreferences", None, True, "AT+CFUN=1,1"),
    ("quectel", "EG25", "MDM9x07"): (1, "LtePreferences", None, True, "AT+CFUN=1,1"),
    ("quectel", "EP06", "MDM9x40"): (2, "LtePreferences", None, True, "AT+CFUN=1,1"),
    ("quectel", "EM12", "MDM9x50"): (2, "LtePreferences", None, True, "AT+CFUN=1,1"),
    ("quectel", "BG96", ""): (1, "IotPreferences", None, True, "AT+CFUN=1,1"),
    ("quectel", "RM500Q-GL", "SDX55"): (2, "NrPreferences", "NrCellLock", True, "AT+CFUN=1,1"),
    ("quectel", "RM502Q-AE", "SDX55"): (2, "NrPreferences", "NrCellLock", True, "AT+CFUN=1,1"),
    ("quectel", "RM520N-GL", "SDX62"): (2, "NrPreferences", "NrCellLock", True, "AT+CFUN=1,1"),
    ("quectel", "RM500U-CNV", "unisoc"): (2, "NrPreferences", None, True, "AT+CFUN=1,1"),
    ("sierra", "MC7455", "MDM9x30"): (2, "SierraPreferences", None, False, "AT!RESET"),
    ("sierra", "EM7565", "MDM9x50"): (2, "SierraPreferences", None, False, "AT!RESET"),
    ("sierra", "EM7511", "MDM9x50"): (2, "SierraPreferences", None, False, "AT!RESET"),
    ("sierra", "EM7411", "MDM9x50"): (2, "SierraPreferences", None, False, "AT!RESET"),
    ("sierra", "EM9190", "SDX55"): (2, "SierraPreferences", None, False, "AT!RESET"),
    ("sierra", "EM9291", "SDX65"): (2, "SierraPreferences", None, False, "AT!RESET"),
    ("fibocom", "FM350-GL", "mediatek"): (2, "GtactPreferences", "MediatekCellLock", True, "AT+CFUN=15"),
    ("fibocom", "FM150-AE", "SDX55"): (2, "GtactPreferences", "GtCellLock", True, "AT+CFUN=15"),
    ("fibocom", "FM160-EAU", "SDX62"): (2, "GtactPreferences", "GtCellLock", True, "AT+CFUN=15"),
    ("fibocom", "L850-GL", "XMM7360"): (1, "XactPreferences", None, False, "AT+CFUN=15"),
    ("fibocom", "L860-GL", "XMM7560"): (1, "XactPreferences", None, False, "AT+CFUN=15"),
    ("thales", "PLS8", ""): (1, None, None, False, "AT+CFUN=1,1"),
    ("thales", "MV31-W", "SDX55"): (2, "MvPreferences", "MvCellLock", False, "AT+CFUN=1,1"),
    ("generic", "anything", ""): (1, None, None, False, "AT+CFUN=1,1"),
}


@pytest.mark.parametrize(("module", "abilities"), ABILITIES.items(), ids=[name for _, name, _ in ABILITIES])
def test_what_a_module_can_be_made_to_do(module: tuple[str, str, str], abilities: tuple[Any, ...]) -> None:
    driver = driver_for(*module)
    slots, preferences, lock, watches, reset = abilities
    assert (len(driver.slot_switch.labels) if driver.slot_switch else 1) == slots
    assert (type(driver.radio_preferences).__name__ if driver.radio_preferences else None) == preferences
    assert (type(driver.cell_lock).__name__ if driver.cell_lock else None) == lock
    assert (driver.sim_detection is not None, driver.reset_command) == (watches, reset)


def test_every_module_of_the_usb_tables_restarts_without_being_switched_off(driver: Driver) -> None:
    commands = (driver.reset_command, driver.reset_instead or "", *driver.setup_commands)
    assert not any(word in command for command in commands for word in ("QPOWD", "CPWROFF", "SMSO", "QURCCFG"))


def test_sessions_set_only_what_a_restart_forgets(driver: Driver) -> None:
    known = re.compile(r"ATE1|AT\+(CMEE|CREG|CGREG|CEREG|C5GREG|CNMI|CGEREP)=[\d,]+|AT\+COPS=3,0|AT\+MTSM=2,10")
    for command in driver.setup_commands:
        assert known.fullmatch(command), command


NEIGHBOUR_SHAPE = {
    *("rat", "band", "earfcn", "arfcn", "uarfcn", "pci", "psc", "cell_id", "mcc", "mnc", "tac", "lac", "kind"),
    *("rsrp_dbm", "rsrq_db", "rssi_dbm", "sinr_db", "rscp_dbm", "ecio_db", "srxlev"),
}
CARRIER_SHAPE = {
    *("role", "rat", "band", "bw_dl_mhz", "bw_ul_mhz", "pci", "earfcn", "arfcn"),
    *("rsrp_dbm", "rsrq_db", "sinr_db", "ul_configured"),
}


@pytest.mark.parametrize("row", REPLIES, ids=[row["id"] for row in REPLIES])
def test_carriers_and_neighbours_have_one_shape(row: dict[str, Any]) -> None:
    driver = driver_for(row["vendor"], row["module"], row.get("platform"))
    try:
        values = driver.decode(row["command"], row["reply"])
    except AtFormatError:
        return
    for cell in driver.neighbours(values):
        assert set(cell) <= NEIGHBOUR_SHAPE and cell.get("rat"), cell
        assert None not in cell.values()
    for one in driver.carriers(values):
        assert set(one) <= CARRIER_SHAPE and one["role"] in ("pcc", "scc", "nr"), one


# --- Quectel ---

ENDC = (
    '+QENG: "servingcell","NOCONN"\n'
    '+QENG: "LTE","FDD",460,01,5F1EA15,12,1650,3,5,5,DE10,-99,-12,-67,11,9,230,-\n'
    '+QENG:"NR5G-NSA",460,01,747,-71,33,-11,627264,78,12,1\nOK'
)
LTE = '+QENG: "servingcell","NOCONN","LTE","FDD",460,01,5F1EA15,12,1650,3,5,5,DE10,-100,-12,-68,11,0,-32768,27\nOK'
SERVING = 'AT+QENG="servingcell"'


def test_endc_has_an_anchor_and_a_5g_leg() -> None:
    driver = driver_for("quectel", "RM520N-GL", "SDX62")
    fields = fields_of(driver, (SERVING, ENDC))
    assert (fields["mode"], fields["rat"], fields["plmn"]) == ("NSA", "LTE", "46001")
    assert (fields["band"], fields["pci"], fields["rsrp_dbm"], fields["sinr_db"]) == (3, 12, -99, 2)
    assert (fields["nr_band"], fields["nr_pci"], fields["nr_rsrp_dbm"], fields["nr_sinr_db"]) == (78, 747, -71, 33)
    values = driver.decode(SERVING, ENDC)
    assert [(part["role"], part["rat"], part["band"]) for part in driver.carriers(values)] == [
        ("pcc", "LTE", 3),
        ("nr", "NR", 78),
    ]


def test_a_5g_leg_that_is_gone_does_not_linger() -> None:
    driver = driver_for("quectel", "RM520N-GL", "SDX62")
    plan = PollingPlan(driver, 1.0)
    plan.learned(SERVING, driver.decode(SERVING, ENDC))
    plan.learned(SERVING, driver.decode(SERVING, LTE))
    fields = driver.reading_fields(plan.merged())
    assert fields["mode"] == "LTE"
    assert not any(value is not None for name, value in fields.items() if name.startswith("nr_"))


def test_levels_by_antenna_are_details_and_never_those_of_the_cell() -> None:
    driver = driver_for("quectel", "RM520N-GL", "SDX62")
    plan = PollingPlan(driver, 1.0)
    branches = {
        "AT+QRSRP": "+QRSRP: -70,-88,-140,-140,LTE\n+QRSRP: -120,-60,-110,-106,NR5G\n\nOK",
        "AT+QRSRQ": "+QRSRQ: -13,-9,-32768,-32768,LTE\nOK",
        "AT+QSINR": "+QSINR: 0,-32768,-32768,-32768,LTE\n+QSINR: 12,7,-32768,-32768,NR5G\nOK",
    }
    for command, reply in {SERVING: ENDC, **branches}.items():
        assert command in (*driver.fast_commands, *driver.slow_commands)
        plan.learned(command, driver.decode(command, reply))
    fields = driver.reading_fields(plan.merged())
    assert (fields["rsrp_dbm"], fields["nr_rsrp_dbm"], fields["sinr_db"]) == (-99, -71, 2)
    lte = {
        "rsrp_branches_dbm": [-70, -88, None, None],
        "rsrq_branches_db": [-13, -9, None, None],
        "sinr_branches_db": [0, None, None, None],
    }
    assert driver.details(plan.merged()) == lte | {
        "nr_rsrp_branches_dbm": [-120, -60, -110, -106],
        "nr_sinr_branches_db": [12, 7, None, None],
    }
    plan.learned(SERVING, driver.decode(SERVING, LTE))
    assert driver.details(plan.merged()) == lte
    for command in branches:
        plan.learned(command, driver.decode(command, "+QRSRP: -140,-140,-140,-140,LTE\nOK"))
    assert driver.details(plan.merged()) == {}


@pytest.mark.parametrize(("module", "is_asked"), [
    ("RM500Q-GL", True), ("EG25-G", True), ("EP06-E", True), ("EM12-G", True), ("RM500U-CNV", False), ("BG96", False),
    ("EC200A", False),
])  # fmt: skip
def test_modules_that_know_their_branches_are_asked_for_them(module: str, is_asked: bool) -> None:
    driver = driver_for("quectel", module)
    assert {"AT+QRSRP", "AT+QRSRQ", "AT+QSINR"}.issubset(driver.slow_commands) == is_asked


def test_refused_branches_are_told_as_refused() -> None:
    driver = driver_for("quectel", "EC25")
    assert driver.decode("AT+QRSRP", "ERROR") == {"ok": False}
    assert driver.decode("AT+QRSRP", "+CME ERROR: 10") == {"ok": False}


def test_an_operator_query_on_5g_does_not_make_lte_a_5g_cell() -> None:
    driver = driver_for("quectel", "RM520N-GL", "SDX62")
    fields = fields_of(driver, ("AT+COPS?", '+COPS: 0,0,"T-Mobile",11'), (SERVING, LTE))
    assert (fields["mode"], fields["operator"]) == ("LTE", "T-Mobile")
    assert fields_of(driver, ("AT+COPS?", '+COPS: 0,0,"T-Mobile",11'))["mode"] is None


def test_a_module_whose_qeng_scale_is_not_settled_takes_sinr_from_qcsq() -> None:
    driver = driver_for("quectel", "EC25", "MDM9x07")
    serving = '+QENG: "servingcell","NOCONN","LTE","FDD",222,88,243800E,20,3350,7,5,5,3AC9,-86,-13,-52,15,-'
    fields = fields_of(driver, (SERVING, serving), ("AT+QCSQ", '+QCSQ: "LTE",52,-86,152,-13'))
    assert (fields["sinr_db"], fields["rssi_dbm"], fields["state"]) == (10.4, -52, "online")


@pytest.mark.parametrize(("word", "state"), [("SEARCH", "searching"), ("LIMSRV", "limited")])
def test_the_serving_cell_report_is_newer_than_the_registration(word: str, state: str) -> None:
    driver = driver_for("quectel", "RM520N-GL", "SDX62")
    fields = fields_of(driver, ("AT+CEREG?", "+CEREG: 2,1"), (SERVING, f'+QENG: "servingcell","{word}"\nOK'))
    assert fields["state"] == state


def test_on_5g_alone_circuit_registration_does_not_matter() -> None:
    driver = driver_for("quectel", "RM520N-GL", "SDX62")
    cell = '+QENG: "servingcell","NOCONN","NR5G-SA","FDD",310,260,939204254,24,60AA00,126490,71,1,-104,-13,11,0,-'
    c5greg = '+C5GREG: 2,1,"60AA00","939204254",11,1,"01"'
    fields = fields_of(driver, ("AT+CEREG?", "+CEREG: 2,0"), ("AT+C5GREG?", c5greg), (SERVING, cell))
    assert (fields["mode"], fields["state"], fields["registration"]) == ("SA", "online", "home")
    assert (fields["band"], fields["arfcn"], fields["rsrp_dbm"], fields["cell_id"]) == (71, 126490, -104, 39613121108)
    assert fields.get("nr_rsrp_dbm") is None


# --- Sierra ---


def reply_of(row_id: str) -> str:
    """A fixture's reply."""
    return str(next(row["reply"] for row in REPLIES if row["id"] == row_id))


def test_the_best_branch_counts_on_sierra() -> None:
    fields = fields_of(driver_for("sierra", "EM7565", "MDM9x50"), ("AT!GSTATUS?", reply_of("si009")))
    assert (fields["rsrp_dbm"], fields["rssi_dbm"], fields["temperature_c"]) == (-116, -89, 32)
    assert (fields["band"], fields["state"], fields["pci"]) == (7, "online", None)


@pytest.mark.parametrize(
    ("module", "row_id", "lists"),
    [
        ("EM7565", "si009", {"rsrp_branches_dbm": [-117, -116], "rssi_branches_dbm": [-89, -89]}),
        ("MC7455", "si-flat-status", {"rsrp_branches_dbm": [-98, -94], "rssi_branches_dbm": [-65, -64]}),
        (
            "EM9191",
            "si-endc",
            {"rsrp_branches_dbm": [-99, -122, -101, -117], "rssi_branches_dbm": [-65, -82, -67, -80]},
        ),
        ("EM9291", "si-em9291-limited", {"rssi_branches_dbm": [-64.1, -63.6, None, None]}),
    ],
)
def test_levels_by_antenna_come_from_the_table_of_levels(module: str, row_id: str, lists: dict[str, Any]) -> None:
    driver = driver_for("sierra", module)
    assert driver.details(driver.decode("AT!GSTATUS?", reply_of(row_id))) == lists


def test_the_5g_leg_of_sierra_has_branches_of_its_own() -> None:
    driver = driver_for("sierra", "EM9191", "SDX55")
    reply = "!GSTATUS:\nSystem mode: ENDC\nNR5G(sub6) Rx0 RSSI (dBm): -64.1\nNR5G(sub6) Rx1 RSSI (dBm): ---\nOK"
    assert driver.details(driver.decode("AT!GSTATUS?", reply)) == {"nr_rssi_branches_dbm": [-64.1, None]}


def test_the_pci_is_told_only_with_the_cell_it_was_read_on() -> None:
    driver = driver_for("sierra", "MC7455", "MDM9x30")
    cells, status = ("AT!LTEINFO?", reply_of("si-flat-cells")), ("AT!GSTATUS?", reply_of("si-flat-status"))
    fields = fields_of(driver, cells, status)
    assert (fields["cell_id"], fields["pci"], fields["plmn"], fields["rsrp_dbm"]) == (169854232, 269, "310410", -94)
    assert fields_of(driver, cells, ("AT!GSTATUS?", reply_of("si008")))["pci"] is None


def test_configured_but_inactive_carriers_are_not_in_use() -> None:
    driver = driver_for("sierra", "EM9191", "SDX55")
    carriers = driver.carriers(driver.decode("AT!GSTATUS?", reply_of("si-endc")))
    assert [(part["role"], part["band"], part["rsrp_dbm"]) for part in carriers] == [("pcc", 3, -99)]


def test_sa_on_sierra_is_online_although_not_attached() -> None:
    driver = driver_for("sierra", "EM9190", "SDX55")
    registered = ("AT+C5GREG?", '+C5GREG: 2,1,"2d6600","1C649D138",11')
    fields = fields_of(driver, ("AT+CEREG?", "+CEREG: 2,0"), registered, ("AT!GSTATUS?", reply_of("si020")))
    assert (fields["mode"], fields["state"], fields["band"], fields["plmn"]) == ("SA", "online", 41, "310260")


# --- Fibocom ---


def test_the_5g_sinr_of_mediatek_comes_from_cesq() -> None:
    driver = driver_for("fibocom", "FM350-GL", "mediatek")
    cells = reply_of("fi008").split("\n+GTCAINFO:")[0]
    fields = fields_of(driver, ("AT+CESQ", "+CESQ: 17,99,255,255,18,62,80,68,73"), ("AT+GTCCINFO?", cells))
    assert (fields["mode"], fields["rsrp_dbm"], fields["sinr_db"]) == ("NSA", -79, 3.0)
    assert (fields["nr_band"], fields["nr_rsrp_dbm"], fields["nr_sinr_db"]) == (79, -89, 13.0)
    assert fields["plmn"] == "25001"


def test_an_idle_cell_has_its_band_from_its_channel() -> None:
    driver = driver_for("fibocom", "FM350-GL", "mediatek")
    fields = fields_of(driver, ("AT+GTCCINFO?", reply_of("fi-idle")))
    assert (fields["earfcn"], fields["band"], fields["mode"]) == (100, 1, "LTE")


def test_no_serving_cell_is_newer_than_the_registration() -> None:
    driver = driver_for("fibocom", "FM350-GL", "mediatek")
    fields = fields_of(driver, ("AT+CEREG?", "+CEREG: 2,1"), ("AT+GTCCINFO?", "+GTCCINFO: \r\n\r\nOK"))
    assert (fields["state"], fields["rat"], fields["rsrp_dbm"]) == ("searching", None, None)


def test_slots_are_counted_from_one_in_every_reading() -> None:
    fibocom = driver_for("fibocom", "FM350-GL", "mediatek")
    assert fields_of(fibocom, ("AT+GTDUALSIM?", '+GTDUALSIM : 0, "SUB1", "NR"'))["sim_slot"] == 1
    assert fields_of(driver_for("sierra", "EM7565"), ("AT!UIMS?", "!UIMS: 1"))["sim_slot"] == 2
    assert fields_of(driver_for("quectel", "RM520N-GL"), ("AT+QUIMSLOT?", "+QUIMSLOT: 2"))["sim_slot"] == 2


def test_an_intel_module_tells_level_and_cell() -> None:
    driver = driver_for("fibocom", "L850-GL", "XMM7360")
    cell = (
        '+XMCI: 4,510,11,"0x7D08","0x04E23C06","0x0071","0x0000052D","0x00004B7D","0xFFFFFFFF",59,19,14,'
        '"0x00000000","0x00000000"'
    )
    fields = fields_of(driver, ("AT+XCESQ?", "+XCESQ: 0,99,99,255,255,19,46,32"), ("AT+XMCI=1", cell))
    assert (fields["mode"], fields["plmn"], fields["pci"], fields["earfcn"]) == ("LTE", "51011", 113, 1325)
    assert (fields["rsrp_dbm"], fields["rsrq_db"]) == (-82, -10.5)


def test_a_carrier_has_the_serving_cells_newer_levels_and_an_outdated_list_is_left_out() -> None:
    driver = driver_for(None, "x")
    serving = {"band": 3, "rat": "LTE", "pci": 12, "earfcn": 1300, "rsrp_dbm": -97, "mode": "NSA"}
    nr = {"band": 78, "pci": 550, "arfcn": 636666, "rsrp_dbm": -90}
    pcc = {"rat": "LTE", "band": 3, "pci": 12, "earfcn": 1300, "rsrp_dbm": -80, "bw_dl_mhz": 20}
    scc = [{"rat": "LTE", "band": 7, "pci": 99, "earfcn": 2850}, {"rat": "NR", "band": 78, "pci": 550, "rsrp_dbm": -70}]
    shown = driver.carriers({**serving, "nr": nr, "pcc": pcc, "scc": scc})
    assert [(one["role"], one["band"], one.get("rsrp_dbm")) for one in shown] == [
        ("pcc", 3, -97), ("scc", 7, None), ("scc", 78, -90)
    ]  # fmt: skip
    assert shown[0]["bw_dl_mhz"] == 20
    moved = driver.carriers({**serving, "pci": 13, "nr": nr, "pcc": pcc, "scc": scc})
    assert [(one["role"], one["band"], one["pci"]) for one in moved] == [("pcc", 3, 13), ("nr", 78, 550)]
