"""docs/policies.md: its examples are sound, its grammar has every word of the language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from policy_support import facts
from remsim.core.routes import CRITERIA
from remsim.policies.language import words
from remsim.policies.language.checker import check
from remsim.policies.presets import ORDER

TEXT = (Path(__file__).parents[2] / "docs" / "policies.md").read_text("utf-8")
GRAMMAR = TEXT.split("```ebnf\n")[1].split("```")[0]
CONDITIONS = TEXT.split("## Conditions")[1].split("## Routes")[0]


def test_every_word_is_in_the_grammar() -> None:
    quoted = {one.lower() for one in re.findall(r'"([A-Za-z_]+)"', GRAMMAR)}
    known = {*words.TEST_WORDS, *words.STATEMENTS, *words.ROUTES, *words.PRIORITIES, *words.CLASS_WORDS}
    assert known <= quoted
    assert {*words.DAY_GROUPS, *words.LINK_WORDS} <= quoted


def test_every_rule_of_the_grammar_is_defined() -> None:
    bare = re.sub(r'"[^"]*"|\'[^\']*\'|\(\*.*?\*\)', " ", GRAMMAR)
    defined = set(re.findall(r"^([a-z_]+)(?:\(x\))?\s+=", bare, re.MULTILINE))
    used = set(re.findall(r"\b[a-z_]{2,}\b", bare))
    plain = {"number", "hex", "word", "ip", "mac", "length", "character", "clock", "day", "unit", "device", "protocol"}
    assert used - defined - plain == {"dscp", "domain", "country", "state", "criterion", "algorithm"}


@pytest.mark.parametrize("example", re.findall(r"\| ((?:`[^`|]+`(?:, )?)+) \|$", CONDITIONS, re.MULTILINE))
def test_each_condition_shown_is_one(example: str) -> None:
    for text in re.findall(r"`([^`]+)`", example):
        match = text.removeprefix("match: ")
        assert check(f"policy a {{ match: {match}\n route: any }}", facts()).ok, text


def test_examples_are_sound() -> None:
    texts = [one for one in re.findall(r"```\n(.*?)```", TEXT, re.DOTALL) if "policy " in one and "match:" in one]
    assert texts
    for text in texts:
        assert check(text, facts()).errors == (), text


def test_criteria_and_examples_to_copy_are_named() -> None:
    for name in (*CRITERIA, *(f"`{one}`" for one in ORDER)):
        assert name in TEXT
