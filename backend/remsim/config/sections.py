"""What is in ``/etc/config/remsim_console``: a dataclass and the schema of its options for each type of section."""

from __future__ import annotations

from remsim.config.alerting import ALERT
from remsim.config.channels import CHANNEL
from remsim.config.esim import ESIM
from remsim.config.esim_orders import ESIM_ORDERS
from remsim.config.esim_rules import ESIM_RULE
from remsim.config.fields import (
    PLACE,
    Folder,
    GpioLine,
    Limits,
    Listen,
    Options,
    Period,
    SectionType,
    Targets,
)
from remsim.config.metrics import METRICS
from remsim.config.outputs import OUTPUT
from remsim.config.remote_sim import IONMESH, REMOTE_CLIENT, REMOTE_SIM, REMSIM_SERVER
from remsim.config.sims import SIM
from remsim.core.forms import Choice, Flag, Text, Whole
from remsim.core.small_dataclass import dataclass

DEFAULT_PROBES = ("icmp:1.1.1.1", "icmp:8.8.8.8")
GPIO_HELP = "20, !20 (active low) or gpiochip0:20"


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
    proxied_at: str = ""


@dataclass(frozen=True, slots=True)
class QualitySettings:
    """From where a level is fair, good, excellent; peers differ, these are what most of them share."""

    rsrp_dbm: tuple[float, float, float] = (-100, -90, -80)
    rsrq_db: tuple[float, float, float] = (-20, -15, -10)
    sinr_db: tuple[float, float, float] = (0, 13, 20)
    rssi_dbm: tuple[float, float, float] = (-85, -75, -65)


CARD_WAYS = {
    "auto": "what its family is known for",
    "cgla": "AT+CGLA",
    "csim": "AT+CSIM",
    "qmi": "QMI",
    "mbim": "MBIM",
}
"""Ways to the applications of a card."""


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
    card_way: str = "auto"


class ServiceOptions(Options):
    """Section ``service``."""

    period_s = Period(
        metadata={"label": "Ask each modem every", "unit": "s", "help": "1 to 60 seconds, or off", "live": True}
    )
    probe_period_s = Period(
        metadata={
            "label": "Measure latency every",
            "unit": "s",
            "help": "1 to 60 seconds, or off; costs a little traffic",
        }
    )
    probe_targets = Targets(
        metadata={"label": "Latency is measured to", "help": "One a line: icmp:IP, tcp:IP:PORT or dns:IP[:PORT]"}
    )
    log_level = Choice(
        {"debug": "everything", "info": "what happens", "warning": "what you should look at", "error": "errors only"},
        metadata={"label": "What the log has"},
    )
    data_dir = Folder(
        metadata={
            "label": "Folder of the history",
            "advanced": True,
            "help": "In RAM on a router: it is written often",
            "warning": "The history does not move along.",
        }
    )
    state_dir = Folder(
        metadata={
            "label": "Folder of what must survive a power cut",
            "advanced": True,
            "help": "Token, events, usage and a copy of the history. In another folder all begins anew",
            "warning": "The new folder has no token, events and usage; whoever is logged in is not any more.",
        }
    )


class HistoryOptions(Options):
    """Section ``history``."""

    backup_minutes = Whole(
        1, 1440, metadata={"label": "Copy the history to flash every", "unit": "min", "help": "Also when remsim stops"}
    )
    events_days = Whole(1, 3650, metadata={"label": "Keep events for", "unit": "d"})
    events_mb = Whole(1, 1024, metadata={"label": "Their file may grow to", "unit": "MB"})


class WebOptions(Options):
    """Section ``web``."""

    listen = Listen(
        metadata={
            "label": "Listen on",
            "help": "HOST:PORT. 127.0.0.1:8090 answers this router only; pages in LuCI come through LuCI anyway",
            "warning": "This page may be cut off: the service answers at this address only, after its restart.",
        }
    )
    max_streams = Whole(
        0,
        2000,
        metadata={"label": "Live streams at once", "help": "Below the threads; further pages poll", "advanced": True},
    )
    threads = Whole(4, 2048, metadata={"label": "Threads", "help": "For requests and streams", "advanced": True})
    proxied_at = Text(
        0,
        64,
        pattern="/[A-Za-z0-9_-]+",
        told="is not a path like /remsim",
        metadata={
            "label": "Path behind nginx",
            "help": "Where nginx has these pages; LuCI's take the stream from there. Empty: no nginx",
            "advanced": True,
            "live": True,
        },
    )


class QualityOptions(Options):
    """Section ``quality``."""

    rsrp_dbm = Limits(metadata={"label": "RSRP", "unit": "dBm"})
    rsrq_db = Limits(metadata={"label": "RSRQ", "unit": "dB"})
    sinr_db = Limits(metadata={"label": "SINR", "unit": "dB"})
    rssi_dbm = Limits(metadata={"label": "RSSI", "unit": "dBm"})


class ModemOptions(Options):
    """Sections of type ``modem``."""

    usb_path = Text(
        1,
        64,
        pattern=PLACE,
        told="is not like 1-1.2 or pci-0000:01:00.0",
        required=True,
        metadata={"label": "Place", "help": "Where it is plugged in: a USB path like 1-1.2, or pci-0000:01:00.0"},
    )
    name = Text(1, 32, metadata={"label": "Name", "help": "What to call it"})
    enabled = Flag(metadata={"label": "Use it", "help": "Off leaves its ports to other programs"})
    period_s = Period(
        metadata={
            "label": "Ask it every",
            "unit": "s",
            "help": "1 to 60 seconds, or off; empty: as all modems",
            "live": True,
        }
    )
    interface = Text(
        1,
        15,
        pattern=r"[A-Za-z0-9_.-]+",
        told="is not an interface's name",
        metadata={"label": "Network interface", "help": "Whose traffic is counted; empty: found by itself"},
    )
    network = Text(
        1,
        32,
        pattern=r"[A-Za-z0-9_]+",
        told="is not a section of network",
        metadata={"label": "Interface in OpenWrt", "help": "Its section in network; empty: found by itself"},
    )
    probe_targets = Targets(
        metadata={"label": "Latency is measured to", "help": "One a line; empty: as all modems", "advanced": True}
    )
    board_modem = Whole(
        1,
        8,
        metadata={"label": "Slot on the board", "help": "On a board whose GPIO lines are known", "advanced": True},
    )
    reset_gpio = GpioLine(metadata={"label": "GPIO line of its reset", "help": GPIO_HELP, "advanced": True})
    power_gpio = GpioLine(metadata={"label": "GPIO line of its power", "help": "Active is on", "advanced": True})
    sim_gpio = GpioLine(
        metadata={"label": "GPIO line that chooses its SIM", "help": "Active is the remote one", "advanced": True}
    )
    card_way = Choice(
        CARD_WAYS,
        metadata={
            "label": "Its eSIM is reached by",
            "help": "For a modem whose eSIM cannot be read, or breaks off while a profile loads",
            "advanced": True,
        },
    )


def table(*rows: SectionType) -> dict[str, SectionType]:
    """Section types by their names."""
    return {row.name: row for row in rows}


SECTIONS = table(
    SectionType("service", ServiceOptions, ServiceSettings, "service", "Service"),
    SectionType("history", HistoryOptions, HistorySettings, "history", "History"),
    SectionType("web", WebOptions, WebSettings, "web", "Web server"),
    SectionType(
        "quality",
        QualityOptions,
        QualitySettings,
        "quality",
        "What counts as good",
        "For words and colours: from where a level is fair, good, excellent. 5G has the same limits",
        live=True,
    ),
    SectionType(
        "modem",
        ModemOptions,
        ModemSettings,
        "modems",
        "Modems",
        "What a modem does not say here it has from the service",
        many=True,
        inherits={"period_s": "period_s", "probe_targets": "probe_targets"},
        most=64,
    ),
    METRICS,
    SIM,
    ALERT,
    CHANNEL,
    OUTPUT,
    REMOTE_SIM,
    REMSIM_SERVER,
    REMOTE_CLIENT,
    IONMESH,
    ESIM,
    ESIM_RULE,
    ESIM_ORDERS,
)
"""All there are, in the order of the pages. A new type is a row here and a field in ``Settings``."""
