"""Who a virtual eUICC is: its EID, key and certificates, and the roots it trusts; made, or from a directory."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from remsim.core.errors import InvalidInput
from remsim.core.small_dataclass import dataclass
from remsim.simulator.euicc import pki

EID = re.compile(r"[0-9]{32}")
DEFAULT_EID = pki.make_eid(1)


@dataclass(frozen=True, slots=True)
class Credentials:
    """``roots`` are CI certificates servers may chain to; ``euicc`` signs, ``eum`` issued it, a root issued that."""

    eid: str
    roots: tuple[x509.Certificate, ...]
    eum: x509.Certificate
    euicc: pki.Identity

    @property
    def eid_octets(self) -> bytes:
        """As it is in tag 5A: not swapped."""
        return bytes.fromhex(self.eid)

    def root(self, key_id: bytes) -> x509.Certificate | None:
        """The root with a key id."""
        return next((root for root in self.roots if pki.key_id(root) == key_id), None)


def make(ci: pki.Identity, eid: str = DEFAULT_EID, eum: pki.Identity | None = None) -> Credentials:
    """A card of a simulation; its manufacturer is made with it unless there is one."""
    eum = eum or pki.make_eum(ci, (eid[:8],))
    return Credentials(eid, (ci.certificate,), eum.certificate, pki.make_euicc(eum, eid))


def from_directory(directory: Path, eid: str | None = None) -> Credentials:
    """From ``ci.pem`` or ``ci.der``, ``eum.der``, and ``euicc.der`` with ``euicc_key.pem`` or else ``eum_key.pem``.

    With the manufacturer's key a certificate is issued for ``eid``, for the one in the file ``eid``, or for an EID of
    the manufacturer's range. ``*.pem`` is taken for every ``*.der`` too. ``InvalidInput`` says what is wrong.
    """
    try:
        return _from_directory(directory, eid)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"the credentials in {directory} cannot be used: {error}", field="credentials") from error


def fill(directory: Path, eid: str = DEFAULT_EID) -> None:
    """Make a directory with a CI, a manufacturer and a card, with all keys: for other programs to issue theirs."""
    directory.mkdir(parents=True)
    ci = pki.make_ci()
    eum = pki.make_eum(ci, (_checked(eid)[:8],))
    for name, identity in (("ci", ci), ("eum", eum), ("euicc", pki.make_euicc(eum, eid))):
        identity.save(directory / f"{name}.pem", directory / f"{name}_key.pem")
        (directory / f"{name}.der").write_bytes(identity.der)


def _from_directory(directory: Path, eid: str | None) -> Credentials:
    ci, eum = _certificate(directory, "ci"), _certificate(directory, "eum")
    if not pki.is_issued_by(eum, ci):
        raise ValueError("the EUM's certificate is not issued by the CI")
    wanted = eid or _eid_file(directory)
    own_key = directory / "euicc_key.pem"
    if own_key.exists():
        euicc = pki.Identity(_certificate(directory, "euicc"), pki.read_key(own_key.read_bytes()))
        if pki.point_of(euicc.certificate) != pki.point_of(euicc.key):
            raise ValueError("euicc_key.pem is not the key of the eUICC's certificate")
    else:
        issuer = pki.Identity(eum, pki.read_key((directory / "eum_key.pem").read_bytes()))
        if pki.point_of(eum) != pki.point_of(issuer.key):
            raise ValueError("eum_key.pem is not the key of the EUM's certificate")
        prefix = pki.constrained(eum, NameOID.SERIAL_NUMBER) or pki.EID_PREFIX
        euicc = pki.make_euicc(issuer, _checked(wanted) if wanted else pki.make_eid(1, prefix))
    if not pki.is_issued_by(euicc.certificate, eum):
        raise ValueError("the eUICC's certificate is not issued by the EUM")
    named = euicc.certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    certified = _checked(str(named[0].value) if named else "")
    if wanted and wanted != certified:
        raise ValueError(f"the eUICC's certificate is for the EID {certified}")
    return Credentials(certified, (ci,), eum, euicc)


def _certificate(directory: Path, name: str) -> x509.Certificate:
    for ending in ("der", "pem"):
        path = directory / f"{name}.{ending}"
        if path.exists():
            return pki.read_certificate(path.read_bytes())
    raise ValueError(f"there is no {name}.der and no {name}.pem")


def _eid_file(directory: Path) -> str | None:
    path = directory / "eid"
    return path.read_text().strip() if path.exists() else None


def _checked(eid: str) -> str:
    if not EID.fullmatch(eid):
        raise ValueError(f"{eid!r:.40} is no EID of 32 digits")
    return eid
