"""One POST over HTTP or HTTPS to an address that was looked at. Redirects are not followed: they lead anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from remsim.alerts.notice import ChannelTrouble
from remsim.alerts.reach import connect, over_tls, words_of
from remsim.config.channels import ChannelSettings

LARGEST_ANSWER = 4096


def post(channel: ChannelSettings, url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Send a body; anything but 2xx is ``ChannelTrouble``."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    sock = connect(host, port, allow_private=channel.allow_private)
    connection = HTTPConnection(host, port)
    connection.sock = over_tls(sock, host, verify=channel.verify_tls) if is_tls else sock
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # The port is named only when it is not the usual one, as clients do.
    usual = parts.port is None or parts.port == (443 if is_tls else 80)
    name = f"[{host}]" if ":" in host else host
    own = {"Host": name if usual else f"{name}:{port}", "User-Agent": "remsim", "Connection": "close"}
    try:
        connection.request("POST", path, body, {**own, **headers})
        answer = connection.getresponse()
        answer.read(LARGEST_ANSWER)
        status = answer.status
    except (OSError, HTTPException, ValueError) as error:
        raise ChannelTrouble(f"{host} did not take the message: {words_of(error)}") from error
    finally:
        connection.close()
    if 300 <= status < 400:
        raise ChannelTrouble(f"{host} answers with a redirect ({status}), which is not followed: use the final address")
    if not 200 <= status < 300:
        raise ChannelTrouble(f"{host} refuses the message with status {status}")
