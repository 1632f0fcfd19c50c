"""SGP.32 on the card: eIMs it obeys, packages of theirs that are carried out, and results for them (SGP.32 2.11, 5.9).

Tags are those of the ASN.1 module SGP32Definitions of version 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from remsim.core import tlv
from remsim.simulator.euicc import der, pki
from remsim.simulator.euicc.chip import Chip
from remsim.simulator.euicc.es10c import OK, ProfileManager
from remsim.simulator.euicc.memory import Notification
from remsim.simulator.euicc.notifications import PACKAGE
from remsim.simulator.euicc.profiles import iccid_octets
from remsim.simulator.euicc.rsp import UNDEFINED, WrongData

NO_TOKEN = bytes.fromhex("840100")
"""What is signed where an eIM has no association token."""
LARGEST_COUNTER = 0x7FFFFF
MOST_EIMS = 4
INVALID_EID, REPLAY, COUNTER_OUT_OF_RANGE = 3, 4, 6
NO_MEMORY, UNSIGNED_DISALLOWED, UNKNOWN_CI = 1, 2, 3
EIM_NOT_FOUND, LAST_EIM = 1, 2
ROLLBACK_NOT_ALLOWED = 1
Function = Callable[[bytes], bytes]


class Done(NamedTuple):
    """One command's result, and whether the next is carried out."""

    result: bytes
    is_good: bool


class EimPart:
    """The functions a consumer's card has not."""

    def __init__(self, chip: Chip, manager: ProfileManager) -> None:
        self._chip = chip
        self._manager = manager

    def functions(self) -> dict[int, Function]:
        """By tag."""
        return {
            0xBF51: self._package,
            0xBF55: self._configurations,
            0xBF56: self._certificates,
            0xBF57: self._add_initial,
            0xBF58: self._roll_back,
        }

    def _configurations(self, value: bytes) -> bytes:
        """GetEimConfigurationData."""
        found = [tlv.encode(0x30, one) for one in self._chip.memory.eims]
        return tlv.encode(0xBF55, tlv.encode(0xA0, *found))

    def _certificates(self, value: bytes) -> bytes:
        """GetCerts, of the one CI there is."""
        wanted = der.value(der.parts(value), 0x04)
        if wanted is not None and wanted != pki.issuer_key_id(self._chip.credentials.eum):
            return tlv.encode(0xBF56, der.integer(0x81, 1))
        pair = (pki.der_of(self._chip.credentials.eum), self._chip.credentials.euicc.der)
        eum, euicc = (tlv.read_one(one).value for one in pair)
        return tlv.encode(0xBF56, tlv.encode(0xA0, tlv.encode(0xA5, eum), tlv.encode(0xA6, euicc)))

    def _add_initial(self, value: bytes) -> bytes:
        """AddInitialEim: without a signature, so for a card that has none yet."""
        listed = der.value(der.parts(value), 0xA0)
        found = der.parts(listed) if listed is not None else []
        if not found or any(one.tag != 0x30 for one in found):
            raise WrongData
        memory = self._chip.memory
        code = UNSIGNED_DISALLOWED if memory.eims else next(filter(None, map(self._fault_of, found)), OK)
        if code == OK and len(found) > MOST_EIMS:
            code = NO_MEMORY
        if code:
            return tlv.encode(0xBF57, der.integer(0x81, code))
        memory.eims += [one.value for one in found]
        memory.save()
        tokens = [der.value(der.parts(one.value), 0x84) for one in found]
        answers = (b"\x05\x00" if token is None else tlv.encode(0x84, token) for token in tokens)
        return tlv.encode(0xBF57, tlv.encode(0xA0, *answers))

    def _fault_of(self, eim: der.Part) -> int:
        """Why a configuration is not taken; 0 when it is."""
        fields = der.parts(eim.value)
        if not der.value(fields, 0x80) or key_of(fields) is None:
            return UNDEFINED
        root = der.value(fields, 0x88)
        if root is not None and self._chip.credentials.root(root) is None:
            return UNKNOWN_CI
        counter = der.value(fields, 0x83)
        return COUNTER_OUT_OF_RANGE if counter is not None and not _is_counter(tlv.read_integer(counter)) else OK

    def _roll_back(self, value: bytes) -> bytes:
        """ProfileRollback: back to the profile before the one an eIM enabled, if it allowed that."""
        memory = self._chip.memory
        aid, memory.fall_back = memory.fall_back, None
        before = None if aid is None else self._manager.by_aid(aid)
        if before is None:
            return tlv.encode(0xBF58, der.integer(0x02, ROLLBACK_NOT_ALLOWED))
        code = self._manager.enabled_by_eim(iccid_octets(before.iccid))
        memory.save()
        return tlv.encode(0xBF58, der.integer(0x02, code))

    def _package(self, value: bytes) -> bytes:
        """LoadEuiccPackage."""
        found = der.parts(value)
        if [one.tag for one in found] != [0x30, 0x5F37]:
            raise WrongData
        fields = der.parts(found[0].value)
        name, counter = der.value(fields, 0x80), der.value(fields, 0x81)
        commands = next((one for one in fields if one.tag in (0xA0, 0xA1)), None)
        if name is None or counter is None or commands is None:
            raise WrongData
        index = self._index(name)
        if index is None or not self._is_authentic(index, found[0].raw, found[1].value):
            return tlv.encode(0xBF51, tlv.encode(0xA2, tlv.encode(0x80, name)))
        code = self._refusal(index, der.value(fields, 0x5A), tlv.read_integer(counter))
        head = b"".join(one.raw for one in fields if one.tag in (0x80, 0x81, 0x82))
        if code:
            data = tlv.encode(0x30, head, der.integer(0x02, code))
            return tlv.encode(0xBF51, tlv.encode(0xA1, data, self._chip.signature("result", data)))
        self._change(index, 0x83, counter)
        return self._carried_out(head, self._address(index), der.parts(commands.value))

    def _carried_out(self, head: bytes, address: str, commands: list[der.Part]) -> bytes:
        """The signed results of a package's commands, which are kept until the eIM has them."""
        results = []
        for command in commands:
            done = self._command(command)
            results.append(done.result)
            if not done.is_good:
                break
        seq = self._chip.memory.next_seq()
        data = tlv.encode(0x30, head, der.integer(0x83, seq), tlv.encode(0x30, *results))
        answer = tlv.encode(0xBF51, tlv.encode(0xA0, data, self._chip.signature("result", data)))
        self._chip.queue(Notification(seq, PACKAGE, address, b"", answer))
        self._chip.memory.save()
        return answer

    def _command(self, command: der.Part) -> Done:
        """One of an eIM's commands: of profiles (psmo), or of eIMs (eco)."""
        fields = der.parts(command.value)
        iccid = der.value(fields, 0x5A) or b""
        manager, memory = self._manager, self._chip.memory
        if command.tag == 0xA3:
            before = memory.enabled
            code = manager.enabled_by_eim(iccid)
            if code == OK:
                is_allowed = der.first(fields, 0x05) is not None and before is not None
                memory.fall_back = before.aid if is_allowed and before is not None else None
            return _coded(0x83, code)
        if command.tag == 0xA4:
            return _coded(0x84, manager.disabled_by_eim(iccid))
        if command.tag == 0xA5:
            return _coded(0x85, manager.deleted_by_eim(iccid))
        if command.tag == 0xBF2D:
            return Done(manager.list_profiles(command.value), True)
        if command.tag == 0xA6:
            return Done(self._chip.rules_table(0xA6), True)
        if command.tag in (0xA8, 0xA9, 0xAA, 0xAB):
            return self._eim_command(command, fields)
        return Done(der.integer(0x02, 2), False)

    def _eim_command(self, command: der.Part, fields: list[der.Part]) -> Done:
        memory = self._chip.memory
        index = self._index(der.value(fields, 0x80) or b"")
        if command.tag == 0xAB:
            ids = [tlv.encode(0x30, tlv.encode(0x80, name)) for name in map(_name_of, memory.eims)]
            return Done(tlv.encode(0xAB, tlv.encode(0xA0, *ids)), True)
        if command.tag == 0xA8:
            code = self._fault_of(command) or (NO_MEMORY if len(memory.eims) >= MOST_EIMS else OK)
            if code == OK:
                memory.eims.append(command.value)
            return Done(tlv.encode(0xA8, der.integer(0x02, code)), code == OK)
        if index is None:
            return _coded(command.tag & 0x9F, EIM_NOT_FOUND)
        if command.tag == 0xA9:
            del memory.eims[index]
            return Done(der.integer(0x89, OK if memory.eims else LAST_EIM), True)
        for part in fields:
            self._change(index, part.tag, part.value)
        return _coded(0x8A, OK)

    def _index(self, name: bytes) -> int | None:
        """Where an eIM is in the list."""
        return next((at for at, one in enumerate(self._chip.memory.eims) if _name_of(one) == name), None)

    def _address(self, index: int) -> str:
        return (der.value(der.parts(self._chip.memory.eims[index]), 0x81) or b"").decode(errors="replace")

    def _change(self, index: int, tag: int, value: bytes) -> None:
        """Set a field of an eIM's configuration; fields stay in the order of their tags."""
        fields = [one for one in der.parts(self._chip.memory.eims[index]) if one.tag != tag]
        fields.append(der.Part(tag, value, tlv.encode(tag, value)))
        self._chip.memory.eims[index] = b"".join(one.raw for one in sorted(fields, key=lambda one: one.tag & 0x1F))

    def _is_authentic(self, index: int, signed: bytes, signature: bytes) -> bool:
        fields = der.parts(self._chip.memory.eims[index])
        key, token = key_of(fields), der.first(fields, 0x84)
        return key is not None and pki.is_signed(key, signature, signed + (NO_TOKEN if token is None else token.raw))

    def _refusal(self, index: int, eid: bytes | None, counter: int) -> int:
        """Why a package is not carried out, though it is its eIM's; 0 when it is."""
        if eid != self._chip.credentials.eid_octets:
            return INVALID_EID
        if not _is_counter(counter):
            return COUNTER_OUT_OF_RANGE
        last = der.value(der.parts(self._chip.memory.eims[index]), 0x83)
        return REPLAY if last is not None and counter <= tlv.read_integer(last) else OK


def key_of(fields: list[der.Part]) -> ec.EllipticCurvePublicKey | None:
    """An eIM's key, from what it is or from a certificate; None where there is none."""
    chosen = der.value(fields, 0xA5)
    found = der.parts(chosen) if chosen is not None else []
    if len(found) != 1 or found[0].tag not in (0xA0, 0xA1):
        return None
    octets = tlv.encode(0x30, found[0].value)
    try:
        key = load_der_public_key(octets) if found[0].tag == 0xA0 else pki.read_certificate(octets).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) else None


def _name_of(eim: bytes) -> bytes:
    return der.value(der.parts(eim), 0x80) or b""


def _is_counter(number: int) -> bool:
    return 0 <= number <= LARGEST_COUNTER


def _coded(tag: int, code: int) -> Done:
    return Done(der.integer(tag, code), code == OK)
