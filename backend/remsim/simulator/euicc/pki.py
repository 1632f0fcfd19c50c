"""The test PKI: CI, EUM, eUICC and servers, made at run time as SGP.22 4.5 and SGP.26 describe them; and signatures.

Certificates name their role by a policy of the arc 2.23.146.1.2.1. Signatures are r and s, one behind the other, as
BSI TR-03111 has them. Nothing here is fit for anything but tests.
"""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from remsim.core.small_dataclass import dataclass

ROLES = {"ci": 0, "euicc": 1, "eum": 2, "dp_tls": 3, "dp_auth": 4, "dp_pb": 5, "ds_tls": 6, "ds_auth": 7}
"""Each role's place below 2.23.146.1.2.1 (id-rspRole)."""
ROLE_ARC = "2.23.146.1.2.1"
EID_PREFIX = "89049032"
"""The issuer whose EIDs SGP.26's test cards have."""
CURVE = ec.SECP256R1()
CURVES = {"secp256r1", "brainpoolP256r1"}
SIGNATURE_OCTETS = 64
YEARS = 20
DAY = datetime.timedelta(days=1)
Key = ec.EllipticCurvePrivateKey
Name = list[tuple[x509.ObjectIdentifier, str]]


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and the key that goes with it."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        """The certificate as it is sent."""
        return der_of(self.certificate)

    def sign(self, data: bytes) -> bytes:
        """64 octets over some data."""
        return sign(self.key, data)

    def save(self, certificate: Path, key: Path) -> None:
        """Write both as PEM, the key for the owner only."""
        certificate.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        key.touch(mode=0o600)
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@dataclass(frozen=True, slots=True)
class Server:
    """An SM-DP+ or, without ``binding``, an SM-DS."""

    host: str
    oid: str
    auth: Identity
    tls: Identity
    binding: Identity | None = None


def make_ci(name: str = "Test CI", curve: ec.EllipticCurve = CURVE) -> Identity:
    """A root, signed by itself."""
    key = ec.generate_private_key(curve)
    subject: Name = [(NameOID.COMMON_NAME, name), (NameOID.ORGANIZATION_NAME, "remsim simulation")]
    return Identity(_certificate(subject, key, None, "ci", _ca_extensions(None)), key)


def make_eum(ci: Identity, prefixes: tuple[str, ...] = (EID_PREFIX,), organization: str = "remsim EUM") -> Identity:
    """A manufacturer of eUICCs whose EIDs begin with one of the prefixes of eight digits."""
    key = ec.generate_private_key(ci.key.curve)
    limits = [
        x509.DirectoryName(_name([(NameOID.ORGANIZATION_NAME, organization), (NameOID.SERIAL_NUMBER, prefix)]))
        for prefix in prefixes
    ]
    extra = [(x509.NameConstraints(limits, None), True)]
    subject: Name = [(NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, "Test EUM")]
    extensions = [*_ca_extensions(0), _san_oid("2.999.5"), *extra]
    return Identity(_certificate(subject, key, ci, "eum", extensions), key)


def make_euicc(eum: Identity, eid: str) -> Identity:
    """One card; its organization is its maker's, for the maker's constraint is on both."""
    key = ec.generate_private_key(eum.key.curve)
    subject: Name = [
        (NameOID.ORGANIZATION_NAME, constrained(eum.certificate, NameOID.ORGANIZATION_NAME) or "remsim EUM"),
        (NameOID.SERIAL_NUMBER, eid),
        (NameOID.COMMON_NAME, "Test eUICC"),
    ]
    return Identity(_certificate(subject, key, eum, "euicc", [_signer()]), key)


def make_server(
    ci: Identity, role: str, host: str, oid: str, *, until: datetime.datetime | None = None
) -> Identity:
    """One of a server's certificates: ``dp_auth``, ``dp_pb``, ``dp_tls``, ``ds_auth`` or ``ds_tls``."""
    key = ec.generate_private_key(ci.key.curve)
    subject: Name = [(NameOID.ORGANIZATION_NAME, "remsim simulation"), (NameOID.COMMON_NAME, host)]
    names: list[x509.GeneralName] = [x509.RegisteredID(x509.ObjectIdentifier(oid))]
    extensions = [_signer()]
    if role.endswith("_tls"):
        names.insert(0, x509.DNSName(host))
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        extensions.append((x509.ExtendedKeyUsage(usages), True))
    extensions.append((x509.SubjectAlternativeName(names), False))
    return Identity(_certificate(subject, key, ci, role, extensions, until), key)


def make_smdp(ci: Identity, host: str, oid: str = "2.999.10") -> Server:
    """All three certificates of an SM-DP+."""
    auth, tls, binding = (make_server(ci, role, host, oid) for role in ("dp_auth", "dp_tls", "dp_pb"))
    return Server(host, oid, auth, tls, binding)


def make_smds(ci: Identity, host: str, oid: str = "2.999.15") -> Server:
    """Both certificates of an SM-DS."""
    return Server(host, oid, make_server(ci, "ds_auth", host, oid), make_server(ci, "ds_tls", host, oid))


def make_eid(number: int, prefix: str = EID_PREFIX) -> str:
    """An EID with its check digits: all 32 digits modulo 97 are 1 (SGP.29)."""
    digits = f"{prefix}{number:0{30 - len(prefix)}d}"
    return f"{digits}{98 - int(digits) * 100 % 97:02d}"


def sign(key: Key, data: bytes) -> bytes:
    """r and s of ECDSA with SHA-256, each of the curve's size: 32 octets."""
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size) + s.to_bytes(size)


def verify(certificate: x509.Certificate, signature: bytes, data: bytes) -> bool:
    """Whether a certificate's key signed some data."""
    key = certificate.public_key()
    return isinstance(key, ec.EllipticCurvePublicKey) and is_signed(key, signature, data)


def is_signed(key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> bool:
    """Whether a key signed some data."""
    if len(signature) != SIGNATURE_OCTETS:
        return False
    encoded = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    try:
        key.verify(encoded, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether a certificate bears the signature of another one's key."""
    key = issuer.public_key()
    try:
        digest = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return False
    if certificate.issuer != issuer.subject or not isinstance(key, ec.EllipticCurvePublicKey) or digest is None:
        return False
    try:
        key.verify(certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(digest))
    except InvalidSignature:
        return False
    return True


def has_role(certificate: x509.Certificate, role: str) -> bool:
    """Whether a certificate's policies name a role."""
    wanted = f"{ROLE_ARC}.{ROLES[role]}"
    try:
        policies = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        return False
    return any(policy.policy_identifier.dotted_string == wanted for policy in policies)


def key_id(certificate: x509.Certificate) -> bytes:
    """The subject key identifier; of a certificate without one, what it would be."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return hashlib.sha1(point_of(certificate), usedforsecurity=False).digest()


def issuer_key_id(certificate: x509.Certificate) -> bytes | None:
    """The authority key identifier."""
    try:
        return certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        return None


def registered_id(certificate: x509.Certificate) -> bytes | None:
    """The OID a server's certificate gives it, as the contents of an OBJECT IDENTIFIER."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    found = names.get_values_for_type(x509.RegisteredID)
    return oid_octets(found[0].dotted_string) if found else None


def constrained(eum: x509.Certificate, name: x509.ObjectIdentifier) -> str | None:
    """What a manufacturer's name constraint has for a part of its cards' names; else its own name's part."""
    try:
        limits = eum.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    except x509.ExtensionNotFound:
        limits = []
    names = [limit.value for limit in limits if isinstance(limit, x509.DirectoryName)]
    found = [str(part.value) for one in (*names, eum.subject) for part in one.get_attributes_for_oid(name)]
    return found[0] if found else None


def curve_of(certificate: x509.Certificate) -> str | None:
    """The curve of its key by name; None for a key that has none."""
    key = certificate.public_key()
    return key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else None


def may_sign(certificate: x509.Certificate) -> bool:
    """Whether its key is for signatures (key usage digitalSignature)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
    except x509.ExtensionNotFound:
        return False


def point_of(source: x509.Certificate | Key) -> bytes:
    """A public key as an uncompressed point: 65 octets."""
    key = source.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def shared_secret(own: Key, point: bytes) -> bytes:
    """Of ECKA with another's point; ``ValueError`` for one that is not on the curve."""
    return own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(own.curve, point))


def oid_octets(dotted: str) -> bytes:
    """The contents of an OBJECT IDENTIFIER: 2.999.10 is 88 37 0A."""
    first, second, *rest = map(int, dotted.split("."))
    return b"".join(map(_base128, (first * 40 + second, *rest)))


def der_of(certificate: x509.Certificate) -> bytes:
    """A certificate as DER."""
    return certificate.public_bytes(Encoding.DER)


def read_certificate(data: bytes) -> x509.Certificate:
    """From PEM or DER; ``ValueError`` for what is neither."""
    is_pem = b"-----BEGIN CERTIFICATE" in data
    return x509.load_pem_x509_certificate(data) if is_pem else x509.load_der_x509_certificate(data)


def read_key(data: bytes) -> Key:
    """From PEM without a passphrase; ``ValueError`` for what is no key of an elliptic curve."""
    key = load_pem_private_key(data, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the key is not one of an elliptic curve")
    return key


def load_identity(certificate: Path, key: Path) -> Identity:
    """A certificate and its key from files; ``ValueError`` when they do not belong together."""
    made = Identity(read_certificate(certificate.read_bytes()), read_key(key.read_bytes()))
    if point_of(made.certificate) != point_of(made.key):
        raise ValueError(f"{key.name} is not the key of {certificate.name}")
    return made


def _certificate(
    subject: Name,
    key: Key,
    issuer: Identity | None,
    role: str,
    extensions: list[tuple[x509.ExtensionType, bool]],
    until: datetime.datetime | None = None,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    until = until or now + YEARS * 365 * DAY
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    above = own if issuer is None else x509.SubjectKeyIdentifier(key_id(issuer.certificate))
    policy = x509.PolicyInformation(x509.ObjectIdentifier(f"{ROLE_ARC}.{ROLES[role]}"), None)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(subject) if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number() >> 32)
        .not_valid_before((min(now, until) - DAY).replace(tzinfo=None))
        .not_valid_after(until.replace(tzinfo=None))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above), critical=False)
        .add_extension(own, critical=False)
        .add_extension(x509.CertificatePolicies([policy]), critical=True)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key if issuer is None else issuer.key, hashes.SHA256())


def _name(parts: Name) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])


def _ca_extensions(path_length: int | None) -> list[tuple[x509.ExtensionType, bool]]:
    return [(x509.BasicConstraints(True, path_length), True), (_usage(is_ca=True), True)]


def _signer() -> tuple[x509.ExtensionType, bool]:
    return _usage(is_ca=False), True


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def _san_oid(dotted: str) -> tuple[x509.ExtensionType, bool]:
    return x509.SubjectAlternativeName([x509.RegisteredID(x509.ObjectIdentifier(dotted))]), False


def _base128(number: int) -> bytes:
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.insert(0, 0x80 | number & 0x7F)
    return bytes(octets)
