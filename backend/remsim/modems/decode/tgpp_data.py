"""Packet data contexts and their addresses (27.007 §10)."""

from __future__ import annotations

from remsim.modems.decode.text import Asked, Decoder, Record, Values, field, split_fields, to_int

AUTHENTICATION = {0: "none", 1: "pap", 2: "chap", 3: "pap_or_chap"}


def decode_cgpaddr(asked: Asked, record: Record) -> Values:
    """+CGPADDR: cid and its addresses; zeros mean none."""
    fields = split_fields(record.body)
    addresses = [address(text) for text in fields[1:]]
    return {
        "cid": to_int(field(fields, 0)),
        "ipv4": next((text for text in addresses if text and "." in text), None),
        "ipv6": next((text for text in addresses if text and ":" in text), None),
    }


def address(text: str) -> str | None:
    """An IP address in its usual notation; 3GPP prints IPv6 as 16 decimal numbers too."""
    import ipaddress  # late: half a megabyte, and addresses are read once for each appearance

    parts = text.split(".")
    try:
        if len(parts) in (16, 32):
            parsed = ipaddress.ip_address(bytes(int(part) for part in parts[:16]))
        else:
            parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if parsed.is_unspecified else str(parsed)


def decode_contexts(asked: Asked, record: Record) -> Values:
    """+CGACT, !SCACT: context and whether it is active."""
    fields = split_fields(record.body)
    cid, active = to_int(field(fields, 0)), to_int(field(fields, 1))
    return {"contexts": {} if cid is None else {str(cid): active}}


def decode_cgdcont(asked: Asked, record: Record) -> Values:
    """+CGDCONT: cid, type, APN."""
    fields = split_fields(record.body)
    cid = to_int(field(fields, 0))
    return {"apns": {} if cid is None else {str(cid): {"type": field(fields, 1), "apn": field(fields, 2)}}}


def decode_cgcontrdp(asked: Asked, record: Record) -> Values:
    """+CGCONTRDP: cid, bearer, APN, address (with its mask on some firmware), gateway, name servers."""
    fields = split_fields(record.body)
    cid = to_int(field(fields, 0))
    parts = (field(fields, 3) or "").split(".")
    own = ".".join(parts[:4] if len(parts) == 8 else parts[:16] if len(parts) == 32 else parts)
    servers = [parsed for text in fields[5:7] if (parsed := address(text))]
    context = {"apn": field(fields, 2), "address": address(own), "dns": servers}
    return {"pdn": {} if cid is None else {str(cid): context}}


def decode_cgauth(asked: Asked, record: Record) -> Values:
    """+CGAUTH: cid, protocol, user, password; the password is nobody's business and is left out."""
    fields = split_fields(record.body)
    cid, kind = to_int(field(fields, 0)), to_int(field(fields, 1))
    if cid is None:
        return {}
    name = None if kind is None else AUTHENTICATION.get(kind)
    return {"auth": {str(cid): {"type": name, "username": field(fields, 2)}}}


RECORDS: dict[str, Decoder] = {
    "+CGPADDR": decode_cgpaddr,
    "+CGACT": decode_contexts,
    "+CGDCONT": decode_cgdcont,
    "+CGCONTRDP": decode_cgcontrdp,
    "+CGAUTH": decode_cgauth,
}
