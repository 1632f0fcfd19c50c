"""Home Assistant by MQTT: sensors that it finds by itself, a device a modem and one for the router.

Each sensor is announced once, kept by the broker; the values of a device go as one message. Without news a sensor
becomes unavailable by itself (``expire_after``), so that nothing has to hold a connection. Source:
home-assistant.io, "MQTT discovery" and "MQTT sensor".
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from remsim import __version__
from remsim.config.outputs import OutputSettings
from remsim.core.small_dataclass import dataclass
from remsim.outbound.mqtt import Message, publish
from remsim.outputs.queue import Labels, Row

ANNOUNCE_S = 3600
UNITS: dict[str, tuple[str | None, str | None]] = {
    "dbm": ("dBm", "signal_strength"),
    "db": ("dB", None),
    "celsius": ("°C", "temperature"),
    "bits_per_second": ("bit/s", "data_rate"),
    "bytes": ("B", "data_size"),
    "bytes_total": ("B", "data_size"),
    "seconds": ("s", "duration"),
    "seconds_total": ("s", "duration"),
    "ratio": (None, None),
    "total": (None, None),
}
"""By the end of a metric's name: unit and device class."""
UPPER = ("rsrp", "rsrq", "sinr", "rssi", "sim", "nr", "tpdu", "cpu", "rx", "tx", "id")
OWN = ("router_id", "modem")
LEFT_OUT = re.compile(r"(process|python|remsim_scrape|remsim_process)_|.*(_info|_bucket|_created|_timestamp_seconds)\Z")


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor: whose it is, its name within that, and what the metric says of it."""

    device: str
    object_id: str
    metric: str
    qualifiers: tuple[str, ...]
    is_text: bool = False


class Announcer:
    """Publishes values, and what they are as long as the broker may not know it."""

    def __init__(self) -> None:
        self._announced: dict[str, int] = {}

    def send(self, output: OutputSettings, rows: Sequence[Row]) -> None:
        """The newest values; older ones tell Home Assistant nothing."""
        row = rows[-1]
        router, values = by_device(row)
        messages: list[Message] = []
        topics: dict[str, int] = {}
        for device, sensors in values.items():
            for sensor in sensors:
                topic = f"{output.prefix}/sensor/{identity(router, device)}/{sensor.object_id}/config"
                if row.at_ms - self._announced.get(topic, -math.inf) > ANNOUNCE_S * 1000:
                    body = announcement(output, router, sensor)
                    messages.append(Message(topic, json.dumps(body).encode(), retain=True))
                    topics[topic] = row.at_ms
            state = {sensor.object_id: value for sensor, value in sensors.items()}
            messages.append(Message(state_topic(router, device), json.dumps(state).encode()))
        publish(output, messages)
        self._announced |= topics


def by_device(row: Row) -> tuple[str, dict[str, dict[Sensor, float | str]]]:
    """The router's name, and the sensors of each device with their values; the router itself is device ``""``."""
    router = ""
    found: dict[str, dict[Sensor, float | str]] = {}
    for name, labels, value in row.samples:
        of = dict(labels)
        router = of.get("router_id", router)
        read = sensor_of(name, labels, value)
        if read is not None:
            found.setdefault(read[0].device, {})[read[0]] = read[1]
    return router, found


def sensor_of(name: str, labels: Labels, value: float) -> tuple[Sensor, float | str] | None:
    """The sensor of a sample and its value; None for what is none. Of a set of states the one that is, as text."""
    if LEFT_OUT.match(name) or not math.isfinite(value):
        return None
    own = {label: text for label, text in labels if label in OWN}
    rest = [(label, text) for label, text in labels if label not in OWN and label != "interface"]
    device = own.get("modem", "")
    if len(rest) == 1 and name.endswith(f"_{rest[0][0]}"):
        return (Sensor(device, plain(name), name, (), is_text=True), rest[0][1]) if value == 1 else None
    qualifiers = tuple(text for _, text in rest)
    return Sensor(device, plain("_".join((name, *qualifiers))), name, qualifiers), value


def announcement(output: OutputSettings, router: str, sensor: Sensor) -> dict[str, Any]:
    """The body of a sensor's ``config`` topic."""
    body: dict[str, Any] = {
        "name": words_of(sensor),
        "unique_id": f"{identity(router, sensor.device)}_{sensor.object_id}",
        "state_topic": state_topic(router, sensor.device),
        "value_template": f"{{{{ value_json['{sensor.object_id}'] | default(None) }}}}",
        "expire_after": max(3 * output.interval_s, 60),
        "device": device_of(router, sensor.device),
        "origin": {"name": "remsim", "sw_version": __version__},
    }
    if not sensor.is_text:
        unit, kind = unit_of(sensor.metric)
        body["state_class"] = "total_increasing" if sensor.metric.endswith("_total") else "measurement"
        body |= {name: text for name, text in (("unit_of_measurement", unit), ("device_class", kind)) if text}
    return body


def device_of(router: str, device: str) -> Mapping[str, Any]:
    """The device a sensor belongs to; a modem hangs on its router."""
    if not device:
        return {"identifiers": [identity(router, "")], "name": f"Router {router}".strip(), "sw_version": __version__}
    name = f"{router} {device}".strip()
    return {"identifiers": [identity(router, device)], "name": name, "via_device": identity(router, "")}


def unit_of(metric: str) -> tuple[str | None, str | None]:
    """Unit and device class by the longest end of the name that says them."""
    ends = [end for end in UNITS if metric.endswith(f"_{end}")]
    return UNITS[max(ends, key=len)] if ends else (None, None)


def words_of(sensor: Sensor) -> str:
    """The name people see."""
    base = sensor.metric.removeprefix("remsim_")
    for end in sorted(UNITS, key=len, reverse=True):
        if base.endswith(f"_{end}"):
            base = base.removesuffix(f"_{end}")
            break
    words = [word.upper() if word in UPPER else word for word in base.split("_")]
    text = " ".join((*words, *sensor.qualifiers))
    return text[:1].upper() + text[1:]


def state_topic(router: str, device: str) -> str:
    """Where a device's values go."""
    return f"remsim/{plain(router) or 'router'}/{plain(device) or 'router'}/state"


def identity(router: str, device: str) -> str:
    """A device's name for Home Assistant."""
    return "_".join(filter(None, ("remsim", plain(router), plain(device))))


def plain(text: str) -> str:
    """Text of the letters that topics and ids may have."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)[:100]
