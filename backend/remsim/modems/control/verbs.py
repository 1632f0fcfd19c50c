"""All actions by name. A new one is a line here."""

from __future__ import annotations

from remsim.modems.control.action import Action
from remsim.modems.control.apn import Apn
from remsim.modems.control.connection import Connection
from remsim.modems.control.hard_reset import HardReset
from remsim.modems.control.inhibit import Inhibit
from remsim.modems.control.power import Radio, Reset
from remsim.modems.control.sim_source import SimSource
from remsim.modems.control.usb_mode import UsbMode

ALL: tuple[Action, ...] = (
    Radio(),
    SimSource(),
    Connection(),
    Apn(),
    Reset(),
    HardReset(),
    UsbMode(),
    Inhibit(),
)
ACTIONS: dict[str, Action] = {action.name: action for action in ALL}
