"""What IonMesh has given each client of this router, and the file that keeps it while IonMesh is away."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from remsim.config.remote_sim import HOST, LARGEST_ID, IonMeshSettings
from remsim.core.files import write_atomically
from remsim.core.small_dataclass import dataclass

log = logging.getLogger(__name__)

CACHE = "ionmesh.json"
LARGEST_CACHE = 4 * 1024 * 1024
ENDPOINT = re.compile(r"(?:[a-z]{1,5}://)?(?P<host>\[[0-9A-Fa-f:]{2,45}\]|[^:/\[\]]+)(?::[0-9]{1,5})?/?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Assignment:
    """One client's slot. It says hello to the server as client ``bank_id``:``slot_id``.

    ``server_host`` is the host of what the orchestrator calls bankd_endpoint: the stock client takes it for that of the
    remsim-server and keeps its own port, so do we. None: as configured.
    """

    bank_id: int
    slot_id: int
    server_host: str | None = None
    mapping_mode: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    profile_id: str | None = None
    heartbeat_interval: float | None = None
    ki_proxy_enabled: bool | None = None


def assignment_of(answer: dict[str, Any]) -> Assignment | None:
    """The assignment in an answer; None when its ids are none."""
    bank_id, slot_id = number_of(answer.get("bank_id")), number_of(answer.get("slot_id"))
    if bank_id is None or slot_id is None:
        return None
    ki_proxy = answer.get("ki_proxy_enabled")
    return Assignment(
        bank_id,
        slot_id,
        server_host=host_of(answer.get("bankd_endpoint")) or host_of(answer.get("server_host")),
        mapping_mode=text_of(answer.get("mapping_mode")),
        iccid=text_of(answer.get("iccid")),
        imsi=text_of(answer.get("imsi")),
        profile_id=text_of(answer.get("profile_id")),
        heartbeat_interval=seconds_of(answer.get("heartbeat_interval")),
        ki_proxy_enabled=ki_proxy if isinstance(ki_proxy, bool) else None,
    )


def number_of(value: Any) -> int | None:
    """An id of a bank or a slot, also where it is written as text."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,4}", value, re.ASCII):
        value = int(value)
    return value if type(value) is int and 0 <= value <= LARGEST_ID else None


def text_of(value: Any) -> str | None:
    """One short line."""
    return value if isinstance(value, str) and 0 < len(value) <= 64 and value.isprintable() else None


def seconds_of(value: Any) -> float | None:
    """A number of seconds above 0; JSON as Python reads it knows infinity and others."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        return None
    return float(value)


def host_of(endpoint: Any) -> str | None:
    """The host of an endpoint like ``http://host:9999``; what is no host never gets on a command line."""
    match = ENDPOINT.fullmatch(endpoint) if isinstance(endpoint, str) and len(endpoint) < 256 else None
    host = match["host"].strip("[]") if match else ""
    return host if re.fullmatch(HOST, host, re.ASCII) else None


def read_cache(state_dir: Path) -> dict[str, Any]:
    """What was kept; empty when there is nothing or it cannot be used."""
    path = state_dir / CACHE
    try:
        if path.stat().st_size > LARGEST_CACHE:
            raise ValueError("it is too large")
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        log.warning("what IonMesh said before cannot be read from %s: %s", path, error)
        return {}
    return found if isinstance(found, dict) else {}


def write_cache(state_dir: Path, content: dict[str, Any]) -> None:
    """Keep it, for the owner's eyes only; ``OSError`` when that fails."""
    write_atomically(state_dir / CACHE, json.dumps(content, separators=(",", ":")).encode())


def read_assignments(state_dir: Path, settings: IonMeshSettings) -> dict[str, Assignment]:
    """Each client's assignment by the client's name, without the service. None of another orchestrator or tenant."""
    found: dict[str, Assignment] = {}
    cache = read_cache(state_dir) if settings.enabled else {}
    for name, one in clients_in(cache, settings).items():
        kept = kept_assignment(one)
        if kept is not None and not one.get("released"):
            found[name] = kept
    return found


def clients_in(cache: dict[str, Any], settings: IonMeshSettings) -> dict[str, dict[str, Any]]:
    """What is kept of each client at the orchestrator of these settings."""
    clients = cache.get("clients")
    if not isinstance(clients, dict) or cache.get("of") != origin_of(settings):
        return {}
    return {str(name): one for name, one in clients.items() if isinstance(one, dict)}


def origin_of(settings: IonMeshSettings) -> list[Any]:
    """Whose answers are kept."""
    return [settings.url.rstrip("/"), settings.tenant_id]


def kept_assignment(kept: dict[str, Any]) -> Assignment | None:
    """A client's assignment out of the file, looked at as if it came from the orchestrator."""
    content = kept.get("assignment")
    return assignment_of(content) if isinstance(content, dict) else None


def as_kept(assignment: Assignment) -> dict[str, Any]:
    """An assignment as the file has it."""
    return {name: value for name, value in asdict(assignment).items() if value is not None}
