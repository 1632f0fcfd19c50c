"""The AT interpreter behind one port: command lines in, framed answers out. No I/O here."""

from __future__ import annotations

import re

from remsim.simulator.answers import RESETS, Body, act, domain_stat, table
from remsim.simulator.encode import tgpp
from remsim.simulator.profiles import ModemState

LONGEST_LINE = 2048
CME_TEXT = {4: "operation not supported", 10: "SIM not inserted"}

PARTS = re.compile(r'(?:"[^"]*"|[^;"])+')
SETTING = re.compile(r"AT(\+CMEE|\+CREG|\+CGREG|\+CEREG|\+C5GREG)=([0-3])")
COPS_FORM = re.compile(r"AT\+COPS=3,([0-2])")
IGNORED = re.compile(r"AT(Z|&F|\+(CNMI|CGEREP|CTZR|CTZU|CMGF|CSCS|QSIMSTAT|QINDCFG)=.*)")
QUERY = re.compile(r"AT(\+CMEE)\?")


class Session:
    """One port of a modem from its boot on; a reset makes a new one, with echo on and errors without a cause."""

    def __init__(self, state: ModemState) -> None:
        self.echo = True
        self.settings: dict[str, int] = {}
        self._state = state
        self._answers = table(state)
        self._line = b""

    def feed(self, data: bytes) -> list[str]:
        """The command lines that ``data`` completes: each ends with CR, line feeds mean nothing."""
        *whole, self._line = (self._line + data.replace(b"\n", b"")).split(b"\r")
        self._line = self._line[-LONGEST_LINE:]
        return [line.decode("ascii", "replace").strip() for line in whole]

    def execute(self, line: str) -> str | None:
        """The framed answer to a command line, up to the member that fails; None for what is no command."""
        start = line.upper().find("AT")
        if start < 0:
            return None
        members = [part.strip() for part in PARTS.findall(line[start:])]
        text = ""
        for position, member in enumerate(members):
            body = self._one(upper(member if position == 0 else f"AT{member}"))
            if not isinstance(body, str):
                return text + f"\r\n{self._error(body)}\r\n"
            text += f"\r\n{body}\r\n" if body else ""
        return text + "\r\nOK\r\n"

    def is_reset(self, line: str) -> bool:
        """Whether this modem restarts upon the line."""
        return line.upper() in RESETS and line.upper() in self._answers

    def registration_urc(self) -> str | None:
        """The line a port that asked for it gets when the cell changes; MediaTek reports no 5G of its own."""
        state = self._state
        names = {"SA": ("+C5GREG",), "UMTS": ("+CGREG", "+CREG")}.get(state.scene.mode, ("+CEREG", "+CREG"))
        for name in names:
            level = self.settings.get(name, 0)
            if level and not (state.model.vendor == "fibocom" and name in ("+CGREG", "+C5GREG")):
                stat = domain_stat(state, name)
                if level == 1:
                    return f"{name}: {stat}"
                return tgpp.registration(name, None, stat, state.scene, act(state))
        return None

    def _one(self, command: str) -> Body:
        if command in ("AT", "ATE0", "ATE1", "ATE"):
            self.echo = command != "ATE0" if command != "AT" else self.echo
            return ""
        if match := SETTING.fullmatch(command):
            if match[1] == "+C5GREG" and f"AT{match[1]}?" not in self._answers:
                return None
            self.settings[match[1]] = int(match[2])
            return ""
        if match := COPS_FORM.fullmatch(command):
            self.settings["+COPS"] = int(match[1])
            return ""
        if match := QUERY.fullmatch(command):
            return f"{match[1]}: {self.settings.get(match[1], 0)}"
        answer = self._answers.get(command)
        if answer is not None:
            return answer(self._state, self.settings)
        return "" if IGNORED.fullmatch(command) else None

    def _error(self, code: int | None) -> str:
        """As AT+CMEE chose: without cause, by number, in words."""
        form = self.settings.get("+CMEE", 0)
        if code is None or form == 0:
            return "ERROR"
        return f"+CME ERROR: {code if form == 1 else CME_TEXT.get(code, 'unknown')}"


def upper(command: str) -> str:
    """Commands are not case-sensitive, their quoted arguments are."""
    return re.sub(r'"[^"]*"|[^"]+', lambda match: match[0] if match[0][0] == '"' else match[0].upper(), command)
