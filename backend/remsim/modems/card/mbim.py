"""The card by MBIM's low-level access (Microsoft's extension), asked by running ``mbimcli``, which lets an answer take
30 seconds at most."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable

from remsim.core.errors import AtFormatError, ModemError, NoApplication, WayFails
from remsim.modems.control_port import UNSUPPORTED, ControlChannel
from remsim.modems.reply import AtReply

OPEN_S = 30.0
CLOSE_S = 10.0
GROUP = 1
"""Names our channels, so that others' are not closed with them."""
NO_FCI = 12
"""P2 of SELECT: nothing is to come back. Some modems open no channel with another."""
ABSENT = (0x6A82, 0x6A86, 0x6999, 0x6A88)
UNKNOWN_CLASS = 0x6E00
CLASSES = ("inter-industry", "extended")
"""How the modem is to write the channel into the class octet. L850 and T99W175 take only the second."""
STORE_DATA, LAST = 0xE2, 0x80
SELECT_FAILED = "SelectFailed"
_FIELD = re.compile(r"^\s*(status|channel|response):[ \t]*(\S*)", re.MULTILINE)


class MbimChannel:
    """A channel of the modem, in its group."""

    def __init__(self, control: ControlChannel, number: int, done: Callable[[], None]) -> None:
        self.number: int | None = number
        self._control = control
        self._done = done
        self._class = CLASSES[0]
        self._is_proven = False

    def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
        """One command and its answer. The last block asks for one (Le 0): some modems drop it otherwise."""
        if apdu[1] == STORE_DATA and apdu[2] & LAST and len(apdu) == 5 + apdu[4]:
            apdu += b"\0"
        answer = self._sent(apdu, timeout_s)
        if not self._is_proven and int.from_bytes(answer[-2:]) == UNKNOWN_CLASS:
            self._class = CLASSES[1]
            answer = self._sent(apdu, timeout_s)
        self._is_proven = True
        return answer

    def _sent(self, apdu: bytes, timeout_s: float) -> bytes:
        wanted = f"channel={self.number},secure-message=none,classbyte-type={self._class},command={apdu.hex().upper()}"
        fields = fields_of(self._control.run("ms-set-uicc-apdu", wanted, timeout_s=timeout_s))
        try:
            return bytes.fromhex(fields.get("response", "").replace(":", "")) + status_octets(fields)
        except (ValueError, KeyError, OverflowError):
            raise AtFormatError("ms-set-uicc-apdu", f"{len(fields)} fields") from None

    def close(self) -> None:
        """Close it."""
        with contextlib.suppress(ModemError):
            wanted = f"channel={self.number},channel-group={GROUP}"
            self._control.run("ms-set-uicc-close-channel", wanted, timeout_s=CLOSE_S)
        self._done()


class MbimWay:
    """``control`` gives the modem's MBIM device with what lets it go again."""

    kind = "mbim"
    label = "MBIM"

    def __init__(self, control: Callable[[], tuple[ControlChannel, Callable[[], None]]]) -> None:
        self._control = control

    def open(self, aid: bytes) -> MbimChannel:
        """Have the modem select an application."""
        control, done = self._control()
        try:
            wanted = f"application-id={aid.hex().upper()},selectp2arg={NO_FCI},channel-group={GROUP}"
            fields = fields_of(control.run("ms-set-uicc-open-channel", wanted, timeout_s=OPEN_S))
            status = int.from_bytes(status_octets(fields))
            if status in ABSENT:
                raise NoApplication("the card has no such application")
            if status not in (0x0000, 0x9000) or not 0 < int(fields.get("channel", "0")) < 20:
                raise WayFails(f"the card opens no channel by MBIM ({status:04X})")
            return MbimChannel(control, int(fields["channel"]), done)
        except (ValueError, KeyError, OverflowError) as error:
            done()
            raise WayFails("mbimcli's answer is not understood") from error
        except BaseException:
            done()
            raise


def fields_of(reply: AtReply) -> dict[str, str]:
    """The fields that mbimcli shows; ``NoApplication`` or ``WayFails`` for what it says instead."""
    if reply.ok:
        return dict(_FIELD.findall("\n".join(reply.lines)))
    if reply.final == UNSUPPORTED:
        raise WayFails("modem or mbimcli have no access to the card's channels", hint="mbimcli is to be 1.26 or later")
    why = " ".join(reply.lines)
    if SELECT_FAILED in why:
        hint = "if it is an eSIM, restart the modem: some open no channel any more after a profile was loaded"
        absent = NoApplication("the modem finds no such application on the card (SelectFailed)", hint=hint)
        absent.is_certain = False
        raise absent
    raise WayFails(f"the modem refuses access to the card by MBIM: {why or 'it does not say why'}")


def status_octets(fields: dict[str, str]) -> bytes:
    """The status word, whose first octet is the lower one of the number."""
    return int(fields["status"]).to_bytes(2, "little")
