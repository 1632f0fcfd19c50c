"""Servers that profiles are ordered at (ES2+): sections of type ``esim_orders`` of ``/etc/config/remsim_console``."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any

from remsim.config.alerting import told
from remsim.config.esim import HOST
from remsim.config.fields import LONGEST_TEXT, PATH, Options, SectionType
from remsim.core.forms import Flag, Text
from remsim.core.small_dataclass import dataclass

MOST_CONNECTORS = 8
OID = r"[0-9]+(\.[0-9]+)*"
TOLD_PATH = "is not an absolute path"


@dataclass(frozen=True, slots=True)
class EsimOrdersSettings:
    """One SM-DP+, and whom it knows us as: ``requester`` is our identifier there, an OID as a rule.

    ``certificate`` and ``key`` are files of PEM, which the server's operator gives; ``ca_file`` has roots besides
    GSMA's and the web's, and with it the server may be in the router's own network.
    """

    name: str
    label: str = ""
    enabled: bool = True
    address: str = ""
    requester: str = ""
    certificate: str = ""
    key: str = ""
    key_password: str | None = field(default=None, repr=False)
    ca_file: str = ""
    profile_type: str = ""


def File(**kwargs: Any) -> Text:
    """A file's path."""
    return Text(0, LONGEST_TEXT, pattern=PATH, told=TOLD_PATH, **kwargs)


class EsimOrdersOptions(Options):
    """Sections of type ``esim_orders``."""

    label = Text(0, 80, metadata=told("Name"))
    enabled = Flag(metadata=told("In use"))
    address = Text(
        1,
        253,
        pattern=HOST,
        told="is not a host's name",
        required=True,
        metadata=told("Server", "Of ES2+: HOST or HOST:PORT."),
    )
    requester = Text(
        1, 128, required=True, metadata=told("Our identifier", "An OID as a rule; the server's operator gives it.")
    )
    certificate = File(
        required=True, metadata=told("Our certificate", "A file of PEM, with what is between it and the root.")
    )
    key = File(required=True, metadata=told("Its private key", "A file of PEM that only root may read."))
    key_password = Text(1, 128, metadata=told("Password of the key", secret=True))
    ca_file = File(
        metadata=told(
            "File of other root certificates",
            "PEM. With it the server may be in the local network, so only LuCI or the router's own key may set it.",
            advanced=True,
            trusted=True,
        )
    )
    profile_type = Text(
        0, 64, metadata=told("Usual type of profile", "Where an order names neither a type nor an ICCID.")
    )


ESIM_ORDERS = SectionType(
    "esim_orders", EsimOrdersOptions, EsimOrdersSettings, "esim_orders", "Servers to order eSIM profiles at", many=True,
    named_by="name", most=MOST_CONNECTORS, page="esim", live=True,
)  # fmt: skip


def untrusted(before: EsimOrdersSettings | None, after: EsimOrdersSettings | None) -> str | None:
    """Why only LuCI or the router's own key may do this, in words; None: whoever may write may.

    Files are read as root, and other roots let a server be in the local network: who has a token says neither.
    """
    if after is None or before == after or (before is not None and after == replace(before, enabled=False)):
        return None
    if after.ca_file:
        return "may reach the local network"
    if before is None or files_of(before) != files_of(after):
        return "names files of this router"
    return None


def files_of(connector: EsimOrdersSettings) -> tuple[str, ...]:
    """What is read for it."""
    return connector.certificate, connector.key
