"""The typed settings of ``/etc/config/remsim_console``, with defaults for all of them.

Each message names the option as a router admin writes it: ``remsim_console.web.max_streams``, with file and line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from remsim.config.alerting import AlertSettings
from remsim.config.channels import ChannelSettings
from remsim.config.esim import EsimSettings
from remsim.config.esim_orders import EsimOrdersSettings
from remsim.config.esim_rules import EsimRuleSettings
from remsim.config.fields import Lines, Options, SectionType
from remsim.config.metrics import MetricsSettings
from remsim.config.outputs import OutputSettings
from remsim.config.remote_sim import IonMeshSettings, RemoteClientSettings, RemoteSimSettings, RemsimServerSettings
from remsim.config.sections import (
    DEFAULT_PROBES,
    SECTIONS,
    HistorySettings,
    ModemSettings,
    QualitySettings,
    ServiceSettings,
    WebSettings,
)
from remsim.config.sims import SimSettings
from remsim.config.uci import UciError, UciFile, UciSection, edited
from remsim.core.errors import RemsimError
from remsim.core.forms import Several

__all__ = [
    "CONFIG_NAME",
    "DEFAULT_PROBES",
    "SECTIONS",
    "HistorySettings",
    "ModemSettings",
    "QualitySettings",
    "ServiceSettings",
    "Settings",
    "WebSettings",
    "WrongValue",
    "load_settings",
    "save_modem_period",
    "setting_names",
    "settings_of",
    "usable_settings",
]

CONFIG_NAME = "remsim_console"


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a router."""

    service: ServiceSettings = field(default_factory=ServiceSettings)
    history: HistorySettings = field(default_factory=HistorySettings)
    web: WebSettings = field(default_factory=WebSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    modems: tuple[ModemSettings, ...] = ()
    alerts: tuple[AlertSettings, ...] = ()
    channels: tuple[ChannelSettings, ...] = ()
    sims: tuple[SimSettings, ...] = ()
    outputs: tuple[OutputSettings, ...] = ()
    remote_sim: RemoteSimSettings = field(default_factory=RemoteSimSettings)
    remsim_servers: tuple[RemsimServerSettings, ...] = ()
    remote_clients: tuple[RemoteClientSettings, ...] = ()
    ionmesh: IonMeshSettings = field(default_factory=IonMeshSettings)
    esim: EsimSettings = field(default_factory=EsimSettings)
    esim_rules: tuple[EsimRuleSettings, ...] = ()
    esim_orders: tuple[EsimOrdersSettings, ...] = ()

    def modem_at(self, usb_path: str) -> ModemSettings:
        """The settings of the modem at a USB path."""
        for modem in self.modems:
            if modem.usb_path == usb_path:
                return modem
        service = self.service
        return ModemSettings(usb_path, period_s=service.period_s, probe_targets=service.probe_targets)


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
    found: dict[str, Any] = {}
    for row in SECTIONS.values():
        if row.many:
            found[row.place] = read_many(file, row, found["service"], on_error)
        else:
            found[row.place] = row.kind(**read_one(file, row, on_error))
    web: WebSettings = found["web"]
    if web.max_streams >= web.threads:
        line = max((section.line_of("max_streams") for section in file.sections("web")), default=0)
        text = f"{CONFIG_NAME}.web.max_streams must be below threads ({web.threads})"
        on_error(WrongValue(file.name, line, text, "max_streams"))
        found["web"] = replace(web, max_streams=web.threads - 1)
    return Settings(**found)


def read_one(file: UciFile, row: SectionType, on_error: Callable[[RemsimError], None]) -> dict[str, Any]:
    """The values of the sections of a type there is one of, later ones winning."""
    values: dict[str, Any] = {}
    for section in file.sections(row.name):
        values |= read_section(file, section, row.schema(), on_error)
    return values


def read_many(
    file: UciFile, row: SectionType, service: ServiceSettings, on_error: Callable[[RemsimError], None]
) -> tuple[Any, ...]:
    """All sections of a type; one without what it needs is told and left out."""
    inherited = {name: getattr(service, option) for name, option in (row.inherits or {}).items()}
    schema = row.schema()
    sections = file.sections(row.name)
    if len(sections) > row.most:
        line = sections[row.most].head.number
        text = f"there are {len(sections)} sections of type {row.name}, and {row.most} at most are read"
        on_error(WrongValue(file.name, line, f"{CONFIG_NAME}.{row.name}: {text}", row.name))
    found = []
    for section in sections[: row.most]:
        if row.named_by is not None and section.name is None:
            text = f"{CONFIG_NAME}.{row.name}: the section needs a name"
            on_error(WrongValue(file.name, section.head.number, text, row.named_by))
            continue
        values = inherited | read_section(file, section, schema, on_error)
        if row.named_by is not None:
            values[row.named_by] = section.name
        if all(name in values for name, one in schema.fields.items() if one.required):
            found.append(row.kind(**values))
    return tuple(found)


def read_section(
    file: UciFile, section: UciSection, schema: Options, on_error: Callable[[RemsimError], None]
) -> dict[str, Any]:
    """The validated values of one section. Unknown options are left alone."""
    raw = raw_values(section, schema)
    try:
        loaded: dict[str, Any] = schema.load(raw)
    except ValidationError as error:
        wrong = {str(option): told for option, told in error.messages_dict.items()}
        for option, told in wrong.items():
            path = f"{CONFIG_NAME}.{section.name or section.type}.{option}"
            on_error(WrongValue(file.name, section.line_of(option), f"{path}: {first_text(told).rstrip('.')}", option))
        valid = error.valid_data if isinstance(error.valid_data, dict) else {}
        loaded = {name: value for name, value in valid.items() if name not in wrong}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in loaded.items()}


def raw_values(section: UciSection, schema: Options) -> dict[str, Any]:
    """A section's known options as UCI has them: texts, and lists of texts."""
    lists = {name for name, one in schema.fields.items() if isinstance(one, Lines | Several)}
    return {
        option: section.get_list(option) if option in lists else section.get(option)
        for option in section.options()
        if option in schema.fields
    }


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
    """Every setting as ``section.option``, for the documentation's test. Sections with a page of their own are told
    of with that page.
    """
    return [f"{row.name}.{option}" for row in SECTIONS.values() if row.page is None for option in row.schema().fields]
