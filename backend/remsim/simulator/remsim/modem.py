"""The modem's side of a virtual client: a shell for commands in hex, or a modem that boots and authenticates."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from remsim.simulator.remsim.client import VirtualClient
from remsim.simulator.remsim.loop import Loop, Timer

BOOT_S, ANSWER_S, STATUS_S = 2.0, 10.0, 10.0
AUTHENTICATE = bytes.fromhex("0088008122" + "10" + "a5" * 16 + "10" + "a5" * 16)
"""In the 3G context; challenge and token are filler."""
STATUS = bytes.fromhex("80f2000016")
BOOT = [
    bytes.fromhex(text)
    for text in (
        "00a40004023f00",
        "00a40004022fe2",
        "00b000000a",
        "00a4040c10a0000000871002ffffffff8907090000",
        "00a40004026f07",
        "00b0000009",
        "00a40004026f38",
        "8010000004ffffffff",
    )
]
IN_RESET, RUNNING = (True, True, True, True), (False, True, True, True)


class ShellFront:
    """What osmo-remsim-client-shell has: commands in hex from stdin, answers to stdout."""

    def __init__(self, client: VirtualClient, write: Callable[[str], None]) -> None:
        self._client = client
        self._write = write

    def insert(self) -> None:
        """Nothing to do by hand."""

    def remove(self) -> None:
        """Nothing to do by hand."""

    def set_atr(self, atr: bytes) -> None:
        """Show it."""
        self._write(f"SET_ATR: {atr.hex(' ')} ")

    def from_card(self, answer: bytes) -> None:
        """Show it."""
        self._write(f"R-APDU: {answer.hex(' ')} ")

    def take(self, line: str) -> None:
        """One line: ``RESET`` or a command; ``ValueError`` when it is not hex."""
        if line.upper() == "RESET":
            self._client.signal((True, False, False, True))
        elif line:
            self._client.to_card(bytes.fromhex(line))


class ModemFront:
    """A modem: boots with the card, asks its status now and then, and authenticates every ``authenticates_s``."""

    def __init__(self, loop: Loop, client: VirtualClient, authenticates_s: float) -> None:
        self._loop = loop
        self._client = client
        self._authenticates_s = authenticates_s
        self._timers: dict[str, Timer] = {}
        self._commands: Iterator[bytes] = iter(())
        self._class = 0

    def insert(self) -> None:
        """Boot in a while."""
        self._stop()
        self._later("boot", BOOT_S, self._boot)

    def remove(self) -> None:
        """No card any more."""
        self._stop()

    def set_atr(self, atr: bytes) -> None:
        """The next boot has it."""

    def from_card(self, answer: bytes) -> None:
        """Fetch what waits, or go on."""
        if len(answer) == 2 and answer[0] in (0x61, 0x9F):
            self._send(bytes((self._class & 0xF0, 0xC0, 0, 0, answer[1])))
        else:
            self._next()

    def _boot(self) -> None:
        self._client.signal(IN_RESET)
        self._client.signal(RUNNING)
        self._client.signal(RUNNING)
        self._do([*BOOT, AUTHENTICATE])
        self._later("status", STATUS_S, self._look)
        self._later("authenticate", self._authenticates_s, self._authenticate)

    def _look(self) -> None:
        self._later("status", STATUS_S, self._look)
        if "answer" not in self._timers:
            self._do([STATUS])

    def _authenticate(self) -> None:
        busy = "answer" in self._timers
        self._later("authenticate", 1.0 if busy else self._authenticates_s, self._authenticate)
        if not busy:
            self._do([AUTHENTICATE])

    def _do(self, commands: list[bytes]) -> None:
        self._commands = iter(commands)
        self._next()

    def _next(self) -> None:
        self._cancel("answer")
        command = next(self._commands, None)
        if command is not None:
            self._class = command[0]
            self._send(command)

    def _send(self, command: bytes) -> None:
        # A card that does not answer is left alone until it is inserted again.
        self._later("answer", ANSWER_S, self._stop)
        self._client.to_card(command)

    def _later(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        self._cancel(name)
        self._timers[name] = self._loop.pause(seconds, action)

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def _stop(self) -> None:
        for name in list(self._timers):
            self._cancel(name)
