"""flask-sse as documented, to compare: ``flask_sse_server.py PORT REDIS_PORT THREADS``.

Obeys ``publish N`` on stdin.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any

from flask import Flask
from flask_sse import sse
from gunicorn.app.base import BaseApplication
from remsim.core.reading import ModemReading


def application(redis_port: int) -> Flask:
    """The application of flask-sse's documentation."""
    app = Flask(__name__)
    app.config["REDIS_URL"] = f"redis://127.0.0.1:{redis_port}"
    app.register_blueprint(sse, url_prefix="/stream")
    return app


def obey(app: Flask) -> None:
    """Publish readings as told."""
    number = 0
    for line in os.fdopen(os.dup(3), "r"):
        for _ in range(int(line.split()[1])):
            number += 1
            reading = ModemReading(f"modem{number % 2 + 1}", time.time(), rsrp_dbm=-90, cell_id=number)
            # A string, so that the wire form is the one our own server sends.
            text = app.json.dumps({"id": number, **reading.as_dict()}, separators=(",", ":"))
            with app.app_context():
                sse.publish(text, type="reading", id=str(number))
        print("done", flush=True)


class Server(BaseApplication):
    """gunicorn with one threaded worker."""

    def load_config(self) -> None:
        port, _redis, threads = sys.argv[1:]
        self.cfg.set("bind", f"127.0.0.1:{port}")
        self.cfg.set("worker_class", "gthread")
        self.cfg.set("threads", int(threads))
        self.cfg.set("loglevel", "error")
        self.cfg.set("graceful_timeout", 1)
        self.cfg.set("control_socket_disable", True)
        self.cfg.set("post_worker_init", self.ready)

    def load(self) -> Flask:
        self.flask = application(int(sys.argv[2]))
        return self.flask

    def ready(self, _worker: Any) -> None:
        threading.Thread(target=obey, args=(self.flask,), daemon=True).start()
        print("ready", flush=True)


if __name__ == "__main__":
    os.dup2(0, 3)
    Server().run()
