"""Activation codes: what a QR code or an operator's letter holds (SGP.22 §4.1), and links that carry one."""

from __future__ import annotations

import re
from dataclasses import field
from urllib.parse import unquote, urlsplit

from remsim.core.errors import InvalidInput
from remsim.core.small_dataclass import dataclass

LONGEST = 255
LONGEST_LINK = 2048
"""Percent signs make three characters of one, and links carry other parameters besides."""
SCHEME = "LPA:"
FORMAT = "1"
LINK_HOSTS = frozenset(("esimsetup.apple.com", "esimsetup.android.com"))
LINK_PARAMETER = "carddata"
LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
TOKEN = re.compile(r"[A-Za-z0-9-]*")
OID = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,38})){1,32}")
LONGEST_NAME = 253


@dataclass(frozen=True, slots=True)
class Activation:
    """A code in its parts. ``matching_id`` is a secret, empty where the order is found by the card's EID."""

    smdp_address: str
    matching_id: str = field(default="", repr=False)
    oid: str | None = None
    confirmation_code_required: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """The code written anew."""
        parts = [FORMAT, self.smdp_address, self.matching_id]
        if self.oid or self.confirmation_code_required:
            parts.append(self.oid or "")
        if self.confirmation_code_required:
            parts.append("1")
        return SCHEME + "$".join(parts)


def parse(text: str) -> Activation:
    """A code, with or without ``LPA:``, or a link with one in it.

    ``InvalidInput`` names the part that is wrong: ``code``, ``format``, ``smdp_address``, ``matching_id``, ``oid`` or
    ``confirmation_code_required``.
    """
    code = text.strip()
    if code[:8].lower().startswith(("https://", "http://")):
        code = of_link(code)
    elif code.partition("/")[0].lower() in LINK_HOSTS:
        code = of_link(f"https://{code}")
    if not code:
        raise InvalidInput("there is no code", field="code")
    if len(code) > LONGEST:
        raise InvalidInput(f"a code has up to {LONGEST} characters, this has {len(code)}", field="code")
    if code[: len(SCHEME)].upper() == SCHEME:
        code = code[len(SCHEME) :].lstrip()
    return of_parts(code.split("$"))


def of_parts(parts: list[str]) -> Activation:
    """What stands between the dollar signs; parts behind the fifth are for later versions."""
    if parts[0] != FORMAT:
        text = "it is of a format that this version does not know" if len(parts) > 1 else "this is no activation code"
        raise InvalidInput(f"{text}: it begins with LPA:{FORMAT}$", field="format" if len(parts) > 1 else "code")
    address, token, oid, flag = (*parts[1:5], "", "", "", "")[:4]
    check_address(address)
    if not TOKEN.fullmatch(token):
        text = "the second part of a code (the matching id) has letters, digits and hyphens only"
        raise InvalidInput(text, field="matching_id")
    if oid and not OID.fullmatch(oid):
        raise InvalidInput("the third part of a code (the OID) has numbers and dots only", field="oid")
    if flag not in ("", "1"):
        text = "the fourth part of a code is 1 when a confirmation code is needed, or empty"
        raise InvalidInput(text, field="confirmation_code_required")
    warnings = () if len(parts) > 2 else ("the code has no second dollar sign; it may have been cut short",)
    return Activation(address, token, oid or None, flag == "1", warnings)


def check_address(address: str, field: str = "smdp_address") -> None:
    """A full domain name, in laboratories with a port; ``InvalidInput`` when it is none."""
    if not address:
        raise InvalidInput("the code has no address of a server", field=field)
    host, colon, port = address.partition(":")
    labels = host.split(".")
    is_name = len(host) <= LONGEST_NAME and len(labels) > 1 and all(LABEL.fullmatch(one) for one in labels)
    if not is_name or labels[-1].isdigit():
        raise InvalidInput("the address of the server is not a full domain name like rsp.example.com", field=field)
    if colon and not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 1 << 16):
        raise InvalidInput("the port of the server is not a number from 1 to 65535", field=field)


def of_link(link: str) -> str:
    """The code in an install link; nothing is fetched."""
    if len(link) > LONGEST_LINK:
        raise InvalidInput("the link is too long for one with a code in it", field="code")
    try:
        parts = urlsplit(link)
        host = (parts.hostname or "").lower()
    except ValueError as error:
        raise InvalidInput("the link cannot be read", field="code") from error
    if host not in LINK_HOSTS:
        known = " and ".join(sorted(LINK_HOSTS))
        raise InvalidInput(f"this is a link, not a code; only links of {known} hold one", field="code")
    for pair in parts.query.split("&"):
        name, _, value = pair.partition("=")
        if unquote(name).lower() == LINK_PARAMETER:
            return unquote(value).strip()
    raise InvalidInput(f"the link has no {LINK_PARAMETER} with a code", field="code")
