"""From the table that is in force to the one that should be: one transaction, which leaves what did not change.

Counters go on, sets that are filled while they are in use keep what they hold, and no packet meets an empty chain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from remsim.core.routes import SetCode
from remsim.links.kernel.table import TABLE, Chain, Table, print_table

CHUNK = 500
"""Elements of one command."""
_NAMES = re.compile(r'@\w+|"[^"]*"')
"""Sets and objects that rules name."""


def first_load(table: Table) -> str:
    """The table where none of ours is known: what a run that died has left goes in the same transaction."""
    return "\n".join([f"add table {TABLE}", f"delete table {TABLE}", change(Table(), table) or f"add table {TABLE}"])


def change(old: Table, new: Table) -> str:
    """The commands that make the old table the new one; empty where nothing differs. Sets apart stay out of it."""
    anew = {name for name in new.sets if _is_anew(old.sets.get(name), new.sets[name])}
    gone_sets = [name for name in old.sets if name not in new.sets or (name in anew and name in old.sets)]
    changed = {name for name, body in new.objects.items() if old.objects.get(name, body) != body}
    gone_objects = [name for name in old.objects if name not in new.objects or name in changed]
    touched = {f'"{name.split()[-1]}"' for name in gone_objects} | {f"@{name}" for name in gone_sets}
    flushed = [name for name, chain in old.chains.items() if _is_touched(chain, new.chains.get(name), touched)]
    lines = [f"flush chain {TABLE} {name}" for name in flushed]
    lines += [f"delete chain {TABLE} {name}" for name in old.chains if name not in new.chains]
    lines += [f"delete set {TABLE} {name}" for name in gone_sets]
    for kind, _, name in (name.rpartition(" ") for name in gone_objects):
        lines.append(f"delete {kind} {TABLE} {name}")
    chains = {name: Chain(new.chains[name].rules) for name in flushed if name in new.chains}
    chains |= {name: chain for name, chain in new.chains.items() if name not in old.chains}
    sets = {name: one for name, one in new.sets.items() if name in anew and not one.is_apart}
    objects = {name: body for name, body in new.objects.items() if name not in old.objects or name in changed}
    if chains or sets or objects:
        lines.append(print_table(Table(sets, objects, chains)))
    return "\n".join(lines)


def elements(name: str, values: Iterable[str], timeout_s: int | None = None) -> list[str]:
    """Commands that add to a set."""
    suffix = "" if timeout_s is None else f" timeout {timeout_s}s"
    texts = [f"{value}{suffix}" for value in values]
    return [
        f"add element {TABLE} {name} {{ {', '.join(texts[at : at + CHUNK])} }}" for at in range(0, len(texts), CHUNK)
    ]


def refreshed(name: str, values: Iterable[str], timeout_s: int | None) -> list[str]:
    """Commands that add to a set, or begin the time of what is in it anew: kernels keep the old time otherwise."""
    once = list(values)
    removed = [line.replace("add element", "delete element", 1) for line in elements(name, once)]
    return [*elements(name, once, timeout_s), *removed, *elements(name, once, timeout_s)]


def _is_anew(before: SetCode | None, after: SetCode) -> bool:
    """Whether a set is made anew: also a small one with other elements, as changing some reads large ones back."""
    if before is None or before.declaration != after.declaration:
        return True
    return not (after.is_learned or after.is_apart) and before.elements != after.elements


def _is_touched(old: Chain, new: Chain | None, names: set[str]) -> bool:
    """Whether a chain's rules go: they differ, or stand in the way of what they name."""
    if new is None or old.rules != new.rules:
        return True
    return bool(names) and not names.isdisjoint(_NAMES.findall(" ".join(old.rules)))
