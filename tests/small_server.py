"""The real server over a small router, as a process: prints ``ready``, obeys lines on stdin.

``publish N`` publishes N readings, ``big N`` N events of 8 KB, ``crash`` ends the worker at once.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import cast

from remsim.config.settings import WebSettings
from remsim.core.clock import SystemClock
from remsim.router import Router
from remsim.web.server import serve_http
from remsim.web.worker import StreamWorker
from web_support import SmallRouter


class ThreadWorker(StreamWorker):
    """The same with a thread for each stream, to compare."""

    takes_sockets = False


class CommandedRouter(SmallRouter):
    """Publishes what stdin says."""

    def start(self) -> None:
        threading.Thread(target=self._obey, daemon=True).start()

    def _obey(self) -> None:
        published = 0
        for line in os.fdopen(os.dup(3), "r"):
            command, _, count = line.strip().partition(" ")
            if command == "crash":
                os.kill(os.getpid(), signal.SIGKILL)
            for _ in range(int(count)):
                if command == "publish":
                    published += 1
                    self.publish(f"modem{published % 2 + 1}", rsrp_dbm=-90, cell_id=published)
                else:
                    self.tell("x" * 8000)
            print("done", flush=True)

    def stop(self) -> None:
        super().stop()
        (self.state_dir / "stopped").write_text("yes")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("listen")
    parser.add_argument("--max-streams", type=int, default=24)
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--thread-per-stream", action="store_true")
    arguments = parser.parse_args()
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    web = WebSettings(max_streams=arguments.max_streams, threads=arguments.threads)
    os.dup2(0, 3)
    return serve_http(
        lambda: cast(Router, CommandedRouter(arguments.directory, clock=SystemClock(), web=web)),
        arguments.listen,
        web,
        on_ready=lambda: print("ready", flush=True),
        worker_class=f"{__name__}.ThreadWorker" if arguments.thread_per_stream else "remsim.web.worker.StreamWorker",
    )


if __name__ == "__main__":
    sys.modules["small_server"] = sys.modules["__main__"]
    __name__ = "small_server"
    sys.exit(main())
