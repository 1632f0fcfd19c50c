"""A program that speaks lpac's stdio JSON as our child: its APDUs go to a virtual card, its requests into the net.

One JSON object a line comes from the program, and one goes back where an answer is due: ``apdu`` and ``http``. All else
(``lpa``, ``progress``, and what is no JSON) is for whoever started us.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from remsim.core.errors import RemsimError
from remsim.simulator.euicc.card import VirtualEuicc

TIMEOUT_S = 60.0
LARGEST_ANSWER = 16_000_000
BAD_GATEWAY = 502
"""What a program is told when there is no answer at all."""
ENVIRONMENT = {"LPAC_APDU": "stdio", "LPAC_HTTP": "stdio"}
Trace = Callable[[dict[str, Any]], None]


class Forwarder:
    """Sends requests on. ``hosts`` has ``ip:port`` for names that are elsewhere; the certificate's name is checked all
    the same. ``ca`` is a file of authorities instead of the system's."""

    def __init__(self, hosts: Mapping[str, str], ca: Path | None = None) -> None:
        self._hosts = hosts
        self._context = ssl.create_default_context(cafile=None if ca is None else str(ca))

    def post(self, url: str, headers: Sequence[str], body: bytes) -> tuple[int, bytes]:
        """Status and body; ``OSError``, ``ValueError`` and ``HTTPException`` when there is none."""
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.hostname is None:
            raise ValueError(f"{url!r:.80} is no address of https")
        pairs = dict(header.split(": ", 1) for header in headers)
        connection = _Connection(parts.hostname, parts.port or 443, self._hosts, self._context)
        try:
            connection.request("POST", parts.path or "/", body, pairs)
            answer = connection.getresponse()
            return answer.status, answer.read(LARGEST_ANSWER)
        finally:
            connection.close()


class _Connection(http.client.HTTPSConnection):
    """Connects to the place of a name."""

    def __init__(self, host: str, port: int, hosts: Mapping[str, str], context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=TIMEOUT_S, context=context)
        place = hosts.get(f"{host}:{port}") or hosts.get(host) or f"{host}:{port}"
        address, _, number = place.rpartition(":")
        self._place = (address, int(number))
        self._secure = context

    def connect(self) -> None:
        """To the place; the name is what is checked."""
        self.sock = self._secure.wrap_socket(
            socket.create_connection(self._place, TIMEOUT_S), server_hostname=self.host
        )


class Front:
    """Answers one message after the other. ``trace`` gets each APDU, each request and what came of it."""

    def __init__(self, card: VirtualEuicc, forwarder: Forwarder, trace: Trace = lambda told: None) -> None:
        self._card = card
        self._forwarder = forwarder
        self._trace = trace

    def answer(self, line: str) -> str | None:
        """The line to send back; None for what is not for us."""
        try:
            message = json.loads(line)
            kind, payload = message["type"], message["payload"]
            if kind == "apdu":
                answered = self._apdu(str(payload["func"]), payload.get("param"))
            elif kind == "http":
                answered = self._http(payload)
            else:
                return None
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        return json.dumps({"type": kind, "payload": answered})

    def _apdu(self, function: str, parameter: object) -> dict[str, Any]:
        card = self._card
        try:
            octets = bytes.fromhex(str(parameter or ""))
            if function in ("connect", "disconnect"):
                return {"ecode": 0}
            if function == "logic_channel_open":
                return {"ecode": card.open(octets)}
            if function == "logic_channel_close":
                card.close(int.from_bytes(octets))
                return {"ecode": 0}
            if function == "transmit":
                answer = card.transmit(octets)
                self._trace({"apdu": octets.hex().upper(), "answer": answer.hex().upper()})
                time.sleep(card.delay_s)
                return {"ecode": 0, "data": answer.hex()}
        except RemsimError as error:
            self._trace({"func": function, "error": error.message})
        return {"ecode": -1}

    def _http(self, payload: dict[str, Any]) -> dict[str, Any]:
        url, body = str(payload["url"]), bytes.fromhex(payload.get("tx") or "")
        try:
            status, answer = self._forwarder.post(url, list(payload.get("headers") or []), body)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._trace({"url": url, "error": str(error)})
            print(f"{url}: {error}", file=sys.stderr, flush=True)
            return {"rcode": BAD_GATEWAY, "rx": ""}
        self._trace({"url": url, "status": status, "sent": len(body), "received": len(answer)})
        return {"rcode": status, "rx": answer.hex()}


def serve(command: Sequence[str], front: Front, out: TextIO | None = None) -> int:
    """Start a program, answer it until it ends, and give its exit status; what it says to people goes to ``out``."""
    environment = {**os.environ, **ENVIRONMENT}
    pipe = subprocess.PIPE
    told = sys.stdout if out is None else out
    with subprocess.Popen(list(command), stdin=pipe, stdout=pipe, env=environment, text=True) as program:
        assert program.stdin is not None and program.stdout is not None
        try:
            for line in program.stdout:
                answer = front.answer(line)
                if answer is None:
                    told.write(line)
                    told.flush()
                else:
                    program.stdin.write(answer + "\n")
                    program.stdin.flush()
        except BrokenPipeError:
            pass  # it ended without waiting for its answer
        except BaseException:
            program.kill()
            raise
        return program.wait()
