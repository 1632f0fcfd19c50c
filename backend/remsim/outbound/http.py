"""One POST over HTTP or HTTPS to an address that was looked at. Redirects are not followed: they lead anywhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from remsim.outbound.reach import TIMEOUT_S, connect, over_tls, words_of
from remsim.outbound.timed import TimedSocket
from remsim.outbound.way import Refused, Undelivered, Way, one_line

LARGEST_ANSWER = 4096
LARGEST_READ = 128 * 1024
"""With its head."""
LONGEST_RETRY_AFTER_S = 3600


def post(way: Way, url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Send a body; an answer other than 2xx is ``Refused``, none is ``Undelivered``."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    sock = connect(host, port, allow_private=way.allow_private)
    each_s = sock.gettimeout() or TIMEOUT_S  # for sending, and as much for the whole answer, however slowly it comes
    timed = TimedSocket(over_tls(sock, host, verify=way.verify_tls) if is_tls else sock)
    timed.allow(time.monotonic() + each_s, LARGEST_READ)
    connection = HTTPConnection(host, port)
    connection.sock = timed
    connection.auto_open = 0
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # The port is named only when it is not the usual one, as clients do.
    usual = parts.port is None or parts.port == (443 if is_tls else 80)
    name = f"[{host}]" if ":" in host else host
    own = {"Host": name if usual else f"{name}:{port}", "User-Agent": "remsim", "Connection": "close"}
    try:
        connection.request("POST", path, body, {**own, **headers})
        timed.allow(time.monotonic() + each_s, LARGEST_READ)
        answer = connection.getresponse()
        told = one_line(answer.read(LARGEST_ANSWER).decode("utf-8", "replace")).strip()
        status, later = answer.status, answer.headers.get("Retry-After", "")
    except (OSError, HTTPException, ValueError) as error:
        raise Undelivered(f"{host} did not take the message: {words_of(error)}") from error
    finally:
        connection.close()
    if 300 <= status < 400:
        text = f"{host} answers with a redirect ({status}), which is not followed: use the final address"
        raise Refused(text, status, told)
    if not 200 <= status < 300:
        wait_s = min(float(later), LONGEST_RETRY_AFTER_S) if later.isascii() and later.isdigit() else None
        raise Refused(f"{host} refuses the message with status {status}", status, told, wait_s)
