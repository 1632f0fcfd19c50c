"""The typed settings of ``/etc/config/remsim_console``, with defaults for all of them.

Each message names the option as a router admin writes it: ``remsim_console.web.max_streams``, with file and line.
"""

from __future__ import annotations

from dataclasses import field, replace
from pathlib import Path
from typing import Any

from remsim.config.alerting import AlertSettings
from remsim.config.channels import ChannelSettings
from remsim.config.esim import EsimSettings
from remsim.config.esim_orders import EsimOrdersSettings
from remsim.config.esim_rules import EsimRuleSettings
from remsim.config.metrics import MetricsSettings
from remsim.config.outputs import OutputSettings
from remsim.config.reading import OnError, WrongValue, read_many, read_one, refuse
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
from remsim.config.uci import UciFile, edited
from remsim.core.errors import RemsimError
from remsim.core.small_dataclass import dataclass

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


def settings_of(file: UciFile, on_error: OnError = refuse) -> Settings:
    """The settings in a parsed file; ``on_error`` hears of each value that cannot be used."""
    found: dict[str, Any] = {}
    for row in SECTIONS.values():
        if row.many:
            inherited = {name: getattr(found["service"], option) for name, option in (row.inherits or {}).items()}
            found[row.place] = read_many(file, row, inherited, on_error)
        else:
            found[row.place] = row.kind(**read_one(file, row, on_error))
    web: WebSettings = found["web"]
    if web.max_streams >= web.threads:
        line = max((section.line_of("max_streams") for section in file.sections("web")), default=0)
        text = f"{CONFIG_NAME}.web.max_streams must be below threads ({web.threads})"
        on_error(WrongValue(file.name, line, text, "max_streams"))
        found["web"] = replace(web, max_streams=web.threads - 1)
    return Settings(**found)


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
