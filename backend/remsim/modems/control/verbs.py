"""All actions by name. A new one is a line here."""

from __future__ import annotations

from remsim.modems.control.action import Action
from remsim.modems.control.power import Radio, Reset

ACTIONS: dict[str, Action] = {action.name: action for action in (Reset(), Radio())}
