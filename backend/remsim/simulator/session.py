"""The AT interpreter behind one port: command lines in, framed answers out. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Callable

from remsim.simulator.answers import table
from remsim.simulator.answers.base import Body, Final, arguments
from remsim.simulator.answers.common import act, domain_stat
from remsim.simulator.encode import tgpp
from remsim.simulator.encode.errors import CME_TEXT
from remsim.simulator.state import ModemState

LONGEST_LINE = 2048
SEND, CANCEL = "\x1a", "\x1b"

PARTS = re.compile(r'(?:"[^"]*"|[^;"])+')
SETTING = re.compile(r"AT(\+CMEE|\+CREG|\+CGREG|\+CEREG|\+C5GREG)=([0-3])")
COPS_FORM = re.compile(r"AT\+COPS=3,([0-2])")
IGNORED = re.compile(r"AT(Z|&F|\+(CGEREP|CTZR|CTZU|QINDCFG|QURCCFG|CSDH|CMMS)=.*)")
QUERY = re.compile(r"AT(\+CMEE)\?")
SET_FORM = re.compile(r"(AT[^=]*=)(?!\?)(.*)", re.DOTALL)


class Session:
    """One port of a modem from its boot on; a reset makes a new one, with echo on and errors without a cause."""

    def __init__(self, state: ModemState) -> None:
        self.echo = True
        self.settings: dict[str, int] = {}
        self._state = state
        self._table = table(state.model.name)
        self._line = b""
        self._prompted: Callable[[str], Body] | None = None

    @property
    def is_prompting(self) -> bool:
        """Whether the next bytes are a text behind ``> ``."""
        return self._prompted is not None

    def feed(self, data: bytes) -> list[str]:
        """The command lines that ``data`` completes: each ends with CR, line feeds mean nothing.

        Behind a prompt a text ends with Ctrl-Z or ESC, which stays at its end.
        """
        if self._prompted is not None:
            return self._feed_text(data)
        *whole, self._line = (self._line + data.replace(b"\n", b"")).split(b"\r")
        self._line = self._line[-LONGEST_LINE:]
        return [line.decode("ascii", "replace").strip() for line in whole]

    def _feed_text(self, data: bytes) -> list[str]:
        text = (self._line + data)[-LONGEST_LINE:]
        end = next((position for position, byte in enumerate(text) if byte in (0x1A, 0x1B)), None)
        if end is None:
            self._line = text
            return []
        self._line = b""
        return [text[: end + 1].decode("ascii", "replace")]

    def execute(self, line: str) -> str | None:
        """The framed answer to a command line, up to the member that fails; None for what is no command."""
        if self._prompted is not None and line.endswith((SEND, CANCEL)):
            return self._text(line)
        start = line.upper().find("AT")
        if start < 0:
            return None
        members = [part.strip() for part in PARTS.findall(line[start:])]
        text = ""
        for position, member in enumerate(members):
            body = self._one(upper(member if position == 0 else f"AT{member}"))
            if not isinstance(body, str):
                return text + self._ending(body)
            text += f"\r\n{body}\r\n" if body else ""
        return text + "\r\nOK\r\n"

    def take_delay_s(self) -> float:
        """How much later the last answer is to be given, because the card took its time; asked once."""
        late_s, self._state.answer_late_s = self._state.answer_late_s, 0.0
        return late_s

    def registration_urc(self) -> str | None:
        """The line a port that asked for it gets when the cell changes; MediaTek reports no 5G of its own."""
        state = self._state
        names = {"SA": ("+C5GREG",), "UMTS": ("+CGREG", "+CREG")}.get(state.scene.mode, ("+CEREG", "+CREG"))
        for name in names:
            level = self.settings.get(name, 0)
            if level and not (state.model.family == "fm350" and name in ("+CGREG", "+C5GREG")):
                stat = domain_stat(state, name)
                if level == 1:
                    return f"{name}: {stat}"
                return tgpp.registration(name, None, stat, state.scene, act(state))
        return None

    def _text(self, line: str) -> str:
        prompted, self._prompted = self._prompted, None
        assert prompted is not None
        if line.endswith(CANCEL):
            return "\r\nOK\r\n"
        body = prompted("".join(line[:-1].split()))
        if not isinstance(body, str):
            return self._ending(body)
        return f"\r\n{body}\r\n\r\nOK\r\n"

    def _one(self, command: str) -> Body:
        if command in ("AT", "ATE0", "ATE1", "ATE"):
            self.echo = command != "ATE0" if command != "AT" else self.echo
            return ""
        if match := SETTING.fullmatch(command):
            if match[1] == "+C5GREG" and f"AT{match[1]}?" not in self._table.whole:
                return None
            self.settings[match[1]] = int(match[2])
            return ""
        if match := COPS_FORM.fullmatch(command):
            self.settings["+COPS"] = int(match[1])
            return ""
        if match := QUERY.fullmatch(command):
            return f"{match[1]}: {self.settings.get(match[1], 0)}"
        answer = self._table.whole.get(command)
        if answer is not None:
            return answer(self._state, self.settings)
        if (match := SET_FORM.fullmatch(command)) and (setter := self._table.setters.get(match[1])):
            return setter(self._state, self.settings, arguments(match[2]))
        return "" if IGNORED.fullmatch(command) else None

    def _ending(self, body: int | Final | None) -> str:
        """What comes instead of OK."""
        if not isinstance(body, Final):
            return f"\r\n{self._error(body)}\r\n"
        if body.prompted is not None:
            self._prompted, self._line = body.prompted, b""
            return "\r\n> "
        return (f"\r\n{body.text}\r\n" if body.text else "") + (f"\r\n{body.line}\r\n" if body.line else "")

    def _error(self, code: int | None) -> str:
        """As AT+CMEE chose: without cause, by number, in words."""
        form = self.settings.get("+CMEE", 0)
        if code is None or form == 0:
            return "ERROR"
        return f"+CME ERROR: {code if form == 1 else CME_TEXT.get(code, 'unknown')}"


def upper(command: str) -> str:
    """Commands are not case-sensitive, their quoted arguments are."""
    return re.sub(r'"[^"]*"|[^"]+', lambda match: match[0] if match[0][0] == '"' else match[0].upper(), command)
