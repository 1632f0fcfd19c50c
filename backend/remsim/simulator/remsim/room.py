"""What a simulated router has of osmo-remsim: a server, a bank with cards, programs to start as clients; faults."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import remsim
from remsim.core.errors import InvalidInput
from remsim.simulator.remsim.bankd import VirtualBankd
from remsim.simulator.remsim.card import VirtualCard
from remsim.simulator.remsim.loop import Loop
from remsim.simulator.remsim.rest import Rest
from remsim.simulator.remsim.scene import BANK_ID, CARDS, HOST, SERVER_NAME, SLOTS, SOMEBODY_ELSES
from remsim.simulator.remsim.server import VirtualServer

ANSWER_S, AUTHENTICATION_S = 0.02, 0.1
CLIENTS = ("osmo-remsim-client-st2", "osmo-remsim-client-shell", "osmo-remsim-client-openwrt")


class RemoteRoom:
    """Server and bank in the simulator's loop. Its clients are the service's to start, from ``programs``."""

    def __init__(self, loop: Loop, directory: Path) -> None:
        self._loop = loop
        self._server = VirtualServer(loop, HOST, 0)
        self._rest = Rest(loop, self._server, HOST, 0)
        cards = {
            card.bank[1]: VirtualCard(f"890010100000003{card.bank[1]:04d}", f"00101000000300{card.bank[1]}")
            for card in (*CARDS, SOMEBODY_ELSES)
        }
        self._bankd = VirtualBankd(
            loop,
            cards,
            bank_id=BANK_ID,
            slots=SLOTS,
            server=(HOST, self._server.port),
            host=HOST,
            port=0,
            name="simulated-bank",
            answer_s=ANSWER_S,
            authentication_s=AUTHENTICATION_S,
        )
        self._server.bank_port = self._bankd.port
        self._server.create(SOMEBODY_ELSES.bank, SOMEBODY_ELSES.client)
        self._folder = directory / "bin"
        self._write_programs()

    def configuration(self, places: Sequence[str]) -> str:
        """UCI: the server, and a client a card; the first ones have a modem each."""
        lines = [f"config remsim_server '{SERVER_NAME}'", f"\toption url 'http://{HOST}:{self._rest.port}'", ""]
        for number, (card, place) in enumerate(zip(CARDS, [*places, *[""] * len(CARDS)], strict=False), 1):
            lines += [
                f"config remote_client '{card.name}'",
                f"\toption client_id '{card.client[0]}'",
                f"\toption client_slot '{card.client[1]}'",
                "\toption program 'st2'",
                f"\toption server_host '{HOST}'",
                f"\toption server_port '{self._server.port}'",
                f"\toption usb_path '1-2.{number}'",
                *([f"\toption modem '{place}'"] if place else []),
                "",
            ]
        return "\n".join(lines)

    def fault(self, name: str, number: int | None, seconds: float | None) -> None:
        """Do a fault of ``control.REMOTE_FAULTS``: to the card of a modem by its number, from 0, or to all of them."""
        actions: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "server_lost": (self._stop_server, self._start_server),
            "bankd_lost": (self._stop_bankd, self._start_bankd),
            "server_nonsense": (lambda: self._say("html"), lambda: self._say(None)),
            "server_silent": (lambda: self._say("silent"), lambda: self._say(None)),
            "card_removed": (self._cards(number, "absent"), self._cards(number, "ok")),
            "authentication_failures": (self._cards(number, "auth_failure"), self._cards(number, "ok")),
            "server_restart": (self._restart_server, lambda: None),
            "bankd_link_lost": (self._bankd.lose_server, lambda: None),
            "server_back": (self._start_server, lambda: None),
            "bankd_back": (self._start_bankd, lambda: None),
            "card_inserted": (self._cards(number, "ok"), lambda: None),
            "remote_clear": (self._clear, lambda: None),
        }
        do, undo = actions[name]
        do()
        if seconds is not None:
            self._loop.after(seconds, undo)

    def set_pace(self, pace: float) -> None:
        """How long pauses are; clients that run keep theirs."""
        self._loop.pace = pace
        self._write_programs()

    def close(self) -> None:
        """End everything."""
        self._bankd.stop()
        self._stop_server()

    def _cards(self, number: int | None, mode: str) -> Callable[[], None]:
        if number is not None and number >= len(CARDS):
            raise InvalidInput("that modem has no remote SIM", field="modem")
        chosen = CARDS if number is None else (CARDS[number],)

        def turn() -> None:
            for one in chosen:
                self._bankd.cards[one.bank[1]].mode = mode

        return turn

    def _clear(self) -> None:
        self._start_server()
        self._start_bankd()
        self._say(None)
        self._cards(None, "ok")()

    def _say(self, fault: str | None) -> None:
        self._rest.fault = fault

    def _restart_server(self) -> None:
        self._stop_server()
        self._start_server()

    def _stop_server(self) -> None:
        self._rest.stop()
        self._server.stop()

    def _start_server(self) -> None:
        if not self._server.is_running:
            self._server.start()
            self._rest.start()

    def _stop_bankd(self) -> None:
        self._bankd.stop()

    def _start_bankd(self) -> None:
        if not self._bankd.is_running:
            self._bankd.start()

    def _write_programs(self) -> None:
        """Programs of the real names, that take the real ones' options."""
        self._folder.mkdir(exist_ok=True)
        package = shlex.quote(str(Path(remsim.__file__).parents[1]))
        for name in CLIENTS:
            start = f"PYTHONPATH={package} exec {shlex.quote(sys.executable)} -m remsim.simulator.remsim client"
            written = self._folder / f".{name}"
            written.write_text(f'#!/bin/sh\n{start} --program {name} --pace {self._loop.pace} "$@"\n')
            written.chmod(0o755)
            written.replace(self._folder / name)
