"""The process that nDPI works in: reads packets of its group, writes ``ADDRESS NAME`` lines, ends with who reads them.

Packets are anybody's and the library is C: it works as nobody, and what goes wrong with it ends this process only.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time

from remsim.core.errors import RemsimError
from remsim.policies.learning.ndpi import Ndpi
from remsim.policies.learning.nflog import Nflog
from remsim.policies.learning.packets import text_of
from remsim.policies.learning.taps import NDPI_GROUP

NOBODY = 65534


def main() -> int:
    """Until the pipe is closed; 1 with a sentence on stderr when it cannot begin."""
    try:
        log = Nflog(NDPI_GROUP)
        library = Ndpi()
    except RemsimError as error:
        print(error.message, file=sys.stderr)
        return 1
    _become_nobody()
    out = sys.stdout.fileno()
    os.write(out, b"ready\n")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # the library talks, and nobody would read it
    poller = select.poll()
    poller.register(log, select.POLLIN)
    poller.register(out, 0)
    while True:
        if any(fd == out for fd, _ in poller.poll()):
            return 0
        now = time.monotonic()
        found = [one for one in (library.feed(packet, now) for packet in log.read()) if one is not None]
        if found:
            try:
                os.write(out, b"".join(f"{text_of(address)} {name}\n".encode() for address, name in found))
            except BrokenPipeError:
                return 0


def _become_nobody() -> None:
    """Give away what root may do; who is not root has nothing to give."""
    with contextlib.suppress(OSError):
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


if __name__ == "__main__":
    sys.exit(main())
