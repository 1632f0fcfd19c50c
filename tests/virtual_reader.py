"""A real pcscd with a virtual reader (vpcd), and a card in it: the daemon's socket is in a name space of its own, so
that no other program of this machine sees the reader."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

DRIVER = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
CONFIG = 'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:0x{port:X}\nLIBPATH {driver}\nCHANNELID 0x{port:X}\n'
SOCKET = "/run/pcscd/pcscd.comm"
APART = f"mount -t tmpfs none /run && mkdir -p {Path(SOCKET).parent} && exec pcscd --foreground --config {{config}}"
ATR = bytes.fromhex("3B9F96801FC78031A073BE21136743200718000001A5")
ASK_ATR = 4
HERE = "127.0.0.1"
LOOKS_EVERY_S = 0.45


class VirtualReader:
    """``insert`` puts a card in: a function that answers commands, and one for a reset. ``socket_path`` is pcscd's."""

    def __init__(self, root: Path) -> None:
        self.port = free_ports()
        config = root / "reader.conf.d"
        config.mkdir()
        (config / "vpcd").write_text(CONFIG.format(port=self.port, driver=DRIVER))
        self.log = root / "pcscd.log"
        apart = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
        with self.log.open("w") as log:
            self._daemon = subprocess.Popen(
                [*apart, "sh", "-c", APART.format(config=config)], stdout=log, stderr=subprocess.STDOUT
            )
        self.socket_path = f"/proc/{self._daemon.pid}/root{SOCKET}"
        self._card: socket.socket | None = None
        wait_until(lambda: self._daemon.poll() is not None or os.path.exists(self.socket_path))
        assert self._daemon.poll() is None, self.log.read_text()

    def insert(self, transmit: Callable[[bytes], bytes], reset: Callable[[], None] = lambda: None) -> None:
        """Put a card in."""
        self._card = socket.create_connection((HERE, self.port))
        threading.Thread(target=serve, args=(self._card, transmit, reset), daemon=True).start()

    def remove(self) -> None:
        """Take it out, for long enough that pcscd notices even where a command of ours has failed before it."""
        card, self._card = self._card, None
        if card is not None:
            with contextlib.suppress(OSError):
                card.shutdown(socket.SHUT_RDWR)
            card.close()
            time.sleep(LOOKS_EVERY_S)

    def close(self) -> None:
        """End all."""
        self.remove()
        self._daemon.terminate()
        self._daemon.wait(10)


def serve(card: socket.socket, transmit: Callable[[bytes], bytes], reset: Callable[[], None]) -> None:
    """Answer the reader: two octets of length before each message, one octet alone is about power."""
    with contextlib.suppress(OSError, ValueError), card.makefile("rwb") as stream:
        while len(head := stream.read(2)) == 2:
            message = stream.read(struct.unpack(">H", head)[0])
            if message == bytes((ASK_ATR,)):
                answer = ATR
            elif len(message) == 1:
                reset()
                continue
            else:
                answer = transmit(message)
            stream.write(struct.pack(">H", len(answer)) + answer)
            stream.flush()


def free_ports() -> int:
    """A port that is free, with the next one: vpcd takes two."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind((HERE, 0))
            port = one.getsockname()[1]
            try:
                two.bind((HERE, port + 1))
            except (OSError, OverflowError):
                continue
            return port


def wait_until(is_so: Callable[[], object], within_s: float = 20.0) -> None:
    """Look till it is so."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
