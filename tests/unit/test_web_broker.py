"""Both brokers keep the same promises; the one on Redis is tested with a real redis-server."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from remsim.web.broker import InProcessBroker
from remsim.web.sender import Sender
from remsim.web.streams import HELLO, Streams
from running import free_port
from web_support import SmallRouter, client_of, small_app, wait_until

RING = 8


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A redis-server on a free loopback port, without files."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    port, directory = free_port(), tmp_path_factory.mktemp("redis")
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        import redis

        client = redis.Redis(port=port)

        def answers() -> bool:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

        wait_until(answers)
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture(params=["process", "redis"])
def broker(request: pytest.FixtureRequest) -> Iterator:
    if request.param == "process":
        yield InProcessBroker(RING)
        return
    from remsim.web.redis_broker import RedisBroker

    broker = RedisBroker(request.getfixturevalue("redis_url"), RING)
    broker.start()
    yield broker
    broker.close()


def publish(broker, *messages: tuple[int | None, str | None]) -> None:
    """Publish readings (id, modem) and wait until the last has arrived."""
    for number, modem in messages:
        before = broker.position()[0]
        broker.publish("reading", json.dumps({"id": number, "modem": modem}), number, modem)
        assert broker.wait(before, 60)


def ids(wire: bytes) -> list[int]:
    return [int(line[4:]) for line in wire.decode().splitlines() if line.startswith("id: ")]


def test_a_viewer_gets_what_comes_after_it_in_the_wire_form(broker) -> None:
    publish(broker, (1, "modem1"))
    position, gone = broker.position()
    assert not gone and broker.read(position).wire == b""
    publish(broker, (2, "modem1"))
    batch = broker.read(position)
    assert batch.wire == b'id: 2\nevent: reading\ndata: {"id": 2, "modem": "modem1"}\n\n'
    assert batch.lost == 0 and broker.read(batch.position).wire == b""


def test_a_viewer_sees_only_the_modems_it_asked_for_and_what_concerns_all(broker) -> None:
    position, _gone = broker.position()
    publish(broker, (1, "modem1"), (2, "modem2"), (3, None), (4, "modem1"))
    batch = broker.read(position, frozenset({"modem2"}))
    assert ids(batch.wire) == [2, 3] and batch.position == position + 4


def test_what_is_hidden_from_a_viewer_is_passed_over(broker) -> None:
    position, _gone = broker.position()
    broker.publish("job", "{}")
    publish(broker, (1, "modem1"))
    assert broker.wait(position + 1, 60)
    batch = broker.read(position, None, frozenset({"job"}))
    assert ids(batch.wire) == [1] and b"job" not in batch.wire and batch.position == position + 2
    assert b"event: job" in broker.read(position).wire


def test_who_comes_back_gets_what_it_missed(broker) -> None:
    publish(broker, *((number, "modem1") for number in range(1, 6)))
    position, gone = broker.position(3)
    assert not gone and ids(broker.read(position).wire) == [4, 5]
    assert broker.position(5) == (position + 2, False)


def test_who_comes_back_too_late_is_told_and_gets_what_is_left(broker) -> None:
    publish(broker, *((number, "modem1") for number in range(1, 21)))
    position, gone = broker.position(3)
    assert gone and ids(broker.read(position).wire) == list(range(13, 21))
    assert broker.position(12)[1] is False


def test_an_id_from_the_future_or_from_before_a_restart_is_told(broker) -> None:
    assert broker.position(7)[1] is True
    publish(broker, (5, "modem1"))
    assert broker.position(7)[1] is True
    assert broker.position(3)[1] is True
    assert broker.position(4)[1] is False


def test_a_slow_viewer_is_told_how_many_it_lost(broker) -> None:
    position, _gone = broker.position()
    publish(broker, *((number, "modem1") for number in range(1, RING + 6)))
    batch = broker.read(position)
    assert batch.lost == 5 and ids(batch.wire) == list(range(6, RING + 6))


def test_what_comes_late_with_a_lower_id_is_sent_without_one_and_found_again(broker) -> None:
    publish(broker, (1, "modem1"), (3, "modem1"), (2, "modem1"), (4, "modem1"))
    position, gone = broker.position(3)
    wire = broker.read(position).wire
    assert not gone and ids(wire) == [4] and b'{"id": 2,' in wire


def test_what_comes_late_is_not_missed_by_who_saw_the_higher_id_before(broker) -> None:
    publish(broker, (1, "modem1"), (3, "modem1"))
    assert broker.since(3) == ([], False)
    publish(broker, (2, "modem1"))
    assert [message.id for message in broker.since(3)[0]] == [2]


def test_messages_without_an_id_pass_and_do_not_count(broker) -> None:
    publish(broker, (1, "modem1"))
    position, _gone = broker.position()
    before = broker.position()[0]
    broker.publish("job", '{"id": "1"}')
    assert broker.wait(before, 60)
    assert broker.read(position).wire == b'event: job\ndata: {"id": "1"}\n\n'
    assert broker.highest == 1


def test_since_has_the_messages_themselves(broker) -> None:
    publish(broker, (1, "modem1"), (2, "modem2"))
    messages, gone = broker.since(1)
    assert not gone and [(one.id, one.kind, one.modem) for one in messages] == [(2, "reading", "modem2")]
    assert json.loads(messages[0].data) == {"id": 2, "modem": "modem2"}


def test_text_of_any_language_and_line_ends_in_it_arrive_whole(broker) -> None:
    position = broker.position()[0]
    data = json.dumps({"message": "günstig\n\n: data: 網"}, ensure_ascii=False)
    broker.publish("event", data, 1, None)
    assert broker.wait(position, 60)
    lines = broker.read(position).wire.decode().split("\n")
    assert lines == ["id: 1", "event: event", f"data: {data}", "", ""]


def test_closing_wakes_who_waits(broker) -> None:
    woken = threading.Event()
    threading.Thread(target=lambda: (broker.wait(10**9, 30), woken.set()), daemon=True).start()
    broker.close()
    assert woken.wait(60) and broker.closed


def test_publishing_wakes_the_sender(broker) -> None:
    calls = threading.Event()
    broker.on_publish(calls.set)
    broker.publish("job", "{}")
    assert calls.wait(60)


def test_messages_lost_on_the_way_are_told_to_every_viewer() -> None:
    broker = InProcessBroker(RING)
    publish(broker, (1, "modem1"), (2, "modem1"))
    position = broker.position()[0]
    broker.lose()
    assert broker.position(2)[1] is True
    publish(broker, (9, "modem1"))
    batch = broker.read(position)
    assert batch.lost == 1 and ids(batch.wire) == [9]
    assert broker.position(2)[1] is True


def test_two_processes_worth_of_brokers_share_what_is_published(redis_url: str) -> None:
    from remsim.web.redis_broker import RedisBroker

    one, two = RedisBroker(redis_url), RedisBroker(redis_url)
    one.start()
    two.start()
    try:
        position = two.position()[0]
        one.publish("reading", "{}", 1, "modem1")
        assert two.wait(position, 5) and ids(two.read(position).wire) == [1]
    finally:
        one.close()
        two.close()


@pytest.mark.parametrize("said", ["", "no json", "[]", "null", "{}", '{"data": 1, "type": "x"}', b"\xff\xfe"])
def test_what_others_say_on_the_channel_ends_nothing(redis_url: str, said: str | bytes) -> None:
    import redis
    from remsim.web.redis_broker import CHANNEL, RedisBroker

    broker = RedisBroker(redis_url)
    broker.start()
    try:
        with redis.Redis.from_url(redis_url) as other:
            other.publish(CHANNEL, said)
        publish(broker, (1, "modem1"))
        assert broker.highest == 1
    finally:
        broker.close()


def test_a_lost_connection_to_redis_is_told_to_every_viewer(redis_url: str) -> None:
    import redis
    from remsim.web.redis_broker import RedisBroker

    broker = RedisBroker(redis_url)
    broker.start()
    try:
        publish(broker, (1, "modem1"))
        position = broker.position()[0]
        with redis.Redis.from_url(redis_url) as other:
            other.client_kill_filter(_type="pubsub")
        wait_until(lambda: broker.position(1)[1])
        publish(broker, (3, "modem1"))
        assert broker.read(position).lost > 0
    finally:
        broker.close()


def test_redis_that_is_not_there_is_said_and_holds_nobody_up() -> None:
    from remsim.web.redis_broker import RedisBroker

    broker = RedisBroker(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(TimeoutError):
        broker.start(0.5)
    begin = time.monotonic()
    broker.publish("reading", "{}", 1, "modem1")
    assert time.monotonic() - begin < 3
    broker.close()


# --- streams over a plain WSGI server ---


def first_pieces(answer, count: int) -> str:
    pieces = (piece for piece in answer.response)
    return b"".join(next(pieces) for _ in range(count)).decode()


def test_a_stream_works_behind_plain_wsgi(tmp_path: Path) -> None:
    router, app = small_app(tmp_path)
    with client_of(app).get("/api/v1/stream") as answer:
        assert answer.mimetype == "text/event-stream"
        router.publish(rsrp_dbm=-90)
        assert "event: reading" in first_pieces(answer, 2)
    assert client_of(app).get("/api/v1/state").json["stream"]["open"] == 0


def test_events_older_than_the_ring_come_from_the_journal(tmp_path: Path) -> None:
    router: SmallRouter
    router, app = small_app(tmp_path)
    router.tell("before the restart")
    router.tell("also before")
    router.journal.close()
    router, app = small_app(tmp_path)
    router.tell("after")
    with client_of(app).get("/api/v1/stream", headers={"Last-Event-ID": "1"}) as answer:
        text = first_pieces(answer, 2)
    assert text.index("event: lagged") < text.index("also before") < text.index("after")
    assert "before the restart" not in text and text.count('"message":"after"') == 1


def test_streams_above_the_cap_get_503_with_retry_after(tmp_path: Path) -> None:
    from remsim.config.settings import WebSettings

    _router, app = small_app(tmp_path, web=WebSettings(max_streams=2, threads=8))
    client = client_of(app)
    open_streams = [client.get("/api/v1/stream") for _ in range(2)]
    answer = client.get("/api/v1/stream")
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    assert answer.json["code"] == "too_many_streams"
    open_streams[0].close()
    open_streams.append(client.get("/api/v1/stream"))
    assert open_streams[-1].status_code == 200
    for stream in open_streams:
        stream.close()


def test_a_stream_that_nobody_reads_is_counted_out_again(tmp_path: Path) -> None:
    _router, app = small_app(tmp_path)
    client = client_of(app)
    client.get("/api/v1/stream").close()
    assert client.head("/api/v1/stream").status_code == 200
    assert client.get("/api/v1/state").json["stream"]["open"] == 0


def test_the_cap_stays_below_the_threads(tmp_path: Path) -> None:
    from remsim.config.settings import WebSettings

    _router, app = small_app(tmp_path, web=WebSettings(max_streams=100, threads=8))
    assert client_of(app).get("/api/v1/state").json["stream"]["max"] == 7


def test_a_stream_greets_at_once(tmp_path: Path) -> None:
    router, _app = small_app(tmp_path)
    streams = Streams(InProcessBroker(), router.journal, 1)
    assert streams.begin(None, None).first == HELLO and HELLO.startswith(b"retry: ")


def test_a_signal_while_the_sender_is_woken_may_wake_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The handlers of SIGTERM and SIGINT wake it, and one may interrupt the other."""
    router, _app = small_app(tmp_path)
    sender = Sender(Streams(InProcessBroker(), router.journal, 1))
    calls: list[int] = []

    def write(_fd: int, _value: int) -> None:
        calls.append(1)
        if len(calls) == 1:
            sender.wake()

    monkeypatch.setattr("remsim.web.sender.os.eventfd_write", write)
    waking = threading.Thread(target=sender.wake, daemon=True)
    waking.start()
    waking.join(5)
    assert not waking.is_alive() and len(calls) == 2
