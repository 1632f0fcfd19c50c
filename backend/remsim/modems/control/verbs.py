"""All actions by name. A new one is a line here."""

from __future__ import annotations

from remsim.modems.control.action import Action
from remsim.modems.control.apn import Apn
from remsim.modems.control.cell_lock import LockCells
from remsim.modems.control.connection import Connection
from remsim.modems.control.console import At
from remsim.modems.control.hard_reset import HardReset
from remsim.modems.control.inhibit import Inhibit
from remsim.modems.control.kept import SimDetection, UrcPort
from remsim.modems.control.operators import Operator, Scan
from remsim.modems.control.pin import Pin, PinChange, PinLock, Puk
from remsim.modems.control.power import Radio, Reset
from remsim.modems.control.preferences import RadioSettings
from remsim.modems.control.recording import Record
from remsim.modems.control.sim_source import SimSource
from remsim.modems.control.slot import SimSlot
from remsim.modems.control.sms import SmsDelete, SmsRead, SmsSend
from remsim.modems.control.usb_mode import UsbMode
from remsim.modems.control.ussd import Ussd, UssdEnd

ALL: tuple[Action, ...] = (
    Scan(),
    Operator(),
    Radio(),
    RadioSettings(),
    LockCells(),
    SimSlot(),
    Pin(),
    PinLock(),
    PinChange(),
    Puk(),
    SimDetection(),
    SimSource(),
    Connection(),
    Apn(),
    Reset(),
    HardReset(),
    UrcPort(),
    UsbMode(),
    Inhibit(),
    SmsSend(),
    SmsRead(),
    SmsDelete(),
    Ussd(),
    UssdEnd(),
    At(),
    Record(),
)
ACTIONS: dict[str, Action] = {action.name: action for action in ALL}
