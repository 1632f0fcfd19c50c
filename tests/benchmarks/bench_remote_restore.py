"""A remsim-server restarts and forgets 10 banks' 100 maps each: all ``ACTIVE`` again at most 15 s after the banks are.

The service is a process of its own; server and banks are the virtual ones, in this process, and it is looked that no
map is made or removed while another of its bank is under way.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from typing import Any

from measuring import Table, cpu_s, service, service_pids
from running import RunningService
from virtual_remsim import Parts, virtual_remsim, wait_until

BANKS, SLOTS = 10, 100
BAR_S = 15.0
PENDING = ("NEW", "UNACKNOWLEDGED")


def post(running: RunningService, path: str, body: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {running.token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{running.base}/api/v1/{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def watch_changes(parts: Parts) -> list[str]:
    """What breaks the rule of one change a bank, as it happens; and every map that is made, for counting."""
    made: list[str] = []
    create = parts.server.create

    def watched(bank: tuple[int, int], client: tuple[int, int]) -> bool:
        busy = [one for one in parts.server.maps.values() if one.bank[0] == bank[0] and one.state in PENDING]
        made.append("at once" if busy else "alone")
        return create(bank, client)

    parts.server.create = watched  # type: ignore[method-assign]
    return made


def is_whole(parts: Parts) -> bool:
    maps = parts.slotmaps()
    return len(maps) == BANKS * SLOTS and all(state == "ACTIVE" for _, state in maps.values())


def main() -> int:
    table = Table(f"Slot maps after a restart of the server: {BANKS} banks of {SLOTS}")
    with virtual_remsim(*range(1, BANKS + 1), slots=SLOTS) as parts:
        os.environ["REMSIM_SERVER_URL"] = parts.url
        with service("--simulate", "--backfill", "0") as running:
            assert running.process is not None
            lines = [f"{bank},{slot},{bank},{slot}" for bank in range(1, BANKS + 1) for slot in range(SLOTS)]
            text = "\n".join(["bank_id,bank_slot,client_id,client_slot", *lines])
            begin = time.monotonic()
            post(running, "remote-sim/slotmaps/import", {"csv": text})
            table.row("import of all maps", time.monotonic() - begin, "s")
            wait_until(lambda: is_whole(parts), 60)
            table.row("in force the first time, from the import on", time.monotonic() - begin, "s")
            made = watch_changes(parts)
            pids = service_pids(running.process.pid)
            before_s = cpu_s(pids)
            parts.stop_server()
            time.sleep(2.0)
            parts.start_server()
            parts.wait_for_banks()
            begin = time.monotonic()
            wait_until(lambda: time.sleep(0.1) or is_whole(parts), 60)  # type: ignore[func-returns-value]
            table.row("all in force again, from the last bank on", time.monotonic() - begin, "s", at_most=BAR_S)
            table.row("CPU of the service meanwhile", cpu_s(pids) - before_s, "s")
            table.row("maps made", len(made), "", at_most=BANKS * SLOTS)
            table.row("of them beside another of their bank", made.count("at once"), "", at_most=0)
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
