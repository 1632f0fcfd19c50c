"""What the command line says and the settings that follow from it.

Apart from the router, because the server's arbiter needs these and must not load all of a router to get them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from remsim.config.settings import Settings, load_settings, usable_settings
from remsim.core.errors import RemsimError, StorageError
from remsim.core.small_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class EsimSimulation:
    """The servers of profiles beside virtual modems.

    ``ca_file`` is the root their certificates are under, ``hosts`` where a host name is instead of in the DNS
    (``127.0.0.1:8443``), ``codes`` what there is to scan: what comes of it, and the activation code.
    """

    ca_file: Path
    hosts: dict[str, str]
    codes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Simulation:
    """Where the virtual devices are, and what the router may do to them.

    ``history(start, end, modem_ids, sims)`` yields readings and events of simulated time in the order of time;
    ``control`` has ``fault(modem_usb_path, fault, **args)``, ``modems()`` and ``deliver_sms(modem_usb_path, pdu)``.
    ``plane`` carries the links: a simulated router never touches the network of the machine that it runs on.
    ``programs`` holds osmo-remsim's clients under their own names. ``slotmaps``: bank slots and clients, the maps that
    a router without any is to want. ``esim`` is None where the simulation has no eSIM.
    """

    count: int
    sysfs_root: Path
    dev_root: Path
    config_dir: Path
    control: Any
    history: Any
    plane: Any
    programs: Path | None = None
    slotmaps: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()
    esim: EsimSimulation | None = None


@dataclass(frozen=True, slots=True)
class RouterOptions:
    """What the command line says; None means: as configured."""

    data_dir: Path | None = None
    state_dir: Path | None = None
    config_dir: Path | None = None
    simulation: Simulation | None = None
    backfill_s: float = 0.0


def effective_settings(options: RouterOptions) -> tuple[Settings, list[RemsimError]]:
    """The settings in force, and what of the configured ones is not because it cannot be used.

    A router with a broken file must still be reachable, so it runs on defaults and says so.
    """
    settings, problems = usable_settings(config_dir_of(options))
    return overlay(options, settings), problems


def config_dir_of(options: RouterOptions) -> Path | None:
    """Where the settings are read and changed: a simulated router has a folder of its own unless it is given one."""
    if options.config_dir is None and options.simulation is not None:
        return options.simulation.config_dir
    return options.config_dir


def overlay(options: RouterOptions, settings: Settings) -> Settings:
    """The settings with what the command line says instead, and the virtual modems."""
    if options.simulation is not None:
        simulated = load_settings(options.simulation.config_dir)
        service = replace(settings.service, probe_period_s=simulated.service.probe_period_s)
        own = {modem.usb_path for modem in settings.modems}
        modems = settings.modems + tuple(modem for modem in simulated.modems if modem.usb_path not in own)
        settings = replace(
            settings,
            modems=modems,
            service=service,
            remsim_servers=settings.remsim_servers or simulated.remsim_servers,
            remote_clients=settings.remote_clients or simulated.remote_clients,
        )
    service = settings.service
    if options.data_dir is not None:
        service = replace(service, data_dir=str(options.data_dir), state_dir=str(options.data_dir))
    if options.state_dir is not None:
        service = replace(service, state_dir=str(options.state_dir))
    return replace(settings, service=service)


def make_dirs(data_dir: Path, state_dir: Path) -> None:
    """Create the two directories; ``StorageError`` names the one that cannot be."""
    for name, path in (("data", data_dir), ("state", state_dir)):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"the {name} directory {path} cannot be created: {error.strerror}",
                field=f"--{name}",
                hint=f"give another one with --{name} DIR",
            ) from error
