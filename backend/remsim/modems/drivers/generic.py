"""Any modem that speaks 27.007."""

from __future__ import annotations

from remsim.modems.drivers.base import Driver


class GenericDriver(Driver):
    """The base's commands as they are."""

    vendor = "generic"
