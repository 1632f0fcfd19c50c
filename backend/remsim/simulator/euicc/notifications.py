"""ES10b's functions for notifications: listed, fetched, and removed when they were sent (SGP.22 5.7.9-11)."""

from __future__ import annotations

from remsim.core import tlv
from remsim.simulator.euicc import der
from remsim.simulator.euicc.memory import Memory, Notification
from remsim.simulator.euicc.profiles import EVENTS
from remsim.simulator.euicc.rsp import WrongData

OK, NOTHING_TO_DELETE, NO_RESULT = 0, 1, 1
PACKAGE = "package"
"""The event of a result that an eIM waits for."""


def list_notifications(memory: Memory, value: bytes) -> bytes:
    """ListNotification."""
    found = der.parts(value)
    wanted = _of_events(memory, der.value(found, 0x81))
    return tlv.encode(0xBF28, tlv.encode(0xA0, *(one.metadata for one in wanted)))


def retrieve(memory: Memory, value: bytes) -> bytes:
    """RetrieveNotificationsList."""
    search = der.value(der.parts(value), 0xA0)
    found = der.parts(search) if search is not None else []
    if search is not None and (len(found) != 1 or found[0].tag not in (0x80, 0x81, 0x82)):
        raise WrongData
    if found and found[0].tag == 0x82:
        results = [one.raw for one in memory.notifications if one.event == PACKAGE]
        return tlv.encode(0xBF2B, tlv.encode(0xA2, *results))
    if found and found[0].tag == 0x80:
        number = tlv.read_integer(found[0].value)
        wanted = [one for one in memory.notifications if one.seq == number and one.event != PACKAGE]
    else:
        wanted = _of_events(memory, found[0].value if found else None)
    if not wanted:
        return tlv.encode(0xBF2B, der.integer(0x81, NO_RESULT))
    return tlv.encode(0xBF2B, tlv.encode(0xA0, *(one.raw for one in wanted)))


def remove(memory: Memory, value: bytes) -> bytes:
    """NotificationSent."""
    number = der.value(der.parts(value), 0x80)
    if number is None:
        raise WrongData
    wanted = [one for one in memory.notifications if one.seq == tlv.read_integer(number)]
    for one in wanted:
        memory.notifications.remove(one)
    memory.save()
    return tlv.encode(0xBF30, der.integer(0x80, OK if wanted else NOTHING_TO_DELETE))


def _of_events(memory: Memory, events: bytes | None) -> list[Notification]:
    wanted = 0xF0 if events is None else der.first_bits(events)
    return [one for one in memory.notifications if wanted & EVENTS.get(one.event, 0)]
