"""What a simulated router has of eSIM: the names of its servers, and codes to scan with what comes of each."""

from __future__ import annotations

import struct
import time
import zlib
from dataclasses import replace
from typing import Any

from remsim.core.small_dataclass import dataclass
from remsim.simulator.euicc.faults import KINDS, STEPS, Fault
from remsim.simulator.euicc.orders import MOST_WRONG_CODES, Offer, Order, Orders, hash_of

SMDP_OID = "2.999.10"
SMDS_OID = "2.999.15"
SMDP_HOST = "smdpplus.example.com"
SMDS_HOST = "smds.example.com"
ES2_HOST = "es2.smdpplus.example.com"
OTHER_EID = "89049032000000000000000000000097"
CONFIRMATION_CODE = "1234"

CERTIFICATES = {
    "wronghost.example.com": "wrong_host",
    "untrusted.example.com": "untrusted",
    "expired.example.com": "expired",
}
"""Hosts of the SM-DP+ whose TLS certificate is bad, and how: see ``tls.CERTIFICATES``."""
FAULTY_HOSTS = {
    f"{kind.replace('_', '')}.example.com": Fault(kind, "initiateAuthentication")
    for kind in ("cut", "http_500", "wrong_json", "empty", "redirect", "wrong_signature", "wrong_challenge")
}
"""Hosts of the SM-DP+ that do something wrong at the first step, where no order is known yet."""
DOWN_HOST = "down.example.com"
"""Its port refuses connections."""

OF_PROFILE = ("name", "icon", "policy", "size_bytes", "iccid", "imsi")
HUGE_BYTES, LARGE_BYTES = 8_000_000, 520_000
REFUSED_PLMN, FAR_PLMN = "99903", "99904"
"""Networks that refuse a card in the simulation, or are not found: see ``profiles.REFUSING_PLMNS``."""
CARRIED_ICCID = "8900101999000000137"
"""Of a profile that the virtual card has from the start."""
ICCID_BASE = "8900101999"
IMSI_BASE = "0010199900"


@dataclass(frozen=True, slots=True)
class Code:
    """One to scan: what comes of it, where it leads, and the order behind it, if there is one."""

    label: str
    matching_id: str
    order: Order | None = None
    host: str = SMDP_HOST
    says_code: bool = False

    @property
    def activation_code(self) -> str:
        """As in a QR code."""
        return f"LPA:1${self.host}${self.matching_id}" + ("$$1" if self.says_code else "")


def codes(smdp_host: str = SMDP_HOST) -> list[Code]:
    """Those of a simulation, each time with orders of their own. The good ones come first; the first waits at the SM-DS
    too, for any card."""
    return [replace(one, host=smdp_host) if one.host == SMDP_HOST else one for one in all_codes()]


def all_codes() -> list[Code]:
    """With the usual name of the SM-DP+."""
    made = [
        code(
            "Example Mobile, 5 GB for travel",
            1,
            "EXAMPLE-MOBILE-5GB",
            name="Travel 5 GB",
            icon=disc(200, 40, 60),
            smds_address=SMDS_HOST,
        ),
        code(
            "Example Mobile, asks for the confirmation code 1234",
            2,
            "EXAMPLE-MOBILE-1234",
            name="Travel 20 GB",
            code_hash=hash_of(CONFIRMATION_CODE),
            says_code=True,
        ),
        code(
            "asks for the confirmation code 1234, which the QR code does not say",
            3,
            "ASKS-LATER",
            code_hash=hash_of(CONFIRMATION_CODE),
        ),
        code("a profile that cannot be deleted", 4, "LOCKED", name="Locked", policy=frozenset({"cannot_delete"})),
        code(
            "a profile that must never be disabled, which no card takes beside others",
            16,
            "ALONE",
            policy=frozenset({"cannot_disable"}),
        ),
        code("a profile that the network refuses", 14, "DENIED", name="Refused", imsi=f"{REFUSED_PLMN}0000000014"),
        code("a profile whose network is not here", 15, "NO-NETWORK", name="Far", imsi=f"{FAR_PLMN}0000000015"),
        Code("a code that is unknown", "NO-SUCH-CODE"),
        code("a code that was used before", 5, "USED", state="installed"),
        code(
            "too many wrong confirmation codes",
            6,
            "BLOCKED",
            code_hash=hash_of(CONFIRMATION_CODE),
            wrong_codes=MOST_WRONG_CODES,
            state="error",
            says_code=True,
        ),
        code("a profile that is not released yet", 7, "NOT-RELEASED", state="confirmed"),
        code("a profile reserved for another eUICC", 8, "OTHER-EID", eid=OTHER_EID),
        code("an order that has expired", 9, "EXPIRED", expires_at=time.time() - 86400),
        code("a profile of 8 MB, for which no card has room", 10, "NO-MEMORY", size_bytes=HUGE_BYTES),
        code(
            "a profile that is larger than said: the card has no room in the end",
            17,
            "TOO-LARGE",
            size_bytes=LARGE_BYTES,
            fault=Fault("hides_size", STEPS[1]),
        ),
        code("a profile that cannot be bound to a card again", 11, "NO-REBIND", refusal=(STEPS[2], "8.2", "3.7")),
        code("no profile that suits the device", 12, "NOT-SUITED", refusal=(STEPS[1], "8.2.5", "4.3")),
        code("a profile that the card has already", 13, "DUPLICATE", iccid=CARRIED_ICCID),
    ]
    wrong = [
        ("the server's signature is wrong", "WRONG-SIGNATURE", Fault("wrong_signature", "authenticateClient")),
        ("the package's signature is wrong", "WRONG-PACKAGE", Fault("wrong_signature", "getBoundProfilePackage")),
        ("a package for another transaction", "WRONG-SESSION", Fault("wrong_transaction", "getBoundProfilePackage")),
        ("a package for another ICCID", "WRONG-ICCID", Fault("wrong_iccid", "getBoundProfilePackage")),
        ("the third piece of the package is tampered with", "WRONG-MAC", Fault("wrong_mac", STEPS[2], 2)),
        ("the connection is cut when the card is known", "CUT-CLIENT", Fault("cut", "authenticateClient")),
        ("the connection is cut instead of the package", "CUT-PACKAGE", Fault("cut", "getBoundProfilePackage")),
        ("the connection is cut in the package", "HALF-PACKAGE", Fault("half", "getBoundProfilePackage")),
        ("the package comes 3 s late", "SLOW-PACKAGE", Fault("slow", "getBoundProfilePackage")),
        ("status 500 and a web page", "STATUS-500", Fault("http_500", "authenticateClient")),
        ("a web page instead of JSON", "WEB-PAGE", Fault("html", "authenticateClient")),
        ("JSON without what it should hold", "WRONG-JSON", Fault("wrong_json", "authenticateClient")),
        ("JSON that ends in the middle", "NO-JSON", Fault("no_json", "getBoundProfilePackage")),
        ("status 204 instead of an answer", "EMPTY", Fault("empty", "authenticateClient")),
        ("sent to another address", "REDIRECT", Fault("redirect", "authenticateClient")),
        ("notifications are refused twice, then taken", "TOLD-LATE", Fault("http_500", "handleNotification", times=2)),
    ]
    made += [code(label, number, name, fault=fault) for number, (label, name, fault) in enumerate(wrong, 20)]
    words = {"wrong_host": "is of another host", "untrusted": "is under a root nobody trusts", "expired": "has expired"}
    made += [
        Code(f"the server's certificate {words[flaw]}", "EXAMPLE-MOBILE-5GB", host=host)
        for host, flaw in CERTIFICATES.items()
    ]
    made += [
        Code(f"the first answer: {KINDS[fault.kind]}", "EXAMPLE-MOBILE-5GB", host=host)
        for host, fault in FAULTY_HOSTS.items()
    ]
    made.append(Code("the server is down", "EXAMPLE-MOBILE-5GB", host=DOWN_HOST))
    return made


def code(label: str, number: int, matching_id: str, *, says_code: bool = False, **more: Any) -> Code:
    """A code with its order; what is of the profile goes there."""
    of_profile = {key: more.pop(key) for key in OF_PROFILE if key in more}
    offer = offered(number, **of_profile)
    return Code(label, matching_id, Order(offer, matching_id, is_reusable=True, **more), says_code=says_code)


def offered(number: int, *, name: str = "Travel", iccid: str = "", imsi: str = "", **more: Any) -> Offer:
    """One of the operator's profiles."""
    digits = iccid or with_check_digit(f"{ICCID_BASE}{number:08d}")
    subscriber = imsi or f"{IMSI_BASE}{number:05d}"
    return Offer(digits, subscriber, name, "Example Mobile", owner=subscriber[:5], **more)


def with_check_digit(digits: str) -> str:
    """Digits and their check digit (Luhn)."""
    doubled = [int(sign) * (2 - at % 2) for at, sign in enumerate(reversed(digits))]
    return f"{digits}{-sum(one // 10 + one % 10 for one in doubled) % 10}"


def stock() -> list[Offer]:
    """What an operator can order through ES2+: twenty of one type, one of another."""
    travel = [offered(1000 + number, profile_type="travel") for number in range(20)]
    return [*travel, offered(1100, name="Fleet", profile_type="fleet")]


def orders(made: list[Code]) -> Orders:
    """Those behind the codes, and the stock."""
    return Orders([one.order for one in made if one.order is not None], stock())


def disc(red: int, green: int, blue: int, size: int = 64) -> bytes:
    """An icon: a disc of a colour, as PNG."""
    middle, radius = (size - 1) / 2, size * 0.46
    rows = b""
    for row in range(size):
        bits = "".join("01"[(row - middle) ** 2 + (column - middle) ** 2 < radius**2] for column in range(size))
        rows += b"\0" + int(bits, 2).to_bytes(size // 8)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", size, size, 1, 3, 0, 0, 0)
    palette = bytes((255, 255, 255, red, green, blue))
    parts = (chunk(b"IHDR", header), chunk(b"PLTE", palette), chunk(b"tRNS", b"\0\xff"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
