"""A bound profile package, each piece a request of its own, and what comes of it (SGP.22 2.5.6, 5.5, 5.7.6)."""

from __future__ import annotations

import hashlib

from remsim.core import tlv
from remsim.simulator.euicc import der, pki
from remsim.simulator.euicc.chip import Chip
from remsim.simulator.euicc.memory import Notification
from remsim.simulator.euicc.metadata import INCORRECT_VALUES, Failed, described
from remsim.simulator.euicc.profiles import CardProfile, iccid_octets, taken
from remsim.simulator.euicc.rsp import Rsp
from remsim.simulator.euicc.scp03t import KEY_LENGTH, KEY_TYPE, Keys, Opener, Scp03tError, derive_keys

INITIALISE, CONFIGURE, METADATA, REPLACE_KEYS, LOAD = 0, 1, 2, 4, 5
"""BppCommandId."""
COMMANDS = {0xA0: CONFIGURE, 0xA1: METADATA, 0xA2: REPLACE_KEYS, 0xA3: LOAD}
PIECES = {0xA0: 0x87, 0xA1: 0x88, 0xA2: 0x87, 0xA3: 0x86}
NEXT = {None: (0xA0,), 0xA0: (0xA1,), 0xA1: (0xA2, 0xA3), 0xA2: (0xA3,)}
ALONE = (0xA1, 0xA3)
"""Their tag and length come without a piece behind them."""

WRONG_SIGNATURE, WRONG_TRANSACTION, WRONG_CRT, WRONG_OPERATION = 2, 3, 4, 5
BAD_STRUCTURE, BAD_SECURITY, ICCID_EXISTS, NO_MEMORY, INTERRUPTED, MISMATCH, NOT_ALLOWED = 7, 8, 9, 10, 11, 13, 15
SIMA_OK = bytes.fromhex("3007A0053003800100")


class Loader:
    """One package. ``is_over`` once its result was given."""

    def __init__(self, chip: Chip, rsp: Rsp) -> None:
        self._chip = chip
        self._rsp = rsp
        session = rsp.session
        self._transaction = b"\0" if session is None else session.transaction
        self._address = "" if session is None else session.address
        self._oid = None if session is None else session.smdp_oid
        self._container: int | None = None
        self._command = INITIALISE
        self._left = 0
        self._opener: Opener | None = None
        self._plain = b""
        self._pieces = 0
        self._profile: CardProfile | None = None
        self.is_over = False

    def begin(self, request: bytes) -> bytes:
        """BF36 with the whole BF23 behind it."""
        try:
            _, at = tlv.read_tag(request, 0)
            _, at = tlv.read_length(request, at)
            inside = der.parts(request[at:])
            if [part.tag for part in inside] != [0xBF23]:
                raise Failed(BAD_STRUCTURE)
            self._note()
            self._initialise(der.parts(inside[0].value))
        except tlv.TlvError:
            return self._fail(BAD_STRUCTURE)
        except Failed as failed:
            return self._fail(failed.reason)
        return b""

    def feed(self, request: bytes) -> bytes:
        """A further piece; the result is not empty when it was the last, or wrong."""
        try:
            return self._feed(request)
        except Scp03tError as error:
            return self._fail(BAD_SECURITY if error.is_security else BAD_STRUCTURE)
        except tlv.TlvError:
            return self._fail(BAD_STRUCTURE)
        except Failed as failed:
            return self._fail(failed.reason)

    def _initialise(self, found: list[der.Part]) -> None:
        session = self._rsp.session
        if session is None or session.one_time_key is None or session.binding is None:
            raise Failed(WRONG_TRANSACTION)
        if [part.tag for part in found] != [0x82, 0x80, 0xA6, 0x5F49, 0x5F37]:
            raise Failed(BAD_STRUCTURE)
        operation, transaction, crt, point, signature = found
        own_point = tlv.encode(0x5F49, pki.point_of(session.one_time_key))
        if not pki.verify(session.binding, signature.value, b"".join(part.raw for part in found[:4]) + own_point):
            raise Failed(WRONG_SIGNATURE)
        if operation.value != b"\x01":
            raise Failed(WRONG_OPERATION)
        if transaction.value != session.transaction:
            raise Failed(WRONG_TRANSACTION)
        wanted = der.parts(crt.value)
        host_id = der.value(wanted, 0x84)
        kind = der.value(wanted, 0x80), der.value(wanted, 0x81)
        if kind != (bytes((KEY_TYPE,)), bytes((KEY_LENGTH,))) or not host_id or len(host_id) > 16:
            raise Failed(WRONG_CRT)
        try:
            secret = pki.shared_secret(session.one_time_key, point.value)
        except ValueError as error:
            raise Failed(INCORRECT_VALUES) from error
        self._opener = Opener(derive_keys(secret, host_id, self._chip.credentials.eid_octets))

    def _feed(self, request: bytes) -> bytes:
        if self._opener is None:
            raise Failed(BAD_STRUCTURE)
        if not self._left:
            request = self._enter(request)
            if self._container in ALONE:
                if request:
                    raise Failed(BAD_STRUCTURE)
                return b""
        assert self._container is not None
        found = der.parts(request)
        if not found:
            raise Failed(BAD_STRUCTURE)
        for part in found:
            self._left -= len(part.raw)
            if part.tag != PIECES[self._container] or self._left < 0:
                raise Failed(BAD_STRUCTURE)
            self._take(part.raw)
        return b"" if self._left else self._finish()

    def _enter(self, request: bytes) -> bytes:
        """The tag and length of the next container; what is behind them."""
        tag, at = tlv.read_tag(request, 0)
        if tag not in NEXT.get(self._container, ()):
            raise Failed(BAD_STRUCTURE)
        self._left, at = tlv.read_length(request, at)
        self._container, self._command, self._plain = tag, COMMANDS[tag], b""
        if not self._left:
            raise Failed(BAD_STRUCTURE)
        self._note()
        return request[at:]

    def _take(self, piece: bytes) -> None:
        assert self._opener is not None
        self._pieces += 1
        if self._pieces == self._chip.faults.mac_failure:
            self._chip.faults.mac_failure = None
            raise Failed(BAD_SECURITY)
        if self._container == 0xA1:
            self._plain += self._opener.check(piece)
        else:
            self._plain += self._opener.decipher(piece)
        if self._container == 0xA3 and len(self._plain) > self._chip.memory.free:
            raise Failed(NO_MEMORY)

    def _finish(self) -> bytes:
        """A container is whole."""
        if self._container == 0xA0:
            self._configure(tlv.read_one(self._plain))
        elif self._container == 0xA1:
            self._describe(tlv.read_one(self._plain))
        elif self._container == 0xA2:
            self._replace_keys(tlv.read_one(self._plain))
        else:
            return self._install()
        return b""

    def _configure(self, request: tlv.Tlv) -> None:
        if request.tag != 0xBF24:
            raise Failed(BAD_STRUCTURE)
        own = request.find(0xB8, 0x80)
        if own is not None and own.value != self._oid:
            raise Failed(INCORRECT_VALUES)

    def _replace_keys(self, request: tlv.Tlv) -> None:
        found = [one.value for one in request.children()]
        if request.tag != 0xBF26 or [one.tag for one in request.children()] != [0x80, 0x81, 0x82]:
            raise Failed(BAD_STRUCTURE)
        if any(len(one) != KEY_LENGTH for one in found):
            raise Failed(INCORRECT_VALUES)
        self._opener = Opener(Keys(*found))

    def _describe(self, request: tlv.Tlv) -> None:
        if request.tag != 0xBF25:
            raise Failed(BAD_STRUCTURE)
        profile = self._profile = described(der.parts(request.value))
        profile.smdp_oid = self._oid
        chip = self._chip
        if chip.faults.error_reason is not None:
            reason, chip.faults.error_reason = chip.faults.error_reason, None
            raise Failed(reason)
        if any(one.iccid == profile.iccid for one in chip.memory.profiles):
            raise Failed(ICCID_EXISTS)
        others = [one for one in chip.memory.profiles if one.profile_class == "operational"]
        is_late = "cannot_disable" in profile.policy and others
        if is_late or not chip.allows(profile.policy, profile.owner):
            raise Failed(NOT_ALLOWED)

    def _install(self) -> bytes:
        profile = self._profile
        assert profile is not None
        named = taken(self._plain)
        if not named.is_for(profile.iccid):
            raise Failed(MISMATCH)
        profile.size = len(self._plain)
        profile.package_sha256 = hashlib.sha256(self._plain).hexdigest()
        profile.imsi = named.imsi or ""
        profile.operator = profile.provider or None
        self._chip.memory.add(profile)
        done = tlv.encode(0xA0, tlv.encode(0x4F, profile.aid), tlv.encode(0x04, SIMA_OK))
        answer = self._result(done, is_installed=True)
        self._chip.notify("install", profile)
        self._chip.memory.save()
        return answer

    def _fail(self, reason: int) -> bytes:
        answer = self._result(failure(self._command, reason), is_installed=False)
        self._chip.memory.save()
        return answer

    def _note(self) -> None:
        """Keep what is loading, for the case that power is lost."""
        begun = {
            "transaction": self._transaction.hex(),
            "address": self._address,
            "oid": (self._oid or b"").hex(),
            "iccid": "" if self._profile is None else self._profile.iccid,
            "command": self._command,
        }
        self._chip.memory.loading = begun
        self._chip.memory.save()

    def _result(self, final: bytes, *, is_installed: bool) -> bytes:
        iccid = None if self._profile is None else iccid_octets(self._profile.iccid)
        self.is_over = True
        self._rsp.bound(is_installed=is_installed)
        return told(self._chip, self._transaction, self._address, self._oid or b"", iccid, final)


def told(chip: Chip, transaction: bytes, address: str, oid: bytes, iccid: bytes | None, final: bytes) -> bytes:
    """The signed result of an installation, which the operator is told as well."""
    seq, metadata = chip.numbered("install", address, iccid)
    named = tlv.encode(0x06, oid) if oid else b""
    data = tlv.encode(0xBF27, tlv.encode(0x80, transaction), metadata, named, tlv.encode(0xA2, final))
    answer = tlv.encode(0xBF37, data, chip.signature("result", data))
    chip.queue(Notification(seq, "install", address, metadata, answer))
    chip.memory.loading = None
    return answer


def failure(command: int, reason: int) -> bytes:
    """The final result of an installation that ended with an error."""
    return tlv.encode(0xA1, der.integer(0x80, command), der.integer(0x81, reason))


def resume(chip: Chip) -> None:
    """Power is back: a package that was loading when it went is gone, and its operator is to hear of that."""
    begun = chip.memory.loading
    if begun is None:
        return
    transaction, oid = bytes.fromhex(begun["transaction"]), bytes.fromhex(begun["oid"])
    iccid = iccid_octets(begun["iccid"]) if begun["iccid"] else None
    told(chip, transaction, begun["address"], oid, iccid, failure(begun["command"], INTERRUPTED))
    chip.memory.save()
