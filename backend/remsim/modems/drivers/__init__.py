"""One module a vendor family; differences between its modules are data."""

from __future__ import annotations

from remsim.modems.drivers.base import Driver
from remsim.modems.drivers.fibocom import FibocomDriver
from remsim.modems.drivers.generic import GenericDriver
from remsim.modems.drivers.quectel import QuectelDriver
from remsim.modems.drivers.sierra import SierraDriver
from remsim.modems.drivers.thales import ThalesDriver

DRIVERS: dict[str, type[Driver]] = {
    driver.vendor: driver for driver in (GenericDriver, QuectelDriver, SierraDriver, FibocomDriver, ThalesDriver)
}


def driver_for(vendor: str | None, module: str, platform: str | None = None) -> Driver:
    """The driver of a vendor's modem; the generic one for a vendor we do not know."""
    return DRIVERS.get(vendor or "generic", GenericDriver)(module, platform)
