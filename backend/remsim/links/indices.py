"""The number a link has in marks, rules and tables."""

from __future__ import annotations

from remsim.config.routing import LinkSettings, Routing
from remsim.core.routes import MOST_LINKS


def indexed(routing: Routing) -> dict[int, LinkSettings]:
    """Links by their numbers, 1 to 8: the one that is written, so that marks survive a change of order, else the first
    that nobody has. More links than numbers are left out."""
    found = {link.index: link for link in reversed(routing.links) if link.index is not None}
    written = set(map(id, found.values()))
    free = [number for number in range(1, MOST_LINKS + 1) if number not in found]
    for link in routing.links:
        if id(link) not in written and free:
            found[free.pop(0)] = link
    return dict(sorted(found.items()))
