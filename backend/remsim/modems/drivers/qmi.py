"""A modem that is read by QMI: the actions of qmicli in the place of AT commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.modems.decode.qmicli import decode_qmicli
from remsim.modems.drivers.base import Driver

CELLS, BANDS, CARRIERS = "nas-get-cell-location-info", "nas-get-rf-band-info", "nas-get-lte-cphy-ca-info"


class QmiDriver(Driver):
    """The fast actions tell registration and levels; where the cell is on the air is asked when it changes."""

    setup_commands = ()
    identity_commands = (
        *("dms-get-manufacturer", "dms-get-model", "dms-get-revision", "dms-get-ids"),
        "uim-get-slot-status",
    )
    sim_identity_commands = ("dms-uim-get-imsi", "dms-uim-get-iccid", "uim-get-slot-status")
    fast_commands = ("nas-get-serving-system", "nas-get-signal-info")
    slow_commands = (
        *("uim-get-card-status", CELLS, BANDS, CARRIERS),
        *("dms-get-operating-mode", "nas-get-system-info", "uim-get-slot-status"),
    )
    pin_tries_command = None  # the card's status has them
    of_the_cell = (CELLS, BANDS, CARRIERS)
    """What is not true any more once the cell has changed."""

    def decode(self, command: str, reply: str) -> dict[str, Any]:
        return decode_qmicli(command, reply)

    def reading_fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        fields = super().reading_fields(values)
        primary = values.get("pcc") or {}
        for name in ("band", "earfcn", "bw_dl_mhz", "pci"):
            if fields[name] is None and fields["rat"] == "LTE":
                fields[name] = primary.get(name)
        return fields
