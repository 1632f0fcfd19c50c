"""Reads sections of a UCI file: each value by its schema, and one that is wrong costs that value only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import ValidationError

from remsim.config.fields import Lines, Options, SectionType
from remsim.config.uci import UciError, UciFile, UciSection
from remsim.core.errors import RemsimError
from remsim.core.forms import Several

OnError = Callable[[RemsimError], None]
"""Hears of each value that cannot be used; raises to have none pass."""


class WrongValue(UciError):
    """An option whose value cannot be used; its default is in force."""


def refuse(error: RemsimError) -> None:
    """Let no wrong value pass."""
    raise error


def read_one(file: UciFile, row: SectionType, on_error: OnError) -> dict[str, Any]:
    """The values of the sections of a type there is one of, later ones winning."""
    values: dict[str, Any] = {}
    for section in file.sections(row.name):
        values |= read_section(file, section, row.schema(), on_error)
    return values


def read_many(file: UciFile, row: SectionType, inherited: Mapping[str, Any], on_error: OnError) -> tuple[Any, ...]:
    """All sections of a type; one without what it needs is told and left out. ``inherited`` is what they do not say."""
    schema = row.schema()
    sections = file.sections(row.name)
    if len(sections) > row.most:
        line = sections[row.most].head.number
        text = f"there are {len(sections)} sections of type {row.name}, and {row.most} at most are read"
        on_error(WrongValue(file.name, line, f"{file.name}.{row.name}: {text}", row.name))
    found = []
    for section in sections[: row.most]:
        if row.named_by is not None and section.name is None:
            text = f"{file.name}.{row.name}: the section needs a name"
            on_error(WrongValue(file.name, section.head.number, text, row.named_by))
            continue
        values = dict(inherited) | read_section(file, section, schema, on_error)
        if row.named_by is not None:
            values[row.named_by] = section.name
        if all(name in values for name, one in schema.fields.items() if one.required):
            found.append(row.kind(**values))
    return tuple(found)


def read_section(file: UciFile, section: UciSection, schema: Options, on_error: OnError) -> dict[str, Any]:
    """The validated values of one section. Unknown options are left alone."""
    raw = raw_values(section, schema)
    try:
        loaded: dict[str, Any] = schema.load(raw)
    except ValidationError as error:
        wrong = {str(option): told for option, told in error.messages_dict.items()}
        for option, told in wrong.items():
            path = f"{file.name}.{section.name or section.type}.{option}"
            on_error(WrongValue(file.name, section.line_of(option), f"{path}: {first_text(told).rstrip('.')}", option))
        valid = error.valid_data if isinstance(error.valid_data, dict) else {}
        loaded = {name: value for name, value in valid.items() if name not in wrong}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in loaded.items()}


def raw_values(section: UciSection, schema: Options) -> dict[str, Any]:
    """A section's known options as UCI has them: texts, and lists of texts."""
    lists = {name for name, one in schema.fields.items() if isinstance(one, Lines | Several)}
    return {
        option: section.get_list(option) if option in lists else section.get(option)
        for option in section.options()
        if option in schema.fields
    }


def first_text(told: Any) -> str:
    """The first message in marshmallow's nest of them."""
    while not isinstance(told, str):
        told = next(iter(told.values() if isinstance(told, dict) else told))
    return told
