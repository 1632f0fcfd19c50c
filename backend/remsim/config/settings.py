"""The typed settings of ``/etc/config/remsim_console``, with defaults for all of them.

Each message names the option as a router admin writes it: ``remsim_console.web.max_streams``, with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, validate
from marshmallow import fields as ma

from remsim.config.uci import UciError, UciFile, UciSection, edited
from remsim.core.errors import RemsimError

CONFIG_NAME = "remsim_console"
DEFAULT_PROBES = ("icmp:1.1.1.1", "icmp:8.8.8.8")
LISTEN = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}\Z")
IPV6 = r"\[([0-9A-Fa-f:.]+)\]|([0-9A-Fa-f]*:[0-9A-Fa-f:.]+)"
PLACE = r"([0-9]+-[0-9]+(\.[0-9]+)*|pci-[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\Z"
TARGET = re.compile(rf"(icmp|tcp|dns):(?:([0-9.]+)|{IPV6})(?::([0-9]{{1,5}}))?\Z")
YES = {"1", "on", "true", "yes", "enabled"}
NO = {"0", "off", "false", "no", "disabled"}
PATH = r"^/[^\x00-\x1f\x7f]*\Z"


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
    """One modem, named by its place (USB path, or PCI address); what it does not say it has from the service."""

    usb_path: str
    name: str | None = None
    enabled: bool = True
    interface: str | None = None
    period_s: float | None = 1.0
    probe_targets: tuple[str, ...] = DEFAULT_PROBES
    network: str | None = None
    board_modem: int | None = None
    reset_gpio: str | None = None
    power_gpio: str | None = None
    sim_gpio: str | None = None


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


def check_target(text: str) -> None:
    """A probe's target: an address, and a port where the method has one."""
    match = TARGET.match(text)
    try:
        if match is None:
            raise ValueError(text)
        method, ipv4, in_brackets, ipv6, port = match.groups()
        ip_address(in_brackets or ipv4 or ipv6)
        if {"icmp": port is not None, "tcp": port is None, "dns": False}[method] or not 1 <= int(port or 1) <= 65535:
            raise ValueError(text)
    except ValueError as error:
        raise ValidationError("is not icmp:IP, tcp:IP:PORT or dns:IP[:PORT]") from error


def check_listen(text: str) -> None:
    """An address to listen on."""
    if not LISTEN.match(text) or int(text.rpartition(":")[2]) > 65535:
        raise ValidationError("is not HOST:PORT")


def targets() -> ma.List[str]:
    """A list of probe targets."""
    return ma.List(ma.String(validate=check_target), validate=validate.Length(max=8))


def gpio_line() -> ma.String:
    """A GPIO line of the board: ``20``, ``!20`` (active low) or ``gpiochip0:20``."""
    form = r"!?(gpiochip[0-9]{1,3}:)?[0-9]{1,4}\Z"
    return ma.String(validate=validate.Regexp(form, error="is not a GPIO line like 20, !20 or gpiochip0:20"))


class ServiceSchema(Schema):
    """Section ``service``."""

    data_dir = ma.String(validate=validate.Regexp(PATH, error="is not an absolute path"))
    state_dir = ma.String(validate=validate.Regexp(PATH, error="is not an absolute path"))
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

    listen = ma.String(validate=check_listen)
    max_streams = ma.Integer(validate=validate.Range(0, 2000))
    threads = ma.Integer(validate=validate.Range(4, 2048))


class ModemSchema(Schema):
    """Sections of type ``modem``."""

    usb_path = ma.String(required=True, validate=validate.Regexp(PLACE, error="is not like 1-1.2 or pci-0000:01:00.0"))
    name = ma.String(validate=validate.Length(1, 32))
    enabled = ma.Boolean(truthy=YES, falsy=NO)
    interface = ma.String(validate=validate.Regexp(r"[A-Za-z0-9_.-]{1,15}\Z", error="is not an interface's name"))
    period_s = Period()
    probe_targets = targets()
    network = ma.String(validate=validate.Regexp(r"[A-Za-z0-9_]{1,32}\Z", error="is not a section of network"))
    board_modem = ma.Integer(validate=validate.Range(1, 8))
    reset_gpio = gpio_line()
    power_gpio = gpio_line()
    sim_gpio = gpio_line()


SCHEMAS: dict[str, type[Schema]] = {"service": ServiceSchema, "history": HistorySchema, "web": WebSchema}


class WrongValue(UciError):
    """An option whose value cannot be used; its default is in force."""


def load_settings(config_dir: Path | None) -> Settings:
    """The settings of a folder of UCI files; defaults for what is not there, ``UciError`` for what is wrong."""
    if config_dir is None:
        return Settings()
    return settings_of(UciFile.load(config_dir / CONFIG_NAME))


def usable_settings(config_dir: Path | None) -> tuple[Settings, list[RemsimError]]:
    """What can be used of the settings, and what is wrong with the rest.

    A wrong value costs that value (a modem without a place costs that section); a file that cannot be read costs all.
    """
    if config_dir is None:
        return Settings(), []
    problems: list[RemsimError] = []
    try:
        file = UciFile.load(config_dir / CONFIG_NAME)
    except RemsimError as error:
        return Settings(), [error]
    return settings_of(file, problems.append), problems


def refuse(error: RemsimError) -> None:
    """Let no wrong value pass."""
    raise error


def settings_of(file: UciFile, on_error: Callable[[RemsimError], None] = refuse) -> Settings:
    """The settings in a parsed file; ``on_error`` hears of each value that cannot be used."""
    service = ServiceSettings(**read_named(file, "service", on_error))
    history = HistorySettings(**read_named(file, "history", on_error))
    web = WebSettings(**read_named(file, "web", on_error))
    inherited = {"period_s": service.period_s, "probe_targets": service.probe_targets}
    sections = [read_section(file, section, ModemSchema, on_error) for section in file.sections("modem")]
    modems = tuple(ModemSettings(**inherited | values) for values in sections if "usb_path" in values)
    if web.max_streams >= web.threads:
        line = max(section.line_of("max_streams") for section in file.sections("web"))
        text = f"{CONFIG_NAME}.web.max_streams must be below threads ({web.threads})"
        on_error(WrongValue(file.name, line, text, "max_streams"))
        web = replace(web, max_streams=web.threads - 1)
    return Settings(service, history, web, modems)


def read_named(file: UciFile, kind: str, on_error: Callable[[RemsimError], None]) -> dict[str, Any]:
    """The values of the sections of a type, later ones winning."""
    values: dict[str, Any] = {}
    for section in file.sections(kind):
        values |= read_section(file, section, SCHEMAS[kind], on_error)
    return values


def read_section(
    file: UciFile, section: UciSection, schema: type[Schema], on_error: Callable[[RemsimError], None]
) -> dict[str, Any]:
    """The validated values of one section. Unknown options are left alone."""
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
        wrong = {str(option): told for option, told in error.messages_dict.items()}
        for option, told in wrong.items():
            path = f"{CONFIG_NAME}.{section.name or section.type}.{option}"
            on_error(WrongValue(file.name, section.line_of(option), f"{path}: {first_text(told).rstrip('.')}", option))
        valid = error.valid_data if isinstance(error.valid_data, dict) else {}
        loaded = {name: value for name, value in valid.items() if name not in wrong}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in loaded.items()}


def first_text(told: Any) -> str:
    """The first message in marshmallow's nest of them."""
    while not isinstance(told, str):
        told = next(iter(told.values() if isinstance(told, dict) else told))
    return told


def save_modem_period(config_dir: Path, usb_path: str, period_s: float | None) -> None:
    """Keep the user's polling period of a modem over restarts."""
    with edited(config_dir / CONFIG_NAME) as file:
        section = next((one for one in file.sections("modem") if one.get("usb_path") == usb_path), None)
        if section is None:
            section = file.add("modem")
            section.set("usb_path", usb_path)
        section.set("period_s", "off" if period_s is None else f"{period_s:g}")


def setting_names() -> list[str]:
    """Every setting as ``section.option``, for the documentation's test."""
    parts = {"service": ServiceSettings, "history": HistorySettings, "web": WebSettings, "modem": ModemSettings}
    return [f"{section}.{one.name}" for section, kind in parts.items() for one in fields(kind)]
