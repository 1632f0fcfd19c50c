"""Forms: what passes, what is refused with which words, and how a form describes itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from remsim.core.forms import Choice, Flag, Form, Several, StrictNumber, Text, Whole, object_schema, secrets_of


class Everything(Form):
    """A field of each type."""

    number = StrictNumber(0.5, 2, metadata={"label": "Number", "unit": "s", "advanced": True})
    whole = Whole(1, 8, required=True, metadata={"label": "Slot", "help": "Counted from 1"})
    flag = Flag()
    text = Text(1, 5, pattern="[a-z]+", told="has small letters only")
    secret = Text(0, 8, metadata={"label": "PIN", "secret": True})
    choice = Choice({1: "One", "two": "Two"})
    several = Several({3: "B3", 7: "B7", 20: "B20"})


def loaded(**content: Any) -> dict[str, Any]:
    return Everything().load({"whole": 1, **content})


def refusal(**content: Any) -> str:
    with pytest.raises(ValidationError) as error:
        loaded(**content)
    (told,) = error.value.normalized_messages().values()
    return str(told[0])


def test_json_and_form_values_mean_the_same() -> None:
    by_json = loaded(number=1.5, flag=True, text="abc", choice=1, several=[20, 3])
    by_form = loaded(number="1.5", flag="on", text="abc", choice="1", several=["20", "3"])
    assert by_json == by_form
    assert by_json["several"] == [3, 20]
    assert loaded(several="7,3")["several"] == [3, 7]
    assert loaded(several="")["several"] == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"whole": 9}, "is not a whole number from 1 to 8"),
        ({"whole": True}, "is not a whole number from 1 to 8"),
        ({"number": float("nan")}, "is not a number from 0.5 to 2"),
        ({"flag": "perhaps"}, "is neither yes nor no"),
        ({"flag": 1}, "is neither yes nor no"),
        ({"text": "ABC"}, "has small letters only"),
        ({"text": "abc\r"}, "is not one line of text"),
        ({"text": "abcdef"}, "has not 1 to 5 characters"),
        ({"choice": "three"}, "'three' is not one of: 1, two"),
        ({"choice": True}, "'True' is not one of: 1, two"),
        ({"choice": []}, "'[]' is not one of: 1, two"),
        ({"several": [3, 99]}, "'99' is not one of: 3, 7, 20"),
        ({"several": {"3": 1}}, "is not a list"),
        ({"several": "3," * 600}, "has more than 512 entries"),
        ({"several": [3] * 600}, "has more than 512 entries"),
        ({"nothing": 1}, "is no field of this form"),
        ({"whole": None}, "is needed"),
    ],
)
def test_what_is_wrong_is_said(content: dict[str, Any], words: str) -> None:
    assert refusal(**content) == words


def test_a_form_describes_itself_with_what_is_in_force() -> None:
    schema = object_schema(Everything(), {"several": [7], "text": None, "unknown": 1})
    properties = schema["properties"]
    assert schema["required"] == ["whole"] and schema["additionalProperties"] is False
    assert list(properties)[-1] == "number", "advanced fields come last"
    assert properties["number"] == {
        "type": "number", "minimum": 0.5, "maximum": 2, "title": "Number", "x-unit": "s", "x-advanced": True
    }  # fmt: skip
    assert properties["whole"]["description"] == "Counted from 1"
    assert properties["secret"]["format"] == "password" and properties["secret"]["writeOnly"] is True
    assert properties["choice"]["oneOf"] == [{"const": 1, "title": "One"}, {"const": "two", "title": "Two"}]
    assert properties["several"]["default"] == [7] and properties["several"]["uniqueItems"] is True
    assert "default" not in properties["text"]
    assert secrets_of(Everything()) == {"secret"}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(list(Everything().fields)), anything))
def test_any_content_is_taken_or_refused(content: dict[str, Any]) -> None:
    try:
        values = Everything().load(content)
    except ValidationError:
        return
    assert values["whole"] in range(1, 9)
    assert set(values.get("several", [])) <= {3, 7, 20}
    assert values.get("text", "a").islower()
