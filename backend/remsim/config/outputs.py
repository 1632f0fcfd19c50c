"""Where measured values are sent besides: sections of type ``output`` of ``/etc/config/remsim_console``."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, validates_schema

from remsim.config import trust
from remsim.config.alerting import told
from remsim.config.channels import check_url
from remsim.config.fields import Lines, Options, SectionType
from remsim.core.forms import Choice, Flag, Text, Whole
from remsim.core.small_dataclass import dataclass

MOST_OUTPUTS = 8
OUTPUT_TYPES = {
    "remote_write": "Prometheus remote-write",
    "influx": "InfluxDB line protocol",
    "homeassistant": "Home Assistant by MQTT",
}
SECURITY = {"tls": "TLS", "none": "None"}
LABEL = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]{0,63})=([^\x00-\x1f\x7f]{1,128})")
OWN_LABELS = ("modem", "interface", "slot", "router_id")


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """One receiver; which fields count depends on ``type`` (``FIELDS_OF``)."""

    name: str
    type: str = "remote_write"
    enabled: bool = True
    interval_s: int = 30
    allow_private: bool = False
    verify_tls: bool = True
    url: str | None = None
    host: str | None = None
    port: int | None = None
    security: str = "tls"
    user: str | None = None
    password: str | None = None
    token: str | None = None
    tenant: str | None = None
    labels: tuple[str, ...] = ()
    keep_hours: int = 24
    queue_mb: int = 4
    prefix: str = "homeassistant"

    @property
    def encryption(self) -> str:
        """``tls`` or ``none``."""
        return self.security

    def as_dict(self) -> dict[str, Any]:
        """What of it counts, for the API: of a secret only whether it is ``set``."""
        made: dict[str, Any] = {}
        for name in (*COMMON, *FIELDS_OF[self.type]):
            value = getattr(self, name)
            made[name] = {"set": bool(value)} if name in SECRETS else list(value) if isinstance(value, tuple) else value
        return made

    def extra_labels(self) -> dict[str, str]:
        """What every sample carries besides its own labels."""
        return dict(one.split("=", 1) for one in self.labels)

    def authorization(self, scheme: str = "Bearer") -> dict[str, str]:
        """The header that lets us in, if there is any."""
        if self.token:
            return {"Authorization": f"{scheme} {self.token}"}
        if self.user:
            login = b64encode(f"{self.user}:{self.password or ''}".encode()).decode()
            return {"Authorization": f"Basic {login}"}
        return {}


def check_label(text: str) -> None:
    """``name=value``, of which the name is none of ours."""
    match = LABEL.fullmatch(text)
    if match is None or match[1].startswith("__"):
        raise ValidationError("is not like site=north")
    if match[1] in OWN_LABELS:
        raise ValidationError(f"{match[1]} is set by the service itself")


class OutputOptions(Options):
    """Sections of type ``output``: the fields of all types, of which each uses its own."""

    type = Choice(OUTPUT_TYPES, required=True, metadata=told("Kind"))
    enabled = Flag(metadata=told("In use"))
    url = Text(1, 500, validate=check_url, metadata=told("Address", "The whole of it: https://HOST/api/v1/write"))
    host = Text(1, 190, pattern=r"[A-Za-z0-9.:_-]+", told="is not a host or an address", metadata=told("Server"))
    port = Whole(1, 65535, metadata=told("Port", "Empty: the usual one."))
    security = Choice(SECURITY, metadata=told("Encryption"))
    user = Text(0, 190, pattern=r"[^:]*", told="has a colon", metadata=told("User"))
    password = Text(0, 190, metadata=told("Password", secret=True))
    token = Text(0, 500, pattern=r"[\x21-\x7e]*", metadata=told("Access token", secret=True))
    tenant = Text(
        0, 64, pattern=r"[A-Za-z0-9_.-]*", told="is not a tenant's name",
        metadata=told("Tenant", "Sent as X-Scope-OrgID, for Mimir and Cortex", advanced=True),
    )  # fmt: skip
    interval_s = Whole(10, 3600, metadata=told("Send every", unit="s"))
    labels = Lines(check_label, 16, metadata=told("Own labels", "name=value, one a line", advanced=True))
    keep_hours = Whole(
        1, 720,
        metadata=told("Keep what could not be sent for", "And no more than fits below.", unit="h", advanced=True),
    )  # fmt: skip
    queue_mb = Whole(1, 64, metadata=told("Which may take", unit="MB", advanced=True))
    prefix = Text(
        1, 64, pattern=r"[A-Za-z0-9_/-]+", told="is not a topic's beginning",
        metadata=told("Discovery prefix", "As Home Assistant has it", advanced=True),
    )  # fmt: skip
    verify_tls = Flag(metadata=told("Check the certificate", advanced=True))
    allow_private = Flag(
        metadata=told(
            "May reach the local network",
            "For a receiver at home. Only LuCI or the router's own key may set this or change such an output.",
            trusted=True,
        )
    )

    @validates_schema
    def fits_together(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """What the type needs is there, what it does not know is not."""
        kind = data.get("type")
        if kind is None:
            return
        needed = "host" if kind == "homeassistant" else "url"
        if not data.get(needed):
            raise ValidationError("is needed", needed)
        for name in data:
            if name not in (*COMMON, *FIELDS_OF[kind]):
                raise ValidationError(f"is nothing that {kind} has", name)
        hides = data.get("security", "tls") == "tls" if kind == "homeassistant" else data["url"].startswith("https:")
        for name in SECRETS:
            if data.get(name) and not hides and not data.get("allow_private"):
                raise ValidationError("goes over the internet with encryption only", name)


COMMON = ("type", "enabled", "interval_s", "verify_tls", "allow_private", "user", "password")
FIELDS_OF: dict[str, tuple[str, ...]] = {
    "remote_write": ("url", "token", "tenant", "labels", "keep_hours", "queue_mb"),
    "influx": ("url", "token", "labels", "keep_hours", "queue_mb"),
    "homeassistant": ("host", "port", "security", "prefix"),
}
"""What each type has besides ``COMMON``."""
SECRETS = ("password", "token")


def output_of(**values: Any) -> OutputSettings:
    """An output of a section's values."""
    return OutputSettings(**{name: value for name, value in values.items() if value != ""})


OUTPUT = SectionType(
    "output", OutputOptions, output_of, "outputs", "Outputs",
    "Prometheus remote-write, InfluxDB, Home Assistant: measured values are sent there",
    many=True, named_by="name", most=MOST_OUTPUTS, page="outputs", live=True,
)  # fmt: skip


def untrusted(before: OutputSettings | None, after: OutputSettings | None) -> str | None:
    """Why only LuCI or the router's own key may do this, in words; None: whoever may write may."""
    return trust.untrusted(before, after, SECRETS, target_of)


def target_of(output: OutputSettings) -> tuple[Any, ...]:
    """Whom an output's secret is shown, and how well that is hidden from others."""
    url = urlsplit(output.url or "")
    return output.type, url.scheme, url.netloc, output.host, output.port, output.security, output.verify_tls
