"""Outputs at those who receive them: a real Prometheus, a real MQTT broker, a web server."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from receivers import mqtt_broker, mqtt_subscriber, web_server
from remsim.config.outputs import OutputSettings
from remsim.config.settings import Settings
from remsim.core.clock import SystemClock
from remsim.core.events import Event
from remsim.outbound.way import Refused, Undelivered
from remsim.outputs.desk import Outputs
from remsim.outputs.made import sender_of
from remsim.outputs.queue import Row, Sample
from running import free_port

LABELS = (("modem", 'wan "1"\n'), ("router_id", "nörth"))


def samples(value: float) -> tuple[Sample, ...]:
    return (("remsim_signal_rsrp_dbm", LABELS, value), ("remsim_uptime_seconds", (("router_id", "nörth"),), 5.0))


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that takes remote-write; its address."""
    directory = tmp_path_factory.mktemp("prometheus")
    (directory / "prometheus.yml").write_text("global: {}\n")
    address = f"127.0.0.1:{free_port()}"
    command = ["prometheus", "--config.file", directory / "prometheus.yml", "--storage.tsdb.path", directory / "data"]
    command += ["--web.listen-address", address, "--web.enable-remote-write-receiver", "--log.level", "error"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: bool(urllib.request.urlopen(f"http://{address}/-/ready", timeout=2)))
        yield address
    finally:
        process.terminate()
        process.wait(60)


def wait_until(done: Any, timeout_s: float = 40.0) -> Any:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            if found := done():
                return found
        except OSError:
            pass
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.05)


def asked(address: str, query: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"http://{address}/api/v1/query?{urllib.parse.urlencode({'query': query})}") as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return found


def output_to(address: str) -> OutputSettings:
    url = f"http://{address}/api/v1/write"
    return OutputSettings("o", url=url, allow_private=True, interval_s=10, labels=("site=field",))


def test_prometheus_has_what_was_sent(prometheus: str) -> None:
    output = output_to(prometheus)
    now_ms = round(time.time() * 1000)
    sender_of(output)(output, [Row(now_ms - 30_000 + at * 10_000, samples(-90.0 - at)) for at in range(4)])
    (found,) = asked(prometheus, "remsim_signal_rsrp_dbm")
    assert found["metric"] == {"__name__": "remsim_signal_rsrp_dbm", **dict(LABELS), "site": "field"}
    assert float(found["value"][1]) == -93.0
    (all_of_it,) = asked(prometheus, "remsim_signal_rsrp_dbm[1m]")
    assert [float(value) for _, value in all_of_it["values"]] == [-90, -91, -92, -93]


def test_what_prometheus_will_never_take_is_known_as_such(prometheus: str) -> None:
    """The same moment with another value, and one that is long over."""
    from remsim.outputs.remote_write import is_final

    output = output_to(prometheus)
    now_ms = round(time.time() * 1000)
    sender_of(output)(output, [Row(now_ms, samples(-80.0))])
    for row in (Row(now_ms, samples(-81.0)), Row(now_ms - 30 * 3_600_000, samples(-80.0))):
        with pytest.raises(Refused) as caught:
            sender_of(output)(output, [row])
        assert is_final(caught.value), (caught.value.status, caught.value.answer)


def test_a_desk_sends_by_itself_and_follows_its_settings(prometheus: str, tmp_path: Path) -> None:
    events: list[Event] = []
    desk = Outputs(
        tmp_path, settings=Settings(), snapshot=lambda: samples(-70.0), clock=SystemClock(), emit=events.append
    )
    desk.start()
    desk.configure(Settings(outputs=(output_to(prometheus),)))
    state = wait_until(lambda: (state := desk.state_of("o")) and state["last_success"] and state)
    assert state["sent_samples"] == 2 and state["problem"] is None and state["waiting"] == 0
    desk.configure(Settings())
    assert desk.state_of("o") is None
    desk.configure(Settings(outputs=(OutputSettings("p", url="http://127.0.0.1:9/", allow_private=True),)))
    wait_until(lambda: (desk.state_of("p") or {}).get("problem"))
    assert not (tmp_path / "o").exists(), "nothing waits for an output that is no more"
    desk.stop()
    assert len(list((tmp_path / "p").iterdir())) == 1, "what waits is kept"
    assert [event.kind for event in events] == ["error"]


def test_influx_gets_lines_and_the_token(tmp_path: Path) -> None:
    with web_server() as server:
        output = OutputSettings(
            "o", type="influx", url=f"http://127.0.0.1:{server.port}/api/v2/write?bucket=b",
            token="t", allow_private=True,
        )  # fmt: skip
        sender_of(output)(output, [Row(1000, samples(-90.0))])
        (request,) = server.got
        assert request.path == "/api/v2/write?bucket=b&precision=ms" and request.headers["Authorization"] == "Token t"
        assert request.body.decode().splitlines()[1] == "remsim,router_id=nörth remsim_uptime_seconds=5.0 1000"


def test_the_local_network_is_reached_where_that_is_allowed_only() -> None:
    with web_server() as server:
        output = OutputSettings("o", url=f"http://127.0.0.1:{server.port}/")
        with pytest.raises(Undelivered, match="local network"):
            sender_of(output)(output, [Row(1000, samples(-90.0))])
        assert server.got == []


def test_home_assistant_finds_its_sensors(tmp_path: Path) -> None:
    with mqtt_broker(tmp_path, login=("u", "p")) as port:
        output = OutputSettings(
            "o", type="homeassistant", host="127.0.0.1", port=port, security="none", user="u", password="p",
            allow_private=True,
        )  # fmt: skip
        with mqtt_subscriber(port, "u", "p") as told:
            sender_of(output)(output, [Row(1000, samples(-90.0))])
            wait_until(lambda: len(told) == 4)
    topic = "homeassistant/sensor/remsim_n_rth_wan__1__/remsim_signal_rsrp_dbm/config"
    config = json.loads(told[topic])
    assert config["unit_of_measurement"] == "dBm"
    state = json.loads(told[config["state_topic"]])
    assert state == {"remsim_signal_rsrp_dbm": -90.0}
    assert "remsim/n_rth/router/state" in told, "the router is a device, too"
