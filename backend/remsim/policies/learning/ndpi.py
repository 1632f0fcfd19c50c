"""Applications of flows, by the library nDPI (libndpi), through ctypes.

Its structures are opaque and their sizes asked of the library; its calls and what they give back change between
versions all the same, so a version that is not known is refused. It reads what anybody sends with code in C: so it is
used in a process of its own (ndpi_process.py).
"""

from __future__ import annotations

import ctypes
from collections import OrderedDict
from typing import Any, NamedTuple

from remsim.core.errors import RemsimError
from remsim.policies.learning.packets import Packet, is_public, parse_packet

LIBRARIES = tuple(f"libndpi.so{end}" for end in (".4", ".4.10", ".4.8", ".4.6", ".4.4", ".4.2", ".5", ".6", ""))
"""Those of later versions are looked for so that it can be said why they are not used."""
PACKAGE = "libndpi"
BITS = 512
"""Of the mask of protocols (NDPI_NUM_BITS)."""
WITHOUT_TOR_AND_GCRYPT = 1 | 2
MOST_FLOWS = 256
FLOW_S = 30.0
MOST_PACKETS = 12
"""Of a flow; what nDPI has not seen by then it does not see."""
CARRIERS = frozenset(("Unknown", "TLS", "HTTP", "QUIC", "DNS", "STUN", "DTLS", "IP_ICMP"))
"""What is no application: something else may still be found in it."""


class NoNdpi(RemsimError):
    """There is no nDPI that can be used."""

    code = "no_ndpi"
    http_status = 409


class _Protocol42(ctypes.Structure):
    _fields_ = (("master", ctypes.c_uint16), ("application", ctypes.c_uint16), ("category", ctypes.c_int))


class _Protocol44(ctypes.Structure):
    _fields_ = (*_Protocol42._fields_, ("user", ctypes.c_void_p))


class _Protocol46(ctypes.Structure):
    _fields_ = (
        ("master", ctypes.c_uint16),
        ("application", ctypes.c_uint16),
        ("by_address", ctypes.c_uint16),
        ("category", ctypes.c_int),
        ("user", ctypes.c_void_p),
    )


class _Form(NamedTuple):
    """How a version is called: what it gives back, whether it is told of directions, what it is started with."""

    protocol: type[ctypes.Structure]
    takes_direction: bool
    start: int


FORMS = {
    "4.2": _Form(_Protocol42, False, WITHOUT_TOR_AND_GCRYPT),
    "4.4": _Form(_Protocol44, False, WITHOUT_TOR_AND_GCRYPT),
    "4.6": _Form(_Protocol46, True, WITHOUT_TOR_AND_GCRYPT),
    "4.8": _Form(_Protocol46, True, WITHOUT_TOR_AND_GCRYPT),
    "4.10": _Form(_Protocol46, True, 0),
}
"""By version; each was tried. 4.10 is started with a pointer to what several modules share, none here."""


def library() -> tuple[ctypes.CDLL, str]:
    """The library and its version, which is one of FORMS; ``NoNdpi``."""
    for name in LIBRARIES:
        try:
            found = ctypes.CDLL(name)
            found.ndpi_revision.restype = ctypes.c_char_p
            revision = (found.ndpi_revision() or b"?").decode(errors="replace")
        except (OSError, AttributeError):
            continue
        version = ".".join(revision.split("-")[0].split(".")[:2])
        if version not in FORMS:
            raise NoNdpi(
                f"nDPI {revision} is here, and only {', '.join(FORMS)} can be used",
                hint="names and ports of applications are matched without it",
            )
        return found, version
    raise NoNdpi("nDPI is not installed", hint=f"install {PACKAGE}")


class _Flow:
    """One flow's state in the library, None once it is known; ``server`` is where its first packet went."""

    __slots__ = ("buffer", "count", "server", "since")

    def __init__(self, size: int, server: bytes, since: float) -> None:
        self.buffer: Any = ctypes.create_string_buffer(size)
        self.server = server
        self.since = since
        self.count = 0

    @property
    def is_done(self) -> bool:
        return self.buffer is None


class Ndpi:
    """One detection module; of one thread."""

    def __init__(self) -> None:
        found, version = library()
        form = FORMS[version]
        self._library: Any = found
        lib = self._library
        pointer = ctypes.c_void_p
        lib.ndpi_init_detection_module.restype = pointer
        lib.ndpi_init_detection_module.argtypes = [ctypes.c_size_t]
        lib.ndpi_set_protocol_detection_bitmask2.argtypes = [pointer, pointer]
        lib.ndpi_finalize_initialization.argtypes = [pointer]
        lib.ndpi_detection_get_sizeof_ndpi_flow_struct.restype = ctypes.c_uint32
        takes: list[Any] = [pointer, pointer, ctypes.c_char_p, ctypes.c_ushort, ctypes.c_uint64]
        self._more: tuple[None, ...] = (None,) if form.takes_direction else ()
        lib.ndpi_detection_process_packet.restype = form.protocol
        lib.ndpi_detection_process_packet.argtypes = [*takes, *(pointer for _ in self._more)]
        lib.ndpi_free_flow_data.argtypes = [pointer]
        lib.ndpi_get_proto_name.restype = ctypes.c_char_p
        lib.ndpi_get_proto_name.argtypes = [pointer, ctypes.c_uint16]
        lib.ndpi_exit_detection_module.argtypes = [pointer]
        self._module = lib.ndpi_init_detection_module(form.start)
        if not self._module:
            raise NoNdpi("nDPI could not be started")
        mask = ctypes.create_string_buffer(b"\xff" * (BITS // 8), BITS // 8)
        lib.ndpi_set_protocol_detection_bitmask2(self._module, mask)
        lib.ndpi_finalize_initialization(self._module)
        self._size = lib.ndpi_detection_get_sizeof_ndpi_flow_struct()
        self._flows: OrderedDict[tuple[object, ...], _Flow] = OrderedDict()

    def __len__(self) -> int:
        return len(self._flows)

    def close(self) -> None:
        """Let go of all flows and the module."""
        while self._flows:
            self._drop(next(iter(self._flows)))
        if self._module:
            self._library.ndpi_exit_detection_module(self._module)
            self._module = None

    def feed(self, raw: bytes, now: float) -> tuple[bytes, str] | None:
        """Take a packet from its IP header on; the server's address and nDPI's name of the application, once known."""
        packet = parse_packet(raw)
        flow = None if packet is None else self._flow(packet, now)
        if flow is None or flow.is_done:
            return None
        flow.count += 1
        found = self._library.ndpi_detection_process_packet(
            self._module, flow.buffer, raw, len(raw), int(now * 1000), *self._more
        )
        name = self._name(found.application) or self._name(found.master)
        if name is None and flow.count < MOST_PACKETS:
            return None
        self._library.ndpi_free_flow_data(flow.buffer)
        flow.buffer = None
        return None if name is None else (flow.server, name)

    def _name(self, protocol: int) -> str | None:
        if not protocol:
            return None
        name = (self._library.ndpi_get_proto_name(self._module, protocol) or b"").decode(errors="replace")
        return name if name and name not in CARRIERS else None

    def _flow(self, packet: Packet, now: float) -> _Flow | None:
        """The flow of a packet; None for the first packet of one that comes in."""
        key = (packet.protocol, *packet.flow)
        for one in (key, (packet.protocol, packet.destination, packet.port, packet.source, packet.source_port)):
            if one in self._flows:
                return self._flows[one]
        if not is_public(packet.destination):
            return None
        while self._flows:
            oldest = next(iter(self._flows))
            if len(self._flows) < MOST_FLOWS and self._flows[oldest].since > now - FLOW_S:
                break
            self._drop(oldest)
        flow = self._flows[key] = _Flow(self._size, packet.destination, now)
        return flow

    def _drop(self, key: tuple[object, ...]) -> None:
        flow = self._flows.pop(key)
        if not flow.is_done:
            self._library.ndpi_free_flow_data(flow.buffer)
