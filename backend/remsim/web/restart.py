"""How the service starts itself anew: the worker ends as at a stop, and the arbiter starts another."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from flask import Flask, current_app

RESTART = "remsim_restart"
ANSWER_S = 0.3
"""For the answer to whoever asked."""


def offer_restart(app: Flask) -> None:
    """For an application under gunicorn, whose arbiter replaces a worker that ends."""
    app.extensions[RESTART] = end_soon


def restarter() -> Callable[[], None] | None:
    """What starts the service anew; None where nobody would."""
    found: Callable[[], None] | None = current_app.extensions.get(RESTART)
    return found


def end_soon() -> None:
    """End this worker once the answer is out; what is in memory is written as at any stop."""
    threading.Timer(ANSWER_S, os.kill, (os.getpid(), signal.SIGTERM)).start()
