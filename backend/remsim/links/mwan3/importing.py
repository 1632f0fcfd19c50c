"""The whole of mwan3's configuration. Pure: text in, values and texts out.

What has no place here is told, not guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.config.uci import UciFile
from remsim.core.small_dataclass import dataclass
from remsim.links.mwan3.interfaces import families_merged, link_of, usable_interfaces
from remsim.links.mwan3.rules import policy_text, rules_of, with_families_joined
from remsim.links.mwan3.section import Notes
from remsim.links.mwan3.ways import WAYS_OUT, main_way, needs_tag, ways_of


@dataclass(frozen=True, slots=True)
class Imported:
    """What comes of it: ``links`` as values of their sections with ``name``, ``globals`` of ours, a text of policies,
    and what could not be carried over, in sentences."""

    links: tuple[dict[str, Any], ...]
    globals: Mapping[str, Any]
    policies: str
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "links": [dict(one) for one in self.links],
            "globals": dict(self.globals),
            "policies": self.policies,
            "warnings": list(self.notes),
        }


def import_mwan3(text: str) -> Imported:
    """Links and policies from the text of ``/etc/config/mwan3``; raises ``UciError`` where that cannot be read."""
    file = UciFile.parse(text, "mwan3")
    notes = Notes()
    merged = families_merged(file)
    interfaces = usable_interfaces(file, merged, notes)
    ways = {way.name: way for way in ways_of(file, merged, [str(one.name) for one in interfaces], notes)}
    main = main_way(file, ways)
    rules = rules_of(file, ways, main, len(interfaces), notes)
    tags = {way.name: way for way in ways.values() if needs_tag(way, len(interfaces))}
    links = tuple(link_of(one, file, merged, main, tags.values(), notes) for one in interfaces)
    last_resort = "unreachable" if main is not None and WAYS_OUT.get(main.last_resort) == "block" else "keep"
    return Imported(
        links=links,
        globals={"algorithm": "weighted", "last_resort": last_resort} if links else {},
        policies="\n".join(policy_text(one) for one in with_families_joined(rules)),
        notes=tuple(notes.found),
    )
