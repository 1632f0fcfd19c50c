"""Recording from a port that no service has open: who is behind it is asked of the bus and of the modem itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from remsim.core.clock import SystemClock
from remsim.core.errors import AtTimeout, ModemError
from remsim.modems.channel import Channel
from remsim.modems.decode import decode_reply
from remsim.modems.detect import scan
from remsim.modems.drivers import driver_for
from remsim.modems.drivers.base import Driver
from remsim.modems.record import record

HANDSHAKE_S = 2.0
TRIES = 3
MAKERS = {"quectel": "quectel", "sierra": "sierra", "fibocom": "fibocom", "thales": "thales", "cinterion": "thales",
          "gemalto": "thales"}  # fmt: skip
"""Vendors of drivers by a word of AT+CGMI."""


def record_port(
    port: str, *, keeps_cells: bool, sysfs_root: Path = Path("/sys"), dev_root: Path = Path("/dev")
) -> Iterator[dict[str, str]]:
    """The rows; ``PortBusy`` names who has the port open, ``ModemError`` says that nothing answers."""
    channel = Channel(port, clock=SystemClock(), on_urc=lambda line: None)
    channel.open()
    try:
        shake_hands(channel, port)
        driver, revision = driver_behind(channel, port, sysfs_root, dev_root)
        source = f"remsim modem record, firmware {revision or 'unknown'}"
        yield from record(
            driver, lambda command, s: channel.query(command, timeout_s=s), source=source, keeps_cells=keeps_cells
        )
    finally:
        channel.dispose()


def shake_hands(channel: Channel, port: str) -> None:
    """Wait a moment for an answer: not every tty has a modem's parser behind it."""
    for _ in range(TRIES):
        try:
            if channel.query("AT", timeout_s=HANDSHAKE_S).ok:
                return
        except AtTimeout:
            pass
    raise ModemError(f"nothing answers at {port}", hint="a modem has several ports; `remsim detect` tells which is AT")


def driver_behind(channel: Channel, port: str, sysfs_root: Path, dev_root: Path) -> tuple[Driver, str | None]:
    """The driver by the bus, or by what the modem calls its maker; and its firmware's revision."""
    row = next((found.row for found in scan(sysfs_root, dev_root) if port in found.at_ports), None)
    told: dict[str, str] = {}
    for command, name in (("AT+CGMI", "manufacturer"), ("AT+CGMM", "model"), ("AT+CGMR", "revision")):
        try:
            values = decode_reply("", "", "", command, channel.query(command, timeout_s=HANDSHAKE_S).text)
        except ModemError:
            continue
        if values.get(name):
            told[name] = str(values[name])
    maker = told.get("manufacturer", "").lower()
    vendor = row.vendor if row else next((one for word, one in MAKERS.items() if word in maker), "generic")
    model = told.get("model") or (row.module if row else "")
    return driver_for(vendor, model, row.platform if row else None), told.get("revision")
