"""Requests to an eUICC (SGP.22 §5.7): one function each, that gives the octets of its one object."""

from __future__ import annotations

from collections.abc import Iterable

from remsim.core.errors import InvalidInput
from remsim.core.tlv import encode, encode_integer

CONFIGURED_ADDRESSES, SET_DEFAULT_ADDRESS = 0xBF3C, 0xBF3F
CHALLENGE, INFO1, INFO2 = 0xBF2E, 0xBF20, 0xBF22
AUTHENTICATE_SERVER, PREPARE_DOWNLOAD, CANCEL_SESSION, PACKAGE = 0xBF38, 0xBF21, 0xBF41, 0xBF36
LIST_NOTIFICATION, RETRIEVE_NOTIFICATIONS, NOTIFICATION_SENT = 0xBF28, 0xBF2B, 0xBF30
PROFILES, ENABLE, DISABLE, DELETE, NICKNAME, MEMORY_RESET = 0xBF2D, 0xBF31, 0xBF32, 0xBF33, 0xBF29, 0xBF34
EID, RAT, CERTIFICATES, EIM_CONFIGURATION = 0xBF3E, 0xBF43, 0xBF56, 0xBF55

ICCID, AID, TAG_LIST = 0x5A, 0x4F, 0x5C
LONGEST_NICKNAME = 64
LONGEST_ADDRESS = 255
OPERATIONS = ("install", "enable", "disable", "delete")
"""What operators are told of, in the order of its bits."""
DETAILS = bytes.fromhex("5A4F9F70909192939495B6B7B899")
"""Every tag of a profile: without a list many cards leave out rules, owner and addresses."""
BRIEF = bytes.fromhex("5A4F9F7090919295B6B7B899")
"""Without the icon, which makes an answer long."""


def bits(numbers: Iterable[int]) -> bytes:
    """A list of named bits: unused bits first, no zeros at the end (X.690 §11.2.2)."""
    wanted = set(numbers)
    if not wanted:
        return b"\0"
    length = max(wanted) + 1
    octets = bytearray((length + 7) // 8)
    for number in wanted:
        octets[number // 8] |= 0x80 >> number % 8
    return bytes((-length % 8,)) + bytes(octets)


def configured_addresses() -> bytes:
    """ES10a.GetEuiccConfiguredAddresses."""
    return encode(CONFIGURED_ADDRESSES)


def set_default_address(address: str) -> bytes:
    """ES10a.SetDefaultDpAddress; an empty one takes it away."""
    octets = utf8(address, LONGEST_ADDRESS, "address")
    return encode(SET_DEFAULT_ADDRESS, encode(0x80, octets))


def challenge() -> bytes:
    """ES10b.GetEUICCChallenge."""
    return encode(CHALLENGE)


def info1() -> bytes:
    """ES10b.GetEUICCInfo, the short one."""
    return encode(INFO1)


def info2() -> bytes:
    """ES10b.GetEUICCInfo, the long one."""
    return encode(INFO2)


def eid() -> bytes:
    """ES10c.GetEID."""
    return encode(EID, encode(TAG_LIST, b"\x5a"))


def rat() -> bytes:
    """ES10b.GetRAT: which operators may make rules."""
    return encode(RAT)


def certificates() -> bytes:
    """ESep.GetCerts of SGP.32."""
    return encode(CERTIFICATES)


def eim_configuration() -> bytes:
    """ESep.GetEimConfigurationData of SGP.32."""
    return encode(EIM_CONFIGURATION)


def profiles(tags: bytes = b"") -> bytes:
    """ES10c.GetProfilesInfo of all profiles; with what the card thinks fit unless tags are given."""
    return encode(PROFILES, encode(TAG_LIST, tags)) if tags else encode(PROFILES)


def enable(identifier: bytes, refresh: bool) -> bytes:
    """ES10c.EnableProfile; the identifier is a whole object, 5A or 4F."""
    return encode(ENABLE, encode(0xA0, identifier), encode(0x81, boolean(refresh)))


def disable(identifier: bytes, refresh: bool) -> bytes:
    """ES10c.DisableProfile."""
    return encode(DISABLE, encode(0xA0, identifier), encode(0x81, boolean(refresh)))


def delete(identifier: bytes) -> bytes:
    """ES10c.DeleteProfile."""
    return encode(DELETE, identifier)


def nickname(iccid: bytes, text: str) -> bytes:
    """ES10c.SetNickname; ``iccid`` are the ten octets of its tag, an empty text takes the nickname away."""
    return encode(NICKNAME, encode(ICCID, iccid), encode(0x90, utf8(text, LONGEST_NICKNAME, "nickname")))


def memory_reset(*, operational: bool = False, test: bool = False, smdp: bool = False) -> bytes:
    """ES10c.eUICCMemoryReset of profiles of operators, of test profiles loaded later, of the default SM-DP+ address."""
    wanted = (number for number, is_wanted in enumerate((operational, test, smdp)) if is_wanted)
    return encode(MEMORY_RESET, encode(0x82, bits(wanted)))


def list_notifications(operation: str | None = None) -> bytes:
    """ES10b.ListNotification; of one operation only, if named."""
    return encode(LIST_NOTIFICATION, operation_filter(operation))


def retrieve_notifications(operation: str | None = None) -> bytes:
    """ES10b.RetrieveNotificationsList of all, or of one operation."""
    criterion = operation_filter(operation)
    return encode(RETRIEVE_NOTIFICATIONS, encode(0xA0, criterion) if criterion else b"")


def retrieve_notification(sequence: int) -> bytes:
    """ES10b.RetrieveNotificationsList of one."""
    return encode(RETRIEVE_NOTIFICATIONS, encode(0xA0, encode(0x80, number(sequence))))


def notification_sent(sequence: int) -> bytes:
    """ES10b.NotificationSent: the card may forget it."""
    return encode(NOTIFICATION_SENT, encode(0x80, number(sequence)))


def authenticate_server(signed: bytes, signature: bytes, key_id: bytes, certificate: bytes, context: bytes) -> bytes:
    """ES10b.AuthenticateServer: the four objects of the server as they came, and ours."""
    return encode(AUTHENTICATE_SERVER, signed, signature, key_id, certificate, context)


def context(matching_id: str, tac: bytes, imei: bytes | None) -> bytes:
    """ctxParams1: what is asked for, and by which device. Without a matching id its object is left out."""
    token = encode(0x80, matching_id.encode("utf-8")) if matching_id else b""
    device = encode(0xA1, encode(0x80, tac), encode(0xA1), b"" if imei is None else encode(0x82, imei))
    return encode(0xA0, token, device)


def prepare_download(signed: bytes, signature: bytes, code_hash: bytes | None, certificate: bytes) -> bytes:
    """ES10b.PrepareDownload: the objects of the server as they came, and the hash of the confirmation code."""
    hashed = b"" if code_hash is None else encode(0x04, code_hash)
    return encode(PREPARE_DOWNLOAD, signed, signature, hashed, certificate)


def cancel_session(transaction: bytes, reason: int) -> bytes:
    """ES10b.CancelSession."""
    return encode(CANCEL_SESSION, encode(0x80, transaction), encode(0x81, encode_integer(reason)))


def operation_filter(operation: str | None) -> bytes:
    """The object that names an operation; empty for all."""
    if operation is None:
        return b""
    if operation not in OPERATIONS:
        raise InvalidInput(f"an operation is one of {', '.join(OPERATIONS)}", field="operation")
    return encode(0x81, bits((OPERATIONS.index(operation),)))


def boolean(value: bool) -> bytes:
    """DER's one octet."""
    return b"\xff" if value else b"\0"


def number(value: int) -> bytes:
    """A sequence number."""
    if not 0 <= value < 1 << 63:
        raise InvalidInput("a sequence number is a whole number from 0 on", field="seq")
    return encode_integer(value)


def utf8(text: str, most: int, field: str) -> bytes:
    """A text of limited octets."""
    try:
        octets = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput("this is not text", field=field) from error
    if len(octets) > most:
        raise InvalidInput(f"it takes {len(octets)} octets, and {most} are allowed", field=field)
    return octets
