"""What stands behind the real qmicli and mbimcli in tests: a qmi-proxy and an MBIM function that answer from tables."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
import tty
from collections.abc import Mapping

SUCCESS = b"\x02\x04\x00\x00\x00\x00\x00"
NOT_SUPPORTED = b"\x02\x04\x00\x01\x00\x5e\x00"
CTL, DMS, NAS, UIM = 0, 2, 3, 11


def tlv(kind: int, form: str, *values: int | bytes) -> bytes:
    """One field of a QMI message, little endian."""
    body = struct.pack(f"<{form}", *values)
    return struct.pack("<BH", kind, len(body)) + body


class QmiProxy:
    """The socket that qmicli looks for. ``answers`` are the fields by service and message, without the result."""

    def __init__(self, answers: Mapping[tuple[int, int], bytes]) -> None:
        self.answers = dict(answers)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind("\0qmi-proxy")
        self._socket.listen()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        pending = b""
        while data := client.recv(4096):
            pending += data
            while len(pending) > 3 and len(pending) > (length := struct.unpack_from("<H", pending, 1)[0]):
                message, pending = pending[: length + 1], pending[length + 1 :]
                client.sendall(self._answer(message))

    def _answer(self, message: bytes) -> bytes:
        service, client = message[4:6]
        if service == CTL:
            number, kind = message[7], struct.unpack_from("<H", message, 8)[0]
            body = SUCCESS + {
                0x21: tlv(1, "BBHHBHHBHH", 3, DMS, 1, 14, NAS, 1, 25, UIM, 1, 42),
                0x22: tlv(1, "BB", message[15] if len(message) > 15 else 0, 7),
                0x23: tlv(1, "2s", message[15:17]) if len(message) > 16 else b"",
            }.get(kind, b"")
            payload = struct.pack("<BBHH", 1, number, kind, len(body)) + body
        else:
            number, kind = struct.unpack_from("<HH", message, 7)
            answer = self.answers.get((service, kind))
            body = NOT_SUPPORTED if answer is None else SUCCESS + answer
            payload = struct.pack("<BHHH", 2, number, kind, len(body)) + body
        return struct.pack("<BHBBB", 1, 5 + len(payload), 0x80, service, client) + payload


class MbimFunction:
    """An MBIM function on a pseudo terminal; ``answers`` by service and command, ``heard`` the types of messages."""

    OPEN, CLOSE, COMMAND = 1, 2, 3

    def __init__(self, answers: Mapping[tuple[bytes, int], bytes], *, is_opened: bool) -> None:
        self.answers = dict(answers)
        self.is_opened = is_opened
        self.heard: list[int] = []
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        os.write(self._stop_write, b"!")
        self._thread.join(5)
        for fd in (self._master, self._slave, self._stop_read, self._stop_write):
            os.close(fd)

    def _run(self) -> None:
        pending = b""
        while self._stop_read not in select.select([self._master, self._stop_read], [], [])[0]:
            pending += os.read(self._master, 4096)
            while len(pending) >= 12 and len(pending) >= (length := struct.unpack_from("<I", pending, 4)[0]):
                message, pending = pending[:length], pending[length:]
                os.write(self._master, self._answer(message))

    def _answer(self, message: bytes) -> bytes:
        kind, _, number = struct.unpack_from("<III", message)
        self.heard.append(kind)
        if kind == self.COMMAND and not self.is_opened:
            return struct.pack("<IIII", 0x80000004, 16, number, 5)  # function error: not opened
        if kind in (self.OPEN, self.CLOSE):
            self.is_opened = kind == self.OPEN
            return struct.pack("<IIII", 0x80000000 + kind, 16, number, 0)
        service, action = message[20:36], struct.unpack_from("<I", message, 36)[0]
        answer = self.answers.get((service, action))
        status, body = (9, b"") if answer is None else (0, answer)
        head = struct.pack("<II", 1, 0) + service + struct.pack("<III", action, status, len(body))
        return struct.pack("<III", 0x80000003, 12 + len(head) + len(body), number) + head + body
