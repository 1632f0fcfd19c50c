"""Values on their way to other systems: formats, what waits, what is given up."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import ValidationError
from remsim.config.outputs import OutputOptions, OutputSettings, untrusted
from remsim.core.clock import FakeClock
from remsim.core.events import Event
from remsim.outbound.way import Refused, Undelivered
from remsim.outputs import homeassistant, influx, remote_write
from remsim.outputs.lane import Lane
from remsim.outputs.queue import Queue, Row, Sample
from remsim.outputs.snappy import compress, varint
from web_support import client_of, small_app

ONE: tuple[Sample, ...] = (("remsim_up", (("modem", "a"),), 1.0),)


def uncompressed(block: bytes) -> bytes:
    """Snappy the other way, as its format says."""
    at = shift = length = 0
    while True:
        byte = block[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    made = bytearray()
    while at < len(block):
        tag = block[at]
        at += 1
        if tag & 3 == 0:
            size = tag >> 2
            if size >= 60:
                more = size - 59
                size = int.from_bytes(block[at : at + more], "little")
                at += more
            made += block[at : at + size + 1]
            at += size + 1
        else:
            assert tag & 3 == 2
            offset = int.from_bytes(block[at : at + 2], "little")
            at += 2
            assert 0 < offset <= len(made)
            for _ in range((tag >> 2) + 1):
                made.append(made[-offset])
    assert len(made) == length
    return bytes(made)


def messages(body: bytes) -> list[tuple[int, Any]]:
    """The fields of a protobuf message."""
    found: list[tuple[int, Any]] = []
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = body[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(body):
        key = number()
        if key & 7 == 2:
            size = number()
            found.append((key >> 3, body[at : at + size]))
            at += size
        elif key & 7 == 1:
            found.append((key >> 3, struct.unpack("<d", body[at : at + 8])[0]))
            at += 8
        else:
            found.append((key >> 3, number()))
    return found


@given(st.one_of(st.binary(max_size=300), st.text("ab", max_size=400).map(str.encode)))
@example(b"x" * 70_000)
@example(bytes(range(256)) * 300)
def test_what_is_compressed_can_be_had_back(data: bytes) -> None:
    assert uncompressed(compress(data)) == data


def test_repeated_labels_cost_little() -> None:
    data = b"".join(b"remsim_signal_rsrp_dbm router_id=north modem=%d;" % number for number in range(200))
    assert len(compress(data)) < len(data) / 5


def test_a_series_is_written_once_with_its_samples_in_order() -> None:
    rows = [Row(1000, ONE), Row(2000, (("remsim_up", (("modem", "a"),), float("inf")),))]
    ((number, series),) = messages(remote_write.encoded(rows, {"site": "nörth", "modem": "not mine"}))
    assert number == 1
    fields = messages(series)
    labels = [tuple(text.decode() for _, text in messages(body)) for key, body in fields if key == 1]
    assert labels == [("__name__", "remsim_up"), ("modem", "a"), ("site", "nörth")], "sorted, ours win"
    samples = [dict(messages(body)) for key, body in fields if key == 2]
    assert samples == [{1: 1.0, 2: 1000}, {1: float("inf"), 2: 2000}]


@pytest.mark.parametrize(
    ("status", "answer", "final"),
    [
        (400, "duplicate sample for timestamp", True),
        (500, "too old sample", True),
        (500, "out of bounds", True),
        (500, "disk full", False),
        (503, "", False),
        (429, "", False),
        (401, "", False),
        (404, "", False),
        (413, "", True),
    ],
)
def test_only_what_will_never_be_taken_is_given_up(status: int, answer: str, final: bool) -> None:
    assert remote_write.is_final(Refused("no", status, answer)) is final


def test_lines_have_tags_for_labels_and_fields_for_names() -> None:
    row = Row(5, (*ONE, ("remsim_x", (("modem", "a"),), 2.5), ("remsim_up", (("modem", 'b, "c"=d\n\\'),), 0.0)))
    assert list(influx.lines_of(row, {"site": "x y"})) == [
        "remsim,modem=a,site=x\\ y remsim_up=1.0,remsim_x=2.5 5",
        'remsim,modem=b\\,\\ "c"\\=d\\ /,site=x\\ y remsim_up=0.0 5',
    ]


@given(st.text(max_size=20))
def test_a_hostile_label_stays_one_line(text: str) -> None:
    (line,) = influx.lines_of(Row(5, (("remsim_up", (("modem", text),), 1.0),)), {})
    head, fields, at = re.split(r"(?<!\\) ", line)
    assert "\n" not in line and (fields, at) == ("remsim_up=1.0", "5")
    assert len(re.split(r"(?<!\\),", head)) == (2 if text else 1)


def test_what_is_no_number_is_no_field() -> None:
    assert list(influx.lines_of(Row(5, (("a", (), float("nan")), ("b", (), float("inf")))), {})) == []


def test_the_precision_is_told_unless_the_address_does() -> None:
    assert influx.in_milliseconds("http://h/write?db=x") == "http://h/write?db=x&precision=ms"
    assert influx.in_milliseconds("http://h/api?precision=ns") == "http://h/api?precision=ns"


# --- the queue ---


def test_what_waits_survives_a_restart_and_the_oldest_goes_first(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "q", most_bytes=10_000)
    for at_ms in (2000, 1000, 3000):
        queue.put(Row(at_ms, ONE))
    again = Queue(tmp_path / "q", most_bytes=10_000)
    assert [row.at_ms for row in again.first(2)] == [1000, 2000]
    again.done(1000)
    assert again.oldest_ms == 2000 and len(again) == 2 and again.dropped == 0


def test_a_full_queue_drops_its_oldest_and_counts_them(tmp_path: Path) -> None:
    queue = Queue(tmp_path, most_bytes=300)
    for at_ms in range(1, 50):
        queue.put(Row(at_ms, ONE))
    assert queue.size <= 300 and queue.dropped == 49 - len(queue) and queue.first(99)[-1].at_ms == 49


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"x\x9c"])
def test_a_damaged_row_costs_itself(tmp_path: Path, damage: bytes) -> None:
    queue = Queue(tmp_path, most_bytes=10_000)
    queue.put(Row(1, ONE))
    queue.put(Row(2, ONE))
    (tmp_path / "1.z").write_bytes(damage)
    assert queue.first(9) == [Row(2, ONE)] and queue.dropped == 1


# --- a lane ---


class Receiver:
    """Takes what is sent, or raises what it is told to."""

    def __init__(self) -> None:
        self.got: list[int] = []
        self.bad: set[int] = set()
        self.trouble: Exception | None = None
        self.asked = 0

    def send(self, output: OutputSettings, rows: Sequence[Row]) -> None:
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        if any(row.at_ms in self.bad for row in rows):
            raise Refused("refused", 400, "duplicate sample")
        self.got += [row.at_ms for row in rows]


class Bench:
    """A lane that is stepped by hand."""

    def __init__(self, directory: Path, **options: Any) -> None:
        self.clock = FakeClock()
        self.receiver = Receiver()
        self.events: list[Event] = []
        output = OutputSettings("o", **options)
        self.queue = Queue(directory, most_bytes=100_000)
        self.lane = Lane(
            output, self.queue, self.receiver.send, remote_write.is_final,
            snapshot=lambda: ONE, clock=self.clock, emit=self.events.append,
        )  # fmt: skip

    def go(self, seconds: float) -> None:
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            wait_s = self.lane.step()
            self.clock.advance(min(max(wait_s, 0.01), end - self.clock.monotonic()))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, interval_s=30)


def test_values_go_out_every_interval(bench: Bench) -> None:
    start = round(bench.clock.now() * 1000)
    bench.go(95)
    assert [at - start for at in bench.receiver.got] == [0, 30_000, 60_000, 90_000]
    assert bench.lane.state()["problem"] is None and len(bench.queue) == 0


def test_nothing_is_lost_while_the_receiver_is_away(bench: Bench) -> None:
    bench.receiver.trouble = Undelivered("it does not answer")
    bench.go(600)
    assert len(bench.queue) == 20 and bench.lane.problem == "it does not answer"
    assert bench.receiver.asked < 12, "it is not asked ever so often"
    bench.receiver.trouble = None
    bench.go(330)
    assert len(bench.receiver.got) == 31 and len(bench.queue) == 0
    assert [event.kind for event in bench.events] == ["error", "recovered"], "told once"


def test_a_receiver_that_says_when_is_asked_then(bench: Bench) -> None:
    bench.receiver.trouble = Refused("slow down", 429, "", 120)
    bench.go(119)
    assert bench.receiver.asked == 1
    bench.go(5)
    assert bench.receiver.asked == 2


def test_a_row_that_will_never_be_taken_costs_itself(bench: Bench) -> None:
    bench.receiver.trouble = Undelivered("away")
    bench.go(300)
    bench.receiver.trouble = None
    waiting = [row.at_ms for row in bench.queue.first(99)]
    bench.receiver.bad = {waiting[3]}
    bench.go(330)
    assert waiting[3] not in bench.receiver.got and set(waiting) - set(bench.receiver.got) == {waiting[3]}
    assert bench.queue.dropped == 1


def test_what_is_too_old_is_given_up_and_counted(tmp_path: Path) -> None:
    bench = Bench(tmp_path, interval_s=600, keep_hours=1)
    bench.receiver.trouble = Undelivered("away")
    bench.go(3 * 3600)
    assert len(bench.queue) <= 7 and bench.queue.dropped >= 11


def test_an_unset_clock_gives_no_times(tmp_path: Path) -> None:
    bench = Bench(tmp_path, interval_s=30)
    now = bench.clock.now()
    bench.clock.set_wall(1000.0)
    bench.go(60)
    assert bench.receiver.asked == 0 and "clock is not set" in (bench.lane.problem or "")
    bench.clock.set_wall(now)
    bench.go(60)
    assert bench.receiver.got and bench.lane.problem is None and not bench.events


def test_a_clock_set_back_does_not_block(bench: Bench) -> None:
    bench.receiver.trouble = Undelivered("away")
    bench.go(60)
    bench.clock.set_wall(bench.clock.now() - 86400)
    bench.receiver.trouble = None
    bench.go(400)
    assert max(bench.receiver.got) <= bench.clock.now() * 1000


# --- settings ---


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"type": "remote_write"}, "url"),
        ({"type": "homeassistant"}, "host"),
        ({"type": "influx", "url": "http://h/write", "host": "h"}, "host"),
        ({"type": "influx", "url": "http://h/write", "token": "s"}, "token"),
        ({"type": "remote_write", "url": "file:///etc/passwd"}, "url"),
        ({"type": "remote_write", "url": "https://h/", "labels": ["modem=x"]}, "labels"),
        ({"type": "remote_write", "url": "https://h/", "labels": ["__x=x"]}, "labels"),
        ({"type": "remote_write", "url": "https://h/", "interval_s": 1}, "interval_s"),
        ({"type": "homeassistant", "host": "h", "security": "none", "user": "u", "password": "p"}, "password"),
    ],
)
def test_a_wrong_output_names_its_field(values: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        OutputOptions().load(values)
    assert field in caught.value.messages_dict


def test_a_secret_is_not_shown_to_another_server() -> None:
    before = OutputSettings("o", url="https://a.example/", token="t")
    assert untrusted(before, OutputSettings("o", url="https://b.example/", token="t"))
    assert untrusted(before, OutputSettings("o", url="https://b.example/", token="new")) is None
    assert untrusted(None, OutputSettings("o", url="https://a.example/", allow_private=True))


def test_numbers_are_written_as_protobuf_has_them() -> None:
    assert varint(300) == b"\xac\x02" and varint(0) == b"\x00"


# --- Home Assistant ---


def test_a_metric_becomes_a_sensor_of_its_modem() -> None:
    labels = (("modem", "a b"), ("router_id", "north"))
    samples: tuple[Sample, ...] = (
        ("remsim_signal_rsrp_dbm", labels, -97.0),
        ("remsim_modem_state", (*labels, ("state", "online")), 1.0),
        ("remsim_modem_state", (*labels, ("state", "searching")), 0.0),
        ("remsim_modem_info", (*labels, ("model", "x")), 1.0),
        ("remsim_uptime_seconds", (("router_id", "north"),), 5.0),
        ("process_cpu_seconds_total", (), 5.0),
        ("remsim_signal_rsrq_db", labels, float("nan")),
    )
    router, devices = homeassistant.by_device(Row(1, samples))
    assert router == "north" and set(devices) == {"a b", ""}
    values = {sensor.object_id: value for sensor, value in devices["a b"].items()}
    assert values == {"remsim_signal_rsrp_dbm": -97.0, "remsim_modem_state": "online"}
    sensor = next(iter(devices["a b"]))
    body = homeassistant.announcement(OutputSettings("o", type="homeassistant", interval_s=30), "north", sensor)
    assert body["name"] == "Signal RSRP" and body["device_class"] == "signal_strength"
    assert body["unit_of_measurement"] == "dBm" and body["state_class"] == "measurement"
    assert body["state_topic"] == "remsim/north/a_b/state" and body["expire_after"] == 90
    assert body["device"]["via_device"] == "remsim_north"


# --- the API ---


def test_an_output_is_added_shown_changed_and_removed_without_its_secret(tmp_path: Path) -> None:
    _, app = small_app(tmp_path)
    client = client_of(app)
    form = client.get("/api/v1/outputs/form?type=influx").get_json()
    assert form["required"] == ["type", "url"] and "host" not in form["properties"]
    body = {"name": "tsdb", "type": "influx", "url": "https://h.example/api/v2/write?bucket=b", "token": "geheim"}
    made = client.post("/api/v1/outputs", json=body)
    assert made.status_code == 201 and made.get_json()["token"] == {"set": True}
    assert client.post("/api/v1/outputs", json=body).status_code == 409
    changed = client.put("/api/v1/outputs/tsdb", json={"type": "influx", "url": body["url"], "interval_s": 60})
    assert changed.get_json()["interval_s"] == 60 and changed.get_json()["token"] == {"set": True}
    assert "geheim" not in client.get("/api/v1/outputs").get_data(as_text=True)
    assert client.delete("/api/v1/outputs/tsdb").status_code == 200
    assert client.get("/api/v1/outputs/tsdb").status_code == 404


def test_a_wrong_output_is_refused_with_its_field(tmp_path: Path) -> None:
    _, app = small_app(tmp_path)
    answer = client_of(app).post("/api/v1/outputs", json={"name": "x", "type": "influx"})
    assert answer.status_code == 422 and answer.get_json()["field"] == "url"
