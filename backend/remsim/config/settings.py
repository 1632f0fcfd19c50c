"""The typed settings of ``/etc/config/remsim_console``, with defaults for all of them.

Each message names the option as a router admin writes it: ``remsim_console.web.max_streams``, with file and line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, validate
from marshmallow import fields as ma

from remsim.config.uci import UciError, UciFile, UciSection

CONFIG_NAME = "remsim_console"
DEFAULT_PROBES = ("icmp:1.1.1.1", "icmp:8.8.8.8")
LISTEN = r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}"
TARGET = r"(icmp:(\d+\.){3}\d+|icmp:\[?[0-9A-Fa-f:]+\]?|(tcp|dns):((\d+\.){3}\d+|\[[0-9A-Fa-f:]+\])(:\d{1,5})?)"


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Where things lie and how often modems are asked. A period of None is off."""

    data_dir: str = "/var/run/remsim"
    state_dir: str = "/etc/remsim"
    period_s: float | None = 1.0
    probe_period_s: float | None = 10.0
    probe_targets: tuple[str, ...] = DEFAULT_PROBES
    log_level: str = "info"


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """What is kept and for how long."""

    backup_minutes: int = 15
    events_days: int = 400
    events_mb: int = 16


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How the service is reached; streams stay below threads, so that requests never starve."""

    listen: str = "127.0.0.1:8090"
    max_streams: int = 24
    threads: int = 32


@dataclass(frozen=True, slots=True)
class ModemSettings:
    """One modem, named by its USB path; what it does not say it has from the service."""

    usb_path: str
    name: str | None = None
    enabled: bool = True
    interface: str | None = None
    period_s: float | None = 1.0
    probe_targets: tuple[str, ...] = DEFAULT_PROBES


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a router."""

    service: ServiceSettings = field(default_factory=ServiceSettings)
    history: HistorySettings = field(default_factory=HistorySettings)
    web: WebSettings = field(default_factory=WebSettings)
    modems: tuple[ModemSettings, ...] = ()

    def modem_at(self, usb_path: str) -> ModemSettings:
        """The settings of the modem at a USB path."""
        for modem in self.modems:
            if modem.usb_path == usb_path:
                return modem
        service = self.service
        return ModemSettings(usb_path, period_s=service.period_s, probe_targets=service.probe_targets)


class Period(ma.Field[float | None]):
    """Seconds from 1 to 60, or ``off``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float | None:
        if value in ("off", "0"):
            return None
        if isinstance(value, str) and re.fullmatch(r"\d{1,2}(\.\d{1,3})?", value, re.ASCII) and 1 <= float(value) <= 60:
            return float(value)
        raise ValidationError("is 1 to 60 seconds, or off")


def targets() -> ma.List[str]:
    """A list of probe targets."""
    pattern = validate.Regexp(f"^{TARGET}$", error="is not icmp:IP, tcp:IP:PORT or dns:IP")
    return ma.List(ma.String(validate=pattern), validate=validate.Length(max=8))


class ServiceSchema(Schema):
    """Section ``service``."""

    data_dir = ma.String(validate=validate.Regexp(r"^/[^\0]*$", error="is not an absolute path"))
    state_dir = ma.String(validate=validate.Regexp(r"^/[^\0]*$", error="is not an absolute path"))
    period_s = Period()
    probe_period_s = Period()
    probe_targets = targets()
    log_level = ma.String(validate=validate.OneOf(("debug", "info", "warning", "error")))


class HistorySchema(Schema):
    """Section ``history``."""

    backup_minutes = ma.Integer(validate=validate.Range(1, 1440))
    events_days = ma.Integer(validate=validate.Range(1, 3650))
    events_mb = ma.Integer(validate=validate.Range(1, 1024))


class WebSchema(Schema):
    """Section ``web``."""

    listen = ma.String(validate=validate.Regexp(f"^{LISTEN}$", error="is not HOST:PORT"))
    max_streams = ma.Integer(validate=validate.Range(0, 2000))
    threads = ma.Integer(validate=validate.Range(4, 2048))


class ModemSchema(Schema):
    """Sections of type ``modem``."""

    usb_path = ma.String(required=True, validate=validate.Regexp(r"^\d+-\d+(\.\d+)*$", error="is not like 1-1.2"))
    name = ma.String(validate=validate.Length(1, 32))
    enabled = ma.Boolean()
    interface = ma.String(validate=validate.Regexp(r"^[A-Za-z0-9_.-]{1,15}$", error="is not an interface's name"))
    period_s = Period()
    probe_targets = targets()


SCHEMAS: dict[str, type[Schema]] = {"service": ServiceSchema, "history": HistorySchema, "web": WebSchema}


def load_settings(config_dir: Path | None) -> Settings:
    """The settings of a folder of UCI files; defaults for what is not there, ``UciError`` for what is wrong."""
    if config_dir is None:
        return Settings()
    return settings_of(UciFile.load(config_dir / CONFIG_NAME))


def settings_of(file: UciFile) -> Settings:
    """The settings in a parsed file."""
    service = ServiceSettings(**read_named(file, "service"))
    history = HistorySettings(**read_named(file, "history"))
    web = WebSettings(**read_named(file, "web"))
    if web.max_streams >= web.threads:
        line = max(section.line_of("max_streams") for section in file.sections("web"))
        text = f"{CONFIG_NAME}.web.max_streams must be below threads ({web.threads})"
        raise UciError(file.name, line, text, "max_streams")
    inherited = {"period_s": service.period_s, "probe_targets": service.probe_targets}
    modems = tuple(
        ModemSettings(**inherited | read_section(file, section, ModemSchema)) for section in file.sections("modem")
    )
    return Settings(service, history, web, modems)


def read_named(file: UciFile, kind: str) -> dict[str, Any]:
    """The values of the sections of a type, later ones winning."""
    values: dict[str, Any] = {}
    for section in file.sections(kind):
        values |= read_section(file, section, SCHEMAS[kind])
    return values


def read_section(file: UciFile, section: UciSection, schema: type[Schema]) -> dict[str, Any]:
    """The validated values of one section; the first wrong option is the error. Unknown options are left alone."""
    known = schema().fields
    lists = {name for name, one in known.items() if isinstance(one, ma.List)}
    raw = {
        option: section.get_list(option) if option in lists else section.get(option)
        for option in section.options()
        if option in known
    }
    try:
        loaded: dict[str, Any] = schema().load(raw)
    except ValidationError as error:
        option, told = next(iter(dict(error.messages_dict).items()))
        path = f"{CONFIG_NAME}.{section.name or section.type}.{option}"
        raise UciError(file.name, section.line_of(option), f"{path}: {first_text(told)}", option) from error
    return {name: tuple(value) if isinstance(value, list) else value for name, value in loaded.items()}


def first_text(told: Any) -> str:
    """The first message in marshmallow's nest of them."""
    while not isinstance(told, str):
        told = next(iter(told.values() if isinstance(told, dict) else told))
    return told


def save_modem_period(config_dir: Path, usb_path: str, period_s: float | None) -> None:
    """Keep the user's polling period of a modem over restarts."""
    path = config_dir / CONFIG_NAME
    file = UciFile.load(path)
    section = next((one for one in file.sections("modem") if one.get("usb_path") == usb_path), None)
    if section is None:
        section = file.add("modem")
        section.set("usb_path", usb_path)
    section.set("period_s", "off" if period_s is None else f"{period_s:g}")
    file.save(path)


def setting_names() -> list[str]:
    """Every setting as ``section.option``, for the documentation's test."""
    parts = {"service": ServiceSettings, "history": HistorySettings, "web": WebSettings, "modem": ModemSettings}
    return [f"{section}.{one.name}" for section, kind in parts.items() for one in fields(kind)]
