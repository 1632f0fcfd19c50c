"""Slot maps as CSV: what goes out comes back, and what is wrong is named by its line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from remsim.core.errors import InvalidInput
from remsim.remotesim.map_csv import Import, Wanted, csv_of, read_csv
from remsim.remotesim.reconcile import Kept
from remsim.remotesim.slotmap import SlotMap

HEAD = "bank_id,bank_slot,client_id,client_slot"
A, B = SlotMap(1, 2, 5, 0), SlotMap(1, 3, 6, 0)


def named(name: str | None) -> str:
    if name not in (None, "main", "backup"):
        raise InvalidInput(f"there is no server {name!r}", field="server")
    return name or "main"


def read(text: str, *wanted: Wanted) -> Import:
    return read_csv(text, wanted, named)


def wrong(text: str, *wanted: Wanted) -> list[tuple[int, str]]:
    return read(text, *wanted).wrong


def test_what_is_new_changed_and_the_same_is_counted() -> None:
    before = [("main", Kept(A)), ("main", Kept(B, note="old"))]
    found = read(f"{HEAD},note\n1,2,5,0,\n1,3,6,0,new\n\n2,0,7,1,\n", *before)
    assert found.as_dict() == {"added": 1, "changed": 1, "same": 1, "wrong": []}
    assert [(one.map, one.note) for _, one in found.taken] == [(B, "new"), (SlotMap(2, 0, 7, 1), "")]


def test_two_cards_may_change_places_in_one_file() -> None:
    found = read(f"{HEAD}\n1,2,6,0\n1,3,5,0\n", ("main", Kept(A)), ("main", Kept(B)))
    assert found.changed == 2 and not found.wrong


def test_spreadsheets_write_semicolons_a_mark_and_columns_in_any_order() -> None:
    found = read("\ufeffClient_ID;client_slot;Bank_id;bank_slot;server\r\n5;0;1;2;backup\r\n")
    assert found.taken == [("backup", Kept(A))]


def test_what_is_wrong_is_named_by_its_line() -> None:
    assert wrong("") == [(1, "the file is empty")]
    assert "has not the columns" in wrong("a,b\n1,2\n")[0][1]
    for cells, words in (
        ("1024,0,1,1", "bank_id is not a number from 0 to 1023"),
        ("1,-1,1,1", "bank_slot"),
        ("1,1,x,1", "client_id"),
        ("1,1,1,", "client_slot"),
        ("1,1,1", "client_slot"),
        ("1,1,1,\u0661", "client_slot"),
        ("1,1,1,1,1", "more cells"),
    ):
        assert [(line, words in text) for line, text in wrong(f"{HEAD}\n{cells}\n")] == [(2, True)], cells
    assert wrong(f"server,{HEAD}\nnowhere,1,2,5,0\n")[0][0] == 2
    assert "is in line 2, too" in wrong(f"{HEAD}\n1,2,5,0\n1,2,6,0\n")[0][1]
    assert wrong(f"{HEAD}\n1,2,5,0\n1,3,5,0\n") == [(3, "client 5:0 with bank slot 1:2 is in line 2, too")]
    taken = wrong(f"{HEAD}\n1,4,5,0\n", ("main", Kept(A)))
    assert taken == [(2, "client 5:0 with bank slot 1:2 is wanted already")]
    assert wrong(f'{HEAD}\n"1,2,5,0\n')[0][1].startswith("this is not CSV")
    assert "note" in wrong(f"{HEAD},note\n1,2,5,0,{'n' * 101}\n")[0][1]


def test_a_note_is_no_formula_and_comes_back_as_it_was() -> None:
    for note in ("=1+1", "'=1+1", "'quoted'"):
        text = "".join(csv_of([("main", Kept(A, note=note))]))
        assert ",=" not in text
        assert read(text).taken == [("main", Kept(A, note=note))]


@given(st.text())
def test_any_text_is_read_or_named(text: str) -> None:
    for given_text in (text, f"{HEAD}\n{text}"):
        found = read(given_text)
        assert found.wrong or found.taken or given_text.startswith(HEAD)


NOTES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=20)


@given(st.dictionaries(st.tuples(st.integers(0, 1023), st.integers(0, 1023)), NOTES, max_size=20))
def test_what_goes_out_comes_back(maps: dict[tuple[int, int], str]) -> None:
    wanted = [("main", Kept(SlotMap(*bank, *bank), note=note)) for bank, note in maps.items()]
    found = read("".join(csv_of(wanted)))
    assert not found.wrong and {one.map: one.note for _, one in found.taken} == {one.map: one.note for _, one in wanted}
    assert read("".join(csv_of(wanted)), *wanted).same == len(wanted)
