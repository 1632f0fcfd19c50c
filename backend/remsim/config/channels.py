"""Notification channels: sections of type ``channel`` of ``/etc/config/remsim_console``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, validates_schema

from remsim.config import trust
from remsim.config.alerting import MOST_CHANNELS, SEVERITIES, told
from remsim.config.fields import Lines, Options, SectionType
from remsim.core.forms import Choice, Flag, Text, Whole
from remsim.core.small_dataclass import dataclass

MOST_RECIPIENTS = 16
CHANNEL_TYPES = {
    "smtp": "E-mail (SMTP)",
    "webhook": "Webhook (Alertmanager's body)",
    "mqtt": "MQTT",
    "ntfy": "ntfy",
    "syslog": "System log",
    "browser": "Browser notification",
}
SECURITY = {"starttls": "STARTTLS", "tls": "TLS from the start", "none": "None"}
USUAL_SECURITY = {"smtp": "starttls", "mqtt": "tls"}
MAIL_NAME = r'"[^"\\<>@,;\x00-\x1f\x7f]{1,78}" ?|[^"\\()\[\]:<>@,;\x00-\x1f\x7f]{0,80}'
MAIL_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
MAIL_DOMAIN = r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,9}"
MAIL_ADDRESS = rf"({MAIL_ATOM}(?:\.{MAIL_ATOM}){{0,9}}@{MAIL_DOMAIN})"
MAIL = re.compile(rf"(?!.*=\?)(?:(?:{MAIL_NAME})<(?=.*>)|(?!.*>)){MAIL_ADDRESS}>?")
"""An address, or ``Name <address>``; the group is the address."""
TEMPLATE_NAME = re.compile(r"\$(?:\$|\{?([a-z_]+)\}?)?")


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One way to tell somebody; which fields count depends on ``type`` (``FIELDS_OF``)."""

    name: str
    type: str = "webhook"
    label: str = ""
    enabled: bool = True
    min_severity: str = "info"
    send_resolved: bool = True
    allow_private: bool = False
    url: str | None = None
    secret: str | None = None
    template: str | None = None
    headers: tuple[str, ...] = ()
    host: str | None = None
    port: int | None = None
    security: str | None = None
    verify_tls: bool = True
    user: str | None = None
    password: str | None = None
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    topic: str | None = None
    retain: bool = False
    token: str | None = None
    tags: str | None = None
    facility: str = "daemon"

    @property
    def encryption(self) -> str:
        """``starttls``, ``tls`` or ``none``; encrypted unless somebody says otherwise."""
        return self.security or USUAL_SECURITY.get(self.type, "tls")

    def as_dict(self) -> dict[str, Any]:
        """The object of the API: of a secret only whether it is ``set``."""
        made: dict[str, Any] = {"name": self.name, "type": self.type}
        for name in (*COMMON, *FIELDS_OF[self.type]):
            value = getattr(self, name)
            if name in SECRETS:
                value = {"set": bool(value)}
            made[name] = list(value) if isinstance(value, tuple) else value
        if "security" in made:
            made["security"] = self.encryption
        return made | {"label": self.label or self.name}


def check_mail(text: str) -> None:
    """An address somebody can be written to; nothing that could begin another header or command."""
    if not MAIL.fullmatch(text):
        raise ValidationError(f"{text[:60]!r} is not an e-mail address")


def check_header(text: str) -> None:
    """``Name: value`` of our own choice; not one that frames the message or names its receiver."""
    match = re.fullmatch(r"([A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}): ?([\x20-\x7e]{0,180})", text)
    if match is None:
        raise ValidationError("is not like Name: value")
    if match[1].lower() in FRAMING:
        raise ValidationError(f"{match[1]} is set by the service itself")


FRAMING = ("host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "expect", "te")


def check_url(text: str) -> None:
    """An address of http or https, with a host and without a login."""
    try:
        parts = urlsplit(text)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        right = False
    if not right or not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ValidationError("is not like https://HOST/PATH")


def check_template(text: str) -> None:
    """A body with ``$names`` in it."""
    for match in TEMPLATE_NAME.finditer(text):
        if match[0] != "$$" and match[1] not in TEMPLATE_FIELDS:
            told = ", ".join(f"${name}" for name in TEMPLATE_FIELDS)
            raise ValidationError(f"{match[0]!r} is not one of: {told}; write $$ for a dollar")


TEMPLATE_FIELDS = (
    "status", "severity", "label", "rule", "modem", "summary", "value", "threshold", "count", "router", "at",
)  # fmt: skip


class ChannelOptions(Options):
    """Sections of type ``channel``: the fields of all types, of which each uses its own."""

    type = Choice(CHANNEL_TYPES, required=True, metadata=told("Kind"))
    label = Text(0, 80, metadata=told("Name"))
    enabled = Flag(metadata=told("In use"))
    min_severity = Choice(SEVERITIES, metadata=told("Only from", "Alerts below this severity are not sent."))
    send_resolved = Flag(metadata=told("Tell the end, too"))
    allow_private = Flag(
        metadata=told(
            "May reach the local network",
            "For a receiver at home. Only LuCI or the router's own key may set this or change such a channel.",
            trusted=True,
        )
    )
    url = Text(1, 500, validate=check_url, metadata=told("Address"))
    secret = Text(
        0, 128, metadata=told("Secret", "Signs each message (HMAC-SHA256), so that the receiver knows it.", secret=True)
    )
    template = Text(
        0,
        2000,
        validate=check_template,
        metadata=told("Own body", "Instead of Alertmanager's: text with $summary, $severity, $label …", advanced=True),
    )
    headers = Lines(
        check_header, 16, metadata=told("Own headers", "Name: value, one a line.", advanced=True, secret=True)
    )
    host = Text(1, 190, pattern=r"[A-Za-z0-9.:_-]+", told="is not a host or an address", metadata=told("Server"))
    port = Whole(1, 65535, metadata=told("Port", "Empty: the usual one."))
    security = Choice(SECURITY, metadata=told("Encryption"))
    verify_tls = Flag(metadata=told("Check the certificate", advanced=True))
    user = Text(0, 190, metadata=told("User"))
    password = Text(0, 190, metadata=told("Password", secret=True))
    sender = Text(3, 190, validate=check_mail, metadata=told("From"))
    recipients = Lines(check_mail, MOST_RECIPIENTS, metadata=told("To", "One address a line."))
    topic = Text(1, 190, pattern=r"[^#+\x00]*", told="has # or + in it", metadata=told("Topic"))
    retain = Flag(metadata=told("Keep the last one", "New subscribers get it at once.", advanced=True))
    token = Text(0, 190, pattern=r"[\x21-\x7e]*", metadata=told("Access token", secret=True))
    tags = Text(0, 120, pattern=r"[A-Za-z0-9_,+-]*", told="is not words parted by commas", metadata=told("Tags"))
    facility = Choice(
        {"daemon": "daemon", "user": "user", **{f"local{n}": f"local{n}" for n in range(8)}},
        metadata=told("Facility", advanced=True),
    )

    @validates_schema
    def fits_together(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """What the type needs is there, what it does not know is not."""
        kind = data.get("type")
        if kind is None:
            return
        for name in NEEDED_OF[kind]:
            if not data.get(name):
                raise ValidationError("is needed", name)
        for name in data:
            if name not in (*COMMON, *FIELDS_OF[kind], "type"):
                raise ValidationError(f"is nothing that {kind} has", name)
        if data.get("user") and not data.get("password"):
            raise ValidationError("is needed with a user", "password")
        security = data.get("security") or USUAL_SECURITY.get(kind)
        if kind == "mqtt" and security == "starttls":
            raise ValidationError("MQTT knows TLS from the start, or none", "security")
        if data.get("user") and security == "none" and not data.get("allow_private"):
            raise ValidationError("a password goes over the internet with encryption only", "security")
        if kind == "ntfy" and not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", data["topic"]):
            raise ValidationError("is not a name of letters, digits, - and _", "topic")


COMMON = ("label", "enabled", "min_severity", "send_resolved")
FIELDS_OF: dict[str, tuple[str, ...]] = {
    "smtp": (
        "host", "port", "security", "user", "password", "sender", "recipients", "verify_tls", "allow_private",
    ),
    "webhook": ("url", "secret", "template", "headers", "verify_tls", "allow_private"),
    "mqtt": ("host", "port", "security", "user", "password", "topic", "retain", "verify_tls", "allow_private"),
    "ntfy": ("url", "topic", "token", "tags", "verify_tls", "allow_private"),
    "syslog": ("facility",),
    "browser": (),
}  # fmt: skip
"""What each type of channel has besides ``COMMON``, in the order of its form."""
NEEDED_OF: dict[str, tuple[str, ...]] = {
    "smtp": ("host", "sender", "recipients"),
    "webhook": ("url",),
    "mqtt": ("host", "topic"),
    "ntfy": ("topic",),
    "syslog": (),
    "browser": (),
}
SECRETS = frozenset(name for name, field in ChannelOptions().fields.items() if field.metadata.get("secret"))


def channel_of(**values: Any) -> ChannelSettings:
    """A channel of a section's values."""
    return ChannelSettings(**{name: value for name, value in values.items() if value != ""})


CHANNEL = SectionType(
    "channel", ChannelOptions, channel_of, "channels", "Notification channels", many=True, named_by="name",
    most=MOST_CHANNELS, page="alerts", live=True,
)  # fmt: skip


def untrusted(before: ChannelSettings | None, after: ChannelSettings | None) -> str | None:
    """Why only LuCI or the router's own key may do this, in words; None: whoever may write may."""
    return trust.untrusted(before, after, SECRETS, target_of)


def target_of(channel: ChannelSettings) -> tuple[Any, ...]:
    """Whom a channel's secret is shown, and how well that is hidden from others."""
    url = urlsplit(channel.url or "")
    return channel.type, url.scheme, url.netloc, channel.host, channel.port, channel.encryption, channel.verify_tls
