"""``/api/v1/diagnostics``: what an admin looks at when something is wrong; ``/api/v1/about``: what this service is."""

from __future__ import annotations

import contextlib
import os
import platform
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Blueprint, current_app, request

from remsim.core.clock import FIRST_TRUSTED, iso_utc
from remsim.core.masking import masked
from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.state import problems

bp = Blueprint("diagnostics", __name__)

ERRORS_SHOWN = 20
MODEM_FACTS = (
    *("id", "name", "vendor", "model", "firmware", "usb_path", "port", "control_port", "interface", "state", "stage"),
    *("reason", "problem", "notices", "port_users", "effective_period_s"),
)
API_VERSION = 1
MIN_APP_VERSION = "0.1.0"
"""The oldest mobile app that understands this API."""
LICENCES = (
    {"name": "remsim", "licence": "GPL-2.0-or-later", "file": None},
    {"name": "Chart.js", "licence": "MIT", "file": "vendor/LICENSE.chartjs.md"},
)
"""Of what the pages are made of; ``file`` is below ``htdocs``."""


@bp.get("/about")
@requires_scope("read")
@describes("What this service is: version, licences, and what it can do, for programs that know several versions")
def about() -> dict[str, Any]:
    """``capabilities`` are the parts of the API that are there."""
    router = services().router
    names = {rule.endpoint.partition(".")[0] for rule in current_app.url_map.iter_rules() if "/api/" in rule.rule}
    return {
        "name": "remsim",
        "version": router.version,
        "api_version": API_VERSION,
        "min_app_version": MIN_APP_VERSION,
        "capabilities": sorted(names),
        "simulated": router.simulated,
        "licences": list(LICENCES),
    }


@bp.get("/diagnostics")
@requires_scope("read")
@describes("How the service does: process, storage, databases, clock, modems, last errors, and a text for a report")
def diagnostics() -> dict[str, Any]:
    """Sizes in bytes; what this system does not tell is ``null``."""
    parts = services()
    router = parts.router
    now = router.clock.now()
    state_dir, data_dir = Path(router.state_dir), Path(router.data_dir)
    series = list(data_dir.glob("*/*.rrd"))
    errors, _next = router.journal.query(limit=ERRORS_SHOWN, severities=("error",))
    facts: dict[str, Any] = {
        "at": iso_utc(now),
        "service": {
            "version": router.version,
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.release()} ({platform.machine()})",
            "simulated": router.simulated,
            "started_at": iso_utc(router.started_at),
            "uptime_s": round(now - router.started_at),
            "memory_bytes": memory_bytes(),
            "threads": threading.active_count(),
        },
        "web": {
            "listen": f"{request.environ['SERVER_NAME']}:{request.environ['SERVER_PORT']}",
            "streams_open": parts.streams.open,
            "streams_max": parts.streams.cap,
        },
        "clock": {"is_set": now >= FIRST_TRUSTED},
        "storage": [{"name": "data", **space_of(data_dir)}, {"name": "state", **space_of(state_dir)}],
        "databases": [{"name": path.stem, "bytes": size_of(database_files(path))} for path in databases(state_dir)],
        "series": {"files": len(series), "bytes": size_of(series)},
        "modems": [{name: modem.get(name) for name in MODEM_FACTS} for modem in router.modems.views()],
        "problems": problems(parts),
        "errors": [{**event.as_dict(), "message": masked(event.message)} for event in errors],
    }
    facts["text"] = "\n".join(report(facts)) + "\n"
    return facts


def memory_bytes() -> int | None:
    """What the process has in memory now."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return None


def space_of(directory: Path) -> dict[str, Any]:
    """The file system a directory is on."""
    with contextlib.suppress(OSError):
        system = os.statvfs(directory)
        return {
            "path": str(directory),
            "free_bytes": system.f_bavail * system.f_frsize,
            "total_bytes": system.f_blocks * system.f_frsize,
            "is_writable": os.access(directory, os.W_OK),
        }
    return {"path": str(directory), "free_bytes": None, "total_bytes": None, "is_writable": False}


def databases(state_dir: Path) -> list[Path]:
    """The SQLite files, in the order of their names."""
    return sorted(state_dir.glob("*.db"))


def database_files(path: Path) -> list[Path]:
    """A database and what SQLite keeps beside it."""
    return [path, *path.parent.glob(f"{path.name}-*")]


def size_of(paths: list[Path]) -> int:
    """Bytes of files, of which one may be gone meanwhile."""
    total = 0
    for path in paths:
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


def report(facts: dict[str, Any]) -> Iterator[str]:
    """The same as lines for a bug tracker, a forum or a mail, without what identifies anybody."""
    service, web = facts["service"], facts["web"]
    yield f"remsim {service['version']} on {service['system']}, Python {service['python']}"
    if service["simulated"]:
        yield "The modems are simulated."
    memory = service["memory_bytes"]
    used = "?" if memory is None else f"{memory / 1e6:.0f} MB"
    yield f"up {service['uptime_s']} s, {used} in memory, {service['threads']} threads"
    yield f"listens on {port_only(web['listen'])}, {web['streams_open']} of {web['streams_max']} live streams open"
    yield f"clock {'set' if facts['clock']['is_set'] else 'not set'}: {facts['at']}"
    for one in facts["storage"]:
        free = "not readable" if one["free_bytes"] is None else f"{one['free_bytes'] / 1e6:.1f} MB free"
        yield f"{one['name']}: {free}{'' if one['is_writable'] else ', cannot be written'}"
    files = ", ".join(f"{one['name']} {one['bytes'] / 1e6:.2f} MB" for one in facts["databases"])
    yield f"databases: {files or 'none'}; series: {facts['series']['files']} files"
    for problem in facts["problems"]:
        yield f"problem: {masked(problem['message'])}"
    for modem in facts["modems"]:
        words = (modem["vendor"], modem["model"], modem["firmware"], modem["usb_path"], modem["port"], modem["state"])
        yield f"{modem['id']}: {' '.join(str(word) for word in words if word)}"
        if modem["problem"]:
            yield f"  {masked(str(modem['problem']))}"
    for event in facts["errors"]:
        yield f"{event['at']} {event['source']}: {event['message']}"


def port_only(listen: str) -> str:
    """An address as far as it says nothing about the network it is in."""
    host, _, port = listen.rpartition(":")
    shown = host if host in ("0.0.0.0", "[::]", "127.0.0.1", "[::1]", "localhost") else "an address"
    return f"{shown}:{port}"
