from __future__ import annotations

from typing import Any

from remsim.core.events import KINDS
from remsim.core.reading import STATES, ModemReading
from remsim.modems.changes import PROBLEMS, Changes

LTE = {"mode": "LTE", "rat": "LTE", "cell_id": 0x1A2B03, "pci": 12, "registration": "home", "rsrp_dbm": -97.0}


def reading(**fields: Any) -> ModemReading:
    return ModemReading(modem="modem1", at=1000.0, **fields)


def kinds(changes: Changes, **fields: Any) -> list[str]:
    return [event.kind for event in changes.of_reading(reading(**fields))]


def test_first_reading_is_no_change() -> None:
    assert kinds(Changes(), **LTE) == []


def test_cell_change_says_from_where_to_where_with_the_signal() -> None:
    changes = Changes()
    changes.of_reading(reading(**LTE))
    (event,) = changes.of_reading(reading(**LTE | {"cell_id": 0x1A2B04, "pci": 13, "rsrp_dbm": -101.0}))
    assert (event.kind, event.message) == ("cell_change", "modem1: cell 6699/3 → 6699/4")
    assert event.data["from"] == "6699/3" and event.data["to"] == "6699/4"
    assert (event.data["rsrp_dbm"], event.data["pci"]) == (-101.0, 13)


def test_value_unknown_for_a_while_is_no_change_and_is_compared_when_it_is_back() -> None:
    changes = Changes()
    changes.of_reading(reading(**LTE))
    assert kinds(changes, pci=12) == []
    assert kinds(changes) == []
    assert kinds(changes, **LTE) == []
    assert kinds(changes, **LTE | {"registration": "roaming"}) == ["registration"]


def test_technology_is_told_in_the_users_words() -> None:
    changes = Changes()
    changes.of_reading(reading(mode="LTE"))
    changes.of_reading(reading(rsrp_dbm=-90.0))
    (event,) = changes.of_reading(reading(mode="NSA"))
    assert "rsrp_dbm" not in event.data  # what the old technology measured is not the new one's
    assert (event.kind, event.message) == ("technology_change", "modem1: LTE → LTE + 5G")


def test_sim_changes_are_told_with_what_changed() -> None:
    changes = Changes()
    changes.of_reading(reading(sim_state="READY", sim_slot=1, sim="sim-a"))
    events = changes.of_reading(reading(sim_state="READY", sim_slot=2, sim="sim-b"))
    assert [(event.kind, event.data["what"]) for event in events] == [("sim_state", "sim_slot"), ("sim_state", "sim")]


def test_loss_of_service_carries_the_last_signal_that_was_known() -> None:
    changes = Changes()
    changes.of_reading(reading(**LTE))
    changes.of_reading(reading(registration="searching"))
    event = changes.of_state("modem1", 1001.0, "online", "searching", "")
    assert (event.kind, event.severity) == ("disconnect", "warning")
    assert event.data == {"from": "online", "to": "searching", "rsrp_dbm": -97.0, "cell_id": 0x1A2B03, "pci": 12,
                          "mode": "LTE"}  # fmt: skip


def test_states_are_told_once_by_their_kind() -> None:
    changes = Changes()
    steps = [("starting", "online", "connect"), ("online", "not_answering", "disconnect"),
             ("not_answering", "starting", "recovered"), ("starting", "port_busy", "error"),
             ("port_busy", "starting", "recovered"), ("starting", "no_sim", "state")]  # fmt: skip
    for before, now, kind in steps:
        event = changes.of_state("modem1", 1.0, before, now, "")
        assert event.kind == kind
        assert event.kind in KINDS


def test_every_state_that_needs_something_says_what_to_do() -> None:
    assert set(PROBLEMS) == set(STATES) - {"starting", "online", "searching", "paused"}
    assert all(text.endswith(".") and text.count(". ") >= 1 for text in PROBLEMS.values())


def test_coming_online_tells_registration_and_sim_for_the_timelines_to_begin_with() -> None:
    changes = Changes()
    changes.of_reading(reading(**LTE, sim="sim-a", sim_slot=2))
    event = changes.of_state("modem1", 1001.0, "starting", "online", "")
    assert (event.data["registration"], event.data["sim"], event.data["sim_slot"]) == ("home", "sim-a", 2)
    assert event.data["cell"] == f"{0x1A2B}/3"
    assert "sim" not in changes.of_state("modem1", 1002.0, "online", "searching", "").data


def test_messages_have_words_and_no_names_of_constants() -> None:
    changes = Changes()
    changes.of_reading(reading(sim_state="READY", sim_slot=1, registration="home"))
    events = changes.of_reading(reading(sim_state="NOT_INSERTED", sim_slot=2, registration="not_registered"))
    assert [event.message for event in events] == [
        "modem1: registration home → not registered", "modem1: SIM ready → not inserted", "modem1: SIM slot 1 → 2",
    ]  # fmt: skip
