"""Whether others can reach a remsim-server: it asks nobody for a log-in, and listens on all addresses of its machine.

Told is what can be known from here: by which interface the router reaches the server, and, of a server on this very
router, which networks could reach it. What a firewall closes is not known.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from remsim.core.small_dataclass import dataclass

HINT = (
    "let the firewall close ports 9997 and 9998 to everybody but the banks and clients, "
    "or reach the server through WireGuard"
)
UP = 0x1
LOOPBACK, NONE = 772, 65534
"""Of ARPHRD: types of interfaces."""


@dataclass(frozen=True, slots=True)
class Warn:
    """Something an admin should see: ``rest_public``, ``rest_lan`` or ``rest_here``."""

    code: str
    message: str
    hint: str

    def as_dict(self) -> dict[str, str]:
        """As in ``warnings`` of the API."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


def warnings_of(
    name: str, ours: str, theirs: str, *, sys_root: Path = Path("/sys"), proc_root: Path = Path("/proc")
) -> tuple[Warn, ...]:
    """What there is to warn of at a connection from the address ``ours`` to that of a server, ``theirs``."""
    here, there = (plain(address) for address in (ours, theirs))
    interfaces = interfaces_of(sys_root)
    if there == here or there.is_loopback:
        open_to = [one for one in interfaces if not is_closed(sys_root, one)]
        if not open_to or not listens_to_all(proc_root):
            return ()
        where = ", ".join(open_to)
        return (
            Warn(
                "rest_here",
                f"remsim-server {name} runs on this router, asks for no log-in and listens on all its addresses "
                f"({where}): who reaches it can take every SIM, unless the firewall closes it",
                HINT,
            ),
        )
    by = interface_with(here, proc_root)
    if by is not None and is_closed(sys_root, by):
        return ()
    if there.is_global:
        text = "is reached over the internet without a log-in or encryption: anybody there can take every SIM"
        return (Warn("rest_public", f"remsim-server {name} at {there} {text}", HINT),)
    through = f" through {by}" if by else ""
    text = f"is reached{through} without a log-in: whoever is in that network can take every SIM"
    return (Warn("rest_lan", f"remsim-server {name} at {there} {text}", HINT),)


def plain(text: str) -> IPv4Address | IPv6Address:
    """An address without a zone, and IPv4 as such."""
    address = ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def interfaces_of(sys_root: Path) -> list[str]:
    """Interfaces that are up; a bridge stands for what is in it."""
    found = []
    for directory in sorted((sys_root / "class/net").glob("*")):
        flags = read(directory / "flags")
        if flags.startswith("0x") and int(flags, 16) & UP and not (directory / "master").exists():
            found.append(directory.name)
    return found


def is_closed(sys_root: Path, interface: str) -> bool:
    """Whether an interface is the loopback or a tunnel (WireGuard, TUN, TAP), which asks who comes in."""
    directory = sys_root / "class/net" / interface
    if read(directory / "type") == str(LOOPBACK) or (directory / "tun_flags").exists():
        return True
    return "DEVTYPE=wireguard" in read(directory / "uevent").split()


def interface_with(address: IPv4Address | IPv6Address, proc_root: Path) -> str | None:
    """The interface that has an address of ours."""
    if isinstance(address, IPv6Address):
        for line in read(proc_root / "net/if_inet6").splitlines():
            if line.split()[0] == f"{int(address):032x}":
                return line.split()[-1]
        return None
    import fcntl  # late: there is no other way to an interface's IPv4 address without a program

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            try:
                told = fcntl.ioctl(probe, 0x8915, name.encode().ljust(40, b"\0"))  # SIOCGIFADDR
            except OSError:  # it has none
                continue
            if told[20:24] == address.packed:
                return name
    return None


def listens_to_all(proc_root: Path, port: int = 9997) -> bool:
    """Whether something on this machine listens on a port at all addresses; True where that cannot be read."""
    tables = [read(proc_root / "net" / name).splitlines()[1:] for name in ("tcp", "tcp6")]
    listening = [line.split()[1] for table in tables for line in table if line.split()[3:4] == ["0A"]]
    here = [address for address, _, number in (one.rpartition(":") for one in listening) if int(number, 16) == port]
    return not any(tables) or any(not address.strip("0") for address in here)


def read(path: Path) -> str:
    """A small file of the kernel's; nothing when it is not there."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
