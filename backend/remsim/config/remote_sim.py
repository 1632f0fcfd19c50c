"""Remote SIMs: sections ``remote_sim``, ``remsim_server``, ``remote_client`` and ``ionmesh`` of ``remsim_console``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, validates_schema

from remsim.config.fields import PLACE, Options, SectionType
from remsim.core.forms import Choice, Flag, Text, Whole
from remsim.core.small_dataclass import dataclass

LARGEST_ID = 1023
"""Of clients, banks and their slots."""
MOST_CLIENTS = 8
MOST_SERVERS = 4
HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,45}"
ATR = r"([0-9A-Fa-f]{2}){2,55}"
LARGEST_GPIO = 4095
PROGRAMS = {
    "st2": "osmo-remsim-client-st2 (SIMtrace2 hardware)",
    "openwrt": "osmo-remsim-client-openwrt",
    "shell": "osmo-remsim-client-shell",
}
MAPPING_MODES = {
    "ONE_TO_ONE_SWSIM": "One to one, physical SIM",
    "ONE_TO_ONE_VSIM": "One to one, virtual SIM",
    "KI_PROXY_SWSIM": "KI proxy",
}


@dataclass(frozen=True, slots=True)
class RemoteSimSettings:
    """How slot maps are kept."""

    restore: str = "now"
    reconcile_s: int = 5
    gsmtap: str = ""


@dataclass(frozen=True, slots=True)
class RemsimServerSettings:
    """One osmo-remsim-server's REST interface."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class RemoteClientSettings:
    """One osmo-remsim client of this router, named after its section."""

    name: str
    client_id: int
    client_slot: int = 0
    enabled: bool = True
    program: str = "st2"
    modem: str | None = None
    server_host: str = "127.0.0.1"
    server_port: int = 9998
    atr: str | None = None
    atr_ignore_rspro: bool = False
    log_categories: str = "DMAIN,3:DRSPRO,3"
    usb_path: str | None = None
    sim_switch_gpio: int | None = None
    reset_gpio: int | None = None
    relay: bool = False


@dataclass(frozen=True, slots=True)
class IonMeshSettings:
    """The IonMesh orchestrator this router registers with."""

    enabled: bool = False
    url: str = ""
    api_key: str | None = None
    tenant_id: int = 1
    mapping_mode: str = "ONE_TO_ONE_SWSIM"
    mcc_mnc: str = ""
    verify_tls: bool = True


def shows_key(before: IonMeshSettings, after: IonMeshSettings) -> bool:
    """Whether a change would send the same API key elsewhere, or less well hidden from others."""
    parts = [urlsplit(one.url)[:2] + (one.verify_tls,) for one in (before, after)]
    return bool(after.api_key and after.api_key == before.api_key and after.url and parts[0] != parts[1])


def check_base_url(text: str) -> None:
    """An address of http or https with a host, without login, query or fragment."""
    try:
        parts = urlsplit(text)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and "@" not in parts.netloc
        right = right and not parts.query and not parts.fragment
    except ValueError:
        right = False
    if text and (not right or not re.fullmatch(r"[\x21-\x7e]+", text)):
        raise ValidationError("is not like http://HOST:PORT")


def check_ipv4(text: str) -> None:
    """One IPv4 address, no wildcard."""
    try:
        right = not text or not (IPv4Address(text).is_unspecified or IPv4Address(text).is_multicast)
    except ValueError:
        right = False
    if not right:
        raise ValidationError("is not an IPv4 address like 192.168.1.1")


class RemoteSimOptions(Options):
    """Section ``remote_sim``."""

    restore = Choice(
        {"now": "at once", "hold": "when the modem is offline, or you say so"},
        metadata={
            "label": "Restore slot maps of a server that restarted",
            "help": "Each restored map costs one modem reset",
        },
    )
    reconcile_s = Whole(1, 60, metadata={"label": "Look at the server every", "unit": "s"})
    gsmtap = Text(
        0,
        15,
        validate=check_ipv4,
        metadata={
            "label": "Count what a bankd sends by GSMTAP to",
            "help": "An address of this router, the one of bankd's option -g; sums over all slots of that bankd",
            "advanced": True,
        },
    )


class RemsimServerOptions(Options):
    """Sections of type ``remsim_server``."""

    url = Text(
        1,
        256,
        validate=check_base_url,
        required=True,
        metadata={"label": "Address", "help": "Of its REST interface, like http://10.0.0.5:9997"},
    )


class RemoteClientOptions(Options):
    """Sections of type ``remote_client``."""

    enabled = Flag(metadata={"label": "Run it"})
    modem = Text(
        1,
        64,
        pattern=PLACE,
        told="is not like 1-1.2 or pci-0000:01:00.0",
        metadata={"label": "Modem", "help": "The place of the modem it gives a SIM to"},
    )
    program = Choice(PROGRAMS, metadata={"label": "Program"})
    client_id = Whole(0, LARGEST_ID, required=True, metadata={"label": "Client id"})
    client_slot = Whole(0, LARGEST_ID, metadata={"label": "Client slot"})
    server_host = Text(1, 253, pattern=HOST, told="is not a host's name or address", metadata={"label": "Server"})
    server_port = Whole(1, 65535, metadata={"label": "Port of the server", "advanced": True})
    atr = Text(4, 110, pattern=ATR, told="is not 2 to 55 bytes in hex", metadata={"label": "ATR", "advanced": True})
    atr_ignore_rspro = Flag(metadata={"label": "Keep this ATR", "advanced": True})
    log_categories = Text(
        1,
        120,
        pattern=r"[A-Z0-9,:]+",
        told="is not like DMAIN,3:DRSPRO,3",
        metadata={"label": "What its log has", "advanced": True},
    )
    usb_path = Text(
        1,
        64,
        pattern=PLACE,
        told="is not like 1-1.2",
        metadata={"label": "Place of the SIMtrace2 board", "advanced": True},
    )
    sim_switch_gpio = Whole(
        0,
        LARGEST_GPIO,
        metadata={
            "label": "GPIO that switches the SIM",
            "help": "Of osmo-remsim-client-openwrt, 1 for the remote one. Without it no GPIO is driven",
            "advanced": True,
        },
    )
    reset_gpio = Whole(
        0,
        LARGEST_GPIO,
        metadata={
            "label": "GPIO that resets the modem",
            "help": "Of osmo-remsim-client-openwrt, which it holds high for half a second",
            "advanced": True,
        },
    )
    relay = Flag(
        metadata={
            "label": "Count TPDUs and authentications",
            "help": "By a relay of this router that all of the SIM's traffic passes. If it dies, the SIM drops. "
            "Switching it on or off restarts the client and costs one modem reset",
            "advanced": True,
        }
    )

    @validates_schema
    def fits_together(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """There is nothing to count in a client that carries nothing, and one program only drives GPIOs."""
        if data.get("relay") and data.get("program") == "openwrt":
            raise ValidationError("osmo-remsim-client-openwrt carries no TPDU that could be counted", "relay")
        for option in ("sim_switch_gpio", "reset_gpio"):
            if data.get(option) is not None and data.get("program") != "openwrt":
                raise ValidationError("is of osmo-remsim-client-openwrt only", option)


class IonMeshOptions(Options):
    """Section ``ionmesh``."""

    enabled = Flag(metadata={"label": "Use IonMesh"})
    url = Text(0, 256, validate=check_base_url, metadata={"label": "Address", "help": "Like https://HOST:PORT"})
    api_key = Text(
        1,
        256,
        pattern=r"[\x21-\x7e]+",
        told="is not printable text without blanks",
        metadata={"label": "API key", "secret": True},
    )
    tenant_id = Whole(0, 2_147_483_647, metadata={"label": "Tenant"})
    mapping_mode = Choice(MAPPING_MODES, metadata={"label": "Mapping mode"})
    mcc_mnc = Text(0, 6, pattern="[0-9]{5,6}", told="is not 5 or 6 digits", metadata={"label": "MCC and MNC"})
    verify_tls = Flag(metadata={"label": "Check its certificate", "advanced": True})

    @validates_schema
    def fits_together(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """What is used has an address."""
        if data.get("enabled") and not data.get("url"):
            raise ValidationError("is needed", "url")


REMOTE_SIM = SectionType(
    "remote_sim", RemoteSimOptions, RemoteSimSettings, "remote_sim", "Remote SIM", page="remote-sim", live=True
)
REMSIM_SERVER = SectionType(
    "remsim_server",
    RemsimServerOptions,
    RemsimServerSettings,
    "remsim_servers",
    "remsim servers",
    many=True,
    named_by="name",
    most=MOST_SERVERS,
    page="remote-sim",
    live=True,
)
REMOTE_CLIENT = SectionType(
    "remote_client",
    RemoteClientOptions,
    RemoteClientSettings,
    "remote_clients",
    "Remote SIM clients",
    many=True,
    named_by="name",
    most=MOST_CLIENTS,
    page="remote-sim",
    live=True,
)
IONMESH = SectionType("ionmesh", IonMeshOptions, IonMeshSettings, "ionmesh", "IonMesh", page="remote-sim", live=True)
