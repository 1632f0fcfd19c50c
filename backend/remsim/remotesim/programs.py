"""How each client is started: its command line and environment, and why one cannot be.

Source: osmo-remsim 4b36651 and the fork with client-openwrt, src/client/remsim_client_main.c and user_openwrt.c.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from urllib.parse import urlsplit

import remsim
from remsim.config.remote_sim import IonMeshSettings, RemoteClientSettings
from remsim.core.small_dataclass import dataclass
from remsim.remotesim.assignment import Assignment
from remsim.remotesim.relay_place import (
    RELAYS,
    has_relay,
    relay_address,
    relay_command,
    relay_port,
)
from remsim.remotesim.slotmap import place_text

PROGRAMS = {name: f"osmo-remsim-client-{name}" for name in ("st2", "openwrt", "shell")}
IONMESH = "ionmesh"
"""Of an event script's path: client-openwrt then registers with IonMesh by itself. Nothing else switches that on."""
NO_PORT = "/dev/no-modem-for-osmo-remsim"
"""What client-openwrt gets for its modem. It fails to open it once and goes on; of a port that it has, it steals the
replies, and when that vanishes it spins and writes 25 MB of log in 1.5 s."""
NO_GPIO = "-1"
"""Exporting it fails, is logged and changes nothing; without any, it drives GPIO 20 to 22 of whatever board this is."""
RELAY_SUFFIX = "-relay"
SEARCHED = "/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are looked for without PATH: procd's jail passes on none."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One process that is to run: a client, or the relay that it goes through (``NAME-relay``)."""

    name: str
    client: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_relay(self) -> bool:
        """Whether it is the relay of its client."""
        return self.name != self.client


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a client is not started; ``field`` is the option at fault."""

    field: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What a start depends on beside the client's own settings.

    ``programs`` holds the clients' programs; None: they are on the path. ``theirs`` is the client slot that the client
    package's own service runs, None when it runs none. ``by_procd``: procd runs them.
    """

    state_dir: Path
    data_dir: Path
    script: Path
    programs: Path | None = None
    ionmesh: IonMeshSettings = field(default_factory=IonMeshSettings)
    assignments: Mapping[str, Assignment] = field(default_factory=dict)
    theirs: tuple[int, int] | None = None
    by_procd: bool = False


def instances_of(client: RemoteClientSettings, ground: Ground) -> list[Instance]:
    """What is to run for a client, in the order of starting."""
    given = None if registers_itself(client, ground.ionmesh) else ground.assignments.get(client.name)
    if given is not None and given.server_host:
        client = replace(client, server_host=given.server_host)
    found = []
    if has_relay(client):
        package = str(Path(remsim.__file__).resolve().parents[1])
        command = tuple(relay_command(client, ground.data_dir / RELAYS))
        found.append(Instance(client.name + RELAY_SUFFIX, client.name, command, {"PYTHONPATH": package}))
    slot = (client.client_id, client.client_slot) if given is None else (given.bank_id, given.slot_id)
    command = tuple(command_of(client, slot, ground))
    return [*found, Instance(client.name, client.name, command, environment_of(client, ground))]


def command_of(client: RemoteClientSettings, slot: tuple[int, int], ground: Ground) -> Iterator[str]:
    """A client's command line. Both ids are always there: without, all clients would be C0:0."""
    host, port = client.server_host, client.server_port
    if has_relay(client):
        host, port = relay_address(client.client_id, client.client_slot), relay_port(ground.data_dir / RELAYS)
    name = PROGRAMS[client.program]
    yield program_at(name, ground) or name
    yield from ("-i", host, "-p", str(port), "-c", str(slot[0]), "-n", str(slot[1]))
    if client.atr:
        yield from ("-a", client.atr)
    if client.atr_ignore_rspro:
        yield "-r"
    if client.program == "st2" and client.usb_path:
        yield from ("-H", client.usb_path)
    yield from ("-e", script_call(client, ground), "-L", "-d", client.log_categories)


def program_at(name: str, ground: Ground) -> str | None:
    """Where a client's program is; None: it is not installed."""
    where = ground.programs if ground.programs is not None else os.environ.get("PATH") or SEARCHED
    return shutil.which(name, path=str(where))


def script_call(client: RemoteClientSettings, ground: Ground) -> str:
    """What the client hands to its shell, before the cause of an event.

    The client passes hardly anything of its environment on, so what the script has to know stands here. ``ionmesh`` in
    it is a switch and must not come about by the name of a client or a folder: quotes part it, which a shell joins.
    """
    words = [f"REMSIM_STATE={word(ground.state_dir)}", f"REMSIM_CLIENT_NAME={word(client.name)}", word(ground.script)]
    if registers_itself(client, ground.ionmesh):
        words.insert(0, f"REMSIM_ORCHESTRATOR={IONMESH}")
    return " ".join(words)


def word(value: object) -> str:
    """A word for the shell without the word that switches IonMesh on."""
    return shlex.quote(str(value)).replace(IONMESH, "ion''mesh")


def registers_itself(client: RemoteClientSettings, ionmesh: IonMeshSettings) -> bool:
    """Whether a client asks IonMesh by itself: client-openwrt can, by plain HTTP without a key."""
    parts = urlsplit(ionmesh.url)
    is_plain = parts.scheme == "http" and parts.path.strip("/") == "" and ionmesh.api_key is None
    return client.program == "openwrt" and ionmesh.enabled and is_plain


def environment_of(client: RemoteClientSettings, ground: Ground) -> dict[str, str]:
    """What a client's environment has beside what every program's has."""
    if client.program != "openwrt":
        return {}
    gpios = {"MODEM1_SIM_GPIO": client.sim_switch_gpio, "MODEM1_RESET_GPIO": client.reset_gpio}
    found = {
        "OPENWRT_DUAL_MODEM": "1",
        "MODEM1_DEVICE": NO_PORT,
        **{name: NO_GPIO if gpio is None else str(gpio) for name, gpio in gpios.items()},
        "MODEM2_DEVICE": NO_PORT,
        "MODEM2_SIM_GPIO": "0",
        "MODEM2_RESET_GPIO": NO_GPIO,
        "OPENWRT_SIGNAL_INTERVAL": "0",
    }
    if registers_itself(client, ground.ionmesh):
        parts = urlsplit(ground.ionmesh.url)
        found |= {
            "IONMESH_HOST": parts.hostname or "",
            "IONMESH_PORT": str(parts.port or 80),
            "IONMESH_TENANT_ID": str(ground.ionmesh.tenant_id),
            "IONMESH_MAPPING_MODE": ground.ionmesh.mapping_mode,
        }
        if ground.ionmesh.mcc_mnc:
            found["IONMESH_MCC_MNC"] = ground.ionmesh.mcc_mnc
    return found


def refusals(clients: Sequence[RemoteClientSettings], ground: Ground) -> dict[str, Refusal]:
    """Why clients are not started, by their names. Of two that are in each other's way the first one runs."""
    found: dict[str, Refusal] = {}
    running: list[RemoteClientSettings] = []
    for client in clients:
        if client.enabled:
            refusal = refusal_of(client, running, ground)
            if refusal is None:
                running.append(client)
            else:
                found[client.name] = refusal
    return found


def refusal_of(
    client: RemoteClientSettings, running: Sequence[RemoteClientSettings], ground: Ground
) -> Refusal | None:
    """Why a client is not started beside those that run."""
    slot = place_text((client.client_id, client.client_slot))
    for other in running:
        refusal = beside(client, other, is_named_by_slot=registers_itself(client, ground.ionmesh))
        if refusal is not None:
            return refusal
    if ground.theirs == (client.client_id, client.client_slot):
        return Refusal(
            "client_slot",
            f"the client package's own service (/etc/init.d/remsim) runs C{slot} already",
            "end that service, or give this client another slot",
        )
    program = PROGRAMS[client.program]
    if client.program == "shell" and ground.by_procd:
        return Refusal("program", f"{program} wants a terminal, which no service has", "start it by hand, for tests")
    if program_at(program, ground) is None:
        return Refusal("program", f"{program} is not installed", "install the package that has it")
    return None


def beside(client: RemoteClientSettings, other: RemoteClientSettings, *, is_named_by_slot: bool) -> Refusal | None:
    """Why two clients are in each other's way."""
    if (client.client_id, client.client_slot) == (other.client_id, other.client_slot):
        slot = place_text((client.client_id, client.client_slot))
        text = f"client {other.name} is C{slot}, too, and a server takes one of them only"
        return Refusal("client_slot", text, "give it another slot")
    if client.modem is not None and client.modem == other.modem:
        return Refusal("modem", f"client {other.name} has this modem already", "give it another modem")
    if client.program != other.program:
        return None
    if client.program == "st2" and (client.usb_path or "") == (other.usb_path or ""):
        which = "the same SIMtrace2 board" if client.usb_path else "no place of its SIMtrace2 board either"
        return Refusal("usb_path", f"client {other.name} has {which}", "name the place of each board, like 1-1.2")
    if is_named_by_slot and client.client_slot == other.client_slot:
        text = f"IonMesh cannot tell it from {other.name}: this program names the router and its slot only"
        return Refusal("client_slot", text, "give it another slot")
    return None
