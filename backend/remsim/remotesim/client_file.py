"""``/etc/config/remsim``, the file of the client's own package: what in it works, what is wrong, what has no effect.

Read only, but for one thing: ending that package's service when its client is taken over. Source: the packages
osmo-remsim-client and luci-app-remsim 0.4.1, their init script and client.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from remsim.config.reading import first_text
from remsim.config.remote_sim import (
    LARGEST_GPIO,
    LARGEST_ID,
    IonMeshOptions,
    RemoteClientOptions,
    RemoteClientSettings,
)
from remsim.config.uci import UciFile, edited
from remsim.core.errors import Conflict, InvalidInput, RemsimError
from remsim.core.small_dataclass import dataclass

log = logging.getLogger(__name__)

NAME = "remsim"
INIT = Path("/etc/init.d/remsim")
STOP_S = 20.0
EXAMPLES = ("remsim.example.com", "ionmesh.example.com")
NOT_IN_A_SHELL = re.compile(r"[^A-Za-z0-9_./+:@%-]")
DEAD = {
    "modems.device": "read in dual mode only; with one modem the client takes /dev/ttyUSB2, else /dev/cdc-wdm0",
    "modems.sim_switch_gpio": "read in dual mode only; with one modem the client drives GPIO 20",
    "modems.reset_gpio": "read in dual mode only; with one modem the client drives GPIO 21",
    "monitoring.stats_interval": "the client does not read it",
    "monitoring.track_data_usage": "nobody reads it; the page Usage counts all traffic",
    "advanced.keep_running": "it is read and not used",
    "logging.syslog": "the client always logs to the system log",
    "heartbeat.interval": "the client sends no heartbeat of its own",
    "heartbeat.timeout": "the client sends no heartbeat of its own",
    "routing.force_iot_routing": "nobody reads it but /etc/remsim/setup-routing.sh, when you run that",
    "routing.iot_interface": "nobody reads it but /etc/remsim/setup-routing.sh, when you run that",
    "security.use_tls": "the client has no TLS: its traffic is not encrypted; use a VPN",
    "security.ca_cert": "the client has no TLS",
    "security.client_cert": "the client has no TLS",
    "security.client_key": "the client has no TLS",
}
"""Options that do nothing, and why."""
CLIENT = {
    "client.client_id": "client_id",
    "client.client_slot": "client_slot",
    "server.host": "server_host",
    "server.port": "server_port",
    "server.atr": "atr",
    "server.atr_ignore_rspro": "atr_ignore_rspro",
}
"""What becomes an option of a ``remote_client`` as it is."""
DUAL = {"modem1.sim_switch_gpio": "sim_switch_gpio", "modem1.reset_gpio": "reset_gpio"}
"""In dual mode only."""
IONMESH = {"ionmesh.tenant_id": "tenant_id", "ionmesh.mapping_mode": "mapping_mode", "ionmesh.mcc_mnc": "mcc_mnc"}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with an option; ``is_fatal``: its value cannot be used at all."""

    option: str
    message: str
    hint: str | None = None
    is_fatal: bool = False

    def as_dict(self) -> dict[str, Any]:
        """As in the API."""
        return {"option": self.option, "message": self.message, "hint": self.hint, "fatal": self.is_fatal}


class ClientFile:
    """What the file says; ``service`` is the init script that reads it, if there is one."""

    def __init__(self, file: UciFile, service: Path | None) -> None:
        self._file = file
        self.service = service

    def get(self, option: str) -> str:
        """The value of ``SECTION.OPTION``; empty when it is not set, as the init script takes it."""
        section, _, name = option.partition(".")
        found = self._file.section(section)
        return "" if found is None else found.get(name) or ""

    def is_on(self, option: str) -> bool:
        """Whether the init script takes a flag for set: it knows 1 only."""
        return self.get(option) == "1"

    @property
    def runs(self) -> bool:
        """Whether the package's own service starts its client."""
        return self.service is not None and self.is_on("service.enabled")

    @property
    def slot(self) -> tuple[int, int]:
        """What its client calls itself: without an id C0:0."""
        return number_of(self.get("client.client_id")), number_of(self.get("client.client_slot"))

    def dead(self) -> list[dict[str, str]]:
        """What is set and has no effect."""
        is_dual = self.is_on("modems.dual_modem")
        found = []
        for option, why in DEAD.items():
            if self.get(option):
                told = "with two modems modem1 and modem2 count" if is_dual and option.startswith("modems.") else why
                found.append({"option": option, "value": self.get(option), "why": told})
        return found

    def client(self) -> dict[str, Any]:
        """Options for a ``remote_client``, as texts, still to be validated."""
        taken = CLIENT | (DUAL if self.is_on("modems.dual_modem") else {})
        found: dict[str, Any] = {ours: self.get(theirs) for theirs, ours in taken.items() if self.get(theirs)}
        found["program"] = "openwrt"
        categories = self.get("logging.log_categories")
        if self.is_on("logging.debug") and "DRSPRO" in categories:
            found["log_categories"] = categories
        return found

    def ionmesh(self) -> dict[str, Any] | None:
        """Options for ``ionmesh``; None when it is off."""
        host, port = self.get("ionmesh.host"), self.get("ionmesh.port") or "5000"
        if not self.is_on("ionmesh.enabled") or not host:
            return None
        found: dict[str, Any] = {ours: self.get(theirs) for theirs, ours in IONMESH.items() if self.get(theirs)}
        return {"enabled": True, "url": f"http://{host}:{port}", **found}

    def faults(self) -> list[Fault]:
        """What is wrong, the worst first."""
        return sorted([*self._wrong_values(), *self._traps()], key=lambda fault: not fault.is_fatal)

    def _wrong_values(self) -> Iterator[Fault]:
        names = {ours: theirs for theirs, ours in (CLIENT | DUAL).items()}
        for ours, told in wrong_of(RemoteClientOptions(), self.client()).items():
            if ours == "client_id" and not self.get("client.client_id"):
                text = "is empty: the client calls itself C0:0, as every router without an id does"
                yield Fault("client.client_id", text, f"give it a number from 0 to {LARGEST_ID}", is_fatal=True)
            else:
                yield Fault(names.get(ours, ours), told, is_fatal=True)
        names = {ours: theirs for theirs, ours in IONMESH.items()} | {"url": "ionmesh.host"}
        for ours, told in wrong_of(IonMeshOptions(), self.ionmesh() or {}).items():
            yield Fault(names.get(ours, ours), told, is_fatal=True)
        if self.is_on("modems.dual_modem"):
            for option in ("modem2.sim_switch_gpio", "modem2.reset_gpio"):
                text = self.get(option)
                if text and not (text.isascii() and text.isdigit() and int(text) <= LARGEST_GPIO):
                    yield Fault(option, f"is not a whole number from 0 to {LARGEST_GPIO}", is_fatal=True)

    def _traps(self) -> Iterator[Fault]:
        """Values that are right and do not do what one expects."""
        if self.get("server.host") in EXAMPLES:
            text = "is the package's example and no host: the client ends at each attempt to connect"
            yield Fault("server.host", text, "name your server")
        yield from self._script_traps()
        if self.is_on("logging.debug") and "DRSPRO" not in self.get("logging.log_categories"):
            text = "switches all other lines off, those about the connection too"
            yield Fault("logging.log_categories", text, "DMAIN,3:DRSPRO,3 is useful")
        device = self.get("modem1.device")
        if not self.is_on("modems.dual_modem"):
            text = "with one modem the client opens its AT port, takes other programs' replies and floods the log when "
            text += "the modem restarts"
            yield Fault("modems.dual_modem", text, "take the client over into remsim, which starts it without a port")
        elif device and os.path.exists(device):
            text = f"the client opens {device}, takes other programs' replies and floods the log when it vanishes"
            yield Fault("modem1.device", text, "take the client over into remsim, which starts it without a port")

    def _script_traps(self) -> Iterator[Fault]:
        script = self.get("advanced.event_script")
        is_meshed = "ionmesh" in script
        if self.is_on("ionmesh.enabled") and not is_meshed:
            text = "sets IonMesh's address only: the client uses it if its event script has “ionmesh” in its path"
            yield Fault("ionmesh.enabled", text, "use /etc/remsim/ionmesh-event-script.sh as advanced.event_script")
        if is_meshed and not self.is_on("ionmesh.enabled"):
            text = "has “ionmesh” in its path, which switches IonMesh on, at 127.0.0.1:5000"
            yield Fault("advanced.event_script", text, "name it otherwise, or set ionmesh.enabled and ionmesh.host")
        if script and NOT_IN_A_SHELL.search(script):
            text = "has blanks or signs that a shell understands: the client hands it to one as it is"
            yield Fault("advanced.event_script", text, "give it a plain path")
        elif script and not os.access(script, os.X_OK):
            yield Fault("advanced.event_script", f"{script} is no program: nothing hears of the client's events")


def read_client_file(config_dir: Path | None, init: Path = INIT) -> ClientFile | None:
    """The file; None without one. ``UciError`` says where it is broken."""
    if config_dir is None or not (config_dir / NAME).exists():
        return None
    return ClientFile(UciFile.load(config_dir / NAME), init if init.exists() else None)


def client_of_file(config_dir: Path | None) -> RemoteClientSettings | None:
    """The client as far as it can be told; None without a file, or without a server in it."""
    found = read_client_file(config_dir)
    if found is None or not found.get("server.host"):
        return None
    schema = RemoteClientOptions()
    values = found.client()
    usable = {name: text for name, text in values.items() if name not in wrong_of(schema, values)}
    return RemoteClientSettings(**{"name": "remsim", "client_id": 0} | schema.load(usable, partial=True))


def service_slot(config_dir: Path | None, init: Path = INIT) -> tuple[int, int] | None:
    """The client slot that the package's own service runs; None when it runs none."""
    try:
        found = read_client_file(config_dir, init) if init.exists() else None
    except RemsimError as error:
        log.warning("%s", error.message)
        return None
    return found.slot if found is not None and found.runs else None


def end_service(config_dir: Path, init: Path = INIT) -> None:
    """Have the package's service start its client no more, and end it; ``Conflict`` when it does not."""
    with edited(config_dir / NAME) as file:
        section = file.section("service") or file.add("service", "service")
        section.set("enabled", "0")
    if init.exists():
        try:
            subprocess.run([init, "stop"], timeout=STOP_S, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise Conflict(f"{init} does not end its client: {error}", hint=f"run “{init} stop”") from error


def taken_over(file: ClientFile) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Values for ``remote_client`` and ``ionmesh``; ``InvalidInput`` names the first option that cannot be used."""
    fatal = next((fault for fault in file.faults() if fault.is_fatal), None)
    if fatal is not None:
        raise InvalidInput(f"remsim.{fatal.option} {fatal.message}", field=fatal.option, hint=fatal.hint)
    return file.client(), file.ionmesh()


def wrong_of(schema: Any, values: dict[str, Any]) -> dict[str, str]:
    """What a schema refuses, by its option."""
    try:
        schema.load(values)
    except ValidationError as error:
        return {str(option): first_text(told).rstrip(".") for option, told in error.messages_dict.items()}
    return {}


def number_of(text: str) -> int:
    """A number as the client takes it: what is none is 0."""
    match = re.match(r"\s*(\d{1,9})", text, re.ASCII)
    return int(match[1]) if match else 0
