"""Ways to a card that go through a modem's QMI or MBIM device."""

from __future__ import annotations

from collections.abc import Callable

from remsim.core.clock import Clock
from remsim.core.errors import ModemError, NotTaken
from remsim.modems.card import qmi
from remsim.modems.card.mbim import MbimWay
from remsim.modems.card.qmi import QmiWay
from remsim.modems.control_port import ControlChannel, is_installed
from remsim.modems.detect import ControlPort
from remsim.modems.modem import Modem

ControlWay = QmiWay | MbimWay
PROXY_QUESTION = "dms-get-manufacturer"


def control_ways(modem: Modem, port: ControlPort, clock: Clock) -> list[ControlWay]:
    """What this device can do with what is installed."""
    if port.protocol == "qmi":
        return [QmiWay(port.path, start_proxy=lambda: start_proxy(modem, port, clock))]
    if is_installed(port.protocol):
        return [MbimWay(lambda: opened(modem, port, clock))]
    return []


def cycle_card(modem: Modem, clock: Clock) -> None:
    """Have the modem read its card anew; ``NotTaken`` where its device cannot be told to."""
    port = modem.found.control_port
    if port is None or port.protocol != "qmi":
        raise NotTaken(f"{modem.id} is read by MBIM, which cannot have it read its card anew", hint="restart it")
    qmi.cycle(port.path, lambda: start_proxy(modem, port, clock), clock.sleep)


def opened(modem: Modem, port: ControlPort, clock: Clock) -> tuple[ControlChannel, Callable[[], None]]:
    """The session's channel where it is one to this device, else another; with what lets it go."""
    session = modem.session
    if session is not None and isinstance(session.channel, ControlChannel) and session.channel.path == port.path:
        return session.channel, lambda: None
    channel = ControlChannel(port, clock=clock, on_urc=lambda line: None)
    try:
        channel.open()
    except BaseException:
        channel.dispose()
        raise
    return channel, channel.dispose


def start_proxy(modem: Modem, port: ControlPort, clock: Clock) -> bool:
    """Have libqmi's proxy run, by asking something through it; False where libqmi is not installed."""
    if not is_installed(port.protocol):
        return False
    channel, done = opened(modem, port, clock)
    try:
        channel.query(PROXY_QUESTION)
    except ModemError:
        pass  # whether the proxy runs now is seen by whoever asked for it
    finally:
        done()
    return True
