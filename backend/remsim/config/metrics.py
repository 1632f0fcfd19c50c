"""What is told Prometheus, and where: section ``metrics`` of ``/etc/config/remsim_console``."""

from __future__ import annotations

from remsim.config.fields import Listen, Options, SectionType
from remsim.core.forms import Flag, Text, Whole
from remsim.core.small_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """``/metrics`` is at the service's own address in any case; ``enabled`` is the listener of its own."""

    enabled: bool = False
    listen: str = "127.0.0.1:9090"
    router_id: str = ""
    aliases: bool = True
    cells: int = 32


class MetricsOptions(Options):
    """Section ``metrics``."""

    enabled = Flag(
        metadata={
            "label": "Listener of their own",
            "help": "They are at /metrics of the web server in any case. This address answers nothing else",
        }
    )
    listen = Listen(metadata={"label": "Which listens on", "help": "HOST:PORT. A Prometheus on this router has 9090"})
    router_id = Text(
        0,
        64,
        metadata={
            "label": "Name of this router",
            "help": "The label router_id of every sample; empty: its host name",
            "live": True,
        },
    )
    aliases = Flag(
        metadata={
            "label": "Second names",
            "help": "Such as remsim_connection_latency_ms beside remsim_connection_latency_seconds",
            "advanced": True,
            "live": True,
        }
    )
    cells = Whole(
        0,
        1000,
        metadata={
            "label": "Cells shown of a modem in a day",
            "help": "Each is a series of its own, and tells where the router is; 0: none",
            "advanced": True,
            "live": True,
        },
    )


METRICS = SectionType(
    "metrics",
    MetricsOptions,
    MetricsSettings,
    "metrics",
    "Metrics",
    "For Prometheus: /metrics, with an API token of the scope metrics",
)
