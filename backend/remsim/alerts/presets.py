"""Rules that most people want: none is in force until somebody adds it."""

from __future__ import annotations

from typing import Any

from remsim.config.alerting import AlertSettings, measures_of

NO_SERVICE = "searching,denied,limited"
SILENT = "not_answering,failed,boot,gone"
SIM_TROUBLE = "no_sim,sim_pin,sim_puk,sim_error"

ROWS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Signal is poor for five minutes: data is slow or breaks off.",
     {"name": "signal_poor", "label": "Poor signal", "measure": "rsrp_dbm", "comparison": "below", "threshold": -110.0,
      "hysteresis": 3.0, "for_s": 300.0, "clear_for_s": 60.0}),
    ("The connection as a whole is bad: signal, latency and loss together.",
     {"name": "quality_poor", "label": "Poor connection", "measure": "quality_percent", "comparison": "below",
      "threshold": 25.0, "hysteresis": 5.0, "for_s": 300.0, "clear_for_s": 60.0}),
    ("The modem is on, and no network takes it.",
     {"name": "no_service", "label": "No service", "source": "state", "measure": "state", "comparison": "is",
      "threshold": NO_SERVICE, "for_s": 120.0, "severity": "critical"}),
    ("The modem does not answer, or is not on USB any more.",
     {"name": "modem_unresponsive", "label": "Modem does not respond", "source": "state", "measure": "state",
      "comparison": "is", "threshold": SILENT, "for_s": 60.0, "severity": "critical"}),
    ("The modem is hot: it slows down at about 80 °C and switches itself off later.",
     {"name": "temperature", "label": "Modem is hot", "measure": "temperature_c", "comparison": "above",
      "threshold": 75.0, "hysteresis": 5.0, "for_s": 60.0}),
    ("Four fifths of the SIM's data are used.",
     {"name": "data_80", "label": "80 % of the data used", "source": "usage", "measure": "cap_percent",
      "comparison": "above", "threshold": 80.0}),
    ("The SIM's data are used up.",
     {"name": "data_100", "label": "Data used up", "source": "usage", "measure": "cap_percent", "comparison": "above",
      "threshold": 100.0, "severity": "critical"}),
    ("Answers take long for five minutes.",
     {"name": "latency", "label": "High latency", "measure": "latency_ms", "comparison": "above", "threshold": 300.0,
      "hysteresis": 50.0, "for_s": 300.0, "clear_for_s": 60.0}),
    ("One packet in ten is lost for five minutes.",
     {"name": "loss", "label": "Packets are lost", "measure": "loss_percent", "comparison": "above", "threshold": 10.0,
      "hysteresis": 5.0, "for_s": 300.0, "clear_for_s": 60.0}),
    ("The SIM is missing, faulty, or wants a code.",
     {"name": "sim_error", "label": "SIM trouble", "source": "state", "measure": "state", "comparison": "is",
      "threshold": SIM_TROUBLE, "for_s": 60.0, "severity": "critical"}),
    ("The router changes its way out again and again.",
     {"name": "failover_storm", "label": "Failover storm", "source": "event", "measure": "failover",
      "comparison": "count_at_least", "threshold": 5.0, "window_s": 600.0,
      "clear_for_s": 600.0}),
    ("A modem loses its service again and again.",
     {"name": "service_flaps", "label": "Service comes and goes", "source": "event", "measure": "disconnect",
      "comparison": "count_at_least", "threshold": 5.0, "window_s": 600.0,
      "clear_for_s": 600.0}),
    ("A modem restarts again and again.",
     {"name": "reboots", "label": "Modem restarts repeatedly", "source": "event", "measure": "reboot",
      "comparison": "count_at_least", "threshold": 3.0, "window_s": 3600.0,
      "clear_for_s": 600.0}),
    ("The clock is not set: times of events are wrong, encryption may fail.",
     {"name": "clock_wrong", "label": "Clock is not set", "source": "router", "measure": "clock_set",
      "comparison": "is", "threshold": "no", "for_s": 600.0}),
    ("There is little room on the flash: settings and events can soon not be kept.",
     {"name": "flash_full", "label": "Flash is nearly full", "source": "router", "measure": "flash_free_percent",
      "comparison": "below", "threshold": 10.0, "hysteresis": 2.0, "for_s": 60.0}),
)  # fmt: skip


def presets() -> list[dict[str, Any]]:
    """Each as a rule, with ``help``; what counts something that this router does not have is left out."""
    made = [(told, AlertSettings(**values)) for told, values in ROWS]
    return [rule.as_dict() | {"help": told} for told, rule in made if rule.measure in measures_of(rule.source)]
