"""The broker of several processes: flask-sse's messages on Redis in, the in-process ring of each process out.

On the router the in-process broker alone serves (a fifth of the memory and delay); this one is for a server that
runs several gunicorn workers. Needs the extra ``server``.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Collection

import redis
from flask import Flask
from flask_sse import ServerSentEventsBlueprint  # type: ignore[import-untyped]

from remsim.web.broker import Batch, InProcessBroker, Message

log = logging.getLogger(__name__)

CHANNEL = "remsim"
TIMEOUT_S = 2.0
RETRY_S = 1.0


class Channel(ServerSentEventsBlueprint):  # type: ignore[misc]  # flask-sse has no types
    """flask-sse's blueprint with one client for all messages; its own makes a connection for each."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__("remsim-sse", __name__)
        self._client = client

    @property
    def redis(self) -> redis.Redis:
        return self._client


class RedisBroker:
    """What any worker publishes, the viewers of all workers get."""

    def __init__(self, url: str, ring: int | None = None) -> None:
        self._local = InProcessBroker() if ring is None else InProcessBroker(ring)
        self._client = redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._sse = Channel(self._client)
        self._app = Flask("remsim-redis", static_folder=None)
        self._subscribed = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="redis", daemon=True)

    def start(self, timeout_s: float = 5.0) -> None:
        """Begin to listen; in the worker, after the fork. ``TimeoutError`` when Redis does not answer."""
        self._thread.start()
        if not self._subscribed.wait(timeout_s):
            raise TimeoutError("Redis does not answer")

    def publish(self, kind: str, data: str, id: int | None = None, modem: str | None = None) -> None:
        try:
            with self._app.app_context():
                self._sse.publish({"modem": modem, "line": data}, type=kind, id=id, channel=CHANNEL)
        except redis.RedisError as error:
            log.warning("a message could not be published on Redis: %s", error)
            self._local.lose()

    def _listen(self) -> None:
        listened = False
        while not self._stopping.is_set():
            try:
                with self._client.pubsub() as pubsub:  # type: ignore[no-untyped-call]
                    pubsub.subscribe(CHANNEL)
                    while not self._stopping.is_set():
                        found = pubsub.get_message(timeout=TIMEOUT_S / 2)
                        if found is None:
                            continue
                        if found["type"] == "subscribe":
                            if listened:  # anew, by us or by the library itself: nobody kept what was said meanwhile
                                self._local.lose()
                            listened = True
                            self._subscribed.set()
                        elif found["type"] == "message":
                            self._take(found["data"])
            except redis.RedisError as error:
                log.warning("Redis does not answer: %s", error)
                self._subscribed.clear()
                self._stopping.wait(RETRY_S)

    def _take(self, said: bytes) -> None:
        try:
            message = json.loads(said)
            content = message["data"]
            self._local.publish(message["type"], content["line"], message.get("id"), content["modem"])
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            log.warning("something that is no message of ours came over Redis")

    def position(self, last_id: int | None = None) -> tuple[int, bool]:
        return self._local.position(last_id)

    def read(
        self, position: int, modems: Collection[str] | None = None, hidden: Collection[str] = frozenset()
    ) -> Batch:
        return self._local.read(position, modems, hidden)

    def wait(self, position: int, timeout_s: float) -> bool:
        return self._local.wait(position, timeout_s)

    def since(self, last_id: int) -> tuple[list[Message], bool]:
        return self._local.since(last_id)

    @property
    def highest(self) -> int:
        return self._local.highest

    @property
    def closed(self) -> bool:
        return self._local.closed

    def on_publish(self, wake: Callable[[], None]) -> None:
        self._local.on_publish(wake)

    def close(self) -> None:
        self._stopping.set()
        self._local.close()
        if self._thread.is_alive():
            self._thread.join(TIMEOUT_S)
        self._client.close()
