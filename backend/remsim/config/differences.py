"""What differs between two configurations, for people: which setting, what it was and becomes; what needs a restart."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from remsim.config.document import Known, key_option
from remsim.config.fields import Options, SectionType, json_values
from remsim.config.uci import UciFile, UciSection
from remsim.core.forms import secrets_of
from remsim.core.small_dataclass import dataclass

HIDDEN = "set"
CHANGED = "changed"
NEEDS_INIT = ("web.listen", "web.threads", "web.max_streams", "service.state_dir")
"""In force only when all of the service is started anew: its first process has them, and the worker only inherits."""


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that differs; None is: not set, its default counts. What may be secret is ``set`` or ``changed``."""

    path: str
    before: str | None
    after: str | None

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def __str__(self) -> str:
        if self.after is None:
            return f"{self.path}: no longer {self.before}" if self.before else f"{self.path}: removed"
        return f"{self.path}: {self.after or 'added'}" + (f" instead of {self.before}" if self.before else "")


def changes(before: UciFile, after: UciFile, known: Known) -> list[Change]:
    """All that differs, in the order of the file as it becomes; what is gone last."""
    old, new = flattened(before, known), flattened(after, known)
    found = []
    for path in [*new, *(path for path in old if path not in new)]:
        was, becomes = old.get(path), new.get(path)
        if was == becomes:
            continue
        if (was or becomes or ("", False))[1]:
            after_text = None if becomes is None else HIDDEN if was is None else CHANGED
            found.append(Change(path, None if was is None else HIDDEN, after_text))
        else:
            found.append(Change(path, None if was is None else was[0], None if becomes is None else becomes[0]))
    return found


def flattened(file: UciFile, known: Known) -> dict[str, tuple[str, bool]]:
    """Every option by its path, as a text, and whether that is to be hidden; a section as such has an empty text."""
    found: dict[str, tuple[str, bool]] = {}
    counts: dict[str, int] = {}
    schemas = {name: row.schema() for name, row in known.items()}
    for section in file.sections():
        row = known.get(section.type)
        label = label_of(section, row)
        if row is None or row.many:
            counts[label] = counts.get(label, 0) + 1
            label = label if counts[label] == 1 else f"{label}#{counts[label]}"
            found[label] = ("", False)
        schema = schemas.get(section.type)
        for option in section.options():
            found[f"{label}.{option}"] = (", ".join(section.get_list(option)), is_hidden(schema, option))
    return found


def warnings_of(found: list[Change], known: Known) -> list[dict[str, str]]:
    """What people should know before they make these changes, by their paths."""
    told = {
        f"{row.name}.{name}": field.metadata["warning"]
        for row in known.values()
        for name, field in row.schema().fields.items()
        if "warning" in field.metadata
    }
    return [{"path": one.path, "text": told[one.path]} for one in found if one.path in told]


def is_hidden(schema: Options | None, option: str) -> bool:
    """Secrets, and what nobody here knows: it may be one."""
    return schema is None or option not in schema.fields or option in secrets_of(schema)


def label_of(section: UciSection, row: SectionType | None) -> str:
    """How a section is called: ``web``, ``modem[1-1.2]``, ``alert[weak]``."""
    if row is not None and not row.many:
        return row.name
    key = section.name
    if row is not None and row.named_by is None and (option := key_option(row)) is not None:
        key = section.get(option) or key
    return f"{section.type}[{key or ''}]"


def needs_restart(running: Any, wanted: Any, known: Known) -> list[str]:
    """Settings that differ from those in force and cannot be put in force without a restart."""
    found: list[str] = []
    for row in known.values():
        if row.live:
            continue
        if row.many:
            found += many_differ(row, running, wanted)
        else:
            found += fields_differ(row.name, row, getattr(running, row.place), getattr(wanted, row.place))
    return found


def many_differ(row: SectionType, running: Any, wanted: Any) -> list[str]:
    """The same for the sections of a type there are many of."""
    key = row.named_by or key_option(row)
    assert key is not None  # every type with many has one of them
    old = {getattr(one, key): one for one in getattr(running, row.place)}
    new = {getattr(one, key): one for one in getattr(wanted, row.place)}
    found = [f"{row.name}[{name}]" for name in old.keys() ^ new.keys()]
    for name in old.keys() & new.keys():
        found += fields_differ(f"{row.name}[{name}]", row, old[name], new[name])
    return sorted(found)


def fields_differ(label: str, row: SectionType, running: Any, wanted: Any) -> list[str]:
    """Options of one section whose values differ and are not live."""
    fields = row.schema().fields
    return [
        f"{label}.{name}"
        for name, field in fields.items()
        if not field.metadata.get("live") and getattr(running, name, None) != getattr(wanted, name, None)
    ]


def effective_values(row: SectionType, settings: Any) -> dict[str, Any]:
    """What of a type that there is one of is in force, as JSON."""
    schema = row.schema()
    kind = getattr(settings, row.place)
    hidden = secrets_of(schema)
    return json_values(schema, {name: getattr(kind, name) for name in schema.fields if name not in hidden})
