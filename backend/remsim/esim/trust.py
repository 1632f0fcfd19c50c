"""Which authorities may speak for servers of profiles: GSMA's, then those of the web, and a laboratory's where given.

SM-DP+ have certificates under GSMA's roots (SGP.22 §4.5.2.1), which no system knows; some operators use the web's.
Whether a name fits its certificate is checked always, and no version below TLS 1.2 is spoken.

For tests with foreign servers the environment adds to what is configured: ``REMSIM_ESIM_CA``, a file of authorities,
and ``REMSIM_ESIM_HOSTS``, places for names: ``host=ip:port,host2=ip:port``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from remsim.core.errors import InvalidInput
from remsim.core.small_dataclass import dataclass
from remsim.esim.refusals import trouble

if TYPE_CHECKING:
    from ssl import SSLContext

ROOTS = Path(__file__).with_name("ci_roots.pem")
PLACE = re.compile(r".+:[0-9]{1,5}")
CA_VARIABLE, HOSTS_VARIABLE = "REMSIM_ESIM_CA", "REMSIM_ESIM_HOSTS"


@dataclass(frozen=True, slots=True)
class Trust:
    """Authorities beside GSMA's and the web's: files of PEM from the settings, and PEM given for one request.

    ``may_be_local``: who gave the latter may have the router reach its own network.
    """

    ca_files: tuple[Path, ...] = ()
    lab_ca: str | None = None
    may_be_local: bool = True

    @property
    def is_lab(self) -> bool:
        """Whether a laboratory's servers are trusted, which may be in the router's own network."""
        return bool(self.files or (self.lab_ca and self.may_be_local))

    @property
    def files(self) -> tuple[Path, ...]:
        """Those of the settings and of the environment."""
        name = os.environ.get(CA_VARIABLE)
        return (*self.ca_files, Path(name)) if name else self.ca_files

    def context(self, *, with_system: bool) -> SSLContext:
        """For a client; ``with_system`` adds the authorities of the web."""
        import ssl  # late: it is large, and few look for a profile

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks names and certificates
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.hostname_checks_common_name = False
        try:
            context.load_verify_locations(ROOTS)
        except OSError as error:
            raise trouble("roots_missing", why=str(error)) from error
        for file in self.files:
            try:
                context.load_verify_locations(file)
            except OSError as error:
                raise trouble("lab_ca", why=f"{file}: {error.strerror or error}") from error
        if self.lab_ca is not None:
            try:
                context.load_verify_locations(cadata=self.lab_ca)
            except (OSError, ValueError, TypeError) as error:
                raise trouble("lab_ca") from error
        if self.files or self.lab_ca:  # what is given may be an authority below a root
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if with_system:
            context.load_default_certs()
        return context


def check_pem(text: str) -> None:
    """``InvalidInput`` when a text holds no certificate that could be trusted."""
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (OSError, ValueError, TypeError) as error:
        refused = trouble("lab_ca")
        raise InvalidInput(refused.message, field="lab_ca", code="lab_ca", hint=refused.hint) from error


def places(hosts: Mapping[str, str]) -> dict[str, str]:
    """Where names are that are elsewhere than their name says, from the environment, too: host → ``ip:port``."""
    found = read_places(os.environ.get(HOSTS_VARIABLE, "").split(","), HOSTS_VARIABLE)
    return found | {host.lower(): place for host, place in hosts.items()}


def read_places(pairs: Iterable[str], what: str) -> dict[str, str]:
    """The places of names, each ``host=ip:port``; ``InvalidInput`` says that ``what`` is not so."""
    found = {}
    for one in filter(str.strip, pairs):
        host, _, place = (part.strip() for part in one.partition("="))
        if not host or not PLACE.fullmatch(place):
            raise InvalidInput(f"{what}: {one.strip()[:60]!r} is not like host=127.0.0.1:8443")
        found[host.lower()] = place
    return found
