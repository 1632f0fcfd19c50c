"""The card's side of a session with a server: challenge, authentication, preparation and cancelling (SGP.22 5.7)."""

from __future__ import annotations

import os

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from remsim.core import tlv
from remsim.core.small_dataclass import dataclass
from remsim.simulator.euicc import der, pki
from remsim.simulator.euicc.chip import Chip

CHALLENGE_OCTETS = 16
UNDEFINED = 127
CANCEL_REASONS = {0, 1, 2, 3, 4, 5, UNDEFINED}
WRONG_CANCEL_TRANSACTION = 5

INVALID_CERTIFICATE, INVALID_SIGNATURE, UNSUPPORTED_CURVE, NO_SESSION = 1, 2, 3, 4
INVALID_OID, WRONG_CHALLENGE, UNKNOWN_CI = 5, 6, 7
WRONG_TRANSACTION = 5


class WrongData(Exception):
    """A request is not built as the function wants it."""


class Refused(Exception):
    """The card does not go on; ``code`` is the function's own error."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


@dataclass(slots=True)
class Session:
    """A server whose signature was right. ``signature`` is euiccSignature1 with its tag.

    ``one_time_key`` and ``binding`` (the certificate packages are signed with) are there once a download is prepared.
    """

    transaction: bytes
    address: str
    root: x509.Certificate
    server: x509.Certificate
    smdp_oid: bytes
    signature: bytes
    is_smdp: bool
    one_time_key: ec.EllipticCurvePrivateKey | None = None
    binding: x509.Certificate | None = None


class Rsp:
    """One session at a time; a new challenge ends it."""

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self._challenge: bytes | None = None
        self._spare: ec.EllipticCurvePrivateKey | None = None
        self.session: Session | None = None

    def challenge(self) -> bytes:
        """GetEuiccChallenge."""
        self.session = None
        self._challenge = os.urandom(CHALLENGE_OCTETS)
        return tlv.encode(0xBF2E, tlv.encode(0x80, self._challenge))

    def forget(self) -> None:
        """Power was lost."""
        self.session = self._challenge = self._spare = None

    def authenticate(self, value: bytes) -> bytes:
        """AuthenticateServer."""
        found = der.parts(value)
        if [part.tag for part in found] != [0x30, 0x5F37, 0x04, 0x30, 0xA0]:
            raise WrongData
        signed, signature, wanted_root, certificate, context = found
        fields = der.parts(signed.value)
        try:
            session = self._authenticated(signed.raw, signature.value, wanted_root.value, certificate.raw, fields)
        except Refused as refused:
            return _refusal(0xBF38, der.value(fields, 0x80) or b"\0", refused.code)
        check_context(context)
        chip = self._chip
        answer = tlv.encode(
            0x30,
            tlv.encode(0x80, session.transaction),
            der.text(0x83, session.address),
            tlv.encode(0x84, der.value(fields, 0x84) or b""),
            chip.info2(),
            context.raw,
        )
        session.signature = chip.signature("authenticate", answer)
        self._challenge, self.session = None, session
        return tlv.encode(0xBF38, tlv.encode(0xA0, answer, session.signature, chip.certificates()))

    def prepare(self, value: bytes) -> bytes:
        """PrepareDownload; the confirmation code's hash goes back as it came, for the server to compare."""
        found = der.parts(value)
        tags = [part.tag for part in found]
        if tags not in ([0x30, 0x5F37, 0x30], [0x30, 0x5F37, 0x04, 0x30]):
            raise WrongData
        signed, signature = found[:2]
        code = found[2] if len(found) == 4 else None
        fields = der.parts(signed.value)
        transaction = der.value(fields, 0x80) or b"\0"
        try:
            key = self._prepared(signed.raw, signature, found[-1].raw, transaction, der.value(fields, 0x5F49))
        except Refused as refused:
            return _refusal(0xBF21, transaction, refused.code)
        answer = tlv.encode(
            0x30,
            tlv.encode(0x80, transaction),
            tlv.encode(0x5F49, pki.point_of(key)),
            b"" if code is None else code.raw,
        )
        own = self._chip.signature("prepare", answer + signature.raw)
        return tlv.encode(0xBF21, tlv.encode(0xA0, answer, own))

    def cancel(self, value: bytes) -> bytes:
        """CancelSession."""
        found = der.parts(value)
        transaction, reason = der.value(found, 0x80), der.value(found, 0x81)
        if transaction is None or reason is None:
            raise WrongData
        session = self.session
        if session is None or session.transaction != transaction:
            return tlv.encode(0xBF41, der.integer(0x81, WRONG_CANCEL_TRANSACTION))
        if tlv.read_integer(reason) not in CANCEL_REASONS:
            return tlv.encode(0xBF41, der.integer(0x81, UNDEFINED))
        self.session = None
        fields = (tlv.encode(0x80, transaction), tlv.encode(0x81, session.smdp_oid), tlv.encode(0x82, reason))
        signed = tlv.encode(0x30, *fields)
        return tlv.encode(0xBF41, tlv.encode(0xA0, signed, self._chip.signature("cancel", signed)))

    def bound(self, *, is_installed: bool) -> None:
        """A package was loaded or not: another needs a new session, which after a failure can be cancelled still."""
        if is_installed:
            self.session = self._spare = None
        elif self.session is not None:
            self.session.one_time_key = None

    def _authenticated(
        self, signed: bytes, signature: bytes, wanted_root: bytes, der_certificate: bytes, fields: list[der.Part]
    ) -> Session:
        root = self._chip.credentials.root(wanted_root)
        if root is None:
            raise Refused(UNKNOWN_CI)
        certificate = self._checked(der_certificate, root, "dp_auth", "ds_auth")
        if not pki.verify(certificate, signature, signed):
            raise Refused(INVALID_SIGNATURE)
        oid = pki.registered_id(certificate)
        if oid is None:
            raise Refused(INVALID_OID)
        if self._challenge is None:
            raise Refused(NO_SESSION)
        if der.value(fields, 0x81) != self._challenge:
            raise Refused(WRONG_CHALLENGE)
        transaction, address = der.value(fields, 0x80), der.value(fields, 0x83)
        if not transaction or len(transaction) > 16 or address is None or der.value(fields, 0x84) is None:
            raise Refused(UNDEFINED)
        is_smdp = pki.has_role(certificate, "dp_auth")
        return Session(transaction, address.decode(errors="replace"), root, certificate, oid, b"", is_smdp)

    def _prepared(
        self, signed: bytes, signature: der.Part, der_certificate: bytes, transaction: bytes, bound: bytes | None
    ) -> ec.EllipticCurvePrivateKey:
        session = self.session
        if session is None or not session.is_smdp:
            raise Refused(NO_SESSION)
        certificate = self._checked(der_certificate, session.root, "dp_pb")
        if pki.registered_id(certificate) != session.smdp_oid:
            raise Refused(INVALID_CERTIFICATE)
        if not pki.verify(certificate, signature.value, signed + session.signature):
            raise Refused(INVALID_SIGNATURE)
        if transaction != session.transaction:
            raise Refused(WRONG_TRANSACTION)
        key = self._spare
        if key is None or bound != pki.point_of(key):
            key = ec.generate_private_key(self._chip.credentials.euicc.key.curve)
        session.one_time_key = self._spare = key
        session.binding = certificate
        return key

    def _checked(self, octets: bytes, root: x509.Certificate, *roles: str) -> x509.Certificate:
        """A server's certificate. The card has no clock: whether it is out of date is not its business."""
        try:
            certificate = pki.read_certificate(octets)
            curve = pki.curve_of(certificate)
            is_good = (
                pki.is_issued_by(certificate, root)
                and pki.issuer_key_id(certificate) in (None, pki.key_id(root))
                and pki.may_sign(certificate)
                and any(pki.has_role(certificate, role) for role in roles)
            )
        except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
            raise Refused(INVALID_CERTIFICATE) from error
        if curve not in pki.CURVES or curve != pki.curve_of(root):
            raise Refused(UNSUPPORTED_CURVE)
        if not is_good:
            raise Refused(INVALID_CERTIFICATE)
        return certificate


def check_context(context: der.Part) -> None:
    """``WrongData`` unless ctxParams1 has what is mandatory: the device's TAC and capabilities."""
    device = der.value(der.parts(context.value), 0xA1)
    fields = der.parts(device) if device is not None else []
    if len(der.value(fields, 0x80) or b"") != 4 or der.first(fields, 0xA1) is None:
        raise WrongData


def _refusal(tag: int, transaction: bytes, code: int) -> bytes:
    return tlv.encode(tag, tlv.encode(0xA1, tlv.encode(0x80, transaction), der.integer(0x02, code)))
