"""The system log: ``logread`` shows it, and sends it on where that is set up. Source: RFC 3164."""

from __future__ import annotations

import contextlib
import socket
import time

from remsim.alerts.notice import Notice
from remsim.config.channels import ChannelSettings
from remsim.outbound.way import Undelivered

SOCKET = "/dev/log"
FACILITY = {"user": 1, "daemon": 3} | {f"local{number}": 16 + number for number in range(8)}
LEVEL = {"info": 6, "warning": 4, "critical": 2}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONGEST = 1000


def send(channel: ChannelSettings, notice: Notice, *, path: str = SOCKET) -> None:
    """Write one line an alert."""
    local = time.localtime(notice.at)
    stamp = f"{MONTHS[local.tm_mon - 1]} {local.tm_mday:2d} {local.tm_hour:02d}:{local.tm_min:02d}:{local.tm_sec:02d}"
    try:
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as log:
            log.settimeout(2.0)
            log.connect(path)
            for alert, line in zip(notice.alerts, notice.lines, strict=True):
                level = LEVEL[alert["severity"]] if alert["state"] == "firing" else LEVEL["info"]
                text = f"<{FACILITY[channel.facility] * 8 + level}>{stamp} remsim: {line}"
                log.send(text.encode()[:LONGEST])
    except OSError as error:
        raise Undelivered(f"{path} does not take the message: {error.strerror or 'it does not answer'}") from error
