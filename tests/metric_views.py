"""A router where every source of metrics has something to tell, for tests of them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from remsim.config.outputs import OutputSettings
from remsim.config.settings import Settings
from remsim.config.sims import SimSettings
from remsim.core.bus import Bus
from remsim.core.clock import FakeClock, iso_utc
from remsim.core.reading import ModemReading
from remsim.metric_sources.desk import Metrics
from remsim.metric_sources.gathering import Owners
from remsim.telemetry.usage import Usage

NOW = 1_767_225_600.0
SIM = "sim-1a2b3c4d"
NUMBERS = {one.name for one in fields(ModemReading) if "float" in str(one.type) or "int" in str(one.type)}


def reading(modem: str = "modem1", at: float = NOW, **values: Any) -> ModemReading:
    """One that knows everything."""
    known: dict[str, Any] = {name: 7 for name in NUMBERS if name != "at"}
    known |= {
        "state": "online",
        "registration": "home",
        "rat": "LTE",
        "mode": "NSA",
        "operator": "Operator A",
        "plmn": "99901",
        "sim_state": "READY",
        "sim_slot": 1,
        "sim": SIM,
        "interface": "wwan0",
        "latency_ms": 35.0,
        "loss_percent": 50.0,
        "rx_bits_per_s": 8_000_000.0,
        "tx_bits_per_s": 2_000_000.0,
        "rx_bytes": 1_048_576,
        "tx_bytes": 524_288,
    }
    return ModemReading(modem, at, **(known | values))


def view(modem: str = "modem1", last: ModemReading | None = None, **values: Any) -> dict[str, Any]:
    """A modem's view, as far as metrics look at it."""
    known: dict[str, Any] = {
        "id": modem,
        "name": "Roof",
        "vendor": "quectel",
        "model": "RM520N-GL",
        "firmware": "R01",
        "usb_path": "1-1.1",
        "interface": "wwan0",
        "state": "online",
        "state_since": iso_utc(NOW - 60),
        "sim": SIM,
        "effective_period_s": 1.0,
        "at_commands_total": 46,
        "reading": (last or reading(modem)).as_dict(),
    }
    return known | values


def remote(**values: Any) -> dict[str, Any]:
    """The object of ``GET /api/v1/remote-sim``, with all that metrics look at."""
    counted = {
        "tpdu_rx": 1234,
        "tpdu_tx": 5678,
        "authentications": {"success": 42, "failure": {"9862": 2, "6985": 1}, "resync": 3, "unknown": 4},
        "apdu_seconds": {"buckets": [[0.005, 1], [0.1, 9], ["+Inf", 10]], "sum": 0.5, "count": 10},
        "counted_since": iso_utc(NOW - 3600),
    }
    client = {
        "name": "roof",
        "client_slot": "5:0",
        "bank_slot": "1:2",
        "modem": "modem1",
        "state": "remote",
        "since": iso_utc(NOW - 100),
        "configured": True,
        "server_link": {"up": True, "since": iso_utc(NOW - 120)},
        "bankd_link": {"up": True, "since": iso_utc(NOW - 90)},
        "process": {"running": True, "restarts": 1, "program": "st2"},
        "reconnects": 2,
        "relay": {"enabled": True, "running": True},
        **counted,
    }
    known: dict[str, Any] = {
        "servers": [{"name": "main", "reachable": True, "restarted_at": iso_utc(NOW - 500)}],
        "banks": [{"server": "main", "bank_id": 1, "slots": 8, "connected": True}],
        "clients": [client, {"name": None, "client_slot": "9:0", "state": "unknown", "configured": False}],
        "slotmaps": [
            {"server": "main", "state": "ACTIVE", "desired": True},
            {"server": "main", "state": "NEW", "desired": True, "conflict": "two want it"},
            {"server": "main", "state": None, "desired": True, "held": "the modem is online"},
        ],
        "spool": {"waiting": 1, "dropped": 2},
        "gsmtap": {"tpdu_rx": 1, "tpdu_tx": 2, "counted_since": None},
        "ionmesh": {"state": "registered"},
    }
    return known | values


def esim() -> dict[str, Any]:
    """What eSIM counts of the one modem whose card was read."""
    states = {"enabled": 1, "disabled": 2}
    return {"holders": [{"id": "modem1", "read_at": NOW, "free_bytes": 320_000, "states": states, "notifications": 1}]}


def links() -> dict[str, Any]:
    """A modem's link and one of a cable, with all that metrics look at."""
    modem = {
        "name": "wan1",
        "device": "wwan0",
        "modem": "modem1",
        "state": "up",
        "failures": 2,
        "down_bps": 20e6,
        "up_bps": None,
        "share_percent": {"interactive": 62.5, "bulk": 100.0},
        "flows": 42,
        "latency_ms": 35.0,
        "jitter_ms": 2.0,
        "loss_percent": 0.1,
        "rx_bps": 8e6,
        "tx_bps": 1e6,
    }
    none = dict.fromkeys(("share_percent", "flows", "latency_ms", "jitter_ms", "loss_percent", "rx_bps", "tx_bps"))
    cable = modem | {"name": "cable", "device": "eth1", "modem": None, "state": "down"} | none
    return {"links": [modem, cable], "failovers": 3}


def policies() -> list[dict[str, Any]]:
    """One policy in force."""
    return [{"name": "voip", "hits": 7, "is_open": True}]


class Outputs:
    """One output that does well."""

    def state_of(self, name: str) -> dict[str, Any] | None:
        return {"problem": None, "sent_samples": 5, "dropped": 1, "waiting_bytes": 100}


class Router:
    """Metrics with sources that a test can change: ``views``, ``remote``, ``esim``, ``links`` and ``policies``."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.clock = FakeClock(NOW)
        self.bus = Bus()
        self.views: list[dict[str, Any]] = [view()]
        self.remote = remote()
        self.esim = esim()
        self.links = links()
        self.policies = policies()
        self.usage = Usage(directory / "usage.db", clock=self.clock)
        for day, count in ((3, 0), (2, 100), (0, 600)):  # the first reading counts nothing, it is where counting begins
            self.usage.record(reading(at=NOW - day * 86400, rx_bytes=count, tx_bytes=count))
        plan = SimSettings("sim_1a2b3c4d", "Plan A", cap_gb=1.0, price_cycle=9.9, currency="EUR")
        self.settings = Settings(sims=(plan,), outputs=(OutputSettings("office"),), **settings)
        self.owners = Owners(
            version="1.2.3",
            clock=self.clock,
            started_at=lambda: NOW - 1000,
            modems=lambda: self.views,
            remote_sim=lambda: self.remote,
            alerts=lambda: {("firing", "critical"): 1, ("pending", "warning"): 2},
            outputs=Outputs(),
            usage=self.usage,
            stores=lambda: {"series": "the disk is full", "journal": None},
            write_errors=lambda: 3,
            problems=lambda: 1,
            storages={"data": directory},
            esim=lambda: self.esim,
            links=lambda: self.links,
            policies=lambda: self.policies,
        )
        self.metrics = Metrics(lambda: self.owners, settings=self.settings, bus=self.bus)
        self.metrics.stream_clients = lambda: 4
