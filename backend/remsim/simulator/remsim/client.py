"""A virtual osmo-remsim-client: two links, and a script that is told what happens as the real client tells it."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any, Protocol

from remsim.remotesim.rspro import Message
from remsim.simulator.remsim.bankd import NO_FLAGS
from remsim.simulator.remsim.link import VERSION, Dialler, identity
from remsim.simulator.remsim.loop import Loop
from remsim.simulator.remsim.scene import Slot
from remsim.simulator.remsim.server import bank_slot, client_slot

PASSED_ON = re.compile(
    r"USER|LOGNAME|HOME|LANG|LC_[A-Z]+|PATH|PWD|SHELL|TERM|TMPDIR|LD_LIBRARY_PATH|LD_PRELOAD|POSIXLY_CORRECT|HOSTALIASES"
    r"|TZ|TZDIR|TERMCAP|COLUMNS|LINES"
)
UNKNOWN = 0xFFFFFFFF
"""What stands for -1 in a script's environment."""
REAP_S = 1.0
Signals = tuple[bool, bool, bool, bool]
"""Reset active, VCC, CLK, card present."""


class Front(Protocol):
    """The side of the modem."""

    def insert(self) -> None:
        """A remote card is there: the modem is given it and reset."""

    def remove(self) -> None:
        """It is gone, and the modem is reset."""

    def set_atr(self, atr: bytes) -> None:
        """The ATR to give to the modem."""

    def from_card(self, answer: bytes) -> None:
        """A card's answer."""


class Log:
    """Lines on stderr as the real programs write them; ``categories`` is their ``-d``."""

    def __init__(self, categories: str | None) -> None:
        self._levels: dict[str, int] = {}
        for text in (categories or "").split(":"):
            name, _, level = text.partition(",")
            if name:
                self._levels[name] = int(level) if level.isdigit() else 1

    def __call__(self, category: str, level: str, text: str) -> None:
        """Write one line, if its category is not switched off."""
        least = self._levels.get(category, 99) if self._levels else 5
        if {"DEBUG": 1, "INFO": 3, "NOTICE": 5, "ERROR": 7}[level] >= least:
            sys.stderr.write(f"{category} {level} {text}\n")
            sys.stderr.flush()


class VirtualClient:
    """The client between a modem's side and the network's.

    ``script`` is called as the real one calls it: by a shell, one child an event, none waited for.
    """

    def __init__(
        self,
        loop: Loop,
        *,
        server: tuple[str, int],
        slot: Slot,
        script: str | None = None,
        keep_atr: bool = False,
        extra: Mapping[str, str] | None = None,
        log: Log | None = None,
    ) -> None:
        self.state = "INIT"
        self.slot = slot
        self.bank: Slot = (0, 0)
        self.front: Front | None = None
        self._loop = loop
        self._script = script
        self._keep_atr = keep_atr
        self._extra = dict(extra or {})
        self._log = log or Log("NONE")
        self._signals: Signals | None = None
        self._children = 0
        who = identity("client", socket.gethostname())
        hello = "connectClientReq", {"identity": who, "clientSlot": client_slot(slot)}
        self._server = Dialler(
            loop,
            hello=lambda: hello,
            answers_as="server",
            connected=self._server_connected,
            lost=lambda: None,
            received=self._ordered,
            told=self._told,
        )
        self._bankd = Dialler(
            loop,
            hello=lambda: hello,
            answers_as="bankd",
            connected=self._bankd_connected,
            lost=self._bankd_lost,
            received=self._from_bank,
            told=self._told,
        )
        self._server.establish(*server)

    def stop(self) -> None:
        """Hang up; as with the real one, no script hears of it."""
        self._server.disconnect()
        self._bankd.disconnect()

    def to_card(self, command: bytes) -> None:
        """A command of the modem's; without a bank it is lost."""
        if self.state == "OPERATIONAL":
            fields = {**self._slots(), "flags": NO_FLAGS, "data": command}
            self._bankd.send("tpduModemToCard", fields)

    def signal(self, signals: Signals) -> None:
        """What the modem does to its contacts. A script hears only of what did not change: the test is inverted."""
        if self.state != "OPERATIONAL":
            return
        names = ("resetActive", "vccPresent", "clkActive", "cardPresent")
        status = dict(zip(names, signals, strict=True))
        self._bankd.send("clientSlotStatusInd", {**self._slots(), "slotPhysStatus": status})
        if signals == self._signals:
            self._tell("event-modem-status")
        self._signals = signals

    def _slots(self) -> dict[str, Any]:
        return {"clientSlot": client_slot(self.slot), "bankSlot": bank_slot(self.bank)}

    # The server's side

    def _server_connected(self) -> None:
        if self.state == "INIT":
            self.state = "UNCONFIGURED"
            self._tell("event-server-connect")

    def _ordered(self, message: Message) -> None:
        if message.name == "resetStateReq":
            self._leave("UNCONFIGURED")
            self._bankd.disconnect()
            self._server.send("resetStateRes", {"result": "ok"})
        if message.name != "configClientBankReq" or self.state == "INIT":
            return
        there, slot = message.fields["bankd"], message.fields["bankSlot"]
        self._bankd.host, self._bankd.port = there["ip"], there["port"]
        self.bank = slot["bankId"], slot["slotNr"]
        if there["port"] == 0:
            self._leave("UNCONFIGURED")
            self._bankd.disconnect()
        else:
            self._leave("WAIT_BANKD")
            self._bankd.establish(there["ip"], there["port"])
        self._server.send("configClientBankRes", {"result": "ok"})
        self._tell("event-config-bankd")

    # The bank's side

    def _bankd_connected(self) -> None:
        if self.state != "WAIT_BANKD":
            return
        self.state = "OPERATIONAL"
        for cause in ("request-sim-remote", "request-card-insert", "request-modem-reset"):
            self._tell(cause)
        if self.front is not None:
            self.front.insert()
        self._tell("event-bankd-connect")

    def _bankd_lost(self) -> None:
        if self.state == "OPERATIONAL":
            self._leave("WAIT_BANKD")

    def _leave(self, state: str) -> None:
        if self.state == "OPERATIONAL":
            for cause in ("request-card-remove", "request-sim-local", "request-modem-reset"):
                self._tell(cause)
            if self.front is not None:
                self.front.remove()
        self.state = state

    def _from_bank(self, message: Message) -> None:
        if message.name == "setAtrReq":
            if self.front is not None and not self._keep_atr:
                self.front.set_atr(message.fields["atr"])
            self._bankd.send("setAtrRes", {"result": "ok"})
        elif message.name == "tpduCardToModem" and self.front is not None:
            self.front.from_card(message.fields["data"])

    # The script

    def _told(self, level: str, text: str) -> None:
        self._log("DRSPRO", level, f"rspro_client_fsm.c:0 {text}")

    def _environment(self, cause: str) -> dict[str, str]:
        vcc, rst, clk = (UNKNOWN,) * 3
        if self._signals is not None:
            rst, vcc, clk = (int(signal) for signal in self._signals[:3])
        ours = {
            "REMSIM_CLIENT_VERSION": VERSION,
            "REMSIM_SERVER_ADDR": f"{self._server.host}:{self._server.port}",
            "REMSIM_SERVER_STATE": self._server.state,
            "REMSIM_BANKD_ADDR": f"{self._bankd.host or '(null)'}:{self._bankd.port}",
            "REMSIM_BANKD_STATE": self._bankd.state,
            "REMSIM_CLIENT_SLOT": f"{self.slot[0]}:{self.slot[1]}",
            "REMSIM_BANKD_SLOT": f"{self.bank[0]}:{self.bank[1]}",
            "REMSIM_SIM_VCC": str(vcc),
            "REMSIM_SIM_RST": str(rst),
            "REMSIM_SIM_CLK": str(clk),
            "REMSIM_CAUSE": cause,
        }
        return {name: text for name, text in os.environ.items() if PASSED_ON.fullmatch(name)} | ours | self._extra

    def _tell(self, cause: str) -> None:
        self._log("DMAIN", "INFO", f"main_fsm.c:0 {cause}")
        if self._script is None:
            return
        command = ["/bin/sh", "-c", f"{self._script} {cause}"]
        default = [signal.SIGINT, signal.SIGTERM]
        os.posix_spawn(command[0], command, self._environment(cause), setsigdef=default)
        self._children += 1
        if self._children == 1:
            self._loop.after(REAP_S, self._reap)

    def _reap(self) -> None:
        """Bury the scripts that have ended."""
        try:
            while self._children and os.waitpid(-1, os.WNOHANG)[0]:
                self._children -= 1
        except ChildProcessError:
            self._children = 0
        if self._children:
            self._loop.after(REAP_S, self._reap)
