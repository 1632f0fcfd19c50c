"""The configuration as JSON: sections with their values, put into a UCI file and taken out of it.

A document is ``{"types": [names], "sections": [{"type", "name", "values"}]}``. It replaces all sections of its
``types`` (all known ones when absent) and leaves the rest of the file: other types, options nobody here knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from marshmallow import ValidationError

from remsim.config.fields import Options, SectionType, json_values, uci_texts
from remsim.config.reading import first_text, raw_values
from remsim.config.uci import NAME, UciFile, UciSection
from remsim.core.errors import InvalidInput, NotFound
from remsim.core.forms import secrets_of

Known = Mapping[str, SectionType]
"""Section types by their names, all that a file has."""
VERSION = 1
PARTS = ("format", "version", "exported_at", "types", "sections")
LONGEST_NAME = 64


def document_of(
    file: UciFile, known: Known, format_name: str, types: Iterable[str] | None = None, *, secrets: bool = False
) -> dict[str, Any]:
    """What a file says, and nothing of what is in force by default; secrets only when asked for."""
    wanted = known_types(known, types)
    sections = [view for name in wanted for view in views_of(file, known[name], secrets=secrets)]
    return {"format": format_name, "version": VERSION, "types": wanted, "sections": sections}


def views_of(file: UciFile, row: SectionType, *, secrets: bool = False) -> list[dict[str, Any]]:
    """The sections of a type. Where there is only one, it is there even when the file has none."""
    schema = row.schema()
    hidden = secrets_of(schema)
    found = file.sections(row.name)
    if not row.many:
        merged: dict[str, Any] = {}
        for section in found:
            merged |= raw_values(section, schema)
        return [view(row.name, row.name, merged, schema, frozenset() if secrets else hidden)]
    shown = frozenset() if secrets else hidden
    return [view(row.name, address_of(one, found), raw_values(one, schema), schema, shown) for one in found]


def view(kind: str, name: str, raw: Mapping[str, Any], schema: Options, hidden: frozenset[str]) -> dict[str, Any]:
    """One section. ``kept`` names the secrets that are set and not told; ``wrong`` what cannot be used, and why."""
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for option, text in raw.items():
        field = schema.fields[option]
        try:
            values |= json_values(schema, {option: field.deserialize(text, option, raw)})
        except ValidationError as error:
            wrong[option] = first_text(error.messages).rstrip(".")
    made: dict[str, Any] = {"type": kind, "name": name}
    made["values"] = {option: value for option, value in values.items() if option not in hidden}
    if kept := [option for option in raw if option in hidden]:
        made["kept"] = kept
    if wrong:
        made["wrong"] = wrong
    return made


def address_of(section: UciSection, same_type: list[UciSection]) -> str:
    """A section's name; ``-N`` for the N-th of its type, from 0, when it has none."""
    return section.name or f"-{same_type.index(section)}"


def find_section(file: UciFile, row: SectionType, name: str) -> UciSection | None:
    """The section of a type at an address; of a type there is one of, the last, which counts."""
    found = file.sections(row.name)
    if not row.many:
        return found[-1] if found and name == row.name else None
    return next((one for one in found if address_of(one, found) == name), None)


def section_type(known: Known, name: str) -> SectionType:
    """The row of a type, or ``NotFound``."""
    if name not in known:
        hint = f"one of: {', '.join(known)}"
        raise NotFound(f"there are no settings of type {name[:40]!r}", field="type", hint=hint)
    return known[name]


def known_types(known: Known, types: Iterable[str] | None) -> list[str]:
    """The asked types in their order, all when None."""
    if types is None:
        return list(known)
    asked = {section_type(known, name).name for name in types}
    return [name for name in known if name in asked]


def put_section(file: UciFile, row: SectionType, name: str | None, values: Any, where: str = "") -> UciSection | None:
    """Give a section its values: known options that are absent (or null, or empty) go, but secrets stay.

    ``name`` None is a new section without a name. ``InvalidInput`` names the field, after ``where``. None: there is
    nothing to say, so no section was made.
    """
    section = None if name is None else find_section(file, row, name)
    texts = wanted_texts(row, section, values, where)
    if section is None and not row.many and name == row.name and not texts:
        return None
    if section is None:
        section = new_section(file, row, name, where)
    schema = schema_of(row)
    if not row.many:  # of several sections the last would win option by option
        for other in file.sections(row.name)[:-1]:
            unset_known(other, schema)
    for option in schema.fields:
        text = texts.get(option)
        if text is None:
            if option in section.options():
                section.unset(option)
        elif isinstance(text, list):
            if section.get_list(option) != text:
                section.set_list(option, text)
        elif section.get(option) != text or len(section.get_list(option)) > 1:
            section.set(option, text)
    return section


def new_section(file: UciFile, row: SectionType, name: str | None, where: str) -> UciSection:
    """A section at the end of the file; ``InvalidInput`` when it cannot be."""
    if not row.many and name != row.name:
        raise NotFound(f"the settings of type {row.name} are at {row.name}/{row.name}", field=f"{where}name")
    if row.many and len(file.sections(row.name)) >= row.most:
        told = f"there are {row.most} sections of type {row.name}, and there may be no more"
        raise InvalidInput(told, field=f"{where}name")
    if name is None and row.named_by is not None:
        raise InvalidInput(f"a section of type {row.name} needs a name", field=f"{where}name")
    if name is not None and name.startswith("-"):
        raise NotFound(f"there is no section {name} of type {row.name}", field=f"{where}name")
    if name is not None and (not NAME.match(name) or len(name) > LONGEST_NAME):
        told = f"a section's name has letters, digits and _ only, {LONGEST_NAME} at most"
        raise InvalidInput(told, field=f"{where}name")
    if name is not None and (other := file.section(name)) is not None:
        raise InvalidInput(f"the name {name} is taken by a section of type {other.type}", field=f"{where}name")
    return file.add(row.name, name if row.many else row.section or name)


def schema_of(row: SectionType) -> Options:
    """The schema of a type, made once: a document has hundreds of sections of one."""
    return made_once(row.schema)


@lru_cache(maxsize=32)
def made_once(schema: type[Options]) -> Options:
    """A schema of that class."""
    return schema()


def wanted_texts(row: SectionType, section: UciSection | None, values: Any, where: str) -> dict[str, str | list[str]]:
    """Checked values as UCI has them, with the secrets that stay."""
    if not isinstance(values, Mapping):
        raise InvalidInput("the values are not an object", field=f"{where}values" if where else "body")
    schema = schema_of(row)
    present = {} if section is None else raw_values(section, schema)
    stay = {name for name, field in schema.fields.items() if field.metadata.get("stays")} | secrets_of(schema)
    kept = {name: present[name] for name in stay if name in present and name not in values}
    given = {name: value for name, value in values.items() if value not in (None, "", []) or name not in schema.fields}
    try:
        loaded = schema.load(kept | given)
    except ValidationError as error:
        option, told = next(iter(error.messages_dict.items()))
        text = first_text(told).rstrip(".")
        name = f"{where}{option}" if option != "_schema" else None
        raise InvalidInput(f"{name}: {text}" if name else text, field=name) from error
    explicit = {name: loaded[name] for name in loaded if name in kept or name in given}
    return {name: uci_texts(value) for name, value in json_values(schema, explicit).items()}


def delete_section(file: UciFile, row: SectionType, name: str) -> None:
    """Drop a section; of a type there is one of, the values, so that all have their defaults."""
    section = find_section(file, row, name)
    if section is None:
        raise NotFound(f"there is no section {name[:40]} of type {row.name}", field="name")
    if row.many:
        file.remove(section)
        return
    for one in file.sections(row.name):
        unset_known(one, row.schema())


def unset_known(section: UciSection, schema: Options) -> None:
    """Take the options away that a schema knows."""
    for option in [one for one in section.options() if one in schema.fields]:
        section.unset(option)


def put_document(file: UciFile, known: Known, format_name: str, document: Any) -> None:
    """Make the file say what a document says. ``InvalidInput`` names the place in the document."""
    types, sections = checked_document(known, format_name, document)
    kept: dict[str, list[UciSection]] = {name: [] for name in types}
    before = {name: {key_of(known[name], one): one for one in reversed(file.sections(name))} for name in types}
    for kind in types:
        drop_unwanted(file, known[kind], [one for one in sections if one["type"] == kind])
    for at, given in enumerate(sections):
        row, where = known[given["type"]], f"sections.{at}."
        name = given["name"]
        if row.many and not is_named(given):
            found = before[row.name].get(key_in(row, given["values"]))
            name = None if found is None or found in kept[row.name] else address_of(found, file.sections(row.name))
        elif not row.many:
            name = row.name
        section = put_section(file, row, name, given["values"], where)
        if section in kept[row.name]:
            raise InvalidInput(f"{row.name} {name} is there twice", field=f"{where}name")
        if section is not None:
            kept[row.name].append(section)
    for kind, found_before in kept.items():
        row = known[kind]
        if row.many:
            for section in [one for one in file.sections(kind) if one not in found_before]:
                file.remove(section)
        elif not found_before and file.sections(kind):
            delete_section(file, row, kind)


def drop_unwanted(file: UciFile, row: SectionType, wanted: list[dict[str, Any]]) -> None:
    """Take away sections that no wanted one can mean: what is new may need their names, or their room."""
    names = {one["name"] for one in wanted if is_named(one)}
    keys = {key_in(row, one["values"]) for one in wanted if not is_named(one)} - {None}
    for section in file.sections(row.name) if row.many else ():
        if section.name not in names and key_of(row, section) not in keys:
            file.remove(section)


def is_named(given: Mapping[str, Any]) -> bool:
    """Whether a section of a document has a name of its own, and no number."""
    return given["name"] is not None and not given["name"].startswith("-")


def key_of(row: SectionType, section: UciSection) -> str | None:
    """What a section without a name is known by: its first required option."""
    option = key_option(row)
    return None if option is None else section.get(option)


def key_in(row: SectionType, values: Mapping[str, Any]) -> str | None:
    """The same of values."""
    value = values.get(key_option(row) or "")
    return value if isinstance(value, str) else None


def key_option(row: SectionType) -> str | None:
    """The first required option."""
    return next((name for name, field in schema_of(row).fields.items() if field.required), None)


def checked_document(known: Known, format_name: str, document: Any) -> tuple[list[str], list[dict[str, Any]]]:
    """The types and sections of a document that is of the right shape and no larger than it may be."""
    if not isinstance(document, Mapping):
        raise InvalidInput("the document is not an object", field="body")
    for part in document:
        if part not in PARTS:
            raise InvalidInput(f"{str(part)[:40]}: is no part of a document of settings", field=str(part)[:40])
    if document.get("format", format_name) != format_name:
        raise InvalidInput(f"format: is not {format_name}", field="format")
    version = document.get("version", VERSION)
    if type(version) is not int or not 1 <= version <= VERSION:
        hint = "it may be of a newer remsim" if type(version) is int and version > VERSION else None
        raise InvalidInput(f"version: is not {VERSION}, which this remsim reads", field="version", hint=hint)
    types, sections = document.get("types"), document.get("sections")
    if types is not None and not (isinstance(types, list) and all(isinstance(one, str) for one in types)):
        raise InvalidInput("types: is not a list of names", field="types")
    if not isinstance(sections, list):
        raise InvalidInput("sections: is not a list", field="sections")
    wanted = [name for name in known if types is None or name in types]
    if unknown := [name for name in types or () if name not in known]:
        raise InvalidInput(f"types: there are no settings of type {unknown[0][:40]!r}", field="types")
    counts = dict.fromkeys(wanted, 0)
    for at, one in enumerate(sections):  # counted before anything is checked more closely: it may be thousands
        kind = one.get("type") if isinstance(one, Mapping) else None
        if not isinstance(kind, str) or kind not in counts:
            told = "is not among the types" if isinstance(kind, str) and kind in known else "is of no known type"
            raise InvalidInput(f"sections.{at}: {told}", field=f"sections.{at}.type")
        counts[kind] += 1
    for kind, count in counts.items():
        if count > known[kind].most:
            told = f"sections: has {count} of type {kind}, and there may be {known[kind].most}"
            raise InvalidInput(told, field="sections")
    return wanted, [checked_section(one, f"sections.{at}") for at, one in enumerate(sections)]


def checked_section(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A section of a document, whose values are not yet checked."""
    name, values = given.get("name"), given.get("values", {})
    if name is not None and not isinstance(name, str):
        raise InvalidInput(f"{where}.name: is not a text", field=f"{where}.name")
    if not isinstance(values, Mapping):
        raise InvalidInput(f"{where}.values: is not an object", field=f"{where}.values")
    return {"type": given["type"], "name": name, "values": values}
