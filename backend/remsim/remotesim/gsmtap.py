"""Counts what a bankd sends by GSMTAP: sums over all of its slots, as nothing in there says of which slot it is.

A bankd on this router takes the port itself, and of two sockets the one bound last gets everything. So the listener
binds the exact address, and binds it anew when another socket has come to the port: after a start of the bankd.
Source: osmo-remsim 4b36651, libosmocore 1.14.2.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from pathlib import Path
from typing import Any

from remsim.core.clock import iso_utc
from remsim.remotesim.apdu import Judge, split
from remsim.remotesim.counts import Counts, read_file, shown, write_file

log = logging.getLogger(__name__)

PORT = 4729
LARGEST_DATAGRAM = 1024
VERSION, SIM, APDU = 2, 4, 0
LOOK_S, KEEP_S = 2.0, 10.0
STOP_WITHIN_S = 3.0
UDP_TABLE = Path("/proc/net/udp")


class GsmtapListener:
    """Listens at one address of this router in a thread, and keeps its counts in a file."""

    def __init__(self, address: str, file: Path, *, port: int = PORT, look_s: float = LOOK_S) -> None:
        self.address = address
        self._port = port
        self._look_s = look_s
        self._file = file
        kept = read_file(file)
        self._counts = Counts.of(kept) if kept.get("address") == address else Counts()
        self._kept = (self._counts.tpdu_tx, self._counts.undecodable)
        self._judge = Judge()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._socket: socket.socket | None = None
        self._others: frozenset[str] = frozenset()
        self._problem: str | None = None
        self._thread = threading.Thread(target=self._run, name="gsmtap", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and keep what was counted."""
        self._stopping.set()
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", (self.address, self._port))
        self._thread.join(STOP_WITHIN_S)

    def view(self) -> dict[str, Any]:
        """Address, whether it listens there and what was counted."""
        with self._lock:
            content = self._counts.as_dict()
        since = content["since"]
        counted = shown(content, None if since is None else iso_utc(since))
        del counted["apdu_seconds"]
        return {"address": self.address, "bound": self._socket is not None, "problem": self._problem, **counted}

    def _run(self) -> None:
        looks = 0
        while not self._stopping.is_set():
            self._look()
            self._listen()
            looks += 1
            if looks * self._look_s >= KEEP_S:
                looks = 0
                self._keep()
        self._keep()
        self._close()

    def _look(self) -> None:
        """Bind, and bind anew after whoever came to the port since."""
        try:
            others = sockets_at(self._port, UDP_TABLE.read_text()) - self._own()
        except OSError as error:
            others = self._others
            log.debug("%s: %s", UDP_TABLE, error)
        if self._socket is not None and others <= self._others:
            self._others = others
            return
        self._close()
        self._others = others
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self.address, self._port))
        except OSError as error:
            sock.close()
            problem = f"GSMTAP: {self.address} port {self._port}: {error.strerror}"
            if problem != self._problem:
                log.warning("%s", problem)
            self._problem = problem
            return
        self._socket, self._problem = sock, None

    def _listen(self) -> None:
        """Take what comes until it is time to look again."""
        if self._socket is None:
            self._stopping.wait(self._look_s)
            return
        until = time.monotonic() + self._look_s
        try:
            while not self._stopping.is_set() and (left := until - time.monotonic()) > 0:
                self._socket.settimeout(left)
                self._take(self._socket.recv(LARGEST_DATAGRAM))
        except TimeoutError:
            return
        except OSError as error:
            log.debug("GSMTAP: %s", error)
            self._close()

    def _take(self, datagram: bytes) -> None:
        joined = apdus_in(datagram)
        if joined is None:
            return
        pair = split(joined)
        with self._lock:
            if pair is None:
                self._counts.undecodable += 1
                return
            self._counts.tpdu_tx += 1
            self._counts.tpdu_rx += 1
            self._counts.judged(self._judge.exchange(*pair))

    def _keep(self) -> None:
        with self._lock:
            now = (self._counts.tpdu_tx, self._counts.undecodable)
            content = {**self._counts.as_dict(), "address": self.address}
        if now == self._kept:
            return
        try:
            write_file(self._file, content)
            self._kept = now
        except OSError as error:
            log.warning("%s cannot be written: %s", self._file, error.strerror)

    def _own(self) -> frozenset[str]:
        """The inode of our socket."""
        if self._socket is None:
            return frozenset()
        return frozenset((str(Path(f"/proc/self/fd/{self._socket.fileno()}").readlink())[len("socket:[") : -1],))

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def apdus_in(datagram: bytes) -> bytes | None:
    """The command and its answer in a datagram; None when it is another message of GSMTAP, or none."""
    if len(datagram) < 16 or datagram[0] != VERSION or datagram[2] != SIM or datagram[12] != APDU:
        return None
    head = datagram[1] * 4
    return datagram[head:] if 16 <= head <= len(datagram) else None


def sockets_at(port: int, table: str) -> frozenset[str]:
    """Inodes of the UDP sockets that are bound to a port, out of ``/proc/net/udp``."""
    found = set()
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) > 9 and words[1].endswith(f":{port:04X}"):
            found.add(words[9])
    return frozenset(found)
