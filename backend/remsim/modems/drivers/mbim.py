"""A modem that is read by MBIM: the actions of mbimcli in the place of AT commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.modems.decode.mbimcli import decode_mbimcli
from remsim.modems.drivers.base import Driver

CELLS = "ms-query-base-stations-info"


class MbimDriver(Driver):
    """The fast actions tell registration and levels; the cell's own values need Microsoft's extensions."""

    setup_commands = ()
    identity_commands = ("query-device-caps",)
    sim_identity_commands = ("query-subscriber-ready-status",)
    fast_commands = ("query-registration-state", "query-signal-state")
    slow_commands = (
        *("query-subscriber-ready-status", CELLS, "query-packet-service-state"),
        *("query-radio-state", "query-pin-state", "ms-query-device-slot-mappings"),
    )
    pin_tries_command = "query-pin-state"
    of_the_cell = (CELLS,)

    def decode(self, command: str, reply: str) -> dict[str, Any]:
        return decode_mbimcli(command, reply)

    def reading_fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if values.get("sim_state") == "SIM PIN" and values.get("pin_lock"):
            values = {**values, "sim_state": values["pin_lock"]}
        return super().reading_fields(values)
