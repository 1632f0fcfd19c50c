"""The one way out: names are resolved and looked at before a connection is made to that very address.

Else somebody who may only name a receiver could reach through the router what he cannot reach himself: its own
services, or machines of the local network. A name that means another address the next time changes nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any

from remsim.outbound.way import Undelivered, one_line

if TYPE_CHECKING:
    from ssl import SSLSocket

TIMEOUT_S = 15.0
MOST_TRIED = 4
NAT64 = ip_network("64:ff9b::/96")
TRANSLATED = ip_network("::ffff:0:0:0/96")
CLOSED = tuple(map(ip_network, ("192.0.0.0/24", "64:ff9b:1::/48", "5f00::/16", "fec0::/10")))
"""Of a provider, a translator or a site: not every Python knows what IANA says of them."""
Resolve = Callable[..., list[Any]]


def connect(
    host: str, port: int, *, allow_private: bool, timeout_s: float = TIMEOUT_S, resolve: Resolve = socket.getaddrinfo
) -> socket.socket:
    """A connection to a host, or ``Undelivered``. Private addresses only where that is allowed."""
    try:
        found = resolve(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is no name"
        raise Undelivered(f"the name {host} could not be resolved: {why}") from error
    addresses = [one[4] for one in found if allow_private or (is_public(str(one[4][0])) and not is_own(one[4]))]
    if not addresses:
        raise Undelivered(
            f"{host} is this router, or in its local network, which it may not reach",
            hint="allow it in the settings, from LuCI",
            code="private_address",
        )
    trouble: OSError | None = None
    for address in addresses[:MOST_TRIED]:
        try:
            return socket.create_connection(address[:2], timeout_s)
        except OSError as error:
            trouble = error
    raise Undelivered(f"{host} port {port} cannot be reached: {words_of(trouble)}") from trouble


def is_public(text: str) -> bool:
    """Whether an address is of the public internet, whatever it is wrapped in."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inner = wrapped(address)
    if inner is not None:
        return is_public(str(inner))
    return address.is_global and not address.is_multicast and not any(address in network for network in CLOSED)


def is_own(address: tuple[Any, ...]) -> bool:
    """Whether an address is this router's, or IPv6's of a network it is in: such are public, and yet not for everybody.

    What the firewall keeps out from outside, the router itself would let through.
    """
    source = source_of(address)
    if source is None:
        return False
    target, here = (ip_address(text.partition("%")[0]) for text in (str(address[0]), source))
    if isinstance(target, IPv6Address) and wrapped(target) is None:
        return int(target) >> 64 == int(here) >> 64
    return target == here


def source_of(address: tuple[Any, ...]) -> str | None:
    """The own address that would be used to reach an address; None when there is no way. Sends nothing."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in str(address[0]) else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(address)
            return str(probe.getsockname()[0])
    except OSError:
        return None


def wrapped(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address within an IPv6 one that only carries it."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in NAT64 or address in TRANSLATED or int(address) >> 32 == 0:  # the last: IPv4-compatible, out of use
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def over_tls(sock: socket.socket, host: str, *, verify: bool) -> SSLSocket:
    """TLS on a connection, with the name that was asked for."""
    try:
        made: SSLSocket = tls_context(verify=verify).wrap_socket(sock, server_hostname=host)
        return made
    except OSError as error:
        sock.close()
        raise Undelivered(f"{host}: TLS failed: {words_of(error)}") from error


def tls_context(*, verify: bool) -> Any:
    """What is trusted: the router's certificates, or anything where a check is not wanted."""
    import ssl  # late: it is large, and most alerts are read on a page

    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def words_of(error: BaseException | None) -> str:
    """Why, in a few words."""
    if isinstance(error, TimeoutError):
        return "it does not answer"
    reason = getattr(error, "verify_message", None) or getattr(error, "reason", None)
    text = str(reason or getattr(error, "strerror", None) or error or type(error).__name__)
    return one_line(text)[:160]
