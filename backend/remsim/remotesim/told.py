"""What the clients told and what their sockets show, taken in and kept: the state of each."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from remsim.config.remote_sim import LARGEST_ID
from remsim.core.clock import Clock, iso_utc
from remsim.core.events import Event
from remsim.core.files import read_table, write_atomically
from remsim.remotesim.links import BANKD_PORT, SERVER_PORT, Link, Links, is_alive, port_of, sockets_of
from remsim.remotesim.record import PROC, Process, Record, in_order, resolved, seen
from remsim.remotesim.slotmap import place_text
from remsim.remotesim.spool import Spool
from remsim.remotesim.tracker import LOCAL, REMOTE, UNKNOWN, ClientState, applied, state_of

log = logging.getLogger(__name__)

Slot = tuple[int, int]
SETTLE_S = 0.3
"""Scripts of one burst end within this; whoever is later is late."""
LONGEST_SETTLE_S = 1.5
BETWEEN_S = 0.1
"""Each event nudges; a folder that fills is not listed for each."""
MOST_CLIENTS = 64
"""Of those that are told of; this router's own are up to eight."""
LOOK_S = 2.0
"""How often sockets are looked at."""
NOT_RUNNING = {"state": UNKNOWN, "state_source": "process", "since": None, "uncertain": True}
"""Of a client of ours without the process that told its state."""
SENTENCES = {
    "remote": "the card in bank slot {bank_slot} serves it",
    "connecting": "it was given bank slot {bank_slot} and dials the bank",
    "local": "it lost its remote card",
    "unassigned": "no card is given to it any more",
    "unknown": "it began anew",
}


class Told:
    """All clients by their slots, ours and whoever else's script writes here.

    ``tick`` is called by one thread; views from any. ``of_client`` says what its events are of and what to call it.
    """

    def __init__(
        self,
        spool: Spool,
        kept: Path,
        *,
        clock: Clock,
        emit: Callable[[Event], None],
        of_client: Callable[[Slot], tuple[str, str | None]],
        proc: Path = PROC,
    ) -> None:
        self._spool = spool
        self._kept = kept
        self._clock = clock
        self._emit = emit
        self._of_client = of_client
        self._proc = proc
        self._lock = threading.Lock()
        self._states: dict[Slot, ClientState] = {}
        self._links: dict[Slot, tuple[Links, dict[str, Link], Process | None]] = {}
        self._lost: set[Slot] = set()
        self._watched: set[Slot] = set()
        self._first_seen: dict[str, float] = {}
        self._look_at = self._list_at = 0.0
        self._boot = boot_of(proc)
        self._resume()

    # --- taking in ---

    def tick(self, wanted: Mapping[Slot, int | None]) -> float:
        """Take in what was told and look at sockets; in how many seconds there is more to do.

        ``wanted`` are the clients to look for, with the process of each where somebody knows it; of others the process
        is known that told something.
        """
        wait_s = self._drain()
        now = self._clock.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            self._look(wanted)
        return min(wait_s, max(0.0, self._look_at - now)) if wanted or self._states else wait_s

    def _drain(self) -> float:
        """Apply what has come to rest, in the order that was meant. What is applied twice changes nothing."""
        now = self._clock.monotonic()
        if now < self._list_at:
            return self._list_at - now
        self._list_at = now + BETWEEN_S
        names = self._spool.bounded()
        self._first_seen = {name: self._first_seen.get(name, now) for name in names}
        if not names:
            return 3600.0
        youngest, oldest = (now - pick(self._first_seen.values()) for pick in (max, min))
        if youngest < SETTLE_S and oldest < LONGEST_SETTLE_S:
            return SETTLE_S - youngest
        found = self._spool.read(names, time.time())
        for record in in_order(record for record in found.values() if record.boot == self._boot):
            try:
                self._take(record)
            except Exception:  # one that cannot be taken in must not come again and again, nor take others along
                log.exception("an event %r", record.cause)
        if found:
            self._keep()
            self._look_at = 0.0  # the ports at the other ends may be known only now
        self._spool.remove(list(found))
        for name in found:
            self._first_seen.pop(name, None)
        return SETTLE_S if self._first_seen else 3600.0

    def _take(self, record: Record) -> None:
        slot = slot_in(record.value("REMSIM_CLIENT_SLOT"))
        if slot is None:
            log.warning("an event %r of no client's slot", record.cause)
            return
        before = self._states.get(slot, ClientState())
        now = applied(before, resolved(record, self._proc))
        if now == before:
            return
        with self._lock:
            self._states[slot] = now
            if len(self._states) > MOST_CLIENTS:
                del self._states[min(self._states, key=self._worth)]
        if now.state != before.state:
            self._tell_state(slot, before, now, record)
        if now.links > before.links > 0:
            self._tell(slot, "bankd_reconnect", f"the link to bank slot {now.bank_slot} is back", "info", now)

    def _worth(self, slot: Slot) -> tuple[bool, float]:
        """Clients that run are kept before others, then those that told something lately."""
        _, _, process = self._links.get(slot, (None, {}, None))
        return process is not None, self._states[slot].heard_s or 0.0

    def _tell_state(self, slot: Slot, before: ClientState, now: ClientState, record: Record) -> None:
        words = SENTENCES[now.state].format(bank_slot=now.bank_slot or "?")
        severity = "warning" if now.state == LOCAL and before.state == REMOTE else "info"
        self._tell(slot, "remote_sim", words, severity, now, at_s=record.uptime_s)

    def _tell(
        self, slot: Slot, kind: str, words: str, severity: str, now: ClientState, at_s: float | None = None
    ) -> None:
        source, name = self._of_client(slot)
        data = {
            "client": name,
            "client_slot": place_text(slot),
            "state": now.state,
            "bank_slot": now.bank_slot,
            "cause": now.cause,
            "source": "event",
        }
        at = self._clock.now() if at_s is None else self._wall(at_s)
        label = f"{name} (C{place_text(slot)})" if name else f"client {place_text(slot)}"
        self._emit(Event(kind, source, at, f"{label}: {words}", severity, data))

    # --- sockets ---

    def _look(self, wanted: Mapping[Slot, int | None]) -> None:
        now_s = uptime_of(self._proc)
        found: dict[Slot, tuple[Links, dict[str, Link], Process | None]] = {}
        for slot in {*wanted, *self._states}:
            state = self._states.get(slot, ClientState())
            process = self._process(slot, state, wanted.get(slot))
            links, before, known = self._links.get(slot, (Links(), {}, None))
            sockets = None if process is None else sockets_of(process.pid, self._proc)
            now: dict[str, Link] = {}
            if sockets is not None:
                ports = {
                    "server": port_of(state.server_addr, SERVER_PORT),
                    "bankd": port_of(state.bankd_addr, BANKD_PORT),
                }
                now = links.look(sockets, ports, now_s)
            found[slot] = links, now, process
            self._tell_server(slot, before.get("server"), now.get("server"), state)
            if process is None and known is not None and slot not in self._watched:
                self._tell_end(slot, known)
        self._watched = {slot for slot, pid in wanted.items() if pid is not None}
        with self._lock:
            self._links = found

    def _process(self, slot: Slot, state: ClientState, pid: int | None) -> Process | None:
        if state.client is not None and is_alive(state.client, self._proc):
            return state.client
        known = self._links.get(slot)
        if known is not None and known[2] is not None and is_alive(known[2], self._proc):
            return known[2]
        found = None if pid is None else seen(pid, self._proc)
        return None if found is None else found[0]

    def _tell_server(self, slot: Slot, before: Link | None, now: Link | None, state: ClientState) -> None:
        """No event tells that a server is lost or back: sockets do."""
        if now is None:
            self._lost.discard(slot)
            return
        is_lost = now.up is False and before is not None and before.up is True
        is_back = now.up is True and slot in self._lost  # between them it was too young to tell
        if not is_lost and not is_back:
            return
        (self._lost.add if is_lost else self._lost.discard)(slot)
        words = "the link to the server is back" if now.up else "the link to the server is lost"
        source, name = self._of_client(slot)
        data = {"client": name, "client_slot": place_text(slot), "state": state.state, "source": "socket"}
        label = f"{name} (C{place_text(slot)})" if name else f"client {place_text(slot)}"
        severity = "info" if now.up else "warning"
        self._emit(Event("remote_sim", source, self._clock.now(), f"{label}: {words}", severity, data))

    def _tell_end(self, slot: Slot, process: Process) -> None:
        """Whoever runs clients tells of their ends; of one that somebody else runs only /proc does."""
        source, name = self._of_client(slot)
        data = {"client": name, "client_slot": place_text(slot), "pid": process.pid, "source": "process"}
        label = f"{name} (C{place_text(slot)})" if name else f"client {place_text(slot)}"
        self._emit(Event("remsim_client", source, self._clock.now(), f"{label}: its program ended", "warning", data))

    # --- what is shown ---

    def states(self) -> dict[Slot, ClientState]:
        """What each client told."""
        with self._lock:
            return dict(self._states)

    def row_of(self, slot: Slot, *, is_ours: bool, pid: int | None = None) -> dict[str, Any]:
        """What is known of a client besides what servers know: keys of ``GET /api/v1/remote-sim``.

        Of one that is set up here, and whose process is gone, nothing is known any more, also when another process,
        ``pid``, took its place and has told nothing yet. Another's may be in a place that cannot be looked at, so what
        it told stands, uncertain.
        """
        with self._lock:
            state = self._states.get(slot)
            is_looked_for = slot in self._links
            _, links, process = self._links.get(slot, (None, {}, None))
        is_known = is_looked_for and (is_ours or (state is not None and state.client is not None))
        running = process is not None if is_known else None
        row: dict[str, Any] = {
            "server_link": self._link_view(links.get("server")),
            "bankd_link": self._link_view(links.get("bankd")),
            "process": {"running": running, "pid": None if process is None else process.pid},
        }
        if state is None or state.state == UNKNOWN:
            bankd = links.get("bankd")
            if bankd is not None and bankd.up:  # it never told; a bank that refuses hangs up at once
                row |= {"state": REMOTE, "state_source": "process", "since": self._iso(bankd.since_s)}
                row["uncertain"] = False
            return row
        row |= {
            "state_source": "event",
            "since": self._iso(state.since_s),
            "heard_at": self._iso(state.heard_s),
            "state": state.state,
            "bank_slot": state.bank_slot,
            "bankd_addr": state.bankd_addr,
            "uncertain": state.uncertain,
            "cause": state.cause,
            "version": state.version,
            "vcc": state.vcc,
            "rst": state.rst,
            "clk": state.clk,
            "reconnects": state.reconnects,
            "modem_resets": state.resets,
        }
        is_another = pid is not None and state.client is not None and state.client.pid != pid
        if running is False or is_another:
            row |= NOT_RUNNING if is_ours else {"uncertain": True}
        return row

    def state_age_s(self, slot: Slot) -> float | None:
        """How long a client is in its state; None when that is not known."""
        with self._lock:
            state = self._states.get(slot)
        return None if state is None or state.since_s is None else uptime_of(self._proc) - state.since_s

    def bankd_connected(self, slot: Slot) -> bool | None:
        """Whether a bank serves a client now; None when nothing is known of it."""
        with self._lock:
            state = self._states.get(slot)
            _, links, process = self._links.get(slot, (None, {}, None))
        if state is None or state.state == UNKNOWN:
            bankd = links.get("bankd")
            return True if bankd is not None and bankd.up else None
        return state.state == REMOTE and process is not None

    def _link_view(self, link: Link | None) -> dict[str, Any]:
        if link is None:
            return {"up": None, "source": "socket", "since": None}
        return {"up": link.up, "dials": link.dials, "source": "socket", "since": self._iso(link.since_s)}

    def _iso(self, at_s: float | None) -> str | None:
        return None if at_s is None else iso_utc(self._wall(at_s))

    def _wall(self, at_s: float) -> float:
        """A time since boot as seconds since the epoch, by the clock as it is set now."""
        return self._clock.now() - max(0.0, uptime_of(self._proc) - at_s)

    # --- over a restart of the service ---

    def _keep(self) -> None:
        """In RAM: after a restart of the router the clients begin anew, too."""
        table = {"boot": {"id": self._boot}} | {
            place_text(slot): state.as_dict() for slot, state in self._states.items()
        }
        try:
            write_atomically(self._kept, json.dumps(table).encode())
        except OSError as error:
            log.warning("%s: %s", self._kept, error.strerror)

    def _resume(self) -> None:
        """Of clients that still run, what they told before the service restarted is still so."""
        try:
            table = read_table(self._kept)
            if table.pop("boot", {}).get("id") != self._boot:
                return
            for name, kept in table.items():
                slot, state = slot_in(name), state_of(kept)
                if slot is not None and state.client is not None and is_alive(state.client, self._proc):
                    self._states[slot] = state
        except (OSError, ValueError, TypeError) as error:
            log.warning("%s: %s", self._kept, error)


def slot_in(text: str | None) -> Slot | None:
    """The numbers of ``5:0``; None of anything else, and of what no server takes."""
    left, _, right = (text or "").partition(":")
    if not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in (left, right)):
        return None
    slot = int(left), int(right)
    return slot if max(slot) <= LARGEST_ID else None


def boot_of(proc: Path) -> str:
    """What tells this run of the kernel from others."""
    try:
        return (proc / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def uptime_of(proc: Path) -> float:
    """Seconds since boot, as the scripts have them."""
    try:
        return float((proc / "uptime").read_text().split()[0])
    except (OSError, ValueError):
        return time.monotonic()
